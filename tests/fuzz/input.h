/* SPDX-License-Identifier: Apache-2.0
 *
 * An input as a row of decisions. When it is used up, every one is 0.
 */
#ifndef WK_TESTS_INPUT_H
#define WK_TESTS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input { const uint8_t *at, *end; };

static inline size_t input_left(const struct input *input)
{
	return (size_t)(input->end - input->at);
}

static inline uint8_t input_byte(struct input *input)
{
	return input->at == input->end ? 0 : *input->at++;
}

/* At most `size` bytes in place; how many is in *got. */
static inline const uint8_t *input_bytes(struct input *input, size_t size, size_t *got)
{
	const uint8_t *at = input->at;

	*got = size < input_left(input) ? size : input_left(input);
	input->at += *got;
	return at;
}

static inline uint64_t input_word(struct input *input)
{
	uint64_t word = 0;
	size_t got = 0;
	const uint8_t *bytes = input_bytes(input, sizeof word, &got);

	if (got != 0)
		memcpy(&word, bytes, got);
	return word;
}

/* A number as they matter: mostly small, or near a limit; sometimes any. */
static inline uint64_t input_number(struct input *input)
{
	static const uint64_t edges[] = { UINT64_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT32_MAX,
		(uint64_t)UINT32_MAX + 1, INT32_MAX, 65536, 65535, 32768, 4096, 1024, 256 };
	uint8_t byte = input_byte(input);

	if (byte < 224)
		return byte;
	return byte < 224 + sizeof edges / sizeof *edges ? edges[byte - 224] : input_word(input);
}

#endif
