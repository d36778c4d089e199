/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/program.h: a module run as a program. What `wasmkeep run` does, on Linux and in a TEE: a store, WASI if the
 * module imports it, an instance, and a call.
 *
 *	wk_program_new(keep, module, &config, &report, &program)
 *	wk_program_instantiate(program, &report)
 *	wk_program_call(program, NULL, NULL, 0, NULL, 0, &report)
 *	wk_program_delete(program)
 *
 * A module is a command, which exports _start, or a reactor, whose functions are called one by one, _initialize before the
 * first (the two kinds of WASI preview 1's application ABI). Modules without WASI are treated alike.
 */
#ifndef WASMKEEP_PROGRAM_H
#define WASMKEEP_PROGRAM_H

#include <wasmkeep/wasi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wk_program;

/* Read during wk_program_new only. Zero-initialised it is a valid configuration. */
struct wk_program_config {
	struct wk_store_config store;
	uint64_t fuel;                     /* what it starts with, if store.fuel */
	bool translate;                    /* all functions before the first call: see wk_module_translate */
	const struct wk_wasi_config *wasi; /* NULL: no arguments, no folders, the standard streams of the process */
};

/* Makes the store, and WASI if the module imports it. Nothing of the guest runs. The module is kept alive. On success the
 * caller owns *program. WK_LIMIT: the module's memories start with more than store.memory_limit. `config` and `report` may
 * be NULL, here and below. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_program_new(struct wk_keep *keep, struct wk_module *module,
	const struct wk_program_config *config, struct wk_report *report, struct wk_program **program);
/* Instantiates: its start function runs. Once. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_program_instantiate(struct wk_program *program, struct wk_report *report);
/* Calls an exported function; `name` NULL: _start, and nothing at all if the module exports no function. Arguments and
 * results as wk_func_call. WK_NOT_FOUND: there is no such function; WK_EXIT: the program has ended itself, see
 * wk_store_exit_code. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_program_call(struct wk_program *program, const char *name,
	const struct wk_value *arguments, size_t argument_count, struct wk_value *results, size_t result_count,
	struct wk_report *report);
/* The store, to interrupt it, for its fuel and its exit code; the instance, NULL before there is one. */
WK_PUBLIC struct wk_store *wk_program_store(struct wk_program *program);
WK_PUBLIC struct wk_instance *wk_program_instance(struct wk_program *program);
/* Ends it with its store. NULL is allowed. */
WK_PUBLIC void wk_program_delete(struct wk_program *program);

#ifdef __cplusplus
}
#endif
#endif
