/* SPDX-License-Identifier: Apache-2.0
 *
 * The report of run --profile. The library counts (wasmkeep/profiler.h), here are the names. Functions with less than LEAST
 * of the time are one line of the text; JSON has all.
 */
#define _GNU_SOURCE 1
#include "profiler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/module.h"
#include "json.h"
#include "message.h"
#include "text.h"

#define LEAST 1000 /* a line is for a thousandth of the time, or more */

static const char *const kinds[] = { "compiled", "interpreted", "host", "engine", "other" };

bool wk_cli_profiler_take(struct wk_cli_profiler *profiler, const char *value)
{
	static const struct { const char *name; enum wk_profiler_form form; } forms[] = {
		{ "text", WK_PROFILER_TEXT }, { "json", WK_PROFILER_JSON } };

	for (size_t i = 0; i < WK_COUNT(forms); i++) {
		size_t length = strlen(forms[i].name);

		if (value && strncmp(value, forms[i].name, length) != 0)
			continue;
		profiler->form = forms[i].form;
		profiler->path = value && value[length] == ':' && value[length + 1] ? value + length + 1 : NULL;
		if (!value || !value[length] || profiler->path)
			return true;
	}
	wk_message("--profile=%s: it is text, json, text:FILE or json:FILE", value);
	return false;
}

enum wk_status wk_cli_profiler_start(struct wk_cli_profiler *profiler, const struct wk_module *module,
	struct wk_store *store, struct wk_report *report)
{
	enum wk_status status;

	if (profiler->form == WK_PROFILER_NONE)
		return WK_OK;
	profiler->module = module;
	status = wk_profiler_new(module, &profiler->profiler, report);
	return status == WK_OK ? wk_profiler_start(profiler->profiler, store, report) : status;
}

void wk_cli_profiler_stop(struct wk_cli_profiler *profiler)
{
	wk_profiler_stop(profiler->profiler);
}

void wk_cli_profiler_end(struct wk_cli_profiler *profiler)
{
	wk_profiler_delete(profiler->profiler);
	profiler->profiler = NULL;
}

/* ---- writing ---- */

struct lines {
	struct wk_profiler_line *lines;
	size_t count;
	uint64_t nanoseconds, samples;
};

static bool take_lines(const struct wk_profiler *profiler, struct lines *all)
{
	all->count = wk_profiler_lines(profiler, NULL, 0);
	all->lines = calloc(all->count + 1, sizeof *all->lines);
	if (!all->lines)
		return false;
	(void)wk_profiler_lines(profiler, all->lines, all->count);
	for (size_t i = 0; i < all->count; i++) {
		all->nanoseconds += all->lines[i].nanoseconds;
		all->samples += all->lines[i].samples;
	}
	return true;
}

static const struct wk_import *import_of(const struct wk_module *module, uint32_t function)
{
	for (uint32_t i = 0; function < module->imported_funcs && i < module->import_count; i++)
		if (module->imports[i].kind == WK_EXTERN_FUNC && module->imports[i].index == function)
			return &module->imports[i];
	return NULL;
}

static void put_name(FILE *out, const struct wk_module *module, const struct wk_profiler_line *line)
{
	const struct wk_import *import = line->kind == WK_PROFILER_HOST ? import_of(module, line->function) : NULL;
	struct wk_span name = line->function == WK_NO_FUNCTION ? wk_span(NULL, 0) :
		wk_module_function_name(module, line->function);

	if (import) {
		wk_text_put(out, import->module, false, 0);
		fputc('.', out);
		name = import->name;
	}
	if (line->kind == WK_PROFILER_ENGINE)
		fputs("(wasmkeep itself)", out);
	else if (line->kind == WK_PROFILER_OTHER)
		fputs("(other modules)", out);
	else
		wk_text_put(out, name, false, 0);
	fputc('\n', out);
}

