/* SPDX-License-Identifier: Apache-2.0
 *
 * WASI functions about the program itself: arguments, environment, clocks, chance, its end.
 */
#include "wasi/internal.h"

/* Random bytes are made in runs of this size, so that a guest that asks for gigabytes can be interrupted. */
#define RANDOM_RUN 65536u

/* ---- arguments and environment ---- */

static enum wk_wasi_errno strings_sizes(struct wk_wasi_call *call, const uint64_t *slots,
	const struct wk_wasi_strings *strings)
{
	uint8_t *count = wk_wasi_guest(call, slots[0], 1, 4);
	uint8_t *size = wk_wasi_guest(call, slots[1], 1, 4);

	if (!count || !size)
		return WK_WASI_FAULT;
	wk_put32(count, strings->count);
	wk_put32(size, strings->size);
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno strings_get(struct wk_wasi_call *call, const uint64_t *slots,
	const struct wk_wasi_strings *strings)
{
	uint8_t *pointers = wk_wasi_guest(call, slots[0], strings->count, 4);
	uint8_t *bytes = wk_wasi_guest(call, slots[1], strings->size, 1);
	uint32_t at = 0;

	if (!pointers || !bytes)
		return WK_WASI_FAULT;
	if (strings->size != 0)
		memcpy(bytes, strings->bytes, strings->size);
	/* The ends of the strings are looked for in our copy: the guest's may overlap with the pointers. */
	for (uint32_t i = 0; i < strings->count; i++) {
		wk_put32(pointers + i * 4, (uint32_t)slots[1] + at);
		while (strings->bytes[at] != 0)
			at++;
		at++;
	}
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_args_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return strings_get(call, slots, &call->wasi->arguments);
}

enum wk_wasi_errno wk_wasi_args_sizes_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return strings_sizes(call, slots, &call->wasi->arguments);
}

enum wk_wasi_errno wk_wasi_environ_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return strings_get(call, slots, &call->wasi->environment);
}

enum wk_wasi_errno wk_wasi_environ_sizes_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return strings_sizes(call, slots, &call->wasi->environment);
}

/* ---- clocks ---- */

static enum wk_wasi_errno clock_get(struct wk_wasi_call *call, uint64_t clock, uint64_t result,
	enum wk_wasi_errno (*get)(void *, enum wk_wasi_clock, uint64_t *))
{
	uint8_t *to = wk_wasi_guest(call, result, 1, 8);
	uint64_t nanoseconds = 0;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;

	if (!to)
		return WK_WASI_FAULT;
	if ((uint32_t)clock >= WK_WASI_CLOCKS)
		return WK_WASI_INVAL;
	error = get(call->wasi->system->context, (enum wk_wasi_clock)(uint32_t)clock, &nanoseconds);
	if (error == WK_WASI_SUCCESS)
		wk_put64(to, nanoseconds);
	return error;
}

enum wk_wasi_errno wk_wasi_clock_res_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return clock_get(call, slots[0], slots[1], call->wasi->system->clock_resolution);
}

/* slots[1] is the lag the guest would accept; the time is always fresh. */
enum wk_wasi_errno wk_wasi_clock_time_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	return clock_get(call, slots[0], slots[2], call->wasi->system->clock_time);
}

/* ---- chance ---- */

enum wk_wasi_errno wk_wasi_random_get(struct wk_wasi_call *call, const uint64_t *slots)
{
	const struct wk_wasi_system *system = call->wasi->system;
	uint32_t left = (uint32_t)slots[1];
	uint8_t *to = wk_wasi_guest(call, slots[0], left, 1);

	if (!to)
		return WK_WASI_FAULT;
	while (left != 0) {
		uint32_t run = left < RANDOM_RUN ? left : RANDOM_RUN;
		enum wk_wasi_errno error = wk_wasi_interrupted(call->wasi) ? WK_WASI_INTR :
			system->random(system->context, to, run);

		if (error != WK_WASI_SUCCESS)
			return error;
		to += run;
		left -= run;
	}
	return WK_WASI_SUCCESS;
}

/* ---- the program ---- */

enum wk_wasi_errno wk_wasi_sched_yield(struct wk_wasi_call *call, const uint64_t *slots)
{
	(void)slots;
	call->wasi->system->yield(call->wasi->system->context);
	return WK_WASI_SUCCESS;
}

enum wk_wasi_errno wk_wasi_proc_exit(struct wk_wasi_call *call, const uint64_t *slots)
{
	call->status = wk_caller_exit(call->caller, (uint32_t)slots[0]);
	return WK_WASI_SUCCESS;
}

/* A guest has no signal handlers that we could call (wasi-libc keeps its own), so the default action of POSIX is all
 * there is: nothing, or the end, which is a trap to show where it came from. There is nobody to continue a guest that
 * was stopped. */
enum wk_wasi_errno wk_wasi_proc_raise(struct wk_wasi_call *call, const uint64_t *slots)
{
	/* Preview 1, type signal, numbered from 0. */
	static const char names[][8] = { "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
		"USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
		"PROF", "WINCH", "POLL", "PWR", "SYS" };
	enum { NONE = 0, CHLD = 16, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH = 27 };
	uint8_t signal = (uint8_t)slots[0];
	char text[48];

	if ((uint32_t)slots[0] >= WK_COUNT(names))
		return WK_WASI_INVAL;
	switch (signal) {
	case NONE:
	case CHLD:
	case CONT:
	case URG:
	case WINCH:
		return WK_WASI_SUCCESS;
	case STOP:
	case TSTP:
	case TTIN:
	case TTOU:
		return WK_WASI_NOTSUP;
	default:
		wk_format(text, sizeof text, "proc_raise: SIG%s", names[signal]);
		call->status = wk_caller_trap(call->caller, text);
		return WK_WASI_SUCCESS;
	}
}
