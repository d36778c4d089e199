/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI preview 1: making and deleting the state of a guest, and the door through which every call of a guest comes.
 *
 * All functions have one shape, a handler that gets the argument slots and returns an errno. A single trampoline stands
 * between the engine and the handlers, so that what holds for every call is written once: which memory is meant, what
 * becomes of a pointer that leads outside it, where the errno goes.
 *
 * A pointer outside the memory is a trap, as the preview 1 documents ask for (witx-docs, "Pointers"); one that is not
 * aligned is not, since nothing here needs alignment. A handler checks all its pointers, those for results too, before it
 * does anything, so a call that traps has changed nothing.
 *
 * What always holds: guest memory is touched only through wk_wasi_guest(); numbers that came from it are read once.
 */
#include "base/checked.h"
#include "base/utf8.h"
#include "wasi/internal.h"

#define MODULE_NAME "wasi_snapshot_preview1"

struct function {
	const char *name, *signature;
	wk_wasi_handler *handler;
};

/* What the linker hands back with a call: which function, of which guest. */
struct wk_wasi_binding {
	struct wk_wasi *wasi;
	const struct function *function;
};

#define ROW(name, signature) { #name, signature, wk_wasi_##name },
static const struct function functions[] = { WK_WASI_FUNCTIONS(ROW) };
#undef ROW

_Static_assert(WK_COUNT(functions) == 46, "preview 1 has 46 functions");

/* ---- the door ---- */

static enum wk_status refuse(struct wk_wasi_call *call, const char *name)
{
	char text[96];

	wk_format(text, sizeof text, "%s: %s", name,
		call->memory ? "a pointer leads outside the memory" : "the module has no memory");
	return wk_caller_trap(call->caller, text);
}

static enum wk_status enter(void *context, struct wk_caller *caller, uint64_t *slots)
{
	const struct wk_wasi_binding *binding = context;
	struct wk_wasi_call call = {
		.wasi = binding->wasi,
		.caller = caller,
		.memory = wk_caller_memory(caller),
		.status = WK_OK,
	};
	enum wk_wasi_errno error = binding->function->handler(&call, slots);

	if (call.fault)
		return refuse(&call, binding->function->name);
	if (call.status != WK_OK)
		return call.status;
	slots[0] = error;
	return WK_OK;
}

uint8_t *wk_wasi_guest(struct wk_wasi_call *call, uint64_t slot, uint64_t count, size_t size)
{
	static const uint8_t nothing;
	uint8_t *pointer = NULL;

	if (count == 0)
		return (uint8_t *)(uintptr_t)&nothing; /* never read or written */
	if (call->memory)
		pointer = wk_guest_pointer(call->memory, (uint32_t)slot, count, size);
	if (!pointer)
		call->fault = true;
	return pointer;
}

