/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault port: a provider that wraps another and refuses on demand, for tests. Not for threads.
 *
 * Requests, for addresses and for pages alike, are counted from 1. One is refused when its number is the one in
 * `fail_at`, or any later number while `keep_failing` is set. 0 never fails.
 */
#ifndef WK_PORT_FAULT_H
#define WK_PORT_FAULT_H

#include "port/port.h"

struct wk_fault {
	struct wk_provider provider;
	struct wk_provider *inner;
	uint64_t fail_at;
	bool keep_failing;
	uint64_t asked;           /* requests so far */
	uint64_t failed;          /* how many of them were refused */
	uint64_t reserved_bytes;  /* given out and not yet returned */
};

/* Wraps `inner`, which may be NULL for the environment's own. Nothing fails yet. */
void wk_fault_init(struct wk_fault *fault, struct wk_provider *inner);
/* Starts counting requests anew with a plan. What was given out stays counted. */
void wk_fault_plan(struct wk_fault *fault, uint64_t fail_at, bool keep_failing);

#endif
