/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the state of a wk_wasi, the table of file descriptors, and the call at hand.
 */
#ifndef WK_WASI_INTERNAL_H
#define WK_WASI_INTERNAL_H

#include <wasmkeep/wasi.h>

#include "host/host.h"
#include "wasi/abi.h"
#include "wasi/system.h"

/* File descriptors of one guest. */
#define WK_WASI_FD_MAX 1024u
/* Pieces a guest may name in one scattered read or write (POSIX's IOV_MAX). */
#define WK_WASI_IOV_MAX 1024u
/* How long a wait may last before it looks whether the store was interrupted. */
#define WK_WASI_SLICE UINT64_C(20000000)

struct wk_wasi_entry {
	struct wk_wasi_object object;
	uint64_t base, inheriting;   /* rights */
	uint16_t flags;              /* fdflags */
	bool open;
	bool reserved;               /* a standard stream that the host has not: the number is not given out */
	const char *preopen;         /* the guest's name of a preopened directory, or NULL */
	uint32_t preopen_size;
	uint64_t *places;            /* of an open directory: see directory.c */
	uint32_t place_count, place_capacity;
};

/* Strings as args_get and environ_get hand them out: all NUL-terminated, one behind the other. */
struct wk_wasi_strings {
	char *bytes;
	uint32_t count, size;
};

struct wk_wasi_binding;

struct wk_wasi {
	struct wk_store *store;
	struct wk_budget *budget;    /* the keep's, for WASI */
	const struct wk_wasi_system *system;
	struct wk_wasi_entry *entries;
	uint32_t capacity;
	struct wk_wasi_strings arguments, environment;
	char *names;                 /* of the preopened directories */
	size_t names_size;
	struct wk_wasi_binding *bindings;
	/* Scratch of the call at hand; a store runs one call at a time. */
	struct wk_wasi_piece pieces[WK_WASI_PIECES];
	char (*paths)[WK_WASI_PATH_MAX + 1]; /* two; NULL until a guest names a file */
};

/* One call of a guest. */
struct wk_wasi_call {
	struct wk_wasi *wasi;
	struct wk_caller *caller;
	struct wk_memory *memory;    /* NULL: the guest has none */
	enum wk_status status;       /* not WK_OK: the call ends the program, or traps */
	bool fault;                  /* a guest pointer led outside the memory: the call will trap */
};

/* `slots` holds the arguments. What is returned goes to the guest, unless the call's status or fault say otherwise. */
typedef enum wk_wasi_errno wk_wasi_handler(struct wk_wasi_call *call, const uint64_t *slots);

/* ---- guest memory (wasi.c) ---- */

/* `count` items of `size` bytes, or NULL after noting the fault: then return WK_WASI_FAULT at once, having changed
 * nothing. Nothing of 0 bytes lies outside. */
uint8_t *wk_wasi_guest(struct wk_wasi_call *call, uint64_t slot, uint64_t count, size_t size);

static inline uint32_t wk_get32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return v; }
static inline uint64_t wk_get64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return v; }
static inline void wk_put16(uint8_t *at, uint16_t v) { memcpy(at, &v, 2); }
static inline void wk_put32(uint8_t *at, uint32_t v) { memcpy(at, &v, 4); }
static inline void wk_put64(uint8_t *at, uint64_t v) { memcpy(at, &v, 8); }

/* Copies a guest's path to scratch buffer `which` and checks what system.h promises of paths. */
WK_NODISCARD enum wk_wasi_errno wk_wasi_take_path(struct wk_wasi_call *call, uint64_t address, uint64_t size,
	unsigned which, const char **path);

/* Copies a guest's list of pieces to the scratch: 0 to WK_WASI_PIECES that are not empty. *all is false when some were
 * left off. */
WK_NODISCARD enum wk_wasi_errno wk_wasi_take_pieces(struct wk_wasi_call *call, uint64_t address, uint64_t count,
	size_t *taken, bool *all);

