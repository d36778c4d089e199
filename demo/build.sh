#!/bin/sh
# Builds a real program for the demonstration: OUTDIR/lua.wasm, the Lua 5.4 interpreter from Debian's source package,
# compiled for WASI with the same recipe as the benchmarks.
#
#   demo/build.sh OUTDIR
#   wasmkeep run --dir demo::/ OUTDIR/lua.wasm /demo.lua
set -eu

[ $# -eq 1 ] || { echo "usage: demo/build.sh OUTDIR" >&2; exit 2; }
repository=$(cd "$(dirname "$0")/.." && pwd)

"$repository/bench/programs.sh" lua
mkdir -p "$1"
cp "${BENCH_BUILD:-$repository/build/bench}/wasm/lua.wasm" "$1/lua.wasm"
