/* SPDX-License-Identifier: Apache-2.0
 *
 * --memory-report: what a run took of memory, as text, JSON or a picture. It watches the keep while the program runs.
 */
#ifndef WK_CLI_MEMORY_REPORT_H
#define WK_CLI_MEMORY_REPORT_H

#include <stdio.h>

#include <wasmkeep/client.h>

#include "tee.h"

enum wk_memory_form { WK_MEMORY_NO_REPORT, WK_MEMORY_TEXT, WK_MEMORY_JSON, WK_MEMORY_SVG, WK_MEMORY_HTML };

/* One moment: bytes in use by each node of the tree, and mappings. */
struct wk_memory_sample {
	double seconds;
	uint64_t used[WK_MEMORY_NODES];
	uint64_t mappings;
};
#define WK_MEMORY_SAMPLES 2048

struct wk_memory_report {
	enum wk_memory_form form;
	const char *file;              /* NULL: standard error */
	const char *module;            /* what runs */
	const struct wk_tee *tee;
	struct wk_keep *keep;          /* NULL: there is none here, only an account */
	struct wk_account account;     /* at the end */
	double begin;
	struct wk_memory_sample *samples; /* NULL unless a picture is wanted */
	uint32_t sample_count, stride, skipped; /* every stride-th event is kept */
	uint64_t mappings;
	struct wk_stretch *ram;        /* the simulated RAM at the end; NULL: none */
	uint32_t ram_count;
};

/* Reads the option's value: NULL (text), "json", "svg:FILE", "html:FILE", "json:FILE"; false after a message. */
bool wk_memory_report_form(struct wk_memory_report *report, const char *value);
/* To be called before the keep is made: sets what of the configuration watches. false: out of memory. */
bool wk_memory_report_begin(struct wk_memory_report *report, struct wk_keep_config *config);
/* When the keep is there. */
void wk_memory_report_watch(struct wk_memory_report *report, struct wk_keep *keep);
/* While everything is still there: writes the report; `account`: of a keep elsewhere, borrowed until the end, or NULL. false after a message: the
 * file could not be written. */
bool wk_memory_report_write(struct wk_memory_report *report, const struct wk_account *account);
void wk_memory_report_end(struct wk_memory_report *report);

/* The picture (memory_picture.c). */
void wk_memory_picture(FILE *out, const struct wk_memory_report *report);

/* What a keep here holds now. */
void wk_memory_take_account(struct wk_keep *keep, struct wk_account *account);
/* What was refused, and what would help: one message, if anything was. */
void wk_memory_say_refusal(const char *module, const struct wk_account *account, const struct wk_tee *tee);

#endif
