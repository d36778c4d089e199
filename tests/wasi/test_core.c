/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of WASI: guest pointers, rights, the table of descriptors, arguments, clocks, chance, the program's end.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct guest g;
static int sockets[2];

/* 3: a directory, 4: the same read-only, 5: a stream socket; 6: a file in 3. */
static bool begin(void)
{
	static const char *const arguments[] = { "program", "", "two words", "\xc3\xa9" };
	static const char *const environment[] = { "A=1", "EMPTY=" };
	struct wk_wasi_preopen preopens[2] = { { .guest = "/" }, { .guest = "read-only", .read_only = true } };
	struct wk_wasi_config config = { .arguments = arguments, .argument_count = 4, .environment = environment,
		.environment_count = 2, .preopens = preopens, .preopen_count = 2, .sockets = sockets, .socket_count = 1 };
	int fd = -1;

	scratch_begin();
	scratch_file("file", "content");
	scratch_dir("dir");
	scratch_link("file", "link");
	preopens[0].host = preopens[1].host = scratch("");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		abort();
	return guest_start(&g, &config) && guest_open(&g, 3, "file", 0, RIGHTS_ALL, &fd) == WK_WASI_SUCCESS && fd == 6;
}

static void end(void)
{
	guest_end(&g);
	close(sockets[0]);
	close(sockets[1]);
	scratch_end();
}

/* ---- guest pointers ---- */

/* A call that is right, and which of its arguments are pointers to how many bytes. 'V' is a pointer to a list of pieces
 * (length in the next argument), 'P' a pointer to a path of 4 bytes. */
struct shape {
	const char *name;
	const char *kinds;           /* one letter an argument; '.' is a number */
	uint64_t arguments[9];
	unsigned sizes[9];           /* of what '*' points to */
};

static const struct shape shapes[] = {
	{ "args_get", "**", { 0x10000, 0x20000 }, { 16, 22 } },
	{ "args_sizes_get", "**", { 0x10000, 0x20000 }, { 4, 4 } },
	{ "environ_get", "**", { 0x10000, 0x20000 }, { 8, 11 } },
	{ "environ_sizes_get", "**", { 0x10000, 0x20000 }, { 4, 4 } },
	{ "clock_res_get", ".*", { 0, 0x10000 }, { 0, 8 } },
	{ "clock_time_get", "..*", { 0, 0, 0x10000 }, { 0, 0, 8 } },
	{ "fd_advise", "....", { 6, 0, 0, 0 }, { 0 } },
	{ "fd_allocate", "...", { 6, 0, 1 }, { 0 } },
	{ "fd_datasync", ".", { 6 }, { 0 } },
	{ "fd_fdstat_get", ".*", { 6, 0x10000 }, { 0, 24 } },
	{ "fd_fdstat_set_flags", "..", { 6, 0 }, { 0 } },
	{ "fd_fdstat_set_rights", "...", { 5, 0, 0 }, { 0 } },
	{ "fd_filestat_get", ".*", { 6, 0x10000 }, { 0, 64 } },
	{ "fd_filestat_set_size", "..", { 6, 7 }, { 0 } },
	{ "fd_filestat_set_times", "....", { 6, 1, 1, 5 }, { 0 } },
	{ "fd_pread", ".V..*", { 6, 0x10000, 2, 0, 0x20000 }, { 0, 0, 0, 0, 4 } },
	{ "fd_prestat_get", ".*", { 3, 0x10000 }, { 0, 8 } },
	{ "fd_prestat_dir_name", ".*.", { 3, 0x10000, 1 }, { 0, 1 } },
	{ "fd_pwrite", ".V..*", { 6, 0x10000, 2, 0, 0x20000 }, { 0, 0, 0, 0, 4 } },
	{ "fd_read", ".V.*", { 6, 0x10000, 2, 0x20000 }, { 0, 0, 0, 4 } },
	{ "fd_readdir", ".*..*", { 3, 0x10000, 100, 0, 0x20000 }, { 0, 100, 0, 0, 4 } },
	{ "fd_renumber", "..", { 6, 6 }, { 0 } },
	{ "fd_seek", "...*", { 6, 0, 0, 0x10000 }, { 0, 0, 0, 8 } },
	{ "fd_sync", ".", { 6 }, { 0 } },
	{ "fd_tell", ".*", { 6, 0x10000 }, { 0, 8 } },
	{ "fd_write", ".V.*", { 6, 0x10000, 2, 0x20000 }, { 0, 0, 0, 4 } },
	{ "path_create_directory", ".P.", { 3, 0, 4 }, { 0 } },
	{ "path_filestat_get", "..P.*", { 3, 0, 0, 4, 0x10000 }, { 0, 0, 0, 0, 64 } },
	{ "path_filestat_set_times", "..P....", { 3, 0, 0, 4, 0, 0, 0 }, { 0 } },
	{ "path_link", "..P..P.", { 3, 0, 0, 4, 3, 0, 4 }, { 0 } },
	{ "path_open", "..P.....*", { 3, 0, 0, 4, 0, 0, 0, 0, 0x10000 }, { 0, 0, 0, 0, 0, 0, 0, 0, 4 } },
	{ "path_readlink", ".P.*.*", { 3, 0, 4, 0x10000, 100, 0x20000 }, { 0, 0, 0, 100, 0, 4 } },
	{ "path_remove_directory", ".P.", { 3, 0, 4 }, { 0 } },
	{ "path_rename", ".P..P.", { 3, 0, 4, 3, 0, 4 }, { 0 } },
	{ "path_symlink", "P..P.", { 0, 4, 3, 0, 4 }, { 0 } },
	{ "path_unlink_file", ".P.", { 3, 0, 4 }, { 0 } },
	{ "poll_oneoff", "**.*", { 0x10000, 0x20000, 2, 0x30000 }, { 96, 64, 0, 4 } },
	{ "proc_raise", ".", { 0 }, { 0 } },
	{ "random_get", "*.", { 0x10000, 100 }, { 100 } },
	{ "sched_yield", "", { 0 }, { 0 } },
	{ "sock_accept", "..*", { 5, 0, 0x10000 }, { 0, 0, 4 } },
	{ "sock_recv", ".V...*", { 5, 0x10000, 2, 0, 0x20000, 0x30000 }, { 0, 0, 0, 0, 4, 2 } },
	{ "sock_recv", ".V..*.", { 5, 0x10000, 2, 0, 0x20000, 0x30000 }, { 0, 0, 0, 0, 4, 2 } },
	{ "sock_send", ".V..*", { 5, 0x10000, 2, 0, 0x20000 }, { 0, 0, 0, 0, 4 } },
	{ "sock_shutdown", "..", { 5, 1 }, { 0 } },
	{ "fd_close", ".", { 6 }, { 0 } },
};

