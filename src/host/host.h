/* SPDX-License-Identifier: Apache-2.0
 *
 * Linking of imports, and the one function that turns a guest address into a pointer.
 */
#ifndef WK_HOST_HOST_H
#define WK_HOST_HOST_H

#include "runtime/instance.h"

/* A pointer to `count` items of `size` bytes at a guest address, or NULL when any byte lies outside or the product
 * overflows. Every room that touches guest memory on a guest's word goes through here. count 0 gives a non-NULL pointer
 * when the address itself is within the memory or at its end. */
void *wk_guest_pointer(struct wk_memory *memory, uint64_t address, uint64_t count, size_t size);

/* Like wk_linker_define_function with slots instead of values: no conversion, for our own host functions. */
WK_NODISCARD enum wk_status wk_linker_define_slots(struct wk_linker *linker, const char *module_name, const char *name,
	const char *signature, wk_slot_function *function, void *context);

/* Adds one function, table, memory, global or tag under a name (tests' spectest module, contract hosts). */
struct wk_external {
	enum wk_extern kind;
	union {
		struct wk_func *func;
		struct wk_table *table;
		struct wk_memory *memory;
		struct wk_global *global;
		struct wk_tag *tag;
	} of;
};
WK_NODISCARD enum wk_status wk_linker_define(struct wk_linker *linker, const char *module_name, const char *name,
	struct wk_external external);
/* The export of an instance, any kind; false if there is none. */
bool wk_instance_export(struct wk_instance *instance, struct wk_span name, struct wk_external *external);

/* Host-made tables, memories and globals of a store (specification 7.1: table_alloc, mem_alloc, global_alloc). */
WK_NODISCARD enum wk_status wk_table_new(struct wk_store *store, const struct wk_table_type *type, uint64_t init,
	struct wk_table **table);
WK_NODISCARD enum wk_status wk_memory_new(struct wk_store *store, const struct wk_memory_type *type,
	struct wk_memory **memory);
WK_NODISCARD enum wk_status wk_global_new(struct wk_store *store, const struct wk_global_type *type,
	const uint64_t slots[2], struct wk_global **global);

#endif
