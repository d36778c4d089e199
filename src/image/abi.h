/* SPDX-License-Identifier: Apache-2.0
 *
 * The ABI of images: what compiled code and the runtime know of each other. Both the compiler and the runtime include
 * this header, and nothing else of each other.
 *
 * An image is a shared library of the platform with a seal behind its last byte. It imports nothing but memcpy, memmove
 * and memset: all else it reaches through the context, its first argument everywhere. It exports one symbol, a struct
 * wk_image_table, which has the module, too: an ordinary one, decoded and validated as any, in which the bodies of the
 * functions that are compiled are `unreachable`.
 *
 * A compiled function is called with the context of its instance, then its parameters, in registers as the image likes;
 * only code of the same image calls it so. Everybody else goes through the entry of the function's type, which takes
 * parameters from slots and leaves results there (runtime/instance.h says what a slot is). Every function of the module
 * has code in the image: an imported one, or one that is not compiled, a stub that calls back (helpers->call).
 *
 * Compiled code ends in a trap or an exit by calling a helper that does not return: see image/enter.c. So it does in an
 * exception that it throws or calls something that does, unless it was called by try_call.
 *
 * What holds references to exceptions keeps them on the guest stack as well, where the collector looks: it moves
 * exec->stack_top up, and back before it returns.
 */
#ifndef WK_IMAGE_ABI_H
#define WK_IMAGE_ABI_H

#include "runtime/instance.h"

/* Another number whenever something below changes, or code that was compiled before would do something wrong. */
#define WK_IMAGE_ABI 4u

struct wk_image_context;

/* Those that return a number return an enum wk_trap where nothing else is said; the caller then traps. */
struct wk_image_helpers {
	/* These four do not return, or not when something is wrong. `offset` is the instruction's in the module. */
	void (*trap)(struct wk_image_context *context, uint32_t trap, uint32_t offset);
	void (*stop)(struct wk_image_context *context, uint32_t offset); /* interrupted, or the stack is used up */
	void (*call)(struct wk_image_context *context, uint32_t function, uint64_t *slots);
	void (*call_func)(struct wk_image_context *context, struct wk_func *func, uint64_t *slots);
	uint32_t (*type_matches)(struct wk_image_context *context, uint32_t type, uint32_t wanted); /* 1 or 0 */
	uint64_t (*ref_func)(struct wk_image_context *context, uint32_t function); /* a slot */
	uint64_t (*memory_grow)(struct wk_image_context *context, uint32_t memory, uint64_t pages); /* as the instruction */
	uint32_t (*memory_init)(struct wk_image_context *context, uint32_t memory, uint32_t segment, uint64_t to,
		uint32_t from, uint32_t size);
	void (*data_drop)(struct wk_image_context *context, uint32_t segment);
	uint64_t (*table_grow)(struct wk_image_context *context, uint32_t table, uint64_t count, uint64_t value);
	uint32_t (*table_fill)(struct wk_image_context *context, uint32_t table, uint64_t to, uint64_t value, uint64_t count);
	uint32_t (*table_copy)(struct wk_image_context *context, uint32_t to_table, uint32_t from_table, uint64_t to,
		uint64_t from, uint64_t count);
	uint32_t (*table_init)(struct wk_image_context *context, uint32_t table, uint32_t segment, uint64_t to, uint32_t from,
		uint32_t count);
	void (*element_drop)(struct wk_image_context *context, uint32_t segment);
	/* In assembly (image/enter.c): called as compiled code is, with its context and parameters in registers, none on the
	 * stack, it calls the compiled code that r10 or x18 points to (LLVM's `nest`). It returns what that does, or, with
	 * exec->pending set, anything. The caller sets exec->native_handler and stack_top back; and takes pending, or lets it
	 * go on. */
	void (*try_call)(void);
	/* Not yet thrown, and with nothing in its slots; NULL: no memory. */
	struct wk_exception *(*exception_new)(struct wk_image_context *context, uint32_t tag);
	void (*raise)(struct wk_image_context *context); /* exec->pending; does not return */
	void (*reserve)(struct wk_image_context *context, const uint64_t *end); /* the guest stack reaches to there, or a trap */
};

/* Returns 0. */
typedef uint32_t wk_image_entry(struct wk_image_context *context, void *code, uint64_t *slots);

/* What compiled code sees of an instance. None of these fields ever changes: compiled code may keep them. */
struct wk_image_context {
	struct wk_exec *exec;
	struct wk_instance *instance;
	uint8_t *memory;               /* memory 0's first byte; NULL: there is none */
	const struct wk_image_helpers *helpers;
	void *const *code;             /* by function index */
	struct wk_memory **memories;   /* these are the instance's: */
	struct wk_table **tables;
	uint64_t **globals;
	const uint32_t *types;         /* module->types */
	struct wk_memory *first;       /* memories[0] */
};

