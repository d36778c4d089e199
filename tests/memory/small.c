/* SPDX-License-Identifier: Apache-2.0
 * A module without an allocator, whose data and stack take less than a page. */
static unsigned table[16] = { 1, 2, 3 };

__attribute__((export_name("add"))) unsigned add(unsigned at, unsigned value)
{
	return table[at % 16] += value;
}

/* A wild pointer. */
__attribute__((export_name("peek"))) unsigned peek(unsigned address)
{
	return *(volatile unsigned *)address;
}
