/* SPDX-License-Identifier: Apache-2.0
 *
 * The scalar instructions (src/interp/numeric.h) against slow code that follows the specification's words (4.3), for all
 * pairs of special values and for pseudo-random bits. The reference works on the bits of floats and on integers of 128
 * bits, so that it shares no rounding with the machine.
 */
#include "interp/numeric.h"
#include "unit/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RANDOM_ROUNDS 100000

typedef unsigned __int128 u128;

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* ---- floats taken apart: the value is (-1)^negative * mantissa * 2^exponent ---- */

struct format { unsigned fraction, bias; };
static const struct format f32_format = { 23, 127 }, f64_format = { 52, 1023 };

struct parts {
	bool negative, nan, infinite;
	uint64_t mantissa;
	int exponent;
};

static unsigned width(struct format f) { return f.fraction == 23 ? 32 : 64; }
static uint64_t sign_bit(struct format f) { return UINT64_C(1) << (width(f) - 1); }
static uint64_t infinity(struct format f) { return (uint64_t)(2 * f.bias + 1) << f.fraction; }
static uint64_t quiet_bit(struct format f) { return UINT64_C(1) << (f.fraction - 1); }

static struct parts take_apart(struct format f, uint64_t bits)
{
	struct parts p = { .negative = (bits & sign_bit(f)) != 0 };
	uint64_t magnitude = bits & ~sign_bit(f);
	uint64_t fraction = magnitude & ((UINT64_C(1) << f.fraction) - 1);
	unsigned exponent = (unsigned)(magnitude >> f.fraction);

	p.nan = magnitude > infinity(f);
	p.infinite = magnitude == infinity(f);
	p.mantissa = exponent != 0 ? fraction | UINT64_C(1) << f.fraction : fraction;
	p.exponent = (int)(exponent != 0 ? exponent : 1) - (int)f.bias - (int)f.fraction;
	return p;
}

/* The float nearest to mantissa * 2^exponent (4.3.3, float rounding): ties to the even mantissa. */
static uint64_t put_together(struct format f, bool negative, uint64_t mantissa, int exponent)
{
	uint64_t sign = negative ? sign_bit(f) : 0;
	int least = 1 - (int)f.bias - (int)f.fraction; /* exponent of subnormal numbers */
	bool half = false, rest = false;
	uint64_t biased;

	if (mantissa == 0)
		return sign;
	while (mantissa < UINT64_C(1) << f.fraction && exponent > least) {
		mantissa <<= 1;
		exponent--;
	}
	while (mantissa >= UINT64_C(1) << (f.fraction + 1) || exponent < least) {
		rest = rest || half;
		half = mantissa & 1;
		mantissa >>= 1;
		exponent++;
	}
	if (half && (rest || (mantissa & 1)))
		mantissa++;
	if (mantissa == UINT64_C(1) << (f.fraction + 1)) {
		mantissa >>= 1;
		exponent++;
	}
	if (mantissa < UINT64_C(1) << f.fraction)
		return sign | mantissa;
	biased = (uint64_t)(exponent - least + 1);
	if (biased >= 2 * f.bias + 1)
		return sign | infinity(f);
	return sign | biased << f.fraction | (mantissa & ((UINT64_C(1) << f.fraction) - 1));
}

static bool is_nan(struct format f, uint64_t bits) { return take_apart(f, bits).nan; }
static bool is_canonical(struct format f, uint64_t bits)
{
	return (bits & ~sign_bit(f)) == (infinity(f) | quiet_bit(f));
}

/* 4.3.3, NaN propagation: canonical operands give a canonical NaN, others an arithmetic one. */
static bool nan_allowed(struct format f, uint64_t a, uint64_t b, uint64_t got)
{
	bool canonical = (!is_nan(f, a) || is_canonical(f, a)) && (!is_nan(f, b) || is_canonical(f, b));

	return canonical ? is_canonical(f, got) : is_nan(f, got) && (got & quiet_bit(f));
}

