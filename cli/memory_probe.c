/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep memory probe: what the TEE of this machine gives of memory, measured, and which option of OP-TEE set each figure.
 * What took days to find out by hand once is a table after a second, and a profile for the simulated TEE.
 *
 * A profile that is written replaces its file as a whole or not at all.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wasmkeep/client.h>

#include "command.h"
#include "exit_status.h"
#include "json.h"
#include "memory.h"
#include "message.h"
#include "progress.h"
#include "tee.h"

#define PROFILE_MAX 4096

struct probe_command {
	struct wk_tee tee;
	bool json;
	const char *output;    /* the profile's file; NULL: none; "-": standard output */
};

/* ---- words ---- */

static void put_row(const char *name, uint64_t figure, const char *remark)
{
	printf("  %-30s %14" PRIu64 "%s%s\n", name, figure, remark[0] ? "  " : "", remark);
}

/* What ended pieces of one size, and who set that. */
static const char *end_text(enum wk_limit_kind limit)
{
	switch (limit) {
	case WK_LIMIT_MAPPINGS:
		return "the core's books are full (CFG_CORE_HEAP_SIZE)";
	case WK_LIMIT_PAGE_TABLES:
		return "no page table is left (CFG_PGT_CACHE_ENTRIES)";
	case WK_LIMIT_CONTIGUITY:
		return "no free piece is that large";
	default:
		return "the RAM is used up (CFG_TZDRAM_SIZE)";
	}
}

static void put_own(const struct wk_probe *probe)
{
	puts("taken by the Trusted Application (TA) itself");
	put_row("its loader", probe->loader, "OP-TEE's, for each TA");
	put_row("code and constants", probe->code, "");
	put_row("TA_DATA_SIZE", probe->data_size, "TEE_Malloc's heap, set when the TA is built");
	put_row("other data", probe->data - probe->data_size, "");
	put_row("TA_STACK_SIZE", probe->stack_size, "set when the TA is built; OP-TEE adds 2048");
	put_row("stack of guests' calls", probe->guest_stack, "mapped at the start");
}

static void put_pages(const struct wk_probe *probe)
{
	char name[64], text[160];

	puts("pages that can be mapped (tee_map_zi)");
	snprintf(text, sizeof text, "then %s", end_text(probe->most_ended));
	put_row("in pieces of any size", probe->most, text);
	put_row("largest single piece", probe->hole_count ? probe->holes[0] : 0, "the largest free piece of RAM");
	for (uint32_t i = 1; i < probe->hole_count; i++)
		put_row(i == 1 ? "... and then" : "", probe->holes[i], "");
	for (unsigned i = 0; i < WK_PROBE_PIECES; i++) {
		if (probe->piece[i] == 0)
			continue;
		snprintf(name, sizeof name, "in pieces of %" PRIu64, probe->piece[i]);
		snprintf(text, sizeof text, "%" PRIu64 " pieces; then %s", probe->count[i], end_text(probe->ended[i]));
		put_row(name, probe->piece[i] * probe->count[i], text);
	}
}

static void put_limits(const struct wk_probe *probe)
{
	char text[160];

	puts("limits");
	put_row("RAM for this TA in all", probe->ram, probe->most_ended == WK_LIMIT_PAGE_TABLES ?
		"or more: page tables end before" : "CFG_TZDRAM_SIZE, less what the core takes");
	if (probe->mappings)
		put_row("mappings (number)", probe->mappings, "CFG_CORE_HEAP_SIZE");
	else
		printf("  %-30s %14s  more than can be used\n", "mappings (number)", "-");
	snprintf(text, sizeof text, "CFG_PGT_CACHE_ENTRIES; 2 MiB each, and the TA's own parts end at %" PRIu64, probe->below);
	put_row("page tables (number)", probe->tables, text);
	put_row("largest TEE_Malloc", probe->malloc, "what is left of TA_DATA_SIZE");
	put_row("shared memory of one call", probe->shared, "page tables, or without CFG_CORE_DYN_SHM: CFG_SHMEM_SIZE");
}

static void put_text(const struct wk_probe *probe)
{
	puts("what the TEE gives, in bytes; in brackets or behind, the option of OP-TEE that sets it");
	put_own(probe);
	put_pages(probe);
	put_limits(probe);
}

/* ---- JSON ---- */

