/* SPDX-License-Identifier: Apache-2.0
 *
 * The client: a session with the Trusted Application (TA) through libteec. One piece of shared memory, the window, carries
 * the module to the TA and, while a guest runs, its requests and our answers. Whenever the guest needs something of this
 * world the command returns; it is served here with this machine's own system for WASI, and the next command goes on.
 *
 * What always holds: the window is registered as long as the session lives; its interrupt flag is set by
 * wk_client_interrupt and by this process's end (lifeline.h), and cleared when a run has ended.
 */
#define _GNU_SOURCE 1
#include <wasmkeep/client.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "base/report.h"
#include "client/lifeline.h"
#include "remote/session.h"
#include "ta/protocol.h"

#define DEVICE "/dev/tee0"
#define SUPPLICANT_DEVICE "/dev/teepriv0"
#define SUPPLICANT_PATIENCE 5000 /* milliseconds */
#define WINDOW_SIZE ((size_t)256 << 10)
#define DATA_SIZE (WINDOW_SIZE - sizeof(struct wk_window))

struct wk_client {
	TEEC_Context context;
	TEEC_Session session;
	TEEC_SharedMemory window;
	struct wk_lifeline *lifeline;
	bool closed[3];               /* streams that were, before: such numbers may be descriptors of ours now */
	struct wk_client_config config;
	uint8_t image[32];            /* config.image's, if there is one */
	char version[32];
	uint64_t fixed;
	char subject[WK_SUBJECT_MAX]; /* of the last report's refusal */
};

static struct wk_window *window_of(struct wk_client *client)
{
	return client->window.buffer;
}

static uint8_t *data_of(struct wk_client *client)
{
	return (uint8_t *)(window_of(client) + 1);
}

/* ---- what the TEE refuses ---- */

static enum wk_status fail(struct wk_report *report, enum wk_status status, const char *text)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", text);
}

static enum wk_status no_device(struct wk_report *report)
{
	if (access(DEVICE, F_OK) == 0)
		return fail(report, WK_IO, "no permission for " DEVICE ": become a member of its group (often \"tee\" or "
			"\"teeclnt\"), or root");
	return fail(report, WK_NOT_FOUND, "there is no TEE here: " DEVICE " is missing. Linux needs its driver (modules tee and "
		"optee) and OP-TEE in the secure world");
}

/* Why a session could not be opened. */
static enum wk_status no_session(TEEC_Result result, uint32_t origin, struct wk_report *report)
{
	switch (result) {
	case TEEC_ERROR_ITEM_NOT_FOUND:
		return fail(report, WK_NOT_FOUND, "the TEE has no Trusted Application " WK_TA_UUID_TEXT ": install "
			WK_TA_UUID_TEXT ".ta in /lib/optee_armtz, and see that tee-supplicant runs");
	case TEEC_ERROR_SECURITY:
		return fail(report, WK_IO, "the TEE refuses the Trusted Application " WK_TA_UUID_TEXT ".ta: it is damaged or signed "
			"with a key that this OP-TEE does not trust. Build it with this OP-TEE's development kit and key "
			"(TA_SIGN_KEY)");
	case TEEC_ERROR_OUT_OF_MEMORY:
		return fail(report, WK_NO_MEMORY, "the TEE has no memory left for the Trusted Application: end other sessions");
	case TEEC_ERROR_COMMUNICATION:
		return fail(report, WK_IO, "no answer from tee-supplicant, which brings Trusted Applications to the TEE: start it");
	default:
		return wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the TEE refuses a session with the Trusted Application: code %x of origin %u", (uint32_t)result, origin);
	}
}

static enum wk_status no_command(TEEC_Result result, uint32_t origin, struct wk_report *report)
{
	if (result == TEEC_ERROR_TARGET_DEAD)
		return fail(report, WK_IO, "the Trusted Application has panicked: the secure world's console says why");
	if (result == TEEC_ERROR_OUT_OF_MEMORY)
		return fail(report, WK_NO_MEMORY, "out of memory: the TEE cannot take memory of the call");
	return wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION,
		"the Trusted Application refuses a command: code %x of origin %u", (uint32_t)result, origin);
}

static enum wk_status invoke(struct wk_client *client, enum wk_ta_command command, TEEC_Operation *operation,
	struct wk_report *report)
{
	uint32_t origin = 0;
	TEEC_Result result = TEEC_InvokeCommand(&client->session, (uint32_t)command, operation, &origin);

