/* SPDX-License-Identifier: Apache-2.0
 *
 * Wraps another provider and refuses the requests that the plan names. What is given back is passed on always, and
 * counted, so that a test sees what was lost on a failing path.
 */
#include "port/fault/fault.h"

static struct wk_fault *fault_of(struct wk_provider *provider)
{
	return (struct wk_fault *)(void *)provider; /* its first member */
}

static bool refuses(struct wk_fault *fault)
{
	fault->asked++;
	if (fault->fail_at == 0 || fault->asked < fault->fail_at || (fault->asked > fault->fail_at && !fault->keep_failing))
		return false;
	fault->failed++;
	return true;
}

static void *reserve(struct wk_provider *provider, size_t size)
{
	struct wk_fault *fault = fault_of(provider);
	void *range = refuses(fault) ? NULL : fault->inner->ops->reserve(fault->inner, size);

	if (range)
		fault->reserved_bytes += size;
	return range;
}

static void release(struct wk_provider *provider, void *range, size_t size)
{
	struct wk_fault *fault = fault_of(provider);

	fault->reserved_bytes -= size;
	fault->inner->ops->release(fault->inner, range, size);
}

static enum wk_limit_kind map(struct wk_provider *provider, void *at, size_t size, enum wk_map_use use,
	const char *subject)
{
	struct wk_fault *fault = fault_of(provider);

	return refuses(fault) ? WK_LIMIT_MACHINE : fault->inner->ops->map(fault->inner, at, size, use, subject);
}

static void unmap(struct wk_provider *provider, void *at, size_t size)
{
	struct wk_fault *fault = fault_of(provider);

	fault->inner->ops->unmap(fault->inner, at, size);
}

static void describe(struct wk_provider *provider, enum wk_limit_kind limit, uint64_t *used, uint64_t *value)
{
	struct wk_fault *fault = fault_of(provider);

	fault->inner->ops->describe(fault->inner, limit, used, value);
}

void wk_fault_init(struct wk_fault *fault, struct wk_provider *inner)
{
	static const struct wk_provider_ops ops = { reserve, release, map, unmap, describe };

	if (!inner)
		inner = wk_port_provider();
	*fault = (struct wk_fault){ .provider = *inner, .inner = inner };
	fault->provider.ops = &ops;
}

void wk_fault_plan(struct wk_fault *fault, uint64_t fail_at, bool keep_failing)
{
	fault->fail_at = fail_at;
	fault->keep_failing = keep_failing;
	fault->asked = fault->failed = 0;
}
