/* SPDX-License-Identifier: Apache-2.0
 *
 * Translating control: blocks and branches, calls, exceptions, and the fuel of straight runs.
 *
 * Where paths meet, values are at home: a block's parameters before it, its results behind it. Branches move values to
 * where their label wants them on the taken path only.
 */
#include "format/opcodes.h"
#include "interp/translate.h"

/* ---- fuel: charged where a straight run of instructions begins ---- */

static void end_region(struct translator *t)
{
	if (t->fuel_at != NO_PLACE && !t->failed)
		put_word(t->out + t->fuel_at, t->fuel);
	t->fuel_at = NO_PLACE;
}

static void begin_region(struct translator *t)
{
	if (!t->code->metering)
		return;
	end_region(t);
	wk_unit w[2] = { 0, 0 };
	wk_t_write(t, WK_I_fuel, w, 2);
	t->fuel_at = t->count - 2;
	t->fuel = 0;
}

/* ---- conditional branches ---- */

/* Writes a short branch that is taken when the entry is not zero (or is zero: `negated`). */
static void branch_if(struct translator *t, struct entry e, bool negated, struct label *label)
{
	wk_unit w[MAX_OPERANDS];
	struct comparing c = wk_t_pending_comparison(t, e);
	if (c.integer || c.is_float) {
		struct pending p = t->pending;
		t->pending.op = NO_INSTRUCTION;
		t->acc_slot = p.acc_before;
		negated ^= p.negated;
		uint32_t op;
		if (c.integer)
			op = c.branches + (c.c ^ (negated ? 1 : 0)) * 4 + c.form;
		else if (!negated || c.c <= FNE)
			op = c.branches + (c.c ^ (negated ? 1 : 0)) * 2 + c.form;
		else
			op = c.branches + (c.c + 4) * 2 + c.form;
		memcpy(w, p.w + 1, (p.count - 1) * sizeof *w);
		wk_t_branch(t, op, w, p.count - 1, label);
		return;
	}
	if (wk_t_operand(t, e, &w[0]))
		wk_t_branch(t, negated ? WK_I_br_z_a : WK_I_br_nz_a, w, 0, label);
	else
		wk_t_branch(t, negated ? WK_I_br_z_s : WK_I_br_nz_s, w, 1, label);
}

static struct control *control_at(struct translator *t, uint32_t depth)
{
	return &t->s->controls[t->control_count - 1 - depth];
}

static uint32_t parameter_count(const struct control *c) { return c->type ? c->type->parameter_count : 0; }
static uint32_t result_count(const struct control *c) { return c->type ? c->type->result_count : c->single != 0; }
static const wk_valtype *results_of(const struct control *c) { return c->type ? wk_results_of(c->type) : &c->single; }
static uint32_t arity(const struct control *c) { return c->kind == C_LOOP ? parameter_count(c) : result_count(c); }

/* Where the top entries are, the label may want them: */
static bool in_place(const struct translator *t, const struct control *c)
{
	uint32_t n = arity(c);
	return n == 0 || t->s->entries[t->entry_count - n].home == c->base;
}

/* Values that a label wants elsewhere are moved one by one, or, from home, all at once: code stays small. */
#define MOVES_ONE_BY_ONE 2

static void prepare_move(struct translator *t, const struct control *c)
{
	if (in_place(t, c) || arity(c) > MOVES_ONE_BY_ONE)
		wk_t_bring_home(t, arity(c));
}

/* Moves the top entries to where a label wants them; the entries stay. Upwards: a source is never below its target. */
static void move_to_label(struct translator *t, const struct control *c)
{
	uint32_t n = arity(c), to = c->base;
	if (in_place(t, c))
		return;
	if (n > MOVES_ONE_BY_ONE) {
		uint32_t from = t->s->entries[t->entry_count - n].home;
		wk_unit w[3] = { (wk_unit)to, (wk_unit)from, (wk_unit)(t->height - from) };
		wk_t_write(t, WK_I_move, w, 3);
		return;
	}
	for (uint32_t i = t->entry_count - n; i < t->entry_count; i++) {
		struct entry e = t->s->entries[i];
		wk_t_move(t, to, e);
		to += slots_of_class(e.type);
	}
}

/* A branch that may have to move values first, or go far: both on the taken path only. */
static void conditional(struct translator *t, struct entry e, bool negated, uint32_t depth)
{
	struct control *c = control_at(t, depth);
	prepare_move(t, c);
	if (in_place(t, c) && !wk_t_is_far(t, &c->label)) {
		branch_if(t, e, negated, &c->label);
		return;
	}
	struct label over = wk_t_new_label(NO_NUMBER);
	branch_if(t, e, !negated, &over);
	move_to_label(t, c);
	wk_t_jump(t, &c->label);
	wk_t_label(t);
	wk_t_resolve(t, &over);
}

