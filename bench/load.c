/* SPDX-License-Identifier: Apache-2.0
 *
 * load [--rounds N] [--instances] MODULE...: how fast modules are loaded and translated, and what that takes. For each module, of N
 * rounds (30), the median of the processor time of
 *
 *	load        decoding and validating
 *	start       instantiating, with WASI if it is imported; the program does not run
 *	translate   translating every function, as calling each for the first time would
 *
 * and the bytes of internal code for a byte of the module's code, those that the heap holds for the module after either,
 * and the allocations. MB/s are millions of bytes of the module, and in the last column of its code alone. Programs
 * translate only what they call, so their start is faster.
 *
 * With --instances: what a further instance takes of the heap, without its memories and tables.
 *
 * It looks into the engine, since the public interface translates nothing that is not called.
 */
#define _POSIX_C_SOURCE 200809L
#include "format/module.h"
#include "host/host.h"
#include "interp/interp.h"

#include <wasmkeep/wasi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sample {
	double load, start, translate;   /* seconds */
	uint64_t code_bytes;             /* internal code */
	uint64_t loaded, translated;     /* heap used */
	uint64_t allocations;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_value);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Makes an instance and lets it go. */
static enum wk_status start(struct wk_keep *keep, struct wk_module *module, struct wk_report *report)
{
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_wasi *wasi = NULL;
	struct wk_instance *instance = NULL;
	enum wk_status status = wk_store_new(keep, NULL, &store);
	if (status == WK_OK)
		status = wk_linker_new(store, &linker);
	if (status == WK_OK)
		status = wk_wasi_new(store, NULL, report, &wasi);
	if (status == WK_OK)
		status = wk_wasi_define(wasi, linker, module);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, report, &instance);
	wk_linker_delete(linker);
	wk_wasi_delete(wasi);
	wk_store_delete(store);
	return status;
}

static enum wk_status measure(const void *bytes, size_t size, struct sample *sample, uint64_t *bodies,
	struct wk_report *report)
{
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_usage usage;
	enum wk_status status = wk_keep_new(NULL, &keep);
	if (status != WK_OK)
		return status;
	double mark = now();
	status = wk_module_load(keep, bytes, size, WK_LOAD_BORROW, report, &module);
	sample->load = now() - mark;
	if (status == WK_OK) {
		wk_keep_usage(keep, &usage);
		sample->loaded = usage.heap_used;
		*bodies = 0;
		for (uint32_t i = module->imported_funcs; i < module->func_count; i++)
			*bodies += module->funcs[i].size;
		mark = now();
		status = start(keep, module, report);
		sample->start = now() - mark;
	}
	if (status == WK_OK) {
		mark = now();
		status = wk_module_translate(module, false, report);
		sample->translate = now() - mark;
		sample->code_bytes = wk_interp_code_bytes(module, false);
		wk_keep_usage(keep, &usage);
		sample->translated = usage.heap_used;
		sample->allocations = usage.allocations;
	}
	wk_module_release(module);
	wk_keep_delete(keep);
	return status;
}

/* Two instances in one store: what the second one takes. */
static enum wk_status measure_instance(const void *bytes, size_t size, struct wk_report *report, uint64_t *taken)
{
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_wasi *wasi = NULL;
	struct wk_instance *instance = NULL;
	struct wk_usage before = { 0 }, after;
	enum wk_status status = wk_keep_new(NULL, &keep);
	if (status == WK_OK)
		status = wk_module_load(keep, bytes, size, WK_LOAD_BORROW, report, &module);
	if (status == WK_OK)
		status = wk_store_new(keep, NULL, &store);
	if (status == WK_OK)
		status = wk_linker_new(store, &linker);
	if (status == WK_OK)
		status = wk_wasi_new(store, NULL, report, &wasi);
	if (status == WK_OK)
		status = wk_wasi_define(wasi, linker, module);
	for (int i = 0; i < 9 && status == WK_OK; i++) {
		if (i == 1)
			wk_keep_usage(keep, &before);
		status = wk_linker_instantiate(linker, module, report, &instance);
	}
	wk_keep_usage(keep, &after);
	*taken = (after.heap_used - before.heap_used) / 8;
	wk_linker_delete(linker);
	wk_wasi_delete(wasi);
	wk_store_delete(store);
	wk_module_release(module);
	wk_keep_delete(keep);
	return status;
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	long end = ftell(file);
	rewind(file);
	char *bytes = malloc(end > 0 ? (size_t)end : 1);
	*size = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
	fclose(file);
	return bytes;
}

