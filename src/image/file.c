/* SPDX-License-Identifier: Apache-2.0
 *
 * Images that are files, with the seal behind the library: made by the compiler, checked before anything is loaded. A TEE
 * sees none, so the Trusted Application is built without this.
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

enum wk_status wk_image_check(struct wk_span file, const char *target, struct wk_report *report,
	struct wk_image_seal *seal)
{
	struct wk_image_seal found;
	uint8_t digest[32];
	enum wk_status status;

	if (file.size <= sizeof found)
		return refuse(report, WK_MALFORMED, "it is too short to be one");
	memcpy(&found, file.data + file.size - sizeof found, sizeof found);
	status = wk_image_check_seal(&found, file.size - sizeof found, target, report);
	if (status != WK_OK)
		return status;
	digest_of(file.data, file.size - sizeof found + offsetof(struct wk_image_seal, digest), digest);
	if (memcmp(digest, found.digest, sizeof digest) != 0 || found.module_size == 0)
		return refuse(report, WK_MALFORMED, "it was changed after it was written");
	*seal = found;
	return WK_OK;
}

void wk_image_make_seal(struct wk_span library, struct wk_span module, struct wk_image_seal *seal)
{
	struct wk_sha256 hash;

	memcpy(seal->magic, WK_IMAGE_MAGIC, sizeof seal->magic);
	seal->abi = WK_IMAGE_ABI;
	seal->seal_size = sizeof *seal;
	seal->library_size = library.size;
	digest_of(module.data, module.size, seal->module);
	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, library.data, library.size);
	wk_sha256_add(&hash, seal, offsetof(struct wk_image_seal, digest));
	wk_sha256_end(&hash, seal->digest);
}
