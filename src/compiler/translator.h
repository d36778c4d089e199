/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the compiler. One struct for what belongs to the module, one for the function that is
 * translated.
 *
 * Names: c is the compiler, t the translator of a function, v, a and b are values of LLVM. The house's types are
 * prefixed, LLVM's are its own.
 */
#ifndef WK_COMPILER_TRANSLATOR_H
#define WK_COMPILER_TRANSLATOR_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "base/leb128.h"
#include "compiler/compiler.h"
#include "compiler/library.h"
#include "format/opcodes.h"
#include "image/abi.h"

struct code {
	LLVMValueRef function;
	LLVMTypeRef type;
	enum wk_library_function known;
	LLVMValueRef body;             /* of what is known: the function that has the body, internal to its part; else NULL */
	const char *left;              /* why it is not compiled; NULL: it is */
	bool tail_calls;               /* has return_call and the like */
};

/* A table that never changes: the function in each place, UINT32_MAX for none. NULL: it may change (table.c). */
struct wk_c_table { uint32_t *functions; };

struct compiler {
	const struct wk_module *module;
	const struct wk_compile_options *options;
	/* A large module is compiled in parts, each in a context of LLVM's that one thread uses (parts.c). This one
	 * defines the functions from `first` to before `end`; the first part has what belongs to no function, too. */
	uint32_t part, part_count, first, end;
	LLVMTargetMachineRef machine;  /* made by wk_c_optimise */
	LLVMContextRef llvm;
	LLVMModuleRef ir;
	LLVMBuilderRef b;              /* of the function that is built */
	LLVMTypeRef i1, i8, i16, i32, i64, i128, f32, f64, v128, pointer, none;
	bool x86;                      /* the target: x86-64, else AArch64 */
	bool guards;                   /* memories that can be guarded are: wk_c_is_guarded */
	struct code *codes;            /* by function index */
	const struct wk_c_table *tables; /* by table index, the same for all parts; and this part's constants of them, or NULL */
	LLVMValueRef *known_tables;
	LLVMValueRef *entries;         /* by type index, made when needed */
	LLVMValueRef *slow_calls;      /* by type index, the same */
	LLVMValueRef *by_slots;        /* by type index, the same: wk_c_by_slots; of equal types, the first */
	LLVMValueRef slow_by_slots, reserve; /* made when needed */
	LLVMValueRef enders[2];        /* functions that call the helpers trap and stop (wk_c_end_run) */
	unsigned convention;           /* of compiled functions */
	LLVMValueRef tbaa_guest, tbaa_context, tbaa_global, tbaa_slots, tbaa_fuel;
	LLVMValueRef unlikely;         /* branch weights: the first target is not taken */
	unsigned kind_tbaa, kind_prof, kind_invariant, kind_dereferenceable, kind_range;
	unsigned kind_check;           /* on a check's branch: how far the access reaches, which memory */
	uint32_t scope_count;          /* names of apart.c that are taken */
	uint8_t *stripped;             /* of the first part, made when all is translated: the module without bodies */
	size_t stripped_size;
	bool failed;                   /* no memory for our own arrays */
};

struct label {
	uint8_t opcode;                /* WK_OP_BLOCK, _LOOP, _IF, _ELSE; 0: the function */
	const struct wk_deftype *type; /* NULL: no parameters, and */
	wk_valtype single;             /* this result, or WK_TYPE_BOTTOM: none */
	uint32_t height;               /* operands below it */
	LLVMBasicBlockRef target;      /* where branches go: a loop's begin, else the end */
	LLVMBasicBlockRef otherwise;   /* an if's else, until it comes */
	uint32_t phi, arity;           /* in t->phis: what branches bring */
	uint32_t parameters;           /* in t->phis: an if's parameters, for its else */
	uint32_t branches;             /* to the target */
	LLVMBasicBlockRef outside;     /* a try_table's: t->landing around it */
};

struct translator {
	struct compiler *c;
	LLVMBuilderRef b;
	uint32_t index;                /* of the function */
	const struct wk_deftype *type;
	struct code *code;
	LLVMValueRef function;         /* that gets the body */
	const uint8_t *at;             /* next byte */
	const uint8_t *instruction;    /* the current one's first byte */
	const char *unsupported;       /* why this function is given up */
	bool unreachable;
	LLVMValueRef context;          /* the first parameter */
	LLVMValueRef stack_check;      /* the branch that checks the stack; NULL: there must be one */
	LLVMBasicBlockRef allocas;     /* the first block; its terminator comes last */
	LLVMBasicBlockRef body;        /* the first one behind the check of the stack */

