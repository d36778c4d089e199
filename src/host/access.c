/* SPDX-License-Identifier: Apache-2.0
 *
 * What embedders and host functions see of instances: exports, memories, globals, tables, and the call in progress.
 *
 * wk_guest_pointer is the one function that turns a guest's address into a pointer. Everything here is a lookup or a
 * check and a copy; nothing allocates.
 */
#include "base/checked.h"
#include "host/values.h"
#include "runtime/operations.h"

/* ---- exports ---- */

static void *export_of(struct wk_instance *instance, const char *name, enum wk_extern kind)
{
	struct wk_external external;

	if (!instance || !name || !wk_instance_export(instance, wk_span_of_text(name), &external) ||
		external.kind != kind)
		return NULL;
	switch (kind) {
	case WK_EXTERN_FUNC: return external.of.func;
	case WK_EXTERN_TABLE: return external.of.table;
	case WK_EXTERN_MEMORY: return external.of.memory;
	case WK_EXTERN_GLOBAL: return external.of.global;
	case WK_EXTERN_TAG: return external.of.tag;
	}
	return NULL;
}

struct wk_func *wk_instance_function(struct wk_instance *instance, const char *name)
{
	return export_of(instance, name, WK_EXTERN_FUNC);
}

struct wk_memory *wk_instance_memory(struct wk_instance *instance, const char *name)
{
	return export_of(instance, name, WK_EXTERN_MEMORY);
}

struct wk_global *wk_instance_global(struct wk_instance *instance, const char *name)
{
	return export_of(instance, name, WK_EXTERN_GLOBAL);
}

struct wk_table *wk_instance_table(struct wk_instance *instance, const char *name)
{
	return export_of(instance, name, WK_EXTERN_TABLE);
}

/* ---- memories ---- */

void *wk_guest_pointer(struct wk_memory *memory, uint64_t address, uint64_t count, size_t size)
{
	/* What a pointer to no bytes of a memory without pages points to; nobody reads or writes it. */
	static const uint8_t nothing;
	uint64_t bytes;

	if (!memory || __builtin_mul_overflow(count, (uint64_t)size, &bytes))
		return NULL;
	if (!wk_range_fits(address, bytes, memory->linear.size) &&
		(!wk_range_fits(address, bytes, memory->minimum) || !wk_memory_complete(memory)))
		return NULL;
	return memory->linear.base ? memory->linear.base + address : (void *)(uintptr_t)&nothing;
}

uint64_t wk_memory_size(const struct wk_memory *memory)
{
	if (!memory)
		return 0;
	return memory->linear.size > memory->minimum ? memory->linear.size : memory->minimum;
}

void *wk_memory_view(struct wk_memory *memory, uint64_t address, uint64_t size)
{
	return wk_guest_pointer(memory, address, size, 1);
}

enum wk_status wk_memory_read(struct wk_memory *memory, uint64_t address, void *to, size_t size)
{
	const void *from = wk_guest_pointer(memory, address, size, 1);

	if (!from || (!to && size != 0))
		return WK_BAD_ARGUMENT;
	if (size != 0)
		memcpy(to, from, size);
	return WK_OK;
}

enum wk_status wk_memory_write(struct wk_memory *memory, uint64_t address, const void *from, size_t size)
{
	void *to = wk_guest_pointer(memory, address, size, 1);

	if (!to || (!from && size != 0))
		return WK_BAD_ARGUMENT;
	if (size != 0)
		memcpy(to, from, size);
	return WK_OK;
}

/* ---- globals and tables ---- */

void wk_global_get(const struct wk_global *global, struct wk_value *value)
{
	if (global && value)
		wk_value_from_slots(global->store->keep->registry, global->type.type, global->slots, value);
}

enum wk_status wk_global_set(struct wk_global *global, const struct wk_value *value)
{
	if (!global || !value || !global->type.mutable_ ||
		!wk_value_to_slots(global->store, value, global->type.type, global->slots))
		return WK_BAD_ARGUMENT;
	return WK_OK;
}

uint64_t wk_table_size(const struct wk_table *table)
{
	return table ? table->size : 0;
}

enum wk_status wk_table_get(const struct wk_table *table, uint64_t index, struct wk_value *value)
{
	if (!table || !value || index >= table->size)
		return WK_BAD_ARGUMENT;
	wk_value_from_slots(table->store->keep->registry, table->type.element, &table->elements[index], value);
	return WK_OK;
}

enum wk_status wk_table_set(struct wk_table *table, uint64_t index, const struct wk_value *value)
{
	if (!table || !value || index >= table->size ||
		!wk_value_to_slots(table->store, value, table->type.element, &table->elements[index]))
		return WK_BAD_ARGUMENT;
	return WK_OK;
}

/* ---- the call in progress ---- */

struct wk_store *wk_caller_store(struct wk_caller *caller)
{
	return caller ? caller->store : NULL;
}

struct wk_instance *wk_caller_instance(struct wk_caller *caller)
{
	return caller ? caller->instance : NULL;
}

struct wk_memory *wk_caller_memory(struct wk_caller *caller)
{
	return caller && caller->instance ? caller->instance->main_memory : NULL;
}

enum wk_status wk_caller_trap(struct wk_caller *caller, const char *text)
{
	struct wk_exec *exec;

	if (!caller)
		return WK_TRAP;
	exec = &caller->store->exec;
	exec->trap = WK_TRAP_HOST;
	if (exec->report && exec->report->status == WK_OK) {
		wk_report_set(exec->report, WK_TRAP, WK_NO_OFFSET, WK_NO_FUNCTION, "trap: %s",
			text ? text : wk_trap_text(WK_TRAP_HOST));
		exec->report->trap = WK_TRAP_HOST;
	}
	return WK_TRAP;
}

enum wk_status wk_caller_exit(struct wk_caller *caller, uint32_t code)
{
	if (caller)
		caller->store->exec.exit_code = code;
	return WK_EXIT;
}
