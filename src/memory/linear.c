/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear memory over the port's pages. Addresses cost nothing, so the whole maximum is reserved at once where the port
 * has the addresses; memory is put behind them as the guest grows. That keeps the base fixed, so that code may hold it in
 * a register and views of the host stay good.
 *
 * Budgets are charged what is committed, in whole granules: a 4 GiB memory declared by a module is charged 4 GiB, whether
 * the environment backs untouched pages (OP-TEE) or not (Linux). So a limit holds on any port, and the same module is
 * refused everywhere alike. Reserved addresses are not charged.
 *
 * What always holds: size <= committed <= reserved; bytes from size to committed were never given to the guest, so they
 * are zero.
 */
#include "memory/linear.h"

#include "base/checked.h"
#include "port/port.h"

/* The smallest multiple of the granule that holds `size`; false when there is none in a size_t. */
static bool whole_granules(uint64_t size, uint64_t *whole)
{
	uint64_t mask = (uint64_t)wk_port_page_size() - 1;
	uint64_t sum;

	if (wk_add64_overflows(size, mask, &sum) || (sum & ~mask) > SIZE_MAX)
		return false;
	*whole = sum & ~mask;
	return true;
}

/* The most that this budget could ever have committed: there is no use for more addresses than that. */
static uint64_t smallest_limit(const struct wk_budget *budget)
{
	uint64_t limit = WK_UNLIMITED;

	for (; budget; budget = budget->parent)
		if (budget->limit < limit)
			limit = budget->limit;
	return limit;
}

/* Reserves as much of `most` as the port gives, but no less than `least` (both whole granules, least <= most). */
static void *reserve(uint64_t least, uint64_t most, uint64_t *reserved)
{
	uint64_t mask = (uint64_t)wk_port_page_size() - 1;

	for (uint64_t size = most; size != 0; size = (size / 2 + mask) & ~mask) {
		if (size < least)
			size = least;
		void *range = wk_port_pages_reserve((size_t)size);
		if (range) {
			*reserved = size;
			return range;
		}
		if (size == least || size <= mask + 1)
			break;
	}
	return NULL;
}

/* Charges and commits `more` bytes behind the committed ones. */
static enum wk_status commit(struct wk_linear *linear, uint64_t more, struct wk_report *report)
{
	if (more == 0)
		return WK_OK;
	if (wk_budget_charge(linear->budget, more))
		return wk_budget_refuse(linear->budget, more, report);
	if (!wk_port_pages_commit(linear->base + linear->committed, (size_t)more)) {
		wk_budget_return(linear->budget, more);
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"out of memory: the machine refused %llu bytes for %s", (unsigned long long)more,
			linear->budget->name);
	}
	linear->committed += more;
	return WK_OK;
}

enum wk_status wk_linear_init(struct wk_linear *linear, struct wk_budget *budget, uint64_t initial, uint64_t maximum,
	struct wk_report *report)
{
	struct wk_linear made = { .budget = budget };
	uint64_t first = 0, most = 0, limit = smallest_limit(budget);
	enum wk_status status;

	if (maximum < initial)
		maximum = initial;
	if (maximum > limit)
		maximum = limit > initial ? limit : initial;
	if (!whole_granules(initial, &first))
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"out of memory: %llu bytes are more than this machine can address", (unsigned long long)initial);
	/* Refused here before any address is reserved: the common way to fail. */
	if (first > limit)
		return wk_budget_refuse(budget, first, report);
	if (!whole_granules(maximum, &most))
		most = SIZE_MAX & ~((uint64_t)wk_port_page_size() - 1);

	made.base = reserve(first, most, &made.reserved);
	if (!made.base && first != 0)
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION,
			"out of memory: no room for %llu bytes of addresses for %s", (unsigned long long)first, budget->name);
	status = commit(&made, first, report);
	if (status != WK_OK) {
		wk_linear_end(&made);
		return status;
	}
	made.size = initial;
	*linear = made;
	return WK_OK;
}

bool wk_linear_grow(struct wk_linear *linear, uint64_t new_size)
{
	uint64_t whole;

	if (new_size < linear->size || !whole_granules(new_size, &whole) || whole > linear->reserved)
		return false;
	if (whole > linear->committed && commit(linear, whole - linear->committed, NULL) != WK_OK)
		return false;
	linear->size = new_size;
	return true;
}

void wk_linear_end(struct wk_linear *linear)
{
	if (linear->base)
		wk_port_pages_release(linear->base, (size_t)linear->reserved);
	if (linear->committed != 0)
		wk_budget_return(linear->budget, linear->committed);
	*linear = (struct wk_linear){ .budget = linear->budget };
}
