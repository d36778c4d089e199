/* SPDX-License-Identifier: Apache-2.0
 * Coroutines of 64-bit Arm; the change of stacks is in coroutine_a64.S. */
#include "port/port.h"

/* Saves the callee's registers on the stack, and that in *save; then goes on with stack `to`. */
void wk_coroutine_switch(void **save, void *to);
/* Where a new stack begins: calls the function in x20 with x19. */
void wk_coroutine_first(void);

/* As the switch expects it: x19 to x30, d8 to d15. */
struct saved {
	void *x[12];
	uint64_t d[8];
};

static uintptr_t lowest; /* of the one that was made last: an instance has one */

void wk_port_coroutine_init(struct wk_port_coroutine *coroutine, void *stack, size_t size, void (*run)(void *context),
	void *context)
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	struct saved *saved = (struct saved *)(top - sizeof *saved);

	*saved = (struct saved){ .x = { [0] = context, [1] = (void *)run, [11] = (void *)wk_coroutine_first } };
	lowest = (uintptr_t)stack;
	*coroutine = (struct wk_port_coroutine){ .inside = saved, .run = run, .context = context };
}

void wk_port_coroutine_enter(struct wk_port_coroutine *coroutine)
{
	wk_coroutine_switch(&coroutine->outside, coroutine->inside);
}

void wk_port_coroutine_leave(struct wk_port_coroutine *coroutine)
{
	wk_coroutine_switch(&coroutine->inside, coroutine->outside);
}

/* Guests run nowhere else: the loader does not say how large a Trusted Application's own stack is. */
uintptr_t wk_port_stack_lowest(void)
{
	return lowest;
}
