/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps: the root of all budgets, the pager and the heap, the type registry, and the choice of the engine. And modules'
 * way in: decode, then validate; a module that an embedder can hold is always a valid one.
 *
 * A keep with a heap of its own begins with one page: the struct of the keep, and behind it the heap's first pool.
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

static void make_budgets(struct wk_keep *keep, uint64_t limit)
{
	const struct { struct wk_budget *budget, *parent; const char *name; } children[] = {
		{ &keep->fixed, &keep->root, "Trusted Application" },
		{ &keep->heap, &keep->root, "heap" },
		{ &keep->promised, &keep->root, "set aside for code" },
		{ &keep->bytes, &keep->root, "module bytes" },
		{ &keep->pages, &keep->root, "pages of guests" },
		{ &keep->stacks, &keep->pages, "guest stacks" },
		{ &keep->tables, &keep->pages, "tables" },
		{ &keep->memories, &keep->pages, "linear memories" },
		{ &keep->modules, &keep->in_use, "modules" },
		{ &keep->code, &keep->in_use, "internal code" },
		{ &keep->stores, &keep->in_use, "instances" },
		{ &keep->wasi, &keep->in_use, "WASI" },
	};

	wk_budget_init(&keep->root, NULL, "the keep", limit, &keep->allocator);
	keep->root.pager = &keep->pager;
	/* The heap's blocks lie in pages that the root has been charged for, or come from the embedder. */
	wk_budget_init(&keep->in_use, keep->page ? NULL : &keep->root, "heap", WK_UNLIMITED, &keep->allocator);
	keep->in_use.pager = &keep->pager;
	for (size_t i = 0; i < WK_COUNT(children); i++)
		wk_budget_init(children[i].budget, children[i].parent, children[i].name, WK_UNLIMITED, NULL);
}

/* The bytes that a keep itself takes are charged to the heap, whoever they are from. */
static struct wk_budget *own_budget(struct wk_keep *keep)
{
	return keep->page ? &keep->heap : &keep->in_use;
}

static size_t own_size(const struct wk_keep *keep)
{
	return keep->page ? keep->page_size : sizeof *keep;
}

static struct wk_keep *take_page(struct wk_provider *provider)
{
	size_t size = (sizeof(struct wk_keep) + provider->granule - 1) & ~(provider->granule - 1);
	void *page = provider->ops->reserve(provider, size);
	struct wk_keep *keep = page;

	if (!page)
		return NULL;
	if (provider->ops->map(provider, page, size, WK_MAP_FILLED, "the keep") != WK_LIMIT_NONE) {
		provider->ops->release(provider, page, size);
		return NULL;
	}
	keep->page = page;
	keep->page_size = size;
	return keep;
}

static void give_back(struct wk_keep *keep, struct wk_provider *provider)
{
	const struct wk_allocator allocator = keep->allocator;

	if (keep->page)
		provider->ops->release(provider, keep->page, keep->page_size);
	else
		allocator.free(allocator.context, keep, sizeof *keep);
}

static struct wk_keep *take(const struct wk_allocator *allocator, struct wk_provider *provider)
{
	struct wk_keep *keep;

	if (!allocator)
		return take_page(provider);
	keep = allocator->alloc(allocator->context, sizeof *keep);
	if (keep)
		memset(keep, 0, sizeof *keep);
	return keep;
}

/* The heap: the embedder's, or the rest of the keep's page and what is mapped later. */
static void make_heap(struct wk_keep *keep, const struct wk_allocator *allocator)
{
	const size_t used = (sizeof *keep + 15) & ~(size_t)15;

	wk_heap_init(&keep->own_heap, &keep->pager, &keep->heap);
	if (allocator) {
		keep->allocator = *allocator;
		return;
	}
	keep->allocator = (struct wk_allocator){ wk_heap_alloc, wk_heap_free, &keep->own_heap, wk_heap_resize };
	wk_heap_add_pool(&keep->own_heap, (uint8_t *)keep->page + used, keep->page_size - used);
}

enum wk_status wk_keep_new(const struct wk_keep_config *config, struct wk_keep **keep)
{
	static const struct wk_keep_config defaults = { 0 };
	struct wk_provider *provider;
	struct wk_keep *made;
	uint64_t limit, fixed = 0;
	enum wk_status status;

	if (!config)
		config = &defaults;
	if (!keep || (config->allocator && (!config->allocator->alloc || !config->allocator->free)))
		return WK_BAD_ARGUMENT;
	provider = config->provider ? config->provider : wk_port_provider();
	limit = config->memory_limit ? config->memory_limit : WK_UNLIMITED;
	for (uint32_t i = 0; i < provider->part_count; i++)
		fixed += provider->parts[i].bytes;
	if (provider->ram != 0 && (limit > provider->ram || limit + fixed > provider->ram))
		limit = provider->ram;
	else if (limit != WK_UNLIMITED)
		limit += fixed; /* which are nobody's choice here */
	made = take(config->allocator, provider);
	if (!made)
		return WK_NO_MEMORY;

