"""Our peers and real ones of memberlist are one ring: they meet, change and go."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from itertools import pairwise

from e2d.model import Address
from tests.integration.commanded import CALM, FAST, CommandedPeer, Member
from tests.integration.etcds import free_ports
from tests.integration.gopeers import PeerLine, on_each_peer
from tests.integration.peering import PeerTestCase, see_each_other
from tests.integration.serfs import SERF_VERSIONS
from tests.integration.spans import passes

LOOPBACK = bytes([127, 0, 0, 1])
VERSIONS = bytes([1, 5, 2, 0, 0, 0])


def claims(known: Iterable[Member]) -> set[tuple[object, ...]]:
    """What of members all in a ring agree on."""
    return {
        (m.name, m.ip, m.address, m.meta, m.vsn, m.state, m.incarnation) for m in known
    }


@on_each_peer
class MeetingTests(PeerTestCase):
    """Rings of both."""

    async def test_ours_joins(self, line: PeerLine) -> None:
        """A real peer has all that ours says of itself, and the other way round."""
        a = await self.peer(line, "a", meta=b"\x00\xff", **FAST)
        x = await self.ours("x", meta=b"\xff\x00", **FAST)
        self.assertEqual(await x.join(a.address), 1)
        await self.have_met(a, x)

    async def test_ours_is_joined(self, line: PeerLine) -> None:
        """The same when the real one begins."""
        a = await self.peer(line, "a", meta=b"\x00\xff", **FAST)
        x = await self.ours("x", meta=b"\xff\x00", **FAST)
        self.assertEqual(await a.join(x.address), 1)
        await self.have_met(a, x)

    async def have_met(self, a: CommandedPeer, x: CommandedPeer) -> None:
        """Each has told of the other, exactly."""
        for one, other, meta in ((a, x, b"\xff\x00"), (x, a, b"\x00\xff")):
            node = (await one.event("join", about=other.name))["node"]
            self.assertEqual(
                (node.ip, node.address, node.meta, node.vsn, node.state),
                (LOOPBACK, other.address, meta, VERSIONS, "alive"),
            )
            self.assertEqual(node.incarnation, 1)

    async def test_ring(self, line: PeerLine) -> None:
        """Three and three agree on everything, stay calm, and hear of a farewell."""
        settings = {**CALM, "push_pull_interval": 0.5}
        real = [await self.peer(line, name, **settings) for name in ("a", "b", "c")]
        ours = await self.ours_in_one("x", "y", "z", **settings)
        a, b, c = real
        x, y, z = ours
        ring = [a, x, b, y, c, z]
        for one, other in pairwise(ring):
            self.assertEqual(await other.join(one.address), 1)
        await see_each_other(*ring)
        await passes(2)  # each exchanges states with some others, and probes all
        agreed = [claims((await each.records()).values()) for each in ring]
        self.assertEqual(len(agreed[0]), 6)
        for each in agreed:
            self.assertEqual(each, agreed[0])
        self.assertEqual({each[-1] for each in agreed[0]}, {1})  # nobody had to refute
        for each in ring:
            self.assertEqual(each.seen("leave"), [])
            self.assertEqual(each.seen("suspect"), [])
            self.assertEqual(await each.command("health"), 0)
        for each in real:
            levels = {log["level"] for log in each.seen("log")}
            self.assertEqual(levels & {"warn", "err"}, set())
        await y.command("leave", seconds=5)
        await b.command("leave", seconds=5)
        for each in (a, x, c, z):
            for gone in ("y", "b"):
                left = await each.event("leave", about=gone)
                self.assertEqual(left["node"].state, "left")
            await each.sees("a", "c", "x", "z")

    async def test_update(self, line: PeerLine) -> None:
        """New metadata goes both ways, under a new incarnation."""
        a, x = await self.pair(line)
        for one, other in ((a, x), (x, a)):
            for incarnation, meta in ((2, b"new"), (3, b"\xff" * 512), (4, b"")):
                await one.command("update-meta", data=meta, seconds=5)
                for each in (one, other):
                    node = (await each.event("update", about=one.name))["node"]
                    self.assertEqual(node.meta, meta)
                    self.assertEqual(node.incarnation, incarnation)

    async def test_leave(self, line: PeerLine) -> None:
        """Who says farewell has left, and its address may have its name back."""
        a, x = await self.pair(line)
        await x.command("leave", seconds=5)
        for each in (a, x):
            self.assertEqual((await each.event("leave", "x"))["node"].state, "left")
        await x.kill(signal.SIGTERM)
        again = await self.ours("x", **FAST)
        await again.join(a.address)
        await see_each_other(a, again)
        await a.command("leave", seconds=5)
        left = await again.event("leave", "a")
        self.assertEqual(left["node"].state, "left")

    async def test_kill(self, line: PeerLine) -> None:
        """Who is killed is dead to all others."""
        a, x = await self.pair(line)
        b = await self.peer(line, "b", **FAST)
        y = await self.ours("y", **FAST)
        await b.join(x.address)
        await y.join(a.address)
        await see_each_other(a, x, b, y)
        await x.kill()
        for each in (a, b, y):
            dead = await each.event("leave", about="x", within=15)
            self.assertEqual(dead["node"].state, "dead")
            self.assertEqual((await each.records())["x"].state, "dead")
        await b.kill()
        for each in (a, y):
            dead = await each.event("leave", about="b", within=15)
            self.assertEqual(dead["node"].state, "dead")
            await each.sees("a", "y")

    async def test_back_at_once(self, line: PeerLine) -> None:
        """A peer that is killed and started again at its address is the same peer."""
        settings = {**FAST, "suspicion_mult": 100}
        a, x = await self.pair(line, settings, ours={"meta": b"before"})
        await x.command("update-meta", data=b"between", seconds=5)
        await x.kill()
        again = await self.ours("x", port=x.settings.port, meta=b"after", **settings)
        await again.join(a.address)
        updated = await a.event(
            "update", "x", where=lambda e: e["node"].meta == b"after"
        )
        self.assertEqual(updated["node"].incarnation, 3)
        await see_each_other(a, again)

    async def test_conflict(self, line: PeerLine) -> None:
        """Of two of one name the first keeps it, whichever of them is ours."""
        a, x = await self.pair(line)
        impostor = await self.peer(line, "x", **FAST)
        await impostor.join(a.address, x.address)
        for each in (a, x):
            conflict = await each.event(
                "conflict", where=lambda e: e["existing"].name == "x"
            )
            self.assertEqual(conflict["existing"].address, x.address)
            self.assertEqual(conflict["other"].address, impostor.address)
        await impostor.kill()
        ours = await self.ours("a", **FAST)
        await ours.join(x.address, a.address)
        for each in (a, x):
            conflict = await each.event(
                "conflict", where=lambda e: e["existing"].name == "a"
            )
            self.assertEqual(conflict["existing"].address, a.address)
            self.assertEqual(conflict["other"].address, ours.address)


@on_each_peer
class OtherAddressTests(PeerTestCase):
    """Rings at other addresses than usual."""

    async def test_ipv6(self, line: PeerLine) -> None:
        """A ring on ::1."""
        a, x = await self.pair(line, {**FAST, "bind": "::1"})
        for each, other in ((a, x), (x, a)):
            node = (await each.event("join", about=other.name))["node"]
            self.assertEqual(node.ip, bytes(15) + b"\x01")
            self.assertEqual(node.address, other.address)
        await x.command("update-meta", data=b"news", seconds=5)
        await a.event("update", about="x")

    async def test_mixed_families(self, line: PeerLine) -> None:
        """Ours on all addresses of both families answers IPv4 as such."""
        a = await self.peer(line, "a", **FAST)
        x = await self.ours("x", bind="::", advertise="127.0.0.1", **FAST)
        await x.join(a.address)
        await see_each_other(a, x)
        self.assertEqual((await a.records())["x"].ip, LOOPBACK)
        await a.command("update-meta", data=b"news", seconds=5)
        await x.event("update", about="a")
        await a.event("ping", about="x")

    async def test_advertised(self, line: PeerLine) -> None:
        """Who advertises another address than it listens on is found there."""
        everywhere = {**FAST, "bind": "0.0.0.0"}  # noqa: S104 - with loopback ports
        port, *_ = free_ports(1)
        a = await self.peer(
            line,
            "a",
            port=port,
            advertise="127.0.0.2",
            advertise_port=port,
            **everywhere,
        )
        x = await self.ours("x", advertise="127.0.0.3", **everywhere)
        await x.join(Address("127.0.0.2", port))
        await see_each_other(a, x)
        self.assertEqual((await a.records())["x"].ip, bytes([127, 0, 0, 3]))
        self.assertEqual((await x.records())["a"].ip, bytes([127, 0, 0, 2]))
        await a.event("ping", about="x")
        await x.event("ping", about="a")

    async def test_networks(self, line: PeerLine) -> None:
        """Who is in none of the allowed networks is in nobody's list that has them."""
        settings = {**FAST, "cidrs": ("127.0.0.1/32",)}
        a, x = await self.pair(line, settings)
        b = await self.peer(line, "b", bind="127.0.0.2", **FAST)
        y = await self.ours("y", bind="127.0.0.2", **FAST)
        for stranger in (b, y):
            await stranger.join(a.address, x.address)
            await stranger.finds("a", "alive")
        await b.join(y.address)
        await see_each_other(a, x)
        for each in (a, x):
            self.assertEqual(set(await each.records()), {"a", "x"})


