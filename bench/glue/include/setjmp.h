/* wasi-libc has no <setjmp.h>. Lua includes it and, with the macros of ../wasi.h, uses nothing of it. */
