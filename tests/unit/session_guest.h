/* SPDX-License-Identifier: Apache-2.0
 *
 * The two sides of a session for tests and fuzzers: a world that answers well, and a guest, written byte by byte. The
 * guest imports all functions of WASI; its "_start" calls each at least once, with the preopened directory 3, what is
 * open as 4 (a socket, or else the first file), and 5.
 *
 *	_start            all of WASI        values: ikfgvx -> the same
 *	ask               asks for ever      count: -> i, how often it was called
 *	write: -> i       writes once        many: -> 1000 i
 *	spin, trap, deep  never come back    refs: -> a function, null
 *	exit              with 7             grow: -> i, the pages it got
 */
#ifndef WK_TESTS_UNIT_SESSION_GUEST_H
#define WK_TESTS_UNIT_SESSION_GUEST_H

#include "api/wasm_builder.h"
#include "remote/session.h"
#include "wasi/internal.h"

#define GUEST_ROW(name, signature) { #name, signature },
static const struct { const char *name, *signature; } guest_imports[] = { WK_WASI_FUNCTIONS(GUEST_ROW) };
#undef GUEST_ROW

/* Where things lie in its memory. */
enum { GUEST_IOV = 0x00, GUEST_A = 0x10, GUEST_BC = 0x20, GUEST_TARGET = 0x30, GUEST_POLL = 0x40, GUEST_TO = 0x800,
	GUEST_BUFFER = 0x1000 };

static const struct { const char *name; int64_t arguments[9]; } guest_script[] = {
	{ "args_sizes_get", { GUEST_TO, GUEST_TO + 8 } },
	{ "args_get", { GUEST_BUFFER, GUEST_BUFFER + 0x800 } },
	{ "environ_sizes_get", { GUEST_TO, GUEST_TO + 8 } },
	{ "environ_get", { GUEST_BUFFER, GUEST_BUFFER + 0x800 } },
	{ "clock_res_get", { 0, GUEST_TO } },
	{ "clock_time_get", { 1, 0, GUEST_TO } },
	{ "random_get", { GUEST_TO, 16 } },
	{ "sched_yield", { 0 } },
	{ "fd_prestat_get", { 3, GUEST_TO } },
	{ "fd_prestat_dir_name", { 3, GUEST_TO, 1 } },
	{ "fd_write", { 1, GUEST_IOV, 2, GUEST_TO } },
	{ "fd_read", { 0, GUEST_IOV, 2, GUEST_TO } },
	{ "path_create_directory", { 3, GUEST_A, 1 } },
	{ "path_open", { 3, 1, GUEST_BC, 3, 1, 0x1fffffff, 0x1fffffff, 0, GUEST_TO } },
	{ "path_open", { 3, 0, GUEST_A, 1, 2, 0x1fffffff, 0x1fffffff, 0, GUEST_TO } },
	{ "path_filestat_get", { 3, 1, GUEST_A, 1, GUEST_TO } },
	{ "path_filestat_set_times", { 3, 0, GUEST_A, 1, 5, 6, 5 } },
	{ "path_symlink", { GUEST_TARGET, 1, 3, GUEST_A, 1 } },
	{ "path_readlink", { 3, GUEST_A, 1, GUEST_BUFFER, 100, GUEST_TO } },
	{ "path_link", { 3, 0, GUEST_A, 1, 3, GUEST_BC, 3 } },
	{ "path_rename", { 3, GUEST_A, 1, 3, GUEST_BC, 3 } },
	{ "fd_readdir", { 3, GUEST_BUFFER, 512, 0, GUEST_TO } },
	{ "fd_filestat_get", { 4, GUEST_TO } },
	{ "fd_filestat_get", { 5, GUEST_TO } },
	{ "fd_fdstat_get", { 4, GUEST_TO } },
	{ "fd_fdstat_set_flags", { 5, 1 } },
	{ "fd_pwrite", { 5, GUEST_IOV, 2, 10, GUEST_TO } },
	{ "fd_pread", { 5, GUEST_IOV, 2, 10, GUEST_TO } },
	{ "fd_write", { 5, GUEST_IOV, 2, GUEST_TO } },
	{ "fd_read", { 5, GUEST_IOV, 2, GUEST_TO } },
	{ "fd_seek", { 5, -3, 2, GUEST_TO } },
	{ "fd_tell", { 5, GUEST_TO } },
	{ "fd_advise", { 5, 0, 10, 1 } },
	{ "fd_allocate", { 5, 0, 10 } },
	{ "fd_filestat_set_size", { 5, 10 } },
	{ "fd_filestat_set_times", { 5, 1, 2, 5 } },
	{ "fd_datasync", { 5 } },
	{ "fd_sync", { 5 } },
	{ "fd_fdstat_set_rights", { 5, 2, 2 } },
	{ "sock_send", { 4, GUEST_IOV, 2, 0, GUEST_TO } },
	{ "sock_recv", { 4, GUEST_IOV, 2, 1, GUEST_TO, GUEST_TO + 8 } },
	{ "sock_accept", { 4, 0, GUEST_TO } },
	{ "sock_shutdown", { 4, 3 } },
	{ "poll_oneoff", { GUEST_POLL, GUEST_BUFFER, 3, GUEST_TO } },
	{ "fd_renumber", { 5, 4 } },
	{ "path_unlink_file", { 3, GUEST_A, 1 } },
	{ "path_remove_directory", { 3, GUEST_A, 1 } },
	{ "fd_close", { 4 } },
	{ "proc_raise", { 99 } },
};

