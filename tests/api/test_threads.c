/* SPDX-License-Identifier: Apache-2.0
 * Threads: a keep and a module shared by stores of several threads, and interruption from outside. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "api/api.h"

#define THREADS 4
#define ROUNDS 20

/* fib(n), "loop", and 40 functions that are first called by whoever is first: translation races. */
static void program(struct wasm *w)
{
	api_types(w);
	wasm_section(w, WASM_FUNCTIONS, 42);
	for (int i = 0; i < 42; i++)
		wasm_put(w, 0);
	wasm_section(w, WASM_EXPORTS, 3);
	wasm_export(w, "fib", WASM_FUNC, 0);
	wasm_export(w, "loop", WASM_FUNC, 1);
	wasm_export(w, "chain", WASM_FUNC, 2);
	wasm_section(w, WASM_CODE, 42);
	WASM_BODY(w, 0x20, 0, 0x41, 2, 0x48, 0x04, WASM_I32, 0x20, 0, 0x05, 0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x20, 0, 0x41, 2,
		0x6b, 0x10, 0, 0x6a, 0x0b);
	WASM_BODY(w, 0x03, 0x40, 0x0c, 0, 0x0b, 0x20, 0);
	for (unsigned i = 2; i < 42; i++) {
		wasm_body(w);
		wasm_put(w, 0x20, 0, 0x41, 1, 0x6a);
		if (i < 41)
			wasm_put(w, 0x10, (uint8_t)(i + 1));
		wasm_body_end(w);
	}
	wasm_end(w);
}

struct shared {
	struct wk_keep *keep;
	struct wk_module *module;
	int number;
};

static bool use_store(const struct shared *shared, bool fuel)
{
	struct wk_store_config config = { .fuel = fuel, .stack_size = 65536 };
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_instance *instance = NULL;
	struct wk_value in = api_i32(15), out = { 0 };
	bool right;

	if (wk_store_new(shared->keep, &config, &store) != WK_OK || wk_linker_new(store, &linker) != WK_OK ||
		wk_linker_instantiate(linker, shared->module, NULL, &instance) != WK_OK)
		return false;
	right = !fuel || wk_store_set_fuel(store, 1000000) == WK_OK;
	right = right && wk_func_call(wk_instance_function(instance, "fib"), &in, 1, &out, 1, NULL) == WK_OK &&
		out.of.i32 == 610;
	right = right && wk_func_call(wk_instance_function(instance, "chain"), &in, 1, &out, 1, NULL) == WK_OK &&
		out.of.i32 == 55;
	wk_linker_delete(linker);
	wk_store_delete(store);
	return right;
}

static void *worker(void *context)
{
	const struct shared *shared = context;
	struct wasm w;

	for (int i = 0; i < ROUNDS; i++) {
		struct shared own = *shared;

		CHECK(use_store(shared, (i + shared->number) % 2 == 0));
		/* A module of its own, of the same types. */
		program(&w);
		CHECK_EQUAL(wk_module_load(shared->keep, w.bytes, w.size, WK_LOAD_COPY, NULL, &own.module), WK_OK);
		CHECK(use_store(&own, false));
		wk_module_release(own.module);
	}
	return NULL;
}

TEST(shared_module)
{
	pthread_t threads[THREADS];
	struct shared shared[THREADS] = { 0 };
	struct wk_usage usage;
	struct wasm w;

	program(&w);
	REQUIRE(wk_keep_new(NULL, &shared[0].keep) == WK_OK);
	REQUIRE(wk_module_load(shared[0].keep, w.bytes, w.size, WK_LOAD_COPY, NULL, &shared[0].module) == WK_OK);
	for (int i = 0; i < THREADS; i++) {
		shared[i] = shared[0];
		shared[i].number = i;
		REQUIRE(pthread_create(&threads[i], NULL, worker, &shared[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	wk_module_release(shared[0].module);
	wk_keep_usage(shared[0].keep, &usage);
	CHECK(usage.bytes_used == 0 && usage.pages_used == 0);
	wk_keep_delete(shared[0].keep);
}

static void *interrupter(void *context)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	wk_store_interrupt(context);
	return NULL;
}

TEST(interrupt)
{
	struct wasm w;
	struct api api;
	pthread_t thread;
	int32_t result = 0;

	program(&w);
	REQUIRE(api_begin(&api, NULL, NULL));
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	for (int i = 0; i < 2; i++) {
		REQUIRE(pthread_create(&thread, NULL, interrupter, api.store) == 0);
		/* An endless loop, then calls without end that have no loop. */
		CHECK_EQUAL(api_call(&api, instance, i == 0 ? "loop" : "fib", 60, &result), WK_TRAP);
		CHECK_EQUAL(api.report.trap, WK_TRAP_INTERRUPTED);
		pthread_join(thread, NULL);
		wk_store_clear_interrupt(api.store);
		CHECK_EQUAL(api_call(&api, instance, "fib", 10, &result), WK_OK);
		CHECK_EQUAL(result, 55);
	}
	api_end(&api);
}

int main(void)
{
	RUN(shared_module);
	RUN(interrupt);
	return test_end();
}
