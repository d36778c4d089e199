/* SPDX-License-Identifier: Apache-2.0
 * Text in and out of the tool: numbers from the command line, and names from modules, which are hostile. */
#ifndef WK_CLI_TEXT_H
#define WK_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

/* True for characters that must not reach a terminal as they are: controls, those that change the direction of text,
 * that are invisible, or that no character ever is. */
bool wk_text_is_unsafe(uint32_t code_point);

/* Writes bytes of any origin so that a terminal shows them and obeys none: unsafe characters as \u{1b}, bytes that are
 * not UTF-8 as \xff. With `quoted`, also \" and \\, so that text between quotation marks can be read back. At most
 * `columns` characters, then "..."; 0: no limit. `out` may be NULL: nothing is written. Returns the columns used. */
size_t wk_text_put(FILE *out, struct wk_span text, bool quoted, size_t columns);

/* The name of the command line's word closest to `word` (a NULL-ended list), or NULL if none is close. */
const char *wk_text_nearest(const char *word, const char *const *words);
/* How far apart two words are in letters added, left out, changed or swapped with their neighbour. */
size_t wk_text_distance(const char *a, const char *b);
/* Close enough to be meant: `distance` letters in a word of `length`. */
bool wk_text_is_near(size_t distance, size_t length);

/* Each reads a whole word and returns false, leaving *value alone, when it is anything else. */
bool wk_text_unsigned(const char *word, uint64_t *value);   /* decimal or 0x hexadecimal */
bool wk_text_size(const char *word, uint64_t *value);       /* number and K, M, G, T, or KiB ...: powers of 1024 */
bool wk_text_seconds(const char *word, uint64_t *nanoseconds); /* greater than 0; fractions are allowed */

#endif
