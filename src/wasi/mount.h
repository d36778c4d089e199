/* SPDX-License-Identifier: Apache-2.0
 *
 * mount.h: one system for WASI made of two: the first is the environment's, the second has folders of another kind,
 * under one name for the embedder (a sealed folder: sealed.h). A guest sees both as preopened directories.
 *
 *   - open_root with exactly that name is the second's, with any other the first's.
 *   - What is opened through a directory belongs to the directory's system. Names cannot be moved or linked from one to
 *     the other: XDEV.
 *   - Clocks, chance, waiting and what is adopted are the first's. Objects of the second are taken to be always ready.
 */
#ifndef WK_WASI_MOUNT_H
#define WK_WASI_MOUNT_H

#include "wasi/system.h"

struct wk_mount {
	struct wk_wasi_system system;
	const struct wk_wasi_system *first, *second;
	const char *name;
};

/* Fills `mount`; its `system` is to be used where it lies. The systems and the name are borrowed as long as it is. */
void wk_mount_init(struct wk_mount *mount, const struct wk_wasi_system *first, const struct wk_wasi_system *second,
	const char *name);

#endif
