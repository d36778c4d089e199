/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of statuses and traps. Traps have the words of the WebAssembly core test suite, so that its runner compares
 * texts and people find them when they search; those the suite does not know are our own.
 */
#include <wasmkeep/status.h>

#include "base/span.h"

static const char *const status_texts[] = {
	[WK_OK] = "ok",
	[WK_MALFORMED] = "malformed module",
	[WK_INVALID] = "invalid module",
	[WK_UNSUPPORTED] = "unsupported feature",
	[WK_LIMIT] = "limit reached",
	[WK_NO_MEMORY] = "out of memory",
	[WK_UNLINKABLE] = "unlinkable module",
	[WK_TRAP] = "trap",
	[WK_EXCEPTION] = "uncaught exception",
	[WK_EXIT] = "exit",
	[WK_BAD_ARGUMENT] = "bad argument",
	[WK_NOT_FOUND] = "not found",
	[WK_IO] = "input or output error",
};
_Static_assert(WK_COUNT(status_texts) == WK_STATUS_COUNT, "every status has a text");

static const char *const trap_texts[] = {
	[WK_TRAP_NONE] = "no trap",
	[WK_TRAP_UNREACHABLE] = "unreachable",
	[WK_TRAP_MEMORY_BOUNDS] = "out of bounds memory access",
	[WK_TRAP_TABLE_BOUNDS] = "out of bounds table access",
	[WK_TRAP_UNDEFINED_ELEMENT] = "undefined element",
	[WK_TRAP_UNINITIALIZED_ELEMENT] = "uninitialized element",
	[WK_TRAP_INDIRECT_CALL_TYPE] = "indirect call type mismatch",
	[WK_TRAP_NULL_REFERENCE] = "null reference",
	[WK_TRAP_NULL_FUNCTION] = "null function reference",
	[WK_TRAP_NULL_EXCEPTION] = "null exception reference",
	[WK_TRAP_DIVIDE_BY_ZERO] = "integer divide by zero",
	[WK_TRAP_INTEGER_OVERFLOW] = "integer overflow",
	[WK_TRAP_INVALID_CONVERSION] = "invalid conversion to integer",
	[WK_TRAP_STACK_EXHAUSTED] = "call stack exhausted",
	[WK_TRAP_FUEL_EXHAUSTED] = "fuel exhausted",
	[WK_TRAP_INTERRUPTED] = "interrupted",
	[WK_TRAP_NO_MEMORY] = "out of memory",
	[WK_TRAP_HOST] = "host function refused",
};
_Static_assert(WK_COUNT(trap_texts) == WK_TRAP_COUNT, "every trap has a text");

const char *wk_status_text(enum wk_status status)
{
	return (unsigned)status < WK_STATUS_COUNT ? status_texts[status] : "unknown status";
}

const char *wk_trap_text(enum wk_trap trap)
{
	return (unsigned)trap < WK_TRAP_COUNT ? trap_texts[trap] : "unknown trap";
}
