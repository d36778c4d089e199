#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# apt.sh: Debian packages of any release and architecture, fetched and unpacked but never installed.
#
#   apt.sh [-r RELEASE] [-a ARCHITECTURE] HOME deb PACKAGE...        fetches packages to HOME/deb, and says which
#   apt.sh [-r RELEASE] [-a ARCHITECTURE] HOME depends PACKAGE       prints the names that PACKAGE depends on
#   apt.sh [-r RELEASE] [-a ARCHITECTURE] HOME source PACKAGE FOLDER unpacks the source of PACKAGE to FOLDER
#
# RELEASE is that of this machine unless given ("trixie"), ARCHITECTURE likewise ("arm64").
#
# apt gets a configuration of its own below HOME, so that a machine needs neither a deb-src line nor a foreign
# architecture for this, and nothing outside HOME is changed. The archive's address is taken from the machine's own
# configuration. apt checks the archive's signature and every file's hash as it always does. What is below HOME stays
# there: a package is fetched once, and the archive's lists are fetched again only when a package has gone from it.
# Needed are debian-archive-keyring and, for sources, dpkg-dev with patch and xz-utils.
set -eu

release='' architecture=''
while getopts r:a: option; do
	case $option in
	r) release=$OPTARG ;;
	a) architecture=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || { sed -n 's/^# \{0,1\}//; 3,9p' "$0" >&2; exit 2; }

mkdir -p "$1"
home=$(cd "$1" && pwd) command=$2
shift 2

die() { echo "apt.sh: $*" >&2; exit 1; }

# own PROGRAM ARGUMENT...: with the configuration below HOME, which apt reads after the machine's, so that it wins.
own() {
	program=$1
	shift
	"$program" -c "$home/apt.conf" "$@"
}

# The release itself only (no "-updates", no "-security"): whoever builds on a package wants a version that stays.
sources() {
	apt-get indextargets --format '$(ORIGIN)|$(IDENTIFIER)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
		awk -F'|' -v release="$release" '
			$1 == "Debian" && $2 == "Packages" && $4 !~ /-/ && $5 == "main" && !seen++ {
				rest = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $3 \
					" " (release == "" ? $4 : release) " main"
				print "deb " rest
				print "deb-src " rest
			}'
}

update() {
	mkdir -p "$home/no-parts" "$home/lists/partial" "$home/cache/archives/partial" "$home/deb"
	sources > "$home/sources.list.new"
	[ -s "$home/sources.list.new" ] || die "apt knows no Debian archive on this machine (is 'apt-get update' due?)"
	mv "$home/sources.list.new" "$home/sources.list"
	# A machine in a container may be told to keep no caches and to remove its own after each update: not here.
	cat > "$home/apt.conf" <<-END
		Dir::Etc::SourceList "$home/sources.list";
		Dir::Etc::SourceParts "$home/no-parts";
		Dir::Etc::PreferencesParts "$home/no-parts";
		Dir::Etc::Preferences "/dev/null";
		Dir::State::Lists "$home/lists";
		Dir::State::Status "/dev/null";
		Dir::Cache "$home/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		APT::Sandbox::User "";
		${architecture:+APT::Architecture "$architecture"; APT::Architectures "$architecture";}
	END
	echo "fetching the archive's lists of packages" >&2
	own apt-get -qq update || die "cannot fetch the archive's lists of packages"
	echo "$release $architecture $home" > "$home/ready"
}

# The configuration names HOME by its whole path: one that was copied or moved would write to where it came from.
[ "$(cat "$home/ready" 2> /dev/null)" = "$release $architecture $home" ] || update

# fetch PACKAGE: prints where the package's file is; it is fetched if it is not there yet.
fetch() {
	if ! ls "$home/deb/$1"_*.deb 2> /dev/null; then
		size=$(own apt-cache show --no-all-versions "$1" 2> /dev/null | sed -n 's/^Size: //p')
		tenths=$(((${size:-0} + 50000) / 100000))
		echo "fetching $1 ($((tenths / 10)).$((tenths % 10)) MB)" >&2
		(cd "$home/cache/archives" && own apt-get -qq download "$1") || return 1
		mv "$home/cache/archives/$1"_*.deb "$home/deb/"
		ls "$home/deb/$1"_*.deb
	fi
}

case $command in
deb)
	for package in "$@"; do
		fetch "$package" || { update && fetch "$package"; } || die "cannot fetch $package"
	done
	;;
depends)
	own apt-cache depends --important --no-recommends "$1" | sed -n 's/^ *Depends: //p'
	;;
source)
	[ $# -eq 2 ] || die "source PACKAGE FOLDER"
	download=$home/source/$1
	rm -rf "$download"
	mkdir -p "$download"
	cd "$download"
	echo "fetching the source of $1" >&2
	own apt-get -qq source --download-only "$1" > /dev/null ||
		{ update && own apt-get -qq source --download-only "$1" > /dev/null; } || die "cannot fetch the source of $1"
	# apt has checked the hashes up to the signed index; the maintainer's own key need not be on this machine.
	dpkg-source -q --no-check -x ./*.dsc unpacked || die "cannot unpack the source of $1"
	# Whole or not at all: somebody may look for the folder while it is being unpacked.
	mkdir -p "$(dirname "$2")"
	mv unpacked "$2"
	;;
*) die "unknown command $command" ;;
esac
