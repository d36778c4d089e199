/* SPDX-License-Identifier: Apache-2.0
 * All implementation limits (specification, appendix A.2). Reaching one is WK_LIMIT, and the report names it. */
#ifndef WK_FORMAT_LIMITS_H
#define WK_FORMAT_LIMITS_H

#define WK_MAX_MODULE_SIZE (1u << 30)
#define WK_MAX_SECTIONS 1000000u
#define WK_MAX_TYPES 1000000u
#define WK_MAX_FUNCTIONS 1000000u
#define WK_MAX_IMPORTS 1000000u
#define WK_MAX_EXPORTS 1000000u
#define WK_MAX_GLOBALS 1000000u
#define WK_MAX_TAGS 1000000u
#define WK_MAX_DATA_SEGMENTS 1000000u
#define WK_MAX_ELEMENT_SEGMENTS 1000000u
#define WK_MAX_TABLES 100000u
#define WK_MAX_MEMORIES 1000u
#define WK_MAX_TABLE_ELEMENTS 10000000u
#define WK_MAX_PARAMETERS 1000u
#define WK_MAX_RESULTS 1000u
#define WK_MAX_STRUCT_FIELDS 10000u
#define WK_MAX_SUBTYPE_DEPTH 63u
#define WK_MAX_LOCALS 50000u         /* parameters included */
#define WK_MAX_FRAME_SLOTS 60000u    /* locals and operands of one function, in 64-bit slots */
#define WK_MAX_FUNCTION_SIZE 7654321u
#define WK_MAX_CONTROL_DEPTH 100000u /* nested blocks; memory for them is taken as they open */
#define WK_MAX_BR_TABLE 1000000u
#define WK_MAX_MEMORY64_BYTES (UINT64_C(1) << 40)

#endif
