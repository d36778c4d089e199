#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spec_files.sh SPEC TO: puts the core test suite, converted to JSON and binaries, where the tests look for it:
# TO/core and TO/<proposal>. SPEC holds the archives wasm-3.0-core.tar.xz and proposals.tar.xz, or is a folder with the
# core suite unpacked. Nothing there: nothing done; the tests then say that they were skipped.
set -eu
spec=$1 to=$2
mkdir -p "$to"

# unpack ARCHIVE FOLDER: once for each version of the archive.
unpack() {
	if [ -f "$1" ] && [ ! "$2/.unpacked" -nt "$1" ]; then
		mkdir -p "$2"
		tar -xJf "$1" -C "$2"
		touch "$2/.unpacked"
	fi
}

if ls "$spec"/*.json > /dev/null 2>&1; then
	rm -rf "$to/core"
	ln -s "$(cd "$spec" && pwd)" "$to/core"
elif [ -f "$spec/wasm-3.0-core.tar.xz" ]; then
	[ ! -L "$to/core" ] || rm "$to/core"
	unpack "$spec/wasm-3.0-core.tar.xz" "$to/core"
	unpack "$spec/proposals.tar.xz" "$to"
else
	echo "No test suite in $spec: its tests will be skipped."
fi
