/* SPDX-License-Identifier: Apache-2.0
 *
 * The sections that define index spaces (specification 5.5.5 to 5.5.11, 5.5.15, 5.5.17).
 *
 * The import section is read twice: first to count, so that each index space is one array of the right length with the
 * imports in front. What is defined here is appended by the later sections; their counts were read before the arrays
 * were made.
 *
 * What always holds: after wk_decode_imports an index space's array has room for imported + declared items, and its
 * count in the module says how many are filled.
 */
#include "format/decoder.h"

/* Numbers of 64 bits whatever the address type is (5.3.11); what it allows is for validation to say. */
static enum wk_status read_limits(struct wk_decoder *decoder, uint8_t flags, struct wk_limits *limits)
{
	struct wk_limits result = { .maximum = UINT64_MAX, .has_maximum = (flags & 1) != 0, .is64 = (flags & 4) != 0 };
	enum wk_status status = wk_read_unsigned(&decoder->reader, 64, &result.minimum);

	if (status == WK_OK && result.has_maximum)
		status = wk_read_unsigned(&decoder->reader, 64, &result.maximum);
	if (status == WK_OK)
		*limits = result;
	return status;
}

static enum wk_status read_table_type(struct wk_decoder *decoder, struct wk_table_type *type)
{
	struct wk_table_type result = { 0 };
	uint8_t flags = 0;
	enum wk_status status = wk_read_reftype(&decoder->reader, &decoder->scope, &result.element);

	if (status == WK_OK)
		status = wk_read_byte(&decoder->reader, &flags);
	if (status != WK_OK)
		return status;
	if ((flags & ~5) != 0)
		return wk_decoder_fail(decoder, wk_reader_offset(&decoder->reader) - 1, "malformed limits flags");
	status = read_limits(decoder, flags, &result.limits);
	if (status == WK_OK)
		*type = result;
	return status;
}

static enum wk_status read_memory_type(struct wk_decoder *decoder, struct wk_memory_type *type)
{
	struct wk_memory_type result = { .page_log2 = 16 };
	uint32_t offset = wk_reader_offset(&decoder->reader);
	uint32_t page_log2 = 0;
	uint8_t flags = 0;
	enum wk_status status = wk_read_byte(&decoder->reader, &flags);

	if (status != WK_OK)
		return status;
	if ((flags & ~0xf) != 0)
		return wk_decoder_fail(decoder, offset, "malformed limits flags");
	if ((flags & 2) != 0)
		return wk_report_set(decoder->reader.report, WK_UNSUPPORTED, offset, WK_NO_FUNCTION,
			"shared memories (the threads proposal) are not supported");
	status = read_limits(decoder, flags, &result.limits);
	if (status == WK_OK && (flags & 8) != 0) {
		offset = wk_reader_offset(&decoder->reader);
		status = wk_read_u32(&decoder->reader, &page_log2);
		if (status == WK_OK && page_log2 >= 64)
			return wk_decoder_fail(decoder, offset, "invalid custom page size");
		result.page_log2 = (uint8_t)page_log2;
	}
	if (status == WK_OK)
		*type = result;
	return status;
}

static enum wk_status read_global_type(struct wk_decoder *decoder, struct wk_global_type *type)
{
	wk_valtype value = 0;
	uint8_t flag = 0;
	enum wk_status status = wk_read_valtype(&decoder->reader, &decoder->scope, &value);

	if (status == WK_OK)
		status = wk_read_byte(&decoder->reader, &flag);
	if (status != WK_OK)
		return status;
	if (flag > 1)
		return wk_decoder_fail(decoder, wk_reader_offset(&decoder->reader) - 1, "malformed mutability");
	*type = (struct wk_global_type){ value, flag == 1 };
	return WK_OK;
}

/* A tag type: an attribute, 0, and a function type (5.3.15). */
static enum wk_status read_tag_type(struct wk_decoder *decoder, uint32_t *type)
{
	uint8_t attribute = 0;
	enum wk_status status = wk_read_byte(&decoder->reader, &attribute);

