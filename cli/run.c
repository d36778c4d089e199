/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep run: one module, one instance, one call. The steps are those of any embedder: keep, module, store, linker,
 * instance, call; around them stand the limits, and the translation of every end into an exit status.
 *
 * What always holds: the watch ends before the store does, and every end before the guest's own leaves one message.
 */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wasmkeep/program.h>

#include "command.h"
#include "exit_status.h"
#include "file.h"
#include "format/module.h"
#include "invoke.h"
#include "message.h"
#include "names.h"
#include "run.h"
#include "text.h"

enum option { OPTION_INVOKE = 1, OPTION_DIR, OPTION_DIR_RO, OPTION_ENV, OPTION_FD, OPTION_FUEL, OPTION_TIMEOUT,
	OPTION_MEMORY, OPTION_STACK, OPTION_EAGER, OPTION_ENGINE, OPTION_IMAGE, OPTION_TA_DIR, OPTION_TEE, OPTION_DATA, OPTION_STACK_SIZE, OPTION_RAM, OPTION_MEMORY_REPORT,
	OPTION_REPORT, OPTION_PROFILE, OPTION_VERBOSE, OPTION_HELP };

static const struct wk_option options[] = {
	{ OPTION_INVOKE, 0, "invoke", "NAME", "call this exported function instead of _start; ARGS are\n"
		"its arguments, its results are printed one a line" },
	{ OPTION_DIR, 0, "dir", "HOST[::GUEST]", "let the program read and write the folder HOST, which it\n"
		"sees as GUEST; may be given again. In a TEE HOST can be\n"
		"'sealed', the module's folder in the secure storage" },
	{ OPTION_DIR_RO, 0, "dir-ro", "HOST[::GUEST]", "the same, for reading only" },
	{ OPTION_ENV, 0, "env", "NAME[=VALUE]", "set a variable of the program; without =VALUE it gets the\n"
		"value it has here, if any; may be given again" },
	{ OPTION_FD, 0, "fd", "N", "pass the open socket N, connected or listening; its number\n"
		"in the program follows those of the folders" },
	{ OPTION_FUEL, 0, "fuel", "N", "stop after about N instructions" },
	{ OPTION_TIMEOUT, 0, "timeout", "SECONDS", "stop after this time; fractions are allowed" },
	{ OPTION_MEMORY, 0, "max-memory", "SIZE", "all its linear memories together, such as 64M; growing\n"
		"beyond fails in the program as the specification says" },
	{ OPTION_STACK, 0, "stack-size", "SIZE", "its call stack at most; 1M unless told, in a TEE 256K" },
	{ OPTION_EAGER, 0, "eager", NULL, "translate every function before the start, not when it is\n"
		"first called: steadier times, and all memory at once" },
	{ OPTION_ENGINE, 0, "engine", "ENGINE", "interp; native: compiled code, which is made if there is none;\n"
		"auto, the default: compiled code if there is some" },
	{ OPTION_IMAGE, 0, "image", "FILE", "the compiled code is in FILE (see wasmkeep help compile)" },
	{ OPTION_TA_DIR, 0, "ta-dir", "FOLDER", "install compiled code for the TEE here, not in /lib/optee_armtz" },
	{ OPTION_TEE, 0, "tee", "KIND", WK_TEE_HELP_KIND },
	{ OPTION_DATA, 0, "ta-data-size", "SIZE", WK_TEE_HELP_DATA },
	{ OPTION_STACK_SIZE, 0, "ta-stack-size", "SIZE", WK_TEE_HELP_STACK },
	{ OPTION_RAM, 0, "tee-ram", "SIZE", WK_TEE_HELP_RAM },
	{ OPTION_MEMORY_REPORT, 0, "memory-report", "[=FORM]", "say at the end what took memory: text (the default),\n"
		"json, json:FILE, or a picture, svg:FILE or html:FILE" },
	{ OPTION_PROFILE, 0, "profile", "[=FORM]", "say at the end in which functions it spent its time: text (the\n"
		"default), json, text:FILE or json:FILE" },
	{ OPTION_REPORT, 0, "report", "FORM", "say what ended it as text (the default) or json, one line" },
	{ OPTION_VERBOSE, 'v', "verbose", NULL, "say sizes, times and memory use on standard error" },
	{ OPTION_HELP, 'h', "help", NULL, "this help" },
	{ 0, 0, NULL, NULL, NULL }
};

