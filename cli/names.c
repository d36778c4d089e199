/* SPDX-License-Identifier: Apache-2.0
 *
 * Function names of modules that did not load. An error in "function 1234" is easier to find by its name, but a refused
 * module leaves nothing to ask. So the bytes are searched once more, trusting nothing: whatever does not fit ends the
 * search, and then there is no name.
 */
#include "names.h"

#include "base/leb128.h"

#define CUSTOM_SECTION 0
#define FUNCTION_NAMES 1

/* What is left to read. */
struct cursor {
	const uint8_t *at, *end;
};

static bool take_number(struct cursor *c, uint32_t *number)
{
	uint64_t value = 0;

	if (wk_leb_unsigned(&c->at, c->end, 32, &value) != WK_LEB_OK)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* A length and as many bytes. */
static bool take_bytes(struct cursor *c, struct cursor *bytes)
{
	uint32_t size = 0;

	if (!take_number(c, &size) || size > (size_t)(c->end - c->at))
		return false;
	*bytes = (struct cursor){ c->at, c->at + size };
	c->at += size;
	return true;
}

/* The next part that has `id`: sections and subsections are built alike. */
static bool find_part(struct cursor *c, uint8_t id, struct cursor *part)
{
	while (c->at < c->end) {
		uint8_t found = *c->at++;

		if (!take_bytes(c, part))
			return false;
		if (found == id)
			return true;
	}
	return false;
}

static bool find_in_map(struct cursor map, uint32_t function, struct cursor *name)
{
	uint32_t count = 0, index = 0;

	if (!take_number(&map, &count))
		return false;
	while (count-- > 0 && take_number(&map, &index) && take_bytes(&map, name))
		if (index == function)
			return true;
	return false;
}

void wk_names_find(struct wk_span bytes, uint32_t function, char name[WK_NAMES_SIZE])
{
	struct cursor module = { 0 }, section = { 0 }, part = { 0 }, found = { 0 };

	name[0] = 0;
	if (bytes.size < 8 || function == UINT32_MAX)
		return;
	module = (struct cursor){ bytes.data + 8, bytes.data + bytes.size };
	while (find_part(&module, CUSTOM_SECTION, &section)) {
		size_t size;

		if (!take_bytes(&section, &part) || part.end - part.at != 4 || memcmp(part.at, "name", 4) != 0)
			continue;
		if (!find_part(&section, FUNCTION_NAMES, &part) || !find_in_map(part, function, &found))
			return;
		size = (size_t)(found.end - found.at);
		if (size > WK_NAMES_SIZE - 1)
			for (size = WK_NAMES_SIZE - 1; size > 0 && (found.at[size] & 0xc0) == 0x80;)
				size--; /* no half character */
		memcpy(name, found.at, size);
		name[size] = 0;
		return;
	}
}
