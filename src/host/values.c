/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of embedders and slots of guests (specification 4.2.1, 7.1): conversion, and the two calls that need it, from
 * the embedder into a function and from a guest into an embedder's host function.
 *
 * What an embedder hands in is checked as a guest's code would have been: a value of another kind, a null where the type
 * has none, a function of another store or type must not get into a slot, because from there on nobody looks again.
 *
 * Arrays of values and slots are put on the guest stack, above what lives there: it has a limit and is paid for, while
 * the native stack of a TEE is small, and nothing needs to be allocated during calls.
 */
#include "host/values.h"

#include "runtime/operations.h"

/* ---- kinds ---- */

static enum wk_kind kind_of_reference(const struct wk_registry *registry, uint32_t heap)
{
	switch (heap) {
	case WK_HEAP_FUNC: case WK_HEAP_NOFUNC: return WK_FUNCREF;
	case WK_HEAP_EXTERN: case WK_HEAP_NOEXTERN: return WK_EXTERNREF;
	case WK_HEAP_EXN: case WK_HEAP_NOEXN: return WK_EXNREF;
	default: break;
	}
	if (!(heap & WK_HEAP_ABSTRACT) && wk_registry_get(registry, heap)->composite == WK_COMPOSITE_FUNC)
		return WK_FUNCREF;
	return WK_ANYREF;
}

enum wk_kind wk_kind_of(const struct wk_registry *registry, wk_valtype type)
{
	switch (type) {
	case WK_TYPE_I32: return WK_I32;
	case WK_TYPE_I64: return WK_I64;
	case WK_TYPE_F32: return WK_F32;
	case WK_TYPE_F64: return WK_F64;
	case WK_TYPE_V128: return WK_V128;
	default: return kind_of_reference(registry, wk_heap_of(type));
	}
}

const char *wk_kind_text(enum wk_kind kind)
{
	static const char *const texts[] = { "none", "i32", "i64", "f32", "f64", "v128", "funcref", "externref", "exnref",
		"anyref" };

	return (unsigned)kind < WK_COUNT(texts) ? texts[kind] : "unknown";
}

/* ---- one value ---- */

static bool reference_to_slot(struct wk_store *store, const struct wk_value *value, wk_valtype type, uint64_t *slot)
{
	uint64_t reference = value->kind == WK_FUNCREF ? (uint64_t)(uintptr_t)value->of.func : value->of.ref;

	if (reference == 0) {
		if (!wk_is_nullable(type))
			return false;
	} else if (value->kind == WK_FUNCREF) {
		if (wk_func_store(value->of.func) != store ||
			!wk_type_matches(store->keep->registry, WK_REF | value->of.func->type, type))
			return false;
	} else if (value->kind == WK_EXTERNREF) {
		if (wk_heap_of(type) != WK_HEAP_EXTERN)
			return false;
	} else if (value->kind != WK_EXNREF || wk_heap_of(type) != WK_HEAP_EXN || !wk_exception_lives(store, reference)) {
		return false;
	}
	*slot = reference;
	return true;
}

static uint64_t read_bytes(const uint8_t *bytes)
{
	uint64_t slot = 0;

	for (unsigned i = 0; i < 8; i++)
		slot |= (uint64_t)bytes[i] << (8 * i);
	return slot;
}

static void write_bytes(uint8_t *bytes, uint64_t slot)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(slot >> (8 * i));
}

bool wk_value_to_slots(struct wk_store *store, const struct wk_value *value, wk_valtype type, uint64_t *slots)
{
	uint32_t bits;

	if (value->kind != wk_kind_of(store->keep->registry, type))
		return false;
	switch (value->kind) {
	case WK_I32:
		slots[0] = (uint32_t)value->of.i32;
		return true;
	case WK_I64:
		slots[0] = (uint64_t)value->of.i64;
		return true;
	case WK_F32:
		memcpy(&bits, &value->of.f32, sizeof(bits));
		slots[0] = bits;
		return true;
	case WK_F64:
		memcpy(&slots[0], &value->of.f64, sizeof(slots[0]));
		return true;
	case WK_V128:
		slots[0] = read_bytes(value->of.v128);
		slots[1] = read_bytes(value->of.v128 + 8);
		return true;
	default:
		return reference_to_slot(store, value, type, &slots[0]);
	}
}

void wk_value_from_slots(const struct wk_registry *registry, wk_valtype type, const uint64_t *slots,
	struct wk_value *value)
{
	uint32_t bits = (uint32_t)slots[0];

	memset(value, 0, sizeof(*value));
	value->kind = wk_kind_of(registry, type);
	switch (value->kind) {
	case WK_I32:
		value->of.i32 = (int32_t)bits;
		break;
	case WK_I64:
		value->of.i64 = (int64_t)slots[0];
		break;
	case WK_F32:
		memcpy(&value->of.f32, &bits, sizeof(bits));
		break;
	case WK_F64:
		memcpy(&value->of.f64, &slots[0], sizeof(slots[0]));
		break;
	case WK_V128:
		write_bytes(value->of.v128, slots[0]);
		write_bytes(value->of.v128 + 8, slots[1]);
		break;
	case WK_FUNCREF:
		value->of.func = (struct wk_func *)(uintptr_t)slots[0];
		break;
	default:
		value->of.ref = slots[0];
		break;
	}
}

/* ---- calls ---- */

static enum wk_status refuse(struct wk_report *report, const char *what, uint32_t index, const char *expected)
{
	return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
		"bad argument: %s %u is no %s of this store", what, index, expected);
}

