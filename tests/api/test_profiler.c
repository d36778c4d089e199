/* SPDX-License-Identifier: Apache-2.0
 * The profiler: who gets the time, what is refused, and that nothing of it stays behind. */
#define _GNU_SOURCE 1
#include "api/api.h"

#include <signal.h>

#include <wasmkeep/profiler.h>

#include "runtime/instance.h"

#define LINES 16

/* Computes for a while. */
static enum wk_status busy(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	volatile uint32_t number = 1;

	(void)context, (void)caller;
	for (int32_t i = 0; i < arguments[0].of.i32; i++)
		number = number * 1664525 + 1013904223;
	results[0].of.i32 = (int32_t)number;
	return WK_OK;
}

/* Calls back: "spin" for a positive number, else "trap". */
static enum wk_status back(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	struct wk_instance *instance = *(struct wk_instance **)context;
	struct wk_store *store = wk_caller_store(caller);
	struct wk_entered entered = { store->exec.entered.func, store->exec.entered.at };
	const char *name = arguments[0].of.i32 > 0 ? "spin" : "trap";
	enum wk_status status = wk_func_call(wk_instance_function(instance, name), arguments, 1, results, 1, NULL);

	CHECK(entered.func != NULL && store->exec.entered.func == entered.func && store->exec.entered.at == entered.at);
	return status;
}

/* [0] env.busy [1] env.back [2] spin: counts down [3] ask: env.busy [4] nest: env.back [5] trap */
static void make_module(struct wasm *w)
{
	api_types(w);
	wasm_section(w, WASM_IMPORTS, 2);
	wasm_import(w, "env", "busy", WASM_FUNC);
	wasm_put(w, 0);
	wasm_import(w, "env", "back", WASM_FUNC);
	wasm_put(w, 0);
	wasm_section(w, WASM_FUNCTIONS, 4);
	wasm_put(w, 0, 0, 0, 0);
	wasm_section(w, WASM_EXPORTS, 4);
	wasm_export(w, "spin", WASM_FUNC, 2);
	wasm_export(w, "ask", WASM_FUNC, 3);
	wasm_export(w, "nest", WASM_FUNC, 4);
	wasm_export(w, "trap", WASM_FUNC, 5);
	wasm_section(w, WASM_CODE, 4);
	WASM_BODY(w, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0);
	WASM_BODY(w, 0x20, 0, 0x10, 0);
	WASM_BODY(w, 0x20, 0, 0x10, 1);
	WASM_BODY(w, 0x00);
	wasm_end(w);
}

struct side {
	struct api api;
	struct wk_module *module;
	struct wk_instance *instance;
	struct wk_profiler *profiler;
};

static bool begin(struct side *side)
{
	static struct wasm w;

	*side = (struct side){ 0 };
	make_module(&w);
	if (!api_begin(&side->api, NULL, NULL))
		return false;
	CHECK_EQUAL(wk_linker_define_function(side->api.linker, "env", "busy", "i:i", busy, NULL), WK_OK);
	CHECK_EQUAL(wk_linker_define_function(side->api.linker, "env", "back", "i:i", back, &side->instance), WK_OK);
	side->module = api_load(&side->api, &w);
	return side->module &&
		CHECK_EQUAL(wk_linker_instantiate(side->api.linker, side->module, &side->api.report, &side->instance), WK_OK) &&
		CHECK_EQUAL(wk_profiler_new(side->module, &side->profiler, &side->api.report), WK_OK);
}

static void end(struct side *side)
{
	CHECK(side->api.store->exec.entered.func == NULL && side->api.store->exec.entered.at == NULL);
	wk_profiler_delete(side->profiler);
	wk_module_release(side->module);
	api_end(&side->api);
}

static uint64_t samples_of(const struct wk_profiler *profiler)
{
	struct wk_profiler_line lines[LINES];
	size_t count = wk_profiler_lines(profiler, lines, LINES);
	uint64_t samples = 0;

	for (size_t i = 0; i < count && i < LINES; i++)
		samples += lines[i].samples;
	return samples;
}

/* Calls an export until there are some samples, and says who has most of the time. */
static struct wk_profiler_line most_of(struct side *side, const char *name)
{
	struct wk_profiler_line lines[LINES] = { { 0 } };
	int32_t result = 0;

