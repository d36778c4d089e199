/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled code calls: traps, calls of what is not code of its own image, and the large instructions.
 *
 * A helper that ends a run fills the report first. The frames are still there then: compiled code keeps frame pointers,
 * so they are a list up to the anchor, and the return addresses say which functions they are of. Where in a function is
 * known for the innermost one only, since code for a trap passes its offset; functions that LLVM inlined have no frame.
 *
 * What always holds: a helper that does not return has no frame of C below it but wk_image_enter's.
 */
#include "base/report.h"
#include "image/image.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

/* ---- frames ---- */

static void add_frame(struct wk_report *report, const struct wk_module *module, uint32_t function, uint64_t offset)
{
	struct wk_frame *frame;
	struct wk_span name;

	report->frame_total++;
	if (report->frame_count == WK_REPORT_FRAMES)
		return;
	frame = &report->frames[report->frame_count++];
	frame->function = function;
	frame->offset = offset;
	name = wk_module_function_name(module, function);
	wk_format(frame->name, sizeof frame->name, "%S", &name);
}

/* The function whose code is nearest before the address; not below func_count: it is none's. */
static uint32_t function_at(const struct wk_image_context *context, uintptr_t address)
{
	uint32_t found = WK_NO_FUNCTION;
	uintptr_t best = 0;

	for (uint32_t i = 0; context->code[i]; i++) {
		uintptr_t begin = (uintptr_t)context->code[i];

		if (begin <= address && begin > best) {
			best = begin;
			found = i;
		}
	}
	return found;
}

/* Compiled code knows offsets in the module as it was. */
static uint32_t function_of_offset(const struct wk_module *module, uint64_t offset)
{
	const uint32_t *bodies = module->native->bodies;

	for (uint32_t i = module->func_count - module->imported_funcs; i-- != 0;)
		if (offset >= bodies[i])
			return module->imported_funcs + i;
	return WK_NO_FUNCTION;
}

/* From the helper's own frame outwards. A frame holds the caller's frame and the return address; the outermost is the
 * entry's, called by wk_image_enter. */
static void add_frames(const struct wk_image_context *context, struct wk_report *report, const void *helper,
	uint64_t offset)
{
	const struct wk_module *module = context->instance->module;
	uint32_t innermost = offset != WK_NO_OFFSET ? function_of_offset(module, offset) : WK_NO_FUNCTION;
	const uintptr_t anchor = (uintptr_t)context->exec->native_anchor;

	if (innermost != WK_NO_FUNCTION)
		add_frame(report, module, innermost, offset);
	for (const uintptr_t *frame = helper;;) {
		const uintptr_t address = frame[1];
		uint32_t function;

		frame = (const uintptr_t *)frame[0];
		if ((uintptr_t)frame >= anchor || frame[0] >= anchor)
			return;
		if (address == (uintptr_t)wk_image_entered)
			continue; /* called in a try_table */
		function = function_at(context, address - 1);
		if (function < module->func_count && function != innermost && function >= module->imported_funcs)
			add_frame(report, module, function, WK_NO_OFFSET);
		innermost = WK_NO_FUNCTION;
	}
}

/* ---- ends ---- */

