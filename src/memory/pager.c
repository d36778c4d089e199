/* SPDX-License-Identifier: Apache-2.0
 * The pager's books: see pager.h. What it does with pages is in linear.c. */
#include "memory/pager.h"

void wk_pager_init(struct wk_pager *pager, struct wk_provider *provider)
{
	*pager = (struct wk_pager){ .provider = provider };
}

void wk_pager_tell(struct wk_pager *pager, enum wk_memory_event_kind kind, const char *subject, uint64_t bytes)
{
	if (pager->observer)
		pager->observer(pager->observer_context, &(struct wk_memory_event){ kind, subject, bytes, pager->mappings });
}

/* A root that holds what the provider has is nobody's decision: the RAM is used up. */
struct wk_refusal wk_pager_refusal_of(const struct wk_pager *pager, const struct wk_budget *node,
	const struct wk_budget *asking, uint64_t asked)
{
	bool all = pager && pager->provider->ram != 0 && !node->parent && node->limit == pager->provider->ram;

	return (struct wk_refusal){ all ? WK_LIMIT_RAM : WK_LIMIT_BUDGET, all ? asking->name : node->name, asked,
		__atomic_load_n(&node->used, __ATOMIC_RELAXED), node->limit };
}

void wk_pager_give_up(struct wk_pager *pager, const struct wk_refusal *refusal)
{
	if (!pager)
		return;
	wk_port_lock(&pager->lock);
	if (refusal)
		pager->refusal = *refusal;
	pager->refusals++;
	wk_pager_tell(pager, WK_MEMORY_REFUSED, pager->refusal.subject, pager->refusal.asked);
	wk_port_unlock(&pager->lock);
}

void wk_pager_grown(struct wk_pager *pager, const char *subject, uint64_t bytes)
{
	wk_port_lock(&pager->lock);
	wk_pager_tell(pager, WK_MEMORY_GROWN, subject, bytes);
	wk_port_unlock(&pager->lock);
}
