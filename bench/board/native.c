/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of bench/ as a Trusted Application: what the same C takes natively on the same board. Command 0 does
 * nothing; command 1 runs the kernel that the first memory reference names, once or as often as the value says, and
 * gives back what it printed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_internal_api.h>

static char *output;
static size_t room, used;

int kernel_printf(const char *format, ...);
int kernel_printf(const char *format, ...)
{
	va_list arguments;
	int size = 0;

	va_start(arguments, format);
	size = vsnprintf(output + used, room - used, format, arguments);
	va_end(arguments);
	if (size > 0)
		used = used + (size_t)size < room ? used + (size_t)size : room;
	return size;
}

int atoi(const char *text)
{
	int number = 0;

	while (*text >= '0' && *text <= '9')
		number = number * 10 + (*text++ - '0');
	return number;
}

#define KERNELS(X) X(aes) X(atax) X(bigint) X(bytecode) X(chess) X(crc32) X(ed25519) X(fdtd) X(fft) X(fib) X(gemm) \
	X(hashtable) X(json) X(lz) X(mandelbrot) X(mixed) X(nbody) X(neural) X(queens) X(regex) X(seidel) X(sha256) \
	X(sort) X(strsearch) X(sudoku) X(syrk)
#define DECLARE(name) int kernel_##name(int count, char **words);
#define ROW(name) { #name, kernel_##name },
KERNELS(DECLARE)
static const struct { const char *name; int (*run)(int count, char **words); } kernels[] = { KERNELS(ROW) };

TEE_Result TA_CreateEntryPoint(void)
{
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
	(void)types, (void)params, (void)session;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
	(void)session;
}

static TEE_Result run(uint32_t types, TEE_Param params[4])
{
	char name[16] = "", number[16] = "";
	char *words[] = { name, number, NULL };

	if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_VALUE_INPUT,
		TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_NONE) || params[0].memref.size >= sizeof name)
		return TEE_ERROR_BAD_PARAMETERS;
	memcpy(name, params[0].memref.buffer, params[0].memref.size);
	snprintf(number, sizeof number, "%u", params[1].value.a);
	output = params[2].memref.buffer;
	room = params[2].memref.size;
	used = 0;
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		if (strcmp(kernels[i].name, name) != 0)
			continue;
		if (kernels[i].run(2, words) != 0)
			return TEE_ERROR_GENERIC;
		params[2].memref.size = used;
		return TEE_SUCCESS;
	}
	return TEE_ERROR_ITEM_NOT_FOUND;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command, uint32_t types, TEE_Param params[4])
{
	(void)session;
	return command == 0 ? TEE_SUCCESS : command == 1 ? run(types, params) : TEE_ERROR_NOT_SUPPORTED;
}
