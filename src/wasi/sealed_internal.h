/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of sealed folders share: the index with all names (sealed_index.c), places that paths lead to
 * (sealed_path.c), open files (sealed_file.c).
 */
#ifndef WK_WASI_SEALED_INTERNAL_H
#define WK_WASI_SEALED_INTERNAL_H

#include "wasi/sealed.h"

/* Numbers of a volume's objects. A folder has a number, but no object. */
#define WK_SEALED_INDEX 0u
#define WK_SEALED_ROOT 1u
#define WK_SEALED_FIRST 2u
#define WK_SEALED_NOBODY UINT32_MAX /* no number, no entry */

struct wk_sealed_node;

struct wk_sealed {
	struct wk_wasi_system system;
	struct wk_budget *budget;
	const struct wk_vault *vault;
	struct wk_sealed_node *nodes; /* files that are open */
	uint8_t volume[WK_SEALED_VOLUME];
};

/* ---- the index (sealed_index.c) ---- */

struct wk_sealed_entry {
	const char *name;            /* borrowed; not NUL-terminated */
	uint32_t number, parent;
	uint8_t name_size;
	uint8_t type;                /* WK_WASI_DIRECTORY or WK_WASI_REGULAR_FILE */
	uint8_t state;               /* scratch of the check */
};

/* The index of a volume, read and checked; as long as this is open no other system reads or changes it. */
struct wk_sealed_index {
	struct wk_sealed *sealed;
	intptr_t handle;             /* of its object, open alone */
	uint8_t *bytes;
	size_t size;
	struct wk_sealed_entry *entries; /* ascending by parent and name; room for one more */
	uint32_t *removed;           /* files without a name, whose objects may be there; ascending; room for one more */
	uint16_t *order;             /* entries ascending by number, as they were read */
	uint32_t count, removed_count, next;
	size_t table_size;           /* of the block that these three are in */
	uint8_t *image;              /* as it will be written */
	size_t image_size;
};

/* Opens the object alone, nothing more: nobody else works on the volume's names until it is closed. */
WK_NODISCARD enum wk_wasi_errno wk_sealed_lock(struct wk_sealed *sealed, bool create, intptr_t *handle);
void wk_sealed_unlock(struct wk_sealed *sealed, intptr_t handle);
/* Opens and reads; with `create` an index is made when there is none. On success wk_sealed_end must follow. */
WK_NODISCARD enum wk_wasi_errno wk_sealed_begin(struct wk_sealed *sealed, bool create, struct wk_sealed_index *index);
void wk_sealed_end(struct wk_sealed_index *index);

/* The entry of a name in a folder, or false and where it would be. */
bool wk_sealed_find_name(const struct wk_sealed_index *index, uint32_t parent, const char *name, size_t name_size,
	uint32_t *at);
/* The entry with a number, or WK_SEALED_NOBODY. Not after a change. */
uint32_t wk_sealed_find_number(const struct wk_sealed_index *index, uint32_t number);
bool wk_sealed_is_empty(const struct wk_sealed_index *index, uint32_t folder);

/* Changes, in memory first. In this order: wk_sealed_sweep; any of the next four; wk_sealed_prepare, which allocates;
 * wk_sealed_commit, which writes. */

/* Removes the objects of removed files that nobody has open. */
void wk_sealed_sweep(struct wk_sealed_index *index);
/* The number of a new entry; NOSPC when there may be none. */
WK_NODISCARD enum wk_wasi_errno wk_sealed_new_number(struct wk_sealed_index *index, uint32_t *number);
/* At most one more than there were when the index was read. Its name must live until wk_sealed_prepare. */
void wk_sealed_insert(struct wk_sealed_index *index, uint32_t at, const struct wk_sealed_entry *entry);
void wk_sealed_erase(struct wk_sealed_index *index, uint32_t at);
/* Once. */
void wk_sealed_note_removed(struct wk_sealed_index *index, uint32_t number);
WK_NODISCARD enum wk_wasi_errno wk_sealed_prepare(struct wk_sealed_index *index);
WK_NODISCARD enum wk_wasi_errno wk_sealed_commit(struct wk_sealed_index *index);

