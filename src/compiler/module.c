/* SPDX-License-Identifier: Apache-2.0
 *
 * What an image holds beside the functions' bodies: stubs for those without a body, an entry for each type, the
 * tables.
 *
 * Compiled functions have LLVM's `tailcc`: parameters and results in registers, and tail calls between functions of
 * any types, as the specification wants them. All have frame pointers, for backtraces and profilers, and no other
 * tail calls than those that the module asks for: a recursion that a guest does not end must end by its stack, and
 * each call that was made is to be seen in a backtrace. A frame of more than a page touches its pages in order, so
 * that no frame can step over the end of the stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/translator.h"

#define TAILCC 18

/* ---- types ---- */

LLVMTypeRef wk_c_type(const struct compiler *c, wk_valtype type)
{
	switch (type) {
	case WK_TYPE_I32: return c->i32;
	case WK_TYPE_F32: return c->f32;
	case WK_TYPE_F64: return c->f64;
	case WK_TYPE_V128: return c->v128;
	default: return c->i64; /* i64, and references: a slot */
	}
}

LLVMTypeRef wk_c_result_type(const struct compiler *c, const struct wk_deftype *type)
{
	const wk_valtype *results = wk_results_of(type);
	LLVMTypeRef types[1024];

	if (type->result_count == 0)
		return c->none;
	if (type->result_count == 1)
		return wk_c_type(c, results[0]);
	for (uint32_t i = 0; i < type->result_count && i < WK_COUNT(types); i++)
		types[i] = wk_c_type(c, results[i]);
	return LLVMStructTypeInContext(c->llvm, types, type->result_count, false);
}

LLVMTypeRef wk_c_function_type_with(const struct compiler *c, const struct wk_deftype *type, LLVMTypeRef before)
{
	LLVMTypeRef types[1026];
	unsigned count = 0;

	types[count++] = c->pointer;
	if (before)
		types[count++] = before;
	for (uint32_t i = 0; i < type->parameter_count && count < WK_COUNT(types); i++)
		types[count++] = wk_c_type(c, type->types[i]);
	return LLVMFunctionType(wk_c_result_type(c, type), types, count, false);
}

LLVMTypeRef wk_c_function_type(const struct compiler *c, const struct wk_deftype *type)
{
	return wk_c_function_type_with(c, type, NULL);
}

/* ---- pieces of IR ---- */

LLVMValueRef wk_c_number(LLVMTypeRef type, uint64_t number)
{
	return LLVMConstInt(type, number, false);
}

void wk_c_tag(LLVMValueRef instruction, unsigned kind, LLVMValueRef metadata)
{
	if (LLVMIsAInstruction(instruction))
		LLVMSetMetadata(instruction, kind, metadata);
}

LLVMValueRef wk_c_at(struct compiler *c, LLVMValueRef base, uint64_t offset)
{
	LLVMValueRef index = wk_c_number(c->i64, offset);

	return offset == 0 ? base : LLVMBuildInBoundsGEP2(c->b, c->i8, base, &index, 1, "");
}

LLVMValueRef wk_c_load(struct compiler *c, LLVMTypeRef type, LLVMValueRef base, uint64_t offset, LLVMValueRef tbaa,
	bool constant)
{
	LLVMValueRef value = LLVMBuildLoad2(c->b, type, wk_c_at(c, base, offset), "");

	wk_c_tag(value, c->kind_tbaa, tbaa);
	if (constant)
		wk_c_tag(value, c->kind_invariant, LLVMMDNodeInContext(c->llvm, NULL, 0));
	return value;
}

/* A pointer that never changes, to `size` bytes that are always there. */
static LLVMValueRef load_pointer(struct compiler *c, LLVMValueRef base, uint64_t offset, uint64_t size)
{
	LLVMValueRef value = wk_c_load(c, c->pointer, base, offset, c->tbaa_context, true), bytes = wk_c_number(c->i64, size);

	wk_c_tag(value, c->kind_dereferenceable, LLVMMDNodeInContext(c->llvm, &bytes, 1));
	return value;
}

