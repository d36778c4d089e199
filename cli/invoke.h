/* SPDX-License-Identifier: Apache-2.0
 * Which function of a module runs, and with what. */
#ifndef WK_CLI_INVOKE_H
#define WK_CLI_INVOKE_H

#include <stdbool.h>

#include <wasmkeep/wasmkeep.h>

/* A call that is ready to be made. */
struct wk_invoke {
	const char *name;              /* NULL: _start, if there is one */
	struct wk_value *arguments, *results;
	uint32_t argument_count, result_count;
};

/* Finds `name`, or _start when it is NULL, and reads the arguments as its type wants them (for _start they are not ours
 * to read). 0, or the exit status after a message about `file`. The caller owns what is in *invoke, for
 * wk_invoke_free. */
int wk_invoke_prepare(const char *file, const struct wk_module *module, const char *name, int count, char **words,
	struct wk_invoke *invoke);
/* The results, one a line, on standard output. */
void wk_invoke_print(const struct wk_invoke *invoke);
void wk_invoke_free(struct wk_invoke *invoke);

#endif
