/* SPDX-License-Identifier: Apache-2.0
 *
 * test.h: all that a test program needs.
 *
 *	TEST(adding)                      a case
 *	{
 *		CHECK(1 + 1 == 2);            goes on after a failure
 *		CHECK_EQUAL(sum, 2);          integers; says what it got
 *		CHECK_TEXT(name, "x");
 *		REQUIRE(p != NULL);           ends the case
 *		SKIP("no /dev/random");       ends the case
 *	}
 *	int main(void)
 *	{
 *		RUN(adding);
 *		return test_end();
 *	}
 *
 * One program is one file, so what is static here is the program's. Threads of a case may CHECK.
 */
#ifndef WK_TESTS_UNIT_TEST_H
#define WK_TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned passed, failed, skipped;
	unsigned faults;     /* of the running case */
	const char *skip;
} test_state;

#define TEST(name) static void test_##name(void)
#define RUN(name) test_run(#name, test_##name)

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(got, wanted) \
	test_check_equal((long long)(got), (long long)(wanted), __FILE__, __LINE__, #got " == " #wanted)
#define CHECK_TEXT(got, wanted) test_check_text((got), (wanted), __FILE__, __LINE__, #got)
#define REQUIRE(condition) \
	do { \
		if (!test_check((condition), __FILE__, __LINE__, #condition)) \
			return; \
	} while (0)
#define SKIP(why) \
	do { \
		test_state.skip = (why); \
		return; \
	} while (0)

static inline bool test_check(bool condition, const char *file, int line, const char *text)
{
	if (!condition) {
		printf("# %s:%d: %s\n", file, line, text);
		__atomic_fetch_add(&test_state.faults, 1, __ATOMIC_RELAXED);
	}
	return condition;
}

static inline bool test_check_equal(long long got, long long wanted, const char *file, int line, const char *text)
{
	if (got != wanted)
		printf("# got %lld (0x%llx), wanted %lld (0x%llx)\n", got, got, wanted, wanted);
	return test_check(got == wanted, file, line, text);
}

static inline bool test_check_text(const char *got, const char *wanted, const char *file, int line, const char *text)
{
	bool equal = strcmp(got, wanted) == 0;

	if (!equal)
		printf("# got \"%s\"\n# wanted \"%s\"\n", got, wanted);
	return test_check(equal, file, line, text);
}

static inline void test_run(const char *name, void (*function)(void))
{
	test_state.faults = 0;
	test_state.skip = NULL;
	function();
	if (test_state.faults != 0) {
		test_state.failed++;
		printf("not ok - %s\n", name);
	} else if (test_state.skip) {
		test_state.skipped++;
		printf("skip - %s: %s\n", name, test_state.skip);
	} else {
		test_state.passed++;
		printf("ok - %s\n", name);
	}
	fflush(stdout);
}

static inline int test_end(void)
{
	printf("%u passed, %u failed, %u skipped\n", test_state.passed, test_state.failed, test_state.skipped);
	return test_state.failed != 0;
}

#endif
