/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions against a hostile world: interrupts, answers that lie, windows that change, a storage that fails; and every
 * request for memory refused once.
 */
#define _GNU_SOURCE
#include "unit/test.h"
#include "unit/session_side.h"

#include <pthread.h>
#include <time.h>

#include "wasi/memory_vault.h"

/* ---- the interrupt ---- */

static unsigned interrupt_after;

static void interrupt_soon(struct wk_window *seen)
{
	if (t.requests == interrupt_after)
		__atomic_store_n(&seen->interrupt, WK_WINDOW_STOP, __ATOMIC_RELAXED);
}

TEST(the_interrupt)
{
	begin();
	REQUIRE(load());
	/* Before it starts. */
	window()->interrupt = WK_WINDOW_STOP;
	run("spin");
	CHECK(t.outcome.report.status == WK_TRAP && t.outcome.report.trap == WK_TRAP_INTERRUPTED);
	/* It is the other world's to take back, and so are the other bits. */
	window()->interrupt = ~WK_WINDOW_STOP;
	run("count");
	CHECK(is_ok());
	window()->interrupt = UINT32_MAX;
	run("spin");
	CHECK_EQUAL(t.outcome.report.trap, WK_TRAP_INTERRUPTED);
	window()->interrupt = 0;
	/* While it waits for an answer. */
	t.answer = interrupt_soon;
	interrupt_after = 100;
	run("ask");
	CHECK(t.outcome.report.trap == WK_TRAP_INTERRUPTED && t.requests >= 100 && t.requests < 110);
	window()->interrupt = 0;
	end();
}

static void *interrupt_later(void *context)
{
	struct timespec moment = { .tv_nsec = 50000000 };

	nanosleep(&moment, NULL);
	__atomic_store_n(&((struct wk_window *)context)->interrupt, WK_WINDOW_STOP, __ATOMIC_RELAXED);
	return NULL;
}

TEST(an_interrupt_from_a_thread)
{
	pthread_t thread;
	enum wk_session_event event;

	begin();
	REQUIRE(load());
	event = start("spin");
	/* The streams are opened first; the last answer lets it spin. */
	while (event == WK_SESSION_REQUEST && window()->message.operation != WK_REMOTE_OPEN_ROOT) {
		session_answer(&window()->message, t.window + sizeof(struct wk_window));
		event = resume();
	}
	session_answer(&window()->message, t.window + sizeof(struct wk_window));
	REQUIRE(pthread_create(&thread, NULL, interrupt_later, t.window) == 0);
	serve(resume());
	pthread_join(thread, NULL);
	CHECK_EQUAL(t.outcome.report.trap, WK_TRAP_INTERRUPTED);
	end();
}

/* ---- hostile answers ---- */

static struct {
	unsigned at;                /* which request is answered badly */
	unsigned field;
	uint64_t value;
} bad;

static void answer_badly(struct wk_window *seen)
{
	struct wk_remote_message *m = &seen->message;

	if (bad.at != 0 && t.requests != bad.at)
		return;
	if (bad.field == 0)
		m->error = (uint32_t)bad.value;
	else if (bad.field <= 2)
		m->size[bad.field - 1] = (uint32_t)bad.value;
	else if (bad.field <= 4)
		m->object[bad.field - 3] = bad.value;
	else
		m->number[bad.field - 5] = bad.value;
}

#define FIELDS 13

/* One number of one answer, or of all, is not what it should be. The guest gets an errno at most. */
TEST(answers_with_a_wrong_number)
{
	static const uint64_t values[] = { 0, 1, 3, 7, 8, 76, 77, 255, 65536, WK_REMOTE_WINDOW_MIN,
		WK_REMOTE_WINDOW_MIN + 1, UINT32_MAX, INT64_MAX, UINT64_MAX };
	static const int sockets[] = { 5 };

	begin();
	REQUIRE(load());
	for (unsigned with_socket = 0; with_socket < 2; with_socket++) {
		struct wk_task task = task_for(NULL);

		task.wasi.sockets = sockets;
		task.wasi.socket_count = with_socket;
		t.answer = answer_badly;
		for (bad.at = 0; bad.at < 46; bad.at += bad.at < 8 ? 4 : 1) {
			for (bad.field = 0; bad.field < FIELDS; bad.field++) {
				enum wk_session_event event = 0;

				bad.value = values[(bad.at * FIELDS + bad.field * 5 + with_socket) % WK_COUNT(values)];
				CHECK_EQUAL(start_task(&task, &event), WK_OK);
				serve(event);
				CHECK(t.outcome.report.status == WK_OK || t.outcome.report.status == WK_IO);
			}
		}
	}
	end();
}

