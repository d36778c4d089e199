/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls by slots: between compiled code, which has values in registers, and all others. Entries lead in, stubs and slow
 * calls lead out.
 */
#include <stdio.h>

#include "compiler/translator.h"

uint32_t wk_c_slots_of(const struct wk_deftype *type)
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

void wk_c_put_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, LLVMValueRef value)
{
	wk_c_align_slot(c, LLVMBuildStore(c->b, value, wk_c_at(c, slots, *at * sizeof(uint64_t))));
	*at += LLVMTypeOf(value) == c->v128 ? 2 : 1;
}

LLVMValueRef wk_c_get_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, wk_valtype type)
{
	LLVMValueRef value = LLVMBuildLoad2(c->b, wk_c_type(c, type), wk_c_at(c, slots, *at * sizeof(uint64_t)), "");

	*at += wk_slots_of(type);
	return wk_c_align_slot(c, value);
}

LLVMValueRef wk_c_take_results(struct compiler *c, LLVMValueRef slots, const struct wk_deftype *type)
{
	LLVMValueRef value = LLVMGetUndef(wk_c_result_type(c, type));
	uint32_t at = 0;

	for (uint32_t i = 0; i < type->result_count; i++) {
		LLVMValueRef one = wk_c_get_slot(c, slots, &at, wk_results_of(type)[i]);

		value = type->result_count == 1 ? one : LLVMBuildInsertValue(c->b, value, one, i, "");
	}
	return value;
}

void wk_c_build_by_slots(struct compiler *c, LLVMValueRef function, const struct wk_deftype *type, unsigned skip,
	size_t helper, LLVMValueRef what)
{
	LLVMTypeRef slots_type = LLVMArrayType2(c->i64, wk_c_slots_of(type));
	LLVMValueRef slots, context = LLVMGetParam(function, 0);
	uint32_t at = 0;

	LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, function, ""));
	slots = LLVMBuildAlloca(c->b, slots_type, "");
	for (uint32_t i = 0; i < type->parameter_count; i++)
		wk_c_put_slot(c, slots, &at, LLVMGetParam(function, i + skip));
	wk_c_helper(c, helper, c->none, context, (LLVMValueRef[]){ what, slots }, 2);
	if (type->result_count == 0) {
		LLVMBuildRetVoid(c->b);
		return;
	}
	LLVMBuildRet(c->b, wk_c_take_results(c, slots, type));
}

/* Results beyond the registers go to memory of the caller's. x86-64 has the fewest, three for integers and two for
 * others. */
bool wk_c_results_fit(const struct compiler *c, const struct wk_deftype *type)
{
	const wk_valtype *results = wk_results_of(type);
	uint32_t integers = 0, others = 0;

	for (uint32_t i = 0; i < type->result_count; i++) {
		LLVMTypeRef one = wk_c_type(c, results[i]);

		if (one == c->i32 || one == c->i64)
			integers++;
		else
			others++;
	}
	return integers <= 3 && others <= 2;
}

/* The opposite, in a function (context, code, slots); the block's end is the caller's. */
static void build_from_slots(struct compiler *c, LLVMValueRef function, const struct wk_deftype *type)
{
	LLVMValueRef values[1026], slots, call;
	unsigned count = 0;
	uint32_t at = 0;

	LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, function, ""));
	slots = LLVMGetParam(function, 2);
	values[count++] = LLVMGetParam(function, 0);
	for (uint32_t i = 0; i < type->parameter_count && count < WK_COUNT(values); i++)
		values[count++] = wk_c_get_slot(c, slots, &at, type->types[i]);
	call = wk_c_call_compiled(c, wk_c_function_type(c, type), LLVMGetParam(function, 1), values, count);
	at = 0;
	for (uint32_t i = 0; i < type->result_count; i++)
		wk_c_put_slot(c, slots, &at, type->result_count == 1 ? call : LLVMBuildExtractValue(c->b, call, i, ""));
}

