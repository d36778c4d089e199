/* SPDX-License-Identifier: Apache-2.0
 *
 * The makers, and the table of what must come of what they make.
 *
 * "f" is the function that is called where instantiation succeeds. A case that may end in several ways leaves it to the
 * implementation whether a limit, a budget or nothing at all stands in its way: what counts is that it ends soon, and
 * that memory is only taken for what was sent.
 */
#include "modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmkeep/status.h>

/* ---- bytes ---- */

static void reserve(struct bytes *b, size_t more)
{
	if (more <= b->capacity - b->size)
		return;
	size_t capacity = b->capacity < 64 ? 64 : b->capacity;
	while (capacity - b->size < more)
		capacity *= 2;
	b->data = realloc(b->data, capacity);
	b->capacity = capacity;
	if (b->data == NULL) {
		fprintf(stderr, "hostile: out of memory\n");
		exit(1);
	}
}

void put(struct bytes *b, unsigned byte)
{
	reserve(b, 1);
	b->data[b->size++] = (uint8_t)byte;
}

void put_many(struct bytes *b, unsigned byte, size_t count)
{
	reserve(b, count);
	memset(b->data + b->size, (int)byte, count);
	b->size += count;
}

void put_data(struct bytes *b, const void *data, size_t size)
{
	reserve(b, size);
	if (size > 0)
		memcpy(b->data + b->size, data, size);
	b->size += size;
}

void put_leb(struct bytes *b, uint64_t value)
{
	do {
		put(b, (unsigned)(value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value != 0);
}

void put_signed_leb(struct bytes *b, int64_t value)
{
	for (;;) {
		unsigned byte = (unsigned)value & 0x7f;
		value >>= 7;
		if ((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40))) {
			put(b, byte);
			return;
		}
		put(b, byte | 0x80);
	}
}

void put_text(struct bytes *b, const char *text)
{
	put_leb(b, strlen(text));
	put_data(b, text, strlen(text));
}

void put_header(struct bytes *b)
{
	put_data(b, "\0asm\1\0\0\0", 8);
}

void put_section(struct bytes *b, unsigned id, struct bytes *contents)
{
	put(b, id);
	put_leb(b, contents->size);
	put_data(b, contents->data, contents->size);
	contents->size = 0;
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

/* ---- modules with one function ---- */

/* Types: 0 is [] -> []. */
static void put_start_of_module(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x60\0\0", 4);
	put_section(module, 1, &s);
	put_data(&s, "\1\0", 2);
	put_section(module, 3, &s);
	bytes_free(&s);
}

static void put_export(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\1f\0\0", 5);
	put_section(module, 7, &s);
	bytes_free(&s);
}

static void put_code(struct bytes *module, const struct bytes *body)
{
	struct bytes s = { 0 };
	put_leb(&s, 1);
	put_leb(&s, body->size);
	put_data(&s, body->data, body->size);
	put_section(module, 10, &s);
	bytes_free(&s);
}

void make_function(struct bytes *module, const struct bytes *body)
{
	struct bytes s = { 0 };
	put_start_of_module(module);
	put_data(&s, "\1\0\1", 3);
	put_section(module, 5, &s);
	bytes_free(&s);
	put_export(module);
	put_code(module, body);
}

static void make_body(struct bytes *module, const void *body, size_t size)
{
	struct bytes b = { 0 };
	put_data(&b, body, size);
	make_function(module, &b);
	bytes_free(&b);
}

/* A module whose only section besides a type, a function and an export is `id`, in its place, and a body. */
static void make_with_section(struct bytes *module, unsigned id, struct bytes *contents, const char *body, size_t size)
{
	struct bytes b = { 0 };
	put_start_of_module(module);
	put_section(module, id, contents);
	put_export(module);
	put_data(&b, body, size);
	put_code(module, &b);
	bytes_free(&b);
	bytes_free(contents);
}

/* ---- what asks for much ---- */

static void memory_4gib(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\1", 2);
	put_leb(&s, 65536);
	put_leb(&s, 65536);
	/* Writes the last byte and reads it again. */
	static const char body[] = "\0\x41\x7f\x41\x7f\x3a\0\0\x41\x7f\x2d\0\0\x1a\x0b";
	make_with_section(module, 5, &s, body, sizeof body - 1);
}

static void memory64_huge(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\4", 2);
	put_leb(&s, UINT64_C(1) << 48);
	make_with_section(module, 5, &s, "\0\x0b", 2);
}

/* memory.grow in a loop until it fails. */
static void memory_grow_loop(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\0\0", 3);
	static const char body[] = "\0\x03\x40\x41\x80\x08\x40\0\x41\x7f\x47\x0d\0\x0b\x0b";
	make_with_section(module, 5, &s, body, sizeof body - 1);
}

static void table_4g(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\x70\0", 3);
	put_leb(&s, UINT32_MAX);
	make_with_section(module, 4, &s, "\0\x0b", 2);
}

static void table64_huge(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\x70\4", 3);
	put_leb(&s, UINT64_MAX);
	make_with_section(module, 4, &s, "\0\x0b", 2);
}

/* table.grow by 2^32 - 1, then by 2^20 in a loop until it fails. */
static void table_grow_loop(struct bytes *module)
{
	struct bytes s = { 0 };
	put_data(&s, "\1\x70\0\0", 4);
	static const char body[] = "\0\xd0\x70\x41\x7f\xfc\x0f\0\x1a"
		"\x03\x40\xd0\x70\x41\x80\x80\xc0\0\xfc\x0f\0\x41\x7f\x47\x0d\0\x0b\x0b";
	make_with_section(module, 4, &s, body, sizeof body - 1);
}

static void billion_locals(struct bytes *module)
{
	static const char body[] = "\1\x80\x94\xeb\xdc\3\x7f\x0b"; /* 1,000,000,000 of i32 */
	make_body(module, body, sizeof body - 1);
}

/* 1000 groups of 2^22 locals: the sum is below 2^32. */
static void many_groups_of_locals(struct bytes *module)
{
	struct bytes body = { 0 };
	put_leb(&body, 1000);
	for (int i = 0; i < 1000; i++) {
		put_leb(&body, 1 << 22);
		put(&body, 0x7f);
	}
	put(&body, 0x0b);
	make_function(module, &body);
	bytes_free(&body);
}

/* Locals as many as one may have, in groups of one, and a call that needs the frame. */
static void most_locals(struct bytes *module)
{
	struct bytes body = { 0 };
	put_leb(&body, 50000);
	for (int i = 0; i < 50000; i++)
		put_data(&body, "\1\x7e", 2);
	put(&body, 0x0b);
	make_function(module, &body);
	bytes_free(&body);
}

static void nested_blocks(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 1000000; i++)
		put_data(&body, "\2\x40", 2);
	put_many(&body, 0x0b, 1000001);
	make_function(module, &body);
	bytes_free(&body);
}

static void nested_blocks_allowed(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 90000; i++)
		put_data(&body, i % 2 ? "\2\x40" : "\3\x40", 2);
	put_many(&body, 0x0b, 90001);
	make_function(module, &body);
	bytes_free(&body);
}

