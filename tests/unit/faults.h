/* SPDX-License-Identifier: Apache-2.0
 *
 * Fault injection through the public door, struct wk_allocator: a heap that refuses its n-th request.
 *
 *	static enum wk_status build(const struct wk_allocator *allocator, void *context) { ... }
 *	test_every_failure("building", build, context);
 *
 * runs the body with n = 1, 2, ... until nothing was refused, once with that request refused alone and once with all
 * later ones, too. Each time the body must give all memory back; where it was refused memory it must return
 * WK_NO_MEMORY, and in the end WK_OK. Not for bodies with threads.
 *
 * Include test.h first. (Pages come from a provider, not from an allocator: see src/port/fault/fault.h.)
 */
#ifndef WK_TESTS_UNIT_FAULTS_H
#define WK_TESTS_UNIT_FAULTS_H

#include <stdlib.h>
#include <wasmkeep/wasmkeep.h>

struct test_heap {
	uint64_t fail_at;      /* this request is refused, counted from 1; 0: none */
	bool keep_failing;     /* and all later ones */
	uint64_t asked, failed;
	uint64_t blocks, bytes; /* given out and not yet returned */
};

static inline void *test_heap_alloc(void *context, size_t size)
{
	struct test_heap *heap = context;
	void *block;

	heap->asked++;
	if (heap->fail_at != 0 && (heap->asked == heap->fail_at || (heap->keep_failing && heap->asked > heap->fail_at))) {
		heap->failed++;
		return NULL;
	}
	block = malloc(size);
	if (block) {
		/* Contents are undefined: make that visible. */
		memset(block, 0xa5, size);
		heap->blocks++;
		heap->bytes += size;
	}
	return block;
}

static inline void test_heap_free(void *context, void *block, size_t size)
{
	struct test_heap *heap = context;

	heap->blocks--;
	heap->bytes -= size;
	memset(block, 0x5a, size);
	free(block);
}

static inline struct wk_allocator test_heap_allocator(struct test_heap *heap)
{
	return (struct wk_allocator){ .alloc = test_heap_alloc, .free = test_heap_free, .context = heap };
}

/* The C library's heap, for tests that need any. */
static inline void *test_malloc_alloc(void *context, size_t size)
{
	(void)context;
	return malloc(size);
}

static inline void test_malloc_free(void *context, void *block, size_t size)
{
	(void)context, (void)size;
	free(block);
}

static const struct wk_allocator test_malloc = { .alloc = test_malloc_alloc, .free = test_malloc_free };

typedef enum wk_status test_body(const struct wk_allocator *allocator, void *context);

#define TEST_FAILURES_MAX 100000

/* Up to `tolerated` refusals may be survived, where something smaller does as well. */
static inline void test_every_failure_but(const char *name, test_body *body, void *context, unsigned tolerated)
{
	unsigned survived[2] = { 0, 0 };

	for (int keep = 0; keep < 2; keep++) {
		for (uint64_t n = 1; n < TEST_FAILURES_MAX; n++) {
			struct test_heap heap = { .fail_at = n, .keep_failing = keep != 0 };
			struct wk_allocator allocator = test_heap_allocator(&heap);
			enum wk_status status = body(&allocator, context);
			enum wk_status wanted = heap.failed ? WK_NO_MEMORY : WK_OK;

			if (status == WK_OK && heap.failed && survived[keep]++ < tolerated)
				wanted = WK_OK;
			if (status != wanted || heap.blocks != 0 || heap.bytes != 0) {
				printf("# %s, request %llu of %llu refused: %s; %llu blocks, %llu bytes lost\n", name,
					(unsigned long long)n, (unsigned long long)heap.asked, wk_status_text(status),
					(unsigned long long)heap.blocks, (unsigned long long)heap.bytes);
				CHECK(status == wanted);
				CHECK(heap.blocks == 0 && heap.bytes == 0);
				return;
			}
			if (heap.failed == 0)
				break;
		}
	}
}

static inline void test_every_failure(const char *name, test_body *body, void *context)
{
	test_every_failure_but(name, body, context, 0);
}

#endif
