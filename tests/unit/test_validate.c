/* SPDX-License-Identifier: Apache-2.0
 *
 * The validator: what the core test suite does not say (reports, limits, sizes of frames, hostile code), and a small
 * module for each rule that the suite has in many.
 */
#include <time.h>

#include "format/limits.h"
#include "test.h"
#include "faults.h"
#include "wasm.h"

/* A module around a body: types 0 [] -> [], 1 [] -> [i32], 2 [i32] -> [i32 i64], 3 struct; function 0 imported of
 * type 1, function 1 (the body) of type 0 and function 2 of type 0; memories of i32 and i64 addresses; tables of
 * funcref and, with i64 addresses, of externref; global 0 i32, global 1 mutable i64; tag 0 [i32]; data segment 0;
 * function 2 exported. */
static void put_module(struct wasm *w, const uint8_t *body, size_t size)
{
	wasm_start(w);
	wasm_open(w, 1);
	PUT(w, 5, 0x60, 0, 0, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 2, 0x7f, 0x7e, 0x5f, 0, 0x60, 1, 0x7f, 0);
	wasm_close(w);
	wasm_open(w, 2);
	PUT(w, 1, 1, 'm', 1, 'f', 0, 1);
	wasm_close(w);
	wasm_open(w, 3);
	PUT(w, 2, 0, 0);
	wasm_close(w);
	wasm_open(w, 4);
	PUT(w, 2, 0x70, 0, 1, 0x6f, 4, 1);
	wasm_close(w);
	wasm_open(w, 5);
	PUT(w, 2, 0, 1, 4, 1);
	wasm_close(w);
	wasm_open(w, 13);
	PUT(w, 1, 0, 4);
	wasm_close(w);
	wasm_open(w, 6);
	PUT(w, 2, 0x7f, 0, 0x41, 0, 0x0b, 0x7e, 1, 0x42, 0, 0x0b);
	wasm_close(w);
	wasm_open(w, 7);
	PUT(w, 1, 1, 'x', 0, 2);
	wasm_close(w);
	wasm_open(w, 12);
	PUT(w, 1);
	wasm_close(w);
	wasm_open(w, 10);
	PUT(w, 2);
	wasm_open(w, -1);
	wasm_put(w, body, size);
	wasm_close(w);
	PUT(w, 2, 0, 0x0b);
	wasm_close(w);
	wasm_open(w, 11);
	PUT(w, 1, 1, 0);
	wasm_close(w);
}

struct snippet {
	const char *name;
	enum wk_status status;
	const char *text;      /* how the report begins */
	uint32_t max_slots;
	uint8_t size;
	uint8_t body[40];      /* with local declarations; END and the function's end are added */
};

#define BODY(...) sizeof((const uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ }
#define GOOD(name, slots, ...) { name, WK_OK, "", slots, BODY(__VA_ARGS__) }
#define BAD(name, text, ...) { name, WK_INVALID, text, 0, BODY(__VA_ARGS__) }
#define BROKEN(name, text, ...) { name, WK_MALFORMED, text, 0, BODY(__VA_ARGS__) }

