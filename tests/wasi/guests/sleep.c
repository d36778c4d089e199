/* SPDX-License-Identifier: Apache-2.0
 * Sleeps for an hour. */
#include <unistd.h>

int main(void)
{
	return (int)sleep(3600);
}
