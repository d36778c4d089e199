/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of the secure environment. A profile is one of those that come with Wasmkeep, by its name, or else a file.
 * What-ifs change one figure of it, and the whole is checked again.
 */
#define _GNU_SOURCE 1
#include "tee.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmkeep/client.h>

#include "exit_status.h"
#include "message.h"
#include "text.h"

#define LARGEST_PROFILE 65536

static bool take_kind(struct wk_tee *tee, const char *value, bool plain)
{
	tee->name = NULL;
	tee->optee = false;
	if (strcmp(value, "none") == 0)
		return true;
	if (strncmp(value, "sim:", 4) == 0 && value[4]) {
		tee->name = value + 4;
		return true;
	}
	if (plain && value[0]) {
		tee->name = value;
		return true;
	}
	if (strcmp(value, "auto") == 0) {
		tee->optee = wk_client_there();
		return true;
	}
	if (strcmp(value, "optee") == 0 || (strncmp(value, "optee:", 6) == 0 && value[6])) {
		tee->optee = true;
		tee->name = value[5] ? value + 6 : NULL;
		return true;
	}
	wk_message("--tee %s: it is none, optee, optee:PROFILE, auto or sim:PROFILE, where PROFILE is optee-qemu-armv8a, linux or "
		"a file", value);
	return false;
}

bool wk_tee_take(struct wk_tee *tee, enum wk_tee_option option, const char *value, bool plain)
{
	static const char *const names[] = { "--tee", "--ta-data-size", "--ta-stack-size", "--tee-ram" };
	uint64_t *const sizes[] = { NULL, &tee->data_size, &tee->stack_size, &tee->ram };

	if (option != WK_TEE_KIND) {
		if (wk_text_size(value, sizes[option]) && *sizes[option] != 0)
			return true;
		wk_message("%s %s: it is a number of bytes greater than 0, such as 32K or 12M", names[option], value);
		return false;
	}
	return take_kind(tee, value, plain);
}

/* A whole small file; NULL after a message. */
static char *read_profile(const char *name, size_t *size)
{
	FILE *file = fopen(name, "re");
	char *text;

	if (!file) {
		wk_message("profile %s: there is none of this name, and no such file: %s", name, strerror(errno));
		return NULL;
	}
	text = malloc(LARGEST_PROFILE + 1);
	*size = text ? fread(text, 1, LARGEST_PROFILE + 1, file) : 0;
	if (!text || ferror(file) || *size > LARGEST_PROFILE) {
		wk_message("profile %s: %s", name, !text ? "out of memory" : ferror(file) ? strerror(errno) :
			"the file is larger than a profile can be, 65536 bytes");
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static int load_profile(struct wk_tee *tee)
{
	const char *builtin = wk_profile_builtin(tee->name);
	char *text = NULL;
	size_t size = builtin ? strlen(builtin) : 0;
	struct wk_report report;
	enum wk_status status;

	if (!builtin && !(text = read_profile(tee->name, &size)))
		return WK_EXIT_READ;
	wk_report_clear(&report);
	status = wk_profile_parse(builtin ? builtin : text, size, &tee->profile, &report);
	free(text);
	if (status == WK_OK)
		return WK_EXIT_SUCCESS;
	wk_message("profile %s: %s", tee->name, report.text);
	return WK_EXIT_MODULE;
}

/* More or less RAM: the largest hole takes up the difference. */
static bool change_ram(struct wk_profile *profile, uint64_t ram)
{
	uint64_t sum = 0;
	uint32_t largest = 0;

	for (uint32_t i = 0; i < profile->hole_count; i++) {
		sum += profile->holes[i];
		if (profile->holes[i] > profile->holes[largest])
			largest = i;
	}
	sum -= profile->holes[largest];
	ram &= ~(profile->page - 1);
	if (ram <= sum || ram > UINT64_C(1) << 40)
		return false;
	profile->holes[largest] = ram - sum;
	return true;
}

static int change(struct wk_tee *tee)
{
	struct wk_report report;
	bool any = tee->data_size || tee->stack_size || tee->ram;

	if (any && (tee->profile.hole_count == 0 || tee->optee)) {
		wk_message("--ta-data-size, --ta-stack-size and --tee-ram change a figure of a TEE: they need --tee sim:PROFILE, of a "
			"profile with limits");
		return WK_EXIT_USAGE;
	}
	if (tee->data_size)
		tee->profile.ta_data_size = tee->data_size;
	if (tee->stack_size)
		tee->profile.ta_stack_size = tee->stack_size;
	if (tee->ram && !change_ram(&tee->profile, tee->ram)) {
		wk_message("--tee-ram: not an amount of RAM that the profile can have");
		return WK_EXIT_USAGE;
	}
	wk_report_clear(&report);
	if (wk_profile_check(&tee->profile, &report) == WK_OK)
		return WK_EXIT_SUCCESS;
	wk_message("profile %s with the figures changed: %s", tee->name, report.text);
	return WK_EXIT_USAGE;
}

int wk_tee_open(struct wk_tee *tee, bool simulate)
{
	struct wk_report report;
	int status = tee->name ? load_profile(tee) : WK_EXIT_SUCCESS;

	if (status == WK_EXIT_SUCCESS)
		status = change(tee);
	if (status != WK_EXIT_SUCCESS || !simulate || tee->optee || tee->profile.hole_count == 0)
		return status;
	wk_report_clear(&report);
	if (wk_simulated_new(&tee->profile, &report, &tee->provider) == WK_OK)
		return WK_EXIT_SUCCESS;
	wk_message("profile %s: %s", tee->name, report.text);
	return WK_EXIT_NO_MEMORY;
}

uint64_t wk_tee_ram(const struct wk_tee *tee)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < tee->profile.hole_count; i++)
		sum += tee->profile.holes[i];
	return sum;
}

const char *wk_tee_name(const struct wk_tee *tee)
{
	return tee->name ? tee->profile.name : tee->optee ? "optee" : "none";
}

void wk_tee_close(struct wk_tee *tee)
{
	wk_simulated_delete(tee->provider);
	tee->provider = NULL;
}
