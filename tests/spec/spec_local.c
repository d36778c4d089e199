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

#include <wasmkeep/image.h>

#include "port/port.h"
#include "spec/spec.h"
#include "spec/spec_serve.h"
#ifdef WK_WITH_COMPILER
#include "compiler/compiler.h"
#endif

#define STACK ((size_t)1 << 20) /* sanitizers need much */
#define GUARD ((size_t)64 << 10)



#ifdef WK_WITH_COMPILER
/* Instead of the module that which is inside of the image. */
static enum wk_status load_alone(struct wk_module **module, const char *path, struct wk_report *report)
{
	struct wk_keep *keep = (*module)->keep;

	wk_module_release(*module);
	*module = NULL;
	return wk_module_load_image(keep, path, report, module);
}

/* Through a file, as everybody does it; every second image comes without its module. */
static enum wk_status compile(struct wk_module **loaded, struct wk_report *report)
{
	static bool alone;
	struct wk_module *module = *loaded;
	/* In parts as large modules are, some in as many as there may be: functions without any, parts without any. */
	const struct wk_compile_options options = { .optimisation = (unsigned)spec_compiled,
		.compare = spec_compare < 0 ? module->bytes.size % 2 != 0 : spec_compare != 0,
		.parts = module->func_count % 5 == 4 ? 8 : 1 + module->func_count % 5 };
	struct wk_compile_result result;
	char path[64];
	enum wk_status status;

	snprintf(path, sizeof path, "/tmp/wk-spec-%ld.image", (long)getpid());
	status = wk_compile(module, &options, path, report, &result);
	alone = !alone;
	if (status == WK_OK)
		status = alone ? load_alone(loaded, path, report) : wk_module_use_image(module, path, report);
	(void)unlink(path);
	return status;
}
#endif

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
	way->host = (struct spec_host){ .provider = wk_port_provider(), .stack = guard + GUARD, .stack_size = STACK };
#ifdef WK_WITH_COMPILER
	way->host.loaded = spec_compiled >= 0 ? compile : NULL;
#endif
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
