/* SPDX-License-Identifier: Apache-2.0
 *
 * Memories (specification 4.2.8) and the instructions that move many bytes (4.6.8). The bytes themselves are
 * src/memory's; here are limits in pages and the rules of the instructions.
 *
 * What always holds: the size is a whole number of pages and at most `maximum`; a memory with 32-bit addresses has at
 * most 2^32 bytes, and its size in pages fits 32 bits.
 */
#include "base/checked.h"
#include "format/limits.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

/* The most bytes a memory of this type can have, by its declaration and by ours. */
static uint64_t largest(const struct wk_memory_type *type)
{
	uint64_t most = type->limits.is64 ? WK_MAX_MEMORY64_BYTES : UINT64_C(1) << 32;

	/* memory.size of a memory with pages of one byte counts bytes in an i32: 2^32 does not fit. */
	if (!type->limits.is64 && type->page_log2 == 0)
		most = UINT32_MAX;
	if (type->limits.maximum <= most >> type->page_log2)
		most = type->limits.maximum << type->page_log2;
	return most;
}

/* As many as fit the type. */
static uint64_t bytes_of(uint64_t pages, const struct wk_memory_type *type)
{
	return pages > UINT64_MAX >> type->page_log2 ? UINT64_MAX : pages << type->page_log2;
}

/* Is the maximum the module's own? */
static bool is_declared(const struct wk_memory *memory)
{
	return memory->type.limits.maximum <= memory->maximum >> memory->type.page_log2;
}

enum wk_status wk_memory_init_storage(struct wk_store *store, struct wk_memory *memory,
	const struct wk_memory_type *type, uint64_t bytes, struct wk_report *report)
{
	uint64_t most = largest(type);
	enum wk_status status;

	if (type->limits.minimum > most >> type->page_log2)
		return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"a memory of %llu pages: more than %llu bytes are not supported",
			(unsigned long long)type->limits.minimum, (unsigned long long)most);
	status = (type->limits.is64 ? wk_linear_init : wk_linear_init_guarded)(&memory->linear, &store->keep->pager,
		&store->memories, WK_MAP_SPARSE, bytes, most, report);
	if (status != WK_OK)
		return status;
	memory->type = *type;
	memory->maximum = most;
	memory->minimum = type->limits.minimum << type->page_log2;
	memory->store = store;
	memory->next = store->memory_list;
	store->memory_list = memory;
	return WK_OK;
}

enum wk_status wk_memory_new(struct wk_store *store, const struct wk_memory_type *type, struct wk_memory **memory)
{
	struct wk_memory *made = wk_arena_alloc(&store->arena, sizeof(*made));
	enum wk_status status;

	if (!made)
		return WK_NO_MEMORY;
	status = wk_memory_init_storage(store, made, type, bytes_of(type->limits.minimum, type), NULL);
	if (status == WK_OK)
		*memory = made;
	return status;
}

/* ---- instructions (4.6.8) ---- */

uint64_t wk_memory_grow(struct wk_memory *memory, uint64_t pages)
{
	uint64_t old = memory->linear.size;
	uint64_t free = memory->maximum - old;
	struct wk_pager *pager = memory->linear.pager;

	if (pages > free >> memory->type.page_log2) {
		wk_pager_give_up(pager, &(struct wk_refusal){ is_declared(memory) ? WK_LIMIT_DECLARED : WK_LIMIT_SUPPORTED,
			memory->linear.budget->name, bytes_of(pages, &memory->type), old, memory->maximum });
		return UINT64_MAX;
	}
	if (!wk_linear_grow(&memory->linear, old + (pages << memory->type.page_log2), WK_GROWTH_AHEAD)) {
		wk_pager_give_up(pager, NULL);
		return UINT64_MAX;
	}
	if (pages != 0)
		wk_pager_grown(pager, memory->linear.budget->name, pages << memory->type.page_log2);
	return old >> memory->type.page_log2;
}

bool wk_memory_complete(struct wk_memory *memory)
{
	if (memory->linear.size >= memory->minimum)
		return true;
	if (wk_linear_grow(&memory->linear, memory->minimum, WK_GROWTH_EXACT))
		return true;
	wk_pager_give_up(&memory->store->keep->pager, NULL);
	return false;
}

enum wk_trap wk_memory_fill(struct wk_memory *memory, uint64_t to, uint8_t value, uint64_t size)
{
	if (!wk_range_fits(to, size, memory->linear.size))
		return WK_TRAP_MEMORY_BOUNDS;
	if (size != 0)
		memset(memory->linear.base + to, value, (size_t)size);
	return WK_TRAP_NONE;
}

enum wk_trap wk_memory_copy(struct wk_memory *to, struct wk_memory *from, uint64_t to_address, uint64_t from_address,
	uint64_t size)
{
	if (!wk_range_fits(to_address, size, to->linear.size) || !wk_range_fits(from_address, size, from->linear.size))
		return WK_TRAP_MEMORY_BOUNDS;
	if (size != 0)
		memmove(to->linear.base + to_address, from->linear.base + from_address, (size_t)size);
	return WK_TRAP_NONE;
}

enum wk_trap wk_memory_init(struct wk_instance *instance, uint32_t memory, uint32_t segment, uint64_t to, uint32_t from,
	uint32_t size)
{
	struct wk_memory *target = instance->memories[memory];
	struct wk_span bytes = instance->module->datas[segment].bytes;

	if (instance->dropped_datas[segment])
		bytes.size = 0;
	if (!wk_range_fits(from, size, bytes.size) || !wk_range_fits(to, size, target->linear.size))
		return WK_TRAP_MEMORY_BOUNDS;
	if (size != 0)
		memcpy(target->linear.base + to, bytes.data + from, size);
	return WK_TRAP_NONE;
}

void wk_data_drop(struct wk_instance *instance, uint32_t segment)
{
	instance->dropped_datas[segment] = 1;
}
