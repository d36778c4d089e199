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
#include "compiler/sign.h"
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

/* What OP-TEE's loader wants: segments of one kind of protection each, pages of 4 KiB, and a hash table of the older kind,
 * too. Names that nobody needs there would count for the size. */
#define OPTEE_WORDS "-z", "separate-code", "-z", "max-page-size=4096", "--hash-style=both", "--strip-all"

/* Runs one linker. -1: there is none of this name; else its exit status, 0 is success. */
static int run(const char *name, const struct wk_target *target, char *const *objects, const char *library)
{
	static const char *const optee_words[] = { OPTEE_WORDS };
	const char *words[13 + WK_COUNT(optee_words) + WK_C_PARTS + 1] = { name, "-m", target->emulation, "-shared", "-z", "now",
		"-z", target->optee ? "norelro" : "relro", "-z", "noexecstack", "--build-id=none", "-o", library };
	size_t count = 13;
	pid_t child;
	int status;

	for (size_t i = 0; objects[i]; i++)
		words[count++] = objects[i];
	if (target->optee)
		memcpy(words + count, optee_words, sizeof optee_words);
	if (posix_spawnp(&child, name, NULL, NULL, (char *const *)(uintptr_t)words, environ) != 0)
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
		int status = run(linkers[i], target, objects, library);

		if (status == 0)
			return WK_OK;
		/* 127 is a spawn that found out late. Others may do what this one cannot: ld knows one machine. */
	}
	return fail(report, "no linker", "ld.lld-19, ld.lld or ld is needed (Debian: lld-19), and none has linked the image");
}

/* All bytes of the file. The caller frees them. */
static enum wk_status read_file(int file, struct wk_report *report, struct wk_span *all)
{
	struct stat status;
	uint8_t *bytes;
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
			enum wk_status failed = fail(report, "the image", got < 0 ? strerror(errno) : "it became shorter");

			free(bytes);
			return failed;
		}
		done += (size_t)got;
	}
	*all = wk_span(bytes, size);
	return WK_OK;
}

/* The library with its seal behind it. The caller frees them. */
static enum wk_status seal_library(struct wk_span library, const struct wk_module *module, struct wk_span stripped,
	struct wk_image_seal *seal, struct wk_report *report, struct wk_span *sealed)
{
	const uint8_t *inside = memmem(library.data, library.size, stripped.data, stripped.size);
	uint8_t *bytes;

	if (!inside)
		return fail(report, "the linker", "it has lost the module");
	seal->module_offset = (uint64_t)(inside - library.data);
	seal->module_size = stripped.size;
	wk_image_make_seal(library, module->bytes, seal);
	bytes = malloc(library.size + sizeof *seal);
	if (!bytes)
		return WK_NO_MEMORY;
	memcpy(bytes, library.data, library.size);
	memcpy(bytes + library.size, seal, sizeof *seal);
	*sealed = wk_span(bytes, library.size + sizeof *seal);
	return WK_OK;
}

/* In place of the sealed library. */
static enum wk_status sign(const char *path, const uint8_t module[32], struct wk_report *report, struct wk_span *file)
{
	struct wk_key *key = NULL;
	uint8_t uuid[16], *signed_file = NULL;
	size_t size = 0;
	enum wk_status status = wk_key_read(path, report, &key);

	wk_image_uuid(module, uuid);
	if (status == WK_OK)
		status = wk_sign(key, *file, uuid, report, &signed_file, &size);
	wk_key_delete(key);
	if (status != WK_OK)
		return status;
	free((void *)(uintptr_t)file->data);
	*file = wk_span(signed_file, size);
	return WK_OK;
}

/* Makes an image of the library in the file. */
static enum wk_status seal_file(int file, const struct wk_compile_options *options, const struct wk_module *module,
	struct wk_span stripped, struct wk_image_seal *seal, struct wk_report *report)
{
	struct wk_span library = { NULL, 0 }, image = { NULL, 0 };
	enum wk_status status = read_file(file, report, &library);

	if (status == WK_OK)
		status = seal_library(library, module, stripped, seal, report, &image);
	if (status == WK_OK && wk_c_target(options->target)->optee)
		status = sign(options->sign, seal->module, report, &image);
	if (status == WK_OK && (lseek(file, 0, SEEK_SET) < 0 || !write_all(file, image.data, image.size)))
		status = fail(report, "the image", strerror(errno));
	free((void *)(uintptr_t)library.data);
	free((void *)(uintptr_t)image.data);
	return status;
}

static enum wk_status finish(const char *library, const struct wk_compile_options *options,
	const struct wk_module *module, struct wk_span stripped, struct wk_image_seal *seal, const char *path,
	struct wk_report *report)
{
	int file = open(library, O_RDWR | O_CLOEXEC);
	enum wk_status status;

	if (file < 0)
		return fail(report, library, strerror(errno));
	status = seal_file(file, options, module, stripped, seal, report);
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
	const struct wk_module *module, struct wk_span stripped, struct wk_image_seal *seal, const char *path,
	struct wk_report *report)
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
		status = finish(library, options, module, stripped, seal, path, report);
	if (status != WK_OK && library)
		(void)unlink(library);
	free(library);
	for (uint32_t i = 0; names[i]; i++) {
		(void)unlink(names[i]);
		free(names[i]);
	}
	return status;
}
