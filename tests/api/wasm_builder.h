/* SPDX-License-Identifier: Apache-2.0
 *
 * Small modules as bytes, written section by section:
 *
 *	struct wasm w = { 0 };
 *	wasm_begin(&w);
 *	wasm_section(&w, 1, 1);                           section 1 with one item
 *	wasm_put(&w, 0x60, 1, WASM_I32, 1, WASM_I32);     its bytes
 *	...
 *	wasm_end(&w);                                     w.bytes, w.size
 *
 * wasm_body opens a function body, wasm_body_end closes it. Sections close when the next begins or wasm_end is called.
 */
#ifndef WK_TESTS_API_WASM_BUILDER_H
#define WK_TESTS_API_WASM_BUILDER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef WASM_ROOM
#define WASM_ROOM (1 << 14) /* bytes at most; define it before to have more */
#endif

#define WASM_I32 0x7f
#define WASM_I64 0x7e
#define WASM_F32 0x7d
#define WASM_F64 0x7c
#define WASM_V128 0x7b
#define WASM_FUNCREF 0x70
#define WASM_EXTERNREF 0x6f
#define WASM_EXNREF 0x69

enum { WASM_TYPES = 1, WASM_IMPORTS, WASM_FUNCTIONS, WASM_TABLES, WASM_MEMORIES, WASM_GLOBALS, WASM_EXPORTS, WASM_START,
	WASM_ELEMENTS, WASM_CODE, WASM_DATA, WASM_DATA_COUNT, WASM_TAGS };
enum { WASM_FUNC, WASM_TABLE, WASM_MEMORY, WASM_GLOBAL, WASM_TAG };

struct wasm {
	uint8_t bytes[WASM_ROOM];
	size_t size;
	size_t section, body; /* where their contents begin; 0: none is open */
};

static inline void wasm_byte(struct wasm *w, unsigned byte)
{
	if (w->size == sizeof(w->bytes))
		abort();
	w->bytes[w->size++] = (uint8_t)byte;
}

/* Unsigned LEB128. */
static inline void wasm_number(struct wasm *w, uint64_t number)
{
	do {
		wasm_byte(w, (unsigned)(number & 0x7f) | (number > 0x7f ? 0x80u : 0));
		number >>= 7;
	} while (number != 0);
}

static inline void wasm_raw(struct wasm *w, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wasm_byte(w, bytes[i]);
}

/* Any number of bytes. */
#define wasm_put(w, ...) \
	wasm_raw((w), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void wasm_name(struct wasm *w, const char *name)
{
	wasm_number(w, strlen(name));
	wasm_raw(w, (const uint8_t *)name, strlen(name));
}

static inline void wasm_begin(struct wasm *w)
{
	w->size = w->section = w->body = 0;
	wasm_put(w, 0, 'a', 's', 'm', 1, 0, 0, 0);
}

/* Puts the length of what was written since `start` before it, in five bytes that are there already. */
static inline void wasm_patch(struct wasm *w, size_t start)
{
	size_t size = w->size - start;

	for (unsigned i = 0; i < 5; i++)
		w->bytes[start - 5 + i] = (uint8_t)((size >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
}

static inline size_t wasm_open(struct wasm *w)
{
	wasm_put(w, 0, 0, 0, 0, 0);
	return w->size;
}

static inline void wasm_end(struct wasm *w)
{
	if (w->section != 0)
		wasm_patch(w, w->section);
	w->section = 0;
}

static inline void wasm_section(struct wasm *w, unsigned id, uint32_t count)
{
	wasm_end(w);
	wasm_byte(w, id);
	w->section = wasm_open(w);
	if (id != WASM_START)
		wasm_number(w, count);
}

static inline void wasm_export(struct wasm *w, const char *name, unsigned kind, uint32_t index)
{
	wasm_name(w, name);
	wasm_byte(w, kind);
	wasm_number(w, index);
}

/* Followed by the type. */
static inline void wasm_import(struct wasm *w, const char *module, const char *name, unsigned kind)
{
	wasm_name(w, module);
	wasm_name(w, name);
	wasm_byte(w, kind);
}

/* A body without locals. */
static inline void wasm_body(struct wasm *w)
{
	w->body = wasm_open(w);
	wasm_number(w, 0);
}

static inline void wasm_body_end(struct wasm *w)
{
	wasm_byte(w, 0x0b);
	wasm_patch(w, w->body);
}

/* A body of the bytes given, `end` added. */
#define WASM_BODY(w, ...) \
	do { \
		wasm_body(w); \
		wasm_put(w, __VA_ARGS__); \
		wasm_body_end(w); \
	} while (0)

#endif
