#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What profilers and debuggers see of a guest: run --profile, and the names in images.
. "$(dirname "$0")/common.inc"

export XDG_CACHE_HOME="$work/cache"
library=$work/library.wasm
make_library "$library"

# ---- names in images ----

tool compile -o "$work/library.image" "$library"
if [ "$status" = 65 ] && grep -q "built without LLVM" "$work/err"; then
	compiler=
	skip "names in images" "built without LLVM"
else
	compiler=yes
	if command -v readelf > /dev/null; then
		readelf -sW "$work/library.image" > "$work/symbols" 2> /dev/null
		for name in 'wasm.1.the_divider' 'wasm.8.recurse' 'wasm.9.f_[1mg'; do
			grep -qF "$name" "$work/symbols" && ok "an image has the symbol $name" || not_ok "an image has the symbol $name"
		done
	else
		skip "symbols" "no readelf"
	fi
	# A debugger in another process finds them, too: by the name that the loader knows the library by.
	if command -v gdb > /dev/null; then
		timeout 60 gdb -nx -batch -ex 'break wk_image_leave' -ex run -ex bt -ex kill --args "$tool" run \
			--image "$work/library.image" --invoke fail "$library" > "$work/gdb" 2>&1 < /dev/null
		if [ $? = 124 ] || grep -q '^Breakpoint 1, ' "$work/gdb"; then
			grep -q 'in wasm\.9\.' "$work/gdb" && ok "a debugger names frames of compiled code" ||
				not_ok "a debugger names frames of compiled code" "$(tail -n 12 "$work/gdb")"
		else
			skip "a debugger" "it may not trace here"
		fi
	else
		skip "a debugger" "no gdb"
	fi
	if command -v openssl > /dev/null && openssl genrsa -out "$work/key.pem" 2048 2> /dev/null; then
		tool compile --target aarch64-optee --sign "$work/key.pem" "$library"
		check "an image for OP-TEE" 0
		grep -q 'the_divider' "$work/library.ta" && not_ok "has no names" || ok "has no names"
	fi
fi
finish
