/* SPDX-License-Identifier: Apache-2.0
 *
 * The pager: all pages of a keep. Whatever is mapped is a struct wk_linear (linear.h) of one pager, and takes its memory
 * from the pager's provider. It knows what can be given back when somebody is refused, counts, and remembers why the last
 * request was refused.
 */
#ifndef WK_MEMORY_PAGER_H
#define WK_MEMORY_PAGER_H

#include <wasmkeep/memory.h>

#include "memory/budget.h"
#include "port/port.h"

struct wk_pager {
	struct wk_provider *provider;
	struct wk_port_lock lock;      /* of all that follows, and of what linears have mapped */
	struct wk_linear *linears;     /* those that may have pages to spare */
	uint64_t mappings;             /* in being */
	uint64_t refusals;             /* how often somebody gave up */
	struct wk_refusal refusal;     /* the last one */
	wk_memory_observer *observer;  /* may be NULL; called with the lock held */
	void *observer_context;
};

void wk_pager_init(struct wk_pager *pager, struct wk_provider *provider);

/* What to say of the budget `node` that refused `asked` bytes to `asking`, one below it or itself. */
struct wk_refusal wk_pager_refusal_of(const struct wk_pager *pager, const struct wk_budget *node,
	const struct wk_budget *asking, uint64_t asked);
/* Somebody gives up: counts it and tells the observer. `refusal` NULL: for the last one that was noted. NULL pager:
 * nothing. */
void wk_pager_give_up(struct wk_pager *pager, const struct wk_refusal *refusal);
/* Tells the observer that a guest has grown a memory. */
void wk_pager_grown(struct wk_pager *pager, const char *subject, uint64_t bytes);
/* Tells the observer that something has changed; the lock is held. */
void wk_pager_tell(struct wk_pager *pager, enum wk_memory_event_kind kind, const char *subject, uint64_t bytes);

#endif
