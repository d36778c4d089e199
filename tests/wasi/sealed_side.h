/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed_side.h: one guest's side of a sealed volume, for tests: its system over a vault, a heap that can refuse, and
 * short forms of the operations. Several sides may work on one vault. Paths start from the root.
 */
#ifndef WK_TESTS_WASI_SEALED_SIDE_H
#define WK_TESTS_WASI_SEALED_SIDE_H

#include "unit/test.h"
#include "unit/faults.h"
#include "wasi/memory_vault.h"
#include "wasi/sealed.h"

struct side {
	struct test_heap heap;
	struct wk_allocator allocator;
	struct wk_budget budget;
	struct memory_vault *vault;
	struct wk_sealed *sealed;
	const struct wk_wasi_system *system;
	struct wk_wasi_object root;
};

/* The identifier of an object of the volume that sides have. */
#define SIDE_ID_SIZE 36
void side_id(uint32_t number, uint8_t id[SIDE_ID_SIZE]);

/* Makes the system and opens the root. After an error side_end must follow, too. */
enum wk_wasi_errno side_start(struct side *side, struct memory_vault *vault);
/* Deletes the system; false when memory was lost. */
bool side_end(struct side *side);

/* Letters: r read, w write, c create, x exclusive, t truncate, d directory. */
enum wk_wasi_errno side_open(struct side *side, const char *path, const char *letters, struct wk_wasi_object *object);
enum wk_wasi_errno side_close(struct side *side, struct wk_wasi_object *object);
enum wk_wasi_errno side_write(struct side *side, struct wk_wasi_object *object, const char *text);
enum wk_wasi_errno side_write_at(struct side *side, struct wk_wasi_object *object, uint64_t offset, const char *text);
/* At most size - 1 bytes, as a text. */
enum wk_wasi_errno side_read(struct side *side, struct wk_wasi_object *object, char *text, size_t size);
enum wk_wasi_errno side_read_at(struct side *side, struct wk_wasi_object *object, uint64_t offset, char *text,
	size_t size);
/* Makes or empties a file and writes a text to it. */
enum wk_wasi_errno side_put(struct side *side, const char *path, const char *text);
/* The beginning of a file's text; "" with an errno when it cannot be read. */
enum wk_wasi_errno side_get(struct side *side, const char *path, char *text, size_t size);

enum wk_wasi_errno side_make(struct side *side, const char *path);
enum wk_wasi_errno side_remove(struct side *side, const char *path);
enum wk_wasi_errno side_unlink(struct side *side, const char *path);
enum wk_wasi_errno side_rename(struct side *side, const char *from, const char *to);
enum wk_wasi_errno side_stat(struct side *side, const char *path, struct wk_wasi_stat *stat);

/* The whole volume as a text, the same for two volumes with the same names and contents; seen by a side made for it.
 * With `strict` every object must be named by the index or be the index. NULL: something in it is wrong, and was
 * printed. Good until the next call but one. */
const char *side_dump(struct memory_vault *vault, bool strict);

#endif
