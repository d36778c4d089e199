/* SPDX-License-Identifier: Apache-2.0
 *
 * Symmetric rank-k update, C = C / 2 + 3 / 4 A * A', of the lower triangle: the innermost loop is as long as the row's
 * number, so that many are short, and it reads a column. */
#include "kernel.h"

enum { N = 180, K = 160 };

static double a[N][K], c[N][N];

static void update(double alpha, double beta)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            c[i][j] *= beta;
        for (int k = 0; k < K; k++) {
            double scaled = alpha * a[i][k];
            for (int j = 0; j <= i; j++)
                c[i][j] += scaled * a[j][k];
        }
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 240);
    struct kernel_random random = { 23 };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < K; k++)
            a[i][k] = kernel_real(&random);
    while (repetitions-- > 0)
        update(0.75, 0.5);
    return kernel_report("syrk", kernel_mix_reals(0, c[0], N * N));
}
