/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter as an engine: code tables, calls from the host, and what a trap reports.
 *
 * A call from the host puts one frame at exec->stack_top whose return address is the instruction `leave`. Nothing of the
 * host's is in the guest's frames, and the loop never recurses: only host functions do.
 */
#include "base/checked.h"
#include "base/report.h"
#include "interp/interp.h"
#include "interp/slow.h"

/* ---- code tables ---- */

static size_t code_size(const struct wk_module *module)
{
	return sizeof(struct wk_code) + module->func_count * sizeof(const wk_unit *);
}

/* What a function's code will take, at most but for odd ones: a byte makes 1.2 to 1.4. */
static uint64_t estimate(const struct wk_function_decl *decl)
{
	return (uint64_t)decl->size + decl->size / 2 + 48;
}

static bool is_native(const struct wk_module *module, bool metering, uint32_t function)
{
	return wk_native_serves(module, metering) && module->native->has[function];
}

/* Where memory is limited, what the code of all functions will take is set aside: else a guest that takes all there is
 * would trap at the next function that it calls for the first time. What the heap has in reserve counts for it. Where
 * there is not so much, the module runs all the same. */
static void estimate_all(struct wk_code *code)
{
	const struct wk_module *module = code->module;
	uint64_t largest = 0;

	code->to_come = 16384;
	for (uint32_t i = module->imported_funcs; i < module->func_count; i++) {
		if (is_native(module, code->metering, i))
			continue;
		code->to_come += estimate(&module->funcs[i]);
		if (module->funcs[i].size > largest)
			largest = module->funcs[i].size;
	}
	code->to_come += 2 * largest; /* the buffer */
}

void wk_code_promise(struct wk_code *code)
{
	struct wk_keep *keep = code->module->keep;
	uint64_t in_use = __atomic_load_n(&keep->in_use.used, __ATOMIC_RELAXED);
	uint64_t reserve = keep->own_heap.capacity > in_use ? keep->own_heap.capacity - in_use : 0;
	uint64_t bytes = code->to_come > reserve ? code->to_come - reserve : 0;

	if (keep->root.limit == WK_UNLIMITED || bytes == 0)
		return;
	for (; bytes >= 4096 || bytes == code->to_come; bytes /= 2) {
		if (!wk_budget_charge(&keep->promised, bytes)) {
			code->promised = bytes;
			return;
		}
	}
}

void wk_code_redeem(struct wk_code *code)
{
	wk_budget_return(&code->module->keep->promised, code->promised);
	code->promised = 0;
}

void wk_code_came(struct wk_code *code, uint32_t function)
{
	uint64_t bytes = estimate(&code->module->funcs[function]);

	code->to_come -= bytes < code->to_come ? bytes : code->to_come;
}

static enum wk_status prepare(struct wk_module *module, bool metering, struct wk_report *report)
{
	if (__atomic_load_n(&module->code[metering], __ATOMIC_ACQUIRE))
		return WK_OK;
	struct wk_code *code = wk_alloc(&module->keep->code, code_size(module));
	if (!code)
		return wk_budget_refuse(&module->keep->code, code_size(module), report);
	code->module = module;
	code->metering = metering;
	wk_budget_init(&code->budget, &module->keep->code, "internal code", WK_UNLIMITED, NULL);
	code->fixed = (struct wk_code_fixed){ wk_code_reference(WK_I_translate), wk_code_reference(WK_I_leave),
		wk_code_reference(WK_I_cross), wk_code_reference(WK_I_native) };
	for (uint32_t i = 0; i < module->func_count; i++)
		code->entry[i] = is_native(module, metering, i) ? &code->fixed.native : &code->fixed.translate;
	void *none = NULL;
	if (!__atomic_compare_exchange_n(&module->code[metering], &none, (void *)code, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_ACQUIRE)) {
		/* Another thread was first. */
		wk_budget_end(&code->budget);
		wk_free(&module->keep->code, code, code_size(module));
	} else {
		wk_port_lock(&code->lock);
		estimate_all(code);
		wk_code_promise(code);
		wk_port_unlock(&code->lock);
	}
	return WK_OK;
}

static void free_module(struct wk_module *module)
{
	for (int i = 0; i < 2; i++) {
		if (!module->code[i])
			continue;
		struct wk_code *code = module->code[i];
		wk_code_redeem(code);
		wk_code_end(code);
		wk_budget_end(&code->budget);
		wk_free(&module->keep->code, code, code_size(module));
		module->code[i] = NULL;
	}
}

static enum wk_status translate(struct wk_module *module, bool metering, struct wk_report *report)
{
	struct wk_code *code = module->code[metering];
	wk_port_lock(&code->lock);
	enum wk_status status = WK_OK;
	for (uint32_t i = module->imported_funcs; i < module->func_count && status == WK_OK; i++)
		if (code->entry[i] == &code->fixed.translate)
			status = wk_translate(code, i, report);
	wk_port_unlock(&code->lock);
	return status;
}

