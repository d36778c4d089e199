/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI on Linux: reading, writing, sockets, waiting.
 *
 * Nothing here may wait, but open files are shared with the embedder and other processes, so O_NONBLOCK is not ours to
 * set. Each call is made non-blocking by itself: MSG_DONTWAIT for sockets, RWF_NOWAIT for pipes. Terminals, and pipes of
 * kernels that do not know that, are polled first and then read, or written no more than a pipe that says it is ready
 * takes at once; between the two somebody else may take the bytes, which only delays an interruption.
 *
 * A closed pipe must not kill the process with SIGPIPE: the signal is held back in this thread and taken away again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"

/* What a pipe that polls as writable takes without waiting (PIPE_BUF is the least that POSIX promises). */
#define SMALL_WRITE ((size_t)PIPE_BUF)

static int to_iovec(const struct wk_wasi_piece *pieces, size_t count, struct iovec *iov)
{
	for (size_t i = 0; i < count; i++)
		iov[i] = (struct iovec){ pieces[i].data, pieces[i].size };
	return (int)count;
}

static bool is_ready(int fd, short events)
{
	struct pollfd item = { .fd = fd, .events = events };

	return poll(&item, 1, 0) > 0;
}

static enum wk_wasi_errno result_of(ssize_t size, uint64_t *done)
{
	if (size < 0)
		return wk_posix_errno(errno);
	*done = (uint64_t)size;
	return WK_WASI_SUCCESS;
}

/* ---- reading ---- */

static ssize_t read_socket(int fd, struct iovec *iov, int count, int flags, bool *truncated)
{
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)count };
	ssize_t size = recvmsg(fd, &message, flags | MSG_DONTWAIT);

	*truncated = size >= 0 && message.msg_flags & MSG_TRUNC;
	return size;
}

static ssize_t read_now(struct wk_wasi_object *object, struct iovec *iov, int count)
{
	int fd = wk_posix_fd(object);
	bool truncated = false;
	ssize_t size = -1;

	switch (object->detail) {
	case WK_POSIX_SOCKET:
		return read_socket(fd, iov, count, 0, &truncated);
	case WK_POSIX_PIPE:
		size = preadv2(fd, iov, count, -1, RWF_NOWAIT);
		if (size >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
			return size;
		object->detail = WK_POSIX_PIPE_POLLED;
		/* fall through */
	case WK_POSIX_PIPE_POLLED:
	case WK_POSIX_TERMINAL:
	case WK_POSIX_DEVICE:
		if (!is_ready(fd, POLLIN)) {
			errno = EAGAIN;
			return -1;
		}
		return readv(fd, iov, count);
	default:
		return readv(fd, iov, count);
	}
}

enum wk_wasi_errno wk_posix_read(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	struct iovec iov[WK_WASI_PIECES];
	int n = to_iovec(pieces, count, iov);

	(void)context;
	if (offset != WK_WASI_HERE)
		return result_of(preadv(wk_posix_fd(object), iov, n, (off_t)offset), done);
	/* RSYNC: what is read must be on the disk before (fdatasync does no harm to what it cannot serve). */
	if (flags & WK_WASI_RSYNC && object->detail == WK_POSIX_PLAIN)
		(void)fdatasync(wk_posix_fd(object));
	return result_of(read_now(object, iov, n), done);
}

/* ---- writing ---- */

struct held_signal {
	sigset_t before;
	bool pending;
};

static void hold_sigpipe(struct held_signal *held)
{
	sigset_t set;

	sigemptyset(&set);
	sigpending(&set);
	held->pending = sigismember(&set, SIGPIPE) == 1;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &held->before);
}

static void release_sigpipe(const struct held_signal *held, bool raised)
{
	static const struct timespec at_once;
	int error = errno;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (raised && !held->pending)
		while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &held->before, NULL);
	errno = error;
}

