/* Escape times of the Mandelbrot set on a grid: floating point in a tight loop with an exit that cannot be foreseen. */
#include "kernel.h"

enum { WIDTH = 240, HEIGHT = 160, LIMIT = 255 };

static int escape_time(double cx, double cy)
{
    double x = 0.0, y = 0.0;
    int n = 0;
    while (n < LIMIT && x * x + y * y <= 4.0) {
        double next = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = next;
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 5);
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        double zoom = 1.0 / (1 + round % 8);
        for (int row = 0; row < HEIGHT; row++)
            for (int col = 0; col < WIDTH; col++)
                sum = kernel_mix(sum, (uint64_t)escape_time(-0.6 + zoom * (3.0 * col / WIDTH - 1.5),
                                                            zoom * (2.4 * row / HEIGHT - 1.2)));
    }
    return kernel_report("mandelbrot", sum);
}
