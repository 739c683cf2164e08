"""One member of etcd, through its client API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Attribute, Interface

from e2d.interfaces.etcd_values import (
    Compare,
    Delete,
    Event,
    KeyValue,
    Page,
    Put,
    TxnResult,
)
from e2d.model import EtcdMember, EtcdStatus, LeaseID, MemberID, Revision

__all__ = ["IByteSource", "IEtcdClient", "IWatch"]


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