LLVMValueRef wk_c_memory(struct compiler *c, LLVMValueRef context, uint32_t memory)
{
	LLVMValueRef all;

	if (memory == 0)
		return load_pointer(c, context, offsetof(struct wk_image_context, first), sizeof(struct wk_memory));
	all = load_pointer(c, context, offsetof(struct wk_image_context, memories), c->module->memory_count * sizeof(void *));
	return load_pointer(c, all, memory * sizeof(void *), sizeof(struct wk_memory));
}

uint64_t wk_c_memory_minimum(const struct compiler *c, uint32_t memory)
{
	const struct wk_memory_type *type = &c->module->memories[memory];

	return type->limits.minimum > UINT64_MAX >> type->page_log2 ? UINT64_MAX : type->limits.minimum << type->page_log2;
}

/* Many addresses, as those in a table of the module's data, cannot reach what is there at least: LLVM sees that if it is
 * told how much that is. */
LLVMValueRef wk_c_memory_size(struct compiler *c, LLVMValueRef context, uint32_t memory)
{
	LLVMValueRef size = wk_c_field(c, c->i64, wk_c_memory(c, context, memory), wk_memory, linear.size, false), range[2];
	uint64_t minimum = wk_c_memory_minimum(c, memory);
	uint64_t behind = c->module->memories[memory].limits.is64 ? 0 : (UINT64_C(1) << 32) + 1;

	if (minimum == 0 || (behind != 0 && minimum >= behind))
		return size;
	range[0] = wk_c_number(c->i64, minimum);
	range[1] = wk_c_number(c->i64, behind);
	wk_c_tag(size, c->kind_range, LLVMMDNodeInContext(c->llvm, range, 2));
	return size;
}

LLVMValueRef wk_c_memory_base(struct compiler *c, LLVMValueRef context, uint32_t memory)
{
	if (memory == 0)
		return wk_c_field(c, c->pointer, context, wk_image_context, memory, true);
	return wk_c_field(c, c->pointer, wk_c_memory(c, context, memory), wk_memory, linear.base, true);
}

LLVMValueRef wk_c_helper(struct compiler *c, size_t offset, LLVMTypeRef result, LLVMValueRef context,
	LLVMValueRef *arguments,
	unsigned count)
{
	LLVMValueRef values[8] = { context }, helpers, helper;
	LLVMTypeRef types[8] = { c->pointer };

	for (unsigned i = 0; i < count; i++) {
		values[i + 1] = arguments[i];
		types[i + 1] = LLVMTypeOf(arguments[i]);
	}
	helpers = wk_c_field(c, c->pointer, context, wk_image_context, helpers, true);
	helper = wk_c_load(c, c->pointer, helpers, offset, c->tbaa_context, true);
	return LLVMBuildCall2(c->b, LLVMFunctionType(result, types, count + 1, false), helper, values, count + 1, "");
}

void wk_c_add_attribute(struct compiler *c, LLVMValueRef function, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(c->llvm, kind, 0));
}

static void add_text_attribute(struct compiler *c, LLVMValueRef function, const char *name, const char *value)
{
	LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, LLVMCreateStringAttribute(c->llvm, name,
		(unsigned)strlen(name), value, (unsigned)strlen(value)));
}

void wk_c_describe_call(struct compiler *c, LLVMValueRef call, const char *name, uint64_t value)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddCallSiteAttribute(call, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(c->llvm, kind, value));
}

/* The first parameter of all is the context. That it is there in any case lets LLVM load its fields before a loop. */
static void describe_context(struct compiler *c, LLVMValueRef function)
{
	static const struct { const char *name; uint64_t value; } facts[] = {
		{ "dereferenceable", sizeof(struct wk_image_context) }, { "align", _Alignof(struct wk_image_context) },
		{ "nonnull", 0 }, { "noundef", 0 },
	};

	for (size_t i = 0; i < WK_COUNT(facts); i++) {
		unsigned kind = LLVMGetEnumAttributeKindForName(facts[i].name, strlen(facts[i].name));

		LLVMAddAttributeAtIndex(function, 1, LLVMCreateEnumAttribute(c->llvm, kind, facts[i].value));
	}
}