static const uint32_t f32_values[] = {
	0x00000000, 0x00000001, 0x00000002, 0x007fffff, 0x00800000, 0x00800001, 0x33800000, 0x3e000000, 0x3effffff,
	0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fbfffff, 0x3fc00000, 0x3fc00001, 0x40000000,
	0x40200000, 0x40600000, 0x42c80000, 0x4a7fffff, 0x4a800000, 0x4afffffd, 0x4afffffe, 0x4affffff, 0x4b000000,
	0x4b000001, 0x4b7fffff, 0x4b800000, 0x4effffff, 0x4f000000, 0x4f000001, 0x4f7fffff, 0x4f800000, 0x4f800001,
	0x5effffff, 0x5f000000, 0x5f000001, 0x5f7fffff, 0x5f800000, 0x5f800001, 0x7f7fffff, 0x7f800000, 0x7f800001,
	0x7fa00000, 0x7fbfffff, 0x7fc00000, 0x7fc00001, 0x7fffffff,
};

static const uint64_t f64_values[] = {
	0, 1, 2, 0x000fffffffffffff, 0x0010000000000000, 0x3690000000000000, 0x3690000000000001, 0x36a0000000000000,
	0x380fffffe0000000, 0x380fffffffffffff, 0x3810000000000000, 0x3fc0000000000000, 0x3fdfffffffffffff,
	0x3fe0000000000000, 0x3fe0000000000001, 0x3fefffffffffffff, 0x3ff0000000000000, 0x3ff0000000000001,
	0x3ff0000010000000, 0x3ff0000030000000, 0x3ff8000000000000, 0x4004000000000000, 0x400c000000000000,
	0x41dfffffffc00000, 0x41dfffffffdfffff, 0x41dfffffffe00000, 0x41dfffffffffffff, 0x41e0000000000000,
	0x41e00000000fffff, 0x41e0000000100000, 0x41e0000000200000, 0x41efffffffe00000, 0x41efffffffefffff,
	0x41effffffff00000, 0x41efffffffffffff, 0x41f0000000000000, 0x432fffffffffffff, 0x4330000000000000,
	0x4330000000000001, 0x433fffffffffffff, 0x4340000000000000, 0x43dfffffffffffff, 0x43e0000000000000,
	0x43e0000000000001, 0x43efffffffffffff, 0x43f0000000000000, 0x43f0000000000001, 0x47efffffe0000000,
	0x47efffffefffffff, 0x47effffff0000000, 0x47f0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
	0x7ff0000000000001, 0x7ff4000000000000, 0x7ff7ffffffffffff, 0x7ff8000000000000, 0x7ff8000000000001,
	0x7fffffffffffffff,
};

/* Every special value with both signs, then random ones. */
static uint64_t f_value(struct format f, size_t index)
{
	size_t count = f.fraction == 23 ? COUNT(f32_values) : COUNT(f64_values);
	uint64_t r;

	if (index / 2 < count)
		return (f.fraction == 23 ? f32_values[index / 2] : f64_values[index / 2]) | (index & 1 ? sign_bit(f) : 0);
	r = random64();
	if (index & 1) { /* near the ranges of integers */
		r &= sign_bit(f) | ((UINT64_C(1) << f.fraction) - 1);
		r |= (uint64_t)(f.bias - 2 + random64() % 70) << f.fraction;
	}
	return f.fraction == 23 ? (uint32_t)r ^ (uint32_t)(r >> 32 & 0x80000000) : r;
}

static size_t f_specials(struct format f) { return 2 * (f.fraction == 23 ? COUNT(f32_values) : COUNT(f64_values)); }

/* Reports the first few disagreements of a case only. */
static void agree(bool right, const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t wanted)
{
	if (right)
		return;
	if (test_state.faults < 10)
		printf("# %s(0x%llx, 0x%llx) gave 0x%llx, wanted 0x%llx\n", what, (unsigned long long)a, (unsigned long long)b,
			(unsigned long long)got, (unsigned long long)wanted);
	CHECK(right);
}

static void agree_float(struct format f, const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t wanted)
{
	agree(is_nan(f, wanted) ? nan_allowed(f, a, b, got) : got == wanted, what, a, b, got, wanted);
}

/* ---- integers ---- */

