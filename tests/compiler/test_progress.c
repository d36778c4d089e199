/* SPDX-License-Identifier: Apache-2.0
 *
 * What wk_compile tells of its progress: from 0 to the whole, never back, always to the thread that waits for it. And
 * nothing of it is to be seen in the image.
 */
#define _GNU_SOURCE 1
#include "unit/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <wasmkeep/wasmkeep.h>

#include "compiler/compiler.h"

/* Four functions of type i32 -> i32, each with two bytes more than the one before. */
static const uint8_t bytes[] = { 0, 'a', 's', 'm', 1, 0, 0, 0,
	1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f,
	3, 5, 4, 0, 0, 0, 0,
	10, 33, 4,
	4, 0, 0x20, 0, 0x0b,
	6, 0, 0x20, 0, 0x10, 0, 0x0b,
	8, 0, 0x20, 0, 0x10, 1, 0x10, 0, 0x0b,
	10, 0, 0x20, 0, 0x10, 2, 0x10, 1, 0x10, 0, 0x0b };

struct told {
	pthread_t thread;
	uint32_t calls, steps;         /* of them, those with more than the one before */
	uint64_t done, whole;
};

static void note(void *context, uint64_t done, uint64_t whole)
{
	struct told *told = context;

	CHECK(pthread_equal(told->thread, pthread_self()));
	CHECK(told->calls != 0 || done == 0);
	CHECK(done >= told->done);
	CHECK(done <= whole);
	CHECK(told->calls == 0 || whole == told->whole);
	told->calls++;
	told->steps += done > told->done;
	told->done = done;
	told->whole = whole;
}

static enum wk_status compile(const struct wk_compile_options *options, struct wk_compile_result *result)
{
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_report report;
	char path[64];
	enum wk_status status;

	snprintf(path, sizeof path, "/tmp/wk-progress-%ld.image", (long)getpid());
	wk_report_clear(&report);
	status = wk_keep_new(NULL, &keep);
	if (status == WK_OK)
		status = wk_module_load(keep, bytes, sizeof bytes, WK_LOAD_BORROW, &report, &module);
	if (status == WK_OK)
		status = wk_compile(module, options, path, &report, result);
	if (status != WK_OK)
		printf("# %s\n", report.text);
	(void)unlink(path);
	wk_module_release(module);
	wk_keep_delete(keep);
	return status;
}

static void check_parts(unsigned parts)
{
	struct told told = { .thread = pthread_self() };
	struct wk_compile_options options = { .optimisation = 2, .parts = parts, .progress = note, .context = &told };
	struct wk_compile_result result, quiet;

	CHECK_EQUAL(compile(&options, &result), WK_OK);
	CHECK(told.calls >= 2);
	CHECK_EQUAL(told.done, told.whole);
	CHECK_EQUAL(told.whole, 2 * (4 + 6 + 8 + 10)); /* two steps for each byte of a body */
	CHECK(told.steps >= 1 && told.steps <= 2 * parts);
	options.progress = NULL;
	CHECK_EQUAL(compile(&options, &quiet), WK_OK);
	CHECK_EQUAL(quiet.library_size, result.library_size);
}

TEST(one_part) { check_parts(1); }
TEST(four_parts) { check_parts(4); }

/* What goes wrong before says nothing of progress; what goes wrong later does not claim the whole. */
TEST(failure)
{
	struct told told = { .thread = pthread_self() };
	struct wk_compile_options options = { .optimisation = 2, .parts = 1, .progress = note, .context = &told };
	struct wk_compile_result result;

	options.target = "nowhere";
	CHECK(compile(&options, &result) != WK_OK);
	CHECK_EQUAL(told.calls, 0);
	options.target = NULL;
	options.save_ir = "/nonexistent/ir";
	CHECK(compile(&options, &result) != WK_OK);
	CHECK(told.calls >= 1);
	CHECK_EQUAL(told.done, 0);
}

int main(void)
{
	RUN(one_part);
	RUN(four_parts);
	RUN(failure);
	return test_end();
}
