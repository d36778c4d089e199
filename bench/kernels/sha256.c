/* SHA-256 (FIPS 180-4) of a buffer again and again, each time with the last digest written into it. The constants are
 * computed, as the standard defines them: the first 32 bits of the fractions of square and cube roots of primes. */
#include "kernel.h"

enum { LENGTH = 16384 };

static uint32_t initial[8], constants[64];

/* The first 32 bits of the fraction of the root (2: square, 3: cube) of a small number, by bisection in integers. */
static uint32_t root_fraction(uint32_t number, int degree)
{
    uint64_t low = 0, high = (uint64_t)20 << 32; /* the root, times 2 to the 32 */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        unsigned __int128 square = (unsigned __int128)middle * middle;
        /* A cube of 37 bits each would fit 111 bits. */
        int above = degree == 2 ? square > ((unsigned __int128)number << 64)
                                : square * middle > ((unsigned __int128)number << 96);
        if (above)
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low;
}

static void compute_constants(void)
{
    int found = 0;
    for (uint32_t candidate = 2; found < 64; candidate++) {
        if (!kernel_is_prime(candidate))
            continue;
        if (found < 8)
            initial[found] = root_fraction(candidate, 2);
        constants[found++] = root_fraction(candidate, 3);
    }
}

static uint32_t rotate(uint32_t x, int n)
{
    return (x >> n) | (x << (32 - n));
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

static void sha256(const uint8_t *data, size_t length, uint8_t digest[32])
{
    uint32_t state[8];
    uint8_t tail[128] = { 0 };
    size_t whole = length / 64 * 64, rest = length - whole, padded = rest < 56 ? 64 : 128;
    memcpy(state, initial, sizeof state);
    for (size_t i = 0; i < whole; i += 64)
        compress(state, data + i);
    memcpy(tail, data + whole, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++)
        tail[padded - 1 - (size_t)i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
    for (size_t i = 0; i < padded; i += 64)
        compress(state, tail + i);
    for (int i = 0; i < 32; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}

int main(int argc, char **argv)
{
    static uint8_t data[LENGTH];
    uint8_t digest[32];
    int rounds = 100 * kernel_repetitions(argc, argv, 12);
    compute_constants();
    /* The standard's own example, so that a wrong constant cannot hide: SHA-256("abc"). */
    sha256((const uint8_t *)"abc", 3, digest);
    for (int i = 0; i < 32; i++)
        printf("%02x", digest[i]);
    printf("\n");
    while (rounds-- > 0) {
        sha256(data, LENGTH, digest);
        memcpy(data + rounds % (LENGTH / 32) * 32, digest, 32);
    }
    uint64_t sum = 0;
    for (int i = 0; i < 32; i++)
        sum = kernel_mix(sum, digest[i]);
    return kernel_report("sha256", sum);
}
