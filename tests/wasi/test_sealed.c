/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed folders: what each operation does, and its errno when it cannot; limits; two guests on one volume. Failures of
 * the storage are in test_sealed_faults.c, damaged content in test_sealed_index.c.
 */
#include "wasi/sealed_side.h"

static struct memory_vault vault;
static struct side a, b;

static bool begin(void)
{
	memory_vault_init(&vault);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	return side_start(&a, &vault) == WK_WASI_SUCCESS;
}

static void end(void)
{
	CHECK(side_end(&a));
	if (b.sealed)
		CHECK(side_end(&b));
	CHECK_EQUAL(memory_vault_open(&vault), 0);
	CHECK(side_dump(&vault, false) != NULL);
	memory_vault_end(&vault);
}

static struct wk_wasi_object open_as(struct side *side, const char *path, const char *letters)
{
	struct wk_wasi_object object = { 0 };

	CHECK_EQUAL(side_open(side, path, letters, &object), WK_WASI_SUCCESS);
	return object;
}

static int try_open(const char *path, const char *letters)
{
	struct wk_wasi_object object;
	enum wk_wasi_errno error = side_open(&a, path, letters, &object);

	if (error == WK_WASI_SUCCESS)
		side_close(&a, &object);
	return error;
}

static void close_file(struct side *side, struct wk_wasi_object *object)
{
	CHECK_EQUAL(side_close(side, object), WK_WASI_SUCCESS);
}

static const char *text_of(struct side *side, const char *path)
{
	static char texts[4][256];
	static unsigned turn;
	char *text = texts[turn++ % 4];
	enum wk_wasi_errno error = side_get(side, path, text, sizeof texts[0]);

	if (error != WK_WASI_SUCCESS)
		snprintf(text, sizeof texts[0], "errno %d", error);
	return text;
}

static uint64_t size_of(struct side *side, const char *path)
{
	struct wk_wasi_stat stat = { 0 };

	CHECK_EQUAL(side_stat(side, path, &stat), WK_WASI_SUCCESS);
	return stat.size;
}

static bool same(const struct wk_wasi_stat *one, const struct wk_wasi_stat *two)
{
	return one->device == two->device && one->inode == two->inode && one->links == two->links &&
		one->size == two->size && one->type == two->type && two->accessed == 0 && two->modified == 0 &&
		two->changed == 0;
}

/* ---- opening ---- */

