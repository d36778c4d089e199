/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and directories: what each operation does, and its errno when it cannot. Everything runs twice: with openat2, and
 * with the walk that replaces it.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"

static struct guest g;

static bool begin(void)
{
	struct wk_wasi_preopen preopens[2] = { { .guest = "/" }, { .guest = "second" } };
	struct wk_wasi_config config = { .preopens = preopens, .preopen_count = 2 };

	scratch_begin();
	scratch_dir("one");
	scratch_dir("two");
	scratch_file("one/file", "0123456789");
	preopens[0].host = scratch("one");
	preopens[1].host = scratch("two");
	return guest_start(&g, &config);
}

static void end(void)
{
	guest_end(&g);
	scratch_end();
}

static int open_all(const char *path, unsigned oflags)
{
	int fd = -1;

	CHECK_EQUAL(guest_open(&g, 3, path, oflags, RIGHTS_ALL, &fd), WK_WASI_SUCCESS);
	return fd;
}

static int open_directory(const char *path)
{
	int fd = -1;

	CHECK_EQUAL(guest_open(&g, 3, path, 0, RIGHTS_READ | WK_RIGHTS_DIRECTORY, &fd), WK_WASI_SUCCESS);
	return fd;
}

static void close_fd(int fd)
{
	CHECK_EQUAL(CALL(&g, fd_close, (uint64_t)fd), WK_WASI_SUCCESS);
}

static uint64_t position(int fd)
{
	CHECK_EQUAL(CALL(&g, fd_tell, (uint64_t)fd, GUEST_OUT), WK_WASI_SUCCESS);
	return guest_get64(&g, GUEST_OUT);
}

static uint64_t stat_field(int fd, uint32_t offset)
{
	CHECK_EQUAL(CALL(&g, fd_filestat_get, (uint64_t)fd, GUEST_OUT), WK_WASI_SUCCESS);
	return guest_get64(&g, GUEST_OUT + offset);
}

/* ---- path_open ---- */

TEST(opening)
{
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(guest_open(&g, 3, "none", 0, RIGHTS_READ, &fd), WK_WASI_NOENT);
	CHECK_EQUAL(guest_open(&g, 3, "none/x", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), WK_WASI_NOENT);
	CHECK_EQUAL(guest_open(&g, 3, "file/x", 0, RIGHTS_READ, &fd), WK_WASI_NOTDIR);
	CHECK_EQUAL(guest_open(&g, 3, "file", WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), WK_WASI_NOTDIR);
	CHECK_EQUAL(guest_open(&g, 3, "file", WK_OFLAG_CREATE | WK_OFLAG_EXCLUSIVE, RIGHTS_WRITE, &fd), WK_WASI_EXIST);
	CHECK_EQUAL(guest_open(&g, 3, ".", 0, RIGHTS_WRITE, &fd), WK_WASI_ISDIR);
	CHECK_EQUAL(guest_open(&g, 3, "new/", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), WK_WASI_ISDIR);
	CHECK_EQUAL(guest_open(&g, 3, "file", 16, RIGHTS_READ, &fd), WK_WASI_INVAL);
	CHECK_EQUAL(guest_open(&g, 3, "file", WK_OFLAG_CREATE | WK_OFLAG_DIRECTORY, RIGHTS_READ, &fd), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_open, 3, 2, PATH(&g, "file"), 0, 0, 0, 0, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, "file"), 0, 0, 0, 32, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(guest_open(&g, 3, "new", WK_OFLAG_CREATE | WK_OFLAG_EXCLUSIVE, RIGHTS_WRITE, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, fd, "abc"), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/new"), "abc");
	close_fd(fd);
	fd = open_all("new", WK_OFLAG_TRUNCATE);
	CHECK_TEXT(scratch_text("one/new"), "");
	close_fd(fd);
	end();
}

TEST(access_modes)
{
	char text[32];
	int fd = -1;

	REQUIRE(begin());
	REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_READ, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read(&g, fd, text, 4), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "012");
	CHECK_EQUAL(guest_write(&g, fd, "x"), WK_WASI_NOTCAPABLE);
	close_fd(fd);
	REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_WRITE, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read(&g, fd, text, 4), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_write(&g, fd, "xy"), WK_WASI_SUCCESS);
	close_fd(fd);
	REQUIRE(guest_open(&g, 3, "file", 0, 0, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read(&g, fd, text, 4), WK_WASI_NOTCAPABLE);
	close_fd(fd);
	fd = open_all("file", 0);
	CHECK_EQUAL(guest_read(&g, fd, text, 4), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "xy2");
	CHECK_EQUAL(guest_write(&g, fd, "ABC"), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/file"), "xy2ABC6789");
	end();
}

/* ---- reading, writing, seeking ---- */

static int transfer(const char *name, int fd, uint64_t offset, uint32_t size)
{
	uint64_t a[5] = { (uint64_t)fd, GUEST_IOV, 1, offset, GUEST_OUT };

	wk_put32(guest_at(&g, GUEST_IOV), GUEST_FREE);
	wk_put32(guest_at(&g, GUEST_IOV + 4), size);
	return guest_call(&g, name, a, 5);
}

TEST(reading_and_writing_elsewhere)
{
	int fd = -1;

	REQUIRE(begin());
	fd = open_all("file", 0);
	CHECK_EQUAL(transfer("fd_pread", fd, 4, 3), WK_WASI_SUCCESS);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "456", 3) == 0);
	CHECK_EQUAL(transfer("fd_pread", fd, 9, 3), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 1);
	CHECK_EQUAL(transfer("fd_pread", fd, 100, 3), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 0);
	CHECK_EQUAL(transfer("fd_pread", fd, UINT64_MAX, 3), WK_WASI_INVAL);
	CHECK_EQUAL(transfer("fd_pread", fd, (uint64_t)INT64_MAX + 1, 3), WK_WASI_INVAL);
	CHECK_EQUAL(transfer("fd_pwrite", fd, UINT64_MAX, 3), WK_WASI_INVAL);
	CHECK_EQUAL(position(fd), 0);
	memcpy(guest_at(&g, GUEST_FREE), "abc", 3);
	CHECK_EQUAL(transfer("fd_pwrite", fd, 12, 3), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LENGTH), 15);
	CHECK_EQUAL(position(fd), 0);
	end();
}

