/* SPDX-License-Identifier: Apache-2.0
 * See sealed_side.h. */
#include "wasi/sealed_side.h"

void side_id(uint32_t number, uint8_t id[SIDE_ID_SIZE])
{
	for (unsigned i = 0; i < WK_SEALED_VOLUME; i++)
		id[i] = (uint8_t)(i + 1);
	for (unsigned i = 0; i < 4; i++)
		id[WK_SEALED_VOLUME + i] = (uint8_t)(number >> 8 * i);
}

enum wk_wasi_errno side_start(struct side *side, struct memory_vault *vault)
{
	uint8_t id[SIDE_ID_SIZE];

	side_id(0, id);
	side->heap = (struct test_heap){ .fail_at = side->heap.fail_at, .keep_failing = side->heap.keep_failing };
	side->allocator = test_heap_allocator(&side->heap);
	side->vault = vault;
	side->sealed = NULL;
	wk_budget_init(&side->budget, NULL, "sealed", WK_UNLIMITED, &side->allocator);
	if (wk_sealed_new(&side->budget, &vault->vault, id, NULL, &side->sealed) != WK_OK)
		return WK_WASI_NOMEM;
	side->system = wk_sealed_system(side->sealed);
	return side->system->open_root(side->system->context, "sealed", &side->root);
}

bool side_end(struct side *side)
{
	wk_sealed_delete(side->sealed);
	side->sealed = NULL;
	if (side->heap.blocks != 0 || side->budget.used != 0)
		return false;
	wk_budget_end(&side->budget);
	return true;
}

enum wk_wasi_errno side_open(struct side *side, const char *path, const char *letters, struct wk_wasi_object *object)
{
	struct wk_wasi_open how = {
		.create = strchr(letters, 'c'), .exclusive = strchr(letters, 'x'), .truncate = strchr(letters, 't'),
		.directory = strchr(letters, 'd'), .follow = true,
		.access = (strchr(letters, 'r') ? WK_WASI_READABLE : 0) | (strchr(letters, 'w') ? WK_WASI_WRITABLE : 0),
	};

	return side->system->open(side->system->context, &side->root, path, &how, object);
}

enum wk_wasi_errno side_close(struct side *side, struct wk_wasi_object *object)
{
	return side->system->close(side->system->context, object);
}

enum wk_wasi_errno side_write_at(struct side *side, struct wk_wasi_object *object, uint64_t offset, const char *text)
{
	struct wk_wasi_piece piece = { (uint8_t *)(uintptr_t)text, strlen(text) };
	uint64_t done = 0;
	enum wk_wasi_errno error = side->system->write(side->system->context, object, &piece, 1, offset, 0, &done);

	return error == WK_WASI_SUCCESS && done != piece.size ? WK_WASI_MSGSIZE : error;
}

enum wk_wasi_errno side_write(struct side *side, struct wk_wasi_object *object, const char *text)
{
	return side_write_at(side, object, WK_WASI_HERE, text);
}

enum wk_wasi_errno side_read_at(struct side *side, struct wk_wasi_object *object, uint64_t offset, char *text,
	size_t size)
{
	struct wk_wasi_piece piece = { (uint8_t *)text, size - 1 };
	uint64_t done = 0;
	enum wk_wasi_errno error = side->system->read(side->system->context, object, &piece, 1, offset, 0, &done);

	text[error == WK_WASI_SUCCESS ? done : 0] = 0;
	return error;
}

enum wk_wasi_errno side_read(struct side *side, struct wk_wasi_object *object, char *text, size_t size)
{
	return side_read_at(side, object, WK_WASI_HERE, text, size);
}

enum wk_wasi_errno side_put(struct side *side, const char *path, const char *text)
{
	struct wk_wasi_object object;
	enum wk_wasi_errno error = side_open(side, path, "wct", &object);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (*text)
		error = side_write(side, &object, text);
	side_close(side, &object);
	return error;
}

enum wk_wasi_errno side_get(struct side *side, const char *path, char *text, size_t size)
{
	struct wk_wasi_object object;
	enum wk_wasi_errno error = side_open(side, path, "r", &object);

	text[0] = 0;
	if (error != WK_WASI_SUCCESS)
		return error;
	error = object.type == WK_WASI_DIRECTORY ? WK_WASI_ISDIR : side_read(side, &object, text, size);
	side_close(side, &object);
	return error;
}

enum wk_wasi_errno side_make(struct side *side, const char *path)
{
	return side->system->make_directory(side->system->context, &side->root, path);
}

enum wk_wasi_errno side_remove(struct side *side, const char *path)
{
	return side->system->remove_directory(side->system->context, &side->root, path);
}

enum wk_wasi_errno side_unlink(struct side *side, const char *path)
{
	return side->system->unlink(side->system->context, &side->root, path);
}