	if (status != WK_OK)
		return status;
	if (attribute != 0)
		return wk_decoder_fail(decoder, wk_reader_offset(&decoder->reader) - 1, "malformed tag attribute");
	return wk_read_type_index(&decoder->reader, &decoder->scope, type);
}

/* ---- imports ---- */

struct external {
	enum wk_extern kind;
	union {
		uint32_t type; /* functions and tags */
		struct wk_table_type table;
		struct wk_memory_type memory;
		struct wk_global_type global;
	} of;
};

static enum wk_status read_import(struct wk_decoder *decoder, struct wk_import *import, struct external *external)
{
	struct wk_reader *reader = &decoder->reader;
	uint8_t kind = 0;
	enum wk_status status = wk_read_name(reader, &import->module);

	if (status == WK_OK)
		status = wk_read_name(reader, &import->name);
	if (status == WK_OK)
		status = wk_read_byte(reader, &kind);
	if (status != WK_OK)
		return status;
	external->kind = import->kind = (enum wk_extern)kind;
	switch (kind) {
	case WK_EXTERN_FUNC:
		return wk_read_type_index(reader, &decoder->scope, &external->of.type);
	case WK_EXTERN_TABLE:
		return read_table_type(decoder, &external->of.table);
	case WK_EXTERN_MEMORY:
		return read_memory_type(decoder, &external->of.memory);
	case WK_EXTERN_GLOBAL:
		return read_global_type(decoder, &external->of.global);
	case WK_EXTERN_TAG:
		return read_tag_type(decoder, &external->of.type);
	default:
		return wk_decoder_fail(decoder, wk_reader_offset(reader) - 1, "malformed import kind");
	}
}

/* Puts the import at the end of its index space, whose arrays exist. */
static void add_import(struct wk_module *module, struct wk_import *import, const struct external *external)
{
	switch (external->kind) {
	case WK_EXTERN_FUNC:
		import->index = module->func_count++;
		module->funcs[import->index].type = external->of.type;
		break;
	case WK_EXTERN_TABLE:
		import->index = module->table_count++;
		module->tables[import->index].type = external->of.table;
		break;
	case WK_EXTERN_MEMORY:
		import->index = module->memory_count++;
		module->memories[import->index] = external->of.memory;
		break;
	case WK_EXTERN_GLOBAL:
		import->index = module->global_count++;
		module->globals[import->index].type = external->of.global;
		break;
	case WK_EXTERN_TAG:
		import->index = module->tag_count++;
		module->tags[import->index] = external->of.type;
		break;
	}
}

static enum wk_status count_imports(struct wk_decoder *decoder, uint32_t count, uint32_t imported[5])
{
	for (uint32_t i = 0; i < count; i++) {
		struct wk_import import = { 0 };
		struct external external;
		enum wk_status status = read_import(decoder, &import, &external);

		if (status != WK_OK)
			return status;
		imported[external.kind]++;
	}
	return WK_OK;
}

/* One array of an index space; its total is checked against the limit. */
static enum wk_status make_space(struct wk_decoder *decoder, uint32_t imported, uint32_t declared, uint32_t limit,
	const char *what, size_t item, void **array)
{
	if (imported > limit || declared > limit - imported)
		return wk_report_set(decoder->reader.report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"too many %s: %llu, at most %u", what, (unsigned long long)imported + declared, limit);
	*array = wk_decoder_array(decoder, (size_t)imported + declared, item);
	return *array == NULL ? WK_NO_MEMORY : WK_OK;
}