static const struct snippet snippets[] = {
	GOOD("empty", 0, 0),
	GOOD("vectors take two slots", 5, 0, 0x41, 0, 0xfd, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		16, 0x41, 0,
		0xfd, 0x0f, 0xfd, 0x4e, 0x1a, 0x1a),
	GOOD("call with results", 2, 0, 0x10, 0, 0x02, 2, 0x42, 0, 0x0b, 0x1a, 0x1a),
	GOOD("unreachable code is polymorphic", 1, 0, 0x00, 0x6a, 0x1a, 0x42, 0, 0x1a, 0x1a, 0x1a),
	GOOD("dead vectors", 3, 0, 0x02, 0x40, 0x41, 0, 0x41, 0, 0xfd, 0x0f, 0x0c, 0, 0x0b, 0x41, 0, 0x41, 0, 0x41, 0,
		0x1a, 0x1a,
		0x1a),
	GOOD("wide arithmetic", 4, 0, 0x42, 0, 0x42, 0, 0x42, 0, 0x42, 0, 0xfc, 0x13, 0xfc, 0x16, 0x1a, 0x1a),
	GOOD("memory64", 3, 0, 0x42, 0, 0x28, 0x42, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x1a,
		0x42, 0, 0x41,
		0, 0x41, 0, 0xfc, 10, 1, 0),
	GOOD("tables", 3, 0, 0x42, 0, 0xd0, 0x6f, 0x42, 0, 0xfc, 17, 1, 0xd0, 0x6f, 0x42, 0, 0xfc, 15, 1, 0x1a),
	GOOD("try_table", 1, 0, 0x02, 0x7f, 0x1f, 0x40, 1, 0, 0, 0, 0x0b, 0x41, 0, 0x0b, 0x1a),
	GOOD("exceptions travel as exnref", 1, 0, 0x02, 0x69, 0x1f, 0x40, 1, 3, 0, 0x0b, 0x0f, 0x0b, 0x0a),
	GOOD("references", 1, 0, 0xd2, 2, 0xd4, 0x14, 0),
	GOOD("br_on_null", 1, 0, 0xd0, 0, 0xd5, 0, 0x1a),
	GOOD("br_on_non_null", 1, 0, 0x02, 0x64, 0, 0xd2, 2, 0xd6, 0, 0x00, 0x0b, 0x1a),
	GOOD("a local is set before it is read", 1, 1, 1, 0x64, 0, 0xd2, 2, 0x21, 0, 0x02, 0x40, 0x20, 0, 0x1a, 0x0b),
	GOOD("tail call", 0, 0, 0x12, 2),
	GOOD("br_table", 2, 0, 0x02, 0x7f, 0x02, 0x7f, 0x41, 0, 0x41, 0, 0x0e, 3, 0, 1, 0, 1, 0x0b, 0x0b, 0x1a),
	GOOD("select", 3, 0, 0xd2, 2, 0xd2, 2, 0x41, 0, 0x1c, 1, 0x63, 0, 0x1a),
	BAD("too few operands", "type mismatch: i32.add expects i32, but the block's stack is empty", 0, 0x41, 0, 0x6a),
	BAD("wrong operand", "type mismatch: i32.add expects i32, not i64", 0, 0x42, 0, 0x41, 0, 0x6a),
	BAD("concrete type by its index", "type mismatch: call_ref expects (ref null 1), not (ref 0)", 0, 0xd2, 2, 0x14, 1),
	BAD("too many values", "type mismatch: values remain", 0, 0x41, 0),
	BAD("operands below the block", "type mismatch: drop expects a value", 0, 0x41, 0, 0x02, 0x40, 0x1a, 0x0b),
	BAD("bottom references are references", "type mismatch", 0, 0x00, 0xd4, 0x45, 0x1a),
	BAD("select of references", "type mismatch: select", 0, 0xd2, 2, 0xd2, 2, 0x41, 0, 0x1b, 0x1a),
	BAD("if without else", "type mismatch", 0, 0x41, 0, 0x04, 0x7f, 0x41, 0, 0x0b, 0x1a),
	BAD("alignment", "alignment must not be larger than natural", 0, 0x41, 0, 0x2d, 1, 0, 0x1a),
	BAD("offset", "offset out of range", 0, 0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a),
	BAD("lane", "invalid lane index", 0, 0x00, 0xfd, 0x15, 16),
	BAD("memory", "unknown memory 2", 0, 0x3f, 2, 0x1a),
	BAD("table", "unknown table 7", 0, 0x41, 0, 0x25, 7, 0x1a),
	BAD("global", "unknown global 2", 0, 0x23, 2, 0x1a),
	BAD("immutable", "immutable global", 0, 0x41, 0, 0x24, 0),
	BAD("local", "unknown local 3", 1, 3, 0x7f, 0x20, 3, 0x1a),
	BAD("local without value", "uninitialized local", 1, 1, 0x64, 0, 0x20, 0, 0x1a),
	BAD("local set inside", "uninitialized local", 1, 1, 0x64, 0, 0x02, 0x40, 0xd2, 2, 0x21, 0, 0x0b, 0x20, 0, 0x1a),
	BAD("label", "unknown label 2", 0, 0x02, 0x40, 0x0c, 2, 0x0b),
	BAD("function", "unknown function 3", 0, 0x10, 3),
	BAD("tag", "unknown tag 1", 0, 0x08, 1),
	BAD("type", "unknown type 5", 0, 0x02, 5, 0x0b),
	BAD("struct as block type", "unknown type", 0, 0x02, 3, 0x0b),
	BAD("data", "unknown data segment 1", 0, 0xfc, 9, 1),
	BAD("element", "unknown elem segment 0", 0, 0xfc, 13, 0),
	BAD("undeclared", "undeclared function reference", 0, 0xd2, 1, 0x1a),
	BAD("tail call of another type", "type mismatch: return_call has 1 values where 0", 0, 0x12, 0),
	BAD("catch of another type", "type mismatch", 0, 0x1f, 0x40, 1, 0, 0, 0, 0x0b),
	BAD("br_table arity", "type mismatch", 0, 0x02, 0x7f, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x1a),
	BROKEN("opcode", "illegal opcode 27", 0, 0x27),
	BROKEN("prefixed opcode", "illegal opcode fd 4096", 0, 0xfd, 0x80, 0x20),
	BROKEN("else alone", "illegal opcode 5", 0, 0x05),
	BROKEN("memop flags", "malformed memop flags", 0, 0x41, 0, 0x28, 0x80, 1, 0),
	BROKEN("too long", "integer representation too long", 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0),
	BROKEN("too large", "integer too large", 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x70),
	BROKEN("behind the end", "section size mismatch", 0, 0x0b, 0x01),
	BROKEN("2^32 locals", "too many locals", 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 1, 0x7e),
	{ "gc by name", WK_UNSUPPORTED, "struct.new:", 0, BODY(0, 0xfb, 0, 3) },
	{ "ref.eq by name", WK_UNSUPPORTED, "ref.eq:", 0, BODY(0, 0xd3) },
	{ "a billion locals", WK_LIMIT, "too many locals", 0, BODY(1, 0x80, 0x94, 0xeb, 0xdc, 3, 0x7f) },
	{ "locals of two slots", WK_LIMIT, "too large a frame", 0, BODY(1, 0xb9, 0xea, 1, 0x7b) },
};

