/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoded module (specification 2.5). Read-only after load; everything in it lives in its arena. Index spaces start
 * with the imports. Function bodies, constant expressions and segment contents stay in the module's bytes and are named
 * by offset, never copied.
 */
#ifndef WK_FORMAT_MODULE_H
#define WK_FORMAT_MODULE_H

#include "format/types.h"
#include "memory/arena.h"

enum wk_extern { WK_EXTERN_FUNC, WK_EXTERN_TABLE, WK_EXTERN_MEMORY, WK_EXTERN_GLOBAL, WK_EXTERN_TAG };

struct wk_limits {
	uint64_t minimum, maximum; /* elements, or pages; maximum UINT64_MAX when has_maximum is false */
	bool has_maximum;
	bool is64;                 /* address type i64 */
};

struct wk_table_type { wk_valtype element; struct wk_limits limits; };
struct wk_memory_type { struct wk_limits limits; uint8_t page_log2; /* 16, or 0 with custom-page-sizes */ };
struct wk_global_type { wk_valtype type; bool mutable_; };

/* A constant expression: its bytes, `end` included. Offsets are from the start of the module's bytes. Validated. */
struct wk_constexpr { uint32_t offset, size; };

struct wk_import {
	struct wk_span module, name;
	enum wk_extern kind;
	uint32_t index;            /* in its index space */
};

struct wk_export {
	struct wk_span name;
	enum wk_extern kind;
	uint32_t index;
};

struct wk_function_decl {
	uint32_t type;             /* registry id */
	uint32_t body;             /* offset of the body (its local declarations) in the bytes; 0 for imports */
	uint32_t size;             /* bytes of the body, from `body` to its last `end` inclusive */
	uint32_t max_slots;        /* largest height of the operand stack, in slots; set by the validator */
};

struct wk_table_decl {
	struct wk_table_type type;
	struct wk_constexpr init;  /* size 0: null */
};

struct wk_global_decl {
	struct wk_global_type type;
	struct wk_constexpr init;  /* size 0 for imports */
};

enum wk_segment_mode { WK_SEGMENT_ACTIVE, WK_SEGMENT_PASSIVE, WK_SEGMENT_DECLARATIVE };

struct wk_element_segment {
	enum wk_segment_mode mode;
	wk_valtype type;
	uint32_t table;
	struct wk_constexpr offset;
	uint32_t count;
	bool expressions;          /* items are constant expressions; else function indices in LEB128 */
	uint32_t items;            /* offset of the first item in the bytes */
};

struct wk_data_segment {
	enum wk_segment_mode mode;
	uint32_t memory;
	struct wk_constexpr offset;
	struct wk_span bytes;
};

/* Section ids (5.5.2). */
enum wk_section_id {
	WK_SECTION_CUSTOM, WK_SECTION_TYPE, WK_SECTION_IMPORT, WK_SECTION_FUNCTION, WK_SECTION_TABLE, WK_SECTION_MEMORY,
	WK_SECTION_GLOBAL, WK_SECTION_EXPORT, WK_SECTION_START, WK_SECTION_ELEMENT, WK_SECTION_CODE, WK_SECTION_DATA,
	WK_SECTION_DATA_COUNT, WK_SECTION_TAG, WK_SECTION_IDS
};

/* A section as it stands in the file, for `inspect`. */
struct wk_section { uint8_t id; struct wk_span name; /* custom only */ uint32_t offset, size; };

struct wk_held;
struct wk_native;

struct wk_module {
	struct wk_budget budget;           /* heap of this module; child of the keep's */
	struct wk_arena arena;
	struct wk_registry *registry;
	struct wk_span bytes;
	struct wk_keep *keep;              /* set by wk_module_load; the decoder leaves NULL */
	struct wk_held *held;              /* what `bytes` lie in if they are the keep's; NULL: the embedder's */
	uint32_t references;               /* atomic */

	uint32_t type_count, func_count, table_count, memory_count, global_count, tag_count;
	uint32_t imported_funcs, imported_tables, imported_memories, imported_globals, imported_tags;
	uint32_t import_count, export_count, element_count, data_count, section_count;

	uint32_t *types;                   /* type index -> registry id */
	uint32_t *groups;                  /* one id per interned group, to be dropped at the end */
	uint32_t group_count;
	struct wk_import *imports;
	struct wk_export *exports;
	struct wk_function_decl *funcs;
	struct wk_table_decl *tables;
	struct wk_memory_type *memories;
	struct wk_global_decl *globals;
	uint32_t *tags;                    /* registry id of each tag's function type */
	struct wk_element_segment *elements;
	struct wk_data_segment *datas;
	struct wk_section *sections;
	uint32_t start;                    /* function index, or UINT32_MAX */
	bool has_data_count;
	bool asks_memory_size;             /* some function has memory.size or memory.grow; set by the validator */
	uint64_t small;                    /* wk_module_small in a TEE, else 0; set by the keep */

	struct wk_span name_functions;     /* contents of subsection 1 of the name section; empty if absent or broken */
	struct wk_span name_module;

	void *code[2];                     /* the engine's translated code, [1] metered; owned by the engine, NULL until
	                                    * used; freed by the engine before wk_module_free */
	struct wk_native *native;          /* compiled code of some of its functions, or NULL; set before the first instance */
};

/* Decodes the sections (5.5): everything but the instructions of function bodies, whose extents are found. Index bounds
 * and types are not checked here: src/validate does that, once. `bytes` must live as long as the module. On success
 * *module holds one reference. */
WK_NODISCARD enum wk_status wk_module_decode(struct wk_budget *budget, struct wk_registry *registry,
	struct wk_span bytes, struct wk_report *report, struct wk_module **module);
/* Frees the module and its references to types. */
void wk_module_free(struct wk_module *module);

/* The value of a constant expression that is one i32.const or i64.const; UINT64_MAX: it is another. */
uint64_t wk_module_constant(const struct wk_module *module, struct wk_constexpr expression);
/* The value of an immutable global of this name, exported and defined here with such an expression; else UINT64_MAX. */
uint64_t wk_module_exported_constant(const struct wk_module *module, const char *name);
/* Behind the last byte that active data segments write to memory 0; 0: none does; UINT64_MAX: one has another offset than
 * a constant. */
uint64_t wk_module_data_end(const struct wk_module *module);
/* Bytes that the module's only memory may begin with, fewer than are declared; 0: with all of them. The rest comes when
 * something touches it (wk_memory_complete). For a validated module. */
uint64_t wk_module_small(const struct wk_module *module);

/* The name of a function from the name section, else from an export, else from its import ("module.name" is not built:
 * the field name); an empty span if none. Linear in the size of the name section: for traps and listings. */
struct wk_span wk_module_function_name(const struct wk_module *module, uint32_t function);

static inline const struct wk_deftype *wk_module_func_type(const struct wk_module *m, uint32_t function)
{
	return wk_registry_get(m->registry, m->funcs[function].type);
}

#endif
