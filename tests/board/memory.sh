#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# memory.sh TOOL [VARIANT]: what a Trusted Application gets of memory on the emulated board (board/), or on its variant
# 128m, and whether the profile in profiles/ says so. TOOL is board/board; `make board` must have made the board. The
# variant is made here, if it is not there: that takes five minutes, and the test one.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/common.inc"
. "$root/tests/board/variant.inc"

export BOARD_DIR="$work/board" BOARD_TIMEOUT=120
trap 'exec 2> /dev/null; "$tool" stop; rm -rf "$work"' EXIT

# mapped COLUMN: the bytes (1) or pieces (4) of the last `mapper fill`.
mapped() { cut -d ' ' -f "$1" "$work/out"; }

make -s -C "$root/tests/board/mapper" O="$work/ta" TA_DEV_KIT_DIR="$kit" CROSS_COMPILE=aarch64-linux-gnu- \
	PYTHON3=/usr/bin/python3 > "$work/why" 2>&1 &&
	aarch64-linux-gnu-gcc -std=gnu17 -O1 -Wall -Wextra -Werror -I "$build/arm64/usr/include" -o "$work/mapper" \
		"$root/tests/board/mapper/client.c" "$build/arm64/usr/lib/aarch64-linux-gnu/libteec.so.2" >> "$work/why" 2>&1 &&
	ok "a Trusted Application is built with the development kit" ||
	{ not_ok "a Trusted Application is built with the development kit" "$(tail -n 5 "$work/why")" && finish; }

tool start ${variant:+--variant "$variant"}
check "the machine starts" 0 err "up after"
tool push "$work"/ta/*.ta "$work/mapper"
check "files are copied" 0
for test in 1001 1004 1013; do
	tool run xtest -t regression $test
	check "xtest $test" 0 out "1 test case of which 0 failed"
done

# The tests of OP-TEE are behind us: what they leave in the core's heap is not in the profile.
tool stop
tool start ${variant:+--variant "$variant"}
tool push "$work"/ta/*.ta "$work/mapper"
tool run mapper free
near "free RAM" "$(cat "$work/out")" "$(figure holes)"
free=$(cat "$work/out")
tool run mapper fill 0x100000 0x1000
check "all RAM is mapped, zeroed and kept" 0 out "; 0 wrong"
near "... that is nearly all there is" "$(mapped 1)" "$(figure holes)"
[ -z "$variant" ] || { [ "$(mapped 1)" -ge 100000000 ] && ok "... and 100,000,000 bytes or more" ||
	not_ok "... and 100,000,000 bytes or more"; }
tool run mapper fill 0x10000 0x1000
check "in pieces of 64 KiB, too" 0 out "; 0 wrong"
near "... nearly all" "$(mapped 1)" "$(figure holes)"
tool run mapper fill 0x1000 0x1000
near "the number of mappings" "$(mapped 4)" \
	$((($(figure core-heap) - $(figure core-heap-used) - $(figure core-heap-ta)) / $(figure core-heap-mapping)))
tool run mapper fill 0x1000 0x1000 0x200000
[ $(($(mapped 4) + 1)) = "$(figure page-tables)" ] && ok "page tables" || not_ok "page tables" "$(cat "$work/out")"
tool run mapper free
[ "$(cat "$work/out")" = "$free" ] && ok "all of it was given back" ||
	not_ok "all of it was given back" "$(cat "$work/out") of $free"
tool run mapper unaligned
check "words that are not aligned" 0 out "0 wrong"

# Linux has what it had, and keeps off.
tool run sh -c 'grep MemTotal: /proc/meminfo | tr -cd 0-9'
[ "$(cat "$work/out")" -gt 1000000 ] && ok "Linux has its memory" ||
	not_ok "Linux has its memory" "$(cat "$work/out") KiB"
if [ -n "$variant" ]; then
	tool run grep -i '80000000-87ffffff' /proc/iomem
	check "... and that of OP-TEE is reserved" 0 out reserved
fi
finish
