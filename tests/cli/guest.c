/* SPDX-License-Identifier: Apache-2.0
 *
 * A program for the tests of the tool, compiled to WebAssembly with wasi-libc where there is a compiler: does what its
 * first argument says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int copy(FILE *from, FILE *to)
{
	char buffer[512];
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, n, to);
	return 0;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";

	if (strcmp(what, "args") == 0) {
		for (int i = 0; i < count; i++)
			printf("%d %s\n", i, words[i]);
	} else if (strcmp(what, "env") == 0) {
		for (char **e = environ; *e; e++)
			puts(*e);
	} else if (strcmp(what, "cat") == 0 && count == 2) {
		return copy(stdin, stdout);
	} else if (strcmp(what, "cat") == 0) {
		FILE *file = fopen(words[2], "r");

		if (!file) {
			perror(words[2]);
			return 1;
		}
		return copy(file, stdout);
	} else if (strcmp(what, "write") == 0) {
		FILE *file = fopen(words[2], "w");

		if (!file) {
			perror(words[2]);
			return 1;
		}
		fputs(words[3], file);
		return fclose(file) != 0;
	} else if (strcmp(what, "exit") == 0) {
		return atoi(words[2]);
	} else if (strcmp(what, "abort") == 0) {
		abort();
	} else if (strcmp(what, "sleep") == 0) {
		sleep(30);
	} else if (strcmp(what, "streams") == 0) {
		fputs("to out\n", stdout);
		fflush(stdout);
		fputs("to err\n", stderr);
	}
	return 0;
}
