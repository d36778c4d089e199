#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# build.sh: builds what the board needs to run modules in its TEE, with the development kit that `make board` has
# unpacked: build/ta/*.ta, the Trusted Application, and build/optee/wasmkeep, the tool. For other devices: docs/device.md.
#
# TA_OPTIONS are words for the TA's make, as TA_DATA_SIZE=...; TA_OUT is another folder for it.
set -eu
cd "$(dirname "$0")/.."
kit=$PWD/build/board/arm64/usr/lib/optee-os-dev/vexpress-qemu_armv8a
out=${TA_OUT:-build/ta}
[ -d "$kit" ] || {
	echo "ta: the board's development kit is not here: run \`make board\` first" >&2
	exit 1
}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# quietly LOG COMMAND...: what it says goes to a log, which is shown if it fails.
quietly() {
	log=$1
	shift
	"$@" > "$log" 2>&1 || {
		tail -n 40 "$log"
		echo "ta: not built (the whole log: $log)" >&2
		exit 1
	}
}

# The kit's scripts are Python's of this system, with its packages.
quietly "$out.log" make -C ta -j "$(nproc)" TA_DEV_KIT_DIR="$kit" CROSS_COMPILE=aarch64-linux-gnu- \
	PYTHON3=/usr/bin/python3 O="$out" ${TA_OPTIONS:-}
quietly build/optee.log cmake --preset optee
quietly build/optee.log cmake --build --preset optee
