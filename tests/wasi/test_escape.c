/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts to leave a preopened directory. Each must fail, and nothing outside may have changed. Everything runs twice:
 * with openat2, and with the walk that replaces it.
 *
 * The host's side: `in` is preopened as descriptor 3, `out` lies beside it.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"

#define PERM WK_WASI_PERM

static struct guest g;

static bool begin(void)
{
	struct wk_wasi_preopen preopen = { .guest = "/" };
	struct wk_wasi_config config = { .preopens = &preopen, .preopen_count = 1 };

	scratch_begin();
	scratch_dir("in");
	scratch_dir("in/a");
	scratch_dir("in/a/b");
	scratch_file("in/file", "inside");
	scratch_file("in/a/secret", "inside");
	scratch_dir("out");
	scratch_dir("out/empty");
	scratch_file("out/secret", "outside");
	scratch_link("file", "out/link");
	scratch_link("../out/secret", "in/rel");
	scratch_link(scratch("out/secret"), "in/abs");
	scratch_link("../out", "in/dir");
	scratch_link(scratch("out"), "in/absdir");
	scratch_link("dir", "in/chain2");
	scratch_link("a/b/../../chain2", "in/chain");
	scratch_link("../out/new", "in/dangling");
	scratch_link("../in/file", "in/back");
	scratch_link("a/../file", "in/fine");
	scratch_link("a", "in/fine_dir");
	scratch_link("loop", "in/loop");
	preopen.host = scratch("in");
	return guest_start(&g, &config);
}

static void end(void)
{
	CHECK_TEXT(scratch_text("out/secret"), "outside");
	CHECK(scratch_exists("out/empty"));
	CHECK(scratch_exists("out/link"));
	CHECK(!scratch_exists("out/new"));
	CHECK(!scratch_exists("out/other"));
	guest_end(&g);
	scratch_end();
}

/* Paths that lead out; all of them to the folder `out` when "secret" is taken off. */
static const char *const ways_out[] = { "../out/secret", "a/../../out/secret", "a/b/../../../out/secret", "./.././out/secret",
	"dir/secret", "absdir/secret", "chain/secret", "chain2/secret", "a/../dir/secret", "fine_dir/../dir/secret",
	"fine_dir/../../out/secret", "dir//secret", "dir/./secret", "dir/empty/../secret", "../in/../out/secret" };

#define EACH_WAY(path) \
	for (size_t way_ = 0; way_ < WK_COUNT(ways_out); way_++) \
		for (const char *path = ways_out[way_]; path; path = NULL)

static const char *instead(const char *path, const char *name)
{
	static char text[2][256];
	static unsigned next;
	char *to = text[next++ % 2];

	snprintf(to, sizeof text[0], "%.*s%s", (int)(strrchr(path, '/') - path + 1), path, name);
	return to;
}

TEST(opening)
{
	char text[64];
	int fd = -1;

	REQUIRE(begin());
	EACH_WAY(path) {
		CHECK_EQUAL(guest_read_file(&g, 3, path, text, sizeof text), PERM);
		CHECK_EQUAL(guest_open(&g, 3, path, WK_OFLAG_TRUNCATE, RIGHTS_WRITE, &fd), PERM);
		CHECK_EQUAL(guest_open(&g, 3, instead(path, "other"), WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), PERM);
		CHECK_EQUAL(guest_open(&g, 3, instead(path, "other"), WK_OFLAG_CREATE | WK_OFLAG_EXCLUSIVE, RIGHTS_WRITE, &fd),
			PERM);
		CHECK_EQUAL(guest_open(&g, 3, instead(path, "empty"), WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), PERM);
		CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, path), 0, RIGHTS_READ, 0, 0, GUEST_OUT), PERM);
	}
	end();
}

