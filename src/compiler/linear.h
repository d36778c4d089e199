/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that change by the same amount in each round of a loop, as sums (linear.c); loops.c uses them.
 *
 * All arithmetic of a sum is modulo 2^32, as WebAssembly's on an i32 is. So a sum is the value, whatever wraps.
 */
#ifndef WK_COMPILER_LINEAR_H
#define WK_COMPILER_LINEAR_H

#include "compiler/translator.h"

#define WK_C_TERMS 6

/* constant + the sum of factor * value */
struct sum {
	uint32_t constant;
	unsigned count;
	struct { LLVMValueRef value; uint32_t factor; } terms[WK_C_TERMS]; /* no value twice, no factor 0 */
};

/* In round k, counted from 0, it is start + k * step. */
struct linear {
	struct sum start, step;
};

struct loop {
	struct compiler *c;
	LLVMBasicBlockRef header, latch, before; /* `before` leads to the header only */
	bool (*has)(const struct loop *loop, LLVMBasicBlockRef block);
	const void *blocks;
};

/* Is an i32 linear in this loop? */
bool wk_c_linear(const struct loop *loop, LLVMValueRef value, struct linear *linear);
/* *sum += factor * other; false: too many terms */
bool wk_c_sum_add(struct sum *sum, const struct sum *other, uint32_t factor);
/* Are they the same but for the constant? */
bool wk_c_sum_alike(const struct sum *a, const struct sum *b);
/* The sum as an i32, where the builder stands. */
LLVMValueRef wk_c_sum_build(struct compiler *c, const struct sum *sum);

#endif
