/* SPDX-License-Identifier: Apache-2.0
 *
 * The vault of sealed folders (wasi/vault.h) in the secure storage of OP-TEE.
 *
 * GlobalPlatform's functions for objects end the whole Trusted Application (TA) with a panic when the answer is none of
 * the few that they expect: also when memory is out, and when the normal world, which keeps the files, answers something
 * unheard-of. A guest and the normal world must not be able to do that. So the system calls below these functions are
 * used, which return what happened.
 */
#include <utee_syscalls.h>
#include <utee_types.h>

#include "port/optee/optee.h"

#define STORAGE TEE_STORAGE_PRIVATE
#define ALONE (TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_ACCESS_WRITE_META)
#define SHARED (TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_SHARE_READ)

/* Another session's operation on names takes some 10 ms on the board; this is enough for many of them. */
#define WAIT_MS 10
#define TRIES 300

static enum wk_wasi_errno error_of(TEE_Result result)
{
	switch (result) {
	case TEE_SUCCESS:
		return WK_WASI_SUCCESS;
	case TEE_ERROR_ITEM_NOT_FOUND:
		return WK_WASI_NOENT;
	case TEE_ERROR_ACCESS_CONFLICT:
		return WK_WASI_BUSY;
	case TEE_ERROR_STORAGE_NO_SPACE:
		return WK_WASI_NOSPC;
	case TEE_ERROR_OUT_OF_MEMORY:
		return WK_WASI_NOMEM;
	default:
		return WK_WASI_IO;
	}
}

static enum wk_wasi_errno open_object(void *context, const uint8_t *id, size_t id_size, bool alone, intptr_t *handle)
{
	uint32_t object = 0;
	TEE_Result result = _utee_storage_obj_open(STORAGE, id, id_size, alone ? ALONE : SHARED, &object);

	(void)context;
	if (result == TEE_SUCCESS)
		*handle = (intptr_t)object;
	return error_of(result);
}

static enum wk_wasi_errno create(void *context, const uint8_t *id, size_t id_size, const void *data, size_t size,
	bool overwrite, intptr_t *handle)
{
	uint32_t object = 0, flags = ALONE | (overwrite ? TEE_DATA_FLAG_OVERWRITE : 0);
	TEE_Result result = _utee_storage_obj_create(STORAGE, id, id_size, flags, 0, data, size, &object);

	(void)context;
	if (result == TEE_SUCCESS)
		*handle = (intptr_t)object;
	return error_of(result);
}

static void close_object(void *context, intptr_t handle)
{
	(void)context;
	(void)_utee_cryp_obj_close((unsigned long)handle);
}

static enum wk_wasi_errno remove_object(void *context, intptr_t handle)
{
	(void)context;
	return error_of(_utee_storage_obj_del((unsigned long)handle));
}

static enum wk_wasi_errno size_of(void *context, intptr_t handle, uint64_t *size)
{
	struct utee_object_info info = { 0 };
	TEE_Result result = _utee_cryp_obj_get_info((unsigned long)handle, &info);

	(void)context;
	if (result == TEE_SUCCESS)
		*size = info.data_size;
	return error_of(result);
}

/* Positions are at most `largest`, so they fit. */
static TEE_Result seek(intptr_t handle, uint64_t position)
{
	return _utee_storage_obj_seek((unsigned long)handle, (int32_t)position, TEE_DATA_SEEK_SET);
}

static enum wk_wasi_errno read_object(void *context, intptr_t handle, uint64_t position, void *data, size_t size,
	size_t *done)
{
	uint64_t count = 0;
	TEE_Result result = TEE_SUCCESS;

	(void)context;
	if (position <= INT32_MAX) {
		result = seek(handle, position);
		if (result == TEE_SUCCESS)
			result = _utee_storage_obj_read((unsigned long)handle, data, size, &count);
	}
	if (result == TEE_SUCCESS)
		*done = count < size ? (size_t)count : size;
	return error_of(result);
}

static enum wk_wasi_errno write_object(void *context, intptr_t handle, uint64_t position, const void *data, size_t size)
{
	TEE_Result result = seek(handle, position);

	(void)context;
	if (result == TEE_SUCCESS)
		result = _utee_storage_obj_write((unsigned long)handle, data, size);
	return error_of(result);
}

static enum wk_wasi_errno truncate(void *context, intptr_t handle, uint64_t size)
{
	(void)context;
	return error_of(_utee_storage_obj_trunc((unsigned long)handle, (size_t)size));
}

static void wait_a_little(void *context)
{
	(void)context;
	(void)_utee_wait(WAIT_MS);
}

/* Positions are signed words of 32 bits in OP-TEE. */
const struct wk_vault wk_optee_vault = { .largest = INT32_MAX, .tries = TRIES, .open = open_object, .create = create,
	.close = close_object, .remove = remove_object, .size = size_of, .read = read_object, .write = write_object,
	.truncate = truncate, .wait = wait_a_little };
