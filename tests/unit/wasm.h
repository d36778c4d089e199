/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing modules byte by byte, and loading them. Include test.h first.
 *
 *	struct wasm w = { 0 };
 *	wasm_start(&w);
 *	wasm_open(&w, 1);              a section; its size is filled in by wasm_close
 *	PUT(&w, 1, 0x60, 0, 0);
 *	wasm_close(&w);
 *	status = wasm_load(&place, &w, &report);
 *	free(w.bytes);
 */
#ifndef WK_TESTS_UNIT_WASM_H
#define WK_TESTS_UNIT_WASM_H

#include <stdlib.h>

#include "validate/validate.h"

struct wasm {
	uint8_t *bytes;
	size_t size, room;
	size_t open[4]; /* where the sizes of what is open are written */
	unsigned depth;
};

static inline void wasm_put(struct wasm *w, const void *bytes, size_t size)
{
	if (w->size + size > w->room) {
		w->room = (w->size + size) * 2;
		w->bytes = realloc(w->bytes, w->room);
		if (w->bytes == NULL)
			abort();
	}
	if (size != 0)
		memcpy(w->bytes + w->size, bytes, size);
	w->size += size;
}

#define PUT(w, ...) wasm_put((w), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void wasm_leb(struct wasm *w, uint64_t number)
{
	while (number >= 0x80) {
		PUT(w, (uint8_t)(number | 0x80));
		number >>= 7;
	}
	PUT(w, (uint8_t)number);
}

static inline void wasm_start(struct wasm *w)
{
	PUT(w, 0, 'a', 's', 'm', 1, 0, 0, 0);
}

static inline void wasm_signed(struct wasm *w, int64_t number)
{
	while (number < -64 || number > 63) {
		PUT(w, (uint8_t)(((uint64_t)number & 0x7f) | 0x80));
		number >>= 7;
	}
	PUT(w, (uint8_t)((uint64_t)number & 0x7f));
}

/* Something with a size before it: a section when id is not negative, else a body. */
static inline void wasm_open(struct wasm *w, int id)
{
	if (id >= 0)
		PUT(w, (uint8_t)id);
	w->open[w->depth++] = w->size;
	PUT(w, 0x80, 0x80, 0x80, 0x80, 0);
}

static inline void wasm_close(struct wasm *w)
{
	size_t at = w->open[--w->depth];
	size_t size = w->size - at - 5;

	for (int i = 0; i < 5; i++)
		w->bytes[at + (size_t)i] = (uint8_t)((size >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
}

static inline void wasm_name(struct wasm *w, const char *name)
{
	wasm_leb(w, strlen(name));
	wasm_put(w, name, strlen(name));
}

/* A module of function type 0 ([] -> []) with one body. */
static inline void wasm_one_function(struct wasm *w, const uint8_t *body, size_t size)
{
	wasm_start(w);
	wasm_open(w, 1);
	PUT(w, 1, 0x60, 0, 0);
	wasm_close(w);
	wasm_open(w, 3);
	PUT(w, 1, 0);
	wasm_close(w);
	wasm_open(w, 10);
	PUT(w, 1);
	wasm_open(w, -1);
	wasm_put(w, body, size);
	wasm_close(w);
	wasm_close(w);
}

/* Where modules are loaded: a root budget and a registry. */
struct place {
	struct wk_budget root;
	struct wk_registry *registry;
};

static inline void place_begin(struct place *place, uint64_t limit)
{
	wk_budget_init(&place->root, NULL, "test", limit, &test_malloc);
	if (wk_registry_new(&place->root, &place->registry) != WK_OK)
		abort();
}

/* Asserts that all memory came back. */
static inline void place_end(struct place *place)
{
	wk_registry_delete(place->registry);
	CHECK_EQUAL(place->root.used, 0);
	wk_budget_end(&place->root);
}

/* Decodes and validates; *module is NULL unless that succeeded. `report` is cleared. */
static inline enum wk_status load_bytes(struct place *place, const uint8_t *bytes, size_t size,
	struct wk_report *report,
	struct wk_module **module)
{
	struct wk_module *loaded = NULL;
	enum wk_status status;

	wk_report_clear(report);
	*module = NULL;
	status = wk_module_decode(&place->root, place->registry, wk_span(bytes, size), report, &loaded);
	if (status == WK_OK)
		status = wk_validate_module(loaded, report);
	if (status == WK_OK)
		*module = loaded;
	else if (loaded != NULL)
		wk_module_free(loaded);
	return status;
}

/* The same for good: only the status is of interest. */
static inline enum wk_status try_bytes(struct place *place, const uint8_t *bytes, size_t size, struct wk_report *report)
{
	struct wk_module *module = NULL;
	enum wk_status status = load_bytes(place, bytes, size, report, &module);

	if (module != NULL)
		wk_module_free(module);
	return status;
}

static inline bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

#endif
