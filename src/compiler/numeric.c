/* SPDX-License-Identifier: Apache-2.0
 *
 * Numeric instructions (specification 4.3). Each means what the specification says, and no less: no flags that allow
 * LLVM to contract, to reorder or to forget NaN.
 *
 * In one thing LLVM is freer than WebAssembly: a signaling NaN need not become quiet where an operation can be left
 * out, as in x * 1. WebAssembly's results are arithmetic NaNs (4.3.3). So constants that would let LLVM leave out an
 * addition or multiplication are hidden behind llvm.arithmetic.fence, which makes no code, and so is a promotion
 * before a demotion.
 */
#include <string.h>

#include "compiler/translator.h"

static LLVMTypeRef type_of(LLVMValueRef v)
{
	return LLVMTypeOf(v);
}

static bool is_float(const struct compiler *c, LLVMTypeRef type)
{
	return type == c->f32 || type == c->f64;
}

static LLVMValueRef fence(struct translator *t, LLVMValueRef v)
{
	return wk_f_intrinsic(t, "llvm.arithmetic.fence", type_of(v), &v, 1);
}

LLVMValueRef wk_f_hide(struct translator *t, LLVMValueRef value)
{
	LLVMBool loses = false;
	double number;

	if (type_of(value) == t->c->v128)
		return wk_v_hide(t, value);
	if (!is_float(t->c, type_of(value)) || !LLVMIsAConstantFP(value))
		return value;
	number = LLVMConstRealGetDouble(value, &loses);
	return number == 0 || number == 1 || number == -1 || number != number ? fence(t, value) : value;
}

/* ---- integers ---- */

static LLVMValueRef same(LLVMValueRef v, uint64_t number)
{
	return LLVMConstInt(type_of(v), number, false);
}

/* A constant of the same width as v, which is all ones: -1. */
static LLVMValueRef ones(LLVMValueRef v)
{
	return LLVMConstAllOnes(type_of(v));
}

static void compare(struct translator *t, LLVMIntPredicate predicate)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, LLVMBuildZExt(t->b, LLVMBuildICmp(t->b, predicate, a, b, ""), t->c->i32, ""));
}

static void compare_floats(struct translator *t, LLVMRealPredicate predicate)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, LLVMBuildZExt(t->b, LLVMBuildFCmp(t->b, predicate, a, b, ""), t->c->i32, ""));
}

static void binary(struct translator *t, LLVMOpcode op)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, LLVMBuildBinOp(t->b, op, a, b, ""));
}

static void float_binary(struct translator *t, LLVMOpcode op)
{
	LLVMValueRef b = wk_f_hide(t, wk_f_pop(t)), a = wk_f_hide(t, wk_f_pop(t));

	wk_f_push(t, LLVMBuildBinOp(t->b, op, a, b, ""));
}

static void shift(struct translator *t, LLVMOpcode op)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);
	uint64_t mask = type_of(a) == t->c->i32 ? 31 : 63;

	wk_f_push(t, LLVMBuildBinOp(t->b, op, a, LLVMBuildAnd(t->b, b, same(b, mask), ""), ""));
}

static void rotate(struct translator *t, const char *name)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, wk_f_intrinsic(t, name, type_of(a), (LLVMValueRef[]){ a, a, b }, 3));
}

static void count_zeros(struct translator *t, const char *name)
{
	LLVMValueRef a = wk_f_pop(t);

	wk_f_push(t, wk_f_intrinsic(t, name, type_of(a), (LLVMValueRef[]){ a, LLVMConstInt(t->c->i1, 0, false) }, 2));
}

static void unary(struct translator *t, const char *name)
{
	LLVMValueRef a = wk_f_pop(t);

	wk_f_push(t, wk_f_intrinsic(t, name, type_of(a), &a, 1));
}

static void is_zero(struct translator *t)
{
	LLVMValueRef a = wk_f_pop(t);

	wk_f_push(t, LLVMBuildZExt(t->b, LLVMBuildICmp(t->b, LLVMIntEQ, a, same(a, 0), ""), t->c->i32, ""));
}

