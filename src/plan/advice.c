/* SPDX-License-Identifier: Apache-2.0
 *
 * What helps when memory was refused. The seed of this project is a report of days lost to a limit that nobody could
 * name: so each limit has an owner here, and a change that moves it, with figures where the profile gives them.
 */
#include <wasmkeep/memory.h>

#include "base/report.h"

#define SMALL_DATA_SIZE (UINT64_C(32) << 10) /* enough for the TEE's own functions */

typedef unsigned long long number;

/* A TA_DATA_SIZE that takes RAM from everything else: what it leaves, and what a small one would. */
static size_t advise_ram(const struct wk_profile *profile, char *buffer, size_t size)
{
	struct wk_profile smaller = *profile;
	number left = wk_profile_free(profile);

	if (profile->ta_data_size <= 2 * SMALL_DATA_SIZE)
		return wk_format(buffer, size, "The platform sets how much RAM there is for Trusted Applications (OP-TEE: "
			"CFG_TZDRAM_SIZE). The keep's own needs leave %llu bytes of it to map: more needs more RAM, or a smaller program.",
			left);
	smaller.ta_data_size = SMALL_DATA_SIZE;
	return wk_format(buffer, size, "TA_DATA_SIZE, set when the Trusted Application is built, is %llu bytes and leaves %llu to "
		"map; %llu bytes are enough for it, and would leave %llu.", (number)profile->ta_data_size, left,
		(number)SMALL_DATA_SIZE, (number)wk_profile_free(&smaller));
}

size_t wk_refusal_advice(const struct wk_refusal *refusal, const struct wk_profile *profile, char *buffer, size_t size)
{
	bool tee = profile && profile->hole_count != 0;

	switch (refusal->limit) {
	case WK_LIMIT_DECLARED:
		return wk_format(buffer, size, "The module's own maximum was set when it was built; %s. Link it with a larger "
			"-Wl,--max-memory=BYTES, or without one.", tee ? "the TEE has refused nothing" : "no other limit was reached");
	case WK_LIMIT_SUPPORTED:
		return wk_format(buffer, size, "No memory of this kind can be larger; one with 64-bit addresses can.");
	case WK_LIMIT_BUDGET:
		return wk_format(buffer, size, "Whoever runs the program sets this limit (wasmkeep run: --max-memory; in a program: "
			"memory_limit).");
	case WK_LIMIT_ALLOCATOR:
		return wk_format(buffer, size, "The embedding program brings its own heap.");
	case WK_LIMIT_RAM:
		return tee ? advise_ram(profile, buffer, size) : wk_format(buffer, size, "The platform sets how much RAM there is "
			"for Trusted Applications (OP-TEE: CFG_TZDRAM_SIZE).");
	case WK_LIMIT_CONTIGUITY:
		return tee ? advise_ram(profile, buffer, size) : wk_format(buffer, size, "Each mapping needs one piece of RAM.");
	case WK_LIMIT_MAPPINGS:
		return wk_format(buffer, size, "The TEE's core keeps a record of each mapping in its own heap (OP-TEE: "
			"CFG_CORE_HEAP_SIZE). Fewer and larger memories need fewer mappings.");
	case WK_LIMIT_PAGE_TABLES:
		return wk_format(buffer, size, "The TEE's core has a fixed number of page tables for a Trusted Application (OP-TEE: "
			"CFG_PGT_CACHE_ENTRIES), each for %llu bytes of addresses.", tee ? (number)profile->page_table_covers : 2097152);
	case WK_LIMIT_ADDRESSES:
		return wk_format(buffer, size, "The address space is too small%s.", tee ? " (profile: addresses)" :
			" (is there a limit, ulimit -v?)");
	case WK_LIMIT_MACHINE:
		return wk_format(buffer, size, "This machine has no more memory to give, or does not give more to this process.");
	default:
		return wk_format(buffer, size, "%s", "");
	}
}