	return result == TEEC_SUCCESS ? WK_OK : no_command(result, origin, report);
}

/* ---- opening and closing ---- */

bool wk_client_there(void)
{
	return access(DEVICE, F_OK) == 0;
}

/* Is nobody there who brings TAs to the TEE? The supplicant's device is open for one at a time. Who may not open it does not
 * know, and is told that there is somebody. */
static bool no_supplicant(void)
{
	int device = open(SUPPLICANT_DEVICE, O_RDWR | O_CLOEXEC);

	if (device == -1)
		return false;
	close(device);
	return true;
}

static void open_and_end(void)
{
	const TEEC_UUID uuid = WK_TA_UUID;
	TEEC_Context context;
	TEEC_Session session;

	if (TEEC_InitializeContext(NULL, &context) == TEEC_SUCCESS)
		(void)TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
	_exit(0);
}

/* A TA that is built into OP-TEE needs no supplicant; any other waits for one for ever, and nothing but the end of the
 * process ends that. So another process tries first. */
static bool opens_without_supplicant(void)
{
	pid_t child = fork();
	bool ended = false;

	if (child == 0)
		open_and_end();
	for (int i = 0; child > 0 && i < SUPPLICANT_PATIENCE / 10 && !ended; i++) {
		(void)poll(NULL, 0, 10);
		ended = waitpid(child, NULL, WNOHANG) != 0;
	}
	if (child > 0 && !ended) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
	}
	return ended;
}

static enum wk_status take_window(struct wk_client *client, struct wk_report *report)
{
	client->window = (TEEC_SharedMemory){ .size = WINDOW_SIZE, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
	if (TEEC_AllocateSharedMemory(&client->context, &client->window) != TEEC_SUCCESS)
		return fail(report, WK_NO_MEMORY, "out of memory: no memory can be shared with the TEE");
	memset(client->window.buffer, 0, WINDOW_SIZE);
	return WK_OK;
}

static enum wk_status greet(struct wk_client *client, struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_OUTPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
		TEEC_NONE) };
	enum wk_status status;

	operation.params[1].tmpref.buffer = client->version;
	operation.params[1].tmpref.size = sizeof client->version;
	status = invoke(client, WK_TA_INFO, &operation, report);
	client->version[sizeof client->version - 1] = 0;
	client->fixed = operation.params[0].value.b;
	if (status != WK_OK || operation.params[0].value.a == WK_TA_PROTOCOL)
		return status;
	return wk_report_set(report, WK_NOT_FOUND, WK_NO_OFFSET, WK_NO_FUNCTION,
		"the Trusted Application speaks version %u of the protocol, and this program %u: install those that belong together",
		operation.params[0].value.a, WK_TA_PROTOCOL);
}

/* Takes the report that a command has left at the end of the window. */
#define REPORT_AT (WINDOW_SIZE - 4096)

static enum wk_status take_report(struct wk_client *client, size_t size, struct wk_report *report)
{
	struct wk_report told;

	if (size > 4096 || !wk_report_read((uint8_t *)client->window.buffer + REPORT_AT, size, &told, client->subject))
		return fail(report, WK_IO, "the Trusted Application answers with something else than a report");
	if (told.status != WK_OK && report && report->status == WK_OK)
		*report = told;
	return told.status;
}

/* A part of the window as a parameter. */
static void use_window(struct wk_client *client, TEEC_Parameter *parameter, size_t offset, size_t size)
{
	parameter->memref.parent = &client->window;
	parameter->memref.offset = offset;
	parameter->memref.size = size;
}

static enum wk_status use_image(struct wk_client *client, struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
		TEEC_NONE, TEEC_NONE) };
	enum wk_status status;

	if (!client->config.image)
		return WK_OK;
	memcpy(client->image, client->config.image, sizeof client->image);
	operation.params[0].tmpref.buffer = client->image;
	operation.params[0].tmpref.size = sizeof client->image;
	use_window(client, &operation.params[1], REPORT_AT, 4096);
	status = invoke(client, WK_TA_IMAGE, &operation, report);
	return status == WK_OK ? take_report(client, operation.params[1].memref.size, report) : status;
}

enum wk_status wk_client_open(const struct wk_client_config *config, struct wk_report *report, struct wk_client **client)
{
	const TEEC_UUID uuid = WK_TA_UUID;
	struct wk_client *made = calloc(1, sizeof *made);
	uint32_t origin = 0;
	TEEC_Result result;
	enum wk_status status;

