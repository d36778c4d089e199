/* SPDX-License-Identifier: Apache-2.0
 *
 * What a seal must say. The checks go from what says most to a person to what says least: what kind of file it is, which
 * version, which machine, which module. Whether every bit is as it was written, file.c sees where there is a file.
 */
#include "base/report.h"
#include "image/image.h"

static enum wk_status refuse(struct wk_report *report, enum wk_status status, const char *text)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "the image is not used: %s", text);
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

enum wk_status wk_image_check_seal(const struct wk_image_seal *seal, uint64_t library_size, const char *target,
	struct wk_report *report)
{
	if (memcmp(seal->magic, WK_IMAGE_MAGIC, sizeof seal->magic) != 0)
		return refuse(report, WK_MALFORMED, "it has no seal; it is another file, or cut off");
	if (seal->abi != WK_IMAGE_ABI)
		return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it was compiled for version %u of the ABI, and this is %u", seal->abi, WK_IMAGE_ABI);
	if (seal->seal_size != sizeof *seal || !is_text(seal->target, sizeof seal->target) ||
		!is_text(seal->compiler, sizeof seal->compiler))
		return refuse(report, WK_MALFORMED, "its seal is damaged");
	if (!wk_span_equal(wk_span_of_text(seal->target), wk_span_of_text(target)))
		return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it was compiled for %s, and this is %s", seal->target, target);
	if (seal->library_size != library_size)
		return refuse(report, WK_MALFORMED, "it has another size than its seal says");
	if (seal->optimisation > 3 || seal->compiled_count > seal->function_count || seal->module_offset > library_size ||
		seal->module_size > library_size - seal->module_offset)
		return refuse(report, WK_MALFORMED, "its seal is damaged");
	return WK_OK;
}

enum wk_status wk_image_check_module(const struct wk_image_seal *seal, const uint8_t module[32], struct wk_report *report)
{
	if (memcmp(module, seal->module, sizeof seal->module) == 0)
		return WK_OK;
	return refuse(report, WK_UNSUPPORTED, "it was compiled from another module, or from another version of it");
}
