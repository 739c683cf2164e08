"""What a node says of itself follows from its settings and what is announced."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.config.choices import GossipCompatibility
from e2d.gossip.errors import MetadataTooLong
from e2d.gossip.payload import Payloads
from e2d.gossip.presence import Presence
from e2d.model import NodeStatus, PeerReport, mark_cluster
from e2d.testing.contracts.membership import announcement
from tests.gossip.rings import ring_settings

SAID = announcement("n1", NodeStatus.RUNNING)


class PresenceTests(SynchronousTestCase):
    """`Presence` of one node."""

    def setUp(self) -> None:
        """A node that runs."""
        self.payloads = Payloads(None)
        self.presence = Presence(ring_settings("10.0.0.1"), SAID)

    def test_digest(self) -> None:
        """Everybody is told all of it."""
        digest = self.presence.digest
        self.assertEqual((digest.name, digest.status), ("n1", NodeStatus.RUNNING))
        self.assertEqual(digest.client_url, "http://10.0.0.1:2379")
        self.assertEqual(digest.peer_url, "http://10.0.0.1:2380")
        self.assertEqual(digest.cluster, mark_cluster("e2d", None))

    def test_metadata(self) -> None:
        """Others read what was written."""
        metadata = self.presence.metadata(self.payloads)
        self.assertEqual(self.payloads.read_metadata(metadata), self.presence.digest)

    def test_state(self) -> None:
        """Each exchange of states adds who it is, and how new that is."""
        state = self.presence.state(self.payloads, 7, 3)
        self.assertEqual(
            self.payloads.read_state(state),
            PeerReport(
                node_id=SAID.node_id,
                name=SAID.name,
                incarnation=7,
                sequence=3,
                cluster_name="e2d",
            ),
        )

    def test_state_for_originals(self) -> None:
        """In a ring with originals it can be read by both."""
        payloads = Payloads(GossipCompatibility.ORIGINAL)
        report = payloads.read_state(self.presence.state(payloads, 7, 3))
        assert isinstance(report, PeerReport)
        self.assertEqual((report.incarnation, report.sequence), (7, 3))

    def test_check(self) -> None:
        """What fits now and would not later is refused before the start."""
        self.presence.check(self.payloads)
        name = "n" * 425
        presence = Presence(
            ring_settings("10.0.0.1"), evolve(announcement(name), etcd_version=None)
        )
        presence.metadata(self.payloads)
        self.assertRaises(MetadataTooLong, presence.check, self.payloads)
