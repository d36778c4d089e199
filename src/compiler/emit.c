/* SPDX-License-Identifier: Apache-2.0
 *
 * From IR to an object file: loops in two versions, the looks at the interrupt flag, LLVM's own pipeline, then code.
 */
#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "compiler/translator.h"

/* x86-64-v2 is what every processor of the last ten years has; without its SSE 4.1 roundings would be calls. */
static const struct wk_target targets[] = {
	{ "x86_64-linux", "x86_64-unknown-linux-gnu", "x86-64-v2", "", "elf_x86_64", false },
	{ "aarch64-linux", "aarch64-unknown-linux-gnu", "generic", "+neon", "aarch64linux", false },
	{ "aarch64-optee", "aarch64-unknown-linux-gnu", "generic", "+neon", "aarch64linux", true },
};

const struct wk_target *wk_c_target(const char *name)
{
	for (size_t i = 0; i < WK_COUNT(targets); i++)
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}

static enum wk_status fail(struct wk_report *report, const char *what, char *text)
{
	enum wk_status status = wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", what,
		text ? text : "no reason given");

	if (text)
		LLVMDisposeMessage(text);
	return status;
}

void wk_c_start(void)
{
	LLVMInitializeX86TargetInfo(), LLVMInitializeX86Target(), LLVMInitializeX86TargetMC(), LLVMInitializeX86AsmPrinter();
	LLVMInitializeX86AsmParser(); /* polls.c has assembly */
	LLVMInitializeAArch64TargetInfo(), LLVMInitializeAArch64Target(), LLVMInitializeAArch64TargetMC();
	LLVMInitializeAArch64AsmPrinter(), LLVMInitializeAArch64AsmParser(); /* and optee.c */
}

static enum wk_status make_machine(struct compiler *c, struct wk_report *report)
{
	const struct wk_target *target = wk_c_target(c->options->target);
	LLVMCodeGenOptLevel level = (LLVMCodeGenOptLevel)c->options->optimisation;
	LLVMTargetDataRef layout;
	LLVMTargetRef found;
	char *text = NULL;

	if (LLVMGetTargetFromTriple(target->triple, &found, &text))
		return fail(report, "LLVM does not know the target", text);
	c->machine = LLVMCreateTargetMachine(found, target->triple, target->cpu, target->features, level, LLVMRelocPIC,
		LLVMCodeModelDefault);
	if (!c->machine)
		return fail(report, "LLVM does not know the target", NULL);
	layout = LLVMCreateTargetDataLayout(c->machine);
	LLVMSetModuleDataLayout(c->ir, layout);
	LLVMDisposeTargetData(layout);
	LLVMSetTarget(c->ir, target->triple);
	return WK_OK;
}

static enum wk_status run_passes(struct compiler *c, const char *passes, struct wk_report *report)
{
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
	enum wk_status status;
	LLVMErrorRef error;
	char *text;

	LLVMPassBuilderOptionsSetLoopVectorization(options, true);
	LLVMPassBuilderOptionsSetSLPVectorization(options, true);
	error = LLVMRunPasses(c->ir, passes, c->machine, options);
	LLVMDisposePassBuilderOptions(options);
	if (!error)
		return WK_OK;
	text = LLVMGetErrorMessage(error);
	status = wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "LLVM: %s", text);
	LLVMDisposeErrorMessage(text);
	return status;
}

/* A mistake of ours, which must not become code. */
static enum wk_status verify(struct compiler *c, struct wk_report *report)
{
	char *text = NULL;

	if (LLVMVerifyModule(c->ir, LLVMReturnStatusAction, &text))
		return fail(report, "the compiler made a mistake", text);
	LLVMDisposeMessage(text);
	return WK_OK;
}

/* Loops of a simple shape, with values in registers and what does not change before them: what loops.c reads. Checks that
 * cannot fail go first: moved out of a loop, a memory's size is no longer known to be at least something. */
#define BEFORE_LOOPS \
	"function(sroa,early-cse,correlated-propagation,simplifycfg,loop-mssa(loop-rotate,licm),loop-simplify,lcssa)"

/* What we do to loops: before LLVM's own passes, which change them in ways that would hide what they are. */
static bool change_loops(struct compiler *c)
{
	bool good = true;

	for (LLVMValueRef function = LLVMGetFirstFunction(c->ir); function && good; function = LLVMGetNextFunction(function)) {
		struct wk_c_blocks bounded = { 0 };

		if (LLVMCountBasicBlocks(function) == 0)
			continue;
		if (c->options->optimisation >= 2)
			good = wk_c_version_loops(c, function, &bounded) && wk_c_share_checks(c, function);
		good = good && wk_c_add_polls(c, function, &bounded);
		wk_c_leave_to_guards(c, function);
		free(bounded.blocks);
	}
	return good;
}

static enum wk_status change(struct compiler *c, struct wk_report *report)
{
	enum wk_status status = WK_OK;
	char passes[32];

	if (c->options->optimisation >= 2)
		status = run_passes(c, BEFORE_LOOPS, report);
	if (status == WK_OK)
		status = change_loops(c) ? verify(c, report) : WK_NO_MEMORY;
	snprintf(passes, sizeof passes, "default<O%u>", c->options->optimisation);
	return status == WK_OK ? run_passes(c, passes, report) : status;
}

enum wk_status wk_c_optimise(struct compiler *c, struct wk_report *report)
{
	enum wk_status status = make_machine(c, report);
	char *text = NULL;

	if (status == WK_OK && c->options->save_ir && LLVMPrintModuleToFile(c->ir, c->options->save_ir, &text))
		status = fail(report, c->options->save_ir, text);
	if (status == WK_OK)
		status = verify(c, report);
	if (status == WK_OK)
		status = change(c, report);
	return status == WK_OK ? verify(c, report) : status;
}

enum wk_status wk_c_emit(struct compiler *c, struct wk_report *report, LLVMMemoryBufferRef *object)
{
	char *text = NULL;

	if (LLVMTargetMachineEmitToMemoryBuffer(c->machine, c->ir, LLVMObjectFile, &text, object))
		return fail(report, "LLVM cannot make code", text);
	return WK_OK;
}
