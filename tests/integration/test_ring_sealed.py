"""Keys, labels and versions: who shares them is in the ring, and nobody else is."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.commanded import FAST, CommandedPeer, PeerRefused
from tests.integration.etcds import free_ports
from tests.integration.gopeers import PeerLine, newest_peer, on_each_peer
from tests.integration.peering import PeerTestCase, see_each_other
from tests.integration.spans import passes
from tests.integration.test_ring_messages import OFTEN, hears

KEY_16, KEY_24, KEY_32 = (bytes(range(size)) for size in (16, 24, 32))


class _SealedTestCase(PeerTestCase):
    async def talk(self, a: CommandedPeer, x: CommandedPeer) -> None:
        """Each hears the other, by packet, by gossip and by stream."""
        for one, other in ((a, x), (x, a)):
            await one.command("best-effort", name=other.name, data=b"packet")
            await one.command("reliable", name=other.name, data=b"stream" * 10_000)
            await hears(other, b"packet")
            await hears(other, b"stream" * 10_000)
            await one.command("update-meta", data=b"gossip", seconds=5)
            await other.event("update", about=one.name)
            await one.event("ping", about=other.name)

    async def refuse(self, a: CommandedPeer, x: CommandedPeer) -> None:
        """Neither can join the other, nor do they learn of each other."""
        for one, other in ((a, x), (x, a)):
            with self.assertRaises(PeerRefused):
                await one.join(other.address)
            await one.command("send-to", addr=str(other.address), data=b"packet")
        await passes(0.3)
        for each in (a, x):
            self.assertEqual(set(await each.records()), {each.name})
            self.assertEqual(each.seen("user"), [])


@on_each_peer
class KeyTests(_SealedTestCase):
    """Rings with keys."""

    async def test_16_bytes(self, line: PeerLine) -> None:
        """AES-128."""
        await self.talk(*await self.pair(line, {**FAST, "keys": [KEY_16]}))

    async def test_24_bytes(self, line: PeerLine) -> None:
        """AES-192."""
        await self.talk(*await self.pair(line, {**FAST, "keys": [KEY_24]}))

    async def test_32_bytes_uncompressed(self, line: PeerLine) -> None:
        """AES-256, and nothing compressed."""
        settings = {**FAST, "keys": [KEY_32], "compression": False}
        await self.talk(*await self.pair(line, settings))

    async def test_another_key(self, line: PeerLine) -> None:
        """Who has another key, or none, is kept out, by both."""
        for theirs, ours in ([KEY_32], [KEY_16]), ([], [KEY_16]), ([KEY_32], []):
            a = await self.peer(line, "a", keys=theirs, **FAST)
            x = await self.ours("x", keys=ours, **FAST)
            await self.refuse(a, x)
            await self.end(a, x)

    async def test_other_primary(self, line: PeerLine) -> None:
        """Each seals with its own first key; the other has it, too."""
        a, x = await self.pair(
            line, go={"keys": [KEY_16, KEY_32]}, ours={"keys": [KEY_32, KEY_16]}
        )
        await self.talk(a, x)

    async def test_keys_change(self, line: PeerLine) -> None:
        """A ring of two and two changes its key; no message is lost meanwhile."""
        settings = {**OFTEN, "keys": [KEY_16]}
        real = [await self.peer(line, name, **settings) for name in ("a", "b")]
        ours = await self.ours_in_one("x", "y", **settings)
        ring: Sequence[CommandedPeer] = real + ours
        for each in ring[1:]:
            await each.join(ring[0].address)
        await see_each_other(*ring)
        said = await self.change_key(ring)
        for each in ring:
            self.assertEqual(await each.command("keys"), [KEY_32.hex()])
            await self.has_heard(each, said, len(said) // len(ring))
        for each in ours:
            self.assertEqual((await each.traffic())["packets_dropped"], {})
            self.assertEqual(each.seen("suspect"), [])
        for each in real:
            levels = {log["level"] for log in each.seen("log")}
            self.assertEqual(levels & {"warn", "err"}, set())

    async def change_key(self, ring: Sequence[CommandedPeer]) -> set[bytes]:
        """All take the new key, use it, drop the old; each speaks at every step."""
        said = set()
        for do, key in (
            ("add-key", KEY_32),
            ("use-key", KEY_32),
            ("remove-key", KEY_16),
        ):
            for each in ring:
                await each.command(do, key=key)
                for one in ring:
                    data = f"{do} of {each.name}, says {one.name}".encode()
                    await one.command("broadcast", data=data)
                    said.add(data)
                await passes(0.1)
        return said

    async def has_heard(self, one: CommandedPeer, said: set[bytes], own: int) -> None:
        """All that others said, once all of its own is told; nobody had to refute."""
        for _ in range(own):
            await one.event("finished")
        heard = {event["data"] for event in one.seen("user")}
        told = {event["data"] for event in one.seen("finished")}
        self.assertEqual(len(told), own)
        self.assertEqual(heard | told, said)
        records = (await one.records()).values()
        self.assertEqual({each.incarnation for each in records}, {1})

    async def test_become_sealed(self, line: PeerLine) -> None:
        """A plain ring is encrypted, a peer after the other, and never falls apart."""
        stages: Sequence[dict[str, object]] = (
            {},
            {"keys": [KEY_32], "verify_incoming": False, "verify_outgoing": False},
            {"keys": [KEY_32], "verify_incoming": False},
            {"keys": [KEY_32]},
        )
        a = await self.peer(line, "a0", **FAST)
        x = await self.ours("x0", **FAST)
        await x.join(a.address)
        await see_each_other(a, x)
        for number, stage in enumerate(stages[1:], start=1):
            next_a = await self.peer(line, f"a{number}", **stage, **FAST)
            await next_a.join(x.address)
            await a.command("leave", seconds=5)
            await a.kill()
            await see_each_other(next_a, x)
            next_x = await self.ours(f"x{number}", **stage, **FAST)
            await next_x.join(next_a.address)
            await x.command("leave", seconds=5)
            await x.kill()
            a, x = next_a, next_x
            await see_each_other(a, x)
        await self.talk(a, x)


@on_each_peer
class VersionTests(_SealedTestCase):
    """Versions of the protocol."""

    async def without_ports(
        self, line: PeerLine, theirs: int, ours: int
    ) -> tuple[CommandedPeer, CommandedPeer]:
        """A ring where all have one port, as version 1 has it, that is sealed."""
        settings = {**FAST, "port": free_ports(1)[0], "keys": [KEY_16]}
        return await self.pair(
            line,
            settings,
            go={"protocol": theirs, "bind": "127.0.0.2"},
            ours={"protocol": ours, "bind": "127.0.0.3"},
        )

    async def test_1(self, line: PeerLine) -> None:
        """The oldest: its packets are padded, and nobody has a port."""
        a, x = await self.without_ports(line, 1, 1)
        self.assertEqual((await a.records())["x"].vsn[:3], bytes([1, 5, 1]))
        await self.talk(a, x)

    async def test_1_and_2(self, line: PeerLine) -> None:
        """The oldest from them, and today's from ours."""
        await self.talk(*await self.without_ports(line, 1, 2))

    async def test_2_and_1(self, line: PeerLine) -> None:
        """The oldest from ours, and today's from them."""
        await self.talk(*await self.without_ports(line, 2, 1))

    async def test_5_and_2(self, line: PeerLine) -> None:
        """The newest from them."""
        await self.talk(*await self.pair(line, go={"protocol": 5}))

    async def test_2_and_5(self, line: PeerLine) -> None:
        """The newest from ours."""
        await self.talk(*await self.pair(line, ours={"protocol": 5}))

    async def test_incompatible(self, line: PeerLine) -> None:
        """Who carries something else is refused, by both."""
        a = await self.peer(line, "a", delegate_versions=(2, 5, 5), **FAST)
        x = await self.ours("x", delegate_versions=(1, 1, 1), **FAST)
        for one, other in ((a, x), (x, a)):
            with self.assertRaises(PeerRefused):
                await one.join(other.address)
            self.assertEqual(set(await other.records()), {other.name})


