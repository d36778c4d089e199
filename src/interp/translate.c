/* SPDX-License-Identifier: Apache-2.0
 *
 * The translator: one walk over a validated function body, writing register code as it goes (translate.h says how).
 *
 * Nothing is checked again here: the validator has seen every byte. Unreachable instructions are skipped. The frame's
 * layout is known before the first instruction: parameters, header, locals, a few slots for constants, operands.
 */
#include "base/leb128.h"
#include "format/opcodes.h"
#include "interp/translate.h"

/* ---- reading ---- */

static uint32_t read_u32(struct translator *t) { return (uint32_t)wk_leb_trusted(&t->at); }

static uint32_t read_opcode(struct translator *t)
{
	uint32_t byte = *t->at++;
	return byte < 0xFB || byte > 0xFD ? byte : byte << 12 | read_u32(t);
}

static wk_valtype read_type(struct translator *t)
{
	uint8_t byte = *t->at++;
	if (byte == 0x63 || byte == 0x64) {
		wk_leb_trusted_signed(&t->at);
		return WK_TYPE_FUNCREF;
	}
	return byte >= WK_TYPE_V128 ? byte : WK_TYPE_FUNCREF;
}

static const struct wk_deftype *type_at(const struct translator *t, uint32_t index)
{
	return wk_registry_get(t->module->registry, t->module->types[index]);
}

struct memarg { uint32_t memory; uint64_t offset; };

static struct memarg read_memarg(struct translator *t)
{
	struct memarg m = { 0, 0 };
	if (wk_leb_trusted(&t->at) & 0x40)
		m.memory = read_u32(t);
	m.offset = wk_leb_trusted(&t->at);
	return m;
}

static void skip_bytes_of_catches(struct translator *t)
{
	for (uint32_t n = read_u32(t); n > 0; n--) {
		uint8_t kind = *t->at++;
		if (kind < 2)
			read_u32(t);
		read_u32(t);
	}
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
		skip_bytes_of_catches(t);
		break;
	case WK_IMM_BR_TABLE:
		for (uint32_t n = read_u32(t) + 1; n > 0; n--)
			read_u32(t);
		break;
	case WK_IMM_SELECT_TYPES:
		for (uint32_t n = read_u32(t); n > 0; n--)
			read_type(t);
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
		read_memarg(t);
		break;
	case WK_IMM_LANE_MEMORY_8: case WK_IMM_LANE_MEMORY_16: case WK_IMM_LANE_MEMORY_32: case WK_IMM_LANE_MEMORY_64:
		read_memarg(t);
		t->at++;
		break;
	}
}

/* ---- fuel: charged where a straight run of instructions begins ---- */

static void end_region(struct translator *t)
{
	if (t->fuel_at != NO_FIXUP && !t->failed)
		put_word(t->out + t->fuel_at, t->fuel);
	t->fuel_at = NO_FIXUP;
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

/* ---- numeric instructions ---- */

static bool fits_imm(struct entry e) { return e.kind == IS_CONSTANT && fits16(e.value); }

/* Reads an operand: its accumulator when it is there (returns true), else its slot goes into *unit. */
static bool operand(struct translator *t, struct entry e, wk_unit *unit)
{
	if (wk_t_in_accumulator(t, e)) {
		wk_t_take(t, e);
		return true;
	}
	*unit = (wk_unit)wk_t_slot(t, e);
	return false;
}

struct family {
	uint32_t base;
	bool commutes, immediate;
	uint8_t sa;  /* offset of the dsa form, or 0 */
};

static void binary(struct translator *t, struct family f, wk_class type)
{
	struct entry b = wk_t_pop(t), a = wk_t_pop(t);
	if (f.commutes && (a.kind == IS_CONSTANT || (b.kind != IS_CONSTANT && wk_t_in_accumulator(t, b)))) {
		struct entry c = a;
		a = b;
		b = c;
	}
	wk_unit w[3];
	uint32_t form, n;
	if (f.immediate && fits_imm(b)) {
		bool acc = operand(t, a, &w[1]);
		form = acc ? DAI : DSI;
		n = acc ? 2 : 3;
		w[n - 1] = (wk_unit)b.value;
	} else if (f.sa && !wk_t_in_accumulator(t, a) && wk_t_in_accumulator(t, b)) {
		w[1] = (wk_unit)wk_t_slot(t, a);
		if (operand(t, b, &w[2])) {
			form = f.sa;
			n = 2;
		} else {
			form = DSS;
			n = 3;
		}
	} else {
		wk_unit second = (wk_unit)wk_t_slot(t, b);
		bool acc = operand(t, a, &w[1]);
		form = acc ? DAS : DSS;
		n = acc ? 2 : 3;
		w[n - 1] = second;
	}
	wk_t_produce(t, f.base + form, wk_t_push(t, type), type, w, n);
}

/* `acc_form` is DA, or DA2 for those without n forms. */
static void unary(struct translator *t, uint32_t base, uint32_t acc_form, wk_class type)
{
	struct entry a = wk_t_pop(t);
	wk_unit w[2];
	bool acc = operand(t, a, &w[1]);
	wk_t_produce(t, base + (acc ? acc_form : DS), wk_t_push(t, type), type, w, acc ? 1 : 2);
}

static uint32_t swapped(uint32_t c) { return c <= NE ? c : c < GT_S ? c + 4 : c - 4; }

static void compare(struct translator *t, uint32_t base, uint32_t c)
{
	struct entry b = wk_t_pop(t), a = wk_t_pop(t);
	if (a.kind == IS_CONSTANT || (!wk_t_in_accumulator(t, a) && wk_t_in_accumulator(t, b))) {
		struct entry e = a;
		a = b;
		b = e;
		c = swapped(c);
	}
	wk_unit w[3];
	uint32_t form, n;
	if (fits_imm(b)) {
		bool acc = operand(t, a, &w[1]);
		form = acc ? DAI : DSI;
		n = acc ? 2 : 3;
		w[n - 1] = (wk_unit)b.value;
	} else {
		wk_unit second = (wk_unit)wk_t_slot(t, b);
		bool acc = operand(t, a, &w[1]);
		form = acc ? DAS : DSS;
		n = acc ? 2 : 3;
		w[n - 1] = second;
	}
	wk_t_produce(t, base + c * 8 + form, wk_t_push(t, WK_TYPE_I32), WK_TYPE_I32, w, n);
}

static void compare_float(struct translator *t, uint32_t base, uint32_t c)
{
	struct entry b = wk_t_pop(t), a = wk_t_pop(t);
	if (!wk_t_in_accumulator(t, a) && wk_t_in_accumulator(t, b)) {
		struct entry e = a;
		a = b;
		b = e;
		c = c == FLT ? FGT : c == FGT ? FLT : c == FLE ? FGE : c == FGE ? FLE : c;
	}
	wk_unit w[3], second = (wk_unit)wk_t_slot(t, b);
	bool acc = operand(t, a, &w[1]);
	uint32_t n = acc ? 2 : 3;
	w[n - 1] = second;
	wk_t_produce(t, base + c * 4 + (acc ? DAS : DSS), wk_t_push(t, WK_TYPE_I32), WK_TYPE_I32, w, n);
}

/* What a pending comparison is, if the entry is its result. */
struct comparing { bool integer, is_float; uint32_t base, branches, c, form; };

static struct comparing pending_comparison(const struct translator *t, struct entry e)
{
	const struct pending *p = &t->pending;
	struct comparing none = { 0 };
	if (p->op == NO_INSTRUCTION || e.kind != IN_TEMPORARY || p->target != e.slot)
		return none;
	static const struct { uint32_t base, branches; } kinds[] = {
		{ WK_I_eq32_dss, WK_I_br_eq32_ss }, { WK_I_eq64_dss, WK_I_br_eq64_ss },
		{ WK_I_eqf32_dss, WK_I_br_eqf32_ss }, { WK_I_eqf64_dss, WK_I_br_eqf64_ss },
	};
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t forms = i < 2 ? 8 : 4, count = i < 2 ? 80 : 24;
		if (p->op >= kinds[i].base && p->op < kinds[i].base + count)
			return (struct comparing){ i < 2, i >= 2, kinds[i].base, kinds[i].branches,
				(p->op - kinds[i].base) / forms, (p->op - kinds[i].base) % forms / 2 };
	}
	return none;
}

