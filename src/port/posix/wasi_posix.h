/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI on Linux: what its three files share. The operations are described in wasi/system.h.
 *
 *	wasi_system.c  the table of operations, opening, attributes, directories, time
 *	wasi_path.c    the sandbox: from a directory and a path to a file descriptor, or to a directory and a name
 *	wasi_io.c      reading, writing, sockets, waiting
 *
 * An object's handle is a file descriptor, always close-on-exec. The context is NULL, or &wk_wasi_posix_walk_only.
 */
#ifndef WK_PORT_POSIX_WASI_H
#define WK_PORT_POSIX_WASI_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE first"
#endif
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "wasi/system.h"

/* The context that resolves paths by walking although the kernel may have openat2: for tests. */
extern char wk_wasi_posix_walk_only;
/* The systems: openat2 where the kernel has it, and the walk only. */
extern const struct wk_wasi_system wk_wasi_posix_system;
extern const struct wk_wasi_system wk_wasi_posix_walk_system;

/* Sorts of objects, kept in wk_wasi_object.detail. */
enum wk_wasi_posix_detail {
	WK_POSIX_PLAIN,           /* regular files, directories, devices: never wait, or not for others */
	WK_POSIX_DEVICE,          /* a character device that is no terminal: polled before it is read */
	WK_POSIX_TERMINAL,
	WK_POSIX_PIPE,
	WK_POSIX_PIPE_POLLED,     /* a pipe that does not know RWF_NOWAIT */
	WK_POSIX_SOCKET
};

enum wk_wasi_errno wk_posix_errno(int error);
/* Finds out what a descriptor is. */
enum wk_wasi_errno wk_posix_describe(int fd, struct wk_wasi_object *object);
enum wk_wasi_type wk_posix_type(mode_t mode);

static inline int wk_posix_fd(const struct wk_wasi_object *object)
{
	return (int)object->handle;
}

/* ---- wasi_path.c ---- */

/* open() beneath a directory; O_CLOEXEC is added. `follow`: a symbolic link at the end. -1 with errno: EPERM when the
 * path leads out. With O_PATH and without `follow` the descriptor may be of a symbolic link. */
int wk_posix_open_beneath(void *context, int directory, const char *path, int flags, mode_t mode, bool follow);

/* Where an operation on a name happens. */
struct wk_posix_place {
	int fd;                   /* a directory, perhaps O_PATH */
	bool close;               /* fd is to be closed */
	bool slash;               /* slashes followed the name */
	char name[NAME_MAX + 2];  /* one name, never "." or ".."; empty: the directory itself. When slash: with one at the end */
};

/* Finds the directory of the last name of a path; that name is not looked at. 0, or -1 with errno. */
int wk_posix_find_place(void *context, int directory, const char *path, struct wk_posix_place *place);
void wk_posix_leave_place(struct wk_posix_place *place);

/* ---- wasi_io.c: operations ---- */

enum wk_wasi_errno wk_posix_read(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
enum wk_wasi_errno wk_posix_write(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
enum wk_wasi_errno wk_posix_poll(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds);
enum wk_wasi_errno wk_posix_accept(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection);
enum wk_wasi_errno wk_posix_receive(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated);
enum wk_wasi_errno wk_posix_send(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done);
enum wk_wasi_errno wk_posix_shutdown(void *context, struct wk_wasi_object *socket, bool receive, bool send);

#endif
