/* SPDX-License-Identifier: Apache-2.0
 *
 * The translator's state and its lower half (emit.c): entries, the pending instruction, fusion. The upper half walks
 * the WebAssembly instructions: translate.c, with translate_numeric.c and translate_control.c.
 *
 * The operand stack of WebAssembly becomes a list of entries that say where a value is: in a local, a constant, or a
 * temporary. Each entry has a home, the slot that its height on the stack gives it; a temporary is always at home.
 * local.get and constants make no code; their entries are read where they are.
 *
 * One instruction is pending: chosen, but not yet written. Its consumer may still change it: take its result from the
 * accumulator, so that it need not be stored (form d becomes n); send its result straight to a local; turn a comparison
 * and a branch into one. When it is written, it is fused with the instruction before it if fusions.def has the pair.
 */
#ifndef WK_INTERP_TRANSLATE_H
#define WK_INTERP_TRANSLATE_H

#include "base/leb128.h"
#include "interp/code.h"

/* Offsets of the forms inside a family of instructions.def. */
enum { DSS = 0, DAS = 2, DSI = 4, DAI = 6, DSA8 = 8, DSA6 = 4 };
enum { DS = 0, DA2 = 1, DA = 2, DK = 4, DP = 6 };
enum { BR_SS, BR_AS, BR_SI, BR_AI };
enum { ST_SS, ST_SA, ST_AS, ST_SI, ST_AI, ST_KS, ST_KA, ST_KI, ST_PS };
enum { STF_SA, STF_AA, STF_KA };

/* Comparisons in the order of instructions.def; an opposite is its neighbour. */
enum comparison { EQ, NE, LT_S, GE_S, LT_U, GE_U, GT_S, LE_S, GT_U, LE_U };
enum float_comparison { FEQ, FNE, FLT, FGT, FLE, FGE };

/* Types as the translator needs them: the numeric ones by their binary codes, all references alike. */
typedef uint8_t wk_class;
#define CLASS_REF 0x70u

static inline wk_class class_of(wk_valtype type)
{
	return wk_is_ref(type) ? CLASS_REF : (wk_class)type;
}
static inline uint32_t slots_of_class(wk_class c) { return c == WK_TYPE_V128 ? 2 : 1; }
static inline bool is_integer(wk_class c) { return c == WK_TYPE_I32 || c == WK_TYPE_I64 || c == CLASS_REF; }

enum entry_kind { IN_TEMPORARY, IN_LOCAL, IS_CONSTANT };
struct entry {
	uint64_t value;      /* IS_CONSTANT: the slot's bits (i32 sign-extended); IN_LOCAL: the local's index */
	uint16_t home, slot; /* where it is: home, or the local's slot */
	uint8_t kind;
	wk_class type;
};

struct local {
	uint16_t slot;
	uint16_t uses;       /* entries that are this local */
	wk_class type;
};

#define NO_SLOT UINT32_MAX
#define NO_INSTRUCTION UINT32_MAX
#define NO_PLACE UINT32_MAX
#define NO_NUMBER UINT32_MAX
#define MAX_OPERANDS 16

/* A place that branches go to. Their targets are 16-bit distances: enough for all but the largest functions. When one
 * turns out too short the function is translated again, and branches to that label are long ones from the start. */
#define MAX_SHORT 32767u
#define NEARBY 256u        /* units that may be written between choosing a branch and its target field */
#define LAST_ATTEMPT 3u    /* then every branch is long */
struct label {
	uint32_t number;       /* of its block in the function; NO_NUMBER: always near */
	uint32_t at;           /* NO_PLACE: not there yet, and these have to be resolved: */
	uint32_t fixups;       /* the last short branch's target field */
	uint32_t long_fixups;  /* the last long branch's */
};

struct pending {
	uint32_t op;           /* NO_INSTRUCTION: nothing pending */
	uint32_t count;
	uint32_t target;       /* the slot it writes, or NO_SLOT (n forms too) */
	uint32_t acc_before;   /* acc_slot before it */
	bool negated;          /* a float comparison whose opposite is wanted: NaN makes that another thing */
	const uint8_t *from;   /* its WebAssembly instruction */
	wk_unit w[MAX_OPERANDS];
};

enum control_kind { C_FUNCTION, C_BLOCK, C_LOOP, C_IF, C_ELSE, C_TRY };
struct control {
	uint8_t kind;
	bool long_else;        /* if: the branch to its else is a long one */
	uint32_t height;       /* entries below its parameters */
	uint32_t base;         /* home of its first parameter or result */
	wk_valtype single;     /* without a type: its one result, or 0 */
	const struct wk_deftype *type;
	struct label label;    /* a loop's begin, another's end */
	uint32_t catch_fixups; /* the last catch clause that goes to the label, whose target holds the one before */
	uint32_t begin;        /* if: the branch to its else; try: where its range begins */
	uint32_t clauses;      /* try: where its catch clauses are, from the start of the module */
};

