/* Gravitation among a few bodies in three dimensions, integrated step by step (leapfrog). Few data, long chains of
 * dependent floating-point operations, a square root and a division for each pair. */
#include "kernel.h"

enum { BODIES = 6 };

struct body {
    double position[3], velocity[3], mass;
};

static struct body bodies[BODIES];

static void kick(double step)
{
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = b->position[0] - a->position[0];
            double dy = b->position[1] - a->position[1];
            double dz = b->position[2] - a->position[2];
            /* Softened, so that a near miss does not throw a body out of the system. */
            double square = dx * dx + dy * dy + dz * dz + 0.01;
            double pull = step / (square * sqrt(square));
            a->velocity[0] += dx * b->mass * pull;
            a->velocity[1] += dy * b->mass * pull;
            a->velocity[2] += dz * b->mass * pull;
            b->velocity[0] -= dx * a->mass * pull;
            b->velocity[1] -= dy * a->mass * pull;
            b->velocity[2] -= dz * a->mass * pull;
        }
    }
}

static void drift(double step)
{
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].position[k] += step * bodies[i].velocity[k];
}

int main(int argc, char **argv)
{
    int steps = 50000 * kernel_repetitions(argc, argv, 18);
    struct kernel_random random = { 6 };
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++) {
            bodies[i].position[k] = 4.0 * kernel_real(&random);
            bodies[i].velocity[k] = 0.5 * kernel_real(&random);
        }
        bodies[i].mass = 0.5 + fabs(kernel_real(&random));
    }
    while (steps-- > 0) {
        drift(0.0005);
        kick(0.001);
        drift(0.0005);
    }
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++)
        sum = kernel_mix_reals(sum, bodies[i].position, 3);
    return kernel_report("nbody", sum);
}
