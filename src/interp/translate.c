/* SPDX-License-Identifier: Apache-2.0
 *
 * The translator: one walk over a validated function body, writing register code as it goes (translate.h says how).
 *
 * Nothing is checked again here: the validator has seen every byte. Unreachable instructions are skipped. The frame's
 * layout is known before the first instruction: parameters, header, locals, a few slots for constants, operands.
 */
#include "format/opcodes.h"
#include "interp/translate.h"

/* ---- reading ---- */

static uint32_t read_opcode(struct translator *t)
{
	uint32_t byte = *t->at++;
	return byte < 0xFB || byte > 0xFD ? byte : byte << 12 | wk_t_read_u32(t);
}

static void skip_block_type(struct translator *t)
{
	uint8_t byte = *t->at;
	if (byte == 0x63 || byte == 0x64)
		t->at++;
	wk_leb_trusted_signed(&t->at);
}

/* Moves behind the immediates of an instruction that is not translated. */
static void skip_immediates(struct translator *t, const struct wk_opcode *op)
{
	switch ((enum wk_immediate)op->immediate) {
	case WK_IMM_ABSENT: case WK_IMM_NONE: case WK_IMM_GC_NONE: case WK_IMM_COUNT:
		break;
	case WK_IMM_BLOCK:
		skip_block_type(t);
		break;
	case WK_IMM_TRY_TABLE:
		skip_block_type(t);
		wk_t_skip_catches(t);
		break;
	case WK_IMM_BR_TABLE:
		for (uint32_t n = wk_t_read_u32(t) + 1; n > 0; n--)
			wk_t_read_u32(t);
		break;
	case WK_IMM_SELECT_TYPES:
		for (uint32_t n = wk_t_read_u32(t); n > 0; n--)
			wk_t_read_type(t);
		break;
	case WK_IMM_TABLE_TABLE: case WK_IMM_ELEM_TABLE: case WK_IMM_MEMORY_MEMORY: case WK_IMM_DATA_MEMORY:
	case WK_IMM_CALL_INDIRECT: case WK_IMM_GC_TYPE_INDEX: case WK_IMM_GC_BR_ON_CAST:
		wk_leb_trusted(&t->at);
		wk_leb_trusted(&t->at);
		break;
	case WK_IMM_LABEL: case WK_IMM_FUNC: case WK_IMM_TYPE: case WK_IMM_TAG: case WK_IMM_LOCAL: case WK_IMM_GLOBAL:
	case WK_IMM_TABLE: case WK_IMM_ELEM: case WK_IMM_MEMORY: case WK_IMM_DATA: case WK_IMM_HEAP: case WK_IMM_I32:
	case WK_IMM_I64: case WK_IMM_GC_TYPE: case WK_IMM_GC_HEAP:
		wk_leb_trusted(&t->at);
		break;
	case WK_IMM_F32:
		t->at += 4;
		break;
	case WK_IMM_F64:
		t->at += 8;
		break;
	case WK_IMM_V128: case WK_IMM_SHUFFLE:
		t->at += 16;
		break;
	case WK_IMM_LANE_2: case WK_IMM_LANE_4: case WK_IMM_LANE_8: case WK_IMM_LANE_16:
		t->at++;
		break;
	case WK_IMM_MEMORY_8: case WK_IMM_MEMORY_16: case WK_IMM_MEMORY_32: case WK_IMM_MEMORY_64: case WK_IMM_MEMORY_128:
		wk_t_read_memarg(t);
		break;
	case WK_IMM_LANE_MEMORY_8: case WK_IMM_LANE_MEMORY_16: case WK_IMM_LANE_MEMORY_32: case WK_IMM_LANE_MEMORY_64:
		wk_t_read_memarg(t);
		t->at++;
		break;
	}
}

/* ---- variables ---- */

/* Entries that are this local must keep its old value: they are moved home. If the value to be set is still pending the
 * moves go before it, so that it can still be sent straight to the local: it reads none of the homes written, which
 * belong to entries below its operands, and moves leave the accumulators alone. Where many entries would have to be
 * looked at again and again, all locals among them go home. */