static void put_time(FILE *out, const struct lines *all, uint64_t nanoseconds)
{
	double whole = all->nanoseconds ? (double)all->nanoseconds : 1;

	fprintf(out, "%6.2f %% %9.3f s", (double)nanoseconds / whole * 100, (double)nanoseconds / 1e9);
}

static void write_text(FILE *out, const struct wk_cli_profiler *profiler, const struct lines *all)
{
	uint64_t rest = 0;
	size_t rest_count = 0;

	fprintf(out, "profile: %.3f s of processor time in %" PRIu64 " samples\n", (double)all->nanoseconds / 1e9, all->samples);
	if (all->count == 0)
		return;
	fprintf(out, "%8s %11s  %-11s %8s  %s\n", "share", "time", "how", "function", "name");
	for (size_t i = 0; i < all->count; i++) {
		const struct wk_profiler_line *line = &all->lines[i];

		if (line->nanoseconds < all->nanoseconds / LEAST) {
			rest += line->nanoseconds;
			rest_count++;
			continue;
		}
		put_time(out, all, line->nanoseconds);
		fprintf(out, "  %-11s ", kinds[line->kind]);
		if (line->function == WK_NO_FUNCTION)
			fprintf(out, "%8s  ", "-");
		else
			fprintf(out, "%8" PRIu32 "  ", line->function);
		put_name(out, profiler->module, line);
	}
	if (rest_count == 0)
		return;
	put_time(out, all, rest);
	fprintf(out, "  in %zu more\n", rest_count);
}

static void write_json(FILE *out, const struct wk_cli_profiler *profiler, const struct lines *all, const char *file)
{
	struct wk_json json;

	wk_json_start(&json, out, true);
	wk_json_open(&json, NULL, '{');
	wk_json_text(&json, "file", file);
	wk_json_number(&json, "nanoseconds", all->nanoseconds);
	wk_json_number(&json, "samples", all->samples);
	wk_json_open(&json, "functions", '[');
	for (size_t i = 0; i < all->count; i++) {
		const struct wk_profiler_line *line = &all->lines[i];
		const struct wk_import *import = line->kind == WK_PROFILER_HOST ? import_of(profiler->module, line->function) : NULL;

		wk_json_open(&json, NULL, '{');
		wk_json_text(&json, "kind", kinds[line->kind]);
		if (line->function != WK_NO_FUNCTION) {
			wk_json_number(&json, "function", line->function);
			if (import)
				wk_json_span(&json, "module", import->module);
			wk_json_span(&json, "name", import ? import->name : wk_module_function_name(profiler->module, line->function));
		}
		wk_json_number(&json, "nanoseconds", line->nanoseconds);
		wk_json_number(&json, "samples", line->samples);
		wk_json_close(&json, '}');
	}
	wk_json_close(&json, ']');
	wk_json_close(&json, '}');
	wk_json_end(&json);
}

static void write_form(FILE *out, const struct wk_cli_profiler *profiler, const struct lines *all, const char *file)
{
	if (profiler->form == WK_PROFILER_JSON)
		write_json(out, profiler, all, file);
	else
		write_text(out, profiler, all);
	fflush(out);
}

bool wk_cli_profiler_write(struct wk_cli_profiler *profiler, const char *file)
{
	struct lines all = { 0 };
	FILE *out = stderr;
	bool bad;

	if (!profiler->profiler)
		return true;
	if (!take_lines(profiler->profiler, &all)) {
		wk_message("cannot write the profile: out of memory");
		return false;
	}
	if (profiler->path)
		out = fopen(profiler->path, "we");
	bad = !out;
	if (out)
		write_form(out, profiler, &all, file);
	bad = bad || ferror(out);
	if (profiler->path && out && fclose(out) != 0)
		bad = true;
	if (bad && profiler->path)
		wk_message("cannot write the profile: %s: %s", profiler->path, strerror(errno));
	free(all.lines);
	return !bad;
}
