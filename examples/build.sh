#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh: compiles examples/memory-hog.c to examples/memory-hog.wasm, where a clang for WebAssembly and wasi-libc are
# installed. Where they are not, it says what is missing, and that is no failure: the tool does not need them.
set -eu
cd "$(dirname "$0")"
[ ! -f memory-hog.wasm ] || [ memory-hog.c -nt memory-hog.wasm ] || exit 0
for compiler in clang-19 clang-20 clang-21 clang-22 clang; do
	if $compiler --target=wasm32-wasi -O2 -s -o memory-hog.wasm memory-hog.c 2> /dev/null; then
		echo "Built: examples/memory-hog.wasm"
		exit 0
	fi
done
echo "Without examples/memory-hog.wasm: it needs clang 19, lld 19, wasi-libc and libclang-rt-19-dev-wasm32."