	/* exception.c: */
	LLVMBasicBlockRef landing;     /* where exceptions go here; NULL: out of the function */
	LLVMValueRef scratch;          /* slots for calls; NULL: none yet */
	uint32_t scratch_slots;
	LLVMValueRef handler;          /* exec->native_handler; NULL: not loaded yet */
	LLVMValueRef top, above;       /* exec->stack_top when the function begins, and then; NULL: not loaded yet */
	uint32_t places, local_places; /* on the guest stack, for references to exceptions; of these, for locals */

	bool guarded;                  /* what was located last is checked by a guard only (memory.c) */

	LLVMValueRef fuel_charge;      /* takes the current run's fuel, which is put in at its end; NULL: none */
	uint64_t fuel;                 /* of the run so far */

	LLVMValueRef *stack;
	uint32_t height, stack_room;
	struct label *labels;
	uint32_t label_count, label_room;
	LLVMValueRef *phis;
	uint32_t phi_count, phi_room;
	LLVMValueRef *locals;
	wk_valtype *local_types;
	uint32_t local_count, local_room, local_type_room;
};

/* ---- module.c ---- */

LLVMTypeRef wk_c_type(const struct compiler *c, wk_valtype type);
LLVMTypeRef wk_c_result_type(const struct compiler *c, const struct wk_deftype *type);
LLVMTypeRef wk_c_function_type(const struct compiler *c, const struct wk_deftype *type);
/* The same with a parameter that stands behind the context; NULL: none. */
LLVMTypeRef wk_c_function_type_with(const struct compiler *c, const struct wk_deftype *type, LLVMTypeRef before);
/* A field of a structure in memory: its type, what it belongs to for alias analysis, whether it never changes. */
LLVMValueRef wk_c_load(struct compiler *c, LLVMTypeRef type, LLVMValueRef base, uint64_t offset, LLVMValueRef tbaa,
	bool constant);
#define wk_c_field(c, type, base, structure, field, constant) \
	wk_c_load(c, type, base, offsetof(struct structure, field), (c)->tbaa_context, constant)
/* The struct wk_memory of a memory, its size in bytes now, and what it has at least, whatever happens. */
LLVMValueRef wk_c_memory(struct compiler *c, LLVMValueRef context, uint32_t memory);
uint64_t wk_c_memory_minimum(const struct compiler *c, uint32_t memory);
LLVMValueRef wk_c_memory_size(struct compiler *c, LLVMValueRef context, uint32_t memory);
/* Its first byte; this never changes. */
LLVMValueRef wk_c_memory_base(struct compiler *c, LLVMValueRef context, uint32_t memory);
LLVMValueRef wk_c_at(struct compiler *c, LLVMValueRef base, uint64_t offset);
LLVMValueRef wk_c_number(LLVMTypeRef type, uint64_t number);
/* Calls a helper by its offset in struct wk_image_helpers. The context comes first. */
LLVMValueRef wk_c_helper(struct compiler *c, size_t offset, LLVMTypeRef result, LLVMValueRef context,
	LLVMValueRef *arguments,
	unsigned count);
#define wk_c_call_helper(c, name, result, context, ...) \
	wk_c_helper(c, offsetof(struct wk_image_helpers, name), result, context, (LLVMValueRef[]){ __VA_ARGS__ }, \
		sizeof((LLVMValueRef[]){ __VA_ARGS__ }) / sizeof(LLVMValueRef))
/* Ends the run and the block: by the helper `stop`, or with a `trap`, an i32, by the helper `trap`. */
void wk_c_end_run(struct compiler *c, LLVMValueRef context, LLVMValueRef trap, LLVMValueRef offset);
void wk_c_tag(LLVMValueRef instruction, unsigned kind, LLVMValueRef metadata);
void wk_c_add_attribute(struct compiler *c, LLVMValueRef function, const char *name);
/* An attribute of LLVM's for a call. */
void wk_c_describe_call(struct compiler *c, LLVMValueRef call, const char *name, uint64_t value);
/* A call of a compiled function, the context first. */
LLVMValueRef wk_c_call_compiled(struct compiler *c, LLVMTypeRef type, LLVMValueRef function, LLVMValueRef *values,
	unsigned count);