/* ---- calls ---- */

/* Brings the arguments home and takes them off; returns the slot of the first: the callee's frame. */
static uint32_t pass_arguments(struct translator *t, const struct wk_deftype *type)
{
	wk_t_bring_home(t, type->parameter_count);
	for (uint32_t i = 0; i < type->parameter_count; i++)
		wk_t_pop(t);
	return t->height;
}

static void push_results(struct translator *t, const struct wk_deftype *type)
{
	t->acc_slot = t->f32_slot = t->f64_slot = NO_SLOT;
	const wk_valtype *results = wk_results_of(type);
	for (uint32_t i = 0; i < type->result_count; i++)
		wk_t_push(t, class_of(results[i]));
	if (type->result_count == 1 && is_integer(class_of(results[0])))
		t->acc_slot = t->height - 1; /* every way back leaves the first result there */
}

static void call(struct translator *t)
{
	uint32_t function = wk_t_read_u32(t);
	const struct wk_deftype *type = wk_module_func_type(t->module, function);
	bool imported = function < t->module->imported_funcs;
	uint32_t frame = pass_arguments(t, type);
	wk_unit w[4] = { (wk_unit)frame, (wk_unit)(wk_code_header_slot(type) + (imported ? 0 : frame)) };
	put_word(w + 2, function);
	if (imported)
		wk_t_write(t, WK_I_call_import, w, 4);
	else if (function <= UINT16_MAX)
		wk_t_write(t, WK_I_call, w, 3);
	else
		wk_t_write(t, WK_I_call_far, w, 4);
	push_results(t, type);
}

/* The reference or index must survive the arguments: its home is above theirs, where the callee's frame will be, but it
 * is read before that is written. */
static void call_through(struct translator *t, bool indirect)
{
	uint32_t index = wk_t_read_u32(t);
	const struct wk_deftype *type = wk_t_type_at(t, index);
	uint32_t table = indirect ? wk_t_read_u32(t) : 0;
	struct entry target = wk_t_pop(t);
	wk_unit at = (wk_unit)wk_t_slot(t, target);
	uint32_t frame = pass_arguments(t, type);
	wk_unit w[8] = { (wk_unit)frame, (wk_unit)(frame + wk_code_header_slot(type)), (wk_unit)wk_code_header_slot(type), at };
	if (indirect) {
		put_word(w + 4, t->module->types[index]);
		put_word(w + 6, wk_t_table_operand(t, table));
	}
	wk_t_write(t, indirect ? WK_I_call_indirect : WK_I_call_ref, w, indirect ? 8 : 4);
	push_results(t, type);
}

static void tail_call(struct translator *t, uint32_t op)
{
	uint32_t index = wk_t_read_u32(t);
	const struct wk_deftype *type = op == WK_I_return_call ? wk_module_func_type(t->module, index) : wk_t_type_at(t, index);
	uint32_t table = op == WK_I_return_call_indirect ? wk_t_read_u32(t) : 0;
	wk_unit at = 0;
	if (op != WK_I_return_call)
		at = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	uint32_t from = pass_arguments(t, type);
	wk_unit w[9] = { (wk_unit)from, (wk_unit)type->parameter_slots, (wk_unit)t->header, (wk_unit)wk_code_header_slot(type), at };
	uint32_t n = 5;
	if (op == WK_I_return_call) {
		op = index < t->module->imported_funcs ? WK_I_return_call_import : WK_I_return_call;
		put_word(w + 4, index);
		n = 6;
	} else if (op == WK_I_return_call_indirect) {
		put_word(w + 5, t->module->types[index]);
		put_word(w + 7, wk_t_table_operand(t, table));
		n = 9;
	}
	wk_t_write(t, op, w, n);
	t->unreachable = true;
}

