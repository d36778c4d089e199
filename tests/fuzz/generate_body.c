/* SPDX-License-Identifier: Apache-2.0
 *
 * The generator's inner half: the instructions of one function.
 *
 * It keeps the types on the operand stack and the open blocks, as a validator does. An instruction that needs operands
 * takes those that happen to lie on the stack where they fit and makes the others (`need`): so values stay on the stack
 * over blocks, calls and writes to the local they were read from, which is where translators go wrong. After a branch
 * the rest of the block is unreachable code, where operands may be missing.
 *
 * Most memory addresses, divisors and float-to-integer conversions are kept within what does not trap, so that programs
 * run on; some are not.
 */
#include "generate_internal.h"

#include <stdlib.h>
#include <string.h>

static void put_op(struct gen_body *b, uint32_t code)
{
	if (code < 0x1000) {
		gen_put(b->code, code);
	} else {
		gen_put(b->code, code >> 12);
		gen_put_unsigned(b->code, code & 0xfff);
	}
}

static void put_op1(struct gen_body *b, uint32_t code, uint32_t immediate)
{
	put_op(b, code);
	gen_put_unsigned(b->code, immediate);
}

static void put_i32(struct gen_body *b, int32_t value)
{
	put_op(b, WK_OP_I32_CONST);
	gen_put_signed(b->code, value);
}

/* ---- the operand stack ---- */

static struct gen_frame *top_frame(struct gen_body *b)
{
	return &b->frames[b->depth - 1];
}

/* The frame a branch to `label` leaves. */
static struct gen_frame *frame_at(struct gen_body *b, uint32_t label)
{
	return &b->frames[b->depth - 1 - label];
}

static size_t available(struct gen_body *b)
{
	return b->height - top_frame(b)->height;
}

static void push(struct gen_body *b, uint32_t letter)
{
	if (b->height < GEN_STACK)
		b->stack[b->height++] = (uint8_t)letter;
	else
		b->code->overflow = true;
}

static void push_all(struct gen_body *b, const struct gen_letters *letters)
{
	for (uint32_t i = 0; i < letters->count; i++)
		push(b, letters->at[i]);
}

/* Takes operands off; in unreachable code fewer may be there. */
static void take(struct gen_body *b, size_t count)
{
	b->height -= available(b) < count ? available(b) : count;
}

static void stop_here(struct gen_body *b)
{
	b->height = top_frame(b)->height;
	top_frame(b)->unreachable = true;
}

static const uint64_t nan64 = 0x7ff8000000000000;
static const uint32_t nan32 = 0x7fc00000;

/* x, made canonical: select(x, nan, x == x). */
static void launder(struct gen_body *b)
{
	uint32_t letter = b->stack[b->height - 1] & 0x7f;
	bool wide = letter == 'F';
	uint32_t scratch = b->scratch[wide];
	put_op1(b, WK_OP_LOCAL_SET, scratch);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op(b, wide ? WK_OP_F64_CONST : WK_OP_F32_CONST);
	gen_put_bytes(b->code, wide ? (const void *)&nan64 : &nan32, wide ? 8 : 4);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op(b, wide ? WK_OP_F64_EQ : WK_OP_F32_EQ);
	put_op(b, WK_OP_SELECT);
	b->stack[b->height - 1] = (uint8_t)letter;
}

/* The same for the lanes of a v128 on top. */
static void launder_lanes(struct gen_body *b, bool wide)
{
	uint32_t scratch = b->scratch[2];
	put_op1(b, WK_OP_LOCAL_SET, scratch);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op(b, WK_OP_V128_CONST);
	for (int i = 0; i < (wide ? 2 : 4); i++)
		gen_put_bytes(b->code, wide ? (const void *)&nan64 : &nan32, wide ? 8 : 4);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op1(b, WK_OP_LOCAL_GET, scratch);
	put_op(b, wide ? WK_OP_F64X2_EQ : WK_OP_F32X4_EQ);
	put_op(b, WK_OP_V128_BITSELECT);
}

/* ---- locals and globals ---- */

static int find_local(struct gen *g, struct gen_body *b, uint32_t letter, bool writable)
{
	uint32_t count = writable ? b->counters : b->counters + GEN_COUNTERS;
	uint32_t from = count > 0 ? gen_below(g, count) : 0;
	for (uint32_t i = 0; i < count; i++)
		if (b->locals[(from + i) % count] == letter)
			return (int)((from + i) % count);
	return -1;
}

static int find_global(struct gen *g, uint32_t letter, bool writable)
{
	if (g->global_count == 0)
		return -1;
	uint32_t from = gen_below(g, g->global_count);
	for (uint32_t i = 0; i < g->global_count; i++) {
		uint32_t at = (from + i) % g->global_count;
		if (g->globals[at].type == letter && (!writable || g->globals[at].mutable_))
			return (int)at;
	}
	return -1;
}

/* ---- plain instructions ---- */

/* Does it look at a float's value only, never at the bits of a NaN? Then it may be given one that is not canonical. */
static bool takes_any_nan(uint32_t code)
{
	return (code >= WK_OP_F32_EQ && code <= WK_OP_F64_GE) || (code >= WK_OP_F32_CEIL && code <= WK_OP_F32_MAX)
		|| (code >= WK_OP_F64_CEIL && code <= WK_OP_F64_MAX)
		|| (code >= WK_OP_I32_TRUNC_F32_S && code <= WK_OP_I32_TRUNC_F64_U)
		|| (code >= WK_OP_I64_TRUNC_F32_S && code <= WK_OP_I64_TRUNC_F64_U)
		|| (code >= WK_OP_I32_TRUNC_SAT_F32_S && code <= WK_OP_I64_TRUNC_SAT_F64_U)
		|| code == WK_OP_F32_DEMOTE_F64 || code == WK_OP_F64_PROMOTE_F32;
}

