/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI functions on paths: path_*. Rights are decided here, the sandbox is the system's (system.h).
 *
 * What always holds: a thing opened through a directory gets no right that the directory does not pass on, so a
 * directory without the right to write has nothing writable below it.
 */
#include "wasi/internal.h"

/* ---- shared ---- */

static enum wk_wasi_errno find_directory(struct wk_wasi_call *call, uint64_t fd, uint64_t base,
	struct wk_wasi_entry **entry)
{
	struct wk_wasi_entry *found = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, fd, 0, &found);

	if (error == WK_WASI_SUCCESS && found->object.type != WK_WASI_DIRECTORY)
		error = WK_WASI_NOTDIR;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, fd, base, entry);
	return error;
}

/* A directory and a path beneath it. The path's memory is looked at first: a bad pointer is a trap even when the
 * descriptor is bad too. */
static enum wk_wasi_errno find_place(struct wk_wasi_call *call, uint64_t fd, uint64_t base, uint64_t address,
	uint64_t size, unsigned which, struct wk_wasi_entry **entry, const char **path)
{
	enum wk_wasi_errno path_error = wk_wasi_take_path(call, address, size, which, path);
	enum wk_wasi_errno error = find_directory(call, fd, base, entry);

	return error != WK_WASI_SUCCESS ? error : path_error;
}

void wk_wasi_put_stat(uint8_t *to, const struct wk_wasi_stat *stat)
{
	memset(to, 0, WK_FILESTAT_SIZE);
	wk_put64(to + WK_FILESTAT_DEVICE, stat->device);
	wk_put64(to + WK_FILESTAT_INODE, stat->inode);
	to[WK_FILESTAT_TYPE] = stat->type;
	wk_put64(to + WK_FILESTAT_LINKS, stat->links);
	wk_put64(to + WK_FILESTAT_LENGTH, stat->size);
	wk_put64(to + WK_FILESTAT_ACCESSED, stat->accessed);
	wk_put64(to + WK_FILESTAT_MODIFIED, stat->modified);
	wk_put64(to + WK_FILESTAT_CHANGED, stat->changed);
}

static bool take_time(uint32_t flags, uint32_t set, uint32_t now, enum wk_wasi_time *time)
{
	*time = flags & set ? WK_WASI_TIME_SET : flags & now ? WK_WASI_TIME_NOW : WK_WASI_TIME_KEEP;
	return (flags & (set | now)) != (set | now);
}

enum wk_wasi_errno wk_wasi_take_times(uint64_t accessed, uint64_t modified, uint64_t slot, struct wk_wasi_times *times)
{
	uint32_t flags = (uint32_t)slot;

	times->accessed = accessed;
	times->modified = modified;
	if (flags & ~(WK_FST_ACCESS | WK_FST_ACCESS_NOW | WK_FST_MODIFY | WK_FST_MODIFY_NOW))
		return WK_WASI_INVAL;
	if (!take_time(flags, WK_FST_ACCESS, WK_FST_ACCESS_NOW, &times->access) ||
	    !take_time(flags, WK_FST_MODIFY, WK_FST_MODIFY_NOW, &times->modify))
		return WK_WASI_INVAL;
	return WK_WASI_SUCCESS;
}

/* ---- path_open ---- */

/* What the guest wants of the new descriptor, and what it is given. */
struct request {
	struct wk_wasi_open how;
	uint64_t needed;             /* of the directory */
	uint64_t base, inheriting;
};

/* Rights that change how a file is opened must be the directory's to give; any other right that it has not is left out,
 * since toolchains ask for all they know. */
static enum wk_wasi_errno take_request(const uint64_t *slots, struct request *request)
{
	uint32_t oflags = (uint32_t)slots[4];

