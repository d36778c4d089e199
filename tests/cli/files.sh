#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of all kinds: valid modules, broken ones, and those that are something else and should be called by its name.
. "$(dirname "$0")/common.inc"

make_program "$work/good.wasm"
make_library "$work/library.wasm"

tool validate "$work/good.wasm"
same "a valid module" "$work/good.wasm: valid"
tool validate "$work/good.wasm" "$work/library.wasm"
same "two valid modules" "$work/good.wasm: valid
$work/library.wasm: valid"
tool validate -q "$work/good.wasm"
same "quietly" ""
tool validate "$work/good.wasm" --quiet
same "an option behind the file" ""
"$tool" validate - < "$work/good.wasm" > "$work/out" 2> "$work/err"
status=$?
same "standard input" "-: valid"
cat "$work/good.wasm" | "$tool" validate - > "$work/out" 2> "$work/err"
status=$?
same "a pipe" "-: valid"
cp "$work/good.wasm" "$work/-q"
(cd "$work" && "$tool" validate -- -q > out 2> err)
status=$?
same "a file that is called like an option" "-q: valid"

# kind NAME TEXT: $work/file is refused as a module, and the message has TEXT; validate and run agree.
kind() {
	tool validate "$work/file"
	check "$1" 65 err "wasmkeep: $work/file: " err "$2"
	tool run "$work/file"
	check "$1, run" 65 err "$2"
}
: > "$work/file"
kind "an empty file" "the file is empty"
printf ';; a comment\n (module (func))\n' > "$work/file"
kind "a text module" "WebAssembly text"
printf '(component)' > "$work/file"
kind "a text component" "WebAssembly text"
unhex "$work/file" 0061736d0d000100
kind "a component" "component"
unhex "$work/file" 7f454c4602010100000000000000000000000000000000
kind "an ELF file" "ELF"
unhex "$work/file" cffaedfe07000001
kind "a Mach-O file" "Mach-O"
unhex "$work/file" 4d5a900003000000
kind "a Windows program" "Windows"
printf '!<arch>\nx' > "$work/file"
kind "an archive" "ar"
unhex "$work/file" 4243c0de35140000
kind "bitcode" "bitcode"
unhex "$work/file" 1f8b080000000000
kind "gzip" "gzip"
unhex "$work/file" 28b52ffd24000000
kind "zstd" "zstd"
unhex "$work/file" 504b030414000000
kind "zip" "zip"
printf '#!/bin/sh\necho\n' > "$work/file"
kind "a script" "script"
printf 'Hello, w\303\266rld\n' > "$work/file"
kind "a text" "text file"
unhex "$work/file" 8899aabbccddeeff0011
kind "other bytes" "does not start with"
for bytes in 00 0061 006173 0061736d 0061736d01 0061736d010000; do
	unhex "$work/file" $bytes
	tool validate "$work/file"
	check "a header cut to $((${#bytes} / 2)) bytes" 65
done
unhex "$work/file" 0061736d02000000
tool validate "$work/file"
check "a version of the future" 65

unhex "$work/file" $header "$(section 1 01 600000)" "$(section 3 01 00)" "$(section 10 01 "$(sized 00 4100 0b)")" \
	"$(section 0 "$(name name)" 01 "$(sized 01 00 "$(name culprit)")")"
tool validate "$work/file"
check "an invalid module: byte, function and its name" 65 err "invalid module" err "at byte 0x" err 'function 0 "culprit"'
tool inspect "$work/file"
check "inspect of an invalid module" 65 err "invalid module"
tool validate --report=json "$work/file"
check "an invalid module in JSON" 65 err '"status":"invalid module"' err '"function":0' err '"function_name":"culprit"' \
	err '"exit_status":65'
unhex "$work/file" $header "$(section 1 01 60)"
tool validate "$work/file"
check "a malformed module" 65 err "malformed module" err "at byte 0x"
[ "$(wc -l < "$work/err")" = 1 ] && ok "one line" || not_ok "one line"
unhex "$work/file" $header "$(section 1 01 5f00)"
tool validate "$work/file"
[ "$status" = 65 ] || [ "$status" = 0 ] && ok "a GC type" || not_ok "a GC type"
unhex "$work/file" $header "$(section 1 01 600000)" "$(section 3 01 00)" "$(section 10 01 "$(sized 00 fb1c 1a 0b)")"
tool validate "$work/file"
check "a GC instruction is named" 65 err "unsupported" err "ref.i31"

# Every truncation and a flip in each byte: a message and a documented status, nothing else.
size=$(wc -c < "$work/good.wasm")
bad=
i=0
while [ $i -lt "$size" ]; do
	head -c $i "$work/good.wasm" > "$work/file"
	tool validate "$work/file"
	# The header alone is a module, and so is whatever ends behind a section that needs no other.
	case $status in 65) ;; 0) [ $i -ge 8 ] || bad="$bad $i" ;; *) bad="$bad $i($status)" ;; esac
	i=$((i + 1))
done
[ -z "$bad" ] && ok "truncated at every byte" || not_ok "truncated at every byte" "$bad"

tool validate "$work/nonexistent"
check "a missing file" 66 err "No such file"
tool validate "$work"
check "a directory" 66 err "Is a directory"
tool run "$work"
check "a directory, run" 66 err "Is a directory"
tool inspect "$work/nonexistent"
check "a missing file, inspect" 66 err "No such file"
tool run --report json "$work/nonexistent"
check "a missing file in JSON" 66 err '"status":"input or output error"' err '"exit_status":66'
if [ "$(id -u)" -ne 0 ]; then
	cp "$work/good.wasm" "$work/secret" && chmod 0 "$work/secret"
	tool validate "$work/secret"
	check "a file without permission" 66 err "Permission denied"
else
	skip "a file without permission" "root may read all"
fi
tool validate /dev/null
check "/dev/null" 65 err "empty"
tool validate /dev/zero
check "an endless device" 65
tool validate "$work/good.wasm" "$work/nonexistent" "$work/file"
check "the worst of several counts" 66 out "good.wasm: valid" err "No such file" err "malformed"
finish
