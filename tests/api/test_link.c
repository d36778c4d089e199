/* SPDX-License-Identifier: Apache-2.0
 * Linking and instantiation: imports of every kind, what is said when they do not match, segments, start functions. */
#include "api/api.h"
#include "host/host.h"

static enum wk_status nothing(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)caller, (void)arguments, (void)results;
	if (context != NULL)
		++*(int *)context;
	return WK_OK;
}

/* A module that exports one of each kind: function f of type 0, table t of 3, memory m of 1..4 pages, global g = 7 and
 * mutable global v, tag e (i32). */
static void exporter(struct wasm *w)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 2);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 1, WASM_I32, 0);
	wasm_section(w, WASM_FUNCTIONS, 1);
	wasm_put(w, 0);
	wasm_section(w, WASM_TABLES, 1);
	wasm_put(w, WASM_FUNCREF, 0, 3);
	wasm_section(w, WASM_MEMORIES, 1);
	wasm_put(w, 1, 1, 4);
	wasm_section(w, WASM_TAGS, 1);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_GLOBALS, 2);
	wasm_put(w, WASM_I32, 0, 0x41, 7, 0x0b, WASM_I64, 1, 0x42, 8, 0x0b);
	wasm_section(w, WASM_EXPORTS, 6);
	wasm_export(w, "f", WASM_FUNC, 0);
	wasm_export(w, "t", WASM_TABLE, 0);
	wasm_export(w, "m", WASM_MEMORY, 0);
	wasm_export(w, "g", WASM_GLOBAL, 0);
	wasm_export(w, "v", WASM_GLOBAL, 1);
	wasm_export(w, "e", WASM_TAG, 0);
	wasm_section(w, WASM_CODE, 1);
	WASM_BODY(w, 0x20, 0, 0x41, 1, 0x6a);
	wasm_end(w);
}

/* A module that imports one thing; `type` are the bytes of the import's description. */
static void importer(struct wasm *w, const char *name, unsigned kind, const uint8_t *type, size_t size)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 2);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 1, WASM_I32, 0);
	wasm_section(w, WASM_IMPORTS, 1);
	wasm_import(w, "env", name, kind);
	wasm_raw(w, type, size);
	wasm_end(w);
}

TEST(matching)
{
	static const struct {
		const char *name;
		unsigned kind;
		uint8_t type[4];
		size_t size;
		const char *text; /* NULL: it links */
	} cases[] = {
		{ "f", WASM_FUNC, { 0 }, 1, NULL },
		{ "f", WASM_FUNC, { 1 }, 1, "incompatible import type: env.f: expected function (i32) -> (), got function "
			"(i32) -> i32" },
		{ "g", WASM_FUNC, { 0 }, 1, "incompatible import type: env.g: expected function (i32) -> i32, got global i32" },
		{ "x", WASM_FUNC, { 0 }, 1, "unknown import: env.x, a function (i32) -> i32" },
		{ "x", WASM_TAG, { 0, 1 }, 2, "unknown import: env.x, a tag (i32)" },
		{ "t", WASM_TABLE, { WASM_FUNCREF, 0, 3 }, 3, NULL },
		{ "t", WASM_TABLE, { WASM_FUNCREF, 0, 4 }, 3, "incompatible import type: env.t: expected table of 4.. (ref null "
			"func), got table of 3.. (ref null func)" },
		{ "t", WASM_TABLE, { WASM_FUNCREF, 1, 1, 9 }, 4, "incompatible import type: env.t: expected table of 1..9 "
			"(ref null func), got table of 3.. (ref null func)" },
		{ "t", WASM_TABLE, { WASM_EXTERNREF, 0, 3 }, 3, "incompatible import type: env.t: expected table of 3.. "
			"(ref null extern), got table of 3.. (ref null func)" },
		{ "m", WASM_MEMORY, { 1, 1, 4 }, 3, NULL },
		{ "m", WASM_MEMORY, { 1, 0, 5 }, 3, NULL },
		{ "m", WASM_MEMORY, { 1, 1, 3 }, 3, "incompatible import type: env.m: expected memory of 1..3 pages, got memory "
			"of 1..4 pages" },
		{ "m", WASM_MEMORY, { 4, 1 }, 2, "incompatible import type: env.m: expected memory of 1.. (64-bit) pages, got "
			"memory of 1..4 pages" },
		{ "g", WASM_GLOBAL, { WASM_I32, 0 }, 2, NULL },
		{ "v", WASM_GLOBAL, { WASM_I64, 1 }, 2, NULL },
		{ "g", WASM_GLOBAL, { WASM_I32, 1 }, 2, "incompatible import type: env.g: expected global mut i32, got global "
			"i32" },
		{ "v", WASM_GLOBAL, { WASM_I64, 0 }, 2, "incompatible import type: env.v: expected global i64, got global mut "
			"i64" },
		{ "e", WASM_TAG, { 0, 1 }, 2, NULL },
	};
	struct wasm w;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	exporter(&w);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "env", instance), WK_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		importer(&w, cases[i].name, cases[i].kind, cases[i].type, cases[i].size);
		CHECK_EQUAL(api_try(&api, &w), cases[i].text ? WK_UNLINKABLE : WK_OK);
		CHECK_TEXT(api.report.text, cases[i].text ? cases[i].text : "");
	}
	api_end(&api);
}

