/* SPDX-License-Identifier: Apache-2.0
 * Imports all 46 functions with the types of preview 1, so that linking checks the types, and calls each. The parameters
 * are written out here: wasi-libc's header (of 2022) lacks proc_raise. With the argument "trap" it passes a pointer that
 * leads outside. */
#include "guest.h"

#include <stdint.h>

#define IMPORT(name, ...) \
	int32_t raw_##name(__VA_ARGS__) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

IMPORT(args_get, void *, void *);
IMPORT(args_sizes_get, void *, void *);
IMPORT(environ_get, void *, void *);
IMPORT(environ_sizes_get, void *, void *);
IMPORT(clock_res_get, int, void *);
IMPORT(clock_time_get, int, uint64_t, void *);
IMPORT(fd_advise, int, uint64_t, uint64_t, int);
IMPORT(fd_allocate, int, uint64_t, uint64_t);
IMPORT(fd_close, int);
IMPORT(fd_datasync, int);
IMPORT(fd_fdstat_get, int, void *);
IMPORT(fd_fdstat_set_flags, int, int);
IMPORT(fd_fdstat_set_rights, int, uint64_t, uint64_t);
IMPORT(fd_filestat_get, int, void *);
IMPORT(fd_filestat_set_size, int, uint64_t);
IMPORT(fd_filestat_set_times, int, uint64_t, uint64_t, int);
IMPORT(fd_pread, int, const void *, int, uint64_t, void *);
IMPORT(fd_prestat_get, int, void *);
IMPORT(fd_prestat_dir_name, int, void *, int);
IMPORT(fd_pwrite, int, const void *, int, uint64_t, void *);
IMPORT(fd_read, int, const void *, int, void *);
IMPORT(fd_readdir, int, void *, int, uint64_t, void *);
IMPORT(fd_renumber, int, int);
IMPORT(fd_seek, int, int64_t, int, void *);
IMPORT(fd_sync, int);
IMPORT(fd_tell, int, void *);
IMPORT(fd_write, int, const void *, int, void *);
IMPORT(path_create_directory, int, const char *, int);
IMPORT(path_filestat_get, int, int, const char *, int, void *);
IMPORT(path_filestat_set_times, int, int, const char *, int, uint64_t, uint64_t, int);
IMPORT(path_link, int, int, const char *, int, int, const char *, int);
IMPORT(path_open, int, int, const char *, int, int, uint64_t, uint64_t, int, void *);
IMPORT(path_readlink, int, const char *, int, void *, int, void *);
IMPORT(path_remove_directory, int, const char *, int);
IMPORT(path_rename, int, const char *, int, int, const char *, int);
IMPORT(path_symlink, const char *, int, int, const char *, int);
IMPORT(path_unlink_file, int, const char *, int);
IMPORT(poll_oneoff, const void *, void *, int, void *);
IMPORT(proc_raise, int);
IMPORT(sched_yield, void);
IMPORT(random_get, void *, int);
IMPORT(sock_accept, int, int, void *);
IMPORT(sock_recv, int, const void *, int, int, void *, void *);
IMPORT(sock_send, int, const void *, int, int, void *);
IMPORT(sock_shutdown, int, int);
void raw_proc_exit(int) __attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn));

enum { SUCCESS = 0, BADF = 8, INVAL = 28, NOTDIR = 54, NOTSOCK = 57, SPIPE = 70 };

static uint64_t out[16];
static char buffer[4096];

