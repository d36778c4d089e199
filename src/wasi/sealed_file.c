/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of sealed files, and open files. A file's content is one object of the vault, its number in the identifier.
 *
 * An open file is a position in a node; a node is a file that is open at least once in this system, with one handle of
 * the vault's, which all its open files use. The handle is open to read as long as nobody here wants to write, and
 * alone from then on. It is kept: opening an object costs as much as many reads.
 *
 * After any error the handle is closed, and opened again when it is next needed, as vault.h asks for. The size is
 * known as long as the handle is open, since nobody else can change it.
 *
 * A file that has lost its name lives on in its node; its object is removed when the node goes. If that does not
 * happen, the index still has the number, and the object is removed later.
 */
#include "wasi/sealed_internal.h"

struct wk_sealed_node {
	struct wk_sealed_node *next;
	uint32_t number;
	uint32_t users;              /* open files */
	bool alone;                  /* how its object is opened */
	bool open;                   /* these two are set: */
	intptr_t handle;
	uint64_t size;
	bool removed;                /* no index names it */
};

struct file {
	struct wk_sealed_node *node;
	uint64_t position;
};

static struct file *file_of(const struct wk_wasi_object *object)
{
	return (struct file *)object->handle;
}

/* ---- objects ---- */

#define ID_SIZE (WK_SEALED_VOLUME + 4)

_Static_assert(ID_SIZE <= WK_VAULT_ID_MAX, "the vault takes no longer identifiers");

static void make_id(const struct wk_sealed *sealed, uint32_t number, uint8_t id[ID_SIZE])
{
	memcpy(id, sealed->volume, WK_SEALED_VOLUME);
	for (unsigned i = 0; i < 4; i++)
		id[WK_SEALED_VOLUME + i] = (uint8_t)(number >> 8 * i);
}

enum wk_wasi_errno wk_sealed_open_object(const struct wk_sealed *sealed, uint32_t number, bool alone, intptr_t *handle)
{
	uint8_t id[ID_SIZE];

	make_id(sealed, number, id);
	return sealed->vault->open(sealed->vault->context, id, sizeof id, alone, handle);
}

enum wk_wasi_errno wk_sealed_create_object(const struct wk_sealed *sealed, uint32_t number, const void *data,
	size_t size, bool overwrite, intptr_t *handle)
{
	uint8_t id[ID_SIZE];

	make_id(sealed, number, id);
	return sealed->vault->create(sealed->vault->context, id, sizeof id, data, size, overwrite, handle);
}

static struct wk_sealed_node *find_node(const struct wk_sealed *sealed, uint32_t number)
{
	struct wk_sealed_node *node = sealed->nodes;

	while (node && node->number != number)
		node = node->next;
	return node;
}

bool wk_sealed_discard(const struct wk_sealed *sealed, uint32_t number)
{
	intptr_t handle = 0;
	enum wk_wasi_errno error = WK_WASI_BUSY;

	if (!find_node(sealed, number))
		error = wk_sealed_open_object(sealed, number, true, &handle);
	if (error == WK_WASI_SUCCESS)
		error = sealed->vault->remove(sealed->vault->context, handle);
	return error == WK_WASI_SUCCESS || error == WK_WASI_NOENT;
}

void wk_sealed_forget(const struct wk_sealed *sealed, uint32_t number)
{
	struct wk_sealed_node *node = find_node(sealed, number);

	if (node)
		node->removed = true;
	else
		(void)wk_sealed_discard(sealed, number);
}

/* ---- nodes ---- */

static void close_node(const struct wk_sealed *sealed, struct wk_sealed_node *node)
{
	if (node->open)
		sealed->vault->close(sealed->vault->context, node->handle);
	node->open = false;
}

/* Closes the handle when an operation on it has failed. */
static enum wk_wasi_errno after(const struct wk_sealed *sealed, struct wk_sealed_node *node, enum wk_wasi_errno error)
{
	if (error != WK_WASI_SUCCESS)
		close_node(sealed, node);
	return error;
}

/* Opens the object and asks for the size, unless it is open. An object that is named and not there is damage. */
static enum wk_wasi_errno open_node(const struct wk_sealed *sealed, struct wk_sealed_node *node)
{
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	uint64_t size = 0;

