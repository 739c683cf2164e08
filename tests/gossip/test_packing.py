"""Arrays that are read by position."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError, UnknownPayloadVersion
from e2d.gossip.packing import number, octets, pack, text, unpack, url


class UnpackTests(SynchronousTestCase):
    """What is read."""

    def refused(self, data: bytes, why: str) -> PayloadError:
        """Check the reason why bytes are refused."""
        error = self.assertRaises(PayloadError, unpack, data, 2, 64)
        self.assertEqual(why, error.reason)
        return error

    def test_values(self) -> None:
        """Values come back, the number of the format aside."""
        self.assertEqual(["a", b"b"], unpack(bytes.fromhex("9301a161c40162"), 2, 64))

    def test_newer_values(self) -> None:
        """What a newer version added at the end is left out, whatever it is."""
        newer = pack(["a", b"b", {"c": [None, 1.5, True]}, "d"])
        self.assertEqual(["a", b"b"], unpack(newer, 2, 64))

    def test_another_format(self) -> None:
        """Another format is told from garbage, with its number."""
        error = self.refused(
            bytes.fromhex("9302a161c40162"),
            "in format 2, which this version of e2d does not read",
        )
        assert isinstance(error, UnknownPayloadVersion)
        self.assertEqual(2, error.version)

    def test_another_format_with_fewer_values(self) -> None:
        """Another format is told by its number alone."""
        self.refused(
            b"\x91\x07", "in format 7, which this version of e2d does not read"
        )

    def test_garbage(self) -> None:
        """What nobody packed is refused."""
        self.refused(b"", "not MessagePack")
        self.refused(b"\xff\x88\xff", "not MessagePack")
        self.refused(b"\x93\x01\xa1", "not MessagePack")
        self.refused(b"\x92\x01\xa1\xff", "not MessagePack")
        self.refused(pack(["a", b"b"]) + b"\0", "not MessagePack")
        for other in (b"\x90", b"\x80", b"\x01", b"\xc0", b"\x91\xc3", b"\x91\xa1a"):
            self.refused(other, "not a payload of e2d")

    def test_missing_values(self) -> None:
        """Fewer values than the format has are refused."""
        self.refused(pack(["a"]), "values are missing")

    def test_size(self) -> None:
        """More bytes than may be are not looked at."""
        self.refused(bytes(65), "more than 64 bytes")

    def test_claimed_lengths(self) -> None:
        """Room is not made at the length that a list or map claims."""
        for claim in ("dd7fffffff", "df7fffffff", "c67fffffff", "db7fffffff"):
            self.refused(b"\x93\x01" + bytes.fromhex(claim), "not MessagePack")

    def test_many_items(self) -> None:
        """A list has 64 items at most, also one that a newer version added."""
        self.assertEqual(["a", 1], unpack(pack(["a", 1, [0] * 64]), 2, 1024))
        error = self.assertRaises(
            PayloadError, unpack, pack(["a", 1, [0] * 65]), 2, 1024
        )
        self.assertEqual("not MessagePack", error.reason)

    def test_extensions(self) -> None:
        """Values of MessagePack's extensible types are refused."""
        self.refused(bytes.fromhex("9401a16101d40700"), "not MessagePack")

    def test_nesting(self) -> None:
        """Lists in lists end at the size that is allowed."""
        error = self.assertRaises(PayloadError, unpack, b"\x91" * 16384, 2, 16384)
        self.assertEqual("not MessagePack", error.reason)

    @settings(max_examples=500, deadline=None)
    @given(st.binary(max_size=70))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are values, or refused with the one error that there is."""
        try:
            self.assertEqual(2, len(unpack(data, 2, 64)))
        except PayloadError:
            return


class ValueTests(SynchronousTestCase):
    """What a value must be."""

    def test_text(self) -> None:
        """Text is not empty, and one line that a log can show."""
        self.assertEqual("n1 ä", text("n1 ä", "it"))
        for bad in ("", "a\nb", "a\x1b[31m", "\ud800", b"a", 1, None):
            error = self.assertRaises(PayloadError, text, bad, "the name")
            self.assertEqual("the name is not text in one line", error.reason)

    def test_url(self) -> None:
        """A URL has a scheme that etcd serves."""
        self.assertEqual("http://a:1", url("http://a:1", "it"))
        self.assertEqual("https://a:1", url("https://a:1", "it"))
        for bad in ("a:1", "unix://a", "http://a b"):
            error = self.assertRaises(PayloadError, url, bad, "it")
            self.assertEqual("it is not a URL", error.reason)

    def test_number(self) -> None:
        """A number has 64 bits and no sign; True is none."""
        self.assertEqual((1 << 64) - 1, number((1 << 64) - 1, "it"))
        for bad in (-1, True, 1.0, "1", None):
            self.assertRaises(PayloadError, number, bad, "it")

    def test_octets(self) -> None:
        """Bytes have the length that they must have."""
        self.assertEqual(b"ab", octets(b"ab", "it", 2))
        for bad in (b"a", b"abc", "ab", None):
            error = self.assertRaises(PayloadError, octets, bad, "it", 2)
            self.assertEqual("it is not 2 bytes", error.reason)
