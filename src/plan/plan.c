/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan is a rehearsal: the same code that will run the module loads and instantiates it, in a keep with the profile's
 * limits, up to the first instruction of the guest. So its figures cannot differ from those of a run for any other reason
 * than what the guest does.
 *
 * Afterwards every function is translated, which is the most that internal code can come to, and the memory is grown until
 * something refuses: that is what is left.
 */
#include "host/host.h"
#include "runtime/operations.h"

#include <string.h>
#include <wasmkeep/memory.h>
#include <wasmkeep/wasi.h>

#define DATA_SIZE (UINT64_C(32) << 10)  /* TA_DATA_SIZE: see docs/memory.md */
#define STACK_SIZE (UINT64_C(16) << 10) /* TA_STACK_SIZE: see ta/user_ta_header_defines.h */

struct rehearsal {
	const struct wk_plan_options *options;
	struct wk_report *report;
	struct wk_provider *simulated;
	struct wk_keep *keep;
	struct wk_module *module;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_wasi *wasi;
	struct wk_external *imports;
	struct wk_instance *instance;
};

/* ---- what the module says ---- */

/* wasm-ld's first global is the pointer to the program's own stack: mutable, an address within the memory. */
static uint64_t stack_pointer(const struct wk_module *module, uint64_t minimum)
{
	uint64_t value;

	if (module->global_count == module->imported_globals || module->imported_globals != 0 || !module->globals[0].type.mutable_ ||
		(module->globals[0].type.type != WK_TYPE_I32 && module->globals[0].type.type != WK_TYPE_I64))
		return WK_PLAN_NONE;
	value = wk_module_constant(module, module->globals[0].init);
	return value != 0 && value <= minimum ? value : WK_PLAN_NONE;
}

static void read_module(const struct wk_module *module, struct wk_plan *plan)
{
	plan->minimum = plan->maximum = plan->page = 0;
	plan->data_end = plan->heap_base = plan->stack_top = WK_PLAN_NONE;
	plan->has_memory = module->memory_count != 0;
	plan->imports_memory = module->imported_memories != 0;
	if (!plan->has_memory)
		return;
	const struct wk_memory_type *type = &module->memories[0];
	plan->page = UINT64_C(1) << type->page_log2;
	plan->minimum = type->limits.minimum > UINT64_MAX >> type->page_log2 ? UINT64_MAX : type->limits.minimum << type->page_log2;
	plan->maximum = !type->limits.has_maximum ? WK_PLAN_NONE :
		type->limits.maximum > UINT64_MAX >> type->page_log2 ? UINT64_MAX : type->limits.maximum << type->page_log2;
	plan->data_end = wk_module_data_end(module);
	plan->heap_base = wk_module_exported_constant(module, "__heap_base");
	plan->stack_top = stack_pointer(module, plan->minimum);
}

/* ---- imports: something of the right type for each ---- */

static enum wk_status never_called(void *context, struct wk_caller *caller, uint64_t *slots)
{
	(void)context, (void)caller, (void)slots;
	return WK_TRAP;
}

static enum wk_status make_import(struct rehearsal *r, uint32_t import, struct wk_external *external)
{
	static const uint64_t zero[2] = { 0, 0 };
	const struct wk_module *m = r->module;
	const struct wk_import *wanted = &m->imports[import];
	struct wk_host_func *func;

	external->kind = wanted->kind;
	switch (wanted->kind) {
	case WK_EXTERN_FUNC:
		/* Of the module's own type, which lives as long as the module: not in the store's list. */
		func = wk_arena_alloc(&r->store->arena, sizeof *func);
		if (!func)
			return WK_NO_MEMORY;
		func->func = (struct wk_func){ .type = m->funcs[wanted->index].type, .index = WK_NO_FUNCTION };
		func->store = r->store;
		func->host = never_called;
		external->of.func = &func->func;
		return WK_OK;
	case WK_EXTERN_TABLE:
		return wk_table_new(r->store, &m->tables[wanted->index].type, 0, &external->of.table);
	case WK_EXTERN_MEMORY:
		return wk_memory_new(r->store, &m->memories[wanted->index], &external->of.memory);
	case WK_EXTERN_GLOBAL:
		return wk_global_new(r->store, &m->globals[wanted->index].type, zero, &external->of.global);
	default:
		external->of.tag = wk_arena_alloc(&r->store->arena, sizeof *external->of.tag);
		if (!external->of.tag)
			return WK_NO_MEMORY;
		*external->of.tag = (struct wk_tag){ m->tags[wanted->index], r->store };
		return WK_OK;
	}
}

