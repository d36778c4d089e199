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
	bool stores;                   /* some access of it writes */
	LLVMValueRef first, low, end;  /* i64: its address in the first round; all it touches is from low to before end */
	LLVMValueRef scope;            /* in a copy where groups are disjoint: its scope, for alias analysis */
	LLVMValueRef now;              /* in the copy: the lowest one's address, an i64 */
};

struct check {
	LLVMValueRef branch, wide;     /* the check, and the i64 that its address became */
	LLVMBasicBlockRef good;
	LLVMValueRef access;           /* the load or store behind it */
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

/* ---- apart.c ---- */

/* Is it worth asking whether the groups are disjoint? */
bool wk_c_may_be_apart(const struct version *v);
/* Builds the answer, an i1. */
LLVMValueRef wk_c_apart(struct version *v);
/* Tells LLVM that they are, in a copy: `copy_of` gives an old instruction's. */
void wk_c_name_groups(struct version *v, LLVMValueRef (*copy_of)(const struct version *v, LLVMValueRef value));

/* ---- rounds.c ---- */

/* Does the latch end the loop after a number of rounds that can be told before the first? Only `!=`, and `<` and the
 * like in the direction in which the value goes. */
bool wk_c_find_end(struct version *v);
/* Builds that number, an i64 from 1 to 2^33, and whether it is right, *good. */
LLVMValueRef wk_c_rounds(struct version *v, LLVMValueRef *good);

#endif
