/* SPDX-License-Identifier: Apache-2.0
 *
 * The C library's functions on memory in a module: which are known (library.c).
 */
#ifndef WK_COMPILER_LIBRARY_H
#define WK_COMPILER_LIBRARY_H

#include "format/module.h"

enum wk_library_function {
	WK_LIBRARY_NONE, WK_LIBRARY_MEMCPY, WK_LIBRARY_MEMMOVE, WK_LIBRARY_MEMSET, WK_LIBRARY_MEMCMP, WK_LIBRARY_STRLEN,
};

/* What is known of a body is in library.def by the first half of this: SHA-256 of its bytes (5.4.9, without the size), of
 * a call the digest of what is called instead of its number. false: not one that could be known. */
bool wk_library_digest(const struct wk_module *module, uint32_t function, uint8_t digest[32]);
enum wk_library_function wk_library_find(const struct wk_module *module, uint32_t function);

#endif
