/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector instructions (src/interp/simd.h) against code that goes from lane to lane in the specification's words
 * (4.3.5, 4.3.6). Each row of the tables of simd.h needs a reference here, ref_NAME: without it this does not compile.
 * Operands are vectors of special values of every lane type and of pseudo-random bits, all pairs of them. Float
 * operations on a lane are those of numeric.h, which test_numeric.c checks.
 */
#include "interp/numeric.h"
#include "interp/simd.h"
#include "unit/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

union lanes {
	int8_t s8[16];
	uint8_t u8[16];
	int16_t s16[8];
	uint16_t u16[8];
	int32_t s32[4];
	uint32_t u32[4];
	int64_t s64[2];
	uint64_t u64[2];
	float f32[4];
	double f64[2];
};

/* How results are compared: bit by bit, or as floats, where one NaN is as good as another of its kind. */
enum kind { BITS, FLOATS_32, FLOATS_64 };

typedef void reference(const union lanes *a, const union lanes *b, const union lanes *c, uint64_t n, union lanes *r);

#define UNUSED (void)a, (void)b, (void)c, (void)n
#define LANES(t) (sizeof(union lanes) / sizeof(((union lanes *)0)->t[0]))
#define TYPE(t) __typeof__(((union lanes *)0)->t[0])

