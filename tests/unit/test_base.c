/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/base: LEB128, UTF-8, the formatter, reports, the texts, checked arithmetic. */
#include "unit/test.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/leb128.h"
#include "base/report.h"
#include "base/utf8.h"

/* ---- LEB128 ---- */

/* Bytes in a block of exactly their size, so that a sanitizer sees a read behind them. */
struct exact {
	uint8_t *data;
	size_t size;
};

static struct exact exact(const void *bytes, size_t size)
{
	struct exact copy = { calloc(1, size ? size : 1), size };

	if (!copy.data)
		abort();
	memcpy(copy.data, bytes, size);
	return copy;
}

static enum wk_leb read_unsigned(const char *bytes, size_t size, unsigned bits, uint64_t *value, size_t *used)
{
	struct exact e = exact(bytes, size);
	const uint8_t *at = e.data;
	enum wk_leb result = wk_leb_unsigned(&at, e.data + size, bits, value);

	*used = (size_t)(at - e.data);
	free(e.data);
	return result;
}

static enum wk_leb read_signed(const char *bytes, size_t size, unsigned bits, int64_t *value, size_t *used)
{
	struct exact e = exact(bytes, size);
	const uint8_t *at = e.data;
	enum wk_leb result = wk_leb_signed(&at, e.data + size, bits, value);

	*used = (size_t)(at - e.data);
	free(e.data);
	return result;
}

#define GOOD_U(bytes, bits, wanted) \
	do { \
		uint64_t value_ = 77; \
		size_t used_; \
		CHECK_EQUAL(read_unsigned(bytes, sizeof(bytes) - 1, bits, &value_, &used_), WK_LEB_OK); \
		CHECK_EQUAL(value_, wanted); \
		CHECK_EQUAL(used_, sizeof(bytes) - 1); \
	} while (0)
#define BAD_U(bytes, bits, wanted) \
	do { \
		uint64_t value_ = 77; \
		size_t used_; \
		CHECK_EQUAL(read_unsigned(bytes, sizeof(bytes) - 1, bits, &value_, &used_), wanted); \
		CHECK_EQUAL(value_, 77); \
		CHECK_EQUAL(used_, 0); \
	} while (0)
#define GOOD_S(bytes, bits, wanted) \
	do { \
		int64_t value_ = 77; \
		size_t used_; \
		CHECK_EQUAL(read_signed(bytes, sizeof(bytes) - 1, bits, &value_, &used_), WK_LEB_OK); \
		CHECK_EQUAL(value_, wanted); \
		CHECK_EQUAL(used_, sizeof(bytes) - 1); \
	} while (0)
#define BAD_S(bytes, bits, wanted) \
	do { \
		int64_t value_ = 77; \
		size_t used_; \
		CHECK_EQUAL(read_signed(bytes, sizeof(bytes) - 1, bits, &value_, &used_), wanted); \
		CHECK_EQUAL(value_, 77); \
		CHECK_EQUAL(used_, 0); \
	} while (0)