TEST(rules)
{
	struct place place;

	place_begin(&place, UINT64_C(1) << 20);
	for (size_t i = 0; i < WK_COUNT(snippets); i++) {
		const struct snippet *s = &snippets[i];
		uint8_t body[41];
		struct wasm w = { 0 };
		struct wk_report report;
		struct wk_module *module = NULL;
		enum wk_status status;

		memcpy(body, s->body, s->size);
		body[s->size] = 0x0b;
		put_module(&w, body, s->size + 1u);
		status = load_bytes(&place, w.bytes, w.size, &report, &module);
		if (!CHECK(status == s->status && starts_with(report.text, s->text)))
			printf("# %s: %s: %s\n", s->name, wk_status_text(status), report.text);
		if (module != NULL && !CHECK_EQUAL(module->funcs[1].max_slots, s->max_slots))
			printf("# %s\n", s->name);
		if (status != WK_OK && s->status != WK_UNSUPPORTED)
			CHECK_EQUAL(report.function, 1);
		if (module != NULL)
			wk_module_free(module);
		free(w.bytes);
	}
	place_end(&place);
}

TEST(offsets)
{
	static const uint8_t body[] = { 0, 0x41, 0, 0x42, 0, 0x6a, 0x0b };
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;

	place_begin(&place, WK_UNLIMITED);
	wasm_one_function(&w, body, sizeof body);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_INVALID);
	CHECK_EQUAL(report.offset, w.size - 2);
	CHECK_EQUAL(report.function, 0);
	free(w.bytes);
	place_end(&place);
}

/* ---- definitions ---- */

static enum wk_status load_section(struct place *place, int id, const uint8_t *bytes, size_t size,
	struct wk_report *report)
{
	struct wasm w = { 0 };
	enum wk_status status;

	wasm_start(&w);
	wasm_open(&w, id);
	wasm_put(&w, bytes, size);
	wasm_close(&w);
	status = try_bytes(place, w.bytes, w.size, report);
	free(w.bytes);
	return status;
}