/* Division by zero traps, and so does the quotient without a representation; its remainder is 0 (4.3.2). */
static void divide(struct translator *t, LLVMOpcode op)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t), minus_one = LLVMBuildICmp(t->b, LLVMIntEQ, b, ones(b), "");
	uint64_t minimum = type_of(a) == t->c->i32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;

	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntEQ, b, same(b, 0), ""), WK_TRAP_DIVIDE_BY_ZERO);
	if (op == LLVMSDiv)
		wk_f_trap_if(t, LLVMBuildAnd(t->b, minus_one, LLVMBuildICmp(t->b, LLVMIntEQ, a, same(a, minimum), ""), ""),
			WK_TRAP_INTEGER_OVERFLOW);
	if (op == LLVMSRem) /* the remainder by 1 is the same */
		b = LLVMBuildSelect(t->b, minus_one, same(b, 1), b, "");
	wk_f_push(t, LLVMBuildBinOp(t->b, op, a, b, ""));
}

/* Sign extension from fewer bits of the same type. */
static void extend(struct translator *t, LLVMTypeRef from)
{
	LLVMValueRef a = wk_f_pop(t);

	wk_f_push(t, LLVMBuildSExt(t->b, LLVMBuildTrunc(t->b, a, from, ""), type_of(a), ""));
}

static void convert(struct translator *t, LLVMOpcode op, LLVMTypeRef to)
{
	wk_f_push(t, LLVMBuildCast(t->b, op, wk_f_pop(t), to, ""));
}

/* ---- wide arithmetic ---- */

static LLVMValueRef wide(struct translator *t, LLVMValueRef low, LLVMValueRef high)
{
	LLVMValueRef shifted = LLVMBuildShl(t->b, LLVMBuildZExt(t->b, high, t->c->i128, ""),
		LLVMConstInt(t->c->i128, 64, false), "");

	return LLVMBuildOr(t->b, LLVMBuildZExt(t->b, low, t->c->i128, ""), shifted, "");
}

static void push_wide(struct translator *t, LLVMValueRef v)
{
	wk_f_push(t, LLVMBuildTrunc(t->b, v, t->c->i64, ""));
	wk_f_push(t, LLVMBuildTrunc(t->b, LLVMBuildLShr(t->b, v, LLVMConstInt(t->c->i128, 64, false), ""), t->c->i64, ""));
}

static void wide_sum(struct translator *t, LLVMOpcode op)
{
	LLVMValueRef b_high = wk_f_pop(t), b_low = wk_f_pop(t), a_high = wk_f_pop(t), a_low = wk_f_pop(t);

	push_wide(t, LLVMBuildBinOp(t->b, op, wide(t, a_low, a_high), wide(t, b_low, b_high), ""));
}

static void wide_product(struct translator *t, LLVMOpcode extension)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	push_wide(t, LLVMBuildMul(t->b, LLVMBuildCast(t->b, extension, a, t->c->i128, ""),
		LLVMBuildCast(t->b, extension, b, t->c->i128, ""), ""));
}

/* ---- floats ---- */

static void copy_sign(struct translator *t)
{
	LLVMValueRef b = wk_f_pop(t), a = wk_f_pop(t);

	wk_f_push(t, wk_f_intrinsic(t, "llvm.copysign", type_of(a), (LLVMValueRef[]){ a, b }, 2));
}

/* A NaN gives a NaN that is quiet, as a sum does; -0 is less than 0. Equal operands differ in their signs at most, so
 * their bits can be joined. Without branches, so that loops can become vectors. */
static void extreme(struct translator *t, bool maximum)
{
	LLVMValueRef b = wk_f_hide(t, wk_f_pop(t)), a = wk_f_hide(t, wk_f_pop(t));
	LLVMTypeRef type = type_of(a), bits = type == t->c->f32 ? t->c->i32 : t->c->i64;
	LLVMValueRef a_bits = LLVMBuildBitCast(t->b, a, bits, ""), b_bits = LLVMBuildBitCast(t->b, b, bits, "");
	LLVMValueRef joined = maximum ? LLVMBuildAnd(t->b, a_bits, b_bits, "") : LLVMBuildOr(t->b, a_bits, b_bits, "");
	LLVMValueRef better = LLVMBuildFCmp(t->b, maximum ? LLVMRealOGT : LLVMRealOLT, a, b, "");
	LLVMValueRef v = LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, LLVMRealOEQ, a, b, ""),
		LLVMBuildBitCast(t->b, joined, type, ""), LLVMBuildSelect(t->b, better, a, b, ""), "");

	wk_f_push(t, LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, LLVMRealUNO, a, b, ""), LLVMBuildFAdd(t->b, a, b, ""), v, ""));
}

