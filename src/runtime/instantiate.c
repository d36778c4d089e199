/* SPDX-License-Identifier: Apache-2.0
 *
 * Instantiation (specification 4.5.4): check the imports, lay out the instance, evaluate what is constant, run the
 * segments, call the start function. In this order, because each step may rely on the ones before, and because what
 * fails before the segments leaves no trace that a guest could see.
 *
 * An instance is one allocation in the store's arena: the struct, its index spaces, and the storage of what it defines.
 * A second one holds the items of passive element segments, which table.init reads at random. Active segments are
 * written straight from the module's bytes.
 *
 * What always holds: an instance in the store's list has valid pointers in all index spaces but tables and memories that
 * are not made yet, and these are not in the store's lists. Nothing that a failed instantiation made is freed before the
 * store: its functions may be in an imported table already.
 */
#include "base/checked.h"
#include "base/leb128.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

/* ---- layout ---- */

enum part {
	PART_INSTANCE, PART_IMPORTED_FUNCS, PART_TABLES, PART_MEMORIES, PART_GLOBALS, PART_TAGS, PART_CELLS, PART_ELEMENT_SLOTS,
	PART_OWN_GLOBALS, PART_OWN_FUNCS, PART_OWN_TABLES, PART_OWN_MEMORIES, PART_OWN_TAGS, PART_DROPPED_ELEMENTS,
	PART_DROPPED_DATAS, PART_COUNT
};

struct layout {
	size_t offset[PART_COUNT];
	size_t size;
	bool overflow;
};

static void lay(struct layout *layout, enum part part, size_t count, size_t item)
{
	size_t bytes, end;

	if (wk_mul_overflows(count, item, &bytes) || wk_add_overflows(layout->size, bytes, &end) || end > SIZE_MAX - 7) {
		layout->overflow = true;
		return;
	}
	layout->offset[part] = layout->size;
	layout->size = (end + 7) & ~(size_t)7;
}

static void lay_out(struct layout *layout, const struct wk_module *m)
{
	*layout = (struct layout){ .size = 0 };
	lay(layout, PART_INSTANCE, 1, sizeof(struct wk_instance));
	lay(layout, PART_IMPORTED_FUNCS, m->imported_funcs, sizeof(struct wk_func *));
	lay(layout, PART_TABLES, m->table_count, sizeof(struct wk_table *));
	lay(layout, PART_MEMORIES, m->memory_count, sizeof(struct wk_memory *));
	lay(layout, PART_GLOBALS, m->global_count, sizeof(struct wk_global *));
	lay(layout, PART_TAGS, m->tag_count, sizeof(struct wk_tag *));
	lay(layout, PART_CELLS, m->global_count, sizeof(uint64_t *));
	lay(layout, PART_ELEMENT_SLOTS, m->element_count, sizeof(uint64_t *));
	lay(layout, PART_OWN_GLOBALS, m->global_count - m->imported_globals, sizeof(struct wk_global));
	lay(layout, PART_OWN_FUNCS, m->func_count - m->imported_funcs, sizeof(struct wk_func));
	lay(layout, PART_OWN_TABLES, m->table_count - m->imported_tables, sizeof(struct wk_table));
	lay(layout, PART_OWN_MEMORIES, m->memory_count - m->imported_memories, sizeof(struct wk_memory));
	lay(layout, PART_OWN_TAGS, m->tag_count - m->imported_tags, sizeof(struct wk_tag));
	lay(layout, PART_DROPPED_ELEMENTS, m->element_count, 1);
	lay(layout, PART_DROPPED_DATAS, m->data_count, 1);
}

static void bind_imports(struct wk_instance *instance, const struct wk_external *imports)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = 0; i < m->import_count; i++) {
		uint32_t index = m->imports[i].index;

		switch (m->imports[i].kind) {
		case WK_EXTERN_FUNC: instance->imported_funcs[index] = imports[i].of.func; break;
		case WK_EXTERN_TABLE: instance->tables[index] = imports[i].of.table; break;
		case WK_EXTERN_MEMORY: instance->memories[index] = imports[i].of.memory; break;
		case WK_EXTERN_GLOBAL: instance->globals[index] = imports[i].of.global; break;
		case WK_EXTERN_TAG: instance->tags[index] = imports[i].of.tag; break;
		}
	}
}

