"""
What a node tells whom it exchanges states with: its report, packed, and what is kept.

A report is as large as it needs to be, and goes to one node at a time; metadata goes to
all of them at each change. A node reports on itself only, never on what it heard.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from e2d.gossip.packing import number, octets, pack, text, unpack
from e2d.model import NodeID, NodeName, PeerReport

__all__ = ["REPORT_BYTES", "ReportBook", "decode_report", "encode_report", "supersedes"]

REPORT_BYTES = 16 * 1024
"""Far more than a report has, far less than would slow an exchange down."""

_MAXIMUM_REPORTS = 1024
"""More nodes than any ring of e2d has; who floods it with node ids is not kept."""

_ID_BYTES = 8
_COUNT = 5


def encode_report(report: PeerReport) -> bytes:
    """Pack a report."""
    packed = pack(
        (
            bytes.fromhex(report.node_id),
            report.incarnation,
            report.sequence,
            report.name,
            report.cluster_name,
        )
    )
    assert len(packed) <= REPORT_BYTES
    return packed


def decode_report(data: bytes) -> PeerReport:
    """
    Unpack a report.

    :raises PayloadError: it is none; `UnknownPayloadVersion` if it may be a newer one.
    """
    values = unpack(data, _COUNT, REPORT_BYTES)
    node_id, incarnation, sequence, name, cluster_name = values
    return PeerReport(
        node_id=NodeID(octets(node_id, "the node id", _ID_BYTES).hex()),
        incarnation=number(incarnation, "the incarnation"),
        sequence=number(sequence, "the sequence"),
        name=NodeName(text(name, "the name")),
        cluster_name=text(cluster_name, "the cluster's name"),
    )


def supersedes(report: PeerReport, held: PeerReport) -> bool:
    """
    Whether a report is newer than another of the same node (W-15).

    The incarnation counts first: a node that starts again begins its sequence anew, but
    the ring makes it pass the incarnation that others remember.
    """
    assert report.node_id == held.node_id
    return (report.incarnation, report.sequence) > (held.incarnation, held.sequence)


@define(eq=False)
class ReportBook:
    """The newest report of each node, whatever order they came in."""

    _held: dict[NodeID, PeerReport] = field(factory=dict, init=False)

    @property
    def reports(self) -> Mapping[NodeID, PeerReport]:
        """What is held, by node."""
        return dict(self._held)

    def keep(self, report: PeerReport) -> bool:
        """
        Keep a report if it is newer than what is held of its node.

        :return: whether it is, and there was room for it.
        """
        held = self._held.get(report.node_id)
        if held is None and len(self._held) >= _MAXIMUM_REPORTS:
            return False
        if held is not None and not supersedes(report, held):
            return False
        self._held[report.node_id] = report
        return True

    def forget(self, node_id: NodeID) -> None:
        """
        Hold nothing of a node: the ring has forgotten it, or it has joined anew.

        Its incarnation may begin anew then, which must not look old.
        """
        self._held.pop(node_id, None)