TEST(links_at_the_end)
{
	static const char *const paths[] = { "rel", "abs", "dir", "absdir", "chain", "chain2", "dangling", "back", "dir/",
		"absdir/", "dir/.", "..", "../", "a/../..", "../in", "../in/file", "dir/.." };
	char text[64];
	int fd = -1;

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(paths); i++) {
		CHECK_EQUAL(guest_read_file(&g, 3, paths[i], text, sizeof text), PERM);
		CHECK_EQUAL(guest_open(&g, 3, paths[i], WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), PERM);
		CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 1, PATH(&g, paths[i]), GUEST_OUT), PERM);
		CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 1, PATH(&g, paths[i]), 0, 0, WK_FST_MODIFY), PERM);
	}
	for (size_t i = 0; i < 8; i++) {
		CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, paths[i]), 0, 0, 0, 0, GUEST_OUT), WK_WASI_LOOP);
		/* The links themselves are inside. */
		CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, paths[i]), GUEST_OUT), WK_WASI_SUCCESS);
		CHECK_EQUAL(((uint8_t *)guest_at(&g, GUEST_OUT))[WK_FILESTAT_TYPE], WK_WASI_SYMBOLIC_LINK);
	}
	CHECK_EQUAL(guest_read_file(&g, 3, "fine", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "inside");
	CHECK_EQUAL(guest_read_file(&g, 3, "fine_dir/secret", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "loop", text, sizeof text), WK_WASI_LOOP);
	CHECK_EQUAL(guest_read_file(&g, 3, "loop/x", text, sizeof text), WK_WASI_LOOP);
	end();
}

TEST(creating_through_links)
{
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(guest_open(&g, 3, "dangling", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), PERM);
	CHECK_EQUAL(guest_open(&g, 3, "dangling", WK_OFLAG_CREATE | WK_OFLAG_TRUNCATE, RIGHTS_WRITE, &fd), PERM);
	CHECK_EQUAL(guest_open(&g, 3, "dangling", WK_OFLAG_CREATE | WK_OFLAG_EXCLUSIVE, RIGHTS_WRITE, &fd), WK_WASI_EXIST);
	CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, "dangling"), WK_OFLAG_CREATE, RIGHTS_WRITE, 0, 0, GUEST_OUT),
		WK_WASI_LOOP);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "dangling")), WK_WASI_EXIST);
	CHECK(CALL(&g, path_create_directory, 3, PATH(&g, "dangling/")) != WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, "dangling")), WK_WASI_EXIST);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 3, PATH2(&g, "dangling")), WK_WASI_EXIST);
	/* A dangling link inside is made good inside. */
	scratch_link("a/b/../made", "in/inner");
	CHECK_EQUAL(guest_open(&g, 3, "inner", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), WK_WASI_SUCCESS);
	CHECK(scratch_exists("in/a/made"));
	end();
}

TEST(absolute_paths)
{
	static const char *const paths[] = { "/", "//", "/etc/passwd", "/..", "/file", "///file" };
	char text[64];
	char host[512];

	REQUIRE(begin());
	snprintf(host, sizeof host, "%s", scratch("in/file"));
	for (size_t i = 0; i <= WK_COUNT(paths); i++) {
		const char *path = i < WK_COUNT(paths) ? paths[i] : host;

		CHECK_EQUAL(guest_read_file(&g, 3, path, text, sizeof text), PERM);
		CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, path), GUEST_OUT), PERM);
		CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, path), GUEST_FREE, 99, GUEST_OUT), PERM);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), 3, PATH2(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, path), 3, PATH2(&g, "new")), PERM);
		CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, path), 3, PATH(&g, "new")), PERM);
		CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, path)), PERM);
	}
	CHECK(!scratch_exists("in/new"));
	end();
}

TEST(changing_names)
{
	REQUIRE(begin());
	EACH_WAY(path) {
		CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, path), GUEST_OUT), PERM);
		CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 0, PATH(&g, path), 0, 0, WK_FST_MODIFY), PERM);
		CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, instead(path, "other"))), PERM);
		CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, instead(path, "other/"))), PERM);
		CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, instead(path, "empty"))), PERM);
		CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, instead(path, "empty/"))), PERM);
		CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, instead(path, "link")), GUEST_FREE, 99, GUEST_OUT), PERM);
		CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, instead(path, "other"))), PERM);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, path), 3, PATH2(&g, "stolen")), PERM);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), 3, PATH2(&g, path)), PERM);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "a"), 3, PATH2(&g, instead(path, "other"))), PERM);
		CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, path), 3, PATH2(&g, "stolen")), PERM);
		CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 3, PATH2(&g, instead(path, "other"))), PERM);
	}
	CHECK(!scratch_exists("in/stolen"));
	CHECK_TEXT(scratch_text("in/file"), "inside");
	end();
}

