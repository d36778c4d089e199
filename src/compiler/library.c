/* SPDX-License-Identifier: Apache-2.0
 *
 * The C library's functions on memory in a module, which are loops there and take a sixth of some programs' time. Of
 * those whose bodies are known, to the byte, it is known what they do. Such a function gets a path before its body, which
 * does the same faster, where it is sure that nothing traps and that source and destination do not overlap in a way that
 * would matter; else the body runs, as a function of its own, as if nothing was before. So results, memory and traps
 * are those of the body. Names do not matter.
 *
 * Code that counts fuel is left as it is: the body's instructions are to be charged.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/translator.h"
#include "format/reader.h"
#include "image/image.h"

#define LARGEST 4096 /* bytes of a body that is looked at */
#define CALLS 4 /* in it: each is looked into */

static const struct { uint8_t digest[16]; enum wk_library_function function; } bodies[] = {
#define WK_BODY(function, ...) { { __VA_ARGS__ }, function },
#include "compiler/library.def"
#undef WK_BODY
};

/* ---- which function is it? ---- */

static bool has_signature(const struct wk_deftype *type)
{
	for (uint32_t i = 0; i < (uint32_t)type->parameter_count + type->result_count; i++)
		if (type->types[i] != WK_TYPE_I32)
			return false;
	return type->result_count == 1 && (type->parameter_count == 1 || type->parameter_count == 3);
}

/* Of its bytes, but of calls, whose numbers differ by module, the digests of what is called. `depth`: of calls. */
static bool digest_body(const struct wk_module *m, uint32_t function, unsigned depth, uint8_t digest[32])
{
	const struct wk_function_decl *decl = &m->funcs[function];
	struct wk_type_scope scope = wk_scope_of_module(m);
	const uint8_t *begin = m->bytes.data + decl->body, *done = begin;
	struct wk_reader reader = { begin, begin + decl->size, m->bytes.data, NULL, function };
	const struct wk_opcode *opcode;
	struct wk_sha256 hash;
	uint8_t callee[32];
	unsigned calls = 0;

	wk_sha256_begin(&hash);
	for (uint32_t runs = (uint32_t)wk_leb_trusted(&reader.at); runs > 0; runs--) {
		(void)wk_leb_trusted(&reader.at);
		if (*reader.at != WK_TYPE_I32 && *reader.at != WK_TYPE_I64) /* so it has one byte */
			return false;
		reader.at++;
	}
	while (reader.at < reader.end) {
		if (wk_read_opcode(&reader, &opcode) != WK_OK)
			return false;
		if (opcode->code != WK_OP_CALL) {
			if (wk_skip_immediate(&reader, &scope, opcode) != WK_OK)
				return false;
			continue;
		}
		wk_sha256_add(&hash, done, (size_t)(reader.at - done));
		function = (uint32_t)wk_leb_trusted(&reader.at);
		done = reader.at;
		if (depth == 0 || calls++ == CALLS || function < m->imported_funcs || m->funcs[function].size > LARGEST ||
			!digest_body(m, function, depth - 1, callee))
			return false;
		wk_sha256_add(&hash, callee, sizeof callee);
	}
	wk_sha256_add(&hash, done, (size_t)(reader.at - done));
	wk_sha256_end(&hash, digest);
	return true;
}

bool wk_library_digest(const struct wk_module *m, uint32_t function, uint8_t digest[32])
{
	const struct wk_memory_type *memory = m->memories;

	return function >= m->imported_funcs && m->funcs[function].size <= LARGEST && m->memory_count != 0 &&
		!memory->limits.is64 && has_signature(wk_module_func_type(m, function)) &&
		digest_body(m, function, 1, digest);
}

enum wk_library_function wk_library_find(const struct wk_module *m, uint32_t function)
{
	uint8_t digest[32];

	if (!wk_library_digest(m, function, digest))
		return WK_LIBRARY_NONE;
	for (size_t i = 0; i < WK_COUNT(bodies); i++)
		if (memcmp(bodies[i].digest, digest, sizeof bodies[i].digest) == 0)
			return bodies[i].function;
	return WK_LIBRARY_NONE;
}

/* ---- the path before its body ---- */

struct path {
	struct compiler *c;
	LLVMValueRef function, context, size, base;
	LLVMBasicBlockRef body;        /* calls the body */
};

static LLVMBasicBlockRef block(struct path *p)
{
	return LLVMAppendBasicBlockInContext(p->c->llvm, p->function, "");
}

static LLVMValueRef number(struct path *p, uint64_t value)
{
	return wk_c_number(p->c->i64, value);
}

/* A parameter, as 64 bits. */
static LLVMValueRef parameter(struct path *p, unsigned index)
{
	return LLVMBuildZExt(p->c->b, LLVMGetParam(p->function, index + 1), p->c->i64, "");
}

static LLVMValueRef sum(struct path *p, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildAdd(p->c->b, a, b, "");
}

static LLVMValueRef pointer(struct path *p, LLVMValueRef address)
{
	return LLVMBuildGEP2(p->c->b, p->c->i8, p->base, &address, 1, "");
}

