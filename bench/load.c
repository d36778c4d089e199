/* SPDX-License-Identifier: Apache-2.0
 *
 * load [--rounds N] MODULE...: how fast modules are loaded and translated, and what that takes. For each module, of N
 * rounds (30), the median of the processor time of
 *
 *	load        decoding and validating
 *	translate   translating every function, as calling each for the first time would
 *
 * and the bytes of internal code, those that the heap holds for the module after either, and the allocations. MB/s are
 * millions of bytes of the module's code section; programs translate only what they call, so their start is faster.
 *
 * It looks into the engine, since the public interface translates nothing that is not called.
 */
#define _POSIX_C_SOURCE 200809L
#include "format/module.h"
#include "host/host.h"
#include "interp/interp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sample {
	double load, translate;          /* seconds */
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

static enum wk_status measure(const void *bytes, size_t size, struct sample *sample, uint64_t *bodies,
	struct wk_report *report)
{
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_usage usage;
	enum wk_status status = wk_keep_new(NULL, &keep);
	if (status != WK_OK)
		return status;
	double start = now();
	status = wk_module_load(keep, bytes, size, WK_LOAD_BORROW, report, &module);
	sample->load = now() - start;
	if (status == WK_OK) {
		wk_keep_usage(keep, &usage);
		sample->loaded = usage.heap_used;
		*bodies = 0;
		for (uint32_t i = module->imported_funcs; i < module->func_count; i++)
			*bodies += module->funcs[i].size;
		status = keep->engine->prepare(module, false, report);
	}
	if (status == WK_OK) {
		start = now();
		status = wk_interp_translate_all(module, false, &sample->code_bytes);
		sample->translate = now() - start;
		wk_keep_usage(keep, &usage);
		sample->translated = usage.heap_used;
		sample->allocations = usage.allocations;
	}
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
	double *loads = calloc((size_t)rounds, sizeof *loads), *translations = calloc((size_t)rounds, sizeof *translations);
	struct wk_report report;
	struct sample sample = { 0 };
	uint64_t bodies = 0;
	enum wk_status status = bytes && loads && translations ? WK_OK : WK_NO_MEMORY;
	wk_report_clear(&report);
	for (int i = 0; i < rounds && status == WK_OK; i++) {
		status = measure(bytes, size, &sample, &bodies, &report);
		loads[i] = sample.load;
		translations[i] = sample.translate;
	}
	if (status != WK_OK) {
		fprintf(stderr, "load: %s: %s\n", path, bytes ? report.text : "cannot be read");
	} else {
		const char *name = strrchr(path, '/');
		double load = median(loads, (size_t)rounds), translate = median(translations, (size_t)rounds), b = (double)bodies;
		printf("%-20s %9zu %9llu %8.2f %8.2f %8.1f %8.1f %8.1f %6.2f %9llu %9llu %6llu\n", name ? name + 1 : path, size,
			(unsigned long long)bodies, load * 1e3, translate * 1e3, b / load / 1e6, b / translate / 1e6,
			b / (load + translate) / 1e6, (double)sample.code_bytes / b, (unsigned long long)sample.loaded,
			(unsigned long long)sample.translated, (unsigned long long)sample.allocations);
	}
	free(bytes);
	free(loads);
	free(translations);
	return status != WK_OK;
}

int main(int argc, char **argv)
{
	int rounds = 30, failed = 0, i = 1;
	if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0) {
		rounds = atoi(argv[i + 1]);
		i += 2;
	}
	if (i == argc || rounds < 1) {
		fprintf(stderr, "usage: load [--rounds N] MODULE...\n");
		return 64;
	}
	printf("%-20s %9s %9s %8s %8s %8s %8s %8s %6s %9s %9s %6s\n", "module", "bytes", "code", "load ms", "trans ms",
		"load", "trans", "MB/s", "ratio", "heap", "all code", "allocs");
	for (; i < argc; i++)
		failed |= measure_file(argv[i], rounds);
	return failed;
}