/* Names that end in a slash, where the kernel would follow a link if it were asked to. */
TEST(trailing_slashes)
{
	char text[64];

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "file/")), WK_WASI_NOTDIR);
	CHECK(CALL(&g, path_unlink_file, 3, PATH(&g, "dir/")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_remove_directory, 3, PATH(&g, "dir/")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_remove_directory, 3, PATH(&g, "dir")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_rename, 3, PATH(&g, "dir/"), 3, PATH2(&g, "moved")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_rename, 3, PATH(&g, "file"), 3, PATH2(&g, "dir/")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_rename, 3, PATH(&g, "a"), 3, PATH2(&g, "dir/")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_link, 3, 0, PATH(&g, "dir/"), 3, PATH2(&g, "moved")) != WK_WASI_SUCCESS);
	CHECK(CALL(&g, path_link, 3, 0, PATH(&g, "rel/"), 3, PATH2(&g, "moved")) != WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file/"), 3, PATH2(&g, "moved")), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "a/"), 3, PATH2(&g, "moved")), PERM);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "dir/"), GUEST_OUT), PERM);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "file/"), GUEST_OUT), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "dir/"), GUEST_FREE, 99, GUEST_OUT), PERM);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "fine_dir/"), GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(((uint8_t *)guest_at(&g, GUEST_OUT))[WK_FILESTAT_TYPE], WK_WASI_DIRECTORY);
	CHECK_EQUAL(guest_read_file(&g, 3, "a/secret/", text, sizeof text), WK_WASI_NOTDIR);
	CHECK_EQUAL(guest_read_file(&g, 3, "fine_dir//secret", text, sizeof text), WK_WASI_SUCCESS);
	CHECK(!scratch_exists("in/moved"));
	end();
}

/* "." and "..", where a name is asked for. */
TEST(the_directory_itself)
{
	static const char *const paths[] = { ".", "./", "a/..", "a/b/../..", "a/../", "fine_dir/.." };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(paths); i++) {
		CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, paths[i]), GUEST_OUT), WK_WASI_SUCCESS);
		CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, paths[i])), WK_WASI_EXIST);
		CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, paths[i])), WK_WASI_INVAL);
		CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, paths[i])), WK_WASI_ISDIR);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, paths[i]), 3, PATH2(&g, "x")), WK_WASI_BUSY);
		CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "a"), 3, PATH2(&g, paths[i])), WK_WASI_BUSY);
		CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, paths[i]), 3, PATH2(&g, "x")), PERM);
		CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 3, PATH2(&g, paths[i])), WK_WASI_EXIST);
		CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, paths[i])), WK_WASI_EXIST);
		CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, paths[i]), GUEST_FREE, 99, GUEST_OUT), WK_WASI_INVAL);
		CHECK_EQUAL(CALL(&g, path_open, 3, 1, PATH(&g, paths[i]), WK_OFLAG_CREATE, RIGHTS_WRITE, 0, 0, GUEST_OUT),
			WK_WASI_ISDIR);
	}
	end();
}

/* What a guest builds for itself. */
TEST(links_of_the_guest)
{
	char text[64];
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "../out"), 3, PATH(&g, "own")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "../../../../../../../../../../etc"), 3, PATH(&g, "a/b/etc")),
		WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "a/b/../../own"), 3, PATH(&g, "own2")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "own/secret", text, sizeof text), PERM);
	CHECK_EQUAL(guest_read_file(&g, 3, "own2/secret", text, sizeof text), PERM);
	CHECK_EQUAL(guest_read_file(&g, 3, "a/b/etc/passwd", text, sizeof text), PERM);
	/* A link that is fine where it is made, and leads out where it is moved to. */
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "out")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "../../out"), 3, PATH(&g, "a/b/up")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_open(&g, 3, "a/b/up", WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "a/b/up"), 3, PATH2(&g, "a/up")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "a/up/secret", text, sizeof text), PERM);
	/* A hard link to a link stays a link. */
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "rel"), 3, PATH2(&g, "hard")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "hard", text, sizeof text), PERM);
	CHECK_EQUAL(CALL(&g, path_link, 3, 1, PATH(&g, "rel"), 3, PATH2(&g, "hard2")), WK_WASI_INVAL);
	end();
}

