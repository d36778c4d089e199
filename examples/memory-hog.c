/* SPDX-License-Identifier: Apache-2.0
 *
 * memory-hog: how much memory can a program have here? It allocates 64 KiB at a time until that fails, then 1 KiB at a
 * time until that fails too, writes to every page it got, and prints the sum.
 *
 *	clang-19 --target=wasm32-wasi -O2 -o memory-hog.wasm memory-hog.c
 *	wasmkeep run --tee sim:optee-qemu-armv8a memory-hog.wasm
 *
 * docs/memory.md tells what to make of the answer.
 */
#include <stdio.h>
#include <stdlib.h>

/* Allocates blocks of `size` bytes until there are no more, and touches each of their pages. Returns their sum. */
static unsigned long take_all(size_t size)
{
	unsigned long sum = 0;
	volatile char *block;

	while ((block = malloc(size)) != NULL) {
		for (size_t at = 0; at < size; at += 4096)
			block[at] = 1;
		block[size - 1] = 1;
		sum += size;
	}
	return sum;
}

int main(void)
{
	unsigned long large = take_all(64 * 1024), small = take_all(1024);

	printf("%lu bytes in blocks of 64 KiB, %lu in blocks of 1 KiB: %lu bytes in all\n", large, small, large + small);
	printf("linear memory: %lu bytes\n", (unsigned long)__builtin_wasm_memory_size(0) * 65536);
	return 0;
}
