/* SPDX-License-Identifier: Apache-2.0
 *
 * What each instruction does: one inline function x_NAME a form, expanded from families; the semantics of a WebAssembly
 * operation is written once (here as an expression, or in numeric.h and simd.h). The dispatch loop wraps them, alone or
 * fused in pairs.
 *
 * A body reads its operands at `w`, changes the registers in `r`, and returns
 *	NEXT  go on behind the operands
 *	JUMP  r->ip was set
 *	LEAVE the loop ends; r->x->ended says why
 *	SLOW  go on with r->slow at r->at: bodies that call out would cost every handler its registers
 *	a trap: TRAP(code) notes where
 * In a fused pair the first body never jumps.
 */
#ifndef WK_INTERP_BODIES_H
#define WK_INTERP_BODIES_H

#include "interp/code.h"
#include "interp/numeric.h"
#include "interp/slow.h"

#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define BODY(name) INLINE int x_##name(struct wk_regs *r, const wk_unit *w)
#define S(i) (r->fp[w[i]])
#define SF32(i) (*(const any_f32 *)&r->fp[w[i]])
#define SF64(i) (*(const any_f64 *)&r->fp[w[i]])
#define IMM(i) ((int64_t)(int16_t)w[i])
#define TRAP(code) do { r->at = w; return (int)(code) + FIRST_TRAP; } while (0)
#define GO_SLOWLY(entry) do { r->slow = &(entry); r->at = w; return SLOW; } while (0)
/* An instruction that is slow as a whole. */
#define SLOW_BODY(name) \
	static int slow_##name(struct wk_regs *r, const wk_unit *w); \
	static const struct wk_slow slow_entry_##name = { slow_##name, WK_U_##name }; \
	BODY(name) { GO_SLOWLY(slow_entry_##name); } \
	static int slow_##name(struct wk_regs *r, const wk_unit *w)
#define SET(value) (r->acc = (uint64_t)(value))

INLINE uint32_t word(const wk_unit *w)
{
	uint32_t value;
	__builtin_memcpy(&value, w, sizeof value);
	return value;
}

INLINE uint64_t dword(const wk_unit *w)
{
	uint64_t value;
	__builtin_memcpy(&value, w, sizeof value);
	return value;
}

/* Floats in slots and in memory have types of their own that may alias and lie anywhere: with memcpy gcc moves them
 * through integer registers. */
typedef float any_f32 __attribute__((may_alias, aligned(1)));
typedef double any_f64 __attribute__((may_alias, aligned(1)));

INLINE void put_f64(uint64_t *slot, double value)
{
	*(any_f64 *)slot = value;
}

INLINE void put_f32(uint64_t *slot, float value)
{
	*(any_f32 *)slot = value;
}

/* ---- integers ---- */

#define INT8(name, type, CHECK, expression) \
	BODY(name##_dss) { type a = (type)S(1), b = (type)S(2); CHECK S(0) = SET(expression); return NEXT; } \
	BODY(name##_nss) { type a = (type)S(0), b = (type)S(1); CHECK SET(expression); return NEXT; } \
	BODY(name##_das) { type a = (type)r->acc, b = (type)S(1); CHECK S(0) = SET(expression); return NEXT; } \
	BODY(name##_nas) { type a = (type)r->acc, b = (type)S(0); CHECK SET(expression); return NEXT; } \
	BODY(name##_dsi) { type a = (type)S(1), b = (type)IMM(2); CHECK S(0) = SET(expression); return NEXT; } \
	BODY(name##_nsi) { type a = (type)S(0), b = (type)IMM(1); CHECK SET(expression); return NEXT; } \
	BODY(name##_dai) { type a = (type)r->acc, b = (type)IMM(1); CHECK S(0) = SET(expression); return NEXT; } \
	BODY(name##_nai) { type a = (type)r->acc, b = (type)IMM(0); CHECK SET(expression); return NEXT; }
#define INT_SA(name, type, CHECK, expression) \
	BODY(name##_dsa) { type a = (type)S(1), b = (type)r->acc; CHECK S(0) = SET(expression); return NEXT; } \
	BODY(name##_nsa) { type a = (type)S(0), b = (type)r->acc; CHECK SET(expression); return NEXT; }
#define INT10(name, type, CHECK, expression) \
	INT8(name, type, CHECK, expression) INT_SA(name, type, CHECK, expression)
#define NO_CHECK

INT8(add, uint64_t, NO_CHECK, a + b)
INT8(mul, uint64_t, NO_CHECK, a * b)
INT8(and, uint64_t, NO_CHECK, a & b)
INT8(or, uint64_t, NO_CHECK, a | b)
INT8(xor, uint64_t, NO_CHECK, a ^ b)
BODY(sub_dss) { S(0) = SET(S(1) - S(2)); return NEXT; }
BODY(sub_nss) { SET(S(0) - S(1)); return NEXT; }
BODY(sub_das) { S(0) = SET(r->acc - S(1)); return NEXT; }
BODY(sub_nas) { SET(r->acc - S(0)); return NEXT; }
INT_SA(sub, uint64_t, NO_CHECK, a - b)

INT10(shl32, uint32_t, NO_CHECK, a << (b & 31))
INT10(shr_s32, int32_t, NO_CHECK, (uint32_t)(a >> (b & 31)))
INT10(shr_u32, uint32_t, NO_CHECK, a >> (b & 31))
INT10(rotl32, uint32_t, NO_CHECK, wk_i32_rotl(a, b))
INT10(rotr32, uint32_t, NO_CHECK, wk_i32_rotr(a, b))
INT10(shl64, uint64_t, NO_CHECK, a << (b & 63))
INT10(shr_s64, int64_t, NO_CHECK, a >> (b & 63))
INT10(shr_u64, uint64_t, NO_CHECK, a >> (b & 63))
INT10(rotl64, uint64_t, NO_CHECK, wk_i64_rotl(a, b))
INT10(rotr64, uint64_t, NO_CHECK, wk_i64_rotr(a, b))

#define CHECK_ZERO if (UNLIKELY(b == 0)) TRAP(WK_TRAP_DIVIDE_BY_ZERO);
#define CHECK_DIVIDE(least) CHECK_ZERO if (UNLIKELY(b == -1 && a == (least))) TRAP(WK_TRAP_INTEGER_OVERFLOW);
INT10(div_s32, int32_t, CHECK_DIVIDE(INT32_MIN), (uint32_t)(a / b))
INT10(div_u32, uint32_t, CHECK_ZERO, a / b)
INT10(rem_s32, int32_t, CHECK_ZERO, b == -1 ? 0 : (uint32_t)(a % b))
INT10(rem_u32, uint32_t, CHECK_ZERO, a % b)
INT10(div_s64, int64_t, CHECK_DIVIDE(INT64_MIN), a / b)
INT10(div_u64, uint64_t, CHECK_ZERO, a / b)
INT10(rem_s64, int64_t, CHECK_ZERO, b == -1 ? 0 : a % b)
INT10(rem_u64, uint64_t, CHECK_ZERO, a % b)

#define POLL_INTERRUPT \
	if (UNLIKELY(wk_exec_interrupted(r->x))) \
		TRAP(WK_TRAP_INTERRUPTED);
#define BRANCH_IF(condition, target) \
	if (condition) { \
		const wk_unit *to = (target); \
		POLL_INTERRUPT \
		r->ip = to + (int16_t)*to; \
		return JUMP; \
	} \
	return NEXT;

#define COMPARE(name, type, operator) \
	INT8(name, type, NO_CHECK, a operator b) \
	BODY(br_##name##_ss) { type a = (type)S(0), b = (type)S(1); BRANCH_IF(a operator b, w + 2) } \
	BODY(br_##name##_as) { type a = (type)r->acc, b = (type)S(0); BRANCH_IF(a operator b, w + 1) } \
	BODY(br_##name##_si) { type a = (type)S(0), b = (type)IMM(1); BRANCH_IF(a operator b, w + 2) } \
	BODY(br_##name##_ai) { type a = (type)r->acc, b = (type)IMM(0); BRANCH_IF(a operator b, w + 1) }
#define COMPARE_ALL(t) \
	COMPARE(eq##t, uint##t##_t, ==) COMPARE(ne##t, uint##t##_t, !=) \
	COMPARE(lt_s##t, int##t##_t, <) COMPARE(ge_s##t, int##t##_t, >=) \
	COMPARE(lt_u##t, uint##t##_t, <) COMPARE(ge_u##t, uint##t##_t, >=) \
	COMPARE(gt_s##t, int##t##_t, >) COMPARE(le_s##t, int##t##_t, <=) \
	COMPARE(gt_u##t, uint##t##_t, >) COMPARE(le_u##t, uint##t##_t, <=)
COMPARE_ALL(32)
COMPARE_ALL(64)

/* Integer to integer. */
#define UNARY(name, type, expression) \
	BODY(name##_ds) { type a = (type)S(1); S(0) = SET(expression); return NEXT; } \
	BODY(name##_ns) { type a = (type)S(0); SET(expression); return NEXT; } \
	BODY(name##_da) { type a = (type)r->acc; S(0) = SET(expression); return NEXT; } \
	BODY(name##_na) { (void)w; type a = (type)r->acc; SET(expression); return NEXT; }
UNARY(clz32, uint32_t, wk_i32_clz(a))
UNARY(ctz32, uint32_t, wk_i32_ctz(a))
UNARY(popcnt32, uint32_t, wk_i32_popcnt(a))
UNARY(clz64, uint64_t, wk_i64_clz(a))
UNARY(ctz64, uint64_t, wk_i64_ctz(a))
UNARY(popcnt64, uint64_t, wk_i64_popcnt(a))
UNARY(extend8_s32, int8_t, (uint32_t)(int32_t)a)
UNARY(extend16_s32, int16_t, (uint32_t)(int32_t)a)
UNARY(extend8_s64, int8_t, (int64_t)a)
UNARY(extend16_s64, int16_t, (int64_t)a)
UNARY(extend32_s64, int32_t, (int64_t)a)
UNARY(extend32_u64, uint32_t, a)

/* ---- floats ---- */

#define FLOAT4C(name, T, G, P, type, expression) \
	BODY(name##_dss) { type a = G(1), b = G(2); r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_nss) { type a = G(0), b = G(1); r->T = (expression); return NEXT; } \
	BODY(name##_das) { type a = r->T, b = G(1); r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_nas) { type a = r->T, b = G(0); r->T = (expression); return NEXT; }
#define FLOAT6(name, T, G, P, type, expression) \
	FLOAT4C(name, T, G, P, type, expression) \
	BODY(name##_dsa) { type a = G(1), b = r->T; r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_nsa) { type a = G(0), b = r->T; r->T = (expression); return NEXT; }
#define FLOAT_COMPARE(name, T, G, type, expression) \
	BODY(name##_dss) { type a = G(1), b = G(2); S(0) = SET(expression); return NEXT; } \
	BODY(name##_nss) { type a = G(0), b = G(1); SET(expression); return NEXT; } \
	BODY(name##_das) { type a = r->T, b = G(1); S(0) = SET(expression); return NEXT; } \
	BODY(name##_nas) { type a = r->T, b = G(0); SET(expression); return NEXT; }
#define FLOAT_BRANCH(name, T, G, type, expression) \
	BODY(br_##name##_ss) { type a = G(0), b = G(1); BRANCH_IF(expression, w + 2) } \
	BODY(br_##name##_as) { type a = r->T, b = G(0); BRANCH_IF(expression, w + 1) }
#define FLOAT_UNARY(name, T, G, P, type, expression) \
	BODY(name##_ds) { type a = G(1); r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_ns) { type a = G(0); r->T = (expression); return NEXT; } \
	BODY(name##_da) { type a = r->T; r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_na) { (void)w; type a = r->T; r->T = (expression); return NEXT; }
#define FLOAT_ALL(T, G, P, type) \
	FLOAT4C(add##T, T, G, P, type, a + b) \
	FLOAT4C(mul##T, T, G, P, type, a * b) \
	FLOAT6(sub##T, T, G, P, type, a - b) \
	FLOAT6(div##T, T, G, P, type, a / b) \
	FLOAT6(min##T, T, G, P, type, wk_##T##_min(a, b)) \
	FLOAT6(max##T, T, G, P, type, wk_##T##_max(a, b)) \
	FLOAT6(copysign##T, T, G, P, type, wk_##T##_copysign(a, b)) \
	FLOAT_COMPARE(eq##T, T, G, type, a == b) FLOAT_COMPARE(ne##T, T, G, type, a != b) \
	FLOAT_COMPARE(lt##T, T, G, type, a < b) FLOAT_COMPARE(gt##T, T, G, type, a > b) \
	FLOAT_COMPARE(le##T, T, G, type, a <= b) FLOAT_COMPARE(ge##T, T, G, type, a >= b) \
	FLOAT_BRANCH(eq##T, T, G, type, a == b) FLOAT_BRANCH(ne##T, T, G, type, a != b) \
	FLOAT_BRANCH(lt##T, T, G, type, a < b) FLOAT_BRANCH(gt##T, T, G, type, a > b) \
	FLOAT_BRANCH(le##T, T, G, type, a <= b) FLOAT_BRANCH(ge##T, T, G, type, a >= b) \
	FLOAT_BRANCH(nlt##T, T, G, type, !(a < b)) FLOAT_BRANCH(ngt##T, T, G, type, !(a > b)) \
	FLOAT_BRANCH(nle##T, T, G, type, !(a <= b)) FLOAT_BRANCH(nge##T, T, G, type, !(a >= b)) \
	FLOAT_UNARY(abs##T, T, G, P, type, wk_##T##_abs(a)) \
	FLOAT_UNARY(neg##T, T, G, P, type, wk_##T##_neg(a)) \
	FLOAT_UNARY(ceil##T, T, G, P, type, wk_##T##_ceil(a)) \
	FLOAT_UNARY(floor##T, T, G, P, type, wk_##T##_floor(a)) \
	FLOAT_UNARY(trunc##T, T, G, P, type, wk_##T##_trunc(a)) \
	FLOAT_UNARY(nearest##T, T, G, P, type, wk_##T##_nearest(a)) \
	FLOAT_UNARY(sqrt##T, T, G, P, type, wk_##T##_sqrt(a))
FLOAT_ALL(f32, SF32, put_f32, float)
FLOAT_ALL(f64, SF64, put_f64, double)

/* Float to integer; the trapping ones check first. */
#define TRUNC(name, T, G, type, out) \
	BODY(name##_ds) { out v = 0; int t = wk_##name(G(1), &v); if (UNLIKELY(t)) TRAP(t); S(0) = SET(v); return NEXT; } \
	BODY(name##_ns) { out v = 0; int t = wk_##name(G(0), &v); if (UNLIKELY(t)) TRAP(t); SET(v); return NEXT; } \
	BODY(name##_da) { out v = 0; int t = wk_##name(r->T, &v); if (UNLIKELY(t)) TRAP(t); S(0) = SET(v); return NEXT; } \
	BODY(name##_na) { out v = 0; int t = wk_##name(r->T, &v); if (UNLIKELY(t)) TRAP(t); SET(v); return NEXT; }
#define TO_INT(name, T, G, expression) \
	BODY(name##_ds) { S(0) = SET(expression(G(1))); return NEXT; } \
	BODY(name##_ns) { SET(expression(G(0))); return NEXT; } \
	BODY(name##_da) { S(0) = SET(expression(r->T)); return NEXT; } \
	BODY(name##_na) { (void)w; SET(expression(r->T)); return NEXT; }
#define TRUNC_ALL(i, out) \
	TRUNC(i##_trunc_f32_s, f32, SF32, float, out) TRUNC(i##_trunc_f32_u, f32, SF32, float, out) \
	TRUNC(i##_trunc_f64_s, f64, SF64, double, out) TRUNC(i##_trunc_f64_u, f64, SF64, double, out) \
	TO_INT(i##_trunc_sat_f32_s, f32, SF32, wk_##i##_trunc_sat_f32_s) TO_INT(i##_trunc_sat_f32_u, f32, SF32, wk_##i##_trunc_sat_f32_u) \
	TO_INT(i##_trunc_sat_f64_s, f64, SF64, wk_##i##_trunc_sat_f64_s) TO_INT(i##_trunc_sat_f64_u, f64, SF64, wk_##i##_trunc_sat_f64_u)
TRUNC_ALL(i32, uint32_t)
TRUNC_ALL(i64, uint64_t)

/* Integer to float, float to float. */
#define FROM_INT(name, T, P, type, expression) \
	BODY(name##_ds) { type a = (type)S(1); r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_ns) { type a = (type)S(0); r->T = (expression); return NEXT; } \
	BODY(name##_da) { type a = (type)r->acc; r->T = (expression); P(&S(0), r->T); return NEXT; } \
	BODY(name##_na) { (void)w; type a = (type)r->acc; r->T = (expression); return NEXT; }
FROM_INT(f32_convert_i32_s, f32, put_f32, int32_t, (float)a)
FROM_INT(f32_convert_i32_u, f32, put_f32, uint32_t, (float)a)
FROM_INT(f32_convert_i64_s, f32, put_f32, int64_t, (float)a)
FROM_INT(f32_convert_i64_u, f32, put_f32, uint64_t, (float)a)
FROM_INT(f64_convert_i32_s, f64, put_f64, int32_t, (double)a)
FROM_INT(f64_convert_i32_u, f64, put_f64, uint32_t, (double)a)
FROM_INT(f64_convert_i64_s, f64, put_f64, int64_t, (double)a)
FROM_INT(f64_convert_i64_u, f64, put_f64, uint64_t, (double)a)
BODY(f32_demote_ds) { r->f32 = (float)SF64(1); put_f32(&S(0), r->f32); return NEXT; }
BODY(f32_demote_ns) { r->f32 = (float)SF64(0); return NEXT; }
BODY(f32_demote_da) { r->f32 = (float)r->f64; put_f32(&S(0), r->f32); return NEXT; }
BODY(f32_demote_na) { (void)w; r->f32 = (float)r->f64; return NEXT; }
BODY(f64_promote_ds) { r->f64 = (double)SF32(1); put_f64(&S(0), r->f64); return NEXT; }
BODY(f64_promote_ns) { r->f64 = (double)SF32(0); return NEXT; }
BODY(f64_promote_da) { r->f64 = (double)r->f32; put_f64(&S(0), r->f64); return NEXT; }
BODY(f64_promote_na) { (void)w; r->f64 = (double)r->f32; return NEXT; }

/* ---- memory: a field holds offset + size, so one addition gives the end of the access ---- */

#define CHECKED_END(address, field, bytes, pointer) \
	uint64_t end = (address) + (field); \
	if (UNLIKELY(end > r->size)) TRAP(WK_TRAP_MEMORY_BOUNDS); \
	uint8_t *pointer = r->mem + end - (bytes);
#define CHECKED(address, field, bytes, pointer) CHECKED_END((uint64_t)(uint32_t)(address), w[field], bytes, pointer)
#define CHECKED_FAR(address, field, bytes, pointer) \
	CHECKED_END((uint64_t)(uint32_t)(address), word(w + (field)), bytes, pointer)
#define CHECKED_CONSTANT(field, bytes, pointer) CHECKED_END(UINT64_C(0), word(w + (field)), bytes, pointer)
#define LOAD_FORMS(name, type, PUT) \
	BODY(name##_ds) { CHECKED(S(1), 2, sizeof(type), p) PUT(type, p, &S(0)) } \
	BODY(name##_ns) { CHECKED(S(0), 1, sizeof(type), p) PUT##_N(type, p) } \
	BODY(name##_da) { CHECKED(r->acc, 1, sizeof(type), p) PUT(type, p, &S(0)) } \
	BODY(name##_na) { CHECKED(r->acc, 0, sizeof(type), p) PUT##_N(type, p) } \
	BODY(name##_dk) { CHECKED_CONSTANT(1, sizeof(type), p) PUT(type, p, &S(0)) } \
	BODY(name##_nk) { CHECKED_CONSTANT(0, sizeof(type), p) PUT##_N(type, p) } \
	BODY(name##_dp) { const uint8_t *p = (const uint8_t *)(uintptr_t)r->acc; PUT(type, p, &S(0)) }
#define PUT_64_N(type, p) type v; __builtin_memcpy(&v, p, sizeof v); SET(v); return NEXT;
#define PUT_64(type, p, to) type v; __builtin_memcpy(&v, p, sizeof v); *(to) = SET(v); return NEXT;
#define PUT_32_N(type, p) type v; __builtin_memcpy(&v, p, sizeof v); SET((uint32_t)(int32_t)v); return NEXT;
#define PUT_32(type, p, to) type v; __builtin_memcpy(&v, p, sizeof v); *(to) = SET((uint32_t)(int32_t)v); return NEXT;
#define PUT_F32_N(type, p) r->f32 = *(const any_f32 *)p; return NEXT;
#define PUT_F32(type, p, to) r->f32 = *(const any_f32 *)p; put_f32(to, r->f32); return NEXT;
#define PUT_F64_N(type, p) r->f64 = *(const any_f64 *)p; return NEXT;
#define PUT_F64(type, p, to) r->f64 = *(const any_f64 *)p; put_f64(to, r->f64); return NEXT;
LOAD_FORMS(load8_u, uint8_t, PUT_64)
LOAD_FORMS(load8_s32, int8_t, PUT_32)
LOAD_FORMS(load16_u, uint16_t, PUT_64)
LOAD_FORMS(load16_s32, int16_t, PUT_32)
LOAD_FORMS(load32, uint32_t, PUT_64)
LOAD_FORMS(load8_s64, int8_t, PUT_64)
LOAD_FORMS(load16_s64, int16_t, PUT_64)
LOAD_FORMS(load32_s64, int32_t, PUT_64)
LOAD_FORMS(load64, uint64_t, PUT_64)
LOAD_FORMS(load_f32, float, PUT_F32)
LOAD_FORMS(load_f64, double, PUT_F64)

#define STORE_AS(type, value) { type v = (type)(value); __builtin_memcpy(p, &v, sizeof v); return NEXT; }
#define STORE_FORMS(name, type) \
	BODY(name##_ss) { CHECKED(S(0), 2, sizeof(type), p) STORE_AS(type, S(1)) } \
	BODY(name##_sa) { CHECKED(S(0), 1, sizeof(type), p) STORE_AS(type, r->acc) } \
	BODY(name##_as) { CHECKED(r->acc, 1, sizeof(type), p) STORE_AS(type, S(0)) } \
	BODY(name##_si) { CHECKED(S(0), 2, sizeof(type), p) STORE_AS(type, IMM(1)) } \
	BODY(name##_ai) { CHECKED(r->acc, 1, sizeof(type), p) STORE_AS(type, IMM(0)) } \
	BODY(name##_ks) { CHECKED_CONSTANT(1, sizeof(type), p) STORE_AS(type, S(0)) } \
	BODY(name##_ka) { CHECKED_CONSTANT(0, sizeof(type), p) STORE_AS(type, r->acc) } \
	BODY(name##_ki) { CHECKED_CONSTANT(1, sizeof(type), p) STORE_AS(type, IMM(0)) } \
	BODY(name##_ps) { uint8_t *p = (uint8_t *)(uintptr_t)r->acc; STORE_AS(type, S(0)) }
STORE_FORMS(store8, uint8_t)
STORE_FORMS(store16, uint16_t)
STORE_FORMS(store32, uint32_t)
STORE_FORMS(store64, uint64_t)
#define STORE_FLOAT(name, T, type) \
	BODY(name##_sa) { CHECKED(S(0), 1, sizeof(type), p) *(any_##T *)p = r->T; return NEXT; } \
	BODY(name##_aa) { CHECKED(r->acc, 0, sizeof(type), p) *(any_##T *)p = r->T; return NEXT; } \
	BODY(name##_ka) { CHECKED_CONSTANT(0, sizeof(type), p) *(any_##T *)p = r->T; return NEXT; }
STORE_FLOAT(store_f32, f32, float)
STORE_FLOAT(store_f64, f64, double)

/* The large part of an offset. A sum that does not fit 32 bits stays at the end of them, and whoever adds the rest, which
 * is not 0, to that is beyond every memory, as it would have been. */
#define ADD_OFFSET(address, offset) \
	uint64_t sum = (uint64_t)(uint32_t)(address) + (offset); \
	SET(sum > UINT32_MAX ? UINT32_MAX : sum); \
	return NEXT;
BODY(offset_s) { ADD_OFFSET(S(0), word(w + 1)) }
BODY(offset_a) { ADD_OFFSET(r->acc, word(w)) }

/* Other memories, 64-bit addresses and very large offsets: the accumulator becomes a checked pointer. */
INLINE int address(struct wk_regs *r, const wk_unit *w, uint64_t base, uint64_t offset)
{
	const struct wk_memory *memory = r->x->instance->memories[w[1]];
	uint64_t at;
	if (UNLIKELY(__builtin_add_overflow(base, offset, &at) || at > memory->linear.size ||
	             w[2] > memory->linear.size - at))
		TRAP(WK_TRAP_MEMORY_BOUNDS);
	r->acc = (uint64_t)(uintptr_t)(memory->linear.base + at);
	return NEXT;
}
BODY(address32) { return address(r, w, (uint32_t)S(0), word(w + 3)); }
BODY(address64) { return address(r, w, S(0), dword(w + 3)); }

/* ---- data movement ---- */

BODY(mov) { S(0) = S(1); return NEXT; }
BODY(move)
{
	uint64_t *to = &S(0);
	const uint64_t *from = &S(1);
	for (uint32_t i = 0; i < w[2]; i++)
		to[i] = from[i];
	return NEXT;
}
BODY(mov128) { uint64_t *d = &S(0), *s = &S(1); uint64_t low = s[0], high = s[1]; d[0] = low; d[1] = high; return NEXT; }
BODY(const16) { S(0) = (uint64_t)IMM(1); return NEXT; }
BODY(const32) { S(0) = (uint64_t)(int64_t)(int32_t)word(w + 1); return NEXT; }
BODY(const64) { S(0) = dword(w + 1); return NEXT; }
BODY(const128) { uint64_t *d = &S(0); d[0] = dword(w + 1); d[1] = dword(w + 5); return NEXT; }

BODY(select_dsss) { uint64_t a = S(1), b = S(2); S(0) = SET((uint32_t)S(3) ? a : b); return NEXT; }
BODY(select_nsss) { uint64_t a = S(0), b = S(1); SET((uint32_t)S(2) ? a : b); return NEXT; }
BODY(select_dssa) { uint64_t a = S(1), b = S(2); S(0) = SET((uint32_t)r->acc ? a : b); return NEXT; }
BODY(select_nssa) { uint64_t a = S(0), b = S(1); SET((uint32_t)r->acc ? a : b); return NEXT; }
#define SELECT_FLOAT(T, G, P) \
	BODY(select_##T##_dsss) { r->T = (uint32_t)S(3) ? G(1) : G(2); P(&S(0), r->T); return NEXT; } \
	BODY(select_##T##_nsss) { r->T = (uint32_t)S(2) ? G(0) : G(1); return NEXT; } \
	BODY(select_##T##_dssa) { r->T = (uint32_t)r->acc ? G(1) : G(2); P(&S(0), r->T); return NEXT; } \
	BODY(select_##T##_nssa) { r->T = (uint32_t)r->acc ? G(0) : G(1); return NEXT; }
SELECT_FLOAT(f32, SF32, put_f32)
SELECT_FLOAT(f64, SF64, put_f64)
BODY(select128)
{
	const uint64_t *from = (uint32_t)S(3) ? &S(1) : &S(2);
	uint64_t low = from[0], high = from[1];
	uint64_t *to = &S(0);
	to[0] = low;
	to[1] = high;
	return NEXT;
}

#define CELL(i) (r->x->global_cells[word(w + (i))])
BODY(global_get_d) { S(0) = SET(*CELL(1)); return NEXT; }
BODY(global_get_n) { SET(*CELL(0)); return NEXT; }
BODY(global_get_f32_d) { r->f32 = *(const any_f32 *)CELL(1); put_f32(&S(0), r->f32); return NEXT; }
BODY(global_get_f32_n) { r->f32 = *(const any_f32 *)CELL(0); return NEXT; }
BODY(global_get_f64_d) { r->f64 = *(const any_f64 *)CELL(1); put_f64(&S(0), r->f64); return NEXT; }
BODY(global_get_f64_n) { r->f64 = *(const any_f64 *)CELL(0); return NEXT; }
BODY(global_get128) { uint64_t *d = &S(0); const uint64_t *c = CELL(1); d[0] = c[0]; d[1] = c[1]; return NEXT; }
BODY(global_set_s) { *CELL(1) = S(0); return NEXT; }
BODY(global_set_a) { *CELL(0) = r->acc; return NEXT; }
BODY(global_set_i) { *CELL(1) = (uint64_t)IMM(0); return NEXT; }
BODY(global_set128) { const uint64_t *s = &S(0); uint64_t *c = CELL(1); c[0] = s[0]; c[1] = s[1]; return NEXT; }

/* ---- control ---- */

BODY(br) { BRANCH_IF(1, w) }
INLINE int br_far(struct wk_regs *r, const wk_unit *w, const wk_unit *to)
{
	POLL_INTERRUPT
	r->ip = to + (int32_t)word(to);
	return JUMP;
}
BODY(br_far) { return br_far(r, w, w); }
BODY(br_nz_s) { BRANCH_IF((uint32_t)S(0) != 0, w + 1) }
BODY(br_nz_a) { BRANCH_IF((uint32_t)r->acc != 0, w) }
BODY(br_z_s) { BRANCH_IF((uint32_t)S(0) == 0, w + 1) }
BODY(br_z_a) { BRANCH_IF((uint32_t)r->acc == 0, w) }
BODY(br_null) { BRANCH_IF(S(0) == 0, w + 1) }
BODY(br_non_null) { BRANCH_IF(S(0) != 0, w + 1) }

INLINE int br_table(struct wk_regs *r, const wk_unit *w, uint32_t index, const wk_unit *operands)
{
	uint32_t count = word(operands);
	return br_far(r, w, operands + 2 + 2 * (size_t)(index < count ? index : count));
}
BODY(br_table_s) { return br_table(r, w, (uint32_t)S(0), w + 1); }
BODY(br_table_a) { return br_table(r, w, (uint32_t)r->acc, w); }

BODY(unreachable) { TRAP(WK_TRAP_UNREACHABLE); }
BODY(fuel)
{
	int64_t left = r->x->fuel - (int64_t)word(w);
	if (UNLIKELY(left < 0))
		TRAP(WK_TRAP_FUEL_EXHAUSTED);
	r->x->fuel = left;
	return NEXT;
}

/* An interrupt lowers the guard, so that calls see it without a look of their own; who sets a shared flag cannot. Functions
 * are entered by the first part of a handler, so it can be begun again. */
static const struct wk_slow slow_entry_frame = { wk_slow_frame, 0 };
#ifdef WK_SHARED_INTERRUPT
#define GUARDED(x) wk_exec_interrupted(x)
#else
#define GUARDED(x) false
#endif
#define FRAME \
	if (UNLIKELY(r->fp + w[0] > __atomic_load_n(&r->x->stack_guard, __ATOMIC_RELAXED) || GUARDED(r->x))) \
		GO_SLOWLY(slow_entry_frame);
BODY(enter) { FRAME return NEXT; }
BODY(enter1) { FRAME S(1) = 0; return NEXT; }
BODY(enter2) { FRAME uint64_t *l = &S(1); l[0] = l[1] = 0; return NEXT; }
BODY(enter3) { FRAME uint64_t *l = &S(1); l[0] = l[1] = l[2] = 0; return NEXT; }
BODY(enter4) { FRAME uint64_t *l = &S(1); l[0] = l[1] = l[2] = l[3] = 0; return NEXT; }
BODY(enter_n)
{
	FRAME
	uint64_t *l = &S(1);
	for (uint32_t i = 0; i < w[2]; i++)
		l[i] = 0;
	return NEXT;
}
BODY(enter_constants)
{
	FRAME
	uint64_t *l = &S(1);
	for (uint32_t i = 0; i < w[2]; i++)
		l[i] = 0;
	l = &S(3);
	for (uint32_t i = 0; i < w[4]; i++)
		l[i] = dword(w + 7 + 4 * i);
	r->ip = w + 5 + (int32_t)word(w + 5);
	return JUMP;
}

INLINE int call_entry(struct wk_regs *r, uint32_t function, uint64_t *frame)
{
	r->fp = frame;
	r->acc = function;
	r->ip = __atomic_load_n(&((const struct wk_code *)r->x->code)->entry[function], __ATOMIC_ACQUIRE);
	return JUMP;
}
INLINE int call(struct wk_regs *r, const wk_unit *w, uint32_t function, const wk_unit *back)
{
	uint64_t *header = &S(1);
	header[0] = (uint64_t)(uintptr_t)back;
	header[1] = (uint64_t)(uintptr_t)r->fp;
	return call_entry(r, function, &S(0));
}
BODY(call) { return call(r, w, w[2], w + 3); }
BODY(call_far) { return call(r, w, word(w + 2), w + 4); }
SLOW_BODY(call_import) { return wk_slow_call(r, w, r->x->instance->imported_funcs[word(w + 2)], &S(0), w[1], w + 4); }

/* Finds a table's function; the table operand's bit 31 says that the index is 64 bits wide. */
#define FIND_FUNCTION(func, index_slot, type_at, table_at) \
	uint32_t table_index = word(w + (table_at)); \
	const struct wk_table *table = r->x->instance->tables[table_index & 0x7fffffff]; \
	uint64_t element = table_index >> 31 ? S(index_slot) : (uint32_t)S(index_slot); \
	if (UNLIKELY(element >= table->size)) TRAP(WK_TRAP_UNDEFINED_ELEMENT); \
	struct wk_func *func = (struct wk_func *)(uintptr_t)table->elements[element]; \
	if (UNLIKELY(!func)) TRAP(WK_TRAP_UNINITIALIZED_ELEMENT); \
	uint32_t type_id = word(w + (type_at));
#define CHECK_TYPE(func) \
	if (func->type != type_id && !wk_slow_type_matches(r->x, func->type, type_id)) TRAP(WK_TRAP_INDIRECT_CALL_TYPE);

/* A function of this instance is called at once; a type that is not the very one, and other instances, are slow. */
INLINE int call_own(struct wk_regs *r, const struct wk_func *func, uint64_t *frame, uint64_t *header, const wk_unit *back)
{
	header[0] = (uint64_t)(uintptr_t)back;
	header[1] = (uint64_t)(uintptr_t)r->fp;
	return call_entry(r, func->index, frame);
}
static int slow_call_indirect(struct wk_regs *r, const wk_unit *w)
{
	FIND_FUNCTION(func, 3, 4, 6)
	CHECK_TYPE(func)
	if (func->instance == r->x->instance)
		return call_own(r, func, &S(0), &S(1), w + 8);
	return wk_slow_call(r, w, func, &S(0), w[2], w + 8);
}
static const struct wk_slow slow_entry_call_indirect = { slow_call_indirect, 8 };
BODY(call_indirect)
{
	FIND_FUNCTION(func, 3, 4, 6)
	if (UNLIKELY(func->type != type_id || func->instance != r->x->instance))
		GO_SLOWLY(slow_entry_call_indirect);
	return call_own(r, func, &S(0), &S(1), w + 8);
}
SLOW_BODY(call_ref)
{
	struct wk_func *func = (struct wk_func *)(uintptr_t)S(3);
	if (!func)
		TRAP(WK_TRAP_NULL_FUNCTION);
	if (func->instance == r->x->instance)
		return call_own(r, func, &S(0), &S(1), w + 4);
	return wk_slow_call(r, w, func, &S(0), w[2], w + 4);
}

/* Tail calls: the arguments replace the frame's parameters, the header moves to where the callee expects it. */
INLINE int tail_call_own(struct wk_regs *r, const wk_unit *w, uint32_t function)
{
	if (UNLIKELY(wk_exec_interrupted(r->x)))
		TRAP(WK_TRAP_INTERRUPTED);
	uint64_t back = r->fp[w[2]], caller = r->fp[w[2] + 1];
	const uint64_t *from = &S(0);
	for (uint32_t i = 0; i < w[1]; i++)
		r->fp[i] = from[i];
	r->fp[w[3]] = back;
	r->fp[w[3] + 1] = caller;
	return call_entry(r, function, r->fp);
}
static int tail_call(struct wk_regs *r, const wk_unit *w, struct wk_func *func)
{
	if (func->instance != r->x->instance)
		return wk_slow_tail_call(r, w, func);
	return tail_call_own(r, w, func->index);
}
BODY(return_call) { return tail_call_own(r, w, word(w + 4)); }
SLOW_BODY(return_call_import) { return tail_call(r, w, r->x->instance->imported_funcs[word(w + 4)]); }
SLOW_BODY(return_call_indirect) { FIND_FUNCTION(func, 4, 5, 7) CHECK_TYPE(func) return tail_call(r, w, func); }
SLOW_BODY(return_call_ref)
{
	struct wk_func *func = (struct wk_func *)(uintptr_t)S(4);
	if (!func)
		TRAP(WK_TRAP_NULL_FUNCTION);
	return tail_call(r, w, func);
}

INLINE int go_back(struct wk_regs *r, uint32_t header)
{
	r->ip = (const wk_unit *)(uintptr_t)r->fp[header];
	r->fp = (uint64_t *)(uintptr_t)r->fp[header + 1];
	return JUMP;
}
BODY(ret) { r->acc = r->fp[0]; return go_back(r, w[0]); }
BODY(ret_s) { r->fp[0] = SET(S(1)); return go_back(r, w[0]); }
BODY(ret_a) { r->fp[0] = r->acc; return go_back(r, w[0]); }
BODY(ret_i) { r->fp[0] = SET(IMM(1)); return go_back(r, w[0]); }
BODY(ret_f32) { put_f32(r->fp, r->f32); return go_back(r, w[0]); }
BODY(ret_f64) { put_f64(r->fp, r->f64); return go_back(r, w[0]); }
SLOW_BODY(translate) { return wk_slow_translate(r, w); }
BODY(leave) { (void)w; r->x->ended = WK_OK; return LEAVE; }
SLOW_BODY(cross) { return wk_slow_cross(r, w); }
SLOW_BODY(native) { return wk_slow_native(r, w); }
SLOW_BODY(throw) { return wk_slow_throw(r, w, word(w + 1), &S(0)); }
SLOW_BODY(throw_ref) { return wk_slow_throw_ref(r, w, S(0)); }

/* ---- references, tables, memories: indices of 64-bit tables and memories are told by bit 31 of the operand ---- */

BODY(ref_is_null) { S(0) = SET(S(1) == 0); return NEXT; }
BODY(ref_is_null_n) { SET(S(0) == 0); return NEXT; }
BODY(ref_func) { S(0) = (uint64_t)(uintptr_t)wk_instance_func(r->x->instance, word(w + 1)); return NEXT; }
BODY(ref_as_non_null) { if (UNLIKELY(S(0) == 0)) TRAP(WK_TRAP_NULL_REFERENCE); return NEXT; }

#define OF_TABLE(at) \
	uint32_t table_index = word(w + (at)); \
	struct wk_table *table = r->x->instance->tables[table_index & 0x7fffffff]; \
	bool wide = table_index >> 31;
#define WIDE(i) (wide ? S(i) : (uint32_t)S(i))
#define CHECK_TRAP(call) do { enum wk_trap t_ = (call); if (UNLIKELY(t_)) TRAP(t_); } while (0)
BODY(table_get)
{
	OF_TABLE(2)
	uint64_t index = WIDE(1);
	if (UNLIKELY(index >= table->size))
		TRAP(WK_TRAP_TABLE_BOUNDS);
	S(0) = table->elements[index];
	return NEXT;
}
BODY(table_set)
{
	OF_TABLE(2)
	uint64_t index = WIDE(0);
	if (UNLIKELY(index >= table->size))
		TRAP(WK_TRAP_TABLE_BOUNDS);
	table->elements[index] = S(1);
	return NEXT;
}
BODY(table_size) { OF_TABLE(1) (void)wide; S(0) = table->size; return NEXT; }
SLOW_BODY(table_grow) { OF_TABLE(3) S(0) = wk_table_grow(table, WIDE(2), S(1)); return NEXT; }
SLOW_BODY(table_fill) { OF_TABLE(3) CHECK_TRAP(wk_table_fill(table, WIDE(0), S(1), WIDE(2))); return NEXT; }
SLOW_BODY(table_copy) { return wk_slow_table_copy(r, w); }
SLOW_BODY(table_init)
{
	OF_TABLE(5)
	CHECK_TRAP(wk_table_init(r->x->instance, table_index & 0x7fffffff, word(w + 3), WIDE(0), (uint32_t)S(1),
		(uint32_t)S(2)));
	(void)table;
	return NEXT;
}
SLOW_BODY(elem_drop) { wk_element_drop(r->x->instance, word(w)); return NEXT; }

#define OF_MEMORY(at) \
	uint32_t memory_index = word(w + (at)); \
	struct wk_memory *memory = r->x->instance->memories[memory_index & 0x7fffffff]; \
	bool wide = memory_index >> 31;
BODY(memory_size) { OF_MEMORY(1) (void)wide; S(0) = memory->linear.size >> memory->type.page_log2; return NEXT; }
SLOW_BODY(memory_grow)
{
	OF_MEMORY(2)
	S(0) = wk_memory_grow(memory, WIDE(1));
	wk_slow_reload(r);
	return NEXT;
}
SLOW_BODY(memory_fill) { OF_MEMORY(3) CHECK_TRAP(wk_memory_fill(memory, WIDE(0), (uint8_t)S(1), WIDE(2))); return NEXT; }
SLOW_BODY(memory_copy) { return wk_slow_memory_copy(r, w); }
SLOW_BODY(memory_init)
{
	OF_MEMORY(5)
	CHECK_TRAP(wk_memory_init(r->x->instance, memory_index & 0x7fffffff, word(w + 3), WIDE(0), (uint32_t)S(1),
		(uint32_t)S(2)));
	(void)memory;
	return NEXT;
}
SLOW_BODY(data_drop) { wk_data_drop(r->x->instance, word(w)); return NEXT; }

/* ---- wide arithmetic ---- */

BODY(add128) { uint64_t o[2]; wk_i64_add128(S(1), S(2), S(3), S(4), o); uint64_t *d = &S(0); d[0] = o[0]; d[1] = o[1]; return NEXT; }
BODY(sub128) { uint64_t o[2]; wk_i64_sub128(S(1), S(2), S(3), S(4), o); uint64_t *d = &S(0); d[0] = o[0]; d[1] = o[1]; return NEXT; }
BODY(mul_wide_s) { uint64_t o[2]; wk_i64_mul_wide_s(S(1), S(2), o); uint64_t *d = &S(0); d[0] = o[0]; d[1] = o[1]; return NEXT; }
BODY(mul_wide_u) { uint64_t o[2]; wk_i64_mul_wide_u(S(1), S(2), o); uint64_t *d = &S(0); d[0] = o[0]; d[1] = o[1]; return NEXT; }

/* ---- vectors ---- */

#define V(i) wk_v128_load(&S(i))
#define VSET(value) do { wk_v128 v_ = (value); wk_v128_store(&S(0), v_); return NEXT; } while (0)
#define V1(NAME, f) BODY(NAME) { VSET(f(V(1))); }
#define V2(NAME, f) BODY(NAME) { VSET(f(V(1), V(2))); }
#define V3(NAME, f) BODY(NAME) { VSET(f(V(1), V(2), V(3))); }
#define VSHIFT(NAME, f) BODY(NAME) { VSET(f(V(1), (uint32_t)S(2))); }
#define VTEST(NAME, f) BODY(NAME) { S(0) = (uint32_t)f(V(1)); return NEXT; }
#define GET_i32(i) (uint32_t)S(i)
#define GET_i64(i) S(i)
#define GET_f32(i) SF32(i)
#define GET_f64(i) SF64(i)
#define PUT_i32(e) S(0) = (uint32_t)(e)
#define PUT_i64(e) S(0) = (uint64_t)(e)
#define PUT_f32(e) put_f32(&S(0), e)
#define PUT_f64(e) put_f64(&S(0), e)
#define VSPLAT(NAME, f, k) BODY(NAME) { VSET(f(GET_##k(1))); }
#define VEXTRACT(NAME, f, k) BODY(NAME) { PUT_##k(f(V(1), w[2])); return NEXT; }
#define VREPLACE(NAME, f, k) BODY(NAME) { VSET(f(V(1), w[3], GET_##k(2))); }
WK_SIMD_UNARY(V1) WK_SIMD_BINARY(V2) WK_SIMD_TERNARY(V3) WK_SIMD_SHIFT(VSHIFT) WK_SIMD_TEST(VTEST)
WK_SIMD_SPLAT(VSPLAT) WK_SIMD_EXTRACT(VEXTRACT) WK_SIMD_REPLACE(VREPLACE)
#define VLOAD(NAME, f, n) \
	BODY(NAME) { CHECKED_FAR(S(1), 2, n, p) VSET(f(p)); } \
	BODY(NAME##_p) { const uint8_t *p = (const uint8_t *)(uintptr_t)r->acc; VSET(f(p)); }
WK_SIMD_LOAD(VLOAD)
/* load lane: destination, address, offset + size (2), vector, lane; `p`: destination, vector, lane.
 * store lane: address, offset + size (2), vector, lane; `p`: vector, lane. */
INLINE wk_v128 set_lane(wk_v128 v, const uint8_t *from, uint32_t lane, uint32_t bytes)
{
	uint8_t lanes[16];
	__builtin_memcpy(lanes, &v, 16);
	__builtin_memcpy(lanes + lane * bytes, from, bytes);
	return wk_v128_load(lanes);
}
#define VLOAD_LANE(NAME, n) \
	BODY(NAME) { CHECKED_FAR(S(1), 2, n, p) VSET(set_lane(V(4), p, w[5], n)); } \
	BODY(NAME##_p) { const uint8_t *p = (const uint8_t *)(uintptr_t)r->acc; VSET(set_lane(V(1), p, w[2], n)); }
WK_SIMD_LOAD_LANE(VLOAD_LANE)
#define VSTORE_LANE(NAME, n) \
	BODY(NAME) { CHECKED_FAR(S(0), 1, n, p) __builtin_memcpy(p, (const uint8_t *)&S(3) + w[4] * (n), n); return NEXT; } \
	BODY(NAME##_p) { uint8_t *p = (uint8_t *)(uintptr_t)r->acc; __builtin_memcpy(p, (const uint8_t *)&S(0) + w[1] * (n), n); return NEXT; }
WK_SIMD_STORE_LANE(VSTORE_LANE)
BODY(V128_STORE) { CHECKED_FAR(S(0), 2, 16, p) __builtin_memcpy(p, &S(1), 16); return NEXT; }
BODY(V128_STORE_p) { __builtin_memcpy((uint8_t *)(uintptr_t)r->acc, &S(0), 16); return NEXT; }
BODY(I8X16_SHUFFLE) { VSET(wk_i8x16_shuffle(V(1), V(2), (const uint8_t *)(w + 3))); }

/* Pairs. */
#undef UNARY
#undef COMPARE
#undef FLOAT_COMPARE
#undef FLOAT_UNARY
#undef STORE_FLOAT
#define OP(name, units, flags)
#define FUSE(a, b) \
	BODY(a##__##b) \
	{ \
		int go = x_##a(r, w); \
		return go == NEXT ? x_##b(r, w + WK_U_##a) : go; \
	}
#include "interp/fusions.def"
#undef OP
#undef FUSE

#endif
