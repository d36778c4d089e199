/* SPDX-License-Identifier: Apache-2.0
 *
 * What of WASI's system the TEE has itself: a monotonic clock, the normal world's wall clock, random numbers. Times have
 * the resolution of the GlobalPlatform API, a millisecond. The wall clock is untrusted: it is the normal world's
 * (TEE_GetREETime); a TEE has none of its own that were set.
 *
 * The system calls are used, since GlobalPlatform's functions above them end the Trusted Application when the normal
 * world refuses its time.
 */
#include <utee_syscalls.h>
#include <utee_types.h>

#include "port/optee/optee.h"

#define MILLISECOND UINT64_C(1000000)

static enum wk_wasi_errno clock_time(void *context, enum wk_wasi_clock clock, uint64_t *nanoseconds)
{
	TEE_Time time = { 0 };

	(void)context;
	if (clock != WK_WASI_MONOTONIC && clock != WK_WASI_REALTIME)
		return WK_WASI_INVAL; /* nobody counts the processor's time here */
	if (_utee_get_time(clock == WK_WASI_MONOTONIC ? UTEE_TIME_CAT_SYSTEM : UTEE_TIME_CAT_REE, &time) != TEE_SUCCESS)
		return WK_WASI_IO;
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
	return _utee_cryp_random_number_generate(buffer, size) == TEE_SUCCESS ? WK_WASI_SUCCESS : WK_WASI_IO;
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

/* Begins the API for big integers, which nobody uses here: it would bring 29 KiB of code and 14 KiB of data. */
void _TEE_MathAPI_Init(void);
void _TEE_MathAPI_Init(void)
{
}

/* The kit's malloc names it in its tests only; the kit's own one would bring the 26 KiB of all cryptographic operations. */
int rand(void);
int rand(void)
{
	int number = 0;

	(void)_utee_cryp_random_number_generate(&number, sizeof number);
	return number & 0x7fffffff;
}
