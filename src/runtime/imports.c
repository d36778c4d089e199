/* SPDX-License-Identifier: Apache-2.0
 *
 * Does what is offered match what a module imports? (specification 3.4, external subtyping; 4.5.4, step 3). And when it
 * does not, the sentence that says so in words: that sentence is what people who link modules live by.
 *
 * The limits of tables and memories are compared as they are now: what has grown since satisfies a larger minimum.
 */
#include "runtime/instantiate.h"

#define TYPE_TEXT 96 /* of one external type; longer ones are cut */

/* As many as it says: it may have less behind them (wk_memory_complete). */
static uint64_t pages_of(const struct wk_memory *memory)
{
	uint64_t pages = memory->linear.size >> memory->type.page_log2;

	return pages > memory->type.limits.minimum ? pages : memory->type.limits.minimum;
}

/* ---- types in words ---- */

struct text {
	size_t length;
	char buffer[TYPE_TEXT];
};

static void add(struct text *text, const char *format, ...)
{
	size_t room = sizeof(text->buffer) - text->length;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = wk_format_va(text->buffer + text->length, room, format, arguments);
	va_end(arguments);
	/* Cut: the last place stays the NUL, and all that follows is dropped. */
	text->length = length < room ? text->length + length : sizeof(text->buffer) - 1;
}

static void add_types(struct text *text, const wk_valtype *types, uint32_t count)
{
	char buffer[32];

	add(text, "(");
	for (uint32_t i = 0; i < count && text->length < sizeof(text->buffer) - 1; i++)
		add(text, i == 0 ? "%s" : " %s", wk_type_text(types[i], buffer));
	add(text, ")");
}

static void add_func(struct text *text, const struct wk_deftype *type)
{
	char buffer[32];

	add_types(text, type->types, type->parameter_count);
	add(text, " -> ");
	if (type->result_count == 1)
		add(text, "%s", wk_type_text(wk_results_of(type)[0], buffer));
	else
		add_types(text, wk_results_of(type), type->result_count);
}

static void add_limits(struct text *text, uint64_t minimum, const struct wk_limits *limits)
{
	add(text, "%llu", (unsigned long long)minimum);
	if (limits->has_maximum)
		add(text, "..%llu", (unsigned long long)limits->maximum);
	else
		add(text, "..");
	if (limits->is64)
		add(text, " (64-bit)");
}

static void add_table(struct text *text, const struct wk_table_type *type, uint64_t minimum)
{
	char buffer[32];

	add(text, "table of ");
	add_limits(text, minimum, &type->limits);
	add(text, " %s", wk_type_text(type->element, buffer));
}

static void add_memory(struct text *text, const struct wk_memory_type *type, uint64_t minimum)
{
	add(text, "memory of ");
	add_limits(text, minimum, &type->limits);
	add(text, type->page_log2 == 0 ? " bytes" : " pages");
}

static void add_global(struct text *text, const struct wk_global_type *type)
{
	char buffer[32];

	add(text, type->mutable_ ? "global mut %s" : "global %s", wk_type_text(type->type, buffer));
}

static void add_tag(struct text *text, const struct wk_deftype *type)
{
	add(text, "tag ");
	add_types(text, type->types, type->parameter_count);
}

static void add_expected(struct text *text, const struct wk_module *m, const struct wk_import *import)
{
	switch (import->kind) {
	case WK_EXTERN_FUNC:
		add(text, "function ");
		add_func(text, wk_module_func_type(m, import->index));
		break;
	case WK_EXTERN_TABLE:
		add_table(text, &m->tables[import->index].type, m->tables[import->index].type.limits.minimum);
		break;
	case WK_EXTERN_MEMORY:
		add_memory(text, &m->memories[import->index], m->memories[import->index].limits.minimum);
		break;
	case WK_EXTERN_GLOBAL:
		add_global(text, &m->globals[import->index].type);
		break;
	case WK_EXTERN_TAG:
		add_tag(text, wk_registry_get(m->registry, m->tags[import->index]));
		break;
	}
}

