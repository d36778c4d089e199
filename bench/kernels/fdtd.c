/* SPDX-License-Identifier: Apache-2.0
 *
 * Two-dimensional stencil over three fields: an electromagnetic wave by finite differences in the time domain (Yee's
 * scheme, one magnetic and two electric components). A pulse at the left edge drives it; the other edges reflect. */
#include "kernel.h"

enum { ROWS = 200, COLUMNS = 240 };

static double ex[ROWS][COLUMNS], ey[ROWS][COLUMNS], hz[ROWS][COLUMNS];

static void step(double pulse)
{
    for (int i = 0; i < ROWS; i++)
        ey[i][0] = pulse;
    for (int i = 0; i < ROWS; i++)
        for (int j = 1; j < COLUMNS; j++)
            ey[i][j] -= 0.5 * (hz[i][j] - hz[i][j - 1]);
    for (int i = 1; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            ex[i][j] += 0.5 * (hz[i][j] - hz[i - 1][j]);
    for (int i = 0; i < ROWS - 1; i++)
        for (int j = 0; j < COLUMNS - 1; j++)
            hz[i][j] -= 0.7 * (ey[i][j + 1] - ey[i][j] - ex[i + 1][j] + ex[i][j]);
}

int main(int argc, char **argv)
{
    int repetitions = 20 * kernel_repetitions(argc, argv, 220);
    for (int i = 0; i < ROWS; i++) /* something to scatter on, so that the rows differ */
        hz[i][i % 60 + 100] = (double)(i * 37 % 101) / 101.0;
    for (int time = 0; time < repetitions; time++)
        step(kernel_sin((double)(time % 63) * 0.1));
    uint64_t sum = kernel_mix_reals(0, ex[0], ROWS * COLUMNS);
    sum = kernel_mix_reals(sum, ey[0], ROWS * COLUMNS);
    return kernel_report("fdtd", kernel_mix_reals(sum, hz[0], ROWS * COLUMNS));
}
