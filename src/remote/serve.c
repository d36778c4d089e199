/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side: takes messages apart, and asks a system of this machine. What a keep may reach here is what this file
 * lets through: directories and descriptors that were named when the server was made, and what was opened beneath them,
 * by numbers that are looked up in a table.
 *
 * What always holds: paths and data handed to the system keep what wasi/system.h promises; each answer says how much of
 * the window it filled.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "remote/remote.h"

#define MOST_OBJECTS 4096u

struct object {
	struct wk_wasi_object object;
	bool open;
};

struct wk_remote_server {
	const struct wk_wasi_system *system;
	const struct wk_remote_world *world;
	struct object *objects;
	size_t room;
};

/* The message at hand. */
struct request {
	struct wk_remote_server *server;
	const struct wk_wasi_system *system;
	void *context;                  /* the system's */
	struct wk_remote_message *message;
	uint64_t number[8];             /* as they came */
	uint8_t *window;
	size_t size;
	char paths[2][WK_WASI_PATH_MAX + 1];
};

/* ---- the table ---- */

static struct wk_wasi_object *find(struct request *r, unsigned which)
{
	uint64_t handle = r->message->object[which];

	return handle < r->server->room && r->server->objects[handle].open ? &r->server->objects[handle].object : NULL;
}

static bool find_room(struct wk_remote_server *server, size_t *index)
{
	size_t room = server->room ? server->room * 2 : 16;
	struct object *larger;

	for (size_t i = 0; i < server->room; i++) {
		if (!server->objects[i].open) {
			*index = i;
			return true;
		}
	}
	if (room > MOST_OBJECTS)
		return false;
	larger = realloc(server->objects, room * sizeof *larger);
	if (!larger)
		return false;
	memset(larger + server->room, 0, (room - server->room) * sizeof *larger);
	*index = server->room;
	server->objects = larger;
	server->room = room;
	return true;
}

/* Opens something by `open` and tells the other side. A place in the table is found before. */
static enum wk_wasi_errno enter(struct request *r, size_t index, const struct wk_wasi_object *object)
{
	struct wk_remote_message *m = r->message;

	r->server->objects[index] = (struct object){ *object, true };
	m->object[0] = index;
	m->number[0] = object->type;
	m->number[1] = (object->seekable ? WK_REMOTE_SEEKABLE : 0) | (object->waits ? WK_REMOTE_WAITS : 0);
	return WK_WASI_SUCCESS;
}

/* ---- parts of a message ---- */

/* The data of a part, as far as it lies in the window; NULL: it does not. */
static uint8_t *part(struct request *r, unsigned which, size_t *size)
{
	const uint32_t *sizes = r->message->size;

	if (sizes[0] > r->size || sizes[1] > r->size - sizes[0])
		return NULL;
	*size = sizes[which];
	return r->window + (which ? sizes[0] : 0);
}

/* A path, copied, or NULL if it is not what a system may be given. */
static const char *path(struct request *r, unsigned which)
{
	char *copy = r->paths[which];
	size_t size = 0;
	const uint8_t *data = part(r, which, &size);

	if (!data || size == 0 || size > WK_WASI_PATH_MAX || memchr(data, 0, size) || !wk_utf8_valid(wk_span(data, size)))
		return NULL;
	memcpy(copy, data, size);
	copy[size] = 0;
	return copy;
}

static enum wk_wasi_errno take_times(const struct request *r, struct wk_wasi_times *times)
{
	if (r->number[0] > WK_WASI_TIME_NOW || r->number[1] > WK_WASI_TIME_NOW)
		return WK_WASI_INVAL;
	*times = (struct wk_wasi_times){ (enum wk_wasi_time)r->number[0], (enum wk_wasi_time)r->number[1], r->number[2],
		r->number[3] };
	return WK_WASI_SUCCESS;
}

static void put_stat(struct request *r, const struct wk_wasi_stat *stat)
{
	const uint64_t numbers[8] = { stat->device, stat->inode, stat->links, stat->size, stat->accessed, stat->modified,
		stat->changed, stat->type };

	memcpy(r->message->number, numbers, sizeof numbers);
}

/* ---- the operations ---- */

static enum wk_wasi_errno do_adopt(struct request *r)
{
	const struct wk_remote_world *world = r->server->world;
	struct wk_wasi_object object;
	unsigned access = 0;
	uint16_t flags = 0;
	size_t index = 0, i = 0;
	enum wk_wasi_errno error;