	if (node->open)
		return WK_WASI_SUCCESS;
	error = wk_sealed_open_object(sealed, node->number, node->alone, &node->handle);
	if (error != WK_WASI_SUCCESS)
		return error == WK_WASI_NOENT ? WK_WASI_IO : error;
	node->open = true;
	error = sealed->vault->size(sealed->vault->context, node->handle, &size);
	if (error == WK_WASI_SUCCESS && size > INT64_MAX)
		error = WK_WASI_IO;
	node->size = size;
	return after(sealed, node, error);
}

/* Puts an object without a byte in the place of the old one, or makes it. Not by truncating: OP-TEE frees the old
 * blocks before it forgets them, so a power cut in between would damage the object. The index is open: nobody gets in
 * between. */
static enum wk_wasi_errno empty_node(const struct wk_sealed *sealed, struct wk_sealed_node *node)
{
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	close_node(sealed, node);
	error = wk_sealed_create_object(sealed, node->number, NULL, 0, true, &node->handle);
	if (error != WK_WASI_SUCCESS)
		return error;
	node->open = true;
	node->size = 0;
	return WK_WASI_SUCCESS;
}

/* From now on with the right to write. The index is open. After an error those who read go on as before. */
static enum wk_wasi_errno open_alone(const struct wk_sealed *sealed, struct wk_sealed_node *node, bool truncate)
{
	bool alone_before = node->alone;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (!alone_before)
		close_node(sealed, node);
	node->alone = true;
	error = truncate ? empty_node(sealed, node) : open_node(sealed, node);
	if (error != WK_WASI_SUCCESS)
		node->alone = alone_before;
	return error;
}

static struct wk_sealed_node *take_node(struct wk_sealed *sealed, uint32_t number)
{
	struct wk_sealed_node *node = find_node(sealed, number);

	if (!node) {
		node = wk_alloc(sealed->budget, sizeof *node);
		if (!node)
			return NULL;
		node->number = number;
		node->next = sealed->nodes;
		sealed->nodes = node;
	}
	node->users++;
	return node;
}

static void leave_node(struct wk_sealed *sealed, struct wk_sealed_node *node)
{
	struct wk_sealed_node **link = &sealed->nodes;

	if (--node->users > 0)
		return;
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	if (node->removed && node->open && node->alone) {
		(void)sealed->vault->remove(sealed->vault->context, node->handle);
	} else {
		close_node(sealed, node);
		if (node->removed)
			(void)wk_sealed_discard(sealed, node->number);
	}
	wk_free(sealed->budget, node, sizeof *node);
}

/* ---- opening and closing ---- */

/* A file over the node of a number; it has nothing open yet. */
static struct file *make_file(struct wk_sealed *sealed, uint32_t number)
{
	struct file *file = wk_alloc(sealed->budget, sizeof *file);

	if (!file)
		return NULL;
	file->node = take_node(sealed, number);
	if (!file->node) {
		wk_free(sealed->budget, file, sizeof *file);
		return NULL;
	}
	return file;
}

static void delete_file(struct wk_sealed *sealed, struct file *file)
{
	leave_node(sealed, file->node);
	wk_free(sealed->budget, file, sizeof *file);
}

static struct wk_wasi_object object_of(struct file *file)
{
	return (struct wk_wasi_object){ .handle = (intptr_t)file, .type = WK_WASI_REGULAR_FILE, .seekable = true };
}

enum wk_wasi_errno wk_sealed_open_file(struct wk_sealed_index *index, uint32_t number, const struct wk_wasi_open *how,
	struct wk_wasi_object *object)
{
	struct wk_sealed *sealed = index->sealed;
	struct file *file = make_file(sealed, number);
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (!file)
		return WK_WASI_NOMEM;
	if (how->truncate || how->access & WK_WASI_WRITABLE)
		error = open_alone(sealed, file->node, how->truncate);
	else
		error = open_node(sealed, file->node);
	if (error == WK_WASI_SUCCESS)
		*object = object_of(file);
	else
		delete_file(sealed, file);
	return error;
}

/* The object is made before the index names it. When the index is not written, its number is the next one still, and
 * the object will be replaced by the next file's. */
