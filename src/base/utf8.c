/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 (specification 5.2.4 and RFC 3629). Names may be long (the name section of a large program has megabytes, nearly
 * all ASCII), so eight bytes without a high bit are passed in one step.
 */
#include "base/utf8.h"

static bool is_tail(uint8_t byte)
{
	return (byte & 0xc0u) == 0x80u;
}

size_t wk_utf8_character(const uint8_t *at, size_t size, uint32_t *code_point)
{
	/* The smallest code point that needs so many bytes: shorter ones must not use them. */
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t length;

	if (at[0] < 0x80u) {
		code = at[0];
		length = 1;
	} else if ((at[0] & 0xe0u) == 0xc0u) {
		code = at[0] & 0x1fu;
		length = 2;
	} else if ((at[0] & 0xf0u) == 0xe0u) {
		code = at[0] & 0x0fu;
		length = 3;
	} else if ((at[0] & 0xf8u) == 0xf0u) {
		code = at[0] & 0x07u;
		length = 4;
	} else {
		return 0;
	}
	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (!is_tail(at[i]))
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < smallest[length] || code > 0x10ffffu || (code >= 0xd800u && code <= 0xdfffu))
		return 0;
	if (code_point)
		*code_point = code;
	return length;
}

size_t wk_utf8_valid_prefix(struct wk_span bytes)
{
	size_t at = 0;

	while (at < bytes.size) {
		uint64_t eight;

		if (bytes.size - at >= sizeof(eight)) {
			memcpy(&eight, bytes.data + at, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				at += sizeof(eight);
				continue;
			}
		}
		size_t length = wk_utf8_character(bytes.data + at, bytes.size - at, NULL);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}
