/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was measured to a profile. The TA measures what is left beside itself: the hole from which OP-TEE took the
 * TA's parts is larger by these. Which one that was cannot be seen; it is the smallest, since parts are taken from the
 * first hole that is large enough, and that one is what is left of early memory.
 *
 * The heap of OP-TEE's core is known only by how many mappings it allows.
 */
#include <wasmkeep/client.h>

#include <string.h>

#define PAGE 4096u
#define MAPPING 256u        /* bytes of the core's heap that a mapping takes (docs/optee-memory.md) */
#define ENOUGH_MAPPINGS 4096u
#define STACK_EXTRA 2048u

void wk_probe_profile(const struct wk_probe *probe, const char *name, struct wk_profile *profile)
{
	static const uint64_t loader[] = { 4096, 8192, 36864, 4096, 16384, 4096 };
	uint64_t loader_sum = 0, fixed = probe->image + probe->data_size + probe->stack_size;
	size_t length = strlen(name);
	uint64_t mappings = probe->mappings ? probe->mappings : ENOUGH_MAPPINGS;

	memset(profile, 0, sizeof *profile);
	memcpy(profile->name, name, length < sizeof profile->name ? length : sizeof profile->name - 1);
	profile->page = PAGE;
	/* The largest comes first in the probe, and last in the RAM. */
	profile->hole_count = probe->hole_count < WK_PROFILE_HOLES ? probe->hole_count : WK_PROFILE_HOLES;
	for (uint32_t i = 0; i < profile->hole_count; i++)
		profile->holes[i] = probe->holes[profile->hole_count - 1 - i];
	if (profile->hole_count != 0)
		profile->holes[0] += fixed;
	profile->addresses = (uint64_t)1 << 30;
	profile->page_tables = probe->tables;
	profile->page_table_covers = 2u << 20;
	profile->kernel_addresses = 3 * PAGE;
	profile->loader_count = sizeof loader / sizeof *loader;
	memcpy(profile->loader, loader, sizeof loader);
	for (size_t i = 0; i < profile->loader_count; i++)
		loader_sum += loader[i];
	profile->pad = 127 * PAGE;
	profile->ta_code = probe->image - loader_sum;
	profile->ta_data_size = probe->data_size;
	profile->ta_stack_size = probe->stack_size - STACK_EXTRA;
	profile->stack_extra = STACK_EXTRA;
	profile->core_heap = mappings * MAPPING;
	profile->core_heap_mapping = MAPPING;
	profile->shared_memory = probe->shared;
}
