/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector instructions on single lanes, those that move lanes, and accesses of memory.
 */
#include "compiler/vector.h"

static LLVMValueRef lane_number(struct translator *t)
{
	return wk_c_number(t->c->i32, *t->at++);
}

/* ---- single lanes ---- */

static void splat(struct translator *t, uint32_t op)
{
	LLVMTypeRef type = wk_v_shape(t, op), element = LLVMGetElementType(type);
	LLVMValueRef value = wk_f_pop(t);

	if (element == t->c->i8 || element == t->c->i16)
		value = LLVMBuildTrunc(t->b, value, element, "");
	wk_v_push(t, wk_v_splat(t, type, value));
}

static void extract(struct translator *t, uint32_t op, bool is_signed)
{
	LLVMTypeRef type = wk_v_shape(t, op), element = LLVMGetElementType(type);
	LLVMValueRef value = LLVMBuildExtractElement(t->b, wk_v_as(t, wk_f_pop(t), type), lane_number(t), "");

	if (element == t->c->i8 || element == t->c->i16)
		value = LLVMBuildCast(t->b, is_signed ? LLVMSExt : LLVMZExt, value, t->c->i32, "");
	wk_f_push(t, value);
}

static void replace(struct translator *t, uint32_t op)
{
	LLVMTypeRef type = wk_v_shape(t, op), element = LLVMGetElementType(type);
	LLVMValueRef value = wk_f_pop(t), a = wk_v_as(t, wk_f_pop(t), type);

	if (element == t->c->i8 || element == t->c->i16)
		value = LLVMBuildTrunc(t->b, value, element, "");
	wk_v_push(t, LLVMBuildInsertElement(t->b, a, value, lane_number(t), ""));
}

/* ---- moving lanes ---- */

static void shuffle(struct translator *t)
{
	LLVMTypeRef i8x16 = wk_v_lanes(t, t->c->i8);
	LLVMValueRef b = wk_v_pop(t, i8x16), a = wk_v_pop(t, i8x16), numbers[16];

	for (int i = 0; i < 16; i++)
		numbers[i] = lane_number(t);
	wk_v_push(t, LLVMBuildShuffleVector(t->b, a, b, LLVMConstVector(numbers, 16), ""));
}

/* Numbers beyond the lanes give 0: tbl does that, and pshufb does where bit 7 is set. */
static void swizzle(struct translator *t)
{
	LLVMTypeRef i8x16 = wk_v_lanes(t, t->c->i8);
	LLVMValueRef b = wk_v_pop(t, i8x16), a = wk_v_pop(t, i8x16);

	if (!t->c->x86) {
		wk_v_push(t, wk_f_intrinsic(t, "llvm.aarch64.neon.tbl1", i8x16, (LLVMValueRef[]){ a, b }, 2));
		return;
	}
	b = wk_f_intrinsic(t, "llvm.uadd.sat", i8x16, (LLVMValueRef[]){ b, wk_v_number(i8x16, 0x70) }, 2);
	wk_v_push(t, wk_f_intrinsic(t, "llvm.x86.ssse3.pshuf.b.128", NULL, (LLVMValueRef[]){ a, b }, 2));
}

/* ---- memory ---- */

static LLVMValueRef read_at(struct translator *t, struct memarg m, LLVMValueRef index, LLVMTypeRef type, uint32_t size)
{
	LLVMValueRef value = LLVMBuildLoad2(t->b, type, wk_f_locate(t, m, index, size), "");

	wk_f_access_guest(t, value);
	return value;
}

static LLVMValueRef load(struct translator *t, LLVMTypeRef type, uint32_t size)
{
	struct memarg m = wk_f_read_memarg(t);

	return read_at(t, m, wk_f_pop(t), type, size);
}

static void load_extended(struct translator *t, LLVMTypeRef from, LLVMTypeRef to, bool is_signed)
{
	LLVMTypeRef wide = wk_v_lanes(t, to);
	LLVMValueRef half = load(t, LLVMVectorType(from, LLVMGetVectorSize(wide)), 8);

	wk_v_push(t, LLVMBuildCast(t->b, is_signed ? LLVMSExt : LLVMZExt, half, wide, ""));
}

static void load_splat(struct translator *t, LLVMTypeRef element, uint32_t size)
{
	wk_v_push(t, wk_v_splat(t, wk_v_lanes(t, element), load(t, element, size)));
}

static void load_zero(struct translator *t, LLVMTypeRef element, uint32_t size)
{
	LLVMValueRef zeros = LLVMConstNull(wk_v_lanes(t, element));

	wk_v_push(t, LLVMBuildInsertElement(t->b, zeros, load(t, element, size), wk_c_number(t->c->i32, 0), ""));
}

static void load_lane(struct translator *t, LLVMTypeRef element, uint32_t size)
{
	struct memarg m = wk_f_read_memarg(t);
	LLVMValueRef lane = lane_number(t), a = wk_v_as(t, wk_f_pop(t), wk_v_lanes(t, element));
	LLVMValueRef value = read_at(t, m, wk_f_pop(t), element, size);

	wk_v_push(t, LLVMBuildInsertElement(t->b, a, value, lane, ""));
}

