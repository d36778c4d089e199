/* SPDX-License-Identifier: Apache-2.0
 *
 * LEB128 (specification 5.2.2), in two forms: checked, for bytes from outside, and trusted, for bytes that were
 * validated before (the translator's second look).
 */
#ifndef WK_BASE_LEB128_H
#define WK_BASE_LEB128_H

#include "base/span.h"

enum wk_leb { WK_LEB_OK, WK_LEB_END /* bytes ended inside */, WK_LEB_LONG /* more bytes than the type allows */,
	WK_LEB_LARGE /* unused bits of the last byte are not a sign or zero extension */ };

/* Reads from *at (not beyond end); on WK_LEB_OK *at is moved behind the number. `bits` is 1 to 64. */
enum wk_leb wk_leb_unsigned(const uint8_t **at, const uint8_t *end, unsigned bits, uint64_t *value);
enum wk_leb wk_leb_signed(const uint8_t **at, const uint8_t *end, unsigned bits, int64_t *value);

static inline uint64_t wk_leb_trusted(const uint8_t **at)
{
	const uint8_t *p = *at;
	uint64_t value = *p & 0x7f;
	unsigned shift = 7;
	while (*p++ & 0x80) {
		value |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
	}
	*at = p;
	return value;
}

static inline int64_t wk_leb_trusted_signed(const uint8_t **at)
{
	const uint8_t *p = *at;
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;
	do {
		byte = *p++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= ~UINT64_C(0) << shift;
	*at = p;
	return (int64_t)value;
}

#endif