/* Fills the index spaces behind the imports. Tables and memories get storage that is not in use yet. */
static void bind_own(struct wk_instance *instance, uint8_t *block, const struct layout *layout)
{
	const struct wk_module *m = instance->module;
	struct wk_global *globals = (void *)(block + layout->offset[PART_OWN_GLOBALS]);
	struct wk_table *tables = (void *)(block + layout->offset[PART_OWN_TABLES]);
	struct wk_memory *memories = (void *)(block + layout->offset[PART_OWN_MEMORIES]);
	struct wk_tag *tags = (void *)(block + layout->offset[PART_OWN_TAGS]);

	instance->own_funcs = (void *)(block + layout->offset[PART_OWN_FUNCS]);
	for (uint32_t i = m->imported_funcs; i < m->func_count; i++)
		instance->own_funcs[i - m->imported_funcs] = (struct wk_func){ m->funcs[i].type, i, instance };
	for (uint32_t i = m->imported_tables; i < m->table_count; i++)
		instance->tables[i] = &tables[i - m->imported_tables];
	for (uint32_t i = m->imported_memories; i < m->memory_count; i++)
		instance->memories[i] = &memories[i - m->imported_memories];
	for (uint32_t i = m->imported_globals; i < m->global_count; i++) {
		instance->globals[i] = &globals[i - m->imported_globals];
		*instance->globals[i] = (struct wk_global){ .type = m->globals[i].type, .store = instance->store };
	}
	for (uint32_t i = m->imported_tags; i < m->tag_count; i++) {
		instance->tags[i] = &tags[i - m->imported_tags];
		*instance->tags[i] = (struct wk_tag){ m->tags[i], instance->store };
	}
	for (uint32_t i = 0; i < m->global_count; i++)
		instance->global_cells[i] = instance->globals[i]->slots;
}

/* Allocates the instance and puts it in the store's list, with everything bound. */
static enum wk_status make(struct wk_store *store, struct wk_module *module, const struct wk_external *imports,
	struct wk_report *report, struct wk_instance **made)
{
	struct wk_instance *instance;
	struct layout layout;
	uint8_t *block;

	lay_out(&layout, module);
	block = layout.overflow ? NULL : wk_arena_alloc(&store->arena, layout.size);
	if (!block)
		return wk_budget_refuse(&store->heap, layout.size, report);
	instance = (void *)block;
	instance->module = module;
	instance->store = store;
	instance->imported_funcs = (void *)(block + layout.offset[PART_IMPORTED_FUNCS]);
	instance->tables = (void *)(block + layout.offset[PART_TABLES]);
	instance->memories = (void *)(block + layout.offset[PART_MEMORIES]);
	instance->globals = (void *)(block + layout.offset[PART_GLOBALS]);
	instance->tags = (void *)(block + layout.offset[PART_TAGS]);
	instance->global_cells = (void *)(block + layout.offset[PART_CELLS]);
	instance->element_slots = (void *)(block + layout.offset[PART_ELEMENT_SLOTS]);
	instance->dropped_elements = block + layout.offset[PART_DROPPED_ELEMENTS];
	instance->dropped_datas = block + layout.offset[PART_DROPPED_DATAS];
	bind_imports(instance, imports);
	bind_own(instance, block, &layout);

	__atomic_fetch_add(&module->references, 1, __ATOMIC_RELAXED);
	instance->next = store->instances;
	store->instances = instance;
	*made = instance;
	return WK_OK;
}

/* ---- globals, tables, memories ---- */

static enum wk_status refuse_expression(struct wk_constexpr expression, struct wk_report *report)
{
	return wk_report_set(report, WK_LIMIT, expression.offset, WK_NO_FUNCTION,
		"a constant expression has more operands than the stack has room");
}

static enum wk_status make_globals(struct wk_instance *instance, struct wk_report *report)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = m->imported_globals; i < m->global_count; i++)
		if (wk_constexpr_evaluate(instance, m->globals[i].init, instance->globals[i]->slots) != WK_OK)
			return refuse_expression(m->globals[i].init, report);
	return WK_OK;
}

static enum wk_status make_tables(struct wk_instance *instance, struct wk_report *report)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = m->imported_tables; i < m->table_count; i++) {
		const struct wk_table_decl *decl = &m->tables[i];
		uint64_t init[2] = { 0 };
		enum wk_status status;