static const uint64_t integers[] = {
	0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x00ffffff, 0x01000001, 0x01000003,
	0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x100000000, 0x123456789abcdef0, 0x001fffffffffffff,
	0x0020000000000001, 0x0020000000000003, 0x7fffff4000000001, 0x7fffffffffffffff, 0x8000000000000000,
	0x8000000000000001, 0x8000000000000400, 0x8000000000000401, 0x8000008000000000, 0x8000008000000001,
	0xfffffeffffffffff, 0xffffff8000000000, 0xfffffffffffff7ff, 0xfffffffffffffbff, 0xfffffffffffffc00,
	0xfffffffffffffffe, 0xffffffffffffffff,
};

static uint64_t integer(size_t index)
{
	return index < COUNT(integers) ? integers[index] : random64() >> (random64() & 63);
}

static unsigned ones(uint64_t x) { return x == 0 ? 0 : (unsigned)(x & 1) + ones(x >> 1); }

static unsigned leading(uint64_t x, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && !(x >> (bits - 1 - n) & 1))
		n++;
	return n;
}

static unsigned trailing(uint64_t x, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && !(x >> n & 1))
		n++;
	return n;
}

TEST(counting)
{
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		uint64_t x = integer(i);

		agree(wk_i32_clz((uint32_t)x) == leading((uint32_t)x, 32), "i32.clz", x, 0, 0, 0);
		agree(wk_i32_ctz((uint32_t)x) == trailing((uint32_t)x, 32), "i32.ctz", x, 0, 0, 0);
		agree(wk_i32_popcnt((uint32_t)x) == ones((uint32_t)x), "i32.popcnt", x, 0, 0, 0);
		agree(wk_i64_clz(x) == leading(x, 64), "i64.clz", x, 0, 0, 0);
		agree(wk_i64_ctz(x) == trailing(x, 64), "i64.ctz", x, 0, 0, 0);
		agree(wk_i64_popcnt(x) == ones(x), "i64.popcnt", x, 0, 0, 0);
	}
}

static uint64_t rotate(uint64_t x, unsigned left, unsigned bits)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < bits; i++)
		r |= (x >> i & 1) << ((i + left) % bits);
	return r;
}

TEST(rotating)
{
	for (size_t i = 0; i < COUNT(integers); i++)
		for (uint32_t n = 0; n < 130; n++) {
			uint64_t x = integers[i];
			uint32_t y = (uint32_t)x;

			agree(wk_i32_rotl(y, n) == rotate(y, n % 32, 32), "i32.rotl", x, n, 0, 0);
			agree(wk_i32_rotr(y, n) == rotate(y, 32 - n % 32, 32), "i32.rotr", x, n, 0, 0);
			agree(wk_i64_rotl(x, n) == rotate(x, n % 64, 64), "i64.rotl", x, n, 0, 0);
			agree(wk_i64_rotr(x, n) == rotate(x, 64 - n % 64, 64), "i64.rotr", x, n, 0, 0);
		}
}

TEST(extending)
{
	CHECK_EQUAL(wk_i32_extend8_s(0xffffff80), 0xffffff80u);
	CHECK_EQUAL(wk_i32_extend8_s(0x0000017f), 0x7f);
	CHECK_EQUAL(wk_i32_extend16_s(0x00018000), 0xffff8000u);
	CHECK_EQUAL(wk_i64_extend8_s(0x80), -0x80);
	CHECK_EQUAL(wk_i64_extend16_s(0x8000), -0x8000);
	CHECK_EQUAL(wk_i64_extend32_s(0x180000000), -0x80000000LL);
}

