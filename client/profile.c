/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was measured to a profile. The TA measures what is left beside itself: the holes from which OP-TEE took the
 * TA's parts are larger by these. Which ones they were cannot be seen; all is counted to the smallest one, since parts are
 * taken from the first hole that is large enough, and that is usually what is left of early memory. The sum is right in
 * any case.
 *
 * The heap of OP-TEE's core is known only by how many mappings it allows.
 */
#include <wasmkeep/client.h>

#include <string.h>

#define PAGE ((uint64_t)4096)
#define MAPPING 256u        /* bytes of the core's heap that a mapping takes (docs/optee-memory.md) */
#define ENOUGH_MAPPINGS 4096u

/* The largest come first in the probe, and last in the RAM; those that there is no room for are counted to the first. */
static void take_holes(const struct wk_probe *probe, struct wk_profile *profile)
{
	uint32_t count = probe->hole_count < WK_PROFILE_HOLES ? probe->hole_count : WK_PROFILE_HOLES;
	uint64_t rest = probe->ram;

	if (count == 0)
		profile->holes[count++] = 0;
	profile->hole_count = count;
	for (uint32_t i = 1; i < count; i++)
		rest -= profile->holes[i] = probe->holes[count - 1 - i];
	profile->holes[0] = rest;
}

void wk_probe_profile(const struct wk_probe *probe, const char *name, struct wk_profile *profile)
{
	static const uint64_t loader[] = { 4096, 8192, 36864, 4096, 16384, 4096 };
	size_t length = strlen(name);
	uint64_t mappings = probe->mappings ? probe->mappings : ENOUGH_MAPPINGS;

	memset(profile, 0, sizeof *profile);
	memcpy(profile->name, name, length < sizeof profile->name ? length : sizeof profile->name - 1);
	profile->page = PAGE;
	take_holes(probe, profile);
	profile->addresses = (uint64_t)1 << 30;
	profile->page_tables = probe->tables;
	profile->page_table_covers = 2u << 20;
	profile->kernel_addresses = 3 * PAGE;
	profile->loader_count = sizeof loader / sizeof *loader;
	memcpy(profile->loader, loader, sizeof loader);
	profile->pad = 127 * PAGE;
	profile->ta_code = probe->code;
	profile->ta_data = probe->data - probe->data_size;
	profile->ta_data_size = probe->data_size;
	profile->ta_stack_size = probe->stack_size;
	profile->stack_extra = WK_PROBE_STACK_EXTRA;
	profile->ta_native_stack = probe->guest_stack;
	/* The TA has mapped its own stack for guests before. */
	profile->core_heap = (mappings + (probe->guest_stack != 0)) * MAPPING;
	profile->core_heap_mapping = MAPPING;
	profile->shared_memory = probe->shared;
}
