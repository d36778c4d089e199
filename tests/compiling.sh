#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# compiling.sh PROGRAM: the path of that test program in the first preset of this machine's that is built with LLVM, for
# tests of a machine whose build has none. Status 77, and why instead of a path: there is none.
build=$(cd "$(dirname "$0")/.." && pwd)/build
for preset in release release-gcc dev; do
	if [ -x "$build/$preset/wasmkeep-compile" ] && [ -x "$build/$preset/$1" ]; then
		echo "$build/$preset/$1"
		exit 0
	fi
done
echo "skip - compiled for another machine: no $1 with LLVM in build/release (or release-gcc, dev)"
exit 77
