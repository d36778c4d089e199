/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of a run as a picture: a map of the TEE's RAM, what took memory over time, and the number of mappings. One
 * self-contained SVG, or an HTML page around it that repeats the figures as a table.
 *
 * Colours are those of Okabe and Ito, which people with any colour vision can tell apart; each is named in the legend,
 * and the map's parts have titles that browsers show.
 */
#include "memory_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text.h"

#define WIDTH 1000
#define LEFT 76
#define RIGHT 20
#define PLOT (WIDTH - LEFT - RIGHT)

enum category { TA, HEAP, BYTES, STACKS, TABLES, MEMORIES, CATEGORIES };

static const struct { const char *name, *colour; } categories[CATEGORIES] = {
	[TA] = { "Trusted Application", "#999999" },
	[HEAP] = { "heap", "#E69F00" },
	[BYTES] = { "module bytes", "#CC79A7" },
	[STACKS] = { "guest stacks", "#009E73" },
	[TABLES] = { "tables", "#F0E442" },
	[MEMORIES] = { "linear memories", "#0072B2" },
};
#define FREE_COLOUR "#EEEEEE"

/* What mappings say they are for, and what nodes of the tree are called. */
static enum category category_of(const char *name)
{
	static const struct { const char *name; enum category category; } names[] = {
		{ "heap", HEAP }, { "the keep", HEAP }, { "module bytes", BYTES }, { "the guest stack", STACKS },
		{ "guest stacks", STACKS }, { "tables", TABLES }, { "linear memory", MEMORIES }, { "linear memories", MEMORIES },
	};

	for (size_t i = 0; i < WK_COUNT(names); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].category;
	return TA;
}

/* ---- text ---- */

/* Names come from the command line: nothing in them may be markup, and what is not UTF-8 or a control is '?'. */
static void put_escaped(FILE *out, const char *text)
{
	struct wk_span rest = wk_span_of_text(text);

	while (rest.size != 0) {
		uint32_t code = 0;
		size_t length = wk_utf8_character(rest.data, rest.size, &code);

		if (length == 0 || wk_text_is_unsafe(code))
			fputc('?', out);
		else if (code == '<' || code == '>' || code == '&' || code == '"')
			fprintf(out, "&#%" PRIu32 ";", code);
		else
			fwrite(rest.data, 1, length, out);
		rest = wk_span(rest.data + (length ? length : 1), rest.size - (length ? length : 1));
	}
}

static void put_bytes(FILE *out, uint64_t bytes)
{
	if (bytes >= UINT64_C(10) << 20)
		fprintf(out, "%.1f MiB", (double)bytes / (1 << 20));
	else if (bytes >= UINT64_C(1) << 20)
		fprintf(out, "%.2f MiB", (double)bytes / (1 << 20));
	else
		fprintf(out, "%.1f KiB", (double)bytes / 1024);
}

/* ---- axes ---- */

/* A step of 1, 2 or 5 times a power of ten that gives about `wanted` ticks up to `most`. */
static double tick_step(double most, int wanted)
{
	double raw = most / wanted, power = pow(10, floor(log10(raw > 0 ? raw : 1)));

	return raw / power <= 1 ? power : raw / power <= 2 ? 2 * power : raw / power <= 5 ? 5 * power : 10 * power;
}

static void put_tick_x(FILE *out, double x, double y, double value)
{
	fprintf(out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#333'/><text x='%.1f' y='%.1f' "
		"text-anchor='middle'>%g</text>\n", x, y, x, y + 4, x, y + 17, value);
}

static void put_tick_y(FILE *out, double y, double value)
{
	fprintf(out, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end'>%g</text>\n",
		LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, value);
}

static void put_heading(FILE *out, double y, const char *text)
{
	fprintf(out, "<text x='%d' y='%.1f' font-weight='bold'>%s</text>\n", LEFT, y, text);
}

/* ---- the map of RAM ---- */

#define MAP_TOP 86
#define MAP_HEIGHT 46

