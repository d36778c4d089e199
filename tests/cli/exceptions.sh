#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Exceptions in compiled code: everything ends as interpreted.
. "$(dirname "$0")/common.inc"

export XDG_CACHE_HOME="$work/cache"
module=$work/module.wasm

# ---- a module ----

# Instructions: 08 throw TAG, 0a throw_ref, 1f try_table TYPE CLAUSES; a clause is 00 TAG LABEL, 01 TAG LABEL (with the
# reference), 02 LABEL (any), 03 LABEL (any, with the reference); labels count from outside of the try_table.
# Tag 0 has all types of numbers, tag 1 nothing, tag 2 an i32.

# What a body throws with tag 2, which does not end otherwise; the reference to what it throws; one that is thrown again.
value_of() { printf %s "027f 1f40 01 000200 $* 0b 00 0b"; }
reference_of() { printf %s "0269 1f40 01 0300 $* 0b 00 0b"; }
# count_down BODY: does it as often as local 0 says, which is 0 then.
count_down() { printf %s "0340 $* 2000 4101 6b 2200 0d00 0b"; }
constants="4107 4208 430000c03f 440000000000000440 fd0c00010203040506070809101112131415"
one=44000000000000f03f

functions=0 exports=0 types= bodies= names=
# add TYPE NAME CODE [LOCALS]: NAME - is not exported.
add() {
	types="$types $(leb "$1")"
	bodies="$bodies $(sized "${4:-00}" "$3" 0b)"
	if [ "$2" != - ]; then
		names="$names $(name "$2") 00 $(leb $functions)"
		exports=$((exports + 1))
	fi
	functions=$((functions + 1))
}
add 0 throw_all "$constants 0800"
add 0 recurse "1f40 01 0200 1001 0b"
add 4 catch_all_types "1f40 01 000000 1000 0b 00"
add 7 throw "2000 0802"
add 1 sum "$(count_down "$(value_of 2000 1003) 2001 6a 2101") 2001" 01017f
add 1 references "$(count_down "$(reference_of 2000 1003) 2101") $(value_of 2001 0a)" 010169
add 1 hold "$(reference_of 2000 1003) 2000 1004 1a 2101 $(value_of 2001 0a)" 010169 # an operand meanwhile
add 0 null "d069 0a"
add 0 null_inside "1f40 01 0200 d069 0a 0b"
add 5 - "2000 0440 2000 1003 0b 2000 1209" # interpreted: a tail call with four results
add 1 through "$(value_of 2000 1009 1a1a1a1a)"
add 5 - "$(value_of 2000 1003) 2100 2000 45 0440 2000 120b 0b 2000 2000 2000 2000" # interpreted, and catches
add 1 caught "2000 100b 1a1a1a"
add 0 again "0206 1f40 01 010000 1000 0b 00 0b 0a" # caught by reference with all its values, and thrown
add 1 outer "$(value_of 1f40 01 000100 2000 1003 0b 4100 0f)"
add 8 - "2000 0440 2000 1003 0b 2001 2002 2009 200aaa 200bfd1b03 6a" # parameters on the stack
many="$one fd0c01000000020000000300000004000000"
add 1 many "$(value_of 2000 4101 4102 4103 4104 4105 4106 4107 4108 4109 "$many" 100f 6a6a6a 0f)"
add 1 indirect "$(value_of 2000 4100 1107 00 4101 0f)"
add 8 - "2000 0440 2000 1003 0b 2001 2001 2001 2001"
add 1 many_indirect "$(value_of 2000 4101 4102 4103 4104 4105 4106 4107 4108 4109 "$many" 4101 1108 00 6a6a6a 0f)"
add 1 in_place "$(value_of 2000 0802)"
add 9 - "2000 2400 2300" # through a global
add 1 global "$(reference_of 2000 1003) 1015 2101 2000 1004 1a $(value_of 2300 0a)" 010169
add 1 table "4100 $(reference_of 2000 1003) 2601 2000 1004 1a $(value_of 4100 2501 0a)"
add 1 twice "$(value_of "$(reference_of 2000 1003) 0a")"
add 10 - "2000 450440 2001 0a 0b 2000 4101 6b 2001 1019" # down so many calls, and thrown
add 1 deep "$(reference_of 2000 1003) 2101 $(value_of 2000 2001 1019)" 010169
add 1 after_return "$(value_of 0240 1f40 01 0200 2000 450d01 4105 0f 0b 0b 2000 4107 6a 1003)" # left by a branch
add 1 parameter "$(reference_of 2000 1003) 0309 2101 2000 1004 1a 2001 2000 4101 6b 2200 0d00 0b 2101 $(value_of 2001 0a)" 010169
add 0 spin "0340 1f40 01 0200 1000 0b 0c00 0b" # for ever

unhex "$module" $header \
	"$(section 1 0b 600000 60017f017f 60057f7e7d7c7b00 60000169 6000057f7e7d7c7b 60017f047f7f7f7f 6000067f7e7d7c7b69 60017f00 \
		600c7f7f7f7f7f7f7f7f7f7f7c7b047f7f7f7f 6001690169 60027f6900)" \
	"$(section 3 "$(leb $functions)" "$types")" "$(section 4 02 700002 690001)" "$(section 13 03 0002 0000 0007)" \
	"$(section 6 01 6901 d069 0b)" "$(section 7 "$(leb $exports)" "$names")" "$(section 9 01 00 4100 0b 02 03 12)" \
	"$(section 10 "$(leb $functions)" "$bodies")"
