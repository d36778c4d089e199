/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing in place. Addresses cost little, so the whole maximum is reserved at once where the provider has the addresses;
 * memory is mapped behind what is there as more is wanted. That keeps the base fixed, so that code may hold it in a
 * register and views of the host stay good; and no second copy ever exists: runtimes that map a new block, copy, and
 * unmap the old one get a third of a TEE's memory.
 *
 * A mapping in a TEE needs one piece of RAM and an entry in books that are short. So where mappings are scarce a second
 * one is made for later with each that is needed: a quarter of the memory, from 64 KiB to 1 MiB. It is given back when
 * anybody else is refused. A step that is refused is halved, down to the granule: the last page that exists can be had.
 *
 * Budgets are charged what is mapped, in whole granules: a 4 GiB memory declared by a module is charged 4 GiB, whether
 * the environment backs untouched pages (OP-TEE) or not (Linux). So a limit holds on any port, and the same module is
 * refused everywhere alike. Reserved addresses are not charged.
 *
 * A guarded range has so many addresses that code need not compare: what it touches behind `committed` is a fault that
 * the port reports (port.h). There is nothing ahead then, since guarding providers are not scarce.
 *
 * What always holds: size <= committed <= reserved; bytes from size to committed were never given out, so they are zero;
 * the last `ahead` of the committed bytes are one mapping that lies beyond size.
 */
#include "memory/linear.h"

#include "base/checked.h"

#define SMALLEST_STEP (UINT64_C(64) << 10)
#define LARGEST_STEP (UINT64_C(1) << 20)
#define GIVEN_BACK (UINT64_C(128) << 10)

/* The smallest multiple of the granule that holds `size`; false when there is none in a size_t. */
static bool whole_granules(const struct wk_pager *pager, uint64_t size, uint64_t *whole)
{
	uint64_t mask = (uint64_t)pager->provider->granule - 1;
	uint64_t sum;

	if (wk_add64_overflows(size, mask, &sum) || (sum & ~mask) > SIZE_MAX)
		return false;
	*whole = sum & ~mask;
	return true;
}

/* The most that this budget could ever have committed: there is no use for more addresses than that. Where addresses are
 * as scarce as mappings, it is what the budget has left now, and a little that others may give back. */
static uint64_t most_for(const struct wk_budget *budget, bool left)
{
	uint64_t most = WK_UNLIMITED;

	for (; budget; budget = budget->parent) {
		uint64_t limit = budget->limit;

		if (left && limit != WK_UNLIMITED) {
			uint64_t used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
			limit -= used > GIVEN_BACK ? used - GIVEN_BACK : 0;
		}
		if (limit < most)
			most = limit;
	}
	return most;
}

/* Reserves as much of `most` as the provider gives, but no less than `least` (both whole granules, least <= most). */
static void *reserve(struct wk_provider *provider, uint64_t least, uint64_t most, uint64_t *reserved)
{
	uint64_t mask = (uint64_t)provider->granule - 1;

	for (uint64_t size = most; size != 0; size = (size / 2 + mask) & ~mask) {
		if (size < least)
			size = least;
		void *range = provider->ops->reserve(provider, (size_t)size);
		if (range) {
			*reserved = size;
			return range;
		}
		if (size == least || size <= mask + 1)
			break;
	}
	return NULL;
}

/* NULL: there are not so many, or nobody would be told of a fault. */
static void *reserve_guarded(struct wk_provider *provider)
{
	return provider->guards && WK_GUARDED <= SIZE_MAX ? provider->ops->reserve(provider, (size_t)WK_GUARDED) : NULL;
}

bool wk_linear_can_guard(struct wk_pager *pager)
{
	void *range = reserve_guarded(pager->provider);

	if (range)
		pager->provider->ops->release(pager->provider, range, (size_t)WK_GUARDED);
	return range != NULL;
}

/* ---- mapping; the pager's lock is held ---- */

/* Unmaps the last `bytes` of what is committed, in `mappings` mappings. */
static void give_back(struct wk_linear *linear, uint64_t bytes, uint64_t mappings)
{
	struct wk_pager *pager = linear->pager;

	if (bytes == 0)
		return;
	linear->committed -= bytes;
	linear->mappings -= mappings;
	pager->mappings -= mappings;
	pager->provider->ops->unmap(pager->provider, linear->base + linear->committed, (size_t)bytes);
	wk_budget_return(linear->budget, bytes);
	wk_pager_tell(pager, WK_MEMORY_UNMAPPED, linear->budget->name, bytes);
}

static void give_back_ahead(struct wk_linear *linear)
{
	give_back(linear, linear->ahead, 1);
	linear->ahead = 0;
}

