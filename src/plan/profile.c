/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles as text: `name = value` lines, each field once, none missing. Files come from anywhere, so every figure is
 * checked here, alone and together with the others, and nobody looks again.
 */
#include <string.h>

#include <wasmkeep/memory.h>

#include "base/report.h"
#include "plan/profiles.h"

#define LARGEST (UINT64_C(1) << 40) /* bytes of anything */

enum form { NAME, BYTES, NUMBER, LIST, LIMITS };

static const struct field {
	const char *name;
	enum form form;
	size_t offset, count; /* of LIST: where the number of items is */
} fields[] = {
	{ "name", NAME, offsetof(struct wk_profile, name), 0 },
	{ "limits", LIMITS, 0, 0 },
	{ "holes", LIST, offsetof(struct wk_profile, holes), offsetof(struct wk_profile, hole_count) },
	{ "page", BYTES, offsetof(struct wk_profile, page), 0 },
	{ "addresses", BYTES, offsetof(struct wk_profile, addresses), 0 },
	{ "page-tables", NUMBER, offsetof(struct wk_profile, page_tables), 0 },
	{ "page-table-covers", BYTES, offsetof(struct wk_profile, page_table_covers), 0 },
	{ "kernel-addresses", BYTES, offsetof(struct wk_profile, kernel_addresses), 0 },
	{ "pad", BYTES, offsetof(struct wk_profile, pad), 0 },
	{ "loader", LIST, offsetof(struct wk_profile, loader), offsetof(struct wk_profile, loader_count) },
	{ "ta-code", BYTES, offsetof(struct wk_profile, ta_code), 0 },
	{ "ta-data", BYTES, offsetof(struct wk_profile, ta_data), 0 },
	{ "ta-data-size", BYTES, offsetof(struct wk_profile, ta_data_size), 0 },
	{ "ta-stack-size", BYTES, offsetof(struct wk_profile, ta_stack_size), 0 },
	{ "stack-extra", BYTES, offsetof(struct wk_profile, stack_extra), 0 },
	{ "ta-native-stack", BYTES, offsetof(struct wk_profile, ta_native_stack), 0 },
	{ "core-heap", BYTES, offsetof(struct wk_profile, core_heap), 0 },
	{ "core-heap-used", BYTES, offsetof(struct wk_profile, core_heap_used), 0 },
	{ "core-heap-ta", BYTES, offsetof(struct wk_profile, core_heap_ta), 0 },
	{ "core-heap-mapping", BYTES, offsetof(struct wk_profile, core_heap_mapping), 0 },
	{ "shared-memory", BYTES, offsetof(struct wk_profile, shared_memory), 0 },
};
_Static_assert(WK_PROFILE_HOLES == WK_PROFILE_LOADER, "lists are read into the same room");

static uint64_t *number_of(struct wk_profile *profile, const struct field *field)
{
	return (uint64_t *)(void *)((uint8_t *)profile + field->offset);
}

static uint32_t *count_of(struct wk_profile *profile, const struct field *field)
{
	return (uint32_t *)(void *)((uint8_t *)profile + field->count);
}

/* ---- reading ---- */

struct parser {
	struct wk_profile profile;
	struct wk_report *report;
	uint32_t line, seen; /* seen: a bit for each field */
	bool unlimited;
};

static enum wk_status fail(const struct parser *p, const char *field, const char *what)
{
	return wk_report_set(p->report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION, "line %u: %s%s%s", p->line,
		field ? field : "", field ? ": " : "", what);
}

static struct wk_span trimmed(struct wk_span text)
{
	while (text.size != 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = wk_span(text.data + 1, text.size - 1);
	while (text.size != 0 && strchr(" \t\r", text.data[text.size - 1]) && text.data[text.size - 1])
		text.size--;
	return text;
}

static struct wk_span cut(struct wk_span *text, char at)
{
	const uint8_t *found = text->size ? memchr(text->data, at, text->size) : NULL;
	size_t length = found ? (size_t)(found - text->data) : text->size;
	struct wk_span head = wk_span(text->data, length);

	*text = found ? wk_span(found + 1, text->size - length - 1) : wk_span(text->data + length, 0);
	return head;
}

/* Digits, then for bytes perhaps K, M or G, perhaps with iB. */
static bool read_number(struct wk_span text, bool bytes, uint64_t *value)
{
	uint64_t sum = 0;
	size_t at = 0;

	for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
		if (sum > LARGEST)
			return false;
		sum = sum * 10 + (uint64_t)(text.data[at] - '0');
	}
	if (at == 0)
		return false;
	if (bytes && at < text.size) {
		unsigned shift = text.data[at] == 'K' ? 10 : text.data[at] == 'M' ? 20 : text.data[at] == 'G' ? 30 : 0;
		if (shift == 0 || sum > LARGEST >> shift)
			return false;
		sum <<= shift;
		at++;
		if (text.size - at == 2 && text.data[at] == 'i' && text.data[at + 1] == 'B')
			at += 2;
	}
	*value = sum;
	return at == text.size && sum <= LARGEST;
}

