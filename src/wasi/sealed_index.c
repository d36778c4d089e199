/* SPDX-License-Identifier: Apache-2.0
 *
 * The index of a sealed volume: one object that holds all names. Whoever works on names opens it alone, so the index
 * is its own lock; reads it as a whole; and, to change something, writes it as a whole with one write, which the vault
 * does entirely or not at all. So each operation on names is atomic, and nothing is kept in memory in between that
 * another system could make wrong.
 *
 * Numbers little-endian:
 *
 *	0   "WKS1"
 *	4   how many bytes are in use; what follows them was left by a longer index
 *	8   entries
 *	12  removed files
 *	16  the next number
 *	20  the entries, ascending by parent and then by the bytes of the name:
 *	        number 4, parent 4, type 1, length of the name 1, the name
 *	    numbers of the removed files, ascending, 4 each
 *
 * Numbers are given out once, ascending; the root has one but no entry. A file's object carries its number. An object
 * that no entry names can only be that of a removed file, which is in the list, or of the next number: a file whose
 * making was interrupted. So what a power cut leaves is found without looking through the storage.
 *
 * The storage keeps others from writing the index, but what is read is checked all the same. What always holds of an
 * index that was read: names are valid and once in a folder, numbers are unique, every parent is a folder, and every
 * folder is below the root.
 */
#include "base/utf8.h"
#include "wasi/sealed_internal.h"

#define HEAD_SIZE 20u
#define ENTRY_SIZE 10u
#define INDEX_MAX (HEAD_SIZE + WK_SEALED_ENTRIES * (ENTRY_SIZE + WK_SEALED_NAME))

_Static_assert(WK_SEALED_ENTRIES <= UINT16_MAX, "`order` has 16 bits");

static const uint8_t magic[4] = { 'W', 'K', 'S', '1' };

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
	return at + 4;
}

static uint8_t *put_head(uint8_t *at, size_t size, uint32_t count, uint32_t removed_count, uint32_t next)
{
	memcpy(at, magic, sizeof magic);
	at = put32(at + sizeof magic, (uint32_t)size);
	at = put32(at, count);
	at = put32(at, removed_count);
	return put32(at, next);
}

/* ---- finding ---- */

static int compare(uint32_t parent, const char *name, size_t size, const struct wk_sealed_entry *entry)
{
	int order;

	if (parent != entry->parent)
		return parent < entry->parent ? -1 : 1;
	order = memcmp(name, entry->name, size < entry->name_size ? size : entry->name_size);
	if (order != 0 || size == entry->name_size)
		return order;
	return size < entry->name_size ? -1 : 1;
}

bool wk_sealed_find_name(const struct wk_sealed_index *index, uint32_t parent, const char *name, size_t name_size,
	uint32_t *at)
{
	uint32_t low = 0, high = index->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare(parent, name, name_size, &index->entries[middle]);

		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*at = low;
	return false;
}

uint32_t wk_sealed_find_number(const struct wk_sealed_index *index, uint32_t number)
{
	uint32_t low = 0, high = index->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint32_t found = index->entries[index->order[middle]].number;

		if (found == number)
			return index->order[middle];
		if (number < found)
			high = middle;
		else
			low = middle + 1;
	}
	return WK_SEALED_NOBODY;
}

bool wk_sealed_is_empty(const struct wk_sealed_index *index, uint32_t folder)
{
	uint32_t at = 0;

	wk_sealed_find_name(index, folder, "", 0, &at); /* before all names */
	return at == index->count || index->entries[at].parent != folder;
}

/* ---- checking what was read ---- */

static bool is_name(const char *name, size_t size)
{
	if (size == 0 || (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))))
		return false;
	for (size_t i = 0; i < size; i++)
		if (name[i] == '/' || name[i] == 0)
			return false;
	return wk_utf8_valid(wk_span(name, size));
}

static bool is_given_out(const struct wk_sealed_index *index, uint32_t number)
{
	return number >= WK_SEALED_FIRST && number < index->next;
}

/* Takes the entries one by one. *at is where they begin, and then where they end. */
static bool take_entries(struct wk_sealed_index *index, size_t *at)
{
	for (uint32_t i = 0; i < index->count; i++) {
		struct wk_sealed_entry *entry = &index->entries[i];
		const uint8_t *from = index->bytes + *at;

		if (index->size - *at < ENTRY_SIZE || index->size - *at - ENTRY_SIZE < from[9])
			return false;
		*entry = (struct wk_sealed_entry){
			.name = (const char *)from + ENTRY_SIZE,
			.number = get32(from),
			.parent = get32(from + 4),
			.type = from[8],
			.name_size = from[9],
		};
		if (!is_given_out(index, entry->number) || !is_name(entry->name, entry->name_size) ||
		    (entry->type != WK_WASI_DIRECTORY && entry->type != WK_WASI_REGULAR_FILE))
			return false;
		if (i > 0 && compare(entry->parent, entry->name, entry->name_size, entry - 1) <= 0)
			return false;
		*at += ENTRY_SIZE + entry->name_size;
	}
	return true;
}

