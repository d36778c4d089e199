/* SPDX-License-Identifier: Apache-2.0
 * The interpreter as an engine (runtime/instance.h says what each operation does). */
#ifndef WK_INTERP_INTERP_H
#define WK_INTERP_INTERP_H

#include "runtime/instance.h"

extern const struct wk_engine wk_interp_engine;

/* Translates every function of a prepared module now (tests, benchmarks). *code_bytes: internal code of all. */
WK_NODISCARD enum wk_status wk_interp_translate_all(struct wk_module *module, bool metering, uint64_t *code_bytes);

#endif
