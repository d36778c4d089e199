/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of the suite's JSON, to and from those of requests and answers.
 *
 * Numbers are decimal texts of the bit pattern, so that no NaN is lost on the way. An externref "N" is the host's N-th
 * object; as 0 is null for us it travels as N + 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "spec/spec.h"

static uint64_t bits_of(const char *text)
{
	return text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
}

/* Bits of one lane of a v128, or of a whole number. */
static unsigned width_of(const char *type)
{
	if (strcmp(type, "i8") == 0)
		return 8;
	if (strcmp(type, "i16") == 0)
		return 16;
	if (strcmp(type, "i32") == 0 || strcmp(type, "f32") == 0)
		return 32;
	return strcmp(type, "i64") == 0 || strcmp(type, "f64") == 0 ? 64 : 0;
}

static enum wk_kind kind_of(const char *name)
{
	static const struct { const char *name; enum wk_kind kind; } names[] = {
		{ "i32", WK_I32 }, { "i64", WK_I64 }, { "f32", WK_F32 }, { "f64", WK_F64 }, { "v128", WK_V128 },
		{ "funcref", WK_FUNCREF }, { "externref", WK_EXTERNREF }, { "exnref", WK_EXNREF },
	};
	for (size_t i = 0; i < WK_COUNT(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].kind;
	return WK_ANYREF;
}

static bool is_reference(enum wk_kind kind)
{
	return kind >= WK_FUNCREF;
}

static uint64_t low_bits(uint64_t value, unsigned width)
{
	return width >= 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

/* Lanes as two slots. false: these are not 128 bits. */
static bool read_lanes(const struct spec_json *json, uint64_t slots[2])
{
	const struct spec_json *lanes = spec_json_get(json, "value");
	unsigned width = width_of(spec_json_text(json, "lane_type"));
	if (width == 0 || lanes == NULL || lanes->count != 128 / width)
		return false;
	unsigned at = 0;
	for (const struct spec_json *lane = lanes->first; lane != NULL; lane = lane->next) {
		slots[at / 64] |= low_bits(bits_of(lane->text), width) << at % 64;
		at += width;
	}
	return true;
}

void spec_value_read(const struct spec_json *json, struct spec_value *value)
{
	const char *name = spec_json_text(json, "type");
	const char *text = spec_json_text(json, "value");
	*value = (struct spec_value){ .kind = kind_of(name) };
	if (is_reference(value->kind))
		value->slots[0] = strcmp(text, "null") == 0 ? 0 : bits_of(text) + 1;
	else if (value->kind == WK_V128)
		value->kind = read_lanes(json, value->slots) ? WK_V128 : 0;
	else
		value->slots[0] = low_bits(bits_of(text), width_of(name));
}

/* One number against one expected text: a bit pattern, or a class of NaN (specification 4.3.3). */
static bool number_meets(const char *expected, unsigned width, uint64_t bits)
{
	uint64_t sign = UINT64_C(1) << (width - 1);
	uint64_t quiet = width == 32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
	bits = low_bits(bits, width);
	if (strcmp(expected, "nan:canonical") == 0)
		return (bits & ~sign) == quiet;
	if (strcmp(expected, "nan:arithmetic") == 0)
		return (bits & quiet) == quiet;
	return bits == low_bits(bits_of(expected), width);
}

static bool vector_meets(const struct spec_json *expected, const uint64_t *slots)
{
	const struct spec_json *lanes = spec_json_get(expected, "value");
	unsigned width = width_of(spec_json_text(expected, "lane_type"));
	if (width == 0 || lanes == NULL || lanes->count != 128 / width)
		return false;
	unsigned at = 0;
	for (const struct spec_json *lane = lanes->first; lane != NULL; lane = lane->next) {
		if (!number_meets(lane->text, width, slots[at / 64] >> at % 64))
			return false;
		at += width;
	}
	return true;
}

static bool reference_meets(const struct spec_json *expected, enum wk_kind kind, uint64_t slot)
{
	static const struct { const char *name; enum wk_kind kind; bool null; } names[] = {
		{ "funcref", WK_FUNCREF, false }, { "externref", WK_EXTERNREF, false }, { "exnref", WK_EXNREF, false },
		{ "anyref", WK_ANYREF, false }, { "eqref", WK_ANYREF, false }, { "i31ref", WK_ANYREF, false },
		{ "structref", WK_ANYREF, false }, { "arrayref", WK_ANYREF, false }, { "nullfuncref", WK_FUNCREF, true },
		{ "nullexternref", WK_EXTERNREF, true }, { "nullexnref", WK_EXNREF, true }, { "nullref", WK_ANYREF, true },
	};
	const char *name = spec_json_text(expected, "type");
	const char *value = spec_json_text(expected, "value");
	if (strcmp(name, "refnull") == 0)
		return slot == 0;
	for (size_t i = 0; i < WK_COUNT(names); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		if (names[i].kind != kind)
			return false;
		if (names[i].null || strcmp(value, "null") == 0)
			return slot == 0;
		return value[0] == 0 ? slot != 0 : slot == bits_of(value) + 1;
	}
	return false;
}

bool spec_value_meets(const struct spec_json *expected, const struct spec_value *result)
{
	const char *name = spec_json_text(expected, "type");
	if (strcmp(name, "either") == 0) {
		const struct spec_json *choices = spec_json_get(expected, "values");
		for (const struct spec_json *choice = choices ? choices->first : NULL; choice != NULL; choice = choice->next)
			if (spec_value_meets(choice, result))
				return true;
		return false;
	}
	if (is_reference(result->kind))
		return reference_meets(expected, result->kind, result->slots[0]);
	if (kind_of(name) != result->kind)
		return false;
	return result->kind == WK_V128 ? vector_meets(expected, result->slots)
		: number_meets(spec_json_text(expected, "value"), width_of(name), result->slots[0]);
}

void spec_value_text(const struct spec_value *value, char *text, size_t size)
{
	static const char *const names[] = { "nothing", "i32", "i64", "f32", "f64", "v128", "funcref", "externref", "exnref",
		"anyref" };
	const char *name = value->kind < WK_COUNT(names) ? names[value->kind] : "unknown";
	if (value->kind == WK_V128)
		snprintf(text, size, "%s 0x%016" PRIx64 "'%016" PRIx64, name, value->slots[1], value->slots[0]);
	else
		snprintf(text, size, "%s %" PRIu64 " (0x%" PRIx64 ")", name, value->slots[0], value->slots[0]);
}

/* Appends; what does not fit is cut. */
static void add_text(char *text, size_t size, const char *more)
{
	size_t length = strlen(text);
	snprintf(text + length, size - length, "%s%s", length != 0 ? " " : "", more);
}

static void add_expected(const struct spec_json *expected, char *text, size_t size)
{
	const struct spec_json *value = spec_json_get(expected, "value");
	const struct spec_json *choices = spec_json_get(expected, "values");
	add_text(text, size, spec_json_text(expected, "type"));
	if (value != NULL)
		add_text(text, size, value->text);
	for (const struct spec_json *lane = value ? value->first : NULL; lane != NULL; lane = lane->next)
		add_text(text, size, lane->text);
	for (const struct spec_json *choice = choices ? choices->first : NULL; choice != NULL; choice = choice->next)
		add_expected(choice, text, size);
}

void spec_expected_text(const struct spec_json *expected, char *text, size_t size)
{
	text[0] = 0;
	add_expected(expected, text, size);
}
