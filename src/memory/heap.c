/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap with constant-time operations and little waste, after the two-level segregated fit of Masmano and others ("TLSF",
 * 2004): free blocks are in lists by size, two bit maps say which lists have any, and neighbours that are free are one
 * block at once. Each block costs eight bytes.
 *
 *	[size | flags][payload ... ]          in use; payloads are aligned to 16
 *	[size | flags][next][previous]...[size]   free; the last word lets the block behind find its beginning
 *
 * A piece is a struct wk_linear that grows in place, so that blocks of any size find room in one; a second piece is
 * begun only when the first one has no addresses left. Pieces but the first are given back when nothing in them is used.
 *
 * What always holds: no two free blocks are neighbours; flag BEFORE_FREE says whether the block before is free; each pool
 * and piece ends with a block of size 0 in use.
 *
 * Under AddressSanitizer all bytes but the payloads, as long as was asked for, are poisoned; the functions of this file
 * are not instrumented.
 */
#include "memory/heap.h"

#include "base/checked.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#endif
#ifdef POISONING
void __asan_poison_memory_region(void const volatile *at, size_t size);
void __asan_unpoison_memory_region(void const volatile *at, size_t size);
#define POISON(at, size) __asan_poison_memory_region(at, size)
#define UNPOISON(at, size) __asan_unpoison_memory_region(at, size)
#define UNCHECKED __attribute__((no_sanitize("address")))
#else
#define POISON(at, size) ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#define UNCHECKED
#endif

struct wk_heap_block {
	size_t head;                          /* size, this word included, and flags */
	struct wk_heap_block *next, *previous; /* of a free block */
};

/* At the start of the memory that it describes. */
struct wk_heap_piece {
	struct wk_linear linear;
	struct wk_heap_piece *next;
	struct wk_heap_block *first, *last;   /* `last` is the one of size 0 */
};

#define FREE ((size_t)1)
#define BEFORE_FREE ((size_t)2)
#define FLAGS (FREE | BEFORE_FREE)
#define SMALLEST ((size_t)32)
#define SMALLEST_LOG2 5u
#define HEADER sizeof(size_t)

#define FIRST_STEP ((size_t)8 << 10)
#define LARGEST_STEP ((size_t)256 << 10)

static void check_own(bool condition)
{
	if (!condition)
		__builtin_trap();
}

/* ---- blocks ---- */

UNCHECKED static size_t size_of(const struct wk_heap_block *block) { return block->head & ~FLAGS; }

static struct wk_heap_block *at_offset(struct wk_heap_block *block, size_t offset)
{
	return (struct wk_heap_block *)(void *)((uint8_t *)block + offset);
}

static struct wk_heap_block *behind(struct wk_heap_block *block) { return at_offset(block, size_of(block)); }

/* Only when the block's BEFORE_FREE is set. */
UNCHECKED static struct wk_heap_block *before(struct wk_heap_block *block)
{
	return (struct wk_heap_block *)(void *)((uint8_t *)block - *((size_t *)(void *)block - 1));
}

static void *payload(struct wk_heap_block *block) { return (uint8_t *)block + HEADER; }

static struct wk_heap_block *block_of(void *payload)
{
	return (struct wk_heap_block *)(void *)((uint8_t *)payload - HEADER);
}

/* The block size for a request, or 0 if there is none. */
static size_t block_size(size_t size)
{
	size_t whole;

	if (wk_add_overflows(size, HEADER + 15, &whole))
		return 0;
	whole &= ~(size_t)15;
	return whole < SMALLEST ? SMALLEST : whole;
}

/* ---- free lists ---- */

static void place(size_t size, unsigned *row, unsigned *column)
{
	unsigned log2 = 63u - (unsigned)__builtin_clzll((unsigned long long)size);

	*row = log2 - SMALLEST_LOG2;
	*column = (unsigned)(size >> (log2 - 2)) & 3u;
	if (*row >= WK_HEAP_ROWS) {
		*row = WK_HEAP_ROWS - 1;
		*column = WK_HEAP_COLUMNS - 1;
	}
}

