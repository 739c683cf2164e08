"""Reports, packed and kept."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.errors import PayloadError, UnknownPayloadVersion
from e2d.gossip.packing import pack
from e2d.gossip.reports import (
    REPORT_BYTES,
    ReportBook,
    decode_report,
    encode_report,
    supersedes,
)
from e2d.model import NodeID, PeerReport
from tests.gossip.samples import REPORT, reports

_GOLDEN = "9601c40800112233445566ff0301a26e31a4626c7565"


class FormatTests(SynchronousTestCase):
    """The format, which no version may change in silence."""

    def test_golden(self) -> None:
        """A report is these bytes, now and in every version of format 1."""
        self.assertEqual(_GOLDEN, encode_report(REPORT).hex())
        self.assertEqual(REPORT, decode_report(bytes.fromhex(_GOLDEN)))

    def test_newer_version(self) -> None:
        """What a newer version adds is passed over; another format is recognised."""
        newer = bytes.fromhex(_GOLDEN.replace("9601", "9701") + "81a17801")
        self.assertEqual(REPORT, decode_report(newer))
        other = bytes.fromhex(_GOLDEN.replace("9601", "9602"))
        self.assertRaises(UnknownPayloadVersion, decode_report, other)

    @settings(max_examples=200, deadline=None)
    @given(reports())
    def test_round_trip(self, report: PeerReport) -> None:
        """Any report is read as it was written."""
        self.assertEqual(report, decode_report(encode_report(report)))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=100))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are a report, or refused with the one error that there is."""
        try:
            decode_report(data)
        except PayloadError:
            return

    def test_size(self) -> None:
        """More than 16 KiB is not looked at."""
        error = self.assertRaises(PayloadError, decode_report, bytes(REPORT_BYTES + 1))
        self.assertEqual("more than 16384 bytes", error.reason)

    def test_values(self) -> None:
        """Each value is checked, and the reason names it."""
        good: list[object] = [bytes(8), 3, 1, "n1", "blue"]
        for position, value, reason in (
            (0, b"", "the node id is not 8 bytes"),
            (1, -1, "the incarnation is not a number in its range"),
            (2, "1", "the sequence is not a number in its range"),
            (3, "", "the name is not text in one line"),
            (4, 7, "the cluster's name is not text in one line"),
        ):
            values = [*good[:position], value, *good[position + 1 :]]
            error = self.assertRaises(PayloadError, decode_report, pack(values))
            self.assertEqual(reason, error.reason)


class OrderTests(SynchronousTestCase):
    """A stale report never takes the place of a newer one (W-15)."""

    def setUp(self) -> None:
        """A book with one report."""
        self.book = ReportBook()
        self.assertTrue(self.book.keep(REPORT))

    def held(self) -> PeerReport | None:
        """What is held of the node."""
        return self.book.reports.get(REPORT.node_id)

    def test_next(self) -> None:
        """The next report of the same incarnation is newer."""
        newer = evolve(REPORT, sequence=2, cluster_name="green")
        self.assertTrue(self.book.keep(newer))
        self.assertEqual(newer, self.held())

    def test_late(self) -> None:
        """A report that was overtaken is not kept, nor is the same one again."""
        newer = evolve(REPORT, sequence=2)
        self.book.keep(newer)
        self.assertFalse(self.book.keep(REPORT))
        self.assertFalse(self.book.keep(newer))
        self.assertEqual(newer, self.held())

    def test_new_start(self) -> None:
        """A newer incarnation is newer, though its count begins anew."""
        restarted = evolve(REPORT, incarnation=4, sequence=0)
        self.assertTrue(supersedes(restarted, REPORT))
        self.assertTrue(self.book.keep(restarted))
        self.assertFalse(self.book.keep(evolve(REPORT, sequence=99)))
        self.assertEqual(restarted, self.held())

    def test_joined_anew(self) -> None:
        """Once a node was forgotten its first incarnation is news again."""
        self.book.forget(REPORT.node_id)
        self.assertIsNone(self.held())
        first = evolve(REPORT, incarnation=1, sequence=0)
        self.assertTrue(self.book.keep(first))
        self.assertEqual(first, self.held())

    def test_other_disk(self) -> None:
        """A node with another disk is another node, whatever its name."""
        other = evolve(REPORT, node_id=NodeID("ffffffffffffffff"), incarnation=1)
        self.assertTrue(self.book.keep(other))
        self.assertEqual(REPORT, self.held())

    def test_flood(self) -> None:
        """There is room for 1024 nodes; those that are held are still renewed."""
        for number in range(1023):
            self.book.keep(evolve(REPORT, node_id=NodeID(f"{number:016x}")))
        self.assertFalse(self.book.keep(evolve(REPORT, node_id=NodeID("f" * 16))))
        self.assertTrue(self.book.keep(evolve(REPORT, sequence=2)))
        self.assertEqual(1024, len(self.book.reports))

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12
        )
    )
    def test_any_order(self, order: list[tuple[int, int]]) -> None:
        """Whatever the order, the newest is what stays."""
        book = ReportBook()
        for incarnation, sequence in order:
            book.keep(evolve(REPORT, incarnation=incarnation, sequence=sequence))
        kept = book.reports[REPORT.node_id]
        self.assertEqual(max(order), (kept.incarnation, kept.sequence))