/* The context is in a register that callees keep (LLVM's `swiftself`: r13, x20), so it stays there over calls. */
static LLVMAttributeRef context_attribute(struct compiler *c)
{
	return LLVMCreateEnumAttribute(c->llvm, LLVMGetEnumAttributeKindForName("swiftself", 9), 0);
}

LLVMValueRef wk_c_call_compiled(struct compiler *c, LLVMTypeRef type, LLVMValueRef function, LLVMValueRef *values,
	unsigned count)
{
	LLVMValueRef call = LLVMBuildCall2(c->b, type, function, values, count, "");

	LLVMSetInstructionCallConv(call, c->convention);
	LLVMAddCallSiteAttribute(call, 1, context_attribute(c));
	return call;
}

LLVMValueRef wk_c_add_function(struct compiler *c, const char *name, LLVMTypeRef type, bool local)
{
	LLVMValueRef function = LLVMAddFunction(c->ir, name, type);

	LLVMSetLinkage(function, LLVMInternalLinkage);
	if (local) {
		LLVMSetFunctionCallConv(function, c->convention);
		LLVMAddAttributeAtIndex(function, 1, context_attribute(c));
	}
	wk_c_add_attribute(c, function, "nounwind");
	add_text_attribute(c, function, "frame-pointer", "all");
	add_text_attribute(c, function, "disable-tail-calls", "true");
	add_text_attribute(c, function, "probe-stack", "inline-asm");
	/* What a processor may lack and what is fast are two questions: SHLD, which LLVM takes for rotations where it is fast,
	 * is slow on many processors of x86-64-v2. */
	if (c->x86)
		add_text_attribute(c, function, "tune-cpu", "generic");
	describe_context(c, function);
	return function;
}

/* ---- ends of a run ---- */

/* There is a block for the trap of every check, so it is to be short: a call of this function of the image, which looks
 * up the helper. It jumps there and has no frame, so that the helper sees its caller's. */
static LLVMValueRef make_ender(struct compiler *c, bool trap)
{
	LLVMTypeRef types[3] = { c->pointer, c->i32, c->i32 };
	LLVMTypeRef type = LLVMFunctionType(c->none, types, trap ? 3 : 2, false);
	LLVMValueRef function = LLVMAddFunction(c->ir, trap ? "trap" : "stop", type), values[3], helper, call;
	LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);

	LLVMSetLinkage(function, LLVMInternalLinkage);
	wk_c_add_attribute(c, function, "noinline");
	wk_c_add_attribute(c, function, "cold");
	wk_c_add_attribute(c, function, "nounwind");
	LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->llvm, function, ""));
	helper = wk_c_field(c, c->pointer, LLVMGetParam(function, 0), wk_image_context, helpers, true);
	helper = wk_c_load(c, c->pointer, helper, trap ? offsetof(struct wk_image_helpers, trap) :
		offsetof(struct wk_image_helpers, stop), c->tbaa_context, true);
	LLVMGetParams(function, values);
	call = LLVMBuildCall2(c->b, type, helper, values, trap ? 3 : 2, "");
	LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
	LLVMBuildRetVoid(c->b);
	LLVMPositionBuilderAtEnd(c->b, here);
	return function;
}

void wk_c_end_run(struct compiler *c, LLVMValueRef context, LLVMValueRef trap, LLVMValueRef offset)
{
	LLVMValueRef values[3] = { context, trap ? trap : offset, offset }, call, *ender = &c->enders[trap != NULL];

	if (!*ender)
		*ender = make_ender(c, trap != NULL);
	call = LLVMBuildCall2(c->b, LLVMGlobalGetValueType(*ender), *ender, values, trap ? 3 : 2, "");
	LLVMAddCallSiteAttribute(call, LLVMAttributeFunctionIndex,
		LLVMCreateEnumAttribute(c->llvm, LLVMGetEnumAttributeKindForName("noreturn", 8), 0));
	LLVMBuildUnreachable(c->b);
}

