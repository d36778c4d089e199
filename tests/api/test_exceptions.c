/* SPDX-License-Identifier: Apache-2.0
 * Exceptions and their collection, seen by the embedder; interpreted, and compiled where there is a compiler: they pass
 * from one to the other, through host functions and other instances. */
#include <stdio.h>
#include <unistd.h>

#include "api/api.h"
#include "host/host.h"
#ifdef WK_WITH_COMPILER
#include <wasmkeep/image.h>

#include "compiler/compiler.h"
#endif

/* Which modules of a test are compiled, a bit for each. */
static unsigned compiled;

#ifdef WK_WITH_COMPILER
static void compile(struct api *api, struct wk_module *module)
{
	const struct wk_compile_options options = { .optimisation = 2 };
	struct wk_compile_result result;
	char path[64];

	snprintf(path, sizeof path, "/tmp/wk-exceptions-%ld.image", (long)getpid());
	if (!CHECK_EQUAL(wk_compile(module, &options, path, &api->report, &result), WK_OK) ||
		!CHECK_EQUAL(wk_module_use_image(module, path, &api->report), WK_OK))
		printf("# %s\n", api->report.text);
	CHECK_EQUAL(result.compiled, result.functions);
	unlink(path);
}
#endif

/* As api_instance; `number` is the module's in `compiled`. */
static struct wk_instance *make(struct api *api, const struct wasm *w, unsigned number)
{
	struct wk_module *module = api_load(api, w);
	struct wk_instance *instance = NULL;

#ifdef WK_WITH_COMPILER
	if (module != NULL && compiled >> number & 1)
		compile(api, module);
#endif
	if (module != NULL && !CHECK_EQUAL(wk_linker_instantiate(api->linker, module, &api->report, &instance), WK_OK))
		printf("# %s\n", api->report.text);
	wk_module_release(module);
	wk_report_clear(&api->report);
	(void)number;
	return instance;
}

/* A module with the tag e (i32) and g, a global of type exnref:
 *	throw(x)   throws e(x)
 *	churn(n)   n times: throws and catches e(n)
 *	keep(x)    catches e(x) and puts its reference in g, over a null in a table of exnref, and back; gives x
 *	rethrow(x) throws g's exception */
static void thrower(struct wasm *w)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 4);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32);
	wasm_put(w, 0x60, 1, WASM_I32, 0);
	wasm_put(w, 0x60, 0, 2, WASM_I32, WASM_EXNREF);
	wasm_put(w, 0x60, 1, WASM_EXNREF, 0);                       /* tag f: an exception that holds another one */
	wasm_section(w, WASM_FUNCTIONS, 5);
	wasm_put(w, 0, 0, 0, 0, 0);
	wasm_section(w, WASM_TABLES, 1);
	wasm_put(w, WASM_EXNREF, 0, 3);
	wasm_section(w, WASM_TAGS, 2);
	wasm_put(w, 0, 1, 0, 3);
	wasm_section(w, WASM_GLOBALS, 1);
	wasm_put(w, WASM_EXNREF, 1, 0xd0, WASM_EXNREF, 0x0b);
	wasm_section(w, WASM_EXPORTS, 6);
	wasm_export(w, "throw", WASM_FUNC, 0);
	wasm_export(w, "churn", WASM_FUNC, 1);
	wasm_export(w, "keep", WASM_FUNC, 2);
	wasm_export(w, "rethrow", WASM_FUNC, 3);
	wasm_export(w, "wrap", WASM_FUNC, 4);
	wasm_export(w, "g", WASM_GLOBAL, 0);
	wasm_section(w, WASM_CODE, 5);
	WASM_BODY(w, 0x20, 0, 0x08, 0);
	WASM_BODY(w, 0x03, 0x40,                                   /* loop */
		0x02, WASM_I32,                                        /*  block (result i32) */
		0x1f, 0x40, 1, 0, 0, 0,                                /*   try_table (catch e 0) */
		0x20, 0, 0x08, 0, 0x0b, 0x00, 0x0b, 0x1a,              /*    throw e(x) end unreachable end drop */
		0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b,        /*  br_if 0 (local.tee 0 (x - 1)) end */
		0x20, 0);
	WASM_BODY(w, 0x02, 2,                                      /* block (result i32 exnref) */
		0x1f, 0x40, 1, 1, 0, 0, 0x20, 0, 0x08, 0, 0x0b, 0x00, 0x0b,
		0x24, 0,                                               /* global.set g */
		0x41, 1, 0x23, 0, 0x26, 0);                            /* t[1] = g */
	WASM_BODY(w, 0x23, 0, 0x0a);
	/* wrap: g = the exception f(g) */
	WASM_BODY(w, 0x02, WASM_EXNREF, 0x1f, 0x40, 1, 3, 0, 0x23, 0, 0x08, 1, 0x0b, 0x00, 0x0b, 0x24, 0, 0x20, 0);
	wasm_end(w);
}

