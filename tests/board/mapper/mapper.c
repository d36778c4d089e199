/* SPDX-License-Identifier: Apache-2.0
 *
 * The mapper, a Trusted Application for tests of the board: how much memory can one have? It maps zeroed pages by the
 * system PTA, one piece behind the other from the second block of 2 MiB on, so that few page tables are needed.
 */
#include <tee_internal_api.h>
#include <tee_internal_api_extensions.h>

#include <pta_system.h>
#include <string.h>

#include "mapper.h"

#define PAGE 4096
#define BLOCK (UINT64_C(2) << 20)
/* A TA's addresses are 1 GiB, and begin at another one on each boot. */
#define SPACE (UINT64_C(1) << 30)

TEE_Result TA_CreateEntryPoint(void)
{
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
	(void)types;
	(void)params;
	(void)session;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
	(void)session;
}

static TEE_Result map(TEE_TASessionHandle system, uint64_t at, uint32_t size)
{
	TEE_Param params[4];
	uint32_t origin = 0;

	memset(params, 0, sizeof params);
	params[0].value.a = size;
	params[1].value.a = (uint32_t)(at >> 32);
	params[1].value.b = (uint32_t)at;
	return TEE_InvokeTACommand(system, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_MAP_ZI,
		TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INPUT, TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_VALUE_INPUT,
			TEE_PARAM_TYPE_NONE),
		params, &origin);
}

/* Is all of it zero at first, and does every page keep what was written to it? Returns how many words do not. */
static uint32_t check(uint64_t at, uint32_t size)
{
	uint64_t *words = (uint64_t *)(uintptr_t)at;
	size_t per_page = PAGE / sizeof *words;
	uint32_t wrong = 0;

	for (size_t i = 0; i < size / sizeof *words; i++)
		wrong += words[i] != 0;
	for (size_t i = 0; i < size / sizeof *words; i += per_page)
		words[i] = words[i + per_page - 1] = at + i;
	for (size_t i = 0; i < size / sizeof *words; i += per_page)
		wrong += words[i] != at + i || words[i + per_page - 1] != at + i;
	return wrong;
}

static TEE_Result fill(TEE_Param params[4])
{
	TEE_UUID uuid = PTA_SYSTEM_UUID;
	TEE_TASessionHandle system = TEE_HANDLE_NULL;
	uint32_t size = params[0].value.a, least = params[0].value.b, distance = params[1].value.a;
	uint32_t origin = 0, pieces = 0, total = 0;
	uint64_t base = ((uint64_t)(uintptr_t)fill & ~(SPACE - 1)) + BLOCK;
	TEE_Result result = TEE_OpenTASession(&uuid, TEE_TIMEOUT_INFINITE, 0, NULL, &system, &origin);

	if (result != TEE_SUCCESS)
		return result;
	while (size >= least && size >= PAGE) {
		result = map(system, base + (distance ? (uint64_t)pieces * distance : total), size);
		if (result != TEE_SUCCESS) {
			size /= 2;
			continue;
		}
		total += size;
		pieces++;
	}
	params[1].value.a = total;
	params[1].value.b = pieces;
	params[2].value.a = result;
	params[2].value.b = distance ? 0 : check(base, total);
	TEE_CloseTASession(system);
	return TEE_SUCCESS;
}

struct word {
	uint64_t value;
} __attribute__((packed));

/* Not inlined: the compiler knows the answer otherwise. */
static __attribute__((noinline)) void put(void *at, uint64_t value)
{
	((struct word *)at)->value = value;
}

static __attribute__((noinline)) uint64_t get(const void *at)
{
	return ((const struct word *)at)->value;
}

/* All offsets around the border of two pages. */
static uint32_t check_unaligned(void)
{
	static uint8_t bytes[3 * PAGE];
	uint8_t *border = bytes + PAGE + (PAGE - (uintptr_t)bytes % PAGE) % PAGE;
	uint32_t wrong = 0;

	for (int offset = -16; offset < 16; offset++) {
		volatile uint8_t *at = border + offset;

		put((void *)at, UINT64_C(0x8877665544332211));
		for (unsigned i = 0; i < 8; i++)
			wrong += at[i] != (i + 1) * 0x11;
		at[7] = 0x99;
		wrong += get((const void *)at) != UINT64_C(0x9977665544332211);
	}
	return wrong;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
	(void)session;
	if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_VALUE_INOUT, TEE_PARAM_TYPE_VALUE_INOUT,
			TEE_PARAM_TYPE_NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	switch (command) {
	case MAPPER_FILL:
		return fill(params);
	case MAPPER_UNALIGNED:
		params[0].value.a = check_unaligned();
		return TEE_SUCCESS;
	default:
		return TEE_ERROR_NOT_SUPPORTED;
	}
}