/* Puts order[root] where it belongs among its children, so that the first of `count` is the largest again. */
static void sift(struct wk_sealed_index *index, uint32_t root, uint32_t count)
{
	uint16_t *order = index->order, moved = order[root];

	for (uint32_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
		if (child + 1 < count &&
		    index->entries[order[child]].number < index->entries[order[child + 1]].number)
			child++;
		if (index->entries[order[child]].number <= index->entries[moved].number)
			break;
		order[root] = order[child];
		root = child;
	}
	order[root] = moved;
}

/* Heapsort: no worst case for anybody to choose. False when a number comes twice. */
static bool sort_by_number(struct wk_sealed_index *index)
{
	uint16_t *order = index->order;

	for (uint32_t i = 0; i < index->count; i++)
		order[i] = (uint16_t)i;
	for (uint32_t i = index->count / 2; i-- > 0;)
		sift(index, i, index->count);
	for (uint32_t i = index->count; i-- > 1;) {
		uint16_t largest = order[0];

		order[0] = order[i];
		order[i] = largest;
		sift(index, 0, i);
	}
	for (uint32_t i = 1; i < index->count; i++)
		if (index->entries[order[i - 1]].number == index->entries[order[i]].number)
			return false;
	return true;
}

static bool take_removed(struct wk_sealed_index *index, size_t at)
{
	for (uint32_t i = 0; i < index->removed_count; i++, at += 4) {
		uint32_t number = get32(index->bytes + at);

		if (!is_given_out(index, number) || (i > 0 && number <= index->removed[i - 1]) ||
		    wk_sealed_find_number(index, number) != WK_SEALED_NOBODY)
			return false;
		index->removed[i] = number;
	}
	return true;
}

enum { NEW, ON_THE_WAY, BELOW_ROOT };

/* Goes up from an entry to the root, or to where it is known that the root is reached. False: the way ends elsewhere,
 * or comes to an entry again. Each entry is passed twice at most. */
static bool reaches_root(struct wk_sealed_index *index, uint32_t start)
{
	struct wk_sealed_entry *entry = &index->entries[start];
	uint32_t at = 0;

	while (entry->state == NEW) {
		entry->state = ON_THE_WAY;
		if (entry->parent == WK_SEALED_ROOT)
			break;
		at = wk_sealed_find_number(index, entry->parent);
		if (at == WK_SEALED_NOBODY || index->entries[at].type != WK_WASI_DIRECTORY)
			return false;
		entry = &index->entries[at];
		if (entry->state == ON_THE_WAY)
			return false;
	}
	for (entry = &index->entries[start]; entry->state == ON_THE_WAY; entry = &index->entries[at]) {
		entry->state = BELOW_ROOT;
		if (entry->parent == WK_SEALED_ROOT)
			break;
		at = wk_sealed_find_number(index, entry->parent);
	}
	return true;
}

static bool is_tree(struct wk_sealed_index *index)
{
	for (uint32_t i = 0; i < index->count; i++)
		if (!reaches_root(index, i))
			return false;
	return true;
}

/* ---- opening and reading ---- */

enum wk_wasi_errno wk_sealed_lock(struct wk_sealed *sealed, bool create, intptr_t *handle)
{
	const struct wk_vault *vault = sealed->vault;
	uint8_t empty[HEAD_SIZE];

	put_head(empty, sizeof empty, 0, 0, WK_SEALED_FIRST);
	for (uint32_t tries = vault->tries;; tries--) {
		enum wk_wasi_errno error = wk_sealed_open_object(sealed, WK_SEALED_INDEX, true, handle);

		if (error == WK_WASI_NOENT)
			error = create ? wk_sealed_create_object(sealed, WK_SEALED_INDEX, empty, sizeof empty, false, handle) :
				WK_WASI_IO;
		if (error != WK_WASI_BUSY || tries == 0)
			return error;
		vault->wait(vault->context);
	}
}

void wk_sealed_unlock(struct wk_sealed *sealed, intptr_t handle)
{
	sealed->vault->close(sealed->vault->context, handle);
}

static enum wk_wasi_errno read_bytes(struct wk_sealed_index *index)
{
	const struct wk_vault *vault = index->sealed->vault;
	uint64_t size = 0;
	size_t done = 0;
	enum wk_wasi_errno error = vault->size(vault->context, index->handle, &size);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (size < HEAD_SIZE || size > INDEX_MAX)
		return WK_WASI_IO;
	index->bytes = wk_alloc(index->sealed->budget, (size_t)size);
	if (!index->bytes)
		return WK_WASI_NOMEM;
	index->size = (size_t)size;
	error = vault->read(vault->context, index->handle, 0, index->bytes, index->size, &done);
	return error == WK_WASI_SUCCESS && done != index->size ? WK_WASI_IO : error;
}

static enum wk_wasi_errno make_tables(struct wk_sealed_index *index)
{
	size_t entries = (index->count + 1) * sizeof *index->entries;
	size_t removed = (index->removed_count + 1) * sizeof *index->removed;
	size_t size = entries + removed + index->count * sizeof *index->order;
	uint8_t *block = wk_alloc(index->sealed->budget, size);

