"""
Structures in MessagePack, as Go's codecs write and read them.

A structure is a map from the names of its fields, or an array of their values in the
order of their declaration. What is written is the old specification, which has one type
for strings and bytes alike. What is read is whatever Go's codecs accept; a field that
is absent or nil has the zero value of its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgpack

from e2d.swim.errors import Fault, WireError
from e2d.swim.messages import PeerAddress, Versions

__all__ = [
    "UINT8",
    "UINT16",
    "UINT32",
    "Fields",
    "address",
    "flag",
    "number",
    "octets",
    "pack_fields",
    "pack_versions",
    "read_fields",
    "versions",
]

Fields = Mapping[bytes, object]
"""What a structure holds, not yet looked at."""

# No structure of the protocol has more than eight fields, and nobody writes bytes as an
# array of numbers in earnest. Small limits keep hostile keys from colliding by the
# thousand, and nested arrays from being allocated at the lengths that they declare.
_MAP_LENGTH = 64
_ARRAY_LENGTH = 1024

UINT8 = 0xFF
UINT16 = 0xFFFF
UINT32 = 0xFFFFFFFF

_IP_BYTES = (4, 16)
_VERSIONS = 6


def pack_fields(fields: Fields) -> bytes:
    """
    Encode a structure as Go does.

    :param fields: in the order of their names.
    """
    packed: bytes = msgpack.packb(fields, use_bin_type=False)
    return packed


def read_fields(packed: bytes, names: Sequence[bytes]) -> Fields:
    """
    Decode a structure; what follows it is ignored.

    :param names: of its fields, in the order of their declaration in Go.
    :raises WireError: it is none, or it is cut off.
    """
    try:
        value = msgpack.unpackb(
            packed,
            raw=True,
            strict_map_key=False,
            max_map_len=_MAP_LENGTH,
            max_array_len=_ARRAY_LENGTH,
        )
    except msgpack.ExtraData as error:
        value = error.unpacked
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        # TypeError: a map's key cannot be one, such as an array.
        raise WireError(Fault.MALFORMED, "not a structure in MessagePack") from None
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return dict(zip(names, value, strict=False))
    if value is None:
        return {}
    raise WireError(Fault.MALFORMED, "a value in MessagePack, but not a structure")


def number(fields: Fields, name: bytes, most: int) -> int:
    """
    An unsigned number, written in any width.

    :raises WireError: it is none, or out of the range of 0 to ``most``.
    """
    value = fields.get(name)
    if type(value) is int and 0 <= value <= most:
        return value
    if value is None:
        return 0
    raise _unfit(name)


def octets(fields: Fields, name: bytes) -> bytes:
    """
    Bytes, written as any type of string or as an array of numbers.

    :raises WireError: they are neither.
    """
    value = fields.get(name)
    if type(value) is bytes:
        return value
    if value is None:
        return b""
    if isinstance(value, list) and all(
        type(each) is int and 0 <= each <= UINT8 for each in value
    ):
        return bytes(value)
    raise _unfit(name)


def flag(fields: Fields, name: bytes) -> bool:
    """
    A truth value.

    :raises WireError: it is none.
    """
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _unfit(name)


def address(fields: Fields, host: bytes, port: bytes) -> PeerAddress:
    """
    An address, as it was received.

    :param host: the name of the field with the IP address.
    :param port: the name of that with the port.
    :raises WireError: it is neither IPv4 nor IPv6, or there is no such port.
    """
    ip = octets(fields, host)
    if len(ip) not in _IP_BYTES:
        raise WireError(Fault.ADDRESS, f"an address of {len(ip)} bytes")
    return PeerAddress(ip, number(fields, port, UINT16))


def versions(fields: Fields) -> Versions | None:
    """
    What ``Vsn`` says, None if it is absent.

    :raises WireError: it is there and has not six bytes.
    """
    return _versions(octets(fields, b"Vsn"))


# Peers have few different versions, if not all the same.
@lru_cache(maxsize=64)
def _versions(packed: bytes) -> Versions | None:
    if not packed:
        return None
    if len(packed) != _VERSIONS:
        raise WireError(Fault.VERSIONS, f"{len(packed)} versions")
    return Versions(
        protocol_min=packed[0],
        protocol_max=packed[1],
        protocol=packed[2],
        delegate_min=packed[3],
        delegate_max=packed[4],
        delegate=packed[5],
    )


def pack_versions(versions: Versions | None) -> bytes | None:
    """The value of ``Vsn``."""
    if versions is None:
        return None
    return bytes(
        (
            versions.protocol_min,
            versions.protocol_max,
            versions.protocol,
            versions.delegate_min,
            versions.delegate_max,
            versions.delegate,
        )
    )


def _unfit(name: bytes) -> WireError:
    return WireError(Fault.FIELD, f"{name.decode()} has the wrong type or range")