double wk_run_lap(struct wk_run *run)
{
	struct timespec now, before = run->mark;

	clock_gettime(CLOCK_MONOTONIC, &now);
	run->mark = now;
	return (double)(now.tv_sec - before.tv_sec) * 1e3 + (double)(now.tv_nsec - before.tv_nsec) / 1e6;
}

/* ---- the command line ---- */

static bool wrong_value(const struct wk_option *table, int id, const char *value, const char *form)
{
	while (table->id != id)
		table++;
	wk_message("--%s %s: it is %s", table->name, value, form);
	return false;
}

static bool take_option(struct wk_run *run, int id, const char *value)
{
	static const char size_form[] = "a number of bytes greater than 0, such as 65536, 64K, 16M or 1G";

	switch (id) {
	case OPTION_INVOKE:
		run->invoke = value;
		return true;
	case OPTION_DIR:
	case OPTION_DIR_RO:
		return wk_world_add_dir(&run->world, value, id == OPTION_DIR_RO);
	case OPTION_ENV:
		return wk_world_add_variable(&run->world, value);
	case OPTION_FD:
		return wk_world_add_socket(&run->world, value);
	case OPTION_FUEL:
		run->has_fuel = true;
		return wk_text_unsigned(value, &run->fuel) || wrong_value(options, id, value, "a number of instructions");
	case OPTION_TIMEOUT:
		return wk_text_seconds(value, &run->timeout) ||
			wrong_value(options, id, value, "a number of seconds greater than 0, such as 10 or 0.5");
	case OPTION_MEMORY:
		return (wk_text_size(value, &run->max_memory) && run->max_memory) || wrong_value(options, id, value, size_form);
	case OPTION_STACK:
		return (wk_text_size(value, &run->stack_size) && run->stack_size) || wrong_value(options, id, value, size_form);
	case OPTION_EAGER:
		run->eager = true;
		return true;
	case OPTION_ENGINE:
		return wk_cli_engine_take(value, &run->image.engine);
	case OPTION_IMAGE:
		run->image.path = value;
		return true;
	case OPTION_TA_DIR:
		run->image.folder = value;
		return true;
	case OPTION_TEE:
	case OPTION_DATA:
	case OPTION_STACK_SIZE:
	case OPTION_RAM:
		return wk_tee_take(&run->tee, (enum wk_tee_option)(id - OPTION_TEE), value, false);
	case OPTION_MEMORY_REPORT:
		return wk_memory_report_form(&run->memory, value);
	case OPTION_PROFILE:
		return wk_cli_profiler_take(&run->profiler, value);
	case OPTION_REPORT:
		return wk_message_form(value, &run->json);
	default:
		run->verbose = true;
		return true;
	}
}

/* The name the program sees itself under: not where it is, which is none of its business. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Compiled code is for one place, and only for running. */
static bool goes_together(const struct wk_run *run)
{
	bool image = run->kind == WK_KIND_IMAGE || run->kind == WK_KIND_SIGNED;

	if ((run->image.engine == WK_ENGINE_NATIVE || run->image.path || image) && run->tee.name && !run->tee.optee)
		wk_message("compiled code (--engine native, --image, an image itself) does not go together with --tee sim yet");
	else if (image && run->image.engine == WK_ENGINE_INTERP)
		wk_message("%s: --engine interp needs the module: in an image functions have native code only", run->file);
	else if (image && run->image.path)
		wk_message("%s: this is an image itself, so there is nothing for --image", run->file);
	else if (run->kind == WK_KIND_SIGNED && !run->tee.optee)
		wk_message("%s: this is signed for OP-TEE: --tee optee runs it if it is an image", run->file);
	else if (run->kind == WK_KIND_IMAGE && run->tee.optee)
		wk_message("%s: this is an image for Linux; the TEE takes one that was compiled with --target aarch64-optee",
			run->file);
	else if (run->profiler.form != WK_PROFILER_NONE && run->tee.optee)
		wk_message("--profile looks at the thread that runs the guest, which it cannot inside of a TEE (with --tee none or sim:PROFILE it can)");
	else
		return true;
	wk_message_see_help("run");
	return false;
}

