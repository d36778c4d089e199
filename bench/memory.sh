#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# memory.sh TOOL LOAD PROGRAMS: what the keep takes beside the programs' own memory, in bytes, and how long growing takes.
# TOOL is wasmkeep, LOAD the program made of bench/load.c, PROGRAMS a folder with the modules of tests/memory.
set -eu
tool=$1 load=$2 programs=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# node NAME KEY: a number of the tree in the report.
node() { sed -n "s/.*\"name\":\"$1\",[^}]*\"$2\":\\([0-9]*\\).*/\\1/p" "$work/json"; }

echo "beside linear memory, in bytes, after the run (pages that are mapped)"
printf '  %-14s %10s %10s %10s %10s\n' program heap module stack together
for name in hello deep gemm hashtable memory-hog; do
	"$tool" run "--memory-report=json:$work/json" "$programs/$name.wasm" > /dev/null 2>&1
	printf '  %-14s %10d %10d %10d %10d\n' $name "$(node heap used)" "$(node 'module bytes' used)" \
		"$(node 'guest stacks' used)" "$(($(node 'the keep' used) - $(node 'linear memories' used)))"
done

echo "a further instance of the same module in the same store, in bytes of the heap"
"$load" --rounds 3 --instances "$programs/hello.wasm" "$programs/memory-hog.wasm" "$programs/hashtable.wasm"

echo "growing by one page, again and again (seconds of processor time; twice the grows, twice the time)"
python3 - "$tool" "$programs/grow.wasm" <<'PY'
import resource, subprocess, sys

def seconds(pages):
    best = None
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.argv[1], "run", sys.argv[2], str(pages)], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = took if best is None else min(best, took)
    return best

base = seconds(0)
rows = [(n, seconds(n) - base) for n in (1000, 2000, 4000, 8000)]
for n, took in rows:
    print(f"  {n:6d} grows {took:9.4f} s   {took / n * 1e6:7.2f} us each   {took / rows[0][1]:5.2f} times the first")
PY
