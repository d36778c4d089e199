/* Solves sudoku puzzles by search: the cell with the fewest candidates first, candidates as bit sets. The puzzles are
 * one valid grid with its digits renamed, and all but a few cells cleared; solutions are counted up to a limit. */
#include "kernel.h"

enum { CLUES = 23, LIMIT = 40 };

static uint16_t rows[9], columns[9], boxes[9];
static int8_t cells[81];
static int solutions;
static uint32_t visited;

static int box_of(int cell)
{
    return cell / 27 * 3 + cell % 9 / 3;
}

static void toggle(int cell, int digit)
{
    uint16_t bit = (uint16_t)(1 << digit);
    rows[cell / 9] ^= bit;
    columns[cell % 9] ^= bit;
    boxes[box_of(cell)] ^= bit;
}

static int bits_in(uint32_t set)
{
    int n = 0;
    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

static void search(void)
{
    int best = -1, fewest = 10;
    uint32_t choice = 0;
    visited++;
    for (int cell = 0; cell < 81; cell++) {
        if (cells[cell] >= 0)
            continue;
        uint32_t open = 0x1ffu & ~(uint32_t)(rows[cell / 9] | columns[cell % 9] | boxes[box_of(cell)]);
        int n = bits_in(open);
        if (n < fewest) {
            fewest = n;
            best = cell;
            choice = open;
            if (n <= 1)
                break;
        }
    }
    if (best < 0) {
        solutions++;
        return;
    }
    for (int digit = 0; digit < 9 && solutions < LIMIT; digit++) {
        if ((choice >> digit & 1) == 0)
            continue;
        cells[best] = (int8_t)digit;
        toggle(best, digit);
        search();
        toggle(best, digit);
        cells[best] = -1;
    }
}

int main(int argc, char **argv)
{
    int puzzles = 50 * kernel_repetitions(argc, argv, 13);
    struct kernel_random random = { 20 };
    uint64_t sum = 0;
    for (int p = 0; p < puzzles; p++) {
        int name[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
        for (uint32_t i = 8; i > 0; i--) {
            uint32_t j = kernel_below(&random, i + 1);
            int swap = name[i];
            name[i] = name[j];
            name[j] = swap;
        }
        memset(rows, 0, sizeof rows);
        memset(columns, 0, sizeof columns);
        memset(boxes, 0, sizeof boxes);
        memset(cells, -1, sizeof cells);
        for (int clue = 0; clue < CLUES;) {
            int cell = (int)kernel_below(&random, 81);
            if (cells[cell] >= 0)
                continue;
            /* The simplest valid grid: each row is the one above, shifted by three, and by one more at a box. */
            int row = cell / 9, digit = name[(row % 3 * 3 + row / 3 + cell % 9) % 9];
            cells[cell] = (int8_t)digit;
            toggle(cell, digit);
            clue++;
        }
        solutions = 0;
        search();
        sum = kernel_mix(sum, (uint64_t)solutions << 32 | visited);
    }
    return kernel_report("sudoku", sum);
}
