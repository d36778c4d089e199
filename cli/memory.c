/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep memory: how much memory a module gets in a TEE, what stands in its way, and what to change.
 *
 *	plan     of a module, without running it
 *	probe    measures this machine's TEE: memory_probe.c
 *	profile  lists or shows the profiles that come with Wasmkeep
 */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit_status.h"
#include "file.h"
#include "json.h"
#include "memory.h"
#include "message.h"
#include "tee.h"
#include "text.h"

const struct wk_option wk_memory_options[] = {
	{ WK_MEMORY_OPTION_TEE, 0, "tee", "PROFILE", "the TEE: optee-qemu-armv8a, linux, or a file; this\n"
		"machine unless told. Of probe: optee, its only one" },
	{ WK_MEMORY_OPTION_DATA, 0, "ta-data-size", "SIZE", WK_TEE_HELP_DATA },
	{ WK_MEMORY_OPTION_STACK_SIZE, 0, "ta-stack-size", "SIZE", WK_TEE_HELP_STACK },
	{ WK_MEMORY_OPTION_RAM, 0, "tee-ram", "SIZE", WK_TEE_HELP_RAM },
	{ WK_MEMORY_OPTION_STACK, 0, "stack-size", "SIZE", "the program's call stack, as for run" },
	{ WK_MEMORY_OPTION_MAX, 0, "max-memory", "SIZE", "all its linear memories together, as for run" },
	{ WK_MEMORY_OPTION_OUTPUT, 'o', "output", "FILE", "probe writes a profile, too; - is standard output" },
	{ WK_MEMORY_OPTION_JSON, 0, "json", NULL, "for programs" },
	{ WK_MEMORY_OPTION_HELP, 'h', "help", NULL, "this help" },
	{ 0, 0, NULL, NULL, NULL }
};

struct plan_command {
	struct wk_tee tee;
	uint64_t stack_size, max_memory;
	bool json;
};

/* ---- words ---- */

static void put_row(const char *name, uint64_t bytes, const char *remark)
{
	if (bytes == WK_PLAN_NONE)
		printf("  %-38s %14s  %s\n", name, "-", remark);
	else
		printf("  %-38s %14" PRIu64 "  %s\n", name, bytes, remark);
}

static void put_module(const struct wk_plan *plan)
{
	puts("what the module says, in bytes");
	if (!plan->has_memory) {
		puts("  it has no memory");
		return;
	}
	put_row(plan->imports_memory ? "memory it imports, at first" : "memory at first", plan->minimum, "");
	put_row("memory at most", plan->maximum, plan->maximum == WK_PLAN_NONE ? "no maximum declared" :
		"its own maximum (-Wl,--max-memory)");
	put_row("end of its data", plan->data_end, "");
	if (plan->stack_top != WK_PLAN_NONE)
		put_row("its own stack begins at", plan->stack_top, plan->data_end != WK_PLAN_NONE && plan->stack_top > plan->data_end ?
			"and grows down to the data" : "and grows down to 0");
	if (plan->heap_base != WK_PLAN_NONE)
		put_row("its heap begins at", plan->heap_base, "__heap_base");
}

static void put_needs(const struct wk_plan *plan)
{
	puts("what is taken when it starts");
	if (plan->fixed)
		put_row("the Trusted Application itself", plan->fixed, "code, data, stack, loader");
	put_row("module bytes", plan->module_bytes, "");
	put_row("structures of module and instance", plan->structures, "");
	if (plan->wasi)
		put_row("WASI", plan->wasi, "");
	put_row("call stack", plan->stack, "grows when needed");
	put_row("tables", plan->tables, "");
	put_row("linear memories", plan->linear, "");
	put_row("together", plan->start, "what the heap has in reserve included");
	puts("what code takes");
	put_row("interpreter, every function used", plan->code, "less, if the program uses less");
	put_row("native image, about", plan->image, "estimated");
}

static void put_rest(const struct wk_plan *plan, const struct wk_profile *profile)
{
	char text[512];

	puts("what is left");
	if (plan->has_memory) {
		put_row("its memory can grow to", plan->grown, "with the code of every function");
		if (profile->hole_count)
			put_row("everything taken then", plan->grown_total, "");
	}
	if (plan->refusal.limit != WK_LIMIT_NONE) {
		wk_refusal_text(&plan->refusal, text, sizeof text);
		printf("  then: %s.\n", text);
		wk_refusal_advice(&plan->refusal, profile, text, sizeof text);
		printf("  %s\n", text);
	}
	if (profile->hole_count == 0)
		return;
	puts("to be chosen");
	put_row("TA_DATA_SIZE", plan->ta_data_size, "");
	put_row("TA_STACK_SIZE", plan->ta_stack_size, "");
	if (plan->max_memory != WK_PLAN_NONE)
		printf("  %-38s %14" PRIu64 "  at most\n", "-Wl,--max-memory=", plan->max_memory);
}