static LLVMValueRef load(struct path *p, LLVMTypeRef type, LLVMValueRef address)
{
	LLVMValueRef value = LLVMBuildLoad2(p->c->b, type, pointer(p, address), "");

	LLVMSetAlignment(value, 1);
	wk_c_tag(value, p->c->kind_tbaa, p->c->tbaa_guest);
	return LLVMTypeOf(value) == p->c->i64 ? value : LLVMBuildZExt(p->c->b, value, p->c->i64, "");
}

static LLVMValueRef is_outside(struct path *p, LLVMValueRef address, LLVMValueRef count)
{
	return LLVMBuildICmp(p->c->b, LLVMIntUGT, sum(p, address, count), p->size, "");
}

/* To the body if the condition holds, which is unlikely; else goes on. */
static void leave_if(struct path *p, LLVMValueRef condition)
{
	LLVMBasicBlockRef next = block(p);

	wk_c_tag(LLVMBuildCondBr(p->c->b, condition, p->body, next), p->c->kind_prof, p->c->unlikely);
	LLVMPositionBuilderAtEnd(p->c->b, next);
}

static void copy(struct path *p, bool may_overlap)
{
	LLVMBuilderRef b = p->c->b;
	LLVMValueRef to = parameter(p, 0), from = parameter(p, 1), count = parameter(p, 2);
	LLVMValueRef n = LLVMGetParam(p->function, 3);

	leave_if(p, is_outside(p, to, count));
	leave_if(p, is_outside(p, from, count));
	if (!may_overlap) {
		LLVMValueRef distance = LLVMBuildSub(b, LLVMGetParam(p->function, 1), LLVMGetParam(p->function, 2), "");

		leave_if(p, LLVMBuildICmp(b, LLVMIntULT, distance, n, ""));
		leave_if(p, LLVMBuildICmp(b, LLVMIntULT, LLVMBuildNeg(b, distance, ""), n, ""));
	}
	wk_c_copy_guest(p->c, pointer(p, to), pointer(p, from), count, 0, may_overlap);
	LLVMBuildRet(b, LLVMGetParam(p->function, 1));
}

static void fill(struct path *p)
{
	LLVMBuilderRef b = p->c->b;
	LLVMValueRef to = parameter(p, 0), count = parameter(p, 2);

	leave_if(p, is_outside(p, to, count));
	wk_c_fill_guest(p->c, pointer(p, to), LLVMBuildTrunc(b, LLVMGetParam(p->function, 2), p->c->i8, ""), count, 0);
	LLVMBuildRet(b, LLVMGetParam(p->function, 1));
}

/* Two times eight bytes in the order of their addresses: the difference of the first that differ, or 0. */
static void return_difference(struct path *p, LLVMValueRef left, LLVMValueRef right)
{
	LLVMBuilderRef b = p->c->b;
	LLVMBasicBlockRef differ = block(p), same = block(p);
	LLVMValueRef both = LLVMBuildXor(b, left, right, ""), bytes[2] = { left, right }, at;

	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, both, number(p, 0), ""), same, differ);
	LLVMPositionBuilderAtEnd(b, same);
	LLVMBuildRet(b, wk_c_number(p->c->i32, 0));
	LLVMPositionBuilderAtEnd(b, differ);
	at = LLVMBuildAnd(b, wk_c_trailing_zeros(p->c, both), number(p, 56), "");
	for (int i = 0; i < 2; i++) {
		bytes[i] = LLVMBuildAnd(b, LLVMBuildLShr(b, bytes[i], at, ""), number(p, 255), "");
		bytes[i] = LLVMBuildTrunc(b, bytes[i], p->c->i32, "");
	}
	LLVMBuildRet(b, LLVMBuildSub(b, bytes[0], bytes[1], ""));
}

/* All of up to eight bytes, the first ones lowest, some perhaps more than once: so it is seen which of them differ first. */
static LLVMValueRef few(struct path *p, LLVMValueRef address, LLVMValueRef count, bool four)
{
	LLVMBuilderRef b = p->c->b;
	LLVMTypeRef type = four ? p->c->i32 : p->c->i8;
	LLVMValueRef end = sum(p, address, count), bits = load(p, type, address), next;

	if (!four) {
		next = load(p, type, sum(p, address, LLVMBuildLShr(b, count, number(p, 1), "")));
		bits = LLVMBuildOr(b, bits, LLVMBuildShl(b, next, number(p, 8), ""), "");
	}
	next = load(p, type, LLVMBuildSub(b, end, number(p, four ? 4 : 1), ""));
	return LLVMBuildOr(b, bits, LLVMBuildShl(b, next, number(p, four ? 32 : 16), ""), "");
}

static void compare_few(struct path *p, LLVMValueRef left, LLVMValueRef right, LLVMValueRef count)
{
	LLVMBuilderRef b = p->c->b;
	LLVMBasicBlockRef four = block(p), less = block(p), some = block(p), none = block(p);

	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntUGE, count, number(p, 4), ""), four, less);
	LLVMPositionBuilderAtEnd(b, four);
	return_difference(p, few(p, left, count, true), few(p, right, count, true));
	LLVMPositionBuilderAtEnd(b, less);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, count, number(p, 0), ""), none, some);
	LLVMPositionBuilderAtEnd(b, none);
	LLVMBuildRet(b, wk_c_number(p->c->i32, 0));
	LLVMPositionBuilderAtEnd(b, some);
	return_difference(p, few(p, left, count, false), few(p, right, count, false));
}

