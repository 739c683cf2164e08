"""Tests of `e2d.swim.streams`: what is refused."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.compression import deflate
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import pack_fields
from e2d.swim.limits import DEFAULT_LIMITS
from e2d.swim.messages import (
    ErrorReply,
    Message,
    Ping,
    UserMessage,
)
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring
from e2d.swim.streams import StreamReader
from tests.swim.framed import (
    ACK,
    BLUE,
    BLUE_KEYED,
    EXCHANGE,
    KEYED,
    PEER,
    PING,
    PING_BYTES,
    PLAIN,
    read,
    write,
)
from tests.swim.outcomes import lines, peak_bytes, refusal
from tests.swim.strategies import cut, nonce

MIB = 1024 * 1024


class RefusedTests(SynchronousTestCase):
    """What is refused, and who gets a reply."""

    def refused(
        self,
        data: bytes,
        framing: Framing = PLAIN,
        *,
        accepting: bool = True,
        replies: bool = False,
    ) -> Fault:
        """Why it is, and whether the peer is told."""
        reader = StreamReader(framing, accepting=accepting)
        error = refusal(reader.feed, data)
        self.assertEqual(error.owes_reply, replies)
        return error.fault

    def test_unexpected_requests(self) -> None:
        """Only pings, exchanges and user messages are asked on a stream."""
        kinds = [1, 2, 3, 4, 5, 7, 11, 12, 13, 14, 255]
        faults = {self.refused(bytes([kind])) for kind in kinds}
        self.assertEqual(faults, {Fault.MISPLACED})

    def test_unexpected_replies(self) -> None:
        """Only acks, exchanges and errors are answers."""
        kinds = [0, 1, 3, 4, 5, 7, 8, 11, 12, 14, 244]
        faults = {self.refused(bytes([kind]), accepting=False) for kind in kinds}
        self.assertEqual(faults, {Fault.MISPLACED})

    def test_label_in_a_reply(self) -> None:
        """Who accepted never writes a label, not even the right one."""
        stream = b"\xf4\x04blue" + wire.encode(ACK)
        self.assertEqual(self.refused(stream, BLUE, accepting=False), Fault.MISPLACED)

    def test_other_label(self) -> None:
        """Another ring gets no reply."""
        self.assertEqual(self.refused(b"\xf4\x04redd", BLUE), Fault.LABEL)

    def test_no_label(self) -> None:
        """Nor does one without a label: the first byte tells."""
        self.assertEqual(self.refused(PING_BYTES[:1], BLUE), Fault.LABEL)

    def test_unwanted_label(self) -> None:
        """Nor does one with a label where there is none."""
        self.assertEqual(self.refused(b"\xf4\x04blue"), Fault.LABEL)

    def test_empty_label(self) -> None:
        """No label is empty."""
        self.assertEqual(self.refused(b"\xf4\0" + PING_BYTES), Fault.LABEL)

    def test_plain(self) -> None:
        """A plain request gets a reply where all must be sealed."""
        fault = self.refused(PING_BYTES[:1], KEYED, replies=True)
        self.assertEqual(fault, Fault.SEALED)

    def test_plain_reply(self) -> None:
        """A plain reply does not."""
        fault = self.refused(wire.encode(ACK), KEYED, accepting=False)
        self.assertEqual(fault, Fault.SEALED)

    def test_sealed_without_keys(self) -> None:
        """A sealed request gets a reply where there are no keys."""
        stream = write(PING, KEYED)
        self.assertEqual(self.refused(stream[:1], replies=True), Fault.SEALED)

    def test_other_key(self) -> None:
        """A request that is sealed with another key gets one."""
        other = evolve(KEYED, keyring=Keyring((b"k" * 16,)))
        fault = self.refused(write(PING, other), KEYED, replies=True)
        self.assertEqual(fault, Fault.SEALED)

    def test_sealed_for_another_label(self) -> None:
        """It is bound to the label, in both directions."""
        stream = write(ACK, BLUE_KEYED, dialling=False)
        fault = self.refused(stream, KEYED, accepting=False)
        self.assertEqual(fault, Fault.SEALED)

    def test_other_length(self) -> None:
        """It is bound to its length."""
        stream = bytearray(write(PING, KEYED))
        stream[4] += 1
        fault = self.refused(bytes(stream) + b"x", KEYED, replies=True)
        self.assertEqual(fault, Fault.SEALED)

    def test_nothing_sealed(self) -> None:
        """There has to be something in it."""
        ring = Keyring((bytes(16),))
        head = b"\x0a\0\0\0\x1d"
        sealed = ring.seal(b"", version=1, associated=head, nonce=nonce)
        fault = self.refused(head + sealed, KEYED, replies=True)
        self.assertEqual(fault, Fault.TRUNCATED)

    def test_damaged_compression(self) -> None:
        """What cannot be decompressed gets a reply."""
        stream = b"\x09" + pack_fields({b"Algo": 0, b"Buf": b"\0"})
        self.assertEqual(self.refused(stream, replies=True), Fault.COMPRESSION)

    def test_unknown_algorithm(self) -> None:
        """So does another algorithm."""
        stream = b"\x09" + pack_fields({b"Algo": 1, b"Buf": b"\0"})
        self.assertEqual(self.refused(stream, replies=True), Fault.COMPRESSION)

    def test_nothing_compressed(self) -> None:
        """And so does nothing, compressed."""
        self.assertEqual(self.refused(deflate(b""), replies=True), Fault.COMPRESSION)

    def test_compressed_twice(self) -> None:
        """Once is enough."""
        self.assertEqual(self.refused(deflate(deflate(PING_BYTES))), Fault.MISPLACED)

    def test_cut_off_inside(self) -> None:
        """What is sealed or compressed is all there: nothing is waited for."""
        self.assertEqual(self.refused(deflate(PING_BYTES[:-1])), Fault.TRUNCATED)

    def test_bad_field(self) -> None:
        """A request that is not acceptable gets no reply."""
        self.assertEqual(self.refused(b"\x00\x81\xa5SeqNo\xff"), Fault.FIELD)

    @settings(max_examples=500)
    @given(
        st.binary(max_size=300)
        | st.tuples(st.integers(0, 13), st.binary(max_size=300)).map(
            lambda pair: bytes([pair[0]]) + pair[1]
        ),
        st.lists(st.integers(0), max_size=5),
        st.booleans(),
    )
    def test_anything(self, data: bytes, places: list[int], accepting: bool) -> None:
        """Any bytes are read, waited for or refused, however they are cut."""
        whole = StreamReader(PLAIN, accepting=accepting)
        pieces = StreamReader(PLAIN, accepting=accepting)
        self.assertEqual(self.fate(whole, [data]), self.fate(pieces, cut(data, places)))

    def fate(self, reader: StreamReader, pieces: list[bytes]) -> Message | Fault | None:
        """What becomes of a stream."""
        message = None
        try:
            for piece in pieces:
                message = message or reader.feed(piece)
            reader.end()
        except WireError as error:
            return error.fault
        return message


class LimitTests(SynchronousTestCase):
    """A stream costs no more than it may."""

    def fault(self, data: bytes, framing: Framing = PLAIN) -> Fault | None:
        """Why it is refused, if it is."""
        try:
            read(data, framing)
        except WireError as error:
            return error.fault
        return None

    def test_frame(self) -> None:
        """20 MiB, told before any of it has come."""
        most = 20 * MIB
        self.assertIs(self.fault(b"\x0a" + most.to_bytes(4), KEYED), None)
        self.assertEqual(
            self.fault(b"\x0a" + (most + 1).to_bytes(4), KEYED), Fault.LIMIT
        )

    def test_user_message(self) -> None:
        """20 MiB, told before any of it has come."""
        header = b"\x08\x81\xaaUserMsgLen\xce"
        self.assertIs(self.fault(header + (20 * MIB).to_bytes(4)), None)
        self.assertEqual(self.fault(header + (20 * MIB + 1).to_bytes(4)), Fault.LIMIT)

    def test_negative_user_message(self) -> None:
        """There is no message of less than nothing."""
        self.assertEqual(self.fault(b"\x08\x81\xaaUserMsgLen\xff"), Fault.FIELD)

    def test_compressed(self) -> None:
        """20 MiB of what is compressed, told before any of it has come."""
        header = b"\x09\x82\xa4Algo\x00\xa3Buf\xdb"
        self.assertIs(self.fault(header + (19 * MIB).to_bytes(4)), None)
        self.assertEqual(self.fault(header + (20 * MIB).to_bytes(4)), Fault.LIMIT)

    def test_inflated(self) -> None:
        """40 MiB are accepted, and not a byte more."""
        size = 100
        limits = evolve(DEFAULT_LIMITS, inflated_bytes=size)
        message = wire.encode(Ping(sequence=1, node=bytes(size - 17)))
        self.assertEqual(len(message), size)
        reader = StreamReader(PLAIN, accepting=True, limits=limits)
        self.assertEqual(reader.feed(deflate(message)), wire.decode(message))
        reader = StreamReader(PLAIN, accepting=True, limits=limits)
        error = refusal(reader.feed, deflate(message + b"x"))
        self.assertEqual(error.fault, Fault.LIMIT)
        self.assertEqual(DEFAULT_LIMITS.inflated_bytes, 40 * MIB)

    def test_large_user_message(self) -> None:
        """A megabyte goes through all layers."""
        message = UserMessage(bytes(MIB))
        framing = evolve(KEYED, compression=True)
        self.assertEqual(read(write(message, framing), framing), message)

    def test_memory_of_values(self) -> None:
        """65,000 empty arrays in one structure are too many."""
        many = b"\xdc\x03\xe8" + b"\x90" * 1000
        stream = b"\x06\x81\xa1x\xdc\x00\x40" + many * 64
        self.assertEqual(self.fault(stream), Fault.LIMIT)
        self.assertLess(peak_bytes(lambda: self.fault(stream)), 1 << 20)

    def test_memory_of_a_frame(self) -> None:
        """What was not sent takes no memory, whatever length was told."""
        stream = b"\x0a" + (20 * MIB).to_bytes(4)
        self.assertLess(peak_bytes(lambda: self.fault(stream, KEYED)), 1 << 16)

    def test_linear(self) -> None:
        """Twice as many peers, byte by byte, take twice as long."""

        def bytewise(count: int) -> None:
            exchange = evolve(EXCHANGE, peers=(PEER,) * count)
            reader = StreamReader(PLAIN, accepting=True)
            for byte in write(exchange):
                reader.feed(bytes([byte]))

        once, twice = lines(lambda: bytewise(10)), lines(lambda: bytewise(20))
        self.assertLess(twice, 2.1 * once)

    def test_error_reply(self) -> None:
        """An error of 64 KiB is a structure like others."""
        reply = ErrorReply("x" * 1000)
        self.assertEqual(read(write(reply, dialling=False), accepting=False), reply)
        data = b"\x0d" + pack_fields({b"Error": bytes(64 * 1024)})
        reader = StreamReader(PLAIN, accepting=False)
        error = refusal(reader.feed, data)
        self.assertEqual(error.fault, Fault.LIMIT)
