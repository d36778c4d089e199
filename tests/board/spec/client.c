/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to the core test suite's server in a Trusted Application. Each script has a session, hence an instance with
 * memory of its own.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "board/spec/spec_ta.h"
#include "spec/spec.h"

/* The memory that both worlds see: a request, an answer, the word that stops a guest. */
#define REPLY_AT SPEC_REQUEST_MAX
#define STOP_AT (REPLY_AT + SPEC_REPLY_MAX)
#define SHARED_SIZE (STOP_AT + sizeof(uint32_t))

struct spec_way {
	TEEC_Context context;
	TEEC_Session session;
	TEEC_SharedMemory shared;
	uint8_t reply[SPEC_REPLY_MAX]; /* copied before it is read */
	unsigned timeout;
	pthread_t watch;
	bool watched;
	char why[64];
};

static uint8_t *shared_at(struct spec_way *way, size_t offset)
{
	return (uint8_t *)way->shared.buffer + offset;
}

/* The process cannot be ended while it is in the TEE, but the guest can. */
static void *watch(void *context)
{
	struct spec_way *way = context;

	sleep(way->timeout);
	__atomic_store_n((uint32_t *)(void *)shared_at(way, STOP_AT), 1, __ATOMIC_SEQ_CST);
	return NULL;
}

struct spec_way *spec_way_open(unsigned timeout)
{
	static const TEEC_UUID uuid = SPEC_TA_UUID;
	struct spec_way *way = calloc(1, sizeof *way);
	uint32_t origin = 0;
	TEEC_Result result;

	if (!way)
		return NULL;
	way->timeout = timeout;
	way->shared = (TEEC_SharedMemory){ .size = SHARED_SIZE, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
	result = TEEC_InitializeContext(NULL, &way->context);
	if (result != TEEC_SUCCESS)
		goto err_way;
	result = TEEC_AllocateSharedMemory(&way->context, &way->shared);
	if (result != TEEC_SUCCESS)
		goto err_context;
	memset(way->shared.buffer, 0, SHARED_SIZE);
	result = TEEC_OpenSession(&way->context, &way->session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
	if (result != TEEC_SUCCESS)
		goto err_shared;
	way->watched = timeout != 0 && pthread_create(&way->watch, NULL, watch, way) == 0;
	return way;

err_shared:
	TEEC_ReleaseSharedMemory(&way->shared);
err_context:
	TEEC_FinalizeContext(&way->context);
err_way:
	printf("no session with the Trusted Application: 0x%08x of origin %u\n", result, origin);
	free(way);
	return NULL;
}

uint8_t *spec_way_request(struct spec_way *way)
{
	return shared_at(way, 0);
}

static void use(struct spec_way *way, TEEC_Parameter *parameter, size_t offset, size_t size)
{
	parameter->memref.parent = &way->shared;
	parameter->memref.offset = offset;
	parameter->memref.size = size;
}

const uint8_t *spec_way_ask(struct spec_way *way, size_t size, size_t *reply_size, const char **why)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
		TEEC_MEMREF_PARTIAL_INPUT, TEEC_NONE) };
	uint32_t origin = 0;
	TEEC_Result result;

	use(way, &operation.params[0], 0, size);
	use(way, &operation.params[1], REPLY_AT, SPEC_REPLY_MAX);
	use(way, &operation.params[2], STOP_AT, sizeof(uint32_t));
	result = TEEC_InvokeCommand(&way->session, SPEC_TA_SERVE, &operation, &origin);
	*reply_size = operation.params[1].memref.size;
	if (result == TEEC_SUCCESS && *reply_size <= SPEC_REPLY_MAX)
		return memcpy(way->reply, shared_at(way, REPLY_AT), *reply_size);
	snprintf(way->why, sizeof way->why, result == TEEC_ERROR_TARGET_DEAD ? "the Trusted Application has panicked" :
		"the Trusted Application refuses: 0x%08x of origin %u", result, origin);
	*why = way->why;
	return NULL;
}

void spec_way_close(struct spec_way *way)
{
	if (!way)
		return;
	if (way->watched) {
		(void)pthread_cancel(way->watch);
		(void)pthread_join(way->watch, NULL);
	}
	TEEC_CloseSession(&way->session);
	TEEC_ReleaseSharedMemory(&way->shared);
	TEEC_FinalizeContext(&way->context);
	free(way);
}