static void put_piece(uint32_t at, uint32_t address, uint32_t size)
{
	wk_put32(guest_at(&g, at), address);
	wk_put32(guest_at(&g, at + 4), size);
}

/* Calls with one argument replaced; the right ones point to things that are there. */
static int call_with(const struct shape *shape, size_t which, uint64_t value)
{
	uint64_t arguments[9];

	memcpy(arguments, shape->arguments, sizeof arguments);
	for (size_t i = 0; shape->kinds[i]; i++)
		if (shape->kinds[i] == 'P')
			arguments[i] = GUEST_PATH;
	memcpy(guest_at(&g, GUEST_PATH), "none", 4);
	put_piece(0x10000, 0x40000, 1);
	put_piece(0x10008, 0x40001, 1);
	if (which < 9)
		arguments[which] = value;
	return guest_call(&g, shape->name, arguments, strlen(shape->kinds));
}

TEST(pointers_outside)
{
	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(shapes); i++) {
		const struct shape *shape = &shapes[i];

		for (size_t j = 0; shape->kinds[j]; j++) {
			uint32_t size = shape->kinds[j] == '*' ? shape->sizes[j] : shape->kinds[j] == 'V' ? 16 : 4;
			uint32_t bad[] = { GUEST_MEMORY, GUEST_MEMORY - size + 1, 0xffffffff, 0xfffffff0, 0x80000000,
				(uint32_t)-(int32_t)size };

			if (shape->kinds[j] == '.')
				continue;
			for (size_t k = 0; k < WK_COUNT(bad); k++)
				if (!CHECK_EQUAL(call_with(shape, j, bad[k]), GUEST_TRAP))
					printf("# %s, argument %zu = 0x%x\n", shape->name, j, bad[k]);
			CHECK(g.report.trap == WK_TRAP_HOST);
			CHECK(strstr(g.report.text, shape->name) != NULL);
			/* Nothing happened. */
			CHECK_TEXT(scratch_text("file"), "content");
		}
	}
	end();
}

/* Pointers to the last bytes of the memory are good. */
TEST(pointers_at_the_edge)
{
	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(shapes); i++) {
		const struct shape *shape = &shapes[i];

		for (size_t j = 0; shape->kinds[j]; j++) {
			if (shape->kinds[j] != '*' || strncmp(shape->name, "sock", 4) == 0 || strcmp(shape->name, "poll_oneoff") == 0)
				continue;
			if (!CHECK(call_with(shape, j, GUEST_MEMORY - shape->sizes[j]) >= 0))
				printf("# %s, argument %zu\n", shape->name, j);
		}
	}
	end();
}