static bool makes_nan(uint32_t code)
{
	return (code >= WK_OP_F32_CEIL && code <= WK_OP_F32_MAX) || (code >= WK_OP_F64_CEIL && code <= WK_OP_F64_MAX)
		|| code == WK_OP_F32_DEMOTE_F64 || code == WK_OP_F64_PROMOTE_F32;
}

/* 1: makes NaNs in f32 lanes, 2: in f64 lanes. */
static int makes_nan_lanes(uint32_t code)
{
	switch (code) {
	case WK_OP_F32X4_DEMOTE_F64X2_ZERO:
	case WK_OP_F32X4_CEIL:
	case WK_OP_F32X4_FLOOR:
	case WK_OP_F32X4_TRUNC:
	case WK_OP_F32X4_NEAREST:
	case WK_OP_F32X4_SQRT:
	case WK_OP_F32X4_ADD:
	case WK_OP_F32X4_SUB:
	case WK_OP_F32X4_MUL:
	case WK_OP_F32X4_DIV:
	case WK_OP_F32X4_MIN:
	case WK_OP_F32X4_MAX:
	case WK_OP_F32X4_RELAXED_MADD:
	case WK_OP_F32X4_RELAXED_NMADD:
	case WK_OP_F32X4_RELAXED_MIN:
	case WK_OP_F32X4_RELAXED_MAX:
		return 1;
	case WK_OP_F64X2_PROMOTE_LOW_F32X4:
	case WK_OP_F64X2_CEIL:
	case WK_OP_F64X2_FLOOR:
	case WK_OP_F64X2_TRUNC:
	case WK_OP_F64X2_NEAREST:
	case WK_OP_F64X2_SQRT:
	case WK_OP_F64X2_ADD:
	case WK_OP_F64X2_SUB:
	case WK_OP_F64X2_MUL:
	case WK_OP_F64X2_DIV:
	case WK_OP_F64X2_MIN:
	case WK_OP_F64X2_MAX:
	case WK_OP_F64X2_RELAXED_MADD:
	case WK_OP_F64X2_RELAXED_NMADD:
	case WK_OP_F64X2_RELAXED_MIN:
	case WK_OP_F64X2_RELAXED_MAX:
		return 2;
	default:
		return 0;
	}
}

/* The code to write instead, and what makes the operand on top harmless. */
static uint32_t tame(struct gen *g, struct gen_body *b, uint32_t code)
{
	if (code >= WK_OP_I32_DIV_S && code <= WK_OP_I32_REM_U && gen_chance(g, 80)) {
		put_i32(b, 1);
		put_op(b, WK_OP_I32_OR);
	} else if (code >= WK_OP_I64_DIV_S && code <= WK_OP_I64_REM_U && gen_chance(g, 80)) {
		put_op(b, WK_OP_I64_CONST);
		gen_put_signed(b->code, 1);
		put_op(b, WK_OP_I64_OR);
	} else if (code >= WK_OP_I32_TRUNC_F32_S && code <= WK_OP_I32_TRUNC_F64_U && !gen_chance(g, 15)) {
		return WK_OP_I32_TRUNC_SAT_F32_S + code - WK_OP_I32_TRUNC_F32_S;
	} else if (code >= WK_OP_I64_TRUNC_F32_S && code <= WK_OP_I64_TRUNC_F64_U && !gen_chance(g, 15)) {
		return WK_OP_I64_TRUNC_SAT_F32_S + code - WK_OP_I64_TRUNC_F32_S;
	}
	return code;
}

static struct gen_letters operands_of(const struct gen_row *row)
{
	struct gen_letters letters = { 0 };
	for (const char *p = row->signature; *p != ':'; p++)
		letters.at[letters.count++] = (uint8_t)*p;
	return letters;
}

/* Writes an instruction whose operands are there. */
static void put_row(struct gen *g, struct gen_body *b, const struct gen_row *row)
{
	const char *results = strchr(row->signature, ':');
	put_op(b, tame(g, b, row->code));
	if (row->immediate == WK_IMM_SHUFFLE)
		for (int i = 0; i < 16; i++)
			gen_put(b->code, gen_below(g, 32));
	else if (row->immediate >= WK_IMM_LANE_2 && row->immediate <= WK_IMM_LANE_16)
		gen_put(b->code, gen_below(g, 2u << (row->immediate - WK_IMM_LANE_2)));
	take(b, (size_t)(results - row->signature));
	bool taint = g->options.canonical && makes_nan(row->code);
	while (*++results != 0)
		push(b, (uint8_t)*results | (taint ? GEN_TAINT : 0u));
	int lanes = makes_nan_lanes(row->code);
	if (lanes != 0 && g->options.canonical)
		launder_lanes(b, lanes == 2);
	if (taint && gen_chance(g, 40))
		launder(b);
}

/* Pushes one new value of a type. */
static void make_value(struct gen *g, struct gen_body *b, uint32_t letter, int depth)
{
	uint32_t kind = gen_below(g, 8);
	int at = -1;
	if (kind >= 1 && kind <= 4)
		at = find_local(g, b, letter, false);
	else if (kind == 5)
		at = find_global(g, letter, false);
	const struct gen_rows *making = &g->making[gen_making(letter)];
	if (at >= 0) {
		put_op1(b, kind == 5 ? WK_OP_GLOBAL_GET : WK_OP_LOCAL_GET, (uint32_t)at);
	} else if (kind >= 6 && depth < 3 && making->count > 0 && !gen_exhausted(g)) {
		const struct gen_row *row = making->at[gen_below(g, making->count)];
		struct gen_letters operands = operands_of(row);
		for (uint32_t i = 0; i < operands.count; i++)
			make_value(g, b, operands.at[i], depth + 1);
		put_row(g, b, row);
		if (b->stack[b->height - 1] & GEN_TAINT)
			launder(b);
		return;
	} else if (letter == 'r' && kind >= 6) {
		put_op1(b, WK_OP_REF_FUNC, gen_below(g, g->func_count));
	} else {
		gen_constant(g, b->code, letter);
	}
	push(b, letter);
}

