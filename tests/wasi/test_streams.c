/* SPDX-License-Identifier: Apache-2.0
 *
 * What can wait: pipes, sockets, poll_oneoff, and how an interruption ends a wait.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct guest g;
static int in_pipe[2], out_pipe[2]; /* [0] reads, [1] writes; the guest has in_pipe[0] and out_pipe[1] */

static bool begin(const int *sockets, size_t socket_count)
{
	int streams[3];
	struct wk_wasi_config config = { .stdio = streams, .sockets = sockets, .socket_count = socket_count };
	bool started = false;

	if (pipe(in_pipe) < 0 || pipe(out_pipe) < 0)
		abort();
	streams[0] = in_pipe[0];
	streams[1] = out_pipe[1];
	streams[2] = 2;
	started = guest_start(&g, &config);
	/* The guest has duplicates. */
	close(in_pipe[0]);
	close(out_pipe[1]);
	return started;
}

static void close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void end(void)
{
	guest_end(&g);
	close_if(&in_pipe[1]);
	close_if(&out_pipe[0]);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* ---- pipes ---- */

#define BIG (10u << 20)

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 2654435761u >> 24);
}

static void *feed(void *unused)
{
	static uint8_t bytes[BIG];

	(void)unused;
	for (uint32_t i = 0; i < BIG; i++)
		bytes[i] = byte_at(i);
	for (size_t at = 0; at < BIG;) {
		size_t part = BIG - at < 100003 ? BIG - at : 100003;
		ssize_t size = write(in_pipe[1], bytes + at, part);

		if (size < 0)
			abort();
		at += (size_t)size;
	}
	close_if(&in_pipe[1]);
	return NULL;
}

static void *drain(void *count)
{
	static uint8_t bytes[65536];
	uint32_t at = 0;
	ssize_t size = 0;

	while ((size = read(out_pipe[0], bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < size; i++, at++)
			if (bytes[i] != byte_at(at))
				abort();
	*(uint32_t *)count = at;
	return NULL;
}

static void piece(uint32_t address, uint32_t size)
{
	wk_put32(guest_at(&g, GUEST_IOV), address);
	wk_put32(guest_at(&g, GUEST_IOV + 4), size);
}

TEST(ten_megabytes_through)
{
	pthread_t feeder, drainer;
	uint32_t drained = 0, through = 0;

	REQUIRE(begin(NULL, 0));
	pthread_create(&feeder, NULL, feed, NULL);
	pthread_create(&drainer, NULL, drain, &drained);
	for (;;) {
		uint32_t size = 0;

		piece(GUEST_FREE, 1 << 20);
		if (!CHECK_EQUAL(CALL(&g, fd_read, 0, GUEST_IOV, 1, GUEST_OUT), WK_WASI_SUCCESS))
			break;
		size = guest_get32(&g, GUEST_OUT);
		if (size == 0)
			break;
		piece(GUEST_FREE, size);
		if (!CHECK_EQUAL(CALL(&g, fd_write, 1, GUEST_IOV, 1, GUEST_OUT), WK_WASI_SUCCESS))
			break;
		CHECK_EQUAL(guest_get32(&g, GUEST_OUT), size); /* never in part */
		through += size;
	}
	CHECK_EQUAL(through, BIG);
	CALL(&g, fd_close, 1);
	pthread_join(feeder, NULL);
	pthread_join(drainer, NULL);
	CHECK_EQUAL(drained, BIG);
	end();
}

/* A write larger than the pipe goes through whole; a non-blocking one tells how far it came. */
TEST(large_writes)
{
	pthread_t drainer;
	uint32_t drained = 0, size = 3u << 20;

	REQUIRE(begin(NULL, 0));
	for (uint32_t i = 0; i < size; i++)
		*(uint8_t *)guest_at(&g, GUEST_FREE + i) = byte_at(i);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 1, WK_WASI_NONBLOCK), WK_WASI_SUCCESS);
	CHECK_EQUAL(fcntl(out_pipe[0], F_GETFL) & O_NONBLOCK, 0);
	piece(GUEST_FREE, size);
	CHECK_EQUAL(CALL(&g, fd_write, 1, GUEST_IOV, 1, GUEST_OUT), WK_WASI_SUCCESS);
	drained = guest_get32(&g, GUEST_OUT);
	CHECK(drained > 0 && drained < size);
	CHECK_EQUAL(CALL(&g, fd_write, 1, GUEST_IOV, 1, GUEST_OUT), WK_WASI_AGAIN);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 1, 0), WK_WASI_SUCCESS);
	piece(GUEST_FREE + drained, size - drained);
	pthread_create(&drainer, NULL, drain, &drained);
	CHECK_EQUAL(CALL(&g, fd_write, 1, GUEST_IOV, 1, GUEST_OUT), WK_WASI_SUCCESS);
	CALL(&g, fd_close, 1);
	pthread_join(drainer, NULL);
	CHECK_EQUAL(drained, size);
	end();
}

