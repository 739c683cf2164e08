"""Tests of `e2d.etcd.bbolt`."""

from __future__ import annotations

import struct
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.bbolt import BboltError, open_database
from tests.etcd import original

DATABASE = original.database()


def reading(content: bytes) -> Callable[[int, int], bytes]:
    """Read from bytes as from a file."""
    return lambda offset, size: content[offset : offset + size]


def fnv1a(content: bytes) -> int:
    """The checksum of a meta page."""
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = ((digest ^ byte) * 0x100000001B3) % 2**64
    return digest


def meta(number: int, size: int, root: int, pages: int, transaction: int) -> bytes:
    """A meta page."""
    content = struct.pack(
        "<IIIIQQQQQ", 0xED0CDAED, 2, size, 0, root, 0, 2, pages, transaction
    )
    page = struct.pack("<QHHI", number, 4, 0, 0) + content
    return (page + struct.pack("<Q", fnv1a(content))).ljust(size, b"\0")


def leaf(number: int, size: int, pairs: dict[bytes, bytes], flags: int = 0) -> bytes:
    """A leaf page, as long as its pairs want."""
    elements = bodies = b""
    for index, (key, value) in enumerate(pairs.items()):
        position = 16 * (len(pairs) - index) + len(bodies)
        elements += struct.pack("<IIII", flags, position, len(key), len(value))
        bodies += key + value
    length = 16 + len(elements) + len(bodies)
    overflow = (length - 1) // size
    page = struct.pack("<QHHI", number, 2, len(pairs), overflow) + elements + bodies
    return page.ljust(size * (overflow + 1), b"\0")


def branch(number: int, size: int, children: dict[bytes, int]) -> bytes:
    """A branch page."""
    elements = bodies = b""
    for index, (key, child) in enumerate(children.items()):
        position = 16 * (len(children) - index) + len(bodies)
        elements += struct.pack("<IIQ", position, len(key), child)
        bodies += key
    page = struct.pack("<QHHI", number, 1, len(children), 0) + elements + bodies
    return page.ljust(size, b"\0")


def bucket(root: int) -> bytes:
    """The value of a bucket with a tree of its own."""
    return struct.pack("<QQ", root, 0)


class RealDatabaseTests(SynchronousTestCase):
    """A database that etcd 3.4 wrote."""

    def test_members(self) -> None:
        """Its member bucket holds the one member."""
        pairs = list(open_database(reading(DATABASE)).pairs(b"members"))
        self.assertEqual([key for key, _ in pairs], [b"502ca7132ab14e67"])
        self.assertIn(b'"name":"6F8E7D4D3EABBEDC"', pairs[0][1])

    def test_no_such_bucket(self) -> None:
        """A bucket that is not there has no pairs."""
        self.assertEqual(list(open_database(reading(DATABASE)).pairs(b"none")), [])

    def test_empty_bucket(self) -> None:
        """A bucket that is there and empty has no pairs either."""
        database = open_database(reading(DATABASE))
        self.assertEqual(list(database.pairs(b"members_removed")), [])

    def test_few_reads(self) -> None:
        """Only the meta pages and the pages on the way are read."""
        sizes: list[int] = []

        def read(offset: int, size: int) -> bytes:
            sizes.append(size)
            return DATABASE[offset : offset + size]

        list(open_database(read).pairs(b"members"))
        self.assertEqual(sizes, [80, 80, 4096])

    @settings(deadline=None)  # a busy machine is no failure
    @given(
        st.lists(
            st.tuples(st.integers(0, len(DATABASE) - 1), st.integers(0, 255)),
            max_size=8,
        )
    )
    def test_damaged(self, changes: list[tuple[int, int]]) -> None:
        """Whatever bytes of it are changed, the only error is BboltError."""
        content = bytearray(DATABASE)
        for position, byte in changes:
            content[position] = byte
        self.read_all(bytes(content))

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.integers(0, 300), st.integers(0, 255))
    def test_damaged_root(self, position: int, byte: int) -> None:
        """Nor when it is the page of the buckets that is damaged."""
        content = bytearray(DATABASE)
        content[5 * 4096 + position] = byte
        self.read_all(bytes(content))

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.integers(0, len(DATABASE)))
    def test_truncated(self, size: int) -> None:
        """Nor when its end is missing."""
        self.read_all(DATABASE[:size])

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.binary(max_size=300))
    def test_any_bytes(self, content: bytes) -> None:
        """Nor with any other bytes."""
        self.read_all(content)

    def read_all(self, content: bytes) -> None:
        """Read the buckets that matter; pass over a BboltError."""
        try:
            database = open_database(reading(content))
            for name in (b"members", b"meta", b"key"):
                list(database.pairs(name))
        except BboltError:
            pass


