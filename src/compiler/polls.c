/* SPDX-License-Identifier: Apache-2.0
 *
 * Interruption: loops look at the flag in each of their rounds.
 *
 * A look is a line of assembly: to LLVM it does something, so it stays where it is and as often as it is, but it
 * touches no memory that LLVM knows of, so that what does not change in a loop is still loaded before it. An atomic
 * load would be a barrier. The looks are put in before LLVM's own passes, by which no loop comes to be that was not
 * there.
 *
 * No look is in a loop without calls and loops in it that is known to end soon (loops.c): it would keep LLVM
 * from making vectors of it, and cost a tenth of a small one.
 *
 * An edge leads back if it goes to a block that a search in depth has begun and not ended. Every cycle has one.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/translator.h"

struct block {
	LLVMBasicBlockRef block;
	uint32_t next;                 /* successor that is looked at next */
	uint8_t state;                 /* NEW, OPEN, DONE */
};
enum { NEW, OPEN, DONE };

struct search {
	struct compiler *c;
	LLVMValueRef function;
	struct block *blocks;          /* sorted by address */
	uint32_t count;
	uint32_t *path;                /* numbers of the open ones */
	struct wk_c_edge *edges;
	uint32_t edge_count, edge_room;
};

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct block *)a)->block, y = (uintptr_t)((const struct block *)b)->block;

	return x < y ? -1 : x > y;
}

static struct block *find(const struct search *s, LLVMBasicBlockRef block)
{
	struct block key = { block, 0, 0 };

	return bsearch(&key, s->blocks, s->count, sizeof key, by_address);
}

static bool add_edge(struct search *s, LLVMBasicBlockRef from, LLVMBasicBlockRef to)
{
	for (uint32_t i = 0; i < s->edge_count; i++)
		if (s->edges[i].from == from && s->edges[i].to == to)
			return true; /* a switch may go there twice */
	if (s->edge_count == s->edge_room) {
		uint32_t room = s->edge_room ? 2 * s->edge_room : 16;
		struct wk_c_edge *grown = realloc(s->edges, room * sizeof *grown);

		if (!grown)
			return false;
		s->edges = grown;
		s->edge_room = room;
	}
	s->edges[s->edge_count++] = (struct wk_c_edge){ from, to };
	return true;
}

static bool find_edges(struct search *s)
{
	struct block *entry = find(s, LLVMGetEntryBasicBlock(s->function));
	uint32_t depth = 0;

	entry->state = OPEN;
	s->path[depth++] = (uint32_t)(entry - s->blocks);
	while (depth != 0) {
		struct block *b = &s->blocks[s->path[depth - 1]];
		LLVMValueRef end = LLVMGetBasicBlockTerminator(b->block);

		if (b->next == LLVMGetNumSuccessors(end)) {
			b->state = DONE;
			depth--;
			continue;
		}
		struct block *to = find(s, LLVMGetSuccessor(end, b->next++));
		if (to->state == NEW) {
			to->state = OPEN;
			s->path[depth++] = (uint32_t)(to - s->blocks);
		} else if (to->state == OPEN && !add_edge(s, b->block, to->block)) {
			return false;
		}
	}
	return true;
}

/* A phi cannot be told that an edge comes from another block, so a new one takes its place. */
static void redirect_phis(struct search *s, LLVMBasicBlockRef at, LLVMBasicBlockRef from, LLVMBasicBlockRef to)
{
	LLVMValueRef next = NULL;

	for (LLVMValueRef phi = LLVMGetFirstInstruction(at); phi && LLVMIsAPHINode(phi); phi = next) {
		LLVMValueRef made;
		bool done = false;

		next = LLVMGetNextInstruction(phi);
		LLVMPositionBuilderBefore(s->c->b, phi);
		made = LLVMBuildPhi(s->c->b, LLVMTypeOf(phi), "");
		for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
			LLVMValueRef value = LLVMGetIncomingValue(phi, i);
			LLVMBasicBlockRef block = LLVMGetIncomingBlock(phi, i);

			if (block == from && done)
				continue;
			if (block == from) {
				done = true;
				block = to;
			}
			if (value == phi)
				value = made;
			LLVMAddIncoming(made, &value, &block, 1);
		}
		LLVMReplaceAllUsesWith(phi, made);
		LLVMInstructionEraseFromParent(phi);
	}
}

/* x86-64: the comparison itself; AArch64: the flag. In a Trusted Application the flag is the normal world's memory, and
 * its address changes while a guest waits. */
static const struct { const char *text, *constraints; } looks[] = {
	{ "cmpl $$0, ($1)", "={@ccne},r,~{dirflag},~{fpsr},~{flags}" },
	{ "ldr ${0:w}, [$1]", "=r,r" },
	{ "ldr $0, [$1]\n\tldr ${0:w}, [$0]", "=&r,r" },
};

