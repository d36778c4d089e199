/* SPDX-License-Identifier: Apache-2.0
 *
 * From an object file to an image. A linker of the system does the first half: LLVM's own is a library for C++ only,
 * and what a platform's loader wants of a shared library (relocations, hash tables, pages) is a linker's business,
 * which one that is maintained knows better than a few hundred lines here would. The object needs no libraries: all
 * that is undefined in it are memcpy, memmove and memset, which the loader finds.
 *
 * The image is written beside its final place and renamed: a reader sees all of it or nothing.
 */
#define _GNU_SOURCE
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
#include "compiler/translator.h"
#include "image/image.h"

extern char **environ;

static enum wk_status fail(struct wk_report *report, const char *what, const char *why)
{
	return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", what, why);
}

static bool write_all(int file, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size != 0) {
		ssize_t written = write(file, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		at += written;
		size -= (size_t)written;
	}
	return true;
}

/* Runs one linker. -1: there is none of this name; else its exit status, 0 is success. */
static int run(const char *name, const char *emulation, char *const *objects, const char *library)
{
	char *words[13 + WK_C_PARTS + 1] = { (char *)name, "-m", (char *)emulation, "-shared", "-z", "now", "-z", "relro", "-z",
		"noexecstack", "--build-id=none", "-o", (char *)library };
	pid_t child;
	int status;

	for (int i = 0; objects[i]; i++)
		words[13 + i] = objects[i];
	if (posix_spawnp(&child, name, NULL, NULL, words, environ) != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

static enum wk_status link_object(const struct wk_target *target, char *const *objects, const char *library,
	struct wk_report *report)
{
	static const char *const linkers[] = { "ld.lld-19", "ld.lld", "ld" };

	for (size_t i = 0; i < WK_COUNT(linkers); i++) {
		int status = run(linkers[i], target->emulation, objects, library);

		if (status == 0)
			return WK_OK;
		/* 127 is a spawn that found out late. Others may do what this one cannot: ld knows one machine. */
	}
	return fail(report, "no linker", "ld.lld-19, ld.lld or ld is needed (Debian: lld-19), and none has linked the image");
}

/* Appends the seal of what is in the file. */
static enum wk_status seal_file(int file, const struct wk_module *module, struct wk_image_seal *seal,
	struct wk_report *report)
{
	struct stat status;
	uint8_t *bytes;
	enum wk_status result = WK_OK;
	size_t size, done = 0;

	if (fstat(file, &status) != 0)
		return fail(report, "the image", strerror(errno));
	size = (size_t)status.st_size;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return WK_NO_MEMORY;
	while (done < size) {
		ssize_t got = pread(file, bytes + done, size - done, (off_t)done);

		if (got <= 0) {
			result = fail(report, "the image", got < 0 ? strerror(errno) : "it became shorter");
			break;
		}
		done += (size_t)got;
	}
	if (result == WK_OK) {
		wk_image_make_seal(wk_span(bytes, size), module->bytes, seal);
		if (lseek(file, 0, SEEK_END) < 0 || !write_all(file, seal, sizeof *seal))
			result = fail(report, "the image", strerror(errno));
	}
	free(bytes);
	return result;
}

static enum wk_status finish(const char *library, const struct wk_module *module, struct wk_image_seal *seal,
	const char *path, struct wk_report *report)
{
	int file = open(library, O_RDWR | O_CLOEXEC);
	enum wk_status status;

	if (file < 0)
		return fail(report, library, strerror(errno));
	status = seal_file(file, module, seal, report);
	if (close(file) != 0 && status == WK_OK)
		status = fail(report, library, strerror(errno));
	if (status == WK_OK && rename(library, path) != 0)
		status = fail(report, path, strerror(errno));
	return status;
}

/* Object files beside the image; their names end with NULL. */
static enum wk_status write_objects(const LLVMMemoryBufferRef *objects, uint32_t count, const char *path, char **names,
	struct wk_report *report)
{
	size_t room = strlen(path) + sizeof ".XXXXXX";

	for (uint32_t i = 0; i < count; i++) {
		bool written;
		int file;

		names[i] = malloc(room);
		if (!names[i])
			return WK_NO_MEMORY;
		snprintf(names[i], room, "%s.XXXXXX", path);
		file = mkostemp(names[i], O_CLOEXEC);
		if (file < 0) {
			free(names[i]);
			names[i] = NULL;
			return fail(report, path, strerror(errno));
		}
		written = write_all(file, LLVMGetBufferStart(objects[i]), LLVMGetBufferSize(objects[i]));
		if (close(file) != 0 || !written)
			return fail(report, names[i], strerror(errno));
	}
	return WK_OK;
}

enum wk_status wk_c_link(const struct wk_compile_options *options, const LLVMMemoryBufferRef *objects, uint32_t count,
	const struct wk_module *module, struct wk_image_seal *seal, const char *path, struct wk_report *report)
{
	char *names[WK_C_PARTS + 1] = { NULL }, *library = NULL;
	enum wk_status status = write_objects(objects, count, path, names, report);

	if (status == WK_OK) {
		size_t room = strlen(names[0]) + sizeof ".so";

		library = malloc(room);
		status = library ? WK_OK : WK_NO_MEMORY;
		if (library)
			snprintf(library, room, "%s.so", names[0]);
	}
	if (status == WK_OK)
		status = link_object(wk_c_target(options->target), names, library, report);
	if (status == WK_OK)
		status = finish(library, module, seal, path, report);
	if (status != WK_OK && library)
		(void)unlink(library);
	free(library);
	for (uint32_t i = 0; names[i]; i++) {
		(void)unlink(names[i]);
		free(names[i]);
	}
	return status;
}
