"""Tests of `e2d.swim.fields`, by way of the messages that are made of them."""

from __future__ import annotations

import msgpack

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.errors import Fault
from e2d.swim.messages import Ack, Message, Nack, Ping
from tests.swim.outcomes import refusal

# Pieces of a ping in MessagePack, in hexadecimal.
NODE = "a44e6f6465"
SEQUENCE = "a55365714e6f"
PY = "a27079"
PING = f"00 82 {NODE} {PY} {SEQUENCE} 2a"


def decode(data: str) -> Message:
    """What is decoded."""
    return wire.decode(bytes.fromhex(data))


class WireTestCase(SynchronousTestCase):
    """Messages in hexadecimal."""

    def is_ping(self, data: str, node: bytes = b"py", sequence: int = 42) -> None:
        """It is a ping."""
        self.assertEqual(decode(data), Ping(sequence=sequence, node=node))

    def refused(self, data: str) -> Fault:
        """Why it is refused."""
        return refusal(decode, data).fault


class LiberalTests(WireTestCase):
    """Whatever Go's decoders accept for a structure, `decode` accepts."""

    def test_strict(self) -> None:
        """What is sent."""
        self.is_ping(PING)

    def test_any_order(self) -> None:
        """Fields may come in any order."""
        self.is_ping(f"00 82 {SEQUENCE} 2a {NODE} {PY}")

    def test_unknown_field(self) -> None:
        """A field of a later release, of whatever depth."""
        self.is_ping(f"00 83 a158 81a15992c09103 {NODE} {PY} {SEQUENCE} 2a")

    def test_keys_that_are_no_names(self) -> None:
        """A key of any type that can be one."""
        self.is_ping(f"00 84 05 c0 d60100000000 c3 {NODE} {PY} {SEQUENCE} 2a")

    def test_twice(self) -> None:
        """The last of a field counts."""
        self.is_ping(f"00 83 {SEQUENCE} 01 {NODE} {PY} {SEQUENCE} 2a")

    def test_map_16(self) -> None:
        """A length in two bytes."""
        self.is_ping(f"00 de0002 {NODE} {PY} {SEQUENCE} 2a")

    def test_map_32(self) -> None:
        """A length in four bytes."""
        self.is_ping(f"00 df00000002 {NODE} {PY} {SEQUENCE} 2a")

    def test_str8_key(self) -> None:
        """The new specification's short strings, for a key."""
        self.is_ping(f"00 82 d9044e6f6465 {PY} {SEQUENCE} 2a")

    def test_str8_value(self) -> None:
        """The new specification's short strings, for a value."""
        self.is_ping(f"00 82 {NODE} d9027079 {SEQUENCE} 2a")

    def test_str16(self) -> None:
        """A length that is larger than it needs to be."""
        self.is_ping(f"00 82 da00044e6f6465 da00027079 {SEQUENCE} 2a")

    def test_str32(self) -> None:
        """One that is larger still."""
        self.is_ping(f"00 82 {NODE} db000000027079 {SEQUENCE} 2a")

    def test_bytes_for_strings(self) -> None:
        """The new specification's bytes, for key and value."""
        self.is_ping(f"00 82 c4044e6f6465 c4027079 {SEQUENCE} 2a")

    def test_nil(self) -> None:
        """Nil is empty, and zero."""
        self.is_ping(f"00 82 {NODE} c0 {SEQUENCE} c0", node=b"", sequence=0)

    def test_nothing_at_all(self) -> None:
        """What is absent is empty, and zero."""
        self.is_ping("00 80", node=b"", sequence=0)

    def test_no_structure(self) -> None:
        """So is all of a structure that is nil."""
        self.is_ping("00 c0", node=b"", sequence=0)

    def test_wrong_case(self) -> None:
        """Names are exact: another is an unknown field."""
        self.is_ping(f"00 82 a46e6f6465 {PY} {SEQUENCE} 2a", node=b"")

    def test_array(self) -> None:
        """Values alone, in the order of Go's declaration."""
        self.is_ping(f"00 92 2a {PY}")

    def test_short_array(self) -> None:
        """What an array does not reach is absent."""
        self.is_ping("00 91 2a", node=b"")

    def test_long_array(self) -> None:
        """What is after the last field is ignored."""
        self.is_ping(f"00 97 2a {PY} c0 c0 c0 05 05")

    def test_array_16(self) -> None:
        """An array with a length in two bytes."""
        self.is_ping(f"00 dc0002 2a {PY}")

    def test_trailing_bytes(self) -> None:
        """What follows a structure is ignored."""
        self.is_ping(f"{PING} c1c1c1")

    def test_timestamp(self) -> None:
        """An unknown field with a time in it."""
        self.is_ping(f"00 83 a158 d6ff00000001 {NODE} {PY} {SEQUENCE} 2a")

    def test_bytes_as_bin(self) -> None:
        """A byte field as the new specification's bytes."""
        self.assertEqual(
            decode(f"02 82 a75061796c6f6164 c4020102 {SEQUENCE} 2a"),
            Ack(sequence=42, payload=b"\1\2"),
        )

    def test_bytes_as_array(self) -> None:
        """A byte field as an array of numbers, of any width."""
        self.assertEqual(
            decode(f"02 82 a75061796c6f6164 9301ccffd10002 {SEQUENCE} 2a"),
            Ack(sequence=42, payload=b"\x01\xff\x02"),
        )


