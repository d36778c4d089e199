/* SPDX-License-Identifier: Apache-2.0
 * All that the TEE's rooms may use of libc: compilers call these four even in freestanding code. */
#ifndef WK_FREESTANDING_STRING_H
#define WK_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