static void put_block(FILE *out, double begin, double size, double scale, const char *colour, const char *name,
	uint64_t bytes)
{
	fprintf(out, "<rect x='%.2f' y='%d' width='%.2f' height='%d' fill='%s' stroke='#fff' stroke-width='0.3'><title>", LEFT +
		begin * scale, MAP_TOP, size * scale, MAP_HEIGHT, colour);
	put_escaped(out, name);
	fputs(": ", out);
	put_bytes(out, bytes);
	fputs("</title></rect>\n", out);
}

static void put_map(FILE *out, const struct wk_memory_report *report, const uint64_t *used)
{
	const struct wk_profile *profile = &report->tee->profile;
	double total = 0, at = 0, step;

	put_heading(out, MAP_TOP - 10, report->ram ? "Where things lie in the TEE&#8217;s RAM for Trusted Applications" :
		"What takes memory at the end");
	if (report->ram) {
		for (uint32_t i = 0; i < profile->hole_count; i++)
			total += (double)(profile->holes[i] + profile->page);
	} else {
		for (int i = 0; i < CATEGORIES; i++)
			total += (double)used[i];
	}
	double scale = PLOT / (total > 0 ? total : 1);
	uint64_t start = 0;
	for (uint32_t i = 0; report->ram && i < profile->hole_count; i++) {
		put_block(out, (double)start, (double)profile->holes[i], scale, FREE_COLOUR, "RAM", profile->holes[i]);
		start += profile->holes[i] + profile->page;
	}
	for (uint32_t i = 0; report->ram && i < report->ram_count; i++) {
		const struct wk_stretch *s = &report->ram[i];
		put_block(out, (double)s->start, (double)s->size, scale, categories[category_of(s->name)].colour, s->name, s->size);
	}
	for (int i = 0; !report->ram && i < CATEGORIES; i++) {
		put_block(out, at, (double)used[i], scale, categories[i].colour, categories[i].name, used[i]);
		at += (double)used[i];
	}
	step = tick_step(total / (1 << 20), 10);
	for (double mib = 0; mib * (1 << 20) <= total * 1.0001 && step > 0; mib += step)
		put_tick_x(out, LEFT + mib * (1 << 20) * scale, MAP_TOP + MAP_HEIGHT, mib);
	fprintf(out, "<text x='%d' y='%d' text-anchor='end'>MiB</text>\n", LEFT - 6, MAP_TOP + MAP_HEIGHT + 17);
}

/* ---- over time ---- */

#define TIME_TOP 222
#define TIME_HEIGHT 260
#define COUNT_TOP 548
#define COUNT_HEIGHT 90
#define HEIGHT 696

struct times {
	const struct wk_memory_report *report;
	enum category nodes[WK_MEMORY_NODES]; /* CATEGORIES: not shown by itself */
	uint32_t node_count;
	double last, top;
	uint64_t count_top;
};

static uint64_t used_by(const struct times *t, const struct wk_memory_sample *sample, int category)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->node_count; i++)
		if ((int)t->nodes[i] == category)
			sum += sample->used[i];
	return sum;
}

static void measure(struct times *t, const struct wk_memory_report *report)
{
	const struct wk_memory_node *nodes = report->account.nodes;

	*t = (struct times){ .report = report };
	t->node_count = report->account.count;
	for (uint32_t i = 0; i < t->node_count; i++)
		t->nodes[i] = nodes[i].depth == 1 ? category_of(nodes[i].name) : CATEGORIES;
	for (uint32_t i = 0; i < report->sample_count; i++) {
		double sum = 0;
		for (int k = 0; k < CATEGORIES; k++)
			sum += (double)used_by(t, &report->samples[i], k);
		if (sum > t->top)
			t->top = sum;
		if (report->samples[i].mappings > t->count_top)
			t->count_top = report->samples[i].mappings;
	}
	t->last = report->sample_count ? report->samples[report->sample_count - 1].seconds : 0;
	if (t->last <= 0)
		t->last = 1e-6;
	if (nodes[0].limit != UINT64_MAX && (double)nodes[0].limit < t->top * 4)
		t->top = (double)nodes[0].limit;
	t->top *= 1.04;
	if (t->top <= 0)
		t->top = 1;
	t->count_top += t->count_top / 10 + 1;
}

static double x_of(const struct times *t, double seconds) { return LEFT + seconds / t->last * PLOT; }
static double y_of(const struct times *t, double bytes) { return TIME_TOP + TIME_HEIGHT - bytes / t->top * TIME_HEIGHT; }

