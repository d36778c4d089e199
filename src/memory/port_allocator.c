/* SPDX-License-Identifier: Apache-2.0
 * The port's heap in the form of a struct wk_allocator: the default of a keep. */
#include "memory/budget.h"
#include "port/port.h"

static void *port_alloc(void *context, size_t size)
{
	(void)context;
	return wk_port_heap_alloc(size);
}

static void port_free(void *context, void *block, size_t size)
{
	(void)context;
	wk_port_heap_free(block, size);
}

const struct wk_allocator wk_port_allocator = { port_alloc, port_free, NULL };
