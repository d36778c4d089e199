/* SPDX-License-Identifier: Apache-2.0
 *
 * A generator of valid modules: any string of bytes becomes a module that must load, and whose functions end: each loop
 * and each call takes one from the exported global "fuel", and at 0 the module traps. Used by the fuzzer of generated
 * modules and by the comparison with another engine.
 *
 * What the host must give a generated module is said by the names of its imports, all from "env":
 *   "f<n>:<parameters>:<results>"  a function; letters as in wk_linker_define_function (i I f F)
 *   "g:<letter>"                   an immutable global
 *   "m"                            a memory of 1 to 4 pages
 * It exports its functions as "f<n>" (the index in the function index space), memories as "m<n>", globals as "g<n>", and
 * "fuel", a mutable i32.
 */
#ifndef WK_TESTS_GENERATE_H
#define WK_TESTS_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wk_generate_options {
	bool simd, relaxed_simd, wide_arithmetic;
	bool multi_memory, memory64;
	bool tail_calls, exceptions, typed_references, extended_const;
	bool canonical;  /* NaNs are made canonical before their bits can be seen: results are the same on any engine */
	bool script;     /* exports only what a JavaScript host can call and read: no v128, no references */
};

/* Writes a module of at most `capacity` bytes; returns its size, or 0 when it did not fit. */
size_t wk_generate(const struct wk_generate_options *options, const uint8_t *data, size_t size, uint8_t *module,
	size_t capacity);

/* The start value of "fuel", and what to set it to before each call. */
#define WK_GENERATE_FUEL 200

#endif
