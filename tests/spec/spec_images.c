/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules that run compiled. Images go through files, as everybody's do: one that is made, used and removed; or those in
 * a folder, which a runner with a compiler has written for a machine that has none. These are named by the SHA-256 of
 * their module. Every second image is used without its module.
 *
 * What always holds: a module that loads has its image, or loading fails. None is quietly interpreted.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include <wasmkeep/image.h>

#include "base/report.h"
#include "image/image.h"
#include "spec/spec.h"
#include "compiler/compiler.h"

/* DIRECTORY/SHA-256.image */
static void name_image(const struct wk_module *module, const char *directory, char *path, size_t size)
{
	struct wk_sha256 hash;
	uint8_t digest[32];
	char digits[2 * sizeof digest + 1];

	wk_sha256_begin(&hash);
	wk_sha256_add(&hash, module->bytes.data, module->bytes.size);
	wk_sha256_end(&hash, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(digits + 2 * i, 3, "%02x", digest[i]);
	snprintf(path, size, "%s/%s.image", directory, digits);
}

static void count(uint32_t functions, uint32_t compiled)
{
	spec_images->modules++;
	spec_images->functions += functions;
	spec_images->compiled += compiled;
}

/* Instead of the module that which is inside of the image. */
static enum wk_status load_alone(struct wk_module **module, const char *path, struct wk_report *report)
{
	struct wk_keep *keep = (*module)->keep;

	wk_module_release(*module);
	*module = NULL;
	return wk_module_load_image(keep, path, report, module);
}

static enum wk_status use(struct wk_module **module, const char *path, struct wk_report *report)
{
	static bool alone;
	uint32_t functions, compiled;
	enum wk_status status;

	alone = !alone;
	status = alone ? load_alone(module, path, report) : wk_module_use_image(*module, path, report);
	if (status == WK_OK) {
		wk_module_image_counts(*module, &functions, &compiled);
		count(functions, compiled);
	}
	return status;
}

static enum wk_status compile(const struct wk_module *module, const char *path, struct wk_report *report,
	struct wk_compile_result *result)
{
#ifdef WK_WITH_COMPILER
	/* In parts as large modules are, some in as many as there may be: functions without any, parts without any. */
	const struct wk_compile_options options = { .optimisation = (unsigned)spec_images->level,
		.compare = spec_images->compare < 0 ? module->bytes.size % 2 != 0 : spec_images->compare != 0,
		.target = spec_images->target, .parts = module->func_count % 5 == 4 ? 8 : 1 + module->func_count % 5 };

	return wk_compile(module, &options, path, report, result);
#else
	(void)module, (void)path, (void)result;
	return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "this runner was built without LLVM");
#endif
}

enum wk_status spec_images_use(struct wk_module **module, struct wk_report *report)
{
	char path[4096];
	struct wk_compile_result result = { 0 };
	enum wk_status status;

	if (spec_images->from) {
		name_image(*module, spec_images->from, path, sizeof path);
		return use(module, path, report);
	}
	if (spec_images->to) {
		name_image(*module, spec_images->to, path, sizeof path);
		status = compile(*module, path, report, &result);
		if (status == WK_OK)
			count(result.functions, result.compiled);
		return status;
	}
	snprintf(path, sizeof path, "/tmp/wk-spec-%ld.image", (long)getpid());
	status = compile(*module, path, report, &result);
	if (status == WK_OK)
		status = use(module, path, report);
	(void)unlink(path);
	return status;
}