static _Noreturn void fail(struct wk_image_context *context, enum wk_status status, const void *helper, uint64_t offset)
{
	struct wk_exec *x = context->exec;

	if (status == WK_TRAP && x->report) {
		struct wk_report *report = x->report;
		bool first = report->frame_total == 0;

		wk_report_set(report, WK_TRAP, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", wk_trap_text(x->trap));
		report->trap = x->trap;
		add_frames(context, report, helper, offset);
		if (first && report->frame_count) {
			report->offset = report->frames[0].offset;
			report->function = report->frames[0].function;
		}
	}
	wk_image_leave(status == WK_EXCEPTION && x->native_handler ? x->native_handler : x->native_anchor, (uint32_t)status);
}

static void trap(struct wk_image_context *context, uint32_t code, uint32_t offset)
{
	context->exec->trap = (enum wk_trap)code;
	fail(context, WK_TRAP, __builtin_frame_address(0), offset);
}

#ifndef WK_IMAGE_OPTEE
void wk_image_fault(void *context)
{
	((struct wk_image_context *)context)->exec->trap = WK_TRAP_MEMORY_BOUNDS;
	fail(context, WK_TRAP, __builtin_frame_address(0), WK_NO_OFFSET);
}
#endif

/* The guard is raised by an interrupt as well. */
static void stop(struct wk_image_context *context, uint32_t offset)
{
	struct wk_exec *x = context->exec;

	x->trap = wk_exec_interrupted(x) ? WK_TRAP_INTERRUPTED : WK_TRAP_STACK_EXHAUSTED;
	fail(context, WK_TRAP, __builtin_frame_address(0), offset);
}

/* ---- calls ---- */

static inline __attribute__((always_inline)) void call_any(struct wk_image_context *context, struct wk_func *func,
	uint64_t *slots)
{
	struct wk_exec *x = context->exec;
	const void *here = __builtin_frame_address(0);
	enum wk_status status;

	if ((uintptr_t)here < __atomic_load_n(&x->native_guard, __ATOMIC_RELAXED)) {
		x->trap = wk_exec_interrupted(x) ? WK_TRAP_INTERRUPTED : WK_TRAP_STACK_EXHAUSTED;
		status = WK_TRAP;
	} else if (!func->instance) {
		status = wk_call_host(func, context->instance, slots);
	} else if (wk_func_is_native(func)) {
		status = func->instance->module->native->call(func, slots);
	} else {
		status = x->store->keep->engine->call(func, slots);
	}
	if (__builtin_expect(status != WK_OK, 0))
		fail(context, status, here, WK_NO_OFFSET);
}

static void call(struct wk_image_context *context, uint32_t function, uint64_t *slots)
{
	call_any(context, wk_instance_func(context->instance, function), slots);
}

static void call_func(struct wk_image_context *context, struct wk_func *func, uint64_t *slots)
{
	call_any(context, func, slots);
}

static uint32_t type_matches(struct wk_image_context *context, uint32_t type, uint32_t wanted)
{
	return wk_deftype_matches(context->instance->module->registry, type, wanted);
}

static uint64_t ref_func(struct wk_image_context *context, uint32_t function)
{
	return (uint64_t)(uintptr_t)wk_instance_func(context->instance, function);
}

/* ---- memories and tables ---- */

static uint64_t memory_grow(struct wk_image_context *context, uint32_t memory, uint64_t pages)
{
	return wk_memory_grow(context->memories[memory], pages);
}

static uint32_t memory_init(struct wk_image_context *context, uint32_t memory, uint32_t segment, uint64_t to,
	uint32_t from, uint32_t size)
{
	return wk_memory_init(context->instance, memory, segment, to, from, size);
}

static void data_drop(struct wk_image_context *context, uint32_t segment)
{
	wk_data_drop(context->instance, segment);
}

static uint64_t table_grow(struct wk_image_context *context, uint32_t table, uint64_t count, uint64_t value)
{
	return wk_table_grow(context->tables[table], count, value);
}

static uint32_t table_fill(struct wk_image_context *context, uint32_t table, uint64_t to, uint64_t value,
	uint64_t count)
{
	return wk_table_fill(context->tables[table], to, value, count);
}

static uint32_t table_copy(struct wk_image_context *context, uint32_t to_table, uint32_t from_table, uint64_t to,
	uint64_t from, uint64_t count)
{
	return wk_table_copy(context->tables[to_table], context->tables[from_table], to, from, count);
}

static uint32_t table_init(struct wk_image_context *context, uint32_t table, uint32_t segment, uint64_t to,
	uint32_t from,
	uint32_t count)
{
	return wk_table_init(context->instance, table, segment, to, from, count);
}

static void element_drop(struct wk_image_context *context, uint32_t segment)
{
	wk_element_drop(context->instance, segment);
}

/* ---- exceptions ---- */

static struct wk_exception *exception_new(struct wk_image_context *context, uint32_t tag)
{
	return wk_exception_new(context->exec->store, context->instance->tags[tag], context->exec->stack_top);
}

static void raise(struct wk_image_context *context)
{
	fail(context, WK_EXCEPTION, NULL, WK_NO_OFFSET);
}

static void reserve(struct wk_image_context *context, const uint64_t *end)
{
	struct wk_exec *x = context->exec;

	if (wk_stack_reach(x->store, end))
		return;
	x->trap = wk_stack_trap(x->store, end);
	fail(context, WK_TRAP, __builtin_frame_address(0), WK_NO_OFFSET);
}

const struct wk_image_helpers wk_image_helpers = { trap, stop, call, call_func, type_matches, ref_func, memory_grow,
	memory_init, data_drop, table_grow, table_fill, table_copy, table_init, element_drop,
	wk_image_try_call, exception_new, raise, reserve };
