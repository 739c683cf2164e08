"""
Bytes of real memberlist peers, both ways.

``memberlist-vectors.json`` holds what Go peers of three releases sent, or accepted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import lzw, packets, streams, wire
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    IndirectPing,
    Message,
    Nack,
    PeerAddress,
    PeerState,
    Ping,
    PushPull,
    Rank,
    Source,
    Suspect,
    UserMessage,
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


class PacketTests(VectorTestCase):
    """Packets in the clear."""

    def test_ping(self) -> None:
        """A ping with all its fields."""
        self.packet("ping", PING)

    def test_ack(self) -> None:
        """An ack without a payload."""
        self.packet("ack nil payload", Ack(sequence=77))

    def test_nack(self) -> None:
        """A nack."""
        self.packet("nack seq 101", Nack(sequence=101))

    def test_indirect_ping(self) -> None:
        """An indirect ping that wants a nack."""
        ping = IndirectPing(
            sequence=2, node=b"py1", target=PY, nack=True, source=FROM_GO
        )
        self.packet("indirect ping", ping)

    def test_compound(self) -> None:
        """Two messages."""
        ping = Ping(sequence=3, node=b"py2", source=FROM_GO)
        self.packet("compound ping+suspect", ping, SUSPECT)

    def test_compound_with_checksum(self) -> None:
        """The checksum is around the compound."""
        ping = Ping(sequence=4, node=b"py1", source=FROM_GO)
        self.packet(
            "crc+compound ping+suspect (probe of suspect node)",
            ping,
            SUSPECT,
            checksum=True,
        )

    def test_suspect(self) -> None:
        """An accusation."""
        self.packet("crc+suspect", SUSPECT, checksum=True)

    def test_dead(self) -> None:
        """A death, told by another."""
        dead = Dead(incarnation=1, node=b"py1", sender=b"go-a")
        self.packet("crc+dead", dead, checksum=True)

    def test_alive(self) -> None:
        """A claim with metadata."""
        alive = Alive(
            incarnation=2, node=b"go-a", address=GO, meta=b"new", versions=VERSIONS
        )
        self.packet('crc+alive with meta "new"', alive, checksum=True)

    def test_nil_metadata(self) -> None:
        """Nil is empty; Go's old codec passes it on as nil, we do not."""
        two = Alive(
            incarnation=1, node=b"py2", address=PY2, meta=b"", versions=VERSIONS
        )
        one = Alive(incarnation=1, node=b"py1", address=PY, meta=b"", versions=VERSIONS)
        self.packet(
            "crc+compound 3 alive (Meta nil, old codec)",
            ALIVE,
            two,
            one,
            checksum=True,
            same=False,
        )

    def test_piggyback(self) -> None:
        """A claim comes along with an ack."""
        self.packet("compound ack+alive", ACK, ALIVE)

    def test_user_message(self) -> None:
        """A user message is raw."""
        self.packet('crc+user "hello"', UserMessage(b"hello"), checksum=True)

    def test_label(self) -> None:
        """The label is before it all."""
        self.packet("label packet compound ack+alive", ACK, ALIVE)

    def test_accepted_ping(self) -> None:
        """What three releases accepted."""
        self.packet("FIXED ping plain", FIXED_PING)


class SealedPacketTests(VectorTestCase):
    """Packets that are sealed."""

    def test_version_1(self) -> None:
        """Without padding."""
        self.packet("encrypted v1 packet", ACK, ALIVE)

    def test_label(self) -> None:
        """It is bound to the label."""
        self.packet("label+encrypted v1 packet", ACK, ALIVE)

    def test_accepted_version_1(self) -> None:
        """What three releases accepted."""
        self.packet("FIXED ping v1 AES-128", FIXED_PING)

    def test_accepted_version_0(self) -> None:
        """With padding, as version 1 of the protocol has it."""
        self.packet("FIXED ping v0 AES-128", FIXED_PING, protocol=1)

    def test_accepted_aes_256(self) -> None:
        """With a key of 32 bytes."""
        self.packet("FIXED ping v1 AES-256", FIXED_PING)

    def test_accepted_label(self) -> None:
        """Bound to a label."""
        self.packet("FIXED ping v1 AES-128 label blue", FIXED_PING)


