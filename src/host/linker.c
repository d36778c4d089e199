/* SPDX-License-Identifier: Apache-2.0
 *
 * Linkers: from (module name, field name) to what stands behind it.
 *
 * An open-addressed hash table; names that the embedder gives are copied into the linker's arena, names of an instance's
 * exports stay in the bytes of its module, which lives as long as the store. The hash starts from the linker's address:
 * an instance's export names may be hostile, and who does not know the address cannot prepare names that collide (how
 * well an address is hidden is up to the environment).
 *
 * What always holds: at least a quarter of the places is free; an entry's external is of the linker's store; a function
 * that fails has changed nothing that a later instantiation could see.
 */
#include "base/checked.h"
#include "host/values.h"

#define FIRST_PLACES 16u
#define NATIVE_IMPORTS 16u /* modules with more need a short-lived allocation while they are linked */

struct entry {
	struct wk_span module, name; /* module.data NULL: a free place */
	struct wk_external external;
};

struct wk_linker {
	struct wk_store *store;
	struct wk_arena arena;
	struct entry *places;
	size_t place_count;          /* a power of two, or 0 */
	size_t used;
};

enum wk_status wk_linker_new(struct wk_store *store, struct wk_linker **linker)
{
	struct wk_linker *made;

	if (!store || !linker)
		return WK_BAD_ARGUMENT;
	made = wk_alloc(&store->heap, sizeof(*made));
	if (!made)
		return WK_NO_MEMORY;
	made->store = store;
	wk_arena_init(&made->arena, &store->heap, 256);
	*linker = made;
	return WK_OK;
}

void wk_linker_delete(struct wk_linker *linker)
{
	struct wk_store *store;

	if (!linker)
		return;
	store = linker->store;
	wk_free(&store->heap, linker->places, linker->place_count * sizeof(*linker->places));
	wk_arena_end(&linker->arena);
	wk_free(&store->heap, linker, sizeof(*linker));
}

/* ---- the table ---- */