static void put_misfit(const char *file, const struct wk_plan *plan, const struct wk_tee *tee)
{
	char text[512];

	printf("%s cannot run in %s.\n", file, tee->name ? tee->profile.name : "this machine");
	wk_refusal_text(&plan->refusal, text, sizeof text);
	printf("%s.\n", text);
	wk_refusal_advice(&plan->refusal, &tee->profile, text, sizeof text);
	printf("%s\n", text);
}

/* ---- JSON ---- */

static void put_figure(struct wk_json *json, const char *key, uint64_t value)
{
	if (value == WK_PLAN_NONE)
		wk_json_null(json, key);
	else
		wk_json_number(json, key, value);
}

static void put_json(const char *file, const struct wk_plan *plan, const struct wk_tee *tee)
{
	struct wk_json json;
	char text[512];

	wk_json_start(&json, stdout, false);
	wk_json_open(&json, NULL, '{');
	wk_json_text(&json, "file", file);
	wk_json_text(&json, "tee", tee->name ? tee->profile.name : "none");
	wk_json_bool(&json, "fits", plan->fits);
	wk_json_bool(&json, "has_memory", plan->has_memory);
	put_figure(&json, "minimum", plan->minimum);
	put_figure(&json, "maximum", plan->maximum);
	put_figure(&json, "data_end", plan->data_end);
	put_figure(&json, "stack_top", plan->stack_top);
	put_figure(&json, "heap_base", plan->heap_base);
	put_figure(&json, "fixed", plan->fixed);
	put_figure(&json, "module_bytes", plan->module_bytes);
	put_figure(&json, "structures", plan->structures);
	put_figure(&json, "wasi", plan->wasi);
	put_figure(&json, "stack", plan->stack);
	put_figure(&json, "tables", plan->tables);
	put_figure(&json, "linear", plan->linear);
	put_figure(&json, "start", plan->start);
	put_figure(&json, "peak", plan->peak);
	put_figure(&json, "code", plan->code);
	put_figure(&json, "image_estimate", plan->image);
	put_figure(&json, "with_code", plan->with_code);
	put_figure(&json, "grown", plan->grown);
	put_figure(&json, "grown_total", plan->grown_total);
	if (plan->refusal.limit != WK_LIMIT_NONE) {
		wk_json_open(&json, "refusal", '{');
		wk_json_text(&json, "limit", wk_limit_name(plan->refusal.limit));
		wk_json_number(&json, "asked", plan->refusal.asked);
		wk_json_number(&json, "used", plan->refusal.used);
		wk_json_number(&json, "value", plan->refusal.value);
		wk_refusal_text(&plan->refusal, text, sizeof text);
		wk_json_text(&json, "text", text);
		wk_refusal_advice(&plan->refusal, &tee->profile, text, sizeof text);
		wk_json_text(&json, "advice", text);
		wk_json_close(&json, '}');
	}
	put_figure(&json, "ta_data_size", plan->ta_data_size);
	put_figure(&json, "ta_stack_size", plan->ta_stack_size);
	put_figure(&json, "max_memory", plan->max_memory);
	wk_json_close(&json, '}');
	wk_json_end(&json);
}

/* ---- plan ---- */

static int show(const char *file, const struct wk_plan *plan, const struct plan_command *command)
{
	if (command->json) {
		put_json(file, plan, &command->tee);
	} else if (!plan->fits) {
		put_misfit(file, plan, &command->tee);
	} else {
		printf("%s in %s\n", file, command->tee.name ? command->tee.profile.name : "this machine");
		put_module(plan);
		put_needs(plan);
		put_rest(plan, &command->tee.profile);
	}
	return wk_command_finish(plan->fits ? WK_EXIT_SUCCESS : WK_EXIT_NO_MEMORY);
}

static int plan_file(const char *file, struct plan_command *command)
{
	struct wk_plan_options plan_options = { .profile = &command->tee.profile, .stack_size = command->stack_size,
		.memory_limit = command->max_memory };
	struct wk_keep *keep = NULL;
	struct wk_span bytes = { NULL, 0 };
	struct wk_report report;
	struct wk_plan plan;
	int status;

	wk_report_clear(&report);
	report.status = wk_keep_new(NULL, &keep);
	if (report.status == WK_OK)
		report.status = wk_file_read(file, keep, &report, &bytes);
	if (report.status == WK_OK)
		report.status = wk_memory_plan(bytes.data, bytes.size, &plan_options, &report, &plan);
	status = report.status == WK_OK ? show(file, &plan, command) : wk_message_exit_status(&report);
	if (report.status != WK_OK)
		wk_message_report(file, &report, NULL);
	wk_file_free(keep, &bytes);
	wk_keep_delete(keep);
	return status;
}

