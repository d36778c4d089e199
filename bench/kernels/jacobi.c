/* Two-dimensional stencil: Jacobi's iteration of Laplace's equation on a square plate with fixed edges. */
#include "kernel.h"

enum { N = 402 };

static double from[N][N], to[N][N];

static void sweep(double source[N][N], double target[N][N])
{
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            target[i][j] = 0.2 * (source[i][j] + source[i - 1][j] + source[i + 1][j] +
                                  source[i][j - 1] + source[i][j + 1]);
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 300);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            int edge = i == 0 || j == 0 || i == N - 1 || j == N - 1;
            from[i][j] = to[i][j] = edge ? (double)((i * 7 + j * 13) % 100) : 0.0;
        }
    }
    while (repetitions-- > 0) {
        sweep(from, to);
        sweep(to, from);
    }
    return kernel_report("jacobi", kernel_mix_reals(0, from[0], N * N));
}