/* The test's own SIGPIPE is at its default: it would kill. */
TEST(broken_pipe)
{
	sigset_t pending;

	REQUIRE(begin(NULL, 0));
	signal(SIGPIPE, SIG_DFL);
	close_if(&out_pipe[0]);
	CHECK_EQUAL(guest_write(&g, 1, "lost"), WK_WASI_PIPE);
	CHECK_EQUAL(guest_write(&g, 1, "lost"), WK_WASI_PIPE);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	end();
}

TEST(rights_of_streams)
{
	char text[32];

	REQUIRE(begin(NULL, 0));
	CHECK_EQUAL(guest_write(&g, 0, "x"), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(guest_read(&g, 1, text, sizeof text), WK_WASI_NOTCAPABLE);
	CHECK_EQUAL(CALL(&g, fd_seek, 0, 0, 1, GUEST_OUT), WK_WASI_SPIPE);
	CHECK_EQUAL(CALL(&g, path_open, 0, 0, PATH(&g, "x"), 0, 0, 0, 0, GUEST_OUT), WK_WASI_NOTDIR);
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get64(&g, GUEST_OUT + WK_FDSTAT_BASE) & (WK_RIGHT_FD_SEEK | WK_RIGHT_FD_TELL), 0);
	end();
}

TEST(non_blocking_reads)
{
	char text[32];

	REQUIRE(begin(NULL, 0));
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 0, WK_WASI_NONBLOCK), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_read(&g, 0, text, sizeof text), WK_WASI_AGAIN);
	CHECK(write(in_pipe[1], "now", 3) == 3);
	CHECK_EQUAL(guest_read(&g, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "now");
	close_if(&in_pipe[1]);
	CHECK_EQUAL(guest_read(&g, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "");
	end();
}

/* A descriptor that the embedder left non-blocking still waits for the guest. */
static void *write_later(void *unused)
{
	(void)unused;
	usleep(50000);
	if (write(in_pipe[1], "late", 4) != 4)
		abort();
	return NULL;
}

TEST(waiting_reads)
{
	pthread_t writer;
	char text[32];

	REQUIRE(begin(NULL, 0));
	fcntl(in_pipe[1], F_SETFL, O_NONBLOCK);
	pthread_create(&writer, NULL, write_later, NULL);
	CHECK_EQUAL(guest_read(&g, 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "late");
	pthread_join(writer, NULL);
	end();
}

/* ---- poll_oneoff ---- */

static void clock_subscription(uint32_t i, uint64_t userdata, uint32_t clock, uint64_t timeout, uint16_t flags)
{
	uint8_t *s = guest_at(&g, 0x10000 + i * WK_SUBSCRIPTION_SIZE);

	memset(s, 0xee, WK_SUBSCRIPTION_SIZE); /* padding is the guest's rubbish */
	wk_put64(s, userdata);
	s[WK_SUBSCRIPTION_TAG] = WK_EVENT_CLOCK;
	wk_put32(s + WK_SUBSCRIPTION_CLOCK, clock);
	wk_put64(s + WK_SUBSCRIPTION_TIMEOUT, timeout);
	wk_put16(s + WK_SUBSCRIPTION_FLAGS, flags);
}

static void fd_subscription(uint32_t i, uint64_t userdata, uint8_t tag, uint32_t fd)
{
	uint8_t *s = guest_at(&g, 0x10000 + i * WK_SUBSCRIPTION_SIZE);

	memset(s, 0xee, WK_SUBSCRIPTION_SIZE);
	wk_put64(s, userdata);
	s[WK_SUBSCRIPTION_TAG] = tag;
	wk_put32(s + WK_SUBSCRIPTION_FD, fd);
}

static int poll_all(uint32_t count)
{
	return CALL(&g, poll_oneoff, 0x10000, 0x40000, count, GUEST_OUT);
}

struct event { uint64_t userdata; uint16_t error; uint8_t type; uint64_t bytes; uint16_t flags; };

static struct event event(uint32_t i)
{
	const uint8_t *e = guest_at(&g, 0x40000 + i * WK_EVENT_SIZE);

	return (struct event){ wk_get64(e), (uint16_t)wk_get32(e + WK_EVENT_ERROR), e[WK_EVENT_TYPE],
		wk_get64(e + WK_EVENT_BYTES), (uint16_t)wk_get32(e + WK_EVENT_FLAGS) };
}

TEST(polling_clocks)
{
	uint64_t start = 0, realtime = 0;

	REQUIRE(begin(NULL, 0));
	clock_subscription(0, 7, 1, 50000000, 0);
	clock_subscription(1, 8, 0, 3600000000000, 0);
	start = now();
	CHECK_EQUAL(poll_all(2), WK_WASI_SUCCESS);
	CHECK(now() - start >= 50000000 && now() - start < 3000000000);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 1);
	CHECK_EQUAL(event(0).userdata, 7);
	CHECK_EQUAL(event(0).type, WK_EVENT_CLOCK);
	CHECK_EQUAL(event(0).error, 0);
	/* Absolute times. */
	CHECK_EQUAL(CALL(&g, clock_time_get, 0, 0, GUEST_OUT), WK_WASI_SUCCESS);
	realtime = guest_get64(&g, GUEST_OUT);
	clock_subscription(0, 1, 0, realtime + 50000000, 1);
	start = now();
	CHECK_EQUAL(poll_all(1), WK_WASI_SUCCESS);
	CHECK(now() - start >= 49000000);
	clock_subscription(0, 1, 0, 1, 1);
	clock_subscription(1, 2, 1, 0, 0);
	clock_subscription(2, 3, 1, UINT64_MAX, 0);
	clock_subscription(3, 4, 0, UINT64_MAX, 1);
	CHECK_EQUAL(poll_all(4), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 2);
	CHECK_EQUAL(event(0).userdata, 1);
	CHECK_EQUAL(event(1).userdata, 2);
	/* What cannot be waited for. */
	clock_subscription(0, 1, 2, 1, 0);
	clock_subscription(1, 2, 9, 1, 0);
	clock_subscription(2, 3, 1, 1, 2);
	CHECK_EQUAL(poll_all(3), WK_WASI_SUCCESS);
	CHECK_EQUAL(event(0).error, WK_WASI_NOTSUP);
	CHECK_EQUAL(event(1).error, WK_WASI_INVAL);
	CHECK_EQUAL(event(2).error, WK_WASI_INVAL);
	end();
}

TEST(polling_descriptors)
{
	REQUIRE(begin(NULL, 0));
	fd_subscription(0, 1, WK_EVENT_READ, 0);
	fd_subscription(1, 2, WK_EVENT_WRITE, 1);
	CHECK_EQUAL(poll_all(2), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 1);
	CHECK_EQUAL(event(0).userdata, 2);
	CHECK_EQUAL(event(0).type, WK_EVENT_WRITE);
	clock_subscription(1, 3, 1, 30000000, 0);
	CHECK_EQUAL(poll_all(2), WK_WASI_SUCCESS);
	CHECK_EQUAL(event(0).userdata, 3);
	CHECK(write(in_pipe[1], "12345", 5) == 5);
	CHECK_EQUAL(poll_all(1), WK_WASI_SUCCESS);
	CHECK_EQUAL(event(0).userdata, 1);
	CHECK_EQUAL(event(0).bytes, 5);
	CHECK_EQUAL(event(0).flags, 0);
	close_if(&in_pipe[1]);
	CHECK_EQUAL(poll_all(1), WK_WASI_SUCCESS);
	CHECK_EQUAL(event(0).flags, WK_EVENT_HANGUP);
	/* Errors of single subscriptions. */
	fd_subscription(0, 1, WK_EVENT_READ, 77);
	fd_subscription(1, 2, WK_EVENT_READ, 1);
	clock_subscription(2, 3, 1, 3600000000000, 0);
	CHECK_EQUAL(poll_all(3), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 2);
	CHECK_EQUAL(event(0).error, WK_WASI_BADF);
	CHECK_EQUAL(event(1).error, WK_WASI_NOTCAPABLE);
	/* Of the call. */
	CHECK_EQUAL(poll_all(0), WK_WASI_INVAL);
	CHECK_EQUAL(poll_all(WK_WASI_POLL_MAX + 1), WK_WASI_INVAL);
	CHECK_EQUAL(poll_all(0xffffffff), GUEST_TRAP);
	fd_subscription(0, 1, 3, 0);
	CHECK_EQUAL(poll_all(1), WK_WASI_INVAL);
	/* Many, with the events over the subscriptions. */
	for (uint32_t i = 0; i < WK_WASI_POLL_MAX; i++)
		fd_subscription(i, i, WK_EVENT_WRITE, 1);
	CHECK_EQUAL(CALL(&g, poll_oneoff, 0x10000, 0x10000, WK_WASI_POLL_MAX, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), WK_WASI_POLL_MAX);
	for (uint32_t i = 0; i < WK_WASI_POLL_MAX; i++)
		CHECK_EQUAL(guest_get64(&g, 0x10000 + i * WK_EVENT_SIZE), i);
	end();
}

/* ---- interruption ---- */

static void *interrupt_later(void *unused)
{
	(void)unused;
	usleep(100000);
	wk_store_interrupt(g.store);
	return NULL;
}

static void check_interrupted(const char *name, const uint64_t *arguments, size_t count)
{
	pthread_t thread;
	uint64_t start = now();
	int error = 0;

	pthread_create(&thread, NULL, interrupt_later, NULL);
	error = guest_call(&g, name, arguments, count);
	/* Whether the guest still sees the errno is the engine's to decide. */
	if (!CHECK(error == WK_WASI_INTR || (error == GUEST_TRAP && g.report.trap == WK_TRAP_INTERRUPTED)))
		printf("# %s: %d\n", name, error);
	CHECK(now() - start >= 90000000 && now() - start < 2000000000);
	pthread_join(thread, NULL);
	wk_store_clear_interrupt(g.store);
}

TEST(interruption)
{
	int pair[2], listener = socket(AF_INET, SOCK_STREAM, 0), passed[2];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
	passed[0] = pair[0];
	passed[1] = listener;
	REQUIRE(begin(passed, 2));
	piece(GUEST_FREE, 3u << 20);
	clock_subscription(0, 1, 1, 3600000000000, 0);
	clock_subscription(1, 1, 0, UINT64_MAX, 1);
	check_interrupted("poll_oneoff", (uint64_t[]){ 0x10000, 0x40000, 2, GUEST_OUT }, 4);
	fd_subscription(0, 1, WK_EVENT_READ, 0);
	check_interrupted("poll_oneoff", (uint64_t[]){ 0x10000, 0x40000, 1, GUEST_OUT }, 4);
	check_interrupted("fd_read", (uint64_t[]){ 0, GUEST_IOV, 1, GUEST_OUT }, 4);
	check_interrupted("fd_read", (uint64_t[]){ 3, GUEST_IOV, 1, GUEST_OUT }, 4);
	check_interrupted("sock_recv", (uint64_t[]){ 3, GUEST_IOV, 1, 0, GUEST_OUT, GUEST_OUT + 8 }, 6);
	check_interrupted("sock_accept", (uint64_t[]){ 4, 0, GUEST_OUT }, 3);
	/* Fill what nobody reads, then wait. */
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 1, WK_WASI_NONBLOCK), WK_WASI_SUCCESS);
	while (CALL(&g, fd_write, 1, GUEST_IOV, 1, GUEST_OUT) == WK_WASI_SUCCESS)
		;
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 1, 0), WK_WASI_SUCCESS);
	check_interrupted("fd_write", (uint64_t[]){ 1, GUEST_IOV, 1, GUEST_OUT }, 4);
	end();
	close(pair[0]);
	close(pair[1]);
	close(listener);
}

