/* SPDX-License-Identifier: Apache-2.0
 * Arithmetic that says when it overflows: true means overflow, and *out is then not to be used. */
#ifndef WK_BASE_CHECKED_H
#define WK_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool wk_add_overflows(size_t a, size_t b, size_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

static inline bool wk_mul_overflows(size_t a, size_t b, size_t *out)
{
	return __builtin_mul_overflow(a, b, out);
}

static inline bool wk_add64_overflows(uint64_t a, uint64_t b, uint64_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

/* True when `count` items from `start` lie within `size` items. */
static inline bool wk_range_fits(uint64_t start, uint64_t count, uint64_t size)
{
	return start <= size && count <= size - start;
}

#endif