static uint64_t hash_bytes(uint64_t hash, struct wk_span bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		hash = (hash ^ bytes.data[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (hash ^ bytes.size) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* The place of the names, or the free place where they belong. The table has one. */
static struct entry *place_of(const struct wk_linker *linker, struct wk_span module, struct wk_span name)
{
	uint64_t hash = hash_bytes(hash_bytes((uint64_t)(uintptr_t)linker, module), name);
	size_t mask = linker->place_count - 1;

	for (size_t i = (size_t)(hash >> 20) & mask;; i = (i + 1) & mask) {
		struct entry *entry = &linker->places[i];

		if (!entry->module.data || (wk_span_equal(entry->module, module) && wk_span_equal(entry->name, name)))
			return entry;
	}
}

/* Makes sure that `more` entries have room. */
static bool reserve(struct wk_linker *linker, size_t more)
{
	struct wk_linker larger = *linker;
	size_t wanted = linker->used + more;

	if (larger.place_count == 0)
		larger.place_count = FIRST_PLACES;
	while (wanted > larger.place_count - larger.place_count / 4)
		larger.place_count *= 4;
	if (larger.place_count == linker->place_count)
		return true;
	larger.places = wk_alloc_array(&linker->store->heap, larger.place_count, sizeof(*larger.places));
	if (!larger.places)
		return false;

	struct entry *old = linker->places;
	size_t old_count = linker->place_count;

	linker->places = larger.places;
	linker->place_count = larger.place_count;
	for (size_t i = 0; i < old_count; i++)
		if (old[i].module.data)
			*place_of(linker, old[i].module, old[i].name) = old[i];
	wk_free(&linker->store->heap, old, old_count * sizeof(*old));
	return true;
}

/* Into a table with room; the names live as long as the linker. */
static void put(struct wk_linker *linker, struct wk_span module, struct wk_span name, struct wk_external external)
{
	struct entry *entry = place_of(linker, module, name);

	if (!entry->module.data)
		linker->used++;
	*entry = (struct entry){ module, name, external };
}

/* A copy in the linker's arena; data is not NULL even when the text is empty, and NULL when there is no memory. */
static struct wk_span keep_text(struct wk_linker *linker, const char *text)
{
	struct wk_span span = wk_span_of_text(text);
	void *copy = wk_arena_alloc(&linker->arena, span.size);

	if (copy && span.size != 0)
		memcpy(copy, span.data, span.size);
	return wk_span(copy, span.size);
}

static enum wk_status define(struct wk_linker *linker, const char *module_name, const char *name,
	struct wk_external external)
{
	struct wk_span module, field;

	if (!reserve(linker, 1))
		return WK_NO_MEMORY;
	struct entry *entry = place_of(linker, wk_span_of_text(module_name), wk_span_of_text(name));

	if (entry->module.data) {
		entry->external = external;
		return WK_OK;
	}
	module = keep_text(linker, module_name);
	field = keep_text(linker, name);
	if (!module.data || !field.data)
		return WK_NO_MEMORY;
	put(linker, module, field, external);
	return WK_OK;
}

bool wk_linker_find(const struct wk_linker *linker, struct wk_span module, struct wk_span name,
	struct wk_external *external)
{
	const struct entry *entry = linker->used ? place_of(linker, module, name) : NULL;

	if (!entry || !entry->module.data)
		return false;
	*external = entry->external;
	return true;
}

/* ---- definitions ---- */

static const struct wk_store *store_of(const struct wk_external *external)
{
	/* All members of the union are pointers: one test for NULL serves all. */
	if (!external->of.func)
		return NULL;
	switch (external->kind) {
	case WK_EXTERN_FUNC: return wk_func_store(external->of.func);
	case WK_EXTERN_TABLE: return external->of.table->store;
	case WK_EXTERN_MEMORY: return external->of.memory->store;
	case WK_EXTERN_GLOBAL: return external->of.global->store;
	case WK_EXTERN_TAG: return external->of.tag->store;
	}
	return NULL;
}

enum wk_status wk_linker_define(struct wk_linker *linker, const char *module_name, const char *name,
	struct wk_external external)
{
	if (!linker || !module_name || !name || store_of(&external) != linker->store)
		return WK_BAD_ARGUMENT;
	return define(linker, module_name, name, external);
}

enum wk_status wk_linker_define_slots(struct wk_linker *linker, const char *module_name, const char *name,
	const char *signature, wk_slot_function *function, void *context)
{
	struct wk_host_func *host = NULL;
	struct wk_external external = { .kind = WK_EXTERN_FUNC };
	enum wk_status status;

	if (!linker || !module_name || !name || !signature || !function)
		return WK_BAD_ARGUMENT;
	status = wk_host_func_new(linker->store, signature, function, context, &host);
	if (status != WK_OK)
		return status;
	external.of.func = &host->func;
	return define(linker, module_name, name, external);
}

enum wk_status wk_linker_define_function(struct wk_linker *linker, const char *module_name, const char *name,
	const char *signature, wk_host_function *function, void *context)
{
	struct wk_host_func *host = NULL;
	struct wk_external external = { .kind = WK_EXTERN_FUNC };
	enum wk_status status;

	if (!linker || !module_name || !name || !signature || !function)
		return WK_BAD_ARGUMENT;
	status = wk_host_func_new(linker->store, signature, wk_call_with_values, NULL, &host);
	if (status != WK_OK)
		return status;
	host->host_context = host;
	host->function = function;
	host->context = context;
	external.of.func = &host->func;
	return define(linker, module_name, name, external);
}

enum wk_status wk_linker_define_instance(struct wk_linker *linker, const char *module_name,
	struct wk_instance *instance)
{
	const struct wk_module *m;
	struct wk_span module;

	if (!linker || !module_name || !instance || instance->store != linker->store)
		return WK_BAD_ARGUMENT;
	m = instance->module;
	if (m->export_count == 0)
		return WK_OK;
	module = keep_text(linker, module_name);
	if (!module.data || !reserve(linker, m->export_count))
		return WK_NO_MEMORY;
	for (uint32_t i = 0; i < m->export_count; i++)
		put(linker, module, m->exports[i].name, wk_instance_external(instance, &m->exports[i]));
	return WK_OK;
}

/* ---- instantiation ---- */

static enum wk_status resolve(const struct wk_linker *linker, const struct wk_module *module,
	struct wk_external *externals, struct wk_report *report)
{
	for (uint32_t i = 0; i < module->import_count; i++) {
		const struct wk_import *import = &module->imports[i];
		const struct entry *entry = linker->place_count == 0 ? NULL : place_of(linker, import->module, import->name);

		if (!entry || !entry->module.data)
			return wk_import_unknown(module, i, report);
		externals[i] = entry->external;
	}
	return WK_OK;
}

enum wk_status wk_linker_instantiate(struct wk_linker *linker, struct wk_module *module, struct wk_report *report,
	struct wk_instance **instance)
{
	struct wk_external native[NATIVE_IMPORTS];
	struct wk_external *externals = native;
	enum wk_status status;

	if (!linker || !module || !instance || module->keep != linker->store->keep)
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"bad argument: instantiation needs a linker, a module of the same keep and a place for the instance");
	if (module->import_count > NATIVE_IMPORTS) {
		externals = wk_alloc_array(&linker->store->heap, module->import_count, sizeof(*externals));
		if (!externals)
			return wk_budget_refuse(&linker->store->heap, module->import_count * sizeof(*externals), report);
	}
	status = resolve(linker, module, externals, report);
	if (status == WK_OK)
		status = wk_instantiate(linker->store, module, externals, report, instance);
	if (externals != native)
		wk_free(&linker->store->heap, externals, module->import_count * sizeof(*externals));
	return status;
}
