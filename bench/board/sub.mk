# SPDX-License-Identifier: Apache-2.0
#
# The kernels with the options of bench/programs.sh, each with its main under a name of its own. Left out are those whose
# arrays would not fit beside the others: spmv, jacobi, lu, cholesky.
kernels := aes atax bigint bytecode chess crc32 ed25519 fdtd fft fib gemm hashtable json lz mandelbrot mixed nbody \
	neural queens regex seidel sha256 sort strsearch sudoku syrk

global-incdirs-y += .
global-incdirs-y += include
srcs-y += native.c
srcs_ext_base-y := $(sub-dir)/../kernels
srcs_ext-y += $(kernels:%=%.c)
define kernel-flags
cflags-$(1).c-y := -O3 -ffp-contract=off -fno-math-errno -fno-stack-protector -Dmain=kernel_$(1) -Dprintf=kernel_printf
cflags-remove-$(1).c-y := -Os -mstrict-align -fstack-protector-strong
endef
$(foreach kernel,$(kernels),$(eval $(call kernel-flags,$(kernel))))
