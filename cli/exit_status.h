/* SPDX-License-Identifier: Apache-2.0
 *
 * How `wasmkeep` ends. The guest's own exit code passes through, so our own values keep away from what guests commonly
 * use (0 to 63, and 126 upwards, which shells use); they follow sysexits(3) where that has a word for it. They are part
 * of the interface: the same table stands in `wasmkeep help run` and in docs/man/wasmkeep.1.
 */
#ifndef WK_CLI_EXIT_STATUS_H
#define WK_CLI_EXIT_STATUS_H

enum wk_exit_status {
	WK_EXIT_SUCCESS = 0,
	WK_EXIT_USAGE = 64,       /* the command line is wrong, or names a function that is not there */
	WK_EXIT_MODULE = 65,      /* not a WebAssembly module, an invalid one, or one that needs what Wasmkeep lacks */
	WK_EXIT_READ = 66,        /* a file cannot be read */
	WK_EXIT_LINK = 67,        /* an import is missing or of another type */
	WK_EXIT_LIMIT = 68,       /* a limit was reached: --fuel, --timeout, --max-memory, or one of the implementation */
	WK_EXIT_INTERNAL = 70,    /* a mistake of Wasmkeep's own */
	WK_EXIT_NO_MEMORY = 71,   /* the machine has no more memory */
	WK_EXIT_WRITE = 74,       /* standard output cannot be written */
	WK_EXIT_INTERRUPTED = 130,/* 128 + SIGINT: ended by Ctrl-C; the process really dies by the signal */
	WK_EXIT_TRAP = 134        /* 128 + SIGABRT: the guest trapped, or left an exception uncaught */
};

#endif
