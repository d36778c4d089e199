/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector instructions whose lanes become wider or narrower, or do so on the way: extensions, products, sums of
 * neighbours, conversions.
 *
 * Where LLVM has no exact form, or would work lane by lane, the machine's instruction is called by its intrinsic: SSSE3
 * and SSE4.1 belong to x86-64-v2. What x86-64 has no instruction for is put together as in interp/simd.h.
 */
#include "compiler/vector.h"

static LLVMValueRef cast(struct translator *t, bool is_signed, LLVMValueRef v, LLVMTypeRef element)
{
	LLVMTypeRef type = LLVMVectorType(element, LLVMGetVectorSize(LLVMTypeOf(v)));

	return LLVMBuildCast(t->b, is_signed ? LLVMSExt : LLVMZExt, v, type, "");
}

static LLVMTypeRef half_as_wide(struct translator *t, LLVMTypeRef element)
{
	return element == t->c->i64 ? t->c->i32 : element == t->c->i32 ? t->c->i16 : t->c->i8;
}

static LLVMTypeRef twice_as_wide(struct translator *t, LLVMTypeRef element)
{
	return element == t->c->i8 ? t->c->i16 : element == t->c->i16 ? t->c->i32 : t->c->i64;
}

static LLVMValueRef call_two(struct translator *t, const char *name, LLVMTypeRef type, LLVMValueRef a, LLVMValueRef b)
{
	return wk_f_intrinsic(t, name, type, (LLVMValueRef[]){ a, b }, 2);
}

static LLVMValueRef splat_number(LLVMValueRef like, uint64_t number)
{
	return wk_v_number(LLVMTypeOf(like), number);
}

/* ---- wider: the instruction's name begins with the result's shape ---- */

enum half { LOW, HIGH };

static LLVMValueRef half(struct translator *t, uint32_t op, enum half which, bool is_signed)
{
	LLVMTypeRef to = LLVMGetElementType(wk_v_shape(t, op)), from = wk_v_lanes(t, half_as_wide(t, to));
	unsigned count = LLVMGetVectorSize(from) / 2;
	LLVMValueRef a = wk_v_pop(t, from);

	return cast(t, is_signed, wk_v_pick(t, a, a, which == HIGH ? count : 0, 1, count), to);
}

static void extend(struct translator *t, uint32_t op, enum half which, bool is_signed)
{
	wk_v_push(t, half(t, op, which, is_signed));
}

static void multiply_extended(struct translator *t, uint32_t op, enum half which, bool is_signed)
{
	LLVMValueRef b = half(t, op, which, is_signed), a = half(t, op, which, is_signed);

	wk_v_push(t, LLVMBuildMul(t->b, a, b, ""));
}

/* In each wide lane, the upper and the lower half, extended. */
static LLVMValueRef upper(struct translator *t, LLVMValueRef wide, bool is_signed)
{
	LLVMValueRef bits = splat_number(wide, LLVMGetIntTypeWidth(LLVMGetElementType(LLVMTypeOf(wide))) / 2);

	return LLVMBuildBinOp(t->b, is_signed ? LLVMAShr : LLVMLShr, wide, bits, "");
}

static LLVMValueRef lower(struct translator *t, LLVMValueRef wide, bool is_signed)
{
	LLVMValueRef bits = splat_number(wide, LLVMGetIntTypeWidth(LLVMGetElementType(LLVMTypeOf(wide))) / 2);

	return upper(t, LLVMBuildShl(t->b, wide, bits, ""), is_signed);
}

static LLVMValueRef add_pairs(struct translator *t, LLVMValueRef wide, bool is_signed)
{
	return LLVMBuildAdd(t->b, upper(t, wide, is_signed), lower(t, wide, is_signed), "");
}

static void add_pairwise(struct translator *t, uint32_t op, bool is_signed)
{
	wk_v_push(t, add_pairs(t, wk_v_pop(t, wk_v_shape(t, op)), is_signed));
}

/* ---- products of neighbours ---- */

