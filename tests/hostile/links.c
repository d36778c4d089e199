/* SPDX-License-Identifier: Apache-2.0
 *
 * Imports that are missing, or of another kind or type (specification 4.5.4, 3.5): each must be WK_UNLINKABLE, and the
 * report must name the import.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "host/host.h"
#include "modules.h"

/* A module that imports one thing, "env" "thing", whose description (kind and type, 5.5.5) is given; and types 0 to 2:
 * [] -> [], [i32] -> [], [i32] -> [i32]. */
static void make_import(struct bytes *module, const void *description, size_t size)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\3\x60\0\0\x60\1\x7f\0\x60\1\x7f\1\x7f", 13);
	put_section(module, 1, &s);
	put(&s, 1);
	put_text(&s, "env");
	put_text(&s, "thing");
	put_data(&s, description, size);
	put_section(module, 2, &s);
	bytes_free(&s);
}

static enum wk_status take_i32(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)context, (void)caller, (void)arguments, (void)results;
	return WK_OK;
}

/* What the host gives as "env" "thing". */
static void define(struct wk_store *store, struct wk_linker *linker, char what)
{
	struct wk_external external = { .kind = WK_EXTERN_FUNC };
	const struct wk_table_type table = {
		.element = WK_TYPE_FUNCREF, .limits = { .minimum = 10, .maximum = 20, .has_maximum = true },
	};
	const struct wk_memory_type memory = {
		.limits = { .minimum = 1, .maximum = 2, .has_maximum = true }, .page_log2 = 16,
	};
	const struct wk_global_type constant = { .type = WK_TYPE_I32 }, variable = { .type = WK_TYPE_I32, .mutable_ = true };
	const uint64_t zero[2] = { 0, 0 };
	enum wk_status status = WK_OK;
	switch (what) {
	case 'f': /* [i32] -> [] */
		status = wk_linker_define_function(linker, "env", "thing", "i:", take_i32, NULL);
		break;
	case 't':
		external.kind = WK_EXTERN_TABLE;
		status = wk_table_new(store, &table, 0, &external.of.table);
		break;
	case 'm':
		external.kind = WK_EXTERN_MEMORY;
		status = wk_memory_new(store, &memory, &external.of.memory);
		break;
	case 'g':
	case 'v':
		external.kind = WK_EXTERN_GLOBAL;
		status = wk_global_new(store, what == 'g' ? &constant : &variable, zero, &external.of.global);
		break;
	default: /* nothing */
		return;
	}
	if (status == WK_OK && what != 'f')
		status = wk_linker_define(linker, "env", "thing", external);
	if (status != WK_OK)
		check(false, "defining an import", wk_status_text(status));
}

struct link {
	const char *name;
	char given;
	const char *description;
	size_t size;
	bool links;
};

#define DESCRIPTION(text) text, sizeof(text) - 1
static const struct link links[] = {
	{ "a function that is missing", '-', DESCRIPTION("\0\1"), false },
	{ "a table that is missing", '-', DESCRIPTION("\1\x70\0\1"), false },
	{ "a memory that is missing", '-', DESCRIPTION("\2\0\1"), false },
	{ "a global that is missing", '-', DESCRIPTION("\3\x7f\0"), false },
	{ "a tag that is missing", '-', DESCRIPTION("\4\0\1"), false },
	{ "a function", 'f', DESCRIPTION("\0\1"), true },
	{ "a function with fewer parameters", 'f', DESCRIPTION("\0\0"), false },
	{ "a function with a result", 'f', DESCRIPTION("\0\2"), false },
	{ "a function for a table", 'f', DESCRIPTION("\1\x70\0\1"), false },
	{ "a function for a memory", 'f', DESCRIPTION("\2\0\1"), false },
	{ "a function for a global", 'f', DESCRIPTION("\3\x7f\0"), false },
	{ "a function for a tag", 'f', DESCRIPTION("\4\0\1"), false },
	{ "a table", 't', DESCRIPTION("\1\x70\1\x0a\x14"), true },
	{ "a table with wider limits", 't', DESCRIPTION("\1\x70\0\1"), true },
	{ "a larger table", 't', DESCRIPTION("\1\x70\0\x0b"), false },
	{ "a table with a smaller maximum", 't', DESCRIPTION("\1\x70\1\x0a\x13"), false },
	{ "a table of externref", 't', DESCRIPTION("\1\x6f\0\x0a"), false },
	{ "a table with 64-bit indices", 't', DESCRIPTION("\1\x70\4\x0a"), false },
	{ "a table for a function", 't', DESCRIPTION("\0\1"), false },
	{ "a memory", 'm', DESCRIPTION("\2\1\1\2"), true },
	{ "a larger memory", 'm', DESCRIPTION("\2\0\2"), false },
	{ "a memory with a smaller maximum", 'm', DESCRIPTION("\2\1\1\1"), false },
	{ "a memory with 64-bit addresses", 'm', DESCRIPTION("\2\4\1"), false },
	{ "a memory for a global", 'm', DESCRIPTION("\3\x7f\0"), false },
	{ "a global", 'g', DESCRIPTION("\3\x7f\0"), true },
	{ "a global of another type", 'g', DESCRIPTION("\3\x7e\0"), false },
	{ "a global that shall be mutable", 'g', DESCRIPTION("\3\x7f\1"), false },
	{ "a mutable global", 'v', DESCRIPTION("\3\x7f\1"), true },
	{ "a global that shall not be mutable", 'v', DESCRIPTION("\3\x7f\0"), false },
	{ "a global for a function", 'g', DESCRIPTION("\0\1"), false },
};

static void test_link(const struct link *link)
{
	struct bytes bytes = { 0 };
	struct wk_keep *keep = NULL;
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_module *module = NULL;
	struct wk_instance *instance = NULL;
	static struct wk_report report;
	char name[80];
	snprintf(name, sizeof name, "import: %s", link->name);
	make_import(&bytes, link->description, link->size);
	wk_report_clear(&report);
	if (wk_keep_new(NULL, &keep) != WK_OK || wk_store_new(keep, NULL, &store) != WK_OK
		|| wk_linker_new(store, &linker) != WK_OK)
		exit(1);
	define(store, linker, link->given);
	enum wk_status status = wk_module_load(keep, bytes.data, bytes.size, WK_LOAD_COPY, &report, &module);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, &report, &instance);
	if (status != (link->links ? WK_OK : WK_UNLINKABLE))
		check(false, name, report.text[0] != 0 ? report.text : wk_status_text(status));
	else
		check(link->links || (strstr(report.text, "env") != NULL && strstr(report.text, "thing") != NULL), name,
			report.text);
	if (module != NULL)
		wk_module_release(module);
	wk_linker_delete(linker);
	wk_store_delete(store);
	wk_keep_delete(keep);
	bytes_free(&bytes);
}

void test_links(void)
{
	for (size_t i = 0; i < WK_COUNT(links); i++)
		test_link(&links[i]);
}
