/* SPDX-License-Identifier: Apache-2.0
 * Keeps, modules and stores: making and ending them, budgets, allocators, and arguments that cannot be. */
#include "api/api.h"
#include "unit/faults.h"

static const uint8_t empty_module[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };

TEST(version)
{
	CHECK_TEXT(wk_version(), WASMKEEP_VERSION);
}

TEST(null_arguments)
{
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_instance *instance = NULL;
	struct wk_usage usage = { .heap_used = 1 };
	struct wk_report report;
	struct wk_value value = { 0 };
	uint32_t parameters = 1, results = 1;

	CHECK_EQUAL(wk_keep_new(NULL, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_store_new(NULL, NULL, &store), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_new(NULL, &linker), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_instantiate(NULL, NULL, NULL, &instance), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_function(NULL, "a", "b", ":", NULL, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_instance(NULL, "a", NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_func_call(NULL, NULL, 0, NULL, 0, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_store_set_fuel(NULL, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_store_fuel(NULL), 0);
	CHECK_EQUAL(wk_store_exit_code(NULL), 0);
	CHECK_EQUAL(wk_memory_size(NULL), 0);
	CHECK(wk_memory_view(NULL, 0, 0) == NULL);
	CHECK_EQUAL(wk_memory_read(NULL, 0, &value, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_memory_write(NULL, 0, &value, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_global_set(NULL, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_table_size(NULL), 0);
	CHECK_EQUAL(wk_table_get(NULL, 0, &value), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_table_set(NULL, 0, &value), WK_BAD_ARGUMENT);
	CHECK(wk_instance_function(NULL, "a") == NULL);
	CHECK(wk_instance_memory(NULL, "a") == NULL);
	CHECK(wk_instance_global(NULL, "a") == NULL);
	CHECK(wk_instance_table(NULL, "a") == NULL);
	CHECK(wk_caller_store(NULL) == NULL && wk_caller_instance(NULL) == NULL && wk_caller_memory(NULL) == NULL);
	CHECK_EQUAL(wk_caller_trap(NULL, "why"), WK_TRAP);
	CHECK_EQUAL(wk_caller_exit(NULL, 3), WK_EXIT);
	wk_global_get(NULL, &value);
	wk_func_type(NULL, &parameters, NULL, &results, NULL);
	CHECK(parameters == 0 && results == 0);
	wk_keep_usage(NULL, &usage);
	CHECK_EQUAL(usage.heap_used, 0);
	wk_store_interrupt(NULL);
	wk_store_clear_interrupt(NULL);
	wk_keep_delete(NULL);
	wk_module_release(NULL);
	wk_store_delete(NULL);
	wk_linker_delete(NULL);

	REQUIRE(wk_keep_new(NULL, &keep) == WK_OK);
	wk_keep_usage(keep, NULL);
	CHECK_EQUAL(wk_store_new(keep, NULL, NULL), WK_BAD_ARGUMENT);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_module_load(NULL, empty_module, 8, 0, &report, &module), WK_BAD_ARGUMENT);
	CHECK_EQUAL(report.status, WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_module_load(keep, NULL, 8, 0, NULL, &module), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_module_load(keep, empty_module, 8, 0, NULL, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_module_load(keep, empty_module, 8, 99, NULL, &module), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_module_load(keep, empty_module, (size_t)1 << 40, 0, NULL, &module), WK_LIMIT);
	CHECK(module == NULL);
	wk_keep_delete(keep);
}

TEST(minimal_embedder)
{
	struct wk_usage usage;
	struct wk_instance *instance = NULL;
	struct wk_module *module = NULL;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	REQUIRE(wk_module_load(api.keep, empty_module, sizeof(empty_module), WK_LOAD_COPY, NULL, &module) == WK_OK);
	CHECK_EQUAL(wk_linker_instantiate(api.linker, module, NULL, &instance), WK_OK);
	wk_module_release(module);
	wk_keep_usage(api.keep, &usage);
	printf("# heap %llu, peak %llu, allocations %llu\n", (unsigned long long)usage.heap_used,
		(unsigned long long)usage.heap_peak, (unsigned long long)usage.allocations);
	CHECK(usage.heap_peak <= 16384);
	CHECK(usage.bytes_used >= sizeof(empty_module) && usage.bytes_used <= 65536); /* whole pages */
	CHECK_EQUAL(usage.pages_used, 0);
	CHECK(usage.allocations > 0 && usage.allocations <= 12);
	api_end(&api);
}

TEST(not_a_module)
{
	static const uint8_t broken[] = { 0, 'a', 's', 'm', 2, 0, 0, 0 };
	struct wk_module *module = NULL;
	struct wk_usage usage;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_module_load(api.keep, broken, sizeof(broken), WK_LOAD_COPY, &api.report, &module), WK_MALFORMED);
	CHECK_EQUAL(api.report.status, WK_MALFORMED);
	CHECK_EQUAL(wk_module_load(api.keep, NULL, 0, WK_LOAD_COPY, NULL, &module), WK_MALFORMED);
	CHECK(module == NULL);
	wk_keep_usage(api.keep, &usage);
	CHECK_EQUAL(usage.bytes_used, 0);
	api_end(&api);
}

TEST(borrowed_bytes)
{
	struct wk_module *module = NULL;
	struct wk_usage usage;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	REQUIRE(wk_module_load(api.keep, empty_module, sizeof(empty_module), WK_LOAD_BORROW, NULL, &module) == WK_OK);
	wk_keep_usage(api.keep, &usage);
	CHECK_EQUAL(usage.bytes_peak, 0);
	wk_module_release(module);
	api_end(&api);
}

TEST(allocator)
{
	struct test_heap heap = { 0 };
	struct wk_allocator allocator = test_heap_allocator(&heap), broken = { 0 };
	struct wk_keep_config config = { .allocator = &allocator };
	struct wk_keep *keep = NULL;
	struct wk_usage usage;
	struct api api;

	REQUIRE(api_begin(&api, &config, NULL));
	wk_keep_usage(api.keep, &usage);
	CHECK_EQUAL(heap.bytes, usage.heap_used);
	CHECK_EQUAL(heap.asked, usage.allocations);
	api_end(&api);
	CHECK(heap.blocks == 0 && heap.bytes == 0);
	config.allocator = &broken;
	CHECK_EQUAL(wk_keep_new(&config, &keep), WK_BAD_ARGUMENT);
}

TEST(memory_limits)
{
	struct wk_keep_config config = { .memory_limit = 100 };
	struct wk_store_config store = { .memory_limit = 3 * 65536, .stack_size = 8192 };
	struct wk_keep *keep = NULL;
	struct wk_instance *instance;
	struct wasm w;
	struct api api;
	int32_t result = 0;

	CHECK_EQUAL(wk_keep_new(&config, &keep), WK_NO_MEMORY);

	/* Two pages, and a function that grows. */
	api_types(&w);
	wasm_section(&w, WASM_FUNCTIONS, 1);
	wasm_put(&w, 0);
	wasm_section(&w, WASM_MEMORIES, 1);
	wasm_put(&w, 0, 2);
	wasm_section(&w, WASM_EXPORTS, 1);
	wasm_export(&w, "grow", WASM_FUNC, 0);
	wasm_section(&w, WASM_CODE, 1);
	WASM_BODY(&w, 0x20, 0, 0x40, 0);
	wasm_end(&w);
	REQUIRE(api_begin(&api, NULL, &store));
	instance = api_instance(&api, &w);
	CHECK_EQUAL(api_call(&api, instance, "grow", 2, &result), WK_OK);
	CHECK_EQUAL(result, -1);
	CHECK_EQUAL(api_call(&api, instance, "grow", 1, &result), WK_OK);
	CHECK_EQUAL(result, 2);
	CHECK_EQUAL(api_try(&api, &w), WK_NO_MEMORY);
	CHECK_EQUAL(api.report.status, WK_NO_MEMORY);
	printf("# %s\n", api.report.text);
	api_end(&api);

	/* The limit of the keep holds for all. */
	config.memory_limit = 2 * 65536;
	store.memory_limit = 0;
	REQUIRE(api_begin(&api, &config, &store));
	CHECK_EQUAL(api_try(&api, &w), WK_NO_MEMORY);
	api_end(&api);
}

TEST(store_config)
{
	struct wk_store_config config = { .stack_size = UINT64_MAX };
	struct wk_store *store = NULL;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_store_new(api.keep, &config, &store), WK_BAD_ARGUMENT);
	config = (struct wk_store_config){ .stack_size = 1, .native_depth = 1, .fuel = true, .memory_limit = 1 };
	CHECK_EQUAL(wk_store_new(api.keep, &config, &store), WK_OK);
	CHECK_EQUAL(wk_store_set_fuel(store, UINT64_MAX), WK_OK);
	CHECK_EQUAL(wk_store_fuel(store), INT64_MAX);
	wk_store_delete(store);
	CHECK_EQUAL(wk_store_set_fuel(api.store, 5), WK_BAD_ARGUMENT);
	api_end(&api);
}

int main(void)
{
	RUN(version);
	RUN(null_arguments);
	RUN(minimal_embedder);
	RUN(not_a_module);
	RUN(borrowed_bytes);
	RUN(allocator);
	RUN(memory_limits);
	RUN(store_config);
	return test_end();
}
