"""What strangers do to a peer's port does not keep it from the ring."""

from __future__ import annotations

import struct
from itertools import pairwise
from random import Random

from tests.integration.commanded import CALM, CommandedPeer, PeerRefused
from tests.integration.gopeers import GoPeer, PeerLine, on_each_peer
from tests.integration.ourpeers import OurPeer
from tests.integration.peering import PeerTestCase, see_each_other
from tests.integration.spans import moment, passes
from tests.integration.strangers import SilentListener, Stranger, dial, shout

TIMEOUT = 1.0
"""Of a step of a stream, in the profile ``local``."""

SLACK = 1.5
MIB = 1024 * 1024

PUSH_PULL = b"\x06"
MANY_PEERS = b"\x06\x83\xa5Nodes\xce\x7f\xff\xff\xff\xacUserStateLen\x00\xa4Join\xc3"
LARGE_STATE = b"\x06\x83\xa5Nodes\x00\xacUserStateLen\xce\x7f\xff\xff\xff\xa4Join\xc3"
LARGE_FRAME = struct.pack(">BI", 10, 0x7FFF_FFFF)
LARGE_MESSAGE = b"\x08\x81\xaaUserMsgLen\xce\x7f\xff\xff\xff"


class _AttackedTestCase(PeerTestCase):
    async def strangers(self, peer: CommandedPeer, count: int) -> list[Stranger]:
        """So many connections to a peer."""
        dialled = []
        for _ in range(count):
            stranger = await dial(peer.address)
            self.addCleanup(stranger.hang_up)
            dialled.append(stranger)
        return dialled

    async def is_well(self, a: GoPeer, x: OurPeer) -> None:
        """Both hear each other, nobody was suspected, and a newcomer gets in."""
        for one, other in ((a, x), (x, a)):
            await one.command("update-meta", data=b"news", seconds=5)
            updated = await other.event("update", about=one.name)
            self.assertEqual(updated["node"].meta, b"news")
            self.assertEqual(one.seen("leave"), [])
        self.assertEqual(x.seen("suspect") + x.seen("refuted"), [])
        newcomer = await self.peer(a.line, "newcomer", **CALM)
        await newcomer.join(x.address)
        await see_each_other(a, x, newcomer)


@on_each_peer
class StrangerTests(_AttackedTestCase):
    """Connections and packets of those who are no peers."""

    async def test_garbage(self, line: PeerLine) -> None:
        """What cannot be read is dropped, by stream and by packet."""
        a, x = await self.pair(line, CALM)
        random = Random(1)
        shout(
            x.address, *(random.randbytes(random.randrange(1400)) for _ in range(500))
        )
        shout(x.address, *(bytes([kind]) + random.randbytes(40) for kind in range(256)))
        shout(x.address, *(random.randbytes(60_000) for _ in range(20)))
        strangers = await self.strangers(x, 60)
        for number, stranger in enumerate(strangers):
            stranger.say(bytes([number % 20]) + random.randbytes(1 << (number % 20)))
        for stranger in strangers:
            await stranger.ends(TIMEOUT + SLACK)
        await self.is_well(a, x)

    async def test_more_than_there_is(self, line: PeerLine) -> None:
        """Who announces gigabytes is turned away before they come."""
        a, x = await self.pair(line, CALM)
        before = x.resident_bytes()
        for announced in (MANY_PEERS, LARGE_STATE, LARGE_MESSAGE, LARGE_FRAME):
            for stranger in await self.strangers(x, 5):
                stranger.say(announced + bytes(MIB))
                self.assertLess(await stranger.ends(TIMEOUT + SLACK), TIMEOUT)
        self.assertLess(x.resident_bytes() - before, 48 * MIB)
        await self.is_well(a, x)

    async def test_slow(self, line: PeerLine) -> None:
        """Who says one byte after the other has no longer than others."""
        a, x = await self.pair(line, CALM)
        strangers = await self.strangers(x, 20)
        for stranger in strangers:
            stranger.drip(PUSH_PULL + b"\x83\xa5Nodes", 0.05)
        for stranger in strangers:
            lasted = await stranger.ends(TIMEOUT + SLACK)
            self.assertLess(TIMEOUT / 2, lasted)
        await self.is_well(a, x)

    async def test_many(self, line: PeerLine) -> None:
        """Two hundred connections that say nothing: gossip goes on, and they end."""
        a, x = await self.pair(line, {**CALM, "disable_tcp_pings": True})
        strangers = await self.strangers(x, 200)
        began = moment()
        await x.command("update-meta", data=b"of x", seconds=5)
        await a.command("update-meta", data=b"of a", seconds=5)
        await a.event("update", about="x", within=TIMEOUT)
        await x.event("update", about="a", within=TIMEOUT)
        self.assertLess(moment() - began, TIMEOUT)
        for stranger in strangers:
            await stranger.ends(TIMEOUT + SLACK)
        failed = (await x.traffic())["streams_failed"]
        self.assertEqual(failed["too-many"], 200 - 128)
        await self.is_well(a, x)


@on_each_peer
class SilentTests(_AttackedTestCase):
    """Who is joined, and is no peer."""

    async def test_silent(self, line: PeerLine) -> None:
        """To join who accepts and says nothing fails in time; others are joined."""
        a = await self.peer(line, "a", **CALM)
        x = await self.ours("x", **CALM)
        silent = SilentListener()
        self.addCleanup(silent.close)
        began = moment()
        with self.assertRaisesRegex(PeerRefused, "no answer in time"):
            await x.join(silent.address)
        self.assertLess(moment() - began, 2 * TIMEOUT + SLACK)
        self.assertEqual(await x.join(silent.address, a.address), 1)
        await see_each_other(a, x)

    async def test_nobody(self, line: PeerLine) -> None:
        """To join where nobody listens fails at once."""
        a, x = await self.pair(line, CALM)
        await a.kill()
        began = moment()
        await x.event("leave", about="a", within=15)
        with self.assertRaisesRegex(PeerRefused, "refused"):
            await x.join(a.address)
        self.assertLess(moment() - began, 10)


@on_each_peer
class CrowdTests(PeerTestCase):
    """Many on one address."""

    async def test_sixteen(self, line: PeerLine) -> None:
        """Eight and eight, with a key, are one ring, and nobody is suspected."""
        settings = {**CALM, "keys": [bytes(range(16))]}
        real = [await self.peer(line, f"a{n}", **settings) for n in range(8)]
        names = [f"x{n}" for n in range(8)]
        ours = await self.ours_in_one(*names, **settings)
        ring = [each for pair in zip(real, ours, strict=True) for each in pair]
        for one, other in pairwise(ring):
            await other.join(one.address)
        await see_each_other(*ring)
        await passes(2)
        for each in ring:
            self.assertEqual(each.seen("leave") + each.seen("suspect"), [])
            self.assertEqual(each.seen("conflict"), [])
