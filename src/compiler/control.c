/* SPDX-License-Identifier: Apache-2.0
 *
 * Control: blocks, labels and branches. Where control meets, each value that a label takes is a phi.
 */
#include "compiler/translator.h"

/* ---- labels ---- */

static uint32_t parameter_count(const struct label *l) { return l->type ? l->type->parameter_count : 0; }
static uint32_t result_count(const struct label *l) { return l->type ? l->type->result_count : l->single != 0; }
static const wk_valtype *results_of(const struct label *l) { return l->type ? wk_results_of(l->type) : &l->single; }

static struct label *label_at(struct translator *t, uint32_t depth)
{
	return &t->labels[t->label_count - 1 - depth];
}

/* Brings the top operands to a label; the block's terminator is the caller's. `from` is where it jumps from. */
static void bring(struct translator *t, struct label *l, LLVMBasicBlockRef from)
{
	for (uint32_t i = 0; i < l->arity; i++) {
		LLVMValueRef value = wk_f_hide(t, t->stack[t->height - l->arity + i]);

		LLVMAddIncoming(t->phis[l->phi + i], &value, &from, 1);
	}
	l->branches++;
}

/* Constants that are hidden are computed here, before the jump. */
static void hide_top(struct translator *t, uint32_t count)
{
	for (uint32_t i = t->height - count; i < t->height; i++)
		t->stack[i] = wk_f_hide(t, t->stack[i]);
}

void wk_f_jump(struct translator *t, struct label *l)
{
	hide_top(t, l->arity);
	bring(t, l, LLVMGetInsertBlock(t->b));
	LLVMBuildBr(t->b, l->target);
}

static bool add_phis(struct translator *t, LLVMBasicBlockRef block, const wk_valtype *types, uint32_t count)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(t->b);

	if (!wk_f_grow(t, &t->phis, &t->phi_room, (uint64_t)t->phi_count + count, sizeof *t->phis))
		return false;
	LLVMPositionBuilderAtEnd(t->b, block);
	for (uint32_t i = 0; i < count; i++)
		t->phis[t->phi_count++] = LLVMBuildPhi(t->b, wk_c_type(t->c, types[i]), "");
	LLVMPositionBuilderAtEnd(t->b, here);
	return true;
}

static struct label *push_label(struct translator *t, uint32_t op)
{
	if (!wk_f_grow(t, &t->labels, &t->label_room, t->label_count + 1, sizeof *t->labels))
		return NULL;
	t->labels[t->label_count] = (struct label){ .opcode = (uint8_t)op, .phi = t->phi_count };
	return &t->labels[t->label_count++];
}

static void read_block_type(struct translator *t, struct label *l)
{
	uint8_t byte = *t->at;

	if (byte == 0x40) {
		t->at++;
	} else if (byte & 0x40 && !(byte & 0x80)) { /* a value type: a negative number of one byte */
		l->single = wk_f_read_type(t);
	} else {
		l->type = wk_registry_get(t->c->module->registry,
			t->c->module->types[(uint32_t)wk_leb_trusted_signed(&t->at)]);
	}
}

/* The operands of an if are needed once more when its else begins. */
static bool keep_parameters(struct translator *t, struct label *l)
{
	uint32_t count = parameter_count(l);

	if (!wk_f_grow(t, &t->phis, &t->phi_room, (uint64_t)t->phi_count + count, sizeof *t->phis))
		return false;
	l->parameters = t->phi_count;
	for (uint32_t i = 0; i < count; i++)
		t->phis[t->phi_count++] = t->stack[l->height + i];
	return true;
}

LLVMValueRef wk_f_truth(struct translator *t, LLVMValueRef i32)
{
	return LLVMBuildICmp(t->b, LLVMIntNE, i32, wk_c_number(t->c->i32, 0), "");
}

static void begin_block(struct translator *t, uint32_t op)
{
	LLVMValueRef condition = op == WK_OP_IF ? wk_f_pop(t) : NULL;
	struct label *l = push_label(t, op);
	LLVMBasicBlockRef then;

	if (!l)
		return;
	read_block_type(t, l);
	if (t->unsupported)
		return;
	hide_top(t, parameter_count(l));
	l->height = t->height - parameter_count(l);
	l->target = wk_f_block(t);
	if (op == WK_OP_LOOP) {
		l->arity = parameter_count(l);
		if (!add_phis(t, l->target, l->type ? l->type->types : NULL, l->arity))
			return;
		wk_f_jump(t, l);
		LLVMPositionBuilderAtEnd(t->b, l->target);
		for (uint32_t i = 0; i < l->arity; i++) {
			t->stack[l->height + i] = t->phis[l->phi + i];
			wk_f_keep(t, l->height + i, l->type->types[i], t->stack[l->height + i]);
		}
		wk_f_begin_fuel(t);
		return;
	}
	l->arity = result_count(l);
	if (!add_phis(t, l->target, results_of(l), l->arity))
		return;
	if (op == WK_OP_TRY_TABLE)
		wk_f_begin_try(t);
	if (op != WK_OP_IF || !keep_parameters(t, l))
		return;
	then = wk_f_block(t);
	l->otherwise = wk_f_block(t);
	LLVMBuildCondBr(t->b, wk_f_truth(t, condition), then, l->otherwise);
	LLVMPositionBuilderAtEnd(t->b, then);
	wk_f_begin_fuel(t);
}