static void dot(struct translator *t)
{
	LLVMTypeRef i16x8 = wk_v_lanes(t, t->c->i16), i32 = t->c->i32;
	LLVMValueRef b = wk_v_pop(t, i16x8), a = wk_v_pop(t, i16x8), sums[2];

	if (t->c->x86) {
		wk_v_push(t, call_two(t, "llvm.x86.sse2.pmadd.wd", NULL, a, b));
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		sums[i] = LLVMBuildMul(t->b, cast(t, true, wk_v_pick(t, a, a, i, 2, 4), i32),
			cast(t, true, wk_v_pick(t, b, b, i, 2, 4), i32), "");
	wk_v_push(t, LLVMBuildAdd(t->b, sums[0], sums[1], ""));
}

/* The sum saturates: two products of (-128)^2 do not fit. */
static LLVMValueRef relaxed_dot(struct translator *t, LLVMValueRef a, LLVMValueRef b)
{
	return call_two(t, "llvm.sadd.sat", LLVMTypeOf(a),
		LLVMBuildMul(t->b, upper(t, a, true), upper(t, b, true), ""),
		LLVMBuildMul(t->b, lower(t, a, true), lower(t, b, true), ""));
}

static void relaxed_dots(struct translator *t, bool add)
{
	LLVMTypeRef i16x8 = wk_v_lanes(t, t->c->i16), i32x4 = wk_v_lanes(t, t->c->i32);
	LLVMValueRef c = add ? wk_v_pop(t, i32x4) : NULL, b = wk_v_pop(t, i16x8), a = wk_v_pop(t, i16x8);
	LLVMValueRef v = relaxed_dot(t, a, b);

	if (add)
		v = LLVMBuildAdd(t->b, add_pairs(t, wk_v_as(t, v, i32x4), true), c, "");
	wk_v_push(t, v);
}

/* pmulhrsw does not saturate: of all products only (-2^15)^2 gives -2^15, which becomes 2^15 - 1. */
static void q15_multiply(struct translator *t)
{
	LLVMTypeRef i16x8 = wk_v_lanes(t, t->c->i16);
	LLVMValueRef b = wk_v_pop(t, i16x8), a = wk_v_pop(t, i16x8), r, wrong;

	if (!t->c->x86) {
		wk_v_push(t, call_two(t, "llvm.aarch64.neon.sqrdmulh", i16x8, a, b));
		return;
	}
	r = call_two(t, "llvm.x86.ssse3.pmul.hr.sw.128", NULL, a, b);
	wrong = LLVMBuildICmp(t->b, LLVMIntEQ, r, splat_number(r, 0x8000), "");
	wk_v_push(t, LLVMBuildXor(t->b, r, wk_v_mask(t, wrong, i16x8), ""));
}

/* (a + b + 1) / 2 */
static void average(struct translator *t, uint32_t op)
{
	LLVMTypeRef type = wk_v_shape(t, op), wide = twice_as_wide(t, LLVMGetElementType(type));
	LLVMValueRef b = cast(t, false, wk_v_pop(t, type), wide), a = cast(t, false, wk_v_pop(t, type), wide), sum;

	sum = LLVMBuildAdd(t->b, LLVMBuildAdd(t->b, a, b, ""), splat_number(a, 1), "");
	wk_v_push(t, LLVMBuildTrunc(t->b, LLVMBuildLShr(t->b, sum, splat_number(sum, 1), ""), type, ""));
}

/* ---- narrower ---- */

/* Saturates signed lanes of a, then b, to half their width. */
static void narrow(struct translator *t, uint32_t op, const char *x86, bool is_signed)
{
	LLVMTypeRef to = wk_v_shape(t, op), from = wk_v_lanes(t, twice_as_wide(t, LLVMGetElementType(to)));
	unsigned bits = LLVMGetIntTypeWidth(LLVMGetElementType(to)) - (is_signed ? 1 : 0);
	LLVMValueRef b = wk_v_pop(t, from), a = wk_v_pop(t, from), both, greatest;

	if (t->c->x86) {
		wk_v_push(t, call_two(t, x86, NULL, a, b));
		return;
	}
	both = wk_v_pick(t, a, b, 0, 1, LLVMGetVectorSize(to));
	greatest = splat_number(both, (UINT64_C(1) << bits) - 1);
	both = call_two(t, "llvm.smin", LLVMTypeOf(both), both, greatest);
	both = call_two(t, "llvm.smax", LLVMTypeOf(both), both, is_signed ? LLVMConstNot(greatest) :
		LLVMConstNull(LLVMTypeOf(both)));
	wk_v_push(t, LLVMBuildTrunc(t->b, both, to, ""));
}

/* ---- from floats ---- */

static LLVMValueRef clear_nan(struct translator *t, LLVMValueRef a)
{
	return LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, LLVMRealORD, a, a, ""), a, LLVMConstNull(LLVMTypeOf(a)), "");
}

/* maxpd: b where a is NaN. minpd alike. */
static LLVMValueRef better(struct translator *t, LLVMRealPredicate predicate, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildSelect(t->b, LLVMBuildFCmp(t->b, predicate, a, b, ""), a, b, "");
}

