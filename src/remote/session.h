/* SPDX-License-Identifier: Apache-2.0
 *
 * A keep behind a border, driven by commands from a world that is not trusted: what a Trusted Application does in one
 * session. A module comes in pieces, is hashed and loaded; a task runs in it, as a coroutine that hands a request out
 * whenever it needs the other world, and goes on with the answer.
 *
 *	EMPTY -- begin --> LOADING -- end --> LOADED -- start --> RUNNING -- resume ... --> LOADED
 *
 * A command in the wrong state, or with arguments that cannot be, changes nothing. Memory that a caller passes may change
 * while a command runs: all of it is copied before it is looked at.
 */
#ifndef WK_REMOTE_SESSION_H
#define WK_REMOTE_SESSION_H

#include "image/image.h"
#include "remote/remote.h"
#include "remote/task.h"
#include "wasi/vault.h"

#define WK_HASH_SIZE 32u

/* The window that both worlds see: a head, then data. Its address changes from command to command. */
struct wk_window {
	uint32_t interrupt;                 /* WK_WINDOW_STOP: the guest is to stop. The other world sets it at any moment */
	uint32_t zero[15];
	struct wk_remote_message message;
	uint32_t more[18];
};
_Static_assert(sizeof(struct wk_window) == 256, "both worlds must agree");
/* Linux sets this very bit of a robust futex whose owner dies (FUTEX_OWNER_DIED): see client/lifeline.h. */
#define WK_WINDOW_STOP 0x40000000u
#define WK_WINDOW_MIN (sizeof(struct wk_window) + WK_REMOTE_WINDOW_MIN)
#define WK_WINDOW_MAX (1u << 20)

enum wk_session_event {
	WK_SESSION_REQUEST = 1,             /* the window's message wants an answer: resume with it */
	WK_SESSION_ENDED,                   /* the window's data is an outcome, message.size[0] bytes, and an account of the
	                                     * memory while everything was there, message.size[1] bytes */
};

/* What the session needs of its environment. */
struct wk_session_host {
	void *context;
	struct wk_provider *provider;
	/* SHA-256 (FIPS 180-4). false: refused. */
	bool (*hash)(void *context, const void *bytes, size_t size, uint8_t hash[WK_HASH_SIZE]);
	/* Clocks, chance and yield; the rest is the other world's. Its context is not used. */
	const struct wk_wasi_system *system;
	/* Where sealed folders live (wasi/sealed.h). Each module has a volume of its own, named by its hash. NULL: nowhere. */
	const struct wk_vault *vault;
	/* The native stack that guests run on; whoever overruns it must not reach anything. */
	void *stack;
	size_t stack_size;
	uint32_t native_depth;              /* how deep calls between host and guest may nest on it */
	/* Compiled code of the module with this hash; NULL: none. It is used when that module is loaded, and has it inside. It
	 * outlives the session. */
	const struct wk_image_table *image;
	uint8_t image_module[WK_HASH_SIZE];
};

struct wk_session;

/* A session takes memory of its caller's, so much of it. */
size_t wk_session_size(void);
/* Begins it there; `host` is borrowed. */
struct wk_session *wk_session_init(void *memory, const struct wk_session_host *host);
/* Ends it in any state; the memory is the caller's again. A guest that waits for an answer is told to stop, and gets
 * none. */
void wk_session_end_all(struct wk_session *session);

/* WK_BAD_ARGUMENT of the functions below, without a word in the report: the command itself is wrong, in this state or
 * with these arguments. Everything else is told in the report. */

/* A module of `size` bytes is to come, with this hash, for a keep with a limit of memory (0: none). What was loaded before
 * goes. Size 0: none comes; it is the image's, whose module has this hash, without the bodies of functions that are
 * compiled. */
WK_NODISCARD enum wk_status wk_session_begin(struct wk_session *session, uint64_t size, const uint8_t hash[WK_HASH_SIZE],
	uint64_t memory_limit, struct wk_report *report);
/* The next piece. */
WK_NODISCARD enum wk_status wk_session_data(struct wk_session *session, uint64_t offset, const uint8_t *bytes,
	size_t size);
/* That was all: it is hashed, decoded, validated. */
WK_NODISCARD enum wk_status wk_session_end(struct wk_session *session, struct wk_report *report);
/* Runs a task (task.h) until it needs something or ends. */
WK_NODISCARD enum wk_status wk_session_start(struct wk_session *session, const uint8_t *task, size_t task_size,
	uint8_t *window, size_t window_size, enum wk_session_event *event);
/* Goes on, with the answer in the window. */
WK_NODISCARD enum wk_status wk_session_resume(struct wk_session *session, uint8_t *window, size_t window_size,
	enum wk_session_event *event);
/* The keep, NULL while there is none. */
struct wk_keep *wk_session_keep(struct wk_session *session);

#endif
