/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions. A function costs nothing that has no try_table, and calls outside of one cost nothing either.
 *
 * A call in a try_table goes through the helper try_call, which saves registers and notes where it is, so that whatever
 * throws below comes back to behind the call; there the caller looks at exec->pending. To LLVM this is an ordinary call
 * and an ordinary branch: values live across it as across any other. The branch goes to the try_table's landing, which
 * looks through the clauses, and where none fits goes on to the landing of the next try_table of the function, or out
 * of it. What is thrown in a try_table of the same function is a branch, too.
 *
 * What changes in exec while a function runs, and is not set back by what an exception jumps over, is set back by who
 * receives it: native_handler behind each such call, stack_top in the landing.
 *
 * References to exceptions have a place on the guest stack beside their registers, where the collector looks: each
 * local of such a type, and each operand by its height. An operand's place is written when it comes to be, and whatever took
 * it from there has it elsewhere by then; nothing is collected in between. A function that has none takes no place.
 */
#include <stdlib.h>

#include "compiler/translator.h"

#define EXEC(field) offsetof(struct wk_exec, field)

static LLVMValueRef exec_of(struct translator *t)
{
	return wk_c_field(t->c, t->c->pointer, t->context, wk_image_context, exec, true);
}

static LLVMValueRef get(struct compiler *c, LLVMValueRef exec, size_t field)
{
	return wk_c_load(c, c->pointer, exec, field, c->tbaa_context, false);
}

static void set(struct compiler *c, LLVMValueRef exec, size_t field, LLVMValueRef value)
{
	wk_c_tag(LLVMBuildStore(c->b, value, wk_c_at(c, exec, field)), c->kind_tbaa, c->tbaa_context);
}

/* What exec says when the function begins, which holds between any two of its calls. */
static LLVMValueRef get_first(struct translator *t, size_t field)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(t->b);
	LLVMValueRef first = LLVMGetFirstInstruction(t->body), value;

	if (first)
		LLVMPositionBuilderBefore(t->b, first);
	else
		LLVMPositionBuilderAtEnd(t->b, t->body);
	value = get(t->c, exec_of(t), field);
	LLVMPositionBuilderAtEnd(t->b, here);
	return value;
}

/* ---- references to exceptions ---- */

static bool is_exception(wk_valtype type)
{
	return wk_is_ref(type) && (wk_heap_of(type) == WK_HEAP_EXN || wk_heap_of(type) == WK_HEAP_NOEXN);
}

/* t->above is behind the function's places, whose number is put in at its end. */
static void find_top(struct translator *t)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(t->b);
	LLVMValueRef next, one = wk_c_number(t->c->i64, 1);

	if (t->top)
		return;
	t->top = get_first(t, EXEC(stack_top));
	next = LLVMGetNextInstruction(t->top);
	if (next)
		LLVMPositionBuilderBefore(t->b, next);
	else
		LLVMPositionBuilderAtEnd(t->b, t->body);
	t->above = LLVMBuildInBoundsGEP2(t->b, t->c->i64, t->top, &one, 1, "");
	LLVMPositionBuilderAtEnd(t->b, here);
}

static LLVMValueRef place(struct translator *t, uint32_t number)
{
	find_top(t);
	if (t->places <= number)
		t->places = number + 1;
	return wk_c_at(t->c, t->top, number * sizeof(uint64_t));
}

void wk_f_keep_locals(struct translator *t)
{
	t->body = LLVMGetInsertBlock(t->b);
	for (uint32_t i = 0; i < t->local_count && !t->unsupported; i++) {
		LLVMValueRef local = t->locals[i];

		if (!is_exception(t->local_types[i]))
			continue;
		t->locals[i] = place(t, t->local_places++);
		LLVMBuildStore(t->b, LLVMBuildLoad2(t->b, t->c->i64, local, ""), t->locals[i]);
	}
}

void wk_f_keep(struct translator *t, uint32_t height, wk_valtype type, LLVMValueRef value)
{
	if (is_exception(type))
		LLVMBuildStore(t->b, value, place(t, t->local_places + height));
}

void wk_f_push_as(struct translator *t, wk_valtype type, LLVMValueRef value)
{
	wk_f_keep(t, t->height, type, value);
	wk_f_push(t, value);
}