	if ((uint32_t)slots[1] & ~WK_LOOKUP_FOLLOW || (uint32_t)slots[7] & ~WK_FDFLAGS_ALL ||
	    oflags & ~(WK_OFLAG_CREATE | WK_OFLAG_DIRECTORY | WK_OFLAG_EXCLUSIVE | WK_OFLAG_TRUNCATE))
		return WK_WASI_INVAL;
	request->how = (struct wk_wasi_open){
		.create = oflags & WK_OFLAG_CREATE,
		.exclusive = oflags & WK_OFLAG_EXCLUSIVE,
		.truncate = oflags & WK_OFLAG_TRUNCATE,
		.directory = oflags & WK_OFLAG_DIRECTORY,
		.follow = (uint32_t)slots[1] & WK_LOOKUP_FOLLOW,
		.flags = (uint16_t)slots[7],
	};
	request->base = slots[5];
	request->inheriting = slots[6];
	request->needed = WK_RIGHT_PATH_OPEN;
	if (request->how.create)
		request->needed |= WK_RIGHT_PATH_CREATE_FILE;
	if (request->how.truncate)
		request->needed |= WK_RIGHT_PATH_FILESTAT_SET_SIZE;
	if (request->how.directory && (request->how.create || request->how.truncate))
		return WK_WASI_INVAL;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno limit_request(const struct wk_wasi_entry *directory, struct request *request)
{
	uint64_t writing = WK_RIGHT_FD_WRITE;

	if (request->base & (WK_RIGHT_FD_READ | WK_RIGHT_FD_WRITE) & ~directory->inheriting)
		return WK_WASI_NOTCAPABLE;
	request->base &= directory->inheriting;
	request->inheriting &= directory->inheriting;
	if (request->base & (WK_RIGHT_FD_READ | WK_RIGHT_FD_READDIR))
		request->how.access |= WK_WASI_READABLE;
	/* Asking for a directory to write to is an error that the system tells (ISDIR); rights that make no sense for it are
	 * not. */
	if (!request->how.directory)
		writing |= WK_RIGHT_FD_ALLOCATE | WK_RIGHT_FD_FILESTAT_SET_SIZE;
	if (request->base & writing)
		request->how.access |= WK_WASI_WRITABLE;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_path_open(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi *wasi = call->wasi;
	struct wk_wasi_entry *directory = NULL, *entry = NULL;
	struct wk_wasi_object object;
	struct request request;
	const char *path = NULL;
	uint32_t fd = 0;
	uint8_t *result = wk_wasi_guest(call, slots[8], 1, 4);
	enum wk_wasi_errno error = take_request(slots, &request);
	enum wk_wasi_errno place_error = find_place(call, slots[0], error == WK_WASI_SUCCESS ? request.needed : 0, slots[2],
		slots[3], 0, &directory, &path);

	if (!result)
		return WK_WASI_FAULT;
	if (place_error != WK_WASI_SUCCESS || error != WK_WASI_SUCCESS)
		return place_error != WK_WASI_SUCCESS ? place_error : error;
	error = limit_request(directory, &request);
	if (error != WK_WASI_SUCCESS)
		return error;
	error = wk_wasi_take_fd(wasi, &fd); /* may move the entries */
	if (error != WK_WASI_SUCCESS)
		return error;
	entry = &wasi->entries[fd];
	directory = &wasi->entries[(uint32_t)slots[0]];
	error = wasi->system->open(wasi->system->context, &directory->object, path, &request.how, &object);
	if (error != WK_WASI_SUCCESS) {
		*entry = (struct wk_wasi_entry){ 0 };
		return error;
	}
	entry->object = object;
	entry->flags = request.how.flags;
	entry->base = request.base & wk_wasi_rights_of(&object);
	if (object.type == WK_WASI_DIRECTORY)
		entry->inheriting = request.inheriting;
	wk_put32(result, fd);
	return WK_WASI_SUCCESS;
}

/* ---- attributes ---- */

enum wk_wasi_errno wk_wasi_path_filestat_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *directory = NULL;
	struct wk_wasi_stat stat = { 0 };
	const char *path = NULL;
	uint8_t *to = wk_wasi_guest(call, slots[4], 1, WK_FILESTAT_SIZE);
	enum wk_wasi_errno error = find_place(call, slots[0], WK_RIGHT_PATH_FILESTAT_GET, slots[2], slots[3], 0, &directory,
		&path);

	if (!to)
		return WK_WASI_FAULT;
	if (error != WK_WASI_SUCCESS)
		return error;
	if ((uint32_t)slots[1] & ~WK_LOOKUP_FOLLOW)
		return WK_WASI_INVAL;
	error = system->path_stat(system->context, &directory->object, path, slots[1] & WK_LOOKUP_FOLLOW, &stat);
	if (error == WK_WASI_SUCCESS)
		wk_wasi_put_stat(to, &stat);
	return error;
}

enum wk_wasi_errno wk_wasi_path_filestat_set_times(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *directory = NULL;
	struct wk_wasi_times times = { 0 };
	const char *path = NULL;
	enum wk_wasi_errno error = find_place(call, slots[0], WK_RIGHT_PATH_FILESTAT_SET_TIMES, slots[2], slots[3], 0,
		&directory, &path);

	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_take_times(slots[4], slots[5], slots[6], &times);
	if (error == WK_WASI_SUCCESS && (uint32_t)slots[1] & ~WK_LOOKUP_FOLLOW)
		error = WK_WASI_INVAL;
	if (error != WK_WASI_SUCCESS)
		return error;
	return system->path_set_times(system->context, &directory->object, path, slots[1] & WK_LOOKUP_FOLLOW, &times);
}

/* ---- names ---- */

typedef enum wk_wasi_errno one_name(void *context, struct wk_wasi_object *directory, const char *path);
typedef enum wk_wasi_errno two_names(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path);

static enum wk_wasi_errno change_one(struct wk_wasi_call *call, const uint64_t *slots, uint64_t right, one_name *change)
{
	struct wk_wasi_entry *directory = NULL;
	const char *path = NULL;
	enum wk_wasi_errno error = find_place(call, slots[0], right, slots[1], slots[2], 0, &directory, &path);