static void do_return(struct translator *t)
{
	uint32_t count = t->type->result_count;
	wk_unit w[2] = { (wk_unit)t->header, 0 };
	t->unreachable = true;
	if (count == 1) {
		struct entry e = t->s->entries[t->entry_count - 1];
		if (wk_t_fits_imm(e)) {
			w[1] = (wk_unit)e.value;
			wk_t_write(t, WK_I_ret_i, w, 2);
			return;
		}
		if (wk_t_in_accumulator(t, e)) {
			wk_t_take(t, e);
			wk_t_write(t, e.type == WK_TYPE_F32 ? WK_I_ret_f32 : e.type == WK_TYPE_F64 ? WK_I_ret_f64 : WK_I_ret_a, w, 1);
			return;
		}
		if (e.type != WK_TYPE_V128 && e.kind != IS_CONSTANT) {
			w[1] = e.slot;
			wk_t_write(t, WK_I_ret_s, w, 2);
			return;
		}
	}
	/* Several results may be locals that the others overwrite: first all go home. */
	if (count == 1) {
		wk_t_move(t, 0, t->s->entries[t->entry_count - 1]);
	} else if (count > 1) {
		wk_t_bring_home(t, count);
		uint32_t from = t->s->entries[t->entry_count - count].home;
		wk_unit move[3] = { 0, (wk_unit)from, (wk_unit)(t->height - from) };
		wk_t_write(t, WK_I_move, move, 3);
	}
	wk_t_write(t, WK_I_ret, w, 1);
}

/* ---- blocks ---- */

static void read_block_type(struct translator *t, struct control *c)
{
	uint8_t byte = *t->at;
	if (byte == 0x40)
		t->at++;
	else if (byte & 0x40 && !(byte & 0x80)) /* a value type: a negative number of one byte */
		c->single = wk_t_read_type(t);
	else
		c->type = wk_t_type_at(t, (uint32_t)wk_leb_trusted_signed(&t->at));
}

static struct control *open_block(struct translator *t, enum control_kind kind)
{
	struct control *grown = wk_t_grow(t, t->s->controls, &t->s->control_room, (size_t)t->control_count + 1,
		sizeof *grown);
	if (!grown)
		return NULL;
	t->s->controls = grown;
	struct control *c = &grown[t->control_count];
	*c = (struct control){ .kind = (uint8_t)kind, .label = wk_t_new_label(t->label_count++), .begin = NO_PLACE,
		.catch_fixups = NO_PLACE };
	return c;
}

/* An if and its else have one number: they are far from each other or not. */
static void branch_to_else(struct translator *t, struct control *c, struct entry condition)
{
	struct label otherwise = wk_t_new_label(c->label.number);
	c->long_else = wk_t_is_far(t, &otherwise);
	if (!c->long_else) {
		branch_if(t, condition, true, &otherwise);
		c->begin = otherwise.fixups;
		return;
	}
	struct label over = wk_t_new_label(NO_NUMBER);
	branch_if(t, condition, false, &over);
	wk_t_jump(t, &otherwise);
	wk_t_label(t);
	wk_t_resolve(t, &over);
	c->begin = otherwise.long_fixups;
}

/* The else begins here, or the end of an if without one. */
static void resolve_else(struct translator *t, struct control *c)
{
	struct label otherwise = wk_t_new_label(c->label.number);
	if (c->long_else)
		otherwise.long_fixups = c->begin;
	else
		otherwise.fixups = c->begin;
	wk_t_resolve(t, &otherwise);
}

static void begin_block(struct translator *t, enum control_kind kind)
{
	struct control *c = open_block(t, kind);
	if (!c)
		return;
	read_block_type(t, c);
	struct entry condition = { 0 };
	if (kind == C_IF)
		condition = wk_t_pop(t);
	wk_t_bring_home(t, parameter_count(c));
	wk_t_settle(t);
	c->height = t->entry_count - parameter_count(c);
	c->base = parameter_count(c) ? t->s->entries[c->height].home : t->height;
	if (kind == C_IF)
		branch_to_else(t, c, condition);
	if (kind == C_TRY) {
		c->clauses = (uint32_t)(t->at - t->module->bytes.data);
		wk_t_skip_catches(t);
		wk_t_label(t);
		c->begin = t->count;
	}
	t->control_count++;
	if (kind == C_LOOP) {
		t->loop_depth++;
		wk_t_label(t);
		c->label.at = t->count;
	}
	if (kind == C_IF || kind == C_LOOP)
		begin_region(t);
}

/* Takes the entries back to those below the block, then pushes `count` temporaries of the given types. */
static void reset_entries(struct translator *t, const struct control *c, const wk_valtype *types, uint32_t count)
{
	while (t->entry_count > c->height)
		wk_t_pop(t);
	t->height = c->base;
	for (uint32_t i = 0; i < count; i++)
		wk_t_push(t, class_of(types[i]));
}

static void begin_else(struct translator *t)
{
	struct control *c = control_at(t, 0);
	if (!t->unreachable) {
		wk_t_bring_home(t, result_count(c));
		wk_t_jump(t, &c->label);
	}
	wk_t_label(t);
	resolve_else(t, c);
	c->kind = C_ELSE;
	reset_entries(t, c, c->type ? c->type->types : NULL, parameter_count(c));
	t->settled = t->entry_count;
	t->unreachable = false;
	begin_region(t);
}