static void keep_old_values(struct translator *t, uint32_t local)
{
	if (t->s->locals[local].uses == 0)
		return;
	struct pending p = t->pending;
	uint32_t acc = t->acc_slot, f32 = t->f32_slot, f64 = t->f64_slot;
	t->pending.op = NO_INSTRUCTION;
	bool all = t->entry_count - t->settled > 64;
	for (uint32_t i = t->settled; i < t->entry_count; i++) {
		struct entry *e = &t->s->entries[i];
		if (e->kind != IN_LOCAL || (e->value != local && !all))
			continue;
		/* The register may still be said to hold a value that was at this home and is consumed. */
		acc = acc == e->home ? NO_SLOT : acc;
		f32 = f32 == e->home ? NO_SLOT : f32;
		f64 = f64 == e->home ? NO_SLOT : f64;
		wk_t_bring_home_one(t, i);
	}
	wk_t_flush(t);
	if (all)
		t->settled = t->entry_count;
	t->pending = p;
	t->acc_slot = acc;
	t->f32_slot = f32;
	t->f64_slot = f64;
}

static void set_local(struct translator *t, bool tee)
{
	uint32_t local = wk_t_read_u32(t);
	struct entry value = wk_t_pop(t);
	if (value.kind != IN_LOCAL || value.value != local) {
		/* What is pending may be of an earlier instruction, and read a home that is written now. */
		if (value.kind != IN_TEMPORARY || t->pending.target != value.slot)
			wk_t_flush(t);
		keep_old_values(t, local);
		wk_t_move(t, t->s->locals[local].slot, value);
	}
	if (tee)
		wk_t_push_local(t, local);
}

static void get_global(struct translator *t)
{
	uint32_t index = wk_t_read_u32(t);
	wk_class type = class_of(t->module->globals[index].type.type);
	wk_unit w[3];
	put_word(w + 1, index);
	uint32_t to = wk_t_push(t, type);
	if (type == WK_TYPE_V128)
		wk_t_produce_plain(t, WK_I_global_get128, to, 2, w, 3);
	else
		wk_t_produce(t, type == WK_TYPE_F32 ? WK_I_global_get_f32_d : type == WK_TYPE_F64 ? WK_I_global_get_f64_d :
			WK_I_global_get_d, to, type, w, 3);
}

static void set_global(struct translator *t)
{
	uint32_t index = wk_t_read_u32(t);
	struct entry value = wk_t_pop(t);
	wk_unit w[3];
	uint32_t n = 0, op;
	if (wk_t_fits_imm(value)) {
		w[n++] = (wk_unit)value.value;
		op = WK_I_global_set_i;
	} else if (is_integer(value.type) && wk_t_operand(t, value, &w[0])) {
		op = WK_I_global_set_a;
	} else {
		w[n++] = (wk_unit)wk_t_slot(t, value);
		op = value.type == WK_TYPE_V128 ? WK_I_global_set128 : WK_I_global_set_s;
	}
	put_word(w + n, index);
	wk_t_write(t, op, w, n + 2);
}

static void do_select(struct translator *t)
{
	struct entry condition = wk_t_pop(t), b = wk_t_pop(t), a = wk_t_pop(t);
	wk_unit w[4];
	wk_class type = a.type;
	w[1] = (wk_unit)wk_t_slot(t, a);
	w[2] = (wk_unit)wk_t_slot(t, b);
	if (type == WK_TYPE_V128) {
		w[3] = (wk_unit)wk_t_slot(t, condition);
		wk_t_produce_plain(t, WK_I_select128, wk_t_push(t, type), 2, w, 4);
		return;
	}
	bool acc = wk_t_operand(t, condition, &w[3]);
	uint32_t op = type == WK_TYPE_F32 ? WK_I_select_f32_dsss : type == WK_TYPE_F64 ? WK_I_select_f64_dsss :
		WK_I_select_dsss;
	wk_t_produce(t, op + (acc ? 2 : 0), wk_t_push(t, type), type, w, acc ? 3 : 4);
}