UNCHECKED static void put_free(struct wk_heap *heap, struct wk_heap_block *block, size_t size, size_t before_free)
{
	unsigned row, column;

	block->head = size | FREE | before_free;
	*((size_t *)(void *)((uint8_t *)block + size) - 1) = size;
	behind(block)->head |= BEFORE_FREE;
	place(size, &row, &column);
	block->previous = NULL;
	block->next = heap->free[row][column];
	if (block->next)
		block->next->previous = block;
	heap->free[row][column] = block;
	heap->rows |= UINT32_C(1) << row;
	heap->columns[row] |= (uint8_t)(1u << column);
}

UNCHECKED static void take_free(struct wk_heap *heap, struct wk_heap_block *block)
{
	unsigned row, column;

	place(size_of(block), &row, &column);
	if (block->next)
		block->next->previous = block->previous;
	if (block->previous)
		block->previous->next = block->next;
	else
		heap->free[row][column] = block->next;
	if (!heap->free[row][column]) {
		heap->columns[row] &= (uint8_t)~(1u << column);
		if (heap->columns[row] == 0)
			heap->rows &= ~(UINT32_C(1) << row);
	}
	behind(block)->head &= ~BEFORE_FREE;
}

/* A free block of at least `size` bytes: of the same list if one of its first few fits, else the first of a list whose
 * blocks are all larger. Only in the very last list any may be too small. */
UNCHECKED static struct wk_heap_block *find_free(const struct wk_heap *heap, size_t size)
{
	unsigned row, column, tries = 8;

	place(size, &row, &column);
	bool last = row == WK_HEAP_ROWS - 1 && column == WK_HEAP_COLUMNS - 1;
	for (struct wk_heap_block *block = heap->free[row][column]; block && (last || tries-- != 0); block = block->next)
		if (size_of(block) >= size)
			return block;
	unsigned columns = heap->columns[row] & ~((2u << column) - 1);
	if (columns == 0) {
		uint32_t rows = row + 1 < 32 ? heap->rows & ~((UINT32_C(2) << row) - 1) : 0;
		if (rows == 0)
			return NULL;
		row = (unsigned)__builtin_ctz(rows);
		columns = heap->columns[row];
	}
	return heap->free[row][__builtin_ctz(columns)];
}

/* Takes `size` bytes of a free block that has as many; what is left stays free. */
UNCHECKED static void *carve(struct wk_heap *heap, struct wk_heap_block *block, size_t size, size_t asked)
{
	size_t whole = size_of(block);

	take_free(heap, block);
	if (whole - size >= SMALLEST) {
		block->head = size;
		put_free(heap, at_offset(block, size), whole - size, 0);
	} else {
		block->head = whole;
	}
	UNPOISON(payload(block), asked);
	return payload(block);
}

/* Makes a stretch free that is not in a list, joining it with its neighbours. Returns the whole free block. */
UNCHECKED static struct wk_heap_block *give(struct wk_heap *heap, struct wk_heap_block *block, size_t size)
{
	struct wk_heap_block *next = at_offset(block, size);

	if (block->head & BEFORE_FREE) {
		struct wk_heap_block *earlier = before(block);
		size += size_of(earlier);
		take_free(heap, earlier);
		block = earlier;
	}
	if (next->head & FREE) {
		size += size_of(next);
		take_free(heap, next);
	}
	put_free(heap, block, size, 0);
	return block;
}

/* ---- pools and pieces ---- */

/* Makes [start, end) one free block and an end; returns the block. */
UNCHECKED static struct wk_heap_block *make_pool(struct wk_heap *heap, uint8_t *start, uint8_t *end,
	struct wk_heap_block **last)
{
	/* Payloads, eight bytes behind, are what is aligned. */
	uint8_t *first = start + ((size_t)(8 - (uintptr_t)start) & 15);
	uint8_t *sentinel = (uint8_t *)(((uintptr_t)end - 16) & ~(uintptr_t)15) + 8;

