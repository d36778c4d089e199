/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls. A function of this module is called directly, whether it is compiled, imported or a stub. Through a table or a
 * reference, functions of the running instance are called by the table of code; all others by slots (wk_c_slow_call).
 */
#include <stdlib.h>

#include "compiler/translator.h"

void wk_f_return(struct translator *t)
{
	uint32_t count = t->type->result_count;
	LLVMValueRef value;

	if (count == 0) {
		LLVMBuildRetVoid(t->b);
		return;
	}
	value = LLVMGetUndef(LLVMGetReturnType(t->code->type));
	for (uint32_t i = 0; i < count; i++) {
		LLVMValueRef one = wk_f_hide(t, t->stack[t->height - count + i]);

		value = count == 1 ? one : LLVMBuildInsertValue(t->b, value, one, i, "");
	}
	LLVMBuildRet(t->b, value);
}

LLVMValueRef wk_f_ref_func(struct translator *t, uint32_t function)
{
	return wk_c_call_helper(t->c, ref_func, t->c->i64, t->context, wk_c_number(t->c->i32, function));
}

/* ---- what every call does ---- */

/* The context, something behind it or NULL, and the operands. The caller frees them. */
static LLVMValueRef *take_arguments(struct translator *t, const struct wk_deftype *type, unsigned *count)
{
	LLVMValueRef *values = malloc(((size_t)type->parameter_count + 2) * sizeof *values);

	if (!values) {
		t->c->failed = true;
		t->unsupported = "no memory to translate it";
		return NULL;
	}
	t->stack_check = NULL;
	values[1] = t->context;
	t->height -= type->parameter_count;
	for (uint32_t i = 0; i < type->parameter_count; i++)
		values[i + 2] = wk_f_hide(t, t->stack[t->height + i]);
	*count = type->parameter_count + 1;
	return values;
}

static void push_results(struct translator *t, const struct wk_deftype *type, LLVMValueRef call)
{
	for (uint32_t i = 0; i < type->result_count; i++)
		wk_f_push_as(t, wk_results_of(type)[i], type->result_count == 1 ? call : LLVMBuildExtractValue(t->b, call, i, ""));
}

/* LLVM does not hand on the memory that results beyond the registers go to: it would give up. */
static void finish_tail_call(struct translator *t, LLVMValueRef call)
{
	if (!wk_c_results_fit(t->c, t->type))
		t->unsupported = "a tail call with more results than registers";
	LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
	if (t->type->result_count == 0)
		LLVMBuildRetVoid(t->b);
	else
		LLVMBuildRet(t->b, call);
}

/* ---- calls of code ---- */

/* A function of this module. */
static void call_code(struct translator *t, LLVMValueRef code, const struct wk_deftype *type, bool tail)
{
	LLVMTypeRef function = wk_c_function_type(t->c, type);
	LLVMValueRef *values;
	unsigned count = 0;

	values = code ? take_arguments(t, type, &count) : NULL;
	if (!values)
		return;
	if (tail) {
		finish_tail_call(t, wk_c_call_compiled(t->c, function, code, values + 1, count));
		wk_f_end_block(t);
	} else {
		push_results(t, type, wk_f_build_call(t, type, function, code, values + 1, count));
	}
	free(values);
}

static void call(struct translator *t, bool tail)
{
	uint32_t function = wk_f_read_u32(t);

	call_code(t, t->c->codes[function].function, wk_module_func_type(t->c->module, function), tail);
}

/* ---- calls of a struct wk_func ---- */

/* The function's code if it is of the running instance. Continues in *own, else in *other. */
static LLVMValueRef find_code(struct translator *t, LLVMValueRef func, LLVMBasicBlockRef own, LLVMBasicBlockRef other)
{
	struct compiler *c = t->c;
	LLVMValueRef here = wk_c_field(c, c->pointer, t->context, wk_image_context, instance, true);
	LLVMValueRef there = wk_c_field(c, c->pointer, func, wk_func, instance, true);
	LLVMValueRef index, code;

	wk_f_branch_unlikely(t, LLVMBuildICmp(t->b, LLVMIntNE, there, here, ""), other, own);
	LLVMPositionBuilderAtEnd(t->b, own);
	index = LLVMBuildZExt(t->b, wk_c_field(c, c->i32, func, wk_func, index, true), c->i64, "");
	code = LLVMBuildInBoundsGEP2(t->b, c->pointer, wk_c_field(c, c->pointer, t->context, wk_image_context, code, true),
		&index,
		1, "");
	return wk_c_load(c, c->pointer, code, 0, c->tbaa_context, true);
}

static void tail_call_func(struct translator *t, LLVMValueRef func, const struct wk_deftype *type, uint32_t type_index)
{
	struct compiler *c = t->c;
	LLVMBasicBlockRef own = wk_f_block(t), other = wk_f_block(t);
	LLVMTypeRef slow_type = NULL;
	LLVMValueRef slow = wk_c_slow_call(c, type, type_index, &slow_type), code, made, *values;
	unsigned count = 0;

	values = take_arguments(t, type, &count);
	if (!values)
		return;
	code = find_code(t, func, own, other);
	made = wk_c_call_compiled(c, wk_c_function_type(c, type), code, values + 1, count);
	finish_tail_call(t, made);
	LLVMPositionBuilderAtEnd(t->b, other);
	values[0] = values[1];
	values[1] = func;
	made = wk_c_call_compiled(c, slow_type, slow, values, count + 1);
	free(values);
	if (type->result_count == 0)
		LLVMBuildRetVoid(t->b);
	else
		LLVMBuildRet(t->b, made);
	wk_f_end_block(t);
}

