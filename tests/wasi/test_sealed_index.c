/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed folders whose content is damaged: the storage gives back an index, or objects, that nobody has written. What
 * must hold: IO, for every operation on names, and no change; or the index is right after all, and stays right.
 */
#include "wasi/sealed_side.h"

static struct memory_vault vault;

/* ---- indexes, byte by byte ---- */

struct bytes {
	uint8_t data[1 << 16];
	size_t size;
};

static struct bytes index_bytes;

static void put32_at(size_t at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		index_bytes.data[at + i] = (uint8_t)(value >> 8 * i);
}

static void add32(uint32_t value)
{
	put32_at(index_bytes.size, value);
	index_bytes.size += 4;
}

static void head(uint32_t count, uint32_t removed, uint32_t next)
{
	memcpy(index_bytes.data, "WKS1", 4);
	index_bytes.size = 8;
	add32(count);
	add32(removed);
	add32(next);
}

enum { D = WK_WASI_DIRECTORY, F = WK_WASI_REGULAR_FILE };

static void entry_of(uint32_t number, uint32_t parent, uint8_t type, const char *name, size_t size)
{
	add32(number);
	add32(parent);
	index_bytes.data[index_bytes.size++] = type;
	index_bytes.data[index_bytes.size++] = (uint8_t)size;
	memcpy(index_bytes.data + index_bytes.size, name, size);
	index_bytes.size += size;
}

static void entry(uint32_t number, uint32_t parent, uint8_t type, const char *name)
{
	entry_of(number, parent, type, name, strlen(name));
}

/* Says the size in the head, and puts the index where a volume's is, with objects for files 2 to 9. */
static void store(bool with_size)
{
	uint8_t id[SIDE_ID_SIZE];

	if (with_size)
		put32_at(4, (uint32_t)index_bytes.size);
	for (uint32_t number = 0; number < 10; number++) {
		side_id(number, id);
		if (number == 0)
			memory_vault_put(&vault, id, sizeof id, index_bytes.data, index_bytes.size);
		else if (number > 1)
			memory_vault_put(&vault, id, sizeof id, "content", 7);
	}
}

/* ---- trying them ---- */

static bool ignore(void *sink, const struct wk_wasi_directory_entry *entry)
{
	(void)sink, (void)entry;
	return true;
}

/* Everything that reads the index, on a volume that was opened when it was good. */
static bool is_refused(struct side *side)
{
	const struct wk_wasi_system *s = side->system;
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;
	uint8_t buffer[4];
	size_t used = 0;
	bool all = true;

	all &= CHECK_EQUAL(side_open(side, "a", "r", &object), WK_WASI_IO);
	all &= CHECK_EQUAL(side_open(side, "x", "wc", &object), WK_WASI_IO);
	all &= CHECK_EQUAL(side_stat(side, "a", &stat), WK_WASI_IO);
	all &= CHECK_EQUAL(side_make(side, "x"), WK_WASI_IO);
	all &= CHECK_EQUAL(side_remove(side, "a"), WK_WASI_IO);
	all &= CHECK_EQUAL(side_unlink(side, "a"), WK_WASI_IO);
	all &= CHECK_EQUAL(side_rename(side, "a", "b"), WK_WASI_IO);
	all &= CHECK_EQUAL(s->readlink(s->context, &side->root, "a", buffer, 4, &used), WK_WASI_IO);
	all &= CHECK_EQUAL(s->read_directory(s->context, &side->root, 0, ignore, NULL), WK_WASI_IO);
	return all;
}

static struct memory_object *the_index(void)
{
	uint8_t id[SIDE_ID_SIZE];

	side_id(0, id);
	return memory_vault_find(&vault, id, sizeof id);
}

static void begin(struct side *side)
{
	memory_vault_init(&vault);
	memset(side, 0, sizeof *side);
	if (side_start(side, &vault) != WK_WASI_SUCCESS)
		abort();
}

static void end(struct side *side)
{
	CHECK(side_end(side));
	CHECK_EQUAL(memory_vault_open(&vault), 0);
	memory_vault_end(&vault);
}

static void bad(const char *what)
{
	struct side side, second = { 0 };
	bool good = true;

	begin(&side);
	store(true);
	good &= is_refused(&side);
	good &= CHECK_EQUAL(side_start(&second, &vault), WK_WASI_IO);
	good &= CHECK(side_end(&second));
	good &= CHECK(the_index()->size == index_bytes.size &&
		memcmp(the_index()->data, index_bytes.data, index_bytes.size) == 0);
	if (!good)
		printf("# %s\n", what);
	end(&side);
}

