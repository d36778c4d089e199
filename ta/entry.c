/* SPDX-License-Identifier: Apache-2.0
 *
 * The Trusted Application's doors: each command's parameter types and sizes are checked here, then the session does the
 * work. What parameters point to belongs to the normal world and may change at any moment; the session copies before it
 * looks.
 */
#include <string.h>
#include <tee_api_defines_extensions.h>
#include <tee_internal_api.h>
#include <utee_syscalls.h>

#include "port/optee/optee.h"
#include "remote/session.h"
#include "ta/probe.h"
#include "ta/protocol.h"
#include "user_ta_header_defines.h"

struct ta {
	struct wk_session_host host;
	struct wk_session *session;
	bool used;                      /* a keep has been made: it is too late to measure */
	bool image;                     /* compiled code was asked for */
};

#define TYPES(a, b, c, d) TEE_PARAM_TYPES(TEE_PARAM_TYPE_##a, TEE_PARAM_TYPE_##b, TEE_PARAM_TYPE_##c, TEE_PARAM_TYPE_##d)

/* ---- sessions ---- */

TEE_Result TA_CreateEntryPoint(void)
{
	return wk_optee_begin(TA_STACK_SIZE + 2048); /* what the kit adds */
}

void TA_DestroyEntryPoint(void)
{
	wk_optee_end();
}

