/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions: runs of a module, each command in each state, modules in pieces, windows and tasks that cannot be. The
 * guest is session_guest.h's.
 */
#include "unit/test.h"
#include "unit/session_side.h"

/* ---- a whole life ---- */

TEST(every_operation_of_wasi)
{
	static const int sockets[] = { 5 };
	static const char *const texts[] = { "program" };
	struct wk_task task = task_for(NULL);
	enum wk_session_event event = 0;

	begin();
	REQUIRE(load());
	task.wasi.arguments = texts;
	task.wasi.argument_count = 1;
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(is_ok() && t.outcome.result_count == 0 && !t.outcome.exited);
	task.wasi.sockets = sockets;
	task.wasi.socket_count = 1;
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(is_ok());
	for (uint32_t i = WK_REMOTE_NONE + 1; i < WK_REMOTE_OPERATIONS; i++)
		if (!CHECK(t.operations[i] != 0))
			printf("# operation %u was never asked for\n", (unsigned)i);
	end();
}

TEST(results)
{
	static const struct wk_value values[] = { { .kind = WK_I32, .of.i32 = -5 }, { .kind = WK_I64, .of.i64 = INT64_MIN },
		{ .kind = WK_F32, .of.f32 = 0.5f }, { .kind = WK_F64, .of.f64 = -2.5 },
		{ .kind = WK_V128, .of.v128 = { 1, [15] = 16 } }, { .kind = WK_EXTERNREF, .of.ref = 99 } };
	struct wk_task task = task_for("values");
	enum wk_session_event event = 0;

	begin();
	REQUIRE(load());
	task.arguments = values;
	task.argument_count = WK_COUNT(values);
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	REQUIRE(is_ok() && t.outcome.result_count == WK_COUNT(values));
	CHECK(t.outcome.results[0].of.i32 == -5 && t.outcome.results[1].of.i64 == INT64_MIN);
	CHECK(t.outcome.results[2].of.f32 == 0.5f && t.outcome.results[3].of.f64 == -2.5);
	CHECK(memcmp(t.outcome.results[4].of.v128, values[4].of.v128, 16) == 0);
	CHECK(t.outcome.results[5].kind == WK_EXTERNREF && t.outcome.results[5].of.ref == 99);
	run("many");
	REQUIRE(is_ok() && t.outcome.result_count == 1000);
	CHECK(t.outcome.results[0].of.i32 == 0 && t.outcome.results[999].of.i32 == 999);
	/* A function is there, and where is nobody's business. */
	run("refs");
	REQUIRE(is_ok() && t.outcome.result_count == 2);
	CHECK(t.outcome.results[0].kind == WK_FUNCREF && t.outcome.results[0].of.ref == 1);
	CHECK(t.outcome.results[1].kind == WK_EXTERNREF && t.outcome.results[1].of.ref == 0);
	run("write");
	CHECK(is_ok() && t.outcome.results[0].of.i32 == WK_WASI_SUCCESS);
	end();
}

/* Wrong arguments, no such function: told in the outcome, and the session goes on. */
TEST(calls_that_cannot_be)
{
	static const struct wk_value one = { .kind = WK_I32 };
	struct wk_task task = task_for("count");
	enum wk_session_event event = 0;

	begin();
	REQUIRE(load());
	task.arguments = &one;
	task.argument_count = 1;
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(t.outcome.report.status == WK_BAD_ARGUMENT && t.outcome.result_count == 0);
	run("none");
	CHECK_EQUAL(t.outcome.report.status, WK_NOT_FOUND);
	run("memory");
	CHECK_EQUAL(t.outcome.report.status, WK_NOT_FOUND);
	run("values");
	CHECK_EQUAL(t.outcome.report.status, WK_BAD_ARGUMENT);
	run("count");
	CHECK(is_ok());
	end();
}

