"""MD4 (RFC 1320), which current OpenSSL builds leave out; some imported password hashes still use it."""

from __future__ import annotations

import struct

_ROUNDS = (
    (0x00000000, lambda x, y, z: (x & y) | (~x & z), tuple(range(16)), (3, 7, 11, 19)),
    (
        0x5A827999,
        lambda x, y, z: (x & y) | (x & z) | (y & z),
        (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        (3, 5, 9, 13),
    ),
    (0x6ED9EBA1, lambda x, y, z: x ^ y ^ z, (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15)),
)
_MASK = 0xFFFFFFFF


def md4(data: bytes) -> bytes:
    padded = data + b"\x80" + b"\x00" * ((55 - len(data)) % 64) + struct.pack("<Q", len(data) * 8)
    state: tuple[int, ...] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    for start in range(0, len(padded), 64):
        state = _block(state, struct.unpack("<16I", padded[start : start + 64]))
    return struct.pack("<4I", *state)


def _block(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
    a, b, c, d = state
    for constant, mix, order, shifts in _ROUNDS:
        for step, index in enumerate(order):
            total = (a + mix(b, c, d) + words[index] + constant) & _MASK
            shift = shifts[step % 4]
            a, b, c, d = d, ((total << shift) | (total >> (32 - shift))) & _MASK, b, c
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d), strict=True))
