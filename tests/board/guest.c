/* SPDX-License-Identifier: Apache-2.0
 * A program for the tests in the TEE, compiled with wasi-libc: does what its first argument says. */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t hash(uint64_t so_far, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		so_far = (so_far ^ bytes[i]) * UINT64_C(1099511628211); /* FNV-1a */
	return so_far;
}

/* So many bytes of all values, in pieces of odd sizes. */
static int pattern(unsigned long size)
{
	static unsigned char piece[70001];
	unsigned long number = 0, sizes[] = { 1, 70001, 13, 4096, 65536, 999 };

	for (unsigned turn = 0; number < size; turn++) {
		unsigned long part = sizes[turn % 6] < size - number ? sizes[turn % 6] : size - number;

		for (unsigned long i = 0; i < part; i++, number++)
			piece[i] = (unsigned char)((number * 2654435761u) >> 13);
		for (unsigned long at = 0; at < part;) {
			ssize_t done = write(1, piece + at, part - at);

			if (done < 0)
				return 1;
			at += (unsigned long)done;
		}
	}
	return 0;
}

static int sum(void)
{
	static unsigned char piece[100000];
	uint64_t so_far = UINT64_C(14695981039346656037);
	unsigned long size = 0;
	ssize_t got;

	while ((got = read(0, piece, sizeof piece)) > 0) {
		so_far = hash(so_far, piece, (size_t)got);
		size += (unsigned long)got;
	}
	printf("%lu bytes %016llx\n", size, (unsigned long long)so_far);
	return got < 0;
}

static long long now(clockid_t clock)
{
	struct timespec time = { 0, 0 };

	clock_gettime(clock, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int times(void)
{
	long long before = now(CLOCK_MONOTONIC), after;
	struct timespec half = { 0, 500000000 };
	unsigned char a[32], b[32];

	nanosleep(&half, NULL);
	after = now(CLOCK_MONOTONIC);
	for (int i = 0; i < 1000; i++) {
		long long later = now(CLOCK_MONOTONIC);

		if (later < after)
			puts("the clock goes backwards");
		after = later;
	}
	printf("slept %s\n", after - before >= 500 && after - before < 10000 ? "about right" : "badly");
	printf("wall %lld\n", now(CLOCK_REALTIME) / 1000);
	printf("random %s\n", getentropy(a, 32) == 0 && getentropy(b, 32) == 0 && memcmp(a, b, 32) ? "differs" : "does not");
	printf("yield %d\n", sched_yield());
	return 0;
}

/* Keeps the call from becoming a loop. */
static int recurse(volatile int *depth)
{
	volatile int here = *depth + 1;

	return recurse(&here) + here;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";
	volatile int zero = 0;
	void *volatile block;

	if (strcmp(what, "pattern") == 0)
		return pattern(strtoul(words[2], NULL, 10));
	if (strcmp(what, "sum") == 0)
		return sum();
	if (strcmp(what, "times") == 0)
		return times();
	if (strcmp(what, "streams") == 0) {
		fputs("to out\n", stdout);
		fflush(stdout);
		fputs("to err\n", stderr);
	} else if (strcmp(what, "exit") == 0) {
		exit(atoi(words[2]));
	} else if (strcmp(what, "spin") == 0) {
		for (;;)
			zero++;
	} else if (strcmp(what, "recurse") == 0) {
		return recurse((volatile int *)&zero);
	} else if (strcmp(what, "divide") == 0) {
		return 100 / zero;
	} else if (strcmp(what, "outside") == 0) {
		return *(volatile int *)0xfffffff0;
	} else if (strcmp(what, "unreachable") == 0) {
		__builtin_trap();
	} else if (strcmp(what, "overflow") == 0) {
		volatile double large = 1e300;
		volatile int number = __builtin_wasm_trunc_s_i32_f64(large);
		return number;
	} else if (strcmp(what, "null") == 0) {
		int (*volatile function)(void) = NULL;
		return function();
	} else if (strcmp(what, "exhaust") == 0) {
		while ((block = malloc(65536)))
			;
		abort();
	} else if (strcmp(what, "words") == 0) {
		for (int i = 2; i < count; i++)
			printf("%s|", words[i]);
		printf("%s\n", getenv("NAME") ? getenv("NAME") : "");
	}
	return 0;
}
