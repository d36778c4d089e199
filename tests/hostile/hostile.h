/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the hostile tests. */
#ifndef WK_TESTS_HOSTILE_H
#define WK_TESTS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Prints "ok - name" or "not ok - name: why" and counts. Returns `good`. */
bool check(bool good, const char *name, const char *why);
extern unsigned failures;

/* Runs a function on a native stack of `size` bytes with a guard below it; returns how many of them were used, or 0 when
 * that is not known. Sanitized code has large frames: it gets 16 times as much. */
size_t on_stack(size_t size, void (*function)(void *), void *argument);

void test_links(void);      /* imports that are missing or of another type */
void test_recursion(void);  /* guests and hosts that call each other, on a small native stack; interruption */
void test_mutations(void);  /* truncations and flipped bits */

#endif
