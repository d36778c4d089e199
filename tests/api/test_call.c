/* SPDX-License-Identifier: Apache-2.0
 * Calls in both directions: values of every kind, host functions, traps, exit, fuel, interruption, nesting. */
#include "api/api.h"
#include "host/host.h"

/* A module that imports env.f of a type and exports a function "g" of the same type that calls it with its arguments, and
 * env.f itself as "f". */
static void forwarder(struct wasm *w, const uint8_t *parameters, unsigned parameter_count, const uint8_t *results,
	unsigned result_count)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 1);
	wasm_put(w, 0x60);
	wasm_number(w, parameter_count);
	wasm_raw(w, parameters, parameter_count);
	wasm_number(w, result_count);
	wasm_raw(w, results, result_count);
	wasm_section(w, WASM_IMPORTS, 1);
	wasm_import(w, "env", "f", WASM_FUNC);
	wasm_put(w, 0);
	wasm_section(w, WASM_FUNCTIONS, 1);
	wasm_put(w, 0);
	wasm_section(w, WASM_EXPORTS, 2);
	wasm_export(w, "f", WASM_FUNC, 0);
	wasm_export(w, "g", WASM_FUNC, 1);
	wasm_section(w, WASM_CODE, 1);
	wasm_body(w);
	for (unsigned i = 0; i < parameter_count; i++) {
		wasm_put(w, 0x20);
		wasm_number(w, i);
	}
	wasm_put(w, 0x10, 0);
	wasm_body_end(w);
	wasm_end(w);
}

/* Gives its arguments back in the reverse order. */
static enum wk_status reverse(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	int count = *(int *)context;

	CHECK(wk_caller_store(caller) != NULL);
	for (int i = 0; i < count; i++) {
		CHECK_EQUAL(results[i].kind, arguments[count - 1 - i].kind);
		results[i].of = arguments[count - 1 - i].of;
	}
	return WK_OK;
}

TEST(all_kinds)
{
	static const uint8_t kinds[] = { WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128, WASM_FUNCREF, WASM_EXTERNREF };
	static const uint8_t reversed[] = { WASM_EXTERNREF, WASM_FUNCREF, WASM_V128, WASM_F64, WASM_F32, WASM_I64, WASM_I32 };
	enum wk_kind parameters[7], results[7];
	uint32_t parameter_count = 0, result_count = 0;
	int count = 7;
	struct wasm w;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "iIfFVrx:xrVFfIi", reverse, &count), WK_OK);
	forwarder(&w, kinds, 7, reversed, 7);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	struct wk_func *f = wk_instance_function(instance, "f"), *g = wk_instance_function(instance, "g");
	wk_func_type(g, &parameter_count, NULL, &result_count, NULL);
	CHECK(parameter_count == 7 && result_count == 7);
	wk_func_type(g, &parameter_count, parameters, &result_count, results);
	CHECK(parameters[0] == WK_I32 && parameters[4] == WK_V128 && results[0] == WK_EXTERNREF && results[1] == WK_FUNCREF);

	struct wk_value in[7] = {
		{ .kind = WK_I32, .of.i32 = -5 }, { .kind = WK_I64, .of.i64 = INT64_MIN }, { .kind = WK_F32, .of.f32 = 1.25f },
		{ .kind = WK_F64, .of.f64 = -2.5 }, { .kind = WK_V128, .of.v128 = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } },
		{ .kind = WK_FUNCREF, .of.func = f }, { .kind = WK_EXTERNREF, .of.ref = 0xdeadbeefcafe },
	};
	struct wk_func *both[2] = { f, g };
	for (int i = 0; i < 2; i++) {
		struct wk_value out[7] = { 0 };

		CHECK_EQUAL(wk_func_call(both[i], in, 7, out, 7, &api.report), WK_OK);
		CHECK(out[0].kind == WK_EXTERNREF && out[0].of.ref == 0xdeadbeefcafe);
		CHECK(out[1].kind == WK_FUNCREF && out[1].of.func == f);
		CHECK(out[2].kind == WK_V128 && memcmp(out[2].of.v128, in[4].of.v128, 16) == 0);
		CHECK(out[3].kind == WK_F64 && out[3].of.f64 == -2.5);
		CHECK(out[4].kind == WK_F32 && out[4].of.f32 == 1.25f);
		CHECK(out[5].kind == WK_I64 && out[5].of.i64 == INT64_MIN);
		CHECK(out[6].kind == WK_I32 && out[6].of.i32 == -5);
	}
	api_end(&api);
}

