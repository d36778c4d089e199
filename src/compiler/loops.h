/* SPDX-License-Identifier: Apache-2.0
 *
 * A loop of which there are to be two versions: between loops.c, which makes them, and rounds.c, which knows how often
 * it runs.
 */
#ifndef WK_COMPILER_LOOPS_H
#define WK_COMPILER_LOOPS_H

#include "compiler/linear.h"

#define WK_C_GROUPS 12
#define WK_C_CHECKS 96

/* Accesses whose addresses are always as far from each other. */
struct group {
	struct linear address;         /* of the lowest one in the first round */
	uint64_t span;                 /* from there to behind the last byte of the highest one */
	uint32_t memory;
	LLVMValueRef now;              /* in the copy: the lowest one's address, an i64 */
};

struct check {
	LLVMValueRef branch, wide;     /* the check, and the i64 that its address became */
	LLVMBasicBlockRef good;
	struct linear address;
	uint64_t reach;
	uint32_t group;
};

struct pair { uintptr_t old; LLVMValueRef made; };

struct version {
	struct loop loop;
	LLVMValueRef function;
	LLVMBasicBlockRef *blocks;     /* sorted by address */
	uint32_t count;
	struct check checks[WK_C_CHECKS];
	struct group groups[WK_C_GROUPS];
	uint32_t check_count, group_count;
	struct linear left;            /* what the latch compares, less what it is compared with (of `ne`) */
	struct sum bound;
	LLVMIntPredicate predicate;    /* the loop goes on if it holds */
	struct pair *pairs;            /* sorted by `old` */
	uint32_t pair_count;
};

/* Does the latch end the loop after a number of rounds that can be told before the first? Only `!=`, and `<` and the
 * like in the direction in which the value goes. */
bool wk_c_find_end(struct version *v);
/* Builds that number, an i64 from 1 to 2^33, and whether it is right, *good. */
LLVMValueRef wk_c_rounds(struct version *v, LLVMValueRef *good);

#endif
