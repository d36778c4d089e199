/* SPDX-License-Identifier: Apache-2.0
 *
 * What to say when memory was refused: which limit it was, its size, how much was asked for and is used. Who sets it and
 * what would help is said by those who know the TEE's profile (src/plan/advice.c).
 */
#include <wasmkeep/memory.h>

#include "base/report.h"

typedef unsigned long long number;

const char *wk_limit_name(enum wk_limit_kind limit)
{
	static const char *const names[WK_LIMIT_KIND_COUNT] = { "none", "declared", "supported", "budget", "allocator", "ram",
		"contiguity", "mappings", "page-tables", "addresses", "machine" };

	return (unsigned)limit < WK_LIMIT_KIND_COUNT ? names[limit] : "none";
}

size_t wk_refusal_text(const struct wk_refusal *refusal, char *buffer, size_t size)
{
	number asked = refusal->asked, used = refusal->used, value = refusal->value;
	const char *subject = refusal->subject;

	switch (refusal->limit) {
	case WK_LIMIT_DECLARED:
		return wk_format(buffer, size, "%s has %llu of the %llu bytes that the module itself declares as its maximum, %llu "
			"more were asked", subject, used, value, asked);
	case WK_LIMIT_SUPPORTED:
		return wk_format(buffer, size, "%s has %llu bytes, %llu more were asked: more than %llu are not supported", subject,
			used, asked, value);
	case WK_LIMIT_BUDGET:
		return wk_format(buffer, size, "out of memory: %s has %llu of %llu bytes, %llu more were asked", subject, used,
			value, asked);
	case WK_LIMIT_ALLOCATOR:
		return wk_format(buffer, size, "out of memory: the embedder's allocator refused %llu bytes for %s", asked, subject);
	case WK_LIMIT_ADDRESSES:
		return wk_format(buffer, size, "out of memory: no room for %llu bytes of addresses for %s", asked, subject);
	case WK_LIMIT_RAM:
		return wk_format(buffer, size, "out of memory: %llu bytes more were asked for %s, and of the TEE's RAM for Trusted "
			"Applications, %llu bytes, %llu are in use", asked, subject, value, used);
	case WK_LIMIT_CONTIGUITY:
		return wk_format(buffer, size, "out of memory: %llu bytes more were asked for %s; the TEE has %llu bytes of RAM "
			"left, but the largest piece of it has %llu", asked, subject, used, value);
	case WK_LIMIT_MAPPINGS:
		return wk_format(buffer, size, "out of memory: %llu bytes more were asked for %s, and the TEE's core can keep books "
			"on %llu mappings: %llu are in use", asked, subject, value, used);
	case WK_LIMIT_PAGE_TABLES:
		return wk_format(buffer, size, "out of memory: %llu bytes more were asked for %s, and a Trusted Application has "
			"%llu page tables: %llu are in use", asked, subject, value, used);
	default:
		return wk_format(buffer, size, "out of memory: the machine refused %llu bytes for %s", asked, subject);
	}
}
