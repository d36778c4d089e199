#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# assemble.sh [VARIANT]: makes the board, an emulated machine with OP-TEE, from Debian packages, below build/board (or
# BOARD_BUILD):
#
#   arm64/      the packages of guest.txt, unpacked: also headers, libraries and development kit for whoever builds
#   flash.bin   Trusted Firmware-A, built from Debian's source, with OP-TEE in it
#   kernel      Linux        initrd   the guest's files        agent   runs commands in the guest
#
# Each step leaves a stamp, a checksum of what it was made from, and is left out as long as that has not changed.
# `rm -r build/board` fetches and makes everything anew.
#
# VARIANT is "128m": makes that, too (128m.sh).
set -eu

board=$(cd "$(dirname "$0")" && pwd)
build=${BOARD_BUILD:-$board/../build/board}
mkdir -p "$build"
build=$(cd "$build" && pwd)
cross=aarch64-linux-gnu-
optee=vexpress-qemu_armv8a
variant=${1:-}
case $variant in
'' | 128m) ;;
*) echo "board: there is no variant '$variant', only 128m" >&2 && exit 2 ;;
esac

# Two callers at once must not make the same files.
if [ "${BOARD_LOCKED:-}" != "$build" ]; then
	BOARD_LOCKED=$build exec flock "$build/.lock" sh "$board/assemble.sh" "$@"
fi

say() { echo "board: $*"; }

# step NAME INPUT...: is there something to do? The inputs are files; this script is one, too.
step() {
	name=$1
	shift
	sum=$(cat "$board/assemble.sh" "$@" | sha256sum)
	[ "$(cat "$build/$name.stamp" 2> /dev/null)" != "$sum" ] || return 1
	say "$name"
	rm -f "$build/$name.stamp"
}

finish() { echo "$sum" > "$build/$name.stamp"; }

# quietly COMMAND...: its output goes to a log, which is shown if it fails.
quietly() {
	"$@" > "$build/$name.log" 2>&1 || {
		tail -n 40 "$build/$name.log"
		say "$name failed (the whole log: $build/$name.log)"
		exit 1
	}
}

apt() { sh "$board/../cmake/apt.sh" -r trixie -a arm64 "$build/apt" "$@"; }

if step packages "$board/guest.txt" "$board/../cmake/apt.sh"; then
	packages=$(sed 's/#.*//' "$board/guest.txt")
	kernel=$(apt depends linux-image-arm64 | grep '^linux-image-')
	apt deb $(printf '%s ' $packages | sed "s/linux-image-arm64/$kernel/") > "$build/packages.list"
	rm -rf "$build/arm64"
	while read -r file; do
		dpkg-deb -x "$file" "$build/arm64"
	done < "$build/packages.list"
	# Device trees of other machines, and documentation.
	rm -rf "$build/arm64/usr/lib/linux-image-"* "$build/arm64/usr/share/doc"
	mv "$build/arm64/boot/vmlinuz-"* "$build/kernel"
	[ -d "$build/firmware" ] || apt source arm-trusted-firmware "$build/firmware"
	finish
fi

# firmware SOURCE TEE FLASH: builds the firmware, with OP-TEE's files from the folder TEE in the flash's secure part. The
# kernel is where it jumps to in the end. The two halves' places in the flash are the firmware's.
firmware() {
	rm -rf "$1/build"
	quietly make -C "$1" -j "$(nproc)" CROSS_COMPILE=$cross PLAT=qemu SPD=opteed DEBUG=0 \
		QEMU_USE_GIC_DRIVER=QEMU_GICV3 BL32_RAM_LOCATION=tdram BL32="$2/tee-header_v2.bin" \
		BL32_EXTRA1="$2/tee-pager_v2.bin" BL32_EXTRA2="$2/tee-pageable_v2.bin" \
		ARM_LINUX_KERNEL_AS_BL33=1 PRELOADED_BL33_BASE=0x44000000 BUILD_STRING=debian all fip
	cp "$1/build/qemu/release/bl1.bin" "$3"
	dd if="$1/build/qemu/release/fip.bin" of="$3" bs=256K seek=1 2> /dev/null
}

if step firmware "$build/packages.list"; then
	firmware "$build/firmware" "$build/arm64/usr/lib/optee/$optee" "$build/flash.bin"
	finish
fi

if step agent "$board/agent.c"; then
	quietly ${cross}gcc -std=gnu17 -Os -Wall -Wextra -static -s -o "$build/agent" "$board/agent.c"
	finish
fi

# module NAME: unpacks a kernel module to the guest, after those it depends on.
module() {
	[ ! -e "$root/modules/$1.ko" ] || return 0
	packed=$(find "$build/arm64/usr/lib/modules" -name "$1.ko.xz")
	[ -n "$packed" ] || { say "there is no kernel module $1"; exit 1; }
	xz -dc "$packed" > "$root/modules/$1.ko"
	# The list is in the module's section .modinfo; file names may have '-' where names have '_'.
	for needed in $(grep -ao 'depends=[A-Za-z0-9_,-]*' "$root/modules/$1.ko" | head -n 1 | cut -d = -f 2 | tr ',' ' '); do
		module "$needed"
	done
	echo "$1" >> "$root/modules/order"
}

if step initrd "$build/packages.list" "$build/agent" "$board/init"; then
	root=$build/initrd.root
	arm64=$build/arm64
	rm -rf "$root"
	mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/modules" "$root/etc" "$root/root" "$root/share" "$root/var/lib/tee"
	mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/usr/lib/tee-supplicant/plugins"
	for folder in bin lib; do
		ln -s usr/$folder "$root/$folder"
	done
	ln -s bin "$root/usr/sbin"
	ln -s usr/bin "$root/sbin"
	cp "$arm64/usr/bin/busybox" "$arm64/usr/sbin/tee-supplicant" "$arm64/usr/bin/xtest" "$build/agent" "$root/usr/bin"
	# Names of busybox, as it lists them itself; it is not for this machine, so the guest does that at its start.
	ln -s busybox "$root/usr/bin/sh"
	cp -a "$arm64/usr/lib/optee_armtz" "$root/usr/lib"
	cp "$arm64/usr/lib/optee-os-dev/$optee/ta/"*.ta "$root/usr/lib/optee_armtz"
	cp -a "$arm64/usr/lib/tee-supplicant" "$root/usr/lib"
	cp -a "$arm64/usr/lib/ld-linux-aarch64.so.1" "$root/usr/lib"
	mkdir "$root/usr/lib/aarch64-linux-gnu"
	for library in ld-linux-aarch64 libc libm libdl libpthread libteec libckteec libcrypto libssl libgcc_s libz libzstd; do
		cp -a "$arm64/usr/lib/aarch64-linux-gnu/$library".so.* "$root/usr/lib/aarch64-linux-gnu"
	done
	for name_of in tee optee 9p 9pnet_virtio; do
		module $name_of
	done
	cp "$board/init" "$root/init"
	chmod 755 "$root/init"
	echo "root:x:0:0:root:/root:/bin/sh" > "$root/etc/passwd"
	echo "root:x:0:" > "$root/etc/group"
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) > "$build/initrd.new"
	mv "$build/initrd.new" "$build/initrd"
	finish
fi
say "ready in $build"

[ -z "$variant" ] || . "$board/$variant.sh"
