/* SPDX-License-Identifier: Apache-2.0
 *
 * vault.h: what sealed folders (sealed.h) need of a secure storage, and nothing else: the seam between them and the
 * persistent objects of the GlobalPlatform TEE Internal Core API. An object is a row of bytes with a binary identifier.
 *
 * What a vault promises:
 *
 *   - Nobody but its owner can read or change an object.
 *   - create, write, truncate and remove each happen as a whole or not at all, whenever the power is cut.
 *   - An object is open either for any number of readers or for one that may change it. Handles of an owner that is no
 *     more are closed.
 *   - When an operation on a handle returns an error, its work was done or not, but never in part for whoever opens the
 *     object anew. The handle itself may know a part of it: it is closed next, and not used for anything else.
 *
 * How OP-TEE does it: open is TEE_OpenPersistentObject, with READ | SHARE_READ, or alone with READ | WRITE |
 * WRITE_META; create is TEE_CreatePersistentObject with these three and perhaps OVERWRITE; read and write are
 * TEE_SeekObjectData and then TEE_ReadObjectData or TEE_WriteObjectData; truncate is TEE_TruncateObjectData, size
 * TEE_GetObjectInfo1, remove TEE_CloseAndDeletePersistentObject1. Handles must not be shared with one that writes:
 * each has a hash tree of its own in memory, and does not see what another one has written. docs/sealed.md says what
 * else an implementation has to know.
 *
 * Errors are NOENT (no such object), BUSY (it is open and the two exclude each other; or it is there already, which
 * GlobalPlatform does not tell apart), NOSPC, NOMEM, and IO for the rest. Outputs are written on success only.
 */
#ifndef WK_WASI_VAULT_H
#define WK_WASI_VAULT_H

#include "wasi/system.h"

/* TEE_OBJECT_ID_MAX_LEN. */
#define WK_VAULT_ID_MAX 64u

struct wk_vault {
	void *context;            /* the first argument of every operation */
	uint64_t largest;         /* bytes of an object, at most; <= INT64_MAX */
	uint32_t tries;           /* how often to ask once more for an object that is open elsewhere for a moment */

	/* To read, together with other readers; or alone, to read, change and remove. */
	enum wk_wasi_errno (*open)(void *context, const uint8_t *id, size_t id_size, bool alone, intptr_t *handle);
	/* Makes an object with these bytes and opens it alone. With `overwrite` it takes the place of one that is there and
	 * not open. `data` may be NULL when size is 0. */
	enum wk_wasi_errno (*create)(void *context, const uint8_t *id, size_t id_size, const void *data, size_t size,
		bool overwrite, intptr_t *handle);
	void (*close)(void *context, intptr_t handle);
	/* Of an object that is open alone. The handle is gone afterwards, whatever is returned. */
	enum wk_wasi_errno (*remove)(void *context, intptr_t handle);

	enum wk_wasi_errno (*size)(void *context, intptr_t handle, uint64_t *size);
	/* *done is less than size only at the end. */
	enum wk_wasi_errno (*read)(void *context, intptr_t handle, uint64_t position, void *data, size_t size,
		size_t *done);
	/* size > 0, position + size <= largest. Bytes between the end and the position become 0. */
	enum wk_wasi_errno (*write)(void *context, intptr_t handle, uint64_t position, const void *data, size_t size);
	/* To a smaller size. */
	enum wk_wasi_errno (*truncate)(void *context, intptr_t handle, uint64_t size);

	/* Lets a little time pass, between two tries. */
	void (*wait)(void *context);
};

#endif
