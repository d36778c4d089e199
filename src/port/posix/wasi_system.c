/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI on Linux: the table of operations, opening, attributes, directories, time. wasi/system.h says what each operation
 * promises; wasi_path.c holds the sandbox, wasi_io.c what can wait.
 *
 * What always holds: a file descriptor that a guest path led to came from wk_posix_open_beneath(); a name that an
 * operation changes is in a directory that came from wk_posix_find_place().
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"

/* ---- errors ---- */

enum wk_wasi_errno wk_posix_errno(int error)
{
	switch (error) {
#define SAME(name) case E##name: return WK_WASI_##name;
	case E2BIG: return WK_WASI_2BIG;
	SAME(ACCES) SAME(ADDRINUSE) SAME(ADDRNOTAVAIL) SAME(AFNOSUPPORT) SAME(AGAIN) SAME(ALREADY) SAME(BADF) SAME(BADMSG)
	SAME(BUSY) SAME(CHILD) SAME(CONNABORTED) SAME(CONNREFUSED) SAME(CONNRESET) SAME(DEADLK) SAME(DESTADDRREQ)
	SAME(DOM) SAME(DQUOT) SAME(EXIST) SAME(FAULT) SAME(FBIG) SAME(HOSTUNREACH) SAME(IDRM) SAME(ILSEQ)
	SAME(INPROGRESS) SAME(INTR) SAME(INVAL) SAME(IO) SAME(ISCONN) SAME(ISDIR) SAME(LOOP) SAME(MFILE) SAME(MLINK)
	SAME(MSGSIZE) SAME(MULTIHOP) SAME(NAMETOOLONG) SAME(NETDOWN) SAME(NETRESET) SAME(NETUNREACH) SAME(NFILE)
	SAME(NOBUFS) SAME(NODEV) SAME(NOENT) SAME(NOEXEC) SAME(NOLCK) SAME(NOLINK) SAME(NOMEM) SAME(NOMSG)
	SAME(NOPROTOOPT) SAME(NOSPC) SAME(NOSYS) SAME(NOTCONN) SAME(NOTDIR) SAME(NOTEMPTY) SAME(NOTRECOVERABLE)
	SAME(NOTSOCK) SAME(NOTSUP) SAME(NOTTY) SAME(NXIO) SAME(OVERFLOW) SAME(OWNERDEAD) SAME(PERM) SAME(PIPE) SAME(PROTO)
	SAME(PROTONOSUPPORT) SAME(PROTOTYPE) SAME(RANGE) SAME(ROFS) SAME(SPIPE) SAME(SRCH) SAME(STALE) SAME(TIMEDOUT)
	SAME(TXTBSY) SAME(XDEV)
	case ECANCELED: return WK_WASI_CANCELED;
#undef SAME
	default: return WK_WASI_IO;
	}
}

static enum wk_wasi_errno result_of(int result)
{
	return result < 0 ? wk_posix_errno(errno) : WK_WASI_SUCCESS;
}

/* ---- opening and closing ---- */

enum wk_wasi_type wk_posix_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return WK_WASI_REGULAR_FILE;
	case S_IFDIR: return WK_WASI_DIRECTORY;
	case S_IFLNK: return WK_WASI_SYMBOLIC_LINK;
	case S_IFBLK: return WK_WASI_BLOCK_DEVICE;
	case S_IFCHR: return WK_WASI_CHARACTER_DEVICE;
	case S_IFSOCK: return WK_WASI_SOCKET_STREAM;
	default: return WK_WASI_UNKNOWN;
	}
}

enum wk_wasi_errno wk_posix_describe(int fd, struct wk_wasi_object *object)
{
	struct stat stat;
	int sort = 0;
	socklen_t size = sizeof sort;

