/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks as bytes:
 *
 *	flags, then counts of: arguments of the call, strings of the command line, variables, folders, sockets (32 bits each)
 *	fuel, stack size, limit of memory (64 bits each)
 *	values: kind (32 bits) and 16 bytes each; sockets: 32 bits each; folders: 32 bits each, bit 0: read only
 *	texts, each with its NUL: the function if flags say so, command line, variables, of each folder the name here and there
 *
 * What always holds: nothing is allocated by a count before the bytes are there that such a count needs.
 */
#include "remote/task.h"

#include "base/checked.h"
#include "remote/bytes.h"

#define FUEL 1u
#define TRANSLATE 2u
#define INVOKE 4u
#define VALUE_SIZE 20u

struct counts { uint32_t values, arguments, environment, preopens, sockets; };

/* A task with what it points to; behind it the arrays, then the copy of the bytes, where the texts are. */
struct read_task {
	struct wk_task task;
	size_t size;                /* of all */
};

static void write_value(struct wk_writer *w, const struct wk_value *value)
{
	uint8_t bytes[16] = { 0 };

	if (value->kind == WK_V128)
		memcpy(bytes, value->of.v128, 16);
	else if (value->kind == WK_I32 || value->kind == WK_F32)
		memcpy(bytes, &value->of.i32, 4);
	else
		memcpy(bytes, &value->of.i64, 8);
	wk_write32(w, (uint32_t)value->kind);
	wk_write(w, bytes, sizeof bytes);
}

/* References are null or not, but an externref is any number; `null`: they must be null. */
static bool read_value(struct wk_reader *r, struct wk_value *value, bool null)
{
	uint32_t kind = wk_read32(r);
	const uint8_t *bytes = wk_read(r, 16);

	if (!bytes || kind < WK_I32 || kind > WK_ANYREF)
		return false;
	*value = (struct wk_value){ .kind = (enum wk_kind)kind };
	switch (value->kind) {
	case WK_V128:
		memcpy(value->of.v128, bytes, 16);
		break;
	case WK_I32:
	case WK_F32:
		memcpy(&value->of.i32, bytes, 4);
		break;
	case WK_I64:
	case WK_F64:
	case WK_EXTERNREF:
		memcpy(&value->of.i64, bytes, 8);
		break;
	default:
		memcpy(&value->of.i64, bytes, 8);
		value->of.ref = value->of.ref != 0;
		return !null || value->of.ref == 0;
	}
	return true;
}

size_t wk_task_write(const struct wk_task *task, uint8_t *buffer, size_t room)
{
	const struct wk_program_config *program = &task->program;
	const struct wk_wasi_config *wasi = &task->wasi;
	struct wk_writer w = { buffer, room, 0 };

	wk_write32(&w, (program->store.fuel ? FUEL : 0) | (program->translate ? TRANSLATE : 0) | (task->invoke ? INVOKE : 0));
	wk_write32(&w, (uint32_t)task->argument_count);
	wk_write32(&w, (uint32_t)wasi->argument_count);
	wk_write32(&w, (uint32_t)wasi->environment_count);
	wk_write32(&w, (uint32_t)wasi->preopen_count);
	wk_write32(&w, (uint32_t)wasi->socket_count);
	wk_write64(&w, program->fuel);
	wk_write64(&w, program->store.stack_size);
	wk_write64(&w, program->store.memory_limit);
	for (size_t i = 0; i < task->argument_count; i++)
		write_value(&w, &task->arguments[i]);
	for (size_t i = 0; i < wasi->socket_count; i++)
		wk_write32(&w, (uint32_t)wasi->sockets[i]);
	for (size_t i = 0; i < wasi->preopen_count; i++)
		wk_write32(&w, wasi->preopens[i].read_only);
	if (task->invoke)
		wk_write_text(&w, task->invoke);
	for (size_t i = 0; i < wasi->argument_count; i++)
		wk_write_text(&w, wasi->arguments[i]);
	for (size_t i = 0; i < wasi->environment_count; i++)
		wk_write_text(&w, wasi->environment[i]);
	for (size_t i = 0; i < wasi->preopen_count; i++) {
		wk_write_text(&w, wasi->preopens[i].host);
		wk_write_text(&w, wasi->preopens[i].guest ? wasi->preopens[i].guest : wasi->preopens[i].host);
	}
	return w.used;
}

