"""Tests of `e2d.swim.wire`."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.errors import Fault, WireError
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    IndirectPing,
    Message,
    Nack,
    PeerAddress,
    Ping,
    Source,
    Suspect,
    UnknownMessage,
    UserMessage,
    Versions,
)
from tests.swim.outcomes import refusal
from tests.swim.strategies import ERROR_REPLIES, EXCHANGES, PACKET_MESSAGES

MESSAGES: st.SearchStrategy[Message] = PACKET_MESSAGES | EXCHANGES | ERROR_REPLIES

SEQUENCE = "a55365714e6f"


def decode(data: str) -> Message:
    """What is decoded."""
    return wire.decode(bytes.fromhex(data))


class WireTestCase(SynchronousTestCase):
    """Messages in hexadecimal."""

    def refused(self, data: str) -> Fault:
        """Why it is refused."""
        return refusal(decode, data).fault


class FieldTests(WireTestCase):
    """Each message and its fields."""

    def test_source(self) -> None:
        """Whom to answer."""
        data = (
            f"00 84 {SEQUENCE} 01 aa536f7572636541646472 a47f000001"
            "aa536f757263654e6f6465 a161 aa536f75726365506f7274 05"
        )
        source = Source(address=PeerAddress(b"\x7f\0\0\1", 5), name=b"a")
        self.assertEqual(decode(data), Ping(sequence=1, node=b"", source=source))

    def test_source_without_a_port(self) -> None:
        """Half an address is none."""
        data = f"00 82 {SEQUENCE} 01 aa536f7572636541646472 a47f000001"
        self.assertEqual(decode(data), Ping(sequence=1, node=b""))

    def test_source_with_only_a_name(self) -> None:
        """A name alone says who asks."""
        data = f"00 82 {SEQUENCE} 01 aa536f757263654e6f6465 a161"
        source = Source(address=None, name=b"a")
        self.assertEqual(decode(data), Ping(sequence=1, node=b"", source=source))

    def test_source_at_no_address(self) -> None:
        """Three bytes are no address."""
        data = "00 82 aa536f7572636541646472 a37f0000 aa536f75726365506f7274 05"
        self.assertEqual(self.refused(data), Fault.ADDRESS)

    def test_indirect_ping_in_an_array(self) -> None:
        """The order of Go's declaration."""
        self.assertEqual(
            decode("01 98 05 a47f000001 cd1f0a a162 c3 a40a000001 06 a161"),
            IndirectPing(
                sequence=5,
                node=b"b",
                target=PeerAddress(b"\x7f\0\0\1", 7946),
                nack=True,
                source=Source(address=PeerAddress(b"\x0a\0\0\1", 6), name=b"a"),
            ),
        )

    def test_indirect_ping_without_a_target(self) -> None:
        """Nobody can be asked."""
        self.assertEqual(self.refused("01 80"), Fault.ADDRESS)

    def test_ack_in_an_array(self) -> None:
        """The order of Go's declaration."""
        self.assertEqual(decode("02 92 05 a178"), Ack(sequence=5, payload=b"x"))

    def test_nack_in_an_array(self) -> None:
        """Its only field."""
        self.assertEqual(decode("0b 91 05"), Nack(sequence=5))

    def test_error_in_an_array(self) -> None:
        """Its only field."""
        self.assertEqual(decode("0d 91 a178"), ErrorReply("x"))

    def test_alive_in_an_array(self) -> None:
        """The order of Go's declaration."""
        self.assertEqual(
            decode("04 95 05 a161 a47f000001 06 a16d"),
            Alive(
                incarnation=5,
                node=b"a",
                address=PeerAddress(b"\x7f\0\0\1", 6),
                meta=b"m",
                versions=None,
            ),
        )

    def test_suspect_in_an_array(self) -> None:
        """The order of Go's declaration."""
        self.assertEqual(
            decode("03 93 05 a161 a162"),
            Suspect(incarnation=5, node=b"a", sender=b"b"),
        )

    def test_dead_without_a_sender(self) -> None:
        """Peers before memberlist 0.1.6 do not say who."""
        data = "05 82 ab496e6361726e6174696f6e 02 a44e6f6465 a161"
        self.assertEqual(decode(data), Dead(incarnation=2, node=b"a", sender=b""))

    def test_user_message(self) -> None:
        """Raw bytes."""
        self.assertEqual(decode("08 c1c1"), UserMessage(b"\xc1\xc1"))

    def test_empty_user_message(self) -> None:
        """Even none."""
        self.assertEqual(decode("08"), UserMessage(b""))

    def test_error_that_is_no_text(self) -> None:
        """What is no text is replaced."""
        self.assertEqual(decode("0d 81 a54572726f72 a2ff78"), ErrorReply("\ufffdx"))

    def test_unknown_message(self) -> None:
        """A type of a later release is kept."""
        self.assertEqual(decode("0e 0102"), UnknownMessage(14, b"\1\2"))

    def test_wrappers(self) -> None:
        """What holds messages is none."""
        faults = [self.refused(each) for each in ("0700", "09", "0a", "0c", "f4")]
        self.assertEqual(faults, [Fault.MISPLACED] * 5)


