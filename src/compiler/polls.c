/* SPDX-License-Identifier: Apache-2.0
 *
 * Interruption: every loop looks at the flag in each of its rounds.
 *
 * The looks are put into code that LLVM has optimised already, on the edges that lead back. Before, they would keep
 * it from knowing how often loops run and from making vectors of them; now a loop that was unrolled or became vectors
 * looks once for many rounds of the module's. Loops that were optimised away need none.
 *
 * An edge leads back if it goes to a block that a search in depth has begun and not ended. Every cycle has one.
 */
#include <stdlib.h>

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

LLVMValueRef wk_c_interrupted(struct compiler *c, LLVMValueRef exec)
{
	bool optee = wk_c_target(c->options->target)->optee;
	LLVMValueRef at = exec, flag, bits;

	if (optee) {
		at = wk_c_field(c, c->pointer, exec, wk_exec, interrupt_at, false);
		LLVMSetOrdering(at, LLVMAtomicOrderingMonotonic); /* it moves while a guest waits */
		LLVMSetAlignment(at, 8);
	}
	flag = wk_c_load(c, c->i32, at, optee ? 0 : offsetof(struct wk_exec, interrupt), c->tbaa_context, false);
	LLVMSetOrdering(flag, LLVMAtomicOrderingMonotonic);
	LLVMSetAlignment(flag, 4);
	bits = optee ? LLVMBuildAnd(c->b, flag, wk_c_number(c->i32, WK_INTERRUPT), "") : flag;
	return LLVMBuildICmp(c->b, LLVMIntNE, bits, wk_c_number(c->i32, 0), "");
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

static void add_polls(struct search *s)
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
		poll(s, s->edges[i], exec);
}

void wk_c_add_polls(struct compiler *c)
{
	for (LLVMValueRef function = LLVMGetFirstFunction(c->ir); function && !c->failed;
		function = LLVMGetNextFunction(function)) {
		struct search s = { .c = c, .function = function };

		if (LLVMCountBasicBlocks(function) < 1)
			continue;
		if (search(&s))
			add_polls(&s);
		else
			c->failed = true;
		free(s.blocks);
		free(s.path);
		free(s.edges);
	}
}
