/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector instructions (specification 4.3.5) and the relaxed ones (4.3.6), each written once, as inline functions on
 * wk_v128; before them, tables of all of them by form, from which the interpreter makes its handlers.
 *
 * Lane 0 is in the lowest bytes: both machines are little-endian. What both compilers turn into good SSE2 and NEON code
 * is written with vector operators; the rest with the machine's own operations, once for each machine. No function
 * calls a library, and only swizzle and shuffle on SSE2 and the extraction of a lane go through memory. The flags that
 * numeric.h asks for are needed here as well.
 *
 * Relaxed instructions may differ from machine to machine; ours always give the result that the specification's
 * deterministic profile asks for, so a program computes the same everywhere. NaN: as in numeric.h; min and max of
 * vectors give the canonical NaN on x86-64.
 */
#ifndef WK_INTERP_SIMD_H
#define WK_INTERP_SIMD_H

#include <stdbool.h>
#include <stdint.h>

#include "interp/numeric.h"

/* ---- The tables. X(NAME, function, ...): NAME is that of the opcode, without WK_OP_ ------------------------------ */

/* v128 -> v128 */
#define WK_SIMD_UNARY(X) \
	X(V128_NOT, wk_v128_not) \
	X(I8X16_ABS, wk_i8x16_abs) X(I8X16_NEG, wk_i8x16_neg) X(I8X16_POPCNT, wk_i8x16_popcnt) \
	X(I16X8_ABS, wk_i16x8_abs) X(I16X8_NEG, wk_i16x8_neg) \
	X(I32X4_ABS, wk_i32x4_abs) X(I32X4_NEG, wk_i32x4_neg) \
	X(I64X2_ABS, wk_i64x2_abs) X(I64X2_NEG, wk_i64x2_neg) \
	X(I16X8_EXTADD_PAIRWISE_I8X16_S, wk_i16x8_extadd_pairwise_i8x16_s) \
	X(I16X8_EXTADD_PAIRWISE_I8X16_U, wk_i16x8_extadd_pairwise_i8x16_u) \
	X(I32X4_EXTADD_PAIRWISE_I16X8_S, wk_i32x4_extadd_pairwise_i16x8_s) \
	X(I32X4_EXTADD_PAIRWISE_I16X8_U, wk_i32x4_extadd_pairwise_i16x8_u) \
	X(I16X8_EXTEND_LOW_I8X16_S, wk_i16x8_extend_low_i8x16_s) \
	X(I16X8_EXTEND_HIGH_I8X16_S, wk_i16x8_extend_high_i8x16_s) \
	X(I16X8_EXTEND_LOW_I8X16_U, wk_i16x8_extend_low_i8x16_u) \
	X(I16X8_EXTEND_HIGH_I8X16_U, wk_i16x8_extend_high_i8x16_u) \
	X(I32X4_EXTEND_LOW_I16X8_S, wk_i32x4_extend_low_i16x8_s) \
	X(I32X4_EXTEND_HIGH_I16X8_S, wk_i32x4_extend_high_i16x8_s) \
	X(I32X4_EXTEND_LOW_I16X8_U, wk_i32x4_extend_low_i16x8_u) \
	X(I32X4_EXTEND_HIGH_I16X8_U, wk_i32x4_extend_high_i16x8_u) \
	X(I64X2_EXTEND_LOW_I32X4_S, wk_i64x2_extend_low_i32x4_s) \
	X(I64X2_EXTEND_HIGH_I32X4_S, wk_i64x2_extend_high_i32x4_s) \
	X(I64X2_EXTEND_LOW_I32X4_U, wk_i64x2_extend_low_i32x4_u) \
	X(I64X2_EXTEND_HIGH_I32X4_U, wk_i64x2_extend_high_i32x4_u) \
	X(F32X4_ABS, wk_f32x4_abs) X(F32X4_NEG, wk_f32x4_neg) X(F32X4_SQRT, wk_f32x4_sqrt) \
	X(F32X4_CEIL, wk_f32x4_ceil) X(F32X4_FLOOR, wk_f32x4_floor) X(F32X4_TRUNC, wk_f32x4_trunc) \
	X(F32X4_NEAREST, wk_f32x4_nearest) \
	X(F64X2_ABS, wk_f64x2_abs) X(F64X2_NEG, wk_f64x2_neg) X(F64X2_SQRT, wk_f64x2_sqrt) \
	X(F64X2_CEIL, wk_f64x2_ceil) X(F64X2_FLOOR, wk_f64x2_floor) X(F64X2_TRUNC, wk_f64x2_trunc) \
	X(F64X2_NEAREST, wk_f64x2_nearest) \
	X(I32X4_TRUNC_SAT_F32X4_S, wk_i32x4_trunc_sat_f32x4_s) \
	X(I32X4_TRUNC_SAT_F32X4_U, wk_i32x4_trunc_sat_f32x4_u) \
	X(I32X4_TRUNC_SAT_F64X2_S_ZERO, wk_i32x4_trunc_sat_f64x2_s_zero) \
	X(I32X4_TRUNC_SAT_F64X2_U_ZERO, wk_i32x4_trunc_sat_f64x2_u_zero) \
	X(F32X4_CONVERT_I32X4_S, wk_f32x4_convert_i32x4_s) X(F32X4_CONVERT_I32X4_U, wk_f32x4_convert_i32x4_u) \
	X(F64X2_CONVERT_LOW_I32X4_S, wk_f64x2_convert_low_i32x4_s) \
	X(F64X2_CONVERT_LOW_I32X4_U, wk_f64x2_convert_low_i32x4_u) \
	X(F32X4_DEMOTE_F64X2_ZERO, wk_f32x4_demote_f64x2_zero) X(F64X2_PROMOTE_LOW_F32X4, wk_f64x2_promote_low_f32x4) \
	X(I32X4_RELAXED_TRUNC_F32X4_S, wk_i32x4_trunc_sat_f32x4_s) \
	X(I32X4_RELAXED_TRUNC_F32X4_U, wk_i32x4_trunc_sat_f32x4_u) \
	X(I32X4_RELAXED_TRUNC_F64X2_S_ZERO, wk_i32x4_trunc_sat_f64x2_s_zero) \
	X(I32X4_RELAXED_TRUNC_F64X2_U_ZERO, wk_i32x4_trunc_sat_f64x2_u_zero)

