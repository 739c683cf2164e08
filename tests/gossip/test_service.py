"""The ring's service: when it listens, gossips and stops, whatever is in the way."""

from __future__ import annotations

from itertools import pairwise

from attrs import evolve

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

from e2d.gossip.keys import RingKeyError
from e2d.interfaces import IMembership
from e2d.model import NodeStatus, Rank
from e2d.swim.sealing import Keyring
from e2d.testing.contracts.membership import MembershipContract, announcement
from tests.gossip.rings import PORT, Node, RingTestCase, where

ONE = Keyring((bytes(range(32)),))
OTHER = Keyring((bytes(range(1, 33)),))


class ContractTests(MembershipContract, RingTestCase):
    """A node on a network in memory is an `IMembership`."""

    keyring: Keyring | None = None

    def drive(self, done: Deferred[None]) -> object:
        """Everything comes about as the clock is moved."""
        self.successResultOf(done)
        return None

    def make_node(self) -> IMembership:
        """A service that has started."""
        node = self.make(1 + len(self.nodes))
        node.keyring = self.keyring
        node.service.startService()
        return node.service

    def node(self, service: IMembership) -> Node:
        """Whose it is."""
        return next(node for node in self.nodes if node.service is service)

    async def meet(self, node: IMembership) -> None:
        """It is told where the others are."""
        self.node(node).service.join(
            other.address for other in self.nodes if other.service.running
        )

    async def advance(self, seconds: float) -> None:
        """The clock is ours."""
        self.network.advance(seconds)

    async def kill(self, node: IMembership) -> None:
        """At once."""
        self.lose(self.node(node))

    async def stop(self, node: IMembership) -> None:
        """In order."""
        self.end(self.node(node))


class SealedContractTests(ContractTests):
    """So is one whose packets and connections are sealed."""

    keyring = ONE


