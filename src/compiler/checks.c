/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons of addresses that others make needless. Fields of a structure have one address and several offsets: who
 * has compared for the farthest one needs no more. Memories do not shrink, so what was found holds wherever it dominates,
 * behind calls, too.
 *
 * First, a comparison asks for what follows as well, as far as nothing happens in between but loads and arithmetic: if
 * then not all is there, the run ends in a trap out of bounds in any case, and a comparison that is not hurried says
 * where. (Where another address is out of bounds, too, that place may be behind the first one's.) Then those are taken out
 * that one before them covers. After loops.c, which wants to see them all.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/translator.h"

struct block {
	LLVMBasicBlockRef block;
	uint32_t order;                /* in reverse postorder; NONE: not reached */
	bool open;
};

/* What is known of an address: the bytes behind it that are there. */
struct fact {
	LLVMValueRef address;          /* an i32; NULL: free */
	uint32_t memory;
	uint64_t reach;
};

struct undo { uint32_t fact; uint64_t reach; };

struct function {
	struct compiler *c;
	LLVMValueRef function;
	struct block *blocks;          /* sorted by address */
	LLVMBasicBlockRef *ordered;
	uint32_t *dominator, *child, *sibling; /* by order */
	uint32_t count, reached;
	struct fact *facts;
	uint32_t fact_mask;
	struct undo *undos;
	uint32_t undo_count;
};

#define NONE UINT32_MAX

struct check {
	LLVMValueRef branch, wide, address, size;
	uint64_t reach;
	uint32_t memory;
};

/* ---- one check ---- */

static bool is_sum(LLVMValueRef value, LLVMOpcode opcode, uint64_t reach)
{
	return LLVMIsAInstruction(value) && LLVMGetInstructionOpcode(value) == opcode &&
		LLVMIsAConstantInt(LLVMGetOperand(value, 1)) && LLVMConstIntGetZExtValue(LLVMGetOperand(value, 1)) == reach;
}

/* `zext address > size - reach`, or `zext address + reach > size`. */
static bool read_condition(struct check *check)
{
	LLVMValueRef condition = LLVMGetCondition(check->branch), a, b;

	if (!LLVMIsAICmpInst(condition) || LLVMGetICmpPredicate(condition) != LLVMIntUGT)
		return false;
	a = LLVMGetOperand(condition, 0), b = LLVMGetOperand(condition, 1);
	if (is_sum(a, LLVMAdd, check->reach))
		a = LLVMGetOperand(a, 0);
	else if (is_sum(b, LLVMSub, check->reach))
		b = LLVMGetOperand(b, 0);
	else
		return false;
	check->wide = a;
	check->size = b;
	check->address = LLVMIsAZExtInst(a) ? LLVMGetOperand(a, 0) : NULL;
	return check->address != NULL;
}

/* Not those whose trap has values of a loop (LCSSA): edges to there are to stay as they are. */
static bool read_check(const struct compiler *c, LLVMBasicBlockRef block, struct check *check)
{
	LLVMValueRef branch = LLVMGetBasicBlockTerminator(block), node, facts[2];

	if (!branch || LLVMGetInstructionOpcode(branch) != LLVMBr || !LLVMIsConditional(branch))
		return false;
	node = LLVMGetMetadata(branch, c->kind_check);
	if (!node || LLVMGetMDNodeNumOperands(node) != 2)
		return false;
	LLVMGetMDNodeOperands(node, facts);
	check->branch = branch;
	check->reach = LLVMConstIntGetZExtValue(facts[0]);
	check->memory = (uint32_t)LLVMConstIntGetZExtValue(facts[1]);
	return !wk_c_is_guarded(c, check->memory) && !LLVMIsAPHINode(LLVMGetFirstInstruction(LLVMGetSuccessor(branch, 0))) &&
		read_condition(check);
}

/* ---- asking for more ---- */

static bool happens(LLVMValueRef at)
{
	switch (LLVMGetInstructionOpcode(at)) {
	case LLVMStore: case LLVMCall: case LLVMFence: case LLVMAtomicRMW: case LLVMAtomicCmpXchg: return true;
	case LLVMLoad: return LLVMGetVolatile(at) || LLVMGetOrdering(at) != LLVMAtomicOrderingNotAtomic;
	default: return false;
	}
}

/* Whoever comes to the block's end has come from `from`, and nothing has happened since. */
static bool is_quiet(LLVMBasicBlockRef block, LLVMBasicBlockRef from)
{
	for (LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(block)); use; use = LLVMGetNextUse(use)) {
		LLVMValueRef user = LLVMGetUser(use);

		if (LLVMIsATerminatorInst(user) && LLVMGetInstructionParent(user) != from)
			return false;
	}
	for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at))
		if (LLVMIsAPHINode(at) || happens(at))
			return false;
	return true;
}

