"""Letters: what one node of e2d sends to one other, as a message over a connection."""

from __future__ import annotations

from e2d.gossip.errors import PayloadError
from e2d.gossip.packing import is_packed, pack, text, unpack
from e2d.model import NodeName

__all__ = ["LETTER_BYTES", "is_letter", "pack_letter", "unpack_letter"]

LETTER_BYTES = 256 * 1024
"""Far more than anything that nodes agree on takes."""

_ENVELOPE_BYTES = 1024
_COUNT = 2


def is_letter(payload: bytes) -> bool:
    """Whether it is not what an original broadcasts."""
    return is_packed(payload)


def pack_letter(sender: NodeName, letter: bytes) -> bytes:
    """Write a letter."""
    assert len(letter) <= LETTER_BYTES
    return pack((sender, letter))


def unpack_letter(payload: bytes) -> tuple[NodeName, bytes]:
    """
    Read a letter.

    :return: who it says that it is from, and what it says.
    :raises PayloadError: it is none.
    """
    sender, letter = unpack(payload, _COUNT, LETTER_BYTES + _ENVELOPE_BYTES)
    if not isinstance(letter, bytes):
        raise PayloadError("a letter without content")
    return NodeName(text(sender, "the sender")), letter
