/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector instructions (specification 4.3.5), and the relaxed ones (4.3.6) as the deterministic profile has them, which
 * is what the interpreter does.
 *
 * A v128 is a <2 x i64> wherever it is passed on, and is seen as lanes by each instruction; LLVM drops casts between
 * the two. Most instructions have an exact form in IR, which LLVM knows to turn into the machine's. Where it has none,
 * or LLVM makes long code of it, the machine's instruction is named (vector_wide.c).
 *
 * Each shape's lanes are told by the instruction's name, so one case stands for all shapes.
 *
 * Of NaN, numeric.c says what LLVM must not be let see; the same goes for constants of v128, whose lanes may turn out to
 * be floats.
 */
#include <string.h>

#include "compiler/vector.h"

/* ---- lanes ---- */

LLVMTypeRef wk_v_lanes(struct translator *t, LLVMTypeRef element)
{
	unsigned bits = element == t->c->f32 ? 32 : element == t->c->f64 ? 64 : LLVMGetIntTypeWidth(element);

	return LLVMVectorType(element, 128 / bits);
}

LLVMTypeRef wk_v_shape(struct translator *t, uint32_t op)
{
	const char *name = wk_opcode_name(op);
	struct compiler *c = t->c;
	LLVMTypeRef element;

	if (name[0] == 'f')
		element = name[1] == '3' ? c->f32 : c->f64;
	else
		element = name[1] == '8' ? c->i8 : name[1] == '1' ? c->i16 : name[1] == '3' ? c->i32 : c->i64;
	return wk_v_lanes(t, element);
}

LLVMValueRef wk_v_as(struct translator *t, LLVMValueRef v, LLVMTypeRef type)
{
	return LLVMBuildBitCast(t->b, v, type, "");
}

LLVMValueRef wk_v_pop(struct translator *t, LLVMTypeRef type)
{
	LLVMTypeKind kind = LLVMGetTypeKind(LLVMGetElementType(type));
	LLVMValueRef v = wk_f_pop(t);

	if (kind == LLVMFloatTypeKind || kind == LLVMDoubleTypeKind)
		v = wk_f_hide(t, v);
	return wk_v_as(t, v, type);
}

void wk_v_push(struct translator *t, LLVMValueRef v)
{
	wk_f_push(t, wk_v_as(t, v, t->c->v128));
}

LLVMValueRef wk_v_splat(struct translator *t, LLVMTypeRef type, LLVMValueRef value)
{
	LLVMValueRef one = LLVMBuildInsertElement(t->b, LLVMGetPoison(type), value, wk_c_number(t->c->i32, 0), "");

	return LLVMBuildShuffleVector(t->b, one, LLVMGetPoison(type),
		LLVMConstNull(LLVMVectorType(t->c->i32, LLVMGetVectorSize(type))), "");
}

LLVMValueRef wk_v_number(LLVMTypeRef type, uint64_t number)
{
	LLVMValueRef lanes[16];

	for (unsigned i = 0; i < LLVMGetVectorSize(type); i++)
		lanes[i] = LLVMConstInt(LLVMGetElementType(type), number, false);
	return LLVMConstVector(lanes, LLVMGetVectorSize(type));
}

LLVMValueRef wk_v_real(LLVMTypeRef type, double number)
{
	LLVMValueRef lanes[16];

	for (unsigned i = 0; i < LLVMGetVectorSize(type); i++)
		lanes[i] = LLVMConstReal(LLVMGetElementType(type), number);
	return LLVMConstVector(lanes, LLVMGetVectorSize(type));
}

LLVMValueRef wk_v_pick(struct translator *t, LLVMValueRef a, LLVMValueRef b, unsigned first, unsigned step,
	unsigned count)
{
	LLVMValueRef numbers[32];

	for (unsigned i = 0; i < count; i++)
		numbers[i] = wk_c_number(t->c->i32, first + i * step);
	return LLVMBuildShuffleVector(t->b, a, b, LLVMConstVector(numbers, count), "");
}

static bool special_bits(uint64_t bits)
{
	for (int half = 0; half < 2; half++) {
		uint32_t f32 = (uint32_t)(bits >> 32 * half) & 0x7fffffff;

		if (f32 == 0 || f32 == 0x3f800000 || f32 > 0x7f800000)
			return true;
	}
	bits &= UINT64_MAX >> 1;
	return bits == UINT64_C(0x3ff) << 52 || bits > UINT64_C(0x7ff) << 52;
}

