/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/memory over the POSIX port: budgets, with threads too, arenas, and the port's lock. */
#include "unit/test.h"

#include <pthread.h>

#include "unit/faults.h"

#include "memory/arena.h"
#include "memory/budget.h"
#include "port/port.h"

static bool all_zero(const void *block, size_t size)
{
	const uint8_t *bytes = block;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* ---- budgets ---- */

TEST(budget_tree)
{
	struct wk_budget root, left, right;

	wk_budget_init(&root, NULL, "root", 1000, &test_malloc);
	wk_budget_init(&left, &root, "left", 600, NULL);
	wk_budget_init(&right, &root, "right", WK_UNLIMITED, NULL);

	CHECK(wk_budget_charge(&left, 600) == NULL);
	CHECK(wk_budget_charge(&left, 1) == &left);
	CHECK(wk_budget_charge(&right, 401) == &root);
	CHECK_EQUAL(right.used, 0);
	CHECK(wk_budget_charge(&right, UINT64_MAX) == &root);
	CHECK(wk_budget_charge(&right, 400) == NULL);
	CHECK(root.used == 1000 && root.peak == 1000 && left.used == 600 && right.used == 400);
	CHECK(wk_budget_charge(&right, 0) == NULL);
	CHECK(wk_budget_charge(&right, 1) == &root);

	wk_budget_return(&left, 600);
	wk_budget_return(&right, 400);
	CHECK(root.used == 0 && root.peak == 1000 && left.peak == 600 && right.peak == 400);
	wk_budget_end(&right);
	wk_budget_end(&left);
	wk_budget_end(&root);
}

TEST(budget_overflow)
{
	struct wk_budget root;

	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &test_malloc);
	CHECK(wk_budget_charge(&root, UINT64_MAX) == NULL);
	CHECK(wk_budget_charge(&root, 1) == &root);
	CHECK(root.used == UINT64_MAX);
	wk_budget_return(&root, UINT64_MAX);
	CHECK(wk_alloc_array(&root, SIZE_MAX / 2, 3) == NULL);
	CHECK(wk_alloc(&root, SIZE_MAX / 2) == NULL); /* the machine refuses; nothing stays charged */
	CHECK_EQUAL(root.used, 0);
	wk_budget_end(&root);
}

TEST(budget_blocks)
{
	struct test_heap heap = { 0 };
	struct wk_allocator allocator = test_heap_allocator(&heap);
	struct wk_budget root, child;

	wk_budget_init(&root, NULL, "root", 1000, &allocator);
	wk_budget_init(&child, &root, "child", WK_UNLIMITED, NULL);

	uint8_t *block = wk_alloc(&child, 100);
	REQUIRE(block);
	CHECK(all_zero(block, 100) && ((uintptr_t)block & 15) == 0);
	memset(block, 1, 100);

	/* Growing keeps the old bytes, and the new ones are zero. For a moment both blocks exist. */
	CHECK(wk_resize(&child, block, 100, 901) == NULL);
	CHECK(block[99] == 1 && root.used == 100);
	block = wk_resize(&child, block, 100, 900);
	REQUIRE(block);
	CHECK(block[0] == 1 && block[99] == 1 && all_zero(block + 100, 800));
	CHECK(root.used == 900 && root.peak == 1000);
	block = wk_resize(&child, block, 900, 10);
	CHECK(block == NULL || root.used == 10);
	REQUIRE(block);
	block = wk_resize(&child, block, 10, 10);
	CHECK(block[9] == 1);
	block = wk_resize(&child, block, 10, 0);
	CHECK(block != NULL && root.used == 0 && heap.blocks == 0);
	block = wk_resize(&child, block, 0, 8);
	REQUIRE(block);
	wk_free(&child, block, 8);
	wk_free(&child, NULL, 0);
	CHECK(heap.blocks == 0 && heap.bytes == 0);
	CHECK(root.allocations == 4 && child.allocations == 4);

	void *nothing = wk_alloc(&child, 0);
	CHECK(nothing != NULL);
	wk_free(&child, nothing, 0);
	nothing = wk_alloc_array(&child, 0, 8);
	CHECK(nothing != NULL);
	wk_free(&child, nothing, 0);
	CHECK_EQUAL(heap.asked, 4);
	wk_budget_end(&child);
	wk_budget_end(&root);
}

