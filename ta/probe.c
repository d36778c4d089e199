/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe: everything is found out by asking until it is refused, then given back. It has the whole TEE's memory for a
 * moment, so other TAs may be refused meanwhile: it runs only when somebody asks for it, before there is a keep.
 *
 * What always holds: what was mapped lies in one piece behind wk_optee_behind(), so giving back is one call for each run of
 * pages.
 */
#include <string.h>

#include "port/optee/optee.h"
#include "ta/probe.h"
#include "user_ta_header_defines.h"

#define PAGE ((size_t)4096)
#define USER_SPACE ((uintptr_t)1 << 30)
#define TABLE_COVERS ((uintptr_t)2 << 20)
#define LARGEST ((size_t)1 << 30)

/* The largest size, in steps, that `can` allows; 0: none. `most` is beyond. */
static size_t search(size_t step, size_t most, bool (*can)(size_t size))
{
	size_t low = 0, high = most / step;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (can(middle * step))
			low = middle;
		else
			high = middle;
	}
	return low * step;
}

static bool can_allocate(size_t size)
{
	void *block = TEE_Malloc(size, TEE_MALLOC_FILL_ZERO);

	TEE_Free(block);
	return block != NULL;
}

static uintptr_t behind; /* where the next piece is tried */

static bool can_map(size_t size)
{
	uintptr_t address = behind;

	if (wk_optee_map(&address, size) != TEE_SUCCESS)
		return false;
	(void)wk_optee_unmap(address, size);
	return true;
}

static void give_back(uintptr_t from)
{
	if (behind != from)
		(void)wk_optee_unmap(from, behind - from);
	behind = from;
}

static void measure_sizes(struct wk_ta_probe *probe)
{
	const struct wk_provider *provider = wk_port_provider();
	struct wk_optee_image image;

	wk_optee_image(&image);
	probe->loader = image.loader;
	probe->code = image.code;
	probe->data = image.data;
	probe->data_size = provider->parts[1].bytes;
	probe->stack_size = TA_STACK_SIZE;
	probe->guest_stack = provider->part_count > 3 ? provider->parts[3].bytes : 0;
	probe->malloc = search(8, LARGEST, can_allocate);
}

/* The largest piece, then the largest of what is left, and so on: the holes of the RAM. */
static void measure_holes(struct wk_ta_probe *probe)
{
	uintptr_t from = behind, address;

	probe->below = behind & (USER_SPACE - 1);
	for (probe->hole_count = 0; probe->hole_count < WK_TA_HOLES; probe->hole_count++) {
		size_t size = search(PAGE, LARGEST, can_map);

		address = behind;
		if (size == 0 || wk_optee_map(&address, size) != TEE_SUCCESS)
			break;
		behind += size;
		probe->holes[probe->hole_count] = size;
	}
	give_back(from);
}

/* A page in each block of addresses that has a table of its own. */
static void measure_tables(struct wk_ta_probe *probe)
{
	uintptr_t base = behind & ~(USER_SPACE - 1);
	uintptr_t first = (behind + TABLE_COVERS - 1) & ~(TABLE_COVERS - 1), block = first, address = first;

	while (block < base + USER_SPACE && wk_optee_map(&address, PAGE) == TEE_SUCCESS)
		address = block += TABLE_COVERS;
	probe->tables = (block - base) / TABLE_COVERS;
	while (block > first) {
		block -= TABLE_COVERS;
		(void)wk_optee_unmap(block, PAGE);
	}
}

/* Pieces of one size, until there is none. */
static void measure_pieces(struct wk_ta_probe *probe, size_t which)
{
	uintptr_t from = behind, address = behind;
	uint64_t size = probe->piece[which];

	probe->count[which] = probe->full[which] = 0;
	if (size < PAGE || size > LARGEST || size % PAGE != 0)
		return;
	for (; wk_optee_map(&address, (size_t)size) == TEE_SUCCESS; address = behind) {
		behind += (size_t)size;
		probe->count[which]++;
	}
	probe->full[which] = !wk_optee_core_has_memory();
	give_back(from);
}

void wk_ta_probe(struct wk_ta_probe *probe)
{
	behind = wk_optee_behind();
	if (probe->step == WK_TA_PROBE_SIZES)
		measure_sizes(probe);
	else if (probe->step == WK_TA_PROBE_HOLES)
		measure_holes(probe);
	else if (probe->step == WK_TA_PROBE_TABLES)
		measure_tables(probe);
	else if (probe->step < WK_TA_PROBE_STEPS)
		measure_pieces(probe, (size_t)(probe->step - WK_TA_PROBE_PIECES));
}