	for (int i = 0; i < 1000 && samples_of(side->profiler) < 20; i++) {
		if (!CHECK_EQUAL(wk_profiler_start(side->profiler, side->api.store, &side->api.report), WK_OK))
			break;
		CHECK_EQUAL(api_call(&side->api, side->instance, name, 1000000, &result), WK_OK);
		wk_profiler_stop(side->profiler);
	}
	CHECK(wk_profiler_lines(side->profiler, lines, LINES) <= LINES);
	return lines[0];
}

static void check_most(const char *name, enum wk_profiler_kind kind, uint32_t function)
{
	struct wk_profiler_line line;
	struct side side;

	REQUIRE(begin(&side));
	line = most_of(&side, name);
	CHECK_EQUAL(line.kind, kind);
	CHECK_EQUAL(line.function, function);
	CHECK(line.nanoseconds > 0 && line.samples > 0);
	end(&side);
}

TEST(guest) { check_most("spin", WK_PROFILER_INTERPRETED, 2); }
TEST(host) { check_most("ask", WK_PROFILER_HOST, 0); }
TEST(guest_behind_host) { check_most("nest", WK_PROFILER_INTERPRETED, 2); }

/* What was entered is left, however it ends. */
TEST(traps)
{
	struct side side;
	int32_t result = 0;

	REQUIRE(begin(&side));
	CHECK_EQUAL(wk_profiler_start(side.profiler, side.api.store, NULL), WK_OK);
	CHECK_EQUAL(api_call(&side.api, side.instance, "trap", 0, &result), WK_TRAP);
	CHECK(side.api.store->exec.entered.func == NULL && side.api.store->exec.entered.at == NULL);
	CHECK_EQUAL(api_call(&side.api, side.instance, "nest", 0, &result), WK_TRAP);
	end(&side); /* stops it */
}

TEST(one_at_a_time)
{
	struct wk_profiler *other = NULL;
	struct sigaction before, during, after;
	struct side side;
	sigset_t prof, mask;

	REQUIRE(begin(&side));
	sigemptyset(&prof);
	sigaddset(&prof, SIGPROF);
	sigprocmask(SIG_BLOCK, &prof, NULL);
	sigaction(SIGPROF, NULL, &before);
	CHECK_EQUAL(wk_profiler_new(side.module, &other, NULL), WK_OK);
	CHECK_EQUAL(wk_profiler_start(side.profiler, side.api.store, NULL), WK_OK);
	sigaction(SIGPROF, NULL, &during);
	CHECK(during.sa_handler != before.sa_handler);
	CHECK_EQUAL(wk_profiler_start(side.profiler, side.api.store, NULL), WK_BAD_ARGUMENT);
	wk_report_clear(&side.api.report);
	CHECK_EQUAL(wk_profiler_start(other, side.api.store, &side.api.report), WK_UNSUPPORTED);
	CHECK(strstr(side.api.report.text, "another one") != NULL);
	wk_profiler_stop(other);
	wk_profiler_stop(side.profiler);
	sigaction(SIGPROF, NULL, &after);
	CHECK(after.sa_handler == before.sa_handler);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK_EQUAL(sigismember(&mask, SIGPROF), 1);
	CHECK_EQUAL(wk_profiler_start(other, side.api.store, NULL), WK_OK);
	wk_profiler_delete(other);
	sigaction(SIGPROF, NULL, &after);
	CHECK(after.sa_handler == before.sa_handler);
	sigprocmask(SIG_UNBLOCK, &prof, NULL);
	wk_profiler_delete(NULL);
	wk_profiler_stop(NULL);
	end(&side);
}

TEST(lines)
{
	struct wk_profiler_line lines[LINES], one;
	struct side side;
	size_t count;

	REQUIRE(begin(&side));
	CHECK_EQUAL(wk_profiler_lines(side.profiler, NULL, 0), 0);
	(void)most_of(&side, "spin");
	count = wk_profiler_lines(side.profiler, lines, LINES);
	CHECK(count >= 1 && count <= LINES);
	CHECK_EQUAL(wk_profiler_lines(side.profiler, NULL, 0), count);
	CHECK_EQUAL(wk_profiler_lines(side.profiler, &one, 1), count);
	for (size_t i = 1; i < count; i++)
		CHECK(lines[i - 1].nanoseconds >= lines[i].nanoseconds);
	CHECK_EQUAL(wk_profiler_new(NULL, &side.profiler, NULL), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_profiler_start(side.profiler, NULL, NULL), WK_BAD_ARGUMENT);
	end(&side);
}

int main(void)
{
	RUN(guest);
	RUN(host);
	RUN(guest_behind_host);
	RUN(traps);
	RUN(one_at_a_time);
	RUN(lines);
	return test_end();
}