static void unclosed_blocks(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 3000000; i++)
		put_data(&body, "\2\x40", 2);
	make_function(module, &body);
	bytes_free(&body);
}

static void nested_ifs(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 50000; i++)
		put_data(&body, "\x41\1\4\x40", 4);
	for (int i = 0; i < 50000; i++)
		put_data(&body, "\x05\x0b", 2);
	put(&body, 0x0b);
	make_function(module, &body);
	bytes_free(&body);
}

/* A branch from the innermost of many blocks to each of them: fix-ups of a translator. */
static void branches_out(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 50000; i++)
		put_data(&body, "\2\x40", 2);
	for (int i = 0; i < 50000; i++) {
		put_data(&body, "\x41\0\x0d", 3);
		put_leb(&body, (uint64_t)i);
	}
	put_many(&body, 0x0b, 50001);
	make_function(module, &body);
	bytes_free(&body);
}

static void deep_operands(struct bytes *module)
{
	struct bytes body = { 0 };
	put(&body, 0);
	for (int i = 0; i < 1000000; i++)
		put_data(&body, "\x41\0", 2);
	put_many(&body, 0x1a, 1000000);
	put(&body, 0x0b);
	make_function(module, &body);
	bytes_free(&body);
}

static void large_br_table(struct bytes *module)
{
	struct bytes body = { 0 };
	put_data(&body, "\0\2\x40\x41\5\x0e", 6);
	put_leb(&body, 900000);
	put_many(&body, 0, 900001);
	put_data(&body, "\x0b\x0b", 2);
	make_function(module, &body);
	bytes_free(&body);
}

/* br_table claims 10^9 targets; the body ends. */
static void claimed_br_table(struct bytes *module)
{
	static const char body[] = "\0\x41\0\x0e\x80\x94\xeb\xdc\3\0\0\x0b";
	make_body(module, body, sizeof body - 1);
}

