/* SPDX-License-Identifier: Apache-2.0
 *
 * Constant expressions (specification 3.4.15), with the extended arithmetic. The decoder found where they end, so the
 * bytes are well formed.
 */
#include "validate/validator.h"

/* Constant by the specification, but not supported here. */
static bool is_constant_gc(uint32_t code)
{
	switch (code) {
	case WK_OP_STRUCT_NEW:
	case WK_OP_STRUCT_NEW_DEFAULT:
	case WK_OP_ARRAY_NEW:
	case WK_OP_ARRAY_NEW_DEFAULT:
	case WK_OP_ARRAY_NEW_FIXED:
	case WK_OP_REF_I31:
	case WK_OP_ANY_CONVERT_EXTERN:
	case WK_OP_EXTERN_CONVERT_ANY:
		return true;
	default:
		return false;
	}
}

static bool constant_global(struct wk_validator *v, uint32_t globals)
{
	const struct wk_global_type *type;
	uint32_t index = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= globals)
		return wk_validator_unknown(v, "unknown global", index);
	type = &v->module->globals[index].type;
	if (type->mutable_)
		return wk_validator_fail(v, WK_INVALID, "constant expression required: the global is mutable");
	return wk_operand_push(v, type->type);
}

/* ref.func in a constant expression is also what declares a function for ref.func in bodies (3.5.17). */
static bool constant_function(struct wk_validator *v)
{
	uint32_t index = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= v->module->func_count)
		return wk_validator_unknown(v, "unknown function", index);
	wk_validator_declare(v, index);
	return wk_operand_push(v, WK_REF | v->module->funcs[index].type);
}

static bool constant_instruction(struct wk_validator *v, const struct wk_opcode *opcode, uint32_t globals)
{
	switch (opcode->code) {
	case WK_OP_GLOBAL_GET:
		return constant_global(v, globals);
	case WK_OP_REF_FUNC:
		return constant_function(v);
	case WK_OP_I32_CONST:
	case WK_OP_I64_CONST:
	case WK_OP_F32_CONST:
	case WK_OP_F64_CONST:
	case WK_OP_V128_CONST:
	case WK_OP_REF_NULL:
	case WK_OP_I32_ADD:
	case WK_OP_I32_SUB:
	case WK_OP_I32_MUL:
	case WK_OP_I64_ADD:
	case WK_OP_I64_SUB:
	case WK_OP_I64_MUL:
		return wk_validate_other(v, opcode);
	default:
		if (is_constant_gc(opcode->code))
			return wk_validate_other(v, opcode);
		return wk_validator_fail(v, WK_INVALID, "constant expression required");
	}
}

bool wk_validate_constant(struct wk_validator *v, struct wk_constexpr expression, wk_valtype type, uint32_t globals)
{
	const struct wk_opcode *opcode = NULL;

	v->reader.at = v->module->bytes.data + expression.offset;
	v->reader.end = v->reader.at + expression.size;
	v->reader.function = WK_NO_FUNCTION;
	v->instruction = v->reader.at;
	v->sp = v->floor = v->stack + 1;
	v->vectors = 0;
	v->max_slots = 1;
	v->high = v->sp;
	v->slot_limit = WK_MAX_FRAME_SLOTS;
	v->depth = 0;
	if (!wk_control_push(v, WK_CONTROL_BODY, NULL, type))
		return false;
	for (;;) {
		v->instruction = v->reader.at;
		if (!wk_validator_read(v, wk_read_opcode(&v->reader, &opcode)))
			return false;
		if (opcode->code == WK_OP_END)
			return wk_control_end(v);
		if (!constant_instruction(v, opcode, globals))
			return false;
	}
}