	if (!block)
		return WK_WASI_NOMEM;
	index->table_size = size;
	index->entries = (struct wk_sealed_entry *)(void *)block;
	index->removed = (uint32_t *)(void *)(block + entries);
	index->order = (uint16_t *)(void *)(block + entries + removed);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno take_bytes(struct wk_sealed_index *index)
{
	const uint8_t *head = index->bytes;
	uint32_t used = get32(head + 4);
	size_t at = HEAD_SIZE;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	index->count = get32(head + 8);
	index->removed_count = get32(head + 12);
	index->next = get32(head + 16);
	if (memcmp(head, magic, sizeof magic) != 0 || used < HEAD_SIZE || used > index->size ||
	    index->count > WK_SEALED_ENTRIES || index->removed_count > WK_SEALED_ENTRIES - index->count ||
	    index->next < WK_SEALED_FIRST)
		return WK_WASI_IO;
	error = make_tables(index);
	if (error != WK_WASI_SUCCESS)
		return error;
	if (!take_entries(index, &at) || used < at || used - at != index->removed_count * 4 ||
	    !sort_by_number(index) || !take_removed(index, at) || !is_tree(index))
		return WK_WASI_IO;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_sealed_begin(struct wk_sealed *sealed, bool create, struct wk_sealed_index *index)
{
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	*index = (struct wk_sealed_index){ .sealed = sealed };
	error = wk_sealed_lock(sealed, create, &index->handle);
	if (error != WK_WASI_SUCCESS)
		return error;
	error = read_bytes(index);
	if (error == WK_WASI_SUCCESS)
		error = take_bytes(index);
	if (error != WK_WASI_SUCCESS)
		wk_sealed_end(index);
	return error;
}

void wk_sealed_end(struct wk_sealed_index *index)
{
	struct wk_budget *budget = index->sealed->budget;

	wk_free(budget, index->image, index->image_size);
	wk_free(budget, index->entries, index->table_size);
	wk_free(budget, index->bytes, index->size);
	wk_sealed_unlock(index->sealed, index->handle);
}

/* ---- changing ---- */

void wk_sealed_sweep(struct wk_sealed_index *index)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < index->removed_count; i++)
		if (!wk_sealed_discard(index->sealed, index->removed[i]))
			index->removed[kept++] = index->removed[i];
	index->removed_count = kept;
}

enum wk_wasi_errno wk_sealed_new_number(struct wk_sealed_index *index, uint32_t *number)
{
	if (index->count + index->removed_count >= WK_SEALED_ENTRIES || index->next == WK_SEALED_NOBODY)
		return WK_WASI_NOSPC;
	*number = index->next++;
	return WK_WASI_SUCCESS;
}

void wk_sealed_insert(struct wk_sealed_index *index, uint32_t at, const struct wk_sealed_entry *entry)
{
	memmove(&index->entries[at + 1], &index->entries[at], (index->count - at) * sizeof *entry);
	index->entries[at] = *entry;
	index->count++;
}

void wk_sealed_erase(struct wk_sealed_index *index, uint32_t at)
{
	index->count--;
	memmove(&index->entries[at], &index->entries[at + 1], (index->count - at) * sizeof *index->entries);
}

void wk_sealed_note_removed(struct wk_sealed_index *index, uint32_t number)
{
	uint32_t at = index->removed_count++;

	for (; at > 0 && index->removed[at - 1] > number; at--)
		index->removed[at] = index->removed[at - 1];
	index->removed[at] = number;
}

enum wk_wasi_errno wk_sealed_prepare(struct wk_sealed_index *index)
{
	size_t size = HEAD_SIZE + index->removed_count * 4;
	uint8_t *at = NULL;

	for (uint32_t i = 0; i < index->count; i++)
		size += ENTRY_SIZE + index->entries[i].name_size;
	index->image = wk_alloc(index->sealed->budget, size);
	if (!index->image)
		return WK_WASI_NOMEM;
	index->image_size = size;
	at = put_head(index->image, size, index->count, index->removed_count, index->next);
	for (uint32_t i = 0; i < index->count; i++) {
		const struct wk_sealed_entry *entry = &index->entries[i];

		at = put32(at, entry->number);
		at = put32(at, entry->parent);
		*at++ = entry->type;
		*at++ = entry->name_size;
		memcpy(at, entry->name, entry->name_size);
		at += entry->name_size;
	}
	for (uint32_t i = 0; i < index->removed_count; i++)
		at = put32(at, index->removed[i]);
	return WK_WASI_SUCCESS;
}

/* After an error the index in the storage is the old one or the new one. Both are right: nothing that the old one names
 * is removed before this, and whatever the new one names is there already. */
enum wk_wasi_errno wk_sealed_commit(struct wk_sealed_index *index)
{
	const struct wk_vault *vault = index->sealed->vault;

	return vault->write(vault->context, index->handle, 0, index->image, index->image_size);
}
