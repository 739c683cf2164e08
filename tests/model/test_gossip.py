"""What the ring tells of nodes."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.model import (
    ClusterMark,
    NodeStatus,
    OriginalDigest,
    Rank,
    UnreadableDigest,
    mark_cluster,
)
from tests.gossip.samples import DIGEST, gossip_member


class ClusterMarkTests(SynchronousTestCase):
    """Clusters are told apart without their names (A20)."""

    def test_never_changes(self) -> None:
        """The mark is the beginning of a SHA-256, in every version."""
        self.assertEqual(
            ClusterMark(
                name=bytes.fromhex("16477688c0e00699"),
                lineage=bytes.fromhex("2804bad6fe94a55f"),
            ),
            mark_cluster("blue", "l1"),
        )

    def test_no_lineage(self) -> None:
        """Having no lineage yet is not a lineage."""
        self.assertIsNone(mark_cluster("blue", None).lineage)
        self.assertNotEqual(mark_cluster("blue", None), mark_cluster("blue", ""))


class GossipMemberTests(SynchronousTestCase):
    """A node in the ring."""

    def test_status(self) -> None:
        """It has the status that it announces, of either program."""
        member = gossip_member(digest=evolve(DIGEST, status=NodeStatus.FAILED))
        self.assertEqual(NodeStatus.FAILED, member.status)
        original = OriginalDigest(
            name=DIGEST.name,
            client_url=DIGEST.client_url,
            peer_url=DIGEST.peer_url,
            status=NodeStatus.RUNNING,
        )
        self.assertEqual(NodeStatus.RUNNING, gossip_member(digest=original).status)

    def test_unknown_status(self) -> None:
        """Where nothing, or nothing readable, is announced the status is not known."""
        self.assertIsNone(gossip_member(digest=None).status)
        unreadable = UnreadableDigest(reason="not MessagePack")
        self.assertIsNone(gossip_member(digest=unreadable).status)

    def test_departed(self) -> None:
        """A node that the ring forgot keeps its last words (B8)."""
        member = gossip_member(rank=Rank.DEPARTED, digest=DIGEST)
        self.assertEqual(NodeStatus.RUNNING, member.status)
