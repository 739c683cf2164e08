"""What is sent by UDP, and the room in it."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import BroadcastDone, Effect, SendPacket, Spread
from e2d.swim.messages import Alive, Ping, Suspect, UserMessage
from e2d.swim.packets import Framing, pack
from e2d.swim.settings import LAN
from tests.swim.rings import (
    QUIET,
    Driven,
    address,
    alive,
    dead,
    of,
    sent,
    suspect,
)

_GOSSIPING = evolve(LAN, probe_interval=1000.0)


def _receivers(effects: list[Effect]) -> set[bytes]:
    return {packet.to.host for packet in of(effects, SendPacket)}


def _largest(effects: list[Effect]) -> int:
    """The bytes of the largest packet, packed plainly."""
    plain = Framing(compression=False)
    return max(
        len(pack(packet.parts, plain, checksum=packet.checksum, nonce=bytes))
        for packet in of(effects, SendPacket)
    )


def _spent(a: Driven) -> Driven:
    """Let all news be told."""
    a.wait(20.0)
    assert not a.swim.queue_length
    return a


class RoundTests(SynchronousTestCase):
    """Rounds of gossip."""

    def test_to_some(self) -> None:
        """A round goes to three peers, by default each 0.2 s."""
        a = Driven(_GOSSIPING)
        a.hear(*(alive(b"%d" % n, n) for n in range(2, 12)))
        self.assertEqual(a.wait(0.199), [])
        self.assertEqual(len(_receivers(a.wait(0.001))), 3)

    def test_nothing_new(self) -> None:
        """Without news there are no packets."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"))
        self.assertEqual(of(_spent(a).wait(5.0), SendPacket), [])

    def test_asleep(self) -> None:
        """Without news there is nothing to wake up for."""
        a = Driven(evolve(_GOSSIPING, exchange_interval=1000.0))
        a.hear(alive(b"b"))
        busy = a.swim.next_timer()
        due = _spent(a).swim.next_timer()
        assert busy is not None
        assert due is not None
        self.assertLess(busy, 1.0)
        self.assertGreater(due, a.now + 100.0)

    def test_awake(self) -> None:
        """News waits for the next round, which is when it would always have been."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"))
        _spent(a).wait(0.35)
        a.swim.broadcast(b"1", b"1", a.now)
        early = of(a.wait(0.04), SendPacket)
        late = of(a.wait(0.02), SendPacket)
        self.assertEqual((early, [each.to for each in late]), ([], [address(2)]))

    def test_told_often_enough(self) -> None:
        """In a ring of two, each news is told four times."""
        a = Driven(_GOSSIPING)
        claim = alive(b"b")
        a.hear(claim)
        told = [each for each in sent(a.wait(20.0), Alive) if each == claim]
        self.assertEqual(len(told), 4)

    def test_to_suspects(self) -> None:
        """Suspects are told, too."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"), suspect(b"b"))
        self.assertEqual(_receivers(a.wait(0.2)), {address(2).host})

    def test_to_the_dead(self) -> None:
        """The dead are told for half a minute, so that they can refute."""
        a = Driven(_GOSSIPING)
        a.wait(0.05)
        a.hear(alive(b"b"), dead(b"b"))
        a.wait(29.85)
        a.swim.broadcast(b"1", b"1", a.now)
        self.assertEqual(_receivers(a.wait(0.11)), {address(2).host})
        a.wait(0.1)
        a.swim.broadcast(b"2", b"2", a.now)
        self.assertEqual(of(a.wait(5.0), SendPacket), [])

    def test_not_to_those_who_left(self) -> None:
        """Who left does not want to know."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"), dead(b"b", by=b"b"))
        self.assertEqual(of(a.wait(5.0), SendPacket), [])


class RoomTests(SynchronousTestCase):
    """How much goes into a packet."""

    def ring(self) -> Driven:
        """A peer with much to tell."""
        a = Driven(_GOSSIPING)
        a.hear(*(alive(b"%d" % n, n, meta=bytes(50)) for n in range(2, 60)))
        a.hear(*(dead(b"%d" % n, by=b"%d" % n) for n in range(3, 30)))
        for number in range(300):
            a.swim.broadcast(b"%d" % number, bytes(number), a.now)
        return a

    def test_gossip_is_bounded(self) -> None:
        """No packet is larger than 1400 bytes, and much room is used."""
        largest = _largest(self.ring().wait(2.0))
        self.assertLessEqual(largest, 1400)
        self.assertGreater(largest, 1390)

    def test_overhead(self) -> None:
        """What packing adds is left free."""
        a = Driven(_GOSSIPING, packet_overhead=100)
        a.hear(alive(b"b"))
        for number in range(300):
            a.swim.broadcast(b"%d" % number, bytes(number), a.now)
        largest = _largest(a.wait(2.0))
        self.assertLessEqual(largest, 1300)
        self.assertGreater(largest, 1290)

    def test_answers_are_bounded(self) -> None:
        """So are answers with news on board."""
        a = self.ring()
        effects = [
            each
            for number in range(50)
            for each in a.hear(Ping(sequence=number, node=b"a"))
        ]
        largest = _largest(effects)
        self.assertLessEqual(largest, 1400)
        self.assertGreater(largest, 1390)

    def test_parts_are_bounded(self) -> None:
        """Old peers misread a compound of more than 127 parts."""
        a = Driven(_GOSSIPING)
        for number in range(300):
            a.swim.broadcast(b"%d" % number, b"", a.now)
        (packet,) = of(a.hear(Ping(sequence=1, node=b"a")), SendPacket)
        self.assertEqual(len(packet.parts), 127)

    def test_what_fits_nowhere_makes_void(self) -> None:
        """What was to be told about the peer before is not true any more."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"), suspect(b"b"))
        a.hear(alive(b"b", incarnation=2, meta=bytes(2000)))
        self.assertEqual(sent(a.wait(1.0), Suspect), [])

    def test_what_fits_nowhere(self) -> None:
        """Another's metadata may be too large to be told; nothing waits for it."""
        a = Driven(_GOSSIPING)
        waiting = a.swim.queue_length
        a.hear(alive(b"b", meta=bytes(2000)))
        self.assertEqual(a.swim.queue_length, waiting)
        self.assertEqual(a.peer(b"b").meta, bytes(2000))


