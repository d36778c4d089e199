/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of a module (specification 3.5): its types, definitions and segments, then every function body.
 *
 * The order is such that what an expression may name has been checked before: types, then the types of all
 * definitions, then expressions (which declare functions for ref.func), then bodies. All scratch memory is the
 * validator's, is used for all functions, and is given back at the end.
 */
#include "validate/validate.h"

#include "validate/validator.h"

/* Definitions are not kept with their offsets, so reports about one have that of its section and say its index. */
static uint64_t offset_of(const struct wk_validator *v, uint8_t section)
{
	for (uint32_t i = 0; i < v->module->section_count; i++)
		if (v->module->sections[i].id == section)
			return v->module->sections[i].offset;
	return WK_NO_OFFSET;
}

/* The section where a definition of this kind stands. */
static uint8_t section_of(enum wk_extern kind, bool imported)
{
	static const uint8_t sections[] = { WK_SECTION_FUNCTION, WK_SECTION_TABLE, WK_SECTION_MEMORY, WK_SECTION_GLOBAL,
		WK_SECTION_TAG };

	return imported ? (uint8_t)WK_SECTION_IMPORT : sections[kind];
}

static bool fail(struct wk_validator *v, uint8_t section, const char *text, const char *what, uint32_t index)
{
	v->status = wk_report_set(v->reader.report, WK_INVALID, offset_of(v, section), WK_NO_FUNCTION, "%s: %s %u", text,
		what, index);
	return false;
}

static bool unknown(struct wk_validator *v, uint8_t section, const char *what, uint32_t index, const char *by,
	uint32_t number)
{
	v->status = wk_report_set(v->reader.report, WK_INVALID, offset_of(v, section), WK_NO_FUNCTION,
		"unknown %s %u: in %s %u", what, index, by, number);
	return false;
}

/* ---- types (3.2.9, 3.2.10) ---- */

static bool field_matches(const struct wk_registry *registry, const struct wk_deftype *sub,
	const struct wk_deftype *super, uint32_t field)
{
	wk_valtype a = sub->types[field], b = super->types[field];

	if (sub->mutable_[field] != super->mutable_[field])
		return false;
	/* What can be written must be of the same type. */
	return sub->mutable_[field] ? a == b : wk_type_matches(registry, a, b);
}

static bool function_matches(const struct wk_registry *registry, const struct wk_deftype *sub,
	const struct wk_deftype *super)
{
	if (sub->parameter_count != super->parameter_count || sub->result_count != super->result_count)
		return false;
	for (uint32_t i = 0; i < sub->parameter_count; i++)
		if (!wk_type_matches(registry, super->types[i], sub->types[i]))
			return false;
	for (uint32_t i = 0; i < sub->result_count; i++)
		if (!wk_type_matches(registry, wk_results_of(sub)[i], wk_results_of(super)[i]))
			return false;
	return true;
}

static bool may_extend(const struct wk_registry *registry, const struct wk_deftype *sub, const struct wk_deftype *super)
{
	if (super->final || sub->composite != super->composite)
		return false;
	if (sub->composite == WK_COMPOSITE_FUNC)
		return function_matches(registry, sub, super);
	if (sub->field_count < super->field_count)
		return false;
	for (uint32_t i = 0; i < super->field_count; i++)
		if (!field_matches(registry, sub, super, i))
			return false;
	return true;
}

static bool check_types(struct wk_validator *v)
{
	for (uint32_t i = 0; i < v->module->type_count; i++) {
		const struct wk_deftype *type = wk_registry_get(v->registry, v->module->types[i]);

		if (type->super != WK_NO_TYPE && !may_extend(v->registry, type, wk_registry_get(v->registry, type->super)))
			return fail(v, WK_SECTION_TYPE, "sub type does not match its supertype", "type", i);
	}
	return true;
}

/* ---- definitions ---- */

