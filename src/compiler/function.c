/* SPDX-License-Identifier: Apache-2.0
 *
 * Function bodies: one walk over validated bytes, writing LLVM's IR as it goes.
 *
 * WebAssembly's operand stack holds values of LLVM here: an operand is computed once and never changes. Locals are
 * allocas, which LLVM makes registers of; where control meets, each value that a label takes is a phi. Unreachable
 * instructions are passed over, so there is no value without a type.
 *
 * A function with something that is not compiled yet is given up as a whole: t->unsupported says what it was, and the
 * function becomes a stub that calls the interpreter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/translator.h"
#include "format/reader.h"

/* ---- growing arrays ---- */

bool wk_f_grow(struct translator *t, void *array, uint32_t *room, uint64_t wanted, size_t item)
{
	void **pointer = array, *grown;
	uint64_t count = wanted < 64 ? 64 : wanted + wanted / 2;

	if (wanted <= *room)
		return true;
	grown = count > UINT32_MAX ? NULL : realloc(*pointer, count * item);
	if (!grown) {
		t->c->failed = true;
		t->unsupported = "no memory to translate it";
		return false;
	}
	*pointer = grown;
	*room = (uint32_t)count;
	return true;
}

/* ---- operands ---- */

void wk_f_push(struct translator *t, LLVMValueRef value)
{
	if (wk_f_grow(t, &t->stack, &t->stack_room, t->height + 1, sizeof *t->stack))
		t->stack[t->height++] = value;
}

LLVMValueRef wk_f_pop(struct translator *t)
{
	return t->height != 0 ? t->stack[--t->height] : LLVMGetUndef(t->c->i32);
}

wk_valtype wk_f_read_type(struct translator *t)
{
	struct wk_type_scope scope = wk_scope_of_module(t->c->module);
	struct wk_reader reader = { t->at, t->c->module->bytes.data + t->c->module->bytes.size, t->c->module->bytes.data, NULL,
		t->index };
	wk_valtype type = WK_TYPE_I32;

	if (wk_read_valtype(&reader, &scope, &type) != WK_OK)
		t->unsupported = "a type that cannot be read";
	t->at = reader.at;
	return type;
}

/* ---- blocks of IR ---- */

LLVMBasicBlockRef wk_f_block(struct translator *t)
{
	return LLVMAppendBasicBlockInContext(t->c->llvm, t->function, "");
}

void wk_f_branch_unlikely(struct translator *t, LLVMValueRef condition, LLVMBasicBlockRef yes, LLVMBasicBlockRef no)
{
	wk_c_tag(LLVMBuildCondBr(t->b, condition, yes, no), t->c->kind_prof, t->c->unlikely);
}

static LLVMValueRef offset_of(const struct translator *t)
{
	return wk_c_number(t->c->i32, (uint64_t)(t->instruction - t->c->module->bytes.data));
}

void wk_f_end_block(struct translator *t)
{
	t->unreachable = true;
}

static void build_trap(struct translator *t, LLVMValueRef trap)
{
	wk_c_end_run(t->c, t->context, trap, offset_of(t));
}

void wk_f_trap(struct translator *t, enum wk_trap trap)
{
	build_trap(t, wk_c_number(t->c->i32, trap));
	wk_f_end_block(t);
}

static void trap_if(struct translator *t, LLVMValueRef condition, LLVMValueRef trap)
{
	LLVMBasicBlockRef bad, good;

	if (LLVMIsAConstantInt(condition) && LLVMConstIntGetZExtValue(condition) == 0)
		return;
	bad = wk_f_block(t);
	good = wk_f_block(t);
	wk_f_branch_unlikely(t, condition, bad, good);
	LLVMPositionBuilderAtEnd(t->b, bad);
	build_trap(t, trap);
	LLVMPositionBuilderAtEnd(t->b, good);
}

