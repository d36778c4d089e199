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
#define WK_MEMORY_NODES 16

/* Fills at most `room` nodes and returns how many there are (never more than WK_MEMORY_NODES). */
WK_PUBLIC uint32_t wk_keep_memory(const struct wk_keep *keep, struct wk_memory_node *nodes, uint32_t room);

/* The last request that was refused, and how many were (a guest that asked and was answered -1 is one); false: none. */
WK_PUBLIC bool wk_keep_refusal(struct wk_keep *keep, struct wk_refusal *refusal, uint64_t *count);

struct wk_profile;

/* Writes a sentence of what was refused, by which limit, who sets it and what would help, NUL-terminated and cut to `size`.
 * `profile` of the TEE, or NULL. Returns the length of the whole sentence. */
WK_PUBLIC size_t wk_refusal_text(const struct wk_refusal *refusal, const struct wk_profile *profile, char *buffer,
	size_t size);

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

#ifdef __cplusplus
}
#endif
#endif
