/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatch loop: every instruction's body wrapped as a handler that ends by going to the next one's.
 *
 * With guaranteed tail calls (clang) a handler is a function and the machine's state its arguments, so that the
 * compiler keeps it in registers and every handler is optimised alone. Without, handlers are labels of one function and
 * the state its variables (computed goto). Clang makes poor code of the second shape and gcc 12 has no first, so each
 * gets its own; the bodies are the same.
 *
 * A unit refers to a handler by its distance from the first one, in steps of the handlers' alignment: position
 * independent, no table to load from.
 */
#include "interp/bodies.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer) || __has_feature(coverage_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define TAIL_CALLS 1
#endif
#endif

#ifdef TAIL_CALLS

/* Sanitizers and unoptimised builds make handlers large; the reach of a 16-bit reference grows with the step. */
#if defined(SANITIZED) || !defined(__OPTIMIZE__)
#define STEP 128
#elif defined(__OPTIMIZE_SIZE__)
#define STEP 4
#else
#define STEP 8
#endif

#if defined(__x86_64__) && defined(__has_attribute)
#if __has_attribute(preserve_none)
#define CONVENTION __attribute__((preserve_none))
#endif
#endif
#ifndef CONVENTION
#define CONVENTION
#endif

#define STATE \
	const wk_unit *ip, uint64_t *fp, uint8_t *mem, uint64_t size, uint64_t acc, struct wk_exec *x, const char *base, \
	float f32, double f64
typedef CONVENTION void handler(STATE);

#define HANDLER(name) \
	CONVENTION static void h_##name(STATE)
#define ATTRIBUTES __attribute__((aligned(STEP), section(".text.wk_dispatch"), no_sanitize("function")))

#define GO(to) \
	do { \
		const wk_unit *to_ = (to); \
		handler *next_ = (handler *)(uintptr_t)(base + (intptr_t)(int16_t)*to_ * STEP); \
		__attribute__((musttail)) return next_(to_, r.fp, r.mem, r.size, r.acc, r.x, base, r.f32, r.f64); \
	} while (0)

/* The ends of handlers that trap. They get the place one unit before the operands, which for the first part of a handler
 * is what `ip` is already; and the traps that many have got one each: so they take little code in each handler. */
CONVENTION static __attribute__((noinline)) void trapped(STATE)
{
	(void)mem, (void)size, (void)base, (void)f32, (void)f64;
	wk_slow_trapped(x, ip + 1, fp, (int)acc);
}

CONVENTION static __attribute__((noinline)) void out_of_bounds(STATE)
{
	struct wk_regs r = { ip, fp, mem, size, acc, x, f32, f64, ip + 1, NULL };
	int go = wk_slow_out_of_bounds(&r);
	if (go == JUMP)
		GO(ip);
	wk_slow_trapped(x, ip + 1, fp, go);
}

CONVENTION static __attribute__((noinline)) void interrupted(STATE)
{
	(void)mem, (void)size, (void)acc, (void)base, (void)f32, (void)f64;
	wk_slow_trapped(x, ip + 1, fp, (int)WK_TRAP_INTERRUPTED + FIRST_TRAP);
}

/* References count from a handler in the middle, so that 16 bits reach both ends. */
CONVENTION static void h_ret(STATE);
#define BASE ((const char *)(uintptr_t)h_ret)

/* `base` brings what is to be done: all arguments of a tail call are taken. */
CONVENTION static __attribute__((noinline)) void slowly(STATE)
{
	const struct wk_slow *slow = (const struct wk_slow *)(const void *)base;
	base = BASE;
	struct wk_regs r = { ip, fp, mem, size, acc, x, f32, f64, ip, slow };
	wk_exec_set_at(x, ip);
	int go = slow->body(&r, ip + 1);
	wk_exec_set_at(x, NULL);
	if (go == NEXT)
		GO(ip + 1 + slow->units);
	if (go == JUMP)
		GO(r.ip);
	if (go == LEAVE)
		return;
	if (go == (int)WK_TRAP_MEMORY_BOUNDS + FIRST_TRAP)
		__attribute__((musttail)) return out_of_bounds(r.at - 1, r.fp, r.mem, r.size, r.acc, r.x, base, r.f32, r.f64);
	__attribute__((musttail)) return trapped(r.at - 1, r.fp, mem, size, (uint64_t)(unsigned)go, x, base, f32, f64);
}

#define OP(name, units, flags) \
	ATTRIBUTES HANDLER(name) \
	{ \
		struct wk_regs r = { ip, fp, mem, size, acc, x, f32, f64, ip, NULL }; \
		int go = x_##name(&r, ip + 1); \
		if (go == NEXT) \
			GO(ip + 1 + (units)); \
		if (go == JUMP) \
			GO(r.ip); \
		if (go == LEAVE) \
			return; \
		if (go == SLOW) \
			__attribute__((musttail)) return slowly(r.at - 1, r.fp, r.mem, r.size, r.acc, r.x, \
				(const char *)(const void *)r.slow, r.f32, r.f64); \
		if (go == (int)WK_TRAP_MEMORY_BOUNDS + FIRST_TRAP) \
			__attribute__((musttail)) return out_of_bounds(r.at - 1, r.fp, r.mem, r.size, r.acc, r.x, base, r.f32, r.f64); \
		if (go == (int)WK_TRAP_INTERRUPTED + FIRST_TRAP) \
			__attribute__((musttail)) return interrupted(r.at - 1, r.fp, r.mem, r.size, r.acc, r.x, base, r.f32, r.f64); \
		__attribute__((musttail)) return trapped(r.at - 1, r.fp, mem, size, (uint64_t)(unsigned)go, x, base, f32, f64); \
	}
