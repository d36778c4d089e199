/* SPDX-License-Identifier: Apache-2.0
 *
 * Instructions on tables, memories and segments that are too large for a dispatch loop (specification 4.6.7 to 4.6.9).
 * Each checks bounds first and changes nothing when it traps. Indices were validated. All lengths in the units of the
 * instruction (bytes or elements).
 */
#ifndef WK_RUNTIME_OPERATIONS_H
#define WK_RUNTIME_OPERATIONS_H

#include "runtime/instance.h"

/* Old size in pages, or UINT64_MAX when refused. */
uint64_t wk_memory_grow(struct wk_memory *memory, uint64_t pages);
/* Gives a memory all that it is declared with, if it began with less (wk_module_small). false: refused. The three below do
 * not: to the engine what lies behind linear.size is out of bounds, and it comes here before it believes that. */
WK_NODISCARD bool wk_memory_complete(struct wk_memory *memory);
WK_NODISCARD enum wk_trap wk_memory_fill(struct wk_memory *memory, uint64_t to, uint8_t value, uint64_t size);
WK_NODISCARD enum wk_trap wk_memory_copy(struct wk_memory *to, struct wk_memory *from, uint64_t to_address,
	uint64_t from_address, uint64_t size);
WK_NODISCARD enum wk_trap wk_memory_init(struct wk_instance *instance, uint32_t memory, uint32_t segment, uint64_t to,
	uint32_t from, uint32_t size);
void wk_data_drop(struct wk_instance *instance, uint32_t segment);

/* Old size, or UINT64_MAX when refused. */
uint64_t wk_table_grow(struct wk_table *table, uint64_t count, uint64_t value);
WK_NODISCARD enum wk_trap wk_table_fill(struct wk_table *table, uint64_t to, uint64_t value, uint64_t count);
WK_NODISCARD enum wk_trap wk_table_copy(struct wk_table *to, struct wk_table *from, uint64_t to_index,
	uint64_t from_index, uint64_t count);
WK_NODISCARD enum wk_trap wk_table_init(struct wk_instance *instance, uint32_t table, uint32_t segment, uint64_t to,
	uint32_t from, uint32_t count);
void wk_element_drop(struct wk_instance *instance, uint32_t segment);

/* ---- exceptions (4.6.12) ---- */

/* Makes an exception of the store with room for the tag's parameters; NULL when memory ran out even after a collection.
 * Collection is conservative: marks from the guest stack [exec->stack, top), globals, tables and exec->pending; `top`
 * is the end of the live part of the guest stack. */
WK_NODISCARD struct wk_exception *wk_exception_new(struct wk_store *store, struct wk_tag *tag, uint64_t *top);

/* ---- the guest stack ---- */

/* May frames reach to `end`? The stack grows in place up to its size; where that was refused the pager knows why. */
WK_NODISCARD bool wk_stack_reach(struct wk_store *store, const uint64_t *end);
/* What a frame that cannot reach so far is told: the stack is used up, or there is no memory for it. */
enum wk_trap wk_stack_trap(const struct wk_store *store, const uint64_t *end);

/* ---- the call boundary ---- */

/* Calls any function from the host: `slots` holds parameters, then receives results. Counts native depth, sets the
 * report's trap and backtrace. Status WK_OK, WK_TRAP, WK_EXCEPTION, WK_EXIT or an error. */
WK_NODISCARD enum wk_status wk_call(struct wk_func *func, uint64_t *slots, struct wk_report *report);

/* Calls a host function on behalf of the guest code of `from` (NULL: the embedder). `slots` in place. Checks nothing of
 * the types. The stack pointer exec->stack_top must already be behind all live slots. */
WK_NODISCARD enum wk_status wk_call_host(struct wk_func *func, struct wk_instance *from, uint64_t *slots);

/* Evaluates a validated constant expression in an instance under construction: globals, functions bound so far. */
WK_NODISCARD enum wk_status wk_constexpr_evaluate(struct wk_instance *instance, struct wk_constexpr expression,
	uint64_t result[2]);

#endif