enum wk_wasi_errno wk_wasi_take_path(struct wk_wasi_call *call, uint64_t address, uint64_t size, unsigned which,
	const char **path)
{
	uint32_t length = (uint32_t)size;
	const uint8_t *bytes = wk_wasi_guest(call, address, length, 1);
	struct wk_wasi *wasi = call->wasi;
	char *copy;

	if (!bytes)
		return WK_WASI_FAULT;
	if (length == 0)
		return WK_WASI_NOENT;
	if (length > WK_WASI_PATH_MAX)
		return WK_WASI_NAMETOOLONG;
	if (!wasi->paths && !(wasi->paths = wk_alloc(wasi->budget, 2 * sizeof *wasi->paths)))
		return WK_WASI_NOMEM;
	copy = wasi->paths[which];
	memcpy(copy, bytes, length);
	copy[length] = 0;
	for (uint32_t i = 0; i < length; i++)
		if (copy[i] == 0)
			return WK_WASI_INVAL;
	if (!wk_utf8_valid(wk_span(copy, length)))
		return WK_WASI_ILSEQ;
	*path = copy;
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_take_pieces(struct wk_wasi_call *call, uint64_t address, uint64_t count, size_t *taken,
	bool *all)
{
	uint32_t vectors = (uint32_t)count;
	const uint8_t *list = NULL;
	uint64_t sum = 0;
	size_t kept = 0;

	*all = true;
	if (vectors > WK_WASI_IOV_MAX)
		return WK_WASI_INVAL;
	list = wk_wasi_guest(call, address, vectors, WK_IOVEC_SIZE);
	if (!list)
		return WK_WASI_FAULT;
	for (uint32_t i = 0; i < vectors; i++) {
		uint32_t data = wk_get32(list + i * WK_IOVEC_SIZE);
		uint32_t size = wk_get32(list + i * WK_IOVEC_SIZE + 4);
		uint8_t *bytes = wk_wasi_guest(call, data, size, 1);

		if (!bytes)
			return WK_WASI_FAULT;
		sum += size;
		if (size == 0)
			continue;
		if (kept == WK_WASI_PIECES) {
			*all = false;
			continue;
		}
		call->wasi->pieces[kept++] = (struct wk_wasi_piece){ bytes, size };
	}
	/* Their sum is what the guest gets back in 32 bits. */
	if (sum > UINT32_MAX)
		return WK_WASI_INVAL;
	*taken = kept;
	return WK_WASI_SUCCESS;
}

/* ---- making and deleting ---- */

static enum wk_status refuse_memory(struct wk_wasi *wasi, size_t size, struct wk_report *report)
{
	return wk_budget_refuse(wasi->budget, size, report);
}

static enum wk_status copy_strings(struct wk_wasi *wasi, const char *const *strings, size_t count,
	struct wk_wasi_strings *to, struct wk_report *report)
{
	size_t size = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		if (wk_add_overflows(size, wk_span_of_text(strings[i]).size + 1, &size))
			size = SIZE_MAX;
	if (count > UINT32_MAX || size > UINT32_MAX)
		return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION, "WASI: arguments or environment too long");
	to->bytes = wk_alloc(wasi->budget, size);
	if (!to->bytes)
		return refuse_memory(wasi, size, report);
	to->count = (uint32_t)count;
	to->size = (uint32_t)size;
	for (size_t i = 0; i < count; i++) {
		struct wk_span text = wk_span_of_text(strings[i]);

		memcpy(to->bytes + at, text.data, text.size + 1);
		at += text.size + 1;
	}
	return WK_OK;
}

static const char *error_text(enum wk_wasi_errno error)
{
	switch (error) {
	case WK_WASI_ACCES: return "permission denied";
	case WK_WASI_BADF: return "not open";
	case WK_WASI_LOOP: return "too many symbolic links";
	case WK_WASI_MFILE:
	case WK_WASI_NFILE: return "too many open files";
	case WK_WASI_NAMETOOLONG: return "name too long";
	case WK_WASI_NOENT: return "no such directory";
	case WK_WASI_NOTDIR: return "not a directory";
	case WK_WASI_NOTSOCK: return "not a socket";
	default: return "the system refuses";
	}
}

static enum wk_status refuse_open(struct wk_report *report, const char *what, const char *name,
	enum wk_wasi_errno error)
{
	return wk_report_set(report, error == WK_WASI_NOMEM ? WK_NO_MEMORY : WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION,
		"WASI: cannot open %s %s: %s", what, name, error_text(error));
}

/* Gives descriptor 0, 1 or 2 to the guest, or reserves its number when the host has none. */
static enum wk_status adopt_stream(struct wk_wasi *wasi, int descriptor, struct wk_report *report)
{
	struct wk_wasi_entry *entry = NULL;
	struct wk_wasi_object object;
	unsigned access = 0;
	uint16_t flags = 0;
	uint32_t fd = 0;
	enum wk_wasi_errno error = wk_wasi_take_fd(wasi, &fd);

	if (error != WK_WASI_SUCCESS)
		return refuse_open(report, "standard stream", "", error);
	entry = &wasi->entries[fd];
	error = descriptor < 0 ? WK_WASI_BADF : wasi->system->adopt(wasi->system->context, descriptor, &object, &access,
		&flags);
	if (error != WK_WASI_SUCCESS) {
		*entry = (struct wk_wasi_entry){ .reserved = true };
		if (error == WK_WASI_BADF)
			return WK_OK;
		return refuse_open(report, "standard stream", "", error);
	}
	entry->object = object;
	entry->flags = flags;
	entry->base = wk_wasi_rights_of(&object);
	if (!(access & WK_WASI_READABLE))
		entry->base &= ~(WK_RIGHT_FD_READ | WK_RIGHT_FD_READDIR);
	if (!(access & WK_WASI_WRITABLE))
		entry->base &= ~WK_RIGHTS_CHANGING;
	/* A directory as standard stream is nobody's wish, and no preopened directory. */
	if (object.type == WK_WASI_DIRECTORY)
		entry->base &= WK_RIGHT_FD_FILESTAT_GET;
	return WK_OK;
}