TEST(positions)
{
	int fd = -1;

	REQUIRE(begin());
	fd = open_all("file", 0);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 4, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT), 4);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, (uint64_t)-1, 1, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT), 3);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, (uint64_t)-2, 2, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(position(fd), 8);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 100, 2, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(position(fd), 110);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, (uint64_t)-1, 0, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 0, 3, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 0, 0xffffff00, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(position(fd), 110);
	/* The right to tell is enough to ask. */
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_rights, (uint64_t)fd, WK_RIGHT_FD_TELL, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 0, 1, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 1, 1, GUEST_OUT), WK_WASI_NOTCAPABLE);
	end();
}

TEST(appending)
{
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, "file"), 0, RIGHTS_ALL, 0, WK_WASI_APPEND | WK_WASI_SYNC, GUEST_OUT),
		WK_WASI_SUCCESS);
	fd = (int)guest_get32(&g, GUEST_OUT);
	CHECK_EQUAL(guest_write(&g, fd, "a"), WK_WASI_SUCCESS);
	CHECK_EQUAL(position(fd), 11);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, fd, "b"), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/file"), "0123456789ab");
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, (uint64_t)fd, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT) >> 16, WK_WASI_APPEND | WK_WASI_SYNC);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, (uint64_t)fd, WK_WASI_DSYNC | WK_WASI_RSYNC), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, fd, "c"), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/file"), "c123456789ab");
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, (uint64_t)fd, 32), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, (uint64_t)fd, 0x10000), WK_WASI_INVAL);
	end();
}

/* ---- attributes ---- */

