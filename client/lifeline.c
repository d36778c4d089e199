/* SPDX-License-Identifier: Apache-2.0
 *
 * Lifelines are robust futexes (set_robust_list(2)): a thread that does nothing owns one, the word. When a process is
 * killed, its threads end one by one, and the kernel marks the futexes of each; the thread that is inside of the TEE is
 * the last, because the guest that it runs for must find the mark first. An exit handler or a second process would do less:
 * a kill with SIGKILL runs no handler, and leaves files open until the last thread is gone.
 *
 * What always holds: the low bits of the word are the thread's number, as the kernel demands; the kernel's list of the
 * thread is ours alone, since it takes no mutexes.
 */
#define _GNU_SOURCE 1
#include "client/lifeline.h"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "remote/session.h"

_Static_assert(WK_WINDOW_STOP == FUTEX_OWNER_DIED, "the kernel's mark is the guest's signal to stop");

struct wk_lifeline {
	struct robust_list_head head;
	struct robust_list entry;      /* the only one; where its word lies, head.futex_offset says */
	uint32_t *word;
	sem_t ready, over;
	bool good;
	pthread_t thread;
};

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

static void *hold(void *context)
{
	struct wk_lifeline *line = context;

	line->entry.next = &line->head.list;
	line->head = (struct robust_list_head){ .list = { &line->entry },
		.futex_offset = (long)((intptr_t)line->word - (intptr_t)&line->entry) };
	__atomic_store_n(line->word, (uint32_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	line->good = syscall(SYS_set_robust_list, &line->head, sizeof line->head) == 0;
	sem_post(&line->ready);
	wait_for(&line->over);
	return NULL;
}

/* Signals are for the threads that the program knows of. */
static bool start(struct wk_lifeline *line)
{
	sigset_t all, old;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	started = pthread_create(&line->thread, NULL, hold, line) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return started;
}

static void forget(struct wk_lifeline *line)
{
	sem_destroy(&line->ready);
	sem_destroy(&line->over);
	free(line);
}

struct wk_lifeline *wk_lifeline_new(uint32_t *word)
{
	struct wk_lifeline *line = calloc(1, sizeof *line);

	if (!line)
		return NULL;
	line->word = word;
	sem_init(&line->ready, 0, 0);
	sem_init(&line->over, 0, 0);
	if (!start(line)) {
		forget(line);
		return NULL;
	}
	wait_for(&line->ready);
	if (line->good)
		return line;
	wk_lifeline_end(line);
	return NULL;
}

void wk_lifeline_end(struct wk_lifeline *line)
{
	if (!line)
		return;
	sem_post(&line->over);
	pthread_join(line->thread, NULL);
	forget(line);
}
