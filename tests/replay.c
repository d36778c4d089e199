/* SPDX-License-Identifier: Apache-2.0
 *
 * replay FILE-OR-FOLDER...: gives each file to a fuzzer's LLVMFuzzerTestOneInput, once. In builds without libFuzzer this
 * is the fuzzer's main, so that what was found once is tested for ever. An input that does not return ends the program,
 * and the last line printed before names it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned replayed;

static void replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	/* Exactly as large as the input, so that a sanitizer sees the first byte behind it. */
	uint8_t *data = malloc(size ? size : 1);

	if (!file || !data || fread(data, 1, size, file) != size) {
		printf("not ok - %s cannot be read\n", path);
		exit(1);
	}
	fclose(file);
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
}

static void replay(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return;
	if (!S_ISDIR(status.st_mode)) {
		replay_file(path, (size_t)status.st_size);
		return;
	}

	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char *inner = NULL;

		if (entries[i]->d_name[0] != '.' && asprintf(&inner, "%s/%s", path, entries[i]->d_name) >= 0)
			replay(inner);
		free(inner);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	/* The empty input is in every corpus. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%u passed, 0 failed, 0 skipped\n", replayed + 1);
	return 0;
}
