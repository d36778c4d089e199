/* SPDX-License-Identifier: Apache-2.0
 *
 * Instructions whose types the table alone does not give, or whose immediates need checks: memories, tables, segments,
 * references, lanes (specification 3.4.2 to 3.4.14). Everything that is not control, a local, or hot.
 */
#include "validate/validator.h"

/* ---- indices ---- */

static bool read_index(struct wk_validator *v, uint32_t *index)
{
	return wk_validator_read(v, wk_read_u32(&v->reader, index));
}

static bool read_memory(struct wk_validator *v, const struct wk_memory_type **memory)
{
	uint32_t index = 0;

	if (!read_index(v, &index))
		return false;
	if (index >= v->module->memory_count)
		return wk_validator_unknown(v, "unknown memory", index);
	*memory = &v->module->memories[index];
	return true;
}

static bool read_table(struct wk_validator *v, const struct wk_table_type **table)
{
	uint32_t index = 0;

	if (!read_index(v, &index))
		return false;
	if (index >= v->module->table_count)
		return wk_validator_unknown(v, "unknown table", index);
	*table = &v->module->tables[index].type;
	return true;
}

static bool find_element(struct wk_validator *v, uint32_t index, const struct wk_element_segment **segment)
{
	if (index >= v->module->element_count)
		return wk_validator_unknown(v, "unknown elem segment", index);
	*segment = &v->module->elements[index];
	return true;
}

/* One pass over the code can check data indices only when their number was said before it (5.5.15). */
static bool check_data(struct wk_validator *v, uint32_t index)
{
	if (!v->module->has_data_count)
		return wk_validator_fail(v, WK_MALFORMED, "data count section required");
	return index < v->module->data_count || wk_validator_unknown(v, "unknown data segment", index);
}

/* ---- memory ---- */

bool wk_validate_memarg(struct wk_validator *v, uint32_t size_log2, wk_valtype *address)
{
	const struct wk_limits *limits;
	uint32_t flags = 0, index = 0;
	uint64_t offset = 0;

	if (!wk_validator_read(v, wk_read_u32(&v->reader, &flags)))
		return false;
	if (flags >= 0x80)
		return wk_validator_fail(v, WK_MALFORMED, "malformed memop flags");
	if ((flags & 0x40) != 0 && !read_index(v, &index))
		return false;
	if (index >= v->module->memory_count)
		return wk_validator_unknown(v, "unknown memory", index);
	if ((flags & 0x3f) > size_log2)
		return wk_validator_fail(v, WK_INVALID, "alignment must not be larger than natural");
	if (!wk_validator_read(v, wk_read_unsigned(&v->reader, 64, &offset)))
		return false;
	limits = &v->module->memories[index].limits;
	if (!limits->is64 && offset > UINT32_MAX)
		return wk_validator_fail(v, WK_INVALID, "offset out of range");
	*address = wk_address_type(limits);
	return true;
}

static bool access_memory(struct wk_validator *v, const struct wk_opcode *opcode)
{
	wk_valtype address = 0;

	return wk_validate_memarg(v, opcode->immediate - (uint32_t)WK_IMM_MEMORY_8, &address) &&
		wk_operand_apply(v, opcode, address);
}

static bool check_lane(struct wk_validator *v, uint32_t lanes)
{
	uint8_t lane = 0;

	if (!wk_validator_read(v, wk_read_byte(&v->reader, &lane)))
		return false;
	return lane < lanes || wk_validator_fail(v, WK_INVALID, "invalid lane index");
}

static bool access_lane(struct wk_validator *v, const struct wk_opcode *opcode)
{
	uint32_t size_log2 = opcode->immediate - (uint32_t)WK_IMM_LANE_MEMORY_8;
	wk_valtype address = 0;

	return wk_validate_memarg(v, size_log2, &address) && check_lane(v, 16u >> size_log2) &&
		wk_operand_apply(v, opcode, address);
}

static bool shuffle(struct wk_validator *v, const struct wk_opcode *opcode)
{
	for (int i = 0; i < 16; i++)
		if (!check_lane(v, 32))
			return false;
	return wk_operand_apply(v, opcode, 0);
}

static bool memory_instruction(struct wk_validator *v, const struct wk_opcode *opcode)
{
	const struct wk_memory_type *memory = NULL;

	if (opcode->code == WK_OP_MEMORY_SIZE || opcode->code == WK_OP_MEMORY_GROW)
		v->module->asks_memory_size = true;
	return read_memory(v, &memory) && wk_operand_apply(v, opcode, wk_address_type(&memory->limits));
}

/* The length of a copy is an i64 only when both sides are (3.4.12). */
static bool pop_copy(struct wk_validator *v, const struct wk_limits *to, const struct wk_limits *from)
{
	wk_valtype length = to->is64 && from->is64 ? WK_TYPE_I64 : WK_TYPE_I32;

	return wk_operand_pop(v, length) && wk_operand_pop(v, wk_address_type(from)) &&
		wk_operand_pop(v, wk_address_type(to));
}

