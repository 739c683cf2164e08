"""What our peers and real ones make of each other's silence."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.commanded import CALM, FAST, CommandedPeer
from tests.integration.gopeers import PeerLine, newest_peer, oldest_peer, on_each_peer
from tests.integration.peering import PeerTestCase, see_each_other
from tests.integration.spans import moment, passes

PATIENT = {**FAST, "suspicion_mult": 100}
"""Suspects have long to refute."""

MINUTE = 60.0

BY_PACKET = {**CALM, "disable_tcp_pings": True}


@on_each_peer
class ProbeTests(PeerTestCase):
    """Ways around a path that is cut."""

    async def test_relayed_by_ours(self, line: PeerLine) -> None:
        """Ours passes pings on, between a real peer and one of ours."""
        a = await self.peer(line, "a", **BY_PACKET)
        await self.relayed(a, await self.ours("relay", **BY_PACKET))

    async def test_relayed_by_theirs(self, line: PeerLine) -> None:
        """A real peer passes pings of ours on, and the other way round."""
        a = await self.peer(line, "a", **BY_PACKET)
        await self.relayed(a, await self.peer(line, "relay", **BY_PACKET))

    async def relayed(self, a: CommandedPeer, relay: CommandedPeer) -> None:
        """Two that do not hear each other are alive while a third hears both."""
        x = await self.ours("x", **BY_PACKET)
        await x.cut(a)
        for each in (a, x):
            await each.join(relay.address)
        await see_each_other(a, x, relay)
        await passes(2)
        for one, other in ((a, x), (x, a)):
            self.assertEqual(one.seen("ping", about=other.name), [])
            self.assertEqual(one.seen("leave"), [])
        # a may: of three, memberlist misses the only one to ask by chance.
        self.assertEqual(x.seen("suspect"), [])
        await relay.kill()
        await x.event("suspect", about="a")
        await a.event("log", where=lambda e: "Suspect x has failed" in e["text"])

    async def test_by_stream(self, line: PeerLine) -> None:
        """Who answers by TCP alone is not suspected, and both say what is wrong."""
        a, x = await self.pair(line, CALM)
        await x.cut(a)
        by_stream = await x.event("by-stream", about="a")
        self.assertEqual(by_stream["node"].state, "alive")
        await a.event("log", where=lambda e: "Was able to connect to x" in e["text"])
        await passes(2)
        self.assertEqual(x.seen("suspect"), [])
        for one, other in ((a, "x"), (x, "a")):
            self.assertEqual(one.seen("leave"), [])
            self.assertEqual((await one.records())[other].incarnation, 1)


@on_each_peer
class SuspicionTests(PeerTestCase):
    """Who is suspected may refute."""

    async def test_ours_refutes(self, line: PeerLine) -> None:
        """Ours, suspected by a real peer, refutes as soon as it can."""
        a, x = await self.pair(line, PATIENT)
        x.freeze()
        suspect = await a.finds("x", "suspect")
        x.thaw()
        refuted = await x.event("refuted")
        alive = await a.finds("x", "alive")
        self.assertEqual(alive.incarnation, refuted["incarnation"])
        self.assertGreater(alive.incarnation, suspect.incarnation or 0)
        self.assertEqual(a.seen("leave") + x.seen("leave"), [])

    async def test_theirs_refutes(self, line: PeerLine) -> None:
        """A real peer, suspected by ours, hears of it and refutes."""
        a, x = await self.pair(line, PATIENT)
        a.freeze()
        suspect = await x.event("suspect", about="a")
        self.assertEqual(suspect["by"], "x")
        a.thaw()
        cleared = await x.event("cleared", about="a")
        self.assertEqual(cleared["node"].incarnation, 2)
        self.assertEqual(a.seen("leave") + x.seen("leave"), [])

    async def test_confirmed(self, line: PeerLine) -> None:
        """With each other's word, two find a third dead sooner than alone."""
        settings = {**FAST, "suspicion_mult": 8, "suspicion_max_timeout_mult": 20}
        a, x = await self.pair(line, settings)
        others = await self.ours_in_one("y", "z", **settings)
        b = await self.peer(line, "b", **settings)
        for each in (*others, b):
            await each.join(a.address)
        await see_each_other(a, b, x, *others)
        await b.kill()
        for each in (a, x):
            await each.finds("b", "dead", within=15)  # alone: after 32 s
        suspicions = x.seen("suspect", about="b")
        self.assertEqual(len(suspicions), 1)

    async def test_theirs_comes_back(self, line: PeerLine) -> None:
        """A real peer that stood still until it was dead refutes, and is alive."""
        a, x = await self.pair(line)
        y = await self.ours("y", **FAST)
        await y.join(x.address)
        await see_each_other(a, x, y)
        a.freeze()
        for each in (x, y):
            dead = await each.event("leave", about="a", within=15)
            self.assertEqual(dead["node"].state, "dead")
        a.thaw()
        for each in (x, y):
            back = await each.event(
                "join", "a", where=lambda e: e["node"].incarnation > 1
            )
            self.assertEqual(back["node"].state, "alive")
        await see_each_other(a, x, y)