static bool take_option(struct plan_command *command, int id, const char *value)
{
	uint64_t *size = id == WK_MEMORY_OPTION_STACK ? &command->stack_size : &command->max_memory;

	switch (id) {
	case WK_MEMORY_OPTION_TEE:
	case WK_MEMORY_OPTION_DATA:
	case WK_MEMORY_OPTION_STACK_SIZE:
	case WK_MEMORY_OPTION_RAM:
		return wk_tee_take(&command->tee, (enum wk_tee_option)(id - WK_MEMORY_OPTION_TEE), value, true);
	case WK_MEMORY_OPTION_OUTPUT:
		wk_message("memory plan writes no profile: memory probe does");
		return false;
	case WK_MEMORY_OPTION_STACK:
	case WK_MEMORY_OPTION_MAX:
		if (wk_text_size(value, size) && *size)
			return true;
		wk_message("%s: it is a number of bytes greater than 0, such as 65536, 64K, 16M or 1G", value);
		return false;
	default:
		command->json = true;
		return true;
	}
}

static int run_plan(int count, char **words)
{
	struct plan_command command = { 0 };
	struct wk_options reader = { .command = "memory", .table = wk_memory_options, .count = count, .words = words };
	const char *file = NULL;
	int id, status;

	while ((id = wk_options_next(&reader)) != WK_OPTION_END || (!file && (file = wk_options_operand(&reader)))) {
		if (id == WK_OPTION_END)
			continue;
		if (id == WK_MEMORY_OPTION_HELP)
			return wk_command_help(&wk_command_memory);
		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (!take_option(&command, id, reader.value)) {
			wk_message_see_help("memory");
			return WK_EXIT_USAGE;
		}
	}
	if (!file || wk_options_operand(&reader)) {
		wk_message(file ? "memory plan takes one module" : "memory plan needs a module");
		wk_message_see_help("memory");
		return WK_EXIT_USAGE;
	}
	status = wk_tee_open(&command.tee, false);
	if (status == WK_EXIT_SUCCESS)
		status = plan_file(file, &command);
	wk_tee_close(&command.tee);
	return status;
}

/* ---- profile ---- */

static int run_profile(int count, char **words)
{
	const char *text;

	if (count == 0) {
		for (unsigned i = 0; wk_profile_builtin_name(i); i++)
			puts(wk_profile_builtin_name(i));
		return wk_command_finish(WK_EXIT_SUCCESS);
	}
	text = wk_profile_builtin(words[0]);
	if (count > 1 || !text) {
		wk_message(count > 1 ? "memory profile shows one profile" : "profile %s: there is none of this name", words[0]);
		wk_message_see_help("memory");
		return WK_EXIT_USAGE;
	}
	fputs(text, stdout);
	return wk_command_finish(WK_EXIT_SUCCESS);
}

static int run(int count, char **words)
{
	if (count > 0 && strcmp(words[0], "plan") == 0)
		return run_plan(count - 1, words + 1);
	if (count > 0 && strcmp(words[0], "probe") == 0)
		return wk_memory_probe(count - 1, words + 1);
	if (count > 0 && strcmp(words[0], "profile") == 0)
		return run_profile(count - 1, words + 1);
	if (count > 0 && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0))
		return wk_command_help(&wk_command_memory);
	if (count > 0)
		wk_message("memory %s: it is plan, probe or profile", words[0]);
	else
		wk_message("memory needs to know what: plan, probe or profile");
	wk_message_see_help("memory");
	return WK_EXIT_USAGE;
}

const struct wk_command wk_command_memory = {
	.name = "memory",
	.summary = "says how much memory a module gets in a TEE, and why not more",
	.usage = "memory plan [OPTIONS] MODULE\n       wasmkeep memory probe [--tee optee] [--json] [-o FILE]\n"
		"       wasmkeep memory profile [NAME]",
	.about = "plan says, without running the program in the file MODULE, what it needs of memory, what is left for it to\n"
		"grow into, which limit it will meet first, and what to choose. probe measures what the TEE of this machine gives,\n"
		"and says which option of OP-TEE sets each figure. profile lists the TEEs that Wasmkeep knows, or shows the figures\n"
		"of one. Profiles, measured or changed, can be given to --tee as a file.\n",
	.options = wk_memory_options,
	.more = "Examples:\n"
		"  wasmkeep memory plan --tee optee-qemu-armv8a app.wasm\n"
		"  wasmkeep memory plan --tee optee-qemu-armv8a --ta-data-size 12M app.wasm    what if?\n"
		"  wasmkeep memory profile optee-qemu-armv8a > mine.profile\n"
		"  wasmkeep memory probe --tee optee -o mine.profile                           on the device\n"
		"  wasmkeep run --tee sim:mine.profile --memory-report=html:memory.html app.wasm\n"
		"\n"
		"The plan is a rehearsal: the module is loaded and instantiated in a keep with the TEE's limits, every function is\n"
		"translated, and the memory grown to the end. A run takes the same, but for what the program does itself: less\n"
		"code, more call stack, files it opens.\n"
		"\n"
		"While probe measures it has all memory of the TEE, for a second or a few: other Trusted Applications may be refused\n"
		"some. FILE is replaced as a whole, or left as it is.\n"
		"\n"
		"Exit status: 0 when the module can run, 71 when it does not fit, 64 to 66 as for run.\n",
	.run = run,
};
