#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ta.sh TOOL [KEEP]: the Trusted Application (TA) and its client on the emulated board (board/): programs run there as they
# do on Linux, whatever ends them, and an enemy in the normal world gets no more than errors. TOOL is board/board; `make
# board` must have made the board. KEEP is the tool for this machine (default: build/release/wasmkeep). ATTACK_SEED and
# ATTACK_CALLS change what attack/attack.c does. Takes three minutes.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/common.inc"
keep=$(realpath "${2:-$root/build/release/wasmkeep}")
build=$(realpath "${BOARD_BUILD:-$root/build/board}")
uuid=e06d65c5-065d-4609-b149-1fb3cd9f837b

export BOARD_DIR="$work/board" BOARD_TIMEOUT=120
trap 'exec 2> /dev/null; "$tool" stop; rm -rf "$work"' EXIT

# must NAME COMMAND...: what the rest needs; without it there is no point in going on.
must() {
	name=$1
	shift
	if "$@" > "$work/why" 2>&1; then ok "$name"; else not_ok "$name" "$(tail -n 5 "$work/why")" && finish; fi
}

# ---- building ----

kit=$build/arm64/usr/lib/optee-os-dev/vexpress-qemu_armv8a
libraries=$build/arm64/usr/lib/aarch64-linux-gnu
share=$work/board/share
mkdir -p "$share"

build_tool() { cmake --preset optee -S "$root" && cmake --build "$root/build/optee"; }
build_ta() {
	make -C "$root/ta" O="$root/build/ta" TA_DEV_KIT_DIR="$kit" CROSS_COMPILE=aarch64-linux-gnu- PYTHON3=/usr/bin/python3
}
build_client() {
	(cd "$root" && aarch64-linux-gnu-gcc -std=gnu17 -O1 -Wall -Wextra -Werror -I . -I src -I include \
		-isystem "$build/arm64/usr/include" -isystem "$build/arm64/usr/include/aarch64-linux-gnu" -o "$work/$1" \
		"tests/board/attack/$1.c" build/optee/libwasmkeep_client.a build/optee/libwasmkeep.a "$libraries/libteec.so.2" \
		"$libraries/libcrypto.so.3" -Wl,--allow-shlib-undefined)
}
build_guests() {
	for source in tests/board/guest.c tests/wasi/guests/libc.c tests/wasi/guests/raw.c tests/wasi/guests/escape.c \
		tests/wasi/guests/sealed.c \
		tests/wasi/guests/cat.c tests/wasi/guests/sleep.c tests/memory/programs/hello.c examples/memory-hog.c; do
		clang-19 --target=wasm32-wasi -O1 -Wall -Wextra -Wno-infinite-recursion -o "$share/$(basename "$source" .c).wasm" \
			"$root/$source" || return 1
	done
	sh "$root/bench/programs.sh" sqlite3 && cp "$root/build/bench/wasm/sqlite3.wasm" "$share"
}
must "the tool for the board is built" build_tool
must "the Trusted Application is built" build_ta
must "its enemy is built" build_client attack
must "a client of the library is built" build_client client
must "programs are built" build_guests
[ -x "$keep" ] || { not_ok "there is a tool for this machine" "no $keep" && finish; }

tool start --for $$
check "the machine starts" 0 err "up after"
tool push "$root/build/ta/$uuid.ta" "$root/build/optee/wasmkeep" "$work/attack" "$work/client"
check "files are copied" 0

# ---- running ----

# keep ARGS...: runs them in the TEE, in the folder of the programs. here ARGS...: the same on this machine.
keep() { tool run sh -c 'cd /share && exec wasmkeep run --tee optee "$@"' - "$@"; }
here() {
	(cd "$share" && exec "$keep" run "$@" > "$work/out.here" 2> "$work/err.here" < /dev/null)
	status_here=$?
}

# alike NAME ARGS...: both end alike, with the same output and messages.
alike() {
	alike_name=$1
	shift
	keep "$@"
	here "$@"
	if [ "$status" = "$status_here" ] && cmp -s "$work/out" "$work/out.here" && cmp -s "$work/err" "$work/err.here"; then
		ok "$alike_name: $status"
	else
		not_ok "$alike_name" "status $status and $status_here; $(diff "$work/out" "$work/out.here" | head -n 4)" \
			"$(diff "$work/err" "$work/err.here" | head -n 4)"
	fi
}

