/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe: everything is found out by asking until it is refused, then given back. It has the whole TEE's memory for a
 * moment, so other TAs may be refused meanwhile: it runs only when somebody asks for it, before there is a keep.
 *
 * What always holds: what was mapped lies in one piece behind wk_optee_space(), so giving back is one call for each run of
 * pages.
 */
#include <string.h>

#include "port/optee/optee.h"
#include "ta/probe.h"

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

/* Pieces of one size, until there is none. */
static void measure_pieces(size_t size, uint64_t *total, uint64_t *count)
{
	uintptr_t from = behind, address = behind;

	for (*count = 0; wk_optee_map(&address, size) == TEE_SUCCESS; address = behind) {
		behind += size;
		++*count;
	}
	*total = *count * size;
	give_back(from);
}

/* The largest piece, then the largest of what is left, and so on: the holes of the RAM. */
static void measure_holes(struct wk_ta_probe *probe)
{
	uintptr_t from = behind, address;

	probe->most = 0;
	for (probe->hole_count = 0; probe->hole_count < WK_TA_HOLES; probe->hole_count++) {
		size_t size = search(PAGE, LARGEST, can_map);

		address = behind;
		if (size == 0 || wk_optee_map(&address, size) != TEE_SUCCESS)
			break;
		behind += size;
		probe->holes[probe->hole_count] = size;
		probe->most += size;
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
	probe->own_tables = (first - base) / TABLE_COVERS;
	probe->tables = (uint32_t)((block - base) / TABLE_COVERS);
	while (block > first) {
		block -= TABLE_COVERS;
		(void)wk_optee_unmap(block, PAGE);
	}
}

static void measure_mappings(struct wk_ta_probe *probe)
{
	uintptr_t from = behind, address = behind;
	uint64_t count = 0;

	while (wk_optee_map(&address, PAGE) == TEE_SUCCESS) {
		address = behind += PAGE;
		count++;
	}
	probe->mappings = wk_optee_core_has_memory() ? 0 : count;
	give_back(from);
}

void wk_ta_probe(struct wk_ta_probe *probe)
{
	const struct wk_provider *provider = wk_port_provider();

	behind = wk_optee_space();
	/* Behind what is mapped already. */
	while (!can_map(PAGE) && behind < wk_optee_space() + LARGEST / 16)
		behind += PAGE;
	probe->image = provider->parts[0].bytes;
	probe->data_size = provider->parts[1].bytes;
	probe->stack_size = provider->parts[2].bytes;
	probe->guest_stack = provider->part_count > 3 ? provider->parts[3].bytes : 0;
	probe->malloc = search(8, LARGEST, can_allocate);
	probe->largest = search(PAGE, LARGEST, can_map);
	measure_holes(probe);
	for (unsigned i = 0; i < WK_TA_PIECES; i++) {
		probe->total[i] = probe->count[i] = 0;
		if (probe->piece[i] >= PAGE && probe->piece[i] <= LARGEST && probe->piece[i] % PAGE == 0)
			measure_pieces((size_t)probe->piece[i], &probe->total[i], &probe->count[i]);
	}
	measure_tables(probe);
	measure_mappings(probe);
}
