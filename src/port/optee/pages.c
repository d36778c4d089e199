/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a Trusted Application: zeroed pages that the system PTA maps (PTA_SYSTEM_MAP_ZI), where it is told to. So
 * ranges grow in place, and no patch of OP-TEE is needed; TA_DATA_SIZE stays small.
 *
 * User space is one aligned block of 1 GiB, of which the loader and the TA have the beginning. Behind them a gap is left
 * for memory that the normal world passes (space.h), then our ranges follow one another. OP-TEE has few page tables for a
 * TA, one for each 2 MiB of addresses in use: hence no other gaps.
 *
 * A refusal of OP-TEE's says only "out of memory". Which limit it was is found out by trying: see reason_of.
 *
 * What always holds: what is mapped in a range is one piece of addresses, [low, high); it was mapped by us. Unmapping
 * anything else could stop the whole TEE.
 */
#include <dlfcn.h>
#include <link.h>
#include <pta_stats.h>
#include <pta_system.h>
#include <string.h>
#include <utee_syscalls.h>

#include "memory/space.h"
#include "port/optee/optee.h"

#define PAGE ((size_t)4096)
#define USER_SPACE ((uintptr_t)1 << 30)
#define TABLE_COVERS ((uintptr_t)2 << 20)
#define BEFORE ((size_t)1 << 20)      /* larger than any gap before the TA's end */
#define LARGEST_STEP ((size_t)1 << 20)
#define LOADER ((uint64_t)18 * PAGE)  /* what OP-TEE 4 takes to load a TA, beside the TA */

struct extent { uintptr_t range, low, high; };

static struct {
	struct wk_provider provider;
	struct wk_fixed_part parts[WK_FIXED_PARTS];
	TEE_TASessionHandle system;
	uint64_t code, data;                  /* the TA's segments */
	struct wk_space space;
	struct extent extents[WK_SPACE_RANGES];
	uint32_t extent_count;
	uint64_t mapped, mappings;
} pages;

/* ---- the system PTA ---- */

/* `pad`: addresses that must be free behind it, which chooses the place and takes nothing. */
static TEE_Result call_system(uint32_t command, uintptr_t *address, size_t size, size_t pad, bool back)
{
	uint32_t types = TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT,
		back ? TEE_PARAM_TYPE_VALUE_INOUT : TEE_PARAM_TYPE_VALUE_INPUT,
		back ? TEE_PARAM_TYPE_VALUE_INPUT : TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	TEE_Param parameters[TEE_NUM_PARAMS] = { 0 };
	TEE_Result result;

	if (size > UINT32_MAX)
		return TEE_ERROR_OUT_OF_MEMORY;
	parameters[0].value.a = (uint32_t)size;
	parameters[1].value.a = (uint32_t)((uint64_t)*address >> 32);
	parameters[1].value.b = (uint32_t)*address;
	if (back)
		parameters[2].value.b = (uint32_t)pad;
	result = TEE_InvokeTACommand(pages.system, TEE_TIMEOUT_INFINITE, command, types, parameters, NULL);
	if (result == TEE_SUCCESS && back)
		*address = (uintptr_t)((uint64_t)parameters[1].value.a << 32 | parameters[1].value.b);
	return result;
}

TEE_Result wk_optee_map(uintptr_t *address, size_t size)
{
	return call_system(PTA_SYSTEM_MAP_ZI, address, size, 0, true);
}

TEE_Result wk_optee_unmap(uintptr_t address, size_t size)
{
	return call_system(PTA_SYSTEM_UNMAP, &address, size, 0, false);
}

uintptr_t wk_optee_behind(void)
{
	uintptr_t behind = (uintptr_t)pages.space.begin;

	for (uint32_t i = 0; i < pages.extent_count; i++)
		if (pages.extents[i].high > behind)
			behind = pages.extents[i].high;
	return behind;
}

void wk_optee_image(struct wk_optee_image *image)
{
	*image = (struct wk_optee_image){ .loader = LOADER, .code = pages.code, .data = pages.data };
}

/* ---- extents ---- */

static struct extent *extent_of(uintptr_t address)
{
	struct extent *found = NULL;

