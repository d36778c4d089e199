/* SPDX-License-Identifier: Apache-2.0
 *
 * Translating what computes: numeric instructions, comparisons, loads and stores, vectors. Which form of an instruction
 * is taken follows from where its operands are; tables say which family belongs to which opcode.
 */
#include "format/opcodes.h"
#include "interp/translate.h"

/* ---- numeric instructions ---- */

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
	if (f.immediate && wk_t_fits_imm(b)) {
		bool acc = wk_t_operand(t, a, &w[1]);
		form = acc ? DAI : DSI;
		n = acc ? 2 : 3;
		w[n - 1] = (wk_unit)b.value;
	} else if (f.sa && !wk_t_in_accumulator(t, a) && wk_t_in_accumulator(t, b)) {
		w[1] = (wk_unit)wk_t_slot(t, a);
		if (wk_t_operand(t, b, &w[2])) {
			form = f.sa;
			n = 2;
		} else {
			form = DSS;
			n = 3;
		}
	} else {
		wk_unit second = (wk_unit)wk_t_slot(t, b);
		bool acc = wk_t_operand(t, a, &w[1]);
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
	bool acc = wk_t_operand(t, a, &w[1]);
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
	if (wk_t_fits_imm(b)) {
		bool acc = wk_t_operand(t, a, &w[1]);
		form = acc ? DAI : DSI;
		n = acc ? 2 : 3;
		w[n - 1] = (wk_unit)b.value;
	} else {
		wk_unit second = (wk_unit)wk_t_slot(t, b);
		bool acc = wk_t_operand(t, a, &w[1]);
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
	bool acc = wk_t_operand(t, a, &w[1]);
	uint32_t n = acc ? 2 : 3;
	w[n - 1] = second;
	wk_t_produce(t, base + c * 4 + (acc ? DAS : DSS), wk_t_push(t, WK_TYPE_I32), WK_TYPE_I32, w, n);
}

struct comparing wk_t_pending_comparison(const struct translator *t, struct entry e)
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
	struct comparing c = wk_t_pending_comparison(t, e);
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

/* ---- memory ---- */

static bool simple_memory(const struct translator *t, struct wk_memarg m, uint32_t bytes)
{
	return m.memory == 0 && !t->module->memories[0].limits.is64 && m.offset + bytes <= UINT32_MAX;
}

/* The slow road: the accumulator becomes a checked pointer. */
static void write_address(struct translator *t, struct wk_memarg m, struct entry address, uint32_t bytes)
{
	wk_unit w[7] = { (wk_unit)wk_t_slot(t, address), (wk_unit)m.memory, (wk_unit)bytes };
	put_word(w + 3, (uint32_t)m.offset);
	put_word(w + 5, (uint32_t)(m.offset >> 32));
	bool is64 = t->module->memories[m.memory].limits.is64;
	wk_t_write(t, is64 ? WK_I_address64 : WK_I_address32, w, is64 ? 7 : 5);
	t->acc_slot = NO_SLOT;
}

/* A field of offset and size that is too large for its unit: the accumulator becomes the address with most of the offset
 * added. Returns what is left for the field. */
static uint32_t write_offset(struct translator *t, struct entry address, uint32_t field)
{
	uint32_t left = field & 0x7fff, high;
	wk_unit w[3];
	if (left < 32)
		left += 0x8000; /* more than any size: some offset stays, as the instruction needs it */
	high = field - left;
	bool acc = wk_t_operand(t, address, &w[0]);
	put_word(w + (acc ? 0 : 1), high);
	wk_t_write(t, acc ? WK_I_offset_a : WK_I_offset_s, w, acc ? 2 : 3);
	t->acc_slot = NO_SLOT;
	return left;
}

/* A constant address below 4 GiB: its end fits the field. */
static bool constant_address(struct entry address, struct wk_memarg m, uint32_t bytes, uint32_t *end)
{
	uint64_t at = (uint64_t)(uint32_t)address.value + m.offset + bytes;
	*end = (uint32_t)at;
	return address.kind == IS_CONSTANT && at <= UINT32_MAX;
}

static void load(struct translator *t, uint32_t base, wk_class type, uint32_t bytes)
{
	struct wk_memarg m = wk_t_read_memarg(t);
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
	uint32_t field = (uint32_t)m.offset + bytes;
	bool acc = field > UINT16_MAX;
	if (acc)
		field = write_offset(t, address, field);
	else
		acc = wk_t_operand(t, address, &w[1]);
	w[acc ? 1 : 2] = (wk_unit)field;
	wk_t_produce(t, base + (acc ? DA : DS), wk_t_push(t, type), type, w, acc ? 2 : 3);
}

/* The address takes the accumulator: another value than a float has to be in a slot. */
static void store_far(struct translator *t, uint32_t base, uint32_t float_base, struct entry address, struct entry value,
	uint32_t field)
{
	wk_unit w[2];
	if (float_base && wk_t_in_accumulator(t, value)) {
		wk_t_take(t, value);
		w[0] = (wk_unit)write_offset(t, address, field);
		wk_t_write(t, float_base + STF_AA, w, 1);
		return;
	}
	w[0] = (wk_unit)wk_t_slot(t, value);
	w[1] = (wk_unit)write_offset(t, address, field);
	wk_t_write(t, base + ST_AS, w, 2);
}

/* A constant address is two units, an offset one. */
static uint32_t put_field(wk_unit *w, bool constant, uint32_t end, uint32_t field)
{
	if (constant)
		put_word(w, end);
	else
		w[0] = (wk_unit)field;
	return constant ? 2 : 1;
}

static void store(struct translator *t, uint32_t base, uint32_t float_base, uint32_t bytes)
{
	struct wk_memarg m = wk_t_read_memarg(t);
	struct entry value = wk_t_pop(t), address = wk_t_pop(t);
	wk_unit w[4];
	if (!simple_memory(t, m, bytes)) {
		/* The address must not disturb a value that is only in its accumulator: stores through pointers read slots. */
		wk_unit from = (wk_unit)wk_t_slot(t, value);
		write_address(t, m, address, bytes);
		wk_t_write(t, base + ST_PS, &from, 1);
		return;
	}
	uint32_t end, n = 0, form, field = (uint32_t)m.offset + bytes;
	bool constant = constant_address(address, m, bytes, &end);
	if (!constant && field > UINT16_MAX) {
		store_far(t, base, float_base, address, value, field);
		return;
	}
	if (float_base && wk_t_in_accumulator(t, value)) {
		bool acc = false;
		if (!constant) {
			acc = wk_t_operand(t, address, &w[0]);
			n = acc ? 0 : 1;
		}
		wk_t_take(t, value);
		n += put_field(w + n, constant, end, field);
		wk_t_write(t, float_base + (constant ? STF_KA : acc ? STF_AA : STF_SA), w, n);
		return;
	}
	bool narrow = bytes <= 2 || (bytes == 4 && (int32_t)value.value == (int16_t)value.value) || fits16(value.value);
	bool immediate = value.kind == IS_CONSTANT && narrow;
	if (immediate) {
		bool acc = !constant && wk_t_operand(t, address, &w[0]);
		n = constant || acc ? 0 : 1;
		w[n++] = (wk_unit)value.value;
		form = constant ? ST_KI : acc ? ST_AI : ST_SI;
	} else if (!float_base && wk_t_in_accumulator(t, value)) {
		if (!constant)
			w[n++] = (wk_unit)wk_t_slot(t, address);
		if (wk_t_operand(t, value, &w[n])) {
			form = constant ? ST_KA : ST_SA;
		} else {
			n++;
			form = constant ? ST_KS : ST_SS;
		}
	} else {
		wk_unit from = (wk_unit)wk_t_slot(t, value);
		bool acc = !constant && wk_t_operand(t, address, &w[0]);
		n = constant || acc ? 0 : 1;
		w[n++] = from;
		form = constant ? ST_KS : acc ? ST_AS : ST_SS;
	}
	n += put_field(w + n, constant, end, field);
	wk_t_write(t, base + form, w, n);
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
	struct wk_memarg m = wk_t_read_memarg(t);
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
	struct wk_memarg m = wk_t_read_memarg(t);
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
	struct wk_memarg m = wk_t_read_memarg(t);
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
	struct wk_memarg m = wk_t_read_memarg(t);
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

/* ---- the tables ---- */

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

void wk_t_numeric(struct translator *t, uint32_t op)
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

void wk_t_vector(struct translator *t, uint32_t op)
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
