/* SPDX-License-Identifier: Apache-2.0
 *
 * Images on OP-TEE: a signed library, which the core verifies and its loader maps. So nothing here makes memory
 * executable, and no patch of OP-TEE is needed.
 *
 * Who may sign decides what is native code. The normal world names a module's hash, and the UUID is made here of that, so
 * it cannot have one loaded with a name of another kind; the signature covers the UUID: a file of another module is refused
 * by OP-TEE. What is in the library says once more what it is (its seal), and is believed, since it was signed. The same
 * goes for the module inside of it.
 */
#include "base/report.h"
#include "image/image.h"
#include "port/optee/optee.h"

static enum wk_status refuse(TEE_Result result, struct wk_report *report)
{
	const char *why = "the TEE does not load it";

	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return wk_report_set(report, WK_NOT_FOUND, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: it is not installed");
	if (result == TEE_ERROR_SECURITY)
		why = "the TEE does not trust it: it is damaged, of another module, or signed with another key";
	if (result == TEE_ERROR_OUT_OF_MEMORY)
		why = "the TEE has no memory for it";
	return wk_report_set(report, result == TEE_ERROR_OUT_OF_MEMORY ? WK_NO_MEMORY : WK_UNSUPPORTED, WK_NO_OFFSET,
		WK_NO_FUNCTION, "the image is not used: %s (code %x)", why, (uint32_t)result);
}

static TEE_UUID name_of(const uint8_t module[32])
{
	uint8_t bytes[16];
	TEE_UUID uuid;

	wk_image_uuid(module, bytes);
	uuid.timeLow = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	uuid.timeMid = (uint16_t)(bytes[4] << 8 | bytes[5]);
	uuid.timeHiAndVersion = (uint16_t)(bytes[6] << 8 | bytes[7]);
	memcpy(uuid.clockSeqAndNode, bytes + 8, sizeof uuid.clockSeqAndNode);
	return uuid;
}

enum wk_status wk_optee_use_image(const uint8_t module[32], void **stack, size_t *stack_size, size_t new_size,
	struct wk_report *report, const struct wk_image_table **table)
{
	const TEE_UUID uuid = name_of(module);
	TEE_Result result = wk_optee_library(&uuid, stack, stack_size, new_size);
	const struct wk_image_seal *seal;
	enum wk_status status;

	if (result != TEE_SUCCESS)
		return refuse(result, report);
	seal = wk_optee_symbol(&uuid, WK_IMAGE_SEAL_SYMBOL);
	*table = wk_optee_symbol(&uuid, WK_IMAGE_SYMBOL);
	if (!seal || !*table)
		return wk_report_set(report, WK_MALFORMED, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image is not used: there is no table in it");
	status = wk_image_check_seal(seal, 0, WK_IMAGE_TARGET, report);
	if (status == WK_OK)
		status = wk_image_check_module(seal, module, report);
	if (status != WK_OK)
		*table = NULL;
	return status;
}