/* ---- functions ---- */

/* With a prefix: LLVM knows functions of the C library by their names, and what a module calls memcpy is not that. With
 * the number, since parts know each other's functions by name. */
static void name_function(const struct wk_module *module, uint32_t index, char *name, size_t size)
{
	struct wk_span known = wk_module_function_name(module, index);
	size_t at = (size_t)snprintf(name, size, known.size ? "wasm.%u." : "wasm.%u", index);

	for (size_t i = 0; i < known.size && at + 1 < size; i++) {
		name[at++] = known.data[i] > ' ' && known.data[i] < 127 && known.data[i] != '@' ? (char)known.data[i] : '_';
		name[at] = 0;
	}
}

void wk_c_share_function(const struct compiler *c, LLVMValueRef function)
{
	if (c->part_count == 1)
		return;
	LLVMSetLinkage(function, LLVMExternalLinkage);
	LLVMSetVisibility(function, LLVMHiddenVisibility);
}

/* Behind the function, since backtraces take what stands there for it. */
static void declare_body(struct compiler *c, struct code *code, uint32_t function)
{
	code->known = wk_library_find(c->module, function);
	if (code->known == WK_LIBRARY_NONE)
		return;
	code->body = wk_c_add_function(c, "body", code->type, true);
	wk_c_add_attribute(c, code->body, "noinline");
}

static void declare(struct compiler *c)
{
	char name[200];

	for (uint32_t i = 0; i < c->module->func_count; i++) {
		const struct wk_deftype *type = wk_module_func_type(c->module, i);
		struct code *code = &c->codes[i];

		name_function(c->module, i, name, sizeof name);
		code->type = wk_c_function_type(c, type);
		code->function = wk_c_add_function(c, name, code->type, true);
		wk_c_share_function(c, code->function);
		if (i < c->module->imported_funcs)
			code->left = "imported";
		else if (wk_c_is_own(c, i) && !c->options->fuel)
			declare_body(c, code, i);
	}
}

/* Puts a new function in the place of one whose body is given up. */
static void replace(struct compiler *c, struct code *code)
{
	LLVMValueRef made;
	char name[200];
	size_t size;

	if (LLVMCountBasicBlocks(code->function) == 0 && !code->body)
		return;
	snprintf(name, sizeof name, "%s", LLVMGetValueName2(code->function, &size));
	LLVMSetValueName2(code->function, "", 0);
	made = wk_c_add_function(c, name, code->type, true);
	wk_c_share_function(c, made);
	LLVMReplaceAllUsesWith(code->function, made);
	LLVMDeleteFunction(code->function);
	code->function = made;
	if (code->body)
		LLVMDeleteFunction(code->body);
	code->body = NULL;
}

/* A tail call from compiled code to a function that is interpreted takes native stack, and so does its way back. A
 * chain of tail calls must not; so where one function of the module is interpreted, those with tail calls are, too. */
static void leave_tail_calls(struct compiler *c)
{
	bool all = true;

	for (uint32_t i = c->module->imported_funcs; i < c->module->func_count; i++)
		all = all && !c->codes[i].left;
	for (uint32_t i = c->module->imported_funcs; !all && i < c->module->func_count; i++)
		if (c->codes[i].tail_calls && !c->codes[i].left)
			c->codes[i].left = "tail calls in a module that is not compiled whole";
}

static void build_stubs(struct compiler *c)
{
	for (uint32_t i = 0; i < c->module->func_count; i++) {
		struct code *code = &c->codes[i];

		if (wk_c_is_own(c, i) ? !code->left : !code->left && !code->tail_calls)
			continue;
		replace(c, code);
		if (!wk_c_is_own(c, i))
			continue;
		wk_c_build_by_slots(c, code->function, wk_module_func_type(c->module, i), 1, offsetof(struct wk_image_helpers, call),
			wk_c_number(c->i32, i));
	}
}

