"""
A cluster of etcd in memory: one log, a replica per member, links that can be cut.

Note [How the fake agrees]
--------------------------
There is one log, which only a leader with a majority appends to. A member applies the
log as far as it is linked to the leader, at once; one that is not falls behind and
answers from what it has. So stale lists, reads and snapshots of a cut-off member come
of themselves, as do lost quorum and catching up. Elections take `ELECTION_SECONDS` of
the injected clock; nothing else takes time unless a test says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from random import Random
from typing import TypeVar

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from e2d.interfaces import EtcdRefused, EtcdUnavailable, IEtcdClient
from e2d.model import (
    ClusterID,
    EtcdMember,
    LeaseID,
    MemberID,
)
from e2d.testing.etcd_client import FakeEtcdClient
from e2d.testing.etcd_node import Entry, FakeEtcd, Replica
from e2d.testing.etcd_roster import RULES, Roster, Rules, member_id_of

__all__ = ["ELECTION_SECONDS", "FakeEtcd", "FakeEtcdCluster", "Replica"]

ELECTION_SECONDS = 1.0
_HEALTH_SECONDS = 5.0
_T = TypeVar("_T")


@define(eq=False)
class FakeEtcdCluster:
    """
    A cluster, as the world outside of it sees and hurts it.

    :param names: of the founding members; each is at ``http://NAME:2380``.
    :param token: of the founding: with the URLs it makes the ids.
    """

    clock: IReactorTime
    _random: Random
    names: Sequence[str] = ("n1",)
    rules: Rules = RULES[(3, 5)]
    token: str = "e2d"  # noqa: S105 - etcd's name for the id of a founding
    term: int = field(default=2, init=False)
    leader: MemberID | None = field(default=None, init=False)
    nodes: dict[MemberID, FakeEtcd] = field(factory=dict, init=False)
    log: list[Entry] = field(factory=list, init=False)
    _cut: set[frozenset[MemberID]] = field(factory=set, init=False)
    _linked_since: dict[frozenset[MemberID], float] = field(factory=dict, init=False)
    _election: IDelayedCall | None = field(default=None, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _expiries: dict[LeaseID, IDelayedCall] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        founders = [self._founder(name) for name in self.names]
        self.log.extend(_founding(member) for member in founders)
        for member in founders:
            self._spawn(member.member_id, member.name)
        self._relink()
        self._elect()

    @property
    def cluster_id(self) -> ClusterID:
        """Made of the founding members' ids."""
        urls = [f"http://{name}:2380" for name in self.names]
        return ClusterID(member_id_of(urls, self.token, None))

    def node(self, name: str) -> FakeEtcd:
        """The process of a member, by its name."""
        return next(node for node in self.nodes.values() if node.name == name)

    def client(self, member_id: MemberID) -> IEtcdClient:
        """A client of one member."""
        return FakeEtcdClient(self, self.nodes[member_id])

    # -- what happens to processes and links ------------------------------------

    def boot(self, member_id: MemberID, name: str, catch_up: float = 0.0) -> FakeEtcd:
        """
        Start the process of a member that was added.

        :param catch_up: seconds until it is in sync with the leader.
        """
        node = self._spawn(member_id, name)
        node.caught_up_at = self.clock.seconds() + catch_up
        self.changed()
        self._publish(node)
        return node

    def stop(self, member_id: MemberID) -> None:
        """End the process; its disk stays."""
        self.nodes[member_id].running = False
        self.changed()

    def start(self, member_id: MemberID) -> None:
        """Start the process again."""
        self.nodes[member_id].running = True
        self.changed()

    def pause(self, member_id: MemberID) -> None:
        """SIGSTOP."""
        self.nodes[member_id].paused_since = self.clock.seconds()
        self.changed()
        self.clock.callLater(self.rules.frozen_peer_looks_alive, self.changed)

    def resume(self, member_id: MemberID) -> None:
        """SIGCONT."""
        self.nodes[member_id].paused_since = None
        self.changed()

    def partition(self, *groups: Iterable[MemberID]) -> None:
        """Cut every link between members of different groups."""
        sides = [frozenset(group) for group in groups]
        self._cut = {
            frozenset((one, other))
            for left, right in combinations(sides, 2)
            for one in left
            for other in right
        }
        self.changed()

    def heal(self) -> None:
        """Mend every link."""
        self._cut.clear()
        self.changed()

    def raise_alarm(self, member_id: MemberID, alarm: str) -> None:
        """A member is full (``NOSPACE``) or corrupt (``CORRUPT``)."""
        self.append(lambda replica: replica.alarms.add((member_id, alarm)))

    # -- what members know of each other ----------------------------------------

    def leader_seen_by(self, node: FakeEtcd) -> MemberID | None:
        """The leader, if this member hears it."""
        if self.leader is None or not self._linked(node.member_id, self.leader):
            return None
        return self.leader

    def connected_for(self, node: FakeEtcd, other: MemberID) -> float | None:
        """Seconds for which a peer looks connected from here; None if it does not."""
        if other == node.member_id:
            return float("inf")
        since = self._linked_since.get(frozenset((node.member_id, other)))
        return None if since is None else self.clock.seconds() - since

    def connected_voters(self, node: FakeEtcd) -> int:
        """How many voters have looked connected for five seconds, itself included."""
        links = (
            self.connected_for(node, member.member_id)
            for member in node.replica.roster.voters()
        )
        return sum(link is not None and link >= _HEALTH_SECONDS for link in links)

    # -- the log ----------------------------------------------------------------

    async def ready(self, node: FakeEtcd, seconds: float, *, quorum: bool) -> None:
        """
        Wait until a member can answer.

        :param quorum: whether it must hear a leader for that.
        :raises EtcdUnavailable: it runs not, or could not within so many seconds.
        """
        deadline = self.clock.seconds() + seconds
        while True:
            if not node.running:
                raise EtcdUnavailable(node.name, "connection refused")
            if node.answers and not (quorum and self.leader_seen_by(node) is None):
                return
            if self.clock.seconds() >= deadline:
                raise EtcdUnavailable(node.name, "deadline exceeded")
            await self._change(deadline - self.clock.seconds())

    def append(self, entry: Callable[[Replica], _T]) -> _T:
        """Append to the log, and the leader's result of it. There must be a leader."""
        assert self.leader is not None
        results: list[_T] = []
        refusals: list[EtcdRefused] = []

        def first(replica: Replica) -> None:
            try:
                result = entry(replica)
            except EtcdRefused as refusal:
                refusals.append(refusal)
            else:
                results.append(result)

        self.log.append(first)
        self._replicate()
        if refusals:
            raise refusals[0]
        return results[0]

    def hand_over(self, target: MemberID) -> None:
        """Make another the leader."""
        if target != self.leader:
            self._lead(target)

    def can_lead(self, member_id: MemberID) -> bool:
        """Whether a voter is linked to a majority of the voters."""
        voters = self._newest().replica.roster.voters()
        linked = sum(self._linked(member_id, voter.member_id) for voter in voters)
        known = any(voter.member_id == member_id for voter in voters)
        return known and linked > len(voters) // 2

    def renew(self, lease: LeaseID, ttl: int) -> None:
        """Let a lease live for its time, from now on."""
        self.forget(lease)
        self._expiries[lease] = self.clock.callLater(ttl, self._expire, lease)

    def forget(self, lease: LeaseID) -> None:
        """A lease ended."""
        expiry = self._expiries.pop(lease, None)
        if expiry is not None and expiry.active():
            expiry.cancel()

    def new_lease(self) -> LeaseID:
        """An id for a lease."""
        return LeaseID(self._random.getrandbits(62) + 1)

    def changed(self) -> None:
        """Processes or links changed: see who leads, catch up, wake who waits."""
        self._relink()
        if self.leader is not None and not self.can_lead(self.leader):
            self.leader = None
        if self.leader is None:
            self._call_election()
        self._replicate()

    # -- inside -----------------------------------------------------------------

    def _founder(self, name: str) -> EtcdMember:
        urls = (f"http://{name}:2380",)
        return EtcdMember(
            member_id=member_id_of(urls, self.token, None),
            name=name,
            peer_urls=urls,
            client_urls=(f"http://{name}:2379",),
        )

    def _spawn(self, member_id: MemberID, name: str) -> FakeEtcd:
        node = FakeEtcd(member_id, name, Replica(Roster(self.rules)))
        self.nodes[member_id] = node
        return node

    def _publish(self, node: FakeEtcd) -> None:
        urls = (f"http://{node.name}:2379",)
        if self.leader_seen_by(node) is not None:
            self.append(lambda r: r.roster.publish(node.member_id, node.name, urls))

    def _newest(self) -> FakeEtcd:
        return max(self.nodes.values(), key=lambda node: node.applied)

    def _linked(self, one: MemberID, other: MemberID) -> bool:
        ends = [self.nodes.get(one), self.nodes.get(other)]
        if not all(node is not None and node.answers for node in ends):
            return False
        return frozenset((one, other)) not in self._cut

    def _relink(self) -> None:
        now = self.clock.seconds()
        for one, other in combinations(self.nodes, 2):
            pair = frozenset((one, other))
            if self._looks_linked(pair, now):
                self._linked_since.setdefault(pair, now)
            else:
                self._linked_since.pop(pair, None)

    def _looks_linked(self, pair: frozenset[MemberID], now: float) -> bool:
        if pair in self._cut:
            return False
        for node in (self.nodes[member_id] for member_id in pair):
            frozen = 0.0 if node.paused_since is None else now - node.paused_since
            paused = node.paused_since is not None
            if not node.running:
                return False
            if paused and frozen >= self.rules.frozen_peer_looks_alive:
                return False
        return True

    def _call_election(self) -> None:
        if self._election is None or not self._election.active():
            self._election = self.clock.callLater(ELECTION_SECONDS, self._elect)

    def _elect(self) -> None:
        self._apply_founding()
        able = [node for node in self.nodes.values() if self.can_lead(node.member_id)]
        if self.leader is None and able:
            best = max(able, key=lambda node: (node.applied, -node.member_id))
            self._lead(best.member_id)

    def _apply_founding(self) -> None:
        """A founder knows its cluster before it hears of anybody."""
        for node in self.nodes.values():
            while node.applied < len(self.names):
                self._apply_next(node)

    def _lead(self, member_id: MemberID) -> None:
        self.leader = member_id
        self.term += 1
        for lease, ttl in self._newest().replica.store.leases.items():
            self.renew(lease, ttl)
        self._replicate()

    def _replicate(self) -> None:
        for node in tuple(self.nodes.values()):
            if self.leader_seen_by(node) is not None:
                while node.applied < len(self.log):
                    self._apply_next(node)
        for node in tuple(self.nodes.values()):
            if node.running and node.applied == len(self.log) and node.entry is None:
                # A member that learns that it was removed exits for good.
                node.running = False
                self.clock.callLater(0, self.changed)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)
        for node in tuple(self.nodes.values()):
            node.tell()

    def _apply_next(self, node: FakeEtcd) -> None:
        self.log[node.applied](node.replica)
        node.applied += 1

    def _expire(self, lease: LeaseID) -> None:
        if self.leader is None:
            return  # the next leader gives it its full time anew
        self._expiries.pop(lease, None)
        self.append(lambda replica: replica.store.revoke(lease))

    async def _change(self, seconds: float) -> None:
        waiter: Deferred[None] = Deferred()
        self._waiting.append(waiter)
        late = self.clock.callLater(seconds, self._stop_waiting, waiter)
        try:
            await waiter
        finally:
            if late.active():
                late.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _stop_waiting(self, waiter: Deferred[None]) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            waiter.callback(None)


def _founding(member: EtcdMember) -> Entry:
    return lambda replica: replica.roster.add(member)
