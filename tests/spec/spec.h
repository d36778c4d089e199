/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the runner of the core test suite: one script at a time, in a process of its own where the system has fork().
 * The runner reads scripts and judges; modules are loaded and run by a server (spec_serve.h), which is in the same process
 * or, on a board, in a Trusted Application.
 */
#ifndef WK_TESTS_SPEC_H
#define WK_TESTS_SPEC_H

#include "spec/spec_json.h"
#include "spec/spec_wire.h"

/* What is known about one script. It lies in memory shared with the parent, so that a crash loses nothing. */
struct spec_counts {
	uint32_t commands;      /* in the script; 0 until it was read */
	uint32_t passed, failed, skipped;
	uint32_t text_modules;  /* of `skipped`: modules in the text format */
	uint32_t gc_commands;   /* of `skipped`: they need a module that needs garbage-collected types */
	uint32_t memory_commands; /* of `skipped`: they are excused */
	int32_t line;           /* of the command that runs now */
	bool done;
	char gc_feature[64];    /* what the first refused module asked for */
};

struct spec_options {
	const char *directory;
	unsigned timeout;       /* seconds for a script; 0: none */
	const char *excuses;    /* lines "name.wast:line why": what needs more memory than there is. NULL: nothing */
	bool verbose;
};

/* What becomes of modules that have been loaded (spec_images.c); in memory shared with the parent. */
struct spec_images {
	int level;              /* of optimisation; -1: nothing is compiled here */
	int compare;            /* 1: with addresses compared; 0: by guarded memories; -1: by turns */
	const char *target;     /* as wk_compile_options has it */
	const char *to;         /* images are written to this folder, and modules interpreted; NULL: they run compiled */
	const char *from;       /* modules run as the images in this folder; NULL: there is none */
	uint32_t modules;       /* so far, that ran compiled or were written; */
	uint32_t functions, compiled; /* functions that they define, and those of them that are compiled */
};
extern struct spec_images *spec_images;

/* Does it with a module that was loaded, in whose place another one may be then. */
enum wk_status spec_images_use(struct wk_module **module, struct wk_report *report);

/* The most addresses that are set aside at once, in bytes; 0: as many as are asked for. An emulator of a process keeps books
 * on all of them (spec_local.c). */
extern size_t spec_addresses;

/* Runs DIRECTORY/NAME.json and fills the counts as it goes; prints each failure. */
void spec_script_run(const struct spec_options *options, const char *name, struct spec_counts *counts);

/* ---- values (spec_values.c) ---- */

/* The value of a JSON object; of kind 0 if it is none. */
void spec_value_read(const struct spec_json *json, struct spec_value *value);
/* Does the result meet the expectation (nan classes, "either", references with and without a value)? */
bool spec_value_meets(const struct spec_json *expected, const struct spec_value *result);
/* A result and an expectation as texts, for a failure's line. */
void spec_value_text(const struct spec_value *value, char *text, size_t size);
void spec_expected_text(const struct spec_json *expected, char *text, size_t size);

/* ---- the way to the server (spec_local.c; tests/board/spec/client.c) ---- */

struct spec_way;

/* Opens it, for one script; NULL: it said why. After `timeout` seconds, 0: never, what runs is to be stopped. */
struct spec_way *spec_way_open(unsigned timeout);
/* Where requests are to be written: SPEC_REQUEST_MAX bytes. */
uint8_t *spec_way_request(struct spec_way *way);
/* Sends the first bytes of it, and returns the answer, which is good until the next call. NULL: the server is gone, *why
 * is a text. */
const uint8_t *spec_way_ask(struct spec_way *way, size_t size, size_t *reply_size, const char **why);
/* NULL is allowed. */
void spec_way_close(struct spec_way *way);

#endif
