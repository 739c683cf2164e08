"""Real peers of memberlist among themselves: what the harness promises, they do."""

from __future__ import annotations

import signal
import sys
import time

from attrs import fields

from twisted.internet import reactor  # noqa: TID251 - real processes need the real one
from twisted.internet.defer import Deferred

from e2d.model import Address
from tests.integration.children import Child
from tests.integration.commanded import FAST, PeerRefused, PeerSettings
from tests.integration.events import Ended
from tests.integration.gopeers import (
    GoPeer,
    PeerLine,
    newest_peer,
    oldest_peer,
    on_each_peer,
)
from tests.integration.peering import PeerTestCase
from tests.integration.serfs import SERF_VERSIONS
from tests.integration.watching import is_running, until

OLD, NEW = oldest_peer(), newest_peer()
KEY_1, KEY_2 = bytes(range(16)), bytes(range(32))


class MixedTests(PeerTestCase):
    """Two generations of memberlist in one ring."""

    async def ring(self, **settings: object) -> tuple[GoPeer, GoPeer, GoPeer]:
        """Three peers that see each other."""
        settings = {**FAST, **settings}
        a = await self.peer(OLD, "a", **settings)
        b = await self.peer(NEW, "b", **settings)
        c = await self.peer(OLD, "c", **settings)
        self.assertEqual(await b.join(a.address), 1)
        self.assertEqual(await c.join(a.address), 1)
        for each in (a, b, c):
            await each.sees("a", "b", "c")
        return a, b, c

    async def test_join(self) -> None:
        """Each tells of each other, with the bytes that it got."""
        a, b, c = await self.ring(meta=b"\x00\xff")
        for each in (a, b):
            joined = await each.event("join", about="c")
            self.assertEqual(joined["node"].meta, b"\x00\xff")
            self.assertEqual(joined["node"].address, c.address)
            self.assertEqual(joined["node"].ip, bytes([127, 0, 0, 1]))
            self.assertEqual(joined["node"].vsn, bytes([1, 5, 2, 0, 0, 0]))
            self.assertEqual(joined["node"].state, "alive")

    async def test_update(self) -> None:
        """New metadata arrives, with a new incarnation."""
        a, b, _ = await self.ring()
        for meta in (b"new", b"newer"):
            await b.command("update-meta", data=meta, seconds=5)
            for each in (a, b):
                updated = await each.event("update", about="b")
                self.assertEqual(updated["node"].meta, meta)
                self.assertGreater(updated["node"].incarnation, 1)

    async def test_user_messages(self) -> None:
        """Each way to send one delivers it; a push/pull brings the state along."""
        a, b, c = await self.ring(retransmit_mult=10)
        await a.command("best-effort", name="b", data=b"by UDP")
        await a.command("reliable", name="b", data=bytes(100_000))
        await a.command("send-to", addr=str(b.address), data=b"to an address")
        for data in (b"by UDP", bytes(100_000), b"to an address"):
            await b.event("user", where=lambda e, data=data: e["data"] == data)
        await c.command("broadcast", data=b"to all")
        for each in (a, b):
            await each.event("user", where=lambda e: e["data"] == b"to all")
        finished = await c.event("finished")
        self.assertEqual(finished["data"], b"to all")
        await b.command("set-state", data=b"state of b")
        await c.join(b.address)
        merged = await c.event("merged", where=lambda e: e["join"])
        self.assertEqual(merged["data"], b"state of b")

    async def test_leave(self) -> None:
        """Who says farewell is not dead but left."""
        a, b, c = await self.ring()
        await b.command("leave", seconds=5)
        for each in (a, b, c):
            left = await each.event("leave", about="b")
            self.assertEqual(left["node"].state, "left")
        await a.sees("a", "c")
        self.assertEqual((await a.records())["b"].state, "left")

    async def test_kill(self) -> None:
        """Who was killed is found dead, and when is told."""
        a, b, c = await self.ring()
        killed_at = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.assertEqual(await b.kill(), -signal.SIGKILL)
        for each in (a, c):
            dead = await each.event("leave", about="b", within=15)
            self.assertEqual(dead["node"].state, "dead")
            self.assertLess(0.1, dead.at - killed_at)

    async def test_freeze(self) -> None:
        """A peer that hangs is suspected; thawed, it refutes."""
        a, b, _ = await self.ring(suspicion_mult=100)
        b.freeze()
        suspect = await a.finds("b", "suspect")
        b.thaw()
        alive = await a.finds("b", "alive")
        self.assertGreater(alive.incarnation, suspect.incarnation)
        self.assertEqual(a.seen("leave"), [])