/* -1 when there is something to run, else the exit status. */
static int read_command_line(struct wk_run *run, int count, char **words)
{
	struct wk_options reader = { .command = "run", .table = options, .count = count, .words = words };
	int id;

	while ((id = wk_options_next(&reader)) != WK_OPTION_END) {
		if (id == OPTION_HELP)
			return wk_command_help(&wk_command_run);
		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (!take_option(run, id, reader.value)) {
			wk_message_see_help("run");
			return WK_EXIT_USAGE;
		}
	}
	run->file = wk_options_operand(&reader);
	if (!run->file) {
		wk_message("run needs a module");
		wk_message_see_help("run");
		return WK_EXIT_USAGE;
	}
	run->kind = wk_cli_image_kind(run->file);
	if (!goes_together(run))
		return WK_EXIT_USAGE;
	run->image.verbose = run->verbose;
	run->image.fuel = run->has_fuel;
	run->words = words + reader.next;
	run->word_count = count - reader.next;
	if (!wk_world_add_argument(&run->world, base_name(run->file)))
		return WK_EXIT_NO_MEMORY;
	for (int i = 0; !run->invoke && i < run->word_count; i++)
		if (!wk_world_add_argument(&run->world, run->words[i]))
			return WK_EXIT_NO_MEMORY;
	return -1;
}

/* ---- what -v says ---- */

static void say_module(struct wk_run *run, const struct wk_module *module, size_t size, double reading)
{
	wk_message("%s: %zu bytes, %" PRIu32 " functions and %" PRIu32 " imported", run->file, size,
		module->func_count - module->imported_funcs, module->imported_funcs);
	if (run->kind == WK_KIND_IMAGE)
		wk_message("checked, loaded, decoded and validated in %.3f ms", wk_run_lap(run));
	else
		wk_message("read in %.3f ms; decoded and validated in %.3f ms", reading, wk_run_lap(run));
}

static void say_end(struct wk_run *run, const struct wk_keep *keep, const struct wk_store *store)
{
	struct wk_usage usage;

	wk_message("ran for %.3f ms", wk_run_lap(run));
	wk_keep_usage(keep, &usage);
	wk_message("heap %" PRIu64 " bytes, at most %" PRIu64 ", in %" PRIu64 " allocations; linear memories and stack %"
		PRIu64 " bytes, at most %" PRIu64, usage.heap_used, usage.heap_peak, usage.allocations, usage.pages_used,
		usage.pages_peak);
	if (run->has_fuel)
		wk_message("fuel: %" PRIu64 " of %" PRIu64 " used", run->fuel - wk_store_fuel(store), run->fuel);
}

/* ---- ends ---- */

/* Unix keeps eight bits of an exit code. A code that is not 0 must not become 0 by that. */
int wk_run_guest_status(uint32_t code)
{
	return code != 0 && (code & 0xff) == 0 ? 255 : (int)(code & 0xff);
}

/* Says in the report which limit stopped the guest. */
static void name_limit(const struct wk_run *run, enum wk_watch_cause cause, struct wk_report *report)
{
	if (report->status != WK_TRAP)
		return;
	if (report->trap == WK_TRAP_FUEL_EXHAUSTED)
		snprintf(report->text, sizeof(report->text), "limit reached: the fuel of --fuel %" PRIu64 " is used up",
			run->fuel);
	else if (report->trap == WK_TRAP_INTERRUPTED && cause == WK_WATCH_TIMEOUT)
		snprintf(report->text, sizeof(report->text), "limit reached: the time of --timeout is over");
	else if (report->trap == WK_TRAP_INTERRUPTED && cause == WK_WATCH_SIGNAL)
		snprintf(report->text, sizeof(report->text), "interrupted");
}

static int say_report(const struct wk_run *run, struct wk_span bytes, const struct wk_report *report, int status)
{
	char found[WK_NAMES_SIZE];
	const char *name = found;

	wk_names_find(bytes, report->function, found);
	if (!name[0] && report->frame_count > 0) /* an export's name, perhaps */
		name = report->frames[0].name;
	if (run->json)
		wk_message_report_json(run->file, report, name, status);
	else
		wk_message_report(run->file, report, name);
	return status;
}

int wk_run_say_end(struct wk_run *run, struct wk_span bytes, enum wk_watch_cause cause, struct wk_report *report, int status)
{
	if (report->status != WK_OK) {
		name_limit(run, cause, report);
		status = wk_message_exit_status(report);
		run->signalled = cause == WK_WATCH_SIGNAL && report->trap == WK_TRAP_INTERRUPTED;
		if (run->signalled)
			status = WK_EXIT_INTERRUPTED;
		say_report(run, bytes, report, status);
	}
	if (!run->json)
		wk_memory_say_refusal(run->file, &run->memory.account, &run->tee);
	return status;
}

/* ---- the steps ---- */

static void interrupt_store(void *store)
{
	wk_store_interrupt(store);
}

