/* SPDX-License-Identifier: Apache-2.0
 *
 * What does not fit the short fields of the internal code: branches over more than 32,767 units in every kind of block,
 * and offsets of loads and stores of more than 16 bits, up to the bounds of the memory. */
#define WASM_ROOM (1 << 20)
#include "api/api.h"

#define FILLERS 12000 /* each is at least three units, and adds 3 to local 1 */

static void filler(struct wasm *w)
{
	for (int i = 0; i < FILLERS; i++)
		wasm_put(w, 0x20, 1, 0x41, 3, 0x6a, 0x21, 1); /* local.get 1, i32.const 3, i32.add, local.set 1 */
}

/* A body with the i32 local 1; its parameter is local 0. */
static void begin_body(struct wasm *w)
{
	w->body = wasm_open(w);
	wasm_put(w, 1, 1, WASM_I32);
}

/* Functions (i32) -> i32, each with a far label of another kind, and what they give for 0 and for 1. */
static const struct far_case { const char *name; int32_t zero, one; } far_cases[] = {
	{ "br_if", 3 * FILLERS, 0 },
	{ "br_if value", 3 * FILLERS, 7 },
	{ "br", 3 * FILLERS, 0 },
	{ "if else", 20 + 3 * FILLERS, 10 + 3 * FILLERS },
	{ "if", 0, 3 * FILLERS },
	{ "loop", 6 * FILLERS, 3 * FILLERS },
	{ "br_table", 3 * FILLERS, 9 },
	{ "br_on_null", 0, 0 },
	{ "compare", 3 * FILLERS, 0 },
	{ "loop br", 6 * FILLERS, 3 * FILLERS },
};
#define FAR_CASES (sizeof far_cases / sizeof far_cases[0])

static void far_body(struct wasm *w, unsigned which)
{
	begin_body(w);
	switch (which) {
	case 0: /* block, local.get 0, br_if 0 */
		wasm_put(w, 0x02, 0x40, 0x20, 0, 0x0d, 0);
		filler(w);
		wasm_put(w, 0x0b, 0x20, 1);
		break;
	case 1: /* block (result i32), i32.const 5, drop so that homes differ: i32.const 7, local.get 0, br_if 0, drop */
		wasm_put(w, 0x41, 5, 0x02, WASM_I32, 0x41, 1, 0x41, 7, 0x20, 0, 0x0d, 0, 0x1a, 0x1a);
		filler(w);
		wasm_put(w, 0x20, 1, 0x0b, 0x21, 1, 0x1a, 0x20, 1);
		break;
	case 2: /* block, local.get 0, if, br 1, end */
		wasm_put(w, 0x02, 0x40, 0x20, 0, 0x04, 0x40, 0x0c, 1, 0x0b);
		filler(w);
		wasm_put(w, 0x0b, 0x20, 1);
		break;
	case 3: /* local.get 0, if (result i32), filler, 10, else, filler, 20, end, local.get 1, i32.add */
		wasm_put(w, 0x20, 0, 0x04, WASM_I32);
		filler(w);
		wasm_put(w, 0x41, 10, 0x05);
		filler(w);
		wasm_put(w, 0x41, 20, 0x0b, 0x20, 1, 0x6a);
		break;
	case 4:
		wasm_put(w, 0x20, 0, 0x04, 0x40);
		filler(w);
		wasm_put(w, 0x0b, 0x20, 1);
		break;
	case 5: /* loop, filler, local.get 0, i32.eqz, local.set 0 to 1 - it, br_if 0 */
		wasm_put(w, 0x03, 0x40);
		filler(w);
		wasm_put(w, 0x20, 0, 0x45, 0x41, 1, 0x21, 0, 0x0d, 0, 0x0b, 0x20, 1);
		break;
	case 6: /* block (result i32), i32.const 1, i32.const 9, local.get 0, br_table [1] 0: far, with a value moved */
		wasm_put(w, 0x02, WASM_I32, 0x02, 0x40, 0x41, 1, 0x41, 9, 0x20, 0, 0x45, 0x04, 0x40, 0x0c, 1, 0x0b, 0x20, 0, 0x41,
			1, 0x6b, 0x0e, 1, 1, 1, 0x0b);
		filler(w);
		wasm_put(w, 0x20, 1, 0x0b);
		break;
	case 7: /* block, ref.null func, br_on_null 0, drop */
		wasm_put(w, 0x02, 0x40, 0xd0, WASM_FUNCREF, 0xd5, 0, 0x1a);
		filler(w);
		wasm_put(w, 0x0b, 0x20, 1);
		break;
	case 8: /* block, local.get 0, i32.const 0, i32.ne, br_if 0 */
		wasm_put(w, 0x02, 0x40, 0x20, 0, 0x41, 0, 0x47, 0x0d, 0);
		filler(w);
		wasm_put(w, 0x0b, 0x20, 1);
		break;
	default: /* loop, filler, local.get 0, i32.eqz, if, local.set 0 to 1, br 1 */
		wasm_put(w, 0x03, 0x40);
		filler(w);
		wasm_put(w, 0x20, 0, 0x45, 0x04, 0x40, 0x41, 1, 0x21, 0, 0x0c, 1, 0x0b, 0x0b, 0x20, 1);
		break;
	}
	wasm_body_end(w);
}