class BroadcastTests(SynchronousTestCase):
    """What is built on the protocol has to say."""

    def setUp(self) -> None:
        """A ring of two, with nothing to tell."""
        a = Driven(evolve(_GOSSIPING, user_broadcasts_most=2))
        a.hear(alive(b"b"))
        self.a = _spent(a)

    def test_is_told(self) -> None:
        """It is told four times, and then said to be done."""
        self.a.swim.broadcast(b"name", b"payload", self.a.now)
        effects = self.a.wait(20.0)
        self.assertEqual(sent(effects, UserMessage), [UserMessage(b"payload")] * 4)
        self.assertEqual(
            of(effects, BroadcastDone),
            [BroadcastDone(about=Spread.USER, name=b"name")],
        )

    def test_after_news_of_the_ring(self) -> None:
        """News of the ring comes first in a packet."""
        self.a.swim.broadcast(b"name", b"payload", self.a.now)
        claim = alive(b"c", 3)
        effects = self.a.hear(claim, Ping(sequence=1, node=b"a"))
        (packet,) = of(effects, SendPacket)
        self.assertEqual(len(packet.parts), 3)
        self.assertEqual(packet.parts[2], b"\x08payload")

    def test_made_void(self) -> None:
        """A newer one of the same name takes its place."""
        self.a.swim.broadcast(b"name", b"old", self.a.now)
        done = self.a.swim.broadcast(b"name", b"new", self.a.now)
        self.assertEqual(done, [BroadcastDone(about=Spread.USER, name=b"name")])
        effects = self.a.wait(20.0)
        self.assertEqual(sent(effects, UserMessage), [UserMessage(b"new")] * 4)

    def test_bounded(self) -> None:
        """More than the most do not wait."""
        for name in (b"1", b"2", b"3"):
            self.a.swim.broadcast(name, name, self.a.now)
        self.assertEqual(self.a.swim.queue_length, 2)

    def test_too_large(self) -> None:
        """What fits into no packet is refused."""
        self.a.swim.broadcast(b"1", bytes(1390), self.a.now)
        with self.assertRaises(ValueError):
            self.a.swim.broadcast(b"2", bytes(1391), self.a.now)

    def test_many(self) -> None:
        """256 broadcasts are all told."""
        a = Driven(QUIET)
        for number in range(256):
            a.swim.broadcast(b"%d" % number, b"%d" % number, 0.0)
        heard = set[UserMessage]()
        for number in range(20):
            heard.update(sent(a.hear(Ping(sequence=number, node=b"a")), UserMessage))
        self.assertEqual(heard, {UserMessage(b"%d" % number) for number in range(256)})