	made->engine = &wk_interp_engine;
	wk_pager_init(&made->pager, provider);
	made->pager.observer = config->memory_observer;
	made->pager.observer_context = config->memory_context;
	make_budgets(made, limit);
	status = wk_budget_charge(&made->fixed, fixed) || wk_budget_charge(own_budget(made), own_size(made)) ? WK_NO_MEMORY :
		WK_OK;
	made->in_use.allocations = 1;
	make_heap(made, config->allocator);
	if (status != WK_OK)
		goto err_keep;
	status = wk_registry_new(&made->in_use, &made->registry);
	if (status != WK_OK)
		goto err_heap;
	*keep = made;
	return WK_OK;

err_heap:
	wk_budget_return(own_budget(made), own_size(made));
err_keep:
	wk_heap_end(&made->own_heap);
	give_back(made, provider);
	return status;
}

void wk_keep_delete(struct wk_keep *keep)
{
	if (!keep)
		return;

	struct wk_budget *const leaves[] = { &keep->wasi, &keep->stores, &keep->code, &keep->modules, &keep->memories,
		&keep->tables, &keep->stacks, &keep->pages, &keep->bytes, &keep->promised };

	wk_registry_delete(keep->registry);
	while (keep->held) {
		struct wk_held *held = keep->held;

		keep->held = held->next;
		wk_held_free(keep, held);
	}
	wk_budget_return(own_budget(keep), own_size(keep));
	wk_budget_return(&keep->fixed, keep->fixed.used);
	wk_heap_end(&keep->own_heap);
	for (size_t i = 0; i < WK_COUNT(leaves); i++)
		wk_budget_end(leaves[i]);
	wk_budget_end(&keep->in_use);
	wk_budget_end(&keep->heap);
	wk_budget_end(&keep->root);
	give_back(keep, keep->pager.provider);
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
	usage->heap_used = read(&keep->in_use.used);
	usage->heap_peak = read(&keep->in_use.peak);
	usage->bytes_used = read(&keep->bytes.used);
	usage->bytes_peak = read(&keep->bytes.peak);
	usage->pages_used = read(&keep->pages.used);
	usage->pages_peak = read(&keep->pages.peak);
	usage->allocations = read(&keep->in_use.allocations);
}

uint32_t wk_keep_memory(const struct wk_keep *keep, struct wk_memory_node *nodes, uint32_t room)
{
	if (!keep)
		return 0;

	const struct { const struct wk_budget *budget; uint32_t depth; } order[] = {
		{ &keep->root, 0 }, { &keep->fixed, 1 }, { &keep->heap, 1 }, { &keep->modules, 2 }, { &keep->code, 2 },
		{ &keep->stores, 2 }, { &keep->wasi, 2 }, { &keep->promised, 1 }, { &keep->bytes, 1 }, { &keep->stacks, 1 }, { &keep->tables, 1 },
		{ &keep->memories, 1 },
	};
	_Static_assert(WK_COUNT(order) + WK_FIXED_PARTS <= WK_MEMORY_NODES, "what is promised in memory.h");
	const struct wk_provider *provider = keep->pager.provider;
	uint32_t count = 0;

	for (size_t i = 0; i < WK_COUNT(order); i++) {
		const struct wk_budget *budget = order[i].budget;

		if ((budget == &keep->fixed && provider->part_count == 0) ||
			(budget == &keep->promised && keep->root.limit == WK_UNLIMITED))
			continue;
		/* An embedder's heap is not mapped by us: it has no more than what is in use. */
		if (budget == &keep->heap && !keep->page)
			budget = &keep->in_use;
		if (count++ < room)
			nodes[count - 1] = (struct wk_memory_node){ budget->name, order[i].depth, read(&budget->used),
				read(&budget->peak), budget->limit, read(&budget->moved) };
		for (uint32_t k = 0; budget == &keep->fixed && k < provider->part_count; k++)
			if (count++ < room)
				nodes[count - 1] = (struct wk_memory_node){ provider->parts[k].name, 2, provider->parts[k].bytes,
					provider->parts[k].bytes, provider->parts[k].bytes, 0 };
	}
	return count;
}

bool wk_keep_refusal(struct wk_keep *keep, struct wk_refusal *refusal, uint64_t *count)
{
	if (!keep)
		return false;
	wk_port_lock(&keep->pager.lock);
	*refusal = keep->pager.refusal;
	*count = keep->pager.refusals;
	wk_port_unlock(&keep->pager.lock);
	return *count != 0;
}

