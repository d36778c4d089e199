/* SPDX-License-Identifier: Apache-2.0
 *
 * What an image for OP-TEE has that others have not.
 *
 * There the runtime, a Trusted Application, never sees the image's bytes: the normal world's supplicant brings the file,
 * OP-TEE's core checks the signature and its loader maps the library. So the seal is a symbol of the library, too, and the
 * signature covers it. Its field `digest` guards nothing there. The seal behind the library is for the client.
 *
 * The loader resolves symbols among the libraries that it has loaded, and the Trusted Application exports none of C's.
 * So the library has its own memcpy, memmove and memset, which LLVM makes of loops; in assembly, because a function of
 * IR with such a loop would become a call of itself.
 */
#include <string.h>

#include "compiler/translator.h"
#include "image/image.h"

/* x0: to, x1: from, x2: size; x0 is kept, it is what they return. Memory may be unaligned (docs/device.md). Copying
 * forwards is right for memmove whenever `to` does not lie inside of what is copied. */
static const char functions[] =
	"	.text\n"
	"	.balign 16\n"
	"	.globl memmove\n	.hidden memmove\n	.type memmove, %function\n"
	"	.globl memcpy\n	.hidden memcpy\n	.type memcpy, %function\n"
	"memmove:\n"
	"	sub x3, x0, x1\n"
	"	cmp x3, x2\n"
	"	b.lo 5f\n"
	"memcpy:\n"
	"	mov x4, x0\n"
	"	subs x2, x2, #32\n"
	"	b.lo 2f\n"
	"1:	ldp q0, q1, [x1], #32\n"
	"	stp q0, q1, [x4], #32\n"
	"	subs x2, x2, #32\n"
	"	b.hs 1b\n"
	"2:	adds x2, x2, #32\n"
	"	b.eq 4f\n"
	"3:	ldrb w5, [x1], #1\n"
	"	strb w5, [x4], #1\n"
	"	subs x2, x2, #1\n"
	"	b.ne 3b\n"
	"4:	ret\n"
	"5:	add x1, x1, x2\n" /* backwards */
	"	add x4, x0, x2\n"
	"	subs x2, x2, #32\n"
	"	b.lo 7f\n"
	"6:	ldp q0, q1, [x1, #-32]!\n"
	"	stp q0, q1, [x4, #-32]!\n"
	"	subs x2, x2, #32\n"
	"	b.hs 6b\n"
	"7:	adds x2, x2, #32\n"
	"	b.eq 4b\n"
	"8:	ldrb w5, [x1, #-1]!\n"
	"	strb w5, [x4, #-1]!\n"
	"	subs x2, x2, #1\n"
	"	b.ne 8b\n"
	"	ret\n"
	"	.size memcpy, . - memcpy\n	.size memmove, . - memmove\n"
	"	.balign 16\n"
	"	.globl memset\n	.hidden memset\n	.type memset, %function\n"
	"memset:\n"
	"	dup v0.16b, w1\n"
	"	mov x4, x0\n"
	"	subs x2, x2, #32\n"
	"	b.lo 2f\n"
	"1:	stp q0, q0, [x4], #32\n"
	"	subs x2, x2, #32\n"
	"	b.hs 1b\n"
	"2:	adds x2, x2, #32\n"
	"	b.eq 4f\n"
	"3:	strb w1, [x4], #1\n"
	"	subs x2, x2, #1\n"
	"	b.ne 3b\n"
	"4:	ret\n"
	"	.size memset, . - memset\n";

void wk_c_optee(struct compiler *c, struct wk_image_seal *seal)
{
	LLVMValueRef bytes, global;

	wk_image_make_seal(wk_span(NULL, 0), c->module->bytes, seal);
	bytes = LLVMConstStringInContext(c->llvm, (const char *)seal, sizeof *seal, true);
	global = LLVMAddGlobal(c->ir, LLVMTypeOf(bytes), WK_IMAGE_SEAL_SYMBOL);
	LLVMSetInitializer(global, bytes);
	LLVMSetGlobalConstant(global, true);
	LLVMSetAlignment(global, _Alignof(struct wk_image_seal));
	LLVMSetVisibility(global, LLVMDefaultVisibility);
	LLVMAppendModuleInlineAsm(c->ir, functions, sizeof functions - 1);
}