/* The lists of pieces themselves. */
TEST(pieces)
{
	static const struct { const char *name; uint64_t fd; } calls[] = { { "fd_read", 6 }, { "fd_write", 6 } };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(calls); i++) {
		uint64_t a[4] = { calls[i].fd, 0x10000, 2, 0x20000 };

		put_piece(0x10000, 0x40000, 1);
		put_piece(0x10008, GUEST_MEMORY, 1);
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), GUEST_TRAP);
		put_piece(0x10008, 0xfffffff0, 0x20);
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), GUEST_TRAP);
		put_piece(0x10008, 0x40000, 0xffffffff);
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), GUEST_TRAP);
		put_piece(0x10008, 0xffffffff, 0); /* of no bytes: never looked at */
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), WK_WASI_SUCCESS);
		a[2] = 0;
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), WK_WASI_SUCCESS);
		CHECK_EQUAL(guest_get32(&g, 0x20000), 0);
		a[2] = 0x20000000; /* times 8 is 2^32 */
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), WK_WASI_INVAL);
		a[2] = 0xffffffff;
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), WK_WASI_INVAL);
		a[2] = WK_WASI_IOV_MAX + 1;
		CHECK_EQUAL(guest_call(&g, calls[i].name, a, 4), WK_WASI_INVAL);
	}
	/* 1024 times 4 MiB does not fit the result. */
	for (uint32_t i = 0; i < 1024; i++)
		put_piece(0x10000 + i * 8, 0, GUEST_MEMORY);
	CHECK_EQUAL(CALL(&g, fd_read, 6, 0x10000, 1024, 0x20000), WK_WASI_INVAL);
	/* More than reach the system at once: a short read. */
	for (uint32_t i = 0; i < 1024; i++)
		put_piece(0x10000 + i * 8, 0x40000 + i, i % 2);
	CHECK_EQUAL(CALL(&g, fd_seek, 6, 0, 0, 0x20000), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_read, 6, 0x10000, 1024, 0x20000), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, 0x20000), 7);
	/* A list that the read overwrites. */
	CHECK_EQUAL(CALL(&g, fd_seek, 6, 0, 0, 0x20000), WK_WASI_SUCCESS);
	put_piece(0x10000, 0x10000, 3);
	put_piece(0x10008, 0x10003, 100);
	CHECK_EQUAL(CALL(&g, fd_read, 6, 0x10000, 2, 0x10004), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, 0x10004), 7);
	end();
}

static void drop(int fd, uint64_t base, uint64_t inheriting)
{
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_rights, (uint64_t)fd, base, inheriting), WK_WASI_SUCCESS);
}

/* Any arguments in any order: no crash, nothing outside the scratch folder, and the program goes on. */
TEST(random_calls)
{
	static const uint64_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 64, 100, 255, 4096, GUEST_PATH, GUEST_PATH2,
		GUEST_IOV, 0x10000, 0x20000, 0x30001, GUEST_MEMORY - 8, GUEST_MEMORY, 0x7fffffff, 0xffffffff };
	static const char *const texts[] = { ".", "..", "dir", "file", "link", "dir/../file", "dir/x", "new", "/", "a/b/c" };
	static const uint64_t wide[] = { 0, 1, 7, 100, RIGHTS_ALL, RIGHTS_READ, INT64_MAX, UINT64_MAX };
	uint64_t state = 88172645463325252u;

	REQUIRE(begin());
	/* Not to fill the disk, nor to sleep. */
	drop(3, WK_RIGHTS_DIRECTORY, (WK_RIGHTS_DIRECTORY | WK_RIGHTS_FILE) & ~WK_RIGHT_FD_ALLOCATE);
	drop(6, WK_RIGHTS_FILE & ~WK_RIGHT_FD_ALLOCATE, 0);
	CHECK(shutdown(sockets[1], SHUT_RDWR) == 0);
	CHECK_EQUAL(CALL(&g, fd_close, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_close, 1), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_close, 2), WK_WASI_SUCCESS);
	for (unsigned i = 0; i < 100000; i++) {
		const struct shape *shape = NULL;
		uint64_t a[9] = { 0 };
		size_t count = 0;

		for (size_t j = 0; j < 10; j++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			if (j == 0) {
				shape = &shapes[state % WK_COUNT(shapes)];
				count = strlen(shape->kinds);
			} else if (j <= count && state >> 62 == 0) {
				a[j - 1] = shape->arguments[j - 1];
			} else if (j <= count && state >> 62 == 1) {
				a[j - 1] = wide[state % WK_COUNT(wide)];
			} else if (j <= count) {
				a[j - 1] = numbers[state % WK_COUNT(numbers)];
			}
		}
		guest_put(&g, GUEST_PATH, texts[state % WK_COUNT(texts)]);
		put_piece(GUEST_IOV, 0x10000, 100);
		put_piece(GUEST_IOV + 8, (uint32_t)numbers[state >> 32 & 15], (uint32_t)numbers[state >> 36 & 15]);
		if (strcmp(shape->name, "poll_oneoff") != 0)
			CHECK(guest_call(&g, shape->name, a, count) != GUEST_ERROR);
	}
	end();
}

