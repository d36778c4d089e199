#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What stops a program from outside: --fuel, --timeout, --max-memory, Ctrl-C.
. "$(dirname "$0")/common.inc"

library=$work/library.wasm
make_library "$library"
spin=$work/spin.wasm
make_program "$spin" 0340 0c00 0b
make_program "$work/empty.wasm"

tool run --fuel 100000 "$spin"
check "--fuel ends a loop" 68 err "limit reached" err "--fuel 100000" err "at #0"
tool run --fuel 0 "$spin"
check "--fuel 0" 68
tool run -v --fuel 1000 --invoke add "$library" 1 2
check "fuel is counted" 0 out 3 err "of 1000 used"
used=$(grep -o 'fuel: [0-9]*' "$work/err" | cut -d ' ' -f 2)
tool run --fuel "$used" --invoke add "$library" 1 2
same "what was used is enough" 3
if [ "$used" -gt 0 ]; then
	tool run --fuel $((used - 1)) --invoke add "$library" 1 2
	check "and one less is not" 68
else
	not_ok "and one less is not" "used nothing"
fi
tool run --report json --fuel 1000 "$spin"
check "out of fuel in JSON" 68 err '"trap":"fuel exhausted"' err '"exit_status":68'

tool run --timeout 2.5 "$spin"
check "--timeout ends a loop" 68 err "limit reached" err "--timeout" err "at #0"
tool run --timeout 60.5 --invoke recurse "$library"
check "a trap before the timeout stays a trap" 134
tool run --timeout 100 "$work/empty.wasm"
same "a program faster than its timeout" ""
# A pipe that never says anything: the module itself does not come.
mkfifo "$work/pipe"
sleep 30 > "$work/pipe" &
sleeper=$!
tool run --timeout 0.2 "$work/pipe"
check "--timeout counts from the start of reading" 68 err "--timeout"
kill $sleeper

tool run --max-memory 64K --invoke grow "$library" 0
same "a memory as large as allowed" 1
tool run --max-memory 64K --invoke grow "$library" 1
same "growing beyond fails in the program" -1
tool run --max-memory 128K --invoke grow "$library" 1
same "growing within succeeds" 1
tool run --max-memory 65535 --invoke grow "$library" 0
check "a module that starts larger" 68 err "(--max-memory) is 65535" err "start with 65536"
unhex "$work/large.wasm" $header "$(section 5 01 00 808004)" "$(section 7 01 "$(name memory)" 02 00)"
tool run --max-memory 1G "$work/large.wasm"
check "a module that starts with 4 GiB" 68 err "start with 4294967296"
unhex "$work/large64.wasm" $header "$(section 5 01 04 808080808080c000)"
tool run --max-memory 1G "$work/large64.wasm"
if [ "$status" = 68 ] || [ "$status" = 71 ]; then ok "a module that starts with 2^64 bytes"; else
	not_ok "a module that starts with 2^64 bytes" "$status: $(cat "$work/err")"; fi

# ---- Ctrl-C ----

# A shell lets background jobs ignore Ctrl-C, so that python or env must undo it.
if env --default-signal=INT true 2> /dev/null; then
	# interrupt NAME ARGS...: Ctrl-C after a moment; leaves the status.
	interrupt() {
		env --default-signal=INT "$tool" "$@" > "$work/out" 2> "$work/err" < /dev/null &
		interrupt_pid=$!
		sleep 0.5
		kill -INT $interrupt_pid
		# If that has no effect the test shall still end.
		(sleep 20 && kill -KILL $interrupt_pid) 2> /dev/null &
		interrupt_guard=$!
		wait $interrupt_pid
		status=$?
		kill $interrupt_guard 2> /dev/null
	}
	interrupt run "$spin"
	check "Ctrl-C" 130 err "interrupted" err "at #0"
	interrupt run --report json "$spin"
	check "Ctrl-C in JSON" 130 err '"trap":"interrupted"' err '"exit_status":130'
	interrupt run --timeout 30 "$spin"
	check "Ctrl-C before a timeout" 130 err "interrupted"
else
	skip "Ctrl-C" "env cannot undo that a background job ignores it"
fi
(trap '' INT && exec "$tool" run --timeout 0.8 "$spin" 2> "$work/err") &
pid=$!
sleep 0.3
kill -INT $pid
wait $pid
status=$?
check "Ctrl-C stays ignored where it was" 68 err "--timeout"
finish
