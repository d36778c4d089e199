/* SPDX-License-Identifier: Apache-2.0
 *
 * Makers of hostile modules: small ones that ask for much, and large ones that a careless loader is slow on.
 */
#ifndef WK_TESTS_HOSTILE_MODULES_H
#define WK_TESTS_HOSTILE_MODULES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data; /* malloc'ed; running out of memory ends the test */
	size_t size, capacity;
};

void put(struct bytes *b, unsigned byte);
void put_many(struct bytes *b, unsigned byte, size_t count);
void put_data(struct bytes *b, const void *data, size_t size);
void put_leb(struct bytes *b, uint64_t value);
void put_signed_leb(struct bytes *b, int64_t value);
void put_text(struct bytes *b, const char *text);
void put_header(struct bytes *b);
/* A section of what `contents` holds; empties `contents`. */
void put_section(struct bytes *b, unsigned id, struct bytes *contents);
void bytes_free(struct bytes *b);

/* Statuses that are right, as bits. */
#define OK (1u << 0)
#define ON(status) (1u << (status))

struct hostile_case {
	const char *name;
	void (*make)(struct bytes *module);
	unsigned load, instantiate, call; /* bits of what each step may end with; 0: the step is not reached */
	unsigned megabytes;               /* heap allowed beside 16 bytes a byte of the module */
	const char *says;                 /* to be found in the report, or NULL */
};

extern const struct hostile_case hostile_cases[];
extern const size_t hostile_case_count;

/* One function "f" of the given body (local declarations included, `end` too), type [] -> [], in a module with a memory
 * of one page. */
void make_function(struct bytes *module, const struct bytes *body);

#endif
