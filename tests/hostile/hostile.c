/* SPDX-License-Identifier: Apache-2.0
 *
 * hostile [--only NAME]
 * hostile --emit NAME FILE
 *
 * Loads, instantiates and calls what must not hurt. Each case runs in a process of its own, on a native stack of 64 KiB,
 * once as it is and once with little address space left. It must end in time, in one of the ways that are right for it
 * (modules.c), with a report that says something, and without taking memory that the module has not earned: the heap may
 * hold a few bytes for each byte of the module, and the process may not grow by much more than the heap.
 */
#define _GNU_SOURCE
#include "hostile.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <wasmkeep/wasmkeep.h>

#include "modules.h"

unsigned failures;

bool check(bool good, const char *name, const char *why)
{
	if (good)
		printf("ok - %s\n", name);
	else
		printf("not ok - %s: %s\n", name, why);
	fflush(stdout);
	failures += !good;
	return good;
}

/* ---- a small native stack ---- */

struct start { void (*function)(void *); void *argument; };

static void *thread_main(void *argument)
{
	struct start *start = argument;
	start->function(start->argument);
	return NULL;
}

size_t on_stack(size_t size, void (*function)(void *), void *argument)
{
	struct start start = { function, argument };
	pthread_attr_t attributes;
	pthread_t thread;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	size = SANITIZED ? 16 * size : size;
	size = size < least ? least : size;
	size = (size + page - 1) / page * page;
	uint8_t *stack = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack == MAP_FAILED || mprotect(stack, page, PROT_NONE) != 0) {
		perror("hostile: stack");
		exit(1);
	}
	memset(stack + page, 0xa5, size);
	pthread_attr_init(&attributes);
	if (pthread_attr_setstack(&attributes, stack + page, size) != 0
		|| pthread_create(&thread, &attributes, thread_main, &start) != 0) {
		fprintf(stderr, "hostile: cannot start a thread\n");
		exit(1);
	}
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	size_t untouched = 0;
	while (untouched < size && stack[page + untouched] == 0xa5)
		untouched++;
	munmap(stack, size + page);
	return SANITIZED ? 0 : size - untouched;
}

/* ---- one case ---- */

struct outcome {
	int step;                   /* 0 load, 1 instantiate, 2 call: the last that was begun */
	enum wk_status status;      /* of that step */
	char text[WK_REPORT_TEXT];
	uint64_t heap_peak;
	size_t grown;               /* bytes by which the resident memory grew */
	double seconds;
	bool done;
};

struct job {
	const struct hostile_case *one;
	struct bytes module;
	struct outcome *outcome;    /* shared with the parent */
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t resident(void)
{
	unsigned long size = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file == NULL || fscanf(file, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static enum wk_status run_steps(struct job *job, struct wk_keep *keep, struct wk_report *report)
{
	struct outcome *outcome = job->outcome;
	struct wk_module *module = NULL;
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_instance *instance = NULL;
	outcome->step = 0;
	enum wk_status status = wk_module_load(keep, job->module.data, job->module.size, WK_LOAD_BORROW, report, &module);
	if (status == WK_OK) {
		outcome->step = 1;
		status = wk_store_new(keep, &(struct wk_store_config){ .fuel = true }, &store);
	}
	if (status == WK_OK)
		status = wk_linker_new(store, &linker);
	if (status == WK_OK)
		status = wk_store_set_fuel(store, 10 * 1000 * 1000);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, report, &instance);
	struct wk_func *func = status == WK_OK ? wk_instance_function(instance, "f") : NULL;
	if (func != NULL && job->one->call != 0) {
		outcome->step = 2;
		status = wk_func_call(func, NULL, 0, NULL, 0, report);
	}
	if (linker != NULL)
		wk_linker_delete(linker);
	if (store != NULL)
		wk_store_delete(store);
	if (module != NULL)
		wk_module_release(module);
	return status;
}

static void run_job(void *argument)
{
	struct job *job = argument;
	struct outcome *outcome = job->outcome;
	struct wk_keep *keep = NULL;
	static struct wk_report report;
	struct wk_usage usage;
	wk_report_clear(&report);
	outcome->status = wk_keep_new(NULL, &keep);
	if (outcome->status != WK_OK)
		return;
	outcome->status = run_steps(job, keep, &report);
	memcpy(outcome->text, report.text, sizeof outcome->text);
	wk_keep_usage(keep, &usage);
	outcome->heap_peak = usage.heap_peak;
	wk_keep_delete(keep);
}

static void child(struct job *job, bool little_space)
{
	struct rusage usage;
	size_t before = resident();
	double start = now();
	if (little_space) {
		unsigned long pages = 0;
		FILE *file = fopen("/proc/self/statm", "r");
		if (file == NULL || fscanf(file, "%lu", &pages) != 1)
			exit(2);
		fclose(file);
		rlim_t space = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)256 << 20);
		setrlimit(RLIMIT_AS, &(struct rlimit){ space, space });
	}
	alarm(SANITIZED ? 300 : 60);
	on_stack(64 * 1024, run_job, job);
	job->outcome->seconds = now() - start;
	getrusage(RUSAGE_SELF, &usage);
	size_t most = (size_t)usage.ru_maxrss * 1024;
	job->outcome->grown = most > before ? most - before : 0;
	job->outcome->done = true;
	exit(0);
}

