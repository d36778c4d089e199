/* SPDX-License-Identifier: Apache-2.0
 *
 * The sandbox of paths: resolves a path beneath a directory, with no way out.
 *
 * Where the kernel has openat2 (Linux 5.6) it does the work: RESOLVE_BENEATH refuses whatever leads out of the directory,
 * be it only for a moment, in one system call that no race can confuse; RESOLVE_NO_MAGICLINKS refuses the links of /proc
 * that lead anywhere without a name.
 *
 * Elsewhere, or where a filter refuses openat2, a walk gives the same: one name at a time, each opened with
 * O_PATH | O_NOFOLLOW from the descriptor of the directory before, and only what was opened is asked what it is. So a
 * name that is swapped for a link between two steps is never followed by the kernel. Symbolic links are read and their
 * text takes the place of their name; an absolute text is refused. `..` never reaches the kernel either: the walk drops
 * the last name that it went through and starts again from the top, so a directory that is moved out while we stand in it
 * does not take us along.
 *
 * Operations on names (make, remove, rename, link) use the descriptor of the directory and one name in it, which the
 * kernel does not follow.
 *
 * What always holds: no path of a guest reaches the kernel except through openat2 with RESOLVE_BENEATH; names that reach
 * it have no slash inside and are neither "." nor "..".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"

/* As the kernel has it. */
#define LINKS_MAX 40
/* How often to try again when somebody changes the tree under us. */
#define TRIES 64

char wk_wasi_posix_walk_only;

static int fail(int error)
{
	errno = error;
	return -1;
}

static void close_quietly(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

/* ---- openat2 ---- */

/* Returns -2 when the walk has to do it: there is no openat2, a filter refuses it (with EPERM, so a real EPERM is found
 * again by the walk), or the tree does not stand still. */
static int open_by_kernel(int directory, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0; i < TRIES; i++) {
		long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN || errno == EINTR)
		return -2;
	/* Only leading out of the directory gives this here. */
	return fail(errno == EXDEV ? EPERM : errno);
}

/* ---- the walk ---- */

enum last {
	LAST_KEEP,                /* the last name is only a name */
	LAST_NOFOLLOW,            /* a link at the end is followed when a slash comes after it */
	LAST_FOLLOW
};

struct walk {
	int root, at;             /* at == root, or ours to close */
	int links;
	char done[PATH_MAX];      /* names gone through, each with a slash behind it */
	char left[2 * PATH_MAX];  /* what is still to go */
};

static void stand_at(struct walk *walk, int fd)
{
	if (walk->at != walk->root)
		close_quietly(walk->at);
	walk->at = fd;
}

static int open_name(int directory, const char *name, size_t size, int flags)
{
	char text[NAME_MAX + 1];

	if (size > NAME_MAX)
		return fail(ENAMETOOLONG);
	memcpy(text, name, size);
	text[size] = 0;
	return openat(directory, text, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);
}

static bool add_done(struct walk *walk, const char *name, size_t size)
{
	size_t used = strlen(walk->done);

	if (size + 1 >= sizeof walk->done - used)
		return false;
	memcpy(walk->done + used, name, size);
	memcpy(walk->done + used + size, "/", 2);
	return true;
}

/* `..`: forgets the last name and goes the others again. */
static int go_up(struct walk *walk)
{
	size_t used = strlen(walk->done);
	const char *name = walk->done;

	if (used == 0)
		return fail(EPERM);
	do
		used--;
	while (used > 0 && walk->done[used - 1] != '/');
	walk->done[used] = 0;
	stand_at(walk, walk->root);
	while (*name) {
		size_t size = strcspn(name, "/");
		int fd = open_name(walk->at, name, size, O_DIRECTORY);

		if (fd < 0)
			return -1;
		stand_at(walk, fd);
		name += size + 1;
	}
	return 0;
}

/* Puts a link's text where its name was; `rest` is what followed, from its slashes on. */
static int go_through_link(struct walk *walk, int link, const char *rest)
{
	char text[2 * PATH_MAX];
	ssize_t size = readlinkat(link, "", text, PATH_MAX);
	size_t rest_size = strlen(rest);

	if (size < 0)
		return -1;
	if (size == 0)
		return fail(ENOENT);
	if (text[0] == '/')
		return fail(EPERM);
	if (++walk->links > LINKS_MAX)
		return fail(ELOOP);
	if ((size_t)size + rest_size >= sizeof text)
		return fail(ENAMETOOLONG);
	memcpy(text + size, rest, rest_size + 1);
	memcpy(walk->left, text, (size_t)size + rest_size + 1);
	return 0;
}

static void set_place(struct walk *walk, const char *name, size_t size, bool slash, struct wk_posix_place *place)
{
	place->fd = walk->at;
	place->close = walk->at != walk->root;
	place->slash = slash;
	memcpy(place->name, name, size);
	memcpy(place->name + size, slash ? "/" : "", slash ? 2 : 1);
}

