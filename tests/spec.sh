#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spec.sh RUNNER ROOT SUITE [OPTION]...: runs one suite of those that spec_files.sh has unpacked, if it has.
set -u
if ! ls "$2/$3"/*.json > /dev/null 2>&1; then
	echo "skip - $3: the core test suite is not here. Its sources are published at github.com/WebAssembly/testsuite;" \
		"make test SPEC=DIR takes them converted to JSON."
	exit 77
fi
runner=$1 suite=$2/$3
shift 3
exec "$runner" "$suite" "$@"