static void all_functions(void)
{
	struct { const void *data; uint32_t size; } piece = { buffer, 5 };
	struct { uint64_t userdata, tag, clock, timeout, precision, flags; } wait = { .clock = 1, .timeout = 1000 };
	uint32_t fd = 0;

	CHECK(raw_args_sizes_get(&out[0], &out[1]) == SUCCESS && raw_args_get(out, buffer) == SUCCESS);
	CHECK(raw_environ_sizes_get(&out[0], &out[1]) == SUCCESS && raw_environ_get(out, buffer) == SUCCESS);
	CHECK(raw_clock_res_get(1, out) == SUCCESS && raw_clock_time_get(1, 1, out) == SUCCESS);
	CHECK(raw_fd_prestat_get(3, out) == SUCCESS && ((uint32_t *)out)[1] == 1);
	CHECK(raw_fd_prestat_dir_name(3, buffer, 1) == SUCCESS && buffer[0] == '/');
	CHECK(raw_path_open(3, 1, "raw", 3, 1, ~0ull >> 34, 0, 0, &fd) == SUCCESS && fd > 3);
	memcpy(buffer, "bytes", 5);
	CHECK(raw_fd_write((int)fd, &piece, 1, out) == SUCCESS && *(uint32_t *)out == 5);
	CHECK(raw_fd_pwrite((int)fd, &piece, 1, 5, out) == SUCCESS && *(uint32_t *)out == 5);
	CHECK(raw_fd_tell((int)fd, out) == SUCCESS && out[0] == 5);
	CHECK(raw_fd_seek((int)fd, -3, 1, out) == SUCCESS && out[0] == 2);
	CHECK(raw_fd_read((int)fd, &piece, 1, out) == SUCCESS && memcmp(buffer, "tesby", 5) == 0);
	CHECK(raw_fd_pread((int)fd, &piece, 1, 8, out) == SUCCESS && *(uint32_t *)out == 2);
	CHECK(raw_fd_advise((int)fd, 0, 1, 0) == SUCCESS && raw_fd_allocate((int)fd, 0, 20) == SUCCESS);
	CHECK(raw_fd_datasync((int)fd) == SUCCESS && raw_fd_sync((int)fd) == SUCCESS);
	CHECK(raw_fd_fdstat_get((int)fd, out) == SUCCESS && (out[0] & 0xff) == 4);
	CHECK(raw_fd_fdstat_set_flags((int)fd, 1) == SUCCESS);
	CHECK(raw_fd_filestat_set_size((int)fd, 3) == SUCCESS && raw_fd_filestat_get((int)fd, out) == SUCCESS && out[4] == 3);
	CHECK(raw_fd_filestat_set_times((int)fd, 0, 9000, 4) == SUCCESS);
	CHECK(raw_path_filestat_get(3, 0, "raw", 3, out) == SUCCESS && out[6] == 9000);
	CHECK(raw_path_filestat_set_times(3, 0, "raw", 3, 0, 8000, 4) == SUCCESS);
	CHECK(raw_fd_fdstat_set_rights((int)fd, 2, 0) == SUCCESS);
	CHECK(raw_path_open(3, 1, "raw", 3, 0, 2, 0, 0, out) == SUCCESS);
	CHECK(raw_fd_renumber(*(int *)out, (int)fd) == SUCCESS && raw_fd_close((int)fd) == SUCCESS);
	CHECK(raw_fd_readdir(3, buffer, sizeof buffer, 0, out) == SUCCESS && *(uint32_t *)out > 48);
	CHECK(raw_path_link(3, 0, "raw", 3, 3, "hard", 4) == SUCCESS);
	CHECK(raw_path_symlink("raw", 3, 3, "soft", 4) == SUCCESS);
	CHECK(raw_path_readlink(3, "soft", 4, buffer, 10, out) == SUCCESS && *(uint32_t *)out == 3);
	CHECK(raw_path_rename(3, "hard", 4, 3, "hart", 4) == SUCCESS);
	CHECK(raw_path_unlink_file(3, "hart", 4) == SUCCESS && raw_path_unlink_file(3, "soft", 4) == SUCCESS);
	CHECK(raw_path_unlink_file(3, "raw", 3) == SUCCESS);
	CHECK(raw_path_create_directory(3, "dir", 3) == SUCCESS && raw_path_remove_directory(3, "dir", 3) == SUCCESS);
	CHECK(raw_poll_oneoff(&wait, buffer, 1, out) == SUCCESS && *(uint32_t *)out == 1);
	CHECK(raw_random_get(buffer, 100) == SUCCESS && raw_sched_yield() == SUCCESS && raw_proc_raise(0) == SUCCESS);
	CHECK(raw_sock_accept(3, 0, out) == NOTSOCK && raw_sock_shutdown(99, 1) == BADF);
	CHECK(raw_sock_recv(3, &piece, 1, 0, out, out + 1) == NOTSOCK && raw_sock_send(3, &piece, 1, 0, out) == NOTSOCK);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "trap") == 0)
		raw_fd_write(1, (void *)0xfffffff0, 2, out);
	if (argc > 1 && strcmp(argv[1], "raise") == 0)
		raw_proc_raise(6);
	RUN(all_functions);
	fflush(stdout);
	raw_proc_exit(0);
}
