/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated TEE against the real one: what a small Trusted Application could map on the emulated board (OP-TEE 4.5)
 * with several sizes of its heap and stack, in pieces of several sizes, to the byte. See docs/profiles.md.
 */
#include "unit/test.h"

#include "memory/space.h"
#include "port/port.h"

#include <wasmkeep/memory.h>

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * 1024)

/* That Trusted Application had 26 pages of code, 27 on the variant 128m, and 12 of data beside the heap. Its pad was 0:
 * what is mapped began at a block, so this makes no difference but to what lies before. */
static bool open_profile(const char *name, uint64_t code, uint64_t data_size, uint64_t stack_size,
	struct wk_provider **tee)
{
	const char *text = wk_profile_builtin(name);
	struct wk_profile profile;
	struct wk_report report;

	wk_report_clear(&report);
	if (!CHECK_EQUAL(wk_profile_parse(text, strlen(text), &profile, &report), WK_OK))
		return false;
	profile.ta_code = code * 4096;
	profile.ta_data = 12 * 4096;
	profile.ta_data_size = data_size;
	profile.ta_stack_size = stack_size;
	profile.ta_native_stack = 0;
	profile.pad = 0;
	profile.core_heap_ta = 3872;
	return wk_simulated_new(&profile, &report, tee) == WK_OK;
}

static bool open_tee(uint64_t data_size, uint64_t stack_size, struct wk_provider **tee)
{
	return open_profile("optee-qemu-armv8a", 26, data_size, stack_size, tee);
}

static bool map(struct wk_provider *tee, uint8_t *at, uint64_t size, enum wk_limit_kind *why)
{
	*why = tee->ops->map(tee, at, (size_t)size, WK_MAP_SPARSE, "test");
	return *why == WK_LIMIT_NONE;
}

/* Maps pieces one behind the other, halving a refused one down to `least`; how many bytes. */
static uint64_t fill(struct wk_provider *tee, uint8_t *at, uint64_t size, uint64_t least, unsigned *pieces,
	enum wk_limit_kind *why)
{
	uint64_t sum = 0;

	for (*pieces = 0; size >= least;) {
		if (map(tee, at + sum, size, why)) {
			sum += size;
			++*pieces;
		} else {
			size /= 2;
		}
	}
	return sum;
}

/* The largest single piece. */
static uint64_t largest(struct wk_provider *tee, uint8_t *at)
{
	enum wk_limit_kind why;
	uint64_t low = 0, high = 40000;

	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;
		if (map(tee, at, middle * 4096, &why)) {
			tee->ops->unmap(tee, at, middle * 4096);
			low = middle;
		} else {
			high = middle;
		}
	}
	return low * 4096;
}

struct measured {
	uint64_t data_size, stack_size; /* KiB; 2: one page */
	uint64_t at;                    /* MiB, from the beginning of the addresses */
	uint64_t piece, least;          /* KiB; piece 0: the largest one */
	uint64_t bytes;
	unsigned pieces;
	enum wk_limit_kind why;
};

static const struct measured table[] = {
	{ 32, 2, 2, 0, 0, 13631488, 1, WK_LIMIT_NONE },
	{ 32, 2, 2, 64, 64, 14548992, 222, WK_LIMIT_RAM },
	{ 32, 2, 2, 256, 256, 14417920, 55, WK_LIMIT_RAM },
	{ 32, 2, 2, 1024, 4, 14553088, 17, WK_LIMIT_RAM },
	{ 32, 2, 3, 1024, 4, 13631488, 13, WK_LIMIT_PAGE_TABLES },
	{ 32, 2, 2, 16, 16, 11370496, 694, WK_LIMIT_MAPPINGS },
	{ 32, 2, 2, 4, 4, 2842624, 694, WK_LIMIT_MAPPINGS },
	{ 32, 64, 2, 64, 64, 14483456, 221, WK_LIMIT_RAM },
	{ 32, 200, 2, 1024, 4, 14348288, 19, WK_LIMIT_RAM },
	{ 32, 1024, 2, 0, 0, 12578816, 1, WK_LIMIT_NONE },
	{ 1024, 2, 4, 0, 0, 12533760, 1, WK_LIMIT_NONE },
	{ 1024, 2, 4, 64, 64, 13500416, 206, WK_LIMIT_RAM },
	{ 1024, 2, 4, 1024, 4, 13537280, 22, WK_LIMIT_RAM },
	{ 2048, 64, 4, 0, 0, 11485184, 1, WK_LIMIT_NONE },
	{ 2048, 64, 4, 128, 128, 12320768, 94, WK_LIMIT_RAM },
	{ 4096, 2, 6, 0, 0, 9388032, 1, WK_LIMIT_NONE },
	{ 4096, 2, 6, 256, 256, 9961472, 38, WK_LIMIT_CONTIGUITY },
	{ 4096, 2, 6, 1024, 4, 10391552, 19, WK_LIMIT_RAM },
	{ 8192, 2, 10, 0, 0, 5193728, 1, WK_LIMIT_NONE },
	{ 8192, 2, 10, 1024, 4, 6197248, 15, WK_LIMIT_RAM },
	{ 12288, 2, 14, 0, 0, 1003520, 1, WK_LIMIT_NONE },
	{ 12288, 2, 14, 64, 64, 1966080, 30, WK_LIMIT_RAM },
	{ 12288, 2, 14, 1024, 4, 2002944, 11, WK_LIMIT_RAM },
	{ 13200, 2, 14, 0, 0, 1003520, 1, WK_LIMIT_NONE },
	{ 13200, 2, 14, 1024, 4, 1069056, 7, WK_LIMIT_RAM },
};

