"""
The same operations on the fake etcd and on real ones, one after the other.

Answers are compared after ids, URLs and leases were replaced by names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from attrs import define, evolve, field

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from e2d.interfaces import (
    Delete,
    EtcdRefused,
    EtcdUnavailable,
    IEtcdClient,
    KeyValue,
    Put,
)
from e2d.model import EtcdMember, EtcdStatus, LeaseID, MemberID
from e2d.testing.etcd import FakeEtcdCluster
from e2d.testing.etcd_roster import RULES
from tests.integration.etcds import Etcds, Node

__all__ = ["FakeSide", "RealSide", "Side", "answer_of"]

SETTLE = 2.0


@define(eq=False)
class Side:
    """
    One of the two clusters, spoken of in names.

    :ivar urls: peer URLs by node name.
    :ivar leases: ids of leases in the order in which they were granted.
    """

    urls: dict[str, str] = field(factory=dict, init=False)
    ids: dict[str, MemberID] = field(factory=dict, init=False)
    leases: list[LeaseID] = field(factory=list, init=False)

    def client(self, name: str) -> IEtcdClient:
        """A client of a node."""
        raise NotImplementedError

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        raise NotImplementedError

    def drive(self, asked: Awaitable[object]) -> Awaitable[object]:
        """Have an answer come."""
        raise NotImplementedError

    def lease(self, number: int | None) -> LeaseID | None:
        """The id of a lease."""
        return None if number is None else self.leases[number]

    def name_of(self, member_id: MemberID | None) -> str | None:
        """The node's name, of an id."""
        names = {known: name for name, known in self.ids.items()}
        return None if member_id is None else names.get(member_id, "?")

    def plain(self, answer: object) -> object:
        """An answer without what is this side's own."""
        match answer:
            case KeyValue(lease=lease) if lease is not None:
                return evolve(answer, lease=self.leases.index(lease))
            case EtcdMember():
                urls = {url: name for name, url in self.urls.items()}
                where = tuple(urls[url] for url in answer.peer_urls)
                return (answer.name, answer.role, where)
            case EtcdStatus():
                leader = self.name_of(answer.leader)
                return (leader, answer.role, answer.revision, answer.errors)
            case tuple() | list():
                plain = [self.plain(part) for part in answer]
                return sorted(plain, key=repr) if _is_members(answer) else plain
        return answer


def _is_members(answer: tuple[object, ...] | list[object]) -> bool:
    return bool(answer) and isinstance(answer[0], EtcdMember)


async def answer_of(side: Side, ask: Callable[[Side], Awaitable[object]]) -> object:
    """What a side answers, in plain terms; errors are answers too."""
    try:
        return side.plain(await side.drive(ask(side)))
    except EtcdRefused as refusal:
        return ("refused", refusal.code, refusal.message)
    except EtcdUnavailable:
        return "unavailable"


@define(eq=False)
class FakeSide(Side):
    """The fake."""

    clock: Clock
    cluster: FakeEtcdCluster

    @classmethod
    def found(cls, names: list[str], line: tuple[int, int]) -> FakeSide:
        """A cluster of the fake."""
        clock = Clock()
        clock.advance(1000)
        rules = RULES.get(line, RULES[(3, 5)])
        side = cls(clock, FakeEtcdCluster(clock, Random(1), names, rules))
        for node in side.cluster.nodes.values():
            side.ids[node.name] = node.member_id
            side.urls[node.name] = f"http://{node.name}:2380"
        return side

    def client(self, name: str) -> IEtcdClient:
        """Of the fake."""
        return self.cluster.client(self.ids[name])

    async def wait(self, seconds: float) -> None:
        """In steps, so that what is due happens in order."""
        for _ in range(int(seconds * 10)):
            self.clock.advance(0.1)

    def drive(self, asked: Awaitable[object]) -> Awaitable[object]:
        """Advance the clock until it is there."""
        done = Deferred.fromCoroutine(asked)  # type: ignore[arg-type]
        for _ in range(200):
            if done.called:
                return done
            self.clock.advance(0.1)
        raise AssertionError("the fake does not answer")

    async def follow(self, leader: str | None) -> None:
        """Have the leader that the real ones elected."""
        if leader is not None and self.cluster.leader is not None:
            self.cluster.hand_over(self.ids[leader])

    async def kill(self, name: str) -> None:
        """End a node."""
        self.cluster.stop(self.ids[name])

    async def start(self, name: str) -> None:
        """Start a node, for the first time or again."""
        if self.ids[name] in self.cluster.nodes:
            self.cluster.start(self.ids[name])
        else:
            self.cluster.boot(self.ids[name], name)

    async def prepare(self, name: str) -> None:
        """Know where a node will be."""
        self.urls[name] = f"http://{name}:2380"


@define(eq=False)
class RealSide(Side):
    """Real etcds."""

    etcds: Etcds
    _connect: Callable[[Node], IEtcdClient]
    _sleep: Callable[[float], Awaitable[None]]
    _clients: dict[str, IEtcdClient] = field(factory=dict, init=False)

    async def begin(self) -> None:
        """Wait for the founding, and learn who is who."""
        for node in self.etcds.nodes:
            self.urls[node.name] = node.peer_url
        await self.serving([node.name for node in self.etcds.nodes])
        for member in await self.client("n1").members():
            self.ids[member.name] = member.member_id

    def client(self, name: str) -> IEtcdClient:
        """One for each node."""
        if name not in self._clients:
            self._clients[name] = self._connect(self._node(name))
        return self._clients[name]

    async def wait(self, seconds: float) -> None:
        """Really."""
        await self._sleep(seconds)

    def drive(self, asked: Awaitable[object]) -> Awaitable[object]:
        """It comes by itself."""
        return asked

    async def serving(self, names: list[str]) -> None:
        """Wait until these have agreed on a leader."""
        for name in names:
            await self._serving(name)

    async def _serving(self, name: str) -> None:
        said: object = None
        for _ in range(600):
            try:
                said = status = await self.client(name).status()
            except EtcdUnavailable as error:
                said, status = error, None
            if status is not None and status.leader is not None:
                return
            await self._sleep(0.05)
        told = "\n  ".join(self._node(name).log().splitlines()[-20:])
        raise AssertionError(f"{name} does not serve: {said}; its log:\n  {told}")

    async def leader(self, names: list[str]) -> str | None:
        """Who leads, as the nodes say that run."""
        seen = [(await self.client(name).status()).leader for name in names]
        return next((self.name_of(leader) for leader in seen if leader), None)

    async def kill(self, name: str) -> None:
        """SIGKILL."""
        self._node(name).kill()

    async def start(self, name: str) -> None:
        """Again, or for the first time."""
        self._node(name).start()

    async def prepare(self, name: str) -> None:
        """Reserve a URL."""
        self.urls[name] = self.etcds.new_peer_url()

    def make(self, name: str, members: list[str]) -> None:
        """Have a node that can be started as a member."""
        initial = {member: self.urls[member] for member in (*members, name)}
        self.etcds.prepare(name, initial, self.urls[name])

    def _node(self, name: str) -> Node:
        return next(node for node in self.etcds.nodes if node.name == name)


def operation(random: Random, key: Callable[[], bytes]) -> Put | Delete:
    """An operation of a transaction."""
    if random.random() < 0.6:
        return Put(key(), b"%d" % random.randrange(100))
    first, last = sorted((key(), key()))
    return Delete(first, last + b"\0" if random.random() < 0.5 else None)
