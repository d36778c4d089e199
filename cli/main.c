/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep, the tool: chooses the command. The commands are in run.c, validate.c, inspect.c, memory.c and compile.c.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wasmkeep/wasmkeep.h>

#include "command.h"
#include "exit_status.h"
#include "message.h"
#include "text.h"

static const struct wk_command *const commands[] = { &wk_command_run, &wk_command_validate, &wk_command_inspect,
	&wk_command_memory, &wk_command_compile };

int wk_command_finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	wk_message("cannot write to standard output: %s", strerror(errno));
	return WK_EXIT_WRITE;
}

int wk_command_help(const struct wk_command *command)
{
	printf("Usage: wasmkeep %s\n\n%s\nOptions:\n", command->usage, command->about);
	wk_options_help(stdout, command->options);
	if (command->more)
		printf("\n%s", command->more);
	return wk_command_finish(WK_EXIT_SUCCESS);
}

static int help(void)
{
	fputs("Wasmkeep " WASMKEEP_VERSION " runs WebAssembly programs, each locked in a room of its own: a program sees\n"
		"only the files, variables and sockets it is given.\n\n"
		"Usage: wasmkeep COMMAND [OPTIONS] ...\n\nCommands:\n", stdout);
	for (size_t i = 0; i < WK_COUNT(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  help       says more about a command: wasmkeep help run\n\n"
		"Options:\n"
		"  -h, --help     this help\n"
		"  -V, --version  the version\n\n"
		"Examples:\n"
		"  wasmkeep run hello.wasm                  runs a program\n"
		"  wasmkeep run --dir data app.wasm a b     lets it see the folder `data`; a and b are its arguments\n"
		"  wasmkeep run --invoke add math.wasm 2 3  calls one function, prints its result\n"
		"  wasmkeep validate *.wasm                 checks modules without running them\n"
		"  wasmkeep inspect app.wasm                shows what a module imports, exports and holds\n"
		"  wasmkeep memory plan --tee optee-qemu-armv8a app.wasm\n"
		"                                           how much memory it gets in a TEE, and why not more\n\n"
		"The exit status is the program's own, or one of those in `wasmkeep help run`.\n", stdout);
	return wk_command_finish(WK_EXIT_SUCCESS);
}

static const struct wk_command *find_command(const char *name)
{
	for (size_t i = 0; i < WK_COUNT(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_word(const char *word)
{
	static const char *const names[] = { "run", "validate", "inspect", "memory", "compile", "help", NULL };
	static const char *const options[] = { "help", "version", NULL };
	bool is_option = word[0] == '-' && word[1] != 0;
	const char *near = is_option ? wk_text_nearest(word + strspn(word, "-"), options) : wk_text_nearest(word, names);

	if (near)
		wk_message("unknown %s '%s': did you mean %s%s?", is_option ? "option" : "command", word, is_option ? "--" : "",
			near);
	else if (!is_option && access(word, F_OK) == 0)
		wk_message("'%s' is a file, not a command: did you mean: wasmkeep run %s", word, word);
	else
		wk_message("unknown %s '%s'", is_option ? "option" : "command", word);
	wk_message_see_help(NULL);
	return WK_EXIT_USAGE;
}

static int help_on(int count, char **words)
{
	const struct wk_command *command;

	if (count == 0)
		return help();
	if (count > 1) {
		wk_message("help knows one command at a time");
		wk_message_see_help(NULL);
		return WK_EXIT_USAGE;
	}
	command = find_command(words[0]);
	return command ? wk_command_help(command) : strcmp(words[0], "help") == 0 ? help() : unknown_word(words[0]);
}

int main(int count, char **words)
{
	const struct wk_command *command;

	if (count < 2) {
		wk_message("no command given: run, validate, inspect or help");
		wk_message_see_help(NULL);
		return WK_EXIT_USAGE;
	}
	if (strcmp(words[1], "help") == 0)
		return help_on(count - 2, words + 2);
	if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0)
		return help();
	if (strcmp(words[1], "--version") == 0 || strcmp(words[1], "-V") == 0) {
		printf("wasmkeep %s\n", wk_version());
		return wk_command_finish(WK_EXIT_SUCCESS);
	}
	command = find_command(words[1]);
	return command ? command->run(count - 2, words + 2) : unknown_word(words[1]);
}
