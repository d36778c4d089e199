/* SPDX-License-Identifier: Apache-2.0
 * The development kit's, and what the kernels use beside. */
#ifndef BENCH_STDLIB_H
#define BENCH_STDLIB_H

#include_next <stdlib.h>

int atoi(const char *text);

#endif