uint64_t wk_interp_code_bytes(const struct wk_module *module, bool metering)
{
	const struct wk_code *code = module->code[metering];
	return code ? code->units * sizeof(wk_unit) : 0;
}

/* ---- traps ---- */

static void add_frame(struct wk_report *report, struct wk_code *code, const struct wk_code_header *header,
	const wk_unit *at)
{
	report->frame_total++;
	if (report->frame_count == WK_REPORT_FRAMES)
		return;
	struct wk_frame *frame = &report->frames[report->frame_count++];
	frame->function = header->function;
	wk_port_lock(&code->lock);
	frame->offset = wk_native_offset(code->module, header->function,
		wk_translate_locate(code, header->function, (uint32_t)(at - wk_code_start(header))));
	wk_port_unlock(&code->lock);
	struct wk_span name = wk_module_function_name(code->module, header->function);
	wk_format(frame->name, sizeof frame->name, "%S", &name);
}

/* Walks the frames from the innermost to the one that the host called. */
static void backtrace(const struct wk_exec *x, struct wk_report *report)
{
	const struct wk_instance *instance = x->instance;
	const uint64_t *fp = x->trap_frame;
	const wk_unit *at = x->trap_at;
	bool trapped = true; /* then `at` is behind the handler's unit, perhaps already in the next function */
	const wk_unit leave = wk_code_reference(WK_I_leave), cross = wk_code_reference(WK_I_cross);
	for (;;) {
		struct wk_code *code = instance->module->code[x->store->metering];
		const struct wk_code_header *header = wk_code_find(code, trapped ? at - 1 : at);
		trapped = false;
		if (!header)
			return;
		add_frame(report, code, header, at);
		const wk_unit *back = (const wk_unit *)(uintptr_t)fp[header->header_slot];
		fp = (const uint64_t *)(uintptr_t)fp[header->header_slot + 1];
		if (*back == cross) {
			back = (const wk_unit *)(uintptr_t)fp[0];
			instance = (const struct wk_instance *)(uintptr_t)fp[2];
			fp = (const uint64_t *)(uintptr_t)fp[1];
		}
		if (*back == leave)
			return;
		at = back - 1;
	}
}

static void report_trap(struct wk_exec *x)
{
	struct wk_report *report = x->report;
	if (!report || report->frame_total)
		return; /* an inner call has told already */
	wk_report_set(report, WK_TRAP, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", wk_trap_text(x->trap));
	report->trap = x->trap;
	if (!x->trap_at)
		return;
	backtrace(x, report);
	if (report->frame_count) {
		report->offset = report->frames[0].offset;
		report->function = report->frames[0].function;
	}
}

/* ---- calls ---- */

static enum wk_status trap_at_once(struct wk_exec *x, enum wk_trap trap)
{
	x->trap = trap;
	x->trap_at = NULL;
	report_trap(x);
	return WK_TRAP;
}

static enum wk_status call(struct wk_func *func, uint64_t *slots)
{
	struct wk_instance *instance = func->instance;
	struct wk_exec *x = &instance->store->exec;
	const struct wk_deftype *type = wk_registry_get(instance->module->registry, func->type);
	uint32_t header = wk_code_header_slot(type);
	uint64_t *frame = x->stack_top;
	x->trap = WK_TRAP_NONE;
	if (wk_exec_interrupted(x))
		return trap_at_once(x, WK_TRAP_INTERRUPTED);
	if (frame > x->stack_end || (size_t)(x->stack_end - frame) < (size_t)header + 2)
		return trap_at_once(x, WK_TRAP_STACK_EXHAUSTED);
	if (!wk_stack_reach(x->store, frame + header + 2))
		return trap_at_once(x, wk_stack_trap(x->store, frame + header + 2));

	struct wk_instance *outer_instance = x->instance;
	uint64_t **outer_cells = x->global_cells;
	void *outer_code = x->code;
	const struct wk_code *code = instance->module->code[x->store->metering];
	x->instance = instance;
	x->global_cells = instance->global_cells;
	x->code = instance->module->code[x->store->metering];
	memcpy(frame, slots, type->parameter_slots * sizeof *frame);
	frame[header] = (uint64_t)(uintptr_t)&code->fixed.leave;
	frame[header + 1] = 0;
	struct wk_entered outer = wk_exec_enter(x, func);
	wk_dispatch(__atomic_load_n(&code->entry[func->index], __ATOMIC_ACQUIRE), frame, x, func->index);
	wk_exec_leave(x, outer);

	enum wk_status status = x->ended;
	if (status == WK_OK)
		memcpy(slots, frame, type->result_slots * sizeof *slots);
	else if (status == WK_TRAP)
		report_trap(x);
	x->instance = outer_instance;
	x->global_cells = outer_cells;
	x->code = outer_code;
	x->stack_top = frame;
	return status;
}

const struct wk_engine wk_interp_engine = { prepare, translate, call, free_module };