static bool memory_init(struct wk_validator *v, const struct wk_opcode *opcode)
{
	const struct wk_memory_type *memory = NULL;
	uint32_t data = 0;

	return read_index(v, &data) && read_memory(v, &memory) && check_data(v, data) &&
		wk_operand_apply(v, opcode, wk_address_type(&memory->limits));
}

static bool memory_copy(struct wk_validator *v)
{
	const struct wk_memory_type *to = NULL, *from = NULL;

	return read_memory(v, &to) && read_memory(v, &from) && pop_copy(v, &to->limits, &from->limits);
}

/* ---- tables ---- */

static bool table_copy(struct wk_validator *v)
{
	const struct wk_table_type *to = NULL, *from = NULL;

	if (!read_table(v, &to) || !read_table(v, &from))
		return false;
	if (!wk_type_matches(v->registry, from->element, to->element))
		return wk_validator_fail(v, WK_INVALID, "type mismatch: table.copy between tables of different types");
	return pop_copy(v, &to->limits, &from->limits);
}

static bool table_init(struct wk_validator *v)
{
	const struct wk_element_segment *segment = NULL;
	const struct wk_table_type *table = NULL;
	uint32_t element = 0;

	if (!read_index(v, &element) || !read_table(v, &table) || !find_element(v, element, &segment))
		return false;
	if (!wk_type_matches(v->registry, segment->type, table->element))
		return wk_validator_fail(v, WK_INVALID, "type mismatch: table.init from a segment of another type");
	return wk_operand_pop(v, WK_TYPE_I32) && wk_operand_pop(v, WK_TYPE_I32) &&
		wk_operand_pop(v, wk_address_type(&table->limits));
}

static bool table_instruction(struct wk_validator *v, uint32_t code)
{
	const struct wk_table_type *table = NULL;
	wk_valtype address, element;

	if (!read_table(v, &table))
		return false;
	address = wk_address_type(&table->limits);
	element = table->element;
	switch (code) {
	case WK_OP_TABLE_GET:
		return wk_operand_pop(v, address) && wk_operand_push(v, element);
	case WK_OP_TABLE_SET:
		return wk_operand_pop(v, element) && wk_operand_pop(v, address);
	case WK_OP_TABLE_SIZE:
		return wk_operand_push(v, address);
	case WK_OP_TABLE_GROW:
		return wk_operand_pop(v, address) && wk_operand_pop(v, element) && wk_operand_push(v, address);
	default: /* table.fill */
		return wk_operand_pop(v, address) && wk_operand_pop(v, element) && wk_operand_pop(v, address);
	}
}

/* ---- globals ---- */

static bool global_instruction(struct wk_validator *v, uint32_t code)
{
	const struct wk_global_type *global;
	uint32_t index = 0;

	if (!read_index(v, &index))
		return false;
	if (index >= v->module->global_count)
		return wk_validator_unknown(v, "unknown global", index);
	global = &v->module->globals[index].type;
	if (code == WK_OP_GLOBAL_GET)
		return wk_operand_push(v, global->type);
	if (!global->mutable_)
		return wk_validator_fail(v, WK_INVALID, "immutable global");
	return wk_operand_pop(v, global->type);
}

/* ---- references ---- */

static bool reference_instruction(struct wk_validator *v, uint32_t code)
{
	uint32_t heap = 0, index = 0;
	wk_valtype type = 0;

	switch (code) {
	case WK_OP_REF_NULL:
		return wk_validator_read(v, wk_read_heap_type(&v->reader, &v->scope, &heap)) &&
			wk_operand_push(v, WK_REF | WK_NULLABLE | heap);
	case WK_OP_REF_IS_NULL:
		return wk_operand_pop_ref(v, &type) && wk_operand_push(v, WK_TYPE_I32);
	case WK_OP_REF_AS_NON_NULL:
		return wk_operand_pop_ref(v, &type) && wk_operand_push(v, type & ~WK_NULLABLE);
	default: /* ref.func */
		if (!read_index(v, &index))
			return false;
		if (index >= v->module->func_count)
			return wk_validator_unknown(v, "unknown function", index);
		if (!wk_validator_declared(v, index))
			return wk_validator_fail(v, WK_INVALID, "undeclared function reference");
		return wk_operand_push(v, WK_REF | v->module->funcs[index].type);
	}
}

/* ---- select ---- */

/* Without a type: two operands of one number or vector type (3.4.3). */
static bool select_untyped(struct wk_validator *v)
{
	wk_valtype first = 0, second = 0;

	if (!wk_operand_pop(v, WK_TYPE_I32) || !wk_operand_pop_any(v, &second) || !wk_operand_pop_any(v, &first))
		return false;
	if (wk_is_ref(first) || wk_is_ref(second))
		return wk_validator_fail(v, WK_INVALID, "type mismatch: select without a type takes no references");
	if (first != second && first != WK_TYPE_BOTTOM && second != WK_TYPE_BOTTOM)
		return wk_validator_fail(v, WK_INVALID, "type mismatch: select between different types");
	return wk_operand_push(v, first != WK_TYPE_BOTTOM ? first : second);
}

