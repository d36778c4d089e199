/* SPDX-License-Identifier: Apache-2.0
 *
 * differential [--seed N] [--count N] [--without FEATURE]... [--all] [--compiled LEVEL] [--save FILE]
 *              [--write-images TO --target TARGET] [--images FROM]
 *
 * Makes valid modules from seeds (tests/fuzz/generate.h), runs them, and writes for each one line of JSON: the module,
 * what was called, and what came of it. compare.mjs lets another engine do the same and compares. The last line is
 * {"end":N}: without it, this program did not come to its end. --save writes the (last) module to a file, to look at.
 *
 * With --compiled the modules run as compiled code: the output is to be the same (compiled.sh). With --write-images as well
 * they are interpreted, and what was compiled for another machine is left in the folder TO; --images runs it there
 * (images.sh). With --all modules have vectors in each, relaxed ones too, and whatever else our engines know and the other one may not.
 *
 * The host's side of a module is told by the names of its imports; it is the same here and in compare.mjs: a function
 * mixes its arguments into a log and returns what follows from the log.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <wasmkeep/image.h>

#include "../fuzz/generate.h"
#include "host/host.h"
#include "runtime/operations.h"
#ifdef WK_WITH_COMPILER
#include "compiler/compiler.h"
#endif

struct run {
	uint64_t seed;
	bool fuel;
	uint32_t log; /* hash of the imported functions' calls */
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_module *module;
	struct wk_instance *instance;
	struct import { struct run *run; const char *signature; char name[32]; } imports[16];
};

/* The optimisation of --compiled; -1: nothing is compiled here. */
static int compiled = -1;
/* What images are for, and the folders that they are left in and found in. NULL: this machine; none. */
static const char *target, *images_to, *images_from;
/* --all: what is left of the fuel is written, and there is little of it. */
static bool scarce;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "differential: %s\n", what);
	exit(1);
}

/* ---- numbers ---- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static uint32_t mix(uint32_t hash, uint32_t word)
{
	return (hash ^ word) * UINT32_C(16777619);
}

static uint32_t float_bits(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return value != value ? UINT32_C(0x7fc00000) : bits;
}

static uint64_t double_bits(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return value != value ? UINT64_C(0x7ff8000000000000) : bits;
}

static uint64_t value_bits(const struct wk_value *value)
{
	switch (value->kind) {
	case WK_I32: return (uint32_t)value->of.i32;
	case WK_I64: return (uint64_t)value->of.i64;
	case WK_F32: return float_bits(value->of.f32);
	default: return double_bits(value->of.f64);
	}
}

static char letter_of(enum wk_kind kind)
{
	return kind == WK_I32 ? 'i' : kind == WK_I64 ? 'I' : kind == WK_F32 ? 'f' : 'F';
}

static void print_values(const struct wk_value *values, uint32_t count)
{
	putchar('[');
	for (uint32_t i = 0; i < count; i++)
		printf("%s\"%c:%" PRIx64 "\"", i > 0 ? "," : "", letter_of(values[i].kind), value_bits(&values[i]));
	putchar(']');
}

/* ---- the host's side ---- */

static enum wk_status imported(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	struct import *import = context;
	const char *p = import->signature;
	(void)caller;
	uint32_t log = mix(import->run->log, (uint8_t)import->name[1]);
	for (; *p != ':'; p++, arguments++) {
		uint64_t bits = value_bits(arguments);
		log = mix(log, (uint32_t)bits);
		if (*p == 'I' || *p == 'F')
			log = mix(log, (uint32_t)(bits >> 32));
	}
	import->run->log = log;
	switch (p[1]) {
	case 'i': results->of.i32 = (int32_t)log; break;
	case 'I': results->of.i64 = (int64_t)((uint64_t)log << 32 | log); break;
	case 'f': results->of.f32 = (float)(int16_t)log / 8; break;
	case 'F': results->of.f64 = (double)(int16_t)log / 8; break;
	default: break;
	}
	return WK_OK;
}