	return error == WK_WASI_SUCCESS ? change(call->wasi->system->context, &directory->object, path) : error;
}

/* slots: from directory, path, size; to directory, path, size. */
static enum wk_wasi_errno change_two(struct wk_wasi_call *call, const uint64_t from[3], const uint64_t to[3],
	uint64_t from_right, uint64_t to_right, two_names *change)
{
	struct wk_wasi_entry *directory = NULL, *new_directory = NULL;
	const char *path = NULL, *new_path = NULL;
	enum wk_wasi_errno error = find_place(call, from[0], from_right, from[1], from[2], 0, &directory, &path);
	enum wk_wasi_errno new_error = find_place(call, to[0], to_right, to[1], to[2], 1, &new_directory, &new_path);

	if (error != WK_WASI_SUCCESS || new_error != WK_WASI_SUCCESS)
		return error != WK_WASI_SUCCESS ? error : new_error;
	return change(call->wasi->system->context, &directory->object, path, &new_directory->object, new_path);
}

enum wk_wasi_errno wk_wasi_path_create_directory(struct wk_wasi_call *call, const uint64_t *slots)
{
	return change_one(call, slots, WK_RIGHT_PATH_CREATE_DIRECTORY, call->wasi->system->make_directory);
}

enum wk_wasi_errno wk_wasi_path_remove_directory(struct wk_wasi_call *call, const uint64_t *slots)
{
	return change_one(call, slots, WK_RIGHT_PATH_REMOVE_DIRECTORY, call->wasi->system->remove_directory);
}

enum wk_wasi_errno wk_wasi_path_unlink_file(struct wk_wasi_call *call, const uint64_t *slots)
{
	return change_one(call, slots, WK_RIGHT_PATH_UNLINK_FILE, call->wasi->system->unlink);
}

enum wk_wasi_errno wk_wasi_path_rename(struct wk_wasi_call *call, const uint64_t *slots)
{
	return change_two(call, slots, slots + 3, WK_RIGHT_PATH_RENAME_SOURCE, WK_RIGHT_PATH_RENAME_TARGET,
		call->wasi->system->rename);
}

/* A hard link to where a symbolic link leads is not offered, as in wasmtime: POSIX leaves it open, and nobody asks. */
static enum wk_wasi_errno refuse_to_follow(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	(void)context, (void)directory, (void)path, (void)new_directory, (void)new_path;
	return WK_WASI_INVAL;
}

enum wk_wasi_errno wk_wasi_path_link(struct wk_wasi_call *call, const uint64_t *slots)
{
	const uint64_t from[3] = { slots[0], slots[2], slots[3] };
	const uint64_t to[3] = { slots[4], slots[5], slots[6] };
	two_names *link = (uint32_t)slots[1] == 0 ? call->wasi->system->link : refuse_to_follow;

	return change_two(call, from, to, WK_RIGHT_PATH_LINK_SOURCE, WK_RIGHT_PATH_LINK_TARGET, link);
}

enum wk_wasi_errno wk_wasi_path_symlink(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *directory = NULL;
	const char *target = NULL, *path = NULL;
	enum wk_wasi_errno target_error = wk_wasi_take_path(call, slots[0], slots[1], 1, &target);
	enum wk_wasi_errno error = find_place(call, slots[2], WK_RIGHT_PATH_SYMLINK, slots[3], slots[4], 0, &directory,
		&path);

	if (error == WK_WASI_SUCCESS)
		error = target_error;
	/* The guest could never follow it; others would be led somewhere it has no say in. */
	if (error == WK_WASI_SUCCESS && target[0] == '/')
		error = WK_WASI_PERM;
	return error == WK_WASI_SUCCESS ? system->symlink(system->context, target, &directory->object, path) : error;
}

enum wk_wasi_errno wk_wasi_path_readlink(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *directory = NULL;
	const char *path = NULL;
	uint32_t size = (uint32_t)slots[4];
	size_t used = 0;
	uint8_t *buffer = wk_wasi_guest(call, slots[3], size, 1);
	uint8_t *result = wk_wasi_guest(call, slots[5], 1, 4);
	enum wk_wasi_errno error = find_place(call, slots[0], WK_RIGHT_PATH_READLINK, slots[1], slots[2], 0, &directory,
		&path);

	if (!buffer || !result)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS)
		error = system->readlink(system->context, &directory->object, path, buffer, size, &used);
	if (error == WK_WASI_SUCCESS)
		wk_put32(result, (uint32_t)used);
	return error;
}