/* ---- tables ---- */

static uint32_t type_index_of(const struct wk_module *module, uint32_t function)
{
	uint32_t i = 0;

	while (module->types[i] != module->funcs[function].type)
		i++;
	return i;
}

LLVMValueRef wk_c_add_constant(struct compiler *c, const char *name, LLVMValueRef value)
{
	LLVMValueRef global = LLVMAddGlobal(c->ir, LLVMTypeOf(value), name);

	LLVMSetInitializer(global, value);
	LLVMSetGlobalConstant(global, true);
	LLVMSetLinkage(global, LLVMInternalLinkage);
	return global;
}

static LLVMValueRef make_array(struct compiler *c, const char *name, LLVMTypeRef type, LLVMValueRef *values,
	uint32_t count)
{
	return wk_c_add_constant(c, name, LLVMConstArray2(type, values, count));
}

/* What all linkers define. */
static LLVMValueRef linker_symbol(struct compiler *c, const char *name)
{
	LLVMValueRef symbol = LLVMAddGlobal(c->ir, c->i8, name);

	LLVMSetVisibility(symbol, LLVMHiddenVisibility);
	return symbol;
}

/* Each function's, then what is not a function's, then NULL. */
static LLVMValueRef build_code_table(struct compiler *c, LLVMValueRef *codes)
{
	uint32_t count = c->module->func_count, asides = wk_c_asides(c, NULL);
	LLVMValueRef *values = calloc((size_t)count + asides + 1, sizeof(*values)), table;

	if (!values) {
		c->failed = true;
		return LLVMConstNull(c->pointer);
	}
	memcpy(values, codes, count * sizeof(*values));
	wk_c_asides(c, values + count);
	values[count + asides] = LLVMConstNull(c->pointer);
	table = make_array(c, "code", c->pointer, values, count + asides + 1);
	free(values);
	return table;
}

/* Values for `count` functions, three times: code, entries, whether it is compiled. */
static void build_tables(struct compiler *c, LLVMValueRef *values)
{
	uint32_t count = c->module->func_count;
	LLVMValueRef null = LLVMConstNull(c->pointer), table, fields[12];

	for (uint32_t i = 0; i < count; i++) {
		const struct code *code = &c->codes[i];
		bool compiled = !code->left;

		values[i] = code->function;
		values[count + i] = null;
		values[2 * count + i] = wk_c_number(c->i8, compiled);
		if (compiled) {
			uint32_t type = type_index_of(c->module, i);

			if (!c->entries[type])
				c->entries[type] = wk_c_build_entry(c, wk_module_func_type(c->module, i));
			values[count + i] = c->entries[type];
		}
	}
	fields[0] = wk_c_number(c->i32, WK_IMAGE_ABI);
	fields[1] = wk_c_number(c->i32, count);
	fields[2] = build_code_table(c, values);
	fields[3] = make_array(c, "entries", c->pointer, values + count, count);
	fields[4] = make_array(c, "compiled", c->i8, values + 2 * (size_t)count, count);
	fields[5] = wk_c_number(c->i32, c->options->fuel);
	fields[6] = wk_c_number(c->i32, c->stripped_size);
	fields[7] = wk_c_add_constant(c, "module", LLVMConstStringInContext(c->llvm, (const char *)c->stripped,
		(unsigned)c->stripped_size, true));
	for (uint32_t i = c->module->imported_funcs; i < count; i++)
		values[i] = wk_c_number(c->i32, c->module->funcs[i].body);
	fields[8] = make_array(c, "bodies", c->i32, values + c->module->imported_funcs, count - c->module->imported_funcs);
	fields[11] = wk_c_number(c->i32, c->guards);
	fields[9] = c->guards ? linker_symbol(c, "__ehdr_start") : null;
	fields[10] = c->guards ? linker_symbol(c, "etext") : null;
	table = LLVMConstStructInContext(c->llvm, fields, WK_COUNT(fields), false);
	LLVMValueRef global = LLVMAddGlobal(c->ir, LLVMTypeOf(table), WK_IMAGE_SYMBOL);
	LLVMSetInitializer(global, table);
	LLVMSetGlobalConstant(global, true);
	LLVMSetVisibility(global, LLVMDefaultVisibility);
}

