/* SPDX-License-Identifier: Apache-2.0
 *
 * wasmkeep/memory.h: what a keep takes of memory, what is left, and what stands in its way.
 */
#ifndef WASMKEEP_MEMORY_H
#define WASMKEEP_MEMORY_H

#include <wasmkeep/wasmkeep.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the tree of budgets ---- */

/* One node: bytes used now, the most that were, and the limit. Nodes come in the order of a tree printed from its root,
 * `depth` 0 being the keep. A node's `used` holds that of the nodes below it; there may be more that no node below says. */
struct wk_memory_node {
	const char *name;     /* constant text */
	uint32_t depth;
	uint64_t used, peak;
	uint64_t limit;       /* UINT64_MAX: none of its own */
	uint64_t moved;       /* bytes that were copied because something grew */
};
#define WK_MEMORY_NODES 17

/* Fills at most `room` nodes and returns how many there are (never more than WK_MEMORY_NODES). */
WK_PUBLIC uint32_t wk_keep_memory(const struct wk_keep *keep, struct wk_memory_node *nodes, uint32_t room);

/* The last request that was refused, and how many were (a guest that asked and was answered -1 is one); false: none. */
WK_PUBLIC bool wk_keep_refusal(struct wk_keep *keep, struct wk_refusal *refusal, uint64_t *count);

/* A short constant name of a limit, for programs: "declared", "ram", ... Never NULL. */
WK_PUBLIC const char *wk_limit_name(enum wk_limit_kind limit);

/* Writes a sentence of what was refused and by which limit, NUL-terminated and cut to `size`. Returns the length of the
 * whole sentence. */
WK_PUBLIC size_t wk_refusal_text(const struct wk_refusal *refusal, char *buffer, size_t size);

/* ---- watching ---- */

enum wk_memory_event_kind {
	WK_MEMORY_MAPPED,     /* pages were mapped: `bytes` more */
	WK_MEMORY_UNMAPPED,   /* pages were given back */
	WK_MEMORY_GROWN,      /* a guest has grown a memory by `bytes` */
	WK_MEMORY_REFUSED,    /* `bytes` were refused */
};

struct wk_memory_event {
	enum wk_memory_event_kind kind;
	const char *subject;  /* what for; constant text */
	uint64_t bytes;
	uint64_t mappings;    /* in being now */
};

/* Called for each event, from the thread that caused it, while the keep's books are locked: it must not call into
 * Wasmkeep. */
typedef void wk_memory_observer(void *context, const struct wk_memory_event *event);

/* ---- profiles: what one TEE has ---- */

#define WK_PROFILE_HOLES 8
#define WK_PROFILE_LOADER 8

/* The limits of a TEE of OP-TEE's kind, in bytes unless said otherwise. docs/profiles.md says what each means and how it
 * is measured. A profile without holes has no limits: then all else is zero, too. */
struct wk_profile {
	char name[48];
	uint64_t page;                       /* the granule of mappings */
	uint32_t hole_count;
	uint64_t holes[WK_PROFILE_HOLES];    /* free RAM for Trusted Applications (TAs), in the order of addresses */
	uint64_t addresses;                  /* a TA's address space */
	uint64_t page_tables;                /* how many a TA may have */
	uint64_t page_table_covers;          /* addresses that one covers */
	uint64_t kernel_addresses;           /* at the start of the space, without RAM */
	uint32_t loader_count;
	uint64_t loader[WK_PROFILE_LOADER];  /* what the loader takes for each TA, one block each */
	uint64_t pad;                        /* addresses left out before the code, at most: chosen at random at each load */
	uint64_t ta_code, ta_data;           /* of the keep's TA: code and constants; data beside the heap */
	uint64_t ta_data_size;               /* TA_DATA_SIZE: its heap for the TEE's own functions, fixed when it is built */
	uint64_t ta_stack_size;              /* TA_STACK_SIZE */
	uint64_t stack_extra;                /* what the TEE adds to that */
	uint64_t ta_native_stack;            /* mapped by the TA before all else: the stack of guests' calls; 0: none */
	uint64_t core_heap, core_heap_used;  /* the TEE core's own heap: all of it, and without a TA */
	uint64_t core_heap_ta, core_heap_mapping; /* what a running TA takes of it, and each mapping */
	uint64_t shared_memory;              /* the largest that a call from the normal world can pass */
};