#define FUSE(a, b) OP(a##__##b, WK_U_##a##__##b, 0)
#include "interp/instructions.def"
#include "interp/fusions.def"
#undef OP
#undef FUSE

#define OP(name, units, flags) h_##name,
#define FUSE(a, b) h_##a##__##b,
static handler *const handlers[] = {
#include "interp/instructions.def"
#include "interp/fusions.def"
};
#undef OP
#undef FUSE

wk_unit wk_code_reference(enum wk_instruction instruction)
{
	return (wk_unit)(((intptr_t)(uintptr_t)handlers[instruction] - (intptr_t)(uintptr_t)BASE) / STEP);
}

void wk_dispatch(const wk_unit *ip, uint64_t *fp, struct wk_exec *x, uint32_t function)
{
	struct wk_regs r = { ip, fp, NULL, 0, function, x, 0, 0, ip, NULL };
	wk_slow_reload(&r);
	const char *base = BASE;
	handler *first = (handler *)(uintptr_t)(base + (intptr_t)(int16_t)*ip * STEP);
	first(ip, fp, r.mem, r.size, r.acc, x, base, 0, 0);
}

#else /* computed goto */

/* Where instructions have 4 bytes, a reference is a distance from a label in the middle, as above: a load less for each
 * instruction, and no pointers that a TEE's loader would have to relocate (32 bytes each). Elsewhere 16 bits reach too
 * little, and a reference is an index. */
#ifdef __aarch64__
typedef int32_t label;
#define LABEL(name) (int32_t)((const char *)&&l_##name - (const char *)&&l_ret)
#else
typedef const void *label;
#define LABEL(name) &&l_##name
#endif

static __attribute__((noinline, noclone)) void loop(const wk_unit *ip, struct wk_regs *start, const label **table)
{
#define OP(name, units, flags) LABEL(name),
#define FUSE(a, b) LABEL(a##__##b),
	static const label labels[] = {
#include "interp/instructions.def"
#include "interp/fusions.def"
	};
#undef OP
#undef FUSE
	if (table) {
		*table = labels;
		return;
	}
	/* One set of registers for all handlers, never passed by address (but to bodies, which are inlined), so that the
	 * compiler takes it apart into variables. */
	struct wk_regs r = *start;
	int go;
	/* gcc 12 would keep the float accumulators of x86-64 in memory: no register survives a call there, and it does not
	 * see that they are copied around the only one. Named registers do not survive calls either: sanitizers' checks
	 * call, and loops must not be turned into memset and memmove (cmake/flags.cmake). */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(SANITIZED)
	register float f32 __asm__("xmm14") = 0;
	register double f64 __asm__("xmm15") = 0;
#else
	float f32 = 0;
	double f64 = 0;
#endif

#ifdef __aarch64__
	const char *base = (const char *)&&l_ret;
	__asm__("" : "+r"(base)); /* a register, instead of two instructions wherever it is used */
#define HANDLER_OF(reference) (base + (intptr_t)(int16_t)(reference) * 4)
#else
#define HANDLER_OF(reference) labels[reference]
#endif
#define GO(to) \
	do { \
		ip = (to); \
		goto *(void *)(uintptr_t)HANDLER_OF(*ip); \
	} while (0)
	GO(ip);
#define OP(name, units, flags) \
	l_##name: \
		r.f32 = f32; \
		r.f64 = f64; \
		go = x_##name(&r, ip + 1); \
		f32 = r.f32; \
		f64 = r.f64; \
		if (go == NEXT) \
			GO(ip + 1 + (units)); \
		if (go == JUMP) \
			GO(r.ip); \
		if (go == LEAVE) \
			return; \
		goto unusual;
#define FUSE(a, b) OP(a##__##b, WK_U_##a##__##b, 0)
#include "interp/instructions.def"
#include "interp/fusions.def"
#undef OP
#undef FUSE
unusual:
	if (go == SLOW) {
		struct wk_regs copy = r;
		wk_exec_set_at(r.x, r.at - 1);
		go = r.slow->body(&copy, r.at);
		wk_exec_set_at(r.x, NULL);
		ip = r.at + r.slow->units;
		r = copy;
		f32 = r.f32;
		f64 = r.f64;
		if (go == NEXT)
			GO(ip);
		if (go == JUMP)
			GO(r.ip);
		if (go == LEAVE)
			return;
	}
	if (go == (int)WK_TRAP_MEMORY_BOUNDS + FIRST_TRAP) {
		struct wk_regs copy = r;
		go = wk_slow_out_of_bounds(&copy);
		r = copy;
		if (go == JUMP)
			GO(r.at - 1);
	}
	wk_slow_trapped(r.x, r.at, r.fp, go);
}

wk_unit wk_code_reference(enum wk_instruction instruction)
{
#ifdef __aarch64__
	const label *labels;
	loop(NULL, NULL, &labels);
	return (wk_unit)(labels[instruction] / 4);
#else
	return (wk_unit)instruction;
#endif
}

void wk_dispatch(const wk_unit *ip, uint64_t *fp, struct wk_exec *x, uint32_t function)
{
	struct wk_regs r = { ip, fp, NULL, 0, function, x, 0, 0, ip, NULL };
	wk_slow_reload(&r);
	loop(ip, &r, NULL);
}

#endif