# true_if NAME COMMAND...: whether the command ends well.
true_if() {
	name=$1
	shift
	if "$@" > "$work/why" 2>&1; then ok "$name"; else not_ok "$name" "$(head -c 300 "$work/why")"; fi
}

# again NAME: memory-hog gets what it got at first: everything came back.
hog() {
	keep memory-hog.wasm
	got=$(sed -n 's/.*: \([0-9]*\) bytes in all$/\1/p' "$work/out")
}
again() {
	# A session ends when the kernel has done with the process.
	tool run sh -c 'for i in $(seq 50); do pidof wasmkeep > /dev/null || exit 0; usleep 100000; done; exit 1'
	[ $status = 0 ] || { not_ok "$1" "a process is left" && return; }
	hog
	[ "$got" = "$first" ] && ok "$1" || not_ok "$1" "$got bytes, $first at first; $(head -c 300 "$work/err")"
}

keep hello.wasm
same "hello" "hello, world"
hog
first=$got
[ "${first:-0}" -ge 13000000 ] && ok "memory-hog gets $first bytes" || not_ok "memory-hog gets 13,000,000 bytes" "$first"
here --tee sim:optee-qemu-armv8a memory-hog.wasm
simulated=$(sed -n 's/.*: \([0-9]*\) bytes in all$/\1/p' "$work/out.here")
[ -n "$simulated" ] && [ -n "$first" ] && [ $((($simulated - $first) * 50)) -le "$simulated" ] &&
	[ $((($first - $simulated) * 50)) -le "$simulated" ] && ok "the simulated TEE gives $simulated" ||
	not_ok "the simulated TEE gives as much" "$first and $simulated"
again "it gets the same again"
keep sqlite3.wasm --size 1 --testset main
check "a program of $(stat -c %s "$share/sqlite3.wasm") bytes" 0 out TOTAL

# ---- streams ----

keep guest.wasm pattern 1000000
here guest.wasm pattern 1000000
true_if "1 MB of output, all bytes in order" cmp "$work/out" "$work/out.here"
head -c 10000000 /dev/urandom > "$work/input"
"$keep" run "$share/guest.wasm" sum < "$work/input" > "$work/out.here"
"$tool" run sh -c 'cat > /tmp/input' < "$work/input"
"$tool" run wasmkeep run --tee optee /share/guest.wasm sum < "$work/input" > "$work/out" 2> "$work/err"
true_if "10 MB of input through a pipe: $(cat "$work/out.here")" cmp "$work/out" "$work/out.here"
tool run sh -c 'wasmkeep run --tee optee /share/guest.wasm sum < /tmp/input'
true_if "... from a file" cmp "$work/out" "$work/out.here"
keep guest.wasm streams
[ "$(cat "$work/out")/$(cat "$work/err")" = "to out/to err" ] && ok "output and errors are apart" ||
	not_ok "output and errors are apart" "$(cat "$work/out" "$work/err")"
keep guest.wasm sum
same "input at its end" "0 bytes cbf29ce484222325"
tool run sh -c 'wasmkeep run --tee optee /share/cat.wasm < /dev/zero 2> /tmp/err | head -c 1 > /dev/null; cat /tmp/err'
same "output that nobody reads" "write: Broken pipe"
tool run sh -c 'wasmkeep run --tee optee /share/cat.wasm <&-'
check "input that is closed" 2 err "read: Bad file descriptor"

# A line, its answer, another line.
mkfifo "$work/to" "$work/from"
"$tool" run wasmkeep run --tee optee /share/cat.wasm < "$work/to" > "$work/from" 2> "$work/err" &
exec 8> "$work/to" 9< "$work/from"
for line in one two three; do
	echo $line >&8
	answer=$(timeout 30 head -n 1 <&9)
	[ "$answer" = $line ] || break
done
exec 8>&-
wait $!
[ $? = 0 ] && [ "$answer" = three ] && ok "a line at a time" || not_ok "a line at a time" "$answer; $(cat "$work/err")"
exec 9<&-

# ---- ends ----

while read -r name arguments; do
	# shellcheck disable=SC2086 # a list
	alike "$name" $arguments