	if (!made)
		return fail(report, WK_NO_MEMORY, "out of memory");
	if (config)
		made->config = *config;
	for (int i = 0; i < 3; i++)
		made->closed[i] = fcntl(i, F_GETFD) == -1;
	if (TEEC_InitializeContext(NULL, &made->context) != TEEC_SUCCESS) {
		status = no_device(report);
		goto err_client;
	}
	if (no_supplicant() && !opens_without_supplicant()) {
		status = no_session(TEEC_ERROR_COMMUNICATION, 0, report);
		goto err_context;
	}
	result = TEEC_OpenSession(&made->context, &made->session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
	if (result != TEEC_SUCCESS) {
		status = no_session(result, origin, report);
		goto err_context;
	}
	status = take_window(made, report);
	if (status != WK_OK)
		goto err_session;
	made->lifeline = wk_lifeline_new(&window_of(made)->interrupt);
	if (!made->lifeline) {
		status = fail(report, WK_NO_MEMORY, "out of memory: cannot start a thread");
		goto err_window;
	}
	status = greet(made, report);
	if (status == WK_OK)
		status = use_image(made, report);
	if (status != WK_OK)
		goto err_lifeline;
	*client = made;
	return WK_OK;

err_lifeline:
	wk_lifeline_end(made->lifeline);
err_window:
	TEEC_ReleaseSharedMemory(&made->window);
err_session:
	TEEC_CloseSession(&made->session);
err_context:
	TEEC_FinalizeContext(&made->context);
err_client:
	free(made);
	return status;
}

void wk_client_close(struct wk_client *client)
{
	if (!client)
		return;
	TEEC_CloseSession(&client->session);
	wk_lifeline_end(client->lifeline);
	TEEC_ReleaseSharedMemory(&client->window);
	TEEC_FinalizeContext(&client->context);
	free(client);
}

const char *wk_client_version(const struct wk_client *client)
{
	return client->version;
}

uint64_t wk_client_fixed(const struct wk_client *client)
{
	return client->fixed;
}

/* ---- loading ---- */

static enum wk_status begin(struct wk_client *client, const void *bytes, size_t size, struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
		TEEC_NONE, TEEC_NONE) };
	struct wk_ta_begin how = { .size = size, .memory_limit = client->config.memory_limit, .ram = client->config.ram };
	enum wk_status status;

	if (bytes)
		SHA256(bytes, size, how.hash);
	else
		memcpy(how.hash, client->image, sizeof how.hash);
	operation.params[0].tmpref.buffer = &how;
	operation.params[0].tmpref.size = sizeof how;
	use_window(client, &operation.params[1], REPORT_AT, 4096);
	status = invoke(client, WK_TA_BEGIN, &operation, report);
	return status == WK_OK ? take_report(client, operation.params[1].memref.size, report) : status;
}

static enum wk_status send(struct wk_client *client, const uint8_t *bytes, size_t size, size_t offset,
	struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_MEMREF_PARTIAL_INPUT, TEEC_NONE,
		TEEC_NONE) };

	memcpy(data_of(client), bytes + offset, size);
	operation.params[0].value.a = (uint32_t)offset;
	operation.params[0].value.b = (uint32_t)((uint64_t)offset >> 32);
	use_window(client, &operation.params[1], sizeof(struct wk_window), size);
	return invoke(client, WK_TA_DATA, &operation, report);
}

enum wk_status wk_client_load(struct wk_client *client, const void *bytes, size_t size,
	void (*progress)(void *context, size_t sent), void *context, struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_NONE, TEEC_NONE,
		TEEC_NONE) };
	enum wk_status status;

	if (!bytes)
		size = 0;
	status = begin(client, bytes, size, report);
	for (size_t sent = 0; status == WK_OK && sent < size;) {
		size_t piece = size - sent < DATA_SIZE ? size - sent : DATA_SIZE;

		status = send(client, bytes, piece, sent, report);
		sent += piece;
		if (status == WK_OK && progress)
			progress(context, sent);
	}
	if (status != WK_OK)
		return status;
	use_window(client, &operation.params[0], REPORT_AT, 4096);
	status = invoke(client, WK_TA_END, &operation, report);
	status = status == WK_OK ? take_report(client, operation.params[0].memref.size, report) : status;
	/* Requests begin with a window that holds nothing of the module. */
	memset(data_of(client), 0, DATA_SIZE);
	return status;
}

