/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions (specification 4.2.14) and their collection.
 *
 * An exception is the one thing a guest makes whose end is not known: an exnref may be copied to any slot. So all of a
 * store's exceptions hang from a list, and when their bytes reach a threshold, those that nothing refers to are freed.
 * Marking is exact for globals and tables, whose types are known, and conservative for the guest stack: any slot there
 * that has the value of an exception's address keeps it. The threshold is twice what was left the last time, so that a
 * loop that throws pays a constant price per exception.
 *
 * A collection allocates nothing, since it runs when memory is short: the list is sorted by address in place and linked
 * to a balanced tree, in which a slot's value is looked up; what is marked waits in a queue that is linked through the
 * exceptions themselves, so that a chain of exceptions of any length needs no native stack.
 *
 * What always holds: exception_bytes is the sum of the sizes of all in the list; outside of a collection left, right and
 * queue mean nothing.
 */
#include "runtime/instantiate.h"
#include "runtime/operations.h"

#define FIRST_THRESHOLD ((uint64_t)64 << 10)

static size_t size_of(uint32_t slot_count)
{
	return sizeof(struct wk_exception) + slot_count * sizeof(uint64_t);
}

/* ---- from list to tree ---- */

/* Merges two lists that are sorted by address. */
static struct wk_exception *merge(struct wk_exception *a, struct wk_exception *b)
{
	struct wk_exception *first = NULL;
	struct wk_exception **end = &first;

	while (a && b) {
		struct wk_exception **smaller = (uintptr_t)a < (uintptr_t)b ? &a : &b;

		*end = *smaller;
		end = &(*smaller)->next;
		*smaller = *end;
	}
	*end = a ? a : b;
	return first;
}

/* Sorts from the bottom up: runs[i] holds 2^i exceptions or none. */
static struct wk_exception *sort(struct wk_exception *list, size_t *count)
{
	struct wk_exception *runs[64] = { NULL };
	struct wk_exception *sorted = NULL;

	*count = 0;
	while (list) {
		struct wk_exception *run = list;
		size_t i = 0;

		list = list->next;
		run->next = NULL;
		for (; runs[i]; i++) {
			run = merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
		(*count)++;
	}
	for (size_t i = 0; i < WK_COUNT(runs); i++)
		sorted = merge(runs[i], sorted);
	return sorted;
}

/* Takes `count` exceptions from the sorted list and links them to a tree, as deep as the logarithm of count. */
static struct wk_exception *plant(struct wk_exception **list, size_t count)
{
	struct wk_exception *left, *root;

	if (count == 0)
		return NULL;
	left = plant(list, count / 2);
	root = *list;
	*list = root->next;
	root->left = left;
	root->right = plant(list, count - count / 2 - 1);
	return root;
}

/* ---- marking ---- */

struct marking {
	struct wk_exception *tree;
	struct wk_exception *queue; /* marked, but their slots not yet looked at */
	uint32_t mark;
};

static void mark_slot(struct marking *marking, uint64_t slot)
{
	struct wk_exception *at = marking->tree;

	while (at && (uint64_t)(uintptr_t)at != slot)
		at = slot < (uint64_t)(uintptr_t)at ? at->left : at->right;
	if (!at || at->mark == marking->mark)
		return;
	at->mark = marking->mark;
	at->queue = marking->queue;
	marking->queue = at;
}

static bool holds_exceptions(wk_valtype type)
{
	return wk_is_ref(type) && (wk_heap_of(type) == WK_HEAP_EXN || wk_heap_of(type) == WK_HEAP_NOEXN);
}

static void mark_global(struct marking *marking, const struct wk_global *global)
{
	if (global && holds_exceptions(global->type.type))
		mark_slot(marking, global->slots[0]);
}

static void mark_roots(struct marking *marking, struct wk_store *store, const uint64_t *top)
{
	for (const uint64_t *slot = store->exec.stack; slot && slot < top; slot++)
		mark_slot(marking, *slot);
	mark_slot(marking, (uint64_t)(uintptr_t)store->exec.pending);
	for (struct wk_instance *instance = store->instances; instance; instance = instance->next)
		for (uint32_t i = instance->module->imported_globals; i < instance->module->global_count; i++)
			mark_global(marking, instance->globals[i]);
	for (struct wk_host_global *global = store->host_globals; global; global = global->next)
		mark_global(marking, &global->global);
	for (struct wk_table *table = store->table_list; table; table = table->next)
		if (holds_exceptions(table->type.element))
			for (uint64_t i = 0; i < table->size; i++)
				mark_slot(marking, table->elements[i]);
}

static void collect(struct wk_store *store, const uint64_t *top)
{
	struct marking marking = { 0 };
	struct wk_exception *list, *tree_list;
	struct wk_exception **kept = &store->exceptions;
	size_t count;

	list = tree_list = sort(store->exceptions, &count);
	marking.tree = plant(&tree_list, count);
	/* Exceptions are made with mark 0, which is never current. */
	if (++store->exception_mark == 0) {
		store->exception_mark = 1;
		for (struct wk_exception *e = list; e; e = e->next)
			e->mark = 0;
	}
	marking.mark = store->exception_mark;
	mark_roots(&marking, store, top);
	while (marking.queue) {
		struct wk_exception *next = marking.queue;

		marking.queue = next->queue;
		for (uint32_t i = 0; i < next->slot_count; i++)
			mark_slot(&marking, next->slots[i]);
	}

	while (list) {
		struct wk_exception *exception = list;

		list = list->next;
		if (exception->mark == marking.mark) {
			*kept = exception;
			kept = &exception->next;
		} else {
			store->exception_bytes -= size_of(exception->slot_count);
			wk_free(&store->heap, exception, size_of(exception->slot_count));
		}
	}
	*kept = NULL;
	store->exception_threshold = 2 * store->exception_bytes;
}

struct wk_exception *wk_exception_new(struct wk_store *store, struct wk_tag *tag, uint64_t *top)
{
	uint32_t slot_count = wk_registry_get(store->keep->registry, tag->type)->parameter_slots;
	size_t size = size_of(slot_count);
	struct wk_exception *exception = NULL;

	if (store->exception_threshold < FIRST_THRESHOLD)
		store->exception_threshold = FIRST_THRESHOLD;
	if (store->exception_bytes + size <= store->exception_threshold)
		exception = wk_alloc(&store->heap, size);
	if (!exception) {
		collect(store, top);
		exception = wk_alloc(&store->heap, size);
	}
	if (!exception)
		return NULL;
	exception->tag = tag;
	exception->slot_count = slot_count;
	exception->next = store->exceptions;
	store->exceptions = exception;
	store->exception_bytes += size;
	return exception;
}

bool wk_exception_lives(const struct wk_store *store, uint64_t reference)
{
	for (const struct wk_exception *e = store->exceptions; e; e = e->next)
		if ((uint64_t)(uintptr_t)e == reference)
			return true;
	return false;
}
