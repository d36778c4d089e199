/* Sparse matrix times vector, rows compressed (CSR): the power method on a matrix of 20,000 rows and 12 entries a row,
 * scaled by the largest component after every product. */
#include "kernel.h"

enum { ROWS = 20000, PER_ROW = 12 };

static int row_start[ROWS + 1], column[ROWS * PER_ROW];
static double value[ROWS * PER_ROW], x[ROWS], y[ROWS];

static void multiply(void)
{
    for (int row = 0; row < ROWS; row++) {
        double sum = 0.0;
        for (int k = row_start[row]; k < row_start[row + 1]; k++)
            sum += value[k] * x[column[k]];
        y[row] = sum;
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 460);
    struct kernel_random random = { 2 };
    for (int row = 0, k = 0; row < ROWS; row++) {
        for (int i = 0; i < PER_ROW; i++, k++) {
            /* Most entries lie near the diagonal, some anywhere. */
            uint32_t at = i % 4 == 0 ? kernel_below(&random, ROWS) : (uint32_t)row + kernel_below(&random, 64);
            column[k] = (int)(at % ROWS);
            value[k] = 1.0 + kernel_real(&random);
        }
        row_start[row + 1] = (row + 1) * PER_ROW;
        x[row] = 1.0;
    }
    while (repetitions-- > 0) {
        multiply();
        double largest = 0.0;
        for (int i = 0; i < ROWS; i++)
            largest = fabs(y[i]) > largest ? fabs(y[i]) : largest;
        for (int i = 0; i < ROWS; i++)
            x[i] = y[i] / largest;
    }
    return kernel_report("spmv", kernel_mix_reals(0, x, ROWS));
}