static bool imports_wasi(const struct wk_module *m)
{
	for (uint32_t i = 0; i < m->import_count; i++)
		if (m->imports[i].module.size > 5 && memcmp(m->imports[i].module.data, "wasi_", 5) == 0)
			return true;
	return false;
}

/* ---- the rehearsal ---- */

static enum wk_status load(struct rehearsal *r, const void *bytes, size_t size, struct wk_plan *plan)
{
	struct wk_keep_config config = { .provider = r->simulated };
	void *copy = NULL;
	enum wk_status status = wk_keep_new(&config, &r->keep);

	if (status == WK_OK && size != 0)
		status = wk_module_bytes(r->keep, size, r->report, &copy);
	if (status != WK_OK)
		return status;
	if (size != 0)
		memcpy(copy, bytes, size);
	status = wk_module_load(r->keep, copy, size, size ? WK_LOAD_GIVE : WK_LOAD_COPY, r->report, &r->module);
	if (status != WK_OK)
		return status;
	read_module(r->module, plan);
	r->module->start = UINT32_MAX; /* nothing of the guest runs */
	return WK_OK;
}

static enum wk_status instantiate(struct rehearsal *r)
{
	struct wk_store_config config = { .stack_size = r->options->stack_size, .fuel = r->options->fuel,
		.memory_limit = r->options->memory_limit };
	enum wk_status status = wk_store_new(r->keep, &config, &r->store);

	if (status == WK_OK)
		status = wk_linker_new(r->store, &r->linker);
	if (status == WK_OK && imports_wasi(r->module)) {
		status = wk_wasi_new(r->store, NULL, r->report, &r->wasi);
		if (status == WK_OK)
			status = wk_wasi_define(r->wasi, r->linker, r->module);
	}
	if (status != WK_OK)
		return status;
	r->imports = wk_alloc_array(&r->store->heap, r->module->import_count, sizeof *r->imports);
	if (!r->imports)
		return wk_budget_refuse(&r->store->heap, r->module->import_count * sizeof *r->imports, r->report);
	for (uint32_t i = 0; i < r->module->import_count && status == WK_OK; i++) {
		const struct wk_import *import = &r->module->imports[i];

		if (!wk_linker_find(r->linker, import->module, import->name, &r->imports[i]))
			status = make_import(r, i, &r->imports[i]);
	}
	if (status == WK_OK)
		status = wk_instantiate(r->store, r->module, r->imports, r->report, &r->instance);
	/* As a run does. */
	wk_free(&r->store->heap, r->imports, r->module->import_count * sizeof *r->imports);
	r->imports = NULL;
	wk_linker_delete(r->linker);
	r->linker = NULL;
	if (status == WK_OK && !wk_store_stack(r->store))
		status = wk_stack_refuse(r->store, 0, r->report);
	return status;
}

static void look(const struct rehearsal *r, struct wk_plan *plan)
{
	const struct wk_keep *keep = r->keep;

	plan->fixed = keep->fixed.used;
	plan->module_bytes = keep->bytes.used;
	plan->wasi = keep->wasi.used;
	plan->structures = keep->in_use.used - keep->wasi.used - keep->code.used;
	plan->stack = keep->stacks.used;
	plan->tables = keep->tables.used;
	plan->linear = keep->memories.used;
	plan->start = plan->peak = keep->root.used;
}