/* Steps: what was taken stays taken until the next change. */
static void put_area(FILE *out, const struct times *t, int category)
{
	const struct wk_memory_report *report = t->report;
	double *below = calloc(report->sample_count + 1, sizeof *below);

	if (!below)
		return;
	for (uint32_t i = 0; i < report->sample_count; i++)
		for (int k = 0; k < category; k++)
			below[i] += (double)used_by(t, &report->samples[i], k);
	fprintf(out, "<polygon fill='%s' fill-opacity='0.9' points='", categories[category].colour);
	for (uint32_t i = 0; i < report->sample_count; i++) {
		double x = x_of(t, report->samples[i].seconds), end = i + 1 < report->sample_count ?
			x_of(t, report->samples[i + 1].seconds) : x;
		double y = y_of(t, below[i] + (double)used_by(t, &report->samples[i], category));
		fprintf(out, "%.1f,%.1f %.1f,%.1f ", x, y, end, y);
	}
	for (uint32_t i = report->sample_count; i-- > 0;) {
		double x = x_of(t, report->samples[i].seconds), end = i + 1 < report->sample_count ?
			x_of(t, report->samples[i + 1].seconds) : x;
		fprintf(out, "%.1f,%.1f %.1f,%.1f ", end, y_of(t, below[i]), x, y_of(t, below[i]));
	}
	fprintf(out, "'><title>%s</title></polygon>\n", categories[category].name);
	free(below);
}

static void put_time_axis(FILE *out, const struct times *t, double y)
{
	double step = tick_step(t->last * 1e3, 10);

	for (double ms = 0; ms <= t->last * 1e3 * 1.0001; ms += step)
		put_tick_x(out, x_of(t, ms / 1e3), y, ms);
	fprintf(out, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#333'/>\n", LEFT, y, WIDTH - RIGHT, y);
	fprintf(out, "<text x='%d' y='%.1f' text-anchor='end'>ms</text>\n", LEFT - 6, y + 17);
}

static void put_timeline(FILE *out, const struct times *t)
{
	const struct wk_memory_node *root = &t->report->account.nodes[0];
	double step = tick_step(t->top / (1 << 20), 6);

	put_heading(out, TIME_TOP - 10, "What takes memory, over time (MiB)");
	for (double mib = 0; mib * (1 << 20) <= t->top; mib += step)
		put_tick_y(out, y_of(t, mib * (1 << 20)), mib);
	for (int k = 0; k < CATEGORIES; k++)
		put_area(out, t, k);
	put_time_axis(out, t, TIME_TOP + TIME_HEIGHT);
	if (root->limit != UINT64_MAX && (double)root->limit <= t->top) {
		double y = y_of(t, (double)root->limit);
		fprintf(out, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#D55E00' stroke-width='2' stroke-dasharray='6 3'/>\n",
			LEFT, y, WIDTH - RIGHT, y);
		fprintf(out, "<text x='%d' y='%.1f' fill='#B34700'>limit: ", LEFT + 4, y + 14);
		put_bytes(out, root->limit);
		fputs("</text>\n", out);
	}
}

static void put_mappings(FILE *out, const struct times *t)
{
	double step = tick_step((double)t->count_top, 3);

	if (step < 1)
		step = 1;
	put_heading(out, COUNT_TOP - 10, "Mappings, over time");
	for (double n = 0; n <= (double)t->count_top; n += step)
		put_tick_y(out, COUNT_TOP + COUNT_HEIGHT - n / (double)t->count_top * COUNT_HEIGHT, n);
	fputs("<polyline fill='none' stroke='#56B4E9' stroke-width='2' points='", out);
	for (uint32_t i = 0; i < t->report->sample_count; i++) {
		const struct wk_memory_sample *s = &t->report->samples[i];
		double y = COUNT_TOP + COUNT_HEIGHT - (double)s->mappings / (double)t->count_top * COUNT_HEIGHT;
		double end = i + 1 < t->report->sample_count ? t->report->samples[i + 1].seconds : s->seconds;
		fprintf(out, "%.1f,%.1f %.1f,%.1f ", x_of(t, s->seconds), y, x_of(t, end), y);
	}
	fputs("'/>\n", out);
	put_time_axis(out, t, COUNT_TOP + COUNT_HEIGHT);
}

static void put_legend(FILE *out, const uint64_t *used, bool free_ram)
{
	double x = LEFT;
	int y = 44;

	for (int i = 0; i < CATEGORIES + free_ram; i++) {
		bool free = i == CATEGORIES;
		if (!free && used[i] == 0)
			continue;
		fprintf(out, "<rect x='%.1f' y='%d' width='12' height='12' fill='%s' stroke='#666' stroke-width='0.5'/><text x='%.1f' y='%d'>%s",
			x, y, free ? FREE_COLOUR : categories[i].colour, x + 17, y + 11, free ? "free" : categories[i].name);
		if (!free) {
			fputs(", ", out);
			put_bytes(out, used[i]);
		}
		fputs("</text>\n", out);
		x += free ? 60 : 40 + 6.6 * ((double)strlen(categories[i].name) + 11);
	}
}

static void put_svg(FILE *out, const struct wk_memory_report *report)
{
	struct times t;
	uint64_t used[CATEGORIES] = { 0 };

	measure(&t, report);
	for (int i = 0; i < CATEGORIES && report->sample_count; i++)
		used[i] = used_by(&t, &report->samples[report->sample_count - 1], i);
	fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='12' "
		"fill='#222'>\n<rect width='%d' height='%d' fill='#fff'/>\n<text x='%d' y='26' font-size='17'>Memory of ", WIDTH, HEIGHT,
		WIDTH, HEIGHT, LEFT);
	put_escaped(out, report->module);
	fputs(report->tee->name ? " in " : " on this machine", out);
	if (report->tee->name)
		put_escaped(out, report->tee->profile.name);
	fputs("</text>\n", out);
	put_legend(out, used, report->ram != NULL);
	put_map(out, report, used);
	put_timeline(out, &t);
	put_mappings(out, &t);
	fputs("</svg>\n", out);
}

