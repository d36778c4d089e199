/* SPDX-License-Identifier: Apache-2.0
 *
 * The server of the core test suite: see spec_serve.h. It judges nothing, it only tells.
 *
 * It does things where the Trusted Application does them (src/remote/session.c): modules are loaded on the caller's stack,
 * and what may run guests runs on theirs.
 *
 * What always holds: a request is copied before it is looked at.
 */
#include "spec/spec_serve.h"

#include "remote/bytes.h"
#include "remote/task.h"

static const uint32_t never;

void spec_server_init(struct spec_server *server, const struct spec_host *host)
{
	*server = (struct spec_server){ .host = host, .interrupt = &never };
}

void spec_server_end(struct spec_server *server)
{
	for (uint32_t i = 0; i < server->item_count; i++)
		wk_module_release(server->items[i].module);
	if (server->keep)
		wk_free(&server->keep->stores, server->items, server->item_count * sizeof *server->items);
	wk_linker_delete(server->linker);
	wk_store_delete(server->store);
	wk_keep_delete(server->keep);
	spec_server_init(server, server->host);
}

static enum wk_status refuse(struct spec_server *server, enum wk_status status, const char *text)
{
	return wk_report_set(&server->report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "%s", text);
}

/* ---- the guests' stack ---- */

static void inside(void *context)
{
	struct spec_server *server = context;

	server->status = server->run(server);
	wk_port_coroutine_leave(&server->coroutine);
}

static enum wk_status on_guests_stack(struct spec_server *server, enum wk_status (*run)(struct spec_server *server))
{
	server->run = run;
	wk_port_coroutine_init(&server->coroutine, server->host->stack, server->host->stack_size, inside, server);
	wk_port_coroutine_enter(&server->coroutine);
	return server->status;
}

static enum wk_status make_store(struct spec_server *server)
{
	const struct wk_store_config config = { .native_depth = server->host->native_depth };
	enum wk_status status = wk_store_new(server->keep, &config, &server->store);

	if (status == WK_OK)
		status = wk_linker_new(server->store, &server->linker);
	return status == WK_OK ? spec_spectest_define(server->store, server->linker) : status;
}

static enum wk_status make_instance(struct spec_server *server)
{
	return wk_linker_instantiate(server->linker, server->items[server->number].module, &server->report,
		&server->items[server->new_number].instance);
}

static enum wk_status call(struct spec_server *server)
{
	return wk_func_call(server->func, server->arguments, server->argument_count, server->results, server->result_count,
		&server->report);
}

/* ---- numbers ---- */

static bool make_room(struct spec_server *server, uint32_t number)
{
	uint32_t count = server->item_count ? server->item_count : 8;
	struct spec_item *items;

	if (number >= SPEC_NUMBERS)
		return false;
	while (count <= number)
		count *= 2;
	if (count == server->item_count)
		return true;
	items = wk_resize(&server->keep->stores, server->items, server->item_count * sizeof *items, count * sizeof *items);
	if (!items)
		return false;
	server->items = items;
	server->item_count = count;
	return true;
}

static struct wk_instance *instance_of(const struct spec_server *server, uint32_t number)
{
	return number < server->item_count ? server->items[number].instance : NULL;
}

/* ---- operations ---- */

static enum wk_status begin(struct spec_server *server)
{
	const struct wk_keep_config config = { .provider = server->host->provider };
	enum wk_status status;

	spec_server_end(server);
	wk_report_clear(&server->report);
	status = wk_keep_new(&config, &server->keep);
	return status == WK_OK ? on_guests_stack(server, make_store) : status;
}

/* Loads as the Trusted Application does: into the keep's own bytes, which go with the module. */
static enum wk_status load(struct spec_server *server, const uint8_t *request, size_t size)
{
	uint32_t number;
	void *bytes = NULL;
	enum wk_status status = WK_OK;

	if (size < sizeof number)
		return refuse(server, WK_BAD_ARGUMENT, "a short request");
	memcpy(&number, request, sizeof number);
	request += sizeof number;
	size -= sizeof number;
	if (!make_room(server, number) || server->items[number].module)
		return refuse(server, WK_BAD_ARGUMENT, "no room for a module of this number");
	server->number = number;
	if (size == 0)
		return wk_module_load(server->keep, NULL, 0, WK_LOAD_COPY, &server->report, &server->items[number].module);
	status = wk_module_bytes(server->keep, size, &server->report, &bytes);
	if (status != WK_OK)
		return status;
	memcpy(bytes, request, size);
	status = wk_module_load(server->keep, bytes, size, WK_LOAD_GIVE, &server->report, &server->items[number].module);
	if (status == WK_OK && server->host->loaded)
		status = server->host->loaded(&server->items[number].module, &server->report);
	return status;
}

