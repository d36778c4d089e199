/* Compresses and expands 4 MB of generated text with zlib, level 6, and checks the result. argv[1]: repetitions. */
#include "kernels/kernel.h"
#include "zlib.h"

enum { SIZE = 4 << 20 };

/* Sentences of made-up words with a skewed frequency: compresses about as well as prose does. */
static void generate(char *text)
{
    static char words[2048][12];
    struct kernel_random random = { 20240607 };
    for (int i = 0; i < 2048; i++) {
        int length = 2 + (int)kernel_below(&random, 9);
        for (int k = 0; k < length; k++)
            words[i][k] = "etaoinshrdlucmfwypvbgkqjxz"[kernel_below(&random, 1 + kernel_below(&random, 26))];
    }
    size_t n = 0;
    while (n < SIZE) {
        uint32_t range = 1u << (1 + kernel_below(&random, 11));
        for (const char *c = words[kernel_below(&random, range)]; *c != 0 && n < SIZE; c++)
            text[n++] = *c;
        if (n < SIZE)
            text[n++] = kernel_below(&random, 12) == 0 ? '\n' : ' ';
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 1);
    uLong bound = compressBound(SIZE);
    char *text = malloc(SIZE), *back = malloc(SIZE);
    unsigned char *packed = malloc(bound);
    if (text == NULL || back == NULL || packed == NULL)
        return 1;
    generate(text);
    for (int i = 0; i < repetitions; i++) {
        uLongf packed_size = bound, size = SIZE;
        if (compress2(packed, &packed_size, (const Bytef *)text, SIZE, 6) != Z_OK ||
            uncompress((Bytef *)back, &size, packed, packed_size) != Z_OK || size != SIZE ||
            memcmp(text, back, SIZE) != 0) {
            puts("zlib: wrong");
            return 1;
        }
        if (i == repetitions - 1)
            printf("zlib %lu %08lx\n", packed_size, adler32(adler32(0, NULL, 0), packed, packed_size));
    }
    return 0;
}