LLVMValueRef wk_v_hide(struct translator *t, LLVMValueRef v)
{
	LLVMTypeRef type = LLVMTypeOf(v), f64x2 = wk_v_lanes(t, t->c->f64);
	bool special = false;

	if (!LLVMIsConstant(v))
		return v;
	for (unsigned i = 0; i < 2 && !special; i++) {
		/* Of anything else than two numbers we know nothing. */
		LLVMValueRef lane = type == t->c->v128 ? LLVMGetAggregateElement(v, i) : NULL;

		special = !lane || !LLVMIsAConstantInt(lane) || special_bits(LLVMConstIntGetZExtValue(lane));
	}
	if (!special)
		return v;
	v = wk_v_as(t, v, f64x2);
	return wk_v_as(t, wk_f_intrinsic(t, "llvm.arithmetic.fence", f64x2, &v, 1), type);
}

/* ---- forms of instructions ---- */

static void binary(struct translator *t, uint32_t op, LLVMOpcode code)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef b = wk_v_pop(t, type), a = wk_v_pop(t, type);

	wk_v_push(t, LLVMBuildBinOp(t->b, code, a, b, ""));
}

static void binary_intrinsic(struct translator *t, uint32_t op, const char *name)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef b = wk_v_pop(t, type), a = wk_v_pop(t, type);

	wk_v_push(t, wk_f_intrinsic(t, name, type, (LLVMValueRef[]){ a, b }, 2));
}

static void unary_intrinsic(struct translator *t, uint32_t op, const char *name)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef a = wk_v_pop(t, type);

	wk_v_push(t, wk_f_intrinsic(t, name, type, &a, 1));
}

static void shift(struct translator *t, uint32_t op, LLVMOpcode code)
{
	LLVMTypeRef type = wk_v_shape(t, op), element = LLVMGetElementType(type);
	LLVMValueRef count = wk_f_pop(t), a = wk_v_pop(t, type);

	count = LLVMBuildAnd(t->b, count, wk_c_number(t->c->i32, LLVMGetIntTypeWidth(element) - 1), "");
	count = LLVMBuildIntCast2(t->b, count, element, false, "");
	wk_v_push(t, LLVMBuildBinOp(t->b, code, a, wk_v_splat(t, type, count), ""));
}

/* Lanes of ones where the condition holds. */
LLVMValueRef wk_v_mask(struct translator *t, LLVMValueRef condition, LLVMTypeRef type)
{
	return LLVMBuildSExt(t->b, condition, type, "");
}

static void compare(struct translator *t, uint32_t op, LLVMIntPredicate predicate)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef b = wk_v_pop(t, type), a = wk_v_pop(t, type);

	wk_v_push(t, wk_v_mask(t, LLVMBuildICmp(t->b, predicate, a, b, ""), type));
}

static void compare_floats(struct translator *t, uint32_t op, LLVMRealPredicate predicate)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMTypeRef bits = wk_v_lanes(t, LLVMGetElementType(type) == t->c->f32 ? t->c->i32 : t->c->i64);
	LLVMValueRef b = wk_v_pop(t, type), a = wk_v_pop(t, type);

	wk_v_push(t, wk_v_mask(t, LLVMBuildFCmp(t->b, predicate, a, b, ""), bits));
}

static LLVMValueRef select_bits(struct translator *t, LLVMValueRef a, LLVMValueRef b, LLVMValueRef mask)
{
	return LLVMBuildOr(t->b, LLVMBuildAnd(t->b, a, mask, ""), LLVMBuildAnd(t->b, b, LLVMBuildNot(t->b, mask, ""), ""), "");
}

static void bit_select(struct translator *t)
{
	LLVMValueRef mask = wk_f_pop(t), b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, select_bits(t, a, b, mask));
}

/* ---- bits and masks ---- */

/* One bit a lane, in an integer of as many bits. */
static LLVMValueRef lane_bits(struct translator *t, LLVMTypeRef type, LLVMIntPredicate predicate)
{
	LLVMValueRef a = wk_v_pop(t, type);
	LLVMTypeRef bits = LLVMIntTypeInContext(t->c->llvm, LLVMGetVectorSize(type));

	return LLVMBuildBitCast(t->b, LLVMBuildICmp(t->b, predicate, a, LLVMConstNull(type), ""), bits, "");
}