static LLVMValueRef build_condition(struct compiler *c, const struct check *check, uint64_t reach)
{
	LLVMValueRef number = wk_c_number(c->i64, reach);

	if (reach <= wk_c_memory_minimum(c, check->memory))
		return LLVMBuildICmp(c->b, LLVMIntUGT, check->wide, LLVMBuildSub(c->b, check->size, number, ""), "");
	return LLVMBuildICmp(c->b, LLVMIntUGT, LLVMBuildAdd(c->b, check->wide, number, ""), check->size, "");
}

/* Between `first` and `farthest` nothing happens. */
static void ask_for_more(struct function *f, const struct check *first, const struct check *farthest)
{
	struct compiler *c = f->c;
	LLVMBasicBlockRef near = LLVMGetSuccessor(first->branch, 0), far = LLVMGetSuccessor(farthest->branch, 0);
	LLVMBasicBlockRef where = LLVMAppendBasicBlockInContext(c->llvm, f->function, "");
	LLVMValueRef old = LLVMGetCondition(first->branch), facts[2];

	LLVMPositionBuilderBefore(c->b, first->branch);
	LLVMSetCondition(first->branch, build_condition(c, first, farthest->reach));
	LLVMSetSuccessor(first->branch, 0, where);
	facts[0] = wk_c_number(c->i64, farthest->reach);
	facts[1] = wk_c_number(c->i64, first->memory);
	wk_c_tag(first->branch, c->kind_check, LLVMMDNodeInContext(c->llvm, facts, 2));
	LLVMPositionBuilderAtEnd(c->b, where);
	LLVMBuildCondBr(c->b, old, near, far);
}

static void widen(struct function *f, LLVMBasicBlockRef block)
{
	struct check first, next, farthest;

	if (!read_check(f->c, block, &first))
		return;
	farthest = first;
	for (LLVMBasicBlockRef from = block, to = LLVMGetSuccessor(first.branch, 1); is_quiet(to, from) &&
		read_check(f->c, to, &next); from = to, to = LLVMGetSuccessor(next.branch, 1))
		if (next.address == first.address && next.memory == first.memory && next.reach > farthest.reach)
			farthest = next;
	if (farthest.reach > first.reach)
		ask_for_more(f, &first, &farthest);
}

/* ---- blocks in order, and which dominate which ---- */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct block *)a)->block, y = (uintptr_t)((const struct block *)b)->block;

	return x < y ? -1 : x > y;
}

static struct block *find(const struct function *f, LLVMBasicBlockRef block)
{
	struct block key = { block, 0, false };

	return bsearch(&key, f->blocks, f->count, sizeof key, by_address);
}

/* A search in depth; the last block that is done is the first in order. `path` and `next` have room for all. */
static void put_in_order(struct function *f, uint32_t *path, uint32_t *next)
{
	uint32_t depth = 0, left = f->count;
	struct block *entry = find(f, LLVMGetEntryBasicBlock(f->function));

	entry->open = true;
	path[depth++] = (uint32_t)(entry - f->blocks);
	while (depth != 0) {
		struct block *b = &f->blocks[path[depth - 1]];
		LLVMValueRef end = LLVMGetBasicBlockTerminator(b->block);

		if (next[depth - 1] == LLVMGetNumSuccessors(end)) {
			f->ordered[--left] = b->block;
			depth--;
			continue;
		}
		struct block *to = find(f, LLVMGetSuccessor(end, next[depth - 1]++));
		if (!to->open) {
			to->open = true;
			next[depth] = 0;
			path[depth++] = (uint32_t)(to - f->blocks);
		}
	}
	f->reached = f->count - left;
	memmove(f->ordered, f->ordered + left, f->reached * sizeof *f->ordered);
	for (uint32_t i = 0; i < f->reached; i++)
		find(f, f->ordered[i])->order = i;
}

static uint32_t meet(const struct function *f, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (a > b)
			a = f->dominator[a];
		while (b > a)
			b = f->dominator[b];
	}
	return a;
}

static uint32_t dominator_of(const struct function *f, uint32_t order)
{
	uint32_t found = NONE;

	for (LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(f->ordered[order])); use; use = LLVMGetNextUse(use)) {
		LLVMValueRef user = LLVMGetUser(use);
		const struct block *from = LLVMIsATerminatorInst(user) ? find(f, LLVMGetInstructionParent(user)) : NULL;

		if (from && from->order != NONE && f->dominator[from->order] != NONE)
			found = found == NONE ? from->order : meet(f, found, from->order);
	}
	return found;
}

