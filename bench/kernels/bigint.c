/* Modular powers of 1024-bit integers, as RSA computes them: Montgomery multiplication on 32-bit limbs with 64-bit
 * products. */
#include "kernel.h"

enum { LIMBS = 32 };

static uint32_t modulus[LIMBS], modulus_inverse; /* minus the inverse of the modulus modulo 2 to the 32 */

static int at_least(const uint32_t *a, const uint32_t *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a[i] != b[i])
            return a[i] > b[i];
    return 1;
}

static void subtract(uint32_t *a, const uint32_t *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
        a[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
}

/* r = a b / 2 to the 1024, modulo the modulus. */
static void multiply(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t t[LIMBS + 2] = { 0 };
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            uint64_t sum = (uint64_t)a[i] * b[j] + t[j] + carry;
            t[j] = (uint32_t)sum;
            carry = sum >> 32;
        }
        uint64_t top = (uint64_t)t[LIMBS] + carry;
        t[LIMBS] = (uint32_t)top;
        t[LIMBS + 1] = (uint32_t)(top >> 32);

        uint32_t factor = t[0] * modulus_inverse;
        carry = ((uint64_t)factor * modulus[0] + t[0]) >> 32;
        for (int j = 1; j < LIMBS; j++) {
            uint64_t sum = (uint64_t)factor * modulus[j] + t[j] + carry;
            t[j - 1] = (uint32_t)sum;
            carry = sum >> 32;
        }
        top = (uint64_t)t[LIMBS] + carry;
        t[LIMBS - 1] = (uint32_t)top;
        t[LIMBS] = t[LIMBS + 1] + (uint32_t)(top >> 32);
    }
    memcpy(r, t, LIMBS * sizeof r[0]);
    if (t[LIMBS] != 0 || at_least(r, modulus))
        subtract(r, modulus);
}

/* Twice the number, modulo the modulus. */
static void twice(uint32_t *a)
{
    uint32_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        uint32_t out = a[i] >> 31;
        a[i] = a[i] << 1 | carry;
        carry = out;
    }
    if (carry != 0 || at_least(a, modulus))
        subtract(a, modulus);
}

int main(int argc, char **argv)
{
    uint32_t base[LIMBS], exponent[LIMBS], one[LIMBS] = { 1 }, power[LIMBS];
    int repetitions = kernel_repetitions(argc, argv, 48);
    struct kernel_random random = { 14 };
    for (int i = 0; i < LIMBS; i++) {
        modulus[i] = kernel_next(&random);
        base[i] = kernel_next(&random);
    }
    modulus[0] |= 1;
    modulus[LIMBS - 1] |= 0x80000000u;
    base[LIMBS - 1] &= 0x7fffffffu;
    /* Newton's iteration doubles the number of right bits: 5 steps from 3 bits give more than 32. */
    uint32_t inverse = modulus[0];
    for (int i = 0; i < 5; i++)
        inverse *= 2 - modulus[0] * inverse;
    modulus_inverse = -inverse;
    /* Both into Montgomery's form: times 2 to the 1024. */
    for (int i = 0; i < 32 * LIMBS; i++) {
        twice(base);
        twice(one);
    }
    while (repetitions-- > 0) {
        for (int i = 0; i < LIMBS; i++)
            exponent[i] = kernel_next(&random);
        memcpy(power, one, sizeof power);
        for (int bit = 32 * LIMBS - 1; bit >= 0; bit--) {
            multiply(power, power, power);
            if (exponent[bit / 32] >> (bit % 32) & 1)
                multiply(power, power, base);
        }
        memcpy(base, power, sizeof base);
    }
    uint64_t sum = 0;
    for (int i = 0; i < LIMBS; i++)
        sum = kernel_mix(sum, power[i]);
    return kernel_report("bigint", sum);
}