/* ---- structures both fd_* and path_* use (path.c) ---- */

void wk_wasi_put_stat(uint8_t *to, const struct wk_wasi_stat *stat);
/* INVAL when a time is to be both set and now, or a flag is unknown. */
WK_NODISCARD enum wk_wasi_errno wk_wasi_take_times(uint64_t accessed, uint64_t modified, uint64_t flags,
	struct wk_wasi_times *times);

/* ---- file descriptors (table.c) ---- */

WK_NODISCARD enum wk_wasi_errno wk_wasi_find(struct wk_wasi *wasi, uint64_t fd, uint64_t base,
	struct wk_wasi_entry **entry);
/* Takes a free number, the lowest; the entry is zero but for `open`. */
WK_NODISCARD enum wk_wasi_errno wk_wasi_take_fd(struct wk_wasi *wasi, uint32_t *fd);
/* Closes the object and frees the number. */
enum wk_wasi_errno wk_wasi_close_entry(struct wk_wasi *wasi, struct wk_wasi_entry *entry);
/* What can be done with this sort of object at all, beyond reading and writing that it was not opened for. */
uint64_t wk_wasi_rights_of(const struct wk_wasi_object *object);

/* ---- waiting (poll.c) ---- */

bool wk_wasi_interrupted(const struct wk_wasi *wasi);
/* After WK_WASI_AGAIN: SUCCESS when it is worth to try again; AGAIN when the descriptor is non-blocking; INTR. */
WK_NODISCARD enum wk_wasi_errno wk_wasi_wait(struct wk_wasi *wasi, struct wk_wasi_entry *entry, bool write);

/* ---- the functions ---- */

#define WK_WASI_FUNCTIONS(X) \
	X(args_get, "ii:i") X(args_sizes_get, "ii:i") X(environ_get, "ii:i") X(environ_sizes_get, "ii:i") \
	X(clock_res_get, "ii:i") X(clock_time_get, "iIi:i") \
	X(fd_advise, "iIIi:i") X(fd_allocate, "iII:i") X(fd_close, "i:i") X(fd_datasync, "i:i") \
	X(fd_fdstat_get, "ii:i") X(fd_fdstat_set_flags, "ii:i") X(fd_fdstat_set_rights, "iII:i") \
	X(fd_filestat_get, "ii:i") X(fd_filestat_set_size, "iI:i") X(fd_filestat_set_times, "iIIi:i") \
	X(fd_pread, "iiiIi:i") X(fd_prestat_get, "ii:i") X(fd_prestat_dir_name, "iii:i") X(fd_pwrite, "iiiIi:i") \
	X(fd_read, "iiii:i") X(fd_readdir, "iiiIi:i") X(fd_renumber, "ii:i") X(fd_seek, "iIii:i") X(fd_sync, "i:i") \
	X(fd_tell, "ii:i") X(fd_write, "iiii:i") \
	X(path_create_directory, "iii:i") X(path_filestat_get, "iiiii:i") X(path_filestat_set_times, "iiiiIIi:i") \
	X(path_link, "iiiiiii:i") X(path_open, "iiiiiIIii:i") X(path_readlink, "iiiiii:i") \
	X(path_remove_directory, "iii:i") X(path_rename, "iiiiii:i") X(path_symlink, "iiiii:i") \
	X(path_unlink_file, "iii:i") \
	X(poll_oneoff, "iiii:i") X(proc_exit, "i:") X(proc_raise, "i:i") X(sched_yield, ":i") X(random_get, "ii:i") \
	X(sock_accept, "iii:i") X(sock_recv, "iiiiii:i") X(sock_send, "iiiii:i") X(sock_shutdown, "ii:i")

#define WK_WASI_DECLARE(name, signature) wk_wasi_handler wk_wasi_##name;
WK_WASI_FUNCTIONS(WK_WASI_DECLARE)
#undef WK_WASI_DECLARE

#endif
