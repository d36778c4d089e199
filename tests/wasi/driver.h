/* SPDX-License-Identifier: Apache-2.0
 *
 * driver.h: calls WASI functions one by one from C, the way a guest does. A small module, made here, imports all 46
 * functions and exports each again, with a memory of 4 MiB. So a test decides every argument and sees every byte.
 *
 *	struct guest g;
 *	guest_start(&g, &config);
 *	CHECK_EQUAL(CALL(&g, fd_close, 3), WK_WASI_SUCCESS);
 *	guest_end(&g);
 *
 * A call gives the errno, or GUEST_TRAP, GUEST_EXIT, GUEST_ERROR; the report is in g.report then.
 */
#ifndef WK_TESTS_WASI_DRIVER_H
#define WK_TESTS_WASI_DRIVER_H

#include "unit/test.h"
#include "wasi/internal.h"

enum { GUEST_TRAP = -1, GUEST_EXIT = -2, GUEST_ERROR = -3 };

/* The system that guests get: NULL is the port's own. */
extern const struct wk_wasi_system *guest_system;
/* Guests get it through messages (remote/remote.h), as in a TEE: proxy and server in one process. */
extern bool guest_remote;

struct guest {
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_wasi *wasi;
	struct wk_instance *instance;
	struct wk_memory *memory;
	struct wk_report report;
	struct guest_border *border; /* with guest_remote */
};

#define GUEST_MEMORY (64u * 65536u)
/* Addresses that the helpers use; from GUEST_FREE on the memory is the test's. */
enum { GUEST_OUT = 0x100, GUEST_PATH = 0x1000, GUEST_PATH2 = 0x4000, GUEST_IOV = 0x8000, GUEST_FREE = 0x10000 };

bool guest_start(struct guest *g, const struct wk_wasi_config *config);
void guest_end(struct guest *g);
int guest_call(struct guest *g, const char *name, const uint64_t *arguments, size_t count);
#define CALL(g, name, ...) \
	guest_call((g), #name, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

void *guest_at(struct guest *g, uint32_t address);
uint32_t guest_get32(struct guest *g, uint32_t address);
uint64_t guest_get64(struct guest *g, uint32_t address);

/* Puts a text at an address, without its NUL, and gives its length: for CALL(.., address, length). */
uint32_t guest_put(struct guest *g, uint32_t address, const char *text);
#define PATH(g, text) GUEST_PATH, guest_put((g), GUEST_PATH, (text))
#define PATH2(g, text) GUEST_PATH2, guest_put((g), GUEST_PATH2, (text))

/* path_open with all rights that there are, following links. *fd is set on success. */
int guest_open(struct guest *g, int directory, const char *path, unsigned oflags, uint64_t base, int *fd);
/* fd_write of a text, fd_read of at most size - 1 bytes as a text. */
int guest_write(struct guest *g, int fd, const char *text);
int guest_read(struct guest *g, int fd, char *text, uint32_t size);
/* The whole of a file beneath a directory, opened for reading; "" with an errno when it cannot be. */
int guest_read_file(struct guest *g, int directory, const char *path, char *text, uint32_t size);

#define RIGHTS_ALL ((UINT64_C(1) << 30) - 1)
#define RIGHTS_READ (RIGHTS_ALL & ~(WK_RIGHTS_CHANGING | WK_RIGHT_FD_DATASYNC))
#define RIGHTS_WRITE (WK_RIGHTS_FILE & ~WK_RIGHT_FD_READ)

/* ---- a scratch folder of the host, removed at the end ---- */

/* Makes it and gives its absolute name. */
const char *scratch_begin(void);
void scratch_end(void);
/* Names in it; eight are good at a time. */
const char *scratch(const char *name);
void scratch_file(const char *name, const char *text);
void scratch_dir(const char *name);
void scratch_link(const char *target, const char *name);
/* The text of a file, "" when there is none. Good until the next call. */
const char *scratch_text(const char *name);
bool scratch_exists(const char *name);

#endif