class SerfTests(PeerTestCase):
    """Debian's serf and a peer of ours."""

    async def test_ring_with_serf(self) -> None:
        """Serf takes ours for one of its own; they hear each other change and leave."""
        key = bytes(range(32))
        agent = await self.serf("agent", key=key, tags={"role": "etcd"})
        other = await self.serf("other", key=key)
        x = await self.ours(
            "x", keys=[key], delegate_versions=SERF_VERSIONS, meta=b"role", **FAST
        )
        await other.join(agent.address)
        await x.join(agent.address)
        await x.sees("x", "agent", "other")
        for each in (agent, other):
            await each.event("join", about="x")
        member = (await agent.members())["x"]
        self.assertEqual((member.status, member.address), ("alive", x.address))
        self.assertIn(b"etcd", (await x.records())["agent"].meta)
        await agent.serf("tags", "-set", "role=none")
        updated = await x.event("update", about="agent")
        self.assertIn(b"none", updated["node"].meta)
        await x.command("update-meta", data=b"more", seconds=5)
        await agent.event("update", about="x")
        await other.leave()
        left = await x.event("leave", about="other")
        self.assertEqual(left["node"].state, "left")
        # Serf calls nobody left who did not say so in its own protocol, too.
        await x.command("leave", seconds=5)
        await agent.event("failed", about="x")

    async def test_serf_joins(self) -> None:
        """Serf joins ours; each finds the other dead that was killed."""
        x = await self.ours("x", delegate_versions=SERF_VERSIONS, **FAST)
        y = await self.ours("y", delegate_versions=SERF_VERSIONS, **FAST)
        agent = await self.serf("agent")
        await y.join(x.address)
        await agent.join(x.address)
        for each in (x, y):
            await each.sees("x", "y", "agent")
        await y.kill()
        await agent.event("failed", about="y", within=20)
        await agent.kill()
        dead = await x.event("leave", about="agent", within=20)
        self.assertEqual(dead["node"].state, "dead")
