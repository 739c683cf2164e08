"""One peer of a ring, as it is driven."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import (
    BroadcastDone,
    Effect,
    ExchangeState,
    Ignored,
    PausedFor,
    PeerForgotten,
    PeerJoined,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    Reason,
    SendPacket,
    Spread,
    UserMessageReceived,
)
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    Ping,
    Rank,
    UnknownMessage,
    UserMessage,
)
from e2d.swim.settings import LAN
from tests.swim.rings import (
    SELF,
    Driven,
    address,
    alive,
    dead,
    kinds,
    of,
    sent,
    state,
    suspect,
    told,
)

_GOSSIPING = evolve(LAN, probe_interval=1000.0)

_SETTLES = 0.31
"""What the 0.19 s to the next round of gossip lack of half a second."""


class StartTests(SynchronousTestCase):
    """Being in a ring of one."""

    def test_joins_itself(self) -> None:
        """From the start we are a peer, with metadata, under incarnation 1."""
        a = Driven(meta=b"ours")
        self.assertEqual(a.started, [PeerJoined(a.peer(b"a"))])
        peer = a.peer(b"a")
        self.assertEqual((peer.address, peer.meta), (SELF, b"ours"))
        self.assertEqual((peer.incarnation, peer.rank), (1, Rank.ALIVE))
        self.assertEqual((a.swim.incarnation, a.swim.health_score), (1, 0))

    def test_first_word(self) -> None:
        """What is told first has the metadata."""
        a = Driven(meta=b"ours")
        (claim,) = sent(a.hear(Ping(sequence=1, node=b"a")), Alive)
        self.assertEqual((claim.meta, claim.incarnation), (b"ours", 1))

    def test_alone(self) -> None:
        """Alone, nothing is sent, and nobody is suspected."""
        a = Driven(LAN)
        self.assertEqual(a.wait(120.0), [])

    def test_nothing_due(self) -> None:
        """To be woken too early is harmless."""
        a = Driven(LAN)
        self.assertEqual(a.swim.handle_timer(0.1), [])
        self.assertEqual(a.swim.next_timer(), 0.2)

    def test_too_much_metadata(self) -> None:
        """More metadata than 512 bytes is refused."""
        Driven(meta=bytes(512))
        with self.assertRaises(ValueError):
            Driven(meta=bytes(513))

    def test_no_room_for_ourselves(self) -> None:
        """Where a claim about us could fit into no packet, nobody would hear of us."""
        small = evolve(LAN, packet_bytes=584)
        Driven(small)
        with self.assertRaises(ValueError):
            Driven(small, packet_overhead=1)

    def test_same_seed(self) -> None:
        """The same seed and the same inputs give the same effects."""
        self.assertEqual(_history(1), _history(1))
        self.assertNotEqual(_history(1), _history(2))


class MessageTests(SynchronousTestCase):
    """Messages that are not about peers."""

    def test_user_messages(self) -> None:
        """They are passed on, even empty."""
        self.assertEqual(
            Driven().hear(UserMessage(b"hi"), UserMessage(b"")),
            [
                UserMessageReceived(source=address(99), payload=b"hi"),
                UserMessageReceived(source=address(99), payload=b""),
            ],
        )

    def test_unknown(self) -> None:
        """What a later release says is ignored."""
        self.assertEqual(
            Driven().hear(UnknownMessage(42, b"?")),
            [Ignored(reason=Reason.UNKNOWN, detail="type 42")],
        )

    def test_misplaced(self) -> None:
        """What belongs on streams is not taken from packets."""
        effects = Driven().hear(told(state(b"b")), ErrorReply("?"))
        self.assertEqual(effects, [Ignored(reason=Reason.MISPLACED)] * 2)


class LeaveTests(SynchronousTestCase):
    """Leaving of our own accord."""

    def setUp(self) -> None:
        """A ring of two, without news."""
        self.a = Driven(_GOSSIPING)
        self.a.hear(alive(b"b"))
        self.a.wait(20.0)

    def test_tells(self) -> None:
        """It is told until it was sent often enough, and then said to be done."""
        left = self.a.swim.leave(self.a.now)
        self.assertEqual([each.peer.rank for each in of(left, PeerLeft)], [Rank.LEFT])
        self.assertEqual(of(left, BroadcastDone), [])
        effects = self.a.wait(2.0)
        self.assertEqual(sent(effects, Dead), [dead(b"a", by=b"a")] * 4)
        self.assertEqual(
            of(effects, BroadcastDone), [BroadcastDone(about=Spread.LEAVE, name=b"a")]
        )

    def test_twice(self) -> None:
        """Leaving once is enough."""
        self.a.swim.leave(self.a.now)
        self.assertEqual(self.a.swim.leave(self.a.now), [])

    def test_nobody_to_tell(self) -> None:
        """Where nobody else is there, it is done at once."""
        self.a.hear(dead(b"b"))
        effects = self.a.swim.leave(self.a.now)
        self.assertEqual(kinds(effects), ["BroadcastDone", "PeerLeft"])

    def test_goes_on_answering(self) -> None:
        """Until the driver stops, pings and exchanges are answered."""
        self.a.swim.leave(self.a.now)
        effects = self.a.hear(Ping(sequence=3, node=b"a"))
        self.assertEqual(sent(effects, Ack), [Ack(sequence=3)])
        reply, _ = self.a.swim.receive_state(told(), SELF, self.a.now)
        self.assertIn(evolve(state(b"a", 1), rank=Rank.LEFT), reply.peers)

    def test_does_not_come_back(self) -> None:
        """Nothing that is said about us is refuted any more."""
        self.a.swim.leave(self.a.now)
        effects = self.a.hear(
            alive(b"a", 1, incarnation=9),
            suspect(b"a", incarnation=9),
            dead(b"a", incarnation=9),
        )
        self.assertEqual(effects, [])
        self.assertEqual(self.a.swim.update(b"new", self.a.now), [])
        self.assertEqual(self.a.peer(b"a").rank, Rank.LEFT)


class UpdateTests(SynchronousTestCase):
    """Other metadata."""

    def setUp(self) -> None:
        """A ring of two, without news."""
        self.a = Driven(_GOSSIPING, meta=b"old")
        self.a.hear(alive(b"b"))
        self.a.wait(20.0)

    def test_tells(self) -> None:
        """It is told under a new incarnation, until sent often enough."""
        effects = self.a.swim.update(b"new", self.a.now)
        self.assertEqual(effects, [PeerUpdated(peer=self.a.peer(b"a"), before=b"old")])
        effects = self.a.wait(2.0)
        claim = alive(b"a", 1, incarnation=2, meta=b"new")
        self.assertEqual(sent(effects, Alive), [claim] * 4)
        self.assertEqual(
            of(effects, BroadcastDone), [BroadcastDone(about=Spread.UPDATE, name=b"a")]
        )

    def test_echo_of_the_old(self) -> None:
        """What we said before is not refuted."""
        self.a.swim.update(b"new", self.a.now)
        self.assertEqual(self.a.hear(alive(b"a", 1, meta=b"old")), [])

    def test_stays_after_a_refutation(self) -> None:
        """A refutation is about the new metadata."""
        self.a.swim.update(b"new", self.a.now)
        self.a.hear(suspect(b"a", incarnation=2))
        (claim,) = sent(self.a.hear(Ping(sequence=1, node=b"a")), Alive)
        self.assertEqual((claim.meta, claim.incarnation), (b"new", 3))

    def test_nobody_to_tell(self) -> None:
        """Where nobody else is there, it is done at once."""
        a = Driven()
        effects = a.swim.update(b"new", 0.0)
        self.assertEqual(kinds(effects), ["BroadcastDone", "PeerUpdated"])

    def test_too_much(self) -> None:
        """More than 512 bytes are refused, and nothing changes."""
        with self.assertRaises(ValueError):
            self.a.swim.update(bytes(513), self.a.now)
        self.assertEqual(self.a.swim.incarnation, 1)


class ForgettingTests(SynchronousTestCase):
    """The dead are not remembered for ever."""

    def test_forgotten(self) -> None:
        """Half a minute after a death, and at the end of a round, it is forgotten."""
        a = Driven(evolve(LAN, gossip_interval=1000.0))
        a.hear(alive(b"b"), dead(b"b"))
        early = of(a.wait(30.0), PeerForgotten)
        late = of(a.wait(5.0), PeerForgotten)
        self.assertEqual(early, [])
        self.assertEqual([each.peer.name for each in late], [b"b"])
        self.assertIsNone(a.swim.peer(b"b"))


class PauseTests(SynchronousTestCase):
    """Note [Pauses]."""

    def ring(self) -> Driven:
        """A peer that pinged one, suspects another, and has something to tell."""
        a = Driven(LAN)
        a.hear(alive(b"b"), alive(b"c", 3), suspect(b"c"))
        for _ in range(3):
            if sent(a.wait(1.0), Ping, to=address(2)):
                break
        a.wait(0.01)
        a.swim.broadcast(b"news", b"news", a.now)
        a.now += 60.0
        return a

    def test_said(self) -> None:
        """A pause is told of, before anything that comes of it, and once."""
        a = self.ring()
        first = a.swim.handle_timer(a.now)
        (pause,) = of(first, PausedFor)
        self.assertAlmostEqual(pause.seconds, 60.0 + _SETTLES, places=6)
        self.assertIsInstance(first[0], PausedFor)
        self.assertEqual(of(a.wait(0.5), PausedFor), [])

    def test_kills_nobody(self) -> None:
        """Who could not answer us is neither suspected nor dead for it."""
        a = self.ring()
        rank = a.peer(b"c").rank
        effects = a.swim.handle_timer(a.now)
        self.assertEqual(of(effects, PeerSuspected), [])
        self.assertEqual(of(effects, PeerLeft), [])
        self.assertEqual((rank, a.peer(b"c").rank), (Rank.SUSPECT, Rank.SUSPECT))

    def test_hears_what_came_meanwhile(self) -> None:
        """An answer and a refutation that were waiting are in time."""
        a = self.ring()
        a.swim.handle_timer(a.now)
        effects = a.hear(Ack(sequence=1), alive(b"c", 3, incarnation=2))
        self.assertIn("PeerCleared", kinds(effects))
        effects = a.wait(0.4)
        self.assertEqual(of(effects, PeerSuspected), [])

    def test_hears_before_a_suspect_dies(self) -> None:
        """A suspect has half a second after a pause, even if its time was up."""
        a = Driven(evolve(LAN, probe_interval=100.0))
        a.hear(alive(b"b"), suspect(b"b"))
        a.wait(399.9)
        a.hear()
        a.now += 60.0
        a.swim.handle_timer(a.now)
        early = of(a.wait(0.49), PeerLeft)
        late = of(a.wait(0.02), PeerLeft)
        self.assertEqual((early, [each.peer.name for each in late]), ([], [b"b"]))

    def test_does_not_kill_itself(self) -> None:
        """That the others held us dead is refuted, and we are as well as before."""
        a = self.ring()
        effects = a.hear(dead(b"a", by=b"b"))
        self.assertEqual(kinds(effects), ["PausedFor", "Refuted"])
        self.assertEqual(a.peer(b"a").rank, Rank.ALIVE)

    def test_asks_what_it_missed(self) -> None:
        """Once settled, states are exchanged: the ring may have forgotten us by now."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"))
        a.wait(60.1)
        a.hear()
        a.now += 60.0
        a.swim.handle_timer(a.now)
        early = of(a.wait(0.49), ExchangeState)
        late = of(a.wait(0.5), ExchangeState)
        self.assertEqual((early, [each.to for each in late]), ([], [address(2)]))

    def test_told_of_one(self) -> None:
        """A pause that the driver's clock leaves out is one like any other."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"))
        a.wait(60.1)
        a.swim.broadcast(b"news", b"news", a.now)
        a.now += 1.0
        effects = a.swim.resume(a.now, unseen=59.0)
        (pause,) = of(effects, PausedFor)
        self.assertLess(59.0 + _SETTLES, pause.seconds)
        self.assertEqual(a.swim.handle_timer(a.now), [])
        early = of(a.wait(0.49), ExchangeState)
        late = of(a.wait(0.5), ExchangeState)
        self.assertEqual((early, [each.to for each in late]), ([], [address(2)]))

    def test_does_not_count(self) -> None:
        """A rank is not older for a pause, nor for settling after it."""
        a = self.ring()
        before = a.peer(b"c").since
        a.swim.handle_timer(a.now)
        self.assertAlmostEqual(a.peer(b"c").since, before + 60.0 + _SETTLES, places=6)

    def test_goes_on(self) -> None:
        """After a pause, the dead die as long after it as they would have before."""
        a = self.ring()
        a.hear(Ack(sequence=1))
        gone = [each.peer.name for each in of(a.wait(30.0), PeerLeft)]
        self.assertIn(b"c", gone)

    def test_a_little_late(self) -> None:
        """To be two seconds late is no pause."""
        a = Driven(_GOSSIPING)
        self.assertEqual(of(a.swim.handle_timer(2.2), PausedFor), [])
        self.assertEqual(len(of(a.swim.handle_timer(4.7), PausedFor)), 1)


def _history(seed: int) -> list[Effect]:
    a = Driven(LAN, seed=seed)
    effects = a.hear(*(alive(b"%d" % n, n) for n in range(2, 20)))
    effects += a.wait(40.0)
    assert of(effects, SendPacket)
    return effects
