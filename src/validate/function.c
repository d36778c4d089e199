/* SPDX-License-Identifier: Apache-2.0
 *
 * Function bodies: one pass over the bytes (specification 3.5.2, 5.5.13). Here are the local declarations and the loop
 * with its short cuts for what compilers emit most; whatever a short cut does not recognise goes the long way, which
 * gives the same answers.
 *
 * Cost is linear in the bytes of the body whatever they say: locals are declared in runs, and a run of 50,000 takes two
 * bytes. So no more of them are written out than the body has bytes (nobody could name more one by one); the types of
 * others are found by searching the runs.
 */
#include "validate/validator.h"

/* ---- locals ---- */

static bool add_run(struct wk_validator *v, uint32_t end, wk_valtype type)
{
	if (v->run_count == v->run_capacity) {
		void *runs = v->runs;

		if (!wk_validator_grow(v, &runs, &v->run_capacity, v->run_count + 1, 16, sizeof *v->runs))
			return false;
		v->runs = runs;
	}
	v->runs[v->run_count++] = (struct wk_local_run){ end, type };
	return true;
}

/* Reads the declarations into runs. More than 2^32 locals are malformed, more than we take is a limit. */
static bool read_runs(struct wk_validator *v, uint64_t *slots)
{
	uint64_t total = v->function_type->parameter_count;
	uint32_t declarations = 0;
	bool fits = true;

	*slots = v->function_type->parameter_slots;
	v->run_count = 0;
	if (!wk_validator_read(v, wk_read_count(&v->reader, 2, UINT32_MAX, "local declarations", &declarations)))
		return false;
	for (uint32_t i = 0; i < declarations; i++) {
		uint32_t count = 0;
		wk_valtype type = 0;

		v->instruction = v->reader.at;
		if (!wk_validator_read(v, wk_read_u32(&v->reader, &count)) ||
			!wk_validator_read(v, wk_read_valtype(&v->reader, &v->scope, &type)))
			return false;
		total += count;
		*slots += (uint64_t)count * wk_slots_of(type);
		if (total > UINT32_MAX)
			return wk_validator_fail(v, WK_MALFORMED, "too many locals");
		fits = fits && total <= WK_MAX_LOCALS;
		if (fits && count != 0 && !add_run(v, (uint32_t)total, type))
			return false;
	}
	v->local_count = (uint32_t)total;
	if (fits)
		return true;
	v->status = wk_report_set(v->reader.report, WK_LIMIT, (uint64_t)(v->instruction - v->reader.base),
		v->reader.function, "too many locals: %u, at most %u", v->local_count, WK_MAX_LOCALS);
	return false;
}

/* Writes out the types of the first locals. */
static bool flatten(struct wk_validator *v, size_t body_size)
{
	uint32_t parameters = v->function_type->parameter_count, at;
	size_t most = body_size + 64;

	v->flat_count = v->local_count < most ? v->local_count : (uint32_t)most;
	if (v->flat_count > v->local_capacity) {
		void *locals = v->locals;

		if (!wk_validator_grow(v, &locals, &v->local_capacity, v->flat_count, 256, sizeof *v->locals))
			return false;
		v->locals = locals;
	}
	at = parameters < v->flat_count ? parameters : v->flat_count;
	for (uint32_t i = 0; i < at; i++)
		v->locals[i] = v->function_type->types[i];
	for (uint32_t i = 0; i < v->run_count && at < v->flat_count; i++)
		while (at < v->runs[i].end && at < v->flat_count)
			v->locals[at++] = v->runs[i].type;
	return true;
}