/* ---- sockets ---- */

static int receive(int fd, uint32_t size, uint32_t flags)
{
	piece(GUEST_FREE, size);
	return CALL(&g, sock_recv, (uint64_t)fd, GUEST_IOV, 1, flags, GUEST_OUT, GUEST_OUT + 8);
}

static int send_text(int fd, const char *text)
{
	piece(GUEST_FREE, guest_put(&g, GUEST_FREE, text));
	return CALL(&g, sock_send, (uint64_t)fd, GUEST_IOV, 1, 0, GUEST_OUT);
}

static void *send_in_parts(void *fd)
{
	for (int i = 0; i < 5; i++) {
		usleep(20000);
		if (send(*(int *)fd, "part", 4, 0) != 4)
			abort();
	}
	return NULL;
}

TEST(stream_sockets)
{
	int pair[2];
	char text[32];
	pthread_t sender;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	REQUIRE(begin(pair, 1));
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 3, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(*(uint8_t *)guest_at(&g, GUEST_OUT), WK_WASI_SOCKET_STREAM);
	CHECK_EQUAL(send_text(3, "question"), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 8);
	CHECK_EQUAL(recv(pair[1], text, sizeof text, 0), 8);
	CHECK(send(pair[1], "answer", 6, 0) == 6);
	CHECK_EQUAL(receive(3, 3, WK_RIFLAG_PEEK), WK_WASI_SUCCESS);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "ans", 3) == 0);
	CHECK_EQUAL(receive(3, 100, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 6);
	CHECK_EQUAL(*(uint16_t *)guest_at(&g, GUEST_OUT + 8), 0);
	pthread_create(&sender, NULL, send_in_parts, &pair[1]);
	CHECK_EQUAL(receive(3, 20, WK_RIFLAG_WAITALL), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 20);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "partpartpartpartpart", 20) == 0);
	pthread_join(sender, NULL);
	CHECK_EQUAL(receive(3, 20, 4), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, sock_send, 3, GUEST_IOV, 1, 1, GUEST_OUT), WK_WASI_INVAL);
	/* As a file. */
	CHECK_EQUAL(guest_write(&g, 3, "file"), WK_WASI_SUCCESS);
	CHECK_EQUAL(recv(pair[1], text, sizeof text, 0), 4);
	CHECK(send(pair[1], "file", 4, 0) == 4);
	CHECK_EQUAL(guest_read(&g, 3, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "file");
	CHECK_EQUAL(CALL(&g, sock_shutdown, 3, 0), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, sock_shutdown, 3, 4), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, sock_shutdown, 3, WK_SDFLAG_SEND), WK_WASI_SUCCESS);
	CHECK_EQUAL(recv(pair[1], text, sizeof text, 0), 0);
	CHECK_EQUAL(send_text(3, "late"), WK_WASI_PIPE);
	close(pair[1]);
	CHECK_EQUAL(receive(3, 20, WK_RIFLAG_WAITALL), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 0);
	CHECK_EQUAL(CALL(&g, sock_accept, 3, 0, GUEST_OUT), WK_WASI_INVAL);
	end();
	close(pair[0]);
}

