/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of the POSIX port: mmap. A reservation is an inaccessible private mapping without swap accounting; mapping makes
 * part of it accessible. The kernel backs a page when it is first touched, so memory that a module declares and does not
 * use costs nothing; what is surely used soon is backed at once, since a page fault each costs several times more.
 * Fresh anonymous pages are zero, and what is unmapped is replaced by fresh ones.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "port/port.h"

/* Not on AArch64, though fault.c knows it: where its programs are emulated, as in our tests, a guarded memory takes hundreds
 * of megabytes of the emulator's books. */
#if defined(__linux__) && defined(__x86_64__)
#define WK_PORT_GUARDS true
#else
#define WK_PORT_GUARDS false
#endif

/* Where the kernel knows it (Linux 5.14). */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void *reserve(struct wk_provider *provider, size_t size)
{
	void *range = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)provider;
	return range == MAP_FAILED ? NULL : range;
}

static void release(struct wk_provider *provider, void *range, size_t size)
{
	(void)provider;
	munmap(range, size);
}

static enum wk_limit_kind map(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
	const char *subject)
{
	(void)provider, (void)subject;
	if (mprotect(at, size, PROT_READ | PROT_WRITE) != 0)
		return WK_LIMIT_MACHINE;
	if (use == WK_MAP_FILLED)
		(void)madvise(at, size, MADV_POPULATE_WRITE);
	return WK_LIMIT_NONE;
}

static void unmap(struct wk_provider *provider, void *at, size_t size)
{
	(void)provider;
	/* In place of the old pages, so that nobody else can get the addresses in between. When the kernel has no room for
	 * its books on that, the pages stay, and must at least be empty when they are mapped again. */
	if (mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		(void)madvise(at, size, MADV_DONTNEED);
}

static void describe(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value)
{
	(void)provider, (void)limit;
	*used = *value = 0;
}

static const struct wk_provider_ops ops = { reserve, release, map, unmap, describe };

struct wk_provider *wk_port_provider(void)
{
	/* Constant but for the granule, which every thread would set to the same. */
	static struct wk_provider provider = { .ops = &ops, .heap_range = (size_t)1 << 30, .guards = WK_PORT_GUARDS };
	static const size_t fallback = 4096;

	if (__atomic_load_n(&provider.granule, __ATOMIC_RELAXED) == 0) {
		long size = sysconf(_SC_PAGESIZE);
		__atomic_store_n(&provider.granule, size > 0 ? (size_t)size : fallback, __ATOMIC_RELAXED);
	}
	return &provider;
}
