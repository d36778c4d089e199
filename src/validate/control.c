/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks, branches and calls (specification 3.4.1, A.3).
 *
 * What always holds: controls[0] is the function body while depth > 0; floor is the height of the innermost block; the
 * operands below it are not touched.
 */
#include "validate/validator.h"

static struct wk_types parameters_of(const struct wk_control *control)
{
	if (control->type == NULL)
		return (struct wk_types){ NULL, 0 };
	return wk_types_of_parameters(control->type);
}

static struct wk_types results_of(const struct wk_control *control)
{
	if (control->type == NULL)
		return (struct wk_types){ &control->single, control->single != WK_TYPE_BOTTOM };
	return wk_types_of_results(control->type);
}

/* What a branch to the block takes along. */
static struct wk_types label_of(const struct wk_control *control)
{
	return control->kind == WK_OP_LOOP ? parameters_of(control) : results_of(control);
}

/* ---- frames ---- */

/* Throws away operands down to the innermost block's floor. */
static void truncate(struct wk_validator *v)
{
	v->sp = v->floor;
	v->vectors = wk_control_top(v)->vectors;
	v->high = v->stack + (int32_t)(v->max_slots - v->vectors);
}

bool wk_control_push(struct wk_validator *v, uint8_t kind, const struct wk_deftype *type, wk_valtype single)
{
	struct wk_control *control;

	if (v->depth >= WK_MAX_CONTROL_DEPTH)
		return wk_validator_fail(v, WK_LIMIT, "too many nested blocks");
	if (v->depth == v->control_capacity) {
		void *controls = v->controls;

		if (!wk_validator_grow(v, &controls, &v->control_capacity, v->depth + 1, 64, sizeof *control))
			return false;
		v->controls = controls;
	}
	control = &v->controls[v->depth++];
	*control = (struct wk_control){ .type = type, .single = single, .height = (uint32_t)(v->sp - v->stack),
		.vectors = v->vectors, .inits = v->init_count, .kind = kind };
	v->floor = v->sp;
	return true;
}

void wk_control_unreachable(struct wk_validator *v)
{
	truncate(v);
	wk_control_top(v)->unreachable = true;
}

/* Locals set in a block are not known to be set behind it. */
static void take_back_inits(struct wk_validator *v, uint32_t count)
{
	while (v->init_count > count)
		v->stamps[v->inits[--v->init_count]] = 0;
}

/* The operands are exactly the block's results; on success none is left. */
static bool pop_results(struct wk_validator *v)
{
	if (v->sp == v->floor && wk_control_top(v)->type == NULL && wk_control_top(v)->single == WK_TYPE_BOTTOM)
		return true;
	if (!wk_operand_pop_types(v, results_of(wk_control_top(v))))
		return false;
	if (v->sp != v->floor)
		return wk_validator_fail(v, WK_INVALID, "type mismatch: values remain on the stack at the end of the block");
	return true;
}

bool wk_control_end(struct wk_validator *v)
{
	struct wk_control control;

	if (!pop_results(v))
		return false;
	control = *wk_control_top(v);
	/* An if without else is one whose else does nothing. */
	if (control.kind == WK_OP_IF && !wk_types_match(v, parameters_of(&control), results_of(&control)))
		return false;
	take_back_inits(v, control.inits);
	v->depth--;
	if (v->depth == 0)
		return true;
	v->floor = v->stack + wk_control_top(v)->height;
	return wk_operand_push_types(v, results_of(&control));
}

bool wk_control_else(struct wk_validator *v)
{
	struct wk_control *control = wk_control_top(v);

	if (control->kind != WK_OP_IF)
		return wk_validator_fail(v, WK_MALFORMED, "illegal opcode 5: else without if");
	if (!pop_results(v))
		return false;
	take_back_inits(v, control->inits);
	control->kind = WK_OP_ELSE;
	control->unreachable = false;
	return wk_operand_push_types(v, parameters_of(control));
}

/* ---- blocks ---- */

/* A block type (5.4.1): nothing, one value type, or a type index as a 33-bit number. */
static bool read_block_type(struct wk_validator *v, const struct wk_deftype **type, wk_valtype *single)
{
	uint32_t id = 0;

	*type = NULL;
	*single = WK_TYPE_BOTTOM;
	if (wk_reader_left(&v->reader) != 0 && *v->reader.at == 0x40) {
		v->reader.at++;
		return true;
	}
	if (wk_reader_left(&v->reader) != 0 && *v->reader.at < 0x80 && *v->reader.at > 0x40)
		return wk_validator_read(v, wk_read_valtype(&v->reader, &v->scope, single));
	if (!wk_validator_read(v, wk_read_heap_type(&v->reader, &v->scope, &id)))
		return false;
	*type = wk_registry_get(v->registry, id);
	if ((*type)->composite != WK_COMPOSITE_FUNC)
		return wk_validator_fail(v, WK_INVALID, "unknown type: a block needs a function type");
	return true;
}

