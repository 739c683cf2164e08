"""Tests of `e2d.swim.lzw`."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim import lzw
from e2d.swim.errors import Fault, WireError
from tests.swim.codes import noise, packed, strangers, zeros
from tests.swim.outcomes import lines, peak_bytes, refusal

MOST = 1 << 20
TESTING = bytes.fromhex("00e9949943278d9b330101")


class CompressTests(SynchronousTestCase):
    """`compress` writes what Go writes."""

    def check(self, plain: bytes, length: int, digest: str) -> None:
        """It has this length and digest, and can be decompressed."""
        compressed = lzw.compress(plain)
        self.assertEqual(len(compressed), length)
        self.assertEqual(sha256(compressed).hexdigest()[:16], digest)
        self.assertEqual(lzw.decompress(compressed, len(plain)), plain)

    def test_zeros(self) -> None:
        """Entries that grow by one byte each."""
        self.check(bytes(20000), 228, "3d7b65ffee5b0f4a")
        self.assertEqual(zeros(20000), lzw.compress(bytes(20000)))

    def test_noise(self) -> None:
        """Hardly anything repeats: the table is cleared."""
        self.check(noise(4000, 256), 5477, "1faacd594a9f00d8")

    def test_four_values(self) -> None:
        """Much repeats."""
        self.check(noise(20000, 4), 6040, "ce51ad3925441141")

    def test_many_tables(self) -> None:
        """The table is cleared many times."""
        self.check(noise(100000, 16), 62682, "60af4f3337d679f7")

    def test_widths(self) -> None:
        """The lengths at which codes get wider, of noise."""
        self.check(noise(254, 256), 288, "8ac93dcad9907e5b")
        self.check(noise(255, 256), 290, "577ad821cfb1c225")
        self.check(noise(256, 256), 291, "65c23bb37fc19445")

    def test_clears(self) -> None:
        """The lengths at which a table may be cleared, of noise."""
        self.check(noise(3836, 256), 5260, "e37e882d03e39581")
        self.check(noise(3837, 256), 5261, "35799aad6d3c97ca")
        self.check(noise(3838, 256), 5261, "1628bfff8ec9447a")
        self.check(noise(3839, 256), 5263, "694dc2edec8fae2f")

    def test_before_the_first_wider_code(self) -> None:
        """One code before they get wider, the end has 9 bits."""
        self.check(strangers(254), 288, "3fea22f15139bdc2")

    def test_first_wider_code(self) -> None:
        """The end is the first code of 10 bits."""
        self.check(strangers(255), 290, "fd1d8cdf988114f7")

    def test_after_the_first_wider_code(self) -> None:
        """A literal is the first code of 10 bits."""
        self.check(strangers(256), 291, "bbfcd990e20222bd")

    def test_almost_full_table(self) -> None:
        """One code before a clear, the end has 12 bits."""
        self.check(strangers(3837), 5407, "a55e7504d67bda94")

    def test_full_table_at_the_end(self) -> None:
        """A clear, and then the end in 9 bits."""
        self.check(strangers(3838), 5410, "70485c627e84a924")

    def test_after_the_clear(self) -> None:
        """A literal after the clear has 9 bits."""
        self.check(strangers(3839), 5411, "dd18cc40b2cbb5dd")

    def test_full_tables(self) -> None:
        """The second table is full at the end."""
        self.check(strangers(7676), 10816, "a3374ba30a87519c")

    @given(st.binary(max_size=2000) | st.text("ab", max_size=2000).map(str.encode))
    def test_back(self, plain: bytes) -> None:
        """Whatever was compressed can be decompressed."""
        self.assertEqual(lzw.decompress(lzw.compress(plain), len(plain)), plain)


class DecompressTests(SynchronousTestCase):
    """`decompress` accepts what Go accepts."""

    def refused(self, compressed: bytes, most_bytes: int = MOST) -> Fault:
        """Why it is refused."""
        error = refusal(lzw.decompress, compressed, most_bytes)
        return error.fault

    def test_nothing(self) -> None:
        """Nothing is not compressed."""
        self.assertEqual(self.refused(b""), Fault.COMPRESSION)

    def test_half_a_code(self) -> None:
        """Eight bits are no code."""
        self.assertEqual(self.refused(bytes.fromhex("00")), Fault.COMPRESSION)

    def test_only_a_clear(self) -> None:
        """The end has to come."""
        self.assertEqual(self.refused(bytes.fromhex("0003")), Fault.COMPRESSION)

    def test_code_from_nowhere(self) -> None:
        """After a clear only literals have a meaning."""
        self.assertEqual(self.refused(bytes.fromhex("00ff")), Fault.COMPRESSION)

    def test_own_entry_without_a_previous(self) -> None:
        """The first code cannot stand for the entry that it would complete."""
        codes = packed([256, 258, 257], [9, 9, 9])
        self.assertEqual(self.refused(codes), Fault.COMPRESSION)

    def test_entry_after_the_newest(self) -> None:
        """A code must not run ahead of the table."""
        codes = packed([256, 65, 259, 257], [9, 9, 9, 9])
        self.assertEqual(self.refused(codes), Fault.COMPRESSION)

    def test_own_entry(self) -> None:
        """A code may stand for the entry that it completes."""
        codes = packed([256, 65, 258, 257], [9, 9, 9, 9])
        self.assertEqual(lzw.decompress(codes, MOST), b"AAA")

    def test_without_a_first_clear(self) -> None:
        """The table is as good as cleared from the start."""
        codes = packed([65, 66, 258, 257], [9] * 4)
        self.assertEqual(lzw.decompress(codes, MOST), b"ABAB")

    def test_without_the_end(self) -> None:
        """All the data is there, but the end is not."""
        self.assertEqual(self.refused(TESTING[:-1]), Fault.COMPRESSION)

    def test_the_end_is_not_imagined(self) -> None:
        """An end of 11 bits of which only 9 came, all that are not zero, is none."""
        plain = noise(772, 256)
        whole = packed([256, *plain, 257], [9] * 256 + [10] * 512 + [11] * 6)
        self.assertEqual(lzw.decompress(whole, MOST), plain)
        self.assertEqual(self.refused(whole[:936]), Fault.COMPRESSION)

    def test_after_the_end(self) -> None:
        """What follows the end is ignored."""
        self.assertEqual(lzw.decompress(TESTING + b"\x01\xff\xff", MOST), b"testing")

    def test_never_cleared(self) -> None:
        """A full table is used on, and nothing is added to it."""
        plain = noise(6000, 256)
        codes = [256, *plain, 257]
        widths = [9] * 256 + [10] * 512 + [11] * 1024
        widths += [12] * (len(codes) - len(widths))
        self.assertEqual(lzw.decompress(packed(codes, widths), MOST), plain)

    def test_full_table_does_not_grow(self) -> None:
        """400,000 literals, and no clear, take the memory of one table."""
        endless = bytes(600_000)
        self.assertLess(peak_bytes(lambda: self.refused(endless)), 2 << 20)

    def test_last_place_of_the_table(self) -> None:
        """A decoder gives a meaning to code 4095, which Go never writes."""
        plain = noise(3839, 256)
        codes = [256, *plain, 4095, 257]
        widths = [9] * 256 + [10] * 512 + [11] * 1024
        widths += [12] * (len(codes) - len(widths))
        self.assertEqual(
            lzw.decompress(packed(codes, widths), MOST), plain + plain[-2:]
        )

    def test_as_much_as_is_accepted(self) -> None:
        """The limit itself is accepted."""
        self.assertEqual(lzw.decompress(TESTING, 7), b"testing")

    def test_more_than_is_accepted(self) -> None:
        """A byte more than the limit is refused."""
        self.assertEqual(self.refused(TESTING, 6), Fault.LIMIT)

    def test_bomb(self) -> None:
        """What would grow a thousand times is refused on the way."""
        bomb = zeros(10_000_000)
        few = lines(lambda: self.refused(bomb, 1000))
        self.assertEqual(self.refused(bomb, 1000), Fault.LIMIT)
        self.assertLess(few, 2000)

    def test_nothing_but_clears(self) -> None:
        """A clear costs no more than another code."""
        clears = packed([256] * 1000 + [65, 257], [9] * 1002)
        work = lines(lambda: lzw.decompress(clears, MOST))
        literals = packed([65] * 250 + [257], [9] * 251)
        usual = lines(lambda: lzw.decompress(literals, MOST))
        self.assertLess(work / 1000, usual / 250)

    @settings(max_examples=300)
    @given(st.binary(max_size=300))
    def test_anything(self, compressed: bytes) -> None:
        """Any bytes give no more than is accepted, or are refused."""
        try:
            plain = lzw.decompress(compressed, 100)
        except WireError:
            return
        self.assertLessEqual(len(plain), 100)