/* Vectors that claim many items and end at once. */
static void claimed(struct bytes *module, unsigned id, uint64_t count)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, count);
	put_section(module, id, &s);
	bytes_free(&s);
}

#define CLAIMED(name, id) \
	static void claimed_##name(struct bytes *module) { claimed(module, id, 1000000); } \
	static void claimed_##name##_most(struct bytes *module) { claimed(module, id, UINT32_MAX); }

CLAIMED(types, 1)
CLAIMED(imports, 2)
CLAIMED(functions, 3)
CLAIMED(tables, 4)
CLAIMED(memories, 5)
CLAIMED(globals, 6)
CLAIMED(exports, 7)
CLAIMED(elements, 9)
CLAIMED(bodies, 10)
CLAIMED(datas, 11)
CLAIMED(tags, 13)

static void claimed_parameters(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x60", 2);
	put_leb(&s, UINT32_MAX);
	put_section(module, 1, &s);
	bytes_free(&s);
}

static void claimed_group(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x4e", 2);
	put_leb(&s, 1000000);
	put_section(module, 1, &s);
	bytes_free(&s);
}

static void claimed_items(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\1\0", 3);
	put_leb(&s, 10000000);
	put_section(module, 9, &s);
	bytes_free(&s);
}

/* ---- what a careless loader is slow on ---- */

/* 100 MB of function names: 6 million entries for functions that do not exist, in a name section that is well-formed. */
static void name_section(struct bytes *module)
{
	struct bytes names = { 0 }, s = { 0 };
	static const char body[] = "\0\0\x0b"; /* unreachable: the backtrace wants a name */
	make_body(module, body, sizeof body - 1);
	uint32_t count = 6000000;
	put_leb(&names, count);
	for (uint32_t i = 0; i < count; i++) {
		put_leb(&names, i + 1);
		put_text(&names, "abcdefghijkl");
	}
	put_text(&s, "name");
	put(&s, 1);
	put_leb(&s, names.size);
	put_data(&s, names.data, names.size);
	bytes_free(&names);
	put_section(module, 0, &s);
	bytes_free(&s);
}

static void custom_sections(struct bytes *module)
{
	put_header(module);
	for (int i = 0; i < 500000; i++)
		put_data(module, "\0\2\1a\0", 4);
}

static void many_types(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 300000);
	for (uint32_t i = 0; i < 300000; i++) {
		put_data(&s, "\x60\5", 2);
		for (int n = 0; n < 5; n++)
			put(&s, 0x7fu - (i >> 2 * n & 3));
		put(&s, 0);
	}
	put_section(module, 1, &s);
	bytes_free(&s);
}

/* Types that all hash alike in a registry that only looks at counts: 1000 parameters, told apart by the last few. */
static void similar_types(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 4096);
	for (uint32_t i = 0; i < 4096; i++) {
		put(&s, 0x60);
		put_leb(&s, 1000);
		put_many(&s, 0x7f, 994);
		for (int n = 0; n < 6; n++)
			put(&s, 0x7fu - (i >> 2 * n & 3));
		put(&s, 0);
	}
	put_section(module, 1, &s);
	bytes_free(&s);
}

/* A chain of 63 supertypes under one recursive group of many types that name each other. */
static void large_group(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x4e", 2);
	put_leb(&s, 100000);
	for (uint32_t i = 0; i < 100000; i++) {
		put_data(&s, "\x60\1\x63", 3);
		put_signed_leb(&s, (i * 7919 + 1) % 100000);
		put(&s, 0);
	}
	put_section(module, 1, &s);
	bytes_free(&s);
}

static void subtype_chain(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		put(&s, 0x50);
		put(&s, i > 0);
		if (i > 0)
			put_leb(&s, i - 1);
		put_data(&s, "\x60\0\0", 3);
	}
	put_section(module, 1, &s);
	bytes_free(&s);
}

/* 500,000 exports of one function: names must be different, and finding that out must not be quadratic. */
static void many_exports(struct bytes *module)
{
	struct bytes s = { 0 }, b = { 0 };
	put_start_of_module(module);
	put_leb(&s, 500000);
	for (int i = 0; i < 500000; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		put_text(&s, i == 0 ? "f" : name);
		put_data(&s, "\0\0", 2);
	}
	put_section(module, 7, &s);
	bytes_free(&s);
	put_data(&b, "\0\x0b", 2);
	put_code(module, &b);
	bytes_free(&b);
}

static void many_imports(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x60\0\0", 4);
	put_section(module, 1, &s);
	put_leb(&s, 500000);
	for (int i = 0; i < 500000; i++)
		put_data(&s, "\3env\1x\0\0", 8);
	put_section(module, 2, &s);
	bytes_free(&s);
}

