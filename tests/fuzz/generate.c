/* SPDX-License-Identifier: Apache-2.0
 *
 * The generator's outer half: it decides what a module has (types, functions, memories, tables, segments), has the
 * bodies made by generate_body.c, and writes the sections.
 *
 * What always holds: any input gives a valid module or, when the room does not suffice, none. Nothing here is random:
 * the same input and options give the same bytes.
 */
#include "generate_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- output ---- */

void gen_put_unsigned(struct gen_buffer *b, uint64_t value)
{
	do {
		gen_put(b, (uint32_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value != 0);
}

void gen_put_signed(struct gen_buffer *b, int64_t value)
{
	bool more = true;
	while (more) {
		uint32_t byte = (uint32_t)((uint64_t)value & 0x7f);
		value >>= 7;
		more = !((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)));
		gen_put(b, byte | (more ? 0x80 : 0));
	}
}

void gen_put_bytes(struct gen_buffer *b, const void *bytes, size_t size)
{
	if (size > b->capacity - b->size) {
		b->overflow = true;
		return;
	}
	memcpy(b->data + b->size, bytes, size);
	b->size += size;
}

static void put_text(struct gen_buffer *b, const char *text)
{
	gen_put_unsigned(b, strlen(text));
	gen_put_bytes(b, text, strlen(text));
}

uint32_t gen_type_code(uint32_t letter)
{
	switch (letter) {
	case 'i': return 0x7f;
	case 'I': return 0x7e;
	case 'f': return 0x7d;
	case 'F': return 0x7c;
	case 'V': return 0x7b;
	case 'r': return 0x70;
	case 'x': return 0x6f;
	default: return 0x69;
	}
}

uint32_t gen_making(uint32_t letter)
{
	const char *at = strchr("iIfFV", (int)letter);
	return at != NULL ? (uint32_t)(at - "iIfFV") : 7;
}

uint32_t gen_letter(struct gen *g)
{
	return g->letters[gen_below(g, g->letter_count)];
}

static uint64_t random64(struct gen *g)
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | gen_byte(g);
	return value;
}

static uint64_t interesting(struct gen *g)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 7, 8, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000,
		0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff };
	uint32_t kind = gen_below(g, 4);
	if (kind == 0)
		return gen_below(g, 16);
	if (kind == 1)
		return values[gen_below(g, sizeof values / sizeof values[0])];
	return kind == 2 ? (uint64_t)(int64_t)(int8_t)gen_byte(g) : random64(g);
}

static const uint64_t doubles[] = { 0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x4000000000000000,
	0x3fe0000000000000, 0xbfe0000000000000, 0x4004000000000000, 0x7ff0000000000000, 0xfff0000000000000,
	0x7ff8000000000000, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x41dfffffffc00000,
	0x41e0000000000000, 0xc1e0000000000000, 0x41efffffffe00000, 0x43e0000000000000, 0xc3e0000000000000,
	0x43f0000000000000, 0x36a0000000000000, 0x47efffffe0000000, 0x3fb999999999999a };
static const uint32_t floats[] = { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x3f000000, 0xbf000000,
	0x40200000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4effffff, 0x4f000000,
	0xcf000000, 0x4f7fffff, 0x5f000000, 0xdf000000, 0x5f800000, 0x3dcccccd };

static uint64_t float_bits(struct gen *g, uint32_t letter)
{
	if (gen_chance(g, 15))
		return letter == 'F' ? random64(g) : random64(g) >> 32;
	return letter == 'F' ? doubles[gen_below(g, sizeof doubles / sizeof doubles[0])]
		: floats[gen_below(g, sizeof floats / sizeof floats[0])];
}