static enum wk_status release(struct spec_server *server, struct wk_reader *r)
{
	uint32_t number = wk_read32(r);

	if (number >= server->item_count || !server->items[number].module)
		return refuse(server, WK_BAD_ARGUMENT, "no module of this number");
	wk_module_release(server->items[number].module);
	server->items[number].module = NULL;
	return WK_OK;
}

static enum wk_status instantiate(struct spec_server *server, struct wk_reader *r)
{
	server->number = wk_read32(r);
	server->new_number = wk_read32(r);
	if (server->number >= server->item_count || !server->items[server->number].module)
		return refuse(server, WK_BAD_ARGUMENT, "no module of this number");
	if (!make_room(server, server->new_number) || server->items[server->new_number].instance)
		return refuse(server, WK_BAD_ARGUMENT, "no room for an instance of this number");
	return on_guests_stack(server, make_instance);
}

static struct wk_span read_name(struct wk_reader *r)
{
	uint32_t size = wk_read32(r);
	const uint8_t *name = wk_read(r, size);

	return wk_span(name, name ? size : 0);
}

static enum wk_status register_(struct spec_server *server, struct wk_reader *r)
{
	struct wk_instance *instance = instance_of(server, wk_read32(r));
	struct wk_span name = read_name(r);
	char text[256];

	if (!instance || name.size >= sizeof text)
		return refuse(server, WK_BAD_ARGUMENT, "no instance of this number, or a long name");
	if (name.size != 0)
		memcpy(text, name.data, name.size);
	text[name.size] = 0;
	return wk_linker_define_instance(server->linker, text, instance);
}

static bool find_export(struct spec_server *server, struct wk_reader *r, enum wk_extern kind,
	struct wk_external *external)
{
	struct wk_instance *instance = instance_of(server, wk_read32(r));

	return instance && wk_instance_export(instance, read_name(r), external) && external->kind == kind;
}

_Static_assert(sizeof(((struct wk_value *)0)->of) == 16, "a value is two slots");

static void read_arguments(struct spec_server *server, struct wk_reader *r)
{
	for (uint32_t i = 0; i < server->argument_count; i++) {
		server->arguments[i].kind = (enum wk_kind)wk_read32(r);
		(void)wk_read32(r);
		for (size_t n = 0; n < 2; n++) {
			uint64_t slot = wk_read64(r);
			memcpy((uint8_t *)&server->arguments[i].of + n * sizeof slot, &slot, sizeof slot);
		}
	}
}

static enum wk_status invoke(struct spec_server *server, struct wk_reader *r)
{
	struct wk_budget *budget = &server->keep->stores;
	struct wk_external external;
	enum wk_status status;

	if (!find_export(server, r, WK_EXTERN_FUNC, &external))
		return refuse(server, WK_NOT_FOUND, "no such function");
	server->func = external.of.func;
	server->argument_count = wk_read32(r);
	if (server->argument_count > SPEC_CALL_MAX / sizeof(struct spec_value))
		return refuse(server, WK_BAD_ARGUMENT, "too many arguments");
	wk_func_type(server->func, NULL, NULL, &server->result_count, NULL);
	server->arguments = wk_alloc_array(budget, server->argument_count, sizeof *server->arguments);
	server->results = wk_alloc_array(budget, server->result_count, sizeof *server->results);
	if (!server->arguments || !server->results) {
		status = wk_budget_refuse(budget, server->result_count * sizeof *server->results, &server->report);
	} else {
		read_arguments(server, r);
		wk_store_interrupt_from(server->store, server->interrupt);
		status = on_guests_stack(server, call);
		wk_store_interrupt_from(server->store, &never);
	}
	wk_free(budget, server->arguments, server->arguments ? server->argument_count * sizeof *server->arguments : 0);
	server->arguments = NULL;
	return status;
}

static enum wk_status get(struct spec_server *server, struct wk_reader *r)
{
	struct wk_external external;

