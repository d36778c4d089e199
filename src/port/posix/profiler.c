/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a guest spends its time: a timer interrupts its thread, and the signal handler finds out which function runs.
 *
 * The timer goes by the clock on the wall, because a timer of a thread's processor time comes as rarely as the kernel's
 * tick on many systems; each sample weighs what the thread has taken since the last one, so it is processor time that is
 * counted. What was entered last says where to look (exec->entered): in a host function, that is all; in the interpreter,
 * its registers (interp/running.c); in compiled code, the program counter, or, if that is in something that compiled code
 * has called, the frames up to it.
 *
 * The handler reads, and adds to counters that are there from the begin. What cannot be told for sure counts for the
 * engine: a wrong function would be worse.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <wasmkeep/profiler.h>

#include "base/report.h"
#include "interp/interp.h"
#include "port/posix/profiler.h"

#define PERIOD 1000000 /* nanoseconds */
#define MORE_HOSTS 8u  /* host functions that the module does not import */
#define MOST_FRAMES 64 /* of ours between an interrupted one and the compiled code that called it */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct count {
	uint64_t nanoseconds, samples;
};

struct wk_profiler {
	const struct wk_module *module;
	const struct wk_store *store;  /* while it is on */
	pthread_t thread;
	timer_t timer;
	struct sigaction before;
	bool was_blocked;
	bool on;
	uint64_t last;                 /* the thread's processor time at the last sample */
	uintptr_t text, text_end;      /* the library's own code, and what it is linked with */
	struct wk_profiler_image image;
	struct count *counts[3];       /* by function, for the first three kinds */
	struct count engine, other;
	/* Those that were met; which import they are is found when it is over. */
	struct host { const struct wk_func *func; struct count count; } *hosts;
	uint32_t host_room;
};

/* A signal handler reaches nothing but what is global. */
static struct wk_profiler *current;

