"""What the gossip ring tells of nodes."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256

from attrs import frozen

from e2d.model.etcd import EtcdVersion
from e2d.model.identities import Address, ClusterID, MemberID, NodeID, NodeName

__all__ = [
    "ClusterMark",
    "DataSummary",
    "GossipMember",
    "NodeDigest",
    "NodeStatus",
    "OriginalDigest",
    "PeerReport",
    "Rank",
    "UnreadableDigest",
    "mark_cluster",
]

_MARK_BYTES = 8


class Rank(Enum):
    """What the ring holds a node to be."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"
    """It left without a word."""
    LEFT = "left"
    """It said that it leaves."""
    DEPARTED = "departed"
    """The ring has forgotten it, and etcd still lists its member (B8)."""


class NodeStatus(Enum):
    """What a node announces of itself."""

    PENDING = "pending"
    """Its etcd does not serve: it waits, joins or starts."""
    RUNNING = "running"
    """Its etcd serves."""
    STOPPING = "stopping"
    """It stops because it was told to, and means to come back."""
    FAILED = "failed"
    """Its etcd is beyond what its own e2d can do (B10)."""


@frozen(kw_only=True)
class ClusterMark:
    """
    Which cluster a node is of, short enough to be gossiped; made by `mark_cluster`.

    :param name: of ``cluster.name``.
    :param lineage: None for a node that has none yet: it never took part in a cluster.
    """

    name: bytes
    lineage: bytes | None


def mark_cluster(name: str, lineage: str | None) -> ClusterMark:
    """
    Tell clusters apart by eight bytes each of the SHA-256 of name and lineage.

    :param name: the configured ``cluster.name``.
    :param lineage: as it is on disk, None where there is none.
    """
    return ClusterMark(
        name=_mark(name), lineage=None if lineage is None else _mark(lineage)
    )


def _mark(text: str) -> bytes:
    return sha256(text.encode()).digest()[:_MARK_BYTES]


@frozen(kw_only=True)
class DataSummary:
    """Whose data a node holds."""

    cluster_id: ClusterID
    member_id: MemberID


@frozen(kw_only=True)
class NodeDigest:
    """
    What a node says of itself wherever it is known: small, and seldom changed.

    Each change goes to the whole ring, so nothing is in it that moves while etcd
    serves: no revision, no size, no time (A20).

    :param name: of its member of etcd, now or once it has one.
    :param client_url: where its etcd serves clients.
    :param peer_url: where its etcd serves members.
    :param status: None for a word that this version does not know.
    :param etcd_version: None before its binary was asked.
    :param data: None while it holds none, or cannot tell.
    """

    name: NodeName
    client_url: str
    peer_url: str
    status: NodeStatus | None
    node_id: NodeID
    e2d_version: str
    etcd_version: EtcdVersion | None
    cluster: ClusterMark
    data: DataSummary | None


@frozen(kw_only=True)
class OriginalDigest:
    """
    What a node of the original e2d says of itself.

    :param status: None for "unknown", which it is before it finds the others.
    """

    name: NodeName
    client_url: str
    peer_url: str
    status: NodeStatus | None


@frozen(kw_only=True)
class UnreadableDigest:
    """
    A node says something of itself that this version cannot read.

    :param reason: one short phrase.
    """

    reason: str


@frozen(kw_only=True)
class GossipMember:
    """
    One node as this one sees it in the ring.

    :param address: where it gossips.
    :param incarnation: the number of its newest claim about itself.
    :param since: when this e2d first saw it in its rank, in seconds of the reactor's
        clock.
    :param digest: None while it has told nothing of itself.
    """

    name: NodeName
    rank: Rank
    address: Address
    incarnation: int
    since: float
    digest: NodeDigest | OriginalDigest | UnreadableDigest | None

    @property
    def status(self) -> NodeStatus | None:
        """What it announces, None where that is not known."""
        match self.digest:
            case NodeDigest(status=status) | OriginalDigest(status=status):
                return status
            case _:
                return None


@frozen(kw_only=True)
class PeerReport:
    """
    What a node tells each node that it exchanges states with: more than a digest holds.

    Reports of one node are ordered by incarnation and then by sequence (W-15).

    :param incarnation: the node's own in the ring, when it said so.
    :param sequence: counts its reports from its start on.
    :param cluster_name: the configured ``cluster.name``.
    """

    node_id: NodeID
    name: NodeName
    incarnation: int
    sequence: int
    cluster_name: str
