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
tool compile -O4 "$library"
check "the same in one word" 64 err "-O 4"
tool compile -v1 "$library"
check "a letter that takes no value" 64 err "unknown option '-v1'"
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

# ---- an image alone, without its module ----

mkdir "$work/alone"
mv "$work/library.image" "$work/alone/it.image"
tool run -v --invoke add "$work/alone/it.image" 40 2
check "an image runs alone" 0 out 42 err "functions are compiled" err "12 functions and 0 imported"
tool run --invoke fail "$work/alone/it.image"
check "it knows names and places" 134 err "divide by zero" err "the divider"
grep -q 'at #' "$work/err" && ok "it has a backtrace" || not_ok "it has a backtrace"
cp "$work/alone/it.image" "$work/alone/it.wasm"
tool run --invoke add "$work/alone/it.wasm" 40 2
check "but not under the name of a module" 65 err "no module but an image"
rm "$work/alone/it.wasm"
tool run --engine interp "$work/alone/it.image"
check "it cannot be interpreted" 64 err "--engine interp needs the module"
tool run --image "$work/alone/it.image" "$work/alone/it.image"
check "it has no image" 64 err "an image itself"
tool run --tee sim:linux "$work/alone/it.image"
check "nor run in the simulated TEE" 64 err "--tee sim"
tool run --tee optee "$work/alone/it.image"
check "nor in a TEE" 64 err "image for Linux"
tool run --fuel 1000 --invoke add "$work/alone/it.image" 1 2
check "nor with fuel that it does not count" 65 err "does not count fuel"
tool run -v --fuel 1000 --invoke add "$work/counts.image" 1 2
check "with code that counts, the same fuel" 0 out 3 err "fuel: $used of 1000"
tool run --eager --invoke swap "$work/alone/it.image" 1 2.5
check "--eager" 0 out 2.5
tool run --invoke none "$work/alone/it.image"
check "a function that there is not" 64 err "none"
for command in validate compile; do
	tool $command "$work/alone/it.image"
	check "it is no module for $command" 65 err ELF
done

# What a module can have, and functions that are not compiled: their bodies are there, and are at their old places.
# as_before NAME FUNCTION ARGS...: with the image alone as with the module and the interpreter.
all=$work/all.wasm
as_before() {
	before_name=$1 before_function=$2
	shift 2
	tool run --engine interp --invoke "$before_function" "$all" "$@"
	{ echo "$status" && cat "$work/out" && sed "s|$all||" "$work/err"; } > "$work/interpreted"
	tool run --invoke "$before_function" "$work/alone/all.image" "$@"
	{ echo "$status" && cat "$work/out" && sed "s|$work/alone/all.image||" "$work/err"; } > "$work/compiled"
	cmp -s "$work/interpreted" "$work/compiled" && ok "$before_name" ||
		not_ok "$before_name" "$(head -c 300 "$work/compiled"), not $(head -c 300 "$work/interpreted")"
}
unhex "$all" $header "$(section 0 "$(name first)" 01020304)" \
	"$(section 1 04 60 00 00  60 01 7f 01 7f  60 00 01 70  60 00 04 7f7f7f7f)" \
	"$(section 3 07 00 01 01 00 02 01 03)" "$(section 4 01 70 00 04)" "$(section 5 01 01 01 02)" "$(section 13 01 00 00)" \
	"$(section 6 02 7f 01 4105 0b  70 00 d203 0b)" \
	"$(section 7 06 "$(name load)" 00 01 "$(name throw)" 00 02 "$(name refer)" 00 04 "$(name grow)" 00 05 \
		"$(name memory)" 02 00 "$(name global)" 03 00)" \
	"$(section 8 00)" "$(section 9 02 00 4101 0b 02 01 02  03 00 01 03)" "$(section 12 02)" \
	"$(section 10 07 \
		"$(sized 00 4110 4101 4102 fc08 0000 2300 4101 6a 2400 0b)" `# [0] start: memory.init, global + 1` \
		"$(sized 01 07 7f 2000 280200 2300 6a 2107 2007 0b)" `# [1] load: its word + global` \
		"$(sized 00 2000 0440 0800 0b 4101 4100 6d 1202 0b)" `# [2] throw, or divide; a tail call, so it is not compiled` \
		"$(sized 00 0b)" `# [3]` \
		"$(sized 00 d203 0b)" `# [4] ref.func 3` \
		"$(sized 00 2000 4000 1a 3f00 0b)" `# [5] grow: the size` \
		"$(sized 00 1206 0b)")" `# [6] more results than a tail call can have` \
	"$(section 11 02 01 04 11223344  00 4120 0b 04 01000000)" \
	"$(section 0 "$(name name)" 01 "$(sized 02 01 "$(name loader)" 02 "$(name 'a thrower')")")" \
	"$(section 0 "$(name last)" 05060708)"
