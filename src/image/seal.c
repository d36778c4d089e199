/* SPDX-License-Identifier: Apache-2.0
 *
 * The seal of an image: made by the compiler, checked before anything of the file is loaded. The checks go from what
 * says most to a person to what says least: what kind of file it is, which version, which machine, which module, and
 * last whether every bit is as it was written.
 */
#include "base/report.h"
#include "image/image.h"

static enum wk_status refuse(struct wk_report *report, enum wk_status status, const char *text)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is not used: %s", text);
}

static void digest_of(const void *bytes, size_t size, uint8_t digest[32])
{
	struct wk_sha256 hash;

	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, bytes, size);
	wk_sha256_end(&hash, digest);
}

static bool is_text(const char *field, size_t size)
{
	size_t length = 0;

	while (length < size && field[length] > ' ' && field[length] <= '~')
		length++;
	for (size_t i = length; i < size; i++)
		if (field[i] != 0)
			return false;
	return length != 0 && length < size;
}

static enum wk_status check_fields(const struct wk_image_seal *seal, size_t library_size, struct wk_report *report)
{
	if (memcmp(seal->magic, WK_IMAGE_MAGIC, sizeof seal->magic) != 0)
		return refuse(report, WK_MALFORMED, "it has no seal; it is another file, or cut off");
	if (seal->abi != WK_IMAGE_ABI)
		return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it was compiled for version %u of the ABI, and this is %u", seal->abi, WK_IMAGE_ABI);
	if (!is_text(seal->target, sizeof seal->target) || !is_text(seal->compiler, sizeof seal->compiler))
		return refuse(report, WK_MALFORMED, "its seal is damaged");
	if (memcmp(seal->target, WK_IMAGE_TARGET, sizeof WK_IMAGE_TARGET) != 0)
		return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it was compiled for %s, and this is %s", seal->target, WK_IMAGE_TARGET);
	if (seal->library_size != library_size)
		return refuse(report, WK_MALFORMED, "it has another size than its seal says");
	if (seal->optimisation > 3 || seal->compiled_count > seal->function_count)
		return refuse(report, WK_MALFORMED, "its seal is damaged");
	return WK_OK;
}

enum wk_status wk_image_check(struct wk_span file, struct wk_span module, struct wk_report *report,
	struct wk_image_seal *seal)
{
	struct wk_image_seal found;
	uint8_t digest[32];
	enum wk_status status;

	if (file.size <= sizeof found)
		return refuse(report, WK_MALFORMED, "it is too short to be one");
	memcpy(&found, file.data + file.size - sizeof found, sizeof found);
	status = check_fields(&found, file.size - sizeof found, report);
	if (status != WK_OK)
		return status;
	digest_of(module.data, module.size, digest);
	if (memcmp(digest, found.module, sizeof digest) != 0)
		return refuse(report, WK_UNSUPPORTED, "it was compiled from another module, or from another version of it");
	digest_of(file.data, file.size - sizeof found.digest, digest);
	if (memcmp(digest, found.digest, sizeof digest) != 0)
		return refuse(report, WK_MALFORMED, "it was changed after it was written");
	*seal = found;
	return WK_OK;
}

void wk_image_make_seal(struct wk_span library, struct wk_span module, struct wk_image_seal *seal)
{
	struct wk_sha256 hash;

	memcpy(seal->magic, WK_IMAGE_MAGIC, sizeof seal->magic);
	seal->abi = WK_IMAGE_ABI;
	seal->library_size = library.size;
	digest_of(module.data, module.size, seal->module);
	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, library.data, library.size);
	wk_sha256_add(&hash, seal, offsetof(struct wk_image_seal, digest));
	wk_sha256_end(&hash, seal->digest);
}