/* v128, v128 -> v128 */
#define WK_SIMD_BINARY(X) \
	X(V128_AND, wk_v128_and) X(V128_ANDNOT, wk_v128_andnot) X(V128_OR, wk_v128_or) X(V128_XOR, wk_v128_xor) \
	X(I8X16_SWIZZLE, wk_i8x16_swizzle) X(I8X16_RELAXED_SWIZZLE, wk_i8x16_swizzle) \
	X(I8X16_EQ, wk_i8x16_eq) X(I8X16_NE, wk_i8x16_ne) X(I8X16_LT_S, wk_i8x16_lt_s) X(I8X16_LT_U, wk_i8x16_lt_u) \
	X(I8X16_GT_S, wk_i8x16_gt_s) X(I8X16_GT_U, wk_i8x16_gt_u) X(I8X16_LE_S, wk_i8x16_le_s) \
	X(I8X16_LE_U, wk_i8x16_le_u) X(I8X16_GE_S, wk_i8x16_ge_s) X(I8X16_GE_U, wk_i8x16_ge_u) \
	X(I16X8_EQ, wk_i16x8_eq) X(I16X8_NE, wk_i16x8_ne) X(I16X8_LT_S, wk_i16x8_lt_s) X(I16X8_LT_U, wk_i16x8_lt_u) \
	X(I16X8_GT_S, wk_i16x8_gt_s) X(I16X8_GT_U, wk_i16x8_gt_u) X(I16X8_LE_S, wk_i16x8_le_s) \
	X(I16X8_LE_U, wk_i16x8_le_u) X(I16X8_GE_S, wk_i16x8_ge_s) X(I16X8_GE_U, wk_i16x8_ge_u) \
	X(I32X4_EQ, wk_i32x4_eq) X(I32X4_NE, wk_i32x4_ne) X(I32X4_LT_S, wk_i32x4_lt_s) X(I32X4_LT_U, wk_i32x4_lt_u) \
	X(I32X4_GT_S, wk_i32x4_gt_s) X(I32X4_GT_U, wk_i32x4_gt_u) X(I32X4_LE_S, wk_i32x4_le_s) \
	X(I32X4_LE_U, wk_i32x4_le_u) X(I32X4_GE_S, wk_i32x4_ge_s) X(I32X4_GE_U, wk_i32x4_ge_u) \
	X(I64X2_EQ, wk_i64x2_eq) X(I64X2_NE, wk_i64x2_ne) X(I64X2_LT_S, wk_i64x2_lt_s) X(I64X2_GT_S, wk_i64x2_gt_s) \
	X(I64X2_LE_S, wk_i64x2_le_s) X(I64X2_GE_S, wk_i64x2_ge_s) \
	X(F32X4_EQ, wk_f32x4_eq) X(F32X4_NE, wk_f32x4_ne) X(F32X4_LT, wk_f32x4_lt) X(F32X4_GT, wk_f32x4_gt) \
	X(F32X4_LE, wk_f32x4_le) X(F32X4_GE, wk_f32x4_ge) \
	X(F64X2_EQ, wk_f64x2_eq) X(F64X2_NE, wk_f64x2_ne) X(F64X2_LT, wk_f64x2_lt) X(F64X2_GT, wk_f64x2_gt) \
	X(F64X2_LE, wk_f64x2_le) X(F64X2_GE, wk_f64x2_ge) \
	X(I8X16_NARROW_I16X8_S, wk_i8x16_narrow_i16x8_s) X(I8X16_NARROW_I16X8_U, wk_i8x16_narrow_i16x8_u) \
	X(I16X8_NARROW_I32X4_S, wk_i16x8_narrow_i32x4_s) X(I16X8_NARROW_I32X4_U, wk_i16x8_narrow_i32x4_u) \
	X(I8X16_ADD, wk_i8x16_add) X(I8X16_ADD_SAT_S, wk_i8x16_add_sat_s) X(I8X16_ADD_SAT_U, wk_i8x16_add_sat_u) \
	X(I8X16_SUB, wk_i8x16_sub) X(I8X16_SUB_SAT_S, wk_i8x16_sub_sat_s) X(I8X16_SUB_SAT_U, wk_i8x16_sub_sat_u) \
	X(I8X16_MIN_S, wk_i8x16_min_s) X(I8X16_MIN_U, wk_i8x16_min_u) X(I8X16_MAX_S, wk_i8x16_max_s) \
	X(I8X16_MAX_U, wk_i8x16_max_u) X(I8X16_AVGR_U, wk_i8x16_avgr_u) \
	X(I16X8_ADD, wk_i16x8_add) X(I16X8_ADD_SAT_S, wk_i16x8_add_sat_s) X(I16X8_ADD_SAT_U, wk_i16x8_add_sat_u) \
	X(I16X8_SUB, wk_i16x8_sub) X(I16X8_SUB_SAT_S, wk_i16x8_sub_sat_s) X(I16X8_SUB_SAT_U, wk_i16x8_sub_sat_u) \
	X(I16X8_MIN_S, wk_i16x8_min_s) X(I16X8_MIN_U, wk_i16x8_min_u) X(I16X8_MAX_S, wk_i16x8_max_s) \
	X(I16X8_MAX_U, wk_i16x8_max_u) X(I16X8_AVGR_U, wk_i16x8_avgr_u) X(I16X8_MUL, wk_i16x8_mul) \
	X(I16X8_Q15MULR_SAT_S, wk_i16x8_q15mulr_sat_s) X(I16X8_RELAXED_Q15MULR_S, wk_i16x8_q15mulr_sat_s) \
	X(I16X8_EXTMUL_LOW_I8X16_S, wk_i16x8_extmul_low_i8x16_s) \
	X(I16X8_EXTMUL_HIGH_I8X16_S, wk_i16x8_extmul_high_i8x16_s) \
	X(I16X8_EXTMUL_LOW_I8X16_U, wk_i16x8_extmul_low_i8x16_u) \
	X(I16X8_EXTMUL_HIGH_I8X16_U, wk_i16x8_extmul_high_i8x16_u) \
	X(I32X4_ADD, wk_i32x4_add) X(I32X4_SUB, wk_i32x4_sub) X(I32X4_MUL, wk_i32x4_mul) \
	X(I32X4_MIN_S, wk_i32x4_min_s) X(I32X4_MIN_U, wk_i32x4_min_u) X(I32X4_MAX_S, wk_i32x4_max_s) \
	X(I32X4_MAX_U, wk_i32x4_max_u) X(I32X4_DOT_I16X8_S, wk_i32x4_dot_i16x8_s) \
	X(I32X4_EXTMUL_LOW_I16X8_S, wk_i32x4_extmul_low_i16x8_s) \
	X(I32X4_EXTMUL_HIGH_I16X8_S, wk_i32x4_extmul_high_i16x8_s) \
	X(I32X4_EXTMUL_LOW_I16X8_U, wk_i32x4_extmul_low_i16x8_u) \
	X(I32X4_EXTMUL_HIGH_I16X8_U, wk_i32x4_extmul_high_i16x8_u) \
	X(I64X2_ADD, wk_i64x2_add) X(I64X2_SUB, wk_i64x2_sub) X(I64X2_MUL, wk_i64x2_mul) \
	X(I64X2_EXTMUL_LOW_I32X4_S, wk_i64x2_extmul_low_i32x4_s) \
	X(I64X2_EXTMUL_HIGH_I32X4_S, wk_i64x2_extmul_high_i32x4_s) \
	X(I64X2_EXTMUL_LOW_I32X4_U, wk_i64x2_extmul_low_i32x4_u) \
	X(I64X2_EXTMUL_HIGH_I32X4_U, wk_i64x2_extmul_high_i32x4_u) \
	X(F32X4_ADD, wk_f32x4_add) X(F32X4_SUB, wk_f32x4_sub) X(F32X4_MUL, wk_f32x4_mul) X(F32X4_DIV, wk_f32x4_div) \
	X(F32X4_MIN, wk_f32x4_min) X(F32X4_MAX, wk_f32x4_max) X(F32X4_PMIN, wk_f32x4_pmin) \
	X(F32X4_PMAX, wk_f32x4_pmax) X(F32X4_RELAXED_MIN, wk_f32x4_min) X(F32X4_RELAXED_MAX, wk_f32x4_max) \
	X(F64X2_ADD, wk_f64x2_add) X(F64X2_SUB, wk_f64x2_sub) X(F64X2_MUL, wk_f64x2_mul) X(F64X2_DIV, wk_f64x2_div) \
	X(F64X2_MIN, wk_f64x2_min) X(F64X2_MAX, wk_f64x2_max) X(F64X2_PMIN, wk_f64x2_pmin) \
	X(F64X2_PMAX, wk_f64x2_pmax) X(F64X2_RELAXED_MIN, wk_f64x2_min) X(F64X2_RELAXED_MAX, wk_f64x2_max) \
	X(I16X8_RELAXED_DOT_I8X16_I7X16_S, wk_i16x8_relaxed_dot_i8x16_i7x16_s)

/* v128, v128, v128 -> v128 */
#define WK_SIMD_TERNARY(X) \
	X(V128_BITSELECT, wk_v128_bitselect) \
	X(I8X16_RELAXED_LANESELECT, wk_v128_bitselect) X(I16X8_RELAXED_LANESELECT, wk_v128_bitselect) \
	X(I32X4_RELAXED_LANESELECT, wk_v128_bitselect) X(I64X2_RELAXED_LANESELECT, wk_v128_bitselect) \
	X(F32X4_RELAXED_MADD, wk_f32x4_relaxed_madd) X(F32X4_RELAXED_NMADD, wk_f32x4_relaxed_nmadd) \
	X(F64X2_RELAXED_MADD, wk_f64x2_relaxed_madd) X(F64X2_RELAXED_NMADD, wk_f64x2_relaxed_nmadd) \
	X(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S, wk_i32x4_relaxed_dot_i8x16_i7x16_add_s)

/* v128, i32 -> v128 */
#define WK_SIMD_SHIFT(X) \
	X(I8X16_SHL, wk_i8x16_shl) X(I8X16_SHR_S, wk_i8x16_shr_s) X(I8X16_SHR_U, wk_i8x16_shr_u) \
	X(I16X8_SHL, wk_i16x8_shl) X(I16X8_SHR_S, wk_i16x8_shr_s) X(I16X8_SHR_U, wk_i16x8_shr_u) \
	X(I32X4_SHL, wk_i32x4_shl) X(I32X4_SHR_S, wk_i32x4_shr_s) X(I32X4_SHR_U, wk_i32x4_shr_u) \
	X(I64X2_SHL, wk_i64x2_shl) X(I64X2_SHR_S, wk_i64x2_shr_s) X(I64X2_SHR_U, wk_i64x2_shr_u)

