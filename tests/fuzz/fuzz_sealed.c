/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: sealed folders over a storage that holds anything. A volume with a few files is made, then its index and its
 * objects are changed, and two systems work on it; in between more is changed, as when an older state comes back, and
 * the vault refuses.
 *
 * What must hold: no crash; the vault's contract is kept (memory_vault.h ends the program otherwise); all memory and
 * all handles are given back; an index that was accepted once is never made one that is not.
 */
#include <stdlib.h>

#include "input.h"
#include "wasi/sealed_side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPEN_FILES 6
#define STEPS 64u

static struct {
	struct input input;
	struct memory_vault vault;
	struct side sides[2];
	struct { struct wk_wasi_object object; unsigned side; bool open; } files[OPEN_FILES];
} now;

static struct memory_vault seed;

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A volume with folders, files, and one that was removed while it was open. */
static void make_seed(void)
{
	static struct side side;
	struct wk_wasi_object object;

	memory_vault_init(&seed);
	require(side_start(&side, &seed) == WK_WASI_SUCCESS);
	require(side_make(&side, "a") == WK_WASI_SUCCESS && side_make(&side, "a/b") == WK_WASI_SUCCESS);
	require(side_put(&side, "f", "one") == WK_WASI_SUCCESS && side_put(&side, "a/f", "two") == WK_WASI_SUCCESS);
	require(side_put(&side, "a/b/g", "three") == WK_WASI_SUCCESS && side_put(&side, "gone", "four") == WK_WASI_SUCCESS);
	require(side_open(&side, "gone", "r", &object) == WK_WASI_SUCCESS && side_unlink(&side, "gone") == WK_WASI_SUCCESS);
	seed.cut_at = seed.asked + 1; /* so the object of "gone" stays */
	require(side_close(&side, &object) == WK_WASI_SUCCESS && side_end(&side));
	memory_vault_reboot(&seed);
}

/* ---- the storage changes ---- */

static void change_object(uint32_t number)
{
	uint8_t id[SIDE_ID_SIZE], bytes[1024];
	struct memory_object *object;
	size_t size, got = 0;
	uint8_t how = input_byte(&now.input);

	side_id(number, id);
	object = memory_vault_find(&now.vault, id, sizeof id);
	/* Nobody gets in between while an object is open: that the vault promises. */
	if (object && (object->alone || object->readers != 0))
		return;
	size = object && object->size <= sizeof bytes ? object->size : 0;
	if (size != 0)
		memcpy(bytes, object->data, size);
	if (how & 1 || size == 0) {
		const uint8_t *from = input_bytes(&now.input, input_byte(&now.input), &got);

		size = got;
		if (got != 0)
			memcpy(bytes, from, got);
	}
	for (unsigned i = 0; size != 0 && i < (how >> 1 & 7u); i++) {
		size_t at = input_byte(&now.input) % size;

		bytes[at] = input_byte(&now.input);
	}
	if (how & 16 && size != 0)
		size -= input_byte(&now.input) % size;
	memory_vault_put(&now.vault, id, sizeof id, bytes, size);
}

/* An index that is right in its head and its form, with entries of the input's choice. */
static void write_index(void)
{
	uint8_t id[SIDE_ID_SIZE], bytes[1024] = { 'W', 'K', 'S', '1' };
	uint32_t count = input_byte(&now.input) % 24, removed = input_byte(&now.input) % 4, next, words[4];
	struct memory_object *object;
	size_t at = 20;

	next = 2 + input_byte(&now.input) % 32;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *entry = bytes + at, how = input_byte(&now.input);

		entry[0] = how & 1 ? (uint8_t)(2 + i) : input_byte(&now.input) % 36;
		entry[4] = input_byte(&now.input) % 28;
		entry[8] = how & 2 ? WK_WASI_DIRECTORY : how & 4 ? WK_WASI_REGULAR_FILE : input_byte(&now.input) % 8;
		entry[9] = how & 8 ? 2 : 1;
		entry[10] = (uint8_t)('a' + i);
		entry[11] = input_byte(&now.input);
		at += 10 + entry[9];
	}
	for (uint32_t i = 0; i < removed; i++, at += 4)
		bytes[at] = input_byte(&now.input) % 40;
	words[0] = (uint32_t)at;
	words[1] = count;
	words[2] = removed;
	words[3] = next;
	memcpy(bytes + 4, words, sizeof words);
	side_id(0, id);
	object = memory_vault_find(&now.vault, id, sizeof id);
	if (!object || (!object->alone && object->readers == 0))
		memory_vault_put(&now.vault, id, sizeof id, bytes, at + input_byte(&now.input) % 8);
}

static void change_storage(void)
{
	uint8_t which = input_byte(&now.input);

	if (which & 128)
		write_index();
	else
		change_object(which % 12);
}

/* ---- operations ---- */

static const char *const names[] = { "a", "b", "f", "g", "gone", "new", "..", ".", "aa", "c", "d", "e" };

static const char *path(char *to)
{
	uint8_t how = input_byte(&now.input);
	size_t used = 0;

	to[0] = 0;
	for (unsigned i = 0; i <= how % 3u; i++) {
		uint8_t which = input_byte(&now.input);
		const char *name = names[which % WK_COUNT(names)];

		used += (size_t)snprintf(to + used, 64, "%s%s", i ? "/" : "", name);
	}
	if (how & 64)
		snprintf(to + used, 8, "/");
	return to;
}

static bool take_entry(void *sink, const struct wk_wasi_directory_entry *entry)
{
	unsigned *left = sink;

	require(entry->name_size > 0 && entry->name_size <= WK_SEALED_NAME);
	require(entry->type == WK_WASI_DIRECTORY || entry->type == WK_WASI_REGULAR_FILE);
	return (*left)-- != 0;
}

