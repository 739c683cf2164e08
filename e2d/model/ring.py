"""The gossip ring as this node sees it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from e2d.model.etcd import EtcdVersion
from e2d.model.gossip import DataSummary, GossipMember, NodeStatus, PeerReport
from e2d.model.identities import Address, NodeID, NodeName

__all__ = ["Announcement", "NameClash", "RingTraffic", "RingView"]


@frozen(kw_only=True)
class Announcement:
    """
    What this node says of itself, besides what its configuration says.

    :param name: of its member of etcd, now or once it has one.
    :param etcd_version: None before its binary was asked.
    :param data: None while it holds none, or cannot tell.
    :param lineage: as it is on disk; None where there is none.
    """

    name: NodeName
    node_id: NodeID
    status: NodeStatus
    etcd_version: EtcdVersion | None
    data: DataSummary | None
    lineage: str | None = None


@frozen(kw_only=True)
class NameClash:
    """
    Two nodes claim one name, and the ring believes the one that had it.

    :param held: where who has it gossips; this node itself, perhaps.
    :param claimed: where the other does.
    :param ours: it is the name of this node.
    :param last: when it was last claimed, in seconds of the reactor's clock.
    """

    name: NodeName
    held: Address
    claimed: Address
    ours: bool
    last: float


@frozen(kw_only=True)
class RingTraffic:
    """
    What gossip did since this e2d started. Counts only rise.

    :param packets_dropped: received and ignored, by a word that says why.
    :param streams_in: connections that others opened, and
    :param streams_out: that this node opened.
    :param streams_failed: of both, by a word that says why.
    :param suspicions: how often a peer came to be suspected.
    :param refutations: how often others were told that this node lives.
    """

    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
    packets_dropped: Mapping[str, int]
    streams_in: int
    streams_out: int
    streams_failed: Mapping[str, int]
    suspicions: int
    refutations: int


@frozen(kw_only=True)
class RingView:
    """
    The ring, as of now.

    :param problem: why this node does not gossip, one line that says what to do; None:
        it does, or will in a moment.
    :param since: when it began to listen, in seconds of the reactor's clock; None: it
        does not.
    :param members: all that the ring remembers, this node included, by name; None
        while this node does not gossip.
    :param reports: the newest report of each node that sent one.
    :param clashes: names claimed twice lately.
    :param unmet: seeds, discovered and remembered addresses that did not answer when
        last asked, in an order that stays.
    :param local: the name under which this node is in the ring; None while it is not.
    :param unheard: seeds and discovered addresses that were not met so far: who may
        know better must be heard first.
    :param untold: sources of discovery that could not tell so far, a line each.
    :param encrypted: whether what is sent is sealed.
    :param health_score: 0 for well; more for unwell: this node is slow, or its network.
    :param queue_length: news that waits to be passed on.
    """

    problem: str | None
    since: float | None
    members: tuple[GossipMember, ...] | None
    reports: tuple[PeerReport, ...]
    clashes: tuple[NameClash, ...]
    unmet: tuple[Address, ...]
    encrypted: bool
    health_score: int
    queue_length: int
    traffic: RingTraffic
    local: NodeName | None = None
    unheard: tuple[Address, ...] = ()
    untold: tuple[str, ...] = ()
