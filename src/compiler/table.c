/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables that never change. Most modules have one table, which nobody else sees and no instruction writes: so what is in
 * it is known when it is compiled, and the image has it as constants. An indirect call through it compares and loads half
 * as much. Its functions are all of this module; imported ones are called through their stubs.
 *
 * Known are the functions only if segments put them there in any case. Where a table is imported, functions of an instance
 * that could not be made may be called, so then no table is known.
 */
#include <stdlib.h>

#include "compiler/translator.h"
#include "format/reader.h"

#define LARGEST 65536 /* elements */
#define TYPES 4096 /* of the module, which are searched */
#define NO_FUNCTION UINT32_MAX

/* ---- which do not change ---- */

/* Tables that instructions write: marks them. */
static bool mark_written(const struct wk_module *m, bool *changes)
{
	struct wk_type_scope scope = wk_scope_of_module(m);

	for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
		const uint8_t *body = m->bytes.data + m->funcs[i].body;
		struct wk_reader reader = { body, body + m->funcs[i].size, m->bytes.data, NULL, i };
		const struct wk_opcode *opcode = NULL;
		wk_valtype type;

		for (uint32_t runs = (uint32_t)wk_leb_trusted(&reader.at); runs > 0; runs--) {
			(void)wk_leb_trusted(&reader.at);
			if (wk_read_valtype(&reader, &scope, &type) != WK_OK)
				return false;
		}
		while (reader.at < reader.end) {
			const uint8_t *at;

			if (wk_read_opcode(&reader, &opcode) != WK_OK)
				return false;
			at = reader.at;
			if (opcode->code == WK_OP_TABLE_INIT)
				(void)wk_leb_trusted(&at); /* the segment */
			if (opcode->code == WK_OP_TABLE_SET || opcode->code == WK_OP_TABLE_GROW || opcode->code == WK_OP_TABLE_FILL ||
				opcode->code == WK_OP_TABLE_COPY || opcode->code == WK_OP_TABLE_INIT)
				changes[wk_leb_trusted(&at)] = true;
			if (wk_skip_immediate(&reader, &scope, opcode) != WK_OK)
				return false;
		}
	}
	return true;
}

/* `i32.const n end` or `i64.const n end`. */
static bool read_constant(const struct wk_module *m, struct wk_constexpr expression, bool is64, uint64_t *value)
{
	const uint8_t *at = m->bytes.data + expression.offset, *end = at + expression.size;

	if (*at != WK_OP_I32_CONST && *at != WK_OP_I64_CONST)
		return false;
	at++;
	*value = (uint64_t)wk_leb_trusted_signed(&at);
	if (!is64)
		*value = (uint32_t)*value;
	return at + 1 == end;
}

/* The function of a segment's next item. */
static bool read_item(const uint8_t **at, bool expression, uint32_t *function)
{
	if (expression && *(*at)++ != WK_OP_REF_FUNC)
		return false; /* ref.null, or the value of a global */
	*function = (uint32_t)wk_leb_trusted(at);
	return !expression || *(*at)++ == WK_OP_END;
}

static bool put_segment(const struct wk_module *m, const struct wk_element_segment *segment, uint32_t *functions,
	uint64_t size)
{
	const uint8_t *at = m->bytes.data + segment->items;
	uint64_t offset;

	if (!read_constant(m, segment->offset, m->tables[segment->table].type.limits.is64, &offset) || offset > size ||
		segment->count > size - offset)
		return false;
	for (uint32_t i = 0; i < segment->count; i++)
		if (!read_item(&at, segment->expressions, &functions[offset + i]))
			return false;
	return true;
}

/* What is in a table. NULL: it is not known. */
static uint32_t *find_functions(const struct wk_module *m, uint32_t table)
{
	uint64_t size = m->tables[table].type.limits.minimum;
	uint32_t *functions;

	if (size == 0 || size > LARGEST || m->tables[table].init.size != 0)
		return NULL;
	for (uint32_t i = 0; i < m->export_count; i++)
		if (m->exports[i].kind == WK_EXTERN_TABLE && m->exports[i].index == table)
			return NULL;
	functions = malloc(size * sizeof *functions);
	for (uint64_t i = 0; functions && i < size; i++)
		functions[i] = NO_FUNCTION;
	for (uint32_t i = 0; functions && i < m->element_count; i++) {
		const struct wk_element_segment *segment = &m->elements[i];

		if (segment->mode == WK_SEGMENT_ACTIVE && segment->table == table &&
			!put_segment(m, segment, functions, size)) {
			free(functions);
			return NULL;
		}
	}
	return functions;
}