/* A directory that the guest opened is a sandbox of its own. */
TEST(opened_directories)
{
	char text[64];
	int a = -1, b = -1, fd = -1;

	REQUIRE(begin());
	REQUIRE(guest_open(&g, 3, "a", WK_OFLAG_DIRECTORY, RIGHTS_READ, &a) == WK_WASI_SUCCESS);
	REQUIRE(guest_open(&g, a, "b", WK_OFLAG_DIRECTORY, RIGHTS_READ, &b) == WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, a, "../file", text, sizeof text), PERM);
	CHECK_EQUAL(guest_open(&g, b, "..", WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), PERM);
	CHECK_EQUAL(guest_open(&g, b, "../..", WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), PERM);
	/* Moved deeper or out of the preopened directory by the host, it is still only itself. */
	CHECK(rename(scratch("in/a/b"), scratch("out/other")) == 0);
	CHECK_EQUAL(guest_read_file(&g, b, "../secret", text, sizeof text), PERM);
	CHECK_EQUAL(guest_open(&g, b, "..", WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), PERM);
	CHECK(rename(scratch("out/other"), scratch("in/b")) == 0);
	end();
}

TEST(listing)
{
	bool dots = false;
	uint32_t used = 0;
	struct stat above;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, fd_readdir, 3, GUEST_FREE, 65536, 0, GUEST_OUT), WK_WASI_SUCCESS);
	used = guest_get32(&g, GUEST_OUT);
	REQUIRE(stat(scratch("."), &above) == 0);
	for (uint32_t at = GUEST_FREE; at < GUEST_FREE + used;) {
		uint32_t length = guest_get32(&g, at + WK_DIRENT_LENGTH);

		if (length == 2 && memcmp(guest_at(&g, at + WK_DIRENT_SIZE), "..", 2) == 0) {
			dots = true;
			CHECK(guest_get64(&g, at + WK_DIRENT_INODE) != above.st_ino);
		}
		at += WK_DIRENT_SIZE + length;
	}
	CHECK(dots);
	end();
}

/* /proc is full of links that lead anywhere. Nobody should preopen it; if somebody does, its links stay closed. */
TEST(magic_links)
{
	static const char *const paths[] = { "root/etc/passwd", "root", "cwd", "cwd/.", "fd/0", "exe", "task/../root/etc" };
	struct wk_wasi_preopen preopen = { .host = "/proc/self", .guest = "/" };
	struct wk_wasi_config config = { .preopens = &preopen, .preopen_count = 1 };
	char text[64];

	if (access("/proc/self/root", F_OK) != 0)
		SKIP("no /proc");
	REQUIRE(guest_start(&g, &config));
	for (size_t i = 0; i < WK_COUNT(paths); i++) {
		int error = guest_read_file(&g, 3, paths[i], text, sizeof text);

		CHECK(error == WK_WASI_LOOP || error == PERM || error == WK_WASI_NOENT);
	}
	guest_end(&g);
}

TEST(odd_names)
{
	char text[64], name[300];

	REQUIRE(begin());
	memset(name, 'x', sizeof name);
	name[256] = 0;
	CHECK_EQUAL(guest_read_file(&g, 3, name, text, sizeof text), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, name)), WK_WASI_NAMETOOLONG);
	name[255] = 0;
	CHECK_EQUAL(guest_read_file(&g, 3, name, text, sizeof text), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, name)), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "", text, sizeof text), WK_WASI_NOENT);
	CHECK_EQUAL(guest_read_file(&g, 3, "fil\xff", text, sizeof text), WK_WASI_ILSEQ);
	CHECK_EQUAL(guest_read_file(&g, 3, "\xed\xa0\x80", text, sizeof text), WK_WASI_ILSEQ);
	memcpy(guest_at(&g, GUEST_PATH), "file\0x", 6);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, GUEST_PATH, 5, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, GUEST_PATH, 6, GUEST_OUT), WK_WASI_INVAL);
	memset(guest_at(&g, GUEST_FREE), 'x', 10000);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, GUEST_FREE, 4096, GUEST_OUT), WK_WASI_NAMETOOLONG);
	/* The longest path there is. */
	for (unsigned i = 0; i < 4094; i += 2)
		memcpy(guest_at(&g, GUEST_FREE + i), "./", 2);
	memcpy(guest_at(&g, GUEST_FREE + 4091), "file", 4);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, GUEST_FREE, 4095, GUEST_OUT), WK_WASI_NOENT);
	memcpy(guest_at(&g, GUEST_FREE + 4090), "/file", 5);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, GUEST_FREE, 4095, GUEST_OUT), WK_WASI_SUCCESS);
	end();
}

