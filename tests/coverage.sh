#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh BUILD: which lines of src/ the tests of the coverage build have executed, by file.
set -eu
build=$1
find "$build" -name '*.profraw' > "$build/profiles.txt"
llvm-profdata-19 merge -sparse -f "$build/profiles.txt" -o "$build/tests.profdata"
objects=
for program in "$build"/tests/test_* "$build"/tests/replay_* "$build/spec_runner" "$build/wasmkeep"; do
	[ ! -x "$program" ] || objects="$objects -object $program"
done
llvm-cov-19 report $objects -instr-profile="$build/tests.profdata" src