/* Sees to it that the operands are on top of the stack: as many as lie there already, the others made. */
static void need_any(struct gen *g, struct gen_body *b, const struct gen_letters *letters, bool any_nan)
{
	uint32_t mask = any_nan ? 0x7f : 0xff;
	if (letters->count == 0)
		return;
	if (!any_nan && available(b) > 0 && (b->stack[b->height - 1] & GEN_TAINT) && gen_chance(g, 70))
		launder(b);
	uint32_t there = available(b) < letters->count ? (uint32_t)available(b) : letters->count;
	for (; there > 0; there--) {
		uint32_t same = 0;
		while (same < there && (b->stack[b->height - there + same] & mask) == letters->at[same])
			same++;
		if (same == there)
			break;
	}
	if (there > 0 && gen_chance(g, 15))
		there = 0;
	if (top_frame(b)->unreachable && available(b) == 0 && gen_chance(g, 40))
		there = 1 + gen_below(g, letters->count); /* missing operands are of any type there */
	for (uint32_t i = there; i < letters->count; i++)
		make_value(g, b, letters->at[i], 0);
}

static void need(struct gen *g, struct gen_body *b, const struct gen_letters *letters)
{
	need_any(g, b, letters, false);
}

static void need_one(struct gen *g, struct gen_body *b, uint32_t letter)
{
	need(g, b, &(struct gen_letters){ 1, { (uint8_t)letter } });
}

static void plain(struct gen *g, struct gen_body *b, const struct gen_rows *rows)
{
	if (rows->count == 0)
		return;
	const struct gen_row *row = rows->at[gen_below(g, rows->count)];
	struct gen_letters operands = operands_of(row);
	need_any(g, b, &operands, takes_any_nan(row->code));
	put_row(g, b, row);
}

/* ---- memory ---- */

static uint32_t address_letter(const struct gen *g, uint32_t memory)
{
	return g->memories[memory].is64 ? 'I' : 'i';
}

static void mask_top(struct gen_body *b, uint32_t letter, int32_t mask)
{
	put_op(b, letter == 'I' ? WK_OP_I64_CONST : WK_OP_I32_CONST);
	gen_put_signed(b->code, mask);
	put_op(b, letter == 'I' ? WK_OP_I64_AND : WK_OP_I32_AND);
}

static void put_memarg(struct gen *g, struct gen_body *b, uint32_t memory, uint32_t align_log2)
{
	uint32_t align = gen_below(g, align_log2 + 1);
	gen_put_unsigned(b->code, align | (memory != 0 ? 0x40 : 0));
	if (memory != 0)
		gen_put_unsigned(b->code, memory);
	uint64_t offset = gen_below(g, 64);
	if (gen_chance(g, 15))
		offset = gen_below(g, 65536);
	else if (gen_chance(g, 3))
		offset = (uint64_t)gen_byte(g) << 24 | gen_byte(g);
	if (g->memories[memory].is64 && gen_chance(g, 3))
		offset |= (uint64_t)gen_byte(g) << 56;
	gen_put_unsigned(b->code, offset);
}

static void access(struct gen *g, struct gen_body *b, const struct gen_rows *rows)
{
	static const int32_t masks[] = { 0xff, 0xfff, 0x3f8, 0x7fff, 0xffff };
	if (g->memory_count == 0 || rows->count == 0)
		return;
	const struct gen_row *row = rows->at[gen_below(g, rows->count)];
	uint32_t memory = gen_below(g, g->memory_count);
	uint32_t letter = address_letter(g, memory);
	struct gen_letters operands = operands_of(row);
	operands.at[0] = (uint8_t)letter;
	if (gen_chance(g, 12)) {
		need(g, b, &operands);
	} else {
		need_one(g, b, letter);
		mask_top(b, letter, masks[gen_below(g, 5)]);
		if (available(b) == 0) /* unreachable code: the mask's result is there for certain */
			push(b, letter);
		for (uint32_t i = 1; i < operands.count; i++)
			make_value(g, b, operands.at[i], 1);
	}
	put_op(b, row->code);
	bool lane = row->immediate >= WK_IMM_LANE_MEMORY_8;
	uint32_t size = (uint32_t)row->immediate - (lane ? WK_IMM_LANE_MEMORY_8 : WK_IMM_MEMORY_8);
	put_memarg(g, b, memory, size);
	if (lane)
		gen_put(b->code, gen_below(g, 16u >> size));
	take(b, operands.count);
	for (const char *result = strchr(row->signature, ':') + 1; *result != 0; result++)
		push(b, (uint8_t)*result);
}

/* An index or length that is mostly small. */
static void make_small(struct gen *g, struct gen_body *b, uint32_t letter, int32_t below)
{
	if (gen_chance(g, 8)) {
		make_value(g, b, letter, 1);
	} else if (gen_chance(g, 30)) {
		int32_t mask = 1;
		while (mask * 2 + 1 < below)
			mask = mask * 2 + 1;
		make_value(g, b, letter, 1);
		mask_top(b, letter, mask);
	} else {
		put_op(b, letter == 'I' ? WK_OP_I64_CONST : WK_OP_I32_CONST);
		gen_put_signed(b->code, gen_below(g, (uint32_t)below));
		push(b, letter);
	}
}

