/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of the POSIX port: mmap. A reservation is an inaccessible private mapping without swap accounting; commit
 * makes part of it accessible. The kernel backs a page when it is first touched, so memory that a module declares and
 * does not use costs nothing. Fresh anonymous pages are zero, and no page is committed twice: that is the contract.
 */
#define _DEFAULT_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "port/port.h"

size_t wk_port_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *wk_port_pages_reserve(size_t size)
{
	void *range = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return range == MAP_FAILED ? NULL : range;
}

bool wk_port_pages_commit(void *at, size_t size)
{
	return mprotect(at, size, PROT_READ | PROT_WRITE) == 0;
}

void wk_port_pages_release(void *range, size_t size)
{
	munmap(range, size);
}