static bool begin_block(struct wk_validator *v, uint8_t kind, const struct wk_deftype *type, wk_valtype single)
{
	if (type == NULL || type->parameter_count == 0)
		return wk_control_push(v, kind, type, single);
	return wk_operand_pop_types(v, wk_types_of_parameters(type)) && wk_control_push(v, kind, type, single) &&
		wk_operand_push_types(v, wk_types_of_parameters(type));
}

bool wk_control_block(struct wk_validator *v, uint8_t kind)
{
	const struct wk_deftype *type = NULL;
	wk_valtype single = WK_TYPE_BOTTOM;

	return read_block_type(v, &type, &single) && (kind != WK_OP_IF || wk_operand_pop(v, WK_TYPE_I32)) &&
		begin_block(v, kind, type, single);
}

/* The frame a label index means, counted from the innermost. */
static bool read_label(struct wk_validator *v, const struct wk_control **control)
{
	uint32_t label = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &label)))
		return false;
	if (label >= v->depth)
		return wk_validator_unknown(v, "unknown label", label);
	*control = &v->controls[v->depth - 1 - label];
	return true;
}

static bool read_tag(struct wk_validator *v, const struct wk_deftype **type)
{
	uint32_t index = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= v->module->tag_count)
		return wk_validator_unknown(v, "unknown tag", index);
	*type = wk_registry_get(v->registry, v->module->tags[index]);
	return true;
}

/* A catch clause brings a tag's parameters (kinds 0 and 1) and the exception itself (1 and 3) to its label. */
static bool check_catch(struct wk_validator *v)
{
	const struct wk_control *control = NULL;
	const struct wk_deftype *tag = NULL;
	struct wk_types label, values = { NULL, 0 };
	uint8_t kind = 0;

	if (!wk_validator_read(v, wk_read_byte(&v->reader, &kind)))
		return false;
	if (kind > 3)
		return wk_validator_fail(v, WK_MALFORMED, "malformed catch clause");
	if ((kind < 2 && !read_tag(v, &tag)) || !read_label(v, &control))
		return false;
	if (tag != NULL)
		values = wk_types_of_parameters(tag);
	label = label_of(control);
	if ((kind & 1) != 0) {
		if (label.count == 0 || !wk_type_matches(v->registry, WK_REF | WK_HEAP_EXN, label.types[label.count - 1]))
			return wk_validator_fail(v, WK_INVALID, "type mismatch: the label of a catch_ref takes no exception");
		label.count--;
	}
	return wk_types_match(v, values, label);
}

/* Clauses are checked outside of the block: their labels do not count it (3.4.1). */
static bool try_table(struct wk_validator *v)
{
	const struct wk_deftype *type = NULL;
	wk_valtype single = WK_TYPE_BOTTOM;
	uint32_t count = 0;

	if (!read_block_type(v, &type, &single) ||
		!wk_validator_read(v, wk_read_count(&v->reader, 2, UINT32_MAX, "catch clauses", &count)))
		return false;
	while (count-- != 0)
		if (!check_catch(v))
			return false;
	return begin_block(v, WK_OP_TRY_TABLE, type, single);
}

/* ---- branches ---- */

static bool branch_table(struct wk_validator *v)
{
	const struct wk_control *control = NULL, *checked = NULL;
	struct wk_reader labels;
	uint32_t count = 0, arity;

	if (!wk_operand_pop(v, WK_TYPE_I32) ||
		!wk_validator_read(v, wk_read_count(&v->reader, 1, WK_MAX_BR_TABLE, "labels", &count)))
		return false;
	/* The first label's arity stands in for the default's, which comes last: all must be equal. */
	labels = v->reader;
	if (!read_label(v, &control))
		return false;
	arity = label_of(control).count;
	v->reader = labels;
	for (uint32_t i = 0; i <= count; i++) {
		if (!read_label(v, &control))
			return false;
		/* The same label many times in a row is common, and is free of charge. */
		if (control == checked)
			continue;
		if (label_of(control).count != arity)
			return wk_validator_fail(v, WK_INVALID, "type mismatch: the labels of br_table take different numbers of values");
		if (!wk_operand_check_types(v, label_of(control)))
			return false;
		checked = control;
	}
	wk_control_unreachable(v);
	return true;
}

bool wk_control_br_if(struct wk_validator *v)
{
	const struct wk_control *control = NULL;
	struct wk_types label;

	if (!read_label(v, &control) || !wk_operand_pop(v, WK_TYPE_I32))
		return false;
	label = label_of(control);
	return label.count == 0 || (wk_operand_pop_types(v, label) && wk_operand_push_types(v, label));
}

bool wk_control_br(struct wk_validator *v)
{
	const struct wk_control *control = NULL;

	if (!read_label(v, &control) || !wk_operand_pop_types(v, label_of(control)))
		return false;
	wk_control_unreachable(v);
	return true;
}

/* br_on_null: the reference without null stays when the branch is not taken. */
static bool branch_on_null(struct wk_validator *v)
{
	const struct wk_control *control = NULL;
	struct wk_types label;
	wk_valtype type = 0;

	if (!read_label(v, &control) || !wk_operand_pop_ref(v, &type))
		return false;
	label = label_of(control);
	return wk_operand_pop_types(v, label) && wk_operand_push_types(v, label) &&
		wk_operand_push(v, type & ~WK_NULLABLE);
}

