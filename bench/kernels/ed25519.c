/* SPDX-License-Identifier: Apache-2.0
 *
 * Ed25519 (RFC 8032): signs and verifies short messages. The field has ten limbs of 26 and 25 bits in turns, so that
 * all products fit 64 bits: the usual form where there is no multiplication to 128 bits, as in WebAssembly. Constants
 * are computed: of SHA-512 from the roots of primes, of the curve from their definitions. */
#include "kernel.h"

/* ---- SHA-512 ---- */

static uint64_t initial[8], constants[80];

/* result, of m + n words from the lowest up, = a (m words) * b (n words). */
static void multiply_words(uint32_t *result, const uint32_t *a, int m, const uint32_t *b, int n)
{
    memset(result, 0, (size_t)(m + n) * sizeof result[0]);
    for (int i = 0; i < m; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < n; j++) {
            carry += (uint64_t)a[i] * b[j] + result[i + j];
            result[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        result[i + n] = (uint32_t)carry;
    }
}

/* The first 64 bits of the fraction of the root (2: square, 3: cube) of a small number: the root, times 2 to the 64,
 * bit by bit. */
static uint64_t root_fraction(uint32_t number, int degree)
{
    uint32_t root[3] = { 0 }, square[6], cube[9];
    for (int bit = 68; bit >= 0; bit--) {
        root[bit / 32] |= 1u << bit % 32;
        multiply_words(square, root, 3, root, 3);
        multiply_words(cube, square, 6, root, 3);
        /* Its power is below number * 2^(64 * degree), if that ends at a word: no root is whole. */
        const uint32_t *whole = degree == 2 ? square + 4 : cube + 6;
        if (whole[0] >= number || whole[1] != 0)
            root[bit / 32] &= ~(1u << bit % 32);
    }
    return (uint64_t)root[1] << 32 | root[0];
}

static void compute_constants(void)
{
    int found = 0;
    for (uint32_t candidate = 2; found < 80; candidate++) {
        if (!kernel_is_prime(candidate))
            continue;
        if (found < 8)
            initial[found] = root_fraction(candidate, 2);
        constants[found++] = root_fraction(candidate, 3);
    }
}

static uint64_t rotate(uint64_t x, int n)
{
    return x >> n | x << (64 - n);
}

static void compress(uint64_t state[8], const uint8_t *block)
{
    uint64_t w[80];
    for (int i = 0; i < 16; i++) {
        w[i] = 0;
        for (int j = 0; j < 8; j++)
            w[i] = w[i] << 8 | block[8 * i + j];
    }
    for (int i = 16; i < 80; i++) {
        uint64_t s0 = rotate(w[i - 15], 1) ^ rotate(w[i - 15], 8) ^ (w[i - 15] >> 7);
        uint64_t s1 = rotate(w[i - 2], 19) ^ rotate(w[i - 2], 61) ^ (w[i - 2] >> 6);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint64_t v[8];
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 80; i++) {
        uint64_t t1 = v[7] + (rotate(v[4], 14) ^ rotate(v[4], 18) ^ rotate(v[4], 41)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[i] + w[i];
        uint64_t t2 = (rotate(v[0], 28) ^ rotate(v[0], 34) ^ rotate(v[0], 39)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        for (int j = 7; j > 0; j--)
            v[j] = v[j - 1];
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

struct part {
    const uint8_t *data;
    size_t length;
};

/* The digest of up to three parts behind each other. All of them are short here: 512 bytes with the padding. */
static void sha512(const struct part *parts, int count, uint8_t digest[64])
{
    uint8_t buffer[512] = { 0 };
    uint64_t state[8];
    size_t length = 0;
    for (int i = 0; i < count; i++) {
        memcpy(buffer + length, parts[i].data, parts[i].length);
        length += parts[i].length;
    }
    buffer[length] = 0x80;
    size_t padded = (length + 17 + 127) / 128 * 128;
    for (int i = 0; i < 4; i++)
        buffer[padded - 1 - (size_t)i] = (uint8_t)(length * 8 >> (8 * i));
    memcpy(state, initial, sizeof state);
    for (size_t i = 0; i < padded; i += 128)
        compress(state, buffer + i);
    for (int i = 0; i < 64; i++)
        digest[i] = (uint8_t)(state[i / 8] >> (56 - i % 8 * 8));
}

/* ---- the field of 2^255 - 19 ---- */

/* Limb i counts 2^(25.5 i), rounded up. Products have limbs of at most 2^25 + a little in absolute value (2^24 the odd
 * ones); the sum or difference of up to three such may be multiplied. */
struct element {
    int32_t limbs[10];
};

static const struct element zero, one = { { 1 } };
static struct element curve_2d, root_of_minus_one;

static int limb_bits(int i)
{
    return 26 - i % 2;
}

static struct element add(const struct element *a, const struct element *b)
{
    struct element sum;
    for (int i = 0; i < 10; i++)
        sum.limbs[i] = a->limbs[i] + b->limbs[i];
    return sum;
}

static struct element subtract(const struct element *a, const struct element *b)
{
    struct element difference;
    for (int i = 0; i < 10; i++)
        difference.limbs[i] = a->limbs[i] - b->limbs[i];
    return difference;
}

static inline int64_t convolve(const int32_t a[10], const int32_t *b)
{
    return (int64_t)a[0] * b[0] + (int64_t)a[1] * b[-1] + (int64_t)a[2] * b[-2] + (int64_t)a[3] * b[-3] +
           (int64_t)a[4] * b[-4] + (int64_t)a[5] * b[-5] + (int64_t)a[6] * b[-6] + (int64_t)a[7] * b[-7] +
           (int64_t)a[8] * b[-8] + (int64_t)a[9] * b[-9];
}

static struct element multiply(const struct element *a, const struct element *b)
{
    /* What is above 2^255 comes back 19 times: nine limbs before the first. The product of two odd limbs counts twice,
     * as each was rounded up by half a bit; in an even place, they are the odd limbs of a. */
    int32_t even[10], around[19];
    int64_t sums[10];
    for (int i = 0; i < 10; i++) {
        even[i] = i % 2 == 0 ? a->limbs[i] : 2 * a->limbs[i];
        around[9 + i] = b->limbs[i];
        if (i > 0)
            around[i - 1] = 19 * b->limbs[i];
    }
    for (int i = 0; i < 10; i += 2) {
        sums[i] = convolve(even, around + 9 + i);
        sums[i + 1] = convolve(a->limbs, around + 10 + i);
    }
    struct element product;
    for (int i = 0; i < 11; i++) {
        int bits = limb_bits(i % 10);
        int64_t carry = (sums[i % 10] + ((int64_t)1 << (bits - 1))) >> bits;
        sums[i % 10] -= carry * ((int64_t)1 << bits);
        sums[(i + 1) % 10] += i == 9 ? 19 * carry : carry;
    }
    for (int i = 0; i < 10; i++)
        product.limbs[i] = (int32_t)sums[i];
    return product;
}

static struct element square_times(const struct element *a, int count)
{
    struct element result = *a;
    while (count-- > 0)
        result = multiply(&result, &result);
    return result;
}

/* a^(2^250 - 1), and a^11 on the way. */
static struct element power_250(const struct element *a, struct element *eleventh)
{
    struct element t = square_times(a, 1), u = square_times(&t, 2), ones_5, ones_10, ones_50;
    u = multiply(&u, a); /* 9 */
    t = multiply(&t, &u);
    *eleventh = t;
    t = square_times(&t, 1);
    ones_5 = multiply(&t, &u); /* 22 + 9 = 2^5 - 1; from here on the number of ones grows */
    t = square_times(&ones_5, 5);
    ones_10 = multiply(&t, &ones_5);
    t = square_times(&ones_10, 10);
    u = multiply(&t, &ones_10);
    t = square_times(&u, 20);
    u = multiply(&t, &u); /* 40 */
    t = square_times(&u, 10);
    ones_50 = multiply(&t, &ones_10);
    t = square_times(&ones_50, 50);
    u = multiply(&t, &ones_50); /* 100 */
    t = square_times(&u, 100);
    u = multiply(&t, &u);
    t = square_times(&u, 50);
    return multiply(&t, &ones_50);
}

/* a^(p - 2), p - 2 = (2^250 - 1) * 2^5 + 11. */
static struct element invert(const struct element *a)
{
    struct element eleventh, t = power_250(a, &eleventh);
    t = square_times(&t, 5);
    return multiply(&t, &eleventh);
}

/* a^((p - 5) / 8), the exponent being (2^250 - 1) * 4 + 1. */
static struct element almost_root(const struct element *a)
{
    struct element eleventh, t = power_250(a, &eleventh);
    t = square_times(&t, 2);
    return multiply(&t, a);
}

static void element_store(uint8_t bytes[32], const struct element *a)
{
    struct element t = *a, more;
    /* Twice around: then every limb is between 0 and its size, and the whole below 2^255. */
    for (int i = 0; i < 20; i++) {
        int32_t carry = t.limbs[i % 10] >> limb_bits(i % 10);
        t.limbs[i % 10] -= carry * (1 << limb_bits(i % 10));
        t.limbs[(i + 1) % 10] += i % 10 == 9 ? 19 * carry : carry;
    }
    /* If 19 more reach 2^255, it was not below p, and those without bit 255 are the remainder. */
    int32_t carry = 19;
    for (int i = 0; i < 10; i++) {
        more.limbs[i] = t.limbs[i] + carry;
        carry = more.limbs[i] >> limb_bits(i);
        more.limbs[i] -= carry * (1 << limb_bits(i));
    }
    if (carry != 0)
        t = more;
    uint64_t pending = 0;
    for (int i = 0, bits = 0, n = 0; i < 10; i++) {
        pending |= (uint64_t)t.limbs[i] << bits;
        bits += limb_bits(i);
        for (; bits >= 8 || (i == 9 && n < 32); bits -= 8, pending >>= 8)
            bytes[n++] = (uint8_t)pending;
    }
}

/* Of 255 bits; the highest one of the 256 is left out. */
static struct element element_load(const uint8_t bytes[32])
{
    struct element a;
    uint64_t pending = 0;
    for (int i = 0, bits = 0, n = 0; i < 10; i++) {
        for (; bits < limb_bits(i); bits += 8, n++)
            pending |= (uint64_t)bytes[n] << bits;
        a.limbs[i] = (int32_t)(pending & ((1u << limb_bits(i)) - 1));
        pending >>= limb_bits(i);
        bits -= limb_bits(i);
    }
    return a;
}

static int equal(const struct element *a, const struct element *b)
{
    uint8_t x[32], y[32];
    element_store(x, a);
    element_store(y, b);
    return memcmp(x, y, 32) == 0;
}

static int is_odd(const struct element *a)
{
    uint8_t bytes[32];
    element_store(bytes, a);
    return bytes[0] & 1;
}

/* ---- points of -x^2 + y^2 = 1 + d x^2 y^2, extended: x = X/Z, y = Y/Z, xy = T/Z ---- */

struct point {
    struct element x, y, z, t;
};

static struct point table_of_base[16];

static struct point point_finish(const struct element *e, const struct element *f, const struct element *g,
    const struct element *h)
{
    return (struct point){ multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h) };
}

static struct point point_add(const struct point *p, const struct point *q)
{
    struct element t = subtract(&p->y, &p->x), u = subtract(&q->y, &q->x), v = add(&p->y, &p->x), w = add(&q->y, &q->x);
    struct element a = multiply(&t, &u), b = multiply(&v, &w);
    t = multiply(&p->t, &curve_2d);
    u = add(&p->z, &p->z);
    struct element c = multiply(&t, &q->t), d = multiply(&u, &q->z);
    struct element e = subtract(&b, &a), f = subtract(&d, &c), g = add(&d, &c), h = add(&b, &a);
    return point_finish(&e, &f, &g, &h);
}

static struct point point_double(const struct point *p)
{
    struct element t = add(&p->x, &p->y), u = add(&p->z, &p->z);
    struct element a = multiply(&p->x, &p->x), b = multiply(&p->y, &p->y), c = multiply(&u, &p->z);
    t = multiply(&t, &t);
    struct element h = add(&a, &b), e = subtract(&h, &t), g = subtract(&a, &b), f = add(&c, &g);
    return point_finish(&e, &f, &g, &h);
}

static const struct point neutral = { { { 0 } }, { { 1 } }, { { 1 } }, { { 0 } } };

static void multiples(struct point table[16], const struct point *p)
{
    table[0] = neutral;
    for (int i = 1; i < 16; i++)
        table[i] = point_add(&table[i - 1], p);
}

/* Reads the whole table, so that nobody learns the index from what was read. */
static struct point point_select(const struct point table[16], uint32_t index)
{
    struct point result = { 0 };
    for (uint32_t i = 0; i < 16; i++) {
        int32_t mask = -(int32_t)(((i ^ index) - 1) >> 31);
        for (int k = 0; k < 10; k++) {
            result.x.limbs[k] |= mask & table[i].x.limbs[k];
            result.y.limbs[k] |= mask & table[i].y.limbs[k];
            result.z.limbs[k] |= mask & table[i].z.limbs[k];
            result.t.limbs[k] |= mask & table[i].t.limbs[k];
        }
    }
    return result;
}

static uint32_t scalar_digit(const uint8_t scalar[32], int i)
{
    return scalar[i / 2] >> (i % 2 * 4) & 15;
}

/* The base point's multiple by a secret number: the same steps for every number. */
static struct point multiply_base(const uint8_t scalar[32])
{
    struct point sum = neutral;
    for (int i = 63; i >= 0; i--) {
        for (int k = 0; k < 4; k++)
            sum = point_double(&sum);
        struct point chosen = point_select(table_of_base, scalar_digit(scalar, i));
        sum = point_add(&sum, &chosen);
    }
    return sum;
}

/* a * B + b * p; nothing is secret. */
static struct point multiply_two(const uint8_t a[32], const uint8_t b[32], const struct point *p)
{
    struct point table[16], sum = neutral;
    multiples(table, p);
    for (int i = 63; i >= 0; i--) {
        for (int k = 0; k < 4; k++)
            sum = point_double(&sum);
        if (scalar_digit(a, i) != 0)
            sum = point_add(&sum, &table_of_base[scalar_digit(a, i)]);
        if (scalar_digit(b, i) != 0)
            sum = point_add(&sum, &table[scalar_digit(b, i)]);
    }
    return sum;
}

static void point_store(uint8_t bytes[32], const struct point *p)
{
    struct element inverse = invert(&p->z), x = multiply(&p->x, &inverse), y = multiply(&p->y, &inverse);
    element_store(bytes, &y);
    bytes[31] |= (uint8_t)(is_odd(&x) << 7);
}

static int point_load(struct point *p, const uint8_t bytes[32])
{
    /* x^2 = u / v with u = y^2 - 1 and v = d y^2 + 1; its root is u v^3 (u v^7)^((p - 5) / 8), or that times the root
     * of -1, or there is none. */
    struct element y = element_load(bytes), y2 = multiply(&y, &y), u = subtract(&y2, &one);
    struct element twice_v = multiply(&y2, &curve_2d), v3, t, x;
    twice_v = add(&twice_v, &one);
    twice_v = add(&twice_v, &one);
    u = add(&u, &u); /* 2u / 2v is the same */
    t = multiply(&twice_v, &twice_v);
    v3 = multiply(&t, &twice_v);
    t = multiply(&v3, &v3);
    t = multiply(&t, &twice_v);
    t = multiply(&t, &u);
    t = almost_root(&t);
    x = multiply(&u, &v3);
    x = multiply(&x, &t);
    t = multiply(&x, &x);
    t = multiply(&t, &twice_v);
    if (!equal(&t, &u)) {
        x = multiply(&x, &root_of_minus_one);
        t = multiply(&x, &x);
        t = multiply(&t, &twice_v);
        if (!equal(&t, &u))
            return 0;
    }
    if (is_odd(&x) != bytes[31] >> 7)
        x = subtract(&zero, &x);
    *p = (struct point){ x, y, one, multiply(&x, &y) };
    return 1;
}

static struct element small(int32_t number)
{
    return (struct element){ { number } };
}

/* The curve's d = -121665 / 121666; 2 is no square, so that 2^((p - 1) / 4) is a root of -1; the base point has
 * y = 4 / 5 and an even x. */
static void compute_curve(void)
{
    struct element t = small(121666), u = small(-2 * 121665), two = small(2);
    uint8_t bytes[32];
    t = invert(&t);
    curve_2d = multiply(&t, &u);
    t = almost_root(&two); /* twice the exponent (p - 5) / 8, and 1, is (p - 1) / 4 */
    t = multiply(&t, &t);
    root_of_minus_one = multiply(&t, &two);
    t = small(5);
    u = small(4);
    t = invert(&t);
    t = multiply(&t, &u);
    element_store(bytes, &t);
    struct point base;
    if (point_load(&base, bytes))
        multiples(table_of_base, &base);
}

/* ---- numbers modulo the base point's order ---- */

/* 2^252 + 27742317777372353535851937790883648493. */
static const uint32_t order[8] = { 0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000 };

/* The remainder of 16 words, bit by bit from the highest down. */
static void reduce(uint32_t result[8], const uint32_t wide[16])
{
    memset(result, 0, 8 * sizeof result[0]);
    for (int bit = 511; bit >= 0; bit--) {
        uint32_t less[8], carry = wide[bit / 32] >> bit % 32 & 1;
        uint64_t borrow = 0;
        for (int i = 0; i < 8; i++) {
            uint32_t word = result[i] << 1 | carry;
            carry = result[i] >> 31;
            result[i] = word;
            borrow = (uint64_t)word - order[i] - borrow;
            less[i] = (uint32_t)borrow;
            borrow = borrow >> 63;
        }
        if (borrow == 0)
            memcpy(result, less, sizeof less);
    }
}

static void words_load(uint32_t *words, const uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++)
        words[i] = bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16 |
                   (uint32_t)bytes[4 * i + 3] << 24;
}

static void words_store(uint8_t *bytes, const uint32_t *words, int count)
{
    for (int i = 0; i < 4 * count; i++)
        bytes[i] = (uint8_t)(words[i / 4] >> (i % 4 * 8));
}

/* The digest of the parts, modulo the order. */
static void hash_to_scalar(uint8_t scalar[32], const struct part *parts, int count)
{
    uint8_t digest[64];
    uint32_t wide[16], reduced[8];
    sha512(parts, count, digest);
    words_load(wide, digest, 16);
    reduce(reduced, wide);
    words_store(scalar, reduced, 8);
}

/* a * b + c modulo the order. */
static void multiply_add(uint8_t result[32], const uint8_t a[32], const uint8_t b[32], const uint8_t c[32])
{
    uint32_t x[8], y[8], z[8], wide[16], reduced[8];
    uint64_t carry = 0;
    words_load(x, a, 8);
    words_load(y, b, 8);
    words_load(z, c, 8);
    multiply_words(wide, x, 8, y, 8);
    for (int i = 0; i < 16; i++) {
        carry += (uint64_t)wide[i] + (i < 8 ? z[i] : 0);
        wide[i] = (uint32_t)carry;
        carry >>= 32;
    }
    reduce(reduced, wide);
    words_store(result, reduced, 8);
}

/* ---- signatures ---- */

struct key {
    uint8_t scalar[32], prefix[32], public[32];
};

static void make_key(struct key *key, const uint8_t seed[32])
{
    uint8_t digest[64];
    sha512(&(struct part){ seed, 32 }, 1, digest);
    memcpy(key->scalar, digest, 32);
    memcpy(key->prefix, digest + 32, 32);
    key->scalar[0] &= 0xf8;
    key->scalar[31] = (uint8_t)((key->scalar[31] & 0x7f) | 0x40);
    struct point point = multiply_base(key->scalar);
    point_store(key->public, &point);
}

static void sign(uint8_t signature[64], const struct key *key, struct part message)
{
    uint8_t nonce[32], challenge[32];
    hash_to_scalar(nonce, (struct part[]){ { key->prefix, 32 }, message }, 2);
    struct point point = multiply_base(nonce);
    point_store(signature, &point);
    hash_to_scalar(challenge, (struct part[]){ { signature, 32 }, { key->public, 32 }, message }, 3);
    multiply_add(signature + 32, challenge, key->scalar, nonce);
}

/* Is S B - k A = R? S is not compared with the order: the signatures here are our own. */
static int verify(const uint8_t signature[64], const uint8_t public[32], struct part message)
{
    uint8_t challenge[32], expected[32];
    struct point point;
    if (!point_load(&point, public))
        return 0;
    point.x = subtract(&zero, &point.x);
    point.t = subtract(&zero, &point.t);
    hash_to_scalar(challenge, (struct part[]){ { signature, 32 }, { public, 32 }, message }, 3);
    point = multiply_two(signature + 32, challenge, &point);
    point_store(expected, &point);
    return memcmp(expected, signature, 32) == 0;
}

static void print_bytes(const uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    /* RFC 8032, 7.1, the third test: the key, and the signature of the bytes af 82. */
    static const uint8_t seed[32] = {
        0xc5, 0xaa, 0x8d, 0xf4, 0x3f, 0x9f, 0x83, 0x7b, 0xed, 0xb7, 0x44, 0x2f, 0x31, 0xdc, 0xb7, 0xb1,
        0x66, 0xd3, 0x85, 0x35, 0x07, 0x6f, 0x09, 0x4b, 0x85, 0xce, 0x3a, 0x2e, 0x0b, 0x44, 0x58, 0xf7
    };
    static const uint8_t expected[64] = {
        0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a, 0xbe, 0x01, 0xa3,
        0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36, 0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac,
        0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2, 0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59,
        0x4a, 0x7c, 0x15, 0xe9, 0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a
    };
    int rounds = 20 * kernel_repetitions(argc, argv, 40);
    uint8_t text[64] = { 0xaf, 0x82 }, signature[64];
    struct key key;
    uint64_t sum = 0;
    compute_constants();
    compute_curve();
    make_key(&key, seed);
    sign(signature, &key, (struct part){ text, 2 });
    print_bytes(signature, 32);
    print_bytes(signature + 32, 32);
    if (memcmp(signature, expected, sizeof expected) != 0)
        return kernel_report("ed25519: wrong", 0);
    for (int round = 0; round < rounds; round++) {
        /* What is signed next is the last signature; every eighth is damaged, and must be refused. */
        memcpy(text, signature, sizeof text);
        sign(signature, &key, (struct part){ text, sizeof text });
        int damaged = round % 8 == 7;
        signature[round % 31] ^= (uint8_t)damaged;
        if (verify(signature, key.public, (struct part){ text, sizeof text }) == damaged)
            return kernel_report("ed25519: wrong", (uint64_t)round);
        sum = kernel_mix(sum, signature[round % 64]);
    }
    return kernel_report("ed25519", sum);
}
