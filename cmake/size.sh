#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# size.sh [--check]: the size of the library's code at -Os, by room, for each compiler and machine that is here, and of the
# Trusted Application (TA) where the board's development kit is. The goals are at most 192 KiB of .text for everything but
# WASI; for the TA 250 KiB of .text, and 512 KiB of the TEE's RAM before the first module. With --check a missed goal is a
# failure.
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

# ---- the TA ----

# constant NAME FILE: what a header defines it as, a product of numbers.
constant() {
	echo $(($(sed -n "s/^#define $1 *(\(.*\))\$/\1/p" "$2" | sed 's/(size_t)//')))
}

# pages BYTES: rounded up.
pages() { echo $((($1 + 4095) / 4096 * 4096)); }

# segment N: bytes in memory of the TA's N-th loaded segment.
segment() { echo $(($(readelf -lW "$elf" | awk -v n="$1" '$1 == "LOAD" && ++seen == n { print $6 }'))); }

measure_ta() {
	if [ ! -d build/board/arm64/usr/lib/optee-os-dev ]; then
		echo "the TA: not measured, its development kit is not here: make board"
		return
	fi
	sh ta/build.sh || exit 1
	elf=$(ls build/ta/*.stripped.elf)
	text=$(size -A -d "$elf" | awk '$1 == ".text" { print $2 }')
	header=ta/user_ta_header_defines.h
	heap=$(constant TA_DATA_SIZE $header)
	image=$(pages "$(segment 1)")
	data=$(($(pages "$(segment 2)") - heap))
	stack=$(pages $(($(constant TA_STACK_SIZE $header) + 2048))) # the kit adds 2 KiB
	guests=$(constant TA_GUEST_STACK $header)
	loader=$((18 * 4096)) # docs/optee-memory.md
	sum=$((image + data + heap + stack + guests + loader))
	echo "the Trusted Application, gcc -Os, the dispatch loop -O2"
	printf '  %-30s %10d   the goal is 256000 (250 KiB): %s\n' ".text" "$text" "$(met "$text" 256000)"
	printf '  %-30s %10d\n' "code and constants, in pages" "$image" "data" "$data" "TA_DATA_SIZE" "$heap" \
		"TA_STACK_SIZE" "$stack" "stack of guests' calls" "$guests" "loader of OP-TEE" "$loader"
	printf '  %-30s %10d   the goal is 524288 (512 KiB): %s\n' "RAM before the first module" "$sum" "$(met "$sum" 524288)"
	[ "$text" -le 256000 ] && [ "$sum" -le 524288 ] || bad=1
}

# met VALUE GOAL
met() { [ "$1" -le "$2" ] && echo met || echo MISSED; }

measure_ta
[ -z "$check" ] || exit $bad