static enum wk_status make_spaces(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	void *funcs = NULL, *tables = NULL, *memories = NULL, *globals = NULL, *tags = NULL;
	enum wk_status status = make_space(decoder, module->imported_funcs, decoder->declared_funcs, WK_MAX_FUNCTIONS,
		"functions", sizeof *module->funcs, &funcs);

	if (status == WK_OK)
		status = make_space(decoder, module->imported_tables, decoder->declared_tables, WK_MAX_TABLES, "tables",
			sizeof *module->tables, &tables);
	if (status == WK_OK)
		status = make_space(decoder, module->imported_memories, decoder->declared_memories, WK_MAX_MEMORIES,
			"memories", sizeof *module->memories, &memories);
	if (status == WK_OK)
		status = make_space(decoder, module->imported_globals, decoder->declared_globals, WK_MAX_GLOBALS, "globals",
			sizeof *module->globals, &globals);
	if (status == WK_OK)
		status = make_space(decoder, module->imported_tags, decoder->declared_tags, WK_MAX_TAGS, "tags",
			sizeof *module->tags, &tags);
	if (status != WK_OK)
		return status;
	module->funcs = funcs;
	module->tables = tables;
	module->memories = memories;
	module->globals = globals;
	module->tags = tags;
	return WK_OK;
}

enum wk_status wk_decode_imports(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	uint32_t count = 0, imported[5] = { 0 };
	const uint8_t *first;
	enum wk_status status = WK_OK;

	if (decoder->contents[WK_SECTION_IMPORT].data != NULL)
		status = wk_read_count(&decoder->reader, 3, WK_MAX_IMPORTS, "imports", &count);
	first = decoder->reader.at;
	if (status == WK_OK)
		status = count_imports(decoder, count, imported);
	if (status != WK_OK)
		return status;
	module->imported_funcs = imported[WK_EXTERN_FUNC];
	module->imported_tables = imported[WK_EXTERN_TABLE];
	module->imported_memories = imported[WK_EXTERN_MEMORY];
	module->imported_globals = imported[WK_EXTERN_GLOBAL];
	module->imported_tags = imported[WK_EXTERN_TAG];
	status = make_spaces(decoder);
	if (status != WK_OK)
		return status;
	module->imports = wk_decoder_array(decoder, count, sizeof *module->imports);
	if (module->imports == NULL)
		return WK_NO_MEMORY;
	decoder->reader.at = first;
	for (; status == WK_OK && module->import_count < count; module->import_count++) {
		struct external external;

		status = read_import(decoder, &module->imports[module->import_count], &external);
		if (status == WK_OK)
			add_import(module, &module->imports[module->import_count], &external);
	}
	return status;
}

/* ---- definitions; the counts are those that were read before ---- */

static enum wk_status skip_count(struct wk_decoder *decoder)
{
	uint32_t count;

	return wk_read_u32(&decoder->reader, &count);
}

enum wk_status wk_decode_functions(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	enum wk_status status = skip_count(decoder);

	for (uint32_t i = 0; status == WK_OK && i < decoder->declared_funcs; i++)
		status = wk_read_type_index(&decoder->reader, &decoder->scope, &module->funcs[module->func_count++].type);
	return status;
}

/* 0x40 0x00 opens a table with an initial value; no reference type begins with 0x40 (5.5.7). */
static enum wk_status decode_table(struct wk_decoder *decoder, struct wk_table_decl *table)
{
	struct wk_reader *reader = &decoder->reader;
	bool has_init = wk_reader_left(reader) != 0 && *reader->at == 0x40;
	uint8_t zero = 0;
	enum wk_status status = WK_OK;

	if (has_init) {
		reader->at++;
		status = wk_read_byte(reader, &zero);
		if (status == WK_OK && zero != 0)
			return wk_decoder_fail(decoder, wk_reader_offset(reader) - 1, "malformed table: 0x00 expected");
	}
	if (status == WK_OK)
		status = read_table_type(decoder, &table->type);
	if (status == WK_OK && has_init)
		status = wk_decode_expression(decoder, &table->init);
	return status;
}

enum wk_status wk_decode_tables(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	enum wk_status status = skip_count(decoder);

	for (uint32_t i = 0; status == WK_OK && i < decoder->declared_tables; i++)
		status = decode_table(decoder, &module->tables[module->table_count++]);
	return status;
}