/* br_on_non_null: the label takes the reference as its last value. */
static bool branch_on_non_null(struct wk_validator *v)
{
	const struct wk_control *control = NULL;
	struct wk_types label;
	wk_valtype type = 0;

	if (!read_label(v, &control) || !wk_operand_pop_ref(v, &type))
		return false;
	label = label_of(control);
	if (label.count == 0 || !wk_type_matches(v->registry, type & ~WK_NULLABLE, label.types[label.count - 1]))
		return wk_validator_fail(v, WK_INVALID, "type mismatch: the label of br_on_non_null takes no such reference");
	label.count--;
	return wk_operand_pop_types(v, label) && wk_operand_push_types(v, label);
}

/* ---- calls ---- */

/* The operands of the function pointer, if any, are popped already. */
static bool call(struct wk_validator *v, const struct wk_deftype *type, bool tail)
{
	if (tail && !wk_types_match(v, wk_types_of_results(type), wk_types_of_results(v->function_type)))
		return false;
	if (!wk_operand_pop_types(v, wk_types_of_parameters(type)))
		return false;
	if (!tail)
		return wk_operand_push_types(v, wk_types_of_results(type));
	wk_control_unreachable(v);
	return true;
}

static bool call_direct(struct wk_validator *v, bool tail)
{
	uint32_t index = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= v->module->func_count)
		return wk_validator_unknown(v, "unknown function", index);
	return call(v, wk_module_func_type(v->module, index), tail);
}

bool wk_control_call(struct wk_validator *v)
{
	return call_direct(v, false);
}

static bool read_function_type(struct wk_validator *v, const struct wk_deftype **type)
{
	uint32_t id = 0;

	if (!wk_validator_read(v, wk_read_type_index(&v->reader, &v->scope, &id)))
		return false;
	*type = wk_registry_get(v->registry, id);
	if ((*type)->composite != WK_COMPOSITE_FUNC)
		return wk_validator_fail(v, WK_INVALID, "type mismatch: a call needs a function type");
	return true;
}

static bool call_indirect(struct wk_validator *v, bool tail)
{
	const struct wk_deftype *type = NULL;
	const struct wk_table_type *table;
	uint32_t index = 0;

	if (!read_function_type(v, &type) || !wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= v->module->table_count)
		return wk_validator_unknown(v, "unknown table", index);
	table = &v->module->tables[index].type;
	if (!wk_type_matches(v->registry, table->element, WK_TYPE_FUNCREF))
		return wk_validator_fail(v, WK_INVALID, "type mismatch: call_indirect needs a table of functions");
	return wk_operand_pop(v, wk_address_type(&table->limits)) && call(v, type, tail);
}

static bool call_reference(struct wk_validator *v, bool tail)
{
	const struct wk_deftype *type = NULL;

	return read_function_type(v, &type) && wk_operand_pop(v, WK_REF | WK_NULLABLE | type->id) && call(v, type, tail);
}

static bool throw_tag(struct wk_validator *v)
{
	const struct wk_deftype *type = NULL;

	if (!read_tag(v, &type) || !wk_operand_pop_types(v, wk_types_of_parameters(type)))
		return false;
	wk_control_unreachable(v);
	return true;
}

bool wk_control_instruction(struct wk_validator *v, const struct wk_opcode *opcode)
{
	switch (opcode->code) {
	case WK_OP_UNREACHABLE:
		wk_control_unreachable(v);
		return true;
	case WK_OP_BLOCK:
	case WK_OP_LOOP:
	case WK_OP_IF:
		return wk_control_block(v, (uint8_t)opcode->code);
	case WK_OP_ELSE:
		return wk_control_else(v);
	case WK_OP_END:
		return wk_control_end(v);
	case WK_OP_TRY_TABLE:
		return try_table(v);
	case WK_OP_THROW:
		return throw_tag(v);
	case WK_OP_THROW_REF:
		if (!wk_operand_pop(v, WK_TYPE_EXNREF))
			return false;
		wk_control_unreachable(v);
		return true;
	case WK_OP_BR:
		return wk_control_br(v);
	case WK_OP_BR_IF:
		return wk_control_br_if(v);
	case WK_OP_BR_TABLE:
		return branch_table(v);
	case WK_OP_BR_ON_NULL:
		return branch_on_null(v);
	case WK_OP_BR_ON_NON_NULL:
		return branch_on_non_null(v);
	case WK_OP_RETURN:
		if (!wk_operand_pop_types(v, wk_types_of_results(v->function_type)))
			return false;
		wk_control_unreachable(v);
		return true;
	case WK_OP_CALL:
		return wk_control_call(v);
	case WK_OP_RETURN_CALL:
		return call_direct(v, true);
	case WK_OP_CALL_INDIRECT:
		return call_indirect(v, false);
	case WK_OP_RETURN_CALL_INDIRECT:
		return call_indirect(v, true);
	case WK_OP_CALL_REF:
		return call_reference(v, false);
	default:
		return call_reference(v, true);
	}
}
