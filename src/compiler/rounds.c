/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a loop runs, by what its latch compares: a value that changes by a constant, with one that does not change.
 */
#include "compiler/loops.h"

/* ---- the end ---- */

/* Takes off what makes an i32 of a condition and a condition of that. */
static LLVMValueRef strip_condition(LLVMValueRef condition, bool *negated)
{
	while (LLVMIsAICmpInst(condition)) {
		LLVMIntPredicate predicate = LLVMGetICmpPredicate(condition);
		LLVMValueRef a = LLVMGetOperand(condition, 0), b = LLVMGetOperand(condition, 1);

		if (!LLVMIsAZExtInst(a) || !LLVMIsAConstantInt(b) || LLVMConstIntGetZExtValue(b) != 0 ||
			LLVMGetIntTypeWidth(LLVMTypeOf(LLVMGetOperand(a, 0))) != 1 ||
			(predicate != LLVMIntEQ && predicate != LLVMIntNE))
			break;
		*negated ^= predicate == LLVMIntEQ;
		condition = LLVMGetOperand(a, 0);
	}
	return condition;
}

static LLVMIntPredicate opposite(LLVMIntPredicate predicate)
{
	switch (predicate) {
	case LLVMIntEQ: return LLVMIntNE;
	case LLVMIntNE: return LLVMIntEQ;
	case LLVMIntUGT: return LLVMIntULE;
	case LLVMIntUGE: return LLVMIntULT;
	case LLVMIntULT: return LLVMIntUGE;
	case LLVMIntULE: return LLVMIntUGT;
	case LLVMIntSGT: return LLVMIntSLE;
	case LLVMIntSGE: return LLVMIntSLT;
	case LLVMIntSLT: return LLVMIntSGE;
	default: return LLVMIntSGT;
	}
}

static LLVMIntPredicate swapped(LLVMIntPredicate predicate)
{
	switch (predicate) {
	case LLVMIntUGT: return LLVMIntULT;
	case LLVMIntUGE: return LLVMIntULE;
	case LLVMIntULT: return LLVMIntUGT;
	case LLVMIntULE: return LLVMIntUGE;
	case LLVMIntSGT: return LLVMIntSLT;
	case LLVMIntSGE: return LLVMIntSLE;
	case LLVMIntSLT: return LLVMIntSGT;
	case LLVMIntSLE: return LLVMIntSGE;
	default: return predicate;
	}
}

static bool is_constant(const struct sum *sum)
{
	return sum->count == 0;
}

bool wk_c_find_end(struct version *v)
{
	LLVMValueRef branch = LLVMGetBasicBlockTerminator(v->loop.latch), condition;
	struct linear a, b;
	bool negated = false;

	if (LLVMGetInstructionOpcode(branch) != LLVMBr || !LLVMIsConditional(branch))
		return false;
	condition = strip_condition(LLVMGetCondition(branch), &negated);
	if (!LLVMIsAICmpInst(condition) || !wk_c_linear(&v->loop, LLVMGetOperand(condition, 0), &a) ||
		!wk_c_linear(&v->loop, LLVMGetOperand(condition, 1), &b))
		return false;
	v->predicate = LLVMGetICmpPredicate(condition);
	if (LLVMGetSuccessor(branch, 0) != v->loop.header)
		negated = !negated;
	if (negated)
		v->predicate = opposite(v->predicate);
	if (is_constant(&a.step) && a.step.constant == 0) {
		struct linear other = a;

		a = b;
		b = other;
		v->predicate = swapped(v->predicate);
	}
	if (!is_constant(&a.step) || a.step.constant == 0 || !is_constant(&b.step) || b.step.constant != 0)
		return false;
	v->left = a;
	v->bound = b.start;
	if (v->predicate == LLVMIntNE)
		return wk_c_sum_add(&v->left.start, &b.start, UINT32_MAX);
	if (v->predicate == LLVMIntULT || v->predicate == LLVMIntULE || v->predicate == LLVMIntSLT ||
		v->predicate == LLVMIntSLE)
		return (int32_t)a.step.constant > 0;
	return v->predicate != LLVMIntEQ && (int32_t)a.step.constant < 0;
}