		if (decl->init.size != 0 && wk_constexpr_evaluate(instance, decl->init, init) != WK_OK)
			return refuse_expression(decl->init, report);
		status = wk_table_init_storage(instance->store, instance->tables[i], &decl->type, init[0], report);
		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

/* What a memory has at first: what is declared, or less (wk_module_small). */
static uint64_t first_bytes(const struct wk_module *m, uint32_t memory)
{
	const struct wk_memory_type *type = &m->memories[memory];

	if (m->small != 0)
		return m->small;
	return type->limits.minimum > UINT64_MAX >> type->page_log2 ? UINT64_MAX : type->limits.minimum << type->page_log2;
}

static enum wk_status make_memories(struct wk_instance *instance, struct wk_report *report)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = m->imported_memories; i < m->memory_count; i++) {
		enum wk_status status = wk_memory_init_storage(instance->store, instance->memories[i], &m->memories[i],
			first_bytes(m, i), report);

		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

/* What host functions take for the caller's memory. */
static void find_main_memory(struct wk_instance *instance)
{
	const struct wk_module *m = instance->module;
	struct wk_external external;

	if (wk_instance_export(instance, wk_span_of_text("memory"), &external) && external.kind == WK_EXTERN_MEMORY)
		instance->main_memory = external.of.memory;
	else if (m->memory_count != 0)
		instance->main_memory = instance->memories[0];
}

/* ---- segments ---- */

/* Writes all items of an element segment to `slots`, which has room for them. */
static enum wk_status write_items(struct wk_instance *instance, const struct wk_element_segment *segment,
	uint64_t *slots, struct wk_report *report)
{
	const uint8_t *at = instance->module->bytes.data + segment->items;
	uint64_t item[2];

	for (uint32_t i = 0; i < segment->count; i++) {
		if (!segment->expressions)
			slots[i] = (uint64_t)(uintptr_t)wk_instance_func(instance, (uint32_t)wk_leb_trusted(&at));
		else if (wk_constexpr_next(instance, &at, item) == WK_OK)
			slots[i] = item[0];
		else
			return refuse_expression((struct wk_constexpr){ segment->items, 0 }, report);
	}
	return WK_OK;
}

static enum wk_status make_passive_elements(struct wk_instance *instance, struct wk_report *report)
{
	const struct wk_module *m = instance->module;
	size_t total = 0; /* each item takes a byte of the module at least: no overflow */
	uint64_t *slots;

	for (uint32_t i = 0; i < m->element_count; i++) {
		if (m->elements[i].mode == WK_SEGMENT_PASSIVE)
			total += m->elements[i].count;
		else
			instance->dropped_elements[i] = m->elements[i].mode == WK_SEGMENT_DECLARATIVE;
	}
	if (total == 0)
		return WK_OK;
	slots = wk_arena_alloc_array(&instance->store->arena, total, sizeof(*slots));
	if (!slots)
		return wk_budget_refuse(&instance->store->heap, total * sizeof(*slots), report);
	for (uint32_t i = 0; i < m->element_count; i++) {
		enum wk_status status;

		if (m->elements[i].mode != WK_SEGMENT_PASSIVE || m->elements[i].count == 0)
			continue;
		status = write_items(instance, &m->elements[i], slots, report);
		if (status != WK_OK)
			return status;
		instance->element_slots[i] = slots;
		slots += m->elements[i].count;
	}
	return WK_OK;
}

/* The offset of an active segment, an address of type i64 or i32. */
static enum wk_status segment_offset(struct wk_instance *instance, struct wk_constexpr expression, bool is64,
	struct wk_report *report, uint64_t *offset)
{
	uint64_t value[2];

	if (wk_constexpr_evaluate(instance, expression, value) != WK_OK)
		return refuse_expression(expression, report);
	*offset = is64 ? value[0] : (uint32_t)value[0];
	return WK_OK;
}

static enum wk_status run_element_segment(struct wk_instance *instance, uint32_t index, struct wk_report *report)
{
	const struct wk_element_segment *segment = &instance->module->elements[index];
	struct wk_table *table = instance->tables[segment->table];
	uint64_t offset = 0;
	enum wk_status status = segment_offset(instance, segment->offset, table->type.limits.is64, report, &offset);

	if (status != WK_OK)
		return status;
	if (!wk_range_fits(offset, segment->count, table->size))
		return wk_report_trap(report, WK_TRAP_TABLE_BOUNDS, segment->offset.offset, WK_NO_FUNCTION);
	instance->dropped_elements[index] = 1;
	return segment->count == 0 ? WK_OK : write_items(instance, segment, table->elements + offset, report);
}

static enum wk_status run_data_segment(struct wk_instance *instance, uint32_t index, struct wk_report *report)
{
	const struct wk_data_segment *segment = &instance->module->datas[index];
	struct wk_memory *memory = instance->memories[segment->memory];
	uint64_t offset = 0;
	enum wk_status status = segment_offset(instance, segment->offset, memory->type.limits.is64, report, &offset);