/* Each run begins anew, whatever became of the one before. */
TEST(many_runs_of_one_module)
{
	static const char *const ways[] = { "count", "trap", "exit", "grow", "deep", "write", "_start", "refs" };

	begin();
	REQUIRE(load_with(1 << 20) == WK_OK);
	for (unsigned i = 0; i < 3; i++) {
		for (size_t k = 0; k < WK_COUNT(ways); k++) {
			run(ways[k]);
			if (k == 1)
				CHECK(t.outcome.report.status == WK_TRAP && t.outcome.report.trap == WK_TRAP_UNREACHABLE);
			else if (k == 4)
				CHECK(t.outcome.report.status == WK_TRAP && t.outcome.report.frame_count == WK_REPORT_FRAMES &&
					(t.outcome.report.trap == WK_TRAP_STACK_EXHAUSTED || t.outcome.report.trap == WK_TRAP_NO_MEMORY));
			else
				CHECK(is_ok());
			CHECK_EQUAL(t.outcome.exited, k == 2);
			CHECK_EQUAL(t.outcome.exit_code, k == 2 ? 7 : 0);
			if (k == 3)
				CHECK(t.outcome.results[0].of.i32 > 1 && t.outcome.account.refusals > 0);
			run("count");
			CHECK(is_ok() && t.outcome.result_count == 1 && t.outcome.results[0].of.i32 == 1);
		}
	}
	end();
}

TEST(fuel)
{
	struct wk_task task = task_for("spin");
	enum wk_session_event event = 0;

	begin();
	REQUIRE(load());
	task.program.store.fuel = true;
	task.program.fuel = 1000;
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(t.outcome.report.status == WK_TRAP && t.outcome.report.trap == WK_TRAP_FUEL_EXHAUSTED && t.outcome.fuel == 0);
	task.invoke = "count";
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(is_ok() && t.outcome.fuel > 900 && t.outcome.fuel < 1000);
	/* More than the machine counts to. */
	task.program.fuel = UINT64_MAX;
	CHECK_EQUAL(start_task(&task, &event), WK_OK);
	serve(event);
	CHECK(is_ok());
	end();
}

TEST(sizes_that_a_task_asks_for)
{
	static const uint64_t sizes[] = { 0, 1, 4095, 4096, UINT32_MAX, (uint64_t)UINT32_MAX + 1, INT64_MAX, UINT64_MAX };
	struct wk_task task = task_for("count");
	enum wk_session_event event = 0;

	begin();
	REQUIRE(load_with(2 << 20) == WK_OK);
	for (size_t i = 0; i < WK_COUNT(sizes); i++) {
		for (unsigned k = 0; k < 2; k++) {
			task.program.store = (struct wk_store_config){ .stack_size = k ? 0 : sizes[i],
				.memory_limit = k ? sizes[i] : 0 };
			CHECK_EQUAL(start_task(&task, &event), WK_OK);
			serve(event);
			CHECK(t.outcome.report.status == WK_OK || t.outcome.report.text[0] != 0 ||
				t.outcome.report.status == WK_BAD_ARGUMENT);
		}
	}
	end();
}

/* ---- states ---- */

enum state { EMPTY, LOADING, COMPLETE, LOADED, WAITING, STATES };

static bool go_to(enum state state)
{
	begin();
	if (state >= LOADING && !CHECK_EQUAL(load_begin(module.size, 0), WK_OK))
		return false;
	if (state == LOADING)
		return CHECK_EQUAL(load_data(0, 100), WK_OK);
	if (state >= COMPLETE && !CHECK_EQUAL(load_data(0, module.size), WK_OK))
		return false;
	if (state >= LOADED && !CHECK_EQUAL(load_end(), WK_OK))
		return false;
	return state != WAITING || CHECK_EQUAL(start("ask"), WK_SESSION_REQUEST);
}

/* Whatever was refused before: it goes on where it was. */
static void go_on(enum state state)
{
	if (state == EMPTY)
		REQUIRE(load());
	if (state == LOADING)
		CHECK_EQUAL(load_data(100, module.size - 100), WK_OK);
	if (state == LOADING || state == COMPLETE)
		REQUIRE(CHECK_EQUAL(load_end(), WK_OK));
	if (state == WAITING) {
		window()->interrupt = WK_WINDOW_STOP;
		serve(WK_SESSION_REQUEST);
		CHECK_EQUAL(t.outcome.report.trap, WK_TRAP_INTERRUPTED);
		window()->interrupt = 0;
	}
	run("count");
	CHECK(is_ok());
}

