#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, the version, and command lines that are wrong.
. "$(dirname "$0")/common.inc"

make_program "$work/empty.wasm"

tool
check "no command" 64 err "no command" err "--help"
tool --help
check "--help" 0 out "Usage: wasmkeep COMMAND" out validate
tool -h
check "-h" 0 out "Usage:"
tool help
check "help" 0 out "Usage:"
tool --version
check "--version" 0 out "wasmkeep 0."
for command in run validate inspect; do
	tool help $command
	check "help $command" 0 out "Usage: wasmkeep $command" out "Examples:" out "Exit status"
	cp "$work/out" "$work/help"
	tool $command --help
	check "$command --help" 0
	if cmp -s "$work/out" "$work/help"; then ok "$command --help is help $command"; else not_ok "$command --help"; fi
	tool $command
	check "$command without a file" 64 err "needs a"
	tool $command --no-such-thing x
	check "$command with an unknown option" 64 err "unknown option '--no-such-thing'" err "wasmkeep $command --help"
done
if [ "$(awk 'length > 120' "$work/help" | wc -l)" = 0 ]; then ok "help fits a line"; else not_ok "help fits a line"; fi

tool rnu
check "a command misspelled" 64 err "did you mean run?"
tool help valdate
check "help on a command misspelled" 64 err "did you mean validate?"
tool frobnicate
check "an unknown command" 64 err "unknown command 'frobnicate'"
tool --verison
check "a global option misspelled" 64 err "did you mean --version?"
tool "$work/empty.wasm"
check "a file instead of a command" 64 err "did you mean: wasmkeep run"
tool run --timout 1 "$work/empty.wasm"
check "an option misspelled" 64 err "did you mean --timeout?"
tool run --dri=. "$work/empty.wasm"
check "an option misspelled, with a value" 64 err "did you mean --dir?"
tool inspect -x "$work/empty.wasm"
check "an unknown letter" 64 err "unknown option '-x'"
tool run --fuel
check "a value missing" 64 err "--fuel needs a value: --fuel N"
tool run --verbose=1 "$work/empty.wasm"
check "a value too many" 64 err "--verbose takes no value"
tool "$(printf 'a\033[31mb')"
check "an escape sequence in a word is shown, not obeyed" 64 err 'a\u{1b}[31mb'

# wrong OPTION VALUE
wrong() {
	tool run "$1" "$2" "$work/empty.wasm"
	check "$1 '$2' is refused" 64 err "$1 $2" err "run --help"
}
for value in '' -1 x 1x 0x 99999999999999999999 18446744073709551616; do wrong --fuel "$value"; done
for value in '' 0 -1 x 1s nan inf 1e99; do wrong --timeout "$value"; done
for value in '' 0 -1 K 1X 1KK 1KiBs 99999999999999999999 17179869184G; do
	wrong --max-memory "$value"
	wrong --stack-size "$value"
done
wrong --env ''
wrong --env =x
wrong --dir ''
wrong --dir ::x
wrong --dir x::
wrong --dir-ro ''
wrong --fd x
wrong --fd 99999
wrong --fd 0
wrong --tee optee:
wrong --tee nowhere
wrong --report xml
tool inspect "$work/empty.wasm" "$work/empty.wasm"
check "inspect of two files" 64 err "one file at a time"

for value in 1 64K 64k 1M 2MiB 0x10000; do
	tool run --stack-size "$value" "$work/empty.wasm"
	check "--stack-size $value" 0
done
tool run --tee none -- "$work/empty.wasm"
check "-- ends the options" 0
tool run --timeout=10 --fuel=0x1000 "$work/empty.wasm"
check "values behind =" 0
tool run "$work/empty.wasm" --no-such-thing -h
check "what stands behind the module is the program's" 0

# There may be a TEE and there may be none: what is wrong is found before it is looked for.
tool memory
check "memory without a word" 64 err "plan, probe or profile"
tool memory probe --tee sim:optee-qemu-armv8a
check "a profile is not probed" 64 err "its figures are in it" err "--tee optee"
tool memory probe --tee none
check "nor is what is no TEE" 64 err "no TEE to probe"
tool memory probe --tee optee:linux
check "probe takes no profile" 64 err "takes no profile"
tool memory probe "$work/empty.wasm"
check "probe takes no module" 64 err "memory plan"
tool memory probe --ta-data-size 1M
check "probe takes no what-if" 64 err "memory plan"
tool memory probe --json -o -
check "only one of them can have standard output" 64 err "standard output"
tool memory plan -o "$work/x" "$work/empty.wasm"
check "plan writes no profile" 64 err "memory probe"
if [ ! -e /dev/tee0 ]; then
	tool memory probe -o "$work/none.profile"
	check "without a TEE there is nothing to measure" 64 err "TEE"
	[ -e "$work/none.profile" ] && not_ok "... and no profile" || ok "... and no profile"
fi

for command in --help "help run" --version; do
	[ -w /dev/full ] || break
	"$tool" $command > /dev/full 2> "$work/err"
	status=$?
	check "$command to a full device" 74 err "cannot write"
done
finish
