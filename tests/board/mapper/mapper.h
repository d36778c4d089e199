/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client (client.c) asks of the Trusted Application (mapper.c).
 */
#ifndef MAPPER_H
#define MAPPER_H

/* Maps memory until that is refused. Parameter 0: bytes of a piece; those of the smallest, to which a refused one is
 * halved. Parameter 1: the distance from one piece to the next, 0 if they are adjacent. Results in 1: bytes, pieces; in
 * 2: the code of the last refusal; how many words of adjacent pieces were wrong. All is unmapped when the session ends.
 */
#define MAPPER_FILL 1

/* Reads and writes words at addresses that are not aligned. Result in 0: how many went wrong. */
#define MAPPER_UNALIGNED 2

#endif