enum wk_wasi_errno wk_sealed_create_file(struct wk_sealed_index *index, const struct wk_sealed_place *place,
	struct wk_wasi_object *object)
{
	struct wk_sealed *sealed = index->sealed;
	struct wk_sealed_entry entry = { .name = place->name, .parent = place->parent, .type = WK_WASI_REGULAR_FILE,
		.name_size = (uint8_t)place->name_size };
	struct file *file = NULL;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	wk_sealed_sweep(index);
	error = wk_sealed_new_number(index, &entry.number);
	if (error != WK_WASI_SUCCESS)
		return error;
	file = make_file(sealed, entry.number);
	if (!file)
		return WK_WASI_NOMEM;
	wk_sealed_insert(index, place->at, &entry);
	error = wk_sealed_prepare(index);
	if (error == WK_WASI_SUCCESS)
		error = open_alone(sealed, file->node, true);
	if (error == WK_WASI_SUCCESS)
		error = wk_sealed_commit(index);
	if (error == WK_WASI_SUCCESS)
		*object = object_of(file);
	else
		delete_file(sealed, file);
	return error;
}

enum wk_wasi_errno wk_sealed_close(void *context, struct wk_wasi_object *object)
{
	if (object->type == WK_WASI_REGULAR_FILE)
		delete_file(context, file_of(object));
	return WK_WASI_SUCCESS;
}

/* ---- reading and writing ---- */

/* What was done before an error counts, and the error is met again by whoever goes on. */
static enum wk_wasi_errno finish(struct file *file, uint64_t offset, uint64_t at, uint64_t sum,
	enum wk_wasi_errno error, uint64_t *done)
{
	if (error != WK_WASI_SUCCESS && sum == 0)
		return error;
	if (offset == WK_WASI_HERE)
		file->position = at;
	*done = sum;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_sealed_read(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	const struct wk_sealed *sealed = context;
	const struct wk_vault *vault = sealed->vault;
	struct file *file = file_of(object);
	struct wk_sealed_node *node = file->node;
	uint64_t at = offset == WK_WASI_HERE ? file->position : offset, sum = 0;
	enum wk_wasi_errno error = open_node(sealed, node);

	(void)flags;
	for (size_t i = 0; error == WK_WASI_SUCCESS && i < count && at < node->size; i++) {
		size_t part = 0;

		error = after(sealed, node,
			vault->read(vault->context, node->handle, at, pieces[i].data, pieces[i].size, &part));
		at += part;
		sum += part;
		if (part < pieces[i].size)
			break;
	}
	return finish(file, offset, at, sum, error, done);
}

enum wk_wasi_errno wk_sealed_write(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	const struct wk_sealed *sealed = context;
	const struct wk_vault *vault = sealed->vault;
	struct file *file = file_of(object);
	struct wk_sealed_node *node = file->node;
	uint64_t at = offset == WK_WASI_HERE ? file->position : offset, sum = 0;
	enum wk_wasi_errno error = node->alone ? open_node(sealed, node) : WK_WASI_BADF;

	if (error == WK_WASI_SUCCESS && offset == WK_WASI_HERE && flags & WK_WASI_APPEND)
		at = node->size;
	for (size_t i = 0; error == WK_WASI_SUCCESS && i < count; i++) {
		uint64_t room = at < vault->largest ? vault->largest - at : 0;
		size_t part = pieces[i].size < room ? pieces[i].size : (size_t)room;

		if (pieces[i].size == 0)
			continue;
		if (part == 0) {
			error = WK_WASI_FBIG;
			break;
		}
		error = after(sealed, node, vault->write(vault->context, node->handle, at, pieces[i].data, part));
		if (error != WK_WASI_SUCCESS)
			break;
		at += part;
		sum += part;
		if (at > node->size)
			node->size = at;
	}
	return finish(file, offset, at, sum, error, done);
}

enum wk_wasi_errno wk_sealed_seek(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
	uint64_t *position)
{
	struct file *file = file_of(object);
	int64_t from = 0, to = 0;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (whence == 1)
		from = (int64_t)file->position;
	if (whence == 2) {
		error = open_node(context, file->node);
		if (error != WK_WASI_SUCCESS)
			return error;
		from = (int64_t)file->node->size;
	}
	if (__builtin_add_overflow(from, delta, &to))
		return WK_WASI_OVERFLOW;
	if (to < 0)
		return WK_WASI_INVAL;
	file->position = *position = (uint64_t)to;
	return WK_WASI_SUCCESS;
}

/* ---- sizes and attributes ---- */

static enum wk_wasi_errno empty_file(struct wk_sealed *sealed, struct wk_sealed_node *node)
{
	intptr_t index = 0;
	enum wk_wasi_errno error = wk_sealed_lock(sealed, false, &index);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = empty_node(sealed, node);
	wk_sealed_unlock(sealed, index);
	return error;
}

enum wk_wasi_errno wk_sealed_set_size(void *context, struct wk_wasi_object *object, uint64_t size)
{
	static const uint8_t zero;
	struct wk_sealed *sealed = context;
	const struct wk_vault *vault = sealed->vault;
	struct wk_sealed_node *node = file_of(object)->node;
	enum wk_wasi_errno error = node->alone ? open_node(sealed, node) : WK_WASI_BADF;