/* A function of the image, put into those that need it: takes the guest stack up to `end`. */
static LLVMValueRef make_reserve(struct compiler *c)
{
	LLVMTypeRef types[2] = { c->pointer, c->pointer };
	LLVMValueRef function = wk_c_add_function(c, "reserve", LLVMFunctionType(c->none, types, 2, false), false);
	LLVMBasicBlockRef begin = LLVMAppendBasicBlockInContext(c->llvm, function, "");
	LLVMBasicBlockRef ask = LLVMAppendBasicBlockInContext(c->llvm, function, "");
	LLVMBasicBlockRef end = LLVMAppendBasicBlockInContext(c->llvm, function, "");
	LLVMValueRef context = LLVMGetParam(function, 0), top = LLVMGetParam(function, 1), exec, beyond;

	wk_c_add_attribute(c, function, "alwaysinline");
	LLVMPositionBuilderAtEnd(c->b, begin);
	exec = wk_c_field(c, c->pointer, context, wk_image_context, exec, true);
	beyond = LLVMBuildICmp(c->b, LLVMIntUGT, top, get(c, exec, EXEC(stack_limit)), "");
	wk_c_tag(LLVMBuildCondBr(c->b, beyond, ask, end), c->kind_prof, c->unlikely);
	LLVMPositionBuilderAtEnd(c->b, ask);
	wk_c_call_helper(c, reserve, c->none, context, top);
	LLVMBuildBr(c->b, end);
	LLVMPositionBuilderAtEnd(c->b, end);
	set(c, exec, EXEC(stack_top), top);
	LLVMBuildRetVoid(c->b);
	return function;
}

/* Before each return, and before a tail call in the place of one. */
static void give_places_back(struct translator *t)
{
	LLVMValueRef function = t->function;

	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b)) {
		LLVMValueRef end = LLVMGetBasicBlockTerminator(b), before;

		if (!end || !LLVMIsAReturnInst(end))
			continue;
		before = LLVMGetPreviousInstruction(end);
		if (before && LLVMIsACallInst(before) && LLVMGetTailCallKind(before) == LLVMTailCallKindMustTail)
			end = before;
		LLVMPositionBuilderBefore(t->b, end);
		set(t->c, exec_of(t), EXEC(stack_top), t->top);
	}
}

void wk_f_end_exceptions(struct translator *t)
{
	LLVMValueRef *reserve = &t->c->reserve, values[2] = { t->context, t->above };

	if (t->scratch)
		LLVMSetOperand(t->scratch, 0, wk_c_number(t->c->i32, t->scratch_slots));
	if (!t->top)
		return;
	LLVMSetOperand(t->above, 1, wk_c_number(t->c->i64, t->places));
	if (t->places == 0)
		return;
	if (!*reserve)
		*reserve = make_reserve(t->c);
	LLVMPositionBuilderBefore(t->b, LLVMGetNextInstruction(t->above));
	LLVMBuildCall2(t->b, LLVMGlobalGetValueType(*reserve), *reserve, values, 2, "");
	give_places_back(t);
}

/* ---- throwing ---- */

/* To where exec->pending goes. */
static void go_on(struct translator *t)
{
	struct compiler *c = t->c;

	if (t->landing) {
		LLVMBuildBr(t->b, t->landing);
		return;
	}
	wk_c_describe_call(c, wk_c_helper(c, offsetof(struct wk_image_helpers, raise), c->none, t->context, NULL, 0),
		"noreturn", 0);
	LLVMBuildUnreachable(t->b);
}

void wk_f_throw(struct translator *t)
{
	struct compiler *c = t->c;
	uint32_t tag = wk_f_read_u32(t), at = 0;
	const struct wk_deftype *type = wk_registry_get(c->module->registry, c->module->tags[tag]);
	LLVMValueRef exception = wk_c_call_helper(c, exception_new, c->pointer, t->context, wk_c_number(c->i32, tag));
	LLVMValueRef slots;

	wk_f_trap_if(t, LLVMBuildIsNull(t->b, exception, ""), WK_TRAP_NO_MEMORY);
	slots = wk_c_at(c, exception, offsetof(struct wk_exception, slots));
	t->height -= type->parameter_count;
	for (uint32_t i = 0; i < type->parameter_count; i++)
		wk_c_put_slot(c, slots, &at, wk_f_hide(t, t->stack[t->height + i]));
	set(c, exec_of(t), EXEC(pending), exception);
	go_on(t);
	wk_f_end_block(t);
}

