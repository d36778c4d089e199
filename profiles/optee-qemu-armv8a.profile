# OP-TEE 4.5 on QEMU, as Debian packages it (optee-os, vexpress-qemu_armv8a), measured on the emulated board.
# docs/profiles.md says what each line means.
name = optee-qemu-armv8a

# RAM for Trusted Applications: the free pieces after boot, in the order of addresses. The first is memory of the boot.
holes = 1187840, 13631488
page = 4096

# Addresses of a Trusted Application, and page tables for them.
addresses = 1G
page-tables = 8
page-table-covers = 2M
kernel-addresses = 12K
pad = 508K

# What the loader takes for each: bounce buffer, the loader's stack, code, data and heap, the first page of the file.
loader = 4K, 8K, 36K, 4K, 16K, 4K

# The keep's own Trusted Application, as the makefile in ta/ builds it.
ta-code = 312K
ta-data = 12K
ta-data-size = 32K
ta-stack-size = 16K
stack-extra = 2K
ta-native-stack = 32K

# The heap of OP-TEE's core: its books on what is mapped.
core-heap = 199072
core-heap-used = 17424
core-heap-ta = 4560
core-heap-mapping = 256

# One call from the normal world, if nothing else is mapped: at least, since it depends on the pad.
shared-memory = 15196160