/* ---- reading ---- */

static enum wk_status refuse(struct wk_report *report, const char *what)
{
	return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, "bad argument: a task's %s", what);
}

/* Each item takes some bytes, so no count is larger than what is left. */
static bool read_counts(struct wk_reader *r, struct counts *counts)
{
	counts->values = wk_read32(r);
	counts->arguments = wk_read32(r);
	counts->environment = wk_read32(r);
	counts->preopens = wk_read32(r);
	counts->sockets = wk_read32(r);
	uint64_t left = (uint64_t)(r->end - r->at);
	uint64_t least = (uint64_t)counts->values * VALUE_SIZE + counts->arguments + counts->environment +
		(uint64_t)counts->preopens * 6 + (uint64_t)counts->sockets * 4;
	return !r->short_ && counts->values <= WK_TASK_VALUES && least <= left;
}

static size_t arrays_size(const struct counts *c)
{
	return c->values * sizeof(struct wk_value) + ((size_t)c->arguments + c->environment) * sizeof(char *) +
		c->preopens * sizeof(struct wk_wasi_preopen) + c->sockets * sizeof(int) + 16;
}

static const char *const *read_texts(struct wk_reader *r, const char **to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = wk_read_text(r);
	return to;
}

static enum wk_status read_into(struct wk_task *task, struct wk_reader *r, uint32_t flags, const struct counts *c,
	uint8_t *arrays, struct wk_report *report)
{
	struct wk_value *values = (void *)arrays;
	struct wk_wasi_preopen *preopens = (void *)(values + c->values);
	const char **texts = (void *)(preopens + c->preopens);
	int *sockets = (void *)(texts + c->arguments + c->environment);

	task->program = (struct wk_program_config){ .store = { .fuel = flags & FUEL }, .translate = flags & TRANSLATE,
		.wasi = &task->wasi };
	task->program.fuel = wk_read64(r);
	task->program.store.stack_size = wk_read64(r);
	task->program.store.memory_limit = wk_read64(r);
	for (uint32_t i = 0; i < c->values; i++)
		if (!read_value(r, &values[i], true))
			return refuse(report, "argument is no value that can be passed");
	for (uint32_t i = 0; i < c->sockets; i++)
		sockets[i] = (int)(wk_read32(r) & INT32_MAX);
	for (uint32_t i = 0; i < c->preopens; i++)
		preopens[i].read_only = wk_read32(r) != 0;
	task->invoke = flags & INVOKE ? wk_read_text(r) : NULL;
	task->arguments = values;
	task->argument_count = c->values;
	task->wasi = (struct wk_wasi_config){ .arguments = read_texts(r, texts, c->arguments),
		.argument_count = c->arguments, .environment_count = c->environment, .preopens = preopens,
		.preopen_count = c->preopens, .sockets = sockets, .socket_count = c->sockets };
	task->wasi.environment = read_texts(r, texts + c->arguments, c->environment);
	for (uint32_t i = 0; i < c->preopens; i++) {
		preopens[i].host = wk_read_text(r);
		preopens[i].guest = wk_read_text(r);
	}
	return r->short_ || r->at != r->end ? refuse(report, "bytes are too few or too many") : WK_OK;
}

enum wk_status wk_task_read(struct wk_budget *budget, const uint8_t *bytes, size_t size, struct wk_report *report,
	struct wk_task **task)
{
	struct counts counts = { 0 };
	struct read_task *made;
	struct wk_reader reader;
	uint8_t *copy;
	uint32_t flags;
	size_t whole;
	enum wk_status status;

