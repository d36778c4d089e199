/* SPDX-License-Identifier: Apache-2.0
 *
 * The first eight bytes (specification 5.5.18), and what a file is that has other ones. People pass the wrong file
 * often enough that "magic header not detected" alone would send them searching.
 */
#include "format/decoder.h"

static const struct signature {
	uint8_t size;
	uint8_t bytes[8];
	const char *what;
} signatures[] = {
	{ 4, { 0x7f, 'E', 'L', 'F' }, "an ELF file" },
	{ 2, { 0x1f, 0x8b }, "a gzip file" },
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd }, "a zstd file" },
	{ 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, "an xz file" },
	{ 3, { 'B', 'Z', 'h' }, "a bzip2 file" },
	{ 4, { 'P', 'K', 3, 4 }, "a zip file" },
	{ 7, { '!', '<', 'a', 'r', 'c', 'h', '>' }, "an ar archive" },
	{ 4, { 'B', 'C', 0xc0, 0xde }, "an LLVM bitcode file" },
	{ 4, { 0xcf, 0xfa, 0xed, 0xfe }, "a Mach-O file" },
	{ 4, { 0xca, 0xfe, 0xba, 0xbe }, "a Java class or Mach-O file" },
	{ 2, { 'M', 'Z' }, "a Windows program" },
	{ 4, { 'H', 'S', 'T', 'O' }, "a signed Trusted Application" },
	{ 4, { '%', 'P', 'D', 'F' }, "a PDF file" },
	{ 2, { '#', '!' }, "a script" },
};

static bool starts_with(struct wk_span bytes, const void *start, size_t size)
{
	return bytes.size >= size && memcmp(bytes.data, start, size) == 0;
}

/* Behind white space and comments of the text format (6.2.4). Unclosed comments end with the bytes. */
static struct wk_span skip_text_space(struct wk_span bytes)
{
	size_t at = 0, depth = 0;

	while (at < bytes.size) {
		struct wk_span rest = wk_span(bytes.data + at, bytes.size - at);

		if (starts_with(rest, "(;", 2)) {
			depth++;
			at += 2;
		} else if (depth != 0 && starts_with(rest, ";)", 2)) {
			depth--;
			at += 2;
		} else if (depth == 0 && starts_with(rest, ";;", 2)) {
			while (at < bytes.size && bytes.data[at] != '\n')
				at++;
		} else if (depth != 0 || rest.data[0] == ' ' || (rest.data[0] >= '\t' && rest.data[0] <= '\r')) {
			at++;
		} else {
			break;
		}
	}
	return wk_span(bytes.data + at, bytes.size - at);
}

static const char *what_is(struct wk_span bytes)
{
	struct wk_span text = skip_text_space(bytes);

	for (size_t i = 0; i < WK_COUNT(signatures); i++)
		if (starts_with(bytes, signatures[i].bytes, signatures[i].size))
			return signatures[i].what;
	if (starts_with(text, "(module", 7))
		return "a module in the text format, which must be translated to the binary format first (wat2wasm)";
	if (starts_with(text, "(component", 10))
		return "a component in the text format";
	if (starts_with(text, "(assert", 7))
		return "a test script in the text format";
	return NULL;
}

enum wk_status wk_check_header(struct wk_span bytes, struct wk_report *report)
{
	static const uint8_t magic[8] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
	static const uint8_t component[4] = { 0x0d, 0, 1, 0 };
	const char *what;

	if (starts_with(bytes, magic, 8))
		return WK_OK;
	if (bytes.size == 0)
		return wk_report_set(report, WK_MALFORMED, 0, WK_NO_FUNCTION, "unexpected end: the file is empty");
	if (bytes.size >= 4 && memcmp(bytes.data, magic, 4) != 0) {
		what = what_is(bytes);
		return wk_report_set(report, WK_MALFORMED, 0, WK_NO_FUNCTION, "magic header not detected%s%s",
			what == NULL ? "" : ": this is ", what == NULL ? "" : what);
	}
	if (bytes.size < 8)
		return wk_report_set(report, WK_MALFORMED, bytes.size, WK_NO_FUNCTION,
			"unexpected end: %zu bytes are no module", bytes.size);
	if (memcmp(bytes.data + 4, component, 4) == 0)
		return wk_report_set(report, WK_MALFORMED, 4, WK_NO_FUNCTION,
			"unknown binary version: this is a component, not a core module");
	return wk_report_set(report, WK_MALFORMED, 4, WK_NO_FUNCTION, "unknown binary version %u",
		(uint32_t)bytes.data[4] | (uint32_t)bytes.data[5] << 8 | (uint32_t)bytes.data[6] << 16 |
		(uint32_t)bytes.data[7] << 24);
}
