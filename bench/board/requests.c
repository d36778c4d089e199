/* SPDX-License-Identifier: Apache-2.0
 * A program that asks the normal world for something 1000 times: whether the standard output is there. */
#include <wasi/api.h>

void _start(void)
{
	__wasi_filestat_t stat;

	for (int i = 0; i < 1000; i++)
		(void)__wasi_fd_filestat_get(1, &stat);
}
