/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the validator; nobody else includes this.
 *
 * The algorithm is that of the specification's appendix (A.3): a stack of operand types and a stack of control frames.
 * Functions return true when all is well; false when the module is not valid, with the report filled and `status` set.
 */
#ifndef WK_VALIDATE_VALIDATOR_H
#define WK_VALIDATE_VALIDATOR_H

#include "format/limits.h"
#include "format/opcodes.h"
#include "format/reader.h"

/* Some types in a row: parameters, results, a label's. Borrowed. */
struct wk_types {
	const wk_valtype *types;
	uint32_t count;
};

struct wk_control {
	const struct wk_deftype *type; /* parameters and results; NULL: no parameters, and */
	wk_valtype single;             /* this one result, or WK_TYPE_BOTTOM: none */
	uint32_t height;               /* operands below this block */
	uint32_t vectors;              /* v128 among them */
	uint32_t inits;                /* length of the list of initialised locals when the block began */
	uint8_t kind;                  /* its opcode; WK_CONTROL_BODY for a function's outermost */
	bool unreachable;
};
#define WK_CONTROL_BODY 0

/* Locals that were declared together: those below `end` that are not in an earlier run. */
struct wk_local_run {
	uint32_t end;
	wk_valtype type;
};

struct wk_validator {
	struct wk_reader reader;       /* at the next byte of the instruction */
	const uint8_t *instruction;    /* first byte of the instruction, for reports */
	struct wk_module *module;
	const struct wk_registry *registry;
	struct wk_type_scope scope;
	enum wk_status status;

	/* Operands. high = stack + max_slots - vectors is where a push makes a new maximum; the allocation reaches at least
	 * there. floor = stack + height of the innermost block. */
	wk_valtype *stack, *sp, *floor, *high;
	uint32_t stack_capacity;
	uint32_t vectors;              /* v128 on the stack: each takes a second slot */
	uint32_t max_slots, slot_limit;

	struct wk_control *controls;
	uint32_t depth, control_capacity;

	/* Locals, parameters first. The first flat_count have their types in `locals`; beyond that runs are searched. */
	wk_valtype *locals;
	uint32_t flat_count, local_capacity;
	struct wk_local_run *runs;
	uint32_t run_count, run_capacity;
	uint32_t local_count;

	/* Locals without a default value must be set before they are read (3.4.2). stamps[i] is the function's number + 1
	 * while local i is set; inits lists those set, in order, so that the end of a block can take them back. */
	uint32_t *stamps;
	uint32_t stamp_capacity, stamp;
	uint32_t *inits;
	uint32_t init_count, init_capacity;

	const struct wk_deftype *function_type;
	wk_valtype memory0_address;    /* address type of memory 0, WK_TYPE_BOTTOM if there is none */
	uint8_t *declared;             /* a bit for each function that ref.func may name (3.5.x: C.refs) */
};

/* ---- stack.c ---- */

/* Fill the report with the instruction's offset. Return false. */
bool wk_validator_fail(struct wk_validator *v, enum wk_status status, const char *text);
/* "<phrase> <index>", WK_INVALID. */
bool wk_validator_unknown(struct wk_validator *v, const char *phrase, uint32_t index);
/* Takes over the status of a reader; true when it is WK_OK. */
static inline bool wk_validator_read(struct wk_validator *v, enum wk_status status)
{
	if (__builtin_expect(status == WK_OK, 1))
		return true;
	v->status = status;
	return false;
}
bool wk_validator_no_memory(struct wk_validator *v, uint64_t size);
/* The name of the instruction being validated. */
const char *wk_validator_instruction(const struct wk_validator *v);
/* Makes a scratch array larger: at least `wanted` items, at least double. */
bool wk_validator_grow(struct wk_validator *v, void **array, uint32_t *capacity, uint32_t wanted, uint32_t first,
	size_t item);

