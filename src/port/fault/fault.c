/* SPDX-License-Identifier: Apache-2.0
 *
 * Wraps another port (see inner.h) and refuses the requests that the plan names. Frees are passed on always, and
 * counted, so that a test sees what was lost on a failing path.
 */
#include "port/fault/fault.h"

void *wk_inner_heap_alloc(size_t size);
void wk_inner_heap_free(void *block, size_t size);
void *wk_inner_pages_reserve(size_t size);
bool wk_inner_pages_commit(void *at, size_t size);
void wk_inner_pages_release(void *range, size_t size);

struct wk_fault wk_fault;

void wk_fault_plan(uint64_t heap_fail_at, uint64_t pages_fail_at, bool keep_failing)
{
	wk_fault.heap = (struct wk_fault_row){ .fail_at = heap_fail_at, .keep_failing = keep_failing };
	wk_fault.pages = (struct wk_fault_row){ .fail_at = pages_fail_at, .keep_failing = keep_failing };
}

static bool refuses(struct wk_fault_row *row)
{
	row->asked++;
	if (row->fail_at == 0 || row->asked < row->fail_at || (row->asked > row->fail_at && !row->keep_failing))
		return false;
	row->failed++;
	return true;
}

void *wk_port_heap_alloc(size_t size)
{
	void *block = refuses(&wk_fault.heap) ? NULL : wk_inner_heap_alloc(size);

	if (block)
		wk_fault.heap_bytes += size;
	return block;
}

void wk_port_heap_free(void *block, size_t size)
{
	wk_fault.heap_bytes -= size;
	wk_inner_heap_free(block, size);
}

void *wk_port_pages_reserve(size_t size)
{
	void *range = refuses(&wk_fault.pages) ? NULL : wk_inner_pages_reserve(size);

	if (range)
		wk_fault.reserved_bytes += size;
	return range;
}

bool wk_port_pages_commit(void *at, size_t size)
{
	return !refuses(&wk_fault.pages) && wk_inner_pages_commit(at, size);
}

void wk_port_pages_release(void *range, size_t size)
{
	wk_fault.reserved_bytes -= size;
	wk_inner_pages_release(range, size);
}