static bool check_functions(struct wk_validator *v)
{
	for (uint32_t i = 0; i < v->module->func_count; i++)
		if (wk_module_func_type(v->module, i)->composite != WK_COMPOSITE_FUNC)
			return fail(v, section_of(WK_EXTERN_FUNC, i < v->module->imported_funcs),
				"unknown type: not a function type", "function", i);
	for (uint32_t i = 0; i < v->module->tag_count; i++) {
		const struct wk_deftype *type = wk_registry_get(v->registry, v->module->tags[i]);
		uint8_t section = section_of(WK_EXTERN_TAG, i < v->module->imported_tags);

		if (type->composite != WK_COMPOSITE_FUNC)
			return fail(v, section, "unknown type: not a function type", "tag", i);
		if (type->result_count != 0)
			return fail(v, section, "non-empty tag result type", "tag", i);
	}
	return true;
}

static bool check_tables(struct wk_validator *v)
{
	for (uint32_t i = 0; i < v->module->table_count; i++) {
		const struct wk_table_decl *table = &v->module->tables[i];
		const struct wk_limits *limits = &table->type.limits;
		uint8_t section = section_of(WK_EXTERN_TABLE, i < v->module->imported_tables);

		if (!limits->is64 && (limits->minimum > UINT32_MAX || (limits->has_maximum && limits->maximum > UINT32_MAX)))
			return fail(v, section, "table size must be at most 2^32-1", "table", i);
		if (limits->minimum > limits->maximum)
			return fail(v, section, "size minimum must not be greater than maximum", "table", i);
		if (i >= v->module->imported_tables && table->init.size == 0 && !wk_is_defaultable(table->type.element))
			return fail(v, section, "type mismatch: references that are never null need an initial value", "table", i);
	}
	return true;
}

/* 2^32 or 2^64 bytes at most, in pages (3.2.16); with pages of one byte, one less, so that the size is an address. */
static bool check_memories(struct wk_validator *v)
{
	for (uint32_t i = 0; i < v->module->memory_count; i++) {
		const struct wk_memory_type *memory = &v->module->memories[i];
		const struct wk_limits *limits = &memory->limits;
		uint8_t section = section_of(WK_EXTERN_MEMORY, i < v->module->imported_memories);
		uint32_t bits;
		uint64_t most;

		if (memory->page_log2 != 0 && memory->page_log2 != 16)
			return fail(v, section, "invalid custom page size: neither 1 nor 65536", "memory", i);
		bits = (limits->is64 ? 64u : 32u) - memory->page_log2;
		most = bits == 64 ? UINT64_MAX : bits == 32 ? UINT32_MAX : UINT64_C(1) << bits;
		if (limits->minimum > most || (limits->has_maximum && limits->maximum > most))
			return fail(v, section, !limits->is64 && memory->page_log2 == 16 ?
				"memory size must be at most 65536 pages (4GiB)" : "memory size must be at most what addresses reach",
				"memory", i);
		if (limits->minimum > limits->maximum)
			return fail(v, section, "size minimum must not be greater than maximum", "memory", i);
	}
	return true;
}

/* ---- exports (3.5.13) ---- */

static int compare_names(const struct wk_export *a, const struct wk_export *b)
{
	if (a->name.size != b->name.size)
		return a->name.size < b->name.size ? -1 : 1;
	return a->name.size == 0 ? 0 : memcmp(a->name.data, b->name.data, a->name.size);
}

/* Merges two sorted runs of export indices. In every merge a name is read at most twice its length, so that sorting
 * costs (bytes of names) * log(count) whatever the names are; a hash could be made to collide. */
static void merge(const struct wk_export *exports, const uint32_t *from, uint32_t middle, uint32_t end, uint32_t *to)
{
	uint32_t a = 0, b = middle;

	for (uint32_t i = 0; i < end; i++) {
		if (b >= end || (a < middle && compare_names(&exports[from[a]], &exports[from[b]]) <= 0))
			to[i] = from[a++];
		else
			to[i] = from[b++];
	}
}

