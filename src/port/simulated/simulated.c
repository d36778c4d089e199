/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated TEE: the memory of one Trusted Application (TA) as OP-TEE's core manages it, from a profile's figures.
 *
 *	RAM         an ordered list of what is taken; the lowest gap that is long enough is used, one block for each mapping
 *	addresses   regions in order; a mapping is put where it is wanted, or refused
 *	page tables one for each block of addresses in which anything is mapped; only so many
 *	core heap   books on each mapping; only so many
 *
 * The memory itself comes from another provider: the TA's address space is a range that was reserved there. The model was
 * compared with the emulated board, to the byte (docs/profiles.md). What is random there, how many addresses stay free
 * before the code, is taken to be the most.
 *
 * What the real TA does before it serves anybody (src/port/optee/pages.c, ta/entry.c) is done here, too: it leaves
 * WK_SPACE_PASSED addresses free behind its own parts, and maps a stack for guests' calls, with a page below it that has
 * no memory.
 *
 * What always holds: a block of RAM belongs to the fixed parts of the TA or to one mapping; mappings lie in reserved
 * ranges and do not overlap.
 */
#include <string.h>

#include <wasmkeep/memory.h>

#include "base/report.h"
#include "memory/space.h"
#include "port/port.h"

#define FIXED_PARTS (WK_PROFILE_LOADER + 3)
#define NATIVE_STACK "stack of guests' calls"

/* A block of RAM, and where it is seen. */
struct block {
	uint64_t start, size;   /* in RAM */
	uint64_t address;       /* of the TA */
	const char *name;
};

struct simulated {
	struct wk_provider provider;
	struct wk_provider *inner;
	struct wk_port_lock lock;
	struct wk_profile profile;
	uint8_t *range;         /* the real addresses that stand for the TA's */
	uint64_t range_size, range_skip;
	struct wk_space space;
	uint64_t limit;         /* mappings */
	uint32_t fixed, count;  /* blocks: the TA's own, all */
	uint64_t used, used_peak, mappings_peak, tables_peak;
	uint64_t largest;       /* free piece of RAM, when the last one was wanted that is larger */
	struct wk_fixed_part parts[WK_FIXED_PARTS];
	uint32_t part_count;
	uint64_t tables;        /* in use; tables_of[n]: regions in the n-th block of addresses */
	uint32_t *tables_of;
	struct block blocks[];  /* in the order of RAM; room for FIXED_PARTS + limit */
};

static struct simulated *of(struct wk_provider *provider) { return (struct simulated *)(void *)provider; }

/* Of the struct, its blocks, and the counts of tables behind them. */
static size_t struct_size(const struct wk_profile *profile, uint64_t limit, size_t granule)
{
	size_t size = sizeof(struct simulated) + (size_t)(FIXED_PARTS + limit) * sizeof(struct block) +
		(size_t)(profile->addresses / profile->page_table_covers) * sizeof(uint32_t);
	return (size + granule - 1) & ~(granule - 1);
}

/* ---- RAM ---- */

/* Holes lie behind each other with something between them, so no block spans two. */
static uint64_t hole_start(const struct simulated *s, uint32_t hole)
{
	uint64_t start = 0;

	for (uint32_t i = 0; i < hole; i++)
		start += s->profile.holes[i] + s->profile.page;
	return start;
}

static uint64_t ram_size(const struct wk_profile *profile)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < profile->hole_count; i++)
		sum += profile->holes[i];
	return sum;
}

/* Looks at each gap of RAM, in order, and calls `visit` until it returns true. */
struct gap { uint64_t start, size; uint32_t before; /* the block that follows the gap */ };

static bool next_gap(const struct simulated *s, uint32_t *hole, uint32_t *block, uint64_t *at, struct gap *gap)
{
	while (*hole < s->profile.hole_count) {
		uint64_t begin = hole_start(s, *hole), end = begin + s->profile.holes[*hole];
		if (*at < begin)
			*at = begin;
		bool inside = *block < s->count && s->blocks[*block].start < end;
		uint64_t until = inside ? s->blocks[*block].start : end;
		*gap = (struct gap){ *at, until - *at, *block };
		if (inside) {
			*at = until + s->blocks[*block].size;
			(*block)++;
		} else {
			(*hole)++;
		}
		if (gap->size != 0)
			return true;
	}
	return false;
}

