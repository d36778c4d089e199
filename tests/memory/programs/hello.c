/* SPDX-License-Identifier: Apache-2.0
 * The smallest program of all, for measuring what the keep takes beside it. */
#include <stdio.h>

int main(void)
{
	puts("hello, world");
	return 0;
}