/* Each block's nearest dominator, by going over all in order until nothing changes (Cooper, Harvey and Kennedy). */
static void find_dominators(struct function *f)
{
	bool changed = true;

	for (uint32_t i = 0; i < f->reached; i++)
		f->dominator[i] = f->child[i] = f->sibling[i] = NONE;
	f->dominator[0] = 0;
	while (changed) {
		changed = false;
		for (uint32_t i = 1; i < f->reached; i++) {
			uint32_t found = dominator_of(f, i);

			changed = changed || found != f->dominator[i];
			f->dominator[i] = found;
		}
	}
	for (uint32_t i = f->reached - 1; i > 0; i--) {
		f->sibling[i] = f->child[f->dominator[i]];
		f->child[f->dominator[i]] = i;
	}
}

/* ---- taking out ---- */

static struct fact *fact_of(struct function *f, const struct check *check)
{
	uint32_t at = (uint32_t)((uintptr_t)check->address >> 4) * 0x9e3779b1u + check->memory;

	for (at &= f->fact_mask;; at = (at + 1) & f->fact_mask) {
		struct fact *fact = &f->facts[at];

		if (!fact->address)
			*fact = (struct fact){ check->address, check->memory, 0 };
		if (fact->address == check->address && fact->memory == check->memory)
			return fact;
	}
}

static void visit(struct function *f, LLVMBasicBlockRef block)
{
	struct compiler *c = f->c;
	struct check check;
	struct fact *fact;

	if (!read_check(c, block, &check))
		return;
	fact = fact_of(f, &check);
	if (fact->reach < check.reach) {
		f->undos[f->undo_count++] = (struct undo){ (uint32_t)(fact - f->facts), fact->reach };
		fact->reach = check.reach;
		return;
	}
	LLVMPositionBuilderBefore(c->b, check.branch);
	LLVMBuildBr(c->b, LLVMGetSuccessor(check.branch, 1));
	LLVMInstructionEraseFromParent(check.branch);
}

/* Down the tree of dominators and up again; `begun` is how many facts were new before each block of the path. */
static void take_out(struct function *f, uint32_t *path, uint32_t *begun)
{
	uint32_t depth = 0, next = 0;

	for (;;) {
		if (next != NONE) {
			path[depth] = next;
			begun[depth++] = f->undo_count;
			visit(f, f->ordered[next]);
			next = f->child[next];
			continue;
		}
		if (depth == 0)
			return;
		next = f->sibling[path[--depth]];
		while (f->undo_count > begun[depth]) {
			const struct undo *undo = &f->undos[--f->undo_count];

			f->facts[undo->fact].reach = undo->reach;
		}
	}
}

/* ---- all ---- */

static uint32_t count_checks(const struct function *f)
{
	struct check check;
	uint32_t count = 0;

	for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f->function); block; block = LLVMGetNextBasicBlock(block))
		count += read_check(f->c, block, &check);
	return count;
}

bool wk_c_share_checks(struct compiler *c, LLVMValueRef function)
{
	struct function f = { .c = c, .function = function };
	uint32_t checks = count_checks(&f), *work = NULL;
	bool good;

	if (checks < 2)
		return true;
	for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block; block = LLVMGetNextBasicBlock(block))
		widen(&f, block);
	f.count = LLVMCountBasicBlocks(function);
	for (f.fact_mask = 4; f.fact_mask < 2 * checks; f.fact_mask *= 2)
		;
	f.facts = calloc(f.fact_mask--, sizeof *f.facts);
	f.undos = calloc(checks, sizeof *f.undos);
	f.blocks = calloc(f.count, sizeof *f.blocks);
	f.ordered = calloc(f.count, sizeof(LLVMBasicBlockRef));
	work = calloc(5 * (size_t)f.count, sizeof *work);
	good = f.facts && f.undos && f.blocks && f.ordered && work;
	if (good) {
		uint32_t i = 0;

		f.dominator = work, f.child = work + f.count, f.sibling = work + 2 * (size_t)f.count;
		for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block; block = LLVMGetNextBasicBlock(block))
			f.blocks[i++] = (struct block){ block, NONE, false };
		qsort(f.blocks, f.count, sizeof *f.blocks, by_address);
		put_in_order(&f, work + 3 * (size_t)f.count, work + 4 * (size_t)f.count);
		find_dominators(&f);
		memset(work + 3 * (size_t)f.count, 0, 2 * f.count * sizeof *work);
		take_out(&f, work + 3 * (size_t)f.count, work + 4 * (size_t)f.count);
	}
	free(f.facts);
	free(f.undos);
	free(f.blocks);
	free(f.ordered);
	free(work);
	return good;
}
