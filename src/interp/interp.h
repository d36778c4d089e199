/* SPDX-License-Identifier: Apache-2.0
 * The interpreter, seen from the runtime. */
#ifndef WK_INTERP_INTERP_H
#define WK_INTERP_INTERP_H

#include "runtime/instance.h"

/* Runs a guest function (WK_FUNC_WASM) to its end. `slots` as in wk_call. The caller has counted native depth, and
 * exec->stack_top is where the frame goes. Returns WK_OK; WK_TRAP with exec->trap set and the report (exec->report)
 * filled with text and backtrace; WK_EXCEPTION with exec->pending set; WK_EXIT. Restores exec's instance and
 * stack_top in any case. */
WK_NODISCARD enum wk_status wk_interp_call(struct wk_func *func, uint64_t *slots);

/* Translates every function of a module now (tests, measuring). */
WK_NODISCARD enum wk_status wk_interp_translate_all(struct wk_module *module, struct wk_instance *instance, uint64_t *code_bytes);

/* Prepares module->code (the tables; no function is translated yet). `metering`: code for stores with fuel. */
WK_NODISCARD enum wk_status wk_interp_prepare(struct wk_module *module, bool metering, struct wk_report *report);
/* Frees module->code. NULL code is allowed. */
void wk_interp_free(struct wk_module *module);

#endif