static uint32_t noise(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static void answer_with_noise(struct wk_window *seen)
{
	uint8_t *message = (uint8_t *)&seen->message, *data = (uint8_t *)(seen + 1);

	if (t.requests < 5)
		return;
	for (unsigned i = noise() % 3; i > 0; i--)
		message[noise() % sizeof seen->message] = (uint8_t)(noise() % 4 ? noise() % 8 : noise());
	for (unsigned i = 0; i < 64; i++)
		data[i] = (uint8_t)(noise() % 3 ? data[i] : noise());
}

TEST(answers_of_noise)
{
	begin();
	REQUIRE(load());
	t.answer = answer_with_noise;
	for (unsigned i = 0; i < 300; i++) {
		run(NULL);
		CHECK(t.outcome.report.status == WK_OK || t.outcome.report.status == WK_IO);
	}
	end();
}

static bool stop_scribbling;
static uint8_t *scribbled;

/* All of the window but the interrupt, again and again. */
static void *scribble(void *unused)
{
	uint32_t state = 7;

	while (!__atomic_load_n(&stop_scribbling, __ATOMIC_RELAXED)) {
		state = state * 1664525u + 1013904223u;
		__atomic_store_n(&scribbled[64 + (state >> 8) % 1000], (uint8_t)(state >> 28), __ATOMIC_RELAXED);
	}
	return unused;
}

/* A window that another thread writes to while the guest runs: what was checked must be what is used. */
TEST(a_window_that_never_rests)
{
	pthread_t thread;
	unsigned ended = 0;

	begin();
	REQUIRE(load());
	scribbled = t.window;
	__atomic_store_n(&stop_scribbling, false, __ATOMIC_RELAXED);
	REQUIRE(pthread_create(&thread, NULL, scribble, NULL) == 0);
	for (unsigned i = 0; i < 200; i++) {
		struct wk_task task = task_for(NULL);
		enum wk_session_event event = 0;

		CHECK_EQUAL(start_task(&task, &event), WK_OK);
		for (unsigned k = 0; k < 1000 && event == WK_SESSION_REQUEST; k++) {
			window()->message.operation %= WK_REMOTE_OPERATIONS;
			if (window()->message.operation != WK_REMOTE_POLL) /* its count may be anything by now */
				session_answer(&window()->message, t.window + sizeof(struct wk_window));
			event = resume();
		}
		ended += event == WK_SESSION_ENDED;
		if (event != WK_SESSION_ENDED)
			break;
	}
	__atomic_store_n(&stop_scribbling, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK_EQUAL(ended, 200);
	end();
}

/* ---- memory ---- */

/* From the beginning to the outcome of a run. WK_OK also where the guest was told of the refusal. */
static enum wk_status whole_life(const char *name)
{
	struct wk_task task = task_for(name);
	enum wk_session_event event = 0;
	enum wk_status status = load_with(0);

	task.program.translate = true;
	if (status != WK_OK) {
		CHECK(t.report.status == status && t.report.text[0] != 0);
		CHECK(wk_session_keep(t.session) == NULL && t.fault.reserved_bytes == 0);
		return status;
	}
	if (!CHECK_EQUAL(start_task(&task, &event), WK_OK))
		return WK_BAD_ARGUMENT;
	serve(event);
	status = t.outcome.report.status;
	if (status == WK_TRAP && t.outcome.report.trap == WK_TRAP_NO_MEMORY)
		return WK_NO_MEMORY;
	return status;
}

static void refuse_each(const char *name)
{
	unsigned refused = 0;

	for (unsigned keep = 0; keep < 2; keep++) {
		for (uint64_t n = 1; n < 1000; n++) {
			enum wk_status status;

			begin();
			wk_fault_plan(&t.fault, n, keep != 0);
			status = whole_life(name);
			if (!CHECK(status == WK_OK || (status == WK_NO_MEMORY && t.fault.failed != 0)))
				printf("# request %u: %s: %s, %s\n", (unsigned)n, wk_status_text(status), t.report.text,
					t.outcome.report.text);
			refused += status == WK_NO_MEMORY;
			bool last = t.fault.failed == 0;
			/* It is a session that can be used. */
			wk_fault_plan(&t.fault, 0, false);
			if (!last) {
				CHECK_EQUAL(whole_life("count"), WK_OK);
				CHECK_EQUAL(t.outcome.results[0].of.i32, 1);
			}
			end();
			if (last)
				break;
		}
	}
	printf("# %s: %u refusals ended it\n", name ? name : "_start", refused);
	CHECK(refused > 0);
}

TEST(every_request_for_pages_refused)
{
	refuse_each("count");
	refuse_each(NULL);
	refuse_each("many");
}

/* Every limit of memory: where blocks of the heap are refused, too, at other places each time. */
TEST(every_limit)
{
	unsigned outcomes[WK_STATUS_COUNT] = { 0 };

	for (uint64_t limit = 4096; limit <= 600000; limit += limit < 250000 ? 1808 : 30000) {
		enum wk_status status;

		begin();
		status = load_with(limit);
		if (status == WK_OK) {
			struct wk_task task = task_for(limit & 16 ? "many" : NULL);
			enum wk_session_event event = 0;

			CHECK_EQUAL(start_task(&task, &event), WK_OK);
			serve(event);
			status = t.outcome.report.status == WK_TRAP ? WK_NO_MEMORY : t.outcome.report.status;
			if (status == WK_NO_MEMORY)
				CHECK(t.outcome.report.text[0] != 0 || t.outcome.report.trap == WK_TRAP_NO_MEMORY);
		}
		outcomes[status]++;
		CHECK(status == WK_OK || status == WK_NO_MEMORY);
		end();
	}
	printf("# %u limits were enough, %u were not\n", outcomes[WK_OK], outcomes[WK_NO_MEMORY]);
	CHECK(outcomes[WK_OK] > 0 && outcomes[WK_NO_MEMORY] > 0);
}

/* A task that is larger than the memory there is. */
TEST(a_task_without_memory)
{
	static uint8_t bytes[WK_TASK_MAX];
	struct wk_task task = task_for("count");
	char *name = calloc(1, 600000);
	enum wk_session_event event = 0;
	size_t size;

	REQUIRE(name != NULL);
	memset(name, 'n', 599999);
	task.invoke = name;
	size = wk_task_write(&task, bytes, sizeof bytes);
	begin();
	REQUIRE(load_with(800000) == WK_OK);
	run("write"); /* so that something of an earlier run could still be there */
	CHECK(is_ok());
	CHECK_EQUAL(wk_session_start(t.session, bytes, size, t.window, t.size, &event), WK_OK);
	CHECK_EQUAL(event, WK_SESSION_ENDED);
	take_outcome();
	CHECK_EQUAL(t.outcome.report.status, WK_NO_MEMORY);
	CHECK(t.outcome.report.text[0] != 0 && t.outcome.result_count == 0 && !t.outcome.exited && t.outcome.fuel == 0);
	run("count");
	CHECK(is_ok());
	end();
	free(name);
}

/* ---- sealed folders ---- */

static struct memory_vault vault;

static struct wk_task sealed_task(void)
{
	static const struct wk_wasi_preopen folder = { .host = WK_WASI_SEALED, .guest = "." };

	return (struct wk_task){ .wasi = { .preopens = &folder, .preopen_count = 1 } };
}

static void run_sealed(void)
{
	struct wk_task task = sealed_task();
	enum wk_session_event event = 0;

	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK_EQUAL(memory_vault_open(&vault), 0);
}

/* Paths lead to the vault, streams to the other world. */
TEST(a_sealed_folder)
{
	begin();
	memory_vault_init(&vault);
	REQUIRE(load());
	run_sealed();
	CHECK(t.outcome.report.status == WK_IO && memory_vault_objects(&vault) == 0); /* there is none here */
	t.host.vault = &vault.vault;
	run_sealed();
	CHECK(is_ok());
	CHECK(t.operations[WK_REMOTE_WRITE] > 0 && t.operations[WK_REMOTE_OPEN] == 0);
	CHECK_EQUAL(t.operations[WK_REMOTE_OPEN_ROOT], 0);
	CHECK(memory_vault_objects(&vault) > 0);
	/* The module's hash names all. */
	for (const struct memory_object *object = vault.objects; object; object = object->next)
		CHECK(object->id_size == WK_HASH_SIZE + 4 && memcmp(object->id, t.sum, WK_HASH_SIZE) == 0);
	end();
	memory_vault_end(&vault);
}

TEST(a_sealed_folder_that_fails)
{
	uint64_t asked = 1;

	begin();
	memory_vault_init(&vault);
	t.host.vault = &vault.vault;
	REQUIRE(load());
	for (unsigned way = 0; way < 4; way++) {
		for (uint64_t n = 1; n <= asked; n++) {
			memory_vault_reset(&vault);
			vault.fail_at = n;
			vault.keep_failing = way & 1;
			vault.fail_after = way & 2;
			run_sealed();
			CHECK(t.outcome.report.status == WK_OK || t.outcome.report.status == WK_IO);
			asked = vault.asked + 1;
			if (vault.failed == 0)
				break;
		}
	}
	memory_vault_reset(&vault);
	run_sealed();
	CHECK(is_ok());
	end();
	memory_vault_end(&vault);
}

/* A guest that is ended while it waits has its files closed. */
TEST(a_sealed_folder_and_an_end)
{
	for (unsigned at = 0; at < 100; at++) {
		struct wk_task task = sealed_task();
		enum wk_session_event event = 0;
		unsigned requests = 0;

		begin();
		memory_vault_init(&vault);
		t.host.vault = &vault.vault;
		REQUIRE(load());
		CHECK_EQUAL(start_task(&task, &event), WK_OK);
		while (event == WK_SESSION_REQUEST && requests++ < at) {
			session_answer(&window()->message, t.window + sizeof(struct wk_window));
			event = resume();
		}
		end();
		CHECK_EQUAL(memory_vault_open(&vault), 0);
		memory_vault_end(&vault);
		if (event == WK_SESSION_ENDED) {
			CHECK(at > 3);
			return;
		}
	}
	CHECK(false);
}

int main(void)
{
	RUN(the_interrupt);
	RUN(an_interrupt_from_a_thread);
	RUN(answers_with_a_wrong_number);
	RUN(answers_of_noise);
	RUN(a_window_that_never_rests);
	RUN(every_request_for_pages_refused);
	RUN(every_limit);
	RUN(a_task_without_memory);
	RUN(a_sealed_folder);
	RUN(a_sealed_folder_that_fails);
	RUN(a_sealed_folder_and_an_end);
	return test_end();
}