	if (end < start + 64 || sentinel < first + SMALLEST)
		return NULL;
	POISON(start, (size_t)(end - start));
	*last = (struct wk_heap_block *)(void *)sentinel;
	(*last)->head = 0;
	put_free(heap, (struct wk_heap_block *)(void *)first, (size_t)(sentinel - first), 0);
	heap->capacity += (uint64_t)(end - start);
	return (struct wk_heap_block *)(void *)first;
}

void wk_heap_init(struct wk_heap *heap, struct wk_pager *pager, struct wk_budget *budget)
{
	*heap = (struct wk_heap){ .pager = pager, .budget = budget };
}

void wk_heap_add_pool(struct wk_heap *heap, void *start, size_t size)
{
	struct wk_heap_block *last;

	for (unsigned i = 0; i < WK_HEAP_POOLS; i++) {
		if (heap->pools[i].size != 0)
			continue;
		if (make_pool(heap, start, (uint8_t *)start + size, &last)) {
			heap->pools[i].start = start;
			heap->pools[i].size = size;
		}
		return;
	}
}


/* Lets the newest piece grow by `step` bytes. */
UNCHECKED static bool grow_piece(struct wk_heap *heap, size_t step)
{
	struct wk_heap_piece *piece = heap->pieces;
	struct wk_heap_block *end;

	if (!piece || step > piece->linear.reserved - piece->linear.size ||
		!wk_linear_grow(&piece->linear, piece->linear.size + step, WK_GROWTH_EXACT))
		return false;
	heap->capacity += step;
	POISON((uint8_t *)piece->last + HEADER, step);
	/* The old end becomes the beginning of a free block. */
	end = at_offset(piece->last, step);
	end->head = 0;
	(void)give(heap, piece->last, step);
	piece->last = end;
	return true;
}

UNCHECKED static bool add_piece(struct wk_heap *heap, size_t step)
{
	struct wk_linear linear;
	struct wk_heap_piece *piece;

	if (wk_linear_init(&linear, heap->pager, heap->budget, WK_MAP_FILLED, step, heap->pager->provider->heap_range, NULL) != WK_OK)
		return false;
	piece = (struct wk_heap_piece *)(void *)linear.base;
	piece->linear = linear;
	piece->first = make_pool(heap, (uint8_t *)(piece + 1), linear.base + step, &piece->last);
	piece->next = heap->pieces;
	heap->pieces = piece;
	return true;
}

/* More memory for a block of `size` bytes: a quarter of what there is, so that there are few steps, but less where that
 * is refused. */
static bool extend(struct wk_heap *heap, size_t size)
{
	size_t mask = heap->pager->provider->granule - 1, least, step;

	if (wk_add_overflows(size, sizeof(struct wk_heap_piece) + 64 + mask, &least))
		return false;
	least &= ~mask;
	step = heap->capacity / 4 > LARGEST_STEP ? LARGEST_STEP : (size_t)(heap->capacity / 4);
	if (step < FIRST_STEP)
		step = FIRST_STEP;
	for (step = (step + mask) & ~mask;; step = step / 2 & ~mask) {
		if (step < least)
			step = least;
		if (grow_piece(heap, step) || add_piece(heap, step))
			return true;
		if (step == least)
			return false;
	}
}

/* Gives back a piece that is one free block. The first one stays: another would be asked for soon. */
UNCHECKED static void drop_piece(struct wk_heap *heap, struct wk_heap_block *block)
{
	for (struct wk_heap_piece **link = &heap->pieces; *link; link = &(*link)->next) {
		struct wk_heap_piece *piece = *link;

		if (piece->first != block || behind(block) != piece->last || !piece->next)
			continue;
		take_free(heap, block);
		heap->capacity -= piece->linear.size - sizeof *piece;
		*link = piece->next;
		struct wk_linear linear = piece->linear;
		UNPOISON(linear.base, linear.size);
		wk_linear_end(&linear);
		return;
	}
}

