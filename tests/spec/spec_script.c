/* SPDX-License-Identifier: Apache-2.0
 *
 * One script: its modules live in one store of the server's, its commands run in order. Once nothing in the store can be
 * reached by what follows in the script, a new one is made: scripts of hundreds of modules would not fit in a TEE.
 *
 * A module that needs garbage-collected types is refused by name; it is remembered as such, and what depends on it (a
 * call into it, a module that imports from it) is counted as skipped. The script's other modules run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/bytes.h"
#include "remote/task.h"
#include "spec/spec.h"

/* A module or instance; its number at the server is its place in the list. */
struct entry {
	const char *name;             /* "$M" or ""; lives in the JSON tree */
	bool definition;              /* a module, to be instantiated later */
	bool gc;                      /* refused because it needs garbage-collected types */
};

struct script {
	const struct spec_options *options;
	const char *source;           /* "address.wast" */
	struct spec_counts *counts;
	const struct spec_json *command;
	struct spec_way *way;
	struct entry *entries;        /* room for one a command */
	uint32_t entry_count;
	const char **gc_names;        /* registered names of refused modules; room for one a command */
	size_t gc_name_count;
	bool registered;              /* something of the store may be imported */
	bool old;                     /* something has been instantiated in it, or begun to be */
	bool imports_from_gc;         /* the module that was loaded last */
	bool gone;                    /* nobody answers any more */
	struct wk_report report;      /* of the last answer, */
	struct wk_reader answer;      /* and what came with it */
	char subject[WK_SUBJECT_MAX];
};

enum outcome { PASSED, FAILED, SKIPPED_TEXT, SKIPPED_GC, SKIPPED_MEMORY };