/* Gives back what others have for later; true when there was something. */
static bool reclaim(struct wk_pager *pager, const struct wk_linear *asking)
{
	bool any = false;

	for (struct wk_linear *linear = pager->linears; linear; linear = linear->next) {
		if (linear == asking || linear->ahead == 0)
			continue;
		give_back_ahead(linear);
		any = true;
	}
	return any;
}

/* Charges and maps one mapping behind the committed bytes. `why` is written on refusal. */
static bool map_once(struct wk_linear *linear, uint64_t bytes, struct wk_refusal *why)
{
	struct wk_pager *pager = linear->pager;
	struct wk_budget *node = wk_budget_charge(linear->budget, bytes);

	if (node) {
		*why = wk_pager_refusal_of(pager, node, linear->budget, bytes);
		return false;
	}
	enum wk_limit_kind limit = pager->provider->ops->map(pager->provider, linear->base + linear->committed, (size_t)bytes,
		linear->use, linear->budget->name);
	if (limit != WK_LIMIT_NONE) {
		wk_budget_return(linear->budget, bytes);
		*why = (struct wk_refusal){ limit, linear->budget->name, bytes, 0, 0 };
		pager->provider->ops->describe(pager->provider, limit, &why->used, &why->value);
		return false;
	}
	linear->committed += bytes;
	linear->mappings++;
	pager->mappings++;
	wk_pager_tell(pager, WK_MEMORY_MAPPED, linear->budget->name, bytes);
	return true;
}

static uint64_t halved(const struct wk_pager *pager, uint64_t bytes)
{
	uint64_t mask = (uint64_t)pager->provider->granule - 1;

	return (bytes / 2 + mask) & ~mask;
}

/* Maps `more` bytes in as few mappings as the provider allows; all or nothing. */
static bool map_pieces(struct wk_linear *linear, uint64_t more, struct wk_refusal *why)
{
	uint64_t start = linear->committed, end = start + more, step = more, mappings = linear->mappings;
	bool reclaimed = false;

	while (linear->committed < end) {
		if (step > end - linear->committed)
			step = end - linear->committed;
		if (map_once(linear, step, why))
			continue;
		bool smaller_helps = why->limit != WK_LIMIT_BUDGET && why->limit != WK_LIMIT_MAPPINGS;
		if (smaller_helps && step > linear->pager->provider->granule) {
			step = halved(linear->pager, step);
		} else if (!reclaimed && reclaim(linear->pager, linear)) {
			reclaimed = true;
			step = end;
		} else {
			give_back(linear, linear->committed - start, linear->mappings - mappings);
			return false;
		}
	}
	return true;
}

static void enlist(struct wk_linear *linear)
{
	if (linear->link)
		return;
	linear->next = linear->pager->linears;
	linear->link = &linear->pager->linears;
	if (linear->next)
		linear->next->link = &linear->next;
	linear->pager->linears = linear;
}

/* One more mapping for later, if there is one. */
static void map_ahead(struct wk_linear *linear)
{
	uint64_t granule = linear->pager->provider->granule, step = linear->committed / 4 & ~(granule - 1);
	struct wk_refusal why;

	if (step < SMALLEST_STEP)
		step = SMALLEST_STEP;
	if (step > LARGEST_STEP)
		step = LARGEST_STEP;
	if (step > linear->reserved - linear->committed)
		step = linear->reserved - linear->committed;
	for (; step >= granule; step = step == granule ? 0 : halved(linear->pager, step)) {
		if (map_once(linear, step, &why)) {
			linear->ahead = step;
			enlist(linear);
			return;
		}
	}
}

/* Makes at least `whole` bytes committed, for `asked` bytes more. */
static bool commit(struct wk_linear *linear, uint64_t whole, enum wk_growth growth, uint64_t asked)
{
	struct wk_pager *pager = linear->pager;
	struct wk_refusal why = { 0 };
	bool done = true;

	wk_port_lock(&pager->lock);
	if (whole > linear->committed) {
		done = map_pieces(linear, whole - linear->committed, &why);
		if (done)
			linear->ahead = 0;
		if (done && growth == WK_GROWTH_AHEAD && pager->provider->scarce)
			map_ahead(linear);
	} else if (whole > linear->committed - linear->ahead) {
		linear->ahead = 0; /* it is needed now */
	}
	if (!done) {
		why.asked = asked;
		pager->refusal = why;
	}
	wk_port_unlock(&pager->lock);
	return done;
}

/* ---- the life of a range ---- */