static void memory_bulk(struct gen *g, struct gen_body *b)
{
	if (g->memory_count == 0)
		return;
	uint32_t memory = gen_below(g, g->memory_count), other = gen_below(g, g->memory_count);
	uint32_t letter = address_letter(g, memory), other_letter = address_letter(g, other);
	uint32_t segment = g->data_count > 0 ? gen_below(g, g->data_count) : 0;
	uint32_t kind = gen_below(g, 6);
	if (kind >= 4 && g->data_count == 0)
		kind = 0;
	switch (kind) {
	case 0:
		put_op1(b, WK_OP_MEMORY_SIZE, memory);
		push(b, letter);
		break;
	case 1:
		make_small(g, b, letter, 3);
		put_op1(b, WK_OP_MEMORY_GROW, memory);
		take(b, 1);
		push(b, letter);
		break;
	case 2:
		make_small(g, b, letter, 5000);
		make_small(g, b, 'i', 256);
		make_small(g, b, letter, 100);
		put_op1(b, WK_OP_MEMORY_FILL, memory);
		take(b, 3);
		break;
	case 3:
		make_small(g, b, letter, 5000);
		make_small(g, b, other_letter, 5000);
		make_small(g, b, letter == 'I' && other_letter == 'I' ? 'I' : 'i', 100);
		put_op1(b, WK_OP_MEMORY_COPY, memory);
		gen_put_unsigned(b->code, other);
		take(b, 3);
		break;
	case 4:
		make_small(g, b, letter, 5000);
		make_small(g, b, 'i', 16);
		make_small(g, b, 'i', 16);
		put_op1(b, WK_OP_MEMORY_INIT, segment);
		gen_put_unsigned(b->code, memory);
		take(b, 3);
		break;
	default:
		put_op1(b, WK_OP_DATA_DROP, segment);
		break;
	}
}

/* ---- tables and references ---- */

static void table_bulk(struct gen *g, struct gen_body *b, uint32_t table)
{
	uint32_t element = g->tables[table].element;
	uint32_t other = gen_below(g, g->table_count), segment = gen_below(g, g->element_count);
	uint32_t kind = gen_below(g, 4);
	if (kind == 1 && g->tables[other].element != element)
		other = table;
	if (kind == 2 && g->tables[g->elements[segment].table].element != element)
		kind = 3;
	if (kind == 0) {
		make_small(g, b, 'i', 8);
		make_value(g, b, element, 1);
		make_small(g, b, 'i', 4);
		put_op1(b, WK_OP_TABLE_FILL, table);
		take(b, 3);
	} else if (kind == 3) {
		put_op1(b, WK_OP_ELEM_DROP, segment);
	} else {
		make_small(g, b, 'i', 8);
		make_small(g, b, 'i', 8);
		make_small(g, b, 'i', 4);
		put_op1(b, kind == 1 ? WK_OP_TABLE_COPY : WK_OP_TABLE_INIT, kind == 1 ? table : segment);
		gen_put_unsigned(b->code, kind == 1 ? other : table);
		take(b, 3);
	}
}

static void table_op(struct gen *g, struct gen_body *b)
{
	uint32_t table = gen_below(g, g->table_count);
	uint32_t element = g->tables[table].element;
	switch (gen_below(g, 5)) {
	case 0:
		put_op1(b, WK_OP_TABLE_SIZE, table);
		push(b, 'i');
		break;
	case 1:
		make_small(g, b, 'i', 12);
		put_op1(b, WK_OP_TABLE_GET, table);
		take(b, 1);
		push(b, element);
		break;
	case 2:
		make_small(g, b, 'i', 12);
		make_value(g, b, element, 1);
		put_op1(b, WK_OP_TABLE_SET, table);
		take(b, 2);
		break;
	case 3:
		need_one(g, b, element);
		make_small(g, b, 'i', 4);
		put_op1(b, WK_OP_TABLE_GROW, table);
		take(b, 2);
		push(b, 'i');
		break;
	default:
		table_bulk(g, b, table);
		break;
	}
}

static void is_null(struct gen *g, struct gen_body *b)
{
	uint32_t letter = (uint32_t)"rxe"[gen_below(g, g->options.exceptions ? 3 : 2)];
	need_one(g, b, letter);
	put_op(b, WK_OP_REF_IS_NULL);
	take(b, 1);
	push(b, 'i');
}

/* ---- calls ---- */

/* A function with the results of the one being made, for tail calls; -1: none. */
static int find_tail(struct gen *g, struct gen_body *b)
{
	const struct gen_letters *results = &b->frames[0].results;
	uint32_t from = gen_below(g, g->func_count);
	for (uint32_t i = 0; i < g->func_count; i++) {
		uint32_t at = (from + i) % g->func_count;
		const struct gen_letters *other = &g->types[g->funcs[at]].results;
		if (other->count == results->count && memcmp(other->at, results->at, results->count) == 0)
			return (int)at;
	}
	return -1;
}

/* The index operand of an indirect call to something of `type`: mostly one that is in table 0 at the start. */
static void make_index(struct gen *g, struct gen_body *b, uint32_t type)
{
	uint32_t count = g->elements[0].count;
	if (count > 0 && gen_chance(g, 75)) {
		uint32_t from = gen_below(g, count);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t at = (from + i) % count;
			if (g->funcs[g->elements[0].items[at]] != type)
				continue;
			put_i32(b, (int32_t)(g->elements[0].offset + at));
			push(b, 'i');
			return;
		}
	}
	make_small(g, b, 'i', 8);
}