static int measure_file(const char *path, int rounds)
{
	size_t size = 0;
	void *bytes = read_file(path, &size);
	double *times[3] = { NULL, NULL, NULL };
	struct wk_report report;
	struct sample sample = { 0 };
	uint64_t bodies = 0;
	enum wk_status status = bytes ? WK_OK : WK_NO_MEMORY;
	for (int i = 0; i < 3; i++)
		if (!(times[i] = calloc((size_t)rounds, sizeof **times)))
			status = WK_NO_MEMORY;
	wk_report_clear(&report);
	for (int i = 0; i < rounds && status == WK_OK; i++) {
		status = measure(bytes, size, &sample, &bodies, &report);
		times[0][i] = sample.load;
		times[1][i] = sample.start;
		times[2][i] = sample.translate;
	}
	if (status != WK_OK) {
		fprintf(stderr, "load: %s: %s\n", path, bytes ? report.text : "cannot be read");
	} else {
		const char *name = strrchr(path, '/');
		double load = median(times[0], (size_t)rounds), begin = median(times[1], (size_t)rounds), s = (double)size,
			translate = median(times[2], (size_t)rounds);
		printf("%-16s %9zu %9llu %7.2f %7.2f %7.2f %7.1f %7.1f %7.1f %7.1f %6.2f %9llu %9llu %6llu\n", name ? name + 1 : path,
			size, (unsigned long long)bodies, load * 1e3, begin * 1e3, translate * 1e3, s / load / 1e6, s / translate / 1e6,
			s / (load + translate) / 1e6, (double)bodies / (load + translate) / 1e6,
			(double)sample.code_bytes / (double)bodies, (unsigned long long)sample.loaded,
			(unsigned long long)sample.translated, (unsigned long long)sample.allocations);
	}
	free(bytes);
	for (int i = 0; i < 3; i++)
		free(times[i]);
	return status != WK_OK;
}

static int instance_of_file(const char *path)
{
	size_t size = 0;
	void *bytes = read_file(path, &size);
	const char *name = strrchr(path, '/');
	struct wk_report report;
	uint64_t taken = 0;
	wk_report_clear(&report);
	enum wk_status status = bytes ? measure_instance(bytes, size, &report, &taken) : WK_IO;
	if (status == WK_OK)
		printf("  %-14s %10llu\n", name ? name + 1 : path, (unsigned long long)taken);
	else
		fprintf(stderr, "load: %s: %s\n", path, report.text);
	free(bytes);
	return status != WK_OK;
}

int main(int argc, char **argv)
{
	int rounds = 30, failed = 0, i = 1;
	bool instances = false;
	if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0) {
		rounds = atoi(argv[i + 1]);
		i += 2;
	}
	if (i < argc && strcmp(argv[i], "--instances") == 0) {
		instances = true;
		i++;
	}
	if (i == argc || rounds < 1) {
		fprintf(stderr, "usage: load [--rounds N] [--instances] MODULE...\n");
		return 64;
	}
	for (; instances && i < argc; i++)
		failed |= instance_of_file(argv[i]);
	if (instances)
		return failed;
	printf("%-16s %9s %9s %7s %7s %7s %7s %7s %7s %7s %6s %9s %9s %6s\n%60s%24s\n", "module", "bytes", "code", "load",
		"start", "transl.", "load", "transl.", "both", "(code)", "ratio", "heap", "with code", "allocs", "ms", "MB/s");
	for (; i < argc; i++)
		failed |= measure_file(argv[i], rounds);
	return failed;
}