/* ---- descriptors and rights ---- */

TEST(descriptors_not_open)
{
	static const uint64_t numbers[] = { 7, 8, 1000, 100000, 0x7fffffff, 0x80000000, 0xffffffff };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(shapes); i++) {
		const struct shape *shape = &shapes[i];

		for (size_t k = 0; k < WK_COUNT(numbers); k++)
			if (strncmp(shape->name, "fd_", 3) == 0 || strncmp(shape->name, "sock_", 5) == 0 ||
			    (strncmp(shape->name, "path_", 5) == 0 && strcmp(shape->name, "path_symlink") != 0))
				if (!CHECK_EQUAL(call_with(shape, 0, numbers[k]), WK_WASI_BADF))
					printf("# %s\n", shape->name);
	}
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 7, PATH(&g, "y")), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH2(&g, "x"), 7, PATH(&g, "y")), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH2(&g, "x"), 7, PATH(&g, "y")), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, fd_renumber, 6, 7), WK_WASI_BADF);
	end();
}

/* Operations on the wrong sort of thing. */
TEST(wrong_sorts)
{
	static const char *const file_only[] = { "fd_advise", "fd_allocate", "fd_datasync", "fd_fdstat_set_flags",
		"fd_filestat_set_size", "fd_pread", "fd_pwrite", "fd_read", "fd_seek", "fd_sync", "fd_tell", "fd_write" };
	static const char *const seekable_only[] = { "fd_advise", "fd_allocate", "fd_pread", "fd_pwrite", "fd_seek",
		"fd_tell" };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(shapes); i++) {
		const struct shape *shape = &shapes[i];

		for (size_t k = 0; k < WK_COUNT(file_only); k++)
			if (strcmp(shape->name, file_only[k]) == 0)
				CHECK_EQUAL(call_with(shape, 0, 3), WK_WASI_BADF);
		for (size_t k = 0; k < WK_COUNT(seekable_only); k++)
			if (strcmp(shape->name, seekable_only[k]) == 0)
				CHECK_EQUAL(call_with(shape, 0, 5), WK_WASI_SPIPE);
		if (strncmp(shape->name, "sock_", 5) == 0)
			CHECK_EQUAL(call_with(shape, 0, 6), WK_WASI_NOTSOCK);
		if (strncmp(shape->name, "path_", 5) == 0 && strcmp(shape->name, "path_symlink") != 0)
			CHECK_EQUAL(call_with(shape, 0, 6), WK_WASI_NOTDIR);
		if (strcmp(shape->name, "fd_readdir") == 0)
			CHECK_EQUAL(call_with(shape, 0, 6), WK_WASI_NOTDIR);
		if (strncmp(shape->name, "fd_prestat", 10) == 0) {
			CHECK_EQUAL(call_with(shape, 0, 6), WK_WASI_BADF);
			CHECK_EQUAL(call_with(shape, 0, 0), WK_WASI_BADF);
			CHECK_EQUAL(call_with(shape, 0, 5), WK_WASI_BADF);
		}
	}
	end();
}