void wk_f_trap_if(struct translator *t, LLVMValueRef condition, enum wk_trap trap)
{
	trap_if(t, condition, wk_c_number(t->c->i32, trap));
}

void wk_f_trap_if_any(struct translator *t, LLVMValueRef trap)
{
	trap_if(t, LLVMBuildICmp(t->b, LLVMIntNE, trap, wk_c_number(t->c->i32, 0), ""), trap);
}

LLVMValueRef wk_f_intrinsic_of(struct translator *t, const char *name, LLVMTypeRef *types, size_t type_count,
	LLVMValueRef *arguments, unsigned count)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	LLVMValueRef function = LLVMGetIntrinsicDeclaration(t->c->ir, id, types, type_count);

	return LLVMBuildCall2(t->b, LLVMIntrinsicGetType(t->c->llvm, id, types, type_count), function, arguments, count, "");
}

LLVMValueRef wk_f_intrinsic(struct translator *t, const char *name, LLVMTypeRef type, LLVMValueRef *arguments,
	unsigned count)
{
	return wk_f_intrinsic_of(t, name, &type, type ? 1 : 0, arguments, count);
}

/* ---- variables ---- */

static LLVMValueRef global_cell(struct translator *t, uint32_t index)
{
	LLVMValueRef cells = wk_c_field(t->c, t->c->pointer, t->context, wk_image_context, globals, true);

	return wk_c_load(t->c, t->c->pointer, cells, index * sizeof(void *), t->c->tbaa_context, true);
}

static void get_global(struct translator *t)
{
	uint32_t index = wk_f_read_u32(t);
	const struct wk_global_type *type = &t->c->module->globals[index].type;

	wk_f_push_as(t, type->type, wk_c_align_slot(t->c, wk_c_load(t->c, wk_c_type(t->c, type->type), global_cell(t, index), 0,
		t->c->tbaa_global, !type->mutable_)));
}

static void set_global(struct translator *t)
{
	uint32_t index = wk_f_read_u32(t);
	LLVMValueRef store;

	store = wk_c_align_slot(t->c, LLVMBuildStore(t->b, wk_f_pop(t), global_cell(t, index)));
	LLVMSetVolatile(store, t->c->guards);
	wk_c_tag(store, t->c->kind_tbaa, t->c->tbaa_global);
}

static void set_local(struct translator *t, bool tee)
{
	uint32_t index = wk_f_read_u32(t);
	LLVMValueRef value = wk_f_hide(t, wk_f_pop(t));

	LLVMBuildStore(t->b, value, t->locals[index]);
	if (tee)
		wk_f_push(t, value);
}

static void do_select(struct translator *t, wk_valtype type)
{
	LLVMValueRef condition = wk_f_truth(t, wk_f_pop(t)), b = wk_f_hide(t, wk_f_pop(t)), a = wk_f_hide(t, wk_f_pop(t));

	wk_f_push_as(t, type, LLVMBuildSelect(t->b, condition, a, b, ""));
}

/* ---- one instruction ---- */

