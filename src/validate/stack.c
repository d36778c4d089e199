/* SPDX-License-Identifier: Apache-2.0
 *
 * The operand stack of the validator, and its reports (specification A.3).
 *
 * Pushing compares with one pointer, `high`, for two questions: is this a new maximum of slots (which the frame of the
 * function must have room for), and does the array end here. A v128 takes two slots but one entry; so while one is on
 * the stack `high` is one entry lower.
 *
 * What always holds: floor <= sp <= high <= stack + stack_capacity, except between counting a vector and raising;
 * stack + max_slots - vectors = high.
 */
#include "validate/validator.h"

/* ---- reports ---- */

static uint64_t here(const struct wk_validator *v)
{
	return (uint64_t)(v->instruction - v->reader.base);
}

bool wk_validator_fail(struct wk_validator *v, enum wk_status status, const char *text)
{
	v->status = wk_report_set(v->reader.report, status, here(v), v->reader.function, "%s", text);
	return false;
}

bool wk_validator_unknown(struct wk_validator *v, const char *phrase, uint32_t index)
{
	v->status = wk_report_set(v->reader.report, WK_INVALID, here(v), v->reader.function, "%s %u", phrase, index);
	return false;
}

bool wk_validator_no_memory(struct wk_validator *v, uint64_t size)
{
	v->status = wk_budget_refuse(&v->module->budget, size, v->reader.report);
	return false;
}

const char *wk_validator_instruction(const struct wk_validator *v)
{
	struct wk_reader reader = v->reader;
	const struct wk_opcode *opcode = NULL;

	reader.at = v->instruction;
	reader.report = NULL;
	return wk_read_opcode(&reader, &opcode) == WK_OK ? wk_opcode_name(opcode->code) : "end";
}

/* As wk_type_text, but a concrete type is named by its index in this module instead of its registry id. */
static const char *type_text(const struct wk_validator *v, wk_valtype type, char buffer[32])
{
	if (!wk_is_ref(type) || (type & WK_HEAP_ABSTRACT) != 0)
		return wk_type_text(type, buffer);
	for (uint32_t i = 0; i < v->module->type_count; i++)
		if (v->module->types[i] == wk_heap_of(type))
			wk_format(buffer, 32, "(ref %s%u)", wk_is_nullable(type) ? "null " : "", i);
	return buffer;
}

static bool mismatch(struct wk_validator *v, wk_valtype expected, wk_valtype found)
{
	char wanted[32] = "", got[32] = "";

	v->status = wk_report_set(v->reader.report, WK_INVALID, here(v), v->reader.function,
		"type mismatch: %s expects %s, not %s", wk_validator_instruction(v), type_text(v, expected, wanted),
		type_text(v, found, got));
	return false;
}

static bool missing(struct wk_validator *v, const char *expected)
{
	v->status = wk_report_set(v->reader.report, WK_INVALID, here(v), v->reader.function,
		"type mismatch: %s expects %s, but the block's stack is empty", wk_validator_instruction(v), expected);
	return false;
}

/* ---- memory ---- */

bool wk_validator_grow(struct wk_validator *v, void **array, uint32_t *capacity, uint32_t wanted, uint32_t first,
	size_t item)
{
	uint32_t size = *capacity == 0 ? first : *capacity * 2;
	void *larger;

	if (size < wanted)
		size = wanted;
	larger = wk_resize(&v->module->budget, *array, *capacity * item, size * item);
	if (larger == NULL)
		return wk_validator_no_memory(v, size * item);
	*array = larger;
	*capacity = size;
	return true;
}

/* ---- operands ---- */

bool wk_operand_raise(struct wk_validator *v)
{
	while (v->sp >= v->high) {
		if (v->max_slots == v->slot_limit) {
			v->status = wk_report_set(v->reader.report, WK_LIMIT, here(v), v->reader.function,
				"too large a frame: locals and operands take more than %u slots", WK_MAX_FRAME_SLOTS);
			return false;
		}
		if (v->max_slots == v->stack_capacity) {
			size_t sp = (size_t)(v->sp - v->stack), floor = (size_t)(v->floor - v->stack);
			void *stack = v->stack;

			if (!wk_validator_grow(v, &stack, &v->stack_capacity, v->max_slots + 1, 256, sizeof *v->stack))
				return false;
			v->stack = stack;
			v->sp = v->stack + sp;
			v->floor = v->stack + floor;
		}
		v->max_slots++;
		v->high = v->stack + (int32_t)(v->max_slots - v->vectors);
	}
	return true;
}

