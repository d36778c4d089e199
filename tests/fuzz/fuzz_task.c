/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer: what one world tells the other, read from any bytes: the first chooses a task, a report, an outcome or an
 * account. What must hold: no crash, all memory given back, a report exactly when a task is refused, and what was
 * accepted and is written again is read as the same, in no more room than is set aside for it.
 */
#include <stdlib.h>
#include <string.h>

#include "remote/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *context, size_t size)
{
	(void)context;
	return malloc(size);
}

static void give(void *context, void *block, size_t size)
{
	(void)context, (void)size;
	free(block);
}

static const struct wk_allocator heap = { .alloc = take, .free = give };

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Exactly as large as what is written there. */
static uint8_t *room_for(size_t size)
{
	uint8_t *room = malloc(size ? size : 1);

	require(room != NULL);
	return room;
}

/* ---- tasks ---- */

static uint8_t *write_task(const struct wk_task *task, size_t *size)
{
	uint8_t *bytes;

	*size = wk_task_write(task, NULL, 0);
	bytes = room_for(*size);
	require(wk_task_write(task, bytes, *size) == *size);
	return bytes;
}

static void read_task(const uint8_t *data, size_t size)
{
	struct wk_budget budget;
	struct wk_report report;
	struct wk_task *task = NULL, *again = NULL;
	enum wk_status status;

	wk_report_clear(&report);
	/* The arrays have an entry of at most 32 bytes for each byte. */
	wk_budget_init(&budget, NULL, "fuzz", 4096 + (uint64_t)size * 64, &heap);
	status = wk_task_read(&budget, data, size, &report, &task);
	require(status == WK_OK || status == WK_BAD_ARGUMENT);
	require((status == WK_OK) == (report.text[0] == 0) && report.status == status);
	if (status == WK_OK) {
		size_t first_size, second_size;
		uint8_t *first = write_task(task, &first_size), *second;

		wk_task_free(&budget, task);
		require(wk_task_read(&budget, first, first_size, &report, &again) == WK_OK);
		second = write_task(again, &second_size);
		require(first_size == second_size && memcmp(first, second, first_size) == 0);
		wk_task_free(&budget, again);
		free(second);
		free(first);
	}
	wk_budget_end(&budget); /* traps when bytes are missing */
}

/* ---- reports and outcomes ---- */

static bool ends(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

static void check_report(const struct wk_report *report)
{
	require(report->status < WK_STATUS_COUNT && report->trap < WK_TRAP_COUNT);
	require(report->frame_count <= WK_REPORT_FRAMES);
	require(ends(report->text, sizeof report->text) && report->refusal.limit < WK_LIMIT_KIND_COUNT);
	require(report->refusal.limit == WK_LIMIT_NONE || ends(report->refusal.subject, WK_SUBJECT_MAX));
	for (uint32_t i = 0; i < report->frame_count; i++)
		require(ends(report->frames[i].name, sizeof report->frames[i].name));
}

static void read_report(const uint8_t *data, size_t size)
{
	struct wk_report report, again;
	char subject[WK_SUBJECT_MAX], again_subject[WK_SUBJECT_MAX];
	uint8_t first[WK_REPORT_MAX], second[WK_REPORT_MAX];
	size_t used;

	if (!wk_report_read(data, size, &report, subject))
		return;
	check_report(&report);
	used = wk_report_write(&report, first, sizeof first);
	require(used <= sizeof first && wk_report_read(first, used, &again, again_subject));
	require(wk_report_write(&again, second, sizeof second) == used && memcmp(first, second, used) == 0);
}

static size_t write_outcome(const struct wk_outcome *o, uint8_t *buffer, size_t room)
{
	return wk_outcome_write(&o->report, o->exited, o->exit_code, o->fuel, o->results, o->result_count, buffer, room);
}

static void read_outcome(const uint8_t *data, size_t size)
{
	static struct wk_outcome outcome, again;
	static uint8_t first[WK_OUTCOME_MAX], second[WK_OUTCOME_MAX];
	size_t used;

	if (!wk_outcome_read(data, size, &outcome))
		return;
	check_report(&outcome.report);
	require(outcome.result_count <= WK_TASK_VALUES);
	used = write_outcome(&outcome, first, sizeof first);
	require(used <= sizeof first - WK_ACCOUNT_MAX && wk_outcome_read(first, used, &again));
	require(write_outcome(&again, second, sizeof second) == used && memcmp(first, second, used) == 0);
}

/* ---- accounts ---- */

static void read_account(const uint8_t *data, size_t size)
{
	struct wk_account account;

	if (!wk_account_read(data, size, &account))
		return;
	require(account.count <= WK_MEMORY_NODES && account.refusal.limit < WK_LIMIT_KIND_COUNT);
	require(ends(account.refusal.subject, WK_SUBJECT_MAX));
	for (uint32_t i = 0; i < account.count; i++)
		require(account.nodes[i].name == account.names[i] && ends(account.names[i], sizeof account.names[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const uint8_t *data, size_t size) = { read_task, read_report, read_outcome,
		read_account };

	if (size != 0)
		readers[data[0] % 4](data + 1, size - 1);
	return 0;
}