static void demote(struct translator *t)
{
	LLVMValueRef a = wk_f_pop(t);

	if (LLVMIsAFPExtInst(a))
		a = fence(t, a);
	wk_f_push(t, LLVMBuildFPTrunc(t->b, wk_f_hide(t, a), t->c->f32, ""));
}

/* Truncation traps where no integer is (4.3.3): what is strictly between two floats has one. */
static void truncate(struct translator *t, LLVMTypeRef to, bool is_signed, double below, double above)
{
	LLVMValueRef a = wk_f_pop(t), inside;

	wk_f_trap_if(t, LLVMBuildFCmp(t->b, LLVMRealUNO, a, a, ""), WK_TRAP_INVALID_CONVERSION);
	inside = LLVMBuildAnd(t->b, LLVMBuildFCmp(t->b, LLVMRealOGT, a, LLVMConstReal(type_of(a), below), ""),
		LLVMBuildFCmp(t->b, LLVMRealOLT, a, LLVMConstReal(type_of(a), above), ""), "");
	wk_f_trap_if(t, LLVMBuildNot(t->b, inside, ""), WK_TRAP_INTEGER_OVERFLOW);
	wk_f_push(t, LLVMBuildCast(t->b, is_signed ? LLVMFPToSI : LLVMFPToUI, a, to, ""));
}

static void saturate(struct translator *t, LLVMTypeRef to, const char *name)
{
	LLVMValueRef a = wk_f_pop(t);

	wk_f_push(t, wk_f_intrinsic_of(t, name, (LLVMTypeRef[]){ to, type_of(a) }, 2, &a, 1));
}

/* ---- constants: bit by bit, since a NaN has a payload ---- */

static void float_constant(struct translator *t, LLVMTypeRef bits_type, LLVMTypeRef type, size_t size)
{
	uint64_t bits = 0;

	memcpy(&bits, t->at, size);
	t->at += size;
	wk_f_push(t, LLVMConstBitCast(LLVMConstInt(bits_type, bits, false), type));
}

/* ---- by instruction ---- */

