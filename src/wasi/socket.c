/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI functions on sockets: sock_*. A guest makes no sockets of its own: it gets connected ones, or listening ones to
 * accept from.
 */
#include "wasi/internal.h"

static enum wk_wasi_errno find_socket(struct wk_wasi_call *call, uint64_t fd, uint64_t base,
	struct wk_wasi_entry **entry)
{
	struct wk_wasi_entry *found = NULL;
	enum wk_wasi_errno error = wk_wasi_find(call->wasi, fd, 0, &found);

	if (error == WK_WASI_SUCCESS && found->object.type != WK_WASI_SOCKET_STREAM &&
	    found->object.type != WK_WASI_SOCKET_DGRAM)
		error = WK_WASI_NOTSOCK;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(call->wasi, fd, base, entry);
	return error;
}

enum wk_wasi_errno wk_wasi_sock_accept(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi *wasi = call->wasi;
	struct wk_wasi_entry *socket = NULL, *entry = NULL;
	struct wk_wasi_object object;
	uint32_t fd = 0;
	uint8_t *result = wk_wasi_guest(call, slots[2], 1, 4);
	enum wk_wasi_errno error = find_socket(call, slots[0], WK_RIGHT_SOCK_ACCEPT, &socket);

	if (!result)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS && (uint32_t)slots[1] & ~WK_FDFLAGS_ALL)
		error = WK_WASI_INVAL;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_take_fd(wasi, &fd); /* may move the entries */
	if (error != WK_WASI_SUCCESS)
		return error;
	socket = &wasi->entries[(uint32_t)slots[0]];
	entry = &wasi->entries[fd];
	do {
		error = wasi->system->accept(wasi->system->context, &socket->object, &object);
		if (error != WK_WASI_AGAIN && error != WK_WASI_INTR)
			break;
		error = wk_wasi_wait(wasi, socket, false);
	} while (error == WK_WASI_SUCCESS);
	if (error != WK_WASI_SUCCESS) {
		*entry = (struct wk_wasi_entry){ 0 };
		return error;
	}
	entry->object = object;
	entry->flags = (uint16_t)slots[1];
	entry->base = WK_RIGHTS_SOCKET & socket->inheriting;
	wk_put32(result, fd);
	return WK_WASI_SUCCESS;
}

/* Receives once; with WAITALL until the pieces are full, the peer ends, or something is wrong. */
static enum wk_wasi_errno receive(struct wk_wasi *wasi, struct wk_wasi_entry *entry, size_t count, uint32_t flags,
	uint64_t *total, bool *truncated)
{
	const struct wk_wasi_system *system = wasi->system;
	struct wk_wasi_piece *pieces = wasi->pieces;
	bool peek = flags & WK_RIFLAG_PEEK;
	/* Peeking again shows the same bytes; a message is never continued by the next one. */
	bool wait_all = flags & WK_RIFLAG_WAITALL && !peek && entry->object.type == WK_WASI_SOCKET_STREAM;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	uint64_t done = 0;

	do {
		error = system->receive(system->context, &entry->object, pieces, count, peek, &done, truncated);
		if (error == WK_WASI_AGAIN || error == WK_WASI_INTR) {
			error = wk_wasi_wait(wasi, entry, false);
			if (error == WK_WASI_SUCCESS)
				continue;
		}
		if (error != WK_WASI_SUCCESS)
			return *total != 0 ? WK_WASI_SUCCESS : error;
		*total += done;
		if (!wait_all || done == 0)
			return WK_WASI_SUCCESS;
		while (count != 0 && done >= pieces->size) {
			done -= pieces->size;
			pieces++;
			count--;
		}
		if (count != 0) {
			pieces->data += done;
			pieces->size -= (size_t)done;
		}
	} while (count != 0);
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_sock_recv(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi_entry *entry = NULL;
	uint64_t done = 0;
	size_t count = 0;
	bool all = false, truncated = false;
	uint32_t flags = (uint32_t)slots[3];
	uint8_t *size = wk_wasi_guest(call, slots[4], 1, 4);
	uint8_t *out_flags = wk_wasi_guest(call, slots[5], 1, 2);
	enum wk_wasi_errno error = find_socket(call, slots[0], WK_RIGHT_FD_READ, &entry);

	if (!size || !out_flags)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS && flags & ~(WK_RIFLAG_PEEK | WK_RIFLAG_WAITALL))
		error = WK_WASI_INVAL;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_take_pieces(call, slots[1], slots[2], &count, &all);
	if (error == WK_WASI_SUCCESS && !all && entry->object.type == WK_WASI_SOCKET_DGRAM)
		error = WK_WASI_MSGSIZE;
	if (error == WK_WASI_SUCCESS)
		error = receive(call->wasi, entry, count, flags, &done, &truncated);
	if (error != WK_WASI_SUCCESS)
		return error;
	wk_put32(size, (uint32_t)done);
	wk_put16(out_flags, truncated ? WK_ROFLAG_TRUNCATED : 0);
	return WK_WASI_SUCCESS;
}

/* One message, or as much of a stream as there is room for now. */
enum wk_wasi_errno wk_wasi_sock_send(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	uint64_t done = 0;
	size_t count = 0;
	bool all = false;
	uint8_t *result = wk_wasi_guest(call, slots[4], 1, 4);
	enum wk_wasi_errno error = find_socket(call, slots[0], WK_RIGHT_FD_WRITE, &entry);

	if (!result)
		return WK_WASI_FAULT;
	if (error == WK_WASI_SUCCESS && (uint32_t)slots[3] != 0)
		error = WK_WASI_INVAL;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_take_pieces(call, slots[1], slots[2], &count, &all);
	if (error == WK_WASI_SUCCESS && !all && entry->object.type == WK_WASI_SOCKET_DGRAM)
		error = WK_WASI_MSGSIZE;
	while (error == WK_WASI_SUCCESS) {
		error = system->send(system->context, &entry->object, call->wasi->pieces, count, &done);
		if (error != WK_WASI_AGAIN && error != WK_WASI_INTR)
			break;
		error = wk_wasi_wait(call->wasi, entry, true);
	}
	if (error == WK_WASI_SUCCESS)
		wk_put32(result, (uint32_t)done);
	return error;
}

enum wk_wasi_errno wk_wasi_sock_shutdown(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	struct wk_wasi_entry *entry = NULL;
	uint32_t how = (uint32_t)slots[1];
	enum wk_wasi_errno error = find_socket(call, slots[0], WK_RIGHT_SOCK_SHUTDOWN, &entry);

	if (error != WK_WASI_SUCCESS)
		return error;
	if (how == 0 || how & ~(WK_SDFLAG_RECEIVE | WK_SDFLAG_SEND))
		return WK_WASI_INVAL;
	return system->shutdown(system->context, &entry->object, how & WK_SDFLAG_RECEIVE, how & WK_SDFLAG_SEND);
}