	if (size > WK_TASK_MAX)
		return refuse(report, "bytes are too many");
	copy = wk_alloc(budget, size);
	if (!copy)
		return wk_budget_refuse(budget, size, report);
	memcpy(copy, bytes, size);
	reader = (struct wk_reader){ copy, copy + size, false };
	flags = wk_read32(&reader);
	if (!read_counts(&reader, &counts) || flags > (FUEL | TRANSLATE | INVOKE)) {
		wk_free(budget, copy, size);
		return refuse(report, "flags or counts are wrong");
	}
	/* One block for all: the arrays' sizes are known now. */
	whole = sizeof *made + arrays_size(&counts) + size;
	made = wk_alloc(budget, whole);
	if (!made) {
		wk_free(budget, copy, size);
		return wk_budget_refuse(budget, whole, report);
	}
	uint8_t *arrays = (uint8_t *)(made + 1), *texts = arrays + arrays_size(&counts);
	memcpy(texts, copy, size);
	reader.at = texts + (reader.at - copy);
	reader.end = texts + size;
	wk_free(budget, copy, size);
	made->size = whole;
	status = read_into(&made->task, &reader, flags, &counts, arrays, report);
	if (status != WK_OK) {
		wk_free(budget, made, whole);
		return status;
	}
	*task = &made->task;
	return WK_OK;
}

void wk_task_free(struct wk_budget *budget, struct wk_task *task)
{
	if (task)
		wk_free(budget, task, ((struct read_task *)(void *)task)->size);
}

/* ---- outcomes ---- */

static void write_refusal(struct wk_writer *w, const struct wk_refusal *refusal)
{
	wk_write32(w, (uint32_t)refusal->limit);
	wk_write64(w, refusal->asked);
	wk_write64(w, refusal->used);
	wk_write64(w, refusal->value);
	wk_write_text(w, refusal->limit != WK_LIMIT_NONE ? refusal->subject : "");
}

static bool read_refusal(struct wk_reader *r, struct wk_refusal *refusal, char subject[WK_SUBJECT_MAX])
{
	uint32_t limit = wk_read32(r);

	refusal->limit = (enum wk_limit_kind)limit;
	refusal->asked = wk_read64(r);
	refusal->used = wk_read64(r);
	refusal->value = wk_read64(r);
	refusal->subject = subject;
	return limit < WK_LIMIT_KIND_COUNT && wk_read_text_to(r, subject, WK_SUBJECT_MAX);
}

static void write_report(struct wk_writer *w, const struct wk_report *report)
{
	wk_write32(w, (uint32_t)report->status);
	wk_write32(w, (uint32_t)report->trap);
	wk_write64(w, report->offset);
	wk_write32(w, report->function);
	wk_write32(w, report->frame_count);
	wk_write64(w, report->frame_total);
	write_refusal(w, &report->refusal);
	wk_write_text(w, report->text);
	for (uint32_t i = 0; i < report->frame_count; i++) {
		wk_write32(w, report->frames[i].function);
		wk_write64(w, report->frames[i].offset);
		wk_write_text(w, report->frames[i].name);
	}
}

static bool read_report(struct wk_reader *r, struct wk_report *report, char subject[WK_SUBJECT_MAX])
{
	uint32_t status = wk_read32(r), trap = wk_read32(r);

	wk_report_clear(report);
	report->status = (enum wk_status)status;
	report->trap = (enum wk_trap)trap;
	report->offset = wk_read64(r);
	report->function = wk_read32(r);
	report->frame_count = wk_read32(r);
	report->frame_total = wk_read64(r);
	if (status >= WK_STATUS_COUNT || trap >= WK_TRAP_COUNT || report->frame_count > WK_REPORT_FRAMES ||
		!read_refusal(r, &report->refusal, subject) || !wk_read_text_to(r, report->text, sizeof report->text))
		return false;
	for (uint32_t i = 0; i < report->frame_count; i++) {
		report->frames[i].function = wk_read32(r);
		report->frames[i].offset = wk_read64(r);
		if (!wk_read_text_to(r, report->frames[i].name, sizeof report->frames[i].name))
			return false;
	}
	return !r->short_;
}

size_t wk_report_write(const struct wk_report *report, uint8_t *buffer, size_t room)
{
	struct wk_writer w = { buffer, room, 0 };

	write_report(&w, report);
	return w.used;
}

