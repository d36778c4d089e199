/* SPDX-License-Identifier: Apache-2.0
 * Types of a module in the notation of the text format, with the module's own type indices. */
#ifndef WK_CLI_TYPES_H
#define WK_CLI_TYPES_H

#include <stdio.h>

#include "format/module.h"

/* Registry ids back to type indices. */
struct wk_types {
	const struct wk_module *module;
	struct wk_types_entry { uint32_t id, index; } *entries; /* by id */
};

/* false: no memory. The caller frees with wk_types_free. */
bool wk_types_init(struct wk_types *types, const struct wk_module *module);
void wk_types_free(struct wk_types *types);

#define WK_TYPES_TEXT 48
/* "i32", "funcref", "(ref null 3)". */
const char *wk_types_value(const struct wk_types *types, wk_valtype type, char text[WK_TYPES_TEXT]);
/* The type index of a registry id: the lowest, where a module has a type twice. */
uint32_t wk_types_index(const struct wk_types *types, uint32_t id);
/* "(param i32 i32) (result i64)", or "()" for neither. */
void wk_types_put_function(FILE *out, const struct wk_types *types, const struct wk_deftype *type);
/* "(func (param i32))", "(struct ...)", "(array ...)", in "(sub ...)" where there is more to say. */
void wk_types_put(FILE *out, const struct wk_types *types, const struct wk_deftype *type);
const char *wk_types_extern_name(enum wk_extern kind);

#endif
