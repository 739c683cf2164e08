"""Framings of a ring, and packets and streams in them, for tests of the wire."""

from __future__ import annotations

from attrs import evolve

from e2d.swim import packets, streams, wire
from e2d.swim.errors import Fault
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import (
    Ack,
    Message,
    Nack,
    PeerAddress,
    PeerState,
    Ping,
    PushPull,
    Rank,
)
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring
from e2d.swim.streams import StreamReader
from tests.swim.strategies import nonce

PLAIN = Framing(compression=False)
BLUE = Framing(label=b"blue", compression=False)
KEYED = Framing(keyring=Keyring((bytes(16),)), compression=False)
BLUE_KEYED = evolve(KEYED, label=b"blue")

PING = Ping(sequence=1, node=b"a")
PING_BYTES = wire.encode(PING)
ACK = Ack(sequence=1)
PEER = PeerState(
    incarnation=1,
    node=b"a",
    address=PeerAddress(bytes(4), 1),
    meta=b"m",
    rank=Rank.DEAD,
    versions=None,
)
EXCHANGE = PushPull(join=True, peers=(PEER, PEER), user_state=b"user")


def write(
    message: Message, framing: Framing = PLAIN, *, dialling: bool = True
) -> bytes:
    """What one side writes."""
    return streams.write(message, framing, dialling=dialling, nonce=nonce)


def read(
    data: bytes, framing: Framing = PLAIN, *, accepting: bool = True
) -> Message | None:
    """What the other side reads at once."""
    return StreamReader(framing, accepting=accepting).feed(data)


ONE = Nack(sequence=1)
TWO = Nack(sequence=2)
ONE_BYTES = bytes.fromhex("0b81a55365714e6f01")
TWO_BYTES = bytes.fromhex("0b81a55365714e6f02")


def pack(*parts: bytes, framing: Framing = PLAIN, checksum: bool = False) -> bytes:
    """A packet of parts."""
    return packets.pack(parts, framing, checksum=checksum, nonce=nonce)


def unpack(
    packet: bytes, framing: Framing = PLAIN, limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[Message, ...], tuple[Fault, ...]]:
    """What was in it, and what was dropped."""
    unpacked = packets.unpack(packet, framing, limits)
    return unpacked.messages, unpacked.dropped
