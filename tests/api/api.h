/* SPDX-License-Identifier: Apache-2.0
 *
 * What the API tests share: a keep, a store and a linker that are there, and modules that load.
 */
#ifndef WK_TESTS_API_API_H
#define WK_TESTS_API_API_H

#include <wasmkeep/wasmkeep.h>

#include "api/wasm_builder.h"
#include "unit/test.h"

struct api {
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_report report;
};

static inline bool api_begin(struct api *api, const struct wk_keep_config *keep, const struct wk_store_config *store)
{
	*api = (struct api){ 0 };
	wk_report_clear(&api->report);
	return CHECK_EQUAL(wk_keep_new(keep, &api->keep), WK_OK) &&
		CHECK_EQUAL(wk_store_new(api->keep, store, &api->store), WK_OK) &&
		CHECK_EQUAL(wk_linker_new(api->store, &api->linker), WK_OK);
}

/* Ends everything; nothing may be left. */
static inline void api_end(struct api *api)
{
	struct wk_usage usage, empty;
	struct wk_keep *keep = NULL;

	wk_linker_delete(api->linker);
	wk_store_delete(api->store);
	if (api->keep != NULL && CHECK_EQUAL(wk_keep_new(NULL, &keep), WK_OK)) {
		wk_keep_usage(api->keep, &usage);
		wk_keep_usage(keep, &empty);
		/* The type registry keeps the table of its ids. */
		CHECK(usage.heap_used <= empty.heap_used + 8192);
		CHECK_EQUAL(usage.bytes_used, 0);
		CHECK_EQUAL(usage.pages_used, 0);
		wk_keep_delete(keep);
	}
	wk_keep_delete(api->keep);
}

static inline struct wk_module *api_load(struct api *api, const struct wasm *w)
{
	struct wk_module *module = NULL;

	wk_report_clear(&api->report);
	if (!CHECK_EQUAL(wk_module_load(api->keep, w->bytes, w->size, WK_LOAD_COPY, &api->report, &module), WK_OK))
		printf("# %s\n", api->report.text);
	return module;
}

/* Loads and instantiates; the report is empty again. NULL is a failed check. */
static inline struct wk_instance *api_instance(struct api *api, const struct wasm *w)
{
	struct wk_module *module = api_load(api, w);
	struct wk_instance *instance = NULL;

	if (module != NULL && !CHECK_EQUAL(wk_linker_instantiate(api->linker, module, &api->report, &instance), WK_OK))
		printf("# %s\n", api->report.text);
	wk_module_release(module);
	wk_report_clear(&api->report);
	return instance;
}

/* Loads and tries to instantiate: what instantiation said. */
static inline enum wk_status api_try(struct api *api, const struct wasm *w)
{
	struct wk_module *module = api_load(api, w);
	struct wk_instance *instance = NULL;
	enum wk_status status = WK_BAD_ARGUMENT;

	if (module != NULL)
		status = wk_linker_instantiate(api->linker, module, &api->report, &instance);
	CHECK((status == WK_OK) == (instance != NULL));
	wk_module_release(module);
	return status;
}

static inline struct wk_value api_i32(int32_t number)
{
	return (struct wk_value){ .kind = WK_I32, .of.i32 = number };
}

/* Calls an export that takes and gives one i32; `report` is cleared first. */
static inline enum wk_status api_call(struct api *api, struct wk_instance *instance, const char *name, int32_t argument,
	int32_t *result)
{
	struct wk_value in = api_i32(argument), out = { 0 };
	enum wk_status status;

	wk_report_clear(&api->report);
	status = wk_func_call(wk_instance_function(instance, name), &in, 1, &out, 1, &api->report);
	if (status == WK_OK)
		*result = out.of.i32;
	return status;
}

/* A module with the type (i32) -> i32 in place 0 and () -> () in place 1. */
static inline void api_types(struct wasm *w)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 2);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 0, 0);
}

#endif
