/* SPDX-License-Identifier: Apache-2.0
 *
 * `wasmkeep inspect` for people: one aligned table for each kind of thing, and no table where there is nothing. Long
 * names are cut; the JSON form has them whole.
 */
#include <inttypes.h>
#include <string.h>

#include "inspect.h"
#include "text.h"

#define NAME_COLUMNS 100 /* a longer name is cut */
#define ALIGNED 44       /* names up to here set the width of their column */

static void put_name(struct wk_span name)
{
	putchar('"');
	wk_text_put(stdout, name, true, NAME_COLUMNS);
	putchar('"');
}

static size_t name_width(struct wk_span name)
{
	return wk_text_put(NULL, name, true, NAME_COLUMNS) + 2;
}

static void pad(size_t used, size_t width)
{
	for (; used < width; used++)
		putchar(' ');
}

static void heading(const char *title, uint32_t count)
{
	printf("\n%s (%" PRIu32 ")\n", title, count);
}

/* ---- types of things ---- */

static void put_bytes(uint64_t count)
{
	static const char units[] = " KMGTPE";
	unsigned unit = 0;

	while (count >= 1024 && count % 1024 == 0 && unit + 1 < sizeof(units) - 1) {
		count /= 1024;
		unit++;
	}
	if (unit)
		printf("%" PRIu64 " %ciB", count, units[unit]);
	else
		printf("%" PRIu64 " bytes", count);
}

static void put_limits(const struct wk_limits *limits)
{
	printf("%" PRIu64, limits->minimum);
	if (limits->has_maximum)
		printf(" to %" PRIu64, limits->maximum);
	else
		fputs(" or more", stdout);
}

static void put_memory(const struct wk_memory_type *memory)
{
	put_limits(&memory->limits);
	fputs(memory->page_log2 ? " pages of " : " pages of 1 byte", stdout);
	if (memory->page_log2)
		put_bytes((uint64_t)1 << memory->page_log2);
	if (memory->page_log2 && memory->limits.minimum <= UINT64_MAX >> memory->page_log2) {
		fputs(", starts with ", stdout);
		put_bytes(memory->limits.minimum << memory->page_log2);
	}
	if (memory->limits.is64)
		fputs(", 64-bit addresses", stdout);
}

static void put_table(const struct wk_inspect *inspect, const struct wk_table_type *table)
{
	char text[WK_TYPES_TEXT];

	put_limits(&table->limits);
	printf(" of %s", wk_types_value(&inspect->types, table->element, text));
	if (table->limits.is64)
		fputs(", 64-bit indices", stdout);
}

static void put_global(const struct wk_inspect *inspect, const struct wk_global_type *global)
{
	char text[WK_TYPES_TEXT];

	printf(global->mutable_ ? "(mut %s)" : "%s", wk_types_value(&inspect->types, global->type, text));
}

static void put_type_of(const struct wk_inspect *inspect, enum wk_extern kind, uint32_t index)
{
	const struct wk_module *module = inspect->module;

	switch (kind) {
	case WK_EXTERN_FUNC:
		wk_types_put_function(stdout, &inspect->types, wk_module_func_type(module, index));
		break;
	case WK_EXTERN_TABLE:
		put_table(inspect, &module->tables[index].type);
		break;
	case WK_EXTERN_MEMORY:
		put_memory(&module->memories[index]);
		break;
	case WK_EXTERN_GLOBAL:
		put_global(inspect, &module->globals[index].type);
		break;
	case WK_EXTERN_TAG:
		wk_types_put_function(stdout, &inspect->types, wk_registry_get(module->registry, module->tags[index]));
		break;
	}
}

/* ---- the tables ---- */

static void print_seal(const struct wk_image_seal *seal)
{
	printf(": image for %s, %" PRIu64 " bytes\n", seal->target, seal->library_size + sizeof *seal);
	printf("  compiled   %" PRIu32 " of %" PRIu32 " functions, by %s at -O%" PRIu32 "%s\n", seal->compiled_count,
		seal->function_count, seal->compiler, seal->optimisation, seal->counts_fuel ? ", counting fuel" : "");
	fputs("  of         the module with the SHA-256 ", stdout);
	for (size_t i = 0; i < sizeof seal->module; i++)
		printf("%02x", seal->module[i]);
	printf("\n  inside     that module without the bodies of what is compiled, %" PRIu64 " bytes\n", seal->module_size);
}