TEST(sizes)
{
	int fd = -1;

	REQUIRE(begin());
	fd = open_all("file", 0);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_size, (uint64_t)fd, 4), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/file"), "0123");
	CHECK_EQUAL(CALL(&g, fd_filestat_set_size, (uint64_t)fd, 100), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LENGTH), 100);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_size, (uint64_t)fd, UINT64_MAX), WK_WASI_FBIG);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, 100, 100), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LENGTH), 200);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, 0, 10), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LENGTH), 200);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, 0, 0), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, 1, INT64_MAX), WK_WASI_FBIG);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, UINT64_MAX, 2), WK_WASI_FBIG);
	for (uint64_t advice = 0; advice < 6; advice++)
		CHECK_EQUAL(CALL(&g, fd_advise, (uint64_t)fd, 0, 100, advice), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_advise, (uint64_t)fd, 0, 100, 6), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_advise, (uint64_t)fd, UINT64_MAX, 1, 0), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_sync, (uint64_t)fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_datasync, (uint64_t)fd), WK_WASI_SUCCESS);
	end();
}

TEST(attributes)
{
	struct stat stat;
	int fd = -1;

	REQUIRE(begin());
	scratch_link("file", "one/link");
	REQUIRE(lstat(scratch("one/file"), &stat) == 0);
	fd = open_all("file", 0);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_DEVICE), stat.st_dev);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_INODE), stat.st_ino);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_TYPE), WK_WASI_REGULAR_FILE);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LINKS), 1);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_LENGTH), 10);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_MODIFIED),
		(uint64_t)stat.st_mtim.tv_sec * 1000000000 + (uint64_t)stat.st_mtim.tv_nsec);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_CHANGED),
		(uint64_t)stat.st_ctim.tv_sec * 1000000000 + (uint64_t)stat.st_ctim.tv_nsec);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 1, PATH(&g, "link"), GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_INODE), stat.st_ino);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "link"), GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_TYPE), WK_WASI_SYMBOLIC_LINK);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_LENGTH), 4);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "none"), GUEST_OUT), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 2, PATH(&g, "file"), GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 3, 0, PATH(&g, "."), GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_TYPE), WK_WASI_DIRECTORY);
	end();
}

TEST(times)
{
	const uint64_t second = 1000000000;
	uint64_t modified = 0;
	struct stat stat;
	int fd = -1;

	REQUIRE(begin());
	scratch_link("file", "one/link");
	fd = open_all("file", 0);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 5 * second + 1, 6 * second + 2, 5), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_ACCESSED), 5 * second + 1);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_MODIFIED), 6 * second + 2);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 1, 7 * second, 4), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_ACCESSED), 5 * second + 1);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_MODIFIED), 7 * second);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 1, 1, 8), WK_WASI_SUCCESS);
	CHECK(stat_field(fd, WK_FILESTAT_MODIFIED) > 1700000000 * second);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 1, 1, 3), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 1, 1, 12), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 1, 1, 16), WK_WASI_INVAL);
	/* By path: the file behind a link, and the link itself. */
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 1, PATH(&g, "link"), 0, 8 * second, 4), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(fd, WK_FILESTAT_MODIFIED), 8 * second);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 0, PATH(&g, "link"), 0, 9 * second, 4), WK_WASI_SUCCESS);
	modified = stat_field(fd, WK_FILESTAT_MODIFIED);
	CHECK_EQUAL(modified, 8 * second);
	CHECK(lstat(scratch("one/link"), &stat) == 0);
	CHECK_EQUAL(stat.st_mtim.tv_sec, 9);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 0, PATH(&g, "file"), 0, 0, 12), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 0, PATH(&g, "none"), 0, 0, 4), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 3, 0, PATH(&g, "."), 0, 3 * second, 4), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, 3, 0, 4 * second, 4), WK_WASI_SUCCESS);
	CHECK_EQUAL(stat_field(3, WK_FILESTAT_MODIFIED), 4 * second);
	end();
}

/* ---- names ---- */

TEST(directories)
{
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "d")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "d")), WK_WASI_EXIST);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "d/e/")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "none/e")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_create_directory, 3, PATH(&g, "file/e")), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "d")), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "file")), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "none")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "d")), WK_WASI_ISDIR);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "d/")), WK_WASI_ISDIR);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "none")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "d/e/")), WK_WASI_SUCCESS);
	/* Removed while it is open. */
	fd = open_directory("d");
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "d")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_create_directory, (uint64_t)fd, PATH(&g, "x")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "file")), WK_WASI_SUCCESS);
	CHECK(!scratch_exists("one/file"));
	end();
}