TEST(leb_unsigned)
{
	GOOD_U("\x00", 32, 0);
	GOOD_U("\x7f", 32, 127);
	GOOD_U("\x80\x01", 32, 128);
	GOOD_U("\xe5\x8e\x26", 32, 624485);
	GOOD_U("\xff\xff\xff\xff\x0f", 32, UINT32_MAX);
	GOOD_U("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64, -1);
	GOOD_U("\x80\x80\x80\x80\x00", 32, 0); /* padded, within five bytes */
	GOOD_U("\x01", 1, 1);
	GOOD_U("\x7f", 7, 127);
	GOOD_U("\xff\x01", 8, 255);

	BAD_U("", 32, WK_LEB_END);
	BAD_U("\x80", 32, WK_LEB_END);
	BAD_U("\x80\x80\x80\x80", 32, WK_LEB_END);
	BAD_U("\x80\x80\x80\x80\x80\x00", 32, WK_LEB_LONG);
	BAD_U("\x80\x80\x80\x80\x80", 32, WK_LEB_LONG);
	BAD_U("\xff\xff\xff\xff\x1f", 32, WK_LEB_LARGE);
	BAD_U("\x80\x80\x80\x80\x10", 32, WK_LEB_LARGE);
	BAD_U("\x80\x80\x80\x80\x90", 32, WK_LEB_LARGE);
	BAD_U("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 64, WK_LEB_LARGE);
	BAD_U("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 64, WK_LEB_LONG);
	BAD_U("\x02", 1, WK_LEB_LARGE);
	BAD_U("\x80\x00", 7, WK_LEB_LONG);
	BAD_U("\x80\x02", 8, WK_LEB_LARGE);
}

TEST(leb_signed)
{
	GOOD_S("\x00", 32, 0);
	GOOD_S("\x3f", 32, 63);
	GOOD_S("\x40", 32, -64);
	GOOD_S("\x7f", 32, -1);
	GOOD_S("\xc0\xbb\x78", 32, -123456);
	GOOD_S("\x80\x80\x80\x80\x78", 32, INT32_MIN);
	GOOD_S("\xff\xff\xff\xff\x07", 32, INT32_MAX);
	GOOD_S("\xff\xff\xff\xff\x7f", 32, -1);
	GOOD_S("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 64, INT64_MIN);
	GOOD_S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 64, INT64_MAX);
	GOOD_S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 64, -1);
	GOOD_S("\x40", 33, -64);
	GOOD_S("\xff\xff\xff\xff\x0f", 33, UINT32_MAX);
	GOOD_S("\x80\x80\x80\x80\x70", 33, -4294967296);
	GOOD_S("\x40", 7, -64);

	BAD_S("", 32, WK_LEB_END);
	BAD_S("\xff", 32, WK_LEB_END);
	BAD_S("\x80\x80\x80\x80\x80\x00", 32, WK_LEB_LONG);
	BAD_S("\xff\xff\xff\xff\x0f", 32, WK_LEB_LARGE); /* sign bit set, not extended */
	BAD_S("\xff\xff\xff\xff\x4f", 32, WK_LEB_LARGE);
	BAD_S("\x80\x80\x80\x80\x70", 32, WK_LEB_LARGE); /* extended, sign bit not set */
	BAD_S("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64, WK_LEB_LARGE);
	BAD_S("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e", 64, WK_LEB_LARGE);
	BAD_S("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 64, WK_LEB_LONG);
	BAD_S("\xff\xff\xff\xff\x1f", 33, WK_LEB_LARGE);
}

/* What the checked reader takes, the trusted one reads alike; and every number survives writing and reading. */
TEST(leb_round_trip)
{
	static const uint64_t steps[] = { 0, 1, 63, 64, 127, 128, 8191, 8192, 16383, 16384, 1u << 20, INT32_MAX,
		UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 48, INT64_MAX, UINT64_MAX };

	for (size_t i = 0; i < WK_COUNT(steps); i++) {
		uint8_t bytes[10];
		size_t size = 0;
		uint64_t left = steps[i], value = 0;
		const uint8_t *at = bytes;

		do {
			bytes[size++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
			left >>= 7;
		} while (left);
		CHECK_EQUAL(wk_leb_unsigned(&at, bytes + size, 64, &value), WK_LEB_OK);
		CHECK(value == steps[i] && at == bytes + size);
		at = bytes;
		CHECK(wk_leb_trusted(&at) == steps[i] && at == bytes + size);

		for (int negative = 0; negative < 2; negative++) {
			int64_t number = negative ? -(int64_t)(steps[i] >> 1) - 1 : (int64_t)(steps[i] >> 1), rest = number;
			int64_t read = 0;
			bool more = true;

			for (size = 0; more; size++) {
				uint8_t byte = rest & 0x7f;

				rest = rest < 0 ? ~(~rest >> 7) : rest >> 7;
				more = !((rest == 0 && !(byte & 0x40)) || (rest == -1 && (byte & 0x40)));
				bytes[size] = (uint8_t)(byte | (more ? 0x80 : 0));
			}
			at = bytes;
			CHECK_EQUAL(wk_leb_signed(&at, bytes + size, 64, &read), WK_LEB_OK);
			CHECK_EQUAL(read, number);
			at = bytes;
			CHECK_EQUAL(wk_leb_trusted_signed(&at), number);
			CHECK(at == bytes + size);
		}
	}
}

/* Every sequence of two bytes at every width against a plain reading of the grammar (5.2.2). */
TEST(leb_exhaustive)
{
	for (unsigned bits = 1; bits <= 16; bits++) {
		for (unsigned pair = 0; pair < 0x10000; pair++) {
			uint8_t bytes[2] = { (uint8_t)pair, (uint8_t)(pair >> 8) };
			const uint8_t *at = bytes;
			uint64_t value = 0;
			bool one = !(bytes[0] & 0x80), two = !one && bits > 7 && !(bytes[1] & 0x80);
			uint64_t number = one ? bytes[0] : (bytes[0] & 0x7fu) | (unsigned)bytes[1] << 7;
			bool fits = (one || two) && (bits >= 14 || number >> bits == 0);
			bool ok = wk_leb_unsigned(&at, bytes + 2, bits, &value) == WK_LEB_OK;

			if (ok != fits || (ok && (value != number || at != bytes + (one ? 1 : 2)))) {
				printf("# unsigned, %u bits: %02x %02x\n", bits, bytes[0], bytes[1]);
				CHECK(false);
				return;
			}

			int64_t signed_value = 0;
			int64_t extended = one ? (int64_t)(number ^ 0x40) - 0x40 : (int64_t)(number ^ 0x2000) - 0x2000;
			int64_t limit = INT64_C(1) << (bits - 1);

			fits = (one || two) && extended >= -limit && extended < limit;
			at = bytes;
			ok = wk_leb_signed(&at, bytes + 2, bits, &signed_value) == WK_LEB_OK;
			if (ok != fits || (ok && signed_value != extended)) {
				printf("# signed, %u bits: %02x %02x\n", bits, bytes[0], bytes[1]);
				CHECK(false);
				return;
			}
		}
	}
}

/* ---- UTF-8 ---- */

static bool is_utf8(const char *bytes, size_t size)
{
	struct exact e = exact(bytes, size);
	bool valid = wk_utf8_valid(wk_span(e.data, size));

	free(e.data);
	return valid;
}

#define UTF8(bytes) is_utf8(bytes, sizeof(bytes) - 1)

TEST(utf8)
{
	CHECK(wk_utf8_valid(wk_span(NULL, 0)));
	CHECK(UTF8("a long name, all of it in ASCII"));
	CHECK(UTF8("\0"));
	CHECK(UTF8("\xc2\x80") && UTF8("\xdf\xbf") && UTF8("\xe0\xa0\x80") && UTF8("\xed\x9f\xbf") && UTF8("\xee\x80\x80"));
	CHECK(UTF8("\xef\xbf\xbf") && UTF8("\xf0\x90\x80\x80") && UTF8("\xf4\x8f\xbf\xbf"));
	CHECK(UTF8("seven b\xc3\xa4nd eight"));

	CHECK(!UTF8("\x80") && !UTF8("\xbf"));
	CHECK(!UTF8("\xc0\x80") && !UTF8("\xc1\xbf") && !UTF8("\xe0\x9f\xbf") && !UTF8("\xf0\x8f\xbf\xbf"));
	CHECK(!UTF8("\xed\xa0\x80") && !UTF8("\xed\xbf\xbf"));
	CHECK(!UTF8("\xf4\x90\x80\x80") && !UTF8("\xf8\x88\x80\x80\x80") && !UTF8("\xff"));
	CHECK(!UTF8("\xc3") && !UTF8("\xe2\x82") && !UTF8("\xf0\x9f\x98") && !UTF8("\xc3(") && !UTF8("12345678\xe2"));
	CHECK_EQUAL(wk_utf8_valid_prefix(wk_span_of_text("123456789\xff")), 9);
}

/* Every code point, encoded by the book, is valid exactly if it is a scalar value, and comes back. */
TEST(utf8_every_code_point)
{
	for (uint32_t code = 0; code < 0x120000; code++) {
		uint8_t bytes[4];
		size_t size;
		uint32_t back = 0;
		bool scalar = code < 0xd800 || (code > 0xdfff && code <= 0x10ffff);

		if (code < 0x80) {
			size = 1;
			bytes[0] = (uint8_t)code;
		} else if (code < 0x800) {
			size = 2;
			bytes[0] = (uint8_t)(0xc0 | code >> 6);
		} else if (code < 0x10000) {
			size = 3;
			bytes[0] = (uint8_t)(0xe0 | code >> 12);
		} else {
			size = 4;
			bytes[0] = (uint8_t)(0xf0 | code >> 18);
		}
		for (size_t i = 1; i < size; i++)
			bytes[i] = (uint8_t)(0x80 | ((code >> 6 * (size - 1 - i)) & 0x3f));
		if (wk_utf8_character(bytes, size, &back) != (scalar ? size : 0) || (scalar && back != code) ||
			(size > 1 && wk_utf8_character(bytes, size - 1, NULL) != 0)) {
			printf("# U+%04X\n", code);
			CHECK(false);
			return;
		}
	}
}

/* ---- the formatter ---- */

TEST(formatter)
{
	char text[400];
	struct wk_span name = wk_span_of_text("caf\xc3\xa9\n\x1b[31m\xff\xe2\x80\xae");

	CHECK_EQUAL(wk_format(text, sizeof(text), "%s %u %d %llu %x %zu 100%%", "abc", UINT32_MAX, INT32_MIN,
		18446744073709551615ull, 0xbeefu, (size_t)7), 59);
	CHECK_TEXT(text, "abc 4294967295 -2147483648 18446744073709551615 beef 7 100%");
	wk_format(text, sizeof(text), "%u%d%x%llu", 0u, 0, 0u, 0ull);
	CHECK_TEXT(text, "0000");
	wk_format(text, sizeof(text), "<%S>", &name);
	CHECK_TEXT(text, "<caf\xc3\xa9?" "?[31m?" "?>");
	wk_format(text, sizeof(text), "%s.", (const char *)NULL);
	CHECK_TEXT(text, ".");
	wk_format(text, sizeof(text), "%q %u", 1u);
	CHECK_TEXT(text, "%q %u");
	wk_format(text, sizeof(text), "%");
	CHECK_TEXT(text, "%");
}

TEST(formatter_cuts)
{
	char text[8] = "xxxxxxx", long_text[200];
	uint8_t bytes[100];
	struct wk_span long_name = wk_span(bytes, sizeof(bytes));

	CHECK_EQUAL(wk_format(NULL, 0, "%u", 12345u), 5);
	CHECK_EQUAL(wk_format(text, 1, "%u", 12345u), 5);
	CHECK_TEXT(text, "");
	CHECK_EQUAL(wk_format(text, 4, "%u", 12345u), 5);
	CHECK_TEXT(text, "123");
	CHECK_EQUAL(wk_format(text, 6, "%u", 12345u), 5);
	CHECK_TEXT(text, "12345");
	CHECK_EQUAL(text[6], 'x');

	/* A cut never leaves a part of a character, wherever it falls. */
	for (size_t size = 1; size <= 8; size++) {
		size_t length = wk_format(text, size, "a%s", "\xe2\x82\xac\xf0\x9f\x98\x80");
		size_t shown = strlen(text);

		CHECK_EQUAL(length, 8);
		CHECK(wk_utf8_valid(wk_span_of_text(text)));
		CHECK_EQUAL(shown, size <= 1 ? 0 : size <= 4 ? 1 : 4);
	}

	memset(bytes, 'n', sizeof(bytes));
	CHECK_EQUAL(wk_format(long_text, sizeof(long_text), "%S", &long_name), 67);
	memcpy(bytes + 63, "\xc3\xa9", 2);
	CHECK_EQUAL(wk_format(long_text, sizeof(long_text), "%S", &long_name), 66);
	long_name.size = 64;
	memset(bytes, 'n', sizeof(bytes));
	CHECK_EQUAL(wk_format(long_text, sizeof(long_text), "%S", &long_name), 64);
}

/* ---- reports ---- */

TEST(report)
{
	struct wk_report report;

	memset(&report, 0xee, sizeof(report));
	wk_report_clear(&report);
	CHECK_EQUAL(report.status, WK_OK);
	CHECK_EQUAL(report.trap, WK_TRAP_NONE);
	CHECK(report.offset == WK_NO_OFFSET && report.function == WK_NO_FUNCTION);
	CHECK(report.frame_count == 0 && report.frame_total == 0);
	CHECK_TEXT(report.text, "");

	CHECK_EQUAL(wk_report_set(&report, WK_INVALID, 12, 3, "type %u", 4u), WK_INVALID);
	CHECK_EQUAL(wk_report_set(&report, WK_LIMIT, 99, 9, "later"), WK_LIMIT);
	CHECK_EQUAL(report.status, WK_INVALID);
	CHECK(report.offset == 12 && report.function == 3);
	CHECK_TEXT(report.text, "type 4");

	CHECK_EQUAL(wk_report_set(NULL, WK_IO, 0, 0, "%s", "nobody"), WK_IO);
	wk_report_clear(NULL);
}

TEST(texts)
{
	for (int i = 0; i < WK_STATUS_COUNT; i++)
		CHECK(wk_status_text((enum wk_status)i) && wk_status_text((enum wk_status)i)[0]);
	for (int i = 0; i < WK_TRAP_COUNT; i++)
		CHECK(wk_trap_text((enum wk_trap)i) && wk_trap_text((enum wk_trap)i)[0]);
	CHECK_TEXT(wk_status_text(WK_STATUS_COUNT), "unknown status");
	CHECK_TEXT(wk_trap_text(WK_TRAP_COUNT), "unknown trap");
	CHECK_TEXT(wk_trap_text(WK_TRAP_DIVIDE_BY_ZERO), "integer divide by zero");
}

TEST(checked)
{
	size_t sum;
	uint64_t sum64;

	CHECK(!wk_add_overflows(SIZE_MAX - 1, 1, &sum) && sum == SIZE_MAX);
	CHECK(wk_add_overflows(SIZE_MAX, 1, &sum));
	CHECK(!wk_mul_overflows(SIZE_MAX, 1, &sum) && sum == SIZE_MAX);
	CHECK(wk_mul_overflows(SIZE_MAX / 2 + 1, 2, &sum));
	CHECK(wk_add64_overflows(UINT64_MAX, 1, &sum64));
	CHECK(wk_range_fits(0, 0, 0) && wk_range_fits(5, 0, 5) && wk_range_fits(0, 5, 5) && wk_range_fits(2, 3, 5));
	CHECK(!wk_range_fits(6, 0, 5) && !wk_range_fits(2, 4, 5) && !wk_range_fits(1, UINT64_MAX, 5));
}

int main(void)
{
	RUN(leb_unsigned);
	RUN(leb_signed);
	RUN(leb_round_trip);
	RUN(leb_exhaustive);
	RUN(utf8);
	RUN(utf8_every_code_point);
	RUN(formatter);
	RUN(formatter_cuts);
	RUN(report);
	RUN(texts);
	RUN(checked);
	return test_end();
}
