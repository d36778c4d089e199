/* SPDX-License-Identifier: Apache-2.0
 *
 * attack SEED CALLS FOLDER MODULE...: the normal world as an enemy of the Trusted Application. Makes at least CALLS calls
 * of its commands by the kernel's interface, without libteec's checks: parameters of all kinds, one memory in several of
 * them, well-formed prefixes of the protocol so that deep states are reached, hostile answers to a guest's requests, memory
 * that a second thread changes while the TA reads it, sessions that are cancelled and closed meanwhile, processes that are
 * killed. Modules are sent as they are and with bytes changed.
 *
 * The same seed makes the same choices, but for what depends on time. Ends with a line of counts; the exit status is 1 if
 * the TA has panicked.
 *
 * What always holds: guests run with little fuel, so every call returns.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/tee.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "remote/session.h"
#include "ta/protocol.h"

#define SESSIONS 3
#define FUEL 300000
#define WINDOW ((size_t)300 << 10)
#define OTHER ((size_t)64 << 10)
#define MODULES 8
#define COMMANDS 8

struct module { uint8_t *bytes; size_t size; };

struct victim {
	bool open, running;           /* a guest waits for an answer */
	uint32_t session;
	const struct module *module;  /* what is sent, perhaps changed: */
	uint8_t *bytes;
	size_t sent, size;
};

static struct {
	TEEC_Context context;
	TEEC_SharedMemory area[2];    /* the window, and another */
	struct victim victims[SESSIONS];
	struct module modules[MODULES];
	unsigned module_count;
	uint64_t random;
	pthread_t second;
	volatile bool disturb, over;
	volatile uint32_t called;     /* the session of the call at hand */
	volatile uint32_t closed;     /* the last one that the second thread closed */
	unsigned long calls, good, bad_parameters, bad_state, other, dead, opened, refused;
	unsigned long requests, ends, killed, cancelled, closed_in_calls;
	uint32_t strange;             /* the last of `other` */
} a;

/* ---- chance ---- */

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((next(&a.random) >> 16) % n);
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* Numbers that are likely to be at some edge. */
static uint64_t edge(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 7, 8, 16, 255, 256, 4095, 4096, 65535, 65536, INT32_MAX, UINT32_MAX,
		(uint64_t)UINT32_MAX + 1, INT64_MAX, UINT64_MAX, UINT64_MAX - 255 };

	return one_in(4) ? next(&a.random) : one_in(2) ? below(WINDOW) : edges[below(sizeof edges / sizeof *edges)];
}

static void fill(void *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)at)[i] = (uint8_t)below(256);
}

/* ---- the second thread ---- */

/* Changes the window, cancels and closes the session, while a call is at work. There is one processor: it gets it at the
 * kernel's ticks. */
static void *disturb(void *context)
{
	uint64_t random = 88172645463325252u;

	(void)context;
	while (!a.over) {
		uint8_t *window = a.area[0].buffer;

		if (!a.disturb) {
			usleep(500);
			continue;
		}
		for (int i = 0; i < 64; i++) {
			uint64_t r = next(&random);

			window[(r >> 8) % (r & 1 ? 512 : WINDOW)] = (uint8_t)(r >> 40);
		}
		if ((next(&random) & 255) == 0) {
			struct tee_ioctl_cancel_arg cancel = { .cancel_id = 1, .session = a.called };

			(void)ioctl(a.context.imp.fd, TEE_IOC_CANCEL, &cancel);
			a.cancelled++;
		}
		if ((next(&random) & 1023) == 0 && a.disturb && a.closed != a.called) {
			struct tee_ioctl_close_session_arg arg = { .session = a.called };

			if (ioctl(a.context.imp.fd, TEE_IOC_CLOSE_SESSION, &arg) == 0) {
				a.closed = arg.session;
				a.closed_in_calls++;
			}
		}
		sched_yield();
	}
	return NULL;
}

/* ---- calls ---- */

static void count(uint32_t result)
{
	a.calls++;
	switch (result) {
	case TEEC_SUCCESS:
		a.good++;
		break;
	case TEEC_ERROR_BAD_PARAMETERS:
		a.bad_parameters++;
		break;
	case TEEC_ERROR_BAD_STATE:
		a.bad_state++;
		break;
	case TEEC_ERROR_TARGET_DEAD:
		a.dead++;
		break;
	default:
		a.other++;
		a.strange = result;
	}
}

