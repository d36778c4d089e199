/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/image.h: modules that were compiled ahead of time, by `wasmkeep compile`. On Linux.
 *
 *	wk_module_load(keep, bytes, ..., &module)
 *	wk_module_use_image(module, "app.image", &report)
 * or
 *	wk_module_load_image(keep, "app.image", &report, &module)
 *
 * An image is native code, made from one module for one kind of machine and one version of this library. What it does not
 * hold code for is interpreted, function by function; in stores that count fuel everything is, unless the image was compiled to count it,
 * which then ends at the same instruction. Images are to be trusted like the library itself: a file that an enemy could write is not one to load.
 */
#ifndef WASMKEEP_IMAGE_H
#define WASMKEEP_IMAGE_H

#include <wasmkeep/wasmkeep.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads the image in the file for the module, which must have no instance yet. On failure the module is as it was: it can
 * be interpreted. WK_NOT_FOUND: there is no such file; WK_MALFORMED: it is none, or damaged; WK_UNSUPPORTED: it is for
 * another module, machine or version; nothing of it was executed then. `report` may be NULL. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_module_use_image(struct wk_module *module, const char *path,
	struct wk_report *report);

/* Loads the module that is inside of the image, with its code: all that the module was but for the bodies of those functions
 * that are compiled, so stores that count fuel refuse it unless the image counts. It is decoded and validated as any. Its
 * SHA-256 is not asked for: whoever can write the file decides what runs. Fails as wk_module_use_image and wk_module_load.
 * On success the caller owns *module. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_module_load_image(struct wk_keep *keep, const char *path,
	struct wk_report *report, struct wk_module **module);

/* How many functions the module defines, and how many of them are compiled. */
WK_PUBLIC void wk_module_image_counts(const struct wk_module *module, uint32_t *functions, uint32_t *compiled);

#ifdef __cplusplus
}
#endif
#endif
