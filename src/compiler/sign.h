/* SPDX-License-Identifier: Apache-2.0
 * The signed header of OP-TEE's Trusted Applications and libraries. */
#ifndef WK_COMPILER_SIGN_H
#define WK_COMPILER_SIGN_H

#include "base/span.h"
#include "wasmkeep/status.h"

/* What OP-TEE loads in one piece; a file of 4 MiB or more stops the whole core of 4.5. */
#define WK_SIGNED_MAX ((size_t)3 << 20)

struct wk_key;

/* Reads a private RSA key in PEM, without a passphrase. WK_IO: it cannot be read; WK_UNSUPPORTED: it is none that signs for
 * OP-TEE, or this build cannot sign; the report says which. The caller deletes *key. */
WK_NODISCARD enum wk_status wk_key_read(const char *path, struct wk_report *report, struct wk_key **key);
void wk_key_delete(struct wk_key *key);

/* Makes a signed file of the payload, for this UUID (in the order of its text), version 0. The caller frees *file. */
WK_NODISCARD enum wk_status wk_sign(struct wk_key *key, struct wk_span payload, const uint8_t uuid[16],
	struct wk_report *report, uint8_t **file, size_t *size);

#endif
