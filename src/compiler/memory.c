/* SPDX-License-Identifier: Apache-2.0
 *
 * Memories and tables (specification 4.6.7 to 4.6.9).
 *
 * Each access is checked: what lies behind the memory's size traps before anything is read or written. A guarded memory
 * does that itself. Checks are written for it, too, and taken out later, when loops.c has seen them; LLVM must not leave
 * out, double or reorder accesses that may trap, so they are volatile. So are stores that do not, and stores to globals and
 * tables: after a trap they must have happened, or not. A memory's base
 * never moves, so the context has it; its size is loaded where it is needed, and LLVM keeps it in a register where
 * nothing can have grown the memory.
 */
#include "compiler/translator.h"

/* ---- addresses ---- */

static bool is64(const struct translator *t, uint32_t memory)
{
	return t->c->module->memories[memory].limits.is64;
}

static LLVMValueRef size_of(struct translator *t, uint32_t memory)
{
	return wk_c_memory_size(t->c, t->context, memory);
}

static LLVMValueRef number(struct translator *t, uint64_t value)
{
	return wk_c_number(t->c->i64, value);
}

bool wk_c_is_guarded(const struct compiler *c, uint32_t memory)
{
	return c->guards && wk_image_relies_on_guard(&c->module->memories[memory]);
}

void wk_c_leave_to_guards(struct compiler *c, LLVMValueRef function)
{
	for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block && c->guards;
		block = LLVMGetNextBasicBlock(block)) {
		LLVMValueRef branch = LLVMGetBasicBlockTerminator(block);
		LLVMValueRef node = branch ? LLVMGetMetadata(branch, c->kind_check) : NULL, facts[2];

		if (!node || LLVMGetMDNodeNumOperands(node) != WK_COUNT(facts))
			continue;
		LLVMGetMDNodeOperands(node, facts);
		if (wk_c_is_guarded(c, (uint32_t)LLVMConstIntGetZExtValue(facts[1])))
			LLVMSetCondition(branch, LLVMConstInt(c->i1, 0, false));
	}
}

/* Traps unless the `size` bytes at address + offset are there. `address` is an i64. */
static void check(struct translator *t, uint32_t memory, LLVMValueRef address, uint64_t offset, uint32_t size)
{
	uint64_t minimum = wk_c_memory_minimum(t->c, memory), reach;
	LLVMBasicBlockRef here = LLVMGetInsertBlock(t->b);
	LLVMValueRef outside, facts[2];

	if (__builtin_add_overflow(offset, size, &reach)) {
		wk_f_trap_if(t, LLVMConstInt(t->c->i1, 1, false), WK_TRAP_MEMORY_BOUNDS);
		return;
	}
	if (LLVMIsAConstantInt(address) && reach <= minimum && LLVMConstIntGetZExtValue(address) <= minimum - reach)
		return;
	if (reach <= minimum) {
		/* size - reach cannot wrap, and is the same all over a loop. */
		outside = LLVMBuildICmp(t->b, LLVMIntUGT, address, LLVMBuildSub(t->b, size_of(t, memory), number(t, reach), ""), "");
	} else if (!is64(t, memory)) {
		outside = LLVMBuildICmp(t->b, LLVMIntUGT, LLVMBuildAdd(t->b, address, number(t, reach), ""), size_of(t, memory), "");
	} else {
		LLVMValueRef end = wk_f_intrinsic(t, "llvm.uadd.sat", t->c->i64, (LLVMValueRef[]){ address, number(t, reach) }, 2);

		outside = LLVMBuildICmp(t->b, LLVMIntUGT, end, size_of(t, memory), "");
	}
	wk_f_trap_if(t, outside, WK_TRAP_MEMORY_BOUNDS);
	if (is64(t, memory) || LLVMGetInsertBlock(t->b) == here)
		return;
	facts[0] = number(t, reach); /* for loops.c */
	facts[1] = number(t, memory);
	wk_c_tag(LLVMGetBasicBlockTerminator(here), t->c->kind_check, LLVMMDNodeInContext(t->c->llvm, facts, 2));
}

struct memarg wk_f_read_memarg(struct translator *t)
{
	uint32_t flags = wk_f_read_u32(t);
	struct memarg m = { 0, 0 };

	if (flags & 0x40)
		m.memory = wk_f_read_u32(t);
	m.offset = wk_leb_trusted(&t->at);
	return m;
}