/* ---- the page around it ---- */

static void put_table(FILE *out, const struct wk_memory_report *report)
{
	const struct wk_memory_node *nodes = report->account.nodes;
	uint32_t count = report->account.count;

	fputs("<table>\n<tr><th>bytes</th><th>used</th><th>peak</th><th>limit</th></tr>\n", out);
	for (uint32_t i = 0; i < count; i++) {
		fprintf(out, "<tr><td style='padding-left:%uem'>", nodes[i].depth * 2);
		put_escaped(out, nodes[i].name);
		fprintf(out, "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>", nodes[i].used, nodes[i].peak);
		if (nodes[i].limit == UINT64_MAX)
			fputs("&#8211;</td></tr>\n", out);
		else
			fprintf(out, "%" PRIu64 "</td></tr>\n", nodes[i].limit);
	}
	fputs("</table>\n", out);
}

static void put_page(FILE *out, const struct wk_memory_report *report)
{
	const struct wk_refusal *refusal = &report->account.refusal;
	char text[512];

	fputs("<!DOCTYPE html>\n<html lang='en'>\n<head><meta charset='utf-8'><title>Memory of ", out);
	put_escaped(out, report->module);
	fputs("</title>\n<style>body{font:14px sans-serif;max-width:1100px;margin:1em auto;padding:0 1em;color:#222}svg{width:100%}"
		"table{border-collapse:collapse}td,th{padding:2px 12px;border-bottom:1px solid #ddd}td:nth-child(n+2),th:nth-child(n+2)"
		"{text-align:right;font-variant-numeric:tabular-nums}</style></head>\n<body>\n", out);
	put_svg(out, report);
	if (report->account.refusals != 0) {
		wk_refusal_text(refusal, text, sizeof text);
		fputs("<p><b>Memory was refused:</b> ", out);
		put_escaped(out, text);
		wk_refusal_advice(refusal, &report->tee->profile, text, sizeof text);
		fputs(". ", out);
		put_escaped(out, text);
		fputs("</p>\n", out);
	}
	put_table(out, report);
	fputs("</body>\n</html>\n", out);
}

void wk_memory_picture(FILE *out, const struct wk_memory_report *report)
{
	if (report->form == WK_MEMORY_HTML)
		put_page(out, report);
	else
		put_svg(out, report);
}