static ssize_t write_small(int fd, const struct iovec *iov)
{
	if (!is_ready(fd, POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, iov->iov_base, iov->iov_len < SMALL_WRITE ? iov->iov_len : SMALL_WRITE);
}

static ssize_t write_pipe(struct wk_wasi_object *object, const struct iovec *iov, int count)
{
	struct held_signal held;
	ssize_t size = -1;

	hold_sigpipe(&held);
	if (object->detail == WK_POSIX_PIPE) {
		size = pwritev2(wk_posix_fd(object), iov, count, -1, RWF_NOWAIT);
		if (size < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
			object->detail = WK_POSIX_PIPE_POLLED;
	}
	if (object->detail == WK_POSIX_PIPE_POLLED)
		size = write_small(wk_posix_fd(object), iov);
	release_sigpipe(&held, size < 0 && errno == EPIPE);
	return size;
}

static ssize_t write_socket(int fd, struct iovec *iov, int count)
{
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = (size_t)count };

	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The flags go with each call, so that the open file keeps its own. */
static ssize_t write_plain(int fd, const struct iovec *iov, int count, uint16_t flags)
{
	int how = (flags & WK_WASI_APPEND ? RWF_APPEND : 0) | (flags & WK_WASI_DSYNC ? RWF_DSYNC : 0) |
		(flags & WK_WASI_SYNC ? RWF_SYNC : 0);
	ssize_t size = -1;

	if (how == 0)
		return writev(fd, iov, count);
	size = pwritev2(fd, iov, count, -1, how);
	if (size >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
		return size;
	if (flags & WK_WASI_APPEND)
		(void)lseek(fd, 0, SEEK_END); /* fails for devices only, which have no end */
	size = writev(fd, iov, count);
	if (size >= 0 && flags & (WK_WASI_DSYNC | WK_WASI_SYNC))
		(void)fsync(fd);
	return size;
}

enum wk_wasi_errno wk_posix_write(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t offset, uint16_t flags, uint64_t *done)
{
	struct iovec iov[WK_WASI_PIECES];
	int n = to_iovec(pieces, count, iov);
	int fd = wk_posix_fd(object);

	(void)context;
	if (offset != WK_WASI_HERE)
		return result_of(pwritev(fd, iov, n, (off_t)offset), done);
	switch (object->detail) {
	case WK_POSIX_SOCKET:
		return result_of(write_socket(fd, iov, n), done);
	case WK_POSIX_PIPE:
	case WK_POSIX_PIPE_POLLED:
		return result_of(write_pipe(object, iov, n), done);
	case WK_POSIX_TERMINAL:
		return result_of(write_small(fd, iov), done);
	default:
		return result_of(write_plain(fd, iov, n, flags), done);
	}
}

/* ---- waiting ---- */

static uint64_t available(const struct wk_wasi_object *object)
{
	int fd = wk_posix_fd(object), bytes = 0;
	struct stat stat;
	off_t at = 0;

	if (object->type != WK_WASI_REGULAR_FILE)
		return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
	at = lseek(fd, 0, SEEK_CUR);
	if (at < 0 || fstat(fd, &stat) < 0 || stat.st_size < at)
		return 0;
	return (uint64_t)(stat.st_size - at);
}

static void finish(struct wk_wasi_poll *item, short events)
{
	item->ready = events != 0;
	item->hangup = events & POLLHUP;
	item->error = events & POLLNVAL ? WK_WASI_BADF : WK_WASI_SUCCESS;
	item->available = item->ready && !item->write && item->error == 0 ? available(item->object) : 0;
}

enum wk_wasi_errno wk_posix_poll(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds)
{
	struct pollfd polled[WK_WASI_POLL_MAX];
	struct timespec timeout = { 0 };

	(void)context;
	for (size_t i = 0; i < count; i++) {
		bool waits = items[i].object->waits;

		polled[i] = (struct pollfd){ .fd = waits ? wk_posix_fd(items[i].object) : -1,
			.events = items[i].write ? POLLOUT : POLLIN };
		if (!waits)
			nanoseconds = 0;
	}
	timeout.tv_sec = (time_t)(nanoseconds / 1000000000);
	timeout.tv_nsec = (long)(nanoseconds % 1000000000);
	if (ppoll(polled, count, &timeout, NULL) < 0)
		return wk_posix_errno(errno);
	for (size_t i = 0; i < count; i++)
		finish(&items[i], items[i].object->waits ? polled[i].revents : polled[i].events);
	return WK_WASI_SUCCESS;
}

/* ---- sockets ---- */

/* A listening socket was made non-blocking when it was adopted. */
enum wk_wasi_errno wk_posix_accept(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection)
{
	struct wk_wasi_object made;
	int fd = accept4(wk_posix_fd(socket), NULL, NULL, SOCK_CLOEXEC);
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	(void)context;
	if (fd < 0)
		return wk_posix_errno(errno);
	error = wk_posix_describe(fd, &made);
	if (error != WK_WASI_SUCCESS) {
		close(fd);
		return error;
	}
	*connection = made;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_posix_receive(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated)
{
	struct iovec iov[WK_WASI_PIECES];
	int n = to_iovec(pieces, count, iov);

	(void)context;
	return result_of(read_socket(wk_posix_fd(socket), iov, n, peek ? MSG_PEEK : 0, truncated), done);
}

enum wk_wasi_errno wk_posix_send(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done)
{
	struct iovec iov[WK_WASI_PIECES];
	int n = to_iovec(pieces, count, iov);

	(void)context;
	return result_of(write_socket(wk_posix_fd(socket), iov, n), done);
}

enum wk_wasi_errno wk_posix_shutdown(void *context, struct wk_wasi_object *socket, bool receive, bool send)
{
	int how = receive && send ? SHUT_RDWR : receive ? SHUT_RD : SHUT_WR;

	(void)context;
	return shutdown(wk_posix_fd(socket), how) < 0 ? wk_posix_errno(errno) : WK_WASI_SUCCESS;
}