static void bitmask(struct translator *t, uint32_t op)
{
	wk_f_push(t, LLVMBuildZExt(t->b, lane_bits(t, wk_v_shape(t, op), LLVMIntSLT), t->c->i32, ""));
}

static void all_true(struct translator *t, uint32_t op)
{
	LLVMValueRef zeros = lane_bits(t, wk_v_shape(t, op), LLVMIntEQ);

	wk_f_push(t, LLVMBuildZExt(t->b, LLVMBuildICmp(t->b, LLVMIntEQ, zeros, LLVMConstNull(LLVMTypeOf(zeros)), ""),
		t->c->i32, ""));
}

static void any_true(struct translator *t)
{
	LLVMValueRef a = LLVMBuildBitCast(t->b, wk_f_pop(t), t->c->i128, "");

	wk_f_push(t, LLVMBuildZExt(t->b, LLVMBuildICmp(t->b, LLVMIntNE, a, LLVMConstNull(t->c->i128), ""), t->c->i32, ""));
}

/* ---- floats ---- */

/* The machine's own minimum on x86-64 is a < b ? a : b. In both orders, they differ for zeros and NaN only: joined they
 * are the lesser zero, or met the greater. Lanes of NaN become the canonical one. On AArch64, an instruction does it. */
static void extreme(struct translator *t, uint32_t op, bool maximum)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMTypeRef bits = wk_v_lanes(t, LLVMGetElementType(type) == t->c->f32 ? t->c->i32 : t->c->i64);
	LLVMRealPredicate better = maximum ? LLVMRealOGT : LLVMRealOLT;
	uint64_t payload = LLVMGetElementType(type) == t->c->f32 ? 10 : 13;
	LLVMValueRef b = wk_v_pop(t, type), a = wk_v_pop(t, type), one, other, r, nan;

	if (!t->c->x86) {
		const char *name = maximum ? "llvm.maximum" : "llvm.minimum";

		wk_v_push(t, wk_f_intrinsic(t, name, type, (LLVMValueRef[]){ a, b }, 2));
		return;
	}
	one = wk_v_as(t, LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, better, a, b, ""), a, b, ""), bits);
	other = wk_v_as(t, LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, better, b, a, ""), b, a, ""), bits);
	r = maximum ? LLVMBuildAnd(t->b, one, other, "") : LLVMBuildOr(t->b, one, other, "");
	nan = wk_v_mask(t, LLVMBuildFCmp(t->b, LLVMRealUNO, a, b, ""), bits);
	r = LLVMBuildOr(t->b, r, nan, "");
	nan = LLVMBuildLShr(t->b, nan, wk_v_number(bits, payload), "");
	wk_v_push(t, LLVMBuildAnd(t->b, r, LLVMBuildNot(t->b, nan, ""), ""));
}

/* pmin: b < a ? b : a. */
static void pseudo_extreme(struct translator *t, uint32_t op, LLVMRealPredicate predicate)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef b = wk_v_as(t, wk_f_pop(t), type), a = wk_v_as(t, wk_f_pop(t), type);

	wk_v_push(t, LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, predicate, b, a, ""), b, a, ""));
}

/* a * b + c or c - a * b, rounded twice: fusing is what the deterministic profile does not do. */
static void multiply_add(struct translator *t, uint32_t op, LLVMOpcode sum)
{
	LLVMTypeRef type = wk_v_shape(t, op);
	LLVMValueRef c = wk_v_pop(t, type), b = wk_v_pop(t, type), a = wk_v_pop(t, type);
	LLVMValueRef product = LLVMBuildFMul(t->b, a, b, "");

	wk_v_push(t, sum == LLVMFAdd ? LLVMBuildFAdd(t->b, product, c, "") : LLVMBuildFSub(t->b, c, product, ""));
}

/* Of the sign bit only: no arithmetic. */
static void change_sign(struct translator *t, uint32_t op, bool clear)
{
	LLVMTypeRef bits = wk_v_lanes(t, LLVMGetElementType(wk_v_shape(t, op)) == t->c->f32 ? t->c->i32 : t->c->i64);
	unsigned width = LLVMGetIntTypeWidth(LLVMGetElementType(bits));
	LLVMValueRef a = wk_v_as(t, wk_f_pop(t), bits), sign = wk_v_number(bits, UINT64_C(1) << (width - 1));

	wk_v_push(t, clear ? LLVMBuildAnd(t->b, a, LLVMConstNot(sign), "") : LLVMBuildXor(t->b, a, sign, ""));
}

