/* SPDX-License-Identifier: Apache-2.0
 *
 * The type section (specification 5.5.4, 5.3.5 to 5.3.10): recursive groups, handed to the registry one by one.
 *
 * A group is decoded into scratch vectors that are used for all groups and grow with the bytes read, so that a vector
 * length that lies takes no memory. A type index means an earlier type or one of the same group; everything else is an
 * unknown type, here already, since an index that means nothing could not be interned.
 */
#include "format/decoder.h"

struct scratch {
	struct wk_deftype *types;
	uint32_t *ids;              /* of the group's types; allocated with `types` */
	uint32_t type_capacity;
	wk_valtype *values;         /* parameters, results and fields of all the group's types, one behind the other */
	uint8_t *mutables;          /* beside values; 1 for mutable fields */
	uint32_t value_count, value_capacity;
};

static void scratch_free(struct wk_budget *budget, struct scratch *scratch)
{
	wk_free(budget, scratch->types, scratch->type_capacity * sizeof *scratch->types);
	wk_free(budget, scratch->ids, scratch->type_capacity * sizeof *scratch->ids);
	wk_free(budget, scratch->values, scratch->value_capacity * sizeof *scratch->values);
	wk_free(budget, scratch->mutables, scratch->value_capacity);
}

static bool grow_values(struct wk_budget *budget, struct scratch *scratch)
{
	uint32_t wanted = scratch->value_capacity == 0 ? 32 : scratch->value_capacity * 2;
	wk_valtype *values;
	uint8_t *mutables;

	if (wanted > WK_MAX_MODULE_SIZE)
		return false;
	mutables = wk_alloc(budget, wanted);
	if (mutables == NULL)
		return false;
	values = wk_resize(budget, scratch->values, scratch->value_capacity * sizeof *values, wanted * sizeof *values);
	if (values == NULL) {
		wk_free(budget, mutables, wanted);
		return false;
	}
	if (scratch->value_count != 0)
		memcpy(mutables, scratch->mutables, scratch->value_count);
	wk_free(budget, scratch->mutables, scratch->value_capacity);
	scratch->values = values;
	scratch->mutables = mutables;
	scratch->value_capacity = wanted;
	return true;
}

static bool grow_types(struct wk_budget *budget, struct scratch *scratch)
{
	uint32_t wanted = scratch->type_capacity == 0 ? 1 : scratch->type_capacity * 2;
	struct wk_deftype *types;
	uint32_t *ids = wk_alloc_array(budget, wanted, sizeof *ids);

	if (ids == NULL)
		return false;
	types = wk_resize(budget, scratch->types, scratch->type_capacity * sizeof *types, wanted * sizeof *types);
	if (types == NULL) {
		wk_free(budget, ids, wanted * sizeof *ids);
		return false;
	}
	wk_free(budget, scratch->ids, scratch->type_capacity * sizeof *ids);
	scratch->types = types;
	scratch->ids = ids;
	scratch->type_capacity = wanted;
	return true;
}

static enum wk_status add_value(struct wk_decoder *decoder, struct scratch *scratch, wk_valtype type, uint8_t mutable_)
{
	struct wk_budget *budget = &decoder->module->budget;

	if (scratch->value_count == scratch->value_capacity && !grow_values(budget, scratch))
		return wk_budget_refuse(budget, scratch->value_capacity * (uint64_t)8, decoder->reader.report);
	scratch->values[scratch->value_count] = type;
	scratch->mutables[scratch->value_count] = mutable_;
	scratch->value_count++;
	return WK_OK;
}

/* A result type (5.3.5). */
static enum wk_status decode_values(struct wk_decoder *decoder, const struct wk_type_scope *scope, uint32_t limit,
	const char *what, struct scratch *scratch, uint32_t *count)
{
	enum wk_status status = wk_read_count(&decoder->reader, 1, limit, what, count);

	for (uint32_t i = 0; status == WK_OK && i < *count; i++) {
		wk_valtype type = 0;

		status = wk_read_valtype(&decoder->reader, scope, &type);
		if (status == WK_OK)
			status = add_value(decoder, scratch, type, 0);
	}
	return status;
}

