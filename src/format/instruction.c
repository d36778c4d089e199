/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the end of an instruction or of a constant expression without knowing types (specification 5.4). The decoder
 * needs it for the expressions that stand in the middle of sections; what they may say is src/validate's to check.
 */
#include "format/opcodes.h"
#include "format/reader.h"

enum wk_status wk_read_opcode(struct wk_reader *reader, const struct wk_opcode **opcode)
{
	const uint8_t *start = reader->at;
	const struct wk_opcode *found;
	uint32_t number = 0;
	uint8_t byte = 0;
	enum wk_status status = wk_read_byte(reader, &byte);

	if (status != WK_OK)
		return status;
	if (byte < 0xFB || byte > 0xFD) {
		found = &wk_opcodes[byte];
		if (found->immediate == WK_IMM_ABSENT)
			found = NULL;
	} else {
		status = wk_read_u32(reader, &number);
		if (status != WK_OK)
			return status;
		found = number < 0x1000 ? wk_opcode_find((uint32_t)byte << 12 | number) : NULL;
	}
	if (found != NULL) {
		*opcode = found;
		return WK_OK;
	}
	reader->at = start;
	if (byte < 0xFB || byte > 0xFD)
		return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), reader->function,
			"illegal opcode %x", (uint32_t)byte);
	return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), reader->function,
		"illegal opcode %x %u", (uint32_t)byte, number);
}

static enum wk_status skip_numbers(struct wk_reader *reader, unsigned count)
{
	enum wk_status status = WK_OK;
	uint32_t number;

	while (status == WK_OK && count-- != 0)
		status = wk_read_u32(reader, &number);
	return status;
}

static enum wk_status skip_bytes(struct wk_reader *reader, size_t size)
{
	struct wk_span bytes;

	return wk_read_bytes(reader, size, &bytes);
}

static enum wk_status skip_signed(struct wk_reader *reader, unsigned bits)
{
	int64_t number;

	return wk_read_signed(reader, bits, &number);
}

static enum wk_status skip_block_type(struct wk_reader *reader, const struct wk_type_scope *scope)
{
	wk_valtype type;
	uint8_t byte;

	if (reader->at >= reader->end)
		return wk_reader_ended(reader);
	byte = *reader->at;
	if (byte == 0x40)
		return skip_bytes(reader, 1);
	if (byte < 0x80 && byte >= 0x40)
		return wk_read_valtype(reader, scope, &type);
	return skip_signed(reader, 33);
}

static enum wk_status skip_memarg(struct wk_reader *reader)
{
	uint64_t offset;
	uint32_t flags = 0;
	enum wk_status status = wk_read_u32(reader, &flags);

	if (status == WK_OK && (flags & 0x40) != 0)
		status = skip_numbers(reader, 1);
	return status == WK_OK ? wk_read_unsigned(reader, 64, &offset) : status;
}

static enum wk_status skip_catches(struct wk_reader *reader)
{
	uint32_t count = 0;
	uint8_t kind = 0;
	enum wk_status status = wk_read_count(reader, 2, UINT32_MAX, "catch clauses", &count);

	while (status == WK_OK && count-- != 0) {
		status = wk_read_byte(reader, &kind);
		if (status == WK_OK)
			status = skip_numbers(reader, kind < 2 ? 2 : 1);
	}
	return status;
}

/* Vectors: of labels with one more after them, of value types. */
static enum wk_status skip_labels(struct wk_reader *reader)
{
	uint32_t count = 0, label;
	enum wk_status status = wk_read_count(reader, 1, UINT32_MAX - 1, "labels", &count);

	for (uint32_t i = 0; status == WK_OK && i <= count; i++)
		status = wk_read_u32(reader, &label);
	return status;
}

static enum wk_status skip_types(struct wk_reader *reader, const struct wk_type_scope *scope)
{
	uint32_t count = 0;
	wk_valtype type;
	enum wk_status status = wk_read_count(reader, 1, UINT32_MAX, "types", &count);

