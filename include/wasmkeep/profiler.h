/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/profiler.h: where a guest spends its time, by function, interpreted or compiled. On Linux.
 *
 *	wk_profiler_new(module, &profiler, &report)
 *	wk_profiler_start(profiler, store, &report)
 *	wk_func_call(...)
 *	wk_profiler_stop(profiler)
 *	wk_profiler_lines(profiler, lines, room)
 *	wk_profiler_delete(profiler)
 *
 * A timer interrupts the thread a thousand times a second with SIGPROF. Each sample counts for the processor time that the
 * thread has taken since the one before, so waiting counts for nothing, and what the system does for the guest counts for
 * who asked. The guest runs as fast as without, and does not see it; system calls of host functions may end with EINTR.
 */
#ifndef WASMKEEP_PROFILER_H
#define WASMKEEP_PROFILER_H

#include <wasmkeep/wasmkeep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wk_profiler;

enum wk_profiler_kind {
	WK_PROFILER_COMPILED,     /* native code of an image; functions that the compiler put into others count for those */
	WK_PROFILER_INTERPRETED,
	WK_PROFILER_HOST,         /* inside of an imported function that is not a guest's */
	WK_PROFILER_ENGINE,       /* the library's own: translating, calls between host and guest, and what could not be told */
	WK_PROFILER_OTHER,        /* functions of other modules, and host functions that this one does not import */
};

struct wk_profiler_line {
	enum wk_profiler_kind kind;
	uint32_t function;       /* index in the module; WK_NO_FUNCTION for the last two kinds */
	uint64_t nanoseconds;    /* of processor time in the function itself, without those that it calls */
	uint64_t samples;
};

/* For a module that has its image, if it is to get one, and must outlive the profiler. WK_NO_MEMORY. On success the caller
 * owns *profiler; `report` may be NULL, here and below. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_profiler_new(const struct wk_module *module, struct wk_profiler **profiler,
	struct wk_report *report);
/* From now on what the calling thread does in the store is sampled; what was sampled before stays. One of a process can
 * be on at a time. WK_UNSUPPORTED: one is, or the system has no such timers. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_profiler_start(struct wk_profiler *profiler, struct wk_store *store,
	struct wk_report *report);
/* By the same thread, before the store ends. Does nothing if it is not on; NULL is allowed. */
WK_PUBLIC void wk_profiler_stop(struct wk_profiler *profiler);
/* How many lines there are, the most time first; as many as there is room for are written, in no order if
 * there is not room for all. Not while it is on. */
WK_PUBLIC size_t wk_profiler_lines(const struct wk_profiler *profiler, struct wk_profiler_line *lines, size_t room);
/* Stops it, if need be. NULL is allowed. */
WK_PUBLIC void wk_profiler_delete(struct wk_profiler *profiler);

#ifdef __cplusplus
}
#endif
#endif
