/* SPDX-License-Identifier: Apache-2.0
 *
 * port.h: everything an environment must supply, and nothing else. One folder beside this file implements it for each
 * environment; memory, runtime, crypto, keys and wasi include this header, nobody includes the folders.
 */
#ifndef WK_PORT_H
#define WK_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- heap ---- */

/* 16-byte aligned memory, contents undefined, or NULL. `size` > 0. */
void *wk_port_heap_alloc(size_t size);
/* `size` is what was asked for. `block` is not NULL. */
void wk_port_heap_free(void *block, size_t size);

/* ---- pages ---- */

/* The granule of all page calls: a power of two. Constant while the process lives. */
size_t wk_port_page_size(void);
/* Reserves a range of addresses without memory behind it; `size` is a multiple of the granule. NULL when refused. */
void *wk_port_pages_reserve(size_t size);
/* Puts zeroed memory behind [at, at+size) of a reserved range; both multiples of the granule. false: refused, nothing
 * changed. Never moves what is there. */
bool wk_port_pages_commit(void *at, size_t size);
/* Gives back a whole reserved range with all that was committed in it. */
void wk_port_pages_release(void *range, size_t size);

/* ---- locks ---- */

/* A lock for short sections; zero-initialised memory is an unlocked lock. Not recursive. */
struct wk_port_lock {
	uint32_t word;
};
void wk_port_lock(struct wk_port_lock *lock);
void wk_port_unlock(struct wk_port_lock *lock);

#endif