	if (fstat(fd, &stat) < 0)
		return wk_posix_errno(errno);
	*object = (struct wk_wasi_object){ .handle = fd, .type = (uint8_t)wk_posix_type(stat.st_mode) };
	switch (stat.st_mode & S_IFMT) {
	case S_IFCHR:
		object->detail = isatty(fd) ? WK_POSIX_TERMINAL : WK_POSIX_DEVICE;
		break;
	case S_IFIFO:
		object->detail = WK_POSIX_PIPE;
		break;
	case S_IFSOCK:
		object->detail = WK_POSIX_SOCKET;
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &sort, &size) == 0 && sort != SOCK_STREAM)
			object->type = WK_WASI_SOCKET_DGRAM; /* SOCK_SEQPACKET too: it keeps messages apart */
		break;
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		object->detail = WK_POSIX_PLAIN;
		break;
	default: /* what an anonymous inode can do, nobody knows */
		object->detail = WK_POSIX_DEVICE;
		break;
	}
	object->waits = object->detail != WK_POSIX_PLAIN;
	object->seekable = (object->detail == WK_POSIX_PLAIN || object->detail == WK_POSIX_DEVICE) &&
		lseek(fd, 0, SEEK_CUR) >= 0;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno adopt(void *context, int descriptor, struct wk_wasi_object *object, unsigned *access,
	uint16_t *flags)
{
	int mode = fcntl(descriptor, F_GETFL), listens = 0, fd = -1;
	socklen_t size = sizeof listens;
	struct wk_wasi_object made;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	(void)context;
	if (mode < 0)
		return wk_posix_errno(errno);
	fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return wk_posix_errno(errno);
	error = wk_posix_describe(fd, &made);
	/* The one call that cannot be told not to wait: accept4() on a listening socket. */
	if (error == WK_WASI_SUCCESS && made.detail == WK_POSIX_SOCKET &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
		error = result_of(fcntl(fd, F_SETFL, mode | O_NONBLOCK));
	if (error != WK_WASI_SUCCESS) {
		close(fd);
		return error;
	}
	*object = made;
	*flags = mode & O_APPEND ? WK_WASI_APPEND : 0;
	mode &= O_ACCMODE;
	*access = (mode != O_WRONLY ? WK_WASI_READABLE : 0) | (mode != O_RDONLY ? WK_WASI_WRITABLE : 0);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno describe_or_close(int fd, struct wk_wasi_object *object)
{
	struct wk_wasi_object made;
	enum wk_wasi_errno error = wk_posix_describe(fd, &made);

	if (error == WK_WASI_SUCCESS)
		*object = made;
	else
		close(fd);
	return error;
}

static enum wk_wasi_errno open_root(void *context, const char *path, struct wk_wasi_object *object)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)context;
	return fd < 0 ? wk_posix_errno(errno) : describe_or_close(fd, object);
}

static enum wk_wasi_errno close_object(void *context, struct wk_wasi_object *object)
{
	(void)context;
	/* After EINTR the descriptor is gone on Linux. */
	return close(wk_posix_fd(object)) < 0 && errno != EINTR ? wk_posix_errno(errno) : WK_WASI_SUCCESS;
}

/* O_NONBLOCK keeps the opening of a FIFO or a device from waiting; regular files do not care. A FIFO that nobody reads
 * cannot be opened to write (NXIO), one that nobody writes reads as its end. */
static enum wk_wasi_errno open_path(void *context, struct wk_wasi_object *directory, const char *path,
	const struct wk_wasi_open *how, struct wk_wasi_object *object)
{
	int flags = O_NONBLOCK | O_NOCTTY | (how->create ? O_CREAT : 0) | (how->exclusive ? O_EXCL : 0) |
		(how->truncate ? O_TRUNC : 0) | (how->directory ? O_DIRECTORY : 0);
	int fd = -1;

	if (how->access == (WK_WASI_READABLE | WK_WASI_WRITABLE))
		flags |= O_RDWR;
	else if (how->access == WK_WASI_WRITABLE)
		flags |= O_WRONLY;
	fd = wk_posix_open_beneath(context, wk_posix_fd(directory), path, flags, 0666, how->follow);
	return fd < 0 ? wk_posix_errno(errno) : describe_or_close(fd, object);
}

/* ---- open files ---- */