/* Which of the outcome is not right; NULL: nothing. */
static const char *judge(const struct job *job, bool memory)
{
	static char why[WK_REPORT_TEXT + 200];
	static const char *const steps[] = { "loading", "instantiating", "calling" };
	const struct hostile_case *one = job->one;
	const struct outcome *o = job->outcome;
	unsigned right = o->step == 0 ? one->load : o->step == 1 ? one->instantiate : one->call;
	uint64_t allowed = ((uint64_t)one->megabytes << 20) + 16 * (uint64_t)job->module.size;
	if (!(right & ON(o->status)))
		snprintf(why, sizeof why, "%s ended as %s: %s", steps[o->step], wk_status_text(o->status), o->text);
	else if (o->status != WK_OK && o->text[0] == 0)
		snprintf(why, sizeof why, "%s ended as %s without a word", steps[o->step], wk_status_text(o->status));
	else if (o->status != WK_OK && one->says != NULL && strstr(o->text, one->says) == NULL)
		snprintf(why, sizeof why, "the report does not say \"%s\": %s", one->says, o->text);
	else if (o->heap_peak > allowed)
		snprintf(why, sizeof why, "%llu bytes of heap for a module of %zu", (unsigned long long)o->heap_peak,
			job->module.size);
	else if (memory && o->grown > allowed + (4 << 20))
		snprintf(why, sizeof why, "the process grew by %zu bytes for a module of %zu", o->grown, job->module.size);
	else if (o->seconds > (SANITIZED || getenv("WK_EMULATED") != NULL ? 60 : 3))
		snprintf(why, sizeof why, "took %.1f s", o->seconds);
	else
		return NULL;
	return why;
}

static void run_case(const struct hostile_case *one, bool little_space, struct outcome *outcome)
{
	struct job job = { .one = one, .outcome = outcome };
	char name[96];
	snprintf(name, sizeof name, "%s%s", one->name, little_space ? " with little address space" : "");
	one->make(&job.module);
	*outcome = (struct outcome){ 0 };
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		child(&job, little_space);
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		check(false, name, "cannot fork");
	else if (WIFSIGNALED(status))
		check(false, name, WTERMSIG(status) == SIGALRM ? "did not end" : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0 || !outcome->done)
		check(false, name, "the process did not end well");
	else {
		const char *why = judge(&job, !little_space && !SANITIZED && getenv("WK_EMULATED") == NULL);
		check(why == NULL, name, why);
		printf("  %s at step %d; %.0f ms, %llu KiB of heap for %zu KiB, grown %zu KiB: %s\n",
			wk_status_text(outcome->status), outcome->step, outcome->seconds * 1e3,
			(unsigned long long)outcome->heap_peak >> 10, job.module.size >> 10, outcome->grown >> 10,
			outcome->text);
	}
	bytes_free(&job.module);
}

static int emit(const char *name, const char *path)
{
	for (size_t i = 0; i < hostile_case_count; i++) {
		if (strcmp(hostile_cases[i].name, name) != 0)
			continue;
		struct bytes module = { 0 };
		hostile_cases[i].make(&module);
		FILE *file = fopen(path, "wb");
		bool good = file != NULL && fwrite(module.data, 1, module.size, file) == module.size;
		good = file != NULL && fclose(file) == 0 && good;
		bytes_free(&module);
		return good ? 0 : 1;
	}
	fprintf(stderr, "hostile: no case %s\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	if (argc == 4 && strcmp(argv[1], "--emit") == 0)
		return emit(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--only") == 0)
		only = argv[2];
	struct outcome *outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < hostile_case_count; i++) {
		if (only != NULL && strcmp(only, hostile_cases[i].name) != 0)
			continue;
		run_case(&hostile_cases[i], false, outcome);
		if (!SANITIZED && getenv("WK_EMULATED") == NULL)
			run_case(&hostile_cases[i], true, outcome);
	}
	if (only == NULL || strcmp(only, "links") == 0)
		test_links();
	if (only == NULL || strcmp(only, "recursion") == 0)
		test_recursion();
	if (only == NULL || strcmp(only, "mutations") == 0)
		test_mutations();
	return failures > 0;
}
