/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guest gets to see of this machine. The options are collected here as the command line is read, and handed to
 * WASI when there is a linker; the checks that need no WASI are made at once, so that a mistake is a usage error.
 */
#define _GNU_SOURCE 1
#include "world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"
#include "text.h"

/* Makes room for one more item in the array that the pointer at `place` points to; arrays grow at powers of two. */
static bool grow(void *place, size_t count, size_t item)
{
	void *array, *larger;

	if (count & (count - 1)) /* neither 0 nor a power of two: there is room */
		return true;
	memcpy(&array, place, sizeof(array)); /* the pointer has whatever type it has */
	larger = reallocarray(array, count ? count * 2 : 1, item);
	if (!larger) {
		wk_message("out of memory");
		return false;
	}
	memcpy(place, &larger, sizeof(larger));
	return true;
}

/* Keeps a string that was made here; NULL is allowed and fails. */
static bool own(struct wk_world *world, char *text)
{
	if (!text) {
		wk_message("out of memory");
		return false;
	}
	if (!grow(&world->owned, world->owned_count, sizeof(*world->owned))) {
		free(text);
		return false;
	}
	world->owned[world->owned_count++] = text;
	return true;
}

bool wk_world_add_argument(struct wk_world *world, const char *word)
{
	if (!grow(&world->arguments, world->argument_count, sizeof(*world->arguments)))
		return false;
	world->arguments[world->argument_count++] = word;
	return true;
}

bool wk_world_add_variable(struct wk_world *world, const char *word)
{
	size_t name_size = strcspn(word, "=");
	const char *entry = word;

	if (name_size == 0) {
		wk_message("--env %s: it needs a name: NAME=VALUE, or NAME for the value it has here", word);
		return false;
	}
	if (!word[name_size]) {
		const char *value = getenv(word);
		char *made = NULL;

		if (!value)
			return true; /* not set here, so not set there */
		if (asprintf(&made, "%s=%s", word, value) < 0)
			made = NULL;
		if (!own(world, made))
			return false;
		entry = made;
	}
	/* The last word on a name wins. */
	for (size_t i = 0; i < world->variable_count; i++)
		if (strncmp(world->variables[i], entry, name_size + 1) == 0) {
			world->variables[i] = entry;
			return true;
		}
	if (!grow(&world->variables, world->variable_count, sizeof(*world->variables)))
		return false;
	world->variables[world->variable_count++] = entry;
	return true;
}

bool wk_world_add_dir(struct wk_world *world, const char *word, bool read_only)
{
	const char *split = strstr(word, "::");
	struct wk_wasi_preopen dir = { word, word, read_only };

	if (split) {
		char *host = strndup(word, (size_t)(split - word));

		if (!own(world, host))
			return false;
		dir.host = host;
		dir.guest = split + 2;
	}
	if (!*dir.host || !*dir.guest) {
		wk_message("--dir%s %s: it needs a folder, and behind '::' the name that the program sees: HOST::GUEST",
			read_only ? "-ro" : "", word);
		return false;
	}
	if (!grow(&world->dirs, world->dir_count, sizeof(*world->dirs)))
		return false;
	world->dirs[world->dir_count++] = dir;
	return true;
}

bool wk_world_is_here(const struct wk_world *world)
{
	for (size_t i = 0; i < world->dir_count; i++) {
		if (strcmp(world->dirs[i].host, WK_WASI_SEALED) != 0)
			continue;
		wk_message("--dir " WK_WASI_SEALED "::%s: sealed folders are in the secure storage of a TEE: add --tee optee; "
			"a folder of that name is ./" WK_WASI_SEALED, world->dirs[i].guest);
		return false;
	}
	return true;
}

bool wk_world_add_socket(struct wk_world *world, const char *word)
{
	uint64_t number = 0;
	struct stat info;

	if (!wk_text_unsigned(word, &number) || number > INT_MAX) {
		wk_message("--fd %s: it is not the number of a descriptor", word);
		return false;
	}
	if (fstat((int)number, &info) != 0 || !S_ISSOCK(info.st_mode)) {
		wk_message("--fd %s: it is not an open socket", word);
		return false;
	}
	if (!grow(&world->sockets, world->socket_count, sizeof(*world->sockets)))
		return false;
	world->sockets[world->socket_count++] = (int)number;
	return true;
}

void wk_world_free(struct wk_world *world)
{
	for (size_t i = 0; i < world->owned_count; i++)
		free(world->owned[i]);
	free(world->owned);
	free(world->arguments);
	free(world->variables);
	free(world->dirs);
	free(world->sockets);
	*world = (struct wk_world){ 0 };
}

struct wk_wasi_config wk_world_wasi(const struct wk_world *world)
{
	return (struct wk_wasi_config){
		.arguments = world->arguments,
		.argument_count = world->argument_count,
		.environment = world->variables,
		.environment_count = world->variable_count,
		.preopens = world->dirs,
		.preopen_count = world->dir_count,
		.sockets = world->sockets,
		.socket_count = world->socket_count,
	};
}