static void put_json(const struct wk_probe *probe)
{
	struct wk_json json;

	wk_json_start(&json, stdout, false);
	wk_json_open(&json, NULL, '{');
	wk_json_text(&json, "tee", "optee");
	wk_json_number(&json, "loader", probe->loader);
	wk_json_number(&json, "code", probe->code);
	wk_json_number(&json, "data", probe->data - probe->data_size);
	wk_json_number(&json, "ta_data_size", probe->data_size);
	wk_json_number(&json, "ta_stack_size", probe->stack_size);
	wk_json_number(&json, "guest_stack", probe->guest_stack);
	wk_json_number(&json, "most", probe->most);
	wk_json_text(&json, "most_ended", wk_limit_name(probe->most_ended));
	wk_json_open(&json, "holes", '[');
	for (uint32_t i = 0; i < probe->hole_count; i++)
		wk_json_number(&json, NULL, probe->holes[i]);
	wk_json_close(&json, ']');
	wk_json_open(&json, "pieces", '[');
	for (unsigned i = 0; i < WK_PROBE_PIECES; i++) {
		if (probe->piece[i] == 0)
			continue;
		wk_json_open(&json, NULL, '{');
		wk_json_number(&json, "size", probe->piece[i]);
		wk_json_number(&json, "count", probe->count[i]);
		wk_json_number(&json, "total", probe->piece[i] * probe->count[i]);
		wk_json_text(&json, "ended", wk_limit_name(probe->ended[i]));
		wk_json_close(&json, '}');
	}
	wk_json_close(&json, ']');
	wk_json_number(&json, "ram", probe->ram);
	if (probe->mappings)
		wk_json_number(&json, "mappings", probe->mappings);
	else
		wk_json_null(&json, "mappings");
	wk_json_number(&json, "page_tables", probe->tables);
	wk_json_number(&json, "addresses_below", probe->below);
	wk_json_number(&json, "malloc", probe->malloc);
	wk_json_number(&json, "shared_memory", probe->shared);
	wk_json_close(&json, '}');
	wk_json_end(&json);
}

/* ---- the profile ---- */

