/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of the suite's JSON: see spec_json.h. Texts are unescaped where they are, which makes them shorter at most.
 *
 * All values lie in one array. Each but the outermost stands behind a bracket, a brace or a comma, so their number is known
 * before they are read.
 */
#include "spec/spec_json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 32

struct reader {
	char *at;
	struct spec_json *values;
	size_t count;
};

static bool read_value(struct reader *r, struct spec_json *value, unsigned depth);

static bool accept(struct reader *r, char c)
{
	r->at += strspn(r->at, " \t\r\n");
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

static bool read_unit(struct reader *r, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++, r->at++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = *r->at ? strchr(digits, *r->at) : NULL;
		if (digit == NULL)
			return false;
		*unit = *unit * 16 + (uint32_t)(digit - digits) % 16;
	}
	return true;
}

static char *write_character(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*to++ = (char)(0xe0 | code >> 12);
		} else {
			*to++ = (char)(0xf0 | code >> 18);
			*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* Behind "\u". Two units that are surrogates are one character. */
static bool read_character(struct reader *r, char **to)
{
	uint32_t code, low;
	if (!read_unit(r, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00 && r->at[0] == '\\' && r->at[1] == 'u') {
		r->at += 2;
		if (!read_unit(r, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = write_character(*to, code);
	return true;
}

/* Behind the first quotation mark. */
static bool read_text(struct reader *r, const char **text, size_t *size)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char *to = r->at;
	*text = to;
	while (*r->at != '"') {
		if (*r->at == 0)
			return false;
		if (*r->at != '\\') {
			*to++ = *r->at++;
			continue;
		}
		r->at++;
		const char *escape = *r->at ? strchr(escapes, *r->at) : NULL;
		if (escape != NULL) {
			*to++ = meanings[escape - escapes];
			r->at++;
		} else if (*r->at++ != 'u' || !read_character(r, &to)) {
			return false;
		}
	}
	r->at++;
	*to = 0;
	*size = (size_t)(to - *text);
	return true;
}

/* Behind the first bracket or brace. */
static bool read_items(struct reader *r, struct spec_json *value, char end, unsigned depth)
{
	struct spec_json **link = &value->first;
	if (accept(r, end))
		return true;
	do {
		struct spec_json *item = &r->values[r->count++];
		size_t size;
		if (end == '}' && (!accept(r, '"') || !read_text(r, &item->key, &size) || !accept(r, ':')))
			return false;
		if (!read_value(r, item, depth + 1))
			return false;
		*link = item;
		link = &item->next;
		value->count++;
	} while (accept(r, ','));
	return accept(r, end);
}

static bool read_word(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strncmp(r->at, words[i], strlen(words[i])) == 0) {
			r->at += strlen(words[i]);
			return true;
		}
	}
	return false;
}

static bool read_value(struct reader *r, struct spec_json *value, unsigned depth)
{
	value->text = "";
	if (depth > DEPTH)
		return false;
	if (accept(r, '"')) {
		value->kind = SPEC_JSON_TEXT;
		return read_text(r, &value->text, &value->size);
	}
	if (accept(r, '{')) {
		value->kind = SPEC_JSON_OBJECT;
		return read_items(r, value, '}', depth);
	}
	if (accept(r, '[')) {
		value->kind = SPEC_JSON_ARRAY;
		return read_items(r, value, ']', depth);
	}
	if (read_word(r))
		return true;
	size_t length = strspn(r->at, "+-.0123456789eE");
	value->kind = SPEC_JSON_NUMBER;
	value->number = strtoll(r->at, NULL, 10);
	r->at += length;
	return length != 0;
}

struct spec_json *spec_json_read(char *text)
{
	size_t most = 1;
	for (const char *at = text; *at != 0; at++)
		most += *at == '[' || *at == '{' || *at == ',';
	struct reader r = { .at = text, .values = calloc(most, sizeof *r.values), .count = 1 };
	if (r.values != NULL && read_value(&r, r.values, 0) && accept(&r, 0))
		return r.values;
	free(r.values);
	return NULL;
}

void spec_json_free(struct spec_json *json)
{
	free(json);
}

const struct spec_json *spec_json_get(const struct spec_json *json, const char *key)
{
	if (json == NULL || json->kind != SPEC_JSON_OBJECT)
		return NULL;
	for (const struct spec_json *member = json->first; member != NULL; member = member->next)
		if (strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

const char *spec_json_text(const struct spec_json *json, const char *key)
{
	const struct spec_json *member = spec_json_get(json, key);
	return member ? member->text : "";
}
