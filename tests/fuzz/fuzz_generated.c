/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: the input makes a valid module (generate.h). It must load, and do the same with and without metering. The first
 * byte chooses the features, so that a corpus reaches each of them with and without the others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "generate.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wk_generate_options choose(uint8_t byte)
{
	return (struct wk_generate_options){
		.simd = byte & 1, .relaxed_simd = byte & 2, .wide_arithmetic = byte & 4,
		.multi_memory = byte & 8, .memory64 = byte & 16, .tail_calls = byte & 32,
		.exceptions = byte & 64, .typed_references = byte & 128,
		.extended_const = true, .canonical = true,
	};
}

static void run(struct wk_keep *keep, struct wk_module *module)
{
	struct harness_options options = { .guest_fuel = WK_GENERATE_FUEL, .rounds = 2 };
	uint64_t plain = 0, metered = 0;
	bool out_of_fuel = false;
	bool ran = harness_run(keep, module, &options, &plain, &out_of_fuel);
	options.metering = true;
	options.fuel = 100 * 1000 * 1000;
	bool ran_metered = harness_run(keep, module, &options, &metered, &out_of_fuel);
	if (!ran || !ran_metered) {
		fprintf(stderr, "a generated module does not instantiate\n");
		abort();
	}
	if (!out_of_fuel && plain != metered) {
		fprintf(stderr, "metered code does something else\n");
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[1 << 16];
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_report report;
	struct wk_generate_options options = choose(size > 0 ? data[0] : 0);
	size_t length = wk_generate(&options, size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0, bytes, sizeof bytes);
	if (length == 0)
		return 0;
	const char *save = getenv("WK_SAVE_MODULE");
	FILE *file = save != NULL ? fopen(save, "wb") : NULL;
	if (file != NULL) {
		fwrite(bytes, 1, length, file);
		fclose(file);
	}
	if (wk_keep_new(NULL, &keep) != WK_OK)
		abort();
	wk_report_clear(&report);
	if (wk_module_load(keep, bytes, length, WK_LOAD_COPY, &report, &module) != WK_OK) {
		fprintf(stderr, "a generated module was refused: %s (offset %llu, function %u)\n", report.text,
			(unsigned long long)report.offset, report.function);
		abort();
	}
	run(keep, module);
	wk_module_release(module);
	wk_keep_delete(keep);
	return 0;
}
