#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run --invoke: arguments and results as words; traps and their backtraces.
. "$(dirname "$0")/common.inc"

library=$work/library.wasm
make_library "$library"

# gives FUNCTION RESULT ARGS...
gives() {
	gives_function=$1 gives_result=$2
	shift 2
	tool run --invoke "$gives_function" "$library" "$@"
	same "$gives_function $*" "$gives_result"
}
gives add 42 2 40
gives add -1 0xffffffff 0
gives add -2147483648 2147483647 1
gives add -2147483648 -2147483648 0
gives add 0 4294967295 +1
gives add -16 -0x10 0
gives divide -3 -7 2
gives i64 -1 18446744073709551615
gives i64 -9223372036854775808 -9223372036854775808
gives i64 255 0xff
gives swap "2.5
-7" -7 2.5
gives f32 1.5 1.5
gives f32 0.1 0.1
gives f32 -0 -0
gives f32 inf inf
gives f32 -inf -inf
gives f32 nan nan
gives f32 -nan -nan
gives f32 nan:0x200001 nan:0x200001
gives f32 3.4028235e+38 3.4028234663852886e38
gives f32 1e-45 1e-45
gives f32 inf 1e40
gives f64 0.1 0.1
gives f64 1e+300 1e300
gives f64 10 0x1.4p3
gives f64 -123456789 -123456789
gives f64 1e+20 1e20
gives f64 -0 -0.0
gives f32 16777216 16777217
gives f64 0.30000000000000004 0.30000000000000004
gives f64 5e-324 5e-324
gives f64 nan:0x8000000000001 nan:0x8000000000001
gives v128 0x000000000000000000000000000000ff 0xff
gives v128 0x0123456789abcdef0123456789abcdef 0x0123456789ABCDEF0123456789abcdef
gives externref null null
gives externref 7 7
gives grow 1 1

# refused FUNCTION TEXT ARGS...
refused() {
	refused_function=$1 refused_text=$2
	shift 2
	tool run --invoke "$refused_function" "$library" "$@"
	check "$refused_function $* is refused" 64 err "$refused_text"
}
refused add "takes 2 arguments (i32 i32), not 1" 1
refused add "takes 2 arguments (i32 i32), not 3" 1 2 3
refused spin "takes 0 arguments, not 1" 1
refused add "argument 2 of 'add', '1.5', is no i32" 1 1.5
refused add "is no i32" 4294967296 0
refused add "is no i32" -2147483649 0
refused add "is no i32" '' 0
refused add "is no i32" 0x 0
refused add "is no i32" ' 1' 0
refused add "is no i32" 1x 0
refused i64 "is no i64" 18446744073709551616
refused i64 "is no i64" -9223372036854775809
refused f32 "is no f32" x
refused f32 "is no f32" 1.5x
refused f32 "is no f32" nan:0x800000
refused f64 "is no f64" nan:0
refused f64 "is no f64" nanx
refused f64 "is no f64" infinity
refused v128 "is no v128" 12
refused v128 "is no v128" 0x123456789012345678901234567890123
refused v128 "is no v128" 0xg
refused externref "is no externref" 0
refused ad "did you mean 'add'?"
refused nothing-like-it "it exports: add, divide"
tool run "$library"
check "a module without _start" 64 err "no _start" err "add, divide"

make_program "$work/start.wasm"
tool run --invoke _start "$work/start.wasm"
same "_start by its name" ""
unhex "$work/none.wasm" $header
tool run "$work/none.wasm"
same "a module with nothing in it" ""
tool run --invoke f "$work/none.wasm"
check "a function of a module that exports none" 64 err "nor any other"
tool run --report text --invoke add "$work/none.wasm"
check "--report text" 64
unhex "$work/startsection.wasm" $header "$(section 1 01 600000)" "$(section 3 01 00)" "$(section 8 00)" \
	"$(section 10 01 "$(sized 00 00 0b)")"
tool run "$work/startsection.wasm"
check "a module that is only a start section" 134 err unreachable
unhex "$work/badstart.wasm" $header "$(section 1 01 60017f00)" "$(section 3 01 00)" \
	"$(section 7 01 "$(name _start)" 00 00)" "$(section 10 01 "$(sized 00 0b)")"
tool run "$work/badstart.wasm"
check "a _start with arguments" 65 err "not a program"

# A reactor: _initialize stores 5, get reads it.
unhex "$work/reactor.wasm" $header "$(section 1 02 600000 6000017f)" "$(section 3 02 00 01)" \
	"$(section 6 01 7f01 4101 0b)" "$(section 7 02 "$(name _initialize)" 00 00 "$(name get)" 00 01)" \
	"$(section 10 02 "$(sized 00 4105 2400 0b)" "$(sized 00 2300 0b)")"
tool run --invoke get "$work/reactor.wasm"
same "_initialize comes first" 5

# ---- traps ----

tool run --invoke fail "$library"
check "a trap" 134 err "wasmkeep: $library: trap: integer divide by zero" err "at byte 0x" err "  at #0 the divider (function 1) +0x" \
	err '  at #1 f?[1mg (function 9) +0x'
# i32.div_s is the byte 6d behind local.get 1.
offset=$(grep -m 1 -o '+0x[0-9a-f]*' "$work/err" | cut -c 2-)
if [ -n "$offset" ] && [ "$(od -An -tx1 -j "$((offset))" -N 1 "$library" | tr -d ' ')" = 6d ]; then
	ok "the offset is the instruction's"
else
	not_ok "the offset is the instruction's" "${offset:-none}"
fi
tool run --invoke recurse "$library"
check "endless recursion" 134 err "call stack exhausted (at byte 0xe2" err "at #0 recurse (function 8) +0xe2" err "more"
tool run --stack-size 64K --invoke recurse "$library"
check "endless recursion on a small stack" 134 err "call stack exhausted"
tool run --report=json --invoke fail "$library"
check "a trap in JSON" 134 err '"trap":"integer divide by zero"' err '"exit_status":134'
if command -v python3 > /dev/null; then
	if python3 - "$work/err" <<- 'END'; then
		import json, sys
		text = open(sys.argv[1]).read()
		assert text.count("\n") == 1 and "\x1b" not in text
		report = json.loads(text)
		assert report["frame_total"] == 2 and [f["function"] for f in report["frames"]] == [1, 9], report
		assert report["frames"][1]["name"] == "f?[1mg" and report["frames"][0]["name"] == "the divider", report
	END
		ok "the report is JSON"
	else
		not_ok "the report is JSON"
	fi
else
	skip "the report is JSON" "no python3"
fi

# ---- imports ----

unhex "$work/import.wasm" $header "$(section 1 01 600000)" "$(section 2 01 "$(name env)" "$(name missing)" 00 00)"
tool run "$work/import.wasm"
check "an import that is missing" 67 err env err missing
unhex "$work/import.wasm" $header "$(section 1 01 60017e00)" \
	"$(section 2 01 "$(name wasi_snapshot_preview1)" "$(name proc_exit)" 00 00)"
tool run "$work/import.wasm"
check "an import of another type" 67 err proc_exit

if [ -w /dev/full ]; then
	"$tool" run --invoke add "$library" 1 2 > /dev/full 2> "$work/err"
	status=$?
	check "a result to a full device" 74 err "cannot write"
fi
tool run -v --invoke add "$library" 1 2
check "-v" 0 out 3 err "$(wc -c < "$library") bytes, 12 functions" err "validated in" err "instantiated in" err allocations
finish