static void call(struct gen *g, struct gen_body *b)
{
	bool tail = g->options.tail_calls && gen_chance(g, 20);
	uint32_t way = gen_below(g, g->options.typed_references ? 3 : 2);
	int function = tail ? find_tail(g, b) : (int)gen_below(g, g->func_count);
	if (function < 0)
		return;
	uint32_t type = g->funcs[function];
	need(g, b, &g->types[type].params);
	if (way == 0) {
		put_op1(b, tail ? WK_OP_RETURN_CALL : WK_OP_CALL, (uint32_t)function);
	} else if (way == 1) {
		make_index(g, b, type);
		take(b, 1);
		put_op1(b, tail ? WK_OP_RETURN_CALL_INDIRECT : WK_OP_CALL_INDIRECT, type);
		gen_put_unsigned(b->code, 0);
	} else {
		bool null = gen_chance(g, 5);
		put_op1(b, null ? WK_OP_REF_NULL : WK_OP_REF_FUNC, null ? type : (uint32_t)function);
		put_op1(b, tail ? WK_OP_RETURN_CALL_REF : WK_OP_CALL_REF, type);
	}
	if (tail) {
		stop_here(b);
		return;
	}
	take(b, g->types[type].params.count);
	push_all(b, &g->types[type].results);
}

/* ---- writing values away ---- */

/* Takes the top of the stack off, keeping its value where that is possible. */
static void consume(struct gen *g, struct gen_body *b)
{
	if ((b->stack[b->height - 1] & GEN_TAINT) && gen_chance(g, 80))
		launder(b);
	uint32_t letter = b->stack[b->height - 1];
	int local = find_local(g, b, letter, true);
	int global = gen_chance(g, 40) ? find_global(g, letter, true) : -1;
	if (global >= 0)
		put_op1(b, WK_OP_GLOBAL_SET, (uint32_t)global);
	else if (local >= 0 && gen_chance(g, 80))
		put_op1(b, WK_OP_LOCAL_SET, (uint32_t)local);
	else
		put_op(b, WK_OP_DROP);
	b->height--;
}

static void local_write(struct gen *g, struct gen_body *b)
{
	uint32_t letter = gen_letter(g);
	if (available(b) > 0 && gen_chance(g, 60))
		letter = b->stack[b->height - 1] & 0x7f;
	int local = find_local(g, b, letter, true);
	int global = gen_chance(g, 25) ? find_global(g, letter, true) : -1;
	if (local < 0 && global < 0)
		return;
	need_one(g, b, letter);
	bool tee = global < 0 && gen_chance(g, 40);
	put_op1(b, global >= 0 ? WK_OP_GLOBAL_SET : tee ? WK_OP_LOCAL_TEE : WK_OP_LOCAL_SET,
		(uint32_t)(global >= 0 ? global : local));
	take(b, 1);
	if (tee)
		push(b, letter);
}

static void select_one(struct gen *g, struct gen_body *b)
{
	uint32_t letter = gen_letter(g);
	if (available(b) > 0 && gen_chance(g, 60))
		letter = b->stack[b->height - 1] & 0x7f;
	need(g, b, &(struct gen_letters){ 3, { (uint8_t)letter, (uint8_t)letter, 'i' } });
	if (letter == 'r' || letter == 'x' || letter == 'e' || gen_chance(g, 25)) {
		put_op1(b, WK_OP_SELECT_T, 1);
		gen_put(b->code, gen_type_code(letter));
	} else {
		put_op(b, WK_OP_SELECT);
	}
	take(b, 3);
	push(b, letter);
}

/* ---- branches ---- */

static uint32_t choose_label(struct gen *g, struct gen_body *b)
{
	uint32_t from = gen_below(g, (uint32_t)b->depth);
	for (uint32_t i = 0; i < b->depth; i++) {
		uint32_t label = (from + i) % (uint32_t)b->depth;
		if (!frame_at(b, label)->hidden)
			return label;
	}
	return (uint32_t)b->depth - 1;
}

static void branch_table(struct gen *g, struct gen_body *b, uint32_t label)
{
	struct gen_letters operands = frame_at(b, label)->label;
	const struct gen_letters *wanted = &frame_at(b, label)->label;
	operands.at[operands.count++] = 'i';
	need(g, b, &operands);
	if (gen_chance(g, 60))
		mask_top(b, 'i', 7);
	put_op(b, WK_OP_BR_TABLE);
	uint32_t count = gen_below(g, 6);
	gen_put_unsigned(b->code, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = choose_label(g, b);
		const struct gen_letters *has = &frame_at(b, other)->label;
		bool same = has->count == wanted->count && memcmp(has->at, wanted->at, has->count) == 0;
		gen_put_unsigned(b->code, same ? other : label);
	}
	gen_put_unsigned(b->code, label);
	stop_here(b);
}

static void branch(struct gen *g, struct gen_body *b)
{
	uint32_t label = choose_label(g, b);
	struct gen_letters operands = frame_at(b, label)->label;
	uint32_t kind = gen_below(g, 10);
	if (kind == 7) {
		branch_table(g, b, label);
	} else if (kind == 8) {
		need(g, b, &operands);
		put_op1(b, WK_OP_BR, label);
		stop_here(b);
	} else if (kind == 9) {
		need(g, b, &b->frames[0].results);
		put_op(b, WK_OP_RETURN);
		stop_here(b);
	} else {
		operands.at[operands.count++] = 'i';
		need(g, b, &operands);
		put_op1(b, WK_OP_BR_IF, label);
		take(b, operands.count);
		operands.count--;
		push_all(b, &operands);
	}
}