TEST(budget_refusal)
{
	struct wk_budget root, child;
	struct wk_report report;

	wk_budget_init(&root, NULL, "the keep", 1000, &test_malloc);
	wk_budget_init(&child, &root, "the store", WK_UNLIMITED, NULL);
	CHECK(wk_budget_charge(&child, 900) == NULL);

	wk_report_clear(&report);
	CHECK_EQUAL(wk_budget_refuse(&child, 101, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: the keep has 900 of 1000 bytes, 101 more were asked");
	CHECK(report.refusal.limit == WK_LIMIT_BUDGET && report.refusal.used == 900 && report.refusal.value == 1000);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_budget_refuse(&child, 100, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: the embedder's allocator refused 100 bytes for the store");
	CHECK(report.refusal.limit == WK_LIMIT_ALLOCATOR && report.refusal.asked == 100);
	CHECK_EQUAL(wk_budget_refuse(&child, 100, NULL), WK_NO_MEMORY);
	wk_budget_return(&child, 900);
	wk_budget_end(&child);
	wk_budget_end(&root);
}

#define THREADS 4
#define ROUNDS 20000

static void *hammer(void *argument)
{
	struct wk_budget *budget = argument;
	uint64_t refused = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (wk_budget_charge(budget, 300)) {
			refused++;
			continue;
		}
		CHECK(__atomic_load_n(&budget->parent->used, __ATOMIC_RELAXED) <= 1000);
		wk_budget_return(budget, 300);
	}
	return (void *)(uintptr_t)refused;
}

TEST(budget_threads)
{
	struct wk_budget root, children[THREADS];
	pthread_t threads[THREADS];

	wk_budget_init(&root, NULL, "root", 1000, &test_malloc);
	for (unsigned i = 0; i < THREADS; i++) {
		wk_budget_init(&children[i], &root, "child", WK_UNLIMITED, NULL);
		CHECK_EQUAL(pthread_create(&threads[i], NULL, hammer, &children[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(root.peak <= 1000 && root.used == 0);
	for (unsigned i = 0; i < THREADS; i++)
		wk_budget_end(&children[i]);
	wk_budget_end(&root);
}

static struct wk_port_lock shared_lock;
static unsigned shared_count;

static void *count_up(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		wk_port_lock(&shared_lock);
		shared_count++;
		wk_port_unlock(&shared_lock);
	}
	return argument;
}

TEST(port_lock)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, count_up, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(shared_count, THREADS * ROUNDS);
	CHECK_EQUAL(shared_lock.word, 0);
}

/* ---- arenas ---- */

TEST(arena_allocations)
{
	struct test_heap heap = { 0 };
	struct wk_allocator allocator = test_heap_allocator(&heap);
	struct wk_budget root;
	struct wk_arena arena;
	uint8_t *blocks[500];

	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &allocator);
	wk_arena_init(&arena, &root, 64);
	CHECK(heap.asked == 0);

	/* Sizes that cross block ends, and a few that get blocks of their own. */
	for (unsigned i = 0; i < WK_COUNT(blocks); i++) {
		size_t size = i * 7 % 300 + (i % 100 == 99 ? 300000 : 0);

		blocks[i] = wk_arena_alloc(&arena, size);
		REQUIRE(blocks[i]);
		CHECK(((uintptr_t)blocks[i] & (size < 16 ? 7 : 15)) == 0);
		CHECK(all_zero(blocks[i], size));
		memset(blocks[i], (int)(i & 0xff), size);
	}
	for (unsigned i = 0; i < WK_COUNT(blocks); i++) {
		size_t size = i * 7 % 300 + (i % 100 == 99 ? 300000 : 0);

		for (size_t k = 0; k < size; k++)
			if (blocks[i][k] != (i & 0xff)) {
				CHECK(blocks[i][k] == (i & 0xff));
				break;
			}
	}
	CHECK(heap.asked < 20);
	CHECK(wk_arena_alloc_array(&arena, SIZE_MAX / 2, 4) == NULL);
	CHECK(wk_arena_alloc(&arena, SIZE_MAX) == NULL);
	CHECK(wk_arena_alloc(&arena, SIZE_MAX - 8) == NULL);
	wk_arena_end(&arena);
	CHECK(heap.blocks == 0 && heap.bytes == 0);
	wk_arena_end(&arena);
	wk_budget_end(&root);
}

TEST(arena_resize)
{
	struct test_heap heap = { 0 };
	struct wk_allocator allocator = test_heap_allocator(&heap);
	struct wk_budget root;
	struct wk_arena arena;

	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &allocator);
	wk_arena_init(&arena, &root, 4096);

	uint8_t *a = wk_arena_resize(&arena, NULL, 0, 32);
	REQUIRE(a);
	memset(a, 1, 32);
	CHECK(wk_arena_resize(&arena, a, 32, 64) == a); /* the newest grows in place */
	CHECK(a[31] == 1 && all_zero(a + 32, 32));
	memset(a, 2, 64);
	CHECK(wk_arena_resize(&arena, a, 64, 16) == a);
	uint8_t *b = wk_arena_alloc(&arena, 16);
	CHECK(b == a + 16 && all_zero(b, 16)); /* what shrinking gave back is zero again */
	uint8_t *c = wk_arena_resize(&arena, a, 16, 48);
	REQUIRE(c);
	CHECK(c != a && c[15] == 2 && all_zero(c + 16, 32));
	CHECK(wk_arena_resize(&arena, a, 16, 8) == a);

	/* A small one may lie at a multiple of 8; when it grows it must not stay there. */
	uint8_t *odd = wk_arena_alloc(&arena, 8), *small = wk_arena_alloc(&arena, 8);
	REQUIRE(odd && small);
	small[0] = 9;
	uint8_t *large = wk_arena_resize(&arena, small, 8, 100);
	REQUIRE(large);
	CHECK(((uintptr_t)large & 15) == 0 && large[0] == 9 && all_zero(large + 1, 99));

	/* A vector that grows over many blocks. */
	uint32_t *vector = NULL;
	size_t capacity = 0;
	for (uint32_t i = 0; i < 200000; i++) {
		if (i == capacity) {
			size_t more = capacity ? capacity * 2 : 4;

			vector = wk_arena_resize(&arena, vector, capacity * 4, more * 4);
			REQUIRE(vector);
			capacity = more;
		}
		vector[i] = i;
	}
	for (uint32_t i = 0; i < 200000; i++)
		REQUIRE(vector[i] == i);
	wk_arena_end(&arena);
	CHECK(heap.blocks == 0);
	wk_budget_end(&root);
}

static enum wk_status fill_arena(const struct wk_allocator *allocator, void *context)
{
	struct wk_budget root;
	struct wk_arena arena;
	enum wk_status status = WK_OK;
	void *block = NULL;

	(void)context;
	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, allocator);
	wk_arena_init(&arena, &root, 256);
	for (size_t size = 1; size < 600000 && status == WK_OK; size *= 3) {
		void *more = wk_arena_resize(&arena, block, size / 3, size);

		if (!more || !wk_arena_alloc(&arena, 10))
			status = wk_budget_refuse(&root, size, NULL);
		block = more;
	}
	wk_arena_end(&arena);
	wk_budget_end(&root);
	return status;
}

TEST(arena_failures)
{
	test_every_failure("fill_arena", fill_arena, NULL);
}

int main(void)
{
	RUN(budget_tree);
	RUN(budget_overflow);
	RUN(budget_blocks);
	RUN(budget_refusal);
	RUN(budget_threads);
	RUN(port_lock);
	RUN(arena_allocations);
	RUN(arena_resize);
	RUN(arena_failures);
	return test_end();
}