void gen_constant(struct gen *g, struct gen_buffer *b, uint32_t letter)
{
	uint64_t bits;
	switch (letter) {
	case 'i':
		gen_put(b, WK_OP_I32_CONST);
		gen_put_signed(b, (int32_t)(uint32_t)interesting(g));
		break;
	case 'I':
		gen_put(b, WK_OP_I64_CONST);
		gen_put_signed(b, (int64_t)interesting(g));
		break;
	case 'f':
	case 'F':
		bits = float_bits(g, letter);
		gen_put(b, letter == 'f' ? WK_OP_F32_CONST : WK_OP_F64_CONST);
		gen_put_bytes(b, &bits, letter == 'f' ? 4 : 8);
		break;
	case 'V':
		gen_put(b, 0xfd);
		gen_put_unsigned(b, WK_OP_V128_CONST & 0xfff);
		for (int i = 0; i < 2; i++) {
			bits = gen_chance(g, 50) ? float_bits(g, 'F') : interesting(g);
			gen_put_bytes(b, &bits, 8);
		}
		break;
	default:
		gen_put(b, 0xd0); /* ref.null */
		gen_put(b, gen_type_code(letter));
		break;
	}
}

/* ---- what the module has ---- */

static bool same_letters(const struct gen_letters *a, const struct gen_letters *b)
{
	return a->count == b->count && memcmp(a->at, b->at, a->count) == 0;
}

uint32_t gen_type_of(struct gen *g, const struct gen_letters *params, const struct gen_letters *results)
{
	for (uint32_t i = 0; i < g->type_count; i++)
		if (same_letters(&g->types[i].params, params) && same_letters(&g->types[i].results, results))
			return i;
	if (g->type_count == GEN_TYPES)
		return GEN_TYPES;
	g->types[g->type_count].params = *params;
	g->types[g->type_count].results = *results;
	return g->type_count++;
}

static const struct gen_row instructions[] = {
#define WK_OP(name, code, text, immediate, signature) { code, WK_IMM_##immediate, signature },
#include "format/opcodes.def"
#undef WK_OP
};

static void sort_rows(struct gen *g)
{
	for (uint32_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
		const struct gen_row *row = &instructions[i];
		const char *s = row->signature;
		if (s[0] == '*' || s[0] == 0)
			continue;
		bool vector = row->code >> 12 == 0xfd;
		if ((vector && !g->options.simd) || (row->code >= 0xfd100 && !g->options.relaxed_simd)
			|| (row->code >= WK_OP_I64_ADD128 && row->code <= WK_OP_I64_MUL_WIDE_U
				&& !g->options.wide_arithmetic))
			continue;
		struct gen_rows *rows = vector ? &g->vector : &g->numeric;
		bool memory = row->immediate >= WK_IMM_MEMORY_8 && row->immediate <= WK_IMM_LANE_MEMORY_64;
		if (memory)
			rows = s[strlen(s) - 1] == ':' ? &g->stores : &g->loads;
		else if (row->immediate != WK_IMM_NONE && row->immediate != WK_IMM_SHUFFLE
			&& !(row->immediate >= WK_IMM_LANE_2 && row->immediate <= WK_IMM_LANE_16))
			continue;
		if (rows->count < GEN_ROWS)
			rows->at[rows->count++] = row;
		const char *result = strchr(s, ':') + 1;
		struct gen_rows *making = &g->making[gen_making((uint32_t)result[0])];
		if (!memory && strlen(result) == 1 && making->count < GEN_ROWS)
			making->at[making->count++] = row;
	}
}

static void choose_letters(struct gen *g)
{
	static const char always[] = "iIfFiI";
	for (const char *p = always; *p != 0; p++)
		g->letters[g->letter_count++] = (uint8_t)*p;
	if (g->options.simd)
		g->letters[g->letter_count++] = 'V';
	g->letters[g->letter_count++] = 'r';
	g->letters[g->letter_count++] = 'x';
	if (g->options.exceptions)
		g->letters[g->letter_count++] = 'e';
}

/* A function's type; `host`: of numbers only, and one result at most where that is asked for. */
static uint32_t choose_type(struct gen *g, bool host, uint32_t most_results)
{
	struct gen_letters params = { 0 }, results = { 0 };
	uint32_t count = gen_below(g, 5);
	for (uint32_t i = 0; i < count; i++)
		params.at[params.count++] = (uint8_t)(host ? (uint32_t)"iIfF"[gen_below(g, 4)] : gen_letter(g));
	count = gen_below(g, most_results + 1);
	for (uint32_t i = 0; i < count; i++)
		results.at[results.count++] = (uint8_t)(host ? (uint32_t)"iIfF"[gen_below(g, 4)] : gen_letter(g));
	return gen_type_of(g, &params, &results);
}

