/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores (specification 4.2.3): what instances that can see each other share, and one guest stack.
 *
 * Everything a store makes lives until the store ends, most of it in one arena: references between instances (a function
 * in a table, an imported memory) then need no counting, and a half-made instance whose functions are already in
 * somebody's table stays valid. What is large or grows (stack, memories, tables, exceptions) hangs from lists and is
 * freed first.
 *
 * What always holds: stack <= stack_top; stack_limit + WK_STACK_SLACK is the end of what the stack has now, stack_end +
 * WK_STACK_SLACK of what it may have; all are NULL until wk_store_stack made it. Fuel and stack_top are touched by the store's thread only, `interrupt` by any.
 */
#include "runtime/instantiate.h"
#include "runtime/operations.h"

#define DEFAULT_STACK ((uint64_t)1 << 20)
#define DEFAULT_STACK_SCARCE ((uint64_t)256 << 10)
#define FIRST_STACK ((uint64_t)8 << 10) /* what it has at first */
#define SMALLEST_STACK ((uint64_t)4 << 10)
#define LARGEST_STACK ((uint64_t)1 << 32)
#define DEFAULT_DEPTH 16u
#define FIRST_ARENA_BLOCK 512u

enum wk_status wk_store_new(struct wk_keep *keep, const struct wk_store_config *config, struct wk_store **store)
{
	static const struct wk_store_config defaults = { 0 };
	struct wk_store *made;

	if (!keep || !store)
		return WK_BAD_ARGUMENT;
	if (!config)
		config = &defaults;
	if (config->stack_size > LARGEST_STACK)
		return WK_BAD_ARGUMENT;
	made = wk_alloc(&keep->stores, sizeof(*made));
	if (!made)
		return WK_NO_MEMORY;

	made->keep = keep;
	wk_budget_init(&made->heap, &keep->stores, "a store", WK_UNLIMITED, NULL);
	wk_budget_init(&made->stacks, &keep->stacks, "the guest stack", WK_UNLIMITED, NULL);
	wk_budget_init(&made->tables, &keep->tables, "tables", WK_UNLIMITED, NULL);
	wk_budget_init(&made->memories, &keep->memories, "linear memory",
		config->memory_limit ? config->memory_limit : WK_UNLIMITED, NULL);
	wk_arena_init(&made->arena, &made->heap, FIRST_ARENA_BLOCK);
	made->stack_size = config->stack_size != 0 ? config->stack_size & ~(uint64_t)7 :
		keep->pager.provider->scarce ? DEFAULT_STACK_SCARCE : DEFAULT_STACK;
	if (made->stack_size < SMALLEST_STACK)
		made->stack_size = SMALLEST_STACK;
	made->metering = config->fuel;
	made->exec.native_depth_limit = config->native_depth ? config->native_depth : DEFAULT_DEPTH;
	made->exec.store = made;
	made->exec.interrupt_at = &made->exec.interrupt;
	*store = made;
	return WK_OK;
}

static void end_exceptions(struct wk_store *store)
{
	while (store->exceptions) {
		struct wk_exception *exception = store->exceptions;

		store->exceptions = exception->next;
		wk_free(&store->heap, exception, sizeof(*exception) + exception->slot_count * sizeof(uint64_t));
	}
}

void wk_store_delete(struct wk_store *store)
{
	struct wk_keep *keep;

	if (!store)
		return;
	keep = store->keep;
	end_exceptions(store);
	for (struct wk_host_func *func = store->host_funcs; func; func = func->next)
		wk_registry_drop(keep->registry, func->func.type);
	for (struct wk_table *table = store->table_list; table; table = table->next)
		wk_table_end_storage(table);
	for (struct wk_memory *memory = store->memory_list; memory; memory = memory->next)
		wk_linear_end(&memory->linear);
	/* Last, since tables and globals of one instance may have types of another's module. */
	for (struct wk_instance *instance = store->instances; instance; instance = instance->next)
		wk_module_release(instance->module);
	wk_linear_end(&store->stack);
	wk_arena_end(&store->arena);
	wk_budget_end(&store->memories);
	wk_budget_end(&store->tables);
	wk_budget_end(&store->stacks);
	wk_budget_end(&store->heap);
	wk_free(&keep->stores, store, sizeof(*store));
}

/* ---- the guest stack ---- */

/* Every frame is compared with the guard, so an interrupt lowers it: a guest that only calls and returns is stopped too.
 * An interrupt may come between the two lines; it then finds its own guard or is found by the second look. */
static void set_guard(struct wk_exec *exec)
{
	__atomic_store_n(&exec->stack_guard, exec->stack_limit, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&exec->interrupt, __ATOMIC_SEQ_CST))
		__atomic_store_n(&exec->stack_guard, NULL, __ATOMIC_SEQ_CST);
}

