/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed.h: sealed folders: a system for WASI (system.h) whose files and folders live in a secure storage (vault.h).
 * docs/sealed.md says what they promise.
 *
 * A volume is a tree of folders. It is named by 32 bytes, chosen by whoever makes the system; two volumes have nothing
 * in common. Several systems, in one TA or in several, may work on one volume at the same time:
 *
 *   - An operation on names is done as a whole before another one begins. One that finds the volume taken asks again
 *     as often as the vault says, and then returns BUSY.
 *   - A file is open in several systems to be read, or in one to be written. Another one's open, or its question for the
 *     file's size by name, returns BUSY. Within one system a file can be opened any number of times.
 *   - A file that is removed, or replaced by renaming, while it is open stays usable until it is closed.
 *
 * Every operation that has returned is in the storage: there is nothing for sync to do. An operation on names that
 * returns IO, NOSPC or NOMEM was done, or not, as a whole.
 *
 * Symbolic and hard links, times, clocks, chance and sockets there are none: NOTSUP, and times read as 0.
 */
#ifndef WK_WASI_SEALED_H
#define WK_WASI_SEALED_H

#include "memory/budget.h"
#include "wasi/vault.h"

#define WK_SEALED_VOLUME 32u
/* Files and folders in a volume, together with removed files that are still open. One more is NOSPC. */
#define WK_SEALED_ENTRIES 1024u
/* Bytes of a name. */
#define WK_SEALED_NAME 255u

struct wk_sealed;

/* A system over a volume, for one thread at a time. The vault is borrowed as long as it lives; nothing is asked of it
 * yet: open_root makes the volume when there is none. Memory is charged to `budget`. */
WK_NODISCARD enum wk_status wk_sealed_new(struct wk_budget *budget, const struct wk_vault *vault,
	const uint8_t volume[WK_SEALED_VOLUME], struct wk_report *report, struct wk_sealed **sealed);
/* Its open_root opens the volume's root, under any name. Lives as long as `sealed`. */
const struct wk_wasi_system *wk_sealed_system(const struct wk_sealed *sealed);
/* Everything opened through it must be closed. NULL is allowed. */
void wk_sealed_delete(struct wk_sealed *sealed);

#endif