TEST(renaming)
{
	char text[32];

	REQUIRE(begin());
	scratch_dir("one/d");
	scratch_dir("one/e");
	scratch_file("one/e/x", "");
	scratch_file("one/other", "other");
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), 3, PATH2(&g, "d/moved")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 3, "d/moved", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "0123456789");
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "d/moved"), 3, PATH2(&g, "other")), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("one/other"), "0123456789");
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "other"), 4, PATH2(&g, "file")), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("two/file"), "0123456789");
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "none"), 3, PATH2(&g, "x")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "d"), 3, PATH2(&g, "e")), WK_WASI_NOTEMPTY);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "d"), 3, PATH2(&g, "d/sub")), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "d"), 3, PATH2(&g, "e/x")), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "e/x"), 3, PATH2(&g, "d")), WK_WASI_ISDIR);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "e/x"), 3, PATH2(&g, "new/")), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "e/"), 3, PATH2(&g, "f/")), WK_WASI_SUCCESS);
	CHECK(scratch_exists("one/f/x"));
	end();
}

TEST(links)
{
	char text[32];

	REQUIRE(begin());
	scratch_dir("one/d");
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 4, PATH2(&g, "hard")), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read_file(&g, 4, "hard", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 10);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 4, PATH2(&g, "hard")), WK_WASI_EXIST);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "none"), 4, PATH2(&g, "x")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "d"), 4, PATH2(&g, "x")), WK_WASI_PERM);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "d/../file"), 3, PATH(&g, "soft")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, "soft")), WK_WASI_EXIST);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 3, PATH(&g, "none/soft")), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, ""), 3, PATH(&g, "empty")), WK_WASI_NOENT);
	CHECK_EQUAL(guest_read_file(&g, 3, "soft", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "0123456789");
	CHECK_EQUAL(CALL(&g, path_open, 3, 0, PATH(&g, "soft"), 0, 0, 0, 0, GUEST_OUT), WK_WASI_LOOP);
	memset(guest_at(&g, GUEST_FREE), '#', 20);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "soft"), GUEST_FREE, 20, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 9);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "d/../file#", 10) == 0);
	memset(guest_at(&g, GUEST_FREE), '#', 20);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "soft"), GUEST_FREE, 4, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 4);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "d/..#", 5) == 0);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "soft"), 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "file"), GUEST_FREE, 20, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "none"), GUEST_FREE, 20, GUEST_OUT), WK_WASI_NOENT);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "soft")), WK_WASI_SUCCESS);
	CHECK(scratch_exists("one/file"));
	end();
}

/* ---- listing ---- */

#define MANY 300

/* Reads the directory with a buffer of `size` bytes; every name must come once. */
static unsigned list(int fd, uint32_t size, unsigned *dots)
{
	static bool seen[MANY];
	uint64_t cookie = 0;
	unsigned found = 0;

	memset(seen, 0, sizeof seen);
	*dots = 0;
	for (unsigned rounds = 0; rounds < 10000; rounds++) {
		uint32_t used = 0, at = 0;

		if (!CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, size, cookie, GUEST_OUT), WK_WASI_SUCCESS))
			break;
		used = guest_get32(&g, GUEST_OUT);
		CHECK(used <= size);
		while (used - at >= WK_DIRENT_SIZE) {
			uint32_t entry = GUEST_FREE + at, length = guest_get32(&g, entry + WK_DIRENT_LENGTH);
			char name[256] = "";
			unsigned number = 0;

			if (used - at < WK_DIRENT_SIZE + length)
				break;
			memcpy(name, guest_at(&g, entry + WK_DIRENT_SIZE), length < 255 ? length : 255);
			if (sscanf(name, "name-%u", &number) == 1 && number < MANY) {
				CHECK(!seen[number]);
				seen[number] = true;
				found++;
				CHECK_EQUAL(*(uint8_t *)guest_at(&g, entry + WK_DIRENT_TYPE), WK_WASI_REGULAR_FILE);
			} else {
				*dots += strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
				CHECK_EQUAL(*(uint8_t *)guest_at(&g, entry + WK_DIRENT_TYPE), WK_WASI_DIRECTORY);
			}
			cookie = guest_get64(&g, entry + WK_DIRENT_NEXT);
			at += WK_DIRENT_SIZE + length;
		}
		if (used < size)
			return found;
		CHECK(at != 0);
	}
	return 0;
}

