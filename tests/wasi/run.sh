#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh TOOL MODULES: runs programs compiled with wasi-libc in the tool.
set -u
tool=$1 modules=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0

check() {
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		printf '# got %s\n# wanted %s\n' "$2" "$3"
		status=1
	fi
}

# A guest that tells its own cases.
guest() {
	"$tool" run "$@" > "$scratch/log" 2>&1
	check "exit status of ${guest##*/}" $? 0
	cat "$scratch/log"
	grep -q '^not ok' "$scratch/log" && status=1
}

# ---- libc and the raw functions ----

mkdir "$scratch/root"
guest=libc
guest --dir "$scratch/root::/" --env guest=1 "$modules/libc.wasm" one "two words"
guest=raw
guest --dir "$scratch/root::/" "$modules/raw.wasm"
check "the guests tidy up" "$(ls -A "$scratch/root")" ""

"$tool" run "$modules/raw.wasm" trap > /dev/null 2> "$scratch/log"
check "a pointer outside is a trap" "$(grep -c 'fd_write: a pointer leads outside the memory' "$scratch/log")" 1
"$tool" run "$modules/raw.wasm" raise > /dev/null 2> "$scratch/log"
check "proc_raise is a trap" "$(grep -c 'proc_raise: SIGABRT' "$scratch/log")" 1

# ---- the sandbox ----

mkdir "$scratch/in" "$scratch/in/a" "$scratch/out" "$scratch/out/empty" "$scratch/in/out"
echo outside > "$scratch/out/secret"
echo inside > "$scratch/in/file"
ln -s ../out/secret "$scratch/in/rel"
ln -s "$scratch/out/secret" "$scratch/in/abs"
ln -s ../out "$scratch/in/dir"
ln -s "$scratch/out" "$scratch/in/absdir"
ln -s a/../dir "$scratch/in/chain"
ln -s ../../out "$scratch/in/a/up"
ln -s ../out/new "$scratch/in/dangling"
guest=escape
guest --dir "$scratch/in::/" "$modules/escape.wasm"
check "nothing outside has changed" "$(cd "$scratch/out" && ls -A | tr '\n' ' '; cat "$scratch/out/secret")" \
	"empty secret outside"

# ---- standard streams ----

head -c 10485760 /dev/urandom > "$scratch/big"
# shellcheck disable=SC2002 # a pipe is the point
check "10 MB through pipes" "$(cat "$scratch/big" | "$tool" run "$modules/cat.wasm" | cksum)" "$(cksum < "$scratch/big")"
"$tool" run "$modules/cat.wasm" < "$scratch/big" > "$scratch/copy"
check "10 MB through files" "$(cksum < "$scratch/copy")" "$(cksum < "$scratch/big")"
echo one > "$scratch/copy"
echo two | "$tool" run "$modules/cat.wasm" >> "$scratch/copy"
check "appending to a file" "$(cat "$scratch/copy")" "one
two"
"$tool" run "$modules/cat.wasm" <&- > "$scratch/copy" 2> "$scratch/log"
check "standard input closed" "$? $(cat "$scratch/log" "$scratch/copy")" "2 read: Bad file descriptor"
echo x | "$tool" run "$modules/cat.wasm" >&- 2> "$scratch/log"
check "standard output closed" "$? $(cat "$scratch/log")" "3 write: Bad file descriptor"
echo x | "$tool" run "$modules/cat.wasm" > "$scratch/copy" 2>&-
check "standard error closed" "$? $(cat "$scratch/copy")" "0 x"
{ "$tool" run "$modules/cat.wasm" < /dev/zero 2> "$scratch/log"; echo $? > "$scratch/status"; } | head -c 1 > /dev/null
check "nobody reads" "$(cat "$scratch/status" "$scratch/log")" "3
write: Broken pipe"

# ---- waiting is interrupted ----

limited() {
	start=$(date +%s)
	"$tool" run --timeout 1 "$@" > /dev/null 2> "$scratch/log"
	result=$?
	[ $(($(date +%s) - start)) -lt 30 ] && [ $result -ne 0 ] && grep -qi 'time\|interrupt' "$scratch/log" && echo ended
}
check "a sleeping guest ends in time" "$(limited "$modules/sleep.wasm")" ended
mkfifo "$scratch/fifo"
exec 9<> "$scratch/fifo"
check "a reading guest ends in time" "$(limited "$modules/cat.wasm" <&9)" ended
exec 9>&-

exit $status
