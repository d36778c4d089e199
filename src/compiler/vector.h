/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the compiler that are about vectors. wk_f_vector and wk_v_hide, which the others call, are in
 * translator.h.
 */
#ifndef WK_COMPILER_VECTOR_H
#define WK_COMPILER_VECTOR_H

#include "compiler/translator.h"

/* ---- vector.c ---- */

/* The vector of 128 bits of such lanes; that of the lanes an instruction's name begins with. */
LLVMTypeRef wk_v_lanes(struct translator *t, LLVMTypeRef element);
LLVMTypeRef wk_v_shape(struct translator *t, uint32_t op);
/* The same bits as another type. */
LLVMValueRef wk_v_as(struct translator *t, LLVMValueRef v, LLVMTypeRef type);
/* An operand as lanes; a result of any lanes. */
LLVMValueRef wk_v_pop(struct translator *t, LLVMTypeRef type);
void wk_v_push(struct translator *t, LLVMValueRef v);
LLVMValueRef wk_v_splat(struct translator *t, LLVMTypeRef type, LLVMValueRef value);
/* A constant in every lane. */
LLVMValueRef wk_v_number(LLVMTypeRef type, uint64_t number);
LLVMValueRef wk_v_real(LLVMTypeRef type, double number);
/* Lanes of a and, behind them, b: `count` of them from `first` on, each `step` further. */
LLVMValueRef wk_v_pick(struct translator *t, LLVMValueRef a, LLVMValueRef b, unsigned first, unsigned step,
	unsigned count);
/* Ones in each lane whose bit is set, else zeros. */
LLVMValueRef wk_v_mask(struct translator *t, LLVMValueRef condition, LLVMTypeRef type);

/* ---- vector_wide.c: lanes that change their width; vector_lane.c: single lanes, shuffles, memory. False: not theirs -- */

bool wk_v_wide(struct translator *t, uint32_t op);
bool wk_v_lane(struct translator *t, uint32_t op);

#endif
