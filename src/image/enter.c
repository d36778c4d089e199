/* SPDX-License-Identifier: Apache-2.0
 *
 * The border between C and compiled code, in assembly.
 *
 * Compiled code that traps does not return through its callers: they would have to look after each call whether they
 * are to go on, which costs a few percent everywhere for what happens once. It goes back to where it was entered
 * from, by setting the stack pointer. That is longjmp, but for two things: no libc is needed, and what is jumped over
 * is known. Between an entry and a trap there are only frames of compiled code, which have nothing to clean up, and
 * the frame of the helper that calls wk_image_leave last of all. A host function or the interpreter that calls
 * compiled code has an entry of its own, so no frame of theirs is ever jumped over; what ended the inner run reaches
 * them as a status.
 *
 * A call in a try_table is an entry of that kind, too, but from compiled code to compiled code: all registers with
 * parameters and results are left alone, and it is exceptions only that leave to there. After the call its caller looks
 * whether there was one.
 *
 * All is in one piece of assembly, since all end in the same: restoring what was saved, the registers that a function of
 * C must preserve.
 */
#include "image/image.h"

#if defined(__x86_64__)
#define SAVE \
	"	pushq %rbp\n" \
	"	.cfi_def_cfa_offset 16\n" \
	"	.cfi_offset %rbp, -16\n" \
	"	movq %rsp, %rbp\n" \
	"	.cfi_def_cfa_register %rbp\n" \
	"	pushq %rbx\n" \
	"	pushq %r12\n" \
	"	pushq %r13\n" \
	"	pushq %r14\n" \
	"	pushq %r15\n"
__asm__(
	"	.text\n"
	"	.globl wk_image_try_call\n"
	"	.hidden wk_image_try_call\n"
	"	.type wk_image_try_call, @function\n"
	"wk_image_try_call:\n"
	"	.cfi_startproc\n"
	"	popq (%rsp)\n" /* tailcc has the callee take 8 bytes from behind the return address */
	SAVE
	"	pushq %r13\n" /* the context: for fault.c, 48 bytes below %rbp */
	"	movq (%r13), %r11\n"
	"	movq %rsp, 168(%r11)\n" /* exec->native_handler */
	"	pushq %r13\n" /* the 8 bytes */
	"	jmp .Lcall\n"
	"	.cfi_endproc\n"
	"	.size wk_image_try_call, . - wk_image_try_call\n"
	"	.globl wk_image_enter\n"
	"	.hidden wk_image_enter\n"
	"	.type wk_image_enter, @function\n"
	"wk_image_enter:\n"
	"	.cfi_startproc\n"
	"	movq %rcx, %r10\n"
	SAVE
	"	pushq %rdi\n" /* the same */
	"	movq %rsp, (%r8)\n"
	".Lcall:\n"
	"	call *%r10\n"
	"	.globl wk_image_entered\n"
	"	.hidden wk_image_entered\n"
	"wk_image_entered:\n"
	"	leaq -40(%rbp), %rsp\n"
	".Lrestore:\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size wk_image_enter, . - wk_image_enter\n"
	"	.globl wk_image_leave\n"
	"	.hidden wk_image_leave\n"
	"	.type wk_image_leave, @function\n"
	"wk_image_leave:\n"
	"	leaq 8(%rdi), %rsp\n"
	"	movl %esi, %eax\n"
	"	jmp .Lrestore\n"
	"	.size wk_image_leave, . - wk_image_leave\n");
#elif defined(__aarch64__)
__asm__(
	"	.text\n"
	"	.globl wk_image_enter\n"
	"	.hidden wk_image_enter\n"
	"	.type wk_image_enter, %function\n"
	"wk_image_enter:\n"
	"	mov x18, x3\n"
	"	mov x16, x4\n"
	"	mov x17, x0\n"
	"	b .Lenter\n"
	"	.size wk_image_enter, . - wk_image_enter\n"
	"	.globl wk_image_try_call\n"
	"	.hidden wk_image_try_call\n"
	"	.type wk_image_try_call, %function\n"
	"wk_image_try_call:\n" /* of the code in x18, the context in x20 */
	"	ldr x16, [x20]\n"
	"	add x16, x16, #168\n" /* exec->native_handler */
	"	mov x17, x20\n"
	".Lenter:\n"
	"	stp x29, x30, [sp, #-176]!\n"
	"	mov x29, sp\n"
	"	stp x19, x20, [sp, #16]\n"
	"	stp x21, x22, [sp, #32]\n"
	"	stp x23, x24, [sp, #48]\n"
	"	stp x25, x26, [sp, #64]\n"
	"	stp x27, x28, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	str x17, [sp, #160]\n" /* for fault.c */
	"	str x29, [x16]\n"
	"	blr x18\n"
	"	.globl wk_image_entered\n"
	"	.hidden wk_image_entered\n"
	"wk_image_entered:\n"
	".Lrestore:\n"
	"	ldp x19, x20, [sp, #16]\n"
	"	ldp x21, x22, [sp, #32]\n"
	"	ldp x23, x24, [sp, #48]\n"
	"	ldp x25, x26, [sp, #64]\n"
	"	ldp x27, x28, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	ldp x29, x30, [sp], #176\n"
	"	ret\n"
	"	.size wk_image_try_call, . - wk_image_try_call\n"
	"	.globl wk_image_leave\n"
	"	.hidden wk_image_leave\n"
	"	.type wk_image_leave, %function\n"
	"wk_image_leave:\n"
	"	mov sp, x0\n"
	"	mov w0, w1\n"
	"	b .Lrestore\n"
	"	.size wk_image_leave, . - wk_image_leave\n");
#else
/* No images are made for this machine: wk_image_check refuses all. */
const char wk_image_entered[1];

uint32_t wk_image_enter(struct wk_image_context *context, void *code, uint64_t *slots, wk_image_entry *entry,
	void **anchor)
{
	*anchor = NULL;
	return entry(context, code, slots);
}

void wk_image_try_call(void)
{
}

_Noreturn void wk_image_leave(void *anchor, uint32_t status)
{
	(void)anchor, (void)status;
	__builtin_trap();
}
#endif
