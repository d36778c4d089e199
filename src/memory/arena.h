/* SPDX-License-Identifier: Apache-2.0
 *
 * An arena: many small allocations of one lifetime in few blocks. A module lives in one. Blocks double from
 * `first_block` to WK_ARENA_BLOCK_MAX; a request larger than that gets a block of its own.
 */
#ifndef WK_MEMORY_ARENA_H
#define WK_MEMORY_ARENA_H

#include "memory/budget.h"

struct wk_arena_block;

struct wk_arena {
	struct wk_budget *budget;
	struct wk_arena_block *blocks; /* newest first */
	size_t next_block;             /* size of the next block */
};

/* Takes no memory yet. */
void wk_arena_init(struct wk_arena *arena, struct wk_budget *budget, size_t first_block);
/* Frees all blocks. */
void wk_arena_end(struct wk_arena *arena);
/* Zeroed memory aligned to 16 bytes (or to 8 when size < 16), alive until wk_arena_end; NULL when the budget refuses.
 * size 0 gives a non-NULL pointer. */
WK_NODISCARD void *wk_arena_alloc(struct wk_arena *arena, size_t size);
WK_NODISCARD void *wk_arena_alloc_array(struct wk_arena *arena, size_t count, size_t item);
/* Makes the newest allocation smaller or larger in place where it can, else copies (old bytes are then lost to the
 * arena). For vectors whose final length is unknown while decoding. */
WK_NODISCARD void *wk_arena_resize(struct wk_arena *arena, void *block, size_t old_size, size_t new_size);

#endif
