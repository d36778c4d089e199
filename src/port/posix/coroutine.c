/* SPDX-License-Identifier: Apache-2.0
 *
 * Coroutines by ucontext, for tests of what runs in a TEE. Sanitizers are told of the change of stacks.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <ucontext.h>

#include "port/port.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *saved, const void **old_bottom, size_t *old_size);
#else
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(saved, bottom, size) ((void)(saved), (void)(bottom), (void)(size))
#endif

/* At the top of the coroutine's stack. */
struct contexts {
	ucontext_t inside, outside;
	const void *stack, *caller_stack;
	size_t stack_size, caller_size;
	void *inside_fiber;
};

static struct contexts *of(struct wk_port_coroutine *coroutine)
{
	return coroutine->inside;
}

static void begin(unsigned high, unsigned low)
{
	struct wk_port_coroutine *coroutine = (struct wk_port_coroutine *)((uintptr_t)high << 32 | low);
	struct contexts *c = of(coroutine);

	__sanitizer_finish_switch_fiber(NULL, &c->caller_stack, &c->caller_size);
	coroutine->run(coroutine->context);
	abort();
}

void wk_port_coroutine_init(struct wk_port_coroutine *coroutine, void *stack, size_t size, void (*run)(void *context),
	void *context)
{
	size_t head = (sizeof(struct contexts) + 63) & ~(size_t)63;
	struct contexts *c = (struct contexts *)(void *)((uint8_t *)stack + size - head);
	uintptr_t self = (uintptr_t)coroutine;

	*coroutine = (struct wk_port_coroutine){ .inside = c, .run = run, .context = context };
	*c = (struct contexts){ .stack = stack, .stack_size = size - head };
	if (getcontext(&c->inside) != 0)
		abort();
	c->inside.uc_stack = (stack_t){ .ss_sp = stack, .ss_size = size - head };
	makecontext(&c->inside, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
}

void wk_port_coroutine_enter(struct wk_port_coroutine *coroutine)
{
	struct contexts *c = of(coroutine);
	void *fiber = NULL;

	__sanitizer_start_switch_fiber(&fiber, c->stack, c->stack_size);
	(void)swapcontext(&c->outside, &c->inside);
	__sanitizer_finish_switch_fiber(fiber, NULL, NULL);
}

void wk_port_coroutine_leave(struct wk_port_coroutine *coroutine)
{
	struct contexts *c = of(coroutine);

	__sanitizer_start_switch_fiber(&c->inside_fiber, c->caller_stack, c->caller_size);
	(void)swapcontext(&c->inside, &c->outside);
	__sanitizer_finish_switch_fiber(c->inside_fiber, &c->caller_stack, &c->caller_size);
}
