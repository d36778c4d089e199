/* SPDX-License-Identifier: Apache-2.0
 *
 * Small modules, cut off after each of their bytes and with each single bit flipped. Each must be refused with a report
 * that holds a place within the module, or load; what loads runs with little fuel. The bytes lie at the end of a
 * malloc'ed block, so that a sanitizer sees a read behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/generate.h"
#include "../fuzz/harness.h"
#include "hostile.h"

struct tally {
	struct wk_keep *keep;
	unsigned loaded, refused, wrong;
};

static void run(struct tally *tally, struct wk_module *module)
{
	static const struct harness_options options = {
		.metering = true, .fuel = 1000, .memory_limit = 8 << 16, .rounds = 1,
	};
	uint64_t hash = 0;
	bool out_of_fuel = false;
	(void)harness_run(tally->keep, module, &options, &hash, &out_of_fuel);
}

static void try(struct tally *tally, const uint8_t *bytes, size_t size, const char *what, size_t at)
{
	static struct wk_report report;
	struct wk_module *module = NULL;
	uint8_t *copy = malloc(size > 0 ? size : 1);
	if (copy == NULL)
		exit(1);
	memcpy(copy, bytes, size);
	wk_report_clear(&report);
	enum wk_status status = wk_module_load(tally->keep, copy, size, WK_LOAD_BORROW, &report, &module);
	if (status == WK_OK) {
		tally->loaded++;
		run(tally, module);
		wk_module_release(module);
	} else {
		bool known = status == WK_MALFORMED || status == WK_INVALID || status == WK_UNSUPPORTED
			|| status == WK_LIMIT || status == WK_NO_MEMORY;
		tally->refused++;
		if (!known || report.text[0] == 0 || (report.offset != WK_NO_OFFSET && report.offset > size)) {
			tally->wrong++;
			printf("# %s %zu: %s at %llu: %s\n", what, at, wk_status_text(status),
				(unsigned long long)report.offset, report.text);
		}
	}
	free(copy);
}

static void test_module(const uint8_t *bytes, size_t size, unsigned number)
{
	struct tally tally = { 0 };
	char name[80];
	uint8_t *copy = malloc(size);
	if (copy == NULL || wk_keep_new(&(struct wk_keep_config){ .memory_limit = 64 << 20 }, &tally.keep) != WK_OK)
		exit(1);
	memcpy(copy, bytes, size);
	for (size_t i = 0; i < size; i++)
		try(&tally, copy, i, "cut after", i);
	for (size_t i = 0; i < size * 8; i++) {
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
		try(&tally, copy, size, "bit", i);
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	struct wk_usage usage;
	wk_keep_usage(tally.keep, &usage);
	snprintf(name, sizeof name, "module %u, %zu bytes: %u mutations load, %u do not", number, size, tally.loaded,
		tally.refused);
	check(tally.wrong == 0 && usage.heap_used < 4096 && usage.bytes_used == 0 && usage.pages_used == 0, name,
		tally.wrong > 0 ? "a refusal that says too little" : "memory was not given back");
	wk_keep_delete(tally.keep);
	free(copy);
}

void test_mutations(void)
{
	static uint8_t module[1 << 16], input[1200];
	uint32_t state = 12345;
	/* Generated modules of a few hundred bytes have every section there is. */
	for (unsigned number = 0, made = 0; made < (SANITIZED ? 3 : 6); number++) {
		const struct wk_generate_options options = {
			.simd = number & 1, .multi_memory = true, .memory64 = number & 2, .tail_calls = true,
			.exceptions = true, .typed_references = true, .extended_const = true, .wide_arithmetic = true,
		};
		for (size_t i = 0; i < sizeof input; i++) {
			state = state * 1664525 + 1013904223;
			input[i] = (uint8_t)(state >> 24);
		}
		size_t size = wk_generate(&options, input, sizeof input, module, sizeof module);
		if (size < 300 || size > 1200)
			continue;
		test_module(module, size, made++);
	}
}