TEST(grown_imports)
{
	static const uint8_t wanted[] = { 1, 3, 4 };
	static const uint8_t wanted_table[] = { WASM_FUNCREF, 0, 5 };
	struct wk_instance *instance;
	struct wasm w;
	struct api api;

	/* The importing module grows what it imports, then asks for more than was declared. */
	REQUIRE(api_begin(&api, NULL, NULL));
	exporter(&w);
	instance = api_instance(&api, &w);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "env", instance), WK_OK);
	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 0, 0);
	wasm_section(&w, WASM_IMPORTS, 2);
	wasm_import(&w, "env", "m", WASM_MEMORY);
	wasm_put(&w, 1, 1, 4);
	wasm_import(&w, "env", "t", WASM_TABLE);
	wasm_put(&w, WASM_FUNCREF, 0, 3);
	wasm_section(&w, WASM_FUNCTIONS, 1);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_START, 0);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_CODE, 1);
	WASM_BODY(&w, 0x41, 2, 0x40, 0, 0x1a, 0xd0, WASM_FUNCREF, 0x41, 2, 0xfc, 15, 0, 0x1a);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_OK);
	importer(&w, "m", WASM_MEMORY, wanted, sizeof(wanted));
	CHECK_EQUAL(api_try(&api, &w), WK_OK);
	importer(&w, "t", WASM_TABLE, wanted_table, sizeof(wanted_table));
	CHECK_EQUAL(api_try(&api, &w), WK_OK);
	CHECK_EQUAL(wk_memory_size(wk_instance_memory(instance, "m")), 3 * 65536);
	CHECK_EQUAL(wk_table_size(wk_instance_table(instance, "t")), 5);
	api_end(&api);
}

TEST(definitions)
{
	struct api api, other;
	struct wk_external external = { .kind = WK_EXTERN_FUNC };
	struct wasm w;
	char long_signature[64] = "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii:i";
	static const uint8_t type0[] = { 0 };
	int calls[2] = { 0, 0 };
	int32_t result = 0;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_function(api.linker, NULL, "f", ":", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", NULL, ":", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", NULL, nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", ":", NULL, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i:z", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i::", nothing, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "many", long_signature, nothing, NULL), WK_OK);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "", "", ":", nothing, NULL), WK_OK);
	CHECK_EQUAL(wk_linker_define(api.linker, "env", "f", external), WK_BAD_ARGUMENT);

	/* A later definition replaces the earlier one; what is linked stays. */
	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 1, WASM_I32, 1, WASM_I32);
	wasm_section(&w, WASM_IMPORTS, 1);
	wasm_import(&w, "env", "f", WASM_FUNC);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_EXPORTS, 1);
	wasm_export(&w, "f", WASM_FUNC, 0);
	wasm_end(&w);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i:i", nothing, &calls[0]), WK_OK);
	struct wk_instance *first = api_instance(&api, &w);
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "i:i", nothing, &calls[1]), WK_OK);
	struct wk_instance *second = api_instance(&api, &w);
	CHECK_EQUAL(api_call(&api, first, "f", 5, &result), WK_OK);
	CHECK_EQUAL(result, 0);
	CHECK(calls[0] == 1 && calls[1] == 0);
	CHECK_EQUAL(api_call(&api, second, "f", 5, &result), WK_OK);
	CHECK(calls[0] == 1 && calls[1] == 1);

	/* Many names: the table grows. */
	for (int i = 0; i < 500; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		CHECK_EQUAL(wk_linker_define_function(api.linker, "many", name, i % 2 ? "i:i" : "I:", nothing, NULL), WK_OK);
	}
	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 1, WASM_I32, 1, WASM_I32);
	wasm_section(&w, WASM_IMPORTS, 20);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i * 24 + 1);
		wasm_import(&w, "many", name, WASM_FUNC);
		wasm_put(&w, 0);
	}
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_OK);

	/* Nothing of another store or keep. */
	REQUIRE(api_begin(&other, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_instance(other.linker, "env", first), WK_BAD_ARGUMENT);
	CHECK(wk_instance_export(first, wk_span("f", 1), &external));
	CHECK_EQUAL(wk_linker_define(other.linker, "env", "f", external), WK_BAD_ARGUMENT);
	importer(&w, "f", WASM_FUNC, type0, 1);
	struct wk_module *module = api_load(&other, &w);
	struct wk_instance *instance = NULL;
	CHECK_EQUAL(wk_linker_instantiate(api.linker, module, &api.report, &instance), WK_BAD_ARGUMENT);
	wk_module_release(module);
	api_end(&other);
	api_end(&api);
}