static void equals_zero(struct translator *t, uint32_t base)
{
	struct entry e = t->s->entries[t->entry_count - 1];
	struct comparing c = pending_comparison(t, e);
	if (base == WK_I_eq32_dss && c.integer) {
		t->pending.op = c.base + (c.c ^ 1) * 8 + c.form * 2;
		return;
	}
	if (base == WK_I_eq32_dss && c.is_float && c.c <= FNE) {
		t->pending.op = c.base + (c.c ^ 1) * 4 + c.form * 2;
		return;
	}
	if (base == WK_I_eq32_dss && c.is_float) {
		t->pending.negated = !t->pending.negated;
		return;
	}
	wk_t_push_constant(t, base == WK_I_eq32_dss ? WK_TYPE_I32 : WK_TYPE_I64, 0);
	compare(t, base, EQ);
}

/* ---- conditional branches ---- */

/* Writes a branch to `control` that is taken when the entry is not zero (or is zero: `negated`). */
static void branch_if(struct translator *t, struct entry e, bool negated, struct control *control)
{
	wk_unit w[MAX_OPERANDS];
	struct comparing c = pending_comparison(t, e);
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
		wk_t_branch(t, op, w, p.count - 1, control);
		return;
	}
	if (operand(t, e, &w[0]))
		wk_t_branch(t, negated ? WK_I_br_z_a : WK_I_br_nz_a, w, 0, control);
	else
		wk_t_branch(t, negated ? WK_I_br_z_s : WK_I_br_nz_s, w, 1, control);
}

static struct control *label(struct translator *t, uint32_t depth)
{
	return &t->s->controls[t->control_count - 1 - depth];
}

static uint32_t arity(const struct control *c) { return c->kind == C_LOOP ? c->parameter_count : c->result_count; }

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

/* A branch that may have to move values first: they are moved on the taken path only. */
static void conditional(struct translator *t, struct entry e, bool negated, uint32_t depth)
{
	struct control *c = label(t, depth);
	prepare_move(t, c);
	if (in_place(t, c)) {
		branch_if(t, e, negated, c);
		return;
	}
	struct control over = { .kind = C_BLOCK, .fixups = NO_FIXUP };
	branch_if(t, e, !negated, &over);
	wk_unit w[2];
	move_to_label(t, c);
	wk_t_branch(t, WK_I_br, w, 0, c);
	wk_t_label(t);
	wk_t_resolve(t, over.fixups);
}

/* ---- memory ---- */

static bool simple_memory(const struct translator *t, struct memarg m, uint32_t bytes)
{
	return m.memory == 0 && !t->module->memories[0].limits.is64 && m.offset + bytes <= UINT32_MAX;
}

/* The slow road: the accumulator becomes a checked pointer. */
static void write_address(struct translator *t, struct memarg m, struct entry address, uint32_t bytes)
{
	wk_unit w[7] = { (wk_unit)wk_t_slot(t, address), (wk_unit)m.memory, (wk_unit)bytes };
	put_word(w + 3, (uint32_t)m.offset);
	put_word(w + 5, (uint32_t)(m.offset >> 32));
	bool is64 = t->module->memories[m.memory].limits.is64;
	wk_t_write(t, is64 ? WK_I_address64 : WK_I_address32, w, is64 ? 7 : 5);
	t->acc_slot = NO_SLOT;
}

/* A constant address below 4 GiB: its end fits the field. */
static bool constant_address(struct entry address, struct memarg m, uint32_t bytes, uint32_t *end)
{
	uint64_t at = (uint64_t)(uint32_t)address.value + m.offset + bytes;
	*end = (uint32_t)at;
	return address.kind == IS_CONSTANT && at <= UINT32_MAX;
}

static void load(struct translator *t, uint32_t base, wk_class type, uint32_t bytes)
{
	struct memarg m = read_memarg(t);
	struct entry address = wk_t_pop(t);
	wk_unit w[4];
	uint32_t end;
	if (!simple_memory(t, m, bytes)) {
		write_address(t, m, address, bytes);
		wk_t_produce(t, base + DP, wk_t_push(t, type), type, w, 1);
		if (!is_integer(type))
			t->acc_slot = NO_SLOT;
		return;
	}
	if (constant_address(address, m, bytes, &end)) {
		put_word(w + 1, end);
		wk_t_produce(t, base + DK, wk_t_push(t, type), type, w, 3);
		return;
	}
	bool acc = operand(t, address, &w[1]);
	put_word(w + (acc ? 1 : 2), (uint32_t)m.offset + bytes);
	wk_t_produce(t, base + (acc ? DA : DS), wk_t_push(t, type), type, w, acc ? 3 : 4);
}

static void store(struct translator *t, uint32_t base, uint32_t float_base, uint32_t bytes)
{
	struct memarg m = read_memarg(t);
	struct entry value = wk_t_pop(t), address = wk_t_pop(t);
	wk_unit w[4];
	if (!simple_memory(t, m, bytes)) {
		/* The address must not disturb a value that is only in its accumulator: stores through pointers read slots. */
		wk_unit from = (wk_unit)wk_t_slot(t, value);
		write_address(t, m, address, bytes);
		wk_t_write(t, base + ST_PS, &from, 1);
		return;
	}
	uint32_t end, n = 0, form;
	bool constant = constant_address(address, m, bytes, &end);
	if (float_base && wk_t_in_accumulator(t, value)) {
		bool acc = false;
		if (!constant) {
			acc = operand(t, address, &w[0]);
			n = acc ? 0 : 1;
		}
		wk_t_take(t, value);
		put_word(w + n, constant ? end : (uint32_t)m.offset + bytes);
		wk_t_write(t, float_base + (constant ? STF_KA : acc ? STF_AA : STF_SA), w, n + 2);
		return;
	}
	bool narrow = bytes <= 2 || (bytes == 4 && (int32_t)value.value == (int16_t)value.value) || fits16(value.value);
	bool immediate = value.kind == IS_CONSTANT && narrow;
	if (immediate) {
		bool acc = !constant && operand(t, address, &w[0]);
		n = constant || acc ? 0 : 1;
		w[n++] = (wk_unit)value.value;
		form = constant ? ST_KI : acc ? ST_AI : ST_SI;
	} else if (!float_base && wk_t_in_accumulator(t, value)) {
		if (!constant)
			w[n++] = (wk_unit)wk_t_slot(t, address);
		if (operand(t, value, &w[n])) {
			form = constant ? ST_KA : ST_SA;
		} else {
			n++;
			form = constant ? ST_KS : ST_SS;
		}
	} else {
		wk_unit from = (wk_unit)wk_t_slot(t, value);
		bool acc = !constant && operand(t, address, &w[0]);
		n = constant || acc ? 0 : 1;
		w[n++] = from;
		form = constant ? ST_KS : acc ? ST_AS : ST_SS;
	}
	put_word(w + n, constant ? end : (uint32_t)m.offset + bytes);
	wk_t_write(t, base + form, w, n + 2);
}

