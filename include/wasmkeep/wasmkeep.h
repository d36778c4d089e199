/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/wasmkeep.h: the embedding interface.
 *
 *	keep     the environment: memory budget, type registry. Made once; may be shared by threads.
 *	module   a decoded and validated binary; read-only; shared by its instances and by threads.
 *	store    instances that can see each other, and one execution stack. One thread at a time.
 *	linker   names to host functions and instances: resolves a module's imports.
 *	instance a module with its memories, tables, globals and imports bound. Lives as long as its store.
 *
 * Lifetimes: keep outlives its modules and stores; a module is kept alive by its instances (reference counted, so it may
 * be released right after instantiation); what a store made dies with it. Every function that returns WK_NO_MEMORY has
 * changed nothing. All sizes are bytes unless a name says pages.
 */
#ifndef WASMKEEP_WASMKEEP_H
#define WASMKEEP_WASMKEEP_H

#include <wasmkeep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wk_keep;
struct wk_module;
struct wk_store;
struct wk_linker;
struct wk_instance;
struct wk_func;      /* a function of some instance, or a host function; lives as long as its store */
struct wk_memory;
struct wk_table;
struct wk_global;
struct wk_tag;

/* ---- values (specification 2.3.1 to 2.3.5) ---- */

enum wk_kind { WK_I32 = 1, WK_I64, WK_F32, WK_F64, WK_V128, WK_FUNCREF, WK_EXTERNREF, WK_EXNREF,
	WK_ANYREF /* every other reference; only null */ };

struct wk_value {
	enum wk_kind kind;
	union {
		int32_t i32;
		int64_t i64;
		float f32;
		double f64;
		uint8_t v128[16];       /* little-endian lanes */
		struct wk_func *func;   /* WK_FUNCREF: NULL is ref.null */
		uint64_t ref;           /* the other references: 0 is null; an externref is any number that the host chose; an
		                         * exnref is good until the next call into its store, unless a global or table has it */
	} of;
};

/* ---- keep ---- */

/* Where heap bytes come from. `alloc` returns 16-byte aligned memory or NULL; `free` is told the size that was asked
 * for. Both may be called from every thread that uses the keep. */
struct wk_allocator {
	void *(*alloc)(void *context, size_t size);
	void (*free)(void *context, void *block, size_t size);
	void *context;
	/* Makes a block smaller or larger where it is and returns it, or returns NULL and changes nothing. May be NULL. */
	void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
};

struct wk_provider;     /* where memory comes from: see memory.h */
struct wk_memory_event; /* see memory.h */

struct wk_keep_config {
	const struct wk_allocator *allocator; /* NULL: the keep has a heap of its own, made of the provider's pages. Copied. */
	uint64_t memory_limit;                /* everything the keep may hold, heap and pages; 0: no limit */
	struct wk_provider *provider;         /* NULL: this environment's. Borrowed until the keep is gone. */
	/* Called when pages are mapped or given back, a guest's memory grows or memory is refused; NULL: nobody. */
	void (*memory_observer)(void *context, const struct wk_memory_event *event);
	void *memory_context;
};

/* Makes a keep. `config` may be NULL. On success the caller owns *keep. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_keep_new(const struct wk_keep_config *config, struct wk_keep **keep);
/* Ends a keep; its modules and stores must have gone before. NULL is allowed. */
WK_PUBLIC void wk_keep_delete(struct wk_keep *keep);

struct wk_usage {
	uint64_t heap_used, heap_peak;    /* runtime structures, types, internal code */
	uint64_t bytes_used, bytes_peak;  /* module bytes that Wasmkeep copied */
	uint64_t pages_used, pages_peak;  /* linear memories and stacks */
	uint64_t allocations;             /* heap allocations ever made */
};
WK_PUBLIC void wk_keep_usage(const struct wk_keep *keep, struct wk_usage *usage);

/* ---- module ---- */

enum wk_load_flags {
	WK_LOAD_COPY = 0,    /* the bytes are copied */
	WK_LOAD_BORROW = 1,  /* the bytes are borrowed: unchanged and alive until the module is gone */
	WK_LOAD_GIVE = 2,    /* the bytes are from wk_module_bytes, and go with the module; on failure too they are gone */
};

