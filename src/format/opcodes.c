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

const struct wk_opcode wk_opcodes[WK_OPCODE_ROWS] = {
#define WK_OP(name, code, text, immediate, signature) \
	[ROW(code)] = { signature, code, offsetof(struct names, name), WK_IMM_##immediate },
#include "format/opcodes.def"
#undef WK_OP
};

const char *wk_opcode_name(uint32_t code)
{
	const struct wk_opcode *row = wk_opcode_find(code);
	return (const char *)&names + (row == NULL ? 0 : row->name);
}
