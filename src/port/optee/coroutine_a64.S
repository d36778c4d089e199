/* SPDX-License-Identifier: Apache-2.0
 * The change of stacks (AAPCS64: x19 to x30, the low halves of v8 to v15 and sp belong to the caller). */
	.text
	.global wk_coroutine_switch
	.type wk_coroutine_switch, %function
	.balign 16
wk_coroutine_switch:
	sub	sp, sp, #160
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x2, sp
	str	x2, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	ret
	.size wk_coroutine_switch, . - wk_coroutine_switch

	.global wk_coroutine_first
	.type wk_coroutine_first, %function
	.balign 16
wk_coroutine_first:
	mov	x0, x19
	mov	x30, xzr
	blr	x20
	brk	#1
	.size wk_coroutine_first, . - wk_coroutine_first
	.section .note.GNU-stack, "", %progbits
