/* SPDX-License-Identifier: Apache-2.0
 * The commands of the tool. Each lives in a file of its own together with its help. */
#ifndef WK_CLI_COMMAND_H
#define WK_CLI_COMMAND_H

#include <stdio.h>

#include "options.h"

struct wk_command {
	const char *name;
	const char *summary;              /* one line, for the list of commands */
	const char *usage;                /* behind "wasmkeep " */
	const char *about;                /* what it does; ends with a new line */
	const struct wk_option *options;
	const char *more;                 /* examples and what else there is to know; may be NULL */
	int (*run)(int count, char **words); /* the words behind the command's name; returns the exit status */
};

extern const struct wk_command wk_command_run, wk_command_validate, wk_command_inspect, wk_command_memory,
	wk_command_compile;

/* Prints a command's help; returns the exit status. */
int wk_command_help(const struct wk_command *command);
/* Flushes standard output; WK_EXIT_WRITE after a message if not all of it could be written, else `status`. */
int wk_command_finish(int status);

#endif
