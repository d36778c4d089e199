#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# board.sh TOOL: the emulated board itself (board/): that it starts, runs commands faithfully, recovers from processes
# that die, and stops. TOOL is board/board; `make board` must have made the board. Takes a minute.
. "$(dirname "$0")/../cli/common.inc"

export BOARD_DIR="$work/board" BOARD_TIMEOUT=60
trap 'exec 2> /dev/null; BOARD_DIR="$work/second" "$tool" stop; "$tool" stop; rm -rf "$work"' EXIT

# true_if NAME COMMAND...: whether the command ends well.
true_if() {
	name=$1
	shift
	if "$@" > "$work/why" 2>&1; then ok "$name"; else not_ok "$name" "$(head -c 300 "$work/why")"; fi
}

tool status
check "nothing runs at first" 1 out "no machine runs"
tool run true
check "run without a machine is the board's fault" 125 err "board start"
tool start
check "it starts" 0 err "up after"
tool start
check "but not twice in one folder" 125 err "runs in"
tool status
check "it says that it runs" 0 out "answers"

# ---- commands ----

tool run sh -c 'echo out; echo err >&2; exit 7'
check "exit status, output and errors" 7 out out err err
[ "$(cat "$work/out")/$(cat "$work/err")" = out/err ] && ok "they are apart" || not_ok "they are apart"
tool run sh -c 'kill -9 $$'
check "a signal" 137
tool run no-such-command
check "not found" 127 err "no-such-command"
tool run /etc
check "cannot be started" 126
tool run printf '%s|' 'a b' '' "c'd\"" '$HOME' 'é'
same "arguments as they are" "a b||c'd\"|\$HOME|é|"
tool run -e NAME='a value' sh -c 'echo "$NAME"'
same "environment" "a value"
tool run -t tty
check "a terminal" 0 out /dev/pts/
tool run --count true
check "time by the guest's clock" 0 err "ns by the guest's clock"

head -c 20000001 /dev/urandom > "$work/random"
"$tool" run cat < "$work/random" > "$work/copy"
true_if "20 MB in and out, as they are" cmp "$work/random" "$work/copy"
yes | timeout 20 "$tool" run true
[ $? = 0 ] && ok "input that nobody reads" || not_ok "input that nobody reads"
timeout 20 "$tool" run yes | head -n 1 > "$work/out"
true_if "output that nobody reads any more" [ "$(cat "$work/out")" = y ]
printf 'a\nb\n' | while read -r line; do "$tool" run -n echo "$line"; done > "$work/out"
true_if "-n leaves the input to others" [ "$(cat "$work/out")" = "$(printf 'a\nb')" ]
tool run --timeout 1 sleep 100
check "time is over" 124 err "time was over"
tool run pidof sleep
check "... and the command is ended" 1

# ---- processes that die ----

cat "$work/random" "$work/random" | "$tool" run sh -c 'sleep 1234; cat' > /dev/null &
victim=$!
sleep 1
kill -9 $victim
tool run echo alive
same "a run after one that was killed with input under way" alive
tool run sh -c 'sleep 0.3; pidof sleep'
check "... whose command is ended" 1
"$tool" run yes > /dev/null &
victim=$!
sleep 1
kill -9 $victim
tool run echo alive
same "a run after one that was killed with output under way" alive

for i in 1 2 3 4 5 6 7 8 9; do
	"$tool" run sh -c "sleep 3; echo $i" > "$work/out.$i" 2>&1 &
	pids="${pids:-} $!"
done
wait $pids
cat "$work"/out.? > "$work/out"
true_if "more at once than there are ports" [ "$(tr -d '\n' < "$work/out")" = 123456789 ]

# ---- files, both worlds ----

printf '#!/bin/sh\necho pushed "$1"\n' > "$work/program"
chmod +x "$work/program"
tool push "$work/program"
tool run program once
same "a program that was pushed" "pushed once"
tool push "$work/random" /root/
tool run wc -c /root/random
check "a file that was pushed" 0 out 20000001
echo shared > "$BOARD_DIR/share/file"
tool run cat /share/file
same "the shared folder" shared
tool run sh -c 'cp /usr/lib/tee-supplicant/plugins/* /share'
tool push "$BOARD_DIR"/share/*.plugin
check "a plugin" 0
tool run xtest -t regression 1001
check "OP-TEE answers a Trusted Application" 0 out "1 test case of which 0 failed"
tool run xtest -t regression 6001
check "secure storage" 0 out "1 test case of which 0 failed"
true_if "... which lies on the host" test -e "$BOARD_DIR/tee/dirf.db"
tool console secure
check "the secure world's console" 0 out "OP-TEE version"
tool console normal
check "the normal world's console" 0 out "Linux version"

# ---- the machine's end ----

"$tool" run sleep 100 2> /dev/null &
tool stop
check "it stops" 0
tool status
check "... and says so" 1
ps -o pid=,stat=,args= -s "$(cat "$BOARD_DIR/keeper.lock")" | grep -v ' Z' > "$work/left"
true_if "nothing is left" [ ! -s "$work/left" ]
echo kept > "$BOARD_DIR/tee/kept"

sleep 1000 &
parent=$!
(
	export BOARD_DIR="$work/second"
	"$tool" start --icount --for $parent
) 2> /dev/null
tool start
check "a second machine" 0
tool run cat /var/lib/tee/kept
same "storage outlives the machine" kept
"$tool" run true && BOARD_DIR="$work/second" "$tool" run true && ok "both answer" || not_ok "both answer"

# A computation: what talks to the secure world also waits, by the host's leave. The least of a
# few, since a timer's interrupt may fall into any of them.
count() {
	for i in 1 2 3; do
		# shellcheck disable=SC2016
		BOARD_DIR="$work/second" "$tool" run --count \
			sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' 2>&1 > /dev/null
	done | sed -n 's/^board: \([0-9]*\) ns.*/\1/p' | sort -n | head -n 1
}
first=$(count) second=$(count)
difference=$(((first - second) * 1000 / first))
[ "$first" -gt 0 ] && [ "${difference#-}" -lt 10 ] && ok "counting instructions repeats: $first, $second" ||
	not_ok "counting instructions repeats" "$first, $second"
kill $parent
sleep 1.5
true_if "a machine ends with the process it was for" sh -c "! BOARD_DIR='$work/second' '$tool' status"

# A guest that hangs, as one does whose secure world has panicked.
emulator=$(ps -o pid= --ppid "$(cat "$BOARD_DIR/keeper.lock")")
kill -STOP $emulator
tool run true
check "a guest that hangs is the board's fault, soon" 125 err "did not answer"
tool stop
check "it can be stopped" 0
tool start
tool run --timeout 2 sh -c 'echo c > /proc/sysrq-trigger'
check "a kernel that panics" 125 err "stopped"
tool start
kill -9 "$(cat "$BOARD_DIR/keeper.lock")"
sleep 1
tool run true
check "no machine outlives its keeper" 125
tool start
check "it starts again after all this" 0
finish