static bool variable_instruction(struct translator *t, uint32_t op)
{
	LLVMValueRef value;

	switch (op) {
	case WK_OP_DROP: wk_f_pop(t); return true;
	case WK_OP_SELECT_T:
		wk_f_read_u32(t); /* 1 */
		do_select(t, wk_f_read_type(t));
		return true;
	case WK_OP_SELECT: do_select(t, WK_TYPE_BOTTOM); return true; /* of numbers */
	case WK_OP_LOCAL_GET: {
		uint32_t index = wk_f_read_u32(t);

		value = LLVMBuildLoad2(t->b, wk_c_type(t->c, t->local_types[index]), t->locals[index], "");
		wk_f_push_as(t, t->local_types[index], value);
		return true;
	}
	case WK_OP_LOCAL_SET: set_local(t, false); return true;
	case WK_OP_LOCAL_TEE: set_local(t, true); return true;
	case WK_OP_GLOBAL_GET: get_global(t); return true;
	case WK_OP_GLOBAL_SET: set_global(t); return true;
	case WK_OP_REF_NULL:
		(void)wk_leb_trusted_signed(&t->at);
		wk_f_push(t, wk_c_number(t->c->i64, 0));
		return true;
	case WK_OP_REF_IS_NULL:
		value = LLVMBuildICmp(t->b, LLVMIntEQ, wk_f_pop(t), wk_c_number(t->c->i64, 0), "");
		wk_f_push(t, LLVMBuildZExt(t->b, value, t->c->i32, ""));
		return true;
	case WK_OP_REF_AS_NON_NULL:
		value = wk_f_pop(t);
		wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntEQ, value, wk_c_number(t->c->i64, 0), ""), WK_TRAP_NULL_REFERENCE);
		wk_f_push(t, value);
		return true;
	case WK_OP_REF_FUNC: wk_f_push(t, wk_f_ref_func(t, wk_f_read_u32(t))); return true;
	default: return false;
	}
}

static uint32_t read_opcode(struct translator *t)
{
	uint32_t byte = *t->at++;

	return byte < 0xFB || byte > 0xFD ? byte : byte << 12 | wk_f_read_u32(t);
}

static void instruction(struct translator *t)
{
	t->instruction = t->at;
	uint32_t op = read_opcode(t);

	t->fuel += op != WK_OP_END && op != WK_OP_ELSE;
	if (!wk_f_control(t, op) && !variable_instruction(t, op) && !wk_f_call(t, op) && !wk_f_memory(t, op) &&
		!wk_f_numeric(t, op) && !wk_f_vector(t, op))
		t->unsupported = wk_opcode_name(op);
}

/* Passes over instructions that cannot be reached, up to the `else` or `end` that makes code reachable again. */
static void skip_unreachable(struct translator *t)
{
	struct wk_type_scope scope = wk_scope_of_module(t->c->module);
	struct wk_reader reader = { t->at, t->c->module->bytes.data + t->c->module->bytes.size, t->c->module->bytes.data, NULL,
		t->index };

	for (uint32_t depth = 0;;) {
		const struct wk_opcode *opcode = NULL;
		const uint8_t *begin = reader.at;

		if (wk_read_opcode(&reader, &opcode) != WK_OK || ((opcode->code == WK_OP_END || opcode->code == WK_OP_ELSE) &&
			depth == 0)) {
			t->at = begin;
			return;
		}
		if (opcode->code == WK_OP_END)
			depth--;
		if (opcode->code == WK_OP_BLOCK || opcode->code == WK_OP_LOOP || opcode->code == WK_OP_IF ||
			opcode->code == WK_OP_TRY_TABLE)
			depth++;
		if (wk_skip_immediate(&reader, &scope, opcode) != WK_OK)
			return;
	}
}

/* ---- one function ---- */

static void add_locals(struct translator *t, wk_valtype type, uint32_t count)
{
	LLVMTypeRef what = wk_c_type(t->c, type);

	if (!wk_f_grow(t, &t->locals, &t->local_room, (uint64_t)t->local_count + count, sizeof *t->locals) ||
		!wk_f_grow(t, &t->local_types, &t->local_type_room, (uint64_t)t->local_count + count, sizeof *t->local_types))
		return;
	for (; count > 0; count--, t->local_count++) {
		LLVMValueRef local = LLVMBuildAlloca(t->b, what, "");

		t->locals[t->local_count] = local;
		t->local_types[t->local_count] = type;
		LLVMBuildStore(t->b, t->local_count < t->type->parameter_count ?
			LLVMGetParam(t->function, t->local_count + 1) : LLVMConstNull(what), local);
	}
}

/* A frame that would lie below the guard is not entered. LLVM does not say how large a frame becomes; a function with
 * very many values asks for more than there is in any case behind the guard, and pages are touched in order
 * (module.c). A function that calls none needs no check, if its frame is small: what helpers may use is enough for it
 * (image/bind.c). */
