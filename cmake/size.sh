#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# size.sh [--check]: the size of the library's code at -Os, by room, for each compiler and machine that is here. The goal
# is at most 192 KiB of .text for everything but WASI. With --check a missed goal is a failure.
set -eu
goal=$((192 * 1024))
check=${1:-}
bad=0
mkdir -p build

# measure PRESET LABEL SIZE-TOOL
measure() {
	if ! command -v "$3" > /dev/null || ! cmake --preset "$1" > "build/$1.log" 2>&1; then
		echo "$2: not measured, its compiler is not here"
		return
	fi
	cmake --build --preset "$1" > "build/$1.log" 2>&1 || {
		tail -n 40 "build/$1.log"
		exit 1
	}
	for object in $(find "build/$1/CMakeFiles/wasmkeep_rooms.dir" "build/$1/CMakeFiles/wasmkeep_posix.dir" -name '*.o'); do
		room=${object#*.dir/src/}
		case $room in port/posix/wasi_*) room=wasi/posix ;; esac
		"$3" -A -d "$object" | awk -v room="${room%/*}" '
			/^\.text/ { text += $2 }
			/^\.(rodata|data\.rel\.ro)/ { constants += $2 }
			END { print room, text + 0, constants + 0 }'
	done | awk -v label="$2" -v goal=$goal '
		{ text[$1] += $2; constants[$1] += $3 }
		END {
			print label
			printf "  %-14s %10s %10s\n", "room", ".text", "constants"
			count = split("base memory format validate runtime interp host port/posix", order, " ")
			for (i = 1; i <= count; i++) {
				printf "  %-14s %10d %10d\n", order[i], text[order[i]], constants[order[i]]
				sum += text[order[i]]; sum_constants += constants[order[i]]
				seen[order[i]] = 1
			}
			printf "  %-14s %10d %10d   %.1f KiB of .text; the goal is %d KiB: %s\n", "together", sum, sum_constants,
				sum / 1024, goal / 1024, sum <= goal ? "met" : "MISSED"
			for (room in text)
				if (!(room in seen)) printf "  %-14s %10d %10d   (not counted)\n", room, text[room], constants[room]
			exit sum > goal
		}' || bad=1
}

measure size "x86-64, clang -Os" size
measure size-gcc "x86-64, gcc -Os" size
measure size-aarch64 "aarch64, gcc -Os" aarch64-linux-gnu-size
[ -z "$check" ] || exit $bad
