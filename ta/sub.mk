# SPDX-License-Identifier: Apache-2.0
#
# The sources: the freestanding rooms of src/sources.txt (its first part), the port to OP-TEE, and what is here.

# Another TA can have the same engine and port (tests/board/spec): it says first where the tree is, and what its doors are.
wk-root ?= $(sub-dir)/..
wk-doors ?= entry.c probe.c

global-incdirs-y += .
global-incdirs_ext-y += $(addprefix $(wk-root),/. /src /include)

wk-src := $(wk-root)/src
wk-patterns := $(shell sed -n '/^-- hosts/q; /^[a-z]/p' $(wk-src)/sources.txt)
# Images that are files, and the hash that they need: here OP-TEE checks and maps them.
wk-rooms := $(filter-out image/file.c image/sha256.c,$(patsubst $(wk-src)/%,%,$(wildcard $(addprefix $(wk-src)/,$(wk-patterns)))))
wk-port := $(addprefix port/optee/,pages.c lock.c coroutine.c coroutine_a64.S system.c vault.c library.c)

srcs-y += $(wk-doors)
cppflags-entry.c-y += $(wk-sizes)
cppflags-probe.c-y += $(wk-sizes)
srcs_ext_base-y := $(wk-src)
srcs_ext-y += $(wk-rooms) $(wk-port)

# Memory of guests is read and written at any address, with one instruction where the platform's configuration allows that
# (CFG_SCTLR_ALIGNMENT_CHECK=n, the default).
wk-unaligned := $(if $(filter CFG_SCTLR_ALIGNMENT_CHECK=y,$(file < $(TA_DEV_KIT_DIR)/host_include/conf.mk)),,-mstrict-align)
# See cmake/flags.cmake for the reasons of all others.
wk-arithmetic := -fno-math-errno -fno-trapping-math -ffp-contract=off
define wk-flags
cflags-$(1)-y := $(wk-arithmetic)
cflags-remove-$(1)-y := $(wk-unaligned) $(wk-protector)
endef
# The kit's stack protector stays where bytes from outside are read, and goes where they have been checked.
wk-protector := -fstack-protector-strong
$(foreach file,$(filter interp/%,$(wk-rooms)),$(eval $(call wk-flags,$(file))))
$(foreach file,$(filter base/% memory/% runtime/% image/%,$(wk-rooms)),$(eval cflags-remove-$(file)-y := $(wk-protector)))
cflags-interp/dispatch.c-y += -O2 -fno-stack-protector
cflags-remove-interp/dispatch.c-y += -Os
ifneq ($(COMPILER),clang)
cflags-interp/dispatch.c-y += -fno-gcse -fno-crossjumping -fno-tree-loop-distribute-patterns -fno-align-labels \
	-fno-align-jumps -fno-align-loops
endif
