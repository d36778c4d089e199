/* SPDX-License-Identifier: Apache-2.0
 * Properties of the Trusted Application, for the development kit. */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "ta/protocol.h"

#define TA_UUID WK_TA_UUID
/* Neither TA_FLAG_SINGLE_INSTANCE nor more: each session has an instance of its own, with memory of its own. So a
 * module's trap, exhaustion or even the panic of a TA never touches another session. */
#define TA_FLAGS 0
/* Everything that grows is mapped, so this is what the TEE's own functions need beside: the session's structures (6 KiB),
 * handles of files, operations and keys. It is taken from the RAM whether it is used or not. */
#ifndef TA_DATA_SIZE
#define TA_DATA_SIZE (32 * 1024)
#endif
/* For decoding and validating, which do not recurse. Guests run on a stack of their own. docs/optee-memory.md: there may
 * be no guard below this one. */
#ifndef TA_STACK_SIZE
#define TA_STACK_SIZE (16 * 1024)
#endif
/* Native stack of guests' calls: dispatch loop, host functions, translation on demand. Measured: see docs/ta.md. How deep
 * calls between guests and host functions may nest on it. */
#define TA_GUEST_STACK ((size_t)32 * 1024)
#define TA_GUEST_DEPTH 4u
/* The same with compiled code, whose calls use it, beside what is needed without. */
#define TA_IMAGE_STACK (TA_GUEST_STACK + (size_t)128 * 1024)
#define TA_VERSION "0.1.0"
#define TA_DESCRIPTION "Wasmkeep: WebAssembly in the TEE"

#endif