static wk_valtype search_local(const struct wk_validator *v, uint32_t index)
{
	uint32_t low = 0, high = v->run_count;

	if (index < v->function_type->parameter_count)
		return v->function_type->types[index];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index < v->runs[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return v->runs[low].type;
}

/* Only locals declared without a default value need care; parameters always have a value. */
static bool needs_init(const struct wk_validator *v, uint32_t index, wk_valtype type)
{
	return !wk_is_defaultable(type) && index >= v->function_type->parameter_count;
}

static bool is_init(const struct wk_validator *v, uint32_t index)
{
	return index < v->stamp_capacity && v->stamps[index] == v->stamp;
}

static bool mark_init(struct wk_validator *v, uint32_t index)
{
	void *array;

	if (is_init(v, index))
		return true;
	if (index >= v->stamp_capacity) {
		array = v->stamps;
		if (!wk_validator_grow(v, &array, &v->stamp_capacity, index + 1, 32, sizeof *v->stamps))
			return false;
		v->stamps = array;
	}
	if (v->init_count == v->init_capacity) {
		array = v->inits;
		if (!wk_validator_grow(v, &array, &v->init_capacity, v->init_count + 1, 32, sizeof *v->inits))
			return false;
		v->inits = array;
	}
	v->stamps[index] = v->stamp;
	v->inits[v->init_count++] = index;
	return true;
}

static bool local_instruction(struct wk_validator *v, uint8_t code)
{
	wk_valtype type;
	uint32_t index = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &index)))
		return false;
	if (index >= v->local_count)
		return wk_validator_unknown(v, "unknown local", index);
	type = index < v->flat_count ? v->locals[index] : search_local(v, index);
	if (code == WK_OP_LOCAL_GET) {
		if (needs_init(v, index, type) && !is_init(v, index))
			return wk_validator_fail(v, WK_INVALID, "uninitialized local");
		return wk_operand_push(v, type);
	}
	if (!wk_operand_pop(v, type) || (needs_init(v, index, type) && !mark_init(v, index)))
		return false;
	return code == WK_OP_LOCAL_SET || wk_operand_push(v, type);
}

/* ---- short cuts ---- */

/* The type of a local named by one byte, when that says everything; else WK_TYPE_BOTTOM, and nothing is read. */
static inline wk_valtype short_local(struct wk_validator *v)
{
	const uint8_t *at = v->reader.at;
	wk_valtype type;

	if (at == v->reader.end || *at >= 0x80 || *at >= v->flat_count)
		return WK_TYPE_BOTTOM;
	type = v->locals[*at];
	if (wk_is_ref(type))
		return WK_TYPE_BOTTOM;
	v->reader.at = at + 1;
	return type;
}

static inline bool get_local(struct wk_validator *v)
{
	wk_valtype type = short_local(v);

	return type != WK_TYPE_BOTTOM ? wk_operand_push(v, type) : local_instruction(v, WK_OP_LOCAL_GET);
}

static inline bool set_local(struct wk_validator *v)
{
	wk_valtype type = short_local(v);

	return type != WK_TYPE_BOTTOM ? wk_operand_pop(v, type) : local_instruction(v, WK_OP_LOCAL_SET);
}

static inline bool tee_local(struct wk_validator *v)
{
	wk_valtype type = short_local(v);

	if (type == WK_TYPE_BOTTOM)
		return local_instruction(v, WK_OP_LOCAL_TEE);
	return wk_operand_pop(v, type) && wk_operand_push(v, type);
}

/* Integer constants of up to four bytes are in range for both types; longer ones are checked digit by digit. */
static inline bool constant(struct wk_validator *v, wk_valtype type, uint8_t code)
{
	const uint8_t *at = v->reader.at;

	if (v->reader.end - at < 4)
		return wk_validate_other(v, &wk_opcodes[code]);
	for (int i = 0; i < 4; i++) {
		if (at[i] < 0x80) {
			v->reader.at = at + i + 1;
			return wk_operand_push(v, type);
		}
	}
	return wk_validate_other(v, &wk_opcodes[code]);
}

/* Numeric instructions of one byte have one or two operands, one result, and no vectors. */
static inline bool numeric(struct wk_validator *v, uint8_t code)
{
	const struct wk_opcode *opcode = &wk_opcodes[code];
	wk_valtype *sp = v->sp;

	if (opcode->pops == 1) {
		if (sp - v->floor >= 1 && sp[-1] == opcode->in[0]) {
			sp[-1] = opcode->out[0];
			return true;
		}
	} else if (sp - v->floor >= 2 && sp[-1] == opcode->in[1] && sp[-2] == opcode->in[0]) {
		sp[-2] = opcode->out[0];
		v->sp = sp - 1;
		return true;
	}
	return wk_operand_apply(v, opcode, 0);
}

/* A memarg of memory 0 with an offset below 2^14, which every memory takes. */
static inline bool short_memarg(struct wk_validator *v, uint32_t size_log2)
{
	const uint8_t *at = v->reader.at;

	if (v->memory0_address == WK_TYPE_BOTTOM || v->reader.end - at < 3 || at[0] > size_log2 ||
		(at[1] >= 0x80 && at[2] >= 0x80))
		return false;
	v->reader.at = at + (at[1] < 0x80 ? 2 : 3);
	return true;
}

