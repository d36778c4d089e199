/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of values, found by walking from a value to what it is computed of: through additions, and multiplications by
 * constants, down to what they do not lead through. In a loop that is its header's phis, whose rounds are then looked
 * at, and all that is not changed in it.
 */
#include "compiler/linear.h"

/* How far a walk goes. What is deeper is no address that a compiler made. */
#define DEEPEST 16

static bool add_term(struct sum *sum, LLVMValueRef value, uint32_t factor)
{
	for (unsigned i = 0; i < sum->count; i++) {
		if (sum->terms[i].value != value)
			continue;
		sum->terms[i].factor += factor;
		if (sum->terms[i].factor == 0)
			sum->terms[i] = sum->terms[--sum->count];
		return true;
	}
	if (factor == 0)
		return true;
	if (sum->count == WK_C_TERMS)
		return false;
	sum->terms[sum->count].value = value;
	sum->terms[sum->count++].factor = factor;
	return true;
}

bool wk_c_sum_add(struct sum *sum, const struct sum *other, uint32_t factor)
{
	sum->constant += other->constant * factor;
	for (unsigned i = 0; i < other->count; i++)
		if (!add_term(sum, other->terms[i].value, other->terms[i].factor * factor))
			return false;
	return true;
}

bool wk_c_sum_alike(const struct sum *a, const struct sum *b)
{
	struct sum difference = *a;

	return wk_c_sum_add(&difference, b, UINT32_MAX) && difference.count == 0;
}

LLVMValueRef wk_c_sum_build(struct compiler *c, const struct sum *sum)
{
	LLVMValueRef made = wk_c_number(c->i32, sum->constant);

	for (unsigned i = 0; i < sum->count; i++) {
		LLVMValueRef factor = wk_c_number(c->i32, sum->terms[i].factor);

		made = LLVMBuildAdd(c->b, made, sum->terms[i].factor == 1 ? sum->terms[i].value :
			LLVMBuildMul(c->b, sum->terms[i].value, factor, ""), "");
	}
	return made;
}

/* ---- walks ---- */

static bool is_inside(const struct loop *loop, LLVMValueRef value)
{
	return LLVMIsAInstruction(value) && loop->has(loop, LLVMGetInstructionParent(value));
}

static bool constant_of(LLVMValueRef value, uint32_t *number)
{
	if (!LLVMIsAConstantInt(value))
		return false;
	*number = (uint32_t)LLVMConstIntGetZExtValue(value);
	return true;
}

/* Adds factor * value. What is in the loop is one of its header's phis in the end, or this fails. */
static bool walk(const struct loop *loop, LLVMValueRef value, uint32_t factor, unsigned depth, struct sum *sum)
{
	LLVMOpcode op = LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : LLVMRet;
	uint32_t number;

	if (constant_of(value, &number)) {
		sum->constant += number * factor;
		return true;
	}
	if (depth < DEEPEST && (op == LLVMAdd || op == LLVMSub))
		return walk(loop, LLVMGetOperand(value, 0), factor, depth + 1, sum) &&
			walk(loop, LLVMGetOperand(value, 1), op == LLVMAdd ? factor : 0 - factor, depth + 1, sum);
	if (depth < DEEPEST && op == LLVMMul && constant_of(LLVMGetOperand(value, 1), &number))
		return walk(loop, LLVMGetOperand(value, 0), factor * number, depth + 1, sum);
	if (depth < DEEPEST && op == LLVMShl && constant_of(LLVMGetOperand(value, 1), &number) && number < 32)
		return walk(loop, LLVMGetOperand(value, 0), factor << number, depth + 1, sum);
	if (is_inside(loop, value) && (op != LLVMPHI || LLVMGetInstructionParent(value) != loop->header))
		return false;
	return add_term(sum, value, factor);
}

static LLVMValueRef incoming(LLVMValueRef phi, LLVMBasicBlockRef from)
{
	for (unsigned i = 0; i < LLVMCountIncoming(phi); i++)
		if (LLVMGetIncomingBlock(phi, i) == from)
			return LLVMGetIncomingValue(phi, i);
	return NULL;
}

/* Each term that is a phi becomes what it begins with, and what each round adds to it. */
bool wk_c_linear(const struct loop *loop, LLVMValueRef value, struct linear *linear)
{
	struct sum sum = { 0 };

	*linear = (struct linear){ 0 };
	if (LLVMTypeOf(value) != loop->c->i32 || !walk(loop, value, 1, 0, &sum))
		return false;
	linear->start.constant = sum.constant;
	for (unsigned i = 0; i < sum.count; i++) {
		LLVMValueRef phi = sum.terms[i].value, first, next;
		uint32_t factor = sum.terms[i].factor;
		struct sum step = { 0 };

		if (!is_inside(loop, phi)) {
			if (!add_term(&linear->start, phi, factor))
				return false;
			continue;
		}
		first = incoming(phi, loop->before);
		next = incoming(phi, loop->latch);
		if (!first || !next || !walk(loop, first, factor, 0, &linear->start) || !walk(loop, next, 1, 0, &step) ||
			!add_term(&step, phi, UINT32_MAX))
			return false;
		for (unsigned t = 0; t < step.count; t++)
			if (is_inside(loop, step.terms[t].value))
				return false;
		if (!wk_c_sum_add(&linear->step, &step, factor))
			return false;
	}
	return true;
}
