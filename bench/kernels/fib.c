/* Fibonacci numbers by plain recursion: the price of a call. */
#include "kernel.h"

/* The compiler would turn one of the two calls into a loop, and inline the other some levels deep: natively and in
 * WebAssembly alike, but then it would not measure calls. */
__attribute__((noinline)) static uint32_t fib(uint32_t n);

static uint32_t fib(uint32_t n)
{
    if (n < 2)
        return n;
    uint32_t a = fib(n - 1);
    /* An opaque barrier between the calls keeps them two. */
    __asm__ volatile("" : "+r"(a));
    uint32_t b = fib(n - 2);
    __asm__ volatile("" : "+r"(b));
    return a + b;
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 8);
    uint64_t sum = 0;
    for (int i = 0; i < repetitions; i++)
        sum = kernel_mix(sum, fib(32u + (uint32_t)(i & 1)));
    return kernel_report("fib", sum);
}