TEST(rights_of_files)
{
	static const struct { uint64_t right; const char *name; } uses[] = {
		{ WK_RIGHT_FD_DATASYNC, "fd_datasync" }, { WK_RIGHT_FD_READ, "fd_read" }, { WK_RIGHT_FD_READ, "fd_pread" },
		{ WK_RIGHT_FD_SEEK, "fd_pread" }, { WK_RIGHT_FD_SEEK, "fd_pwrite" }, { WK_RIGHT_FD_SEEK, "fd_seek" },
		{ WK_RIGHT_FD_FDSTAT_SET_FLAGS, "fd_fdstat_set_flags" }, { WK_RIGHT_FD_SYNC, "fd_sync" },
		{ WK_RIGHT_FD_TELL, "fd_tell" }, { WK_RIGHT_FD_WRITE, "fd_write" }, { WK_RIGHT_FD_WRITE, "fd_pwrite" },
		{ WK_RIGHT_FD_ADVISE, "fd_advise" }, { WK_RIGHT_FD_ALLOCATE, "fd_allocate" },
		{ WK_RIGHT_FD_FILESTAT_GET, "fd_filestat_get" }, { WK_RIGHT_FD_FILESTAT_SET_SIZE, "fd_filestat_set_size" },
		{ WK_RIGHT_FD_FILESTAT_SET_TIMES, "fd_filestat_set_times" } };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(uses); i++) {
		int fd = -1;
		uint64_t base = 0;

		REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_ALL, &fd) == WK_WASI_SUCCESS);
		CALL(&g, fd_fdstat_get, (uint64_t)fd, GUEST_OUT);
		base = guest_get64(&g, GUEST_OUT + WK_FDSTAT_BASE);
		CHECK_EQUAL(base, WK_RIGHTS_FILE);
		for (size_t k = 0; k < WK_COUNT(shapes); k++) {
			if (strcmp(shapes[k].name, uses[i].name) != 0)
				continue;
			CHECK_EQUAL(call_with(&shapes[k], 0, (uint64_t)fd), WK_WASI_SUCCESS);
			drop(fd, base & ~uses[i].right, 0);
			CHECK_EQUAL(call_with(&shapes[k], 0, (uint64_t)fd), WK_WASI_NOTCAPABLE);
			CHECK_EQUAL(CALL(&g, fd_fdstat_set_rights, (uint64_t)fd, base, 0), WK_WASI_NOTCAPABLE);
		}
		CHECK_EQUAL(CALL(&g, fd_close, (uint64_t)fd), WK_WASI_SUCCESS);
	}
	end();
}

TEST(rights_of_directories)
{
	static const struct { uint64_t right; const char *name; size_t fd; } uses[] = {
		{ WK_RIGHT_PATH_CREATE_DIRECTORY, "path_create_directory", 0 }, { WK_RIGHT_PATH_LINK_SOURCE, "path_link", 0 },
		{ WK_RIGHT_PATH_LINK_TARGET, "path_link", 4 }, { WK_RIGHT_PATH_OPEN, "path_open", 0 },
		{ WK_RIGHT_FD_READDIR, "fd_readdir", 0 }, { WK_RIGHT_PATH_READLINK, "path_readlink", 0 },
		{ WK_RIGHT_PATH_RENAME_SOURCE, "path_rename", 0 }, { WK_RIGHT_PATH_RENAME_TARGET, "path_rename", 3 },
		{ WK_RIGHT_PATH_FILESTAT_GET, "path_filestat_get", 0 },
		{ WK_RIGHT_PATH_FILESTAT_SET_TIMES, "path_filestat_set_times", 0 },
		{ WK_RIGHT_FD_FILESTAT_GET, "fd_filestat_get", 0 },
		{ WK_RIGHT_FD_FILESTAT_SET_TIMES, "fd_filestat_set_times", 0 }, { WK_RIGHT_PATH_SYMLINK, "path_symlink", 2 },
		{ WK_RIGHT_PATH_REMOVE_DIRECTORY, "path_remove_directory", 0 },
		{ WK_RIGHT_PATH_UNLINK_FILE, "path_unlink_file", 0 } };

	REQUIRE(begin());
	for (size_t i = 0; i < WK_COUNT(uses); i++) {
		int fd = -1;

		REQUIRE(guest_open(&g, 3, "dir", WK_OFLAG_DIRECTORY, RIGHTS_READ | WK_RIGHTS_DIRECTORY, &fd) == WK_WASI_SUCCESS);
		drop(fd, WK_RIGHTS_DIRECTORY & ~uses[i].right, 0);
		for (size_t k = 0; k < WK_COUNT(shapes); k++)
			if (strcmp(shapes[k].name, uses[i].name) == 0)
				CHECK_EQUAL(call_with(&shapes[k], uses[i].fd, (uint64_t)fd), WK_WASI_NOTCAPABLE);
		CHECK_EQUAL(CALL(&g, fd_close, (uint64_t)fd), WK_WASI_SUCCESS);
	}
	end();
}

TEST(rights_are_inherited)
{
	int dir = -1, fd = -1;

	REQUIRE(begin());
	scratch_file("dir/inner", "x");
	REQUIRE(guest_open(&g, 3, "dir", WK_OFLAG_DIRECTORY, RIGHTS_READ | WK_RIGHTS_DIRECTORY, &dir) == WK_WASI_SUCCESS);
	drop(dir, WK_RIGHTS_DIRECTORY, WK_RIGHT_FD_READ | WK_RIGHT_FD_SEEK);
	CHECK_EQUAL(guest_open(&g, dir, "inner", 0, RIGHTS_ALL, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, dir, "inner", 0, RIGHTS_READ, &fd), WK_WASI_SUCCESS);
	CALL(&g, fd_fdstat_get, (uint64_t)fd, GUEST_OUT);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FDSTAT_BASE), WK_RIGHT_FD_READ | WK_RIGHT_FD_SEEK);
	end();
}

