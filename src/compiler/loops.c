/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops in two versions. Where the addresses of an innermost loop go up or down by the same amount in each round and
 * the number of rounds is known when it begins, one look there at the lowest and the highest address is as good as a
 * look at each. If all are in bounds a copy of the loop runs that has no checks for them, and addresses of 64 bits that
 * do not wrap, so that LLVM sees what it sees in native code; if not, the loop as it was, with every check. So traps are
 * what they were: the copy runs only if those checks could not have trapped. A memory does not shrink, so what was in
 * bounds when the loop began stays there. Checks of other addresses stay in the copy.
 *
 * A copy is made before LLVM's own passes, which change indices in ways that hide all this. What is needed of them
 * first, values in registers and loops of a simple shape, is asked for in emit.c. Checks are known by the metadata that
 * memory.c gave their branches.
 *
 * What always holds: this adds no check and changes none in the loop that was there.
 */
#include <stdlib.h>

#include "compiler/loops.h"

/* Loops of more instructions are not copied; of fewer rounds, not worth the look. */
#define LARGEST 500
#define FEWEST 4

/* ---- blocks ---- */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

static bool has_block(const struct loop *loop, LLVMBasicBlockRef block)
{
	const struct version *v = loop->blocks;

	return bsearch(&block, v->blocks, v->count, sizeof block, by_address) != NULL;
}

/* The predecessors of a block are the users of it that end blocks. */
static LLVMBasicBlockRef predecessor(LLVMUseRef use)
{
	LLVMValueRef user = LLVMGetUser(use);

	return LLVMIsATerminatorInst(user) ? LLVMGetInstructionParent(user) : NULL;
}

static bool listed(const struct version *v, LLVMBasicBlockRef block)
{
	for (uint32_t i = 0; i < v->count; i++)
		if (v->blocks[i] == block)
			return true;
	return false;
}

/* All blocks from which the latch can be reached without passing the header. `room` is how many there may be. */
static bool collect(struct version *v, uint32_t room)
{
	uint32_t instructions = 0;
	LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(v->function);

	v->blocks[v->count++] = v->loop.header;
	if (v->loop.latch != v->loop.header)
		v->blocks[v->count++] = v->loop.latch;
	for (uint32_t i = 1; i < v->count; i++) {
		for (LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(v->blocks[i])); use; use = LLVMGetNextUse(use)) {
			LLVMBasicBlockRef from = predecessor(use);

			if (!from || listed(v, from))
				continue;
			if (from == entry || v->count == room)
				return false;
			v->blocks[v->count++] = from;
		}
	}
	qsort(v->blocks, v->count, sizeof *v->blocks, by_address);
	for (uint32_t i = 0; i < v->count; i++)
		for (LLVMValueRef at = LLVMGetFirstInstruction(v->blocks[i]); at; at = LLVMGetNextInstruction(at))
			if (++instructions > LARGEST)
				return false;
	return true;
}

/* Calls cost more than checks, and would be copied, too. */
static bool can_be_copied(LLVMBasicBlockRef block)
{
	LLVMOpcode end = LLVMGetInstructionOpcode(LLVMGetBasicBlockTerminator(block));

	for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at)) {
		LLVMOpcode op = LLVMGetInstructionOpcode(at);

		if (op == LLVMAlloca || (op == LLVMCall && LLVMGetIntrinsicID(LLVMGetCalledValue(at)) == 0))
			return false;
	}
	return end == LLVMBr || end == LLVMSwitch;
}

/* The header is entered from one block outside, which leads nowhere else, and from the latch. */
static bool is_simple(struct version *v)
{
	v->loop.before = NULL;
	for (LLVMUseRef use = LLVMGetFirstUse(LLVMBasicBlockAsValue(v->loop.header)); use; use = LLVMGetNextUse(use)) {
		LLVMBasicBlockRef from = predecessor(use);

		if (!from || from == v->loop.latch)
			continue;
		if (v->loop.before || has_block(&v->loop, from))
			return false;
		v->loop.before = from;
	}
	if (!v->loop.before || LLVMGetNumSuccessors(LLVMGetBasicBlockTerminator(v->loop.before)) != 1)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (!can_be_copied(v->blocks[i]))
			return false;
	return true;
}

/* ---- checks ---- */

