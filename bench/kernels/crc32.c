/* CRC-32 (the polynomial of Ethernet) of a buffer, bit by bit, by a table of bytes, and by four tables at once. */
#include "kernel.h"

enum { SIZE = 1 << 17 };

static uint8_t data[SIZE];
static uint32_t table[4][256];

static uint32_t by_bits(uint32_t crc, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return crc;
}

static uint32_t by_bytes(uint32_t crc, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        crc = crc >> 8 ^ table[0][(crc ^ bytes[i]) & 255];
    return crc;
}

static uint32_t by_words(uint32_t crc, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i += 4) {
        crc ^= (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
               (uint32_t)bytes[i + 3] << 24;
        crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255] ^ table[1][crc >> 16 & 255] ^ table[0][crc >> 24];
    }
    return crc;
}

int main(int argc, char **argv)
{
    int repetitions = 10 * kernel_repetitions(argc, argv, 17);
    struct kernel_random random = { 19 };
    for (int i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        table[0][i] = by_bits(0, &byte, 1);
    }
    for (int t = 1; t < 4; t++)
        for (int i = 0; i < 256; i++)
            table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 255];
    for (int i = 0; i < SIZE; i++)
        data[i] = (uint8_t)kernel_next(&random);
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        data[kernel_below(&random, SIZE)]++;
        uint32_t a = ~by_bytes(~0u, data, SIZE), b = ~by_words(~0u, data, SIZE);
        /* The slow way only over a part. */
        uint32_t c = by_bits(~0u, data, SIZE / 8), d = by_bytes(~0u, data, SIZE / 8);
        if (a != b || c != d)
            return kernel_report("crc32: wrong", a);
        sum = kernel_mix(sum, a);
    }
    return kernel_report("crc32", sum);
}