static enum wk_status check_counts(const struct wk_deftype *type, const struct wk_value *arguments,
	size_t argument_count, const struct wk_value *results, size_t result_count, struct wk_report *report)
{
	if (argument_count != type->parameter_count || result_count != type->result_count)
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"bad argument: the function takes %u and gives %u values, not %zu and %zu", type->parameter_count,
			type->result_count, argument_count, result_count);
	if ((argument_count != 0 && !arguments) || (result_count != 0 && !results))
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"bad argument: arguments or results are NULL");
	return WK_OK;
}

enum wk_status wk_func_call(struct wk_func *func, const struct wk_value *arguments, size_t argument_count,
	struct wk_value *results, size_t result_count, struct wk_report *report)
{
	const struct wk_registry *registry;
	struct wk_store *store;
	const struct wk_deftype *type;
	enum wk_status status;
	uint64_t *slots, *at;
	size_t count;

	if (!func)
		return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION, "bad argument: no function");
	store = wk_func_store(func);
	registry = store->keep->registry;
	type = wk_registry_get(registry, func->type);
	status = check_counts(type, arguments, argument_count, results, result_count, report);
	if (status != WK_OK)
		return status;
	count = type->parameter_slots > type->result_slots ? type->parameter_slots : type->result_slots;
	slots = wk_stack_take(store, count);
	if (!slots)
		return wk_stack_refuse(store, count, report);

	at = slots;
	for (uint32_t i = 0; i < argument_count && status == WK_OK; at += wk_slots_of(type->types[i++]))
		if (!wk_value_to_slots(store, &arguments[i], type->types[i], at))
			status = refuse(report, "argument", i, wk_kind_text(wk_kind_of(registry, type->types[i])));
	if (status == WK_OK)
		status = wk_call(func, slots, report);
	at = slots;
	for (uint32_t i = 0; i < result_count && status == WK_OK; at += wk_slots_of(wk_results_of(type)[i++]))
		wk_value_from_slots(registry, wk_results_of(type)[i], at, &results[i]);
	store->exec.stack_top = slots;
	return status;
}

/* Takes the host function's results into the slots. What it did not set is null or zero. */
static enum wk_status take_results(struct wk_caller *caller, const struct wk_deftype *type,
	const struct wk_value *results, uint64_t *slots)
{
	for (uint32_t i = 0; i < type->result_count; i++) {
		wk_valtype result = wk_results_of(type)[i];

		if (!wk_value_to_slots(caller->store, &results[i], result, slots))
			return wk_caller_trap(caller, "a host function gave a result of another type than it declares");
		slots += wk_slots_of(result);
	}
	return WK_OK;
}

enum wk_status wk_call_with_values(void *context, struct wk_caller *caller, uint64_t *slots)
{
	const struct wk_host_func *host = context;
	struct wk_store *store = caller->store;
	const struct wk_registry *registry = store->keep->registry;
	const struct wk_deftype *type = wk_registry_get(registry, host->func.type);
	size_t count = (size_t)type->parameter_count + type->result_count;
	size_t room = (count * sizeof(struct wk_value) + 7) / sizeof(uint64_t);
	uint64_t *taken = wk_stack_take(store, room);
	struct wk_value *arguments = (void *)taken, *results;
	const uint64_t *at = slots;
	enum wk_status status;

	if (!taken)
		return wk_stack_refuse(store, room, NULL);
	results = arguments + type->parameter_count;
	for (uint32_t i = 0; i < type->parameter_count; at += wk_slots_of(type->types[i++]))
		wk_value_from_slots(registry, type->types[i], at, &arguments[i]);
	memset(results, 0, type->result_count * sizeof(*results));
	for (uint32_t i = 0; i < type->result_count; i++)
		results[i].kind = wk_kind_of(registry, wk_results_of(type)[i]);
	status = host->function(host->context, caller, arguments, results);
	if (status == WK_OK)
		status = take_results(caller, type, results, slots);
	store->exec.stack_top = taken;
	return status;
}

static void tell_type(const struct wk_registry *registry, const struct wk_deftype *type, uint32_t *parameter_count,
	enum wk_kind *parameters, uint32_t *result_count, enum wk_kind *results)
{
	if (parameter_count)
		*parameter_count = type->parameter_count;
	if (result_count)
		*result_count = type->result_count;
	for (uint32_t i = 0; parameters && i < type->parameter_count; i++)
		parameters[i] = wk_kind_of(registry, type->types[i]);
	for (uint32_t i = 0; results && i < type->result_count; i++)
		results[i] = wk_kind_of(registry, wk_results_of(type)[i]);
}

void wk_func_type(const struct wk_func *func, uint32_t *parameter_count, enum wk_kind *parameters,
	uint32_t *result_count, enum wk_kind *results)
{
	static const struct wk_deftype empty = { .composite = WK_COMPOSITE_FUNC };
	const struct wk_registry *registry = func ? wk_func_store(func)->keep->registry : NULL;

	tell_type(registry, func ? wk_registry_get(registry, func->type) : &empty, parameter_count, parameters, result_count,
		results);
}

bool wk_module_function_type(const struct wk_module *module, const char *name, uint32_t *parameter_count,
	enum wk_kind *parameters, uint32_t *result_count, enum wk_kind *results)
{
	struct wk_span wanted = wk_span_of_text(name);

	for (uint32_t i = 0; i < module->export_count; i++) {
		const struct wk_export *export = &module->exports[i];

		if (export->kind != WK_EXTERN_FUNC || !wk_span_equal(export->name, wanted))
			continue;
		tell_type(module->registry, wk_module_func_type(module, export->index), parameter_count, parameters, result_count,
			results);
		return true;
	}
	return false;
}
