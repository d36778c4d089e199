/* SPDX-License-Identifier: Apache-2.0
 *
 * A guest that calls the C library's functions on memory in many ways, and prints a sum of all that came of it: at all
 * alignments, with overlaps, up to and over the end of the memory. Interpreted and compiled it must print the same, and
 * with an argument it must end with the same trap after having written the same.
 *
 * The functions are called through pointers, so that the compiler does not put its own code in their places.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 700

static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile fill)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;
static size_t (*volatile length)(const char *) = strlen;

static unsigned char bytes[SIZE], others[SIZE];
static uint64_t sum = 1, state = 1;

static void add(uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x100000001b3);
}

static uint32_t random_below(uint32_t limit)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(state >> 33) % limit;
}

static void add_bytes(void)
{
	for (int i = 0; i < SIZE; i++)
		add(bytes[i]);
}

static void refill(void)
{
	for (int i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)random_below(256);
}

static void once(uint32_t round)
{
	uint32_t n = random_below(round % 3 == 0 ? 20 : 200), a = random_below(SIZE - n), b = random_below(SIZE - n);

	if (round % 5 == 0) /* near each other */
		b = a + random_below(9) < SIZE - n ? a + random_below(9) : a;
	switch (round % 5) {
	case 0: add((uintptr_t)copy(bytes + a, bytes + b, n) - (uintptr_t)bytes); break;
	case 1: add((uintptr_t)move(bytes + a, bytes + b, n) - (uintptr_t)bytes); break;
	case 2: add((uintptr_t)fill(bytes + a, (int)random_below(1000) - 500, n) - (uintptr_t)bytes); break;
	case 3:
		copy(others + a, bytes + a, n);
		if (n != 0 && random_below(4) != 0)
			others[a + random_below(n)] ^= (unsigned char)(1 << random_below(8));
		add((uint64_t)(int64_t)compare(bytes + a, others + a, n));
		add((uint64_t)(int64_t)compare(bytes + a, others + b, n));
		break;
	default:
		bytes[a + n] = 0;
		add(length((const char *)bytes + a));
		bytes[a + n] = 1;
		break;
	}
	add_bytes();
}

/* At the end of the memory: what is in bounds, to the last byte. */
static unsigned char *end(void)
{
	return (unsigned char *)(__builtin_wasm_memory_size(0) * 65536);
}

static void at_end(void)
{
	for (uint32_t n = 0; n < 40; n++) {
		fill(end() - n, 'a' + (int)n, n);
		copy(bytes, end() - n, n);
		copy(end() - n, bytes + 1, n);
		add((uint64_t)(int64_t)compare(end() - n, bytes, n));
		if (n != 0) {
			end()[-1] = 0;
			add(length((const char *)end() - n));
		}
		add_bytes();
	}
}

int main(int argc, char **argv)
{
	refill();
	for (uint32_t round = 0; round < 4000; round++)
		once(round);
	at_end();
	printf("%016llx\n", (unsigned long long)sum);
	if (argc > 1) {
		uint32_t n = (uint32_t)atoi(argv[2]);

		fflush(stdout);
		fill(end() - 100, 'x', 100);
		switch (argv[1][0]) {
		case 'c': copy(end() - 50, bytes, n); break;
		case 'f': copy(bytes, end() - 50, n); break;
		case 'm': move(end() - 50, end() - 80, n); break;
		case 's': fill(end() - 50, 'y', n); break;
		case 'e': return compare(end() - 100, end() - 50, n);
		case 'd': /* they differ before the end */
			end()[-50] = 'z';
			return compare(end() - 100, end() - 50, n) + 100;
		default: return (int)length((const char *)end() - 50);
		}
	}
	return 0;
}
