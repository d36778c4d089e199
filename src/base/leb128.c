/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked LEB128 (specification 5.2.2). A number of N bits may use at most ceil(N / 7) bytes; bits of the last byte that
 * lie beyond N must repeat the sign (signed) or be zero (unsigned). Padding within these bytes is allowed.
 *
 * Faults are told apart in the order in which the specification's grammar meets them: the last allowed byte is checked
 * for superfluous bits before its continuation bit is looked at. Nothing is written unless the result is WK_LEB_OK.
 */
#include "base/leb128.h"

enum wk_leb wk_leb_unsigned(const uint8_t **at, const uint8_t *end, unsigned bits, uint64_t *value)
{
	const uint8_t *p = *at;
	uint64_t sum = 0;
	unsigned shift = 0;

	for (;;) {
		if (p == end)
			return WK_LEB_END;
		uint8_t byte = *p++;
		unsigned left = bits - shift;

		if (left < 7 && (byte & 0x7fu) >> left != 0)
			return WK_LEB_LARGE;
		sum |= (uint64_t)(byte & 0x7fu) << shift;
		if (!(byte & 0x80u))
			break;
		shift += 7;
		if (shift >= bits)
			return WK_LEB_LONG;
	}
	*at = p;
	*value = sum;
	return WK_LEB_OK;
}

enum wk_leb wk_leb_signed(const uint8_t **at, const uint8_t *end, unsigned bits, int64_t *value)
{
	const uint8_t *p = *at;
	uint64_t sum = 0;
	unsigned shift = 0;

	for (;;) {
		if (p == end)
			return WK_LEB_END;
		uint8_t byte = *p++;
		unsigned left = bits - shift;

		if (left < 7) {
			/* The sign bit and all above it must be the same. */
			unsigned mask = (0x7fu << (left - 1)) & 0x7fu;
			unsigned top = byte & mask;

			if (top != 0 && top != mask)
				return WK_LEB_LARGE;
		}
		sum |= (uint64_t)(byte & 0x7fu) << shift;
		shift += 7;
		if (!(byte & 0x80u)) {
			if (shift < 64 && (byte & 0x40u))
				sum |= ~UINT64_C(0) << shift;
			break;
		}
		if (shift >= bits)
			return WK_LEB_LONG;
	}
	*at = p;
	*value = (int64_t)sum;
	return WK_LEB_OK;
}