static enum wk_status read_name(struct parser *p, struct wk_span value)
{
	if (value.size == 0 || value.size >= sizeof p->profile.name)
		return fail(p, "name", "a name has 1 to 47 characters");
	for (size_t i = 0; i < value.size; i++) {
		uint8_t c = value.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return fail(p, "name", "a name is made of letters, digits and - _ .");
	}
	memcpy(p->profile.name, value.data, value.size);
	p->profile.name[value.size] = 0;
	return WK_OK;
}

static enum wk_status read_list(struct parser *p, const struct field *field, struct wk_span value)
{
	uint64_t *items = number_of(&p->profile, field);
	uint32_t count = 0;

	while (value.size != 0) {
		struct wk_span item = trimmed(cut(&value, ','));
		if (count == WK_PROFILE_HOLES)
			return fail(p, field->name, "at most 8 numbers");
		if (!read_number(item, true, &items[count++]))
			return fail(p, field->name, "needs numbers of bytes with commas between them, such as 1187840, 13M");
	}
	if (count == 0)
		return fail(p, field->name, "needs at least one number");
	*count_of(&p->profile, field) = count;
	return WK_OK;
}

static enum wk_status read_value(struct parser *p, const struct field *field, struct wk_span value)
{
	switch (field->form) {
	case NAME:
		return read_name(p, value);
	case LIMITS:
		if (!wk_span_equal(value, wk_span("none", 4)))
			return fail(p, field->name, "only `none` is known: a TEE's limits are given one by one");
		p->unlimited = true;
		return WK_OK;
	case LIST:
		return read_list(p, field, value);
	case NUMBER:
		return read_number(value, false, number_of(&p->profile, field)) ? WK_OK :
			fail(p, field->name, "needs a whole number, not negative");
	default:
		return read_number(value, true, number_of(&p->profile, field)) ? WK_OK :
			fail(p, field->name, "needs a number of bytes up to 1024G, such as 4096, 64K or 13M");
	}
}

static enum wk_status read_line(struct parser *p, struct wk_span line)
{
	struct wk_span rest = line, name, value;

	rest = cut(&rest, '#');
	if (trimmed(rest).size == 0)
		return WK_OK;
	name = trimmed(cut(&rest, '='));
	value = trimmed(rest);
	if (name.size == 0 || rest.size == 0)
		return fail(p, NULL, "a line is `name = value`, or a comment that starts with #");
	for (size_t i = 0; i < WK_COUNT(fields); i++) {
		if (!wk_span_equal(name, wk_span_of_text(fields[i].name)))
			continue;
		if (p->seen >> i & 1)
			return fail(p, fields[i].name, "given twice");
		p->seen |= UINT32_C(1) << i;
		return read_value(p, &fields[i], value);
	}
	return wk_report_set(p->report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION, "line %u: unknown field \"%S\"", p->line, &name);
}

static enum wk_status check_complete(const struct parser *p)
{
	for (size_t i = 0; i < WK_COUNT(fields); i++) {
		bool there = p->seen >> i & 1, wanted = fields[i].form == NAME || (!p->unlimited && fields[i].form != LIMITS);

		if (!there && wanted)
			return wk_report_set(p->report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION, "the profile has no line `%s = ...`",
				fields[i].name);
		if (there && !wanted && fields[i].form != LIMITS)
			return wk_report_set(p->report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION,
				"%s: a profile with `limits = none` has no limits", fields[i].name);
	}
	return WK_OK;
}

enum wk_status wk_profile_parse(const char *text, size_t size, struct wk_profile *profile, struct wk_report *report)
{
	struct parser p = { .report = report };
	struct wk_span rest = wk_span(text, size);
	enum wk_status status = WK_OK;

	while (rest.size != 0 && status == WK_OK) {
		p.line++;
		status = read_line(&p, cut(&rest, '\n'));
	}
	if (status == WK_OK)
		status = check_complete(&p);
	if (status == WK_OK)
		status = wk_profile_check(&p.profile, report);
	if (status == WK_OK)
		*profile = p.profile;
	return status;
}

/* ---- checking ---- */

