/* SPDX-License-Identifier: Apache-2.0
 *
 * What to say when memory was refused: which limit it was, its size, how much was asked for and is used, who sets it, and
 * what would help.
 */
#include <wasmkeep/memory.h>

#include "base/report.h"

typedef unsigned long long number;

size_t wk_refusal_text(const struct wk_refusal *refusal, const struct wk_profile *profile, char *buffer, size_t size)
{
	number asked = refusal->asked, used = refusal->used, value = refusal->value;
	const char *subject = refusal->subject;

	(void)profile;
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
	default:
		return wk_format(buffer, size, "out of memory: the machine refused %llu bytes for %s", asked, subject);
	}
}