/* Grows memory 0 to the end. Where there are no limits it could be gigabytes: then what is declared or supported is. */
static void grow(struct rehearsal *r, struct wk_plan *plan)
{
	struct wk_memory *memory = r->instance->module->memory_count ? r->instance->memories[0] : NULL;
	uint64_t step, count = 0;

	if (!memory)
		return;
	if (!r->simulated) {
		plan->grown = memory->maximum;
		plan->grown_total = plan->with_code - plan->linear + memory->maximum;
		plan->refusal = (struct wk_refusal){ plan->maximum <= memory->maximum ? WK_LIMIT_DECLARED : WK_LIMIT_SUPPORTED,
			"linear memory", plan->page, memory->maximum, memory->maximum };
		return;
	}
	/* By as much as is allowed, then less and less: the same end as page by page. */
	for (step = (memory->maximum - memory->linear.size) / plan->page; step != 0; step /= 2)
		while (step <= (memory->maximum - memory->linear.size) / plan->page && wk_memory_grow(memory, step) != UINT64_MAX)
			;
	(void)wk_memory_grow(memory, 1);
	wk_keep_refusal(r->keep, &plan->refusal, &count);
	plan->grown = memory->linear.size;
	plan->grown_total = r->keep->root.used;
}

static enum wk_status rehearse(struct rehearsal *r, const void *bytes, size_t size, struct wk_plan *plan)
{
	uint64_t count = 0;
	enum wk_status status = load(r, bytes, size, plan);

	if (status == WK_OK)
		status = instantiate(r);
	if (status == WK_OK) {
		look(r, plan);
		status = wk_module_translate(r->module, r->options->fuel, r->report);
	}
	if (status != WK_OK) {
		if (r->keep)
			wk_keep_refusal(r->keep, &plan->refusal, &count);
		return status;
	}
	plan->fits = true;
	plan->code = r->keep->code.used;
	plan->with_code = r->keep->root.used;
	plan->peak = r->keep->root.peak;
	grow(r, plan);
	return WK_OK;
}

static void end(struct rehearsal *r)
{
	if (r->imports)
		wk_free(&r->store->heap, r->imports, r->module->import_count * sizeof *r->imports);
	wk_linker_delete(r->linker);
	wk_wasi_delete(r->wasi);
	wk_store_delete(r->store);
	wk_module_release(r->module);
	wk_keep_delete(r->keep);
	wk_simulated_delete(r->simulated);
}

static void recommend(const struct rehearsal *r, struct wk_plan *plan)
{
	uint64_t code = 0;

	for (uint32_t i = 0; r->module && i < r->module->func_count - r->module->imported_funcs; i++)
		code += r->module->funcs[r->module->imported_funcs + i].size;
	/* Measured over the programs of bench/: 1.5 times the code with guard pages, 2.1 with checks, and what an image's file
	 * has beside. */
	plan->image = code * 2 + code / 8 + 8192;
	plan->ta_data_size = DATA_SIZE;
	plan->ta_stack_size = STACK_SIZE;
	plan->max_memory = r->simulated && plan->fits && plan->has_memory ? plan->grown / plan->page * plan->page : WK_PLAN_NONE;
}

enum wk_status wk_memory_plan(const void *bytes, size_t size, const struct wk_plan_options *options,
	struct wk_report *report, struct wk_plan *plan)
{
	static const struct wk_plan_options defaults = { 0 };
	struct rehearsal r = { .options = options ? options : &defaults, .report = report };
	struct wk_plan made = { 0 };
	enum wk_status status = WK_OK;

	if ((!bytes && size != 0) || !plan)
		return WK_BAD_ARGUMENT;
	if (r.options->profile && r.options->profile->hole_count != 0)
		status = wk_simulated_new(r.options->profile, report, &r.simulated);
	if (status == WK_OK)
		status = rehearse(&r, bytes, size, &made);
	recommend(&r, &made);
	end(&r);
	/* What does not fit is what the plan is for; what is no module at all is not. */
	if (status == WK_NO_MEMORY && r.module) {
		made.fits = false;
		status = WK_OK;
	}
	if (status == WK_OK)
		*plan = made;
	return status;
}