class ListeningTests(RingTestCase):
    """The port is opened, however often that has to be tried."""

    def problem(self, node: Node) -> str:
        """What its view says."""
        problem = node.service.view().problem
        assert problem is not None
        return problem

    def test_listens(self) -> None:
        """Both ports are open from the start on, before there is something to say."""
        node = self.make(1)
        node.service.startService()
        self.assertEqual([*self.network.datagram_ports], [("10.0.0.1", PORT)])
        self.assertEqual([*self.network.stream_ports], [("10.0.0.1", PORT)])
        self.assertEqual(node.service.view().since, 1000.0)
        self.assertIsNone(node.service.view().members)

    def test_not_before(self) -> None:
        """What is announced before the start is said after it."""
        node = self.make(1)
        node.service.announce(announcement("n1"))
        self.assertIsNone(node.service.view().members)
        node.service.startService()
        self.assertEqual(node.alive(), ["n1"])

    def test_port_taken(self) -> None:
        """A taken port is said once, tried again, and had in the end."""
        node = self.make(1)
        taken = node.reactor.listenUDP(PORT, DatagramProtocol(), node.host)
        changes: list[str | None] = []
        node.service.subscribe(lambda: changes.append(node.service.view().problem))
        node.service.startService()
        node.service.announce(announcement("n1"))
        self.assertEqual(
            self.problem(node),
            "gossip cannot listen on 10.0.0.1:7980: Address already in use. Free the"
            " port, or change gossipAddr",
        )
        self.network.advance(60.0)
        self.assertEqual(node.said("cannot listen"), ["error"])
        self.assertEqual(changes, [self.problem(node)])
        taken.stopListening()
        self.eventually(lambda: node.alive() == ["n1"], 15.1)
        self.assertIsNone(node.service.view().problem)
        self.assertEqual(node.said("Listening for gossip"), ["info"])

    def test_backoff(self) -> None:
        """It is tried after a second, and later every 15 at the most."""
        node = self.make(1)
        tries: list[float] = []
        listen = node.reactor.listenUDP

        def count(*args: object, **kw: object) -> object:
            tries.append(node.reactor.seconds())
            return listen(*args, **kw)  # type: ignore[arg-type]

        node.reactor.listenUDP = count  # type: ignore[assignment, method-assign]
        taken = node.reactor.listenTCP(PORT, Factory(), interface=node.host)
        node.service.startService()
        self.network.advance(120.0)
        taken.stopListening()
        self.network.advance(0)
        gaps = [late - early for early, late in pairwise(tries)]
        self.assertTrue(0.8 <= gaps[0] <= 1.0, gaps)
        self.assertTrue(all(12.0 <= gap <= 15.0 for gap in gaps[5:]), gaps)

    def test_half_taken(self) -> None:
        """Where one of the two ports cannot be had, the other is given back."""
        node = self.make(1)
        taken = node.reactor.listenTCP(PORT, Factory(), interface=node.host)
        node.service.startService()
        self.network.advance(0)
        self.assertIn("cannot listen", self.problem(node))
        self.assertEqual(self.network.datagram_ports, {})
        taken.stopListening()
        self.network.advance(1.1)
        self.assertIsNone(node.service.view().problem)

    def test_half_taken_and_stopped(self) -> None:
        """Who stops right then leaves nothing."""
        node = self.make(1)
        taken = node.reactor.listenTCP(PORT, Factory(), interface=node.host)
        node.service.startService()
        self.network.advance(0.1)
        taken.stopListening()
        self.network.advance(0)
        self.end(node)

    def test_no_key(self) -> None:
        """Without its key a node does not listen; once it can be had, it does."""
        node = self.make(1)
        node.keyring = RingKeyError("caKey: /etc/ca.key: No such file or directory")
        node.service.startService()
        self.assertEqual(
            self.problem(node),
            "gossip has no key: caKey: /etc/ca.key: No such file or directory",
        )
        self.assertEqual(self.network.datagram_ports, {})
        self.assertIs(node.service.view().encrypted, False)
        node.keyring = ONE
        self.network.advance(1.1)
        self.assertIsNone(node.service.view().problem)
        self.assertIs(node.service.view().encrypted, True)
        self.assertEqual(node.said("no key"), ["error"])

    def test_defect(self) -> None:
        """A defect of ours is logged as one, and it is tried again all the same."""
        node = self.make(1)
        node.keyring = ZeroDivisionError()
        node.service.startService()
        self.assertIn("a defect of e2d", self.problem(node))
        self.assertEqual(node.said("could not begin"), ["critical", "error"])
        node.keyring = None
        self.network.advance(1.1)
        self.assertIsNone(node.service.view().problem)


