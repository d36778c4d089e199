/* SPDX-License-Identifier: Apache-2.0
 *
 * Rare and large parts of instructions: calls that leave the running instance, exceptions, translation on demand.
 *
 * A call into another instance does not recurse natively. Between the caller's operands and the callee's frame stands a
 * record; the callee returns to the instruction `cross`, which finds the record where a caller's frame would be, copies
 * the results down and makes the caller's instance the running one again.
 */
#include "interp/slow.h"

#include "base/report.h"

/* The record of a call into another instance, in slots. */
enum { RECORD_BACK, RECORD_FRAME, RECORD_INSTANCE, RECORD_RESULTS, RECORD_COUNT, RECORD_SLOTS };

static uint64_t *pointer(uint64_t slot)
{
	return (uint64_t *)(uintptr_t)slot;
}

static uint64_t slot(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static int trap(struct wk_regs *r, const wk_unit *w, enum wk_trap code)
{
	r->at = w;
	return (int)code + FIRST_TRAP;
}

void wk_slow_reload(struct wk_regs *r)
{
	const struct wk_instance *instance = r->x->instance;
	if (instance->module->memory_count) {
		r->mem = instance->memories[0]->linear.base;
		r->size = instance->memories[0]->linear.size;
	} else {
		r->mem = NULL;
		r->size = 0;
	}
}

/* Whatever traps so has changed nothing yet. In modules whose memory may be incomplete no instruction is the second half of
 * a pair (emit.c), so r->at is behind the one that is to be done again. */
int wk_slow_out_of_bounds(struct wk_regs *r)
{
	const struct wk_instance *instance = r->x->instance;
	struct wk_memory *memory;

	if (instance->module->small == 0)
		return (int)WK_TRAP_MEMORY_BOUNDS + FIRST_TRAP;
	memory = instance->memories[0];
	if (!wk_memory_complete(memory))
		return (int)WK_TRAP_NO_MEMORY + FIRST_TRAP;
	if (r->size == memory->linear.size)
		return (int)WK_TRAP_MEMORY_BOUNDS + FIRST_TRAP;
	wk_slow_reload(r);
	return JUMP;
}

static void switch_to(struct wk_regs *r, struct wk_instance *instance)
{
	struct wk_exec *x = r->x;
	x->instance = instance;
	x->global_cells = instance->global_cells;
	x->code = instance->module->code[x->store->metering];
	wk_slow_reload(r);
}

void wk_slow_trapped(struct wk_exec *x, const wk_unit *at, uint64_t *fp, int code)
{
	x->ended = WK_TRAP;
	x->trap = (enum wk_trap)(code - FIRST_TRAP);
	x->trap_at = at;
	x->trap_frame = fp;
}

/* The frame's end lies beyond the guard: there was an interrupt, or the stack has to grow; then the function is entered
 * once more. */
int wk_slow_frame(struct wk_regs *r, const wk_unit *w)
{
	struct wk_exec *x = r->x;
	const uint64_t *end = r->fp + w[0];
	if (wk_exec_interrupted(x))
		return trap(r, w, WK_TRAP_INTERRUPTED);
	if (!wk_stack_reach(x->store, end))
		return trap(r, w, wk_stack_trap(x->store, end));
	r->ip = w - 1;
	return JUMP;
}

static int unwind(struct wk_regs *r, const wk_unit *at);

/* A host function: the guest's frames stay where they are, what it calls back goes above them. */
static int call_host(struct wk_regs *r, const wk_unit *w, struct wk_func *func, uint64_t *frame, uint32_t taken)
{
	struct wk_exec *x = r->x;
	uint64_t *top = x->stack_top;
	x->stack_top = frame + taken;
	enum wk_status status = wk_call_host(func, x->instance, frame);
	x->stack_top = top;
	wk_slow_reload(r);
	r->acc = frame[0];
	if (status == WK_OK)
		return NEXT;
	if (status == WK_EXCEPTION)
		return unwind(r, w);
	x->ended = status;
	x->trap_at = w;
	x->trap_frame = r->fp;
	return LEAVE;
}

/* Makes the record and the callee's frame behind it. */
static int cross_into(struct wk_regs *r, const wk_unit *w, struct wk_func *func, uint64_t *results, uint64_t *record,
	const uint64_t *arguments, const wk_unit *back, uint64_t *caller)
{
	struct wk_exec *x = r->x;
	const struct wk_deftype *type = wk_registry_get(func->instance->module->registry, func->type);
	uint32_t header = wk_code_header_slot(type);
	if (!wk_stack_reach(x->store, record + RECORD_SLOTS + header + 2))
		return trap(r, w, wk_stack_trap(x->store, record + RECORD_SLOTS + header + 2));
	uint64_t *frame = record + RECORD_SLOTS;
	memmove(frame, arguments, type->parameter_slots * sizeof *frame);
	record[RECORD_BACK] = slot(back);
	record[RECORD_FRAME] = slot(caller);
	record[RECORD_INSTANCE] = slot(x->instance);
	record[RECORD_RESULTS] = slot(results);
	record[RECORD_COUNT] = type->result_slots;
	switch_to(r, func->instance);
	const struct wk_code *code = x->code;
	frame[header] = slot(&code->fixed.cross);
	frame[header + 1] = slot(record);
	r->fp = frame;
	r->acc = func->index;
	r->ip = __atomic_load_n(&code->entry[func->index], __ATOMIC_ACQUIRE);
	return JUMP;
}

int wk_slow_call(struct wk_regs *r, const wk_unit *w, struct wk_func *func, uint64_t *frame, uint32_t taken,
	const wk_unit *back)
{
	if (wk_exec_interrupted(r->x))
		return trap(r, w, WK_TRAP_INTERRUPTED);
	if (func->instance)
		return cross_into(r, w, func, frame, frame + taken, frame, back, r->fp);
	int go = call_host(r, w, func, frame, taken);
	if (go != NEXT)
		return go;
	r->ip = back;
	return JUMP;
}

int wk_slow_cross(struct wk_regs *r, const wk_unit *w)
{
	(void)w;
	uint64_t *record = r->fp;
	uint64_t *results = pointer(record[RECORD_RESULTS]);
	switch_to(r, (struct wk_instance *)pointer(record[RECORD_INSTANCE]));
	r->ip = (const wk_unit *)pointer(record[RECORD_BACK]);
	r->fp = pointer(record[RECORD_FRAME]);
	uint64_t count = record[RECORD_COUNT];
	memmove(results, record + RECORD_SLOTS, count * sizeof *results); /* the record may be overwritten: read above */
	r->acc = count ? results[0] : 0;
	return JUMP;
}

int wk_slow_tail_call(struct wk_regs *r, const wk_unit *w, struct wk_func *func)
{
	struct wk_exec *x = r->x;
	if (wk_exec_interrupted(x))
		return trap(r, w, WK_TRAP_INTERRUPTED);
	uint64_t *arguments = &r->fp[w[0]];
	const wk_unit *back = (const wk_unit *)pointer(r->fp[w[2]]);
	uint64_t *caller = pointer(r->fp[w[2] + 1]);
	if (!func->instance) {
		const struct wk_deftype *type = wk_registry_get(x->instance->module->registry, func->type);
		int go = call_host(r, w, func, arguments, wk_code_header_slot(type));
		if (go != NEXT)
			return go;
		memmove(r->fp, arguments, type->result_slots * sizeof *arguments);
		r->acc = r->fp[0];
		r->ip = back;
		r->fp = caller;
		return JUMP;
	}
	/* A frame that itself returns through a record gives that record to its successor, so that tail calls to and fro
	 * between instances do not grow the stack. */
	if (*back == wk_code_reference(WK_I_cross)) {
		const struct wk_deftype *type = wk_registry_get(func->instance->module->registry, func->type);
		uint32_t header = wk_code_header_slot(type);
		memmove(r->fp, arguments, type->parameter_slots * sizeof *arguments);
		switch_to(r, func->instance);
		const struct wk_code *code = x->code;
		r->fp[header] = slot(&code->fixed.cross);
		r->fp[header + 1] = slot(caller);
		r->acc = func->index;
		r->ip = __atomic_load_n(&code->entry[func->index], __ATOMIC_ACQUIRE);
		return JUMP;
	}
	/* The record goes where the arguments end, so it does not overwrite them before they are moved. */
	return cross_into(r, w, func, r->fp, arguments + w[1] + 1, arguments, back, caller);
}

bool wk_slow_type_matches(const struct wk_exec *x, uint32_t type, uint32_t wanted)
{
	return wk_deftype_matches(x->instance->module->registry, type, wanted);
}

int wk_slow_translate(struct wk_regs *r, const wk_unit *w)
{
	struct wk_code *code = r->x->code;
	uint32_t function = (uint32_t)r->acc;
	wk_port_lock(&code->lock);
	enum wk_status status = WK_OK;
	if (code->entry[function] == &code->fixed.translate)
		status = wk_translate(code, function, NULL);
	wk_port_unlock(&code->lock);
	if (status != WK_OK)
		return trap(r, w, WK_TRAP_NO_MEMORY);
	r->ip = __atomic_load_n(&code->entry[function], __ATOMIC_ACQUIRE);
	return JUMP;
}

/* ---- exceptions ---- */

/* The catch clause of this code position that takes the exception, or NULL. Clauses stand innermost first. */
static const struct wk_catch *find_catch(const struct wk_code_header *header, uint32_t position,
	const struct wk_instance *instance, const struct wk_exception *exception)
{
	const struct wk_catch *catches = wk_code_catches(header);
	for (uint32_t i = 0; i < header->catch_count; i++) {
		const struct wk_catch *c = &catches[i];
		if (position < c->begin || position >= c->end)
			continue;
		if (c->kind >= 2 || instance->tags[c->tag] == exception->tag)
			return c;
	}
	return NULL;
}

/* From a frame whose header is at this slot to its caller's: *fp, *instance and the position of the call. NULL: the host
 * called. */
static const wk_unit *caller_of(uint32_t header_slot, uint64_t **fp, struct wk_instance **instance)
{
	const wk_unit *back = (const wk_unit *)pointer((*fp)[header_slot]);

	*fp = pointer((*fp)[header_slot + 1]);
	if (*back == wk_code_reference(WK_I_cross)) {
		uint64_t *record = *fp;

		*instance = (struct wk_instance *)pointer(record[RECORD_INSTANCE]);
		back = (const wk_unit *)pointer(record[RECORD_BACK]);
		*fp = pointer(record[RECORD_FRAME]);
	}
	/* Behind a record, too: a tail call may have left one of the frame that the host called. */
	return *back == wk_code_reference(WK_I_leave) ? NULL : back - 1;
}

/* Looks for a handler of exec->pending from the frame `fp`, whose code is at `at`, outwards. */
static int unwind_from(struct wk_regs *r, const wk_unit *at, uint64_t *fp, struct wk_instance *instance)
{
	struct wk_exec *x = r->x;
	struct wk_exception *exception = x->pending;
	for (;;) {
		const struct wk_code *code = instance->module->code[x->store->metering];
		const struct wk_code_header *header = wk_code_find(code, at);
		const struct wk_catch *c = find_catch(header, (uint32_t)(at - wk_code_start(header)), instance, exception);
		if (c) {
			uint64_t *to = fp + c->slot;
			if (c->kind < 2) {
				memcpy(to, exception->slots, exception->slot_count * sizeof *to);
				to += exception->slot_count;
			}
			if (c->kind & 1)
				*to = slot(exception);
			x->pending = NULL;
			r->fp = fp;
			r->ip = wk_code_start(header) + c->target;
			switch_to(r, instance);
			return JUMP;
		}
		at = caller_of(header->header_slot, &fp, &instance);
		if (!at) {
			x->ended = WK_EXCEPTION;
			return LEAVE;
		}
	}
}

static int unwind(struct wk_regs *r, const wk_unit *at)
{
	return unwind_from(r, at, r->fp, r->x->instance);
}

/* The frame is the callee's, with arguments and a header but no code. */
int wk_slow_native(struct wk_regs *r, const wk_unit *w)
{
	(void)w;
	struct wk_exec *x = r->x;
	struct wk_instance *instance = x->instance;
	struct wk_func *func = wk_instance_func(instance, (uint32_t)r->acc);
	const struct wk_deftype *type = wk_registry_get(instance->module->registry, func->type);
	uint32_t header = wk_code_header_slot(type);
	uint64_t *fp = r->fp, *top = x->stack_top;
	x->stack_top = fp + header + 2;
	enum wk_status status = instance->module->native->call(func, fp);
	x->stack_top = top;
	if (status == WK_OK) {
		wk_slow_reload(r);
		r->acc = fp[0];
		r->ip = (const wk_unit *)pointer(fp[header]);
		r->fp = pointer(fp[header + 1]);
		return JUMP;
	}
	if (status == WK_EXCEPTION) {
		const wk_unit *at = caller_of(header, &fp, &instance);
		if (at)
			return unwind_from(r, at, fp, instance);
	}
	x->ended = status;
	x->trap_at = NULL; /* compiled code has told its part */
	return LEAVE;
}

int wk_slow_throw(struct wk_regs *r, const wk_unit *w, uint32_t tag, const uint64_t *payload)
{
	struct wk_exec *x = r->x;
	const struct wk_code_header *header = wk_code_find(x->code, w);
	const struct wk_deftype *type = wk_registry_get(x->instance->module->registry, x->instance->tags[tag]->type);
	uint64_t *top = r->fp + header->frame_slots;
	struct wk_exception *exception = wk_exception_new(x->store, x->instance->tags[tag], top);
	if (!exception)
		return trap(r, w, WK_TRAP_NO_MEMORY);
	memcpy(exception->slots, payload, type->parameter_slots * sizeof *payload);
	x->pending = exception;
	return unwind(r, w);
}

int wk_slow_throw_ref(struct wk_regs *r, const wk_unit *w, uint64_t reference)
{
	if (!reference)
		return trap(r, w, WK_TRAP_NULL_EXCEPTION);
	r->x->pending = (struct wk_exception *)pointer(reference);
	return unwind(r, w);
}

/* ---- copies between two tables or memories; an index is 64 bits wide where its table or memory is, the count where
 * both are ---- */

#define WIDE_IF(wide, i) ((wide) ? r->fp[w[i]] : (uint32_t)r->fp[w[i]])

int wk_slow_table_copy(struct wk_regs *r, const wk_unit *w)
{
	uint32_t to, from;
	memcpy(&to, w + 3, sizeof to);
	memcpy(&from, w + 5, sizeof from);
	struct wk_table **tables = r->x->instance->tables;
	enum wk_trap code = wk_table_copy(tables[to & 0x7fffffff], tables[from & 0x7fffffff], WIDE_IF(to >> 31, 0),
		WIDE_IF(from >> 31, 1), WIDE_IF((to & from) >> 31, 2));
	return code ? trap(r, w, code) : NEXT;
}

int wk_slow_memory_copy(struct wk_regs *r, const wk_unit *w)
{
	uint32_t to, from;
	memcpy(&to, w + 3, sizeof to);
	memcpy(&from, w + 5, sizeof from);
	struct wk_memory **memories = r->x->instance->memories;
	enum wk_trap code = wk_memory_copy(memories[to & 0x7fffffff], memories[from & 0x7fffffff], WIDE_IF(to >> 31, 0),
		WIDE_IF(from >> 31, 1), WIDE_IF((to & from) >> 31, 2));
	return code ? trap(r, w, code) : NEXT;
}
