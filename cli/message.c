/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool says on standard error. A message is built whole and written once, so that lines of several processes
 * on one terminal do not mix; control characters in it, wherever they came from, are shown and not obeyed.
 */
#define _GNU_SOURCE 1
#include "message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_status.h"
#include "json.h"
#include "text.h"

void wk_message(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	fputs("wasmkeep: ", stderr);
	if (length >= 0)
		wk_text_put(stderr, wk_span(text, (size_t)length), false, 0);
	else
		fputs("out of memory", stderr);
	fputc('\n', stderr);
	fflush(stderr);
	if (length >= 0)
		free(text);
}

void wk_message_see_help(const char *command)
{
	fprintf(stderr, "Try 'wasmkeep %s%s--help'.\n", command ? command : "", command ? " " : "");
}

bool wk_message_form(const char *word, bool *json)
{
	if (strcmp(word, "json") != 0 && strcmp(word, "text") != 0) {
		wk_message("--report %s: it is text or json", word);
		return false;
	}
	*json = strcmp(word, "json") == 0;
	return true;
}

/* What happened, in words that stand alone: most texts only make sense beside the name of their status. */
static void put_headline(FILE *out, const struct wk_report *report)
{
	const char *status = wk_status_text(report->status);

	if (report->text[0] == 0) {
		fputs(status, out);
		return;
	}
	if (report->status != WK_IO && report->status != WK_EXIT && strncmp(report->text, status, strlen(status)) != 0)
		fprintf(out, "%s: ", status);
	wk_text_put(out, wk_span_of_text(report->text), false, 0);
}

static void put_function(FILE *out, uint32_t function, const char *name)
{
	fprintf(out, "function %" PRIu32, function);
	if (name && name[0]) {
		fputs(" \"", out);
		wk_text_put(out, wk_span_of_text(name), true, 60);
		fputc('"', out);
	}
}

static void put_position(FILE *out, const struct wk_report *report, const char *name)
{
	bool has_offset = report->offset != WK_NO_OFFSET, has_function = report->function != WK_NO_FUNCTION;

	if (!has_offset && !has_function)
		return;
	fputs(" (", out);
	if (has_offset)
		fprintf(out, "at byte 0x%" PRIx64 "%s", report->offset, has_function ? ", " : "");
	if (has_function)
		put_function(out, report->function, name);
	fputc(')', out);
}

static void put_backtrace(FILE *out, const struct wk_report *report)
{
	for (uint32_t i = 0; i < report->frame_count && i < WK_REPORT_FRAMES; i++) {
		const struct wk_frame *frame = &report->frames[i];

		fprintf(out, "  at #%" PRIu32 " ", i);
		if (frame->name[0])
			wk_text_put(out, wk_span_of_text(frame->name), false, 0);
		else
			fputs("?", out);
		fprintf(out, " (function %" PRIu32 ")", frame->function);
		if (frame->offset != WK_NO_OFFSET)
			fprintf(out, " +0x%" PRIx64, frame->offset);
		fputc('\n', out);
	}
	if (report->frame_total > report->frame_count)
		fprintf(out, "  ... and %" PRIu64 " more\n", report->frame_total - report->frame_count);
}

void wk_message_report(const char *file, const struct wk_report *report, const char *name)
{
	fputs("wasmkeep: ", stderr);
	wk_text_put(stderr, wk_span_of_text(file), false, 0);
	fputs(": ", stderr);
	put_headline(stderr, report);
	put_position(stderr, report, name);
	fputc('\n', stderr);
	put_backtrace(stderr, report);
	fflush(stderr);
}

void wk_message_report_json(const char *file, const struct wk_report *report, const char *name, int exit_status)
{
	struct wk_json json;

	wk_json_start(&json, stderr, true);
	wk_json_open(&json, NULL, '{');
	wk_json_text(&json, "file", file);
	wk_json_text(&json, "status", wk_status_text(report->status));
	if (report->status == WK_TRAP)
		wk_json_text(&json, "trap", wk_trap_text(report->trap));
	wk_json_text(&json, "message", report->text);
	if (report->offset != WK_NO_OFFSET)
		wk_json_number(&json, "offset", report->offset);
	if (report->function != WK_NO_FUNCTION)
		wk_json_number(&json, "function", report->function);
	if (name && name[0])
		wk_json_text(&json, "function_name", name);
	wk_json_open(&json, "frames", '[');
	for (uint32_t i = 0; i < report->frame_count && i < WK_REPORT_FRAMES; i++) {
		const struct wk_frame *frame = &report->frames[i];

		wk_json_open(&json, NULL, '{');
		wk_json_number(&json, "function", frame->function);
		if (frame->name[0])
			wk_json_text(&json, "name", frame->name);
		if (frame->offset != WK_NO_OFFSET)
			wk_json_number(&json, "offset", frame->offset);
		wk_json_close(&json, '}');
	}
	wk_json_close(&json, ']');
	wk_json_number(&json, "frame_total", report->frame_total);
	wk_json_number(&json, "exit_status", (uint64_t)exit_status);
	wk_json_close(&json, '}');
	wk_json_end(&json);
	fflush(stderr);
}

int wk_message_exit_status(const struct wk_report *report)
{
	switch (report->status) {
	case WK_OK:
		return WK_EXIT_SUCCESS;
	case WK_MALFORMED:
	case WK_INVALID:
	case WK_UNSUPPORTED:
		return WK_EXIT_MODULE;
	case WK_IO:
		return WK_EXIT_READ;
	case WK_UNLINKABLE:
		return WK_EXIT_LINK;
	case WK_LIMIT:
		return WK_EXIT_LIMIT;
	case WK_NO_MEMORY:
		return WK_EXIT_NO_MEMORY;
	case WK_NOT_FOUND:
		return WK_EXIT_USAGE;
	case WK_EXCEPTION:
		return WK_EXIT_TRAP;
	case WK_TRAP:
		switch (report->trap) {
		case WK_TRAP_FUEL_EXHAUSTED:
		case WK_TRAP_INTERRUPTED:
			return WK_EXIT_LIMIT;
		case WK_TRAP_NO_MEMORY:
			return WK_EXIT_NO_MEMORY;
		default:
			return WK_EXIT_TRAP;
		}
	default:
		return WK_EXIT_INTERNAL;
	}
}
