/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client (client.c) asks of the Trusted Application (mapper.c).
 */
#ifndef MAPPER_H
#define MAPPER_H

/* Maps memory until that is refused. Parameter 0: bytes of a piece; those of the smallest, to which a refused one is
 * halved. Results in 1: bytes, pieces; in 2: the code of the last refusal, how many pages held something wrong. All is
 * unmapped when the session ends. */
#define MAPPER_FILL 1

/* Reads and writes words at addresses that are not aligned. Result in 0: how many went wrong. */
#define MAPPER_UNALIGNED 2

#endif