static const char *text_of(const struct spec_json *object, const char *key)
{
	return spec_json_text(object, key);
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

/* ---- asking ---- */

static struct wk_writer request(const struct script *script, enum spec_operation operation, uint32_t number)
{
	struct wk_writer w = { spec_way_request(script->way), SPEC_REQUEST_MAX, 0 };
	wk_write32(&w, operation);
	if (operation != SPEC_BEGIN)
		wk_write32(&w, number);
	return w;
}

static void write_name(struct wk_writer *w, const char *name, size_t size)
{
	wk_write32(w, (uint32_t)size);
	wk_write(w, name, size);
}

static enum wk_status fault(struct script *script, enum wk_status status, const char *text)
{
	wk_report_clear(&script->report);
	snprintf(script->report.text, sizeof script->report.text, "%s", text);
	script->report.status = status;
	return status;
}

/* Sends what was written; the status is that of the answer's report. */
static enum wk_status ask(struct script *script, const struct wk_writer *w)
{
	size_t size = 0;
	const char *why = "";
	if (w->used > w->room)
		return fault(script, WK_LIMIT, "a request that is too long for the runner");
	const uint8_t *answer = spec_way_ask(script->way, w->used, &size, &why);
	if (answer == NULL) {
		script->gone = true;
		return fault(script, WK_IO, why);
	}
	script->answer = (struct wk_reader){ answer, answer + size, false };
	uint32_t report_size = wk_read32(&script->answer);
	const uint8_t *report = wk_read(&script->answer, report_size);
	if (report == NULL || !wk_report_read(report, report_size, &script->report, script->subject))
		return fault(script, WK_IO, "the server's answer is no report");
	return script->report.status;
}

static enum wk_status ask_number(struct script *script, enum spec_operation operation, uint32_t number)
{
	struct wk_writer w = request(script, operation, number);
	return ask(script, &w);
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

/* Reads the answer's list of modules that are imported from. */
static bool read_imports_from_gc(struct script *script)
{
	bool found = false;
	for (uint32_t count = wk_read32(&script->answer); count > 0 && !script->answer.short_; count--) {
		uint32_t size = wk_read32(&script->answer);
		const uint8_t *name = wk_read(&script->answer, size);
		for (size_t n = 0; name != NULL && n < script->gc_name_count; n++)
			found |= wk_span_equal(wk_span(name, size), wk_span_of_text(script->gc_names[n]));
	}
	return found;
}

/* Lets the server load the command's file as module `number`. */
static enum wk_status load(struct script *script, uint32_t number)
{
	char path[4096];
	size_t size = 0;
	snprintf(path, sizeof path, "%s/%s", script->options->directory, text_of(script->command, "filename"));
	char *bytes = read_file(path, &size);
	if (bytes == NULL)
		return fault(script, WK_IO, "the module's file cannot be read");
	struct wk_writer w = request(script, SPEC_LOAD, number);
	wk_write(&w, bytes, size);
	free(bytes);
	enum wk_status status = ask(script, &w);
	script->imports_from_gc = status == WK_OK && read_imports_from_gc(script);
	return status;
}

static enum wk_status release(struct script *script, uint32_t number)
{
	return ask_number(script, SPEC_RELEASE, number);
}

/* ---- modules ---- */

/* The last of that name, or the last of all if the name is empty. */
static struct entry *entry_find(struct script *script, const char *name, bool definition)
{
	for (uint32_t i = script->entry_count; i-- > 0;) {
		struct entry *entry = &script->entries[i];
		if (entry->definition == definition && (name[0] == 0 || strcmp(entry->name, name) == 0))
			return entry;
	}
	return NULL;
}

static uint32_t number_of(const struct script *script, const struct entry *entry)
{
	return (uint32_t)(entry - script->entries);
}

static enum outcome add_refused(struct script *script, const char *name)
{
	script->entries[script->entry_count++] = (struct entry){ .name = name, .gc = true };
	return SKIPPED_GC;
}

/* Instantiates module `number` as the next entry. */
static enum outcome instantiate(struct script *script, uint32_t number, const char *name)
{
	struct wk_writer w = request(script, SPEC_INSTANTIATE, number);
	wk_write32(&w, script->entry_count);
	enum wk_status status = ask(script, &w);
	if (status != WK_OK)
		return fail_status(script, "an instance", status);
	script->entries[script->entry_count++] = (struct entry){ .name = name };
	return PASSED;
}

static bool is_named(const struct script *script, const char *name)
{
	for (uint32_t i = 0; i < script->entry_count; i++)
		if (name[0] != 0 && strcmp(script->entries[i].name, name) == 0)
			return true;
	return false;
}

/* Does the command refer to an instance that is there? Without a name it means the last, unless that is `replaced`. */
static bool refers(const struct script *script, const struct spec_json *command, bool replaced)
{
	const struct spec_json *action = spec_json_get(command, "action");
	bool registers = strcmp(text_of(command, "type"), "register") == 0;
	const char *name = action != NULL ? text_of(action, "module") : text_of(command, "name");
	return (action != NULL || registers) && (name[0] == 0 ? !replaced : is_named(script, name));
}

/* Does anything behind this command need what is in the store? */
static bool is_needed(struct script *script)
{
	bool replaced = strcmp(text_of(script->command, "type"), "module") == 0;
	if (script->registered || entry_find(script, "", true) != NULL)
		return true;
	for (const struct spec_json *later = script->command->next; later != NULL; later = later->next) {
		if (refers(script, later, replaced))
			return true;
		replaced |= strcmp(text_of(later, "type"), "module") == 0;
	}
	return false;
}

static enum wk_status begin_store(struct script *script)
{
	script->entry_count = 0;
	script->old = false;
	return ask_number(script, SPEC_BEGIN, 0);
}

/* Before a module is loaded that becomes an instance, wholly or in part. */
static enum wk_status renew_store(struct script *script)
{
	bool renew = script->old && !is_needed(script);
	script->old = true;
	return renew ? begin_store(script) : WK_OK;
}

static enum outcome run_module(struct script *script)
{
	const char *name = text_of(script->command, "name");
	if (renew_store(script) != WK_OK)
		return fail_status(script, "a new store", script->report.status);
	uint32_t number = script->entry_count;
	enum wk_status status = load(script, number);
	if (is_gc_refusal(script, status))
		return add_refused(script, name);
	if (status != WK_OK)
		return fail_status(script, "a module", status);
	enum outcome outcome = script->imports_from_gc ? add_refused(script, name) : instantiate(script, number, name);
	status = release(script, number);
	return status == WK_OK ? outcome : fail_status(script, "a module to release", status);
}

static enum outcome run_module_definition(struct script *script)
{
	struct entry entry = { .name = text_of(script->command, "name") };
	enum wk_status status = load(script, script->entry_count);
	entry.gc = is_gc_refusal(script, status);
	entry.definition = !entry.gc;
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
	return instantiate(script, number_of(script, definition), text_of(script->command, "instance"));
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
	struct wk_writer w = request(script, SPEC_REGISTER, number_of(script, entry));
	write_name(&w, as, strlen(as));
	enum wk_status status = ask(script, &w);
	script->registered = true;
	return status == WK_OK ? PASSED : fail_status(script, "a registered module", status);
}

/* ---- actions ---- */

/* PASSED: the action was done, *status says how it ended, and results are the answer's. */
static enum outcome act(struct script *script, enum wk_status *status)
{
	const struct spec_json *action = spec_json_get(script->command, "action");
	const struct spec_json *field = spec_json_get(action, "field");
	const struct spec_json *arguments = spec_json_get(action, "args");
	bool get = strcmp(text_of(action, "type"), "get") == 0;
	struct entry *entry = entry_find(script, text_of(action, "module"), false);
	if (entry == NULL || field == NULL)
		return fail(script, "an instance to act on", "none");
	if (entry->gc)
		return SKIPPED_GC;
	struct wk_writer w = request(script, get ? SPEC_GET : SPEC_INVOKE, number_of(script, entry));
	write_name(&w, field->text, field->size);
	if (!get) {
		wk_write32(&w, arguments ? arguments->count : 0);
		for (const struct spec_json *one = arguments ? arguments->first : NULL; one != NULL; one = one->next) {
			struct spec_value value;
			spec_value_read(one, &value);
			wk_write(&w, &value, sizeof value);
		}
	}
	*status = ask(script, &w);
	return PASSED;
}

static enum outcome check_results(struct script *script)
{
	const struct spec_json *expected = spec_json_get(script->command, "expected");
	uint32_t count = wk_read32(&script->answer);
	if (expected == NULL || expected->count != count)
		return fail(script, "as many results as the suite", "others");
	for (const struct spec_json *one = expected->first; one != NULL; one = one->next) {
		struct spec_value value = { 0 };
		const uint8_t *bytes = wk_read(&script->answer, sizeof value);
		if (bytes != NULL)
			memcpy(&value, bytes, sizeof value);
		if (!spec_value_meets(one, &value)) {
			char got[128], wanted[512];
			spec_value_text(&value, got, sizeof got);
			spec_expected_text(one, wanted, sizeof wanted);
			return fail(script, wanted, got);
		}
	}
	return PASSED;
}

static enum outcome run_return(struct script *script)
{
	enum wk_status status = WK_OK;
	enum outcome outcome = act(script, &status);
	if (outcome != PASSED)
		return outcome;
	return status == WK_OK ? check_results(script) : fail_status(script, "to return", status);
}

/* An `action` alone: it must return, what does not matter. */
static enum outcome run_action(struct script *script)
{
	enum wk_status status = WK_OK;
	enum outcome outcome = act(script, &status);
	return outcome != PASSED || status == WK_OK ? outcome : fail_status(script, "to return", status);
}

/* assert_trap, assert_exhaustion and assert_exception. */
static enum outcome run_stop(struct script *script, enum wk_status expected)
{
	const char *text = text_of(script->command, "text");
	enum wk_status status = WK_OK;
	enum outcome outcome = act(script, &status);
	if (outcome != PASSED)
		return outcome;
	if (status != expected)
		return fail_status(script, expected == WK_TRAP ? text : "an exception", status);
	if (expected == WK_TRAP && !message_meets(text, wk_trap_text(script->report.trap)))
		return fail_status(script, text, status);
	return PASSED;
}

/* ---- modules that must be refused ---- */

static enum outcome run_refused(struct script *script, enum wk_status expected)
{
	uint32_t number = script->entry_count;
	if (strcmp(text_of(script->command, "module_type"), "text") == 0)
		return SKIPPED_TEXT;
	enum wk_status status = load(script, number);
	if (status == WK_OK && release(script, number) != WK_OK)
		return fail(script, "a module to release", "none");
	if (is_gc_refusal(script, status))
		return SKIPPED_GC;
	return status == expected ? PASSED : fail_status(script, text_of(script->command, "text"), status);
}

/* assert_unlinkable, and assert_uninstantiable: a trap in a segment or the start function. */
static enum outcome run_not_instantiated(struct script *script, enum wk_status expected)
{
	const char *text = text_of(script->command, "text");
	if (renew_store(script) != WK_OK)
		return fail_status(script, "a new store", script->report.status);
	uint32_t number = script->entry_count;
	enum wk_status status = load(script, number);
	if (is_gc_refusal(script, status))
		return SKIPPED_GC;
	if (status != WK_OK)
		return fail_status(script, "a module that loads", status);
	enum outcome outcome = SKIPPED_GC;
	if (!script->imports_from_gc) {
		struct wk_writer w = request(script, SPEC_INSTANTIATE, number);
		wk_write32(&w, number);
		status = ask(script, &w);
		bool right = status == expected;
		if (right && expected == WK_TRAP)
			right = message_meets(text, wk_trap_text(script->report.trap));
		outcome = right ? PASSED : fail_status(script, text, status);
		if (status == WK_OK) /* an instance has the number now */
			script->entries[script->entry_count++] = (struct entry){ .name = "" };
	}
	status = release(script, number);
	return status == WK_OK ? outcome : fail_status(script, "a module to release", status);
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

/* What fails although the options know that there is too little memory for it is skipped. What they do not name fails. */
static enum outcome excuse(const struct script *script, enum outcome outcome)
{
	const char *excuses = script->options->excuses;
	char name[256];
	int length = snprintf(name, sizeof name, "%s:%d ", script->source, (int)script->counts->line);
	for (const char *at = excuses; outcome == FAILED && at != NULL && length > 0; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, (size_t)length) != 0)
			continue;
		printf("skip - %.*s\n", (int)strcspn(at, "\n"), at);
		return SKIPPED_MEMORY;
	}
	return outcome;
}

static void count(struct spec_counts *counts, enum outcome outcome)
{
	switch (outcome) {
	case PASSED: counts->passed++; break;
	case FAILED: counts->failed++; break;
	case SKIPPED_TEXT: counts->skipped++; counts->text_modules++; break;
	case SKIPPED_GC: counts->skipped++; counts->gc_commands++; break;
	case SKIPPED_MEMORY: counts->skipped++; counts->memory_commands++; break;
	}
}

static bool script_begin(struct script *script, size_t commands)
{
	script->entries = calloc(commands + 1, sizeof *script->entries);
	script->gc_names = calloc(commands + 1, sizeof *script->gc_names);
	script->way = spec_way_open(script->options->timeout);
	if (script->entries == NULL || script->gc_names == NULL || script->way == NULL)
		return false;
	return begin_store(script) == WK_OK;
}

static void script_end(struct script *script)
{
	spec_way_close(script->way);
	free(script->entries);
	free(script->gc_names);
}

void spec_script_run(const struct spec_options *options, const char *name, struct spec_counts *counts)
{
	char path[4096];
	size_t size = 0;
	snprintf(path, sizeof path, "%s/%s.json", options->directory, name);
	char *text = read_file(path, &size);
	struct spec_json *json = text != NULL ? spec_json_read(text) : NULL;
	const struct spec_json *commands = spec_json_get(json, "commands");
	if (commands == NULL || commands->kind != SPEC_JSON_ARRAY) {
		printf("%s: cannot read the script\n", path);
		spec_json_free(json);
		free(text);
		return;
	}

	struct script script = { .options = options, .counts = counts };
	script.source = text_of(json, "source_filename");
	counts->commands = commands->count;
	if (script_begin(&script, counts->commands)) {
		for (script.command = commands->first; script.command != NULL; script.command = script.command->next) {
			const struct spec_json *line = spec_json_get(script.command, "line");
			counts->line = line != NULL ? (int32_t)line->number : 0;
			count(counts, excuse(&script, run_command(&script)));
			if (script.gone)
				break;
		}
		counts->done = script.command == NULL;
	} else {
		printf("%s: cannot make a store: %s\n", script.source, script.report.text);
	}
	script_end(&script);
	spec_json_free(json);
	free(text);
}