class SealedTests(PeerTestCase):
    """Keys and labels keep others out."""

    async def test_keys_change(self) -> None:
        """A ring changes its key while it runs."""
        a = await self.peer(OLD, "a", keys=[KEY_1], **FAST)
        b = await self.peer(NEW, "b", keys=[KEY_1], **FAST)
        await b.join(a.address)
        for do, key in (("add-key", KEY_2), ("use-key", KEY_2), ("remove-key", KEY_1)):
            for each in (a, b):
                await each.command(do, key=key)
        for each in (a, b):
            self.assertEqual(await each.command("keys"), [KEY_2.hex()])
        c = await self.peer(OLD, "c", keys=[KEY_2], **FAST)
        await c.join(b.address)
        await a.sees("a", "b", "c")

    async def test_another_key(self) -> None:
        """Who has another key, or none, is refused."""
        a = await self.peer(OLD, "a", keys=[KEY_1], **FAST)
        for keys in ([KEY_2], []):
            b = await self.peer(NEW, "b", keys=keys, **FAST)
            with self.assertRaises(PeerRefused):
                await b.join(a.address)
        self.assertEqual(set(await a.members()), {"a"})
        await a.event("log", where=lambda e: e["level"] == "err")

    async def test_another_label(self) -> None:
        """Who has another label, or none, is refused; who has the same is not."""
        a = await self.peer(NEW, "a", label="x", **FAST)
        same = await self.peer(NEW, "same", label="x", **FAST)
        other = await self.peer(NEW, "other", label="y", **FAST)
        none = await self.peer(OLD, "none", **FAST)
        self.assertEqual(await same.join(a.address), 1)
        for each in (other, none):
            with self.assertRaises(PeerRefused):
                await each.join(a.address)
        await a.sees("a", "same")

    async def test_no_labels(self) -> None:
        """A label is refused, not forgotten, by a release that has none."""
        with self.assertRaisesRegex(Ended, "memberlist 0.2.2 has no Label"):
            await self.peer(OLD, "a", label="x")


