"""Keys of the gossip ring, as people write them."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error

__all__ = ["MAXIMUM_KEYS", "parse_ring_key", "parse_ring_keys"]

MAXIMUM_KEYS = 16
"""A packet is tried with each; a rotation needs two."""

_KEY_BYTES = (16, 24, 32)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


def parse_ring_key(text: str) -> bytes:
    """
    Read one key, base64 or hexadecimal.

    What is as long as a key in hexadecimal, and is nothing but such digits, is one: no
    random key looks so in base64.

    :raises ValueError: it is none; says why, and does not repeat it.
    """
    digits = re.sub(r"\s", "", text)
    if _HEX.fullmatch(digits) and len(digits) // 2 in _KEY_BYTES:
        return bytes.fromhex(digits)
    try:
        key = b64decode(digits, validate=True)
    except (Base64Error, ValueError):
        raise ValueError("must be base64 or hexadecimal") from None
    if len(key) not in _KEY_BYTES:
        raise ValueError(f"must be 16, 24 or 32 bytes, not {len(key)}")
    return key


def parse_ring_keys(text: str) -> tuple[bytes, ...]:
    """
    Read a file of keys, one a line; empty lines and ``#`` comments are passed over.

    :raises ValueError: it is none; says where and why, and repeats no key.
    """
    keys: list[bytes] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            key = parse_ring_key(line)
        except ValueError as error:
            raise ValueError(f"line {number}: a key {error}") from None
        if key in keys:
            raise ValueError(f"line {number}: the key is there twice")
        keys.append(key)
    if not keys:
        raise ValueError("there is no key in it")
    if len(keys) > MAXIMUM_KEYS:
        raise ValueError(f"there are more than {MAXIMUM_KEYS} keys in it")
    return tuple(keys)
