/* SPDX-License-Identifier: Apache-2.0
 *
 * Budgets: a tree of counters that every allocation passes.
 *
 * A charge walks from the node to the root and takes its bytes at each; a node that has too little left refuses, and the
 * nodes below it get their bytes back. So a charge that races with another one near the limit may be refused although
 * only one of the two would have had to be: limits are never exceeded, not even for a moment. Counters are changed with
 * atomic operations of relaxed order: they guard numbers, not the memory that is being allocated.
 *
 * What always holds: used <= limit, and a node's `used` is at least the sum of its children's. Bytes are
 * charged as asked for; what the heap itself adds to a block is not known here and not charged.
 */
#include "memory/budget.h"

#include "base/checked.h"
#include "memory/pager.h"

/* Blocks of no bytes: every one of them has this address, and none is ever read, written or freed. */
static const uint64_t empty_block[2];

static void *no_bytes(void)
{
	return (void *)(uintptr_t)empty_block;
}

static void check_own(bool condition)
{
	/* Our own mistake, not an input's: assert() would need libc's reporting. */
	if (!condition)
		__builtin_trap();
}

void wk_budget_init(struct wk_budget *budget, struct wk_budget *parent, const char *name, uint64_t limit,
	const struct wk_allocator *allocator)
{
	check_own(parent || allocator);
	*budget = (struct wk_budget){
		.parent = parent,
		.name = name,
		.limit = limit,
		.allocator = parent ? parent->allocator : allocator,
		.pager = parent ? parent->pager : NULL,
	};
}

void wk_budget_end(struct wk_budget *budget)
{
	check_own(__atomic_load_n(&budget->used, __ATOMIC_RELAXED) == 0);
}

static void give_back(struct wk_budget *node, uint64_t size)
{
	uint64_t before = __atomic_fetch_sub(&node->used, size, __ATOMIC_RELAXED);

	check_own(before >= size);
}

/* Recursion as deep as the tree of budgets, which we make ourselves: a handful. It lets a node's peak count only what
 * the nodes above have granted, too. */
struct wk_budget *wk_budget_charge(struct wk_budget *budget, uint64_t size)
{
	uint64_t used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
	uint64_t now, peak;

	do {
		if (size > budget->limit - used || wk_add64_overflows(used, size, &now))
			return budget;
	} while (!__atomic_compare_exchange_n(&budget->used, &used, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));

	if (budget->parent) {
		struct wk_budget *refused = wk_budget_charge(budget->parent, size);

		if (refused) {
			give_back(budget, size);
			return refused;
		}
	}

	peak = __atomic_load_n(&budget->peak, __ATOMIC_RELAXED);
	while (peak < now)
		if (__atomic_compare_exchange_n(&budget->peak, &peak, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			break;
	return NULL;
}

void wk_budget_return(struct wk_budget *budget, uint64_t size)
{
	for (struct wk_budget *node = budget; node; node = node->parent)
		give_back(node, size);
}

void *wk_alloc(struct wk_budget *budget, size_t size)
{
	void *block;

	if (size == 0)
		return no_bytes();
	if (wk_budget_charge(budget, size))
		return NULL;
	block = budget->allocator->alloc(budget->allocator->context, size);
	if (!block) {
		wk_budget_return(budget, size);
		return NULL;
	}
	for (struct wk_budget *node = budget; node; node = node->parent)
		__atomic_fetch_add(&node->allocations, 1, __ATOMIC_RELAXED);
	memset(block, 0, size);
	return block;
}

void *wk_alloc_array(struct wk_budget *budget, size_t count, size_t item)
{
	size_t size;

	return wk_mul_overflows(count, item, &size) ? NULL : wk_alloc(budget, size);
}

/* The allocator has made the block larger or smaller where it is: now the books. false: it could not. */
static bool resize_in_place(struct wk_budget *budget, void *block, size_t old_size, size_t new_size)
{
	const struct wk_allocator *allocator = budget->allocator;

	if (!allocator->resize || old_size == 0 || new_size == 0)
		return false;
	if (new_size > old_size && wk_budget_charge(budget, new_size - old_size))
		return false;
	if (!allocator->resize(allocator->context, block, old_size, new_size)) {
		if (new_size > old_size)
			wk_budget_return(budget, new_size - old_size);
		return false;
	}
	if (new_size < old_size)
		wk_budget_return(budget, old_size - new_size);
	else
		memset((uint8_t *)block + old_size, 0, new_size - old_size);
	return true;
}

void *wk_resize(struct wk_budget *budget, void *block, size_t old_size, size_t new_size)
{
	size_t kept = old_size < new_size ? old_size : new_size;
	void *moved;

	if (block && (new_size == old_size || resize_in_place(budget, block, old_size, new_size)))
		return block;
	moved = wk_alloc(budget, new_size);
	if (!moved)
		return NULL;
	if (kept != 0)
		memcpy(moved, block, kept);
	for (struct wk_budget *node = budget; node; node = node->parent)
		__atomic_fetch_add(&node->moved, kept, __ATOMIC_RELAXED);
	wk_free(budget, block, old_size);
	return moved;
}

void wk_free(struct wk_budget *budget, void *block, size_t size)
{
	if (!block || size == 0)
		return;
	budget->allocator->free(budget->allocator->context, block, size);
	wk_budget_return(budget, size);
}

/* Who refused: a node that has less left than was asked for, else the provider, as the pager has noted. */
static struct wk_refusal find_refusal(const struct wk_budget *budget, uint64_t size)
{
	for (const struct wk_budget *node = budget; node; node = node->parent)
		if (size > node->limit - __atomic_load_n(&node->used, __ATOMIC_RELAXED))
			return wk_pager_refusal_of(budget->pager, node, budget, size);
	if (budget->pager && budget->pager->refusal.limit != WK_LIMIT_NONE)
		return budget->pager->refusal;
	return (struct wk_refusal){ WK_LIMIT_ALLOCATOR, budget->name, size, 0, 0 };
}

enum wk_status wk_budget_refuse(struct wk_budget *budget, uint64_t size, struct wk_report *report)
{
	struct wk_refusal refusal = find_refusal(budget, size);
	char text[WK_REPORT_TEXT];

	wk_pager_give_up(budget->pager, &refusal);
	if (!report || report->status != WK_OK)
		return WK_NO_MEMORY;
	wk_refusal_text(&refusal, text, sizeof text);
	wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", text);
	report->refusal = refusal;
	return WK_NO_MEMORY;
}
