/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting: poll_oneoff, and the wait of a read or write that found nothing to do.
 *
 * All waiting is done here, in slices of WK_WASI_SLICE; between two slices the store's interrupt flag is looked at. That
 * is cruder than a file descriptor to wake a waiter, and needs nothing of the environment but a timeout: it works in a
 * TEE too, needs no object that the interrupting thread must find, and costs 50 wake-ups a second of a program that
 * waits. When the flag is set the call returns INTR, and the engine stops the guest at its next branch.
 */
#include "wasi/internal.h"

bool wk_wasi_interrupted(const struct wk_wasi *wasi)
{
	return wk_exec_interrupted(&wasi->store->exec);
}

enum wk_wasi_errno wk_wasi_wait(struct wk_wasi *wasi, struct wk_wasi_entry *entry, bool write)
{
	const struct wk_wasi_system *system = wasi->system;
	struct wk_wasi_poll item = { .object = &entry->object, .write = write };

	if (entry->flags & WK_WASI_NONBLOCK)
		return WK_WASI_AGAIN;
	for (;;) {
		enum wk_wasi_errno error = WK_WASI_SUCCESS;

		if (wk_wasi_interrupted(wasi))
			return WK_WASI_INTR;
		error = system->poll(system->context, &item, 1, WK_WASI_SLICE);
		if (error != WK_WASI_SUCCESS && error != WK_WASI_INTR)
			return error;
		if (error == WK_WASI_SUCCESS && item.ready)
			return WK_WASI_SUCCESS;
	}
}

/* ---- poll_oneoff ---- */

struct subscription {
	uint64_t userdata;
	uint64_t deadline;           /* of its clock; WK_EVENT_CLOCK */
	uint32_t clock;
	uint32_t item;               /* index in items[]; the others */
	uint16_t error;              /* not 0: its event is this error */
	uint8_t tag;
	bool fired;
};

struct poll {
	struct subscription *subscriptions;
	struct wk_wasi_poll *items;
	uint32_t count;
	uint32_t item_count;
	bool immediate;              /* an error waits to be told */
};

static enum wk_wasi_errno take_clock(struct wk_wasi *wasi, const uint8_t *from, struct subscription *to)
{
	uint32_t clock = wk_get32(from + WK_SUBSCRIPTION_CLOCK);
	uint64_t timeout = wk_get64(from + WK_SUBSCRIPTION_TIMEOUT);
	uint16_t flags = (uint16_t)(from[WK_SUBSCRIPTION_FLAGS] | from[WK_SUBSCRIPTION_FLAGS + 1] << 8);
	uint64_t now = 0;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (clock >= WK_WASI_CLOCKS || flags & ~WK_SUBCLOCK_ABSOLUTE)
		return WK_WASI_INVAL;
	/* Clocks of processor time stand still while we wait. */
	if (clock != WK_WASI_REALTIME && clock != WK_WASI_MONOTONIC)
		return WK_WASI_NOTSUP;
	to->clock = clock;
	to->deadline = timeout;
	if (flags & WK_SUBCLOCK_ABSOLUTE)
		return WK_WASI_SUCCESS;
	/* A span of time is nobody's to shorten by setting the clock. */
	to->clock = WK_WASI_MONOTONIC;
	error = wasi->system->clock_time(wasi->system->context, WK_WASI_MONOTONIC, &now);
	if (error == WK_WASI_SUCCESS)
		to->deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
	return error;
}

static enum wk_wasi_errno take_descriptor(struct wk_wasi *wasi, struct poll *poll, const uint8_t *from,
	struct subscription *to)
{
	bool write = to->tag == WK_EVENT_WRITE;
	struct wk_wasi_entry *entry = NULL;
	enum wk_wasi_errno error = wk_wasi_find(wasi, wk_get32(from + WK_SUBSCRIPTION_FD), 0, &entry);

	if (error == WK_WASI_SUCCESS && entry->object.type == WK_WASI_DIRECTORY)
		error = WK_WASI_BADF;
	if (error == WK_WASI_SUCCESS)
		error = wk_wasi_find(wasi, wk_get32(from + WK_SUBSCRIPTION_FD),
			WK_RIGHT_POLL_FD_READWRITE | (write ? WK_RIGHT_FD_WRITE : WK_RIGHT_FD_READ), &entry);
	if (error != WK_WASI_SUCCESS)
		return error;
	to->item = poll->item_count++;
	poll->items[to->item] = (struct wk_wasi_poll){ .object = &entry->object, .write = write };
	return WK_WASI_SUCCESS;
}

/* What is wrong with one subscription is told in its event; only a tag that says nothing fails the call. */
static enum wk_wasi_errno take_subscriptions(struct wk_wasi *wasi, const uint8_t *from, struct poll *poll)
{
	for (uint32_t i = 0; i < poll->count; i++, from += WK_SUBSCRIPTION_SIZE) {
		struct subscription *to = &poll->subscriptions[i];

		to->userdata = wk_get64(from + WK_SUBSCRIPTION_USERDATA);
		to->tag = from[WK_SUBSCRIPTION_TAG];
		if (to->tag == WK_EVENT_CLOCK)
			to->error = (uint16_t)take_clock(wasi, from, to);
		else if (to->tag == WK_EVENT_READ || to->tag == WK_EVENT_WRITE)
			to->error = (uint16_t)take_descriptor(wasi, poll, from, to);
		else
			return WK_WASI_INVAL;
		if (to->error != WK_WASI_SUCCESS)
			poll->immediate = true;
	}
	return WK_WASI_SUCCESS;
}

