/* SPDX-License-Identifier: Apache-2.0
 *
 * One script: its modules live in one store, its commands run in order.
 *
 * A module that needs garbage-collected types is refused by name; it is remembered as such, and what depends on it (a
 * call into it, a module that imports from it) is counted as skipped. The script's other modules run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/limits.h"
#include "runtime/operations.h"
#include "spec.h"

struct entry {
	const char *name;             /* "$M" or ""; lives in the JSON tree */
	struct wk_module *module;     /* held, of a definition only */
	struct wk_instance *instance; /* NULL: a definition, or refused */
	bool gc;                      /* refused because it needs garbage-collected types */
};

struct script {
	const struct spec_options *options;
	const char *source;           /* "address.wast" */
	struct spec_counts *counts;
	const cJSON *command;
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct entry *entries;        /* room for one a command */
	size_t entry_count;
	const char **gc_names;        /* registered names of refused modules; room for one a command */
	size_t gc_name_count;
	struct wk_report report;
};

enum outcome { PASSED, FAILED, SKIPPED_TEXT, SKIPPED_GC };

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return text ? text : "";
}

static enum outcome fail(const struct script *script, const char *expected, const char *got)
{
	printf("%s:%d: %s: expected %s, got %s\n", script->source, (int)script->counts->line,
		text_of(script->command, "type"), expected, got);
	return FAILED;
}

/* For a status: its name, what the report says, and the trap. */
static enum outcome fail_status(const struct script *script, const char *expected, enum wk_status status)
{
	char got[WK_REPORT_TEXT + 128];
	snprintf(got, sizeof got, "%s (%s%s%s)", wk_status_text(status), script->report.text,
		status == WK_TRAP ? "; trap: " : "", status == WK_TRAP ? wk_trap_text(script->report.trap) : "");
	return fail(script, expected, got);
}

/* The suite's rule for messages: one begins with the other. */
static bool message_meets(const char *expected, const char *ours)
{
	size_t size = strlen(ours) < strlen(expected) ? strlen(ours) : strlen(expected);
	return size > 0 && strncmp(expected, ours, size) == 0;
}

/* ---- loading ---- */