static inline uint32_t guest_import(const char *name)
{
	for (uint32_t i = 0; i < WK_COUNT(guest_imports); i++)
		if (strcmp(guest_imports[i].name, name) == 0)
			return i;
	abort();
}

static inline void guest_constant(struct wasm *w, bool wide, int64_t number)
{
	wasm_byte(w, wide ? 0x42 : 0x41);
	while (number < -64 || number > 63) {
		wasm_byte(w, ((unsigned)number & 0x7f) | 0x80);
		number >>= 7;
	}
	wasm_byte(w, (unsigned)number & 0x7f);
}

/* Calls a function of WASI. Its result stays on the stack. */
static inline void guest_ask(struct wasm *w, const char *name, const int64_t *arguments)
{
	uint32_t index = guest_import(name);
	const char *letters = guest_imports[index].signature;

	for (size_t i = 0; letters[i] != ':'; i++)
		guest_constant(w, letters[i] == 'I', arguments[i]);
	wasm_byte(w, 0x10);
	wasm_number(w, index);
}

static inline void guest_types(struct wasm *w)
{
	wasm_section(w, WASM_TYPES, (uint32_t)WK_COUNT(guest_imports) + 5);
	for (size_t i = 0; i < WK_COUNT(guest_imports); i++) {
		const char *letters = guest_imports[i].signature, *colon = strchr(letters, ':');

		wasm_byte(w, 0x60);
		wasm_number(w, (uint64_t)(colon - letters));
		for (; letters != colon; letters++)
			wasm_byte(w, *letters == 'i' ? WASM_I32 : WASM_I64);
		wasm_number(w, colon[1] != 0);
		if (colon[1])
			wasm_byte(w, WASM_I32);
	}
	wasm_put(w, 0x60, 0, 0);
	wasm_put(w, 0x60, 0, 1, WASM_I32);
	wasm_put(w, 0x60, 6, WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128, WASM_EXTERNREF);
	wasm_put(w, 6, WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128, WASM_EXTERNREF);
	wasm_put(w, 0x60, 0);
	wasm_number(w, 1000);
	for (unsigned i = 0; i < 1000; i++)
		wasm_byte(w, WASM_I32);
	wasm_put(w, 0x60, 0, 2, WASM_FUNCREF, WASM_EXTERNREF);
}

