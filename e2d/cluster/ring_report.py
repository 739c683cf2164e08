"""What the daemon tells of the gossip ring: the values behind status and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from e2d.model import Rank, RingTraffic

__all__ = ["RingClash", "RingMemberReport", "RingReport"]


@frozen(kw_only=True)
class RingMemberReport:
    """
    One node of the ring; ids as etcd's tools print them.

    :param address: where it gossips.
    :param for_seconds: how long this e2d has seen it in its rank.
    :param incarnation: the number of its newest claim about itself.
    :param kind: ``e2d``, ``original``, ``unreadable`` for one whose words this version
        cannot read, ``silent`` for one that says nothing.
    :param unreadable: why it cannot be read; None if it can.
    :param own_cluster: whether it is of this node's cluster; None: it does not say.
    :param status: what it announces; None: nothing that this version knows.
    :param etcd_version: None before it knows.
    :param cluster_id: whose data it holds; None: none, or it does not say.
    :param member_id: and as which member.
    """

    name: str
    local: bool
    address: str
    rank: Rank
    for_seconds: float
    incarnation: int
    kind: str
    unreadable: str | None = None
    own_cluster: bool | None = None
    status: str | None = None
    node_id: str | None = None
    client_url: str | None = None
    peer_url: str | None = None
    e2d_version: str | None = None
    etcd_version: str | None = None
    cluster_id: str | None = None
    member_id: str | None = None


@frozen(kw_only=True)
class RingClash:
    """
    Two nodes claim one name.

    :param held: where the one is that the ring believes, and
    :param claimed: the other.
    :param ours: it is the name of this node.
    :param seconds_ago: when it was last claimed.
    """

    name: str
    held: str
    claimed: str
    ours: bool
    seconds_ago: float


@frozen(kw_only=True)
class RingReport:
    """
    The ring, at one moment.

    :param problem: why this node does not gossip, and what to do, one line.
    :param for_seconds: how long it has listened; None: it does not.
    :param ranks: how many nodes are in each rank, this one included; None: this node is
        not in the ring, or not yet.
    :param members: nodes by rank and name, as many as a report takes; None as above.
    :param left_out: how many there are besides.
    :param unmet: addresses of nodes to join that did not answer when last asked.
    :param encrypted: whether what is sent is sealed.
    :param health_score: 0 for well; more: this node is slow, or its network.
    :param queue_length: news that waits to be passed on.
    """

    problem: str | None
    for_seconds: float | None
    ranks: Mapping[Rank, int] | None
    members: tuple[RingMemberReport, ...] | None
    left_out: int
    clashes: tuple[RingClash, ...]
    unmet: tuple[str, ...]
    encrypted: bool
    health_score: int
    queue_length: int
    traffic: RingTraffic
