/* SPDX-License-Identifier: Apache-2.0
 *
 * What ends a running guest from outside. The clock is a thread of its own, and there is one only when a time limit was
 * asked for, because making one costs more than starting a small module.
 *
 * A guest that computes is stopped by its interrupt flag. One that waits in a system call (reading a terminal, sleeping)
 * is woken by a signal without SA_RESTART, again and again, because a single one could arrive just before the call
 * begins. If that does not help within GRACE, the process ends where it stands: a time limit that can be outwaited is
 * none.
 *
 * What always holds: SIGINT is blocked in the clock's thread, so its handler runs only on the thread that also ends the
 * watch, and never touches a store that is gone; the clock's thread is joined before the watch has ended.
 */
#define _GNU_SOURCE 1
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "exit_status.h"
#include "message.h"

#define WAKE_SIGNAL SIGURG /* ignored unless handled, so a late one harms nobody */
#define WAKE_EVERY 10000000L /* nanoseconds */
#define GRACE 300000000L
#define GRACE_ELSEWHERE 5000000000L

/* A signal handler reaches nothing but what is global. */
static struct {
	_Atomic(void *) target;
	void (*interrupt)(void *target);
	atomic_int cause;
	const char *file;
	struct timespec deadline;
	bool has_clock, has_handler, has_listener, over, elsewhere;
	pthread_t clock, guest, listener;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct sigaction old_interrupt;
} watch = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void add(struct timespec *time, uint64_t nanoseconds)
{
	uint64_t sum = (uint64_t)time->tv_nsec + nanoseconds;

	time->tv_sec += (time_t)(sum / 1000000000u);
	time->tv_nsec = (long)(sum % 1000000000u);
}

static void note_cause(enum wk_watch_cause cause)
{
	int nothing = WK_WATCH_NOTHING;

	atomic_compare_exchange_strong(&watch.cause, &nothing, (int)cause);
}

/* SA_RESETHAND: the second Ctrl-C finds the default action. */
static void on_interrupt(int signal)
{
	void *target = atomic_load(&watch.target);

	(void)signal;
	note_cause(WK_WATCH_SIGNAL);
	if (target)
		watch.interrupt(target);
}

static void on_wake(int signal)
{
	(void)signal;
}

/* Waits for the end of the watch until `until`; true: it is over. The mutex is held. */
static bool wait_over(const struct timespec *until)
{
	while (!watch.over)
		if (pthread_cond_timedwait(&watch.changed, &watch.mutex, until) == ETIMEDOUT)
			break;
	return watch.over;
}

static void *run_clock(void *context)
{
	struct timespec until = watch.deadline;

	(void)context;
	pthread_mutex_lock(&watch.mutex);
	if (wait_over(&until))
		goto out;
	note_cause(WK_WATCH_TIMEOUT);
	for (long waited = 0; atomic_load(&watch.target) && waited < (watch.elsewhere ? GRACE_ELSEWHERE : GRACE);
		waited += WAKE_EVERY) {
		watch.interrupt(atomic_load(&watch.target));
		pthread_kill(watch.guest, WAKE_SIGNAL);
		add(&until, WAKE_EVERY);
		if (wait_over(&until))
			goto out;
	}
	wk_message("%s: limit reached: the time of --timeout is over", watch.file);
	_exit(WK_EXIT_LIMIT);
out:
	pthread_mutex_unlock(&watch.mutex);
	return NULL;
}

bool wk_watch_start(const char *file, uint64_t nanoseconds)
{
	struct sigaction wake = { .sa_handler = on_wake };
	pthread_condattr_t attributes;
	sigset_t all, old;

	clock_gettime(CLOCK_MONOTONIC, &watch.deadline);
	add(&watch.deadline, nanoseconds);
	watch.file = file;
	watch.guest = pthread_self();
	sigaction(WAKE_SIGNAL, &wake, NULL);
	if (pthread_condattr_init(&attributes) != 0)
		return false;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	watch.has_clock = pthread_create(&watch.clock, NULL, run_clock, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return watch.has_clock;
}

/* Waits for Ctrl-C on behalf of the thread that cannot. */
static void *listen(void *context)
{
	sigset_t set;
	int signal = 0;

	(void)context;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, WAKE_SIGNAL);
	if (sigwait(&set, &signal) != 0 || signal != SIGINT)
		return NULL;
	on_interrupt(signal);
	sigdelset(&set, WAKE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* the second one finds the default action */
	sigdelset(&set, SIGINT);
	sigaddset(&set, WAKE_SIGNAL);
	(void)sigwait(&set, &signal);
	return NULL;
}

static void start_listener(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, WAKE_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	watch.has_listener = pthread_create(&watch.listener, NULL, listen, NULL) == 0;
	sigdelset(&set, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (!watch.has_listener) {
		sigaddset(&set, SIGINT);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
}

void wk_watch(void *target, void (*interrupt_target)(void *target), bool elsewhere)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	watch.interrupt = interrupt_target;
	watch.elsewhere = elsewhere;
	atomic_store(&watch.target, target);
	/* A background job of a script ignores Ctrl-C: that stays so. */
	if (sigaction(SIGINT, NULL, &watch.old_interrupt) != 0 || watch.old_interrupt.sa_handler == SIG_IGN)
		return;
	if (elsewhere) {
		start_listener();
		return;
	}
	sigemptyset(&interrupt.sa_mask);
	watch.has_handler = sigaction(SIGINT, &interrupt, NULL) == 0;
}

enum wk_watch_cause wk_watch_end(void)
{
	if (watch.has_clock) {
		pthread_mutex_lock(&watch.mutex);
		watch.over = true;
		pthread_cond_signal(&watch.changed);
		pthread_mutex_unlock(&watch.mutex);
		pthread_join(watch.clock, NULL);
		pthread_cond_destroy(&watch.changed);
		watch.has_clock = false;
	}
	if (watch.has_handler) {
		sigaction(SIGINT, &watch.old_interrupt, NULL);
		watch.has_handler = false;
	}
	if (watch.has_listener) {
		sigset_t set;

		pthread_kill(watch.listener, WAKE_SIGNAL);
		pthread_join(watch.listener, NULL);
		sigemptyset(&set);
		sigaddset(&set, SIGINT);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		watch.has_listener = false;
	}
	atomic_store(&watch.target, NULL);
	return (enum wk_watch_cause)atomic_load(&watch.cause);
}

_Noreturn void wk_watch_die_of_signal(void)
{
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
	exit(WK_EXIT_INTERRUPTED);
}
