/* SPDX-License-Identifier: Apache-2.0
 * Every type check, once (specification, chapter 3). */
#ifndef WK_VALIDATE_VALIDATE_H
#define WK_VALIDATE_VALIDATE_H

#include "format/module.h"

/* Validates a decoded module and fills each function's max_slots. One pass over the bytes of each function, linear
 * time, memory bounded by the bytes read. Instructions that do not decode are WK_MALFORMED; GC instructions are
 * WK_UNSUPPORTED, by name. On failure the module is only good for wk_module_free. */
WK_NODISCARD enum wk_status wk_validate_module(struct wk_module *module, struct wk_report *report);

#endif
