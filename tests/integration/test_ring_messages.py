"""What is built on the protocol reaches real peers from ours, and ours from them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.commanded import CALM, FAST, CommandedPeer
from tests.integration.gopeers import PeerLine, on_each_peer
from tests.integration.peering import PeerTestCase, see_each_other

OFTEN = {**CALM, "retransmit_mult": 10, "gossip_nodes": 4}
"""A broadcast of a user goes one hop, to peers by chance: often enough for all."""

MOST_OF_OURS = 512 * 1024


async def hears(peer: CommandedPeer, data: bytes) -> None:
    """Until a peer has got a message."""
    await peer.event("user", where=lambda event: event["data"] == data)


@on_each_peer
class MessageTests(PeerTestCase):
    """From one peer to another."""

    async def test_by_packet(self, line: PeerLine) -> None:
        """By UDP, as a member and as an address, both ways."""
        a, x = await self.pair(line)
        for one, other in ((a, x), (x, a)):
            for data in (b"", b"\x00", b"\xff" * 1200):
                await one.command("best-effort", name=other.name, data=data)
                await hears(other, data)
            address = str(other.address)
            await one.command("send-to", addr=address, data=b"to an address")
            await hears(other, b"to an address")

    async def test_by_stream(self, line: PeerLine) -> None:
        """By TCP, small and large, both ways, as each compresses or not."""
        for go, ours in ((True, True), (True, False), (False, True)):
            a, x = await self.pair(
                line, go={"compression": go}, ours={"compression": ours}
            )
            for one, other in ((a, x), (x, a)):
                for data in (b"\x80", bytes(range(256)) * (MOST_OF_OURS // 256)):
                    await one.command("reliable", name=other.name, data=data)
                    await hears(other, data)
            await self.end(a, x)

    async def test_states(self, line: PeerLine) -> None:
        """Each exchange brings the state of the other, as it is then."""
        settings = {**FAST, "push_pull_interval": 0.5}
        large = bytes(50_000)
        a, x = await self.pair(
            line, settings, go={"state": b"of a"}, ours={"state": large}
        )
        for each, data in ((x, b"of a"), (a, large)):
            merged = await each.event("merged", where=lambda event: event["join"])
            self.assertEqual(merged["data"], data)
        for one, other in ((a, x), (x, a)):
            await one.command("set-state", data=b"later")
            await other.event("merged", where=lambda e: e["data"] == b"later")
            self.assertEqual(other.seen("merged")[-1]["join"], False)

    async def test_acks(self, line: PeerLine) -> None:
        """Each probe tells its round trip, and what the other adds to an ack."""
        a, x = await self.pair(
            line, go={"ack_payload": b"of a"}, ours={"ack_payload": b"of x" * 200}
        )
        for one, other, data in ((a, x, b"of x" * 200), (x, a, b"of a")):
            ping = await one.event("ping", about=other.name)
            self.assertEqual(ping["data"], data)
            self.assertLess(0, ping["rtt"])
            await other.command("set-ack", data=b"later")
            await one.event(
                "ping", other.name, where=lambda event: event["data"] == b"later"
            )
        rtt = await a.command("ping", name="x", addr=str(x.address))
        self.assertLess(abs(rtt), 1)


@on_each_peer
class BroadcastTests(PeerTestCase):
    """From one peer to all."""

    async def ring(self, line: PeerLine) -> Sequence[CommandedPeer]:
        """Two real peers and two of ours."""
        real = [await self.peer(line, name, **OFTEN) for name in ("a", "b")]
        ours = await self.ours_in_one("x", "y", **OFTEN)
        first, *others = real + ours
        for each in others:
            await each.join(first.address)
        await see_each_other(first, *others)
        return first, *others

    async def test_broadcasts(self, line: PeerLine) -> None:
        """All hear what each broadcasts, in packets that are filled."""
        ring = await self.ring(line)
        said = {
            each.name: [b"%s %d" % (each.name.encode(), n) for n in range(64)]
            for each in ring
        }
        for each in ring:
            for data in said[each.name]:
                await each.command("broadcast", data=data)
        for each in ring:
            for data in said[each.name]:
                await each.event("finished", where=lambda e, d=data: e["data"] == d)
        for each in ring:
            heard = {event["data"] for event in each.seen("user")}
            expected = {
                data
                for name, datas in said.items()
                if name != each.name
                for data in datas
            }
            self.assertEqual(expected - heard, set())

    async def test_one_key(self, line: PeerLine) -> None:
        """A broadcast that takes another's place ends it."""
        a, x = await self.pair(line, OFTEN)
        for one, other in ((a, x), (x, a)):
            for data in (b"first", b"second", b"third"):
                await one.command("broadcast", data=data, name="key")
            for data in (b"first", b"second", b"third"):
                finished = await one.event("finished")
                self.assertEqual((finished["key"], finished["data"]), ("key", data))
            await hears(other, b"third")
