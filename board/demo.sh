#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh: three programs in the TEE of the board: a small one, Lua with a program of its own, and one that takes all the
# memory there is. The machine stays on for more; `board/board stop` switches it off.
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
cd "$repository"
board=board/board
programs=build/bench/wasm

# say TEXT, run COMMAND...: what a reader could type.
say() { printf '\n%s\n' "$*"; }
run() {
	printf '\n$ wasmkeep %s\n' "$*"
	$board run wasmkeep "$@"
}

sh bench/programs.sh sqlite3 lua
sh examples/build.sh
$board status > /dev/null 2>&1 || $board start
$board push build/ta/*.ta build/optee/wasmkeep
$board push examples/hello.wasm $programs/sqlite3.wasm $programs/lua.wasm examples/memory-hog.wasm demo/demo.lua /root/

say "In the normal world of an emulated Arm machine. --tee optee sends the module to the Trusted Application."
run run --tee optee /root/hello.wasm from the board
run run --tee optee --dir /root::/ /root/lua.wasm /demo.lua
run run --tee optee --memory-report /root/sqlite3.wasm --memdb --size 1 --testset main
run run --tee optee /root/memory-hog.wasm
say "More: board/board shell, then wasmkeep help. board/board stop switches the machine off."