/* Quotients of magnitudes, with the signs put on after. */
static void check_division(uint64_t a, uint64_t b, unsigned bits)
{
	uint64_t sign = UINT64_C(1) << (bits - 1), mask = sign | (sign - 1), q = 0, r = 0;
	bool minus_a = (a & sign) != 0, minus_b = (b & sign) != 0;
	uint64_t u = (minus_a ? 0 - a : a) & mask, v = (minus_b ? 0 - b : b) & mask;
	uint32_t small[4] = { 0, 0, 0, 0 };
	uint64_t got[4] = { 0, 0, 0, 0 };
	enum wk_trap traps[4];

	if (bits == 32) {
		traps[0] = wk_i32_div_s((uint32_t)a, (uint32_t)b, &small[0]);
		traps[1] = wk_i32_rem_s((uint32_t)a, (uint32_t)b, &small[1]);
		traps[2] = wk_i32_div_u((uint32_t)a, (uint32_t)b, &small[2]);
		traps[3] = wk_i32_rem_u((uint32_t)a, (uint32_t)b, &small[3]);
		for (int i = 0; i < 4; i++)
			got[i] = small[i];
	} else {
		traps[0] = wk_i64_div_s(a, b, &got[0]);
		traps[1] = wk_i64_rem_s(a, b, &got[1]);
		traps[2] = wk_i64_div_u(a, b, &got[2]);
		traps[3] = wk_i64_rem_u(a, b, &got[3]);
	}
	if (b == 0) {
		for (int i = 0; i < 4; i++)
			agree(traps[i] == WK_TRAP_DIVIDE_BY_ZERO, "division", a, b, traps[i], WK_TRAP_DIVIDE_BY_ZERO);
		return;
	}
	for (unsigned i = bits; i-- > 0; ) { /* on paper */
		bool carry = r >> 63;

		r = r << 1 | (u >> i & 1);
		if (carry || r >= v) {
			r -= v;
			q |= UINT64_C(1) << i;
		}
	}
	if (a == sign && b == mask) {
		agree(traps[0] == WK_TRAP_INTEGER_OVERFLOW, "div_s", a, b, traps[0], WK_TRAP_INTEGER_OVERFLOW);
	} else {
		uint64_t wanted = (minus_a != minus_b ? 0 - q : q) & mask;

		agree(traps[0] == WK_TRAP_NONE && got[0] == wanted, "div_s", a, b, got[0], wanted);
	}
	agree(traps[1] == WK_TRAP_NONE && got[1] == ((minus_a ? 0 - r : r) & mask), "rem_s", a, b, got[1], r);
	agree(traps[2] == WK_TRAP_NONE && traps[3] == WK_TRAP_NONE && got[3] < b && (u128)got[2] * b + got[3] == a, "div_u",
		a, b, got[2], a);
}

TEST(dividing)
{
	for (size_t i = 0; i < COUNT(integers); i++)
		for (size_t j = 0; j < COUNT(integers); j++) {
			check_division((uint32_t)integers[i], (uint32_t)integers[j], 32);
			check_division(integers[i], integers[j], 64);
		}
}

/* Products by halves of 32 bits; sums with the carry by comparison. */
TEST(wide_arithmetic)
{
	for (size_t i = 0; i < RANDOM_ROUNDS / 4; i++) {
		uint64_t a = integer(i % COUNT(integers)), b = integer(i / COUNT(integers)), c = random64(), d = integer(i + 3);
		uint64_t out[2] = { 0, 0 };
		uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
		uint64_t middle = al * bh + (al * bl >> 32), cross = ah * bl + (uint32_t)middle;
		uint64_t low = cross << 32 | (uint32_t)(al * bl), high = ah * bh + (middle >> 32) + (cross >> 32);

		wk_i64_mul_wide_u(a, b, out);
		agree(out[0] == low && out[1] == high, "i64.mul_wide_u", a, b, out[1], high);
		high -= (a >> 63 ? b : 0) + (b >> 63 ? a : 0);
		wk_i64_mul_wide_s(a, b, out);
		agree(out[0] == low && out[1] == high, "i64.mul_wide_s", a, b, out[1], high);
		wk_i64_add128(a, c, b, d, out);
		agree(out[0] == a + b && out[1] == c + d + (a + b < a), "i64.add128", a, b, out[1], c + d);
		wk_i64_sub128(a, c, b, d, out);
		agree(out[0] == a - b && out[1] == c - d - (a < b), "i64.sub128", a, b, out[1], c - d);
	}
}

/* ---- floats ---- */

enum rounding { CEIL, FLOOR, TRUNC, NEAREST };