static LLVMValueRef wide(struct translator *t, LLVMValueRef value)
{
	return LLVMTypeOf(value) == t->c->i64 ? value : LLVMBuildZExt(t->b, value, t->c->i64, "");
}

/* The checked pointer of an access. */
LLVMValueRef wk_f_locate(struct translator *t, struct memarg m, LLVMValueRef index, uint32_t size)
{
	LLVMValueRef address = wide(t, index);

	t->guarded = wk_c_is_guarded(t->c, m.memory);
	check(t, m.memory, address, m.offset, size);
	address = LLVMBuildAdd(t->b, address, number(t, m.offset), "");
	return LLVMBuildGEP2(t->b, t->c->i8, wk_c_memory_base(t->c, t->context, m.memory), &address, 1, "");
}

void wk_f_access_guest(struct translator *t, LLVMValueRef instruction)
{
	LLVMSetAlignment(instruction, 1);
	if (t->guarded)
		LLVMSetVolatile(instruction, true);
	wk_c_tag(instruction, t->c->kind_tbaa, t->c->tbaa_guest);
}

static void load(struct translator *t, LLVMTypeRef from, uint32_t size, LLVMTypeRef to, bool is_signed)
{
	struct memarg m = wk_f_read_memarg(t);
	LLVMValueRef value = LLVMBuildLoad2(t->b, from, wk_f_locate(t, m, wk_f_pop(t), size), "");

	wk_f_access_guest(t, value);
	if (from != to)
		value = LLVMBuildCast(t->b, is_signed ? LLVMSExt : LLVMZExt, value, to, "");
	wk_f_push(t, value);
}

static void store(struct translator *t, LLVMTypeRef as, uint32_t size)
{
	struct memarg m = wk_f_read_memarg(t);
	LLVMValueRef value = wk_f_pop(t);
	LLVMValueRef at = wk_f_locate(t, m, wk_f_pop(t), size);

	if (LLVMTypeOf(value) != as)
		value = LLVMBuildTrunc(t->b, value, as, "");
	wk_f_access_guest(t, LLVMBuildStore(t->b, value, at));
}

static bool access_instruction(struct translator *t, uint32_t op)
{
	struct compiler *c = t->c;

	switch (op) {
	case WK_OP_I32_LOAD: load(t, c->i32, 4, c->i32, false); break;
	case WK_OP_I64_LOAD: load(t, c->i64, 8, c->i64, false); break;
	case WK_OP_F32_LOAD: load(t, c->f32, 4, c->f32, false); break;
	case WK_OP_F64_LOAD: load(t, c->f64, 8, c->f64, false); break;
	case WK_OP_I32_LOAD8_S: load(t, c->i8, 1, c->i32, true); break;
	case WK_OP_I32_LOAD8_U: load(t, c->i8, 1, c->i32, false); break;
	case WK_OP_I32_LOAD16_S: load(t, c->i16, 2, c->i32, true); break;
	case WK_OP_I32_LOAD16_U: load(t, c->i16, 2, c->i32, false); break;
	case WK_OP_I64_LOAD8_S: load(t, c->i8, 1, c->i64, true); break;
	case WK_OP_I64_LOAD8_U: load(t, c->i8, 1, c->i64, false); break;
	case WK_OP_I64_LOAD16_S: load(t, c->i16, 2, c->i64, true); break;
	case WK_OP_I64_LOAD16_U: load(t, c->i16, 2, c->i64, false); break;
	case WK_OP_I64_LOAD32_S: load(t, c->i32, 4, c->i64, true); break;
	case WK_OP_I64_LOAD32_U: load(t, c->i32, 4, c->i64, false); break;
	case WK_OP_I32_STORE: store(t, c->i32, 4); break;
	case WK_OP_I64_STORE: store(t, c->i64, 8); break;
	case WK_OP_F32_STORE: store(t, c->f32, 4); break;
	case WK_OP_F64_STORE: store(t, c->f64, 8); break;
	case WK_OP_I32_STORE8: case WK_OP_I64_STORE8: store(t, c->i8, 1); break;
	case WK_OP_I32_STORE16: case WK_OP_I64_STORE16: store(t, c->i16, 2); break;
	case WK_OP_I64_STORE32: store(t, c->i32, 4); break;
	default: return false;
	}
	return true;
}

/* ---- instructions on memories ---- */

static LLVMValueRef index_number(struct translator *t, uint32_t index)
{
	return wk_c_number(t->c->i32, index);
}

