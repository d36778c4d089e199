/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a command line by a table. The same table prints the options' part of a command's help, so that help and
 * behaviour cannot differ.
 */
#ifndef WK_CLI_OPTIONS_H
#define WK_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct wk_option {
	int id;             /* what wk_options_next returns; greater than 0. 0 ends a table. */
	char letter;        /* 0: has none */
	const char *name;   /* without the dashes */
	const char *value;  /* what help calls its value; NULL: it takes none; "[=FORM]": it may have one */
	const char *help;   /* lines, separated by \n */
};

struct wk_options {
	const char *command;            /* for messages */
	const struct wk_option *table;
	int count;                      /* words from `next` on are not read yet */
	char **words;
	int next;
	bool ended;                     /* "--" was seen */
	const char *value;              /* of the option returned last */
};

#define WK_OPTION_END 0     /* the next word is an operand, or there is none: wk_options_operand tells */
#define WK_OPTION_WRONG (-1) /* a message was printed */

/* The next option: --name, --name=value, --name value, -l, -l value, -lvalue. `value` is NULL where it may be left out and is. */
int wk_options_next(struct wk_options *options);
/* Takes the word that wk_options_next stopped at; NULL when there is none. Options may follow. */
const char *wk_options_operand(struct wk_options *options);
/* The options' part of a help text. */
void wk_options_help(FILE *out, const struct wk_option *table);

#endif
