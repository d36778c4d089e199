/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions: see session.h. The guest runs on a native stack of its own. What it needs of the other world is written to the
 * window, and the coroutine left; the command that entered it returns, the other world answers, and the next command goes
 * on where the guest waits. So one thread of the TEE is enough, nothing waits inside of it, and every operation of the
 * guest's can take as long as it likes.
 *
 * What always holds: the coroutine is entered only in state RUNNING; when it is not running, all that was made for a task
 * is gone, or the state is RUNNING. The window is used only while a command with one is at work: its address is good for
 * that long.
 */
#include "remote/session.h"

#include "base/checked.h"
#include "host/host.h"
#include "wasi/mount.h"
#include "wasi/sealed.h"

enum state { EMPTY, LOADING, LOADED, RUNNING };

struct wk_session {
	const struct wk_session_host *host;
	enum state state;
	struct wk_keep *keep;
	struct wk_module *module;
	uint8_t *bytes;                 /* of the module, while loading; NULL: the image has them */
	size_t size, received;
	uint8_t hash[WK_HASH_SIZE];

	/* The task that runs. */
	struct wk_port_coroutine coroutine;
	struct wk_task *task;
	struct wk_program *program;
	struct wk_wasi_system system;
	struct wk_remote_channel channel;
	struct wk_sealed *sealed;       /* NULL: the task has no sealed folder */
	struct wk_mount mount;          /* joins it and the other world's system */
	struct wk_window *window;
	bool ended;                     /* the coroutine has left for good */
	bool gone;                      /* nobody will answer any more */
	bool exited;
	uint32_t exit_code;
	uint64_t fuel;
	uint32_t result_room, result_count; /* result_count 0 unless the call returned */
	struct wk_value *results;
	size_t account_size;
	uint8_t account[WK_ACCOUNT_MAX];
	struct wk_report report;
};

_Static_assert(WK_WINDOW_STOP == WK_INTERRUPT, "the window's flag is the one that the guest looks at");
static const uint32_t always_interrupted = WK_INTERRUPT;

_Static_assert(WK_SEALED_VOLUME == WK_HASH_SIZE, "a module's hash names its volume");

size_t wk_session_size(void)
{
	return sizeof(struct wk_session);
}

struct wk_session *wk_session_init(void *memory, const struct wk_session_host *host)
{
	struct wk_session *session = memory;

	memset(session, 0, sizeof *session);
	session->host = host;
	return session;
}

struct wk_keep *wk_session_keep(struct wk_session *session)
{
	return session->keep;
}

/* What was made for the task that has ended goes. */
static void drop_task(struct wk_session *session)
{
	struct wk_budget *budget = &session->keep->stores;

	wk_sealed_delete(session->sealed);
	session->sealed = NULL;
	wk_free(budget, session->results, session->results ? session->result_room * sizeof *session->results : 0);
	wk_task_free(budget, session->task);
	session->results = NULL;
	session->task = NULL;
	session->state = LOADED;
}

/* Back to EMPTY; nothing runs. */
static void unload(struct wk_session *session)
{
	wk_module_release(session->module);
	wk_keep_delete(session->keep);
	session->module = NULL;
	session->keep = NULL;
	session->bytes = NULL;
	session->size = session->received = 0;
	session->state = EMPTY;
}

void wk_session_end_all(struct wk_session *session)
{
	session->gone = true;
	while (session->state == RUNNING) {
		wk_port_coroutine_enter(&session->coroutine);
		if (session->ended)
			drop_task(session);
	}
	unload(session);
}

/* ---- loading ---- */

/* Is there compiled code of the module with this hash? */
static bool has_image(const struct wk_session *session, const uint8_t hash[WK_HASH_SIZE])
{
	return session->host->image && memcmp(hash, session->host->image_module, WK_HASH_SIZE) == 0;
}

enum wk_status wk_session_begin(struct wk_session *session, uint64_t size, const uint8_t hash[WK_HASH_SIZE],
	uint64_t memory_limit, struct wk_report *report)
{
	struct wk_keep_config config = { .provider = session->host->provider, .memory_limit = memory_limit };
	void *bytes = NULL;
	enum wk_status status;

	if (session->state == RUNNING || (size == 0 && !has_image(session, hash)) || size > SIZE_MAX)
		return WK_BAD_ARGUMENT;
	unload(session);
	status = wk_keep_new(&config, &session->keep);
	if (status != WK_OK)
		return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "out of memory: none is left for a keep");
	if (size != 0)
		status = wk_module_bytes(session->keep, (size_t)size, report, &bytes);
	if (status != WK_OK) {
		unload(session);
		return status;
	}
	session->bytes = bytes;
	session->size = (size_t)size;
	memcpy(session->hash, hash, WK_HASH_SIZE);
	session->state = LOADING;
	return WK_OK;
}

