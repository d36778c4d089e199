/* SPDX-License-Identifier: Apache-2.0
 * Tests of src/memory/linear.c: growing in place over Linux's pages, over a provider that fails, and over one that is as
 * tight as a TEE. */
#include "unit/test.h"

#include "unit/faults.h"

#include "memory/linear.h"
#include "port/fault/fault.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define PAGE UINT64_C(65536)

static bool all_zero(const void *block, size_t size)
{
	const uint8_t *bytes = block;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* ---- linear memory ---- */

TEST(linear_grows_in_place)
{
	struct wk_budget root;
	struct wk_linear linear;
	struct wk_pager pager;
	uint64_t page = 65536;

	wk_pager_init(&pager, wk_port_provider());
	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &test_malloc);
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, page, 4 * GIB, NULL) == WK_OK);
	uint8_t *base = linear.base;
	CHECK(base && linear.size == page && linear.committed == page && root.used == page);
	CHECK_EQUAL(linear.reserved, 4 * GIB);
	CHECK(all_zero(base, page));
	base[page - 1] = 1;
	CHECK(wk_linear_grow(&linear, 10 * page, WK_GROWTH_AHEAD));
	CHECK(linear.base == base && base[page - 1] == 1 && all_zero(base + page, 9 * page) && root.used == 10 * page);
	CHECK(wk_linear_grow(&linear, 10 * page, WK_GROWTH_AHEAD));
	CHECK(!wk_linear_grow(&linear, 10 * page - 1, WK_GROWTH_AHEAD)); /* never shrinks */
	CHECK(!wk_linear_grow(&linear, 4 * GIB + 1, WK_GROWTH_AHEAD));
	CHECK(!wk_linear_grow(&linear, UINT64_MAX, WK_GROWTH_AHEAD));
	CHECK(linear.size == 10 * page && root.used == 10 * page);
	wk_linear_end(&linear);
	CHECK(linear.base == NULL && root.used == 0);
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

TEST(linear_small_sizes)
{
	struct wk_budget root;
	struct wk_linear linear;
	struct wk_pager pager;
	uint64_t granule = wk_port_provider()->granule;

	wk_pager_init(&pager, wk_port_provider());
	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &test_malloc);

	/* No memory at all. */
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, 0, 0, NULL) == WK_OK);
	CHECK(linear.base == NULL && linear.size == 0);
	CHECK(wk_linear_grow(&linear, 0, WK_GROWTH_AHEAD) && !wk_linear_grow(&linear, 1, WK_GROWTH_AHEAD));
	wk_linear_end(&linear);

	/* Empty at first. */
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, 0, 10 * granule, NULL) == WK_OK);
	CHECK(linear.base != NULL && linear.committed == 0 && root.used == 0);
	CHECK(wk_linear_grow(&linear, 1, WK_GROWTH_AHEAD) && linear.committed == granule && linear.base[0] == 0);
	wk_linear_end(&linear);

	/* Pages of one byte (custom-page-sizes): growth within a granule costs nothing. */
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, 1, granule + 1, NULL) == WK_OK);
	CHECK(linear.size == 1 && root.used == granule && linear.reserved == 2 * granule);
	CHECK(wk_linear_grow(&linear, granule, WK_GROWTH_AHEAD) && root.used == granule);
	CHECK(wk_linear_grow(&linear, granule + 1, WK_GROWTH_AHEAD) && root.used == 2 * granule);
	CHECK_EQUAL(linear.size, granule + 1);
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

TEST(linear_limits)
{
	struct wk_budget root, pages;
	struct wk_linear linear = { 0 };
	struct wk_pager pager;
	struct wk_report report;

	wk_pager_init(&pager, wk_port_provider());
	wk_budget_init(&root, NULL, "the keep", MIB, &test_malloc);
	wk_budget_init(&pages, &root, "the memories", WK_UNLIMITED, NULL);

	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &pager, &pages, WK_MAP_SPARSE, 2 * MIB, 4 * GIB, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: the keep has 0 of 1048576 bytes, 2097152 more were asked");
	CHECK(linear.base == NULL && root.used == 0);

	REQUIRE(wk_linear_init(&linear, &pager, &pages, WK_MAP_SPARSE, MIB / 2, 4 * GIB, NULL) == WK_OK);
	CHECK_EQUAL(linear.reserved, MIB); /* more could never be committed */
	CHECK(wk_linear_grow(&linear, MIB, WK_GROWTH_AHEAD));
	CHECK(!wk_linear_grow(&linear, MIB + 1, WK_GROWTH_AHEAD));
	wk_linear_end(&linear);

	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &pager, &pages, WK_MAP_SPARSE, UINT64_MAX, UINT64_MAX, &report), WK_NO_MEMORY);
	CHECK(report.text[0] != 0);
	wk_budget_end(&pages);
	wk_budget_end(&root);
}

