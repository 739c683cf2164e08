"""What etcd says of itself, and how it is started."""

from __future__ import annotations

from enum import Enum, StrEnum

from attrs import frozen

from e2d.model.identities import ClusterID, MemberID, NodeName, Revision

__all__ = [
    "Alarm",
    "EtcdMember",
    "EtcdRole",
    "EtcdStart",
    "EtcdStatus",
    "EtcdVersion",
    "InitialState",
]


@frozen(order=True)
class EtcdVersion:
    """A version of etcd, ordered as its release numbers are."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """``3.5.16``."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def line(self) -> tuple[int, int]:
        """The release line, ``(3, 5)``."""
        return (self.major, self.minor)


class Alarm(StrEnum):
    """What a member raises, and the whole cluster refuses writes for."""

    NO_SPACE = "NOSPACE"
    CORRUPT = "CORRUPT"


class EtcdRole(Enum):
    """Whether a member of etcd votes."""

    VOTER = "voter"
    LEARNER = "learner"


@frozen(kw_only=True)
class EtcdMember:
    """
    One entry of etcd's member list.

    :param name: empty while the member was never started (all such look alike:
        a member is known by ``member_id`` only).
    """

    member_id: MemberID
    name: str
    role: EtcdRole = EtcdRole.VOTER
    peer_urls: tuple[str, ...] = ()
    client_urls: tuple[str, ...] = ()

    @property
    def started(self) -> bool:
        """Whether etcd has ever run as this member."""
        return self.name != ""


@frozen(kw_only=True)
class EtcdStatus:
    """
    What one member says of itself (``Maintenance.Status``).

    :param leader: None when this member knows no leader.
    :param raft_applied_index: None where etcd does not tell (before 3.4).
    :param db_size_in_use_bytes: None where etcd does not tell.
    :param errors: etcd's own words: alarms, lost leader.
    """

    cluster_id: ClusterID
    member_id: MemberID
    leader: MemberID | None
    role: EtcdRole
    revision: Revision
    raft_term: int
    raft_index: int
    raft_applied_index: int | None
    version: str
    db_size_bytes: int
    db_size_in_use_bytes: int | None
    errors: tuple[str, ...] = ()


class InitialState(Enum):
    """etcd's ``--initial-cluster-state``: a phase of a cluster, never of a member."""

    NEW = "new"
    EXISTING = "existing"


@frozen(kw_only=True)
class EtcdStart:
    """
    One start of etcd, as far as it is a decision; addresses and files are settings.

    :param name: the member's name.
    :param peers: name and peer URL of every initial member, this one included.
    :param token: ``--initial-cluster-token``: the founding's id, unique for ever.
    :param state: NEW only for a founding whose data was never born.
    """

    name: NodeName
    peers: tuple[tuple[NodeName, str], ...]
    token: str
    state: InitialState