static void many_functions(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x60\0\0", 4);
	put_section(module, 1, &s);
	put_leb(&s, 900000);
	put_many(&s, 0, 900000);
	put_section(module, 3, &s);
	put_export(module);
	put_leb(&s, 900000);
	for (int i = 0; i < 900000; i++)
		put_data(&s, "\2\0\x0b", 3);
	put_section(module, 10, &s);
	bytes_free(&s);
}

static void many_globals(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 500000);
	for (int i = 0; i < 500000; i++)
		put_data(&s, "\x7f\1\x41\0\x0b", 5);
	put_section(module, 6, &s);
	bytes_free(&s);
}

/* Each a reservation of addresses, if one is made for a memory without pages. */
static void many_memories(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 90000);
	put_many(&s, 0, 180000);
	put_section(module, 5, &s);
	bytes_free(&s);
}

static void many_tables(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_leb(&s, 90000);
	for (int i = 0; i < 90000; i++)
		put_data(&s, "\x70\0\0", 3);
	put_section(module, 4, &s);
	bytes_free(&s);
}

/* A constant expression of a million additions. */
static void long_constant(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x7f\0\x41\0", 5);
	for (int i = 0; i < 1000000; i++)
		put_data(&s, "\x41\1\x6a", 3);
	put(&s, 0x0b);
	put_section(module, 6, &s);
	bytes_free(&s);
}

/* The same, with a million operands on the stack at once. */
static void deep_constant(struct bytes *module)
{
	struct bytes s = { 0 };
	put_header(module);
	put_data(&s, "\1\x7f\0\x41\0", 5);
	for (int i = 0; i < 1000000; i++)
		put_data(&s, "\x41\1", 2);
	put_many(&s, 0x6a, 1000000);
	put(&s, 0x0b);
	put_section(module, 6, &s);
	bytes_free(&s);
}

/* One function of 7 MB without a branch. */
static void long_function(struct bytes *module)
{
	struct bytes body = { 0 };
	put_data(&body, "\1\1\x7f", 3);
	for (int i = 0; i < 1000000; i++)
		put_data(&body, "\x20\0\x41\1\x6a\x21\0", 7);
	put(&body, 0x0b);
	make_function(module, &body);
	bytes_free(&body);
}

/* ---- what does not end by itself ---- */

static void recursion(struct bytes *module)
{
	make_body(module, "\0\x10\0\x0b", 4);
}

static void recursion_with_locals(struct bytes *module)
{
	static const char body[] = "\1\xe8\7\x7e\x10\0\x0b"; /* 1000 of i64 */
	make_body(module, body, sizeof body - 1);
}

static void recursion_indirect(struct bytes *module)
{
	struct bytes s = { 0 }, b = { 0 };
	put_start_of_module(module);
	put_data(&s, "\1\x70\0\1", 4);
	put_section(module, 4, &s);
	put_export(module);
	put_data(&s, "\1\0\x41\0\x0b\1\0", 7);
	put_section(module, 9, &s);
	put_data(&b, "\0\x41\0\x11\0\0\x0b", 7);
	put_code(module, &b);
	bytes_free(&s);
	bytes_free(&b);
}

static void endless_loop(struct bytes *module)
{
	make_body(module, "\0\3\x40\x0c\0\x0b\x0b", 7);
}

static void endless_tail_calls(struct bytes *module)
{
	make_body(module, "\0\x12\0\x0b", 4);
}

/* block (result exnref) try_table (catch_ref 0 0) throw 0 ... in a loop: garbage that must be collected. */
static void endless_exceptions(struct bytes *module)
{
	struct bytes s = { 0 }, b = { 0 };
	put_start_of_module(module);
	put_data(&s, "\1\0\0", 3);
	put_section(module, 13, &s);
	put_export(module);
	static const char body[] = "\0\3\x40\2\x69\x1f\x40\1\1\0\0\x08\0\x0b\0\x0b\x1a\x0c\0\x0b\x0b";
	put_data(&b, body, sizeof body - 1);
	put_code(module, &b);
	bytes_free(&s);
	bytes_free(&b);
}

#define LIMITED (ON(WK_LIMIT) | ON(WK_NO_MEMORY))
#define BAD ON(WK_MALFORMED)

