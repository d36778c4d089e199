/* SPDX-License-Identifier: Apache-2.0
 *
 * A large module in parts, so that several processors can work on it. Each part has functions that stand beside each
 * other, in a context of LLVM's own, and becomes an object file; the linker makes one library of them.
 *
 * What is lost is that LLVM puts functions of one part into those of another. Small ones, where it matters, every part
 * has a copy of (module.c).
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "compiler/translator.h"

/* Bytes of functions in a part, about. */
#define PART_SIZE ((uint64_t)128 << 10)

static uint64_t size_of_functions(const struct wk_module *module)
{
	uint64_t size = 0;

	for (uint32_t i = module->imported_funcs; i < module->func_count; i++)
		size += module->funcs[i].size;
	return size;
}

uint32_t wk_c_part_count(const struct wk_module *module, const struct wk_compile_options *options)
{
	uint64_t count = (size_of_functions(module) + PART_SIZE / 2) / PART_SIZE;

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
	uint64_t all = size_of_functions(module), done = 0;
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

struct work {
	struct compiler *parts;
	LLVMMemoryBufferRef *objects;
	struct wk_report reports[WK_C_PARTS];
	enum wk_status statuses[WK_C_PARTS];
	uint32_t count, next;
};

static void *emit_some(void *context)
{
	struct work *work = context;

	for (;;) {
		uint32_t part = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);

		if (part >= work->count)
			return NULL;
		work->statuses[part] = wk_c_emit(&work->parts[part], &work->reports[part], &work->objects[part]);
	}
}

enum wk_status wk_c_emit_parts(struct compiler *parts, uint32_t count, struct wk_report *report,
	LLVMMemoryBufferRef *objects)
{
	struct work work = { .parts = parts, .objects = objects, .count = count };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[WK_C_PARTS];
	uint32_t started = 0;

	wk_c_start();
	/* Without threads, this one does it all. */
	while (started + 1 < count && (long)started + 1 < processors &&
		pthread_create(&threads[started], NULL, emit_some, &work) == 0)
		started++;
	emit_some(&work);
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