/* What Linux says of this process's memory, in bytes; 0 when it does not. */
static uint64_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long long whole = 0, now = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &whole, &now) != 2)
		now = 0;
	fclose(file);
	return now * wk_port_provider()->granule;
}

TEST(linear_untouched_memory_is_free)
{
	struct wk_budget root;
	struct wk_linear linear;
	struct wk_pager pager;
	uint64_t before = resident();

	if (before == 0)
		SKIP("no /proc/self/statm");
	wk_pager_init(&pager, wk_port_provider());
	wk_budget_init(&root, NULL, "root", WK_UNLIMITED, &test_malloc);
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, 4 * GIB, 4 * GIB, NULL) == WK_OK);
	CHECK(root.used == 4 * GIB);
	linear.base[0] = 1;
	linear.base[4 * GIB - 1] = 1;
	CHECK(resident() < before + 64 * MIB);
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

/* ---- a provider that fails ---- */

struct faulty {
	struct wk_fault fault;
	struct wk_pager pager;
	struct wk_budget root;
};

static void begin_faulty(struct faulty *f, uint64_t fail_at, bool keep_failing)
{
	wk_fault_init(&f->fault, NULL);
	wk_fault_plan(&f->fault, fail_at, keep_failing);
	wk_pager_init(&f->pager, &f->fault.provider);
	wk_budget_init(&f->root, NULL, "the memories", WK_UNLIMITED, &test_malloc);
	f->root.pager = &f->pager;
}

static void end_faulty(struct faulty *f)
{
	CHECK(f->fault.reserved_bytes == 0 && f->root.used == 0 && f->pager.mappings == 0);
	wk_budget_end(&f->root);
}

TEST(fewer_addresses)
{
	struct faulty f;
	struct wk_linear linear;

	/* The whole maximum is refused, half of it is not. */
	begin_faulty(&f, 1, false);
	REQUIRE(wk_linear_init(&linear, &f.pager, &f.root, WK_MAP_SPARSE, PAGE, 8 * PAGE, NULL) == WK_OK);
	CHECK_EQUAL(linear.reserved, 4 * PAGE);
	CHECK(wk_linear_grow(&linear, 4 * PAGE, WK_GROWTH_AHEAD) && !wk_linear_grow(&linear, 5 * PAGE, WK_GROWTH_AHEAD));
	CHECK(f.pager.refusal.limit == WK_LIMIT_ADDRESSES);
	wk_linear_end(&linear);
	end_faulty(&f);
}

TEST(no_addresses)
{
	struct faulty f;
	struct wk_linear linear = { 0 };
	struct wk_report report;

	begin_faulty(&f, 1, true);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &f.pager, &f.root, WK_MAP_SPARSE, 3 * PAGE, 8 * PAGE, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: no room for 196608 bytes of addresses for the memories");
	CHECK(report.refusal.limit == WK_LIMIT_ADDRESSES && f.pager.refusals == 1);
	/* An empty memory does not need any; it just cannot grow. */
	REQUIRE(wk_linear_init(&linear, &f.pager, &f.root, WK_MAP_SPARSE, 0, 8 * PAGE, NULL) == WK_OK);
	CHECK(linear.base == NULL && !wk_linear_grow(&linear, PAGE, WK_GROWTH_AHEAD));
	wk_linear_end(&linear);
	end_faulty(&f);
}