/* One module with one function "f", and "t" behind it, a far block and then a trap. */
static void far_module(struct wasm *w, unsigned which, size_t *trap)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 1);
	wasm_put(w, 0x60, 1, WASM_I32, 1, WASM_I32);
	wasm_section(w, WASM_FUNCTIONS, 2);
	wasm_put(w, 0, 0);
	wasm_section(w, WASM_EXPORTS, 2);
	wasm_export(w, "f", WASM_FUNC, 0);
	wasm_export(w, "t", WASM_FUNC, 1);
	wasm_section(w, WASM_CODE, 2);
	far_body(w, which);
	begin_body(w);
	wasm_put(w, 0x02, 0x40, 0x20, 0, 0x0d, 0);
	filler(w);
	wasm_byte(w, 0x0b);
	*trap = w->size;
	wasm_put(w, 0x00, 0x20, 1);
	wasm_body_end(w);
	wasm_end(w);
}

static void check_far(const struct wk_store_config *config, unsigned which)
{
	static struct wasm w;
	struct wk_report report;
	struct api api;
	size_t trap = 0;

	REQUIRE(api_begin(&api, NULL, config));
	if (config)
		CHECK_EQUAL(wk_store_set_fuel(api.store, 1000000000), WK_OK);
	far_module(&w, which, &trap);
	struct wk_instance *instance = api_instance(&api, &w);
	REQUIRE(instance != NULL);
	for (int32_t i = 0; i < 2; i++) {
		struct wk_value in = { .kind = WK_I32, .of.i32 = i }, out = { 0 };
		CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "f"), &in, 1, &out, 1, NULL), WK_OK);
		if (!CHECK_EQUAL(out.of.i32, i ? far_cases[which].one : far_cases[which].zero))
			printf("# %s\n", far_cases[which].name);
		wk_report_clear(&report);
		CHECK_EQUAL(wk_func_call(wk_instance_function(instance, "t"), &in, 1, &out, 1, &report), WK_TRAP);
		CHECK_EQUAL(report.offset, trap);
	}
	api_end(&api);
}

TEST(far_branches)
{
	for (unsigned i = 0; i < FAR_CASES; i++)
		check_far(NULL, i);
}

TEST(far_branches_with_fuel)
{
	struct wk_store_config config = { .fuel = true };

	for (unsigned i = 0; i < FAR_CASES; i++)
		check_far(&config, i);
}

/* ---- offsets ---- */

#define MEMORY_BYTES (3u << 16)

static const uint32_t offsets[] = { 65519, 65527, 65528, 65531, 65532, 65534, 65535, 65536, 65567, 65568, 98303, 98304, 131072,
	MEMORY_BYTES - 8, MEMORY_BYTES - 1, MEMORY_BYTES, 0x7fffffff, 0xfffffff0, 0xffffffff };
static const uint32_t addresses[] = { 0, 1, 7, 8, 32766, 65535, 65536, 65537, 98304, 131064, MEMORY_BYTES - 1, 0x7fffffff,
	0x80000001, 0xffffff00, 0xfffffff8, 0xffffffff };
#define COUNT(array) (sizeof (array) / sizeof (array)[0])

static const struct access { uint8_t opcode, bytes, type; } accesses[] = {
	{ 0x28, 4, WASM_I32 }, { 0x29, 8, WASM_I64 }, { 0x2a, 4, WASM_F32 }, { 0x2b, 8, WASM_F64 }, { 0x2d, 1, WASM_I32 },
	{ 0x2f, 2, WASM_I32 }, { 0x31, 1, WASM_I64 }, { 0x33, 2, WASM_I64 }, { 0x35, 4, WASM_I64 },
	{ 0x36, 4, WASM_I32 }, { 0x37, 8, WASM_I64 }, { 0x38, 4, WASM_F32 }, { 0x39, 8, WASM_F64 }, { 0x3a, 1, WASM_I32 },
	{ 0x3b, 2, WASM_I32 }, { 0x3c, 1, WASM_I64 }, { 0x3d, 2, WASM_I64 }, { 0x3e, 4, WASM_I64 },
};

static bool is_store(struct access a) { return a.opcode >= 0x36; }