/* ---- places (sealed_path.c) ---- */

/* Where a path leads: a name in a folder that is there, or with name_size 0 the folder itself (after "." or ".."). */
struct wk_sealed_place {
	uint32_t parent;             /* the folder's number */
	const char *name;            /* in the path */
	size_t name_size;
	bool slash;                  /* slashes follow */
	bool exists;                 /* the name */
	uint32_t at;                 /* its entry, or where it would be */
};

WK_NODISCARD enum wk_wasi_errno wk_sealed_resolve(const struct wk_sealed_index *index,
	const struct wk_wasi_object *directory, const char *path, struct wk_sealed_place *place);
static inline struct wk_wasi_object wk_sealed_folder(uint32_t number)
{
	return (struct wk_wasi_object){ .handle = (intptr_t)number, .type = WK_WASI_DIRECTORY };
}

enum wk_wasi_errno wk_sealed_path_stat(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	struct wk_wasi_stat *stat);
enum wk_wasi_errno wk_sealed_make_directory(void *context, struct wk_wasi_object *directory, const char *path);
enum wk_wasi_errno wk_sealed_remove_directory(void *context, struct wk_wasi_object *directory, const char *path);
enum wk_wasi_errno wk_sealed_unlink(void *context, struct wk_wasi_object *directory, const char *path);
enum wk_wasi_errno wk_sealed_rename(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path);
enum wk_wasi_errno wk_sealed_readlink(void *context, struct wk_wasi_object *directory, const char *path,
	uint8_t *buffer, size_t size, size_t *used);
enum wk_wasi_errno wk_sealed_read_directory(void *context, struct wk_wasi_object *directory, uint64_t cookie,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink);

/* ---- objects and open files (sealed_file.c) ---- */

WK_NODISCARD enum wk_wasi_errno wk_sealed_open_object(const struct wk_sealed *sealed, uint32_t number, bool alone,
	intptr_t *handle);
WK_NODISCARD enum wk_wasi_errno wk_sealed_create_object(const struct wk_sealed *sealed, uint32_t number,
	const void *data, size_t size, bool overwrite, intptr_t *handle);
/* Removes the object of a file that no index names; false: it may still be there, perhaps because it is open. */
bool wk_sealed_discard(const struct wk_sealed *sealed, uint32_t number);
/* The file has no name any more: its object is removed now or when it is closed. */
void wk_sealed_forget(const struct wk_sealed *sealed, uint32_t number);

/* Opens a file, and with `how->truncate` empties it. The index is open. */
WK_NODISCARD enum wk_wasi_errno wk_sealed_open_file(struct wk_sealed_index *index, uint32_t number,
	const struct wk_wasi_open *how, struct wk_wasi_object *object);
WK_NODISCARD enum wk_wasi_errno wk_sealed_create_file(struct wk_sealed_index *index,
	const struct wk_sealed_place *place, struct wk_wasi_object *object);

/* `number` is a file's. */
WK_NODISCARD enum wk_wasi_errno wk_sealed_stat_file(struct wk_sealed *sealed, uint32_t number,
	struct wk_wasi_stat *stat);
void wk_sealed_fill_stat(const struct wk_sealed *sealed, uint32_t number, uint8_t type, uint64_t size,
	struct wk_wasi_stat *stat);

enum wk_wasi_errno wk_sealed_close(void *context, struct wk_wasi_object *object);
enum wk_wasi_errno wk_sealed_read(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
enum wk_wasi_errno wk_sealed_write(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
enum wk_wasi_errno wk_sealed_seek(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
	uint64_t *position);
enum wk_wasi_errno wk_sealed_allocate(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size);
enum wk_wasi_errno wk_sealed_set_size(void *context, struct wk_wasi_object *object, uint64_t size);
enum wk_wasi_errno wk_sealed_stat(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat);
enum wk_wasi_errno wk_sealed_poll(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds);

#endif
