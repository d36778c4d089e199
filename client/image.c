/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled code for the TEE: a signed library under a name of its own in the folder where tee-supplicant looks. OP-TEE
 * checks the signature; here is checked what it says badly or not at all: a file of another kind, one that is cut off,
 * another module's, and one so large that OP-TEE's core would stop.
 */
#define _GNU_SOURCE 1
#include <wasmkeep/client.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"
#include "image/image.h"

#define FOLDER "/lib/optee_armtz"
#define LARGEST ((off_t)3 << 20)

/* OP-TEE's signed header (struct shdr), and behind digest and signature UUID and version. */
struct header {
	uint32_t magic, type, size, algorithm;
	uint16_t digest_size, signature_size;
};
#define MAGIC 0x4f545348u
#define BOOTSTRAP_TA 1u
#define NAME_SIZE 20u

static enum wk_status refuse(struct wk_report *report, enum wk_status status, const char *why)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is not used: %s", why);
}

static enum wk_status fail(struct wk_report *report, const char *path, const char *why)
{
	return wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", path, why);
}

/* A whole file that can be an image by its size. The caller frees *bytes. */
static enum wk_status read_image(const char *path, struct wk_report *report, uint8_t **bytes, size_t *size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	enum wk_status status = WK_OK;

	*bytes = NULL;
	*size = 0;
	if (file < 0)
		return errno == ENOENT ? wk_report_set(report, WK_NOT_FOUND, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", path,
			strerror(errno)) : fail(report, path, strerror(errno));
	if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
		status = fail(report, path, "this is no file");
	else if (about.st_size > LARGEST)
		status = refuse(report, WK_LIMIT, "it is larger than OP-TEE takes, 3 MiB");
	else if (!(*bytes = malloc((size_t)about.st_size + 1)))
		status = WK_NO_MEMORY;
	while (status == WK_OK && *size < (size_t)about.st_size) {
		ssize_t got = read(file, *bytes + *size, (size_t)about.st_size - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break; /* the header tells */
		*size += (size_t)got;
	}
	close(file);
	return status;
}

/* Is it a signed image of the module that it is named after? */
static enum wk_status check(const uint8_t *bytes, size_t size, struct wk_report *report, struct wk_image_seal *seal,
	struct wk_span *library)
{
	struct header header = { 0 };
	uint8_t uuid[16];
	size_t name;
	enum wk_status status;

	if (size >= sizeof header)
		memcpy(&header, bytes, sizeof header);
	name = sizeof header + header.digest_size + header.signature_size;
	if (header.magic != MAGIC || header.type != BOOTSTRAP_TA)
		return refuse(report, WK_MALFORMED, "it is no signed library for OP-TEE");
	if (name + NAME_SIZE > size || header.size != size - name - NAME_SIZE)
		return refuse(report, WK_MALFORMED, "it is cut off, or has another size than its header says");
	*library = wk_span(bytes + name + NAME_SIZE, header.size);
	status = wk_image_check(*library, WK_IMAGE_TARGET_OPTEE, report, seal);
	if (status != WK_OK)
		return status;
	wk_image_uuid(seal->module, uuid);
	return memcmp(bytes + name, uuid, sizeof uuid) == 0 ? WK_OK :
		refuse(report, WK_MALFORMED, "its name is not that of its module");
}

static bool write_all(int file, const uint8_t *bytes, size_t size)
{
	while (size != 0) {
		ssize_t done = write(file, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		size -= (size_t)done;
	}
	return true;
}

/* The file appears whole or not at all. */
static enum wk_status write_file(const char *folder, const char *path, const uint8_t *bytes, size_t size,
	struct wk_report *report)
{
	char *beside = NULL;
	bool good;
	int file;

	if (asprintf(&beside, "%s/.wasmkeep-XXXXXX", folder) < 0)
		return WK_NO_MEMORY;
	file = mkostemp(beside, O_CLOEXEC);
	good = file >= 0 && write_all(file, bytes, size) && fchmod(file, 0644) == 0 && fsync(file) == 0;
	if (file >= 0)
		good = close(file) == 0 && good && rename(beside, path) == 0;
	if (!good) {
		wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION, "the image cannot be installed: %s: %s", path,
			strerror(errno));
		if (file >= 0)
			(void)unlink(beside);
	}
	free(beside);
	return good ? WK_OK : WK_IO;
}

static bool is_there(const char *path, const uint8_t *bytes, size_t size)
{
	struct wk_report report;
	uint8_t *there;
	size_t there_size;
	bool same = read_image(path, &report, &there, &there_size) == WK_OK && there_size == size &&
		memcmp(there, bytes, size) == 0;

	free(there);
	return same;
}

/* Where tee-supplicant looks for the image of the module with this hash. The caller frees it; NULL: no memory. */
static char *path_in(const char *folder, const uint8_t hash[32])
{
	char text[37], *path = NULL;
	uint8_t uuid[16];
	size_t length = 0;

	wk_image_uuid(hash, uuid);
	for (size_t i = 0; i < sizeof uuid; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	return asprintf(&path, "%s/%s.ta", folder ? folder : FOLDER, text) < 0 ? NULL : path;
}

static enum wk_status install(const char *folder, const char *path, const uint8_t *bytes, size_t size,
	struct wk_report *report)
{
	return is_there(path, bytes, size) ? WK_OK : write_file(folder ? folder : FOLDER, path, bytes, size, report);
}

enum wk_status wk_client_install(const char *file, const void *module, size_t size, const char *folder, uint8_t hash[32],
	struct wk_report *report)
{
	struct wk_sha256 sum;
	struct wk_image_seal seal;
	struct wk_span library;
	char *path;
	uint8_t *bytes;
	size_t bytes_size;
	enum wk_status status;

	wk_sha256_begin(&sum);
	wk_sha256_add(&sum, module, size);
	wk_sha256_end(&sum, hash);
	path = path_in(folder, hash);
	if (!path)
		return WK_NO_MEMORY;
	status = read_image(file ? file : path, report, &bytes, &bytes_size);
	if (status == WK_OK)
		status = check(bytes, bytes_size, report, &seal, &library);
	if (status == WK_OK)
		status = wk_image_check_module(&seal, hash, report);
	if (status == WK_OK && file)
		status = install(folder, path, bytes, bytes_size, report);
	free(bytes);
	free(path);
	return status;
}

enum wk_status wk_client_install_image(const char *file, const char *folder, uint8_t hash[32], void **module,
	size_t *size, struct wk_report *report)
{
	struct wk_image_seal seal;
	struct wk_span library;
	char *path = NULL;
	void *inside = NULL;
	uint8_t *bytes;
	size_t bytes_size;
	enum wk_status status = read_image(file, report, &bytes, &bytes_size);

	if (status == WK_OK)
		status = check(bytes, bytes_size, report, &seal, &library);
	if (status == WK_OK) {
		path = path_in(folder, seal.module);
		inside = malloc((size_t)seal.module_size);
		status = path && inside ? install(folder, path, bytes, bytes_size, report) : WK_NO_MEMORY;
	}
	if (status == WK_OK) {
		memcpy(hash, seal.module, sizeof seal.module);
		memcpy(inside, library.data + seal.module_offset, (size_t)seal.module_size);
		*module = inside;
		*size = (size_t)seal.module_size;
		inside = NULL;
	}
	free(inside);
	free(path);
	free(bytes);
	return status;
}