/* Where an if's condition was not true: here with the parameters of before. */
static void enter_otherwise(struct translator *t, struct label *l)
{
	LLVMPositionBuilderAtEnd(t->b, l->otherwise);
	t->height = l->height;
	for (uint32_t i = 0; i < parameter_count(l); i++)
		wk_f_push(t, t->phis[l->parameters + i]);
	l->otherwise = NULL;
	t->unreachable = false;
}

static void begin_else(struct translator *t)
{
	struct label *l = label_at(t, 0);

	if (!t->unreachable)
		wk_f_jump(t, l);
	enter_otherwise(t, l);
	wk_f_begin_fuel(t);
}

static void end_block(struct translator *t)
{
	struct label *l = label_at(t, 0);

	if (l->opcode == WK_OP_LOOP) { /* its label is its begin; control just goes on */
		t->label_count--;
		t->phi_count = l->phi;
		return;
	}
	if (!t->unreachable)
		wk_f_jump(t, l);
	if (l->otherwise) {
		enter_otherwise(t, l);
		wk_f_jump(t, l);
	}
	if (l->opcode == WK_OP_TRY_TABLE)
		t->landing = l->outside;
	t->height = l->height;
	t->label_count--;
	if (l->branches == 0) {
		/* Its phis go with it. */
		LLVMDeleteBasicBlock(l->target);
		t->phi_count = l->phi;
		t->unreachable = true;
		return;
	}
	t->unreachable = false;
	LLVMPositionBuilderAtEnd(t->b, l->target);
	t->phi_count = l->phi;
	for (uint32_t i = 0; i < l->arity; i++)
		wk_f_push_as(t, results_of(l)[i], t->phis[l->phi + i]);
	if (t->label_count == 0) {
		wk_f_return(t);
		t->unreachable = true;
	} else {
		wk_f_begin_fuel(t);
	}
}

/* ---- branches ---- */

static void branch_conditionally(struct translator *t, LLVMValueRef condition, struct label *l)
{
	LLVMBasicBlockRef next = wk_f_block(t);

	hide_top(t, l->arity);
	bring(t, l, LLVMGetInsertBlock(t->b));
	LLVMBuildCondBr(t->b, condition, l->target, next);
	LLVMPositionBuilderAtEnd(t->b, next);
}

/* A phi has one entry for each jump, and a switch may jump to a block many times. */
static void br_table(struct translator *t)
{
	uint32_t count = wk_f_read_u32(t);
	LLVMValueRef index = wk_f_pop(t), jumps;
	const uint8_t *labels = t->at;
	LLVMBasicBlockRef here;

	for (uint32_t i = 0; i < count; i++)
		wk_f_read_u32(t);
	struct label *otherwise = label_at(t, wk_f_read_u32(t));
	hide_top(t, otherwise->arity);
	here = LLVMGetInsertBlock(t->b);
	bring(t, otherwise, here);
	jumps = LLVMBuildSwitch(t->b, index, otherwise->target, count);
	for (uint32_t i = 0; i < count; i++) {
		struct label *l = label_at(t, (uint32_t)wk_leb_trusted(&labels));

		bring(t, l, here);
		LLVMAddCase(jumps, wk_c_number(t->c->i32, i), l->target);
	}
	wk_f_end_block(t);
}

static void branch_on_null(struct translator *t, bool non_null)
{
	struct label *l = label_at(t, wk_f_read_u32(t));
	LLVMValueRef reference = wk_f_pop(t);
	LLVMValueRef is_null = LLVMBuildICmp(t->b, LLVMIntEQ, reference, wk_c_number(t->c->i64, 0), "");

	if (non_null) {
		wk_f_push(t, reference);
		branch_conditionally(t, LLVMBuildNot(t->b, is_null, ""), l);
		(void)wk_f_pop(t);
	} else {
		branch_conditionally(t, is_null, l);
		wk_f_push(t, reference);
	}
	wk_f_begin_fuel(t);
}

/* The function's own label. */
void wk_f_begin_body(struct translator *t)
{
	struct label *l = push_label(t, 0);

	if (!l)
		return;
	l->type = t->type;
	l->arity = t->type->result_count;
	l->target = wk_f_block(t);
	(void)add_phis(t, l->target, wk_results_of(t->type), l->arity);
	wk_f_begin_fuel(t);
}

/* ---- one instruction ---- */

bool wk_f_control(struct translator *t, uint32_t op)
{
	switch (op) {
	case WK_OP_UNREACHABLE: wk_f_trap(t, WK_TRAP_UNREACHABLE); return true;
	case WK_OP_NOP: return true;
	case WK_OP_BLOCK: case WK_OP_LOOP: case WK_OP_IF: case WK_OP_TRY_TABLE: begin_block(t, op); return true;
	case WK_OP_ELSE: begin_else(t); return true;
	case WK_OP_END: end_block(t); return true;
	case WK_OP_BR:
		wk_f_jump(t, label_at(t, wk_f_read_u32(t)));
		wk_f_end_block(t);
		return true;
	case WK_OP_BR_IF: {
		struct label *l = label_at(t, wk_f_read_u32(t));

		branch_conditionally(t, wk_f_truth(t, wk_f_pop(t)), l);
		wk_f_begin_fuel(t);
		return true;
	}
	case WK_OP_BR_TABLE: br_table(t); return true;
	case WK_OP_THROW: wk_f_throw(t); return true;
	case WK_OP_THROW_REF: wk_f_throw_ref(t); return true;
	case WK_OP_BR_ON_NULL: branch_on_null(t, false); return true;
	case WK_OP_BR_ON_NON_NULL: branch_on_null(t, true); return true;
	case WK_OP_RETURN:
		wk_f_return(t);
		wk_f_end_block(t);
		return true;
	default: return false;
	}
}
