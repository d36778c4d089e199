/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs: stores, instances and what they hold (specification 4.2). Shared by the interpreter and, later, images.
 *
 * A slot is a uint64_t. i32 and f32 use its low half (the high half is undefined), v128 two slots, low half first. A
 * funcref slot holds a struct wk_func *, an exnref slot a struct wk_exception *, an externref any number; 0 is null.
 */
#ifndef WK_RUNTIME_INSTANCE_H
#define WK_RUNTIME_INSTANCE_H

#include "format/module.h"
#include "memory/heap.h"
#include "memory/linear.h"

/* Calls between host and guest pass slots: parameters in, results out, in the same array of
 * max(parameter_slots, result_slots). */
typedef enum wk_status wk_slot_function(void *context, struct wk_caller *caller, uint64_t *slots);

/* A function instance (4.2.7). Modules have many: a guest's says no more than who it is. */
struct wk_func {
	uint32_t type;                 /* registry id */
	uint32_t index;                /* in its instance's function index space; WK_NO_FUNCTION: a host function */
	struct wk_instance *instance;  /* whose code it is; NULL: this is the first member of a struct wk_host_func */
};

struct wk_table {
	struct wk_table_type type;     /* limits.minimum is not kept up to date */
	uint64_t *elements;            /* one slot each; may move when the table grows */
	uint64_t size, capacity;
	struct wk_store *store;
	struct wk_linear pages;        /* holds the elements of a large table; else base is NULL, and they are on the heap */
	struct wk_table *next;         /* all of the store's */
};

struct wk_memory {
	struct wk_linear linear;
	struct wk_memory_type type;
	uint64_t maximum;              /* bytes, the smaller of declared and allowed */
	uint64_t minimum;              /* bytes that it is declared with; linear.size may be less (wk_memory_complete) */
	struct wk_store *store;
	struct wk_memory *next;        /* all of the store's */
};

struct wk_global {
	uint64_t slots[2];
	struct wk_global_type type;
	struct wk_store *store;
};

struct wk_tag {
	uint32_t type;                 /* registry id */
	struct wk_store *store;
};

/* What a module may import (4.5.1, external addresses). */
struct wk_external {
	enum wk_extern kind;
	union {
		struct wk_func *func;
		struct wk_table *table;
		struct wk_memory *memory;
		struct wk_global *global;
		struct wk_tag *tag;
	} of;
};

/* A thrown exception (4.2.14). Collected by marking: see exception.c. */
struct wk_exception {
	struct wk_tag *tag;
	struct wk_exception *next;     /* all of the store's */
	struct wk_exception *left, *right, *queue; /* used during a collection only */
	uint32_t slot_count;
	uint32_t mark;
	uint64_t slots[];
};

struct wk_instance {
	struct wk_module *module;
	struct wk_store *store;
	/* Index spaces, imports first. Pointers: any of these may belong to another instance. */
	struct wk_func **imported_funcs;
	struct wk_func *own_funcs;     /* those defined here: see wk_instance_func */
	struct wk_table **tables;
	struct wk_memory **memories;
	struct wk_global **globals;
	struct wk_tag **tags;
	uint64_t **global_cells;       /* &globals[i]->slots[0]: what the interpreter reads */
	uint8_t *dropped_elements;     /* 1: elem.drop was executed (or the segment was active or declarative) */
	uint8_t *dropped_datas;
	uint64_t **element_slots;      /* evaluated items of passive segments, NULL when dropped or empty */
	struct wk_memory *main_memory; /* the export "memory", else memory 0, else NULL: what host functions work on */
	struct wk_instance *next;      /* all of the store's */
	void *native;                  /* what compiled code sees of it (image/abi.h); NULL: module->native is */
};

/* A host function and what the store keeps of it. */
struct wk_host_func {
	struct wk_func func;
	struct wk_store *store;
	wk_slot_function *host;        /* what is called, */
	void *host_context;            /* with this */
	wk_host_function *function;    /* the embedder's, called with values, if `host` is what turns slots into values */
	void *context;
	struct wk_host_func *next;     /* all of the store's; each holds a reference to its type */
};

/* A global that no instance owns. */
struct wk_host_global {
	struct wk_global global;
	struct wk_host_global *next;
};

/* What was entered last and has not returned, for those who look from a signal handler (port/posix/profiler.c). */
struct wk_entered {
	const struct wk_func *func;    /* a guest's, by the engine or as compiled code, or a host function; NULL: nothing runs */
	const void *at;                /* while the interpreter does an instruction outside of its loop: where; else NULL */
};

/* The state of execution of a store; the interpreter keeps a pointer to it in a register. Compiled code knows where some
 * of it is (image/abi.h), so new fields go to the end. */
