/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules from files. A file is read into memory of the keep and never mapped: who can write to a mapped file could change
 * the module after it was checked. Its first bytes are looked at before the rest is read, so that an endless device
 * ends at once, and a file of another kind is called by its name: "not a module" alone helps nobody who has confused
 * two files.
 */
#define _GNU_SOURCE 1
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "base/utf8.h"
#include "format/limits.h"

#define FIRST_READ 4096

/* What files start with that are taken for modules by mistake. */
static const struct {
	const char *start;
	uint8_t size;
	const char *is;
} kinds[] = {
	{ "\0asm\x0d\0\1\0", 8, "this is a WebAssembly component; Wasmkeep runs core modules only: take the core module "
		"out of it (wasm-tools component unbundle)" },
	{ "\x7f" "ELF", 4, "this is an ELF file (native code), not a WebAssembly module" },
	{ "HSTO", 4, "this is signed for OP-TEE (compiled code or a Trusted Application), not a WebAssembly module" },
	{ "\xcf\xfa\xed\xfe", 4, "this is a Mach-O file (native code), not a WebAssembly module" },
	{ "MZ", 2, "this is a Windows program, not a WebAssembly module" },
	{ "!<arch>\n", 8, "this is an archive of object files (ar); link them into a module first" },
	{ "BC\xc0\xde", 4, "this is LLVM bitcode; compile it into a WebAssembly module first" },
	{ "\x1f\x8b", 2, "this is compressed with gzip; unpack it first" },
	{ "\x28\xb5\x2f\xfd", 4, "this is compressed with zstd; unpack it first" },
	{ "\xfd" "7zXZ", 5, "this is compressed with xz; unpack it first" },
	{ "PK\3\4", 4, "this is a zip archive, not a WebAssembly module" },
	{ "#!", 2, "this is a script, not a WebAssembly module" },
};

static bool starts_with(struct wk_span bytes, const void *start, size_t size)
{
	return bytes.size >= size && memcmp(bytes.data, start, size) == 0;
}

/* Behind white space and comments of the text format (6.3.3, 6.3.4). */
static struct wk_span skip_text_space(struct wk_span text)
{
	size_t at = 0;

	for (;;) {
		while (at < text.size && strchr(" \t\r\n", text.data[at]) && text.data[at])
			at++;
		if (at + 1 >= text.size || memcmp(text.data + at, ";;", 2) != 0)
			break;
		while (at < text.size && text.data[at] != '\n')
			at++;
	}
	return wk_span(text.data + at, text.size - at);
}

static bool looks_like_text_format(struct wk_span bytes)
{
	struct wk_span text = skip_text_space(bytes);

	return starts_with(text, "(module", 7) || starts_with(text, "(component", 10) || starts_with(text, "(;", 2) ||
		starts_with(text, "(type", 5) || starts_with(text, "(func", 5) || starts_with(text, "(import", 7) ||
		starts_with(text, "(assert_", 8);
}

static bool looks_like_text(struct wk_span bytes)
{
	size_t valid = wk_utf8_valid_prefix(bytes);

	if (bytes.size - valid >= 4) /* a character may be cut at the end */
		return false;
	for (size_t i = 0; i < valid; i++)
		if (bytes.data[i] < 0x20 && !(bytes.data[i] >= '\t' && bytes.data[i] <= '\r') && bytes.data[i] != 0x1b)
			return false;
	return true;
}

/* Says what a file is by its first bytes, if it is no module. */
static enum wk_status check_kind(struct wk_span bytes, struct wk_report *report)
{
	const char *is = NULL;

	if (bytes.size == 0)
		is = "the file is empty";
	for (size_t i = 0; !is && i < WK_COUNT(kinds); i++)
		if (starts_with(bytes, kinds[i].start, kinds[i].size))
			is = kinds[i].is;
	if (!is && starts_with(bytes, "\0asm", bytes.size < 4 ? bytes.size : 4))
		return WK_OK; /* the rest is the decoder's to judge */
	if (!is && looks_like_text_format(bytes))
		is = "this is WebAssembly text; translate it into a binary module first (wat2wasm, wasm-tools parse)";
	if (!is && looks_like_text(bytes))
		is = "this is a text file, not a WebAssembly module";
	if (!is)
		is = "not a WebAssembly module: it does not start with \"\\0asm\"";
	return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", is);
}

