/* SPDX-License-Identifier: Apache-2.0
 *
 * The guest's file descriptors: a growing array, new numbers lowest first as programs written for POSIX expect.
 *
 * Each entry carries two sets of rights: what can be done with it, and what things opened through it can be given at
 * most. Rights only ever shrink. An open entry always has an object; an entry that is not open has nothing.
 */
#include "wasi/internal.h"

enum wk_wasi_errno wk_wasi_find(struct wk_wasi *wasi, uint64_t slot, uint64_t base, struct wk_wasi_entry **entry)
{
	uint32_t fd = (uint32_t)slot;

	if (fd >= wasi->capacity || !wasi->entries[fd].open)
		return WK_WASI_BADF;
	if ((wasi->entries[fd].base & base) != base)
		return WK_WASI_NOTCAPABLE;
	*entry = &wasi->entries[fd];
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_take_fd(struct wk_wasi *wasi, uint32_t *taken)
{
	uint32_t fd = 0;

	while (fd < wasi->capacity && (wasi->entries[fd].open || wasi->entries[fd].reserved))
		fd++;
	if (fd >= WK_WASI_FD_MAX)
		return WK_WASI_MFILE;
	if (fd == wasi->capacity) {
		uint32_t capacity = wasi->capacity ? wasi->capacity * 2 : 8;
		struct wk_wasi_entry *entries = wk_resize(wasi->budget, wasi->entries,
			wasi->capacity * sizeof *entries, capacity * sizeof *entries);

		if (!entries)
			return WK_WASI_NOMEM;
		wasi->entries = entries;
		wasi->capacity = capacity;
	}
	wasi->entries[fd] = (struct wk_wasi_entry){ .open = true };
	*taken = fd;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_close_entry(struct wk_wasi *wasi, struct wk_wasi_entry *entry)
{
	struct wk_wasi_object object = entry->object;

	wk_free(wasi->budget, entry->places, entry->place_capacity * sizeof *entry->places);
	*entry = (struct wk_wasi_entry){ 0 };
	return wasi->system->close(wasi->system->context, &object);
}

uint64_t wk_wasi_rights_of(const struct wk_wasi_object *object)
{
	switch (object->type) {
	case WK_WASI_DIRECTORY:
		return WK_RIGHTS_DIRECTORY;
	case WK_WASI_SOCKET_STREAM:
	case WK_WASI_SOCKET_DGRAM:
		return WK_RIGHTS_SOCKET;
	case WK_WASI_REGULAR_FILE:
		return WK_RIGHTS_FILE;
	default:
		/* Without the right to seek a character device is a terminal to wasi-libc's isatty(). */
		return object->seekable ? WK_RIGHTS_FILE : WK_RIGHTS_STREAM;
	}
}
