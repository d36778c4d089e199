/* SPDX-License-Identifier: Apache-2.0
 * Function names of modules that did not load. */
#ifndef WK_CLI_NAMES_H
#define WK_CLI_NAMES_H

#include "base/span.h"

#define WK_NAMES_SIZE 64

/* The name of a function in the name section (appendix A.4) of bytes that may be anything, cut and NUL-terminated; ""
 * if there is none. For messages about invalid modules; of a loaded one wk_module_function_name tells more. */
void wk_names_find(struct wk_span bytes, uint32_t function, char name[WK_NAMES_SIZE]);

#endif