	/* The range with the highest start that is not above. */
	for (uint32_t i = 0; i < pages.extent_count; i++)
		if (pages.extents[i].range <= address && (!found || pages.extents[i].range > found->range))
			found = &pages.extents[i];
	return found;
}

static void *reserve(struct wk_provider *provider, size_t size)
{
	uint64_t start = 0;

	(void)provider;
	if (!wk_space_take(&pages.space, size, &start))
		return NULL;
	pages.extents[pages.extent_count++] = (struct extent){ (uintptr_t)start, 0, 0 };
	return (void *)(uintptr_t)start;
}

static void unmap(struct wk_provider *provider, void *at, size_t size)
{
	uintptr_t address = (uintptr_t)at;
	struct extent *extent = extent_of(address);

	(void)provider;
	if (size == 0 || wk_optee_unmap(address, size) != TEE_SUCCESS)
		TEE_Panic(TEE_ERROR_GENERIC); /* our own mistake: the books are wrong */
	pages.mapped -= size;
	if (address == extent->low)
		extent->low += size;
	else
		extent->high = address;
	if (extent->low == extent->high)
		extent->low = extent->high = 0;
}

static void release(struct wk_provider *provider, void *range, size_t size)
{
	struct extent *extent = extent_of((uintptr_t)range);

	(void)size;
	if (extent->high != extent->low)
		unmap(provider, (void *)extent->low, extent->high - extent->low);
	wk_space_give(&pages.space, (uint64_t)(uintptr_t)range);
	*extent = pages.extents[--pages.extent_count];
}

/* ---- why OP-TEE refuses ---- */

bool wk_optee_core_has_memory(void)
{
	uint32_t state = 0;

	/* The state of a hash is in the heap of OP-TEE's core. */
	if (_utee_cryp_state_alloc(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0, 0, &state) != TEE_SUCCESS)
		return false;
	(void)_utee_cryp_state_free(state);
	return true;
}

/* In the order in which OP-TEE looks: its heap, RAM, page tables. A page in the gap before our ranges needs no new page
 * table; if it can be had, RAM and heap are not the reason. */
static enum wk_limit_kind reason_of(TEE_Result result, size_t size)
{
	uintptr_t address = (uintptr_t)pages.space.begin - 2 * PAGE;

	if (result != TEE_ERROR_OUT_OF_MEMORY)
		return WK_LIMIT_ADDRESSES;
	if (size > PAGE)
		return WK_LIMIT_CONTIGUITY; /* smaller ones are tried then */
	if (wk_optee_map(&address, PAGE) == TEE_SUCCESS) {
		(void)wk_optee_unmap(address, PAGE);
		return WK_LIMIT_PAGE_TABLES;
	}
	return wk_optee_core_has_memory() ? WK_LIMIT_RAM : WK_LIMIT_MAPPINGS;
}

static enum wk_limit_kind map(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
	const char *subject)
{
	uintptr_t address = (uintptr_t)at;
	struct extent *extent = extent_of(address);
	TEE_Result result = wk_optee_map(&address, size);

	(void)provider, (void)use, (void)subject;
	if (result != TEE_SUCCESS)
		return reason_of(result, size);
	if (extent->low == extent->high)
		extent->low = address;
	extent->high = address + size;
	pages.mapped += size;
	pages.mappings++;
	return WK_LIMIT_NONE;
}

/* Page tables in use: blocks of addresses with anything in them. */
static uint64_t count_tables(void)
{
	uintptr_t base = (uintptr_t)pages.space.begin & ~(USER_SPACE - 1), last = (uintptr_t)pages.space.begin;
	uint64_t tables = 0;

	for (uintptr_t block = base; block < base + USER_SPACE; block += TABLE_COVERS) {
		bool used = block < last; /* the TA's own */
		for (uint32_t i = 0; i < pages.extent_count && !used; i++)
			used = pages.extents[i].low < block + TABLE_COVERS && pages.extents[i].high > block;
		tables += used;
	}
	return tables;
}

static uint64_t fixed(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < pages.provider.part_count; i++)
		sum += pages.parts[i].bytes;
	return sum;
}