class BuiltDatabaseTests(SynchronousTestCase):
    """Trees that a small etcd never grows."""

    def pairs(self, *pages: bytes) -> list[tuple[bytes, bytes]]:
        """What bucket ``b`` of these pages holds."""
        return list(open_database(reading(b"".join(pages))).pairs(b"b"))

    def refusal(self, *pages: bytes) -> str:
        """Why these pages are refused."""
        return str(self.assertRaises(BboltError, self.pairs, *pages))

    def test_other_page_size(self) -> None:
        """The page size is the file's, not this machine's."""
        pairs = self.pairs(
            meta(0, 16384, 2, 4, 1),
            meta(1, 16384, 2, 4, 2),
            leaf(2, 16384, {b"b": bucket(3)}, flags=1),
            leaf(3, 16384, {b"k": b"v"}),
        )
        self.assertEqual(pairs, [(b"k", b"v")])

    def test_torn_first_meta(self) -> None:
        """With the first meta page torn the second is found, at any page size."""
        pairs = self.pairs(
            b"\xff" * 8192,
            meta(1, 8192, 2, 4, 2),
            leaf(2, 8192, {b"b": bucket(3)}, flags=1),
            leaf(3, 8192, {b"k": b"v"}),
        )
        self.assertEqual(pairs, [(b"k", b"v")])

    def test_newest_transaction(self) -> None:
        """The meta page of the newest transaction counts."""
        pairs = self.pairs(
            meta(0, 1024, 2, 5, 8),
            meta(1, 1024, 3, 5, 7),
            leaf(2, 1024, {b"b": bucket(4)}, flags=1),
            leaf(3, 1024, {}),
            leaf(4, 1024, {b"new": b"1"}),
        )
        self.assertEqual(pairs, [(b"new", b"1")])

    def test_inline_bucket(self) -> None:
        """A small bucket lies within the value of its name."""
        inner = bucket(0) + leaf(0, 16, {b"k": b"v"})
        pairs = self.pairs(
            meta(0, 512, 2, 3, 1),
            meta(1, 512, 2, 3, 0),
            leaf(2, 512, {b"b": inner}, flags=1),
        )
        self.assertEqual(pairs, [(b"k", b"v")])

    def test_branches(self) -> None:
        """A bucket of several pages is read in order of its keys."""
        pairs = self.pairs(
            meta(0, 512, 2, 6, 1),
            meta(1, 512, 2, 6, 0),
            leaf(2, 512, {b"a": bucket(4), b"b": bucket(3)}, flags=1),
            branch(3, 512, {b"k1": 4, b"k3": 5}),
            leaf(4, 512, {b"k1": b"1", b"k2": b"2"}),
            leaf(5, 512, {b"k3": b"3"}),
        )
        self.assertEqual(pairs, [(b"k1", b"1"), (b"k2", b"2"), (b"k3", b"3")])

    def test_branching_root(self) -> None:
        """Among many buckets only the page that has the wanted one is read."""
        pairs = self.pairs(
            meta(0, 512, 2, 6, 1),
            meta(1, 512, 2, 6, 0),
            branch(2, 512, {b"": 99, b"b": 3}),
            leaf(3, 512, {b"b": bucket(4)}, flags=1),
            leaf(4, 512, {b"k": b"v"}),
        )
        self.assertEqual(pairs, [(b"k", b"v")])

    def test_overflow(self) -> None:
        """A long value runs over into the pages that follow."""
        long = b"v" * 3000
        pairs = self.pairs(
            meta(0, 512, 2, 10, 1),
            meta(1, 512, 2, 10, 0),
            leaf(2, 512, {b"b": bucket(3)}, flags=1),
            leaf(3, 512, {b"k": long}),
        )
        self.assertEqual(pairs, [(b"k", long)])

    def test_cycle(self) -> None:
        """A branch that is its own child ends."""
        message = self.refusal(
            meta(0, 512, 2, 3, 1),
            meta(1, 512, 2, 3, 0),
            branch(2, 512, {b"": 2}),
        )
        self.assertEqual(message, "the tree is too deep")

    def test_broad(self) -> None:
        """A file that claims to have very many pages costs no more than the limit."""
        message = self.refusal(
            meta(0, 16384, 2, 5, 1),
            meta(1, 16384, 2, 5, 0),
            leaf(2, 16384, {b"b": bucket(3)}, flags=1),
            branch(3, 16384, {b"%03d" % number: 4 for number in range(300)}),
            leaf(4, 16384, {}),
        )
        self.assertEqual(message, "too many pages")

    def test_out_of_bounds(self) -> None:
        """A page beyond those in use is refused."""
        message = self.refusal(
            meta(0, 512, 2, 3, 1),
            meta(1, 512, 2, 3, 0),
            leaf(2, 512, {b"b": bucket(7)}, flags=1),
        )
        self.assertEqual(message, "page 7 is out of bounds")

    def test_torn_metas(self) -> None:
        """With both meta pages torn there is nothing to go by."""
        message = self.refusal(b"\0" * 8192)
        self.assertIn("no valid meta page", message)
