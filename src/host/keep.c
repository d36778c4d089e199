/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps: the root of all budgets, the type registry, and the choice of the engine. And modules' way in: decode, then
 * validate; a module that an embedder can hold is always a valid one.
 *
 * What always holds: every byte that Wasmkeep holds is charged below keep->root, the struct of the keep included.
 */
#include "format/limits.h"
#include "host/host.h"
#include "interp/interp.h"
#include "validate/validate.h"

const char *wk_version(void)
{
	return WASMKEEP_VERSION;
}

/* ---- keeps ---- */

/* The root budget lives inside of the keep, so the keep itself comes through a door that is there before. */
static struct wk_keep *take_keep(const struct wk_allocator *allocator, uint64_t limit)
{
	struct wk_budget door;

	wk_budget_init(&door, NULL, "keep", limit, allocator);
	return wk_alloc(&door, sizeof(struct wk_keep));
}

static void give_keep(struct wk_keep *keep)
{
	const struct wk_allocator allocator = keep->allocator;

	allocator.free(allocator.context, keep, sizeof(*keep));
}

enum wk_status wk_keep_new(const struct wk_keep_config *config, struct wk_keep **keep)
{
	const struct wk_allocator *allocator = config && config->allocator ? config->allocator : &wk_port_allocator;
	uint64_t limit = config && config->memory_limit ? config->memory_limit : WK_UNLIMITED;
	struct wk_keep *made;
	enum wk_status status;

	if (!keep || !allocator->alloc || !allocator->free)
		return WK_BAD_ARGUMENT;
	made = take_keep(allocator, limit);
	if (!made)
		return WK_NO_MEMORY;

	made->allocator = *allocator;
	made->engine = &wk_interp_engine;
	wk_budget_init(&made->root, NULL, "keep", limit, &made->allocator);
	wk_budget_init(&made->heap, &made->root, "heap", WK_UNLIMITED, NULL);
	wk_budget_init(&made->bytes, &made->root, "module bytes", WK_UNLIMITED, NULL);
	wk_budget_init(&made->pages, &made->root, "pages", WK_UNLIMITED, NULL);
	made->root.allocations = made->heap.allocations = 1;
	/* It has passed the same limit at the door. */
	status = wk_budget_charge(&made->heap, sizeof(*made)) ? WK_NO_MEMORY : WK_OK;
	if (status != WK_OK)
		goto err_keep;
	status = wk_registry_new(&made->heap, &made->registry);
	if (status != WK_OK)
		goto err_keep;
	*keep = made;
	return WK_OK;

err_keep:
	give_keep(made);
	return status;
}

void wk_keep_delete(struct wk_keep *keep)
{
	if (!keep)
		return;
	wk_registry_delete(keep->registry);
	wk_budget_return(&keep->heap, sizeof(*keep));
	wk_budget_end(&keep->pages);
	wk_budget_end(&keep->bytes);
	wk_budget_end(&keep->heap);
	wk_budget_end(&keep->root);
	give_keep(keep);
}

static uint64_t read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void wk_keep_usage(const struct wk_keep *keep, struct wk_usage *usage)
{
	if (!usage)
		return;
	*usage = (struct wk_usage){ 0 };
	if (!keep)
		return;
	usage->heap_used = read(&keep->heap.used);
	usage->heap_peak = read(&keep->heap.peak);
	usage->bytes_used = read(&keep->bytes.used);
	usage->bytes_peak = read(&keep->bytes.peak);
	usage->pages_used = read(&keep->pages.used);
	usage->pages_peak = read(&keep->pages.peak);
	usage->allocations = read(&keep->root.allocations);
}

/* ---- modules ---- */

static enum wk_status refuse(struct wk_report *report, const char *why)
{
	return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, "bad argument: %s", why);
}

/* Owns `bytes` if `copied`: they are freed on failure. */
static enum wk_status decode(struct wk_keep *keep, struct wk_span bytes, bool copied, struct wk_report *report,
	struct wk_module **module)
{
	struct wk_module *made = NULL;
	enum wk_status status = wk_module_decode(&keep->heap, keep->registry, bytes, report, &made);

	if (status != WK_OK)
		goto err_bytes;
	status = wk_validate_module(made, report);
	if (status != WK_OK)
		goto err_module;
	made->keep = keep;
	made->owns_bytes = copied;
	*module = made;
	return WK_OK;

err_module:
	wk_module_free(made);
err_bytes:
	if (copied)
		wk_free(&keep->bytes, (void *)(uintptr_t)bytes.data, bytes.size);
	return status;
}

enum wk_status wk_module_load(struct wk_keep *keep, const void *bytes, size_t size, unsigned flags,
	struct wk_report *report, struct wk_module **module)
{
	void *copy;

	if (!keep || !module || (!bytes && size != 0))
		return refuse(report, "wk_module_load needs a keep, bytes and a place for the module");
	if (flags != WK_LOAD_COPY && flags != WK_LOAD_BORROW)
		return refuse(report, "unknown flags for wk_module_load");
	if (size > WK_MAX_MODULE_SIZE)
		return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the module has %zu bytes: at most %u are supported", size, WK_MAX_MODULE_SIZE);
	if (flags == WK_LOAD_BORROW || size == 0)
		return decode(keep, wk_span(bytes, size), false, report, module);

	copy = wk_alloc(&keep->bytes, size);
	if (!copy)
		return wk_budget_refuse(&keep->bytes, size, report);
	memcpy(copy, bytes, size);
	return decode(keep, wk_span(copy, size), true, report, module);
}
