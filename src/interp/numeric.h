/* SPDX-License-Identifier: Apache-2.0
 *
 * The scalar numeric instructions (specification 4.3), each written once, as inline functions on plain C types: i32 is
 * uint32_t, i64 is uint64_t, f32 is float, f64 is double. What C's operators already do exactly (add, compare, convert
 * an integer to a float, ...) is not repeated here, unless it can trap.
 *
 * Freestanding: nothing here may turn into a call of libm or of the compiler's library. That holds when compiled with
 *	-fno-math-errno -fno-trapping-math -ffp-contract=off
 * which every file that includes this header must be. The rounding mode is "to nearest, ties to even" all the time.
 *
 * NaN (4.3.3): where the specification allows several, we return what the machine gives: a NaN operand made quiet, or
 * the default NaN. Both are allowed: canonical operands give a canonical result, others an arithmetic one. abs, neg and
 * copysign only touch the sign bit, also of NaN.
 */
#ifndef WK_INTERP_NUMERIC_H
#define WK_INTERP_NUMERIC_H

#include <stdbool.h>
#include <stdint.h>
#include <wasmkeep/status.h>

#define WK_EXPECT(condition) __builtin_expect(!!(condition), 1)

/* Large functions that several instructions share: called where size counts and handlers may call (the registers of gcc's
 * dispatch loop do not survive a call). */
#if defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#define WK_LARGE static __attribute__((noinline, unused))
#else
#define WK_LARGE static inline
#endif

/* ---- Bits of floats ---------------------------------------------------------------------------------------------- */

static inline uint32_t wk_i32_reinterpret_f32(float x)
{
	uint32_t bits;
	__builtin_memcpy(&bits, &x, sizeof bits);
	return bits;
}

static inline uint64_t wk_i64_reinterpret_f64(double x)
{
	uint64_t bits;
	__builtin_memcpy(&bits, &x, sizeof bits);
	return bits;
}

static inline float wk_f32_reinterpret_i32(uint32_t bits)
{
	float x;
	__builtin_memcpy(&x, &bits, sizeof x);
	return x;
}

static inline double wk_f64_reinterpret_i64(uint64_t bits)
{
	double x;
	__builtin_memcpy(&x, &bits, sizeof x);
	return x;
}

/* ---- Integers (4.3.2) -------------------------------------------------------------------------------------------- */

#if defined(__x86_64__) && !defined(__LZCNT__)
/* bsr knows no zero: one more bit is set below the others, so that there is always one to find. */
static inline uint32_t wk_i32_clz(uint32_t x) { return (uint32_t)__builtin_clzll((uint64_t)x << 1 | 1) - 31; }
#else
static inline uint32_t wk_i32_clz(uint32_t x) { return x != 0 ? (uint32_t)__builtin_clz(x) : 32; }
#endif
#if defined(__x86_64__) && !defined(__BMI__)
static inline uint32_t wk_i32_ctz(uint32_t x) { return (uint32_t)__builtin_ctzll(x | UINT64_C(1) << 32); }
#else
static inline uint32_t wk_i32_ctz(uint32_t x) { return x != 0 ? (uint32_t)__builtin_ctz(x) : 32; }
#endif
static inline uint64_t wk_i64_clz(uint64_t x) { return x != 0 ? (uint64_t)__builtin_clzll(x) : 64; }
static inline uint64_t wk_i64_ctz(uint64_t x) { return x != 0 ? (uint64_t)__builtin_ctzll(x) : 64; }

#if defined(__POPCNT__) || defined(__aarch64__)
static inline uint32_t wk_i32_popcnt(uint32_t x) { return (uint32_t)__builtin_popcount(x); }
static inline uint64_t wk_i64_popcnt(uint64_t x) { return (uint64_t)__builtin_popcountll(x); }
#else
/* The builtin would be a call of the compiler's library with gcc. Sums of 2, 4, 8 bits side by side; then all bytes are
 * added by a multiplication. */
static inline uint32_t wk_i32_popcnt(uint32_t x)
{
	x = x - (x >> 1 & 0x55555555);
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}

static inline uint64_t wk_i64_popcnt(uint64_t x)
{
	x = x - (x >> 1 & UINT64_C(0x5555555555555555));
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return x * UINT64_C(0x0101010101010101) >> 56;
}
#endif