/* ---- modules ---- */

static enum wk_status refuse(struct wk_report *report, const char *why)
{
	return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, "bad argument: %s", why);
}

static enum wk_status check_size(size_t size, struct wk_report *report)
{
	if (size <= WK_MAX_MODULE_SIZE)
		return WK_OK;
	return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
		"the module has %zu bytes: at most %u are supported", size, WK_MAX_MODULE_SIZE);
}

/* Room for `size` bytes in pages of the keep. */
static enum wk_status hold(struct wk_keep *keep, size_t size, struct wk_report *report, struct wk_held **result)
{
	struct wk_held *held = wk_alloc(&keep->modules, sizeof *held);
	enum wk_status status;

	if (!held)
		return wk_budget_refuse(&keep->modules, sizeof *held, report);
	status = wk_linear_init(&held->bytes, &keep->pager, &keep->bytes, WK_MAP_FILLED, size, size, report);
	if (status != WK_OK) {
		wk_free(&keep->modules, held, sizeof *held);
		return status;
	}
	*result = held;
	return WK_OK;
}

/* `held` goes with the module, or is freed on failure; NULL: the bytes are borrowed. */
static enum wk_status decode(struct wk_keep *keep, struct wk_span bytes, struct wk_held *held, struct wk_report *report,
	struct wk_module **module)
{
	struct wk_module *made = NULL;
	enum wk_status status = wk_module_decode(&keep->modules, keep->registry, bytes, report, &made);

	if (status != WK_OK)
		goto err_bytes;
	status = wk_validate_module(made, report);
	if (status != WK_OK)
		goto err_module;
	made->keep = keep;
	made->held = held;
	made->small = keep->pager.provider->scarce ? wk_module_small(made) : 0;
	*module = made;
	return WK_OK;

err_module:
	wk_module_free(made);
err_bytes:
	wk_held_free(keep, held);
	return status;
}

/* Takes the bytes at `data` out of the list of those that no module has; NULL: there are none. */
static struct wk_held *unlist(struct wk_keep *keep, const void *data)
{
	struct wk_held *found = NULL;

	wk_port_lock(&keep->lock);
	for (struct wk_held **link = &keep->held; *link; link = &(*link)->next) {
		if ((*link)->bytes.base == data) {
			found = *link;
			*link = found->next;
			break;
		}
	}
	wk_port_unlock(&keep->lock);
	return found;
}

enum wk_status wk_module_bytes(struct wk_keep *keep, size_t size, struct wk_report *report, void **bytes)
{
	struct wk_held *held = NULL;
	enum wk_status status;

	if (!keep || !bytes || size == 0)
		return refuse(report, "wk_module_bytes needs a keep, a size and a place for the address");
	status = check_size(size, report);
	if (status == WK_OK)
		status = hold(keep, size, report, &held);
	if (status != WK_OK)
		return status;
	wk_port_lock(&keep->lock);
	held->next = keep->held;
	keep->held = held;
	wk_port_unlock(&keep->lock);
	*bytes = held->bytes.base;
	return WK_OK;
}

void wk_module_bytes_free(struct wk_keep *keep, void *bytes)
{
	if (keep && bytes)
		wk_held_free(keep, unlist(keep, bytes));
}

enum wk_status wk_module_load(struct wk_keep *keep, const void *bytes, size_t size, unsigned flags,
	struct wk_report *report, struct wk_module **module)
{
	struct wk_held *held = NULL;
	enum wk_status status;

	if (!keep || !module || (!bytes && size != 0))
		return refuse(report, "wk_module_load needs a keep, bytes and a place for the module");
	if (flags > WK_LOAD_GIVE)
		return refuse(report, "unknown flags for wk_module_load");
	status = check_size(size, report);
	if (status != WK_OK)
		return status;
	if (flags == WK_LOAD_GIVE) {
		held = unlist(keep, bytes);
		if (!held || held->bytes.size < size) {
			wk_held_free(keep, held);
			return refuse(report, "WK_LOAD_GIVE is for bytes of wk_module_bytes");
		}
	} else if (flags == WK_LOAD_COPY && size != 0) {
		status = hold(keep, size, report, &held);
		if (status != WK_OK)
			return status;
		memcpy(held->bytes.base, bytes, size);
	}
	return decode(keep, wk_span(held ? held->bytes.base : bytes, size), held, report, module);
}

enum wk_status wk_module_translate(struct wk_module *module, bool fuel, struct wk_report *report)
{
	enum wk_status status;

	if (!module)
		return refuse(report, "no module");
	status = module->keep->engine->prepare(module, fuel, report);
	return status == WK_OK ? module->keep->engine->translate(module, fuel, report) : status;
}
