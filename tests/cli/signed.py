# SPDX-License-Identifier: Apache-2.0
"""signed.py FILE KEY MODULE: is FILE a signed library for OP-TEE, signed with KEY, named after MODULE? 9: cannot say."""
import hashlib
import struct
import sys

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
except ImportError:
    sys.exit(9)

with open(sys.argv[1], "rb") as file:
    data = file.read()
with open(sys.argv[2], "rb") as file:
    key = serialization.load_pem_private_key(file.read(), None).public_key()
with open(sys.argv[3], "rb") as file:
    name = bytearray(hashlib.sha256(file.read()).digest()[:16])

name[6] = name[6] & 15 | 0x80
name[8] = name[8] & 63 | 0x80
magic, kind, size, algorithm, digest_size, signature_size = struct.unpack("<IIIIHH", data[:20])
assert (magic, kind, algorithm, digest_size) == (0x4F545348, 1, 0x70414930, 32)
digest, signature = data[20:52], data[52:52 + signature_size]
rest = data[52 + signature_size:]
assert rest[:16] == bytes(name) and rest[16:20] == bytes(4) and len(rest) == 20 + size
assert hashlib.sha256(data[:20] + rest).digest() == digest
key.verify(signature, data[:20] + rest, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
assert rest[20:24] == b"\x7fELF"
# Behind the library stands the seal, which says where the module is.
library = rest[20:-168]
seal = rest[-168:]
assert seal[-8:] == b"WKIMAGE\n"
library_size, offset, size = struct.unpack("<QQQ", seal[:24])
assert library_size == len(library) and library[offset:offset + 8] == b"\0asm\1\0\0\0" and offset + size <= library_size
assert hashlib.sha256(library + seal[:120]).digest() == seal[120:152]
