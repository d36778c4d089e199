/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/memory over the fault port: what happens when the machine refuses heap, addresses or pages. */
#include "unit/test.h"

#include "memory/arena.h"
#include "memory/budget.h"
#include "memory/linear.h"
#include "port/fault/fault.h"

#define PAGE UINT64_C(65536)

TEST(heap)
{
	struct wk_budget root;
	struct wk_arena arena;

	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &wk_port_allocator);
	wk_fault_plan(2, 0, false);
	void *first = wk_alloc(&root, 10);
	CHECK(first && wk_fault.heap_bytes == 10);
	CHECK(wk_alloc(&root, 20) == NULL && root.used == 10 && wk_fault.heap.failed == 1);
	wk_fault_plan(1, 0, true);
	CHECK(wk_resize(&root, first, 10, 20) == NULL && root.used == 10);
	wk_arena_init(&arena, &root, 1000);
	CHECK(wk_arena_alloc(&arena, 1) == NULL && wk_arena_alloc(&arena, 1000000) == NULL);
	wk_fault_plan(0, 0, false);
	CHECK(wk_arena_alloc(&arena, 1) != NULL);
	wk_arena_end(&arena);
	wk_free(&root, first, 10);
	CHECK(root.used == 0 && wk_fault.heap_bytes == 0);
	wk_budget_end(&root);
}

TEST(fewer_addresses)
{
	struct wk_budget root;
	struct wk_linear linear;

	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &wk_port_allocator);
	/* The whole maximum is refused, half of it is not. */
	wk_fault_plan(0, 1, false);
	REQUIRE(wk_linear_init(&linear, &root, PAGE, 8 * PAGE, NULL) == WK_OK);
	CHECK_EQUAL(linear.reserved, 4 * PAGE);
	CHECK(wk_linear_grow(&linear, 4 * PAGE) && !wk_linear_grow(&linear, 5 * PAGE));
	wk_linear_end(&linear);
	CHECK(wk_fault.reserved_bytes == 0 && root.used == 0);
	wk_budget_end(&root);
}

TEST(no_addresses)
{
	struct wk_budget root;
	struct wk_linear linear = { 0 };
	struct wk_report report;

	wk_budget_init(&root, NULL, "the memories", WK_UNLIMITED, &wk_port_allocator);
	wk_fault_plan(0, 1, true);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &root, 3 * PAGE, 8 * PAGE, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: no room for 196608 bytes of addresses for the memories");
	/* An empty memory does not need any; it just cannot grow. */
	REQUIRE(wk_linear_init(&linear, &root, 0, 8 * PAGE, NULL) == WK_OK);
	CHECK(linear.base == NULL && !wk_linear_grow(&linear, PAGE));
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

TEST(no_pages)
{
	struct wk_budget root;
	struct wk_linear linear = { 0 };
	struct wk_report report;

	wk_budget_init(&root, NULL, "the memories", WK_UNLIMITED, &wk_port_allocator);
	wk_fault_plan(0, 2, false);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &root, PAGE, 8 * PAGE, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: the machine refused 65536 bytes for the memories");
	CHECK(linear.base == NULL && wk_fault.reserved_bytes == 0 && root.used == 0);

	wk_fault_plan(0, 3, false);
	REQUIRE(wk_linear_init(&linear, &root, PAGE, 8 * PAGE, NULL) == WK_OK);
	CHECK(!wk_linear_grow(&linear, 2 * PAGE));
	CHECK(linear.size == PAGE && root.used == PAGE);
	CHECK(wk_linear_grow(&linear, 2 * PAGE) && linear.base[2 * PAGE - 1] == 0);
	wk_linear_end(&linear);
	CHECK(wk_fault.reserved_bytes == 0 && root.used == 0);
	wk_budget_end(&root);
}

int main(void)
{
	RUN(heap);
	RUN(fewer_addresses);
	RUN(no_addresses);
	RUN(no_pages);
	return test_end();
}