/* Calls a command; what comes back of values is in parameters. */
static uint32_t call(struct victim *victim, uint32_t command, struct tee_ioctl_param parameters[4])
{
	struct {
		struct tee_ioctl_invoke_arg arg;
		struct tee_ioctl_param parameters[4];
	} block = { .arg = { .func = command, .session = victim->session, .cancel_id = 1, .num_params = 4 } };
	struct tee_ioctl_buf_data data = { .buf_ptr = (uintptr_t)&block, .buf_len = sizeof block };

	memcpy(block.parameters, parameters, sizeof block.parameters);
	a.called = victim->session;
	a.disturb = one_in(6);
	if (ioctl(a.context.imp.fd, TEE_IOC_INVOKE, &data) != 0) {
		/* The kernel has not passed it on. */
		a.disturb = false;
		victim->open = a.closed != victim->session;
		a.refused++;
		return TEEC_ERROR_GENERIC;
	}
	a.disturb = false;
	victim->open = a.closed != victim->session;
	memcpy(parameters, block.parameters, sizeof block.parameters);
	count(block.arg.ret);
	if (block.arg.ret == TEEC_ERROR_TARGET_DEAD) {
		printf("attack: panic at call %lu, command %u, types %llx %llx %llx %llx\n", a.calls, command,
			parameters[0].attr, parameters[1].attr, parameters[2].attr, parameters[3].attr);
		victim->open = false;
	}
	return block.arg.ret;
}

static struct tee_ioctl_param memory(uint64_t attribute, unsigned area, size_t offset, size_t size)
{
	return (struct tee_ioctl_param){ .attr = attribute, .a = offset, .b = size, .c = (uint64_t)a.area[area].imp.id };
}

static const struct tee_ioctl_param nothing = { .attr = TEE_IOCTL_PARAM_ATTR_TYPE_NONE };
static const struct tee_ioctl_param value_out = { .attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_OUTPUT };

#define IN TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT
#define OUT TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT
#define INOUT TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INOUT

/* Some memory: none with a size, none at all, at odd addresses, up to an area's end, or what a command may well take. */
static struct tee_ioctl_param some_memory(uint64_t attribute)
{
	static const size_t sizes[] = { 0, 1, 8, 32, 56, sizeof(struct wk_ta_begin), sizeof(struct wk_ta_probe), WK_REPORT_MAX,
		4096, WK_WINDOW_MIN - 1, WK_WINDOW_MIN, OTHER };
	unsigned area = below(2);
	size_t room = area ? OTHER : WINDOW, size = one_in(3) ? below((uint32_t)room + 1) : sizes[below(12)];
	size_t offset = size < room ? below((uint32_t)(room - size)) : 0;
	struct tee_ioctl_param parameter;

	if (size > room)
		size = room;
	parameter = memory(attribute, area, one_in(3) ? offset : offset & ~(size_t)7, size);
	if (one_in(6))
		parameter.c = TEE_MEMREF_NULL;
	if (one_in(20))
		parameter.b = room; /* beyond its end: the kernel refuses */
	return parameter;
}

/* Any command with any parameters. */
static void call_anything(struct victim *victim)
{
	/* The types that commands have: most calls have those, and something else wrong. */
	static const uint8_t types[COMMANDS][4] = { { 2, 6 }, { 5, 6 }, { 1, 5 }, { 6 }, { 2, 7, 5 }, { 2, 7 },
		{ 5, 6 }, { 7 } };
	struct tee_ioctl_param parameters[4];
	uint32_t command = one_in(10) ? (uint32_t)edge() : below(COMMANDS + 1);

	/* The probe takes all memory for seconds: rarely, and mostly wrong. */
	if (command == WK_TA_PROBE && !one_in(30))
		command = WK_TA_INFO;
	for (int i = 0; i < 4; i++) {
		uint32_t type = command < COMMANDS && !one_in(8) ? types[command][i] : below(8);

		parameters[i] = type >= 5 ? some_memory(type) : (struct tee_ioctl_param){ .attr = type == 4 ? 0 : type,
			.a = edge(), .b = edge(), .c = edge() };
	}
	(void)call(victim, command, parameters);
}

/* ---- the protocol ---- */

