/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI functions on open descriptors: fd_*.
 *
 * An operation on a file that meets a directory is BADF, as wasmtime has it, whatever rights there are; one that needs a
 * position and meets a pipe, terminal or socket is SPIPE; a missing right is NOTCAPABLE. In that order, since who sees
 * "not capable" should be able to get it by asking for the right.
 */
#include "wasi/internal.h"

/* An open entry that is no directory, with rights. */
static enum wk_wasi_errno find_file(struct wk_wasi_call *call, uint64_t fd, uint64_t base, struct wk_wasi_entry **entry)
{
	struct wk_wasi_entry *found = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, fd, 0, &found);

	if (error == WK_WASI_SUCCESS && found->object.type == WK_WASI_DIRECTORY)
		error = WK_WASI_BADF;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, fd, base, entry);
	return error;
}

/* The same with a position. */
static enum wk_wasi_errno find_seekable(struct wk_wasi_call *call, uint64_t fd, uint64_t base,
	struct wk_wasi_entry **entry)
{
	struct wk_wasi_entry *found = NULL;
	enum wk_wasi_errno error = find_file(call, fd, 0, &found);

	if (error == WK_WASI_SUCCESS && !found->object.seekable)
		error = WK_WASI_SPIPE;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, fd, base, entry);
	return error;
}

/* ---- descriptors ---- */

enum wk_wasi_errno wk_wasi_fd_close(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], 0, &entry);

	return error == WK_WASI_SUCCESS ? wk_wasi_close_entry(call->wasi, entry) : error;
}

/* Both numbers must be open: the second is replaced, never made. */
enum wk_wasi_errno wk_wasi_fd_renumber(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *from = NULL, *to = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], 0, &from);

	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, slots[1], 0, &to);
	if (error != WK_WASI_SUCCESS || from == to)
		return error;
	(void)wk_wasi_close_entry(call->wasi, to); /* as dup2: what closing finds wrong is lost */
	*to = *from;
	*from = (struct wk_wasi_entry){ 0 };
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_fd_fdstat_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *to = wk_wasi_guest(call, slots[1], 1, WK_FDSTAT_SIZE);
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], 0, &entry);

	if (!to)
		return WK_WASI_FAULT;
	if (error != WK_WASI_SUCCESS)
		return error;
	memset(to, 0, WK_FDSTAT_SIZE);
	to[WK_FDSTAT_TYPE] = entry->object.type;
	wk_put16(to + WK_FDSTAT_FLAGS, entry->flags);
	wk_put64(to + WK_FDSTAT_BASE, entry->base);
	wk_put64(to + WK_FDSTAT_INHERITING, entry->inheriting);
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_fd_fdstat_set_flags(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = find_file(call, slots[0], WK_RIGHT_FD_FDSTAT_SET_FLAGS, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if ((uint32_t)slots[1] & ~WK_FDFLAGS_ALL)
		return WK_WASI_INVAL;
	/* Flags are ours alone: the open file that the embedder may share keeps its own. */
	entry->flags = (uint16_t)slots[1];
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_fd_fdstat_set_rights(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], 0, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if ((slots[1] & ~entry->base) || (slots[2] & ~entry->inheriting))
		return WK_WASI_NOTCAPABLE;
	entry->base = slots[1];
	entry->inheriting = slots[2];
	return WK_WASI_SUCCESS;
}

/* ---- preopened directories ---- */

/* BADF, not NOTDIR, for anything else: wasi-libc looks for them from 3 upwards and ends at BADF only. */
static enum wk_wasi_errno find_preopen(struct wk_wasi_call *call, uint64_t fd, struct wk_wasi_entry **entry)
{
	struct wk_wasi_entry *found = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, fd, 0, &found);

	if (error == WK_WASI_SUCCESS && !found->preopen)
		error = WK_WASI_BADF;
	if (error == WK_WASI_SUCCESS)
		*entry = found;
	return error;
}

enum wk_wasi_errno wk_wasi_fd_prestat_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *to = wk_wasi_guest(call, slots[1], 1, WK_PRESTAT_SIZE);
	enum wk_wasi_errno error = find_preopen(call, slots[0], &entry);

	if (!to)
		return WK_WASI_FAULT;
	if (error != WK_WASI_SUCCESS)
		return error;
	wk_put32(to, 0);
	wk_put32(to + 4, entry->preopen_size);
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_fd_prestat_dir_name(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint32_t size = (uint32_t)slots[2];
	uint8_t *to = wk_wasi_guest(call, slots[1], size, 1);
	enum wk_wasi_errno error = find_preopen(call, slots[0], &entry);

	if (!to)
		return WK_WASI_FAULT;
	if (error != WK_WASI_SUCCESS)
		return error;
	if (size < entry->preopen_size)
		return WK_WASI_NAMETOOLONG;
	if (entry->preopen_size != 0)
		memcpy(to, entry->preopen, entry->preopen_size);
	return WK_WASI_SUCCESS;
}