enum wk_status wk_session_data(struct wk_session *session, uint64_t offset, const uint8_t *bytes, size_t size)
{
	if (session->state != LOADING || offset != session->received || size == 0 ||
		size > session->size - session->received)
		return WK_BAD_ARGUMENT;
	memcpy(session->bytes + session->received, bytes, size);
	session->received += size;
	return WK_OK;
}

/* What is compared is no secret. */
static enum wk_status check_hash(struct wk_session *session, struct wk_report *report)
{
	uint8_t hash[WK_HASH_SIZE];

	if (!session->host->hash(session->host->context, session->bytes, session->size, hash))
		return wk_report_set(report, WK_NO_MEMORY, WK_NO_OFFSET, WK_NO_FUNCTION, "the TEE cannot hash the module");
	if (memcmp(hash, session->hash, sizeof hash) == 0)
		return WK_OK;
	return wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION,
		"the module has changed while it was sent: its SHA-256 is another");
}

/* An image's module stays in the library, which outlives the session. That it is what was compiled says who made the
 * library, as he does of the code. */
static enum wk_status load(struct wk_session *session, struct wk_report *report)
{
	const struct wk_image_table *image = session->host->image;
	enum wk_status status;

	if (!session->bytes)
		return wk_module_load(session->keep, image->module, image->module_size, WK_LOAD_BORROW, report, &session->module);
	status = check_hash(session, report);
	return status == WK_OK ?
		wk_module_load(session->keep, session->bytes, session->size, WK_LOAD_GIVE, report, &session->module) : status;
}

enum wk_status wk_session_end(struct wk_session *session, struct wk_report *report)
{
	enum wk_status status;

	if (session->state != LOADING || session->received != session->size)
		return WK_BAD_ARGUMENT;
	status = load(session, report);
	if (status == WK_OK && has_image(session, session->hash))
		status = wk_image_attach(session->module, session->host->image, NULL, NULL, report);
	if (status != WK_OK) {
		unload(session);
		return status;
	}
	session->state = LOADED;
	return WK_OK;
}

/* ---- inside of the coroutine ---- */

/* The other world gets the message and, when it comes back, has written its answer there. */
static bool exchange(void *context, struct wk_remote_message *message)
{
	struct wk_session *session = context;

	if (session->gone)
		return false;
	memcpy(&session->window->message, message, sizeof *message);
	wk_port_coroutine_leave(&session->coroutine);
	if (session->gone)
		return false;
	memcpy(message, &session->window->message, sizeof *message);
	return true;
}

static enum wk_status call(struct wk_session *session)
{
	struct wk_task *task = session->task;
	enum wk_status status = wk_program_instantiate(session->program, &session->report);

	if (status != WK_OK)
		return status;
	return wk_program_call(session->program, task->invoke, task->arguments, task->argument_count, session->results,
		session->result_room, &session->report);
}

/* Notes how it ended, while everything is there that took memory. */
static void note(struct wk_session *session, enum wk_status status)
{
	struct wk_store *store = wk_program_store(session->program);

	session->exited = status == WK_EXIT;
	session->exit_code = wk_store_exit_code(store);
	session->fuel = wk_store_fuel(store);
	session->result_count = status == WK_OK ? session->result_room : 0;
	if (status == WK_OK || status == WK_EXIT)
		wk_report_clear(&session->report);
	else if (session->report.status == WK_OK)
		session->report.status = status;
	session->account_size = wk_account_write(session->keep, session->account, sizeof session->account);
}

static void run_task(struct wk_session *session)
{
	enum wk_status status = wk_program_new(session->keep, session->module, &session->task->program, &session->report,
		&session->program);

	if (status == WK_OK) {
		wk_store_interrupt_from(wk_program_store(session->program), &session->window->interrupt);
		status = call(session);
	}
	note(session, status);
	wk_program_delete(session->program);
	session->program = NULL;
}

static void run(void *context)
{
	struct wk_session *session = context;

	run_task(session);
	session->ended = true;
	wk_port_coroutine_leave(&session->coroutine);
}

/* ---- outside ---- */

static bool window_is_good(const uint8_t *window, size_t size)
{
	return window && size >= WK_WINDOW_MIN && size <= WK_WINDOW_MAX && ((uintptr_t)window & 7) == 0;
}

