/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: any bytes are decoded and validated. What must hold: no crash, all memory given back, memory in proportion to
 * the bytes, a report exactly when the status is not WK_OK, and the same answer for the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "validate/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *context, size_t size)
{
	(void)context;
	return malloc(size);
}

static void give(void *context, void *block, size_t size)
{
	(void)context, (void)size;
	free(block);
}

static const struct wk_allocator heap = { .alloc = take, .free = give };

static enum wk_status load(const uint8_t *data, size_t size, uint64_t limit, struct wk_report *report)
{
	struct wk_budget root;
	struct wk_registry *registry = NULL;
	struct wk_module *module = NULL;
	enum wk_status status;

	wk_report_clear(report);
	wk_budget_init(&root, NULL, "fuzz", limit, &heap);
	if (wk_registry_new(&root, &registry) != WK_OK)
		abort();
	status = wk_module_decode(&root, registry, wk_span(data, size), report, &module);
	if (status == WK_OK) {
		for (uint32_t i = 0; i < module->func_count; i++)
			(void)wk_module_function_name(module, i);
		status = wk_validate_module(module, report);
		wk_module_free(module);
	}
	wk_registry_delete(registry);
	wk_budget_end(&root); /* traps when bytes are missing */
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_report first, second;
	enum wk_status status;
	uint64_t limit;

	if (size > 4096)
		size = 4096; /* names are looked up one by one: quadratic */
	/* A type takes about 40 times the bytes that declare it, and scratch arrays begin with a few KiB. */
	limit = 65536 + (uint64_t)size * 200;
	status = load(data, size, limit, &first);
	if (status == WK_NO_MEMORY || (status == WK_OK) != (first.text[0] == 0) || first.status != status)
		abort();
	if (load(data, size, limit, &second) != status || second.offset != first.offset)
		abort();
	return 0;
}
