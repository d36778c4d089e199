/* SPDX-License-Identifier: Apache-2.0
 * See driver.h. The module is written byte by byte; every number in it fits its LEB128 form of two or three bytes. */
#define _GNU_SOURCE
#include "wasi/driver.h"
#include "remote/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const struct wk_wasi_system *guest_system;
bool guest_remote;

/* ---- both sides of a border ---- */

struct guest_border {
	struct wk_wasi_system system;   /* the proxy's */
	struct wk_remote_channel channel;
	struct wk_remote_world world;
	struct wk_remote_server *server;
	const char *roots[8];
	int descriptors[8];
	uint8_t window[WK_REMOTE_WINDOW_MIN];
};

static bool exchange(void *context, struct wk_remote_message *message)
{
	struct guest_border *border = context;

	wk_remote_serve(border->server, message, border->window, sizeof border->window);
	return true;
}

/* A server that opens what the configuration names, and a proxy that asks it. */
static struct guest_border *make_border(const struct wk_wasi_config *config)
{
	struct guest_border *border = calloc(1, sizeof *border);
	const int own[3] = { 0, 1, 2 };

	if (!border)
		abort();
	for (size_t i = 0; i < 3; i++)
		border->descriptors[i] = config->stdio ? config->stdio[i] : own[i];
	for (size_t i = 0; i < config->socket_count; i++)
		border->descriptors[3 + i] = config->sockets[i];
	for (size_t i = 0; i < config->preopen_count; i++)
		border->roots[i] = config->preopens[i].host;
	border->world = (struct wk_remote_world){ border->roots, config->preopen_count, border->descriptors,
		3 + config->socket_count };
	border->channel = (struct wk_remote_channel){ border, exchange, border->window, sizeof border->window };
	border->system = guest_system ? *guest_system : *wk_wasi_port_system(); /* clocks and chance */
	wk_remote_system(&border->system, &border->channel);
	border->server = wk_remote_server_new(guest_system ? guest_system : wk_wasi_port_system(), &border->world);
	return border;
}

/* ---- the module ---- */

#define ROW(name, signature) { #name, signature },
static const struct { const char *name, *signature; } functions[] = { WK_WASI_FUNCTIONS(ROW) };
#define COUNT (sizeof functions / sizeof *functions)

struct bytes {
	uint8_t data[16384];
	size_t size;
};

static void add(struct bytes *b, unsigned byte)
{
	b->data[b->size++] = (uint8_t)byte;
}

static void add_number(struct bytes *b, size_t number)
{
	for (; number >= 0x80; number >>= 7)
		add(b, (unsigned)(number & 0x7f) | 0x80);
	add(b, (unsigned)number);
}

static void add_text(struct bytes *b, const char *text)
{
	add_number(b, strlen(text));
	while (*text)
		add(b, (unsigned char)*text++);
}

static void add_bytes(struct bytes *b, const struct bytes *more)
{
	memcpy(b->data + b->size, more->data, more->size);
	b->size += more->size;
}

static void add_section(struct bytes *module, unsigned id, struct bytes *content)
{
	add(module, id);
	add_number(module, content->size);
	add_bytes(module, content);
	content->size = 0;
}

static void add_types(struct bytes *b, const char *letters, size_t count)
{
	add_number(b, count);
	for (size_t i = 0; i < count; i++)
		add(b, letters[i] == 'i' ? 0x7f : 0x7e);
}

