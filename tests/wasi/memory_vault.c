/* SPDX-License-Identifier: Apache-2.0
 * See memory_vault.h. */
#include "wasi/memory_vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "vault: %s\n", what);
	abort();
}

static void *copy_of(const void *data, size_t size)
{
	/* Exactly as large, so that a sanitizer sees the first byte behind it. */
	void *copy = malloc(size ? size : 1);

	require(copy != NULL, "out of memory");
	if (size)
		memcpy(copy, data, size);
	return copy;
}

static void resize(struct memory_object *object, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	size_t kept = size < object->size ? size : object->size;

	require(data != NULL, "out of memory");
	memset(data, 0, size);
	memcpy(data, object->data, kept);
	free(object->data);
	object->data = data;
	object->size = size;
}

struct memory_object *memory_vault_find(const struct memory_vault *vault, const uint8_t *id, size_t id_size)
{
	struct memory_object *object = vault->objects;

	while (object && (object->id_size != id_size || memcmp(object->id, id, id_size) != 0))
		object = object->next;
	return object;
}

static struct memory_object *add_object(struct memory_vault *vault, const uint8_t *id, size_t id_size)
{
	struct memory_object *object = calloc(1, sizeof *object);

	require(object != NULL, "out of memory");
	require(id_size <= WK_VAULT_ID_MAX, "an identifier is too long");
	memcpy(object->id, id, id_size);
	object->id_size = id_size;
	object->data = copy_of("", 0);
	object->next = vault->objects;
	vault->objects = object;
	return object;
}

static void delete_object(struct memory_vault *vault, struct memory_object *object)
{
	struct memory_object **link = &vault->objects;

	while (*link != object)
		link = &(*link)->next;
	*link = object->next;
	free(object->data);
	free(object);
}

static struct memory_handle *handle_of(struct memory_vault *vault, intptr_t number)
{
	require(number >= 0 && number < MEMORY_VAULT_HANDLES && vault->handles[number].object, "not a handle");
	return &vault->handles[number];
}

static intptr_t open_handle(struct memory_vault *vault, struct memory_object *object, bool alone)
{
	intptr_t number = 0;

	while (number < MEMORY_VAULT_HANDLES && vault->handles[number].object)
		number++;
	require(number < MEMORY_VAULT_HANDLES, "too many open handles");
	vault->handles[number] = (struct memory_handle){ object, alone, false };
	if (alone)
		object->alone = true;
	else
		object->readers++;
	return number;
}

static struct memory_object *close_handle(struct memory_handle *handle)
{
	struct memory_object *object = handle->object;

	if (handle->alone)
		object->alone = false;
	else
		object->readers--;
	handle->object = NULL;
	return object;
}

/* ---- failing ---- */

enum outcome { WORKS, FAILS_BEFORE, FAILS_AFTER };

static enum outcome ask(struct memory_vault *vault)
{
	void (*before)(struct memory_vault *vault, void *hook) = vault->before;
	uint64_t number = ++vault->asked;

	if (before) {
		vault->before = NULL; /* not for what the hook itself asks */
		before(vault, vault->hook);
		if (!vault->before)
			vault->before = before;
	}
	if (vault->cut_at != 0 && number >= vault->cut_at) {
		vault->failed++;
		return FAILS_BEFORE;
	}
	if (vault->fail_at == 0 || number < vault->fail_at || (number > vault->fail_at && !vault->keep_failing))
		return WORKS;
	vault->failed++;
	return vault->fail_after ? FAILS_AFTER : FAILS_BEFORE;
}

static enum wk_wasi_errno failure(struct memory_vault *vault, struct memory_handle *handle)
{
	if (handle)
		handle->broken = true;
	return vault->failure;
}

static struct memory_handle *usable(struct memory_vault *vault, intptr_t number, bool alone)
{
	struct memory_handle *handle = handle_of(vault, number);

	require(!handle->broken, "a handle is used after it failed");
	require(!alone || handle->alone, "a handle to read is used to change");
	return handle;
}

/* ---- the operations ---- */

static enum wk_wasi_errno open_object(void *context, const uint8_t *id, size_t id_size, bool alone, intptr_t *handle)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_object *object = memory_vault_find(vault, id, id_size);

	require(id_size <= WK_VAULT_ID_MAX, "an identifier is too long");
	if (outcome != WORKS)
		return failure(vault, NULL);
	if (!object)
		return WK_WASI_NOENT;
	if (object->alone || (alone && object->readers != 0))
		return WK_WASI_BUSY;
	*handle = open_handle(vault, object, alone);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno create_object(void *context, const uint8_t *id, size_t id_size, const void *data, size_t size,
	bool overwrite, intptr_t *handle)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_object *object = memory_vault_find(vault, id, id_size);

	require(size <= vault->vault.largest, "an object is too large");
	if (outcome == FAILS_BEFORE)
		return failure(vault, NULL);
	if (object && (!overwrite || object->alone || object->readers != 0))
		return WK_WASI_BUSY;
	if (!object)
		object = add_object(vault, id, id_size);
	free(object->data);
	object->data = copy_of(data, size);
	object->size = size;
	if (outcome == FAILS_AFTER)
		return failure(vault, NULL);
	*handle = open_handle(vault, object, true);
	return WK_WASI_SUCCESS;
}