bool wk_operand_pop_other(struct wk_validator *v, wk_valtype expected)
{
	wk_valtype found;

	if (v->sp == v->floor) {
		char text[32] = "";

		return wk_control_top(v)->unreachable || missing(v, type_text(v, expected, text));
	}
	found = v->sp[-1];
	if (!wk_type_matches(v->registry, found, expected))
		return mismatch(v, expected, found);
	v->sp--;
	if (found == WK_TYPE_V128)
		wk_operand_count_vector(v, -1);
	return true;
}

bool wk_operand_pop_any(struct wk_validator *v, wk_valtype *type)
{
	if (v->sp == v->floor) {
		*type = WK_TYPE_BOTTOM;
		return wk_control_top(v)->unreachable || missing(v, "a value");
	}
	*type = *--v->sp;
	if (*type == WK_TYPE_V128)
		wk_operand_count_vector(v, -1);
	return true;
}

bool wk_operand_pop_ref(struct wk_validator *v, wk_valtype *type)
{
	wk_valtype found = WK_TYPE_BOTTOM;

	if (!wk_operand_pop_any(v, &found))
		return false;
	if (found == WK_TYPE_BOTTOM)
		found = WK_REF | WK_HEAP_BOTTOM;
	if (!wk_is_ref(found)) {
		char text[32] = "";

		v->status = wk_report_set(v->reader.report, WK_INVALID, here(v), v->reader.function,
			"type mismatch: %s expects a reference, not %s", wk_validator_instruction(v), type_text(v, found, text));
		return false;
	}
	*type = found;
	return true;
}

bool wk_operand_push_types(struct wk_validator *v, struct wk_types types)
{
	for (uint32_t i = 0; i < types.count; i++)
		if (!wk_operand_push(v, types.types[i]))
			return false;
	return true;
}

bool wk_operand_pop_types(struct wk_validator *v, struct wk_types types)
{
	for (uint32_t i = types.count; i-- > 0;) {
		/* Nothing but unknown operands is left: all the rest would succeed. */
		if (v->sp == v->floor && wk_control_top(v)->unreachable)
			return true;
		if (!wk_operand_pop(v, types.types[i]))
			return false;
	}
	return true;
}

bool wk_operand_check_types(struct wk_validator *v, struct wk_types types)
{
	const wk_valtype *at = v->sp;

	for (uint32_t i = types.count; i-- > 0;) {
		if (at == v->floor) {
			char text[32] = "";

			return wk_control_top(v)->unreachable || missing(v, type_text(v, types.types[i], text));
		}
		at--;
		if (*at != types.types[i] && !wk_type_matches(v->registry, *at, types.types[i]))
			return mismatch(v, types.types[i], *at);
	}
	return true;
}

bool wk_types_match(struct wk_validator *v, struct wk_types from, struct wk_types to)
{
	if (from.count != to.count) {
		v->status = wk_report_set(v->reader.report, WK_INVALID, here(v), v->reader.function,
			"type mismatch: %s has %u values where %u are expected", wk_validator_instruction(v), from.count, to.count);
		return false;
	}
	for (uint32_t i = 0; i < from.count; i++)
		if (!wk_type_matches(v->registry, from.types[i], to.types[i]))
			return mismatch(v, to.types[i], from.types[i]);
	return true;
}

bool wk_operand_apply(struct wk_validator *v, const struct wk_opcode *opcode, wk_valtype address)
{
	for (uint32_t i = opcode->pops; i-- > 0;) {
		wk_valtype type = opcode->in[i] == WK_SIGNATURE_ADDRESS ? address : opcode->in[i];

		if (!wk_operand_pop(v, type))
			return false;
	}
	for (uint32_t i = 0; i < opcode->pushes; i++) {
		wk_valtype type = opcode->out[i] == WK_SIGNATURE_ADDRESS ? address : opcode->out[i];

		if (!wk_operand_push(v, type))
			return false;
	}
	return true;
}