static bool select_typed(struct wk_validator *v)
{
	uint32_t count = 0;
	wk_valtype type = 0;

	if (!wk_validator_read(v, wk_read_count(&v->reader, 1, UINT32_MAX, "types", &count)))
		return false;
	if (count != 1)
		return wk_validator_fail(v, WK_INVALID, "invalid result arity");
	return wk_validator_read(v, wk_read_valtype(&v->reader, &v->scope, &type)) && wk_operand_pop(v, WK_TYPE_I32) &&
		wk_operand_pop(v, type) && wk_operand_pop(v, type) && wk_operand_push(v, type);
}

/* ---- all ---- */

static bool skip_bytes(struct wk_validator *v, size_t size)
{
	struct wk_span bytes;

	return wk_validator_read(v, wk_read_bytes(&v->reader, size, &bytes));
}

static bool skip_integer(struct wk_validator *v, unsigned bits)
{
	int64_t number;

	return wk_validator_read(v, wk_read_signed(&v->reader, bits, &number));
}

static bool special_instruction(struct wk_validator *v, const struct wk_opcode *opcode)
{
	wk_valtype type = 0;

	switch (opcode->code) {
	case WK_OP_DROP:
		return wk_operand_pop_any(v, &type);
	case WK_OP_SELECT:
		return select_untyped(v);
	case WK_OP_REF_IS_NULL:
	case WK_OP_REF_AS_NON_NULL:
		return reference_instruction(v, opcode->code);
	default:
		return wk_control_instruction(v, opcode);
	}
}

static bool unsupported(struct wk_validator *v, const struct wk_opcode *opcode)
{
	v->status = wk_report_set(v->reader.report, WK_UNSUPPORTED, (uint64_t)(v->instruction - v->reader.base),
		v->reader.function, "%s: instructions on garbage-collected types are not supported",
		wk_opcode_name(opcode->code));
	return false;
}

bool wk_validate_other(struct wk_validator *v, const struct wk_opcode *opcode)
{
	const struct wk_element_segment *segment = NULL;
	uint32_t index = 0;

	switch ((enum wk_immediate)opcode->immediate) {
	case WK_IMM_NONE:
		return opcode->pops == WK_SIGNATURE_SPECIAL ? special_instruction(v, opcode) : wk_operand_apply(v, opcode, 0);
	case WK_IMM_SELECT_TYPES:
		return select_typed(v);
	case WK_IMM_GLOBAL:
		return global_instruction(v, opcode->code);
	case WK_IMM_TABLE:
		return table_instruction(v, opcode->code);
	case WK_IMM_TABLE_TABLE:
		return table_copy(v);
	case WK_IMM_ELEM:
		return read_index(v, &index) && find_element(v, index, &segment);
	case WK_IMM_ELEM_TABLE:
		return table_init(v);
	case WK_IMM_MEMORY:
		return memory_instruction(v, opcode);
	case WK_IMM_MEMORY_MEMORY:
		return memory_copy(v);
	case WK_IMM_DATA:
		return read_index(v, &index) && check_data(v, index);
	case WK_IMM_DATA_MEMORY:
		return memory_init(v, opcode);
	case WK_IMM_HEAP:
		return reference_instruction(v, opcode->code);
	case WK_IMM_FUNC:
		return opcode->code == WK_OP_REF_FUNC ? reference_instruction(v, opcode->code) :
			wk_control_instruction(v, opcode);
	case WK_IMM_I32:
		return skip_integer(v, 32) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_I64:
		return skip_integer(v, 64) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_F32:
		return skip_bytes(v, 4) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_F64:
		return skip_bytes(v, 8) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_V128:
		return skip_bytes(v, 16) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_SHUFFLE:
		return shuffle(v, opcode);
	case WK_IMM_LANE_2:
	case WK_IMM_LANE_4:
	case WK_IMM_LANE_8:
	case WK_IMM_LANE_16:
		return check_lane(v, 2u << (opcode->immediate - (uint32_t)WK_IMM_LANE_2)) && wk_operand_apply(v, opcode, 0);
	case WK_IMM_MEMORY_8:
	case WK_IMM_MEMORY_16:
	case WK_IMM_MEMORY_32:
	case WK_IMM_MEMORY_64:
	case WK_IMM_MEMORY_128:
		return access_memory(v, opcode);
	case WK_IMM_LANE_MEMORY_8:
	case WK_IMM_LANE_MEMORY_16:
	case WK_IMM_LANE_MEMORY_32:
	case WK_IMM_LANE_MEMORY_64:
		return access_lane(v, opcode);
	case WK_IMM_GC_NONE:
	case WK_IMM_GC_TYPE:
	case WK_IMM_GC_TYPE_INDEX:
	case WK_IMM_GC_HEAP:
	case WK_IMM_GC_BR_ON_CAST:
		return unsupported(v, opcode);
	default:
		return wk_control_instruction(v, opcode);
	}
}
