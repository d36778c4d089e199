/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding an image to a module and to its instances, and calls into compiled code.
 *
 * What always holds: an instance of a module with an image has a context, unless its store counts fuel and the image
 * does not;
 * exec->native_limit is known while compiled code runs.
 */
#include "base/report.h"
#include "image/image.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

struct image {
	struct wk_native native;       /* first: module->native */
	const struct wk_image_table *table;
	void *library;
	void (*close)(void *library);
};

static const struct image *image_of(const struct wk_module *module)
{
	return (const struct image *)module->native;
}

/* ---- instances ---- */

static enum wk_status bind(struct wk_instance *instance, struct wk_report *report)
{
	struct wk_image_context *context;
	const struct wk_module *module = instance->module;

	/* Compiled code takes a memory's size at its word (wk_module_small). */
	for (uint32_t i = 0; i < module->memory_count; i++)
		if (!wk_memory_complete(instance->memories[i]))
			return wk_budget_refuse(&instance->store->memories, instance->memories[i]->minimum, report);
	for (uint32_t i = 0; i < module->memory_count && image_of(module)->table->guards; i++)
		if (wk_image_relies_on_guard(&module->memories[i]) && !instance->memories[i]->linear.guarded)
			return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
				"memory %u has no guard, which the compiled code needs (wasmkeep compile --bounds check: code that needs none)",
				i);
	context = wk_arena_alloc(&instance->store->arena, sizeof *context);
	if (!context)
		return wk_budget_refuse(&instance->store->heap, sizeof *context, report);
	*context = (struct wk_image_context){
		.exec = &instance->store->exec,
		.instance = instance,
		.memory = module->memory_count ? instance->memories[0]->linear.base : NULL,
		.helpers = &wk_image_helpers,
		.code = image_of(module)->table->code,
		.memories = instance->memories,
		.tables = instance->tables,
		.globals = instance->global_cells,
		.types = module->types,
		.first = module->memory_count ? instance->memories[0] : NULL,
	};
	instance->native = context;
	/* Code that counts does so in all stores: there, from so much that it lasts for a hundred years. */
	if (!instance->store->metering)
		instance->store->exec.fuel = INT64_MAX;
	return WK_OK;
}

/* ---- calls ---- */

/* What host functions and our own need below the last frame of compiled code (a Trusted Application's: TA_GUEST_STACK);
 * and what there is taken to be on a stack that the port does not know, such as a coroutine's. */
#ifdef WK_IMAGE_OPTEE
#define RESERVE ((uintptr_t)32 << 10)
#else
#define RESERVE ((uintptr_t)128 << 10)
#endif
#define UNKNOWN_STACK ((uintptr_t)256 << 10)

/* Compiled code may use as much of the native stack as guests have of their own, if that much is there. */
static void find_limit(struct wk_exec *x, uintptr_t here)
{
	uintptr_t lowest = wk_port_stack_lowest(), room = UNKNOWN_STACK;

	if (lowest != 0 && lowest <= here) {
		room = here - lowest > RESERVE ? here - lowest - RESERVE : 0;
		if (room > x->store->stack_size)
			room = (uintptr_t)x->store->stack_size;
	}
	x->native_limit = here - room;
	wk_exec_set_native_guard(x);
}

static enum wk_status call(struct wk_func *func, uint64_t *slots)
{
	const struct wk_image_table *table = image_of(func->instance->module)->table;
	struct wk_image_context *context = func->instance->native;
	struct wk_exec *x = context->exec;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	void *outer = x->native_anchor, *outer_handler = x->native_handler;
	uint64_t *top = x->stack_top;
	struct wk_entered entered;
	enum wk_status status;

	if (x->native_limit == 0)
		find_limit(x, here);
	if (here < __atomic_load_n(&x->native_guard, __ATOMIC_RELAXED)) {
		x->trap = wk_exec_interrupted(x) ? WK_TRAP_INTERRUPTED : WK_TRAP_STACK_EXHAUSTED;
		return wk_report_trap(x->report, x->trap, WK_NO_OFFSET, func->index);
	}
	x->native_handler = NULL;
	entered = wk_exec_enter(x, func);
	status = (enum wk_status)wk_image_enter(context, table->code[func->index], slots, table->entries[func->index],
		&x->native_anchor);
	wk_exec_leave(x, entered);
	x->native_anchor = outer;
	x->native_handler = outer_handler;
	x->stack_top = top;
	return status;
}

/* ---- modules ---- */

static void end(struct wk_module *module)
{
	struct image *image = (struct image *)module->native;

#ifndef WK_IMAGE_OPTEE
	if (image->table->guards)
		wk_port_faults_remove(image->table->begin);
#endif
	if (image->close)
		image->close(image->library);
	wk_free(&module->keep->modules, image, sizeof *image);
	module->native = NULL;
}

/* Code that does not compare addresses is of use only where it is stopped otherwise. */
static enum wk_status watch(struct wk_module *module, const struct wk_image_table *table, struct wk_report *report)
{
	if (!table->guards)
		return WK_OK;
#ifndef WK_IMAGE_OPTEE
	if (wk_linear_can_guard(&module->keep->pager) && wk_port_faults_add(table->begin, table->end, &wk_image_faults))
		return WK_OK;
#endif
	return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is not used: it needs memories with "
		"8 GiB of addresses, which are not to be had here (wasmkeep compile --bounds check: code that needs none)");
}

enum wk_status wk_image_attach(struct wk_module *module, const struct wk_image_table *table, void *library,
	void (*close)(void *library), struct wk_report *report)
{
	struct image *image;
	enum wk_status status;

	if (module->native || module->code[0])
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"bad argument: an image is for a module that has no image and no instance yet");
	if (table->abi != WK_IMAGE_ABI || table->function_count != module->func_count)
		return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: what is in it is not what its seal says");
	image = wk_alloc(&module->keep->modules, sizeof *image);
	if (!image)
		return wk_budget_refuse(&module->keep->modules, sizeof *image, report);
	status = watch(module, table, report);
	if (status != WK_OK) {
		wk_free(&module->keep->modules, image, sizeof *image);
		return status;
	}
	*image = (struct image){ { bind, call, end, table->compiled, table->bodies, table->counts_fuel != 0,
		module->bytes.data == table->module }, table, library, close };
	module->native = &image->native;
	/* Nobody knows what functions without bodies do with memories, so these are whole from the begin. */
	if (image->native.bare)
		module->small = 0;
	return WK_OK;
}