static void print_summary(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;

	wk_text_put(stdout, wk_span_of_text(inspect->file), false, 0);
	if (inspect->seal)
		print_seal(inspect->seal);
	else
		printf(": WebAssembly module, %zu bytes\n", module->bytes.size);
	if (module->name_module.size) {
		fputs("  name       ", stdout);
		put_name(module->name_module);
		putchar('\n');
	}
	printf("  functions  %" PRIu32 " with %" PRIu64 " bytes of code, %" PRIu32 " imported\n",
		module->func_count - module->imported_funcs, inspect->code_bytes, module->imported_funcs);
	if (module->start != UINT32_MAX)
		printf("  start      function %" PRIu32 "\n", module->start);
	if (module->data_count)
		printf("  data       %" PRIu32 " segments, %" PRIu64 " bytes\n", module->data_count, inspect->data_bytes);
	if (module->element_count)
		printf("  elements   %" PRIu32 " segments\n", module->element_count);
}

static void print_sections(const struct wk_module *module)
{
	heading("Sections", module->section_count);
	if (module->section_count)
		printf("  %10s  %10s  name\n", "offset", "size");
	for (uint32_t i = 0; i < module->section_count; i++) {
		const struct wk_section *section = &module->sections[i];
		char offset[16];

		snprintf(offset, sizeof(offset), "0x%" PRIx32, section->offset);
		printf("  %10s  %10" PRIu32 "  %s", offset, section->size, wk_inspect_section_name(section->id));
		if (section->id == 0) {
			putchar(' ');
			put_name(section->name);
		}
		putchar('\n');
	}
}

static void print_types(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;

	if (module->type_count)
		heading("Types", module->type_count);
	for (uint32_t i = 0; i < module->type_count; i++) {
		printf("  %6" PRIu32 "  ", i);
		wk_types_put(stdout, &inspect->types, wk_registry_get(module->registry, module->types[i]));
		putchar('\n');
	}
}

static void print_imports(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;
	size_t width = 0;

	if (module->import_count)
		heading("Imports", module->import_count);
	for (uint32_t i = 0; i < module->import_count; i++) {
		size_t needed = name_width(module->imports[i].module) + 1 + name_width(module->imports[i].name);

		if (needed > width && needed <= ALIGNED + ALIGNED)
			width = needed;
	}
	for (uint32_t i = 0; i < module->import_count; i++) {
		const struct wk_import *import = &module->imports[i];

		printf("  %-6s %6" PRIu32 "  ", wk_types_extern_name(import->kind), import->index);
		put_name(import->module);
		putchar(' ');
		put_name(import->name);
		pad(name_width(import->module) + 1 + name_width(import->name), width);
		fputs("  ", stdout);
		put_type_of(inspect, import->kind, import->index);
		putchar('\n');
	}
}

static void print_exports(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;
	size_t width = 0;

	if (module->export_count)
		heading("Exports", module->export_count);
	for (uint32_t i = 0; i < module->export_count; i++) {
		size_t needed = name_width(module->exports[i].name);

		if (needed > width && needed <= ALIGNED)
			width = needed;
	}
	for (uint32_t i = 0; i < module->export_count; i++) {
		const struct wk_export *export = &module->exports[i];

		printf("  %-6s %6" PRIu32 "  ", wk_types_extern_name(export->kind), export->index);
		put_name(export->name);
		pad(name_width(export->name), width);
		fputs("  ", stdout);
		put_type_of(inspect, export->kind, export->index);
		putchar('\n');
	}
}

static void print_space(const struct wk_inspect *inspect, const char *title, enum wk_extern kind, uint32_t count,
	uint32_t imported)
{
	if (count)
		heading(title, count);
	for (uint32_t i = 0; i < count; i++) {
		printf("  %6" PRIu32 "  ", i);
		put_type_of(inspect, kind, i);
		puts(i < imported ? "  imported" : "");
	}
}

void wk_inspect_print_text(const struct wk_inspect *inspect)
{
	const struct wk_module *module = inspect->module;

	print_summary(inspect);
	print_sections(module);
	print_types(inspect);
	print_imports(inspect);
	print_exports(inspect);
	print_space(inspect, "Memories", WK_EXTERN_MEMORY, module->memory_count, module->imported_memories);
	print_space(inspect, "Tables", WK_EXTERN_TABLE, module->table_count, module->imported_tables);
	print_space(inspect, "Globals", WK_EXTERN_GLOBAL, module->global_count, module->imported_globals);
	print_space(inspect, "Tags", WK_EXTERN_TAG, module->tag_count, module->imported_tags);
}
