/* SPDX-License-Identifier: Apache-2.0
 * Wasm values as words: the arguments and results of `run --invoke`. */
#ifndef WK_CLI_VALUES_H
#define WK_CLI_VALUES_H

#include <stdbool.h>
#include <stdio.h>

#include <wasmkeep/wasmkeep.h>

/* "i32", "funcref" ... */
const char *wk_values_kind_name(enum wk_kind kind);
/* What a word of that kind looks like, for messages; NULL when no word can be one. */
const char *wk_values_kind_form(enum wk_kind kind);
/* Reads the whole word; false, with *value as it was, when it is not of that kind. */
bool wk_values_read(const char *word, enum wk_kind kind, struct wk_value *value);
/* Prints a value so that wk_values_read gives the same one again (except functions and exceptions). */
void wk_values_print(FILE *out, const struct wk_value *value);

#endif