	if (status != WK_OK)
		return status;
	if (!wk_range_fits(offset, segment->bytes.size, memory->linear.size))
		return wk_report_trap(report, WK_TRAP_MEMORY_BOUNDS, segment->offset.offset, WK_NO_FUNCTION);
	if (segment->bytes.size != 0)
		memcpy(memory->linear.base + offset, segment->bytes.data, segment->bytes.size);
	wk_data_drop(instance, index);
	return WK_OK;
}

static enum wk_status run_segments(struct wk_instance *instance, struct wk_report *report)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = 0; i < m->element_count; i++) {
		enum wk_status status = m->elements[i].mode == WK_SEGMENT_ACTIVE ?
			run_element_segment(instance, i, report) : WK_OK;

		if (status != WK_OK)
			return status;
	}
	for (uint32_t i = 0; i < m->data_count; i++) {
		enum wk_status status = m->datas[i].mode == WK_SEGMENT_ACTIVE ? run_data_segment(instance, i, report) : WK_OK;

		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

/* ---- all of it ---- */

/* Everything up to where a guest could see it. */
static enum wk_status build(struct wk_instance *instance, struct wk_report *report)
{
	enum wk_status status = make_globals(instance, report);

	if (status == WK_OK)
		status = make_tables(instance, report);
	if (status == WK_OK)
		status = make_memories(instance, report);
	if (status == WK_OK)
		status = make_passive_elements(instance, report);
	if (status == WK_OK)
		find_main_memory(instance);
	if (status == WK_OK && wk_native_serves(instance->module, instance->store->metering))
		status = instance->module->native->bind(instance, report);
	return status;
}

enum wk_status wk_instantiate(struct wk_store *store, struct wk_module *module, const struct wk_external *imports,
	struct wk_report *report, struct wk_instance **instance)
{
	struct wk_instance *made = NULL;
	enum wk_status status;

	if (module->native && module->native->bare && !wk_native_serves(module, store->metering))
		return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image does not count fuel, and without the module nothing else can run it (wasmkeep compile --fuel makes one "
			"that does)");
	for (uint32_t i = 0; i < module->import_count; i++) {
		status = wk_import_check(module, i, &imports[i], report);
		if (status != WK_OK)
			return status;
		/* Code of other modules takes what it finds for all. */
		if (imports[i].kind == WK_EXTERN_MEMORY && !wk_memory_complete(imports[i].of.memory))
			return wk_budget_refuse(&store->memories, imports[i].of.memory->minimum, report);
	}
	if (module->func_count > module->imported_funcs) {
		status = store->keep->engine->prepare(module, store->metering, report);
		if (status != WK_OK)
			return status;
	}
	status = make(store, module, imports, report, &made);
	if (status == WK_OK)
		status = build(made, report);
	if (status == WK_OK)
		status = run_segments(made, report);
	if (status == WK_OK && module->start != WK_NO_FUNCTION) {
		uint64_t none[1] = { 0 };

		status = wk_call(wk_instance_func(made, module->start), none, report);
	}
	if (status == WK_OK)
		*instance = made;
	return status;
}

struct wk_external wk_instance_external(const struct wk_instance *instance, const struct wk_export *export)
{
	struct wk_external external = { .kind = export->kind };

	switch (export->kind) {
	case WK_EXTERN_FUNC: external.of.func = wk_instance_func(instance, export->index); break;
	case WK_EXTERN_TABLE: external.of.table = instance->tables[export->index]; break;
	case WK_EXTERN_MEMORY: external.of.memory = instance->memories[export->index]; break;
	case WK_EXTERN_GLOBAL: external.of.global = instance->globals[export->index]; break;
	case WK_EXTERN_TAG: external.of.tag = instance->tags[export->index]; break;
	}
	return external;
}

bool wk_instance_export(struct wk_instance *instance, struct wk_span name, struct wk_external *external)
{
	const struct wk_module *m = instance->module;

	for (uint32_t i = 0; i < m->export_count; i++) {
		if (wk_span_equal(m->exports[i].name, name)) {
			*external = wk_instance_external(instance, &m->exports[i]);
			return true;
		}
	}
	return false;
}