void wk_exec_set_native_guard(struct wk_exec *exec)
{
	__atomic_store_n(&exec->native_guard, exec->native_limit, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&exec->interrupt, __ATOMIC_SEQ_CST))
		__atomic_store_n(&exec->native_guard, UINTPTR_MAX, __ATOMIC_SEQ_CST);
}

bool wk_store_stack(struct wk_store *store)
{
	struct wk_exec *exec = &store->exec;

	if (exec->stack)
		return true;
	if (wk_linear_init(&store->stack, &store->keep->pager, &store->stacks, WK_MAP_SPARSE,
		store->stack_size < FIRST_STACK ? store->stack_size : FIRST_STACK, store->stack_size, NULL) != WK_OK)
		return false;
	exec->stack = (uint64_t *)(void *)store->stack.base;
	exec->stack_top = exec->stack;
	exec->stack_end = exec->stack + store->stack_size / sizeof(uint64_t) - WK_STACK_SLACK;
	exec->stack_limit = exec->stack + store->stack.size / sizeof(uint64_t) - WK_STACK_SLACK;
	set_guard(exec);
	return true;
}

/* It doubles, and takes just what is needed where that is refused. */
bool wk_stack_reach(struct wk_store *store, const uint64_t *end)
{
	struct wk_exec *exec = &store->exec;
	uint64_t needed, size = store->stack.size * 2;

	if (end <= exec->stack_limit)
		return true;
	if (end > exec->stack_end)
		return false;
	needed = (uint64_t)((const uint8_t *)(end + WK_STACK_SLACK) - store->stack.base);
	if (size < needed)
		size = needed;
	if (size > store->stack_size)
		size = store->stack_size;
	if (!wk_linear_grow(&store->stack, size, WK_GROWTH_EXACT) &&
		!wk_linear_grow(&store->stack, needed, WK_GROWTH_EXACT))
		return false;
	exec->stack_limit = exec->stack + store->stack.size / sizeof(uint64_t) - WK_STACK_SLACK;
	set_guard(exec);
	return true;
}

enum wk_trap wk_stack_trap(const struct wk_store *store, const uint64_t *end)
{
	if (end > store->exec.stack_end)
		return WK_TRAP_STACK_EXHAUSTED;
	wk_pager_give_up(&store->keep->pager, NULL);
	return WK_TRAP_NO_MEMORY;
}

uint64_t *wk_stack_take(struct wk_store *store, size_t count)
{
	struct wk_exec *exec = &store->exec;
	uint64_t *taken;

	if (!wk_store_stack(store) || exec->stack_top > exec->stack_end ||
		(size_t)(exec->stack_end - exec->stack_top) < count || !wk_stack_reach(store, exec->stack_top + count))
		return NULL;
	taken = exec->stack_top;
	exec->stack_top += count;
	return taken;
}

enum wk_status wk_stack_refuse(struct wk_store *store, size_t count, struct wk_report *report)
{
	struct wk_exec *exec = &store->exec;

	if (!exec->stack)
		return wk_budget_refuse(&store->stacks, FIRST_STACK, report);
	if (exec->stack_top > exec->stack_end || (size_t)(exec->stack_end - exec->stack_top) < count)
		exec->trap = WK_TRAP_STACK_EXHAUSTED;
	else
		exec->trap = wk_stack_trap(store, exec->stack_top + count);
	return wk_report_trap(report, exec->trap, WK_NO_OFFSET, WK_NO_FUNCTION);
}

/* ---- fuel and interruption ---- */

enum wk_status wk_store_set_fuel(struct wk_store *store, uint64_t fuel)
{
	if (!store || !store->metering)
		return WK_BAD_ARGUMENT;
	store->exec.fuel = fuel > INT64_MAX ? INT64_MAX : (int64_t)fuel;
	return WK_OK;
}

uint64_t wk_store_fuel(const struct wk_store *store)
{
	return store && store->metering && store->exec.fuel > 0 ? (uint64_t)store->exec.fuel : 0;
}

void wk_store_interrupt(struct wk_store *store)
{
	if (!store)
		return;
	__atomic_store_n(&store->exec.interrupt, WK_INTERRUPT, __ATOMIC_SEQ_CST);
	__atomic_store_n(&store->exec.stack_guard, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&store->exec.native_guard, UINTPTR_MAX, __ATOMIC_SEQ_CST);
}

void wk_store_clear_interrupt(struct wk_store *store)
{
	if (!store)
		return;
	__atomic_store_n(&store->exec.interrupt, 0, __ATOMIC_SEQ_CST);
	set_guard(&store->exec);
	wk_exec_set_native_guard(&store->exec);
}

void wk_store_interrupt_from(struct wk_store *store, const uint32_t *word)
{
	store->exec.interrupt_at = word ? word : &store->exec.interrupt;
}

uint32_t wk_store_exit_code(const struct wk_store *store)
{
	return store ? store->exec.exit_code : 0;
}