/* ---- tables and memories ---- */

/* Instructions that only read slots: their operands are the top `count` entries, then numbers. */
static void plain(struct translator *t, uint32_t op, uint32_t operands, uint32_t a, uint32_t b, uint32_t numbers)
{
	wk_unit w[8];
	for (uint32_t i = operands; i > 0; i--)
		w[i - 1] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	put_word(w + operands, a);
	put_word(w + operands + 2, b);
	wk_t_write(t, op, w, operands + 2 * numbers);
}

/* The same with one result. */
static void plain_result(struct translator *t, uint32_t op, uint32_t operands, uint32_t a, wk_class type)
{
	wk_unit w[8];
	for (uint32_t i = operands; i > 0; i--)
		w[i] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	put_word(w + operands + 1, a);
	wk_t_produce_plain(t, op, wk_t_push(t, type), 1, w, operands + 3);
}

static wk_class table_index_class(const struct translator *t, uint32_t operand)
{
	(void)t;
	return operand >> 31 ? WK_TYPE_I64 : WK_TYPE_I32;
}

static void wide_arithmetic(struct translator *t, uint32_t op, uint32_t operands)
{
	wk_unit w[5];
	for (uint32_t i = operands; i > 0; i--)
		w[i] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	uint32_t to = wk_t_push(t, WK_TYPE_I64);
	wk_t_push(t, WK_TYPE_I64);
	wk_t_produce_plain(t, op, to, 2, w, operands + 1);
	wk_t_flush(t); /* two results: neither can be sent elsewhere */
}

/* ---- one instruction ---- */

static void reference_instruction(struct translator *t, uint32_t op)
{
	wk_unit w[4];
	switch (op) {
	case WK_OP_REF_NULL:
		wk_leb_trusted_signed(&t->at);
		wk_t_push_constant(t, CLASS_REF, 0);
		break;
	case WK_OP_REF_IS_NULL:
		w[1] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
		wk_t_produce(t, WK_I_ref_is_null, wk_t_push(t, WK_TYPE_I32), WK_TYPE_I32, w, 2);
		break;
	case WK_OP_REF_FUNC:
		put_word(w + 1, wk_t_read_u32(t));
		wk_t_produce_plain(t, WK_I_ref_func, wk_t_push(t, CLASS_REF), 1, w, 3);
		break;
	case WK_OP_REF_AS_NON_NULL: {
		struct entry e = wk_t_pop(t);
		w[0] = (wk_unit)wk_t_slot(t, e);
		wk_t_write(t, WK_I_ref_as_non_null, w, 1);
		wk_t_push_entry(t, e);
		break;
	}
	default:
		break;
	}
}

