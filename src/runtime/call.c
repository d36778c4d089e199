/* SPDX-License-Identifier: Apache-2.0
 *
 * The call boundary: from the host into guests, and from guests to host functions (specification 7.1, func_invoke).
 *
 * Guests do not use the native stack to call each other, so what is counted here is how often host and guest are nested
 * in each other: each nesting costs native stack, and the limit keeps a guest that calls itself through a host function
 * from overflowing it.
 *
 * A report belongs to one wk_call. A host function that calls back with a report of its own, and goes on after a trap in
 * there, leaves its caller's report as it was.
 *
 * What always holds: exec->instance, stack_top, report and native_depth are the same after wk_call as before. A status
 * of WK_TRAP comes with exec->trap, one of WK_EXCEPTION with exec->pending.
 */
#include "runtime/instantiate.h"
#include "runtime/operations.h"

enum wk_status wk_report_trap(struct wk_report *report, enum wk_trap trap, uint64_t offset, uint32_t function)
{
	if (report && report->status == WK_OK) {
		wk_report_set(report, WK_TRAP, offset, function, "trap: %s", wk_trap_text(trap));
		report->trap = trap;
	}
	return WK_TRAP;
}

static enum wk_status stop(struct wk_exec *exec, enum wk_trap trap, struct wk_report *report)
{
	exec->trap = trap;
	return wk_report_trap(report, trap, WK_NO_OFFSET, WK_NO_FUNCTION);
}

/* Completes the report of a call that the engine or a host function has ended with `status`. */
static void conclude(const struct wk_exec *exec, enum wk_status status)
{
	struct wk_report *report = exec->report;

	switch (status) {
	case WK_OK:
		break;
	case WK_TRAP:
		wk_report_trap(report, exec->trap, WK_NO_OFFSET, WK_NO_FUNCTION);
		break;
	case WK_EXIT:
		wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "exit with code %u", exec->exit_code);
		break;
	default:
		wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", wk_status_text(status));
		break;
	}
}

enum wk_status wk_call(struct wk_func *func, uint64_t *slots, struct wk_report *report)
{
	struct wk_store *store = wk_func_store(func);
	struct wk_exec *exec = &store->exec;
	struct wk_report *outer = exec->report;
	enum wk_status status;

	if (wk_exec_interrupted(exec))
		return stop(exec, WK_TRAP_INTERRUPTED, report);
	if (exec->native_depth >= exec->native_depth_limit)
		return stop(exec, WK_TRAP_STACK_EXHAUSTED, report);
	if (!wk_store_stack(store))
		return wk_stack_refuse(store, 0, report);

	exec->report = report;
	exec->trap = WK_TRAP_NONE;
	exec->pending = NULL;
	if (exec->native_depth++ == 0)
		exec->native_limit = 0; /* another thread, or another of its stacks, may be calling */
	if (wk_func_is_native(func))
		status = func->instance->module->native->call(func, slots);
	else
		status = func->instance ? store->keep->engine->call(func, slots) : wk_call_host(func, NULL, slots);
	exec->native_depth--;
	conclude(exec, status);
	exec->report = outer;
	return status;
}

enum wk_status wk_call_host(struct wk_func *func, struct wk_instance *from, uint64_t *slots)
{
	const struct wk_host_func *host = wk_host_func_of(func);
	struct wk_exec *exec = &host->store->exec;
	struct wk_caller caller = { host->store, from };
	uint64_t *top = exec->stack_top;
	struct wk_entered outer = wk_exec_enter(exec, func);
	enum wk_status status = host->host(host->host_context, &caller, slots);

	wk_exec_leave(exec, outer);
	exec->stack_top = top;
	if (status == WK_OK) {
		/* What a call from there has thrown, the host function has dealt with. */
		exec->trap = WK_TRAP_NONE;
		exec->pending = NULL;
	} else if ((status == WK_EXCEPTION && !exec->pending) || (unsigned)status >= WK_STATUS_COUNT) {
		status = WK_TRAP;
		exec->trap = WK_TRAP_HOST;
	} else if (status == WK_TRAP && exec->trap == WK_TRAP_NONE) {
		exec->trap = WK_TRAP_HOST;
	}
	return status;
}
