/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation fails once: from a keep's making over load, definition, instantiation and calls to the end. Whatever
 * fails, the status says that memory was short, and every byte comes back.
 */
#include "api/api.h"
#include "port/fault/fault.h"
#include "unit/faults.h"

static enum wk_status twice(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)context, (void)caller;
	results[0].of.i32 = arguments[0].of.i32 * 2;
	return WK_OK;
}

/* Imports a function; has a memory, two tables (one large), globals, segments of each kind, a start function, and a tag
 * that "throw" throws and catches `n` times; "grow" grows memory and table. */
static void program(struct wasm *w)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 4);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32, 0x60, 0, 0, 0x60, 1, WASM_I32, 0);
	wasm_put(w, 0x60, 2, WASM_I64, WASM_F64, 1, WASM_V128);
	wasm_section(w, WASM_IMPORTS, 1);
	wasm_import(w, "env", "twice", WASM_FUNC);
	wasm_put(w, 0);
	wasm_section(w, WASM_FUNCTIONS, 4);
	wasm_put(w, 1, 0, 0, 0);
	wasm_section(w, WASM_TABLES, 2);
	wasm_put(w, WASM_FUNCREF, 0, 4, WASM_EXTERNREF, 0, 0xf0, 0x2e); /* 6000 */
	wasm_section(w, WASM_MEMORIES, 1);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_TAGS, 1);
	wasm_put(w, 0, 2);
	wasm_section(w, WASM_GLOBALS, 1);
	wasm_put(w, WASM_I32, 1, 0x41, 1, 0x0b);
	wasm_section(w, WASM_EXPORTS, 3);
	wasm_export(w, "call", WASM_FUNC, 2);
	wasm_export(w, "throw", WASM_FUNC, 3);
	wasm_export(w, "grow", WASM_FUNC, 4);
	wasm_section(w, WASM_START, 0);
	wasm_put(w, 1);
	wasm_section(w, WASM_ELEMENTS, 2);
	wasm_put(w, 0, 0x41, 0, 0x0b, 1, 2);
	wasm_put(w, 1, 0, 2, 0, 1);
	wasm_section(w, WASM_CODE, 4);
	WASM_BODY(w, 0x41, 5, 0x24, 0);
	WASM_BODY(w, 0x20, 0, 0x10, 0, 0x23, 0, 0x6a);             /* twice(x) + 5 */
	WASM_BODY(w, 0x03, 0x40, 0x02, WASM_I32, 0x1f, 0x40, 1, 0, 0, 0, 0x20, 0, 0x08, 0, 0x0b, 0x00, 0x0b, 0x1a,
		0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0);
	WASM_BODY(w, 0x20, 0, 0x40, 0, 0x1a, 0xd0, WASM_FUNCREF, 0x41, 0x80, 0x20, 0xfc, 15, 0); /* 4096 */
	wasm_section(w, WASM_DATA, 1);
	wasm_put(w, 0, 0x41, 0, 0x0b, 2, 'h', 'i');
	wasm_end(w);
}

struct scenario {
	const char *call;
	int32_t argument;
	bool twice; /* a second module, of the same bytes */
};

static enum wk_status run(struct api *api, const struct scenario *scenario, const struct wasm *w)
{
	struct wk_module *module = NULL;
	struct wk_instance *instance = NULL;
	struct wk_value in = api_i32(scenario->argument), out = { 0 };
	enum wk_status status;

	status = wk_linker_define_function(api->linker, "env", "twice", "i:i", twice, NULL);
	if (status == WK_OK)
		status = wk_module_load(api->keep, w->bytes, w->size, WK_LOAD_COPY, &api->report, &module);
	if (status == WK_OK)
		status = wk_linker_instantiate(api->linker, module, &api->report, &instance);
	if (status == WK_OK)
		status = wk_linker_define_instance(api->linker, "again", instance);
	if (status == WK_OK)
		status = wk_func_call(wk_instance_function(instance, scenario->call), &in, 1, &out, 1, &api->report);
	wk_module_release(module);
	CHECK(status != WK_TRAP || api->report.trap == WK_TRAP_NO_MEMORY);
	CHECK(status == WK_OK || out.kind == 0);
	return status == WK_TRAP ? WK_NO_MEMORY : status;
}

