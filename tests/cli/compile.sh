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
tool run --engine native --fuel 5 "$library"
check "compiled code does not count fuel" 64 err "--fuel"
tool run --image "$work/none.image" --invoke add "$library" 1 2
check "an image that is not there" 66 err "none.image"
head -c 500 /dev/zero > "$work/zero.image"
tool run --image "$work/zero.image" --invoke add "$library" 1 2
check "a file that is no image" 65 err "no seal"

tool compile -v -o "$work/library.image" "$library"
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
