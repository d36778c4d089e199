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
#include <wasmkeep/status.h>

/* ---- memory ---- */

/* Where memory comes from. A provider is a table of functions and a few facts; an environment has one (wk_port_provider),
 * and others wrap it: the simulated TEE, the one that fails on demand. Its functions may be called by several threads at
 * once. */
struct wk_provider;

enum wk_map_use {
	WK_MAP_SPARSE,        /* perhaps only some of it will be touched */
	WK_MAP_FILLED,        /* all of it will be, and soon */
};

struct wk_provider_ops {
	/* Sets a range of addresses aside; no memory yet. `size` is a multiple of the granule. NULL: refused. */
	void *(*reserve)(struct wk_provider *provider, size_t size);
	/* Gives a whole reserved range back, with all that was mapped in it. */
	void (*release)(struct wk_provider *provider, void *range, size_t size);
	/* Puts zeroed memory behind [at, at + size) of a reserved range, both multiples of the granule: one mapping. What is
	 * mapped beside it never moves. `subject` is a constant text, what the memory is for. WK_LIMIT_NONE is success; on
	 * anything else nothing has changed. */
	enum wk_limit_kind (*map)(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
		const char *subject);
	/* Gives back all mappings in [at, at + size); none lies across its ends. */
	void (*unmap)(struct wk_provider *provider, void *at, size_t size);
	/* How much of a limit that map named is in use, and how much there is; see struct wk_refusal. */
	void (*describe)(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value);
};

struct wk_fixed_part {
	const char *name;         /* constant text */
	uint64_t bytes;
};
#define WK_FIXED_PARTS 5

struct wk_provider {
	const struct wk_provider_ops *ops;
	size_t granule;           /* of addresses and sizes; a power of two, at least 4096 */
	size_t heap_range;        /* how many bytes of addresses to set aside for a piece of heap */
	bool guards;              /* code may touch what is reserved and not mapped: wk_port_faults_add */
	bool scarce;              /* mappings are few and may be refused for want of one piece of RAM: take large ones */
	uint64_t ram;             /* bytes that there are in all; 0: not known */
	const struct wk_fixed_part *parts; /* what is taken of them before anything is mapped; */
	uint32_t part_count;      /* at most WK_FIXED_PARTS */
};

/* The environment's own. Never NULL. */
struct wk_provider *wk_port_provider(void);

/* ---- locks ---- */

/* A lock for short sections; zero-initialised memory is an unlocked lock. Not recursive. */
struct wk_port_lock {
	uint32_t word;
};
void wk_port_lock(struct wk_port_lock *lock);
void wk_port_unlock(struct wk_port_lock *lock);

/* ---- the native stack ---- */

/* The lowest byte that may be used of the stack that the caller runs on; 0: not known. */
uintptr_t wk_port_stack_lowest(void);

/* ---- faults ---- */

/* For code that touches addresses without memory behind them instead of comparing (providers with `guards` only). */
struct wk_port_faults {
	/* In a signal handler: whose fault is it? `frame` is the code's frame pointer. NULL: nobody's; the program ends. */
	void *(*find)(uintptr_t frame, uintptr_t address);
	/* Is then called with it, as if by the instruction that faulted, outside of the handler. Does not return. */
	void (*raise)(void *found);
};
/* Code from `begin` to before `end` is such code, until it is removed. false: there is too much of it already, or this
 * port has no faults. */
bool wk_port_faults_add(const void *begin, const void *end, const struct wk_port_faults *faults);
void wk_port_faults_remove(const void *begin);

/* ---- coroutines ---- */

/* Code with a stack of its own, which may be left in the middle and entered again: how a guest in a TEE asks the other
 * world for something, since only who called the TEE can go there. For src/remote/session.c. */
struct wk_port_coroutine {
	void *inside, *outside;   /* where it goes on, and who entered it */
	void (*run)(void *context);
	void *context;
};
/* `stack` is the lowest byte. Nothing runs yet. `run` must not return but leave for good. */
void wk_port_coroutine_init(struct wk_port_coroutine *coroutine, void *stack, size_t size, void (*run)(void *context),
	void *context);
/* From outside: runs it until it leaves. */
void wk_port_coroutine_enter(struct wk_port_coroutine *coroutine);
/* From inside: goes back to who entered it; returns when it is entered again. */
void wk_port_coroutine_leave(struct wk_port_coroutine *coroutine);

#endif
