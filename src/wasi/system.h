/* SPDX-License-Identifier: Apache-2.0
 *
 * system.h: what WASI needs from an environment, and nothing else: the seam between the freestanding core in this folder
 * and a system below (src/port/posix/wasi_*.c on Linux; OP-TEE supplies another one over sealed storage).
 *
 * The core has done before it calls: file descriptor numbers are objects, rights are checked, guest pointers are checked
 * and lengths copied, paths are NUL-terminated UTF-8 of 1 to WK_WASI_PATH_MAX bytes without a NUL inside, flags hold
 * known bits only. The system does: the work, and the sandbox of paths.
 *
 * No operation waits for anybody outside (a peer, a terminal, a timer) except `poll`, and that one no longer than it is
 * told to: an operation that would have to wait returns WK_WASI_AGAIN, and the core waits with `poll` in slices, between
 * which it looks whether the store was interrupted. WK_WASI_INTR makes the core try again.
 *
 * Outputs are written on success only, unless said otherwise.
 */
#ifndef WK_WASI_SYSTEM_H
#define WK_WASI_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WK_WASI_PATH_MAX 4095u
/* Pieces of one scattered read or write that reach the system. */
#define WK_WASI_PIECES 64u
/* Objects of one poll. */
#define WK_WASI_POLL_MAX 2048u

/* Errno numbers as the guest sees them (preview 1, type errno). */
enum wk_wasi_errno {
	WK_WASI_SUCCESS = 0, WK_WASI_2BIG, WK_WASI_ACCES, WK_WASI_ADDRINUSE, WK_WASI_ADDRNOTAVAIL, WK_WASI_AFNOSUPPORT,
	WK_WASI_AGAIN, WK_WASI_ALREADY, WK_WASI_BADF, WK_WASI_BADMSG, WK_WASI_BUSY, WK_WASI_CANCELED, WK_WASI_CHILD,
	WK_WASI_CONNABORTED, WK_WASI_CONNREFUSED, WK_WASI_CONNRESET, WK_WASI_DEADLK, WK_WASI_DESTADDRREQ, WK_WASI_DOM,
	WK_WASI_DQUOT, WK_WASI_EXIST, WK_WASI_FAULT, WK_WASI_FBIG, WK_WASI_HOSTUNREACH, WK_WASI_IDRM, WK_WASI_ILSEQ,
	WK_WASI_INPROGRESS, WK_WASI_INTR, WK_WASI_INVAL, WK_WASI_IO, WK_WASI_ISCONN, WK_WASI_ISDIR, WK_WASI_LOOP,
	WK_WASI_MFILE, WK_WASI_MLINK, WK_WASI_MSGSIZE, WK_WASI_MULTIHOP, WK_WASI_NAMETOOLONG, WK_WASI_NETDOWN,
	WK_WASI_NETRESET, WK_WASI_NETUNREACH, WK_WASI_NFILE, WK_WASI_NOBUFS, WK_WASI_NODEV, WK_WASI_NOENT,
	WK_WASI_NOEXEC, WK_WASI_NOLCK, WK_WASI_NOLINK, WK_WASI_NOMEM, WK_WASI_NOMSG, WK_WASI_NOPROTOOPT, WK_WASI_NOSPC,
	WK_WASI_NOSYS, WK_WASI_NOTCONN, WK_WASI_NOTDIR, WK_WASI_NOTEMPTY, WK_WASI_NOTRECOVERABLE, WK_WASI_NOTSOCK,
	WK_WASI_NOTSUP, WK_WASI_NOTTY, WK_WASI_NXIO, WK_WASI_OVERFLOW, WK_WASI_OWNERDEAD, WK_WASI_PERM, WK_WASI_PIPE,
	WK_WASI_PROTO, WK_WASI_PROTONOSUPPORT, WK_WASI_PROTOTYPE, WK_WASI_RANGE, WK_WASI_ROFS, WK_WASI_SPIPE,
	WK_WASI_SRCH, WK_WASI_STALE, WK_WASI_TIMEDOUT, WK_WASI_TXTBSY, WK_WASI_XDEV, WK_WASI_NOTCAPABLE
};

/* Preview 1, type filetype. */
enum wk_wasi_type {
	WK_WASI_UNKNOWN = 0, WK_WASI_BLOCK_DEVICE, WK_WASI_CHARACTER_DEVICE, WK_WASI_DIRECTORY, WK_WASI_REGULAR_FILE,
	WK_WASI_SOCKET_DGRAM, WK_WASI_SOCKET_STREAM, WK_WASI_SYMBOLIC_LINK
};

