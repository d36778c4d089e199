/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of the POSIX port: one word and Linux's futex, so that a lock costs four bytes, needs no constructor, and a
 * thread that has to wait long (a translation may hold it for milliseconds) sleeps.
 *
 * The word is 0 when free, 1 when held, 2 when held and somebody may sleep on it. Who had to sleep takes the lock with 2,
 * since there may be others.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "port/port.h"

enum { FREE, HELD, CONTENDED };

void wk_port_lock(struct wk_port_lock *lock)
{
	uint32_t expected = FREE;

	if (__atomic_compare_exchange_n(&lock->word, &expected, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&lock->word, CONTENDED, __ATOMIC_ACQUIRE) != FREE)
		syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, CONTENDED, NULL, NULL, 0);
}

void wk_port_unlock(struct wk_port_lock *lock)
{
	if (__atomic_exchange_n(&lock->word, FREE, __ATOMIC_RELEASE) == CONTENDED)
		syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