/* ---- vectors ---- */

static void vector(struct translator *t, uint32_t op, uint32_t operands, wk_class type)
{
	wk_unit w[4];
	for (uint32_t i = operands; i > 0; i--)
		w[i] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	uint32_t to = wk_t_push(t, type);
	wk_t_produce_plain(t, op, to, slots_of_class(type), w, operands + 1);
}

static void vector_lane(struct translator *t, uint32_t op, uint32_t operands, wk_class type)
{
	wk_unit w[4];
	uint8_t lane = *t->at++;
	for (uint32_t i = operands; i > 0; i--)
		w[i] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	w[operands + 1] = lane;
	uint32_t to = wk_t_push(t, type);
	wk_t_produce_plain(t, op, to, slots_of_class(type), w, operands + 2);
}

static void vector_load(struct translator *t, uint32_t op, uint32_t bytes)
{
	struct memarg m = read_memarg(t);
	struct entry address = wk_t_pop(t);
	wk_unit w[4];
	if (!simple_memory(t, m, bytes)) {
		write_address(t, m, address, bytes);
		wk_t_produce_plain(t, op + 1, wk_t_push(t, WK_TYPE_V128), 2, w, 1);
		return;
	}
	w[1] = (wk_unit)wk_t_slot(t, address);
	put_word(w + 2, (uint32_t)m.offset + bytes);
	wk_t_produce_plain(t, op, wk_t_push(t, WK_TYPE_V128), 2, w, 4);
}

static void vector_store(struct translator *t)
{
	struct memarg m = read_memarg(t);
	struct entry value = wk_t_pop(t), address = wk_t_pop(t);
	wk_unit w[4];
	if (!simple_memory(t, m, 16)) {
		write_address(t, m, address, 16);
		wk_t_write(t, WK_I_V128_STORE_p, &value.slot, 1);
		return;
	}
	w[0] = (wk_unit)wk_t_slot(t, address);
	w[1] = value.slot;
	put_word(w + 2, (uint32_t)m.offset + 16);
	wk_t_write(t, WK_I_V128_STORE, w, 4);
}

static void vector_load_lane(struct translator *t, uint32_t op, uint32_t bytes)
{
	struct memarg m = read_memarg(t);
	uint8_t lane = *t->at++;
	struct entry value = wk_t_pop(t), address = wk_t_pop(t);
	wk_unit w[6];
	if (!simple_memory(t, m, bytes)) {
		write_address(t, m, address, bytes);
		w[1] = value.slot;
		w[2] = lane;
		wk_t_produce_plain(t, op + 1, wk_t_push(t, WK_TYPE_V128), 2, w, 3);
		return;
	}
	w[1] = (wk_unit)wk_t_slot(t, address);
	put_word(w + 2, (uint32_t)m.offset + bytes);
	w[4] = value.slot;
	w[5] = lane;
	wk_t_produce_plain(t, op, wk_t_push(t, WK_TYPE_V128), 2, w, 6);
}

static void vector_store_lane(struct translator *t, uint32_t op, uint32_t bytes)
{
	struct memarg m = read_memarg(t);
	uint8_t lane = *t->at++;
	struct entry value = wk_t_pop(t), address = wk_t_pop(t);
	wk_unit w[5];
	if (!simple_memory(t, m, bytes)) {
		write_address(t, m, address, bytes);
		w[0] = value.slot;
		w[1] = lane;
		wk_t_write(t, op + 1, w, 2);
		return;
	}
	w[0] = (wk_unit)wk_t_slot(t, address);
	put_word(w + 1, (uint32_t)m.offset + bytes);
	w[3] = value.slot;
	w[4] = lane;
	wk_t_write(t, op, w, 5);
}

static void vector_bytes(struct translator *t, uint32_t op, uint32_t operands)
{
	wk_unit w[11];
	for (uint32_t i = operands; i > 0; i--)
		w[i] = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	memcpy(w + operands + 1, t->at, 16);
	t->at += 16;
	wk_t_produce_plain(t, op, wk_t_push(t, WK_TYPE_V128), 2, w, operands + 9);
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
	uint32_t local = read_u32(t);
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
	uint32_t index = read_u32(t);
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
	uint32_t index = read_u32(t);
	struct entry value = wk_t_pop(t);
	wk_unit w[3];
	uint32_t n = 0, op;
	if (fits_imm(value)) {
		w[n++] = (wk_unit)value.value;
		op = WK_I_global_set_i;
	} else if (is_integer(value.type) && operand(t, value, &w[0])) {
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
	bool acc = operand(t, condition, &w[3]);
	uint32_t op = type == WK_TYPE_F32 ? WK_I_select_f32_dsss : type == WK_TYPE_F64 ? WK_I_select_f64_dsss :
		WK_I_select_dsss;
	wk_t_produce(t, op + (acc ? 2 : 0), wk_t_push(t, type), type, w, acc ? 3 : 4);
}

/* ---- calls ---- */

static uint32_t header_of(const struct wk_deftype *type)
{
	return type->parameter_slots > type->result_slots ? type->parameter_slots : type->result_slots;
}

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
	uint32_t function = read_u32(t);
	const struct wk_deftype *type = wk_module_func_type(t->module, function);
	bool imported = function < t->module->imported_funcs;
	uint32_t frame = pass_arguments(t, type);
	wk_unit w[4] = { (wk_unit)frame, (wk_unit)(header_of(type) + (imported ? 0 : frame)) };
	put_word(w + 2, function);
	wk_t_write(t, imported ? WK_I_call_import : WK_I_call, w, 4);
	push_results(t, type);
}

static uint32_t table_operand(const struct translator *t, uint32_t table)
{
	return table | (t->module->tables[table].type.limits.is64 ? 0x80000000u : 0);
}

static uint32_t memory_operand(const struct translator *t, uint32_t memory)
{
	return memory | (t->module->memories[memory].limits.is64 ? 0x80000000u : 0);
}

/* The reference or index must survive the arguments: its home is above theirs, where the callee's frame will be, but it
 * is read before that is written. */
static void call_through(struct translator *t, bool indirect)
{
	uint32_t index = read_u32(t);
	const struct wk_deftype *type = type_at(t, index);
	uint32_t table = indirect ? read_u32(t) : 0;
	struct entry target = wk_t_pop(t);
	wk_unit at = (wk_unit)wk_t_slot(t, target);
	uint32_t frame = pass_arguments(t, type);
	wk_unit w[8] = { (wk_unit)frame, (wk_unit)(frame + header_of(type)), (wk_unit)header_of(type), at };
	if (indirect) {
		put_word(w + 4, t->module->types[index]);
		put_word(w + 6, table_operand(t, table));
	}
	wk_t_write(t, indirect ? WK_I_call_indirect : WK_I_call_ref, w, indirect ? 8 : 4);
	push_results(t, type);
}

