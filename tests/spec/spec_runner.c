/* SPDX-License-Identifier: Apache-2.0
 *
 * spec_runner DIR [--only SCRIPT] [--part I/N] [--timeout SECONDS] [--excuse FILE] [--compiled LEVEL]
 *             [--bounds guard|check] [--write-images TO --target TARGET] [--images FROM] [--addresses MIB] [--no-fork]
 *             [-v]
 *
 * Runs the scripts of the WebAssembly core test suite that lie in DIR as JSON (the output of wast2json and what
 * WebAssembly 3.0 adds). Each script runs in a process of its own, so that a crash or an endless loop is one script's
 * failure and hides no other. The last line is always "N passed, N failed, N skipped"; every command is in one of the
 * three. I/N: every Nth script, from the Ith on. FILE names commands that need more memory than a TEE has: what of them
 * fails is skipped. The exit status is 1 if anything failed, 2 if nothing could be run.
 *
 * LEVEL is the optimisation with which each module is compiled first (needs LLVM), with bounds checked one way or the
 * other, by turns if not told. With --write-images modules run interpreted, and their images for TARGET go to the folder
 * TO; with --images they run as the images that are there, and each whose image is missing fails. MIB limits the addresses
 * that are set aside at once, for runs under an emulator.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spec/spec.h"

struct spec_images *spec_images;
size_t spec_addresses;

struct run {
	struct spec_options options;
	const char *only;
	bool fork;
	struct spec_counts *shared; /* of the script that runs now */
	struct spec_counts total;
	struct gc_script { char name[64]; uint32_t commands, of; char feature[64]; } *gc_scripts;
	size_t gc_script_count;
	unsigned part, parts;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the scripts in the directory, sorted, without ".json"; NULL when it cannot be read. */
static char **list_scripts(const char *directory, size_t *count)
{
	DIR *dir = opendir(directory);
	if (dir == NULL)
		return NULL;
	char **names = NULL;
	*count = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		size_t length = strlen(entry->d_name);
		if (length <= 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		char **more = realloc(names, (*count + 1) * sizeof *names);
		char *name = malloc(length - 4);
		if (more == NULL || name == NULL)
			abort();
		memcpy(name, entry->d_name, length - 5);
		name[length - 5] = 0;
		names = more;
		names[(*count)++] = name;
	}
	closedir(dir);
	if (names != NULL)
		qsort(names, *count, sizeof *names, compare_names);
	return names;
}

/* Runs one script in a child; what the child died of is reported as one failure at its line. */
static void run_forked(struct run *run, const char *name)
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		spec_script_run(&run->options, name, run->shared);
		fflush(stdout);
		exit(0);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("%s: cannot fork\n", name);
		run->shared->done = false;
		return;
	}
	if (WIFSIGNALED(status)) {
		printf("%s.wast:%d: ended by signal %d%s\n", name, (int)run->shared->line, WTERMSIG(status),
			WTERMSIG(status) == SIGALRM ? " (took too long)" : "");
		run->shared->done = false;
	} else if (WEXITSTATUS(status) != 0) {
		printf("%s.wast:%d: the process ended with status %d\n", name, (int)run->shared->line,
			WEXITSTATUS(status));
		run->shared->failed++;
		run->shared->passed -= run->shared->passed > 0;
	}
}

static void add_counts(struct run *run, const char *name)
{
	struct spec_counts *counts = run->shared;
	uint32_t counted = counts->passed + counts->failed + counts->skipped;
	if (!counts->done) /* what was not reached has failed; an unreadable script is one failure */
		counts->failed += counts->commands > counted ? counts->commands - counted : 1;
	run->total.passed += counts->passed;
	run->total.failed += counts->failed;
	run->total.skipped += counts->skipped;
	run->total.text_modules += counts->text_modules;
	run->total.memory_commands += counts->memory_commands;
	if (counts->gc_commands > 0) {
		struct gc_script *gc = &run->gc_scripts[run->gc_script_count++];
		snprintf(gc->name, sizeof gc->name, "%s.wast", name);
		memcpy(gc->feature, counts->gc_feature, sizeof gc->feature);
		gc->commands = counts->gc_commands;
		gc->of = counts->commands;
	}
	if (run->options.verbose)
		printf("%s: %u passed, %u failed, %u skipped\n", name, counts->passed, counts->failed,
			counts->skipped);
}

static void print_images(void)
{
	if (spec_images->level >= 0 || spec_images->from != NULL)
		printf("Modules %s: %u, with %u functions, of which %u are not compiled\n",
			spec_images->to != NULL ? "compiled" : "that ran compiled", spec_images->modules,
			spec_images->functions, spec_images->functions - spec_images->compiled);
}