static void describe(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value)
{
	uint64_t all = fixed() + pages.mapped;

	(void)provider;
	*used = *value = 0;
	if (limit == WK_LIMIT_RAM)
		*used = *value = all;
	else if (limit == WK_LIMIT_CONTIGUITY)
		*used = pages.provider.ram > all ? pages.provider.ram - all : 0;
	else if (limit == WK_LIMIT_MAPPINGS)
		*used = *value = pages.mappings;
	else if (limit == WK_LIMIT_PAGE_TABLES)
		*used = *value = count_tables();
}

static const struct wk_provider_ops ops = { reserve, release, map, unmap, describe };

struct wk_provider *wk_port_provider(void)
{
	return &pages.provider;
}

/* ---- beginning ---- */

static int add_segments(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size, (void)context;
	for (Elf_Half i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *header = &info->dlpi_phdr[i];
		uint64_t whole = (header->p_memsz + PAGE - 1) & ~((uint64_t)PAGE - 1);

		if (header->p_type == PT_LOAD)
			*(header->p_flags & PF_W ? &pages.data : &pages.code) += whole;
	}
	return 0;
}

/* What the TA itself takes, as far as it can be known from inside. */
static void note_parts(size_t data, size_t stack)
{
	dl_iterate_phdr(add_segments, NULL);
	pages.parts[0] = (struct wk_fixed_part){ "TA image and loader", LOADER + pages.code + pages.data - data };
	pages.parts[1] = (struct wk_fixed_part){ "TA heap (TA_DATA_SIZE)", data };
	pages.parts[2] = (struct wk_fixed_part){ "TA stack (TA_STACK_SIZE)", (stack + PAGE - 1) & ~(PAGE - 1) };
	pages.provider.part_count = 3;
}

/* Where our ranges may lie: behind all that the loader has mapped. */
static TEE_Result find_space(void)
{
	uintptr_t probe = 0;
	TEE_Result result;

	/* Without a hint it goes to the first gap that is large enough: behind the TA. One page, since there may be little
	 * RAM left, and none of it in one piece. */
	result = call_system(PTA_SYSTEM_MAP_ZI, &probe, PAGE, BEFORE, true);
	if (result != TEE_SUCCESS)
		return result;
	result = wk_optee_unmap(probe, PAGE);
	if (result != TEE_SUCCESS)
		return result;
	wk_space_init(&pages.space, probe + WK_SPACE_PASSED, (probe & ~(USER_SPACE - 1)) + USER_SPACE);
	return TEE_SUCCESS;
}

TEE_Result wk_optee_begin(size_t stack_size)
{
	static const TEE_UUID system = PTA_SYSTEM_UUID;
	extern const size_t ta_heap_size;
	TEE_Result result = TEE_OpenTASession(&system, TEE_TIMEOUT_INFINITE, 0, NULL, &pages.system, NULL);

	if (result == TEE_SUCCESS)
		result = find_space();
	if (result != TEE_SUCCESS)
		return result;
	pages.provider = (struct wk_provider){ .ops = &ops, .granule = PAGE, .heap_range = (size_t)256 << 10, .scarce = true,
		.parts = pages.parts };
	note_parts(ta_heap_size, stack_size);
	return TEE_SUCCESS;
}

void wk_optee_end(void)
{
	TEE_CloseTASession(pages.system);
}

/* The page below has no memory. */
void *wk_optee_stack(size_t size)
{
	uint8_t *range = reserve(&pages.provider, size + PAGE);

	if (!range)
		return NULL;
	if (map(&pages.provider, range + PAGE, size, WK_MAP_SPARSE, "native stack") != WK_LIMIT_NONE) {
		release(&pages.provider, range, size + PAGE);
		return NULL;
	}
	pages.parts[pages.provider.part_count++] = (struct wk_fixed_part){ "stack of guests' calls", size };
	pages.mapped -= size; /* counted with the parts from here on */
	return range + PAGE;
}

static void free_stack(void *stack, size_t size)
{
	pages.mapped += size;
	release(&pages.provider, (uint8_t *)stack - PAGE, size + PAGE);
	pages.provider.part_count--;
}

/* ---- libraries ---- */

/* The library goes to the lowest addresses that are free. So it is loaded while none of our ranges is there but the stack,
 * which goes and comes again: else it could lie where a range is to grow. */
