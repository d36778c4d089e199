/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep validate: is this a module that could run? Everything is checked, nothing is executed. Each file has a keep
 * of its own, so that one file's fate never depends on another.
 */
#include <string.h>

#include <wasmkeep/wasmkeep.h>

#include "command.h"
#include "exit_status.h"
#include "file.h"
#include "message.h"
#include "names.h"
#include "text.h"

enum option { OPTION_QUIET = 1, OPTION_REPORT, OPTION_HELP };

static const struct wk_option options[] = {
	{ OPTION_QUIET, 'q', "quiet", NULL, "say nothing about valid files" },
	{ OPTION_REPORT, 0, "report", "FORM", "errors as text (the default) or json, one object a line" },
	{ OPTION_HELP, 'h', "help", NULL, "this help" },
	{ 0, 0, NULL, NULL, NULL }
};

static int validate(const char *file, bool quiet, bool json)
{
	struct wk_report report;
	struct wk_span bytes = { NULL, 0 };
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	char name[WK_NAMES_SIZE] = "";
	int status;

	wk_report_clear(&report);
	report.status = wk_keep_new(NULL, &keep);
	if (report.status == WK_OK)
		report.status = wk_file_read(file, keep, &report, &bytes);
	if (report.status == WK_OK)
		report.status = wk_module_load(keep, bytes.data, bytes.size, WK_LOAD_BORROW, &report, &module);
	status = wk_message_exit_status(&report);
	if (report.status == WK_OK && !quiet) {
		wk_text_put(stdout, wk_span_of_text(file), false, 0);
		puts(": valid");
	} else if (report.status != WK_OK) {
		wk_names_find(bytes, report.function, name);
		fflush(stdout);
		if (json)
			wk_message_report_json(file, &report, name, status);
		else
			wk_message_report(file, &report, name);
	}
	if (module)
		wk_module_release(module);
	wk_file_free(keep, &bytes);
	wk_keep_delete(keep);
	return status;
}

static int run(int count, char **words)
{
	struct wk_options reader = { .command = "validate", .table = options, .count = count, .words = words };
	bool quiet = false, json = false;
	int files = 0, worst = WK_EXIT_SUCCESS;

	/* Options hold for all files, wherever they stand: the files are moved to the front meanwhile. */
	for (;;) {
		int id = wk_options_next(&reader);
		const char *file = id == WK_OPTION_END ? wk_options_operand(&reader) : NULL;

		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (id == WK_OPTION_END && !file)
			break;
		if (file)
			words[files++] = (char *)file;
		else if (id == OPTION_HELP)
			return wk_command_help(&wk_command_validate);
		else if (id == OPTION_QUIET)
			quiet = true;
		else if (!wk_message_form(reader.value, &json))
			return WK_EXIT_USAGE;
	}
	if (files == 0) {
		wk_message("validate needs a file");
		wk_message_see_help("validate");
		return WK_EXIT_USAGE;
	}
	for (int i = 0; i < files; i++) {
		int status = validate(words[i], quiet, json);

		if (status > worst)
			worst = status;
	}
	return wk_command_finish(worst);
}

const struct wk_command wk_command_validate = {
	.name = "validate",
	.summary = "checks modules without running them",
	.usage = "validate [OPTIONS] FILE...",
	.about = "Decodes and validates each file (- is standard input) and prints one line for it: `FILE: valid` on\n"
		"standard output, or on standard error what is wrong, at which byte and in which function.\n",
	.options = options,
	.more = "Examples:\n"
		"  wasmkeep validate app.wasm\n"
		"  find . -name '*.wasm' -exec wasmkeep validate -q {} +\n"
		"\n"
		"Exit status: 0 when all files are valid, else the largest of\n"
		"  64  the command line is wrong\n"
		"  65  malformed, invalid, not a module at all, or it needs a feature that Wasmkeep does not have\n"
		"  66  a file cannot be read\n"
		"  68  a module is beyond a limit of the implementation\n"
		"  71  out of memory\n"
		"  74  standard output cannot be written\n",
	.run = run,
};