LLVMValueRef wk_c_add_function(struct compiler *c, const char *name, LLVMTypeRef type, bool local);
LLVMValueRef wk_c_add_constant(struct compiler *c, const char *name, LLVMValueRef value);
/* Other parts must find it, and nobody else. */
void wk_c_share_function(const struct compiler *c, LLVMValueRef function);
/* Makes a part's IR: first the functions; then, when all parts know which are left, the rest. */
void wk_c_functions(struct compiler *c);
void wk_c_rest(struct compiler *c);
/* Does this part define the function? */
static inline bool wk_c_is_own(const struct compiler *c, uint32_t function)
{
	return function < c->module->imported_funcs ? c->part == 0 : function >= c->first && function < c->end;
}
const char *wk_c_intrinsic_name(char *buffer, size_t size, const char *name, LLVMTypeRef type);

/* ---- slots.c ---- */

/* A load or store of a slot: of a v128 it is not more than a slot is aligned to. Returns the instruction. */
LLVMValueRef wk_c_align_slot(struct compiler *c, LLVMValueRef instruction);
/* The function that calls any function of this type, for call_indirect and call_ref: parameters behind the struct
 * wk_func. */
LLVMValueRef wk_c_slow_call(struct compiler *c, const struct wk_deftype *type, uint32_t type_index,
	LLVMTypeRef *function);
uint32_t wk_c_slots_of(const struct wk_deftype *type);
/* Values to slots one after the other, and back. *at is the next slot. */
void wk_c_put_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, LLVMValueRef value);
LLVMValueRef wk_c_get_slot(struct compiler *c, LLVMValueRef slots, uint32_t *at, wk_valtype type);
/* Results, at least one, as a function of this type returns them. */
LLVMValueRef wk_c_take_results(struct compiler *c, LLVMValueRef slots, const struct wk_deftype *type);
/* Are all results in registers? */
bool wk_c_results_fit(const struct compiler *c, const struct wk_deftype *type);
/* Compiled code (context, code, slots): calls code of this type with what is in the slots, as the entry does. With type
 * NULL: (context, func, slots), for any struct wk_func. */
LLVMValueRef wk_c_by_slots(struct compiler *c, const struct wk_deftype *type);
/* How many functions were made that are not of the module and call some that are, in all parts; `to` receives them, unless
 * it is NULL. */
uint32_t wk_c_asides(struct compiler *c, LLVMValueRef *to);
/* Fills a function whose parameters behind the first `skip` become slots, which a helper takes with `what`. */
void wk_c_build_by_slots(struct compiler *c, LLVMValueRef function, const struct wk_deftype *type, unsigned skip,
	size_t helper, LLVMValueRef what);
/* The opposite: a function (context, code, slots) that takes parameters from slots, calls, and leaves the results there. */
LLVMValueRef wk_c_build_entry(struct compiler *c, const struct wk_deftype *type);

/* ---- function.c ---- */

/* Translates a function's body, or says in code->left why not: it has no usable body then. */
void wk_f_function(struct compiler *c, uint32_t index);
/* Makes room for `wanted` items in an array of t's. false: no memory, and the function is given up. */
bool wk_f_grow(struct translator *t, void *array, uint32_t *room, uint64_t wanted, size_t item);
wk_valtype wk_f_read_type(struct translator *t);
LLVMValueRef wk_f_pop(struct translator *t);
void wk_f_push(struct translator *t, LLVMValueRef value);
/* The same where the value may be a reference to an exception that has no place yet. */
void wk_f_push_as(struct translator *t, wk_valtype type, LLVMValueRef value);
static inline uint32_t wk_f_read_u32(struct translator *t) { return (uint32_t)wk_leb_trusted(&t->at); }
LLVMBasicBlockRef wk_f_block(struct translator *t);
/* Traps if the i1 is true, and goes on. */
void wk_f_trap_if(struct translator *t, LLVMValueRef condition, enum wk_trap trap);
/* The same with a trap that a helper returned: an i32, 0 is none. */
void wk_f_trap_if_any(struct translator *t, LLVMValueRef trap);
void wk_f_trap(struct translator *t, enum wk_trap trap);
/* What follows cannot be reached. */
void wk_f_end_block(struct translator *t);
/* Branches to `yes` if the condition holds, which is unlikely. */
void wk_f_branch_unlikely(struct translator *t, LLVMValueRef condition, LLVMBasicBlockRef yes, LLVMBasicBlockRef no);
/* What a constant float must not be folded with (numeric.c); the same for a constant v128 (vector.c). */
LLVMValueRef wk_f_hide(struct translator *t, LLVMValueRef value);
LLVMValueRef wk_v_hide(struct translator *t, LLVMValueRef v);
/* Of one type, or of none: NULL. */
LLVMValueRef wk_f_intrinsic(struct translator *t, const char *name, LLVMTypeRef type, LLVMValueRef *arguments,
	unsigned count);