/* ---- running ---- */

/* What a run needs beside the session. */
struct service {
	struct wk_remote_world world;
	struct wk_remote_server *server;
	const char **roots;
	int *descriptors;
	uint8_t *task;
	size_t task_size;
};

static void end_service(struct service *service)
{
	wk_remote_server_delete(service->server);
	free(service->task);
	free(service->descriptors);
	free(service->roots);
}

static bool begin_service(const struct wk_client *client, const struct wk_task *task, struct service *service)
{
	const struct wk_wasi_config *wasi = &task->wasi;
	size_t roots = 0;

	*service = (struct service){ .roots = calloc(wasi->preopen_count + 1, sizeof *service->roots),
		.descriptors = calloc(3 + wasi->socket_count, sizeof *service->descriptors),
		.task_size = wk_task_write(task, NULL, 0) };
	service->task = malloc(service->task_size);
	if (!service->roots || !service->descriptors || !service->task)
		return false;
	(void)wk_task_write(task, service->task, service->task_size);
	for (size_t i = 0; i < wasi->preopen_count; i++)
		if (strcmp(wasi->preopens[i].host, WK_WASI_SEALED) != 0) /* that one is not ours */
			service->roots[roots++] = wasi->preopens[i].host;
	for (int i = 0; i < 3; i++)
		service->descriptors[i] = client->closed[i] ? -1 : i;
	for (size_t i = 0; i < wasi->socket_count; i++)
		service->descriptors[3 + i] = wasi->sockets[i];
	service->world = (struct wk_remote_world){ service->roots, roots, service->descriptors,
		3 + wasi->socket_count };
	service->server = wk_remote_server_new(wk_wasi_port_system(), &service->world);
	return service->server != NULL;
}

static enum wk_status take_outcome(struct wk_client *client, const struct wk_remote_message *message,
	struct wk_outcome *outcome)
{
	size_t room = DATA_SIZE, size = message->size[0], account = message->size[1];

	if (size > room || account > room - size || !wk_outcome_read(data_of(client), size, outcome) ||
		!wk_account_read(data_of(client) + size, account, &outcome->account)) {
		wk_report_clear(&outcome->report);
		return fail(&outcome->report, WK_IO, "the Trusted Application answers with something else than an outcome");
	}
	return WK_OK;
}

/* One command, and what it asks for. *done: it was the last one. */
static enum wk_status step(struct wk_client *client, struct service *service, bool first, bool *done,
	struct wk_outcome *outcome)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_OUTPUT, TEEC_MEMREF_PARTIAL_INOUT,
		first ? TEEC_MEMREF_TEMP_INPUT : TEEC_NONE, TEEC_NONE) };
	struct wk_remote_message message;
	enum wk_status status;

	use_window(client, &operation.params[1], 0, WINDOW_SIZE);
	operation.params[2].tmpref.buffer = service->task;
	operation.params[2].tmpref.size = service->task_size;
	status = invoke(client, first ? WK_TA_START : WK_TA_RESUME, &operation, &outcome->report);
	if (status != WK_OK)
		return status;
	memcpy(&message, &window_of(client)->message, sizeof message);
	*done = operation.params[0].value.a != WK_SESSION_REQUEST;
	if (*done)
		return take_outcome(client, &message, outcome);
	wk_remote_serve(service->server, &message, data_of(client), DATA_SIZE);
	memcpy(&window_of(client)->message, &message, sizeof message);
	return WK_OK;
}

enum wk_status wk_client_run(struct wk_client *client, const struct wk_task *task, struct wk_outcome *outcome)
{
	struct service service;
	enum wk_status status = WK_OK;
	bool done = false;

	wk_report_clear(&outcome->report);
	if (!begin_service(client, task, &service))
		status = fail(&outcome->report, WK_NO_MEMORY, "out of memory");
	else if (service.task_size > WK_TASK_MAX)
		status = fail(&outcome->report, WK_LIMIT, "arguments and environment are too long");
	for (bool first = true; status == WK_OK && !done; first = false)
		status = step(client, &service, first, &done, outcome);
	end_service(&service);
	__atomic_and_fetch(&window_of(client)->interrupt, ~WK_WINDOW_STOP, __ATOMIC_SEQ_CST);
	return status;
}

void wk_client_interrupt(struct wk_client *client)
{
	__atomic_or_fetch(&window_of(client)->interrupt, WK_WINDOW_STOP, __ATOMIC_SEQ_CST);
}