/* The same on the variant of the board with 128 MiB of RAM, OP-TEE 4.10. */
static const struct measured table_128m[] = {
	{ 32, 2, 2, 0, 0, 132120576, 1, WK_LIMIT_NONE },
	{ 32, 2, 2, 1024, 4, 132231168, 130, WK_LIMIT_RAM },
	{ 32, 2, 2, 64, 64, 132186112, 2017, WK_LIMIT_RAM },
	{ 32, 2, 2, 16, 16, 40714240, 2485, WK_LIMIT_MAPPINGS },
	{ 32, 2, 2, 4, 4, 10178560, 2485, WK_LIMIT_MAPPINGS },
	{ 32, 64, 2, 1024, 4, 132165632, 129, WK_LIMIT_RAM },
	{ 32, 1024, 2, 0, 0, 131067904, 1, WK_LIMIT_NONE },
	{ 32, 1024, 2, 256, 256, 130809856, 499, WK_LIMIT_CONTIGUITY },
	{ 1024, 2, 4, 0, 0, 131022848, 1, WK_LIMIT_NONE },
	{ 1024, 2, 4, 1024, 4, 131215360, 134, WK_LIMIT_RAM },
	{ 4096, 2, 6, 0, 0, 127877120, 1, WK_LIMIT_NONE },
	{ 4096, 2, 6, 1024, 4, 128069632, 131, WK_LIMIT_RAM },
	{ 102400, 2, 104, 0, 0, 27213824, 1, WK_LIMIT_NONE },
};

#define RANGE ((size_t)256 << 20)

/* Addresses of the simulated TEE from its first byte on: the first range begins behind the TA's own parts, whose place is
 * known from their sizes, and the gap for memory that is passed. */
static uint8_t *first_address(struct wk_provider *tee, const struct measured *m, uint64_t code, void **range)
{
	uint64_t stack = m->stack_size == 2 ? 1 : (m->stack_size * KIB + 2048 + 4095) / 4096;
	uint64_t ta = 3 + 1 + 18 + code + (12 + m->data_size / 4) + stack;

	*range = tee->ops->reserve(tee, RANGE);
	return *range ? (uint8_t *)*range - WK_SPACE_PASSED - ta * 4096 : NULL;
}

static void compare(const char *profile, uint64_t code, const struct measured *m)
{
	struct wk_provider *tee = NULL;
	enum wk_limit_kind why = WK_LIMIT_NONE;
	unsigned pieces = 1;
	void *range = NULL;

	/* One page of stack is 2048 bytes of it and 2048 that are added. */
	REQUIRE(open_profile(profile, code, m->data_size * KIB, m->stack_size == 2 ? 2048 : m->stack_size * KIB, &tee));
	uint8_t *base = first_address(tee, m, code, &range);
	REQUIRE(base != NULL);
	uint64_t got = m->piece == 0 ? largest(tee, base + m->at * MIB) :
		fill(tee, base + m->at * MIB, m->piece * KIB, m->least * KIB, &pieces, &why);
	if (!CHECK_EQUAL(got, m->bytes) || !CHECK_EQUAL(pieces, m->pieces) || (m->piece != 0 && !CHECK_EQUAL(why, m->why)))
		printf("# %s: TA_DATA_SIZE %llu KiB, pieces of %llu KiB at %llu MiB\n", profile,
			(unsigned long long)m->data_size, (unsigned long long)m->piece, (unsigned long long)m->at);
	tee->ops->release(tee, range, RANGE);
	wk_simulated_delete(tee);
}