/* Active segments are written in order, and what was written before the one that traps stays (4.5.4). */
TEST(segments)
{
	static const uint8_t data[] = "abc";
	struct wasm w;
	struct api api;
	uint8_t bytes[4] = { 0 };

	REQUIRE(api_begin(&api, NULL, NULL));
	exporter(&w);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "env", instance), WK_OK);
	api_types(&w);
	wasm_section(&w, WASM_IMPORTS, 2);
	wasm_import(&w, "env", "m", WASM_MEMORY);
	wasm_put(&w, 0, 1);
	wasm_import(&w, "env", "t", WASM_TABLE);
	wasm_put(&w, WASM_FUNCREF, 0, 1);
	wasm_section(&w, WASM_FUNCTIONS, 1);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_ELEMENTS, 1);
	wasm_put(&w, 0, 0x41, 1, 0x0b, 1, 0);
	wasm_section(&w, WASM_CODE, 1);
	WASM_BODY(&w, 0x20, 0, 0x41, 2, 0x6c);
	wasm_section(&w, WASM_DATA, 2);
	wasm_put(&w, 0, 0x41, 8, 0x0b, 3);
	wasm_raw(&w, data, 3);
	wasm_put(&w, 0, 0x41, 0xfe, 0xff, 3, 0x0b, 3); /* 65534: one byte too far */
	wasm_raw(&w, data, 3);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_MEMORY_BOUNDS);
	CHECK_TEXT(api.report.text, "trap: out of bounds memory access");
	CHECK(api.report.offset != WK_NO_OFFSET);
	CHECK_EQUAL(wk_memory_read(wk_instance_memory(instance, "m"), 8, bytes, 4), WK_OK);
	CHECK(memcmp(bytes, "abc", 4) == 0);
	CHECK_EQUAL(wk_memory_read(wk_instance_memory(instance, "m"), 65533, bytes, 3), WK_OK);
	CHECK(bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0);

	/* The function of the failed instance is in the table, and works. */
	struct wk_value element = { 0 }, argument = api_i32(21), result = { 0 };
	CHECK_EQUAL(wk_table_get(wk_instance_table(instance, "t"), 1, &element), WK_OK);
	CHECK(element.kind == WK_FUNCREF && element.of.func != NULL);
	CHECK_EQUAL(wk_func_call(element.of.func, &argument, 1, &result, 1, NULL), WK_OK);
	CHECK_EQUAL(result.of.i32, 42);
	api_end(&api);
}

