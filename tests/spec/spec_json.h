/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the suite's JSON (RFC 8259): our own reader, because the runner is built for machines that have no library for it,
 * and because names in the suite have NULs in them.
 */
#ifndef WK_TESTS_SPEC_JSON_H
#define WK_TESTS_SPEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spec_json_kind { SPEC_JSON_WORD /* true, false, null */, SPEC_JSON_NUMBER, SPEC_JSON_TEXT, SPEC_JSON_ARRAY,
	SPEC_JSON_OBJECT };

struct spec_json {
	enum spec_json_kind kind;
	const char *key;                 /* of a member; NULL elsewhere */
	const char *text;                /* of a TEXT, with a NUL behind it and perhaps some within; else "" */
	size_t size;                     /* bytes of it */
	int64_t number;                  /* of a NUMBER, without fraction */
	uint32_t count;                  /* of items or members: */
	struct spec_json *first, *next;
};

/* Reads `text`, which ends with a NUL; it is changed, and must live as long as the result. NULL: it is no JSON, or there
 * is no memory. On success the caller owns the result: spec_json_free. */
struct spec_json *spec_json_read(char *text);
void spec_json_free(struct spec_json *json);

/* A member of an object; NULL: there is none, or `json` is no object or NULL. */
const struct spec_json *spec_json_get(const struct spec_json *json, const char *key);
/* The text of a member; "" if there is none. */
const char *spec_json_text(const struct spec_json *json, const char *key);

#endif
