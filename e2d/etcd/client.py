"""
Etcd's API over gRPC: the `IEtcdClient` of one member.

Note [Proof of quorum]
----------------------
A member list is proved in two ways in each call (A18, F6). From 3.5 on, the request
asks for a linearizable list. 3.4 does not know that field and answers from memory
whatever it is asked, so a linearizable read comes first: a member that has just
finished one has applied everything committed before, membership included. Both are
always done: which version answers can change between two calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from e2d.etcd import methods
from e2d.etcd.connection import ClientTLS, Connection, Login, Timeouts
from e2d.etcd.methods import Fields, Method, Reply
from e2d.etcd.streams import Snapshot, Watch, gather_blobs
from e2d.etcd.translation import (
    ALARMS,
    compare_fields,
    key_value_of,
    member_of,
    operation_fields,
    status_of,
)
from e2d.interfaces import (
    Compare,
    Delete,
    EtcdRefused,
    IByteSource,
    IDaemonReactor,
    IEtcdClient,
    IWatch,
    KeyValue,
    Page,
    Put,
    TxnResult,
)
from e2d.model import (
    Address,
    EtcdMember,
    EtcdStatus,
    LeaseID,
    MemberID,
    Revision,
)

__all__ = ["ClientTLS", "EtcdClient", "Login", "Timeouts"]

_MAX_PAGE = 10_000
_PROBE_KEY = b"/.e2d/"
"""Read, whether it exists or not, to prove quorum."""


@implementer(IEtcdClient)
class EtcdClient:
    """
    One member, through its client API.

    It connects at the first call, and again whenever a connection was lost. Nothing of
    gRPC is loaded before.

    :param reactor: for time, and to come back from threads.
    :param pool: running; each stream that is being waited on takes one of its threads.
        To be stopped after `close`, not before.
    :param address: where the member's client API listens.
    :param tls: None for plain text.
    :param login: None without etcd's own users, or with a client certificate whose
        common name is the user.
    """

    def __init__(
        self,
        reactor: IDaemonReactor,
        pool: ThreadPool,
        address: Address,
        *,
        tls: ClientTLS | None = None,
        login: Login | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.endpoint = str(address)
        self._timeouts = timeouts or Timeouts()
        self._connection = Connection(
            reactor, pool, address, tls, login, self._timeouts
        )

    # -- the member and its cluster ---------------------------------------------

    async def status(self) -> EtcdStatus:
        """``Maintenance.Status``."""
        return status_of(await self._ask(methods.STATUS, {}))

    async def members(self) -> Sequence[EtcdMember]:
        """See Note [Proof of quorum]."""
        await self.get(_PROBE_KEY)
        return await self._list({"linearizable": True})

    async def members_seen(self) -> Sequence[EtcdMember]:
        """``Cluster.MemberList``, not linearizable."""
        return await self._list({"linearizable": False})

    async def add_voter(self, peer_urls: Sequence[str]) -> EtcdMember:
        """``Cluster.MemberAdd``."""
        return await self._add({"peerURLs": list(peer_urls)})

    async def add_learner(self, peer_urls: Sequence[str]) -> EtcdMember:
        """``Cluster.MemberAdd``."""
        return await self._add({"peerURLs": list(peer_urls), "isLearner": True})

    async def promote(self, member_id: MemberID) -> None:
        """``Cluster.MemberPromote``; any member passes it on to the leader."""
        await self._ask(methods.MEMBER_PROMOTE, {"ID": member_id})

    async def update_peer_urls(
        self, member_id: MemberID, peer_urls: Sequence[str]
    ) -> None:
        """``Cluster.MemberUpdate``."""
        fields = {"ID": member_id, "peerURLs": list(peer_urls)}
        await self._ask(methods.MEMBER_UPDATE, fields)

    async def remove(self, member_id: MemberID) -> None:
        """``Cluster.MemberRemove``."""
        await self._ask(methods.MEMBER_REMOVE, {"ID": member_id})

    async def move_leader(self, target: MemberID) -> None:
        """``Maintenance.MoveLeader``."""
        await self._ask(methods.MOVE_LEADER, {"targetID": target})

    # -- maintenance ------------------------------------------------------------

    async def alarms(self) -> Mapping[MemberID, Sequence[str]]:
        """``Maintenance.Alarm``."""
        reply = await self._ask(methods.ALARM, {"action": "GET"})
        raised: dict[MemberID, list[str]] = {}
        for entry in reply.alarms:
            name = ALARMS.get(entry.alarm, f"ALARM-{entry.alarm}")
            raised.setdefault(MemberID(entry.memberID), []).append(name)
        return raised

    async def disarm(self, member_id: MemberID, alarm: str) -> None:
        """``Maintenance.Alarm``."""
        numbers = {name: number for number, name in ALARMS.items()}
        fields = {
            "action": "DEACTIVATE",
            "memberID": member_id,
            "alarm": numbers[alarm],
        }
        await self._ask(methods.ALARM, fields)

    async def hash_kv(self, revision: Revision | None) -> tuple[int, Revision]:
        """``Maintenance.HashKV``; never compacted is revision 0."""
        fields = {"revision": revision or 0}
        reply = await self._ask_slowly(methods.HASH_KV, fields)
        return (reply.hash, Revision(max(0, reply.compact_revision)))

    async def compact(self, revision: Revision) -> None:
        """``KV.Compact``."""
        fields = {"revision": revision, "physical": True}
        await self._ask_slowly(methods.COMPACT, fields)

    async def defragment(self) -> None:
        """``Maintenance.Defragment``."""
        await self._ask_slowly(methods.DEFRAGMENT, {})

    # -- keys -------------------------------------------------------------------

    async def get(self, key: bytes) -> KeyValue | None:
        """``KV.Range``."""
        return await self._get({"key": key})

    async def get_serializable(self, key: bytes) -> KeyValue | None:
        """``KV.Range``."""
        return await self._get({"key": key, "serializable": True})

    async def put(self, key: bytes, value: bytes, lease: LeaseID | None) -> Revision:
        """``KV.Put``."""
        fields = {"key": key, "value": value, "lease": lease or 0}
        reply = await self._ask(methods.PUT, fields)
        return Revision(reply.header.revision)

    async def delete(self, key: bytes, range_end: bytes | None) -> int:
        """``KV.DeleteRange``."""
        fields = {"key": key, "range_end": range_end or b""}
        reply = await self._ask(methods.DELETE_RANGE, fields)
        return int(reply.deleted)

    async def page(
        self, key: bytes, range_end: bytes, limit: int, revision: Revision | None
    ) -> Page:
        """``KV.Range``."""
        assert 1 <= limit <= _MAX_PAGE
        fields = {
            "key": key,
            "range_end": range_end,
            "limit": limit,
            "revision": revision or 0,
        }
        reply = await self._ask(methods.RANGE, fields)
        items = tuple(key_value_of(item) for item in reply.kvs)
        return Page(
            items=items,
            revision=revision or Revision(reply.header.revision),
            next_key=items[-1].key + b"\0" if reply.more and items else None,
        )

    async def transact(
        self,
        conditions: Sequence[Compare],
        then: Sequence[Put | Delete],
        otherwise: Sequence[Put | Delete],
    ) -> TxnResult:
        """``KV.Txn``."""
        fields = {
            "compare": [compare_fields(condition) for condition in conditions],
            "success": [operation_fields(operation) for operation in then],
            "failure": [operation_fields(operation) for operation in otherwise],
        }
        reply = await self._ask(methods.TXN, fields)
        return TxnResult(
            succeeded=reply.succeeded, revision=Revision(reply.header.revision)
        )

    # -- leases -----------------------------------------------------------------

    async def grant_lease(self, ttl: int) -> LeaseID:
        """``Lease.LeaseGrant``."""
        reply = await self._ask(methods.LEASE_GRANT, {"TTL": ttl})
        return LeaseID(reply.ID)

    async def keep_lease(self, lease: LeaseID) -> int:
        """``Lease.LeaseKeepAlive``: a stream for etcd, here of one message each way."""
        reply = await self._ask(methods.LEASE_KEEP_ALIVE, {"ID": lease})
        if reply.TTL <= 0:
            raise EtcdRefused("NOT_FOUND", "etcdserver: requested lease not found")
        return int(reply.TTL)

    async def revoke_lease(self, lease: LeaseID) -> None:
        """``Lease.LeaseRevoke``."""
        await self._ask(methods.LEASE_REVOKE, {"ID": lease})

    # -- streams ----------------------------------------------------------------

    async def watch(
        self, key: bytes, range_end: bytes | None, start: Revision | None
    ) -> IWatch:
        """``Watch.Watch``; it ends when the member loses its leader."""
        request = {
            "key": key,
            "range_end": range_end or b"",
            "start_revision": start or 0,
        }
        stream = await self._connection.stream(
            methods.WATCH,
            {"create_request": request},
            lambda messages: messages.take(),
            (("hasleader", "true"),),
        )
        watch = Watch(self.endpoint, stream)
        try:
            await watch.accepted(self._timeouts.request)
        except BaseException:
            stream.stop()
            raise
        return watch

    async def snapshot(self) -> IByteSource:
        """``Maintenance.Snapshot``."""
        stream = await self._connection.stream(methods.SNAPSHOT, {}, gather_blobs)
        return Snapshot(stream, self._timeouts.stall)

    async def close(self) -> None:
        """Idempotent."""
        await self._connection.close()

    # -- how to ask -------------------------------------------------------------

    async def _ask(self, method: Method, fields: Fields) -> Reply:
        return await self._connection.call(method, fields, self._timeouts.request)

    async def _ask_slowly(self, method: Method, fields: Fields) -> Reply:
        return await self._connection.call(method, fields, self._timeouts.slow)

    async def _list(self, fields: Fields) -> Sequence[EtcdMember]:
        reply = await self._ask(methods.MEMBER_LIST, fields)
        return tuple(member_of(member) for member in reply.members)

    async def _add(self, fields: Fields) -> EtcdMember:
        reply = await self._ask(methods.MEMBER_ADD, fields)
        return member_of(reply.member)

    async def _get(self, fields: Fields) -> KeyValue | None:
        reply = await self._ask(methods.RANGE, fields)
        return key_value_of(reply.kvs[0]) if reply.kvs else None