static bool find_gap(const struct simulated *s, uint64_t size, struct gap *found, uint64_t *largest)
{
	uint32_t hole = 0, block = 0;
	uint64_t at = 0;
	struct gap gap;

	*largest = 0;
	while (next_gap(s, &hole, &block, &at, &gap)) {
		if (gap.size >= size) {
			*found = gap;
			return true;
		}
		if (gap.size > *largest)
			*largest = gap.size;
	}
	return false;
}

/* ---- page tables ---- */

/* Counts a region in (by 1) or out (by -1). */
static void count_tables(struct simulated *s, uint64_t address, uint64_t size, int by)
{
	uint64_t covers = s->profile.page_table_covers;

	for (uint64_t n = address / covers; n * covers < address + size; n++) {
		s->tables -= s->tables_of[n] != 0;
		s->tables_of[n] += (uint32_t)by;
		s->tables += s->tables_of[n] != 0;
	}
	if (s->tables > s->tables_peak && s->tables <= s->profile.page_tables)
		s->tables_peak = s->tables;
}

/* ---- blocks ---- */

static void insert(struct simulated *s, const struct gap *gap, uint64_t size, uint64_t address, const char *name)
{
	memmove(&s->blocks[gap->before + 1], &s->blocks[gap->before], (s->count - gap->before) * sizeof *s->blocks);
	s->blocks[gap->before] = (struct block){ gap->start, size, address, name };
	s->count++;
	s->used += size;
	count_tables(s, address, size, 1);
}

static void drop(struct simulated *s, uint32_t index)
{
	struct block gone = s->blocks[index];

	s->used -= gone.size;
	s->count--;
	memmove(&s->blocks[index], &s->blocks[index + 1], (s->count - index) * sizeof *s->blocks);
	count_tables(s, gone.address, gone.size, -1);
}

/* ---- the provider ---- */

static void *reserve(struct wk_provider *provider, size_t size)
{
	struct simulated *s = of(provider);
	uint64_t start = 0;
	bool found;

	wk_port_lock(&s->lock);
	found = wk_space_take(&s->space, size, &start);
	wk_port_unlock(&s->lock);
	return found ? s->range + s->range_skip + start : NULL;
}

static uint64_t address_of(const struct simulated *s, const void *at)
{
	return (uint64_t)((const uint8_t *)at - s->range) - s->range_skip;
}

/* Gives back all blocks that are seen in [address, address + size). */
static void drop_range(struct simulated *s, uint64_t address, uint64_t size)
{
	for (uint32_t i = 0; i < s->count;) {
		if (s->blocks[i].address >= address && s->blocks[i].address < address + size)
			drop(s, i);
		else
			i++;
	}
}

static void unmap(struct wk_provider *provider, void *at, size_t size)
{
	struct simulated *s = of(provider);

	wk_port_lock(&s->lock);
	drop_range(s, address_of(s, at), size);
	s->inner->ops->unmap(s->inner, at, size);
	wk_port_unlock(&s->lock);
}

static void release(struct wk_provider *provider, void *range, size_t size)
{
	struct simulated *s = of(provider);

	unmap(provider, range, size);
	wk_port_lock(&s->lock);
	wk_space_give(&s->space, address_of(s, range));
	wk_port_unlock(&s->lock);
}

/* In the order in which OP-TEE's core looks: its heap, RAM, page tables. */
static enum wk_limit_kind take(struct simulated *s, uint64_t address, uint64_t size, const char *subject)
{
	struct gap gap;
	uint64_t largest;

	if (s->count - s->fixed >= s->limit)
		return WK_LIMIT_MAPPINGS;
	if (!find_gap(s, size, &gap, &largest)) {
		s->largest = largest;
		return ram_size(&s->profile) - s->used >= size ? WK_LIMIT_CONTIGUITY : WK_LIMIT_RAM;
	}
	insert(s, &gap, size, address, subject);
	if (s->tables > s->profile.page_tables) {
		drop(s, gap.before);
		return WK_LIMIT_PAGE_TABLES;
	}
	if (s->used > s->used_peak)
		s->used_peak = s->used;
	if (s->count - s->fixed > s->mappings_peak)
		s->mappings_peak = s->count - s->fixed;
	return WK_LIMIT_NONE;
}

static enum wk_limit_kind map(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
	const char *subject)
{
	struct simulated *s = of(provider);
	uint64_t address = address_of(s, at);
	enum wk_limit_kind limit;

	wk_port_lock(&s->lock);
	limit = take(s, address, size, subject);
	if (limit == WK_LIMIT_NONE) {
		limit = s->inner->ops->map(s->inner, at, size, use, subject);
		if (limit != WK_LIMIT_NONE)
			drop_range(s, address, size);
	}
	wk_port_unlock(&s->lock);
	return limit;
}