tool validate "$all"
check "a module with all kinds of sections" 0
tool compile -v --bounds check -o "$work/alone/all.image" "$all"
check "of which two functions are not compiled" 0 err "function 2 a thrower is not compiled" err "5 of 7"
as_before "its start function and segments" load 16
as_before "an active segment" load 32
as_before "a trap of compiled code" load 65533
as_before "a trap of a body that is kept" throw 0
as_before "an exception" throw 1
as_before "a reference" refer
as_before "memory.grow and memory.size" grow 1
as_before "its limits" grow 2
LC_ALL=C grep -q "$(printf '\001\002\003\004')" "$work/alone/all.image" && not_ok "other custom sections are left out" ||
	ok "other custom sections are left out"

# Every kind of harm to one that is alone.
good=$work/alone/it.image bad=$work/alone/bad.image
size=$(wc -c < "$good")
for at in 5 100 5000 $((size - 160)) $((size - 100)) $((size - 40)) $((size - 14)); do
	{ head -c "$at" "$good"; printf 'X'; tail -c +$((at + 2)) "$good"; } > "$bad"
	tool run --invoke add "$bad" 1 2
	check "alone, a byte changed at $at" 65 err "the image is not used"
done
for at in 0 3 $((size - 1)); do
	{ head -c "$at" "$good"; printf 'X'; tail -c +$((at + 2)) "$good"; } > "$bad"
	tool run --invoke add "$bad" 1 2
	check "alone, a byte changed at $at: nothing that we know" 65
done
for length in 4 200 $((size / 2)) $((size - 1)); do
	head -c "$length" "$good" > "$bad"
	tool run --invoke add "$bad" 1 2
	check "alone, cut off at $length" 65 err "cut off"