static bool names_gc(const char *text)
{
	static const char *const words[] = { "struct", "array", "i31", "ref.test", "ref.cast", "ref.eq", "br_on_cast",
		"any.convert", "extern.convert" };
	for (size_t i = 0; i < WK_COUNT(words); i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

/* Was the module refused because of garbage-collected types? Remembers the first reason of the script. */
static bool is_gc_refusal(struct script *script, enum wk_status status)
{
	if (status != WK_UNSUPPORTED || !names_gc(script->report.text))
		return false;
	if (script->counts->gc_feature[0] == 0)
		snprintf(script->counts->gc_feature, sizeof script->counts->gc_feature, "%s", script->report.text);
	return true;
}

/* Reads a whole file into malloc'ed memory with a NUL behind it; NULL on failure. */
static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	char *bytes = NULL;
	long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
	if (length >= 0 && fseek(file, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)length + 1);
	if (bytes != NULL && fread(bytes, 1, (size_t)length, file) != (size_t)length) {
		free(bytes);
		bytes = NULL;
	}
	fclose(file);
	if (bytes != NULL) {
		bytes[length] = 0;
		*size = (size_t)length;
	}
	return bytes;
}

static enum wk_status load(struct script *script, struct wk_module **module)
{
	char path[4096];
	size_t size = 0;
	snprintf(path, sizeof path, "%s/%s", script->options->directory, text_of(script->command, "filename"));
	wk_report_clear(&script->report);
	char *bytes = read_file(path, &size);
	if (bytes == NULL) {
		snprintf(script->report.text, sizeof script->report.text, "cannot read %s", path);
		return WK_IO;
	}
	enum wk_status status = wk_module_load(script->keep, bytes, size, WK_LOAD_COPY, &script->report, module);
	free(bytes);
	return status;
}

static bool imports_from_gc(const struct script *script, const struct wk_module *module)
{
	for (uint32_t i = 0; i < module->import_count; i++)
		for (size_t n = 0; n < script->gc_name_count; n++)
			if (wk_span_equal(module->imports[i].module, wk_span_of_text(script->gc_names[n])))
				return true;
	return false;
}

/* ---- modules ---- */

static struct entry *entry_find(struct script *script, const char *name, bool definition)
{
	for (size_t i = script->entry_count; i-- > 0;) {
		struct entry *entry = &script->entries[i];
		bool is_definition = entry->module != NULL;
		if (is_definition == definition && (name[0] == 0 || strcmp(entry->name, name) == 0))
			return entry;
	}
	return NULL;
}

static enum outcome add_refused(struct script *script, const char *name)
{
	script->entries[script->entry_count++] = (struct entry){ .name = name, .gc = true };
	return SKIPPED_GC;
}

static enum outcome instantiate(struct script *script, struct wk_module *module, const char *name)
{
	struct wk_instance *instance = NULL;
	if (imports_from_gc(script, module))
		return add_refused(script, name);
	enum wk_status status = wk_linker_instantiate(script->linker, module, &script->report, &instance);
	if (status != WK_OK)
		return fail_status(script, "an instance", status);
	script->entries[script->entry_count++] = (struct entry){ .name = name, .instance = instance };
	return PASSED;
}

static enum outcome run_module(struct script *script)
{
	struct wk_module *module = NULL;
	const char *name = text_of(script->command, "name");
	enum wk_status status = load(script, &module);
	if (is_gc_refusal(script, status))
		return add_refused(script, name);
	if (status != WK_OK)
		return fail_status(script, "a module", status);
	enum outcome outcome = instantiate(script, module, name);
	wk_module_release(module);
	return outcome;
}

static enum outcome run_module_definition(struct script *script)
{
	struct entry entry = { .name = text_of(script->command, "name") };
	enum wk_status status = load(script, &entry.module);
	entry.gc = is_gc_refusal(script, status);
	if (status != WK_OK && !entry.gc)
		return fail_status(script, "a module", status);
	script->entries[script->entry_count++] = entry;
	return entry.gc ? SKIPPED_GC : PASSED;
}

static enum outcome run_module_instance(struct script *script)
{
	struct entry *definition = entry_find(script, text_of(script->command, "module"), true);
	if (definition == NULL)
		return add_refused(script, text_of(script->command, "instance"));
	wk_report_clear(&script->report);
	return instantiate(script, definition->module, text_of(script->command, "instance"));
}

static enum outcome run_register(struct script *script)
{
	struct entry *entry = entry_find(script, text_of(script->command, "name"), false);
	const char *as = text_of(script->command, "as");
	if (entry == NULL)
		return fail(script, "a module to register", "none");
	if (entry->gc) {
		script->gc_names[script->gc_name_count++] = as;
		return SKIPPED_GC;
	}
	enum wk_status status = wk_linker_define_instance(script->linker, as, entry->instance);
	return status == WK_OK ? PASSED : fail_status(script, "a registered module", status);
}

/* ---- actions ---- */

struct result {
	enum wk_status status;
	uint32_t count;
	const wk_valtype *types;
	wk_valtype global_type;
	uint64_t slots[2 * (WK_MAX_PARAMETERS + WK_MAX_RESULTS)];
};

/* cJSON's strings end at the first NUL, so the reader writes a NUL in a name as C0 80, which is not UTF-8: see
 * spec_script_run. Here it becomes a NUL again. */
static struct wk_span decode_name(char *text)
{
	size_t to = 0;
	for (size_t from = 0; text[from] != 0; to++) {
		bool nul = (uint8_t)text[from] == 0xc0 && (uint8_t)text[from + 1] == 0x80;
		text[to] = nul ? 0 : text[from];
		from += nul ? 2 : 1;
	}
	return wk_span(text, to);
}

static bool find_export(struct wk_instance *instance, const cJSON *action, enum wk_extern kind,
	struct wk_external *external)
{
	const char *field = text_of(action, "field");
	char *copy = malloc(strlen(field) + 1);
	if (copy == NULL)
		return false;
	strcpy(copy, field);
	bool found = wk_instance_export(instance, decode_name(copy), external) && external->kind == kind;
	free(copy);
	return found;
}

static enum outcome act_get(struct script *script, struct wk_instance *instance, const cJSON *action,
	struct result *result)
{
	struct wk_external external;
	if (!find_export(instance, action, WK_EXTERN_GLOBAL, &external))
		return fail(script, "an exported global", text_of(action, "field"));
	result->status = WK_OK;
	result->count = 1;
	result->global_type = external.of.global->type.type;
	result->types = &result->global_type;
	memcpy(result->slots, external.of.global->slots, sizeof external.of.global->slots);
	return PASSED;
}

static enum outcome act_invoke(struct script *script, struct wk_instance *instance, const cJSON *action,
	struct result *result)
{
	struct wk_external external;
	if (!find_export(instance, action, WK_EXTERN_FUNC, &external))
		return fail(script, "an exported function", text_of(action, "field"));
	struct wk_func *func = external.of.func;
	const struct wk_deftype *type = wk_registry_get(instance->module->registry, func->type);
	const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(action, "args");
	if (cJSON_GetArraySize(arguments) != (int)type->parameter_count)
		return fail(script, "as many arguments as parameters", "others");
	uint32_t at = 0, slot = 0;
	const cJSON *argument = NULL;
	cJSON_ArrayForEach(argument, arguments) {
		if (!spec_value_read(argument, type->types[at], &result->slots[slot]))
			return fail(script, "an argument of the parameter's type", "another");
		slot += wk_slots_of(type->types[at++]);
	}
	result->count = type->result_count;
	result->types = wk_results_of(type);
	result->status = wk_call(func, result->slots, &script->report);
	return PASSED;
}

/* PASSED: the action was done, result->status says how it ended. */
static enum outcome act(struct script *script, struct result *result)
{
	const cJSON *action = cJSON_GetObjectItemCaseSensitive(script->command, "action");
	struct entry *entry = entry_find(script, text_of(action, "module"), false);
	if (entry == NULL)
		return fail(script, "an instance to act on", "none");
	if (entry->gc)
		return SKIPPED_GC;
	wk_report_clear(&script->report);
	return strcmp(text_of(action, "type"), "get") == 0 ? act_get(script, entry->instance, action, result)
		: act_invoke(script, entry->instance, action, result);
}

static enum outcome check_results(const struct script *script, const struct result *result)
{
	const cJSON *expected = cJSON_GetObjectItemCaseSensitive(script->command, "expected");
	if (cJSON_GetArraySize(expected) != (int)result->count)
		return fail(script, "as many results as the suite", "others");
	uint32_t at = 0, slot = 0;
	const cJSON *value = NULL;
	cJSON_ArrayForEach(value, expected) {
		if (!spec_value_meets(value, result->types[at], &result->slots[slot])) {
			char got[128];
			spec_value_text(result->types[at], &result->slots[slot], got, sizeof got);
			char *text = cJSON_PrintUnformatted(value);
			fail(script, text ? text : "another", got);
			cJSON_free(text);
			return FAILED;
		}
		slot += wk_slots_of(result->types[at++]);
	}
	return PASSED;
}

static enum outcome run_return(struct script *script)
{
	static struct result result; /* large, and one script runs at a time */
	enum outcome outcome = act(script, &result);
	if (outcome != PASSED)
		return outcome;
	return result.status == WK_OK ? check_results(script, &result)
		: fail_status(script, "to return", result.status);
}

/* An `action` alone: it must return, what does not matter. */
static enum outcome run_action(struct script *script)
{
	static struct result result;
	enum outcome outcome = act(script, &result);
	if (outcome != PASSED || result.status == WK_OK)
		return outcome;
	return fail_status(script, "to return", result.status);
}

/* assert_trap, assert_exhaustion and assert_exception. */
static enum outcome run_stop(struct script *script, enum wk_status expected)
{
	static struct result result;
	enum outcome outcome = act(script, &result);
	if (outcome != PASSED)
		return outcome;
	const char *text = text_of(script->command, "text");
	if (result.status != expected)
		return fail_status(script, expected == WK_TRAP ? text : "an exception", result.status);
	if (expected == WK_TRAP && !message_meets(text, wk_trap_text(script->report.trap)))
		return fail_status(script, text, result.status);
	return PASSED;
}

/* ---- modules that must be refused ---- */

static enum outcome run_refused(struct script *script, enum wk_status expected)
{
	struct wk_module *module = NULL;
	if (strcmp(text_of(script->command, "module_type"), "text") == 0)
		return SKIPPED_TEXT;
	enum wk_status status = load(script, &module);
	if (status == WK_OK)
		wk_module_release(module);
	if (is_gc_refusal(script, status))
		return SKIPPED_GC;
	return status == expected ? PASSED : fail_status(script, text_of(script->command, "text"), status);
}

/* assert_unlinkable, and assert_uninstantiable: a trap in a segment or the start function. */
static enum outcome run_not_instantiated(struct script *script, enum wk_status expected)
{
	struct wk_module *module = NULL;
	struct wk_instance *instance = NULL;
	const char *text = text_of(script->command, "text");
	enum wk_status status = load(script, &module);
	if (is_gc_refusal(script, status))
		return SKIPPED_GC;
	if (status != WK_OK)
		return fail_status(script, "a module that loads", status);
	enum outcome outcome = PASSED;
	if (imports_from_gc(script, module)) {
		outcome = SKIPPED_GC;
	} else {
		status = wk_linker_instantiate(script->linker, module, &script->report, &instance);
		bool right = status == expected;
		if (right && expected == WK_TRAP)
			right = message_meets(text, wk_trap_text(script->report.trap));
		outcome = right ? PASSED : fail_status(script, text, status);
	}
	wk_module_release(module);
	return outcome;
}

/* ---- the script ---- */

static enum outcome run_command(struct script *script)
{
	const char *type = text_of(script->command, "type");
	if (strcmp(type, "assert_return") == 0)
		return run_return(script);
	if (strcmp(type, "assert_trap") == 0 || strcmp(type, "assert_exhaustion") == 0)
		return run_stop(script, WK_TRAP);
	if (strcmp(type, "assert_exception") == 0)
		return run_stop(script, WK_EXCEPTION);
	if (strcmp(type, "action") == 0)
		return run_action(script);
	if (strcmp(type, "module") == 0)
		return run_module(script);
	if (strcmp(type, "module_definition") == 0)
		return run_module_definition(script);
	if (strcmp(type, "module_instance") == 0)
		return run_module_instance(script);
	if (strcmp(type, "register") == 0)
		return run_register(script);
	if (strcmp(type, "assert_invalid") == 0)
		return run_refused(script, WK_INVALID);
	if (strcmp(type, "assert_malformed") == 0)
		return run_refused(script, WK_MALFORMED);
	if (strcmp(type, "assert_unlinkable") == 0)
		return run_not_instantiated(script, WK_UNLINKABLE);
	if (strcmp(type, "assert_uninstantiable") == 0)
		return run_not_instantiated(script, WK_TRAP);
	return fail(script, "a command known to the runner", "another");
}

static void count(struct spec_counts *counts, enum outcome outcome)
{
	switch (outcome) {
	case PASSED: counts->passed++; break;
	case FAILED: counts->failed++; break;
	case SKIPPED_TEXT: counts->skipped++; counts->text_modules++; break;
	case SKIPPED_GC: counts->skipped++; counts->gc_commands++; break;
	}
}

static bool script_begin(struct script *script, size_t commands)
{
	script->entries = calloc(commands + 1, sizeof *script->entries);
	script->gc_names = calloc(commands + 1, sizeof *script->gc_names);
	if (script->entries == NULL || script->gc_names == NULL)
		return false;
	return wk_keep_new(NULL, &script->keep) == WK_OK
		&& wk_store_new(script->keep, NULL, &script->store) == WK_OK
		&& wk_linker_new(script->store, &script->linker) == WK_OK
		&& spec_spectest_define(script->store, script->linker, script->options->verbose) == WK_OK;
}

static void script_end(struct script *script)
{
	for (size_t i = 0; i < script->entry_count; i++)
		if (script->entries[i].module != NULL)
			wk_module_release(script->entries[i].module);
	if (script->linker != NULL)
		wk_linker_delete(script->linker);
	if (script->store != NULL)
		wk_store_delete(script->store);
	wk_keep_delete(script->keep);
	free(script->entries);
	free(script->gc_names);
}

/* Writes every NUL of a JSON text's strings as the bytes C0 80, in place. */
static void hide_nuls(char *text)
{
	char *to = text;
	for (const char *from = text; *from != 0;) {
		if (strncmp(from, "\\u0000", 6) == 0) {
			*to++ = (char)0xc0;
			*to++ = (char)0x80;
			from += 6;
			continue;
		}
		if (*from == '\\' && from[1] != 0)
			*to++ = *from++;
		*to++ = *from++;
	}
	*to = 0;
}

void spec_script_run(const struct spec_options *options, const char *name, struct spec_counts *counts)
{
	char path[4096];
	size_t size = 0;
	snprintf(path, sizeof path, "%s/%s.json", options->directory, name);
	char *text = read_file(path, &size);
	if (text != NULL)
		hide_nuls(text);
	cJSON *json = text != NULL ? cJSON_Parse(text) : NULL;
	free(text);
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(json, "commands");
	if (!cJSON_IsArray(commands)) {
		printf("%s: cannot read the script\n", path);
		cJSON_Delete(json);
		return;
	}

	struct script script = { .options = options, .counts = counts };
	script.source = text_of(json, "source_filename");
	counts->commands = (uint32_t)cJSON_GetArraySize(commands);
	if (script_begin(&script, counts->commands)) {
		cJSON_ArrayForEach(script.command, commands) {
			const cJSON *line = cJSON_GetObjectItemCaseSensitive(script.command, "line");
			counts->line = cJSON_IsNumber(line) ? line->valueint : 0;
			count(counts, run_command(&script));
		}
		counts->done = true;
	} else {
		printf("%s: cannot make a store\n", script.source);
	}
	script_end(&script);
	cJSON_Delete(json);
}