TEST(opening)
{
	struct wk_wasi_object object;

	REQUIRE(begin());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "file", "0123456789"), WK_WASI_SUCCESS);
	CHECK_EQUAL(try_open("none", "r"), WK_WASI_NOENT);
	CHECK_EQUAL(try_open("none/x", "wc"), WK_WASI_NOENT);
	CHECK_EQUAL(try_open("file/x", "r"), WK_WASI_NOTDIR);
	CHECK_EQUAL(try_open("file/", "r"), WK_WASI_NOTDIR);
	CHECK_EQUAL(try_open("file/.", "r"), WK_WASI_NOTDIR);
	CHECK_EQUAL(try_open("file/..", "r"), WK_WASI_NOTDIR);
	CHECK_EQUAL(try_open("none/..", "r"), WK_WASI_NOENT);
	CHECK_EQUAL(try_open("file", "rd"), WK_WASI_NOTDIR);
	CHECK_EQUAL(try_open("file", "wcx"), WK_WASI_EXIST);
	CHECK_EQUAL(try_open("d", "wcx"), WK_WASI_EXIST);
	CHECK_EQUAL(try_open(".", "wcx"), WK_WASI_EXIST);
	CHECK_EQUAL(try_open(".", "w"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open(".", "rc"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open("d", "w"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open("d", "rt"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open("d", "rc"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open("new/", "wc"), WK_WASI_ISDIR);
	CHECK_EQUAL(try_open("d/", "r"), WK_WASI_SUCCESS);
	CHECK_EQUAL(try_open("d/../file", "r"), WK_WASI_SUCCESS);
	CHECK_EQUAL(try_open("d/.//..///./d/", "rd"), WK_WASI_SUCCESS);
	object = open_as(&a, "new", "wcx");
	CHECK_EQUAL(object.type, WK_WASI_REGULAR_FILE);
	CHECK(object.seekable && !object.waits && !(object.detail & WK_WASI_MOUNTED));
	CHECK_EQUAL(side_write(&a, &object, "abc"), WK_WASI_SUCCESS);
	close_file(&a, &object);
	CHECK_TEXT(text_of(&a, "new"), "abc");
	CHECK_EQUAL(try_open("new", "wt"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "new"), "");
	CHECK_EQUAL(try_open("file", "rc"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "file"), "0123456789");
	object = open_as(&a, "d", "rd");
	CHECK_EQUAL(object.type, WK_WASI_DIRECTORY);
	CHECK(!object.seekable && !(object.detail & WK_WASI_MOUNTED));
	close_file(&a, &object);
	end();
}

TEST(the_way_out)
{
	struct wk_wasi_object d, object;
	const struct wk_wasi_open read_it = { .access = WK_WASI_READABLE };
	static const char *const out[] = { "/", "/file", "..", "../", "../x", "../d/file", "sub/../..", "sub/../../d/file",
		"./..", ".//../x" };

	REQUIRE(begin());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d/sub"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/file", "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(try_open("/", "r"), WK_WASI_PERM);
	CHECK_EQUAL(try_open("..", "r"), WK_WASI_PERM);
	CHECK_EQUAL(try_open("d/../../d/file", "r"), WK_WASI_PERM);
	d = open_as(&a, "d", "r");
	for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
		void *context = a.system->context;
		struct wk_wasi_stat stat;
		uint8_t buffer[8];
		size_t used = 0;

		CHECK_EQUAL(a.system->open(context, &d, out[i], &read_it, &object), WK_WASI_PERM);
		CHECK_EQUAL(a.system->path_stat(context, &d, out[i], true, &stat), WK_WASI_PERM);
		CHECK_EQUAL(a.system->make_directory(context, &d, out[i]), WK_WASI_PERM);
		CHECK_EQUAL(a.system->remove_directory(context, &d, out[i]), WK_WASI_PERM);
		CHECK_EQUAL(a.system->unlink(context, &d, out[i]), WK_WASI_PERM);
		CHECK_EQUAL(a.system->rename(context, &d, out[i], &d, "x"), WK_WASI_PERM);
		CHECK_EQUAL(a.system->rename(context, &d, "file", &d, out[i]), WK_WASI_PERM);
		CHECK_EQUAL(a.system->readlink(context, &d, out[i], buffer, sizeof buffer, &used), WK_WASI_PERM);
	}
	CHECK_EQUAL(a.system->open(a.system->context, &d, "sub/../file", &read_it, &object), WK_WASI_SUCCESS);
	close_file(&a, &object);
	close_file(&a, &d);
	end();
}

TEST(names)
{
	char name[300] = "d/", path[WK_WASI_PATH_MAX + 1];

	REQUIRE(begin());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	memset(name + 2, 'n', 255);
	CHECK_EQUAL(side_put(&a, name, "long"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, name), "long");
	name[257] = 'n';
	CHECK_EQUAL(side_put(&a, name, ""), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(side_make(&a, name), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(side_rename(&a, "d", name + 2), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(try_open(name, "r"), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(side_put(&a, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\x9a", "utf-8"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\x9a"), "utf-8");
	CHECK_EQUAL(side_put(&a, "...", "dots"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, " \t\n*?\\", "odd"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "ab", "1"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "a", "2"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "abc", "3"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "A", "4"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "a"), "2");
	CHECK_TEXT(text_of(&a, "ab"), "1");
	CHECK_TEXT(text_of(&a, "abc"), "3");
	CHECK_TEXT(text_of(&a, "A"), "4");
	/* The longest path there is. */
	for (size_t i = 0; i < WK_WASI_PATH_MAX; i++)
		path[i] = i % 2 ? '/' : '.';
	path[WK_WASI_PATH_MAX] = 0;
	CHECK_EQUAL(try_open(path, "r"), WK_WASI_SUCCESS);
	path[WK_WASI_PATH_MAX - 1] = 'A';
	CHECK_TEXT(text_of(&a, path), "4");
	end();
}

/* ---- reading and writing ---- */

TEST(positions)
{
	struct wk_wasi_object one, two;
	const struct wk_wasi_system *s = NULL;
	uint64_t position = 0;
	char text[32];

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(side_put(&a, "file", "0123456789"), WK_WASI_SUCCESS);
	one = open_as(&a, "file", "rw");
	two = open_as(&a, "file", "r");
	CHECK_EQUAL(side_read(&a, &one, text, 4), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "012");
	CHECK_EQUAL(side_read(&a, &two, text, 3), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "01");
	CHECK_EQUAL(side_read_at(&a, &one, 8, text, 10), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "89");
	CHECK_EQUAL(side_read_at(&a, &one, 10, text, 10), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(side_read_at(&a, &one, INT64_MAX, text, 10), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(side_write_at(&a, &one, 1, "ab"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_write(&a, &one, "c"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read(&a, &two, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "bc456789");
	CHECK_EQUAL(s->seek(s->context, &one, 0, 1, &position), WK_WASI_SUCCESS);
	CHECK_EQUAL(position, 4);
	CHECK_EQUAL(s->seek(s->context, &one, -3, 2, &position), WK_WASI_SUCCESS);
	CHECK_EQUAL(position, 7);
	CHECK_EQUAL(s->seek(s->context, &one, -8, 1, &position), WK_WASI_INVAL);
	CHECK_EQUAL(s->seek(s->context, &one, -1, 0, &position), WK_WASI_INVAL);
	CHECK_EQUAL(s->seek(s->context, &one, INT64_MIN, 2, &position), WK_WASI_INVAL);
	CHECK_EQUAL(s->seek(s->context, &one, INT64_MAX, 1, &position), WK_WASI_OVERFLOW);
	CHECK_EQUAL(s->seek(s->context, &one, 5, 2, &position), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_write(&a, &one, "end"), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->seek(s->context, &one, 0, 2, &position), WK_WASI_SUCCESS);
	CHECK_EQUAL(position, 18);
	memset(text, '#', sizeof text);
	CHECK_EQUAL(side_read_at(&a, &two, 8, text, sizeof text), WK_WASI_SUCCESS);
	CHECK(memcmp(text, "89\0\0\0\0\0end", 11) == 0);
	CHECK_EQUAL(s->seek(s->context, &one, INT64_MAX, 0, &position), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read(&a, &one, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(side_write(&a, &one, "x"), WK_WASI_FBIG);
	close_file(&a, &one);
	close_file(&a, &two);
	end();
}

TEST(pieces)
{
	uint8_t bytes[12] = "abcdefghijk", back[12] = "";
	struct wk_wasi_piece pieces[4] = { { bytes, 3 }, { bytes + 3, 0 }, { bytes + 3, 1 }, { bytes + 4, 7 } };
	struct wk_wasi_piece into[3] = { { back, 5 }, { back + 5, 1 }, { back + 6, 6 } };
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object object;
	uint64_t done = 0;

	REQUIRE(begin());
	s = a.system;
	object = open_as(&a, "file", "rwc");
	CHECK_EQUAL(s->write(s->context, &object, pieces, 4, WK_WASI_HERE, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 11);
	CHECK_EQUAL(s->read(s->context, &object, into, 3, 0, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 11);
	CHECK(memcmp(back, bytes, 11) == 0);
	/* Appending goes to the end wherever one is, and says so. */
	CHECK_EQUAL(s->seek(s->context, &object, 2, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->write(s->context, &object, pieces, 2, WK_WASI_HERE, WK_WASI_APPEND | WK_WASI_SYNC, &done),
		WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 3);
	CHECK_EQUAL(s->seek(s->context, &object, 0, 1, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 14);
	CHECK_EQUAL(s->write(s->context, &object, pieces, 1, 0, WK_WASI_APPEND, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->write(s->context, &object, pieces + 1, 1, 0, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 0);
	close_file(&a, &object);
	CHECK_TEXT(text_of(&a, "file"), "abcdefghijkabc");
	end();
}

/* The vault's largest object is 1 MiB. */
TEST(the_largest_file)
{
	static uint8_t bytes[1 << 20];
	struct wk_wasi_piece pieces[2] = { { bytes, 20 }, { bytes, 20 } };
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object object;
	uint64_t done = 0;

	REQUIRE(begin());
	s = a.system;
	object = open_as(&a, "file", "rwc");
	CHECK_EQUAL(s->set_size(s->context, &object, (1 << 20) + 1), WK_WASI_FBIG);
	CHECK_EQUAL(s->set_size(s->context, &object, INT64_MAX), WK_WASI_FBIG);
	CHECK_EQUAL(s->allocate(s->context, &object, INT64_MAX - 1, 1), WK_WASI_FBIG);
	CHECK_EQUAL(size_of(&a, "file"), 0);
	CHECK_EQUAL(s->write(s->context, &object, pieces, 2, (1 << 20) - 30, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 30);
	CHECK_EQUAL(size_of(&a, "file"), 1 << 20);
	CHECK_EQUAL(s->write(s->context, &object, pieces, 2, 1 << 20, 0, &done), WK_WASI_FBIG);
	CHECK_EQUAL(s->write(s->context, &object, pieces, 2, INT64_MAX, 0, &done), WK_WASI_FBIG);
	pieces[0].size = sizeof bytes;
	CHECK_EQUAL(s->write(s->context, &object, pieces, 2, 0, 0, &done), WK_WASI_SUCCESS);
	CHECK_EQUAL(done, 1 << 20);
	CHECK_EQUAL(s->set_size(s->context, &object, 1 << 20), WK_WASI_SUCCESS);
	close_file(&a, &object);
	end();
}

TEST(sizes)
{
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object object, reader;
	char text[32];

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(side_put(&a, "file", "0123456789"), WK_WASI_SUCCESS);
	object = open_as(&a, "file", "w");
	reader = open_as(&a, "file", "r");
	CHECK_EQUAL(s->set_size(s->context, &object, 4), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "file"), "0123");
	CHECK_EQUAL(s->set_size(s->context, &object, 6), WK_WASI_SUCCESS);
	memset(text, '#', sizeof text);
	CHECK_EQUAL(side_read(&a, &reader, text, sizeof text), WK_WASI_SUCCESS);
	CHECK(memcmp(text, "0123\0\0", 7) == 0);
	CHECK_EQUAL(size_of(&a, "file"), 6);
	CHECK_EQUAL(s->set_size(s->context, &object, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->allocate(s->context, &object, 0, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(size_of(&a, "file"), 6);
	CHECK_EQUAL(s->allocate(s->context, &object, 5, 5), WK_WASI_SUCCESS);
	CHECK_EQUAL(size_of(&a, "file"), 10);
	CHECK_EQUAL(s->set_size(s->context, &object, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(size_of(&a, "file"), 0);
	CHECK_EQUAL(side_read(&a, &reader, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(side_write(&a, &object, "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read_at(&a, &reader, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "x");
	close_file(&a, &object);
	close_file(&a, &reader);
	/* Who may only read may not change: the core sees to it by rights, and here it is refused, too. */
	reader = open_as(&a, "file", "r");
	CHECK_EQUAL(side_write(&a, &reader, "y"), WK_WASI_BADF);
	CHECK_EQUAL(s->set_size(s->context, &reader, 0), WK_WASI_BADF);
	close_file(&a, &reader);
	end();
}

TEST(attributes)
{
	const struct wk_wasi_times times = { .access = WK_WASI_TIME_SET, .accessed = 1 };
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object object, d;
	struct wk_wasi_stat stat, again;
	uint8_t buffer[8];
	size_t used = 0;

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/file", "12345"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_stat(&a, "d/file", &stat), WK_WASI_SUCCESS);
	CHECK(stat.size == 5 && stat.links == 1 && stat.type == WK_WASI_REGULAR_FILE && stat.inode > 1);
	CHECK(stat.accessed == 0 && stat.modified == 0 && stat.changed == 0);
	CHECK_EQUAL(stat.device, UINT64_C(0x0807060504030201));
	object = open_as(&a, "d/file", "rw");
	CHECK_EQUAL(s->stat(s->context, &object, &again), WK_WASI_SUCCESS);
	CHECK(same(&stat, &again));
	CHECK_EQUAL(side_write(&a, &object, "1234567"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_stat(&a, "d/file", &again), WK_WASI_SUCCESS);
	CHECK_EQUAL(again.size, 7);
	CHECK_EQUAL(again.inode, stat.inode);
	CHECK_EQUAL(side_stat(&a, "d", &stat), WK_WASI_SUCCESS);
	CHECK(stat.type == WK_WASI_DIRECTORY && stat.inode > 1 && stat.inode != again.inode && stat.size == 0);
	d = open_as(&a, "d/", "r");
	CHECK_EQUAL(s->stat(s->context, &d, &again), WK_WASI_SUCCESS);
	CHECK(same(&stat, &again));
	CHECK_EQUAL(side_stat(&a, "d/..", &stat), WK_WASI_SUCCESS);
	CHECK(stat.type == WK_WASI_DIRECTORY && stat.inode == 1);
	CHECK_EQUAL(side_stat(&a, "d/file/", &stat), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_stat(&a, "none", &stat), WK_WASI_NOENT);
	CHECK_EQUAL(s->readlink(s->context, &a.root, "d/file", buffer, 8, &used), WK_WASI_INVAL);
	CHECK_EQUAL(s->readlink(s->context, &a.root, "d", buffer, 8, &used), WK_WASI_INVAL);
	CHECK_EQUAL(s->readlink(s->context, &a.root, "none", buffer, 8, &used), WK_WASI_NOENT);
	CHECK_EQUAL(s->set_times(s->context, &object, &times), WK_WASI_NOTSUP);
	CHECK_EQUAL(s->path_set_times(s->context, &a.root, "d", true, &times), WK_WASI_NOTSUP);
	CHECK_EQUAL(s->link(s->context, &a.root, "d/file", &a.root, "x"), WK_WASI_NOTSUP);
	CHECK_EQUAL(s->symlink(s->context, "d/file", &a.root, "x"), WK_WASI_NOTSUP);
	close_file(&a, &object);
	close_file(&a, &d);
	end();
}

TEST(what_there_is_not)
{
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_poll items[2] = { { .hangup = true, .error = 1 }, { .write = true } };
	struct wk_wasi_object object, other;
	unsigned access = 0;
	uint16_t flags = 0;
	uint64_t number = 0;
	uint8_t byte = 0;
	bool truncated = false;

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(s->adopt(s->context, 1, &other, &access, &flags), WK_WASI_BADF);
	CHECK_EQUAL(s->clock_time(s->context, WK_WASI_REALTIME, &number), WK_WASI_NOTSUP);
	CHECK_EQUAL(s->clock_resolution(s->context, WK_WASI_MONOTONIC, &number), WK_WASI_NOTSUP);
	CHECK_EQUAL(s->random(s->context, &byte, 1), WK_WASI_NOTSUP);
	s->yield(s->context);
	object = open_as(&a, "file", "rwc");
	CHECK_EQUAL(side_write_at(&a, &object, 0, "12345"), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->accept(s->context, &object, &other), WK_WASI_NOTSOCK);
	CHECK_EQUAL(s->receive(s->context, &object, NULL, 0, false, &number, &truncated), WK_WASI_NOTSOCK);
	CHECK_EQUAL(s->send(s->context, &object, NULL, 0, &number), WK_WASI_NOTSOCK);
	CHECK_EQUAL(s->shutdown(s->context, &object, true, true), WK_WASI_NOTSOCK);
	CHECK_EQUAL(s->sync(s->context, &object, true), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->sync(s->context, &a.root, false), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->advise(s->context, &object, 0, 1, 3), WK_WASI_SUCCESS);
	items[0].object = items[1].object = &object;
	CHECK_EQUAL(s->poll(s->context, items, 2, UINT64_MAX), WK_WASI_SUCCESS);
	CHECK(items[0].ready && !items[0].hangup && items[0].error == 0 && items[0].available == 5);
	CHECK(items[1].ready && !items[1].hangup && items[1].error == 0 && items[1].available == 0);
	CHECK_EQUAL(s->seek(s->context, &object, 100, 0, &number), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->poll(s->context, items, 1, 0), WK_WASI_SUCCESS);
	CHECK(items[0].ready && items[0].available == 0);
	CHECK_EQUAL(s->poll(s->context, NULL, 0, 1), WK_WASI_SUCCESS);
	close_file(&a, &object);
	end();
}

/* ---- names ---- */

TEST(folders)
{
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object d, object;
	const struct wk_wasi_open make = { .create = true, .access = WK_WASI_WRITABLE };

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(side_put(&a, "file", "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_EXIST);
	CHECK_EQUAL(side_make(&a, "d/"), WK_WASI_EXIST);
	CHECK_EQUAL(side_make(&a, "file"), WK_WASI_EXIST);
	CHECK_EQUAL(side_make(&a, "."), WK_WASI_EXIST);
	CHECK_EQUAL(side_make(&a, "d/.."), WK_WASI_EXIST);
	CHECK_EQUAL(side_make(&a, "d/e/"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "none/e"), WK_WASI_NOENT);
	CHECK_EQUAL(side_make(&a, "file/e"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(side_remove(&a, "file"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_remove(&a, "none"), WK_WASI_NOENT);
	CHECK_EQUAL(side_remove(&a, "."), WK_WASI_INVAL);
	CHECK_EQUAL(side_remove(&a, "d/e/.."), WK_WASI_INVAL);
	CHECK_EQUAL(side_unlink(&a, "d"), WK_WASI_ISDIR);
	CHECK_EQUAL(side_unlink(&a, "d/"), WK_WASI_ISDIR);
	CHECK_EQUAL(side_unlink(&a, "d/."), WK_WASI_ISDIR);
	CHECK_EQUAL(side_unlink(&a, "none"), WK_WASI_NOENT);
	CHECK_EQUAL(side_unlink(&a, "none/"), WK_WASI_NOENT);
	CHECK_EQUAL(side_unlink(&a, "file/"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_remove(&a, "d/e/"), WK_WASI_SUCCESS);
	/* Removed while it is open: no other folder takes its place. */
	d = open_as(&a, "d", "r");
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->make_directory(s->context, &d, "x"), WK_WASI_NOENT);
	CHECK_EQUAL(s->open(s->context, &d, "x", &make, &object), WK_WASI_NOENT);
	CHECK_EQUAL(s->open(s->context, &d, ".", &make, &object), WK_WASI_NOENT);
	CHECK_EQUAL(s->read_directory(s->context, &d, 0, NULL, NULL), WK_WASI_NOENT);
	CHECK_EQUAL(s->rename(s->context, &a.root, "file", &d, "x"), WK_WASI_NOENT);
	close_file(&a, &d);
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_NOENT);
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_SUCCESS);
	CHECK_TEXT(side_dump(&vault, true), "");
	end();
}

TEST(renaming)
{
	struct wk_wasi_stat before, after;

	REQUIRE(begin());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "e"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "file", "0123456789"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "e/x", "x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "other", "other"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_stat(&a, "file", &before), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "file", "d/moved"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_stat(&a, "d/moved", &after), WK_WASI_SUCCESS);
	CHECK_EQUAL(after.inode, before.inode);
	CHECK_EQUAL(side_stat(&a, "file", &after), WK_WASI_NOENT);
	CHECK_TEXT(text_of(&a, "d/moved"), "0123456789");
	CHECK_EQUAL(side_rename(&a, "d/moved", "other"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "other"), "0123456789");
	CHECK_EQUAL(side_rename(&a, "other", "other"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "d", "d/"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "none", "x"), WK_WASI_NOENT);
	CHECK_EQUAL(side_rename(&a, "none", "d/none/x"), WK_WASI_NOENT);
	CHECK_EQUAL(side_rename(&a, "other/", "x"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_rename(&a, "d", "e"), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(side_rename(&a, "d", "d/sub"), WK_WASI_INVAL);
	CHECK_EQUAL(side_rename(&a, "d", "d/sub/"), WK_WASI_INVAL);
	CHECK_EQUAL(side_rename(&a, "d", "e/x"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_rename(&a, "e/x", "d"), WK_WASI_ISDIR);
	CHECK_EQUAL(side_rename(&a, "e/x", "e"), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(side_rename(&a, "e/x", "new/"), WK_WASI_NOTDIR);
	CHECK_EQUAL(side_rename(&a, ".", "x"), WK_WASI_BUSY);
	CHECK_EQUAL(side_rename(&a, "d", "e/.."), WK_WASI_BUSY);
	CHECK_EQUAL(side_rename(&a, "e/", "f/"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "f/x"), "x");
	/* A folder replaces an empty one, and folders move with all that is in them. */
	CHECK_EQUAL(side_rename(&a, "f", "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "z"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "d", "z/d"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "z/d/x"), "x");
	CHECK_EQUAL(side_rename(&a, "z", "z/d/z"), WK_WASI_INVAL);
	CHECK_EQUAL(side_rename(&a, "z/d", "z"), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(side_rename(&a, "z/d/x", "z/x"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "z/d", "z"), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(side_rename(&a, "z/d", "a"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "z", "a/z"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "a/z/x"), "x");
	CHECK_EQUAL(side_rename(&a, "a/z/x", "other"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "other"), "x");
	end();
}

/* ---- files without a name ---- */

TEST(removing_what_is_open)
{
	const struct wk_wasi_system *s = NULL;
	struct wk_wasi_object one, two, new;
	struct wk_wasi_stat stat;
	char text[32];

	REQUIRE(begin());
	s = a.system;
	CHECK_EQUAL(side_put(&a, "file", "old"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "other", "other"), WK_WASI_SUCCESS);
	one = open_as(&a, "file", "rw");
	two = open_as(&a, "file", "r");
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(try_open("file", "r"), WK_WASI_NOENT);
	CHECK_EQUAL(s->stat(s->context, &one, &stat), WK_WASI_SUCCESS);
	CHECK(stat.links == 0 && stat.size == 3);
	CHECK_EQUAL(side_write_at(&a, &one, 3, "er"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read(&a, &two, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "older");
	new = open_as(&a, "file", "wc");
	CHECK_EQUAL(side_write(&a, &new, "new"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read_at(&a, &two, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "older");
	close_file(&a, &new);
	close_file(&a, &one);
	CHECK_EQUAL(s->set_size(s->context, &two, 0), WK_WASI_SUCCESS); /* its node may write still */
	close_file(&a, &two);
	CHECK_TEXT(text_of(&a, "file"), "new");
	/* Replaced while it is open, for reading alone. */
	two = open_as(&a, "file", "r");
	CHECK_EQUAL(side_rename(&a, "other", "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read(&a, &two, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "new");
	CHECK_TEXT(text_of(&a, "file"), "other");
	close_file(&a, &two);
	CHECK(side_dump(&vault, true) != NULL);
	/* Open when the guest ends: the next one finds and removes it. */
	two = open_as(&a, "file", "r");
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 2);
	close_file(&a, &two);
	CHECK_EQUAL(memory_vault_objects(&vault), 1);
	end();
}

/* ---- listing ---- */

struct listing {
	char text[4096];
	uint64_t next[64];
	unsigned count, limit;
	bool types_are_right;
};

static bool note(void *sink, const struct wk_wasi_directory_entry *entry)
{
	struct listing *listing = sink;

	snprintf(listing->text + strlen(listing->text), sizeof listing->text - strlen(listing->text), "%s%.*s",
		listing->count ? " " : "", (int)entry->name_size, entry->name);
	listing->next[listing->count++] = entry->next;
	listing->types_are_right &= entry->inode != 0 &&
		entry->type == (entry->name[0] == 'f' ? WK_WASI_REGULAR_FILE : WK_WASI_DIRECTORY);
	return listing->count < listing->limit;
}

static struct listing *list(const char *path, uint64_t cookie, unsigned limit)
{
	static struct listing listing;
	struct wk_wasi_object d = open_as(&a, path, "r");

	listing = (struct listing){ .limit = limit, .types_are_right = true };
	CHECK_EQUAL(a.system->read_directory(a.system->context, &d, cookie, note, &listing), WK_WASI_SUCCESS);
	CHECK(listing.types_are_right);
	close_file(&a, &d);
	return &listing;
}

TEST(listing)
{
	uint64_t place = 0, late = 0;

	REQUIRE(begin());
	CHECK_TEXT(list(".", 0, 60)->text, ". ..");
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/f3", ""), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d/e"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/f1", ""), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/e/f", ""), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "d/f2", ""), WK_WASI_SUCCESS);
	CHECK_TEXT(list("d", 0, 60)->text, ". .. f3 e f1 f2");
	CHECK_TEXT(list("d/e", 0, 60)->text, ". .. f");
	/* From each cookie on, all that follows. */
	for (unsigned i = 0; i < 6; i++) {
		static const char *const rest[6] = { ".. f3 e f1 f2", "f3 e f1 f2", "e f1 f2", "f1 f2", "f2", "" };

		place = list("d", 0, i + 1)->next[i];
		CHECK_TEXT(list("d", place, 60)->text, rest[i]);
	}
	place = list("d", 0, 3)->next[2];
	late = list("d", 0, 5)->next[4];
	CHECK_EQUAL(side_unlink(&a, "d/f3"), WK_WASI_SUCCESS);
	CHECK_TEXT(list("d", place, 60)->text, "e f1 f2");
	CHECK_EQUAL(side_put(&a, "d/f0", ""), WK_WASI_SUCCESS);
	CHECK_TEXT(list("d", place, 60)->text, "e f1 f2 f0");
	CHECK_EQUAL(side_rename(&a, "d/f1", "d/f9"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "d/e", "d/g"), WK_WASI_SUCCESS);
	CHECK_TEXT(list("d", place, 60)->text, "g f9 f2 f0");
	CHECK_TEXT(list("d", late, 60)->text, "f2 f0");
	CHECK_TEXT(list("d", UINT64_MAX, 60)->text, "");
	CHECK_TEXT(list("d", UINT32_MAX, 60)->text, "");
	end();
}

/* ---- limits ---- */

TEST(the_most_entries)
{
	struct wk_wasi_object object;
	char name[32];

	REQUIRE(begin());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	for (unsigned i = 0; i < WK_SEALED_ENTRIES - 2; i++) {
		snprintf(name, sizeof name, "d/%u", i * 7919 % 1024);
		CHECK_EQUAL(i % 2 ? side_make(&a, name) : side_put(&a, name, ""), WK_WASI_SUCCESS);
	}
	CHECK_EQUAL(side_put(&a, "last", "last"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "more", ""), WK_WASI_NOSPC);
	CHECK_EQUAL(side_make(&a, "more"), WK_WASI_NOSPC);
	CHECK_EQUAL(side_put(&a, "last", "again"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_rename(&a, "last", "d/renamed"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "d/renamed"), "again");
	CHECK(side_dump(&vault, true) != NULL);
	/* A removed file takes the place of an entry as long as it is open. */
	object = open_as(&a, "d/renamed", "r");
	CHECK_EQUAL(side_unlink(&a, "d/renamed"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "more"), WK_WASI_NOSPC);
	close_file(&a, &object);
	CHECK_EQUAL(side_make(&a, "more"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "most", ""), WK_WASI_NOSPC);
	CHECK_EQUAL(side_remove(&a, "more"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "most", ""), WK_WASI_SUCCESS);
	CHECK(side_dump(&vault, true) != NULL);
	end();
}

/* Entries with the longest names, each in the one before: what a path cannot reach at once, steps can. */
TEST(the_deepest_folder)
{
	const struct wk_wasi_system *s = NULL;
	const struct wk_wasi_open read_it = { .access = WK_WASI_READABLE };
	struct wk_wasi_object here, next;
	struct wk_wasi_stat stat;
	char name[256], up[3 * 1000 + 1] = "";
	unsigned depth = 0;

	REQUIRE(begin());
	s = a.system;
	memset(name, 'n', 255);
	name[255] = 0;
	here = a.root;
	for (enum wk_wasi_errno error = WK_WASI_SUCCESS; error == WK_WASI_SUCCESS; depth++) {
		error = s->make_directory(s->context, &here, name);
		CHECK(error == WK_WASI_SUCCESS || (error == WK_WASI_NOSPC && depth == WK_SEALED_ENTRIES));
		if (error == WK_WASI_SUCCESS)
			error = s->open(s->context, &here, name, &read_it, &next);
		if (error == WK_WASI_SUCCESS)
			here = next;
	}
	CHECK_EQUAL(depth, WK_SEALED_ENTRIES + 1);
	for (unsigned i = 0; i < 1000; i++)
		strcat(up, "../");
	CHECK_EQUAL(s->path_stat(s->context, &here, up, true, &stat), WK_WASI_PERM);
	CHECK_EQUAL(s->rename(s->context, &a.root, name, &here, "x"), WK_WASI_INVAL);
	CHECK(side_end(&a));
	memory_vault_end(&vault);
}

TEST(other_volumes)
{
	uint8_t name[WK_SEALED_VOLUME] = { 1, 2, 3 };
	struct wk_sealed *other = NULL;
	const struct wk_wasi_system *s = NULL;
	const struct wk_wasi_open read_it = { .access = WK_WASI_READABLE };
	struct wk_wasi_object root, object;
	struct wk_report report;

	REQUIRE(begin());
	wk_report_clear(&report);
	CHECK_EQUAL(side_put(&a, "file", "secret"), WK_WASI_SUCCESS);
	REQUIRE(wk_sealed_new(&a.budget, &vault.vault, name, &report, &other) == WK_OK);
	s = wk_sealed_system(other);
	CHECK_EQUAL(s->open_root(s->context, "sealed", &root), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->open(s->context, &root, "file", &read_it, &object), WK_WASI_NOENT);
	CHECK_EQUAL(s->make_directory(s->context, &root, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(s->close(s->context, &root), WK_WASI_SUCCESS);
	wk_sealed_delete(other);
	CHECK_TEXT(text_of(&a, "file"), "secret");
	a.heap.fail_at = a.heap.asked + 1;
	CHECK_EQUAL(wk_sealed_new(&a.budget, &vault.vault, name, &report, &other), WK_NO_MEMORY);
	CHECK_EQUAL(report.status, WK_NO_MEMORY);
	wk_sealed_delete(NULL);
	end();
}

/* ---- two guests ---- */

static bool begin_two(void)
{
	return begin() && side_start(&b, &vault) == WK_WASI_SUCCESS;
}

TEST(two_guests_see_one_volume)
{
	struct wk_wasi_object d;

	REQUIRE(begin_two());
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&b, "d/file", "from b"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "d/file"), "from b");
	CHECK_EQUAL(side_rename(&a, "d/file", "file"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&b, "file"), "from b");
	d = open_as(&b, "d", "r");
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(b.system->make_directory(b.system->context, &d, "x"), WK_WASI_NOENT);
	close_file(&b, &d);
	CHECK_EQUAL(side_unlink(&b, "file"), WK_WASI_SUCCESS);
	CHECK_TEXT(text_of(&a, "file"), "errno 44");
	end();
}

TEST(one_file_in_two_guests)
{
	struct wk_wasi_object ours, theirs, more;
	struct wk_wasi_stat stat;
	char text[32];

	REQUIRE(begin_two());
	CHECK_EQUAL(side_put(&a, "file", "text"), WK_WASI_SUCCESS);
	/* Any number of readers. */
	ours = open_as(&a, "file", "r");
	theirs = open_as(&b, "file", "r");
	CHECK_EQUAL(side_read(&b, &theirs, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "text");
	/* A writer waits for all others; who tried and failed reads on. */
	CHECK_EQUAL(side_open(&a, "file", "w", &more), WK_WASI_BUSY);
	CHECK_EQUAL(side_open(&a, "file", "rt", &more), WK_WASI_BUSY);
	CHECK_EQUAL(side_read(&a, &ours, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "text");
	close_file(&b, &theirs);
	more = open_as(&a, "file", "w");
	CHECK_EQUAL(side_write(&a, &more, "TE"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read_at(&a, &ours, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "TExt");
	/* And all others for a writer. */
	CHECK_EQUAL(side_open(&b, "file", "r", &theirs), WK_WASI_BUSY);
	CHECK_EQUAL(side_open(&b, "file", "w", &theirs), WK_WASI_BUSY);
	CHECK_EQUAL(side_open(&b, "file", "wct", &theirs), WK_WASI_BUSY);
	CHECK_EQUAL(side_stat(&b, "file", &stat), WK_WASI_BUSY);
	CHECK_EQUAL(side_stat(&a, "file", &stat), WK_WASI_SUCCESS);
	/* Names are another matter. */
	CHECK_EQUAL(side_rename(&b, "file", "renamed"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_unlink(&b, "renamed"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_write(&a, &more, "MP"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read_at(&a, &ours, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "TEMP");
	CHECK_EQUAL(side_make(&b, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 2);
	close_file(&a, &more);
	close_file(&a, &ours);
	/* Nobody told us that its name was gone: whoever next changes a name, or opens the volume, removes it. */
	CHECK_EQUAL(memory_vault_objects(&vault), 2);
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 1);
	end();
}

/* The other guest ends in the middle of things, as when its TA panics. */
TEST(a_guest_that_is_gone)
{
	/* Its memory would go with it; here a leak checker still finds it. */
	static struct { struct side side; struct wk_wasi_object object; } gone;

	REQUIRE(begin());
	REQUIRE(side_start(&gone.side, &vault) == WK_WASI_SUCCESS);
	CHECK_EQUAL(side_put(&a, "file", "text"), WK_WASI_SUCCESS);
	gone.object = open_as(&gone.side, "file", "rw");
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 2);
	memory_vault_reboot(&vault);
	CHECK_TEXT(side_dump(&vault, true), "");
	end();
}

/* ---- the index is taken ---- */

static intptr_t taken;

static void give_back(struct memory_vault *from, void *hook)
{
	unsigned *left = hook;

	if (--*left == 0)
		from->vault.close(from->vault.context, taken);
}

TEST(waiting_for_the_index)
{
	uint8_t id[SIDE_ID_SIZE];
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;
	unsigned left = 3;

	REQUIRE(begin());
	side_id(0, id);
	CHECK_EQUAL(side_put(&a, "file", "text"), WK_WASI_SUCCESS);
	object = open_as(&a, "file", "rw");
	vault.vault.tries = 5;
	memory_vault_reset(&vault);
	REQUIRE(vault.vault.open(&vault, id, sizeof id, true, &taken) == WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_BUSY);
	CHECK_EQUAL(vault.waits, 5);
	CHECK_EQUAL(vault.asked, 7);
	CHECK_EQUAL(side_remove(&a, "d"), WK_WASI_BUSY);
	CHECK_EQUAL(side_unlink(&a, "file"), WK_WASI_BUSY);
	CHECK_EQUAL(side_rename(&a, "file", "x"), WK_WASI_BUSY);
	CHECK_EQUAL(side_stat(&a, "file", &stat), WK_WASI_BUSY);
	CHECK_EQUAL(side_put(&a, "x", ""), WK_WASI_BUSY);
	CHECK_EQUAL(a.system->set_size(a.system->context, &object, 0), WK_WASI_BUSY);
	CHECK_EQUAL(side_start(&b, &vault), WK_WASI_BUSY);
	/* What is open needs no index. */
	CHECK_EQUAL(side_write(&a, &object, "more text"), WK_WASI_SUCCESS);
	CHECK_EQUAL(a.system->set_size(a.system->context, &object, 6), WK_WASI_SUCCESS);
	close_file(&a, &object);
	/* In time. */
	vault.waiting = give_back;
	vault.hook = &left;
	vault.waits = 0;
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(vault.waits, 3);
	CHECK_TEXT(text_of(&a, "file"), "more t");
	CHECK(side_end(&b));
	b.sealed = NULL;
	end();
}

/* Somebody else makes the index between our look and our try to make it. */
static void make_index(struct memory_vault *from, void *hook)
{
	struct side *other = hook;

	if (from->asked == 2)
		CHECK_EQUAL(side_start(other, from), WK_WASI_SUCCESS);
	else
		from->before = make_index;
}

TEST(both_make_the_index)
{
	memory_vault_init(&vault);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	vault.vault.tries = 1;
	vault.before = make_index;
	vault.hook = &b;
	CHECK_EQUAL(side_start(&a, &vault), WK_WASI_SUCCESS);
	CHECK_EQUAL(vault.waits, 1);
	CHECK_EQUAL(side_make(&a, "d"), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_make(&b, "d"), WK_WASI_EXIST);
	end();
}

int main(void)
{
	RUN(opening);
	RUN(the_way_out);
	RUN(names);
	RUN(positions);
	RUN(pieces);
	RUN(the_largest_file);
	RUN(sizes);
	RUN(attributes);
	RUN(what_there_is_not);
	RUN(folders);
	RUN(renaming);
	RUN(removing_what_is_open);
	RUN(listing);
	RUN(the_most_entries);
	RUN(the_deepest_folder);
	RUN(other_volumes);
	RUN(two_guests_see_one_volume);
	RUN(one_file_in_two_guests);
	RUN(a_guest_that_is_gone);
	RUN(waiting_for_the_index);
	RUN(both_make_the_index);
	return test_end();
}