static enum wk_status wrong(struct wk_report *report, const char *field, const char *what)
{
	return wk_report_set(report, WK_INVALID, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", field, what);
}

static bool is_power(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

static enum wk_status check_addresses(const struct wk_profile *p, struct wk_report *report)
{
	if (!is_power(p->page) || p->page < 4096 || p->page > 65536)
		return wrong(report, "page", "it is 4096, 8192, 16384, 32768 or 65536");
	if (!is_power(p->page_table_covers) || p->page_table_covers < p->page)
		return wrong(report, "page-table-covers", "it is a power of two, and at least a page");
	if (p->page_tables == 0 || p->page_tables > 1u << 20)
		return wrong(report, "page-tables", "there is at least one, and at most 1048576");
	if (p->addresses % p->page_table_covers != 0 || p->addresses / p->page_table_covers == 0)
		return wrong(report, "addresses", "they are a multiple of page-table-covers");
	if (p->addresses / p->page_table_covers > 65536)
		return wrong(report, "addresses", "more than 65536 page tables' worth are not simulated");
	if (p->kernel_addresses % p->page != 0)
		return wrong(report, "kernel-addresses", "it is a multiple of page");
	if (p->pad % p->page != 0)
		return wrong(report, "pad", "it is a multiple of page");
	return WK_OK;
}

static enum wk_status check_list(const uint64_t *items, uint32_t count, uint64_t page, const char *field,
	struct wk_report *report)
{
	for (uint32_t i = 0; i < count; i++)
		if (items[i] == 0 || items[i] % page != 0)
			return wrong(report, field, "each number is a multiple of page, and not 0");
	return WK_OK;
}

enum wk_status wk_profile_check(const struct wk_profile *p, struct wk_report *report)
{
	enum wk_status status;

	if (p->hole_count == 0)
		return WK_OK;
	status = check_addresses(p, report);
	if (status == WK_OK)
		status = check_list(p->holes, p->hole_count, p->page, "holes", report);
	if (status == WK_OK)
		status = check_list(p->loader, p->loader_count, p->page, "loader", report);
	if (status != WK_OK)
		return status;
	if (p->ta_code == 0)
		return wrong(report, "ta-code", "a Trusted Application has code");
	if (p->ta_stack_size == 0)
		return wrong(report, "ta-stack-size", "a Trusted Application has a stack");
	if (p->ta_native_stack % p->page != 0)
		return wrong(report, "ta-native-stack", "it is a multiple of page; 0: there is none");
	if (p->core_heap_mapping == 0)
		return wrong(report, "core-heap-mapping", "a mapping takes something");
	if (p->core_heap_used > p->core_heap || p->core_heap_ta > p->core_heap - p->core_heap_used)
		return wrong(report, "core-heap", "it is smaller than what core-heap-used and core-heap-ta take of it");
	if ((p->core_heap - p->core_heap_used - p->core_heap_ta) / p->core_heap_mapping > 10000)
		return wrong(report, "core-heap-mapping", "more than 10000 mappings are not simulated");
	return WK_OK;
}

/* ---- writing ---- */

struct out {
	char *buffer;
	size_t size, length;
};

static void put(struct out *out, const char *format, ...)
{
	bool room = out->length < out->size;
	va_list arguments;

	va_start(arguments, format);
	out->length += wk_format_va(room ? out->buffer + out->length : NULL, room ? out->size - out->length : 0, format, arguments);
	va_end(arguments);
}

static void put_list(struct out *out, const char *name, const uint64_t *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		put(out, "%s%s%llu", i ? ", " : name, i ? "" : " = ", (unsigned long long)items[i]);
	put(out, "\n");
}

size_t wk_profile_write(const struct wk_profile *profile, char *buffer, size_t size)
{
	struct wk_profile copy = *profile;
	struct out out = { buffer, size, 0 };

	put(&out, "name = %s\n", profile->name);
	if (profile->hole_count == 0)
		put(&out, "limits = none\n");
	for (size_t i = 0; profile->hole_count != 0 && i < WK_COUNT(fields); i++) {
		const struct field *field = &fields[i];

		if (field->form == LIST)
			put_list(&out, field->name, number_of(&copy, field), *count_of(&copy, field));
		else if (field->form == BYTES || field->form == NUMBER)
			put(&out, "%s = %llu\n", field->name, (unsigned long long)*number_of(&copy, field));
	}
	return out.length;
}

/* ---- those that come with Wasmkeep ---- */

const char *wk_profile_builtin_name(unsigned index)
{
	return index < WK_COUNT(wk_profiles) ? wk_profiles[index].name : NULL;
}

const char *wk_profile_builtin(const char *name)
{
	for (size_t i = 0; i < WK_COUNT(wk_profiles); i++)
		if (strcmp(wk_profiles[i].name, name) == 0)
			return wk_profiles[i].text;
	return NULL;
}