TEST(listing)
{
	static const uint32_t sizes[] = { 40, 64, 100, 1000, 4096, 65536 };
	unsigned dots = 0;
	int fd = -1;

	REQUIRE(begin());
	scratch_dir("one/d");
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof name, "one/d/name-%u", i);
		scratch_file(name, "");
	}
	fd = open_directory("d");
	for (size_t i = 0; i < WK_COUNT(sizes); i++) {
		CHECK_EQUAL(list(fd, sizes[i], &dots), MANY);
		CHECK_EQUAL(dots, 2);
	}
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 0);
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 10, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 10);
	/* Cookies that nobody gave: counted forward to, or behind the end. */
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 100, 150, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_FREE + WK_DIRENT_NEXT), 151);
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 100, MANY + 2, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 0);
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 100, UINT64_MAX, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 0);
	end();
}

/* Removing what was read while reading on, as rm -r does. */
TEST(listing_while_removing)
{
	unsigned removed = 0;
	uint64_t cookie = 0;
	int fd = -1;

	REQUIRE(begin());
	scratch_dir("one/d");
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof name, "one/d/name-%u", i);
		scratch_file(name, "");
	}
	fd = open_directory("d");
	for (unsigned rounds = 0; rounds < 1000; rounds++) {
		uint32_t used = 0, length = 0;

		CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 60, cookie, GUEST_OUT), WK_WASI_SUCCESS);
		used = guest_get32(&g, GUEST_OUT);
		if (used < WK_DIRENT_SIZE)
			break;
		length = guest_get32(&g, GUEST_FREE + WK_DIRENT_LENGTH);
		cookie = guest_get64(&g, GUEST_FREE + WK_DIRENT_NEXT);
		if (length > 2) {
			CHECK_EQUAL(CALL(&g, path_unlink_file, (uint64_t)fd, GUEST_FREE + WK_DIRENT_SIZE, length), WK_WASI_SUCCESS);
			removed++;
		}
	}
	CHECK_EQUAL(removed, MANY);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 3, PATH(&g, "d")), WK_WASI_SUCCESS);
	end();
}

/* ---- what is no regular file ---- */

TEST(fifos_and_devices)
{
	struct wk_wasi_preopen preopen = { .host = "/dev", .guest = "/" };
	struct wk_wasi_config config = { .preopens = &preopen, .preopen_count = 1 };
	char text[32];
	int fd = -1, writer = -1;

	REQUIRE(begin());
	REQUIRE(mkfifo(scratch("one/fifo"), 0666) == 0);
	CHECK_EQUAL(guest_open(&g, 3, "fifo", 0, RIGHTS_WRITE, &fd), WK_WASI_NXIO);
	CHECK_EQUAL(guest_open(&g, 3, "fifo", 0, RIGHTS_READ, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_tell, (uint64_t)fd, GUEST_OUT), WK_WASI_SPIPE);
	writer = open(scratch("one/fifo"), O_WRONLY);
	CHECK(write(writer, "hello", 5) == 5);
	CHECK_EQUAL(guest_read(&g, fd, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "hello");
	close(writer);
	CHECK_EQUAL(guest_read(&g, fd, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	end();
	REQUIRE(guest_start(&g, &config));
	CHECK_EQUAL(guest_open(&g, 3, "null", 0, RIGHTS_ALL, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, fd, "gone"), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read(&g, fd, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(CALL(&g, fd_filestat_get, (uint64_t)fd, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_TYPE), WK_WASI_CHARACTER_DEVICE);
	guest_end(&g);
}

static void run_all(const char *kind)
{
	printf("# paths: %s\n", kind);
	RUN(opening);
	RUN(access_modes);
	RUN(reading_and_writing_elsewhere);
	RUN(positions);
	RUN(appending);
	RUN(sizes);
	RUN(attributes);
	RUN(times);
	RUN(directories);
	RUN(renaming);
	RUN(links);
	RUN(listing);
	RUN(listing_while_removing);
	RUN(fifos_and_devices);
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