static enum wk_wasi_errno seek(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
	uint64_t *position)
{
	static const int whences[3] = { SEEK_SET, SEEK_CUR, SEEK_END };
	off_t at = lseek(wk_posix_fd(object), delta, whences[whence]);

	(void)context;
	if (at < 0)
		return wk_posix_errno(errno);
	*position = (uint64_t)at;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno sync_object(void *context, struct wk_wasi_object *object, bool data_only)
{
	(void)context;
	return result_of(data_only ? fdatasync(wk_posix_fd(object)) : fsync(wk_posix_fd(object)));
}

static enum wk_wasi_errno advise(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size,
	unsigned advice)
{
	static const int advices[6] = { POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED,
		POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE };
	int error = posix_fadvise(wk_posix_fd(object), (off_t)offset, (off_t)size, advices[advice]);

	(void)context;
	return error ? wk_posix_errno(error) : WK_WASI_SUCCESS;
}

/* Not posix_fallocate(): where the file system cannot do it, glibc would write to every block. */
static enum wk_wasi_errno allocate(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size)
{
	(void)context;
	return result_of(fallocate(wk_posix_fd(object), 0, (off_t)offset, (off_t)size));
}

static enum wk_wasi_errno set_size(void *context, struct wk_wasi_object *object, uint64_t size)
{
	(void)context;
	return result_of(ftruncate(wk_posix_fd(object), (off_t)size));
}

/* ---- attributes ---- */

/* Times before 1970 cannot be told in preview 1. */
static uint64_t nanoseconds_of(struct timespec time)
{
	uint64_t seconds = 0;

	if (time.tv_sec < 0 || __builtin_mul_overflow((uint64_t)time.tv_sec, UINT64_C(1000000000), &seconds))
		return 0;
	return seconds + (uint64_t)time.tv_nsec;
}

static enum wk_wasi_errno stat_fd(int fd, struct wk_wasi_stat *to)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return wk_posix_errno(errno);
	*to = (struct wk_wasi_stat){
		.device = stat.st_dev,
		.inode = stat.st_ino,
		.links = stat.st_nlink,
		.size = (uint64_t)stat.st_size,
		.accessed = nanoseconds_of(stat.st_atim),
		.modified = nanoseconds_of(stat.st_mtim),
		.changed = nanoseconds_of(stat.st_ctim),
		.type = (uint8_t)wk_posix_type(stat.st_mode),
	};
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno stat_object(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat)
{
	struct wk_wasi_stat made;
	enum wk_wasi_errno error = stat_fd(wk_posix_fd(object), &made);

	(void)context;
	if (error != WK_WASI_SUCCESS)
		return error;
	made.type = object->type; /* knows sockets apart */
	*stat = made;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno path_stat(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	struct wk_wasi_stat *stat)
{
	int fd = wk_posix_open_beneath(context, wk_posix_fd(directory), path, O_PATH, 0, follow);
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (fd < 0)
		return wk_posix_errno(errno);
	error = stat_fd(fd, stat);
	close(fd);
	return error;
}

static struct timespec timespec_of(enum wk_wasi_time what, uint64_t nanoseconds)
{
	if (what == WK_WASI_TIME_KEEP)
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (what == WK_WASI_TIME_NOW)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return (struct timespec){ (time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000) };
}

static void to_timespecs(const struct wk_wasi_times *times, struct timespec to[2])
{
	to[0] = timespec_of(times->access, times->accessed);
	to[1] = timespec_of(times->modify, times->modified);
}

static enum wk_wasi_errno set_times(void *context, struct wk_wasi_object *object, const struct wk_wasi_times *times)
{
	struct timespec values[2];

	(void)context;
	to_timespecs(times, values);
	return result_of(futimens(wk_posix_fd(object), values));
}

/* The file is opened with O_PATH first, since utimensat() would resolve the path as it likes. AT_EMPTY_PATH here needs
 * Linux 5.8; before, the descriptor's entry in /proc does the same, for all but symbolic links. */
static enum wk_wasi_errno path_set_times(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
	const struct wk_wasi_times *times)
{
	int fd = wk_posix_open_beneath(context, wk_posix_fd(directory), path, O_PATH, 0, follow);
	struct timespec values[2];
	struct stat stat;
	char link[48];
	int result = -1;

	if (fd < 0)
		return wk_posix_errno(errno);
	to_timespecs(times, values);
	result = utimensat(fd, "", values, AT_EMPTY_PATH);
	if (result < 0 && (errno == EINVAL || errno == ENOENT) && fstat(fd, &stat) == 0 && !S_ISLNK(stat.st_mode)) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		result = utimensat(AT_FDCWD, link, values, 0);
	}
	result = result < 0 ? errno : 0;
	close(fd);
	return result ? wk_posix_errno(result) : WK_WASI_SUCCESS;
}

/* ---- names ---- */

/* What the directory itself ("." or "..") gives instead of a name. */
static enum wk_wasi_errno make_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_posix_place place;
	enum wk_wasi_errno error = WK_WASI_EXIST;

	if (wk_posix_find_place(context, wk_posix_fd(directory), path, &place) < 0)
		return wk_posix_errno(errno);
	if (place.name[0])
		error = result_of(mkdirat(place.fd, place.name, 0777));
	wk_posix_leave_place(&place);
	return error;
}

static enum wk_wasi_errno remove_directory(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_posix_place place;
	enum wk_wasi_errno error = WK_WASI_INVAL;

	if (wk_posix_find_place(context, wk_posix_fd(directory), path, &place) < 0)
		return wk_posix_errno(errno);
	if (place.name[0])
		error = result_of(unlinkat(place.fd, place.name, AT_REMOVEDIR));
	wk_posix_leave_place(&place);
	return error;
}