/* ---- reading and writing ---- */

/* Drops `done` bytes from the front of the pieces; returns how many pieces are left. They move to the front. */
static size_t skip(struct wk_wasi_piece *pieces, size_t count, uint64_t done)
{
	size_t gone = 0;

	while (gone < count && done >= pieces[gone].size)
		done -= pieces[gone++].size;
	if (gone < count) {
		pieces[gone].data += done;
		pieces[gone].size -= (size_t)done;
	}
	memmove(pieces, pieces + gone, (count - gone) * sizeof *pieces);
	return count - gone;
}

/* One read that waits for its first byte, unless the descriptor is non-blocking. */
static enum wk_wasi_errno read_pieces(struct wk_wasi *wasi, struct wk_wasi_entry *entry, size_t count, uint64_t offset,
	uint64_t *done)
{
	const struct wk_wasi_system *system = wasi->system;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	for (;;) {
		error = system->read(system->context, &entry->object, wasi->pieces, count, offset, entry->flags, done);
		if (error != WK_WASI_AGAIN && error != WK_WASI_INTR)
			return error;
		error = wk_wasi_wait(wasi, entry, false);
		if (error != WK_WASI_SUCCESS)
			return error;
	}
}

/* Writes everything, as a blocking write does; when something goes wrong on the way, what was written counts. */
static enum wk_wasi_errno write_pieces(struct wk_wasi *wasi, struct wk_wasi_entry *entry, size_t count, uint64_t offset,
	uint64_t *total)
{
	const struct wk_wasi_system *system = wasi->system;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	uint64_t sum = 0;

	while (count != 0) {
		uint64_t done = 0;

		error = system->write(system->context, &entry->object, wasi->pieces, count, offset, entry->flags, &done);
		if (error == WK_WASI_SUCCESS) {
			sum += done;
			count = skip(wasi->pieces, count, done);
			/* Only who may have to wait writes in parts for no other reason. */
			if (!entry->object.waits || entry->object.type == WK_WASI_SOCKET_DGRAM || done == 0 ||
			    wk_wasi_interrupted(wasi))
				break;
		} else if (error == WK_WASI_AGAIN || error == WK_WASI_INTR) {
			error = wk_wasi_wait(wasi, entry, true);
		}
		if (error != WK_WASI_SUCCESS)
			break;
	}
	if (error != WK_WASI_SUCCESS && sum == 0)
		return error;
	*total = sum;
	return WK_WASI_SUCCESS;
}

/* fd_read, fd_write, fd_pread, fd_pwrite: the entry is found, `offset` checked. */
static enum wk_wasi_errno transfer(struct wk_wasi_call *call, struct wk_wasi_entry *entry, const uint64_t *slots,
	uint64_t offset, uint8_t *result, bool write)
{
	uint64_t done = 0;
	size_t count = 0;
	bool all = false;
	enum wk_wasi_errno error = wk_wasi_take_pieces(call, slots[1], slots[2], &count, &all);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (!all && entry->object.type == WK_WASI_SOCKET_DGRAM)
		return WK_WASI_MSGSIZE;
	if (count != 0)
		error = write ? write_pieces(call->wasi, entry, count, offset, &done) :
			read_pieces(call->wasi, entry, count, offset, &done);
	if (error == WK_WASI_SUCCESS)
		wk_put32(result, (uint32_t)done);
	return error;
}

static enum wk_wasi_errno transfer_here(struct wk_wasi_call *call, const uint64_t *slots, uint64_t right, bool write)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *result = wk_wasi_guest(call, slots[3], 1, 4);
	enum wk_wasi_errno error = find_file(call, slots[0], right, &entry);

	if (!result)
		return WK_WASI_FAULT;
	return error == WK_WASI_SUCCESS ? transfer(call, entry, slots, WK_WASI_HERE, result, write) : error;
}

static enum wk_wasi_errno transfer_at(struct wk_wasi_call *call, const uint64_t *slots, uint64_t right, bool write)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *result = wk_wasi_guest(call, slots[4], 1, 4);
	enum wk_wasi_errno error = find_seekable(call, slots[0], right | WK_RIGHT_FD_SEEK, &entry);

	if (!result)
		return WK_WASI_FAULT;
	if (error != WK_WASI_SUCCESS)
		return error;
	if (slots[3] > INT64_MAX)
		return WK_WASI_INVAL;
	return transfer(call, entry, slots, slots[3], result, write);
}

enum wk_wasi_errno wk_wasi_fd_read(struct wk_wasi_call *call, const uint64_t *slots)
{
	return transfer_here(call, slots, WK_RIGHT_FD_READ, false);
}

enum wk_wasi_errno wk_wasi_fd_write(struct wk_wasi_call *call, const uint64_t *slots)
{
	return transfer_here(call, slots, WK_RIGHT_FD_WRITE, true);
}

enum wk_wasi_errno wk_wasi_fd_pread(struct wk_wasi_call *call, const uint64_t *slots)
{
	return transfer_at(call, slots, WK_RIGHT_FD_READ, false);
}

