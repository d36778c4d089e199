/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/status.h: how every function says what happened.
 *
 * A function that can fail returns an enum wk_status; 0 is success. Most take an optional `struct wk_report *`
 * (NULL is allowed) that receives one human-readable sentence and the position of the fault. The first fault wins: a
 * report that already holds one is not overwritten. A report is plain memory of the caller's: it owns nothing.
 */
#ifndef WASMKEEP_STATUS_H
#define WASMKEEP_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WK_NODISCARD __attribute__((warn_unused_result))
#define WK_PUBLIC __attribute__((visibility("default")))
#else
#define WK_NODISCARD
#define WK_PUBLIC
#endif

enum wk_status {
	WK_OK = 0,
	WK_MALFORMED,    /* the bytes are not a WebAssembly module (specification, chapter 5) */
	WK_INVALID,      /* a module, but not a valid one (chapter 3) */
	WK_UNSUPPORTED,  /* valid perhaps, but uses a feature Wasmkeep does not have; the report names it */
	WK_LIMIT,        /* an implementation limit, or a limit set by the embedder, was reached */
	WK_NO_MEMORY,    /* a budget or the machine has no more memory; the report names which */
	WK_UNLINKABLE,   /* an import is missing or of another type (chapter 4, instantiation) */
	WK_TRAP,         /* the guest trapped; the report holds the trap code and the backtrace */
	WK_EXCEPTION,    /* a guest exception left the outermost function uncaught */
	WK_EXIT,         /* the guest asked to end the program (WASI proc_exit) */
	WK_BAD_ARGUMENT, /* the embedder passed something that cannot be: NULL, wrong type, wrong count */
	WK_NOT_FOUND,    /* no export, file or name like that */
	WK_IO,           /* the environment refused to read or write */
	WK_STATUS_COUNT
};

/* Why a guest was stopped (specification 3.0, chapter 4). The texts of wk_trap_text() are those of the core test
 * suite where it has one. */
enum wk_trap {
	WK_TRAP_NONE = 0,
	WK_TRAP_UNREACHABLE,
	WK_TRAP_MEMORY_BOUNDS,
	WK_TRAP_TABLE_BOUNDS,
	WK_TRAP_UNDEFINED_ELEMENT,   /* call_indirect past the end of the table */
	WK_TRAP_UNINITIALIZED_ELEMENT,
	WK_TRAP_INDIRECT_CALL_TYPE,
	WK_TRAP_NULL_REFERENCE,
	WK_TRAP_NULL_FUNCTION,
	WK_TRAP_NULL_EXCEPTION,
	WK_TRAP_DIVIDE_BY_ZERO,
	WK_TRAP_INTEGER_OVERFLOW,
	WK_TRAP_INVALID_CONVERSION,
	WK_TRAP_STACK_EXHAUSTED,
	WK_TRAP_FUEL_EXHAUSTED,
	WK_TRAP_INTERRUPTED,
	WK_TRAP_NO_MEMORY,           /* translation or an exception found no memory in its budget */
	WK_TRAP_HOST,                /* a host function refused; its report says why */
	WK_TRAP_COUNT
};

/* Which limit refused memory. */
enum wk_limit_kind {
	WK_LIMIT_NONE = 0,
	WK_LIMIT_DECLARED,     /* the maximum that the module declares for its memory */
	WK_LIMIT_SUPPORTED,    /* the most that Wasmkeep supports, for example 4 GiB for a memory with 32-bit addresses */
	WK_LIMIT_BUDGET,       /* a memory_limit of the embedder's */
	WK_LIMIT_ALLOCATOR,    /* the embedder's allocator */
	WK_LIMIT_RAM,          /* all of the TEE's RAM for Trusted Applications is in use */
	WK_LIMIT_CONTIGUITY,   /* there is RAM, but not in one piece */
	WK_LIMIT_MAPPINGS,     /* a TEE keeps books on each mapping, and has no room for more of them */
	WK_LIMIT_PAGE_TABLES,  /* a TEE has page tables for so many blocks of addresses */
	WK_LIMIT_ADDRESSES,    /* the address space */
	WK_LIMIT_MACHINE,      /* the operating system */
	WK_LIMIT_KIND_COUNT
};

/* A request for memory that was refused. */
struct wk_refusal {
	enum wk_limit_kind limit;
	const char *subject;         /* what the memory was for; constant text, never NULL if limit is set */
	uint64_t asked;              /* bytes */
	uint64_t used, value;        /* of the limit: bytes, or numbers of mappings or of page tables */
};

#define WK_NO_OFFSET UINT64_MAX
#define WK_NO_FUNCTION UINT32_MAX
#define WK_REPORT_TEXT 400
#define WK_REPORT_FRAMES 32

/* One frame of a wasm backtrace, innermost first. */
struct wk_frame {
	uint32_t function;  /* index in its module's function index space */
	uint64_t offset;    /* byte offset of the instruction in the module, or WK_NO_OFFSET */
	char name[48];      /* from the name section or an export, cut and NUL-terminated; may be empty */
};

struct wk_report {
	enum wk_status status;
	enum wk_trap trap;           /* set when status is WK_TRAP */
	uint64_t offset;             /* byte offset in the module, or WK_NO_OFFSET */
	uint32_t function;           /* function index, or WK_NO_FUNCTION */
	uint32_t frame_count;        /* frames[] filled; more may have been on the stack: */
	uint64_t frame_total;        /* how many there were in all */
	struct wk_refusal refusal;   /* set when status is WK_NO_MEMORY and it is known */
	char text[WK_REPORT_TEXT];   /* one sentence, UTF-8, NUL-terminated */
	struct wk_frame frames[WK_REPORT_FRAMES];
};

/* Empties a report so that it can be used (again). Never fails. */
WK_PUBLIC void wk_report_clear(struct wk_report *report);

/* A short constant English name of a status or a trap ("malformed module", "integer divide by zero"). Never NULL. */
WK_PUBLIC const char *wk_status_text(enum wk_status status);
WK_PUBLIC const char *wk_trap_text(enum wk_trap trap);

#ifdef __cplusplus
}
#endif
#endif
