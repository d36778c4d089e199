# SPDX-License-Identifier: Apache-2.0
wk-root := $(sub-dir)/../../..
wk-doors := entry.c
include $(wk-root)/ta/sub.mk

global-incdirs-y += ../..
# The objects of sources elsewhere would be elsewhere, too.
spec-sources := ../tests/spec/spec_serve.c ../tests/spec/spec_spectest.c
srcs_ext-y += $(spec-sources)
$(foreach file,$(spec-sources),$(eval oname-$(file)-y := $(notdir $(file:.c=.o))))