class StoppingTests(RingTestCase):
    """When a service has stopped nothing is left of it; `stop` sees to that."""

    def test_before_it_listens(self) -> None:
        """While the port is taken."""
        node = self.make(1)
        taken = node.reactor.listenUDP(PORT, DatagramProtocol(), node.host)
        node.service.startService()
        self.network.advance(0.1)
        taken.stopListening()
        self.network.advance(0)
        self.end(node)

    def test_while_it_reads_its_key(self) -> None:
        """It waits for the file, and does not listen then."""
        node = self.make(1)
        node.reading.busy = True
        node.service.startService()
        stopped = node.service.stopService()
        self.assertNoResult(stopped)
        node.reading.work()
        self.successResultOf(stopped)
        self.assertEqual(self.network.datagram_ports, {})

    def test_before_it_gossips(self) -> None:
        """While nothing was announced."""
        node = self.make(1)
        node.service.startService()
        self.end(node)
        self.assertIsNone(node.service.view().since)

    def test_alone(self) -> None:
        """There is nobody to tell, so that it is quick."""
        node = self.start(1)
        before = node.reactor.seconds()
        self.end(node)
        self.assertLess(node.reactor.seconds() - before, 0.2)

    def test_in_the_ring(self) -> None:
        """The others are told."""
        one, two = self.ring(2)
        self.end(two)
        self.eventually(lambda: one.ranks()["n2"] is Rank.LEFT, 1.0)
        self.assertEqual(two.said("could not be told"), [])

    def test_nobody_hears(self) -> None:
        """A leave that cannot be told ends within 5 seconds, and says so."""
        _one, two = self.ring(2)
        self.network.loss = 1.0
        stopped = two.service.stopService()
        seconds = self.eventually(lambda: bool(stopped.called), 6.0)
        self.assertLess(seconds, 5.2)
        self.assertEqual(two.leftovers(), [])

    def test_told_too_slowly(self) -> None:
        """A ring too slow to be told in 5 seconds holds the node for dead instead."""
        self.timings = evolve(self.timings, gossip_interval=6.0, probe_interval=60.0)
        _one, two = self.ring(2)
        self.network.advance(30.0)
        stopped = two.service.stopService()
        self.network.advance(4.9)
        self.assertNoResult(stopped)
        self.network.advance(0.2)
        self.successResultOf(stopped)
        self.assertEqual(two.said("could not be told"), ["warn"])
        self.assertEqual(two.leftovers(), [])

    def test_twice(self) -> None:
        """Stopped again while it is leaving, both wait for the one end."""
        self.timings = evolve(self.timings, gossip_interval=2.0)
        _one, two = self.ring(2)
        first, second = two.service.stopService(), two.service.stopService()
        self.network.advance(0.5)
        self.assertNoResult(first)
        self.assertNoResult(second)
        self.assertIn((two.host, PORT), self.network.datagram_ports)
        self.network.advance(6.0)
        self.successResultOf(first)
        self.successResultOf(second)
        self.successResultOf(two.service.stopService())
        self.assertEqual(two.leftovers(), [])

    def test_announced_while_leaving(self) -> None:
        """What is announced while a node leaves does not bring it back."""
        self.timings = evolve(self.timings, gossip_interval=2.0)
        _one, two = self.ring(2)
        stopped = two.service.stopService()
        two.service.announce(announcement("n2", NodeStatus.RUNNING, 2))
        two.service.announce(announcement("renamed", NodeStatus.RUNNING, 2))
        self.network.advance(10.0)
        self.successResultOf(stopped)
        self.assertEqual(two.leftovers(), [])

    def test_while_it_moves(self) -> None:
        """While it leaves to come back under another name."""
        self.timings = evolve(self.timings, gossip_interval=2.0)
        one, two = self.ring(2)
        two.service.announce(announcement("renamed", number=2))
        self.network.advance(0.1)
        self.end(two)
        self.assertNotIn("renamed", one.ranks())

    def test_while_it_connects(self) -> None:
        """While it dials who does not answer."""
        node = self.start(1)
        self.network.cut([node.host], ["10.0.0.9"])
        node.service.join([where("10.0.0.8"), where("10.0.0.9")])
        self.end(node)
        self.assertEqual(node.outcomes, [])

    def test_while_it_is_answered(self) -> None:
        """While a peer that it asked does not answer."""
        one, two = self.make(1), self.start(2)
        one.reactor.listenTCP(PORT, Factory.forProtocol(Protocol), interface=one.host)
        two.service.join([one.address])
        self.network.advance(0.1)
        self.assertEqual(len(two.reactor.ends), 1)
        self.end(two)
        self.assertEqual(two.outcomes, [])

    def test_while_its_pool_works(self) -> None:
        """While something is encoded it waits for that, and says nothing any more."""
        one = self.start(1)
        self.start(2)
        one.pool.busy = True
        one.service.join([where("10.0.0.2")])
        self.network.advance(0.1)
        self.assertEqual(one.pool.waiting, 1)
        stopped = one.service.stopService()
        self.network.advance(0.2)
        self.assertNoResult(stopped)
        one.pool.work()
        self.network.advance(0.1)
        self.successResultOf(stopped)
        self.assertEqual(one.leftovers(), [])
        self.assertEqual(one.outcomes, [])

    def test_while_others_ask(self) -> None:
        """While who has connected to it has not said anything."""
        one = self.start(1)
        two = self.make(2)
        notes = Factory.forProtocol(Protocol)
        connecting = TCP4ClientEndpoint(two.reactor, one.host, PORT).connect(notes)
        self.network.advance(0.1)
        self.successResultOf(connecting)
        self.end(one)

    def test_starts_again(self) -> None:
        """A service that has stopped can be started again, and says what it said."""
        _one, two = self.ring(2)
        self.end(two)
        two.service.startService()
        self.assertEqual(two.alive(), ["n2"])
