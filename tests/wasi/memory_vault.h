/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_vault.h: a vault (src/wasi/vault.h) in memory that fails on demand, for tests and fuzzers. It holds its user
 * to the contract: whoever breaks it ends the program.
 *
 * Operations are counted from 1; close and wait are not. The one with the number in `fail_at` fails, and all later ones
 * when `keep_failing` is set; with `fail_after` it does its work before it fails. From `cut_at` on the power is off:
 * nothing is done any more, until memory_vault_reboot().
 */
#ifndef WK_TESTS_WASI_MEMORY_VAULT_H
#define WK_TESTS_WASI_MEMORY_VAULT_H

#include "wasi/vault.h"

struct memory_object {
	struct memory_object *next;
	uint8_t id[WK_VAULT_ID_MAX];
	size_t id_size;
	uint8_t *data;
	size_t size;
	unsigned readers;
	bool alone;
};

struct memory_handle {
	struct memory_object *object; /* NULL: free */
	bool alone, broken;
};

#define MEMORY_VAULT_HANDLES 256

struct memory_vault {
	struct wk_vault vault;
	struct memory_object *objects;
	struct memory_handle handles[MEMORY_VAULT_HANDLES];
	uint64_t asked, failed;
	uint64_t fail_at, cut_at; /* 0: never */
	bool keep_failing, fail_after;
	enum wk_wasi_errno failure;
	unsigned waits;
	/* Called before an operation is done, and while waiting; NULL: nothing. */
	void (*before)(struct memory_vault *vault, void *hook);
	void (*waiting)(struct memory_vault *vault, void *hook);
	void *hook;
};

void memory_vault_init(struct memory_vault *vault);
/* Its handles must be closed. */
void memory_vault_end(struct memory_vault *vault);
/* Empties `to` and gives it the objects of `from`; both have no open handles. */
void memory_vault_copy(struct memory_vault *to, const struct memory_vault *from);
/* Closes all handles, as when whoever had them is no more, and ends what was planned to fail. */
void memory_vault_reboot(struct memory_vault *vault);
/* Starts counting anew; nothing is planned to fail. */
void memory_vault_reset(struct memory_vault *vault);
unsigned memory_vault_objects(const struct memory_vault *vault);
unsigned memory_vault_open(const struct memory_vault *vault);
/* The object, or NULL. Its bytes may be changed with memory_vault_put, which makes it when it is not there. */
struct memory_object *memory_vault_find(const struct memory_vault *vault, const uint8_t *id, size_t id_size);
void memory_vault_put(struct memory_vault *vault, const uint8_t *id, size_t id_size, const void *data, size_t size);

#endif
