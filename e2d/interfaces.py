"""
What the layers ask of each other: behaviour, errors, idempotence.

Implementations add only what is theirs. Errors that cross an interface are defined
here. Every coroutine either returns or raises one of the named errors within a bounded
time; none of them blocks the reactor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from attrs import frozen

from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorProcess,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUNIX,
)
from zope.interface import Attribute, Interface

from e2d.cluster.report import Decision, Report
from e2d.model import (
    ChildState,
    DataState,
    EtcdMember,
    EtcdStart,
    EtcdStatus,
    Founding,
    LeaseID,
    MemberID,
    NodeID,
    NodeName,
    Pause,
    Revision,
)

__all__ = [
    "Compare",
    "CompareResult",
    "CompareTarget",
    "DataDirectoryError",
    "Delete",
    "EtcdError",
    "EtcdRefused",
    "EtcdUnavailable",
    "Event",
    "IByteSource",
    "IDaemonControl",
    "IDaemonReactor",
    "IDaemonView",
    "IEtcdClient",
    "IEtcdDataDirectory",
    "IEtcdServer",
    "IWatch",
    "KeyValue",
    "Page",
    "Put",
    "TxnResult",
]


class IDaemonReactor(
    IReactorCore,
    IReactorFDSet,
    IReactorProcess,
    IReactorTCP,
    IReactorThreads,
    IReactorTime,
    IReactorUNIX,
    Interface,
):
    """All that the daemon asks of a reactor, in one name (mypy-zope wants one)."""


# -- etcd's API -----------------------------------------------------------------


class EtcdError(Exception):
    """etcd did not do what it was asked to."""


class EtcdUnavailable(EtcdError):
    """
    No answer: not reachable, no quorum, or not within the deadline.

    Whether a change was made is *not known*: read again before you repeat it.

    :param endpoint: ``host:port`` that was asked.
    :param reason: one line.
    """

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"etcd at {endpoint} did not answer: {reason}")
        self.endpoint = endpoint
        self.reason = reason


class EtcdRefused(EtcdError):
    """
    etcd answered, and the answer is no.

    :param code: gRPC's name of the status: ``FAILED_PRECONDITION``.
    :param message: etcd's own words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"etcd refused ({code}): {message}")
        self.code = code
        self.message = message


@frozen(kw_only=True)
class KeyValue:
    """
    A key as it stands, or stood.

    :param lease: None if the key outlives every lease.
    """

    key: bytes
    value: bytes
    create_revision: Revision
    mod_revision: Revision
    version: int
    lease: LeaseID | None = None


@frozen(kw_only=True)
class Page:
    """
    A part of a range.

    :param revision: the revision of the store at which it was read.
    :param next_key: where the next page starts, None after the last.
    """

    items: tuple[KeyValue, ...]
    revision: Revision
    next_key: bytes | None


@frozen
class Put:
    """Set a key, in a transaction."""

    key: bytes
    value: bytes
    lease: LeaseID | None = None


@frozen
class Delete:
    """
    Delete a key, or ``[key, range_end)``, in a transaction.

    :param range_end: None for the one key; a single zero byte for "to the end".
    """

    key: bytes
    range_end: bytes | None = None


class CompareTarget(Enum):
    """What of a key is compared."""

    VALUE = "value"
    VERSION = "version"
    CREATE_REVISION = "create-revision"
    MOD_REVISION = "mod-revision"


