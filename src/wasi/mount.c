/* SPDX-License-Identifier: Apache-2.0
 *
 * Two systems as one. An object says itself whose it is, by the bit WK_WASI_MOUNTED of its `detail`; so nothing is kept
 * here, and nothing can fail that does not fail below.
 */
#include "wasi/mount.h"

#include "base/span.h"

/* ---- whose ---- */

static bool is_second(const struct wk_wasi_object *object)
{
	return object->detail & WK_WASI_MOUNTED;
}

static const struct wk_wasi_system *owner(void *context, const struct wk_wasi_object *object)
{
	const struct wk_mount *mount = context;

	return is_second(object) ? mount->second : mount->first;
}

/* What was opened through something of the second belongs to it, too. */
static enum wk_wasi_errno mark(enum wk_wasi_errno error, bool second, struct wk_wasi_object *object)
{
	if (error == WK_WASI_SUCCESS && second)
		object->detail |= WK_WASI_MOUNTED;
	return error;
}

/* ---- opening and closing ---- */

static enum wk_wasi_errno adopt(void *context, int descriptor, struct wk_wasi_object *object, unsigned *access,
	uint16_t *flags)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;

	return first->adopt(first->context, descriptor, object, access, flags);
}

static enum wk_wasi_errno open_root(void *context, const char *path, struct wk_wasi_object *object)
{
	const struct wk_mount *mount = context;
	bool second = wk_span_equal(wk_span_of_text(path), wk_span_of_text(mount->name));
	const struct wk_wasi_system *system = second ? mount->second : mount->first;

	return mark(system->open_root(system->context, path, object), second, object);
}

static enum wk_wasi_errno close_object(void *context, struct wk_wasi_object *object)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->close(system->context, object);
}

static enum wk_wasi_errno open_path(void *context, struct wk_wasi_object *directory, const char *path,
	const struct wk_wasi_open *how, struct wk_wasi_object *object)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return mark(system->open(system->context, directory, path, how, object), is_second(directory), object);
}

/* ---- open files ---- */

static enum wk_wasi_errno read_object(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->read(system->context, object, pieces, count, offset, flags, done);
}

static enum wk_wasi_errno write_object(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->write(system->context, object, pieces, count, offset, flags, done);
}

static enum wk_wasi_errno seek(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
	uint64_t *position)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->seek(system->context, object, delta, whence, position);
}

static enum wk_wasi_errno sync_object(void *context, struct wk_wasi_object *object, bool data_only)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->sync(system->context, object, data_only);
}

static enum wk_wasi_errno advise(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size,
	unsigned advice)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->advise(system->context, object, offset, size, advice);
}

static enum wk_wasi_errno allocate(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->allocate(system->context, object, offset, size);
}

static enum wk_wasi_errno set_size(void *context, struct wk_wasi_object *object, uint64_t size)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->set_size(system->context, object, size);
}

static enum wk_wasi_errno stat_object(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->stat(system->context, object, stat);
}

static enum wk_wasi_errno set_times(void *context, struct wk_wasi_object *object, const struct wk_wasi_times *times)
{
	const struct wk_wasi_system *system = owner(context, object);

	return system->set_times(system->context, object, times);
}

static enum wk_wasi_errno read_directory(void *context, struct wk_wasi_object *directory, uint64_t cookie,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->read_directory(system->context, directory, cookie, emit, sink);
}

/* ---- paths ---- */

static enum wk_wasi_errno path_stat(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	struct wk_wasi_stat *stat)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->path_stat(system->context, directory, path, follow, stat);
}

static enum wk_wasi_errno path_set_times(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	const struct wk_wasi_times *times)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->path_set_times(system->context, directory, path, follow, times);
}

static enum wk_wasi_errno make_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->make_directory(system->context, directory, path);
}

static enum wk_wasi_errno remove_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->remove_directory(system->context, directory, path);
}

static enum wk_wasi_errno unlink_path(void *context, struct wk_wasi_object *directory, const char *path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->unlink(system->context, directory, path);
}

static enum wk_wasi_errno rename_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	if (is_second(directory) != is_second(new_directory))
		return WK_WASI_XDEV;
	return system->rename(system->context, directory, path, new_directory, new_path);
}

