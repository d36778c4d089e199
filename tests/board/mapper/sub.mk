# SPDX-License-Identifier: Apache-2.0
srcs-y += mapper.c
global-incdirs-y += .
# Without it the compiler makes one load of an unaligned read, as in the keep's TA.
cflags-remove-mapper.c-y += -mstrict-align
