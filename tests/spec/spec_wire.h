/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runner of the core test suite asks of its server (spec_serve.h), and is answered, as bytes, so that the server
 * may be in another world. Numbers are little-endian, as both sides are.
 *
 * A request is an operation (32 bits), then what is named below. An answer is a report, behind its size (32 bits), then
 * what is named as coming back, if the report's status is WK_OK. The runner numbers modules and instances; a number may
 * stand for one of each. A name is its size (32 bits) and its bytes.
 */
#ifndef WK_TESTS_SPEC_WIRE_H
#define WK_TESTS_SPEC_WIRE_H

#include <wasmkeep/wasmkeep.h>

enum spec_operation {
	SPEC_BEGIN = 1,   /* makes a keep and a store with the module `spectest` in it; what there was goes */
	SPEC_LOAD,        /* number, then the module until the end; back: count and names of the modules it imports from */
	SPEC_RELEASE,     /* number of a module */
	SPEC_INSTANTIATE, /* numbers of a module and of the instance to be */
	SPEC_REGISTER,    /* number of an instance, name */
	SPEC_INVOKE,      /* number of an instance, name, count and arguments; back: count and results */
	SPEC_GET,         /* number of an instance, name of a global; back: 1 and its value */
};

struct spec_value {
	uint32_t kind;      /* enum wk_kind */
	uint32_t zero;
	uint64_t slots[2];  /* of a v128 both; a reference that is not null is a number other than 0 */
};
_Static_assert(sizeof(struct spec_value) == 24, "both sides must agree");

#define SPEC_NUMBERS 4096u                   /* modules and instances of a script */
#define SPEC_REQUEST_MAX ((size_t)192 << 10)
#define SPEC_CALL_MAX ((size_t)64 << 10)     /* of a request that is no module */
#define SPEC_REPLY_MAX ((size_t)64 << 10)

#endif
