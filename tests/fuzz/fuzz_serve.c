/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: any messages to the server of the normal world, as a Trusted Application that has been taken over would send
 * them. The server may give it one folder, a socket and a listening one, a pipe and a device. Beside the folder lies
 * another one with a secret.
 *
 * What must hold: no crash; an answer says no more than the window holds; nothing outside of the folder is read, made,
 * changed or removed; nothing is left open.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input.h"
#include "port/posix/wasi_posix.h"
#include "remote/remote.h"
#include "wasi/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "a secret of the world outside"
#define MESSAGES 64u
#define FILE_MAX (1u << 20)

static struct {
	struct input input;
	struct wk_wasi_system system;   /* the port's, which does not wait */
	struct wk_remote_world world;
	struct wk_remote_server *server;
	const char *roots[1];
	char root[4096];
	int descriptors[5];
	uint8_t *window;
	size_t size;
} now;

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- the world ---- */

static enum wk_wasi_errno poll_at_once(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds)
{
	(void)nanoseconds;
	return wk_posix_poll(context, items, count, 0);
}

static void end_scratch(void)
{
	scratch_end();
}

static void begin_once(void)
{
	const struct rlimit largest = { FILE_MAX, FILE_MAX };

	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	require(setrlimit(RLIMIT_FSIZE, &largest) == 0);
	scratch_begin();
	atexit(end_scratch);
	scratch_dir("out");
	scratch_dir("out/dir");
	scratch_file("out/secret", SECRET);
}

static void begin_folder(void)
{
	scratch_dir("in");
	scratch_dir("in/a");
	scratch_dir("in/a/b");
	scratch_file("in/f", "inside");
	scratch_link("../out", "in/out");
	scratch_link("../out/secret", "in/s");
	scratch_link("a/../..", "in/up");
	scratch_link("b", "in/a/fine");
	scratch_link("../../..", "in/a/b/up");
}

/* Removes a folder with all in it, by names: they may be any. */
static void remove_folder(int above, const char *name)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) != 0)
			remove_folder(fd, entry->d_name);
	}
	if (directory)
		closedir(directory);
	unlinkat(above, name, AT_REMOVEDIR);
}

