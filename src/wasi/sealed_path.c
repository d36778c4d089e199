/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of sealed folders: finding the place that a path leads to, and the operations on names and folders.
 *
 * There are no links, so a path is only a row of names, and `..` is the folder above. The folder that a path starts
 * from is never left: `..` there is PERM, be it only to come back in.
 *
 * Each operation reads the index, does its checks, changes the index in memory and writes it with one write. What was
 * done on the way before an error is not written, or is found and removed later (sealed_index.c).
 */
#include "wasi/sealed_internal.h"

/* ---- finding places ---- */

static bool is_folder(const struct wk_sealed_index *index, uint32_t number)
{
	uint32_t at = WK_SEALED_NOBODY;

	if (number == WK_SEALED_ROOT)
		return true;
	at = wk_sealed_find_number(index, number);
	return at != WK_SEALED_NOBODY && index->entries[at].type == WK_WASI_DIRECTORY;
}

/* Of a folder that is there, and not the root. */
static uint32_t parent_of(const struct wk_sealed_index *index, uint32_t number)
{
	return index->entries[wk_sealed_find_number(index, number)].parent;
}

/* Whether one folder is another or somewhere in it. */
static bool is_within(const struct wk_sealed_index *index, uint32_t number, uint32_t above)
{
	while (number != above && number != WK_SEALED_ROOT)
		number = parent_of(index, number);
	return number == above;
}

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static const char *skip_name(const char *path)
{
	while (*path && *path != '/')
		path++;
	return path;
}

enum wk_wasi_errno wk_sealed_resolve(const struct wk_sealed_index *index, const struct wk_wasi_object *directory,
	const char *path, struct wk_sealed_place *place)
{
	uint32_t start = (uint32_t)directory->handle, here = start;

	if (path[0] == '/')
		return WK_WASI_PERM;
	if (!is_folder(index, start))
		return WK_WASI_NOENT; /* removed since */
	while (*path) {
		const char *end = skip_name(path), *next = skip_slashes(end);
		size_t size = (size_t)(end - path);
		uint32_t at = 0;
		bool found = false;

		if (size > WK_SEALED_NAME)
			return WK_WASI_NAMETOOLONG;
		if (size == 2 && path[0] == '.' && path[1] == '.') {
			if (here == start)
				return WK_WASI_PERM;
			here = parent_of(index, here);
		} else if (size != 1 || path[0] != '.') {
			found = wk_sealed_find_name(index, here, path, size, &at);
			if (*next == 0) {
				*place = (struct wk_sealed_place){ here, path, size, next != end, found, at };
				return WK_WASI_SUCCESS;
			}
			if (!found)
				return WK_WASI_NOENT;
			if (index->entries[at].type != WK_WASI_DIRECTORY)
				return WK_WASI_NOTDIR;
			here = index->entries[at].number;
		}
		path = next;
	}
	*place = (struct wk_sealed_place){ .parent = here, .name = path };
	return WK_WASI_SUCCESS;
}

/* Reads the index and finds the place, or leaves nothing open. */
static enum wk_wasi_errno begin_at(struct wk_sealed *sealed, const struct wk_wasi_object *directory, const char *path,
	struct wk_sealed_index *index, struct wk_sealed_place *place)
{
	enum wk_wasi_errno error = wk_sealed_begin(sealed, false, index);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = wk_sealed_resolve(index, directory, path, place);
	if (error != WK_WASI_SUCCESS)
		wk_sealed_end(index);
	return error;
}

/* What is there: its number and type. */
static enum wk_wasi_errno find_thing(const struct wk_sealed_index *index, const struct wk_sealed_place *place,
	uint32_t *number, uint8_t *type)
{
	const struct wk_sealed_entry *entry = NULL;

	if (place->name_size == 0) {
		*number = place->parent;
		*type = WK_WASI_DIRECTORY;
		return WK_WASI_SUCCESS;
	}
	if (!place->exists)
		return WK_WASI_NOENT;
	entry = &index->entries[place->at];
	if (place->slash && entry->type != WK_WASI_DIRECTORY)
		return WK_WASI_NOTDIR;
	*number = entry->number;
	*type = entry->type;
	return WK_WASI_SUCCESS;
}

/* ---- attributes ---- */

enum wk_wasi_errno wk_sealed_path_stat(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	struct wk_wasi_stat *stat)
{
	struct wk_sealed *sealed = context;
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	uint32_t number = 0;
	uint8_t type = 0;
	enum wk_wasi_errno error = begin_at(sealed, directory, path, &index, &place);