class NumberTests(WireTestCase):
    """Numbers in any width, but in their range."""

    def sequence(self, number: str) -> int:
        """How a sequence number is understood."""
        message = decode(f"0b 81 {SEQUENCE} {number}")
        assert isinstance(message, Nack)
        return message.sequence

    def refused_number(self, number: str) -> None:
        """It is out of range, or no number."""
        self.assertEqual(self.refused(f"0b 81 {SEQUENCE} {number}"), Fault.FIELD)

    def test_unsigned(self) -> None:
        """As the old codec writes them."""
        numbers = ["7f", "cc80", "cd0100", "ceffffffff", "cf0000000000000005"]
        self.assertEqual(
            [self.sequence(each) for each in numbers], [127, 128, 256, 2**32 - 1, 5]
        )

    def test_signed(self) -> None:
        """As the new codec writes them."""
        numbers = ["d005", "d100cb", "d200010000", "d300000000ffffffff"]
        self.assertEqual(
            [self.sequence(each) for each in numbers], [5, 203, 65536, 2**32 - 1]
        )

    def test_too_large(self) -> None:
        """33 bits are too many."""
        self.refused_number("cf0000000100000000")

    def test_negative(self) -> None:
        """Nothing is below zero."""
        self.refused_number("ff")

    def test_float(self) -> None:
        """A float is no number here, whatever its value."""
        self.refused_number("ca3f800000")

    def test_truth(self) -> None:
        """Nor is truth."""
        self.refused_number("c3")

    def test_text(self) -> None:
        """Nor is text."""
        self.refused_number("a131")

    def test_port_too_large(self) -> None:
        """A port has 16 bits."""
        ping = "01 82 a4506f7274 ce00010000 a6546172676574 a47f000001"
        self.assertEqual(self.refused(ping), Fault.FIELD)

    def test_flag(self) -> None:
        """A number is no truth value."""
        ping = "01 82 a44e61636b 01 a6546172676574 a47f000001"
        self.assertEqual(self.refused(ping), Fault.FIELD)

    def test_bytes(self) -> None:
        """A number is no bytes."""
        self.assertEqual(self.refused(f"00 81 {NODE} 05"), Fault.FIELD)

    def test_bytes_out_of_range(self) -> None:
        """A byte is at most 255."""
        self.assertEqual(self.refused(f"00 81 {NODE} 91cd0100"), Fault.FIELD)

    def test_bytes_of_truth(self) -> None:
        """An array of something else is no bytes."""
        self.assertEqual(self.refused(f"00 81 {NODE} 91c3"), Fault.FIELD)


class MalformedTests(WireTestCase):
    """What is no structure is refused, whatever it is, at no cost."""

    def malformed(self, data: str) -> None:
        """It is no structure."""
        self.assertEqual(self.refused(data), Fault.MALFORMED)

    def test_empty(self) -> None:
        """Nothing is no message."""
        self.assertEqual(self.refused(""), Fault.TRUNCATED)

    def test_only_a_type(self) -> None:
        """A type is no message."""
        self.malformed("00")

    def test_cut_off(self) -> None:
        """A map without its end."""
        self.malformed(PING.replace(" ", "")[:-2])

    def test_number(self) -> None:
        """A value, but no structure."""
        self.malformed("00 05")

    def test_never_used(self) -> None:
        """A byte that means nothing."""
        self.malformed("00 c1")

    def test_key_that_is_an_array(self) -> None:
        """A key must be one."""
        self.malformed("00 81 9105 05")

    def test_no_such_time(self) -> None:
        """A time of a length that times do not have."""
        self.malformed("00 81 a158 c702ff0000")

    def test_depth(self) -> None:
        """Arrays in arrays."""
        self.malformed("00 81 a158" + "91" * 20000 + "c0")

    def test_declared_array(self) -> None:
        """An array that would have four billion elements."""
        self.malformed("00 81 a158 ddffffffff")

    def test_declared_map(self) -> None:
        """A map that would have four billion pairs."""
        self.malformed("00 dfffffffff")

    def test_declared_string(self) -> None:
        """A string that would have four billion bytes."""
        self.malformed("00 81 a158 dbffffffff")

    def test_many_keys(self) -> None:
        """More keys than any structure has: they might be made to collide."""
        fields = dict.fromkeys(range(65))
        self.malformed("00" + msgpack.packb(fields).hex())

    def test_long_array(self) -> None:
        """An array longer than any field."""
        self.malformed("00 81 a158" + msgpack.packb([0] * 1025).hex())