/* ---- all ---- */

static LLVMValueRef metadata_text(struct compiler *c, const char *text)
{
	return LLVMMDStringInContext(c->llvm, text, (unsigned)strlen(text));
}

/* A guest's memory, its globals and what the context says are never the same bytes. */
static LLVMValueRef alias_class(struct compiler *c, LLVMValueRef root, const char *name)
{
	LLVMValueRef zero = wk_c_number(c->i64, 0);
	LLVMValueRef type = LLVMMDNodeInContext(c->llvm, (LLVMValueRef[]){ metadata_text(c, name), root, zero }, 3);

	return LLVMMDNodeInContext(c->llvm, (LLVMValueRef[]){ type, type, zero }, 3);
}

static void make_metadata(struct compiler *c)
{
	LLVMValueRef name = metadata_text(c, "wasmkeep");
	LLVMValueRef root = LLVMMDNodeInContext(c->llvm, &name, 1);

	c->kind_tbaa = LLVMGetMDKindIDInContext(c->llvm, "tbaa", 4);
	c->kind_prof = LLVMGetMDKindIDInContext(c->llvm, "prof", 4);
	c->kind_invariant = LLVMGetMDKindIDInContext(c->llvm, "invariant.load", 14);
	c->kind_dereferenceable = LLVMGetMDKindIDInContext(c->llvm, "dereferenceable", 15);
	c->kind_range = LLVMGetMDKindIDInContext(c->llvm, "range", 5);
	c->kind_check = LLVMGetMDKindIDInContext(c->llvm, "wasmkeep.check", 14);
	c->tbaa_guest = alias_class(c, root, "guest");
	c->tbaa_context = alias_class(c, root, "context");
	c->tbaa_global = alias_class(c, root, "global");
	c->tbaa_slots = alias_class(c, root, "slots");
	c->tbaa_fuel = alias_class(c, root, "fuel");
	c->unlikely = LLVMMDNodeInContext(c->llvm, (LLVMValueRef[]){ metadata_text(c, "branch_weights"),
		wk_c_number(c->i32, 1), wk_c_number(c->i32, 2000) }, 3);
}

/* The largest function, in bytes, that other parts have a copy of, which LLVM may put into their functions. */
#define COPIED 64

/* Of another part's function, only for copying. */
static void translate_copy(struct compiler *c, uint32_t function)
{
	struct code *code = &c->codes[function];

	if (code->left || c->module->funcs[function].size > COPIED)
		return;
	wk_f_function(c, function);
	if (!code->left)
		LLVMSetLinkage(code->function, LLVMAvailableExternallyLinkage);
}

void wk_c_functions(struct compiler *c)
{
	c->convention = TAILCC;
	make_metadata(c);
	declare(c);
	for (uint32_t i = c->module->imported_funcs; i < c->module->func_count && !c->failed; i++) {
		if (!wk_c_is_own(c, i))
			translate_copy(c, i);
		else if (!c->codes[i].left)
			wk_f_function(c, i);
	}
}

void wk_c_rest(struct compiler *c)
{
	LLVMValueRef *values;

	leave_tail_calls(c);
	build_stubs(c);
	if (c->part != 0)
		return;
	values = calloc(3 * (size_t)c->module->func_count + 1, sizeof(*values));
	if (!values || !wk_c_strip(c)) {
		free(values);
		c->failed = true;
		return;
	}
	build_tables(c, values);
	free(values);
}