	while (i < world->descriptor_count && (uint64_t)world->descriptors[i] != r->number[0])
		i++;
	if (i == world->descriptor_count || world->descriptors[i] < 0)
		return WK_WASI_BADF;
	if (!find_room(r->server, &index))
		return WK_WASI_NFILE;
	error = r->system->adopt(r->context, world->descriptors[i], &object, &access, &flags);
	if (error != WK_WASI_SUCCESS)
		return error;
	r->message->number[2] = access;
	r->message->number[3] = flags;
	return enter(r, index, &object);
}

static enum wk_wasi_errno do_open_root(struct request *r)
{
	const struct wk_remote_world *world = r->server->world;
	const char *name = path(r, 0);
	struct wk_wasi_object object;
	size_t index = 0, i = 0;
	enum wk_wasi_errno error;

	while (name && i < world->root_count && strcmp(world->roots[i], name) != 0)
		i++;
	if (!name || i == world->root_count)
		return WK_WASI_ACCES;
	if (!find_room(r->server, &index))
		return WK_WASI_NFILE;
	error = r->system->open_root(r->context, world->roots[i], &object);
	return error == WK_WASI_SUCCESS ? enter(r, index, &object) : error;
}

static enum wk_wasi_errno do_close(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	enum wk_wasi_errno error;

	if (!object)
		return WK_WASI_BADF;
	error = r->system->close(r->context, object);
	r->server->objects[r->message->object[0]].open = false;
	return error;
}

static bool position_is_good(const struct wk_wasi_object *object, uint64_t offset)
{
	return offset == WK_WASI_HERE || (object->seekable && offset <= INT64_MAX);
}

#define FDFLAGS (WK_WASI_APPEND | WK_WASI_DSYNC | WK_WASI_NONBLOCK | WK_WASI_RSYNC | WK_WASI_SYNC)

static enum wk_wasi_errno do_read(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	struct wk_wasi_piece piece = { r->window, r->number[2] < r->size ? (size_t)r->number[2] : r->size };
	uint64_t done = 0;
	enum wk_wasi_errno error;

	if (!object)
		return WK_WASI_BADF;
	if (!position_is_good(object, r->number[0]) || r->number[1] & ~(uint64_t)FDFLAGS || piece.size == 0)
		return WK_WASI_INVAL;
	error = r->system->read(r->context, object, &piece, 1, r->number[0], (uint16_t)r->number[1], &done);
	r->message->number[0] = r->message->size[0] = (uint32_t)done;
	return error;
}

static enum wk_wasi_errno do_write(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	struct wk_wasi_piece piece = { NULL, 0 };
	uint64_t done = 0;
	enum wk_wasi_errno error;

	if (!object)
		return WK_WASI_BADF;
	piece.data = part(r, 0, &piece.size);
	if (!piece.data || piece.size == 0 || !position_is_good(object, r->number[0]) || r->number[1] & ~(uint64_t)FDFLAGS)
		return WK_WASI_INVAL;
	error = r->system->write(r->context, object, &piece, 1, r->number[0], (uint16_t)r->number[1], &done);
	r->message->number[0] = done;
	return error;
}

static enum wk_wasi_errno do_seek(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);

	if (!object)
		return WK_WASI_BADF;
	if (r->number[1] > 2)
		return WK_WASI_INVAL;
	return r->system->seek(r->context, object, (int64_t)r->number[0], (unsigned)r->number[1], &r->message->number[0]);
}

static enum wk_wasi_errno do_sync(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);

	return object ? r->system->sync(r->context, object, r->number[0] != 0) : WK_WASI_BADF;
}

static enum wk_wasi_errno do_advise(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);

	if (!object)
		return WK_WASI_BADF;
	return r->number[2] > 5 ? WK_WASI_INVAL : r->system->advise(r->context, object, r->number[0], r->number[1],
		(unsigned)r->number[2]);
}

static enum wk_wasi_errno do_allocate(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	uint64_t end;

	if (!object)
		return WK_WASI_BADF;
	if (r->number[1] == 0 || wk_add64_overflows(r->number[0], r->number[1], &end) || end > INT64_MAX)
		return WK_WASI_INVAL;
	return r->system->allocate(r->context, object, r->number[0], r->number[1]);
}

static enum wk_wasi_errno do_set_size(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);

	return object ? r->system->set_size(r->context, object, r->number[0]) : WK_WASI_BADF;
}

static enum wk_wasi_errno do_stat(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	struct wk_wasi_stat stat;
	enum wk_wasi_errno error = object ? r->system->stat(r->context, object, &stat) : WK_WASI_BADF;

	if (error == WK_WASI_SUCCESS)
		put_stat(r, &stat);
	return error;
}

