/* SPDX-License-Identifier: Apache-2.0
 *
 * The instruction table, the type registry and the decoder. With a folder as argument (the core test suite), every
 * .wasm file in it is also cut at every byte.
 */
#define _GNU_SOURCE
#include <dirent.h>

#include "format/limits.h"
#include "format/opcodes.h"
#include "test.h"
#include "faults.h"
#include "wasm.h"

/* ---- instructions ---- */

TEST(opcodes)
{
	unsigned count = 0;

	for (uint32_t code = 0; code < 0x100000; code++) {
		const struct wk_opcode *opcode = wk_opcode_find(code);

		if (opcode == NULL)
			continue;
		count++;
		CHECK_EQUAL(opcode->code, code);
		CHECK(wk_opcode_name(code)[0] >= 'a' && wk_opcode_name(code)[0] <= 'z');
	}
	CHECK_EQUAL(count, 503);
	CHECK_TEXT(wk_opcode_name(WK_OP_I32_ADD), "i32.add");
	CHECK_TEXT(wk_opcode_name(WK_OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S), "i32x4.relaxed_dot_i8x16_i7x16_add_s");
	CHECK_TEXT(wk_opcode_name(0x27), "(unknown)");
	CHECK_TEXT(wk_opcode_name(0xFD << 12 | 0xfff), "(unknown)");
	CHECK_TEXT(wk_opcode_name(UINT32_MAX), "(unknown)");
}

TEST(signatures)
{
	const struct wk_opcode *add128 = wk_opcode_find(WK_OP_I64_ADD128), *store = wk_opcode_find(WK_OP_V128_STORE);

	CHECK_EQUAL(add128->pops, 4);
	CHECK_EQUAL(add128->pushes, 2);
	CHECK_EQUAL(add128->in[3], WK_TYPE_I64);
	CHECK_EQUAL(add128->out[1], WK_TYPE_I64);
	CHECK_EQUAL(store->pops, 2);
	CHECK_EQUAL(store->pushes, 0);
	CHECK_EQUAL(store->in[0], WK_SIGNATURE_ADDRESS);
	CHECK_EQUAL(store->in[1], WK_TYPE_V128);
	CHECK_EQUAL(store->immediate, WK_IMM_MEMORY_128);
	CHECK_EQUAL(wk_opcode_find(WK_OP_NOP)->pops, 0);
	CHECK_EQUAL(wk_opcode_find(WK_OP_BR)->pops, WK_SIGNATURE_SPECIAL);
}

/* ---- the registry ---- */

static struct wk_deftype function_type(wk_valtype *types, uint32_t parameters, uint32_t results)
{
	return (struct wk_deftype){ .composite = WK_COMPOSITE_FUNC, .super = WK_NO_TYPE, .final = true,
		.parameter_count = parameters, .result_count = results, .types = types };
}

TEST(interning)
{
	struct place place;
	wk_valtype types[3] = { WK_TYPE_I32, WK_TYPE_V128, WK_TYPE_F64 };
	struct wk_deftype type = function_type(types, 2, 1);
	uint32_t a = 0, b = 0, c = 0;

	place_begin(&place, WK_UNLIMITED);
	CHECK_EQUAL(wk_registry_intern(place.registry, &type, 1, &a), WK_OK);
	CHECK_EQUAL(wk_registry_intern(place.registry, &type, 1, &b), WK_OK);
	CHECK_EQUAL(a, b);
	CHECK_EQUAL(wk_registry_get(place.registry, a)->parameter_slots, 3);
	CHECK_EQUAL(wk_registry_get(place.registry, a)->result_slots, 1);
	/* The same values split elsewhere, and a type that may be extended, are other types. */
	type = function_type(types, 1, 2);
	CHECK_EQUAL(wk_registry_intern(place.registry, &type, 1, &b), WK_OK);
	type.final = false;
	CHECK_EQUAL(wk_registry_intern(place.registry, &type, 1, &c), WK_OK);
	CHECK(a != b && b != c && a != c);
	wk_registry_drop(place.registry, c);
	wk_registry_drop(place.registry, b);
	wk_registry_drop(place.registry, a);
	CHECK_EQUAL(wk_registry_get(place.registry, a)->id, a);
	wk_registry_drop(place.registry, a);
	place_end(&place);
}