/* A storage type and its mutability (5.3.8). */
static enum wk_status decode_field(struct wk_decoder *decoder, const struct wk_type_scope *scope,
	struct scratch *scratch)
{
	struct wk_reader *reader = &decoder->reader;
	enum wk_status status;
	wk_valtype type = 0;
	uint8_t flag = 0;

	if (wk_reader_left(reader) != 0 && (*reader->at == WK_TYPE_I8 || *reader->at == WK_TYPE_I16)) {
		type = *reader->at++;
		status = WK_OK;
	} else {
		status = wk_read_valtype(reader, scope, &type);
	}
	if (status == WK_OK)
		status = wk_read_byte(reader, &flag);
	if (status != WK_OK)
		return status;
	if (flag > 1)
		return wk_decoder_fail(decoder, wk_reader_offset(reader) - 1, "malformed mutability");
	return add_value(decoder, scratch, type, flag);
}

static enum wk_status decode_composite(struct wk_decoder *decoder, const struct wk_type_scope *scope, uint8_t code,
	struct scratch *scratch, struct wk_deftype *type)
{
	enum wk_status status;

	switch (code) {
	case 0x60:
		type->composite = WK_COMPOSITE_FUNC;
		status = decode_values(decoder, scope, WK_MAX_PARAMETERS, "parameters", scratch, &type->parameter_count);
		if (status == WK_OK)
			status = decode_values(decoder, scope, WK_MAX_RESULTS, "results", scratch, &type->result_count);
		return status;
	case 0x5f:
		type->composite = WK_COMPOSITE_STRUCT;
		status = wk_read_count(&decoder->reader, 2, WK_MAX_STRUCT_FIELDS, "fields", &type->field_count);
		for (uint32_t i = 0; status == WK_OK && i < type->field_count; i++)
			status = decode_field(decoder, scope, scratch);
		return status;
	case 0x5e:
		type->composite = WK_COMPOSITE_ARRAY;
		type->field_count = 1;
		return decode_field(decoder, scope, scratch);
	default:
		return wk_report_set(decoder->reader.report, WK_MALFORMED, wk_reader_offset(&decoder->reader) - 1,
			WK_NO_FUNCTION, "malformed definition type: no type begins with 0x%x", (uint32_t)code);
	}
}

/* The supertypes of a sub type: none or one (3.2.10), defined before this type. */
static enum wk_status decode_super(struct wk_decoder *decoder, const struct wk_type_scope *scope, uint32_t position,
	struct wk_deftype *type)
{
	struct wk_reader *reader = &decoder->reader;
	struct wk_type_scope before = { scope->ids, scope->count, position };
	uint32_t count = 0;
	enum wk_status status = wk_read_count(reader, 1, UINT32_MAX, "supertypes", &count);

	if (status != WK_OK || count == 0)
		return status;
	if (count > 1)
		return wk_report_set(reader->report, WK_INVALID, wk_reader_offset(reader), WK_NO_FUNCTION,
			"sub type has %u supertypes, at most 1", count);
	return wk_read_type_index(reader, &before, &type->super);
}

static enum wk_status decode_sub_type(struct wk_decoder *decoder, const struct wk_type_scope *scope, uint32_t position,
	struct scratch *scratch)
{
	struct wk_reader *reader = &decoder->reader;
	struct wk_deftype type = { .super = WK_NO_TYPE, .final = true };
	uint8_t code = 0;
	enum wk_status status = wk_read_byte(reader, &code);

	if (status == WK_OK && (code == 0x50 || code == 0x4f)) {
		type.final = code == 0x4f;
		status = decode_super(decoder, scope, position, &type);
		if (status == WK_OK)
			status = wk_read_byte(reader, &code);
	}
	if (status == WK_OK)
		status = decode_composite(decoder, scope, code, scratch, &type);
	if (status != WK_OK)
		return status;
	if (position == scratch->type_capacity && !grow_types(&decoder->module->budget, scratch))
		return wk_budget_refuse(&decoder->module->budget, position * sizeof type, reader->report);
	scratch->types[position] = type;
	return WK_OK;
}

