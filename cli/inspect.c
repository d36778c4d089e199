/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep inspect: what a module asks for, offers and holds. It shows valid modules only, so that every index in what
 * it reads is one that was checked; of others it says what `validate` says.
 */
#include "inspect.h"

#include <string.h>

#include <wasmkeep/wasmkeep.h>

#include "base/report.h"
#include "command.h"
#include "exit_status.h"
#include "file.h"
#include "image.h"
#include "message.h"
#include "names.h"

enum option { OPTION_JSON = 1, OPTION_HELP };

static const struct wk_option options[] = {
	{ OPTION_JSON, 0, "json", NULL, "as JSON; its members are explained in wasmkeep(1)" },
	{ OPTION_HELP, 'h', "help", NULL, "this help" },
	{ 0, 0, NULL, NULL, NULL }
};

const char *wk_inspect_section_name(uint8_t id)
{
	static const char *const names[] = { "custom", "type", "import", "function", "table", "memory", "global", "export",
		"start", "element", "code", "data", "datacount", "tag" };

	return id < WK_COUNT(names) ? names[id] : "unknown";
}

/* An image has a module inside, and says at its end where. */
static enum wk_status open_image(struct wk_span file, struct wk_report *report, struct wk_image_seal *seal,
	struct wk_span *module)
{
	char target[sizeof seal->target + 1] = "";
	enum wk_status status;

	if (file.size < sizeof *seal) /* it has become shorter */
		return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is cut off");
	memcpy(seal, file.data + file.size - sizeof *seal, sizeof *seal);
	memcpy(target, seal->target, sizeof seal->target); /* any will do: it is not run */
	status = wk_image_check(file, target, report, seal);
	if (status == WK_OK)
		*module = wk_span(file.data + seal->module_offset, (size_t)seal->module_size);
	return status;
}

static int show(const char *file, const struct wk_module *module, const struct wk_image_seal *seal, bool json)
{
	struct wk_inspect inspect = { .file = file, .module = module, .seal = seal };

	if (!wk_types_init(&inspect.types, module)) {
		wk_message("out of memory");
		return WK_EXIT_NO_MEMORY;
	}
	for (uint32_t i = module->imported_funcs; i < module->func_count; i++)
		inspect.code_bytes += module->funcs[i].size;
	for (uint32_t i = 0; i < module->data_count; i++)
		inspect.data_bytes += module->datas[i].bytes.size;
	if (json)
		wk_inspect_print_json(&inspect);
	else
		wk_inspect_print_text(&inspect);
	wk_types_free(&inspect.types);
	return wk_command_finish(WK_EXIT_SUCCESS);
}

static int inspect_file(const char *file, bool json)
{
	struct wk_report report;
	struct wk_span bytes = { NULL, 0 }, inside;
	struct wk_image_seal seal, *sealed = NULL;
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	char name[WK_NAMES_SIZE];
	int status;

	wk_report_clear(&report);
	report.status = wk_keep_new(NULL, &keep);
	if (wk_cli_image_kind(file) == WK_KIND_IMAGE)
		sealed = &seal;
	if (report.status == WK_OK)
		report.status = sealed ? wk_file_read_image(file, keep, &report, &bytes) : wk_file_read(file, keep, &report, &bytes);
	inside = bytes;
	if (report.status == WK_OK && sealed) {
		report.status = open_image(bytes, &report, &seal, &inside);
	}
	if (report.status == WK_OK)
		report.status = wk_module_load(keep, inside.data, inside.size, WK_LOAD_BORROW, &report, &module);
	status = wk_message_exit_status(&report);
	if (report.status == WK_OK) {
		status = show(file, module, sealed, json);
		wk_module_release(module);
	} else {
		wk_names_find(bytes, report.function, name);
		wk_message_report(file, &report, name);
	}
	wk_file_free(keep, &bytes);
	wk_keep_delete(keep);
	return status;
}

static int run(int count, char **words)
{
	struct wk_options reader = { .command = "inspect", .table = options, .count = count, .words = words };
	const char *file = NULL;
	bool json = false;

	for (;;) {
		int id = wk_options_next(&reader);
		const char *word = id == WK_OPTION_END ? wk_options_operand(&reader) : NULL;

		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (id == OPTION_HELP)
			return wk_command_help(&wk_command_inspect);
		if (id == OPTION_JSON)
			json = true;
		if (id == WK_OPTION_END && !word)
			break;
		if (word && file) {
			wk_message("inspect looks at one file at a time");
			wk_message_see_help("inspect");
			return WK_EXIT_USAGE;
		}
		if (word)
			file = word;
	}
	if (!file) {
		wk_message("inspect needs a file");
		wk_message_see_help("inspect");
		return WK_EXIT_USAGE;
	}
	return inspect_file(file, json);
}

const struct wk_command wk_command_inspect = {
	.name = "inspect",
	.summary = "shows what a module imports, exports and holds",
	.usage = "inspect FILE [--json]",
	.about = "Shows the sections of a valid module with their offsets and sizes, its types, imports, exports, memories,\n"
		"tables, globals and tags (- is standard input). Of an image that `wasmkeep compile` has made for Linux it shows\n"
		"what was compiled, and the module inside. Nothing is executed. Characters in names that a terminal\n"
		"could obey are shown as \\u{1b}, bytes that are not UTF-8 as \\xff.\n",
	.options = options,
	.more = "Examples:\n"
		"  wasmkeep inspect app.wasm\n"
		"  wasmkeep inspect app.wasm --json | jq -r '.imports[] | .module + \".\" + .name'\n"
		"\n"
		"Exit status: 0; 64 for a wrong command line; 65, 66, 68 and 71 as for `wasmkeep validate`; 74 when\n"
		"standard output cannot be written.\n",
	.run = run,
};