/* Preview 1, type fdflags. They are the core's: the system gets them with each operation they matter to. */
#define WK_WASI_APPEND 1u
#define WK_WASI_DSYNC 2u
#define WK_WASI_NONBLOCK 4u
#define WK_WASI_RSYNC 8u
#define WK_WASI_SYNC 16u

enum wk_wasi_clock { WK_WASI_REALTIME, WK_WASI_MONOTONIC, WK_WASI_PROCESS_CPU, WK_WASI_THREAD_CPU, WK_WASI_CLOCKS };

/* Something open. The core keeps it and gives it back; it owns it until `close`. */
struct wk_wasi_object {
	intptr_t handle;          /* the system's own */
	uint8_t type;             /* enum wk_wasi_type, but never a symbolic link */
	uint8_t detail;           /* the system's own, but for WK_WASI_MOUNTED; operations may change it */
	bool seekable;            /* has a position */
	bool waits;               /* reads and writes can return WK_WASI_AGAIN */
};

/* A bit of `detail` that belongs to whoever joins two systems (mount.h): a system neither sets it nor looks at it. */
#define WK_WASI_MOUNTED 0x80u

#define WK_WASI_READABLE 1u
#define WK_WASI_WRITABLE 2u

struct wk_wasi_piece {
	uint8_t *data;
	size_t size;
};

struct wk_wasi_stat {
	uint64_t device, inode, links, size;
	uint64_t accessed, modified, changed;  /* nanoseconds since 1970 */
	uint8_t type;
};

struct wk_wasi_times {
	enum wk_wasi_time { WK_WASI_TIME_KEEP, WK_WASI_TIME_SET, WK_WASI_TIME_NOW } access, modify;
	uint64_t accessed, modified;
};

struct wk_wasi_open {
	bool create, exclusive, truncate, directory; /* never create and directory together */
	bool follow;              /* a symbolic link at the end of the path */
	unsigned access;          /* WK_WASI_READABLE | WK_WASI_WRITABLE; 0 is possible */
	uint16_t flags;
};

struct wk_wasi_directory_entry {
	uint64_t next;            /* cookie of the entry that follows */
	uint64_t inode;
	const char *name;
	size_t name_size;
	uint8_t type;
};

struct wk_wasi_poll {
	struct wk_wasi_object *object;
	bool write;               /* wait to write, else to read */
	bool ready, hangup;       /* out; hangup only with ready */
	uint16_t error;           /* out: enum wk_wasi_errno; with ready */
	uint64_t available;       /* out: bytes that can be read, as far as is known */
};

struct wk_wasi_system {
	void *context;            /* the first argument of every operation */

	/* ---- opening and closing ---- */

	/* Takes a duplicate of a descriptor of the embedder's. BADF when it is not open. *flags: WK_WASI_APPEND or 0. */
	enum wk_wasi_errno (*adopt)(void *context, int descriptor, struct wk_wasi_object *object, unsigned *access,
		uint16_t *flags);
	/* Opens a directory by the embedder's own name for it: no sandbox. */
	enum wk_wasi_errno (*open_root)(void *context, const char *path, struct wk_wasi_object *object);
	/* The handle is gone afterwards, whatever is returned. */
	enum wk_wasi_errno (*close)(void *context, struct wk_wasi_object *object);

	/* ---- open files ---- */

