/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to a server in the same process. Guests have a native stack of their own there, too, with nothing below it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "port/port.h"
#include "spec/spec.h"
#include "spec/spec_serve.h"

#define STACK ((size_t)1 << 20) /* sanitizers need much */
#define GUARD ((size_t)64 << 10)

/* ---- fewer addresses ---- */

/* The port's provider, but for large ranges, which a linear memory then asks for halved. Under an emulator, each page of
 * addresses takes some bytes of its books, which it never gives back. */
static void *reserve(struct wk_provider *provider, size_t size)
{
	return size <= spec_addresses ? wk_port_provider()->ops->reserve(provider, size) : NULL;
}

static struct wk_provider *choose_provider(void)
{
	static struct wk_provider provider;
	static struct wk_provider_ops ops;

	if (spec_addresses == 0)
		return wk_port_provider();
	provider = *wk_port_provider();
	ops = *provider.ops;
	ops.reserve = reserve;
	provider.ops = &ops;
	return &provider;
}

/* ---- the way ---- */

struct spec_way {
	struct spec_server server;
	struct spec_host host;
	uint8_t *guard;
	uint8_t request[SPEC_REQUEST_MAX], reply[SPEC_REPLY_MAX];
};

struct spec_way *spec_way_open(unsigned timeout)
{
	struct spec_way *way = calloc(1, sizeof *way);
	uint8_t *guard = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (way == NULL || guard == MAP_FAILED || mprotect(guard, GUARD, PROT_NONE) != 0) {
		printf("no memory for a server\n");
		free(way);
		return NULL;
	}
	way->guard = guard;
	way->host = (struct spec_host){ .provider = choose_provider(), .stack = guard + GUARD, .stack_size = STACK };
	way->host.loaded = spec_images->level >= 0 || spec_images->from != NULL ? spec_images_use : NULL;
	spec_server_init(&way->server, &way->host);
	alarm(timeout); /* ends the process */
	return way;
}

uint8_t *spec_way_request(struct spec_way *way)
{
	return way->request;
}

const uint8_t *spec_way_ask(struct spec_way *way, size_t size, size_t *reply_size, const char **why)
{
	(void)why;
	*reply_size = spec_serve(&way->server, way->request, size, NULL, way->reply, sizeof way->reply);
	return way->reply;
}

void spec_way_close(struct spec_way *way)
{
	if (way == NULL)
		return;
	spec_server_end(&way->server);
	(void)munmap(way->guard, GUARD + STACK);
	free(way);
}