static struct victim *victim_at(unsigned index)
{
	static const TEEC_UUID uuid = WK_TA_UUID;
	struct victim *victim = &a.victims[index];
	struct {
		struct tee_ioctl_open_session_arg arg;
		struct tee_ioctl_param parameters[4];
	} block = { .arg = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC, .num_params = 4 } };
	struct tee_ioctl_buf_data data = { .buf_ptr = (uintptr_t)&block, .buf_len = sizeof block };
	const uint8_t *clock = uuid.clockSeqAndNode;

	if (victim->open)
		return victim;
	memcpy(block.arg.uuid, (const uint8_t[]){ uuid.timeLow >> 24, (uint8_t)(uuid.timeLow >> 16),
		(uint8_t)(uuid.timeLow >> 8), (uint8_t)uuid.timeLow, uuid.timeMid >> 8, (uint8_t)uuid.timeMid,
		uuid.timeHiAndVersion >> 8, (uint8_t)uuid.timeHiAndVersion, clock[0], clock[1], clock[2], clock[3], clock[4],
		clock[5], clock[6], clock[7] }, 16);
	if (one_in(8)) {
		block.parameters[below(4)] = some_memory(5 + below(3)); /* it takes none */
		if (ioctl(a.context.imp.fd, TEE_IOC_OPEN_SESSION, &data) != 0)
			a.refused++;
		else
			count(block.arg.ret);
		if (block.arg.ret == TEEC_SUCCESS)
			printf("attack: a session with parameters was opened\n");
		memset(block.parameters, 0, sizeof block.parameters);
	}
	if (ioctl(a.context.imp.fd, TEE_IOC_OPEN_SESSION, &data) != 0) {
		perror("attack: open session");
		exit(2);
	}
	if (block.arg.ret != TEEC_SUCCESS) {
		/* Others may have the memory. */
		a.refused++;
		usleep(1000);
		return NULL;
	}
	a.opened++;
	a.closed = a.closed == block.arg.session ? 0 : a.closed;
	free(victim->bytes);
	*victim = (struct victim){ .open = true, .session = block.arg.session };
	return victim;
}

static void close_victim(struct victim *victim)
{
	struct tee_ioctl_close_session_arg arg = { .session = victim->session };

	if (ioctl(a.context.imp.fd, TEE_IOC_CLOSE_SESSION, &arg) != 0 && a.closed != victim->session)
		perror("attack: close session");
	victim->open = false;
}

/* begin, with a module that is whole or has some bytes changed; the hash fits mostly. */
static void begin(struct victim *victim)
{
	const struct module *module = &a.modules[below(a.module_count)];
	struct wk_ta_begin how = { .size = module->size };
	struct tee_ioctl_param parameters[4] = { memory(IN, 1, 0, sizeof how), memory(OUT, 1, 8192, 4096), nothing, nothing };

	free(victim->bytes);
	victim->bytes = malloc(module->size);
	memcpy(victim->bytes, module->bytes, module->size);
	victim->module = module;
	victim->sent = 0;
	victim->size = module->size;
	if (one_in(4))
		for (uint32_t i = 0, n = 1 + below(8); i < n; i++)
			victim->bytes[below((uint32_t)module->size)] ^= (uint8_t)(1 << below(8));
	if (one_in(10))
		victim->size = how.size = below((uint32_t)module->size) + 1;
	SHA256(victim->bytes, victim->size, how.hash);
	if (one_in(20))
		how.hash[below(32)] ^= 1;
	if (one_in(10))
		how.size = edge();
	how.memory_limit = one_in(8) ? edge() : 0;
	how.ram = one_in(12) ? edge() : 14819328;
	memcpy(a.area[1].buffer, &how, sizeof how);
	(void)call(victim, WK_TA_BEGIN, parameters);
}

static void send(struct victim *victim)
{
	size_t left = victim->size - victim->sent, size = left;
	struct tee_ioctl_param parameters[4] = { { .attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT }, nothing, nothing, nothing };
	size_t at = one_in(4) ? below(4096) : 4096;

	if (!victim->bytes || left == 0)
		return;
	if (size > WINDOW - 4096)
		size = WINDOW - 4096;
	if (one_in(6))
		size = below((uint32_t)size) + 1;
	memcpy((uint8_t *)a.area[0].buffer + at, victim->bytes + victim->sent, size);
	parameters[0].a = one_in(20) ? edge() : (uint32_t)victim->sent;
	parameters[0].b = one_in(40) ? edge() : 0;
	parameters[1] = memory(IN, 0, at, size);
	if (call(victim, WK_TA_DATA, parameters) == TEEC_SUCCESS)
		victim->sent += size;
}

static void end(struct victim *victim)
{
	struct tee_ioctl_param parameters[4] = { memory(OUT, 1, below(100), 4096), nothing, nothing, nothing };

	(void)call(victim, WK_TA_END, parameters);
}

/* Takes what came back of start and resume. */
static void see(struct victim *victim, uint32_t result, const struct tee_ioctl_param parameters[4])
{
	if (result != TEEC_SUCCESS)
		return;
	victim->running = parameters[0].a == WK_SESSION_REQUEST;
	if (victim->running)
		a.requests++;
	else
		a.ends++;
}

static struct tee_ioctl_param window_parameter(void)
{
	size_t offset = one_in(10) ? below(4096) & ~7u : 0;

