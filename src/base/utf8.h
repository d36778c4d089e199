/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as the specification wants names to be (5.2.4): shortest forms only, no surrogates, at most U+10FFFF. */
#ifndef WK_BASE_UTF8_H
#define WK_BASE_UTF8_H

#include "base/span.h"

/* Bytes of the character at `at` (1 to 4), of which `size` (> 0) are there; 0 when they are not UTF-8. Sets
 * *code_point unless it is NULL. */
size_t wk_utf8_character(const uint8_t *at, size_t size, uint32_t *code_point);

/* How many bytes at the start are valid; the whole size when all are. */
size_t wk_utf8_valid_prefix(struct wk_span bytes);

static inline bool wk_utf8_valid(struct wk_span bytes)
{
	return wk_utf8_valid_prefix(bytes) == bytes.size;
}

#endif
