"""The wrapper for a compressed message: ``9 || {Algo: 0, Buf: LZW of the message}``."""

from __future__ import annotations

from e2d.swim import lzw
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import UINT8, number, octets, pack_fields, read_fields
from e2d.swim.kinds import COMPRESS

__all__ = ["deflate", "inflate"]

_LZW = 0
_NAMES = (b"Algo", b"Buf")


def deflate(message: bytes) -> bytes:
    """A message, compressed and wrapped: the result need not be shorter."""
    fields = {b"Algo": _LZW, b"Buf": lzw.compress(message)}
    return b"%c%b" % (COMPRESS, pack_fields(fields))


def inflate(body: bytes, most_bytes: int) -> bytes:
    """
    The message in a wrapper.

    :param body: the wrapper, without its type.
    :param most_bytes: that the message may have.
    :raises WireError: it is larger, empty, or cannot be decompressed.
    """
    fields = read_fields(body, _NAMES)
    if number(fields, b"Algo", UINT8) != _LZW:
        raise WireError(Fault.COMPRESSION, "compressed in an unknown way")
    message = lzw.decompress(octets(fields, b"Buf"), most_bytes)
    if not message:
        raise WireError(Fault.COMPRESSION, "nothing was compressed")
    return message