	return memory(INOUT, 0, offset, one_in(10) ? WK_WINDOW_MIN + below(8192) : WINDOW - 8192);
}

static void start(struct victim *victim)
{
	const char *words[] = { "guest", "one", "two words" }, *variables[] = { "guest=1" };
	const struct wk_wasi_preopen folders[] = { { .host = "/x", .guest = "/" } };
	struct wk_task task = { .program = { .store = { .fuel = true, .stack_size = one_in(8) ? edge() : 0 }, .fuel = FUEL,
		.translate = one_in(4) }, .wasi = { .arguments = words, .argument_count = 3, .environment = variables,
		.environment_count = 1, .preopens = folders, .preopen_count = below(2) }, .invoke = one_in(6) ? "_start" : NULL };
	uint8_t *bytes = a.area[1].buffer;
	size_t size = wk_task_write(&task, bytes, OTHER), offset = 0;
	struct tee_ioctl_param parameters[4] = { value_out, window_parameter(), nothing, nothing };

	if (one_in(4))
		for (uint32_t i = 0, n = 1 + below(4); i < n; i++)
			bytes[below((uint32_t)size)] = (uint8_t)(one_in(2) ? below(256) : 255);
	bytes[0] |= 1;                                      /* fuel */
	memcpy(bytes + 24, &(const uint64_t){ FUEL }, 8);
	if (one_in(12))
		size = below((uint32_t)size + 64);
	if (one_in(12)) {
		/* The task in the window itself, which the guest's requests overwrite. */
		offset = one_in(2) ? 0 : 512;
		memcpy((uint8_t *)a.area[0].buffer + offset, bytes, size);
	}
	parameters[2] = memory(IN, offset ? 0 : 1, offset, size);
	__atomic_store_n((uint32_t *)a.area[0].buffer, one_in(20) ? WK_WINDOW_STOP : 0, __ATOMIC_SEQ_CST);
	see(victim, call(victim, WK_TA_START, parameters), parameters);
}

/* What an honest world might say, with numbers of its own. */
static void answer(struct wk_remote_message *message, uint8_t *data)
{
	uint32_t wanted = 0;

	message->error = 0;
	switch (message->operation) {
	case WK_REMOTE_ADOPT:
	case WK_REMOTE_OPEN_ROOT:
	case WK_REMOTE_OPEN:
	case WK_REMOTE_ACCEPT:
		message->object[0] = below(100);
		message->number[0] = message->operation == WK_REMOTE_OPEN_ROOT ? 3 : below(8);
		message->number[1] = below(4);
		message->number[2] = below(4);
		message->number[3] = below(2);
		message->size[0] = 0;
		break;
	case WK_REMOTE_READ:
		wanted = (uint32_t)message->number[2];
		message->size[0] = wanted ? below(wanted) + one_in(2) : 0;
		message->number[0] = message->size[0];
		break;
	case WK_REMOTE_READLINK:
		wanted = (uint32_t)message->number[0];
		message->size[0] = wanted ? below(wanted) : 0;
		break;
	case WK_REMOTE_READ_DIRECTORY: {
		uint32_t at = 0;

		for (uint32_t i = 0, n = below(20); i < n; i++) {
			uint16_t length = (uint16_t)(1 + below(one_in(9) ? 1024 : 20));

			fill(data + at, WK_REMOTE_ENTRY + length);
			memcpy(data + at + 16, &length, 2);
			data[at + 18] = (uint8_t)below(9);
			at += WK_REMOTE_ENTRY + length;
		}
		message->size[0] = at;
		message->number[0] = below(2);
		break;
	}
	case WK_REMOTE_POLL:
		for (uint64_t i = 0; i < message->number[0] && i < 64; i++) {
			struct wk_remote_poll polled = { edge(), 0, (uint8_t)below(2), (uint8_t)below(2), 0, one_in(4) ? below(90) : 0 };

			memcpy(data + i * sizeof polled, &polled, sizeof polled);
		}
		break;
	default:
		for (int i = 0; i < 8; i++)
			message->number[i] = one_in(3) ? edge() : below(8);
		message->number[7] = below(9);
		if (message->operation == WK_REMOTE_WRITE)
			message->number[0] = below(message->size[0] + 2);
		message->size[0] = message->size[1] = 0;
	}
}