/* The address of a check, if it is one: of `zext address > limit` or `zext address + reach > size`. */
static LLVMValueRef checked_address(LLVMValueRef branch, uint64_t reach)
{
	LLVMValueRef condition = LLVMGetCondition(branch), a;

	if (!LLVMIsAICmpInst(condition) || LLVMGetICmpPredicate(condition) != LLVMIntUGT)
		return NULL;
	a = LLVMGetOperand(condition, 0);
	if (LLVMIsAInstruction(a) && LLVMGetInstructionOpcode(a) == LLVMAdd) {
		LLVMValueRef b = LLVMGetOperand(a, 1);

		if (!LLVMIsAConstantInt(b) || LLVMConstIntGetZExtValue(b) != reach)
			return NULL;
		a = LLVMGetOperand(a, 0);
	}
	return LLVMIsAZExtInst(a) ? a : NULL;
}

static bool is_guest_access(const struct version *v, LLVMValueRef at)
{
	return (LLVMIsALoadInst(at) || LLVMIsAStoreInst(at)) &&
		LLVMGetMetadata(at, v->loop.c->kind_tbaa) == v->loop.c->tbaa_guest;
}

/* What a check is for: the first access behind it. */
static LLVMValueRef access_behind(const struct version *v, LLVMBasicBlockRef good)
{
	LLVMValueRef at = LLVMGetFirstInstruction(good);

	while (at && !is_guest_access(v, at))
		at = LLVMGetNextInstruction(at);
	return at;
}

static void find_checks(struct version *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		LLVMValueRef branch = LLVMGetBasicBlockTerminator(v->blocks[i]), node, facts[2];
		struct check *check = &v->checks[v->check_count];

		if (v->check_count == WK_C_CHECKS || LLVMGetInstructionOpcode(branch) != LLVMBr || !LLVMIsConditional(branch))
			continue;
		node = LLVMGetMetadata(branch, v->loop.c->kind_check);
		if (!node || LLVMGetMDNodeNumOperands(node) != 2)
			continue;
		LLVMGetMDNodeOperands(node, facts);
		check->branch = branch;
		check->reach = LLVMConstIntGetZExtValue(facts[0]);
		check->wide = checked_address(branch, check->reach);
		check->group = (uint32_t)LLVMConstIntGetZExtValue(facts[1]); /* the memory, until there are groups */
		check->good = LLVMGetSuccessor(branch, 1);
		check->access = access_behind(v, check->good);
		if (check->wide && check->access && !has_block(&v->loop, LLVMGetSuccessor(branch, 0)) &&
			has_block(&v->loop, check->good) && wk_c_linear(&v->loop, LLVMGetOperand(check->wide, 0), &check->address))
			v->check_count++;
	}
}

static uint32_t distance(const struct linear *from, const struct linear *to)
{
	return to->start.constant - from->start.constant;
}

static bool belongs(const struct group *g, const struct check *check, uint32_t memory)
{
	return g->memory == memory && g->address.step.constant == check->address.step.constant &&
		wk_c_sum_alike(&g->address.start, &check->address.start) && wk_c_sum_alike(&g->address.step, &check->address.step);
}

/* The lowest of a group is the one from which all others are less than 2^31 away. */
static bool join(struct version *v, struct check *check)
{
	uint32_t memory = check->group, i = 0;
	struct group *g;

	while (i < v->group_count && !belongs(&v->groups[i], check, memory))
		i++;
	g = &v->groups[i];
	check->group = i;
	if (i == v->group_count) {
		if (i == WK_C_GROUPS)
			return false;
		*g = (struct group){ .address = check->address, .span = check->reach, .memory = memory };
		v->group_count++;
	} else if (distance(&g->address, &check->address) >> 31) {
		g->span += distance(&check->address, &g->address);
		if (g->span < check->reach)
			g->span = check->reach;
		g->address = check->address;
	} else if (distance(&g->address, &check->address) + check->reach > g->span) {
		g->span = distance(&g->address, &check->address) + check->reach;
	}
	return true;
}

/* Checks that do not fit into the groups stay. */
static void make_groups(struct version *v)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < v->check_count; i++) {
		if (!join(v, &v->checks[i]))
			continue;
		v->groups[v->checks[i].group].stores |= LLVMIsAStoreInst(v->checks[i].access) != NULL;
		v->checks[kept++] = v->checks[i];
	}
	v->check_count = kept;
}