static enum wk_status refuse(struct wk_report *report, const char *doing, int error)
{
	return wk_report_set(report, error == ENOMEM ? WK_NO_MEMORY : WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", doing,
		strerror(error));
}

/* Reads until `size` bytes are there or the file ends. -1: errno says why. */
static ssize_t read_fully(int fd, uint8_t *to, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, to + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Makes room for `capacity` bytes, of which the first `size` are those of `bytes`. */
static enum wk_status make_room(struct wk_keep *keep, struct wk_span *bytes, size_t size, size_t capacity,
	struct wk_report *report)
{
	void *larger = NULL;
	enum wk_status status = wk_module_bytes(keep, capacity, report, &larger);

	if (status != WK_OK)
		return status;
	memcpy(larger, bytes->data, size);
	wk_file_free(keep, bytes);
	*bytes = wk_span(larger, capacity);
	return WK_OK;
}

/* The next room, when so much has been read and there is more. */
static size_t next_capacity(const struct stat *info, size_t size)
{
	/* One byte more than the file is said to have, so that the end is met without another round. */
	if (S_ISREG(info->st_mode) && info->st_size >= (off_t)size && info->st_size <= (off_t)WK_MAX_MODULE_SIZE)
		return (size_t)info->st_size + 1;
	return size * 2 < (size_t)WK_MAX_MODULE_SIZE ? size * 2 : (size_t)WK_MAX_MODULE_SIZE;
}

/* Reads the rest behind the first bytes. *bytes is the room; *size what has been read of it. */
static enum wk_status read_rest(int fd, const struct stat *info, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes, size_t *size)
{
	for (;;) {
		enum wk_status status = make_room(keep, bytes, *size, next_capacity(info, *size), report);
		ssize_t n;

		if (status != WK_OK)
			return status;
		n = read_fully(fd, (uint8_t *)(uintptr_t)bytes->data + *size, bytes->size - *size);
		if (n < 0)
			return refuse(report, "cannot read", errno);
		*size += (size_t)n;
		if (*size < bytes->size)
			return WK_OK;
		if (*size == WK_MAX_MODULE_SIZE)
			return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
				"the file is as large as a module may be, %u bytes, or larger", WK_MAX_MODULE_SIZE);
	}
}

static enum wk_status read_open_file(int fd, bool any_kind, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes)
{
	uint8_t first[FIRST_READ];
	struct wk_span room = { first, 0 };
	struct stat info;
	size_t size;
	ssize_t n;
	enum wk_status status;

	if (fstat(fd, &info) != 0)
		return refuse(report, "cannot read", errno);
	if (S_ISDIR(info.st_mode))
		return refuse(report, "cannot read", EISDIR);
	n = read_fully(fd, first, sizeof first);
	if (n < 0)
		return refuse(report, "cannot read", errno);
	size = (size_t)n;
	status = any_kind ? WK_OK : check_kind(wk_span(first, size), report);
	if (status != WK_OK)
		return status;
	if (size < sizeof first)
		status = make_room(keep, &room, size, size, report);
	else
		status = read_rest(fd, &info, keep, report, &room, &size);
	if (status != WK_OK) {
		wk_file_free(keep, &room);
		return status;
	}
	*bytes = wk_span(room.data, size);
	return WK_OK;
}

static enum wk_status read_file(const char *path, bool any_kind, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes)
{
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum wk_status status;

	if (fd < 0)
		return refuse(report, "cannot open", errno);
	status = read_open_file(fd, any_kind, keep, report, bytes);
	if (!standard_input)
		close(fd);
	return status;
}

enum wk_status wk_file_read(const char *path, struct wk_keep *keep, struct wk_report *report, struct wk_span *bytes)
{
	return read_file(path, false, keep, report, bytes);
}

enum wk_status wk_file_read_image(const char *path, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes)
{
	return read_file(path, true, keep, report, bytes);
}

void wk_file_free(struct wk_keep *keep, struct wk_span *bytes)
{
	/* Bytes of no keep are nobody's to free. */
	wk_module_bytes_free(keep, (void *)(uintptr_t)bytes->data);
	*bytes = wk_span(NULL, 0);
}