static void call_func(struct translator *t, LLVMValueRef func, const struct wk_deftype *type, uint32_t type_index)
{
	struct compiler *c = t->c;
	LLVMBasicBlockRef own = wk_f_block(t), other = wk_f_block(t), end = wk_f_block(t), from[2];
	LLVMTypeRef slow_type = NULL;
	LLVMValueRef slow = wk_c_slow_call(c, type, type_index, &slow_type), code, calls[2], *values;
	unsigned count = 0;

	values = take_arguments(t, type, &count);
	if (!values)
		return;
	code = find_code(t, func, own, other);
	calls[0] = wk_f_build_call(t, type, wk_c_function_type(c, type), code, values + 1, count);
	from[0] = LLVMGetInsertBlock(t->b);
	LLVMBuildBr(t->b, end);
	LLVMPositionBuilderAtEnd(t->b, other);
	values[0] = values[1];
	values[1] = func;
	calls[1] = wk_f_build_call(t, type, slow_type, slow, values, count + 1);
	from[1] = LLVMGetInsertBlock(t->b);
	free(values);
	LLVMBuildBr(t->b, end);
	LLVMPositionBuilderAtEnd(t->b, end);
	if (type->result_count != 0 && !t->unsupported) {
		LLVMValueRef both = LLVMBuildPhi(t->b, LLVMTypeOf(calls[0]), "");

		LLVMAddIncoming(both, calls, from, 2);
		push_results(t, type, both);
	}
}

/* A type that is not the very one may be a subtype. */
static void check_type(struct translator *t, LLVMValueRef func, uint32_t type_index)
{
	struct compiler *c = t->c;
	LLVMValueRef types = wk_c_field(c, c->pointer, t->context, wk_image_context, types, true);
	LLVMValueRef wanted = wk_c_load(c, c->i32, types, type_index * sizeof(uint32_t), c->tbaa_context, true);
	LLVMValueRef found = wk_c_field(c, c->i32, func, wk_func, type, true), matches;
	LLVMBasicBlockRef other = wk_f_block(t), good = wk_f_block(t);

	wk_f_branch_unlikely(t, LLVMBuildICmp(t->b, LLVMIntNE, found, wanted, ""), other, good);
	LLVMPositionBuilderAtEnd(t->b, other);
	matches = wk_c_call_helper(c, type_matches, c->i32, t->context, found, wanted);
	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntEQ, matches, wk_c_number(c->i32, 0), ""), WK_TRAP_INDIRECT_CALL_TYPE);
	LLVMBuildBr(t->b, good);
	LLVMPositionBuilderAtEnd(t->b, good);
}

static const struct wk_deftype *type_at(struct translator *t, uint32_t index)
{
	return wk_registry_get(t->c->module->registry, t->c->module->types[index]);
}

static void call_indirect(struct translator *t, bool tail)
{
	struct compiler *c = t->c;
	uint32_t type_index = wk_f_read_u32(t), table = wk_f_read_u32(t);
	const struct wk_deftype *type = type_at(t, type_index);
	LLVMValueRef index = wk_f_pop(t), at, tables, func;

	if (LLVMTypeOf(index) != c->i64)
		index = LLVMBuildZExt(t->b, index, c->i64, "");
	if (c->tables[table].functions) {
		call_code(t, wk_f_known_callee(t, table, type_index, index), type, tail);
		return;
	}
	tables = wk_c_field(c, c->pointer, t->context, wk_image_context, tables, true);
	at = wk_c_load(c, c->pointer, tables, table * sizeof(void *), c->tbaa_context, true);
	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntUGE, index, wk_c_field(c, c->i64, at, wk_table, size, false), ""),
		WK_TRAP_UNDEFINED_ELEMENT);
	at = LLVMBuildInBoundsGEP2(t->b, c->i64, wk_c_field(c, c->pointer, at, wk_table, elements, false), &index, 1, "");
	func = wk_c_load(c, c->pointer, at, 0, c->tbaa_slots, false);
	wk_f_trap_if(t, LLVMBuildIsNull(t->b, func, ""), WK_TRAP_UNINITIALIZED_ELEMENT);
	check_type(t, func, type_index);
	if (tail)
		tail_call_func(t, func, type, type_index);
	else
		call_func(t, func, type, type_index);
}

static void call_ref(struct translator *t, bool tail)
{
	uint32_t type_index = wk_f_read_u32(t);
	const struct wk_deftype *type = type_at(t, type_index);
	LLVMValueRef func = wk_f_pop(t);

	func = LLVMBuildIntToPtr(t->b, func, t->c->pointer, "");
	wk_f_trap_if(t, LLVMBuildIsNull(t->b, func, ""), WK_TRAP_NULL_FUNCTION);
	if (tail)
		tail_call_func(t, func, type, type_index);
	else
		call_func(t, func, type, type_index);
}

bool wk_f_call(struct translator *t, uint32_t op)
{
	switch (op) {
	case WK_OP_CALL: call(t, false); break;
	case WK_OP_CALL_INDIRECT: call_indirect(t, false); break;
	case WK_OP_CALL_REF: call_ref(t, false); break;
	case WK_OP_RETURN_CALL: call(t, true); break;
	case WK_OP_RETURN_CALL_INDIRECT: call_indirect(t, true); break;
	case WK_OP_RETURN_CALL_REF: call_ref(t, true); break;
	default: return false;
	}
	if (op == WK_OP_RETURN_CALL || op == WK_OP_RETURN_CALL_INDIRECT || op == WK_OP_RETURN_CALL_REF)
		t->code->tail_calls = true;
	return true;
}
