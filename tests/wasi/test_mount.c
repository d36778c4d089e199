/* SPDX-License-Identifier: Apache-2.0
 *
 * Two systems as one (src/wasi/mount.h): a folder of the host and a sealed one, as a guest sees them through all of
 * WASI; and that each operation goes where it belongs.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"
#include "wasi/memory_vault.h"

#include <stdlib.h>
#include <unistd.h>

#include "port/posix/wasi_posix.h"
#include "wasi/mount.h"
#include "wasi/sealed.h"

static struct guest g;
static struct memory_vault vault;
static struct wk_keep *keep;
static struct wk_sealed *sealed;
static struct wk_mount mount;

/* 3: a folder of the host's, 4: the sealed one. */
static bool begin(void)
{
	static const uint8_t volume[WK_SEALED_VOLUME] = { 7 };
	struct wk_wasi_preopen preopens[2] = { { .guest = "/" }, { .host = "sealed", .guest = "/data" } };
	struct wk_wasi_config config = { .preopens = preopens, .preopen_count = 2 };

	scratch_begin();
	scratch_file("file", "of the host");
	preopens[0].host = scratch("");
	memory_vault_init(&vault);
	if (wk_keep_new(NULL, &keep) != WK_OK || wk_sealed_new(&keep->wasi, &vault.vault, volume, NULL, &sealed) != WK_OK)
		abort();
	wk_mount_init(&mount, &wk_wasi_posix_system, wk_sealed_system(sealed), "sealed");
	guest_system = &mount.system;
	return guest_start(&g, &config);
}

static void end(void)
{
	guest_end(&g);
	wk_sealed_delete(sealed);
	wk_keep_delete(keep);
	CHECK_EQUAL(memory_vault_open(&vault), 0);
	memory_vault_end(&vault);
	scratch_end();
}

static int open_all(int directory, const char *path, unsigned oflags)
{
	int fd = -1;

	CHECK_EQUAL(guest_open(&g, directory, path, oflags, RIGHTS_ALL, &fd), WK_WASI_SUCCESS);
	return fd;
}

static int open_folder(int directory, const char *path)
{
	int fd = -1;

	CHECK_EQUAL(guest_open(&g, directory, path, 0, RIGHTS_READ | WK_RIGHTS_DIRECTORY, &fd), WK_WASI_SUCCESS);
	return fd;
}

static const char *text_of(int directory, const char *path)
{
	static char text[64];

	CHECK_EQUAL(guest_read_file(&g, directory, path, text, sizeof text), WK_WASI_SUCCESS);
	return text;
}

static void close_fd(int fd)
{
	CHECK_EQUAL(CALL(&g, fd_close, (uint64_t)fd), WK_WASI_SUCCESS);
}

/* ---- each to its own ---- */

TEST(files)
{
	int ours = -1, theirs = -1;

	REQUIRE(begin());
	theirs = open_all(3, "new", WK_OFLAG_CREATE);
	ours = open_all(4, "new", WK_OFLAG_CREATE);
	CHECK_EQUAL(guest_write(&g, ours, "sealed"), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, theirs, "host"), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("new"), "host");
	CHECK_TEXT(text_of(4, "new"), "sealed");
	CHECK_TEXT(text_of(3, "new"), "host");
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)ours, 2, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_tell, (uint64_t)ours, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT), 2);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_size, (uint64_t)ours, 3), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_allocate, (uint64_t)ours, 0, 5), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_filestat_get, (uint64_t)ours, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_DEVICE), 7);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_LENGTH), 5);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_MODIFIED), 0);
	CHECK_EQUAL(CALL(&g, fd_filestat_get, (uint64_t)theirs, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_LENGTH), 4);
	CHECK_EQUAL(CALL(&g, fd_sync, (uint64_t)ours), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_datasync, (uint64_t)theirs), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_advise, (uint64_t)ours, 0, 1, 1), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)ours, 0, 0, 8), WK_WASI_NOTSUP);
	CHECK_EQUAL(CALL(&g, fd_filestat_set_times, (uint64_t)theirs, 0, 0, 8), WK_WASI_SUCCESS);
	/* Numbers can be exchanged. */
	CHECK_EQUAL(CALL(&g, fd_renumber, (uint64_t)ours, (uint64_t)theirs), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_filestat_get, (uint64_t)theirs, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_DEVICE), 7);
	end();
}

