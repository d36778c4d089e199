/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-128 (FIPS 197) in counter mode (SP 800-38A), with four tables of 256 words: a round is sixteen look-ups by bytes
 * of the state. The tables are computed, as the standard defines the S-box: the inverse in GF(2^8), then an affine map.
 */
#include "kernel.h"

enum { LENGTH = 16384, ROUNDS = 10, KEY_WORDS = 4 * (ROUNDS + 1) };

static uint8_t sbox[256];
static uint32_t tables[4][256]; /* the S-box and the mixing of columns in one, for each row of the state */

static uint8_t twice(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint32_t rotate_right(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint8_t affine(uint8_t x)
{
    uint8_t result = 0x63;
    for (int shift = 0; shift < 5; shift++)
        result ^= (uint8_t)(x << shift | x >> (8 - shift));
    return result;
}

static void compute_tables(void)
{
    /* 3 generates the field's multiplicative group: the inverse of 3^i is 3^(255 - i). */
    uint8_t powers[256], x = 1;
    for (int i = 0; i < 256; i++) {
        powers[i] = x;
        x ^= twice(x);
    }
    sbox[0] = affine(0);
    for (int i = 0; i < 255; i++)
        sbox[powers[i]] = affine(powers[255 - i]);
    for (int i = 0; i < 256; i++) {
        uint32_t s = sbox[i], s2 = twice(sbox[i]);
        uint32_t column = s2 << 24 | s << 16 | s << 8 | (s2 ^ s);
        for (int row = 0; row < 4; row++)
            tables[row][i] = row == 0 ? column : rotate_right(column, 8 * row);
    }
}

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store(uint8_t *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* One byte of each of four words, from the highest down, through the S-box. */
static uint32_t substitute(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return (uint32_t)sbox[a >> 24] << 24 | (uint32_t)sbox[b >> 16 & 255] << 16 | (uint32_t)sbox[c >> 8 & 255] << 8 |
           sbox[d & 255];
}

static uint32_t mix_column(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return tables[0][a >> 24] ^ tables[1][b >> 16 & 255] ^ tables[2][c >> 8 & 255] ^ tables[3][d & 255];
}

static void expand_key(uint32_t keys[KEY_WORDS], const uint8_t key[16])
{
    uint8_t constant = 1;
    for (int i = 0; i < KEY_WORDS; i++) {
        if (i < 4) {
            keys[i] = load(key + 4 * i);
            continue;
        }
        uint32_t word = keys[i - 1];
        if (i % 4 == 0) {
            word = rotate_right(word, 24);
            word = substitute(word, word, word, word) ^ (uint32_t)constant << 24;
            constant = twice(constant);
        }
        keys[i] = keys[i - 4] ^ word;
    }
}

static void encrypt(const uint32_t keys[KEY_WORDS], const uint32_t in[4], uint32_t out[4])
{
    uint32_t a = in[0] ^ keys[0], b = in[1] ^ keys[1], c = in[2] ^ keys[2], d = in[3] ^ keys[3];
    for (int round = 1; round < ROUNDS; round++) {
        const uint32_t *key = keys + 4 * round;
        uint32_t e = mix_column(a, b, c, d) ^ key[0], f = mix_column(b, c, d, a) ^ key[1];
        uint32_t g = mix_column(c, d, a, b) ^ key[2], h = mix_column(d, a, b, c) ^ key[3];
        a = e;
        b = f;
        c = g;
        d = h;
    }
    const uint32_t *key = keys + 4 * ROUNDS;
    out[0] = substitute(a, b, c, d) ^ key[0];
    out[1] = substitute(b, c, d, a) ^ key[1];
    out[2] = substitute(c, d, a, b) ^ key[2];
    out[3] = substitute(d, a, b, c) ^ key[3];
}

/* Encrypts or decrypts whole blocks in place. The counter, 128 bits, goes on from call to call. */
static void counter_mode(const uint32_t keys[KEY_WORDS], uint32_t counter[4], uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += 16) {
        uint32_t stream[4];
        encrypt(keys, counter, stream);
        for (int i = 0; i < 4; i++)
            store(data + 4 * i, load(data + 4 * i) ^ stream[i]);
        for (int i = 3; i >= 0 && ++counter[i] == 0; i--)
            continue;
    }
}

/* The first two blocks of SP 800-38A, F.5.1. */
static int known_answer(void)
{
    static const uint8_t key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
        0x4f, 0x3c };
    static const uint8_t expected[32] = { 0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26, 0x1b, 0xef, 0x68, 0x64, 0x99,
        0x0d, 0xb6, 0xce, 0x98, 0x06, 0xf6, 0x6b, 0x79, 0x70, 0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff, 0xfd,
        0xff };
    uint8_t text[32] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
        0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51 };
    uint32_t keys[KEY_WORDS], counter[4] = { 0xf0f1f2f3, 0xf4f5f6f7, 0xf8f9fafb, 0xfcfdfeff };
    expand_key(keys, key);
    counter_mode(keys, counter, text, 2);
    return memcmp(text, expected, sizeof text) == 0;
}

int main(int argc, char **argv)
{
    static uint8_t data[LENGTH];
    uint32_t keys[KEY_WORDS], counter[4] = { 1, 2, 0xffffffff, 0xffffff00 };
    int rounds = 100 * kernel_repetitions(argc, argv, 48);
    compute_tables();
    if (!known_answer())
        return kernel_report("aes: wrong", 0);
    expand_key(keys, (const uint8_t *)"sixteen bytes...");
    while (rounds-- > 0)
        counter_mode(keys, counter, data, LENGTH / 16);
    uint64_t sum = 0;
    for (int i = 0; i < LENGTH; i += 4)
        sum = kernel_mix(sum, load(data + i));
    return kernel_report("aes", sum);
}
