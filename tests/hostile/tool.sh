#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tool.sh TOOL limited|unlimited HOSTILE...: hostile files through the tool. HOSTILE... is the command of the test program
# hostile, which makes the modules. Each run must end soon with one of the exit statuses that `wasmkeep help run`
# documents for it, and say why in words on standard error, the first of them "wasmkeep: ". With `limited` the tool has
# 1 GiB of address space.
set -u
tool=$1 limits=$2
shift 2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0

result() { # NAME PROBLEM: an empty problem is success
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1: $2"
		sed 's/^/# /' "$folder/stderr" | head -5
		failed=1
	fi
}

# expect NAME "STATUS..." WORDS ARGUMENTS...: runs the tool with the arguments. WORDS must be in what it says, unless "".
expect() {
	name=$1 right=$2 words=$3
	shift 3
	( [ "$limits" = limited ] && ulimit -v 1048576
		exec timeout -k 5 60 "$tool" "$@" ) > "$folder/stdout" 2> "$folder/stderr" < /dev/null
	status=$?
	problem="exit status $status"
	for one in $right; do
		[ "$status" = "$one" ] && problem=
	done
	if [ -z "$problem" ] && [ "$status" != 0 ]; then
		grep -q '^wasmkeep: ' "$folder/stderr" || problem="it does not say what happened"
	fi
	if [ -z "$problem" ] && [ -n "$words" ]; then
		grep -qi -e "$words" "$folder/stderr" || problem="it does not say \"$words\""
	fi
	result "$name" "$problem"
}

# one_line NAME "STATUS..." WORDS ARGUMENTS...: the same, and what it says is one line.
one_line() {
	expect "$@"
	lines=$(wc -l < "$folder/stderr")
	[ "$lines" -le 1 ] || result "$1: one message" "$lines lines"
}

# ---- files that are no modules ----

printf '(module (func))\n' > "$folder/text.wat"
printf ';; a comment\n(module)\n' > "$folder/comment.wat"
printf '\0asm\015\0\001\0' > "$folder/component.wasm"
printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0' > "$folder/program"
printf '\0asm\002\0\0\0' > "$folder/version.wasm"
printf '\0as' > "$folder/short.wasm"
printf '\0asm\001\0\0\0' > "$folder/empty_module.wasm"
printf 'hello\n' > "$folder/hello.txt"
head -c 100000 /dev/zero > "$folder/zeros"
: > "$folder/empty"
mkdir "$folder/directory"
for command in run validate inspect; do
	one_line "$command: a text module" 65 text $command "$folder/text.wat"
	one_line "$command: a text module behind a comment" 65 text $command "$folder/comment.wat"
	one_line "$command: a component" 65 component $command "$folder/component.wasm"
	one_line "$command: an ELF file" 65 ELF $command "$folder/program"
	one_line "$command: another version" 65 version $command "$folder/version.wasm"
	one_line "$command: half a header" 65 "" $command "$folder/short.wasm"
	one_line "$command: a text" 65 text $command "$folder/hello.txt"
	one_line "$command: zeros" 65 "not a WebAssembly module" $command "$folder/zeros"
	one_line "$command: an empty file" 65 empty $command "$folder/empty"
	one_line "$command: a directory" 66 directory $command "$folder/directory"
	one_line "$command: no file" 66 "no such file" $command "$folder/nothing"
	one_line "$command: an endless device" 65 "" $command /dev/zero
	one_line "$command: an empty device" 65 empty $command /dev/null
done
expect "validate: an empty module" 0 "" validate "$folder/empty_module.wasm"
expect "inspect: an empty module" 0 "" inspect "$folder/empty_module.wasm"

# ---- imports ----

# (import "env" "nothing" (func)), and a WASI function with another type.
printf '\0asm\001\0\0\0\001\004\001\140\0\0\002\017\001\003env\007nothing\0\0' > "$folder/missing.wasm"
printf '\0asm\001\0\0\0\001\004\001\140\0\0\002\044\001\026wasi_snapshot_preview1\011proc_exit\0\0' \
	> "$folder/wrong.wasm"
expect "run: a missing import" 67 nothing run "$folder/missing.wasm"
expect "run: an import of another type" 67 proc_exit run "$folder/wrong.wasm"

# ---- modules that ask for much, or do not end ----

# hostile NAME "STATUS..." OPTIONS...: calls "f" of the module.
hostile() {
	name=$1 right=$2
	shift 2
	expect "run $name${*:+ with $*}" "$right" "" run "$@" --invoke f "$folder/$name.wasm"
}

for name in memory_4gib memory64_huge memory_grow_loop table_4g table64_huge billion_locals nested_blocks name_section \
	endless_loop endless_tail_calls endless_exceptions recursion recursion_indirect claimed_types_most; do
	"$@" --emit $name "$folder/$name.wasm" || result "making $name" "it failed"
done
hostile memory_4gib "0 68 71"
hostile memory_4gib "68" --max-memory 1M
hostile memory64_huge "68 71"
hostile memory_grow_loop 0
hostile memory_grow_loop 0 --max-memory 1M
hostile table_4g "68 71"
hostile table64_huge "68 71"
hostile billion_locals 68
hostile nested_blocks "0 68"
hostile name_section 134
hostile claimed_types_most "65 68"
hostile recursion 134
hostile recursion 134 --stack-size 64M
hostile recursion_indirect 134
for loop in endless_loop endless_tail_calls endless_exceptions; do
	hostile $loop 68 --timeout 1
	hostile $loop 68 --fuel 1000000
done
exit $failed
