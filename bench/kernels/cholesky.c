/* Cholesky factorisation of a symmetric positive definite matrix: dot products along rows, a square root per column. */
#include "kernel.h"

enum { N = 320 };

static double original[N][N], a[N][N];

static void factorise(void)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (int k = 0; k < i; k++)
            a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = sqrt(a[i][i]);
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 20);
    struct kernel_random random = { 5 };
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++)
            original[i][j] = original[j][i] = kernel_real(&random);
        original[i][i] = N; /* a dominant diagonal makes it positive definite */
    }
    while (repetitions-- > 0) {
        memcpy(a, original, sizeof a);
        factorise();
    }
    return kernel_report("cholesky", kernel_mix_reals(0, a[0], N * N));
}
