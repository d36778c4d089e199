#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# all.sh TOOL: assembles the board and runs all of its tests; TOOL is wasmkeep for this machine, with whose outcomes those
# in the TEE are compared, as are those of the runner of the core test suite beside it. Where the board's packages cannot
# be installed, or it cannot be assembled for want of the archive, the tests are skipped, and it says why. The last line
# is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=$1
passed=0 failed=0 skipped=0
log=build/board.log
mkdir -p build

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

skip_all() {
	echo "skip - the board and the Trusted Application on it: $1"
	skipped=1
	finish
}

sh cmake/packages.sh board/packages.txt > $log 2>&1 || skip_all "its packages cannot be installed: $(tail -n 1 $log)"
command -v qemu-system-aarch64 > /dev/null || skip_all "there is no qemu-system-aarch64 here"
sh board/assemble.sh > $log 2>&1 || {
	# Without a network there is no board; with one it must come about.
	grep -q 'Could not resolve\|Could not connect\|Failed to fetch\|cannot fetch' $log && skip_all "it cannot be assembled: $(tail -n 1 $log)"
	tail -n 20 $log
	echo "not ok - the board is assembled"
	failed=1
	finish
}
sh ta/build.sh || {
	echo "not ok - the Trusted Application is built"
	failed=1
	finish
}

# A real program that two of the scripts run.
sh bench/programs.sh sqlite3 > build/board-programs.log 2>&1 || echo "skip - sqlite3 on the board: it cannot be built"

# one SCRIPT ARGUMENT...: a test script; its counts are left in build/board-NAME.counts.
one() {
	name=$(basename "$1" .sh)
	begin=$(date +%s)
	sh "$@" > "build/board-$name.log" 2>&1
	grep '^not ok - \|^skip - ' "build/board-$name.log"
	counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "build/board-$name.log" | tail -n 1)
	[ -n "$counts" ] || {
		tail -n 20 "build/board-$name.log"
		counts="0 passed, 1 failed, 0 skipped"
	}
	echo "-- board, $name: $counts, $(($(date +%s) - begin)) s"
	echo "$counts" > "build/board-$name.counts"
}

# The suite takes as long as all others together; each script has a machine of its own.
rm -f build/board-*.counts
one tests/board/spec.sh board/board "$(dirname "$tool")/spec_runner" &
one tests/board/board.sh board/board
one tests/board/memory.sh board/board
one tests/board/probe.sh board/board
one tests/board/ta.sh board/board "$tool"
one tests/board/image.sh board/board "$tool"
wait
for name in spec board memory probe ta image; do
	set -- $(cat "build/board-$name.counts" 2> /dev/null || echo "0 passed, 1 failed, 0 skipped")
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
done
finish