/* A small index that is right: the others differ from it in one thing. */
static void good_index(void)
{
	head(5, 2, 10);
	entry(4, 1, F, "a");
	entry(2, 1, D, "d");
	entry(6, 2, F, "a");
	entry(3, 2, D, "e");
	entry(5, 3, F, "f");
	add32(7);
	add32(9);
}

TEST(an_index_that_is_right)
{
	struct side side;
	struct wk_wasi_stat stat;

	begin(&side);
	good_index();
	store(true);
	CHECK_EQUAL(side_stat(&side, "d/e/f", &stat), WK_WASI_SUCCESS);
	CHECK(stat.inode == 5 && stat.size == 7);
	/* What it says was removed is removed with the next change. */
	CHECK_EQUAL(memory_vault_objects(&vault), 9);
	CHECK_EQUAL(side_make(&side, "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 7);
	CHECK_EQUAL(side_stat(&side, "x", &stat), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat.inode, 10);
	/* Bytes that a longer index left do no harm. */
	good_index();
	put32_at(4, (uint32_t)index_bytes.size);
	memset(index_bytes.data + index_bytes.size, 0xff, 100);
	index_bytes.size += 100;
	store(false);
	CHECK_EQUAL(side_stat(&side, "d/e/f", &stat), WK_WASI_SUCCESS);
	end(&side);
}

TEST(heads)
{
	struct side side;

	good_index();
	index_bytes.data[3] = '2';
	bad("another version");
	good_index();
	put32_at(8, 6);
	bad("an entry too many");
	good_index();
	put32_at(8, 4);
	bad("an entry too few");
	good_index();
	put32_at(8, WK_SEALED_ENTRIES + 1);
	bad("more entries than allowed");
	good_index();
	put32_at(8, UINT32_MAX);
	bad("very many entries");
	good_index();
	put32_at(12, 3);
	bad("a removed file too many");
	good_index();
	put32_at(12, 1);
	bad("a removed file too few");
	good_index();
	put32_at(12, WK_SEALED_ENTRIES - 4);
	bad("more removed files than allowed");
	good_index();
	put32_at(12, UINT32_MAX - 4);
	bad("very many removed files");
	good_index();
	put32_at(16, 9);
	bad("a number that is not given out");
	good_index();
	put32_at(16, 5);
	bad("numbers that are not given out");
	head(0, 0, 1);
	bad("the root's number is the next one");
	head(0, 0, 0);
	bad("the index's number is the next one");
	for (uint32_t size = 0; size < 200; size++) {
		good_index();
		if (size == index_bytes.size)
			continue;
		put32_at(4, size);
		begin(&side);
		store(false);
		CHECK(is_refused(&side));
		end(&side);
	}
	for (size_t size = 0; ; size++) {
		good_index();
		if (size == index_bytes.size)
			break;
		put32_at(4, (uint32_t)index_bytes.size);
		index_bytes.size = size;
		begin(&side);
		store(false);
		CHECK(is_refused(&side));
		end(&side);
		put32_at(4, (uint32_t)size);
		begin(&side);
		store(false);
		CHECK(is_refused(&side));
		end(&side);
	}
}

static void bad_name(const char *name, size_t size, const char *what)
{
	head(1, 0, 10);
	entry_of(2, 1, F, name, size);
	bad(what);
}

TEST(names)
{
	bad_name("", 0, "no name");
	bad_name(".", 1, "the folder itself");
	bad_name("..", 2, "the folder above");
	bad_name("a/b", 3, "a slash");
	bad_name("/", 1, "a slash alone");
	bad_name("a\0b", 3, "a NUL");
	bad_name("\0", 1, "a NUL alone");
	bad_name("\xff", 1, "no UTF-8");
	bad_name("ab\xc3", 3, "UTF-8 cut off");
	bad_name("\xc0\xaf", 2, "a slash in too many bytes");
	head(2, 0, 10);
	entry(2, 1, F, "b");
	entry(3, 1, F, "a");
	bad("names not ascending");
	head(2, 0, 10);
	entry(2, 1, F, "a");
	entry(3, 1, F, "a");
	bad("a name twice");
	head(2, 0, 10);
	entry(2, 1, F, "ab");
	entry(3, 1, F, "a");
	bad("a longer name before a shorter");
	head(3, 0, 10);
	entry(2, 1, D, "a");
	entry(3, 2, F, "a");
	entry(4, 1, F, "b");
	bad("parents not ascending");
}

TEST(types_and_numbers)
{
	for (unsigned type = 0; type < 256; type++) {
		if (type == D || type == F)
			continue;
		head(1, 0, 10);
		entry(2, 1, (uint8_t)type, "a");
		bad("another type");
	}
	for (uint32_t number = 0; number < 2; number++) {
		head(1, 0, 10);
		entry(number, 1, F, "a");
		bad("the number of the index or the root");
		head(0, 1, 10);
		add32(number);
		bad("the index or the root was removed");
	}
	head(1, 0, 10);
	entry(10, 1, F, "a");
	bad("the next number");
	head(1, 0, 10);
	entry(UINT32_MAX, 1, F, "a");
	bad("the largest number");
	head(2, 0, 10);
	entry(2, 1, F, "a");
	entry(2, 1, F, "b");
	bad("a number twice");
	head(3, 0, 10);
	entry(2, 1, F, "a");
	entry(3, 1, D, "b");
	entry(2, 3, F, "c");
	bad("a number twice, apart");
	head(1, 1, 10);
	entry(2, 1, F, "a");
	add32(2);
	bad("a file that is there was removed");
	head(0, 2, 10);
	add32(3);
	add32(3);
	bad("removed twice");
	head(0, 2, 10);
	add32(4);
	add32(3);
	bad("removed, not ascending");
	head(0, 1, 10);
	add32(10);
	bad("the next one was removed");
}

TEST(parents)
{
	head(1, 0, 10);
	entry(2, 3, F, "a");
	bad("no such parent");
	head(1, 0, 10);
	entry(2, 0, F, "a");
	bad("in the index");
	head(1, 0, 10);
	entry(2, UINT32_MAX, F, "a");
	bad("in nothing");
	head(2, 0, 10);
	entry(2, 1, F, "a");
	entry(3, 2, F, "b");
	bad("in a file");
	head(1, 0, 10);
	entry(2, 2, D, "a");
	bad("in itself");
	head(2, 0, 10);
	entry(3, 2, D, "a");
	entry(2, 3, D, "a");
	bad("in each other");
	head(4, 0, 10);
	entry(2, 1, D, "good");
	entry(5, 3, D, "a");
	entry(3, 4, D, "b");
	entry(4, 5, D, "c");
	bad("three in a circle");
	head(4, 0, 10);
	entry(5, 2, F, "a");
	entry(4, 3, D, "b");
	entry(2, 4, D, "c");
	entry(3, 4, D, "d");
	bad("a way into a circle");
}

/* As many entries as there may be, each in the one before; and the same with the first in the last. */
TEST(the_longest_way)
{
	struct side side;
	struct wk_wasi_stat stat;

	for (unsigned circle = 0; circle < 2; circle++) {
		head(WK_SEALED_ENTRIES, 0, WK_SEALED_ENTRIES + 2);
		for (uint32_t n = 2; n < WK_SEALED_ENTRIES + 2; n++) {
			uint32_t number = n, parent = n - 1;

			if (circle) {
				number = n == WK_SEALED_ENTRIES + 1 ? 2 : n + 1;
				parent = n;
			}
			entry(number, parent, D, "n");
		}
		if (circle) {
			bad("all in a circle");
			continue;
		}
		begin(&side);
		store(true);
		CHECK_EQUAL(side_stat(&side, "n/n/n/n/../n", &stat), WK_WASI_SUCCESS);
		CHECK_EQUAL(stat.inode, 5);
		CHECK_EQUAL(side_make(&side, "x"), WK_WASI_NOSPC);
		end(&side);
	}
}

TEST(the_last_number)
{
	struct side side;
	struct wk_wasi_object object;

	head(1, 0, UINT32_MAX - 1);
	entry(2, 1, F, "a");
	begin(&side);
	store(true);
	CHECK_EQUAL(side_put(&side, "last", "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&side, "more", "x"), WK_WASI_NOSPC);
	CHECK_EQUAL(side_make(&side, "more"), WK_WASI_NOSPC);
	CHECK_EQUAL(side_unlink(&side, "a"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&side, "more", "x"), WK_WASI_NOSPC);
	CHECK_EQUAL(side_open(&side, "last", "r", &object), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_close(&side, &object), WK_WASI_SUCCESS);
	end(&side);
}

/* ---- objects ---- */

TEST(a_file_without_its_object)
{
	struct side side;
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;

	head(2, 1, 100);
	entry(20, 1, F, "lost");
	entry(3, 1, F, "there");
	add32(21);
	begin(&side);
	store(true);
	CHECK_EQUAL(side_open(&side, "lost", "r", &object), WK_WASI_IO);
	CHECK_EQUAL(side_open(&side, "lost", "w", &object), WK_WASI_IO);
	CHECK_EQUAL(side_stat(&side, "lost", &stat), WK_WASI_IO);
	CHECK_EQUAL(side_rename(&side, "lost", "moved"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_open(&side, "moved", "wct", &object), WK_WASI_SUCCESS); /* which makes it anew */
	CHECK_EQUAL(side_close(&side, &object), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_unlink(&side, "moved"), WK_WASI_SUCCESS);
	end(&side);
}

/* The storage forgets the index while the volume is open: nothing is made in its place. */
TEST(the_index_is_lost)
{
	struct side side, second = { 0 };

	begin(&side);
	CHECK_EQUAL(side_make(&side, "a"), WK_WASI_SUCCESS);
	CHECK_EQUAL(vault.vault.open(&vault, the_index()->id, SIDE_ID_SIZE, true, &(intptr_t){ 0 }), WK_WASI_SUCCESS);
	CHECK_EQUAL(vault.vault.remove(&vault, 0), WK_WASI_SUCCESS);
	CHECK(is_refused(&side));
	CHECK(!the_index());
	CHECK_EQUAL(side_start(&second, &vault), WK_WASI_SUCCESS);
	CHECK(side_end(&second));
	CHECK_EQUAL(side_make(&side, "a"), WK_WASI_SUCCESS);
	end(&side);
}

/* A size that cannot be, and reads that end too early. */
static enum wk_wasi_errno (*real_size)(void *context, intptr_t handle, uint64_t *size);
static uint64_t told;

static enum wk_wasi_errno tell_size(void *context, intptr_t handle, uint64_t *size)
{
	enum wk_wasi_errno error = real_size(context, handle, size);

	if (error == WK_WASI_SUCCESS && told != 0)
		*size = told;
	return error;
}

TEST(sizes_that_cannot_be)
{
	struct side side;
	struct wk_wasi_object object;

	begin(&side);
	CHECK_EQUAL(side_put(&side, "a", "text"), WK_WASI_SUCCESS);
	real_size = vault.vault.size;
	vault.vault.size = tell_size;
	for (unsigned i = 0; i < 4; i++) {
		told = (const uint64_t[]){ 21, 1u << 20, (uint64_t)INT64_MAX + 1, UINT64_MAX }[i];
		if (i == 0)
			told = the_index()->size + 1; /* more than can be read */
		CHECK(is_refused(&side));
	}
	told = 0;
	CHECK_EQUAL(side_open(&side, "a", "r", &object), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_close(&side, &object), WK_WASI_SUCCESS);
	end(&side);
}

/* ---- every byte ---- */

/* An operation of each kind, whatever comes of it; then what was accepted must be acceptable still. */
static void use(struct side *side)
{
	static const char *const names[] = { "a", "d", "d/a", "d/e", "d/e/f", "x", "d/x" };
	struct wk_wasi_stat stat;
	struct wk_wasi_object object;
	char text[32];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)side_stat(side, names[i], &stat);
		(void)side_get(side, names[i], text, sizeof text);
		(void)side_rename(side, names[i], "y");
		(void)side_put(side, names[i], "text");
		(void)side_make(side, names[i]);
		(void)side_remove(side, names[i]);
		if (side_open(side, names[i], "rw", &object) == WK_WASI_SUCCESS) {
			(void)side_unlink(side, names[i]);
			(void)side_close(side, &object);
		}
	}
}

TEST(each_byte_is_changed)
{
	unsigned accepted = 0;

	good_index();
	for (size_t at = 0; at < index_bytes.size; at++) {
		for (unsigned value = 0; value < 256; value += at < 20 || value < 16 || value > 250 ? 1 : 9) {
			struct side side, again = { 0 };

			good_index();
			put32_at(4, (uint32_t)index_bytes.size);
			index_bytes.data[at] = (uint8_t)value;
			begin(&side);
			store(false);
			if (side_make(&side, "first") != WK_WASI_IO) {
				accepted++;
				use(&side);
				CHECK_EQUAL(side_start(&again, &vault), WK_WASI_SUCCESS);
				CHECK(side_end(&again));
			}
			end(&side);
		}
	}
	CHECK(accepted > 500);
}

int main(void)
{
	RUN(an_index_that_is_right);
	RUN(heads);
	RUN(names);
	RUN(types_and_numbers);
	RUN(parents);
	RUN(the_longest_way);
	RUN(the_last_number);
	RUN(a_file_without_its_object);
	RUN(the_index_is_lost);
	RUN(sizes_that_cannot_be);
	RUN(each_byte_is_changed);
	return test_end();
}
