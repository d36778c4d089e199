/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the two halves of the generator: generate.c makes the module around the code, generate_body.c the code.
 *
 * A value type is a letter: i I f F V as in opcodes.def, r funcref, x externref, e exnref. On the operand stack of a
 * body a float whose NaN bits may differ between engines is its letter with GEN_TAINT.
 */
#ifndef WK_TESTS_GENERATE_INTERNAL_H
#define WK_TESTS_GENERATE_INTERNAL_H

#include "format/opcodes.h"
#include "generate.h"

#define GEN_TAINT 0x80

enum {
	GEN_ARITY = 6,       /* parameters or results of a type */
	GEN_TYPES = 60,      /* below 64: an index is one byte as s33 too */
	GEN_FUNCS = 24,
	GEN_GLOBALS = 16,
	GEN_TABLES = 2,
	GEN_ITEMS = 12,      /* of a table or an element segment */
	GEN_TAGS = 4,
	GEN_SEGMENTS = 6,
	GEN_MEMORIES = 3,
	GEN_LOCALS = 40,
	GEN_COUNTERS = 4,
	GEN_STACK = 400,
	GEN_FRAMES = 12,
	GEN_ROWS = 300,
};

struct gen_letters { uint8_t count; uint8_t at[GEN_ARITY + 2]; };
struct gen_type { struct gen_letters params, results; };
struct gen_buffer { uint8_t *data; size_t size, capacity; bool overflow; };
/* An instruction of opcodes.def, with its signature as it stands there. */
struct gen_row { uint32_t code; uint8_t immediate; const char *signature; };
struct gen_rows { uint16_t count; const struct gen_row *at[GEN_ROWS]; };

struct gen_frame {
	struct gen_letters label, results;
	size_t height;
	bool unreachable;
	bool hidden;         /* no branch may aim at it: its end counts down a loop */
};

struct gen_body {
	struct gen_buffer *code;
	uint32_t function;
	uint8_t locals[GEN_LOCALS];
	uint32_t local_count;
	uint32_t counters;        /* first of GEN_COUNTERS i32 locals that only counting loops write */
	uint32_t counters_used;
	uint32_t scratch[3];      /* f32, f64, v128 locals for making NaNs canonical */
	uint8_t stack[GEN_STACK];
	size_t height;
	struct gen_frame frames[GEN_FRAMES];
	size_t depth;
	int steps;                /* instructions that may still be begun */
};

struct gen {
	struct wk_generate_options options;
	const uint8_t *input;
	size_t input_size, input_at;

	struct gen_type types[GEN_TYPES];
	uint32_t type_count;
	uint8_t funcs[GEN_FUNCS];         /* type of each */
	uint32_t func_count, imported_funcs;
	struct { uint8_t type; bool mutable_, imported; } globals[GEN_GLOBALS];
	uint32_t global_count, imported_globals, fuel;
	struct { bool is64, imported; uint8_t minimum, maximum; } memories[GEN_MEMORIES];
	uint32_t memory_count;
	struct { uint8_t element, size, maximum; } tables[GEN_TABLES];
	uint32_t table_count;
	uint8_t tags[GEN_TAGS];
	uint32_t tag_count;
	struct { uint8_t mode, table, count, offset; uint8_t items[GEN_ITEMS]; } elements[GEN_SEGMENTS];
	uint32_t element_count;           /* the last one declares all functions */
	struct { bool active; uint8_t memory; uint8_t size; uint16_t offset; } datas[GEN_SEGMENTS];
	uint32_t data_count;
	int start;                        /* function, or -1 */

	uint8_t letters[16];              /* that locals, blocks and inner functions may use */
	uint32_t letter_count;
	struct gen_rows numeric, vector, loads, stores;
	struct gen_rows making[8];        /* rows with just this one result: see gen_making */
};

/* ---- the input: 0 for ever once it is used up, so 0 must always be the choice that ends soonest ---- */

static inline uint32_t gen_byte(struct gen *g)
{
	return g->input_at < g->input_size ? g->input[g->input_at++] : 0;
}

static inline bool gen_exhausted(const struct gen *g)
{
	return g->input_at >= g->input_size;
}

/* 0 to n - 1; n > 0. */
static inline uint32_t gen_below(struct gen *g, uint32_t n)
{
	uint32_t value = gen_byte(g);
	if (n > 256)
		value |= gen_byte(g) << 8;
	return value % n;
}

/* True in `percent` of cases; false once the input is used up. */
static inline bool gen_chance(struct gen *g, uint32_t percent)
{
	return !gen_exhausted(g) && gen_byte(g) * 100 / 256 < percent;
}

/* ---- output ---- */

static inline void gen_put(struct gen_buffer *b, uint32_t byte)
{
	if (b->size < b->capacity)
		b->data[b->size++] = (uint8_t)byte;
	else
		b->overflow = true;
}

void gen_put_unsigned(struct gen_buffer *b, uint64_t value);
void gen_put_signed(struct gen_buffer *b, int64_t value);
void gen_put_bytes(struct gen_buffer *b, const void *bytes, size_t size);
/* The binary code of a letter's type. */
uint32_t gen_type_code(uint32_t letter);

/* The index of a function type, made when it does not exist yet; GEN_TYPES when there is no room. */
uint32_t gen_type_of(struct gen *g, const struct gen_letters *params, const struct gen_letters *results);
/* Which of g->making[] belongs to a letter: 0 to 4, or 7, which is empty. */
uint32_t gen_making(uint32_t letter);
uint32_t gen_letter(struct gen *g);

/* Writes `x.const` of an interesting or a random number, or a null reference. */
void gen_constant(struct gen *g, struct gen_buffer *b, uint32_t letter);

/* Appends one function to the code section: its size, locals and instructions. */
void gen_body(struct gen *g, uint32_t function, struct gen_buffer *code);

#endif
