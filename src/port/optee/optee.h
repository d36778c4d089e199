/* SPDX-License-Identifier: Apache-2.0
 *
 * The port to OP-TEE: memory by the system PTA, clocks and chance of the TEE. For one Trusted Application (TA) instance,
 * which serves one session on one thread at a time.
 */
#ifndef WK_PORT_OPTEE_H
#define WK_PORT_OPTEE_H

#include <tee_internal_api.h>

#include "port/port.h"
#include "wasi/vault.h"

/* Opens the way to the system PTA, and learns which addresses there are. Before anything else of the port. `stack_size`:
 * the TA's own, for the books. */
TEE_Result wk_optee_begin(size_t stack_size);
void wk_optee_end(void);

/* Maps a stack whose overrun reaches nothing but an address without memory. NULL: refused. It stays, as a fixed part. */
void *wk_optee_stack(size_t size);

/* Loads a library by its UUID, which OP-TEE verifies and maps, with other addresses for everything that is mapped later:
 * nothing may be, but the stack. That is made anew, *stack, of the new size, or of the old one if the library is refused;
 * NULL: it could not be, and the instance is of no more use. The library stays. Once in an instance. */
TEE_Result wk_optee_library(const TEE_UUID *uuid, void **stack, size_t *stack_size, size_t new_size);
/* What a library exports; NULL: nothing of this name. */
void *wk_optee_symbol(const TEE_UUID *uuid, const char *name);

/* Loads the image of the module with this hash by wk_optee_library. A report says what is wrong; *table stays NULL then.
 * WK_NOT_FOUND: there is none. */
struct wk_image_table;
enum wk_status wk_optee_use_image(const uint8_t module[32], void **stack, size_t *stack_size, size_t new_size,
	struct wk_report *report, const struct wk_image_table **table);

/* How much the TEE's RAM for TAs has for this one, its own parts included; kept in wk_port_provider()->ram. 0: finds it
 * out by OP-TEE's statistics, or else by mapping all that can be had and giving it back. */
void wk_optee_ram(uint64_t ram);

/* What the system PTA says, without books: for measuring. *address 0: anywhere. */
TEE_Result wk_optee_map(uintptr_t *address, size_t size);
TEE_Result wk_optee_unmap(uintptr_t address, size_t size);
/* The first address behind everything that is mapped. */
uintptr_t wk_optee_behind(void);
/* What the TA takes for itself: the loader's share, its first segment, its second one with TA_DATA_SIZE; whole pages. */
struct wk_optee_image { uint64_t loader, code, data; };
void wk_optee_image(struct wk_optee_image *image);
/* Does the TEE's core still find memory for a small object? */
bool wk_optee_core_has_memory(void);

/* Clocks, chance and yield; the other operations are NULL. */
extern const struct wk_wasi_system wk_optee_system;
/* The TA's secure storage. */
extern const struct wk_vault wk_optee_vault;

#endif
