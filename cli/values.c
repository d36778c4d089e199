/* SPDX-License-Identifier: Apache-2.0
 *
 * Wasm values as words. Integers may be given signed or unsigned, since wasm has no sign of its own, and are printed
 * signed. Floats are printed with the fewest digits that give the same bits again; a NaN says its payload when it is
 * not the canonical one (specification 2.3.3, 6.3.2).
 */
#include "values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct {
	const char *name, *form;
} kinds[] = {
	[WK_I32] = { "i32", "a whole number of 32 bits, decimal or 0x hexadecimal" },
	[WK_I64] = { "i64", "a whole number of 64 bits, decimal or 0x hexadecimal" },
	[WK_F32] = { "f32", "a number like 1.5, -2e10, 0x1.8p3, inf or nan" },
	[WK_F64] = { "f64", "a number like 1.5, -2e10, 0x1.8p3, inf or nan" },
	[WK_V128] = { "v128", "a hexadecimal number of up to 32 digits, 0x..." },
	[WK_FUNCREF] = { "funcref", "null" },
	[WK_EXTERNREF] = { "externref", "null or a whole number greater than 0" },
	[WK_EXNREF] = { "exnref", "null" },
};

const char *wk_values_kind_name(enum wk_kind kind)
{
	return (unsigned)kind < WK_COUNT(kinds) && kinds[kind].name ? kinds[kind].name : "?";
}

const char *wk_values_kind_form(enum wk_kind kind)
{
	return (unsigned)kind < WK_COUNT(kinds) ? kinds[kind].form : NULL;
}

/* From the smallest signed to the largest unsigned number of `bits`. */
static bool read_integer(const char *word, unsigned bits, uint64_t *value)
{
	bool negative = *word == '-';
	uint64_t largest = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1, number = 0;

	if (*word == '-' || *word == '+')
		word++;
	if (!wk_text_unsigned(word, &number))
		return false;
	if (number > (negative ? (largest >> 1) + 1 : largest))
		return false;
	*value = negative ? 0 - number : number;
	return true;
}

/* "nan" or "nan:0x..." with an optional sign, as bits of a float with `mantissa` bits. */
static bool read_nan(const char *word, unsigned mantissa, uint64_t *bits)
{
	unsigned width = mantissa == 23 ? 32 : 64;
	uint64_t payload = (uint64_t)1 << (mantissa - 1), sign = *word == '-';

	if (*word == '-' || *word == '+')
		word++;
	if (strncmp(word, "nan", 3) != 0)
		return false;
	word += 3;
	if (*word == ':' && (strncmp(word, ":0x", 3) != 0 || !wk_text_unsigned(word + 1, &payload) || payload == 0 ||
		payload >> mantissa != 0))
		return false;
	if (*word != 0 && *word != ':')
		return false;
	*bits = sign << (width - 1) | (((uint64_t)1 << (width - 1 - mantissa)) - 1) << mantissa | payload;
	return true;
}

static bool is_number_word(const char *word)
{
	if (*word == '-' || *word == '+')
		word++;
	return (*word >= '0' && *word <= '9') || *word == '.' || strcmp(word, "inf") == 0;
}

static bool read_f32(const char *word, float *value)
{
	uint64_t bits = 0;
	uint32_t low;
	char *end = NULL;
	float number;

	if (read_nan(word, 23, &bits)) {
		low = (uint32_t)bits;
		memcpy(value, &low, sizeof(*value));
		return true;
	}
	if (!is_number_word(word))
		return false;
	number = strtof(word, &end);
	if (end == word || *end)
		return false;
	*value = number;
	return true;
}

static bool read_f64(const char *word, double *value)
{
	uint64_t bits = 0;
	char *end = NULL;
	double number;

	if (read_nan(word, 52, &bits)) {
		memcpy(value, &bits, sizeof(*value));
		return true;
	}
	if (!is_number_word(word))
		return false;
	number = strtod(word, &end);
	if (end == word || *end)
		return false;
	*value = number;
	return true;
}

