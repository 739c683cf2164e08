"""
How e2d packs what it tells its own kind: MessagePack arrays, read by position.

The first value is the number of the format. Values are only ever added at the end, and
who does not know them passes over them; a change of any other kind is another format.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgpack

from e2d.gossip.errors import PayloadError, UnknownPayloadVersion

__all__ = ["FORMAT", "is_packed", "number", "octets", "pack", "text", "unpack", "url"]

FORMAT = 1
"""What this version writes, and the only one that it reads."""

_MAXIMUM_ITEMS = 64
"""Of any list or map inside: room for them is made at the length that they claim."""

_ARRAYS = (0x90, 0xDF)
"""Between these are the first bytes of MessagePack's arrays, and of other values."""

_MAXIMUM_NUMBER = (1 << 64) - 1
_SCHEMES = ("http://", "https://")


def pack(values: Sequence[object]) -> bytes:
    """
    Pack values, the number of the format before them.

    :param values: text, bytes, whole numbers, None, and lists of such.
    """
    packed: bytes = msgpack.packb([FORMAT, *values], use_bin_type=True)
    return packed


def is_packed(data: bytes) -> bool:
    """
    Whether bytes can be values that were packed, if they are these or Go's ``gob``.

    A gob begins with a length: a byte below 0x80, or one of the last eight.
    """
    return bool(data) and _ARRAYS[0] <= data[0] <= _ARRAYS[1]


def unpack(data: bytes, count: int, maximum_bytes: int) -> Sequence[object]:
    """
    Unpack values.

    :param count: how many there are at least, the number of the format aside.
    :param maximum_bytes: more than that is not looked at.
    :return: the first so many; what a newer version added is left out.
    :raises UnknownPayloadVersion: they are of a newer format.
    :raises PayloadError: they are not values that were packed.
    """
    if len(data) > maximum_bytes:
        raise PayloadError(f"more than {maximum_bytes} bytes")
    try:
        values = msgpack.unpackb(
            data,
            use_list=True,
            raw=False,
            max_array_len=_MAXIMUM_ITEMS,
            max_map_len=_MAXIMUM_ITEMS,
            max_ext_len=0,
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        raise PayloadError("not MessagePack") from None
    if not isinstance(values, list) or not values or type(values[0]) is not int:
        raise PayloadError("not a payload of e2d")
    if values[0] != FORMAT:
        raise UnknownPayloadVersion(values[0])
    if len(values) <= count:
        raise PayloadError("values are missing")
    return values[1 : count + 1]


def text(value: object, what: str) -> str:
    """
    A value that must be text in one line, not empty.

    :param what: its name, for the error.
    :raises PayloadError: it is not.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        raise PayloadError(f"{what} is not text in one line")
    return value


def url(value: object, what: str) -> str:
    """
    A value that must be the URL of something that speaks HTTP.

    :raises PayloadError: it is not.
    """
    made = text(value, what)
    if not made.startswith(_SCHEMES) or " " in made:
        raise PayloadError(f"{what} is not a URL")
    return made


def number(value: object, what: str) -> int:
    """
    A value that must be a whole number from 0 to 2^64 - 1.

    :raises PayloadError: it is not.
    """
    if type(value) is not int or not 0 <= value <= _MAXIMUM_NUMBER:
        raise PayloadError(f"{what} is not a number in its range")
    return value


def octets(value: object, what: str, length: int) -> bytes:
    """
    A value that must be so many bytes.

    :raises PayloadError: it is not.
    """
    if not isinstance(value, bytes) or len(value) != length:
        raise PayloadError(f"{what} is not {length} bytes")
    return value