static enum wk_status wrong_reference(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)caller, (void)arguments;
	results[0].of.func = context;
	return WK_OK;
}

TEST(arguments_checked)
{
	static const uint8_t kinds[] = { WASM_I32, WASM_FUNCREF }, result[] = { WASM_FUNCREF };
	struct wk_value in[3] = { { .kind = WK_I32 }, { .kind = WK_FUNCREF } }, out[2] = { { .kind = WK_I64 } };
	struct wasm w;
	struct api api, other;

	REQUIRE(api_begin(&api, NULL, NULL) && api_begin(&other, NULL, NULL));
	forwarder(&w, kinds, 2, result, 1);
	CHECK_EQUAL(wk_linker_define_function(other.linker, "env", "f", "ir:r", wrong_reference, NULL), WK_OK);
	struct wk_func *foreign = wk_instance_function(api_instance(&other, &w), "g");
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", "ir:r", wrong_reference, foreign), WK_OK);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	struct wk_func *g = wk_instance_function(instance, "g");

	CHECK_EQUAL(wk_func_call(g, in, 1, out, 1, &api.report), WK_BAD_ARGUMENT);
	CHECK_TEXT(api.report.text, "bad argument: the function takes 2 and gives 1 values, not 1 and 1");
	CHECK_EQUAL(wk_func_call(g, in, 3, out, 1, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_func_call(g, in, 2, out, 0, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_func_call(g, in, 2, out, 2, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_func_call(g, NULL, 2, out, 1, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_func_call(g, in, 2, NULL, 1, NULL), WK_BAD_ARGUMENT);
	in[0].kind = WK_F32;
	wk_report_clear(&api.report);
	CHECK_EQUAL(wk_func_call(g, in, 2, out, 1, &api.report), WK_BAD_ARGUMENT);
	CHECK_TEXT(api.report.text, "bad argument: argument 0 is no i32 of this store");
	in[0].kind = WK_I32;
	in[1].of.func = foreign;
	CHECK_EQUAL(wk_func_call(g, in, 2, out, 1, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(out[0].kind, WK_I64);

	/* The host function's result is checked, too. */
	in[1].of.func = g;
	wk_report_clear(&api.report);
	CHECK_EQUAL(wk_func_call(g, in, 2, out, 1, &api.report), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_HOST);
	printf("# %s\n", api.report.text);
	api_end(&api);
	api_end(&other);
}

/* ---- host functions that end a call ---- */

enum behaviour { RETURN, TRAP_SILENT, TRAP_TEXT, EXIT, NO_EXCEPTION, NONSENSE, REFUSE, CALL_BACK };

struct host {
	enum behaviour behaviour;
	struct wk_func *back;        /* for CALL_BACK */
	enum wk_status inner;        /* what it returned */
	bool swallow;                /* and goes on then */
	struct wk_report report;     /* of the inner call */
	uint32_t depth, deepest;
	struct wk_instance *instance;
	struct wk_memory *memory;
};

static enum wk_status act(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	struct host *host = context;

	host->instance = wk_caller_instance(caller);
	host->memory = wk_caller_memory(caller);
	switch (host->behaviour) {
	case RETURN:
		results[0].of.i32 = arguments[0].of.i32 + 1;
		return WK_OK;
	case TRAP_SILENT:
		return WK_TRAP;
	case TRAP_TEXT:
		return wk_caller_trap(caller, "the door is locked");
	case EXIT:
		return wk_caller_exit(caller, 7);
	case NO_EXCEPTION:
		return WK_EXCEPTION;
	case NONSENSE:
		return (enum wk_status)1000;
	case REFUSE:
		return WK_IO;
	case CALL_BACK:
		break;
	}
	if (++host->depth > host->deepest)
		host->deepest = host->depth;
	wk_report_clear(&host->report);
	host->inner = wk_func_call(host->back, arguments, 1, results, 1, &host->report);
	host->depth--;
	results[0].kind = WK_I32;
	return host->swallow ? WK_OK : host->inner;
}

/* g(x) calls the host; "bad" traps; "loop" never ends; "id" gives its argument; "memory" is memory 1 of two. */
static void guest(struct wasm *w)
{
	api_types(w);
	wasm_section(w, WASM_IMPORTS, 1);
	wasm_import(w, "env", "f", WASM_FUNC);
	wasm_put(w, 0);
	wasm_section(w, WASM_FUNCTIONS, 5);
	wasm_put(w, 0, 0, 0, 0, 0);
	wasm_section(w, WASM_MEMORIES, 2);
	wasm_put(w, 0, 1, 0, 2);
	wasm_section(w, WASM_EXPORTS, 6);
	wasm_export(w, "g", WASM_FUNC, 1);
	wasm_export(w, "bad", WASM_FUNC, 2);
	wasm_export(w, "loop", WASM_FUNC, 3);
	wasm_export(w, "id", WASM_FUNC, 4);
	wasm_export(w, "deep", WASM_FUNC, 5);
	wasm_export(w, "memory", WASM_MEMORY, 1);
	wasm_section(w, WASM_CODE, 5);
	WASM_BODY(w, 0x20, 0, 0x10, 0);
	WASM_BODY(w, 0x41, 1, 0x41, 0, 0x6d);                     /* 1 / 0 */
	WASM_BODY(w, 0x03, 0x40, 0x0c, 0, 0x0b, 0x20, 0);         /* loop (br 0) */
	WASM_BODY(w, 0x20, 0);
	WASM_BODY(w, 0x20, 0, 0x10, 5);                           /* endless recursion */
	wasm_end(w);
}

static bool guest_begin(struct api *api, struct host *host, const struct wk_store_config *config,
	struct wk_instance **instance)
{
	struct wasm w;

	*host = (struct host){ .behaviour = RETURN };
	if (!api_begin(api, NULL, config))
		return false;
	guest(&w);
	CHECK_EQUAL(wk_linker_define_function(api->linker, "env", "f", "i:i", act, host), WK_OK);
	*instance = api_instance(api, &w);
	return *instance != NULL;
}

TEST(host_function_ends)
{
	static const struct {
		enum behaviour behaviour;
		enum wk_status status;
		enum wk_trap trap;
		const char *text;
	} cases[] = {
		{ RETURN, WK_OK, WK_TRAP_NONE, "" },
		{ TRAP_SILENT, WK_TRAP, WK_TRAP_HOST, "host function refused" },
		{ TRAP_TEXT, WK_TRAP, WK_TRAP_HOST, "trap: the door is locked" },
		{ EXIT, WK_EXIT, WK_TRAP_NONE, "exit with code 7" },
		{ NO_EXCEPTION, WK_TRAP, WK_TRAP_HOST, "host function refused" },
		{ NONSENSE, WK_TRAP, WK_TRAP_HOST, "host function refused" },
		{ REFUSE, WK_IO, WK_TRAP_NONE, "" },
	};
	struct wk_instance *instance = NULL;
	struct host host;
	struct api api;
	int32_t result = 0;

	REQUIRE(guest_begin(&api, &host, NULL, &instance));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host.behaviour = cases[i].behaviour;
		CHECK_EQUAL(api_call(&api, instance, "g", 1, &result), cases[i].status);
		CHECK_EQUAL(api.report.status, cases[i].status);
		CHECK_EQUAL(api.report.trap, cases[i].trap);
		if (!CHECK(strstr(api.report.text, cases[i].text) != NULL))
			printf("# %s\n", api.report.text);
		CHECK(host.instance == instance);
		CHECK(host.memory == wk_instance_memory(instance, "memory") && host.memory != NULL);
		if (cases[i].status == WK_TRAP)
			CHECK(api.report.frame_count == 1 && api.report.frames[0].function == 1);
	}
	CHECK_EQUAL(result, 2);
	CHECK_EQUAL(wk_store_exit_code(api.store), 7);

	/* Called by the embedder itself: no instance, and no report needed. */
	struct wk_value in = api_i32(1), out = { 0 };
	struct wasm w;
	static const uint8_t i32[] = { WASM_I32 };
	forwarder(&w, i32, 1, i32, 1);
	struct wk_func *direct = wk_instance_function(api_instance(&api, &w), "f");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host.behaviour = cases[i].behaviour;
		CHECK_EQUAL(wk_func_call(direct, &in, 1, &out, 1, NULL), cases[i].status);
		CHECK(host.instance == NULL && host.memory == NULL);
	}
	api_end(&api);
}

TEST(trap_report)
{
	struct wk_instance *instance = NULL;
	struct host host;
	struct api api;
	int32_t result = 77;

	REQUIRE(guest_begin(&api, &host, NULL, &instance));
	CHECK_EQUAL(api_call(&api, instance, "bad", 0, &result), WK_TRAP);
	CHECK_EQUAL(result, 77);
	CHECK_EQUAL(api.report.trap, WK_TRAP_DIVIDE_BY_ZERO);
	CHECK_EQUAL(api.report.frame_total, 1);
	CHECK_TEXT(api.report.frames[0].name, "bad");
	CHECK(api.report.frames[0].offset != WK_NO_OFFSET);
	CHECK_EQUAL(api_call(&api, instance, "deep", 0, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_STACK_EXHAUSTED);
	CHECK_EQUAL(api.report.frame_count, WK_REPORT_FRAMES);
	CHECK(api.report.frame_total > 1000);
	CHECK_EQUAL(api_call(&api, instance, "id", 5, &result), WK_OK);
	CHECK_EQUAL(result, 5);
	api_end(&api);
}

/* Host functions that call back: results, traps that are passed on or swallowed, and the limit of nesting. */
TEST(call_back)
{
	struct wk_store_config config = { .native_depth = 5 };
	struct wk_instance *instance = NULL;
	struct host host;
	struct api api;
	int32_t result = 0;

	REQUIRE(guest_begin(&api, &host, &config, &instance));
	host.behaviour = CALL_BACK;
	host.back = wk_instance_function(instance, "id");
	CHECK_EQUAL(api_call(&api, instance, "g", 41, &result), WK_OK);
	CHECK_EQUAL(result, 41);
	CHECK_EQUAL(host.deepest, 1);

	host.back = wk_instance_function(instance, "bad");
	CHECK_EQUAL(api_call(&api, instance, "g", 41, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_DIVIDE_BY_ZERO);
	CHECK_EQUAL(host.report.trap, WK_TRAP_DIVIDE_BY_ZERO);
	CHECK(strstr(api.report.text, "integer divide by zero") != NULL);
	host.swallow = true;
	CHECK_EQUAL(api_call(&api, instance, "g", 41, &result), WK_OK);
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL(api.report.status, WK_OK);
	CHECK_EQUAL(host.inner, WK_TRAP);

	host.swallow = false;
	host.deepest = 0;
	host.back = wk_instance_function(instance, "g");
	CHECK_EQUAL(api_call(&api, instance, "g", 41, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_STACK_EXHAUSTED);
	CHECK_EQUAL(host.deepest, 5);
	host.behaviour = RETURN;
	CHECK_EQUAL(api_call(&api, instance, "g", 41, &result), WK_OK);
	CHECK_EQUAL(result, 42);
	api_end(&api);
}

/* A thousand parameters and results, with the smallest stack and the usual one. */
TEST(many_values)
{
	static uint8_t kinds[1000];
	static struct wk_value in[1000], out[1000];
	char signature[2002];
	struct wk_store_config small = { .stack_size = 1 };
	struct wasm w;
	struct api api;
	int count = 1000;

	memset(kinds, WASM_I32, sizeof(kinds));
	memset(signature, 'i', sizeof(signature));
	signature[1000] = ':';
	signature[2001] = 0;
	for (int i = 0; i < 1000; i++)
		in[i] = api_i32(i);
	forwarder(&w, kinds, 1000, kinds, 1000);
	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", signature, reverse, &count), WK_OK);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "g"), in, 1000, out, 1000, &api.report), WK_OK);
	CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "f"), out, 1000, in, 1000, &api.report), WK_OK);
	for (int i = 0; i < 1000; i++)
		CHECK(in[i].of.i32 == i && out[i].of.i32 == 999 - i);
	api_end(&api);

	REQUIRE(api_begin(&api, NULL, &small));
	CHECK_EQUAL(wk_linker_define_function(api.linker, "env", "f", signature, reverse, &count), WK_OK);
	instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "g"), in, 1000, out, 1000, &api.report), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_STACK_EXHAUSTED);
	CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "f"), in, 1000, out, 1000, NULL), WK_TRAP);
	api_end(&api);
}