/* Only types without subtypes and supertypes: a call's type is the function's, or it is not. */
static bool has_plain_types(const struct wk_module *m)
{
	if (m->type_count > TYPES)
		return false;
	for (uint32_t i = 0; i < m->type_count; i++)
		if (!wk_registry_get(m->registry, m->types[i])->final || wk_registry_get(m->registry, m->types[i])->super != WK_NO_TYPE)
			return false;
	return true;
}

bool wk_c_find_tables(const struct wk_module *m, struct wk_c_table **tables)
{
	bool *changes = calloc(m->table_count + 1, sizeof *changes);

	*tables = calloc(m->table_count + 1, sizeof **tables);
	if (!changes || !*tables) {
		free(changes);
		return false;
	}
	if (m->imported_tables == 0 && has_plain_types(m) && mark_written(m, changes))
		for (uint32_t i = 0; i < m->table_count; i++)
			if (!changes[i])
				(*tables)[i].functions = find_functions(m, i);
	free(changes);
	return true;
}

void wk_c_free_tables(const struct wk_module *m, struct wk_c_table *tables)
{
	for (uint32_t i = 0; tables && i < m->table_count; i++)
		free(tables[i].functions);
	free(tables);
}

/* ---- as constants ---- */

/* The number of a type that other numbers of the module's may stand for, too; 0 is none. */
static uint32_t number_of(const struct wk_module *m, uint32_t type)
{
	uint32_t i = 0;

	while (m->types[i] != type)
		i++;
	return i + 1;
}

static LLVMTypeRef element_type(struct compiler *c)
{
	return LLVMStructTypeInContext(c->llvm, (LLVMTypeRef[]){ c->i64, c->pointer }, 2, false);
}

/* One for each part that asks: other parts' constants would have to be found by the linker. */
static LLVMValueRef constants(struct compiler *c, uint32_t table)
{
	const uint32_t *functions = c->tables[table].functions;
	uint32_t size = (uint32_t)c->module->tables[table].type.limits.minimum;
	LLVMTypeRef type = element_type(c);
	LLVMValueRef *values;

	if (c->known_tables[table])
		return c->known_tables[table];
	values = malloc(size * sizeof(LLVMValueRef));
	for (uint32_t i = 0; values && i < size; i++) {
		const struct code *code = functions[i] == NO_FUNCTION ? NULL : &c->codes[functions[i]];
		LLVMValueRef both[2] = { wk_c_number(c->i64, 0), LLVMConstNull(c->pointer) };

		if (code) {
			both[0] = wk_c_number(c->i64, number_of(c->module, c->module->funcs[functions[i]].type));
			both[1] = code->function;
		}
		values[i] = LLVMConstStructInContext(c->llvm, both, 2, false);
	}
	if (!values) {
		c->failed = true;
		return NULL;
	}
	c->known_tables[table] = wk_c_add_constant(c, "table", LLVMConstArray2(type, values, size));
	free(values);
	return c->known_tables[table];
}

LLVMValueRef wk_f_known_callee(struct translator *t, uint32_t table, uint32_t type_index, LLVMValueRef index)
{
	struct compiler *c = t->c;
	LLVMValueRef all = constants(c, table), at, found, wanted;
	uint64_t size = c->module->tables[table].type.limits.minimum;
	LLVMBasicBlockRef other = wk_f_block(t), good = wk_f_block(t);

	if (!all) {
		t->unsupported = "no memory to translate it";
		return NULL;
	}
	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntUGE, index, wk_c_number(c->i64, size), ""), WK_TRAP_UNDEFINED_ELEMENT);
	at = LLVMBuildInBoundsGEP2(t->b, element_type(c), all, &index, 1, "");
	found = wk_c_load(c, c->i64, at, 0, c->tbaa_context, true);
	wanted = wk_c_number(c->i64, number_of(c->module, c->module->types[type_index]));
	wk_f_branch_unlikely(t, LLVMBuildICmp(t->b, LLVMIntNE, found, wanted, ""), other, good);
	LLVMPositionBuilderAtEnd(t->b, other);
	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntEQ, found, wk_c_number(c->i64, 0), ""), WK_TRAP_UNINITIALIZED_ELEMENT);
	wk_f_trap_if(t, LLVMConstInt(c->i1, 1, false), WK_TRAP_INDIRECT_CALL_TYPE);
	LLVMBuildBr(t->b, good);
	LLVMPositionBuilderAtEnd(t->b, good);
	return wk_c_load(c, c->pointer, at, sizeof(uint64_t), c->tbaa_context, true);
}
