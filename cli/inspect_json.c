/* SPDX-License-Identifier: Apache-2.0
 *
 * `wasmkeep inspect --json`. The form is an interface, described in docs/man/wasmkeep.1: members may be added under the
 * same "format", but not renamed or removed. Members are always there, null where there is nothing to say, so that a
 * reader need not ask first.
 */
#include "inspect.h"
#include "json.h"

#define FORMAT 1

static void put_value_types(struct wk_json *json, const char *key, const struct wk_inspect *inspect,
	const wk_valtype *list, uint32_t count)
{
	char text[WK_TYPES_TEXT];

	wk_json_open(json, key, '[');
	for (uint32_t i = 0; i < count; i++)
		wk_json_text(json, NULL, wk_types_value(&inspect->types, list[i], text));
	wk_json_close(json, ']');
}

static void put_signature(struct wk_json *json, const struct wk_inspect *inspect, const struct wk_deftype *type)
{
	put_value_types(json, "parameters", inspect, type->types, type->parameter_count);
	put_value_types(json, "results", inspect, wk_results_of(type), type->result_count);
}

static void put_limits(struct wk_json *json, const struct wk_limits *limits)
{
	wk_json_number(json, "minimum", limits->minimum);
	if (limits->has_maximum)
		wk_json_number(json, "maximum", limits->maximum);
	else
		wk_json_null(json, "maximum");
	wk_json_text(json, "address", limits->is64 ? "i64" : "i32");
}

/* The members that say the type of something in an index space. */
static void put_type_of(struct wk_json *json, const struct wk_inspect *inspect, enum wk_extern kind, uint32_t index)
{
	const struct wk_module *module = inspect->module;
	char text[WK_TYPES_TEXT];

	switch (kind) {
	case WK_EXTERN_FUNC:
		put_signature(json, inspect, wk_module_func_type(module, index));
		break;
	case WK_EXTERN_TABLE:
		wk_json_text(json, "element", wk_types_value(&inspect->types, module->tables[index].type.element, text));
		put_limits(json, &module->tables[index].type.limits);
		break;
	case WK_EXTERN_MEMORY:
		put_limits(json, &module->memories[index].limits);
		wk_json_number(json, "page_size", (uint64_t)1 << module->memories[index].page_log2);
		break;
	case WK_EXTERN_GLOBAL:
		wk_json_text(json, "type", wk_types_value(&inspect->types, module->globals[index].type.type, text));
		wk_json_bool(json, "mutable", module->globals[index].type.mutable_);
		break;
	case WK_EXTERN_TAG:
		put_signature(json, inspect, wk_registry_get(module->registry, module->tags[index]));
		break;
	}
}

