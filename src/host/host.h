/* SPDX-License-Identifier: Apache-2.0
 *
 * Linking of imports, and the one function that turns a guest address into a pointer.
 */
#ifndef WK_HOST_HOST_H
#define WK_HOST_HOST_H

#include "runtime/instantiate.h"

/* A pointer to `count` items of `size` bytes at a guest address, or NULL when any byte lies outside or the product
 * overflows. Every room that touches guest memory on a guest's word goes through here. count 0 gives a non-NULL pointer
 * when the address itself is within the memory or at its end. */
void *wk_guest_pointer(struct wk_memory *memory, uint64_t address, uint64_t count, size_t size);

/* Like wk_linker_define_function with slots instead of values: no conversion, for our own host functions. */
WK_NODISCARD enum wk_status wk_linker_define_slots(struct wk_linker *linker, const char *module_name, const char *name,
	const char *signature, wk_slot_function *function, void *context);

/* What is defined under these names; false: nothing. */
bool wk_linker_find(const struct wk_linker *linker, struct wk_span module, struct wk_span name,
	struct wk_external *external);

/* Adds one function, table, memory, global or tag of the linker's store under a name (tests' spectest module, contract
 * hosts). */
WK_NODISCARD enum wk_status wk_linker_define(struct wk_linker *linker, const char *module_name, const char *name,
	struct wk_external external);
#endif