static void tail_call(struct translator *t, uint32_t op)
{
	uint32_t index = read_u32(t);
	const struct wk_deftype *type = op == WK_I_return_call ? wk_module_func_type(t->module, index) : type_at(t, index);
	uint32_t table = op == WK_I_return_call_indirect ? read_u32(t) : 0;
	wk_unit at = 0;
	if (op != WK_I_return_call)
		at = (wk_unit)wk_t_slot(t, wk_t_pop(t));
	uint32_t from = pass_arguments(t, type);
	wk_unit w[9] = { (wk_unit)from, (wk_unit)type->parameter_slots, (wk_unit)t->header, (wk_unit)header_of(type), at };
	uint32_t n = 5;
	if (op == WK_I_return_call) {
		op = index < t->module->imported_funcs ? WK_I_return_call_import : WK_I_return_call;
		put_word(w + 4, index);
		n = 6;
	} else if (op == WK_I_return_call_indirect) {
		put_word(w + 5, t->module->types[index]);
		put_word(w + 7, table_operand(t, table));
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
		if (fits_imm(e)) {
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
	c->parameter_count = c->result_count = 0;
	c->parameters = c->results = NULL;
	if (byte == 0x40) {
		t->at++;
		return;
	}
	if (byte & 0x40 && !(byte & 0x80)) { /* a value type: a negative number of one byte */
		c->single = read_type(t);
		c->result_count = 1;
		return; /* .results is .single: the control may move in memory */
	}
	const struct wk_deftype *type = type_at(t, (uint32_t)wk_leb_trusted_signed(&t->at));
	c->parameter_count = type->parameter_count;
	c->result_count = type->result_count;
	c->parameters = type->types;
	c->results = wk_results_of(type);
}

static struct control *open_block(struct translator *t, enum control_kind kind)
{
	struct control *grown = wk_t_grow(t, t->s->controls, &t->s->control_room, (size_t)t->control_count + 1,
		sizeof *grown);
	if (!grown)
		return NULL;
	t->s->controls = grown;
	struct control *c = &grown[t->control_count];
	*c = (struct control){ .kind = (uint8_t)kind, .fixups = NO_FIXUP, .catch_fixups = NO_FIXUP, .else_fixup = NO_FIXUP };
	return c;
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
	wk_t_bring_home(t, c->parameter_count);
	wk_t_settle(t);
	c->height = t->entry_count - c->parameter_count;
	c->base = c->parameter_count ? t->s->entries[c->height].home : t->height;
	if (kind == C_IF) {
		struct control skip = { .kind = C_BLOCK, .fixups = NO_FIXUP };
		branch_if(t, condition, true, &skip);
		c->else_fixup = skip.fixups;
	}
	if (kind == C_TRY) {
		c->clauses = t->at;
		skip_bytes_of_catches(t);
		wk_t_label(t);
		c->start = t->count;
	}
	t->control_count++;
	if (kind == C_LOOP) {
		t->loop_depth++;
		wk_t_label(t);
		c->start = t->count;
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

static const wk_valtype *results_of(const struct control *c) { return c->results ? c->results : &c->single; }

static void begin_else(struct translator *t)
{
	struct control *c = label(t, 0);
	if (!t->unreachable) {
		wk_unit w[2];
		wk_t_bring_home(t, c->result_count);
		wk_t_branch(t, WK_I_br, w, 0, c);
	}
	wk_t_label(t);
	wk_t_resolve(t, c->else_fixup);
	c->else_fixup = NO_FIXUP;
	c->kind = C_ELSE;
	reset_entries(t, c, c->parameters, c->parameter_count);
	t->settled = t->entry_count;
	t->unreachable = false;
	begin_region(t);
}

/* Notes the catch clauses of a try_table for the range that ends here. Their labels are those outside of it. */
static void note_catches(struct translator *t, struct control *try_control)
{
	const uint8_t *at = t->at;
	t->at = try_control->clauses;
	for (uint32_t n = read_u32(t); n > 0 && !t->failed; n--) {
		uint8_t kind = *t->at++;
		uint32_t tag = kind < 2 ? read_u32(t) : 0;
		struct control *c = label(t, read_u32(t));
		struct wk_catch *grown = wk_t_grow(t, t->s->catches, &t->s->catch_room, (size_t)t->catch_count + 1,
			sizeof *grown);
		if (!grown)
			break;
		t->s->catches = grown;
		grown[t->catch_count] = (struct wk_catch){ try_control->start, t->count, c->start, tag, c->base, kind };
		if (c->kind != C_LOOP) {
			grown[t->catch_count].target = c->catch_fixups;
			c->catch_fixups = t->catch_count;
		}
		t->catch_count++;
	}
	t->at = at;
}

static void end_block(struct translator *t)
{
	struct control c = *label(t, 0);
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
	bool joined = c.kind != C_LOOP && (c.fixups != NO_FIXUP || c.catch_fixups != NO_FIXUP || c.else_fixup != NO_FIXUP);
	if (c.kind == C_LOOP)
		t->loop_depth--;
	if (joined) {
		if (!t->unreachable)
			wk_t_bring_home(t, c.result_count);
		wk_t_label(t);
		wk_t_resolve(t, c.fixups);
		wk_t_resolve(t, c.else_fixup);
		for (uint32_t i = c.catch_fixups; i != NO_FIXUP && !t->failed;) {
			uint32_t before = t->s->catches[i].target;
			t->s->catches[i].target = t->count;
			i = before;
		}
		reset_entries(t, &c, results_of(&c), c.result_count);
		t->unreachable = false;
	} else if (t->unreachable) {
		reset_entries(t, &c, results_of(&c), c.result_count);
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
	struct control *c = label(t, depth);
	if (c->kind == C_FUNCTION) {
		do_return(t);
		return;
	}
	wk_unit w[2];
	prepare_move(t, c);
	move_to_label(t, c);
	wk_t_branch(t, WK_I_br, w, 0, c);
	t->unreachable = true;
}

static void br_table(struct translator *t)
{
	uint32_t count = read_u32(t);
	const uint8_t *labels = t->at;
	struct entry index = wk_t_pop(t);
	struct control *first = label(t, read_u32(t));
	wk_t_bring_home(t, arity(first));
	wk_unit w[3];
	bool acc = operand(t, index, &w[0]);
	put_word(w + (acc ? 0 : 1), count);
	wk_t_write(t, acc ? WK_I_br_table_a : WK_I_br_table_s, w, acc ? 2 : 3);
	uint32_t table = t->count;
	t->at = labels;
	t->last_op = NO_INSTRUCTION;
	for (uint32_t i = 0; i <= count && !t->failed; i++) {
		struct control *c = label(t, read_u32(t));
		wk_unit entry[2] = { 0, 0 };
		wk_t_write_raw(t, entry, 2);
		if (t->failed || !in_place(t, c))
			continue;
		uint32_t field = t->count - 2;
		if (c->kind == C_LOOP) {
			put_word(t->out + field, c->start - field);
		} else {
			put_word(t->out + field, c->fixups);
			c->fixups = field;
		}
	}
	/* Targets that want the values elsewhere get a piece of code that moves them. */
	t->at = labels;
	for (uint32_t i = 0; i <= count && !t->failed; i++) {
		uint32_t depth = read_u32(t);
		struct control *c = label(t, depth);
		if (in_place(t, c))
			continue;
		wk_t_label(t);
		uint32_t field = table + 2 * i;
		put_word(t->out + field, t->count - field);
		wk_unit target[2];
		move_to_label(t, c);
		wk_t_branch(t, WK_I_br, target, 0, c);
	}
	t->unreachable = true;
}

/* br_on_null and br_on_non_null: the reference is the top entry. */
static void branch_on_null(struct translator *t, bool non_null)
{
	uint32_t depth = read_u32(t);
	struct control *c = label(t, depth);
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
	struct control over = { .kind = C_BLOCK, .fixups = NO_FIXUP };
	wk_t_branch(t, non_null ? WK_I_br_null : WK_I_br_non_null, w, 1, &over);
	move_to_label(t, c);
	wk_t_branch(t, WK_I_br, w, 0, c);
	wk_t_label(t);
	wk_t_resolve(t, over.fixups);
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
	uint32_t tag = read_u32(t);
	const struct wk_deftype *type = wk_registry_get(t->module->registry, t->module->tags[tag]);
	wk_unit w[3] = { (wk_unit)pass_arguments(t, type) };
	put_word(w + 1, tag);
	wk_t_write(t, WK_I_throw, w, 3);
	t->unreachable = true;
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

static void subtract(struct translator *t, wk_class type)
{
	struct entry *b = &t->s->entries[t->entry_count - 1];
	if (b->kind == IS_CONSTANT && fits16(-b->value)) {
		b->value = -b->value;
		binary(t, (struct family){ WK_I_add_dss, true, true, 0 }, type);
	} else {
		binary(t, (struct family){ WK_I_sub_dss, false, false, DSA6 }, type);
	}
}

static void retype(struct translator *t, wk_class type)
{
	struct entry *e = &t->s->entries[t->entry_count - 1];
	/* A constant i32 is kept sign-extended, an f32 zero-extended. */
	if (e->kind == IS_CONSTANT && type == WK_TYPE_I32)
		e->value = (uint64_t)(int64_t)(int32_t)e->value;
	if (e->kind == IS_CONSTANT && type == WK_TYPE_F32)
		e->value = (uint32_t)e->value;
	e->type = type;
}

/* How each numeric, load and store instruction is translated: rows by opcode, those of prefix 0xFC behind the bytes. */
enum rule { NO_RULE, COMMUTING, SHIFTING, SUBTRACTING, FLOAT_COMMUTING, FLOAT_ORDERED, COMPARING, COMPARING_FLOATS,
	COMPARING_ZERO, ONE_OPERAND, ONE_OPERAND_STORED, RETYPING, LOADING, STORING };

struct numeric_row {
	uint8_t rule;
	wk_class type;   /* of the result */
	uint8_t detail;  /* comparison, or bytes accessed */
	uint16_t base;   /* first form of its instructions */
	uint16_t second; /* STORING: the float forms */
};

#define ROW_OF(op) ((op) < 256 ? (op) : 256 + ((op) & 7))
#define NUMERIC(OP, rule, type, base) [ROW_OF(WK_OP_##OP)] = { rule, type, 0, WK_I_##base, 0 },
#define COMPARISON(OP, rule, c, base) [ROW_OF(WK_OP_##OP)] = { rule, WK_TYPE_I32, c, WK_I_##base, 0 },
#define MEMORY(OP, rule, type, bytes, base, second) [ROW_OF(WK_OP_##OP)] = { rule, type, bytes, WK_I_##base, second },
#define INTEGER_ROWS(W, w, T) \
	COMPARISON(I##W##_EQZ, COMPARING_ZERO, EQ, eq##w##_dss) \
	COMPARISON(I##W##_EQ, COMPARING, EQ, eq##w##_dss) COMPARISON(I##W##_NE, COMPARING, NE, eq##w##_dss) \
	COMPARISON(I##W##_LT_S, COMPARING, LT_S, eq##w##_dss) COMPARISON(I##W##_LT_U, COMPARING, LT_U, eq##w##_dss) \
	COMPARISON(I##W##_GT_S, COMPARING, GT_S, eq##w##_dss) COMPARISON(I##W##_GT_U, COMPARING, GT_U, eq##w##_dss) \
	COMPARISON(I##W##_LE_S, COMPARING, LE_S, eq##w##_dss) COMPARISON(I##W##_LE_U, COMPARING, LE_U, eq##w##_dss) \
	COMPARISON(I##W##_GE_S, COMPARING, GE_S, eq##w##_dss) COMPARISON(I##W##_GE_U, COMPARING, GE_U, eq##w##_dss) \
	NUMERIC(I##W##_CLZ, ONE_OPERAND_STORED, T, clz##w##_ds) NUMERIC(I##W##_CTZ, ONE_OPERAND_STORED, T, ctz##w##_ds) \
	NUMERIC(I##W##_POPCNT, ONE_OPERAND_STORED, T, popcnt##w##_ds) \
	NUMERIC(I##W##_ADD, COMMUTING, T, add_dss) NUMERIC(I##W##_SUB, SUBTRACTING, T, sub_dss) \
	NUMERIC(I##W##_MUL, COMMUTING, T, mul_dss) \
	NUMERIC(I##W##_DIV_S, SHIFTING, T, div_s##w##_dss) NUMERIC(I##W##_DIV_U, SHIFTING, T, div_u##w##_dss) \
	NUMERIC(I##W##_REM_S, SHIFTING, T, rem_s##w##_dss) NUMERIC(I##W##_REM_U, SHIFTING, T, rem_u##w##_dss) \
	NUMERIC(I##W##_AND, COMMUTING, T, and_dss) NUMERIC(I##W##_OR, COMMUTING, T, or_dss) \
	NUMERIC(I##W##_XOR, COMMUTING, T, xor_dss) NUMERIC(I##W##_SHL, SHIFTING, T, shl##w##_dss) \
	NUMERIC(I##W##_SHR_S, SHIFTING, T, shr_s##w##_dss) NUMERIC(I##W##_SHR_U, SHIFTING, T, shr_u##w##_dss) \
	NUMERIC(I##W##_ROTL, SHIFTING, T, rotl##w##_dss) NUMERIC(I##W##_ROTR, SHIFTING, T, rotr##w##_dss) \
	NUMERIC(I##W##_EXTEND8_S, ONE_OPERAND, T, extend8_s##w##_ds) \
	NUMERIC(I##W##_EXTEND16_S, ONE_OPERAND, T, extend16_s##w##_ds)
#define FLOAT_ROWS(W, w, T) \
	COMPARISON(F##W##_EQ, COMPARING_FLOATS, FEQ, eqf##w##_dss) COMPARISON(F##W##_NE, COMPARING_FLOATS, FNE, eqf##w##_dss) \
	COMPARISON(F##W##_LT, COMPARING_FLOATS, FLT, eqf##w##_dss) COMPARISON(F##W##_GT, COMPARING_FLOATS, FGT, eqf##w##_dss) \
	COMPARISON(F##W##_LE, COMPARING_FLOATS, FLE, eqf##w##_dss) COMPARISON(F##W##_GE, COMPARING_FLOATS, FGE, eqf##w##_dss) \
	NUMERIC(F##W##_ABS, ONE_OPERAND, T, absf##w##_ds) NUMERIC(F##W##_NEG, ONE_OPERAND, T, negf##w##_ds) \
	NUMERIC(F##W##_CEIL, ONE_OPERAND_STORED, T, ceilf##w##_ds) \
	NUMERIC(F##W##_FLOOR, ONE_OPERAND_STORED, T, floorf##w##_ds) \
	NUMERIC(F##W##_TRUNC, ONE_OPERAND_STORED, T, truncf##w##_ds) \
	NUMERIC(F##W##_NEAREST, ONE_OPERAND_STORED, T, nearestf##w##_ds) NUMERIC(F##W##_SQRT, ONE_OPERAND, T, sqrtf##w##_ds) \
	NUMERIC(F##W##_ADD, FLOAT_COMMUTING, T, addf##w##_dss) NUMERIC(F##W##_SUB, FLOAT_ORDERED, T, subf##w##_dss) \
	NUMERIC(F##W##_MUL, FLOAT_COMMUTING, T, mulf##w##_dss) NUMERIC(F##W##_DIV, FLOAT_ORDERED, T, divf##w##_dss) \
	NUMERIC(F##W##_MIN, FLOAT_ORDERED, T, minf##w##_dss) NUMERIC(F##W##_MAX, FLOAT_ORDERED, T, maxf##w##_dss) \
	NUMERIC(F##W##_COPYSIGN, FLOAT_ORDERED, T, copysignf##w##_dss)
#define CONVERT_ROWS(N, n, T) \
	NUMERIC(N##_TRUNC_F32_S, ONE_OPERAND, T, n##_trunc_f32_s_ds) NUMERIC(N##_TRUNC_F32_U, ONE_OPERAND, T, n##_trunc_f32_u_ds) \
	NUMERIC(N##_TRUNC_F64_S, ONE_OPERAND, T, n##_trunc_f64_s_ds) NUMERIC(N##_TRUNC_F64_U, ONE_OPERAND, T, n##_trunc_f64_u_ds) \
	NUMERIC(N##_TRUNC_SAT_F32_S, ONE_OPERAND_STORED, T, n##_trunc_sat_f32_s_ds) \
	NUMERIC(N##_TRUNC_SAT_F32_U, ONE_OPERAND_STORED, T, n##_trunc_sat_f32_u_ds) \
	NUMERIC(N##_TRUNC_SAT_F64_S, ONE_OPERAND_STORED, T, n##_trunc_sat_f64_s_ds) \
	NUMERIC(N##_TRUNC_SAT_F64_U, ONE_OPERAND_STORED, T, n##_trunc_sat_f64_u_ds) \
	NUMERIC(F32_CONVERT_##N##_S, ONE_OPERAND, WK_TYPE_F32, f32_convert_##n##_s_ds) \
	NUMERIC(F32_CONVERT_##N##_U, ONE_OPERAND, WK_TYPE_F32, f32_convert_##n##_u_ds) \
	NUMERIC(F64_CONVERT_##N##_S, ONE_OPERAND, WK_TYPE_F64, f64_convert_##n##_s_ds) \
	NUMERIC(F64_CONVERT_##N##_U, ONE_OPERAND, WK_TYPE_F64, f64_convert_##n##_u_ds)

static const struct numeric_row numeric_rows[256 + 8] = {
	INTEGER_ROWS(32, 32, WK_TYPE_I32)
	INTEGER_ROWS(64, 64, WK_TYPE_I64)
	FLOAT_ROWS(32, 32, WK_TYPE_F32)
	FLOAT_ROWS(64, 64, WK_TYPE_F64)
	CONVERT_ROWS(I32, i32, WK_TYPE_I32)
	CONVERT_ROWS(I64, i64, WK_TYPE_I64)
	NUMERIC(I32_WRAP_I64, RETYPING, WK_TYPE_I32, mov) /* an i32 is the low half of its slot */
	NUMERIC(I32_REINTERPRET_F32, RETYPING, WK_TYPE_I32, mov)
	NUMERIC(I64_REINTERPRET_F64, RETYPING, WK_TYPE_I64, mov)
	NUMERIC(F32_REINTERPRET_I32, RETYPING, WK_TYPE_F32, mov)
	NUMERIC(F64_REINTERPRET_I64, RETYPING, WK_TYPE_F64, mov)
	NUMERIC(I64_EXTEND_I32_S, ONE_OPERAND, WK_TYPE_I64, extend32_s64_ds)
	NUMERIC(I64_EXTEND32_S, ONE_OPERAND, WK_TYPE_I64, extend32_s64_ds)
	NUMERIC(I64_EXTEND_I32_U, ONE_OPERAND, WK_TYPE_I64, extend32_u64_ds)
	NUMERIC(F32_DEMOTE_F64, ONE_OPERAND, WK_TYPE_F32, f32_demote_ds)
	NUMERIC(F64_PROMOTE_F32, ONE_OPERAND, WK_TYPE_F64, f64_promote_ds)
	MEMORY(I32_LOAD, LOADING, WK_TYPE_I32, 4, load32_ds, 0)
	MEMORY(I64_LOAD, LOADING, WK_TYPE_I64, 8, load64_ds, 0)
	MEMORY(F32_LOAD, LOADING, WK_TYPE_F32, 4, load_f32_ds, 0)
	MEMORY(F64_LOAD, LOADING, WK_TYPE_F64, 8, load_f64_ds, 0)
	MEMORY(I32_LOAD8_S, LOADING, WK_TYPE_I32, 1, load8_s32_ds, 0)
	MEMORY(I32_LOAD8_U, LOADING, WK_TYPE_I32, 1, load8_u_ds, 0)
	MEMORY(I32_LOAD16_S, LOADING, WK_TYPE_I32, 2, load16_s32_ds, 0)
	MEMORY(I32_LOAD16_U, LOADING, WK_TYPE_I32, 2, load16_u_ds, 0)
	MEMORY(I64_LOAD8_S, LOADING, WK_TYPE_I64, 1, load8_s64_ds, 0)
	MEMORY(I64_LOAD8_U, LOADING, WK_TYPE_I64, 1, load8_u_ds, 0)
	MEMORY(I64_LOAD16_S, LOADING, WK_TYPE_I64, 2, load16_s64_ds, 0)
	MEMORY(I64_LOAD16_U, LOADING, WK_TYPE_I64, 2, load16_u_ds, 0)
	MEMORY(I64_LOAD32_S, LOADING, WK_TYPE_I64, 4, load32_s64_ds, 0)
	MEMORY(I64_LOAD32_U, LOADING, WK_TYPE_I64, 4, load32_ds, 0)
	MEMORY(I32_STORE, STORING, 0, 4, store32_ss, 0)
	MEMORY(I64_STORE, STORING, 0, 8, store64_ss, 0)
	MEMORY(F32_STORE, STORING, 0, 4, store32_ss, WK_I_store_f32_sa)
	MEMORY(F64_STORE, STORING, 0, 8, store64_ss, WK_I_store_f64_sa)
	MEMORY(I32_STORE8, STORING, 0, 1, store8_ss, 0)
	MEMORY(I32_STORE16, STORING, 0, 2, store16_ss, 0)
	MEMORY(I64_STORE8, STORING, 0, 1, store8_ss, 0)
	MEMORY(I64_STORE16, STORING, 0, 2, store16_ss, 0)
	MEMORY(I64_STORE32, STORING, 0, 4, store32_ss, 0)
};

static void numeric(struct translator *t, uint32_t op)
{
	const struct numeric_row *row = &numeric_rows[ROW_OF(op)];
	switch ((enum rule)row->rule) {
	case NO_RULE: break;
	case COMMUTING: binary(t, (struct family){ row->base, true, true, 0 }, row->type); break;
	case SHIFTING: binary(t, (struct family){ row->base, false, true, DSA8 }, row->type); break;
	case SUBTRACTING: subtract(t, row->type); break;
	case FLOAT_COMMUTING: binary(t, (struct family){ row->base, true, false, 0 }, row->type); break;
	case FLOAT_ORDERED: binary(t, (struct family){ row->base, false, false, DSA6 }, row->type); break;
	case COMPARING: compare(t, row->base, row->detail); break;
	case COMPARING_FLOATS: compare_float(t, row->base, row->detail); break;
	case COMPARING_ZERO: equals_zero(t, row->base); break;
	case ONE_OPERAND: unary(t, row->base, DA, row->type); break;
	case ONE_OPERAND_STORED: unary(t, row->base, DA2, row->type); break;
	case RETYPING: retype(t, row->type); break;
	case LOADING: load(t, row->base, row->type, row->detail); break;
	case STORING: store(t, row->base, row->second, row->detail); break;
	}
}

/* The same for vectors, by the number behind the prefix. */
enum vector_rule { NO_VECTOR_RULE, FROM_SLOTS, WITH_LANE, VECTOR_LOAD, VECTOR_LOAD_LANE, VECTOR_STORE_LANE, VECTOR_STORE,
	VECTOR_BYTES };

struct vector_row {
	uint8_t rule;
	wk_class type;
	uint8_t detail; /* operands, or bytes accessed */
	uint16_t base;
};

#define VECTOR(NAME, rule, type, detail) [WK_OP_##NAME & 0xfff] = { rule, type, detail, WK_I_##NAME },
#define CLASS_i32 WK_TYPE_I32
#define CLASS_i64 WK_TYPE_I64
#define CLASS_f32 WK_TYPE_F32
#define CLASS_f64 WK_TYPE_F64
#define ROW1(NAME, f) VECTOR(NAME, FROM_SLOTS, WK_TYPE_V128, 1)
#define ROW2(NAME, f) VECTOR(NAME, FROM_SLOTS, WK_TYPE_V128, 2)
#define ROW3(NAME, f) VECTOR(NAME, FROM_SLOTS, WK_TYPE_V128, 3)
#define ROW_TEST(NAME, f) VECTOR(NAME, FROM_SLOTS, WK_TYPE_I32, 1)
#define ROW_SPLAT(NAME, f, k) VECTOR(NAME, FROM_SLOTS, WK_TYPE_V128, 1)
#define ROW_EXTRACT(NAME, f, k) VECTOR(NAME, WITH_LANE, CLASS_##k, 1)
#define ROW_REPLACE(NAME, f, k) VECTOR(NAME, WITH_LANE, WK_TYPE_V128, 2)
#define ROW_LOAD(NAME, f, n) VECTOR(NAME, VECTOR_LOAD, WK_TYPE_V128, n)
#define ROW_LOAD_LANE(NAME, n) VECTOR(NAME, VECTOR_LOAD_LANE, WK_TYPE_V128, n)
#define ROW_STORE_LANE(NAME, n) VECTOR(NAME, VECTOR_STORE_LANE, 0, n)

static const struct vector_row vector_rows[0x114] = {
	WK_SIMD_UNARY(ROW1)
	WK_SIMD_BINARY(ROW2)
	WK_SIMD_TERNARY(ROW3)
	WK_SIMD_SHIFT(ROW2)
	WK_SIMD_TEST(ROW_TEST)
	WK_SIMD_SPLAT(ROW_SPLAT)
	WK_SIMD_EXTRACT(ROW_EXTRACT)
	WK_SIMD_REPLACE(ROW_REPLACE)
	WK_SIMD_LOAD(ROW_LOAD)
	WK_SIMD_LOAD_LANE(ROW_LOAD_LANE)
	WK_SIMD_STORE_LANE(ROW_STORE_LANE)
	VECTOR(V128_STORE, VECTOR_STORE, 0, 16)
	[WK_OP_V128_CONST & 0xfff] = { VECTOR_BYTES, WK_TYPE_V128, 0, WK_I_const128 },
	VECTOR(I8X16_SHUFFLE, VECTOR_BYTES, WK_TYPE_V128, 2)
};

static void vector_instruction(struct translator *t, uint32_t op)
{
	const struct vector_row *row = &vector_rows[op & 0xfff];
	switch ((enum vector_rule)row->rule) {
	case NO_VECTOR_RULE: break;
	case FROM_SLOTS: vector(t, row->base, row->detail, row->type); break;
	case WITH_LANE: vector_lane(t, row->base, row->detail, row->type); break;
	case VECTOR_LOAD: vector_load(t, row->base, row->detail); break;
	case VECTOR_LOAD_LANE: vector_load_lane(t, row->base, row->detail); break;
	case VECTOR_STORE_LANE: vector_store_lane(t, row->base, row->detail); break;
	case VECTOR_STORE: vector_store(t); break;
	case VECTOR_BYTES: vector_bytes(t, row->base, row->detail); break;
	}
}

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
		put_word(w + 1, read_u32(t));
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
		a = table_operand(t, read_u32(t));
		plain_result(t, WK_I_table_get, 1, a, CLASS_REF);
		break;
	case WK_OP_TABLE_SET: plain(t, WK_I_table_set, 2, table_operand(t, read_u32(t)), 0, 1); break;
	case WK_OP_TABLE_SIZE:
		a = table_operand(t, read_u32(t));
		plain_result(t, WK_I_table_size, 0, a, table_index_class(t, a));
		break;
	case WK_OP_TABLE_GROW:
		a = table_operand(t, read_u32(t));
		plain_result(t, WK_I_table_grow, 2, a, table_index_class(t, a));
		break;
	case WK_OP_TABLE_FILL: plain(t, WK_I_table_fill, 3, table_operand(t, read_u32(t)), 0, 1); break;
	case WK_OP_TABLE_COPY:
		a = table_operand(t, read_u32(t));
		b = table_operand(t, read_u32(t));
		plain(t, WK_I_table_copy, 3, a, b, 2);
		break;
	case WK_OP_TABLE_INIT:
		a = read_u32(t);
		b = table_operand(t, read_u32(t));
		plain(t, WK_I_table_init, 3, a, b, 2);
		break;
	case WK_OP_ELEM_DROP: plain(t, WK_I_elem_drop, 0, read_u32(t), 0, 1); break;
	case WK_OP_MEMORY_SIZE:
		a = memory_operand(t, read_u32(t));
		plain_result(t, WK_I_memory_size, 0, a, table_index_class(t, a));
		break;
	case WK_OP_MEMORY_GROW:
		a = memory_operand(t, read_u32(t));
		plain_result(t, WK_I_memory_grow, 1, a, table_index_class(t, a));
		break;
	case WK_OP_MEMORY_FILL: plain(t, WK_I_memory_fill, 3, memory_operand(t, read_u32(t)), 0, 1); break;
	case WK_OP_MEMORY_COPY:
		a = memory_operand(t, read_u32(t));
		b = memory_operand(t, read_u32(t));
		plain(t, WK_I_memory_copy, 3, a, b, 2);
		break;
	case WK_OP_MEMORY_INIT:
		a = read_u32(t);
		b = memory_operand(t, read_u32(t));
		plain(t, WK_I_memory_init, 3, a, b, 2);
		break;
	case WK_OP_DATA_DROP: plain(t, WK_I_data_drop, 0, read_u32(t), 0, 1); break;
	case WK_OP_I64_ADD128: wide_arithmetic(t, WK_I_add128, 4); break;
	case WK_OP_I64_SUB128: wide_arithmetic(t, WK_I_sub128, 4); break;
	case WK_OP_I64_MUL_WIDE_S: wide_arithmetic(t, WK_I_mul_wide_s, 2); break;
	case WK_OP_I64_MUL_WIDE_U: wide_arithmetic(t, WK_I_mul_wide_u, 2); break;
	default: numeric(t, op); break;
	}
}

static void instruction(struct translator *t, uint32_t op)
{
	uint64_t bits = 0;
	switch (op) {
	case WK_OP_UNREACHABLE:
		wk_t_write(t, WK_I_unreachable, NULL, 0);
		t->unreachable = true;
		break;
	case WK_OP_NOP: break;
	case WK_OP_BLOCK: begin_block(t, C_BLOCK); break;
	case WK_OP_LOOP: begin_block(t, C_LOOP); break;
	case WK_OP_IF: begin_block(t, C_IF); break;
	case WK_OP_TRY_TABLE: begin_block(t, C_TRY); break;
	case WK_OP_ELSE: begin_else(t); break;
	case WK_OP_END: end_block(t); break;
	case WK_OP_BR: branch(t, read_u32(t)); break;
	case WK_OP_BR_IF: {
		uint32_t depth = read_u32(t);
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
	case WK_OP_DROP: wk_t_pop(t); break;
	case WK_OP_SELECT_T:
		for (uint32_t n = read_u32(t); n > 0; n--)
			read_type(t);
		do_select(t);
		break;
	case WK_OP_SELECT: do_select(t); break;
	case WK_OP_LOCAL_GET: wk_t_push_local(t, read_u32(t)); break;
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
		if (op >> 12 == 0xFD)
			vector_instruction(t, op);
		else if (op >> 12 || op == WK_OP_TABLE_GET || op == WK_OP_TABLE_SET || op == WK_OP_MEMORY_SIZE ||
		         op == WK_OP_MEMORY_GROW)
			bulk_instruction(t, op);
		else
			numeric(t, op);
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
	for (uint32_t runs = read_u32(t); runs > 0; runs--) {
		count += read_u32(t);
		read_type(t);
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
	t->header = header_of(t->type);
	slot = t->header + 2;
	t->at = declarations;
	for (uint32_t runs = read_u32(t); runs > 0; runs--) {
		uint32_t n = read_u32(t);
		wk_class type = class_of(read_type(t));
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
static void enter(struct translator *t, uint32_t frame)
{
	uint32_t first = t->header + 2, count = t->constant_base - first;
	wk_unit w[3] = { (wk_unit)frame, (wk_unit)first, (wk_unit)count };
	static const uint16_t ops[] = { WK_I_enter, WK_I_enter1, WK_I_enter2, WK_I_enter3, WK_I_enter4 };
	if (count <= 4)
		wk_t_write(t, ops[count], w, count ? 2 : 1);
	else
		wk_t_write(t, WK_I_enter_n, w, 3);
}

/* A function with constants in slots is entered behind its body, which is where their number is known. */
static uint32_t enter_constants(struct translator *t, uint32_t frame, uint32_t body)
{
	if (t->constant_count == 0)
		return 0;
	wk_t_label(t);
	uint32_t entry = t->count, first = t->header + 2;
	wk_unit w[7] = { (wk_unit)frame, (wk_unit)first, (wk_unit)(t->constant_base - first), (wk_unit)t->constant_base,
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
	struct control *c = open_block(t, C_FUNCTION);
	if (!c)
		return;
	c->base = t->base;
	c->result_count = t->type->result_count;
	c->results = wk_results_of(t->type);
	t->control_count = 1;
	begin_region(t);
	while (t->control_count && !t->failed) {
		t->offset = (uint32_t)(t->at - t->module->bytes.data);
		uint32_t op = t->unreachable ? skip_unreachable(t) : read_opcode(t);
		if (op != WK_OP_END && op != WK_OP_ELSE)
			t->fuel++;
		instruction(t, op);
	}
}

/* Translates into the free end of the newest block; *entry is where calls go, in units. */
static bool translate(struct translator *t, struct wk_code *code, uint32_t function, uint32_t *entry)
{
	const struct wk_function_decl *decl = &code->module->funcs[function];
	t->code = code;
	t->module = code->module;
	t->budget = &code->budget;
	t->s = &code->scratch;
	t->function = function;
	t->type = wk_module_func_type(code->module, function);
	t->at = code->module->bytes.data + decl->body;
	t->end = t->at + decl->size;
	t->pending.op = t->last_op = NO_INSTRUCTION;
	t->acc_slot = t->f32_slot = t->f64_slot = NO_SLOT;
	t->fuel_at = NO_FIXUP;
	wk_t_open(t);
	if (!layout(t, decl))
		return false;
	uint32_t frame = t->base + decl->max_slots + 2;
	enter(t, frame);
	wk_t_label(t);
	uint32_t start = t->count;
	body(t);
	*entry = enter_constants(t, frame, start);
	return !t->failed;
}

enum wk_status wk_translate(struct wk_code *code, uint32_t function, struct wk_report *report)
{
	struct translator t = { .watch = UINT32_MAX };
	uint32_t entry = 0;
	struct wk_catch *catches = NULL;
	if (!translate(&t, code, function, &entry))
		return wk_budget_refuse(&code->budget, 4096, report);
	wk_t_close(&t);
	if (t.catch_count) {
		catches = wk_alloc_array(&code->budget, t.catch_count, sizeof *catches);
		if (!catches)
			return wk_budget_refuse(&code->budget, t.catch_count * sizeof *catches, report);
		memcpy(catches, t.s->catches, t.catch_count * sizeof *catches);
	}
	struct wk_code_header *header = (struct wk_code_header *)t.out - 1;
	*header = (struct wk_code_header){ function, t.count, t.header, t.base + code->module->funcs[function].max_slots + 2,
		t.catch_count, catches };
	size_t used = (size_t)((uint8_t *)(t.out + t.count) - (uint8_t *)(code->blocks + 1));
	code->blocks->used = (used + 7) & ~(size_t)7;
	code->units += t.count;
	__atomic_store_n(&code->entry[function], t.out + entry, __ATOMIC_RELEASE);
	return WK_OK;
}

uint64_t wk_translate_locate(struct wk_code *code, uint32_t function, uint32_t position)
{
	struct translator t = { .watch = position, .watched = WK_NO_OFFSET };
	uint32_t entry = 0;
	if (!translate(&t, code, function, &entry))
		return WK_NO_OFFSET;
	return t.watched;
}

const struct wk_code_header *wk_code_find(const struct wk_code *code, const wk_unit *at)
{
	for (const struct wk_code_block *block = code->blocks; block; block = block->next) {
		const uint8_t *begin = (const uint8_t *)(block + 1), *end = begin + block->used;
		if ((const uint8_t *)at < begin || (const uint8_t *)at >= end)
			continue;
		while (begin < end) {
			const struct wk_code_header *header = (const struct wk_code_header *)begin;
			const wk_unit *start = wk_code_start(header);
			if (at < start + header->units)
				return header;
			begin += (sizeof *header + header->units * sizeof *start + 7) & ~(size_t)7;
		}
	}
	return NULL;
}