/* Reads a profile from text: lines `name = value`, # starts a comment. Hostile input: every figure is checked, alone and
 * with the others. On failure the report names line and field. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_profile_parse(const char *text, size_t size, struct wk_profile *profile,
	struct wk_report *report);
/* Checks a profile after a figure was changed. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_profile_check(const struct wk_profile *profile, struct wk_report *report);
/* The text of a profile that comes with Wasmkeep, by name; NULL: there is none. Names: index 0, 1, ... until NULL. */
WK_PUBLIC const char *wk_profile_builtin(const char *name);
WK_PUBLIC const char *wk_profile_builtin_name(unsigned index);
/* Writes a profile as text that wk_profile_parse reads; as snprintf. */
WK_PUBLIC size_t wk_profile_write(const struct wk_profile *profile, char *buffer, size_t size);
/* What can be mapped at most, after the TA was loaded; 0: it cannot be loaded, or there are no limits. */
WK_PUBLIC uint64_t wk_profile_free(const struct wk_profile *profile);

/* Who sets the limit that refused, and what would help: one or two sentences, as wk_refusal_text. `profile` of the TEE, or
 * NULL. Empty if there is nothing to say. */
WK_PUBLIC size_t wk_refusal_advice(const struct wk_refusal *refusal, const struct wk_profile *profile, char *buffer,
	size_t size);

/* ---- the simulated TEE ---- */

/* A provider with exactly the limits of a profile: RAM taken first fit in one block a mapping, page tables, mappings. For
 * one keep at a time. The profile is copied. WK_NO_MEMORY: the TA itself does not fit, or the machine has no addresses. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_simulated_new(const struct wk_profile *profile, struct wk_report *report,
	struct wk_provider **provider);
/* Its keeps must have gone. NULL is allowed. */
WK_PUBLIC void wk_simulated_delete(struct wk_provider *provider);

/* A stretch of the simulated RAM or address space. */
struct wk_stretch {
	uint64_t start, size; /* from the first byte of RAM for TAs, or of the TA's addresses */
	const char *name;     /* constant text: what lies there; NULL: not to be had */
};
/* Fills at most `room` stretches of what is taken, in the order of RAM; returns how many there are. */
WK_PUBLIC uint32_t wk_simulated_ram(const struct wk_provider *provider, struct wk_stretch *stretches, uint32_t room);
/* Mappings, page tables: in use, the most that were, and how many there may be. */
struct wk_simulated_use { uint64_t mappings, mappings_peak, mappings_limit, page_tables, page_tables_peak, page_tables_limit,
	ram, ram_peak, ram_limit; };
WK_PUBLIC void wk_simulated_use(const struct wk_provider *provider, struct wk_simulated_use *use);

/* ---- the plan: what a module will need, before it runs ---- */

struct wk_plan_options {
	const struct wk_profile *profile; /* NULL or without holes: this machine */
	uint64_t stack_size;              /* as wk_store_config */
	uint64_t memory_limit;            /* of all linear memories; 0: none */
	bool fuel;
};

#define WK_PLAN_NONE UINT64_MAX

/* Figures in bytes; WK_PLAN_NONE where there is no such thing. */
struct wk_plan {
	bool has_memory, imports_memory;
	uint64_t minimum, maximum;    /* declared, of memory 0; maximum WK_PLAN_NONE: none declared */
	uint64_t page;                /* of memory 0 */
	uint64_t data_end;            /* behind the last active data segment with a constant offset */
	uint64_t heap_base;           /* exported __heap_base */
	uint64_t stack_top;           /* where the program's own stack begins, if global 0 looks like its pointer */
	uint64_t module_bytes, structures, wasi, stack, tables, linear; /* when it is instantiated */
	uint64_t code;                /* internal code of all its functions */
	uint64_t image;               /* estimate: a native image of it */
	uint64_t fixed;               /* of the TEE's RAM, before anything else: the TA itself */
	uint64_t start;               /* all that is taken when the first function is called, the TA included */
	uint64_t peak;                /* the most until then, and while every function was translated */
	uint64_t with_code;           /* all that is taken when every function has been called */
	uint64_t grown, grown_total;  /* linear memory at its largest after that, and all that is taken then */
	bool fits;                    /* false: it cannot be instantiated; refusal says why */
	struct wk_refusal refusal;    /* what ends growth, or what does not fit; limit WK_LIMIT_NONE: unknown */
	uint64_t ta_data_size, ta_stack_size; /* to be recommended */
	uint64_t max_memory;          /* for -Wl,--max-memory=; WK_PLAN_NONE: none needed */
};

/* Loads and instantiates the module in a keep of its own with the profile's limits, translates every function, and grows
 * its memory to the end; nothing of the guest runs. Imports of any kind are taken as given. A module that does not fit is
 * a plan, not a failure: see `fits`. */
WK_PUBLIC WK_NODISCARD enum wk_status wk_memory_plan(const void *bytes, size_t size, const struct wk_plan_options *options,
	struct wk_report *report, struct wk_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
