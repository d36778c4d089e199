/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the runner of the core test suite: one script at a time, in a process of its own where the system has fork().
 */
#ifndef WK_TESTS_SPEC_H
#define WK_TESTS_SPEC_H

#include <cjson/cJSON.h>

#include "host/host.h"

/* What is known about one script. It lies in memory shared with the parent, so that a crash loses nothing. */
struct spec_counts {
	uint32_t commands;      /* in the script; 0 until it was read */
	uint32_t passed, failed, skipped;
	uint32_t text_modules;  /* of `skipped`: modules in the text format */
	uint32_t gc_commands;   /* of `skipped`: they need a module that needs garbage-collected types */
	int32_t line;           /* of the command that runs now */
	bool done;
	char gc_feature[64];    /* what the first refused module asked for */
};

struct spec_options {
	const char *directory;
	bool verbose;
};

/* Runs DIRECTORY/NAME.json and fills the counts as it goes; prints each failure. */
void spec_script_run(const struct spec_options *options, const char *name, struct spec_counts *counts);

/* ---- values (spec_values.c) ---- */

/* Writes the value of a JSON object to one slot, or two of a v128. false: the value does not fit the type. */
bool spec_value_read(const cJSON *value, wk_valtype type, uint64_t *slots);
/* Does the result in `slots` meet the expectation (nan classes, "either", references with and without a value)? */
bool spec_value_meets(const cJSON *expected, wk_valtype type, const uint64_t *slots);
/* The value as text, for a failure's line. */
void spec_value_text(wk_valtype type, const uint64_t *slots, char *text, size_t size);

/* ---- the module `spectest` (spec_spectest.c) ---- */

/* Defines everything the suite expects of the host. The print functions print nothing unless `verbose`. */
WK_NODISCARD enum wk_status spec_spectest_define(struct wk_store *store, struct wk_linker *linker,
	bool verbose);

#endif
