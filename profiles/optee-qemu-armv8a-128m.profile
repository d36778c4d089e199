# OP-TEE with 128 MiB of RAM on QEMU: the board's variant 128m (docs/board.md). Measured on it with OP-TEE 4.10, Debian's
# optee-os 4.10.0-2; with 4.5.0 there are 16 pages more in the first hole. docs/profiles.md says what each line means.
name = optee-qemu-armv8a-128m

# RAM for Trusted Applications: the free pieces after boot, in the order of addresses. The first is memory of the boot.
holes = 380928, 132120576
page = 4096

# Addresses of a Trusted Application, and page tables for them.
addresses = 1G
page-tables = 80
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
core-heap = 662656
core-heap-used = 22512
core-heap-ta = 4560
core-heap-mapping = 256

# One call from the normal world, if nothing else is mapped: at least. Here it is the core's heap that ends it.
shared-memory = 157286400