TEST(as_measured)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		compare("optee-qemu-armv8a", 26, &table[i]);
}

TEST(as_measured_128m)
{
	for (size_t i = 0; i < sizeof table_128m / sizeof *table_128m; i++)
		compare("optee-qemu-armv8a-128m", 27, &table_128m[i]);
}

/* Every second piece unmapped: their places are used again, and nothing larger fits between them. */
TEST(holes)
{
	const struct measured m = { .data_size = 32, .stack_size = 2 };
	struct wk_provider *tee = NULL;
	struct wk_simulated_use use;
	enum wk_limit_kind why;
	void *range = NULL;

	REQUIRE(open_tee(32 * KIB, 2048, &tee));
	uint8_t *at = first_address(tee, &m, 26, &range) + 2 * MIB;
	for (unsigned i = 0; i < 50; i++)
		CHECK(map(tee, at + i * 64 * KIB, 64 * KIB, &why));
	for (unsigned i = 1; i < 50; i += 2)
		tee->ops->unmap(tee, at + i * 64 * KIB, 64 * KIB);
	wk_simulated_use(tee, &use);
	CHECK(use.mappings == 25 && use.mappings_peak == 50 && use.page_tables == 3 && use.ram_limit == 14819328);
	CHECK_EQUAL(largest(tee, at + 6 * MIB), 10485760);
	CHECK(map(tee, at + 64 * KIB, 64 * KIB, &why));
	at[64 * KIB] = 1;
	tee->ops->unmap(tee, at, 50 * 64 * KIB);
	CHECK(map(tee, at, 50 * 64 * KIB, &why) && at[64 * KIB] == 0);
	tee->ops->release(tee, range, RANGE);
	wk_simulated_use(tee, &use);
	CHECK(use.mappings == 0 && use.page_tables == 1);
	wk_simulated_delete(tee);
}

TEST(page_tables)
{
	const struct measured m = { .data_size = 32, .stack_size = 2 };
	struct wk_provider *tee = NULL;
	enum wk_limit_kind why = WK_LIMIT_NONE;
	uint64_t used = 0, value = 0;
	void *range = NULL;
	unsigned count = 0;

	REQUIRE(open_tee(32 * KIB, 2048, &tee));
	uint8_t *base = first_address(tee, &m, 26, &range);
	while (map(tee, base + (count + 1) * 2 * MIB, 4096, &why))
		count++;
	CHECK(count == 7 && why == WK_LIMIT_PAGE_TABLES);
	tee->ops->describe(tee, why, &used, &value);
	CHECK(used == 8 && value == 8);
	tee->ops->release(tee, range, RANGE);
	wk_simulated_delete(tee);
}

TEST(too_large_to_load)
{
	struct wk_provider *tee = NULL;

	CHECK(open_tee(13264 * KIB, 2048, &tee));
	wk_simulated_delete(tee);
	tee = NULL;
	CHECK(!open_tee(13268 * KIB, 2048, &tee) && tee == NULL);
	CHECK(!open_tee(UINT64_C(1) << 40, 2048, &tee) && tee == NULL);
	CHECK(!open_tee(32 * KIB, UINT64_C(1) << 40, &tee) && tee == NULL);
}

TEST(space)
{
	struct wk_space space;
	uint64_t a = 0, b = 0, c = 0, d = 0;

	wk_space_init(&space, 100, 200);
	CHECK(wk_space_take(&space, 30, &a) && a == 100);
	CHECK(wk_space_take(&space, 30, &b) && b == 130);
	CHECK(wk_space_take(&space, 40, &c) && c == 160);
	CHECK(!wk_space_take(&space, 1, &d) && !wk_space_take(&space, 0, &d) && !wk_space_take(&space, UINT64_MAX, &d));
	wk_space_give(&space, b);
	wk_space_give(&space, 555); /* none of ours: nothing happens */
	CHECK(!wk_space_take(&space, 31, &d) && wk_space_take(&space, 10, &d) && d == 130);
	CHECK(wk_space_take(&space, 20, &b) && b == 140);
	wk_space_give(&space, a);
	wk_space_give(&space, d);
	CHECK(wk_space_take(&space, 40, &a) && a == 100);
	for (unsigned i = 0; i < WK_SPACE_RANGES + 5; i++)
		if (!wk_space_take(&space, 1, &d))
			break;
	CHECK(space.count <= WK_SPACE_RANGES);
}

int main(void)
{
	RUN(as_measured);
	RUN(as_measured_128m);
	RUN(holes);
	RUN(page_tables);
	RUN(too_large_to_load);
	RUN(space);
	return test_end();
}
