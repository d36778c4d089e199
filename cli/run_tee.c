/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep run --tee optee: the module is sent to the Trusted Application, which does all that run.c does here; this side
 * serves the guest's streams, folders and sockets. Options, messages and exit statuses are the same.
 *
 * What always holds: the watch ends before the session does.
 */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <wasmkeep/client.h>

#include "base/report.h"
#include "command.h"
#include "exit_status.h"
#include "file.h"
#include "invoke.h"
#include "message.h"
#include "progress.h"
#include "run.h"

/* What a run in the TEE needs beside. */
struct tee_run {
	struct wk_run *run;
	struct wk_keep *keep;          /* here: for the file, and to read the arguments of --invoke */
	struct wk_span bytes;
	void *inside;                  /* they, if they come out of an image */
	uint8_t hash[32];              /* of the module whose image is used */
	bool image;                    /* one is used */
	struct wk_client *client;
	struct wk_invoke invoke;
	struct wk_outcome *outcome;
	enum wk_watch_cause cause;
};

static void interrupt_client(void *client)
{
	wk_client_interrupt(client);
}

static void show_progress(void *context, size_t sent)
{
	wk_progress_step(context, sent);
}

static enum wk_status send_module(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	struct wk_progress progress;
	enum wk_status status;

	if (t->image) { /* the module is inside */
		status = wk_client_load(t->client, NULL, 0, NULL, NULL, report);
		if (status == WK_OK && run->verbose)
			wk_message("%s: decoded and validated in %.3f ms", run->file, wk_run_lap(run));
		return status;
	}
	wk_progress_begin(&progress, "sending the module", t->bytes.size);
	status = wk_client_load(t->client, t->bytes.data, t->bytes.size, show_progress, &progress, report);
	wk_progress_end(&progress);
	if (status == WK_OK && run->verbose)
		wk_message("%s: %zu bytes sent, decoded and validated in %.3f ms", run->file, t->bytes.size, wk_run_lap(run));
	return status;
}

/* Which function to call, and with what: the module's types say that, so it is decoded here too. *status: the exit status
 * after a message. */
static enum wk_status prepare(struct tee_run *t, struct wk_report *report, int *status)
{
	struct wk_run *run = t->run;
	struct wk_module *module = NULL;
	enum wk_status result = wk_module_load(t->keep, t->bytes.data, t->bytes.size, WK_LOAD_BORROW, report, &module);

	if (result != WK_OK)
		return result;
	*status = wk_invoke_prepare(run->file, module, run->invoke, run->word_count, run->words, &t->invoke);
	wk_module_release(module);
	return WK_OK;
}

static void say_end(const struct tee_run *t)
{
	const struct wk_outcome *outcome = t->outcome;
	const struct wk_usage *usage = &outcome->account.usage;
	struct wk_run *run = t->run;

	wk_message("ran for %.3f ms", wk_run_lap(run));
	wk_message("heap %" PRIu64 " bytes, at most %" PRIu64 ", in %" PRIu64 " allocations; linear memories and stack %"
		PRIu64 " bytes, at most %" PRIu64, usage->heap_used, usage->heap_peak, usage->allocations, usage->pages_used,
		usage->pages_peak);
	if (run->has_fuel)
		wk_message("fuel: %" PRIu64 " of %" PRIu64 " used", run->fuel - outcome->fuel, run->fuel);
}

static int finish(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	const struct wk_outcome *outcome = t->outcome;
	int status = WK_EXIT_SUCCESS;

	if (run->verbose)
		say_end(t);
	if (!wk_memory_report_write(&run->memory, &outcome->account))
		status = WK_EXIT_WRITE;
	if (outcome->report.status != WK_OK) {
		*report = outcome->report;
		return status;
	}
	if (outcome->exited)
		return wk_run_guest_status(outcome->exit_code);
	t->invoke.result_count = outcome->result_count < t->invoke.result_count ? outcome->result_count :
		t->invoke.result_count;
	if (t->invoke.result_count != 0)
		memcpy(t->invoke.results, outcome->results, t->invoke.result_count * sizeof *t->invoke.results);
	wk_invoke_print(&t->invoke);
	return wk_command_finish(status);
}

static int run_task(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	struct wk_task task = {
		.program = { .store = { .stack_size = run->stack_size, .fuel = run->has_fuel, .memory_limit = run->max_memory },
			.fuel = run->fuel, .translate = run->eager },
		.wasi = wk_world_wasi(&run->world),
		.invoke = t->invoke.name, .arguments = t->invoke.arguments, .argument_count = t->invoke.argument_count };
	enum wk_status status;

	(void)wk_run_lap(run); /* what is said to be the run is the run alone */
	wk_watch(t->client, interrupt_client, true);
	status = wk_client_run(t->client, &task, t->outcome);
	t->cause = wk_watch_end();
	if (status == WK_OK)
		return finish(t, report);
	*report = t->outcome->report;
	return WK_EXIT_SUCCESS;
}