	(void)follow;
	if (error != WK_WASI_SUCCESS)
		return error;
	error = find_thing(&index, &place, &number, &type);
	if (error == WK_WASI_SUCCESS && type == WK_WASI_REGULAR_FILE)
		error = wk_sealed_stat_file(sealed, number, stat);
	else if (error == WK_WASI_SUCCESS)
		wk_sealed_fill_stat(sealed, number, type, 0, stat);
	wk_sealed_end(&index);
	return error;
}

/* Nothing is a symbolic link: INVAL, which realpath() of a guest's libc goes on after. */
enum wk_wasi_errno wk_sealed_readlink(void *context, struct wk_wasi_object *directory, const char *path,
	uint8_t *buffer, size_t size, size_t *used)
{
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	uint32_t number = 0;
	uint8_t type = 0;
	enum wk_wasi_errno error = begin_at(context, directory, path, &index, &place);

	(void)buffer, (void)size, (void)used;
	if (error != WK_WASI_SUCCESS)
		return error;
	error = find_thing(&index, &place, &number, &type);
	wk_sealed_end(&index);
	return error != WK_WASI_SUCCESS ? error : WK_WASI_INVAL;
}

/* ---- making and removing ---- */

static enum wk_wasi_errno write_index(struct wk_sealed_index *index)
{
	enum wk_wasi_errno error = wk_sealed_prepare(index);

	return error == WK_WASI_SUCCESS ? wk_sealed_commit(index) : error;
}

enum wk_wasi_errno wk_sealed_make_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	struct wk_sealed_entry entry = { .type = WK_WASI_DIRECTORY };
	enum wk_wasi_errno error = begin_at(context, directory, path, &index, &place);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (place.name_size == 0 || place.exists) {
		error = WK_WASI_EXIST;
		goto out;
	}
	wk_sealed_sweep(&index);
	error = wk_sealed_new_number(&index, &entry.number);
	/* A folder has no object that would take the place of one that was left by a file's interrupted making. */
	if (error == WK_WASI_SUCCESS && !wk_sealed_discard(index.sealed, entry.number))
		error = WK_WASI_IO;
	if (error != WK_WASI_SUCCESS)
		goto out;
	entry.parent = place.parent;
	entry.name = place.name;
	entry.name_size = (uint8_t)place.name_size;
	wk_sealed_insert(&index, place.at, &entry);
	error = write_index(&index);
out:
	wk_sealed_end(&index);
	return error;
}

enum wk_wasi_errno wk_sealed_remove_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	uint32_t number = 0;
	uint8_t type = 0;
	enum wk_wasi_errno error = begin_at(context, directory, path, &index, &place);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = find_thing(&index, &place, &number, &type);
	if (error == WK_WASI_SUCCESS && place.name_size == 0)
		error = WK_WASI_INVAL; /* "." and ".." */
	else if (error == WK_WASI_SUCCESS && type != WK_WASI_DIRECTORY)
		error = WK_WASI_NOTDIR;
	else if (error == WK_WASI_SUCCESS && !wk_sealed_is_empty(&index, number))
		error = WK_WASI_NOTEMPTY;
	if (error == WK_WASI_SUCCESS) {
		wk_sealed_sweep(&index);
		wk_sealed_erase(&index, place.at);
		error = write_index(&index);
	}
	wk_sealed_end(&index);
	return error;
}

enum wk_wasi_errno wk_sealed_unlink(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	uint32_t number = 0;
	uint8_t type = 0;
	enum wk_wasi_errno error = begin_at(context, directory, path, &index, &place);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = find_thing(&index, &place, &number, &type);
	if (error == WK_WASI_SUCCESS && type == WK_WASI_DIRECTORY)
		error = WK_WASI_ISDIR;
	if (error == WK_WASI_SUCCESS) {
		wk_sealed_sweep(&index);
		wk_sealed_erase(&index, place.at);
		wk_sealed_note_removed(&index, number);
		error = write_index(&index);
	}
	if (error == WK_WASI_SUCCESS)
		wk_sealed_forget(context, number);
	wk_sealed_end(&index);
	return error;
}

/* ---- renaming ---- */