/* Globals that use globals, imported and own; tables with an initial value; passive segments with expressions. */
TEST(constant_expressions)
{
	struct wk_value value = { 0 };
	struct wasm w;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	exporter(&w);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "env", instance), WK_OK);

	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 1, WASM_I32, 1, WASM_I32);
	wasm_section(&w, WASM_IMPORTS, 2);
	wasm_import(&w, "env", "g", WASM_GLOBAL);
	wasm_put(&w, WASM_I32, 0);
	wasm_import(&w, "env", "f", WASM_FUNC);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_TABLES, 1);
	wasm_put(&w, 0x40, 0, 0x64, 0, 0, 4, 0xd2, 0, 0x0b); /* 4 of (ref 0), all ref.func 0 */
	wasm_section(&w, WASM_GLOBALS, 6);
	wasm_put(&w, WASM_I32, 0, 0x23, 0, 0x23, 0, 0x6c, 0x41, 5, 0x6b, 0x0b); /* g * g - 5 = 44 */
	wasm_put(&w, WASM_I32, 0, 0x23, 1, 0x41, 1, 0x6a, 0x0b);                /* 45 */
	wasm_put(&w, WASM_V128, 0, 0xfd, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x0b);
	wasm_put(&w, WASM_FUNCREF, 0, 0xd2, 0, 0x0b);
	wasm_put(&w, WASM_F64, 0, 0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x0b);    /* 1.5 */
	wasm_put(&w, WASM_I32, 0);                                              /* 40 operands wait: 1 + (1 + (1 ... */
	for (int i = 0; i < 40; i++)
		wasm_put(&w, 0x41, 1);
	for (int i = 1; i < 40; i++)
		wasm_put(&w, 0x6a);
	wasm_put(&w, 0x0b);
	wasm_section(&w, WASM_EXPORTS, 7);
	wasm_export(&w, "t", WASM_TABLE, 0);
	for (unsigned i = 1; i <= 6; i++)
		wasm_export(&w, (const char *[]){ "a", "b", "c", "d", "e", "f" }[i - 1], WASM_GLOBAL, i);
	wasm_end(&w);
	struct wk_instance *user = api_instance(&api, &w);
	REQUIRE(user != NULL);
	wk_global_get(wk_instance_global(user, "a"), &value);
	CHECK(value.kind == WK_I32 && value.of.i32 == 44);
	wk_global_get(wk_instance_global(user, "b"), &value);
	CHECK_EQUAL(value.of.i32, 45);
	wk_global_get(wk_instance_global(user, "c"), &value);
	CHECK(value.kind == WK_V128 && value.of.v128[0] == 1 && value.of.v128[15] == 16);
	wk_global_get(wk_instance_global(user, "d"), &value);
	CHECK(value.kind == WK_FUNCREF && value.of.func == wk_instance_function(instance, "f"));
	wk_global_get(wk_instance_global(user, "e"), &value);
	CHECK(value.kind == WK_F64 && value.of.f64 == 1.5);
	wk_global_get(wk_instance_global(user, "f"), &value);
	CHECK_EQUAL(value.of.i32, 40);
	CHECK_EQUAL(wk_table_size(wk_instance_table(user, "t")), 4);
	CHECK_EQUAL(wk_table_get(wk_instance_table(user, "t"), 3, &value), WK_OK);
	CHECK(value.of.func == wk_instance_function(instance, "f"));
	/* A table of (ref 0) takes functions of type 0, and no null. */
	CHECK_EQUAL(wk_table_set(wk_instance_table(user, "t"), 3, &value), WK_OK);
	value.of.func = NULL;
	CHECK_EQUAL(wk_table_set(wk_instance_table(user, "t"), 3, &value), WK_BAD_ARGUMENT);
	api_end(&api);
}

