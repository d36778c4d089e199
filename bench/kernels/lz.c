/* Compression by references to earlier text (LZ77 with hash chains and a byte-wise format of our own), and back. */
#include "kernel.h"

enum { SIZE = 400000, WINDOW = 1 << 15, HASHES = 1 << 13, SHORTEST = 4, LONGEST = 131, CHAIN = 16 };

static uint8_t text[SIZE], packed[SIZE + SIZE / 128 + 16], back[SIZE];
static int head[HASHES], previous[WINDOW];

static uint32_t hash_at(const uint8_t *p)
{
    uint32_t word = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return (word * 2654435761u) >> 19;
}

/* The format: a byte below 128 announces that many literals plus one; any other is the length of a copy (minus 4, plus
 * 128), and two bytes of distance follow. */
static int compress(void)
{
    int out = 0, literals = 0;
    memset(head, -1, sizeof head);
    for (int at = 0; at < SIZE;) {
        int best = 0, distance = 0;
        if (at + LONGEST < SIZE) {
            uint32_t hash = hash_at(text + at);
            int candidate = head[hash];
            for (int tries = CHAIN; tries > 0 && candidate >= 0 && at - candidate < WINDOW; tries--) {
                int length = 0;
                while (length < LONGEST && text[candidate + length] == text[at + length])
                    length++;
                if (length > best) {
                    best = length;
                    distance = at - candidate;
                }
                candidate = previous[candidate % WINDOW];
            }
            previous[at % WINDOW] = head[hash];
            head[hash] = at;
        }
        if (best < SHORTEST) {
            at++;
            literals++;
        }
        if (literals > 0 && (literals == 128 || best >= SHORTEST || at == SIZE)) {
            packed[out++] = (uint8_t)(literals - 1);
            memcpy(packed + out, text + at - literals, (size_t)literals);
            out += literals;
            literals = 0;
        }
        if (best >= SHORTEST) {
            packed[out++] = (uint8_t)(128 + best - SHORTEST);
            packed[out++] = (uint8_t)distance;
            packed[out++] = (uint8_t)(distance >> 8);
            at += best;
        }
    }
    return out;
}

static int expand(int length)
{
    int out = 0;
    for (int at = 0; at < length;) {
        int token = packed[at++];
        if (token < 128) {
            memcpy(back + out, packed + at, (size_t)token + 1);
            at += token + 1;
            out += token + 1;
        } else {
            int distance = packed[at] | packed[at + 1] << 8;
            at += 2;
            for (int k = token - 128 + SHORTEST; k > 0; k--, out++)
                back[out] = back[out - distance];
        }
    }
    return out;
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 16);
    struct kernel_random random = { 16 };
    /* Text of 500 made-up words, the first ones more frequent. */
    static char vocabulary[500][10];
    for (int i = 0; i < 500; i++)
        for (uint32_t k = 0, length = 2 + kernel_below(&random, 7); k < length; k++)
            vocabulary[i][k] = (char)('a' + kernel_below(&random, 26));
    for (int n = 0; n < SIZE;) {
        const char *word = vocabulary[kernel_below(&random, 1 + kernel_below(&random, 500))];
        for (const char *c = word; *c != 0 && n < SIZE; c++)
            text[n++] = (uint8_t)*c;
        if (n < SIZE)
            text[n++] = ' ';
    }
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        text[kernel_below(&random, SIZE)] ^= 1;
        int length = compress();
        if (expand(length) != SIZE || memcmp(text, back, SIZE) != 0)
            return kernel_report("lz: wrong", (uint64_t)length);
        sum = kernel_mix(sum, (uint64_t)length);
    }
    return kernel_report("lz", sum);
}
