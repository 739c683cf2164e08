"""Tests of `e2d.etcd.wal`."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.wal import WalError, WalHead, newest_file, read_head
from tests.etcd import original

LOG = original.log_head(65536)

# The records of a log's start: checksum, whose it is, snapshot at 0.
CHECKSUM = bytes.fromhex("0400000000000084 08041000 00000000")
OWNER = bytes.fromhex(
    "1f00000000000081 0801 10c0aadd9e03 1a15"
    "08e79cc5d5b2e2a99650 10de99d69ee98ba3aeef01 00"
)
SNAPSHOT = bytes.fromhex("0e00000000000082 0805 108ce6dfa60c 1a04 08001000 0000")


class ReadHeadTests(SynchronousTestCase):
    """`read_head` tells whose a log is."""

    def refusal(self, block: bytes) -> str:
        """Why it is refused."""
        return str(self.assertRaises(WalError, read_head, block))

    def test_real(self) -> None:
        """The log of a member that served says its ids."""
        self.assertEqual(
            read_head(LOG),
            WalHead(
                member_id=original.MEMBER_ID,
                cluster_id=original.CLUSTER_ID,
                unwritten=False,
            ),
        )

    def test_unwritten(self) -> None:
        """A log of which only the head was written is known for it."""
        block = (CHECKSUM + OWNER + SNAPSHOT).ljust(4096, b"\0")
        self.assertEqual(
            read_head(block),
            WalHead(
                member_id=original.MEMBER_ID,
                cluster_id=original.CLUSTER_ID,
                unwritten=True,
            ),
        )

    def test_something_after_the_head(self) -> None:
        """Whatever follows the head, understood or not, makes the log written."""
        block = (CHECKSUM + OWNER + SNAPSHOT + b"\0" * 100 + b"x").ljust(4096, b"\0")
        self.assertFalse(read_head(block).unwritten)

    def test_later_file(self) -> None:
        """A later file of the log goes on with the checksum of the one before."""
        start = bytes.fromhex("0400000000000084 08041001 00000000")
        self.assertEqual(self.refusal(start + OWNER), "checksum mismatch at byte 16")
        owner = bytes.fromhex(
            "1f00000000000081 0801 10add1f4f603 1a15"
            "08e79cc5d5b2e2a99650 10de99d69ee98ba3aeef01 00"
        )
        self.assertEqual(read_head(start + owner).member_id, original.MEMBER_ID)

    def test_empty(self) -> None:
        """An empty file says nothing."""
        self.assertIn("does not say whose it is", self.refusal(b""))

    def test_zeros(self) -> None:
        """Nor does one that was only made room for."""
        self.assertIn("does not say whose it is", self.refusal(b"\0" * 4096))

    def test_damaged_owner(self) -> None:
        """Damaged ids are not believed."""
        damaged = bytearray(CHECKSUM + OWNER + SNAPSHOT)
        damaged[34] ^= 1
        self.assertEqual(self.refusal(bytes(damaged)), "checksum mismatch at byte 16")

    def test_no_checksum_first(self) -> None:
        """A log that starts with anything else is none."""
        self.assertIn("does not start with a checksum", self.refusal(OWNER))

    @settings(deadline=None)  # a busy machine is no failure
    @given(
        st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4),
        st.integers(0, 4096),
    )
    def test_damaged(self, changes: list[tuple[int, int]], size: int) -> None:
        """Whatever is changed in it or cut off it, the only error is WalError."""
        content = bytearray(LOG[:4096])
        for position, byte in changes:
            content[position] = byte
        self.read(bytes(content[:size]))

    @settings(deadline=None)  # a busy machine is no failure
    @given(st.binary(max_size=100))
    def test_any_bytes(self, block: bytes) -> None:
        """Nor with any other bytes, after a good start or without."""
        self.read(block)
        self.read(CHECKSUM + block)

    def read(self, block: bytes) -> None:
        """Read it; pass over a WalError."""
        with contextlib.suppress(WalError):
            read_head(block)


class NewestFileTests(SynchronousTestCase):
    """`newest_file` finds the end of a log."""

    def test_newest(self) -> None:
        """The file with the highest sequence is the newest."""
        names = [
            "0000000000000009-0000000000000100.wal",
            "000000000000000a-0000000000000200.wal",
            "0.tmp",
        ]
        self.assertEqual(newest_file(names), "000000000000000a-0000000000000200.wal")

    def test_none(self) -> None:
        """A directory with only what etcd prepares has no log."""
        self.assertIsNone(newest_file(["0.tmp"]))

    def test_foreign(self) -> None:
        """A log under a name that etcd does not give is not understood."""
        error = self.assertRaises(WalError, newest_file, ["a.wal"])
        self.assertIn("a.wal", str(error))