static void define_global(struct run *run, const char *name)
{
	struct wk_external external = { .kind = WK_EXTERN_GLOBAL };
	static const struct { char letter; wk_valtype type; uint64_t bits; } globals[] = {
		{ 'i', WK_TYPE_I32, 0x12345678 }, { 'I', WK_TYPE_I64, 0x123456789abcdef0 },
		{ 'f', WK_TYPE_F32, 0x3fc00000 }, { 'F', WK_TYPE_F64, 0xc002000000000000 },
	};
	for (size_t i = 0; i < WK_COUNT(globals); i++) {
		if (globals[i].letter != name[2])
			continue;
		struct wk_global_type type = { .type = globals[i].type };
		const uint64_t slots[2] = { globals[i].bits, 0 };
		must(wk_global_new(run->store, &type, slots, &external.of.global) == WK_OK, "no global");
	}
	must(wk_linker_define(run->linker, "env", name, external) == WK_OK, "cannot define a global");
}

static void define_memory(struct run *run)
{
	struct wk_external external = { .kind = WK_EXTERN_MEMORY };
	struct wk_memory_type type = {
		.limits = { .minimum = 1, .maximum = 4, .has_maximum = true }, .page_log2 = 16,
	};
	must(wk_memory_new(run->store, &type, &external.of.memory) == WK_OK
		&& wk_linker_define(run->linker, "env", "m", external) == WK_OK, "cannot define a memory");
}

static void define_imports(struct run *run)
{
	must(run->module->import_count <= WK_COUNT(run->imports), "too many imports");
	for (uint32_t i = 0; i < run->module->import_count; i++) {
		struct import *import = &run->imports[i];
		const struct wk_span *name = &run->module->imports[i].name;
		must(name->size < sizeof import->name, "a long import name");
		memcpy(import->name, name->data, name->size);
		import->name[name->size] = 0;
		import->run = run;
		import->signature = import->name + 3;
		if (run->module->imports[i].kind == WK_EXTERN_FUNC)
			must(wk_linker_define_function(run->linker, "env", import->name, import->signature, imported,
				import) == WK_OK, "cannot define a function");
		else if (run->module->imports[i].kind == WK_EXTERN_GLOBAL)
			define_global(run, import->name);
		else
			define_memory(run);
	}
}

/* ---- running ---- */

static void print_outcome(enum wk_status status, const struct wk_report *report)
{
	if (status == WK_TRAP)
		printf("\"outcome\":\"trap: %s\"", wk_trap_text(report->trap));
	else
		printf("\"outcome\":\"%s\"", status == WK_OK ? "ok" : wk_status_text(status));
}

static struct wk_value choose_argument(enum wk_kind kind, uint64_t *state)
{
	static const int64_t integers[] = { 0, 1, -1, 2, 7, 31, 32, 63, 127, 255, 1000, INT32_MAX, INT32_MIN, INT64_MAX,
		INT64_MIN };
	static const double floats[] = { 0, -0.0, 1, -1, 0.5, -2.5, 1e10, -1e10, 1e300, -1e-300, 3.25, 65536 };
	uint64_t number = next_random(state), which = next_random(state);
	int64_t integer = which % 3 == 0 ? (int64_t)(number << 16) : which % 3 == 1 ? (int64_t)(number % 100)
		: integers[number % WK_COUNT(integers)];
	double real = which % 2 ? floats[number % WK_COUNT(floats)] : (double)(int16_t)number / 16;
	struct wk_value value = { .kind = kind };
	switch (kind) {
	case WK_I32: value.of.i32 = (int32_t)integer; break;
	case WK_I64: value.of.i64 = integer; break;
	case WK_F32: value.of.f32 = (float)real; break;
	default: value.of.f64 = real; break;
	}
	return value;
}

static void call_export(struct run *run, const char *name, uint64_t *state)
{
	struct wk_value arguments[8], results[8];
	enum wk_kind parameter_kinds[8], result_kinds[8];
	uint32_t parameters = 0, result_count = 0;
	struct wk_report report;
	struct wk_func *func = wk_instance_function(run->instance, name);
	struct wk_value fuel = { .kind = WK_I32, .of.i32 = WK_GENERATE_FUEL };
	must(func != NULL, "an export is not found");
	must(wk_global_set(wk_instance_global(run->instance, "fuel"), &fuel) == WK_OK, "cannot refuel");
	wk_func_type(func, &parameters, NULL, &result_count, NULL);
	must(parameters <= 8 && result_count <= 8, "too many values");
	wk_func_type(func, &parameters, parameter_kinds, &result_count, result_kinds);
	for (uint32_t i = 0; i < parameters; i++)
		arguments[i] = choose_argument(parameter_kinds[i], state);
	printf("{\"name\":\"%s\",\"arguments\":", name);
	print_values(arguments, parameters);
	wk_report_clear(&report);
	enum wk_status status = wk_func_call(func, arguments, parameters, results, result_count, &report);
	printf(",");
	print_outcome(status, &report);
	printf(",\"results\":");
	print_values(results, status == WK_OK ? result_count : 0);
	printf("}");
}