bool wk_report_read(const uint8_t *bytes, size_t size, struct wk_report *report, char subject[WK_SUBJECT_MAX])
{
	struct wk_reader r = { bytes, bytes + size, false };

	return read_report(&r, report, subject);
}

size_t wk_outcome_write(const struct wk_report *report, bool exited, uint32_t exit_code, uint64_t fuel,
	const struct wk_value *results, uint32_t result_count, uint8_t *buffer, size_t room)
{
	struct wk_writer w = { buffer, room, 0 };

	write_report(&w, report);
	wk_write32(&w, exited);
	wk_write32(&w, exit_code);
	wk_write64(&w, fuel);
	wk_write32(&w, result_count);
	for (uint32_t i = 0; i < result_count; i++) {
		struct wk_value value = results[i];

		/* An address of the keep's is nothing to tell. */
		if (value.kind == WK_FUNCREF || value.kind == WK_EXNREF)
			value.of.ref = value.of.ref != 0;
		write_value(&w, &value);
	}
	return w.used;
}

bool wk_outcome_read(const uint8_t *bytes, size_t size, struct wk_outcome *outcome)
{
	struct wk_reader r = { bytes, bytes + size, false };

	if (!read_report(&r, &outcome->report, outcome->subject))
		return false;
	outcome->exited = wk_read32(&r) != 0;
	outcome->exit_code = wk_read32(&r);
	outcome->fuel = wk_read64(&r);
	outcome->result_count = wk_read32(&r);
	if (outcome->result_count > WK_TASK_VALUES)
		return false;
	for (uint32_t i = 0; i < outcome->result_count; i++)
		if (!read_value(&r, &outcome->results[i], false))
			return false;
	return !r.short_;
}

/* ---- accounts ---- */

size_t wk_account_write(struct wk_keep *keep, uint8_t *buffer, size_t room)
{
	struct wk_memory_node nodes[WK_MEMORY_NODES];
	struct wk_writer w = { buffer, room, 0 };
	struct wk_refusal refusal = { 0 };
	uint64_t refusals = 0;
	struct wk_usage u;
	uint32_t count = wk_keep_memory(keep, nodes, WK_MEMORY_NODES);

	wk_keep_usage(keep, &u);
	(void)wk_keep_refusal(keep, &refusal, &refusals);
	wk_write32(&w, count);
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t figures[] = { nodes[i].used, nodes[i].peak, nodes[i].limit, nodes[i].moved };

		wk_write_text(&w, nodes[i].name);
		wk_write32(&w, nodes[i].depth);
		wk_write(&w, figures, sizeof figures);
	}
	write_refusal(&w, &refusal);
	wk_write64(&w, refusals);
	const uint64_t usage[] = { u.heap_used, u.heap_peak, u.bytes_used, u.bytes_peak, u.pages_used, u.pages_peak,
		u.allocations };
	wk_write(&w, usage, sizeof usage);
	return w.used;
}

bool wk_account_read(const uint8_t *bytes, size_t size, struct wk_account *account)
{
	struct wk_reader r = { bytes, bytes + size, false };
	struct wk_usage *u = &account->usage;

	account->count = wk_read32(&r);
	if (account->count > WK_MEMORY_NODES)
		return false;
	for (uint32_t i = 0; i < account->count; i++) {
		struct wk_memory_node *node = &account->nodes[i];

		if (!wk_read_text_to(&r, account->names[i], sizeof account->names[i]))
			return false;
		node->name = account->names[i];
		node->depth = wk_read32(&r);
		node->used = wk_read64(&r);
		node->peak = wk_read64(&r);
		node->limit = wk_read64(&r);
		node->moved = wk_read64(&r);
	}
	if (!read_refusal(&r, &account->refusal, account->subject))
		return false;
	account->refusals = wk_read64(&r);
	uint64_t *const usage[] = { &u->heap_used, &u->heap_peak, &u->bytes_used, &u->bytes_peak, &u->pages_used,
		&u->pages_peak, &u->allocations };
	for (size_t i = 0; i < WK_COUNT(usage); i++)
		*usage[i] = wk_read64(&r);
	return !r.short_;
}