TEE_Result wk_optee_library(const TEE_UUID *uuid, void **stack, size_t *stack_size, size_t new_size)
{
	uint64_t before = pages.code + pages.data, size;
	TEE_Param parameters[TEE_NUM_PARAMS] = { { .memref = { (void *)(uintptr_t)uuid, sizeof *uuid } },
		{ .value = { RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE, 0 } } };
	TEE_Result result, space;

	free_stack(*stack, *stack_size);
	result = TEE_InvokeTACommand(pages.system, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_DLOPEN, TEE_PARAM_TYPES(
		TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE), parameters,
		NULL);
	space = find_space();
	*stack_size = result == TEE_SUCCESS ? new_size : *stack_size;
	*stack = space == TEE_SUCCESS ? wk_optee_stack(*stack_size) : NULL;
	if (!*stack)
		return TEE_ERROR_OUT_OF_MEMORY;
	if (result == TEE_SUCCESS) {
		pages.code = pages.data = 0;
		dl_iterate_phdr(add_segments, NULL);
		size = pages.code + pages.data - before;
		pages.parts[pages.provider.part_count++] = (struct wk_fixed_part){ "compiled code", size };
	}
	return result;
}

void *wk_optee_symbol(const TEE_UUID *uuid, const char *name)
{
	TEE_Param parameters[TEE_NUM_PARAMS] = { { .memref = { (void *)(uintptr_t)uuid, sizeof *uuid } },
		{ .memref = { (void *)(uintptr_t)name, strlen(name) + 1 } } };

	if (TEE_InvokeTACommand(pages.system, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_DLSYM, TEE_PARAM_TYPES(
		TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_VALUE_OUTPUT, TEE_PARAM_TYPE_NONE),
		parameters, NULL) != TEE_SUCCESS)
		return NULL;
	return (void *)((uintptr_t)parameters[2].value.a << 32 | parameters[2].value.b);
}

/* ---- how much there is ---- */

/* What OP-TEE says is free of the RAM for TAs, if it keeps statistics (CFG_WITH_STATS). */
static bool ask_free(uint64_t *bytes)
{
	static const TEE_UUID uuid = STATS_UUID;
	struct pta_stats_alloc stats = { 0 };
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	TEE_Param parameters[TEE_NUM_PARAMS] = { 0 };
	bool good;

	if (TEE_OpenTASession(&uuid, TEE_TIMEOUT_INFINITE, 0, NULL, &session, NULL) != TEE_SUCCESS)
		return false;
	parameters[0].value.a = ALLOC_ID_TA_RAM;
	parameters[1].memref.buffer = &stats;
	parameters[1].memref.size = sizeof stats;
	good = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, STATS_CMD_ALLOC_STATS, TEE_PARAM_TYPES(
		TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE), parameters,
		NULL) == TEE_SUCCESS && parameters[1].memref.size == sizeof stats && stats.size != 0 &&
		stats.size >= stats.allocated;
	TEE_CloseTASession(session);
	if (good)
		*bytes = stats.size - stats.allocated;
	return good;
}

/* Maps pieces as large as can be had, one behind the other; returns the end. */
static uintptr_t map_all(uintptr_t from)
{
	uintptr_t at = from;

	for (size_t step = LARGEST_STEP; step >= PAGE;) {
		uintptr_t address = at;
		if (wk_optee_map(&address, step) == TEE_SUCCESS)
			at += step;
		else
			step /= 2;
	}
	return at;
}

void wk_optee_ram(uint64_t ram)
{
	uintptr_t from, to;
	uint64_t free_bytes = 0;

	if (ram != 0 || pages.provider.ram != 0) {
		pages.provider.ram = ram != 0 ? ram : pages.provider.ram;
		return;
	}
	/* Who asks takes nothing away: other sessions may need memory just now, or be asking too. */
	if (ask_free(&free_bytes)) {
		pages.provider.ram = fixed() + pages.mapped + free_bytes;
		return;
	}
	from = wk_optee_behind();
	to = map_all(from);
	if (to != from && wk_optee_unmap(from, to - from) != TEE_SUCCESS)
		TEE_Panic(TEE_ERROR_GENERIC);
	pages.provider.ram = fixed() + pages.mapped + (to - from);
}