	if (error != WK_WASI_SUCCESS || size == node->size)
		return error;
	if (size > vault->largest)
		return WK_WASI_FBIG;
	if (size == 0)
		return empty_file(sealed, node);
	if (size < node->size)
		error = vault->truncate(vault->context, node->handle, size);
	else
		error = vault->write(vault->context, node->handle, size - 1, &zero, 1);
	if (error == WK_WASI_SUCCESS)
		node->size = size;
	return after(sealed, node, error);
}

enum wk_wasi_errno wk_sealed_allocate(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size)
{
	struct wk_sealed_node *node = file_of(object)->node;
	enum wk_wasi_errno error = open_node(context, node);

	if (error != WK_WASI_SUCCESS || offset + size <= node->size)
		return error;
	return wk_sealed_set_size(context, object, offset + size);
}

/* The device is the beginning of the volume's name: two volumes are two devices. */
void wk_sealed_fill_stat(const struct wk_sealed *sealed, uint32_t number, uint8_t type, uint64_t size,
	struct wk_wasi_stat *stat)
{
	*stat = (struct wk_wasi_stat){ .inode = number, .links = 1, .size = size, .type = type };
	memcpy(&stat->device, sealed->volume, sizeof stat->device);
}

enum wk_wasi_errno wk_sealed_stat_file(struct wk_sealed *sealed, uint32_t number, struct wk_wasi_stat *stat)
{
	struct wk_sealed_node *node = find_node(sealed, number);
	struct wk_sealed_node passing = { .number = number };
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (!node)
		node = &passing;
	error = open_node(sealed, node);
	if (error == WK_WASI_SUCCESS)
		wk_sealed_fill_stat(sealed, number, WK_WASI_REGULAR_FILE, node->size, stat);
	close_node(sealed, &passing);
	return error;
}

enum wk_wasi_errno wk_sealed_stat(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat)
{
	const struct wk_sealed *sealed = context;
	struct wk_sealed_node *node = NULL;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (object->type == WK_WASI_DIRECTORY) {
		wk_sealed_fill_stat(sealed, (uint32_t)object->handle, WK_WASI_DIRECTORY, 0, stat);
		return WK_WASI_SUCCESS;
	}
	node = file_of(object)->node;
	error = open_node(sealed, node);
	if (error != WK_WASI_SUCCESS)
		return error;
	wk_sealed_fill_stat(sealed, node->number, WK_WASI_REGULAR_FILE, node->size, stat);
	if (node->removed)
		stat->links = 0;
	return WK_WASI_SUCCESS;
}

/* ---- waiting ---- */

/* Nothing to wait for; there is no clock either, so time does not pass here. */
enum wk_wasi_errno wk_sealed_poll(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds)
{
	(void)context, (void)nanoseconds;
	for (size_t i = 0; i < count; i++) {
		const struct file *file = file_of(items[i].object);
		uint64_t size = file->node->open ? file->node->size : 0;

		items[i].ready = true;
		items[i].hangup = false;
		items[i].error = WK_WASI_SUCCESS;
		items[i].available = !items[i].write && file->position < size ? size - file->position : 0;
	}
	return WK_WASI_SUCCESS;
}
