/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap of the POSIX port: malloc. Its blocks fit any standard type, which on the machines we run on means 16 bytes;
 * where it does not, the build stops here instead of handing out blocks that vectors cannot be kept in.
 */
#include <stdlib.h>

#include "port/port.h"

_Static_assert(_Alignof(max_align_t) >= 16, "malloc must align to 16 bytes: use aligned_alloc on this machine");

void *wk_port_heap_alloc(size_t size)
{
	return malloc(size);
}

void wk_port_heap_free(void *block, size_t size)
{
	(void)size;
	free(block);
}