/* Notes the catch clauses of a try_table for the range that ends here. Their labels are those outside of it. */
static void note_catches(struct translator *t, struct control *try_control)
{
	const uint8_t *at = t->at;
	t->at = t->module->bytes.data + try_control->clauses;
	for (uint32_t n = wk_t_read_u32(t); n > 0 && !t->failed; n--) {
		uint8_t kind = *t->at++;
		uint32_t tag = kind < 2 ? wk_t_read_u32(t) : 0;
		struct control *c = control_at(t, wk_t_read_u32(t));
		struct wk_catch *grown = wk_t_grow(t, t->s->catches, &t->s->catch_room, (size_t)t->catch_count + 1,
			sizeof *grown);
		if (!grown)
			break;
		t->s->catches = grown;
		grown[t->catch_count] = (struct wk_catch){ try_control->begin, t->count, c->label.at, tag,
			(uint16_t)c->base, kind };
		if (c->kind != C_LOOP) {
			grown[t->catch_count].target = c->catch_fixups;
			c->catch_fixups = t->catch_count;
		}
		t->catch_count++;
	}
	t->at = at;
}

static bool awaited(const struct label *label)
{
	return label->fixups != NO_PLACE || label->long_fixups != NO_PLACE;
}

static void end_block(struct translator *t)
{
	struct control c = *control_at(t, 0);
	if (c.kind == C_TRY) {
		/* The last instruction in the range must not be fused with one behind it; a return address at the very end
		 * still lies within the call's operands (position - 1). */
		uint32_t acc = t->acc_slot, f32 = t->f32_slot, f64 = t->f64_slot;
		wk_t_label(t);
		t->acc_slot = acc;
		t->f32_slot = f32;
		t->f64_slot = f64;
	}
	t->control_count--;
	if (c.kind == C_TRY)
		note_catches(t, &c);
	bool joined = c.kind != C_LOOP && (awaited(&c.label) || c.kind == C_IF || c.catch_fixups != NO_PLACE);
	if (c.kind == C_LOOP)
		t->loop_depth--;
	if (joined) {
		if (!t->unreachable)
			wk_t_bring_home(t, result_count(&c));
		wk_t_label(t);
		wk_t_resolve(t, &c.label);
		if (c.kind == C_IF)
			resolve_else(t, &c);
		for (uint32_t i = c.catch_fixups; i != NO_PLACE && !t->failed;) {
			uint32_t before = t->s->catches[i].target;
			t->s->catches[i].target = t->count;
			i = before;
		}
		reset_entries(t, &c, results_of(&c), result_count(&c));
		t->unreachable = false;
	} else if (t->unreachable) {
		reset_entries(t, &c, results_of(&c), result_count(&c));
	}
	if (c.kind == C_FUNCTION) {
		if (!t->unreachable)
			do_return(t);
		end_region(t);
	} else if (c.kind != C_LOOP && !t->unreachable) {
		begin_region(t);
	}
}

static void branch(struct translator *t, uint32_t depth)
{
	struct control *c = control_at(t, depth);
	if (c->kind == C_FUNCTION) {
		do_return(t);
		return;
	}
	prepare_move(t, c);
	move_to_label(t, c);
	wk_t_jump(t, &c->label);
	t->unreachable = true;
}

static void br_table(struct translator *t)
{
	uint32_t count = wk_t_read_u32(t);
	const uint8_t *labels = t->at;
	struct entry index = wk_t_pop(t);
	struct control *first = control_at(t, wk_t_read_u32(t));
	wk_t_bring_home(t, arity(first));
	wk_unit w[3];
	bool acc = wk_t_operand(t, index, &w[0]);
	put_word(w + (acc ? 0 : 1), count);
	wk_t_write(t, acc ? WK_I_br_table_a : WK_I_br_table_s, w, acc ? 2 : 3);
	uint32_t table = t->count;
	t->at = labels;
	t->last_op = NO_INSTRUCTION;
	for (uint32_t i = 0; i <= count && !t->failed; i++) {
		struct control *c = control_at(t, wk_t_read_u32(t));
		wk_unit elsewhere[2] = { 0, 0 };
		if (in_place(t, c))
			wk_t_long_target(t, &c->label);
		else
			wk_t_write_raw(t, elsewhere, 2);
	}
	/* Targets that want the values elsewhere get a piece of code that moves them. */
	t->at = labels;
	for (uint32_t i = 0; i <= count && !t->failed; i++) {
		uint32_t depth = wk_t_read_u32(t);
		struct control *c = control_at(t, depth);
		if (in_place(t, c))
			continue;
		wk_t_label(t);
		uint32_t field = table + 2 * i;
		if (!t->failed)
			put_word(t->out + field, t->count - field);
		move_to_label(t, c);
		wk_t_jump(t, &c->label);
	}
	t->unreachable = true;
}

