/* SPDX-License-Identifier: Apache-2.0
 *
 * What the development kit wants to know about the native kernels.
 */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID { 0x7b1d6f0a, 0x3c52, 0x4f6e, { 0xa0, 0xb4, 0x5d, 0x7e, 0x92, 0xc4, 0x1f, 0x63 } }
#define TA_FLAGS TA_FLAG_EXEC_DDR
#define TA_STACK_SIZE (64 * 1024)
#define TA_DATA_SIZE (32 * 1024)

#endif