@on_each_peer
class EachLineTests(PeerTestCase):
    """What one peer of each line tells."""

    async def test_pings(self, line: PeerLine) -> None:
        """Probes and pings on command tell their round trip."""
        a = await self.peer(line, "a", **FAST)
        b = await self.peer(line, "b", ack_payload=b"ack", **FAST)
        await a.join(b.address)
        ping = await a.event("ping", about="b")
        self.assertEqual(ping["data"], b"ack")
        self.assertLess(0, ping["rtt"])
        rtt = await a.command("ping", name="b", addr=str(b.address))
        self.assertLess(abs(rtt), 1)  # 0.2 may look at its clock too late: below 0
        self.assertIn(await a.command("health"), range(8))

    async def test_conflict(self, line: PeerLine) -> None:
        """A second member of one name is told as a conflict."""
        a = await self.peer(line, "a", **FAST)
        b = await self.peer(line, "b", **FAST)
        second = await self.peer(line, "b", **FAST)
        await b.join(a.address)
        await a.sees("a", "b")  # who is joined answers first, and looks afterwards
        await second.join(a.address)
        conflict = await a.event("conflict")
        self.assertEqual(conflict["existing"].address, b.address)
        self.assertEqual(conflict["other"].address, second.address)

    async def test_cost(self, line: PeerLine) -> None:
        """Its time and memory can be read."""
        a = await self.peer(line, "a")
        self.assertLess(a.cpu_seconds(), 5)
        self.assertLess(1 << 20, a.resident_bytes())

    async def test_another_protocol(self, line: PeerLine) -> None:
        """The versions of a peer and of what it carries are set."""
        a = await self.peer(line, "a", protocol=5, delegate_versions=(2, 5, 4))
        self.assertEqual((await a.members())["a"].vsn, bytes([1, 5, 5, 2, 5, 4]))

    async def test_every_setting(self, line: PeerLine) -> None:
        """Each line takes each flag, but labels where there are none."""
        numbers = {
            each.name: 2
            for each in fields(PeerSettings)
            if each.type in {"int | None", "float | None"}
        }
        switches = {
            each.name: False
            for each in fields(PeerSettings)
            if each.type == "bool | None" and "label" not in each.name
        }
        if line.has_labels:
            switches |= {"label": "x", "skip_inbound_label_check": False}
        a = await self.peer(
            line,
            "a",
            **numbers,
            **switches,
            profile="wan",
            advertise="127.0.0.2",
            state=b"state",
            cidrs=("127.0.0.0/8", "10.0.0.0/8"),
        )
        advertised = (await a.members())["a"].address
        self.assertEqual(advertised, Address("127.0.0.2", 2))

    async def test_says_why_it_ended(self, line: PeerLine) -> None:
        """A peer that can't start fails the wait for it, with its words."""
        a = await self.peer(line, "a")
        with self.assertRaisesRegex(Ended, "address already in use"):
            await self.peer(line, "b", port=a.settings.port)

    async def test_ends_with_its_input(self, line: PeerLine) -> None:
        """Nobody to command it, nothing to live for: no signal is needed."""
        a = await self.peer(line, "a")
        a.child.close_input()
        self.assertEqual(await a.child.wait(10), 0)

    async def test_command_that_is_none(self, line: PeerLine) -> None:
        """A slip in a test is told, and does not end the peer."""
        a = await self.peer(line, "a")
        with self.assertRaisesRegex(PeerRefused, 'no command is called "frobnicate"'):
            await a.command("frobnicate")
        self.assertEqual(set(await a.members()), {"a"})

    async def test_waits_no_longer(self, line: PeerLine) -> None:
        """What does not happen fails the test that waits for it, in time."""
        a = await self.peer(line, "a")
        with self.assertRaisesRegex(AssertionError, "not within 0.1 s: leave of b"):
            await a.event("leave", about="b", within=0.1)
        with self.assertRaisesRegex(AssertionError, "a sees"):
            await a.sees("a", "b", within=0.1)


class SerfTests(PeerTestCase):
    """Debian's serf among peers."""

    async def test_ring_with_serf(self) -> None:
        """An agent takes a peer with its delegate versions for one of its own."""
        agent = await self.serf("agent", key=KEY_2, tags={"role": "etcd"})
        other = await self.serf("other", key=KEY_2)
        a = await self.peer(
            OLD,
            "a",
            keys=[KEY_2],
            delegate_versions=SERF_VERSIONS,
            meta=b"role",
            **FAST,
        )
        await other.join(agent.address)
        await a.join(agent.address)
        await a.sees("a", "agent", "other")
        await agent.event("join", about="a")
        members = await agent.members()
        self.assertEqual(members["a"].status, "alive")
        self.assertEqual(members["a"].address, a.address)
        self.assertEqual(members["agent"].tags, {"role": "etcd"})
        await other.leave()
        left = await a.event("leave", about="other")
        self.assertEqual(left["node"].state, "left")
        # Serf calls nobody left who did not say so in its own protocol, too.
        await a.command("leave", seconds=5)
        await agent.event("failed", about="a")


class ChildTests(PeerTestCase):
    """Processes that end with the tests."""

    async def test_dies_with_its_parent(self) -> None:
        """A child is killed when the process that started it is, whatever it does."""
        script = (
            "import subprocess, time\n"
            "from tests.integration.children import dying_with_parent\n"
            "child = subprocess.Popen(dying_with_parent(['sleep', '600']))\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(600)\n"
        )
        told: Deferred[bytes] = Deferred()
        parent = Child(reactor, [sys.executable, "-c", script], told.callback)
        self.addCleanup(parent.kill)
        pid = int(await told)
        self.assertTrue(is_running(pid))
        await parent.kill()
        until("the child is gone", lambda: not is_running(pid))

    async def test_long_lines(self) -> None:
        """A line of megabytes comes whole, and so does a last one without an end."""
        script = "print('x' * 5_000_000); print('end', end='')"
        lines: list[bytes] = []
        child = Child(reactor, [sys.executable, "-c", script], lines.append)
        self.assertEqual(await child.wait(20), 0)
        self.assertEqual(lines, [b"x" * 5_000_000, b"end"])