static bool integer_instruction(struct translator *t, uint32_t op)
{
	static const LLVMIntPredicate comparisons[] = { LLVMIntEQ, LLVMIntNE, LLVMIntSLT, LLVMIntULT, LLVMIntSGT, LLVMIntUGT,
		LLVMIntSLE, LLVMIntULE, LLVMIntSGE, LLVMIntUGE };

	if (op >= WK_OP_I32_EQ && op <= WK_OP_I32_GE_U) {
		compare(t, comparisons[op - WK_OP_I32_EQ]);
		return true;
	}
	if (op >= WK_OP_I64_EQ && op <= WK_OP_I64_GE_U) {
		compare(t, comparisons[op - WK_OP_I64_EQ]);
		return true;
	}
	switch (op) {
	case WK_OP_I32_CONST: wk_f_push(t, wk_c_number(t->c->i32, (uint32_t)wk_leb_trusted_signed(&t->at))); break;
	case WK_OP_I64_CONST: wk_f_push(t, wk_c_number(t->c->i64, (uint64_t)wk_leb_trusted_signed(&t->at))); break;
	case WK_OP_I32_EQZ: case WK_OP_I64_EQZ: is_zero(t); break;
	case WK_OP_I32_CLZ: case WK_OP_I64_CLZ: count_zeros(t, "llvm.ctlz"); break;
	case WK_OP_I32_CTZ: case WK_OP_I64_CTZ: count_zeros(t, "llvm.cttz"); break;
	case WK_OP_I32_POPCNT: case WK_OP_I64_POPCNT: unary(t, "llvm.ctpop"); break;
	case WK_OP_I32_ADD: case WK_OP_I64_ADD: binary(t, LLVMAdd); break;
	case WK_OP_I32_SUB: case WK_OP_I64_SUB: binary(t, LLVMSub); break;
	case WK_OP_I32_MUL: case WK_OP_I64_MUL: binary(t, LLVMMul); break;
	case WK_OP_I32_DIV_S: case WK_OP_I64_DIV_S: divide(t, LLVMSDiv); break;
	case WK_OP_I32_DIV_U: case WK_OP_I64_DIV_U: divide(t, LLVMUDiv); break;
	case WK_OP_I32_REM_S: case WK_OP_I64_REM_S: divide(t, LLVMSRem); break;
	case WK_OP_I32_REM_U: case WK_OP_I64_REM_U: divide(t, LLVMURem); break;
	case WK_OP_I32_AND: case WK_OP_I64_AND: binary(t, LLVMAnd); break;
	case WK_OP_I32_OR: case WK_OP_I64_OR: binary(t, LLVMOr); break;
	case WK_OP_I32_XOR: case WK_OP_I64_XOR: binary(t, LLVMXor); break;
	case WK_OP_I32_SHL: case WK_OP_I64_SHL: shift(t, LLVMShl); break;
	case WK_OP_I32_SHR_S: case WK_OP_I64_SHR_S: shift(t, LLVMAShr); break;
	case WK_OP_I32_SHR_U: case WK_OP_I64_SHR_U: shift(t, LLVMLShr); break;
	case WK_OP_I32_ROTL: case WK_OP_I64_ROTL: rotate(t, "llvm.fshl"); break;
	case WK_OP_I32_ROTR: case WK_OP_I64_ROTR: rotate(t, "llvm.fshr"); break;
	case WK_OP_I32_EXTEND8_S: case WK_OP_I64_EXTEND8_S: extend(t, t->c->i8); break;
	case WK_OP_I32_EXTEND16_S: case WK_OP_I64_EXTEND16_S: extend(t, t->c->i16); break;
	case WK_OP_I64_EXTEND32_S: extend(t, t->c->i32); break;
	case WK_OP_I32_WRAP_I64: convert(t, LLVMTrunc, t->c->i32); break;
	case WK_OP_I64_EXTEND_I32_S: convert(t, LLVMSExt, t->c->i64); break;
	case WK_OP_I64_EXTEND_I32_U: convert(t, LLVMZExt, t->c->i64); break;
	case WK_OP_I64_ADD128: wide_sum(t, LLVMAdd); break;
	case WK_OP_I64_SUB128: wide_sum(t, LLVMSub); break;
	case WK_OP_I64_MUL_WIDE_S: wide_product(t, LLVMSExt); break;
	case WK_OP_I64_MUL_WIDE_U: wide_product(t, LLVMZExt); break;
	default: return false;
	}
	return true;
}

static bool float_instruction(struct translator *t, uint32_t op)
{
	static const LLVMRealPredicate comparisons[] = { LLVMRealOEQ, LLVMRealUNE, LLVMRealOLT, LLVMRealOGT, LLVMRealOLE,
		LLVMRealOGE };

	if (op >= WK_OP_F32_EQ && op <= WK_OP_F64_GE) {
		compare_floats(t, comparisons[(op - WK_OP_F32_EQ) % 6]);
		return true;
	}
	switch (op) {
	case WK_OP_F32_CONST: float_constant(t, t->c->i32, t->c->f32, 4); break;
	case WK_OP_F64_CONST: float_constant(t, t->c->i64, t->c->f64, 8); break;
	case WK_OP_F32_ABS: case WK_OP_F64_ABS: unary(t, "llvm.fabs"); break;
	case WK_OP_F32_NEG: case WK_OP_F64_NEG: wk_f_push(t, LLVMBuildFNeg(t->b, wk_f_pop(t), "")); break;
	case WK_OP_F32_CEIL: case WK_OP_F64_CEIL: unary(t, "llvm.ceil"); break;
	case WK_OP_F32_FLOOR: case WK_OP_F64_FLOOR: unary(t, "llvm.floor"); break;
	case WK_OP_F32_TRUNC: case WK_OP_F64_TRUNC: unary(t, "llvm.trunc"); break;
	case WK_OP_F32_NEAREST: case WK_OP_F64_NEAREST: unary(t, "llvm.roundeven"); break;
	case WK_OP_F32_SQRT: case WK_OP_F64_SQRT: unary(t, "llvm.sqrt"); break;
	case WK_OP_F32_ADD: case WK_OP_F64_ADD: float_binary(t, LLVMFAdd); break;
	case WK_OP_F32_SUB: case WK_OP_F64_SUB: float_binary(t, LLVMFSub); break;
	case WK_OP_F32_MUL: case WK_OP_F64_MUL: float_binary(t, LLVMFMul); break;
	case WK_OP_F32_DIV: case WK_OP_F64_DIV: float_binary(t, LLVMFDiv); break;
	case WK_OP_F32_MIN: case WK_OP_F64_MIN: extreme(t, false); break;
	case WK_OP_F32_MAX: case WK_OP_F64_MAX: extreme(t, true); break;
	case WK_OP_F32_COPYSIGN: case WK_OP_F64_COPYSIGN: copy_sign(t); break;
	case WK_OP_F32_DEMOTE_F64: demote(t); break;
	case WK_OP_F64_PROMOTE_F32: wk_f_push(t, LLVMBuildFPExt(t->b, wk_f_hide(t, wk_f_pop(t)), t->c->f64, "")); break;
	default: return false;
	}
	return true;
}