/* ---- the number ---- */

static LLVMValueRef number(struct version *v, uint64_t value)
{
	return wk_c_number(v->loop.c->i64, value);
}

/* Rounds of `value != bound`: the distance by the step, if it is a multiple of it. */
static LLVMValueRef rounds_of_unequal(struct version *v, LLVMValueRef *good)
{
	struct compiler *c = v->loop.c;
	int32_t step = (int32_t)v->left.step.constant;
	uint32_t size = step < 0 ? 0 - (uint32_t)step : (uint32_t)step;
	struct sum distance = { 0 };
	LLVMValueRef way;

	(void)wk_c_sum_add(&distance, &v->left.start, step < 0 ? 1 : UINT32_MAX);
	way = wk_c_sum_build(c, &distance);
	*good = LLVMBuildICmp(c->b, LLVMIntEQ, LLVMBuildURem(c->b, way, wk_c_number(c->i32, size), ""),
		wk_c_number(c->i32, 0), "");
	way = LLVMBuildUDiv(c->b, way, wk_c_number(c->i32, size), "");
	return LLVMBuildAdd(c->b, LLVMBuildZExt(c->b, way, c->i64, ""), number(v, 1), "");
}

/* Rounds of `value < bound` and the like, if the value does not wrap before it is there. Downwards is upwards with the
 * signs changed. */
static LLVMValueRef rounds_of_order(struct version *v, LLVMValueRef *good)
{
	struct compiler *c = v->loop.c;
	int64_t step = (int32_t)v->left.step.constant;
	LLVMIntPredicate p = v->predicate;
	bool is_signed = p == LLVMIntSLT || p == LLVMIntSLE || p == LLVMIntSGT || p == LLVMIntSGE;
	bool equal = p == LLVMIntSLE || p == LLVMIntULE || p == LLVMIntSGE || p == LLVMIntUGE, down = step < 0;
	int64_t highest = is_signed ? (down ? INT64_C(1) << 31 : INT32_MAX) : (down ? 0 : UINT32_MAX);
	LLVMOpcode widen = is_signed ? LLVMSExt : LLVMZExt;
	LLVMValueRef from = LLVMBuildCast(c->b, widen, wk_c_sum_build(c, &v->left.start), c->i64, "");
	LLVMValueRef to = LLVMBuildCast(c->b, widen, wk_c_sum_build(c, &v->bound), c->i64, ""), more, last;

	if (down) {
		step = -step;
		from = LLVMBuildNeg(c->b, from, "");
		to = LLVMBuildNeg(c->b, to, "");
	}
	/* The smallest number of steps that brings it to where it is no longer less; none if it begins there. */
	more = LLVMBuildSub(c->b, to, from, "");
	more = LLVMBuildAdd(c->b, more, number(v, (uint64_t)(equal ? step : step - 1)), "");
	more = LLVMBuildSelect(c->b, LLVMBuildICmp(c->b, LLVMIntSLT, more, number(v, 0), ""), number(v, 0), more, "");
	more = LLVMBuildUDiv(c->b, more, number(v, (uint64_t)step), "");
	last = LLVMBuildAdd(c->b, from, LLVMBuildMul(c->b, more, number(v, (uint64_t)step), ""), "");
	*good = LLVMBuildICmp(c->b, LLVMIntSLE, last, number(v, (uint64_t)highest), "");
	return LLVMBuildAdd(c->b, more, number(v, 1), "");
}

LLVMValueRef wk_c_rounds(struct version *v, LLVMValueRef *good)
{
	return v->predicate == LLVMIntNE ? rounds_of_unequal(v, good) : rounds_of_order(v, good);
}