static enum wk_wasi_errno link_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	if (is_second(directory) != is_second(new_directory))
		return WK_WASI_XDEV;
	return system->link(system->context, directory, path, new_directory, new_path);
}

static enum wk_wasi_errno symlink_path(void *context, const char *target, struct wk_wasi_object *directory,
	const char *path)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->symlink(system->context, target, directory, path);
}

static enum wk_wasi_errno readlink_path(void *context, struct wk_wasi_object *directory, const char *path,
	uint8_t *buffer, size_t size, size_t *used)
{
	const struct wk_wasi_system *system = owner(context, directory);

	return system->readlink(system->context, directory, path, buffer, size, used);
}

/* ---- time, chance, waiting ---- */

static enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;

	return first->clock_time(first->context, clock, nanoseconds);
}

static enum wk_wasi_errno clock_resolution(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;

	return first->clock_resolution(first->context, clock, nanoseconds);
}

static enum wk_wasi_errno fill_random(void *context, uint8_t *buffer, size_t size)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;

	return first->random(first->context, buffer, size);
}

static void yield(void *context)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;

	first->yield(first->context);
}

/* Items are in the caller's order, so they are given on in runs of one owner. When there is more than one run,
 * something is ready at once and no run waits. */
static enum wk_wasi_errno poll_items(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds)
{
	const struct wk_wasi_system *first = ((const struct wk_mount *)context)->first;
	bool any_second = false;

	for (size_t i = 0; i < count; i++)
		any_second = any_second || is_second(items[i].object);
	if (!any_second)
		return first->poll(first->context, items, count, nanoseconds);
	for (size_t i = 0, end = 0; i < count; i = end) {
		const struct wk_wasi_system *system = owner(context, items[i].object);
		enum wk_wasi_errno error = WK_WASI_SUCCESS;

		while (end < count && is_second(items[end].object) == is_second(items[i].object))
			end++;
		error = system->poll(system->context, items + i, end - i, 0);
		if (error != WK_WASI_SUCCESS)
			return error;
	}
	return WK_WASI_SUCCESS;
}

/* ---- sockets ---- */

static enum wk_wasi_errno accept_connection(void *context, struct wk_wasi_object *socket,
	struct wk_wasi_object *connection)
{
	const struct wk_wasi_system *system = owner(context, socket);

	return mark(system->accept(system->context, socket, connection), is_second(socket), connection);
}

static enum wk_wasi_errno receive_from(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated)
{
	const struct wk_wasi_system *system = owner(context, socket);

	return system->receive(system->context, socket, pieces, count, peek, done, truncated);
}

static enum wk_wasi_errno send_to(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done)
{
	const struct wk_wasi_system *system = owner(context, socket);

	return system->send(system->context, socket, pieces, count, done);
}

static enum wk_wasi_errno shut_down(void *context, struct wk_wasi_object *socket, bool receive, bool send)
{
	const struct wk_wasi_system *system = owner(context, socket);

	return system->shutdown(system->context, socket, receive, send);
}

/* ---- the system ---- */

static const struct wk_wasi_system operations = {
	.adopt = adopt, .open_root = open_root, .close = close_object,
	.read = read_object, .write = write_object, .seek = seek, .sync = sync_object, .advise = advise,
	.allocate = allocate, .set_size = set_size, .stat = stat_object, .set_times = set_times,
	.read_directory = read_directory, .open = open_path, .path_stat = path_stat, .path_set_times = path_set_times,
	.make_directory = make_directory, .remove_directory = remove_directory, .unlink = unlink_path,
	.rename = rename_path, .link = link_path, .symlink = symlink_path, .readlink = readlink_path,
	.clock_time = clock_time, .clock_resolution = clock_resolution, .random = fill_random, .yield = yield,
	.poll = poll_items, .accept = accept_connection, .receive = receive_from, .send = send_to, .shutdown = shut_down,
};

void wk_mount_init(struct wk_mount *mount, const struct wk_wasi_system *first, const struct wk_wasi_system *second,
	const char *name)
{
	mount->system = operations;
	mount->system.context = mount;
	mount->first = first;
	mount->second = second;
	mount->name = name;
}
