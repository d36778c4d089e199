/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of accesses that are disjoint. Two arrays of a native program are known not to overlap, or asked to be; in
 * WebAssembly all are one memory. Where a loop in two versions looks whether its addresses are in bounds, one more look
 * tells whether what it writes overlaps with anything else that it touches. If not, LLVM is told so in a copy, and can keep
 * values in registers and make vectors as for native code.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/loops.h"

/* More comparisons are not made. */
#define MOST_PAIRS 12

static bool is_pair(const struct version *v, uint32_t i, uint32_t k)
{
	const struct group *a = &v->groups[i], *b = &v->groups[k];

	return a->memory == b->memory && (a->stores || b->stores);
}

bool wk_c_may_be_apart(const struct version *v)
{
	uint32_t pairs = 0;

	for (uint32_t i = 0; i < v->group_count; i++)
		for (uint32_t k = 0; k < i; k++)
			pairs += is_pair(v, i, k);
	return pairs != 0 && pairs <= MOST_PAIRS;
}

LLVMValueRef wk_c_apart(struct version *v)
{
	struct compiler *c = v->loop.c;
	LLVMValueRef all = NULL;

	for (uint32_t i = 0; i < v->group_count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			const struct group *a = &v->groups[i], *b = &v->groups[k];
			LLVMValueRef one;

			if (!is_pair(v, i, k))
				continue;
			one = LLVMBuildOr(c->b, LLVMBuildICmp(c->b, LLVMIntULE, a->end, b->low, ""),
				LLVMBuildICmp(c->b, LLVMIntULE, b->end, a->low, ""), "");
			all = all ? LLVMBuildAnd(c->b, all, one, "") : one;
		}
	}
	return all;
}

/* Scopes of all copies have different names: one copy says nothing of another. */
static LLVMValueRef name(struct compiler *c, uint32_t number, LLVMValueRef domain)
{
	char text[32];
	LLVMValueRef parts[2];

	snprintf(text, sizeof text, "wasmkeep.%u", number);
	parts[0] = LLVMMDStringInContext(c->llvm, text, (unsigned)strlen(text));
	parts[1] = domain;
	return LLVMMDNodeInContext(c->llvm, parts, domain ? 2 : 1);
}

void wk_c_name_groups(struct version *v, LLVMValueRef (*copy_of)(const struct version *v, LLVMValueRef value))
{
	struct compiler *c = v->loop.c;
	unsigned scope_kind = LLVMGetMDKindIDInContext(c->llvm, "alias.scope", 11);
	unsigned noalias_kind = LLVMGetMDKindIDInContext(c->llvm, "noalias", 7);
	LLVMValueRef domain = name(c, c->scope_count++, NULL);

	for (uint32_t i = 0; i < v->group_count; i++)
		v->groups[i].scope = name(c, c->scope_count++, domain);
	for (uint32_t i = 0; i < v->check_count; i++) {
		LLVMValueRef access = copy_of(v, v->checks[i].access), others[WK_C_GROUPS];
		unsigned count = 0;

		for (uint32_t k = 0; k < v->group_count; k++)
			if (k != v->checks[i].group && is_pair(v, k, v->checks[i].group))
				others[count++] = v->groups[k].scope;
		wk_c_tag(access, scope_kind, LLVMMDNodeInContext(c->llvm, &v->groups[v->checks[i].group].scope, 1));
		if (count != 0)
			wk_c_tag(access, noalias_kind, LLVMMDNodeInContext(c->llvm, others, count));
	}
}