static enum wk_status open_preopen(struct wk_wasi *wasi, const struct wk_wasi_preopen *preopen, char *name,
	size_t name_size, struct wk_report *report)
{
	struct wk_wasi_entry *entry = NULL;
	uint32_t fd = 0;
	uint64_t mask = preopen->read_only ? ~WK_RIGHTS_CHANGING : ~UINT64_C(0);
	enum wk_wasi_errno error = wk_wasi_take_fd(wasi, &fd);

	if (error == WK_WASI_SUCCESS) {
		entry = &wasi->entries[fd];
		error = wasi->system->open_root(wasi->system->context, preopen->host, &entry->object);
		if (error != WK_WASI_SUCCESS)
			*entry = (struct wk_wasi_entry){ 0 };
	}
	if (error != WK_WASI_SUCCESS)
		return refuse_open(report, "directory", preopen->host, error);
	entry->base = WK_RIGHTS_DIRECTORY & mask;
	entry->inheriting = (WK_RIGHTS_DIRECTORY | WK_RIGHTS_FILE) & mask;
	entry->preopen = name;
	entry->preopen_size = (uint32_t)name_size;
	return WK_OK;
}

static const char *guest_name(const struct wk_wasi_preopen *preopen)
{
	return preopen->guest ? preopen->guest : preopen->host;
}

static enum wk_status open_preopens(struct wk_wasi *wasi, const struct wk_wasi_config *config,
	struct wk_report *report)
{
	size_t size = 0, at = 0;

	for (size_t i = 0; i < config->preopen_count; i++) {
		struct wk_span name = wk_span_of_text(guest_name(&config->preopens[i]));

		if (name.size > WK_WASI_PATH_MAX || !wk_utf8_valid(name))
			return wk_report_set(report, WK_BAD_ARGUMENT, WK_NO_OFFSET, WK_NO_FUNCTION,
				"WASI: the name of a directory for the guest is too long or not UTF-8: %S", &name);
		size += name.size;
	}
	wasi->names = wk_alloc(wasi->budget, size);
	if (!wasi->names)
		return refuse_memory(wasi, size, report);
	wasi->names_size = size;
	for (size_t i = 0; i < config->preopen_count; i++) {
		struct wk_span name = wk_span_of_text(guest_name(&config->preopens[i]));
		enum wk_status status = WK_OK;

		if (name.size != 0)
			memcpy(wasi->names + at, name.data, name.size);
		status = open_preopen(wasi, &config->preopens[i], wasi->names + at, name.size, report);
		if (status != WK_OK)
			return status;
		at += name.size;
	}
	return WK_OK;
}

static enum wk_status adopt_socket(struct wk_wasi *wasi, int descriptor, struct wk_report *report)
{
	struct wk_wasi_object object;
	unsigned access = 0;
	uint16_t flags = 0;
	uint32_t fd = 0;
	char number[16];
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	wk_format(number, sizeof number, "%d", (int32_t)descriptor);
	error = wk_wasi_take_fd(wasi, &fd);
	if (error != WK_WASI_SUCCESS)
		return refuse_open(report, "socket", number, error);
	error = wasi->system->adopt(wasi->system->context, descriptor, &object, &access, &flags);
	if (error != WK_WASI_SUCCESS) {
		wasi->entries[fd] = (struct wk_wasi_entry){ 0 };
		return refuse_open(report, "socket", number, error);
	}
	wasi->entries[fd].object = object;
	wasi->entries[fd].base = wk_wasi_rights_of(&object);
	if (object.type != WK_WASI_SOCKET_STREAM && object.type != WK_WASI_SOCKET_DGRAM)
		return refuse_open(report, "socket", number, WK_WASI_NOTSOCK);
	wasi->entries[fd].inheriting = WK_RIGHTS_SOCKET;
	return WK_OK;
}

static enum wk_status fill(struct wk_wasi *wasi, const struct wk_wasi_config *config, struct wk_report *report)
{
	static const int own_streams[3] = { 0, 1, 2 };
	const int *streams = config->stdio ? config->stdio : own_streams;
	enum wk_status status = copy_strings(wasi, config->arguments, config->argument_count, &wasi->arguments, report);

