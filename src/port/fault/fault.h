/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault port: another port with failures on demand, for tests. One plan for the process, and not for threads.
 *
 * Requests are counted from 1: heap allocations in one row; page reservations and commits together in another. A request
 * fails when its number is the one in `fail_at`, or any later number while `keep_failing` is set. 0 never fails.
 */
#ifndef WK_PORT_FAULT_H
#define WK_PORT_FAULT_H

#include "port/port.h"

struct wk_fault_row {
	uint64_t fail_at;
	bool keep_failing;
	uint64_t asked;  /* requests so far */
	uint64_t failed; /* how many of them were refused */
};

struct wk_fault {
	struct wk_fault_row heap, pages;
	uint64_t heap_bytes;     /* given out and not yet returned */
	uint64_t reserved_bytes; /* the same for addresses */
};

extern struct wk_fault wk_fault;

/* Starts counting anew with a plan. The bytes given out stay counted. */
void wk_fault_plan(uint64_t heap_fail_at, uint64_t pages_fail_at, bool keep_failing);

#endif
