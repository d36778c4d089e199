/* SPDX-License-Identifier: Apache-2.0
 * A progress bar on standard error, for work that turns out to take more than two seconds, and only on a terminal. */
#ifndef WK_CLI_PROGRESS_H
#define WK_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct wk_progress {
	const char *what;
	size_t whole;
	double begin, shown;   /* seconds; 0: never shown */
	bool terminal;
};

void wk_progress_begin(struct wk_progress *progress, const char *what, size_t whole);
/* `done` of the whole is done. */
void wk_progress_step(struct wk_progress *progress, size_t done);
/* Removes it. */
void wk_progress_end(struct wk_progress *progress);

#endif