TEST(datagrams)
{
	int pair[2];
	char text[32];

	REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	REQUIRE(begin(pair, 1));
	CHECK_EQUAL(CALL(&g, fd_fdstat_get, 3, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(*(uint8_t *)guest_at(&g, GUEST_OUT), WK_WASI_SOCKET_DGRAM);
	CHECK(send(pair[1], "0123456789", 10, 0) == 10);
	CHECK(send(pair[1], "next", 4, 0) == 4);
	CHECK_EQUAL(receive(3, 4, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 4);
	CHECK_EQUAL(*(uint16_t *)guest_at(&g, GUEST_OUT + 8), WK_ROFLAG_TRUNCATED);
	CHECK_EQUAL(receive(3, 100, WK_RIFLAG_WAITALL), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 4);
	CHECK_EQUAL(*(uint16_t *)guest_at(&g, GUEST_OUT + 8), 0);
	CHECK_EQUAL(send_text(3, "one message"), WK_WASI_SUCCESS);
	CHECK_EQUAL(recv(pair[1], text, sizeof text, 0), 11);
	/* A message is sent whole or not at all. */
	for (uint32_t i = 0; i < 100; i++) {
		wk_put32(guest_at(&g, GUEST_IOV + i * 8), GUEST_FREE);
		wk_put32(guest_at(&g, GUEST_IOV + i * 8 + 4), 1);
	}
	CHECK_EQUAL(CALL(&g, sock_send, 3, GUEST_IOV, 100, 0, GUEST_OUT), WK_WASI_MSGSIZE);
	CHECK_EQUAL(CALL(&g, sock_send, 3, GUEST_IOV, 64, 0, GUEST_OUT), WK_WASI_SUCCESS);
	CHECK_EQUAL(guest_get32(&g, GUEST_OUT), 64);
	end();
	close(pair[0]);
	close(pair[1]);
}

TEST(accepting)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), fd = -1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	char text[32];

	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
	REQUIRE(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	REQUIRE(begin(&listener, 1));
	CHECK_EQUAL(CALL(&g, sock_accept, 3, 32, GUEST_OUT), WK_WASI_INVAL);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 3, WK_WASI_NONBLOCK), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, sock_accept, 3, 0, GUEST_OUT), WK_WASI_AGAIN);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, 3, 0), WK_WASI_SUCCESS);
	REQUIRE(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
	fd_subscription(0, 1, WK_EVENT_READ, 3);
	CHECK_EQUAL(poll_all(1), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, sock_accept, 3, WK_WASI_NONBLOCK, GUEST_OUT), WK_WASI_SUCCESS);
	fd = (int)guest_get32(&g, GUEST_OUT);
	CHECK_EQUAL(fd, 4);
	CHECK_EQUAL(receive(fd, 10, 0), WK_WASI_AGAIN);
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_flags, (uint64_t)fd, 0), WK_WASI_SUCCESS);
	CHECK(send(client, "ping", 4, 0) == 4);
	CHECK_EQUAL(receive(fd, 10, 0), WK_WASI_SUCCESS);
	CHECK(memcmp(guest_at(&g, GUEST_FREE), "ping", 4) == 0);
	CHECK_EQUAL(send_text(fd, "pong"), WK_WASI_SUCCESS);
	CHECK_EQUAL(recv(client, text, sizeof text, 0), 4);
	CHECK_EQUAL(CALL(&g, fd_close, (uint64_t)fd), WK_WASI_SUCCESS);
	CHECK_EQUAL(recv(client, text, sizeof text, 0), 0);
	/* Rights to accept are not passed on when they are dropped. */
	CHECK_EQUAL(CALL(&g, fd_fdstat_set_rights, 3, 0, 0), WK_WASI_SUCCESS);
	CHECK_EQUAL(CALL(&g, sock_accept, 3, 0, GUEST_OUT), WK_WASI_NOTCAPABLE);
	end();
	close(client);
	close(listener);
}

static void run_all(void)
{
	RUN(ten_megabytes_through);
	RUN(large_writes);
	RUN(broken_pipe);
	RUN(rights_of_streams);
	RUN(non_blocking_reads);
	RUN(waiting_reads);
	RUN(polling_clocks);
	RUN(polling_descriptors);
	RUN(interruption);
	RUN(stream_sockets);
	RUN(datagrams);
	RUN(accepting);
}

int main(void)
{
	run_all();
	puts("# through messages");
	guest_remote = true;
	run_all();
	return test_end();
}
