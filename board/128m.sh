# SPDX-License-Identifier: Apache-2.0
#
# 128m.sh: the variant of the board whose OP-TEE has 128 MiB of RAM instead of 15. assemble.sh reads it. It makes, below
# build/board:
#
#   optee/   the source package optee-os of Debian, unpacked
#   128m/    flash.bin; memory: MiB of RAM that the machine needs; version: of OP-TEE; tee.elf, conf.mk: for debuggers
#
# The emulator's secure memory is 16 MiB, and cannot be made larger. So all of OP-TEE is in ordinary memory here, at
# 80000000. OP-TEE itself marks that as reserved in the device tree, which is what keeps Linux off; and the machine has
# 128 MiB more, so that Linux has as much as before.

start=0x80000000
size=0x08000000
memory=1185

# Page tables: 64 for blocks of 2 MiB in 128, and 16 for a TA's own parts and for shared memory. The heap holds the
# books on what is mapped: 256 bytes each, so 640 KiB are enough to map all RAM in pieces of 64 KiB. Both are in the
# core's first 2 MiB, so CFG_TEE_RAM_VA_SIZE stays as it is.
more="CFG_TZDRAM_START=$start CFG_TZDRAM_SIZE=$size CFG_PGT_CACHE_ENTRIES=80 CFG_CORE_HEAP_SIZE=655360"
# Everything else is as Debian builds it (debian/rules).
as_debian="PLATFORM=$optee DEBUG=0 CFG_TEE_CORE_LOG_LEVEL=3 CFG_TEE_BENCHMARK=n CFG_ARM_GICV3=y CFG_ARM64_core=y
	CFG_VIRTUALIZATION=n CFG_USER_TA_TARGETS=ta_arm64"

# An archive's mirror may have a package but not its source: then it is sid's, the newest that Debian has. Status 77 is
# for tests, which are skipped then.
optee_source() {
	[ ! -d "$build/optee" ] || return 0
	say "the source of optee-os"
	apt source optee-os "$build/optee" 2> "$build/optee-source.log" && return
	say "trixie's cannot be fetched (build/board/optee-source.log): taking sid's"
	if sh "$board/../cmake/apt.sh" -r sid -a arm64 "$build/apt-sid" source optee-os "$build/optee" \
		2>> "$build/optee-source.log"
	then
		rm -rf "$build/apt-sid"
		return
	fi
	tail -n 3 "$build/optee-source.log"
	say "the source package of optee-os cannot be fetched, so the variant 128m cannot be made"
	exit 77
}

# TAs are signed with the key of the development kit, whose default differs from one version of OP-TEE to the next: the
# core gets trixie's, so that kit and test suite are the same for all variants. Some scripts of OP-TEE call "python3",
# which must be Debian's; and it asks git for its version, which would answer with that of this repository.
if step optee-128m "$board/128m.sh" "$build/packages.list"; then
	optee_source
	rm -rf "$build/128m"
	made=$build/128m/optee
	version=$(dpkg-parsechangelog -l "$build/optee/debian/changelog" -S Version)
	quietly env PATH="/usr/bin:$PATH" GIT_DIR=/dev/null make -C "$build/optee" -j "$(nproc)" O="$made" \
		CROSS_COMPILE=$cross PYTHON3=/usr/bin/python3 \
		TA_SIGN_KEY="$build/arm64/usr/lib/optee-os-dev/$optee/keys/default_ta.pem" \
		TEE_IMPL_VERSION="$version" CFG_BUILD_IN_TREE_TA=n $as_debian $more
	mv "$made/core/"tee-*_v2.bin "$made/core/tee.elf" "$made/conf.mk" "$build/128m"
	echo "$version" > "$build/128m/version"
	rm -rf "$made"
	finish
fi

# Where the secure memory is has no variable in the firmware's makefiles: two lines of a copy of its source are changed.
if step firmware-128m "$board/128m.sh" "$build/128m/tee-pager_v2.bin" "$build/packages.list"; then
	source=$build/128m/firmware
	rm -rf "$source"
	cp -a "$build/firmware" "$source"
	header=$source/plat/qemu/qemu/include/platform_def.h
	sed -i "s/^#define SEC_DRAM_BASE[ \t].*/#define SEC_DRAM_BASE $start/
		s/^#define SEC_DRAM_SIZE[ \t].*/#define SEC_DRAM_SIZE $size/" "$header"
	[ "$(grep -c "^#define SEC_DRAM_[A-Z]* \($start\|$size\)$" "$header")" = 2 ] ||
		{ say "the firmware's source is not as expected: $header"; exit 1; }
	firmware "$source" "$build/128m" "$build/128m/flash.bin"
	echo $memory > "$build/128m/memory"
	rm -rf "$source"
	finish
fi
say "ready in $build/128m: OP-TEE $(cat "$build/128m/version")"