/* -1 and sizes fit an i32 as they fit an i64. */
static void push_size(struct translator *t, LLVMValueRef value, bool wide_result)
{
	wk_f_push(t, wide_result ? value : LLVMBuildTrunc(t->b, value, t->c->i32, ""));
}

/* The first of `count` bytes, which are all there; else traps. */
static LLVMValueRef locate_range(struct translator *t, uint32_t memory, LLVMValueRef address, LLVMValueRef count)
{
	LLVMValueRef end = is64(t, memory) ?
		wk_f_intrinsic(t, "llvm.uadd.sat", t->c->i64, (LLVMValueRef[]){ address, count }, 2) :
		LLVMBuildAdd(t->b, address, count, "");

	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntUGT, end, size_of(t, memory), ""), WK_TRAP_MEMORY_BOUNDS);
	return LLVMBuildGEP2(t->b, t->c->i8, wk_c_memory_base(t->c, t->context, memory), &address, 1, "");
}

/* As the accesses of a guarded memory (above): in their order. */
static void mark_range(struct compiler *c, LLVMValueRef call, uint32_t memory)
{
	if (wk_c_is_guarded(c, memory))
		LLVMSetOperand(call, 3, LLVMConstInt(c->i1, 1, false));
	wk_c_tag(call, c->kind_tbaa, c->tbaa_guest);
}

void wk_c_copy_guest(struct compiler *c, LLVMValueRef to, LLVMValueRef from, LLVMValueRef count, uint32_t memory,
	bool may_overlap)
{
	mark_range(c, may_overlap ? LLVMBuildMemMove(c->b, to, 1, from, 1, count) : LLVMBuildMemCpy(c->b, to, 1, from, 1, count),
		memory);
}

void wk_c_fill_guest(struct compiler *c, LLVMValueRef to, LLVMValueRef byte, LLVMValueRef count, uint32_t memory)
{
	mark_range(c, LLVMBuildMemSet(c->b, to, byte, count, 1), memory);
}

LLVMValueRef wk_c_trailing_zeros(struct compiler *c, LLVMValueRef value)
{
	LLVMTypeRef type = LLVMFunctionType(c->i64, (LLVMTypeRef[]){ c->i64, c->i1 }, 2, false);
	unsigned id = LLVMLookupIntrinsicID("llvm.cttz", 9);
	LLVMValueRef intrinsic = LLVMGetIntrinsicDeclaration(c->ir, id, &c->i64, 1);

	return LLVMBuildCall2(c->b, type, intrinsic, (LLVMValueRef[]){ value, LLVMConstInt(c->i1, 1, false) }, 2, "");
}

static bool memory_instruction(struct translator *t, uint32_t op)
{
	struct compiler *c = t->c;
	LLVMValueRef x, y, z;
	uint32_t a, b;

	switch (op) {
	case WK_OP_MEMORY_SIZE:
		a = wk_f_read_u32(t);
		x = LLVMBuildLShr(t->b, size_of(t, a), number(t, c->module->memories[a].page_log2), "");
		push_size(t, x, is64(t, a));
		return true;
	case WK_OP_MEMORY_GROW:
		a = wk_f_read_u32(t);
		x = wide(t, wk_f_pop(t));
		push_size(t, wk_c_call_helper(c, memory_grow, c->i64, t->context, index_number(t, a), x), is64(t, a));
		return true;
	case WK_OP_MEMORY_FILL:
		a = wk_f_read_u32(t);
		z = wide(t, wk_f_pop(t)), y = wk_f_pop(t), x = wide(t, wk_f_pop(t));
		x = locate_range(t, a, x, z);
		wk_c_fill_guest(c, x, LLVMBuildTrunc(t->b, y, c->i8, ""), z, a);
		return true;
	case WK_OP_MEMORY_COPY:
		a = wk_f_read_u32(t), b = wk_f_read_u32(t);
		z = wide(t, wk_f_pop(t)), y = wide(t, wk_f_pop(t)), x = wide(t, wk_f_pop(t));
		x = locate_range(t, a, x, z);
		y = locate_range(t, b, y, z);
		wk_c_copy_guest(c, x, y, z, a, true);
		return true;
	case WK_OP_MEMORY_INIT:
		a = wk_f_read_u32(t), b = wk_f_read_u32(t);
		z = wk_f_pop(t), y = wk_f_pop(t), x = wide(t, wk_f_pop(t));
		wk_f_trap_if_any(t, wk_c_call_helper(c, memory_init, c->i32, t->context, index_number(t, b), index_number(t, a), x,
			y, z));
		return true;
	case WK_OP_DATA_DROP:
		wk_c_call_helper(c, data_drop, c->none, t->context, index_number(t, wk_f_read_u32(t)));
		return true;
	default: return false;
	}
}