	while (status == WK_OK && count-- != 0)
		status = wk_read_valtype(reader, scope, &type);
	return status;
}

enum wk_status wk_skip_immediate(struct wk_reader *reader, const struct wk_type_scope *scope,
	const struct wk_opcode *opcode)
{
	enum wk_status status;
	uint32_t heap;

	switch ((enum wk_immediate)opcode->immediate) {
	case WK_IMM_ABSENT:
	case WK_IMM_NONE:
	case WK_IMM_GC_NONE:
	case WK_IMM_COUNT:
		return WK_OK;
	case WK_IMM_BLOCK:
		return skip_block_type(reader, scope);
	case WK_IMM_TRY_TABLE:
		status = skip_block_type(reader, scope);
		return status == WK_OK ? skip_catches(reader) : status;
	case WK_IMM_BR_TABLE:
		return skip_labels(reader);
	case WK_IMM_SELECT_TYPES:
		return skip_types(reader, scope);
	case WK_IMM_LABEL:
	case WK_IMM_FUNC:
	case WK_IMM_TYPE:
	case WK_IMM_TAG:
	case WK_IMM_LOCAL:
	case WK_IMM_GLOBAL:
	case WK_IMM_TABLE:
	case WK_IMM_ELEM:
	case WK_IMM_MEMORY:
	case WK_IMM_DATA:
	case WK_IMM_GC_TYPE:
		return skip_numbers(reader, 1);
	case WK_IMM_CALL_INDIRECT:
	case WK_IMM_TABLE_TABLE:
	case WK_IMM_ELEM_TABLE:
	case WK_IMM_MEMORY_MEMORY:
	case WK_IMM_DATA_MEMORY:
	case WK_IMM_GC_TYPE_INDEX:
		return skip_numbers(reader, 2);
	case WK_IMM_HEAP:
	case WK_IMM_GC_HEAP:
		return wk_read_heap_type(reader, scope, &heap);
	case WK_IMM_GC_BR_ON_CAST:
		status = skip_numbers(reader, 2);
		if (status == WK_OK)
			status = wk_read_heap_type(reader, scope, &heap);
		return status == WK_OK ? wk_read_heap_type(reader, scope, &heap) : status;
	case WK_IMM_I32:
		return skip_signed(reader, 32);
	case WK_IMM_I64:
		return skip_signed(reader, 64);
	case WK_IMM_F32:
		return skip_bytes(reader, 4);
	case WK_IMM_F64:
		return skip_bytes(reader, 8);
	case WK_IMM_V128:
	case WK_IMM_SHUFFLE:
		return skip_bytes(reader, 16);
	case WK_IMM_LANE_2:
	case WK_IMM_LANE_4:
	case WK_IMM_LANE_8:
	case WK_IMM_LANE_16:
		return skip_bytes(reader, 1);
	case WK_IMM_MEMORY_8:
	case WK_IMM_MEMORY_16:
	case WK_IMM_MEMORY_32:
	case WK_IMM_MEMORY_64:
	case WK_IMM_MEMORY_128:
		return skip_memarg(reader);
	case WK_IMM_LANE_MEMORY_8:
	case WK_IMM_LANE_MEMORY_16:
	case WK_IMM_LANE_MEMORY_32:
	case WK_IMM_LANE_MEMORY_64:
		status = skip_memarg(reader);
		return status == WK_OK ? skip_bytes(reader, 1) : status;
	}
	return WK_OK;
}

enum wk_status wk_skip_expression(struct wk_reader *reader, const struct wk_type_scope *scope)
{
	uint32_t depth = 1;

	while (depth != 0) {
		const struct wk_opcode *opcode = NULL;
		enum wk_status status = wk_read_opcode(reader, &opcode);

		if (status == WK_OK)
			status = wk_skip_immediate(reader, scope, opcode);
		if (status != WK_OK)
			return status;
		if (opcode->immediate == WK_IMM_BLOCK || opcode->immediate == WK_IMM_TRY_TABLE)
			depth++;
		else if (opcode->code == WK_OP_END)
			depth--;
	}
	return WK_OK;
}