static uint64_t thread_time(void)
{
	struct timespec time = { 0, 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- the interrupted registers ---- */

#define REGISTERS 32

struct registers {
	uintptr_t general[REGISTERS];  /* as wk_interp_running wants them */
	uint32_t count;
	uintptr_t counter, frame, stack, link; /* `link`: where a function without a frame returns to */
};

static __attribute__((no_sanitize("address"))) uintptr_t peek(uintptr_t address)
{
	return *(const volatile uintptr_t *)address;
}

#ifdef __x86_64__
static void take_registers(const ucontext_t *u, struct registers *r)
{
	static const uint8_t order[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9,
		REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

	for (r->count = 0; r->count < sizeof order; r->count++)
		r->general[r->count] = (uintptr_t)u->uc_mcontext.gregs[order[r->count]];
	r->counter = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
	r->frame = (uintptr_t)u->uc_mcontext.gregs[REG_RBP];
	r->stack = (uintptr_t)u->uc_mcontext.gregs[REG_RSP];
	r->link = r->stack % sizeof(uintptr_t) == 0 ? peek(r->stack) : 0;
}
#elif defined(__aarch64__)
static void take_registers(const ucontext_t *u, struct registers *r)
{
	for (r->count = 0; r->count < 31; r->count++)
		r->general[r->count] = (uintptr_t)u->uc_mcontext.regs[r->count];
	r->counter = (uintptr_t)u->uc_mcontext.pc;
	r->frame = (uintptr_t)u->uc_mcontext.regs[29];
	r->stack = (uintptr_t)u->uc_mcontext.sp;
	r->link = (uintptr_t)u->uc_mcontext.regs[30];
}
#else
/* There are no images for this machine; the interpreter tells of its long instructions. */
static void take_registers(const ucontext_t *u, struct registers *r) { (void)u, memset(r, 0, sizeof *r); }
#endif

/* ---- who runs ---- */

/* The function that a return address is in. */
static uint32_t returns_to(const struct wk_profiler *p, uintptr_t address)
{
	const struct wk_profiler_code *code = wk_profiler_find(&p->image, address - 1);

	return code ? code->function : WK_NO_FUNCTION;
}

/* Compiled code has called something of ours. That keeps frame pointers (CMakeLists.txt), as compiled code does: a list of
 * frames, each holding the caller's and where it returns to, up to where compiled code was entered. */
static uint32_t walk(const struct wk_profiler *p, uintptr_t frame, uintptr_t lowest, uintptr_t anchor)
{
	for (int i = 0; i < MOST_FRAMES; i++) {
		uint32_t function;

		if (frame < lowest || frame % sizeof frame != 0 || frame >= anchor)
			return WK_NO_FUNCTION;
		function = returns_to(p, peek(frame + sizeof frame));
		if (function != WK_NO_FUNCTION)
			return function;
		lowest = frame + 2 * sizeof frame;
		frame = peek(frame);
	}
	return WK_NO_FUNCTION;
}

static bool is_ours(const struct wk_profiler *p, uintptr_t address)
{
	return address >= p->text && address < p->text_end;
}

/* In something else, such as memmove, only the return address tells who has called it; functions of that kind have it where
 * it was when they began. */
static uint32_t compiled_running(const struct wk_profiler *p, const struct registers *r)
{
	const struct wk_profiler_code *code = wk_profiler_find(&p->image, r->counter);
	uint32_t function;

	if (code && code->function != WK_NO_FUNCTION)
		return code->function;
	if (!code && !is_ours(p, r->counter)) {
		function = returns_to(p, r->link);
		if (function != WK_NO_FUNCTION || !is_ours(p, r->link))
			return function;
	}
	return walk(p, r->frame, r->stack, (uintptr_t)p->store->exec.native_anchor);
}

/* ---- the handler ---- */

static struct count *host_count(struct wk_profiler *p, const struct wk_func *func)
{
	for (uint32_t i = 0; i < p->host_room; i++) {
		if (!p->hosts[i].func)
			p->hosts[i].func = func;
		if (p->hosts[i].func == func)
			return &p->hosts[i].count;
	}
	return &p->other;
}

static struct count *count_of(struct wk_profiler *p, const struct registers *r)
{
	const struct wk_exec *x = &p->store->exec;
	const struct wk_func *func = x->entered.func;
	const struct wk_module *module = func && func->instance ? func->instance->module : NULL;
	uint32_t function;

	if (!func)
		return &p->engine;
	if (!module)
		return host_count(p, func);
	if (wk_func_is_native(func)) {
		if (module != p->module)
			return &p->other;
		function = compiled_running(p, r);
		return function == WK_NO_FUNCTION ? &p->engine : &p->counts[WK_PROFILER_COMPILED][function];
	}
	function = wk_interp_running(x, r->general, r->count, &module);
	if (module != p->module)
		return &p->other;
	return function == WK_NO_FUNCTION ? &p->engine : &p->counts[WK_PROFILER_INTERPRETED][function];
}

static void handle(int number, siginfo_t *info, void *context)
{
	struct wk_profiler *p = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	int error = errno;

	(void)number, (void)info;
	if (p && pthread_equal(p->thread, pthread_self())) {
		uint64_t time = thread_time();
		struct registers registers;
		struct count *count;

		take_registers(context, &registers);
		count = count_of(p, &registers);
		count->nanoseconds += time - p->last;
		count->samples++;
		p->last = time;
	}
	errno = error;
}

/* ---- on and off ---- */

static enum wk_status refuse(struct wk_report *report, enum wk_status status, const char *text)
{
	return wk_report_set(report, status, WK_NO_OFFSET, WK_NO_FUNCTION, "no profile: %s", text);
}

/* Where the code is that has the address `p->text`. */
static int find_text(struct dl_phdr_info *info, size_t size, void *context)
{
	struct wk_profiler *p = context;

	(void)size;
	for (uint32_t i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && p->text - begin < info->dlpi_phdr[i].p_memsz) {
			p->text = begin;
			p->text_end = begin + info->dlpi_phdr[i].p_memsz;
			return 1;
		}
	}
	return 0;
}

enum wk_status wk_profiler_new(const struct wk_module *module, struct wk_profiler **profiler, struct wk_report *report)
{
	struct wk_profiler *p;
	bool good;

	if (!module || !profiler)
		return WK_BAD_ARGUMENT;
	p = calloc(1, sizeof *p);
	if (!p)
		return refuse(report, WK_NO_MEMORY, "out of memory");
	p->module = module;
	p->text = (uintptr_t)find_text;
	(void)dl_iterate_phdr(find_text, p);
	p->host_room = module->imported_funcs + MORE_HOSTS;
	p->hosts = calloc(p->host_room, sizeof *p->hosts);
	good = p->hosts && wk_profiler_read_image(module, &p->image);
	for (size_t i = 0; i < WK_COUNT(p->counts); i++) {
		p->counts[i] = calloc((size_t)module->func_count + 1, sizeof *p->counts[i]);
		good = good && p->counts[i];
	}
	if (!good) {
		wk_profiler_delete(p);
		return refuse(report, WK_NO_MEMORY, "out of memory");
	}
	*profiler = p;
	return WK_OK;
}

static bool start_timer(struct wk_profiler *p)
{
	struct sigevent event;
	const struct itimerspec period = { { 0, PERIOD }, { 0, PERIOD } };

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGPROF;
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &p->timer) != 0)
		return false;
	if (timer_settime(p->timer, 0, &period, NULL) == 0)
		return true;
	(void)timer_delete(p->timer);
	return false;
}

