/* SPDX-License-Identifier: Apache-2.0
 *
 * Images for `run`: found beside the module or in the cache, or made by the compiler, which is a program of its own
 * (cli/compiler/main.c).
 *
 * The cache is $XDG_CACHE_HOME/wasmkeep, else ~/.cache/wasmkeep; a file's name there is the hash of its module, the
 * version of the ABI, that of Wasmkeep, the target, and whether it counts fuel. What is in it is only believed after it
 * was checked, as any image.
 */
#define _GNU_SOURCE 1
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/report.h"
#include "exit_status.h"
#include "format/module.h"
#include "image/image.h"
#include "message.h"

extern char **environ;

#define COMPILER "wasmkeep-compile"
#define OPTIMISATION 2u

bool wk_cli_engine_take(const char *word, enum wk_cli_engine *engine)
{
	static const char *const names[] = { "auto", "interp", "native" };

	for (size_t i = 0; i < WK_COUNT(names); i++) {
		if (strcmp(names[i], word) == 0) {
			*engine = (enum wk_cli_engine)i;
			return true;
		}
	}
	wk_message("--engine %s: it is auto, interp or native", word);
	return false;
}

/* ---- kinds of files ---- */

/* A regular file only: others give their bytes once. */
enum wk_cli_kind wk_cli_image_kind(const char *path)
{
	char begin[4] = "", end[sizeof WK_IMAGE_MAGIC - 1] = "";
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum wk_cli_kind kind = WK_KIND_OTHER;
	struct stat about;

	if (file < 0)
		return kind;
	if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
		pread(file, begin, sizeof begin, 0) == (ssize_t)sizeof begin) {
		if (memcmp(begin, "HSTO", sizeof begin) == 0)
			kind = WK_KIND_SIGNED;
		else if (memcmp(begin, "\177ELF", sizeof begin) == 0)
			kind = pread(file, end, sizeof end, about.st_size - (off_t)sizeof end) == (ssize_t)sizeof end &&
				memcmp(end, WK_IMAGE_MAGIC, sizeof end) == 0 ? WK_KIND_IMAGE : WK_KIND_ELF;
	}
	close(file);
	return kind;
}

/* ---- the compiler ---- */

/* It is installed beside the tool. */
static char *find_compiler(void)
{
	char self[4096], *path = NULL;
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (length <= 0)
		return strdup(COMPILER);
	self[length] = 0;
	slash = strrchr(self, '/');
	if (!slash || asprintf(&path, "%.*s/" COMPILER, (int)(slash - self), self) < 0)
		return NULL;
	return path;
}

