/* SPDX-License-Identifier: Apache-2.0
 *
 * The server of the core test suite: does what requests (spec_wire.h) ask for, in a keep of its own. Freestanding, so
 * that it runs in a Trusted Application as it runs on Linux.
 */
#ifndef WK_TESTS_SPEC_SERVE_H
#define WK_TESTS_SPEC_SERVE_H

#include "host/host.h"
#include "spec/spec_wire.h"

struct spec_host {
	struct wk_provider *provider;
	/* The native stack that guests run on. */
	void *stack;
	size_t stack_size;
	uint32_t native_depth;    /* of calls between host and guest on it; 0: as usual */
	/* Does something with each module that was loaded, or puts another one in its place; NULL: nothing. */
	enum wk_status (*loaded)(struct wk_module **module, struct wk_report *report);
};

struct spec_item {
	struct wk_module *module; /* held */
	struct wk_instance *instance;
};

struct spec_server {
	const struct spec_host *host;
	struct wk_keep *keep;
	struct wk_store *store;
	struct wk_linker *linker;
	struct spec_item *items;  /* by number */
	uint32_t item_count;
	struct wk_report report;

	/* What the request is about. */
	const uint32_t *interrupt;
	uint32_t number, new_number;
	struct wk_func *func;
	struct wk_value *arguments, *results;
	uint32_t argument_count, result_count;

	/* What runs on the guests' stack. */
	struct wk_port_coroutine coroutine;
	enum wk_status (*run)(struct spec_server *server);
	enum wk_status status;
};

/* `host` is borrowed. */
void spec_server_init(struct spec_server *server, const struct spec_host *host);
/* Serves a request: at most `room` bytes of answer are written, and their number returned. Others may change the request
 * meanwhile, and see the answer. `interrupt`: a word that stops the guest once it is not 0, where the engine can be told
 * so; NULL: nothing does. `room` must be SPEC_REPLY_MAX or more. */
size_t spec_serve(struct spec_server *server, const uint8_t *request, size_t size, const uint32_t *interrupt,
	uint8_t *reply, size_t room);
/* All goes. */
void spec_server_end(struct spec_server *server);

/* Defines the module `spectest`, everything the suite expects of the host (spec_spectest.c). */
WK_NODISCARD enum wk_status spec_spectest_define(struct wk_store *store, struct wk_linker *linker);

#endif
