/* SPDX-License-Identifier: Apache-2.0
 *
 * Guests that call themselves, and guests and host functions that call each other, on a native stack of 64 KiB: a trap,
 * never a crash. And endless loops that another thread ends.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wasmkeep/wasmkeep.h>

#include "hostile.h"
#include "modules.h"

struct call {
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_module *module;
	struct wk_instance *instance;
	struct wk_func *function;
	enum wk_status status;
	struct wk_report report;
	uint32_t callbacks, most_callbacks;
	bool swallow; /* the host function goes on after a trap below it */
};

static void must(enum wk_status status, const char *what)
{
	if (status == WK_OK)
		return;
	printf("not ok - %s: %s\n", what, wk_status_text(status));
	exit(1);
}

static enum wk_status call_back(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	struct call *call = context;
	(void)caller, (void)arguments, (void)results;
	call->callbacks++;
	if (call->callbacks > call->most_callbacks)
		call->most_callbacks = call->callbacks;
	enum wk_status status = wk_func_call(call->function, NULL, 0, NULL, 0, NULL);
	call->callbacks--;
	return call->swallow ? WK_OK : status;
}

/* import "env" "h"; "f" is: call h. */
static void make_mutual(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x60\0\0", 4);
	put_section(module, 1, &s);
	put_data(&s, "\1\3env\1h\0\0", 9);
	put_section(module, 2, &s);
	put_data(&s, "\1\0", 2);
	put_section(module, 3, &s);
	put_data(&s, "\1\1f\0\1", 5);
	put_section(module, 7, &s);
	put_data(&s, "\1\4\0\x10\0\x0b", 6);
	put_section(module, 10, &s);
	bytes_free(&s);
}

static void begin(struct call *call, struct bytes *bytes, const struct wk_store_config *config)
{
	*call = (struct call){ 0 };
	must(wk_keep_new(NULL, &call->keep), "a keep");
	must(wk_store_new(call->keep, config, &call->store), "a store");
	must(wk_linker_new(call->store, &call->linker), "a linker");
	must(wk_linker_define_function(call->linker, "env", "h", ":", call_back, call), "a host function");
	must(wk_module_load(call->keep, bytes->data, bytes->size, WK_LOAD_COPY, NULL, &call->module), "a module");
	must(wk_linker_instantiate(call->linker, call->module, NULL, &call->instance), "an instance");
	call->function = wk_instance_function(call->instance, "f");
	if (call->function == NULL)
		must(WK_NOT_FOUND, "the function");
}

static void end(struct call *call)
{
	wk_module_release(call->module);
	wk_linker_delete(call->linker);
	wk_store_delete(call->store);
	wk_keep_delete(call->keep);
}

static void run_call(void *argument)
{
	struct call *call = argument;
	wk_report_clear(&call->report);
	call->status = wk_func_call(call->function, NULL, 0, NULL, 0, &call->report);
}

static void expect_trap(const struct call *call, enum wk_trap trap, const char *name)
{
	char why[WK_REPORT_TEXT + 100];
	snprintf(why, sizeof why, "%s, %s: %s", wk_status_text(call->status), wk_trap_text(call->report.trap),
		call->report.text);
	check(call->status == WK_TRAP && call->report.trap == trap, name, why);
}

static void emitted(const char *name, struct bytes *bytes)
{
	for (size_t i = 0; i < hostile_case_count; i++)
		if (strcmp(hostile_cases[i].name, name) == 0)
			hostile_cases[i].make(bytes);
}

/* Twice in the same store: a trap leaves it usable. */
static void test_guest(const char *module, uint64_t stack_size)
{
	struct bytes bytes = { 0 };
	struct call call;
	char name[80];
	emitted(module, &bytes);
	begin(&call, &bytes, &(struct wk_store_config){ .stack_size = stack_size });
	for (int round = 0; round < 2; round++) {
		size_t used = on_stack(64 * 1024, run_call, &call);
		snprintf(name, sizeof name, "%s, guest stack of %llu KiB, round %d", module,
			(unsigned long long)stack_size >> 10, round + 1);
		expect_trap(&call, WK_TRAP_STACK_EXHAUSTED, name);
		printf("  %zu bytes of native stack, %llu frames\n", used, (unsigned long long)call.report.frame_total);
	}
	end(&call);
	bytes_free(&bytes);
}

static void test_mutual(uint32_t depth, bool swallow)
{
	struct bytes bytes = { 0 };
	struct call call;
	char name[80];
	make_mutual(&bytes);
	begin(&call, &bytes, &(struct wk_store_config){ .native_depth = depth });
	call.swallow = swallow;
	size_t used = on_stack(64 * 1024, run_call, &call);
	snprintf(name, sizeof name, "guest and host call each other, native depth %u%s", depth,
		swallow ? ", the host swallows the trap" : "");
	if (swallow)
		check(call.status == WK_OK, name, wk_status_text(call.status));
	else
		expect_trap(&call, WK_TRAP_STACK_EXHAUSTED, name);
	printf("  %zu bytes of native stack, %u callbacks\n", used, call.most_callbacks);
	end(&call);
	bytes_free(&bytes);
}

static void *interrupt_soon(void *store)
{
	usleep(50 * 1000);
	wk_store_interrupt(store);
	return NULL;
}

static void test_interrupt(const char *module)
{
	struct bytes bytes = { 0 };
	struct call call;
	pthread_t thread;
	char name[80];
	emitted(module, &bytes);
	begin(&call, &bytes, NULL);
	if (pthread_create(&thread, NULL, interrupt_soon, call.store) != 0)
		exit(1);
	run_call(&call);
	pthread_join(thread, NULL);
	snprintf(name, sizeof name, "%s, interrupted", module);
	expect_trap(&call, WK_TRAP_INTERRUPTED, name);
	end(&call);
	bytes_free(&bytes);
}

void test_recursion(void)
{
	static const char *const modules[] = { "recursion", "recursion_with_locals", "recursion_indirect" };
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
		test_guest(modules[i], 0);
		test_guest(modules[i], 16 << 10);
		test_guest(modules[i], 64 << 20);
	}
	test_mutual(0, false);
	test_mutual(4, false);
	test_mutual(0, true);
	test_interrupt("endless_loop");
	test_interrupt("endless_tail_calls");
	test_interrupt("endless_exceptions");
}
