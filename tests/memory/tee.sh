#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tee.sh TOOL PROGRAMS: what programs get of memory in the simulated TEE, what is said when it is no more, and whether the
# plan is kept.
. "$(dirname "$0")/../cli/common.inc"
programs=$2
board="--tee sim:optee-qemu-armv8a"

# total: what memory-hog has counted, from the last run's output.
total() { sed -n 's/.*: \([0-9]*\) bytes in all$/\1/p' "$work/out"; }

# at_least NAME BYTES: the last run ended well with so many bytes or more.
at_least() {
	got=$(total)
	if [ "$status" = 0 ] && [ -n "$got" ] && [ "$got" -ge "$2" ]; then
		ok "$1"
	else
		not_ok "$1" "status $status, $got bytes, wanted $2; $(head -c 300 "$work/err")"
	fi
}

# ---- the seed's experiment ----

tool run $board "$programs/memory-hog.wasm"
at_least "memory-hog gets 13,000,000 bytes" 13000000
check "memory-hog is told that it was the RAM" 0 err "of the TEE's RAM for Trusted Applications" err "CFG_TZDRAM_SIZE"
tool run $board --ta-data-size 12M "$programs/memory-hog.wasm"
at_least "memory-hog with TA_DATA_SIZE 12M gets 1,000,000 bytes" 1000000
check "... and is told what the 12M leave" 0 err "TA_DATA_SIZE" err "12582912 bytes and leaves" err "32768 bytes are enough"
tool run $board --ta-data-size 4M "$programs/memory-hog.wasm"
at_least "memory-hog with TA_DATA_SIZE 4M gets 9,500,000 bytes" 9500000
tool run $board --ta-data-size 13M "$programs/memory-hog.wasm"
check "TA_DATA_SIZE 13M does not fit at all" 71 err "cannot be loaded" err "TA_DATA_SIZE needs"
tool run $board --tee-ram 8M "$programs/memory-hog.wasm"
at_least "memory-hog with 8 MiB of RAM gets 7,000,000 bytes" 7000000
[ "$(total)" -lt 8388608 ] && ok "... and not more than there are" || not_ok "... and not more than there are"
tool run $board "$programs/one-page.wasm"
check "a module with a maximum of one page is told that" 0 out "linear memory: 65536 bytes" err "the module itself declares" \
	err "the TEE has refused nothing" err "--max-memory"
tool run "$programs/one-page.wasm"
check "... without a TEE, too" 0 out "linear memory: 65536 bytes" err "the module itself declares" err "no other limit"
tool run --tee sim:optee-qemu-armv8a-128m "$programs/memory-hog.wasm"
at_least "memory-hog with 128 MiB of RAM gets 130,000,000 bytes" 130000000
tool run --max-memory 1M "$programs/memory-hog.wasm"
check "--max-memory is named" 0 out "linear memory: 1048576 bytes" err "--max-memory"
tool run $board --stack-size 64M "$programs/hello.wasm"
check "a stack larger than all RAM is only a maximum" 0 out "hello, world"

# ---- growing copies nothing ----

# json KEY: a number of the last JSON report.
json() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p" "$work/json"; }
# node NAME KEY: a number of a node of the tree in the last JSON report.
node() { sed -n "s/.*\"name\":\"$1\",[^}]*\"$2\":\\([0-9]*\\).*/\\1/p" "$work/json"; }

tool run $board "--memory-report=json:$work/json" "$programs/memory-hog.wasm"
[ "$(node 'linear memories' moved)" = 0 ] && ok "growing to the end copies nothing" ||
	not_ok "growing to the end copies nothing" "$(head -c 300 "$work/json")"
[ "$(json mappings_peak)" -lt 100 ] && ok "... and takes few mappings" || not_ok "... and takes few mappings" "$(json mappings_peak)"
[ "$(json mappings_limit)" = 691 ] && ok "the board's limit of mappings" || not_ok "the board's limit of mappings"
tool run $board "--memory-report=json:$work/json" "$programs/grow.wasm" 150
check "150 grows of one page" 0 out "150 pages"
tool run --memory-report "$programs/grow.wasm" 1000
check "a thousand grows of one page, outside of a TEE" 0 out "1000 pages" err "linear memories" err "0 bytes of linear memories"

# ---- less than a page ----

small=$(dirname "$programs")/small.wasm
tool run $board "--memory-report=json:$work/json" --invoke add "$small" 1 40
same "a small module computes" 42
[ "$(node 'linear memories' used)" = 4096 ] && ok "... and takes one page of the TEE's, not of WebAssembly's" ||
	not_ok "... and takes one page of the TEE's, not of WebAssembly's" "$(node 'linear memories' used)"
tool run $board "--memory-report=json:$work/json" --invoke peek "$small" 60000
same "... but what is behind is there once it is touched" 0
[ "$(node 'linear memories' used)" = 65536 ] && ok "... and then it takes the whole page" ||
	not_ok "... and then it takes the whole page" "$(node 'linear memories' used)"