TEST(no_pages)
{
	struct faulty f;
	struct wk_linear linear = { 0 };
	struct wk_report report;

	begin_faulty(&f, 2, true);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_linear_init(&linear, &f.pager, &f.root, WK_MAP_SPARSE, PAGE, 8 * PAGE, &report), WK_NO_MEMORY);
	CHECK_TEXT(report.text, "out of memory: the machine refused 65536 bytes for the memories");
	CHECK(report.refusal.limit == WK_LIMIT_MACHINE && report.refusal.asked == PAGE);
	CHECK(linear.base == NULL && f.fault.reserved_bytes == 0 && f.root.used == 0);

	wk_fault_plan(&f.fault, 3, true);
	REQUIRE(wk_linear_init(&linear, &f.pager, &f.root, WK_MAP_SPARSE, PAGE, 8 * PAGE, NULL) == WK_OK);
	CHECK(!wk_linear_grow(&linear, 2 * PAGE, WK_GROWTH_AHEAD));
	CHECK(linear.size == PAGE && f.root.used == PAGE);
	wk_fault_plan(&f.fault, 0, false);
	CHECK(wk_linear_grow(&linear, 2 * PAGE, WK_GROWTH_AHEAD) && linear.base[2 * PAGE - 1] == 0);
	/* One refusal: the step is halved, and two pieces do. */
	wk_fault_plan(&f.fault, 1, false);
	CHECK(wk_linear_grow(&linear, 4 * PAGE, WK_GROWTH_AHEAD) && linear.mappings == 4);
	wk_linear_end(&linear);
	end_faulty(&f);
}

/* ---- a provider as tight as a TEE ---- */

struct tight {
	struct wk_provider provider;
	struct wk_provider *inner;
	uint64_t ram, used;           /* bytes */
	uint64_t largest;             /* one piece */
	uint64_t mappings, most;
	uint64_t least_asked;
};

static struct tight *tight_of(struct wk_provider *provider) { return (struct tight *)(void *)provider; }

static void *tight_reserve(struct wk_provider *provider, size_t size)
{
	return size > GIB ? NULL : tight_of(provider)->inner->ops->reserve(tight_of(provider)->inner, size);
}

static void tight_release(struct wk_provider *provider, void *range, size_t size)
{
	/* How much was mapped in it is the pager's business: tests end with everything. */
	tight_of(provider)->inner->ops->release(tight_of(provider)->inner, range, size);
}

static enum wk_limit_kind tight_map(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
	const char *subject)
{
	struct tight *t = tight_of(provider);

	if (size < t->least_asked)
		t->least_asked = size;
	if (size > t->ram - t->used)
		return WK_LIMIT_RAM;
	if (size > t->largest)
		return WK_LIMIT_CONTIGUITY;
	if (t->mappings == t->most)
		return WK_LIMIT_MAPPINGS;
	t->used += size;
	t->mappings++;
	return t->inner->ops->map(t->inner, at, size, use, subject);
}

static void tight_unmap(struct wk_provider *provider, void *at, size_t size)
{
	struct tight *t = tight_of(provider);

	t->used -= size;
	t->inner->ops->unmap(t->inner, at, size);
}

static void tight_describe(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value)
{
	struct tight *t = tight_of(provider);

	*used = limit == WK_LIMIT_MAPPINGS ? t->mappings : t->used;
	*value = limit == WK_LIMIT_MAPPINGS ? t->most : t->ram;
}

static void begin_tight(struct tight *t, struct wk_pager *pager, struct wk_budget *root, uint64_t ram, uint64_t largest,
	uint64_t most)
{
	static const struct wk_provider_ops ops = { tight_reserve, tight_release, tight_map, tight_unmap, tight_describe };

	*t = (struct tight){ .provider = *wk_port_provider(), .inner = wk_port_provider(), .ram = ram, .largest = largest,
		.most = most, .least_asked = UINT64_MAX };
	t->provider.ops = &ops;
	t->provider.scarce = true;
	wk_pager_init(pager, &t->provider);
	wk_budget_init(root, NULL, "the memories", WK_UNLIMITED, &test_malloc);
	root->pager = pager;
}

/* Page by page to the end: all of the RAM is had, in few mappings, and nothing moves. */
TEST(tight_grows_to_the_end)
{
	struct tight t;
	struct wk_pager pager;
	struct wk_budget root;
	struct wk_linear linear;

	begin_tight(&t, &pager, &root, 14 * MIB + 3 * PAGE, 14 * MIB, 1000);
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, PAGE, 64 * MIB, NULL) == WK_OK);
	uint8_t *base = linear.base;
	while (wk_linear_grow(&linear, linear.size + PAGE, WK_GROWTH_AHEAD))
		linear.base[linear.size - 1] = 7;
	CHECK_EQUAL(linear.size, 14 * MIB + 3 * PAGE);
	CHECK(base == linear.base && linear.base[2 * PAGE - 1] == 7);
	CHECK(pager.refusal.limit == WK_LIMIT_RAM && pager.refusal.used == 14 * MIB + 3 * PAGE);
	if (!CHECK(linear.mappings < 60))
		printf("# %llu mappings\n", (unsigned long long)linear.mappings);
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

