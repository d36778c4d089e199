/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_readdir: lists a directory, from any place in it.
 *
 * A place is a cookie. The system's own are 64 bits wide (on Linux often a hash), while telldir() of a guest has 32, so
 * the guest gets the entry's number instead, counted from 1, and each open directory remembers the system's cookie behind
 * every number it gave out. So a cookie stays good when entries before it are removed, as `rm -r` does while it reads, and
 * going on costs the same wherever it is.
 *
 * A number that was not given out yet is counted forward to. Starting again at 0 forgets all numbers, as rewinddir() may.
 */
#include "wasi/internal.h"

#define PLACES_AT_FIRST 64u

struct listing {
	struct wk_wasi *wasi;
	struct wk_wasi_entry *directory;
	uint8_t *to;
	uint32_t size, used;
	uint64_t number;             /* entries passed since the beginning */
	uint64_t first;              /* the cookie asked for: entries passed before the listing */
	enum wk_wasi_errno error;
};

static bool remember_place(struct listing *listing, uint64_t place)
{
	struct wk_wasi_entry *directory = listing->directory;
	uint32_t capacity = directory->place_capacity;

	if (listing->number > capacity) {
		uint32_t larger = capacity ? capacity * 2 : PLACES_AT_FIRST;
		uint64_t *places = NULL;

		if (larger > capacity)
			places = wk_resize(listing->wasi->budget, directory->places, capacity * sizeof *places,
				larger * sizeof *places);
		if (!places)
			return false;
		directory->places = places;
		directory->place_capacity = larger;
	}
	directory->places[listing->number - 1] = place;
	if (directory->place_count < listing->number)
		directory->place_count = (uint32_t)listing->number;
	return true;
}

static void list_bytes(struct listing *listing, const void *bytes, size_t size)
{
	size_t room = listing->size - listing->used;
	size_t part = size < room ? size : room;

	if (part != 0)
		memcpy(listing->to + listing->used, bytes, part);
	listing->used += (uint32_t)part;
}

/* The last entry is cut where the buffer ends: a full buffer is how the guest knows that there is more. */
static bool list_entry(void *sink, const struct wk_wasi_directory_entry *entry)
{
	struct listing *listing = sink;
	uint8_t head[WK_DIRENT_SIZE] = { 0 };

	listing->number++;
	if (!remember_place(listing, entry->next)) {
		listing->error = WK_WASI_NOMEM;
		return false;
	}
	if (listing->number <= listing->first)
		return true;
	wk_put64(head + WK_DIRENT_NEXT, listing->number);
	wk_put64(head + WK_DIRENT_INODE, entry->inode);
	wk_put32(head + WK_DIRENT_LENGTH, (uint32_t)entry->name_size);
	head[WK_DIRENT_TYPE] = entry->type;
	list_bytes(listing, head, sizeof head);
	list_bytes(listing, entry->name, entry->name_size);
	return listing->used < listing->size;
}

static enum wk_wasi_errno list(struct wk_wasi *wasi, struct wk_wasi_entry *directory, struct listing *listing)
{
	uint64_t place = 0;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (listing->first == 0)
		directory->place_count = 0;
	listing->wasi = wasi;
	listing->directory = directory;
	listing->number = listing->first < directory->place_count ? listing->first : directory->place_count;
	if (listing->number != 0)
		place = directory->places[listing->number - 1];
	error = wasi->system->read_directory(wasi->system->context, &directory->object, place, list_entry, listing);
	return error != WK_WASI_SUCCESS ? error : listing->error;
}

enum wk_wasi_errno wk_wasi_fd_readdir(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	struct listing listing = { .size = (uint32_t)slots[2], .first = slots[3] };
	uint8_t *result = wk_wasi_guest(call, slots[4], 1, 4);
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], 0, &entry);

	listing.to = wk_wasi_guest(call, slots[1], listing.size, 1);
	if (!result || !listing.to)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS && entry->object.type != WK_WASI_DIRECTORY)
		error = WK_WASI_NOTDIR;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, slots[0], WK_RIGHT_FD_READDIR, &entry);
	if (error == WK_WASI_SUCCESS && listing.size != 0)
		error = list(call->wasi, entry, &listing);
	if (error == WK_WASI_SUCCESS)
		wk_put32(result, listing.used);
	return error;
}
