/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: commands to one session, in any order, with any arguments, from a world that lies: a module that comes in
 * pieces, tasks, answers to a guest's requests. Each command gets a window of its own that is gone afterwards; while
 * the guest runs it changes whenever the guest looks at a clock. Memory and storage can be refused at any point.
 *
 * What must hold: a command does what the state says, or changes nothing; what comes back can be read; nothing of a
 * task is left when it has ended, and nothing of a session at its end.
 */
#include <stdlib.h>

#include "host/host.h"
#include "input.h"
#include "port/fault/fault.h"
#include "unit/session_guest.h"
#include "wasi/memory_vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUEL 20000u
#define LIMIT (UINT64_C(8) << 20)

enum state { EMPTY, LOADING, LOADED, RUNNING };

static struct {
	struct wk_session *session;
	struct wk_session_host host;
	struct wk_fault fault;
	struct memory_vault vault;      /* of sealed folders */
	struct input input;
	enum state state;
	uint64_t size, received;        /* of the module that comes */
	uint8_t *window;                /* the last one, as it was left: what the next one holds */
	size_t window_size;
	bool inside;                    /* a guest is running with it */
	bool interrupt;
} now;

static struct wasm module;

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- what the session is given ---- */

static bool hash(void *context, const void *bytes, size_t size, uint8_t sum[WK_HASH_SIZE])
{
	(void)context;
	session_hash(bytes, size, sum);
	return input_byte(&now.input) != 255;
}

static void change_bytes(uint8_t *bytes, size_t size)
{
	size_t at = (size_t)input_number(&now.input) % size, got = 0;
	const uint8_t *from = input_bytes(&now.input, input_byte(&now.input) % 16, &got);

	for (size_t i = 0; i < got; i++)
		bytes[(at + i) % size] = from[i];
}

/* The other world does something while the guest runs. */
static void disturb(void)
{
	uint8_t how = input_byte(&now.input);

	if (!now.inside || how < 128)
		return;
	if (how & 1)
		__atomic_store_n(&((struct wk_window *)(void *)now.window)->interrupt,
			how & 2 ? WK_WINDOW_STOP : 0, __ATOMIC_RELAXED);
	else
		change_bytes(now.window, how & 2 ? sizeof(struct wk_window) : now.window_size);
}

static enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	static uint64_t time;

	(void)context, (void)clock;
	disturb();
	*nanoseconds = time += 1000;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno chance(void *context, uint8_t *buffer, size_t size)
{
	(void)context;
	disturb();
	memset(buffer, 4, size);
	return WK_WASI_SUCCESS;
}

static void yield(void *context)
{
	(void)context;
	disturb();
}

static const struct wk_wasi_system own = { .clock_time = clock_time, .clock_resolution = clock_time, .random = chance,
	.yield = yield };

/* ---- windows ---- */

/* A new one, which holds what the last one held. Usually a good one. */
static bool next_window(size_t *size)
{
	static const size_t sizes[] = { WK_WINDOW_MIN, WK_WINDOW_MIN + 8, 65536, WK_WINDOW_MAX, WK_WINDOW_MIN - 1, 0,
		WK_WINDOW_MAX + 1 };
	size_t choice = input_byte(&now.input);
	uint8_t *fresh;

	*size = choice < 240 ? WK_WINDOW_MIN : sizes[choice % WK_COUNT(sizes)];
	fresh = malloc(*size ? *size : 1);
	require(fresh != NULL);
	memset(fresh, 0, *size);
	memcpy(fresh, now.window, *size < now.window_size ? *size : now.window_size);
	if (*size >= sizeof(struct wk_window))
		((struct wk_window *)(void *)fresh)->interrupt = now.interrupt ? WK_WINDOW_STOP : 0;
	now.interrupt = false;
	free(now.window);
	now.window = fresh;
	now.window_size = *size;
	return *size >= WK_WINDOW_MIN && *size <= WK_WINDOW_MAX;
}

static void check_outcome(void)
{
	static struct wk_outcome outcome;
	const struct wk_window *window = (const struct wk_window *)(const void *)now.window;
	const uint8_t *data = now.window + sizeof *window;
	size_t size = window->message.size[0], account_size = window->message.size[1];

	require(size + account_size <= now.window_size - sizeof *window && account_size <= WK_ACCOUNT_MAX);
	require(wk_outcome_read(data, size, &outcome) && wk_account_read(data + size, account_size, &outcome.account));
	require(outcome.report.status != WK_EXIT);
}