static void store(struct translator *t)
{
	struct memarg m = wk_f_read_memarg(t);
	LLVMValueRef value = wk_f_pop(t), at = wk_f_locate(t, m, wk_f_pop(t), 16);

	wk_f_access_guest(t, LLVMBuildStore(t->b, value, at));
}

static void store_lane(struct translator *t, LLVMTypeRef element, uint32_t size)
{
	struct memarg m = wk_f_read_memarg(t);
	LLVMValueRef lane = lane_number(t), a = wk_v_as(t, wk_f_pop(t), wk_v_lanes(t, element));
	LLVMValueRef at = wk_f_locate(t, m, wk_f_pop(t), size);

	wk_f_access_guest(t, LLVMBuildStore(t->b, LLVMBuildExtractElement(t->b, a, lane, ""), at));
}

static bool access_instruction(struct translator *t, uint32_t op)
{
	struct compiler *c = t->c;

	switch (op) {
	case WK_OP_V128_LOAD: wk_f_push(t, load(t, c->v128, 16)); break;
	case WK_OP_V128_STORE: store(t); break;
	case WK_OP_V128_LOAD8X8_S: load_extended(t, c->i8, c->i16, true); break;
	case WK_OP_V128_LOAD8X8_U: load_extended(t, c->i8, c->i16, false); break;
	case WK_OP_V128_LOAD16X4_S: load_extended(t, c->i16, c->i32, true); break;
	case WK_OP_V128_LOAD16X4_U: load_extended(t, c->i16, c->i32, false); break;
	case WK_OP_V128_LOAD32X2_S: load_extended(t, c->i32, c->i64, true); break;
	case WK_OP_V128_LOAD32X2_U: load_extended(t, c->i32, c->i64, false); break;
	case WK_OP_V128_LOAD8_SPLAT: load_splat(t, c->i8, 1); break;
	case WK_OP_V128_LOAD16_SPLAT: load_splat(t, c->i16, 2); break;
	case WK_OP_V128_LOAD32_SPLAT: load_splat(t, c->i32, 4); break;
	case WK_OP_V128_LOAD64_SPLAT: load_splat(t, c->i64, 8); break;
	case WK_OP_V128_LOAD32_ZERO: load_zero(t, c->i32, 4); break;
	case WK_OP_V128_LOAD64_ZERO: load_zero(t, c->i64, 8); break;
	case WK_OP_V128_LOAD8_LANE: load_lane(t, c->i8, 1); break;
	case WK_OP_V128_LOAD16_LANE: load_lane(t, c->i16, 2); break;
	case WK_OP_V128_LOAD32_LANE: load_lane(t, c->i32, 4); break;
	case WK_OP_V128_LOAD64_LANE: load_lane(t, c->i64, 8); break;
	case WK_OP_V128_STORE8_LANE: store_lane(t, c->i8, 1); break;
	case WK_OP_V128_STORE16_LANE: store_lane(t, c->i16, 2); break;
	case WK_OP_V128_STORE32_LANE: store_lane(t, c->i32, 4); break;
	case WK_OP_V128_STORE64_LANE: store_lane(t, c->i64, 8); break;
	default: return false;
	}
	return true;
}

bool wk_v_lane(struct translator *t, uint32_t op)
{
	switch (op) {
	case WK_OP_I8X16_SPLAT: case WK_OP_I16X8_SPLAT: case WK_OP_I32X4_SPLAT: case WK_OP_I64X2_SPLAT:
	case WK_OP_F32X4_SPLAT: case WK_OP_F64X2_SPLAT: splat(t, op); return true;
	case WK_OP_I8X16_EXTRACT_LANE_S: case WK_OP_I16X8_EXTRACT_LANE_S: extract(t, op, true); return true;
	case WK_OP_I8X16_EXTRACT_LANE_U: case WK_OP_I16X8_EXTRACT_LANE_U: case WK_OP_I32X4_EXTRACT_LANE:
	case WK_OP_I64X2_EXTRACT_LANE: case WK_OP_F32X4_EXTRACT_LANE: case WK_OP_F64X2_EXTRACT_LANE:
		extract(t, op, false);
		return true;
	case WK_OP_I8X16_REPLACE_LANE: case WK_OP_I16X8_REPLACE_LANE: case WK_OP_I32X4_REPLACE_LANE:
	case WK_OP_I64X2_REPLACE_LANE: case WK_OP_F32X4_REPLACE_LANE: case WK_OP_F64X2_REPLACE_LANE:
		replace(t, op);
		return true;
	case WK_OP_I8X16_SHUFFLE: shuffle(t); return true;
	case WK_OP_I8X16_SWIZZLE: case WK_OP_I8X16_RELAXED_SWIZZLE: swizzle(t); return true;
	default: return access_instruction(t, op);
	}
}
