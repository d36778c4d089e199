/* SPDX-License-Identifier: Apache-2.0
 *
 * A small JSON writer (RFC 8259). Strings may come from a hostile module: every character that could act on a terminal
 * is escaped, which JSON allows for any character, so that a reader gets the same string and a person a quiet screen.
 */
#include "json.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "text.h"

void wk_json_start(struct wk_json *json, FILE *out, bool compact)
{
	*json = (struct wk_json){ .out = out, .compact = compact };
}

void wk_json_end(struct wk_json *json)
{
	fputc('\n', json->out);
}

static void new_line(struct wk_json *json)
{
	if (json->compact)
		return;
	fputc('\n', json->out);
	for (unsigned i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

/* What stands before every value: the comma, the line, the key. */
static void before(struct wk_json *json, const char *key)
{
	if (json->filled)
		fputc(',', json->out);
	if (json->depth > 0)
		new_line(json);
	if (key)
		fprintf(json->out, json->compact ? "\"%s\":" : "\"%s\": ", key);
	json->filled = true;
}

void wk_json_open(struct wk_json *json, const char *key, char bracket)
{
	before(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->filled = false;
}

void wk_json_close(struct wk_json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		new_line(json);
	fputc(bracket, json->out);
	json->filled = true;
}

void wk_json_number(struct wk_json *json, const char *key, uint64_t number)
{
	before(json, key);
	fprintf(json->out, "%" PRIu64, number);
}

void wk_json_bool(struct wk_json *json, const char *key, bool value)
{
	before(json, key);
	fputs(value ? "true" : "false", json->out);
}

void wk_json_null(struct wk_json *json, const char *key)
{
	before(json, key);
	fputs("null", json->out);
}

void wk_json_text(struct wk_json *json, const char *key, const char *text)
{
	wk_json_span(json, key, wk_span_of_text(text));
}

static void put_unit(FILE *out, uint32_t code)
{
	fprintf(out, "\\u%04x", (unsigned)code);
}

void wk_json_span(struct wk_json *json, const char *key, struct wk_span text)
{
	FILE *out = json->out;

	before(json, key);
	fputc('"', out);
	for (size_t at = 0; at < text.size;) {
		uint32_t code = 0;
		size_t length = wk_utf8_character(text.data + at, text.size - at, &code);

		if (length == 0) {
			put_unit(out, 0xfffd);
		} else if (code == '"' || code == '\\') {
			fputc('\\', out);
			fputc((int)code, out);
		} else if (wk_text_is_unsafe(code) && code >= 0x10000) {
			put_unit(out, 0xd800 + ((code - 0x10000) >> 10));
			put_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
		} else if (wk_text_is_unsafe(code)) {
			put_unit(out, code);
		} else {
			fwrite(text.data + at, 1, length, out);
		}
		at += length ? length : 1;
	}
	fputc('"', out);
}