static void describe(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value)
{
	struct simulated *s = of(provider);

	wk_port_lock(&s->lock);
	switch (limit) {
	case WK_LIMIT_CONTIGUITY:
		*used = ram_size(&s->profile) - s->used;
		*value = s->largest;
		break;
	case WK_LIMIT_MAPPINGS:
		*used = s->count - s->fixed;
		*value = s->limit;
		break;
	case WK_LIMIT_PAGE_TABLES:
		*used = s->tables;
		*value = s->profile.page_tables;
		break;
	case WK_LIMIT_RAM:
		*used = s->used;
		*value = ram_size(&s->profile);
		break;
	default:
		*used = *value = 0;
		break;
	}
	wk_port_unlock(&s->lock);
}

/* ---- the TA itself ---- */

static uint64_t whole(uint64_t size, uint64_t page)
{
	return (size + page - 1) & ~(page - 1);
}

/* Takes one of the TA's parts at *address, and moves that behind it. */
static enum wk_status load_part(struct simulated *s, uint64_t size, const char *name, uint64_t *address,
	struct wk_report *report)
{
	struct gap gap;
	uint64_t largest;

	if (!find_gap(s, size, &gap, &largest))
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the Trusted Application cannot be loaded: the largest free piece of RAM has %llu bytes, and its %s needs %llu",
			(unsigned long long)largest, name, (unsigned long long)size);
	insert(s, &gap, size, *address, name);
	*address += size;
	s->fixed++;
	return WK_OK;
}

/* What is seen of them in a report is what the real TA says of itself. */
static void note_parts(struct simulated *s, uint64_t data, uint64_t stack, uint64_t native_stack)
{
	s->parts[0] = (struct wk_fixed_part){ "TA image and loader", s->used - data - stack - native_stack };
	s->parts[1] = (struct wk_fixed_part){ "TA heap (TA_DATA_SIZE)", data };
	s->parts[2] = (struct wk_fixed_part){ "TA stack (TA_STACK_SIZE)", stack };
	s->parts[3] = (struct wk_fixed_part){ NATIVE_STACK, native_stack };
	s->part_count = native_stack != 0 ? 4 : 3;
}

/* A mapping like any other, but the first one, and it stays. */
static enum wk_status map_native_stack(struct simulated *s, struct wk_report *report)
{
	uint64_t size = s->profile.ta_native_stack, start = 0;

	if (size == 0 || (wk_space_take(&s->space, s->profile.page + size, &start) &&
		take(s, start + s->profile.page, size, NATIVE_STACK) == WK_LIMIT_NONE))
		return WK_OK;
	return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
		"the Trusted Application cannot start: no %llu bytes can be mapped for the stack of guests' calls",
		(unsigned long long)size);
}

/* The order is that of OP-TEE, since first fit depends on it. */
static enum wk_status load(struct simulated *s, struct wk_report *report)
{
	const struct wk_profile *p = &s->profile;
	uint64_t address = p->kernel_addresses + p->page;
	uint64_t stack = whole(p->ta_stack_size + p->stack_extra, p->page);
	enum wk_status status = WK_OK;

	for (uint32_t i = 0; i < p->loader_count && status == WK_OK; i++)
		status = load_part(s, p->loader[i], "loader", &address, report);
	address += p->pad;
	if (status == WK_OK)
		status = load_part(s, whole(p->ta_code, p->page), "code", &address, report);
	if (status == WK_OK)
		status = load_part(s, whole(p->ta_data + p->ta_data_size, p->page), "data with TA_DATA_SIZE", &address, report);
	if (status == WK_OK)
		status = load_part(s, stack, "stack", &address, report);
	if (status != WK_OK)
		return status;
	address += whole(WK_SPACE_PASSED, p->page);
	if (address > p->addresses || s->tables > p->page_tables)
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the Trusted Application cannot be loaded: its parts need more than the %llu page tables, or addresses, that it may have",
			(unsigned long long)p->page_tables);
	s->used_peak = s->used;
	wk_space_init(&s->space, address, p->addresses);
	status = map_native_stack(s, report);
	if (status == WK_OK)
		note_parts(s, p->ta_data_size, stack, p->ta_native_stack);
	return status;
}

/* ---- making and ending ---- */