TEST(every_command_in_every_state)
{
	for (enum state state = EMPTY; state < STATES; state++) {
		struct wk_task task = task_for("count");
		enum wk_session_event event = 99;
		uint8_t before[sizeof(struct wk_window)];

		REQUIRE(go_to(state));
		memcpy(before, t.window, sizeof before);
		if (state != LOADING)
			CHECK_EQUAL(load_data(0, 100), WK_BAD_ARGUMENT);
		if (state != COMPLETE) {
			CHECK_EQUAL(load_end(), WK_BAD_ARGUMENT);
			CHECK(t.report.text[0] == 0 && t.report.status == WK_OK);
		}
		if (state != LOADED)
			CHECK_EQUAL(start_task(&task, &event), WK_BAD_ARGUMENT);
		if (state != WAITING)
			CHECK_EQUAL(wk_session_resume(t.session, t.window, t.size, &event), WK_BAD_ARGUMENT);
		else
			CHECK_EQUAL(load_begin(module.size, 0), WK_BAD_ARGUMENT);
		CHECK_EQUAL(load_begin(0, 0), WK_BAD_ARGUMENT);
		CHECK(t.report.text[0] == 0);
		CHECK(event == 99 && memcmp(before, t.window, sizeof before) == 0);
		CHECK((wk_session_keep(t.session) != NULL) == (state != EMPTY));
		go_on(state);
		end();
	}
}

TEST(an_end_in_every_state)
{
	for (enum state state = EMPTY; state < STATES; state++) {
		if (go_to(state)) {
			/* Twice: an ended session is one that is empty. */
			wk_session_end_all(t.session);
			CHECK_EQUAL(t.fault.reserved_bytes, 0);
		}
		end();
	}
}

/* A new module takes the old one's place in every state but while a guest waits. */
TEST(a_beginning_in_every_state)
{
	for (enum state state = EMPTY; state < WAITING; state++) {
		REQUIRE(go_to(state));
		CHECK_EQUAL(load_begin(50, 0), WK_OK);
		CHECK_EQUAL(wk_session_data(t.session, 0, module.bytes, 51), WK_BAD_ARGUMENT);
		REQUIRE(load());
		run("count");
		CHECK(is_ok());
		end();
	}
}

/* The guest is told to stop, wherever it waits, and asks nobody any more. */
TEST(an_end_at_every_request)
{
	static const int sockets[] = { 5 };
	unsigned requests = 1;

	for (unsigned at = 0; at < requests; at++) {
		struct wk_task task = task_for(NULL);
		enum wk_session_event event = 0;

		begin();
		REQUIRE(load());
		task.wasi.sockets = sockets;
		task.wasi.socket_count = 1;
		CHECK_EQUAL(start_task(&task, &event), WK_OK);
		for (requests = 1; event == WK_SESSION_REQUEST; requests++) {
			if (requests == at + 1)
				break;
			session_answer(&window()->message, t.window + sizeof(struct wk_window));
			move_window();
			event = resume();
		}
		memset(t.window, 0xff, t.size); /* it belongs to the other world again */
		end();
		if (event != WK_SESSION_REQUEST)
			break;
		requests++;
	}
	printf("# ended at each of %u requests\n", requests - 1);
	CHECK(requests > 40);
}

/* ---- loading ---- */

TEST(pieces)
{
	begin();
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	for (size_t at = 0; at < module.size; at += 7) {
		size_t size = module.size - at < 7 ? module.size - at : 7;
		uint8_t piece[8];

		memcpy(piece, module.bytes + at, size);
		CHECK_EQUAL(wk_session_data(t.session, at, piece, size), WK_OK);
		memset(piece, 0, sizeof piece);
	}
	CHECK_EQUAL(load_end(), WK_OK);
	run("count");
	CHECK(is_ok());
	end();
}