static const uint32_t *sort_names(const struct wk_export *exports, uint32_t count, uint32_t *order, uint32_t *spare)
{
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t width = 1; width < count; width *= 2) {
		uint32_t *swap = order;

		for (uint32_t at = 0; at < count; at += 2 * width) {
			uint32_t left = count - at;

			merge(exports, order + at, left < width ? left : width, left < 2 * width ? left : 2 * width, spare + at);
		}
		order = spare;
		spare = swap;
	}
	return order;
}

static bool check_export_names(struct wk_validator *v)
{
	const struct wk_export *exports = v->module->exports;
	uint32_t count = v->module->export_count;
	size_t size = (size_t)count * 2 * sizeof(uint32_t);
	const uint32_t *sorted;
	uint32_t *scratch;
	bool ok = true;

	if (count < 2)
		return true;
	scratch = wk_alloc(&v->module->budget, size);
	if (scratch == NULL)
		return wk_validator_no_memory(v, size);
	sorted = sort_names(exports, count, scratch, scratch + count);
	for (uint32_t i = 1; ok && i < count; i++) {
		if (compare_names(&exports[sorted[i - 1]], &exports[sorted[i]]) == 0) {
			v->status = wk_report_set(v->reader.report, WK_INVALID,
				(uint64_t)(exports[sorted[i]].name.data - v->reader.base), WK_NO_FUNCTION, "duplicate export name \"%S\"",
				&exports[sorted[i]].name);
			ok = false;
		}
	}
	wk_free(&v->module->budget, scratch, size);
	return ok;
}

static bool check_exports(struct wk_validator *v)
{
	const struct wk_module *m = v->module;
	const uint32_t counts[] = { m->func_count, m->table_count, m->memory_count, m->global_count, m->tag_count };
	static const char *const names[] = { "function", "table", "memory", "global", "tag" };

	for (uint32_t i = 0; i < m->export_count; i++) {
		const struct wk_export *export = &m->exports[i];

		if (export->index >= counts[export->kind])
			return unknown(v, WK_SECTION_EXPORT, names[export->kind], export->index, "export", i);
		if (export->kind == WK_EXTERN_FUNC)
			wk_validator_declare(v, export->index);
	}
	return check_export_names(v);
}

static bool check_start(struct wk_validator *v)
{
	const struct wk_deftype *type;
	uint32_t start = v->module->start;

	if (start == UINT32_MAX)
		return true;
	if (start >= v->module->func_count)
		return unknown(v, WK_SECTION_START, "function", start, "start section", 0);
	type = wk_module_func_type(v->module, start);
	if (type->parameter_count != 0 || type->result_count != 0)
		return fail(v, WK_SECTION_START, "start function must have no parameters and no results", "function", start);
	return true;
}

/* ---- expressions and segments ---- */

static bool check_expressions(struct wk_validator *v)
{
	const struct wk_module *m = v->module;

	/* A global may read those before it; a table only imported ones, since tables come first (3.5.18). */
	for (uint32_t i = m->imported_globals; i < m->global_count; i++)
		if (!wk_validate_constant(v, m->globals[i].init, m->globals[i].type.type, i))
			return false;
	for (uint32_t i = m->imported_tables; i < m->table_count; i++)
		if (m->tables[i].init.size != 0 &&
			!wk_validate_constant(v, m->tables[i].init, m->tables[i].type.element, m->imported_globals))
			return false;
	return true;
}

static bool check_items(struct wk_validator *v, const struct wk_element_segment *segment, uint32_t number)
{
	const uint8_t *at = v->module->bytes.data + segment->items;

	for (uint32_t i = 0; i < segment->count; i++) {
		if (segment->expressions) {
			/* The items follow each other; each ends where validating it stopped. */
			struct wk_constexpr item = { (uint32_t)(at - v->module->bytes.data),
				(uint32_t)(v->module->bytes.size - (size_t)(at - v->module->bytes.data)) };

			if (!wk_validate_constant(v, item, segment->type, v->module->global_count))
				return false;
			at = v->reader.at;
		} else {
			uint32_t function = 0;

			v->reader.at = at;
			v->reader.end = v->module->bytes.data + v->module->bytes.size;
			if (!wk_validator_read(v, wk_read_u32(&v->reader, &function)))
				return false;
			if (function >= v->module->func_count)
				return unknown(v, WK_SECTION_ELEMENT, "function", function, "element segment", number);
			wk_validator_declare(v, function);
			at = v->reader.at;
		}
	}
	return true;
}

