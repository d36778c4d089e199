/* SPDX-License-Identifier: Apache-2.0
 *
 * What the development kit wants to know about the mapper. Its heap is not used.
 */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0xc9a3f1de, 0x5b0e, 0x4c47, { 0x9d, 0x6a, 0x3f, 0x6b, 0x7e, 0x52, 0xa1, 0x08 } }
#define TA_FLAGS TA_FLAG_EXEC_DDR
#define TA_STACK_SIZE 2048
#define TA_DATA_SIZE (32 * 1024)

#endif