static void choose_functions(struct gen *g)
{
	g->imported_funcs = gen_below(g, 4);
	for (uint32_t i = 0; i < g->imported_funcs; i++)
		g->funcs[g->func_count++] = (uint8_t)choose_type(g, true, 1);
	uint32_t own = 1 + gen_below(g, 6);
	for (uint32_t i = 0; i < own; i++) {
		/* Those that the host cannot call are called by the others. */
		bool host = i == 0 || (g->options.script ? gen_chance(g, 70) : gen_chance(g, 40));
		g->funcs[g->func_count++] = (uint8_t)choose_type(g, host, 3);
	}
	g->start = -1;
	const struct gen_letters none = { 0 };
	if (gen_chance(g, 10)) {
		g->start = (int)g->func_count;
		g->funcs[g->func_count++] = (uint8_t)gen_type_of(g, &none, &none);
	}
}

static void choose_globals(struct gen *g)
{
	g->imported_globals = gen_below(g, 3);
	for (uint32_t i = 0; i < g->imported_globals; i++) {
		g->globals[i].type = (uint8_t)"iIfF"[gen_below(g, 4)];
		g->globals[i].imported = true;
	}
	g->global_count = g->imported_globals;
	uint32_t own = gen_below(g, 7);
	for (uint32_t i = 0; i < own; i++) {
		g->globals[g->global_count].type = (uint8_t)gen_letter(g);
		g->globals[g->global_count++].mutable_ = gen_chance(g, 85);
	}
	g->fuel = g->global_count;
}

static void choose_stores(struct gen *g)
{
	g->memory_count = gen_chance(g, 90) ? 1 : 0;
	if (g->options.multi_memory && g->memory_count == 1 && gen_chance(g, 40))
		g->memory_count += 1 + gen_below(g, GEN_MEMORIES - 1);
	for (uint32_t i = 0; i < g->memory_count; i++) {
		g->memories[i].is64 = g->options.memory64 && gen_chance(g, 30);
		g->memories[i].imported = i == 0 && !g->memories[i].is64 && gen_chance(g, 20);
		g->memories[i].minimum = 1;
		g->memories[i].maximum = g->memories[i].imported ? 4 : (uint8_t)(1 + gen_below(g, 4));
	}
	g->table_count = 1 + gen_below(g, GEN_TABLES);
	for (uint32_t i = 0; i < g->table_count; i++) {
		g->tables[i].element = i == 0 ? 'r' : (uint8_t)"rx"[gen_below(g, 2)];
		g->tables[i].size = (uint8_t)gen_below(g, GEN_ITEMS);
		g->tables[i].maximum = (uint8_t)(g->tables[i].size + gen_below(g, 6));
	}
	g->tag_count = g->options.exceptions ? gen_below(g, GEN_TAGS + 1) : 0;
	for (uint32_t i = 0; i < g->tag_count; i++)
		g->tags[i] = (uint8_t)choose_type(g, false, 0);
}

static void choose_segments(struct gen *g)
{
	/* Segment 0 fills table 0, so that indirect calls find something. */
	uint32_t count = 1 + gen_below(g, GEN_SEGMENTS - 2);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t table = i == 0 ? 0 : gen_below(g, g->table_count);
		uint32_t size = g->tables[table].size;
		bool active = g->tables[table].element == 'r' && (i == 0 || gen_chance(g, 40));
		g->elements[i].mode = active ? 0 : 1;
		g->elements[i].table = (uint8_t)table;
		g->elements[i].count = (uint8_t)(i == 0 ? size : gen_below(g, size + 1));
		g->elements[i].offset = active ? (uint8_t)gen_below(g, size - g->elements[i].count + 1) : 0;
		for (uint32_t n = 0; n < g->elements[i].count; n++)
			g->elements[i].items[n] = (uint8_t)gen_below(g, g->func_count);
	}
	g->element_count = count;
	g->data_count = g->memory_count > 0 ? gen_below(g, GEN_SEGMENTS) : 0;
	for (uint32_t i = 0; i < g->data_count; i++) {
		g->datas[i].active = gen_chance(g, 60);
		g->datas[i].memory = (uint8_t)gen_below(g, g->memory_count);
		g->datas[i].size = (uint8_t)gen_below(g, 40);
		g->datas[i].offset = (uint16_t)gen_below(g, 4096);
	}
}