class CompareResult(Enum):
    """How it is compared."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"


@frozen
class Compare:
    """
    A condition of a transaction.

    An absent key has version 0 and both revisions 0; no comparison of its value holds,
    NOT_EQUAL neither.

    :param operand: bytes for VALUE, int for the others.
    """

    key: bytes
    target: CompareTarget
    result: CompareResult
    operand: bytes | int


@frozen(kw_only=True)
class TxnResult:
    """
    :param succeeded: whether every comparison held, and so which branch was done.
    """

    succeeded: bool
    revision: Revision


@frozen(kw_only=True)
class Event:
    """
    One change, as a watch tells it.

    :param deleted: True for a deletion; then ``item`` has an empty value.
    """

    item: KeyValue
    deleted: bool


class IWatch(Interface):
    """A stream of changes that ends when it is told to, or when etcd ends it."""

    async def next() -> Sequence[Event]:
        """
        Wait for the next changes, in revision order, none twice and none left out.

        :raises EtcdRefused: etcd cancelled the watch (``OUT_OF_RANGE``: compacted).
        :raises EtcdUnavailable: the connection broke; watch again from the next
            revision.
        """

    async def stop() -> None:
        """End it. Idempotent; a pending `next` raises `EtcdUnavailable`."""


class IByteSource(Interface):
    """Bytes that come when asked for, so that whoever writes them sets the pace."""

    async def read() -> bytes:
        """
        The next piece, at most 1 MiB; ``b""`` at the end, then and ever after.

        :raises EtcdUnavailable: it broke off: what was read is not whole.
        """

    async def close() -> None:
        """Give up the rest. Idempotent."""


class IEtcdClient(Interface):
    """
    One member of etcd, through its client API.

    One client is one endpoint: there is no failover, so an answer is always that
    member's own. Every call has a deadline and raises `EtcdUnavailable` past it, and
    `EtcdRefused` when etcd says no. A call may be cancelled.
    """

    endpoint: str = Attribute("``host:port``")

    async def status() -> EtcdStatus:
        """What this member says of itself: no quorum is needed."""

    async def members() -> Sequence[EtcdMember]:
        """
        The membership, proved by quorum in this very call (A18).

        :raises EtcdUnavailable: there is no quorum, or it is not proved.
        """

    async def members_seen() -> Sequence[EtcdMember]:
        """The membership as this member last saw it: may be stale, decides nothing."""

    async def add_voter(peer_urls: Sequence[str]) -> EtcdMember:
        """Add an unstarted voter."""

    async def add_learner(peer_urls: Sequence[str]) -> EtcdMember:
        """Add an unstarted learner."""

    async def promote(member_id: MemberID) -> None:
        """Make a learner vote."""

    async def update_peer_urls(member_id: MemberID, peer_urls: Sequence[str]) -> None:
        """Tell the cluster where a voter is to be reached (never for learners)."""

    async def remove(member_id: MemberID) -> None:
        """Remove a member; its id never comes back."""

    async def move_leader(target: MemberID) -> None:
        """Hand leadership over; only the leader's own endpoint accepts it."""

    async def alarms() -> Mapping[MemberID, Sequence[str]]:
        """The alarms raised, ``NOSPACE`` or ``CORRUPT``, by member."""

    async def disarm(member_id: MemberID, alarm: str) -> None:
        """Clear one alarm of one member."""

    async def hash_kv(revision: Revision | None) -> tuple[int, Revision]:
        """
        The hash of this member's key space, and the compact revision it was taken over.

        :param revision: up to which; None for the newest this member has.
        """

    async def compact(revision: Revision) -> None:
        """Forget the history below a revision, physically too before it returns."""

    async def defragment() -> None:
        """Give free pages back. Blocks this member's reads and writes meanwhile."""

    async def get(key: bytes) -> KeyValue | None:
        """A linearizable read of one key."""

    async def get_serializable(key: bytes) -> KeyValue | None:
        """A read of what this member has, stale or not; works on learners."""

    async def put(key: bytes, value: bytes, lease: LeaseID | None) -> Revision:
        """Set a key; the revision it was set at."""

    async def delete(key: bytes, range_end: bytes | None) -> int:
        """Delete a key or ``[key, range_end)``; how many were deleted."""

    async def page(
        key: bytes, range_end: bytes, limit: int, revision: Revision | None
    ) -> Page:
        """
        A linearizable read of at most ``limit`` keys of ``[key, range_end)``.

        :param limit: 1 to 10,000.
        :param revision: the revision of the first page, for the pages after it.
        """

    async def transact(
        conditions: Sequence[Compare],
        then: Sequence[Put | Delete],
        otherwise: Sequence[Put | Delete],
    ) -> TxnResult:
        """All of one branch at one revision, or nothing. At most 128 operations."""

    async def grant_lease(ttl: int) -> LeaseID:
        """
        :param ttl: seconds.
        """

    async def keep_lease(lease: LeaseID) -> int:
        """
        Renew once; the seconds it then has.

        :raises EtcdRefused: ``NOT_FOUND``: it has expired or was revoked.
        """

    async def revoke_lease(lease: LeaseID) -> None:
        """End a lease and delete its keys."""

    async def watch(
        key: bytes, range_end: bytes | None, start: Revision | None
    ) -> IWatch:
        """
        Changes of a key or ``[key, range_end)``; accepted by etcd when this returns.

        :param start: the first revision of interest; None for "from now on".
        """

    async def snapshot() -> IByteSource:
        """The member's whole database as etcd sends it: the file, then its SHA-256."""

    async def close() -> None:
        """Let go of the connection. Calls under way raise `EtcdUnavailable`."""