/* table.init and memory.init of passive segments, before and after a drop. */
TEST(passive_segments)
{
	struct wasm w;
	struct api api;
	int32_t result = 0;

	api_types(&w);
	wasm_section(&w, WASM_FUNCTIONS, 4);
	wasm_put(&w, 0, 0, 0, 0);
	wasm_section(&w, WASM_TABLES, 1);
	wasm_put(&w, WASM_FUNCREF, 0, 4);
	wasm_section(&w, WASM_MEMORIES, 1);
	wasm_put(&w, 0, 1);
	wasm_section(&w, WASM_EXPORTS, 5);
	wasm_export(&w, "table", WASM_FUNC, 0);
	wasm_export(&w, "drop", WASM_FUNC, 1);
	wasm_export(&w, "memory", WASM_FUNC, 2);
	wasm_export(&w, "answer", WASM_FUNC, 3);
	wasm_export(&w, "t", WASM_TABLE, 0);
	wasm_section(&w, WASM_ELEMENTS, 3);
	wasm_put(&w, 1, 0, 2, 0, 3);                                   /* passive: functions 0, 3 */
	wasm_put(&w, 5, WASM_FUNCREF, 2, 0xd0, 0x70, 0x0b, 0xd2, 3, 0x0b); /* passive: null, function 3 */
	wasm_put(&w, 3, 0, 1, 2);                                      /* declarative */
	wasm_section(&w, WASM_DATA_COUNT, 1);
	wasm_section(&w, WASM_CODE, 4);
	/* table.init 0 then 1, and a call through the table */
	WASM_BODY(&w, 0x41, 0, 0x41, 0, 0x41, 2, 0xfc, 12, 0, 0, 0x41, 2, 0x41, 0, 0x41, 2, 0xfc, 12, 1, 0, 0x20, 0, 0x41, 3,
		0x11, 0, 0);
	WASM_BODY(&w, 0xfc, 13, 0, 0xfc, 13, 1, 0xfc, 9, 0, 0x20, 0);
	WASM_BODY(&w, 0x41, 0, 0x41, 1, 0x20, 0, 0xfc, 8, 0, 0, 0x41, 0, 0x2d, 0, 0); /* memory.init; load8_u */
	WASM_BODY(&w, 0x20, 0, 0x41, 9, 0x6a);
	wasm_section(&w, WASM_DATA, 1);
	wasm_put(&w, 1, 3, 'x', 'y', 'z');
	wasm_end(&w);
	REQUIRE(api_begin(&api, NULL, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(api_call(&api, instance, "table", 33, &result), WK_OK);
	CHECK_EQUAL(result, 42);
	CHECK_EQUAL(api_call(&api, instance, "memory", 2, &result), WK_OK);
	CHECK_EQUAL(result, 'y');
	CHECK_EQUAL(api_call(&api, instance, "memory", 3, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_MEMORY_BOUNDS);
	CHECK_EQUAL(api_call(&api, instance, "drop", 0, &result), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "drop", 0, &result), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "memory", 1, &result), WK_TRAP);
	CHECK_EQUAL(api_call(&api, instance, "table", 1, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_TABLE_BOUNDS);
	api_end(&api);
}

TEST(start)
{
	struct wasm w;
	struct api api;
	int calls = 0;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", ":", nothing, &calls), WK_OK);
	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 0, 0);
	wasm_section(&w, WASM_IMPORTS, 1);
	wasm_import(&w, "env", "f", WASM_FUNC);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_START, 0);
	wasm_put(&w, 0);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_OK); /* a host function as start function */
	CHECK_EQUAL(calls, 1);

	wasm_begin(&w);
	wasm_section(&w, WASM_TYPES, 1);
	wasm_put(&w, 0x60, 0, 0);
	wasm_section(&w, WASM_FUNCTIONS, 1);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_START, 0);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_CODE, 1);
	WASM_BODY(&w, 0);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_UNREACHABLE);
	CHECK(strstr(api.report.text, "unreachable") != NULL);
	api_end(&api);
}

/* Huge tables and memories are refused with a clear report, or take nothing that is not used. */
TEST(huge)
{
	struct wasm w;
	struct api api;
	struct wk_usage usage;

	REQUIRE(api_begin(&api, NULL, NULL));
	wasm_begin(&w);
	wasm_section(&w, WASM_TABLES, 1);
	wasm_put(&w, WASM_FUNCREF, 0, 0xff, 0xff, 0xff, 0xff, 0x0f);
	wasm_end(&w);
	struct wk_module *module = NULL;
	enum wk_status status = wk_module_load(api.keep, w.bytes, w.size, 0, &api.report, &module);
	if (status == WK_OK) {
		struct wk_instance *instance = NULL;

		status = wk_linker_instantiate(api.linker, module, &api.report, &instance);
		wk_module_release(module);
	}
	CHECK_EQUAL(status, WK_LIMIT);
	printf("# %s\n", api.report.text);

	/* Two of six million: the second is one too many. */
	wasm_begin(&w);
	wasm_section(&w, WASM_TABLES, 1);
	wasm_put(&w, WASM_FUNCREF, 0, 0x80, 0x9b, 0xee, 0x02);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_OK);
	CHECK_EQUAL(api_try(&api, &w), WK_LIMIT);
	wk_keep_usage(api.keep, &usage);
	CHECK(usage.heap_used < 65536);
	api_end(&api);

	/* 2^40 pages of a 64-bit memory. */
	REQUIRE(api_begin(&api, NULL, NULL));
	wasm_begin(&w);
	wasm_section(&w, WASM_MEMORIES, 1);
	wasm_put(&w, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20);
	wasm_end(&w);
	CHECK_EQUAL(api_try(&api, &w), WK_LIMIT);
	printf("# %s\n", api.report.text);
	api_end(&api);
}

int main(void)
{
	RUN(matching);
	RUN(grown_imports);
	RUN(definitions);
	RUN(segments);
	RUN(constant_expressions);
	RUN(passive_segments);
	RUN(start);
	RUN(huge);
	return test_end();
}