/* Marks the clocks that have come; *left: until the next one, at most a slice. */
static enum wk_wasi_errno check_clocks(struct wk_wasi *wasi, struct poll *poll, bool *any, uint64_t *left)
{
	uint64_t now[WK_WASI_CLOCKS] = { 0 };
	bool asked[WK_WASI_CLOCKS] = { false };

	*left = WK_WASI_SLICE;
	for (uint32_t i = 0; i < poll->count; i++) {
		struct subscription *s = &poll->subscriptions[i];

		if (s->tag != WK_EVENT_CLOCK || s->error != WK_WASI_SUCCESS)
			continue;
		if (!asked[s->clock]) {
			enum wk_wasi_errno error = wasi->system->clock_time(wasi->system->context, (enum wk_wasi_clock)s->clock,
				&now[s->clock]);

			if (error != WK_WASI_SUCCESS)
				return error;
			asked[s->clock] = true;
		}
		s->fired = now[s->clock] >= s->deadline;
		if (s->fired)
			*any = true;
		else if (s->deadline - now[s->clock] < *left)
			*left = s->deadline - now[s->clock];
	}
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno wait_for_events(struct wk_wasi *wasi, struct poll *poll)
{
	const struct wk_wasi_system *system = wasi->system;

	for (;;) {
		bool any = poll->immediate;
		uint64_t left = 0;
		enum wk_wasi_errno error = WK_WASI_SUCCESS;

		if (wk_wasi_interrupted(wasi))
			return WK_WASI_INTR;
		error = check_clocks(wasi, poll, &any, &left);
		if (error != WK_WASI_SUCCESS)
			return error;
		/* Descriptors are looked at even when a clock has come: all that has happened is told. */
		if (poll->item_count != 0 || !any)
			error = system->poll(system->context, poll->items, poll->item_count, any ? 0 : left);
		if (error == WK_WASI_INTR)
			continue;
		if (error != WK_WASI_SUCCESS)
			return error;
		for (uint32_t i = 0; i < poll->item_count; i++)
			any = any || poll->items[i].ready;
		if (any)
			return WK_WASI_SUCCESS;
	}
}

static uint32_t put_events(const struct poll *poll, uint8_t *to)
{
	uint32_t events = 0;

	for (uint32_t i = 0; i < poll->count; i++) {
		const struct subscription *s = &poll->subscriptions[i];
		const struct wk_wasi_poll *item = NULL;
		uint8_t *event = to + (size_t)events * WK_EVENT_SIZE;

		if (s->tag != WK_EVENT_CLOCK && s->error == WK_WASI_SUCCESS)
			item = &poll->items[s->item];
		if (s->error == WK_WASI_SUCCESS && !s->fired && !(item && item->ready))
			continue;
		memset(event, 0, WK_EVENT_SIZE);
		wk_put64(event + WK_EVENT_USERDATA, s->userdata);
		wk_put16(event + WK_EVENT_ERROR, item ? item->error : s->error);
		event[WK_EVENT_TYPE] = s->tag;
		if (item) {
			wk_put64(event + WK_EVENT_BYTES, item->available);
			wk_put16(event + WK_EVENT_FLAGS, item->hangup ? WK_EVENT_HANGUP : 0);
		}
		events++;
	}
	return events;
}

enum wk_wasi_errno wk_wasi_poll_oneoff(struct wk_wasi_call *call, const uint64_t *slots)
{
	struct wk_wasi *wasi = call->wasi;
	struct poll poll = { .count = (uint32_t)slots[2] };
	const uint8_t *in = wk_wasi_guest(call, slots[0], poll.count, WK_SUBSCRIPTION_SIZE);
	uint8_t *out = wk_wasi_guest(call, slots[1], poll.count, WK_EVENT_SIZE);
	uint8_t *result = wk_wasi_guest(call, slots[3], 1, 4);
	enum wk_wasi_errno error = WK_WASI_NOMEM;

	if (!in || !out || !result)
		return WK_WASI_FAULT;
	if (poll.count == 0 || poll.count > WK_WASI_POLL_MAX)
		return WK_WASI_INVAL;
	poll.subscriptions = wk_alloc_array(wasi->budget, poll.count, sizeof *poll.subscriptions);
	poll.items = wk_alloc_array(wasi->budget, poll.count, sizeof *poll.items);
	if (!poll.subscriptions || !poll.items)
		goto out;
	error = take_subscriptions(wasi, in, &poll);
	if (error == WK_WASI_SUCCESS)
		error = wait_for_events(wasi, &poll);
	if (error == WK_WASI_SUCCESS)
		wk_put32(result, put_events(&poll, out));
out:
	wk_free(wasi->budget, poll.items, poll.count * sizeof *poll.items);
	wk_free(wasi->budget, poll.subscriptions, poll.count * sizeof *poll.subscriptions);
	return error;
}