/* Unsigned: what is 2^31 or more has given 0x80000000, and bits 0 to 30 come from x - 2^31. */
static LLVMValueRef truncate_unsigned(struct translator *t, const char *instruction, LLVMValueRef x)
{
	LLVMValueRef less = LLVMBuildFSub(t->b, x, wk_v_real(LLVMTypeOf(x), 2147483648.0), "");
	LLVMValueRef low = wk_f_intrinsic(t, instruction, NULL, &x, 1), high = wk_f_intrinsic(t, instruction, NULL, &less, 1);
	LLVMValueRef large = LLVMBuildAShr(t->b, low, splat_number(low, 31), "");

	return LLVMBuildOr(t->b, low, LLVMBuildAnd(t->b, high, large, ""), "");
}

/* The machine's conversion gives 0x80000000 for all that does not fit: right for what is too small. NaN is made 0
 * before, and what is too large inverted after. */
static LLVMValueRef truncate_f32_x86(struct translator *t, LLVMValueRef a, bool is_signed)
{
	LLVMTypeRef i32x4 = wk_v_lanes(t, t->c->i32);
	LLVMValueRef x = is_signed ? clear_nan(t, a) : better(t, LLVMRealOGT, a, LLVMConstNull(LLVMTypeOf(a)));
	LLVMValueRef limit = wk_v_real(LLVMTypeOf(a), is_signed ? 2147483648.0 : 4294967296.0);
	LLVMValueRef large = wk_v_mask(t, LLVMBuildFCmp(t->b, LLVMRealOGE, x, limit, ""), i32x4);

	if (is_signed)
		return LLVMBuildXor(t->b, wk_f_intrinsic(t, "llvm.x86.sse2.cvttps2dq", NULL, &x, 1), large, "");
	return LLVMBuildOr(t->b, truncate_unsigned(t, "llvm.x86.sse2.cvttps2dq", x), large, "");
}

/* From double the largest results are numbers themselves, so operands are limited before. Lanes 2 and 3 become 0. */
static LLVMValueRef truncate_f64_x86(struct translator *t, LLVMValueRef a, bool is_signed)
{
	LLVMValueRef limit = wk_v_real(LLVMTypeOf(a), is_signed ? 2147483647.0 : 4294967295.0), x;

	x = is_signed ? clear_nan(t, a) : better(t, LLVMRealOGT, a, LLVMConstNull(LLVMTypeOf(a)));
	x = better(t, LLVMRealOLT, x, limit);
	if (is_signed)
		return wk_f_intrinsic(t, "llvm.x86.sse2.cvttpd2dq", NULL, &x, 1);
	return truncate_unsigned(t, "llvm.x86.sse2.cvttpd2dq", x);
}

/* Two lanes, and zeros behind them. */
static LLVMValueRef fill_up(struct translator *t, LLVMValueRef two)
{
	return wk_v_pick(t, two, LLVMConstNull(LLVMTypeOf(two)), 0, 1, 4);
}

