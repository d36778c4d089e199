#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiled code: wasmkeep compile, and run --engine and --image.
. "$(dirname "$0")/common.inc"

export XDG_CACHE_HOME="$work/cache"
library=$work/library.wasm
make_library "$library"

tool compile
check "compile needs a module" 64 err "needs a module"
tool compile -O 4 "$library"
check "an optimisation that there is not" 64 err "-O 4"
tool run --engine fast "$library"
check "an engine that there is not" 64 err "--engine fast"
tool run --image "$work/none.image" --invoke add "$library" 1 2
check "an image that is not there" 66 err "none.image"
head -c 500 /dev/zero > "$work/zero.image"
tool run --image "$work/zero.image" --invoke add "$library" 1 2
check "a file that is no image" 65 err "no seal"

tool compile -v -O3 -o "$work/library.image" "$library"
if [ "$status" = 65 ] && grep -q "built without LLVM" "$work/err"; then
	skip "compiled code" "built without LLVM"
	finish
fi
check "a module is compiled" 0 err "functions compiled"
tool compile --target vax "$library"
check "a target that there is not" 64 err "vax"
tool compile -o "$work/no/folder.image" "$library"
check "a folder that is not there" 65 err "folder.image"

tool run -v --invoke add "$library" 1 2
check "the image beside the module is found" 0 out 3 err "are compiled"
tool run -v --engine interp --invoke add "$library" 1 2
check "and not used with --engine interp" 0 out 3
grep -q "are compiled" "$work/err" && not_ok "it was used" || ok "it was not used"
tool run --invoke recurse "$library"
check "infinite recursion traps" 134 err "stack exhausted" err "at #"
spin=$work/spin.wasm
make_program "$spin" 0340 0c00 0b
tool compile "$spin"
tool run -v --engine native --timeout 1 "$spin"
check "--timeout ends a compiled loop" 68 err "--timeout" err "are compiled"
make_program "$work/empty.wasm"
tool run -v --engine native "$work/empty.wasm"
check "what is not there is made" 0 err "functions compiled" err "are compiled"
ls "$work"/cache/wasmkeep/*.image > /dev/null 2>&1 && ok "and is in the cache" || not_ok "and is in the cache"
tool run -v "$work/empty.wasm"
check "where it is found" 0 err "cache/wasmkeep"

# Fuel: the same with code that counts it as interpreted, and code that does not is not used.
tool run -v --fuel 1000 --invoke add "$library" 1 2
check "code that does not count fuel is not used" 0 out 3 err "does not count fuel" err "of 1000 used"
used=$(grep -o 'fuel: [0-9]*' "$work/err" | cut -d ' ' -f 2)
tool run --fuel 1000 --image "$work/library.image" --invoke add "$library" 1 2
check "nor if it is asked for" 65 err "does not count fuel"
tool compile --fuel -o "$work/counts.image" "$library"
check "code that counts" 0
tool run -v --fuel 1000 --image "$work/counts.image" --invoke add "$library" 1 2
check "counts the same" 0 out 3 err "are compiled" err "fuel: $used of 1000"
tool run --fuel "$used" --image "$work/counts.image" --invoke add "$library" 1 2
check "is content with that" 0 out 3
tool run --fuel "$((used - 1))" --image "$work/counts.image" --invoke add "$library" 1 2
check "and not with less" 68 err "limit reached"
tool run --image "$work/counts.image" --invoke add "$library" 1 2
check "it runs without fuel, too" 0 out 3
tool run -v --engine native --fuel 100000 "$spin"
check "fuel ends a compiled loop" 68 err "are compiled" err "limit reached" err "at #0"

# LLVM gives up on a tail call whose results are in memory, so it is not asked for one.
tail=$work/tail.wasm
printf '\0asm\1\0\0\0\1\10\1\140\0\4\176\176\176\176\3\2\1\0\12\6\1\4\0\22\0\13' > "$tail"
tool compile -v "$tail"
check "a tail call with many results" 0 err "more results than registers"

# Loops of which there are two versions. add_up(at, count): adds `count` numbers from `at` on, each behind the other, and
# leaves `count` at each place; fill(at, end): goes up by 8 while at < end; and down(at): from `at` down to 0 by 4.
loops=$work/loops.wasm
unhex "$loops" $header "$(section 1 02 60 02 7f7f 01 7f  60 01 7f 01 7f)" "$(section 3 03 00 00 01)" \
	"$(section 5 01 00 01)" \
	"$(section 7 03 "$(name add_up)" 00 00 "$(name fill)" 00 01 "$(name down)" 00 02)" \
	"$(section 10 03 \
		"$(sized 01 01 7f 0340 2002 2000 280200 6a 2102 2000 2001 360200 2000 4104 6a 2100 2001 417f 6a 2201 0d00 0b 2002 0b)" \
		"$(sized 01 01 7f 0340 2000 2001 360204 2002 4101 6a 2102 2000 4108 6a 2200 2001 48 0d00 0b 2002 0b)" \
		"$(sized 01 01 7f 0340 2001 2000 2d0000 6a 2101 2000 4104 6b 2200 4100 4e 0d00 0b 2001 0b)")"
tool compile -O 2 "$loops"
check "loops are compiled" 0
while read -r call; do
	# shellcheck disable=SC2086
	tool run --engine interp --invoke ${call%% *} "$loops" ${call#* }
	{ echo "$status" && cat "$work/out" "$work/err"; } > "$work/interpreted"
	# shellcheck disable=SC2086
	tool run --image "$work/loops.image" --invoke ${call%% *} "$loops" ${call#* }
	{ echo "$status" && cat "$work/out" "$work/err"; } > "$work/compiled"
	cmp -s "$work/interpreted" "$work/compiled" && ok "a loop as interpreted: $call" ||
		not_ok "a loop as interpreted: $call" "$(head -c 300 "$work/compiled")"
done << 'END'
add_up 0 1
add_up 0 100
add_up 65136 100
add_up 65137 100
add_up 65136 101
add_up -8 2
add_up -40 100
add_up 65532 1
add_up 65533 1
fill 0 800
fill 0 65536
fill 4 65536
fill 65536 0
fill -64 0
fill -64 64
fill 2147483000 2147483647
down 65535
down 65536
down 400
down -1
END
# For OP-TEE: a library with the signed header of its Trusted Applications, checked by another program than it was made by.
tool compile --target aarch64-optee "$library"
check "an image for OP-TEE needs a key" 64 err "--sign KEY.pem"
tool compile --target aarch64-optee --sign "$work/none.pem" "$library"
check "a key that is not there" 66 err "none.pem"
tool compile --target aarch64-optee --sign "$library" "$library"
check "a file that is no key" 65 err "no private key"
tool compile --sign "$library" "$library"
check "a key for another target" 64 err "--target aarch64-optee"
if command -v openssl > /dev/null && openssl genrsa -out "$work/key.pem" 2048 2> /dev/null &&
	openssl ecparam -genkey -name prime256v1 -out "$work/curve.pem" 2> /dev/null; then
	tool compile --target aarch64-optee --sign "$work/curve.pem" "$library"
	check "a key of another kind" 65 err "RSA"
	tool compile -v --target aarch64-optee --sign "$work/key.pem" "$library"
	check "an image for OP-TEE" 0 err "functions compiled"
	/usr/bin/python3 "$(dirname "$0")/signed.py" "$work/library.ta" "$work/key.pem" "$library" > "$work/why" 2>&1
	case $? in
	0) ok "its header, signature and name are right" ;;
	9) skip "its signature" "no python3-cryptography" ;;
	*) not_ok "its header, signature and name are right" "$(tail -n 3 "$work/why")" ;;
	esac
else
	skip "signing" "no openssl"
fi

# Every kind of harm to a file: nothing of it runs, and the program does, by the interpreter.
cp "$work/library.image" "$work/good.image"
size=$(wc -c < "$work/good.image")
for at in 0 100 5000 $((size - 150)) $((size - 140)) $((size - 100)) $((size - 1)); do
	{ head -c "$at" "$work/good.image"; printf 'X'; tail -c +$((at + 2)) "$work/good.image"; } > "$work/library.image"
	tool run -v --invoke add "$library" 1 2
	check "a byte changed at $at" 0 out 3 err "the image is not used"
done
for length in 0 1 200 $((size / 2)) $((size - 1)); do
	head -c "$length" "$work/good.image" > "$work/library.image"
	tool run --image "$work/library.image" --invoke add "$library" 1 2
	check "cut off at $length" 65 err "the image is not used"
done
tool run --image "$work/good.image" "$spin"
check "an image of another module" 65 err "another module"
finish
