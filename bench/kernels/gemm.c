/* Dense matrix product, C = alpha A B + beta C, in double precision, in the loop order that runs along rows. */
#include "kernel.h"

enum { N = 256 };

static double a[N][N], b[N][N], c[N][N];

static void gemm(double alpha, double beta)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            c[i][j] *= beta;
        for (int k = 0; k < N; k++) {
            double factor = alpha * a[i][k];
            for (int j = 0; j < N; j++)
                c[i][j] += factor * b[k][j];
        }
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 14);
    struct kernel_random random = { 1 };
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = kernel_real(&random);
            b[i][j] = kernel_real(&random);
        }
    }
    while (repetitions-- > 0)
        gemm(0.75, 0.5);
    return kernel_report("gemm", kernel_mix_reals(0, c[0], N * N));
}
