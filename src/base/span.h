/* SPDX-License-Identifier: Apache-2.0
 * Bytes travel as a span: pointer and length, borrowed. */
#ifndef WK_BASE_SPAN_H
#define WK_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wk_span {
	const uint8_t *data; /* may be NULL when size is 0 */
	size_t size;
};

static inline struct wk_span wk_span(const void *data, size_t size)
{
	return (struct wk_span){ data, size };
}

static inline bool wk_span_equal(struct wk_span a, struct wk_span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* strlen is not in the freestanding set. */
static inline struct wk_span wk_span_of_text(const char *text)
{
	size_t size = 0;
	while (text[size] != 0)
		size++;
	return wk_span(text, size);
}

#define WK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