/* Both compilers know this form of a rotation. */
static inline uint32_t wk_i32_rotl(uint32_t x, uint32_t n) { return x << (n & 31) | x >> (-n & 31); }
static inline uint32_t wk_i32_rotr(uint32_t x, uint32_t n) { return x >> (n & 31) | x << (-n & 31); }
static inline uint64_t wk_i64_rotl(uint64_t x, uint64_t n) { return x << (n & 63) | x >> (-n & 63); }
static inline uint64_t wk_i64_rotr(uint64_t x, uint64_t n) { return x >> (n & 63) | x << (-n & 63); }

static inline uint32_t wk_i32_extend8_s(uint32_t x) { return (uint32_t)(int32_t)(int8_t)x; }
static inline uint32_t wk_i32_extend16_s(uint32_t x) { return (uint32_t)(int32_t)(int16_t)x; }
static inline uint64_t wk_i64_extend8_s(uint64_t x) { return (uint64_t)(int64_t)(int8_t)x; }
static inline uint64_t wk_i64_extend16_s(uint64_t x) { return (uint64_t)(int64_t)(int16_t)x; }
static inline uint64_t wk_i64_extend32_s(uint64_t x) { return (uint64_t)(int64_t)(int32_t)x; }

/* Division traps on zero, and on the one quotient that has no representation; that one's remainder is 0 (idiv_s,
 * irem_s). *out is written when WK_TRAP_NONE is returned. */
#define WK_DIVISION(i, unsigned_type, signed_type, minimum) \
	static inline enum wk_trap wk_##i##_div_s(unsigned_type a, unsigned_type b, unsigned_type *out) \
	{ \
		if (!WK_EXPECT(b != 0)) \
			return WK_TRAP_DIVIDE_BY_ZERO; \
		if (!WK_EXPECT(b != (unsigned_type)-1 || a != (unsigned_type)(minimum))) \
			return WK_TRAP_INTEGER_OVERFLOW; \
		*out = (unsigned_type)((signed_type)a / (signed_type)b); \
		return WK_TRAP_NONE; \
	} \
	static inline enum wk_trap wk_##i##_rem_s(unsigned_type a, unsigned_type b, unsigned_type *out) \
	{ \
		if (!WK_EXPECT(b != 0)) \
			return WK_TRAP_DIVIDE_BY_ZERO; \
		*out = WK_EXPECT(b != (unsigned_type)-1) ? (unsigned_type)((signed_type)a % (signed_type)b) : 0; \
		return WK_TRAP_NONE; \
	} \
	static inline enum wk_trap wk_##i##_div_u(unsigned_type a, unsigned_type b, unsigned_type *out) \
	{ \
		if (!WK_EXPECT(b != 0)) \
			return WK_TRAP_DIVIDE_BY_ZERO; \
		*out = a / b; \
		return WK_TRAP_NONE; \
	} \
	static inline enum wk_trap wk_##i##_rem_u(unsigned_type a, unsigned_type b, unsigned_type *out) \
	{ \
		if (!WK_EXPECT(b != 0)) \
			return WK_TRAP_DIVIDE_BY_ZERO; \
		*out = a % b; \
		return WK_TRAP_NONE; \
	}
WK_DIVISION(i32, uint32_t, int32_t, INT32_MIN)
WK_DIVISION(i64, uint64_t, int64_t, INT64_MIN)
#undef WK_DIVISION

/* Wide arithmetic (proposal): 128-bit numbers as two halves, the low one first. Multiplication is one machine
 * instruction or two; a whole 128 x 128 one, for which the compiler has a library function, does not occur. */
__extension__ typedef unsigned __int128 wk_u128;
__extension__ typedef __int128 wk_s128;

static inline void wk_i64_add128(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
	uint64_t out[2])
{
	wk_u128 sum = ((wk_u128)a_high << 64 | a_low) + ((wk_u128)b_high << 64 | b_low);
	out[0] = (uint64_t)sum;
	out[1] = (uint64_t)(sum >> 64);
}

static inline void wk_i64_sub128(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
	uint64_t out[2])
{
	wk_u128 difference = ((wk_u128)a_high << 64 | a_low) - ((wk_u128)b_high << 64 | b_low);
	out[0] = (uint64_t)difference;
	out[1] = (uint64_t)(difference >> 64);
}

