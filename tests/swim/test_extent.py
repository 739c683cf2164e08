"""Tests of `e2d.swim.extent`."""

from __future__ import annotations

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.errors import Fault
from e2d.swim.extent import Extent
from tests.swim.outcomes import lines, refusal
from tests.swim.strategies import cut

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=300)
    | st.text(max_size=70)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=70)),
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(st.binary(max_size=5), inner, max_size=20)
    ),
    max_leaves=30,
)


def found(data: bytes, most_bytes: int = 1000) -> int | None:
    """Where the first value ends."""
    return Extent(most_bytes).find(data)


class ExtentTests(SynchronousTestCase):
    """`Extent` finds where a value ends."""

    def refused(self, data: str, most_bytes: int = 1000) -> Fault:
        """Why it is refused."""
        error = refusal(found, bytes.fromhex(data), most_bytes)
        return error.fault

    def ends(self, data: str, end: int | None) -> None:
        """It ends there, whatever follows."""
        self.assertEqual(found(bytes.fromhex(data + "ff")), end)

    @given(VALUES, st.binary(max_size=5), st.booleans())
    def test_any_value(self, value: object, rest: bytes, new: bool) -> None:
        """A value ends where msgpack's encoder ended it, in either specification."""
        packed = msgpack.packb(value, use_bin_type=new)
        self.assertEqual(found(packed + rest, 1 << 20), len(packed))

    @given(VALUES, st.lists(st.integers(0), max_size=10))
    def test_arriving(self, value: object, places: list[int]) -> None:
        """However it is cut, the end is not found before it is there."""
        packed = msgpack.packb(value)
        extent, held, ends = Extent(1 << 20), bytearray(), []
        pieces = cut(packed, places)
        for piece in pieces:
            held += piece
            ends.append(extent.find(held))
        self.assertEqual(ends, [None] * (len(pieces) - 1) + [len(packed)])

    def test_array_16(self) -> None:
        """An array with a length of two bytes."""
        self.ends("dc0002 01 02", 5)

    def test_array_32(self) -> None:
        """An array with a length of four bytes."""
        self.ends("dd00000002 01 02", 7)

    def test_map_16(self) -> None:
        """A map with a length of two bytes."""
        self.ends("de0001 a161 02", 6)

    def test_map_32(self) -> None:
        """A map with a length of four bytes."""
        self.ends("df00000001 a161 a102", 9)

    def test_string_32(self) -> None:
        """A string with a length of four bytes."""
        self.ends("db00000002 a5a5", 7)

    def test_bytes_16(self) -> None:
        """Bytes with a length of two bytes."""
        self.ends("c50002 a5a5", 5)

    def test_float_32(self) -> None:
        """A float of four bytes."""
        self.ends("ca a5a5a5a5", 5)

    def test_bytes_32(self) -> None:
        """Bytes with a length of four bytes."""
        self.ends("c600000002 a5a5", 7)

    def test_extension_16(self) -> None:
        """An extension with a length of two bytes."""
        self.ends("c80002 05 a5a5", 6)

    def test_extension_32(self) -> None:
        """An extension with a length of four bytes."""
        self.ends("c900000002 05 a5a5", 8)

    def test_half_a_length(self) -> None:
        """A length that has not arrived is waited for."""
        self.assertEqual(found(bytes.fromhex("dc00")), None)

    def test_longer_than_accepted(self) -> None:
        """A length that is too much is refused without waiting for the rest."""
        self.assertEqual(self.refused("db00000100", most_bytes=100), Fault.LIMIT)

    def test_as_long_as_accepted(self) -> None:
        """The limit itself is accepted."""
        self.assertEqual(found(bytes.fromhex("a36161"), 4), None)

    def test_as_many_values_as_accepted(self) -> None:
        """An array of 4095 is 4096 values."""
        self.assertEqual(found(b"\xdc\x0f\xff" + bytes(4095), 5000), 4098)
        self.assertEqual(self.refused("dc1000", most_bytes=5000), Fault.LIMIT)

    def test_more_values_than_accepted(self) -> None:
        """So is a number of values, which would take memory."""
        self.assertEqual(self.refused("dd7fffffff"), Fault.LIMIT)

    def test_more_pairs_than_accepted(self) -> None:
        """And of pairs."""
        self.assertEqual(self.refused("df7fffffff"), Fault.LIMIT)

    def test_many_in_depth(self) -> None:
        """It is the sum over all depths that counts."""
        self.assertEqual(self.refused("dc0400" * 4), Fault.LIMIT)

    def test_depth(self) -> None:
        """No depth is too much for the place where it stands."""
        self.assertEqual(found(b"\x91" * 900 + b"\x01"), 901)

    def test_linear(self) -> None:
        """Twice as many bytes, one by one, take twice as long."""

        def bytewise(size: int) -> None:
            held, extent = bytearray(), Extent(10000)
            for byte in b"\xdc" + size.to_bytes(2) + bytes(size):
                held.append(byte)
                extent.find(held)

        once, twice = lines(lambda: bytewise(1000)), lines(lambda: bytewise(2000))
        self.assertLess(twice, 2.1 * once)