static bool check_elements(struct wk_validator *v)
{
	const struct wk_module *m = v->module;

	for (uint32_t i = 0; i < m->element_count; i++) {
		const struct wk_element_segment *segment = &m->elements[i];

		if (segment->mode == WK_SEGMENT_ACTIVE) {
			const struct wk_table_type *table;

			if (segment->table >= m->table_count)
				return unknown(v, WK_SECTION_ELEMENT, "table", segment->table, "element segment", i);
			table = &m->tables[segment->table].type;
			if (!wk_type_matches(v->registry, segment->type, table->element))
				return fail(v, WK_SECTION_ELEMENT, "type mismatch: the segment's type is not the table's", "element segment", i);
			if (!wk_validate_constant(v, segment->offset, wk_address_type(&table->limits), m->global_count))
				return false;
		}
		if (!check_items(v, segment, i))
			return false;
	}
	return true;
}

static bool check_datas(struct wk_validator *v)
{
	const struct wk_module *m = v->module;

	for (uint32_t i = 0; i < m->data_count; i++) {
		const struct wk_data_segment *segment = &m->datas[i];

		if (segment->mode != WK_SEGMENT_ACTIVE)
			continue;
		if (segment->memory >= m->memory_count)
			return unknown(v, WK_SECTION_DATA, "memory", segment->memory, "data segment", i);
		if (!wk_validate_constant(v, segment->offset, wk_address_type(&m->memories[segment->memory].limits),
			m->global_count))
			return false;
	}
	return true;
}

/* ---- all ---- */

static bool check_all(struct wk_validator *v)
{
	if (!check_types(v) || !check_functions(v) || !check_tables(v) || !check_memories(v) || !check_exports(v) ||
		!check_start(v) || !check_expressions(v) || !check_elements(v) || !check_datas(v))
		return false;
	if (v->module->memory_count != 0)
		v->memory0_address = wk_address_type(&v->module->memories[0].limits);
	for (uint32_t i = v->module->imported_funcs; i < v->module->func_count; i++)
		if (!wk_validate_function(v, i))
			return false;
	return true;
}

static void free_scratch(struct wk_validator *v, size_t declared_size)
{
	struct wk_budget *budget = &v->module->budget;

	wk_free(budget, v->inits, v->init_capacity * sizeof *v->inits);
	wk_free(budget, v->stamps, v->stamp_capacity * sizeof *v->stamps);
	wk_free(budget, v->runs, v->run_capacity * sizeof *v->runs);
	wk_free(budget, v->locals, v->local_capacity * sizeof *v->locals);
	wk_free(budget, v->controls, v->control_capacity * sizeof *v->controls);
	wk_free(budget, v->stack, v->stack_capacity * sizeof *v->stack);
	wk_free(budget, v->declared, declared_size);
}

enum wk_status wk_validate_module(struct wk_module *module, struct wk_report *report)
{
	size_t declared_size = ((size_t)module->func_count + 7) / 8;
	struct wk_validator v = { .module = module, .registry = module->registry, .scope = wk_scope_of_module(module) };
	void *stack = NULL;

	v.reader = (struct wk_reader){ module->bytes.data, module->bytes.data, module->bytes.data, report, WK_NO_FUNCTION };
	v.declared = wk_alloc(&module->budget, declared_size);
	if (v.declared == NULL) {
		(void)wk_validator_no_memory(&v, declared_size);
	} else if (wk_validator_grow(&v, &stack, &v.stack_capacity, 1, 256, sizeof *v.stack)) {
		v.stack = stack;
		(void)check_all(&v);
	}
	free_scratch(&v, declared_size);
	return v.status;
}
