#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install.sh BUILD COMPILER: installs a build to a folder of its own, and builds and runs a program that knows nothing but
# what was installed there.
set -u
build=$1 compiler=$2
failed=0

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" > "$root/log" 2>&1; then
		echo "ok - $name"
	else
		sed 's/^/# /' "$root/log"
		echo "not ok - $name"
		failed=1
	fi
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
check "installs" env DESTDIR="$root/dest" cmake --install "$build"
config=$(find "$root/dest" -name wasmkeep.pc)
check "has a pkg-config file" test -n "$config"
check "has a tool that says its version" sh -c "$root/dest/*/*/bin/wasmkeep --version || $root/dest/*/bin/wasmkeep --version"

if ! command -v pkg-config > /dev/null; then
	echo "skip - builds a program: no pkg-config"
	exit $failed
fi
cat > "$root/program.c" << 'END'
#include <stdio.h>
#include <wasmkeep/wasmkeep.h>
int main(void)
{
	struct wk_keep *keep = NULL;
	enum wk_status status = wk_keep_new(NULL, &keep);

	printf("%s\n", wk_version());
	wk_keep_delete(keep);
	return status != WK_OK;
}
END
export PKG_CONFIG_PATH=${config%/*} PKG_CONFIG_SYSROOT_DIR="$root/dest"
check "knows its version" sh -c "pkg-config --modversion wasmkeep | grep -x '[0-9]*\.[0-9]*\.[0-9]*'"
check "builds a program" "$compiler" -std=c17 -Wall -Wextra -Werror "$root/program.c" -o "$root/program" \
	$(pkg-config --cflags --libs wasmkeep)
check "runs it" "$root/program"
exit $failed
