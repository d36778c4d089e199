/* SPDX-License-Identifier: Apache-2.0
 *
 * The keep's side: each operation becomes a message. Answers come from a world that is not trusted; here is the room in
 * which they are checked, so that the core of WASI sees nothing that a system of ours could not have said: sizes no larger
 * than what was asked for, types that exist, names that fit. Whether the contents are true nobody here can know.
 *
 * What always holds: bytes of the window are read once, into the guest's memory or into ours.
 */
#include <string.h>

#include "remote/remote.h"

#define LAST_ERROR ((uint32_t)WK_WASI_NOTCAPABLE)

static struct wk_remote_channel *channel_of(void *context)
{
	return context;
}

/* ---- messages ---- */

static struct wk_remote_message ask(enum wk_remote_operation operation, const struct wk_wasi_object *object)
{
	struct wk_remote_message message = { .operation = operation };

	if (object)
		message.object[0] = (uint64_t)object->handle;
	return message;
}

/* Sends it. What comes back holds no more data than fits. Without a window there is nobody to send to. */
static enum wk_wasi_errno exchange(struct wk_remote_channel *channel, struct wk_remote_message *message)
{
	if (!channel->window || !channel->exchange(channel->context, message) || message->error > LAST_ERROR)
		return WK_WASI_IO;
	if (message->error != WK_WASI_SUCCESS)
		return (enum wk_wasi_errno)message->error;
	if (message->size[0] > channel->window_size || message->size[1] > channel->window_size - message->size[0])
		return WK_WASI_IO;
	return WK_WASI_SUCCESS;
}

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* Puts a path behind the parts that are there: two fit, if there is a window (see WK_REMOTE_WINDOW_MIN). */
static bool put_path(struct wk_remote_channel *channel, struct wk_remote_message *message, unsigned part,
	const char *path)
{
	size_t length = length_of(path);

	if (length > WK_WASI_PATH_MAX)
		return false;
	if (channel->window)
		memcpy(channel->window + (part ? message->size[0] : 0), path, length);
	message->size[part] = (uint32_t)length;
	return true;
}

/* Sends a message about a path. */
static enum wk_wasi_errno ask_path(struct wk_remote_channel *channel, struct wk_remote_message *message, const char *path)
{
	return put_path(channel, message, 0, path) ? exchange(channel, message) : WK_WASI_NAMETOOLONG;
}

static enum wk_wasi_errno take_object(const struct wk_remote_message *message, struct wk_wasi_object *object)
{
	uint64_t type = message->number[0], bits = message->number[1];

	if (type >= WK_WASI_SYMBOLIC_LINK || bits > (WK_REMOTE_SEEKABLE | WK_REMOTE_WAITS))
		return WK_WASI_IO;
	*object = (struct wk_wasi_object){ .handle = (intptr_t)message->object[0], .type = (uint8_t)type,
		.seekable = bits & WK_REMOTE_SEEKABLE, .waits = bits & WK_REMOTE_WAITS };
	return WK_WASI_SUCCESS;
}

static uint64_t sum_of(const struct wk_wasi_piece *pieces, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += pieces[i].size;
	return sum;
}

/* Copies between the window and pieces, `size` bytes in all, no more than the pieces have. */
static void copy_pieces(struct wk_remote_channel *channel, const struct wk_wasi_piece *pieces, size_t size, bool to_pieces)
{
	for (size_t at = 0; at < size; pieces++) {
		size_t part = pieces->size < size - at ? pieces->size : size - at;

		if (to_pieces)
			memcpy(pieces->data, channel->window + at, part);
		else
			memcpy(channel->window + at, pieces->data, part);
		at += part;
	}
}

/* ---- opening and closing ---- */