static bool conversion(struct translator *t, uint32_t op)
{
	LLVMTypeRef i32 = t->c->i32, i64 = t->c->i64;

	switch (op) {
	case WK_OP_I32_TRUNC_F32_S: truncate(t, i32, true, -2147483904.0, 2147483648.0); break;
	case WK_OP_I32_TRUNC_F32_U: truncate(t, i32, false, -1, 4294967296.0); break;
	case WK_OP_I32_TRUNC_F64_S: truncate(t, i32, true, -2147483649.0, 2147483648.0); break;
	case WK_OP_I32_TRUNC_F64_U: truncate(t, i32, false, -1, 4294967296.0); break;
	case WK_OP_I64_TRUNC_F32_S: truncate(t, i64, true, -9223373136366403584.0, 9223372036854775808.0); break;
	case WK_OP_I64_TRUNC_F32_U: truncate(t, i64, false, -1, 18446744073709551616.0); break;
	case WK_OP_I64_TRUNC_F64_S: truncate(t, i64, true, -9223372036854777856.0, 9223372036854775808.0); break;
	case WK_OP_I64_TRUNC_F64_U: truncate(t, i64, false, -1, 18446744073709551616.0); break;
	case WK_OP_I32_TRUNC_SAT_F32_S: case WK_OP_I32_TRUNC_SAT_F64_S: saturate(t, i32, "llvm.fptosi.sat"); break;
	case WK_OP_I32_TRUNC_SAT_F32_U: case WK_OP_I32_TRUNC_SAT_F64_U: saturate(t, i32, "llvm.fptoui.sat"); break;
	case WK_OP_I64_TRUNC_SAT_F32_S: case WK_OP_I64_TRUNC_SAT_F64_S: saturate(t, i64, "llvm.fptosi.sat"); break;
	case WK_OP_I64_TRUNC_SAT_F32_U: case WK_OP_I64_TRUNC_SAT_F64_U: saturate(t, i64, "llvm.fptoui.sat"); break;
	case WK_OP_F32_CONVERT_I32_S: case WK_OP_F32_CONVERT_I64_S: convert(t, LLVMSIToFP, t->c->f32); break;
	case WK_OP_F32_CONVERT_I32_U: case WK_OP_F32_CONVERT_I64_U: convert(t, LLVMUIToFP, t->c->f32); break;
	case WK_OP_F64_CONVERT_I32_S: case WK_OP_F64_CONVERT_I64_S: convert(t, LLVMSIToFP, t->c->f64); break;
	case WK_OP_F64_CONVERT_I32_U: case WK_OP_F64_CONVERT_I64_U: convert(t, LLVMUIToFP, t->c->f64); break;
	case WK_OP_I32_REINTERPRET_F32: convert(t, LLVMBitCast, i32); break;
	case WK_OP_I64_REINTERPRET_F64: convert(t, LLVMBitCast, i64); break;
	case WK_OP_F32_REINTERPRET_I32: convert(t, LLVMBitCast, t->c->f32); break;
	case WK_OP_F64_REINTERPRET_I64: convert(t, LLVMBitCast, t->c->f64); break;
	default: return false;
	}
	return true;
}

bool wk_f_numeric(struct translator *t, uint32_t op)
{
	return integer_instruction(t, op) || float_instruction(t, op) || conversion(t, op);
}