class LabelTests(_SealedTestCase):
    """Labels, which memberlist has since 0.3."""

    async def test_same(self) -> None:
        """Who has the same label is in the ring."""
        line = newest_peer()
        await self.talk(*await self.pair(line, {**FAST, "label": "ring"}))

    async def test_same_sealed(self) -> None:
        """The label is part of what is sealed."""
        settings = {**FAST, "label": "x" * 255, "keys": [KEY_32]}
        await self.talk(*await self.pair(newest_peer(), settings))

    async def test_other(self) -> None:
        """Who has another, or none, is kept out by both, with and without a key."""
        for keys in ([], [KEY_32]):
            for theirs, ours in ("one", "two"), ("one", None), (None, "two"):
                a = await self.peer(newest_peer(), "a", keys=keys, label=theirs, **FAST)
                x = await self.ours("x", keys=keys, label=ours, **FAST)
                await self.refuse(a, x)
                await self.end(a, x)


@on_each_peer
class NoLabelTests(_SealedTestCase):
    """Ours with a label, and releases with and without them."""

    async def test_none(self, line: PeerLine) -> None:
        """Who has no label is kept out, even by an old release that knows of none."""
        a = await self.peer(line, "a", **FAST)
        x = await self.ours("x", label="ring", **FAST)
        await self.refuse(a, x)