/* Nothing of a task's is there any more. */
static void check_rest(void)
{
	struct wk_keep *keep = wk_session_keep(now.session);

	require((keep != NULL) == (now.state != EMPTY));
	if (now.state == LOADED)
		require(keep->stores.used == 0 && keep->wasi.used == 0 && keep->memories.used == 0 &&
			keep->stacks.used == 0 && keep->tables.used == 0);
}

static void after(enum wk_session_event event)
{
	require(event == WK_SESSION_REQUEST || event == WK_SESSION_ENDED);
	now.state = event == WK_SESSION_REQUEST ? RUNNING : LOADED;
	if (event == WK_SESSION_ENDED)
		check_outcome();
	check_rest();
}

/* ---- commands ---- */

static void begin(uint64_t size, uint64_t limit, bool right)
{
	uint8_t sum[WK_HASH_SIZE];
	struct wk_report report;
	enum wk_status status;

	session_hash(module.bytes, module.size, sum);
	sum[0] ^= !right;
	wk_report_clear(&report);
	status = wk_session_begin(now.session, size, sum, limit, &report);
	if (now.state == RUNNING || size == 0) {
		require(status == WK_BAD_ARGUMENT && report.text[0] == 0);
	} else {
		require(status == WK_OK || status == WK_NO_MEMORY || status == WK_LIMIT);
		require((status == WK_OK) == (report.text[0] == 0));
		now.state = status == WK_OK ? LOADING : EMPTY;
		now.size = size;
		now.received = 0;
	}
	check_rest();
}

static void data(uint64_t offset, uint64_t size)
{
	/* Of its own, as the module's pieces are memory that can go at once. */
	uint8_t *piece = calloc(1, size ? size : 1);
	bool good = now.state == LOADING && offset == now.received && size > 0 && size <= now.size - now.received;

	require(piece != NULL);
	if (offset < module.size)
		memcpy(piece, module.bytes + offset, size < module.size - offset ? size : module.size - offset);
	require((wk_session_data(now.session, offset, piece, size) == WK_OK) == good);
	if (good)
		now.received += size;
	free(piece);
	check_rest();
}

static void end(void)
{
	struct wk_report report;
	bool good = now.state == LOADING && now.received == now.size;
	enum wk_status status;

	wk_report_clear(&report);
	status = wk_session_end(now.session, &report);
	if (!good)
		require(status == WK_BAD_ARGUMENT && report.text[0] == 0);
	else
		now.state = status == WK_OK ? LOADED : EMPTY;
	require(!good || (status == WK_OK) == (report.text[0] == 0));
	check_rest();
}

static void load(void)
{
	if (now.state == RUNNING)
		return;
	begin(module.size, LIMIT, true);
	if (now.state == LOADING)
		data(0, module.size);
	if (now.state == LOADING)
		end();
}

static size_t make_task(uint8_t *bytes, size_t room)
{
	static const char *const names[] = { NULL, NULL, NULL, NULL, "write", "spin", "trap", "deep", "exit", "count",
		"values", "many", "refs", "grow", "ask", "none", "memory" };
	static const char *const texts[] = { "program", "argument" };
	static const int sockets[] = { 5 };
	struct wk_wasi_preopen folders[] = { { .host = "/", .guest = "." }, { .host = WK_WASI_SEALED, .guest = "." } };
	static const struct wk_value values[] = { { .kind = WK_I32 }, { .kind = WK_I64 }, { .kind = WK_F32 },
		{ .kind = WK_F64 }, { .kind = WK_V128 }, { .kind = WK_EXTERNREF } };
	uint8_t how = input_byte(&now.input);
	struct wk_task task = { .program = { .store = { .fuel = true }, .fuel = FUEL, .translate = how & 1 },
		.wasi = { .arguments = texts, .argument_count = how >> 1 & 1, .environment = texts,
			.environment_count = how >> 2 & 1, .preopens = folders + (how & 1),
			.preopen_count = how & 8 ? 2 - (how & 1u) : 1, .sockets = sockets,
			.socket_count = how >> 4 & 1 },
		.arguments = values };

	task.invoke = names[input_byte(&now.input) % WK_COUNT(names)];
	task.argument_count = task.invoke && strcmp(task.invoke, "values") == 0 ? WK_COUNT(values) : how >> 6;
	if (how & 32) {
		task.program.store.stack_size = input_number(&now.input);
		task.program.store.memory_limit = input_number(&now.input);
	}
	size_t size = wk_task_write(&task, bytes, room);
	require(size <= room);
	return size;
}

