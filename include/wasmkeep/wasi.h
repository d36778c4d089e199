/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/wasi.h: WASI preview 1 ("wasi_snapshot_preview1") for the guests of one store.
 *
 * Make a store, make a wk_wasi for it, define it in a linker, instantiate, call "_start". When the guest calls proc_exit
 * the outermost call returns WK_EXIT, and wk_store_exit_code() gives the code. Delete the wk_wasi after the last call and
 * before its store: its memory is the store's.
 *
 * What a guest can reach: its arguments and environment, clocks, random numbers, the three standard streams, the
 * directories below, the sockets below. Below a preopened directory a guest can reach whatever lies beneath it by name;
 * no `..`, absolute path or symbolic link leads out (a link that would is refused with errno PERM). What the host mounts
 * or hard-links inside is inside.
 *
 * Guest file descriptors: 0, 1, 2 the standard streams, then the preopened directories in order from 3, then the sockets.
 *
 * A guest that waits (poll_oneoff, reads and writes on pipes, terminals and sockets, sock_accept) can be interrupted:
 * after wk_store_interrupt() the wait ends within 20 milliseconds with errno INTR, and the guest is stopped at its next
 * taken branch or call.
 */
#ifndef WASMKEEP_WASI_H
#define WASMKEEP_WASI_H

#include <wasmkeep/wasmkeep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wk_wasi;
struct wk_wasi_system;

/* In place of a directory of the host: the module's own folder in the TEE's secure storage (docs/sealed.md). */
#define WK_WASI_SEALED "sealed"

/* A directory of the host under the name the guest knows it by. */
struct wk_wasi_preopen {
	const char *host;      /* a directory of the host; in a TEE WK_WASI_SEALED, too */
	const char *guest;     /* UTF-8; NULL: the same as host */
	bool read_only;        /* nothing below can be changed through it, nor linked from it to elsewhere */
};

/* All of it is read during wk_wasi_new only. Zero-initialised it is a valid configuration: no arguments, no environment,
 * no directories, the standard streams of the process. */
struct wk_wasi_config {
	const char *const *arguments;      /* argument_count strings; the first is the program's name */
	size_t argument_count;
	const char *const *environment;    /* environment_count strings "NAME=value" */
	size_t environment_count;
	const struct wk_wasi_preopen *preopens;
	size_t preopen_count;
	const int *stdio;                  /* three descriptors of the host, -1: closed; NULL: 0, 1, 2. They are duplicated,
	                                      the caller keeps them. One that is not open is closed for the guest too. */
	const int *sockets;                /* connected or listening sockets; duplicated. Listening ones become non-blocking
	                                      for everybody who shares them. */
	size_t socket_count;
	const struct wk_wasi_system *system; /* what is below WASI: NULL is this environment's own (src/wasi/system.h) */
};

/* Makes the WASI state of a store. `config` and `report` may be NULL. On success the caller owns *wasi. WK_IO: a
 * directory or a socket could not be opened, and the report says which. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_wasi_new(struct wk_store *store, const struct wk_wasi_config *config,
	struct wk_report *report, struct wk_wasi **wasi);

/* Defines those of the 46 functions that the module imports, or all where `module` is NULL, in a linker of the same store,
 * under "wasi_snapshot_preview1". Each takes a little memory of the store. Nothing is defined under the
 * older name "wasi_unstable": its structures have other layouts, so that a module that imports it must be refused when it
 * is linked, instead of reading nonsense when it runs. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_wasi_define(struct wk_wasi *wasi, struct wk_linker *linker,
	const struct wk_module *module);

/* Closes all that the guest had open. NULL is allowed. No guest may call a WASI function afterwards. */
WK_PUBLIC void wk_wasi_delete(struct wk_wasi *wasi);

#ifdef __cplusplus
}
#endif
#endif