TEST(fuel)
{
	struct wk_store_config config = { .fuel = true };
	struct wk_instance *instance = NULL;
	struct host host;
	struct api api;
	int32_t result = 0;

	REQUIRE(guest_begin(&api, &host, &config, &instance));
	CHECK_EQUAL(wk_store_fuel(api.store), 0);
	CHECK_EQUAL(api_call(&api, instance, "id", 1, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_FUEL_EXHAUSTED);
	CHECK_EQUAL(wk_store_set_fuel(api.store, 100000), WK_OK);
	CHECK_EQUAL(api_call(&api, instance, "id", 1, &result), WK_OK);
	CHECK(wk_store_fuel(api.store) < 100000 && wk_store_fuel(api.store) > 99900);
	CHECK_EQUAL(api_call(&api, instance, "loop", 1, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_FUEL_EXHAUSTED);
	CHECK_EQUAL(api_call(&api, instance, "deep", 1, &result), WK_TRAP);
	CHECK_EQUAL(wk_store_fuel(api.store), 0);
	api_end(&api);
}

TEST(interrupted_before)
{
	struct wk_instance *instance = NULL;
	struct host host;
	struct api api;
	int32_t result = 0;

	REQUIRE(guest_begin(&api, &host, NULL, &instance));
	wk_store_interrupt(api.store);
	CHECK_EQUAL(api_call(&api, instance, "id", 1, &result), WK_TRAP);
	CHECK_EQUAL(api.report.trap, WK_TRAP_INTERRUPTED);
	CHECK_EQUAL(api_call(&api, instance, "id", 1, &result), WK_TRAP);
	wk_store_clear_interrupt(api.store);
	CHECK_EQUAL(api_call(&api, instance, "id", 1, &result), WK_OK);
	api_end(&api);
}

/* A host function without conversion (src/host/host.h), and with a pointer into the caller's memory. */
static enum wk_status add_slots(void *context, struct wk_caller *caller, uint64_t *slots)
{
	(void)context, (void)caller;
	slots[0] = (uint32_t)(slots[0] + slots[1]);
	return WK_OK;
}

TEST(slot_functions)
{
	static const uint8_t two[] = { WASM_I32, WASM_I32 };
	struct wk_value in[2] = { api_i32(30), api_i32(12) }, out = { 0 };
	struct wasm w;
	struct api api;

	REQUIRE(api_begin(&api, NULL, NULL));
	CHECK_EQUAL(wk_linker_define_slots(api.linker, "env", "f", "ii:i", NULL, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_slots(api.linker, "env", "f", "q:", add_slots, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_linker_define_slots(api.linker, "env", "f", "ii:i", add_slots, NULL), WK_OK);
	forwarder(&w, two, 2, two, 1);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "g"), in, 2, &out, 1, NULL), WK_OK);
	CHECK_EQUAL(out.of.i32, 42);
	api_end(&api);
}

int main(void)
{
	RUN(all_kinds);
	RUN(arguments_checked);
	RUN(host_function_ends);
	RUN(trap_report);
	RUN(call_back);
	RUN(many_values);
	RUN(fuel);
	RUN(interrupted_before);
	RUN(slot_functions);
	return test_end();
}
