/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and the formatter behind them. The formatter is our own because nothing of stdio exists in a TEE; it knows
 * only what our sentences need. Names from a module are hostile: %S lets nothing through that could steer a terminal or
 * make a log line look like another.
 *
 * What always holds: a report's text is NUL-terminated, and cut texts end with a whole UTF-8 character; the first fault
 * in a report is never overwritten.
 */
#include "base/report.h"

#include "base/utf8.h"

#define SPAN_SHOWN 64 /* bytes of a %S that are printed */

/* Where formatted text goes. `length` counts what does not fit, too. */
struct sink {
	char *buffer;
	size_t size;
	size_t length;
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->buffer[sink->length] = c;
	sink->length++;
}

static void put_text(struct sink *sink, const char *text)
{
	for (; text && *text; text++)
		put(sink, *text);
}

static void put_number(struct sink *sink, uint64_t number, unsigned base)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	while (count > 0)
		put(sink, digits[--count]);
}

/* C0 and C1 controls, and the characters that change the direction of text or separate lines. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || (code >= 0x200e && code <= 0x200f) ||
		(code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void put_span(struct sink *sink, const struct wk_span *span)
{
	size_t at = 0;

	while (at < span->size) {
		uint32_t code = 0;
		size_t length = wk_utf8_character(span->data + at, span->size - at, &code);

		if (at + (length ? length : 1) > SPAN_SHOWN) {
			put_text(sink, "...");
			return;
		}
		if (length == 0 || is_control(code)) {
			put(sink, '?');
			at += length ? length : 1;
			continue;
		}
		while (length-- > 0)
			put(sink, (char)span->data[at++]);
	}
}

/* Ends the text, and drops the part of a character that a cut has left. */
static void finish(struct sink *sink)
{
	size_t end;

	if (sink->size == 0)
		return;
	end = sink->length;
	if (end >= sink->size) {
		size_t start = end = sink->size - 1;

		while (start > 0 && end - start < 3 && ((uint8_t)sink->buffer[start - 1] & 0xc0u) == 0x80u)
			start--;
		if (start > 0 && (uint8_t)sink->buffer[start - 1] >= 0xc0u) {
			start--;
			if (wk_utf8_character((const uint8_t *)sink->buffer + start, end - start, NULL) != end - start)
				end = start;
		}
	}
	sink->buffer[end] = 0;
}

static bool starts_with(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

size_t wk_format_va(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = { buffer, size, 0 };

	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			put(&sink, *f);
		} else if (starts_with(++f, "llu")) {
			put_number(&sink, va_arg(arguments, unsigned long long), 10);
			f += 2;
		} else if (starts_with(f, "zu")) {
			put_number(&sink, va_arg(arguments, size_t), 10);
			f += 1;
		} else if (*f == 's') {
			put_text(&sink, va_arg(arguments, const char *));
		} else if (*f == 'S') {
			put_span(&sink, va_arg(arguments, const struct wk_span *));
		} else if (*f == 'u') {
			put_number(&sink, va_arg(arguments, uint32_t), 10);
		} else if (*f == 'x') {
			put_number(&sink, va_arg(arguments, uint32_t), 16);
		} else if (*f == 'd') {
			int32_t number = va_arg(arguments, int32_t);

			if (number < 0)
				put(&sink, '-');
			put_number(&sink, number < 0 ? 0u - (uint32_t)number : (uint32_t)number, 10);
		} else if (*f == '%') {
			put(&sink, '%');
		} else {
			/* Not one of ours. What follows in `arguments` is unknown, so nothing more may be read. */
			put(&sink, '%');
			put_text(&sink, f);
			break;
		}
	}
	finish(&sink);
	return sink.length;
}

size_t wk_format(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = wk_format_va(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}

void wk_report_clear(struct wk_report *report)
{
	if (!report)
		return;
	/* frames[] stays: frame_count says how many of them mean anything. */
	report->status = WK_OK;
	report->trap = WK_TRAP_NONE;
	report->offset = WK_NO_OFFSET;
	report->function = WK_NO_FUNCTION;
	report->frame_count = 0;
	report->frame_total = 0;
	report->refusal = (struct wk_refusal){ .limit = WK_LIMIT_NONE };
	report->text[0] = 0;
}

enum wk_status wk_report_set(struct wk_report *report, enum wk_status status, uint64_t offset, uint32_t function,
	const char *format, ...)
{
	va_list arguments;

	if (!report || report->status != WK_OK)
		return status;
	wk_report_clear(report);
	report->status = status;
	report->offset = offset;
	report->function = function;
	va_start(arguments, format);
	wk_format_va(report->text, sizeof(report->text), format, arguments);
	va_end(arguments);
	return status;
}
