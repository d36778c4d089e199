/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the profiler: profiler_image.c finds out where the functions of an image are. */
#ifndef WK_PORT_POSIX_PROFILER_H
#define WK_PORT_POSIX_PROFILER_H

#include <stddef.h>
#include <stdint.h>

#include "format/module.h"

/* Code of an image, from `begin` to before `end`. */
struct wk_profiler_code {
	uintptr_t begin, end;
	uint32_t function;             /* WK_NO_FUNCTION: what is between functions and who calls them */
};

struct wk_profiler_image {
	struct wk_profiler_code *codes; /* sorted, apart from each other; malloc's */
	size_t count;
};

/* Reads where the module's compiled functions are, if it has any: none are found otherwise, or if the image has no symbols.
 * false: no memory. */
bool wk_profiler_read_image(const struct wk_module *module, struct wk_profiler_image *image);
/* The code at an address, or NULL. Safe in a signal handler. */
const struct wk_profiler_code *wk_profiler_find(const struct wk_profiler_image *image, uintptr_t at);

#endif