TEST(definitions)
{
	static const struct { int id; enum wk_status status; const char *text; uint8_t size, bytes[24]; } cases[] = {
		{ 5, WK_OK, "", BODY(1, 9, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0) },
		{ 5, WK_INVALID, "memory size must be at most", BODY(1, 9, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0) },
		{ 5, WK_OK, "", BODY(1, 0, 0x80, 0x80, 4) },
		{ 5, WK_INVALID, "memory size must be at most 65536 pages (4GiB)", BODY(1, 0, 0x81, 0x80, 4) },
		{ 5, WK_OK, "", BODY(1, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40) },
		{ 5, WK_INVALID, "memory size must be at most", BODY(1, 4, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40) },
		{ 5, WK_INVALID, "size minimum must not be greater than maximum", BODY(1, 1, 2, 1) },
		{ 5, WK_INVALID, "invalid custom page size", BODY(1, 8, 0, 15) },
		{ 5, WK_MALFORMED, "invalid custom page size", BODY(1, 8, 0, 64) },
		{ 5, WK_UNSUPPORTED, "shared memories", BODY(1, 3, 0, 1) },
		{ 5, WK_MALFORMED, "malformed limits flags", BODY(1, 16, 0, 1) },
		{ 4, WK_OK, "", BODY(1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f) },
		{ 4, WK_INVALID, "table size", BODY(1, 0x70, 0, 0x80, 0x80, 0x80, 0x80, 0x10) },
		{ 4, WK_INVALID, "type mismatch", BODY(1, 0x64, 0x70, 0, 0) },
		{ 4, WK_MALFORMED, "malformed reference type", BODY(1, 0x7f, 0, 0) },
		{ 6, WK_INVALID, "constant expression required", BODY(1, 0x7f, 0, 0x41, 0, 0x67, 0x0b) },
		{ 6, WK_INVALID, "unknown global 0", BODY(1, 0x7f, 0, 0x23, 0, 0x0b) },
		{ 6, WK_INVALID, "type mismatch", BODY(1, 0x7f, 0, 0x42, 0, 0x0b) },
		{ 6, WK_INVALID, "type mismatch", BODY(1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x0b) },
		{ 6, WK_OK, "", BODY(2, 0x7f, 0, 0x41, 2, 0x0b, 0x7f, 1, 0x23, 0, 0x41, 3, 0x6c, 0x0b) },
		{ 6, WK_INVALID, "constant expression required", BODY(2, 0x7f, 1, 0x41, 2, 0x0b, 0x7f, 1, 0x23, 0, 0x0b) },
		{ 6, WK_UNSUPPORTED, "ref.i31", BODY(1, 0x6c, 0, 0x41, 0, 0xfb, 0x1c, 0x0b) },
		{ 1, WK_INVALID, "unknown type 1", BODY(1, 0x60, 1, 0x63, 1, 0) },
		{ 1, WK_INVALID, "sub type", BODY(2, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0) },
		{ 1, WK_OK, "", BODY(2, 0x50, 0, 0x60, 0, 0, 0x50, 1, 0, 0x60, 0, 0) },
		{ 1, WK_INVALID, "unknown type 0", BODY(1, 0x50, 1, 0, 0x60, 0, 0) },
		{ 7, WK_INVALID, "unknown function 0", BODY(1, 1, 'x', 0, 0) },
		{ 8, WK_INVALID, "unknown function 0", BODY(0) },
		{ 11, WK_INVALID, "unknown memory 0", BODY(1, 0, 0x41, 0, 0x0b, 0) },
	};
	struct place place;

	place_begin(&place, WK_UNLIMITED);
	for (size_t i = 0; i < WK_COUNT(cases); i++) {
		struct wk_report report;
		enum wk_status status = load_section(&place, cases[i].id, cases[i].bytes, cases[i].size, &report);

		if (!CHECK(status == cases[i].status && starts_with(report.text, cases[i].text)))
			printf("# case %zu: %s: %s\n", i, wk_status_text(status), report.text);
	}
	place_end(&place);
}

static void put_exports(struct wasm *w, uint32_t count, uint32_t same)
{
	wasm_start(w);
	wasm_open(w, 5);
	PUT(w, 1, 0, 0);
	wasm_close(w);
	wasm_open(w, 7);
	wasm_leb(w, count);
	for (uint32_t i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof name, "a long name that all of them have in front %u", i == same ? 17 : i);
		wasm_name(w, name);
		PUT(w, 2, 0);
	}
	wasm_close(w);
}

TEST(export_names)
{
	struct place place;
	struct wk_report report;
	struct wasm w = { 0 };

	place_begin(&place, WK_UNLIMITED);
	put_exports(&w, 10000, UINT32_MAX);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	w.size = 0;
	put_exports(&w, 10000, 9000);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_INVALID);
	CHECK_TEXT(report.text, "duplicate export name \"a long name that all of them have in front 17\"");
	free(w.bytes);
	place_end(&place);
}