static enum wk_wasi_errno unlink_path(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_posix_place place;
	enum wk_wasi_errno error = WK_WASI_ISDIR;

	if (wk_posix_find_place(context, wk_posix_fd(directory), path, &place) < 0)
		return wk_posix_errno(errno);
	if (place.name[0])
		error = result_of(unlinkat(place.fd, place.name, 0));
	wk_posix_leave_place(&place);
	return error;
}

static enum wk_wasi_errno find_places(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path, struct wk_posix_place places[2])
{
	if (wk_posix_find_place(context, wk_posix_fd(directory), path, &places[0]) < 0)
		return wk_posix_errno(errno);
	if (wk_posix_find_place(context, wk_posix_fd(new_directory), new_path, &places[1]) < 0) {
		enum wk_wasi_errno error = wk_posix_errno(errno);

		wk_posix_leave_place(&places[0]);
		return error;
	}
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno rename_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	struct wk_posix_place places[2];
	enum wk_wasi_errno error = find_places(context, directory, path, new_directory, new_path, places);

	if (error != WK_WASI_SUCCESS)
		return error;
	error = WK_WASI_BUSY;
	if (places[0].name[0] && places[1].name[0])
		error = result_of(renameat(places[0].fd, places[0].name, places[1].fd, places[1].name));
	wk_posix_leave_place(&places[1]);
	wk_posix_leave_place(&places[0]);
	return error;
}

/* linkat() would follow a link with a slash behind it. Nothing with a slash behind it can be linked: it is a directory,
 * or not what the slash says. */
static enum wk_wasi_errno why_no_link(void *context, struct wk_wasi_object *directory, const char *path)
{
	struct wk_wasi_stat stat;
	enum wk_wasi_errno error = path_stat(context, directory, path, false, &stat);

	if (error != WK_WASI_SUCCESS)
		return error;
	return stat.type == WK_WASI_DIRECTORY ? WK_WASI_PERM : WK_WASI_NOTDIR;
}

static enum wk_wasi_errno link_path(void *context, struct wk_wasi_object *directory, const char *path,
	struct wk_wasi_object *new_directory, const char *new_path)
{
	struct wk_posix_place places[2];
	enum wk_wasi_errno error = find_places(context, directory, path, new_directory, new_path, places);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (!places[0].name[0] || places[0].slash)
		error = why_no_link(context, directory, path);
	else if (!places[1].name[0])
		error = WK_WASI_EXIST;
	else
		error = result_of(linkat(places[0].fd, places[0].name, places[1].fd, places[1].name, 0));
	wk_posix_leave_place(&places[1]);
	wk_posix_leave_place(&places[0]);
	return error;
}

static enum wk_wasi_errno symlink_path(void *context, const char *target, struct wk_wasi_object *directory,
	const char *path)
{
	struct wk_posix_place place;
	enum wk_wasi_errno error = WK_WASI_EXIST;

	if (wk_posix_find_place(context, wk_posix_fd(directory), path, &place) < 0)
		return wk_posix_errno(errno);
	if (place.name[0])
		error = result_of(symlinkat(target, place.fd, place.name));
	wk_posix_leave_place(&place);
	return error;
}

static enum wk_wasi_errno readlink_path(void *context, struct wk_wasi_object *directory, const char *path,
	uint8_t *buffer, size_t size, size_t *used)
{
	char text[PATH_MAX];
	struct stat stat;
	ssize_t length = -1;
	int fd = wk_posix_open_beneath(context, wk_posix_fd(directory), path, O_PATH, 0, false);
	int error = 0;

	if (fd < 0)
		return wk_posix_errno(errno);
	if (fstat(fd, &stat) < 0)
		error = errno;
	else if (!S_ISLNK(stat.st_mode))
		error = EINVAL;
	else if ((length = readlinkat(fd, "", text, sizeof text)) < 0)
		error = errno;
	close(fd);
	if (error)
		return wk_posix_errno(error);
	*used = (size_t)length < size ? (size_t)length : size;
	if (*used != 0)
		memcpy(buffer, text, *used);
	return WK_WASI_SUCCESS;
}

/* ---- directories ---- */

/* As getdents64(2) fills it. */
struct linux_entry {
	uint64_t inode;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};

