/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of the suite's JSON, to and from slots.
 *
 * Numbers are decimal texts of the bit pattern, so that no NaN is lost on the way. An externref "N" is the host's N-th
 * object; as 0 is null for us it travels as N + 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return text ? text : "";
}

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

static wk_valtype number_type(const char *name)
{
	static const struct { const char *name; wk_valtype type; } names[] = {
		{ "i32", WK_TYPE_I32 }, { "i64", WK_TYPE_I64 }, { "f32", WK_TYPE_F32 }, { "f64", WK_TYPE_F64 },
		{ "v128", WK_TYPE_V128 },
	};
	for (size_t i = 0; i < WK_COUNT(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].type;
	return WK_TYPE_BOTTOM;
}

static uint64_t low_bits(uint64_t value, unsigned width)
{
	return width >= 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

bool spec_value_read(const cJSON *value, wk_valtype type, uint64_t *slots)
{
	const char *name = text_of(value, "type");
	const char *text = text_of(value, "value");
	if (wk_is_ref(type)) {
		slots[0] = strcmp(text, "null") == 0 ? 0 : bits_of(text) + 1;
		return number_type(name) == WK_TYPE_BOTTOM;
	}
	if (number_type(name) != type)
		return false;
	if (type != WK_TYPE_V128) {
		slots[0] = low_bits(bits_of(text), width_of(name));
		return true;
	}
	const cJSON *lanes = cJSON_GetObjectItemCaseSensitive(value, "value");
	unsigned width = width_of(text_of(value, "lane_type"));
	if (width == 0 || cJSON_GetArraySize(lanes) != (int)(128 / width))
		return false;
	slots[0] = slots[1] = 0;
	unsigned at = 0;
	const cJSON *lane = NULL;
	cJSON_ArrayForEach(lane, lanes) {
		slots[at / 64] |= low_bits(bits_of(cJSON_GetStringValue(lane)), width) << at % 64;
		at += width;
	}
	return true;
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

static bool vector_meets(const cJSON *expected, const uint64_t *slots)
{
	const cJSON *lanes = cJSON_GetObjectItemCaseSensitive(expected, "value");
	unsigned width = width_of(text_of(expected, "lane_type"));
	if (width == 0 || cJSON_GetArraySize(lanes) != (int)(128 / width))
		return false;
	unsigned at = 0;
	const cJSON *lane = NULL;
	cJSON_ArrayForEach(lane, lanes) {
		if (!number_meets(cJSON_GetStringValue(lane), width, slots[at / 64] >> at % 64))
			return false;
		at += width;
	}
	return true;
}

/* The top of the hierarchy that a heap type belongs to; concrete types are functions as long as there is no GC. */
static uint32_t top_of(wk_valtype type)
{
	switch (wk_heap_of(type)) {
	case WK_HEAP_EXTERN:
	case WK_HEAP_NOEXTERN:
		return WK_HEAP_EXTERN;
	case WK_HEAP_EXN:
	case WK_HEAP_NOEXN:
		return WK_HEAP_EXN;
	case WK_HEAP_ANY:
	case WK_HEAP_EQ:
	case WK_HEAP_I31:
	case WK_HEAP_STRUCT:
	case WK_HEAP_ARRAY:
	case WK_HEAP_NONE:
		return WK_HEAP_ANY;
	default:
		return WK_HEAP_FUNC;
	}
}

static bool reference_meets(const cJSON *expected, wk_valtype type, uint64_t slot)
{
	static const struct { const char *name; uint32_t top; bool null; } names[] = {
		{ "funcref", WK_HEAP_FUNC, false }, { "externref", WK_HEAP_EXTERN, false },
		{ "exnref", WK_HEAP_EXN, false }, { "anyref", WK_HEAP_ANY, false }, { "eqref", WK_HEAP_ANY, false },
		{ "i31ref", WK_HEAP_ANY, false }, { "structref", WK_HEAP_ANY, false },
		{ "arrayref", WK_HEAP_ANY, false }, { "nullfuncref", WK_HEAP_FUNC, true },
		{ "nullexternref", WK_HEAP_EXTERN, true }, { "nullexnref", WK_HEAP_EXN, true },
		{ "nullref", WK_HEAP_ANY, true },
	};
	const char *name = text_of(expected, "type");
	const char *value = text_of(expected, "value");
	if (strcmp(name, "refnull") == 0)
		return slot == 0;
	for (size_t i = 0; i < WK_COUNT(names); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		if (names[i].top != top_of(type))
			return false;
		if (names[i].null || strcmp(value, "null") == 0)
			return slot == 0;
		return value[0] == 0 ? slot != 0 : slot == bits_of(value) + 1;
	}
	return false;
}

bool spec_value_meets(const cJSON *expected, wk_valtype type, const uint64_t *slots)
{
	const char *name = text_of(expected, "type");
	if (strcmp(name, "either") == 0) {
		const cJSON *choice = NULL;
		cJSON_ArrayForEach(choice, cJSON_GetObjectItemCaseSensitive(expected, "values"))
			if (spec_value_meets(choice, type, slots))
				return true;
		return false;
	}
	if (wk_is_ref(type))
		return reference_meets(expected, type, slots[0]);
	if (number_type(name) != type)
		return false;
	return type == WK_TYPE_V128 ? vector_meets(expected, slots)
		: number_meets(text_of(expected, "value"), width_of(name), slots[0]);
}

void spec_value_text(wk_valtype type, const uint64_t *slots, char *text, size_t size)
{
	char name[32];
	wk_type_text(type, name);
	if (type == WK_TYPE_V128)
		snprintf(text, size, "%s 0x%016" PRIx64 "'%016" PRIx64, name, slots[1], slots[0]);
	else if (type == WK_TYPE_I32 || type == WK_TYPE_F32)
		snprintf(text, size, "%s %" PRIu32 " (0x%" PRIx32 ")", name, (uint32_t)slots[0], (uint32_t)slots[0]);
	else
		snprintf(text, size, "%s %" PRIu64 " (0x%" PRIx64 ")", name, slots[0], slots[0]);
}