struct wk_exec {
	uint32_t interrupt;            /* atomic: WK_INTERRUPT stops the guest at its next poll */
	uint32_t native_depth;         /* wk_interp_call's active */
	uint32_t native_depth_limit;
	uint32_t exit_code;
	int64_t fuel;                  /* used when metering */
	uint64_t *stack;               /* the guest stack's lowest slot */
	uint64_t *stack_guard;         /* atomic: stack_limit, or NULL while interrupted: what frames are compared with */
	uint64_t *stack_limit;         /* no frame may reach beyond what is there now; WK_STACK_SLACK slots follow it */
	uint64_t *stack_end;           /* where stack_limit may get to: wk_stack_reach */
	uint64_t *stack_top;           /* where the next call from the host puts its frame */
	struct wk_instance *instance;  /* whose code runs now */
	uint64_t **global_cells;       /* instance->global_cells */
	void *code;                    /* module->code of that instance */
	struct wk_exception *pending;  /* the exception on its way */
	enum wk_status ended;          /* how the engine's run ended */
	enum wk_trap trap;
	const void *trap_at;           /* interpreter's position of the trap */
	uint64_t *trap_frame;
	struct wk_report *report;      /* of the call from the host that runs now; may be NULL */
	struct wk_store *store;
	const uint32_t *interrupt_at;  /* the flag that is looked at: `interrupt`, unless wk_store_interrupt_from */
	/* Compiled code runs on the native stack: */
	uintptr_t native_guard;        /* atomic: native_limit, or UINTPTR_MAX while interrupted: what frames are compared with */
	uintptr_t native_limit;        /* no frame may lie below; 0: not known yet in this call from the host */
	void *native_anchor;           /* where a trap in compiled code leaves to */
	void *native_handler;          /* where an exception does, within the same run of it; NULL: to native_anchor */
	volatile struct wk_entered entered; /* not in a TEE, where nobody looks */
};
#define WK_STACK_SLACK 64

/* Around each call of an engine, of compiled code and of a host function: enter, and leave with what that returned. */
static inline struct wk_entered wk_exec_enter(struct wk_exec *exec, const struct wk_func *func)
{
	struct wk_entered outer = { NULL, NULL };

#ifndef WK_SHARED_INTERRUPT
	outer = (struct wk_entered){ exec->entered.func, exec->entered.at };
	exec->entered.at = NULL;
	exec->entered.func = func;
#endif
	(void)exec, (void)func;
	return outer;
}

static inline void wk_exec_leave(struct wk_exec *exec, struct wk_entered outer)
{
#ifndef WK_SHARED_INTERRUPT
	exec->entered.func = outer.func;
	exec->entered.at = outer.at;
#endif
	(void)exec, (void)outer;
}

/* An instruction at `at` begins that the loop does not do itself; NULL: it is done. */
static inline void wk_exec_set_at(struct wk_exec *exec, const void *at)
{
#ifndef WK_SHARED_INTERRUPT
	exec->entered.at = at;
#endif
	(void)exec, (void)at;
}

/* Is the guest to stop? In a TEE nobody reaches into a keep while a guest runs. Its flag is a word of memory that is shared
 * with the normal world, at another address after each return to there: that costs a load more, so it is chosen when the
 * library is built. Other bits of such a word are the normal world's own. */
#define WK_INTERRUPT 0x40000000u
static inline bool wk_exec_interrupted(const struct wk_exec *exec)
{
#ifdef WK_SHARED_INTERRUPT
	return (__atomic_load_n(exec->interrupt_at, __ATOMIC_RELAXED) & WK_INTERRUPT) != 0;
#else
	return __atomic_load_n(&exec->interrupt, __ATOMIC_RELAXED) != 0;
#endif
}
/* Where the flag is from now on, with WK_SHARED_INTERRUPT; NULL: in the store again. Not while a guest runs. */
void wk_store_interrupt_from(struct wk_store *store, const uint32_t *word);

/* native_guard from native_limit and the flag. */
void wk_exec_set_native_guard(struct wk_exec *exec);

struct wk_store {
	struct wk_exec exec;
	struct wk_keep *keep;
	struct wk_budget heap;         /* child of the keep's `stores` */
	struct wk_budget stacks, tables; /* pages; children of the keep's */
	struct wk_budget memories;     /* the same; has the embedder's limit */
	struct wk_arena arena;         /* everything that lives as long as the store */
	struct wk_linear stack;        /* taken at the first call: see wk_store_stack */
	uint64_t stack_size;           /* bytes it will have */
	bool metering;
	struct wk_instance *instances;
	struct wk_memory *memory_list; /* freed with the store */
	struct wk_table *table_list;
	uint64_t table_elements;       /* of all tables: at most WK_MAX_TABLE_ELEMENTS */
	struct wk_host_func *host_funcs;
	struct wk_host_global *host_globals;
	struct wk_exception *exceptions;
	uint64_t exception_bytes, exception_threshold;
	uint32_t exception_mark;
};

