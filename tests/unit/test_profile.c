/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/plan/profile.c: what a profile's text may say, and what is said of one that is wrong. */
#include "unit/test.h"

#include <stdlib.h>
#include <wasmkeep/memory.h>

static enum wk_status parse(const char *text, struct wk_profile *profile, struct wk_report *report)
{
	wk_report_clear(report);
	return wk_profile_parse(text, strlen(text), profile, report);
}

TEST(builtins)
{
	struct wk_report report;
	unsigned count = 0;

	for (; wk_profile_builtin_name(count); count++) {
		struct wk_profile profile, again;
		char text[4096];
		const char *name = wk_profile_builtin_name(count);

		if (!CHECK_EQUAL(parse(wk_profile_builtin(name), &profile, &report), WK_OK))
			printf("# %s: %s\n", name, report.text);
		CHECK_TEXT(profile.name, name);
		/* Written and read again it is the same. */
		size_t length = wk_profile_write(&profile, text, sizeof text);
		REQUIRE(length < sizeof text);
		memset(&again, 0, sizeof again);
		if (!CHECK_EQUAL(parse(text, &again, &report), WK_OK))
			printf("# %s\n", report.text);
		char second[4096];
		wk_profile_write(&again, second, sizeof second);
		CHECK_TEXT(second, text);
		/* Cut short it is cut, and ends with NUL. */
		for (size_t size = 0; size <= length; size += 7) {
			memset(second, 'x', sizeof second);
			CHECK_EQUAL(wk_profile_write(&profile, second, size), length);
			CHECK(size == 0 ? second[0] == 'x' : strlen(second) == size - 1 && second[size] == 'x');
		}
	}
	CHECK(count >= 2 && wk_profile_builtin("no such") == NULL);
}

/* The board's profile with one line replaced by another, or left out. */
static char *changed(const char *field, const char *line)
{
	const char *text = wk_profile_builtin("optee-qemu-armv8a");
	char *made = calloc(strlen(text) + strlen(line) + 2, 1);
	size_t length = strlen(field);

	while (*text) {
		const char *end = strchr(text, '\n') + 1;
		bool this = strncmp(text, field, length) == 0 && text[length] == ' ';
		if (this && *line)
			strcat(strcat(made, line), "\n");
		else if (!this)
			strncat(made, text, (size_t)(end - text));
		text = end;
	}
	return made;
}

static const struct wrong { const char *field, *line, *says; } wrongs[] = {
	{ "holes", "", "the profile has no line `holes = ...`" },
	{ "name", "", "the profile has no line `name = ...`" },
	{ "shared-memory", "", "no line `shared-memory" },
	{ "page", "page = -4096", "line 7: page: needs a number of bytes" },
	{ "page", "page = 4095", "page: it is 4096" },
	{ "page", "page =", "line 7: a line is `name = value`" },
	{ "page", "page = 4K K", "line 7: page: needs a number of bytes" },
	{ "page", "page = 18446744073709551616", "line 7: page: needs a number of bytes" },
	{ "page", "page = 99999999999999999999999999999G", "line 7: page: needs a number of bytes" },
	{ "page", "page = 4096\npage = 4096", "line 8: page: given twice" },
	{ "page", "pages = 4096", "line 7: unknown field \"pages\"" },
	{ "page", "\x1b[2J = 1", "line 7: unknown field \"?[2J\"" },
	{ "page", "nothing", "line 7: a line is `name = value`" },
	{ "page", "limits = some", "line 7: limits: only `none` is known" },
	{ "holes", "holes = 1, 2,, 3", "line 6: holes: needs numbers of bytes" },
	{ "holes", "holes = 1,2,3,4,5,6,7,8,9", "line 6: holes: at most 8 numbers" },
	{ "holes", "holes = 4097", "holes: each number is a multiple of page" },
	{ "holes", "holes = 0", "holes: each number is a multiple of page" },
	{ "page-tables", "page-tables = 0", "page-tables: there is at least one" },
	{ "page-tables", "page-tables = 8K", "page-tables: needs a whole number" },
	{ "page-table-covers", "page-table-covers = 3M", "page-table-covers: it is a power of two" },
	{ "page-table-covers", "page-table-covers = 4K", "addresses: more than 65536 page tables" },
	{ "addresses", "addresses = 3K", "addresses: they are a multiple of page-table-covers" },
	{ "addresses", "addresses = 0", "addresses: they are a multiple of page-table-covers" },
	{ "core-heap", "core-heap = 10", "core-heap: it is smaller" },
	{ "core-heap-mapping", "core-heap-mapping = 0", "core-heap-mapping: a mapping takes something" },
	{ "core-heap-mapping", "core-heap-mapping = 1", "core-heap-mapping: more than" },
	{ "ta-code", "ta-code = 0", "ta-code: a Trusted Application has code" },
	{ "ta-stack-size", "ta-stack-size = 0", "ta-stack-size: a Trusted Application has a stack" },
	{ "ta-native-stack", "", "no line `ta-native-stack" },
	{ "ta-native-stack", "ta-native-stack = 5000", "ta-native-stack: it is a multiple of page" },
	{ "name", "name = a b", "line 3: name: a name is made of" },
	{ "name", "name = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "line 3: name: a name has 1 to 47" },
};

TEST(wrong_profiles)
{
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		struct wk_profile profile;
		struct wk_report report;
		char *text = changed(wrongs[i].field, wrongs[i].line);
		enum wk_status status = parse(text, &profile, &report);

		if (!CHECK(status == WK_MALFORMED || status == WK_INVALID) || !CHECK(strstr(report.text, wrongs[i].says) != NULL))
			printf("# %s: \"%s\" instead of \"%s\"\n", wrongs[i].line, report.text, wrongs[i].says);
		free(text);
	}
}

TEST(forms)
{
	struct wk_profile profile;
	struct wk_report report;

	CHECK_EQUAL(parse("limits = none\r\n\tname\t=\tx # a comment\n\n# another\n", &profile, &report), WK_OK);
	CHECK_TEXT(profile.name, "x");
	CHECK(profile.hole_count == 0 && wk_profile_free(&profile) == 0);
	CHECK_EQUAL(parse("name = x\nlimits = none\npage = 4096", &profile, &report), WK_MALFORMED);
	CHECK_EQUAL(wk_profile_parse(NULL, 0, &profile, &report), WK_MALFORMED);
	CHECK_EQUAL(wk_profile_parse("name = x", 8, &profile, NULL), WK_MALFORMED);
	char *text = changed("page-table-covers", "page-table-covers = 2MiB");
	CHECK_EQUAL(parse(text, &profile, &report), WK_OK);
	CHECK_EQUAL(profile.page_table_covers, 2 << 20);
	free(text);
}

int main(void)
{
	RUN(builtins);
	RUN(wrong_profiles);
	RUN(forms);
	return test_end();
}
