#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spec_images.sh ROOT SUITE LEVEL PART TARGET RUNNER [OPTION]...: a suite of those that spec_files.sh has unpacked, compiled
# for another machine. A runner of this machine's, which has LLVM in it, writes the images of all modules to a folder; RUNNER
# runs them. LEVEL is the optimisation, PART as the runner has it (1/1 for all). With the presets release and aarch64 built:
#
#	sh tests/spec_images.sh build/spec core 2 1/1 aarch64-linux build/aarch64/emulated/spec_runner --addresses 256
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$1 suite=$2 level=$3 part=$4 target=$5 runner=$6
shift 6
compiling=$(sh "$here/compiling.sh" spec_runner) || {
	echo "$compiling"
	exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$here/spec.sh" "$compiling" "$root" "$suite" --part "$part" --compiled "$level" --target "$target" \
	--write-images "$work" > "$work/log" 2>&1
status=$?
if [ $status -ne 0 ]; then
	tail -n 40 "$work/log"
	exit $status
fi

sh "$here/spec.sh" "$runner" "$root" "$suite" --part "$part" --images "$work" "$@" > "$work/run" 2>&1
status=$?
cat "$work/run"
compiled=$(sed -n 's/^Modules compiled: //p' "$work/log")
if [ -z "$compiled" ] || [ "$compiled" != "$(sed -n 's/^Modules that ran compiled: //p' "$work/run")" ]; then
	echo "Not all that were compiled ran so: $compiled"
	exit 1
fi
exit $status