static void export_name(const struct wk_export *export, char name[16])
{
	must(export->name.size < 16, "a long export name");
	memcpy(name, export->name.data, export->name.size);
	name[export->name.size] = 0;
}

static void print_calls(struct run *run, uint64_t *state)
{
	const char *separator = "";
	printf(",\"calls\":[");
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < run->module->export_count; i++) {
			char name[16];
			if (run->module->exports[i].kind != WK_EXTERN_FUNC)
				continue;
			export_name(&run->module->exports[i], name);
			printf("%s", separator);
			call_export(run, name, state);
			separator = ",";
		}
	}
	printf("]");
}

static void print_state(struct run *run)
{
	const char *separator = "";
	printf(",\"state\":{");
	for (uint32_t i = 0; i < run->module->export_count; i++) {
		const struct wk_export *export = &run->module->exports[i];
		char name[16];
		export_name(export, name);
		if (export->kind == WK_EXTERN_GLOBAL) {
			struct wk_value value;
			wk_global_get(wk_instance_global(run->instance, name), &value);
			printf("%s\"%s\":\"%c:%" PRIx64 "\"", separator, name, letter_of(value.kind), value_bits(&value));
			separator = ",";
		} else if (export->kind == WK_EXTERN_MEMORY) {
			struct wk_memory *memory = wk_instance_memory(run->instance, name);
			uint64_t size = wk_memory_size(memory);
			const uint8_t *bytes = wk_memory_view(memory, 0, size);
			uint32_t hash = (uint32_t)size;
			for (uint64_t at = 0; at < size; at += 4) {
				uint32_t word;
				memcpy(&word, bytes + at, 4);
				hash = mix(hash, word);
			}
			printf("%s\"%s\":\"%" PRIx32 "\"", separator, name, hash);
			separator = ",";
		}
	}
	printf("},\"log\":\"%" PRIx32 "\"", run->log);
}

static void print_base64(const uint8_t *bytes, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;
		group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= i + 2 < size ? bytes[i + 2] : 0;
		putchar(digits[group >> 18]);
		putchar(digits[group >> 12 & 63]);
		putchar(i + 1 < size ? digits[group >> 6 & 63] : '=');
		putchar(i + 2 < size ? digits[group & 63] : '=');
	}
}

/* Instead of the module that which is inside of the image. */
static enum wk_status load_alone(struct run *run, const char *path, struct wk_report *report)
{
	wk_module_release(run->module);
	run->module = NULL;
	return wk_module_load_image(run->keep, path, report, &run->module);
}

static enum wk_status compile(struct run *run, const char *path, struct wk_report *report)
{
#ifdef WK_WITH_COMPILER
	const struct wk_compile_options options = { .optimisation = (unsigned)compiled, .fuel = run->fuel,
		.compare = run->seed & 8, .target = target, .parts = 1 + run->module->func_count % 3 };
	struct wk_compile_result result;

	return wk_compile(run->module, &options, path, report, &result);
#else
	(void)run, (void)path;
	return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "built without LLVM");
#endif
}

/* The module becomes its image, or its image is left for others; if that fails, it is the program's end. */
static void use_image(struct run *run)
{
	const char *folder = images_from ? images_from : images_to;
	enum wk_status status = WK_OK;
	struct wk_report report;
	char path[4096];

	if (folder)
		snprintf(path, sizeof path, "%s/%" PRIu64 ".image", folder, run->seed);
	else
		snprintf(path, sizeof path, "/tmp/wk-differential-%ld.image", (long)getpid());
	wk_report_clear(&report);
	if (!images_from)
		status = compile(run, path, &report);
	if (status == WK_OK && !images_to)
		status = run->seed & 2 ? load_alone(run, path, &report) : wk_module_use_image(run->module, path, &report);
	if (!folder)
		unlink(path);
	if (status == WK_OK)
		return;
	fprintf(stderr, "differential: seed %" PRIu64 ": %s\n", run->seed, report.text);
	exit(1);
}

