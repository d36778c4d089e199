/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of a module in the notation of the text format (specification 6.4). In a loaded module a concrete reference
 * type holds the number that the keep's registry gave to the type; a person knows the type by its index in the module,
 * so the way back is kept here.
 */
#include "types.h"

#include <inttypes.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct wk_types_entry *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

bool wk_types_init(struct wk_types *types, const struct wk_module *module)
{
	struct wk_types_entry *entries = calloc((size_t)module->type_count + 1, sizeof(*entries));

	if (!entries)
		return false;
	for (uint32_t i = 0; i < module->type_count; i++)
		entries[i] = (struct wk_types_entry){ module->types[i], i };
	qsort(entries, module->type_count, sizeof(*entries), compare);
	*types = (struct wk_types){ module, entries };
	return true;
}

void wk_types_free(struct wk_types *types)
{
	free(types->entries);
}

uint32_t wk_types_index(const struct wk_types *types, uint32_t id)
{
	uint32_t low = 0, high = types->module->type_count;

	while (low < high) { /* the first entry that is not below id */
		uint32_t middle = low + (high - low) / 2;

		if (types->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < types->module->type_count && types->entries[low].id == id ? types->entries[low].index : UINT32_MAX;
}

static const char *heap_name(uint32_t heap)
{
	switch (heap) {
	case WK_HEAP_NOEXN: return "noexn";
	case WK_HEAP_NOFUNC: return "nofunc";
	case WK_HEAP_NOEXTERN: return "noextern";
	case WK_HEAP_NONE: return "none";
	case WK_HEAP_FUNC: return "func";
	case WK_HEAP_EXTERN: return "extern";
	case WK_HEAP_ANY: return "any";
	case WK_HEAP_EQ: return "eq";
	case WK_HEAP_I31: return "i31";
	case WK_HEAP_STRUCT: return "struct";
	case WK_HEAP_ARRAY: return "array";
	case WK_HEAP_EXN: return "exn";
	default: return "?";
	}
}

const char *wk_types_value(const struct wk_types *types, wk_valtype type, char text[WK_TYPES_TEXT])
{
	const char *null = wk_is_nullable(type) ? "null " : "";

	switch (type) {
	case WK_TYPE_I32: return "i32";
	case WK_TYPE_I64: return "i64";
	case WK_TYPE_F32: return "f32";
	case WK_TYPE_F64: return "f64";
	case WK_TYPE_V128: return "v128";
	case WK_TYPE_I8: return "i8";
	case WK_TYPE_I16: return "i16";
	case WK_TYPE_FUNCREF: return "funcref";
	case WK_TYPE_EXTERNREF: return "externref";
	case WK_TYPE_EXNREF: return "exnref";
	default: break;
	}
	if (!wk_is_ref(type))
		return "?";
	if (wk_heap_of(type) & WK_HEAP_ABSTRACT)
		snprintf(text, WK_TYPES_TEXT, "(ref %s%s)", null, heap_name(wk_heap_of(type)));
	else
		snprintf(text, WK_TYPES_TEXT, "(ref %s%" PRIu32 ")", null, wk_types_index(types, wk_heap_of(type)));
	return text;
}

static void put_list(FILE *out, const struct wk_types *types, const char *word, const wk_valtype *list, uint32_t count)
{
	char text[WK_TYPES_TEXT];

	fprintf(out, "(%s", word);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, " %s", wk_types_value(types, list[i], text));
	fputc(')', out);
}

void wk_types_put_function(FILE *out, const struct wk_types *types, const struct wk_deftype *type)
{
	if (type->parameter_count)
		put_list(out, types, "param", type->types, type->parameter_count);
	if (type->parameter_count && type->result_count)
		fputc(' ', out);
	if (type->result_count)
		put_list(out, types, "result", wk_results_of(type), type->result_count);
	if (!type->parameter_count && !type->result_count)
		fputs("()", out);
}

static void put_field(FILE *out, const struct wk_types *types, const struct wk_deftype *type, uint32_t i)
{
	char text[WK_TYPES_TEXT];
	const char *name = wk_types_value(types, type->types[i], text);

	fprintf(out, type->mutable_[i] ? " (mut %s)" : " %s", name);
}

static void put_composite(FILE *out, const struct wk_types *types, const struct wk_deftype *type)
{
	if (type->composite == WK_COMPOSITE_FUNC) {
		fputs("(func", out);
		if (type->parameter_count || type->result_count) {
			fputc(' ', out);
			wk_types_put_function(out, types, type);
		}
		fputc(')', out);
		return;
	}
	fputs(type->composite == WK_COMPOSITE_STRUCT ? "(struct" : "(array", out);
	for (uint32_t i = 0; i < type->field_count; i++)
		put_field(out, types, type, i);
	fputc(')', out);
}

void wk_types_put(FILE *out, const struct wk_types *types, const struct wk_deftype *type)
{
	bool sub = !type->final || type->super != WK_NO_TYPE;

	if (sub)
		fputs(type->final ? "(sub final " : "(sub ", out);
	if (type->super != WK_NO_TYPE)
		fprintf(out, "%" PRIu32 " ", wk_types_index(types, type->super));
	put_composite(out, types, type);
	if (sub)
		fputc(')', out);
}

const char *wk_types_extern_name(enum wk_extern kind)
{
	static const char *const names[] = { "func", "table", "memory", "global", "tag" };

	return (unsigned)kind < WK_COUNT(names) ? names[kind] : "?";
}
