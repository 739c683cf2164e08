"""Bytes of real memberlist peers, both ways: packets, and compression."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import lzw
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    IndirectPing,
    Nack,
    Ping,
    UserMessage,
)
from e2d.swim.sealing import Keyring
from tests.swim.vectors import (
    ACK,
    ALIVE,
    FIXED_PING,
    FROM_GO,
    GO,
    PING,
    PY,
    PY2,
    SUSPECT,
    VECTORS,
    VERSIONS,
    Vector,
    VectorTestCase,
)


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
        here = Path(__file__).parent
        text = "".join(
            (here / name).read_text(encoding="utf-8")
            for name in ("test_vectors.py", "test_vectors_streams.py")
        )
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
