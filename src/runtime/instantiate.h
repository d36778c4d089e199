/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and ending what a store holds (specification 4.5): stores, host-made objects, instances.
 */
#ifndef WK_RUNTIME_INSTANTIATE_H
#define WK_RUNTIME_INSTANTIATE_H

#include "runtime/instance.h"

/* ---- stores (wk_store_new and wk_store_delete are public) ---- */

/* The guest stack is taken at the first need, so that a store that runs nothing costs little. true: it is there. */
WK_NODISCARD bool wk_store_stack(struct wk_store *store);
/* Room for `count` slots at the top of the guest stack, moving exec->stack_top behind it; the caller sets stack_top back
 * to what is returned. The slots are not zeroed. NULL: no room or no memory for the stack. */
WK_NODISCARD uint64_t *wk_stack_take(struct wk_store *store, size_t count);
/* Why wk_stack_take gave NULL for so many: a trap if the stack is full or cannot grow, out of memory if there is none.
 * `report` may be NULL. */
enum wk_status wk_stack_refuse(struct wk_store *store, size_t count, struct wk_report *report);

/* ---- host-made objects (7.1: func_alloc, table_alloc, mem_alloc, global_alloc); they live as long as the store.
 * Types they name by registry id must be held as long ---- */

/* The signature as in wasmkeep.h, wk_linker_define_function; WK_BAD_ARGUMENT if it is none. `function` and `context` of
 * the result are for the caller to use. */
WK_NODISCARD enum wk_status wk_host_func_new(struct wk_store *store, const char *signature, wk_slot_function *host,
	void *context, struct wk_host_func **func);
WK_NODISCARD enum wk_status wk_table_new(struct wk_store *store, const struct wk_table_type *type, uint64_t init,
	struct wk_table **table);
WK_NODISCARD enum wk_status wk_memory_new(struct wk_store *store, const struct wk_memory_type *type,
	struct wk_memory **memory);
WK_NODISCARD enum wk_status wk_global_new(struct wk_store *store, const struct wk_global_type *type,
	const uint64_t slots[2], struct wk_global **global);

/* The same for storage that is there already and zeroed: what an instance has. `init` fills the table, `bytes` is
 * what the memory has at first. On success the store frees what hangs from it. */
WK_NODISCARD enum wk_status wk_table_init_storage(struct wk_store *store, struct wk_table *table,
	const struct wk_table_type *type, uint64_t init, struct wk_report *report);
WK_NODISCARD enum wk_status wk_memory_init_storage(struct wk_store *store, struct wk_memory *memory,
	const struct wk_memory_type *type, uint64_t bytes, struct wk_report *report);
/* Frees what hangs from a table; the store is ending. */
void wk_table_end_storage(struct wk_table *table);

/* ---- imports and instances ---- */

/* Does `actual` match import number `import` of the module (3.2.x, 4.5.3)? The report says what was expected. */
WK_NODISCARD enum wk_status wk_import_check(const struct wk_module *module, uint32_t import,
	const struct wk_external *actual, struct wk_report *report);
/* The report of an import that nobody defines. Returns WK_UNLINKABLE. */
enum wk_status wk_import_unknown(const struct wk_module *module, uint32_t import, struct wk_report *report);

/* Evaluates the validated constant expression at *at and moves *at behind it. WK_LIMIT: too many operands. */
WK_NODISCARD enum wk_status wk_constexpr_next(struct wk_instance *instance, const uint8_t **at, uint64_t result[2]);

/* Instantiates (4.5.4). `imports` has module->import_count entries, all of this store. When it fails, what active
 * segments have written to imported tables and memories stays written, and so the half-made instance stays in the store:
 * its functions may be referenced. Takes a reference to the module. */
WK_NODISCARD enum wk_status wk_instantiate(struct wk_store *store, struct wk_module *module,
	const struct wk_external *imports, struct wk_report *report, struct wk_instance **instance);

/* What stands behind an export of the instance's module. */
struct wk_external wk_instance_external(const struct wk_instance *instance, const struct wk_export *export);
/* The export of an instance, any kind; false if there is none. */
bool wk_instance_export(struct wk_instance *instance, struct wk_span name, struct wk_external *external);

/* Is the reference one of the store's exceptions? Linear in their number: for what the embedder hands in. */
bool wk_exception_lives(const struct wk_store *store, uint64_t reference);

/* ---- traps ---- */

/* Puts "trap: <text>" and the trap's code into the report, unless it holds a fault already. Returns WK_TRAP. */
enum wk_status wk_report_trap(struct wk_report *report, enum wk_trap trap, uint64_t offset, uint32_t function);

#endif