/* Runs the call that was prepared. Messages that are not in the report are printed; *status is then the exit status. */
static enum wk_status run_program(struct wk_run *run, struct wk_program *program, struct wk_invoke *invoke,
	struct wk_report *report, int *status)
{
	enum wk_status result = wk_program_instantiate(program, report); /* its start function runs */

	if (result != WK_OK)
		return result;
	if (run->verbose)
		wk_message(run->eager ? "instantiated and translated in %.3f ms" : "instantiated in %.3f ms", wk_run_lap(run));
	result = wk_program_call(program, invoke->name, invoke->arguments, invoke->argument_count, invoke->results,
		invoke->result_count, report);
	if (result == WK_OK) {
		wk_invoke_print(invoke);
		*status = wk_command_finish(WK_EXIT_SUCCESS);
	}
	return result;
}

static int run_module(struct wk_run *run, struct wk_keep *keep, struct wk_module *module, struct wk_report *report,
	enum wk_watch_cause *cause)
{
	struct wk_wasi_config wasi = wk_world_wasi(&run->world);
	struct wk_program_config config = {
		.store = { .stack_size = run->stack_size, .fuel = run->has_fuel, .memory_limit = run->max_memory },
		.fuel = run->fuel, .translate = run->eager, .wasi = &wasi };
	struct wk_program *program = NULL;
	struct wk_invoke invoke = { 0 };
	int status = wk_invoke_prepare(run->file, module, run->invoke, run->word_count, run->words, &invoke);
	enum wk_status result = WK_OK;

	if (status != WK_EXIT_SUCCESS)
		goto out;
	result = wk_program_new(keep, module, &config, report, &program);
	if (result != WK_OK)
		goto out;
	wk_watch(wk_program_store(program), interrupt_store, false);
	result = wk_cli_profiler_start(&run->profiler, module, wk_program_store(program), report);
	if (result == WK_OK)
		result = run_program(run, program, &invoke, report, &status);
	wk_cli_profiler_stop(&run->profiler);
	if (run->verbose)
		say_end(run, keep, wk_program_store(program));
	*cause = wk_watch_end();
	/* While everything is there that took memory. */
	if (!wk_memory_report_write(&run->memory, NULL) && status == WK_EXIT_SUCCESS)
		status = WK_EXIT_WRITE;
	if (!wk_cli_profiler_write(&run->profiler, run->file) && status == WK_EXIT_SUCCESS)
		status = WK_EXIT_WRITE;
	if (result == WK_EXIT) {
		status = wk_run_guest_status(wk_store_exit_code(wk_program_store(program)));
		result = WK_OK;
		wk_report_clear(report);
	}
out:
	wk_cli_profiler_end(&run->profiler);
	wk_program_delete(program);
	wk_invoke_free(&invoke);
	if (report->status == WK_OK)
		report->status = result;
	return status;
}

static enum wk_status make_keep(struct wk_run *run, struct wk_keep **keep)
{
	struct wk_keep_config config = { .provider = run->tee.provider };
	enum wk_status status;

	run->memory.module = run->file;
	run->memory.tee = &run->tee;
	if (!wk_memory_report_begin(&run->memory, &config))
		return WK_NO_MEMORY;
	status = wk_keep_new(&config, keep);
	if (status == WK_OK)
		wk_memory_report_watch(&run->memory, *keep);
	return status;
}

/* The sandbox holds no native code of somebody else's making. Who runs a file with this name expects that it is held. */
static bool is_called_module(const char *path)
{
	static const char ending[] = ".wasm";
	size_t length = strlen(path);

	return length >= sizeof ending - 1 && strcmp(path + length - (sizeof ending - 1), ending) == 0;
}

static enum wk_status load(struct wk_run *run, struct wk_keep *keep, struct wk_report *report, struct wk_span *bytes,
	struct wk_module **module)
{
	double reading = 0;
	enum wk_status status;

	if (run->kind == WK_KIND_ELF)
		return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"this is an ELF file (native code) without the seal of an image: it is another file, or cut off");
	if (run->kind == WK_KIND_IMAGE && is_called_module(run->file))
		return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"this is no module but an image, native code that can do whatever its maker wanted: if you trust it, rename it "
			"to .image");
	if (run->kind == WK_KIND_IMAGE) {
		status = wk_cli_image_load(&run->image, run->file, keep, report, module);
		*bytes = status == WK_OK ? (*module)->bytes : *bytes;
	} else {
		status = wk_file_read(run->file, keep, report, bytes);
		reading = wk_run_lap(run);
		if (status == WK_OK)
			status = wk_module_load(keep, bytes->data, bytes->size, WK_LOAD_BORROW, report, module);
	}
	if (status == WK_OK && run->verbose)
		say_module(run, *module, bytes->size, reading);
	return status;
}