done << 'END'
unreachable guest.wasm unreachable
division guest.wasm divide
integer-overflow guest.wasm overflow
out-of-bounds guest.wasm outside
null-function guest.wasm null
endless-recursion --stack-size 128K guest.wasm recurse
fuel --fuel 1000000 guest.wasm spin
exit-code guest.wasm exit 42
exit-code-256 guest.wasm exit 256
arguments --env NAME=value guest.wasm words a --dir x
no-such-function --invoke nothing guest.wasm
exhausted-memory --max-memory 4M guest.wasm exhaust
END
make_library "$share/library.wasm"
while read -r name arguments; do
	# shellcheck disable=SC2086 # a list
	alike "$name" $arguments
done << 'END'
a-result --invoke add library.wasm 20 22
several-results --invoke swap library.wasm 0x7fffffffffffffff -1.5
a-vector --invoke v128 library.wasm 0x0123456789abcdef0011223344556677
divided-by-zero --invoke divide library.wasm 1 0
too-deep --stack-size 128K --invoke recurse library.wasm
a-call-within --report json --invoke fail library.wasm
growing --invoke grow library.wasm 3
END
keep guest.wasm exhaust
check "all memory taken, then abort" 134 err "unreachable"
again "... gives it back"

start=$(date +%s)
keep --timeout 3 guest.wasm spin
check "--timeout ends a loop" 68 err "the time of --timeout is over" err "at #0"
keep --timeout 2 sleep.wasm
check "--timeout ends a program that sleeps" 68 err "the time of --timeout is over"
[ $(($(date +%s) - start)) -lt 60 ] && ok "... in time" || not_ok "... in time"

# signal.sh NAME ARGS...: runs it, and sends the signal when it has been loaded.
cat > "$share/signal.sh" << 'END'
signal=$1
shift
rm -f /tmp/err
(
	for i in $(seq 300); do grep -q validated /tmp/err && break; usleep 100000; done
	usleep 500000
	killall -$signal wasmkeep
) < /dev/null > /dev/null 2>&1 &
exec wasmkeep run -v --tee optee "$@" 2> /tmp/err
END
signal() { tool run sh /share/signal.sh "$@"; }
signal INT /share/guest.wasm spin
check "Ctrl-C ends a loop" 130
tool run cat /tmp/err
check "... and says so" 0 out "interrupted" out "at #0"
mkfifo "$work/never"
exec 8<> "$work/never"
"$tool" run sh /share/signal.sh INT /share/cat.wasm < "$work/never" > "$work/out" 2> "$work/err"
status=$?
check "Ctrl-C ends a program that reads" 130
signal KILL /share/guest.wasm spin
check "a client killed while its guest loops" 137
again "... leaves nothing behind"
"$tool" run sh /share/signal.sh KILL /share/cat.wasm < "$work/never" > "$work/out" 2> "$work/err"
status=$?
check "a client killed while its guest reads" 137
again "... leaves nothing behind"
exec 8>&-

# ---- WASI ----

keep guest.wasm times
check "clocks, chance, sleep" 0 out "slept about right" out "random differs" out "yield 0"
wall=$(sed -n 's/^wall //p' "$work/out")
tool run date +%s
[ $(($(cat "$work/out") - wall)) -le 10 ] && ok "the wall clock is the normal world's" ||
	not_ok "the wall clock is the normal world's" "$wall, $(cat "$work/out")"

# guest NAME OPTIONS...: a guest that tells its own cases: how many are good.
guest() {
	guest=$1
	shift
	keep "$@"
	good=$(grep -c '^ok' "$work/out")
	[ $status = 0 ] && [ "$good" -gt 0 ] && ! grep -q '^not ok' "$work/out" && ok "$guest: $good cases" ||
		not_ok "$guest" "status $status; $(grep '^not ok' "$work/out" | head -n 5) $(head -c 200 "$work/err")"
}
tool run sh -c 'mkdir -p /tmp/root /tmp/in/a /tmp/in/out /tmp/out/empty && cd /tmp && echo outside > out/secret &&
	echo inside > in/file && ln -s ../out/secret in/rel && ln -s /tmp/out/secret in/abs && ln -s ../out in/dir &&
	ln -s /tmp/out in/absdir && ln -s a/../dir in/chain && ln -s ../../out in/a/up && ln -s ../out/new in/dangling'
