/* SPDX-License-Identifier: Apache-2.0
 *
 * The mapper's client, for tests of the board:
 *
 *	mapper fill PIECE LEAST [DISTANCE]   what a Trusted Application can map, in pieces of PIECE bytes that are halved
 *	                                     down to LEAST; adjacent, or DISTANCE bytes apart
 *	mapper unaligned                     whether it can read and write unaligned words
 *	mapper free                          RAM for Trusted Applications that nobody uses, by OP-TEE's own statistics
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tee_client_api.h>

#include "mapper.h"

static const TEEC_UUID mapper = { 0xc9a3f1de, 0x5b0e, 0x4c47, { 0x9d, 0x6a, 0x3f, 0x6b, 0x7e, 0x52, 0xa1, 0x08 } };
static const TEEC_UUID statistics = { 0xd96a5b40, 0xe2c7, 0xb1af, { 0x87, 0x94, 0x10, 0x02, 0xa5, 0xd5, 0xc6, 0x1b } };
/* pta_stats.h: the command, and which pool. */
#define STATISTICS_ALLOCATION 1
#define STATISTICS_TA_RAM 3

static int invoke(const TEEC_UUID *uuid, uint32_t command, TEEC_Operation *operation)
{
	TEEC_Context context;
	TEEC_Session session;
	uint32_t origin = 0;
	TEEC_Result result = TEEC_InitializeContext(NULL, &context);

	if (result == TEEC_SUCCESS) {
		result = TEEC_OpenSession(&context, &session, uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
		if (result == TEEC_SUCCESS) {
			result = TEEC_InvokeCommand(&session, command, operation, &origin);
			TEEC_CloseSession(&session);
		}
		TEEC_FinalizeContext(&context);
	}
	if (result != TEEC_SUCCESS)
		fprintf(stderr, "mapper: 0x%08x from origin %u\n", result, origin);
	return result != TEEC_SUCCESS;
}

static int fill(uint32_t piece, uint32_t least, uint32_t distance)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_VALUE_INOUT, TEEC_VALUE_INOUT,
		TEEC_NONE) };

	operation.params[0].value.a = piece;
	operation.params[0].value.b = least;
	operation.params[1].value.a = distance;
	if (invoke(&mapper, MAPPER_FILL, &operation))
		return 1;
	printf("%u bytes in %u pieces, then 0x%08x; %u wrong\n", operation.params[1].value.a, operation.params[1].value.b,
		operation.params[2].value.a, operation.params[2].value.b);
	return operation.params[2].value.b != 0;
}

static int unaligned(void)
{
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_VALUE_INOUT, TEEC_VALUE_INOUT,
		TEEC_NONE) };

	if (invoke(&mapper, MAPPER_UNALIGNED, &operation))
		return 1;
	printf("%u wrong\n", operation.params[0].value.a);
	return operation.params[0].value.a != 0;
}

/* A pool's figures are a name of 32 bytes, something more in later versions of OP-TEE, and six numbers. The first three
 * are bytes in use, the most that were, and the pool's size. */
static int free_ram(void)
{
	uint8_t pool[128];
	uint32_t numbers[6];
	TEEC_Operation operation = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
		TEEC_NONE) };

	operation.params[0].value.a = STATISTICS_TA_RAM;
	operation.params[1].tmpref.buffer = pool;
	operation.params[1].tmpref.size = sizeof pool;
	if (invoke(&statistics, STATISTICS_ALLOCATION, &operation))
		return 1;
	memcpy(numbers, pool + operation.params[1].tmpref.size - sizeof numbers, sizeof numbers);
	printf("%u\n", numbers[2] - numbers[0]);
	return 0;
}

static uint32_t number(const char *text)
{
	return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

int main(int argc, char **argv)
{
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "fill") == 0)
		return fill(number(argv[2]), number(argv[3]), number(argv[4]));
	if (argc == 2 && strcmp(argv[1], "unaligned") == 0)
		return unaligned();
	if (argc == 2 && strcmp(argv[1], "free") == 0)
		return free_ram();
	fprintf(stderr, "mapper fill PIECE LEAST [DISTANCE] | unaligned | free\n");
	return 2;
}
