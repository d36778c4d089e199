/* SPDX-License-Identifier: Apache-2.0
 *
 * From a module to an image (image/abi.h), by LLVM. For hosts only: nothing in a TEE includes this, and of this house
 * only the tool `wasmkeep-compile` and tests do.
 */
#ifndef WK_COMPILER_COMPILER_H
#define WK_COMPILER_COMPILER_H

#include "format/module.h"

struct wk_compile_options {
	unsigned optimisation;         /* 0 to 3 */
	bool fuel;                     /* counts fuel: for stores with fuel, and those without */
	bool compare;                  /* all addresses with the memory's size, where guarded memories would do (image/abi.h) */
	unsigned parts;                /* that are compiled at the same time; 0: by the size. At most 8 */
	const char *target;            /* as WK_IMAGE_TARGET; NULL: this machine */
	const char *sign;              /* for OP-TEE: a file with the private key, in PEM; else NULL */
	const char *save_ir;           /* a file for LLVM's text of what is compiled, before it is optimised; NULL: none */
	/* Told what is not compiled; NULL: nobody is. */
	void (*left)(void *context, uint32_t function, const char *why);
	/* Told how far it is, by the thread that called wk_compile, between the translation and the linker: `done` of `whole`
	 * units of work (two for each byte of a function's body), which never falls; first 0, then at least five times a
	 * second while other threads work, and at last the whole if all goes well. NULL: nobody is. */
	void (*progress)(void *context, uint64_t done, uint64_t whole);
	void *context;                 /* for both */
};

struct wk_compile_result {
	uint32_t functions, compiled;  /* of those that the module defines */
	uint64_t library_size;
};

/* Compiles a loaded module to a file, which appears whole or not at all. WK_BAD_ARGUMENT: an unknown target, or a
 * key that is missing or of no use there; WK_UNSUPPORTED: no linker, the key does not sign, or it cannot be written;
 * WK_LIMIT: too large for OP-TEE; the report says what. */
WK_NODISCARD enum wk_status wk_compile(const struct wk_module *module, const struct wk_compile_options *options,
	const char *path, struct wk_report *report, struct wk_compile_result *result);

#endif
