/* SPDX-License-Identifier: Apache-2.0
 *
 * A small JSON writer. It keeps commas and indentation; the caller keeps the order of calls right. Output is always
 * valid JSON in UTF-8, whatever the strings hold, and safe to show on a terminal.
 */
#ifndef WK_CLI_JSON_H
#define WK_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

struct wk_json {
	FILE *out;
	bool compact;   /* everything on one line */
	unsigned depth;
	bool filled;    /* something stands before in the object or array that is open */
};

void wk_json_start(struct wk_json *json, FILE *out, bool compact);
/* Ends the text with a new line. */
void wk_json_end(struct wk_json *json);

/* `key` is constant text, or NULL inside an array and at the top. */
void wk_json_open(struct wk_json *json, const char *key, char bracket); /* '{' or '[' */
void wk_json_close(struct wk_json *json, char bracket);                 /* '}' or ']' */
void wk_json_number(struct wk_json *json, const char *key, uint64_t number);
void wk_json_bool(struct wk_json *json, const char *key, bool value);
void wk_json_null(struct wk_json *json, const char *key);
void wk_json_text(struct wk_json *json, const char *key, const char *text);
/* Bytes that are not UTF-8 become U+FFFD; what wk_text_is_unsafe names is written as \uXXXX. */
void wk_json_span(struct wk_json *json, const char *key, struct wk_span text);

#endif
