/* What the kernels share: the repetition count, a random generator that is the same everywhere, a checksum, and a few
 * functions of mathematics. The latter are here and not taken from libm because C libraries differ in the last bit, and
 * then the checksums would; of libm the kernels use only sqrt and fabs, which are exact.
 */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* argv[1], or else the default: chosen so that an interpreter ten times slower than native needs 1 to 3 seconds. */
static inline int kernel_repetitions(int argc, char **argv, int by_default)
{
    int n = argc > 1 ? atoi(argv[1]) : by_default;
    return n > 0 ? n : 1;
}

struct kernel_random {
    uint64_t state;
};

/* A 64-bit linear congruential generator; its upper half is good enough to fill arrays. */
static inline uint32_t kernel_next(struct kernel_random *random)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random->state >> 32);
}

static inline uint32_t kernel_below(struct kernel_random *random, uint32_t limit)
{
    return (uint32_t)(((uint64_t)kernel_next(random) * limit) >> 32);
}

/* In [-1, 1). */
static inline double kernel_real(struct kernel_random *random)
{
    return (double)(int32_t)kernel_next(random) / 2147483648.0;
}

/* For numbers from 2 on, small ones. */
static inline int kernel_is_prime(uint32_t number)
{
    for (uint32_t d = 2; d * d <= number; d++)
        if (number % d == 0)
            return 0;
    return 1;
}

static inline uint64_t kernel_mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static inline uint64_t kernel_mix_reals(uint64_t sum, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        sum = kernel_mix(sum, bits);
    }
    return sum;
}

static inline int kernel_report(const char *name, uint64_t sum)
{
    printf("%s %016llx\n", name, (unsigned long long)sum);
    return 0;
}

/* e^x for |x| below about 700: halve the argument until it is small, sum the series, square back. */
static inline double kernel_exp(double x)
{
    int halvings = 0;
    while (fabs(x) > 0.125) {
        x *= 0.5;
        halvings++;
    }
    double sum = 1.0;
    for (int k = 10; k > 0; k--)
        sum = 1.0 + sum * x / k;
    while (halvings-- > 0)
        sum *= sum;
    return sum;
}

/* Sine for |x| up to about 7, by its series; good to some 14 digits. */
static inline double kernel_sin(double x)
{
    double term = x, sum = x;
    for (int k = 1; k < 20; k++) {
        term *= -x * x / ((2 * k) * (2 * k + 1));
        sum += term;
    }
    return sum;
}

static inline double kernel_cos(double x)
{
    return kernel_sin(1.57079632679489661923 - x);
}

#endif