/* Room in the keep for the bytes of a module, to be filled by the caller and loaded with WK_LOAD_GIVE: no second copy is
 * needed then, and the keep's limits hold from the first byte. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_module_bytes(struct wk_keep *keep, size_t size, struct wk_report *report,
	void **bytes);
/* For bytes that are not loaded after all; the keep's end frees them too. NULL is allowed. */
WK_PUBLIC void wk_module_bytes_free(struct wk_keep *keep, void *bytes);

/* Decodes and validates a binary module. `report` may be NULL. On success the caller owns a reference. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_module_load(struct wk_keep *keep, const void *bytes, size_t size, unsigned flags,
	struct wk_report *report, struct wk_module **module);
/* Translates all functions now, for stores with or without fuel; else each is when it is first called. That takes time and
 * memory while a guest runs, a little at a time; after this it does not. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_module_translate(struct wk_module *module, bool fuel, struct wk_report *report);
/* The type of an exported function, before there is an instance: as wk_func_type. false: there is none of this name. */
WK_PUBLIC bool wk_module_function_type(const struct wk_module *module, const char *name, uint32_t *parameter_count,
	enum wk_kind *parameters, uint32_t *result_count, enum wk_kind *results);
/* Gives a reference back. NULL is allowed. */
WK_PUBLIC void wk_module_release(struct wk_module *module);

/* ---- store ---- */

struct wk_store_config {
	uint64_t stack_size;      /* guest stack in bytes, 4 KiB to 4 GiB; 0: 1 MiB, in a TEE 256 KiB. It begins small, with the
	                           * first call, and grows up to this; exhausting it is a trap. */
	uint32_t native_depth;    /* how deep host functions may call back into guests; 0: 16 */
	bool fuel;                /* meter instructions: see wk_store_set_fuel */
	uint64_t memory_limit;    /* of the linear memories of this store together; 0: no limit beyond the keep's */
};

WK_PUBLIC WK_NODISCARD enum wk_status wk_store_new(struct wk_keep *keep, const struct wk_store_config *config,
	struct wk_store **store);
/* Ends a store with everything in it; its linkers must have gone before, and nothing may run in it. NULL is allowed. */
WK_PUBLIC void wk_store_delete(struct wk_store *store);

/* Fuel: one unit an instruction, charged when a straight run of instructions is entered. A store made with .fuel starts
 * with 0. Returns WK_BAD_ARGUMENT if the store does not meter. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_store_set_fuel(struct wk_store *store, uint64_t fuel);
WK_PUBLIC uint64_t wk_store_fuel(const struct wk_store *store);

/* Stops what runs in the store with WK_TRAP_INTERRUPTED, at its next taken branch or call; from any thread or signal
 * handler. If nothing runs, the next call stops at once. wk_store_clear_interrupt makes the store usable again. */
WK_PUBLIC void wk_store_interrupt(struct wk_store *store);
WK_PUBLIC void wk_store_clear_interrupt(struct wk_store *store);

/* ---- host functions ---- */

/* What a host function sees of the call it serves; valid during the call only. */
struct wk_caller;

/* `arguments` are of the declared kinds. Set results[i].of (the kinds are set already, the values zero or null). Return
 * WK_OK, WK_EXIT after wk_caller_exit, or WK_TRAP (optionally after wk_caller_trap). May call wk_func_call on the
 * caller's store; what that returned may be returned too, and goes on to the guest: a trap ends it, an exception may be
 * caught by it. */
typedef enum wk_status wk_host_function(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results);

WK_PUBLIC struct wk_store *wk_caller_store(struct wk_caller *caller);
/* The instance whose code called, or NULL when the embedder called the host function itself. */
WK_PUBLIC struct wk_instance *wk_caller_instance(struct wk_caller *caller);
/* The memory exported as "memory" by the calling instance, else its memory 0; NULL if it has none. */
WK_PUBLIC struct wk_memory *wk_caller_memory(struct wk_caller *caller);
/* Says why the host function is about to return WK_TRAP. `text` is copied. Returns WK_TRAP. */
WK_PUBLIC enum wk_status wk_caller_trap(struct wk_caller *caller, const char *text);
/* Ends the program: the outermost wk_func_call returns WK_EXIT. Returns WK_EXIT. */
WK_PUBLIC enum wk_status wk_caller_exit(struct wk_caller *caller, uint32_t code);
WK_PUBLIC uint32_t wk_store_exit_code(const struct wk_store *store);