/* ---- limits ---- */

static void repeat(struct wasm *w, uint32_t count, uint8_t a, uint8_t b)
{
	while (count-- != 0)
		PUT(w, a, b);
}

TEST(deep_nesting)
{
	static const struct { uint32_t depth; enum wk_status status; } cases[] = {
		{ WK_MAX_CONTROL_DEPTH - 1, WK_OK }, { WK_MAX_CONTROL_DEPTH, WK_LIMIT }, { 1000000, WK_LIMIT },
	};
	struct place place;

	place_begin(&place, UINT64_C(1) << 23);
	for (size_t i = 0; i < WK_COUNT(cases); i++) {
		struct wasm body = { 0 }, w = { 0 };
		struct wk_report report;

		PUT(&body, 0);
		repeat(&body, cases[i].depth, 0x02, 0x40);
		repeat(&body, cases[i].depth / 2, 0x0b, 0x0b);
		repeat(&body, cases[i].depth % 2, 0x0b, 0x01);
		PUT(&body, 0x0b);
		wasm_one_function(&w, body.bytes, body.size);
		CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), cases[i].status);
		free(body.bytes);
		free(w.bytes);
	}
	place_end(&place);
}

TEST(deep_stack)
{
	struct place place;

	place_begin(&place, UINT64_C(1) << 23);
	for (uint32_t height = WK_MAX_FRAME_SLOTS - 3; height <= WK_MAX_FRAME_SLOTS; height++) {
		struct wasm body = { 0 }, w = { 0 };
		struct wk_report report;

		PUT(&body, 1, 2, 0x7f); /* two locals */
		repeat(&body, height, 0x41, 0);
		PUT(&body, 0x00, 0x0b);
		wasm_one_function(&w, body.bytes, body.size);
		CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report),
			height <= WK_MAX_FRAME_SLOTS - 2 ? WK_OK : WK_LIMIT);
		free(body.bytes);
		free(w.bytes);
	}
	place_end(&place);
}

/* Locals beyond those that are written out are found in the runs. */
TEST(many_locals)
{
	struct place place;
	struct wasm body = { 0 }, w = { 0 };
	struct wk_report report;

	place_begin(&place, UINT64_C(1) << 20);
	PUT(&body, 3, 0xa8, 0x46, 0x7f, 0xa8, 0x46, 0x7e, 1, 0x64, 0); /* 9000 i32, 9000 i64, one (ref 0) */
	PUT(&body, 0x20, 0xa8, 0xc6, 0, 0x21, 0xcf, 0x8c, 1);  /* local.get 9000, local.set 17999 */
	PUT(&body, 0x20, 0xa7, 0xc6, 0, 0x21, 0);              /* local.get 8999, local.set 0 */
	PUT(&body, 0x0b);
	wasm_one_function(&w, body.bytes, body.size);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	CHECK_TEXT(report.text, "");
	body.size -= 1;
	w.size = 0;
	PUT(&body, 0x20, 0xd0, 0x8c, 1, 0x1a, 0x0b);           /* local.get 18000, drop */
	wasm_one_function(&w, body.bytes, body.size);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_INVALID);
	CHECK_TEXT(report.text, "uninitialized local");
	free(body.bytes);
	free(w.bytes);
	place_end(&place);
}

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Code that is cheap to write and could be dear to check: the time is that of the bytes. The bounds are loose: a
 * checker or an emulator may be slow, but what they guard against takes minutes. */