done
{ head -c $((size - 12)) "$good"; printf '\377\0\0\0'; tail -c 8 "$good"; } > "$bad"
tool run --invoke add "$bad" 1 2
check "alone, of another version" 65 err "version 255 of the ABI"
other=aarch64-linux
[ "$(uname -m)" = aarch64 ] && other=x86_64-linux
tool compile --target $other -o "$bad" "$library"
check "for another machine" 0
tool run --invoke add "$bad" 1 2
check "alone, of another machine" 65 err "compiled for $other"
mv "$good" "$work/library.image"

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
tool compile -O2 --bounds check "$loops"
check "loops are compiled" 0
tool compile -O2 --bounds guard -o "$work/guarded.image" "$loops"
check "loops are compiled for guarded memories" 0
while read -r call; do
	# shellcheck disable=SC2086
	tool run --engine interp --invoke ${call%% *} "$loops" ${call#* }
	{ echo "$status" && cat "$work/out" "$work/err"; } > "$work/interpreted"
	# shellcheck disable=SC2086
	tool run --image "$work/loops.image" --invoke ${call%% *} "$loops" ${call#* }
	{ echo "$status" && cat "$work/out" "$work/err"; } > "$work/compiled"
	cmp -s "$work/interpreted" "$work/compiled" && ok "a loop as interpreted: $call" ||
		not_ok "a loop as interpreted: $call" "$(head -c 300 "$work/compiled")"
	# A fault says in which function it was, and not where in it.
	tool run --image "$work/guarded.image" --invoke ${call%% *} "$loops" ${call#* }
	{ echo "$status" && cat "$work/out" "$work/err"; } > "$work/compiled"
	sed 's/(at byte 0x[0-9a-f]*, /(/; s/ +0x[0-9a-f]*$//' "$work/interpreted" > "$work/expected"
	cmp -s "$work/expected" "$work/compiled" && ok "a loop with guards: $call" ||
		not_ok "a loop with guards: $call" "$(cat "$work/expected" "$work/compiled" | head -c 600)"
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

	# Alone: what the client checks and installs before it asks the TEE, of which there may be none.
	mkdir "$work/ta"
	tool run "$work/library.ta"
	check "it is for OP-TEE" 64 err "--tee optee"
	tool run --tee optee --ta-dir "$work/ta" --engine interp "$work/library.ta"
	check "it cannot be interpreted there" 64 err "--engine interp needs the module"
	tool validate "$work/library.ta"
	check "it is no module" 65 err "signed for OP-TEE"
	size=$(wc -c < "$work/library.ta")
	for at in 2000 $((size / 2)) $((size - 100)) $((size - 1)); do
		{ head -c "$at" "$work/library.ta"; printf 'X'; tail -c +$((at + 2)) "$work/library.ta"; } > "$work/bad.ta"
		tool run --tee optee --ta-dir "$work/ta" --invoke add "$work/bad.ta" 1 2
		check "one with a byte changed at $at" 65 err "the image is not used"
	done
	for length in 4 30 500 $((size / 2)) $((size - 1)); do
		head -c "$length" "$work/library.ta" > "$work/bad.ta"
		tool run --tee optee --ta-dir "$work/ta" --invoke add "$work/bad.ta" 1 2
		check "one that is cut off at $length" 65 err "the image is not used"
	done
	[ -z "$(ls -A "$work/ta")" ] && ok "nothing of these was installed" || not_ok "nothing of these was installed"
	tool run --tee optee --ta-dir "$work/ta" --invoke add "$work/library.ta" 1 2
	cmp -s "$work"/ta/????????-????-8???-????-????????????.ta "$work/library.ta" && ok "a good one is" ||
		not_ok "a good one is" "$(ls -A "$work/ta"; head -c 300 "$work/err")"
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

# A module that takes seconds, and shows how far it is, on a terminal only: _start does nothing, the others are long.
if command -v script > /dev/null; then
	long=$(sized 00 "$(awk 'BEGIN { for (i = 0; i < 1500; i++)
		printf "2000200028020020004103732d00006a2200360200200041076c2100" }')" 2000 0b)
	unhex "$work/long.wasm" $header "$(section 1 02 600000 60017f017f)" "$(section 3 05 00 01010101)" \
		"$(section 5 01 00 01)" "$(section 7 01 "$(name _start)" 00 00)" \
		"$(section 10 05 "$(sized 00 0b)" "$long" "$long" "$long" "$long")"
	SHELL=/bin/sh script -qec "'$tool' run -v --engine native '$work/long.wasm'" /dev/null > "$work/terminal" < /dev/null
	if grep -q "functions compiled, .* in [01]\." "$work/terminal"; then
		skip "a bar on a terminal" "this machine needs less than 2 s"
	else
		grep -q "compiling \[#* *\] *[0-9]* %" "$work/terminal" && ok "a bar on a terminal" ||
			not_ok "a bar on a terminal" "$(head -c 300 "$work/terminal")"
	fi
	tool compile -v -o "$work/long.image" "$work/long.wasm"
	check "the same without a terminal" 0 err "5 of 5 functions compiled"
	grep -q "compiling" "$work/err" && not_ok "has no bar" || ok "has no bar"
else
	skip "a bar" "no script(1)"
fi
# A table that never changes is known to the compiler: a function, nothing, a function of another type, nothing.
table=$work/table.wasm
unhex "$table" $header "$(section 1 03 6000017f 60017f00 60017f017f)" "$(section 3 03 00 01 02)" "$(section 4 01 70 00 04)" \
	"$(section 7 01 "$(name call)" 00 02)" "$(section 9 02 00 4100 0b 01 00  00 4102 0b 01 01)" \
	"$(section 10 03 "$(sized 00 4107 0b)" "$(sized 00 0b)" "$(sized 00 2000 110000 0b)")"
tool compile -o "$work/table.image" "$table"
for index in 0 1 2 3 4 -1; do
	tool run --engine interp --invoke call "$table" $index
	before=$status said=$(cat "$work/out" "$work/err")
	tool run --image "$work/table.image" --invoke call "$table" $index
	[ "$status" = "$before" ] && [ "$(cat "$work/out" "$work/err")" = "$said" ] && ok "element $index of a table that is known" ||
		not_ok "element $index of a table that is known" "$status, not $before: $(head -c 300 "$work/err")"
done
tool run --image "$work/table.image" --invoke call "$table" 0
check "the function in it" 0 out 7

finish
