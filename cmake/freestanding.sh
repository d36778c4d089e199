#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# freestanding.sh COMPILER NM OBJDUMP OUT OBJECT...: proves that the TEE's rooms need nothing but the port.
#
# Their objects, compiled without any header of libc, are linked into one; what is then still undefined must be one of
# the four mem* functions or of the port (WASI has a port of its own). Beside that no room may have variables: state
# lives in structures that the embedder owns (constants with addresses in them, .data.rel.ro, are fine).
set -eu
compiler=$1 nm=$2 objdump=$3 out=$4
shift 4

"$compiler" -nostdlib -r -o "$out" "$@"

undefined=$("$nm" -u "$out" | awk '{ print $2 }' |
	grep -Evx 'memcpy|memmove|memset|memcmp|wk_(wasi_)?port_[a-z0-9_]+|_GLOBAL_OFFSET_TABLE_' || true)
if [ -z "$undefined" ]; then
	echo "ok - the rooms need only mem* and the port"
else
	echo "not ok - the rooms need only mem* and the port: undefined are" $undefined
fi

variables=$("$objdump" -t "$out" |
	awk '/[ \t](\*COM\*|\.bss|\.data|\.tbss|\.tdata)/ && !/\.data\.rel\.ro/ && !/ d / { print $NF }')
if [ -z "$variables" ]; then
	echo "ok - the rooms have no global variables"
else
	echo "not ok - the rooms have no global variables: found" $variables
fi

[ -z "$undefined$variables" ]
