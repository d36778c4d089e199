/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading bytes from outside (specification 5.1 to 5.3): numbers, names, counts and types.
 *
 * What always holds: at <= end; the bytes between are the module's. The texts begin as those of the core test suite.
 */
#include "format/reader.h"

#include "base/leb128.h"
#include "base/utf8.h"

enum wk_status wk_reader_ended(const struct wk_reader *reader)
{
	return wk_report_set(reader->report, WK_MALFORMED, (uint64_t)(reader->end - reader->base), reader->function,
		"unexpected end of section or function");
}

static enum wk_status fail(const struct wk_reader *reader, const char *text)
{
	return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), reader->function, "%s", text);
}

/* ---- numbers ---- */

static enum wk_status leb_status(const struct wk_reader *reader, enum wk_leb result)
{
	switch (result) {
	case WK_LEB_OK:
		return WK_OK;
	case WK_LEB_END:
		return wk_reader_ended(reader);
	case WK_LEB_LONG:
		return fail(reader, "integer representation too long");
	default:
		return fail(reader, "integer too large");
	}
}

enum wk_status wk_read_unsigned(struct wk_reader *reader, unsigned bits, uint64_t *value)
{
	return leb_status(reader, wk_leb_unsigned(&reader->at, reader->end, bits, value));
}

enum wk_status wk_read_signed(struct wk_reader *reader, unsigned bits, int64_t *value)
{
	return leb_status(reader, wk_leb_signed(&reader->at, reader->end, bits, value));
}

enum wk_status wk_read_u32_long(struct wk_reader *reader, uint32_t *value)
{
	uint64_t wide = 0;
	enum wk_status status = wk_read_unsigned(reader, 32, &wide);

	if (status == WK_OK)
		*value = (uint32_t)wide;
	return status;
}

enum wk_status wk_read_count(struct wk_reader *reader, size_t item, uint32_t limit, const char *what, uint32_t *count)
{
	uint32_t offset = wk_reader_offset(reader);
	uint32_t number = 0;
	enum wk_status status = wk_read_u32(reader, &number);

	if (status != WK_OK)
		return status;
	if (number > wk_reader_left(reader) / item)
		return wk_report_set(reader->report, WK_MALFORMED, offset, reader->function,
			"unexpected end of section or function: %u %s do not fit in %zu bytes", number, what,
			wk_reader_left(reader));
	if (number > limit)
		return wk_report_set(reader->report, WK_LIMIT, offset, reader->function, "too many %s: %u, at most %u",
			what, number, limit);
	*count = number;
	return WK_OK;
}

/* ---- bytes ---- */

enum wk_status wk_read_bytes(struct wk_reader *reader, size_t size, struct wk_span *bytes)
{
	if (size > wk_reader_left(reader))
		return wk_reader_ended(reader);
	*bytes = wk_span(reader->at, size);
	reader->at += size;
	return WK_OK;
}

enum wk_status wk_read_name(struct wk_reader *reader, struct wk_span *name)
{
	const uint8_t *start = reader->at;
	struct wk_span bytes = { NULL, 0 };
	uint32_t size = 0;
	enum wk_status status = wk_read_u32(reader, &size);

	if (status != WK_OK)
		return status;
	if (size > wk_reader_left(reader))
		return wk_report_set(reader->report, WK_MALFORMED, (uint64_t)(start - reader->base), reader->function,
			"length out of bounds: a name of %u bytes in %zu", size, wk_reader_left(reader));
	status = wk_read_bytes(reader, size, &bytes);
	if (status != WK_OK)
		return status;
	if (!wk_utf8_valid(bytes)) {
		reader->at = bytes.data + wk_utf8_valid_prefix(bytes);
		return fail(reader, "malformed UTF-8 encoding");
	}
	*name = bytes;
	return WK_OK;
}

/* ---- types ---- */

static enum wk_status resolve(struct wk_reader *reader, const struct wk_type_scope *scope, uint32_t offset,
	uint32_t index, uint32_t *id)
{
	if (index < scope->count)
		*id = scope->ids[index];
	else if (index - scope->count < scope->local)
		*id = WK_HEAP_LOCAL | (index - scope->count);
	else
		return wk_report_set(reader->report, WK_INVALID, offset, reader->function, "unknown type %u", index);
	return WK_OK;
}

enum wk_status wk_read_type_index(struct wk_reader *reader, const struct wk_type_scope *scope, uint32_t *id)
{
	uint32_t offset = wk_reader_offset(reader);
	uint32_t index = 0;
	enum wk_status status = wk_read_u32(reader, &index);

	return status != WK_OK ? status : resolve(reader, scope, offset, index, id);
}

/* The codes of abstract heap types are one-byte negative numbers, so that a 33-bit number tells them from an index
 * (5.3.3). */
enum wk_status wk_read_heap_type(struct wk_reader *reader, const struct wk_type_scope *scope, uint32_t *heap)
{
	uint32_t offset = wk_reader_offset(reader);
	int64_t number = 0;
	enum wk_status status;

	if (reader->at < reader->end && *reader->at >= 0x69 && *reader->at <= 0x74) {
		*heap = WK_HEAP_ABSTRACT | *reader->at++;
		return WK_OK;
	}
	status = wk_read_signed(reader, 33, &number);
	if (status != WK_OK)
		return status;
	if (number < 0)
		return wk_report_set(reader->report, WK_MALFORMED, offset, reader->function,
			"malformed reference type: no heap type has this code");
	return resolve(reader, scope, offset, (uint32_t)number, heap);
}

enum wk_status wk_read_valtype_long(struct wk_reader *reader, const struct wk_type_scope *scope, wk_valtype *type)
{
	uint8_t byte;
	uint32_t heap = 0;
	enum wk_status status;

	if (reader->at >= reader->end)
		return wk_reader_ended(reader);
	byte = *reader->at;
	if (byte >= WK_TYPE_V128 && byte <= WK_TYPE_I32) {
		reader->at++;
		*type = byte;
		return WK_OK;
	}
	if (byte >= 0x69 && byte <= 0x74) {
		reader->at++;
		*type = WK_REF | WK_NULLABLE | WK_HEAP_ABSTRACT | byte;
		return WK_OK;
	}
	if (byte != 0x63 && byte != 0x64)
		return wk_report_set(reader->report, WK_MALFORMED, wk_reader_offset(reader), reader->function,
			"malformed value type: no type has the code 0x%x", (uint32_t)byte);
	reader->at++;
	status = wk_read_heap_type(reader, scope, &heap);
	if (status == WK_OK)
		*type = WK_REF | (byte == 0x63 ? WK_NULLABLE : 0) | heap;
	return status;
}

enum wk_status wk_read_reftype(struct wk_reader *reader, const struct wk_type_scope *scope, wk_valtype *type)
{
	uint32_t offset = wk_reader_offset(reader);
	wk_valtype any = 0;
	enum wk_status status = wk_read_valtype(reader, scope, &any);

	if (status != WK_OK)
		return status;
	if (!wk_is_ref(any))
		return wk_report_set(reader->report, WK_MALFORMED, offset, reader->function, "malformed reference type");
	*type = any;
	return WK_OK;
}