tool validate "$module"
check "the module is valid" 0


# ---- as interpreted ----

# image NAME OPTION...
image() {
	image_name=$1
	shift
	tool compile -v "$@" -o "$work/$image_name.image" "$module"
}
image plain
if [ "$status" = 65 ] && grep -q "built without LLVM" "$work/err"; then
	skip "compiled code" "built without LLVM"
	finish
fi
check "all is compiled but two, which are there to be interpreted" 0 err "28 of 30"
image checked --bounds check
image slow -O0
image fast -O3
image counting --fuel

# said: how the last run ended, without frames: those of functions that were inlined are not there.
said() { echo "$status" && cat "$work/out" && grep -v '^  at #\|^  \.\.\. and' "$work/err"; }
# as_interpreted FUNCTION ARGS...
as_interpreted() {
	as_function=$1
	shift
	tool run --engine interp --invoke "$as_function" "$module" "$@"
	said > "$work/interpreted"
	for as_image in plain checked slow fast counting; do
		tool run --image "$work/$as_image.image" --invoke "$as_function" "$module" "$@"
		said > "$work/compiled"
		cmp -s "$work/interpreted" "$work/compiled" && ok "$as_function $*: $as_image" ||
			not_ok "$as_function $*: $as_image" "$(head -c 300 "$work/compiled"), not $(head -c 300 "$work/interpreted")"
	done
}
for name in throw_all recurse catch_all_types null null_inside again; do as_interpreted $name; done
for name in throw through caught outer many indirect many_indirect in_place twice; do as_interpreted $name 7; done
for name in many indirect many_indirect after_return; do as_interpreted $name 0; done
for name in sum references hold global table deep; do as_interpreted $name 3000; done
as_interpreted parameter 100
as_interpreted after_return 1

tool run --image "$work/plain.image" --invoke recurse "$module"
check "recursion through try_table has a backtrace" 134 err "stack exhausted" err "at #0 recurse" err "at #9 recurse"
tool run --image "$work/plain.image" --invoke throw "$module" 1
check "an exception that nobody catches" 134 err "uncaught exception"
tool run --image "$work/plain.image" --timeout 0.5 --invoke spin "$module"
check "--timeout ends a loop that throws" 68 err "--timeout"

# What is thrown and forgotten is given back: some 4 MB here.
for name in sum references global; do
	tool run --image "$work/plain.image" --memory-report --invoke $name "$module" 50000
	peak=$(awk '/^ *instances/ { print $3 }' "$work/out" "$work/err")
	[ "$status" = 0 ] && [ "${peak:-999999}" -lt 200000 ] && ok "$name: memory does not grow" ||
		not_ok "$name: memory does not grow" "status $status, $peak bytes"
done

for name in sum references caught outer; do
	tool run -v --engine interp --fuel 1000000 --invoke $name "$module" 50
	used=$(grep -o 'fuel: [0-9]*' "$work/err")
	tool run -v --image "$work/counting.image" --fuel 1000000 --invoke $name "$module" 50
	check "$name: the same fuel" 0 err "$used of"
done

# Frames of calls with more values than registers belong to no other function. The last one divides.
nine="4101 4102 4103 4104 4105 4106 4107 4108 4109"
unhex "$module" $header "$(section 1 03 60017f017f 600a7f7f7f7f7f7f7f7f7f7f017f 600000)" "$(section 3 04 00 01 00 02)" \
	"$(section 7 01 "$(name go)" 00 00)" "$(section 10 04 "$(sized 00 0240 1f7f 01 0200 2000 "$nine" 1001 0f 0b 00 0b 4107 0b)" \
		"$(sized 00 0240 1f7f 01 0200 2000 1002 0f 0b 00 0b 4107 0b)" "$(sized 00 4101 2000 6d 0b)" "$(sized 00 0b)")"
tool compile -o "$work/frames.image" "$module"
tool run --image "$work/frames.image" --invoke go "$module" 0
check "frames of calls with many values" 134 err "divide by zero" err "at #0 ? (function 2)" err "at #1 ? (function 1)" \
	err "at #2 go (function 0)"

# ---- host functions in a try_table ----

# program CODE: _start is it; function 0 is proc_exit and 1 path_open; both are in the table.
program() {
	unhex "$module" $header "$(section 1 03 600000 60017f00 60097f7f7f7f7f7e7e7f7f017f)" \
		"$(section 2 02 "$(name wasi_snapshot_preview1)" "$(name proc_exit)" 00 01 \
			"$(name wasi_snapshot_preview1)" "$(name path_open)" 00 02)" \
		"$(section 3 01 00)" "$(section 4 01 700002)" "$(section 5 01 00 01)" \
		"$(section 7 02 "$(name _start)" 00 02 "$(name memory)" 02 00)" "$(section 9 01 00 4100 0b 02 00 01)" \
		"$(section 10 01 "$(sized 00 "$1" 0b)")"
	tool compile -o "$work/program.image" "$module"
	tool run --image "$work/program.image" "$module"
}
program "1f40 01 0200 4107 1000 0b"
check "exit() in a try_table" 7
program "1f40 01 0200 4108 4100 1101 00 0b"
check "the same through the table" 8
open="4109 4100 4100 4100 4100 4200 4200 4100 4100"
program "1f40 01 0200 $open 1001 1000 0b"
check "a host function with many parameters" 8
program "1f40 01 0200 $open 4101 1102 00 1000 0b"
check "the same through the table" 8
finish
