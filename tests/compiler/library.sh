#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# library.sh TOOL DIGESTS CLANG: the C library's functions in a module, interpreted and compiled: the same results, memory
# and traps; and those of the wasi-libc of this machine are known.
. "$(dirname "$0")/../cli/common.inc"

digests=$2 clang=$3
tool compile "$work/none.wasm"
if grep -q "built without LLVM" "$work/err"; then
	skip "the C library in compiled code" "built without LLVM"
	finish
fi
# Of the last run's message, without the place, which a trap by a guard does not have.
first_line() { sed 's/at byte 0x[0-9a-f]*, //; q' "$work/err"; }

for flags in -mno-bulk-memory -mbulk-memory; do
	guest=$work/guest$flags.wasm
	$clang --target=wasm32-wasi -O1 -Wl,--strip-debug $flags -o "$guest" "$(dirname "$0")/library.c" || exit 1
	"$digests" "$guest" > "$work/found"
	for name in memcpy memmove memset memcmp strlen; do
		if grep -q "^[0-9]* $name .* $name\$" "$work/found"; then
			ok "$name is known ($flags)"
		else
			not_ok "$name is known ($flags)" "library.def has not: $(grep " $name " "$work/found")"
		fi
	done
	# Another guest, in whose loops checks have blocks for traps of their own kind.
	$clang --target=wasm32-wasi -O1 -w $flags -o "$work/other.wasm" "$(dirname "$0")/../board/guest.c" || exit 1
	tool compile --bounds check -o "$work/other.image" "$work/other.wasm"
	check "the board's guest is compiled ($flags)" 0
	tool run --engine interp "$guest"
	expected=$(cat "$work/out")
	for bounds in guard check; do
		tool compile --bounds $bounds -o "$work/guest.image" "$guest"
		[ "$status" = 0 ] || tool compile -o "$work/guest.image" "$guest" # no guards on this machine
		tool run --image "$work/guest.image" "$guest"
		same "as interpreted ($flags, $bounds)" "$expected"
		for mischief in "c 51" "c 5000" "f 51" "f 70" "m 51" "m 20000" "s 51" "s 90000" "e 51" "d 51" "l 0"; do
			tool run --engine interp "$guest" $mischief
			before=$status first=$(first_line)
			tool run --image "$work/guest.image" "$guest" $mischief
			if [ "$status" = "$before" ] && [ "$(first_line)" = "$first" ]; then
				ok "the same end of '$mischief' ($flags, $bounds)"
			else
				not_ok "the same end of '$mischief' ($flags, $bounds)" "$status, not $before: $(head -c 300 "$work/err")"
			fi
		done
	done
done
finish