static const struct wk_provider_ops ops = { reserve, release, map, unmap, describe };

static struct simulated *take_struct(struct wk_provider *inner, const struct wk_profile *profile, uint64_t limit,
	struct wk_report *report)
{
	size_t size = struct_size(profile, limit, inner->granule);
	void *memory = inner->ops->reserve(inner, size);

	if (memory && inner->ops->map(inner, memory, size, WK_MAP_SPARSE, "the simulated TEE") == WK_LIMIT_NONE)
		return memory;
	if (memory)
		inner->ops->release(inner, memory, size);
	wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION, "out of memory: the machine refused %zu bytes for the simulated TEE", size);
	return NULL;
}

/* The TA's addresses, beginning with a block as the real ones do. */
static bool take_range(struct simulated *s)
{
	uint64_t covers = s->profile.page_table_covers, size;

	if (__builtin_add_overflow(s->profile.addresses, covers, &size) || size > SIZE_MAX)
		return false;
	s->range = s->inner->ops->reserve(s->inner, (size_t)size);
	if (!s->range)
		return false;
	s->range_size = size;
	s->range_skip = (covers - ((uint64_t)(uintptr_t)s->range & (covers - 1))) & (covers - 1);
	return true;
}

enum wk_status wk_simulated_new(const struct wk_profile *profile, struct wk_report *report,
	struct wk_provider **provider)
{
	struct wk_provider *inner = wk_port_provider();
	struct simulated *s;
	uint64_t limit;
	enum wk_status status = wk_profile_check(profile, report);

	if (status != WK_OK)
		return status;
	if (profile->hole_count == 0 || profile->page < inner->granule)
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, profile->hole_count == 0 ?
			"the profile has no limits: there is nothing to simulate" : "page: it is smaller than this machine's pages");
	limit = (profile->core_heap - profile->core_heap_used - profile->core_heap_ta) / profile->core_heap_mapping;
	s = take_struct(inner, profile, limit, report);
	if (!s)
		return WK_NO_MEMORY;
	s->inner = inner;
	s->profile = *profile;
	s->limit = limit;
	s->tables_of = (uint32_t *)(void *)(s->blocks + FIXED_PARTS + limit);
	count_tables(s, 0, profile->kernel_addresses, 1);
	status = load(s, report);
	if (status == WK_OK && !take_range(s))
		status = wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"out of memory: this machine has no room for %llu bytes of addresses for the simulated TEE",
			(unsigned long long)profile->addresses);
	s->provider = (struct wk_provider){ .ops = &ops, .granule = (size_t)profile->page, .heap_range = (size_t)256 << 10,
		.scarce = true, .ram = ram_size(profile), .parts = s->parts, .part_count = s->part_count };
	if (status != WK_OK) {
		wk_simulated_delete(&s->provider);
		return status;
	}
	*provider = &s->provider;
	return WK_OK;
}

void wk_simulated_delete(struct wk_provider *provider)
{
	struct simulated *s = provider ? of(provider) : NULL;
	struct wk_provider *inner;

	if (!s)
		return;
	inner = s->inner;
	if (s->range)
		inner->ops->release(inner, s->range, (size_t)s->range_size);
	inner->ops->release(inner, s, struct_size(&s->profile, s->limit, inner->granule));
}

/* ---- what there is to see ---- */

uint32_t wk_simulated_ram(const struct wk_provider *provider, struct wk_stretch *stretches, uint32_t room)
{
	const struct simulated *s = (const struct simulated *)(const void *)provider;

	for (uint32_t i = 0; i < s->count && i < room; i++)
		stretches[i] = (struct wk_stretch){ s->blocks[i].start, s->blocks[i].size, s->blocks[i].name };
	return s->count;
}

void wk_simulated_use(const struct wk_provider *provider, struct wk_simulated_use *use)
{
	const struct simulated *s = (const struct simulated *)(const void *)provider;

	*use = (struct wk_simulated_use){ s->count - s->fixed, s->mappings_peak, s->limit, s->tables, s->tables_peak,
		s->profile.page_tables, s->used, s->used_peak, ram_size(&s->profile) };
}

uint64_t wk_profile_free(const struct wk_profile *profile)
{
	struct wk_provider *provider = NULL;
	uint64_t left;

	if (profile->hole_count == 0 || wk_simulated_new(profile, NULL, &provider) != WK_OK)
		return 0;
	left = provider->ram - of(provider)->used;
	wk_simulated_delete(provider);
	return left;
}