/* ---- what is asked before the loop ---- */

static LLVMValueRef number(struct version *v, uint64_t value)
{
	return wk_c_number(v->loop.c->i64, value);
}

static LLVMValueRef both(struct version *v, LLVMValueRef a, LLVMValueRef b)
{
	return a ? LLVMBuildAnd(v->loop.c->b, a, b, "") : b;
}

/* Are a group's addresses in bounds in all rounds? They go from the first to the last in one direction. */
static LLVMValueRef in_bounds(struct version *v, struct group *g, LLVMValueRef rounds)
{
	struct compiler *c = v->loop.c;
	LLVMValueRef first = LLVMBuildZExt(c->b, wk_c_sum_build(c, &g->address.start), c->i64, "");
	LLVMValueRef step = LLVMBuildSExt(c->b, wk_c_sum_build(c, &g->address.step), c->i64, ""), last, high, good;

	last = LLVMBuildMul(c->b, LLVMBuildSub(c->b, rounds, number(v, 1), ""), step, "");
	last = LLVMBuildAdd(c->b, first, last, "");
	good = LLVMBuildICmp(c->b, LLVMIntSLT, first, last, "");
	g->low = LLVMBuildSelect(c->b, good, first, last, "");
	high = LLVMBuildSelect(c->b, good, last, first, "");
	g->first = first;
	g->end = LLVMBuildAdd(c->b, high, number(v, g->span), "");
	/* Sums that wrap are negative, and the lower one of the two; what is not can be as much as 2^63. */
	good = LLVMBuildICmp(c->b, LLVMIntULE, g->end,
		wk_c_memory_size(c, LLVMGetParam(v->function, 0), g->memory), "");
	return LLVMBuildAnd(c->b, good, LLVMBuildICmp(c->b, LLVMIntSGE, g->low, number(v, 0), ""), "");
}

/* ---- the copy ---- */

static LLVMValueRef copy_of(const struct version *v, LLVMValueRef value)
{
	uintptr_t key = (uintptr_t)value;
	const struct pair *found = bsearch(&key, v->pairs, v->pair_count, sizeof *found, by_address);

	return found ? found->made : value;
}

static LLVMBasicBlockRef copy_of_block(const struct version *v, LLVMBasicBlockRef block)
{
	return LLVMValueAsBasicBlock(copy_of(v, LLVMBasicBlockAsValue(block)));
}

static void remember(struct version *v, LLVMValueRef old, LLVMValueRef made)
{
	v->pairs[v->pair_count++] = (struct pair){ (uintptr_t)old, made };
}

/* Copies of all instructions, which still take what the old ones take. */
static void copy_instructions(struct version *v)
{
	struct compiler *c = v->loop.c;

	for (uint32_t i = 0; i < v->count; i++) {
		LLVMBasicBlockRef made = LLVMAppendBasicBlockInContext(c->llvm, v->function, "");

		remember(v, LLVMBasicBlockAsValue(v->blocks[i]), LLVMBasicBlockAsValue(made));
		LLVMPositionBuilderAtEnd(c->b, made);
		for (LLVMValueRef at = LLVMGetFirstInstruction(v->blocks[i]); at; at = LLVMGetNextInstruction(at)) {
			LLVMValueRef copy;

			if (LLVMIsAPHINode(at)) {
				copy = LLVMBuildPhi(c->b, LLVMTypeOf(at), "");
			} else {
				copy = LLVMInstructionClone(at);
				LLVMInsertIntoBuilder(c->b, copy);
			}
			remember(v, at, copy);
		}
	}
	qsort(v->pairs, v->pair_count, sizeof *v->pairs, by_address);
}

/* Operands become their copies; the header is entered from `from`. */
static void connect(struct version *v, LLVMBasicBlockRef from)
{
	for (uint32_t i = 0; i < v->pair_count; i++) {
		LLVMValueRef old = (LLVMValueRef)v->pairs[i].old, made = v->pairs[i].made;

		if (LLVMValueIsBasicBlock(old))
			continue;
		if (!LLVMIsAPHINode(old)) {
			for (int operand = 0; operand < LLVMGetNumOperands(made); operand++)
				LLVMSetOperand(made, (unsigned)operand, copy_of(v, LLVMGetOperand(made, (unsigned)operand)));
			continue;
		}
		for (unsigned k = 0; k < LLVMCountIncoming(old); k++) {
			LLVMBasicBlockRef block = LLVMGetIncomingBlock(old, k);
			LLVMValueRef value = copy_of(v, LLVMGetIncomingValue(old, k));

			block = block == v->loop.before ? from : copy_of_block(v, block);
			LLVMAddIncoming(made, &value, &block, 1);
		}
	}
}