/* ---- measuring ---- */

static bool can_pass(struct wk_client *client, size_t size)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_OUTPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
		TEEC_NONE) };
	void *buffer = malloc(size);
	bool passed;

	operation.params[1].tmpref.buffer = buffer;
	operation.params[1].tmpref.size = size;
	passed = buffer && TEEC_InvokeCommand(&client->session, WK_TA_INFO, &operation, NULL) == TEEC_SUCCESS;
	free(buffer);
	return passed;
}

/* Upwards, since what the call passes is pinned: a search that begins in the middle would begin with half of all memory. */
static uint64_t measure_shared(struct wk_client *client)
{
	size_t low = 1, high = 2, most = (size_t)1 << 18; /* pages: 4 KiB to 1 GiB */

	while (high < most && can_pass(client, high * 4096)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (can_pass(client, middle * 4096))
			low = middle;
		else
			high = middle;
	}
	return low * 4096;
}

#define TABLE_COVERS ((uint64_t)2 << 20)

static enum wk_status measure(struct wk_client *client, unsigned step, struct wk_ta_probe *told, struct wk_report *report)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INOUT, TEEC_NONE, TEEC_NONE,
		TEEC_NONE) };

	told->step = step;
	operation.params[0].tmpref.buffer = told;
	operation.params[0].tmpref.size = sizeof *told;
	return invoke(client, WK_TA_PROBE, &operation, report);
}

/* OP-TEE refuses without saying why; what else is known says it. In the order in which it looks. */
static enum wk_limit_kind reason_of(const struct wk_ta_probe *told, uint64_t total, uint64_t piece, bool full)
{
	if (full)
		return WK_LIMIT_MAPPINGS;
	if (told->below + total + piece > told->tables * TABLE_COVERS)
		return WK_LIMIT_PAGE_TABLES;
	return piece > 4096 ? WK_LIMIT_CONTIGUITY : WK_LIMIT_RAM;
}

static void take_figures(const struct wk_ta_probe *told, struct wk_probe *probe)
{
	*probe = (struct wk_probe){ .loader = told->loader, .code = told->code, .data = told->data,
		.data_size = told->data_size, .stack_size = told->stack_size, .guest_stack = told->guest_stack,
		.malloc = told->malloc, .below = told->below, .tables = told->tables,
		.hole_count = told->hole_count < WK_PROBE_HOLES ? (uint32_t)told->hole_count : WK_PROBE_HOLES };
	for (uint32_t i = 0; i < probe->hole_count; i++)
		probe->most += probe->holes[i] = told->holes[i];
	probe->most_ended = reason_of(told, probe->most, 4096, false);
	for (unsigned i = 0; i < WK_PROBE_PIECES; i++) {
		probe->piece[i] = told->piece[i];
		probe->count[i] = told->count[i];
		probe->ended[i] = reason_of(told, told->count[i] * told->piece[i], told->piece[i], told->full[i] != 0);
		if (probe->ended[i] == WK_LIMIT_CONTIGUITY && probe->most - told->count[i] * told->piece[i] < told->piece[i])
			probe->ended[i] = probe->most_ended;
		if (told->full[i] && probe->mappings < told->count[i])
			probe->mappings = told->count[i];
	}
	probe->ram = told->loader + told->code + told->data + told->guest_stack + probe->most +
		((told->stack_size + WK_PROBE_STACK_EXTRA + 4095) & ~(uint64_t)4095);
}

enum wk_status wk_client_probe(struct wk_client *client, void (*progress)(void *context, size_t done), void *context,
	struct wk_report *report, struct wk_probe *probe)
{
	struct wk_ta_probe told = { .piece = { 1 << 20, 262144, 65536, 16384, 4096, 0 } };
	enum wk_status status = WK_OK;

	_Static_assert(WK_PROBE_PIECES == WK_TA_PIECES && WK_PROBE_HOLES == WK_TA_HOLES &&
		WK_PROBE_STEPS == WK_TA_PROBE_STEPS + 1, "the same numbers");
	for (unsigned step = 0; step < WK_TA_PROBE_STEPS && status == WK_OK; step++) {
		if (progress)
			progress(context, step);
		status = measure(client, step, &told, report);
	}
	if (status != WK_OK)
		return status;
	if (progress)
		progress(context, WK_TA_PROBE_STEPS);
	take_figures(&told, probe);
	probe->shared = measure_shared(client);
	return WK_OK;
}
