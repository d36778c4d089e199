/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls by slots: between compiled code, which has values in registers, and all others. Entries lead in, stubs and slow
 * calls lead out.
 */
#include "compiler/translator.h"

static uint32_t slots_of(const struct wk_deftype *type)
{
	uint32_t most = type->parameter_slots > type->result_slots ? type->parameter_slots : type->result_slots;

	return most ? most : 1;
}

LLVMValueRef wk_c_align_slot(struct compiler *c, LLVMValueRef instruction)
{
	LLVMTypeRef type = LLVMIsAStoreInst(instruction) ? LLVMTypeOf(LLVMGetOperand(instruction, 0)) :
		LLVMTypeOf(instruction);

	if (type == c->v128)
		LLVMSetAlignment(instruction, sizeof(uint64_t));
	return instruction;
}

/* Values to slots one after the other, and back. *at is the next slot. */
static void put_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, LLVMValueRef value)
{
	wk_c_align_slot(c, LLVMBuildStore(c->b, value, wk_c_at(c, slots, *at * sizeof(uint64_t))));
	*at += LLVMTypeOf(value) == c->v128 ? 2 : 1;
}

static LLVMValueRef get_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, wk_valtype type)
{
	LLVMValueRef value = LLVMBuildLoad2(c->b, wk_c_type(c, type), wk_c_at(c, slots, *at * sizeof(uint64_t)), "");

	*at += wk_slots_of(type);
	return wk_c_align_slot(c, value);
}

/* Fills a function whose parameters behind the first `skip` become slots, which a helper takes with `what`. */
void wk_c_build_by_slots(struct compiler *c, LLVMValueRef function, const struct wk_deftype *type, unsigned skip,
	size_t helper, LLVMValueRef what)
{
	LLVMTypeRef slots_type = LLVMArrayType2(c->i64, slots_of(type));
	LLVMValueRef slots, value, context = LLVMGetParam(function, 0);
	uint32_t at = 0;

	LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, function, ""));
	slots = LLVMBuildAlloca(c->b, slots_type, "");
	for (uint32_t i = 0; i < type->parameter_count; i++)
		put_slot(c, slots, &at, LLVMGetParam(function, i + skip));
	wk_c_helper(c, helper, c->none, context, (LLVMValueRef[]){ what, slots }, 2);
	if (type->result_count == 0) {
		LLVMBuildRetVoid(c->b);
		return;
	}
	value = LLVMGetUndef(wk_c_result_type(c, type));
	at = 0;
	for (uint32_t i = 0; i < type->result_count; i++) {
		LLVMValueRef one = get_slot(c, slots, &at, wk_results_of(type)[i]);

		value = type->result_count == 1 ? one : LLVMBuildInsertValue(c->b, value, one, i, "");
	}
	LLVMBuildRet(c->b, value);
}

/* The opposite: takes parameters from slots, calls, and leaves the results there. */
LLVMValueRef wk_c_build_entry(struct compiler *c, const struct wk_deftype *type)
{
	LLVMTypeRef parameters[3] = { c->pointer, c->pointer, c->pointer };
	LLVMValueRef values[1026], slots, call;
	LLVMValueRef entry = wk_c_add_function(c, "entry", LLVMFunctionType(c->none, parameters, 3, false), false);
	unsigned count = 0;
	uint32_t at = 0;

	LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, entry, ""));
	slots = LLVMGetParam(entry, 2);
	values[count++] = LLVMGetParam(entry, 0);
	for (uint32_t i = 0; i < type->parameter_count && count < WK_COUNT(values); i++)
		values[count++] = get_slot(c, slots, &at, type->types[i]);
	call = LLVMBuildCall2(c->b, wk_c_function_type(c, type), LLVMGetParam(entry, 1), values, count, "");
	LLVMSetInstructionCallConv(call, c->convention);
	at = 0;
	for (uint32_t i = 0; i < type->result_count; i++)
		put_slot(c, slots, &at, type->result_count == 1 ? call : LLVMBuildExtractValue(c->b, call, i, ""));
	LLVMBuildRetVoid(c->b);
	return entry;
}

LLVMValueRef wk_c_slow_call(struct compiler *c, const struct wk_deftype *type, uint32_t type_index,
	LLVMTypeRef *function)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);

	*function = wk_c_function_type_with(c, type, c->pointer);
	if (!c->slow_calls[type_index]) {
		LLVMValueRef made = wk_c_add_function(c, "slow_call", *function, true);

		wk_c_add_attribute(c, made, "noinline");
		wk_c_add_attribute(c, made, "cold");
		wk_c_build_by_slots(c, made, type, 2, offsetof(struct wk_image_helpers, call_func), LLVMGetParam(made, 1));
		c->slow_calls[type_index] = made;
		LLVMPositionBuilderAtEnd(c->b, here);
	}
	return c->slow_calls[type_index];
}