/* One name. 1: the place is found; 0: go on with walk->left; -1 with errno. */
static int step(struct walk *walk, enum last last, struct wk_posix_place *place)
{
	char *name = walk->left + strspn(walk->left, "/");
	size_t size = strcspn(name, "/");
	char *rest = name + size;
	bool slash = *rest == '/';
	bool is_last = rest[strspn(rest, "/")] == 0;
	struct stat stat;
	int fd = -1, result = 0;

	if (size == 0) {
		set_place(walk, "", 0, false, place);
		return 1;
	}
	if (size > NAME_MAX)
		return fail(ENAMETOOLONG);
	if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))) {
		if (size == 2 && go_up(walk) < 0)
			return -1;
		memmove(walk->left, rest, strlen(rest) + 1);
		return 0;
	}
	if (is_last && (last == LAST_KEEP || (last == LAST_NOFOLLOW && !slash))) {
		set_place(walk, name, size, slash, place);
		return 1;
	}
	fd = open_name(walk->at, name, size, 0);
	if (fd < 0 && errno == ENOENT && is_last) {
		set_place(walk, name, size, slash, place);
		return 1;
	}
	if (fd < 0)
		return -1;
	if (fstat(fd, &stat) < 0) {
		result = -1;
	} else if (S_ISLNK(stat.st_mode)) {
		result = go_through_link(walk, fd, rest);
	} else if (is_last) {
		set_place(walk, name, size, slash, place);
		result = 1;
	} else if (!S_ISDIR(stat.st_mode)) {
		result = fail(ENOTDIR);
	} else if (!add_done(walk, name, size)) {
		result = fail(ENAMETOOLONG);
	} else {
		stand_at(walk, fd);
		memmove(walk->left, rest, strlen(rest) + 1);
		return 0;
	}
	close_quietly(fd);
	return result;
}

static int find_by_walk(int directory, const char *path, enum last last, struct wk_posix_place *place)
{
	struct walk walk;
	int result = 0;

	if (path[0] == '/')
		return fail(EPERM);
	walk.root = walk.at = directory;
	walk.links = 0;
	walk.done[0] = 0;
	memcpy(walk.left, path, strlen(path) + 1);
	while (result == 0)
		result = step(&walk, last, place);
	if (result < 0) {
		stand_at(&walk, walk.root);
		return -1;
	}
	return 0;
}

/* Opens the name of a place that find_by_walk() took for no link; -2 when it has become one since. */
static int open_place(const struct wk_posix_place *place, int flags, mode_t mode, bool follow)
{
	struct stat stat;
	char name[NAME_MAX + 2];
	size_t size = strlen(place->name);
	int fd = -1;

	if (size == 0 && flags & O_CREAT)
		return fail(flags & O_EXCL ? EEXIST : EISDIR);
	if (place->slash && flags & O_CREAT)
		return fail(EISDIR);
	memcpy(name, size ? place->name : ".", size ? size + 1 : 2);
	if (place->slash) {
		name[size - 1] = 0; /* a slash would have the kernel follow a link */
		flags |= O_DIRECTORY;
	}
	fd = openat(place->fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (!follow)
		return fd;
	if (fd < 0)
		return errno == ELOOP ? -2 : -1;
	/* With O_PATH the kernel opens the link itself. */
	if (flags & O_PATH && (fstat(fd, &stat) < 0 || S_ISLNK(stat.st_mode))) {
		close_quietly(fd);
		return -2;
	}
	return fd;
}

static int open_by_walk(int directory, const char *path, int flags, mode_t mode, bool follow)
{
	bool follow_last = follow && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);

	for (int i = 0; i < TRIES; i++) {
		struct wk_posix_place place;
		int fd = -1;

		if (find_by_walk(directory, path, follow_last ? LAST_FOLLOW : LAST_NOFOLLOW, &place) < 0)
			return -1;
		fd = open_place(&place, flags, mode, follow_last || place.slash);
		wk_posix_leave_place(&place);
		if (fd != -2)
			return fd;
	}
	return fail(ELOOP);
}

/* ---- both ---- */

int wk_posix_open_beneath(void *context, int directory, const char *path, int flags, mode_t mode, bool follow)
{
	int fd = -2;

	if (!context)
		fd = open_by_kernel(directory, path, flags | (follow ? 0 : O_NOFOLLOW), mode);
	return fd == -2 ? open_by_walk(directory, path, flags, mode, follow) : fd;
}

/* Splits a path before its last name. The name is empty when it is "." or "..", which must be resolved too. */
static int split(const char *path, char directory[PATH_MAX], struct wk_posix_place *place)
{
	size_t size = strlen(path), end = size, start = 0;

	if (path[0] == '/')
		return fail(EPERM);
	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if ((end - start == 1 && path[start] == '.') ||
	    (end - start == 2 && path[start] == '.' && path[start + 1] == '.')) {
		start = end = size;
	}
	if (end - start > NAME_MAX)
		return fail(ENAMETOOLONG);
	memcpy(directory, path, start);
	directory[start] = 0;
	place->slash = end != size;
	memcpy(place->name, path + start, end - start);
	memcpy(place->name + (end - start), place->slash ? "/" : "", place->slash ? 2 : 1);
	return 0;
}

int wk_posix_find_place(void *context, int directory, const char *path, struct wk_posix_place *place)
{
	char above[PATH_MAX];

	if (context)
		return find_by_walk(directory, path, LAST_KEEP, place);
	if (split(path, above, place) < 0)
		return -1;
	place->fd = directory;
	place->close = false;
	if (above[0] == 0)
		return 0;
	place->fd = open_by_kernel(directory, above, O_PATH | O_DIRECTORY, 0);
	if (place->fd == -2)
		return find_by_walk(directory, path, LAST_KEEP, place);
	place->close = true;
	return place->fd < 0 ? -1 : 0;
}

void wk_posix_leave_place(struct wk_posix_place *place)
{
	if (place->close)
		close_quietly(place->fd);
}
