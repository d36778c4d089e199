#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# packages.sh FILE...: installs the Debian packages that the files name and that are missing, and says which. Names stand
# one a line; '#' starts a comment, and a comment that starts with "optional" allows a package to stay away.
set -eu

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
	echo "This is not Debian: the packages are not looked at. Needed are those of $*."
	exit 0
fi

# A package may be there under the name of another that provides it (gcc-aarch64-linux-gnu on an Arm machine).
provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | sed -n 's/^installed //p' | sed 's/([^)]*)//g' |
	tr -s ', \n' ' ')
missing= optional=
for file in "$@"; do
	[ -f "$file" ] || continue
	while read -r name comment; do
		case $name in '' | '#'*) continue ;; esac
		case $(dpkg-query -W -f '${Status}' "$name" 2> /dev/null || true) in *' installed') continue ;; esac
		case " $provided " in *" $name "*) continue ;; esac
		case $comment in
		'# optional'*) optional="$optional $name" ;;
		*) missing="$missing $name" ;;
		esac
	done < "$file"
done
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
[ -n "${missing% }" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo > /dev/null; then
		echo "These Debian packages are missing, and there is no sudo to install them: $missing" >&2
		exit 1
	fi
	as_root="sudo"
fi
echo "Installing Debian packages: $missing$optional"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get -q update && $as_root apt-get -q install -y --no-install-recommends $missing; } > "$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "apt-get could not install: $missing" >&2
	exit 1
fi
for name in $optional; do
	$as_root apt-get -q install -y --no-install-recommends "$name" > "$log" 2>&1 || echo "Without $name, which is optional."
done
