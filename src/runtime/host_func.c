/* SPDX-License-Identifier: Apache-2.0
 *
 * Host functions (specification 7.1, func_alloc) and host-made globals.
 *
 * A host function's type is written as a short text, so that defining one is a line and needs no objects. It is interned
 * like a module's type: the numbers are then equal exactly when the types are. The store holds one reference to the type
 * for each function and gives it back at its end.
 */
#include "format/limits.h"
#include "runtime/instantiate.h"

#define NATIVE_TYPES 32u /* signatures up to here are parsed without an allocation */

static wk_valtype type_of_letter(char letter)
{
	switch (letter) {
	case 'i': return WK_TYPE_I32;
	case 'I': return WK_TYPE_I64;
	case 'f': return WK_TYPE_F32;
	case 'F': return WK_TYPE_F64;
	case 'V': return WK_TYPE_V128;
	case 'r': return WK_TYPE_FUNCREF;
	case 'x': return WK_TYPE_EXTERNREF;
	default: return WK_TYPE_BOTTOM;
	}
}

/* Reads letters up to `end` (':' or NUL) and counts them; false for other letters and too many. */
static bool count_letters(const char **at, char end, uint32_t most, struct wk_deftype *type, bool results)
{
	uint32_t count = 0, slots = 0;

	for (; **at != end; (*at)++, count++) {
		wk_valtype letter = type_of_letter(**at);

		if (letter == WK_TYPE_BOTTOM || count == most)
			return false;
		slots += wk_slots_of(letter);
	}
	*(results ? &type->result_count : &type->parameter_count) = count;
	*(results ? &type->result_slots : &type->parameter_slots) = slots;
	return true;
}

static bool measure(const char *signature, struct wk_deftype *type)
{
	const char *at = signature;

	*type = (struct wk_deftype){ .composite = WK_COMPOSITE_FUNC, .super = WK_NO_TYPE, .final = true };
	if (!count_letters(&at, ':', WK_MAX_PARAMETERS, type, false))
		return false;
	at++;
	return count_letters(&at, 0, WK_MAX_RESULTS, type, true);
}

static enum wk_status intern(struct wk_store *store, const char *signature, uint32_t *id)
{
	wk_valtype native[NATIVE_TYPES];
	struct wk_deftype type;
	enum wk_status status;
	uint32_t count;

	if (!measure(signature, &type))
		return WK_BAD_ARGUMENT;
	count = type.parameter_count + type.result_count;
	type.types = native;
	if (count > NATIVE_TYPES) {
		type.types = wk_alloc_array(&store->heap, count, sizeof(*type.types));
		if (!type.types)
			return WK_NO_MEMORY;
	}
	for (uint32_t i = 0; i < count; signature++)
		if (*signature != ':')
			type.types[i++] = type_of_letter(*signature);
	status = wk_registry_intern(store->keep->registry, &type, 1, id);
	if (type.types != native)
		wk_free(&store->heap, type.types, count * sizeof(*type.types));
	return status;
}

enum wk_status wk_host_func_new(struct wk_store *store, const char *signature, wk_slot_function *host, void *context,
	struct wk_host_func **func)
{
	struct wk_host_func *made;
	uint32_t type = 0;
	enum wk_status status = intern(store, signature, &type);

	if (status != WK_OK)
		return status;
	made = wk_arena_alloc(&store->arena, sizeof(*made));
	if (!made) {
		wk_registry_drop(store->keep->registry, type);
		return WK_NO_MEMORY;
	}
	made->func = (struct wk_func){ .type = type, .index = WK_NO_FUNCTION };
	made->store = store;
	made->host = host;
	made->host_context = context;
	made->next = store->host_funcs;
	store->host_funcs = made;
	*func = made;
	return WK_OK;
}

enum wk_status wk_global_new(struct wk_store *store, const struct wk_global_type *type, const uint64_t slots[2],
	struct wk_global **global)
{
	struct wk_host_global *made = wk_arena_alloc(&store->arena, sizeof(*made));

	if (!made)
		return WK_NO_MEMORY;
	made->global = (struct wk_global){ .slots = { slots[0], slots[1] }, .type = *type, .store = store };
	made->next = store->host_globals;
	store->host_globals = made;
	*global = &made->global;
	return WK_OK;
}
