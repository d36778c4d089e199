/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory report: the tree of budgets with used, peak and limit, what the TEE counts, and what was refused.
 *
 * For a picture each change is sampled. There may be millions: when the samples are full every second one is dropped, and
 * from then on only every second change is sampled. The first and the last are always there.
 */
#define _GNU_SOURCE 1
#include "memory_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "message.h"
#include "text.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the option ---- */

bool wk_memory_report_form(struct wk_memory_report *report, const char *value)
{
	static const struct { const char *name; enum wk_memory_form form; bool file; } forms[] = {
		{ "text", WK_MEMORY_TEXT, false }, { "json", WK_MEMORY_JSON, false }, { "json:", WK_MEMORY_JSON, true },
		{ "svg:", WK_MEMORY_SVG, true }, { "html:", WK_MEMORY_HTML, true },
	};

	if (!value) {
		report->form = WK_MEMORY_TEXT;
		return true;
	}
	for (size_t i = 0; i < WK_COUNT(forms); i++) {
		size_t length = strlen(forms[i].name);
		if (forms[i].file ? strncmp(value, forms[i].name, length) == 0 && value[length] : strcmp(value, forms[i].name) == 0) {
			report->form = forms[i].form;
			report->file = forms[i].file ? value + length : NULL;
			return true;
		}
	}
	wk_message("--memory-report=%s: it is text, json, json:FILE, svg:FILE or html:FILE", value);
	return false;
}

/* ---- watching ---- */

static void sample(struct wk_memory_report *report)
{
	struct wk_memory_node nodes[WK_MEMORY_NODES];
	struct wk_memory_sample *s;
	uint32_t count = wk_keep_memory(report->keep, nodes, WK_MEMORY_NODES);

	if (report->sample_count == WK_MEMORY_SAMPLES) {
		for (uint32_t i = 1; i < WK_MEMORY_SAMPLES / 2; i++)
			report->samples[i] = report->samples[2 * i];
		report->sample_count = WK_MEMORY_SAMPLES / 2;
		report->stride *= 2;
	}
	s = &report->samples[report->sample_count++];
	*s = (struct wk_memory_sample){ .seconds = now() - report->begin, .mappings = report->mappings };
	for (uint32_t i = 0; i < count; i++)
		s->used[i] = nodes[i].used;
}

static void observe(void *context, const struct wk_memory_event *event)
{
	struct wk_memory_report *report = context;

	report->mappings = event->mappings;
	if (!report->keep || ++report->skipped < report->stride)
		return;
	report->skipped = 0;
	sample(report);
}

bool wk_memory_report_begin(struct wk_memory_report *report, struct wk_keep_config *config)
{
	report->begin = now();
	report->stride = 1;
	if (report->form != WK_MEMORY_SVG && report->form != WK_MEMORY_HTML)
		return true;
	report->samples = malloc(WK_MEMORY_SAMPLES * sizeof *report->samples);
	config->memory_observer = observe;
	config->memory_context = report;
	return report->samples != NULL;
}

void wk_memory_report_watch(struct wk_memory_report *report, struct wk_keep *keep)
{
	report->keep = keep;
	if (report->samples)
		sample(report);
}

/* ---- writing ---- */

static void put_row(FILE *out, const struct wk_memory_node *node)
{
	int indent = (int)node->depth * 2;

	fprintf(out, "%*s%-*s %12" PRIu64 " %12" PRIu64 " ", indent, "", 34 - indent, node->name, node->used, node->peak);
	if (node->limit == UINT64_MAX)
		fprintf(out, "%12s\n", "-");
	else
		fprintf(out, "%12" PRIu64 "\n", node->limit);
}

static void write_text(FILE *out, struct wk_memory_report *report)
{
	const struct wk_memory_node *nodes = report->account.nodes;
	struct wk_simulated_use use;
	uint32_t count = report->account.count;

	fprintf(out, "%-34s %12s %12s %12s\n", "memory, in bytes", "used", "peak", "limit");
	for (uint32_t i = 0; i < count; i++)
		put_row(out, &nodes[i]);
	if (report->tee->provider) {
		wk_simulated_use(report->tee->provider, &use);
		fprintf(out, "mappings: %" PRIu64 ", at most %" PRIu64 " of %" PRIu64 "; page tables: %" PRIu64 ", at most %" PRIu64
			" of %" PRIu64 "\n", use.mappings, use.mappings_peak, use.mappings_limit, use.page_tables, use.page_tables_peak,
			use.page_tables_limit);
	}
	fprintf(out, "copied because something grew: %" PRIu64 " bytes of linear memories, %" PRIu64 " of the heap\n",
		nodes[count - 1].moved, nodes[0].moved - nodes[count - 1].moved);
	fflush(out);
}