/* ---- linker ---- */

WK_PUBLIC WK_NODISCARD enum wk_status wk_linker_new(struct wk_store *store, struct wk_linker **linker);
/* Ends a linker; what was instantiated and defined with it stays in the store. NULL is allowed. */
WK_PUBLIC void wk_linker_delete(struct wk_linker *linker);

/* Defines a host function. `signature` is parameters, colon, results, one letter a value: i = i32, I = i64, f = f32,
 * F = f64, V = v128, r = funcref, x = externref ("ii:i"). `context` is borrowed until the store is gone. Strings are
 * copied. Defining a name again replaces it for later instantiations. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_linker_define_function(struct wk_linker *linker, const char *module_name,
	const char *name, const char *signature, wk_host_function *function, void *context);
/* Makes all exports of an instance importable under a module name. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_linker_define_instance(struct wk_linker *linker, const char *module_name,
	struct wk_instance *instance);
/* Instantiates (specification 4.5.4): resolves imports, checks their types, runs segments and the start function. When
 * that fails after the imports were checked, what it made stays in the store until the store's end: segments may have put
 * its functions into imported tables. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_linker_instantiate(struct wk_linker *linker, struct wk_module *module,
	struct wk_report *report, struct wk_instance **instance);

/* ---- exports, calls, memory ---- */

/* NULL when there is no export of that name and kind. `name` is UTF-8, NUL-terminated. */
WK_PUBLIC struct wk_func *wk_instance_function(struct wk_instance *instance, const char *name);
WK_PUBLIC struct wk_memory *wk_instance_memory(struct wk_instance *instance, const char *name);
WK_PUBLIC struct wk_global *wk_instance_global(struct wk_instance *instance, const char *name);
WK_PUBLIC struct wk_table *wk_instance_table(struct wk_instance *instance, const char *name);

/* Numbers of parameters and results; kinds are written to `parameters` and `results` where these are not NULL and have
 * room for the numbers returned (ask first with NULL). */
WK_PUBLIC void wk_func_type(const struct wk_func *func, uint32_t *parameter_count, enum wk_kind *parameters,
	uint32_t *result_count, enum wk_kind *results);

/* Calls a function; argument and result counts must be those of its type, argument kinds are checked. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_func_call(struct wk_func *func, const struct wk_value *arguments,
	size_t argument_count, struct wk_value *results, size_t result_count, struct wk_report *report);

/* Bytes now in the memory, and a bounds-checked view of `size` bytes at `address`: NULL when any lies outside. The view
 * holds until the store is gone (memories grow in place). */
WK_PUBLIC uint64_t wk_memory_size(const struct wk_memory *memory);
WK_PUBLIC void *wk_memory_view(struct wk_memory *memory, uint64_t address, uint64_t size);
WK_PUBLIC WK_NODISCARD enum wk_status wk_memory_read(struct wk_memory *memory, uint64_t address, void *to, size_t size);
WK_PUBLIC WK_NODISCARD enum wk_status wk_memory_write(struct wk_memory *memory, uint64_t address, const void *from,
	size_t size);

WK_PUBLIC void wk_global_get(const struct wk_global *global, struct wk_value *value);
/* WK_BAD_ARGUMENT when the global is immutable or of another kind. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_global_set(struct wk_global *global, const struct wk_value *value);

/* Elements of a table. WK_BAD_ARGUMENT when the index is outside or the value is not of the table's type. */
WK_PUBLIC uint64_t wk_table_size(const struct wk_table *table);
WK_PUBLIC WK_NODISCARD enum wk_status wk_table_get(const struct wk_table *table, uint64_t index, struct wk_value *value);
WK_PUBLIC WK_NODISCARD enum wk_status wk_table_set(struct wk_table *table, uint64_t index, const struct wk_value *value);

#define WASMKEEP_VERSION "0.1.0"
WK_PUBLIC const char *wk_version(void);

#ifdef __cplusplus
}
#endif
#endif
