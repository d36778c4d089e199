/* SPDX-License-Identifier: Apache-2.0
 *
 * Element and data segments (specification 5.5.12, 5.5.14, 5.5.16). Their items and bytes stay where they are; only
 * where they begin is noted.
 */
#include "format/decoder.h"

/* The element type: implied, an element kind (0: functions), or a reference type. */
static enum wk_status read_element_type(struct wk_decoder *decoder, uint32_t flags, wk_valtype *type)
{
	struct wk_reader *reader = &decoder->reader;
	uint8_t kind = 0;
	enum wk_status status;

	if ((flags & 3) == 0) {
		*type = (flags & 4) != 0 ? WK_TYPE_FUNCREF : WK_REF | WK_HEAP_FUNC;
		return WK_OK;
	}
	if ((flags & 4) != 0)
		return wk_read_reftype(reader, &decoder->scope, type);
	status = wk_read_byte(reader, &kind);
	if (status != WK_OK)
		return status;
	if (kind != 0)
		return wk_decoder_fail(decoder, wk_reader_offset(reader) - 1, "malformed element kind");
	*type = WK_REF | WK_HEAP_FUNC;
	return WK_OK;
}

/* Bit 0: not active; bit 1: declarative if not active, else the table is named; bit 2: expressions. */
static enum wk_status decode_element(struct wk_decoder *decoder, struct wk_element_segment *segment)
{
	struct wk_reader *reader = &decoder->reader;
	uint32_t offset = wk_reader_offset(reader), flags = 0, function;
	enum wk_status status = wk_read_u32(reader, &flags);

	if (status == WK_OK && flags > 7)
		return wk_decoder_fail(decoder, offset, "malformed elements segment kind");
	segment->expressions = (flags & 4) != 0;
	segment->mode = (flags & 1) == 0 ? WK_SEGMENT_ACTIVE :
		(flags & 2) == 0 ? WK_SEGMENT_PASSIVE : WK_SEGMENT_DECLARATIVE;
	if (status == WK_OK && (flags & 3) == 2)
		status = wk_read_u32(reader, &segment->table);
	if (status == WK_OK && segment->mode == WK_SEGMENT_ACTIVE)
		status = wk_decode_expression(decoder, &segment->offset);
	if (status == WK_OK)
		status = read_element_type(decoder, flags, &segment->type);
	if (status == WK_OK)
		status = wk_read_count(reader, 1, WK_MAX_TABLE_ELEMENTS, "elements", &segment->count);
	segment->items = wk_reader_offset(reader);
	for (uint32_t i = 0; status == WK_OK && i < segment->count; i++)
		status = segment->expressions ? wk_skip_expression(reader, &decoder->scope) : wk_read_u32(reader, &function);
	return status;
}

enum wk_status wk_decode_elements(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	uint32_t count = 0;
	enum wk_status status = wk_read_count(&decoder->reader, 3, WK_MAX_ELEMENT_SEGMENTS, "element segments", &count);

	if (status != WK_OK)
		return status;
	module->elements = wk_decoder_array(decoder, count, sizeof *module->elements);
	if (module->elements == NULL)
		return WK_NO_MEMORY;
	for (; status == WK_OK && module->element_count < count; module->element_count++)
		status = decode_element(decoder, &module->elements[module->element_count]);
	return status;
}

enum wk_status wk_decode_data_count(struct wk_decoder *decoder)
{
	decoder->module->has_data_count = true;
	return wk_read_u32(&decoder->reader, &decoder->declared_datas);
}

static enum wk_status decode_data(struct wk_decoder *decoder, struct wk_data_segment *segment)
{
	struct wk_reader *reader = &decoder->reader;
	uint32_t offset = wk_reader_offset(reader), flags = 0, size = 0;
	enum wk_status status = wk_read_u32(reader, &flags);

	if (status == WK_OK && flags > 2)
		return wk_decoder_fail(decoder, offset, "malformed data segment kind");
	segment->mode = flags == 1 ? WK_SEGMENT_PASSIVE : WK_SEGMENT_ACTIVE;
	if (status == WK_OK && flags == 2)
		status = wk_read_u32(reader, &segment->memory);
	if (status == WK_OK && segment->mode == WK_SEGMENT_ACTIVE)
		status = wk_decode_expression(decoder, &segment->offset);
	if (status == WK_OK)
		status = wk_read_u32(reader, &size);
	return status == WK_OK ? wk_read_bytes(reader, size, &segment->bytes) : status;
}

enum wk_status wk_decode_datas(struct wk_decoder *decoder)
{
	struct wk_module *module = decoder->module;
	uint32_t offset = wk_reader_offset(&decoder->reader), count = 0;
	enum wk_status status = WK_OK;

	if (decoder->contents[WK_SECTION_DATA].data != NULL)
		status = wk_read_count(&decoder->reader, 2, WK_MAX_DATA_SEGMENTS, "data segments", &count);
	if (status != WK_OK)
		return status;
	if (module->has_data_count && count != decoder->declared_datas)
		return wk_report_set(decoder->reader.report, WK_MALFORMED, offset, WK_NO_FUNCTION,
			"data count and data section have inconsistent lengths: %u and %u", decoder->declared_datas, count);
	module->datas = wk_decoder_array(decoder, count, sizeof *module->datas);
	if (module->datas == NULL)
		return WK_NO_MEMORY;
	for (; status == WK_OK && module->data_count < count; module->data_count++)
		status = decode_data(decoder, &module->datas[module->data_count]);
	return status;
}
