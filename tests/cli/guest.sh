#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a program gets and gives: exit codes, arguments, variables, streams, folders, sockets.
. "$(dirname "$0")/common.inc"

# ---- exit codes; no compiler needed ----

# ends CODE-IN-HEX STATUS: a program that calls proc_exit with an i32.const of these bytes.
ends() {
	make_exit "$work/exit.wasm" "41$1"
	tool run "$work/exit.wasm"
	check "proc_exit($1) ends with $2" "$2"
	[ -s "$work/err" ] && not_ok "proc_exit($1) says nothing" "$(cat "$work/err")"
}
ends 00 0
ends 01 1
ends 2a 42
ends c000 64
ends fe00 126
ends 8201 130
ends 8601 134
ends ff01 255
ends 8002 255
ends 8102 1
ends 7f 255
ends 7e 254
tool run -v "$work/exit.wasm"
check "-v of a program that exits" 254 err "ran for"

# ---- a real program ----

guest=$work/guest.wasm
compiler=
for candidate in clang-19 clang-20 clang-21 clang-22 clang; do
	if $candidate --target=wasm32-wasi -O1 -o "$guest" "$(dirname "$0")/guest.c" 2> /dev/null; then
		compiler=$candidate
		break
	fi
done
if [ -z "$compiler" ]; then
	skip "programs" "no compiler with wasi-libc"
	finish
fi

tool run "$guest" args "a b" --dir x -- ''
same "arguments" "0 guest.wasm
1 args
2 a b
3 --dir
4 x
5 --
6 "
tool run "$guest" env
same "no variable unless given" ""
HERE=yes SECRET=no tool run --env A=1 --env HERE --env NOT_SET_HERE --env B= --env C=x=y --env A=2 "$guest" env
same "variables" "A=2
HERE=yes
B=
C=x=y"
tool run "$guest" exit 7
check "the status that main returns" 7
tool run "$guest" abort
check "abort" 134 err "trap: unreachable" err "abort"
"$tool" run "$guest" streams > "$work/out" 2> "$work/err"
status=$?
check "standard output and standard error" 0 out "to out" err "to err"
printf 'some\0bytes\n' | "$tool" run "$guest" cat > "$work/out" 2> "$work/err"
status=$?
printf 'some\0bytes\n' | cmp -s - "$work/out" && ok "standard input" || not_ok "standard input"
"$tool" run - args < "$guest" > "$work/out" 2> "$work/err"
status=$?
same "a program from standard input" "0 -
1 args"

mkdir "$work/in" "$work/in/sub"
echo inside > "$work/in/file"
echo outside > "$work/file"
ln -s ../file "$work/in/link"
tool run "$guest" cat "$work/in/file"
check "no folder unless given" 1 err file
tool run --dir "$work/in::data" "$guest" cat data/file
same "a folder under another name" inside
tool run --dir "$work/in" "$guest" cat "$work/in/file"
same "a folder under its own name" inside
(cd "$work" && "$tool" run --dir . "$guest" cat in/file > out 2> err)
status=$?
same "the current folder" inside
for path in data/../file data/link data/sub/../../file /etc/passwd; do
	tool run --dir "$work/in::data" "$guest" cat $path
	check "$path is out of reach" 1
done
tool run --dir "$work/in::/a" --dir-ro "$work/in/sub::/b" "$guest" write /a/new text
check "writing a file" 0
[ "$(cat "$work/in/new")" = text ] && ok "what was written is there" || not_ok "what was written is there"
tool run --dir-ro "$work/in::data" "$guest" cat data/file
same "reading a read-only folder" inside
tool run --dir-ro "$work/in::data" "$guest" write data/file x
check "writing to a read-only folder" 1
[ "$(cat "$work/in/file")" = inside ] && ok "and nothing is changed" || not_ok "and nothing is changed"
tool run --dir "$work/nonexistent::data" "$guest" args
check "a folder that is not there" 66 err nonexistent
tool run --dir "$work/file::data" "$guest" args
check "a folder that is a file" 66 err "$work/file"

# ---- waiting ----

start=$(date +%s)
tool run --timeout 0.3 "$guest" sleep
check "--timeout ends a program that sleeps" 68 err "--timeout"
mkfifo "$work/pipe"
sleep 30 > "$work/pipe" &
sleeper=$!
"$tool" run --timeout 0.3 "$guest" cat < "$work/pipe" > "$work/out" 2> "$work/err"
status=$?
check "--timeout ends a program that reads" 68 err "--timeout"
if env --default-signal=INT true 2> /dev/null; then
	env --default-signal=INT "$tool" run "$guest" cat < "$work/pipe" > "$work/out" 2> "$work/err" &
	pid=$!
	sleep 0.5
	kill -INT $pid
	wait $pid
	status=$?
	check "Ctrl-C ends a program that reads" 130 err interrupted
fi
kill $sleeper
[ $(($(date +%s) - start)) -lt 15 ] && ok "without waiting" || not_ok "without waiting"

# A socket as descriptor 3: python makes one.
if command -v python3 > /dev/null; then
	tool_status=$(python3 - "$tool" "$guest" 2> "$work/err" <<- 'END'
		import socket, subprocess, sys
		a, b = socket.socketpair()
		fd = b.fileno()
		print(subprocess.run([sys.argv[1], "run", "--fd", str(fd), sys.argv[2], "exit", "3"], pass_fds=[fd]).returncode)
	END
	)
	[ "$tool_status" = 3 ] && ok "a socket is passed" || not_ok "a socket is passed" "$(cat "$work/err")"
else
	skip "a socket is passed" "no python3"
fi
finish
