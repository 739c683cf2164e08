"""Data to compress, and compressed data made by hand."""

from __future__ import annotations


def noise(size: int, values: int) -> bytes:
    """What a linear congruential generator gives, seeded with 1."""
    state, made = 1, bytearray()
    for _ in range(size):
        state = (1103515245 * state + 12345) % 2**31
        made.append((state >> 16) % values)
    return bytes(made)


def strangers(size: int) -> bytes:
    """No two neighbours meet again, so that each byte is a code of its own."""
    byte, made = 0, bytearray()
    for place in range(size):
        made.append(byte)
        byte = (byte + 1 + 2 * (place // 256)) % 256
    return bytes(made)


def packed(codes: list[int], widths: list[int]) -> bytes:
    """Codes, each in so many bits."""
    bits = held = 0
    for code, width in zip(codes, widths, strict=True):
        bits |= code << held
        held += width
    return bits.to_bytes((held + 7) // 8, "little")


def zeros(size: int) -> bytes:
    """So many zeros as Go compresses them, fast: each code stands for one more."""
    codes, widths, since_clear = [256], [9], 0

    def add(code: int) -> None:
        codes.append(code)
        widths.append(max(9, (257 + since_clear).bit_length()))

    while size:
        run = min(since_clear + 1, size)
        add(0 if run == 1 else 256 + run)
        since_clear += 1
        size -= run
        if since_clear == 3838:
            add(256)
            since_clear = 0
    add(257)
    return packed(codes, widths)
