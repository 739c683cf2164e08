"""Nodes of a ring, on a network in memory."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from attrs import define, evolve, field

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from e2d.gossip.presence import RingSettings
from e2d.gossip.service import GossipService
from e2d.model import Address, GossipMember, Rank
from e2d.swim.messages import PeerAddress
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LOCAL, Settings
from e2d.testing.contracts.membership import announcement
from e2d.testing.network import MemoryNetwork, NetworkReactor

__all__ = ["PORT", "QUICK", "Node", "Pool", "RingTestCase", "ring_settings", "where"]

PORT = 7980

QUICK = evolve(LOCAL, probe_interval=0.3, probe_timeout=0.1, gossip_interval=0.05)

_T = TypeVar("_T")


def where(host: str, port: int = PORT) -> PeerAddress:
    """An address, as the protocol has it."""
    return PeerAddress(bytes(map(int, host.split("."))), port)


def ring_settings(host: str, **changes: object) -> RingSettings:
    """How a node takes part, but for what is given."""
    settings = RingSettings(
        listen=Address(host, PORT),
        advertise=Address(host, PORT),
        timings=QUICK,
        label="e2d",
        cluster_name="e2d",
        client_url=f"http://{host}:2379",
        peer_url=f"http://{host}:2380",
        e2d_version="0.1.0",
        compat=None,
    )
    changed: RingSettings = evolve(settings, **changes)
    return changed


@define(eq=False)
class Pool:
    """
    A pool of threads that works at once, or when it is let.

    :ivar busy: whether what it is given has to wait.
    """

    busy: bool = False
    _waiting: list[Callable[[], None]] = field(factory=list, init=False)

    def __call__(self, function: Callable[[], _T], /) -> Awaitable[_T]:
        """Run it."""
        if not self.busy:
            return maybeDeferred(function)
        done: Deferred[_T] = Deferred()
        self._waiting.append(lambda: self._run(function, done))
        return done

    @property
    def waiting(self) -> int:
        """How much has to wait."""
        return len(self._waiting)

    def work(self) -> None:
        """Do all that waits, and from now on everything at once."""
        self.busy = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()

    def _run(self, function: Callable[[], _T], done: Deferred[_T]) -> None:
        maybeDeferred(function).chainDeferred(done)


@define(eq=False)
class Node:
    """
    One node, and what was told of it.

    :ivar keyring: what its keys are; raised, where it is an exception.
    :ivar outcomes: of each exchange of states.
    :ivar told: told of each, too.
    :ivar lines: of its own log, with their levels.
    """

    host: str
    reactor: NetworkReactor
    settings: RingSettings
    keyring: Keyring | Exception | None = None
    pool: Pool = field(factory=Pool)
    reading: Pool = field(factory=Pool)
    outcomes: list[tuple[PeerAddress, str | None]] = field(factory=list)
    told: Callable[[PeerAddress, str | None], None] = lambda _to, _why: None
    lines: list[tuple[str, str]] = field(factory=list)
    service: GossipService = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.service = GossipService(
            reactor=self.reactor,
            run_in_pool=self.pool,
            settings=self.settings,
            read_keyring=self._read_keyring,
            random=Random(self.host),
            nonce=os.urandom,
            outcome=self._outcome,
            log=Logger(observer=self._note),
        )

    @property
    def address(self) -> PeerAddress:
        """Where it gossips."""
        return where(self.host)

    def said(self, text: str) -> list[str]:
        """The levels of the lines of its log with this in them."""
        return [level for level, line in self.lines if text in line]

    def member(self, name: str) -> GossipMember | None:
        """A node, as this one sees it."""
        members = self.service.view().members or ()
        return next((each for each in members if each.name == name), None)

    def ranks(self) -> dict[str, Rank]:
        """The ring, as it sees it."""
        return {str(each.name): each.rank for each in self.service.view().members or ()}

    def alive(self) -> list[str]:
        """Who is alive, as it sees it."""
        return [name for name, rank in self.ranks().items() if rank is Rank.ALIVE]

    def leftovers(self) -> list[object]:
        """What is left of it when it has stopped."""
        network = self.reactor.network
        ports = {**network.datagram_ports, **network.stream_ports}
        return [
            *self.reactor.getDelayedCalls(),
            *(at for at in ports if at[0] == self.host),
            *self.reactor.ends,
        ]

    def _outcome(self, to: PeerAddress, why: str | None) -> None:
        self.outcomes.append((to, why))
        self.told(to, why)

    async def _read_keyring(self) -> Keyring | None:
        return await self.reading(self._keyring)

    def _keyring(self) -> Keyring | None:
        if isinstance(self.keyring, Exception):
            raise self.keyring
        return self.keyring

    def _note(self, event: dict[str, Any]) -> None:
        self.lines.append((event["log_level"].name, formatEvent(event)))


class RingTestCase(SynchronousTestCase):
    """Tests of nodes that share a network; each is stopped, and nothing is left."""

    timings: Settings = QUICK

    def setUp(self) -> None:
        """A network, and no node."""
        self.network = MemoryNetwork(seed=1)
        self.nodes: list[Node] = []

    def tearDown(self) -> None:
        """Stop all."""
        for node in self.nodes:
            if node.service.running:
                self.end(node)

    def make(self, number: int, **changes: object) -> Node:
        """A node that was not started."""
        host = f"10.0.0.{number}"
        settings = ring_settings(host, timings=self.timings, **changes)
        node = Node(host, self.network.reactor(host), settings)
        self.nodes.append(node)
        return node

    def start(self, number: int, **changes: object) -> Node:
        """A node that gossips: ``n1`` for 1."""
        node = self.make(number, **changes)
        node.service.startService()
        node.service.announce(announcement(f"n{number}", number=number))
        return node

    def ring(self, count: int, **changes: object) -> list[Node]:
        """Nodes that know each other."""
        nodes = [self.start(1 + number, **changes) for number in range(count)]
        for node in nodes[1:]:
            node.service.join([nodes[0].address])
        names = [f"n{1 + number}" for number in range(count)]
        self.eventually(lambda: all(node.alive() == names for node in nodes))
        return nodes

    def eventually(self, claim: Callable[[], bool], seconds: float = 30.0) -> float:
        """Wait for something that comes about by itself; returns how long that took."""
        waited = 0.0
        while not claim():
            self.assertLess(waited, seconds, "it did not come about")
            self.network.advance(0.05)
            waited += 0.05
        return waited

    def end(self, node: Node) -> None:
        """Stop it, and see that nothing is left."""
        stopped = node.service.stopService()
        self.eventually(lambda: stopped.called, 10.0)
        self.successResultOf(stopped)
        self.assertEqual(node.leftovers(), [])

    def result_of(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What comes of a coroutine."""
        done = Deferred.fromCoroutine(work)
        self.eventually(lambda: bool(done.called))
        result: _T = self.successResultOf(done)
        return result

    def lose(self, node: Node) -> None:
        """It is gone without a word, as when its process is killed."""
        others = {other.host for other in self.nodes} - {node.host}
        self.network.cut([node.host], others)
        self.end(node)
        self.network.heal()