static void check_stack(struct translator *t, const struct wk_function_decl *decl)
{
	struct compiler *c = t->c;
	const bool optee = wk_c_target(c->options->target)->optee;
	LLVMValueRef depth = wk_c_number(c->i32, 0), exec, guard, frame, stop;
	LLVMBasicBlockRef bad = wk_f_block(t), good = wk_f_block(t);
	uint64_t large = 16 * ((uint64_t)t->local_count + decl->max_slots);

	frame = LLVMBuildPtrToInt(t->b, wk_f_intrinsic(t, "llvm.frameaddress", c->pointer, &depth, 1), c->i64, "");
	exec = wk_c_field(c, c->pointer, t->context, wk_image_context, exec, true);
	guard = wk_c_load(c, c->i64, exec, offsetof(struct wk_exec, native_guard), c->tbaa_context, false);
	LLVMSetOrdering(guard, LLVMAtomicOrderingUnordered); /* more would be a barrier where the function is put into a loop */
	LLVMSetAlignment(guard, 8);
	if (large > (optee ? 2048 : 32768)) /* a Trusted Application has less behind it */
		frame = LLVMBuildSub(t->b, frame, wk_c_number(c->i64, large), "");
	stop = LLVMBuildICmp(t->b, LLVMIntULT, frame, guard, "");
	if (optee) /* an interrupt cannot raise the guard */
		stop = LLVMBuildOr(t->b, stop, wk_c_interrupted(c, exec), "");
	wk_f_branch_unlikely(t, stop, bad, good);
	if (large <= 2048)
		t->stack_check = LLVMGetLastInstruction(LLVMGetInsertBlock(t->b));
	LLVMPositionBuilderAtEnd(t->b, bad);
	wk_c_end_run(c, t->context, NULL, offset_of(t));
	LLVMPositionBuilderAtEnd(t->b, good);
}

static void enter(struct translator *t, const struct wk_function_decl *decl)
{
	uint32_t parameters = t->type->parameter_count;

	t->allocas = wk_f_block(t);
	LLVMPositionBuilderAtEnd(t->b, t->allocas);
	for (uint32_t i = 0; i < parameters && !t->unsupported; i++)
		add_locals(t, t->type->types[i], 1);
	for (uint32_t runs = wk_f_read_u32(t); runs > 0 && !t->unsupported; runs--) {
		uint32_t count = wk_f_read_u32(t);
		wk_valtype type = wk_f_read_type(t);

		if (count > 0 && !t->unsupported)
			add_locals(t, type, count);
	}
	t->instruction = t->at;
	if (t->unsupported)
		return;
	check_stack(t, decl);
	wk_f_keep_locals(t);
	wk_f_begin_body(t);
}

void wk_f_function(struct compiler *c, uint32_t index)
{
	const struct wk_function_decl *decl = &c->module->funcs[index];
	struct translator t = { .c = c, .b = c->b, .index = index, .type = wk_module_func_type(c->module, index),
		.code = &c->codes[index], .at = c->module->bytes.data + decl->body };

	t.function = t.code->body ? t.code->body : t.code->function;
	t.context = LLVMGetParam(t.function, 0);
	enter(&t, decl);
	while (!t.unsupported && t.label_count != 0) {
		if (t.unreachable)
			skip_unreachable(&t);
		instruction(&t);
	}
	wk_f_end_fuel(&t);
	if (!t.unsupported)
		wk_f_end_exceptions(&t);
	if (t.stack_check)
		LLVMSetCondition(t.stack_check, LLVMConstInt(c->i1, 0, false));
	t.code->left = t.unsupported;
	if (t.code->body && !t.unsupported)
		wk_c_library_path(c, t.code);
	free(t.stack);
	free(t.labels);
	free(t.phis);
	free(t.locals);
	free(t.local_types);
}