enum wk_status wk_decode_memories(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	enum wk_status status = skip_count(decoder);

	for (uint32_t i = 0; status == WK_OK && i < decoder->declared_memories; i++)
		status = read_memory_type(decoder, &module->memories[module->memory_count++]);
	return status;
}

enum wk_status wk_decode_tags(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	enum wk_status status = skip_count(decoder);

	for (uint32_t i = 0; status == WK_OK && i < decoder->declared_tags; i++)
		status = read_tag_type(decoder, &module->tags[module->tag_count++]);
	return status;
}

enum wk_status wk_decode_globals(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	enum wk_status status = skip_count(decoder);

	for (uint32_t i = 0; status == WK_OK && i < decoder->declared_globals; i++) {
		struct wk_global_decl *global = &module->globals[module->global_count++];

		status = read_global_type(decoder, &global->type);
		if (status == WK_OK)
			status = wk_decode_expression(decoder, &global->init);
	}
	return status;
}

/* ---- exports and start ---- */

enum wk_status wk_decode_exports(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	struct wk_reader *reader = &decoder->reader;
	uint32_t count = 0;
	enum wk_status status = wk_read_count(reader, 2, WK_MAX_EXPORTS, "exports", &count);

	if (status != WK_OK)
		return status;
	module->exports = wk_decoder_array(decoder, count, sizeof *module->exports);
	if (module->exports == NULL)
		return WK_NO_MEMORY;
	for (; module->export_count < count; module->export_count++) {
		struct wk_export *export = &module->exports[module->export_count];
		uint8_t kind = 0;

		status = wk_read_name(reader, &export->name);
		if (status == WK_OK)
			status = wk_read_byte(reader, &kind);
		if (status == WK_OK && kind > WK_EXTERN_TAG)
			return wk_decoder_fail(decoder, wk_reader_offset(reader) - 1, "malformed export kind");
		if (status == WK_OK)
			status = wk_read_u32(reader, &export->index);
		if (status != WK_OK)
			return status;
		export->kind = (enum wk_extern)kind;
	}
	return WK_OK;
}

enum wk_status wk_decode_start(struct wk_decoder *decoder)
{
	uint32_t start = 0;
	enum wk_status status = wk_read_u32(&decoder->reader, &start);

	if (status != WK_OK)
		return status;
	/* UINT32_MAX means "none" in the module; as an index it is beyond every limit. */
	if (start == UINT32_MAX)
		return wk_report_set(decoder->reader.report, WK_INVALID, wk_reader_offset(&decoder->reader), WK_NO_FUNCTION,
			"unknown function %u: start function", start);
	decoder->module->start = start;
	return WK_OK;
}

/* ---- bodies ---- */

enum wk_status wk_decode_code(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	struct wk_reader *reader = &decoder->reader;
	uint32_t count = 0;
	enum wk_status status = WK_OK;

	if (decoder->contents[WK_SECTION_CODE].data != NULL)
		status = wk_read_u32(reader, &count);
	if (status != WK_OK)
		return status;
	if (count != decoder->declared_funcs)
		return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), WK_NO_FUNCTION,
			"function and code section have inconsistent lengths: %u and %u", decoder->declared_funcs, count);
	for (uint32_t i = 0; i < count; i++) {
		struct wk_function_decl *function = &module->funcs[module->imported_funcs + i];
		uint32_t offset = wk_reader_offset(reader), size = 0;

		reader->function = module->imported_funcs + i;
		status = wk_read_u32(reader, &size);
		if (status != WK_OK)
			return status;
		if (size > wk_reader_left(reader))
			return wk_reader_ended(reader);
		if (size > WK_MAX_FUNCTION_SIZE)
			return wk_report_set(reader->report, WK_LIMIT, offset, reader->function,
				"too large a function: %u bytes, at most %u", size, WK_MAX_FUNCTION_SIZE);
		function->body = wk_reader_offset(reader);
		function->size = size;
		reader->at += size;
	}
	reader->function = WK_NO_FUNCTION;
	return WK_OK;
}