static void truncate(struct translator *t, LLVMTypeRef from, bool is_signed)
{
	LLVMValueRef a = wk_v_pop(t, wk_v_lanes(t, from)), v;

	if (t->c->x86) {
		v = from == t->c->f32 ? truncate_f32_x86(t, a, is_signed) : truncate_f64_x86(t, a, is_signed);
	} else {
		LLVMTypeRef types[2] = { LLVMVectorType(t->c->i32, from == t->c->f32 ? 4 : 2), LLVMTypeOf(a) };

		v = wk_f_intrinsic_of(t, is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat", types, 2, &a, 1);
		v = from == t->c->f32 ? v : fill_up(t, v);
	}
	wk_v_push(t, v);
}

/* ---- between floats, and from integers ---- */

static void convert(struct translator *t, LLVMOpcode code, LLVMTypeRef to)
{
	LLVMValueRef a = wk_v_pop(t, wk_v_lanes(t, t->c->i32));

	if (to == t->c->f64)
		a = wk_v_pick(t, a, a, 0, 1, 2);
	wk_v_push(t, LLVMBuildCast(t->b, code, a, wk_v_lanes(t, to), ""));
}

/* A demotion of a promotion would be left out, and a signaling NaN with it (numeric.c). */
static void demote(struct translator *t)
{
	LLVMTypeRef f64x2 = wk_v_lanes(t, t->c->f64);
	LLVMValueRef a = wk_v_pop(t, f64x2);

	a = wk_f_intrinsic(t, "llvm.arithmetic.fence", f64x2, &a, 1);
	wk_v_push(t, fill_up(t, LLVMBuildFPTrunc(t->b, a, LLVMVectorType(t->c->f32, 2), "")));
}

static void promote(struct translator *t)
{
	LLVMValueRef a = wk_v_pop(t, wk_v_lanes(t, t->c->f32));

	wk_v_push(t, LLVMBuildFPExt(t->b, wk_v_pick(t, a, a, 0, 1, 2), wk_v_lanes(t, t->c->f64), ""));
}

/* ---- by instruction ---- */

/* All six or twelve instructions of a kind stand in the same order: low or high, signed or not. */
#define HALVES(kind, from, to, function) \
	case WK_OP_##to##_##kind##_LOW_##from##_S: function(t, op, LOW, true); break; \
	case WK_OP_##to##_##kind##_HIGH_##from##_S: function(t, op, HIGH, true); break; \
	case WK_OP_##to##_##kind##_LOW_##from##_U: function(t, op, LOW, false); break; \
	case WK_OP_##to##_##kind##_HIGH_##from##_U: function(t, op, HIGH, false); break;

static bool width_instruction(struct translator *t, uint32_t op)
{
	switch (op) {
	HALVES(EXTEND, I8X16, I16X8, extend)
	HALVES(EXTEND, I16X8, I32X4, extend)
	HALVES(EXTEND, I32X4, I64X2, extend)
	HALVES(EXTMUL, I8X16, I16X8, multiply_extended)
	HALVES(EXTMUL, I16X8, I32X4, multiply_extended)
	HALVES(EXTMUL, I32X4, I64X2, multiply_extended)
	case WK_OP_I16X8_EXTADD_PAIRWISE_I8X16_S: case WK_OP_I32X4_EXTADD_PAIRWISE_I16X8_S: add_pairwise(t, op, true); break;
	case WK_OP_I16X8_EXTADD_PAIRWISE_I8X16_U: case WK_OP_I32X4_EXTADD_PAIRWISE_I16X8_U: add_pairwise(t, op, false); break;
	case WK_OP_I8X16_NARROW_I16X8_S: narrow(t, op, "llvm.x86.sse2.packsswb.128", true); break;
	case WK_OP_I8X16_NARROW_I16X8_U: narrow(t, op, "llvm.x86.sse2.packuswb.128", false); break;
	case WK_OP_I16X8_NARROW_I32X4_S: narrow(t, op, "llvm.x86.sse2.packssdw.128", true); break;
	case WK_OP_I16X8_NARROW_I32X4_U: narrow(t, op, "llvm.x86.sse41.packusdw", false); break;
	case WK_OP_I8X16_AVGR_U: case WK_OP_I16X8_AVGR_U: average(t, op); break;
	case WK_OP_I32X4_DOT_I16X8_S: dot(t); break;
	case WK_OP_I16X8_Q15MULR_SAT_S: case WK_OP_I16X8_RELAXED_Q15MULR_S: q15_multiply(t); break;
	case WK_OP_I16X8_RELAXED_DOT_I8X16_I7X16_S: relaxed_dots(t, false); break;
	case WK_OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S: relaxed_dots(t, true); break;
	default: return false;
	}
	return true;
}

static bool conversion(struct translator *t, uint32_t op)
{
	LLVMTypeRef f32 = t->c->f32, f64 = t->c->f64;

	switch (op) {
	case WK_OP_I32X4_TRUNC_SAT_F32X4_S: case WK_OP_I32X4_RELAXED_TRUNC_F32X4_S: truncate(t, f32, true); break;
	case WK_OP_I32X4_TRUNC_SAT_F32X4_U: case WK_OP_I32X4_RELAXED_TRUNC_F32X4_U: truncate(t, f32, false); break;
	case WK_OP_I32X4_TRUNC_SAT_F64X2_S_ZERO: case WK_OP_I32X4_RELAXED_TRUNC_F64X2_S_ZERO: truncate(t, f64, true); break;
	case WK_OP_I32X4_TRUNC_SAT_F64X2_U_ZERO: case WK_OP_I32X4_RELAXED_TRUNC_F64X2_U_ZERO: truncate(t, f64, false); break;
	case WK_OP_F32X4_CONVERT_I32X4_S: convert(t, LLVMSIToFP, f32); break;
	case WK_OP_F32X4_CONVERT_I32X4_U: convert(t, LLVMUIToFP, f32); break;
	case WK_OP_F64X2_CONVERT_LOW_I32X4_S: convert(t, LLVMSIToFP, f64); break;
	case WK_OP_F64X2_CONVERT_LOW_I32X4_U: convert(t, LLVMUIToFP, f64); break;
	case WK_OP_F32X4_DEMOTE_F64X2_ZERO: demote(t); break;
	case WK_OP_F64X2_PROMOTE_LOW_F32X4: promote(t); break;
	default: return false;
	}
	return true;
}

bool wk_v_wide(struct translator *t, uint32_t op)
{
	return width_instruction(t, op) || conversion(t, op);
}