static bool hash(void *context, const void *bytes, size_t size, uint8_t result[WK_HASH_SIZE])
{
	uint32_t state = 0;
	uint64_t length = WK_HASH_SIZE;
	bool done;

	(void)context;
	/* The system calls below TEE_DigestDoFinal: the functions for operations of all kinds take 18 KiB. */
	if (_utee_cryp_state_alloc(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0, 0, &state) != TEE_SUCCESS)
		return false;
	done = _utee_hash_init(state, NULL, 0) == TEE_SUCCESS &&
		_utee_hash_final(state, bytes, size, result, &length) == TEE_SUCCESS && length == WK_HASH_SIZE;
	(void)_utee_cryp_state_free(state);
	return done;
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS], void **context)
{
	struct ta *ta;
	void *memory;

	(void)parameters;
	if (types != TYPES(NONE, NONE, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	ta = TEE_Malloc(sizeof *ta, TEE_MALLOC_FILL_ZERO);
	memory = TEE_Malloc(wk_session_size(), TEE_MALLOC_FILL_ZERO);
	if (ta && memory)
		ta->host = (struct wk_session_host){ .provider = wk_port_provider(), .hash = hash, .system = &wk_optee_system,
			.vault = &wk_optee_vault, .stack = wk_optee_stack(TA_GUEST_STACK), .stack_size = TA_GUEST_STACK,
			.native_depth = TA_GUEST_DEPTH };
	if (!ta || !memory || !ta->host.stack) {
		TEE_Free(memory);
		TEE_Free(ta);
		return TEE_ERROR_OUT_OF_MEMORY;
	}
	ta->session = wk_session_init(memory, &ta->host);
	*context = ta;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *context)
{
	struct ta *ta = context;

	wk_session_end_all(ta->session);
	TEE_Free(ta->session);
	TEE_Free(ta);
}

/* ---- commands ---- */

/* Is every memory that is referred to the normal world's, all of it? OP-TEE (4.5, vm_map_param) maps too little of one that
 * contains another: what follows then is unmapped, or this TA's own, which nobody shall read or write by a parameter. */
static bool memory_is_theirs(uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	for (uint32_t i = 0; i < TEE_NUM_PARAMS; i++) {
		uint32_t type = TEE_PARAM_TYPE_GET(types, i), access = TEE_MEMORY_ACCESS_ANY_OWNER | TEE_MEMORY_ACCESS_NONSECURE;

		if (type < TEE_PARAM_TYPE_MEMREF_INPUT)
			continue;
		access |= type != TEE_PARAM_TYPE_MEMREF_OUTPUT ? TEE_MEMORY_ACCESS_READ : 0;
		access |= type != TEE_PARAM_TYPE_MEMREF_INPUT ? TEE_MEMORY_ACCESS_WRITE : 0;
		if (parameters[i].memref.size != 0 && (!parameters[i].memref.buffer ||
			TEE_CheckMemoryAccessRights(access, parameters[i].memref.buffer, parameters[i].memref.size) != TEE_SUCCESS))
			return false;
	}
	return true;
}

/* Puts a report to a memory reference. */
static TEE_Result tell(const struct wk_report *report, TEE_Param *parameter)
{
	size_t room = parameter->memref.size;

	parameter->memref.size = wk_report_write(report, parameter->memref.buffer, room);
	return parameter->memref.size <= room ? TEE_SUCCESS : TEE_ERROR_SHORT_BUFFER;
}

static TEE_Result info(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	const struct wk_provider *provider = ta->host.provider;
	const char *version = wk_version();
	size_t size = strlen(version) + 1;
	uint64_t ram = 0;

	if (types != TYPES(VALUE_OUTPUT, MEMREF_OUTPUT, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	for (uint32_t i = 0; i < provider->part_count; i++)
		ram += provider->parts[i].bytes;
	parameters[0].value.a = WK_TA_PROTOCOL;
	parameters[0].value.b = (uint32_t)ram;
	if (parameters[1].memref.size < size)
		return TEE_ERROR_SHORT_BUFFER;
	memcpy(parameters[1].memref.buffer, version, size);
	parameters[1].memref.size = size;
	return TEE_SUCCESS;
}

static TEE_Result image(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct wk_session_host *host = &ta->host;
	struct wk_report report;

	if (types != TYPES(MEMREF_INPUT, MEMREF_OUTPUT, NONE, NONE) || parameters[0].memref.size != WK_HASH_SIZE ||
		parameters[1].memref.size < WK_REPORT_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	if (ta->used || ta->image)
		return TEE_ERROR_BAD_STATE;
	ta->image = true;
	memcpy(host->image_module, parameters[0].memref.buffer, WK_HASH_SIZE);
	wk_report_clear(&report);
	report.status = wk_optee_use_image(host->image_module, &host->stack, &host->stack_size,
		TA_IMAGE_STACK, &report, &host->image);
	if (!host->stack)
		return TEE_ERROR_OUT_OF_MEMORY;
	return tell(&report, &parameters[1]);
}

static TEE_Result begin(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct wk_ta_begin how;
	struct wk_report report;
	enum wk_status status;

	if (types != TYPES(MEMREF_INPUT, MEMREF_OUTPUT, NONE, NONE) || parameters[0].memref.size != sizeof how ||
		parameters[1].memref.size < WK_REPORT_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	if (!ta->host.stack)
		return TEE_ERROR_BAD_STATE; /* an image took its memory: there is nothing to run on */
	memcpy(&how, parameters[0].memref.buffer, sizeof how);
	if (!ta->used)
		wk_optee_ram(how.ram > (uint64_t)1 << 40 ? (uint64_t)1 << 40 : how.ram);
	ta->used = true;
	wk_report_clear(&report);
	status = wk_session_begin(ta->session, how.size, how.hash, how.memory_limit, &report);
	if (status == WK_BAD_ARGUMENT && report.status == WK_OK)
		return TEE_ERROR_BAD_STATE;
	report.status = status;
	return tell(&report, &parameters[1]);
}

static TEE_Result data(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	uint64_t offset;

	if (types != TYPES(VALUE_INPUT, MEMREF_INPUT, NONE, NONE))
		return TEE_ERROR_BAD_PARAMETERS;
	offset = (uint64_t)parameters[0].value.b << 32 | parameters[0].value.a;
	return wk_session_data(ta->session, offset, parameters[1].memref.buffer, parameters[1].memref.size) == WK_OK ?
		TEE_SUCCESS : TEE_ERROR_BAD_STATE;
}

static TEE_Result end(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct wk_report report;
	enum wk_status status;

	if (types != TYPES(MEMREF_OUTPUT, NONE, NONE, NONE) || parameters[0].memref.size < WK_REPORT_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	wk_report_clear(&report);
	status = wk_session_end(ta->session, &report);
	if (status == WK_BAD_ARGUMENT && report.status == WK_OK)
		return TEE_ERROR_BAD_STATE;
	report.status = status;
	return tell(&report, &parameters[0]);
}

static TEE_Result go(struct ta *ta, bool first, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	uint8_t *window = parameters[1].memref.buffer;
	size_t size = parameters[1].memref.size;
	enum wk_session_event event = WK_SESSION_ENDED;
	enum wk_status status;

	if (types != (first ? TYPES(VALUE_OUTPUT, MEMREF_INOUT, MEMREF_INPUT, NONE) :
		TYPES(VALUE_OUTPUT, MEMREF_INOUT, NONE, NONE)))
		return TEE_ERROR_BAD_PARAMETERS;
	if (first)
		status = wk_session_start(ta->session, parameters[2].memref.buffer, parameters[2].memref.size, window, size,
			&event);
	else
		status = wk_session_resume(ta->session, window, size, &event);
	if (status != WK_OK)
		return TEE_ERROR_BAD_STATE;
	parameters[0].value.a = (uint32_t)event;
	parameters[0].value.b = 0;
	return TEE_SUCCESS;
}

static TEE_Result probe(struct ta *ta, uint32_t types, TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct wk_ta_probe figures;

	if (types != TYPES(MEMREF_INOUT, NONE, NONE, NONE) || parameters[0].memref.size != sizeof figures)
		return TEE_ERROR_BAD_PARAMETERS;
	if (ta->used)
		return TEE_ERROR_BAD_STATE;
	memcpy(&figures, parameters[0].memref.buffer, sizeof figures);
	wk_ta_probe(&figures);
	memcpy(parameters[0].memref.buffer, &figures, sizeof figures);
	return TEE_SUCCESS;
}

TEE_Result TA_InvokeCommandEntryPoint(void *context, uint32_t command, uint32_t types,
	TEE_Param parameters[TEE_NUM_PARAMS])
{
	struct ta *ta = context;

	if (!memory_is_theirs(types, parameters))
		return TEE_ERROR_BAD_PARAMETERS;
	switch (command) {
	case WK_TA_INFO:
		return info(ta, types, parameters);
	case WK_TA_BEGIN:
		return begin(ta, types, parameters);
	case WK_TA_DATA:
		return data(ta, types, parameters);
	case WK_TA_END:
		return end(ta, types, parameters);
	case WK_TA_START:
	case WK_TA_RESUME:
		return go(ta, command == WK_TA_START, types, parameters);
	case WK_TA_IMAGE:
		return image(ta, types, parameters);
	case WK_TA_PROBE:
		return probe(ta, types, parameters);
	default:
		return TEE_ERROR_NOT_SUPPORTED;
	}
}
