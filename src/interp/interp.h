/* SPDX-License-Identifier: Apache-2.0
 * The interpreter as an engine (runtime/instance.h says what each operation does). */
#ifndef WK_INTERP_INTERP_H
#define WK_INTERP_INTERP_H

#include "runtime/instance.h"

extern const struct wk_engine wk_interp_engine;

/* Bytes of internal code, for measuring. */
uint64_t wk_interp_code_bytes(const struct wk_module *module, bool metering);

#endif
