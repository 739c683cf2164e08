"""Bytes of real memberlist peers, both ways: streams."""

from __future__ import annotations

from e2d.swim import streams, wire
from e2d.swim.messages import (
    Ack,
    ErrorReply,
    PeerAddress,
    Ping,
    PushPull,
    Rank,
    UserMessage,
    Versions,
)
from tests.swim.vectors import (
    FROM_GO,
    GO,
    PEER,
    PY,
    REPLY,
    REQUEST,
    VECTORS,
    VectorTestCase,
    never,
    peer,
)


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