/* ---- the sections ---- */

static void put_section(struct gen_buffer *out, uint32_t id, const struct gen_buffer *contents)
{
	gen_put(out, id);
	gen_put_unsigned(out, contents->size);
	gen_put_bytes(out, contents->data, contents->size);
	out->overflow |= contents->overflow;
}

static void put_letters(struct gen_buffer *b, const struct gen_letters *letters)
{
	gen_put_unsigned(b, letters->count);
	for (uint32_t i = 0; i < letters->count; i++)
		gen_put(b, gen_type_code(letters->at[i]));
}

static void put_types(struct gen *g, struct gen_buffer *b)
{
	gen_put_unsigned(b, g->type_count);
	for (uint32_t i = 0; i < g->type_count; i++) {
		gen_put(b, 0x60);
		put_letters(b, &g->types[i].params);
		put_letters(b, &g->types[i].results);
	}
}

static void put_memory_type(struct gen *g, struct gen_buffer *b, uint32_t memory)
{
	gen_put(b, g->memories[memory].is64 ? 5 : 1);
	gen_put_unsigned(b, g->memories[memory].minimum);
	gen_put_unsigned(b, g->memories[memory].maximum);
}

static void put_function_name(struct gen *g, struct gen_buffer *b, uint32_t function)
{
	const struct gen_type *type = &g->types[g->funcs[function]];
	char name[32] = { 'f', (char)('0' + function), ':' };
	size_t size = 3;
	for (uint32_t i = 0; i < type->params.count; i++)
		name[size++] = (char)type->params.at[i];
	name[size++] = ':';
	for (uint32_t i = 0; i < type->results.count; i++)
		name[size++] = (char)type->results.at[i];
	name[size] = 0;
	put_text(b, name);
}

static void put_imports(struct gen *g, struct gen_buffer *b)
{
	bool memory = g->memory_count > 0 && g->memories[0].imported;
	gen_put_unsigned(b, g->imported_funcs + g->imported_globals + memory);
	for (uint32_t i = 0; i < g->imported_funcs; i++) {
		put_text(b, "env");
		put_function_name(g, b, i);
		gen_put(b, 0);
		gen_put_unsigned(b, g->funcs[i]);
	}
	for (uint32_t i = 0; i < g->imported_globals; i++) {
		const char name[] = { 'g', ':', (char)g->globals[i].type, 0 };
		put_text(b, "env");
		put_text(b, name);
		gen_put(b, 3);
		gen_put(b, gen_type_code(g->globals[i].type));
		gen_put(b, 0);
	}
	if (memory) {
		put_text(b, "env");
		put_text(b, "m");
		gen_put(b, 2);
		put_memory_type(g, b, 0);
	}
}

static void put_declarations(struct gen *g, struct gen_buffer *out, struct gen_buffer *b)
{
	gen_put_unsigned(b, g->func_count - g->imported_funcs);
	for (uint32_t i = g->imported_funcs; i < g->func_count; i++)
		gen_put_unsigned(b, g->funcs[i]);
	put_section(out, 3, b);

	b->size = 0;
	gen_put_unsigned(b, g->table_count);
	for (uint32_t i = 0; i < g->table_count; i++) {
		gen_put(b, gen_type_code(g->tables[i].element));
		gen_put(b, 1);
		gen_put_unsigned(b, g->tables[i].size);
		gen_put_unsigned(b, g->tables[i].maximum);
	}
	put_section(out, 4, b);

	b->size = 0;
	uint32_t imported = g->memory_count > 0 && g->memories[0].imported ? 1 : 0;
	gen_put_unsigned(b, g->memory_count - imported);
	for (uint32_t i = imported; i < g->memory_count; i++)
		put_memory_type(g, b, i);
	put_section(out, 5, b);

	if (g->tag_count == 0)
		return;
	b->size = 0;
	gen_put_unsigned(b, g->tag_count);
	for (uint32_t i = 0; i < g->tag_count; i++) {
		gen_put(b, 0);
		gen_put_unsigned(b, g->tags[i]);
	}
	put_section(out, 13, b);
}

