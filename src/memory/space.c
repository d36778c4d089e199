/* SPDX-License-Identifier: Apache-2.0
 * First fit over an ordered list of what is taken: there are few ranges. */
#include "memory/space.h"

void wk_space_init(struct wk_space *space, uint64_t begin, uint64_t end)
{
	*space = (struct wk_space){ .begin = begin, .end = end };
}

bool wk_space_take(struct wk_space *space, uint64_t size, uint64_t *start)
{
	uint64_t at = space->begin;
	uint32_t i = 0;

	if (size == 0 || space->count == WK_SPACE_RANGES)
		return false;
	for (;; i++) {
		uint64_t next = i < space->count ? space->ranges[i].start : space->end;

		if (size <= next - at)
			break;
		if (i == space->count)
			return false;
		at = space->ranges[i].start + space->ranges[i].size;
	}
	for (uint32_t k = space->count++; k > i; k--)
		space->ranges[k] = space->ranges[k - 1];
	space->ranges[i].start = at;
	space->ranges[i].size = size;
	*start = at;
	return true;
}

void wk_space_give(struct wk_space *space, uint64_t start)
{
	uint32_t i = 0;

	while (i < space->count && space->ranges[i].start != start)
		i++;
	if (i == space->count)
		return;
	for (space->count--; i < space->count; i++)
		space->ranges[i] = space->ranges[i + 1];
}