static inline bool load(struct wk_validator *v, uint8_t code)
{
	const struct wk_opcode *opcode = &wk_opcodes[code];

	if (!short_memarg(v, opcode->immediate - (uint32_t)WK_IMM_MEMORY_8))
		return wk_validate_other(v, opcode);
	return wk_operand_pop(v, v->memory0_address) && wk_operand_push(v, opcode->out[0]);
}

static inline bool store(struct wk_validator *v, uint8_t code)
{
	const struct wk_opcode *opcode = &wk_opcodes[code];

	if (!short_memarg(v, opcode->immediate - (uint32_t)WK_IMM_MEMORY_8))
		return wk_validate_other(v, opcode);
	return wk_operand_pop(v, opcode->in[1]) && wk_operand_pop(v, v->memory0_address);
}

/* ---- the loop ---- */

static bool instruction(struct wk_validator *v)
{
	const struct wk_opcode *opcode = NULL;
	uint8_t code = *v->reader.at;

	v->instruction = v->reader.at;
	if (code >= WK_OP_I32_EQZ && code <= WK_OP_I64_EXTEND32_S) {
		v->reader.at++;
		return numeric(v, code);
	}
	if (code >= WK_OP_I32_LOAD && code <= WK_OP_I64_STORE32) {
		v->reader.at++;
		return code < WK_OP_I32_STORE ? load(v, code) : store(v, code);
	}
	switch (code) {
	case WK_OP_LOCAL_GET:
		v->reader.at++;
		return get_local(v);
	case WK_OP_LOCAL_SET:
		v->reader.at++;
		return set_local(v);
	case WK_OP_LOCAL_TEE:
		v->reader.at++;
		return tee_local(v);
	case WK_OP_I32_CONST:
		v->reader.at++;
		return constant(v, WK_TYPE_I32, WK_OP_I32_CONST);
	case WK_OP_I64_CONST:
		v->reader.at++;
		return constant(v, WK_TYPE_I64, WK_OP_I64_CONST);
	case WK_OP_END:
		v->reader.at++;
		return wk_control_end(v);
	case WK_OP_BR:
		v->reader.at++;
		return wk_control_br(v);
	case WK_OP_BR_IF:
		v->reader.at++;
		return wk_control_br_if(v);
	case WK_OP_CALL:
		v->reader.at++;
		return wk_control_call(v);
	case WK_OP_BLOCK:
	case WK_OP_LOOP:
	case WK_OP_IF:
		v->reader.at++;
		return wk_control_block(v, code);
	case WK_OP_DROP:
	case WK_OP_SELECT:
	case WK_OP_GLOBAL_GET:
	case WK_OP_GLOBAL_SET:
		v->reader.at++;
		return wk_validate_other(v, &wk_opcodes[code]);
	default:
		return wk_validator_read(v, wk_read_opcode(&v->reader, &opcode)) && wk_validate_other(v, opcode);
	}
}

static bool begin_function(struct wk_validator *v, uint32_t index)
{
	const struct wk_function_decl *function = &v->module->funcs[index];
	uint64_t slots = 0;

	v->reader.at = v->module->bytes.data + function->body;
	v->reader.end = v->reader.at + function->size;
	v->reader.function = index;
	v->instruction = v->reader.at;
	v->function_type = wk_module_func_type(v->module, index);
	v->stamp = index + 1;
	v->init_count = 0;
	if (!read_runs(v, &slots) || !flatten(v, function->size))
		return false;
	if (slots > WK_MAX_FRAME_SLOTS)
		return wk_validator_fail(v, WK_LIMIT, "too large a frame: the locals take more slots than a frame has");
	/* Entry 0 of the stack is never used, so that `high` can be one entry below the first. */
	v->sp = v->floor = v->stack + 1;
	v->vectors = 0;
	v->max_slots = 1;
	v->high = v->sp;
	v->slot_limit = WK_MAX_FRAME_SLOTS - (uint32_t)slots + 1;
	v->depth = 0;
	return wk_control_push(v, WK_CONTROL_BODY, v->function_type, WK_TYPE_BOTTOM);
}

bool wk_validate_function(struct wk_validator *v, uint32_t index)
{
	if (!begin_function(v, index))
		return false;
	while (v->depth != 0) {
		if (v->reader.at == v->reader.end) {
			v->status = wk_reader_ended(&v->reader);
			return false;
		}
		if (!instruction(v))
			return false;
	}
	v->instruction = v->reader.at;
	if (v->reader.at != v->reader.end)
		return wk_validator_fail(v, WK_MALFORMED, "section size mismatch: bytes are left behind the function's end");
	v->module->funcs[index].max_slots = v->max_slots - 1;
	return true;
}
