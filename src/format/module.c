/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding a module (specification 5.5): the frame of sections first, then what is in them.
 *
 * All sections are found, and their order and sizes checked, before one is opened. So the counts of all index spaces
 * are known when the first array is made, every array is made once with its final length, and the arena's first block
 * can be as large as all of them together: a module of any size takes a handful of heap allocations.
 *
 * What always holds: a count that sizes an allocation was checked against the bytes that must hold that many items.
 */
#include "base/checked.h"
#include "base/leb128.h"
#include "format/decoder.h"

/* Where a section may stand, by id (5.5.18). */
static const uint8_t section_order[WK_SECTION_IDS] = {
	[WK_SECTION_TYPE] = 1, [WK_SECTION_IMPORT] = 2, [WK_SECTION_FUNCTION] = 3, [WK_SECTION_TABLE] = 4,
	[WK_SECTION_MEMORY] = 5, [WK_SECTION_TAG] = 6, [WK_SECTION_GLOBAL] = 7, [WK_SECTION_EXPORT] = 8,
	[WK_SECTION_START] = 9, [WK_SECTION_ELEMENT] = 10, [WK_SECTION_DATA_COUNT] = 11, [WK_SECTION_CODE] = 12,
	[WK_SECTION_DATA] = 13,
};

void *wk_decoder_array(struct wk_decoder *decoder, size_t count, size_t item)
{
	void *array = wk_arena_alloc_array(&decoder->module->arena, count, item);

	if (array == NULL)
		(void)wk_budget_refuse(&decoder->module->budget, (uint64_t)count * item, decoder->reader.report);
	return array;
}

enum wk_status wk_decoder_fail(struct wk_decoder *decoder, uint32_t offset, const char *text)
{
	return wk_report_set(decoder->reader.report, WK_MALFORMED, offset, WK_NO_FUNCTION, "%s", text);
}

enum wk_status wk_decode_expression(struct wk_decoder *decoder, struct wk_constexpr *expression)
{
	uint32_t offset = wk_reader_offset(&decoder->reader);
	enum wk_status status = wk_skip_expression(&decoder->reader, &decoder->scope);

	if (status == WK_OK)
		*expression = (struct wk_constexpr){ offset, wk_reader_offset(&decoder->reader) - offset };
	return status;
}

/* ---- the frame ---- */

static enum wk_status read_section(struct wk_reader *reader, struct wk_section *section)
{
	struct wk_reader inside = *reader;
	uint32_t size = 0;
	enum wk_status status;

	if (*reader->at >= WK_SECTION_IDS)
		return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), WK_NO_FUNCTION,
			"malformed section id %u", (uint32_t)*reader->at);
	inside.at++;
	status = wk_read_u32(&inside, &size);
	if (status != WK_OK)
		return status;
	if (size > wk_reader_left(&inside))
		return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), WK_NO_FUNCTION,
			"length out of bounds: a section of %u bytes in %zu", size, wk_reader_left(&inside));
	*section = (struct wk_section){ .id = *reader->at, .offset = wk_reader_offset(&inside), .size = size };
	inside.end = inside.at + size;
	if (section->id == WK_SECTION_CUSTOM) {
		status = wk_read_name(&inside, &section->name);
		if (status != WK_OK)
			return status;
	}
	reader->at = inside.end;
	return WK_OK;
}

/* Checks order and sizes, fills contents[] and counts. */
static enum wk_status find_sections(struct wk_decoder *decoder, struct wk_reader reader)
{
	struct wk_module *module = decoder->module;
	uint8_t last = 0;

	while (wk_reader_left(&reader) != 0) {
		uint32_t offset = wk_reader_offset(&reader);
		struct wk_section section;
		enum wk_status status = read_section(&reader, &section);

		if (status != WK_OK)
			return status;
		if (++module->section_count > WK_MAX_SECTIONS)
			return wk_report_set(reader.report, WK_LIMIT, offset, WK_NO_FUNCTION, "too many sections, at most %u",
				WK_MAX_SECTIONS);
		if (section.id == WK_SECTION_CUSTOM)
			continue;
		if (section_order[section.id] <= last)
			return wk_report_set(reader.report, WK_MALFORMED, offset, WK_NO_FUNCTION,
				"unexpected content after last section: section %u is %s", (uint32_t)section.id,
				section_order[section.id] == last ? "there twice" : "out of order");
		last = section_order[section.id];
		decoder->contents[section.id] = wk_span(module->bytes.data + section.offset, section.size);
	}
	return WK_OK;
}

