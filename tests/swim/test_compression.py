"""Tests of `e2d.swim.compression`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.compression import deflate, inflate
from e2d.swim.errors import Fault
from e2d.swim.fields import Fields, pack_fields
from e2d.swim.limits import DEFAULT_LIMITS
from tests.swim.codes import zeros
from tests.swim.outcomes import refusal

MIB = 1024 * 1024
TESTING = "82a4416c676f00a3427566ab00e9949943278d9b330101"


class DeflateTests(SynchronousTestCase):
    """`deflate` wraps as Go does."""

    def test_wrapper(self) -> None:
        """Type, algorithm and data."""
        self.assertEqual(deflate(b"testing").hex(), "09" + TESTING)

    def test_overhead(self) -> None:
        """The wrapper of less than 32 bytes is 13 bytes."""
        self.assertEqual(len(deflate(b"")), 13 + 3)


class InflateTests(SynchronousTestCase):
    """`inflate` unwraps."""

    def fault(self, fields: Fields) -> Fault:
        """Why a wrapper is refused."""
        return refusal(inflate, pack_fields(fields), 100).fault

    def test_back(self) -> None:
        """What was wrapped."""
        self.assertEqual(inflate(bytes.fromhex(TESTING), 7), b"testing")

    def test_array(self) -> None:
        """In the order of Go's declaration."""
        body = bytes.fromhex("9200ab00e9949943278d9b330101")
        self.assertEqual(inflate(body, 7), b"testing")

    def test_unknown_algorithm(self) -> None:
        """There is one."""
        self.assertEqual(self.fault({b"Algo": 1, b"Buf": zeros(1)}), Fault.COMPRESSION)

    def test_no_algorithm(self) -> None:
        """An algorithm is a number."""
        self.assertEqual(self.fault({b"Algo": b"lzw", b"Buf": zeros(1)}), Fault.FIELD)

    def test_empty(self) -> None:
        """Nothing is not wrapped."""
        self.assertEqual(self.fault({b"Algo": 0, b"Buf": zeros(0)}), Fault.COMPRESSION)

    def test_no_data(self) -> None:
        """No data are not even nothing."""
        self.assertEqual(self.fault({b"Algo": 0}), Fault.COMPRESSION)

    def test_over_the_limit(self) -> None:
        """One byte more than is accepted."""
        body = pack_fields({b"Algo": 0, b"Buf": zeros(101)})
        self.assertEqual(refusal(inflate, body, 100).fault, Fault.LIMIT)
        self.assertEqual(inflate(body, 101), bytes(101))

    def test_limit_of_a_stream(self) -> None:
        """20 MiB and a byte are accepted, 40 MiB and a byte are not."""
        most = DEFAULT_LIMITS.inflated_bytes
        large = pack_fields({b"Algo": 0, b"Buf": zeros(20 * MIB + 1)})
        self.assertEqual(len(inflate(large, most)), 20 * MIB + 1)
        larger = pack_fields({b"Algo": 0, b"Buf": zeros(40 * MIB + 1)})
        self.assertEqual(refusal(inflate, larger, most).fault, Fault.LIMIT)