static void make_module(struct bytes *module)
{
	static const uint8_t head[8] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
	static struct bytes s, body;

	memcpy(module->data, head, sizeof head);
	module->size = sizeof head;
	add_number(&s, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		const char *colon = strchr(functions[i].signature, ':');

		add(&s, 0x60);
		add_types(&s, functions[i].signature, (size_t)(colon - functions[i].signature));
		add_types(&s, colon + 1, strlen(colon + 1));
	}
	add_section(module, 1, &s);
	add_number(&s, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		add_text(&s, "wasi_snapshot_preview1");
		add_text(&s, functions[i].name);
		add(&s, 0);
		add_number(&s, i);
	}
	add_section(module, 2, &s);
	add_number(&s, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		add_number(&s, i);
	add_section(module, 3, &s);
	add_number(&s, 1);
	add(&s, 0);
	add_number(&s, GUEST_MEMORY / 65536);
	add_section(module, 5, &s);
	add_number(&s, COUNT + 1);
	for (size_t i = 0; i < COUNT; i++) {
		add_text(&s, functions[i].name);
		add(&s, 0);
		add_number(&s, COUNT + i);
	}
	add_text(&s, "memory");
	add(&s, 2);
	add(&s, 0);
	add_section(module, 7, &s);
	add_number(&s, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		body.size = 0;
		add(&body, 0);
		for (size_t j = 0; functions[i].signature[j] != ':'; j++) {
			add(&body, 0x20);
			add_number(&body, j);
		}
		add(&body, 0x10);
		add_number(&body, i);
		add(&body, 0x0b);
		add_number(&s, body.size);
		add_bytes(&s, &body);
	}
	add_section(module, 10, &s);
}

/* ---- the guest ---- */

bool guest_start(struct guest *g, const struct wk_wasi_config *config)
{
	static struct bytes module;
	struct wk_wasi_config used = { 0 };
	struct wk_module *loaded = NULL;
	enum wk_status status = WK_OK;

	memset(g, 0, sizeof *g);
	wk_report_clear(&g->report);
	make_module(&module);
	if (wk_keep_new(NULL, &g->keep) != WK_OK || wk_store_new(g->keep, NULL, &g->store) != WK_OK ||
	    wk_linker_new(g->store, &g->linker) != WK_OK)
		abort();
	if (config)
		used = *config;
	used.system = guest_system;
	if (guest_remote) {
		g->border = make_border(&used);
		used.system = &g->border->system;
	}
	status = wk_wasi_new(g->store, &used, &g->report, &g->wasi);
	if (status == WK_OK)
		status = wk_wasi_define(g->wasi, g->linker, NULL);
	if (status == WK_OK)
		status = wk_module_load(g->keep, module.data, module.size, WK_LOAD_COPY, &g->report, &loaded);
	if (status == WK_OK)
		status = wk_linker_instantiate(g->linker, loaded, &g->report, &g->instance);
	wk_module_release(loaded);
	if (status == WK_OK) {
		g->memory = wk_instance_memory(g->instance, "memory");
		return true;
	}
	printf("# guest: %s: %s\n", wk_status_text(status), g->report.text);
	return false;
}

void guest_end(struct guest *g)
{
	wk_wasi_delete(g->wasi);
	if (g->border)
		wk_remote_server_delete(g->border->server);
	free(g->border);
	wk_linker_delete(g->linker);
	wk_store_delete(g->store);
	wk_keep_delete(g->keep);
}

int guest_call(struct guest *g, const char *name, const uint64_t *arguments, size_t count)
{
	struct wk_func *func = wk_instance_function(g->instance, name);
	enum wk_kind kinds[16], result_kinds[1];
	struct wk_value values[16], result = { .kind = WK_I32 };
	uint32_t parameters = 0, results = 0;
	enum wk_status status = WK_OK;

	wk_func_type(func, &parameters, NULL, &results, NULL);
	if (parameters != count)
		abort();
	wk_func_type(func, &parameters, kinds, &results, result_kinds);
	for (size_t i = 0; i < count; i++) {
		values[i].kind = kinds[i];
		if (kinds[i] == WK_I32)
			values[i].of.i32 = (int32_t)(uint32_t)arguments[i];
		else
			values[i].of.i64 = (int64_t)arguments[i];
	}
	wk_report_clear(&g->report);
	status = wk_func_call(func, values, count, &result, results, &g->report);
	if (status == WK_TRAP)
		return GUEST_TRAP;
	if (status == WK_EXIT)
		return GUEST_EXIT;
	return status == WK_OK ? result.of.i32 : GUEST_ERROR;
}

void *guest_at(struct guest *g, uint32_t address)
{
	return wk_memory_view(g->memory, address, 0);
}

uint32_t guest_get32(struct guest *g, uint32_t address)
{
	return wk_get32(guest_at(g, address));
}

uint64_t guest_get64(struct guest *g, uint32_t address)
{
	return wk_get64(guest_at(g, address));
}

uint32_t guest_put(struct guest *g, uint32_t address, const char *text)
{
	size_t size = strlen(text);

	memcpy(guest_at(g, address), text, size);
	return (uint32_t)size;
}

int guest_open(struct guest *g, int directory, const char *path, unsigned oflags, uint64_t base, int *fd)
{
	int error = CALL(g, path_open, (uint64_t)directory, WK_LOOKUP_FOLLOW, PATH(g, path), oflags, base, RIGHTS_ALL, 0,
		GUEST_OUT);

	if (error == WK_WASI_SUCCESS)
		*fd = (int)guest_get32(g, GUEST_OUT);
	return error;
}

int guest_write(struct guest *g, int fd, const char *text)
{
	uint8_t *iov = guest_at(g, GUEST_IOV);

	wk_put32(iov, GUEST_PATH2);
	wk_put32(iov + 4, guest_put(g, GUEST_PATH2, text));
	return CALL(g, fd_write, (uint64_t)fd, GUEST_IOV, 1, GUEST_OUT);
}

int guest_read(struct guest *g, int fd, char *text, uint32_t size)
{
	uint8_t *iov = guest_at(g, GUEST_IOV);
	int error = 0;

	wk_put32(iov, GUEST_PATH2);
	wk_put32(iov + 4, size - 1);
	error = CALL(g, fd_read, (uint64_t)fd, GUEST_IOV, 1, GUEST_OUT);
	text[0] = 0;
	if (error != WK_WASI_SUCCESS)
		return error;
	memcpy(text, guest_at(g, GUEST_PATH2), guest_get32(g, GUEST_OUT));
	text[guest_get32(g, GUEST_OUT)] = 0;
	return error;
}

int guest_read_file(struct guest *g, int directory, const char *path, char *text, uint32_t size)
{
	int fd = -1, error = guest_open(g, directory, path, 0, RIGHTS_READ, &fd);

	text[0] = 0;
	if (error != WK_WASI_SUCCESS)
		return error;
	error = guest_read(g, fd, text, size);
	CALL(g, fd_close, (uint64_t)fd);
	return error;
}

/* ---- the scratch folder ---- */

static char folder[PATH_MAX];

const char *scratch_begin(void)
{
	char name[PATH_MAX];
	const char *top = getenv("TMPDIR");

	snprintf(name, sizeof name, "%s/wasi-test-XXXXXX", top && *top ? top : "/tmp");
	if (!mkdtemp(name) || !realpath(name, folder))
		abort();
	return folder;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat, (void)type, (void)ftw;
	return remove(path);
}

void scratch_end(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(const char *name)
{
	static char names[8][PATH_MAX + 256];
	static unsigned next;
	char *to = names[next++ % 8];

	snprintf(to, sizeof names[0], "%s/%s", folder, name);
	return to;
}

void scratch_file(const char *name, const char *text)
{
	FILE *file = fopen(scratch(name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

void scratch_dir(const char *name)
{
	if (mkdir(scratch(name), 0777) < 0)
		abort();
}

void scratch_link(const char *target, const char *name)
{
	if (symlink(target, scratch(name)) < 0)
		abort();
}

const char *scratch_text(const char *name)
{
	static char text[4096];
	FILE *file = fopen(scratch(name), "r");
	size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

	text[size] = 0;
	if (file)
		fclose(file);
	return text;
}

bool scratch_exists(const char *name)
{
	struct stat stat;

	return lstat(scratch(name), &stat) == 0;
}