/* A constant expression without its `end`; floats are constants only. */
static void put_initial(struct gen *g, struct gen_buffer *b, uint32_t letter)
{
	if (letter == 'r' && gen_chance(g, 70)) {
		gen_put(b, 0xd2); /* ref.func */
		gen_put_unsigned(b, gen_below(g, g->func_count));
		return;
	}
	for (uint32_t i = 0; i < g->imported_globals; i++) {
		if (g->globals[i].type == letter && gen_chance(g, 40)) {
			gen_put(b, WK_OP_GLOBAL_GET);
			gen_put_unsigned(b, i);
			return;
		}
	}
	gen_constant(g, b, letter);
	if (g->options.extended_const && (letter == 'i' || letter == 'I')) {
		for (int n = 0; n < 3 && gen_chance(g, 30); n++) {
			gen_constant(g, b, letter);
			gen_put(b, (letter == 'i' ? WK_OP_I32_ADD : WK_OP_I64_ADD) + gen_below(g, 3));
		}
	}
}

static void put_globals(struct gen *g, struct gen_buffer *b)
{
	gen_put_unsigned(b, g->global_count - g->imported_globals + 1);
	for (uint32_t i = g->imported_globals; i < g->global_count; i++) {
		gen_put(b, gen_type_code(g->globals[i].type));
		gen_put(b, g->globals[i].mutable_);
		put_initial(g, b, g->globals[i].type);
		gen_put(b, WK_OP_END);
	}
	gen_put(b, 0x7f);
	gen_put(b, 1);
	gen_put(b, WK_OP_I32_CONST);
	gen_put_signed(b, WK_GENERATE_FUEL);
	gen_put(b, WK_OP_END);
}

static bool is_number(uint32_t letter)
{
	return letter == 'i' || letter == 'I' || letter == 'f' || letter == 'F';
}

static bool is_scriptable(const struct gen *g, uint32_t function)
{
	const struct gen_type *type = &g->types[g->funcs[function]];
	for (uint32_t i = 0; i < type->params.count; i++)
		if (!is_number(type->params.at[i]))
			return false;
	for (uint32_t i = 0; i < type->results.count; i++)
		if (!is_number(type->results.at[i]))
			return false;
	return true;
}

static void put_export(struct gen_buffer *b, char letter, uint32_t index, uint32_t kind, uint32_t *count)
{
	char name[4] = { letter, 0 };
	if (index >= 10)
		name[1] = (char)('0' + index / 10);
	name[index >= 10 ? 2 : 1] = (char)('0' + index % 10);
	put_text(b, name);
	gen_put(b, kind);
	gen_put_unsigned(b, index);
	++*count;
}

static void put_exports(struct gen *g, struct gen_buffer *out, struct gen_buffer *b, struct gen_buffer *list)
{
	uint32_t count = 1;
	for (uint32_t i = g->imported_funcs; i < g->func_count; i++)
		if (!g->options.script || is_scriptable(g, i))
			put_export(list, 'f', i, 0, &count);
	for (uint32_t i = 0; i < g->memory_count; i++)
		put_export(list, 'm', i, 2, &count);
	for (uint32_t i = g->imported_globals; i < g->global_count; i++)
		if (!g->options.script || is_number(g->globals[i].type))
			put_export(list, 'g', i, 3, &count);
	put_text(list, "fuel");
	gen_put(list, 3);
	gen_put_unsigned(list, g->fuel);
	gen_put_unsigned(b, count);
	gen_put_bytes(b, list->data, list->size);
	put_section(out, 7, b);
}