/* On names. */
static void change_names(unsigned which, struct side *side)
{
	static const char *const letters[] = { "r", "w", "rw", "rwc", "rwcx", "rwct", "rwt", "d", "rd" };
	const struct wk_wasi_system *system = side->system;
	char first[256], second[256];
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;
	uint8_t link[16];
	size_t used = 0;
	unsigned slot = input_byte(&now.input) % OPEN_FILES;

	switch (which) {
	case 0:
		if (now.files[slot].open)
			break;
		path(first);
		if (side_open(side, first, letters[input_byte(&now.input) % WK_COUNT(letters)], &object) == WK_WASI_SUCCESS) {
			now.files[slot].object = object;
			now.files[slot].side = side == &now.sides[1];
			now.files[slot].open = true;
		}
		break;
	case 1:
		(void)side_make(side, path(first));
		break;
	case 2:
		(void)side_remove(side, path(first));
		break;
	case 3:
		(void)side_unlink(side, path(first));
		break;
	case 4:
		path(first);
		(void)side_rename(side, first, path(second));
		break;
	case 5:
		(void)side_stat(side, path(first), &stat);
		break;
	case 6:
		(void)system->readlink(system->context, &side->root, path(first), link, sizeof link, &used);
		break;
	default:
		(void)side_put(side, path(first), "written");
	}
}

/* On something open. */
static void use_object(unsigned which, unsigned slot)
{
	struct side *side = &now.sides[now.files[slot].side];
	const struct wk_wasi_system *system = side->system;
	struct wk_wasi_object *object = &now.files[slot].object;
	bool folder = object->type == WK_WASI_DIRECTORY;
	uint8_t bytes[64] = { 0 };
	struct wk_wasi_piece pieces[2] = { { bytes, 1 + input_byte(&now.input) % 32u }, { bytes + 32, 32 } };
	struct wk_wasi_poll item = { .object = object };
	uint64_t offset = input_number(&now.input), done = 0;
	struct wk_wasi_stat stat;
	unsigned left = 40;

	if (which == 0) {
		require(side_close(side, object) == WK_WASI_SUCCESS);
		now.files[slot].open = false;
	} else if (which == 1) {
		(void)system->stat(system->context, object, &stat);
	} else if (folder) {
		(void)system->read_directory(system->context, object, offset, take_entry, &left);
	} else if (which == 2) {
		if (system->read(system->context, object, pieces, 2, offset > INT64_MAX ? WK_WASI_HERE : offset, 0, &done) ==
			WK_WASI_SUCCESS)
			require(done <= pieces[0].size + pieces[1].size);
	} else if (which == 3) {
		if (system->write(system->context, object, pieces, 2, offset > INT64_MAX ? WK_WASI_HERE : offset,
			input_byte(&now.input) & 1 ? WK_WASI_APPEND : 0, &done) == WK_WASI_SUCCESS)
			require(done <= pieces[0].size + pieces[1].size);
	} else if (which == 4) {
		(void)system->seek(system->context, object, (int64_t)offset, input_byte(&now.input) % 3, &done);
	} else if (which == 5) {
		(void)system->set_size(system->context, object, offset);
	} else if (which == 6) {
		if (offset < INT64_MAX - 64)
			(void)system->allocate(system->context, object, offset, pieces[0].size);
	} else {
		(void)system->poll(system->context, &item, 1, 0);
	}
}

static enum wk_wasi_errno look(struct side *side)
{
	struct wk_wasi_stat stat;

	return side_stat(side, ".", &stat);
}

static void step(void)
{
	uint8_t which = input_byte(&now.input);
	struct side *side = &now.sides[which >> 4 & 1];
	bool good;

	if ((which & 15) == 0) {
		change_storage();
		return;
	}
	if ((which & 15) == 1) {
		now.vault.fail_at = now.vault.asked + 1 + input_byte(&now.input) % 16;
		now.vault.fail_after = which & 32;
		now.vault.failure = which & 64 ? WK_WASI_NOSPC : WK_WASI_IO;
		return;
	}
	if ((which & 15) == 2) {
		side->heap.fail_at = side->heap.asked + 1 + input_byte(&now.input) % 8;
		return;
	}
	good = look(side) == WK_WASI_SUCCESS;
	if ((which & 15) < 10) {
		change_names(which & 7, side);
	} else {
		unsigned slot = input_byte(&now.input) % OPEN_FILES;

		if (now.files[slot].open)
			use_object(which >> 5, slot);
	}
	/* Without a refusal on the way what was good is good. */
	now.vault.fail_at = 0;
	side->heap.fail_at = 0;
	require(!good || look(side) == WK_WASI_SUCCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!seed.vault.open)
		make_seed();
	now.input = (struct input){ data, data + size };
	memory_vault_init(&now.vault);
	memory_vault_copy(&now.vault, &seed);
	for (unsigned i = input_byte(&now.input) % 4; i > 0; i--)
		change_storage();
	for (unsigned i = 0; i < 2; i++) {
		memset(&now.sides[i], 0, sizeof now.sides[i]);
		/* Where the volume is damaged there is no root; the operations must say so, too. */
		if (side_start(&now.sides[i], &now.vault) != WK_WASI_SUCCESS)
			now.sides[i].root = (struct wk_wasi_object){ .handle = 1, .type = WK_WASI_DIRECTORY };
	}
	for (unsigned i = 0; i < STEPS && input_left(&now.input) != 0; i++)
		step();
	now.vault.fail_at = 0;
	for (unsigned i = 0; i < OPEN_FILES; i++)
		if (now.files[i].open)
			use_object(0, i);
	for (unsigned i = 0; i < 2; i++)
		require(side_end(&now.sides[i]));
	memory_vault_end(&now.vault); /* aborts when something is open */
	return 0;
}