static uint8_t type_of(int directory, const struct linux_entry *entry)
{
	struct stat stat;

	if (entry->type != DT_UNKNOWN)
		return (uint8_t)wk_posix_type((mode_t)DTTOIF(entry->type));
	if (fstatat(directory, entry->name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return WK_WASI_UNKNOWN;
	return (uint8_t)wk_posix_type(stat.st_mode);
}

/* The file system's own offsets are the cookies: it keeps them stable, and they need no memory here. The inode of ".." is
 * told as the directory's own, since it may be outside. */
static bool emit_entry(int directory, const struct linux_entry *entry, uint64_t own,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	size_t size = strlen(entry->name);
	struct wk_wasi_directory_entry told = {
		.next = (uint64_t)entry->next,
		.inode = size == 2 && memcmp(entry->name, "..", 2) == 0 ? own : entry->inode,
		.name = entry->name,
		.name_size = size,
		.type = type_of(directory, entry),
	};

	return emit(sink, &told);
}

static enum wk_wasi_errno read_directory(void *context, struct wk_wasi_object *directory, uint64_t cookie,
	bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink)
{
	_Alignas(struct linux_entry) char buffer[4096];
	int fd = wk_posix_fd(directory);
	struct stat stat;

	(void)context;
	if (cookie > INT64_MAX)
		return WK_WASI_INVAL;
	if (fstat(fd, &stat) < 0 || lseek(fd, (off_t)cookie, SEEK_SET) < 0)
		return wk_posix_errno(errno);
	for (;;) {
		long size = syscall(SYS_getdents64, fd, buffer, sizeof buffer);

		if (size < 0)
			return wk_posix_errno(errno);
		if (size == 0)
			return WK_WASI_SUCCESS;
		for (long at = 0; at < size;) {
			const struct linux_entry *entry = (const struct linux_entry *)(const void *)(buffer + at);

			if (!emit_entry(fd, entry, stat.st_ino, emit, sink))
				return WK_WASI_SUCCESS;
			at += entry->size;
		}
	}
}

/* ---- time, chance ---- */

static const clockid_t clocks[WK_WASI_CLOCKS] = {
	[WK_WASI_REALTIME] = CLOCK_REALTIME,
	[WK_WASI_MONOTONIC] = CLOCK_MONOTONIC,
	[WK_WASI_PROCESS_CPU] = CLOCK_PROCESS_CPUTIME_ID,
	[WK_WASI_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID,
};

static enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	struct timespec time;

	(void)context;
	if (clock_gettime(clocks[clock], &time) < 0)
		return wk_posix_errno(errno);
	*nanoseconds = nanoseconds_of(time);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno clock_resolution(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	struct timespec time;

	(void)context;
	if (clock_getres(clocks[clock], &time) < 0)
		return wk_posix_errno(errno);
	*nanoseconds = nanoseconds_of(time);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno fill_random(void *context, uint8_t *buffer, size_t size)
{
	(void)context;
	while (size != 0) {
		ssize_t part = getrandom(buffer, size, 0);

		if (part < 0 && errno != EINTR)
			return wk_posix_errno(errno);
		if (part < 0)
			continue;
		buffer += part;
		size -= (size_t)part;
	}
	return WK_WASI_SUCCESS;
}

static void yield(void *context)
{
	(void)context;
	sched_yield();
}

/* ---- the table ---- */

#define OPERATIONS \
	.adopt = adopt, .open_root = open_root, .close = close_object, \
	.read = wk_posix_read, .write = wk_posix_write, .seek = seek, .sync = sync_object, .advise = advise, \
	.allocate = allocate, .set_size = set_size, .stat = stat_object, .set_times = set_times, \
	.read_directory = read_directory, .open = open_path, .path_stat = path_stat, .path_set_times = path_set_times, \
	.make_directory = make_directory, .remove_directory = remove_directory, .unlink = unlink_path, \
	.rename = rename_path, .link = link_path, .symlink = symlink_path, .readlink = readlink_path, \
	.clock_time = clock_time, .clock_resolution = clock_resolution, .random = fill_random, .yield = yield, \
	.poll = wk_posix_poll, .accept = wk_posix_accept, .receive = wk_posix_receive, .send = wk_posix_send, \
	.shutdown = wk_posix_shutdown

const struct wk_wasi_system wk_wasi_posix_system = { .context = NULL, OPERATIONS };
const struct wk_wasi_system wk_wasi_posix_walk_system = { .context = &wk_wasi_posix_walk_only, OPERATIONS };

const struct wk_wasi_system *wk_wasi_port_system(void)
{
	return &wk_wasi_posix_system;
}
