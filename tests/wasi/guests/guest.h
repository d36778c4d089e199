/* SPDX-License-Identifier: Apache-2.0
 * What the guests share: cases that print lines as tests/count.sh reads them. */
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("# %s:%d: %s (errno %d, %s)\n", __FILE__, __LINE__, #condition, errno, strerror(errno)); \
			failures++; \
		} \
	} while (0)

/* A call that must give -1 and this errno. */
#define FAILS(call, error) \
	do { \
		errno = 0; \
		CHECK((long long)(call) == -1 && errno == (error)); \
	} while (0)

static inline void run(const char *name, void (*function)(void))
{
	failures = 0;
	function();
	printf("%s - %s\n", failures ? "not ok" : "ok", name);
}
#define RUN(name) run("guest: " #name, name)

#endif