/* What is behind the loop can be reached from the copy, too. Once for each edge. */
static void connect_exits(struct version *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		LLVMBasicBlockRef from = copy_of_block(v, v->blocks[i]);
		LLVMValueRef end = LLVMGetBasicBlockTerminator(from);

		for (unsigned k = 0; k < LLVMGetNumSuccessors(end); k++) {
			LLVMBasicBlockRef to = LLVMGetSuccessor(end, k);

			/* A copy's block is in the pairs as `made`, so what is outside is what the old block leads to, too. */
			for (LLVMValueRef phi = LLVMGetFirstInstruction(to); phi && LLVMIsAPHINode(phi);
				phi = LLVMGetNextInstruction(phi)) {
				LLVMValueRef value = NULL;

				for (unsigned n = 0; n < LLVMCountIncoming(phi) && !value; n++)
					if (LLVMGetIncomingBlock(phi, n) == v->blocks[i])
						value = copy_of(v, LLVMGetIncomingValue(phi, n));
				if (value)
					LLVMAddIncoming(phi, &value, &from, 1);
			}
		}
	}
}

static void remove_checks(struct version *v)
{
	struct compiler *c = v->loop.c;

	for (uint32_t i = 0; i < v->check_count; i++) {
		const struct check *check = &v->checks[i];
		LLVMValueRef branch = copy_of(v, check->branch), wide = copy_of(v, check->wide), address;
		const struct group *g = &v->groups[check->group];

		LLVMPositionBuilderBefore(c->b, branch);
		LLVMBuildBr(c->b, copy_of_block(v, check->good));
		LLVMInstructionEraseFromParent(branch);
		if (wide == check->wide)
			continue; /* it is not of the loop */
		LLVMPositionBuilderBefore(c->b, wide);
		address = LLVMBuildNUWAdd(c->b, g->now, number(v, distance(&g->address, &check->address)), "");
		LLVMReplaceAllUsesWith(wide, address);
	}
}

/* Accesses that cannot trap need not be volatile. Stores only where nothing else can trap by a guard. */
static void relax(struct version *v)
{
	uint32_t checks = 0;
	bool all;

	for (uint32_t i = 0; i < v->count; i++)
		checks += LLVMGetMetadata(LLVMGetBasicBlockTerminator(v->blocks[i]), v->loop.c->kind_check) != NULL;
	all = checks == v->check_count;
	for (uint32_t i = 0; i < v->count && all; i++)
		for (LLVMValueRef at = LLVMGetFirstInstruction(copy_of_block(v, v->blocks[i])); at; at = LLVMGetNextInstruction(at))
			if (is_guest_access(v, at))
				LLVMSetVolatile(at, false);
	for (uint32_t i = 0; i < v->check_count && !all; i++)
		if (LLVMIsALoadInst(v->checks[i].access))
			LLVMSetVolatile(copy_of(v, v->checks[i].access), false);
}

/* A value that begins with `first` and grows by `step` with each round of the copy. */
static LLVMValueRef count_up(struct version *v, LLVMValueRef first, LLVMValueRef step, LLVMBasicBlockRef from,
	LLVMValueRef *next)
{
	struct compiler *c = v->loop.c;
	LLVMBasicBlockRef header = copy_of_block(v, v->loop.header), latch = copy_of_block(v, v->loop.latch);
	LLVMValueRef phi;

	LLVMPositionBuilderBefore(c->b, LLVMGetFirstInstruction(header));
	phi = LLVMBuildPhi(c->b, c->i64, "");
	LLVMPositionBuilderBefore(c->b, LLVMGetBasicBlockTerminator(latch));
	*next = LLVMBuildNSWAdd(c->b, phi, step, "");
	LLVMAddIncoming(phi, (LLVMValueRef[]){ first, *next }, (LLVMBasicBlockRef[]){ from, latch }, 2);
	return phi;
}

