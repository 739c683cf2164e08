"""What every `IMembership` keeps to, in memory or over a network."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from attrs import evolve

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from e2d.interfaces import IMembership, Undelivered
from e2d.model import (
    Announcement,
    GossipMember,
    NodeDigest,
    NodeID,
    NodeName,
    NodeStatus,
    Rank,
    RingView,
)
from e2d.testing.contracts.driving import DrivenTests, driven

__all__ = ["MembershipContract", "announcement"]

STEP_SECONDS = 0.05
A_WHILE_SECONDS = 1.0
"""Some rounds of gossip: what was to arrive, has."""

_GONE = {Rank.SUSPECT, Rank.DEAD}
_T = TypeVar("_T")


def announcement(
    name: str, status: NodeStatus = NodeStatus.PENDING, number: int = 1
) -> Announcement:
    """
    What a node says that has no data yet.

    :param number: of the disk, as it were: makes its id.
    """
    return Announcement(
        name=NodeName(name),
        node_id=NodeID(f"{number:016x}"),
        status=status,
        etcd_version=None,
        data=None,
    )


class MembershipContract(DrivenTests):
    """
    Mix into a test case, and say how nodes of one ring are made and what befalls them.

    All of them are of one cluster.
    """

    patience_seconds = 30.0
    """Until when something must have come about that takes the ring a while."""

    # -- what a test case says ----------------------------------------------------

    def make_node(self) -> IMembership:
        """Another node of the ring: it may gossip, and has nothing to say so far."""
        raise NotImplementedError

    async def meet(self, node: IMembership) -> None:
        """See that a node finds the others; called whenever it has entered the ring."""
        raise NotImplementedError

    async def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        raise NotImplementedError

    async def kill(self, node: IMembership) -> None:
        """It is gone without a word."""
        raise NotImplementedError

    async def stop(self, node: IMembership) -> None:
        """It ends in order."""
        raise NotImplementedError

    # -- what the tests share -----------------------------------------------------

    async def until(self, claim: Callable[[], bool], what: str) -> None:
        """Wait for something that comes about by itself."""
        waited = 0.0
        while not claim():
            if waited > self.patience_seconds:
                raise self.failureException(f"not within {waited:.0f} s: {what}")
            await self.advance(STEP_SECONDS)
            waited += STEP_SECONDS

    async def finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What comes of something that may take time."""
        done = Deferred.fromCoroutine(work)
        await self.until(lambda: done.called, "its end")
        return await done

    async def enter(self, name: str, number: int = 1) -> IMembership:
        """A node that gossips, once it knows itself."""
        node = self.make_node()
        node.announce(announcement(name, number=number))
        await self.until(lambda: node.view().members is not None, f"{name} gossips")
        await self.meet(node)
        return node

    async def two(self) -> tuple[IMembership, IMembership]:
        """``one`` and ``other``, who know each other."""
        one = await self.enter("one", 1)
        other = await self.enter("other", 2)
        await self.until(lambda: self.rank(one, "other") is Rank.ALIVE, "one sees it")
        await self.until(lambda: self.rank(other, "one") is Rank.ALIVE, "so it is seen")
        return one, other

    def find(self, node: IMembership, name: str) -> GossipMember | None:
        """Another node, or the same, as a node sees it."""
        members = node.view().members or ()
        return next((each for each in members if each.name == name), None)

    def seen(self, node: IMembership, name: str) -> GossipMember:
        """The same, of one that it must see."""
        found = self.find(node, name)
        assert found is not None, f"{name} is not seen"
        return found

    def rank(self, node: IMembership, name: str) -> Rank | None:
        """Its rank; None if it is not known at all."""
        found = self.find(node, name)
        return None if found is None else found.rank

    async def refusal(self, node: IMembership, to: str) -> Undelivered:
        """Why a letter is not delivered."""
        try:
            await self.finish(node.deliver(NodeName(to), b"a letter"))
        except Undelivered as error:
            return error
        raise self.failureException(f"delivered to {to}")

    # -- the interface ------------------------------------------------------------

    def test_provides_interface(self) -> None:
        """It is an `IMembership`."""
        self.assertTrue(verifyObject(IMembership, self.make_node()))

    # -- entering -----------------------------------------------------------------

    @driven
    async def test_silent_at_first(self) -> None:
        """Who has announced nothing does not gossip: not "is in an empty ring"."""
        node = self.make_node()
        await self.advance(A_WHILE_SECONDS)
        view = node.view()
        self.assertEqual((view.members, view.problem), (None, None))

    @driven
    async def test_alone(self) -> None:
        """The first announcement begins: a node is the first to see itself."""
        node = await self.enter("one")
        (member,) = node.view().members or ()
        self.assertEqual((member.name, member.rank), ("one", Rank.ALIVE))
        self.assertGreater(member.incarnation, 0)
        self.assertIsNotNone(node.view().since)

    @driven
    async def test_see_each_other(self) -> None:
        """Nodes see each other, by name, and what each says of itself."""
        one, other = await self.two()
        names = [
            [each.name for each in node.view().members or ()] for node in (one, other)
        ]
        self.assertEqual(names, [["one", "other"], ["one", "other"]])
        digest = self.seen(one, "other").digest
        assert isinstance(digest, NodeDigest)
        self.assertEqual((digest.name, digest.node_id), ("other", f"{2:016x}"))
        self.assertIs(digest.status, NodeStatus.PENDING)
        self.assertIsNone(digest.data)
        mine = self.seen(other, "other").digest
        assert isinstance(mine, NodeDigest)
        self.assertEqual(mine.cluster, digest.cluster)

    @driven
    async def test_one_address(self) -> None:
        """Both sides have the same address of a node."""
        one, other = await self.two()
        self.assertEqual(
            self.seen(one, "other").address, self.seen(other, "other").address
        )

    # -- saying something else ----------------------------------------------------

    @driven
    async def test_same_again(self) -> None:
        """What was said already is nothing new: no incarnation is spent on it."""
        one, other = await self.two()
        before = self.seen(other, "other").incarnation
        other.announce(announcement("other", number=2))
        await self.advance(A_WHILE_SECONDS)
        self.assertEqual(self.seen(other, "other").incarnation, before)
        self.assertEqual(self.seen(one, "other").incarnation, before)

    @driven
    async def test_another_status(self) -> None:
        """Something else arrives at the others, as of a higher incarnation."""
        one, other = await self.two()
        before = self.seen(one, "other")
        await self.advance(A_WHILE_SECONDS)
        other.announce(announcement("other", NodeStatus.RUNNING, 2))
        await self.until(
            lambda: self.seen(one, "other").status is NodeStatus.RUNNING, "it is told"
        )
        after = self.seen(one, "other")
        self.assertGreater(after.incarnation, before.incarnation)
        self.assertEqual((after.rank, after.since), (before.rank, before.since))

    @driven
    async def test_own_status(self) -> None:
        """A node sees at once what it says itself."""
        one = await self.enter("one")
        one.announce(announcement("one", NodeStatus.RUNNING))
        self.assertIs(self.seen(one, "one").status, NodeStatus.RUNNING)

    @driven
    async def test_another_name(self) -> None:
        """Under another name a node leaves, and enters again."""
        one, other = await self.two()
        other.announce(announcement("renamed", number=2))
        await self.until(lambda: self.rank(other, "renamed") is Rank.ALIVE, "it enters")
        await self.meet(other)
        await self.until(lambda: self.rank(one, "renamed") is Rank.ALIVE, "it is seen")
        self.assertIs(self.rank(one, "other"), Rank.LEFT)

    # -- views and listeners --------------------------------------------------------

    @driven
    async def test_view_stays(self) -> None:
        """A view is of its moment, whatever comes later."""
        one = await self.enter("one")
        view = one.view()
        traffic = dict(view.traffic.packets_dropped)
        copy = evolve(view, traffic=evolve(view.traffic, packets_dropped=traffic))
        await self.enter("other", 2)
        await self.until(lambda: self.rank(one, "other") is not None, "it is seen")
        self.assertEqual(view, copy)
        self.assertNotEqual(one.view().members, view.members)

    @driven
    async def test_listener(self) -> None:
        """Who subscribed is called when somebody comes, says something else, goes."""
        one = await self.enter("one")
        views: list[RingView] = []
        one.subscribe(lambda: views.append(one.view()))
        other = await self.enter("other", 2)
        await self.until(lambda: self.told(views) == (Rank.ALIVE, "pending"), "came")
        other.announce(announcement("other", NodeStatus.RUNNING, 2))
        await self.until(lambda: self.told(views) == (Rank.ALIVE, "running"), "changed")
        await self.stop(other)
        await self.until(lambda: self.told(views) == (Rank.LEFT, "running"), "left")

    def told(self, views: list[RingView]) -> tuple[Rank, str] | None:
        """What a listener last saw of ``other``."""
        members = (views[-1].members if views else None) or ()
        found = [each for each in members if each.name == "other"]
        if not found or found[0].status is None:
            return None
        return (found[0].rank, found[0].status.value)

    @driven
    async def test_each_listener(self) -> None:
        """There may be several; none is called for nothing."""
        one, other = await self.two()
        await self.advance(A_WHILE_SECONDS)
        calls: list[str] = []
        one.subscribe(lambda: calls.append("first"))
        one.subscribe(lambda: calls.append("second"))
        one.announce(announcement("one"))
        self.assertEqual(calls, [])
        await self.stop(other)
        await self.until(lambda: {*calls} == {"first", "second"}, "both are called")

    # -- ends -----------------------------------------------------------------------

    @driven
    async def test_killed(self) -> None:
        """Who is gone without a word is suspected, and in the end dead: never left."""
        one, other = await self.two()
        ranks: list[Rank | None] = []
        one.subscribe(lambda: ranks.append(self.rank(one, "other")))
        await self.kill(other)
        await self.until(lambda: self.rank(one, "other") is Rank.DEAD, "it is dead")
        self.assertEqual({*ranks} - {Rank.ALIVE}, _GONE)
        self.assertEqual(ranks[-1], Rank.DEAD)

    @driven
    async def test_stopped(self) -> None:
        """Who ends in order has left, at once; and does not gossip any more."""
        one, other = await self.two()
        await self.stop(other)
        self.assertIsNone(other.view().members)
        await self.until(lambda: self.rank(one, "other") is Rank.LEFT, "it left")

    @driven
    async def test_since(self) -> None:
        """A rank is dated anew when it changes."""
        one, other = await self.two()
        alive = self.seen(one, "other").since
        await self.advance(A_WHILE_SECONDS)
        await self.stop(other)
        await self.until(lambda: self.rank(one, "other") is Rank.LEFT, "it left")
        self.assertGreater(self.seen(one, "other").since, alive)

    # -- letters ----------------------------------------------------------------------

    @driven
    async def test_letter(self) -> None:
        """A letter arrives as it was sent, with the name of who sent it, once."""
        one, other = await self.two()
        letters: list[tuple[NodeName | None, bytes]] = []
        other.receive_letters(lambda sender, letter: letters.append((sender, letter)))
        await self.finish(one.deliver(NodeName("other"), b"\x00hello\xff"))
        await self.until(lambda: bool(letters), "it arrives")
        await self.finish(one.deliver(NodeName("other"), b""))
        await self.until(lambda: len(letters) > 1, "an empty one arrives")
        self.assertEqual(letters, [("one", b"\x00hello\xff"), ("one", b"")])

    @driven
    async def test_letter_to_unknown(self) -> None:
        """There must be such a node."""
        one = await self.enter("one")
        error = await self.refusal(one, "nobody")
        self.assertEqual(error.name, "nobody")

    @driven
    async def test_letter_to_dead(self) -> None:
        """It must be alive: a dead one is not even tried."""
        one, other = await self.two()
        await self.kill(other)
        await self.until(lambda: self.rank(one, "other") is Rank.DEAD, "it is dead")
        await self.refusal(one, "other")

    @driven
    async def test_letter_to_gone(self) -> None:
        """Who is gone cannot be reached, even if the ring does not know it yet."""
        one, other = await self.two()
        await self.kill(other)
        await self.refusal(one, "other")

    @driven
    async def test_letter_to_left(self) -> None:
        """Nor is one who left."""
        one, other = await self.two()
        await self.stop(other)
        await self.until(lambda: self.rank(one, "other") is Rank.LEFT, "it left")
        await self.refusal(one, "other")

    @driven
    async def test_letter_to_itself(self) -> None:
        """A letter is for another node."""
        one = await self.enter("one")
        await self.refusal(one, "one")

    @driven
    async def test_letter_before_it_gossips(self) -> None:
        """Who is not in the ring sends nothing in it."""
        await self.refusal(self.make_node(), "one")