TEST(recursive_groups)
{
	struct place place;
	/* (rec (type (func (param (ref 0)))) (type (func (param (ref 0))))), and the same alone */
	wk_valtype own = WK_REF | WK_HEAP_LOCAL, other = WK_REF | WK_HEAP_LOCAL | 1;
	struct wk_deftype pair[2] = { function_type(&own, 1, 0), function_type(&own, 1, 0) };
	uint32_t alone = 0, ids[2], again[2], crossed[2];

	place_begin(&place, WK_UNLIMITED);
	CHECK_EQUAL(wk_registry_intern(place.registry, pair, 1, &alone), WK_OK);
	CHECK_EQUAL(wk_registry_intern(place.registry, pair, 2, ids), WK_OK);
	CHECK_EQUAL(wk_registry_intern(place.registry, pair, 2, again), WK_OK);
	pair[1] = function_type(&other, 1, 0);
	CHECK_EQUAL(wk_registry_intern(place.registry, pair, 2, crossed), WK_OK);
	CHECK(ids[0] == again[0] && ids[1] == again[1] && ids[0] != ids[1]);
	CHECK(alone != ids[0] && alone != ids[1] && crossed[0] != ids[0] && crossed[1] != ids[1]);
	CHECK_EQUAL(wk_registry_get(place.registry, alone)->types[0], WK_REF | alone);
	CHECK_EQUAL(wk_registry_get(place.registry, ids[1])->types[0], WK_REF | ids[0]);
	CHECK_EQUAL(wk_registry_get(place.registry, crossed[1])->types[0], WK_REF | crossed[1]);
	wk_registry_drop(place.registry, crossed[0]);
	wk_registry_drop(place.registry, ids[0]);
	wk_registry_drop(place.registry, again[1]);
	wk_registry_drop(place.registry, alone);
	place_end(&place);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Thousands of types come and go in any order; the tree keeps finding those that are there. */
TEST(many_types)
{
	enum { TYPES = 3000 };
	static uint32_t ids[TYPES], held[TYPES];
	struct place place;
	uint32_t state = 1;

	memset(held, 0, sizeof held);
	place_begin(&place, WK_UNLIMITED);
	for (int step = 0; step < 40000; step++) {
		uint32_t n = next_random(&state) % TYPES, id = 0;
		wk_valtype types[12];
		struct wk_deftype type = function_type(types, 12, 0);

		for (int i = 0; i < 12; i++)
			types[i] = (n >> i & 1) != 0 ? WK_TYPE_I32 : WK_TYPE_I64;
		if (held[n] != 0 && next_random(&state) % 2 != 0) {
			wk_registry_drop(place.registry, ids[n]);
			held[n]--;
			continue;
		}
		REQUIRE(wk_registry_intern(place.registry, &type, 1, &id) == WK_OK);
		if (held[n] != 0)
			REQUIRE(ids[n] == id);
		REQUIRE(memcmp(wk_registry_get(place.registry, id)->types, types, sizeof types) == 0);
		ids[n] = id;
		held[n]++;
	}
	for (uint32_t n = 0; n < TYPES; n++)
		while (held[n]-- != 0)
			wk_registry_drop(place.registry, ids[n]);
	place_end(&place);
}

TEST(subtyping)
{
	static const struct { uint32_t low, high; bool matches; } cases[] = {
		{ WK_HEAP_NONE, WK_HEAP_ANY, true }, { WK_HEAP_I31, WK_HEAP_EQ, true }, { WK_HEAP_EQ, WK_HEAP_I31, false },
		{ WK_HEAP_STRUCT, WK_HEAP_ANY, true }, { WK_HEAP_ARRAY, WK_HEAP_STRUCT, false },
		{ WK_HEAP_NOFUNC, WK_HEAP_FUNC, true }, { WK_HEAP_NOFUNC, WK_HEAP_ANY, false },
		{ WK_HEAP_FUNC, WK_HEAP_ANY, false }, { WK_HEAP_NOEXTERN, WK_HEAP_EXTERN, true },
		{ WK_HEAP_EXTERN, WK_HEAP_ANY, false }, { WK_HEAP_NOEXN, WK_HEAP_EXN, true },
		{ WK_HEAP_BOTTOM, WK_HEAP_EXN, true }, { WK_HEAP_NONE, WK_HEAP_BOTTOM, false },
		{ WK_HEAP_NONE, WK_HEAP_EXN, false }, { WK_HEAP_ANY, WK_HEAP_ANY, true },
	};
	struct place place;
	wk_valtype field = WK_TYPE_I32;
	uint8_t mutable_ = 0;
	struct wk_deftype types[4] = {
		{ .composite = WK_COMPOSITE_STRUCT, .super = WK_NO_TYPE },
		{ .composite = WK_COMPOSITE_STRUCT, .super = WK_HEAP_LOCAL, .field_count = 1, .types = &field,
			.mutable_ = &mutable_ },
		{ .composite = WK_COMPOSITE_STRUCT, .super = WK_HEAP_LOCAL | 1, .field_count = 1, .types = &field,
			.mutable_ = &mutable_ },
		{ .composite = WK_COMPOSITE_FUNC, .super = WK_NO_TYPE },
	};
	uint32_t ids[4];

	place_begin(&place, WK_UNLIMITED);
	for (size_t i = 0; i < WK_COUNT(cases); i++)
		CHECK_EQUAL(wk_heap_matches(place.registry, cases[i].low, cases[i].high), cases[i].matches);
	REQUIRE(wk_registry_intern(place.registry, types, 4, ids) == WK_OK);
	CHECK(wk_heap_matches(place.registry, ids[2], ids[0]));
	CHECK(!wk_heap_matches(place.registry, ids[0], ids[2]));
	CHECK(wk_heap_matches(place.registry, ids[2], WK_HEAP_EQ) &&
		wk_heap_matches(place.registry, ids[2], WK_HEAP_STRUCT));
	CHECK(!wk_heap_matches(place.registry, ids[2], WK_HEAP_ARRAY));
	CHECK(wk_heap_matches(place.registry, WK_HEAP_NONE, ids[1]) &&
		!wk_heap_matches(place.registry, WK_HEAP_NONE, ids[3]));
	CHECK(wk_heap_matches(place.registry, WK_HEAP_NOFUNC, ids[3]) &&
		wk_heap_matches(place.registry, ids[3], WK_HEAP_FUNC));
	CHECK(!wk_heap_matches(place.registry, ids[3], WK_HEAP_ANY) &&
		!wk_heap_matches(place.registry, WK_HEAP_STRUCT, ids[0]));
	CHECK(wk_type_matches(place.registry, WK_REF | ids[2], WK_REF | WK_NULLABLE | ids[0]));
	CHECK(!wk_type_matches(place.registry, WK_REF | WK_NULLABLE | ids[2], WK_REF | ids[0]));
	CHECK(wk_type_matches(place.registry, WK_TYPE_BOTTOM, WK_TYPE_V128));
	CHECK(!wk_type_matches(place.registry, WK_TYPE_I32, WK_TYPE_FUNCREF));
	wk_registry_drop(place.registry, ids[3]);
	place_end(&place);
}

/* ---- what a file is ---- */

TEST(headers)
{
	static const struct { const char *bytes; size_t size; const char *text; } cases[] = {
		{ "", 0, "unexpected end: the file is empty" },
		{ "\0as", 3, "unexpected end" },
		{ "\0asm\1\0", 6, "unexpected end" },
		{ "\0asm\2\0\0\0", 8, "unknown binary version 2" },
		{ "\0asm\r\0\1\0", 8, "unknown binary version: this is a component" },
		{ "\177ELF\2\1\1\0", 8, "magic header not detected: this is an ELF file" },
		{ "\37\213\10\0", 4, "magic header not detected: this is a gzip file" },
		{ " ;; x\n(; (; ;) ;)(module)", 25, "magic header not detected: this is a module in the text format" },
		{ "(component)", 11, "magic header not detected: this is a component in the text format" },
		{ "#!/bin/sh\n", 10, "magic header not detected: this is a script" },
		{ "(; (module)", 11, "magic header not detected" },
		{ "hello", 5, "magic header not detected" },
	};
	struct place place;

	place_begin(&place, WK_UNLIMITED);
	for (size_t i = 0; i < WK_COUNT(cases); i++) {
		struct wk_report report;

		CHECK_EQUAL(try_bytes(&place, (const uint8_t *)cases[i].bytes, cases[i].size, &report), WK_MALFORMED);
		if (!CHECK(starts_with(report.text, cases[i].text)))
			printf("# \"%s\"\n", report.text);
	}
	place_end(&place);
}

/* ---- sections ---- */

/* A bit of everything: every section, every form of segment, groups, names. */
static void put_rich_module(struct wasm *w)
{
	wasm_start(w);
	wasm_open(w, 1); /* 0: [] -> [], 1: [i32 i64] -> [i32], 2 and 3 a group, 4: [i32] -> [] */
	PUT(w, 4, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7e, 1, 0x7f, 0x4e, 2, 0x50, 0, 0x5f, 1, 0x63, 3, 1, 0x4f, 1, 2, 0x5f,
		2, 0x63, 3, 1,
		0x78, 0, 0x60, 1, 0x7f, 0);
	wasm_close(w);
	wasm_open(w, 2);
	PUT(w, 5);
	wasm_name(w, "m");
	wasm_name(w, "f");
	PUT(w, 0, 1);
	wasm_name(w, "m");
	wasm_name(w, "g");
	PUT(w, 3, 0x7f, 0);
	wasm_name(w, "m");
	wasm_name(w, "t");
	PUT(w, 1, 0x70, 1, 1, 9);
	wasm_name(w, "m");
	wasm_name(w, "mem");
	PUT(w, 2, 0, 1);
	wasm_name(w, "m");
	wasm_name(w, "tag");
	PUT(w, 4, 0, 4);
	wasm_close(w);
	wasm_open(w, 3);
	PUT(w, 2, 0, 1);
	wasm_close(w);
	wasm_open(w, 4);
	PUT(w, 2, 0x70, 5, 2, 4, 0x40, 0, 0x64, 0, 0, 3, 0xd2, 1, 0x0b);
	wasm_close(w);
	wasm_open(w, 5);
	PUT(w, 2, 5, 1, 2, 9, 0, 10, 0);
	wasm_close(w);
	wasm_open(w, 13);
	PUT(w, 1, 0, 4);
	wasm_close(w);
	wasm_open(w, 6);
	PUT(w, 3, 0x7f, 1, 0x23, 0, 0x41, 2, 0x6a, 0x0b, 0x70, 0, 0xd2, 1, 0x0b, 0x7b, 0, 0xfd, 12, 1, 2, 3, 4, 5, 6,
		7, 8, 9, 10,
		11, 12, 13, 14, 15, 16, 0x0b);
	wasm_close(w);
	wasm_open(w, 7);
	PUT(w, 3);
	wasm_name(w, "start");
	PUT(w, 0, 1);
	wasm_name(w, "memory");
	PUT(w, 2, 0);
	wasm_name(w, "tag");
	PUT(w, 4, 1);
	wasm_close(w);
	wasm_open(w, 8);
	PUT(w, 1);
	wasm_close(w);
	wasm_open(w, 9);
	PUT(w, 8, 0, 0x41, 0, 0x0b, 1, 1, 1, 0, 1, 2, 2, 0, 0x41, 1, 0x0b, 0, 1, 2, 3, 0, 1, 2);
	PUT(w, 4, 0x41, 0, 0x0b, 1, 0xd2, 1, 0x0b, 5, 0x70, 1, 0xd0, 0x70, 0x0b, 6, 1, 0x42, 0, 0x0b, 0x70, 1, 0xd2,
		1, 0x0b);
	PUT(w, 7, 0x70, 1, 0xd2, 2, 0x0b);
	wasm_close(w);
	wasm_open(w, 12);
	PUT(w, 3);
	wasm_close(w);
	wasm_open(w, 10);
	PUT(w, 2);
	wasm_open(w, -1);
	PUT(w, 1, 2, 0x7e, 0x02, 0x40, 0x41, 1, 0x0d, 0, 0x03, 0x40, 0x0c, 1, 0x0b, 0x0b, 0x1f, 0x40, 1, 2, 0, 0x0b);
	PUT(w, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 1, 0, 0xfc, 9, 1, 0x0b);
	wasm_close(w);
	wasm_open(w, -1);
	PUT(w, 0, 0x20, 0, 0x20, 1, 0xa7, 0x6a, 0x04, 0x7f, 0x41, 1, 0x05, 0x20, 0, 0x28, 2, 0, 0x0b, 0x0b);
	wasm_close(w);
	wasm_close(w);
	wasm_open(w, 11);
	PUT(w, 3, 0, 0x41, 0, 0x0b, 2, 'h', 'i', 1, 0, 2, 1, 0x42, 0, 0x0b, 1, 'x');
	wasm_close(w);
	wasm_open(w, 0);
	wasm_name(w, "name");
	PUT(w, 0, 2, 1, 'M', 1, 7, 2, 0, 1, 'f', 1, 1, 's');
	wasm_close(w);
}

TEST(a_whole_module)
{
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;
	struct wk_module *m = NULL;
	struct wk_span name;

	place_begin(&place, WK_UNLIMITED);
	put_rich_module(&w);
	load_bytes(&place, w.bytes, w.size, &report, &m);
	CHECK_TEXT(report.text, "");
	REQUIRE(m != NULL);
	CHECK_EQUAL(m->type_count, 5);
	CHECK_EQUAL(m->group_count, 4);
	CHECK_EQUAL(m->func_count, 3);
	CHECK_EQUAL(m->imported_funcs, 1);
	CHECK_EQUAL(m->table_count, 3);
	CHECK_EQUAL(m->memory_count, 3);
	CHECK_EQUAL(m->memories[2].page_log2, 0);
	CHECK(m->memories[1].limits.is64 && m->memories[1].limits.maximum == 2);
	CHECK_EQUAL(m->tag_count, 2);
	CHECK_EQUAL(m->global_count, 4);
	CHECK_EQUAL(m->element_count, 8);
	CHECK_EQUAL(m->elements[3].mode, WK_SEGMENT_DECLARATIVE);
	CHECK_EQUAL(m->elements[6].table, 1);
	CHECK_EQUAL(m->data_count, 3);
	CHECK_EQUAL(m->datas[2].memory, 1);
	CHECK_EQUAL(m->start, 1);
	CHECK_EQUAL(m->section_count, 14);
	CHECK_EQUAL(m->funcs[1].max_slots, 3);
	CHECK_EQUAL(m->funcs[2].max_slots, 2);
	CHECK_EQUAL(m->bytes.data[m->funcs[2].body + m->funcs[2].size - 1], 0x0b);
	CHECK(wk_span_equal(m->name_module, wk_span("M", 1)));
	name = wk_module_function_name(m, 1);
	CHECK(wk_span_equal(name, wk_span("s", 1)));
	name = wk_module_function_name(m, 2);
	CHECK_EQUAL(name.size, 0);
	wk_module_free(m);
	free(w.bytes);
	place_end(&place);
}

TEST(names_without_a_name_section)
{
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;
	struct wk_module *m = NULL;
	struct wk_span name;

	place_begin(&place, WK_UNLIMITED);
	put_rich_module(&w);
	w.bytes[w.size - 16] = 0x7f; /* breaks the section: a subsection is longer than what there is */
	load_bytes(&place, w.bytes, w.size, &report, &m);
	REQUIRE(m != NULL);
	name = wk_module_function_name(m, 1);
	CHECK(wk_span_equal(name, wk_span("start", 5)));
	name = wk_module_function_name(m, 0);
	CHECK(wk_span_equal(name, wk_span("f", 1)));
	wk_module_free(m);
	free(w.bytes);
	place_end(&place);
}

TEST(section_order)
{
	static const uint8_t right[] = { 1, 2, 3, 4, 5, 13, 6, 7, 9, 12, 10, 11 };
	struct place place;
	struct wk_report report;

	place_begin(&place, WK_UNLIMITED);
	for (size_t i = 0; i < sizeof right; i++) {
		for (size_t k = 0; k < sizeof right; k++) {
			const uint8_t bytes[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, right[i], 1, 0, 0, 2, 1, 'x', right[k], 1, 0 };
			enum wk_status status = try_bytes(&place, bytes, sizeof bytes, &report);

			CHECK_EQUAL(status, i < k ? WK_OK : WK_MALFORMED);
			if (i >= k)
				CHECK(starts_with(report.text, "unexpected content after last section"));
		}
	}
	place_end(&place);
}

/* Vectors that promise more than their section holds, and limits that are reached, cost no memory. */
TEST(lying_counts)
{
	static const uint8_t sections[] = { 1, 2, 3, 4, 5, 13, 6, 7, 9, 10, 11 };
	struct place place;
	struct wk_report report;

	place_begin(&place, 16384);
	for (size_t i = 0; i < sizeof sections; i++) {
		const uint8_t bytes[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, sections[i], 8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0,
			0 };

		CHECK_EQUAL(try_bytes(&place, bytes, sizeof bytes, &report), WK_MALFORMED);
	}
	CHECK(place.root.peak < 8192);
	place_end(&place);
}

TEST(large_name_section)
{
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;
	uint8_t *zeros = calloc(1, 1 << 20);

	REQUIRE(zeros != NULL);
	place_begin(&place, 16384);
	wasm_start(&w);
	wasm_open(&w, 0);
	wasm_name(&w, "name");
	for (int i = 0; i < 20; i++)
		wasm_put(&w, zeros, 1 << 20);
	wasm_close(&w);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	CHECK(place.root.peak < 8192);
	free(zeros);
	free(w.bytes);
	place_end(&place);
}

/* A chain of supertypes is cut; types that would unfold without end are cheap. */
TEST(hostile_types)
{
	struct place place;
	struct wasm w = { 0 };
	struct wk_report report;

	place_begin(&place, WK_UNLIMITED);
	wasm_start(&w);
	wasm_open(&w, 1);
	wasm_leb(&w, 100);
	PUT(&w, 0x50, 0, 0x60, 0, 0);
	for (uint32_t i = 1; i < 100; i++) {
		PUT(&w, 0x50, 1);
		wasm_leb(&w, i - 1);
		PUT(&w, 0x60, 0, 0);
	}
	wasm_close(&w);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_LIMIT);
	w.size = 0;
	wasm_start(&w);
	wasm_open(&w, 1);
	wasm_leb(&w, 20000);
	PUT(&w, 0x60, 0, 0);
	for (uint32_t i = 1; i < 20000; i++) {
		PUT(&w, 0x60, 2, 0x63);
		wasm_signed(&w, i - 1);
		PUT(&w, 0x63);
		wasm_signed(&w, i - 1);
		PUT(&w, 0);
	}
	wasm_close(&w);
	CHECK_EQUAL(try_bytes(&place, w.bytes, w.size, &report), WK_OK);
	free(w.bytes);
	place_end(&place);
}

