"""The client API of a fake member: `IEtcdClient`, refusing and failing as etcd does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from attrs import define, field

from twisted.internet.defer import Deferred
from zope.interface import implementer

from e2d.interfaces import (
    Compare,
    Delete,
    EtcdDenied,
    EtcdRefused,
    EtcdUnavailable,
    IByteSource,
    IEtcdClient,
    IWatch,
    KeyValue,
    Page,
    Put,
    TxnResult,
)
from e2d.model import EtcdMember, EtcdRole, EtcdStatus, LeaseID, MemberID, Revision
from e2d.testing.etcd_roster import member_id_of
from e2d.testing.etcd_store import Store, check_size, check_transaction
from e2d.testing.etcd_streams import FakeByteSource, FakeWatch

if TYPE_CHECKING:
    from e2d.testing.etcd import FakeEtcd, FakeEtcdCluster, Replica

__all__ = ["FakeEtcdClient"]

_T = TypeVar("_T")


@implementer(IEtcdClient)
@define(eq=False)
class FakeEtcdClient:
    """
    One fake member, through its client API.

    :param timeout: the deadline of every call, in seconds of the cluster's clock.
    :param denial: what every call that needs quorum ends with, if it is not None.
    """

    _cluster: FakeEtcdCluster
    _node: FakeEtcd
    timeout: float = 5.0
    denial: EtcdDenied | None = None
    endpoint: str = field(init=False)
    _closed: bool = field(default=False, init=False)
    _watches: list[FakeWatch] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.endpoint = f"{self._node.name}:2379"

    # -- the member and its cluster ---------------------------------------------

    async def status(self) -> EtcdStatus:
        """From what this member has."""
        await self._answering()
        node, replica = self._node, self._node.replica
        leader = self._cluster.leader_seen_by(node)
        errors = () if leader is not None else ("etcdserver: no leader",)
        alarms = sorted(f"memberID:{who} alarm:{what} " for who, what in replica.alarms)
        size = len(replica.store.dump()) - 32
        return EtcdStatus(
            cluster_id=self._cluster.cluster_id,
            member_id=node.member_id,
            leader=leader,
            role=EtcdRole.VOTER if node.entry is None else node.entry.role,
            revision=replica.store.revision,
            raft_term=self._cluster.term,
            raft_index=node.applied,
            raft_applied_index=node.applied,
            version=str(self._cluster.rules.version),
            db_size_bytes=size,
            db_size_in_use_bytes=size,
            errors=(*errors, *alarms),
        )

    async def members(self) -> Sequence[EtcdMember]:
        """With quorum."""
        await self._with_quorum()
        return self._node.replica.roster.members()

    async def members_seen(self) -> Sequence[EtcdMember]:
        """From what this member has."""
        await self._as_voter()
        return self._node.replica.roster.members()

    async def add_voter(self, peer_urls: Sequence[str]) -> EtcdMember:
        """Under etcd's strict rules for reconfiguration."""
        return await self._add(peer_urls, EtcdRole.VOTER)

    async def add_learner(self, peer_urls: Sequence[str]) -> EtcdMember:
        """Under etcd's strict rules for reconfiguration."""
        return await self._add(peer_urls, EtcdRole.LEARNER)

    async def promote(self, member_id: MemberID) -> None:
        """Only a learner that is in sync with the leader."""
        await self._with_quorum()
        member = self._node.replica.roster.find(member_id)
        if member is not None and member.role is EtcdRole.LEARNER:
            self._check_in_sync(member_id)
            self._node.replica.roster.check_promote()
        self._cluster.append(lambda replica: replica.roster.promote(member_id))

    async def update_peer_urls(
        self, member_id: MemberID, peer_urls: Sequence[str]
    ) -> None:
        """Not checked for health."""
        await self._as_voter()
        _check_urls(peer_urls)
        await self._with_quorum()
        self._cluster.append(lambda r: r.roster.update(member_id, peer_urls))

    async def remove(self, member_id: MemberID) -> None:
        """Under etcd's strict rules for reconfiguration."""
        await self._with_quorum()
        member = self._node.replica.roster.find(member_id)
        if member is not None and member.role is EtcdRole.VOTER:
            self._check_removal(member_id)
        self._cluster.append(lambda replica: replica.roster.remove(member_id))

    async def move_leader(self, target: MemberID) -> None:
        """Only the leader does it."""
        await self._as_voter()
        if self._cluster.leader != self._node.member_id:
            raise _refusal("FAILED_PRECONDITION", "not leader")
        member = self._node.replica.roster.find(target)
        if target == self._node.member_id:
            return
        if member is None or member.role is EtcdRole.LEARNER:
            raise _refusal("FAILED_PRECONDITION", "bad leader transferee")
        if not self._cluster.can_lead(target):
            await self._sleep()
            raise EtcdUnavailable(self.endpoint, "leader transfer took too long")
        self._cluster.hand_over(target)

    # -- maintenance ------------------------------------------------------------

    async def alarms(self) -> Mapping[MemberID, Sequence[str]]:
        """With quorum."""
        await self._with_quorum()
        raised: dict[MemberID, list[str]] = {}
        for member_id, alarm in sorted(self._node.replica.alarms):
            raised.setdefault(member_id, []).append(alarm)
        return raised

    async def disarm(self, member_id: MemberID, alarm: str) -> None:
        """With quorum; nothing happens if there is no such alarm."""
        await self._with_quorum()
        self._cluster.append(lambda r: r.alarms.discard((member_id, alarm)))

    async def hash_kv(self, revision: Revision | None) -> tuple[int, Revision]:
        """From what this member has."""
        await self._as_voter()
        store = self._node.replica.store
        if not revision or revision != store.compacted:
            return (store.hash(revision), store.compacted)
        if not self._cluster.rules.hashes_at_compaction:
            raise _refusal("OUT_OF_RANGE", "mvcc: required revision has been compacted")
        return (store.hash(revision), store.compacted_before)

    async def compact(self, revision: Revision) -> None:
        """With quorum."""
        await self._with_quorum()
        self._cluster.append(_sound(lambda store: store.compact(revision)))

    async def defragment(self) -> None:
        """Nothing to do."""
        await self._as_voter()

    # -- keys -------------------------------------------------------------------

    async def get(self, key: bytes) -> KeyValue | None:
        """With quorum."""
        await self._with_quorum()
        self._node.replica.must_be_sound()
        return self._node.replica.store.get(key)

    async def get_serializable(self, key: bytes) -> KeyValue | None:
        """From what this member has."""
        await self._answering()
        self._node.replica.must_be_sound()
        return self._node.replica.store.get(key)

    async def put(self, key: bytes, value: bytes, lease: LeaseID | None) -> Revision:
        """With quorum."""
        await self._as_voter()
        check_size(key, value)
        await self._with_quorum()
        return self._cluster.append(_roomy(lambda s: s.put(Put(key, value, lease))))

    async def delete(self, key: bytes, range_end: bytes | None) -> int:
        """With quorum."""
        await self._with_quorum()
        return self._cluster.append(_sound(lambda s: s.delete(Delete(key, range_end))))

    async def page(
        self, key: bytes, range_end: bytes, limit: int, revision: Revision | None
    ) -> Page:
        """With quorum."""
        await self._with_quorum()
        self._node.replica.must_be_sound()
        return self._node.replica.store.page(key, range_end, limit, revision)

    async def transact(
        self,
        conditions: Sequence[Compare],
        then: Sequence[Put | Delete],
        otherwise: Sequence[Put | Delete],
    ) -> TxnResult:
        """With quorum."""
        await self._as_voter()
        check_transaction(conditions, then, otherwise)
        await self._with_quorum()
        puts = [o for o in (*then, *otherwise) if isinstance(o, Put)]
        guard = _roomy if puts else _sound
        return self._cluster.append(
            guard(lambda store: store.transact(conditions, then, otherwise))
        )

    # -- leases -----------------------------------------------------------------

    async def grant_lease(self, ttl: int) -> LeaseID:
        """With quorum."""
        await self._with_quorum()
        lease = self._cluster.new_lease()
        self._cluster.append(_roomy(lambda store: store.grant(lease, ttl)))
        self._cluster.renew(lease, self._node.replica.store.leases[lease])
        return lease

    async def keep_lease(self, lease: LeaseID) -> int:
        """Passed on to the leader."""
        await self._with_quorum()
        ttl = self._node.replica.store.leases.get(lease)
        if ttl is None:
            raise _refusal("NOT_FOUND", "requested lease not found")
        self._cluster.renew(lease, ttl)
        return ttl

    async def revoke_lease(self, lease: LeaseID) -> None:
        """With quorum."""
        await self._with_quorum()
        self._cluster.append(_sound(lambda store: store.revoke(lease)))
        self._cluster.forget(lease)

    # -- streams ----------------------------------------------------------------

    async def watch(
        self, key: bytes, range_end: bytes | None, start: Revision | None
    ) -> IWatch:
        """Ends when the member loses its leader."""
        await self._as_voter()
        if self._cluster.leader_seen_by(self._node) is None:
            raise EtcdUnavailable(self.endpoint, "etcdserver: no leader")
        first = start or Revision(self._node.replica.store.revision + 1)
        watch = FakeWatch(self._cluster, self._node, key, range_end, first)
        self._node.listeners.append(watch.look)
        self._watches.append(watch)
        watch.look()
        return watch

    async def snapshot(self) -> IByteSource:
        """From what this member has."""
        await self._answering()
        return FakeByteSource(self._node, self._node.replica.store.dump())

    async def close(self) -> None:
        """Calls under way end at once or with the next change."""
        self._closed = True
        for watch in self._watches:
            await watch.stop()

    # -- who may answer ---------------------------------------------------------

    async def _answering(self) -> None:
        self._must_be_open()
        await self._cluster.ready(self._node, self.timeout, quorum=False)
        self._must_be_open()

    async def _as_voter(self) -> None:
        await self._answering()
        entry = self._node.entry
        if entry is not None and entry.role is EtcdRole.LEARNER:
            raise _refusal("UNAVAILABLE", "rpc not supported for learner")

    async def _with_quorum(self) -> None:
        await self._as_voter()
        await self._cluster.ready(self._node, self.timeout, quorum=True)
        self._must_be_open()
        if self.denial is not None:
            raise self.denial

    def _must_be_open(self) -> None:
        if self._closed:
            raise EtcdUnavailable(self.endpoint, "this client was closed")

    async def _sleep(self) -> None:
        passed: Deferred[None] = Deferred()
        self._cluster.clock.callLater(self.timeout, passed.callback, None)
        await passed

    # -- rules of reconfiguration -----------------------------------------------

    async def _add(self, peer_urls: Sequence[str], role: EtcdRole) -> EtcdMember:
        await self._as_voter()
        _check_urls(peer_urls)
        await self._with_quorum()
        roster, cluster = self._node.replica.roster, self._cluster
        if role is EtcdRole.VOTER:
            roster.check_add_voter()
        if cluster.connected_voters(self._node) < len(roster.voters()):
            raise _refusal("UNAVAILABLE", "unhealthy cluster")
        now = int(cluster.clock.seconds())
        member = EtcdMember(
            member_id=member_id_of(peer_urls, cluster.token, now),
            name="",
            role=role,
            peer_urls=tuple(peer_urls),
        )
        return cluster.append(lambda replica: replica.roster.add(member))

    def _check_removal(self, member_id: MemberID) -> None:
        roster, cluster = self._node.replica.roster, self._cluster
        roster.check_remove_voter(member_id)
        if cluster.connected_for(self._node, member_id) is None:
            return  # it takes no part in the quorum that is
        remaining = cluster.connected_voters(self._node) - 1
        if remaining < (len(roster.voters()) - 1) // 2 + 1:
            raise _refusal("UNAVAILABLE", "unhealthy cluster")

    def _check_in_sync(self, member_id: MemberID) -> None:
        node = self._cluster.nodes.get(member_id)
        in_sync = (
            node is not None
            and self._cluster.leader_seen_by(node) is not None
            and self._cluster.clock.seconds() >= node.caught_up_at
        )
        if not in_sync:
            words = "can only promote a learner member which is in sync with leader"
            raise _refusal("FAILED_PRECONDITION", words)


def _sound(change: Callable[[Store], _T]) -> Callable[[Replica], _T]:
    def entry(replica: Replica) -> _T:
        replica.must_be_sound()
        return change(replica.store)

    return entry


def _roomy(change: Callable[[Store], _T]) -> Callable[[Replica], _T]:
    def entry(replica: Replica) -> _T:
        replica.must_have_space()
        return change(replica.store)

    return entry


def _check_urls(peer_urls: Sequence[str]) -> None:
    for url in peer_urls:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or parts.port is None or parts.path:
            raise _refusal("INVALID_ARGUMENT", "given member URLs are invalid")
    if not peer_urls:
        raise _refusal("INVALID_ARGUMENT", "given member URLs are invalid")


def _refusal(code: str, words: str) -> EtcdRefused:
    return EtcdRefused(code, f"etcdserver: {words}")
