/* SPDX-License-Identifier: Apache-2.0
 * What instances hold, seen by the embedder: memories, globals and tables. */
#include "api/api.h"
#include "host/host.h"

TEST(memory)
{
	uint8_t bytes[4] = { 1, 2, 3, 4 };
	struct wasm w;
	struct api api;

	wasm_begin(&w);
	wasm_section(&w, WASM_MEMORIES, 2);
	wasm_put(&w, 0, 1, 0, 0);
	wasm_section(&w, WASM_EXPORTS, 2);
	wasm_export(&w, "m", WASM_MEMORY, 0);
	wasm_export(&w, "none", WASM_MEMORY, 1);
	wasm_end(&w);
	REQUIRE(api_begin(&api, NULL, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	struct wk_memory *memory = wk_instance_memory(instance, "m"), *none = wk_instance_memory(instance, "none");
	REQUIRE(memory != NULL && none != NULL);
	CHECK(wk_instance_memory(instance, "x") == NULL);
	CHECK(wk_instance_memory(instance, NULL) == NULL);
	CHECK(wk_instance_function(instance, "m") == NULL);
	CHECK_EQUAL(wk_memory_size(memory), 65536);
	CHECK_EQUAL(wk_memory_write(memory, 65532, bytes, 4), WK_OK);
	CHECK_EQUAL(wk_memory_write(memory, 65533, bytes, 4), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_memory_write(memory, UINT64_MAX, bytes, 4), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_memory_write(memory, 0, NULL, 4), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_memory_write(memory, 65536, NULL, 0), WK_OK);
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQUAL(wk_memory_read(memory, 65532, bytes, 4), WK_OK);
	CHECK(bytes[0] == 1 && bytes[3] == 4);
	CHECK_EQUAL(wk_memory_read(memory, 65533, bytes, 4), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_memory_read(memory, 0, NULL, 4), WK_BAD_ARGUMENT);
	uint8_t *view = wk_memory_view(memory, 65532, 4);
	REQUIRE(view != NULL);
	CHECK_EQUAL(view[3], 4);
	CHECK(wk_memory_view(memory, 65532, 5) == NULL);
	CHECK(wk_memory_view(memory, 5, UINT64_MAX) == NULL);
	CHECK(wk_memory_view(memory, 65536, 0) != NULL);
	CHECK(wk_memory_view(memory, 65537, 0) == NULL);
	CHECK(wk_memory_view(none, 0, 0) != NULL);
	CHECK(wk_memory_view(none, 0, 1) == NULL);

	CHECK(wk_guest_pointer(memory, 65528, 2, 4) == view - 4);
	CHECK(wk_guest_pointer(memory, 65528, 3, 4) == NULL);
	CHECK(wk_guest_pointer(memory, 0, (uint64_t)1 << 62, 4) == NULL);
	CHECK(wk_guest_pointer(memory, 0, UINT64_MAX, 16) == NULL);
	CHECK(wk_guest_pointer(NULL, 0, 0, 1) == NULL);
	api_end(&api);
}

TEST(globals)
{
	struct wk_value value = { 0 };
	struct wasm w;
	struct api api;

	wasm_begin(&w);
	wasm_section(&w, WASM_GLOBALS, 4);
	wasm_put(&w, WASM_I32, 0, 0x41, 5, 0x0b, WASM_I32, 1, 0x41, 6, 0x0b, WASM_EXTERNREF, 1, 0xd0, WASM_EXTERNREF, 0x0b,
		WASM_EXNREF, 1, 0xd0, WASM_EXNREF, 0x0b);
	wasm_section(&w, WASM_EXPORTS, 4);
	wasm_export(&w, "a", WASM_GLOBAL, 0);
	wasm_export(&w, "b", WASM_GLOBAL, 1);
	wasm_export(&w, "c", WASM_GLOBAL, 2);
	wasm_export(&w, "d", WASM_GLOBAL, 3);
	wasm_end(&w);
	REQUIRE(api_begin(&api, NULL, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	struct wk_global *a = wk_instance_global(instance, "a"), *b = wk_instance_global(instance, "b"),
		*c = wk_instance_global(instance, "c"), *d = wk_instance_global(instance, "d");
	wk_global_get(a, &value);
	CHECK(value.kind == WK_I32 && value.of.i32 == 5);
	CHECK_EQUAL(wk_global_set(a, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_global_set(b, &value), WK_OK);
	wk_global_get(b, &value);
	CHECK_EQUAL(value.of.i32, 5);
	value.kind = WK_I64;
	CHECK_EQUAL(wk_global_set(b, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_global_set(b, NULL), WK_BAD_ARGUMENT);
	value = (struct wk_value){ .kind = WK_EXTERNREF, .of.ref = 99 };
	CHECK_EQUAL(wk_global_set(c, &value), WK_OK);
	wk_global_get(c, &value);
	CHECK(value.kind == WK_EXTERNREF && value.of.ref == 99);
	/* An exnref that is none must not get in. */
	value = (struct wk_value){ .kind = WK_EXNREF, .of.ref = 0x1234 };
	CHECK_EQUAL(wk_global_set(d, &value), WK_BAD_ARGUMENT);
	value.of.ref = 0;
	CHECK_EQUAL(wk_global_set(d, &value), WK_OK);
	api_end(&api);
}

/* grow(n): table.grow by n nulls. Crosses from the heap to pages, and stops at the maximum. */
TEST(tables)
{
	struct wk_value value = { 0 };
	struct wasm w;
	struct api api;
	int32_t result = 0;

	api_types(&w);
	wasm_section(&w, WASM_FUNCTIONS, 1);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_TABLES, 1);
	wasm_put(&w, WASM_FUNCREF, 1, 2, 0xc0, 0x84, 0x3d); /* 2 .. 1,000,000 */
	wasm_section(&w, WASM_EXPORTS, 2);
	wasm_export(&w, "grow", WASM_FUNC, 0);
	wasm_export(&w, "t", WASM_TABLE, 0);
	wasm_section(&w, WASM_CODE, 1);
	WASM_BODY(&w, 0xd2, 0, 0x20, 0, 0xfc, 15, 0);
	wasm_end(&w);
	REQUIRE(api_begin(&api, NULL, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	struct wk_table *table = wk_instance_table(instance, "t");
	struct wk_func *grow = wk_instance_function(instance, "grow");
	static const int32_t steps[] = { 0, 1, 1, 3, 100, 1940, 1, 1, 5000, 100000, -1, 999999 };
	int32_t size = 2;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bool fits = steps[i] >= 0 && size + steps[i] <= 1000000;

		CHECK_EQUAL(api_call(&api, instance, "grow", steps[i], &result), WK_OK);
		CHECK_EQUAL(result, fits ? size : -1);
		size += fits ? steps[i] : 0;
		CHECK_EQUAL(wk_table_size(table), size);
		for (int32_t k = 0; k < size; k += k < 10 || k > size - 10 ? 1 : 997) {
			CHECK_EQUAL(wk_table_get(table, (uint64_t)k, &value), WK_OK);
			CHECK(value.kind == WK_FUNCREF && value.of.func == (k < 2 ? NULL : grow));
		}
	}
	CHECK_EQUAL(wk_table_get(table, (uint64_t)size, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_table_set(table, (uint64_t)size, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_table_get(table, 0, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_table_set(table, 0, &value), WK_OK);
	CHECK_EQUAL(wk_table_get(table, 0, &value), WK_OK);
	CHECK(value.of.func == grow);
	api_end(&api);
}

int main(void)
{
	RUN(memory);
	RUN(globals);
	RUN(tables);
	return test_end();
}
