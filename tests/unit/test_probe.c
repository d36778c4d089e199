/* SPDX-License-Identifier: Apache-2.0
 *
 * From measured figures to a profile (client/profile.c): those of the board give a TEE with as much memory as the board's
 * own profile, and whatever a TA says gives a profile or is refused.
 */
#include "unit/test.h"

#include <wasmkeep/client.h>

/* As measured on the board. */
static const struct wk_probe board = {
	.loader = 73728, .code = 466944, .data = 69632, .data_size = 32768, .stack_size = 16384, .guest_stack = 32768,
	.malloc = 27424, .hole_count = 2, .holes = { 13631488, 524288 }, .most = 14155776, .tables = 8, .mappings = 690,
	.shared = 15290368, .ram = 14819328,
};

static bool make(const struct wk_probe *probe, struct wk_profile *profile)
{
	char text[4096];
	struct wk_report report;

	wk_probe_profile(probe, "probed", profile);
	CHECK(wk_profile_write(profile, text, sizeof text) < sizeof text);
	wk_report_clear(&report);
	if (wk_profile_parse(text, strlen(text), profile, &report) == WK_OK)
		return true;
	printf("# %s\n", report.text);
	return false;
}

TEST(as_the_board)
{
	struct wk_profile profile, shipped;
	struct wk_provider *tee = NULL;
	struct wk_simulated_use use;
	const char *text = wk_profile_builtin("optee-qemu-armv8a");

	CHECK_EQUAL(wk_profile_parse(text, strlen(text), &shipped, NULL), WK_OK);
	REQUIRE(make(&board, &profile));
	CHECK_TEXT(profile.name, "probed");
	CHECK(profile.hole_count == 2 && profile.holes[0] == shipped.holes[0] && profile.holes[1] == shipped.holes[1]);
	CHECK(profile.page_tables == shipped.page_tables && profile.ta_stack_size == 16384);
	CHECK_EQUAL(wk_profile_free(&profile), board.most);
	REQUIRE(wk_simulated_new(&profile, NULL, &tee) == WK_OK);
	wk_simulated_use(tee, &use);
	/* One more than the TA could map: its stack for guests is one, too. */
	CHECK(use.mappings == 1 && use.mappings_limit == board.mappings + 1);
	wk_simulated_delete(tee);
}

/* More pieces than a profile has room for: none of the RAM is lost. One, or none, is possible, too. */
TEST(holes)
{
	struct wk_probe probe = board;
	struct wk_profile profile;

	for (uint32_t count = 0; count <= WK_PROBE_HOLES; count++) {
		uint64_t sum = 0;

		probe.most = 0;
		for (uint32_t i = 0; i < count; i++)
			probe.most += probe.holes[i] = (uint64_t)(WK_PROBE_HOLES - i) << 16;
		probe.hole_count = count;
		probe.ram = board.ram - board.most + probe.most;
		CHECK(make(&probe, &profile));
		for (uint32_t i = 0; i < profile.hole_count; i++)
			sum += profile.holes[i];
		CHECK_EQUAL(sum, probe.ram);
	}
	probe.mappings = 0; /* RAM ended first: there are enough */
	CHECK(make(&probe, &profile) && profile.core_heap / profile.core_heap_mapping > 4000);
}

int main(void)
{
	RUN(as_the_board);
	RUN(holes);
	return test_end();
}