check "folders for the guests" 0
guest "WASI through wasi-libc" --dir /tmp/root::/ --env guest=1 libc.wasm one "two words"
guest "the raw functions" --dir /tmp/root::/ raw.wasm
guest "ways out of a folder" --dir /tmp/in::/ escape.wasm
tool run sh -c 'ls -A /tmp/root; cd /tmp/out && ls -A && cat secret'
same "nothing is left, nothing outside has changed" "empty
secret
outside"

# ---- sealed folders ----

# What the normal world keeps for the secure one is in a folder of this machine.
vault=$work/board/tee
tool run mkdir -p /tmp/host
guest "a sealed folder" --dir sealed::/data --dir /tmp/host::/host sealed.wasm first 20
if grep -rqa 'number 42' "$vault"; then
	not_ok "the normal world cannot read it" "$(grep -rla 'number 42' "$vault" | head -n 3)"
elif [ "$(find "$vault" -type f -size +0 | wc -l)" -ge 3 ]; then
	ok "the normal world cannot read it"
else
	not_ok "the normal world keeps it" "$(ls -l "$vault")"
fi
keep --dir sealed::/data libc.wasm
check "another module runs beside it, with a folder of its own name" 0
guest "the next session finds what it left" --dir sealed::/data --dir /tmp/host::/host sealed.wasm second
# Somebody changes what the normal world keeps, bit by bit: errors, and an intact TA.
keep --dir sealed::/data --dir /tmp/host::/host sealed.wasm first 4
for file in $(find "$vault" -type f -size +4096c); do
	printf 'x' | dd of="$file" bs=1 seek=5000 conv=notrunc 2> /dev/null
	printf 'y' | dd of="$file" bs=1 seek=300 conv=notrunc 2> /dev/null
done
keep --dir sealed::/data --dir /tmp/host::/host sealed.wasm second
grep -q '^not ok' "$work/out" && ! grep -q panic "$work/err" && ok "changed by the normal world it is not believed" ||
	not_ok "changed by the normal world it is not believed" "$(cat "$work/out")"
tool run sh -c 'rm -rf /var/lib/tee/*'
keep hello.wasm
check "and the next run works" 0

# ---- modules that are not as they should be ----

head -c 20000 "$share/libc.wasm" > "$share/truncated.wasm"
cp "$share/libc.wasm" "$share/corrupt.wasm"
printf '\377\377\377\377' | dd of="$share/corrupt.wasm" bs=1 seek=30000 conv=notrunc 2> /dev/null
echo "no module" > "$share/text.wasm"
: > "$share/empty.wasm"
unhex "$share/invalid.wasm" $header "$(section 1 01 600000)" "$(section 3 01 00)" "$(section 10 01 "$(sized 00 6a 0b)")"
unhex "$share/import.wasm" $header "$(section 1 01 600000)" "$(section 2 01 "$(name a)" "$(name b)" 00 00)"
for name in truncated corrupt text empty invalid import; do
	alike "a module: $name" $name.wasm
done
# A custom section of 20 MB, more than there is.
{ cat "$share/hello.wasm" && unhex "$work/section" 00 80dac409 0178 && cat "$work/section" && head -c 19999998 /dev/zero
} > "$share/large.wasm"
keep large.wasm
check "a module that is larger than the TEE" 71 err "out of memory"
unhex "$share/wide.wasm" $header "$(section 5 01 00 808004)" "$(section 7 01 "$(name memory)" 02 00)"
keep wide.wasm
check "a module whose memory starts with 4 GiB" 71 err "memory"
rm "$share/large.wasm"
tool run client changed /share/sqlite3.wasm
same "a module that changes while it is sent" "the module has changed while it was sent: its SHA-256 is another"
tool run client twice /share/hello.wasm
[ "$(grep -c '^hello, world$' "$work/out")" = 4 ] && ok "two modules in one session, each run twice" ||
	not_ok "two modules in one session, each run twice" "$(cat "$work/out" "$work/err")"

# ---- many ----

tool run client sessions 100 'wasmkeep run --tee optee /share/hello.wasm 2>&1'
check "100 sessions at once" 0 out "0 otherwise" out "the TEE has no memory left"
echo "     $(head -n 1 "$work/out")"
again "... and everything comes back"
pids=
for i in 1 2 3 4; do
	"$tool" run wasmkeep run --tee optee /share/guest.wasm words run $i > "$work/out.$i" 2>&1 &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list
