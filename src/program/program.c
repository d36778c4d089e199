/* SPDX-License-Identifier: Apache-2.0
 *
 * A module run as a program: the steps that the tool and the Trusted Application have in common. They are those of any
 * embedder, and use the public interface but for a look at what the module declares.
 *
 * What always holds: the linker is gone once the instance is there, since nobody asks it any more.
 */
#include <wasmkeep/program.h>

#include "host/host.h"

struct wk_program {
	struct wk_keep *keep;
	struct wk_module *module;      /* the instance holds a reference; before there is one, the caller does */
	struct wk_store *store;
	struct wk_linker *linker;      /* until instantiation */
	struct wk_wasi *wasi;          /* NULL: not imported */
	struct wk_instance *instance;
	bool translate, metering, initialized;
};

static bool imports_wasi(const struct wk_module *module)
{
	const struct wk_span prefix = wk_span_of_text("wasi_");

	for (uint32_t i = 0; i < module->import_count; i++) {
		struct wk_span name = module->imports[i].module;

		if (name.size > prefix.size && memcmp(name.data, prefix.data, prefix.size) == 0)
			return true;
	}
	return false;
}

static bool exports_functions(const struct wk_module *module)
{
	for (uint32_t i = 0; i < module->export_count; i++)
		if (module->exports[i].kind == WK_EXTERN_FUNC)
			return true;
	return false;
}

/* A module that starts larger than it may ever be is told so here, where the limit has a name. */
static enum wk_status check_memories(const struct wk_module *module, uint64_t limit, struct wk_report *report)
{
	uint64_t sum = 0;

	for (uint32_t i = module->imported_memories; limit != 0 && i < module->memory_count; i++) {
		const struct wk_memory_type *type = &module->memories[i];

		/* Validated: at most 2^64 bytes, which is 0 here and cannot be had either way. */
		if (type->limits.minimum > UINT64_MAX >> type->page_log2 ||
			__builtin_add_overflow(sum, type->limits.minimum << type->page_log2, &sum))
			sum = UINT64_MAX;
		if (sum > limit)
			return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
				"the module's memories start with %llu bytes, and the limit (--max-memory) is %llu", (unsigned long long)sum,
				(unsigned long long)limit);
	}
	return WK_OK;
}

static enum wk_status link_wasi(struct wk_program *program, const struct wk_wasi_config *config, struct wk_report *report)
{
	enum wk_status status = wk_wasi_new(program->store, config, report, &program->wasi);

	return status == WK_OK ? wk_wasi_define(program->wasi, program->linker, program->module) : status;
}

enum wk_status wk_program_new(struct wk_keep *keep, struct wk_module *module, const struct wk_program_config *config,
	struct wk_report *report, struct wk_program **program)
{
	static const struct wk_program_config defaults;
	struct wk_program *made;
	enum wk_status status;

	if (!keep || !module || !program)
		return WK_BAD_ARGUMENT;
	if (!config)
		config = &defaults;
	status = check_memories(module, config->store.memory_limit, report);
	if (status != WK_OK)
		return status;
	made = wk_alloc(&keep->stores, sizeof *made);
	if (!made)
		return wk_budget_refuse(&keep->stores, sizeof *made, report);
	*made = (struct wk_program){ .keep = keep, .module = module, .translate = config->translate,
		.metering = config->store.fuel };
	status = wk_store_new(keep, &config->store, &made->store);
	if (status == WK_OK && config->store.fuel)
		status = wk_store_set_fuel(made->store, config->fuel);
	if (status == WK_OK)
		status = wk_linker_new(made->store, &made->linker);
	if (status == WK_OK && imports_wasi(module))
		status = link_wasi(made, config->wasi, report);
	if (status != WK_OK) {
		wk_program_delete(made);
		if (status == WK_NO_MEMORY) /* not said yet: a report keeps what came first */
			status = wk_budget_refuse(&keep->stores, sizeof *made, report);
		return status;
	}
	*program = made;
	return WK_OK;
}

enum wk_status wk_program_instantiate(struct wk_program *program, struct wk_report *report)
{
	enum wk_status status;

	if (!program || !program->linker)
		return WK_BAD_ARGUMENT;
	status = wk_linker_instantiate(program->linker, program->module, report, &program->instance);
	wk_linker_delete(program->linker);
	program->linker = NULL;
	if (status == WK_OK && program->translate)
		status = wk_module_translate(program->module, program->metering, report);
	return status;
}

static enum wk_status initialize(struct wk_program *program, struct wk_func *wanted, struct wk_report *report)
{
	struct wk_func *function = wk_instance_function(program->instance, "_initialize");

	program->initialized = true;
	if (!function || function == wanted)
		return WK_OK;
	return wk_func_call(function, NULL, 0, NULL, 0, report);
}

enum wk_status wk_program_call(struct wk_program *program, const char *name, const struct wk_value *arguments,
	size_t argument_count, struct wk_value *results, size_t result_count, struct wk_report *report)
{
	struct wk_func *function;
	enum wk_status status = WK_OK;

	if (!program || !program->instance)
		return WK_BAD_ARGUMENT;
	function = wk_instance_function(program->instance, name ? name : "_start");
	/* Without any function the start section was the program. */
	if (!function && !name && !exports_functions(program->module))
		return WK_OK;
	if (!function)
		return wk_report_set(report, WK_NOT_FOUND, WK_NO_OFFSET, WK_NO_FUNCTION, "the module exports no function '%s'",
			name ? name : "_start");
	if (name && !program->initialized)
		status = initialize(program, function, report);
	return status == WK_OK ? wk_func_call(function, arguments, argument_count, results, result_count, report) : status;
}

struct wk_store *wk_program_store(struct wk_program *program)
{
	return program ? program->store : NULL;
}

struct wk_instance *wk_program_instance(struct wk_program *program)
{
	return program ? program->instance : NULL;
}

void wk_program_delete(struct wk_program *program)
{
	if (!program)
		return;
	wk_linker_delete(program->linker);
	wk_wasi_delete(program->wasi);
	wk_store_delete(program->store);
	wk_free(&program->keep->stores, program, sizeof *program);
}