UNCHECKED void wk_heap_end(struct wk_heap *heap)
{
	while (heap->pieces) {
		struct wk_heap_piece *piece = heap->pieces;
		struct wk_linear linear = piece->linear;

		heap->pieces = piece->next;
		UNPOISON(linear.base, linear.size);
		wk_linear_end(&linear);
	}
	for (unsigned i = 0; i < WK_HEAP_POOLS; i++)
		UNPOISON(heap->pools[i].start, heap->pools[i].size);
}

/* ---- the allocator ---- */

void *wk_heap_alloc(void *context, size_t size)
{
	struct wk_heap *heap = context;
	size_t whole = block_size(size);
	void *found = NULL;

	if (whole == 0)
		return NULL;
	wk_port_lock(&heap->lock);
	struct wk_heap_block *block = find_free(heap, whole);
	if (!block && extend(heap, whole))
		block = find_free(heap, whole);
	if (block)
		found = carve(heap, block, whole, size);
	wk_port_unlock(&heap->lock);
	return found;
}

UNCHECKED void wk_heap_free(void *context, void *freed, size_t size)
{
	struct wk_heap *heap = context;
	struct wk_heap_block *block = block_of(freed);

	/* A wrong size, a pointer that is none of ours, a block freed twice. */
	check_own((block->head & FREE) == 0 && size_of(block) >= block_size(size) &&
		size_of(block) - block_size(size) < SMALLEST);
	wk_port_lock(&heap->lock);
	POISON(freed, size_of(block) - HEADER);
	block = give(heap, block, size_of(block));
	if (heap->pieces && heap->pieces->next)
		drop_piece(heap, block);
	wk_port_unlock(&heap->lock);
}

UNCHECKED void *wk_heap_resize(void *context, void *resized, size_t old_size, size_t new_size)
{
	struct wk_heap *heap = context;
	struct wk_heap_block *block = block_of(resized);
	size_t whole = block_size(new_size), has = size_of(block);
	bool fits = false;

	check_own((block->head & FREE) == 0 && has >= block_size(old_size));
	if (whole == 0)
		return NULL;
	wk_port_lock(&heap->lock);
	struct wk_heap_block *next = behind(block);
	if (has < whole && (next->head & FREE) && has + size_of(next) >= whole) {
		size_t added = size_of(next);
		take_free(heap, next);
		has += added;
		block->head += added;
	}
	if (has >= whole) {
		fits = true;
		POISON(resized, has - HEADER);
		if (has - whole >= SMALLEST) {
			struct wk_heap_block *rest = at_offset(block, whole);
			block->head -= has - whole;
			rest->head = 0;
			(void)give(heap, rest, has - whole);
		}
		UNPOISON(resized, new_size);
	}
	wk_port_unlock(&heap->lock);
	return fits ? resized : NULL;
}

UNCHECKED bool wk_heap_check(struct wk_heap *heap, uint64_t *free_bytes)
{
	uint64_t listed = 0, walked = 0;
	bool good = true;

	wk_port_lock(&heap->lock);
	for (unsigned row = 0; row < WK_HEAP_ROWS; row++) {
		good = good && (heap->columns[row] != 0) == (heap->rows >> row & 1);
		for (unsigned column = 0; column < WK_HEAP_COLUMNS; column++) {
			good = good && (heap->free[row][column] != NULL) == (heap->columns[row] >> column & 1);
			for (struct wk_heap_block *block = heap->free[row][column]; block; block = block->next) {
				good = good && (block->head & FLAGS) == FREE && (behind(block)->head & FLAGS) == BEFORE_FREE &&
					before(behind(block)) == block;
				listed += size_of(block);
			}
		}
	}
	/* Fixed pools are not walked: only what is in their lists is seen. */
	for (struct wk_heap_piece *piece = heap->pieces; piece; piece = piece->next) {
		struct wk_heap_block *block = piece->first;
		for (; block < piece->last; block = behind(block))
			walked += block->head & FREE ? size_of(block) : 0;
		good = good && block == piece->last && size_of(block) == 0;
	}
	wk_port_unlock(&heap->lock);
	*free_bytes = listed;
	return good && walked <= listed;
}