/* v128 -> i32 */
#define WK_SIMD_TEST(X) \
	X(V128_ANY_TRUE, wk_v128_any_true) \
	X(I8X16_ALL_TRUE, wk_i8x16_all_true) X(I8X16_BITMASK, wk_i8x16_bitmask) \
	X(I16X8_ALL_TRUE, wk_i16x8_all_true) X(I16X8_BITMASK, wk_i16x8_bitmask) \
	X(I32X4_ALL_TRUE, wk_i32x4_all_true) X(I32X4_BITMASK, wk_i32x4_bitmask) \
	X(I64X2_ALL_TRUE, wk_i64x2_all_true) X(I64X2_BITMASK, wk_i64x2_bitmask)

/* scalar -> v128; v128, lane number -> scalar; v128, lane number, scalar -> v128. X(NAME, function, scalar's type) */
#define WK_SIMD_SPLAT(X) \
	X(I8X16_SPLAT, wk_i8x16_splat, i32) X(I16X8_SPLAT, wk_i16x8_splat, i32) X(I32X4_SPLAT, wk_i32x4_splat, i32) \
	X(I64X2_SPLAT, wk_i64x2_splat, i64) X(F32X4_SPLAT, wk_f32x4_splat, f32) X(F64X2_SPLAT, wk_f64x2_splat, f64)
#define WK_SIMD_EXTRACT(X) \
	X(I8X16_EXTRACT_LANE_S, wk_i8x16_extract_lane_s, i32) X(I8X16_EXTRACT_LANE_U, wk_i8x16_extract_lane_u, i32) \
	X(I16X8_EXTRACT_LANE_S, wk_i16x8_extract_lane_s, i32) X(I16X8_EXTRACT_LANE_U, wk_i16x8_extract_lane_u, i32) \
	X(I32X4_EXTRACT_LANE, wk_i32x4_extract_lane, i32) X(I64X2_EXTRACT_LANE, wk_i64x2_extract_lane, i64) \
	X(F32X4_EXTRACT_LANE, wk_f32x4_extract_lane, f32) X(F64X2_EXTRACT_LANE, wk_f64x2_extract_lane, f64)
#define WK_SIMD_REPLACE(X) \
	X(I8X16_REPLACE_LANE, wk_i8x16_replace_lane, i32) X(I16X8_REPLACE_LANE, wk_i16x8_replace_lane, i32) \
	X(I32X4_REPLACE_LANE, wk_i32x4_replace_lane, i32) X(I64X2_REPLACE_LANE, wk_i64x2_replace_lane, i64) \
	X(F32X4_REPLACE_LANE, wk_f32x4_replace_lane, f32) X(F64X2_REPLACE_LANE, wk_f64x2_replace_lane, f64)

/* address -> v128. X(NAME, function, bytes read) */
#define WK_SIMD_LOAD(X) \
	X(V128_LOAD, wk_v128_load, 16) \
	X(V128_LOAD8X8_S, wk_v128_load8x8_s, 8) X(V128_LOAD8X8_U, wk_v128_load8x8_u, 8) \
	X(V128_LOAD16X4_S, wk_v128_load16x4_s, 8) X(V128_LOAD16X4_U, wk_v128_load16x4_u, 8) \
	X(V128_LOAD32X2_S, wk_v128_load32x2_s, 8) X(V128_LOAD32X2_U, wk_v128_load32x2_u, 8) \
	X(V128_LOAD8_SPLAT, wk_v128_load8_splat, 1) X(V128_LOAD16_SPLAT, wk_v128_load16_splat, 2) \
	X(V128_LOAD32_SPLAT, wk_v128_load32_splat, 4) X(V128_LOAD64_SPLAT, wk_v128_load64_splat, 8) \
	X(V128_LOAD32_ZERO, wk_v128_load32_zero, 4) X(V128_LOAD64_ZERO, wk_v128_load64_zero, 8)

/* X(NAME, bytes of a lane) */
#define WK_SIMD_LOAD_LANE(X) \
	X(V128_LOAD8_LANE, 1) X(V128_LOAD16_LANE, 2) X(V128_LOAD32_LANE, 4) X(V128_LOAD64_LANE, 8)
#define WK_SIMD_STORE_LANE(X) \
	X(V128_STORE8_LANE, 1) X(V128_STORE16_LANE, 2) X(V128_STORE32_LANE, 4) X(V128_STORE64_LANE, 8)

/* ---- Types ------------------------------------------------------------------------------------------------------- */

#define WK_VECTOR __attribute__((vector_size(16)))
typedef int8_t wk_s8x16 WK_VECTOR;
typedef uint8_t wk_u8x16 WK_VECTOR;
typedef int16_t wk_s16x8 WK_VECTOR;
typedef uint16_t wk_u16x8 WK_VECTOR;
typedef int32_t wk_s32x4 WK_VECTOR;
typedef uint32_t wk_u32x4 WK_VECTOR;
typedef int64_t wk_s64x2 WK_VECTOR;
typedef uint64_t wk_u64x2 WK_VECTOR;
typedef float wk_f32x4 WK_VECTOR;
typedef double wk_f64x2 WK_VECTOR;
typedef wk_u64x2 wk_v128;
#undef WK_VECTOR

/* The same bits, seen as lanes. */
#define S8(v) ((wk_s8x16)(v))
#define U8(v) ((wk_u8x16)(v))
#define S16(v) ((wk_s16x8)(v))
#define U16(v) ((wk_u16x8)(v))
#define S32(v) ((wk_s32x4)(v))
#define U32(v) ((wk_u32x4)(v))
#define S64(v) ((wk_s64x2)(v))
#define U64(v) ((wk_u64x2)(v))
#define F32(v) ((wk_f32x4)(v))
#define F64(v) ((wk_f64x2)(v))

#define V1(name, expression) \
	static inline wk_v128 wk_##name(wk_v128 a) { return (wk_v128)(expression); }
#define V2(name, expression) \
	static inline wk_v128 wk_##name(wk_v128 a, wk_v128 b) { return (wk_v128)(expression); }
#define V3(name, expression) \
	static inline wk_v128 wk_##name(wk_v128 a, wk_v128 b, wk_v128 c) { return (wk_v128)(expression); }
#define TEST(name, expression) \
	static inline uint32_t wk_##name(wk_v128 a) { return (uint32_t)(expression); }

#if defined(__SSE2__)
/* The compiler's vector headers bring in the C library for one function that we do not use. */
#define _MM_MALLOC_H_INCLUDED
#if defined(__SSE4_1__)
#include <smmintrin.h>
#elif defined(__SSSE3__)
#include <tmmintrin.h>
#else
#include <emmintrin.h>
#endif
#define MI(v) ((__m128i)(v))
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#error "vectors need SSE2 or AArch64"
#endif

/* ---- Loads and stores; splats and single lanes ------------------------------------------------------------------- */

static inline wk_v128 wk_v128_load(const void *at)
{
	wk_v128 v;
	__builtin_memcpy(&v, at, sizeof v);
	return v;
}

static inline void wk_v128_store(void *at, wk_v128 v)
{
	__builtin_memcpy(at, &v, sizeof v);
}

static inline wk_v128 wk_i8x16_splat(uint32_t x)
{
	uint8_t b = (uint8_t)x;
	return (wk_v128)(wk_u8x16){ b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b };
}

static inline wk_v128 wk_i16x8_splat(uint32_t x)
{
	uint16_t h = (uint16_t)x;
	return (wk_v128)(wk_u16x8){ h, h, h, h, h, h, h, h };
}

static inline wk_v128 wk_i32x4_splat(uint32_t x) { return (wk_v128)(wk_u32x4){ x, x, x, x }; }
static inline wk_v128 wk_i64x2_splat(uint64_t x) { return (wk_v128)(wk_u64x2){ x, x }; }
static inline wk_v128 wk_f32x4_splat(float x) { return (wk_v128)(wk_f32x4){ x, x, x, x }; }
static inline wk_v128 wk_f64x2_splat(double x) { return (wk_v128)(wk_f64x2){ x, x }; }

static inline wk_v128 wk_v128_load32_zero(const void *at)
{
	uint32_t x;
	__builtin_memcpy(&x, at, sizeof x);
	return (wk_v128)(wk_u32x4){ x, 0, 0, 0 };
}

static inline wk_v128 wk_v128_load64_zero(const void *at)
{
	uint64_t x;
	__builtin_memcpy(&x, at, sizeof x);
	return (wk_v128)(wk_u64x2){ x, 0 };
}

