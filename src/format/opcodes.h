/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions as constants and as a dense table; both come from opcodes.def.
 */
#ifndef WK_FORMAT_OPCODES_H
#define WK_FORMAT_OPCODES_H

#include <stddef.h>
#include <stdint.h>

/* WK_OP_<NAME>: the byte, or (prefix << 12) | number. */
enum wk_op {
#define WK_OP(name, code, text, immediate, signature) WK_OP_##name = code,
#include "format/opcodes.def"
#undef WK_OP
};

/* What follows the opcode in the bytes (5.4). */
enum wk_immediate {
	WK_IMM_ABSENT,         /* no such instruction */
	WK_IMM_NONE,
	WK_IMM_BLOCK,          /* block type */
	WK_IMM_TRY_TABLE,      /* block type, catch clauses */
	WK_IMM_LABEL,
	WK_IMM_BR_TABLE,       /* vector of labels, label */
	WK_IMM_FUNC,
	WK_IMM_CALL_INDIRECT,  /* type, table */
	WK_IMM_TYPE,
	WK_IMM_TAG,
	WK_IMM_SELECT_TYPES,   /* vector of value types */
	WK_IMM_LOCAL,
	WK_IMM_GLOBAL,
	WK_IMM_TABLE,
	WK_IMM_TABLE_TABLE,    /* to, from */
	WK_IMM_ELEM,
	WK_IMM_ELEM_TABLE,     /* segment, table */
	WK_IMM_MEMORY,
	WK_IMM_MEMORY_MEMORY,  /* to, from */
	WK_IMM_DATA,
	WK_IMM_DATA_MEMORY,    /* segment, memory */
	WK_IMM_HEAP,           /* heap type */
	WK_IMM_I32,            /* signed LEB128 */
	WK_IMM_I64,
	WK_IMM_F32,            /* 4 bytes */
	WK_IMM_F64,            /* 8 bytes */
	WK_IMM_V128,           /* 16 bytes */
	WK_IMM_SHUFFLE,        /* 16 lane bytes below 32 */
	WK_IMM_LANE_2,         /* one lane byte below 2, 4, 8, 16 */
	WK_IMM_LANE_4,
	WK_IMM_LANE_8,
	WK_IMM_LANE_16,
	WK_IMM_MEMORY_8,       /* memarg of an access of 8 ... 128 bits: in order, so that kind - MEMORY_8 is the log2 of */
	WK_IMM_MEMORY_16,      /* the bytes accessed, the largest alignment allowed */
	WK_IMM_MEMORY_32,
	WK_IMM_MEMORY_64,
	WK_IMM_MEMORY_128,
	WK_IMM_LANE_MEMORY_8,  /* memarg, lane byte; in the same order */
	WK_IMM_LANE_MEMORY_16,
	WK_IMM_LANE_MEMORY_32,
	WK_IMM_LANE_MEMORY_64,
	WK_IMM_GC_NONE,        /* refused (WK_UNSUPPORTED) from here on */
	WK_IMM_GC_TYPE,
	WK_IMM_GC_TYPE_INDEX,
	WK_IMM_GC_HEAP,
	WK_IMM_GC_BR_ON_CAST,
	WK_IMM_COUNT
};

/* A signature of opcodes.def, unpacked. Types are their binary codes (format/types.h has the same numbers), or: */
#define WK_SIGNATURE_ADDRESS 1u      /* the address type of the memory that the immediate names */
#define WK_SIGNATURE_SPECIAL 0xffu   /* as `pops`: "*" */

struct wk_opcode {
	uint32_t code;
	uint16_t name;         /* where its text is; see wk_opcode_name */
	uint8_t immediate;     /* enum wk_immediate */
	uint8_t pops, pushes;
	uint8_t in[4];         /* operands, the lowest on the stack first */
	uint8_t out[2];        /* results, in the same order */
};

/* One row for each code, in four stretches one behind the other: bytes, 0xFB, 0xFC, 0xFD. Codes that are no instruction
 * have a row of zeros. */
#define WK_OPCODE_FB 256u
#define WK_OPCODE_FC (WK_OPCODE_FB + 0x20u)
#define WK_OPCODE_FD (WK_OPCODE_FC + 0x20u)
#define WK_OPCODE_ROWS (WK_OPCODE_FD + 0x114u)
extern const struct wk_opcode wk_opcodes[WK_OPCODE_ROWS];

/* The row's number of a code as the constants above have it; UINT32_MAX when it is beyond the table. */
static inline uint32_t wk_opcode_row(uint32_t code)
{
	uint32_t number = code & 0xfff;
	switch (code >> 12) {
	case 0: return number < 256 ? number : UINT32_MAX;
	case 0xFB: return number < 0x20 ? WK_OPCODE_FB + number : UINT32_MAX;
	case 0xFC: return number < 0x20 ? WK_OPCODE_FC + number : UINT32_MAX;
	case 0xFD: return number < 0x114 ? WK_OPCODE_FD + number : UINT32_MAX;
	default: return UINT32_MAX;
	}
}

/* NULL when there is no such instruction. */
static inline const struct wk_opcode *wk_opcode_find(uint32_t code)
{
	uint32_t row = wk_opcode_row(code);
	return row != UINT32_MAX && wk_opcodes[row].immediate != WK_IMM_ABSENT ? &wk_opcodes[row] : NULL;
}

/* The text name ("i32.add"); "(unknown)" when there is none. Never NULL. */
const char *wk_opcode_name(uint32_t code);

#endif
