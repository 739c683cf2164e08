"""The ring in memory passes the contract, and can be hurt as a real one is."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d.interfaces import IMembership, Undelivered
from e2d.model import NodeDigest, NodeName, NodeStatus, Rank, mark_cluster
from e2d.testing.contracts.membership import MembershipContract, announcement
from e2d.testing.membership import SUSPICION_SECONDS, MemoryMembership, MemoryRing


class MemoryContractTests(MembershipContract, SynchronousTestCase):
    """A node of the ring in memory is an `IMembership`."""

    def setUp(self) -> None:
        """A ring."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.ring = MemoryRing(self.clock)

    def drive(self, done: Deferred[None]) -> object:
        """Everything comes about as the clock is moved."""
        self.successResultOf(done)
        return None

    def make_node(self) -> IMembership:
        """A node."""
        return self.ring.make_node()

    async def meet(self, node: IMembership) -> None:
        """They know of each other anyway."""

    async def advance(self, seconds: float) -> None:
        """The clock is ours."""
        self.clock.advance(seconds)

    async def kill(self, node: IMembership) -> None:
        """At once."""
        assert isinstance(node, MemoryMembership)
        self.ring.kill(node)

    async def stop(self, node: IMembership) -> None:
        """At once."""
        assert isinstance(node, MemoryMembership)
        self.ring.stop(node)


class MemoryRingTests(SynchronousTestCase):
    """What a test can do to a ring."""

    def setUp(self) -> None:
        """Three nodes that know each other."""
        self.clock = Clock()
        self.ring = MemoryRing(self.clock)
        self.one, self.two, self.three = (
            self.enter(name, number) for number, name in enumerate(("n1", "n2", "n3"))
        )

    def enter(self, name: str, number: int) -> MemoryMembership:
        """A node that gossips."""
        node = self.ring.make_node()
        node.announce(announcement(name, number=number))
        return node

    def ranks(self, node: MemoryMembership) -> dict[str, Rank]:
        """Of all that it sees."""
        return {each.name: each.rank for each in node.view().members or ()}

    def incarnation(self, node: MemoryMembership, name: str) -> int:
        """As a node sees it."""
        found = {each.name: each for each in node.view().members or ()}
        return found[name].incarnation

    def deliver(self, node: MemoryMembership, to: str) -> Deferred[None]:
        """Send a letter."""
        return Deferred.fromCoroutine(node.deliver(NodeName(to), b"x"))

    def test_cut_off(self) -> None:
        """Each side of a cut holds the other for gone, and nobody is for itself."""
        self.ring.cut_off(self.three)
        self.clock.advance(SUSPICION_SECONDS)
        self.assertEqual(
            self.ranks(self.one), {"n1": Rank.ALIVE, "n2": Rank.ALIVE, "n3": Rank.DEAD}
        )
        self.assertEqual(
            self.ranks(self.three), {"n1": Rank.DEAD, "n2": Rank.DEAD, "n3": Rank.ALIVE}
        )

    def test_deaf_to_news(self) -> None:
        """What is said beyond a cut arrives when it is healed, and not before."""
        self.ring.cut_off(self.three)
        self.three.announce(announcement("n3", NodeStatus.RUNNING, 2))
        statuses = {each.name: each.status for each in self.one.view().members or ()}
        self.assertIs(statuses["n3"], NodeStatus.PENDING)
        self.ring.heal()
        statuses = {each.name: each.status for each in self.one.view().members or ()}
        self.assertIs(statuses["n3"], NodeStatus.RUNNING)

    def test_refuted(self) -> None:
        """Who was suspected and is heard again has a higher incarnation."""
        before = self.incarnation(self.one, "n3")
        self.ring.cut_off(self.three)
        self.assertIs(self.ranks(self.one)["n3"], Rank.SUSPECT)
        self.ring.heal()
        self.assertIs(self.ranks(self.one)["n3"], Rank.ALIVE)
        self.assertGreater(self.incarnation(self.one, "n3"), before)
        self.clock.advance(2 * SUSPICION_SECONDS)
        self.assertIs(self.ranks(self.one)["n3"], Rank.ALIVE)

    def test_one_link(self) -> None:
        """Gossip takes another way round a cut; letters have no other way."""
        self.ring.cut(self.one, self.three)
        self.assertIs(self.ranks(self.one)["n3"], Rank.ALIVE)
        self.failureResultOf(self.deliver(self.one, "n3"), Undelivered)
        self.successResultOf(self.deliver(self.two, "n3"))

    def test_muted(self) -> None:
        """Who is not heard is suspected by all, and sees all of them alive."""
        self.ring.mute(self.two)
        self.assertIs(self.ranks(self.one)["n2"], Rank.SUSPECT)
        self.assertIs(self.ranks(self.three)["n2"], Rank.SUSPECT)
        self.assertEqual({*self.ranks(self.two).values()}, {Rank.ALIVE})
        self.failureResultOf(self.deliver(self.two, "n1"), Undelivered)

    def test_listeners_of_time(self) -> None:
        """That somebody is dead now is told when it is so, by nobody's doing."""
        self.ring.kill(self.three)
        calls: list[Rank] = []
        self.one.subscribe(lambda: calls.append(self.ranks(self.one)["n3"]))
        self.clock.advance(SUSPICION_SECONDS)
        self.assertEqual(calls, [Rank.DEAD])

    def test_back_from_the_dead(self) -> None:
        """A node that is started again under its name passes what others remember."""
        before = self.incarnation(self.one, "n3")
        self.ring.kill(self.three)
        self.clock.advance(SUSPICION_SECONDS)
        self.enter("n3", 2)
        self.assertIs(self.ranks(self.one)["n3"], Rank.ALIVE)
        self.assertGreater(self.incarnation(self.one, "n3"), before)

    def test_reports(self) -> None:
        """Each has the newest report of the others, and none of itself."""
        self.two.announce(announcement("n2", NodeStatus.RUNNING, 1))
        reports = {each.name: each for each in self.one.view().reports}
        self.assertEqual(set(reports), {"n2", "n3"})
        self.assertEqual(reports["n2"].incarnation, self.incarnation(self.one, "n2"))
        self.assertEqual(reports["n2"].cluster_name, "e2d")

    def test_problem(self) -> None:
        """A node that cannot gossip says why, and is in no ring."""
        node = self.ring.make_node()
        node.hinder("gossip cannot listen on 10.0.0.4:7980: in use")
        node.announce(announcement("n4", number=3))
        view = node.view()
        self.assertEqual(view.problem, "gossip cannot listen on 10.0.0.4:7980: in use")
        self.assertEqual((view.members, view.since), (None, None))
        self.assertNotIn("n4", self.ranks(self.one))
        node.hinder(None)
        self.assertIn("n4", self.ranks(self.one))

    def test_other_cluster(self) -> None:
        """A node may be of another cluster: the ring takes it all the same."""
        node = self.ring.make_node("blue")
        node.announce(announcement("b1", number=9))
        clusters = [
            each.digest.cluster
            for each in self.one.view().members or ()
            if isinstance(each.digest, NodeDigest) and each.name in {"b1", "n1"}
        ]
        self.assertEqual(
            clusters, [mark_cluster("blue", None), mark_cluster("e2d", None)]
        )