#define LOAD_SPLAT(bits, type, splat) \
	static inline wk_v128 wk_v128_load##bits##_splat(const void *at) \
	{ \
		type x; \
		__builtin_memcpy(&x, at, sizeof x); \
		return splat(x); \
	}
LOAD_SPLAT(8, uint8_t, wk_i8x16_splat)
LOAD_SPLAT(16, uint16_t, wk_i16x8_splat)
LOAD_SPLAT(32, uint32_t, wk_i32x4_splat)
LOAD_SPLAT(64, uint64_t, wk_i64x2_splat)
#undef LOAD_SPLAT

static inline uint32_t wk_i8x16_extract_lane_s(wk_v128 a, uint32_t lane) { return (uint32_t)(int32_t)S8(a)[lane & 15]; }
static inline uint32_t wk_i8x16_extract_lane_u(wk_v128 a, uint32_t lane) { return U8(a)[lane & 15]; }
static inline uint32_t wk_i16x8_extract_lane_s(wk_v128 a, uint32_t lane) { return (uint32_t)(int32_t)S16(a)[lane & 7]; }
static inline uint32_t wk_i16x8_extract_lane_u(wk_v128 a, uint32_t lane) { return U16(a)[lane & 7]; }
static inline uint32_t wk_i32x4_extract_lane(wk_v128 a, uint32_t lane) { return U32(a)[lane & 3]; }
static inline uint64_t wk_i64x2_extract_lane(wk_v128 a, uint32_t lane) { return U64(a)[lane & 1]; }
static inline float wk_f32x4_extract_lane(wk_v128 a, uint32_t lane) { return F32(a)[lane & 3]; }
static inline double wk_f64x2_extract_lane(wk_v128 a, uint32_t lane) { return F64(a)[lane & 1]; }

/* Bits of a where c has ones, of b where it has zeros. */
static inline wk_v128 wk_v128_bitselect(wk_v128 a, wk_v128 b, wk_v128 c) { return (a & c) | (b & ~c); }

/* A lane whose number is known when the program runs is set by a comparison of lane numbers: writing it in memory and
 * reading all lanes back would wait for the store. */
static inline wk_v128 wk_i8x16_replace_lane(wk_v128 a, uint32_t lane, uint32_t x)
{
	wk_u8x16 numbers = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	return wk_v128_bitselect(wk_i8x16_splat(x), a, (wk_v128)(numbers == U8(wk_i8x16_splat(lane))));
}

static inline wk_v128 wk_i16x8_replace_lane(wk_v128 a, uint32_t lane, uint32_t x)
{
	wk_u16x8 numbers = { 0, 1, 2, 3, 4, 5, 6, 7 };
	return wk_v128_bitselect(wk_i16x8_splat(x), a, (wk_v128)(numbers == U16(wk_i16x8_splat(lane))));
}

static inline wk_v128 wk_i32x4_replace_lane(wk_v128 a, uint32_t lane, uint32_t x)
{
	wk_u32x4 numbers = { 0, 1, 2, 3 };
	return wk_v128_bitselect(wk_i32x4_splat(x), a, (wk_v128)(numbers == U32(wk_i32x4_splat(lane))));
}

static inline wk_v128 wk_i64x2_replace_lane(wk_v128 a, uint32_t lane, uint64_t x)
{
	wk_u32x4 numbers = { 0, 0, 1, 1 };
	return wk_v128_bitselect(wk_i64x2_splat(x), a, (wk_v128)(numbers == U32(wk_i32x4_splat(lane))));
}

static inline wk_v128 wk_f32x4_replace_lane(wk_v128 a, uint32_t lane, float x)
{
	wk_u32x4 numbers = { 0, 1, 2, 3 };
	return wk_v128_bitselect(wk_f32x4_splat(x), a, (wk_v128)(numbers == U32(wk_i32x4_splat(lane))));
}

static inline wk_v128 wk_f64x2_replace_lane(wk_v128 a, uint32_t lane, double x)
{
	wk_u32x4 numbers = { 0, 0, 1, 1 };
	return wk_v128_bitselect(wk_f64x2_splat(x), a, (wk_v128)(numbers == U32(wk_i32x4_splat(lane))));
}

/* ---- What vector operators say well on both machines ------------------------------------------------------------- */

V1(v128_not, ~a)
V2(v128_and, a & b)
V2(v128_andnot, a & ~b)
V2(v128_or, a | b)
V2(v128_xor, a ^ b)

V2(i8x16_add, U8(a) + U8(b))
V2(i16x8_add, U16(a) + U16(b))
V2(i32x4_add, U32(a) + U32(b))
V2(i64x2_add, U64(a) + U64(b))
V2(i8x16_sub, U8(a) - U8(b))
V2(i16x8_sub, U16(a) - U16(b))
V2(i32x4_sub, U32(a) - U32(b))
V2(i64x2_sub, U64(a) - U64(b))
V2(i16x8_mul, U16(a) * U16(b))
V2(i32x4_mul, U32(a) * U32(b))
V2(i64x2_mul, U64(a) * U64(b))
V1(i8x16_neg, -U8(a))
V1(i16x8_neg, -U16(a))
V1(i32x4_neg, -U32(a))
V1(i64x2_neg, -U64(a))

