/* SPDX-License-Identifier: Apache-2.0
 *
 * Text in and out of the tool. Names in a module are chosen by whoever made it: printed as they are they could steer a
 * terminal, hide a line or make one look like another, so everything that comes from a file goes through wk_text_put.
 *
 * What always holds: the number readers take the whole word or nothing, and never overflow.
 */
#define _GNU_SOURCE 1
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

bool wk_text_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
		(c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
		c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe ||
		(c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000;
}

size_t wk_text_put(FILE *out, struct wk_span text, bool quoted, size_t columns)
{
	size_t used = 0;

	for (size_t at = 0; at < text.size;) {
		uint32_t code = 0;
		size_t length = wk_utf8_character(text.data + at, text.size - at, &code);
		char escape[16];
		int width = 0;

		if (length == 0)
			width = snprintf(escape, sizeof(escape), "\\x%02x", text.data[at]);
		else if (wk_text_is_unsafe(code))
			width = snprintf(escape, sizeof(escape), "\\u{%x}", (unsigned)code);
		else if (quoted && (code == '"' || code == '\\'))
			width = snprintf(escape, sizeof(escape), "\\%c", (int)code);
		if (columns && used + (width ? (size_t)width : 1) > columns) {
			if (out)
				fputs("...", out);
			return used + 3;
		}
		if (out && width)
			fputs(escape, out);
		else if (out)
			fwrite(text.data + at, 1, length, out);
		used += width ? (size_t)width : 1;
		at += length ? length : 1;
	}
	return used;
}

#define WORD_MAX 48 /* letters of a word that are compared */

size_t wk_text_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1]; /* rows i - 2, i - 1 and i of the usual table, turning */
	size_t a_size = strnlen(a, WORD_MAX), b_size = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a_size % 3][b_size];
}

bool wk_text_is_near(size_t distance, size_t length)
{
	return distance <= (length < 4 ? 1 : length < 9 ? 2 : 3) && distance < length;
}

const char *wk_text_nearest(const char *word, const char *const *words)
{
	size_t length = strlen(word), best = SIZE_MAX;
	const char *nearest = NULL;

	for (; *words; words++) {
		/* The start of a word, or a word with something behind it, is what was meant more often than a typing error. */
		size_t common = strlen(*words) < length ? strlen(*words) : length;
		size_t distance = common >= 3 && strncmp(word, *words, common) == 0 ? 1 : wk_text_distance(word, *words);

		if (distance < best && wk_text_is_near(distance, length)) {
			best = distance;
			nearest = *words;
		}
	}
	return nearest;
}

/* Digits at *at in base 10, or 16 after "0x"; moves *at behind them. */
static bool read_digits(const char **at, uint64_t *value)
{
	const char *p = *at;
	unsigned base = 10;
	uint64_t number = 0;
	bool any = false;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a' + 10);
		else if (base == 16 && *p >= 'A' && *p <= 'F')
			digit = (unsigned)(*p - 'A' + 10);
		else
			break;
		if (__builtin_mul_overflow(number, base, &number) || wk_add64_overflows(number, digit, &number))
			return false;
		any = true;
	}
	if (!any)
		return false;
	*at = p;
	*value = number;
	return true;
}

bool wk_text_unsigned(const char *word, uint64_t *value)
{
	uint64_t number = 0;

	if (!read_digits(&word, &number) || *word)
		return false;
	*value = number;
	return true;
}

bool wk_text_size(const char *word, uint64_t *value)
{
	static const char letters[] = "KMGT";
	uint64_t number = 0;
	unsigned shift = 0;

	if (!read_digits(&word, &number))
		return false;
	if (*word) {
		char letter = *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word;
		const char *found = strchr(letters, letter);

		if (!found)
			return false;
		shift = 10 * (unsigned)(found - letters + 1);
		word++;
		if (strcmp(word, "") != 0 && strcmp(word, "iB") != 0)
			return false;
	}
	if (number > UINT64_MAX >> shift)
		return false;
	*value = number << shift;
	return true;
}

bool wk_text_seconds(const char *word, uint64_t *nanoseconds)
{
	char *end = NULL;
	double seconds;

	if (!(*word >= '0' && *word <= '9') && *word != '.')
		return false;
	seconds = strtod(word, &end); /* the tool never leaves the C locale */
	if (end == word || *end || !(seconds > 0) || seconds > 1e9)
		return false;
	*nanoseconds = (uint64_t)(seconds * 1e9) + 1; /* rounded up: never 0 */
	return true;
}