/* The second look at the frame, which succeeded once. */
static enum wk_status list_sections(struct wk_decoder *decoder, struct wk_reader reader)
{
	struct wk_module *module = decoder->module;

	module->sections = wk_decoder_array(decoder, module->section_count, sizeof *module->sections);
	if (module->sections == NULL)
		return WK_NO_MEMORY;
	for (uint32_t i = 0; i < module->section_count; i++) {
		enum wk_status status = read_section(&reader, &module->sections[i]);

		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

/* ---- counts ---- */

static struct wk_reader reader_of_section(const struct wk_decoder *decoder, enum wk_section_id id)
{
	struct wk_reader reader = decoder->reader;

	reader.at = decoder->contents[id].data;
	reader.end = reader.at + decoder->contents[id].size;
	return reader;
}

static enum wk_status count_section(struct wk_decoder *decoder, enum wk_section_id id, size_t item, uint32_t limit,
	const char *what, uint32_t *count)
{
	struct wk_reader reader;

	if (decoder->contents[id].data == NULL)
		return WK_OK;
	reader = reader_of_section(decoder, id);
	return wk_read_count(&reader, item, limit, what, count);
}

static enum wk_status count_definitions(struct wk_decoder *decoder)
{
	enum wk_status status = count_section(decoder, WK_SECTION_FUNCTION, 1, WK_MAX_FUNCTIONS, "functions",
		&decoder->declared_funcs);

	if (status == WK_OK)
		status = count_section(decoder, WK_SECTION_TABLE, 2, WK_MAX_TABLES, "tables", &decoder->declared_tables);
	if (status == WK_OK)
		status = count_section(decoder, WK_SECTION_MEMORY, 1, WK_MAX_MEMORIES, "memories",
			&decoder->declared_memories);
	if (status == WK_OK)
		status = count_section(decoder, WK_SECTION_TAG, 2, WK_MAX_TAGS, "tags", &decoder->declared_tags);
	if (status == WK_OK)
		status = count_section(decoder, WK_SECTION_GLOBAL, 3, WK_MAX_GLOBALS, "globals", &decoder->declared_globals);
	return status;
}

/* How large the arena's first block should be. Counts of sections that are decoded later may still be lies: they are
 * cut at what the section could hold. */
static size_t estimate(const struct wk_decoder *decoder)
{
	static const struct { uint8_t id, item; uint16_t size; } arrays[] = {
		{ WK_SECTION_TYPE, 2, 2 * sizeof(uint32_t) },
		{ WK_SECTION_IMPORT, 3, sizeof(struct wk_import) + sizeof(struct wk_function_decl) },
		{ WK_SECTION_FUNCTION, 1, sizeof(struct wk_function_decl) },
		{ WK_SECTION_TABLE, 3, sizeof(struct wk_table_decl) },
		{ WK_SECTION_MEMORY, 2, sizeof(struct wk_memory_type) },
		{ WK_SECTION_TAG, 2, sizeof(uint32_t) },
		{ WK_SECTION_GLOBAL, 3, sizeof(struct wk_global_decl) },
		{ WK_SECTION_EXPORT, 3, sizeof(struct wk_export) },
		{ WK_SECTION_ELEMENT, 3, sizeof(struct wk_element_segment) },
		{ WK_SECTION_DATA, 2, sizeof(struct wk_data_segment) },
	};
	size_t total = (size_t)decoder->module->section_count * sizeof(struct wk_section) + 48;

	for (size_t i = 0; i < WK_COUNT(arrays); i++) {
		struct wk_reader reader;
		uint32_t count = 0;

		if (decoder->contents[arrays[i].id].data == NULL)
			continue;
		reader = reader_of_section(decoder, (enum wk_section_id)arrays[i].id);
		reader.report = NULL;
		if (wk_read_u32(&reader, &count) == WK_OK && count <= wk_reader_left(&reader) / arrays[i].item)
			total += (size_t)count * arrays[i].size + 16;
	}
	return total;
}

/* ---- what is in them ---- */

static enum wk_status decode_section(struct wk_decoder *decoder, enum wk_section_id id,
	enum wk_status (*decode)(struct wk_decoder *decoder), bool always)
{
	enum wk_status status;

	if (decoder->contents[id].data == NULL && !always)
		return WK_OK;
	/* An absent section is read as no bytes: at the end of the module, for the offset in reports. */
	if (decoder->contents[id].data != NULL) {
		decoder->reader = reader_of_section(decoder, id);
	} else {
		decoder->reader.at = decoder->module->bytes.data + decoder->module->bytes.size;
		decoder->reader.end = decoder->reader.at;
	}
	status = decode(decoder);
	if (status == WK_OK && wk_reader_left(&decoder->reader) != 0)
		return wk_decoder_fail(decoder, wk_reader_offset(&decoder->reader),
			"section size mismatch: bytes are left behind the last item");
	return status;
}

static enum wk_status decode_sections(struct wk_decoder *decoder)
{
	static const struct {
		enum wk_section_id id;
		bool always;
		enum wk_status (*decode)(struct wk_decoder *decoder);
	} steps[] = {
		{ WK_SECTION_TYPE, false, wk_decode_types },
		{ WK_SECTION_IMPORT, true, wk_decode_imports },
		{ WK_SECTION_FUNCTION, false, wk_decode_functions },
		{ WK_SECTION_TABLE, false, wk_decode_tables },
		{ WK_SECTION_MEMORY, false, wk_decode_memories },
		{ WK_SECTION_TAG, false, wk_decode_tags },
		{ WK_SECTION_GLOBAL, false, wk_decode_globals },
		{ WK_SECTION_EXPORT, false, wk_decode_exports },
		{ WK_SECTION_START, false, wk_decode_start },
		{ WK_SECTION_ELEMENT, false, wk_decode_elements },
		{ WK_SECTION_DATA_COUNT, false, wk_decode_data_count },
		{ WK_SECTION_CODE, true, wk_decode_code },
		{ WK_SECTION_DATA, true, wk_decode_datas },
	};

	for (size_t i = 0; i < WK_COUNT(steps); i++) {
		enum wk_status status = decode_section(decoder, steps[i].id, steps[i].decode, steps[i].always);

		if (status != WK_OK)
			return status;
		if (steps[i].id == WK_SECTION_TYPE)
			decoder->scope = wk_scope_of_module(decoder->module);
	}
	return WK_OK;
}

static void decode_name_section(struct wk_module *module)
{
	for (uint32_t i = 0; i < module->section_count; i++) {
		const struct wk_section *section = &module->sections[i];

		if (section->id == WK_SECTION_CUSTOM && wk_span_equal(section->name, wk_span("name", 4))) {
			const uint8_t *contents = section->name.data + section->name.size;
			const uint8_t *end = module->bytes.data + section->offset + section->size;

			wk_decode_names(module, wk_span(contents, (size_t)(end - contents)));
			return;
		}
	}
}

static enum wk_status decode(struct wk_module *module, struct wk_report *report)
{
	struct wk_decoder decoder = { .module = module };
	struct wk_reader frame = { module->bytes.data + 8, module->bytes.data + module->bytes.size, module->bytes.data,
		report, WK_NO_FUNCTION };
	enum wk_status status;

	decoder.reader = frame;
	status = find_sections(&decoder, frame);
	if (status == WK_OK)
		status = count_definitions(&decoder);
	if (status != WK_OK)
		return status;
	wk_arena_init(&module->arena, &module->budget, estimate(&decoder));
	status = list_sections(&decoder, frame);
	if (status == WK_OK)
		status = decode_sections(&decoder);
	if (status == WK_OK)
		decode_name_section(module);
	return status;
}

/* ---- life ---- */

enum wk_status wk_module_decode(struct wk_budget *budget, struct wk_registry *registry, struct wk_span bytes,
	struct wk_report *report, struct wk_module **result)
{
	struct wk_module *module;
	enum wk_status status = wk_check_header(bytes, report);

	if (status != WK_OK)
		return status;
	if (bytes.size > WK_MAX_MODULE_SIZE)
		return wk_report_set(report, WK_LIMIT, 0, WK_NO_FUNCTION, "too large a module: %zu bytes, at most %u",
			bytes.size, WK_MAX_MODULE_SIZE);
	module = wk_alloc(budget, sizeof *module);
	if (module == NULL)
		return wk_budget_refuse(budget, sizeof *module, report);
	wk_budget_init(&module->budget, budget, "module", WK_UNLIMITED, NULL);
	wk_arena_init(&module->arena, &module->budget, 0);
	module->registry = registry;
	module->bytes = bytes;
	module->references = 1;
	module->start = UINT32_MAX;
	status = decode(module, report);
	if (status != WK_OK) {
		wk_module_free(module);
		return status;
	}
	*result = module;
	return WK_OK;
}

void wk_module_free(struct wk_module *module)
{
	struct wk_budget *budget;

	if (module == NULL)
		return;
	budget = module->budget.parent;
	/* The newest first: a group is dropped before those it names. */
	while (module->group_count != 0)
		wk_registry_drop(module->registry, module->groups[--module->group_count]);
	wk_arena_end(&module->arena);
	wk_budget_end(&module->budget);
	wk_free(budget, module, sizeof *module);
}

/* ---- what toolchains tell ---- */

uint64_t wk_module_constant(const struct wk_module *module, struct wk_constexpr expression)
{
	const uint8_t *at = module->bytes.data + expression.offset;
	bool wide = *at == 0x42;
	int64_t value;

	if (*at != 0x41 && *at != 0x42)
		return UINT64_MAX;
	at++;
	value = wk_leb_trusted_signed(&at);
	if (*at != 0x0b)
		return UINT64_MAX;
	return wide ? (uint64_t)value : (uint32_t)value;
}

uint64_t wk_module_exported_constant(const struct wk_module *module, const char *name)
{
	for (uint32_t i = 0; i < module->export_count; i++) {
		const struct wk_export *export = &module->exports[i];

		if (export->kind == WK_EXTERN_GLOBAL && export->index >= module->imported_globals &&
			wk_span_equal(export->name, wk_span_of_text(name)) && !module->globals[export->index].type.mutable_)
			return wk_module_constant(module, module->globals[export->index].init);
	}
	return UINT64_MAX;
}

uint64_t wk_module_data_end(const struct wk_module *module)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < module->data_count; i++) {
		const struct wk_data_segment *data = &module->datas[i];
		uint64_t at;

		if (data->mode != WK_SEGMENT_ACTIVE || data->memory != 0)
			continue;
		at = wk_module_constant(module, data->offset);
		if (at == UINT64_MAX || wk_add64_overflows(at, data->bytes.size, &at))
			return UINT64_MAX;
		if (at > end)
			end = at;
	}
	return end;
}

/* Less will do at first when the toolchain says where the program's heap would begin, all data lie below that, and no
 * function asks how much memory there is: of a page of 64 KiB most will never be touched, in a place that counts in pages
 * of 4. */
uint64_t wk_module_small(const struct wk_module *module)
{
	const struct wk_memory_type *type = module->memories;
	uint64_t declared, heap_base;

	if (module->memory_count != 1 || module->imported_memories != 0 || module->asks_memory_size)
		return 0;
	declared = type->limits.minimum > UINT64_MAX >> type->page_log2 ? UINT64_MAX :
		type->limits.minimum << type->page_log2;
	heap_base = wk_module_exported_constant(module, "__heap_base");
	if (heap_base >= declared || heap_base == 0 || wk_module_exported_constant(module, "__data_end") > heap_base ||
		wk_module_data_end(module) > heap_base)
		return 0;
	heap_base = (heap_base + 15) & ~(uint64_t)15;
	return heap_base < declared ? heap_base : 0;
}