void wk_f_throw_ref(struct translator *t)
{
	LLVMValueRef reference = wk_f_pop(t), is_null;

	is_null = LLVMBuildICmp(t->b, LLVMIntEQ, reference, wk_c_number(t->c->i64, 0), "");
	wk_f_trap_if(t, is_null, WK_TRAP_NULL_EXCEPTION);
	set(t->c, exec_of(t), EXEC(pending), LLVMBuildIntToPtr(t->b, reference, t->c->pointer, ""));
	go_on(t);
	wk_f_end_block(t);
}

/* ---- catching ---- */

enum { WITH_REFERENCE = 1, ALL = 2 }; /* bits of a clause's kind */

/* Goes on where the clause does not fit. */
static void try_clause(struct translator *t, LLVMValueRef exception, LLVMValueRef thrown)
{
	struct compiler *c = t->c;
	uint8_t kind = *t->at++;
	uint32_t tag = kind & ALL ? 0 : wk_f_read_u32(t), height = t->height, at = 0;
	struct label *label = &t->labels[t->label_count - 2 - wk_f_read_u32(t)]; /* seen from outside of the try_table */
	LLVMBasicBlockRef here = wk_f_block(t), next = wk_f_block(t);

	if (kind & ALL) {
		LLVMBuildBr(t->b, here);
	} else {
		LLVMValueRef tags = wk_c_field(c, c->pointer, t->context, wk_image_context, instance, true);

		tags = wk_c_field(c, c->pointer, tags, wk_instance, tags, true);
		tags = wk_c_load(c, c->pointer, tags, tag * sizeof(void *), c->tbaa_context, true);
		LLVMBuildCondBr(t->b, LLVMBuildICmp(t->b, LLVMIntEQ, tags, thrown, ""), here, next);
	}
	LLVMPositionBuilderAtEnd(t->b, here);
	if (!(kind & ALL)) {
		const struct wk_deftype *type = wk_registry_get(c->module->registry, c->module->tags[tag]);
		LLVMValueRef slots = wk_c_at(c, exception, offsetof(struct wk_exception, slots));

		for (uint32_t i = 0; i < type->parameter_count; i++)
			wk_f_push(t, wk_c_get_slot(c, slots, &at, type->types[i]));
	}
	if (kind & WITH_REFERENCE)
		wk_f_push(t, LLVMBuildPtrToInt(t->b, exception, c->i64, ""));
	set(c, exec_of(t), EXEC(pending), LLVMConstNull(c->pointer));
	wk_f_jump(t, label);
	t->height = height;
	LLVMPositionBuilderAtEnd(t->b, next);
}

void wk_f_begin_try(struct translator *t)
{
	struct compiler *c = t->c;
	uint32_t clauses = wk_f_read_u32(t);
	LLVMBasicBlockRef landing, here = LLVMGetInsertBlock(t->b);
	LLVMValueRef exception, thrown;

	t->labels[t->label_count - 1].outside = t->landing;
	if (clauses == 0)
		return;
	landing = wk_f_block(t);
	find_top(t);
	LLVMPositionBuilderAtEnd(t->b, landing);
	set(c, exec_of(t), EXEC(stack_top), t->above);
	exception = get(c, exec_of(t), EXEC(pending));
	thrown = wk_c_field(c, c->pointer, exception, wk_exception, tag, false);
	for (; clauses > 0 && !t->unsupported; clauses--)
		try_clause(t, exception, thrown);
	go_on(t);
	LLVMPositionBuilderAtEnd(t->b, here);
	t->landing = landing;
}

/* ---- calls ---- */