/* "Add nothing": the value is then in an accumulator. */
static void compute(struct wasm *w, uint8_t type)
{
	switch (type) {
	case WASM_I32: wasm_put(w, 0x41, 0, 0x6a); break;
	case WASM_I64: wasm_put(w, 0x42, 0, 0x7c); break;
	case WASM_F32: wasm_put(w, 0x8c, 0x8c); break; /* f32.neg twice */
	default: wasm_put(w, 0x9a, 0x9a); break;
	}
}

/* (i32 address) -> value, or (i32 address, value): with operands from slots and from accumulators. Bit 0 of `how`: the
 * address is computed; bit 1: the value. */
static void access_module(struct wasm *w, struct access a, uint32_t offset)
{
	wasm_begin(w);
	wasm_section(w, WASM_TYPES, 1);
	if (is_store(a))
		wasm_put(w, 0x60, 2, WASM_I32, a.type, 0);
	else
		wasm_put(w, 0x60, 1, WASM_I32, 1, a.type);
	wasm_section(w, WASM_FUNCTIONS, 4);
	wasm_put(w, 0, 0, 0, 0);
	wasm_section(w, WASM_MEMORIES, 1);
	wasm_put(w, 0, 3);
	wasm_section(w, WASM_EXPORTS, 5);
	wasm_export(w, "m", WASM_MEMORY, 0);
	wasm_export(w, "0", WASM_FUNC, 0);
	wasm_export(w, "1", WASM_FUNC, 1);
	wasm_export(w, "2", WASM_FUNC, 2);
	wasm_export(w, "3", WASM_FUNC, 3);
	wasm_section(w, WASM_CODE, 4);
	for (unsigned how = 0; how < 4; how++) {
		wasm_body(w);
		wasm_put(w, 0x20, 0);
		if (how & 1)
			compute(w, WASM_I32);
		if (is_store(a)) {
			wasm_put(w, 0x20, 1);
			if (how & 2)
				compute(w, a.type);
		}
		wasm_put(w, a.opcode, 0);
		wasm_number(w, offset);
		if (!is_store(a) && how & 2)
			compute(w, a.type);
		wasm_body_end(w);
	}
	wasm_end(w);
}

static const uint8_t pattern[8] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x38 }; /* no NaN in either float type */

static void check_access(struct wk_instance *instance, struct access a, const char *function,
	uint32_t address, uint32_t offset)
{
	static const enum wk_kind kinds[] = { [WASM_I32 - WASM_F64] = WK_I32, [WASM_I64 - WASM_F64] = WK_I64,
		[WASM_F32 - WASM_F64] = WK_F32, [0] = WK_F64 };
	struct wk_memory *memory = wk_instance_memory(instance, "m");
	struct wk_value in[2] = { { .kind = WK_I32, .of.i32 = (int32_t)address }, { .kind = kinds[a.type - WASM_F64] } }, out;
	uint64_t at = (uint64_t)address + offset;
	bool inside = at + a.bytes <= MEMORY_BYTES;
	uint8_t found[8] = { 0 };

	memcpy(&in[1].of, pattern, 8);
	if (inside)
		CHECK_EQUAL(wk_memory_write(memory, at, is_store(a) ? found : pattern, a.bytes), WK_OK);
	enum wk_status status = wk_func_call(wk_instance_function(instance, function), in, is_store(a) ? 2 : 1, &out,
		is_store(a) ? 0 : 1, NULL);
	if (!CHECK_EQUAL(status, inside ? WK_OK : WK_TRAP))
		printf("# opcode %x, function %s, address %u, offset %u\n", a.opcode, function, address, offset);
	if (!inside)
		return;
	if (is_store(a))
		CHECK_EQUAL(wk_memory_read(memory, at, found, a.bytes), WK_OK);
	else
		memcpy(found, &out.of, a.bytes);
	CHECK(memcmp(found, pattern, a.bytes) == 0);
	memset(found, 0, sizeof found);
	CHECK_EQUAL(wk_memory_write(memory, at, found, a.bytes), WK_OK);
}

TEST(far_offsets)
{
	static struct wasm w;
	static const char *const functions[] = { "0", "1", "2", "3" };

	for (size_t i = 0; i < COUNT(accesses); i++) {
		for (size_t j = 0; j < COUNT(offsets); j++) {
			struct api api;
			REQUIRE(api_begin(&api, NULL, NULL));
			access_module(&w, accesses[i], offsets[j]);
			struct wk_instance *instance = api_instance(&api, &w);
			REQUIRE(instance != NULL);
			for (size_t k = 0; k < COUNT(addresses); k++)
				for (size_t f = 0; f < COUNT(functions); f++)
					check_access(instance, accesses[i], functions[f], addresses[k], offsets[j]);
			api_end(&api);
		}
	}
}

int main(void)
{
	RUN(far_branches);
	RUN(far_branches_with_fuel);
	RUN(far_offsets);
	return test_end();
}