/* Creating and truncating are rights of the directory. */
TEST(rights_to_open)
{
	int fd = -1;

	REQUIRE(begin());
	drop(3, WK_RIGHTS_DIRECTORY & ~(WK_RIGHT_PATH_CREATE_FILE | WK_RIGHT_PATH_FILESTAT_SET_SIZE), RIGHTS_ALL &
		(WK_RIGHTS_DIRECTORY | WK_RIGHTS_FILE));
	CHECK_EQUAL(guest_open(&g, 3, "new", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 3, "file", WK_OFLAG_TRUNCATE, RIGHTS_WRITE, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 3, "file", WK_OFLAG_CREATE, RIGHTS_WRITE, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 3, "file", 0, RIGHTS_WRITE, &fd), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("file"), "content");
	CHECK(!scratch_exists("new"));
	end();
}

TEST(read_only)
{
	char text[64];
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(guest_read_file(&g, 4, "file", text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "content");
	CHECK_EQUAL(guest_open(&g, 4, "file", 0, RIGHTS_WRITE, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 4, "file", WK_OFLAG_TRUNCATE, RIGHTS_READ, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 4, "new", WK_OFLAG_CREATE, RIGHTS_READ, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_create_directory, 4, PATH(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 4, PATH(&g, "dir")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 4, PATH(&g, "file")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "x"), 4, PATH(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_rename, 4, PATH(&g, "file"), 3, PATH2(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), 4, PATH2(&g, "new")), WK_WASI_NOTCAPABLE);
	/* A link elsewhere would be a way to write. */
	CHECK_EQUAL(CALL(&g, path_link, 4, 0, PATH(&g, "file"), 3, PATH2(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 4, PATH2(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 4, 0, PATH(&g, "file"), 0, 0, 10), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, 4, 0, 0, 10), WK_WASI_NOTCAPABLE);
	/* And below. */
	REQUIRE(guest_open(&g, 4, "dir", WK_OFLAG_DIRECTORY, RIGHTS_READ | WK_RIGHTS_DIRECTORY, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_create_directory, (uint64_t)fd, PATH(&g, "new")), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, fd, "new", WK_OFLAG_CREATE, RIGHTS_READ, &fd), WK_WASI_NOTCAPABLE);
	REQUIRE(guest_open(&g, 4, "file", 0, RIGHTS_READ, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_size, (uint64_t)fd, 0), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)fd, 0, 100), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)fd, 0, 0, 10), WK_WASI_NOTCAPABLE);
	CHECK_TEXT(scratch_text("file"), "content");
	end();
}

TEST(descriptor_table)
{
	int fd = -1, next = -1;

	REQUIRE(begin());
	REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_READ, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(fd, 7);
	CHECK_EQUAL(CALL(&g, fd_close, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_close, 6), WK_WASI_BADF);
	REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_READ, &next) == WK_WASI_SUCCESS);
	CHECK_EQUAL(next, 6); /* the lowest free one */
	CHECK_EQUAL(CALL(&g, fd_renumber, 7, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_tell, 7, GUEST_OUT), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, fd_tell, 6, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_renumber, 6, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_tell, 6, GUEST_OUT), WK_WASI_SUCCESS);
	/* A preopened directory keeps its name when it moves. */
	CHECK_EQUAL(CALL(&g, fd_renumber, 4, 6), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_prestat_get, 4, GUEST_OUT), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, fd_prestat_get, 6, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT + 4), 9);
	CHECK_EQUAL(CALL(&g, fd_prestat_dir_name, 6, GUEST_FREE, 8), WK_WASI_NAMETOOLONG);
	CHECK_EQUAL(CALL(&g, fd_prestat_dir_name, 6, GUEST_FREE, 9), WK_WASI_SUCCESS);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "read-only", 9) == 0);
	for (unsigned i = 0; i < 2000; i++)
		if (guest_open(&g, 3, "file", 0, 0, &fd) != WK_WASI_SUCCESS)
			break;
	CHECK_EQUAL(guest_open(&g, 3, "file", 0, 0, &fd), WK_WASI_MFILE);
	CHECK(fd < (int)WK_WASI_FD_MAX);
	end();
}