TEST(collected)
{
	struct wk_value value = { 0 };
	struct wk_usage usage;
	struct wasm w;
	struct api api;
	int32_t result = 0;

	REQUIRE(api_begin(&api, NULL, NULL));
	thrower(&w);
	struct wk_instance *instance = make(&api, &w, 0);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(api_call(&api, instance, "throw", 3, &result), WK_EXCEPTION);
	CHECK_EQUAL(api.report.status, WK_EXCEPTION);
	CHECK_TEXT(api.report.text, "uncaught exception");

	/* 100,000 exceptions do not pile up. */
	CHECK_EQUAL(api_call(&api, instance, "keep", 42, &result), WK_OK);
	CHECK_EQUAL(result, 42);
	wk_global_get(wk_instance_global(instance, "g"), &value);
	CHECK(value.kind == WK_EXNREF && value.of.ref != 0);
	CHECK_EQUAL(api_call(&api, instance, "churn", 100000, &result), WK_OK);
	wk_keep_usage(api.keep, &usage);
	printf("# heap %llu, peak %llu\n", (unsigned long long)usage.heap_used, (unsigned long long)usage.heap_peak);
	CHECK(usage.heap_peak < 200000);
	/* What the global holds is still there, and it is what the embedder may hand in. */
	CHECK_EQUAL(wk_global_set(wk_instance_global(instance, "g"), &value), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "rethrow", 0, &result), WK_EXCEPTION);
	/* Only the table holds it now. */
	value.of.ref = 0;
	CHECK_EQUAL(wk_global_set(wk_instance_global(instance, "g"), &value), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "rethrow", 0, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_NULL_EXCEPTION);
	CHECK_EQUAL(api_call(&api, instance, "churn", 10000, &result), WK_OK);

	/* A chain of exceptions, each in the next: marked without recursion. */
	CHECK_EQUAL(api_call(&api, instance, "keep", 1, &result), WK_OK);
	for (int i = 0; i < 5000; i++)
		CHECK_EQUAL(api_call(&api, instance, "wrap", 0, &result), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "churn", 20000, &result), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "rethrow", 0, &result), WK_EXCEPTION);
	api_end(&api);
}

/* ---- exceptions that pass through host functions ---- */

struct through {
	struct wk_func *back;
	bool swallow;
};

static enum wk_status pass(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	struct through *through = context;
	enum wk_status status = wk_func_call(through->back, arguments, 1, results, 1, NULL);

	(void)caller;
	results[0].kind = WK_I32;
	return through->swallow ? WK_OK : status;
}

TEST(through_host)
{
	struct through through = { 0 };
	struct wasm w;
	struct api api;
	int32_t result = 0;

	REQUIRE(api_begin(&api, NULL, NULL));
	thrower(&w);
	struct wk_instance *instance = make(&api, &w, 0);
	REQUIRE(instance != NULL);
	through.back = wk_instance_function(instance, "throw");
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i:i", pass, &through), WK_OK);

	/* catch(x): calls env.f(x), catches everything, gives 1000 if something was thrown. */
	api_types(&w);
	wasm_section(&w, WASM_IMPORTS, 1);
	wasm_import(&w, "env", "f", WASM_FUNC);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_FUNCTIONS, 2);
	wasm_put(&w, 0, 0);
	wasm_section(&w, WASM_EXPORTS, 2);
	wasm_export(&w, "catch", WASM_FUNC, 1);
	wasm_export(&w, "pass", WASM_FUNC, 2);
	wasm_section(&w, WASM_CODE, 2);
	WASM_BODY(&w, 0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x20, 0, 0x10, 0, 0x0f, 0x0b, 0x0b, 0x41, 0xe8, 7);
	WASM_BODY(&w, 0x20, 0, 0x10, 0);
	wasm_end(&w);
	struct wk_instance *catcher = make(&api, &w, 1);
	REQUIRE(catcher != NULL);
	CHECK_EQUAL(api_call(&api, catcher, "catch", 3, &result), WK_OK);
	CHECK_EQUAL(result, 1000);
	CHECK_EQUAL(api_call(&api, catcher, "pass", 3, &result), WK_EXCEPTION);
	through.swallow = true;
	CHECK_EQUAL(api_call(&api, catcher, "catch", 3, &result), WK_OK);
	CHECK_EQUAL(result, 0);
	api_end(&api);
}

/* When the heap has no room for an exception even after a collection, that is a trap. */
TEST(without_memory)
{
	struct wk_keep_config config = { .memory_limit = 1200000 };
	struct wasm w;
	struct api api;
	int32_t result = 0;
	enum wk_status status = WK_OK;

	REQUIRE(api_begin(&api, &config, NULL));
	thrower(&w);
	struct wk_instance *instance = make(&api, &w, 0);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(api_call(&api, instance, "keep", 1, &result), WK_OK);
	for (int i = 0; i < 100000 && status == WK_OK; i++)
		status = api_call(&api, instance, "wrap", 0, &result);
	CHECK_EQUAL(status, WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_NO_MEMORY);
	api_end(&api);
}