	/* Reads or writes at the object's position, or at `offset` without moving it when that is not WK_WASI_HERE (an
	 * object that is seekable then; offset <= INT64_MAX). 1 to WK_WASI_PIECES pieces, their sum <= UINT32_MAX. Short
	 * counts are fine; reading 0 is the end. `flags` are fdflags: APPEND, DSYNC, RSYNC, SYNC are to be honoured when
	 * offset is WK_WASI_HERE. A closed pipe or socket is WK_WASI_PIPE, never a signal. */
	enum wk_wasi_errno (*read)(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
		size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
	enum wk_wasi_errno (*write)(void *context, struct wk_wasi_object *object, const struct wk_wasi_piece *pieces,
		size_t count, uint64_t offset, uint16_t flags, uint64_t *done);
	/* whence: 0 from the start, 1 from here, 2 from the end. */
	enum wk_wasi_errno (*seek)(void *context, struct wk_wasi_object *object, int64_t delta, unsigned whence,
		uint64_t *position);
	enum wk_wasi_errno (*sync)(void *context, struct wk_wasi_object *object, bool data_only);
	/* advice as in preview 1, 0 to 5. */
	enum wk_wasi_errno (*advise)(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size,
		unsigned advice);
	/* Makes sure that [offset, offset+size) is backed; the file grows to its end, never shrinks. offset + size does not
	 * overflow INT64_MAX, size > 0. */
	enum wk_wasi_errno (*allocate)(void *context, struct wk_wasi_object *object, uint64_t offset, uint64_t size);
	enum wk_wasi_errno (*set_size)(void *context, struct wk_wasi_object *object, uint64_t size);
	enum wk_wasi_errno (*stat)(void *context, struct wk_wasi_object *object, struct wk_wasi_stat *stat);
	enum wk_wasi_errno (*set_times)(void *context, struct wk_wasi_object *object, const struct wk_wasi_times *times);

	/* Calls `emit` for the entries of a directory from a cookie on, "." and ".." among them, until it returns false or
	 * there are no more. A cookie is 0, the beginning, or was given with an entry of this open directory; it stays good
	 * when other entries are added or removed. The inode given for ".." tells nothing of the outside. */
	enum wk_wasi_errno (*read_directory)(void *context, struct wk_wasi_object *directory, uint64_t cookie,
		bool (*emit)(void *sink, const struct wk_wasi_directory_entry *entry), void *sink);

	/* ---- paths: always relative to a directory, and never out of it ----
	 *
	 * Each operation resolves `path` beneath `directory` with symbolic links followed (the last one only where said).
	 * PERM when the path is absolute, or it, or a link on the way, leads out of the directory, be it only to come back
	 * in. This holds against anybody who changes the tree at the same time. */

	enum wk_wasi_errno (*open)(void *context, struct wk_wasi_object *directory, const char *path,
		const struct wk_wasi_open *how, struct wk_wasi_object *object);
	enum wk_wasi_errno (*path_stat)(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
		struct wk_wasi_stat *stat);
	enum wk_wasi_errno (*path_set_times)(void *context, struct wk_wasi_object *directory, const char *path, bool follow,
		const struct wk_wasi_times *times);
	enum wk_wasi_errno (*make_directory)(void *context, struct wk_wasi_object *directory, const char *path);
	enum wk_wasi_errno (*remove_directory)(void *context, struct wk_wasi_object *directory, const char *path);
	enum wk_wasi_errno (*unlink)(void *context, struct wk_wasi_object *directory, const char *path);
	enum wk_wasi_errno (*rename)(void *context, struct wk_wasi_object *directory, const char *path,
		struct wk_wasi_object *new_directory, const char *new_path);
	/* Links the file itself; a symbolic link at the end is linked, not followed. */
	enum wk_wasi_errno (*link)(void *context, struct wk_wasi_object *directory, const char *path,
		struct wk_wasi_object *new_directory, const char *new_path);
	/* `target` is the link's text, not absolute. */
	enum wk_wasi_errno (*symlink)(void *context, const char *target, struct wk_wasi_object *directory,
		const char *path);
	/* Writes at most `size` bytes of the link's text and tells how many. */
	enum wk_wasi_errno (*readlink)(void *context, struct wk_wasi_object *directory, const char *path, uint8_t *buffer,
		size_t size, size_t *used);

	/* ---- time, chance, waiting ---- */

	enum wk_wasi_errno (*clock_time)(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds);
	enum wk_wasi_errno (*clock_resolution)(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds);
	enum wk_wasi_errno (*random)(void *context, uint8_t *buffer, size_t size);
	void (*yield)(void *context);
	/* Waits until an item is ready, `nanoseconds` have gone by, or earlier for no reason. count <= WK_WASI_POLL_MAX, and
	 * 0 only waits. Sets the outputs of every item. An object that does not wait is always ready. */
	enum wk_wasi_errno (*poll)(void *context, struct wk_wasi_poll *items, size_t count, uint64_t nanoseconds);

	/* ---- sockets: objects of a socket type only ---- */

	enum wk_wasi_errno (*accept)(void *context, struct wk_wasi_object *socket, struct wk_wasi_object *connection);
	enum wk_wasi_errno (*receive)(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
		size_t count, bool peek, uint64_t *done, bool *truncated);
	enum wk_wasi_errno (*send)(void *context, struct wk_wasi_object *socket, const struct wk_wasi_piece *pieces,
		size_t count, uint64_t *done);
	enum wk_wasi_errno (*shutdown)(void *context, struct wk_wasi_object *socket, bool receive, bool send);
};

#define WK_WASI_HERE UINT64_MAX

/* The environment's system; never NULL. Supplied by the port that is linked in. */
const struct wk_wasi_system *wk_wasi_port_system(void);

#endif
