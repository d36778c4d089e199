/* SPDX-License-Identifier: Apache-2.0
 *
 * Made-up imports, and the hash of what a run did. Nothing here depends on addresses, so two runs of one module give the
 * same number.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "format/limits.h"
#include "runtime/operations.h"

struct harness {
	const struct harness_options *options;
	struct wk_module *module;
	struct wk_store *store;
	struct wk_linker *linker;
	struct wk_instance *instance;
	uint64_t hash;
	bool out_of_fuel;
	struct import { struct harness *harness; const struct wk_deftype *type; } *imports;
};

/* The part of a slot that means something; of a reference whether it is null. */
static uint64_t slot_bits(wk_valtype type, uint64_t slot)
{
	if (wk_is_ref(type))
		return slot != 0;
	return type == WK_TYPE_I32 || type == WK_TYPE_F32 ? (uint32_t)slot : slot;
}

static uint64_t mix_slots(uint64_t hash, const wk_valtype *types, uint32_t count, const uint64_t *slots)
{
	for (uint32_t i = 0; i < count; i++) {
		hash = harness_mix(hash, slot_bits(types[i], slots[0]));
		if (types[i] == WK_TYPE_V128)
			hash = harness_mix(hash, slots[1]);
		slots += wk_slots_of(types[i]);
	}
	return hash;
}

/* A value of a type: small and large integers, ordinary floats, null. */
static void make_value(wk_valtype type, uint64_t seed, uint64_t *slots)
{
	double number = (double)(int16_t)seed / 8;
	float single = (float)number;
	uint32_t single_bits = 0;
	slots[0] = seed & 1 ? seed & 0xff : seed * UINT64_C(0x9e3779b97f4a7c15);
	if (wk_is_ref(type)) {
		slots[0] = 0;
	} else if (type == WK_TYPE_I32) {
		slots[0] = (uint32_t)slots[0];
	} else if (type == WK_TYPE_F32) {
		memcpy(&single_bits, &single, sizeof single_bits);
		slots[0] = single_bits;
	} else if (type == WK_TYPE_F64) {
		memcpy(slots, &number, sizeof number);
	} else if (type == WK_TYPE_V128) {
		slots[1] = seed;
	}
}

static void make_values(const wk_valtype *types, uint32_t count, uint64_t seed, uint64_t *slots)
{
	for (uint32_t i = 0; i < count; i++) {
		seed = harness_mix(seed, i + 1);
		make_value(types[i], seed >> 16, slots);
		slots += wk_slots_of(types[i]);
	}
}

static bool makes_non_null(const wk_valtype *types, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (wk_is_ref(types[i]) && !wk_is_nullable(types[i]))
			return true;
	return false;
}

/* ---- imports ---- */

static enum wk_status imported(void *context, struct wk_caller *caller, uint64_t *slots)
{
	struct import *import = context;
	const struct wk_deftype *type = import->type;
	(void)caller;
	uint64_t seed = mix_slots(type->id, type->types, type->parameter_count, slots);
	import->harness->hash = harness_mix(import->harness->hash, seed);
	make_values(wk_results_of(type), type->result_count, seed, slots);
	return WK_OK;
}

/* The letters of wk_linker_define_slots; false: a type that has none. */
static bool letters_of(const wk_valtype *types, uint32_t count, char *letters)
{
	for (uint32_t i = 0; i < count; i++) {
		switch (types[i]) {
		case WK_TYPE_I32: letters[i] = 'i'; break;
		case WK_TYPE_I64: letters[i] = 'I'; break;
		case WK_TYPE_F32: letters[i] = 'f'; break;
		case WK_TYPE_F64: letters[i] = 'F'; break;
		case WK_TYPE_V128: letters[i] = 'V'; break;
		case WK_TYPE_FUNCREF: letters[i] = 'r'; break;
		case WK_TYPE_EXTERNREF: letters[i] = 'x'; break;
		default: return false;
		}
	}
	return true;
}

static bool define_function(struct harness *h, uint32_t at, const char *module_name, const char *name)
{
	const struct wk_deftype *type = wk_module_func_type(h->module, h->module->imports[at].index);
	char signature[WK_MAX_PARAMETERS + WK_MAX_RESULTS + 2];
	if (!letters_of(type->types, type->parameter_count, signature))
		return false;
	signature[type->parameter_count] = ':';
	char *results = signature + type->parameter_count + 1;
	if (!letters_of(wk_results_of(type), type->result_count, results))
		return false;
	results[type->result_count] = 0;
	h->imports[at] = (struct import){ h, type };
	return wk_linker_define_slots(h->linker, module_name, name, signature, imported, &h->imports[at]) == WK_OK;
}

