/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of a Trusted Application, handed out in ranges: for ports whose environment maps where it is told but
 * reserves nothing. Page tables are few there, one for each block of addresses in which anything is mapped, so ranges are
 * packed one behind the other.
 */
#ifndef WK_MEMORY_SPACE_H
#define WK_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WK_SPACE_RANGES 128
/* Addresses that are left out behind the TA's own parts: memory that the normal world passes with a call is mapped in the
 * lowest gap that is large enough, and must find one there, not in a range in which something is to grow. */
#define WK_SPACE_PASSED ((uint64_t)384 << 10)

struct wk_space {
	uint64_t begin, end;   /* what may be handed out */
	uint32_t count;
	struct { uint64_t start, size; } ranges[WK_SPACE_RANGES]; /* taken, in the order of addresses */
};

void wk_space_init(struct wk_space *space, uint64_t begin, uint64_t end);
/* Takes a range, whose size is a multiple of the granule. false: there is none. */
bool wk_space_take(struct wk_space *space, uint64_t size, uint64_t *start);
/* Gives a whole range back. */
void wk_space_give(struct wk_space *space, uint64_t start);

#endif
