/* SPDX-License-Identifier: Apache-2.0
 * In place of client.c where libteec is not installed: there is no way to a TEE. */
#include <wasmkeep/client.h>

#include "base/report.h"

static enum wk_status refuse(struct wk_report *report)
{
	return wk_report_set(report, WK_NOT_FOUND, WK_NO_OFFSET, WK_NO_FUNCTION,
		"this wasmkeep was built without libteec, so it knows no way to a TEE: build it where optee-client's library and "
		"headers are installed");
}

bool wk_client_there(void)
{
	return false;
}

enum wk_status wk_client_open(const struct wk_client_config *config, struct wk_report *report, struct wk_client **client)
{
	(void)config, (void)client;
	return refuse(report);
}

void wk_client_close(struct wk_client *client)
{
	(void)client;
}

/* The rest cannot be reached without a client. */

const char *wk_client_version(const struct wk_client *client)
{
	(void)client;
	return "";
}

uint64_t wk_client_fixed(const struct wk_client *client)
{
	(void)client;
	return 0;
}

enum wk_status wk_client_load(struct wk_client *client, const void *bytes, size_t size,
	void (*progress)(void *context, size_t sent), void *context, struct wk_report *report)
{
	(void)client, (void)bytes, (void)size, (void)progress, (void)context;
	return refuse(report);
}

enum wk_status wk_client_run(struct wk_client *client, const struct wk_task *task, struct wk_outcome *outcome)
{
	(void)client, (void)task;
	return refuse(&outcome->report);
}

void wk_client_interrupt(struct wk_client *client)
{
	(void)client;
}

enum wk_status wk_client_probe(struct wk_client *client, void (*progress)(void *context, size_t done), void *context,
	struct wk_report *report, struct wk_probe *probe)
{
	(void)client, (void)progress, (void)context, (void)probe;
	return refuse(report);
}
