/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuel: charged where a straight run of instructions begins, as the interpreter's translator does it
 * (interp/translate_control.c), to the instruction: both end at the same place with the same fuel left.
 *
 * What is left is in exec->fuel, where the interpreter and all functions find it. Loads and stores of it are volatile, so
 * it is right whenever something else can look: after a trap, after an interrupt (polls.c: LLVM does
 * not move looks at the flag, nor these), and in host functions.
 */
#include "compiler/translator.h"

void wk_f_end_fuel(struct translator *t)
{
	if (t->fuel_charge)
		LLVMSetOperand(t->fuel_charge, 1, wk_c_number(t->c->i64, t->fuel));
	t->fuel_charge = NULL;
}

void wk_f_begin_fuel(struct translator *t)
{
	struct compiler *c = t->c;
	LLVMValueRef exec, had, left, store;

	if (!c->options->fuel)
		return;
	wk_f_end_fuel(t);
	exec = wk_c_field(c, c->pointer, t->context, wk_image_context, exec, true);
	had = wk_c_load(c, c->i64, exec, offsetof(struct wk_exec, fuel), c->tbaa_fuel, false);
	LLVMSetVolatile(had, true);
	/* How much is known at the run's end. */
	left = LLVMBuildSub(t->b, had, wk_c_number(c->i64, 1), "");
	t->fuel_charge = left;
	t->fuel = 0;
	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntSLT, left, wk_c_number(c->i64, 0), ""), WK_TRAP_FUEL_EXHAUSTED);
	store = LLVMBuildStore(t->b, left, wk_c_at(c, exec, offsetof(struct wk_exec, fuel)));
	wk_c_tag(store, c->kind_tbaa, c->tbaa_fuel);
	LLVMSetVolatile(store, true);
}
