#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spec.sh TOOL RUNNER [-v]: runs the WebAssembly core test suite, and those of proposals, inside a Trusted Application on
# the emulated board, and compares with what RUNNER, the suite's runner for Linux, says on this machine. TOOL is
# board/board; `make board` must have made the board, and spec_files.sh have unpacked the suite. -v shows each script.
# The closing line counts the suite's commands on the board, too. spec/excuses.txt names those that need more memory than
# the board has: they may be skipped there, nothing else.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/common.inc"
runner=$2 verbose=${3:-}

if ! ls "$root"/build/spec/core/*.json > /dev/null 2>&1; then
	skip "the core test suite" "it is not here; make boardtest SPEC=DIR takes it converted to JSON"
	finish
fi
build=${BOARD_BUILD:-$root/build/board}
export BOARD_DIR="$work/board" BOARD_TIMEOUT=1800
trap 'exec 2> /dev/null; "$tool" stop; rm -rf "$work"' EXIT

kit=$build/arm64/usr/lib/optee-os-dev/vexpress-qemu_armv8a
(
	make -s -C "$root/tests/board/spec" O="$root/build/spec-ta" TA_DEV_KIT_DIR="$kit" \
		CROSS_COMPILE=aarch64-linux-gnu- PYTHON3=/usr/bin/python3
	cd "$root" && cmake --preset optee && cmake --build --preset optee --target spec_client
) > "$work/why" 2>&1 && ok "the runner's two parts are built" ||
	{ not_ok "the runner's two parts are built" "$(tail -n 5 "$work/why")" && finish; }

"$tool" start --for $$ 2> "$work/err"
status=$?
check "the machine starts" 0 err "up after"
tool push "$root"/build/spec-ta/*.ta "$root/build/optee/spec_client"
check "files are copied" 0
tool push "$root/tests/board/spec/excuses.txt" /root/
check "... and excuses" 0

# sum FILE: the counts of the runner's last line.
sum() { sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$1"; }

for suite in core custom-page-sizes wide-arithmetic; do
	tar -C "$root/build/spec/$suite/" --exclude=.unpacked -cf - . |
		"$tool" run sh -c "mkdir -p /root/$suite && tar -C /root/$suite -xf -" || not_ok "$suite is copied"
	"$runner" "$root/build/spec/$suite" > "$work/linux"
	echo "$suite, in the TEE:"
	begin=$(date +%s)
	"$tool" run -n spec_client "/root/$suite" --excuse /root/excuses.txt $verbose > "$work/tee"
	status=$?
	sed 's/^/  /' "$work/tee"
	echo "  on Linux: $(tail -n 1 "$work/linux"); in the TEE it took $(($(date +%s) - begin)) s"
	set -- $(sum "$work/tee")
	[ $# = 3 ] && [ "$status" -le 1 ] || { not_ok "$suite runs in the TEE" "status $status" && continue; }
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	excused=$(sed -n 's/^Skipped because the TEE has too little memory: //p' "$work/tee")
	[ "$(($1 + ${excused:-0})) $2 $(($3 - ${excused:-0}))" = "$(sum "$work/linux")" ] &&
		ok "$suite: the same result as on Linux${excused:+, but for $excused commands that need more memory}" ||
		not_ok "$suite: the same result as on Linux"
done
finish