/* ---- compiled code ---- */

/* Installs what was asked for, else what is beside the module, else takes what is installed. */
static enum wk_status find_image(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	char *beside = run->image.path ? NULL : wk_cli_image_beside(run->file, ".ta");
	enum wk_status status = WK_NOT_FOUND;

	if (run->image.path || beside)
		status = wk_client_install(run->image.path ? run->image.path : beside, t->bytes.data, t->bytes.size,
			run->image.folder, t->hash, report);
	if (status == WK_NOT_FOUND && !run->image.path) {
		wk_report_clear(report);
		status = wk_client_install(NULL, t->bytes.data, t->bytes.size, run->image.folder, t->hash, report);
	}
	if (status == WK_NOT_FOUND && !run->image.path)
		wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "there is no compiled code of this module for the TEE: "
			"wasmkeep compile --target aarch64-optee --sign KEY.pem %s", run->file);
	free(beside);
	return status;
}

/* Opens the session, with compiled code as wished. What is not used and need not be is a reason to say so, under -v, and
 * to open one without: whatever loading it left behind is gone with the first. */
static enum wk_status open_session(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	struct wk_client_config config = { .ram = wk_tee_ram(&run->tee) };
	bool alone = run->kind == WK_KIND_SIGNED;
	bool needed = run->image.engine == WK_ENGINE_NATIVE || run->image.path || alone;
	enum wk_status status = WK_NOT_FOUND;

	if (alone || (run->image.engine != WK_ENGINE_INTERP && !run->has_fuel)) {
		status = alone ? WK_OK : find_image(t, report);
		config.image = t->hash;
		if (status == WK_OK)
			status = wk_client_open(&config, report, &t->client);
		t->image = status == WK_OK;
		if (status == WK_OK && run->verbose)
			wk_message("%s: compiled code is used", run->file);
		if (status == WK_OK || needed)
			return status;
		if (run->verbose && status != WK_NOT_FOUND)
			wk_message("%s", report->text);
		wk_report_clear(report);
		config.image = NULL;
	}
	return wk_client_open(&config, report, &t->client);
}

/* The module, to send it or for what is to be known of it here. */
static enum wk_status read_file(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	size_t size = 0;
	enum wk_status status;

	if (run->kind != WK_KIND_SIGNED)
		return wk_file_read(run->file, t->keep, report, &t->bytes);
	status = wk_client_install_image(run->file, run->image.folder, t->hash, &t->inside, &size, report);
	if (status == WK_OK)
		t->bytes = wk_span(t->inside, size);
	return status;
}

/* Fuel that a report of the TEE's does not know by name, and what else `report` lacks, is added by who prints it. */
static int run_all(struct tee_run *t, struct wk_report *report)
{
	struct wk_run *run = t->run;
	int status = WK_EXIT_SUCCESS;

	t->outcome = calloc(1, sizeof *t->outcome);
	report->status = t->outcome ? wk_keep_new(NULL, &t->keep) : WK_NO_MEMORY;
	if (report->status == WK_OK)
		report->status = read_file(t, report);
	if (report->status == WK_OK)
		report->status = open_session(t, report);
	if (report->status == WK_OK && run->verbose)
		wk_message("Wasmkeep %s in the TEE, opened in %.3f ms", wk_client_version(t->client), wk_run_lap(run));
	if (report->status == WK_OK)
		report->status = send_module(t, report);
	if (report->status == WK_OK)
		report->status = prepare(t, report, &status);
	return report->status == WK_OK && status == WK_EXIT_SUCCESS ? run_task(t, report) : status;
}

int wk_run_in_tee(struct wk_run *run)
{
	struct tee_run t = { .run = run };
	struct wk_report report;
	int status;

	if (run->memory.form == WK_MEMORY_SVG || run->memory.form == WK_MEMORY_HTML) {
		wk_message("--memory-report: pictures are made where the keep is watched, with --tee none or sim:PROFILE; here it is "
			"text or json");
		return WK_EXIT_USAGE;
	}
	wk_run_lap(run);
	if (run->timeout && !wk_watch_start(run->file, run->timeout)) {
		wk_message("cannot start the clock of --timeout");
		return WK_EXIT_NO_MEMORY;
	}
	run->memory.module = run->file;
	run->memory.tee = &run->tee;
	wk_report_clear(&report);
	status = run_all(&t, &report);
	wk_watch_end();
	status = wk_run_say_end(run, t.bytes, t.cause, &report, status);
	wk_memory_report_end(&run->memory);
	wk_client_close(t.client);
	wk_invoke_free(&t.invoke);
	wk_file_free(t.keep, &t.bytes); /* an image's are not the keep's */
	free(t.inside);
	wk_keep_delete(t.keep);
	free(t.outcome);
	return status;
}