/* ---- exceptions of another instance ---- */

enum { MANY = 12 }; /* parameters: more than there are registers */

/* Exports the tag "e" (i32), a table "t" with [0] throw (i32) -> i32 and [1] the same with many parameters, and these. */
static void exporter(struct wasm *w)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 3);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 1, WASM_I32, 0, 0x60, MANY);
	for (int i = 0; i < MANY; i++)
		wasm_put(w, WASM_I32);
	wasm_put(w, 1, WASM_I32);
	wasm_section(w, WASM_FUNCTIONS, 2);
	wasm_put(w, 0, 2);
	wasm_section(w, WASM_TABLES, 1);
	wasm_put(w, WASM_FUNCREF, 0, 2);
	wasm_section(w, WASM_TAGS, 1);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_EXPORTS, 4);
	wasm_export(w, "one", WASM_FUNC, 0);
	wasm_export(w, "many", WASM_FUNC, 1);
	wasm_export(w, "t", WASM_TABLE, 0);
	wasm_export(w, "e", WASM_TAG, 0);
	wasm_section(w, WASM_ELEMENTS, 1);
	wasm_put(w, 0, 0x41, 0, 0x0b, 2, 0, 1);
	wasm_section(w, WASM_CODE, 2);
	WASM_BODY(w, 0x20, 0, 0x08, 0);
	WASM_BODY(w, 0x20, 0, 0x04, 0x40, 0x20, 0, 0x08, 0, 0x0b, 0x20, MANY - 1); /* throws if the first is not 0, else the last */
	wasm_end(w);
}

/* Functions (i32) -> i32 that call one of these, and give what it throws or returns; of "strange" the tag is another
 * one, so nothing fits. */
static void importer(struct wasm *w)
{
	static const char *const names[] = { "one", "many", "one_indirect", "many_indirect", "strange" };

	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 3);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 1, WASM_I32, 0, 0x60, MANY);
	for (int i = 0; i < MANY; i++)
		wasm_put(w, WASM_I32);
	wasm_put(w, 1, WASM_I32);
	wasm_section(w, WASM_IMPORTS, 4);
	wasm_import(w, "other", "one", WASM_FUNC);
	wasm_put(w, 0);
	wasm_import(w, "other", "many", WASM_FUNC);
	wasm_put(w, 2);
	wasm_import(w, "other", "t", WASM_TABLE);
	wasm_put(w, WASM_FUNCREF, 0, 2);
	wasm_import(w, "other", "e", WASM_TAG);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_FUNCTIONS, 5);
	wasm_put(w, 0, 0, 0, 0, 0);
	wasm_section(w, WASM_TAGS, 1);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_EXPORTS, 5);
	for (uint32_t i = 0; i < 5; i++)
		wasm_export(w, names[i], WASM_FUNC, 2 + i);
	wasm_section(w, WASM_CODE, 5);
	for (unsigned i = 0; i < 5; i++) {
		wasm_body(w);
		wasm_put(w, 0x02, WASM_I32, 0x1f, 0x40, 1, 0, (uint8_t)(i == 4), 0, 0x20, 0);
		for (uint8_t k = 1; i % 2 == 1 && k < MANY; k++)
			wasm_put(w, 0x41, k);
		if (i == 2 || i == 3)
			wasm_put(w, 0x41, (uint8_t)(i - 2), 0x11, (uint8_t)(i == 3 ? 2 : 0), 0);
		else
			wasm_put(w, 0x10, (uint8_t)(i % 2));
		wasm_put(w, 0x0f, 0x0b, 0x00, 0x0b);
		wasm_body_end(w);
	}
	wasm_end(w);
}

TEST(across_instances)
{
	struct wasm w;
	struct api api;
	int32_t result = 0;

	REQUIRE(api_begin(&api, NULL, NULL));
	exporter(&w);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "other", make(&api, &w, 0)), WK_OK);
	importer(&w);
	struct wk_instance *instance = make(&api, &w, 1);
	REQUIRE(instance != NULL);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQUAL(api_call(&api, instance, i % 2 ? "one" : "one_indirect", 70 + i, &result), WK_OK);
		CHECK_EQUAL(result, 70 + i);
		CHECK_EQUAL(api_call(&api, instance, i % 2 ? "many" : "many_indirect", i, &result), WK_OK);
		CHECK_EQUAL(result, i ? i : MANY - 1);
		CHECK_EQUAL(api_call(&api, instance, "strange", i, &result), WK_EXCEPTION);
	}
	api_end(&api);
}

/* ---- all, interpreted and compiled ---- */

int main(void)
{
#ifdef WK_WITH_COMPILER
	for (compiled = 0; compiled < 4; compiled++) {
#endif
		printf("# compiled: %u\n", compiled);
		if (compiled < 2) {
			RUN(collected);
			RUN(without_memory);
		}
		RUN(through_host);
		RUN(across_instances);
#ifdef WK_WITH_COMPILER
	}
#endif
	return test_end();
}
