/* SPDX-License-Identifier: Apache-2.0
 *
 * Memories that begin with less than is declared, as a module's __heap_base allows in a TEE: whoever touches what is behind
 * first, by whatever instruction, in whatever pair of them, by the host's hand or from another module, finds it there. */
#include "api/api.h"

#include <wasmkeep/memory.h>

#include "base/span.h"
#include "port/port.h"

#define HEAP_BASE 4096u
#define PAGE 65536

/* Each takes an address and gives 0 if all is well; the computations around would be fused with the access. */
static const struct { const char *name; uint8_t code[48]; size_t size; } functions[] = {
#define CODE(name, ...) { name, { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) }
	CODE("load", 0x20, 0, 0x2d, 0, 0),
	CODE("add, load, add", 0x20, 0, 0x41, 1, 0x6a, 0x41, 1, 0x6b, 0x2d, 0, 0, 0x41, 0, 0x6a),
	CODE("load, load", 0x20, 0, 0x2d, 0, 0, 0x20, 0, 0x6a, 0x2d, 0, 0),
	/* local.get 0, i32.const 7, i32.store8; local.get 0, i32.load8_u, i32.const 7, i32.sub */
	CODE("store", 0x20, 0, 0x41, 7, 0x3a, 0, 0, 0x20, 0, 0x2d, 0, 0, 0x41, 7, 0x6b),
	/* Counts in a local that the access uses: nothing may be done twice. */
	CODE("once", 0x20, 0, 0x41, 1, 0x6b, 0x21, 0, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x20, 0, 0x3a, 0, 0, 0x20, 0, 0x2d, 0, 0,
		0x20, 0, 0x41, 0xff, 0x01, 0x71, 0x6b),
	/* v128.load8_splat, i8x16.extract_lane_u 3 */
	CODE("vector", 0x20, 0, 0xfd, 0x07, 0, 0, 0xfd, 0x16, 3),
	/* i32.const 9, i32.const 1, memory.fill; i32.load8_u, i32.const 9, i32.sub */
	CODE("fill", 0x20, 0, 0x41, 9, 0x41, 1, 0xfc, 0x0b, 0, 0x20, 0, 0x2d, 0, 0, 0x41, 9, 0x6b),
	/* to 0, one byte */
	CODE("copy", 0x41, 0, 0x20, 0, 0x41, 1, 0xfc, 0x0a, 0, 0, 0x41, 0, 0x2d, 0, 0),
#undef CODE
};

static void small_module(struct wasm *w)
{
	api_types(w);
	wasm_section(w, WASM_FUNCTIONS, WK_COUNT(functions));
	for (size_t i = 0; i < WK_COUNT(functions); i++)
		wasm_byte(w, 0);
	wasm_section(w, WASM_MEMORIES, 1);
	wasm_put(w, 0, 1);
	wasm_section(w, WASM_GLOBALS, 2);
	wasm_put(w, WASM_I32, 0, 0x41, 0x80, 0x20, 0x0b); /* 4096 */
	wasm_put(w, WASM_I32, 0, 0x41, 16, 0x0b);
	wasm_section(w, WASM_EXPORTS, WK_COUNT(functions) + 3);
	wasm_export(w, "__heap_base", WASM_GLOBAL, 0);
	wasm_export(w, "__data_end", WASM_GLOBAL, 1);
	wasm_export(w, "memory", WASM_MEMORY, 0);
	for (size_t i = 0; i < WK_COUNT(functions); i++)
		wasm_export(w, functions[i].name, WASM_FUNC, (uint32_t)i);
	wasm_section(w, WASM_CODE, WK_COUNT(functions));
	for (size_t i = 0; i < WK_COUNT(functions); i++) {
		wasm_body(w);
		wasm_raw(w, functions[i].code, functions[i].size);
		wasm_body_end(w);
	}
	wasm_end(w);
}

/* This machine with the habits of a TEE. */
static struct wk_instance *begin(struct api *api, struct wk_provider *tee)
{
	const struct wk_keep_config config = { .provider = tee };
	static struct wasm w;

	*tee = *wk_port_provider();
	tee->scarce = true;
	small_module(&w);
	return api_begin(api, &config, NULL) ? api_instance(api, &w) : NULL;
}

static uint64_t linear_bytes(const struct api *api)
{
	struct wk_memory_node nodes[WK_MEMORY_NODES];
	uint32_t count = wk_keep_memory(api->keep, nodes, WK_MEMORY_NODES);

	for (uint32_t i = 0; i < count; i++)
		if (strcmp(nodes[i].name, "linear memories") == 0)
			return nodes[i].used;
	return UINT64_MAX;
}