TEST(names)
{
	int d = -1, fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_create_directory, 4, PATH(&g, "d")), WK_WASI_SUCCESS);
	CHECK(!scratch_exists("d"));
	d = open_folder(4, "d");
	CHECK_EQUAL(guest_open(&g, d, "file", WK_OFLAG_CREATE | WK_OFLAG_EXCLUSIVE, RIGHTS_WRITE, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_write(&g, fd, "text"), WK_WASI_SUCCESS);
	close_fd(fd);
	CHECK_TEXT(text_of(4, "d/file"), "text");
	CHECK_EQUAL(guest_open(&g, d, "../file", 0, RIGHTS_READ, &fd), WK_WASI_PERM);
	CHECK_EQUAL(CALL(&g, path_filestat_get, 4, 0, PATH(&g, "d/file"), GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FILESTAT_LENGTH), 4);
	CHECK_EQUAL(CALL(&g, path_filestat_set_times, 4, 0, PATH(&g, "d/file"), 0, 0, 8), WK_WASI_NOTSUP);
	CHECK_EQUAL(CALL(&g, path_rename, (uint64_t)d, PATH(&g, "file"), 4, PATH2(&g, "moved")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_link, 4, 0, PATH(&g, "moved"), 4, PATH2(&g, "hard")), WK_WASI_NOTSUP);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "moved"), 4, PATH(&g, "soft")), WK_WASI_NOTSUP);
	CHECK_EQUAL(CALL(&g, path_readlink, 4, PATH(&g, "moved"), GUEST_FREE, 20, GUEST_OUT), WK_WASI_INVAL);
	/* From one to the other. */
	CHECK_EQUAL(CALL(&g, path_rename, 4, PATH(&g, "moved"), 3, PATH2(&g, "moved")), WK_WASI_XDEV);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), (uint64_t)d, PATH2(&g, "moved")), WK_WASI_XDEV);
	CHECK_EQUAL(CALL(&g, path_link, 4, 0, PATH(&g, "moved"), 3, PATH2(&g, "hard")), WK_WASI_XDEV);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "file"), 4, PATH2(&g, "hard")), WK_WASI_XDEV);
	CHECK_EQUAL(CALL(&g, path_rename, 3, PATH(&g, "file"), 3, PATH2(&g, "other")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_link, 3, 0, PATH(&g, "other"), 3, PATH2(&g, "hard")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_symlink, PATH2(&g, "other"), 3, PATH(&g, "soft")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_readlink, 3, PATH(&g, "soft"), GUEST_FREE, 20, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_TEXT(scratch_text("soft"), "of the host");
	CHECK_EQUAL(CALL(&g, path_unlink_file, 4, PATH(&g, "moved")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 4, PATH(&g, "d")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "other")), WK_WASI_SUCCESS);
	CHECK_EQUAL(memory_vault_objects(&vault), 1);
	end();
}

/* Reads with a buffer of `size` bytes and removes each name that it reads; returns how many there were. */
static unsigned remove_all(int fd, uint32_t size)
{
	unsigned removed = 0;
	uint64_t cookie = 0;

	for (unsigned rounds = 0; rounds < 1000; rounds++) {
		uint32_t length = 0;

		CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, size, cookie, GUEST_OUT), WK_WASI_SUCCESS);
		if (guest_get32(&g, GUEST_OUT) < WK_DIRENT_SIZE)
			break;
		length = guest_get32(&g, GUEST_FREE + WK_DIRENT_LENGTH);
		cookie = guest_get64(&g, GUEST_FREE + WK_DIRENT_NEXT);
		if (length > 2) {
			CHECK_EQUAL(CALL(&g, path_unlink_file, (uint64_t)fd, GUEST_FREE + WK_DIRENT_SIZE, length), WK_WASI_SUCCESS);
			removed++;
		}
	}
	return removed;
}

TEST(listing_while_removing)
{
	int fd = -1;

	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, path_create_directory, 4, PATH(&g, "d")), WK_WASI_SUCCESS);
	for (unsigned i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof name, "d/name-%u", i);
		close_fd(open_all(4, name, WK_OFLAG_CREATE));
	}
	fd = open_folder(4, "d");
	CHECK_EQUAL(remove_all(fd, 60), 300);
	CHECK_EQUAL(CALL(&g, path_remove_directory, 4, PATH(&g, "d")), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_readdir, (uint64_t)fd, GUEST_FREE, 60, 0, GUEST_OUT), WK_WASI_NOENT);
	end();
}