static inline void wk_i64_mul_wide_s(uint64_t a, uint64_t b, uint64_t out[2])
{
	wk_u128 product = (wk_u128)((wk_s128)(int64_t)a * (int64_t)b);
	out[0] = (uint64_t)product;
	out[1] = (uint64_t)(product >> 64);
}

static inline void wk_i64_mul_wide_u(uint64_t a, uint64_t b, uint64_t out[2])
{
	wk_u128 product = (wk_u128)a * b;
	out[0] = (uint64_t)product;
	out[1] = (uint64_t)(product >> 64);
}

/* ---- Floats (4.3.3) ---------------------------------------------------------------------------------------------- */

static inline float wk_f32_abs(float x) { return __builtin_fabsf(x); }
static inline double wk_f64_abs(double x) { return __builtin_fabs(x); }
static inline float wk_f32_neg(float x) { return -x; }
static inline double wk_f64_neg(double x) { return -x; }
static inline float wk_f32_copysign(float x, float y) { return __builtin_copysignf(x, y); }
static inline double wk_f64_copysign(double x, double y) { return __builtin_copysign(x, y); }
static inline float wk_f32_sqrt(float x) { return __builtin_sqrtf(x); }
static inline double wk_f64_sqrt(double x) { return __builtin_sqrt(x); }

#if defined(__aarch64__)
/* The machine has the specification's instructions. C has no operator for them, and its library's roundeven is not
 * known to every compiler as an instruction. */
#define WK_A64_UNARY(name, instruction) \
	static inline float wk_f32_##name(float x) \
	{ \
		float r; \
		__asm__(instruction " %s0, %s1" : "=w"(r) : "w"(x)); \
		return r; \
	} \
	static inline double wk_f64_##name(double x) \
	{ \
		double r; \
		__asm__(instruction " %d0, %d1" : "=w"(r) : "w"(x)); \
		return r; \
	}
#define WK_A64_BINARY(name, instruction) \
	static inline float wk_f32_##name(float a, float b) \
	{ \
		float r; \
		__asm__(instruction " %s0, %s1, %s2" : "=w"(r) : "w"(a), "w"(b)); \
		return r; \
	} \
	static inline double wk_f64_##name(double a, double b) \
	{ \
		double r; \
		__asm__(instruction " %d0, %d1, %d2" : "=w"(r) : "w"(a), "w"(b)); \
		return r; \
	}
WK_A64_UNARY(ceil, "frintp")
WK_A64_UNARY(floor, "frintm")
WK_A64_UNARY(trunc, "frintz")
WK_A64_UNARY(nearest, "frintn")
WK_A64_BINARY(min, "fmin")
WK_A64_BINARY(max, "fmax")
#undef WK_A64_UNARY
#undef WK_A64_BINARY
#else

/* A NaN becomes quiet; all else stays. By bits, because a compiler may take x + 0 or x * 1 for x. */
static inline float wk_f32_quiet(float x)
{
	return x != x ? wk_f32_reinterpret_i32(wk_i32_reinterpret_f32(x) | 0x00400000) : x;
}

static inline double wk_f64_quiet(double x)
{
	return x != x ? wk_f64_reinterpret_i64(wk_i64_reinterpret_f64(x) | UINT64_C(0x0008000000000000)) : x;
}

/* Adding 2^23 (2^52) with x's sign leaves no bits for a fraction, so the sum is rounded to an integer, ties to even;
 * taking it away again is exact. What is larger is an integer already, or not a number. The nearest integer is at most
 * one off in the wanted direction. A zero result has lost its sign; all others have x's, except -0 < x < 1 of ceil and
 * floor, whose sign is right as well: so x's sign can be given to every result. */
#define WK_ROUNDING(f, type, suffix, fabs, copysign, magic) \
	WK_LARGE type wk_##f##_nearest(type x) \
	{ \
		if (!WK_EXPECT(fabs(x) < (magic))) \
			return wk_##f##_quiet(x); \
		return copysign((fabs(x) + (magic)) - (magic), x); \
	} \
	WK_LARGE type wk_##f##_trunc(type x) \
	{ \
		if (!WK_EXPECT(fabs(x) < (magic))) \
			return wk_##f##_quiet(x); \
		type r = (fabs(x) + (magic)) - (magic); \
		r += r > fabs(x) ? (type)-1 : (type)0; \
		return copysign(r, x); \
	} \
	WK_LARGE type wk_##f##_floor(type x) \
	{ \
		if (!WK_EXPECT(fabs(x) < (magic))) \
			return wk_##f##_quiet(x); \
		type m = copysign((magic), x); \
		type r = (x + m) - m; \
		r += r > x ? (type)-1 : (type)0; \
		return copysign(r, x); \
	} \
	WK_LARGE type wk_##f##_ceil(type x) \
	{ \
		if (!WK_EXPECT(fabs(x) < (magic))) \
			return wk_##f##_quiet(x); \
		type m = copysign((magic), x); \
		type r = (x + m) - m; \
		r += r < x ? (type)1 : (type)0; \
		return copysign(r, x); \
	}