/* Whether POSIX allows it, in the order of Linux's answers. */
static enum wk_wasi_errno check_rename(const struct wk_sealed_index *index, const struct wk_sealed_place *from,
	const struct wk_sealed_place *to)
{
	const struct wk_sealed_entry *source = NULL, *target = NULL;

	if (from->name_size == 0 || to->name_size == 0)
		return WK_WASI_BUSY;
	if (!from->exists)
		return WK_WASI_NOENT;
	source = &index->entries[from->at];
	if (source->type != WK_WASI_DIRECTORY && (from->slash || to->slash))
		return WK_WASI_NOTDIR;
	if (source->type == WK_WASI_DIRECTORY && is_within(index, to->parent, source->number))
		return WK_WASI_INVAL;
	if (!to->exists || to->at == from->at)
		return WK_WASI_SUCCESS;
	target = &index->entries[to->at];
	if (target->type != WK_WASI_DIRECTORY)
		return source->type == WK_WASI_DIRECTORY ? WK_WASI_NOTDIR : WK_WASI_SUCCESS;
	if (is_within(index, from->parent, target->number))
		return WK_WASI_NOTEMPTY;
	if (source->type != WK_WASI_DIRECTORY)
		return WK_WASI_ISDIR;
	return wk_sealed_is_empty(index, target->number) ? WK_WASI_SUCCESS : WK_WASI_NOTEMPTY;
}

/* Moves the entry, and gives the number of the file whose place it takes, or WK_SEALED_NOBODY. */
static uint32_t move_entry(struct wk_sealed_index *index, const struct wk_sealed_place *from,
	const struct wk_sealed_place *to)
{
	struct wk_sealed_entry entry = index->entries[from->at];
	uint32_t replaced = WK_SEALED_NOBODY, at = 0;

	entry.parent = to->parent;
	entry.name = to->name;
	entry.name_size = (uint8_t)to->name_size;
	wk_sealed_erase(index, from->at);
	if (wk_sealed_find_name(index, to->parent, to->name, to->name_size, &at)) {
		if (index->entries[at].type != WK_WASI_DIRECTORY)
			replaced = index->entries[at].number;
		wk_sealed_erase(index, at);
	}
	wk_sealed_insert(index, at, &entry);
	if (replaced != WK_SEALED_NOBODY)
		wk_sealed_note_removed(index, replaced);
	return replaced;
}

enum wk_wasi_errno wk_sealed_rename(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	struct wk_sealed_index index;
	struct wk_sealed_place from, to;
	uint32_t replaced = WK_SEALED_NOBODY;
	enum wk_wasi_errno error = begin_at(context, directory, path, &index, &from);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = wk_sealed_resolve(&index, new_directory, new_path, &to);
	if (error == WK_WASI_SUCCESS)
		error = check_rename(&index, &from, &to);
	if (error == WK_WASI_SUCCESS && !(to.exists && to.at == from.at)) {
		wk_sealed_sweep(&index);
		replaced = move_entry(&index, &from, &to);
		error = write_index(&index);
	}
	if (error == WK_WASI_SUCCESS && replaced != WK_SEALED_NOBODY)
		wk_sealed_forget(context, replaced);
	wk_sealed_end(&index);
	return error;
}

/* ---- listing ---- */

/* A cookie is the least number that the entry after it may have. Numbers are given out once and kept by renaming, so
 * it stays good whatever happens to other entries. The folder itself and the one above come first, as 0 and 1, which
 * are no entry's numbers. */
struct listing {
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry);
	void *sink;
};

static bool emit(const struct listing *listing, uint64_t next, uint32_t number, const char *name, size_t name_size,
	uint8_t type)
{
	struct wk_wasi_directory_entry told = { next, number, name, name_size, type };

	return listing->emit(listing->sink, &told);
}

static void list(const struct wk_sealed_index *index, uint32_t folder, uint64_t cookie, const struct listing *listing)
{
	if (cookie == 0 && !emit(listing, 1, folder, ".", 1, WK_WASI_DIRECTORY))
		return;
	if (cookie <= 1 && !emit(listing, WK_SEALED_FIRST, folder, "..", 2, WK_WASI_DIRECTORY))
		return;
	for (uint32_t i = 0; i < index->count; i++) {
		const struct wk_sealed_entry *entry = &index->entries[index->order[i]];

		if (entry->parent != folder || entry->number < cookie)
			continue;
		if (!emit(listing, (uint64_t)entry->number + 1, entry->number, entry->name, entry->name_size, entry->type))
			return;
	}
}

enum wk_wasi_errno wk_sealed_read_directory(void *context, struct wk_wasi_object *directory, uint64_t cookie,
	bool (*emit_entry)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	const struct listing listing = { emit_entry, sink };
	uint32_t folder = (uint32_t)directory->handle;
	struct wk_sealed_index index;
	enum wk_wasi_errno error = wk_sealed_begin(context, false, &index);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (is_folder(&index, folder))
		list(&index, folder, cookie, &listing);
	else
		error = WK_WASI_NOENT; /* removed since */
	wk_sealed_end(&index);
	return error;
}
