/* SPDX-License-Identifier: Apache-2.0
 *
 * A budget is a node in the tree of memory limits. Everything allocated hangs from one; charging a budget charges its
 * parents, and any of them can refuse. Frees are sized. Counters are atomic: budgets are shared by threads; making and
 * ending a budget is not.
 */
#ifndef WK_MEMORY_BUDGET_H
#define WK_MEMORY_BUDGET_H

#include <wasmkeep/wasmkeep.h>

#include "base/report.h"

#define WK_UNLIMITED UINT64_MAX

struct wk_budget {
	struct wk_budget *parent;       /* NULL at the root */
	const char *name;               /* constant text, for reports */
	uint64_t limit, used, peak;     /* bytes; limit WK_UNLIMITED: none of its own */
	uint64_t allocations;           /* ever made through this node or below */
	uint64_t moved;                 /* bytes that growing has copied */
	const struct wk_allocator *allocator; /* the heap's door; inherited from the parent, never NULL */
	struct wk_pager *pager;         /* knows why memory was refused; inherited; NULL: nobody does */
};

/* A root has parent NULL and names its allocator (borrowed); a child inherits it. */
void wk_budget_init(struct wk_budget *budget, struct wk_budget *parent, const char *name, uint64_t limit,
	const struct wk_allocator *allocator);
/* Asserts that everything came back. */
void wk_budget_end(struct wk_budget *budget);

/* Charges `size` bytes to the budget and all above it, or none and returns the node that refused. NULL is success. */
WK_NODISCARD struct wk_budget *wk_budget_charge(struct wk_budget *budget, uint64_t size);
void wk_budget_return(struct wk_budget *budget, uint64_t size);

/* Zeroed, 16-byte aligned heap memory charged to the budget, or NULL (out of budget or out of heap). size 0 gives a
 * non-NULL pointer that must be freed with size 0. */
WK_NODISCARD void *wk_alloc(struct wk_budget *budget, size_t size);
/* The same for `count` items; NULL on overflow too. */
WK_NODISCARD void *wk_alloc_array(struct wk_budget *budget, size_t count, size_t item);
/* Grows or shrinks, in place where the allocator can; new bytes are zero. On NULL the old block stays as it was. `block`
 * may be NULL with old_size 0. */
WK_NODISCARD void *wk_resize(struct wk_budget *budget, void *block, size_t old_size, size_t new_size);
/* NULL is allowed. */
void wk_free(struct wk_budget *budget, void *block, size_t size);

/* Says in the report which limit refused `size` bytes, and what would help; returns WK_NO_MEMORY. `budget` is the one an
 * allocation was asked from; the node at fault is found by walking up, or it was the provider. */
enum wk_status wk_budget_refuse(struct wk_budget *budget, uint64_t size, struct wk_report *report);

#endif