#define MAX_CONSTANTS 24

struct translator {
	struct wk_code *code;
	struct wk_module *module;
	struct wk_budget *budget;
	struct wk_scratch *s;
	const uint8_t *at, *end;
	uint32_t function;
	const struct wk_deftype *type;
	bool failed;           /* memory ran out: nothing written counts any more */
	bool too_far;          /* a short branch did not reach: translate again */
	uint32_t attempt;

	wk_unit *out;          /* the function's code; room for `room` units */
	uint32_t count, room;
	struct pending pending;
	uint32_t last_op, last_at; /* the last written instruction and its place; NO_INSTRUCTION behind a label */
	const uint8_t *from;   /* the current WebAssembly instruction */

	uint32_t acc_slot, f32_slot, f64_slot; /* slots whose values the accumulators hold */

	uint32_t entry_count, settled;  /* entries below `settled` are not locals */
	uint32_t control_count, catch_count, local_count;
	uint32_t label_count;           /* blocks so far */
	uint32_t header, base, frame;   /* the frame's header slot; first operand slot; all slots */
	uint32_t entry;                 /* where calls go, in units */
	uint32_t height;                /* home of the next entry */
	uint32_t loop_depth;
	bool unreachable;
	uint64_t constants[MAX_CONSTANTS];
	uint32_t constant_count, constant_room, constant_base;

	uint32_t fuel_at, fuel;         /* where the current region's fuel is to be written; its fuel so far */

	uint32_t watch;                 /* wk_translate_locate: a position, and */
	uint64_t watched;               /* the offset found */
};

/* ---- entries: small and everywhere, hence inline ---- */

/* Where the accumulator of a type notes its slot. */
static inline uint32_t *wk_t_accumulator(struct translator *t, wk_class type)
{
	return type == WK_TYPE_F32 ? &t->f32_slot : type == WK_TYPE_F64 ? &t->f64_slot : &t->acc_slot;
}

static inline struct entry wk_t_pop(struct translator *t)
{
	struct entry entry = t->s->entries[--t->entry_count];
	t->height = entry.home;
	if (t->settled > t->entry_count)
		t->settled = t->entry_count;
	if (entry.kind == IN_LOCAL)
		t->s->locals[entry.value].uses--;
	return entry;
}

static inline void wk_t_push_entry(struct translator *t, struct entry entry)
{
	entry.home = (uint16_t)t->height;
	if (entry.kind == IN_TEMPORARY)
		entry.slot = entry.home;
	if (entry.kind == IN_LOCAL)
		t->s->locals[entry.value].uses++;
	t->height += slots_of_class(entry.type);
	t->s->entries[t->entry_count++] = entry;
}

/* Pushes a temporary and returns its home. */
static inline uint32_t wk_t_push(struct translator *t, wk_class type)
{
	uint32_t home = t->height;
	wk_t_push_entry(t, (struct entry){ .kind = IN_TEMPORARY, .type = type });
	return home;
}

static inline void wk_t_push_local(struct translator *t, uint32_t local)
{
	wk_t_push_entry(t, (struct entry){ .value = local, .slot = t->s->locals[local].slot, .kind = IN_LOCAL,
		.type = t->s->locals[local].type });
}

static inline void wk_t_push_constant(struct translator *t, wk_class type, uint64_t value)
{
	wk_t_push_entry(t, (struct entry){ .value = value, .kind = IS_CONSTANT, .type = type });
}

/* True when the accumulator of the entry's type holds it. */
static inline bool wk_t_in_accumulator(const struct translator *t, struct entry entry)
{
	if (entry.kind == IS_CONSTANT || entry.type == WK_TYPE_V128)
		return false;
	return *wk_t_accumulator((struct translator *)t, entry.type) == entry.slot;
}

/* Makes every local among the entries a temporary at home (constants stay). */
void wk_t_settle(struct translator *t);
/* Makes the top `count` entries temporaries at home. */
void wk_t_bring_home_one(struct translator *t, uint32_t entry);
void wk_t_bring_home(struct translator *t, uint32_t count);

/* ---- emitting ---- */
void wk_t_flush(struct translator *t);
/* Flushes, and forgets what registers hold: here is a label. */
void wk_t_label(struct translator *t);
/* Writes an instruction at once. */
void wk_t_write(struct translator *t, uint32_t op, const wk_unit *w, uint32_t count);
/* Writes units that are no instruction. */
void wk_t_write_raw(struct translator *t, const wk_unit *w, uint32_t count);
/* Makes an instruction pending whose first operand, the slot it writes, is `target`. */
void wk_t_produce(struct translator *t, uint32_t op, uint32_t target, wk_class type, const wk_unit *w, uint32_t count);
/* The same for instructions that leave the accumulators alone or undefined. */
void wk_t_produce_plain(struct translator *t, uint32_t op, uint32_t target, uint32_t slots, const wk_unit *w,
	uint32_t count);