/* RAM in pieces of 20 KiB: a page takes several mappings; the last page that exists is had. */
TEST(tight_pieces)
{
	struct tight t;
	struct wk_pager pager;
	struct wk_budget root;
	struct wk_linear linear;

	begin_tight(&t, &pager, &root, 10 * PAGE, 20 * KIB, 1000);
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, 2 * PAGE, 64 * MIB, NULL) == WK_OK);
	CHECK(wk_linear_grow(&linear, 10 * PAGE, WK_GROWTH_AHEAD));
	CHECK(!wk_linear_grow(&linear, 11 * PAGE, WK_GROWTH_AHEAD));
	CHECK(linear.size == 10 * PAGE && root.used == 10 * PAGE);
	wk_linear_end(&linear);

	/* Refused on the way: what was mapped for it is given back. */
	t.used = t.mappings = 0;
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, PAGE, 64 * MIB, NULL) == WK_OK);
	CHECK(!wk_linear_grow(&linear, 12 * PAGE, WK_GROWTH_EXACT));
	CHECK(t.used == PAGE && root.used == PAGE && linear.committed == PAGE);
	CHECK(wk_linear_grow(&linear, 10 * PAGE, WK_GROWTH_EXACT) && all_zero(linear.base, 10 * PAGE));
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

TEST(tight_mappings)
{
	struct tight t;
	struct wk_pager pager;
	struct wk_budget root;
	struct wk_linear linear;

	begin_tight(&t, &pager, &root, 100 * MIB, 100 * MIB, 5);
	REQUIRE(wk_linear_init(&linear, &pager, &root, WK_MAP_SPARSE, PAGE, 64 * MIB, NULL) == WK_OK);
	while (wk_linear_grow(&linear, linear.size + PAGE, WK_GROWTH_EXACT))
		;
	CHECK(linear.size == 5 * PAGE && pager.refusal.limit == WK_LIMIT_MAPPINGS && pager.refusal.value == 5);
	wk_linear_end(&linear);
	wk_budget_end(&root);
}

/* What one has for later goes to another that is refused. */
TEST(tight_reclaims)
{
	struct tight t;
	struct wk_pager pager;
	struct wk_budget root;
	struct wk_linear first, second;

	begin_tight(&t, &pager, &root, 4 * MIB, 4 * MIB, 1000);
	REQUIRE(wk_linear_init(&first, &pager, &root, WK_MAP_SPARSE, 2 * MIB, 64 * MIB, NULL) == WK_OK);
	CHECK(wk_linear_grow(&first, 2 * MIB + PAGE, WK_GROWTH_AHEAD));
	CHECK(first.ahead >= 512 * KIB && t.used == first.committed);
	REQUIRE(wk_linear_init(&second, &pager, &root, WK_MAP_SPARSE, 2 * MIB - PAGE, 64 * MIB, NULL) == WK_OK);
	CHECK(first.ahead == 0 && first.committed == 2 * MIB + PAGE && t.used == 4 * MIB);
	CHECK(!wk_linear_grow(&first, first.size + PAGE, WK_GROWTH_AHEAD));
	wk_linear_end(&second);
	t.used = 2 * MIB + PAGE;
	CHECK(wk_linear_grow(&first, first.size + PAGE, WK_GROWTH_AHEAD) && first.ahead != 0);
	uint64_t committed = first.committed, ahead = first.ahead;
	wk_linear_trim(&first);
	CHECK(first.committed == committed - ahead && root.used == first.committed);
	wk_linear_end(&first);
	CHECK(pager.linears == NULL && pager.mappings == 0);
	wk_budget_end(&root);
}

int main(void)
{
	RUN(linear_grows_in_place);
	RUN(linear_small_sizes);
	RUN(linear_limits);
	RUN(linear_untouched_memory_is_free);
	RUN(fewer_addresses);
	RUN(no_addresses);
	RUN(no_pages);
	RUN(tight_grows_to_the_end);
	RUN(tight_pieces);
	RUN(tight_mappings);
	RUN(tight_reclaims);
	return test_end();
}