/* Are all parameters and results in registers? `count` values are passed; the first, the context, has its own. */
static bool in_registers(const struct compiler *c, const struct wk_deftype *type, LLVMValueRef *values, unsigned count)
{
	uint32_t integers = 0, others = 0;

	for (unsigned i = 1; i < count; i++) {
		LLVMTypeRef one = LLVMTypeOf(values[i]);

		if (one == c->i32 || one == c->i64 || one == c->pointer)
			integers++;
		else
			others++;
	}
	return integers <= (c->x86 ? 6 : 8) && others <= 8 && wk_c_results_fit(c, type);
}

static LLVMValueRef scratch(struct translator *t, uint32_t slots)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(t->b);

	if (slots > t->scratch_slots)
		t->scratch_slots = slots;
	if (!t->scratch) {
		LLVMPositionBuilderBefore(t->b, LLVMGetFirstInstruction(t->allocas));
		t->scratch = LLVMBuildArrayAlloca(t->b, t->c->i64, wk_c_number(t->c->i32, 1), "");
		LLVMPositionBuilderAtEnd(t->b, here);
	}
	return t->scratch;
}

/* try_call(values), of this function; the context is the first. */
static LLVMValueRef call_by_helper(struct translator *t, LLVMTypeRef result, LLVMValueRef function,
	LLVMValueRef *values, unsigned count)
{
	struct compiler *c = t->c;
	LLVMTypeRef *types = malloc(((size_t)count + 1) * sizeof *types);
	LLVMValueRef *all = malloc(((size_t)count + 1) * sizeof(LLVMValueRef)), helper, made = NULL;

	if (types && all) {
		all[0] = values[0];
		all[1] = function;
		for (unsigned i = 1; i < count; i++)
			all[i + 1] = values[i];
		for (unsigned i = 0; i <= count; i++)
			types[i] = LLVMTypeOf(all[i]);
		helper = wk_c_field(c, c->pointer, t->context, wk_image_context, helpers, true);
		helper = wk_c_field(c, c->pointer, helper, wk_image_helpers, try_call, true);
		made = wk_c_call_compiled(c, LLVMFunctionType(result, types, count + 1, false), helper, all, count + 1);
		LLVMAddCallSiteAttribute(made, 2, LLVMCreateEnumAttribute(c->llvm, LLVMGetEnumAttributeKindForName("nest", 4), 0));
	} else {
		c->failed = true;
		t->unsupported = "no memory to translate it";
	}
	free(types);
	free(all);
	return made;
}

/* With too many values for the registers: a function that takes them from slots calls it. */
static LLVMValueRef call_by_slots(struct translator *t, const struct wk_deftype *type, LLVMValueRef function,
	LLVMValueRef *values, unsigned count)
{
	struct compiler *c = t->c;
	bool other = count > type->parameter_count + 1; /* it is a slow call, of the struct wk_func values[1] */
	LLVMValueRef slots = scratch(t, wk_c_slots_of(type));
	LLVMValueRef by_slots[3] = { t->context, other ? values[1] : function, slots };
	uint32_t at = 0;

	for (unsigned i = other ? 2 : 1; i < count; i++)
		wk_c_put_slot(c, slots, &at, values[i]);
	return call_by_helper(t, c->none, wk_c_by_slots(c, other ? NULL : type), by_slots, 3);
}

LLVMValueRef wk_f_build_call(struct translator *t, const struct wk_deftype *type, LLVMTypeRef function_type,
	LLVMValueRef function, LLVMValueRef *values, unsigned count)
{
	struct compiler *c = t->c;
	LLVMBasicBlockRef next;
	LLVMValueRef made;
	bool direct;

	if (!t->landing)
		return wk_c_call_compiled(c, function_type, function, values, count);
	direct = in_registers(c, type, values, count);
	if (!t->handler)
		t->handler = get_first(t, EXEC(native_handler));
	made = direct ? call_by_helper(t, LLVMGetReturnType(function_type), function, values, count) :
		call_by_slots(t, type, function, values, count);
	set(c, exec_of(t), EXEC(native_handler), t->handler);
	next = wk_f_block(t);
	wk_f_branch_unlikely(t, LLVMBuildIsNotNull(t->b, get(c, exec_of(t), EXEC(pending)), ""), t->landing, next);
	LLVMPositionBuilderAtEnd(t->b, next);
	return direct || type->result_count == 0 ? made : wk_c_take_results(c, t->scratch, type);
}