struct wk_caller {
	struct wk_store *store;
	struct wk_instance *instance;  /* NULL: the embedder */
};

/* Gives bytes back; NULL is allowed. It is in no list. */
void wk_held_free(struct wk_keep *keep, struct wk_held *held);

static inline struct wk_func *wk_instance_func(const struct wk_instance *instance, uint32_t index)
{
	uint32_t imported = instance->module->imported_funcs;
	return index < imported ? instance->imported_funcs[index] : &instance->own_funcs[index - imported];
}

static inline const struct wk_host_func *wk_host_func_of(const struct wk_func *func)
{
	return func->instance ? NULL : (const struct wk_host_func *)func;
}

static inline struct wk_store *wk_func_store(const struct wk_func *func)
{
	return func->instance ? func->instance->store : wk_host_func_of(func)->store;
}

/* How code runs: the seam between the runtime and an engine. The rooms that choose one are above both. */
struct wk_engine {
	/* Makes module->code[metering] (tables only; functions are translated when first called). Thread-safe. */
	enum wk_status (*prepare)(struct wk_module *module, bool metering, struct wk_report *report);
	/* Makes the code of all functions now; prepared. Thread-safe. */
	enum wk_status (*translate)(struct wk_module *module, bool metering, struct wk_report *report);
	/* Runs a guest's function to its end. `slots` holds parameters, then results. The caller has counted
	 * native depth; exec->stack_top is where the frame goes. WK_OK; WK_TRAP with exec->trap set and exec->report filled
	 * (text, frames); WK_EXCEPTION with exec->pending set; WK_EXIT; or a host function's status. Restores exec's
	 * instance and stack_top in any case. */
	enum wk_status (*call)(struct wk_func *func, uint64_t *slots);
	void (*free)(struct wk_module *module);
};

/* Compiled code of a module, for the functions that have it; all others are the engine's. The room that makes one is
 * beside the interpreter (src/image), so the two meet here: either can call a function of the other's. Stores that count
 * fuel use it if it counts. */
struct wk_native {
	/* Makes what compiled code sees of an instance: instance->native. Everything of it is bound; no code has run. */
	enum wk_status (*bind)(struct wk_instance *instance, struct wk_report *report);
	/* As engine->call; for functions with `has` only, whose instance->native is there. */
	enum wk_status (*call)(struct wk_func *func, uint64_t *slots);
	void (*free)(struct wk_module *module);
	const uint8_t *has;            /* by function index: 1 is compiled */
	const uint32_t *bodies;        /* of functions that are not imported: wk_function_decl.body, in the module as it was */
	bool counts;                   /* fuel */
	bool bare;                     /* what is compiled has no body in the module's bytes, so nothing else can run it */
};

/* Do stores that count fuel, or those that do not, use the module's compiled code? */
static inline bool wk_native_serves(const struct wk_module *module, bool metering)
{
	return module->native && (!metering || module->native->counts);
}

/* An offset in a function's body, in the module as it was before its bodies were taken out. */
static inline uint64_t wk_native_offset(const struct wk_module *module, uint32_t function, uint64_t offset)
{
	if (!module->native || offset == WK_NO_OFFSET)
		return offset;
	return offset - module->funcs[function].body + module->native->bodies[function - module->imported_funcs];
}

static inline bool wk_func_is_native(const struct wk_func *func)
{
	return func->instance && func->instance->native && func->instance->module->native->has[func->index];
}

/* Bytes for a module, written by the embedder before the module is loaded from them. */
struct wk_held {
	struct wk_linear bytes;
	struct wk_held *next;          /* those of the keep that no module has yet */
};

struct wk_keep {
	/* What is held of the environment's memory: all of it hangs from the root. */
	struct wk_budget root;
	struct wk_budget fixed;        /* what the environment took before: see provider->parts */
	struct wk_budget heap;         /* pages of the keep's own heap; empty when the embedder brings an allocator */
	struct wk_budget promised;     /* for code that is to be made yet: guests must not take it */
	struct wk_budget bytes;        /* modules as they came */
	struct wk_budget pages;        /* guests': */
	struct wk_budget stacks, tables, memories;
	/* What the heap's bytes are in use for. Below the root if the embedder brings an allocator, else by itself: the
	 * root is charged for the heap's pages then. */
	struct wk_budget in_use;
	struct wk_budget modules, code, stores, wasi;

	struct wk_pager pager;
	struct wk_heap own_heap;
	struct wk_allocator allocator; /* the embedder's, or own_heap's */
	void *page;                    /* where this struct lives, if the heap is our own: the rest is the heap's first pool */
	size_t page_size;
	struct wk_registry *registry;
	const struct wk_engine *engine;
	struct wk_port_lock lock;      /* of what follows */
	struct wk_held *held;
};

#endif