static void close_object(void *context, intptr_t handle)
{
	close_handle(handle_of(context, handle));
}

static enum wk_wasi_errno remove_object(void *context, intptr_t handle)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_object *object = close_handle(usable(vault, handle, true));

	if (outcome != FAILS_BEFORE)
		delete_object(vault, object);
	return outcome == WORKS ? WK_WASI_SUCCESS : failure(vault, NULL);
}

static enum wk_wasi_errno object_size(void *context, intptr_t handle, uint64_t *size)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_handle *found = usable(vault, handle, false);

	if (outcome != WORKS)
		return failure(vault, found);
	*size = found->object->size;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno read_object(void *context, intptr_t handle, uint64_t position, void *data, size_t size,
	size_t *done)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_handle *found = usable(vault, handle, false);
	const struct memory_object *object = found->object;
	size_t left = position < object->size ? object->size - (size_t)position : 0;

	if (outcome != WORKS)
		return failure(vault, found);
	*done = size < left ? size : left;
	if (*done != 0)
		memcpy(data, object->data + position, *done);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno write_object(void *context, intptr_t handle, uint64_t position, const void *data, size_t size)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_handle *found = usable(vault, handle, true);
	struct memory_object *object = found->object;

	require(size > 0, "a write of nothing");
	require(position <= vault->vault.largest && size <= vault->vault.largest - position, "a write too far");
	if (outcome != FAILS_BEFORE) {
		if (position + size > object->size)
			resize(object, (size_t)position + size);
		memcpy(object->data + position, data, size);
	}
	return outcome == WORKS ? WK_WASI_SUCCESS : failure(vault, found);
}

static enum wk_wasi_errno truncate_object(void *context, intptr_t handle, uint64_t size)
{
	struct memory_vault *vault = context;
	enum outcome outcome = ask(vault);
	struct memory_handle *found = usable(vault, handle, true);

	require(size < found->object->size, "truncating to more");
	if (outcome != FAILS_BEFORE)
		resize(found->object, (size_t)size);
	return outcome == WORKS ? WK_WASI_SUCCESS : failure(vault, found);
}

static void wait_a_little(void *context)
{
	struct memory_vault *vault = context;

	vault->waits++;
	if (vault->waiting)
		vault->waiting(vault, vault->hook);
}

/* ---- the vault ---- */

void memory_vault_init(struct memory_vault *vault)
{
	*vault = (struct memory_vault){
		.vault = {
			.context = vault, .largest = 1 << 20, .tries = 0,
			.open = open_object, .create = create_object, .close = close_object, .remove = remove_object,
			.size = object_size, .read = read_object, .write = write_object, .truncate = truncate_object,
			.wait = wait_a_little,
		},
		.failure = WK_WASI_IO,
	};
}

static void empty(struct memory_vault *vault)
{
	require(memory_vault_open(vault) == 0, "a handle is still open");
	while (vault->objects)
		delete_object(vault, vault->objects);
}

void memory_vault_end(struct memory_vault *vault)
{
	empty(vault);
}

void memory_vault_copy(struct memory_vault *to, const struct memory_vault *from)
{
	empty(to);
	for (const struct memory_object *object = from->objects; object; object = object->next)
		memory_vault_put(to, object->id, object->id_size, object->data, object->size);
}

void memory_vault_reset(struct memory_vault *vault)
{
	vault->asked = vault->failed = vault->fail_at = vault->cut_at = 0;
	vault->keep_failing = vault->fail_after = false;
	vault->failure = WK_WASI_IO;
	vault->waits = 0;
	vault->before = vault->waiting = NULL;
}

void memory_vault_reboot(struct memory_vault *vault)
{
	memset(vault->handles, 0, sizeof vault->handles);
	for (struct memory_object *object = vault->objects; object; object = object->next) {
		object->readers = 0;
		object->alone = false;
	}
	memory_vault_reset(vault);
}

unsigned memory_vault_objects(const struct memory_vault *vault)
{
	unsigned count = 0;

	for (const struct memory_object *object = vault->objects; object; object = object->next)
		count++;
	return count;
}

unsigned memory_vault_open(const struct memory_vault *vault)
{
	unsigned count = 0;

	for (size_t i = 0; i < MEMORY_VAULT_HANDLES; i++)
		count += vault->handles[i].object != NULL;
	return count;
}

void memory_vault_put(struct memory_vault *vault, const uint8_t *id, size_t id_size, const void *data, size_t size)
{
	struct memory_object *object = memory_vault_find(vault, id, id_size);

	if (!object)
		object = add_object(vault, id, id_size);
	free(object->data);
	object->data = copy_of(data, size);
	object->size = size;
}