TEST(by_instructions)
{
	static const int32_t addresses[] = { 1, HEAP_BASE - 1, HEAP_BASE, 60000, PAGE - 1, PAGE, 1 << 20 };

	for (size_t i = 0; i < WK_COUNT(functions); i++) {
		for (size_t k = 0; k < WK_COUNT(addresses); k++) {
			struct wk_provider tee;
			struct api api;
			struct wk_instance *instance = begin(&api, &tee);
			int32_t result = -1;
			bool inside = addresses[k] < PAGE;

			REQUIRE(instance != NULL);
			CHECK_EQUAL(linear_bytes(&api), HEAP_BASE);
			for (int again = 0; again < 2; again++) {
				if (!CHECK_EQUAL(api_call(&api, instance, functions[i].name, addresses[k], &result), inside ? WK_OK :
						WK_TRAP) || (inside && again == 0 && !CHECK_EQUAL(result, 0)))
					printf("# %s at %d\n", functions[i].name, addresses[k]);
				CHECK(inside || api.report.trap == WK_TRAP_MEMORY_BOUNDS);
			}
			CHECK_EQUAL(linear_bytes(&api), addresses[k] < (int32_t)HEAP_BASE ? HEAP_BASE : PAGE);
			api_end(&api);
		}
	}
}

TEST(by_the_host)
{
	struct wk_provider tee;
	struct api api;
	struct wk_instance *instance = begin(&api, &tee);
	struct wk_memory *memory;
	int32_t result = -1;

	REQUIRE(instance != NULL);
	memory = wk_instance_memory(instance, "memory");
	CHECK_EQUAL(wk_memory_size(memory), PAGE);
	CHECK(wk_memory_view(memory, 0, PAGE + 1) == NULL && linear_bytes(&api) == HEAP_BASE);
	CHECK_EQUAL(wk_memory_write(memory, PAGE - 1, "\5", 1), WK_OK);
	CHECK_EQUAL(linear_bytes(&api), PAGE);
	CHECK(api_call(&api, instance, "load", PAGE - 1, &result) == WK_OK && result == 5);
	api_end(&api);
}

/* Its code is made for memories that are whole. */
TEST(by_another_module)
{
	static struct wasm w;
	struct wk_provider tee;
	struct api api;
	struct wk_instance *instance = begin(&api, &tee), *other;
	int32_t result = -1;

	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_linker_define_instance(api.linker, "small", instance), WK_OK);
	api_types(&w);
	wasm_section(&w, WASM_IMPORTS, 1);
	wasm_import(&w, "small", "memory", WASM_MEMORY);
	wasm_put(&w, 0, 1);
	wasm_section(&w, WASM_FUNCTIONS, 2);
	wasm_put(&w, 0, 0);
	wasm_section(&w, WASM_EXPORTS, 2);
	wasm_export(&w, "size", WASM_FUNC, 0);
	wasm_export(&w, "grow", WASM_FUNC, 1);
	wasm_section(&w, WASM_CODE, 2);
	WASM_BODY(&w, 0x20, 0, 0x2d, 0, 0, 0x3f, 0, 0x6a);
	WASM_BODY(&w, 0x20, 0, 0x40, 0);
	wasm_end(&w);
	other = api_instance(&api, &w);
	REQUIRE(other != NULL);
	CHECK(api_call(&api, other, "size", 60000, &result) == WK_OK && result == 1);
	CHECK(api_call(&api, other, "grow", 1, &result) == WK_OK && result == 1);
	CHECK(api_call(&api, instance, "load", 2 * PAGE - 1, &result) == WK_OK && result == 0);
	CHECK_EQUAL(api_call(&api, instance, "load", 2 * PAGE, &result), WK_TRAP);
	api_end(&api);
}

TEST(there_is_no_memory_for_it)
{
	struct wk_provider tee = *wk_port_provider();
	const struct wk_keep_config config = { .provider = &tee, .memory_limit = 80 << 10 };
	static struct wasm w;
	struct api api;
	int32_t result = -1;

	tee.scarce = true;
	small_module(&w);
	REQUIRE(api_begin(&api, &config, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK(api_call(&api, instance, "load", 1, &result) == WK_OK && result == 0);
	CHECK_EQUAL(api_call(&api, instance, "load", 60000, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_NO_MEMORY);
	CHECK(api_call(&api, instance, "load", 1, &result) == WK_OK && result == 0);
	api_end(&api);
}

int main(void)
{
	RUN(by_instructions);
	RUN(by_the_host);
	RUN(by_another_module);
	RUN(there_is_no_memory_for_it);
	return test_end();
}
