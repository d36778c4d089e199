/* SPDX-License-Identifier: Apache-2.0
 *
 * The seal of images (src/image/seal.c): what is not exactly as it was written, is of another version, or is for
 * something else is refused, with a message. What is in an image, tests of compiled code see.
 */
#include "unit/test.h"

#include "image/image.h"

#define LIBRARY 300u

static uint8_t file[LIBRARY + sizeof(struct wk_image_seal)];
static const uint8_t module[] = "\0asm\1\0\0\0";

static void make_file(void)
{
	struct wk_image_seal seal = { .optimisation = 2, .function_count = 3, .compiled_count = 2, .module_offset = 100,
		.module_size = 8 };

	for (uint32_t i = 0; i < LIBRARY; i++)
		file[i] = (uint8_t)(i * 7);
	memcpy(seal.target, WK_IMAGE_TARGET, sizeof WK_IMAGE_TARGET);
	memcpy(seal.compiler, "a test", sizeof "a test");
	seal.compiler[1] = '-';
	wk_image_make_seal(wk_span(file, LIBRARY), wk_span(module, 8), &seal);
	memcpy(file + LIBRARY, &seal, sizeof seal);
}

static enum wk_status check(size_t size, struct wk_report *report)
{
	struct wk_image_seal seal;

	wk_report_clear(report);
	return wk_image_check(wk_span(file, size), WK_IMAGE_TARGET, report, &seal);
}

/* Seals again what was changed in the seal. */
static void seal_again(struct wk_image_seal *seal)
{
	struct wk_sha256 hash;

	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, file, LIBRARY);
	wk_sha256_add(&hash, seal, offsetof(struct wk_image_seal, digest));
	wk_sha256_end(&hash, seal->digest);
	memcpy(file + LIBRARY, seal, sizeof *seal);
}

TEST(seal_inside)
{
	struct wk_image_seal seal = { .optimisation = 2, .function_count = 3, .compiled_count = 2 }, changed;
	struct wk_report report;
	uint8_t uuid[16], other[32];

	memcpy(seal.target, WK_IMAGE_TARGET, sizeof WK_IMAGE_TARGET);
	memcpy(seal.compiler, "a-test", sizeof "a-test");
	wk_image_make_seal(wk_span(NULL, 0), wk_span(module, 8), &seal);
	memcpy(other, seal.module, sizeof other);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_image_check_seal(&seal, 0, WK_IMAGE_TARGET, &report), WK_OK);
	CHECK_EQUAL(wk_image_check_module(&seal, seal.module, &report), WK_OK);
	other[31] ^= 1;
	CHECK_EQUAL(wk_image_check_module(&seal, other, &report), WK_UNSUPPORTED);
	CHECK(strstr(report.text, "another module") != NULL);
	changed = seal;
	changed.abi++;
	wk_report_clear(&report);
	CHECK_EQUAL(wk_image_check_seal(&changed, 0, WK_IMAGE_TARGET, &report), WK_UNSUPPORTED);
	changed = seal;
	changed.target[0] = 'z';
	CHECK_EQUAL(wk_image_check_seal(&changed, 0, WK_IMAGE_TARGET, &report), WK_UNSUPPORTED);
	changed = seal;
	changed.module_size = 1; /* not inside of the file: there is none */
	CHECK_EQUAL(wk_image_check_seal(&changed, 0, WK_IMAGE_TARGET, &report), WK_MALFORMED);
	changed = seal;
	changed.library_size = 1; /* this one stands behind a file */
	CHECK_EQUAL(wk_image_check_seal(&changed, 0, WK_IMAGE_TARGET, &report), WK_MALFORMED);

	wk_image_uuid(seal.module, uuid);
	CHECK_EQUAL(uuid[6] >> 4, 8);
	CHECK_EQUAL(uuid[8] >> 6, 2);
	CHECK_EQUAL(uuid[15], seal.module[15]);
}

TEST(sha256)
{
	/* FIPS 180-4's examples, and one million times 'a'. */
	static const struct { const char *text; unsigned times; uint8_t begin[4], end[4]; } known[] = {
		{ "", 1, { 0xe3, 0xb0, 0xc4, 0x42 }, { 0x78, 0x52, 0xb8, 0x55 } },
		{ "abc", 1, { 0xba, 0x78, 0x16, 0xbf }, { 0xf2, 0x00, 0x15, 0xad } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, { 0x24, 0x8d, 0x6a, 0x61 },
			{ 0x19, 0xdb, 0x06, 0xc1 } },
		{ "a", 1000000, { 0xcd, 0xc7, 0x6e, 0x5c }, { 0xc7, 0x11, 0x2c, 0xd0 } },
	};

	for (size_t i = 0; i < 2 * WK_COUNT(known); i++) {
		size_t n = i % WK_COUNT(known);
		struct wk_sha256 hash;
		uint8_t digest[32];

		wk_sha256_begin(&hash);
		if (i >= WK_COUNT(known)) /* as on processors without the instructions */
			hash.by_instructions = false;
		for (unsigned time = 0; time < known[n].times; time++)
			wk_sha256_add(&hash, known[n].text, strlen(known[n].text));
		wk_sha256_end(&hash, digest);
		CHECK(memcmp(digest, known[n].begin, 4) == 0);
		if (n != 3)
			CHECK(memcmp(digest + 28, known[n].end, 4) == 0);
	}
}

