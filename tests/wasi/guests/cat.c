/* SPDX-License-Identifier: Apache-2.0
 * Copies standard input to standard output; what goes wrong is told on standard error and in the exit status. */
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static char buffer[100000];

	for (;;) {
		ssize_t size = read(0, buffer, sizeof buffer);

		if (size == 0)
			return 0;
		if (size < 0) {
			fprintf(stderr, "read: %s\n", strerror(errno));
			return 2;
		}
		for (ssize_t at = 0; at < size;) {
			ssize_t part = write(1, buffer + at, (size_t)(size - at));

			if (part < 0) {
				fprintf(stderr, "write: %s\n", strerror(errno));
				return 3;
			}
			at += part;
		}
	}
}