/* Eight bytes at a time, at last the last eight. */
static void compare(struct path *p)
{
	LLVMBuilderRef b = p->c->b;
	LLVMValueRef left = parameter(p, 0), right = parameter(p, 1), count = parameter(p, 2), at, last, next, bits[2];
	LLVMBasicBlockRef many = block(p), little = block(p), loop = block(p), differ = block(p), on = block(p);
	LLVMBasicBlockRef end = block(p);

	leave_if(p, is_outside(p, left, count));
	leave_if(p, is_outside(p, right, count));
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntUGE, count, number(p, 8), ""), many, little);
	LLVMPositionBuilderAtEnd(b, little);
	compare_few(p, left, right, count);
	LLVMPositionBuilderAtEnd(b, many);
	last = LLVMBuildSub(b, count, number(p, 8), "");
	LLVMBuildBr(b, loop);
	LLVMPositionBuilderAtEnd(b, loop);
	at = LLVMBuildPhi(b, p->c->i64, "");
	bits[0] = load(p, p->c->i64, sum(p, left, at)), bits[1] = load(p, p->c->i64, sum(p, right, at));
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntNE, bits[0], bits[1], ""), differ, on);
	LLVMPositionBuilderAtEnd(b, on);
	next = sum(p, at, number(p, 8));
	LLVMAddIncoming(at, (LLVMValueRef[]){ number(p, 0), next }, (LLVMBasicBlockRef[]){ many, on }, 2);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULE, next, last, ""), loop, end);
	LLVMPositionBuilderAtEnd(b, differ);
	return_difference(p, bits[0], bits[1]);
	LLVMPositionBuilderAtEnd(b, end);
	return_difference(p, load(p, p->c->i64, sum(p, left, last)), load(p, p->c->i64, sum(p, right, last)));
}

/* The lowest bit that is set in (v - 01..01) & ~v & 80..80 is that of the first byte of v that is zero. */
static void measure(struct path *p)
{
	LLVMBuilderRef b = p->c->b;
	const uint64_t ones = UINT64_C(0x0101010101010101);
	LLVMBasicBlockRef here = LLVMGetInsertBlock(b), loop = block(p), found = block(p);
	LLVMValueRef begin = parameter(p, 0), at, bits, zeros, next;

	LLVMBuildBr(b, loop);
	LLVMPositionBuilderAtEnd(b, loop);
	at = LLVMBuildPhi(b, p->c->i64, "");
	leave_if(p, is_outside(p, at, number(p, 8)));
	bits = load(p, p->c->i64, at);
	zeros = LLVMBuildAnd(b, LLVMBuildSub(b, bits, number(p, ones), ""), LLVMBuildNot(b, bits, ""), "");
	zeros = LLVMBuildAnd(b, zeros, number(p, ones << 7), "");
	next = sum(p, at, number(p, 8));
	LLVMAddIncoming(at, (LLVMValueRef[]){ begin, next }, (LLVMBasicBlockRef[]){ here, LLVMGetInsertBlock(b) }, 2);
	LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, zeros, number(p, 0), ""), loop, found);
	LLVMPositionBuilderAtEnd(b, found);
	at = sum(p, LLVMBuildSub(b, at, begin, ""), LLVMBuildLShr(b, wk_c_trailing_zeros(p->c, zeros), number(p, 3), ""));
	LLVMBuildRet(b, LLVMBuildTrunc(b, at, p->c->i32, ""));
}

/* A call of the body, with the same parameters, that leaves no frame behind. */
static void call_body(struct path *p, const struct code *code)
{
	LLVMValueRef values[4], call;

	LLVMGetParams(p->function, values);
	call = wk_c_call_compiled(p->c, code->type, code->body, values, LLVMCountParams(p->function));
	LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
	LLVMBuildRet(p->c->b, call);
}

void wk_c_library_path(struct compiler *c, const struct code *code)
{
	struct path p = { .c = c, .function = code->function, .context = LLVMGetParam(code->function, 0) };

	LLVMPositionBuilderAtEnd(c->b, block(&p));
	p.size = wk_c_memory_size(c, p.context, 0);
	p.base = wk_c_memory_base(c, p.context, 0);
	p.body = block(&p);
	switch (code->known) {
	case WK_LIBRARY_MEMCPY: copy(&p, false); break;
	case WK_LIBRARY_MEMMOVE: copy(&p, true); break;
	case WK_LIBRARY_MEMSET: fill(&p); break;
	case WK_LIBRARY_MEMCMP: compare(&p); break;
	case WK_LIBRARY_STRLEN: measure(&p); break;
	case WK_LIBRARY_NONE: break;
	}
	LLVMPositionBuilderAtEnd(c->b, p.body);
	call_body(&p, code);
}
