/* Fast Fourier transform, radix 2, in place, there and back; complex numbers as two arrays. */
#include "kernel.h"

enum { BITS = 14, N = 1 << BITS };

static double re[N], im[N], cosine[N / 2], sine[N / 2];

static void transform(double direction)
{
    for (unsigned i = 0, j = 0; i < N; i++) {
        if (i < j) {
            double swap = re[i];
            re[i] = re[j];
            re[j] = swap;
            swap = im[i];
            im[i] = im[j];
            im[j] = swap;
        }
        unsigned bit = N >> 1;
        while (j & bit) {
            j ^= bit;
            bit >>= 1;
        }
        j |= bit;
    }
    for (int half = 1; half < N; half *= 2) {
        int stride = N / (2 * half);
        for (int start = 0; start < N; start += 2 * half) {
            for (int k = 0; k < half; k++) {
                int low = start + k, high = low + half;
                double wr = cosine[k * stride], wi = direction * sine[k * stride];
                double tr = wr * re[high] - wi * im[high];
                double ti = wr * im[high] + wi * re[high];
                re[high] = re[low] - tr;
                im[high] = im[low] - ti;
                re[low] += tr;
                im[low] += ti;
            }
        }
    }
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 130);
    struct kernel_random random = { 8 };
    for (int i = 0; i < N; i++) {
        re[i] = kernel_real(&random);
        im[i] = kernel_real(&random);
    }
    for (int i = 0; i < N / 2; i++) {
        double angle = 6.28318530717958647692 * i / N;
        cosine[i] = kernel_cos(angle);
        sine[i] = kernel_sin(angle);
    }
    while (repetitions-- > 0) {
        transform(-1.0);
        transform(1.0);
        for (int i = 0; i < N; i++) {
            re[i] /= N;
            im[i] /= N;
        }
    }
    return kernel_report("fft", kernel_mix_reals(kernel_mix_reals(0, re, N), im, N));
}
