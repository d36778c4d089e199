/* SPDX-License-Identifier: Apache-2.0
 *
 * The instruction table, built from opcodes.def by the compiler.
 *
 * The names lie in one block of characters and rows hold positions in it instead of pointers: a position-independent
 * Trusted Application would need a relocation (24 bytes) for each of some 480 pointers.
 */
#include "format/opcodes.h"

struct names {
	char unknown[sizeof "(unknown)"];
#define WK_OP(name, code, text, immediate, signature) char name[sizeof text];
#include "format/opcodes.def"
#undef WK_OP
};

static const struct names names = {
	.unknown = "(unknown)",
#define WK_OP(name, code, text, immediate, signature) .name = text,
#include "format/opcodes.def"
#undef WK_OP
};

_Static_assert(sizeof names <= UINT16_MAX, "names are found by 16-bit positions");

#define ROW(code) \
	((code) < 0x100 ? (code) : \
	(code) >> 12 == 0xFB ? WK_OPCODE_FB + ((code) & 0xfff) : \
	(code) >> 12 == 0xFC ? WK_OPCODE_FC + ((code) & 0xfff) : WK_OPCODE_FD + ((code) & 0xfff))

/* The signature strings are taken apart by the compiler: the n-th character of a literal is a constant. The padding
 * makes every n one that exists. */
#define CHARACTER(text, n) ((text "\0\0\0\0\0\0\0")[n])
#define TYPE(c) \
	((c) == 'i' ? 0x7f : (c) == 'I' ? 0x7e : (c) == 'f' ? 0x7d : (c) == 'F' ? 0x7c : (c) == 'V' ? 0x7b : \
	(c) == 'a' ? WK_SIGNATURE_ADDRESS : 0)
#define COLON(text) \
	(CHARACTER(text, 0) == 0 || CHARACTER(text, 0) == ':' ? 0 : CHARACTER(text, 1) == ':' ? 1 : \
	CHARACTER(text, 2) == ':' ? 2 : CHARACTER(text, 3) == ':' ? 3 : 4)
#define OPERAND(text, n) (COLON(text) > (n) ? TYPE(CHARACTER(text, n)) : 0)
#define RESULT(text, n) TYPE(CHARACTER(text, COLON(text) + 1 + (n)))
#define SPECIAL(text) (CHARACTER(text, 0) == '*')

const struct wk_opcode wk_opcodes[WK_OPCODE_ROWS] = {
#define WK_OP(name_, code_, text, immediate_, signature) \
	[ROW(code_)] = { \
		.code = code_, \
		.name = offsetof(struct names, name_), \
		.immediate = WK_IMM_##immediate_, \
		.pops = SPECIAL(signature) ? WK_SIGNATURE_SPECIAL : COLON(signature), \
		.pushes = (RESULT(signature, 0) != 0) + (RESULT(signature, 1) != 0), \
		.in = { OPERAND(signature, 0), OPERAND(signature, 1), OPERAND(signature, 2), OPERAND(signature, 3) }, \
		.out = { RESULT(signature, 0), RESULT(signature, 1) }, \
	},
#include "format/opcodes.def"
#undef WK_OP
};

const char *wk_opcode_name(uint32_t code)
{
	const struct wk_opcode *row = wk_opcode_find(code);
	return (const char *)&names + (row == NULL ? 0 : row->name);
}
