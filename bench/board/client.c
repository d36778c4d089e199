/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of the native kernels, for bench/board.py:
 *
 *	native NAME REPETITIONS   runs a kernel; its output, then a line "@ NANOSECONDS"
 *	native nothing COUNT      a command that does nothing, COUNT times; the line is for one of them
 *
 * Where the clock counts instructions, a nanosecond is one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tee_client_api.h>

static const TEEC_UUID kernels = { 0x7b1d6f0a, 0x3c52, 0x4f6e, { 0xa0, 0xb4, 0x5d, 0x7e, 0x92, 0xc4, 0x1f, 0x63 } };

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static TEEC_Result nothing(TEEC_Session *session, unsigned count, uint64_t *spent)
{
	TEEC_Result result = TEEC_InvokeCommand(session, 0, NULL, NULL); /* the first one is dearer */
	uint64_t begin = now();

	for (unsigned i = 0; i < count && result == TEEC_SUCCESS; i++)
		result = TEEC_InvokeCommand(session, 0, NULL, NULL);
	*spent = count ? (now() - begin) / count : 0;
	return result;
}

static TEEC_Result run(TEEC_Session *session, char *name, unsigned repetitions, uint64_t *spent)
{
	char output[512];
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_VALUE_INPUT,
		TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE) };
	TEEC_Result result;
	uint64_t begin = now();

	operation.params[0].tmpref.buffer = name;
	operation.params[0].tmpref.size = strlen(name);
	operation.params[1].value.a = repetitions;
	operation.params[2].tmpref.buffer = output;
	operation.params[2].tmpref.size = sizeof output;
	result = TEEC_InvokeCommand(session, 1, &operation, NULL);
	*spent = now() - begin;
	if (result == TEEC_SUCCESS)
		fwrite(output, 1, operation.params[2].tmpref.size, stdout);
	return result;
}

int main(int count, char **words)
{
	TEEC_Context context;
	TEEC_Session session;
	TEEC_Result result;
	uint64_t spent = 0;

	if (count < 2)
		return 2;
	result = TEEC_InitializeContext(NULL, &context);
	if (result == TEEC_SUCCESS)
		result = TEEC_OpenSession(&context, &session, &kernels, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
	if (result == TEEC_SUCCESS) {
		unsigned number = count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 1;

		if (strcmp(words[1], "nothing") == 0)
			result = nothing(&session, number, &spent);
		else
			result = run(&session, words[1], number, &spent);
		TEEC_CloseSession(&session);
	}
	if (result != TEEC_SUCCESS) {
		fprintf(stderr, "native: 0x%08x\n", result);
		return 1;
	}
	printf("@ %" PRIu64 "\n", spent);
	return 0;
}