/* Writes the outcome to the window. What was made for the task goes. */
static void finish(struct wk_session *session, struct wk_window *window, size_t size)
{
	uint8_t *data = (uint8_t *)(window + 1);
	size_t room = size - sizeof *window;
	size_t used = wk_outcome_write(&session->report, session->exited, session->exit_code, session->fuel,
		session->results, session->result_count, data, room);
	const struct wk_remote_message message = { .size = { (uint32_t)used, (uint32_t)session->account_size } };

	memcpy(data + used, session->account, session->account_size);
	memcpy(&window->message, &message, sizeof message);
	drop_task(session);
}

/* Lets the guest run with this window until it leaves. */
static enum wk_session_event enter(struct wk_session *session, uint8_t *window, size_t size)
{
	session->window = (struct wk_window *)(void *)window;
	session->channel.window = window + sizeof(struct wk_window);
	session->channel.window_size = size - sizeof(struct wk_window);
	if (session->program)
		wk_store_interrupt_from(wk_program_store(session->program), &session->window->interrupt);
	wk_port_coroutine_enter(&session->coroutine);
	if (session->program)
		wk_store_interrupt_from(wk_program_store(session->program), &always_interrupted);
	if (session->ended)
		finish(session, session->window, size);
	session->window = NULL;
	session->channel.window = NULL;
	session->channel.window_size = 0;
	return session->state == RUNNING ? WK_SESSION_REQUEST : WK_SESSION_ENDED;
}

/* The module's volume, where the task asks for it. */
static enum wk_status mount_sealed(struct wk_session *session)
{
	struct wk_wasi_config *wasi = &session->task->wasi;
	enum wk_status status;
	bool wanted = false;

	for (size_t i = 0; i < wasi->preopen_count; i++)
		wanted |= wk_span_equal(wk_span_of_text(wasi->preopens[i].host), wk_span_of_text(WK_WASI_SEALED));
	if (!wanted)
		return WK_OK;
	if (!session->host->vault)
		return wk_report_set(&session->report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION,
			"there is no secure storage here for sealed folders");
	status = wk_sealed_new(&session->keep->wasi, session->host->vault, session->hash, &session->report, &session->sealed);
	if (status != WK_OK)
		return status;
	wk_mount_init(&session->mount, &session->system, wk_sealed_system(session->sealed), WK_WASI_SEALED);
	wasi->system = &session->mount.system;
	return WK_OK;
}

/* Reads the task and makes what its guest will see of this environment. */
static enum wk_status prepare(struct wk_session *session, const uint8_t *bytes, size_t size)
{
	struct wk_budget *budget = &session->keep->stores;
	enum wk_status status = wk_task_read(budget, bytes, size, &session->report, &session->task);

	if (status != WK_OK)
		return status;
	session->result_room = 0;
	if (session->task->invoke)
		(void)wk_module_function_type(session->module, session->task->invoke, NULL, NULL, &session->result_room, NULL);
	session->results = wk_alloc_array(budget, session->result_room, sizeof *session->results);
	if (!session->results)
		return wk_budget_refuse(budget, session->result_room * sizeof *session->results, &session->report);
	session->system = *session->host->system;
	session->channel = (struct wk_remote_channel){ .context = session, .exchange = exchange };
	wk_remote_system(&session->system, &session->channel);
	session->task->wasi.system = &session->system;
	session->task->program.store.native_depth = session->host->native_depth;
	return mount_sealed(session);
}

enum wk_status wk_session_start(struct wk_session *session, const uint8_t *task, size_t task_size, uint8_t *window,
	size_t window_size, enum wk_session_event *event)
{
	enum wk_status status;

	if (session->state != LOADED || !window_is_good(window, window_size) || !task)
		return WK_BAD_ARGUMENT;
	wk_report_clear(&session->report);
	session->ended = false;
	status = prepare(session, task, task_size);
	if (status == WK_BAD_ARGUMENT)
		return status;
	if (status != WK_OK) {
		note(session, status);
		finish(session, (struct wk_window *)(void *)window, window_size);
		*event = WK_SESSION_ENDED;
		return WK_OK;
	}
	session->state = RUNNING;
	wk_port_coroutine_init(&session->coroutine, session->host->stack, session->host->stack_size, run, session);
	*event = enter(session, window, window_size);
	return WK_OK;
}

enum wk_status wk_session_resume(struct wk_session *session, uint8_t *window, size_t window_size,
	enum wk_session_event *event)
{
	if (session->state != RUNNING || !window_is_good(window, window_size))
		return WK_BAD_ARGUMENT;
	*event = enter(session, window, window_size);
	return WK_OK;
}