#if defined(__SSE4_1__)
static inline float wk_f32_ceil(float x) { return __builtin_ceilf(x); }
static inline float wk_f32_floor(float x) { return __builtin_floorf(x); }
static inline float wk_f32_trunc(float x) { return __builtin_truncf(x); }
static inline float wk_f32_nearest(float x) { return __builtin_rintf(x); }
static inline double wk_f64_ceil(double x) { return __builtin_ceil(x); }
static inline double wk_f64_floor(double x) { return __builtin_floor(x); }
static inline double wk_f64_trunc(double x) { return __builtin_trunc(x); }
static inline double wk_f64_nearest(double x) { return __builtin_rint(x); }
#else
WK_ROUNDING(f32, float, f, __builtin_fabsf, __builtin_copysignf, 8388608.0f)
WK_ROUNDING(f64, double, , __builtin_fabs, __builtin_copysign, 4503599627370496.0)
#endif
#undef WK_ROUNDING

/* fmin and fmax: a NaN operand gives a NaN, and -0 is less than 0. Equal operands differ in the sign at most. One
 * machine comparison tells "less or greater" from all others. */
#define WK_MIN_MAX(f, type, i, bits_of, float_of) \
	static inline type wk_##f##_min(type a, type b) \
	{ \
		if (!WK_EXPECT(__builtin_islessgreater(a, b))) \
			return a == b ? float_of(bits_of(a) | bits_of(b)) : a + b; \
		return a < b ? a : b; \
	} \
	static inline type wk_##f##_max(type a, type b) \
	{ \
		if (!WK_EXPECT(__builtin_islessgreater(a, b))) \
			return a == b ? float_of(bits_of(a) & bits_of(b)) : a + b; \
		return a > b ? a : b; \
	}
WK_MIN_MAX(f32, float, i32, wk_i32_reinterpret_f32, wk_f32_reinterpret_i32)
WK_MIN_MAX(f64, double, i64, wk_i64_reinterpret_f64, wk_f64_reinterpret_i64)
#undef WK_MIN_MAX
#endif

/* ---- Conversions (4.3.4) ----------------------------------------------------------------------------------------- */

/* C's conversions round to nearest as well (F.4). */
static inline float wk_f32_convert_i32_s(uint32_t x) { return (float)(int32_t)x; }
static inline float wk_f32_convert_i32_u(uint32_t x) { return (float)(int64_t)x; }
static inline float wk_f32_convert_i64_s(uint64_t x) { return (float)(int64_t)x; }
static inline float wk_f32_convert_i64_u(uint64_t x) { return (float)x; }
static inline double wk_f64_convert_i32_s(uint32_t x) { return (double)(int32_t)x; }
static inline double wk_f64_convert_i32_u(uint32_t x) { return (double)(int64_t)x; }
static inline double wk_f64_convert_i64_s(uint64_t x) { return (double)(int64_t)x; }
static inline double wk_f64_convert_i64_u(uint64_t x) { return (double)x; }
static inline float wk_f32_demote_f64(double x) { return (float)x; }
static inline double wk_f64_promote_f32(float x) { return (double)x; }

/* Truncations: trapping ones write *out when they return WK_TRAP_NONE, saturating ones take NaN for 0. An operand whose
 * integer part fits lies strictly between `below` and `above`; where the float type has no number just below the least
 * integer, `below` is the next number that it has. C's cast is defined for exactly these. `wide` is the type cast to:
 * for u32, the signed 64-bit type, which the machine converts faster. */
