"""Tests of `e2d.swim.streams`."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.compression import deflate
from e2d.swim.errors import Fault
from e2d.swim.fields import pack_fields
from e2d.swim.messages import (
    Message,
    PushPull,
    UserMessage,
)
from e2d.swim.packets import Framing
from e2d.swim.streams import StreamReader
from tests.swim.framed import (
    ACK,
    BLUE,
    BLUE_KEYED,
    EXCHANGE,
    KEYED,
    PING,
    PING_BYTES,
    PLAIN,
    read,
    write,
)
from tests.swim.outcomes import peak_bytes, refusal
from tests.swim.strategies import FRAMINGS, REPLIES, REQUESTS, cut

MIB = 1024 * 1024


class WriteTests(SynchronousTestCase):
    """`write` in each of its layers."""

    def test_plain(self) -> None:
        """A message alone."""
        self.assertEqual(write(PING), PING_BYTES)

    def test_user_message(self) -> None:
        """A user message has its length first."""
        self.assertEqual(
            write(UserMessage(b"hello")).hex(), "0881aa557365724d73674c656e0568656c6c6f"
        )

    def test_compressed_even_where_longer(self) -> None:
        """On a stream everything is compressed."""
        framing = evolve(PLAIN, compression=True)
        self.assertEqual(write(PING, framing), deflate(PING_BYTES))
        self.assertGreater(len(deflate(PING_BYTES)), len(PING_BYTES))

    def test_label(self) -> None:
        """Only who dialled says the label."""
        self.assertEqual(write(PING, BLUE), b"\xf4\x04blue" + PING_BYTES)
        self.assertEqual(write(ACK, BLUE, dialling=False), wire.encode(ACK))

    def test_frame(self) -> None:
        """Type, length, version, nonce, ciphertext and tag."""
        stream = write(ACK, KEYED, dialling=False)
        size = 1 + 12 + len(wire.encode(ACK)) + 16
        self.assertEqual(stream[:6], b"\x0a" + size.to_bytes(4) + b"\x01")
        self.assertEqual(len(stream), 5 + size)

    def test_frame_of_version_1(self) -> None:
        """Whose length counts the padding."""
        stream = write(ACK, evolve(KEYED, protocol=1), dialling=False)
        self.assertEqual(int.from_bytes(stream[1:5]), len(stream) - 5)
        self.assertEqual(stream[5], 0)

    def test_outgoing_not_sealed(self) -> None:
        """While keys are introduced nothing is sealed."""
        self.assertEqual(write(PING, evolve(KEYED, verify_outgoing=False)), PING_BYTES)

    def test_only_requests_when_dialling(self) -> None:
        """An answer is no question."""
        self.assertRaises(AssertionError, write, ACK)
        self.assertRaises(AssertionError, write, PING, dialling=False)


class ReadTests(SynchronousTestCase):
    """`StreamReader` reads what `write` writes, as it arrives."""

    @given(REQUESTS, FRAMINGS, st.lists(st.integers(0), max_size=12))
    def test_requests(
        self, message: Message, framing: Framing, places: list[int]
    ) -> None:
        """However it is cut, a request is there with its last byte, not before."""
        self.arrives(message, framing, places, dialling=True)

    @given(REPLIES, FRAMINGS, st.lists(st.integers(0), max_size=12))
    def test_replies(
        self, message: Message, framing: Framing, places: list[int]
    ) -> None:
        """And so is a reply."""
        self.arrives(message, framing, places, dialling=False)

    def arrives(
        self, message: Message, framing: Framing, places: list[int], *, dialling: bool
    ) -> None:
        """It arrives in these pieces."""
        pieces = cut(write(message, framing, dialling=dialling), places)
        reader = StreamReader(framing, accepting=dialling)
        read = [reader.feed(piece) for piece in pieces]
        self.assertEqual(read, [None] * (len(pieces) - 1) + [message])

    def test_byte_by_byte(self) -> None:
        """An exchange with every layer."""
        framing = evolve(BLUE_KEYED, compression=True)
        stream = write(EXCHANGE, framing)
        reader = StreamReader(framing, accepting=True)
        read = [reader.feed(bytes([byte])) for byte in stream]
        self.assertEqual(read, [None] * (len(stream) - 1) + [EXCHANGE])

    def test_trailing_bytes(self) -> None:
        """A message is given once, and what follows is ignored."""
        reader = StreamReader(PLAIN, accepting=True)
        self.assertEqual(reader.feed(PING_BYTES + PING_BYTES), PING)
        self.assertIs(reader.feed(PING_BYTES), None)
        reader.end()

    def test_memory_of_trailing_bytes(self) -> None:
        """Nor is it held."""
        reader = StreamReader(PLAIN, accepting=True)
        reader.feed(PING_BYTES)
        more = bytes(1 << 20)
        self.assertLess(peak_bytes(lambda: reader.feed(more)), 1 << 16)

    def test_dropped(self) -> None:
        """Peers that are not fit to be told others are left out, and counted."""
        bad = {b"Addr": bytes(4), b"Name": b"b", b"Vsn": b"\1\5\2"}
        header = {b"Join": True, b"Nodes": 1, b"UserStateLen": 0}
        reader = StreamReader(PLAIN, accepting=True)
        message = reader.feed(b"\x06" + pack_fields(header) + pack_fields(bad))
        self.assertEqual(message, PushPull(join=True, peers=()))
        self.assertEqual(reader.dropped, (Fault.VERSIONS,))

    def test_empty_user_message(self) -> None:
        """A user message of no bytes."""
        self.assertEqual(read(write(UserMessage(b""))), UserMessage(b""))

    def test_user_message_in_an_array(self) -> None:
        """A header that is an array of the length."""
        self.assertEqual(read(b"\x08\x91\x02xy"), UserMessage(b"xy"))

    def test_compressed_though_we_do_not(self) -> None:
        """What is compressed is understood."""
        self.assertEqual(read(deflate(PING_BYTES), PLAIN), PING)

    def test_plain_though_we_compress(self) -> None:
        """And what is not."""
        self.assertEqual(read(PING_BYTES, evolve(PLAIN, compression=True)), PING)

    def test_plain_while_keys_are_introduced(self) -> None:
        """A plain request is taken where not all must be sealed."""
        self.assertEqual(read(PING_BYTES, evolve(KEYED, verify_incoming=False)), PING)


class EndTests(SynchronousTestCase):
    """The other side writes no more."""

    def test_nothing(self) -> None:
        """To connect and to say nothing is no fault."""
        reader = StreamReader(PLAIN, accepting=True)
        self.assertIs(reader.feed(b""), None)
        reader.end()

    def test_after_a_message(self) -> None:
        """Nor is it after a message."""
        reader = StreamReader(PLAIN, accepting=True)
        reader.feed(PING_BYTES)
        reader.end()

    def test_after_a_fault(self) -> None:
        """Nor is it once more after a fault."""
        reader = StreamReader(PLAIN, accepting=True)
        refusal(reader.feed, b"\x05")
        self.assertIs(reader.feed(b"\x05"), None)
        reader.end()

    def test_in_a_message(self) -> None:
        """In the middle of one it is."""
        reader = StreamReader(PLAIN, accepting=True)
        reader.feed(PING_BYTES[:-1])
        error = refusal(reader.end)
        self.assertEqual(error.fault, Fault.TRUNCATED)

    def test_in_a_label(self) -> None:
        """So is it in the middle of a label."""
        reader = StreamReader(BLUE, accepting=True)
        reader.feed(b"\xf4")
        error = refusal(reader.end)
        self.assertEqual(error.fault, Fault.TRUNCATED)
