#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh: compiles the example programs, examples/*.c but embed.c, to WebAssembly, where a clang for it and wasi-libc
# are installed. Where they are not, it says what is missing, and that is no failure: the tool does not need them.
set -eu
cd "$(dirname "$0")"
for name in hello memory-hog; do
	[ ! -f $name.wasm ] || [ $name.c -nt $name.wasm ] || continue
	built=
	for compiler in clang-19 clang-20 clang-21 clang-22 clang; do
		if $compiler --target=wasm32-wasi -O2 -s -o $name.wasm $name.c 2> /dev/null; then
			echo "Built: examples/$name.wasm"
			built=yes
			break
		fi
	done
	[ -n "$built" ] ||
		echo "Without examples/$name.wasm: it needs clang 19, lld 19, wasi-libc and libclang-rt-19-dev-wasm32."
done
