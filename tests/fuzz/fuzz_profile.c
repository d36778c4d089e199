/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: any bytes are read as a profile. One that is accepted is written and read again, and a TEE is made of it, in
 * which a little is mapped. What must hold: no crash, the same profile again, a report exactly when it is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wasmkeep/memory.h>

#include "port/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct wk_profile *profile)
{
	struct wk_provider *tee = NULL;
	struct wk_simulated_use before, after;

	if (profile->hole_count == 0 || profile->addresses > UINT64_C(1) << 34 ||
		wk_simulated_new(profile, NULL, &tee) != WK_OK)
		return;
	wk_simulated_use(tee, &before);
	size_t page = tee->granule;
	uint8_t *range = tee->ops->reserve(tee, page * 8);
	if (range) {
		for (unsigned i = 0; i < 8; i++)
			(void)tee->ops->map(tee, range + i * page, page, WK_MAP_SPARSE, "fuzz");
		tee->ops->release(tee, range, page * 8);
	}
	wk_simulated_use(tee, &after);
	if (before.ram != after.ram || before.mappings != after.mappings || before.page_tables != after.page_tables)
		abort();
	wk_simulated_delete(tee);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_profile profile, again;
	struct wk_report report;
	char text[8192];

	wk_report_clear(&report);
	enum wk_status status = wk_profile_parse((const char *)data, size, &profile, &report);
	if ((status == WK_OK) != (report.text[0] == 0) || report.status != status)
		abort();
	if (status != WK_OK)
		return 0;
	size_t length = wk_profile_write(&profile, text, sizeof text);
	if (length >= sizeof text || wk_profile_parse(text, length, &again, &report) != WK_OK ||
		strcmp(profile.name, again.name) != 0 || profile.holes[0] != again.holes[0] ||
		profile.shared_memory != again.shared_memory)
		abort();
	use(&profile);
	return 0;
}