static enum wk_wasi_errno adopt(void *context, int descriptor, struct wk_wasi_object *object, unsigned *access,
	uint16_t *flags)
{
	struct wk_remote_message message = ask(WK_REMOTE_ADOPT, NULL);
	enum wk_wasi_errno error;

	message.number[0] = (uint64_t)descriptor;
	error = exchange(context, &message);
	if (error == WK_WASI_SUCCESS && (message.number[2] > (WK_WASI_READABLE | WK_WASI_WRITABLE) ||
		(message.number[3] & ~(uint64_t)WK_WASI_APPEND)))
		error = WK_WASI_IO;
	if (error == WK_WASI_SUCCESS)
		error = take_object(&message, object);
	if (error != WK_WASI_SUCCESS)
		return error;
	*access = (unsigned)message.number[2];
	*flags = (uint16_t)message.number[3];
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno open_root(void *context, const char *path, struct wk_wasi_object *object)
{
	struct wk_remote_message message = ask(WK_REMOTE_OPEN_ROOT, NULL);
	enum wk_wasi_errno error = ask_path(context, &message, path);

	if (error == WK_WASI_SUCCESS)
		error = take_object(&message, object);
	return error == WK_WASI_SUCCESS && object->type != WK_WASI_DIRECTORY ? WK_WASI_IO : error;
}

static enum wk_wasi_errno close_object(void *context, struct wk_wasi_object *object)
{
	struct wk_remote_message message = ask(WK_REMOTE_CLOSE, object);

	return exchange(context, &message);
}

static enum wk_wasi_errno open_path(void *context, struct wk_wasi_object *directory, const char *path,
	const struct wk_wasi_open *how, struct wk_wasi_object *object)
{
	struct wk_remote_message message = ask(WK_REMOTE_OPEN, directory);
	enum wk_wasi_errno error;

	message.number[0] = (how->create ? WK_REMOTE_CREATE : 0) | (how->exclusive ? WK_REMOTE_EXCLUSIVE : 0) |
		(how->truncate ? WK_REMOTE_TRUNCATE : 0) | (how->directory ? WK_REMOTE_DIRECTORY : 0) |
		(how->follow ? WK_REMOTE_FOLLOW : 0);
	message.number[1] = how->access;
	message.number[2] = how->flags;
	error = ask_path(context, &message, path);
	return error == WK_WASI_SUCCESS ? take_object(&message, object) : error;
}

/* ---- data ---- */

/* Reads what a message asks for into pieces. Its number `wanted` says how much. */
static enum wk_wasi_errno fetch(struct wk_remote_channel *channel, struct wk_remote_message *message, unsigned wanted,
	const struct wk_wasi_piece *pieces, size_t count, uint64_t *done)
{
	uint64_t size = sum_of(pieces, count);
	enum wk_wasi_errno error;

	if (size > channel->window_size)
		size = channel->window_size;
	message->number[wanted] = size;
	error = exchange(channel, message);
	if (error != WK_WASI_SUCCESS)
		return error;
	if (message->number[0] > size || message->number[0] != message->size[0])
		return WK_WASI_IO;
	copy_pieces(channel, pieces, message->size[0], true);
	*done = message->size[0];
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno deliver(struct wk_remote_channel *channel, struct wk_remote_message *message,
	const struct wk_wasi_piece *pieces, size_t count, uint64_t *done)
{
	uint64_t size = sum_of(pieces, count);
	enum wk_wasi_errno error;

	if (size > channel->window_size)
		size = channel->window_size;
	copy_pieces(channel, pieces, (size_t)size, false);
	message->size[0] = (uint32_t)size;
	error = exchange(channel, message);
	if (error != WK_WASI_SUCCESS)
		return error;
	if (message->number[0] > size)
		return WK_WASI_IO;
	*done = message->number[0];
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno read_object(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	struct wk_remote_message message = ask(WK_REMOTE_READ, object);

	message.number[0] = offset;
	message.number[1] = flags;
	return fetch(context, &message, 2, pieces, count, done);
}

static enum wk_wasi_errno write_object(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	struct wk_remote_message message = ask(WK_REMOTE_WRITE, object);

	message.number[0] = offset;
	message.number[1] = flags;
	return deliver(context, &message, pieces, count, done);
}

static enum wk_wasi_errno receive(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated)
{
	struct wk_remote_message message = ask(WK_REMOTE_RECEIVE, socket);
	enum wk_wasi_errno error;

	message.number[1] = peek;
	error = fetch(context, &message, 0, pieces, count, done);
	if (error == WK_WASI_SUCCESS)
		*truncated = message.number[1] != 0;
	return error;
}

static enum wk_wasi_errno send(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done)
{
	struct wk_remote_message message = ask(WK_REMOTE_SEND, socket);

	return deliver(context, &message, pieces, count, done);
}

/* ---- open files ---- */

static enum wk_wasi_errno seek(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
	uint64_t *position)
{
	struct wk_remote_message message = ask(WK_REMOTE_SEEK, object);
	enum wk_wasi_errno error;

	message.number[0] = (uint64_t)delta;
	message.number[1] = whence;
	error = exchange(context, &message);
	if (error == WK_WASI_SUCCESS)
		*position = message.number[0];
	return error;
}

/* Operations that carry numbers there and nothing back. */
static enum wk_wasi_errno tell(void *context, enum wk_remote_operation operation, struct wk_wasi_object *object,
	uint64_t first, uint64_t second, uint64_t third)
{
	struct wk_remote_message message = ask(operation, object);

	message.number[0] = first;
	message.number[1] = second;
	message.number[2] = third;
	return exchange(context, &message);
}

static enum wk_wasi_errno sync_object(void *context, struct wk_wasi_object *object, bool data_only)
{
	return tell(context, WK_REMOTE_SYNC, object, data_only, 0, 0);
}

static enum wk_wasi_errno advise(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size,
	unsigned advice)
{
	return tell(context, WK_REMOTE_ADVISE, object, offset, size, advice);
}

static enum wk_wasi_errno allocate(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size)
{
	return tell(context, WK_REMOTE_ALLOCATE, object, offset, size, 0);
}

static enum wk_wasi_errno set_size(void *context, struct wk_wasi_object *object, uint64_t size)
{
	return tell(context, WK_REMOTE_SET_SIZE, object, size, 0, 0);
}

static enum wk_wasi_errno shutdown_socket(void *context, struct wk_wasi_object *socket, bool receive_too, bool send_too)
{
	return tell(context, WK_REMOTE_SHUTDOWN, socket, receive_too, send_too, 0);
}

static enum wk_wasi_errno take_stat(const struct wk_remote_message *message, struct wk_wasi_stat *stat)
{
	const uint64_t *n = message->number;

	if (n[7] > WK_WASI_SYMBOLIC_LINK)
		return WK_WASI_IO;
	*stat = (struct wk_wasi_stat){ n[0], n[1], n[2], n[3], n[4], n[5], n[6], (uint8_t)n[7] };
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno stat_object(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat)
{
	struct wk_remote_message message = ask(WK_REMOTE_STAT, object);
	enum wk_wasi_errno error = exchange(context, &message);

	return error == WK_WASI_SUCCESS ? take_stat(&message, stat) : error;
}

static void put_times(struct wk_remote_message *message, const struct wk_wasi_times *times)
{
	message->number[0] = times->access;
	message->number[1] = times->modify;
	message->number[2] = times->accessed;
	message->number[3] = times->modified;
}

static enum wk_wasi_errno set_times(void *context, struct wk_wasi_object *object, const struct wk_wasi_times *times)
{
	struct wk_remote_message message = ask(WK_REMOTE_SET_TIMES, object);

	put_times(&message, times);
	return exchange(context, &message);
}

/* ---- directories ---- */

/* Hands the entries in the window out. *next: the cookie behind the last one. false: `emit` wants no more. */
static enum wk_wasi_errno emit_entries(struct wk_remote_channel *channel, size_t size, uint64_t *next, bool *wanted,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	char name[WK_REMOTE_NAME_MAX];

	for (size_t at = 0; at < size && *wanted;) {
		struct wk_wasi_directory_entry entry = { .name = name };
		uint8_t head[WK_REMOTE_ENTRY];
		uint16_t name_size;

		if (size - at < sizeof head)
			return WK_WASI_IO;
		memcpy(head, channel->window + at, sizeof head);
		memcpy(&entry.next, head, sizeof entry.next);
		memcpy(&entry.inode, head + 8, sizeof entry.inode);
		memcpy(&name_size, head + 16, sizeof name_size);
		entry.type = head[18];
		entry.name_size = name_size;
		at += sizeof head;
		if (name_size == 0 || name_size > sizeof name || name_size > size - at || entry.type > WK_WASI_SYMBOLIC_LINK)
			return WK_WASI_IO;
		memcpy(name, channel->window + at, name_size);
		at += name_size;
		*next = entry.next;
		*wanted = emit(sink, &entry);
	}
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno read_directory(void *context, struct wk_wasi_object *directory, uint64_t cookie,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	struct wk_remote_channel *channel = channel_of(context);
	bool wanted = true;

	for (;;) {
		struct wk_remote_message message = ask(WK_REMOTE_READ_DIRECTORY, directory);
		enum wk_wasi_errno error;

		message.number[0] = cookie;
		message.number[1] = channel->window_size;
		error = exchange(channel, &message);
		if (error == WK_WASI_SUCCESS)
			error = emit_entries(channel, message.size[0], &cookie, &wanted, emit, sink);
		/* No entry is the end, whatever is said: else this could go on for ever. */
		if (error != WK_WASI_SUCCESS || !wanted || message.number[0] == 0 || message.size[0] == 0)
			return error;
	}
}

/* ---- paths ---- */

static enum wk_wasi_errno path_stat(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	struct wk_wasi_stat *stat)
{
	struct wk_remote_message message = ask(WK_REMOTE_PATH_STAT, directory);
	enum wk_wasi_errno error;

	message.number[0] = follow;
	error = ask_path(context, &message, path);
	return error == WK_WASI_SUCCESS ? take_stat(&message, stat) : error;
}

static enum wk_wasi_errno path_set_times(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	const struct wk_wasi_times *times)
{
	struct wk_remote_message message = ask(WK_REMOTE_PATH_SET_TIMES, directory);

	put_times(&message, times);
	message.number[4] = follow;
	return ask_path(context, &message, path);
}

static enum wk_wasi_errno change_path(void *context, enum wk_remote_operation operation, struct wk_wasi_object *directory,
	const char *path)
{
	struct wk_remote_message message = ask(operation, directory);

	return ask_path(context, &message, path);
}

static enum wk_wasi_errno make_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	return change_path(context, WK_REMOTE_MAKE_DIRECTORY, directory, path);
}

static enum wk_wasi_errno remove_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	return change_path(context, WK_REMOTE_REMOVE_DIRECTORY, directory, path);
}

static enum wk_wasi_errno unlink_path(void *context, struct wk_wasi_object *directory, const char *path)
{
	return change_path(context, WK_REMOTE_UNLINK, directory, path);
}

/* Operations on two paths; `second` NULL: the first is the text of a link. */
static enum wk_wasi_errno ask_two(void *context, enum wk_remote_operation operation, struct wk_wasi_object *directory,
	const char *path, struct wk_wasi_object *second, const char *second_path)
{
	struct wk_remote_message message = ask(operation, directory);

	message.object[1] = second ? (uint64_t)second->handle : 0;
	if (!put_path(context, &message, 0, path) || !put_path(context, &message, 1, second_path))
		return WK_WASI_NAMETOOLONG;
	return exchange(context, &message);
}

static enum wk_wasi_errno rename_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	return ask_two(context, WK_REMOTE_RENAME, directory, path, new_directory, new_path);
}

static enum wk_wasi_errno link_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	return ask_two(context, WK_REMOTE_LINK, directory, path, new_directory, new_path);
}

static enum wk_wasi_errno symlink_path(void *context, const char *target, struct wk_wasi_object *directory,
	const char *path)
{
	return ask_two(context, WK_REMOTE_SYMLINK, directory, target, NULL, path);
}

static enum wk_wasi_errno readlink_path(void *context, struct wk_wasi_object *directory, const char *path,
	uint8_t *buffer, size_t size, size_t *used)
{
	struct wk_remote_channel *channel = channel_of(context);
	struct wk_remote_message message = ask(WK_REMOTE_READLINK, directory);
	enum wk_wasi_errno error;

	if (size > channel->window_size)
		size = channel->window_size;
	message.number[0] = size;
	error = ask_path(channel, &message, path);
	if (error != WK_WASI_SUCCESS)
		return error;
	if (message.size[0] > size)
		return WK_WASI_IO;
	memcpy(buffer, channel->window, message.size[0]);
	*used = message.size[0];
	return WK_WASI_SUCCESS;
}

/* ---- waiting, sockets ---- */

static enum wk_wasi_errno take_polled(const struct wk_remote_channel *channel, size_t index, struct wk_wasi_poll *item)
{
	struct wk_remote_poll polled;

	memcpy(&polled, channel->window + index * sizeof polled, sizeof polled);
	if (polled.error > LAST_ERROR)
		return WK_WASI_IO;
	item->ready = polled.ready != 0;
	item->hangup = item->ready && polled.hangup != 0;
	item->error = item->ready ? (uint16_t)polled.error : WK_WASI_SUCCESS;
	item->available = item->ready ? polled.object : 0;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno poll_items(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds)
{
	struct wk_remote_channel *channel = channel_of(context);
	struct wk_remote_message message = ask(WK_REMOTE_POLL, NULL);
	enum wk_wasi_errno error;

	for (size_t i = 0; channel->window && i < count; i++) {
		struct wk_remote_poll polled = { .object = (uint64_t)items[i].object->handle, .write = items[i].write };

		memcpy(channel->window + i * sizeof polled, &polled, sizeof polled);
	}
	message.number[0] = count;
	message.number[1] = nanoseconds;
	message.size[0] = (uint32_t)(count * sizeof(struct wk_remote_poll));
	error = exchange(channel, &message);
	if (error == WK_WASI_SUCCESS && message.size[0] != count * sizeof(struct wk_remote_poll))
		error = WK_WASI_IO;
	for (size_t i = 0; error == WK_WASI_SUCCESS && i < count; i++)
		error = take_polled(channel, i, &items[i]);
	return error;
}

static enum wk_wasi_errno accept(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection)
{
	struct wk_remote_message message = ask(WK_REMOTE_ACCEPT, socket);
	enum wk_wasi_errno error = exchange(context, &message);

	return error == WK_WASI_SUCCESS ? take_object(&message, connection) : error;
}

void wk_remote_system(struct wk_wasi_system *system, struct wk_remote_channel *channel)
{
	system->context = channel;
	system->adopt = adopt;
	system->open_root = open_root;
	system->close = close_object;
	system->read = read_object;
	system->write = write_object;
	system->seek = seek;
	system->sync = sync_object;
	system->advise = advise;
	system->allocate = allocate;
	system->set_size = set_size;
	system->stat = stat_object;
	system->set_times = set_times;
	system->read_directory = read_directory;
	system->open = open_path;
	system->path_stat = path_stat;
	system->path_set_times = path_set_times;
	system->make_directory = make_directory;
	system->remove_directory = remove_directory;
	system->unlink = unlink_path;
	system->rename = rename_path;
	system->link = link_path;
	system->symlink = symlink_path;
	system->readlink = readlink_path;
	system->poll = poll_items;
	system->accept = accept;
	system->receive = receive;
	system->send = send;
	system->shutdown = shutdown_socket;
}
