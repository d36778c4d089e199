/* SPDX-License-Identifier: Apache-2.0
 *
 * The module `spectest`: what the scripts of the core suite may import without defining it.
 */
#include "spec/spec_serve.h"

/* The print functions print nothing: there is nowhere to, in a TEE. */
static enum wk_status print(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)context;
	(void)caller;
	(void)arguments;
	(void)results;
	return WK_OK;
}

static enum wk_status define_functions(struct wk_linker *linker)
{
	static const struct { const char *name; const char *signature; } functions[] = {
		{ "print", ":" }, { "print_i32", "i:" }, { "print_i64", "I:" }, { "print_f32", "f:" },
		{ "print_f64", "F:" }, { "print_i32_f32", "if:" }, { "print_f64_f64", "FF:" },
	};
	for (size_t i = 0; i < WK_COUNT(functions); i++) {
		enum wk_status status = wk_linker_define_function(linker, "spectest", functions[i].name,
			functions[i].signature, print, NULL);
		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

static enum wk_status define_globals(struct wk_store *store, struct wk_linker *linker)
{
	/* 666, and 666.6 as the nearest f32 and f64. */
	static const struct { const char *name; wk_valtype type; uint64_t bits; } globals[] = {
		{ "global_i32", WK_TYPE_I32, 666 }, { "global_i64", WK_TYPE_I64, 666 },
		{ "global_f32", WK_TYPE_F32, 0x4426a666 }, { "global_f64", WK_TYPE_F64, 0x4084d4cccccccccd },
	};
	for (size_t i = 0; i < WK_COUNT(globals); i++) {
		struct wk_external external = { .kind = WK_EXTERN_GLOBAL };
		struct wk_global_type type = { .type = globals[i].type, .mutable_ = false };
		uint64_t slots[2] = { globals[i].bits, 0 };
		enum wk_status status = wk_global_new(store, &type, slots, &external.of.global);
		if (status == WK_OK)
			status = wk_linker_define(linker, "spectest", globals[i].name, external);
		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

static enum wk_status define_table(struct wk_store *store, struct wk_linker *linker, const char *name, bool is64)
{
	struct wk_external external = { .kind = WK_EXTERN_TABLE };
	struct wk_table_type type = {
		.element = WK_TYPE_FUNCREF,
		.limits = { .minimum = 10, .maximum = 20, .has_maximum = true, .is64 = is64 },
	};
	enum wk_status status = wk_table_new(store, &type, 0, &external.of.table);
	return status == WK_OK ? wk_linker_define(linker, "spectest", name, external) : status;
}

enum wk_status spec_spectest_define(struct wk_store *store, struct wk_linker *linker)
{
	enum wk_status status = define_functions(linker);
	if (status == WK_OK)
		status = define_globals(store, linker);
	if (status == WK_OK)
		status = define_table(store, linker, "table", false);
	if (status == WK_OK)
		status = define_table(store, linker, "table64", true);
	if (status != WK_OK)
		return status;

	struct wk_external memory = { .kind = WK_EXTERN_MEMORY };
	struct wk_memory_type type = {
		.limits = { .minimum = 1, .maximum = 2, .has_maximum = true, .is64 = false },
		.page_log2 = 16,
	};
	status = wk_memory_new(store, &type, &memory.of.memory);
	return status == WK_OK ? wk_linker_define(linker, "spectest", "memory", memory) : status;
}
