"""Tests of `e2d.swim.packets`: the parts of a packet."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import packets, wire
from e2d.swim.compression import deflate
from e2d.swim.errors import Fault, WireError
from e2d.swim.fields import pack_fields
from e2d.swim.limits import DEFAULT_LIMITS, Limits
from e2d.swim.messages import UnknownMessage, UserMessage
from e2d.swim.packets import Framing, Unpacked
from tests.swim.framed import (
    ONE,
    ONE_BYTES,
    PLAIN,
    TWO,
    TWO_BYTES,
    pack,
    unpack,
)
from tests.swim.outcomes import lines, peak_bytes
from tests.swim.strategies import FRAMINGS


class CompoundTests(SynchronousTestCase):
    """A compound is taken as far as it is whole."""

    def dropped(self, data: str) -> Fault:
        """Why nothing of it is taken."""
        messages, (fault,) = unpack(bytes.fromhex(data))
        self.assertEqual(messages, ())
        return fault

    def test_three(self) -> None:
        """All that is there, in its order."""
        packet = pack(ONE_BYTES, TWO_BYTES, ONE_BYTES)
        self.assertEqual(unpack(packet), ((ONE, TWO, ONE), ()))

    def test_255(self) -> None:
        """As many as there can be."""
        packet = b"\x07\xff" + b"\0\x09" * 255 + ONE_BYTES * 255
        self.assertEqual(unpack(packet), ((ONE,) * 255, ()))

    def test_no_count(self) -> None:
        """A compound without its count."""
        self.assertEqual(self.dropped("07"), Fault.TRUNCATED)

    def test_no_lengths(self) -> None:
        """128 parts, and no length of them."""
        self.assertEqual(self.dropped("0780"), Fault.TRUNCATED)

    def test_half_a_length(self) -> None:
        """A length has two bytes."""
        self.assertEqual(self.dropped("070100"), Fault.TRUNCATED)

    def test_cut_off(self) -> None:
        """What is whole is taken."""
        packet = pack(ONE_BYTES, TWO_BYTES, ONE_BYTES)[:-1]
        self.assertEqual(unpack(packet), ((ONE, TWO), (Fault.TRUNCATED,)))

    def test_empty_part(self) -> None:
        """Nothing is no message, and hinders no other."""
        packet = b"\x07\x02\0\0\0\x09" + ONE_BYTES
        self.assertEqual(unpack(packet), ((ONE,), (Fault.TRUNCATED,)))

    def test_bad_part(self) -> None:
        """Nor does a part that is not acceptable."""
        bad = b"\x04" + pack_fields({b"Addr": bytes(4), b"Vsn": b"\1\5\2"})
        packet = pack(ONE_BYTES, bad, TWO_BYTES)
        self.assertEqual(unpack(packet), ((ONE, TWO), (Fault.VERSIONS,)))

    def test_none(self) -> None:
        """No parts are no fault."""
        self.assertEqual(unpack(b"\x07\0"), ((), ()))

    def test_trailing_bytes(self) -> None:
        """What follows the last part is ignored."""
        self.assertEqual(unpack(pack(ONE_BYTES, TWO_BYTES) + b"xyz")[0], (ONE, TWO))


class MisplacedTests(SynchronousTestCase):
    """What belongs elsewhere is no message of a packet."""

    def test_of_streams(self) -> None:
        """Exchanges of states, encrypted frames and errors belong on streams."""
        dropped = [unpack(bytes([kind]) + b"\x80") for kind in (6, 10, 13)]
        self.assertEqual(dropped, [((), (Fault.MISPLACED,))] * 3)

    def test_unknown(self) -> None:
        """A type of a later release is kept apart."""
        self.assertEqual(unpack(b"\x0exy"), ((UnknownMessage(14, b"xy"),), ()))

    def test_nothing(self) -> None:
        """An empty packet."""
        self.assertEqual(unpack(b""), ((), (Fault.TRUNCATED,)))


class CompressionTests(SynchronousTestCase):
    """What is compressed is taken whatever we do ourselves."""

    def test_alone(self) -> None:
        """A message."""
        self.assertEqual(unpack(deflate(ONE_BYTES)), ((ONE,), ()))

    def test_compound(self) -> None:
        """Many."""
        packet = deflate(pack(ONE_BYTES, TWO_BYTES))
        self.assertEqual(unpack(packet), ((ONE, TWO), ()))

    def test_inside_a_compound(self) -> None:
        """One of many."""
        packet = pack(deflate(ONE_BYTES), TWO_BYTES)
        self.assertEqual(unpack(packet), ((ONE, TWO), ()))

    def test_nothing(self) -> None:
        """Nothing, compressed, is a fault."""
        self.assertEqual(unpack(deflate(b"")), ((), (Fault.COMPRESSION,)))

    def test_unknown_algorithm(self) -> None:
        """There is one."""
        packet = b"\x09" + pack_fields({b"Algo": 1, b"Buf": deflate(ONE_BYTES)[13:]})
        self.assertEqual(unpack(packet), ((), (Fault.COMPRESSION,)))

    def test_damaged(self) -> None:
        """What cannot be decompressed."""
        packet = b"\x09" + pack_fields({b"Algo": 0, b"Buf": b"\0"})
        self.assertEqual(unpack(packet), ((), (Fault.COMPRESSION,)))


class LimitTests(SynchronousTestCase):
    """A packet costs no more than it may."""

    def limits(self, **changes: int) -> Limits:
        """The usual ones but for these."""
        return evolve(DEFAULT_LIMITS, **changes)

    def test_nesting(self) -> None:
        """Four wrappers in each other are taken, five are not."""
        packet = ONE_BYTES
        for _ in range(2):
            packet = deflate(b"\x07\x01" + len(packet).to_bytes(2) + packet)
        self.assertEqual(unpack(packet), ((ONE,), ()))
        self.assertEqual(unpack(deflate(packet)), ((), (Fault.LIMIT,)))

    def test_inflated(self) -> None:
        """128 KiB are what a packet may grow to."""
        most = 128 * 1024
        packet = deflate(wire.encode(UserMessage(bytes(most - 1))))
        self.assertEqual(unpack(packet), ((UserMessage(bytes(most - 1)),), ()))
        packet = deflate(wire.encode(UserMessage(bytes(most))))
        self.assertEqual(unpack(packet), ((), (Fault.LIMIT,)))

    def test_inflated_together(self) -> None:
        """All its parts share that."""
        bomb = deflate(wire.encode(UserMessage(bytes(99))))
        limits = self.limits(packet_inflated_bytes=250)
        messages, dropped = unpack(pack(*[bomb] * 4), limits=limits)
        self.assertEqual(messages, (UserMessage(bytes(99)),) * 2)
        self.assertEqual(dropped, (Fault.LIMIT, Fault.LIMIT))

    def test_parts(self) -> None:
        """The compound counts as one."""
        packet = pack(ONE_BYTES, ONE_BYTES, TWO_BYTES)
        self.assertEqual(
            unpack(packet, limits=self.limits(packet_parts=3)),
            ((ONE, ONE), (Fault.LIMIT,)),
        )

    def test_many_parts(self) -> None:
        """Compounds in compounds cannot multiply parts."""
        inner = b"\x07\xff" + bytes(510)
        outer = pack(*[inner] * 100)
        messages, dropped = unpack(outer)
        self.assertEqual(messages, ())
        self.assertLess(len(dropped), 1024 + 255 + 127)

    def test_linear(self) -> None:
        """The worst of packets costs a fixed sum."""
        inner = deflate(b"\x07\xff" + bytes(510))
        work = lines(lambda: unpack(pack(*[inner] * 127)))
        self.assertLess(work, 60_000)

    def test_memory_of_values(self) -> None:
        """65,000 empty arrays in an unknown field take a few megabytes."""
        many = b"\xdc\x03\xe8" + b"\x90" * 1000
        packet = b"\x00\x81\xa1x\xdc\x00\x40" + many * 64
        self.assertEqual(unpack(packet)[1], ())
        self.assertLess(peak_bytes(lambda: unpack(packet)), 8 << 20)

    def test_memory_of_lengths(self) -> None:
        """And so do nested arrays, each as long as may be, if it was all there."""
        packet = b"\x00\x81\xa1x" + b"\xdc\x04\x00" * 20000
        self.assertEqual(unpack(packet)[1], (Fault.MALFORMED,))
        self.assertLess(peak_bytes(lambda: unpack(packet)), 10 << 20)

    @settings(max_examples=500)
    @given(
        st.binary(max_size=300)
        | st.lists(st.binary(max_size=60), min_size=1, max_size=9).map(
            lambda parts: pack(*parts)
        )
        | st.binary(max_size=300).map(deflate),
        FRAMINGS,
    )
    def test_anything(self, packet: bytes, framing: Framing) -> None:
        """Any bytes are unpacked, or refused as a whole."""
        open_framing = evolve(framing, verify_incoming=False)
        for each in (framing, open_framing, PLAIN):
            try:
                unpacked = packets.unpack(packet, each)
            except WireError:
                continue
            self.assertIsInstance(unpacked, Unpacked)