bool wk_operand_raise(struct wk_validator *v);
bool wk_operand_pop_other(struct wk_validator *v, wk_valtype expected);
/* Pops whatever is there; WK_TYPE_BOTTOM when unknown. */
bool wk_operand_pop_any(struct wk_validator *v, wk_valtype *type);
bool wk_operand_pop_ref(struct wk_validator *v, wk_valtype *type);
bool wk_operand_push_types(struct wk_validator *v, struct wk_types types);
bool wk_operand_pop_types(struct wk_validator *v, struct wk_types types);
/* As if popped and pushed back, unchanged. */
bool wk_operand_check_types(struct wk_validator *v, struct wk_types types);
/* Each of `from` is a subtype of its neighbour in `to`. */
bool wk_types_match(struct wk_validator *v, struct wk_types from, struct wk_types to);

static inline void wk_operand_count_vector(struct wk_validator *v, int change)
{
	v->vectors += (uint32_t)change;
	v->high -= change;
}

static inline bool wk_operand_push(struct wk_validator *v, wk_valtype type)
{
	if (type == WK_TYPE_V128)
		wk_operand_count_vector(v, 1);
	if (__builtin_expect(v->sp >= v->high, 0) && !wk_operand_raise(v))
		return false;
	*v->sp++ = type;
	return true;
}

static inline bool wk_operand_pop(struct wk_validator *v, wk_valtype expected)
{
	if (__builtin_expect(v->sp == v->floor || v->sp[-1] != expected, 0))
		return wk_operand_pop_other(v, expected);
	v->sp--;
	if (expected == WK_TYPE_V128)
		wk_operand_count_vector(v, -1);
	return true;
}

/* Pops and pushes what the instruction table says; `address` stands for its address types. */
bool wk_operand_apply(struct wk_validator *v, const struct wk_opcode *opcode, wk_valtype address);

/* ---- control.c ---- */

bool wk_control_push(struct wk_validator *v, uint8_t kind, const struct wk_deftype *type, wk_valtype single);
/* After br, return, unreachable, ...: what follows may pop anything. */
void wk_control_unreachable(struct wk_validator *v);
bool wk_control_end(struct wk_validator *v);
bool wk_control_else(struct wk_validator *v);
/* Those that are common, behind their opcode. */
bool wk_control_block(struct wk_validator *v, uint8_t kind);
bool wk_control_br(struct wk_validator *v);
bool wk_control_br_if(struct wk_validator *v);
bool wk_control_call(struct wk_validator *v);
/* All of this file. */
bool wk_control_instruction(struct wk_validator *v, const struct wk_opcode *opcode);

static inline struct wk_control *wk_control_top(const struct wk_validator *v)
{
	return &v->controls[v->depth - 1];
}

/* ---- access.c: memories, tables, globals, vectors ---- */

bool wk_validate_memarg(struct wk_validator *v, uint32_t size_log2, wk_valtype *address);
bool wk_validate_other(struct wk_validator *v, const struct wk_opcode *opcode);

/* ---- constant.c ---- */

/* A constant expression (3.4.15) of this type that may read the first `globals` globals. ref.func declares. */
bool wk_validate_constant(struct wk_validator *v, struct wk_constexpr expression, wk_valtype type, uint32_t globals);

/* ---- function.c ---- */

bool wk_validate_function(struct wk_validator *v, uint32_t index);

static inline void wk_validator_declare(struct wk_validator *v, uint32_t function)
{
	v->declared[function / 8] |= (uint8_t)(1u << (function % 8));
}

static inline bool wk_validator_declared(const struct wk_validator *v, uint32_t function)
{
	return (v->declared[function / 8] >> (function % 8) & 1) != 0;
}

static inline wk_valtype wk_address_type(const struct wk_limits *limits)
{
	return limits->is64 ? WK_TYPE_I64 : WK_TYPE_I32;
}

static inline struct wk_types wk_types_of_parameters(const struct wk_deftype *type)
{
	return (struct wk_types){ type->types, type->parameter_count };
}

static inline struct wk_types wk_types_of_results(const struct wk_deftype *type)
{
	return (struct wk_types){ wk_results_of(type), type->result_count };
}

#endif