static bool define_import(struct harness *h, uint32_t at)
{
	const struct wk_module *module = h->module;
	const struct wk_import *import = &module->imports[at];
	struct wk_external external = { .kind = import->kind };
	uint64_t slots[2] = { 0, 0 };
	enum wk_status status = WK_UNLINKABLE;
	char module_name[64], name[64];
	/* A name with a NUL or a long one cannot be defined; such modules are few. */
	if (import->module.size >= sizeof module_name || import->name.size >= sizeof name)
		return false;
	wk_format(module_name, sizeof module_name, "%S", &import->module);
	wk_format(name, sizeof name, "%S", &import->name);
	switch (import->kind) {
	case WK_EXTERN_FUNC:
		return define_function(h, at, module_name, name);
	case WK_EXTERN_TABLE:
		status = wk_table_new(h->store, &module->tables[import->index].type,
			module->tables[import->index].type.limits.minimum, &external.of.table);
		break;
	case WK_EXTERN_MEMORY:
		status = wk_memory_new(h->store, &module->memories[import->index], &external.of.memory);
		break;
	case WK_EXTERN_GLOBAL:
		make_value(module->globals[import->index].type.type, at, slots);
		status = wk_global_new(h->store, &module->globals[import->index].type, slots, &external.of.global);
		break;
	case WK_EXTERN_TAG:
		return false;
	}
	return status == WK_OK && wk_linker_define(h->linker, module_name, name, external) == WK_OK;
}

/* ---- running ---- */

static void mix_outcome(struct harness *h, enum wk_status status, const struct wk_report *report)
{
	h->hash = harness_mix(h->hash, status);
	if (status != WK_TRAP)
		return;
	h->hash = harness_mix(h->hash, report->trap);
	if (report->trap == WK_TRAP_FUEL_EXHAUSTED)
		h->out_of_fuel = true;
}

static void refuel(struct harness *h)
{
	if (h->options->metering && wk_store_set_fuel(h->store, h->options->fuel) != WK_OK)
		abort();
	struct wk_global *fuel = h->options->guest_fuel != 0 ? wk_instance_global(h->instance, "fuel") : NULL;
	if (fuel != NULL)
		fuel->slots[0] = (uint32_t)h->options->guest_fuel;
}

static void call_function(struct harness *h, uint32_t function, uint64_t seed)
{
	static uint64_t slots[2 * (WK_MAX_PARAMETERS + WK_MAX_RESULTS)];
	struct wk_report report;
	const struct wk_deftype *type = wk_module_func_type(h->module, function);
	if (makes_non_null(type->types, type->parameter_count))
		return;
	make_values(type->types, type->parameter_count, seed, slots);
	refuel(h);
	wk_report_clear(&report);
	enum wk_status status = wk_call(wk_instance_func(h->instance, function), slots, &report);
	mix_outcome(h, status, &report);
	if (status == WK_OK)
		h->hash = mix_slots(h->hash, wk_results_of(type), type->result_count, slots);
}

static void call_exports(struct harness *h)
{
	for (unsigned round = 0; round < h->options->rounds; round++)
		for (uint32_t i = 0; i < h->module->export_count; i++)
			if (h->module->exports[i].kind == WK_EXTERN_FUNC)
				call_function(h, h->module->exports[i].index, round * 1000 + i);
}

static void mix_state(struct harness *h)
{
	for (uint32_t i = 0; i < h->module->memory_count; i++) {
		const struct wk_linear *linear = &h->instance->memories[i]->linear;
		h->hash = harness_mix(h->hash, linear->size);
		for (uint64_t at = 0; at + 8 <= linear->size; at += 8) {
			uint64_t word = 0;
			memcpy(&word, linear->base + at, 8);
			if (word != 0) /* few are */
				h->hash = harness_mix(harness_mix(h->hash, at), word);
		}
	}
	for (uint32_t i = 0; i < h->module->global_count; i++) {
		const struct wk_global *global = h->instance->globals[i];
		h->hash = mix_slots(h->hash, &global->type.type, 1, global->slots);
	}
	for (uint32_t i = 0; i < h->module->table_count; i++) {
		const struct wk_table *table = h->instance->tables[i];
		h->hash = harness_mix(h->hash, table->size);
		for (uint64_t n = 0; n < table->size && n < 100000; n++)
			h->hash = harness_mix(h->hash, table->elements[n] != 0);
	}
}

static bool run_in_store(struct harness *h)
{
	struct wk_report report;
	for (uint32_t i = 0; i < h->module->import_count; i++)
		if (!define_import(h, i))
			return false;
	if (h->options->metering && wk_store_set_fuel(h->store, h->options->fuel) != WK_OK)
		abort();
	wk_report_clear(&report);
	enum wk_status status = wk_linker_instantiate(h->linker, h->module, &report, &h->instance);
	mix_outcome(h, status, &report);
	if (status != WK_OK)
		return status == WK_TRAP || status == WK_EXCEPTION; /* of the start function or a segment */
	call_exports(h);
	mix_state(h);
	return true;
}

bool harness_run(struct wk_keep *keep, struct wk_module *module, const struct harness_options *options, uint64_t *hash,
	bool *out_of_fuel)
{
	struct harness h = { .options = options, .module = module, .hash = HARNESS_HASH_START };
	struct wk_store_config config = {
		.stack_size = 256 * 1024, .fuel = options->metering, .memory_limit = options->memory_limit,
	};
	bool ran = false;
	h.imports = calloc(module->import_count + 1, sizeof *h.imports);
	if (h.imports != NULL && wk_store_new(keep, &config, &h.store) == WK_OK
		&& wk_linker_new(h.store, &h.linker) == WK_OK)
		ran = run_in_store(&h);
	if (h.linker != NULL)
		wk_linker_delete(h.linker);
	if (h.store != NULL)
		wk_store_delete(h.store);
	free(h.imports);
	*hash = h.hash;
	*out_of_fuel = h.out_of_fuel;
	return ran;
}