#define COMPARISONS(shape, S, U) \
	V2(shape##_eq, U(a) == U(b)) \
	V2(shape##_ne, U(a) != U(b)) \
	V2(shape##_lt_s, S(a) < S(b)) \
	V2(shape##_lt_u, U(a) < U(b)) \
	V2(shape##_gt_s, S(a) > S(b)) \
	V2(shape##_gt_u, U(a) > U(b)) \
	V2(shape##_le_s, S(a) <= S(b)) \
	V2(shape##_le_u, U(a) <= U(b)) \
	V2(shape##_ge_s, S(a) >= S(b)) \
	V2(shape##_ge_u, U(a) >= U(b))
COMPARISONS(i8x16, S8, U8)
COMPARISONS(i16x8, S16, U16)
COMPARISONS(i32x4, S32, U32)
#undef COMPARISONS

/* The shift count is taken modulo the lane's width. */
static inline wk_v128 wk_i16x8_shl(wk_v128 a, uint32_t n) { return (wk_v128)(U16(a) << (uint16_t)(n & 15)); }
static inline wk_v128 wk_i16x8_shr_s(wk_v128 a, uint32_t n) { return (wk_v128)(S16(a) >> (int16_t)(n & 15)); }
static inline wk_v128 wk_i16x8_shr_u(wk_v128 a, uint32_t n) { return (wk_v128)(U16(a) >> (uint16_t)(n & 15)); }
static inline wk_v128 wk_i32x4_shl(wk_v128 a, uint32_t n) { return (wk_v128)(U32(a) << (n & 31)); }
static inline wk_v128 wk_i32x4_shr_s(wk_v128 a, uint32_t n) { return (wk_v128)(S32(a) >> (int32_t)(n & 31)); }
static inline wk_v128 wk_i32x4_shr_u(wk_v128 a, uint32_t n) { return (wk_v128)(U32(a) >> (n & 31)); }
static inline wk_v128 wk_i64x2_shl(wk_v128 a, uint32_t n) { return (wk_v128)(U64(a) << (uint64_t)(n & 63)); }
static inline wk_v128 wk_i64x2_shr_u(wk_v128 a, uint32_t n) { return (wk_v128)(U64(a) >> (uint64_t)(n & 63)); }

#define FLOATS(shape, F, U, sign) \
	V2(shape##_eq, F(a) == F(b)) \
	V2(shape##_ne, F(a) != F(b)) \
	V2(shape##_lt, F(a) < F(b)) \
	V2(shape##_gt, F(a) > F(b)) \
	V2(shape##_le, F(a) <= F(b)) \
	V2(shape##_ge, F(a) >= F(b)) \
	V2(shape##_add, F(a) + F(b)) \
	V2(shape##_sub, F(a) - F(b)) \
	V2(shape##_mul, F(a) * F(b)) \
	V2(shape##_div, F(a) / F(b)) \
	V1(shape##_abs, U(a) & ~(sign)) \
	V1(shape##_neg, U(a) ^ (sign)) \
	V3(shape##_relaxed_madd, F(a) * F(b) + F(c)) \
	V3(shape##_relaxed_nmadd, F(c) - F(a) * F(b))
FLOATS(f32x4, F32, U32, 0x80000000u)
FLOATS(f64x2, F64, U64, UINT64_C(0x8000000000000000))
#undef FLOATS

V1(f32x4_convert_i32x4_s, __builtin_convertvector(S32(a), wk_f32x4))
V1(f32x4_convert_i32x4_u, __builtin_convertvector(U32(a), wk_f32x4))

/* ---- SSE2 -------------------------------------------------------------------------------------------------------- */
#if defined(__SSE2__)

/* Comparisons of 64-bit lanes are not in SSE2: equal when both halves are; greater when the high halves are, or these
 * are equal and b - a borrows. The answer is then in the high half, and is copied to the low one. */
#define HIGH_HALVES(v) __builtin_shufflevector(v, v, 1, 1, 3, 3)
static inline wk_v128 wk_i64x2_eq(wk_v128 a, wk_v128 b)
{
	wk_s32x4 equal = S32(a) == S32(b);
	return (wk_v128)(equal & __builtin_shufflevector(equal, equal, 1, 0, 3, 2));
}

static inline wk_v128 wk_i64x2_gt_s(wk_v128 a, wk_v128 b)
{
	wk_s32x4 greater = (S32(a) > S32(b)) | ((S32(a) == S32(b)) & S32(U64(b) - U64(a)));
	wk_s32x4 mask = greater >> 31;
	return (wk_v128)HIGH_HALVES(mask);
}

static inline wk_s64x2 wk_i64x2_negative(wk_v128 a)
{
	wk_s32x4 sign = S32(a) >> 31;
	return (wk_s64x2)HIGH_HALVES(sign);
}
V2(i64x2_ne, ~wk_i64x2_eq(a, b))
V2(i64x2_lt_s, wk_i64x2_gt_s(b, a))
V2(i64x2_le_s, ~wk_i64x2_gt_s(a, b))
V2(i64x2_ge_s, ~wk_i64x2_gt_s(b, a))

/* m is all ones where a is negative: then (a ^ m) - m is ~a + 1. */
#define ABSOLUTE(shape, U, negative) \
	static inline wk_v128 wk_##shape##_abs(wk_v128 a) { return (wk_v128)((U(a) ^ U(negative)) - U(negative)); }
ABSOLUTE(i8x16, U8, S8(a) < 0)
ABSOLUTE(i16x8, U16, S16(a) >> 15)
ABSOLUTE(i32x4, U32, S32(a) >> 31)
ABSOLUTE(i64x2, U64, wk_i64x2_negative(a))
#undef ABSOLUTE

/* 8-bit lanes are shifted in pairs; what came from the neighbour is masked away. A signed shift is an unsigned one
 * whose sign bit, wherever it is now, is extended by (x ^ s) - s. */
static inline wk_v128 wk_i8x16_shl(wk_v128 a, uint32_t n)
{
	return wk_i16x8_shl(a, n & 7) & wk_i8x16_splat(0xffu << (n & 7));
}

static inline wk_v128 wk_i8x16_shr_u(wk_v128 a, uint32_t n)
{
	return wk_i16x8_shr_u(a, n & 7) & wk_i8x16_splat(0xffu >> (n & 7));
}

static inline wk_v128 wk_i8x16_shr_s(wk_v128 a, uint32_t n)
{
	wk_v128 sign = wk_i8x16_splat(0x80u >> (n & 7));
	return (wk_v128)(U8(wk_i8x16_shr_u(a, n) ^ sign) - U8(sign));
}

static inline wk_v128 wk_i64x2_shr_s(wk_v128 a, uint32_t n)
{
	wk_v128 sign = wk_i64x2_shr_u(wk_i64x2_splat(UINT64_C(1) << 63), n);
	return (wk_i64x2_shr_u(a, n) ^ sign) - sign;
}

V2(i8x16_add_sat_s, _mm_adds_epi8(MI(a), MI(b)))
V2(i8x16_add_sat_u, _mm_adds_epu8(MI(a), MI(b)))
V2(i8x16_sub_sat_s, _mm_subs_epi8(MI(a), MI(b)))
V2(i8x16_sub_sat_u, _mm_subs_epu8(MI(a), MI(b)))
V2(i16x8_add_sat_s, _mm_adds_epi16(MI(a), MI(b)))
V2(i16x8_add_sat_u, _mm_adds_epu16(MI(a), MI(b)))
V2(i16x8_sub_sat_s, _mm_subs_epi16(MI(a), MI(b)))
V2(i16x8_sub_sat_u, _mm_subs_epu16(MI(a), MI(b)))
V2(i8x16_avgr_u, _mm_avg_epu8(MI(a), MI(b)))
V2(i16x8_avgr_u, _mm_avg_epu16(MI(a), MI(b)))

V2(i8x16_min_u, _mm_min_epu8(MI(a), MI(b)))
V2(i8x16_max_u, _mm_max_epu8(MI(a), MI(b)))
V2(i16x8_min_s, _mm_min_epi16(MI(a), MI(b)))
V2(i16x8_max_s, _mm_max_epi16(MI(a), MI(b)))
#if defined(__SSE4_1__)
V2(i8x16_min_s, _mm_min_epi8(MI(a), MI(b)))
V2(i8x16_max_s, _mm_max_epi8(MI(a), MI(b)))
V2(i16x8_min_u, _mm_min_epu16(MI(a), MI(b)))
V2(i16x8_max_u, _mm_max_epu16(MI(a), MI(b)))
V2(i32x4_min_s, _mm_min_epi32(MI(a), MI(b)))
V2(i32x4_max_s, _mm_max_epi32(MI(a), MI(b)))
V2(i32x4_min_u, _mm_min_epu32(MI(a), MI(b)))
V2(i32x4_max_u, _mm_max_epu32(MI(a), MI(b)))
#else
/* a - max(a - b, 0) and b + max(a - b, 0) for 16-bit unsigned lanes. */
V2(i8x16_min_s, wk_v128_bitselect(a, b, wk_i8x16_lt_s(a, b)))
V2(i8x16_max_s, wk_v128_bitselect(a, b, wk_i8x16_gt_s(a, b)))
V2(i16x8_min_u, U16(a) - U16(_mm_subs_epu16(MI(a), MI(b))))
V2(i16x8_max_u, U16(b) + U16(_mm_subs_epu16(MI(a), MI(b))))
V2(i32x4_min_s, wk_v128_bitselect(a, b, wk_i32x4_lt_s(a, b)))
V2(i32x4_max_s, wk_v128_bitselect(a, b, wk_i32x4_gt_s(a, b)))
V2(i32x4_min_u, wk_v128_bitselect(a, b, wk_i32x4_lt_u(a, b)))
V2(i32x4_max_u, wk_v128_bitselect(a, b, wk_i32x4_gt_u(a, b)))
#endif

/* Sums of 2, 4, 8 bits side by side; the shifts are those of 16-bit lanes, so foreign bits are masked. */
static inline wk_v128 wk_i8x16_popcnt(wk_v128 a)
{
	wk_u8x16 x = U8(a);
	x = x - (U8(U16(x) >> 1) & 0x55);
	x = (x & 0x33) + (U8(U16(x) >> 2) & 0x33);
	return (wk_v128)((x + U8(U16(x) >> 4)) & 0x0f);
}

TEST(v128_any_true, _mm_movemask_epi8(_mm_cmpeq_epi8(MI(a), _mm_setzero_si128())) != 0xffff)
TEST(i8x16_all_true, _mm_movemask_epi8(_mm_cmpeq_epi8(MI(a), _mm_setzero_si128())) == 0)
TEST(i16x8_all_true, _mm_movemask_epi8(_mm_cmpeq_epi16(MI(a), _mm_setzero_si128())) == 0)
TEST(i32x4_all_true, _mm_movemask_epi8(_mm_cmpeq_epi32(MI(a), _mm_setzero_si128())) == 0)
TEST(i64x2_all_true, _mm_movemask_epi8(MI(wk_i64x2_eq(a, wk_i64x2_splat(0)))) == 0)
TEST(i8x16_bitmask, _mm_movemask_epi8(MI(a)))
TEST(i16x8_bitmask, _mm_movemask_epi8(_mm_packs_epi16(MI(a), _mm_setzero_si128())))
TEST(i32x4_bitmask, _mm_movemask_ps(F32(a)))
TEST(i64x2_bitmask, _mm_movemask_pd(F64(a)))

/* Narrowing to unsigned 16 bits is not in SSE2: negative lanes become 0, then the signed one saturates around 2^15. */
V2(i8x16_narrow_i16x8_s, _mm_packs_epi16(MI(a), MI(b)))
V2(i8x16_narrow_i16x8_u, _mm_packus_epi16(MI(a), MI(b)))
V2(i16x8_narrow_i32x4_s, _mm_packs_epi32(MI(a), MI(b)))
static inline wk_v128 wk_i16x8_narrow_i32x4_u(wk_v128 a, wk_v128 b)
{
	wk_s32x4 x = (S32(a) & ~(S32(a) >> 31)) - 0x8000, y = (S32(b) & ~(S32(b) >> 31)) - 0x8000;
	return (wk_v128)(U16(_mm_packs_epi32(MI(x), MI(y))) ^ 0x8000);
}

/* A lane beside itself, shifted down; or beside zeros, or its sign. */
V1(i16x8_extend_low_i8x16_s, S16(_mm_unpacklo_epi8(MI(a), MI(a))) >> 8)
V1(i16x8_extend_high_i8x16_s, S16(_mm_unpackhi_epi8(MI(a), MI(a))) >> 8)
V1(i16x8_extend_low_i8x16_u, _mm_unpacklo_epi8(MI(a), _mm_setzero_si128()))
V1(i16x8_extend_high_i8x16_u, _mm_unpackhi_epi8(MI(a), _mm_setzero_si128()))
V1(i32x4_extend_low_i16x8_s, S32(_mm_unpacklo_epi16(MI(a), MI(a))) >> 16)
V1(i32x4_extend_high_i16x8_s, S32(_mm_unpackhi_epi16(MI(a), MI(a))) >> 16)
V1(i32x4_extend_low_i16x8_u, _mm_unpacklo_epi16(MI(a), _mm_setzero_si128()))
V1(i32x4_extend_high_i16x8_u, _mm_unpackhi_epi16(MI(a), _mm_setzero_si128()))
V1(i64x2_extend_low_i32x4_s, _mm_unpacklo_epi32(MI(a), MI(S32(a) >> 31)))
V1(i64x2_extend_high_i32x4_s, _mm_unpackhi_epi32(MI(a), MI(S32(a) >> 31)))
V1(i64x2_extend_low_i32x4_u, _mm_unpacklo_epi32(MI(a), _mm_setzero_si128()))
V1(i64x2_extend_high_i32x4_u, _mm_unpackhi_epi32(MI(a), _mm_setzero_si128()))

V1(i16x8_extadd_pairwise_i8x16_s, (S16(a) >> 8) + (S16(U16(a) << 8) >> 8))
V1(i16x8_extadd_pairwise_i8x16_u, (U16(a) >> 8) + (U16(a) & 0xff))
V1(i32x4_extadd_pairwise_i16x8_s, _mm_madd_epi16(MI(a), _mm_set1_epi16(1)))
V1(i32x4_extadd_pairwise_i16x8_u, (U32(a) >> 16) + (U32(a) & 0xffff))

#define EXTMUL_8(half, sign) \
	V2(i16x8_extmul_##half##_i8x16_##sign, \
		U16(wk_i16x8_extend_##half##_i8x16_##sign(a)) * U16(wk_i16x8_extend_##half##_i8x16_##sign(b)))
EXTMUL_8(low, s)
EXTMUL_8(high, s)
EXTMUL_8(low, u)
EXTMUL_8(high, u)
#undef EXTMUL_8
V2(i32x4_extmul_low_i16x8_s, _mm_unpacklo_epi16(_mm_mullo_epi16(MI(a), MI(b)), _mm_mulhi_epi16(MI(a), MI(b))))
V2(i32x4_extmul_high_i16x8_s, _mm_unpackhi_epi16(_mm_mullo_epi16(MI(a), MI(b)), _mm_mulhi_epi16(MI(a), MI(b))))
V2(i32x4_extmul_low_i16x8_u, _mm_unpacklo_epi16(_mm_mullo_epi16(MI(a), MI(b)), _mm_mulhi_epu16(MI(a), MI(b))))
V2(i32x4_extmul_high_i16x8_u, _mm_unpackhi_epi16(_mm_mullo_epi16(MI(a), MI(b)), _mm_mulhi_epu16(MI(a), MI(b))))

/* The machine multiplies lanes 0 and 2 unsigned. The signed product is less by b * 2^32 where a is negative, and by
 * a * 2^32 where b is. Operands: the lane in both halves of 64 bits. */
static inline wk_v128 wk_i64x2_multiply_signed(wk_v128 a, wk_v128 b)
{
	wk_u32x4 excess = (U32(S32(a) >> 31) & U32(b)) + (U32(S32(b) >> 31) & U32(a));
	return U64(_mm_mul_epu32(MI(a), MI(b))) - (U64(excess) << 32);
}
#define TWICE_LOW(v) (wk_v128)_mm_unpacklo_epi32(MI(v), MI(v))
#define TWICE_HIGH(v) (wk_v128)_mm_unpackhi_epi32(MI(v), MI(v))
V2(i64x2_extmul_low_i32x4_s, wk_i64x2_multiply_signed(TWICE_LOW(a), TWICE_LOW(b)))
V2(i64x2_extmul_high_i32x4_s, wk_i64x2_multiply_signed(TWICE_HIGH(a), TWICE_HIGH(b)))
V2(i64x2_extmul_low_i32x4_u, _mm_mul_epu32(MI(TWICE_LOW(a)), MI(TWICE_LOW(b))))
V2(i64x2_extmul_high_i32x4_u, _mm_mul_epu32(MI(TWICE_HIGH(a)), MI(TWICE_HIGH(b))))
#undef TWICE_LOW
#undef TWICE_HIGH

V2(i32x4_dot_i16x8_s, _mm_madd_epi16(MI(a), MI(b)))

/* (p + 2^14) >> 15 of the 32-bit product p: bits 15 to 30 of p, plus bit 14. Only (-2^15)^2 does not fit: it gives the
 * otherwise impossible -2^15. */
static inline wk_v128 wk_i16x8_q15mulr_sat_s(wk_v128 a, wk_v128 b)
{
	wk_u16x8 low = U16(_mm_mullo_epi16(MI(a), MI(b))), high = U16(_mm_mulhi_epi16(MI(a), MI(b)));
	wk_u16x8 r = ((high << 1) | (low >> 15)) + ((low >> 14) & 1);
	return (wk_v128)(r ^ U16(r == 0x8000));
}

/* Even and odd lanes apart. The sum saturates (ivdotsat): two products of (-128)^2 do not fit. */
V2(i16x8_relaxed_dot_i8x16_i7x16_s,
	_mm_adds_epi16(MI(U16(S16(a) >> 8) * U16(S16(b) >> 8)),
		MI(U16(S16(U16(a) << 8) >> 8) * U16(S16(U16(b) << 8) >> 8))))

#if defined(__SSSE3__)
/* pshufb gives 0 where bit 7 of the number is set. */
V2(i8x16_swizzle, _mm_shuffle_epi8(MI(a), _mm_adds_epu8(MI(b), _mm_set1_epi8(0x70))))
static inline wk_v128 wk_i8x16_shuffle(wk_v128 a, wk_v128 b, const uint8_t lanes[16])
{
	wk_v128 from = wk_v128_load(lanes);
	__m128i first = _mm_shuffle_epi8(MI(a), _mm_adds_epu8(MI(from), _mm_set1_epi8(0x70)));
	return (wk_v128)_mm_or_si128(first, _mm_shuffle_epi8(MI(b), MI(U8(from) - 16)));
}
#else
/* Sixteen bytes of a table, put together in registers. */
static inline wk_v128 wk_v128_gather(const uint8_t *table, const uint8_t *lanes)
{
	uint64_t half[2] = { 0, 0 };
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 8
#endif
	for (unsigned i = 0; i < 8; i++) {
		half[0] |= (uint64_t)table[lanes[i]] << 8 * i;
		half[1] |= (uint64_t)table[lanes[i + 8]] << 8 * i;
	}
	return (wk_v128){ half[0], half[1] };
}

static inline wk_v128 wk_i8x16_swizzle(wk_v128 a, wk_v128 b)
{
	uint8_t table[32], lanes[16];
	wk_v128_store(table, a);
	wk_v128_store(table + 16, wk_i64x2_splat(0));
	wk_v128_store(lanes, wk_i8x16_min_u(b, wk_i8x16_splat(16)));
	return wk_v128_gather(table, lanes);
}

static inline wk_v128 wk_i8x16_shuffle(wk_v128 a, wk_v128 b, const uint8_t lanes[16])
{
	uint8_t table[32];
	wk_v128_store(table, a);
	wk_v128_store(table + 16, b);
	return wk_v128_gather(table, lanes);
}
#endif

V1(f32x4_sqrt, _mm_sqrt_ps(F32(a)))
V1(f64x2_sqrt, _mm_sqrt_pd(F64(a)))

/* The machine's min(x, y) is x < y ? x : y, max alike. Taken in both orders, the results differ only for zeros and NaN:
 * their union is then the lesser zero, their intersection the greater. Where an operand is NaN, all bits are set, and
 * those of the payload below the highest cleared again. */
#define MIN_MAX(shape, F, U, suffix, payload) \
	V2(shape##_pmin, _mm_min_##suffix(F(b), F(a))) \
	V2(shape##_pmax, _mm_max_##suffix(F(b), F(a))) \
	static inline wk_v128 wk_##shape##_min(wk_v128 a, wk_v128 b) \
	{ \
		wk_v128 nan = (wk_v128)_mm_cmpunord_##suffix(F(a), F(b)); \
		wk_v128 r = (wk_v128)_mm_min_##suffix(F(a), F(b)) | (wk_v128)_mm_min_##suffix(F(b), F(a)); \
		return (r | nan) & ~(wk_v128)(U(nan) >> (payload)); \
	} \
	static inline wk_v128 wk_##shape##_max(wk_v128 a, wk_v128 b) \
	{ \
		wk_v128 nan = (wk_v128)_mm_cmpunord_##suffix(F(a), F(b)); \
		wk_v128 r = (wk_v128)_mm_max_##suffix(F(a), F(b)) & (wk_v128)_mm_max_##suffix(F(b), F(a)); \
		return (r | nan) & ~(wk_v128)(U(nan) >> (payload)); \
	}
MIN_MAX(f32x4, F32, U32, ps, 10)
MIN_MAX(f64x2, F64, U64, pd, 13)
#undef MIN_MAX

#if defined(__SSE4_1__)
V1(f32x4_ceil, _mm_round_ps(F32(a), _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC))
V1(f32x4_floor, _mm_round_ps(F32(a), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC))
V1(f32x4_trunc, _mm_round_ps(F32(a), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
V1(f32x4_nearest, _mm_round_ps(F32(a), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
V1(f64x2_ceil, _mm_round_pd(F64(a), _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC))
V1(f64x2_floor, _mm_round_pd(F64(a), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC))
V1(f64x2_trunc, _mm_round_pd(F64(a), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
V1(f64x2_nearest, _mm_round_pd(F64(a), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
#else
/* As numeric.h does it; lanes that are integers already, or no numbers, add 0 instead of 2^23 or 2^52, which makes NaN
 * quiet. */
#define ROUNDING(shape, F, U, splat, magic, one, sign_bit) \
	static inline wk_v128 wk_##shape##_nearest(wk_v128 a) \
	{ \
		wk_v128 sign = (wk_v128)(U(a) & (sign_bit)); \
		wk_v128 small = (wk_v128)(F(a ^ sign) < (magic)); \
		wk_v128 m = (splat(magic) & small) | sign; \
		return (wk_v128)((F(a) + F(m)) - F(m)) | sign; \
	} \
	static inline wk_v128 wk_##shape##_floor(wk_v128 a) \
	{ \
		wk_v128 r = wk_##shape##_nearest(a); \
		wk_v128 above = (wk_v128)(F(r) > F(a)); \
		return (wk_v128)(F(r) - F(above & splat(one))); \
	} \
	static inline wk_v128 wk_##shape##_ceil(wk_v128 a) \
	{ \
		wk_v128 r = wk_##shape##_nearest(a); \
		wk_v128 below = (wk_v128)(F(r) < F(a)); \
		return (wk_v128)(F(r) + F(below & splat(one))) | (wk_v128)(U(a) & (sign_bit)); \
	} \
	static inline wk_v128 wk_##shape##_trunc(wk_v128 a) \
	{ \
		wk_v128 sign = (wk_v128)(U(a) & (sign_bit)); \
		return wk_##shape##_floor(a ^ sign) | sign; \
	}
ROUNDING(f32x4, F32, U32, wk_f32x4_splat, 8388608.0f, 1.0f, 0x80000000u)
ROUNDING(f64x2, F64, U64, wk_f64x2_splat, 4503599627370496.0, 1.0, UINT64_C(0x8000000000000000))
#undef ROUNDING
#endif

/* The machine's conversion gives 0x80000000 for all that does not fit. Signed: right for what is too small; NaN is
 * made 0 before, and what is too large inverted after. */
static inline wk_v128 wk_i32x4_trunc_sat_f32x4_s(wk_v128 a)
{
	wk_v128 x = a & (wk_v128)(F32(a) == F32(a));
	return (wk_v128)_mm_cvttps_epi32(F32(x)) ^ (wk_v128)(F32(x) >= 2147483648.0f);
}

/* Unsigned: max(x, 0) is 0 for NaN. What is 2^31 or more has given 0x80000000: bits 0 to 30 come from x - 2^31. What is
 * 2^32 or more gets all bits. */
static inline wk_v128 wk_i32x4_trunc_sat_f32x4_u(wk_v128 a)
{
	wk_f32x4 x = _mm_max_ps(F32(a), _mm_setzero_ps());
	wk_s32x4 low = S32(_mm_cvttps_epi32(x)), high = S32(_mm_cvttps_epi32(x - 2147483648.0f));
	return (wk_v128)(low | (high & (low >> 31)) | S32(x >= 4294967296.0f));
}

/* From double, the largest results are numbers themselves, so operands are limited before. Lanes 2 and 3 become 0. */
static inline wk_v128 wk_i32x4_trunc_sat_f64x2_s_zero(wk_v128 a)
{
	wk_v128 x = a & (wk_v128)(F64(a) == F64(a));
	return (wk_v128)_mm_cvttpd_epi32(_mm_min_pd(F64(x), _mm_set1_pd(2147483647.0)));
}

static inline wk_v128 wk_i32x4_trunc_sat_f64x2_u_zero(wk_v128 a)
{
	wk_f64x2 x = _mm_min_pd(_mm_max_pd(F64(a), _mm_setzero_pd()), _mm_set1_pd(4294967295.0));
	wk_s32x4 low = S32(_mm_cvttpd_epi32(x)), high = S32(_mm_cvttpd_epi32(x - 2147483648.0));
	return (wk_v128)(low | (high & (low >> 31)));
}

/* Unsigned to double: the 32 bits as the lowest of 2^52's fraction, less 2^52. */
V1(f64x2_convert_low_i32x4_s, _mm_cvtepi32_pd(MI(a)))
V1(f64x2_convert_low_i32x4_u, F64(_mm_unpacklo_epi32(MI(a), _mm_set1_epi32(0x43300000))) - 4503599627370496.0)
V1(f32x4_demote_f64x2_zero, _mm_cvtpd_ps(F64(a)))
V1(f64x2_promote_low_f32x4, _mm_cvtps_pd(F32(a)))

#undef HIGH_HALVES
#undef MI

/* ---- AArch64 ----------------------------------------------------------------------------------------------------- */
#else

V2(i64x2_eq, U64(a) == U64(b))
V2(i64x2_ne, U64(a) != U64(b))
V2(i64x2_lt_s, S64(a) < S64(b))
V2(i64x2_gt_s, S64(a) > S64(b))
V2(i64x2_le_s, S64(a) <= S64(b))
V2(i64x2_ge_s, S64(a) >= S64(b))
static inline wk_v128 wk_i8x16_shl(wk_v128 a, uint32_t n) { return (wk_v128)(U8(a) << (uint8_t)(n & 7)); }
static inline wk_v128 wk_i8x16_shr_s(wk_v128 a, uint32_t n) { return (wk_v128)(S8(a) >> (int8_t)(n & 7)); }
static inline wk_v128 wk_i8x16_shr_u(wk_v128 a, uint32_t n) { return (wk_v128)(U8(a) >> (uint8_t)(n & 7)); }
static inline wk_v128 wk_i64x2_shr_s(wk_v128 a, uint32_t n) { return (wk_v128)(S64(a) >> (int64_t)(n & 63)); }

V1(i8x16_abs, vabsq_s8(S8(a)))
V1(i16x8_abs, vabsq_s16(S16(a)))
V1(i32x4_abs, vabsq_s32(S32(a)))
V1(i64x2_abs, vabsq_s64(S64(a)))
V1(i8x16_popcnt, vcntq_u8(U8(a)))

#define SMALL_LANES(shape, S, U, bits) \
	V2(shape##_add_sat_s, vqaddq_s##bits(S(a), S(b))) \
	V2(shape##_add_sat_u, vqaddq_u##bits(U(a), U(b))) \
	V2(shape##_sub_sat_s, vqsubq_s##bits(S(a), S(b))) \
	V2(shape##_sub_sat_u, vqsubq_u##bits(U(a), U(b))) \
	V2(shape##_avgr_u, vrhaddq_u##bits(U(a), U(b)))
SMALL_LANES(i8x16, S8, U8, 8)
SMALL_LANES(i16x8, S16, U16, 16)
#undef SMALL_LANES

#define MIN_MAX(shape, S, U, bits) \
	V2(shape##_min_s, vminq_s##bits(S(a), S(b))) \
	V2(shape##_min_u, vminq_u##bits(U(a), U(b))) \
	V2(shape##_max_s, vmaxq_s##bits(S(a), S(b))) \
	V2(shape##_max_u, vmaxq_u##bits(U(a), U(b)))
MIN_MAX(i8x16, S8, U8, 8)
MIN_MAX(i16x8, S16, U16, 16)
MIN_MAX(i32x4, S32, U32, 32)
#undef MIN_MAX

/* A bitmask: the sign of each lane, as a bit with the lane's number, then the sum of all. */
static inline uint32_t wk_i8x16_bitmask(wk_v128 a)
{
	wk_u8x16 place = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t bits = U8(S8(a) >> 7) & place;
	return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint32_t wk_i16x8_bitmask(wk_v128 a)
{
	wk_u16x8 place = { 1, 2, 4, 8, 16, 32, 64, 128 };
	return vaddvq_u16(U16(S16(a) >> 15) & place);
}

static inline uint32_t wk_i32x4_bitmask(wk_v128 a)
{
	wk_u32x4 place = { 1, 2, 4, 8 };
	return vaddvq_u32(U32(S32(a) >> 31) & place);
}
TEST(i64x2_bitmask, a[0] >> 63 | a[1] >> 63 << 1)
TEST(v128_any_true, vmaxvq_u32(U32(a)) != 0)
TEST(i8x16_all_true, vminvq_u8(U8(a)) != 0)
TEST(i16x8_all_true, vminvq_u16(U16(a)) != 0)
TEST(i32x4_all_true, vminvq_u32(U32(a)) != 0)
TEST(i64x2_all_true, a[0] != 0 && a[1] != 0)

V2(i8x16_narrow_i16x8_s, vqmovn_high_s16(vqmovn_s16(S16(a)), S16(b)))
V2(i8x16_narrow_i16x8_u, vqmovun_high_s16(vqmovun_s16(S16(a)), S16(b)))
V2(i16x8_narrow_i32x4_s, vqmovn_high_s32(vqmovn_s32(S32(a)), S32(b)))
V2(i16x8_narrow_i32x4_u, vqmovun_high_s32(vqmovun_s32(S32(a)), S32(b)))

#define WIDER(to, from, sign, X, lane) \
	V1(to##_extend_low_##from##_##sign, vmovl_##lane(vget_low_##lane(X(a)))) \
	V1(to##_extend_high_##from##_##sign, vmovl_high_##lane(X(a))) \
	V2(to##_extmul_low_##from##_##sign, vmull_##lane(vget_low_##lane(X(a)), vget_low_##lane(X(b)))) \
	V2(to##_extmul_high_##from##_##sign, vmull_high_##lane(X(a), X(b)))
WIDER(i16x8, i8x16, s, S8, s8)
WIDER(i16x8, i8x16, u, U8, u8)
WIDER(i32x4, i16x8, s, S16, s16)
WIDER(i32x4, i16x8, u, U16, u16)
WIDER(i64x2, i32x4, s, S32, s32)
WIDER(i64x2, i32x4, u, U32, u32)
#undef WIDER
V1(i16x8_extadd_pairwise_i8x16_s, vpaddlq_s8(S8(a)))
V1(i16x8_extadd_pairwise_i8x16_u, vpaddlq_u8(U8(a)))
V1(i32x4_extadd_pairwise_i16x8_s, vpaddlq_s16(S16(a)))
V1(i32x4_extadd_pairwise_i16x8_u, vpaddlq_u16(U16(a)))

V2(i32x4_dot_i16x8_s,
	vpaddq_s32(vmull_s16(vget_low_s16(S16(a)), vget_low_s16(S16(b))), vmull_high_s16(S16(a), S16(b))))
V2(i16x8_q15mulr_sat_s, vqrdmulhq_s16(S16(a), S16(b)))
/* The sum saturates (ivdotsat): two products of (-128)^2 do not fit. */
static inline wk_v128 wk_i16x8_relaxed_dot_i8x16_i7x16_s(wk_v128 a, wk_v128 b)
{
	int16x8_t low = vmull_s8(vget_low_s8(S8(a)), vget_low_s8(S8(b))), high = vmull_high_s8(S8(a), S8(b));
	return (wk_v128)vqaddq_s16(vuzp1q_s16(low, high), vuzp2q_s16(low, high));
}

/* tbl gives 0 for numbers beyond the table. */
V2(i8x16_swizzle, vqtbl1q_u8(U8(a), U8(b)))
static inline wk_v128 wk_i8x16_shuffle(wk_v128 a, wk_v128 b, const uint8_t lanes[16])
{
	uint8x16x2_t table = { { U8(a), U8(b) } };
	return (wk_v128)vqtbl2q_u8(table, U8(wk_v128_load(lanes)));
}

#define FLOATS(shape, F, bits) \
	V1(shape##_sqrt, vsqrtq_f##bits(F(a))) \
	V1(shape##_ceil, vrndpq_f##bits(F(a))) \
	V1(shape##_floor, vrndmq_f##bits(F(a))) \
	V1(shape##_trunc, vrndq_f##bits(F(a))) \
	V1(shape##_nearest, vrndnq_f##bits(F(a))) \
	V2(shape##_min, vminq_f##bits(F(a), F(b))) \
	V2(shape##_max, vmaxq_f##bits(F(a), F(b))) \
	V2(shape##_pmin, wk_v128_bitselect(b, a, (wk_v128)(F(b) < F(a)))) \
	V2(shape##_pmax, wk_v128_bitselect(b, a, (wk_v128)(F(a) < F(b))))
FLOATS(f32x4, F32, 32)
FLOATS(f64x2, F64, 64)
#undef FLOATS

/* The machine's conversions saturate and take NaN for 0. */
V1(i32x4_trunc_sat_f32x4_s, vcvtq_s32_f32(F32(a)))
V1(i32x4_trunc_sat_f32x4_u, vcvtq_u32_f32(F32(a)))
V1(i32x4_trunc_sat_f64x2_s_zero, vcombine_s32(vqmovn_s64(vcvtq_s64_f64(F64(a))), vdup_n_s32(0)))
V1(i32x4_trunc_sat_f64x2_u_zero, vcombine_u32(vqmovn_u64(vcvtq_u64_f64(F64(a))), vdup_n_u32(0)))
V1(f64x2_convert_low_i32x4_s, vcvtq_f64_s64(vmovl_s32(vget_low_s32(S32(a)))))
V1(f64x2_convert_low_i32x4_u, vcvtq_f64_u64(vmovl_u32(vget_low_u32(U32(a)))))
V1(f32x4_demote_f64x2_zero, vcombine_f32(vcvt_f32_f64(F64(a)), vdup_n_f32(0)))
V1(f64x2_promote_low_f32x4, vcvt_f64_f32(vget_low_f32(F32(a))))
#endif

/* ---- Made of the above ------------------------------------------------------------------------------------------- */

V3(i32x4_relaxed_dot_i8x16_i7x16_add_s,
	wk_i32x4_add(wk_i32x4_extadd_pairwise_i16x8_s(wk_i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), c))

static inline wk_v128 wk_v128_load8x8_s(const void *at) { return wk_i16x8_extend_low_i8x16_s(wk_v128_load64_zero(at)); }
static inline wk_v128 wk_v128_load8x8_u(const void *at) { return wk_i16x8_extend_low_i8x16_u(wk_v128_load64_zero(at)); }
static inline wk_v128 wk_v128_load16x4_s(const void *at) { return wk_i32x4_extend_low_i16x8_s(wk_v128_load64_zero(at)); }
static inline wk_v128 wk_v128_load16x4_u(const void *at) { return wk_i32x4_extend_low_i16x8_u(wk_v128_load64_zero(at)); }
static inline wk_v128 wk_v128_load32x2_s(const void *at) { return wk_i64x2_extend_low_i32x4_s(wk_v128_load64_zero(at)); }
static inline wk_v128 wk_v128_load32x2_u(const void *at) { return wk_i64x2_extend_low_i32x4_u(wk_v128_load64_zero(at)); }

#undef S8
#undef U8
#undef S16
#undef U16
#undef S32
#undef U32
#undef S64
#undef U64
#undef F32
#undef F64
#undef V1
#undef V2
#undef V3
#undef TEST

#endif