TEST(standard_streams_closed)
{
	static const int streams[3] = { -1, 1, 12345 };
	struct wk_wasi_preopen preopen = { .guest = "/" };
	struct wk_wasi_config config = { .stdio = streams, .preopens = &preopen, .preopen_count = 1 };
	int fd = -1;

	scratch_begin();
	scratch_file("file", "");
	preopen.host = scratch("");
	REQUIRE(guest_start(&g, &config));
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 0, GUEST_OUT), WK_WASI_BADF);
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 1, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 2, GUEST_OUT), WK_WASI_BADF);
	CHECK_EQUAL(guest_write(&g, 2, "lost"), WK_WASI_BADF);
	/* Files that the guest opens do not become standard streams by accident. */
	REQUIRE(guest_open(&g, 3, "file", 0, RIGHTS_WRITE, &fd) == WK_WASI_SUCCESS);
	CHECK_EQUAL(fd, 4);
	guest_end(&g);
	scratch_end();
}

TEST(configuration_errors)
{
	struct wk_wasi_preopen preopen = { .host = "/does/not/exist", .guest = "/" };
	struct wk_wasi_config config = { .preopens = &preopen, .preopen_count = 1 };
	static const int not_sockets[2] = { 0, 12345 };

	CHECK(!guest_start(&g, &config));
	CHECK_EQUAL(g.report.status, WK_IO);
	CHECK(strstr(g.report.text, "/does/not/exist") != NULL);
	guest_end(&g);
	preopen.host = "/dev/null";
	CHECK(!guest_start(&g, &config));
	CHECK(strstr(g.report.text, "not a directory") != NULL);
	guest_end(&g);
	preopen = (struct wk_wasi_preopen){ .host = "/", .guest = "\xff" };
	CHECK(!guest_start(&g, &config));
	CHECK_EQUAL(g.report.status, WK_BAD_ARGUMENT);
	guest_end(&g);
	config = (struct wk_wasi_config){ .sockets = not_sockets, .socket_count = 1 };
	CHECK(!guest_start(&g, &config));
	CHECK_EQUAL(g.report.status, WK_IO);
	guest_end(&g);
	config.sockets = not_sockets + 1;
	CHECK(!guest_start(&g, &config));
	CHECK(strstr(g.report.text, "12345") != NULL);
	guest_end(&g);
}

/* ---- memory ---- */

static size_t allowed, allocated;

static void *scarce_alloc(void *context, size_t size)
{
	(void)context;
	return allocated++ < allowed ? aligned_alloc(16, (size + 15) / 16 * 16) : NULL;
}

static void scarce_free(void *context, void *block, size_t size)
{
	(void)context, (void)size;
	free(block);
}

/* Every allocation of wk_wasi_new fails once; what was opened before is closed again. */
TEST(no_memory)
{
	static const char *const strings[] = { "a", "b" };
	const struct wk_allocator allocator = { .alloc = scarce_alloc, .free = scarce_free };
	struct wk_keep_config keep_config = { .allocator = &allocator };
	struct wk_wasi_preopen preopens[] = { { .host = "/", .guest = "a" }, { .host = "/", .guest = "b" },
		{ .host = "/", .guest = "c" }, { .host = "/", .guest = "d" }, { .host = "/", .guest = "e" },
		{ .host = "/", .guest = "f" } };
	struct wk_wasi_config config = { .arguments = strings, .argument_count = 2, .environment = strings,
		.environment_count = 2, .preopens = preopens, .preopen_count = 6 };
	struct wk_keep *keep = NULL;
	struct wk_store *store = NULL;
	struct wk_wasi *wasi = NULL;
	struct wk_report report;
	enum wk_status status = WK_NO_MEMORY;
	unsigned failures = 0;
	int before = open("/", O_RDONLY), after = -1;

	allowed = SIZE_MAX;
	REQUIRE(wk_keep_new(&keep_config, &keep) == WK_OK && wk_store_new(keep, NULL, &store) == WK_OK);
	for (allowed = 0; status != WK_OK && allowed < 100; allowed++) {
		allocated = 0;
		wk_report_clear(&report);
		status = wk_wasi_new(store, &config, &report, &wasi);
		failures += status == WK_NO_MEMORY;
		CHECK(status == WK_OK || status == WK_NO_MEMORY);
		CHECK_EQUAL(report.status, status);
	}
	CHECK(failures >= 6);
	wk_wasi_delete(wasi);
	after = open("/", O_RDONLY);
	CHECK_EQUAL(after, before + 1); /* nothing is left open */
	close(after);
	close(before);
	wk_store_delete(store);
	wk_keep_delete(keep);
}

/* ---- the program ---- */

