/* SPDX-License-Identifier: Apache-2.0
 *
 * Images on Linux: a file that has been checked is a shared library, and the system's own loader maps it. So code pages
 * are shared between processes, and never writable; nothing here makes memory executable.
 *
 * The loader trusts what it loads and runs its constructors, so the file is read and its seal checked before.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wasmkeep/image.h>

#include "base/report.h"
#include "image/image.h"

static enum wk_status refuse(struct wk_report *report, enum wk_status status, const char *text)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is not used: %s", text);
}

/* `module`: NULL, or what it must have been compiled from. */
static enum wk_status check_bytes(struct wk_span file, const struct wk_module *module, struct wk_report *report)
{
	struct wk_image_seal seal;
	struct wk_sha256 hash;
	uint8_t digest[32];
	enum wk_status status = wk_image_check(file, WK_IMAGE_TARGET, report, &seal);

	if (status != WK_OK || !module)
		return status;
	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, module->bytes.data, module->bytes.size);
	wk_sha256_end(&hash, digest);
	return wk_image_check_module(&seal, digest, report);
}

static enum wk_status check(int file, const struct wk_module *module, struct wk_report *report)
{
	struct stat status;
	enum wk_status result;
	void *bytes;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
		return refuse(report, WK_MALFORMED, "it is too short to be one");
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (bytes == MAP_FAILED)
		return refuse(report, WK_NO_MEMORY, strerror(errno));
	result = check_bytes(wk_span(bytes, (size_t)status.st_size), module, report);
	munmap(bytes, (size_t)status.st_size);
	return result;
}

/* The loader knows a library by the name that it was asked for, and gives who asks for that name again the same one. So
 * the file stays open as long as the library is loaded: its number is a name that no other has. */
struct library {
	void *handle;
	const struct wk_image_table *table;
	int file;
};

static void close_library(void *context)
{
	struct library *library = context;

	if (library->handle)
		dlclose(library->handle);
	close(library->file);
	free(library);
}

/* The open file's name. With the process's number, not "self": debuggers read the symbols of what is loaded by the name
 * that the loader knows, and to them "self" would be the debugger. */
static void name_file(int file, char *path, size_t size)
{
	char process[32];
	ssize_t length = readlink("/proc/self", process, sizeof process - 1);

	if (length <= 0)
		length = snprintf(process, sizeof process, "self");
	snprintf(path, size, "/proc/%.*s/fd/%d", (int)length, process, file);
}

/* What is loaded is the file that was checked. */
static enum wk_status load(struct library *library, struct wk_report *report)
{
	char path[64];

	name_file(library->file, path, sizeof path);
	library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle)
		return refuse(report, WK_UNSUPPORTED, dlerror());
	library->table = dlsym(library->handle, WK_IMAGE_SYMBOL);
	return library->table ? WK_OK : refuse(report, WK_MALFORMED, "there is no table in it");
}

/* What compiled code is made of at least: the compiler's emit.c says the same. */
static bool machine_is_enough(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#else
	return true;
#endif
}

/* Checks the file and loads it. `module`: as in check_bytes. */
static enum wk_status open_library(const char *path, const struct wk_module *module, struct wk_report *report,
	struct library **result)
{
	struct library *library = calloc(1, sizeof *library);
	enum wk_status status;

	if (!library)
		return refuse(report, WK_NO_MEMORY, strerror(errno));
	library->file = open(path, O_RDONLY | O_CLOEXEC);
	if (library->file < 0) {
		free(library);
		return refuse(report, errno == ENOENT ? WK_NOT_FOUND : WK_MALFORMED, strerror(errno));
	}
	status = machine_is_enough() ? check(library->file, module, report) :
		refuse(report, WK_UNSUPPORTED, "this processor lacks instructions that images have (SSE 4.2, POPCNT)");
	if (status == WK_OK)
		status = load(library, report);
	if (status != WK_OK)
		close_library(library);
	else
		*result = library;
	return status;
}

enum wk_status wk_module_use_image(struct wk_module *module, const char *path, struct wk_report *report)
{
	struct library *library = NULL;
	enum wk_status status;

	if (!module || !path)
		return WK_BAD_ARGUMENT;
	status = open_library(path, module, report, &library);
	if (status != WK_OK)
		return status;
	status = wk_image_attach(module, library->table, library, close_library, report);
	if (status != WK_OK)
		close_library(library);
	return status;
}

/* The module's bytes lie in the library, which the module keeps. */
enum wk_status wk_module_load_image(struct wk_keep *keep, const char *path, struct wk_report *report,
	struct wk_module **module)
{
	struct library *library = NULL;
	struct wk_module *made = NULL;
	enum wk_status status;

	if (!keep || !path || !module)
		return WK_BAD_ARGUMENT;
	status = open_library(path, NULL, report, &library);
	if (status != WK_OK)
		return status;
	status = wk_module_load(keep, library->table->module, library->table->module_size, WK_LOAD_BORROW, report, &made);
	if (status == WK_OK)
		status = wk_image_attach(made, library->table, library, close_library, report);
	if (status == WK_OK) {
		*module = made;
		return WK_OK;
	}
	wk_module_release(made);
	close_library(library);
	return status;
}

void wk_module_image_counts(const struct wk_module *module, uint32_t *functions, uint32_t *compiled)
{
	*functions = module->func_count - module->imported_funcs;
	*compiled = 0;
	for (uint32_t i = 0; module->native && i < module->func_count; i++)
		*compiled += module->native->has[i];
}