static enum wk_wasi_errno do_set_times(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	struct wk_wasi_times times;
	enum wk_wasi_errno error = object ? take_times(r, &times) : WK_WASI_BADF;

	return error == WK_WASI_SUCCESS ? r->system->set_times(r->context, object, &times) : error;
}

/* Where entries are put. */
struct entries {
	uint8_t *at;
	size_t used, room;
	bool more;                  /* one did not fit */
};

static bool put_entry(void *sink, const struct wk_wasi_directory_entry *entry)
{
	struct entries *entries = sink;
	uint16_t name_size = (uint16_t)entry->name_size;
	uint8_t *to = entries->at + entries->used;

	if (entry->name_size == 0 || entry->name_size > WK_REMOTE_NAME_MAX)
		return true; /* no file system has such */
	if (entries->room - entries->used < WK_REMOTE_ENTRY + entry->name_size) {
		entries->more = true;
		return false;
	}
	memcpy(to, &entry->next, 8);
	memcpy(to + 8, &entry->inode, 8);
	memcpy(to + 16, &name_size, 2);
	to[18] = entry->type;
	to[19] = 0;
	memcpy(to + WK_REMOTE_ENTRY, entry->name, entry->name_size);
	entries->used += WK_REMOTE_ENTRY + entry->name_size;
	return true;
}

static enum wk_wasi_errno do_read_directory(struct request *r)
{
	struct wk_wasi_object *object = find(r, 0);
	struct entries entries = { .at = r->window, .room = r->number[1] < r->size ? (size_t)r->number[1] : r->size };
	enum wk_wasi_errno error;

	if (!object || object->type != WK_WASI_DIRECTORY)
		return WK_WASI_BADF;
	error = r->system->read_directory(r->context, object, r->number[0], put_entry, &entries);
	r->message->number[0] = entries.more;
	r->message->size[0] = (uint32_t)entries.used;
	return error;
}

/* The directory of a path; NULL: *error says why. */
static struct wk_wasi_object *directory(struct request *r, unsigned which, enum wk_wasi_errno *error)
{
	struct wk_wasi_object *object = find(r, which);

	*error = !object ? WK_WASI_BADF : object->type != WK_WASI_DIRECTORY ? WK_WASI_NOTDIR : WK_WASI_SUCCESS;
	return *error == WK_WASI_SUCCESS ? object : NULL;
}

static enum wk_wasi_errno do_open(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error), object;
	const char *name = path(r, 0);
	uint64_t bits = r->number[0];
	struct wk_wasi_open how = { .create = bits & WK_REMOTE_CREATE, .exclusive = bits & WK_REMOTE_EXCLUSIVE,
		.truncate = bits & WK_REMOTE_TRUNCATE, .directory = bits & WK_REMOTE_DIRECTORY, .follow = bits & WK_REMOTE_FOLLOW,
		.access = (unsigned)r->number[1], .flags = (uint16_t)r->number[2] };
	size_t index = 0;

	if (!base)
		return error;
	if (!name || bits >= 2 * WK_REMOTE_FOLLOW || (how.create && how.directory) ||
		r->number[1] > (WK_WASI_READABLE | WK_WASI_WRITABLE) || r->number[2] & ~(uint64_t)FDFLAGS)
		return WK_WASI_INVAL;
	if (!find_room(r->server, &index))
		return WK_WASI_NFILE;
	error = r->system->open(r->context, directory(r, 0, &error), name, &how, &object); /* the table may have moved */
	return error == WK_WASI_SUCCESS ? enter(r, index, &object) : error;
}

static enum wk_wasi_errno do_path_stat(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error);
	const char *name = path(r, 0);
	struct wk_wasi_stat stat;

	if (!base)
		return error;
	if (!name)
		return WK_WASI_INVAL;
	error = r->system->path_stat(r->context, base, name, r->number[0] != 0, &stat);
	if (error == WK_WASI_SUCCESS)
		put_stat(r, &stat);
	return error;
}

static enum wk_wasi_errno do_path_set_times(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error);
	const char *name = path(r, 0);
	struct wk_wasi_times times;

	if (!base)
		return error;
	if (!name)
		return WK_WASI_INVAL;
	error = take_times(r, &times);
	return error == WK_WASI_SUCCESS ? r->system->path_set_times(r->context, base, name, r->number[4] != 0, &times) : error;
}

static enum wk_wasi_errno change_path(struct request *r,
	enum wk_wasi_errno (*change)(void *context, struct wk_wasi_object *directory, const char *path))
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error);
	const char *name = path(r, 0);

	if (!base)
		return error;
	return name ? change(r->context, base, name) : WK_WASI_INVAL;
}