/* The copy counts its rounds, so that LLVM need not find out what was found out here. */
static void set_end(struct version *v, LLVMValueRef next, LLVMValueRef rounds)
{
	struct compiler *c = v->loop.c;
	LLVMValueRef branch = LLVMGetBasicBlockTerminator(copy_of_block(v, v->loop.latch));
	bool on_true = LLVMGetSuccessor(branch, 0) == copy_of_block(v, v->loop.header);

	LLVMPositionBuilderBefore(c->b, branch);
	LLVMSetCondition(branch, LLVMBuildICmp(c->b, on_true ? LLVMIntNE : LLVMIntEQ, next, rounds, ""));
}

static void add_incoming_like(LLVMBasicBlockRef block, LLVMBasicBlockRef like, LLVMBasicBlockRef from)
{
	for (LLVMValueRef phi = LLVMGetFirstInstruction(block); phi && LLVMIsAPHINode(phi); phi = LLVMGetNextInstruction(phi)) {
		for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
			if (LLVMGetIncomingBlock(phi, i) == like) {
				LLVMValueRef value = LLVMGetIncomingValue(phi, i);

				LLVMAddIncoming(phi, &value, &from, 1);
				break;
			}
		}
	}
}

/* Makes a copy of the loop, which is entered from `from`, an empty block; with `apart`, for groups that are disjoint. */
static void make_copy(struct version *v, LLVMBasicBlockRef from, LLVMValueRef rounds, bool apart)
{
	struct compiler *c = v->loop.c;
	LLVMValueRef steps[WK_C_GROUPS], next, ignored;

	v->pair_count = 0;
	copy_instructions(v);
	LLVMPositionBuilderAtEnd(c->b, from);
	for (uint32_t i = 0; i < v->group_count; i++)
		steps[i] = LLVMBuildSExt(c->b, wk_c_sum_build(c, &v->groups[i].address.step), c->i64, "");
	LLVMBuildBr(c->b, copy_of_block(v, v->loop.header));
	connect(v, from);
	for (uint32_t i = 0; i < v->group_count; i++)
		v->groups[i].now = count_up(v, v->groups[i].first, steps[i], from, &ignored);
	(void)count_up(v, number(v, 0), number(v, 1), from, &next);
	remove_checks(v);
	relax(v);
	if (apart)
		wk_c_name_groups(v, copy_of);
	set_end(v, next, rounds);
	connect_exits(v);
}

/* An address that moves on does not leave the memory that it was found to stay in. */
static bool moves(const struct version *v)
{
	for (uint32_t i = 0; i < v->group_count; i++)
		if (v->groups[i].address.step.count == 0 && v->groups[i].address.step.constant != 0)
			return true;
	return false;
}

static bool add_bounded(struct wk_c_blocks *bounded, LLVMBasicBlockRef header)
{
	if (bounded->count == bounded->room) {
		uint32_t room = bounded->room ? 2 * bounded->room : 16;
		LLVMBasicBlockRef *grown = realloc(bounded->blocks, room * sizeof *grown);

		if (!grown)
			return false;
		bounded->blocks = grown;
		bounded->room = room;
	}
	bounded->blocks[bounded->count++] = header;
	return true;
}

/* before -> look -> fast -> the copy; before and look -> the loop as it was. Where groups can be found to be disjoint, there
 * is one more copy for that case: look -> apart -> its fast and the other's. */
