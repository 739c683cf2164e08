"""
Bytes of real memberlist peers, both ways.

``memberlist-vectors.json`` holds what Go peers of three releases sent, or accepted.
"""

from __future__ import annotations

import json
from pathlib import Path

from attrs import frozen

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import packets, streams, wire
from e2d.swim.messages import (
    Ack,
    Alive,
    Message,
    PeerAddress,
    PeerState,
    Ping,
    PushPull,
    Rank,
    Source,
    Suspect,
    Versions,
)
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring
from e2d.swim.streams import StreamReader

FILE = Path(__file__).parent.parent / "fixtures" / "memberlist-vectors.json"

GO = PeerAddress(bytes([127, 0, 0, 1]), 17946)
PY = PeerAddress(bytes([127, 0, 0, 1]), 17950)
PY2 = PeerAddress(bytes([127, 0, 0, 1]), 17951)
VERSIONS = Versions(protocol_min=1, protocol_max=5, protocol=2)
FROM_GO = Source(address=GO, name=b"go-a")

PING = Ping(sequence=1, node=b"py2", source=FROM_GO)
FIXED_PING = Ping(sequence=42, node=b"go-a", source=Source(address=PY, name=b"py"))
SUSPECT = Suspect(incarnation=1, node=b"py1", sender=b"go-a")
ACK = Ack(sequence=42)
ALIVE = Alive(incarnation=1, node=b"go-a", address=GO, meta=b"", versions=VERSIONS)


def peer(
    node: bytes,
    address: PeerAddress,
    *,
    incarnation: int = 1,
    meta: bytes = b"",
    rank: Rank = Rank.ALIVE,
    versions: Versions = VERSIONS,
) -> PeerState:
    """A peer in an exchange."""
    return PeerState(
        incarnation=incarnation,
        node=node,
        address=address,
        meta=meta,
        rank=rank,
        versions=versions,
    )


PEER = peer(b"go-a", GO)
REPLY = PushPull(join=True, peers=(PEER,))
REQUEST = PushPull(join=True, peers=(peer(b"py", PY),))


@frozen(kw_only=True)
class Vector:
    """One of them."""

    name: str
    layer: str
    source: str
    hex: str
    key: str = ""
    nonce: str = ""
    label: str = ""
    plaintext: str = ""

    @property
    def data(self) -> bytes:
        """What was on the wire."""
        return bytes.fromhex(self.hex)

    @property
    def plain(self) -> bytes:
        """What is inside."""
        return bytes.fromhex(self.plaintext)

    def framing(self, *, compression: bool = False, protocol: int = 2) -> Framing:
        """What it takes to read and to write it."""
        return Framing(
            label=self.label.encode(),
            keyring=Keyring((bytes.fromhex(self.key),)) if self.key else None,
            compression=compression,
            protocol=protocol,
        )

    def unique(self, size: int) -> bytes:
        """The nonce that it was sealed with."""
        head = 2 + len(self.label) if self.label else 0
        head += 6 if self.layer.startswith("tcp") else 1
        return self.data[head : head + size]


VECTORS = {
    each["name"]: Vector(**each)
    for each in json.loads(FILE.read_text(encoding="utf-8"))
}


def never(size: int) -> bytes:
    """A nonce where none is needed."""
    raise AssertionError(f"asked for {size} bytes")


class VectorTestCase(SynchronousTestCase):
    """It keeps count of the vectors that were used."""

    def packet(
        self,
        name: str,
        *messages: Message,
        checksum: bool = False,
        same: bool = True,
        protocol: int = 2,
    ) -> None:
        """
        A packet holds these messages, and these messages make that packet.

        :param same: else they make another, which holds the same.
        """
        vector = VECTORS[name]
        framing = vector.framing(protocol=protocol)
        unpacked = packets.unpack(vector.data, framing)
        self.assertEqual(unpacked.messages, messages)
        self.assertEqual(unpacked.dropped, ())
        packed = packets.pack(
            [wire.encode(each) for each in messages],
            framing,
            checksum=checksum,
            nonce=vector.unique,
        )
        if same:
            self.assertEqual(packed.hex(), vector.hex)
        else:
            self.assertEqual(packets.unpack(packed, framing).messages, messages)

    def stream(
        self,
        name: str,
        message: Message,
        *,
        dialling: bool,
        same: bool = True,
        compression: bool = False,
        protocol: int = 2,
    ) -> None:
        """A stream carries this message, and this message makes that stream."""
        vector = VECTORS[name]
        framing = vector.framing(compression=compression, protocol=protocol)
        reader = StreamReader(framing, accepting=dialling)
        self.assertEqual(reader.feed(vector.data), message)
        written = streams.write(
            message, framing, dialling=dialling, nonce=vector.unique
        )
        if same:
            self.assertEqual(written.hex(), vector.hex)
        else:
            reader = StreamReader(framing, accepting=dialling)
            self.assertEqual(reader.feed(written), message)