/* ref_name, lane by lane: x, y, z are the operands' lanes of type `in`, the result has lanes `out`. */
#define REFERENCE(name, result_kind, in, out, expression) \
	enum { kind_##name = result_kind }; \
	static void ref_##name(const union lanes *a, const union lanes *b, const union lanes *c, uint64_t n, union lanes *r) \
	{ \
		UNUSED; \
		for (size_t i = 0; i < LANES(out); i++) { \
			TYPE(in) x = a->in[i % LANES(in)], y = b->in[i % LANES(in)], z = c->in[i % LANES(in)]; \
			(void)x, (void)y, (void)z; \
			r->out[i] = (TYPE(out))(expression); \
		} \
	}
#define INTEGER(name, in, out, expression) REFERENCE(name, BITS, in, out, expression)

static int64_t clamp(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

/* ---- bits ---- */

INTEGER(V128_NOT, u64, u64, ~x)
INTEGER(V128_AND, u64, u64, x & y)
INTEGER(V128_ANDNOT, u64, u64, x & ~y)
INTEGER(V128_OR, u64, u64, x | y)
INTEGER(V128_XOR, u64, u64, x ^ y)
INTEGER(V128_BITSELECT, u64, u64, (x & z) | (y & ~z))
INTEGER(I8X16_RELAXED_LANESELECT, u64, u64, (x & z) | (y & ~z))
INTEGER(I16X8_RELAXED_LANESELECT, u64, u64, (x & z) | (y & ~z))
INTEGER(I32X4_RELAXED_LANESELECT, u64, u64, (x & z) | (y & ~z))
INTEGER(I64X2_RELAXED_LANESELECT, u64, u64, (x & z) | (y & ~z))
INTEGER(I8X16_SWIZZLE, u8, u8, y < 16 ? a->u8[y] : 0)
INTEGER(I8X16_RELAXED_SWIZZLE, u8, u8, y < 16 ? a->u8[y] : 0)

/* ---- integers of one width ---- */

#define INTEGERS(shape, s, u, bits) \
	INTEGER(shape##_ABS, s, u, x < 0 ? 0 - (uint64_t)x : (uint64_t)x) \
	INTEGER(shape##_NEG, u, u, 0 - (uint64_t)x) \
	INTEGER(shape##_ADD, u, u, (uint64_t)x + y) \
	INTEGER(shape##_SUB, u, u, (uint64_t)x - y) \
	INTEGER(shape##_EQ, u, s, x == y ? -1 : 0) \
	INTEGER(shape##_NE, u, s, x != y ? -1 : 0) \
	INTEGER(shape##_LT_S, s, s, x < y ? -1 : 0) \
	INTEGER(shape##_GT_S, s, s, x > y ? -1 : 0) \
	INTEGER(shape##_LE_S, s, s, x <= y ? -1 : 0) \
	INTEGER(shape##_GE_S, s, s, x >= y ? -1 : 0) \
	INTEGER(shape##_SHL, u, u, (uint64_t)x << (n % (bits))) \
	INTEGER(shape##_SHR_S, s, s, x >> (n % (bits))) \
	INTEGER(shape##_SHR_U, u, u, x >> (n % (bits)))
#define UNSIGNED(shape, s, u) \
	INTEGER(shape##_LT_U, u, s, x < y ? -1 : 0) \
	INTEGER(shape##_GT_U, u, s, x > y ? -1 : 0) \
	INTEGER(shape##_LE_U, u, s, x <= y ? -1 : 0) \
	INTEGER(shape##_GE_U, u, s, x >= y ? -1 : 0) \
	INTEGER(shape##_MIN_S, s, s, x < y ? x : y) \
	INTEGER(shape##_MIN_U, u, u, x < y ? x : y) \
	INTEGER(shape##_MAX_S, s, s, x > y ? x : y) \
	INTEGER(shape##_MAX_U, u, u, x > y ? x : y)
#define SATURATING(shape, s, u, least, most, most_u) \
	INTEGER(shape##_ADD_SAT_S, s, s, clamp(x + y, least, most)) \
	INTEGER(shape##_ADD_SAT_U, u, u, clamp(x + y, 0, most_u)) \
	INTEGER(shape##_SUB_SAT_S, s, s, clamp(x - y, least, most)) \
	INTEGER(shape##_SUB_SAT_U, u, u, clamp(x - y, 0, most_u)) \
	INTEGER(shape##_AVGR_U, u, u, (x + y + 1) / 2)
INTEGERS(I8X16, s8, u8, 8)
INTEGERS(I16X8, s16, u16, 16)
INTEGERS(I32X4, s32, u32, 32)
INTEGERS(I64X2, s64, u64, 64)
UNSIGNED(I8X16, s8, u8)
UNSIGNED(I16X8, s16, u16)
UNSIGNED(I32X4, s32, u32)
SATURATING(I8X16, s8, u8, INT8_MIN, INT8_MAX, UINT8_MAX)
SATURATING(I16X8, s16, u16, INT16_MIN, INT16_MAX, UINT16_MAX)
INTEGER(I8X16_POPCNT, u8, u8, __builtin_popcount(x))
INTEGER(I16X8_MUL, u16, u16, (uint32_t)x * y)
INTEGER(I32X4_MUL, u32, u32, (uint64_t)x * y)
INTEGER(I64X2_MUL, u64, u64, x * y)
INTEGER(I16X8_Q15MULR_SAT_S, s16, s16, clamp((x * y + 0x4000) >> 15, INT16_MIN, INT16_MAX))
INTEGER(I16X8_RELAXED_Q15MULR_S, s16, s16, clamp((x * y + 0x4000) >> 15, INT16_MIN, INT16_MAX))

/* ---- integers of two widths ---- */

INTEGER(I8X16_NARROW_I16X8_S, s16, s8, clamp(i < 8 ? x : y, INT8_MIN, INT8_MAX))
INTEGER(I8X16_NARROW_I16X8_U, s16, u8, clamp(i < 8 ? x : y, 0, UINT8_MAX))
INTEGER(I16X8_NARROW_I32X4_S, s32, s16, clamp(i < 4 ? x : y, INT16_MIN, INT16_MAX))
INTEGER(I16X8_NARROW_I32X4_U, s32, u16, clamp(i < 4 ? x : y, 0, UINT16_MAX))

#define WIDER(to, from, half, sign, in, out, first) \
	INTEGER(to##_EXTEND_##half##_##from##_##sign, in, out, a->in[i + (first)]) \
	INTEGER(to##_EXTMUL_##half##_##from##_##sign, in, out, (uint64_t)a->in[i + (first)] * (uint64_t)b->in[i + (first)])
#define WIDER_ALL(to, from, si, ui, so, uo, lanes) \
	WIDER(to, from, LOW, S, si, so, 0) \
	WIDER(to, from, HIGH, S, si, so, lanes) \
	WIDER(to, from, LOW, U, ui, uo, 0) \
	WIDER(to, from, HIGH, U, ui, uo, lanes)
WIDER_ALL(I16X8, I8X16, s8, u8, s16, u16, 8)
WIDER_ALL(I32X4, I16X8, s16, u16, s32, u32, 4)
WIDER_ALL(I64X2, I32X4, s32, u32, s64, u64, 2)
INTEGER(I16X8_EXTADD_PAIRWISE_I8X16_S, s8, s16, a->s8[2 * i] + a->s8[2 * i + 1])
INTEGER(I16X8_EXTADD_PAIRWISE_I8X16_U, u8, u16, a->u8[2 * i] + a->u8[2 * i + 1])
INTEGER(I32X4_EXTADD_PAIRWISE_I16X8_S, s16, s32, a->s16[2 * i] + a->s16[2 * i + 1])
INTEGER(I32X4_EXTADD_PAIRWISE_I16X8_U, u16, u32, a->u16[2 * i] + a->u16[2 * i + 1])
INTEGER(I32X4_DOT_I16X8_S, s16, u32,
	(int64_t)a->s16[2 * i] * b->s16[2 * i] + (int64_t)a->s16[2 * i + 1] * b->s16[2 * i + 1])

/* With signed lanes of the second operand: the choice of the deterministic profile (irelaxed_dot_mul, ivdotsat). */
static int16_t dot(const union lanes *a, const union lanes *b, size_t i)
{
	return (int16_t)clamp(a->s8[2 * i] * b->s8[2 * i] + a->s8[2 * i + 1] * b->s8[2 * i + 1], INT16_MIN, INT16_MAX);
}
INTEGER(I16X8_RELAXED_DOT_I8X16_I7X16_S, s8, s16, dot(a, b, i))
INTEGER(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S, u32, u32, (uint32_t)(dot(a, b, 2 * i) + dot(a, b, 2 * i + 1)) + z)

/* ---- floats ---- */

#define FLOATS(shape, t, f, s, u, kind) \
	INTEGER(shape##_EQ, t, s, x == y ? -1 : 0) \
	INTEGER(shape##_NE, t, s, x != y ? -1 : 0) \
	INTEGER(shape##_LT, t, s, x < y ? -1 : 0) \
	INTEGER(shape##_GT, t, s, x > y ? -1 : 0) \
	INTEGER(shape##_LE, t, s, x <= y ? -1 : 0) \
	INTEGER(shape##_GE, t, s, x >= y ? -1 : 0) \
	INTEGER(shape##_ABS, u, u, x << 1 >> 1) \
	INTEGER(shape##_NEG, u, u, x ^ (TYPE(u))1 << (8 * sizeof x - 1)) \
	INTEGER(shape##_PMIN, u, u, b->t[i] < a->t[i] ? y : x) \
	INTEGER(shape##_PMAX, u, u, a->t[i] < b->t[i] ? y : x) \
	REFERENCE(shape##_ADD, kind, t, t, x + y) \
	REFERENCE(shape##_SUB, kind, t, t, x - y) \
	REFERENCE(shape##_MUL, kind, t, t, x * y) \
	REFERENCE(shape##_DIV, kind, t, t, x / y) \
	REFERENCE(shape##_MIN, kind, t, t, wk_##f##_min(x, y)) \
	REFERENCE(shape##_MAX, kind, t, t, wk_##f##_max(x, y)) \
	REFERENCE(shape##_RELAXED_MIN, kind, t, t, wk_##f##_min(x, y)) \
	REFERENCE(shape##_RELAXED_MAX, kind, t, t, wk_##f##_max(x, y)) \
	REFERENCE(shape##_SQRT, kind, t, t, wk_##f##_sqrt(x)) \
	REFERENCE(shape##_CEIL, kind, t, t, wk_##f##_ceil(x)) \
	REFERENCE(shape##_FLOOR, kind, t, t, wk_##f##_floor(x)) \
	REFERENCE(shape##_TRUNC, kind, t, t, wk_##f##_trunc(x)) \
	REFERENCE(shape##_NEAREST, kind, t, t, wk_##f##_nearest(x)) \
	REFERENCE(shape##_RELAXED_MADD, kind, t, t, wk_##f##_madd(x, y, z)) \
	REFERENCE(shape##_RELAXED_NMADD, kind, t, t, wk_##f##_madd(-x, y, z))

/* Two roundings: the product is stored before it is added. */
static float wk_f32_madd(float x, float y, float z) { volatile float product = x * y; return product + z; }
static double wk_f64_madd(double x, double y, double z) { volatile double product = x * y; return product + z; }
FLOATS(F32X4, f32, f32, s32, u32, FLOATS_32)
FLOATS(F64X2, f64, f64, s64, u64, FLOATS_64)

INTEGER(I32X4_TRUNC_SAT_F32X4_S, f32, u32, wk_i32_trunc_sat_f32_s(x))
INTEGER(I32X4_TRUNC_SAT_F32X4_U, f32, u32, wk_i32_trunc_sat_f32_u(x))
INTEGER(I32X4_TRUNC_SAT_F64X2_S_ZERO, f64, u32, i < 2 ? wk_i32_trunc_sat_f64_s(x) : 0)
INTEGER(I32X4_TRUNC_SAT_F64X2_U_ZERO, f64, u32, i < 2 ? wk_i32_trunc_sat_f64_u(x) : 0)
INTEGER(I32X4_RELAXED_TRUNC_F32X4_S, f32, u32, wk_i32_trunc_sat_f32_s(x))
INTEGER(I32X4_RELAXED_TRUNC_F32X4_U, f32, u32, wk_i32_trunc_sat_f32_u(x))
INTEGER(I32X4_RELAXED_TRUNC_F64X2_S_ZERO, f64, u32, i < 2 ? wk_i32_trunc_sat_f64_s(x) : 0)
INTEGER(I32X4_RELAXED_TRUNC_F64X2_U_ZERO, f64, u32, i < 2 ? wk_i32_trunc_sat_f64_u(x) : 0)
REFERENCE(F32X4_CONVERT_I32X4_S, FLOATS_32, u32, f32, wk_f32_convert_i32_s(x))
REFERENCE(F32X4_CONVERT_I32X4_U, FLOATS_32, u32, f32, wk_f32_convert_i32_u(x))
REFERENCE(F64X2_CONVERT_LOW_I32X4_S, FLOATS_64, u32, f64, wk_f64_convert_i32_s(x))
REFERENCE(F64X2_CONVERT_LOW_I32X4_U, FLOATS_64, u32, f64, wk_f64_convert_i32_u(x))
REFERENCE(F32X4_DEMOTE_F64X2_ZERO, FLOATS_32, f64, f32, i < 2 ? wk_f32_demote_f64(x) : 0)
REFERENCE(F64X2_PROMOTE_LOW_F32X4, FLOATS_64, f32, f64, wk_f64_promote_f32(x))

/* ---- tests: the result is an i32, in lane 0 ---- */

#define TESTS(shape, s) \
	enum { kind_##shape##_ALL_TRUE = BITS, kind_##shape##_BITMASK = BITS }; \
	static void ref_##shape##_ALL_TRUE(const union lanes *a, const union lanes *b, const union lanes *c, uint64_t n, \
		union lanes *r) \
	{ \
		UNUSED; \
		*r = (union lanes){ .u64 = { 1, 0 } }; \
		for (size_t i = 0; i < LANES(s); i++) \
			if (a->s[i] == 0) \
				r->u64[0] = 0; \
	} \
	static void ref_##shape##_BITMASK(const union lanes *a, const union lanes *b, const union lanes *c, uint64_t n, \
		union lanes *r) \
	{ \
		UNUSED; \
		*r = (union lanes){ .u64 = { 0, 0 } }; \
		for (size_t i = 0; i < LANES(s); i++) \
			r->u64[0] |= (uint64_t)(a->s[i] < 0) << i; \
	}
TESTS(I8X16, s8)
TESTS(I16X8, s16)
TESTS(I32X4, s32)
TESTS(I64X2, s64)
INTEGER(V128_ANY_TRUE, u64, u64, i == 0 && (a->u64[0] | a->u64[1]) != 0)

/* ---- splats, lanes: n is the scalar, or the lane ---- */

INTEGER(I8X16_SPLAT, u8, u8, n)
INTEGER(I16X8_SPLAT, u16, u16, n)
INTEGER(I32X4_SPLAT, u32, u32, n)
INTEGER(I64X2_SPLAT, u64, u64, n)
INTEGER(F32X4_SPLAT, u32, u32, n)
INTEGER(F64X2_SPLAT, u64, u64, n)
INTEGER(I8X16_EXTRACT_LANE_S, s8, u64, i == 0 ? (uint32_t)(int32_t)a->s8[n % 16] : 0)
INTEGER(I8X16_EXTRACT_LANE_U, s8, u64, i == 0 ? a->u8[n % 16] : 0)
INTEGER(I16X8_EXTRACT_LANE_S, s8, u64, i == 0 ? (uint32_t)(int32_t)a->s16[n % 8] : 0)
INTEGER(I16X8_EXTRACT_LANE_U, s8, u64, i == 0 ? a->u16[n % 8] : 0)
INTEGER(I32X4_EXTRACT_LANE, s8, u64, i == 0 ? a->u32[n % 4] : 0)
INTEGER(I64X2_EXTRACT_LANE, s8, u64, i == 0 ? a->u64[n % 2] : 0)
INTEGER(F32X4_EXTRACT_LANE, s8, u64, i == 0 ? a->u32[n % 4] : 0)
INTEGER(F64X2_EXTRACT_LANE, s8, u64, i == 0 ? a->u64[n % 2] : 0)
/* the scalar is lane 0 of b */
INTEGER(I8X16_REPLACE_LANE, u8, u8, i == n % 16 ? b->u8[0] : x)
INTEGER(I16X8_REPLACE_LANE, u16, u16, i == n % 8 ? b->u16[0] : x)
INTEGER(I32X4_REPLACE_LANE, u32, u32, i == n % 4 ? b->u32[0] : x)
INTEGER(I64X2_REPLACE_LANE, u64, u64, i == n % 2 ? b->u64[0] : x)
INTEGER(F32X4_REPLACE_LANE, u32, u32, i == n % 4 ? b->u32[0] : x)
INTEGER(F64X2_REPLACE_LANE, u64, u64, i == n % 2 ? b->u64[0] : x)

/* ---- loads: a is the memory ---- */

INTEGER(V128_LOAD, u64, u64, x)
INTEGER(V128_LOAD8X8_S, s8, s16, a->s8[i])
INTEGER(V128_LOAD8X8_U, u8, u16, a->u8[i])
INTEGER(V128_LOAD16X4_S, s16, s32, a->s16[i])
INTEGER(V128_LOAD16X4_U, u16, u32, a->u16[i])
INTEGER(V128_LOAD32X2_S, s32, s64, a->s32[i])
INTEGER(V128_LOAD32X2_U, u32, u64, a->u32[i])
INTEGER(V128_LOAD8_SPLAT, u8, u8, a->u8[0])
INTEGER(V128_LOAD16_SPLAT, u16, u16, a->u16[0])
INTEGER(V128_LOAD32_SPLAT, u32, u32, a->u32[0])
INTEGER(V128_LOAD64_SPLAT, u64, u64, a->u64[0])
INTEGER(V128_LOAD32_ZERO, u32, u32, i == 0 ? a->u32[0] : 0)
INTEGER(V128_LOAD64_ZERO, u64, u64, i == 0 ? a->u64[0] : 0)

/* ---- operands ---- */

static const uint8_t values8[] = { 0, 1, 2, 15, 16, 17, 31, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff };
static const uint16_t values16[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0xff7f, 0xff80, 0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x8000,
	0x8001, 0xc000, 0xfffe, 0xffff };
static const uint32_t values32[] = { 0, 1, 0x7fff, 0x8000, 0xffff, 0x10000, 0xffff7fff, 0xffff8000, 0x01000001, 0x01000003,
	0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffeff, 0xffffff7f, 0xffffff80, 0xffffff81, 0xfffffffe,
	0xffffffff,
	/* as floats */
	0x00800000, 0x33800000, 0x3effffff, 0x3f000000, 0x3f7fffff, 0x3f800000, 0x3fc00000, 0x40200000, 0x4affffff,
	0x4b000000, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000,
	0x7fc00001, 0xbf000000, 0xbf800000, 0xbfc00000, 0xbf7fffff, 0xcb000000, 0xcaffffff, 0xcf000000, 0xcf000001,
	0xcf800000, 0xff7fffff, 0xff800000, 0xffc00000, 0xffa00000 };
static const uint64_t values64[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x180000000, 0x7fffffff00000000,
	0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0x80000000ffffffff, 0xffffffff00000000,
	0xffffffff7fffffff, 0xffffffff80000000, 0xfffffffffffffffe, 0xffffffffffffffff,
	/* as floats */
	0x3fdfffffffffffff, 0x3fe0000000000000, 0x3fefffffffffffff, 0x3ff0000000000000, 0x3ff8000000000000,
	0x4004000000000000, 0x36a0000000000000, 0x380fffffffffffff, 0x41dfffffffc00000, 0x41dfffffffffffff,
	0x41e0000000000000, 0x41e0000000200000, 0x41efffffffe00000, 0x41efffffffffffff, 0x41f0000000000000,
	0x432fffffffffffff, 0x4330000000000000, 0x47efffffefffffff, 0x47effffff0000000, 0x7fefffffffffffff,
	0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000, 0x7ff8000000000001, 0xbfe0000000000000,
	0xbff0000000000000, 0xbfefffffffffffff, 0xbff8000000000000, 0xc1e0000000000000, 0xc1e0000000100000,
	0xc1e0000000200000, 0xc330000000000000, 0xc32fffffffffffff, 0xffefffffffffffff, 0xfff0000000000000,
	0xfff8000000000000, 0xfff4000000000000 };

#define MAX_OPERANDS 320
static union lanes operands[MAX_OPERANDS];
static size_t operand_count;

static uint64_t random64(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Each value in each lane at some time, beside others. */
#define ADD_VALUES(t, values) \
	for (size_t first = 0; first < COUNT(values); first++) { \
		union lanes *v = &operands[operand_count++]; \
		for (size_t i = 0; i < LANES(t); i++) \
			v->t[i] = values[(first + i * (i + 5)) % COUNT(values)]; \
	}

static void make_operands(void)
{
	ADD_VALUES(u8, values8)
	ADD_VALUES(u16, values16)
	ADD_VALUES(u32, values32)
	ADD_VALUES(u64, values64)
	for (size_t i = 0; i < 60; i++, operand_count++)
		operands[operand_count] = (union lanes){ .u64 = { random64(), random64() } };
	/* one value in all lanes, so that special meets special in pairs */
	for (size_t i = 0; i < COUNT(values8); i++, operand_count++)
		memset(&operands[operand_count], values8[i], 16);
}

/* ---- comparison ---- */

static wk_v128 load(const union lanes *v) { return wk_v128_load(v); }

static bool canonical32(uint32_t x) { return (x & 0x7fffffff) == 0x7fc00000; }
static bool canonical64(uint64_t x) { return (x & INT64_MAX) == 0x7ff8000000000000; }

/* Where the reference's lane is a NaN, a quiet one is wanted, and a canonical one when it is canonical itself and all
 * NaN that went in are (4.3.3): `canonical` says that. */
static bool lanes_agree(enum kind kind, const union lanes *got, const union lanes *wanted, bool canonical)
{
	for (size_t i = 0; kind == FLOATS_32 && i < 4; i++) {
		if (wanted->f32[i] != wanted->f32[i] ? !(got->u32[i] & 0x00400000) || got->f32[i] == got->f32[i] ||
				(canonical && !canonical32(got->u32[i])) : got->u32[i] != wanted->u32[i])
			return false;
	}
	for (size_t i = 0; kind == FLOATS_64 && i < 2; i++) {
		if (wanted->f64[i] != wanted->f64[i] ? !(got->u64[i] & UINT64_C(1) << 51) || got->f64[i] == got->f64[i] ||
				(canonical && !canonical64(got->u64[i])) : got->u64[i] != wanted->u64[i])
			return false;
	}
	return kind != BITS || memcmp(got, wanted, sizeof *got) == 0;
}

static bool only_canonical(const union lanes *v)
{
	for (size_t i = 0; i < 4; i++)
		if (v->f32[i] != v->f32[i] && !canonical32(v->u32[i]))
			return false;
	for (size_t i = 0; i < 2; i++)
		if (v->f64[i] != v->f64[i] && !canonical64(v->u64[i]))
			return false;
	return true;
}

static void print_lanes(const char *name, const union lanes *v)
{
	printf("#   %s 0x%016llx%016llx\n", name, (unsigned long long)v->u64[1], (unsigned long long)v->u64[0]);
}

static void check_result(const char *name, enum kind kind, reference *ref, const union lanes *a, const union lanes *b,
	const union lanes *c, uint64_t n, wk_v128 result)
{
	union lanes got, wanted;

	wk_v128_store(&got, result);
	ref(a, b, c, n, &wanted);
	if (lanes_agree(kind, &got, &wanted, only_canonical(a) && only_canonical(b) && only_canonical(c)))
		return;
	if (test_state.faults < 10) {
		printf("# %s, n = 0x%llx:\n", name, (unsigned long long)n);
		print_lanes("a", a);
		print_lanes("b", b);
		print_lanes("c", c);
		print_lanes("got", &got);
		print_lanes("wanted", &wanted);
	}
	CHECK(!"the lanes agree");
}

/* ---- the tables ---- */

typedef wk_v128 unary(wk_v128 a);
typedef wk_v128 binary(wk_v128 a, wk_v128 b);
typedef wk_v128 ternary(wk_v128 a, wk_v128 b, wk_v128 c);
typedef wk_v128 shift(wk_v128 a, uint32_t n);
typedef uint32_t test(wk_v128 a);
typedef wk_v128 load_function(const void *at);

#define ROW(NAME, f) { #NAME, (enum kind)kind_##NAME, ref_##NAME, f },
#define ROW_LOAD(NAME, f, bytes) { #NAME, bytes, ref_##NAME, f },
#define TABLE(form) static const struct { const char *name; enum kind kind; reference *ref; form *f; } form##_table[]
TABLE(unary) = { WK_SIMD_UNARY(ROW) };
TABLE(binary) = { WK_SIMD_BINARY(ROW) };
TABLE(ternary) = { WK_SIMD_TERNARY(ROW) };
TABLE(shift) = { WK_SIMD_SHIFT(ROW) };
TABLE(test) = { WK_SIMD_TEST(ROW) };
static const struct { const char *name; size_t bytes; reference *ref; load_function *f; } load_table[] = {
	WK_SIMD_LOAD(ROW_LOAD)
};

TEST(unary)
{
	for (size_t t = 0; t < COUNT(unary_table); t++)
		for (size_t i = 0; i < operand_count; i++) {
			union lanes *a = &operands[i];

			check_result(unary_table[t].name, unary_table[t].kind, unary_table[t].ref, a, a, a, 0,
				unary_table[t].f(load(a)));
		}
}

TEST(binary)
{
	for (size_t t = 0; t < COUNT(binary_table); t++)
		for (size_t i = 0; i < operand_count; i++)
			for (size_t j = 0; j < operand_count; j++) {
				union lanes *a = &operands[i], *b = &operands[j];

				check_result(binary_table[t].name, binary_table[t].kind, binary_table[t].ref, a, b, a, 0,
					binary_table[t].f(load(a), load(b)));
			}
}

TEST(ternary)
{
	for (size_t t = 0; t < COUNT(ternary_table); t++)
		for (size_t i = 0; i < 20 * operand_count; i++) {
			union lanes *a = &operands[random64() % operand_count], *b = &operands[random64() % operand_count];
			union lanes *c = &operands[random64() % operand_count];

			check_result(ternary_table[t].name, ternary_table[t].kind, ternary_table[t].ref, a, b, c, 0,
				ternary_table[t].f(load(a), load(b), load(c)));
		}
}

TEST(shifts)
{
	static const uint32_t large[] = { 0x80000000, 0xffffffff, 0x7fffffe1 };

	for (size_t t = 0; t < COUNT(shift_table); t++)
		for (size_t i = 0; i < operand_count; i++)
			for (uint32_t k = 0; k < 131 + COUNT(large); k++) {
				union lanes *a = &operands[i];
				uint32_t n = k < 131 ? k : large[k - 131];

				check_result(shift_table[t].name, BITS, shift_table[t].ref, a, a, a, n, shift_table[t].f(load(a), n));
			}
}

TEST(tests)
{
	for (size_t t = 0; t < COUNT(test_table); t++)
		for (size_t i = 0; i < operand_count; i++)
			for (size_t j = 0; j <= 128; j++) { /* with each bit inverted, and as it is */
				union lanes a = operands[i];

				if (j < 128)
					a.u8[j / 8] ^= (uint8_t)(1u << j % 8);
				check_result(test_table[t].name, BITS, test_table[t].ref, &a, &a, &a, 0,
					(wk_v128){ test_table[t].f(load(&a)), 0 });
			}
	for (size_t t = 0; t < COUNT(test_table); t++)
		for (size_t j = 0; j <= 128; j++) {
			union lanes a = { .u64 = { 0, 0 } };

			if (j < 128)
				a.u8[j / 8] = (uint8_t)(1u << j % 8);
			check_result(test_table[t].name, BITS, test_table[t].ref, &a, &a, &a, 0,
				(wk_v128){ test_table[t].f(load(&a)), 0 });
		}
}

/* The scalar in bits, from and to each kind of scalar. */
#define FROM_i32(x) (uint32_t)(x)
#define FROM_i64(x) (x)
#define FROM_f32(x) wk_f32_reinterpret_i32((uint32_t)(x))
#define FROM_f64(x) wk_f64_reinterpret_i64(x)
#define TO_i32(x) (x)
#define TO_i64(x) (x)
#define TO_f32(x) wk_i32_reinterpret_f32(x)
#define TO_f64(x) wk_i64_reinterpret_f64(x)

TEST(splats)
{
	for (size_t i = 0; i < operand_count; i++) {
		union lanes *a = &operands[i];
		uint64_t x = a->u64[0];

#define SPLAT(NAME, f, k) check_result(#NAME, BITS, ref_##NAME, a, a, a, x, f(FROM_##k(x)));
		WK_SIMD_SPLAT(SPLAT)
	}
}

/* From the shape: "I8X16_...", "I16X8_...". */
static uint32_t lane_count(const char *name)
{
	name = strchr(name, 'X') + 1;
	return name[1] == '6' ? 16 : (uint32_t)(name[0] - '0');
}

TEST(single_lanes)
{
	for (size_t i = 0; i < operand_count; i++)
		for (uint32_t lane = 0; lane < 16; lane++) {
			union lanes *a = &operands[i], *b = &operands[random64() % operand_count];

#define EXTRACT(NAME, f, k) \
	check_result(#NAME, BITS, ref_##NAME, a, a, a, lane, (wk_v128){ TO_##k(f(load(a), lane % lane_count(#NAME))), 0 });
#define REPLACE(NAME, f, k) \
	check_result(#NAME, BITS, ref_##NAME, a, b, a, lane, f(load(a), lane % lane_count(#NAME), FROM_##k(b->u64[0])));
			WK_SIMD_EXTRACT(EXTRACT)
			WK_SIMD_REPLACE(REPLACE)
		}
}

/* Memory ends behind what is read, at every alignment. */
TEST(loads)
{
	for (size_t t = 0; t < COUNT(load_table); t++)
		for (size_t i = 0; i < operand_count; i++) {
			union lanes *a = &operands[i];
			uint8_t memory[32];
			uint8_t *at = memory + 32 - load_table[t].bytes - i % 16;

			memset(memory, 0xaa, sizeof memory);
			memcpy(at, a, load_table[t].bytes);
			check_result(load_table[t].name, BITS, load_table[t].ref, a, a, a, 0, load_table[t].f(at));
		}
}

TEST(shuffle)
{
	for (size_t i = 0; i < 50 * operand_count; i++) {
		union lanes *a = &operands[random64() % operand_count], *b = &operands[random64() % operand_count];
		union lanes lanes = { .u64 = { random64(), random64() } }, got, wanted;

		for (size_t j = 0; j < 16; j++) {
			lanes.u8[j] &= 31;
			wanted.u8[j] = lanes.u8[j] < 16 ? a->u8[lanes.u8[j]] : b->u8[lanes.u8[j] - 16];
		}
		wk_v128_store(&got, wk_i8x16_shuffle(load(a), load(b), lanes.u8));
		CHECK(memcmp(&got, &wanted, 16) == 0);
	}
}

int main(void)
{
	make_operands();
	RUN(unary);
	RUN(binary);
	RUN(ternary);
	RUN(shifts);
	RUN(tests);
	RUN(splats);
	RUN(single_lanes);
	RUN(loads);
	RUN(shuffle);
	return test_end();
}