TEST(pieces_that_cannot_be)
{
	begin();
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	CHECK_EQUAL(load_data(1, 10), WK_BAD_ARGUMENT);             /* not at the beginning */
	CHECK_EQUAL(load_data(0, 0), WK_BAD_ARGUMENT);              /* of nothing */
	CHECK_EQUAL(wk_session_data(t.session, 0, module.bytes, module.size + 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_data(t.session, 0, module.bytes, SIZE_MAX), WK_BAD_ARGUMENT);
	CHECK_EQUAL(load_data(0, 100), WK_OK);
	CHECK_EQUAL(load_data(0, 100), WK_BAD_ARGUMENT);            /* again */
	CHECK_EQUAL(load_data(99, 100), WK_BAD_ARGUMENT);           /* overlapping */
	CHECK_EQUAL(load_data(101, 100), WK_BAD_ARGUMENT);          /* with a gap */
	CHECK_EQUAL(wk_session_data(t.session, UINT64_MAX, module.bytes, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_data(t.session, ((uint64_t)1 << 32) + 100, module.bytes, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_data(t.session, 100, module.bytes + 100, module.size - 99), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_data(t.session, 100, module.bytes + 100, SIZE_MAX - 50), WK_BAD_ARGUMENT);
	CHECK_EQUAL(load_end(), WK_BAD_ARGUMENT);                   /* too early */
	CHECK_EQUAL(load_data(100, module.size - 100), WK_OK);
	CHECK_EQUAL(load_data(module.size, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(load_end(), WK_OK);
	run("count");
	CHECK(is_ok());
	end();
}

TEST(sizes_of_modules)
{
	static const uint64_t sizes[] = { UINT64_MAX, (uint64_t)INT64_MAX + 1, (uint64_t)1 << 32, UINT32_MAX, 1 << 24 };

	begin();
	for (size_t i = 0; i < WK_COUNT(sizes); i++) {
		enum wk_status status = load_begin(sizes[i], 1 << 20);

		CHECK(status == WK_NO_MEMORY || status == WK_LIMIT);
		CHECK(t.report.status == status && t.report.text[0] != 0);
		CHECK(wk_session_keep(t.session) == NULL && t.fault.reserved_bytes == 0);
	}
	/* Limits that the module does not fit into, or that are none. */
	for (uint64_t limit = 1; limit < module.size; limit = limit * 2 + 1)
		CHECK_EQUAL(load_begin(module.size, limit), WK_NO_MEMORY);
	CHECK_EQUAL(load_with(UINT64_MAX), WK_OK);
	run("count");
	CHECK(is_ok());
	end();
}

TEST(another_hash)
{
	begin();
	for (unsigned i = 0; i < WK_HASH_SIZE; i++) {
		t.sum[i] ^= 0x80;
		CHECK_EQUAL(load_with(0), WK_IO);
		CHECK(t.report.status == WK_IO && strstr(t.report.text, "SHA-256"));
		CHECK(wk_session_keep(t.session) == NULL && t.fault.reserved_bytes == 0);
		t.sum[i] ^= 0x80;
	}
	/* It must be there when it is asked for: all is to be sent again. */
	CHECK_EQUAL(load_end(), WK_BAD_ARGUMENT);
	CHECK_EQUAL(load_data(0, 1), WK_BAD_ARGUMENT);
	t.refuse_hash = true;
	CHECK_EQUAL(load_with(0), WK_NO_MEMORY);
	CHECK(wk_session_keep(t.session) == NULL);
	t.refuse_hash = false;
	REQUIRE(load());
	run("count");
	CHECK(is_ok());
	end();
}

TEST(not_a_module)
{
	static const uint8_t bytes[] = { 0, 'a', 's', 'm', 2, 0, 0, 0 };

	begin();
	session_hash(bytes, sizeof bytes, t.sum);
	REQUIRE(load_begin(sizeof bytes, 0) == WK_OK);
	CHECK_EQUAL(wk_session_data(t.session, 0, bytes, sizeof bytes), WK_OK);
	CHECK_EQUAL(load_end(), WK_MALFORMED);
	CHECK(t.report.status == WK_MALFORMED && wk_session_keep(t.session) == NULL && t.fault.reserved_bytes == 0);
	end();
}

static uint8_t sent[WASM_ROOM];

static void change_what_was_sent(void)
{
	memset(sent, 0xff, sizeof sent);
	/* Nor does a command that comes now do anything: the module is whole. */
	CHECK_EQUAL(wk_session_data(t.session, module.size, sent, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_data(t.session, 0, sent, module.size), WK_BAD_ARGUMENT);
}

/* The other world changes what it has sent: before, while and after it is hashed. What was hashed is what runs. */
TEST(a_module_that_changes)
{
	begin();
	/* After it was sent, before the hash. */
	memcpy(sent, module.bytes, module.size);
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	CHECK_EQUAL(wk_session_data(t.session, 0, sent, module.size), WK_OK);
	memset(sent, 0xff, sizeof sent);
	CHECK_EQUAL(load_end(), WK_OK);
	run("count");
	CHECK(is_ok());
	/* While it is hashed. */
	memcpy(sent, module.bytes, module.size);
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	CHECK_EQUAL(wk_session_data(t.session, 0, sent, module.size), WK_OK);
	t.while_hashing = change_what_was_sent;
	CHECK_EQUAL(load_end(), WK_OK);
	CHECK_EQUAL(t.hashed, 2); /* once each */
	run("count");
	CHECK(is_ok());
	/* Between two pieces: what is hashed is another one then. */
	t.while_hashing = NULL;
	memcpy(sent, module.bytes, module.size);
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	CHECK_EQUAL(wk_session_data(t.session, 0, sent, 200), WK_OK);
	sent[200] ^= 1;
	CHECK_EQUAL(wk_session_data(t.session, 200, sent + 200, module.size - 200), WK_OK);
	CHECK_EQUAL(load_end(), WK_IO);
	end();
}

/* The hash that was promised is copied, too. */
TEST(a_hash_that_changes)
{
	begin();
	REQUIRE(load_begin(module.size, 0) == WK_OK);
	memset(t.sum, 0, sizeof t.sum);
	CHECK_EQUAL(load_data(0, module.size), WK_OK);
	CHECK_EQUAL(load_end(), WK_OK);
	end();
}

/* ---- a module that an image has inside ---- */

/* An image that has no function compiled and says that bodies lay elsewhere in the module as it was. */
static struct wk_image_table image;
static uint8_t compiled[1000];
static uint32_t bodies[1000];

static void make_image(void)
{
	struct wk_keep *keep = NULL;
	struct wk_module *made = NULL;

	REQUIRE(wk_keep_new(NULL, &keep) == WK_OK &&
		wk_module_load(keep, module.bytes, module.size, WK_LOAD_BORROW, NULL, &made) == WK_OK);
	REQUIRE(made->func_count < WK_COUNT(compiled));
	image = (struct wk_image_table){ .abi = WK_IMAGE_ABI, .function_count = made->func_count, .compiled = compiled,
		.module = module.bytes, .module_size = (uint32_t)module.size, .bodies = bodies };
	for (uint32_t i = made->imported_funcs; i < made->func_count; i++)
		bodies[i - made->imported_funcs] = made->funcs[i].body + 1000 * i;
	wk_module_release(made);
	wk_keep_delete(keep);
}

TEST(a_module_inside_of_an_image)
{
	uint64_t offset;
	uint32_t function;

	begin();
	REQUIRE(load());
	run("trap");
	CHECK_EQUAL(t.outcome.report.trap, WK_TRAP_UNREACHABLE);
	offset = t.outcome.report.frames[0].offset;
	function = t.outcome.report.frames[0].function;
	make_image();
	t.host.image = &image;
	memset(t.host.image_module, 7, sizeof t.host.image_module); /* not what the table's bytes hash to: they are a part */
	memcpy(t.sum, t.host.image_module, sizeof t.sum);
	t.hashed = 0;
	CHECK_EQUAL(load_begin(0, 0), WK_OK);
	CHECK_EQUAL(wk_session_data(t.session, 0, module.bytes, 1), WK_BAD_ARGUMENT);
	CHECK_EQUAL(load_end(), WK_OK);
	CHECK_EQUAL(t.hashed, 0);
	CHECK(wk_session_keep(t.session)->bytes.used == 0); /* nothing was copied */
	run("count");
	CHECK(is_ok());
	run("_start");
	CHECK(is_ok());
	/* The place of a trap is one in the module as it was. */
	run("trap");
	CHECK_EQUAL(t.outcome.report.trap, WK_TRAP_UNREACHABLE);
	CHECK_EQUAL(t.outcome.report.frames[0].function, function);
	CHECK_EQUAL(t.outcome.report.frames[0].offset, offset + 1000 * function);
	/* Once more, then one that is sent. */
	CHECK_EQUAL(load_begin(0, 0), WK_OK);
	CHECK_EQUAL(load_end(), WK_OK);
	session_hash(module.bytes, module.size, t.sum);
	REQUIRE(load());
	run("trap");
	CHECK_EQUAL(t.outcome.report.frames[0].offset, offset);
	end();
}

/* Code that does not count fuel cannot be replaced by the interpreter where there are no bodies. */
TEST(an_image_without_fuel)
{
	struct wk_task task = task_for("count");
	enum wk_session_event event = 0;

	begin();
	make_image();
	for (uint32_t counts = 0; counts < 2; counts++) {
		image.counts_fuel = counts;
		t.host.image = &image;
		memcpy(t.host.image_module, t.sum, sizeof t.sum);
		CHECK_EQUAL(load_begin(0, 0), WK_OK);
		CHECK_EQUAL(load_end(), WK_OK);
		task.program.store.fuel = true;
		task.program.fuel = 1000;
		CHECK_EQUAL(start_task(&task, &event), WK_OK);
		serve(event);
		CHECK_EQUAL(t.outcome.report.status, counts ? WK_OK : WK_UNSUPPORTED);
		if (!counts)
			CHECK(strstr(t.outcome.report.text, "does not count fuel") != NULL);
		run("count");
		CHECK(is_ok());
	}
	end();
}

TEST(no_module_inside)
{
	begin();
	make_image();
	CHECK_EQUAL(load_begin(0, 0), WK_BAD_ARGUMENT); /* no image */
	t.host.image = &image;
	memcpy(t.host.image_module, t.sum, sizeof t.sum);
	t.sum[31] ^= 1;
	CHECK_EQUAL(load_begin(0, 0), WK_BAD_ARGUMENT); /* of another module */
	CHECK(wk_session_keep(t.session) == NULL && t.report.text[0] == 0);
	t.sum[31] ^= 1;
	/* An image that is not what its seal says. */
	image.function_count++;
	CHECK_EQUAL(load_begin(0, 0), WK_OK);
	CHECK_EQUAL(load_end(), WK_MALFORMED);
	image.function_count--;
	image.module_size--;
	CHECK_EQUAL(load_begin(0, 0), WK_OK);
	CHECK_EQUAL(load_end(), WK_MALFORMED);
	image.module_size++;
	CHECK_EQUAL(load_begin(0, 0), WK_OK);
	CHECK_EQUAL(load_end(), WK_OK);
	run("count");
	CHECK(is_ok());
	end();
}

/* ---- windows ---- */

TEST(windows_that_cannot_be)
{
	static const size_t sizes[] = { 0, 1, sizeof(struct wk_window), WK_REMOTE_WINDOW_MIN, WK_WINDOW_MIN - 1,
		WK_WINDOW_MAX + 1, SIZE_MAX };
	uint8_t bytes[256], *wide = malloc(WK_WINDOW_MIN + 8);
	struct wk_task task = task_for("ask");
	size_t size = wk_task_write(&task, bytes, sizeof bytes);
	enum wk_session_event event = 99;

	REQUIRE(wide != NULL);
	begin();
	REQUIRE(load());
	for (unsigned waiting = 0; waiting < 2; waiting++) {
		for (size_t i = 0; i < WK_COUNT(sizes); i++)
			CHECK_EQUAL(waiting ? wk_session_resume(t.session, t.window, sizes[i], &event) :
				wk_session_start(t.session, bytes, size, t.window, sizes[i], &event), WK_BAD_ARGUMENT);
		for (unsigned i = 1; i < 8; i++)
			CHECK_EQUAL(waiting ? wk_session_resume(t.session, wide + i, WK_WINDOW_MIN, &event) :
				wk_session_start(t.session, bytes, size, wide + i, WK_WINDOW_MIN, &event), WK_BAD_ARGUMENT);
		CHECK_EQUAL(waiting ? wk_session_resume(t.session, NULL, WK_WINDOW_MIN, &event) :
			wk_session_start(t.session, bytes, size, NULL, WK_WINDOW_MIN, &event), WK_BAD_ARGUMENT);
		CHECK_EQUAL(event, 99);
		if (!waiting) {
			CHECK_EQUAL(wk_session_start(t.session, NULL, size, t.window, t.size, &event), WK_BAD_ARGUMENT);
			CHECK_EQUAL(start("ask"), WK_SESSION_REQUEST);
		}
	}
	/* The next one may be of another size. */
	for (unsigned i = 0; i < 20; i++) {
		size_t larger = i % 2 ? WK_WINDOW_MIN : WK_WINDOW_MAX;
		uint8_t *other = calloc(1, larger);

		REQUIRE(other != NULL);
		memcpy(other, t.window, WK_WINDOW_MIN);
		session_answer(&((struct wk_window *)(void *)other)->message, other + sizeof(struct wk_window));
		free(t.window);
		t.window = other;
		t.size = larger;
		CHECK_EQUAL(resume(), WK_SESSION_REQUEST);
	}
	end();
	free(wide);
}

/* The smallest window takes the largest outcome. */
TEST(the_largest_outcome)
{
	begin();
	REQUIRE(load());
	run("many");
	CHECK(is_ok() && t.outcome.result_count == 1000);
	CHECK(window()->message.size[0] + window()->message.size[1] <= WK_OUTCOME_MAX);
	end();
}

TEST(tasks_that_cannot_be)
{
	uint8_t bytes[256], *much = calloc(1, WK_TASK_MAX + 1);
	struct wk_task task = task_for("count");
	size_t size = wk_task_write(&task, bytes, sizeof bytes);
	enum wk_session_event event = 99;

	REQUIRE(much != NULL);
	begin();
	REQUIRE(load());
	for (size_t cut = 0; cut < size; cut++)
		CHECK_EQUAL(wk_session_start(t.session, bytes, cut, t.window, t.size, &event), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_start(t.session, much, WK_TASK_MAX + 1, t.window, t.size, &event), WK_BAD_ARGUMENT);
	CHECK_EQUAL(wk_session_start(t.session, bytes, SIZE_MAX, t.window, t.size, &event), WK_BAD_ARGUMENT);
	CHECK(event == 99 && wk_session_keep(t.session)->stores.used == 0);
	run("count");
	CHECK(is_ok());
	end();
	free(much);
}

int main(void)
{
	RUN(every_operation_of_wasi);
	RUN(results);
	RUN(calls_that_cannot_be);
	RUN(many_runs_of_one_module);
	RUN(fuel);
	RUN(sizes_that_a_task_asks_for);
	RUN(every_command_in_every_state);
	RUN(an_end_in_every_state);
	RUN(a_beginning_in_every_state);
	RUN(an_end_at_every_request);
	RUN(pieces);
	RUN(pieces_that_cannot_be);
	RUN(sizes_of_modules);
	RUN(another_hash);
	RUN(not_a_module);
	RUN(a_module_that_changes);
	RUN(a_hash_that_changes);
	RUN(a_module_inside_of_an_image);
	RUN(an_image_without_fuel);
	RUN(no_module_inside);
	RUN(windows_that_cannot_be);
	RUN(the_largest_outcome);
	RUN(tasks_that_cannot_be);
	return test_end();
}