@on_each_peer
class ReturnTests(PeerTestCase):
    """Who was away for long, and who takes the place of the dead."""

    async def test_partition_heals(self, line: PeerLine) -> None:
        """Two halves that forgot each other are one ring again, by joining again."""
        settings = {**FAST, "gossip_to_the_dead_time": 1.0}
        ours = {**settings, "rejoin": 1.0}
        a = await self.peer(line, "a", **settings)
        b = await self.peer(line, "b", **settings)
        x = await self.ours("x", **ours)
        y = await self.ours("y", **ours)
        for each in (x, y, b):
            await each.join(a.address)
        await see_each_other(a, b, x, y)
        for awake, away in (((a, x), (b, y)), ((b, y), (a, x))):
            # Nobody who sleeps forgets: so first these, then those.
            for each in away:
                each.freeze()
            for each in awake:
                each.thaw()
            for each in awake:
                await each.forgets(away[0].name, away[1].name, within=20)
            for each in awake:
                each.freeze()
        for each in (a, b, x, y):
            each.thaw()
        await see_each_other(a, b, x, y)
        await passes(1)
        await see_each_other(a, b, x, y)

    async def test_moved(self, line: PeerLine) -> None:
        """Who comes back elsewhere has its name when it was dead for a while."""
        settings = {**FAST, "dead_node_reclaim_time": 1.0}
        a, x = await self.pair(line, settings)
        b = await self.peer(line, "b", **settings)
        y = await self.ours("y", **settings)
        for each in (b, y):
            await each.join(a.address)
        await see_each_other(a, b, x, y)
        moved_y = await self.ours("y", rejoin=0.5, **settings)
        moved_b = await self.ours("b", rejoin=0.5, **settings)
        await self.end(b, y)
        for each in (moved_b, moved_y):
            await each.join(a.address, x.address)
        await self.are_elsewhere((a, x), (moved_b, moved_y))

    async def are_elsewhere(
        self, others: Sequence[CommandedPeer], moved: Sequence[CommandedPeer]
    ) -> None:
        """The others saw them die, and then come back where they are now."""
        for one in others:
            for each in moved:
                dead = await one.event("leave", about=each.name, within=15)
                back = await one.event(
                    "join",
                    each.name,
                    15,
                    lambda e, where=each.address: e["node"].address == where,
                )
                self.assertLess(0.9, back.at - dead.at)
                self.assertLess(0, len(one.seen("conflict")))
        await see_each_other(*others, *moved)


class MinuteTests(PeerTestCase):
    """A pause as of a virtual machine that is moved, at its real length."""

    timeout = 180.0

    async def test_minute(self) -> None:
        """
        Ours stands still for a minute: until it is forgotten.

        When it wakes, it holds nobody dead or suspect who is not, and is back at once:
        there is no exchange that it would do anyway, and nobody to tell it anything.
        """
        settings = {
            **CALM,
            "gossip_to_the_dead_time": 1.0,
            "push_pull_interval": 600.0,
        }
        a, x = await self.pair(oldest_peer(), settings)
        b = await self.peer(newest_peer(), "b", **settings)
        y = await self.ours("y", **settings)
        for each in (b, y):
            await each.join(a.address)
        await see_each_other(a, b, x, y)
        x.freeze()
        frozen = moment()
        for each in (a, b, y):
            dead = await each.event("leave", about="x", within=15)
            self.assertEqual(dead["node"].state, "dead")
            await each.forgets("x", within=15)
        await passes(frozen + MINUTE - moment())
        x.thaw()
        await see_each_other(a, b, x, y)
        paused = x.seen("paused")
        self.assertEqual(len(paused), 1)
        self.assertGreater(paused[0]["seconds"], MINUTE - 1)
        await passes(2)
        await see_each_other(a, b, x, y)
        for kind in ("leave", "suspect"):
            self.assertEqual(x.seen(kind), [])
        for each in (a, b, y):
            self.assertEqual(len(each.seen("leave")), 1)
