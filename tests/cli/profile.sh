#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What profilers and debuggers see of a guest: run --profile, and the names in images.
. "$(dirname "$0")/common.inc"

export XDG_CACHE_HOME="$work/cache"
library=$work/library.wasm
make_library "$library"

# ---- names in images ----

tool compile -o "$work/library.image" "$library"
if [ "$status" = 65 ] && grep -q "built without LLVM" "$work/err"; then
	compiler=
	skip "names in images" "built without LLVM"
else
	compiler=yes
	if command -v readelf > /dev/null; then
		readelf -sW "$work/library.image" > "$work/symbols" 2> /dev/null
		for name in 'wasm.1.the_divider' 'wasm.8.recurse' 'wasm.9.f_[1mg'; do
			grep -qF "$name" "$work/symbols" && ok "an image has the symbol $name" || not_ok "an image has the symbol $name"
		done
	else
		skip "symbols" "no readelf"
	fi
	# A debugger in another process finds them, too: by the name that the loader knows the library by.
	if command -v gdb > /dev/null; then
		timeout 60 gdb -nx -batch -ex 'break wk_image_leave' -ex run -ex bt -ex kill --args "$tool" run \
			--image "$work/library.image" --invoke fail "$library" > "$work/gdb" 2>&1 < /dev/null
		if [ $? = 124 ] || grep -q '^Breakpoint 1, ' "$work/gdb"; then
			grep -q 'in wasm\.9\.' "$work/gdb" && ok "a debugger names frames of compiled code" ||
				not_ok "a debugger names frames of compiled code" "$(tail -n 12 "$work/gdb")"
		else
			skip "a debugger" "it may not trace here"
		fi
	else
		skip "a debugger" "no gdb"
	fi
	if command -v openssl > /dev/null && openssl genrsa -out "$work/key.pem" 2048 2> /dev/null; then
		tool compile --target aarch64-optee --sign "$work/key.pem" "$library"
		check "an image for OP-TEE" 0
		grep -q 'the_divider' "$work/library.ta" && not_ok "has no names" || ok "has no names"
	fi
fi

# ---- run --profile ----

# Each of these takes a number of rounds, and is called through a table, so that no compiler puts it into another.
# [0] random_get [1] hot and [2] cold: the same loop of a multiplication [3] filler: memory.fill [4] asker: random_get
# [5] run: cold(n), hot(16 n), filler(m), asker(k) [6] _start: run(1, 1, 1), then exit code 7, by [7] proc_exit
# All through a table that is exported, or the compiler would know what is in it, and put them into run.
spin='0101 7f 0340 2001 41 8dcce500 6c 41 dfe6bbe303 6a 2101 2000 4101 6b 2200 0d00 0b 2001 0b'
module=$work/busy.wasm
unhex "$module" $header \
	"$(section 1 05 60027f7f017f 60017f017f 60037f7f7f017f 600000 60017f00)" \
	"$(section 2 02 "$(name wasi_snapshot_preview1)" "$(name random_get)" 00 00 \
		"$(name wasi_snapshot_preview1)" "$(name proc_exit)" 00 04)" \
	"$(section 3 06 01 01 01 01 02 03)" "$(section 4 01 70 00 04)" "$(section 5 01 00 02)" \
	"$(section 7 04 "$(name run)" 00 06 "$(name _start)" 00 07 "$(name memory)" 02 00 "$(name table)" 01 00)" \
	"$(section 9 01 00 4100 0b 04 02 03 04 05)" \
	"$(section 10 06 "$(sized "$spin")" "$(sized "$spin")" \
		"$(sized 00 0340 4100 2000 41e0d403 fc0b00 2000 4101 6b 2200 0d00 0b 4100 2d0000 0b)" \
		"$(sized 00 0340 4100 41e0d403 1000 1a 2000 4101 6b 2200 0d00 0b 4100 2d0000 0b)" \
		"$(sized 00 2000 4101 110100 2000 4110 6c 4100 110100 6a 2001 4102 110100 1a 2002 4103 110100 1a 0b)" \
		"$(sized 00 4101 4101 4101 1006 1a 4107 1001 0b)")" \
	"$(section 0 "$(name name)" 01 "$(sized 06 02 "$(name hot)" 03 "$(name cold)" 04 "$(name filler)" 05 "$(name asker)" \
		06 "$(name run)" 07 "$(name begin)")")"

# shares: those of a text, added up, in whole percents.
shares() { awk '$2 == "%" { sum += $1 } END { printf "%.0f", sum }' "$1"; }
# share NAME FILE: of one line.
share() { awk -v name="$1" '$2 == "%" && $NF == name { printf "%d", $1 }' "$2"; }
# first NAME: the line with the most.
first() { awk '$2 == "%" { print $NF; exit }' "$work/err" | grep -qx "$1"; }