/* Puts an entry's value into a slot. */
void wk_t_move(struct translator *t, uint32_t slot, struct entry entry);
/* A slot that holds the entry's value. */
uint32_t wk_t_slot(struct translator *t, struct entry entry);
/* The entry is read from its accumulator: a pending producer need not store it. */
void wk_t_take(struct translator *t, struct entry entry);
/* The slot was written by something that set no accumulator. */
void wk_t_written(struct translator *t, uint32_t slot);

static inline bool fits16(uint64_t value) { return (int64_t)value == (int16_t)value; }
static inline void put_word(wk_unit *w, uint32_t value)
{
	w[0] = (wk_unit)value;
	w[1] = (wk_unit)(value >> 16);
}

/* ---- branches ---- */
static inline struct label wk_t_new_label(uint32_t number)
{
	return (struct label){ number, NO_PLACE, NO_PLACE, NO_PLACE };
}
/* Is the label, or will it be, too far away for a short branch? */
bool wk_t_is_far(const struct translator *t, const struct label *label);
/* Writes a short branch, whose operands are w[0..count) and then a target; w has room for that. */
void wk_t_branch(struct translator *t, uint32_t op, wk_unit *w, uint32_t count, struct label *label);
/* Writes an unconditional branch of either kind. */
void wk_t_jump(struct translator *t, struct label *label);
/* Writes a long target by itself, two units. */
void wk_t_long_target(struct translator *t, struct label *label);
/* The label is here: its branches get their targets. Nothing for a label that was there before. */
void wk_t_resolve(struct translator *t, struct label *label);

void *wk_t_grow(struct translator *t, void *items, size_t *room, size_t needed, size_t item);

/* ---- reading trusted bytes ---- */

static inline uint32_t wk_t_read_u32(struct translator *t) { return (uint32_t)wk_leb_trusted(&t->at); }

static inline wk_valtype wk_t_read_type(struct translator *t)
{
	uint8_t byte = *t->at++;
	if (byte == 0x63 || byte == 0x64) {
		wk_leb_trusted_signed(&t->at);
		return WK_TYPE_FUNCREF;
	}
	return byte >= WK_TYPE_V128 ? byte : WK_TYPE_FUNCREF;
}

static inline const struct wk_deftype *wk_t_type_at(const struct translator *t, uint32_t index)
{
	return wk_registry_get(t->module->registry, t->module->types[index]);
}

static inline void wk_t_skip_catches(struct translator *t)
{
	for (uint32_t n = wk_t_read_u32(t); n > 0; n--) {
		uint8_t kind = *t->at++;
		if (kind < 2)
			wk_t_read_u32(t);
		wk_t_read_u32(t);
	}
}

struct wk_memarg { uint32_t memory; uint64_t offset; };

static inline struct wk_memarg wk_t_read_memarg(struct translator *t)
{
	struct wk_memarg m = { 0, 0 };
	if (wk_leb_trusted(&t->at) & 0x40)
		m.memory = wk_t_read_u32(t);
	m.offset = wk_leb_trusted(&t->at);
	return m;
}

/* ---- small things that all parts of the translator use ---- */

static inline uint32_t wk_t_table_operand(const struct translator *t, uint32_t table)
{
	return table | (t->module->tables[table].type.limits.is64 ? 0x80000000u : 0);
}

static inline uint32_t wk_t_memory_operand(const struct translator *t, uint32_t memory)
{
	return memory | (t->module->memories[memory].limits.is64 ? 0x80000000u : 0);
}

static inline bool wk_t_fits_imm(struct entry e) { return e.kind == IS_CONSTANT && fits16(e.value); }

/* Reads an operand: its accumulator when it is there (returns true), else its slot goes into *unit. */
static inline bool wk_t_operand(struct translator *t, struct entry e, wk_unit *unit)
{
	if (wk_t_in_accumulator(t, e)) {
		wk_t_take(t, e);
		return true;
	}
	*unit = (wk_unit)wk_t_slot(t, e);
	return false;
}

/* What a pending comparison is, if the entry is its result. */
struct comparing { bool integer, is_float; uint32_t base, branches, c, form; };
struct comparing wk_t_pending_comparison(const struct translator *t, struct entry e);

/* ---- the parts: each translates the instructions of its kind, whose opcode has been read ---- */

/* Numeric instructions, loads and stores of scalars. */
void wk_t_numeric(struct translator *t, uint32_t op);
/* Those of prefix 0xFD. */
void wk_t_vector(struct translator *t, uint32_t op);
/* Blocks, branches, calls, exceptions. */
void wk_t_control(struct translator *t, uint32_t op);
/* The function's own block: opened before the first instruction. */
void wk_t_begin_function(struct translator *t);

#endif