/* br_on_null, br_on_non_null and ref.as_non_null; what they leave is used as a funcref. */
static void branch_on_null(struct gen *g, struct gen_body *b)
{
	uint32_t label = choose_label(g, b), kind = gen_below(g, 3);
	struct gen_letters operands = frame_at(b, label)->label;
	bool null = gen_chance(g, 40);
	uint32_t function = gen_below(g, g->func_count);
	if (kind == 1 && (operands.count == 0 || operands.at[operands.count - 1] != 'r'))
		kind = 0;
	if (kind == 2) {
		need_one(g, b, 'r');
		put_op(b, WK_OP_REF_AS_NON_NULL);
		take(b, 1);
		push(b, 'r');
		return;
	}
	operands.count -= kind == 1;
	need(g, b, &operands);
	put_op1(b, null ? WK_OP_REF_NULL : WK_OP_REF_FUNC, null ? g->funcs[function] : function);
	put_op1(b, kind == 0 ? WK_OP_BR_ON_NULL : WK_OP_BR_ON_NON_NULL, label);
	take(b, operands.count);
	push_all(b, &operands);
	if (kind == 0)
		push(b, 'r');
}

/* ---- blocks ---- */

static void instruction(struct gen *g, struct gen_body *b);

static void instructions(struct gen *g, struct gen_body *b, uint32_t most)
{
	for (uint32_t i = gen_below(g, most); i > 0 && b->steps > 0 && !gen_exhausted(g); i--) {
		if (top_frame(b)->unreachable && gen_chance(g, 50))
			break;
		instruction(g, b);
	}
}

/* Makes the stack of the innermost frame exactly its results. */
static void fit(struct gen *g, struct gen_body *b)
{
	const struct gen_frame *frame = top_frame(b);
	for (;;) {
		size_t count = available(b), same = 0;
		while (same < count && same < frame->results.count
			&& b->stack[frame->height + same] == frame->results.at[same])
			same++;
		if (same < count) {
			uint32_t top = b->stack[b->height - 1];
			if (same == count - 1 && same < frame->results.count
				&& top == (frame->results.at[same] | (uint32_t)GEN_TAINT))
				launder(b);
			else
				consume(g, b);
			continue;
		}
		if (frame->unreachable && count == 0 && gen_chance(g, 70))
			return;
		if (count == frame->results.count)
			return;
		make_value(g, b, frame->results.at[count], 0);
	}
}

/* Opens a frame whose parameters are on top of the stack. */
static void enter(struct gen_body *b, const struct gen_letters *params, const struct gen_letters *label,
	const struct gen_letters *results)
{
	take(b, params->count);
	struct gen_frame *frame = &b->frames[b->depth++];
	*frame = (struct gen_frame){ .label = *label, .results = *results, .height = b->height };
	push_all(b, params);
}

/* Closes the innermost frame and leaves its results on the stack. */
static void leave(struct gen *g, struct gen_body *b)
{
	fit(g, b);
	put_op(b, WK_OP_END);
	struct gen_letters results = top_frame(b)->results;
	b->height = top_frame(b)->height;
	b->depth--;
	push_all(b, &results);
}

static void put_block_type(struct gen *g, struct gen_body *b, const struct gen_letters *params,
	const struct gen_letters *results)
{
	if (params->count == 0 && results->count == 0)
		gen_put(b->code, 0x40);
	else if (params->count == 0 && results->count == 1)
		gen_put(b->code, gen_type_code(results->at[0]));
	else
		gen_put_signed(b->code, gen_type_of(g, params, results));
}

/* The type of a new block: often what lies on the stack goes in. */
static void choose_block(struct gen *g, struct gen_body *b, struct gen_letters *params, struct gen_letters *results)
{
	*params = *results = (struct gen_letters){ 0 };
	uint32_t kind = gen_below(g, 4);
	if (kind >= 2) {
		size_t count = available(b) < 3 ? available(b) : gen_below(g, 4);
		for (size_t i = 0; i < count; i++)
			params->at[params->count++] = b->stack[b->height - count + i] & 0x7f;
		for (uint32_t i = gen_below(g, 3); i > 0; i--)
			results->at[results->count++] = (uint8_t)gen_letter(g);
	} else if (kind == 1) {
		results->at[results->count++] = (uint8_t)gen_letter(g);
	}
	if (kind == 3)
		*results = *params;
	if (gen_type_of(g, params, results) == GEN_TYPES)
		*params = *results = (struct gen_letters){ 0 };
}

/* Takes one of the fuel, and traps when there is none. */
static void put_fuel(struct gen *g, struct gen_body *b)
{
	put_op1(b, WK_OP_GLOBAL_GET, g->fuel);
	put_op(b, WK_OP_I32_EQZ);
	put_op1(b, WK_OP_IF, 0x40);
	put_op(b, WK_OP_UNREACHABLE);
	put_op(b, WK_OP_END);
	put_op1(b, WK_OP_GLOBAL_GET, g->fuel);
	put_i32(b, 1);
	put_op(b, WK_OP_I32_SUB);
	put_op1(b, WK_OP_GLOBAL_SET, g->fuel);
}

static void if_else(struct gen *g, struct gen_body *b)
{
	struct gen_letters params, results;
	choose_block(g, b, &params, &results);
	struct gen_letters operands = params;
	operands.at[operands.count++] = 'i';
	need(g, b, &operands);
	take(b, 1);
	put_op(b, WK_OP_IF);
	put_block_type(g, b, &params, &results);
	enter(b, &params, &results, &results);
	instructions(g, b, 10);
	bool same = params.count == results.count && memcmp(params.at, results.at, params.count) == 0;
	if (!same || gen_chance(g, 60)) {
		fit(g, b);
		put_op(b, WK_OP_ELSE);
		b->height = top_frame(b)->height;
		top_frame(b)->unreachable = false;
		push_all(b, &params);
		instructions(g, b, 10);
	}
	leave(g, b);
}