TEST(arguments)
{
	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, args_sizes_get, 0x10000, 0x10004), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, 0x10000), 4);
	CHECK_EQUAL(guest_get32(&g, 0x10004), 8 + 1 + 10 + 3);
	CHECK_EQUAL(CALL(&g, args_get, 0x10000, 0x20000), WK_WASI_SUCCESS);
	CHECK_TEXT((char *)guest_at(&g, guest_get32(&g, 0x10000)), "program");
	CHECK_TEXT((char *)guest_at(&g, guest_get32(&g, 0x10004)), "");
	CHECK_TEXT((char *)guest_at(&g, guest_get32(&g, 0x10008)), "two words");
	CHECK_TEXT((char *)guest_at(&g, guest_get32(&g, 0x1000c)), "\xc3\xa9");
	CHECK_EQUAL(CALL(&g, environ_sizes_get, 0x10000, 0x10004), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, 0x10000), 2);
	CHECK_EQUAL(guest_get32(&g, 0x10004), 4 + 7);
	CHECK_EQUAL(CALL(&g, environ_get, 0x10000, 0x20000), WK_WASI_SUCCESS);
	CHECK_TEXT((char *)guest_at(&g, guest_get32(&g, 0x10004)), "EMPTY=");
	/* Pointers that overlap with what they point to do harm to nobody else. */
	CHECK_EQUAL(CALL(&g, args_get, 0x10000, 0x10000), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, args_sizes_get, 0x10000, 0x10000), WK_WASI_SUCCESS);
	end();
}

TEST(clocks)
{
	uint64_t before = 0;

	REQUIRE(begin());
	for (uint64_t clock = 0; clock < 4; clock++) {
		CHECK_EQUAL(CALL(&g, clock_res_get, clock, GUEST_OUT), WK_WASI_SUCCESS);
		CHECK(guest_get64(&g, GUEST_OUT) > 0 && guest_get64(&g, GUEST_OUT) <= 1000000000);
		CHECK_EQUAL(CALL(&g, clock_time_get, clock, 0, GUEST_OUT), WK_WASI_SUCCESS);
		before = guest_get64(&g, GUEST_OUT);
		CHECK_EQUAL(CALL(&g, clock_time_get, clock, UINT64_MAX, GUEST_OUT), WK_WASI_SUCCESS);
		CHECK(guest_get64(&g, GUEST_OUT) >= before);
	}
	CHECK_EQUAL(CALL(&g, clock_time_get, 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK(guest_get64(&g, GUEST_OUT) > UINT64_C(1700000000000000000));
	CHECK_EQUAL(CALL(&g, clock_res_get, 4, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, clock_time_get, 0xffffffff, 0, GUEST_OUT), WK_WASI_INVAL);
	end();
}

TEST(chance)
{
	uint8_t *bytes = NULL;
	unsigned seen = 0;

	REQUIRE(begin());
	bytes = guest_at(&g, 0x10000);
	memset(bytes, 0, 200001);
	CHECK_EQUAL(CALL(&g, random_get, 0x10000, 200000), WK_WASI_SUCCESS);
	for (size_t i = 0; i < 200000; i++)
		seen |= 1u << (bytes[i] & 31);
	CHECK_EQUAL(seen, UINT32_MAX);
	CHECK(memcmp(bytes, bytes + 100000, 64) != 0);
	CHECK_EQUAL(bytes[200000], 0);
	CHECK_EQUAL(CALL(&g, random_get, 0xffffffff, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, random_get, 0, GUEST_MEMORY), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, random_get, 1, GUEST_MEMORY), GUEST_TRAP);
	end();
}

TEST(the_end)
{
	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, proc_exit, 42), GUEST_EXIT);
	CHECK_EQUAL(wk_store_exit_code(g.store), 42);
	CHECK_EQUAL(CALL(&g, proc_exit, 0xffffffff), GUEST_EXIT);
	CHECK_EQUAL(wk_store_exit_code(g.store), 0xffffffff);
	CHECK_EQUAL(CALL(&g, proc_raise, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, proc_raise, 16), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, proc_raise, 18), WK_WASI_NOTSUP);
	CHECK_EQUAL(CALL(&g, proc_raise, 31), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, proc_raise, 256 + 6), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, proc_raise, 6), GUEST_TRAP);
	CHECK(strstr(g.report.text, "SIGABRT") != NULL);
	CHECK_EQUAL(guest_call(&g, "sched_yield", NULL, 0), WK_WASI_SUCCESS);
	end();
}

int main(void)
{
	RUN(pointers_outside);
	RUN(pointers_at_the_edge);
	RUN(pieces);
	RUN(random_calls);
	RUN(descriptors_not_open);
	RUN(wrong_sorts);
	RUN(rights_of_files);
	RUN(rights_of_directories);
	RUN(rights_are_inherited);
	RUN(rights_to_open);
	RUN(read_only);
	RUN(descriptor_table);
	RUN(standard_streams_closed);
	RUN(configuration_errors);
	RUN(no_memory);
	RUN(arguments);
	RUN(clocks);
	RUN(chance);
	RUN(the_end);
	return test_end();
}