static int run_file(struct wk_run *run)
{
	struct wk_report report;
	struct wk_span bytes = { NULL, 0 };
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	enum wk_watch_cause cause = WK_WATCH_NOTHING;
	int status = WK_EXIT_SUCCESS;

	wk_run_lap(run);
	if (run->timeout && !wk_watch_start(run->file, run->timeout)) {
		wk_message("cannot start the clock of --timeout");
		return WK_EXIT_NO_MEMORY;
	}
	wk_report_clear(&report);
	report.status = make_keep(run, &keep);
	if (report.status == WK_OK)
		report.status = load(run, keep, &report, &bytes, &module);
	if (report.status == WK_OK && !run->tee.provider && run->kind != WK_KIND_IMAGE)
		status = wk_cli_image_use(&run->image, run->file, module);
	if (report.status == WK_OK && status == WK_EXIT_SUCCESS)
		status = run_module(run, keep, module, &report, &cause);
	wk_watch_end();
	if (keep && run->memory.account.count == 0)
		wk_memory_take_account(keep, &run->memory.account);
	status = wk_run_say_end(run, bytes, cause, &report, status);
	wk_memory_report_end(&run->memory);
	if (module)
		wk_module_release(module);
	wk_file_free(keep, &bytes); /* an image's are not the keep's */
	wk_keep_delete(keep);
	return status;
}

static int run(int count, char **words)
{
	struct wk_run run = { 0 };
	int status = read_command_line(&run, count, words);

	if (status < 0)
		status = wk_tee_open(&run.tee, true);
	else
		goto out;
	if (status == WK_EXIT_SUCCESS)
		status = run.tee.optee ? wk_run_in_tee(&run) : wk_world_is_here(&run.world) ? run_file(&run) : WK_EXIT_USAGE;
	wk_tee_close(&run.tee);
out:
	wk_world_free(&run.world);
	if (run.signalled)
		wk_watch_die_of_signal();
	return status;
}

const struct wk_command wk_command_run = {
	.name = "run",
	.summary = "runs a program, or one function of a module",
	.usage = "run [OPTIONS] MODULE [ARGS...]",
	.about = "Runs the program in the file MODULE (- is standard input). Options stand before MODULE; everything\n"
		"behind it goes to the program. It sees its arguments and the standard streams, and of this machine\n"
		"only what --dir, --env and --fd pass.\n"
		"\n"
		"MODULE can also be an image, made by `wasmkeep compile`. That is native code: run those that you made, or\n"
		"trust as you trust a program. In a TEE they are signed.\n",
	.options = options,
	.more = "SIZE is a number of bytes, with K, M or G for KiB, MiB or GiB.\n"
		"\n"
		"Examples:\n"
		"  wasmkeep run hello.wasm\n"
		"  wasmkeep run --dir-ro /etc::config --env LANG app.wasm -v config/hosts\n"
		"  wasmkeep run --timeout 2.5 --fuel 1000000000 --max-memory 64M untrusted.wasm\n"
		"  wasmkeep run --invoke add math.wasm 2 0x28\n"
		"  wasmkeep run --tee optee --dir sealed::/data wallet.wasm\n"
		"  wasmkeep compile app.wasm && wasmkeep run app.image\n"
		"  systemd-socket-activate -l 8080 wasmkeep run --fd 3 server.wasm\n"
		"\n"
		"With --invoke, an i32 or i64 is decimal or 0x hexadecimal; an f32 or f64 is like 1.5, -2e10, inf or nan;\n"
		"a v128 is 0x and up to 32 digits; a reference is null. A function _initialize is called before.\n"
		"\n"
		"Exit status: the program's own, or\n"
		"  64   the command line is wrong, or there is no such function\n"
		"  65   malformed, invalid, not a module at all, or it needs a feature that Wasmkeep does not have\n"
		"  66   the file cannot be read, or a folder of --dir cannot be opened\n"
		"  67   an import is missing or of another type\n"
		"  68   a limit was reached: --fuel, --timeout, --max-memory, or one of the implementation\n"
		"  70   a mistake of Wasmkeep's own; please report it\n"
		"  71   out of memory\n"
		"  74   standard output cannot be written\n"
		"  130  ended by Ctrl-C; a second Ctrl-C does not wait for the program\n"
		"  134  the program trapped, or left an exception uncaught\n",
	.run = run,
};
