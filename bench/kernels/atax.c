/* SPDX-License-Identifier: Apache-2.0
 *
 * A' * (A * x) in one pass over the matrix: a dot product, then a scaled row added to the result. The vector found,
 * made shorter, is the next one: power iteration for the largest singular value. */
#include "kernel.h"

enum { ROWS = 300, COLUMNS = 420 };

static double a[ROWS][COLUMNS], x[COLUMNS], y[COLUMNS];

static void multiply(void)
{
    for (int j = 0; j < COLUMNS; j++)
        y[j] = 0.0;
    for (int i = 0; i < ROWS; i++) {
        double dot = 0.0;
        for (int j = 0; j < COLUMNS; j++)
            dot += a[i][j] * x[j];
        for (int j = 0; j < COLUMNS; j++)
            y[j] += a[i][j] * dot;
    }
}

int main(int argc, char **argv)
{
    int repetitions = 10 * kernel_repetitions(argc, argv, 200);
    struct kernel_random random = { 29 };
    double length = 0.0;
    for (int j = 0; j < COLUMNS; j++)
        x[j] = 1.0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            a[i][j] = kernel_real(&random);
    while (repetitions-- > 0) {
        multiply();
        length = 0.0;
        for (int j = 0; j < COLUMNS; j++)
            length += y[j] * y[j];
        length = sqrt(length);
        for (int j = 0; j < COLUMNS; j++)
            x[j] = y[j] / length;
    }
    /* The largest singular value, squared, in millionths. */
    printf("%lld\n", (long long)(length * 1e6));
    return kernel_report("atax", kernel_mix_reals(0, x, COLUMNS));
}
