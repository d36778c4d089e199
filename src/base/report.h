/* SPDX-License-Identifier: Apache-2.0
 * Filling a wk_report: one sentence, first fault wins. Freestanding: the formatter is our own. */
#ifndef WK_BASE_REPORT_H
#define WK_BASE_REPORT_H

#include <stdarg.h>
#include <wasmkeep/status.h>

#include "base/span.h"

/* Sets the report unless it is NULL or already holds a fault; returns `status` in any case, so that a failing function
 * can end with `return wk_report_set(...)`. Format: %s text, %S struct wk_span * (printed as UTF-8, control and invalid
 * bytes as '?', cut at 64 bytes), %u uint32_t, %d int32_t, %llu uint64_t, %x uint32_t, %zu size_t, %%. */
enum wk_status wk_report_set(struct wk_report *report, enum wk_status status, uint64_t offset, uint32_t function,
	const char *format, ...);

/* The same formatter into a buffer of `size` bytes, always NUL-terminated when size > 0. Returns the length that the
 * whole text would have. */
size_t wk_format(char *buffer, size_t size, const char *format, ...);
size_t wk_format_va(char *buffer, size_t size, const char *format, va_list arguments);

#endif