/* ---- by instruction ---- */

static bool comparison(struct translator *t, uint32_t op)
{
	static const LLVMIntPredicate ten[] = { LLVMIntEQ, LLVMIntNE, LLVMIntSLT, LLVMIntULT, LLVMIntSGT, LLVMIntUGT,
		LLVMIntSLE, LLVMIntULE, LLVMIntSGE, LLVMIntUGE };
	static const LLVMIntPredicate six[] = { LLVMIntEQ, LLVMIntNE, LLVMIntSLT, LLVMIntSGT, LLVMIntSLE, LLVMIntSGE };
	static const LLVMRealPredicate floats[] = { LLVMRealOEQ, LLVMRealUNE, LLVMRealOLT, LLVMRealOGT, LLVMRealOLE,
		LLVMRealOGE };

	if (op >= WK_OP_I8X16_EQ && op <= WK_OP_I32X4_GE_U)
		compare(t, op, ten[(op - WK_OP_I8X16_EQ) % 10]);
	else if (op >= WK_OP_I64X2_EQ && op <= WK_OP_I64X2_GE_S)
		compare(t, op, six[op - WK_OP_I64X2_EQ]);
	else if (op >= WK_OP_F32X4_EQ && op <= WK_OP_F64X2_GE)
		compare_floats(t, op, floats[(op - WK_OP_F32X4_EQ) % 6]);
	else
		return false;
	return true;
}

#define SHAPES_8_16(name) case WK_OP_I8X16_##name: case WK_OP_I16X8_##name
#define SHAPES_8_16_32(name) SHAPES_8_16(name): case WK_OP_I32X4_##name
#define SHAPES_INTEGER(name) SHAPES_8_16_32(name): case WK_OP_I64X2_##name
#define SHAPES_FLOAT(name) case WK_OP_F32X4_##name: case WK_OP_F64X2_##name

static bool integer_instruction(struct translator *t, uint32_t op)
{
	switch (op) {
	SHAPES_INTEGER(ADD): binary(t, op, LLVMAdd); break;
	SHAPES_INTEGER(SUB): binary(t, op, LLVMSub); break;
	case WK_OP_I16X8_MUL: case WK_OP_I32X4_MUL: case WK_OP_I64X2_MUL: binary(t, op, LLVMMul); break;
	SHAPES_INTEGER(NEG): {
		LLVMTypeRef type = wk_v_shape(t, op);

		wk_v_push(t, LLVMBuildNeg(t->b, wk_v_pop(t, type), ""));
		break;
	}
	SHAPES_INTEGER(ABS): {
		LLVMTypeRef type = wk_v_shape(t, op);

		wk_v_push(t, wk_f_intrinsic(t, "llvm.abs", type,
			(LLVMValueRef[]){ wk_v_pop(t, type), LLVMConstInt(t->c->i1, 0, false) }, 2));
		break;
	}
	SHAPES_INTEGER(SHL): shift(t, op, LLVMShl); break;
	SHAPES_INTEGER(SHR_S): shift(t, op, LLVMAShr); break;
	SHAPES_INTEGER(SHR_U): shift(t, op, LLVMLShr); break;
	SHAPES_INTEGER(BITMASK): bitmask(t, op); break;
	SHAPES_INTEGER(ALL_TRUE): all_true(t, op); break;
	SHAPES_8_16(ADD_SAT_S): binary_intrinsic(t, op, "llvm.sadd.sat"); break;
	SHAPES_8_16(ADD_SAT_U): binary_intrinsic(t, op, "llvm.uadd.sat"); break;
	SHAPES_8_16(SUB_SAT_S): binary_intrinsic(t, op, "llvm.ssub.sat"); break;
	SHAPES_8_16(SUB_SAT_U): binary_intrinsic(t, op, "llvm.usub.sat"); break;
	SHAPES_8_16_32(MIN_S): binary_intrinsic(t, op, "llvm.smin"); break;
	SHAPES_8_16_32(MIN_U): binary_intrinsic(t, op, "llvm.umin"); break;
	SHAPES_8_16_32(MAX_S): binary_intrinsic(t, op, "llvm.smax"); break;
	SHAPES_8_16_32(MAX_U): binary_intrinsic(t, op, "llvm.umax"); break;
	case WK_OP_I8X16_POPCNT: unary_intrinsic(t, op, "llvm.ctpop"); break;
	default: return false;
	}
	return true;
}

