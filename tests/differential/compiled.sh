#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# compiled.sh DIFFERENTIAL [COUNT [SEED [LEVEL [OPTION]...]]]: generated modules, interpreted and compiled: results, traps, memories,
# globals and the calls of the host must be the same.
set -u
program=$1 count=${2:-100} seed=${3:-1} level=${4:-2}
[ $# -gt 4 ] && shift 4 || shift $#
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" --seed "$seed" --count "$count" "$@" > "$work/interpreted" || exit 1
"$program" --seed "$seed" --count "$count" --compiled "$level" "$@" > "$work/compiled" || exit 1
if cmp -s "$work/interpreted" "$work/compiled"; then
	echo "$count passed, 0 failed, 0 skipped"
	exit 0
fi
diff "$work/interpreted" "$work/compiled" | cut -c1-30 | grep seed | sort -u | sed 's/$/... differs/'
different=$(diff "$work/interpreted" "$work/compiled" | grep -c '^>')
echo "$((count - different)) passed, $different failed, 0 skipped"
exit 1
