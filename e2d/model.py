"""
The words of the domain: identities, etcd's own values, the child process, the disk.

Everything here is a frozen value without behaviour beyond its own text form.
"Not known" is ``None`` or a variant of its own, never ``0``, ``""`` or ``()``.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NewType

from attrs import field, frozen

__all__ = [
    "Absent",
    "Address",
    "ChildFailed",
    "ChildProblem",
    "ChildState",
    "ClusterID",
    "DataState",
    "Empty",
    "EtcdMember",
    "EtcdRole",
    "EtcdStart",
    "EtcdStatus",
    "EtcdVersion",
    "Founding",
    "Holds",
    "InitialState",
    "LeaseID",
    "Lost",
    "MemberID",
    "Missing",
    "NodeID",
    "NodeName",
    "Pause",
    "ProblemKind",
    "Revision",
    "Serving",
    "Starting",
    "Stopping",
    "Swapping",
    "Unborn",
    "Unreadable",
    "format_id",
]

NodeName = NewType("NodeName", str)
"""What etcd calls a member and gossip a node: for people, never an identity."""

NodeID = NewType("NodeID", str)
"""16 lower-case hex digits, random, born and lost with the disk."""

MemberID = NewType("MemberID", int)
"""etcd's 64-bit member id. Never zero: etcd's "none" is ``None`` here."""

ClusterID = NewType("ClusterID", int)
"""etcd's 64-bit cluster id."""

LeaseID = NewType("LeaseID", int)
"""etcd's 64-bit lease id."""

Revision = NewType("Revision", int)
"""etcd's KV revision, counted from 1."""


def format_id(number: int) -> str:
    """
    The hexadecimal form in which etcd's own tools print ids.

    :param number: a member, cluster or lease id.
    """
    return f"{number:x}"


@frozen
class Address:
    """
    A host and a port that something listens on or can be reached at.

    :param host: an IP literal or a DNS name, IPv6 without brackets.
    :param port: 0 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """``host:port``, with brackets around an IPv6 literal."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


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


# -- how etcd is started --------------------------------------------------------


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


# -- the child process ----------------------------------------------------------


class ProblemKind(Enum):
    """Why etcd is not running, as far as it can be recognised."""

    PORT_IN_USE = "port-in-use"
    ADDRESS_UNAVAILABLE = "address-unavailable"
    DATA_LOCKED = "data-locked"
    PERMISSION_DENIED = "permission-denied"
    DISK_FULL = "disk-full"
    DISK_FAILED = "disk-failed"
    DATA_CORRUPT = "data-corrupt"
    DATA_TOO_NEW = "data-too-new"
    MEMBER_REMOVED = "member-removed"
    CLUSTER_MISMATCH = "cluster-mismatch"
    CERTIFICATE = "certificate"
    BAD_FLAG = "bad-flag"
    BINARY_MISSING = "binary-missing"
    VERSION_REFUSED = "version-refused"
    NOT_READY = "not-ready"
    KILLED = "killed"
    EXITED = "exited"


@frozen(kw_only=True)
class ChildProblem:
    """
    One reason for which etcd does not run.

    :param message: one line: what happened, with the value that matters.
    :param remedy: one line: what a person can do.
    """

    kind: ProblemKind
    message: str
    remedy: str


@frozen
class Absent:
    """No etcd of ours runs, and none was asked for."""


@frozen(kw_only=True)
class Starting:
    """
    etcd runs but does not serve yet.

    :param since: when, in seconds of the reactor's clock.
    :param adopted: it was found running, left behind by an earlier e2d.
    """

    pid: int
    since: float
    adopted: bool = False


@frozen(kw_only=True)
class Serving:
    """
    etcd runs and has answered.

    :param since: when it first answered, in seconds of the reactor's clock.
    :param answering: False while it runs but its health checks fail.
    """

    pid: int
    since: float
    adopted: bool = False
    answering: bool = True


@frozen(kw_only=True)
class Stopping:
    """
    etcd was told to end and has not ended yet.

    :param since: when it was told, in seconds of the reactor's clock.
    """

    pid: int
    since: float


@frozen(kw_only=True)
class ChildFailed:
    """
    etcd ended, or could not be started, without being asked to.

    :param times: how often in a row, without having served for a while between.
    :param retry_at: not before this moment (reactor's clock) is a start worth trying.
    :param gave_up: so often that a person should look; it is still tried, rarely.
    """

    times: int
    problem: ChildProblem
    retry_at: float
    gave_up: bool


ChildState = Absent | Starting | Serving | Stopping | ChildFailed


# -- the disk -------------------------------------------------------------------


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