enum wk_wasi_errno side_rename(struct side *side, const char *from, const char *to)
{
	return side->system->rename(side->system->context, &side->root, from, &side->root, to);
}

enum wk_wasi_errno side_stat(struct side *side, const char *path, struct wk_wasi_stat *stat)
{
	return side->system->path_stat(side->system->context, &side->root, path, true, stat);
}

/* ---- the whole volume ---- */

#define PATH_MAX_HERE 2048

struct names {
	struct { char name[256]; uint8_t type; } *list;
	unsigned count;
};

struct dump {
	struct side side;
	char *text;
	size_t size, used;
	unsigned files;
	bool wrong;
};

static bool note_name(void *sink, const struct wk_wasi_directory_entry *entry)
{
	struct names *names = sink;

	if (entry->name[0] == '.' && (entry->name_size == 1 || (entry->name_size == 2 && entry->name[1] == '.')))
		return true;
	if ((names->count & (names->count - 1)) == 0)
		names->list = realloc(names->list, (names->count ? 2 * names->count : 1) * sizeof *names->list);
	if (!names->list || entry->name_size > 255)
		abort();
	memcpy(names->list[names->count].name, entry->name, entry->name_size);
	names->list[names->count].name[entry->name_size] = 0;
	names->list[names->count++].type = entry->type;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void tell(struct dump *dump, const char *path, const char *what, uint64_t size, uint64_t hash)
{
	int used = snprintf(dump->text + dump->used, dump->size - dump->used, "%s %s %llu %llx\n", what, path,
		(unsigned long long)size, (unsigned long long)hash);

	if (used < 0 || (size_t)used >= dump->size - dump->used)
		abort();
	dump->used += (size_t)used;
}

static void complain(struct dump *dump, const char *path, const char *what, int error)
{
	printf("# the volume is wrong: %s: %s (errno %d)\n", path, what, error);
	dump->wrong = true;
}

static void dump_file(struct dump *dump, const char *path)
{
	const struct wk_wasi_system *system = dump->side.system;
	static uint8_t bytes[4096];
	struct wk_wasi_piece piece = { bytes, sizeof bytes };
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;
	uint64_t size = 0, hash = UINT64_C(0xcbf29ce484222325), done = 1;
	enum wk_wasi_errno error = side_open(&dump->side, path, "r", &object);

	dump->files++;
	if (error != WK_WASI_SUCCESS) {
		complain(dump, path, "cannot be opened", error);
		return;
	}
	while (error == WK_WASI_SUCCESS && done != 0) {
		error = system->read(system->context, &object, &piece, 1, WK_WASI_HERE, 0, &done);
		for (size_t i = 0; error == WK_WASI_SUCCESS && i < done; i++)
			hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
		size += done;
	}
	if (error != WK_WASI_SUCCESS || system->stat(system->context, &object, &stat) != WK_WASI_SUCCESS ||
	    stat.size != size)
		complain(dump, path, "cannot be read", error);
	side_close(&dump->side, &object);
	tell(dump, path, "f", size, hash);
}

static void dump_folder(struct dump *dump, const char *path)
{
	const struct wk_wasi_system *system = dump->side.system;
	struct names names = { 0 };
	struct wk_wasi_object object;
	char inner[PATH_MAX_HERE];
	enum wk_wasi_errno error = side_open(&dump->side, path, "r", &object);

	if (error == WK_WASI_SUCCESS)
		error = system->read_directory(system->context, &object, 0, note_name, &names);
	if (error != WK_WASI_SUCCESS)
		complain(dump, path, "cannot be listed", error);
	if (names.count > 1)
		qsort(names.list, names.count, sizeof *names.list, by_name);
	for (unsigned i = 0; i < names.count; i++) {
		if (snprintf(inner, sizeof inner, "%s/%s", path, names.list[i].name) >= (int)sizeof inner)
			abort();
		if (names.list[i].type == WK_WASI_DIRECTORY) {
			tell(dump, inner, "d", 0, 0);
			dump_folder(dump, inner);
		} else {
			dump_file(dump, inner);
		}
	}
	free(names.list);
}

const char *side_dump(struct memory_vault *vault, bool strict)
{
	static char texts[2][1 << 20];
	static unsigned turn;
	struct dump dump = { .text = texts[turn++ % 2], .size = sizeof texts[0] };
	enum wk_wasi_errno error = side_start(&dump.side, vault);

	dump.text[0] = 0;
	if (error == WK_WASI_SUCCESS)
		dump_folder(&dump, ".");
	else
		complain(&dump, "the root", "cannot be opened", error);
	if (!side_end(&dump.side))
		complain(&dump, "the root", "memory was lost", 0);
	if (strict && !dump.wrong && memory_vault_objects(vault) != dump.files + 1) {
		printf("# %u objects, %u files\n", memory_vault_objects(vault), dump.files);
		dump.wrong = true;
	}
	return dump.wrong ? NULL : dump.text;
}