static void bulk_instruction(struct translator *t, uint32_t op)
{
	uint32_t a, b;
	switch (op) {
	case WK_OP_TABLE_GET:
		a = wk_t_table_operand(t, wk_t_read_u32(t));
		plain_result(t, WK_I_table_get, 1, a, CLASS_REF);
		break;
	case WK_OP_TABLE_SET: plain(t, WK_I_table_set, 2, wk_t_table_operand(t, wk_t_read_u32(t)), 0, 1); break;
	case WK_OP_TABLE_SIZE:
		a = wk_t_table_operand(t, wk_t_read_u32(t));
		plain_result(t, WK_I_table_size, 0, a, table_index_class(t, a));
		break;
	case WK_OP_TABLE_GROW:
		a = wk_t_table_operand(t, wk_t_read_u32(t));
		plain_result(t, WK_I_table_grow, 2, a, table_index_class(t, a));
		break;
	case WK_OP_TABLE_FILL: plain(t, WK_I_table_fill, 3, wk_t_table_operand(t, wk_t_read_u32(t)), 0, 1); break;
	case WK_OP_TABLE_COPY:
		a = wk_t_table_operand(t, wk_t_read_u32(t));
		b = wk_t_table_operand(t, wk_t_read_u32(t));
		plain(t, WK_I_table_copy, 3, a, b, 2);
		break;
	case WK_OP_TABLE_INIT:
		a = wk_t_read_u32(t);
		b = wk_t_table_operand(t, wk_t_read_u32(t));
		plain(t, WK_I_table_init, 3, a, b, 2);
		break;
	case WK_OP_ELEM_DROP: plain(t, WK_I_elem_drop, 0, wk_t_read_u32(t), 0, 1); break;
	case WK_OP_MEMORY_SIZE:
		a = wk_t_memory_operand(t, wk_t_read_u32(t));
		plain_result(t, WK_I_memory_size, 0, a, table_index_class(t, a));
		break;
	case WK_OP_MEMORY_GROW:
		a = wk_t_memory_operand(t, wk_t_read_u32(t));
		plain_result(t, WK_I_memory_grow, 1, a, table_index_class(t, a));
		break;
	case WK_OP_MEMORY_FILL: plain(t, WK_I_memory_fill, 3, wk_t_memory_operand(t, wk_t_read_u32(t)), 0, 1); break;
	case WK_OP_MEMORY_COPY:
		a = wk_t_memory_operand(t, wk_t_read_u32(t));
		b = wk_t_memory_operand(t, wk_t_read_u32(t));
		plain(t, WK_I_memory_copy, 3, a, b, 2);
		break;
	case WK_OP_MEMORY_INIT:
		a = wk_t_read_u32(t);
		b = wk_t_memory_operand(t, wk_t_read_u32(t));
		plain(t, WK_I_memory_init, 3, a, b, 2);
		break;
	case WK_OP_DATA_DROP: plain(t, WK_I_data_drop, 0, wk_t_read_u32(t), 0, 1); break;
	case WK_OP_I64_ADD128: wide_arithmetic(t, WK_I_add128, 4); break;
	case WK_OP_I64_SUB128: wide_arithmetic(t, WK_I_sub128, 4); break;
	case WK_OP_I64_MUL_WIDE_S: wide_arithmetic(t, WK_I_mul_wide_s, 2); break;
	case WK_OP_I64_MUL_WIDE_U: wide_arithmetic(t, WK_I_mul_wide_u, 2); break;
	default: wk_t_numeric(t, op); break;
	}
}

static void instruction(struct translator *t, uint32_t op)
{
	uint64_t bits = 0;
	switch (op) {
	case WK_OP_NOP: break;
	case WK_OP_DROP: wk_t_pop(t); break;
	case WK_OP_SELECT_T:
		for (uint32_t n = wk_t_read_u32(t); n > 0; n--)
			wk_t_read_type(t);
		do_select(t);
		break;
	case WK_OP_SELECT: do_select(t); break;
	case WK_OP_LOCAL_GET: wk_t_push_local(t, wk_t_read_u32(t)); break;
	case WK_OP_LOCAL_SET: set_local(t, false); break;
	case WK_OP_LOCAL_TEE: set_local(t, true); break;
	case WK_OP_GLOBAL_GET: get_global(t); break;
	case WK_OP_GLOBAL_SET: set_global(t); break;
	case WK_OP_I32_CONST: wk_t_push_constant(t, WK_TYPE_I32, (uint64_t)wk_leb_trusted_signed(&t->at)); break;
	case WK_OP_I64_CONST: wk_t_push_constant(t, WK_TYPE_I64, (uint64_t)wk_leb_trusted_signed(&t->at)); break;
	case WK_OP_F32_CONST:
		memcpy(&bits, t->at, 4);
		t->at += 4;
		wk_t_push_constant(t, WK_TYPE_F32, bits);
		break;
	case WK_OP_F64_CONST:
		memcpy(&bits, t->at, 8);
		t->at += 8;
		wk_t_push_constant(t, WK_TYPE_F64, bits);
		break;
	case WK_OP_REF_NULL: case WK_OP_REF_IS_NULL: case WK_OP_REF_FUNC: case WK_OP_REF_AS_NON_NULL:
		reference_instruction(t, op);
		break;
	default:
		if (op <= WK_OP_RETURN_CALL_REF || op == WK_OP_TRY_TABLE || op == WK_OP_BR_ON_NULL || op == WK_OP_BR_ON_NON_NULL)
			wk_t_control(t, op);
		else if (op >> 12 == 0xFD)
			wk_t_vector(t, op);
		else if (op >> 12 || op == WK_OP_TABLE_GET || op == WK_OP_TABLE_SET || op == WK_OP_MEMORY_SIZE ||
		         op == WK_OP_MEMORY_GROW)
			bulk_instruction(t, op);
		else
			wk_t_numeric(t, op);
		break;
	}
}