wait $pids
[ "$(cat "$work/out.1" "$work/out.2" "$work/out.3" "$work/out.4" | tr -d '\n')" = "run|1|run|2|run|3|run|4|" ] &&
	ok "four at the same time" || not_ok "four at the same time" "$(cat "$work"/out.?)"

# ---- an enemy ----

"$tool" run --timeout 300 attack "${ATTACK_SEED:-1}" "${ATTACK_CALLS:-10000}" /share hello.wasm libc.wasm cat.wasm raw.wasm \
	> "$work/out" 2> "$work/err"
status=$?
check "an enemy in the normal world" 0 out "; 0 panics"
sed 's/^/     /' "$work/out"
keep hello.wasm
same "... and hello after it" "hello, world"
again "... with all memory"

# ---- what is missing ----

tool run wasmkeep run --tee auto /share/guest.wasm words auto
same "--tee auto, where there is a TEE" "auto|"
tool run wasmkeep run -v --tee auto /share/hello.wasm
check "... runs in it" 0 err "in the TEE"
tool run sh -c 'cp /share/hello.wasm /tmp && chmod 644 /tmp/hello.wasm &&
	echo nobody:x:65534:65534::/:/bin/sh >> /etc/passwd &&
	start-stop-daemon -S -c nobody -x /usr/bin/wasmkeep -- run --tee optee /tmp/hello.wasm'
check "no permission" 66 err "no permission for /dev/tee0" err "group"
tool run mv /dev/tee0 /dev/gone
keep hello.wasm
check "no device" 64 err "there is no TEE here: /dev/tee0 is missing" err "optee"
tool run wasmkeep run -v --tee auto /share/hello.wasm
check "--tee auto, where there is no TEE" 0 out "hello, world"
grep -q "in the TEE" "$work/err" && not_ok "... does without" || ok "... does without"
tool run mv /dev/gone /dev/tee0
"$keep" run --tee optee "$share/hello.wasm" > "$work/out" 2> "$work/err"
status=$?
check "on a machine without TEE" 64 err "TEE"

tool run mv /lib/optee_armtz/$uuid.ta /tmp
keep hello.wasm
check "the TA is not installed" 64 err "has no Trusted Application $uuid" err "/lib/optee_armtz"
openssl genrsa -out "$work/other.pem" 2048 2> /dev/null
/usr/bin/python3 "$kit/scripts/sign_encrypt.py" --uuid $uuid --key "$work/other.pem" \
	--in "$root/build/ta/$uuid.stripped.elf" --out "$work/$uuid.ta" > "$work/why" 2>&1 ||
	not_ok "signing" "$(cat "$work/why")"
tool push "$work/$uuid.ta"
keep hello.wasm
check "the TA is signed with another key" 66 err "signed with a key that this OP-TEE does not trust" err "TA_SIGN_KEY"
cp "$root/build/ta/$uuid.ta" "$work/$uuid.ta"
printf '\1\2\3\4' | dd of="$work/$uuid.ta" bs=1 seek=100000 conv=notrunc 2> /dev/null
tool push "$work/$uuid.ta"
keep hello.wasm
check "the TA is damaged" 66 err "damaged"
tool run mv /tmp/$uuid.ta /lib/optee_armtz
keep hello.wasm
same "the right one again" "hello, world"

# The loop that starts tee-supplicant again goes first.
tool run sh -c 'kill -STOP $(ps -o pid,args | awk "/[{]init[}]/ && \$1 != 1 { print \$1 }") && killall tee-supplicant'
keep --timeout 20 hello.wasm
check "no tee-supplicant" 66 err "no answer from tee-supplicant" err "start it"
tool run sh -c 'kill -CONT $(ps -o pid,args | awk "/[{]init[}]/ && \$1 != 1 { print \$1 }"); sleep 1'
keep hello.wasm
same "with tee-supplicant again" "hello, world"

# ---- the secure world's own view ----

"$tool" console secure > "$work/secure.log"
grep -aE 'panicked|[a-z]-abort|Panic|Unhandled|Out of memory' "$work/secure.log" > "$work/why"
[ -s "$work/why" ] && not_ok "nothing has panicked in the secure world" "$(head -n 5 "$work/why")" ||
	ok "nothing has panicked in the secure world, in $(wc -l < "$work/secure.log") lines"
finish