/* Active segments as function indices, passive ones as expressions; the last one declares every function. */
static void put_elements(struct gen *g, struct gen_buffer *b)
{
	gen_put_unsigned(b, g->element_count + 1);
	for (uint32_t i = 0; i < g->element_count; i++) {
		uint32_t element = g->tables[g->elements[i].table].element;
		if (g->elements[i].mode == 0) {
			gen_put(b, g->elements[i].table == 0 ? 0 : 2);
			if (g->elements[i].table != 0)
				gen_put_unsigned(b, g->elements[i].table);
			gen_put(b, WK_OP_I32_CONST);
			gen_put_signed(b, g->elements[i].offset);
			gen_put(b, WK_OP_END);
			if (g->elements[i].table != 0)
				gen_put(b, 0);
		} else {
			gen_put(b, 5);
			gen_put(b, gen_type_code(element));
		}
		gen_put_unsigned(b, g->elements[i].count);
		for (uint32_t n = 0; n < g->elements[i].count; n++) {
			if (g->elements[i].mode == 0) {
				gen_put_unsigned(b, g->elements[i].items[n]);
				continue;
			}
			put_initial(g, b, element);
			gen_put(b, WK_OP_END);
		}
	}
	gen_put(b, 3);
	gen_put(b, 0);
	gen_put_unsigned(b, g->func_count);
	for (uint32_t i = 0; i < g->func_count; i++)
		gen_put_unsigned(b, i);
}

static void put_datas(struct gen *g, struct gen_buffer *b)
{
	gen_put_unsigned(b, g->data_count);
	for (uint32_t i = 0; i < g->data_count; i++) {
		uint32_t memory = g->datas[i].memory;
		gen_put(b, !g->datas[i].active ? 1 : memory == 0 ? 0 : 2);
		if (g->datas[i].active) {
			if (memory != 0)
				gen_put_unsigned(b, memory);
			gen_put(b, g->memories[memory].is64 ? WK_OP_I64_CONST : WK_OP_I32_CONST);
			gen_put_signed(b, g->datas[i].offset);
			gen_put(b, WK_OP_END);
		}
		gen_put_unsigned(b, g->datas[i].size);
		for (uint32_t n = 0; n < g->datas[i].size; n++)
			gen_put(b, gen_byte(g));
	}
}

static void put_module(struct gen *g, struct gen_buffer *out, struct gen_buffer *b, struct gen_buffer *code)
{
	static const uint8_t header[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
	/* The bodies first: block types may add function types. */
	gen_put_unsigned(code, g->func_count - g->imported_funcs);
	for (uint32_t i = g->imported_funcs; i < g->func_count; i++)
		gen_body(g, i, code);

	gen_put_bytes(out, header, sizeof header);
	put_types(g, b);
	put_section(out, 1, b);
	b->size = 0;
	put_imports(g, b);
	put_section(out, 2, b);
	b->size = 0;
	put_declarations(g, out, b);
	b->size = 0;
	put_globals(g, b);
	put_section(out, 6, b);

	b->size = 0;
	uint8_t list[1024];
	put_exports(g, out, b, &(struct gen_buffer){ .data = list, .capacity = sizeof list });
	b->size = 0;
	if (g->start >= 0) {
		gen_put_unsigned(b, (uint32_t)g->start);
		put_section(out, 8, b);
		b->size = 0;
	}
	put_elements(g, b);
	put_section(out, 9, b);
	b->size = 0;
	gen_put_unsigned(b, g->data_count);
	put_section(out, 12, b);
	put_section(out, 10, code);
	b->size = 0;
	put_datas(g, b);
	put_section(out, 11, b);
}

size_t wk_generate(const struct wk_generate_options *options, const uint8_t *data, size_t size, uint8_t *module,
	size_t capacity)
{
	struct gen *g = calloc(1, sizeof *g);
	uint8_t *room = malloc(2 * capacity);
	size_t result = 0;
	if (g != NULL && room != NULL) {
		struct gen_buffer out = { .data = module, .capacity = capacity };
		struct gen_buffer section = { .data = room, .capacity = capacity };
		struct gen_buffer code = { .data = room + capacity, .capacity = capacity };
		g->options = *options;
		g->input = data;
		g->input_size = size;
		sort_rows(g);
		choose_letters(g);
		choose_functions(g);
		choose_globals(g);
		choose_stores(g);
		choose_segments(g);
		put_module(g, &out, &section, &code);
		result = out.overflow || section.overflow || code.overflow ? 0 : out.size;
	}
	free(room);
	free(g);
	return result;
}