static void write_json(FILE *out, struct wk_memory_report *report)
{
	const struct wk_memory_node *nodes = report->account.nodes;
	const struct wk_refusal *refusal = &report->account.refusal;
	struct wk_simulated_use use;
	uint32_t count = report->account.count;
	struct wk_json json;
	char text[512];

	wk_json_start(&json, out, true);
	wk_json_open(&json, NULL, '{');
	wk_json_text(&json, "file", report->module);
	wk_json_text(&json, "tee", wk_tee_name(report->tee));
	wk_json_open(&json, "budgets", '[');
	for (uint32_t i = 0; i < count; i++) {
		wk_json_open(&json, NULL, '{');
		wk_json_text(&json, "name", nodes[i].name);
		wk_json_number(&json, "depth", nodes[i].depth);
		wk_json_number(&json, "used", nodes[i].used);
		wk_json_number(&json, "peak", nodes[i].peak);
		if (nodes[i].limit == UINT64_MAX)
			wk_json_null(&json, "limit");
		else
			wk_json_number(&json, "limit", nodes[i].limit);
		wk_json_number(&json, "moved", nodes[i].moved);
		wk_json_close(&json, '}');
	}
	wk_json_close(&json, ']');
	if (report->tee->provider) {
		wk_simulated_use(report->tee->provider, &use);
		wk_json_number(&json, "mappings", use.mappings);
		wk_json_number(&json, "mappings_peak", use.mappings_peak);
		wk_json_number(&json, "mappings_limit", use.mappings_limit);
		wk_json_number(&json, "page_tables", use.page_tables);
		wk_json_number(&json, "page_tables_peak", use.page_tables_peak);
		wk_json_number(&json, "page_tables_limit", use.page_tables_limit);
	}
	if (report->account.refusals != 0) {
		wk_json_open(&json, "refusal", '{');
		wk_refusal_text(refusal, text, sizeof text);
		wk_json_text(&json, "text", text);
		wk_refusal_advice(refusal, &report->tee->profile, text, sizeof text);
		wk_json_text(&json, "advice", text);
		wk_json_text(&json, "limit", wk_limit_name(refusal->limit));
		wk_json_number(&json, "asked", refusal->asked);
		wk_json_number(&json, "used", refusal->used);
		wk_json_number(&json, "value", refusal->value);
		wk_json_close(&json, '}');
	}
	wk_json_number(&json, "refusals", report->account.refusals);
	wk_json_close(&json, '}');
	wk_json_end(&json);
	fflush(out);
}

/* What lies where in the simulated RAM, now. */
static void take_ram(struct wk_memory_report *report)
{
	report->ram_count = report->tee->provider ? wk_simulated_ram(report->tee->provider, NULL, 0) : 0;
	report->ram = report->ram_count ? calloc(report->ram_count, sizeof *report->ram) : NULL;
	if (report->ram)
		report->ram_count = wk_simulated_ram(report->tee->provider, report->ram, report->ram_count);
}

static void write_form(FILE *out, struct wk_memory_report *report)
{
	switch (report->form) {
	case WK_MEMORY_TEXT:
		write_text(out, report);
		break;
	case WK_MEMORY_JSON:
		write_json(out, report);
		break;
	default:
		take_ram(report);
		sample(report);
		wk_memory_picture(out, report);
		break;
	}
}

bool wk_memory_report_write(struct wk_memory_report *report, const struct wk_account *account)
{
	FILE *out = stderr;

	if (account)
		report->account = *account;
	else if (report->keep)
		wk_memory_take_account(report->keep, &report->account);
	if (report->form == WK_MEMORY_NO_REPORT || report->account.count == 0)
		return true;
	if (report->file)
		out = fopen(report->file, "we");
	if (!out) {
		wk_message("cannot write the memory report: %s: %s", report->file, strerror(errno));
		return false;
	}
	write_form(out, report);
	bool bad = ferror(out) != 0;
	if (report->file && fclose(out) != 0)
		bad = true;
	if (bad && report->file)
		wk_message("cannot write the memory report: %s: %s", report->file, strerror(errno));
	return !bad;
}

void wk_memory_report_end(struct wk_memory_report *report)
{
	report->keep = NULL;
	free(report->samples);
	free(report->ram);
	report->samples = NULL;
	report->ram = NULL;
}

void wk_memory_take_account(struct wk_keep *keep, struct wk_account *account)
{
	*account = (struct wk_account){ 0 };
	account->count = wk_keep_memory(keep, account->nodes, WK_MEMORY_NODES);
	(void)wk_keep_refusal(keep, &account->refusal, &account->refusals);
	wk_keep_usage(keep, &account->usage);
}

void wk_memory_say_refusal(const char *module, const struct wk_account *account, const struct wk_tee *tee)
{
	char text[512], advice[512];

	if (account->refusals == 0)
		return;
	wk_refusal_text(&account->refusal, text, sizeof text);
	wk_refusal_advice(&account->refusal, &tee->profile, advice, sizeof advice);
	wk_message("%s: memory was refused%s: %s. %s", module, account->refusals > 1 ? ", at last" : "", text, advice);
}
