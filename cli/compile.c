/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep compile: a module to an image. Here is the command line; the work is done by another program (image.c).
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "exit_status.h"
#include "image.h"
#include "message.h"

enum option {
	OPTION_OUT = 1, OPTION_TARGET, OPTION_LEVEL, OPTION_FUEL, OPTION_BOUNDS, OPTION_SIGN, OPTION_IR, OPTION_VERBOSE, OPTION_HELP
};

static const struct wk_option options[] = {
	{ OPTION_OUT, 'o', "output", "FILE", "where the image goes; MODULE with .image for .wasm unless told,\n"
		"or .ta for OP-TEE" },
	{ OPTION_TARGET, 0, "target", "TARGET", "host (the default), x86_64-linux, aarch64-linux or aarch64-optee" },
	{ OPTION_LEVEL, 'O', "optimise", "LEVEL", "0 to 3; 2 unless told" },
	{ OPTION_FUEL, 0, "fuel", NULL, "count fuel, for run --fuel; slower code" },
	{ OPTION_BOUNDS, 0, "bounds", "HOW", "what stops accesses out of bounds: guard (the default for x86_64-linux), by\n"
		"memories that fault behind their end; or check, by comparing addresses" },
	{ OPTION_SIGN, 0, "sign", "KEY.pem", "for aarch64-optee: the private key that this OP-TEE trusts" },
	{ OPTION_IR, 0, "save-ir", "FILE", "write what LLVM is given, as its text" },
	{ OPTION_VERBOSE, 'v', "verbose", NULL, "say what is not compiled and why, sizes and times" },
	{ OPTION_HELP, 'h', "help", NULL, "this help" },
	{ 0, 0, NULL, NULL, NULL }
};

#define OPTEE "aarch64-optee"

struct compile {
	const char *module, *out, *target, *ir, *key;
	unsigned level;
	bool fuel, compare, guard, verbose;
};

static bool take_option(struct compile *compile, int id, const char *value)
{
	static const char *const targets[] = { "host", "x86_64-linux", "aarch64-linux", OPTEE };

	switch (id) {
	case OPTION_OUT: compile->out = value; return true;
	case OPTION_SIGN: compile->key = value; return true;
	case OPTION_IR: compile->ir = value; return true;
	case OPTION_FUEL: compile->fuel = true; return true;
	case OPTION_BOUNDS:
		compile->compare = strcmp(value, "check") == 0;
		compile->guard = strcmp(value, "guard") == 0;
		if (!compile->compare && !compile->guard)
			wk_message("--bounds %s: it is guard or check; there is no way without", value);
		return compile->compare || compile->guard;
	case OPTION_TARGET:
		for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
			if (strcmp(value, targets[i]) == 0) {
				compile->target = i == 0 ? NULL : value;
				return true;
			}
		}
		wk_message("--target %s: it is host, x86_64-linux, aarch64-linux or " OPTEE, value);
		return false;
	case OPTION_LEVEL:
		if (value[0] < '0' || value[0] > '3' || value[1]) {
			wk_message("-O %s: it is 0, 1, 2 or 3", value);
			return false;
		}
		compile->level = (unsigned)(value[0] - '0');
		return true;
	default: compile->verbose = true; return true;
	}
}

/* -1 when there is something to do, else the exit status. */
static int read_command_line(struct compile *compile, int count, char **words)
{
	struct wk_options reader = { .command = "compile", .table = options, .count = count, .words = words };

	for (;;) {
		int id = wk_options_next(&reader);

		if (id == OPTION_HELP)
			return wk_command_help(&wk_command_compile);
		if (id == WK_OPTION_WRONG)
			return WK_EXIT_USAGE;
		if (id == WK_OPTION_END) {
			const char *file = wk_options_operand(&reader);

			if (!file)
				break;
			if (compile->module) {
				wk_message("compile takes one module");
				wk_message_see_help("compile");
				return WK_EXIT_USAGE;
			}
			compile->module = file;
		} else if (!take_option(compile, id, reader.value)) {
			wk_message_see_help("compile");
			return WK_EXIT_USAGE;
		}
	}
	if (compile->module && (compile->target && strcmp(compile->target, OPTEE) == 0) != (compile->key != NULL)) {
		wk_message(compile->key ? "--sign is for --target " OPTEE :
			"--target " OPTEE " needs --sign KEY.pem: OP-TEE loads only what is signed with a key that it trusts");
		wk_message_see_help("compile");
		return WK_EXIT_USAGE;
	}
	if (compile->module && compile->guard && compile->target && strcmp(compile->target, "x86_64-linux") != 0) {
		wk_message("--bounds guard is for x86_64-linux: a TEE has neither so many addresses nor faults that a guest survives");
		wk_message_see_help("compile");
		return WK_EXIT_USAGE;
	}
	if (compile->module && (compile->out || strcmp(compile->module, "-") != 0))
		return -1;
	wk_message(compile->module ? "compile needs -o FILE for a module from standard input" : "compile needs a module");
	wk_message_see_help("compile");
	return WK_EXIT_USAGE;
}

static int run(int count, char **words)
{
	struct compile compile = { .level = 2 };
	int status = read_command_line(&compile, count, words);
	char *beside = NULL;

	if (status >= 0)
		return status;
	if (!compile.out) {
		beside = wk_cli_image_beside(compile.module, compile.key ? ".ta" : ".image");
		compile.out = beside;
	}
	if (!compile.out)
		return WK_EXIT_NO_MEMORY;
	status = wk_cli_compile(compile.level, compile.fuel, compile.compare, compile.target, compile.verbose, compile.module, compile.out,
		compile.ir, compile.key);
	free(beside);
	return status;
}

const struct wk_command wk_command_compile = {
	.name = "compile",
	.summary = "makes native code of a module, for run to use",
	.usage = "compile [OPTIONS] MODULE",
	.about = "Compiles MODULE (- is standard input) to an image: native code, every access checked. `wasmkeep run\n"
		"MODULE` finds the image beside the module. An image is for this one module and version of wasmkeep. It\n"
		"has all of the module but the bodies of functions that are compiled, so `wasmkeep run IMAGE` works, too.\n",
	.options = options,
	.more = "Examples:\n"
		"  wasmkeep compile app.wasm && wasmkeep run app.wasm\n"
		"  wasmkeep compile -v -O3 -o /tmp/app.image app.wasm\n"
		"  wasmkeep compile --target aarch64-optee --sign ta.pem app.wasm && wasmkeep run --tee optee app.ta\n"
		"\n"
		"Functions that cannot be compiled are interpreted; -v names them. With run --fuel, all is that was not compiled\n"
		"with --fuel.\n"
		"\n"
		"Exit status: 0, or\n"
		"  64  the command line is wrong, or there is no such target\n"
		"  65  the module is not valid, or the image cannot be made; this wasmkeep may have no compiler\n"
		"  66  the file cannot be read\n"
		"  71  out of memory\n",
	.run = run,
};
