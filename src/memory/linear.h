/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear memory (specification 4.2.8): bytes that grow in place. A range of addresses is reserved once, pages are
 * committed behind the last; the base never moves.
 */
#ifndef WK_MEMORY_LINEAR_H
#define WK_MEMORY_LINEAR_H

#include "memory/budget.h"

struct wk_linear {
	uint8_t *base;          /* NULL while nothing is reserved */
	uint64_t size;          /* bytes the guest may touch */
	uint64_t committed;     /* bytes with memory behind them, whole granules, >= size */
	uint64_t reserved;      /* bytes of address space */
	struct wk_budget *budget;
};

/* Reserves up to `maximum` bytes of addresses (less if the port refuses: halving down to `initial`) and commits
 * `initial`. Zeroed. */
WK_NODISCARD enum wk_status wk_linear_init(struct wk_linear *linear, struct wk_budget *budget, uint64_t initial,
	uint64_t maximum, struct wk_report *report);
/* Makes size `new_size` (>= size). false: refused, nothing changed. */
WK_NODISCARD bool wk_linear_grow(struct wk_linear *linear, uint64_t new_size);
void wk_linear_end(struct wk_linear *linear);

#endif
