#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# images.sh PROGRAM TARGET [COUNT [SEED [LEVEL [OPTION]...]]]: generated modules, interpreted on this machine and compiled
# for another one, where PROGRAM (differential, perhaps in an emulator) runs them. As in compiled.sh, results, traps,
# memories, globals and the calls of the host must be the same. A hundred at a time: images
# take space, and the emulator's books memory. For example:
#
#	sh tests/differential/images.sh build/aarch64/emulated/differential aarch64-linux 2000 1 2 --all
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=$1 target=$2 count=${3:-100} seed=${4:-1} level=${5:-2}
[ $# -gt 5 ] && shift 5 || shift $#
compiling=$(sh "$here/../compiling.sh" tests/differential) || {
	echo "$compiling"
	exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
while [ "$count" -gt 0 ]; do
	some=$((count < 100 ? count : 100))
	mkdir "$work/images"
	"$compiling" --seed "$seed" --count "$some" --compiled "$level" --target "$target" --write-images "$work/images" \
		"$@" > "$work/interpreted" || exit 1
	"$program" --seed "$seed" --count "$some" --images "$work/images" "$@" > "$work/compiled"
	rm -r "$work/images"
	different=0
	if ! cmp -s "$work/interpreted" "$work/compiled"; then
		diff "$work/interpreted" "$work/compiled" | cut -c1-30 | grep seed | sort -u | sed 's/$/... differs/'
		different=$(diff "$work/interpreted" "$work/compiled" | grep -c '^< {"seed')
		[ "$different" -gt 0 ] || different=1
	fi
	failed=$((failed + different)) passed=$((passed + some - different))
	seed=$((seed + some)) count=$((count - some))
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
