/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of compiling: translate, optimise, make code, link, seal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "compiler/sign.h"
#include "compiler/translator.h"

static bool make(struct compiler *c)
{
	const struct wk_module *m = c->module;

	c->llvm = LLVMContextCreate();
	c->ir = LLVMModuleCreateWithNameInContext("wasm", c->llvm);
	c->b = LLVMCreateBuilderInContext(c->llvm);
	c->i1 = LLVMInt1TypeInContext(c->llvm);
	c->i8 = LLVMInt8TypeInContext(c->llvm);
	c->i16 = LLVMInt16TypeInContext(c->llvm);
	c->i32 = LLVMInt32TypeInContext(c->llvm);
	c->i64 = LLVMInt64TypeInContext(c->llvm);
	c->i128 = LLVMInt128TypeInContext(c->llvm);
	c->f32 = LLVMFloatTypeInContext(c->llvm);
	c->f64 = LLVMDoubleTypeInContext(c->llvm);
	c->v128 = LLVMVectorType(c->i64, 2);
	c->x86 = strncmp(c->options->target, "x86_64", 6) == 0;
	c->pointer = LLVMPointerTypeInContext(c->llvm, 0);
	c->none = LLVMVoidTypeInContext(c->llvm);
	c->codes = calloc((size_t)m->func_count + 1, sizeof *c->codes);
	c->entries = calloc((size_t)m->type_count + 1, sizeof(LLVMValueRef));
	c->slow_calls = calloc((size_t)m->type_count + 1, sizeof(LLVMValueRef));
	c->by_slots = calloc((size_t)m->type_count + 1, sizeof(LLVMValueRef));
	c->known_tables = calloc((size_t)m->table_count + 1, sizeof(LLVMValueRef));
	return c->codes && c->known_tables && c->entries && c->slow_calls && c->by_slots;
}

static void end(struct compiler *c)
{
	if (!c->llvm)
		return;
	free(c->codes);
	free(c->known_tables);
	free(c->entries);
	free(c->slow_calls);
	free(c->by_slots);
	free(c->stripped);
	LLVMDisposeBuilder(c->b);
	LLVMDisposeModule(c->ir);
	LLVMContextDispose(c->llvm);
	if (c->machine)
		LLVMDisposeTargetMachine(c->machine);
}

static void count_compiled(const struct compiler *c, struct wk_compile_result *result)
{
	*result = (struct wk_compile_result){ 0 };
	for (uint32_t i = c->module->imported_funcs; i < c->module->func_count; i++) {
		result->functions++;
		result->compiled += !c->codes[i].left;
		if (c->codes[i].left && c->options->left)
			c->options->left(c->options->context, i, c->codes[i].left);
	}
}

/* Translates the module; the parts are to be ended in any case. */
static bool translate(struct compiler *parts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!make(&parts[i]))
			return false;
		wk_c_functions(&parts[i]);
		if (parts[i].failed)
			return false;
	}
	wk_c_share(parts, count);
	for (uint32_t i = 0; i < count; i++) {
		wk_c_rest(&parts[i]);
		if (parts[i].failed)
			return false;
	}
	return true;
}

/* A key is read before anything is compiled, which takes long. */
static enum wk_status check_options(const struct wk_compile_options *options, struct wk_report *report)
{
	const struct wk_target *target = wk_c_target(options->target);
	struct wk_key *key = NULL;
	enum wk_status status;

	if (!target || options->optimisation > 3)
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, "no images are made for '%s'",
			options->target);
	if (target->optee != (options->sign != NULL))
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, target->optee ?
			"an image for OP-TEE must be signed: --sign KEY.pem, the key of the Trusted Applications (docs/device.md)" :
			"only images for OP-TEE are signed: --target aarch64-optee");
	if (!target->optee)
		return WK_OK;
	status = wk_key_read(options->sign, report, &key);
	wk_key_delete(key);
	return status;
}

static void name_compiler(char *text, size_t size)
{
	unsigned major, minor, patch;

	LLVMGetVersion(&major, &minor, &patch);
	snprintf(text, size, WASMKEEP_VERSION "/llvm-%u.%u.%u", major, minor, patch);
}

enum wk_status wk_compile(const struct wk_module *module, const struct wk_compile_options *options,
	const char *path, struct wk_report *report, struct wk_compile_result *result)
{
	struct wk_compile_options chosen = *options;
	struct compiler parts[WK_C_PARTS] = { { 0 } };
	struct wk_c_table *tables = NULL;
	struct wk_image_seal seal = { .optimisation = options->optimisation };
	LLVMMemoryBufferRef objects[WK_C_PARTS] = { NULL };
	uint32_t count = wk_c_part_count(module, options);
	enum wk_status status;

	if (!chosen.target)
		chosen.target = WK_IMAGE_TARGET;
	status = check_options(&chosen, report);
	if (status != WK_OK)
		return status;
	if (!wk_c_find_tables(module, &tables)) {
		wk_c_free_tables(module, tables);
		return WK_NO_MEMORY;
	}
	for (uint32_t i = 0; i < count; i++) {
		parts[i].module = module;
		parts[i].tables = tables;
		parts[i].options = &chosen;
		parts[i].guards = !chosen.compare && strcmp(chosen.target, "x86_64-linux") == 0; /* port/posix/pages.c */
	}
	wk_c_divide(parts, count);
	if (translate(parts, count)) {
		count_compiled(&parts[0], result);
		memcpy(seal.target, chosen.target, strlen(chosen.target));
		name_compiler(seal.compiler, sizeof seal.compiler);
		seal.function_count = result->functions;
		seal.compiled_count = result->compiled;
		seal.counts_fuel = chosen.fuel;
		if (wk_c_target(chosen.target)->optee)
			wk_c_optee(&parts[0], &seal);
		status = wk_c_emit_parts(parts, count, report, objects);
	} else {
		status = WK_NO_MEMORY;
	}
	if (status == WK_OK) {
		status = wk_c_link(&chosen, objects, count, module, wk_span(parts[0].stripped, parts[0].stripped_size), &seal,
			path, report);
		result->library_size = seal.library_size;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (objects[i])
			LLVMDisposeMemoryBuffer(objects[i]);
		end(&parts[i]);
	}
	wk_c_free_tables(module, tables);
	return status;
}