/* for (counter = n; --counter != 0;): no fuel, its label is hidden. */
static void counting_loop(struct gen *g, struct gen_body *b)
{
	const struct gen_letters none = { 0 };
	if (b->counters_used == GEN_COUNTERS)
		return;
	uint32_t counter = b->counters + b->counters_used++;
	put_i32(b, (int32_t)(1 + gen_below(g, 5)));
	put_op1(b, WK_OP_LOCAL_SET, counter);
	put_op1(b, WK_OP_LOOP, 0x40);
	enter(b, &none, &none, &none);
	top_frame(b)->hidden = true;
	instructions(g, b, 10);
	while (available(b) > 0)
		consume(g, b);
	put_op1(b, WK_OP_LOCAL_GET, counter);
	put_i32(b, 1);
	put_op(b, WK_OP_I32_SUB);
	put_op1(b, WK_OP_LOCAL_TEE, counter);
	put_op1(b, WK_OP_BR_IF, 0);
	leave(g, b);
	b->counters_used--;
}

static void block(struct gen *g, struct gen_body *b)
{
	uint32_t kind = gen_below(g, 4);
	if (b->depth + 1 >= GEN_FRAMES)
		return;
	if (kind == 0) {
		if_else(g, b);
		return;
	}
	if (kind == 1) {
		counting_loop(g, b);
		return;
	}
	struct gen_letters params, results;
	choose_block(g, b, &params, &results);
	need(g, b, &params);
	put_op(b, kind == 2 ? WK_OP_BLOCK : WK_OP_LOOP);
	put_block_type(g, b, &params, &results);
	enter(b, &params, kind == 2 ? &results : &params, &results);
	if (kind == 3)
		put_fuel(g, b);
	instructions(g, b, 12);
	leave(g, b);
}

/* ---- exceptions ---- */

/* block (what the clause delivers) try_table (catch ... 0) ... end ... end */
static void try_catch(struct gen *g, struct gen_body *b)
{
	const struct gen_letters none = { 0 };
	uint32_t kind = gen_below(g, 4), tag = g->tag_count > 0 ? gen_below(g, g->tag_count) : 0;
	if (b->depth + 2 >= GEN_FRAMES)
		return;
	if (g->tag_count == 0)
		kind |= 2;
	struct gen_letters caught = { 0 };
	if (kind < 2)
		caught = g->types[g->tags[tag]].params;
	if (kind & 1)
		caught.at[caught.count++] = 'e';
	if (gen_type_of(g, &none, &caught) == GEN_TYPES)
		return;
	put_op(b, WK_OP_BLOCK);
	put_block_type(g, b, &none, &caught);
	enter(b, &none, &caught, &caught);
	put_op1(b, WK_OP_TRY_TABLE, 0x40);
	gen_put_unsigned(b->code, 1);
	gen_put(b->code, kind);
	if (kind < 2)
		gen_put_unsigned(b->code, tag);
	gen_put_unsigned(b->code, 0);
	enter(b, &none, &none, &none);
	instructions(g, b, 12);
	leave(g, b);
	instructions(g, b, 4);
	leave(g, b);
}

static void exception(struct gen *g, struct gen_body *b)
{
	uint32_t kind = gen_below(g, 5);
	if (kind < 3) {
		try_catch(g, b);
	} else if (kind == 3 && g->tag_count > 0) {
		uint32_t tag = gen_below(g, g->tag_count);
		need(g, b, &g->types[g->tags[tag]].params);
		put_op1(b, WK_OP_THROW, tag);
		stop_here(b);
	} else if (kind == 4) {
		need_one(g, b, 'e');
		put_op(b, WK_OP_THROW_REF);
		stop_here(b);
	}
}

/* ---- what compilers write: shapes that a translator fuses ---- */

static const struct gen_row *binary_row(struct gen *g, uint32_t letter)
{
	const struct gen_rows *rows = &g->making[gen_making(letter)];
	uint32_t from = gen_below(g, rows->count);
	for (uint32_t i = 0; i < rows->count; i++) {
		const struct gen_row *row = rows->at[(from + i) % rows->count];
		if (row->signature[0] == (char)letter && row->signature[1] == (char)letter
			&& row->signature[2] == ':')
			return row;
	}
	return NULL;
}

static bool get_local(struct gen *g, struct gen_body *b, uint32_t letter)
{
	int local = find_local(g, b, letter, false);
	if (local < 0)
		return false;
	put_op1(b, WK_OP_LOCAL_GET, (uint32_t)local);
	push(b, letter);
	return true;
}

static void set_local(struct gen *g, struct gen_body *b)
{
	if (b->stack[b->height - 1] & GEN_TAINT)
		launder(b);
	int local = find_local(g, b, b->stack[b->height - 1], true);
	if (local >= 0) {
		put_op1(b, WK_OP_LOCAL_SET, (uint32_t)local);
		b->height--;
	}
}

/* local = local op (local or constant), n times. */
static void arithmetic(struct gen *g, struct gen_body *b)
{
	uint32_t letter = (uint32_t)"iIfF"[gen_below(g, 4)];
	for (uint32_t i = 1 + gen_below(g, 4); i > 0; i--) {
		const struct gen_row *row = binary_row(g, letter);
		if (row == NULL || !get_local(g, b, letter))
			return;
		if (gen_chance(g, 50) || !get_local(g, b, letter)) {
			gen_constant(g, b->code, letter);
			push(b, letter);
		}
		put_row(g, b, row);
		set_local(g, b);
	}
}

