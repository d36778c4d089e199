/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables (specification 4.2.7) and the instructions that move many elements (4.6.7).
 *
 * A table's elements are slots. Small tables are on the heap, where they may move when they grow; large ones have pages
 * of their own, so that a table of millions of elements costs what it touches on systems that back pages lazily, and
 * grows without a second copy. All tables of a store together hold at most WK_MAX_TABLE_ELEMENTS: a module of a few
 * bytes can declare as many tables of any size as it likes, and this is what stops it.
 *
 * What always holds: size <= capacity; elements beyond size are not read; every bulk operation checks first and changes
 * nothing when it traps.
 */
#include "base/checked.h"
#include "format/limits.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

#define HEAP_ELEMENTS 2048u /* tables up to here are on the heap */

/* How many elements the table may ever have. */
static uint64_t largest(const struct wk_table_type *type)
{
	return type->limits.maximum < WK_MAX_TABLE_ELEMENTS ? type->limits.maximum : WK_MAX_TABLE_ELEMENTS;
}

/* Moves a table that outgrows the heap to pages of its own, or makes it there. */
static bool move_to_pages(struct wk_table *table, uint64_t count)
{
	struct wk_store *store = table->store;

	if (wk_linear_init(&table->pages, &store->keep->pager, &store->tables, WK_MAP_SPARSE, count * sizeof(uint64_t),
		largest(&table->type) * sizeof(uint64_t), NULL) != WK_OK)
		return false;
	if (table->size != 0)
		memcpy(table->pages.base, table->elements, (size_t)table->size * sizeof(uint64_t));
	wk_free(&store->heap, table->elements, (size_t)table->capacity * sizeof(uint64_t));
	table->elements = (uint64_t *)(void *)table->pages.base;
	table->capacity = count;
	return true;
}

/* Makes room for `count` elements, which is at most largest(). New elements' contents are not defined. */
static bool reserve(struct wk_table *table, uint64_t count)
{
	uint64_t *moved;
	uint64_t room;

	if (count <= table->capacity)
		return true;
	if (table->pages.base) {
		if (!wk_linear_grow(&table->pages, count * sizeof(uint64_t), WK_GROWTH_AHEAD))
			return false;
		table->capacity = count;
		return true;
	}
	if (count > HEAP_ELEMENTS)
		return move_to_pages(table, count);

	/* The first room is what was asked for: most tables never grow. */
	room = table->capacity * 2 < count ? count : table->capacity * 2;
	if (room > HEAP_ELEMENTS)
		room = HEAP_ELEMENTS;
	moved = wk_resize(&table->store->heap, table->elements, (size_t)table->capacity * sizeof(uint64_t),
		(size_t)room * sizeof(uint64_t));
	if (!moved)
		return false;
	table->elements = moved;
	table->capacity = room;
	return true;
}

/* Appends `count` elements, which the table's limits allow. */
static bool append(struct wk_table *table, uint64_t count, uint64_t value)
{
	struct wk_store *store = table->store;

	if (count > WK_MAX_TABLE_ELEMENTS - store->table_elements || !reserve(table, table->size + count))
		return false;
	store->table_elements += count;
	/* Pages that were never used are zero: null elements there are not written, so that they stay untouched. */
	if (value != 0 || !table->pages.base)
		for (uint64_t i = 0; i < count; i++)
			table->elements[table->size + i] = value;
	table->size += count;
	return true;
}

enum wk_status wk_table_init_storage(struct wk_store *store, struct wk_table *table, const struct wk_table_type *type,
	uint64_t init, struct wk_report *report)
{
	uint64_t count = type->limits.minimum;

	if (count > WK_MAX_TABLE_ELEMENTS - store->table_elements)
		return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"a table of %llu elements: the tables of a store may have %u in all, and have %llu already",
			(unsigned long long)count, WK_MAX_TABLE_ELEMENTS, (unsigned long long)store->table_elements);
	table->type = *type;
	table->store = store;
	table->next = store->table_list;
	if (!append(table, count, init))
		return wk_budget_refuse(count > HEAP_ELEMENTS ? &store->tables : &store->heap, count * sizeof(uint64_t),
			report);
	store->table_list = table;
	return WK_OK;
}

void wk_table_end_storage(struct wk_table *table)
{
	if (table->pages.base)
		wk_linear_end(&table->pages);
	else
		wk_free(&table->store->heap, table->elements, (size_t)table->capacity * sizeof(uint64_t));
	table->elements = NULL;
	table->size = table->capacity = 0;
}

enum wk_status wk_table_new(struct wk_store *store, const struct wk_table_type *type, uint64_t init,
	struct wk_table **table)
{
	struct wk_table *made = wk_arena_alloc(&store->arena, sizeof(*made));
	enum wk_status status;

	if (!made)
		return WK_NO_MEMORY;
	status = wk_table_init_storage(store, made, type, init, NULL);
	if (status == WK_OK)
		*table = made;
	return status;
}

/* ---- instructions (4.6.7) ---- */

uint64_t wk_table_grow(struct wk_table *table, uint64_t count, uint64_t value)
{
	uint64_t old = table->size;
	uint64_t wanted;

	if (wk_add64_overflows(old, count, &wanted) || wanted > largest(&table->type) || !append(table, count, value))
		return UINT64_MAX;
	return old;
}

enum wk_trap wk_table_fill(struct wk_table *table, uint64_t to, uint64_t value, uint64_t count)
{
	if (!wk_range_fits(to, count, table->size))
		return WK_TRAP_TABLE_BOUNDS;
	for (uint64_t i = 0; i < count; i++)
		table->elements[to + i] = value;
	return WK_TRAP_NONE;
}

enum wk_trap wk_table_copy(struct wk_table *to, struct wk_table *from, uint64_t to_index, uint64_t from_index,
	uint64_t count)
{
	if (!wk_range_fits(to_index, count, to->size) || !wk_range_fits(from_index, count, from->size))
		return WK_TRAP_TABLE_BOUNDS;
	if (count != 0)
		memmove(to->elements + to_index, from->elements + from_index, (size_t)count * sizeof(uint64_t));
	return WK_TRAP_NONE;
}

enum wk_trap wk_table_init(struct wk_instance *instance, uint32_t table, uint32_t segment, uint64_t to, uint32_t from,
	uint32_t count)
{
	struct wk_table *target = instance->tables[table];
	uint32_t size = instance->dropped_elements[segment] ? 0 : instance->module->elements[segment].count;

	if (!wk_range_fits(from, count, size) || !wk_range_fits(to, count, target->size))
		return WK_TRAP_TABLE_BOUNDS;
	if (count != 0)
		memcpy(target->elements + to, instance->element_slots[segment] + from, count * sizeof(uint64_t));
	return WK_TRAP_NONE;
}

void wk_element_drop(struct wk_instance *instance, uint32_t segment)
{
	/* The slots are in the store's arena and go with it. */
	instance->dropped_elements[segment] = 1;
	instance->element_slots[segment] = NULL;
}
