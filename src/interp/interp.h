/* SPDX-License-Identifier: Apache-2.0
 * The interpreter as an engine (runtime/instance.h says what each operation does). */
#ifndef WK_INTERP_INTERP_H
#define WK_INTERP_INTERP_H

#include "runtime/instance.h"

extern const struct wk_engine wk_interp_engine;

/* Bytes of internal code, for measuring. */
uint64_t wk_interp_code_bytes(const struct wk_module *module, bool metering);

/* The function that the interpreter runs, while it is what was entered last (exec->entered), for a signal handler on the
 * guest's thread: `registers` are the interrupted ones, on x86-64 in the order of their numbers, on AArch64 x0 to x30.
 * WK_NO_FUNCTION: that cannot be told now, or it is between two. *module is whose, if there is one. */
uint32_t wk_interp_running(const struct wk_exec *x, const uintptr_t *registers, uint32_t count,
	const struct wk_module **module);

#endif