/* Compares and branches, or writes the outcome away. */
static void compare(struct gen *g, struct gen_body *b)
{
	uint32_t letter = (uint32_t)"iIfF"[gen_below(g, 4)];
	uint32_t first = letter == 'i' ? WK_OP_I32_EQ : letter == 'I' ? WK_OP_I64_EQ
		: letter == 'f' ? WK_OP_F32_EQ : WK_OP_F64_EQ;
	uint32_t count = letter == 'i' || letter == 'I' ? 10 : 6;
	if (!get_local(g, b, letter))
		return;
	if (gen_chance(g, 50) || !get_local(g, b, letter)) {
		gen_constant(g, b->code, letter);
		push(b, letter);
	}
	put_op(b, first + gen_below(g, count));
	take(b, 2);
	push(b, 'i');
	if (gen_chance(g, 20))
		put_op(b, WK_OP_I32_EQZ);
	uint32_t label = choose_label(g, b);
	if (gen_chance(g, 60) && frame_at(b, label)->label.count == 0) {
		put_op1(b, WK_OP_BR_IF, label);
		take(b, 1);
	} else {
		set_local(g, b);
	}
}

/* Leaves the old value of a local on the stack and overwrites the local. */
static void overtake(struct gen *g, struct gen_body *b)
{
	uint32_t letter = (uint32_t)"iIfF"[gen_below(g, 4)];
	int local = find_local(g, b, letter, true);
	if (local < 0)
		return;
	put_op1(b, WK_OP_LOCAL_GET, (uint32_t)local);
	push(b, letter);
	make_value(g, b, letter, 0);
	put_op1(b, WK_OP_LOCAL_SET, (uint32_t)local);
	b->height--;
}

/* ---- one instruction, or one such shape ---- */

static void instruction(struct gen *g, struct gen_body *b)
{
	uint32_t kind = gen_below(g, 128);
	b->steps--;
	if (b->height > GEN_STACK - 60) {
		if (available(b) > 0)
			consume(g, b);
		return;
	}
	if (kind < 28)
		plain(g, b, &g->numeric);
	else if (kind < 40)
		plain(g, b, g->options.simd ? &g->vector : &g->numeric);
	else if (kind < 50)
		local_write(g, b);
	else if (kind < 58)
		make_value(g, b, gen_letter(g), 0);
	else if (kind < 66)
		access(g, b, &g->loads);
	else if (kind < 74)
		access(g, b, &g->stores);
	else if (kind < 86)
		block(g, b);
	else if (kind < 92)
		branch(g, b);
	else if (kind < 98)
		call(g, b);
	else if (kind < 101)
		select_one(g, b);
	else if (kind < 104)
		memory_bulk(g, b);
	else if (kind < 107)
		table_op(g, b);
	else if (kind < 108)
		is_null(g, b);
	else if (kind < 112 && g->options.exceptions)
		exception(g, b);
	else if (kind < 114 && g->options.typed_references)
		branch_on_null(g, b);
	else if (kind < 120)
		arithmetic(g, b);
	else if (kind < 124)
		compare(g, b);
	else if (kind < 126)
		overtake(g, b);
	else if (available(b) > 0)
		consume(g, b);
	else if (gen_chance(g, 10)) {
		put_op(b, WK_OP_UNREACHABLE);
		stop_here(b);
	}
}

/* ---- the function ---- */

static void choose_locals(struct gen *g, struct gen_body *b, const struct gen_letters *params)
{
	for (uint32_t i = 0; i < params->count; i++)
		b->locals[b->local_count++] = params->at[i];
	for (uint32_t i = gen_below(g, 14); i > 0; i--)
		b->locals[b->local_count++] = (uint8_t)gen_letter(g);
	b->counters = b->local_count;
	for (uint32_t i = 0; i < GEN_COUNTERS; i++)
		b->locals[b->local_count++] = 'i';
	for (uint32_t i = 0; i < 3; i++) {
		b->scratch[i] = b->local_count;
		b->locals[b->local_count++] = (uint8_t)(i == 2 && !g->options.simd ? 'i' : "fFV"[i]);
	}
}

void gen_body(struct gen *g, uint32_t function, struct gen_buffer *code)
{
	const struct gen_type type = g->types[g->funcs[function]];
	struct gen_body *b = calloc(1, sizeof *b);
	struct gen_buffer buffer = { .data = malloc(code->capacity), .capacity = code->capacity };
	if (b == NULL || buffer.data == NULL) {
		code->overflow = true;
	} else {
		b->code = &buffer;
		b->function = function;
		b->steps = 4 + (int)gen_below(g, 60);
		choose_locals(g, b, &type.params);
		gen_put_unsigned(&buffer, b->local_count - type.params.count);
		for (uint32_t i = type.params.count; i < b->local_count; i++) {
			gen_put(&buffer, 1);
			gen_put(&buffer, gen_type_code(b->locals[i]));
		}
		b->depth = 0;
		struct gen_frame *frame = &b->frames[b->depth++];
		*frame = (struct gen_frame){ .label = type.results, .results = type.results };
		put_fuel(g, b);
		instructions(g, b, 60);
		fit(g, b);
		put_op(b, WK_OP_END);
		gen_put_unsigned(code, buffer.size);
		gen_put_bytes(code, buffer.data, buffer.size);
		code->overflow |= buffer.overflow;
	}
	free(buffer.data);
	free(b);
}
