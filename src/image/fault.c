/* SPDX-License-Identifier: Apache-2.0
 *
 * Accesses without a look at the memory's size. Where a memory has all the addresses that a 32-bit address and an offset
 * can make, and those without memory behind them fault, the fault is the look: it costs nothing while nothing is wrong.
 * The port tells of it (port/posix/fault.c); here it becomes a trap.
 *
 * find() runs in a signal handler, so it only reads. Whose code it was is not in any variable, which a coroutine could leave
 * behind: it is on the stack, where wk_image_enter put the context.
 */
#include "image/image.h"

#ifndef WK_IMAGE_OPTEE
#if defined(__x86_64__)
#define CONTEXT_FROM_FRAME (-48)
#else
#define CONTEXT_FROM_FRAME 160
#endif

static bool reaches(const struct wk_image_context *context, uintptr_t address)
{
	const struct wk_module *module = context->instance->module;

	for (uint32_t i = 0; i < module->memory_count; i++) {
		const struct wk_linear *linear = &context->memories[i]->linear;

		if (linear->guarded && address - (uintptr_t)linear->base < WK_GUARDED)
			return true;
	}
	return false;
}

static void *find(uintptr_t frame, uintptr_t address)
{
	struct wk_image_context *context;

	/* A frame holds the caller's, and where it goes on there. */
	while (((const uintptr_t *)frame)[1] != (uintptr_t)wk_image_entered)
		frame = ((const uintptr_t *)frame)[0];
	frame = ((const uintptr_t *)frame)[0];
	memcpy(&context, (const char *)frame + CONTEXT_FROM_FRAME, sizeof context);
	return reaches(context, address) ? context : NULL;
}

const struct wk_port_faults wk_image_faults = { find, wk_image_fault };
#endif
