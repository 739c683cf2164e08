"""What a node says of itself in the ring: from settings, and what is announced."""

from __future__ import annotations

from attrs import frozen

from e2d.config.choices import GossipCompatibility
from e2d.gossip.payload import Payloads
from e2d.model import (
    Address,
    Announcement,
    NodeDigest,
    PeerReport,
    mark_cluster,
)
from e2d.swim.settings import Settings

__all__ = ["Presence", "RingSettings"]


@frozen(kw_only=True)
class RingSettings:
    """
    How a node takes part in a ring.

    :param listen: where it listens, for datagrams and connections; an IP address.
    :param advertise: where others find it; an IP address.
    :param timings: how fast the ring is.
    :param label: of the ring, None for none.
    :param client_url: where its etcd serves clients, and
    :param peer_url: members.
    :param compat: which original shares the ring, None for none.
    """

    listen: Address
    advertise: Address
    timings: Settings
    label: str | None
    cluster_name: str
    client_url: str
    peer_url: str
    e2d_version: str
    compat: GossipCompatibility | None


@frozen
class Presence:
    """
    One announcement, as the ring is told of it.

    :param settings: how this node takes part.
    :param announcement: what it says.
    """

    _settings: RingSettings
    announcement: Announcement

    @property
    def digest(self) -> NodeDigest:
        """What everybody is told."""
        settings, said = self._settings, self.announcement
        return NodeDigest(
            name=said.name,
            client_url=settings.client_url,
            peer_url=settings.peer_url,
            status=said.status,
            node_id=said.node_id,
            e2d_version=settings.e2d_version,
            etcd_version=said.etcd_version,
            cluster=mark_cluster(settings.cluster_name, said.lineage),
            data=said.data,
        )

    def metadata(self, payloads: Payloads) -> bytes:
        """
        What everybody is told, in bytes.

        :raises MetadataTooLong: gossip does not carry it.
        """
        return payloads.metadata(self.digest, self._settings.advertise)

    def check(self, payloads: Payloads) -> None:
        """
        Check that gossip will carry it, whatever is learnt later.

        :raises MetadataTooLong: it would not one day.
        """
        payloads.check(self.digest, self._settings.advertise)

    def state(self, payloads: Payloads, incarnation: int, sequence: int) -> bytes:
        """
        What each exchange of states adds.

        :param sequence: higher than that of any state before.
        """
        said = self.announcement
        report = PeerReport(
            node_id=said.node_id,
            name=said.name,
            incarnation=incarnation,
            sequence=sequence,
            cluster_name=self._settings.cluster_name,
        )
        return payloads.state(report, said.status)
