#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [-q] PRESET...: builds each preset, runs its tests, and adds up their cases. -q leaves out the slow ones (the
# core test suite, the comparison with V8). The last word may be "board": the tests of the emulated machine, beside the tool
# of the release. The last line is "N passed, N failed, N skipped"; the exit status is 0 when nothing failed.
set -u
quick=
if [ "${1:-}" = -q ]; then
	quick="-LE slow"
	shift
fi
passed=0 failed=0 skipped=0 tool=dev

# Adds up the results of one preset: the counted cases of each test that ctest ran, and one case for each that does not
# count. The lines of `ctest --output-junit` tell which tests there were.
sum() {
	awk -v results="build/$1/results" '
		/<testcase / {
			name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
			state = $0; sub(/.* status="/, "", state); sub(/".*/, "", state)
			file = results "/" name ".count"
			if ((getline line < file) > 0) {
				close(file)
				split(line, n, " ")
				if (state == "fail" && n[2] == 0) n[2] = 1
			} else {
				n[1] = state == "run"; n[2] = state == "fail"; n[3] = state != "run" && state != "fail"
			}
			p += n[1]; f += n[2]; s += n[3]
		}
		END { print p + 0, f + 0, s + 0 }' "build/$1/tests.xml"
}

for preset in "$@"; do
	echo "== $preset"
	if [ "$preset" = board ]; then
		sh tests/board/all.sh "$PWD/build/$tool/wasmkeep" > build/board-all.log 2>&1
		cat build/board-all.log
		set -- $(tail -n 1 build/board-all.log)
		passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
		continue
	fi
	case $preset in release*) tool=$preset ;; esac
	if ! cmake --preset "$preset" > "build/$preset.log" 2>&1 || ! cmake --build --preset "$preset" > "build/$preset.log" 2>&1
	then
		tail -n 60 "build/$preset.log"
		echo "== $preset: not built (the whole log: build/$preset.log)"
		failed=$((failed + 1))
		continue
	fi
	rm -rf "build/$preset/results" "build/$preset/tests.xml"
	ctest --preset "$preset" -j "${JOBS:-$(nproc)}" $quick --output-junit "$PWD/build/$preset/tests.xml" 2>&1 |
		sed '/^Preset\|^$/d'
	if [ ! -f "build/$preset/tests.xml" ]; then
		echo "== $preset: ctest did not run"
		failed=$((failed + 1))
		continue
	fi
	set -- $(sum "$preset") "$@"
	echo "== $preset: $1 passed, $2 failed, $3 skipped"
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	shift 3
done

# Why something was skipped is worth seeing, once.
cat build/*/results/*.log 2> /dev/null | grep '^skip - ' | sort | uniq -c | head -n 40
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