static enum wk_wasi_errno do_make_directory(struct request *r) { return change_path(r, r->system->make_directory); }
static enum wk_wasi_errno do_remove_directory(struct request *r) { return change_path(r, r->system->remove_directory); }
static enum wk_wasi_errno do_unlink(struct request *r) { return change_path(r, r->system->unlink); }

static enum wk_wasi_errno change_two(struct request *r,
	enum wk_wasi_errno (*change)(void *context, struct wk_wasi_object *directory, const char *path,
		struct wk_wasi_object *new_directory, const char *new_path))
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *from = directory(r, 0, &error), *to = from ? directory(r, 1, &error) : NULL;
	const char *name = path(r, 0), *new_name = path(r, 1);

	if (!to)
		return error;
	return name && new_name ? change(r->context, from, name, to, new_name) : WK_WASI_INVAL;
}

static enum wk_wasi_errno do_rename(struct request *r) { return change_two(r, r->system->rename); }
static enum wk_wasi_errno do_link(struct request *r) { return change_two(r, r->system->link); }

static enum wk_wasi_errno do_symlink(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error);
	const char *target = path(r, 0), *name = path(r, 1);

	if (!base)
		return error;
	return target && name && target[0] != '/' ? r->system->symlink(r->context, target, base, name) : WK_WASI_INVAL;
}

static enum wk_wasi_errno do_readlink(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *base = directory(r, 0, &error);
	const char *name = path(r, 0); /* copied: the window is free for the answer */
	size_t used = 0;

	if (!base)
		return error;
	if (!name)
		return WK_WASI_INVAL;
	error = r->system->readlink(r->context, base, name, r->window, r->number[0] < r->size ? (size_t)r->number[0] : r->size,
		&used);
	r->message->size[0] = (uint32_t)used;
	return error;
}

static enum wk_wasi_errno poll_items(struct request *r, struct wk_wasi_poll *items, size_t count)
{
	struct wk_remote_poll polled;
	enum wk_wasi_errno error;

	for (size_t i = 0; i < count; i++) {
		memcpy(&polled, r->window + i * sizeof polled, sizeof polled);
		if (polled.object >= r->server->room || !r->server->objects[polled.object].open)
			return WK_WASI_BADF;
		items[i] = (struct wk_wasi_poll){ .object = &r->server->objects[polled.object].object, .write = polled.write };
	}
	error = r->system->poll(r->context, items, count, r->number[1]);
	for (size_t i = 0; error == WK_WASI_SUCCESS && i < count; i++) {
		polled = (struct wk_remote_poll){ items[i].available, 0, items[i].ready, items[i].hangup, 0, items[i].error };
		memcpy(r->window + i * sizeof polled, &polled, sizeof polled);
	}
	r->message->size[0] = (uint32_t)(count * sizeof polled);
	return error;
}

static enum wk_wasi_errno do_poll(struct request *r)
{
	uint64_t count = r->number[0];
	struct wk_wasi_poll *items;
	enum wk_wasi_errno error;

	if (count > WK_WASI_POLL_MAX || count * sizeof(struct wk_remote_poll) > r->size)
		return WK_WASI_INVAL;
	items = calloc((size_t)count + 1, sizeof *items);
	error = items ? poll_items(r, items, (size_t)count) : WK_WASI_NOMEM;
	free(items);
	return error;
}

static bool is_socket(const struct wk_wasi_object *object)
{
	return object->type == WK_WASI_SOCKET_STREAM || object->type == WK_WASI_SOCKET_DGRAM;
}

static struct wk_wasi_object *socket_of(struct request *r, enum wk_wasi_errno *error)
{
	struct wk_wasi_object *object = find(r, 0);

	*error = !object ? WK_WASI_BADF : is_socket(object) ? WK_WASI_SUCCESS : WK_WASI_NOTSOCK;
	return *error == WK_WASI_SUCCESS ? object : NULL;
}

static enum wk_wasi_errno do_accept(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *listener = socket_of(r, &error), connection;
	size_t index = 0;

	if (!listener)
		return error;
	if (!find_room(r->server, &index))
		return WK_WASI_NFILE;
	error = r->system->accept(r->context, socket_of(r, &error), &connection);
	return error == WK_WASI_SUCCESS ? enter(r, index, &connection) : error;
}