#define WK_TRUNCATION(name, sat, float_type, type, wide, below, above, minimum, maximum) \
	static inline enum wk_trap name(float_type x, type *out) \
	{ \
		if (WK_EXPECT(x > (below) && x < (above))) { \
			*out = (type)(wide)x; \
			return WK_TRAP_NONE; \
		} \
		return x != x ? WK_TRAP_INVALID_CONVERSION : WK_TRAP_INTEGER_OVERFLOW; \
	} \
	WK_SATURATION(sat, float_type, type, wide, below, above, minimum, maximum)

#if defined(__aarch64__)
#define WK_SATURATION(sat, float_type, type, wide, below, above, minimum, maximum)
#define WK_A64_SATURATION(sat, float_type, type, instruction, out, in) \
	static inline type sat(float_type x) \
	{ \
		type r; \
		__asm__(instruction " %" out "0, %" in "1" : "=r"(r) : "w"(x)); \
		return r; \
	}
WK_A64_SATURATION(wk_i32_trunc_sat_f32_s, float, uint32_t, "fcvtzs", "w", "s")
WK_A64_SATURATION(wk_i32_trunc_sat_f32_u, float, uint32_t, "fcvtzu", "w", "s")
WK_A64_SATURATION(wk_i32_trunc_sat_f64_s, double, uint32_t, "fcvtzs", "w", "d")
WK_A64_SATURATION(wk_i32_trunc_sat_f64_u, double, uint32_t, "fcvtzu", "w", "d")
WK_A64_SATURATION(wk_i64_trunc_sat_f32_s, float, uint64_t, "fcvtzs", "x", "s")
WK_A64_SATURATION(wk_i64_trunc_sat_f32_u, float, uint64_t, "fcvtzu", "x", "s")
WK_A64_SATURATION(wk_i64_trunc_sat_f64_s, double, uint64_t, "fcvtzs", "x", "d")
WK_A64_SATURATION(wk_i64_trunc_sat_f64_u, double, uint64_t, "fcvtzu", "x", "d")
#undef WK_A64_SATURATION
#else
#define WK_SATURATION(sat, float_type, type, wide, below, above, minimum, maximum) \
	static inline type sat(float_type x) \
	{ \
		if (WK_EXPECT(x > (below) && x < (above))) \
			return (type)(wide)x; \
		return x != x ? 0 : x < 0 ? (type)(minimum) : (type)(maximum); \
	}
#endif

/* -2147483648 - 256, -2^63 - 2^40 and -2^63 - 2^11: the next floats below the least integer. */
WK_TRUNCATION(wk_i32_trunc_f32_s, wk_i32_trunc_sat_f32_s, float, uint32_t, int32_t,
	-2147483904.0f, 2147483648.0f, INT32_MIN, INT32_MAX)
WK_TRUNCATION(wk_i32_trunc_f32_u, wk_i32_trunc_sat_f32_u, float, uint32_t, int64_t,
	-1.0f, 4294967296.0f, 0, UINT32_MAX)
WK_TRUNCATION(wk_i32_trunc_f64_s, wk_i32_trunc_sat_f64_s, double, uint32_t, int32_t,
	-2147483649.0, 2147483648.0, INT32_MIN, INT32_MAX)
WK_TRUNCATION(wk_i32_trunc_f64_u, wk_i32_trunc_sat_f64_u, double, uint32_t, int64_t,
	-1.0, 4294967296.0, 0, UINT32_MAX)
WK_TRUNCATION(wk_i64_trunc_f32_s, wk_i64_trunc_sat_f32_s, float, uint64_t, int64_t,
	-9223373136366403584.0f, 9223372036854775808.0f, INT64_MIN, INT64_MAX)
WK_TRUNCATION(wk_i64_trunc_f32_u, wk_i64_trunc_sat_f32_u, float, uint64_t, uint64_t,
	-1.0f, 18446744073709551616.0f, 0, UINT64_MAX)
WK_TRUNCATION(wk_i64_trunc_f64_s, wk_i64_trunc_sat_f64_s, double, uint64_t, int64_t,
	-9223372036854777856.0, 9223372036854775808.0, INT64_MIN, INT64_MAX)
WK_TRUNCATION(wk_i64_trunc_f64_u, wk_i64_trunc_sat_f64_u, double, uint64_t, uint64_t,
	-1.0, 18446744073709551616.0, 0, UINT64_MAX)
#undef WK_TRUNCATION
#undef WK_SATURATION

#endif
