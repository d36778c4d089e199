/* SPDX-License-Identifier: Apache-2.0
 *
 * What a keep behind a border is told and tells, as bytes: what to run, how it ended, what it took. The side that reads
 * checks everything. Numbers are little-endian, as both sides are.
 */
#ifndef WK_REMOTE_TASK_H
#define WK_REMOTE_TASK_H

#include <wasmkeep/client.h>

#include "memory/budget.h"

#define WK_TASK_MAX (1u << 20)         /* bytes of a task */
#define WK_REPORT_MAX 2600u            /* of a report */
#define WK_OUTCOME_MAX 30000u          /* of an outcome, with the account */
#define WK_ACCOUNT_MAX 2048u

/* ---- a task ---- */

/* Writes at most `room` bytes and returns how many the whole would be. */
size_t wk_task_write(const struct wk_task *task, uint8_t *buffer, size_t room);
/* Reads a task from hostile bytes, which are copied first. On success the caller owns *task, which has all it needs, its
 * WASI in .program too: wk_task_free. WK_BAD_ARGUMENT: the report says what is wrong. */
WK_NODISCARD enum wk_status wk_task_read(struct wk_budget *budget, const uint8_t *bytes, size_t size,
	struct wk_report *report, struct wk_task **task);
void wk_task_free(struct wk_budget *budget, struct wk_task *task);

/* ---- an outcome, without the account ---- */

size_t wk_outcome_write(const struct wk_report *report, bool exited, uint32_t exit_code, uint64_t fuel,
	const struct wk_value *results, uint32_t result_count, uint8_t *buffer, size_t room);
/* false: these are no such bytes. */
bool wk_outcome_read(const uint8_t *bytes, size_t size, struct wk_outcome *outcome);

/* ---- a report ---- */

size_t wk_report_write(const struct wk_report *report, uint8_t *buffer, size_t room);
/* `subject`: where the text is kept that report->refusal.subject points to. */
bool wk_report_read(const uint8_t *bytes, size_t size, struct wk_report *report, char subject[WK_SUBJECT_MAX]);

/* ---- an account of a keep's memory ---- */

size_t wk_account_write(struct wk_keep *keep, uint8_t *buffer, size_t room);
bool wk_account_read(const uint8_t *bytes, size_t size, struct wk_account *account);

#endif
