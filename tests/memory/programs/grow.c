/* SPDX-License-Identifier: Apache-2.0
 * grow N: grows its memory N times by one page, and writes to each. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned count = argc == 2 ? (unsigned)atoi(argv[1]) : 0, done = 0;

	for (; done < count; done++) {
		size_t before = __builtin_wasm_memory_grow(0, 1);
		if (before == (size_t)-1)
			break;
		*(volatile char *)(before * 65536) = 1;
	}
	printf("%u pages\n", done);
	return 0;
}