/* The integer part and what lies above it, then one step away from zero where the direction asks for it. */
static uint64_t reference_round(struct format f, uint64_t bits, enum rounding direction)
{
	struct parts p = take_apart(f, bits);
	uint64_t whole, fraction, half;
	int shift = -p.exponent;
	bool up;

	if (p.nan || p.infinite || shift <= 0)
		return bits;
	whole = shift < 64 ? p.mantissa >> shift : 0;
	fraction = shift < 64 ? p.mantissa & ((UINT64_C(1) << shift) - 1) : p.mantissa;
	half = shift < 64 ? UINT64_C(1) << (shift - 1) : UINT64_MAX;
	up = fraction != 0 &&
		(direction == CEIL ? !p.negative : direction == FLOOR ? p.negative : direction == TRUNC ? false :
			fraction > half || (fraction == half && (whole & 1)));
	return put_together(f, p.negative, whole + up, 0);
}

TEST(rounding)
{
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		uint32_t a = (uint32_t)f_value(f32_format, i);
		uint64_t b = f_value(f64_format, i);
		float x = wk_f32_reinterpret_i32(a);
		double y = wk_f64_reinterpret_i64(b);

#define BOTH(name, direction) \
		agree_float(f32_format, "f32." #name, a, 0, wk_i32_reinterpret_f32(wk_f32_##name(x)), \
			reference_round(f32_format, a, direction)); \
		agree_float(f64_format, "f64." #name, b, 0, wk_i64_reinterpret_f64(wk_f64_##name(y)), \
			reference_round(f64_format, b, direction))
		BOTH(ceil, CEIL);
		BOTH(floor, FLOOR);
		BOTH(trunc, TRUNC);
		BOTH(nearest, NEAREST);
#undef BOTH
	}
}

TEST(sign_bits)
{
	for (size_t i = 0; i < f_specials(f32_format); i++)
		for (size_t j = 0; j < f_specials(f32_format); j++) {
			uint32_t a = (uint32_t)f_value(f32_format, i), b = (uint32_t)f_value(f32_format, j);
			uint64_t c = f_value(f64_format, i), d = f_value(f64_format, j);
			float x = wk_f32_reinterpret_i32(a), y = wk_f32_reinterpret_i32(b);
			double z = wk_f64_reinterpret_i64(c), w = wk_f64_reinterpret_i64(d);

			agree(wk_i32_reinterpret_f32(wk_f32_abs(x)) == (a & 0x7fffffff), "f32.abs", a, 0, 0, 0);
			agree(wk_i32_reinterpret_f32(wk_f32_neg(x)) == (a ^ 0x80000000), "f32.neg", a, 0, 0, 0);
			agree(wk_i32_reinterpret_f32(wk_f32_copysign(x, y)) == ((a & 0x7fffffff) | (b & 0x80000000)), "f32.copysign",
				a, b, 0, 0);
			agree(wk_i64_reinterpret_f64(wk_f64_abs(z)) == (c & INT64_MAX), "f64.abs", c, 0, 0, 0);
			agree(wk_i64_reinterpret_f64(wk_f64_neg(z)) == (c ^ UINT64_C(1) << 63), "f64.neg", c, 0, 0, 0);
			agree(wk_i64_reinterpret_f64(wk_f64_copysign(z, w)) == ((c & INT64_MAX) | (d & UINT64_C(1) << 63)),
				"f64.copysign", c, d, 0, 0);
		}
}

/* Bits of floats, as numbers, are ordered like the floats once those of negative ones are reversed. */
static int64_t rank(struct format f, uint64_t bits)
{
	return bits & sign_bit(f) ? -1 - (int64_t)(bits & ~sign_bit(f)) : (int64_t)bits;
}

static uint64_t reference_min(struct format f, uint64_t a, uint64_t b, bool max)
{
	if (is_nan(f, a) || is_nan(f, b))
		return infinity(f) | quiet_bit(f);
	return (rank(f, a) < rank(f, b)) != max ? a : b;
}

TEST(minimum_and_maximum)
{
	for (size_t i = 0; i < f_specials(f64_format) + 100; i++)
		for (size_t j = 0; j < f_specials(f64_format) + 100; j++) {
			uint32_t a = (uint32_t)f_value(f32_format, i), b = (uint32_t)f_value(f32_format, j);
			uint64_t c = f_value(f64_format, i), d = f_value(f64_format, j);
			float x = wk_f32_reinterpret_i32(a), y = wk_f32_reinterpret_i32(b);
			double z = wk_f64_reinterpret_i64(c), w = wk_f64_reinterpret_i64(d);

			agree_float(f32_format, "f32.min", a, b, wk_i32_reinterpret_f32(wk_f32_min(x, y)),
				reference_min(f32_format, a, b, false));
			agree_float(f32_format, "f32.max", a, b, wk_i32_reinterpret_f32(wk_f32_max(x, y)),
				reference_min(f32_format, a, b, true));
			agree_float(f64_format, "f64.min", c, d, wk_i64_reinterpret_f64(wk_f64_min(z, w)),
				reference_min(f64_format, c, d, false));
			agree_float(f64_format, "f64.max", c, d, wk_i64_reinterpret_f64(wk_f64_max(z, w)),
				reference_min(f64_format, c, d, true));
		}
}