tool run $board --invoke peek "$small" 65536
check "... and no more" 134 err "out of bounds memory access"
tool run --invoke peek "$small" 60000
same "outside of a TEE it has its page" 0
tool run $board "--memory-report=json:$work/json" --invoke peek "$(dirname "$programs")/small-closed.wasm" 60000
same "without __heap_base it has its page in a TEE, too" 0

# ---- the report ----

tool run --memory-report "$programs/hello.wasm"
check "--memory-report is text" 0 out "hello, world" err "the keep" err "internal code" err "linear memories"
tool run --memory-report=json "$programs/hello.wasm"
check "--memory-report=json" 0 err '"budgets":[{"name":"the keep"' err '"refusals":0'
for form in svg html; do
	tool run $board "--memory-report=$form:$work/picture" "$programs/memory-hog.wasm"
	if [ "$status" = 0 ] && grep -q '</svg>' "$work/picture" && grep -q 'linear memories' "$work/picture" &&
		! grep -qE 'nan|inf|(src|href)=' "$work/picture"; then
		ok "--memory-report=$form:FILE"
	else
		not_ok "--memory-report=$form:FILE" "$(head -c 300 "$work/picture")"
	fi
done
if command -v xmllint > /dev/null; then
	tool run "--memory-report=svg:$work/picture" "$programs/deep.wasm"
	xmllint --noout "$work/picture" && ok "the picture is XML" || not_ok "the picture is XML"
else
	skip "the picture is XML" "no xmllint"
fi
tool run --memory-report=png "$programs/hello.wasm"
check "an unknown form" 64 err "it is text, json, json:FILE, svg:FILE or html:FILE"
tool run --memory-report=svg:/no/such/folder/x "$programs/hello.wasm"
check "a report that cannot be written" 74 err "cannot write the memory report"

# ---- the plan ----

# figure KEY: a number of the last plan.
figure() { sed -n "s/^ *\"$1\": \\([0-9]*\\),\\{0,1\\}\$/\\1/p" "$work/plan"; }

# within NAME GOT WANTED: they differ by at most 2 %.
within() {
	if [ -n "$2" ] && [ -n "$3" ] && [ $((($2 - $3) * 50)) -le "$3" ] && [ $((($3 - $2) * 50)) -le "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "$2 and $3"
	fi
}

for program in "$programs"/*.wasm; do
	name=$(basename "$program" .wasm)
	arguments=1 # kernels: one repetition
	case $name in
	grow) arguments=20 ;;
	esac
	for tee in optee-qemu-armv8a linux; do
		[ $name-$tee != memory-hog-linux ] || continue # 4 GiB
		"$tool" memory plan --json --tee $tee "$program" > "$work/plan" || { not_ok "plan of $name in $tee"; continue; }
		tool run --tee sim:$tee --eager "--memory-report=json:$work/json" "$program" $arguments
		[ "$status" = 0 ] || not_ok "run of $name in $tee" "$(head -c 300 "$work/err")"
		# What the program has grown by is its own doing: linear memory, call stack.
		grown=$(($(node 'linear memories' peak) - $(figure linear) + $(node 'guest stacks' peak) - $(figure stack)))
		planned=$(($(figure with_code) + grown))
		[ "$planned" -ge "$(figure peak)" ] || planned=$(figure peak)
		within "plan and run of $name agree on the peak in $tee" "$(node 'the keep' peak)" "$planned"
		# Without --eager a run takes no more, but for a step of the heap.
		tool run --tee sim:$tee "--memory-report=json:$work/json" "$program" $arguments
		lazy=$(($(node 'the keep' peak) - $(node 'linear memories' peak) - $(node 'guest stacks' peak)))
		most=$(($(figure peak) - $(figure linear) - $(figure stack)))
		[ "$lazy" -le $((most + 8192)) ] && ok "... and the run of $name without --eager takes no more" ||
			not_ok "... and the run of $name without --eager takes no more" "$lazy, planned $most"
	done
done

"$tool" memory plan --json --tee optee-qemu-armv8a "$programs/memory-hog.wasm" > "$work/plan"
tool run $board --eager "$programs/memory-hog.wasm"
within "the plan says how much memory-hog gets" "$(sed -n 's/^linear memory: \([0-9]*\) bytes$/\1/p' "$work/out")" "$(figure grown)"
tool memory plan --tee optee-qemu-armv8a --ta-data-size 12M "$programs/memory-hog.wasm"
check "a plan in words" 0 out "its memory can grow to" out "TA_DATA_SIZE" out "-Wl,--max-memory="
tool memory plan "$programs/memory-hog.wasm"
check "a plan for this machine" 0 out "its memory can grow to" out "4294967296"
tool memory plan --tee optee-qemu-armv8a --tee-ram 1200K --ta-stack-size 500K "$programs/memory-hog.wasm"
check "a module that does not fit" 71 out "cannot run in optee-qemu-armv8a"

finish