static unsigned entries_of(const char *name)
{
	DIR *directory = opendir(scratch(name));
	unsigned count = 0;

	require(directory != NULL);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Everything outside is as it was. */
static void check_outside(void)
{
	struct stat stat;

	require(strcmp(scratch_text("out/secret"), SECRET) == 0);
	require(entries_of(".") == 4 && entries_of("out") == 4 && entries_of("out/dir") == 2);
	require(lstat(scratch("out/secret"), &stat) == 0 && stat.st_nlink == 1 && S_ISREG(stat.st_mode));
	require(lstat(scratch("in"), &stat) == 0 && S_ISDIR(stat.st_mode));
}

static void open_descriptors(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNIX };
	int pair[2], pipes[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	require(listener >= 0 && bind(listener, &nobody, sizeof nobody.sa_family) == 0 && listen(listener, 4) == 0);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	require(pipe2(pipes, O_NONBLOCK | O_CLOEXEC) == 0);
	now.descriptors[0] = pair[0];
	now.descriptors[1] = pair[1];
	now.descriptors[2] = listener;
	now.descriptors[3] = pipes[0];
	now.descriptors[4] = pipes[1];
}

static unsigned open_count(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 512; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* ---- messages ---- */

static const char *const words[] = { "a", "b", "f", "s", "out", "up", "fine", "secret", "dir", ".", "..", "new", "/",
	"" };

/* A path of a few words, or any bytes. */
static size_t put_path(uint8_t *to, size_t room)
{
	uint8_t how = input_byte(&now.input);
	size_t used = 0;

	if (how >= 224) {
		const uint8_t *bytes = input_bytes(&now.input, how - 224, &used);

		if (used != 0)
			memcpy(to, bytes, used);
		return used;
	}
	if (how >= 216)
		return (size_t)snprintf((char *)to, room, "%s", how & 1 ? now.root : scratch("out/secret"));
	for (unsigned i = 0; i <= how % 4u; i++) {
		const char *word = words[input_byte(&now.input) % WK_COUNT(words)];

		used += (size_t)snprintf((char *)to + used, room - used, "%s%s", i ? "/" : "", word);
	}
	if (how & 4)
		to[used++] = '/';
	return used;
}

static bool takes_path(uint32_t operation)
{
	return operation == WK_REMOTE_OPEN_ROOT || (operation >= WK_REMOTE_OPEN && operation <= WK_REMOTE_READLINK);
}

static uint64_t a_descriptor(void)
{
	uint8_t which = input_byte(&now.input);

	return which < 128 ? (uint64_t)now.descriptors[which % WK_COUNT(now.descriptors)] : which - 128u;
}

static void fill(struct wk_remote_message *m)
{
	uint8_t how = input_byte(&now.input);

	m->object[0] = how & 64 ? input_number(&now.input) : input_byte(&now.input) % 8;
	m->object[1] = input_byte(&now.input) % 8;
	for (unsigned i = 0; i < (how & 7u); i++)
		m->number[i] = input_number(&now.input);
	if (m->operation == WK_REMOTE_ADOPT)
		m->number[0] = a_descriptor();
	if (takes_path(m->operation)) {
		m->size[0] = (uint32_t)put_path(now.window, 8192);
		m->size[1] = (uint32_t)put_path(now.window + m->size[0], 8192);
	} else if (m->operation == WK_REMOTE_WRITE || m->operation == WK_REMOTE_SEND) {
		m->size[0] = input_byte(&now.input);
	} else if (m->operation == WK_REMOTE_POLL) {
		struct wk_remote_poll item = { .object = input_byte(&now.input) % 8, .write = how & 1 };

		m->number[0] %= 4;
		for (size_t i = 0; i < 4; i++)
			memcpy(now.window + i * sizeof item, &item, sizeof item);
	}
	if (m->operation == WK_REMOTE_OPEN_ROOT && how & 8)
		m->size[0] = (uint32_t)snprintf((char *)now.window, 4096, "%s", now.root);
	if (how & 16)
		m->size[0] = (uint32_t)input_number(&now.input);
	if (how & 32)
		m->size[1] = (uint32_t)input_number(&now.input);
}

static void serve_one(void)
{
	struct wk_remote_message m = { .operation = input_byte(&now.input) };

	if (m.operation < 200)
		m.operation %= WK_REMOTE_OPERATIONS + 1;
	fill(&m);
	wk_remote_serve(now.server, &m, now.window, now.size);
	require(m.error <= WK_WASI_NOTCAPABLE && m.size[0] <= now.size && m.size[1] == 0);
	/* Only what was written there before can be secret: no path holds the text. */
	require(memmem(now.window, m.size[0], SECRET, sizeof SECRET - 1) == NULL);
	if (m.operation == WK_REMOTE_READLINK)
		require(m.error != 0 || m.size[0] <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	unsigned opened;

	if (!begun)
		begin_once();
	begun = true;
	now.input = (struct input){ data, data + size };
	begin_folder();
	snprintf(now.root, sizeof now.root, "%s", scratch("in"));
	now.roots[0] = now.root;
	opened = open_count();
	open_descriptors();
	now.system = input_byte(&now.input) & 1 ? wk_wasi_posix_walk_system : wk_wasi_posix_system;
	now.system.poll = poll_at_once;
	now.world = (struct wk_remote_world){ now.roots, 1, now.descriptors, WK_COUNT(now.descriptors) };
	now.server = wk_remote_server_new(&now.system, &now.world);
	now.size = WK_REMOTE_WINDOW_MIN;
	now.window = calloc(1, now.size);
	require(now.server && now.window);
	for (unsigned i = 0; i < MESSAGES && input_left(&now.input) != 0; i++)
		serve_one();
	wk_remote_server_delete(now.server);
	free(now.window);
	for (size_t i = 0; i < WK_COUNT(now.descriptors); i++)
		close(now.descriptors[i]);
	require(open_count() == opened);
	check_outside();
	remove_folder(AT_FDCWD, now.root);
	return 0;
}