/* Passes over instructions that cannot be reached, up to the `else` or `end` that makes code reachable again. */
static uint32_t skip_unreachable(struct translator *t)
{
	for (uint32_t depth = 0;;) {
		uint32_t op = read_opcode(t);
		if (op == WK_OP_END && depth-- == 0)
			return op;
		if (op == WK_OP_ELSE && depth == 0)
			return op;
		if (op == WK_OP_BLOCK || op == WK_OP_LOOP || op == WK_OP_IF || op == WK_OP_TRY_TABLE)
			depth++;
		skip_immediates(t, wk_opcode_find(op));
	}
}

/* ---- one function ---- */

static bool layout(struct translator *t, const struct wk_function_decl *decl)
{
	/* Declarations come as runs; first their sum, then their types. */
	const uint8_t *declarations = t->at;
	uint64_t count = t->type->parameter_count;
	for (uint32_t runs = wk_t_read_u32(t); runs > 0; runs--) {
		count += wk_t_read_u32(t);
		wk_t_read_type(t);
	}
	struct wk_scratch *s = t->s;
	struct local *locals = wk_t_grow(t, s->locals, &s->local_room, count, sizeof *locals);
	if (t->failed)
		return false;
	s->locals = locals;

	uint32_t slot = 0, i = 0;
	for (; i < t->type->parameter_count; i++) {
		wk_class type = class_of(t->type->types[i]);
		locals[i] = (struct local){ (uint16_t)slot, 0, type };
		slot += slots_of_class(type);
	}
	t->header = wk_code_header_slot(t->type);
	slot = t->header + 2;
	t->at = declarations;
	for (uint32_t runs = wk_t_read_u32(t); runs > 0; runs--) {
		uint32_t n = wk_t_read_u32(t);
		wk_class type = class_of(wk_t_read_type(t));
		for (; n > 0; n--, i++) {
			locals[i] = (struct local){ (uint16_t)slot, 0, type };
			slot += slots_of_class(type);
		}
	}
	t->local_count = i;
	t->constant_base = slot;
	t->constant_room = decl->size / 32 < MAX_CONSTANTS ? decl->size / 32 : MAX_CONSTANTS;
	t->base = slot + t->constant_room;
	t->height = t->base;
	struct entry *entries = wk_t_grow(t, s->entries, &s->entry_room, (size_t)decl->max_slots + 2, sizeof *entries);
	if (!entries)
		return false;
	s->entries = entries;
	return true;
}

/* The check of the stack and the zeroing of locals. */
static void enter(struct translator *t)
{
	uint32_t first = t->header + 2, count = t->constant_base - first;
	wk_unit w[3] = { (wk_unit)t->frame, (wk_unit)first, (wk_unit)count };
	static const uint16_t ops[] = { WK_I_enter, WK_I_enter1, WK_I_enter2, WK_I_enter3, WK_I_enter4 };
	if (count <= 4)
		wk_t_write(t, ops[count], w, count ? 2 : 1);
	else
		wk_t_write(t, WK_I_enter_n, w, 3);
}