LLVMValueRef wk_f_intrinsic_of(struct translator *t, const char *name, LLVMTypeRef *types, size_t type_count,
	LLVMValueRef *arguments, unsigned count);

/* ---- control.c ---- */

void wk_f_begin_body(struct translator *t);
/* Brings the top operands to a label and goes there. */
void wk_f_jump(struct translator *t, struct label *l);
/* An i1: is the i32 not zero? */
LLVMValueRef wk_f_truth(struct translator *t, LLVMValueRef i32);

/* ---- control.c, numeric.c, memory.c, call.c, vector.c: false: not theirs ---- */

bool wk_f_control(struct translator *t, uint32_t op);
bool wk_f_numeric(struct translator *t, uint32_t op);
bool wk_f_memory(struct translator *t, uint32_t op);
bool wk_f_call(struct translator *t, uint32_t op);
bool wk_f_vector(struct translator *t, uint32_t op);
/* The immediates of an access; the checked pointer to its `size` bytes; what every load and store of the guest's memory
 * is marked with. */
struct memarg { uint32_t memory; uint64_t offset; };
struct memarg wk_f_read_memarg(struct translator *t);
LLVMValueRef wk_f_locate(struct translator *t, struct memarg m, LLVMValueRef index, uint32_t size);
void wk_f_access_guest(struct translator *t, LLVMValueRef instruction);
/* Copies and fills bytes, an i64, that are in bounds. `memory` is what is written. */
void wk_c_copy_guest(struct compiler *c, LLVMValueRef to, LLVMValueRef from, LLVMValueRef count, uint32_t memory,
	bool may_overlap);
void wk_c_fill_guest(struct compiler *c, LLVMValueRef to, LLVMValueRef byte, LLVMValueRef count, uint32_t memory);
/* Of an i64 that is not 0. */
LLVMValueRef wk_c_trailing_zeros(struct compiler *c, LLVMValueRef value);
LLVMValueRef wk_f_ref_func(struct translator *t, uint32_t function);
/* Returns what is on the stack. */
void wk_f_return(struct translator *t);

bool wk_c_is_guarded(const struct compiler *c, uint32_t memory);
/* Takes the checks out of a function that guards do. After wk_c_version_loops, which wants to see them. */
void wk_c_leave_to_guards(struct compiler *c, LLVMValueRef function);

/* ---- exception.c ---- */

/* When the stack is checked: gives the function's locals places; at its end. */
void wk_f_keep_locals(struct translator *t);
void wk_f_end_exceptions(struct translator *t);
/* Keeps a value of this type that is an operand at this height, if it refers to an exception. */
void wk_f_keep(struct translator *t, uint32_t height, wk_valtype type, LLVMValueRef value);
void wk_f_throw(struct translator *t);
void wk_f_throw_ref(struct translator *t);
/* Reads the clauses of the try_table whose label was pushed. */
void wk_f_begin_try(struct translator *t);
/* Calls compiled code of a type, or what wk_c_slow_call made, so that exceptions come to the try_table around it, if
 * there is one. */
LLVMValueRef wk_f_build_call(struct translator *t, const struct wk_deftype *type, LLVMTypeRef function_type,
	LLVMValueRef function, LLVMValueRef *values, unsigned count);

/* ---- table.c ---- */

