/* LU factorisation with row pivoting of a dense matrix, then the solution of one system by substitution. */
#include "kernel.h"

enum { N = 240 };

static double original[N][N], a[N][N], x[N];
static int pivot[N];

static void factorise(void)
{
    for (int k = 0; k < N; k++) {
        int best = k;
        for (int i = k + 1; i < N; i++)
            if (fabs(a[i][k]) > fabs(a[best][k]))
                best = i;
        pivot[k] = best;
        if (best != k) {
            for (int j = 0; j < N; j++) {
                double swap = a[k][j];
                a[k][j] = a[best][j];
                a[best][j] = swap;
            }
        }
        for (int i = k + 1; i < N; i++) {
            double factor = a[i][k] / a[k][k];
            a[i][k] = factor;
            for (int j = k + 1; j < N; j++)
                a[i][j] -= factor * a[k][j];
        }
    }
}

static void solve(void)
{
    for (int k = 0; k < N; k++) {
        double swap = x[k];
        x[k] = x[pivot[k]];
        x[pivot[k]] = swap;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++)
            x[i] -= a[i][j] * x[j];
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j < N; j++)
            x[i] -= a[i][j] * x[j];
        x[i] /= a[i][i];
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 45);
    struct kernel_random random = { 4 };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            original[i][j] = kernel_real(&random);
    uint64_t sum = 0;
    while (repetitions-- > 0) {
        memcpy(a, original, sizeof a);
        for (int i = 0; i < N; i++)
            x[i] = i + repetitions;
        factorise();
        solve();
        sum = kernel_mix_reals(sum, x, N);
    }
    return kernel_report("lu", sum);
}
