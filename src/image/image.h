/* SPDX-License-Identifier: Apache-2.0
 *
 * Native images: checking one, and binding it to a module and its instances. It knows no compiler, and no way to load a
 * library: whoever has one (port/posix/library.c) passes the table that it found in it.
 */
#ifndef WK_IMAGE_IMAGE_H
#define WK_IMAGE_IMAGE_H

#include "image/abi.h"

struct wk_sha256 {
	uint32_t state[8];
	uint64_t size;
	uint8_t block[64];
	bool by_instructions;          /* of the processor, which has them: set by wk_sha256_begin */
};
void wk_sha256_begin(struct wk_sha256 *hash);
void wk_sha256_add(struct wk_sha256 *hash, const void *bytes, size_t size);
void wk_sha256_end(struct wk_sha256 *hash, uint8_t digest[32]);

/* Is this file an image for this target (WK_IMAGE_TARGET...), whole and unchanged, with a module inside? Its seal is
 * copied to *seal. WK_MALFORMED or WK_UNSUPPORTED with a report that says what is wrong. It guards against accidents and
 * mix-ups, not against whoever can write images: those are native code, and are to be trusted as the library itself is. */
WK_NODISCARD enum wk_status wk_image_check(struct wk_span file, const char *target, struct wk_report *report,
	struct wk_image_seal *seal);

/* The same for a seal alone, whose library somebody else has checked; library_size is 0 for one that is inside of it. */
WK_NODISCARD enum wk_status wk_image_check_seal(const struct wk_image_seal *seal, uint64_t library_size,
	const char *target, struct wk_report *report);

/* Is it of the module with this SHA-256? */
WK_NODISCARD enum wk_status wk_image_check_module(const struct wk_image_seal *seal, const uint8_t module[32],
	struct wk_report *report);

/* The name of a module's image on OP-TEE: a UUID of version 8 (RFC 9562) with the first bytes of the module's SHA-256.
 * Bytes in the order of a UUID's text. */
static inline void wk_image_uuid(const uint8_t module[32], uint8_t uuid[16])
{
	memcpy(uuid, module, 16);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* Completes a seal whose options, counts and place of the module are set, for the library's bytes and the module's, as it
 * was before it was compiled. */
void wk_image_make_seal(struct wk_span library, struct wk_span module, struct wk_image_seal *seal);

/* Makes the table the compiled code of the module, which has no instances yet: of that which was compiled, or of that
 * which was loaded from the table's bytes. From then on the module owns the library: `close` is called with it at the
 * module's end, and not if this fails. */
WK_NODISCARD enum wk_status wk_image_attach(struct wk_module *module, const struct wk_image_table *table, void *library,
	void (*close)(void *library), struct wk_report *report);

/* ---- between the files of this room ---- */

extern const struct wk_image_helpers wk_image_helpers;

/* Traps as an access out of bounds; called by the code that made it, in a manner of speaking (fault.c). */
void wk_image_fault(void *context);
extern const struct wk_port_faults wk_image_faults;

/* Calls entry(context, code, slots) and returns 0; or what wk_image_leave was called with from inside. *anchor is
 * set. */
uint32_t wk_image_enter(struct wk_image_context *context, void *code, uint64_t *slots, wk_image_entry *entry,
	void **anchor);
_Noreturn void wk_image_leave(void *anchor, uint32_t status);
void wk_image_try_call(void);      /* the helper */
extern const char wk_image_entered[]; /* where code that was called by one of them returns to */

#endif
