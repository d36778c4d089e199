/* SPDX-License-Identifier: Apache-2.0
 *
 * Which function the interpreter is in, for a signal handler that has the interrupted registers. The loop keeps its
 * position in a register and tells nobody, so the answer is the function whose code a register points into. Nothing but
 * positions does: a guest does not know where internal code is.
 *
 * What always holds: only what never changes or is published in order is read (code.c), so any moment will do.
 */
#include "interp/code.h"
#include "interp/interp.h"

/* The register that has `ip` while an instruction is done: the first argument's, for handlers with clang, and as it turns
 * out for the loop with gcc. Others may have what is left over, or the code of a function that is entered just now. */
#if defined(__x86_64__)
#define POSITION 7 /* rdi */
#if defined(__has_attribute)
#if __has_attribute(preserve_none)
#undef POSITION
#define POSITION 12 /* r12 */
#endif
#endif
#elif defined(__aarch64__)
#define POSITION 0
#endif

static uint32_t function_at(const struct wk_code *code, uintptr_t at)
{
	const struct wk_code_header *header = at % sizeof(wk_unit) == 0 ? wk_code_find(code, (const wk_unit *)at) : NULL;

	return header ? header->function : WK_NO_FUNCTION;
}

uint32_t wk_interp_running(const struct wk_exec *x, const uintptr_t *registers, uint32_t count,
	const struct wk_module **module)
{
	const struct wk_code *code = x->code;
	uint32_t found = WK_NO_FUNCTION;

	if (!code)
		return found;
	*module = code->module;
	if (x->entered.at)
		return function_at(code, (uintptr_t)x->entered.at);
#ifdef POSITION
	found = function_at(code, registers[POSITION]);
	if (found != WK_NO_FUNCTION)
		return found;
#endif
	for (uint32_t i = 0; i < count; i++) {
		uint32_t one = function_at(code, registers[i]);

		if (one != WK_NO_FUNCTION && found != WK_NO_FUNCTION && one != found)
			return WK_NO_FUNCTION;
		found = one != WK_NO_FUNCTION ? one : found;
	}
	return found;
}