/* In the image, constant. */
struct wk_image_table {
	uint32_t abi;
	uint32_t function_count;       /* the module's, imported ones too */
	void *const *code;             /* of each function; then of what calls functions and is none; then NULL */
	wk_image_entry *const *entries; /* of each function's type */
	const uint8_t *compiled;       /* of each function: 1, or 0: the code is a stub */
	uint32_t counts_fuel;          /* 1: all of it does, in exec->fuel; 0: none */
	uint32_t module_size;          /* bytes of: */
	const uint8_t *module;         /* the module that was compiled, without the bodies of functions that are compiled */
	const uint32_t *bodies;        /* of each function that is not imported: its body's offset in the module as it was, for
	                                * backtraces. They go up */
	const void *begin, *end;       /* what code is in, if `guards` is 1 */
	uint32_t guards;               /* 1: it needs guarded memories where addresses are of 32 bits and pages of 64 KiB; 0: not */
};
/* The memories that code with `guards` does not compare addresses of. */
static inline bool wk_image_relies_on_guard(const struct wk_memory_type *type)
{
	return !type->limits.is64 && type->page_log2 == 16;
}

#define WK_IMAGE_SYMBOL "wasmkeep_image"

/* Behind the library's bytes. On OP-TEE, where the runtime never sees the file, also a symbol of the library, with sizes and
 * an offset of 0: the signature covers it. All numbers are little-endian. Its end looks the same in all versions. */
struct wk_image_seal {
	uint64_t library_size;         /* bytes before the seal */
	uint64_t module_offset, module_size; /* what the table calls the module, in the library's file */
	char target[24];               /* what WK_IMAGE_TARGET is where it runs; padded with zeros, as the next */
	char compiler[24];             /* for people */
	uint32_t optimisation;         /* 0 to 3 */
	uint32_t function_count, compiled_count; /* without imported ones */
	uint32_t counts_fuel;          /* as in the table */
	uint8_t module[32];            /* SHA-256 of the module that was compiled, as it was */
	uint8_t digest[32];            /* SHA-256 of all bytes of the file before this field */
	uint32_t seal_size;            /* bytes of this struct */
	uint32_t abi;
	uint8_t magic[8];              /* WK_IMAGE_MAGIC */
};
#define WK_IMAGE_MAGIC "WKIMAGE\n"
#define WK_IMAGE_SEAL_SYMBOL "wasmkeep_image_seal"

/* Where this runtime's images are for; empty: nowhere. What a Trusted Application is built with says that it is for Linux,
 * but only one has its interrupts in shared memory, which images for it know. */
#define WK_IMAGE_TARGET_OPTEE "aarch64-optee"
#if defined(__aarch64__) && defined(WK_SHARED_INTERRUPT)
#define WK_IMAGE_TARGET WK_IMAGE_TARGET_OPTEE
#define WK_IMAGE_OPTEE
#elif defined(__x86_64__) && defined(__linux__)
#define WK_IMAGE_TARGET "x86_64-linux"
#elif defined(__aarch64__) && defined(__linux__)
#define WK_IMAGE_TARGET "aarch64-linux"
#else
#define WK_IMAGE_TARGET ""
#endif

/* The runtime's structures as compiled code knows them. The compiler takes offsets with offsetof, so a change here
 * means another WK_IMAGE_ABI, not another compiler. */
#define WK_AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), "WK_IMAGE_ABI: " #type)
#if UINTPTR_MAX == UINT64_MAX
WK_AT(wk_image_context, exec, 0);
WK_AT(wk_image_context, instance, 8);
WK_AT(wk_image_context, memory, 16);
WK_AT(wk_image_context, helpers, 24);
WK_AT(wk_image_context, code, 32);
WK_AT(wk_image_context, memories, 40);
WK_AT(wk_image_context, tables, 48);
WK_AT(wk_image_context, globals, 56);
WK_AT(wk_image_context, types, 64);
WK_AT(wk_image_context, first, 72);
WK_AT(wk_image_helpers, call_func, 24);
WK_AT(wk_image_helpers, element_drop, 104);
WK_AT(wk_image_helpers, reserve, 136);
WK_AT(wk_image_table, compiled, 24);
WK_AT(wk_image_table, counts_fuel, 32);
WK_AT(wk_image_table, module_size, 36);
WK_AT(wk_image_table, module, 40);
WK_AT(wk_image_table, bodies, 48);
WK_AT(wk_image_table, guards, 72);
WK_AT(wk_image_seal, digest, 120);
WK_AT(wk_image_seal, abi, 156);
_Static_assert(sizeof(struct wk_image_seal) == 168, "WK_IMAGE_ABI: the seal");
WK_AT(wk_exec, interrupt, 0);
WK_AT(wk_exec, fuel, 16);
WK_AT(wk_exec, stack_limit, 40);
WK_AT(wk_exec, stack_top, 56);
WK_AT(wk_exec, pending, 88);
WK_AT(wk_exec, interrupt_at, 136);
WK_AT(wk_exec, native_guard, 144);
WK_AT(wk_exec, native_handler, 168); /* image/enter.c */
WK_AT(wk_exception, tag, 0);
WK_AT(wk_exception, slots, 48);
WK_AT(wk_instance, tags, 56);
WK_AT(wk_memory, linear.size, 8);
WK_AT(wk_table, elements, 32);
WK_AT(wk_table, size, 40);
WK_AT(wk_func, type, 0);
WK_AT(wk_func, index, 4);
WK_AT(wk_func, instance, 8);
#endif
#undef WK_AT

#endif
