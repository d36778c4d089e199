/* SPDX-License-Identifier: Apache-2.0
 *
 * The doors of the Trusted Application that runs the core test suite: sessions as ta/entry.c has them, and one command.
 */
#include <string.h>
#include <tee_internal_api.h>

#include "port/optee/optee.h"
#include "spec/spec_serve.h"
#include "user_ta_header_defines.h"

struct ta {
	struct spec_host host;
	struct spec_server server;
};

TEE_Result TA_CreateEntryPoint(void)
{
	return wk_optee_begin(TA_STACK_SIZE + 2048); /* what the kit adds */
}

void TA_DestroyEntryPoint(void)
{
	wk_optee_end();
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS], void **context)
{
	struct ta *ta = TEE_Malloc(sizeof *ta, TEE_MALLOC_FILL_ZERO);

	(void)types;
	(void)parameters;
	if (!ta)
		return TEE_ERROR_OUT_OF_MEMORY;
	ta->host = (struct spec_host){ .provider = wk_port_provider(), .stack = wk_optee_stack(TA_GUEST_STACK),
		.stack_size = TA_GUEST_STACK, .native_depth = TA_GUEST_DEPTH };
	if (!ta->host.stack) {
		TEE_Free(ta);
		return TEE_ERROR_OUT_OF_MEMORY;
	}
	wk_optee_ram(0);
	spec_server_init(&ta->server, &ta->host);
	*context = ta;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *context)
{
	struct ta *ta = context;

	spec_server_end(&ta->server);
	TEE_Free(ta);
}

TEE_Result TA_InvokeCommandEntryPoint(void *context, uint32_t command, uint32_t types,
	TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct ta *ta = context;

	if (command != SPEC_TA_SERVE)
		return TEE_ERROR_NOT_SUPPORTED;
	if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT, TEE_PARAM_TYPE_MEMREF_INPUT,
			TEE_PARAM_TYPE_NONE) ||
		parameters[1].memref.size < SPEC_REPLY_MAX || parameters[2].memref.size != sizeof(uint32_t))
		return TEE_ERROR_BAD_PARAMETERS;
	parameters[1].memref.size = spec_serve(&ta->server, parameters[0].memref.buffer, parameters[0].memref.size,
		parameters[2].memref.buffer, parameters[1].memref.buffer, parameters[1].memref.size);
	return TEE_SUCCESS;
}