/* A function with constants in slots is entered behind its body, which is where their number is known. */
static uint32_t enter_constants(struct translator *t, uint32_t body)
{
	if (t->constant_count == 0)
		return 0;
	wk_t_label(t);
	uint32_t entry = t->count, first = t->header + 2;
	wk_unit w[7] = { (wk_unit)t->frame, (wk_unit)first, (wk_unit)(t->constant_base - first), (wk_unit)t->constant_base,
		(wk_unit)t->constant_count };
	put_word(w + 5, body - (entry + 1 + 5));
	wk_t_write(t, WK_I_enter_constants, w, 7);
	for (uint32_t i = 0; i < t->constant_count; i++) {
		uint64_t v = t->constants[i];
		wk_unit bits[4] = { (wk_unit)v, (wk_unit)(v >> 16), (wk_unit)(v >> 32), (wk_unit)(v >> 48) };
		wk_t_write_raw(t, bits, 4);
	}
	return entry;
}

static void body(struct translator *t)
{
	wk_t_begin_function(t);
	while (t->control_count && !t->failed) {
		t->from = t->at;
		uint32_t op = t->unreachable ? skip_unreachable(t) : read_opcode(t);
		t->fuel += op != WK_OP_END && op != WK_OP_ELSE;
		instruction(t, op);
	}
}

static bool translate_once(struct translator *t)
{
	const struct wk_function_decl *decl = &t->module->funcs[t->function];
	t->at = t->module->bytes.data + decl->body;
	t->end = t->at + decl->size;
	t->pending.op = t->last_op = NO_INSTRUCTION;
	t->acc_slot = t->f32_slot = t->f64_slot = NO_SLOT;
	t->fuel_at = NO_PLACE;
	/* A byte makes 1.4 bytes of code, mostly. */
	t->out = wk_code_buffer(t->code, decl->size - decl->size / 8 + 64, &t->room);
	if (!t->out || !layout(t, decl))
		return false;
	t->frame = t->base + decl->max_slots + 2;
	/* Who traps at the entry is told to be at the first instruction. */
	const uint8_t *first = t->from = t->at;
	enter(t);
	wk_t_label(t);
	uint32_t start = t->count;
	body(t);
	t->from = first;
	t->entry = enter_constants(t, start);
	return !t->failed;
}

/* Translates a function into the buffer. Most need one attempt (see struct label). */
static bool translate(struct translator *t, struct wk_code *code, uint32_t function, uint32_t watch)
{
	bool done = false;
	for (uint32_t attempt = 0; attempt <= LAST_ATTEMPT; attempt++) {
		*t = (struct translator){ .code = code, .module = code->module, .budget = &code->budget, .s = &code->scratch,
			.function = function, .type = wk_module_func_type(code->module, function), .attempt = attempt, .watch = watch,
			.watched = WK_NO_OFFSET };
		done = translate_once(t);
		if (!done || !t->too_far)
			break;
	}
	if (t->attempt != 0 || t->too_far)
		memset(t->s->far, 0, t->s->far_room * sizeof *t->s->far);
	return done;
}

static enum wk_status translate_and_place(struct wk_code *code, uint32_t function, struct wk_report *report)
{
	struct translator t;
	if (!translate(&t, code, function, UINT32_MAX))
		return wk_budget_refuse(&code->budget, 4096, report);
	struct wk_code_header header = { function, t.count, t.catch_count, (uint16_t)t.header, (uint16_t)t.frame };
	const wk_unit *placed = wk_code_place(code, &header, t.s->catches);
	if (!placed)
		return wk_budget_refuse(&code->budget, t.count * sizeof *placed, report);
	code->units += t.count;
	__atomic_store_n(&code->entry[function], placed + t.entry, __ATOMIC_RELEASE);
	return WK_OK;
}

enum wk_status wk_translate(struct wk_code *code, uint32_t function, struct wk_report *report)
{
	wk_code_redeem(code);
	enum wk_status status = translate_and_place(code, function, report);
	if (status == WK_OK)
		wk_code_came(code, function);
	wk_code_promise(code);
	return status;
}

uint64_t wk_translate_locate(struct wk_code *code, uint32_t function, uint32_t position)
{
	struct translator t;
	return translate(&t, code, function, position) ? t.watched : WK_NO_OFFSET;
}