/* The nearest root, digit by digit; `rest` decides between a root and one half more. */
static uint64_t reference_sqrt(struct format f, uint64_t bits)
{
	struct parts p = take_apart(f, bits);
	u128 square, root = 0;

	if (p.nan || (p.negative && p.mantissa != 0))
		return infinity(f) | quiet_bit(f);
	if (p.infinite || p.mantissa == 0)
		return bits;
	square = p.mantissa;
	while (square >> 124 == 0 || (p.exponent & 1)) { /* many digits, and an even exponent */
		square <<= 1;
		p.exponent--;
	}
	for (u128 bit = (u128)1 << 126; bit != 0; bit >>= 2) {
		if (square >= root + bit) {
			square -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return put_together(f, false, (uint64_t)root | (square != 0), p.exponent / 2);
}

TEST(square_root)
{
	for (size_t i = 0; i < RANDOM_ROUNDS / 4; i++) {
		uint32_t a = (uint32_t)f_value(f32_format, i);
		uint64_t b = f_value(f64_format, i);

		agree_float(f32_format, "f32.sqrt", a, 0, wk_i32_reinterpret_f32(wk_f32_sqrt(wk_f32_reinterpret_i32(a))),
			reference_sqrt(f32_format, a));
		agree_float(f64_format, "f64.sqrt", b, 0, wk_i64_reinterpret_f64(wk_f64_sqrt(wk_f64_reinterpret_i64(b))),
			reference_sqrt(f64_format, b));
	}
}

/* ---- conversions ---- */

/* 4.3.4, trunc_u and trunc_s: the trap, or the integer and WK_TRAP_NONE; *saturated as trunc_sat wants it. */
static enum wk_trap reference_trunc(struct format f, uint64_t bits, unsigned width_out, bool is_signed, uint64_t *out,
	uint64_t *saturated)
{
	struct parts p = take_apart(f, bits);
	u128 limit = (u128)1 << (is_signed ? width_out - 1 : width_out); /* magnitudes below fit */
	uint64_t mask = width_out == 64 ? UINT64_MAX : UINT32_MAX;
	u128 magnitude;

	*out = *saturated = 0;
	if (p.nan)
		return WK_TRAP_INVALID_CONVERSION;
	if (p.infinite || p.exponent > 60)
		magnitude = (u128)1 << 100;
	else
		magnitude = p.exponent >= 0 ? (u128)p.mantissa << p.exponent : p.exponent > -64 ? p.mantissa >> -p.exponent : 0;
	if (magnitude < limit + (p.negative && is_signed) && (magnitude == 0 || !p.negative || is_signed)) {
		*out = *saturated = (p.negative ? 0 - (uint64_t)magnitude : (uint64_t)magnitude) & mask;
		return WK_TRAP_NONE;
	}
	*saturated = (p.negative ? (is_signed ? (uint64_t)0 - (uint64_t)limit : 0) : (uint64_t)(limit - 1)) & mask;
	return WK_TRAP_INTEGER_OVERFLOW;
}

#define TRUNCATION(i, type, width_out, f, value, bits, format, s, is_signed) \
	do { \
		type got = 0; \
		uint64_t wanted, saturated; \
		enum wk_trap trap = wk_##i##_trunc_##f##_##s(value, &got); \
		enum wk_trap wanted_trap = reference_trunc(format, bits, width_out, is_signed, &wanted, &saturated); \
		agree(trap == wanted_trap, #i ".trunc_" #f "_" #s "'s trap", bits, 0, trap, wanted_trap); \
		agree(trap != WK_TRAP_NONE || got == wanted, #i ".trunc_" #f "_" #s, bits, 0, got, wanted); \
		got = wk_##i##_trunc_sat_##f##_##s(value); \
		agree(got == saturated, #i ".trunc_sat_" #f "_" #s, bits, 0, got, saturated); \
	} while (0)

TEST(truncation)
{
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		uint32_t a = (uint32_t)f_value(f32_format, i);
		uint64_t b = f_value(f64_format, i);
		float x = wk_f32_reinterpret_i32(a);
		double y = wk_f64_reinterpret_i64(b);

		TRUNCATION(i32, uint32_t, 32, f32, x, a, f32_format, s, true);
		TRUNCATION(i32, uint32_t, 32, f32, x, a, f32_format, u, false);
		TRUNCATION(i32, uint32_t, 32, f64, y, b, f64_format, s, true);
		TRUNCATION(i32, uint32_t, 32, f64, y, b, f64_format, u, false);
		TRUNCATION(i64, uint64_t, 64, f32, x, a, f32_format, s, true);
		TRUNCATION(i64, uint64_t, 64, f32, x, a, f32_format, u, false);
		TRUNCATION(i64, uint64_t, 64, f64, y, b, f64_format, s, true);
		TRUNCATION(i64, uint64_t, 64, f64, y, b, f64_format, u, false);
	}
}

TEST(integers_to_floats)
{
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		uint64_t x = integer(i), magnitude = x >> 63 ? 0 - x : x;
		uint32_t y = (uint32_t)x, small = y >> 31 ? 0 - y : y;

#define BOTH(name, argument, negative, magnitude) \
		agree_float(f32_format, "f32.convert_" #name, x, 0, wk_i32_reinterpret_f32(wk_f32_convert_##name(argument)), \
			put_together(f32_format, negative, magnitude, 0)); \
		agree_float(f64_format, "f64.convert_" #name, x, 0, wk_i64_reinterpret_f64(wk_f64_convert_##name(argument)), \
			put_together(f64_format, negative, magnitude, 0))
		BOTH(i32_s, y, y >> 31, small);
		BOTH(i32_u, y, false, y);
		BOTH(i64_s, x, x >> 63, magnitude);
		BOTH(i64_u, x, false, x);
#undef BOTH
	}
}

TEST(demotion_and_promotion)
{
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		uint32_t a = (uint32_t)f_value(f32_format, i), narrow;
		uint64_t b = f_value(f64_format, i), wide;
		struct parts p = take_apart(f64_format, b);

		narrow = wk_i32_reinterpret_f32(wk_f32_demote_f64(wk_f64_reinterpret_i64(b)));
		if (p.nan)
			agree(is_canonical(f64_format, b) ? is_canonical(f32_format, narrow) :
				is_nan(f32_format, narrow) && (narrow & quiet_bit(f32_format)), "f32.demote_f64", b, 0, narrow, 0);
		else
			agree(narrow == (p.infinite ? (uint32_t)infinity(f32_format) | (p.negative ? 0x80000000 : 0) :
				put_together(f32_format, p.negative, p.mantissa, p.exponent)), "f32.demote_f64", b, 0, narrow, 0);

		p = take_apart(f32_format, a);
		wide = wk_i64_reinterpret_f64(wk_f64_promote_f32(wk_f32_reinterpret_i32(a)));
		if (p.nan)
			agree(is_canonical(f32_format, a) ? is_canonical(f64_format, wide) :
				is_nan(f64_format, wide) && (wide & quiet_bit(f64_format)), "f64.promote_f32", a, 0, wide, 0);
		else
			agree(wide == (p.infinite ? infinity(f64_format) | (p.negative ? sign_bit(f64_format) : 0) :
				put_together(f64_format, p.negative, p.mantissa, p.exponent)), "f64.promote_f32", a, 0, wide, 0);
	}
}

int main(void)
{
	RUN(counting);
	RUN(rotating);
	RUN(extending);
	RUN(dividing);
	RUN(wide_arithmetic);
	RUN(rounding);
	RUN(sign_bits);
	RUN(minimum_and_maximum);
	RUN(square_root);
	RUN(truncation);
	RUN(integers_to_floats);
	RUN(demotion_and_promotion);
	return test_end();
}
