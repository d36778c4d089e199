/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that grow in place (for linear memories: specification 4.2.8). A range of addresses is reserved once, pages are
 * mapped behind the last; the base never moves and nothing is copied. Not only linear memories: guest stacks, large
 * tables, copies of modules and the pieces of the heap are kept so too.
 */
#ifndef WK_MEMORY_LINEAR_H
#define WK_MEMORY_LINEAR_H

#include "memory/pager.h"

struct wk_linear {
	uint8_t *base;          /* NULL while nothing is reserved */
	uint64_t size;          /* bytes in use */
	uint64_t committed;     /* bytes with memory behind them, whole granules, >= size */
	uint64_t reserved;      /* bytes of address space */
	uint64_t ahead;         /* the last mapping, if it was made to have some for later: it ends at `committed` */
	uint64_t mappings;      /* how many there are */
	bool guarded;           /* all WK_GUARDED addresses from base on are ours: those without memory fault */
	enum wk_map_use use;
	struct wk_budget *budget;
	struct wk_pager *pager;
	struct wk_linear *next, **link; /* in pager->linears; link NULL: not there */
};

enum wk_growth {
	WK_GROWTH_EXACT,        /* take what is asked for */
	WK_GROWTH_AHEAD,        /* where mappings are scarce, take some for later with it */
};

/* What an instruction with a 32-bit address can reach: 2^32 and an offset of as much, and the access itself. */
#define WK_GUARDED ((UINT64_C(1) << 33) + (UINT64_C(1) << 16))

/* Reserves up to `maximum` bytes of addresses (less if the provider refuses: halving down to `initial`) and commits
 * `initial`. Zeroed. One that grows with WK_GROWTH_AHEAD must stay where it is; others may be moved by copying the struct.
 * The budget's name says in messages what the memory is for. */
WK_NODISCARD enum wk_status wk_linear_init(struct wk_linear *linear, struct wk_pager *pager, struct wk_budget *budget,
	enum wk_map_use use, uint64_t initial, uint64_t maximum, struct wk_report *report);
/* The same, guarded if the provider can do that and has the addresses. */
WK_NODISCARD enum wk_status wk_linear_init_guarded(struct wk_linear *linear, struct wk_pager *pager,
	struct wk_budget *budget, enum wk_map_use use, uint64_t initial, uint64_t maximum, struct wk_report *report);
/* Could a guarded one be had now? */
bool wk_linear_can_guard(struct wk_pager *pager);
/* Makes size `new_size` (>= size). false: refused, nothing changed; pager->refusal says why, and whoever gives up for
 * that says so with wk_pager_give_up. */
WK_NODISCARD bool wk_linear_grow(struct wk_linear *linear, uint64_t new_size, enum wk_growth growth);
/* Gives back pages that were taken for later. */
void wk_linear_trim(struct wk_linear *linear);
void wk_linear_end(struct wk_linear *linear);

#endif
