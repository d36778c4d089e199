/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI's system (wasi/system.h) on the other side of a border: a keep in a TEE asks the normal world for its streams, its
 * files, its sockets and to wait. One side has the proxy, a struct wk_wasi_system that makes a message of each operation;
 * the other the server, which takes messages apart and asks a system of its own. Between them is a channel that carries
 * one message and its answer at a time, and a window of memory that both see for the data.
 *
 * Neither side trusts the other. The window may change at any moment: a message is copied before it is looked at, data is
 * read once, and what is not as it must be is an error, WK_WASI_IO on the proxy's side, WK_WASI_INVAL on the server's.
 *
 * Both sides are little-endian machines with the layout of struct wk_remote_message.
 */
#ifndef WK_REMOTE_REMOTE_H
#define WK_REMOTE_REMOTE_H

#include "wasi/system.h"

/* What a message asks for; the operations of wasi/system.h. For each: what goes with it, and what comes back. "object" is
 * number 0 to 2 of a description: handle in object[0], type, then bit 0: seekable, bit 1: waits. A path is a part of data
 * without a NUL. */
enum wk_remote_operation {
	WK_REMOTE_NONE,
	WK_REMOTE_ADOPT,            /* descriptor; back: object, access, flags in 2 and 3 */
	WK_REMOTE_OPEN_ROOT,        /* path; back: object */
	WK_REMOTE_CLOSE,
	WK_REMOTE_READ,             /* offset, flags, size wanted; back: data, its size in 0 */
	WK_REMOTE_WRITE,            /* offset, flags, data; back: size done */
	WK_REMOTE_SEEK,             /* delta, whence; back: position */
	WK_REMOTE_SYNC,             /* data only? */
	WK_REMOTE_ADVISE,           /* offset, size, advice */
	WK_REMOTE_ALLOCATE,         /* offset, size */
	WK_REMOTE_SET_SIZE,         /* size */
	WK_REMOTE_STAT,             /* back: device, inode, links, size, accessed, modified, changed, type */
	WK_REMOTE_SET_TIMES,        /* access, modify: enum wk_wasi_time; accessed, modified */
	WK_REMOTE_READ_DIRECTORY,   /* cookie, room for data; back: entries, in 0: are there more? */
	WK_REMOTE_OPEN,             /* path, bits as below, access, flags; back: object */
	WK_REMOTE_PATH_STAT,        /* path, follow?; back: as STAT */
	WK_REMOTE_PATH_SET_TIMES,   /* path, as SET_TIMES, follow? in 4 */
	WK_REMOTE_MAKE_DIRECTORY,   /* path */
	WK_REMOTE_REMOVE_DIRECTORY, /* path */
	WK_REMOTE_UNLINK,           /* path */
	WK_REMOTE_RENAME,           /* two objects, two paths */
	WK_REMOTE_LINK,             /* two objects, two paths */
	WK_REMOTE_SYMLINK,          /* the target, the path */
	WK_REMOTE_READLINK,         /* path, room; back: data */
	WK_REMOTE_POLL,             /* count, nanoseconds, struct wk_remote_poll items; back: the items */
	WK_REMOTE_ACCEPT,           /* back: object */
	WK_REMOTE_RECEIVE,          /* size wanted, peek?; back: data, its size in 0, truncated? */
	WK_REMOTE_SEND,             /* data; back: size done */
	WK_REMOTE_SHUTDOWN,         /* receive?, send? */
	WK_REMOTE_OPERATIONS
};

/* Bits of WK_REMOTE_OPEN. */
#define WK_REMOTE_CREATE 1u
#define WK_REMOTE_EXCLUSIVE 2u
#define WK_REMOTE_TRUNCATE 4u
#define WK_REMOTE_DIRECTORY 8u
#define WK_REMOTE_FOLLOW 16u
/* Bits of an object. */
#define WK_REMOTE_SEEKABLE 1u
#define WK_REMOTE_WAITS 2u

struct wk_remote_message {
	uint32_t operation;
	uint32_t error;             /* back: enum wk_wasi_errno; the rest means something if it is 0 */
	uint64_t object[2];
	uint64_t number[8];
	uint32_t size[2];           /* of the parts of data in the window, one behind the other */
	uint32_t zero[6];
};
_Static_assert(sizeof(struct wk_remote_message) == 120, "both sides must agree");

/* One item of WK_REMOTE_POLL. */
struct wk_remote_poll {
	uint64_t object;            /* back: bytes available */
	uint8_t write, ready, hangup, zero;
	uint32_t error;
};
_Static_assert(sizeof(struct wk_remote_poll) == 16, "both sides must agree");

/* An entry of a directory stands in the data as next cookie, inode (64 bits each), size of the name (16), type (8) and a
 * zero byte, then the name; nothing is aligned. */
#define WK_REMOTE_ENTRY 20u
#define WK_REMOTE_NAME_MAX 1024u

/* The least that a window must have for data: two paths, or the items of a poll. */
#define WK_REMOTE_WINDOW_MIN 32768u
_Static_assert(WK_REMOTE_WINDOW_MIN >= WK_WASI_POLL_MAX * sizeof(struct wk_remote_poll), "a poll fits");
_Static_assert(WK_REMOTE_WINDOW_MIN >= 2 * WK_WASI_PATH_MAX, "two paths fit");

struct wk_remote_channel {
	void *context;
	/* Sends the message, and gives back the answer in its place. The window may lie elsewhere afterwards. false: there is
	 * nobody on the other side any more. */
	bool (*exchange)(void *context, struct wk_remote_message *message);
	uint8_t *window;            /* data */
	size_t window_size;         /* at least WK_REMOTE_WINDOW_MIN */
};

/* Fills in the operations of a system that asks the other side, all but clocks and chance, which one does not ask others
 * for, and `yield`. The channel is borrowed; it is the context of these operations. */
void wk_remote_system(struct wk_wasi_system *system, struct wk_remote_channel *channel);

/* ---- the server: for hosts ---- */

struct wk_remote_server;

/* What the other side may open: nothing that is not named here. Borrowed while the server lives. */
struct wk_remote_world {
	const char *const *roots;   /* directories, as open_root gets them */
	size_t root_count;
	const int *descriptors;     /* for adopt */
	size_t descriptor_count;
};

/* NULL: out of memory. `system` and `world` are borrowed. */
struct wk_remote_server *wk_remote_server_new(const struct wk_wasi_system *system, const struct wk_remote_world *world);
/* Does what the message asks for, and makes it the answer. Never fails: what is wrong is told in the answer. `window`:
 * `size` bytes, which nobody else changes meanwhile. */
void wk_remote_serve(struct wk_remote_server *server, struct wk_remote_message *message, uint8_t *window, size_t size);
/* Closes all that is open. NULL is allowed. */
void wk_remote_server_delete(struct wk_remote_server *server);

#endif