enum wk_wasi_errno wk_wasi_fd_pwrite(struct wk_wasi_call *call, const uint64_t *slots)
{
	return transfer_at(call, slots, WK_RIGHT_FD_WRITE, true);
}

/* ---- position ---- */

static enum wk_wasi_errno seek(struct wk_wasi_call *call, struct wk_wasi_entry *entry, int64_t delta, uint32_t whence,
	uint8_t *result)
{
	const struct wk_wasi_system *system = call->wasi->system;
	uint64_t position = 0;
	enum wk_wasi_errno error = system->seek(system->context, &entry->object, delta, whence, &position);

	if (error == WK_WASI_SUCCESS)
		wk_put64(result, position);
	return error;
}

enum wk_wasi_errno wk_wasi_fd_seek(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *result = wk_wasi_guest(call, slots[3], 1, 8);
	int64_t delta = (int64_t)slots[1];
	uint32_t whence = (uint32_t)slots[2];
	/* Who only asks where it is needs less. */
	uint64_t right = delta == 0 && whence == 1 ? WK_RIGHT_FD_TELL : WK_RIGHT_FD_SEEK;
	enum wk_wasi_errno error = find_seekable(call, slots[0], right, &entry);

	if (!result)
		return WK_WASI_FAULT;
	if (error == WK_WASI_NOTCAPABLE && right == WK_RIGHT_FD_TELL)
		error = find_seekable(call, slots[0], WK_RIGHT_FD_SEEK, &entry);
	if (error != WK_WASI_SUCCESS)
		return error;
	return whence > 2 ? WK_WASI_INVAL : seek(call, entry, delta, whence, result);
}

enum wk_wasi_errno wk_wasi_fd_tell(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint8_t *result = wk_wasi_guest(call, slots[1], 1, 8);
	enum wk_wasi_errno error = find_seekable(call, slots[0], WK_RIGHT_FD_TELL, &entry);

	if (!result)
		return WK_WASI_FAULT;
	return error == WK_WASI_SUCCESS ? seek(call, entry, 0, 1, result) : error;
}

/* ---- the file behind ---- */

enum wk_wasi_errno wk_wasi_fd_advise(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = find_seekable(call, slots[0], WK_RIGHT_FD_ADVISE, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if ((uint32_t)slots[3] > 5 || slots[1] > INT64_MAX || slots[2] > INT64_MAX)
		return WK_WASI_INVAL;
	return system->advise(system->context, &entry->object, slots[1], slots[2], (uint32_t)slots[3]);
}

enum wk_wasi_errno wk_wasi_fd_allocate(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = find_seekable(call, slots[0], WK_RIGHT_FD_ALLOCATE, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (slots[2] == 0)
		return WK_WASI_INVAL;
	if (slots[1] > INT64_MAX || slots[2] > INT64_MAX - slots[1])
		return WK_WASI_FBIG;
	return system->allocate(system->context, &entry->object, slots[1], slots[2]);
}

static enum wk_wasi_errno sync(struct wk_wasi_call *call, uint64_t fd, uint64_t right, bool data_only)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = find_file(call, fd, right, &entry);

	return error == WK_WASI_SUCCESS ? system->sync(system->context, &entry->object, data_only) : error;
}

enum wk_wasi_errno wk_wasi_fd_datasync(struct wk_wasi_call *call, const uint64_t *slots)
{
	return sync(call, slots[0], WK_RIGHT_FD_DATASYNC, true);
}

enum wk_wasi_errno wk_wasi_fd_sync(struct wk_wasi_call *call, const uint64_t *slots)
{
	return sync(call, slots[0], WK_RIGHT_FD_SYNC, false);
}

enum wk_wasi_errno wk_wasi_fd_filestat_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	struct wk_wasi_stat stat = { 0 };
	uint8_t *to = wk_wasi_guest(call, slots[1], 1, WK_FILESTAT_SIZE);
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], WK_RIGHT_FD_FILESTAT_GET, &entry);

	if (!to)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS)
		error = system->stat(system->context, &entry->object, &stat);
	if (error == WK_WASI_SUCCESS)
		wk_wasi_put_stat(to, &stat);
	return error;
}

enum wk_wasi_errno wk_wasi_fd_filestat_set_size(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = find_file(call, slots[0], WK_RIGHT_FD_FILESTAT_SET_SIZE, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (slots[1] > INT64_MAX)
		return WK_WASI_FBIG;
	return system->set_size(system->context, &entry->object, slots[1]);
}

enum wk_wasi_errno wk_wasi_fd_filestat_set_times(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	struct wk_wasi_times times = { 0 };
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, slots[0], WK_RIGHT_FD_FILESTAT_SET_TIMES, &entry);

	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_take_times(slots[1], slots[2], slots[3], &times);
	return error == WK_WASI_SUCCESS ? system->set_times(system->context, &entry->object, &times) : error;
}