static void add_actual(struct text *text, const struct wk_registry *registry, const struct wk_external *actual)
{
	switch (actual->kind) {
	case WK_EXTERN_FUNC:
		add(text, "function ");
		add_func(text, wk_registry_get(registry, actual->of.func->type));
		break;
	case WK_EXTERN_TABLE:
		add_table(text, &actual->of.table->type, actual->of.table->size);
		break;
	case WK_EXTERN_MEMORY:
		add_memory(text, &actual->of.memory->type,
			pages_of(actual->of.memory));
		break;
	case WK_EXTERN_GLOBAL:
		add_global(text, &actual->of.global->type);
		break;
	case WK_EXTERN_TAG:
		add_tag(text, wk_registry_get(registry, actual->of.tag->type));
		break;
	}
}

/* ---- matching (3.4) ---- */

static bool limits_match(const struct wk_limits *actual, uint64_t size, const struct wk_limits *expected)
{
	return actual->is64 == expected->is64 && size >= expected->minimum &&
		(!expected->has_maximum || (actual->has_maximum && actual->maximum <= expected->maximum));
}

static bool types_equal(const struct wk_registry *registry, wk_valtype a, wk_valtype b)
{
	return wk_type_matches(registry, a, b) && wk_type_matches(registry, b, a);
}

static bool table_matches(const struct wk_registry *registry, const struct wk_table *actual,
	const struct wk_table_type *expected)
{
	return limits_match(&actual->type.limits, actual->size, &expected->limits) &&
		types_equal(registry, actual->type.element, expected->element);
}

static bool memory_matches(const struct wk_memory *actual, const struct wk_memory_type *expected)
{
	return actual->type.page_log2 == expected->page_log2 &&
		limits_match(&actual->type.limits, pages_of(actual), &expected->limits);
}

static bool global_matches(const struct wk_registry *registry, const struct wk_global *actual,
	const struct wk_global_type *expected)
{
	if (actual->type.mutable_ != expected->mutable_)
		return false;
	return expected->mutable_ ? types_equal(registry, actual->type.type, expected->type)
		: wk_type_matches(registry, actual->type.type, expected->type);
}

static bool matches(const struct wk_module *m, const struct wk_import *import, const struct wk_external *actual)
{
	if (actual->kind != import->kind)
		return false;
	switch (import->kind) {
	case WK_EXTERN_FUNC:
		return wk_deftype_matches(m->registry, actual->of.func->type, m->funcs[import->index].type);
	case WK_EXTERN_TABLE:
		return table_matches(m->registry, actual->of.table, &m->tables[import->index].type);
	case WK_EXTERN_MEMORY:
		return memory_matches(actual->of.memory, &m->memories[import->index]);
	case WK_EXTERN_GLOBAL:
		return global_matches(m->registry, actual->of.global, &m->globals[import->index].type);
	case WK_EXTERN_TAG:
		return wk_deftype_matches(m->registry, actual->of.tag->type, m->tags[import->index]) &&
			wk_deftype_matches(m->registry, m->tags[import->index], actual->of.tag->type);
	}
	return false;
}

enum wk_status wk_import_check(const struct wk_module *module, uint32_t import, const struct wk_external *actual,
	struct wk_report *report)
{
	const struct wk_import *wanted = &module->imports[import];
	struct text expected = { 0 }, got = { 0 };

	if (matches(module, wanted, actual))
		return WK_OK;
	if (!report)
		return WK_UNLINKABLE;
	add_expected(&expected, module, wanted);
	add_actual(&got, module->registry, actual);
	return wk_report_set(report, WK_UNLINKABLE, WK_NO_OFFSET, WK_NO_FUNCTION,
		"incompatible import type: %S.%S: expected %s, got %s", &wanted->module, &wanted->name, expected.buffer,
		got.buffer);
}

enum wk_status wk_import_unknown(const struct wk_module *module, uint32_t import, struct wk_report *report)
{
	const struct wk_import *wanted = &module->imports[import];
	struct text expected = { 0 };

	if (!report)
		return WK_UNLINKABLE;
	add_expected(&expected, module, wanted);
	return wk_report_set(report, WK_UNLINKABLE, WK_NO_OFFSET, WK_NO_FUNCTION, "unknown import: %S.%S, a %s",
		&wanted->module, &wanted->name, expected.buffer);
}