/* Pieces of all sizes, many blocks at once: the same in both ways. */
TEST(sha256_pieces)
{
	static uint8_t bytes[1000];
	uint8_t digests[2][32];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	for (size_t piece = 1; piece <= sizeof bytes; piece += 37) {
		for (int way = 0; way < 2; way++) {
			struct wk_sha256 hash;

			wk_sha256_begin(&hash);
			hash.by_instructions = hash.by_instructions && way == 0;
			for (size_t at = 0; at < sizeof bytes; at += piece)
				wk_sha256_add(&hash, bytes + at, piece < sizeof bytes - at ? piece : sizeof bytes - at);
			wk_sha256_end(&hash, digests[way]);
		}
		CHECK(memcmp(digests[0], digests[1], 32) == 0);
	}
}

TEST(whole)
{
	struct wk_report report;

	make_file();
	CHECK_EQUAL(check(sizeof file, &report), WK_OK);
}

TEST(cut_off)
{
	struct wk_report report;

	make_file();
	for (size_t size = 0; size < sizeof file; size++) {
		CHECK(check(size, &report) != WK_OK);
		CHECK(report.text[0] != 0);
	}
}

TEST(every_bit)
{
	struct wk_report report;

	make_file();
	for (size_t bit = 0; bit < 8 * sizeof file; bit++) {
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(check(sizeof file, &report) != WK_OK);
		CHECK(report.text[0] != 0);
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK_EQUAL(check(sizeof file, &report), WK_OK);
}

TEST(another_version)
{
	struct wk_image_seal seal;
	struct wk_report report;

	make_file();
	memcpy(&seal, file + LIBRARY, sizeof seal);
	seal.abi++;
	seal_again(&seal);
	CHECK_EQUAL(check(sizeof file, &report), WK_UNSUPPORTED);
	CHECK(strstr(report.text, "version") != NULL);
}

TEST(another_target)
{
	struct wk_image_seal seal;
	struct wk_report report;

	make_file();
	memcpy(&seal, file + LIBRARY, sizeof seal);
	memset(seal.target, 0, sizeof seal.target);
	memcpy(seal.target, "vax-linux", sizeof "vax-linux");
	seal_again(&seal);
	CHECK_EQUAL(check(sizeof file, &report), WK_UNSUPPORTED);
	CHECK(strstr(report.text, "vax-linux") != NULL);
	memset(seal.target, 'x', sizeof seal.target); /* without an end */
	seal_again(&seal);
	CHECK_EQUAL(check(sizeof file, &report), WK_MALFORMED);
}

TEST(no_module)
{
	static const struct { uint64_t offset, size; } bad[] = { { 0, 0 }, { LIBRARY + 1, 0 }, { LIBRARY - 7, 8 },
		{ UINT64_MAX, 8 }, { 8, UINT64_MAX }, { UINT64_MAX - 3, 8 } };
	struct wk_image_seal seal;
	struct wk_report report;

	make_file();
	memcpy(&seal, file + LIBRARY, sizeof seal);
	for (size_t i = 0; i < WK_COUNT(bad); i++) {
		seal.module_offset = bad[i].offset;
		seal.module_size = bad[i].size;
		seal_again(&seal);
		CHECK_EQUAL(check(sizeof file, &report), WK_MALFORMED);
	}
	seal.module_offset = LIBRARY - 8;
	seal.module_size = 8;
	seal_again(&seal);
	CHECK_EQUAL(check(sizeof file, &report), WK_OK);
}

/* Whatever else changes, the end of a file says which version it is. */
TEST(end_of_file)
{
	make_file();
	CHECK(memcmp(file + sizeof file - 8, WK_IMAGE_MAGIC, 8) == 0);
	CHECK(memcmp(file + sizeof file - 12, &(uint32_t){ WK_IMAGE_ABI }, 4) == 0);
	CHECK(memcmp(file + sizeof file - 16, &(uint32_t){ sizeof(struct wk_image_seal) }, 4) == 0);
}

int main(void)
{
	RUN(sha256);
	RUN(sha256_pieces);
	RUN(seal_inside);
	RUN(whole);
	RUN(cut_off);
	RUN(every_bit);
	RUN(another_version);
	RUN(another_target);
	RUN(no_module);
	RUN(end_of_file);
	return test_end();
}