# -- etcd's process -------------------------------------------------------------


class IEtcdServer(Interface):
    """
    The one etcd process of this node: started, watched, stopped, adopted.

    It decides nothing: it says what is (`state`), tells subscribers that it changed,
    and computes when another start is worth trying.
    """

    def state() -> ChildState:
        """What is now."""

    def version() -> str | None:
        """The etcd binary's version, None before it was asked."""

    def warnings() -> Sequence[str]:
        """What an operator should know of this binary or process, a line each."""

    def subscribe(listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change of `state`."""

    async def adopt() -> bool:
        """
        Look for an etcd that an earlier e2d left running on this data directory.

        :return: True if there is one and it is ours now: `state` is Starting or
            Serving. An etcd on our data that cannot be ours makes `state`
            ChildFailed(DATA_LOCKED).
        """

    async def start(start: EtcdStart) -> None:
        """
        Execute etcd. Returns when it runs or failed to; the rest is seen in `state`.

        Only when `state` is Absent or ChildFailed.
        """

    async def stop() -> None:
        """
        SIGTERM, then SIGKILL after a bound; returns when the process is gone.

        From any state, and then `state` is Absent. Idempotent.
        """

    def forgive() -> None:
        """Forget the failures counted so far: the next start is worth trying now."""


class DataDirectoryError(Exception):
    """
    The data directory cannot be used.

    :param message: one line with the path, what is wrong and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class IEtcdDataDirectory(Interface):
    """
    etcd's directory and e2d's own records inside it (A7): ``<dataDir>/e2d/``.

    Records are replaced atomically and are on disk when a call returns.

    :raises DataDirectoryError: from any call, when the disk says no.
    """

    path: str = Attribute("Absolute path.")

    async def examine(now: float) -> DataState:
        """
        What is there. While etcd runs on it only whose it is can be relied on (C12).

        It waits for nobody: a database that another process has locked is not read,
        and then `Holds` has no name. What the disk refuses to show is `Unreadable`.

        :param now: seconds of the reactor's clock, for `Missing.since`.
        """

    async def node_id() -> NodeID:
        """The id of the disk; made on the first call."""

    async def node_name() -> NodeName | None:
        """The name recorded by `record_name`."""

    async def record_name(name: NodeName) -> None:
        """Keep the name for the next start."""

    async def founding() -> Founding | None:
        """The founding recorded here."""

    async def record_founding(founding: Founding) -> None:
        """
        Keep a founding.

        With ``started`` it also makes ``member/`` ready for the first exec: it leaves
        the mark that proves, until `record_member`, that etcd was not yet seen to
        live here, and puts a log out of the way that a kill left without any entry.
        Call it before each exec for a founding. Idempotent.

        :raises DataDirectoryError: also when the directory is neither Empty nor
            Unborn, or another founding was started here: no cluster is founded then.
        """

    async def record_member(holds: DataState) -> None:
        """
        Etcd lives here: drop the mark, renew the breadcrumb outside. Idempotent.

        :param holds: a `Holds`.
        """

    async def set_aside(reason: str) -> str:
        """
        Move ``member/`` out of the way, never deleting it (A14).

        :return: where it is now.
        :raises DataDirectoryError: also when the limit of things set aside is reached.
        """

    async def finish_swap() -> None:
        """Finish or undo a swap that was cut short. Idempotent."""

    async def pause() -> Pause | None:
        """The pause on record, expired or not."""

    async def record_pause(pause: Pause) -> None:
        """Keep a pause; one that is over ends any before it."""


# -- the daemon as others see it ------------------------------------------------


class IDaemonView(Interface):
    """What can be read of the running daemon; never blocks, never fails."""

    def report() -> Report:
        """Everything, as of the last turn of the loop."""

    def decisions() -> Sequence[Decision]:
        """The last decisions, oldest first, at most 100."""

    def alive() -> bool:
        """Whether a turn ended lately, or one is under way within its own limits."""


class IDaemonControl(Interface):
    """What the running daemon can be told, by a person known by ``by`` (``uid 0``)."""

    async def pause(pause: Pause) -> None:
        """
        Hands off until the pause ends: kept on disk.

        :raises DataDirectoryError: it could not be kept, so it does not hold.
        """

    async def resume(by: str) -> None:
        """
        End the pause. Idempotent.

        :raises DataDirectoryError: it could not be ended on disk.
        """

    async def restart_etcd(by: str) -> None:
        """
        Stop etcd and start it again on its data; returns when it was stopped.

        Also forgives the failures counted so far, so a start follows at once.
        """
