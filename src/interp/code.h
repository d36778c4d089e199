/* SPDX-License-Identifier: Apache-2.0
 *
 * Internal code: what the translator writes and the dispatch loop reads.
 *
 * Code is a sequence of 16-bit units: an instruction is one unit that refers to its handler, then its operands. A frame
 * is an array of 64-bit slots:
 *
 *	[parameters and results][return address][caller's frame][locals][constants][operands]
 *	 0 ... header - 1        header          header + 1
 *
 * where header = max(parameter slots, result slots). A call's arguments are the caller's topmost operands in place: the
 * callee's frame overlaps them, and its results are left where they were.
 *
 * Beside the slots there are accumulators in machine registers: the last integer result, and the last f32 and f64
 * results. An instruction's form says where its operands come from and its result goes; the letters of its name:
 *
 *	d  a slot, and the accumulator        n  the accumulator only
 *	s  a slot     a  the accumulator      i  a 16-bit signed number     k  a 32-bit constant address
 */
#ifndef WK_INTERP_CODE_H
#define WK_INTERP_CODE_H

#include "interp/simd.h"
#include "runtime/instance.h"

typedef uint16_t wk_unit;

/* Where a function's frame has its header. */
static inline uint32_t wk_code_header_slot(const struct wk_deftype *type)
{
	return type->parameter_slots > type->result_slots ? type->parameter_slots : type->result_slots;
}

/* A range of a function's code whose exceptions a catch clause takes (try_table, 4.6.8). Innermost first. */
struct wk_catch {
	uint32_t begin, end;   /* units from the start of the function's code */
	uint32_t target;
	uint32_t tag;          /* tag index; unused for catch_all */
	uint16_t slot;         /* where the payload goes */
	uint8_t kind;           /* the binary code: 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref */
};

/* Stands before the code of each translated function; behind the code stand its catch clauses. */
struct wk_code_header {
	uint32_t function;     /* function index */
	uint32_t units;        /* length of the code behind this header */
	uint32_t catch_count;
	uint16_t header_slot;  /* where the frame's return address is */
	uint16_t frame_slots;
};

struct wk_code_block {
	struct wk_code_block *next;
	size_t size;           /* of the allocation */
	size_t used;           /* bytes behind this struct that hold functions */
};
#define WK_CODE_OPEN_BLOCKS 8u

/* Single instructions that code jumps to: translate the function whose number is in the accumulator and go on with it;
 * end a call from the host; return into another instance; run the compiled code of the function in the accumulator. */
struct wk_code_fixed {
	wk_unit translate, leave, cross, native;
};

/* What the translator keeps between functions, so that a module needs few allocations. */
struct wk_scratch {
	struct entry *entries;
	struct control *controls;
	struct wk_catch *catches;
	struct local *locals;
	uint32_t *far;         /* bits: labels too far away for a short branch, by number */
	size_t entry_room, control_room, catch_room, local_room, far_room; /* items */
	struct wk_code_block *buffer; /* where code is written before it gets its place */
	uint32_t buffer_room;  /* units */
};

/* Internal code of one module, for metered or unmetered stores. Functions are added under the lock and never change. */
struct wk_code {
	struct wk_module *module;
	bool metering;
	struct wk_port_lock lock;
	struct wk_code_block *blocks;  /* newest first */
	struct wk_code_block *open[WK_CODE_OPEN_BLOCKS]; /* those that may still take a function; NULL: none */
	size_t block_size;     /* of the last shared block */
	struct wk_budget budget;
	uint64_t units;        /* of all functions, for measuring */
	uint64_t to_come;      /* bytes that functions which are not translated yet will take, about, */
	uint64_t promised;     /* and how many are set aside for that: charged to the keep's budget of this name */
	struct wk_code_fixed fixed;
	struct wk_scratch scratch;
	const wk_unit *entry[]; /* by function index; &fixed.translate until translated, &fixed.native: compiled */
};

/* Every instruction: name, operand units, flags. */
enum {
	WK_I_N = 1,     /* writes a slot named by its first operand, and the next instruction in the list is the same without */
	WK_I_DST = 2,   /* its first operand is the slot it writes */
};

enum wk_instruction {
#define OP(name, units, flags) WK_I_##name,
#define FUSE(a, b) WK_I_##a##__##b,
#include "interp/instructions.def"
#include "interp/fusions.def"
#undef OP
#undef FUSE
	WK_I_COUNT
};

enum {
#define OP(name, units, flags) WK_U_##name = (units),
#define FUSE(a, b) WK_U_##a##__##b = WK_U_##a + WK_U_##b,
#include "interp/instructions.def"
#include "interp/fusions.def"
#undef OP
#undef FUSE
};

/* The unit that refers to an instruction's handler. */
wk_unit wk_code_reference(enum wk_instruction instruction);

/* Translates one function of code->module; the lock is held. */
WK_NODISCARD enum wk_status wk_translate(struct wk_code *code, uint32_t function, struct wk_report *report);
/* The byte offset in the module of the instruction at `position` units of a function's code, by translating again into
 * memory that is given back; WK_NO_OFFSET when there is no memory for that. */
uint64_t wk_translate_locate(struct wk_code *code, uint32_t function, uint32_t position);
/* Memory set aside for code that is to come (engine.c; the lock is held): sets aside, gives back, notes that a function's
 * code has come. */
void wk_code_promise(struct wk_code *code);
void wk_code_redeem(struct wk_code *code);
void wk_code_came(struct wk_code *code, uint32_t function);
/* Frees what the translator kept between functions. */
void wk_translate_end(struct wk_code *code);

/* ---- where code lives: code.c ---- */

/* The buffer that functions are written to, made large enough for `units`; NULL: no memory, and it stays as it was.
 * What was written moves along. */
wk_unit *wk_code_buffer(struct wk_code *code, uint32_t units, uint32_t *room);
/* Gives the function in the buffer its place: header->units of it. `catches` has header->catch_count clauses. Returns
 * its first unit, or NULL: no memory. */
const wk_unit *wk_code_place(struct wk_code *code, const struct wk_code_header *header, const struct wk_catch *catches);
/* The function whose code contains `at`, or NULL. Needs no lock. */
const struct wk_code_header *wk_code_find(const struct wk_code *code, const wk_unit *at);
static inline const wk_unit *wk_code_start(const struct wk_code_header *h) { return (const wk_unit *)(h + 1); }
const struct wk_catch *wk_code_catches(const struct wk_code_header *header);
/* Frees all code, and what was kept for translating. */
void wk_code_end(struct wk_code *code);

#endif
