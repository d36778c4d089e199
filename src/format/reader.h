/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading bytes from outside: a cursor that never passes its end and fills the report. Inside src/format and
 * src/validate only.
 *
 * Every function moves `at` and writes its output on success only; on failure the report has the offset of the first
 * byte of what was asked for (of the end of the bytes when they ended).
 */
#ifndef WK_FORMAT_READER_H
#define WK_FORMAT_READER_H

#include "base/report.h"
#include "format/module.h"

struct wk_reader {
	const uint8_t *at, *end;
	const uint8_t *base;        /* the module's first byte: what offsets count from */
	struct wk_report *report;
	uint32_t function;          /* for reports; WK_NO_FUNCTION outside of bodies */
};

static inline uint32_t wk_reader_offset(const struct wk_reader *reader)
{
	return (uint32_t)(reader->at - reader->base);
}

static inline size_t wk_reader_left(const struct wk_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* "unexpected end"; returns WK_MALFORMED. */
enum wk_status wk_reader_ended(const struct wk_reader *reader);

/* LEB128 of 32 or 64 bits, unsigned or signed (5.2.2). */
WK_NODISCARD enum wk_status wk_read_unsigned(struct wk_reader *reader, unsigned bits, uint64_t *value);
WK_NODISCARD enum wk_status wk_read_signed(struct wk_reader *reader, unsigned bits, int64_t *value);
WK_NODISCARD enum wk_status wk_read_u32_long(struct wk_reader *reader, uint32_t *value);

static inline WK_NODISCARD enum wk_status wk_read_u32(struct wk_reader *reader, uint32_t *value)
{
	if (reader->at < reader->end && *reader->at < 0x80) {
		*value = *reader->at++;
		return WK_OK;
	}
	return wk_read_u32_long(reader, value);
}

static inline WK_NODISCARD enum wk_status wk_read_byte(struct wk_reader *reader, uint8_t *byte)
{
	if (reader->at >= reader->end)
		return wk_reader_ended(reader);
	*byte = *reader->at++;
	return WK_OK;
}

WK_NODISCARD enum wk_status wk_read_bytes(struct wk_reader *reader, size_t size, struct wk_span *bytes);
/* A length and that many bytes of valid UTF-8 (5.2.4). */
WK_NODISCARD enum wk_status wk_read_name(struct wk_reader *reader, struct wk_span *name);
/* The length of a vector (5.1.3) whose items take at least `item` bytes each: more items than bytes left are an error
 * before any memory is asked for. Above `limit` is WK_LIMIT; `what` names the items. */
WK_NODISCARD enum wk_status wk_read_count(struct wk_reader *reader, size_t item, uint32_t limit, const char *what,
	uint32_t *count);

/* What a type index means where it stands: the first `count` are known, the next `local` belong to the recursive group
 * that is being read. */
struct wk_type_scope {
	const uint32_t *ids;
	uint32_t count, local;
};

static inline struct wk_type_scope wk_scope_of_module(const struct wk_module *module)
{
	return (struct wk_type_scope){ module->types, module->type_count, 0 };
}

/* A type index as registry id or WK_HEAP_LOCAL | position. */
WK_NODISCARD enum wk_status wk_read_type_index(struct wk_reader *reader, const struct wk_type_scope *scope,
	uint32_t *id);
WK_NODISCARD enum wk_status wk_read_heap_type(struct wk_reader *reader, const struct wk_type_scope *scope,
	uint32_t *heap);
WK_NODISCARD enum wk_status wk_read_valtype_long(struct wk_reader *reader, const struct wk_type_scope *scope,
	wk_valtype *type);
/* A reference type only. */
WK_NODISCARD enum wk_status wk_read_reftype(struct wk_reader *reader, const struct wk_type_scope *scope,
	wk_valtype *type);

static inline WK_NODISCARD enum wk_status wk_read_valtype(struct wk_reader *reader, const struct wk_type_scope *scope,
	wk_valtype *type)
{
	if (reader->at < reader->end && (uint8_t)(*reader->at - WK_TYPE_V128) <= WK_TYPE_I32 - WK_TYPE_V128) {
		*type = *reader->at++;
		return WK_OK;
	}
	return wk_read_valtype_long(reader, scope, type);
}

/* The table row of the opcode at `at`; `at` is moved behind it. "illegal opcode" when there is none. */
struct wk_opcode;
WK_NODISCARD enum wk_status wk_read_opcode(struct wk_reader *reader, const struct wk_opcode **opcode);
/* Moves `at` behind the immediates of an instruction, checking how they are written but not what they say. */
WK_NODISCARD enum wk_status wk_skip_immediate(struct wk_reader *reader, const struct wk_type_scope *scope,
	const struct wk_opcode *opcode);
/* Moves `at` behind the `end` of the expression that starts there (5.4.10). */
WK_NODISCARD enum wk_status wk_skip_expression(struct wk_reader *reader, const struct wk_type_scope *scope);

#endif