static enum wk_wasi_errno do_receive(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *object = socket_of(r, &error);
	struct wk_wasi_piece piece = { r->window, r->number[0] < r->size ? (size_t)r->number[0] : r->size };
	uint64_t done = 0;
	bool truncated = false;

	if (!object)
		return error;
	if (piece.size == 0)
		return WK_WASI_INVAL;
	error = r->system->receive(r->context, object, &piece, 1, r->number[1] != 0, &done, &truncated);
	r->message->number[0] = r->message->size[0] = (uint32_t)done;
	r->message->number[1] = truncated;
	return error;
}

static enum wk_wasi_errno do_send(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *object = socket_of(r, &error);
	struct wk_wasi_piece piece = { NULL, 0 };

	if (!object)
		return error;
	piece.data = part(r, 0, &piece.size);
	if (!piece.data || piece.size == 0)
		return WK_WASI_INVAL;
	return r->system->send(r->context, object, &piece, 1, &r->message->number[0]);
}

static enum wk_wasi_errno do_shutdown(struct request *r)
{
	enum wk_wasi_errno error;
	struct wk_wasi_object *object = socket_of(r, &error);

	if (!object)
		return error;
	return r->number[0] || r->number[1] ? r->system->shutdown(r->context, object, r->number[0] != 0, r->number[1] != 0) :
		WK_WASI_INVAL;
}

static enum wk_wasi_errno (*const operations[WK_REMOTE_OPERATIONS])(struct request *r) = {
	[WK_REMOTE_ADOPT] = do_adopt, [WK_REMOTE_OPEN_ROOT] = do_open_root, [WK_REMOTE_CLOSE] = do_close,
	[WK_REMOTE_READ] = do_read, [WK_REMOTE_WRITE] = do_write, [WK_REMOTE_SEEK] = do_seek, [WK_REMOTE_SYNC] = do_sync,
	[WK_REMOTE_ADVISE] = do_advise, [WK_REMOTE_ALLOCATE] = do_allocate, [WK_REMOTE_SET_SIZE] = do_set_size,
	[WK_REMOTE_STAT] = do_stat, [WK_REMOTE_SET_TIMES] = do_set_times, [WK_REMOTE_READ_DIRECTORY] = do_read_directory,
	[WK_REMOTE_OPEN] = do_open, [WK_REMOTE_PATH_STAT] = do_path_stat, [WK_REMOTE_PATH_SET_TIMES] = do_path_set_times,
	[WK_REMOTE_MAKE_DIRECTORY] = do_make_directory, [WK_REMOTE_REMOVE_DIRECTORY] = do_remove_directory,
	[WK_REMOTE_UNLINK] = do_unlink, [WK_REMOTE_RENAME] = do_rename, [WK_REMOTE_LINK] = do_link,
	[WK_REMOTE_SYMLINK] = do_symlink, [WK_REMOTE_READLINK] = do_readlink, [WK_REMOTE_POLL] = do_poll,
	[WK_REMOTE_ACCEPT] = do_accept, [WK_REMOTE_RECEIVE] = do_receive, [WK_REMOTE_SEND] = do_send,
	[WK_REMOTE_SHUTDOWN] = do_shutdown,
};

void wk_remote_serve(struct wk_remote_server *server, struct wk_remote_message *message, uint8_t *window, size_t size)
{
	struct request request = { .server = server, .system = server->system, .context = server->system->context,
		.message = message, .window = window, .size = size > UINT32_MAX ? UINT32_MAX : size };
	enum wk_wasi_errno error = WK_WASI_NOSYS;
	uint32_t operation = message->operation;
	bool wrote = false;

	memcpy(request.number, message->number, sizeof request.number);
	if (operation < WK_REMOTE_OPERATIONS && operations[operation])
		error = operations[operation](&request);
	/* What was data of the question is none of the answer. */
	wrote = error == WK_WASI_SUCCESS && (operation == WK_REMOTE_READ || operation == WK_REMOTE_READ_DIRECTORY ||
		operation == WK_REMOTE_READLINK || operation == WK_REMOTE_POLL || operation == WK_REMOTE_RECEIVE);
	message->error = error;
	message->size[0] = wrote ? message->size[0] : 0;
	message->size[1] = 0;
}

/* ---- making and ending ---- */

struct wk_remote_server *wk_remote_server_new(const struct wk_wasi_system *system, const struct wk_remote_world *world)
{
	struct wk_remote_server *server = calloc(1, sizeof *server);

	if (server)
		*server = (struct wk_remote_server){ .system = system, .world = world };
	return server;
}

void wk_remote_server_delete(struct wk_remote_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < server->room; i++)
		if (server->objects[i].open)
			(void)server->system->close(server->system->context, &server->objects[i].object);
	free(server->objects);
	free(server);
}