static void resume(struct victim *victim)
{
	struct tee_ioctl_param parameters[4] = { value_out, window_parameter(), nothing, nothing };
	uint8_t *window = (uint8_t *)a.area[0].buffer + parameters[1].a;
	struct wk_remote_message message;

	memcpy(&message, window + offsetof(struct wk_window, message), sizeof message);
	if (one_in(8)) {
		fill(&message, sizeof message);
	} else if (one_in(6)) {
		message.error = one_in(4) ? (uint32_t)edge() : below(80);
	} else {
		answer(&message, window + sizeof(struct wk_window));
		if (one_in(6))
			message.size[below(2)] = (uint32_t)edge();
		if (one_in(6))
			message.number[below(8)] = edge();
	}
	memcpy(window + offsetof(struct wk_window, message), &message, sizeof message);
	__atomic_store_n((uint32_t *)(void *)window, one_in(100) ? WK_WINDOW_STOP : 0, __ATOMIC_SEQ_CST);
	see(victim, call(victim, WK_TA_RESUME, parameters), parameters);
}

/* From begin to some way into a run. */
static void go_deep(struct victim *victim)
{
	begin(victim);
	for (int i = 0; i < 12 && victim->open && victim->sent < victim->size; i++)
		send(victim);
	if (victim->open)
		end(victim);
	if (victim->open)
		start(victim);
	for (uint32_t i = 0, n = below(60); i < n && victim->open && victim->running; i++)
		resume(victim);
}

/* ---- what happens ---- */

static void set_up(void)
{
	if (TEEC_InitializeContext(NULL, &a.context) != TEEC_SUCCESS) {
		fprintf(stderr, "attack: no TEE\n");
		exit(2);
	}
	for (int i = 0; i < 2; i++) {
		a.area[i] = (TEEC_SharedMemory){ .size = i ? OTHER : WINDOW, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
		if (TEEC_AllocateSharedMemory(&a.context, &a.area[i]) != TEEC_SUCCESS) {
			fprintf(stderr, "attack: no shared memory\n");
			exit(2);
		}
	}
}

/* Another process, killed in the middle of something. */
static void kill_one(void)
{
	int ready[2] = { -1, -1 };
	pid_t child = pipe(ready) == 0 ? fork() : -1;
	char byte;

	if (child == 0) {
		memset(a.victims, 0, sizeof a.victims);
		set_up();
		for (;;) {
			struct victim *victim = victim_at(0);

			if (victim && write(ready[1], "", 1) == 1)
				go_deep(victim);
		}
	}
	if (child > 0) {
		/* Sometimes while it opens a session, mostly when it has one. */
		if (!one_in(4) && read(ready[0], &byte, 1) == 1)
			usleep(below(100000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		a.killed++;
	}
	close(ready[0]);
	close(ready[1]);
}

static void act(void)
{
	struct victim *victim = victim_at(below(SESSIONS));
	uint32_t what = below(1000);

	if (!victim)
		return;
	if (what < 1)
		kill_one();
	else if (victim->running && !one_in(4))
		resume(victim);
	else if (what < 3)
		close_victim(victim);
	else if (what < 150)
		go_deep(victim);
	else if (what < 700)
		call_anything(victim);
	else if (what < 850)
		resume(victim);
	else if (what < 900)
		begin(victim);
	else if (what < 930)
		send(victim);
	else if (what < 960)
		end(victim);
	else
		start(victim);
}

static void read_module(const char *folder, const char *name)
{
	struct module *module = &a.modules[a.module_count++];
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "re");
	module->bytes = malloc((size_t)1 << 20);
	module->size = file ? fread(module->bytes, 1, (size_t)1 << 20, file) : 0;
	if (module->size == 0) {
		fprintf(stderr, "attack: cannot read %s\n", path);
		exit(2);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned long most;

	if (argc < 5 || argc - 4 > MODULES)
		return 2;
	a.random = strtoull(argv[1], NULL, 0) * 2654435761u + 1;
	most = strtoul(argv[2], NULL, 0);
	for (int i = 4; i < argc; i++)
		read_module(argv[3], argv[i]);
	set_up();
	if (pthread_create(&a.second, NULL, disturb, NULL) != 0)
		return 2;
	while (a.calls < most && a.dead < 10)
		act();
	a.over = true;
	pthread_join(a.second, NULL);
	printf("seed %s: %lu calls in %lu sessions: %lu done, %lu bad parameters, %lu bad state, %lu others (the last %x); ",
		argv[1], a.calls, a.opened, a.good, a.bad_parameters, a.bad_state, a.other, a.strange);
	printf("%lu requests answered, %lu runs ended, %lu cancelled, %lu closed in a call, ", a.requests, a.ends, a.cancelled,
		a.closed_in_calls);
	printf("%lu processes killed, %lu refused by the kernel; %lu panics\n", a.killed, a.refused, a.dead);
	return a.dead != 0;
}