class AliveTests(WireTestCase):
    """A claim has an address and versions that others can live with."""

    def alive(self, address: str, versions: str) -> Alive:
        """A claim with these bytes, as an array."""
        message = decode(f"04 96 05 a161 {address} cd1f0a c0 {versions}")
        assert isinstance(message, Alive)
        return message

    def fault(self, address: str, versions: str) -> Fault:
        """Why there is no such claim."""
        return refusal(self.alive, address, versions).fault

    def test_claim(self) -> None:
        """Nil metadata are empty; the address is as it was received."""
        self.assertEqual(
            self.alive("a47f000001", "a6010502020505"),
            Alive(
                incarnation=5,
                node=b"a",
                address=PeerAddress(b"\x7f\0\0\1", 7946),
                meta=b"",
                versions=Versions(
                    protocol_min=1,
                    protocol_max=5,
                    protocol=2,
                    delegate_min=2,
                    delegate_max=5,
                    delegate=5,
                ),
            ),
        )

    def test_mapped_address(self) -> None:
        """An IPv4 address in 16 bytes stays in 16 bytes, there and back."""
        mapped = bytes(10) + b"\xff\xff\x7f\0\0\1"
        alive = self.alive("b0" + mapped.hex(), "c0")
        self.assertEqual(alive.address.host, mapped)
        self.assertIn(b"\xb0" + mapped, wire.encode(alive))

    def test_other_address(self) -> None:
        """An address of any other length is none."""
        faults = [self.fault(each, "c0") for each in ("c0", "a0", "a3010203")]
        self.assertEqual(faults, [Fault.ADDRESS] * 3)

    def test_absent_versions(self) -> None:
        """Absent versions are known to be."""
        self.assertIs(self.alive("a47f000001", "c0").versions, None)
        self.assertIs(self.alive("a47f000001", "a0").versions, None)

    def test_few_versions(self) -> None:
        """One to five versions make peers up to memberlist 0.6.0 crash."""
        faults = [
            self.fault("a47f000001", each)
            for each in ("a101", "a20105", "a3010502", "a401050200", "a50105020000")
        ]
        self.assertEqual(faults, [Fault.VERSIONS] * 5)

    def test_many_versions(self) -> None:
        """Seven could not be passed on as they are."""
        self.assertEqual(self.fault("a47f000001", "a701050200000000"), Fault.VERSIONS)

    def test_versions_as_an_array(self) -> None:
        """Six numbers."""
        versions = self.alive("a47f000001", "96010502000000").versions
        self.assertEqual(versions, Versions(protocol_min=1, protocol_max=5, protocol=2))


class PropertyTests(SynchronousTestCase):
    """Whatever is said."""

    def test_every_message(self) -> None:
        """No message is without an encoding."""
        encoded = {*wire._PACKERS, UnknownMessage}
        self.assertEqual(encoded, set(get_args(Message)))

    @given(MESSAGES)
    def test_back(self, message: Message) -> None:
        """What is encoded is decoded."""
        self.assertEqual(wire.decode(wire.encode(message)), message)

    @given(MESSAGES, st.data())
    def test_cut_off(self, message: Message, data: st.DataObject) -> None:
        """A message of which a part is missing is another, or is refused."""
        whole = wire.encode(message)
        part = whole[: data.draw(st.integers(0, len(whole) - 1))]
        try:
            self.assertNotEqual(wire.decode(part), message)
        except WireError as error:
            self.assertIn(error.fault, {Fault.TRUNCATED, Fault.MALFORMED})

    @settings(max_examples=500)
    @given(
        st.binary(max_size=300)
        | st.tuples(st.integers(0, 13), st.binary(max_size=300)).map(
            lambda pair: bytes([pair[0]]) + pair[1]
        )
    )
    def test_anything(self, data: bytes) -> None:
        """Any bytes are a message that is the same there and back, or are refused."""
        try:
            message = wire.decode(data)
        except WireError:
            return
        self.assertEqual(wire.decode(wire.encode(message)), message)

    @settings(max_examples=500)
    @given(MESSAGES, st.data())
    def test_damaged(self, message: Message, data: st.DataObject) -> None:
        """So is a message of which one byte was changed."""
        damaged = bytearray(wire.encode(message))
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
        try:
            decoded = wire.decode(bytes(damaged))
        except WireError:
            return
        self.assertEqual(wire.decode(wire.encode(decoded)), decoded)
