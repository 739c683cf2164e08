"""What goes wrong with bytes from outside."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Fault", "WireError"]


class Fault(StrEnum):
    """What is wrong, in one word that things can be counted by."""

    TRUNCATED = "truncated"
    """It ends too early."""
    MALFORMED = "malformed"
    """It is not MessagePack, or not a structure."""
    FIELD = "field"
    """A field has the wrong type, or is out of its range."""
    ADDRESS = "address"
    """An address is neither IPv4 nor IPv6."""
    VERSIONS = "versions"
    """The versions are not six, and not absent. They make other peers crash."""
    RANK = "rank"
    """A peer has a state that this release does not know."""
    LABEL = "label"
    """It is for a ring with another label, or with none."""
    SEALED = "sealed"
    """It cannot be opened with any key, or is plain where it must not be."""
    CHECKSUM = "checksum"
    """It was damaged on its way."""
    COMPRESSION = "compression"
    """It cannot be decompressed."""
    MISPLACED = "misplaced"
    """A message that does not belong where it was found."""
    LIMIT = "limit"
    """It is larger, deeper or more than is accepted."""


class WireError(Exception):
    """
    Bytes from outside are not what they should be; the only error of decoding.

    :ivar fault: what is wrong.
    :ivar reason: the same for people, without what was received.
    :ivar owes_reply: on a stream that was accepted, whether the peer expects an
        `e2d.swim.messages.ErrorReply` with the reason before the stream is closed.
    """

    def __init__(self, fault: Fault, reason: str, *, owes_reply: bool = False) -> None:
        super().__init__(fault, reason)
        self.fault = fault
        self.reason = reason
        self.owes_reply = owes_reply

    def __str__(self) -> str:
        return self.reason
