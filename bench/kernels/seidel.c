/* SPDX-License-Identifier: Apache-2.0
 *
 * Two-dimensional stencil in place: Gauss-Seidel's iteration over the nine points around each. Each point needs the one
 * before it, so this measures a chain of additions and not how wide vectors are. */
#include "kernel.h"

enum { N = 202 };

static double plate[N][N];

static void sweep(void)
{
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            plate[i][j] = (plate[i - 1][j - 1] + plate[i - 1][j] + plate[i - 1][j + 1] + plate[i][j - 1] + plate[i][j] +
                           plate[i][j + 1] + plate[i + 1][j - 1] + plate[i + 1][j] + plate[i + 1][j + 1]) / 9.0;
}

int main(int argc, char **argv)
{
    int repetitions = 10 * kernel_repetitions(argc, argv, 70);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            plate[i][j] = (double)(i * (j + 2) % 103) + 2.0;
    while (repetitions-- > 0)
        sweep();
    return kernel_report("seidel", kernel_mix_reals(0, plate[0], N * N));
}
