/* SPDX-License-Identifier: Apache-2.0
 * All that the kernels use of mathematics: two instructions. */
#ifndef BENCH_MATH_H
#define BENCH_MATH_H

#define sqrt(x) __builtin_sqrt(x)
#define fabs(x) __builtin_fabs(x)

#endif
