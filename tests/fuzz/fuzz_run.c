/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: any bytes are loaded, validated, instantiated with made-up imports and run, twice, each time in a fresh store;
 * the two runs must do the same. All limits are small, so that an input ends soon.
 */
#include <stdlib.h>

#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct harness_options options = {
		.metering = true, .fuel = 10000, .memory_limit = 8 << 16, .rounds = 1,
	};
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	if (wk_keep_new(&(struct wk_keep_config){ .memory_limit = 16 << 20 }, &keep) != WK_OK)
		abort();
	if (wk_module_load(keep, data, size, WK_LOAD_BORROW, NULL, &module) == WK_OK) {
		uint64_t hashes[2];
		bool ran[2], out_of_fuel = false;
		for (int i = 0; i < 2; i++)
			ran[i] = harness_run(keep, module, &options, &hashes[i], &out_of_fuel);
		if (ran[0] != ran[1] || hashes[0] != hashes[1])
			abort();
		wk_module_release(module);
	}
	wk_keep_delete(keep);
	return 0;
}