TEST(hostile_code)
{
	enum { FUNCTIONS = 100000 };
	struct place place;
	struct wasm w = { 0 }, body = { 0 };
	struct wk_report report;
	double start;

	place_begin(&place, UINT64_C(1) << 26);
	/* 50,000 locals in every function. */
	wasm_start(&w);
	wasm_open(&w, 1);
	PUT(&w, 1, 0x60, 0, 0);
	wasm_close(&w);
	wasm_open(&w, 3);
	wasm_leb(&w, FUNCTIONS);
	for (int i = 0; i < FUNCTIONS; i++)
		PUT(&w, 0);
	wasm_close(&w);
	wasm_open(&w, 10);
	wasm_leb(&w, FUNCTIONS);
	for (int i = 0; i < FUNCTIONS; i++)
		PUT(&w, 6, 1, 0xd0, 0x86, 3, 0x7f, 0x0b);
	wasm_close(&w);
	start = seconds();
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	CHECK(seconds() - start < 10);
	/* Branch tables of many labels, one behind the other. */
	w.size = 0;
	PUT(&body, 0, 0x02, 0x40);
	for (int i = 0; i < 20; i++) {
		PUT(&body, 0x41, 0, 0x0e);
		wasm_leb(&body, 100000);
		for (int k = 0; k <= 100000; k++)
			PUT(&body, (uint8_t)(k & 1));
	}
	PUT(&body, 0x0b, 0x0b);
	wasm_one_function(&w, body.bytes, body.size);
	start = seconds();
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	CHECK(seconds() - start < 10);
	free(body.bytes);
	free(w.bytes);
	place_end(&place);
}

/* A large module takes few allocations, and no more heap than its functions need. */
TEST(few_allocations)
{
	enum { FUNCTIONS = 1267 };
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;
	struct wk_module *module = NULL;
	uint64_t before;

	place_begin(&place, WK_UNLIMITED);
	wasm_start(&w);
	wasm_open(&w, 1);
	PUT(&w, 40);
	for (uint8_t i = 0; i < 40; i++) {
		PUT(&w, 0x60, (uint8_t)(i + 1));
		for (uint8_t k = 0; k <= i; k++)
			PUT(&w, 0x7f);
		PUT(&w, 0);
	}
	wasm_close(&w);
	wasm_open(&w, 3);
	wasm_leb(&w, FUNCTIONS);
	for (int i = 0; i < FUNCTIONS; i++)
		PUT(&w, (uint8_t)(i % 40));
	wasm_close(&w);
	wasm_open(&w, 10);
	wasm_leb(&w, FUNCTIONS);
	for (int i = 0; i < FUNCTIONS; i++) {
		wasm_open(&w, -1);
		PUT(&w, 1, 2, 0x7e);
		for (int k = 0; k < 200; k++)
			PUT(&w, 0x20, 0, 0x1a);
		PUT(&w, 0x0b);
		wasm_close(&w);
	}
	wasm_close(&w);
	before = place.root.allocations;
	CHECK_EQUAL(load_bytes(&place, w.bytes, w.size, &report, &module), WK_OK);
	CHECK(place.root.allocations - before < 30);
	CHECK(place.root.used < FUNCTIONS * 20 + 16384);
	if (module != NULL)
		wk_module_free(module);
	free(w.bytes);
	place_end(&place);
}

/* ---- no memory ---- */

static enum wk_status load_with(const struct wk_allocator *allocator, void *context)
{
	const struct wasm *w = context;
	struct place place;
	struct wk_report report;
	struct wk_module *module = NULL;
	enum wk_status status;

	wk_budget_init(&place.root, NULL, "test", WK_UNLIMITED, allocator);
	status = wk_registry_new(&place.root, &place.registry);
	if (status != WK_OK)
		return status;
	status = load_bytes(&place, w->bytes, w->size, &report, &module);
	if (module != NULL)
		wk_module_free(module);
	place_end(&place);
	return status;
}

/* A body that makes every scratch array grow. */
TEST(no_memory)
{
	struct wasm body = { 0 }, w = { 0 };

	PUT(&body, 40);
	for (int i = 0; i < 40; i++)
		PUT(&body, 10, 0x64, 0);
	repeat(&body, 300, 0x02, 0x40);
	for (uint32_t i = 0; i < 300; i++) {
		PUT(&body, 0xd2, 2, 0x21);
		wasm_leb(&body, i);
	}
	repeat(&body, 600, 0x41, 0);
	PUT(&body, 0x00);
	repeat(&body, 150, 0x0b, 0x0b);
	PUT(&body, 0x0b);
	put_module(&w, body.bytes, body.size);
	test_every_failure("validating", load_with, &w);
	free(body.bytes);
	free(w.bytes);
}

int main(void)
{
	RUN(rules);
	RUN(offsets);
	RUN(definitions);
	RUN(export_names);
	RUN(deep_nesting);
	RUN(deep_stack);
	RUN(many_locals);
	RUN(hostile_code);
	RUN(few_allocations);
	RUN(no_memory);
	return test_end();
}
