#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# image.sh TOOL [KEEP]: compiled code in the Trusted Application (TA) on the emulated board (board/), whose OP-TEE is
# unpatched: programs end as they do interpreted, and what is not a good image is refused. TOOL is board/board; `make board`
# and `make ta` must have made the board, the TA and the tool for it. KEEP is the tool for this machine (default:
# build/release/wasmkeep), with the compiler beside it. Takes a minute or two.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/common.inc"
keep=$(realpath "${2:-$root/build/release/wasmkeep}")
build=$(realpath "${BOARD_BUILD:-$root/build/board}")
kit=$build/arm64/usr/lib/optee-os-dev/vexpress-qemu_armv8a
key=$kit/keys/default_ta.pem

export BOARD_DIR="$work/board" BOARD_TIMEOUT=120
trap 'exec 2> /dev/null; "$tool" stop; rm -rf "$work"' EXIT
share=$work/board/share
mkdir -p "$share"

cat > "$work/calls.c" <<'C'
__attribute__((noinline)) int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(void) { return fib(60) & 1; }
C
cat > "$work/note.c" <<'C'
#include <stdio.h>
int main(int count, char **words)
{
	char text[100] = "";
	FILE *file = fopen("/data/note", count > 1 ? "w" : "r");
	if (!file) return 1;
	if (count > 1) fputs(words[1], file);
	else if (fgets(text, sizeof text, file)) puts(text);
	return fclose(file) != 0;
}
C
guests() {
	clang-19 --target=wasm32-wasi -O1 -Wno-infinite-recursion -o "$share/guest.wasm" "$root/tests/board/guest.c" &&
		clang-19 --target=wasm32-wasi -O1 -o "$share/calls.wasm" "$work/calls.c" &&
		clang-19 --target=wasm32-wasi -O1 -o "$share/note.wasm" "$work/note.c" &&
		clang-19 --target=wasm32-wasi -O1 -o "$share/hello.wasm" "$root/tests/memory/programs/hello.c"
}
# compile NAME [KEY]: share/NAME.wasm to share/NAME.ta.
compile() { "$keep" compile --target aarch64-optee --sign "${2:-$key}" "$share/$1.wasm"; }

guests > "$work/why" 2>&1 && ok "programs are built" || { not_ok "programs are built" "$(tail -n 5 "$work/why")" && finish; }
compile guest > "$work/why" 2>&1
status=$?
if [ $status = 65 ] && grep -q "built without" "$work/why"; then
	skip "compiled code in the TEE" "$(cat "$work/why")"
	finish
fi
[ $status = 0 ] && compile calls && compile hello && compile note && ok "and compiled" ||
	{ not_ok "and compiled" "$(tail -n 5 "$work/why")" && finish; }
/usr/bin/python3 "$kit/scripts/sign_encrypt.py" verify --key "$key" --in "$share/guest.ta" --uuid "$(
	python3 -c 'import hashlib, sys, uuid; b = bytearray(hashlib.sha256(open(sys.argv[1], "rb").read()).digest()[:16])
b[6] = b[6] & 15 | 128; b[8] = b[8] & 63 | 128; print(uuid.UUID(bytes=bytes(b)))' "$share/guest.wasm")" > "$work/why" 2>&1 &&
	ok "the development kit finds the signature right" ||
	not_ok "the development kit finds the signature right" "$(tail -n 3 "$work/why")"

