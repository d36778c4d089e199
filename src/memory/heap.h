/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap of a keep: small blocks out of a fixed pool, if there is one, and of pieces that are mapped as they are
 * needed. The same code serves on Linux, in the simulated TEE and in a Trusted Application, so that one behaves as the
 * other.
 */
#ifndef WK_MEMORY_HEAP_H
#define WK_MEMORY_HEAP_H

#include "memory/linear.h"

/* Free blocks are kept by size: a row for each power of two from 32 bytes, in four columns. */
#define WK_HEAP_ROWS 27u
#define WK_HEAP_COLUMNS 4u
#define WK_HEAP_POOLS 2u

struct wk_heap {
	struct wk_port_lock lock;
	struct wk_pager *pager;
	struct wk_budget *budget;       /* charged what is mapped for the heap; its name is in messages */
	struct wk_heap_piece *pieces;   /* newest first */
	struct { void *start; size_t size; } pools[WK_HEAP_POOLS]; /* fixed ones */
	uint64_t capacity;              /* bytes of all pools and pieces */
	uint32_t rows;                  /* bit r: a column of row r is not empty */
	uint8_t columns[WK_HEAP_ROWS];
	struct wk_heap_block *free[WK_HEAP_ROWS][WK_HEAP_COLUMNS];
};

/* Takes no memory. */
void wk_heap_init(struct wk_heap *heap, struct wk_pager *pager, struct wk_budget *budget);
/* Adds bytes that stay there until the heap's end and are charged by whoever has them. */
void wk_heap_add_pool(struct wk_heap *heap, void *start, size_t size);
/* Gives back everything that was mapped; all blocks have been freed. */
void wk_heap_end(struct wk_heap *heap);

/* The functions of a struct wk_allocator whose context is the heap. Thread-safe. */
void *wk_heap_alloc(void *heap, size_t size);
void wk_heap_free(void *heap, void *block, size_t size);
void *wk_heap_resize(void *heap, void *block, size_t old_size, size_t new_size);

/* For tests: are the books in order? *free_bytes: of all free blocks, headers included. */
bool wk_heap_check(struct wk_heap *heap, uint64_t *free_bytes);

#endif
