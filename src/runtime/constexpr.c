/* SPDX-License-Identifier: Apache-2.0
 *
 * Constant expressions (specification 3.3.10, 4.6.13). They were validated, so types, indices and the bytes' form hold
 * and nothing is checked again, but for the one thing that validation does not bound: how many operands wait at once.
 * An expression may be as long as a module. Its operands are kept in a few native slots first and, should these not be
 * enough, on the guest stack, which has a limit of its own.
 *
 * What always holds: evaluating has no effect but its result, so it may be done in any order and again.
 */
#include "base/leb128.h"
#include "format/opcodes.h"
#include "runtime/instantiate.h"
#include "runtime/operations.h"

#define NATIVE_SLOTS 16u

struct evaluation {
	const struct wk_instance *instance;
	uint64_t *slots;
	size_t height, room;
	uint64_t native[NATIVE_SLOTS];
};

/* Room for two more slots, on the guest stack when the native slots are full. */
static bool has_room(struct evaluation *e)
{
	struct wk_store *store = e->instance->store;

	if (e->height + 2 <= e->room)
		return true;
	if (!wk_store_stack(store) || !wk_stack_reach(store, store->exec.stack_top + e->height + 2))
		return false;
	if (e->slots == e->native)
		memcpy(store->exec.stack_top, e->native, e->height * sizeof(uint64_t));
	e->slots = store->exec.stack_top;
	e->room = (size_t)(store->exec.stack_limit - store->exec.stack_top);
	return true;
}

static void push(struct evaluation *e, uint64_t slot)
{
	e->slots[e->height++] = slot;
}

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | bytes[size];
	return value;
}

static void push_global(struct evaluation *e, uint32_t index)
{
	const struct wk_global *global = e->instance->globals[index];

	push(e, global->slots[0]);
	if (wk_slots_of(global->type.type) == 2)
		push(e, global->slots[1]);
}

/* i32 operations leave garbage in the high half of their slot, as everywhere. */
static void binary(struct evaluation *e, uint32_t op)
{
	uint64_t b = e->slots[--e->height];
	uint64_t *a = &e->slots[e->height - 1];

	switch (op) {
	case WK_OP_I32_ADD: case WK_OP_I64_ADD: *a += b; break;
	case WK_OP_I32_SUB: case WK_OP_I64_SUB: *a -= b; break;
	default: *a *= b; break;
	}
}

/* Executes the instructions up to `end` and moves *from behind it; false when there is no room. */
static bool run(struct evaluation *e, const uint8_t **from)
{
	const uint8_t *at = *from;

	while (has_room(e)) {
		uint32_t op = *at++;

		switch (op) {
		case WK_OP_END:
			*from = at;
			return true;
		case WK_OP_I32_CONST: case WK_OP_I64_CONST:
			push(e, (uint64_t)wk_leb_trusted_signed(&at));
			break;
		case WK_OP_F32_CONST:
			push(e, little_endian(at, 4));
			at += 4;
			break;
		case WK_OP_F64_CONST:
			push(e, little_endian(at, 8));
			at += 8;
			break;
		case WK_OP_GLOBAL_GET:
			push_global(e, (uint32_t)wk_leb_trusted(&at));
			break;
		case WK_OP_REF_FUNC:
			push(e, (uint64_t)(uintptr_t)wk_instance_func(e->instance, (uint32_t)wk_leb_trusted(&at)));
			break;
		case WK_OP_REF_NULL:
			(void)wk_leb_trusted_signed(&at);
			push(e, 0);
			break;
		case 0xFD: /* v128.const is the only one with this prefix */
			(void)wk_leb_trusted(&at);
			push(e, little_endian(at, 8));
			push(e, little_endian(at + 8, 8));
			at += 16;
			break;
		default:
			binary(e, op);
			break;
		}
	}
	return false;
}

enum wk_status wk_constexpr_next(struct wk_instance *instance, const uint8_t **at, uint64_t result[2])
{
	struct evaluation e = { .instance = instance, .room = NATIVE_SLOTS };

	e.slots = e.native;
	if (!run(&e, at))
		return WK_LIMIT;
	result[0] = e.slots[0];
	result[1] = e.height > 1 ? e.slots[1] : 0;
	return WK_OK;
}

enum wk_status wk_constexpr_evaluate(struct wk_instance *instance, struct wk_constexpr expression, uint64_t result[2])
{
	const uint8_t *at = instance->module->bytes.data + expression.offset;

	return wk_constexpr_next(instance, &at, result);
}
