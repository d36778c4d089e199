/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guest gets to see of this machine: arguments, variables, folders, sockets. Nothing that is not named here
 * is visible to it.
 */
#ifndef WK_CLI_WORLD_H
#define WK_CLI_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include <wasmkeep/wasi.h>

/* Words of the command line, all borrowed; the arrays are the world's own. */
struct wk_world {
	const char **arguments, **variables; /* the first argument is the program's name; variables are NAME=VALUE */
	struct wk_wasi_preopen *dirs;
	int *sockets;
	size_t argument_count, variable_count, dir_count, socket_count;
	char **owned;                        /* strings made for the world */
	size_t owned_count;
};

/* Each takes the word behind its option; false after a message when it is wrong or memory is out. */
bool wk_world_add_argument(struct wk_world *world, const char *word);
bool wk_world_add_variable(struct wk_world *world, const char *word); /* NAME=VALUE, or NAME for the host's value */
bool wk_world_add_dir(struct wk_world *world, const char *word, bool read_only); /* HOST[::GUEST] */
bool wk_world_add_socket(struct wk_world *world, const char *word);
/* Are there folders that only a TEE has? Then false, after a message. */
bool wk_world_is_here(const struct wk_world *world);
void wk_world_free(struct wk_world *world);

/* All of it as WASI takes it; borrowed. */
struct wk_wasi_config wk_world_wasi(const struct wk_world *world);

#endif
