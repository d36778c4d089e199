/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool says on standard error, and the exit status that goes with it. Everything starts with "wasmkeep: ".
 */
#ifndef WK_CLI_MESSAGE_H
#define WK_CLI_MESSAGE_H

#include <wasmkeep/status.h>

/* "wasmkeep: " and one line. The text is made safe for a terminal as a whole, so that file names and words from the
 * command line may be put in as they are. */
void wk_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The line that follows a usage error. `command` may be NULL. */
void wk_message_see_help(const char *command);

/* The value of --report, "text" or "json"; false after a message when it is neither. */
bool wk_message_form(const char *word, bool *json);

/* "wasmkeep: FILE: what (at byte 0x12, function 3 "name")", and the backtrace of a trap. `name` is the function's, may
 * be NULL. */
void wk_message_report(const char *file, const struct wk_report *report, const char *name);
/* The same as one line of JSON. */
void wk_message_report_json(const char *file, const struct wk_report *report, const char *name, int exit_status);

/* The documented exit status of a fault. */
int wk_message_exit_status(const struct wk_report *report);

#endif
