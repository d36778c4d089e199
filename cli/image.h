/* SPDX-License-Identifier: Apache-2.0
 * Images: where they are, and who makes them. */
#ifndef WK_CLI_IMAGE_H
#define WK_CLI_IMAGE_H

#include <stdbool.h>

#include <wasmkeep/image.h>

enum wk_cli_engine { WK_ENGINE_AUTO, WK_ENGINE_INTERP, WK_ENGINE_NATIVE };

struct wk_cli_image {
	enum wk_cli_engine engine;
	const char *path;              /* of the image; NULL: beside the module, or in the cache */
	bool fuel;                     /* only one that counts fuel will do */
	const char *folder;            /* where those for the TEE are installed; NULL: where tee-supplicant looks */
	bool verbose;
};

/* What a file is by its first bytes and its last: */
enum wk_cli_kind {
	WK_KIND_OTHER,                 /* a module, or nothing of ours: wk_file_read says what */
	WK_KIND_IMAGE,                 /* an image for Linux, as its end says */
	WK_KIND_ELF,                   /* one that is cut off, or another ELF file */
	WK_KIND_SIGNED,                /* signed for OP-TEE: an image for there, or a Trusted Application */
};
enum wk_cli_kind wk_cli_image_kind(const char *path);

/* The value of --engine; false when it is none, after a message. */
bool wk_cli_engine_take(const char *word, enum wk_cli_engine *engine);

/* Calls the compiler: optimisation 0 to 3, whether code counts fuel and compares addresses, target may be NULL, `ir` a file for LLVM's text or
 * NULL, `key` the file that signs for OP-TEE or NULL. Returns its exit status; it has said what is wrong. */
int wk_cli_compile(unsigned optimisation, bool fuel, bool compare, const char *target, bool verbose, const char *module,
	const char *image, const char *ir, const char *key);

/* MODULE.image for MODULE.wasm, or with another ending, which begins with a dot. The caller frees it; NULL: no memory. */
char *wk_cli_image_beside(const char *module, const char *ending);

/* Loads the module that is inside of an image, with its code. */
WK_NODISCARD enum wk_status wk_cli_image_load(const struct wk_cli_image *image, const char *path, struct wk_keep *keep,
	struct wk_report *report, struct wk_module **module);

/* Gives the module its image, as wished: 0, or an exit status after a message. `file` is where the module was read. */
int wk_cli_image_use(const struct wk_cli_image *image, const char *file, struct wk_module *module);

#endif
