/* SPDX-License-Identifier: Apache-2.0
 *
 * The module that an image carries. Types, imports, exports, data and limits are to be decoded and validated by the same
 * code as those of any module, so it is one: every section as it was, but in the code section the body of a function that
 * is compiled is the shortest that there is, `unreachable`, which is valid for every type. Functions that are not compiled
 * keep theirs; the interpreter runs them.
 *
 * Without those bodies nothing of the module is less valid: what they used may be unused.
 */
#include <stdlib.h>

#include "compiler/translator.h"

/* Bytes that are put together; with `to` NULL they are counted. */
struct output { uint8_t *to; size_t size; };

static void put(struct output *out, const void *bytes, size_t size)
{
	if (out->to && size != 0)
		memcpy(out->to + out->size, bytes, size);
	out->size += size;
}

static void put_byte(struct output *out, uint8_t byte)
{
	put(out, &byte, 1);
}

static void put_number(struct output *out, size_t number)
{
	for (; number >= 0x80; number >>= 7)
		put_byte(out, (uint8_t)(number | 0x80));
	put_byte(out, (uint8_t)number);
}

static void put_code(struct output *out, const struct compiler *c)
{
	static const uint8_t nothing[] = { 0, WK_OP_UNREACHABLE, WK_OP_END }; /* no locals */
	const struct wk_module *m = c->module;

	put_number(out, m->func_count - m->imported_funcs);
	for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
		const struct wk_function_decl *function = &m->funcs[i];
		bool keep = c->codes[i].left || function->size <= sizeof nothing; /* so the module is never larger than it was */
		struct wk_span body = keep ? wk_span(m->bytes.data + function->body, function->size) :
			wk_span(nothing, sizeof nothing);

		put_number(out, body.size);
		put(out, body.data, body.size);
	}
}

static void put_module(struct output *out, const struct compiler *c)
{
	const struct wk_module *m = c->module;

	put(out, m->bytes.data, 8); /* magic and version */
	for (uint32_t i = 0; i < m->section_count; i++) {
		const struct wk_section *section = &m->sections[i];
		struct output code = { NULL, 0 };

		if (section->id == WK_SECTION_CUSTOM && !wk_span_equal(section->name, wk_span("name", 4)))
			continue;
		put_byte(out, section->id);
		if (section->id == WK_SECTION_CODE) {
			put_code(&code, c);
			put_number(out, code.size);
			put_code(out, c);
		} else {
			put_number(out, section->size);
			put(out, m->bytes.data + section->offset, section->size);
		}
	}
}

bool wk_c_strip(struct compiler *c)
{
	struct output out = { NULL, 0 };

	put_module(&out, c);
	c->stripped_size = out.size;
	out = (struct output){ malloc(out.size), 0 };
	c->stripped = out.to;
	if (out.to)
		put_module(&out, c);
	return out.to != NULL;
}
