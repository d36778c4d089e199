#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# probe.sh TOOL [VARIANT]: what guests get of memory from Wasmkeep's own Trusted Application (TA) on the emulated board
# (board/), or on its variant 128m; against what the simulated TEE says, with the profile in profiles/ and with one that
# `wasmkeep memory probe` has measured. TOOL is board/board; `make board` must have made the board. TA and tool are built in
# build/ta and build/optee. Takes a minute or two.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/common.inc"
. "$root/tests/board/variant.inc"

export BOARD_DIR="$work/board" BOARD_TIMEOUT=120
trap 'exec 2> /dev/null; "$tool" stop; rm -rf "$work"' EXIT
hog=$root/examples/memory-hog.wasm
sqlite=$root/build/bench/wasm/sqlite3.wasm
shipped=sim:optee-qemu-armv8a${variant:+-$variant}

# make_ta TA_DATA_SIZE: 32K is what ta/ has by itself.
make_ta() {
	how=
	[ "$1" = 32K ] || how="TA_DATA_SIZE=(${1%M}*1024*1024)"
	make -s -j2 -C "$root/ta" O="$root/build/ta" TA_DEV_KIT_DIR="$kit" CROSS_COMPILE=aarch64-linux-gnu- \
		PYTHON3=/usr/bin/python3 ${how:+"$how"} > "$work/why" 2>&1
}

# hog TEE [OPTIONS]: the bytes of linear memory that memory-hog ends with.
hog() {
	"$tool" run -n wasmkeep run --tee "$@" /share/memory-hog.wasm 2> "$work/err" |
		sed -n 's/^linear memory: \([0-9]*\) bytes$/\1/p'
}

# linear TEE: the same of SQLite, in its memory report, which the speed of the machine does not change.
linear() {
	"$tool" run -n wasmkeep run --tee "$1" --memory-report /share/sqlite3.wasm --memdb --size 1 2>&1 > "$work/out" |
		awk '/^  linear memories/ { print $4 }'
}

# as_large NAME BOARD SIMULATED: within a page of WebAssembly's?
as_large() {
	[ -n "$2" ] && [ -n "$3" ] && [ $(($2 - $3)) -le 65536 ] && [ $(($3 - $2)) -le 65536 ] && ok "$1: $2, simulated $3" ||
		not_ok "$1" "$2, simulated $3; $(head -c 300 "$work/err")"
}

sh "$root/examples/build.sh" > "$work/why"
[ -f "$hog" ] || { skip "memory in the TEE" "$(tail -n 1 "$work/why")" && finish; }
cd "$root" && mkdir -p build && cmake --preset optee > "$work/why" 2>&1 && cmake --build --preset optee > "$work/why" 2>&1 &&
	ok "the tool is built" || { not_ok "the tool is built" "$(tail -n 5 "$work/why")" && finish; }
tool start ${variant:+--variant "$variant"}
check "the machine starts" 0 err "up after"
tool push build/optee/wasmkeep
check "the tool is copied" 0
cp "$hog" "$BOARD_DIR/share"

# ---- what memory-hog gets, on the board and simulated ----

sizes="4M 12M 32K"
[ -z "$variant" ] || sizes=32K
for size in $sizes; do
	make_ta $size && ok "a TA with a TA_DATA_SIZE of $size is built" ||
		not_ok "a TA with a TA_DATA_SIZE of $size is built" "$(tail -n 5 "$work/why")"
	tool push build/ta/*.ta
	got=$(hog optee)
	as_large "memory-hog with a TA_DATA_SIZE of $size" "$got" "$(hog "$shipped" --ta-data-size $size)"
	tool run wasmkeep memory probe -o /share/$size.profile
	check "it is probed" 0 out "CFG_TZDRAM_SIZE" out "CFG_PGT_CACHE_ENTRIES"
	as_large "... and with what was probed" "$got" "$(hog sim:/share/$size.profile)"
done
[ -z "$variant" ] || { [ "$got" -ge 100000000 ] && ok "a module gets 100,000,000 bytes or more: $got" ||
	not_ok "a module gets 100,000,000 bytes or more" "$got"; }

# ---- the profile that was probed last, and the one in profiles/ ----

expected=$(figure holes) tables=$(figure page-tables) own=$(($(figure ta-code) + $(figure ta-data)))
mappings=$((($(figure core-heap) - $(figure core-heap-used) - $(figure core-heap-ta)) / $(figure core-heap-mapping)))
shared=$(figure shared-memory) small="$(figure ta-data-size) $(figure ta-stack-size) $(figure ta-native-stack)"
profile=$BOARD_DIR/share/32K.profile
near "RAM, as in the profile" "$(figure holes)" "$expected"
near "the TA's segments" $(($(figure ta-code) + $(figure ta-data))) "$own"
near "mappings" $(($(figure core-heap) / $(figure core-heap-mapping))) "$mappings"
got=$(figure shared-memory) # more, by chance: see docs/profiles.md
[ "$got" -ge "$shared" ] && [ "$got" -le $((shared + shared / 25)) ] && ok "shared memory: $got" ||
	not_ok "shared memory" "$got, at least $shared"
[ "$(figure page-tables)" = "$tables" ] && ok "page tables" || not_ok "page tables" "$(figure page-tables)"
[ "$(figure ta-data-size) $(figure ta-stack-size) $(figure ta-native-stack)" = "$small" ] && ok "TA_DATA_SIZE and stacks" ||
	not_ok "TA_DATA_SIZE and stacks" "$(cat "$profile")"

tool run wasmkeep memory probe --json
python3 -c 'import json, sys; p = json.load(sys.stdin); assert p["most"] == sum(p["holes"]) <= p["ram"]; assert all(
	q["total"] == q["size"] * q["count"] <= p["most"] for q in p["pieces"])' < "$work/out" 2> "$work/why" &&
	ok "as JSON" || not_ok "as JSON" "$(cat "$work/out" "$work/why" | head -c 500)"
echo old > "$BOARD_DIR/share/there.profile"
tool run wasmkeep memory probe -o /share/there.profile
check "a profile takes the place of its file" 0
grep -q "^name = there$" "$BOARD_DIR/share/there.profile" && [ ! -e "$BOARD_DIR"/share/there.profile.* ] &&
	ok "... as a whole" || not_ok "... as a whole" "$(ls "$BOARD_DIR/share")"
tool run wasmkeep memory probe -o /no/such/folder/x
check "a profile that cannot be written" 74 err "cannot write the profile"
tool run wasmkeep memory probe -o -
check "a profile on standard output" 0 out "name = probed" out "ta-native-stack"
tool run wasmkeep memory plan --tee /share/32K.profile /share/memory-hog.wasm
check "a plan with what was probed" 0 out "its memory can grow to"

# ---- a real program ----

if [ -n "$variant" ] || [ ! -f "$sqlite" ]; then
	[ -n "$variant" ] || skip "SQLite's memory" "no build/bench/wasm/sqlite3.wasm: bench/programs.sh makes it"
else
	cp "$sqlite" "$BOARD_DIR/share"
	as_large "SQLite's memory" "$(linear optee)" "$(linear "$shipped")"
fi
finish
