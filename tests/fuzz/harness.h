/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs any module with made-up imports and sums up what could be seen of it in one number, for fuzzers that compare two
 * runs.
 */
#ifndef WK_TESTS_HARNESS_H
#define WK_TESTS_HARNESS_H

#include "host/host.h"

struct harness_options {
	bool metering;
	uint64_t fuel;          /* before each call, when metering */
	uint64_t memory_limit;  /* of the linear memories together */
	int32_t guest_fuel;     /* set in an exported global "fuel" before each call, unless 0 */
	unsigned rounds;        /* how often each exported function is called */
};

/* FNV-1a over 64-bit words. */
#define HARNESS_HASH_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t harness_mix(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * UINT64_C(0x100000001b3);
}

/* Instantiates in a fresh store, calls every exported function, and hashes statuses, traps, results, memories and
 * globals. Imports are made by their types: functions return what a hash of their arguments gives, references are null.
 * Returns false when it could not be instantiated for want of an import that cannot be made up or of memory; then the
 * hash is of that. *out_of_fuel: some call ended because the engine's fuel was used up. */
bool harness_run(struct wk_keep *keep, struct wk_module *module, const struct harness_options *options, uint64_t *hash,
	bool *out_of_fuel);

#endif
