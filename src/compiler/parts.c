/* SPDX-License-Identifier: Apache-2.0
 *
 * A large module in parts, so that several processors can work on it. Each part has functions that stand beside each
 * other, in a context of LLVM's own, and becomes an object file; the linker makes one library of them.
 *
 * What is lost is that LLVM puts functions of one part into those of another. Small ones, where it matters, every part
 * has a copy of (module.c).
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiler/translator.h"

/* Bytes of functions in a part, about. */
#define PART_SIZE ((uint64_t)128 << 10)

/* Bytes of the bodies from `first` to before `end`; imported ones have none. */
static uint64_t size_of_functions(const struct wk_module *module, uint32_t first, uint32_t end)
{
	uint64_t size = 0;

	for (uint32_t i = first; i < end; i++)
		size += module->funcs[i].size;
	return size;
}

uint32_t wk_c_part_count(const struct wk_module *module, const struct wk_compile_options *options)
{
	uint64_t count = (size_of_functions(module, 0, module->func_count) + PART_SIZE / 2) / PART_SIZE;

	if (options->save_ir) /* its text is to be one file */
		return 1;
	if (options->parts != 0)
		count = options->parts;
	if (count == 0)
		return 1;
	return count < WK_C_PARTS ? (uint32_t)count : WK_C_PARTS;
}

void wk_c_divide(struct compiler *parts, uint32_t count)
{
	const struct wk_module *module = parts[0].module;
	uint64_t all = size_of_functions(module, 0, module->func_count), done = 0;
	uint32_t at = module->imported_funcs;

	for (uint32_t i = 0; i < count; i++) {
		parts[i].part = i;
		parts[i].part_count = count;
		parts[i].first = at;
		while (at < module->func_count && (i == count - 1 || done < all / count * (i + 1)))
			done += module->funcs[at++].size;
		parts[i].end = at;
	}
}

void wk_c_share(struct compiler *parts, uint32_t count)
{
	for (uint32_t owner = 0; owner < count; owner++) {
		for (uint32_t i = parts[owner].first; i < parts[owner].end; i++) {
			for (uint32_t other = 0; other < count; other++) {
				parts[other].codes[i].left = parts[owner].codes[i].left;
				parts[other].codes[i].tail_calls = parts[owner].codes[i].tail_calls;
			}
		}
	}
}

/* ---- threads ---- */

#define STEPS 2          /* of a part */
#define PERIOD 200000000 /* nanoseconds between two calls of options->progress, at most */

struct work {
	struct compiler *parts;
	LLVMMemoryBufferRef *objects;
	struct wk_report reports[WK_C_PARTS];
	enum wk_status statuses[WK_C_PARTS];
	uint32_t count, next;
	bool alone;                    /* the caller's thread does all of it */
	uint64_t whole;                /* bytes of bodies, times steps */
	pthread_mutex_t mutex;         /* of what follows, */
	pthread_cond_t changed;        /* which this tells of: */
	uint64_t done;
	uint32_t working;              /* threads that were started and have not ended */
};

static void tell(const struct work *work, uint64_t done)
{
	const struct wk_compile_options *options = work->parts[0].options;

	if (options->progress)
		options->progress(options->context, done, work->whole);
}

/* A step of a part is done. */
static void step(struct work *work, uint32_t part)
{
	const struct compiler *c = &work->parts[part];

	pthread_mutex_lock(&work->mutex);
	work->done += size_of_functions(c->module, c->first, c->end);
	pthread_cond_signal(&work->changed);
	pthread_mutex_unlock(&work->mutex);
	if (work->alone)
		tell(work, work->done);
}

static enum wk_status make_object(struct work *work, uint32_t part)
{
	struct compiler *c = &work->parts[part];
	enum wk_status status = wk_c_optimise(c, &work->reports[part]);

	if (status != WK_OK)
		return status;
	step(work, part);
	status = wk_c_emit(c, &work->reports[part], &work->objects[part]);
	if (status == WK_OK)
		step(work, part);
	return status;
}

static void make_some(struct work *work)
{
	for (;;) {
		uint32_t part = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);

		if (part >= work->count)
			return;
		work->statuses[part] = make_object(work, part);
	}
}

static void *run_thread(void *context)
{
	struct work *work = context;

	make_some(work);
	pthread_mutex_lock(&work->mutex);
	work->working--;
	pthread_cond_signal(&work->changed);
	pthread_mutex_unlock(&work->mutex);
	return NULL;
}

/* Waits for the threads and tells of them, also while no step ends: a picture of it may be due. */
static void watch(struct work *work)
{
	pthread_mutex_lock(&work->mutex);
	while (work->working != 0) {
		uint64_t done = work->done;
		struct timespec until;

		pthread_mutex_unlock(&work->mutex);
		tell(work, done);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PERIOD;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&work->mutex);
		if (work->working != 0 && work->done == done)
			(void)pthread_cond_timedwait(&work->changed, &work->mutex, &until);
	}
	pthread_mutex_unlock(&work->mutex);
	tell(work, work->done);
}

static bool start_thread(struct work *work, pthread_t *thread)
{
	bool started;

	pthread_mutex_lock(&work->mutex);
	started = pthread_create(thread, NULL, run_thread, work) == 0;
	work->working += started;
	pthread_mutex_unlock(&work->mutex);
	return started;
}

enum wk_status wk_c_emit_parts(struct compiler *parts, uint32_t count, struct wk_report *report,
	LLVMMemoryBufferRef *objects)
{
	const struct wk_module *module = parts[0].module;
	struct work work = { .parts = parts, .objects = objects, .count = count, .mutex = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER, .whole = STEPS * size_of_functions(module, 0, module->func_count) };
	bool watched = parts[0].options->progress != NULL; /* by this thread, which then does nothing else */
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t at_once = processors > 0 && processors < (long)count ? (uint32_t)processors : count, started = 0;
	pthread_t threads[WK_C_PARTS];

	wk_c_start();
	tell(&work, 0);
	while (started < at_once - !watched && start_thread(&work, &threads[started]))
		started++;
	/* Without threads, this one does it all. */
	if (started == 0)
		work.alone = true; /* else others read it */
	if (watched && !work.alone)
		watch(&work);
	else
		make_some(&work);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < count; i++) {
		if (work.statuses[i] != WK_OK) {
			if (report)
				*report = work.reports[i];
			return work.statuses[i];
		}
	}
	return WK_OK;
}
