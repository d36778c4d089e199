/* SPDX-License-Identifier: Apache-2.0
 *
 * What of WASI's system the TEE has itself: a monotonic clock, the normal world's wall clock, random numbers. Times have
 * the resolution of the GlobalPlatform API, a millisecond. The wall clock is untrusted: it is the normal world's
 * (TEE_GetREETime); a TEE has none of its own that were set.
 */
#include "port/optee/optee.h"

#define MILLISECOND UINT64_C(1000000)

static enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	TEE_Time time;

	(void)context;
	if (clock == WK_WASI_MONOTONIC)
		TEE_GetSystemTime(&time);
	else if (clock == WK_WASI_REALTIME)
		TEE_GetREETime(&time);
	else
		return WK_WASI_INVAL; /* nobody counts the processor's time here */
	*nanoseconds = (uint64_t)time.seconds * 1000 * MILLISECOND + (uint64_t)time.millis * MILLISECOND;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno clock_resolution(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	(void)context;
	if (clock != WK_WASI_MONOTONIC && clock != WK_WASI_REALTIME)
		return WK_WASI_INVAL;
	*nanoseconds = MILLISECOND;
	return WK_WASI_SUCCESS;
}

static enum wk_wasi_errno fill_random(void *context, uint8_t *buffer, size_t size)
{
	(void)context;
	TEE_GenerateRandom(buffer, size);
	return WK_WASI_SUCCESS;
}

/* There is no other thread. */
static void yield(void *context)
{
	(void)context;
}

const struct wk_wasi_system wk_optee_system = { .clock_time = clock_time, .clock_resolution = clock_resolution,
	.random = fill_random, .yield = yield };

const struct wk_wasi_system *wk_wasi_port_system(void)
{
	return &wk_optee_system;
}