/* Room for `count` more types in the module's index space. */
static enum wk_status make_room(struct wk_decoder *decoder, uint32_t count, uint32_t *capacity)
{
	struct wk_module *module = decoder->module;
	uint32_t wanted = module->type_count + count;
	uint32_t *types;

	if (wanted <= *capacity)
		return WK_OK;
	if (wanted < *capacity * 2)
		wanted = *capacity * 2;
	types = wk_arena_resize(&module->arena, module->types, *capacity * sizeof *types, wanted * sizeof *types);
	if (types == NULL)
		return wk_budget_refuse(&module->budget, wanted * sizeof *types, decoder->reader.report);
	module->types = types;
	*capacity = wanted;
	return WK_OK;
}

static enum wk_status intern(struct wk_decoder *decoder, struct scratch *scratch, uint32_t count, uint32_t offset)
{
	struct wk_module *module = decoder->module;
	uint32_t at = 0;
	enum wk_status status;

	/* The vectors have stopped moving: now types may point into them. */
	for (uint32_t i = 0; i < count; i++) {
		struct wk_deftype *type = &scratch->types[i];
		uint32_t values = type->parameter_count + type->result_count + type->field_count;

		type->types = values != 0 ? scratch->values + at : NULL;
		type->mutable_ = values != 0 ? scratch->mutables + at : NULL;
		at += values;
	}
	status = wk_registry_intern(module->registry, scratch->types, count, scratch->ids);
	if (status != WK_OK)
		return wk_report_set(decoder->reader.report, status, offset, WK_NO_FUNCTION,
			"out of memory: the type registry has no room for %u types", count);
	module->groups[module->group_count++] = scratch->ids[0];
	for (uint32_t i = 0; i < count; i++) {
		if (wk_registry_get(module->registry, scratch->ids[i])->depth > WK_MAX_SUBTYPE_DEPTH)
			return wk_report_set(decoder->reader.report, WK_LIMIT, offset, WK_NO_FUNCTION,
				"too many supertypes above type %u, at most %u", module->type_count + i, WK_MAX_SUBTYPE_DEPTH);
		module->types[module->type_count + i] = scratch->ids[i];
	}
	module->type_count += count;
	return WK_OK;
}

static enum wk_status decode_group(struct wk_decoder *decoder, struct scratch *scratch, uint32_t *capacity)
{
	struct wk_reader *reader = &decoder->reader;
	struct wk_module *module = decoder->module;
	uint32_t offset = wk_reader_offset(reader);
	struct wk_type_scope scope = wk_scope_of_module(module);
	enum wk_status status = WK_OK;
	uint32_t count = 1;

	if (wk_reader_left(reader) != 0 && *reader->at == 0x4e) {
		reader->at++;
		status = wk_read_count(reader, 2, WK_MAX_TYPES, "types", &count);
	}
	if (status == WK_OK && count > WK_MAX_TYPES - module->type_count)
		return wk_report_set(reader->report, WK_LIMIT, offset, WK_NO_FUNCTION, "too many types, at most %u",
			WK_MAX_TYPES);
	scope.local = count;
	scratch->value_count = 0;
	for (uint32_t i = 0; status == WK_OK && i < count; i++)
		status = decode_sub_type(decoder, &scope, i, scratch);
	if (status == WK_OK && count != 0)
		status = make_room(decoder, count, capacity);
	return status == WK_OK && count != 0 ? intern(decoder, scratch, count, offset) : status;
}

enum wk_status wk_decode_types(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	struct scratch scratch = { 0 };
	uint32_t groups = 0, capacity = 0;
	enum wk_status status = wk_read_count(&decoder->reader, 2, WK_MAX_TYPES, "types", &groups);

	if (status != WK_OK)
		return status;
	module->groups = wk_decoder_array(decoder, groups, sizeof *module->groups);
	module->types = wk_decoder_array(decoder, groups, sizeof *module->types);
	if (module->groups == NULL || module->types == NULL)
		return WK_NO_MEMORY;
	capacity = groups;
	for (uint32_t i = 0; status == WK_OK && i < groups; i++)
		status = decode_group(decoder, &scratch, &capacity);
	scratch_free(&module->budget, &scratch);
	return status;
}