static void print_summary(const struct run *run)
{
	if (run->gc_script_count > 0)
		printf("Skipped because they need garbage-collected types:\n");
	for (size_t i = 0; i < run->gc_script_count; i++) {
		const struct gc_script *gc = &run->gc_scripts[i];
		printf("  %s: %u of %u commands (%s)\n", gc->name, gc->commands, gc->of, gc->feature);
	}
	printf("Skipped because they are modules in the text format: %u\n", run->total.text_modules);
	if (run->total.memory_commands > 0)
		printf("Skipped because the TEE has too little memory: %u\n", run->total.memory_commands);
	print_images();
	printf("%u passed, %u failed, %u skipped\n", run->total.passed, run->total.failed, run->total.skipped);
}

/* A small file as a text that lasts; what cannot be read is empty. */
static const char *read_text(const char *path)
{
	static char text[4096];
	FILE *file = fopen(path, "r");
	if (file != NULL) {
		text[fread(text, 1, sizeof text - 1, file)] = 0;
		fclose(file);
	}
	return text;
}

static unsigned parse_part(const char *text, unsigned *parts)
{
	char *slash;
	unsigned part = (unsigned)strtoul(text, &slash, 10);

	*parts = *slash == '/' ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
	return part;
}

/* An option about compiled modules, with its value? */
static bool parse_images(const char *option, const char *value)
{
	if (strcmp(option, "--compiled") == 0)
		spec_images->level = atoi(value);
	else if (strcmp(option, "--bounds") == 0)
		spec_images->compare = strcmp(value, "check") == 0;
	else if (strcmp(option, "--target") == 0)
		spec_images->target = value;
	else if (strcmp(option, "--write-images") == 0)
		spec_images->to = value;
	else if (strcmp(option, "--images") == 0)
		spec_images->from = value;
	else
		return false;
	return true;
}

static bool parse_options(struct run *run, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			run->options.verbose = true;
		else if (strcmp(argv[i], "--no-fork") == 0)
			run->fork = false;
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			run->only = argv[++i];
		else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc)
			run->options.timeout = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (i + 1 < argc && parse_images(argv[i], argv[i + 1]))
			i++;
		else if (strcmp(argv[i], "--addresses") == 0 && i + 1 < argc)
			spec_addresses = (size_t)strtoul(argv[++i], NULL, 10) << 20;
		else if (strcmp(argv[i], "--part") == 0 && i + 1 < argc)
			run->part = parse_part(argv[++i], &run->parts);
		else if (strcmp(argv[i], "--excuse") == 0 && i + 1 < argc)
			run->options.excuses = read_text(argv[++i]);
		else if (argv[i][0] != '-' && run->options.directory == NULL)
			run->options.directory = argv[i];
		else
			return false;
	}
	return run->options.directory != NULL && run->part >= 1 && run->part <= run->parts;
}

/* Memory, all zero, that children write to as well. */
static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		abort();
	return memory;
}

int main(int argc, char **argv)
{
	struct run run = { .options.timeout = 600, .fork = true, .part = 1, .parts = 1 };
	spec_images = shared(sizeof *spec_images);
	spec_images->level = spec_images->compare = -1;
	if (!parse_options(&run, argc, argv)) {
		fprintf(stderr, "usage: spec_runner DIR [--only SCRIPT] [--timeout SECONDS] [--excuse FILE] "
			"[--part I/N] [--compiled LEVEL] [--bounds guard|check] [--write-images TO --target TARGET] "
			"[--images FROM] [--addresses MIB] [--no-fork] [-v]\n");
		return 2;
	}
	size_t count = 0;
	char **names = list_scripts(run.options.directory, &count);
	run.gc_scripts = calloc(count + 1, sizeof *run.gc_scripts);
	run.shared = shared(sizeof *run.shared);
	if (names == NULL || run.gc_scripts == NULL) {
		fprintf(stderr, "spec_runner: no scripts in %s\n", run.options.directory);
		return 2;
	}
	size_t ran = 0;
	for (size_t i = 0; i < count; i++) {
		if (i % run.parts != run.part - 1) {
			free(names[i]);
			continue;
		}
		if (run.only == NULL || strcmp(run.only, names[i]) == 0) {
			*run.shared = (struct spec_counts){ 0 };
			if (run.fork)
				run_forked(&run, names[i]);
			else
				spec_script_run(&run.options, names[i], run.shared);
			add_counts(&run, names[i]);
			ran++;
		}
		free(names[i]);
	}
	free(names);
	if (ran == 0) {
		fprintf(stderr, "spec_runner: no script of that name in %s\n", run.options.directory);
		return 2;
	}
	print_summary(&run);
	free(run.gc_scripts);
	return run.total.failed == 0 ? 0 : 1;
}