static inline void guest_code(struct wasm *w)
{
	static const int64_t write[] = { 1, GUEST_IOV, 2, GUEST_TO }, seven[] = { 7 };
	const uint32_t deep = (uint32_t)WK_COUNT(guest_imports) + 5;

	wasm_body(w); /* _start */
	for (size_t i = 0; i < WK_COUNT(guest_script); i++) {
		guest_ask(w, guest_script[i].name, guest_script[i].arguments);
		wasm_byte(w, 0x1a);
	}
	wasm_body_end(w);
	wasm_body(w); /* ask */
	wasm_put(w, 0x03, 0x40);
	guest_ask(w, "fd_write", write);
	wasm_put(w, 0x1a, 0x0c, 0, 0x0b);
	wasm_body_end(w);
	wasm_body(w); /* write */
	guest_ask(w, "fd_write", write);
	wasm_body_end(w);
	WASM_BODY(w, 0x03, 0x40, 0x0c, 0, 0x0b); /* spin */
	WASM_BODY(w, 0x00); /* trap */
	wasm_body(w); /* deep */
	wasm_byte(w, 0x10);
	wasm_number(w, deep);
	wasm_body_end(w);
	wasm_body(w); /* exit */
	guest_ask(w, "proc_exit", seven);
	wasm_body_end(w);
	WASM_BODY(w, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x23, 0); /* count */
	WASM_BODY(w, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4, 0x20, 5); /* values */
	wasm_body(w); /* many */
	for (unsigned i = 0; i < 1000; i++)
		guest_constant(w, false, i);
	wasm_body_end(w);
	WASM_BODY(w, 0xd2, 0, 0xd0, WASM_EXTERNREF); /* refs: ref.func 0 is a declared one, see the elements */
	WASM_BODY(w, 0x03, 0x40, 0x41, 1, 0x40, 0, 0x41, 0x7f, 0x47, 0x0d, 0, 0x0b, 0x3f, 0); /* grow */
}

static inline void guest_data(struct wasm *w)
{
	uint8_t data[0x40 + 3 * WK_SUBSCRIPTION_SIZE] = { 0 };

	wk_put32(data + GUEST_IOV, 0x400);
	wk_put32(data + GUEST_IOV + 4, 64);
	wk_put32(data + GUEST_IOV + 8, 0x440);
	wk_put32(data + GUEST_IOV + 12, 32);
	data[GUEST_A] = 'a';
	memcpy(data + GUEST_BC, "b/c", 3);
	data[GUEST_TARGET] = 't';
	data[GUEST_POLL + WK_SUBSCRIPTION_TAG] = WK_EVENT_READ;
	data[GUEST_POLL + WK_SUBSCRIPTION_SIZE + WK_SUBSCRIPTION_TAG] = WK_EVENT_WRITE;
	data[GUEST_POLL + WK_SUBSCRIPTION_SIZE + WK_SUBSCRIPTION_FD] = 1;
	data[GUEST_POLL + 2 * WK_SUBSCRIPTION_SIZE + WK_SUBSCRIPTION_TAG] = WK_EVENT_CLOCK;
	data[GUEST_POLL + 2 * WK_SUBSCRIPTION_SIZE + WK_SUBSCRIPTION_CLOCK] = 1;
	data[GUEST_POLL + 2 * WK_SUBSCRIPTION_SIZE + WK_SUBSCRIPTION_TIMEOUT] = 9;
	wasm_section(w, WASM_DATA, 1);
	wasm_put(w, 0, 0x41, 0, 0x0b);
	wasm_number(w, sizeof data);
	wasm_raw(w, data, sizeof data);
}

static inline void session_guest(struct wasm *w)
{
	static const char *const names[] = { "_start", "ask", "write", "spin", "trap", "deep", "exit", "count", "values",
		"many", "refs", "grow" };
	static const uint8_t types[] = { 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 1 };
	const uint32_t imports = (uint32_t)WK_COUNT(guest_imports);

	wasm_begin(w);
	guest_types(w);
	wasm_section(w, WASM_IMPORTS, imports);
	for (uint32_t i = 0; i < imports; i++) {
		wasm_import(w, "wasi_snapshot_preview1", guest_imports[i].name, WASM_FUNC);
		wasm_number(w, i);
	}
	wasm_section(w, WASM_FUNCTIONS, (uint32_t)WK_COUNT(types));
	for (size_t i = 0; i < WK_COUNT(types); i++)
		wasm_number(w, imports + types[i]);
	wasm_section(w, WASM_MEMORIES, 1);
	wasm_put(w, 1, 1, 64);
	wasm_section(w, WASM_GLOBALS, 1);
	wasm_put(w, WASM_I32, 1, 0x41, 0, 0x0b);
	wasm_section(w, WASM_EXPORTS, (uint32_t)WK_COUNT(names) + 1);
	for (uint32_t i = 0; i < WK_COUNT(names); i++)
		wasm_export(w, names[i], WASM_FUNC, imports + i);
	wasm_export(w, "memory", WASM_MEMORY, 0);
	wasm_section(w, WASM_ELEMENTS, 1);
	wasm_put(w, 3, 0, 1, 0); /* declares function 0 */
	wasm_section(w, WASM_CODE, (uint32_t)WK_COUNT(types));
	guest_code(w);
	guest_data(w);
	wasm_end(w);
}