static bool float_instruction(struct translator *t, uint32_t op)
{
	switch (op) {
	SHAPES_FLOAT(ADD): binary(t, op, LLVMFAdd); break;
	SHAPES_FLOAT(SUB): binary(t, op, LLVMFSub); break;
	SHAPES_FLOAT(MUL): binary(t, op, LLVMFMul); break;
	SHAPES_FLOAT(DIV): binary(t, op, LLVMFDiv); break;
	SHAPES_FLOAT(SQRT): unary_intrinsic(t, op, "llvm.sqrt"); break;
	SHAPES_FLOAT(CEIL): unary_intrinsic(t, op, "llvm.ceil"); break;
	SHAPES_FLOAT(FLOOR): unary_intrinsic(t, op, "llvm.floor"); break;
	SHAPES_FLOAT(TRUNC): unary_intrinsic(t, op, "llvm.trunc"); break;
	SHAPES_FLOAT(NEAREST): unary_intrinsic(t, op, "llvm.roundeven"); break;
	SHAPES_FLOAT(ABS): change_sign(t, op, true); break;
	SHAPES_FLOAT(NEG): change_sign(t, op, false); break;
	SHAPES_FLOAT(MIN): SHAPES_FLOAT(RELAXED_MIN): extreme(t, op, false); break;
	SHAPES_FLOAT(MAX): SHAPES_FLOAT(RELAXED_MAX): extreme(t, op, true); break;
	SHAPES_FLOAT(PMIN): pseudo_extreme(t, op, LLVMRealOLT); break;
	SHAPES_FLOAT(PMAX): pseudo_extreme(t, op, LLVMRealOGT); break;
	SHAPES_FLOAT(RELAXED_MADD): multiply_add(t, op, LLVMFAdd); break;
	SHAPES_FLOAT(RELAXED_NMADD): multiply_add(t, op, LLVMFSub); break;
	default: return false;
	}
	return true;
}

static bool bit_instruction(struct translator *t, uint32_t op)
{
	LLVMValueRef a, b;

	switch (op) {
	case WK_OP_V128_CONST: {
		uint64_t halves[2];
		LLVMValueRef lanes[2];

		memcpy(halves, t->at, sizeof halves);
		t->at += sizeof halves;
		for (int i = 0; i < 2; i++)
			lanes[i] = wk_c_number(t->c->i64, halves[i]);
		wk_f_push(t, LLVMConstVector(lanes, 2));
		break;
	}
	case WK_OP_V128_NOT: wk_f_push(t, LLVMBuildNot(t->b, wk_f_pop(t), "")); break;
	case WK_OP_V128_AND: b = wk_f_pop(t), a = wk_f_pop(t), wk_f_push(t, LLVMBuildAnd(t->b, a, b, "")); break;
	case WK_OP_V128_OR: b = wk_f_pop(t), a = wk_f_pop(t), wk_f_push(t, LLVMBuildOr(t->b, a, b, "")); break;
	case WK_OP_V128_XOR: b = wk_f_pop(t), a = wk_f_pop(t), wk_f_push(t, LLVMBuildXor(t->b, a, b, "")); break;
	case WK_OP_V128_ANDNOT:
		b = wk_f_pop(t), a = wk_f_pop(t);
		wk_f_push(t, LLVMBuildAnd(t->b, a, LLVMBuildNot(t->b, b, ""), ""));
		break;
	case WK_OP_V128_BITSELECT: SHAPES_INTEGER(RELAXED_LANESELECT): bit_select(t); break;
	case WK_OP_V128_ANY_TRUE: any_true(t); break;
	default: return false;
	}
	return true;
}

bool wk_f_vector(struct translator *t, uint32_t op)
{
	return op >> 12 == 0xFD && (comparison(t, op) || integer_instruction(t, op) || float_instruction(t, op) ||
		bit_instruction(t, op) || wk_v_wide(t, op) || wk_v_lane(t, op));
}
