/* Sorts the same numbers twice: quicksort in place (median of three, insertion sort for short runs) and merge sort
 * through a comparison function, which is an indirect call each time. */
#include "kernel.h"

enum { N = 100000 };

static uint32_t original[N], quick[N], merged[N], scratch[N];

static void quicksort(uint32_t *values, int low, int high)
{
    while (high - low > 16) {
        uint32_t a = values[low], b = values[low + (high - low) / 2], c = values[high];
        uint32_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t swap = values[i];
                values[i++] = values[j];
                values[j--] = swap;
            }
        }
        /* Recurse into the shorter part, loop on the longer: the stack stays small. */
        if (j - low < high - i) {
            quicksort(values, low, j);
            low = i;
        } else {
            quicksort(values, i, high);
            high = j;
        }
    }
    for (int i = low + 1; i <= high; i++) {
        uint32_t value = values[i];
        int j = i;
        for (; j > low && values[j - 1] > value; j--)
            values[j] = values[j - 1];
        values[j] = value;
    }
}

static int ascending(const uint32_t *a, const uint32_t *b)
{
    return (*a > *b) - (*a < *b);
}

static int descending(const uint32_t *a, const uint32_t *b)
{
    return ascending(b, a);
}

static void mergesort(uint32_t *values, int count, int (*order)(const uint32_t *, const uint32_t *))
{
    if (count < 2)
        return;
    int middle = count / 2, i = 0, j = middle;
    mergesort(values, middle, order);
    mergesort(values + middle, count - middle, order);
    for (int k = 0; k < count; k++) {
        if (j >= count || (i < middle && order(&values[i], &values[j]) <= 0))
            scratch[k] = values[i++];
        else
            scratch[k] = values[j++];
    }
    memcpy(values, scratch, (size_t)count * sizeof values[0]);
}

int main(int argc, char **argv)
{
    int repetitions = kernel_repetitions(argc, argv, 6);
    struct kernel_random random = { 11 };
    uint64_t sum = 0;
    for (int round = 0; round < repetitions; round++) {
        for (int i = 0; i < N; i++)
            original[i] = kernel_next(&random);
        memcpy(quick, original, sizeof quick);
        memcpy(merged, original, sizeof merged);
        quicksort(quick, 0, N - 1);
        mergesort(merged, N, round % 2 == 0 ? ascending : descending);
        for (int i = 0; i < N; i++) {
            if (merged[round % 2 == 0 ? i : N - 1 - i] != quick[i])
                return kernel_report("sort: wrong", (uint64_t)i);
        }
        for (int i = 0; i < N; i += 100)
            sum = kernel_mix(sum, quick[i]);
    }
    return kernel_report("sort", sum);
}
