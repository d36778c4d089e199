#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh BUILD SECONDS: runs each fuzzer of a build for so long. What it finds interesting stays in BUILD/corpus/<name>;
# it starts from there, from tests/fuzz/corpus/<name> and from the core test suite where that is unpacked. An input that
# crashes is left in BUILD/crashes; once understood, it belongs into tests/fuzz/corpus/<name>.
set -u
build=$1 seconds=$2
passed=0 failed=0
mkdir -p "$build/crashes"

for fuzzer in "$build"/fuzz_*; do
	[ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
	name=${fuzzer##*/fuzz_}
	mkdir -p "$build/corpus/$name"
	seeds=
	for folder in "tests/fuzz/corpus/$name" build/spec/core; do
		[ ! -d "$folder" ] || seeds="$seeds $folder"
	done
	echo "== $name: $seconds seconds"
	if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" $seeds > "$build/fuzz_$name.log" 2>&1
	then
		passed=$((passed + 1))
		grep -E 'stat::(number_of_executed_units|average_exec_per_sec|new_units_added)' "$build/fuzz_$name.log"
	else
		failed=$((failed + 1))
		tail -n 60 "$build/fuzz_$name.log"
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