/* Half of the modules run metered, with enough fuel; with --all, every second of these with little. */
static void run_module(uint64_t seed, const uint8_t *bytes, size_t size, uint64_t *state)
{
	struct run run = { .seed = seed, .fuel = seed & 1, .log = 1 };
	struct wk_report report;
	struct wk_store_config config = { .stack_size = 4 << 20, .fuel = run.fuel };
	must(wk_keep_new(NULL, &run.keep) == WK_OK && wk_store_new(run.keep, &config, &run.store) == WK_OK
		&& wk_linker_new(run.store, &run.linker) == WK_OK, "no store");
	if (config.fuel)
		must(wk_store_set_fuel(run.store, scarce && seed & 2 ? seed * 97 % 5000 : UINT64_C(1) << 60) == WK_OK, "no fuel");
	printf("{\"seed\":\"%" PRIu64 "\",\"module\":\"", seed);
	print_base64(bytes, size);
	printf("\",");
	fflush(stdout);
	wk_report_clear(&report);
	enum wk_status status = wk_module_load(run.keep, bytes, size, WK_LOAD_COPY, &report, &run.module);
	if (status == WK_OK) {
		if (compiled >= 0 || images_from)
			use_image(&run);
		define_imports(&run);
		status = wk_linker_instantiate(run.linker, run.module, &report, &run.instance);
	} else {
		fprintf(stderr, "differential: seed %" PRIu64 ": %s\n", seed, report.text);
	}
	print_outcome(status, &report);
	if (status == WK_OK) {
		print_calls(&run, state);
		print_state(&run);
	}
	if (scarce)
		printf(",\"fuel\":\"%" PRIu64 "\"", wk_store_fuel(run.store));
	printf("}\n");
	if (run.module != NULL)
		wk_module_release(run.module);
	wk_linker_delete(run.linker);
	wk_store_delete(run.store);
	wk_keep_delete(run.keep);
}

static void save_module(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *file = path != NULL ? fopen(path, "wb") : NULL;
	if (file != NULL) {
		fwrite(bytes, 1, size, file);
		fclose(file);
	}
}

/* What the other engine cannot do; or all that ours can. */
struct without { bool extended_const, tail_calls, memory64, nothing; };

static void do_seed(uint64_t seed, const struct without *without, const char *save)
{
	static uint8_t input[6000], module[1 << 16];
	uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	size_t length = 200 + next_random(&state) % (sizeof input - 200);
	for (size_t i = 0; i < length; i++)
		input[i] = (uint8_t)(next_random(&state) >> 13);
	const struct wk_generate_options options = {
		.simd = seed % 3 == 0 || without->nothing, .relaxed_simd = without->nothing,
		.wide_arithmetic = without->nothing, .multi_memory = without->nothing && seed % 2 == 0,
		.typed_references = without->nothing, .exceptions = without->nothing && seed % 5 == 0, .memory64 = seed % 4 == 0 && !without->memory64,
		.tail_calls = !without->tail_calls, .extended_const = !without->extended_const,
		.canonical = true, .script = true,
	};
	size_t size = wk_generate(&options, input, length, module, sizeof module);
	if (size == 0)
		return;
	save_module(save, module, size);
	run_module(seed, module, size, &state);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, count = 300;
	struct without without = { false, false, false, false };
	const char *save = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
			i++;
			without.extended_const |= strcmp(argv[i], "extended-const") == 0;
			without.tail_calls |= strcmp(argv[i], "return-call") == 0;
			without.memory64 |= strcmp(argv[i], "memory64") == 0;
		} else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			count = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--all") == 0)
			without.nothing = scarce = true;
		else if (strcmp(argv[i], "--compiled") == 0 && i + 1 < argc)
			compiled = atoi(argv[++i]);
		else if (strcmp(argv[i], "--save") == 0 && i + 1 < argc)
			save = argv[++i];
		else if (strcmp(argv[i], "--target") == 0 && i + 1 < argc)
			target = argv[++i];
		else if (strcmp(argv[i], "--write-images") == 0 && i + 1 < argc)
			images_to = argv[++i];
		else if (strcmp(argv[i], "--images") == 0 && i + 1 < argc)
			images_from = argv[++i];
		else
			must(false, "usage: differential [--seed N] [--count N] [--without FEATURE]... [--all] "
				"[--compiled LEVEL] [--write-images TO --target TARGET] [--images FROM] [--save FILE]");
	}
	for (uint64_t i = 0; i < count; i++)
		do_seed(seed + i, &without, save);
	printf("{\"end\":%" PRIu64 "}\n", count);
	return 0;
}