/* ---- what the first one does ---- */

static void subscribe(unsigned at, unsigned tag, int fd)
{
	uint8_t *to = guest_at(&g, GUEST_FREE + at * WK_SUBSCRIPTION_SIZE);

	memset(to, 0, WK_SUBSCRIPTION_SIZE);
	wk_put64(to + WK_SUBSCRIPTION_USERDATA, at + 1);
	to[WK_SUBSCRIPTION_TAG] = (uint8_t)tag;
	wk_put32(to + WK_SUBSCRIPTION_FD, (uint32_t)fd);
	if (tag == WK_EVENT_CLOCK) {
		wk_put32(to + WK_SUBSCRIPTION_CLOCK, WK_WASI_MONOTONIC);
		wk_put64(to + WK_SUBSCRIPTION_TIMEOUT, UINT64_C(3600000000000));
	}
}

TEST(waiting)
{
	const uint32_t events = GUEST_FREE + 0x8000;
	struct wk_wasi_poll items[5];
	struct wk_wasi_object nobody_writes = { 0 }, ours = { 0 };
	struct wk_wasi_open how = { .create = true, .access = WK_WASI_WRITABLE };
	struct wk_wasi_object root;
	unsigned access = 0;
	uint16_t flags = 0;
	int fd = -1, pipes[2];

	REQUIRE(begin());
	/* A guest that waits an hour, or for a file that is ready. */
	fd = open_all(4, "file", WK_OFLAG_CREATE);
	CHECK_EQUAL(guest_write(&g, fd, "12345"), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_seek, (uint64_t)fd, 1, 0, GUEST_OUT), WK_WASI_SUCCESS);
	subscribe(0, WK_EVENT_CLOCK, 0);
	subscribe(1, WK_EVENT_READ, fd);
	CHECK_EQUAL(CALL(&g, poll_oneoff, GUEST_FREE, events, 2, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 1);
	CHECK_EQUAL(guest_get64(&g, events + WK_EVENT_USERDATA), 2);
	CHECK_EQUAL(guest_get64(&g, events + WK_EVENT_BYTES), 4);
	/* Runs of both, in the caller's order. */
	REQUIRE(pipe(pipes) == 0);
	CHECK_EQUAL(mount.system.adopt(&mount, pipes[0], &nobody_writes, &access, &flags), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.open_root(&mount, "sealed", &root), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.open(&mount, &root, "x", &how, &ours), WK_WASI_SUCCESS);
	for (size_t i = 0; i < 5; i++)
		items[i] = (struct wk_wasi_poll){ .object = i == 1 || i == 4 ? &ours : &nobody_writes };
	CHECK_EQUAL(mount.system.poll(&mount, items, 5, UINT64_C(3600000000000)), WK_WASI_SUCCESS);
	for (size_t i = 0; i < 5; i++)
		CHECK_EQUAL(items[i].ready, i == 1 || i == 4);
	CHECK(write(pipes[1], "x", 1) == 1);
	CHECK_EQUAL(mount.system.poll(&mount, items + 2, 2, UINT64_C(3600000000000)), WK_WASI_SUCCESS);
	CHECK(items[2].ready && items[3].ready);
	CHECK_EQUAL(mount.system.poll(&mount, items, 0, 1000), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.close(&mount, &ours), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.close(&mount, &root), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.close(&mount, &nobody_writes), WK_WASI_SUCCESS);
	close(pipes[0]);
	close(pipes[1]);
	end();
}

TEST(time_and_chance)
{
	REQUIRE(begin());
	CHECK_EQUAL(CALL(&g, clock_time_get, WK_WASI_REALTIME, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK(guest_get64(&g, GUEST_OUT) > UINT64_C(1700000000000000000));
	CHECK_EQUAL(CALL(&g, clock_res_get, WK_WASI_MONOTONIC, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, random_get, GUEST_FREE, 100), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, sched_yield), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, fd_prestat_get, 4, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT + 4), 5);
	CHECK_EQUAL(CALL(&g, sock_shutdown, 4, 1), WK_WASI_NOTSOCK);
	end();
}