LLVMValueRef wk_c_interrupted(struct compiler *c, LLVMValueRef exec)
{
	const bool optee = wk_c_target(c->options->target)->optee;
	const unsigned which = c->x86 ? 0 : optee ? 2 : 1;
	LLVMTypeRef type = LLVMFunctionType(which == 2 ? c->i64 : c->i32, &c->pointer, 1, false);
	LLVMValueRef at = wk_c_at(c, exec, optee ? offsetof(struct wk_exec, interrupt_at) : offsetof(struct wk_exec, interrupt));
	LLVMValueRef look = LLVMGetInlineAsm(type, (char *)looks[which].text, strlen(looks[which].text),
		(char *)looks[which].constraints, strlen(looks[which].constraints), true, false, LLVMInlineAsmDialectATT, false);
	LLVMValueRef seen = LLVMBuildCall2(c->b, type, look, &at, 1, "");
	LLVMTypeRef flag = which == 2 ? c->i64 : c->i32;

	/* memory(inaccessiblemem: readwrite), as LLVM numbers it */
	wk_c_describe_call(c, seen, "memory", 3 << 2);
	wk_c_describe_call(c, seen, "nounwind", 0);
	wk_c_describe_call(c, seen, "willreturn", 0);
	if (optee)
		seen = LLVMBuildAnd(c->b, seen, wk_c_number(flag, WK_INTERRUPT), "");
	return LLVMBuildICmp(c->b, LLVMIntNE, seen, wk_c_number(flag, 0), "");
}

static void poll(struct search *s, struct wk_c_edge edge, LLVMValueRef exec)
{
	struct compiler *c = s->c;
	LLVMBasicBlockRef look = LLVMInsertBasicBlockInContext(c->llvm, edge.to, "poll");
	LLVMBasicBlockRef bad = LLVMAppendBasicBlockInContext(c->llvm, s->function, "stop");
	LLVMValueRef end = LLVMGetBasicBlockTerminator(edge.from), branch;

	for (unsigned i = 0; i < LLVMGetNumSuccessors(end); i++)
		if (LLVMGetSuccessor(end, i) == edge.to)
			LLVMSetSuccessor(end, i, look);
	redirect_phis(s, edge.to, edge.from, look);
	LLVMPositionBuilderAtEnd(c->b, look);
	branch = LLVMBuildCondBr(c->b, wk_c_interrupted(c, exec), bad, edge.to);
	wk_c_tag(branch, c->kind_prof, c->unlikely);
	LLVMPositionBuilderAtEnd(c->b, bad);
	wk_c_end_run(c, LLVMGetParam(s->function, 0), NULL, wk_c_number(c->i32, UINT32_MAX));
}

static bool search(struct search *s)
{
	uint32_t count = LLVMCountBasicBlocks(s->function);

	s->blocks = calloc(count, sizeof *s->blocks);
	s->path = calloc(count, sizeof *s->path);
	if (!s->blocks || !s->path)
		return false;
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(s->function); b; b = LLVMGetNextBasicBlock(b))
		s->blocks[s->count++].block = b;
	qsort(s->blocks, s->count, sizeof *s->blocks, by_address);
	return find_edges(s);
}

bool wk_c_back_edges(struct compiler *c, LLVMValueRef function, struct wk_c_edge **edges, uint32_t *count)
{
	struct search s = { .c = c, .function = function };
	bool good = search(&s);

	free(s.blocks);
	free(s.path);
	*edges = s.edges;
	*count = s.edge_count;
	return good;
}

static bool is_bounded(const struct wk_c_blocks *bounded, LLVMBasicBlockRef header)
{
	for (uint32_t i = 0; i < bounded->count; i++)
		if (bounded->blocks[i] == header)
			return true;
	return false;
}

static void add_polls(struct search *s, const struct wk_c_blocks *bounded)
{
	LLVMValueRef exec, first;

	if (s->edge_count == 0)
		return;
	/* Behind the allocas, if there are any. */
	first = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(s->function));
	while (LLVMIsAAllocaInst(first))
		first = LLVMGetNextInstruction(first);
	LLVMPositionBuilderBefore(s->c->b, first);
	exec = wk_c_field(s->c, s->c->pointer, LLVMGetParam(s->function, 0), wk_image_context, exec, true);
	for (uint32_t i = 0; i < s->edge_count; i++)
		if (!is_bounded(bounded, s->edges[i].to))
			poll(s, s->edges[i], exec);
}

bool wk_c_add_polls(struct compiler *c, LLVMValueRef function, const struct wk_c_blocks *bounded)
{
	struct search s = { .c = c, .function = function };
	bool good = search(&s);

	if (good)
		add_polls(&s, bounded);
	free(s.blocks);
	free(s.path);
	free(s.edges);
	return good;
}