/* ---- races ---- */

static bool stop;

/* in/swap is in turn a directory of ours and a link to `out`. */
static void *swap_directory(void *unused)
{
	char in[512], link[512], away[512];

	(void)unused;
	snprintf(in, sizeof in, "%s", scratch("in/swap"));
	snprintf(link, sizeof link, "%s", scratch("in/swap_link"));
	snprintf(away, sizeof away, "%s", scratch("in/swap_away"));
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		renameat2(AT_FDCWD, in, AT_FDCWD, link, RENAME_EXCHANGE);
		renameat2(AT_FDCWD, in, AT_FDCWD, link, RENAME_EXCHANGE);
	}
	return NULL;
}

/* in/moving/inner is in turn there and in `out`, where `..` would lead to the secret. */
static void *move_directory(void *unused)
{
	char in[512], out[512];

	(void)unused;
	snprintf(in, sizeof in, "%s", scratch("in/moving/inner"));
	snprintf(out, sizeof out, "%s", scratch("out/inner"));
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		rename(in, out);
		rename(out, in);
	}
	return NULL;
}

static void race(void *(*other)(void *), const char *read, const char *create)
{
	pthread_t thread;
	unsigned good = 0;

	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	REQUIRE(pthread_create(&thread, NULL, other, NULL) == 0);
	for (int i = 0; i < 1000; i++) {
		char text[64];
		int fd = -1;

		if (guest_read_file(&g, 3, read, text, sizeof text) == WK_WASI_SUCCESS) {
			good++;
			CHECK_TEXT(text, "inside");
		}
		if (guest_open(&g, 3, create, WK_OFLAG_CREATE, RIGHTS_WRITE, &fd) == WK_WASI_SUCCESS)
			CALL(&g, fd_close, (uint64_t)fd);
		CALL(&g, path_unlink_file, 3, PATH(&g, read));
		scratch_file("in/again", "inside");
		CALL(&g, path_rename, 3, PATH(&g, "again"), 3, PATH2(&g, read));
		CALL(&g, path_link, 3, 0, PATH(&g, "file"), 3, PATH2(&g, create));
		CALL(&g, path_filestat_set_times, 3, 1, PATH(&g, read), 0, 0, WK_FST_MODIFY_NOW);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("# %u reads met the file inside\n", good);
	CHECK_TEXT(scratch_text("out/secret"), "outside");
	CHECK(!scratch_exists("out/other"));
}

TEST(swapped_for_a_link)
{
	REQUIRE(begin());
	scratch_dir("in/swap");
	scratch_file("in/swap/secret", "inside");
	scratch_link("../out", "in/swap_link");
	race(swap_directory, "swap/secret", "swap/other");
	end();
}

TEST(moved_out_under_our_feet)
{
	REQUIRE(begin());
	scratch_dir("in/moving");
	scratch_dir("in/moving/inner");
	scratch_file("in/moving/secret", "inside");
	race(move_directory, "moving/inner/../secret", "moving/inner/../other");
	remove(scratch("out/inner"));
	end();
}

static void run_all(const char *kind)
{
	printf("# paths: %s\n", kind);
	RUN(opening);
	RUN(links_at_the_end);
	RUN(creating_through_links);
	RUN(absolute_paths);
	RUN(changing_names);
	RUN(trailing_slashes);
	RUN(the_directory_itself);
	RUN(links_of_the_guest);
	RUN(opened_directories);
	RUN(listing);
	RUN(magic_links);
	RUN(odd_names);
	RUN(swapped_for_a_link);
	RUN(moved_out_under_our_feet);
}

int main(void)
{
	guest_system = &wk_wasi_posix_system;
	run_all("openat2, where there is one");
	guest_system = &wk_wasi_posix_walk_system;
	run_all("walk");
	guest_remote = true;
	run_all("through messages");
	return test_end();
}
