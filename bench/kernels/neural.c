/* A small neural network in double precision: two fully connected layers, trained by back-propagation to tell in which
 * of four classes a point lies, one sample at a time. */
#include "kernel.h"

enum { INPUTS = 8, HIDDEN = 32, OUTPUTS = 4, SAMPLES = 256 };

static double w1[HIDDEN][INPUTS + 1], w2[OUTPUTS][HIDDEN + 1]; /* the last weight of each row is the bias */
static double samples[SAMPLES][INPUTS], hidden[HIDDEN], output[OUTPUTS];
static int class_of[SAMPLES];

static double sigmoid(double x)
{
    return 1.0 / (1.0 + kernel_exp(-x));
}

static void forward(const double *input)
{
    for (int i = 0; i < HIDDEN; i++) {
        double sum = w1[i][INPUTS];
        for (int k = 0; k < INPUTS; k++)
            sum += w1[i][k] * input[k];
        hidden[i] = sigmoid(sum);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        double sum = w2[i][HIDDEN];
        for (int k = 0; k < HIDDEN; k++)
            sum += w2[i][k] * hidden[k];
        output[i] = sigmoid(sum);
    }
}

static void train(const double *input, int class, double rate)
{
    double error[OUTPUTS], back[HIDDEN];
    forward(input);
    for (int i = 0; i < OUTPUTS; i++)
        error[i] = ((i == class) - output[i]) * output[i] * (1.0 - output[i]);
    for (int k = 0; k < HIDDEN; k++) {
        double sum = 0.0;
        for (int i = 0; i < OUTPUTS; i++)
            sum += error[i] * w2[i][k];
        back[k] = sum * hidden[k] * (1.0 - hidden[k]);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        for (int k = 0; k < HIDDEN; k++)
            w2[i][k] += rate * error[i] * hidden[k];
        w2[i][HIDDEN] += rate * error[i];
    }
    for (int i = 0; i < HIDDEN; i++) {
        for (int k = 0; k < INPUTS; k++)
            w1[i][k] += rate * back[i] * input[k];
        w1[i][INPUTS] += rate * back[i];
    }
}

int main(int argc, char **argv)
{
    int epochs = 10 * kernel_repetitions(argc, argv, 28);
    struct kernel_random random = { 9 };
    for (int i = 0; i < HIDDEN; i++)
        for (int k = 0; k <= INPUTS; k++)
            w1[i][k] = 0.5 * kernel_real(&random);
    for (int i = 0; i < OUTPUTS; i++)
        for (int k = 0; k <= HIDDEN; k++)
            w2[i][k] = 0.5 * kernel_real(&random);
    for (int s = 0; s < SAMPLES; s++) {
        for (int k = 0; k < INPUTS; k++)
            samples[s][k] = kernel_real(&random);
        class_of[s] = (samples[s][0] * samples[s][1] > 0.0) + 2 * (samples[s][2] + samples[s][3] > 0.0);
    }
    while (epochs-- > 0)
        for (int s = 0; s < SAMPLES; s++)
            train(samples[s], class_of[s], 0.3);
    int right = 0;
    for (int s = 0; s < SAMPLES; s++) {
        int best = 0;
        forward(samples[s]);
        for (int i = 1; i < OUTPUTS; i++)
            if (output[i] > output[best])
                best = i;
        right += best == class_of[s];
    }
    printf("right %d of %d\n", right, SAMPLES);
    return kernel_report("neural", kernel_mix_reals(kernel_mix_reals(0, w1[0], HIDDEN * (INPUTS + 1)), w2[0],
                                                    OUTPUTS * (HIDDEN + 1)));
}
