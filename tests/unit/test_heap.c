/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/memory/heap.c: blocks of all sizes come and go, in any order, with the books in order after each step. */
#include "unit/test.h"

#include "unit/faults.h"

#include "memory/heap.h"
#include "port/fault/fault.h"

struct place {
	struct wk_fault fault;
	struct wk_pager pager;
	struct wk_budget root;
	struct wk_heap heap;
};

static void begin(struct place *p, size_t range)
{
	wk_fault_init(&p->fault, NULL);
	p->fault.provider.heap_range = range;
	wk_pager_init(&p->pager, &p->fault.provider);
	wk_budget_init(&p->root, NULL, "heap", WK_UNLIMITED, &test_malloc);
	p->root.pager = &p->pager;
	wk_heap_init(&p->heap, &p->pager, &p->root);
}

static void end(struct place *p)
{
	wk_heap_end(&p->heap);
	CHECK(p->root.used == 0 && p->fault.reserved_bytes == 0 && p->pager.mappings == 0);
	wk_budget_end(&p->root);
}

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

/* Mostly small, sometimes large. */
static size_t any_size(void)
{
	uint32_t kind = any(100);
	return kind < 60 ? 1 + any(100) : kind < 95 ? 1 + any(3000) : 1 + any(200000);
}

#define BLOCKS 400

static void check_contents(const uint8_t *block, size_t size, uint8_t value)
{
	for (size_t i = 0; i < size; i += size > 4096 ? 97 : 1) {
		if (block[i] != value) {
			CHECK(block[i] == value);
			return;
		}
	}
	CHECK(block[size - 1] == value);
}

static void come_and_go(struct place *p, unsigned rounds)
{
	uint8_t *blocks[BLOCKS] = { 0 };
	size_t sizes[BLOCKS] = { 0 };
	uint64_t free_bytes;

	for (unsigned round = 0; round < rounds; round++) {
		unsigned i = any(BLOCKS);
		if (!blocks[i]) {
			sizes[i] = any_size();
			blocks[i] = wk_heap_alloc(&p->heap, sizes[i]);
			REQUIRE(blocks[i] && ((uintptr_t)blocks[i] & 15) == 0);
			memset(blocks[i], (int)(i & 0xff), sizes[i]);
		} else if (any(3) == 0) {
			size_t size = any_size(), kept = size < sizes[i] ? size : sizes[i];
			uint8_t *same = wk_heap_resize(&p->heap, blocks[i], sizes[i], size);
			CHECK(same == NULL || same == blocks[i]);
			CHECK(same != NULL || size > sizes[i]);
			if (same) {
				check_contents(same, kept, (uint8_t)i);
				memset(same, (int)(i & 0xff), size);
				sizes[i] = size;
			}
		} else {
			check_contents(blocks[i], sizes[i], (uint8_t)i);
			wk_heap_free(&p->heap, blocks[i], sizes[i]);
			blocks[i] = NULL;
		}
		if (round % 64 == 0)
			CHECK(wk_heap_check(&p->heap, &free_bytes));
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i])
			wk_heap_free(&p->heap, blocks[i], sizes[i]);
	CHECK(wk_heap_check(&p->heap, &free_bytes));
}

TEST(one_piece)
{
	struct place p;

	begin(&p, (size_t)1 << 28);
	come_and_go(&p, 40000);
	CHECK(p.heap.pieces != NULL && p.pager.mappings < 60);
	/* All of it is one block again. */
	CHECK_EQUAL(__builtin_popcount(p.heap.rows), 1);
	end(&p);
}

TEST(many_pieces)
{
	struct place p;

	begin(&p, (size_t)1 << 18);
	come_and_go(&p, 40000);
	CHECK(p.root.used <= (size_t)1 << 19); /* the others were given back */
	end(&p);
}

TEST(pools)
{
	static uint8_t pool[10000];
	struct place p;
	uint64_t free_bytes;
	void *blocks[200];
	unsigned count = 0;

	begin(&p, (size_t)1 << 20);
	wk_heap_add_pool(&p.heap, pool + 1, 50); /* too small: not used */
	CHECK(wk_heap_check(&p.heap, &free_bytes) && free_bytes == 0);
	wk_heap_add_pool(&p.heap, pool + 3, sizeof pool - 5);
	wk_fault_plan(&p.fault, 1, true);
	while (count < 200 && (blocks[count] = wk_heap_alloc(&p.heap, 100)) != NULL)
		memset(blocks[count++], 1, 100);
	CHECK(count > 85 && count < 95);
	for (unsigned i = 0; i < count; i += 2)
		wk_heap_free(&p.heap, blocks[i], 100);
	CHECK(wk_heap_alloc(&p.heap, 1000) == NULL); /* nowhere in one piece */
	for (unsigned i = 1; i < count; i += 2)
		wk_heap_free(&p.heap, blocks[i], 100);
	CHECK(wk_heap_check(&p.heap, &free_bytes) && free_bytes > 9900);
	void *whole = wk_heap_alloc(&p.heap, 9900);
	CHECK(whole != NULL);
	wk_heap_free(&p.heap, whole, 9900);
	end(&p);
}

TEST(impossible_sizes)
{
	struct place p;
	void *block;

	begin(&p, (size_t)1 << 20);
	CHECK(wk_heap_alloc(&p.heap, SIZE_MAX) == NULL && wk_heap_alloc(&p.heap, SIZE_MAX - 20) == NULL);
	CHECK(wk_heap_alloc(&p.heap, SIZE_MAX / 2) == NULL);
	block = wk_heap_alloc(&p.heap, 1);
	REQUIRE(block);
	CHECK(wk_heap_resize(&p.heap, block, 1, SIZE_MAX) == NULL);
	wk_heap_free(&p.heap, block, 1);
	/* A block larger than a piece has addresses gets a piece of its own. */
	block = wk_heap_alloc(&p.heap, (size_t)5 << 20);
	REQUIRE(block);
	memset(block, 1, (size_t)5 << 20);
	wk_heap_free(&p.heap, block, (size_t)5 << 20);
	CHECK(p.root.used < (size_t)1 << 20);
	end(&p);
}

/* The wanted step is refused, a smaller one is not; and refusals leave everything as it was. */
TEST(refused)
{
	struct place p;
	uint64_t free_bytes;

	for (uint64_t n = 1; n < 40; n++) {
		begin(&p, (size_t)1 << 20);
		wk_fault_plan(&p.fault, n, n % 2 == 0);
		void *blocks[64] = { 0 };
		unsigned count = 0;
		for (; count < 64; count++)
			if ((blocks[count] = wk_heap_alloc(&p.heap, 5000)) == NULL)
				break;
		CHECK(count == 64 || p.fault.failed != 0);
		CHECK(wk_heap_check(&p.heap, &free_bytes));
		while (count-- != 0)
			wk_heap_free(&p.heap, blocks[count], 5000);
		end(&p);
	}
}

int main(void)
{
	RUN(one_piece);
	RUN(many_pieces);
	RUN(pools);
	RUN(impossible_sizes);
	RUN(refused);
	return test_end();
}
