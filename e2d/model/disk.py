"""The data directory's states, and what e2d keeps there."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from e2d.model.etcd import EtcdMember
from e2d.model.identities import ClusterID, MemberID, NodeName

__all__ = [
    "DataState",
    "Empty",
    "Founding",
    "Holds",
    "Lost",
    "Missing",
    "Pause",
    "Swapping",
    "Unborn",
    "Unreadable",
]


@frozen(kw_only=True)
class Founding:
    """
    A node's record of the cluster it helped to found.

    :param founding_id: random; etcd's cluster token.
    :param cluster_name: configured ``cluster.name``.
    :param peers: name and peer URL of the founding members.
    :param started: etcd was executed for it at least once (written before the exec).
    """

    founding_id: str
    cluster_name: str
    peers: tuple[tuple[NodeName, str], ...]
    started: bool


@frozen
class Empty:
    """There is nothing in the directory, and nothing says that there ever was."""


@frozen(kw_only=True)
class Unborn:
    """
    etcd was executed for a founding, but never got so far as to write to its log.

    The mark that e2d left in ``member/`` before the exec is still there, and there is
    no log, or one with a head and not a single entry: no write can have been
    acknowledged, so the same founding may start again.
    """

    founding: Founding


@frozen(kw_only=True)
class Lost:
    """
    etcd once ran in this directory and its data is gone: never *new* again (A2).

    :param founding: what was started here, if the record survived.
    """

    founding: Founding | None


@frozen(kw_only=True)
class Missing:
    """
    Empty, but a breadcrumb outside says this host held a member: not mounted? (A8).

    :param breadcrumb: path of the file that says so.
    :param since: when this e2d first saw it so, in seconds of the reactor's clock.
    """

    breadcrumb: str
    name: NodeName | None
    member_id: MemberID | None
    cluster_id: ClusterID | None
    since: float


@frozen(kw_only=True)
class Holds:
    """
    Usable data of a member.

    :param name: as etcd's own member bucket has it, None if it cannot be told.
    :param member_id: from the head of the write-ahead log.
    :param members: the membership in the database (it lags behind the log).
    """

    member_id: MemberID
    cluster_id: ClusterID
    name: NodeName | None
    members: tuple[EtcdMember, ...] = field(default=())


@frozen(kw_only=True)
class Unreadable:
    """
    There is something, and it cannot be understood: never taken for empty.

    :param reason: one line with the path.
    """

    reason: str


@frozen(kw_only=True)
class Swapping:
    """
    A swap of directories was intended and not finished (A14).

    :param intent: one line saying which.
    """

    intent: str


DataState = Empty | Unborn | Lost | Missing | Holds | Unreadable | Swapping


@frozen(kw_only=True)
class Pause:
    """
    A person asked for hands off (B14). On disk, with an end.

    :param until_at: when it ends, an aware datetime (it outlives a reboot).
    :param by: who asked: ``uid 1000``.
    """

    until_at: datetime
    by: str
    reason: str = ""
