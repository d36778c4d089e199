/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults of compiled code: a signal becomes a call. The handler looks where the instruction stands and, if that is code
 * that was announced, changes the registers with which the thread goes on: as if the instruction were a call. All others
 * go where they went before.
 *
 * The handler takes no lock and no memory. So the table of code is of a fixed size, and an entry is only ever written while
 * it is nobody's.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "port/port.h"

#define MOST 1024

struct code {
	uintptr_t begin;               /* 0: the entry is free. Written last, and first when it goes */
	uintptr_t end;
	const struct wk_port_faults *faults;
};
static struct code codes[MOST];
static struct wk_port_lock lock;
static struct sigaction before[2];
static bool ready;                 /* the handler is there */

static const struct code *find(uintptr_t at)
{
	for (uint32_t i = 0; i < MOST; i++) {
		uintptr_t begin = __atomic_load_n(&codes[i].begin, __ATOMIC_ACQUIRE);

		if (begin != 0 && at >= begin && at < codes[i].end)
			return &codes[i];
	}
	return NULL;
}

/* ---- registers ---- */

#if defined(__x86_64__) && defined(__linux__)
static uintptr_t counter_of(const ucontext_t *u) { return (uintptr_t)u->uc_mcontext.gregs[REG_RIP]; }
static uintptr_t frame_of(const ucontext_t *u) { return (uintptr_t)u->uc_mcontext.gregs[REG_RBP]; }

/* The return address is the instruction, behind the 128 bytes that a function may use below its stack pointer. */
static void call(ucontext_t *u, const struct wk_port_faults *faults, void *found)
{
	greg_t *r = u->uc_mcontext.gregs;
	uintptr_t *stack = (uintptr_t *)(((uintptr_t)r[REG_RSP] - 128) & ~(uintptr_t)15);

	*--stack = (uintptr_t)r[REG_RIP];
	r[REG_RSP] = (greg_t)stack;
	r[REG_RDI] = (greg_t)found;
	r[REG_RIP] = (greg_t)faults->raise;
}
#elif defined(__aarch64__) && defined(__linux__)
static uintptr_t counter_of(const ucontext_t *u) { return (uintptr_t)u->uc_mcontext.pc; }
static uintptr_t frame_of(const ucontext_t *u) { return (uintptr_t)u->uc_mcontext.regs[29]; }

static void call(ucontext_t *u, const struct wk_port_faults *faults, void *found)
{
	u->uc_mcontext.regs[30] = u->uc_mcontext.pc;
	u->uc_mcontext.regs[0] = (uintptr_t)found;
	u->uc_mcontext.pc = (uintptr_t)faults->raise;
}
#else
static uintptr_t counter_of(const ucontext_t *u) { return (void)u, 0; }
static uintptr_t frame_of(const ucontext_t *u) { return (void)u, 0; }
static void call(ucontext_t *u, const struct wk_port_faults *faults, void *found) { (void)u, (void)faults, (void)found; }
#endif

/* ---- the handler ---- */

/* As if we had never been: another handler, or what the system does. */
static void hand_on(int number, siginfo_t *info, void *context)
{
	const struct sigaction *old = &before[number == SIGBUS];

	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(number, info, context);
	else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
		old->sa_handler(number);
	else
		(void)sigaction(number, old, NULL); /* the instruction faults again */
}

static void handle(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	/* A signal that somebody sent has no address. */
	const struct code *code = info->si_code > 0 ? find(counter_of(u)) : NULL;
	void *found = code ? code->faults->find(frame_of(u), (uintptr_t)info->si_addr) : NULL;

	if (found)
		call(u, code->faults, found);
	else
		hand_on(number, info, context);
}

static bool start(void)
{
	struct sigaction ours;

	if (ready)
		return true;
	memset(&ours, 0, sizeof ours);
	ours.sa_sigaction = handle;
	ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER; /* we may not return from it, but go on as the guest's caller */
	(void)sigemptyset(&ours.sa_mask);
	ready = sigaction(SIGSEGV, &ours, &before[0]) == 0 && sigaction(SIGBUS, &ours, &before[1]) == 0;
	return ready;
}

bool wk_port_faults_add(const void *begin, const void *end, const struct wk_port_faults *faults)
{
	struct code *free = NULL;

	wk_port_lock(&lock);
	for (uint32_t i = 0; i < MOST && !free; i++)
		if (codes[i].begin == 0)
			free = &codes[i];
	if (free && start()) {
		free->end = (uintptr_t)end;
		free->faults = faults;
		__atomic_store_n(&free->begin, (uintptr_t)begin, __ATOMIC_RELEASE);
	} else {
		free = NULL;
	}
	wk_port_unlock(&lock);
	return free != NULL;
}

void wk_port_faults_remove(const void *begin)
{
	wk_port_lock(&lock);
	for (uint32_t i = 0; i < MOST; i++)
		if (codes[i].begin == (uintptr_t)begin)
			__atomic_store_n(&codes[i].begin, 0, __ATOMIC_RELEASE);
	wk_port_unlock(&lock);
}