enum wk_status wk_profiler_start(struct wk_profiler *profiler, struct wk_store *store, struct wk_report *report)
{
	struct wk_profiler *none = NULL;
	struct sigaction ours;
	sigset_t set, before;

	if (!profiler || !store || profiler->on)
		return WK_BAD_ARGUMENT;
	if (!__atomic_compare_exchange_n(&current, &none, profiler, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return refuse(report, WK_UNSUPPORTED, "another one is being made");
	profiler->store = store;
	profiler->thread = pthread_self();
	profiler->last = thread_time();
	memset(&ours, 0, sizeof ours);
	ours.sa_sigaction = handle;
	ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
	(void)sigemptyset(&ours.sa_mask);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPROF);
	if (sigaction(SIGPROF, &ours, &profiler->before) == 0) {
		if (start_timer(profiler)) {
			(void)pthread_sigmask(SIG_UNBLOCK, &set, &before);
			profiler->was_blocked = sigismember(&before, SIGPROF) == 1;
			profiler->on = true;
			return WK_OK;
		}
		(void)sigaction(SIGPROF, &profiler->before, NULL);
	}
	__atomic_store_n(&current, NULL, __ATOMIC_RELEASE);
	return refuse(report, WK_UNSUPPORTED, "this system has no timer for it");
}

static void add(struct count *to, const struct count *count)
{
	to->nanoseconds += count->nanoseconds;
	to->samples += count->samples;
}

/* Which import a host function is, by the module's instances in the store. */
static uint32_t import_of(const struct wk_profiler *p, const struct wk_func *func)
{
	for (const struct wk_instance *i = p->store->instances; i; i = i->next)
		for (uint32_t f = 0; i->module == p->module && f < p->module->imported_funcs; f++)
			if (i->imported_funcs[f] == func)
				return f;
	return WK_NO_FUNCTION;
}

/* With its timer go the signals of it that are on their way. */
void wk_profiler_stop(struct wk_profiler *p)
{
	sigset_t set;

	if (!p || !p->on)
		return;
	(void)timer_delete(p->timer);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPROF);
	if (p->was_blocked)
		(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)sigaction(SIGPROF, &p->before, NULL);
	__atomic_store_n(&current, NULL, __ATOMIC_RELEASE);
	p->on = false;
	for (uint32_t i = 0; i < p->host_room && p->hosts[i].func; i++) {
		uint32_t function = import_of(p, p->hosts[i].func);

		add(function == WK_NO_FUNCTION ? &p->other : &p->counts[WK_PROFILER_HOST][function], &p->hosts[i].count);
		p->hosts[i] = (struct host){ 0 };
	}
	p->store = NULL;
}

/* ---- what came of it ---- */

static int by_time(const void *a, const void *b)
{
	const struct wk_profiler_line *x = a, *y = b;

	return (x->nanoseconds < y->nanoseconds) - (x->nanoseconds > y->nanoseconds);
}

static void put(struct wk_profiler_line *lines, size_t room, size_t *count, enum wk_profiler_kind kind, uint32_t function,
	const struct count *from)
{
	if (from->samples == 0)
		return;
	if (*count < room)
		lines[*count] = (struct wk_profiler_line){ kind, function, from->nanoseconds, from->samples };
	++*count;
}

size_t wk_profiler_lines(const struct wk_profiler *profiler, struct wk_profiler_line *lines, size_t room)
{
	size_t count = 0;

	for (size_t kind = 0; kind < WK_COUNT(profiler->counts); kind++)
		for (uint32_t i = 0; i < profiler->module->func_count; i++)
			put(lines, room, &count, (enum wk_profiler_kind)kind, i, &profiler->counts[kind][i]);
	put(lines, room, &count, WK_PROFILER_ENGINE, WK_NO_FUNCTION, &profiler->engine);
	put(lines, room, &count, WK_PROFILER_OTHER, WK_NO_FUNCTION, &profiler->other);
	if (count != 0 && count <= room)
		qsort(lines, count, sizeof *lines, by_time);
	return count;
}

void wk_profiler_delete(struct wk_profiler *profiler)
{
	if (!profiler)
		return;
	wk_profiler_stop(profiler);
	for (size_t i = 0; i < WK_COUNT(profiler->counts); i++)
		free(profiler->counts[i]);
	free(profiler->image.codes);
	free(profiler->hosts);
	free(profiler);
}