/* ---- tables ---- */

static bool table_is64(const struct translator *t, uint32_t table)
{
	return t->c->module->tables[table].type.limits.is64;
}

static LLVMValueRef table_of(struct translator *t, uint32_t table)
{
	LLVMValueRef tables = wk_c_field(t->c, t->c->pointer, t->context, wk_image_context, tables, true);

	return wk_c_load(t->c, t->c->pointer, tables, table * sizeof(void *), t->c->tbaa_context, true);
}

static LLVMValueRef element(struct translator *t, uint32_t table, LLVMValueRef index)
{
	LLVMValueRef at = table_of(t, table);
	LLVMValueRef size = wk_c_field(t->c, t->c->i64, at, wk_table, size, false);

	wk_f_trap_if(t, LLVMBuildICmp(t->b, LLVMIntUGE, index, size, ""), WK_TRAP_TABLE_BOUNDS);
	return LLVMBuildInBoundsGEP2(t->b, t->c->i64, wk_c_field(t->c, t->c->pointer, at, wk_table, elements, false),
		&index, 1,
		"");
}

static bool table_instruction(struct translator *t, uint32_t op)
{
	struct compiler *c = t->c;
	LLVMValueRef x, y, z;
	uint32_t a, b;

	switch (op) {
	case WK_OP_TABLE_GET:
		a = wk_f_read_u32(t);
		x = wk_c_load(c, c->i64, element(t, a, wide(t, wk_f_pop(t))), 0, c->tbaa_slots, false);
		wk_f_push_as(t, c->module->tables[a].type.element, x);
		break;
	case WK_OP_TABLE_SET:
		a = wk_f_read_u32(t);
		y = wk_f_pop(t);
		x = LLVMBuildStore(t->b, y, element(t, a, wide(t, wk_f_pop(t))));
		LLVMSetVolatile(x, c->guards);
		wk_c_tag(x, c->kind_tbaa, c->tbaa_slots);
		break;
	case WK_OP_TABLE_SIZE:
		a = wk_f_read_u32(t);
		push_size(t, wk_c_field(c, c->i64, table_of(t, a), wk_table, size, false), table_is64(t, a));
		break;
	case WK_OP_TABLE_GROW:
		a = wk_f_read_u32(t);
		y = wide(t, wk_f_pop(t)), x = wk_f_pop(t);
		push_size(t, wk_c_call_helper(c, table_grow, c->i64, t->context, index_number(t, a), y, x), table_is64(t, a));
		break;
	case WK_OP_TABLE_FILL:
		a = wk_f_read_u32(t);
		z = wide(t, wk_f_pop(t)), y = wk_f_pop(t), x = wide(t, wk_f_pop(t));
		wk_f_trap_if_any(t, wk_c_call_helper(c, table_fill, c->i32, t->context, index_number(t, a), x, y, z));
		break;
	case WK_OP_TABLE_COPY:
		a = wk_f_read_u32(t), b = wk_f_read_u32(t);
		z = wide(t, wk_f_pop(t)), y = wide(t, wk_f_pop(t)), x = wide(t, wk_f_pop(t));
		wk_f_trap_if_any(t, wk_c_call_helper(c, table_copy, c->i32, t->context, index_number(t, a), index_number(t, b), x,
			y, z));
		break;
	case WK_OP_TABLE_INIT:
		a = wk_f_read_u32(t), b = wk_f_read_u32(t);
		z = wk_f_pop(t), y = wk_f_pop(t), x = wide(t, wk_f_pop(t));
		wk_f_trap_if_any(t, wk_c_call_helper(c, table_init, c->i32, t->context, index_number(t, b), index_number(t, a), x,
			y, z));
		break;
	case WK_OP_ELEM_DROP:
		wk_c_call_helper(c, element_drop, c->none, t->context, index_number(t, wk_f_read_u32(t)));
		break;
	default: return false;
	}
	return true;
}

bool wk_f_memory(struct translator *t, uint32_t op)
{
	return access_instruction(t, op) || memory_instruction(t, op) || table_instruction(t, op);
}
