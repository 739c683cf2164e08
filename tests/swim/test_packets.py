"""Tests of `e2d.swim.packets`."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import wire
from e2d.swim.compression import deflate
from e2d.swim.errors import Fault
from e2d.swim.messages import Message, Ping, UserMessage
from e2d.swim.packets import Framing
from e2d.swim.sealing import Keyring
from tests.swim.framed import (
    BLUE,
    KEYED,
    ONE,
    ONE_BYTES,
    PLAIN,
    TWO,
    TWO_BYTES,
    pack,
    unpack,
)
from tests.swim.outcomes import refusal
from tests.swim.strategies import FRAMINGS, PACKET_MESSAGES


class FramingTests(SynchronousTestCase):
    """`Framing` knows what it costs."""

    def test_defaults(self) -> None:
        """Those of memberlist."""
        framing = Framing()
        self.assertEqual((framing.label, framing.keyring), (b"", None))
        self.assertEqual((framing.compression, framing.protocol), (True, 2))
        self.assertEqual(
            (framing.verify_incoming, framing.verify_outgoing), (True,) * 2
        )

    def test_plain(self) -> None:
        """Nothing costs nothing."""
        self.assertEqual(PLAIN.packet_overhead, 0)

    def test_label(self) -> None:
        """Two bytes, and the label."""
        self.assertEqual(BLUE.packet_overhead, 6)

    def test_sealed(self) -> None:
        """Version, nonce and tag."""
        self.assertEqual(KEYED.packet_overhead, 29)

    def test_padded(self) -> None:
        """And a block of padding."""
        self.assertEqual(evolve(KEYED, protocol=1).packet_overhead, 45)

    def test_not_sealed_yet(self) -> None:
        """Who has keys makes room, whether or not it seals."""
        framing = evolve(KEYED, label=b"blue", verify_outgoing=False)
        self.assertEqual(framing.packet_overhead, 35)

    def test_long_label(self) -> None:
        """A label has 255 bytes at most."""
        self.assertEqual(Framing(label=bytes(255)).packet_overhead, 257)
        self.assertRaises(ValueError, Framing, label=bytes(256))

    def test_protocols(self) -> None:
        """There are five versions of the protocol."""
        self.assertRaises(ValueError, Framing, protocol=0)
        self.assertRaises(ValueError, Framing, protocol=6)


class PackTests(SynchronousTestCase):
    """`pack` in each of its layers."""

    def test_one(self) -> None:
        """A message alone is the packet."""
        self.assertEqual(pack(ONE_BYTES), ONE_BYTES)

    def test_compound(self) -> None:
        """More are counted, and have their lengths first."""
        self.assertEqual(
            pack(ONE_BYTES, TWO_BYTES).hex(),
            "070200090009" + ONE_BYTES.hex() + TWO_BYTES.hex(),
        )

    def test_most_parts(self) -> None:
        """Old peers misread more than 127."""
        packet = pack(*[ONE_BYTES] * 127)
        self.assertEqual(unpack(packet), ((ONE,) * 127, ()))
        self.assertRaises(AssertionError, pack, *[ONE_BYTES] * 128)

    def test_no_parts(self) -> None:
        """There is no packet with nothing in it."""
        self.assertRaises(AssertionError, pack)

    def test_checksum(self) -> None:
        """Five bytes for four of a message."""
        packet = pack(b"\3\3\3\3", checksum=True)
        self.assertEqual(packet.hex(), "0c8393ccd203030303")

    def test_compressed_where_shorter(self) -> None:
        """Much of the same is shorter."""
        framing = evolve(PLAIN, compression=True)
        message = wire.encode(UserMessage(b"a" * 100))
        self.assertEqual(pack(message, framing=framing), deflate(message))

    def test_not_compressed_where_longer(self) -> None:
        """A short message would be longer."""
        framing = evolve(PLAIN, compression=True)
        self.assertEqual(pack(ONE_BYTES, framing=framing), ONE_BYTES)

    def test_order(self) -> None:
        """Compound, compression, checksum, seal and label, from the inside."""
        framing = evolve(KEYED, label=b"blue", compression=True)
        packet = pack(*[ONE_BYTES] * 20, framing=framing, checksum=True)
        assert framing.keyring is not None
        self.assertEqual(packet[:6], b"\xf4\x04blue")
        plain = framing.keyring.open(packet[6:], b"blue")
        self.assertEqual(plain[5:], deflate(pack(*[ONE_BYTES] * 20)))
        self.assertEqual(plain[0], 12)

    def test_outgoing_not_sealed(self) -> None:
        """While keys are introduced nothing is sealed."""
        framing = evolve(KEYED, verify_outgoing=False)
        self.assertEqual(pack(ONE_BYTES, framing=framing), ONE_BYTES)

    @given(st.lists(PACKET_MESSAGES, min_size=1, max_size=6), FRAMINGS, st.booleans())
    def test_back(
        self, messages: list[Message], framing: Framing, checksum: bool
    ) -> None:
        """What is packed is unpacked, and no larger than was foretold."""
        parts = [wire.encode(each) for each in messages]
        packet = pack(*parts, framing=framing, checksum=checksum)
        self.assertEqual(unpack(packet, framing), (tuple(messages), ()))
        bare = pack(*parts, framing=PLAIN, checksum=checksum)
        self.assertLessEqual(len(packet), len(bare) + framing.packet_overhead)


class LabelTests(SynchronousTestCase):
    """A packet is for the ring whose label it has."""

    def refused(self, data: str, framing: Framing = BLUE) -> Fault:
        """Why it is refused."""
        error = refusal(unpack, bytes.fromhex(data), framing)
        return error.fault

    def test_ours(self) -> None:
        """Our label."""
        packet = pack(ONE_BYTES, framing=BLUE)
        self.assertEqual(packet, b"\xf4\x04blue" + ONE_BYTES)
        self.assertEqual(unpack(packet, BLUE), ((ONE,), ()))

    def test_longest(self) -> None:
        """255 bytes of label."""
        framing = evolve(BLUE, label=b"x" * 255)
        packet = pack(ONE_BYTES, framing=framing)
        self.assertEqual(packet[:2], b"\xf4\xff")
        self.assertEqual(unpack(packet, framing), ((ONE,), ()))

    def test_other(self) -> None:
        """Another label."""
        self.assertEqual(self.refused("f404626c7572" + ONE_BYTES.hex()), Fault.LABEL)

    def test_none(self) -> None:
        """No label, where there is to be one."""
        self.assertEqual(self.refused(ONE_BYTES.hex()), Fault.LABEL)

    def test_unwanted(self) -> None:
        """A label, where there is to be none."""
        packet = "f404626c7565" + ONE_BYTES.hex()
        self.assertEqual(self.refused(packet, PLAIN), Fault.LABEL)

    def test_empty(self) -> None:
        """No label is empty."""
        self.assertEqual(self.refused("f400" + ONE_BYTES.hex()), Fault.LABEL)
        self.assertEqual(self.refused("f400" + ONE_BYTES.hex(), PLAIN), Fault.LABEL)

    def test_cut_off(self) -> None:
        """Half a label."""
        faults = [self.refused(each) for each in ("f4", "f404", "f404626c75")]
        self.assertEqual(faults, [Fault.LABEL] * 3)

    def test_twice(self) -> None:
        """A label inside is no message."""
        packet = bytes.fromhex("f404626c7565" * 2) + ONE_BYTES
        self.assertEqual(unpack(packet, BLUE), ((), (Fault.MISPLACED,)))

    def test_sealed_for_another(self) -> None:
        """What is sealed is bound to the label, not only sent with it."""
        red, blue = evolve(KEYED, label=b"redd"), evolve(KEYED, label=b"blue")
        packet = b"\xf4\x04blue" + pack(ONE_BYTES, framing=red)[6:]
        error = refusal(unpack, packet, blue)
        self.assertEqual(error.fault, Fault.SEALED)


class SealedTests(SynchronousTestCase):
    """Whether a packet is sealed, only trying tells."""

    def test_plain(self) -> None:
        """A plain packet is refused where all must be sealed."""
        error = refusal(unpack, ONE_BYTES, KEYED)
        self.assertEqual(error.fault, Fault.SEALED)

    def test_plain_while_keys_are_introduced(self) -> None:
        """Else it is taken, though a ping starts like a sealed packet."""
        framing = evolve(KEYED, verify_incoming=False)
        ping = Ping(sequence=1, node=b"a" * 40)
        packet = pack(wire.encode(ping))
        self.assertEqual(unpack(packet, framing), ((ping,), ()))

    def test_sealed_while_keys_are_introduced(self) -> None:
        """So is a sealed one."""
        framing = evolve(KEYED, verify_incoming=False)
        packet = pack(ONE_BYTES, framing=KEYED)
        self.assertEqual(unpack(packet, framing), ((ONE,), ()))

    def test_other_key(self) -> None:
        """A ring with another key is another ring."""
        other = evolve(KEYED, keyring=Keyring((b"k" * 16,)))
        packet = pack(ONE_BYTES, framing=other)
        error = refusal(unpack, packet, KEYED)
        self.assertEqual(error.fault, Fault.SEALED)

    def test_without_keys(self) -> None:
        """Without keys a sealed packet is some message that is not understood."""
        packet = pack(ONE_BYTES, framing=KEYED)
        self.assertEqual(unpack(packet), ((), (Fault.MALFORMED,)))


class ChecksumTests(SynchronousTestCase):
    """A checksum is outermost."""

    def test_right(self) -> None:
        """It is taken whether or not we asked for it."""
        self.assertEqual(unpack(pack(ONE_BYTES, checksum=True)), ((ONE,), ()))

    def test_wrong(self) -> None:
        """One bit is enough."""
        packet = bytearray(pack(ONE_BYTES, checksum=True))
        packet[-1] ^= 1
        error = refusal(unpack, bytes(packet))
        self.assertEqual(error.fault, Fault.CHECKSUM)

    def test_short(self) -> None:
        """What is too short for a checksum is no message."""
        self.assertEqual(unpack(b"\x0c\0\0\0"), ((), (Fault.MISPLACED,)))

    def test_of_nothing(self) -> None:
        """A checksum of nothing is right, but there is no message."""
        self.assertEqual(unpack(b"\x0c\0\0\0\0"), ((), (Fault.TRUNCATED,)))

    def test_inside_a_compound(self) -> None:
        """Inside of a compound it is no message."""
        packet = pack(pack(ONE_BYTES, checksum=True), TWO_BYTES)
        self.assertEqual(unpack(packet), ((TWO,), (Fault.MISPLACED,)))

    def test_inside_compression(self) -> None:
        """Nor inside of what is compressed."""
        packet = deflate(pack(ONE_BYTES, checksum=True))
        self.assertEqual(unpack(packet), ((), (Fault.MISPLACED,)))
