/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep-compile LEVEL[f][c] TARGET VERBOSE MODULE IMAGE [IR [KEY]] (f: the code counts fuel; c: it compares addresses): the half of `wasmkeep
 * compile` and of `run --engine native`
 * that needs LLVM, in a program of its own. LLVM's library takes longer to load than most guests run, and what goes
 * wrong in it must not end a program that holds others' modules. It is not meant to be called by people: cli/compile.c
 * is.
 */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wasmkeep/wasmkeep.h>

#include "../exit_status.h"
#include "../file.h"
#include "../message.h"
#include "../names.h"
#include "../progress.h"
#include "compiler/compiler.h"

struct job {
	struct wk_span bytes;          /* the module */
	struct wk_progress progress;
};

static void say_left(void *context, uint32_t function, const char *why)
{
	const struct job *job = context;
	char name[WK_NAMES_SIZE] = "";

	wk_names_find(job->bytes, function, name);
	wk_message("function %u%s%s is not compiled: %s", function, name[0] ? " " : "", name, why);
}

static void show(void *context, uint64_t done, uint64_t whole)
{
	struct job *job = context;

	job->progress.whole = (size_t)whole;
	wk_progress_step(&job->progress, (size_t)done);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words)
{
	struct wk_report report;
	struct job job = { 0 };
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_compile_options options = { 0 };
	struct wk_compile_result result = { 0 };
	double begin = now();
	bool verbose;
	int status;

	if (count < 6 || count > 8) {
		wk_message("this is a part of wasmkeep; call: wasmkeep compile");
		return WK_EXIT_USAGE;
	}
	verbose = words[3][0] == '1';
	options.optimisation = (unsigned)atoi(words[1]);
	options.fuel = strchr(words[1], 'f') != NULL;
	options.compare = strchr(words[1], 'c') != NULL;
	options.target = words[2][0] ? words[2] : NULL;
	options.left = verbose ? say_left : NULL;
	options.context = &job;
	options.save_ir = count > 6 && words[6][0] ? words[6] : NULL;
	options.sign = count > 7 ? words[7] : NULL;
	wk_report_clear(&report);
	wk_progress_begin(&job.progress, "compiling", 0);
	options.progress = job.progress.terminal ? show : NULL;
	report.status = wk_keep_new(NULL, &keep);
	if (report.status == WK_OK)
		report.status = wk_file_read(words[4], keep, &report, &job.bytes);
	if (report.status == WK_OK)
		report.status = wk_module_load(keep, job.bytes.data, job.bytes.size, WK_LOAD_BORROW, &report, &module);
	if (report.status == WK_OK)
		report.status = wk_compile(module, &options, words[5], &report, &result);
	wk_progress_end(&job.progress);
	status = wk_message_exit_status(&report);
	if (report.status != WK_OK)
		wk_message_report(words[4], &report, NULL);
	else if (verbose)
		wk_message("%s: %u of %u functions compiled, %llu bytes, in %.3f s", words[5], result.compiled, result.functions,
			(unsigned long long)result.library_size, now() - begin);
	if (module)
		wk_module_release(module);
	wk_file_free(keep, &job.bytes);
	wk_keep_delete(keep);
	return status;
}
