/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE 1
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 2.0    /* seconds before it appears */
#define PERIOD 0.1      /* between two pictures of it */
#define BAR 30

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void wk_progress_begin(struct wk_progress *progress, const char *what, size_t whole)
{
	*progress = (struct wk_progress){ .what = what, .whole = whole, .begin = now(), .terminal = isatty(STDERR_FILENO) };
}

void wk_progress_step(struct wk_progress *progress, size_t done)
{
	double time = now();
	int full = progress->whole ? (int)((double)done / (double)progress->whole * BAR) : BAR;

	if (!progress->terminal || time - progress->begin < PATIENCE || time - progress->shown < PERIOD)
		return;
	progress->shown = time;
	fprintf(stderr, "\r%s [%.*s%*s] %3d %%", progress->what, full, "##############################", BAR - full, "",
		full * 100 / BAR);
	fflush(stderr);
}

void wk_progress_end(struct wk_progress *progress)
{
	if (progress->shown != 0)
		fputs("\r\033[K", stderr);
}
