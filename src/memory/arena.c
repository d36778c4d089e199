/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas: bump allocation in a list of blocks. Blocks grow by doubling, so that a module of any size takes few heap
 * allocations and wastes less than half of the last block; large requests get a block of their own and leave the current
 * one in use.
 *
 * What always holds: the first block of the list is the one that is bumped (blocks of their own are put behind it);
 * everything between a block's `used` and its end is zero.
 */
#include "memory/arena.h"

#include "base/checked.h"

#define WK_ARENA_BLOCK_MAX ((size_t)256 << 10)
#define WK_ARENA_BLOCK_MIN ((size_t)256)

struct wk_arena_block {
	struct wk_arena_block *next;
	size_t size; /* of the whole allocation, this header included */
	size_t used; /* from the header's start */
	size_t pad;  /* keeps what follows aligned to 16 */
};
_Static_assert(sizeof(struct wk_arena_block) % 16 == 0, "what follows the header is aligned");

static uint8_t *block_bytes(struct wk_arena_block *block)
{
	return (uint8_t *)block;
}

void wk_arena_init(struct wk_arena *arena, struct wk_budget *budget, size_t first_block)
{
	if (first_block < WK_ARENA_BLOCK_MIN)
		first_block = WK_ARENA_BLOCK_MIN;
	if (first_block > WK_ARENA_BLOCK_MAX)
		first_block = WK_ARENA_BLOCK_MAX;
	*arena = (struct wk_arena){ budget, NULL, first_block };
}

void wk_arena_end(struct wk_arena *arena)
{
	struct wk_arena_block *block = arena->blocks;

	while (block) {
		struct wk_arena_block *next = block->next;

		wk_free(arena->budget, block, block->size);
		block = next;
	}
	arena->blocks = NULL;
}

/* A new block with room for `size` bytes, not yet in the list. */
static struct wk_arena_block *new_block(struct wk_arena *arena, size_t size)
{
	struct wk_arena_block *block = wk_alloc(arena->budget, size);

	if (block) {
		block->size = size;
		block->used = sizeof(*block);
	}
	return block;
}

/* Takes `size` bytes, or returns NULL when they do not fit. */
static void *take(struct wk_arena_block *block, size_t size)
{
	size_t mask = size < 16 ? 7 : 15;
	size_t start = (block->used + mask) & ~mask;

	if (!wk_range_fits(start, size, block->size))
		return NULL;
	block->used = start + size;
	return block_bytes(block) + start;
}

void *wk_arena_alloc(struct wk_arena *arena, size_t size)
{
	struct wk_arena_block *block = arena->blocks;
	void *bytes = block ? take(block, size) : NULL;
	size_t whole;

	if (bytes)
		return bytes;
	if (wk_add_overflows(size, sizeof(*block), &whole))
		return NULL;

	if (whole > arena->next_block && (whole > WK_ARENA_BLOCK_MAX || block)) {
		/* A block of its own. Behind the current one, where there is one, since that still has room. */
		struct wk_arena_block *own = new_block(arena, whole);

		if (!own)
			return NULL;
		own->next = block ? block->next : NULL;
		if (block)
			block->next = own;
		else
			arena->blocks = own;
		return take(own, size);
	}

	struct wk_arena_block *fresh = new_block(arena, whole > arena->next_block ? whole : arena->next_block);

	if (!fresh)
		return NULL;
	fresh->next = block;
	arena->blocks = fresh;
	if (arena->next_block < WK_ARENA_BLOCK_MAX)
		arena->next_block *= 2;
	return take(fresh, size);
}

void *wk_arena_alloc_array(struct wk_arena *arena, size_t count, size_t item)
{
	size_t size;

	return wk_mul_overflows(count, item, &size) ? NULL : wk_arena_alloc(arena, size);
}

void *wk_arena_resize(struct wk_arena *arena, void *block, size_t old_size, size_t new_size)
{
	struct wk_arena_block *newest = arena->blocks;
	void *moved;

	/* In place: the newest allocation of the current block. One that starts at an address good for a small size only
	 * may not grow over 15 there. */
	if (block && newest && (uint8_t *)block + old_size == block_bytes(newest) + newest->used && old_size != 0 &&
		(new_size < 16 || ((uintptr_t)block & 15) == 0)) {
		size_t start = newest->used - old_size;

		if (wk_range_fits(start, new_size, newest->size)) {
			if (new_size < old_size)
				memset((uint8_t *)block + new_size, 0, old_size - new_size);
			newest->used = start + new_size;
			return block;
		}
	}
	if (block && new_size <= old_size)
		return block;
	moved = wk_arena_alloc(arena, new_size);
	if (moved && old_size != 0)
		memcpy(moved, block, old_size);
	return moved;
}