/* What is rarely called, and is no function of the module's: who looks for one by an address must know (image/abi.h). */
static LLVMValueRef add_aside(struct compiler *c, const char *what, uint32_t type, LLVMTypeRef function_type)
{
	LLVMValueRef made;
	char name[64];

	snprintf(name, sizeof name, "%s.%u.%u", what, c->part, type);
	made = wk_c_add_function(c, name, function_type, true);
	wk_c_share_function(c, made);
	wk_c_add_attribute(c, made, "noinline");
	wk_c_add_attribute(c, made, "cold");
	return made;
}

/* Adds those of one part to the table that this part makes. */
static void list(struct compiler *c, LLVMValueRef *asides, uint32_t asides_count, LLVMValueRef *to, uint32_t *count)
{
	size_t size;

	for (uint32_t i = 0; i < asides_count; i++) {
		LLVMValueRef aside = asides[i];

		if (!aside)
			continue;
		if (to && LLVMGetGlobalParent(aside) != c->ir) {
			aside = LLVMAddFunction(c->ir, LLVMGetValueName2(aside, &size), LLVMFunctionType(c->none, NULL, 0, false));
			LLVMSetVisibility(aside, LLVMHiddenVisibility);
		}
		if (to)
			to[*count] = aside;
		(*count)++;
	}
}

uint32_t wk_c_asides(struct compiler *c, LLVMValueRef *to)
{
	uint32_t count = 0;

	for (struct compiler *part = c - c->part; part < c - c->part + c->part_count; part++) {
		list(c, part->slow_calls, c->module->type_count, to, &count);
		list(c, part->by_slots, c->module->type_count, to, &count);
		list(c, &part->slow_by_slots, 1, to, &count);
	}
	return count;
}

static LLVMTypeRef three(struct compiler *c, LLVMTypeRef result)
{
	LLVMTypeRef parameters[3] = { c->pointer, c->pointer, c->pointer };

	return LLVMFunctionType(result, parameters, 3, false);
}

LLVMValueRef wk_c_build_entry(struct compiler *c, const struct wk_deftype *type)
{
	LLVMValueRef entry = wk_c_add_function(c, "entry", three(c, c->i32), false);

	build_from_slots(c, entry, type);
	LLVMBuildRet(c->b, wk_c_number(c->i32, 0));
	return entry;
}

LLVMValueRef wk_c_by_slots(struct compiler *c, const struct wk_deftype *type)
{
	LLVMValueRef *made = &c->slow_by_slots;
	LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);

	if (type)
		for (made = c->by_slots; wk_registry_get(c->module->registry, c->module->types[made - c->by_slots]) != type;)
			made++;
	if (*made)
		return *made;
	*made = add_aside(c, "by_slots", type ? (uint32_t)(made - c->by_slots) : c->module->type_count, three(c, c->none));
	if (type) {
		build_from_slots(c, *made, type);
	} else {
		LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, *made, ""));
		wk_c_call_helper(c, call_func, c->none, LLVMGetParam(*made, 0), LLVMGetParam(*made, 1), LLVMGetParam(*made, 2));
	}
	LLVMBuildRetVoid(c->b);
	LLVMPositionBuilderAtEnd(c->b, here);
	return *made;
}

LLVMValueRef wk_c_slow_call(struct compiler *c, const struct wk_deftype *type, uint32_t type_index,
	LLVMTypeRef *function)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);

	*function = wk_c_function_type_with(c, type, c->pointer);
	if (!c->slow_calls[type_index]) {
		LLVMValueRef made = add_aside(c, "slow_call", type_index, *function);

		wk_c_build_by_slots(c, made, type, 2, offsetof(struct wk_image_helpers, call_func), LLVMGetParam(made, 1));
		c->slow_calls[type_index] = made;
		LLVMPositionBuilderAtEnd(c->b, here);
	}
	return c->slow_calls[type_index];
}