static enum wk_status everything_with(const struct wk_allocator *allocator, struct wk_provider *provider, void *context)
{
	struct wk_keep_config config = { .allocator = allocator, .provider = provider };
	struct wk_store_config store = { .stack_size = 65536 };
	struct api api = { 0 };
	struct wasm w;
	enum wk_status status;

	program(&w);
	wk_report_clear(&api.report);
	status = wk_keep_new(&config, &api.keep);
	if (status == WK_OK)
		status = wk_store_new(api.keep, &store, &api.store);
	if (status == WK_OK)
		status = wk_linker_new(api.store, &api.linker);
	if (status == WK_OK)
		status = run(&api, context, &w);
	/* Deletion checks that every budget is empty. */
	wk_linker_delete(api.linker);
	wk_store_delete(api.store);
	wk_keep_delete(api.keep);
	return status;
}

static enum wk_status everything(const struct wk_allocator *allocator, void *context)
{
	return everything_with(allocator, NULL, context);
}

TEST(heap)
{
	struct scenario scenario = { .call = "call", .argument = 3 };

	test_every_failure_but("a whole life", everything, &scenario, 1);
}

/* Things that a guest may survive without memory: growth gives -1, a throw collects and tries again. */
static void survive(const char *call, int32_t argument)
{
	struct scenario scenario = { .call = call, .argument = argument };

	for (int keep = 0; keep < 2; keep++) {
		for (uint64_t n = 1; n < 1000; n++) {
			struct test_heap heap = { .fail_at = n, .keep_failing = keep != 0 };
			struct wk_allocator allocator = test_heap_allocator(&heap);
			enum wk_status status = everything(&allocator, &scenario);

			CHECK(status == WK_OK || (status == WK_NO_MEMORY && heap.failed != 0));
			CHECK(heap.blocks == 0 && heap.bytes == 0);
			if (heap.failed == 0)
				break;
		}
	}
}

TEST(throwing)
{
	survive("throw", 30);
}

TEST(growing)
{
	survive("grow", 3);
}

/* The same with the pages failing, of which the keep's own heap is made too. */
TEST(pages)
{
	struct scenario scenarios[] = { { .call = "call", .argument = 3 }, { .call = "grow", .argument = 3 } };

	for (size_t s = 0; s < 2; s++) {
		for (unsigned keep = 0; keep < 2; keep++) {
			for (uint64_t n = 1; n < 1000; n++) {
				struct wk_fault fault;
				enum wk_status status;

				wk_fault_init(&fault, NULL);
				wk_fault_plan(&fault, n, keep != 0);
				status = everything_with(NULL, &fault.provider, &scenarios[s]);
				CHECK(status == WK_OK || (status == WK_NO_MEMORY && fault.failed != 0));
				CHECK_EQUAL(fault.reserved_bytes, 0);
				if (fault.failed == 0)
					break;
			}
		}
	}
}

/* Budgets that grow until a whole life fits: never more than the limit, and always a clean refusal. */
TEST(limits)
{
	struct wk_store_config store = { .stack_size = 65536 };
	struct scenario scenario = { .call = "call", .argument = 3 };
	enum wk_status status = WK_NO_MEMORY;

	for (uint64_t limit = 256; status != WK_OK && limit < 1 << 20; limit += limit < 16384 ? 64 : 4096) {
		struct wk_keep_config config = { .memory_limit = limit };
		struct api api = { 0 };
		struct wk_usage usage;
		struct wasm w;

		program(&w);
		wk_report_clear(&api.report);
		status = wk_keep_new(&config, &api.keep);
		if (status == WK_OK)
			status = wk_store_new(api.keep, &store, &api.store);
		if (status == WK_OK)
			status = wk_linker_new(api.store, &api.linker);
		if (status == WK_OK)
			status = run(&api, &scenario, &w);
		CHECK(status == WK_OK || status == WK_NO_MEMORY);
		wk_keep_usage(api.keep, &usage);
		CHECK(usage.heap_peak + usage.bytes_peak <= 2 * limit && usage.heap_used + usage.pages_used <= limit);
		wk_linker_delete(api.linker);
		wk_store_delete(api.store);
		wk_keep_delete(api.keep);
	}
	CHECK_EQUAL(status, WK_OK);
}

int main(void)
{
	RUN(heap);
	RUN(throwing);
	RUN(growing);
	RUN(pages);
	RUN(limits);
	return test_end();
}