/* One number of 128 bits; lane 0 is its low end. */
static bool read_v128(const char *word, uint8_t bytes[16])
{
	size_t digits = strlen(word);
	uint8_t made[16] = { 0 };

	if (digits < 3 || digits > 34 || strncmp(word, "0x", 2) != 0)
		return false;
	digits -= 2;
	for (size_t i = 0; i < digits; i++) {
		char text[4] = { '0', 'x', word[2 + digits - 1 - i], 0 };
		uint64_t digit = 0;

		if (!wk_text_unsigned(text, &digit))
			return false;
		made[i / 2] = (uint8_t)(made[i / 2] | digit << (i % 2 * 4));
	}
	memcpy(bytes, made, sizeof(made));
	return true;
}

bool wk_values_read(const char *word, enum wk_kind kind, struct wk_value *value)
{
	struct wk_value made = { .kind = kind };
	uint64_t bits = 0;

	switch (kind) {
	case WK_I32:
		if (!read_integer(word, 32, &bits))
			return false;
		made.of.i32 = (int32_t)(uint32_t)bits;
		break;
	case WK_I64:
		if (!read_integer(word, 64, &bits))
			return false;
		made.of.i64 = (int64_t)bits;
		break;
	case WK_F32:
		if (!read_f32(word, &made.of.f32))
			return false;
		break;
	case WK_F64:
		if (!read_f64(word, &made.of.f64))
			return false;
		break;
	case WK_V128:
		if (!read_v128(word, made.of.v128))
			return false;
		break;
	case WK_EXTERNREF:
		if (strcmp(word, "null") != 0 && (!wk_text_unsigned(word, &bits) || bits == 0))
			return false;
		made.of.ref = bits;
		break;
	case WK_FUNCREF:
	case WK_EXNREF:
		if (strcmp(word, "null") != 0)
			return false;
		break;
	default:
		return false;
	}
	*value = made;
	return true;
}

/* Finite and infinite numbers; `digits` are always enough for the type. */
static void print_float(FILE *out, double number, bool single)
{
	char text[40];

	if (number > -1e15 && number < 1e15 && number == (double)(int64_t)number) {
		fprintf(out, "%.0f", number); /* %g would say 1e+01 for 10 */
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (single ? strtof(text, NULL) == (float)number : strtod(text, NULL) == number)
			break;
	}
	fputs(text, out);
}

static void print_nan(FILE *out, uint64_t bits, unsigned mantissa)
{
	uint64_t payload = bits & (((uint64_t)1 << mantissa) - 1);

	fputs(bits >> (mantissa == 23 ? 31 : 63) ? "-nan" : "nan", out);
	if (payload != (uint64_t)1 << (mantissa - 1))
		fprintf(out, ":0x%" PRIx64, payload);
}

void wk_values_print(FILE *out, const struct wk_value *value)
{
	uint32_t low = 0;
	uint64_t bits = 0;

	switch (value->kind) {
	case WK_I32:
		fprintf(out, "%" PRId32, value->of.i32);
		break;
	case WK_I64:
		fprintf(out, "%" PRId64, value->of.i64);
		break;
	case WK_F32:
		memcpy(&low, &value->of.f32, sizeof(low));
		if ((low & 0x7fffffff) > 0x7f800000)
			print_nan(out, low, 23);
		else
			print_float(out, (double)value->of.f32, true);
		break;
	case WK_F64:
		memcpy(&bits, &value->of.f64, sizeof(bits));
		if ((bits & INT64_MAX) > UINT64_C(0x7ff0000000000000))
			print_nan(out, bits, 52);
		else
			print_float(out, value->of.f64, false);
		break;
	case WK_V128:
		fputs("0x", out);
		for (int i = 15; i >= 0; i--)
			fprintf(out, "%02x", value->of.v128[i]);
		break;
	case WK_FUNCREF:
		fputs(value->of.func ? "function" : "null", out);
		break;
	case WK_EXTERNREF:
	case WK_EXNREF:
		if (value->of.ref == 0)
			fputs("null", out);
		else if (value->kind == WK_EXNREF)
			fputs("exception", out);
		else
			fprintf(out, "%" PRIu64, value->of.ref);
		break;
	default:
		fputs("?", out);
	}
}