/* br_on_null and br_on_non_null: the reference is the top entry. */
static void branch_on_null(struct translator *t, bool non_null)
{
	uint32_t depth = wk_t_read_u32(t);
	struct control *c = control_at(t, depth);
	struct entry reference = wk_t_pop(t);
	wk_unit w[4] = { (wk_unit)wk_t_slot(t, reference) };
	if (non_null) {
		/* The label takes the reference as its last value. */
		if (reference.kind == IS_CONSTANT) {
			reference.kind = IN_TEMPORARY;
			wk_t_move(t, reference.home, (struct entry){ .kind = IN_TEMPORARY, .slot = w[0], .type = CLASS_REF });
		}
		wk_t_push_entry(t, reference);
	}
	prepare_move(t, c);
	struct label over = wk_t_new_label(NO_NUMBER);
	wk_t_branch(t, non_null ? WK_I_br_null : WK_I_br_non_null, w, 1, &over);
	move_to_label(t, c);
	wk_t_jump(t, &c->label);
	wk_t_label(t);
	wk_t_resolve(t, &over);
	if (non_null) {
		wk_t_pop(t);
	} else {
		if (reference.kind == IS_CONSTANT) {
			reference.kind = IN_TEMPORARY;
			wk_t_move(t, reference.home, (struct entry){ .kind = IN_TEMPORARY, .slot = w[0], .type = CLASS_REF });
		}
		wk_t_push_entry(t, reference);
	}
	begin_region(t);
}

static void do_throw(struct translator *t)
{
	uint32_t tag = wk_t_read_u32(t);
	const struct wk_deftype *type = wk_registry_get(t->module->registry, t->module->tags[tag]);
	wk_unit w[3] = { (wk_unit)pass_arguments(t, type) };
	put_word(w + 1, tag);
	wk_t_write(t, WK_I_throw, w, 3);
	t->unreachable = true;
}

/* ---- one instruction ---- */

void wk_t_begin_function(struct translator *t)
{
	struct control *c = open_block(t, C_FUNCTION);
	if (!c)
		return;
	c->base = t->base;
	c->type = t->type;
	t->control_count = 1;
	begin_region(t);
}

void wk_t_control(struct translator *t, uint32_t op)
{
	switch (op) {
	case WK_OP_UNREACHABLE:
		wk_t_write(t, WK_I_unreachable, NULL, 0);
		t->unreachable = true;
		break;
	case WK_OP_BLOCK: begin_block(t, C_BLOCK); break;
	case WK_OP_LOOP: begin_block(t, C_LOOP); break;
	case WK_OP_IF: begin_block(t, C_IF); break;
	case WK_OP_TRY_TABLE: begin_block(t, C_TRY); break;
	case WK_OP_ELSE: begin_else(t); break;
	case WK_OP_END: end_block(t); break;
	case WK_OP_BR: branch(t, wk_t_read_u32(t)); break;
	case WK_OP_BR_IF: {
		uint32_t depth = wk_t_read_u32(t);
		conditional(t, wk_t_pop(t), false, depth);
		begin_region(t);
		break;
	}
	case WK_OP_BR_TABLE: br_table(t); break;
	case WK_OP_BR_ON_NULL: branch_on_null(t, false); break;
	case WK_OP_BR_ON_NON_NULL: branch_on_null(t, true); break;
	case WK_OP_RETURN: do_return(t); break;
	case WK_OP_CALL: call(t); break;
	case WK_OP_CALL_INDIRECT: call_through(t, true); break;
	case WK_OP_CALL_REF: call_through(t, false); break;
	case WK_OP_RETURN_CALL: tail_call(t, WK_I_return_call); break;
	case WK_OP_RETURN_CALL_INDIRECT: tail_call(t, WK_I_return_call_indirect); break;
	case WK_OP_RETURN_CALL_REF: tail_call(t, WK_I_return_call_ref); break;
	case WK_OP_THROW: do_throw(t); break;
	case WK_OP_THROW_REF: {
		wk_unit w = (wk_unit)wk_t_slot(t, wk_t_pop(t));
		wk_t_write(t, WK_I_throw_ref, &w, 1);
		t->unreachable = true;
		break;
	}
	default: break;
	}
}