static void put_sections(struct wk_json *json, const struct wk_module *module)
{
	wk_json_open(json, "sections", '[');
	for (uint32_t i = 0; i < module->section_count; i++) {
		const struct wk_section *section = &module->sections[i];

		wk_json_open(json, NULL, '{');
		wk_json_number(json, "id", section->id);
		wk_json_text(json, "name", wk_inspect_section_name(section->id));
		if (section->id == 0)
			wk_json_span(json, "custom_name", section->name);
		else
			wk_json_null(json, "custom_name");
		wk_json_number(json, "offset", section->offset);
		wk_json_number(json, "size", section->size);
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_type(struct wk_json *json, const struct wk_inspect *inspect, const struct wk_deftype *type)
{
	static const char *const kinds[] = { "func", "struct", "array" };

	wk_json_text(json, "kind", kinds[type->composite]);
	wk_json_bool(json, "final", type->final);
	if (type->super != WK_NO_TYPE)
		wk_json_number(json, "super", wk_types_index(&inspect->types, type->super));
	else
		wk_json_null(json, "super");
	if (type->composite == WK_COMPOSITE_FUNC) {
		put_signature(json, inspect, type);
		return;
	}
	wk_json_open(json, "fields", '[');
	for (uint32_t i = 0; i < type->field_count; i++) {
		char text[WK_TYPES_TEXT];

		wk_json_open(json, NULL, '{');
		wk_json_text(json, "type", wk_types_value(&inspect->types, type->types[i], text));
		wk_json_bool(json, "mutable", type->mutable_[i] != 0);
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_types(struct wk_json *json, const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;

	wk_json_open(json, "types", '[');
	for (uint32_t i = 0; i < module->type_count; i++) {
		wk_json_open(json, NULL, '{');
		wk_json_number(json, "index", i);
		put_type(json, inspect, wk_registry_get(module->registry, module->types[i]));
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_imports(struct wk_json *json, const struct wk_inspect *inspect)
{
	wk_json_open(json, "imports", '[');
	for (uint32_t i = 0; i < inspect->module->import_count; i++) {
		const struct wk_import *import = &inspect->module->imports[i];

		wk_json_open(json, NULL, '{');
		wk_json_span(json, "module", import->module);
		wk_json_span(json, "name", import->name);
		wk_json_text(json, "kind", wk_types_extern_name(import->kind));
		wk_json_number(json, "index", import->index);
		put_type_of(json, inspect, import->kind, import->index);
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_exports(struct wk_json *json, const struct wk_inspect *inspect)
{
	wk_json_open(json, "exports", '[');
	for (uint32_t i = 0; i < inspect->module->export_count; i++) {
		const struct wk_export *export = &inspect->module->exports[i];

		wk_json_open(json, NULL, '{');
		wk_json_span(json, "name", export->name);
		wk_json_text(json, "kind", wk_types_extern_name(export->kind));
		wk_json_number(json, "index", export->index);
		put_type_of(json, inspect, export->kind, export->index);
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_space(struct wk_json *json, const struct wk_inspect *inspect, const char *key, enum wk_extern kind,
	uint32_t count, uint32_t imported)
{
	wk_json_open(json, key, '[');
	for (uint32_t i = 0; i < count; i++) {
		wk_json_open(json, NULL, '{');
		wk_json_number(json, "index", i);
		wk_json_bool(json, "imported", i < imported);
		put_type_of(json, inspect, kind, i);
		wk_json_close(json, '}');
	}
	wk_json_close(json, ']');
}

static void put_image(struct wk_json *json, const struct wk_image_seal *seal)
{
	char hash[65];

	if (!seal) {
		wk_json_null(json, "image");
		return;
	}
	for (size_t i = 0; i < sizeof seal->module; i++)
		snprintf(hash + 2 * i, 3, "%02x", seal->module[i]);
	wk_json_open(json, "image", '{');
	wk_json_text(json, "target", seal->target);
	wk_json_number(json, "size", seal->library_size + sizeof *seal);
	wk_json_number(json, "abi", seal->abi);
	wk_json_text(json, "compiler", seal->compiler);
	wk_json_number(json, "optimisation", seal->optimisation);
	wk_json_number(json, "functions", seal->function_count);
	wk_json_number(json, "compiled", seal->compiled_count);
	wk_json_bool(json, "counts_fuel", seal->counts_fuel);
	wk_json_text(json, "module", hash);
	wk_json_close(json, '}');
}

static void put_summary(struct wk_json *json, const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;

	wk_json_number(json, "format", FORMAT);
	wk_json_text(json, "file", inspect->file);
	wk_json_number(json, "size", module->bytes.size);
	put_image(json, inspect->seal);
	if (module->name_module.size)
		wk_json_span(json, "name", module->name_module);
	else
		wk_json_null(json, "name");
	wk_json_open(json, "functions", '{');
	wk_json_number(json, "imported", module->imported_funcs);
	wk_json_number(json, "defined", module->func_count - module->imported_funcs);
	wk_json_number(json, "code_bytes", inspect->code_bytes);
	wk_json_close(json, '}');
	if (module->start != UINT32_MAX)
		wk_json_number(json, "start", module->start);
	else
		wk_json_null(json, "start");
	wk_json_open(json, "data", '{');
	wk_json_number(json, "segments", module->data_count);
	wk_json_number(json, "bytes", inspect->data_bytes);
	wk_json_close(json, '}');
	wk_json_open(json, "elements", '{');
	wk_json_number(json, "segments", module->element_count);
	wk_json_close(json, '}');
}

void wk_inspect_print_json(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;
	struct wk_json json;

	wk_json_start(&json, stdout, false);
	wk_json_open(&json, NULL, '{');
	put_summary(&json, inspect);
	put_sections(&json, module);
	put_types(&json, inspect);
	put_imports(&json, inspect);
	put_exports(&json, inspect);
	put_space(&json, inspect, "memories", WK_EXTERN_MEMORY, module->memory_count, module->imported_memories);
	put_space(&json, inspect, "tables", WK_EXTERN_TABLE, module->table_count, module->imported_tables);
	put_space(&json, inspect, "globals", WK_EXTERN_GLOBAL, module->global_count, module->imported_globals);
	put_space(&json, inspect, "tags", WK_EXTERN_TAG, module->tag_count, module->imported_tags);
	wk_json_close(&json, '}');
	wk_json_end(&json);
}
