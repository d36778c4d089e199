/* SPDX-License-Identifier: Apache-2.0
 *
 * A session on this machine, for tests: what it needs of its environment, the commands, and the other world, which
 * answers well unless a test says otherwise. Each command has a window of its own. Include test.h first.
 *
 *	begin();
 *	REQUIRE(load());
 *	run("count");                 start and answer until it has ended: t.outcome
 *	CHECK(is_ok());
 *	end();                        nothing may be left
 */
#ifndef WK_TESTS_UNIT_SESSION_SIDE_H
#define WK_TESTS_UNIT_SESSION_SIDE_H

#include <stdlib.h>

#include "host/host.h"
#include "port/fault/fault.h"
#include "unit/session_guest.h"

static struct wasm module;

/* The session under test, and its world. */
static struct {
	struct wk_session *session;
	struct wk_session_host host;
	struct wk_fault fault;
	uint8_t sum[WK_HASH_SIZE];          /* of `module` */
	struct wk_report report;
	struct wk_outcome outcome;
	uint8_t *window;
	size_t size;
	unsigned requests;                  /* of the run */
	uint32_t operations[WK_REMOTE_OPERATIONS];
	void (*answer)(struct wk_window *window); /* after the good answer was made; may be NULL */
	/* What the hash does besides. */
	bool refuse_hash;
	void (*while_hashing)(void);
	unsigned hashed;
} t;

/* ---- the environment ---- */

static inline bool hash(void *context, const void *bytes, size_t size, uint8_t sum[WK_HASH_SIZE])
{
	CHECK(context == &t);
	t.hashed++;
	if (t.while_hashing)
		t.while_hashing();
	session_hash(bytes, size, sum);
	return !t.refuse_hash;
}

static inline enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	static uint64_t time;

	(void)context, (void)clock;
	*nanoseconds = time += 1000;
	return WK_WASI_SUCCESS;
}

static inline enum wk_wasi_errno chance(void *context, uint8_t *buffer, size_t size)
{
	(void)context;
	memset(buffer, 4, size);
	return WK_WASI_SUCCESS;
}

static inline void yield(void *context)
{
	(void)context;
}

static const struct wk_wasi_system own = { .clock_time = clock_time, .clock_resolution = clock_time, .random = chance,
	.yield = yield };

static inline void begin(void)
{
	static _Alignas(64) uint8_t stack[1 << 20];

	if (module.size == 0)
		session_guest(&module);
	memset(&t, 0, sizeof t);
	wk_fault_init(&t.fault, NULL);
	t.host = (struct wk_session_host){ .context = &t, .provider = &t.fault.provider, .hash = hash, .system = &own,
		.stack = stack, .stack_size = sizeof stack, .native_depth = 4 };
	session_hash(module.bytes, module.size, t.sum);
	t.session = malloc(wk_session_size());
	t.size = WK_WINDOW_MIN;
	t.window = calloc(1, t.size);
	if (!t.session || !t.window)
		abort();
	memset(t.session, 0xa5, wk_session_size()); /* it need not be zeroed */
	t.session = wk_session_init(t.session, &t.host);
	wk_report_clear(&t.report);
}

/* Nothing is left. */
static inline void end(void)
{
	wk_session_end_all(t.session);
	CHECK(wk_session_keep(t.session) == NULL);
	CHECK_EQUAL(t.fault.reserved_bytes, 0);
	free(t.session);
	free(t.window);
}

static inline struct wk_window *window(void)
{
	return (struct wk_window *)(void *)t.window;
}

/* ---- commands ---- */

static inline enum wk_status load_begin(uint64_t size, uint64_t limit)
{
	wk_report_clear(&t.report);
	return wk_session_begin(t.session, size, t.sum, limit, &t.report);
}

static inline enum wk_status load_data(size_t from, size_t size)
{
	return wk_session_data(t.session, from, module.bytes + from, size);
}

static inline enum wk_status load_end(void)
{
	wk_report_clear(&t.report);
	return wk_session_end(t.session, &t.report);
}

static inline enum wk_status load_with(uint64_t limit)
{
	enum wk_status status = load_begin(module.size, limit);

	if (status == WK_OK)
		status = load_data(0, module.size);
	return status == WK_OK ? load_end() : status;
}

static inline bool load(void)
{
	return CHECK_EQUAL(load_with(0), WK_OK);
}

static inline struct wk_task task_for(const char *name)
{
	static const struct wk_wasi_preopen folder = { .host = "/", .guest = "." };

	return (struct wk_task){ .invoke = name, .wasi = { .preopens = &folder, .preopen_count = 1 } };
}

/* With a copy of the task that is overwritten afterwards: the other world may do so while the guest runs. */
static inline enum wk_status start_task(const struct wk_task *task, enum wk_session_event *event)
{
	uint8_t bytes[2048];
	size_t size = wk_task_write(task, bytes, sizeof bytes);
	enum wk_status status;

	CHECK(size <= sizeof bytes);
	t.requests = 0;
	status = wk_session_start(t.session, bytes, size, t.window, t.size, event);
	memset(bytes, 0xff, sizeof bytes);
	return status;
}

static inline enum wk_session_event start(const char *name)
{
	struct wk_task task = task_for(name);
	enum wk_session_event event = 0;

	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	return event;
}

/* Another window for each command; the old one is gone. */
static inline void move_window(void)
{
	uint8_t *other = malloc(t.size);

	if (!other)
		abort();
	memcpy(other, t.window, t.size);
	memset(t.window, 0xff, t.size);
	free(t.window);
	t.window = other;
}

static inline enum wk_session_event resume(void)
{
	enum wk_session_event event = 0;

	CHECK_EQUAL(wk_session_resume(t.session, t.window, t.size, &event), WK_OK);
	return event;
}

/* The outcome in the window, which must be right in its form; nothing of the task's is left. */
static inline void take_outcome(void)
{
	const uint8_t *data = t.window + sizeof(struct wk_window);
	const struct wk_remote_message *message = &window()->message;
	struct wk_keep *keep = wk_session_keep(t.session);

	REQUIRE(message->size[0] <= t.size && message->size[1] <= WK_ACCOUNT_MAX);
	CHECK(message->operation == WK_REMOTE_NONE && message->error == 0);
	CHECK(wk_outcome_read(data, message->size[0], &t.outcome));
	CHECK(wk_account_read(data + message->size[0], message->size[1], &t.outcome.account));
	CHECK(keep && keep->stores.used == 0 && keep->wasi.used == 0 && keep->memories.used == 0 &&
		keep->tables.used == 0 && keep->stacks.used == 0);
}

/* Answers until the guest has ended. */
static inline void serve(enum wk_session_event event)
{
	while (event == WK_SESSION_REQUEST && t.requests < 10000) {
		struct wk_remote_message *message = &window()->message;

		t.requests++;
		REQUIRE(message->operation > WK_REMOTE_NONE && message->operation < WK_REMOTE_OPERATIONS);
		t.operations[message->operation]++;
		session_answer(message, t.window + sizeof(struct wk_window));
		if (t.answer)
			t.answer(window());
		move_window();
		event = resume();
	}
	CHECK_EQUAL(event, WK_SESSION_ENDED);
	take_outcome();
}

static inline void run(const char *name)
{
	serve(start(name));
}

static inline bool is_ok(void)
{
	if (t.outcome.report.status != WK_OK)
		printf("# %s: %s\n", wk_status_text(t.outcome.report.status), t.outcome.report.text);
	return t.outcome.report.status == WK_OK;
}

#endif
