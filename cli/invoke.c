/* SPDX-License-Identifier: Apache-2.0
 *
 * Which function of a module runs, and with what. A module is a command (it exports _start) or a reactor (its functions
 * are called one by one, _initialize before the first): the two kinds of WASI preview 1's application ABI. Modules
 * without WASI are treated alike.
 */
#define _GNU_SOURCE 1
#include "invoke.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_status.h"
#include "format/module.h"
#include "message.h"
#include "text.h"
#include "values.h"

#define LISTED 12 /* functions that a message names */

/* Text in memory that grows as it is written. */
static char *text_of(void (*write)(FILE *out, const void *context), const void *context)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write(out, context);
	fclose(out);
	return text;
}

static void write_function_list(FILE *out, const void *context)
{
	const struct wk_module *module = context;
	uint32_t found = 0;

	for (uint32_t i = 0; i < module->export_count; i++) {
		if (module->exports[i].kind != WK_EXTERN_FUNC)
			continue;
		if (found < LISTED) {
			fputs(found ? ", " : "", out);
			wk_text_put(out, module->exports[i].name, false, 60);
		}
		found++;
	}
	if (found > LISTED)
		fprintf(out, " and %" PRIu32 " more", found - LISTED);
}

static bool exports_functions(const struct wk_module *module)
{
	for (uint32_t i = 0; i < module->export_count; i++)
		if (module->exports[i].kind == WK_EXTERN_FUNC)
			return true;
	return false;
}

/* The exported function whose name is nearest; "" when none is near. */
static void find_near_export(const struct wk_module *module, const char *name, char near[64])
{
	size_t best = SIZE_MAX;

	near[0] = 0;
	for (uint32_t i = 0; i < module->export_count; i++) {
		struct wk_span span = module->exports[i].name;
		char candidate[64];
		size_t distance;

		if (module->exports[i].kind != WK_EXTERN_FUNC || span.size >= sizeof(candidate))
			continue;
		memcpy(candidate, span.data, span.size);
		candidate[span.size] = 0;
		distance = wk_text_distance(name, candidate);
		if (distance < best && wk_text_is_near(distance, strlen(name))) {
			best = distance;
			strcpy(near, candidate);
		}
	}
}

static int refuse_name(const char *file, const struct wk_module *module, const char *name)
{
	char near[64];
	char *list;

	if (!exports_functions(module)) {
		wk_message("%s: the module exports no function '%s', nor any other", file, name);
		return WK_EXIT_USAGE;
	}
	find_near_export(module, name, near);
	if (near[0]) {
		wk_message("%s: the module exports no function '%s': did you mean '%s'?", file, name, near);
		return WK_EXIT_USAGE;
	}
	list = text_of(write_function_list, module);
	wk_message("%s: the module exports no function '%s'; it exports: %s", file, name, list ? list : "?");
	free(list);
	return WK_EXIT_USAGE;
}

static int refuse_no_start(const char *file, const struct wk_module *module)
{
	char *list = text_of(write_function_list, module);

	wk_message("%s: the module has no _start function: name one with --invoke: %s", file, list ? list : "?");
	free(list);
	return WK_EXIT_USAGE;
}

struct kinds {
	const enum wk_kind *kinds;
	uint32_t count;
};

static void write_kinds(FILE *out, const void *context)
{
	const struct kinds *list = context;

	for (uint32_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i ? " " : "", wk_values_kind_name(list->kinds[i]));
}

static int refuse_count(const char *file, const char *name, const enum wk_kind *kinds, uint32_t count, int given)
{
	struct kinds list = { kinds, count };
	char *text = text_of(write_kinds, &list);

	wk_message("%s: function '%s' takes %" PRIu32 " argument%s%s%s%s, not %d", file, name, count, count == 1 ? "" : "s",
		count ? " (" : "", text ? text : "", count ? ")" : "", given);
	free(text);
	return WK_EXIT_USAGE;
}

static int read_arguments(const char *file, const struct wk_module *module, const char *name, int count, char **words,
	struct wk_invoke *invoke)
{
	enum wk_kind *kinds = NULL;
	int status = WK_EXIT_SUCCESS;

	kinds = calloc((size_t)invoke->argument_count + 1, sizeof(*kinds));
	invoke->arguments = calloc((size_t)invoke->argument_count + 1, sizeof(*invoke->arguments));
	invoke->results = calloc((size_t)invoke->result_count + 1, sizeof(*invoke->results));
	if (!kinds || !invoke->arguments || !invoke->results) {
		wk_message("out of memory");
		status = WK_EXIT_NO_MEMORY;
		goto out;
	}
	wk_module_function_type(module, name, NULL, kinds, NULL, NULL);
	if ((uint32_t)count != invoke->argument_count) {
		status = refuse_count(file, name, kinds, invoke->argument_count, count);
		goto out;
	}
	for (int i = 0; i < count; i++) {
		if (wk_values_read(words[i], kinds[i], &invoke->arguments[i]))
			continue;
		wk_message("%s: argument %d of '%s', '%s', is no %s: that is %s", file, i + 1, name, words[i],
			wk_values_kind_name(kinds[i]), wk_values_kind_form(kinds[i]));
		status = WK_EXIT_USAGE;
		goto out;
	}
out:
	free(kinds);
	return status;
}

int wk_invoke_prepare(const char *file, const struct wk_module *module, const char *name, int count, char **words,
	struct wk_invoke *invoke)
{
	*invoke = (struct wk_invoke){ .name = name };
	if (name) {
		if (!wk_module_function_type(module, name, &invoke->argument_count, NULL, &invoke->result_count, NULL))
			return refuse_name(file, module, name);
		return read_arguments(file, module, name, count, words, invoke);
	}
	/* Without any function the start section was the program. */
	if (!wk_module_function_type(module, "_start", &invoke->argument_count, NULL, &invoke->result_count, NULL))
		return exports_functions(module) ? refuse_no_start(file, module) : WK_EXIT_SUCCESS;
	if (invoke->argument_count || invoke->result_count) {
		wk_message("%s: its _start takes arguments or returns results, so it is not a program; call it with --invoke",
			file);
		return WK_EXIT_MODULE;
	}
	return WK_EXIT_SUCCESS;
}

void wk_invoke_print(const struct wk_invoke *invoke)
{
	for (uint32_t i = 0; i < invoke->result_count; i++) {
		wk_values_print(stdout, &invoke->results[i]);
		putchar('\n');
	}
}

void wk_invoke_free(struct wk_invoke *invoke)
{
	free(invoke->arguments);
	free(invoke->results);
	*invoke = (struct wk_invoke){ 0 };
}