	if (!find_export(server, r, WK_EXTERN_GLOBAL, &external))
		return refuse(server, WK_NOT_FOUND, "no such global");
	server->result_count = 1;
	server->results = wk_alloc_array(&server->keep->stores, 1, sizeof *server->results);
	if (!server->results)
		return wk_budget_refuse(&server->keep->stores, sizeof *server->results, &server->report);
	wk_global_get(external.of.global, server->results);
	return WK_OK;
}

/* ---- requests and answers ---- */

/* All that is no module: a copy is made, read and freed. */
static enum wk_status serve_copy(struct spec_server *server, uint32_t operation, const uint8_t *request, size_t size)
{
	struct wk_budget *budget = &server->keep->stores;
	uint8_t *copy = size <= SPEC_CALL_MAX ? wk_alloc(budget, size) : NULL;
	struct wk_reader r = { copy, copy ? copy + size : NULL, false };
	enum wk_status status;

	if (!copy)
		return wk_budget_refuse(budget, size, &server->report);
	if (size != 0)
		memcpy(copy, request, size);
	switch (operation) {
	case SPEC_RELEASE: status = release(server, &r); break;
	case SPEC_INSTANTIATE: status = instantiate(server, &r); break;
	case SPEC_REGISTER: status = register_(server, &r); break;
	case SPEC_INVOKE: status = invoke(server, &r); break;
	case SPEC_GET: status = get(server, &r); break;
	default: status = refuse(server, WK_BAD_ARGUMENT, "no such operation"); break;
	}
	wk_free(budget, copy, size);
	return status;
}

static enum wk_status serve(struct spec_server *server, uint32_t operation, const uint8_t *request, size_t size)
{
	if (operation == SPEC_BEGIN)
		return begin(server);
	if (!server->linker)
		return refuse(server, WK_BAD_ARGUMENT, "nothing has begun");
	return operation == SPEC_LOAD ? load(server, request, size) : serve_copy(server, operation, request, size);
}

static void write_name(struct wk_writer *w, struct wk_span name)
{
	wk_write32(w, (uint32_t)name.size);
	wk_write(w, name.data, name.size);
}

/* Names in a row that are the same are told once. */
static void write_imports(struct wk_writer *w, const struct wk_module *module)
{
	uint32_t count = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < module->import_count; i++) {
			if (i != 0 && wk_span_equal(module->imports[i].module, module->imports[i - 1].module))
				continue;
			if (pass == 0)
				count++;
			else
				write_name(w, module->imports[i].module);
		}
		if (pass == 0)
			wk_write32(w, count);
	}
}

static void write_results(struct wk_writer *w, const struct spec_server *server)
{
	wk_write32(w, server->result_count);
	for (uint32_t i = 0; i < server->result_count; i++) {
		struct spec_value value = { .kind = server->results[i].kind };

		memcpy(value.slots, &server->results[i].of, sizeof value.slots);
		wk_write(w, &value, sizeof value);
	}
}

static void write_report(struct wk_writer *w, const struct wk_report *report)
{
	size_t size = wk_report_write(report, w->at + 4, w->room - 4);

	wk_write32(w, (uint32_t)size);
	w->used += size;
}

size_t spec_serve(struct spec_server *server, const uint8_t *request, size_t size, const uint32_t *interrupt,
	uint8_t *reply, size_t room)
{
	struct wk_writer w = { reply, room, 0 };
	uint32_t operation = 0;
	enum wk_status status;

	if (size < sizeof operation)
		return 0;
	memcpy(&operation, request, sizeof operation);
	wk_report_clear(&server->report);
	if (interrupt)
		server->interrupt = interrupt;
	status = serve(server, operation, request + sizeof operation, size - sizeof operation);
	server->interrupt = &never;
	if (server->report.status == WK_OK)
		server->report.status = status;
	write_report(&w, &server->report);
	if (status == WK_OK && operation == SPEC_LOAD)
		write_imports(&w, server->items[server->number].module);
	if (status == WK_OK && server->results)
		write_results(&w, server);
	if (server->results)
		wk_free(&server->keep->stores, server->results, server->result_count * sizeof *server->results);
	server->results = NULL;
	if (w.used <= room)
		return w.used;
	w.used = 0;
	wk_report_clear(&server->report);
	(void)refuse(server, WK_LIMIT, "the answer is too long");
	write_report(&w, &server->report);
	return w.used;
}