static void start(bool damaged)
{
	uint8_t bytes[1024], *task;
	size_t size = make_task(bytes, sizeof bytes), window_size;
	bool good_window = next_window(&window_size), bad_task = false;
	enum wk_session_event event = 0;
	const uint64_t fuel = FUEL;
	enum wk_status status;

	if (damaged) {
		change_bytes(bytes, size);
		bytes[0] |= 1; /* with fuel, */
		memcpy(bytes + 24, &fuel, sizeof fuel); /* and not too much: it is to end */
		size -= input_byte(&now.input) % 8;
	}
	task = malloc(size);
	require(task != NULL);
	memcpy(task, bytes, size);
	now.inside = true;
	status = wk_session_start(now.session, task, size, now.window, window_size, &event);
	now.inside = false;
	free(task);
	bad_task = damaged && now.state == LOADED && good_window && status == WK_BAD_ARGUMENT;
	if (now.state != LOADED || !good_window || bad_task) {
		require(status == WK_BAD_ARGUMENT);
		check_rest();
		return;
	}
	require(status == WK_OK);
	after(event);
}

static void resume(void)
{
	size_t window_size;
	bool good_window = next_window(&window_size);
	struct wk_window *window = (struct wk_window *)(void *)now.window;
	enum wk_session_event event = 0;
	enum wk_status status;

	if (good_window && now.state == RUNNING) {
		uint8_t how = input_byte(&now.input);

		session_answer(&window->message, now.window + sizeof *window);
		if (how & 1)
			window->message.error = input_byte(&now.input);
		if (how & 2)
			window->message.number[how >> 5] = input_number(&now.input);
		if (how & 4)
			window->message.size[0] = (uint32_t)input_number(&now.input);
		if (how & 8)
			change_bytes((uint8_t *)&window->message, sizeof window->message);
		if (how & 16)
			change_bytes(now.window + sizeof *window, how & 32 ? 64 : window_size - sizeof *window);
	}
	now.inside = true;
	status = wk_session_resume(now.session, now.window, window_size, &event);
	now.inside = false;
	if (now.state != RUNNING || !good_window) {
		require(status == WK_BAD_ARGUMENT);
		check_rest();
		return;
	}
	require(status == WK_OK);
	after(event);
}

static void restart(void)
{
	wk_session_end_all(now.session);
	require(wk_session_keep(now.session) == NULL && now.fault.reserved_bytes == 0);
	require(memory_vault_open(&now.vault) == 0);
	now.session = wk_session_init(now.session, &now.host);
	now.state = EMPTY;
}

static void command(void)
{
	uint8_t which = input_byte(&now.input);

	switch (which % 16) {
	case 0:
	case 1:
		load();
		break;
	case 2:
		begin(input_number(&now.input), 1 + input_number(&now.input) % LIMIT, which & 16);
		break;
	case 3:
		begin(module.size, which & 16 ? LIMIT : 1 + input_number(&now.input) % LIMIT, which & 32);
		break;
	case 4:
		data(which & 16 ? now.received : input_number(&now.input), (uint32_t)input_number(&now.input) % 70000);
		break;
	case 5:
		end();
		break;
	case 6:
	case 7:
		start(false);
		break;
	case 8:
		start(true);
		break;
	case 9:
		now.interrupt = true;
		break;
	case 10:
		if (which & 32) {
			now.vault.fail_at = now.vault.asked + 1 + input_byte(&now.input) % 32;
			now.vault.fail_after = which & 16;
		} else {
			wk_fault_plan(&now.fault, input_byte(&now.input), which & 16);
		}
		break;
	case 11:
		restart();
		break;
	default:
		resume();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static _Alignas(64) uint8_t stack[1 << 20];

	if (module.size == 0)
		session_guest(&module);
	now.input = (struct input){ bytes, bytes + size };
	wk_fault_init(&now.fault, NULL);
	memory_vault_init(&now.vault);
	now.host = (struct wk_session_host){ .provider = &now.fault.provider, .hash = hash, .system = &own,
		.vault = &now.vault.vault, .stack = stack, .stack_size = sizeof stack, .native_depth = 4 };
	now.session = wk_session_init(malloc(wk_session_size()), &now.host);
	now.state = EMPTY;
	now.interrupt = false;
	now.window = calloc(1, WK_WINDOW_MIN);
	now.window_size = WK_WINDOW_MIN;
	while (input_left(&now.input) != 0)
		command();
	restart();
	memory_vault_end(&now.vault);
	free(now.session);
	free(now.window);
	return 0;
}
