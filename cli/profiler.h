/* SPDX-License-Identifier: Apache-2.0
 * run --profile: where the program spent its time, as text or JSON, on standard error or in a file. */
#ifndef WK_CLI_PROFILER_H
#define WK_CLI_PROFILER_H

#include <stdbool.h>

#include <wasmkeep/profiler.h>

enum wk_profiler_form { WK_PROFILER_NONE, WK_PROFILER_TEXT, WK_PROFILER_JSON };

struct wk_cli_profiler {
	enum wk_profiler_form form;
	const char *path;              /* NULL: standard error */
	const struct wk_module *module;
	struct wk_profiler *profiler;
};

/* Reads the option's value: NULL (text), "text", "json", "text:FILE", "json:FILE"; false after a message. */
bool wk_cli_profiler_take(struct wk_cli_profiler *profiler, const char *value);
/* From now on what this thread does in the store is looked at, if a profile was asked for. The module must outlive it. */
WK_NODISCARD enum wk_status wk_cli_profiler_start(struct wk_cli_profiler *profiler, const struct wk_module *module,
	struct wk_store *store, struct wk_report *report);
/* Ends it, before the store. */
void wk_cli_profiler_stop(struct wk_cli_profiler *profiler);
/* Writes it, if there is one; `file` is what ran. false after a message: the file could not be written. */
bool wk_cli_profiler_write(struct wk_cli_profiler *profiler, const char *file);
void wk_cli_profiler_end(struct wk_cli_profiler *profiler);

#endif
