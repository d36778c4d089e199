/* SPDX-License-Identifier: Apache-2.0
 * What `wasmkeep run` is told, and what its two ways have in common: a keep here (run.c), one in a TEE (run_tee.c). */
#ifndef WK_CLI_RUN_H
#define WK_CLI_RUN_H

#include <time.h>

#include "base/span.h"
#include "image.h"
#include "memory_report.h"
#include "profiler.h"
#include "tee.h"
#include "watch.h"
#include "world.h"

struct wk_run {
	const char *file, *invoke;
	char **words;                  /* behind the module */
	int word_count;
	struct wk_world world;
	uint64_t fuel, timeout, max_memory, stack_size;
	bool has_fuel, json, verbose, eager;
	struct wk_tee tee;
	struct wk_cli_image image;
	enum wk_cli_kind kind;         /* of the file */
	struct wk_memory_report memory;
	struct wk_cli_profiler profiler;
	bool signalled;                /* Ctrl-C ended it */
	struct timespec mark;          /* when the step that -v measures began */
};

/* Milliseconds since the last call. */
double wk_run_lap(struct wk_run *run);
/* The exit status of a guest that ended itself with `code`. */
int wk_run_guest_status(uint32_t code);
/* Says what ended it, if anything but the guest did: `report`, about the module in `bytes`, with what `cause` adds to it.
 * Returns the exit status: `status` if there is nothing to say. */
int wk_run_say_end(struct wk_run *run, struct wk_span bytes, enum wk_watch_cause cause, struct wk_report *report, int status);

/* Runs it in the TEE; the exit status. */
int wk_run_in_tee(struct wk_run *run);

#endif