/* ---- broken input ---- */

static void cut_everywhere(struct place *place, const uint8_t *bytes, size_t size)
{
	struct wk_report report;

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + (cut == 0)); /* so that a checker sees every read behind the end */
		enum wk_status status;

		if (copy == NULL)
			return;
		memcpy(copy, bytes, cut);
		status = try_bytes(place, copy, cut, &report);
		CHECK(status < WK_STATUS_COUNT && (status == WK_OK) == (report.text[0] == 0));
		free(copy);
	}
}

static void flip_every_bit(struct place *place, uint8_t *bytes, size_t size)
{
	struct wk_report report;

	for (size_t bit = 0; bit < size * 8; bit++) {
		enum wk_status status;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		status = try_bytes(place, bytes, size, &report);
		CHECK(status < WK_STATUS_COUNT && (status == WK_OK) == (report.text[0] == 0));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

TEST(broken_modules)
{
	struct place place;
	struct wasm w = { 0 };

	place_begin(&place, UINT64_C(1) << 24);
	put_rich_module(&w);
	cut_everywhere(&place, w.bytes, w.size);
	flip_every_bit(&place, w.bytes, w.size);
	free(w.bytes);
	place_end(&place);
}

static enum wk_status load_rich(const struct wk_allocator *allocator, void *context)
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

TEST(no_memory)
{
	struct wasm w = { 0 };

	put_rich_module(&w);
	test_every_failure("loading", load_rich, &w);
	free(w.bytes);
}

/* ---- the core test suite, cut ---- */

static const char *suite;

static uint8_t *read_file(const char *folder, const char *name, size_t *size)
{
	char path[4096];
	FILE *file;
	uint8_t *bytes = NULL;
	long end;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
		bytes = malloc((size_t)end + 1);
		*size = bytes != NULL ? fread(bytes, 1, (size_t)end, file) : 0;
	}
	fclose(file);
	return bytes;
}

TEST(suite_cut)
{
	struct place place;
	struct dirent *entry;
	DIR *folder;

	if (suite == NULL)
		SKIP("no folder of modules given");
	folder = opendir(suite);
	if (folder == NULL)
		SKIP("the folder of modules cannot be read");
	place_begin(&place, UINT64_C(1) << 28);
	while ((entry = readdir(folder)) != NULL) {
		size_t length = strlen(entry->d_name), size = 0;
		uint8_t *bytes;

		if (length < 5 || strcmp(entry->d_name + length - 5, ".wasm") != 0)
			continue;
		bytes = read_file(suite, entry->d_name, &size);
		/* Cutting is quadratic: large files are left to the fuzzers. */
		if (bytes != NULL && size < 20000)
			cut_everywhere(&place, bytes, size);
		free(bytes);
	}
	closedir(folder);
	place_end(&place);
}

int main(int argc, char **argv)
{
	suite = argc > 1 ? argv[1] : NULL;
	RUN(opcodes);
	RUN(signatures);
	RUN(interning);
	RUN(recursive_groups);
	RUN(many_types);
	RUN(subtyping);
	RUN(headers);
	RUN(a_whole_module);
	RUN(names_without_a_name_section);
	RUN(section_order);
	RUN(lying_counts);
	RUN(large_name_section);
	RUN(hostile_types);
	RUN(broken_modules);
	RUN(no_memory);
	RUN(suite_cut);
	return test_end();
}
