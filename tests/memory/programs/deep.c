/* SPDX-License-Identifier: Apache-2.0
 * Calls itself a few thousand times: the call stack grows. */
#include <stdio.h>

static int __attribute__((noinline)) sum(volatile int *n)
{
	int mine = *n;

	if (mine == 0)
		return 0;
	*n = mine - 1;
	return sum(n) + mine;
}

int main(void)
{
	volatile int n = 3000;

	printf("%d\n", sum(&n));
	return 0;
}