/* ---- the other world ---- */

/* Not SHA-256, but different for different bytes. */
static inline void session_hash(const void *bytes, size_t size, uint8_t hash[WK_HASH_SIZE])
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < WK_HASH_SIZE; i++)
		hash[i] = (uint8_t)(sum >> 8 * (i % 8)) ^ (uint8_t)i;
}

static inline size_t session_entry(uint8_t *at, uint64_t next, const char *name)
{
	uint16_t size = (uint16_t)strlen(name);

	memset(at, 0, WK_REMOTE_ENTRY);
	memcpy(at, &next, sizeof next);
	memcpy(at + 16, &size, sizeof size);
	at[18] = WK_WASI_REGULAR_FILE;
	memcpy(at + WK_REMOTE_ENTRY, name, size);
	return WK_REMOTE_ENTRY + size;
}

/* Makes a message its own good answer: everything opens, reads give "hello", writes take all. `data`: the window's. */
static inline void session_answer(struct wk_remote_message *m, uint8_t *data)
{
	uint64_t *n = m->number, wanted = m->operation == WK_REMOTE_READ ? n[2] : n[0];
	const uint64_t stat[8] = { 1, 2, 1, 100, 10, 11, 12, WK_WASI_REGULAR_FILE };
	const struct wk_remote_poll ready = { .object = 5, .ready = 1 };
	uint64_t sent = m->size[0];
	uint32_t back = 0;

	switch (m->operation) {
	case WK_REMOTE_ADOPT:
		m->object[0] = n[0];
		n[1] = n[0] > 2 ? WK_REMOTE_WAITS : 0;
		n[0] = n[0] > 2 ? WK_WASI_SOCKET_STREAM : WK_WASI_CHARACTER_DEVICE;
		n[2] = WK_WASI_READABLE | WK_WASI_WRITABLE;
		break;
	case WK_REMOTE_OPEN_ROOT:
		m->object[0] = 10;
		n[0] = WK_WASI_DIRECTORY;
		break;
	case WK_REMOTE_OPEN:
		m->object[0] = 11;
		n[1] = n[0] & WK_REMOTE_DIRECTORY ? 0 : WK_REMOTE_SEEKABLE;
		n[0] = n[0] & WK_REMOTE_DIRECTORY ? WK_WASI_DIRECTORY : WK_WASI_REGULAR_FILE;
		break;
	case WK_REMOTE_ACCEPT:
		m->object[0] = 12;
		n[0] = WK_WASI_SOCKET_STREAM;
		n[1] = WK_REMOTE_WAITS;
		break;
	case WK_REMOTE_READ:
	case WK_REMOTE_RECEIVE:
		back = wanted < 5 ? (uint32_t)wanted : 5;
		memcpy(data, "hello", back);
		n[0] = back;
		n[1] = 0;
		break;
	case WK_REMOTE_WRITE:
	case WK_REMOTE_SEND:
		n[0] = sent;
		break;
	case WK_REMOTE_SEEK:
		n[0] = 5;
		break;
	case WK_REMOTE_STAT:
	case WK_REMOTE_PATH_STAT:
		memcpy(n, stat, sizeof stat);
		break;
	case WK_REMOTE_READ_DIRECTORY:
		back = (uint32_t)session_entry(data, n[0] + 1, "one");
		back += (uint32_t)session_entry(data + back, n[0] + 2, "another");
		n[0] = 0;
		break;
	case WK_REMOTE_READLINK:
		data[0] = 't';
		back = 1;
		break;
	case WK_REMOTE_POLL:
		for (uint64_t i = 0; i < n[0]; i++)
			memcpy(data + i * sizeof ready, &ready, sizeof ready);
		back = (uint32_t)sent;
		break;
	default:
		break;
	}
	m->error = WK_WASI_SUCCESS;
	m->size[0] = back;
	m->size[1] = 0;
}

#endif
