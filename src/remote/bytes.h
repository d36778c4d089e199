/* SPDX-License-Identifier: Apache-2.0
 * Writing and reading of bytes in a row: a writer that only counts what does not fit, a reader that stays at its end once
 * something was missing. */
#ifndef WK_REMOTE_BYTES_H
#define WK_REMOTE_BYTES_H

#include "base/span.h"

struct wk_writer { uint8_t *at; size_t room, used; };
struct wk_reader { const uint8_t *at, *end; bool short_; /* something was missing */ };

static inline void wk_write(struct wk_writer *w, const void *data, size_t size)
{
	if (size <= w->room && w->used <= w->room - size && size != 0)
		memcpy(w->at + w->used, data, size);
	w->used += size;
}

static inline void wk_write32(struct wk_writer *w, uint32_t v) { wk_write(w, &v, sizeof v); }
static inline void wk_write64(struct wk_writer *w, uint64_t v) { wk_write(w, &v, sizeof v); }

/* With its NUL. */
static inline void wk_write_text(struct wk_writer *w, const char *text)
{
	wk_write(w, text, wk_span_of_text(text).size + 1);
}

/* `size` bytes in place, or NULL. */
static inline const uint8_t *wk_read(struct wk_reader *r, size_t size)
{
	const uint8_t *at = r->at;

	if (size > (size_t)(r->end - at)) {
		r->short_ = true;
		r->at = r->end;
		return NULL;
	}
	r->at += size;
	return at;
}

static inline uint32_t wk_read32(struct wk_reader *r)
{
	const uint8_t *at = wk_read(r, 4);
	uint32_t v = 0;

	if (at)
		memcpy(&v, at, sizeof v);
	return v;
}

static inline uint64_t wk_read64(struct wk_reader *r)
{
	const uint8_t *at = wk_read(r, 8);
	uint64_t v = 0;

	if (at)
		memcpy(&v, at, sizeof v);
	return v;
}

/* A text with its NUL, in place; "" once something is missing. */
static inline const char *wk_read_text(struct wk_reader *r)
{
	size_t left = (size_t)(r->end - r->at);
	const uint8_t *start = r->at;

	for (size_t i = 0; i < left; i++) {
		if (start[i] == 0) {
			r->at = start + i + 1;
			return (const char *)start;
		}
	}
	r->short_ = true;
	r->at = r->end;
	return "";
}

/* A text into a buffer; false: it is too long or missing. */
static inline bool wk_read_text_to(struct wk_reader *r, char *to, size_t room)
{
	const char *text = wk_read_text(r);
	size_t size = wk_span_of_text(text).size + 1;

	if (r->short_ || size > room)
		return false;
	memcpy(to, text, size);
	return true;
}

#endif