	if (status == WK_OK)
		status = copy_strings(wasi, config->environment, config->environment_count, &wasi->environment, report);
	/* The streams come first: opening a directory could take the number of one that is closed. */
	for (size_t i = 0; status == WK_OK && i < 3; i++)
		status = adopt_stream(wasi, streams[i], report);
	if (status == WK_OK)
		status = open_preopens(wasi, config, report);
	for (size_t i = 0; status == WK_OK && i < config->socket_count; i++)
		status = adopt_socket(wasi, config->sockets[i], report);
	return status;
}

enum wk_status wk_wasi_new(struct wk_store *store, const struct wk_wasi_config *config, struct wk_report *report,
	struct wk_wasi **out)
{
	static const struct wk_wasi_config nothing;
	struct wk_wasi *wasi = NULL;
	enum wk_status status = WK_OK;

	if (!store || !out)
		return WK_BAD_ARGUMENT;
	if (!config)
		config = &nothing;
	wasi = wk_alloc(&store->keep->wasi, sizeof *wasi);
	if (!wasi)
		return wk_budget_refuse(&store->keep->wasi, sizeof *wasi, report);
	wasi->store = store;
	wasi->budget = &store->keep->wasi;
	wasi->system = config->system ? config->system : wk_wasi_port_system();
	wasi->bindings = wk_alloc_array(wasi->budget, WK_COUNT(functions), sizeof *wasi->bindings);
	if (!wasi->bindings) {
		status = refuse_memory(wasi, WK_COUNT(functions) * sizeof *wasi->bindings, report);
		goto err_wasi;
	}
	for (size_t i = 0; i < WK_COUNT(functions); i++)
		wasi->bindings[i] = (struct wk_wasi_binding){ wasi, &functions[i] };
	status = fill(wasi, config, report);
	if (status != WK_OK)
		goto err_wasi;
	*out = wasi;
	return WK_OK;

err_wasi:
	wk_wasi_delete(wasi);
	return status;
}

/* Which functions the module imports; all, if it is NULL. */
static void find_wanted(const struct wk_module *module, bool wanted[WK_COUNT(functions)])
{
	for (size_t i = 0; i < WK_COUNT(functions); i++)
		wanted[i] = !module;
	for (uint32_t k = 0; module && k < module->import_count; k++) {
		const struct wk_import *import = &module->imports[k];

		if (import->kind != WK_EXTERN_FUNC || !wk_span_equal(import->module, wk_span_of_text(MODULE_NAME)))
			continue;
		for (size_t i = 0; i < WK_COUNT(functions); i++)
			if (!wanted[i] && wk_span_equal(import->name, wk_span_of_text(functions[i].name)))
				wanted[i] = true;
	}
}

enum wk_status wk_wasi_define(struct wk_wasi *wasi, struct wk_linker *linker, const struct wk_module *module)
{
	bool wanted[WK_COUNT(functions)];

	if (!wasi || !linker)
		return WK_BAD_ARGUMENT;
	find_wanted(module, wanted);
	for (size_t i = 0; i < WK_COUNT(functions); i++) {
		if (!wanted[i])
			continue;
		enum wk_status status = wk_linker_define_slots(linker, MODULE_NAME, functions[i].name,
			functions[i].signature, enter, &wasi->bindings[i]);

		if (status != WK_OK)
			return status;
	}
	return WK_OK;
}

void wk_wasi_delete(struct wk_wasi *wasi)
{
	if (!wasi)
		return;
	for (uint32_t fd = 0; fd < wasi->capacity; fd++)
		if (wasi->entries[fd].open)
			wk_wasi_close_entry(wasi, &wasi->entries[fd]);
	wk_free(wasi->budget, wasi->entries, wasi->capacity * sizeof *wasi->entries);
	wk_free(wasi->budget, wasi->paths, 2 * sizeof *wasi->paths);
	wk_free(wasi->budget, wasi->names, wasi->names_size);
	wk_free(wasi->budget, wasi->environment.bytes, wasi->environment.size);
	wk_free(wasi->budget, wasi->arguments.bytes, wasi->arguments.size);
	wk_free(wasi->budget, wasi->bindings, WK_COUNT(functions) * sizeof *wasi->bindings);
	wk_free(wasi->budget, wasi, sizeof *wasi);
}