tool start --for $$
check "the machine starts" 0 err "up after"
tool push "$root"/build/ta/*.ta "$root/build/optee/wasmkeep"
check "files are copied" 0

# keep ARGS...: runs them in the TEE, in the folder of the programs.
keep() { tool run sh -c 'cd /share && exec wasmkeep run --tee optee "$@"' - "$@"; }

# alike_one NAME: the last run ended as the one that is kept.
alike_one() {
	if [ "$status" = "$status_interp" ] && cmp -s "$work/out" "$work/out.interp" &&
		[ "$(head -n 1 "$work/err")" = "$(cat "$work/err.interp")" ]; then
		ok "$1: $status"
	else
		not_ok "$1" "status $status, interpreted $status_interp; $(head -c 300 "$work/err")" \
			"$(head -c 300 "$work/err.interp")"
	fi
}
# alike NAME MODULE ARGS...: compiled as interpreted, and so is the image alone: exit status, output and the message; a
# backtrace may have fewer frames.
alike() {
	alike_name=$1 alike_module=$2
	shift 2
	keep --engine interp "$alike_module" "$@"
	cp "$work/out" "$work/out.interp"
	head -n 1 "$work/err" > "$work/err.interp"
	status_interp=$status
	keep --engine native "$alike_module" "$@"
	alike_one "$alike_name"
	alike_ta=${alike_module%.wasm}.ta
	keep "alone/$alike_ta" "$@"
	sed -i "s|\(alone/\)\{0,1\}$alike_ta|$alike_module|g" "$work/out" "$work/err"
	alike_one "$alike_name, the image alone"
}

mkdir "$share/alone"
cp "$share"/*.ta "$share/alone"
keep -v alone/hello.ta
check "an image runs alone, which is installed" 0 out "hello, world" err "compiled code is used"
keep -v --engine native hello.wasm
check "compiled code runs" 0 out "hello, world" err "compiled code is used"
keep -v hello.wasm
check "it is found without being asked for" 0 out "hello, world" err "compiled code is used"
rm "$share/hello.ta"
keep -v hello.wasm
check "... or where it was installed" 0 out "hello, world" err "compiled code is used"
keep -v --engine interp guest.wasm exit 3
grep -q "compiled code is used" "$work/err" && not_ok "not with --engine interp" || ok "not with --engine interp"

for what in exit words streams divide outside unreachable overflow null recurse; do
	alike "guest $what" guest.wasm $what
done
alike "guest pattern" guest.wasm pattern 100000
keep --engine native guest.wasm recurse
check "recursion that does not end traps" 134 err "stack exhausted"
keep --timeout 2 --engine native guest.wasm spin
check "--timeout ends a compiled loop" 68 err "the time of --timeout is over"
keep --timeout 2 --engine native calls.wasm
check "... and a program that only calls" 68 err "the time of --timeout is over"
keep --fuel 1000 guest.wasm spin
check "with fuel it is interpreted" 68 err "--fuel"
keep --fuel 1000 alone/guest.ta spin
check "and alone refused" 65 err "does not count fuel"
keep --timeout 2 alone/guest.ta spin
check "--timeout ends one that is alone" 68 err "the time of --timeout is over"
keep --engine interp alone/guest.ta exit 3
check "which cannot be interpreted" 64 err "--engine interp"
keep --invoke _start alone/hello.ta
check "--invoke" 0 out "hello, world"
# The module's sealed folder is the same one, since it is named by what was compiled.
keep --dir sealed::/data alone/note.ta kept
check "an image alone writes to a sealed folder" 0
keep --dir sealed::/data --engine interp note.wasm
check "which is that of its module" 0 out kept
keep --dir sealed::/data hello.wasm
keep --dir sealed::/data alone/note.ta
check "and the other way round" 0 out kept

# ---- what is not a good image ----

# refused NAME STATUS TEXT [alone]: the file bad.ta, as the image of guest.wasm; and alone, where it looks like one.
refused() {
	keep --image bad.ta guest.wasm exit 3
	check "$1 is refused" "$2" err "the image is not used" err "$3"
	[ $# = 4 ] || return
	keep bad.ta exit 3
	check "... and alone" "$2" err "the image is not used" err "$3"
}
size=$(stat -c %s "$share/guest.ta")
for at in 16 40 200 $((size / 2)) $((size - 1)); do
	python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[3])] ^= 1
open(sys.argv[2], "wb").write(b)' "$share/guest.ta" "$share/bad.ta" "$at"
	keep --image bad.ta guest.wasm exit 3
	check "a bit changed at $at" 65 err "the image is not used"
	keep bad.ta exit 3
	check "... and alone" 65 err "the image is not used"
done
cp "$share/bad.ta" "$share/guest.ta"
keep -v guest.wasm exit 3
check "... and without being asked for, it is interpreted" 3 err "the image is not used"
compile guest
head -c $((size / 2)) "$share/guest.ta" > "$share/bad.ta"
refused "one that is cut off" 65 "cut off" alone
: > "$share/bad.ta"
refused "an empty file" 65 "no signed library"
cp "$share/calls.ta" "$share/bad.ta"
refused "another module's" 65 "another module"
cp "$root"/build/ta/*.ta "$share/bad.ta"
refused "the Trusted Application itself" 65 "no seal" alone
{ head -c 1000 "$share/guest.ta"; head -c 4194304 /dev/zero; } > "$share/bad.ta"
refused "a file of 4 MiB" 68 "larger" alone
openssl genrsa -out "$work/key.pem" 2048 2> /dev/null
cp "$share/guest.ta" "$work/good.ta"
compile guest "$work/key.pem" && mv "$share/guest.ta" "$share/bad.ta"
refused "one that another key signed" 65 "another key" alone
cp "$work/good.ta" "$share/guest.ta"
keep --engine native guest.wasm exit 3
check "a good one runs after all that" 3
keep alone/guest.ta exit 3
check "and alone" 3
tool run xtest -t regression 1001
check "and so does OP-TEE" 0 out "1 test case of which 0 failed"
finish
