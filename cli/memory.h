/* SPDX-License-Identifier: Apache-2.0
 * What the parts of `wasmkeep memory` share: one table of options, of which each takes its own. */
#ifndef WK_CLI_MEMORY_H
#define WK_CLI_MEMORY_H

#include "options.h"

enum wk_memory_option { WK_MEMORY_OPTION_TEE = 1, WK_MEMORY_OPTION_DATA, WK_MEMORY_OPTION_STACK_SIZE,
	WK_MEMORY_OPTION_RAM, WK_MEMORY_OPTION_STACK, WK_MEMORY_OPTION_MAX, WK_MEMORY_OPTION_OUTPUT, WK_MEMORY_OPTION_JSON,
	WK_MEMORY_OPTION_HELP };

extern const struct wk_option wk_memory_options[];

/* `wasmkeep memory probe` with the words behind it; returns the exit status. */
int wk_memory_probe(int count, char **words);

#endif