#define CLAIMED_CASES(name) \
	{ "claimed_" #name, claimed_##name, BAD, 0, 0, 1, NULL }, \
	{ "claimed_" #name "_most", claimed_##name##_most, BAD | LIMITED, 0, 0, 1, NULL }

const struct hostile_case hostile_cases[] = {
	{ "memory_4gib", memory_4gib, OK, OK | LIMITED, OK, 1, NULL },
	{ "memory64_huge", memory64_huge, OK | LIMITED, LIMITED, 0, 1, NULL },
	{ "memory_grow_loop", memory_grow_loop, OK, OK, OK, 1, NULL },
	{ "table_4g", table_4g, OK | LIMITED, LIMITED, 0, 1, NULL },
	{ "table64_huge", table64_huge, OK | LIMITED, LIMITED, 0, 1, NULL },
	{ "table_grow_loop", table_grow_loop, OK, OK, OK, 200, NULL },
	{ "billion_locals", billion_locals, LIMITED, 0, 0, 1, NULL },
	{ "many_groups_of_locals", many_groups_of_locals, LIMITED, 0, 0, 1, NULL },
	{ "most_locals", most_locals, OK | LIMITED, OK, OK | ON(WK_TRAP), 2, NULL },
	{ "nested_blocks", nested_blocks, OK | LIMITED, OK, OK, 1, NULL },
	{ "nested_blocks_allowed", nested_blocks_allowed, OK | LIMITED, OK, OK | ON(WK_TRAP), 16, NULL },
	{ "unclosed_blocks", unclosed_blocks, BAD | LIMITED, 0, 0, 1, NULL },
	{ "nested_ifs", nested_ifs, OK | LIMITED, OK, OK | ON(WK_TRAP), 8, NULL },
	{ "branches_out", branches_out, OK | LIMITED, OK, OK | ON(WK_TRAP), 8, NULL },
	{ "deep_operands", deep_operands, LIMITED, 0, 0, 1, NULL },
	{ "large_br_table", large_br_table, OK | LIMITED, OK, OK | ON(WK_TRAP), 8, NULL },
	{ "claimed_br_table", claimed_br_table, BAD | LIMITED, 0, 0, 1, NULL },
	CLAIMED_CASES(types),
	CLAIMED_CASES(imports),
	CLAIMED_CASES(functions),
	CLAIMED_CASES(tables),
	CLAIMED_CASES(memories),
	CLAIMED_CASES(globals),
	CLAIMED_CASES(exports),
	CLAIMED_CASES(elements),
	CLAIMED_CASES(bodies),
	CLAIMED_CASES(datas),
	CLAIMED_CASES(tags),
	{ "claimed_parameters", claimed_parameters, BAD | LIMITED, 0, 0, 1, NULL },
	{ "claimed_group", claimed_group, BAD | LIMITED, 0, 0, 1, NULL },
	{ "claimed_items", claimed_items, BAD | LIMITED, 0, 0, 1, NULL },
	{ "name_section", name_section, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "custom_sections", custom_sections, OK | BAD, OK, 0, 1, NULL },
	{ "many_types", many_types, OK, OK, 0, 16, NULL },
	{ "similar_types", similar_types, OK, OK, 0, 16, NULL },
	{ "large_group", large_group, OK | LIMITED, OK, 0, 16, NULL },
	{ "subtype_chain", subtype_chain, LIMITED | ON(WK_INVALID), 0, 0, 1, NULL },
	{ "many_exports", many_exports, OK, OK, OK, 16, NULL },
	{ "many_imports", many_imports, OK, ON(WK_UNLINKABLE), 0, 32, "env" },
	{ "many_functions", many_functions, OK, OK, OK, 128, NULL },
	{ "many_globals", many_globals, OK, OK, 0, 64, NULL },
	{ "many_memories", many_memories, OK | LIMITED, OK | LIMITED, 0, 16, NULL },
	{ "many_tables", many_tables, OK | LIMITED, OK | LIMITED, 0, 16, NULL },
	{ "long_constant", long_constant, OK | LIMITED, OK, 0, 1, NULL },
	{ "deep_constant", deep_constant, OK | LIMITED, OK | LIMITED, 0, 1, NULL },
	{ "long_function", long_function, OK | LIMITED, OK, OK | ON(WK_TRAP), 16, NULL },
	{ "recursion", recursion, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "recursion_with_locals", recursion_with_locals, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "recursion_indirect", recursion_indirect, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "endless_loop", endless_loop, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "endless_tail_calls", endless_tail_calls, OK, OK, ON(WK_TRAP), 1, NULL },
	{ "endless_exceptions", endless_exceptions, OK, OK, ON(WK_TRAP), 4, NULL },
};
const size_t hostile_case_count = sizeof hostile_cases / sizeof hostile_cases[0];