/* Other names are the host's, even those that begin alike. */
TEST(the_name)
{
	struct wk_wasi_object object;
	static const char *const others[] = { "seale", "sealed/", "./sealed", "sealed2", "SEALED" };

	REQUIRE(begin());
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CHECK_EQUAL(mount.system.open_root(&mount, others[i], &object), WK_WASI_NOENT);
	CHECK_EQUAL(mount.system.open_root(&mount, "/", &object), WK_WASI_SUCCESS);
	CHECK(!(object.detail & WK_WASI_MOUNTED));
	CHECK_EQUAL(mount.system.close(&mount, &object), WK_WASI_SUCCESS);
	CHECK_EQUAL(mount.system.open_root(&mount, "sealed", &object), WK_WASI_SUCCESS);
	CHECK(object.detail & WK_WASI_MOUNTED);
	CHECK_EQUAL(mount.system.close(&mount, &object), WK_WASI_SUCCESS);
	end();
}

/* A read-only preopen of a sealed folder: the core's rights hold there, too. */
TEST(read_only)
{
	struct wk_wasi_preopen preopen = { .host = "sealed", .guest = "/data", .read_only = true };
	struct wk_wasi_config config = { .preopens = &preopen, .preopen_count = 1 };
	int fd = -1;

	REQUIRE(begin());
	close_fd(open_all(4, "file", WK_OFLAG_CREATE));
	guest_end(&g);
	REQUIRE(guest_start(&g, &config));
	CHECK_EQUAL(guest_open(&g, 3, "file", 0, RIGHTS_READ, &fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_open(&g, 3, "file", 0, RIGHTS_WRITE, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_open(&g, 3, "new", WK_OFLAG_CREATE, RIGHTS_READ, &fd), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, path_unlink_file, 3, PATH(&g, "file")), WK_WASI_NOTCAPABLE);
	end();
}

/* ---- sockets ---- */

static unsigned socket_calls[2][4];

static enum wk_wasi_errno accept_any(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection)
{
	(void)socket;
	++((unsigned *)context)[0];
	*connection = (struct wk_wasi_object){ .type = WK_WASI_SOCKET_STREAM };
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno receive_any(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, bool peek, uint64_t *done, bool *truncated)
{
	(void)socket, (void)pieces, (void)count, (void)peek, (void)done, (void)truncated;
	++((unsigned *)context)[1];
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno send_any(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
	size_t count, uint64_t *done)
{
	(void)socket, (void)pieces, (void)count, (void)done;
	++((unsigned *)context)[2];
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno shut_any(void *context, struct wk_wasi_object *socket, bool receive, bool send)
{
	(void)socket, (void)receive, (void)send;
	++((unsigned *)context)[3];
	return WK_WASI_SUCCESS;
}

TEST(sockets)
{
	struct wk_wasi_system systems[2];
	struct wk_mount two;

	for (unsigned i = 0; i < 2; i++)
		systems[i] = (struct wk_wasi_system){ .context = socket_calls[i], .accept = accept_any, .receive = receive_any,
			.send = send_any, .shutdown = shut_any };
	wk_mount_init(&two, &systems[0], &systems[1], "name");
	for (unsigned i = 0; i < 2; i++) {
		struct wk_wasi_object socket = { .type = WK_WASI_SOCKET_STREAM, .detail = i ? WK_WASI_MOUNTED : 0 }, connection;
		uint64_t done = 0;
		bool truncated = false;

		CHECK_EQUAL(two.system.accept(&two, &socket, &connection), WK_WASI_SUCCESS);
		CHECK_EQUAL(connection.detail, socket.detail);
		CHECK_EQUAL(two.system.receive(&two, &connection, NULL, 0, false, &done, &truncated), WK_WASI_SUCCESS);
		CHECK_EQUAL(two.system.send(&two, &connection, NULL, 0, &done), WK_WASI_SUCCESS);
		CHECK_EQUAL(two.system.shutdown(&two, &connection, true, true), WK_WASI_SUCCESS);
		for (unsigned k = 0; k < 4; k++)
			CHECK_EQUAL(socket_calls[i][k], 1);
	}
}

int main(void)
{
	RUN(files);
	RUN(names);
	RUN(listing_while_removing);
	RUN(waiting);
	RUN(time_and_chance);
	RUN(the_name);
	RUN(read_only);
	RUN(sockets);
	return test_end();
}