class StreamTests(VectorTestCase):
    """Streams in the clear."""

    def test_ping(self) -> None:
        """The ping of who gets no answer by UDP."""
        ping = Ping(sequence=2, node=b"py1", source=FROM_GO)
        self.stream("ping tcp", ping, dialling=True)

    def test_ack(self) -> None:
        """Its answer."""
        self.stream("ack nil payload", Ack(sequence=77), dialling=False)

    def test_user_message(self) -> None:
        """A user message has its length before it."""
        self.stream('user tcp "hello"', UserMessage(b"hello"), dialling=True)

    def test_long_user_message(self) -> None:
        """A length over 127 is written unsigned, as the old codec does."""
        vector = VECTORS["user tcp 200 bytes prefix (old codec, length cc c8)"]
        written = streams.write(
            UserMessage(b"a" * 200), vector.framing(), dialling=True, nonce=never
        )
        self.assertEqual(written[: len(vector.data)], vector.data)

    def test_exchange(self) -> None:
        """All that a peer of one knows."""
        self.stream("pushpull reply 1 node", REPLY, dialling=False)

    def test_exchange_of_three(self) -> None:
        """One left; the metadata of two is nil."""
        exchange = PushPull(
            join=False,
            peers=(
                peer(b"py", PY),
                peer(
                    b"n",
                    PeerAddress(bytes([127, 0, 0, 1]), 18000),
                    incarnation=2,
                    rank=Rank.LEFT,
                ),
                peer(b"go-a", GO, incarnation=21, meta=b"m"),
            ),
        )
        self.stream("pushpull 3 nodes incl. left", exchange, dialling=False, same=False)

    def test_many_peers(self) -> None:
        """A header for 203 peers."""
        exchange = PushPull(join=True, peers=(PEER,) * 203)
        vector = VECTORS["pushpull header 203 nodes (old codec)"]
        encoded = wire.encode(exchange)
        self.assertEqual(encoded[1 : 1 + len(vector.data)], vector.data)
        self.assertEqual(wire.decode(encoded), exchange)

    def test_compressed_exchange(self) -> None:
        """Compressed, with metadata and user state."""
        peers = (peer(b"go-a", GO, meta=b"role=web;" * 6),)
        exchange = PushPull(join=True, peers=peers, user_state=b"user-state")
        self.stream(
            'pushpull compressed, user state "user-state", 54-byte meta',
            exchange,
            dialling=False,
            compression=True,
        )

    def test_error(self) -> None:
        """Why a request was refused."""
        reply = ErrorReply("Encryption is configured but remote state is not encrypted")
        self.stream("err encryption required (old text)", reply, dialling=False)

    def test_label(self) -> None:
        """Who dials says the label."""
        self.stream("label outbound stream pushpull", REPLY, dialling=True)

    def test_accepted(self) -> None:
        """What three releases accepted."""
        self.stream("FIXED pushpull plain", REQUEST, dialling=True)

    def test_accepted_compressed(self) -> None:
        """What three releases accepted, compressed."""
        self.stream(
            "FIXED pushpull compressed", REQUEST, dialling=True, compression=True
        )


class SealedStreamTests(VectorTestCase):
    """Streams that are sealed."""

    def test_version_1(self) -> None:
        """Without padding."""
        self.stream("encrypted v1 stream pushpull", REPLY, dialling=False)

    def test_version_0(self) -> None:
        """With padding, from a peer that speaks version 1 of the protocol."""
        versions = Versions(protocol_min=1, protocol_max=5, protocol=1)
        self.stream(
            "encrypted v0 stream pushpull (protocol 1)",
            PushPull(join=True, peers=(peer(b"go-a", GO, versions=versions),)),
            dialling=False,
            protocol=1,
        )

    def test_label(self) -> None:
        """Bound to the label, by who dialled."""
        self.stream("label+encrypted v1 stream request (dialer)", REPLY, dialling=True)

    def test_accepted(self) -> None:
        """What three releases accepted."""
        self.stream("FIXED pushpull stream v1", REQUEST, dialling=True)

    def test_accepted_label(self) -> None:
        """Bound to a label, by who dialled."""
        self.stream(
            "FIXED pushpull stream v1 label blue (dialer)", REQUEST, dialling=True
        )


class CompressionTests(VectorTestCase):
    """LZW."""

    names: ClassVar = ("lzw empty", 'lzw "a"', 'lzw "testing"')

    def test_compress(self) -> None:
        """The same bytes as Go's."""
        self.assertEqual(
            [lzw.compress(VECTORS[name].plain).hex() for name in self.names],
            ["000302", "00c30404", "00e9949943278d9b330101"],
        )

    def test_decompress(self) -> None:
        """And back."""
        self.assertEqual(
            [lzw.decompress(VECTORS[name].data, 7) for name in self.names],
            [b"", b"a", b"testing"],
        )


class CompletenessTests(SynchronousTestCase):
    """The file and these tests."""

    def test_every_vector(self) -> None:
        """No vector is without a test."""
        text = Path(__file__).read_text(encoding="utf-8")
        self.assertEqual([name for name in VECTORS if name not in text], [])

    def test_plaintexts(self) -> None:
        """What the file says is inside of what is sealed is inside."""
        sealed = [each for each in VECTORS.values() if each.key and each.plaintext]
        opened = [_opened(each) for each in sealed]
        self.assertEqual(opened, [each.plain for each in sealed])
        self.assertEqual(len(sealed), 10)


def _opened(vector: Vector) -> bytes:
    label = vector.label.encode()
    data = vector.data[2 + len(label) :] if label else vector.data
    (ring, associated) = (Keyring((bytes.fromhex(vector.key),)), label)
    if vector.layer.startswith("tcp"):
        data, associated = data[5:], data[:5] + label
    return ring.open(data, associated)
