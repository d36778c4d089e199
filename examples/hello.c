/* SPDX-License-Identifier: Apache-2.0
 * The smallest program that says something: where it runs it cannot know.
 *
 *	clang --target=wasm32-wasi -O2 -s -o hello.wasm hello.c && wasmkeep run hello.wasm
 */
#include <stdio.h>

int main(int count, char **words)
{
	printf("Hello from WebAssembly.\n");
	for (int i = 1; i < count; i++)
		printf("argument %d: %s\n", i, words[i]);
	return 0;
}
