"""
Packets: how messages travel by UDP.

Packing, from the inside: more messages than one into a compound; compressed where that
is shorter; a checksum for those who understand it; sealed; and the label before it all.

.. code-block:: text

   compound   7 || count:u8 || count times length:u16 || messages
   checksum   12 || crc32 of the rest:u32 || rest
   label      244 || length:u8 || label
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from attrs import field, frozen
from attrs.validators import in_, max_len

from e2d.swim import wire
from e2d.swim.compression import deflate, inflate
from e2d.swim.errors import Fault, WireError
from e2d.swim.kinds import (
    CHECKSUM,
    COMPOUND,
    COMPRESS,
    ENCRYPT,
    ERROR,
    LABEL,
    PUSH_PULL,
)
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import Message

if TYPE_CHECKING:
    # A ring without keys need not load what encrypts.
    from e2d.swim.sealing import Keyring

__all__ = ["MOST_PARTS", "Framing", "Unpacked", "pack", "unpack"]

MOST_PARTS = 127
"""In a compound: peers before memberlist 0.2.4 misread more."""

_MOST_LABEL_BYTES = 255
_PROTOCOLS = range(1, 6)
_LABELLED = bytes([LABEL])
_COMPOUND_HEAD_BYTES = 2
_CHECKSUM = struct.Struct(">BI")

_UNWRAPPED = frozenset({COMPOUND, COMPRESS})
_ELSEWHERE = frozenset({PUSH_PULL, ENCRYPT, CHECKSUM, ERROR, LABEL})
"""What belongs on streams, or not inside of anything else."""


@frozen(kw_only=True)
class Framing:
    """
    What a ring has agreed on about how messages travel.

    :ivar label: of the ring, 255 bytes at most; empty for none. What has another is not
        for us.
    :ivar keyring: None where nothing is sealed.
    :ivar verify_incoming: refuse what is not sealed, where there is a keyring.
    :ivar verify_outgoing: seal, where there is a keyring.
    :ivar compression: whether to compress. What is compressed is always understood.
    :ivar protocol: the version that we speak, 1 to 5; 1 seals in another way.
    :raises ValueError: the label is too long, or there is no such protocol.
    """

    label: bytes = field(default=b"", validator=max_len(_MOST_LABEL_BYTES))
    keyring: Keyring | None = None
    verify_incoming: bool = True
    verify_outgoing: bool = True
    compression: bool = True
    protocol: int = field(default=2, validator=in_(_PROTOCOLS))

    @property
    def label_header(self) -> bytes:
        """What comes before a packet, and first on a stream from who dialled."""
        if not self.label:
            return b""
        return b"%c%c%b" % (LABEL, len(self.label), self.label)

    @property
    def seal_version(self) -> int:
        """The version of what `e2d.swim.sealing` seals."""
        return 0 if self.protocol == 1 else 1

    @property
    def packet_overhead(self) -> int:
        """
        How many bytes a packet may grow by, for who fills one.

        As in memberlist, a keyring counts even where nothing is sealed yet, and a
        checksum does not.
        """
        sealed = 0
        if self.keyring is not None:
            sealed = self.keyring.overhead(self.seal_version)
        return len(self.label_header) + sealed


@frozen(kw_only=True)
class Unpacked:
    """
    What a packet held.

    :ivar messages: in their order.
    :ivar dropped: for each part that was no acceptable message, why.
    """

    messages: tuple[Message, ...]
    dropped: tuple[Fault, ...]


def pack(
    parts: Sequence[bytes],
    framing: Framing,
    *,
    checksum: bool,
    nonce: Callable[[int], bytes],
) -> bytes:
    """
    Make a packet.

    :param parts: messages that `e2d.swim.wire.encode` wrote: one to `MOST_PARTS`.
    :param checksum: whether all who get it understand checksums.
    :param nonce: gives so many bytes that were never used with the key before.
    """
    assert 1 <= len(parts) <= MOST_PARTS
    packet = parts[0] if len(parts) == 1 else _compound(parts)
    if framing.compression:
        packet = min(packet, deflate(packet), key=len)
    if checksum:
        packet = _CHECKSUM.pack(CHECKSUM, crc32(packet)) + packet
    if framing.keyring is not None and framing.verify_outgoing:
        packet = framing.keyring.seal(
            packet,
            version=framing.seal_version,
            associated=framing.label,
            nonce=nonce,
        )
    return framing.label_header + packet


def unpack(
    packet: bytes, framing: Framing, limits: Limits = DEFAULT_LIMITS
) -> Unpacked:
    """
    Take a packet apart.

    :raises WireError: none of it is for us, or it was damaged on its way.
    """
    packet = _unlabelled(packet, framing)
    if framing.keyring is not None:
        packet = _opened(packet, framing.keyring, framing)
    unpacking = _Unpacking(limits)
    unpacking.take(_checked(packet), limits.nesting)
    return Unpacked(
        messages=tuple(unpacking.messages), dropped=tuple(unpacking.dropped)
    )


def _compound(parts: Sequence[bytes]) -> bytes:
    count = len(parts)
    head = struct.pack(f">BB{count}H", COMPOUND, count, *map(len, parts))
    return head + b"".join(parts)


def _unlabelled(packet: bytes, framing: Framing) -> bytes:
    header = framing.label_header
    if packet.startswith(header or _LABELLED) != bool(header):
        raise WireError(Fault.LABEL, "a packet with another label than ours")
    return packet[len(header) :]


def _opened(packet: bytes, keyring: Keyring, framing: Framing) -> bytes:
    """What is in a sealed packet: whether it is one, only trying tells."""
    try:
        return keyring.open(packet, framing.label)
    except WireError:
        if framing.verify_incoming:
            raise
        return packet


def _checked(packet: bytes) -> bytes:
    if len(packet) < _CHECKSUM.size or packet[0] != CHECKSUM:
        return packet
    _, promised = _CHECKSUM.unpack_from(packet)
    packet = packet[_CHECKSUM.size :]
    if crc32(packet) != promised:
        raise WireError(Fault.CHECKSUM, "a packet that was damaged on its way")
    return packet


class _Unpacking:
    """
    A packet, as it is taken apart.

    :param limits: which it shares among all its parts.
    """

    def __init__(self, limits: Limits) -> None:
        self.messages: list[Message] = []
        self.dropped: list[Fault] = []
        self._parts = limits.packet_parts
        self._room = limits.packet_inflated_bytes

    def take(self, part: bytes, depth: int) -> None:
        """
        Take a message, or all that are in a wrapper.

        :param depth: how many wrappers it may be.
        """
        try:
            self._take(part, depth)
        except WireError as error:
            self.dropped.append(error.fault)

    def _take(self, part: bytes, depth: int) -> None:
        self._parts -= 1
        if self._parts < 0:
            raise WireError(Fault.LIMIT, "too many parts")
        kind = part[0] if part else None
        if kind in _UNWRAPPED and not depth:
            raise WireError(Fault.LIMIT, "wrapped too deeply")
        if kind == COMPOUND:
            for each in _parts(part):
                self.take(each, depth - 1)
        elif kind == COMPRESS:
            # One that does not fit leaves no room for more that would not.
            room, self._room = self._room, 0
            inside = inflate(part[1:], room)
            self._room = room - len(inside)
            self.take(inside, depth - 1)
        elif kind in _ELSEWHERE:
            raise WireError(Fault.MISPLACED, "not a message for a packet")
        else:
            self.messages.append(wire.decode(part))


def _parts(compound: bytes) -> Iterator[bytes]:
    """
    The messages in a compound, as far as they are whole.

    :raises WireError: one is not.
    """
    count = compound[1] if len(compound) > 1 else 0
    start = _COMPOUND_HEAD_BYTES + 2 * count
    if len(compound) < start:
        raise WireError(Fault.TRUNCATED, "a compound without all its lengths")
    for length in struct.unpack_from(f">{count}H", compound, _COMPOUND_HEAD_BYTES):
        end = start + length
        if end > len(compound):
            raise WireError(Fault.TRUNCATED, "a compound without all its messages")
        yield compound[start:end]
        start = end