/* A profile is called as its file, without the folder and what follows the name. */
static void name_of(const char *output, char name[48])
{
	const char *base = strrchr(output, '/') ? strrchr(output, '/') + 1 : output;
	size_t length = strlen(base);

	if (length > 8 && strcmp(base + length - 8, ".profile") == 0)
		length -= 8;
	if (length > 47)
		length = 47;
	for (size_t i = 0; i < length; i++) {
		char c = base[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.", c);
		name[i] = good ? c : '-';
	}
	name[length] = 0;
	if (length == 0 || strcmp(output, "-") == 0)
		strcpy(name, "probed");
}

static bool put_file(FILE *file, const char *text)
{
	bool done = fputs(text, file) >= 0 && fflush(file) == 0;

	/* What cannot be synced, a pipe for instance, need not be. */
	if (done && fsync(fileno(file)) != 0 && errno != EINVAL && errno != EROFS)
		done = false;
	return done;
}

/* Beside it first, so that the file is the old one or the new one, whatever happens. */
static bool replace_file(const char *path, const char *text)
{
	char *beside = NULL;
	mode_t mask = umask(0);
	int descriptor = -1;
	bool done = false;

	(void)umask(mask);
	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		return false;
	descriptor = mkostemp(beside, O_CLOEXEC);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	if (file) {
		done = fchmod(descriptor, 0666 & ~mask) == 0 && put_file(file, text);
		done = fclose(file) == 0 && done;
		done = done && rename(beside, path) == 0;
	} else if (descriptor >= 0) {
		close(descriptor);
	}
	int why = errno;
	if (!done && descriptor >= 0)
		unlink(beside);
	free(beside);
	errno = why;
	return done;
}

static bool write_file(const char *path, const char *text)
{
	struct stat there;
	FILE *file;
	bool done;

	/* A device or a pipe is written to, not replaced. */
	if (stat(path, &there) != 0 || S_ISREG(there.st_mode))
		return replace_file(path, text);
	file = fopen(path, "we");
	if (!file)
		return false;
	done = put_file(file, text);
	return fclose(file) == 0 && done;
}

static int write_profile(const struct probe_command *command, const struct wk_probe *probe)
{
	struct wk_profile profile;
	char name[48], *text = malloc(PROFILE_MAX);
	int length = 0, status = WK_EXIT_WRITE;

	name_of(command->output, name);
	wk_probe_profile(probe, name, &profile);
	if (text) {
		length = snprintf(text, PROFILE_MAX, "# Measured by `wasmkeep memory probe`, with Wasmkeep %s. docs/profiles.md says "
			"what each line means.\n", wk_version());
		wk_profile_write(&profile, text + length, PROFILE_MAX - (size_t)length);
	}
	if (!text)
		wk_message("out of memory");
	else if (strcmp(command->output, "-") == 0)
		status = fputs(text, stdout) >= 0 ? WK_EXIT_SUCCESS : WK_EXIT_WRITE;
	else if (write_file(command->output, text))
		status = WK_EXIT_SUCCESS;
	else
		wk_message("cannot write the profile: %s: %s", command->output, strerror(errno));
	free(text);
	return status;
}

/* ---- probe ---- */

static void show_progress(void *context, size_t done)
{
	wk_progress_step(context, done);
}

static enum wk_status measure(struct wk_report *report, struct wk_probe *probe)
{
	struct wk_client *client = NULL;
	struct wk_progress progress;
	enum wk_status status = wk_client_open(NULL, report, &client);

	if (status != WK_OK)
		return status;
	wk_progress_begin(&progress, "measuring", WK_PROBE_STEPS);
	status = wk_client_probe(client, show_progress, &progress, report, probe);
	wk_progress_end(&progress);
	wk_client_close(client);
	return status;
}

/* Only a TEE that is there can be measured. */
static bool check_kind(const struct wk_tee *tee)
{
	if (tee->optee && !tee->name)
		return true;
	if (tee->optee)
		wk_message("--tee optee:%s: probe measures the TEE of this machine and takes no profile: say --tee optee", tee->name);
	else if (tee->name)
		wk_message("--tee sim:%s: a profile is not probed, its figures are in it: see wasmkeep memory profile. --tee optee "
			"is the TEE of this machine", tee->name);
	else
		wk_message("there is no TEE to probe: --tee optee is the one of this machine");
	wk_message_see_help("memory");
	return false;
}

static bool take_option(struct probe_command *command, int id, const char *value)
{
	switch (id) {
	case WK_MEMORY_OPTION_TEE:
		return wk_tee_take(&command->tee, WK_TEE_KIND, value, false);
	case WK_MEMORY_OPTION_OUTPUT:
		command->output = value;
		if (value[0])
			return true;
		wk_message("--output needs the name of a file");
		return false;
	case WK_MEMORY_OPTION_JSON:
		command->json = true;
		return true;
	default:
		wk_message("memory probe takes --tee, --json and --output: it measures what is, for a what-if there is memory plan");
		return false;
	}
}

int wk_memory_probe(int count, char **words)
{
	struct probe_command command = { .tee.optee = true };
	struct wk_options reader = { .command = "memory", .table = wk_memory_options, .count = count, .words = words };
	struct wk_probe probe;
	struct wk_report report;
	int id, status = WK_EXIT_SUCCESS;

	while ((id = wk_options_next(&reader)) != WK_OPTION_END) {
		if (id == WK_MEMORY_OPTION_HELP)
			return wk_command_help(&wk_command_memory);
		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (!take_option(&command, id, reader.value)) {
			wk_message_see_help("memory");
			return WK_EXIT_USAGE;
		}
	}
	if (wk_options_operand(&reader)) {
		wk_message("memory probe measures the TEE and takes no module: for one there is memory plan");
		wk_message_see_help("memory");
		return WK_EXIT_USAGE;
	}
	if (!check_kind(&command.tee))
		return WK_EXIT_USAGE;
	if (command.json && command.output && strcmp(command.output, "-") == 0) {
		wk_message("--json and --output - both want standard output");
		return WK_EXIT_USAGE;
	}
	wk_report_clear(&report);
	if (measure(&report, &probe) != WK_OK) {
		wk_message("%s", report.text);
		return wk_message_exit_status(&report);
	}
	if (command.output)
		status = write_profile(&command, &probe);
	/* The profile has standard output to itself, if it goes there. */
	if (command.json)
		put_json(&probe);
	else if (!command.output || strcmp(command.output, "-") != 0)
		put_text(&probe);
	return wk_command_finish(status);
}