static bool build(struct version *v, struct wk_c_blocks *bounded)
{
	struct compiler *c = v->loop.c;
	LLVMBasicBlockRef look = LLVMInsertBasicBlockInContext(c->llvm, v->loop.header, "look");
	LLVMBasicBlockRef fast = LLVMInsertBasicBlockInContext(c->llvm, v->loop.header, "fast"), ways[2] = { fast, NULL };
	LLVMValueRef old = LLVMGetBasicBlockTerminator(v->loop.before), rounds, good = NULL;
	bool moving = moves(v), done = true;

	LLVMPositionBuilderBefore(c->b, old);
	rounds = wk_c_rounds(v, &good);
	good = both(v, good, LLVMBuildICmp(c->b, LLVMIntUGE, rounds, number(v, FEWEST), ""));
	LLVMBuildCondBr(c->b, good, look, v->loop.header);
	LLVMInstructionEraseFromParent(old);
	LLVMPositionBuilderAtEnd(c->b, look);
	good = NULL;
	for (uint32_t i = 0; i < v->group_count; i++)
		good = both(v, good, in_bounds(v, &v->groups[i], rounds));
	wk_c_tag(LLVMBuildCondBr(c->b, LLVMBuildNot(c->b, good, ""), v->loop.header, fast), c->kind_prof, c->unlikely);
	if (wk_c_may_be_apart(v)) {
		LLVMPositionBuilderAtEnd(c->b, fast);
		ways[0] = LLVMInsertBasicBlockInContext(c->llvm, v->loop.header, "apart");
		ways[1] = LLVMInsertBasicBlockInContext(c->llvm, v->loop.header, "together");
		LLVMBuildCondBr(c->b, wk_c_apart(v), ways[0], ways[1]);
	}
	for (int i = 0; i < 2 && ways[i] && done; i++) {
		make_copy(v, ways[i], rounds, ways[1] && i == 0);
		done = !moving || add_bounded(bounded, copy_of_block(v, v->loop.header));
	}
	add_incoming_like(v->loop.header, v->loop.before, look);
	return done;
}

/* ---- all loops ---- */

static bool is_innermost(const struct version *v, const struct wk_c_edge *edges, uint32_t count)
{
	uint32_t here = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (edges[i].to == v->loop.header)
			here++;
		else if (has_block(&v->loop, edges[i].to))
			return false;
	}
	return here == 1;
}

/* A loop that runs this often takes no time. */
#define BOUND 65536

/* Is the number of rounds known here and now? */
static bool few_rounds(struct version *v)
{
	LLVMValueRef good = NULL, rounds;

	if (v->left.start.count != 0 || v->bound.count != 0)
		return false;
	LLVMPositionBuilderBefore(v->loop.c->b, LLVMGetBasicBlockTerminator(v->loop.before));
	rounds = wk_c_rounds(v, &good); /* constants: nothing is built */
	return LLVMIsAConstantInt(rounds) && LLVMIsAConstantInt(good) && LLVMConstIntGetZExtValue(good) == 1 &&
		LLVMConstIntGetZExtValue(rounds) <= BOUND;
}

/* Can it end before its latch ends it, other than by a trap? It does not become vectors then, and often ends soon: a look
 * before it costs more than it saves. */
static bool ends_early(const struct version *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		LLVMValueRef end = LLVMGetBasicBlockTerminator(v->blocks[i]);

		for (unsigned k = 0; k < LLVMGetNumSuccessors(end) && v->blocks[i] != v->loop.latch; k++) {
			LLVMBasicBlockRef to = LLVMGetSuccessor(end, k);

			if (!has_block(&v->loop, to) && LLVMGetInstructionOpcode(LLVMGetBasicBlockTerminator(to)) != LLVMUnreachable)
				return true;
		}
	}
	return false;
}

static bool version(struct version *v, const struct wk_c_edge *edges, uint32_t count, struct wk_c_blocks *bounded)
{
	if (!collect(v, LARGEST) || !is_innermost(v, edges, count) || !is_simple(v) || !wk_c_find_end(v))
		return true;
	if (few_rounds(v) && !add_bounded(bounded, v->loop.header))
		return false;
	find_checks(v);
	make_groups(v);
	if (v->check_count == 0 || ends_early(v))
		return true;
	return build(v, bounded);
}

bool wk_c_version_loops(struct compiler *c, LLVMValueRef function, struct wk_c_blocks *bounded)
{
	LLVMBasicBlockRef *blocks = malloc(LARGEST * sizeof(*blocks));
	struct pair *pairs = malloc(2 * (LARGEST + 1) * sizeof(*pairs));
	struct version *v = malloc(sizeof *v);
	struct wk_c_edge *edges = NULL;
	uint32_t count = 0;
	bool good = blocks && pairs && v && wk_c_back_edges(c, function, &edges, &count);

	for (uint32_t i = 0; good && i < count; i++) {
		*v = (struct version){ .function = function, .blocks = blocks, .pairs = pairs };
		v->loop = (struct loop){ c, edges[i].to, edges[i].from, NULL, has_block, v };
		good = version(v, edges, count, bounded);
	}
	free(blocks);
	free(pairs);
	free(v);
	free(edges);
	return good;
}
