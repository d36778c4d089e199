/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed folders: the table of operations, making and deleting, opening. sealed.h says what they are; sealed_index.c
 * holds the names, sealed_path.c the operations on them, sealed_file.c the files.
 *
 * An open folder is its number and nothing else: it may be removed, here or by another system, and every operation
 * looks whether it is still there.
 */
#include "wasi/sealed_internal.h"

/* ---- opening ---- */

/* What was left behind by a power cut, or by somebody who had a removed file open, is removed here at the latest. That
 * it does not work is no reason not to open the volume. */
static void tidy(struct wk_sealed_index *index)
{
	uint32_t before = index->removed_count;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	(void)wk_sealed_discard(index->sealed, index->next);
	wk_sealed_sweep(index);
	if (index->removed_count == before)
		return;
	error = wk_sealed_prepare(index);
	if (error == WK_WASI_SUCCESS)
		error = wk_sealed_commit(index);
	(void)error;
}

static enum wk_wasi_errno open_root(void *context, const char *path, struct wk_wasi_object *object)
{
	struct wk_sealed_index index;
	enum wk_wasi_errno error = wk_sealed_begin(context, true, &index);

	(void)path;
	if (error != WK_WASI_SUCCESS)
		return error;
	tidy(&index);
	wk_sealed_end(&index);
	*object = wk_sealed_folder(WK_SEALED_ROOT);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno open_place(struct wk_sealed_index *index, const struct wk_sealed_place *place,
	const struct wk_wasi_open *how, struct wk_wasi_object *object)
{
	const struct wk_sealed_entry *entry = place->exists ? &index->entries[place->at] : NULL;
	bool is_folder = place->name_size == 0 || (entry && entry->type == WK_WASI_DIRECTORY);

	if (how->create && place->slash)
		return WK_WASI_ISDIR;
	if (!is_folder && !entry)
		return how->create ? wk_sealed_create_file(index, place, object) : WK_WASI_NOENT;
	if (how->create && how->exclusive)
		return WK_WASI_EXIST;
	if (is_folder) {
		if (how->create || how->truncate || how->access & WK_WASI_WRITABLE)
			return WK_WASI_ISDIR;
		*object = wk_sealed_folder(entry ? entry->number : place->parent);
		return WK_WASI_SUCCESS;
	}
	if (how->directory || place->slash)
		return WK_WASI_NOTDIR;
	return wk_sealed_open_file(index, entry->number, how, object);
}

static enum wk_wasi_errno open_path(void *context, struct wk_wasi_object *directory, const char *path,
	const struct wk_wasi_open *how, struct wk_wasi_object *object)
{
	struct wk_sealed_index index;
	struct wk_sealed_place place;
	enum wk_wasi_errno error = wk_sealed_begin(context, false, &index);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = wk_sealed_resolve(&index, directory, path, &place);
	if (error == WK_WASI_SUCCESS)
		error = open_place(&index, &place, how, object);
	wk_sealed_end(&index);
	return error;
}

/* ---- nothing to do ---- */

static enum wk_wasi_errno sync_object(void *context, struct wk_wasi_object *object, bool data_only)
{
	(void)context, (void)object, (void)data_only;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno advise(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size,
	unsigned advice)
{
	(void)context, (void)object, (void)offset, (void)size, (void)advice;
	return WK_WASI_SUCCESS;
}

static void yield(void *context)
{
	(void)context;
}

/* ---- what a secure storage has not ---- */

static enum wk_wasi_errno adopt(void *context, int descriptor, struct wk_wasi_object *object, unsigned *access,
	uint16_t *flags)
{
	(void)context, (void)descriptor, (void)object, (void)access, (void)flags;
	return WK_WASI_BADF;
}

static enum wk_wasi_errno set_times(void *context, struct wk_wasi_object *object, const struct wk_wasi_times *times)
{
	(void)context, (void)object, (void)times;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno path_set_times(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	const struct wk_wasi_times *times)
{
	(void)context, (void)directory, (void)path, (void)follow, (void)times;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno link_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	(void)context, (void)directory, (void)path, (void)new_directory, (void)new_path;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno symlink_path(void *context, const char *target, struct wk_wasi_object *directory,
	const char *path)
{
	(void)context, (void)target, (void)directory, (void)path;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno no_clock(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	(void)context, (void)clock, (void)nanoseconds;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno no_random(void *context, uint8_t *buffer, size_t size)
{
	(void)context, (void)buffer, (void)size;
	return WK_WASI_NOTSUP;
}

static enum wk_wasi_errno no_accept(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection)
{
	(void)context, (void)socket, (void)connection;
	return WK_WASI_NOTSOCK;
}

static enum wk_wasi_errno no_receive(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated)
{
	(void)context, (void)socket, (void)pieces, (void)count, (void)peek, (void)done, (void)truncated;
	return WK_WASI_NOTSOCK;
}

static enum wk_wasi_errno no_send(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done)
{
	(void)context, (void)socket, (void)pieces, (void)count, (void)done;
	return WK_WASI_NOTSOCK;
}

static enum wk_wasi_errno no_shutdown(void *context, struct wk_wasi_object *socket, bool receive, bool send)
{
	(void)context, (void)socket, (void)receive, (void)send;
	return WK_WASI_NOTSOCK;
}

/* ---- the system ---- */

static const struct wk_wasi_system operations = {
	.adopt = adopt, .open_root = open_root, .close = wk_sealed_close,
	.read = wk_sealed_read, .write = wk_sealed_write, .seek = wk_sealed_seek, .sync = sync_object, .advise = advise,
	.allocate = wk_sealed_allocate, .set_size = wk_sealed_set_size, .stat = wk_sealed_stat, .set_times = set_times,
	.read_directory = wk_sealed_read_directory, .open = open_path, .path_stat = wk_sealed_path_stat,
	.path_set_times = path_set_times, .make_directory = wk_sealed_make_directory,
	.remove_directory = wk_sealed_remove_directory, .unlink = wk_sealed_unlink, .rename = wk_sealed_rename,
	.link = link_path, .symlink = symlink_path, .readlink = wk_sealed_readlink,
	.clock_time = no_clock, .clock_resolution = no_clock, .random = no_random, .yield = yield, .poll = wk_sealed_poll,
	.accept = no_accept, .receive = no_receive, .send = no_send, .shutdown = no_shutdown,
};

enum wk_status wk_sealed_new(struct wk_budget *budget, const struct wk_vault *vault,
	const uint8_t volume[WK_SEALED_VOLUME], struct wk_report *report, struct wk_sealed **out)
{
	struct wk_sealed *sealed = wk_alloc(budget, sizeof *sealed);

	if (!sealed)
		return wk_budget_refuse(budget, sizeof *sealed, report);
	sealed->system = operations;
	sealed->system.context = sealed;
	sealed->budget = budget;
	sealed->vault = vault;
	memcpy(sealed->volume, volume, WK_SEALED_VOLUME);
	*out = sealed;
	return WK_OK;
}

const struct wk_wasi_system *wk_sealed_system(const struct wk_sealed *sealed)
{
	return &sealed->system;
}

void wk_sealed_delete(struct wk_sealed *sealed)
{
	if (sealed)
		wk_free(sealed->budget, sealed, sizeof *sealed);
}