# examine ENGINE HOW ROUNDS FILLS ASKS: how its functions show with this engine.
examine() {
	engine=$1 how=$2
	tool run --engine "$engine" --invoke run "$module" "$3" 1 1
	expected=$(cat "$work/out")
	tool run --engine "$engine" --profile --invoke run "$module" "$3" 1 1
	check "$how: a profile" 0 out "$expected" err "of processor time in" err "$how" err "hot"
	first hot && [ "$(share hot "$work/err")" -ge 60 ] && ok "$how: most of the time in the hot function" ||
		not_ok "$how: most of the time in the hot function" "$(cat "$work/err")"
	cold=$(share cold "$work/err")
	[ "${cold:-0}" -lt 40 ] && ok "$how: little in the cold one" || not_ok "$how: little in the cold one" "$cold"
	sum=$(shares "$work/err")
	[ "$sum" -ge 99 ] && [ "$sum" -le 101 ] && ok "$how: the shares are all of it" || not_ok "$how: the shares are all of it" "$sum"
	tool run --engine "$engine" --profile --invoke run "$module" 1 "$4" 1
	first filler && ok "$how: memory.fill counts for who does it" ||
		not_ok "$how: memory.fill counts for who does it" "$(cat "$work/err")"
	tool run --engine "$engine" --profile --invoke run "$module" 1 1 "$5"
	first wasi_snapshot_preview1.random_get && grep -q " host " "$work/err" && ok "$how: a host function" ||
		not_ok "$how: a host function" "$(cat "$work/err")"
}

tool run --profile=svg "$module"
check "a form that there is not" 64 err "--profile=svg: it is text, json"
tool run --profile=json: "$module"
check "a file without a name" 64 err "--profile=json:"
tool run --tee optee --profile "$module"
check "not in a TEE" 64 err "--profile looks at the thread" err "sim:PROFILE"
tool run --engine interp --profile "$module"
check "the program's own exit status" 7 err "of processor time in"
tool run --engine interp --profile=text:"$work/none/there" --invoke run "$module" 1 1 1
check "a file that cannot be written" 74 err "cannot write the profile" err "none/there"
tool run --engine interp --profile --fuel 100000 --invoke run "$module" 100000 1 1
check "one that is stopped" 68 err "of processor time in" err "the fuel of --fuel"
tool run --engine interp --tee sim:optee-qemu-armv8a --profile --invoke run "$module" 100000 1 1
check "in a simulated TEE" 0 err "of processor time in"

tool run --engine interp --profile=json:"$work/json" --invoke run "$module" 1000000 1 1
check "to a file" 0
[ -s "$work/err" ] && not_ok "then nothing on standard error" "$(head -c 200 "$work/err")" || ok "then nothing on standard error"
if command -v python3 > /dev/null; then
	python3 - "$work/json" << 'END' && ok "JSON" || not_ok "JSON" "$(head -c 500 "$work/json")"
import json, sys
profile = json.load(open(sys.argv[1]))
functions = profile["functions"]
assert profile["file"].endswith("busy.wasm")
assert sum(f["nanoseconds"] for f in functions) == profile["nanoseconds"] > 0
assert sum(f["samples"] for f in functions) == profile["samples"] > 0
assert [f["nanoseconds"] for f in functions] == sorted((f["nanoseconds"] for f in functions), reverse=True)
assert all(f["kind"] in ("compiled", "interpreted", "host", "engine", "other") for f in functions)
assert functions[0]["name"] == "hot" and functions[0]["function"] == 2 and functions[0]["kind"] == "interpreted"
END
else
	skip "JSON" "no python3"
fi

# As many rounds as outweigh what starting takes under an emulator.
examine interp interpreted 1000000 30000 1000
if [ -n "$compiler" ]; then
	examine native compiled 5000000 30000 1000
	# A loop that becomes the C library's memset, which has no frame: it counts for the loop's function.
	# [0] zero(n): n times 15000 stores of 0 [1] run: calls it through a table
	zero=$work/zero.wasm
	unhex "$zero" $header "$(section 1 01 60017f017f)" "$(section 3 02 00 00)" "$(section 4 01 70 00 01)" \
		"$(section 5 01 00 02)" "$(section 7 02 "$(name run)" 00 01 "$(name table)" 01 00)" "$(section 9 01 00 4100 0b 01 00)" \
		"$(section 10 02 "$(sized 0101 7f 0340 4100 2101 0340 2001 4100 360200 2001 4104 6a 2201 41e0d403 48 0d00 0b \
			2000 4101 6b 2200 0d00 0b 4100 0b)" "$(sized 00 2000 4100 110000 0b)")" \
		"$(section 0 "$(name name)" 01 "$(sized 02 00 "$(name zero)" 01 "$(name run)")")"
	tool compile --bounds check -o "$work/zero.image" "$zero"
	grep -q memset "$work/zero.image" && ok "a loop becomes memset" || skip "a loop becomes memset" "not with this LLVM"
	tool run --profile --image "$work/zero.image" --invoke run "$zero" 30000
	first zero && ok "memset counts for the loop" || not_ok "memset counts for the loop" "$(cat "$work/err")"
else
	skip "compiled functions" "built without LLVM"
fi
finish
