"""Everything a decision is made from, in one frozen value."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from e2d.model import (
    Address,
    ChildState,
    DataState,
    EtcdMember,
    EtcdStatus,
    GossipMember,
    NameClash,
    NodeID,
    NodeName,
    Pause,
)

__all__ = ["Observation"]


@frozen(kw_only=True)
class Observation:
    """
    What this node knows at one moment; None is "not known", never "nothing".

    :param now: seconds of CLOCK_BOOTTIME.
    :param now_at: wall-clock time: only for what a person set an end to.
    :param local: the name this node's member has, or will have.
    :param child: the etcd process.
    :param data: the data directory; None while etcd runs on it (C12).
    :param in_place: False while etcd runs on data that is no longer where it was.
    :param status: what this node's member answered this turn.
    :param members: the membership, proved by quorum this turn.
    :param alarms: raised alarms, member id in hexadecimal and name.
    :param denied: etcd's own words where it did not let us ask this turn (B15).
    :param list_denied: it was the membership that we may not ask for: that, too, is
        said by a majority only.
    :param node_id: the disk's id; None also when it cannot be read.
    :param recorded: the member that runs is on record (`RecordMember` was done).
    :param pause: as it is on disk, expired or not.
    :param gossip: all that the ring remembers, this node included; None: this node does
        not gossip, or not yet.
    :param listening_since: since when it gossips, in seconds as ``now``.
    :param clashes: names that are claimed twice in the ring.
    :param unheard: addresses of others, or where they may be, that were not met so far.
    :param untold: what could not tell so far where others are, a line each.
    :param ring_problem: why this node does not gossip though it should, one line.
    """

    now: float
    now_at: datetime
    local: NodeName
    child: ChildState
    data: DataState | None
    in_place: bool = True
    status: EtcdStatus | None = None
    members: tuple[EtcdMember, ...] | None = None
    alarms: tuple[tuple[str, str], ...] | None = None
    denied: str | None = None
    list_denied: bool = False
    node_id: NodeID | None = None
    recorded: bool = False
    pause: Pause | None = None
    gossip: tuple[GossipMember, ...] | None = None
    listening_since: float | None = None
    clashes: tuple[NameClash, ...] = ()
    unheard: tuple[Address, ...] = ()
    untold: tuple[str, ...] = ()
    ring_problem: str | None = None

    @property
    def quorum(self) -> bool:
        """Whether a majority has answered this turn, if only with a refusal."""
        return self.members is not None or self.list_denied
