/* SPDX-License-Identifier: Apache-2.0
 *
 * The native stack of the calling thread. Finding it takes long for a program's first thread, so each thread remembers.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "port/port.h"

static _Thread_local uintptr_t lowest, highest;

uintptr_t wk_port_stack_lowest(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (highest == 0) {
		pthread_attr_t attributes;
		void *stack = NULL;
		size_t size = 0, guard = 0;

		if (pthread_getattr_np(pthread_self(), &attributes) != 0)
			return 0;
		(void)pthread_attr_getstack(&attributes, &stack, &size);
		(void)pthread_attr_getguardsize(&attributes, &guard);
		(void)pthread_attr_destroy(&attributes);
		lowest = (uintptr_t)stack + guard;
		highest = (uintptr_t)stack + size;
	}
	return here >= lowest && here < highest ? lowest : 0; /* else it is a coroutine's */
}