static void refuse(struct wk_linear *linear, enum wk_limit_kind limit, uint64_t asked, uint64_t used, uint64_t value)
{
	wk_port_lock(&linear->pager->lock);
	linear->pager->refusal = (struct wk_refusal){ limit, linear->budget->name, asked, used, value };
	wk_port_unlock(&linear->pager->lock);
}

/* There are no more addresses. Perhaps because no more were reserved than there was memory: then that is the reason. */
static void refuse_addresses(struct wk_linear *linear, uint64_t asked)
{
	struct wk_budget *node = wk_budget_charge(linear->budget, asked);

	if (!node) {
		wk_budget_return(linear->budget, asked);
		refuse(linear, WK_LIMIT_ADDRESSES, asked, linear->size, linear->reserved);
		return;
	}
	wk_port_lock(&linear->pager->lock);
	linear->pager->refusal = wk_pager_refusal_of(linear->pager, node, linear->budget, asked);
	wk_port_unlock(&linear->pager->lock);
}

static enum wk_status init(struct wk_linear *linear, struct wk_pager *pager, struct wk_budget *budget,
	enum wk_map_use use, uint64_t initial, uint64_t maximum, bool guard, struct wk_report *report)
{
	uint64_t first = 0, most = 0, limit = most_for(budget, pager->provider->scarce);

	*linear = (struct wk_linear){ .budget = budget, .pager = pager, .use = use };
	if (maximum < initial)
		maximum = initial;
	if (maximum > limit)
		maximum = limit > initial ? limit : initial;
	if (!whole_granules(pager, initial, &first)) {
		refuse(linear, WK_LIMIT_ADDRESSES, initial, 0, SIZE_MAX);
		return wk_budget_refuse(budget, initial, report);
	}
	/* Refused here before any address is reserved: the common way to fail. */
	if (first > limit)
		return wk_budget_refuse(budget, first, report);
	if (!whole_granules(pager, maximum, &most))
		most = SIZE_MAX & ~((uint64_t)pager->provider->granule - 1);

	if (guard)
		linear->base = reserve_guarded(pager->provider);
	linear->guarded = linear->base != NULL;
	linear->reserved = linear->guarded ? most : 0;
	if (!linear->base)
		linear->base = reserve(pager->provider, first, most, &linear->reserved);
	if (!linear->base && first != 0) {
		refuse(linear, WK_LIMIT_ADDRESSES, first, 0, 0);
		return wk_budget_refuse(budget, first, report);
	}
	if (!commit(linear, first, WK_GROWTH_EXACT, initial)) {
		wk_linear_end(linear);
		return wk_budget_refuse(budget, initial, report);
	}
	linear->size = initial;
	return WK_OK;
}

enum wk_status wk_linear_init(struct wk_linear *linear, struct wk_pager *pager, struct wk_budget *budget,
	enum wk_map_use use, uint64_t initial, uint64_t maximum, struct wk_report *report)
{
	return init(linear, pager, budget, use, initial, maximum, false, report);
}

enum wk_status wk_linear_init_guarded(struct wk_linear *linear, struct wk_pager *pager, struct wk_budget *budget,
	enum wk_map_use use, uint64_t initial, uint64_t maximum, struct wk_report *report)
{
	return init(linear, pager, budget, use, initial, maximum, true, report);
}

bool wk_linear_grow(struct wk_linear *linear, uint64_t new_size, enum wk_growth growth)
{
	uint64_t whole;

	if (new_size < linear->size)
		return false;
	if (!whole_granules(linear->pager, new_size, &whole) || whole > linear->reserved) {
		refuse_addresses(linear, new_size - linear->size);
		return false;
	}
	if (!commit(linear, whole, growth, new_size - linear->size))
		return false;
	linear->size = new_size;
	return true;
}

void wk_linear_trim(struct wk_linear *linear)
{
	if (!linear->pager)
		return;
	wk_port_lock(&linear->pager->lock);
	give_back_ahead(linear);
	wk_port_unlock(&linear->pager->lock);
}

void wk_linear_end(struct wk_linear *linear)
{
	struct wk_pager *pager = linear->pager;

	if (linear->base) {
		wk_port_lock(&pager->lock);
		if (linear->link) {
			*linear->link = linear->next;
			if (linear->next)
				linear->next->link = linear->link;
		}
		pager->mappings -= linear->mappings;
		pager->provider->ops->release(pager->provider, linear->base,
			(size_t)(linear->guarded ? WK_GUARDED : linear->reserved));
		wk_budget_return(linear->budget, linear->committed);
		if (linear->committed != 0)
			wk_pager_tell(pager, WK_MEMORY_UNMAPPED, linear->budget->name, linear->committed);
		wk_port_unlock(&pager->lock);
	}
	*linear = (struct wk_linear){ .budget = linear->budget, .pager = pager };
}