/* Looks which of a module's tables never change; they are to be freed in any case. false: no memory. */
bool wk_c_find_tables(const struct wk_module *module, struct wk_c_table **tables);
void wk_c_free_tables(const struct wk_module *module, struct wk_c_table *tables);
/* The code of what a table that never changes has at an index, an i64, if it is of this type; else traps. */
LLVMValueRef wk_f_known_callee(struct translator *t, uint32_t table, uint32_t type_index, LLVMValueRef index);

/* ---- library.c ---- */

/* Fills code->function with a path before code->body. */
void wk_c_library_path(struct compiler *c, const struct code *code);

/* ---- fuel.c ---- */

/* A straight run of instructions begins; it ends. */
void wk_f_begin_fuel(struct translator *t);
void wk_f_end_fuel(struct translator *t);

/* ---- loops.c ---- */

struct wk_c_blocks { LLVMBasicBlockRef *blocks; uint32_t count, room; };
/* Copies a function's loops for the case that all their accesses are in bounds, and leaves out the checks there.
 * Adds to `bounded` the headers of loops without loops and calls in them that end after few rounds (BOUND), or after no
 * more than a memory has bytes; the caller frees it. false: no memory. */
bool wk_c_version_loops(struct compiler *c, LLVMValueRef function, struct wk_c_blocks *bounded);

/* ---- checks.c ---- */

/* Takes checks out that others make needless. After wk_c_version_loops. false: no memory. */
bool wk_c_share_checks(struct compiler *c, LLVMValueRef function);

/* ---- polls.c ---- */

struct wk_c_edge { LLVMBasicBlockRef from, to; };
/* The edges that close loops; to be freed. false: no memory. */
bool wk_c_back_edges(struct compiler *c, LLVMValueRef function, struct wk_c_edge **edges, uint32_t *count);

/* Puts a look at the interrupt flag into a function's loops other than those with a bound. false: no memory. */
bool wk_c_add_polls(struct compiler *c, LLVMValueRef function, const struct wk_c_blocks *bounded);
/* An i1: is the guest to stop? In a TEE the flag is the normal world's memory (runtime/instance.h). */
LLVMValueRef wk_c_interrupted(struct compiler *c, LLVMValueRef exec);

/* ---- parts.c ---- */

#define WK_C_PARTS 8
/* How many parts a module has. The machine does not matter, so that an image is the same wherever it is made. */
uint32_t wk_c_part_count(const struct wk_module *module, const struct wk_compile_options *options);
/* Gives the parts their functions, of which each has about as many bytes. */
void wk_c_divide(struct compiler *parts, uint32_t count);
/* Tells all parts what each has found out about its own functions. */
void wk_c_share(struct compiler *parts, uint32_t count);
/* Optimises all parts and makes their code, on as many threads as there are processors. Calls options->progress. */
enum wk_status wk_c_emit_parts(struct compiler *parts, uint32_t count, struct wk_report *report,
	LLVMMemoryBufferRef *objects);

/* ---- strip.c ---- */

/* Makes c->stripped, the caller's to free: a valid module that differs from the compiled one in the bodies of the functions
 * that are compiled, which are `unreachable`, and has no custom sections but names. false: no memory. */
bool wk_c_strip(struct compiler *c);

/* ---- emit.c, link.c ---- */

/* Once, before any part is optimised. */
void wk_c_start(void);
/* The two steps of a part, which take about as long: its IR as LLVM likes it; an object file of that. */
enum wk_status wk_c_optimise(struct compiler *c, struct wk_report *report);
enum wk_status wk_c_emit(struct compiler *c, struct wk_report *report, LLVMMemoryBufferRef *object);
enum wk_status wk_c_link(const struct wk_compile_options *options, const LLVMMemoryBufferRef *objects, uint32_t count,
	const struct wk_module *module, struct wk_span stripped, struct wk_image_seal *seal, const char *path,
	struct wk_report *report);

/* ---- optee.c ---- */

/* Completes the seal and puts it into the library, and what OP-TEE's loader would not find elsewhere. */
void wk_c_optee(struct compiler *c, struct wk_image_seal *seal);

struct wk_target {
	const char *name, *triple, *cpu, *features, *emulation;
	bool optee;                    /* a signed library with its seal inside */
};
/* NULL: there is no such target. */
const struct wk_target *wk_c_target(const char *name);

#endif