static int run_compiler(char *path, char *const *words)
{
	pid_t child;
	int status, error = access(path, X_OK) == 0 ? 0 : errno; /* a spawn may find out late, and say it by a status */

	if (error == 0)
		error = posix_spawn(&child, path, NULL, NULL, words, environ);

	if (error == ENOENT) {
		wk_message("there is no compiler: this wasmkeep was built without LLVM 19 (Debian: llvm-19-dev)");
		return WK_EXIT_MODULE;
	}
	if (error != 0) {
		wk_message("%s: %s", path, strerror(error));
		return WK_EXIT_INTERNAL;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return WK_EXIT_INTERNAL;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	wk_message("the compiler was ended by signal %d", WTERMSIG(status));
	return WK_EXIT_INTERNAL;
}

int wk_cli_compile(unsigned optimisation, bool fuel, bool compare, const char *target, bool verbose, const char *module,
	const char *image, const char *ir, const char *key)
{
	char level[4];
	char *path = find_compiler();
	int status;

	if (!path)
		return WK_EXIT_NO_MEMORY;
	snprintf(level, sizeof level, "%u%s%s", optimisation, fuel ? "f" : "", compare ? "c" : "");
	status = run_compiler(path, (char *const[]){ path, level, (char *)(target ? target : ""), verbose ? "1" : "0",
		(char *)module, (char *)image, (char *)(ir ? ir : ""), (char *)key, NULL });
	free(path);
	return status;
}

/* ---- places ---- */

char *wk_cli_image_beside(const char *module, const char *ending)
{
	static const char wasm[] = ".wasm";
	size_t length = strlen(module);
	char *path = NULL;

	if (length > sizeof wasm - 1 && strcmp(module + length - (sizeof wasm - 1), wasm) == 0)
		length -= sizeof wasm - 1;
	return asprintf(&path, "%.*s%s", (int)length, module, ending) < 0 ? NULL : path;
}

/* Where the module's image is or would be in the cache. NULL: there is no place for one. */
static char *in_cache(const struct wk_module *module, bool fuel, bool make_folders)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *folder = NULL, *path = NULL, hash[65];
	struct wk_sha256 sum;
	uint8_t digest[32];

	if (base && base[0] == '/') {
		if (asprintf(&folder, "%s/wasmkeep", base) < 0)
			return NULL;
	} else if (home && home[0] == '/') {
		base = NULL;
		if (asprintf(&folder, "%s/.cache/wasmkeep", home) < 0)
			return NULL;
	} else {
		return NULL;
	}
	if (make_folders) {
		char *slash = strrchr(folder, '/');

		*slash = 0;
		(void)mkdir(folder, 0700);
		*slash = '/';
		(void)mkdir(folder, 0700); /* if it fails, so will what comes next */
	}
	wk_sha256_begin(&sum);
	wk_sha256_add(&sum, module->bytes.data, module->bytes.size);
	wk_sha256_end(&sum, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	if (asprintf(&path, "%s/%s-%u-" WASMKEEP_VERSION "-%s%s.image", folder, hash, WK_IMAGE_ABI, WK_IMAGE_TARGET,
		fuel ? "-fuel" : "") < 0)
		path = NULL;
	free(folder);
	return path;
}

/* ---- use ---- */

static void say_counts(const char *path, const struct wk_module *module)
{
	uint32_t functions, compiled;

	wk_module_image_counts(module, &functions, &compiled);
	wk_message("%s: %u of %u functions are compiled", path, compiled, functions);
}

enum wk_status wk_cli_image_load(const struct wk_cli_image *image, const char *path, struct wk_keep *keep,
	struct wk_report *report, struct wk_module **module)
{
	enum wk_status status = wk_module_load_image(keep, path, report, module);

	if (status == WK_OK && image->verbose)
		say_counts(path, *module);
	return status;
}

static enum wk_status try(const struct wk_cli_image *image, const char *path, struct wk_module *module,
	struct wk_report *report)
{
	enum wk_status status;

	wk_report_clear(report);
	status = wk_module_use_image(module, path, report);
	if (status == WK_OK && image->fuel && !module->native->counts) {
		module->native->free(module);
		status = wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it does not count fuel (wasmkeep compile --fuel makes one that does)");
	}
	if (status == WK_OK && image->verbose) {
		say_counts(path, module);
	} else if (status != WK_OK && status != WK_NOT_FOUND && image->verbose) {
		wk_message("%s: %s", path, report->text);
	}
	return status;
}

/* What is there already. */
static bool find(const struct wk_cli_image *image, const char *file, struct wk_module *module)
{
	char *places[2] = { wk_cli_image_beside(file, ".image"), in_cache(module, image->fuel, false) };
	struct wk_report report;
	bool found = false;

	for (size_t i = 0; i < WK_COUNT(places); i++) {
		found = found || (places[i] && try(image, places[i], module, &report) == WK_OK);
		free(places[i]);
	}
	return found;
}

static int make(const struct wk_cli_image *image, const char *file, struct wk_module *module)
{
	char *path = in_cache(module, image->fuel, true);
	struct wk_report report;
	int status;

	if (!path) {
		wk_message("there is no place for an image: neither XDG_CACHE_HOME nor HOME is set");
		return WK_EXIT_READ;
	}
	status = wk_cli_compile(OPTIMISATION, image->fuel, false, NULL, image->verbose, file, path, NULL, NULL);
	if (status == WK_EXIT_SUCCESS && try(image, path, module, &report) != WK_OK) {
		wk_message("%s: %s", path, report.text);
		status = wk_message_exit_status(&report);
	}
	free(path);
	return status;
}

int wk_cli_image_use(const struct wk_cli_image *image, const char *file, struct wk_module *module)
{
	struct wk_report report;

	if (image->engine == WK_ENGINE_INTERP || module->func_count == module->imported_funcs)
		return WK_EXIT_SUCCESS;
	if (image->path) {
		if (try(image, image->path, module, &report) == WK_OK)
			return WK_EXIT_SUCCESS;
		wk_message("%s: %s", image->path, report.text);
		return report.status == WK_NOT_FOUND ? WK_EXIT_READ : wk_message_exit_status(&report);
	}
	if (find(image, file, module) || image->engine == WK_ENGINE_AUTO)
		return WK_EXIT_SUCCESS;
	return make(image, file, module);
}
