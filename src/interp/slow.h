/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of instructions that are too rare or too large for the dispatch loop, and the registers they work on.
 */
#ifndef WK_INTERP_SLOW_H
#define WK_INTERP_SLOW_H

#include "interp/code.h"
#include "runtime/operations.h"

struct wk_regs {
	const wk_unit *ip;   /* set by those who jump */
	uint64_t *fp;        /* the running frame */
	uint8_t *mem;        /* memory 0: never moves, */
	uint64_t size;       /* but its size changes: wk_slow_reload */
	uint64_t acc;
	struct wk_exec *x;
	float f32;
	double f64;
	const wk_unit *at;   /* operands of the part that traps or is slow */
	const struct wk_slow *slow;
};

enum { NEXT, JUMP, LEAVE, SLOW, FIRST_TRAP };

/* An instruction, or the unlikely part of one, that runs outside the loop: the registers are in memory for it. */
struct wk_slow {
	int (*body)(struct wk_regs *r, const wk_unit *w);
	uint32_t units;
};

/* Memory 0's base and size, after anything that may have grown it or changed the instance. */
void wk_slow_reload(struct wk_regs *r);
/* Calls any function that is not code of the running instance. Arguments and results at `frame`, where `taken` slots
 * are theirs; `back` is where to go on. */
int wk_slow_call(struct wk_regs *r, const wk_unit *w, struct wk_func *func, uint64_t *frame, uint32_t taken,
	const wk_unit *back);
int wk_slow_tail_call(struct wk_regs *r, const wk_unit *w, struct wk_func *func);
/* An access was found out of bounds. JUMP: memory 0 is larger than it seemed, and the instruction before r->at is to be done
 * again; else the trap. */
int wk_slow_out_of_bounds(struct wk_regs *r);
int wk_slow_cross(struct wk_regs *r, const wk_unit *w);
/* Runs compiled code, with the callee's frame as its slots. */
int wk_slow_native(struct wk_regs *r, const wk_unit *w);
int wk_slow_frame(struct wk_regs *r, const wk_unit *w);
bool wk_slow_type_matches(const struct wk_exec *x, uint32_t type, uint32_t wanted);
int wk_slow_translate(struct wk_regs *r, const wk_unit *w);
int wk_slow_throw(struct wk_regs *r, const wk_unit *w, uint32_t tag, const uint64_t *payload);
int wk_slow_throw_ref(struct wk_regs *r, const wk_unit *w, uint64_t reference);
int wk_slow_table_copy(struct wk_regs *r, const wk_unit *w);
int wk_slow_memory_copy(struct wk_regs *r, const wk_unit *w);

/* Ends a run that trapped: notes the trap in exec. `at` lies inside the instruction. */
void wk_slow_trapped(struct wk_exec *x, const wk_unit *at, uint64_t *fp, int code);

/* The dispatch loop: runs from `ip` until an instruction leaves; exec->ended says how. */
void wk_dispatch(const wk_unit *ip, uint64_t *fp, struct wk_exec *x, uint32_t function);

#endif
