"""Exchanges of all that is known."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import (
    Effect,
    ExchangeState,
    MergeRefused,
    PeerJoined,
    PeerSuspected,
    StateMerged,
)
from e2d.swim.identity import Vetoes
from e2d.swim.messages import PeerAddress, PushPull, Rank, Suspect
from e2d.swim.settings import LAN
from tests.swim.rings import (
    QUIET,
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

_OURS = evolve(state(b"a"), address=SELF)


def _exchange(effects: list[Effect]) -> ExchangeState:
    (exchange,) = of(effects, ExchangeState)
    return exchange


class MergeTests(SynchronousTestCase):
    """What is believed of all that another knows."""

    def setUp(self) -> None:
        """A ring of four."""
        self.a = Driven()
        self.a.hear(alive(b"b", 2), alive(b"c", 3), alive(b"d", 4))

    def test_merged(self) -> None:
        """The living are believed; the dead are suspected at most."""
        effects = self.a.merge(
            state(b"b", 2, incarnation=2),
            state(b"c", 3, rank=Rank.SUSPECT),
            state(b"d", 4, rank=Rank.DEAD),
            state(b"e", 5),
        )
        self.assertEqual(
            kinds(effects),
            ["PeerSuspected", "PeerSuspected", "PeerJoined", "StateMerged"],
        )
        self.assertEqual(self.a.peer(b"b").incarnation, 2)
        self.assertEqual(self.a.peer(b"d").rank, Rank.SUSPECT)
        self.assertEqual(of(effects, PeerJoined)[0].peer.name, b"e")
        self.assertEqual([each.by for each in of(effects, PeerSuspected)], [b"a"] * 2)

    def test_those_who_left(self) -> None:
        """Who left has left."""
        effects = self.a.merge(state(b"b", rank=Rank.LEFT))
        self.assertEqual(kinds(effects), ["PeerLeft", "StateMerged"])
        self.assertEqual(self.a.peer(b"b").rank, Rank.LEFT)

    def test_unknown_ones_who_are_gone(self) -> None:
        """Nobody is remembered for being gone."""
        effects = self.a.merge(
            state(b"x", rank=Rank.DEAD),
            state(b"y", rank=Rank.LEFT),
            state(b"z", rank=Rank.SUSPECT),
        )
        self.assertEqual(kinds(effects), ["StateMerged"])
        self.assertEqual(len(self.a.swim.peers()), 4)

    def test_we_are_gone(self) -> None:
        """A fresh start refutes what the ring remembers of it."""
        effects = self.a.merge(evolve(_OURS, rank=Rank.LEFT, incarnation=7))
        self.assertEqual(kinds(effects), ["Refuted", "StateMerged"])
        self.assertEqual(self.a.swim.incarnation, 8)

    def test_without_a_port(self) -> None:
        """A peer that is told of without a port has ours."""
        portless = PeerAddress(address(5).host, 0)
        self.a.merge(evolve(state(b"e"), address=portless))
        self.assertEqual(self.a.peer(b"e").address, address(5))

    def test_versions_do_not_fit(self) -> None:
        """Of a ring that does not fit, nothing is believed."""
        effects = self.a.merge(state(b"e", 5), state(b"f", 6, versions=None))
        self.assertEqual(
            effects,
            [
                MergeRefused(
                    source=address(99),
                    join=False,
                    reason="f speaks version 0 of the protocol",
                )
            ],
        )
        self.assertIsNone(self.a.swim.peer(b"e"))

    def test_user_state(self) -> None:
        """What is built on the protocol gets what was added."""
        remote = told(user_state=b"theirs", join=True)
        _, effects = self.a.swim.receive_state(remote, address(7), 0.0)
        self.assertEqual(
            effects,
            [StateMerged(source=address(7), join=True, user_state=b"theirs")],
        )


class VetoTests(SynchronousTestCase):
    """What is built on the protocol may refuse to become one ring."""

    def setUp(self) -> None:
        """A ring that refuses all."""
        self.a = Driven(vetoes=Vetoes(merge=lambda peers: f"{len(peers)} strangers"))

    def test_joining(self) -> None:
        """Nothing is believed."""
        effects = self.a.merge(state(b"b"), join=True)
        self.assertEqual(
            effects,
            [MergeRefused(source=address(99), join=True, reason="1 strangers")],
        )
        self.assertIsNone(self.a.swim.peer(b"b"))

    def test_not_joining(self) -> None:
        """It is asked only where one of both joins."""
        self.assertEqual(
            kinds(self.a.merge(state(b"b"))), ["PeerJoined", "StateMerged"]
        )


class AnswerTests(SynchronousTestCase):
    """The state of who is asked."""

    def test_before_the_merge(self) -> None:
        """The answer is what was known before."""
        a = Driven()
        reply, _ = a.swim.receive_state(told(state(b"b"), join=True), SELF, 0.0)
        self.assertEqual(reply, PushPull(join=True, peers=(_OURS,)))

    def test_all_that_is_known(self) -> None:
        """All are in it: the dead, those who left, and ourselves."""
        a = Driven()
        a.swim.set_user_state(b"ours")
        a.hear(alive(b"b"), dead(b"b"), alive(b"c", 3), dead(b"c", by=b"c"))
        reply, _ = a.swim.receive_state(told(), SELF, 0.0)
        self.assertEqual(
            sorted(reply.peers, key=lambda peer: peer.node),
            [_OURS, state(b"b", rank=Rank.DEAD), state(b"c", 3, rank=Rank.LEFT)],
        )
        self.assertEqual((reply.join, reply.user_state), (False, b"ours"))


class JoinTests(SynchronousTestCase):
    """Joining, and joining again."""

    def setUp(self) -> None:
        """A ring of one."""
        self.a = Driven()

    def test_exchanges_with_each(self) -> None:
        """There is an exchange with each address, once."""
        effects = self.a.swim.join([address(2), address(3), address(2)], 0.0)
        state_of_one = PushPull(join=True, peers=(_OURS,))
        self.assertEqual(
            effects,
            [
                ExchangeState(to=address(2), state=state_of_one),
                ExchangeState(to=address(3), state=state_of_one),
            ],
        )

    def test_nothing_for_those_who_are_there(self) -> None:
        """For ourselves, and for peers held alive or suspected, nothing is done."""
        self.a.hear(alive(b"b", 2), alive(b"c", 3), suspect(b"c"))
        mapped = PeerAddress(bytes(10) + b"\xff\xff" + address(2).host, 7946)
        joined = self.a.swim.join([SELF, address(2), address(3), mapped], 0.0)
        self.assertEqual(joined, [])

    def test_the_dead_again(self) -> None:
        """The dead and those who left are tried again."""
        self.a.hear(alive(b"b", 2), alive(b"c", 3), dead(b"b"), dead(b"c", by=b"c"))
        self.assertEqual(len(self.a.swim.join([address(2), address(3)], 0.0)), 2)

    def test_once_where_there_is_no_dispute(self) -> None:
        """An answer that fits needs no second exchange."""
        exchange = _exchange(self.a.swim.join([address(2)], 0.0))
        effects = self.a.swim.state_answered(exchange, told(state(b"b")), 0.0)
        self.assertEqual(kinds(effects), ["PeerJoined", "StateMerged"])
        self.assertEqual(of(effects, ExchangeState), [])

    def test_again_after_a_refutation(self) -> None:
        """Where the other held us dead, it is told the refutation at once."""
        exchange = _exchange(self.a.swim.join([address(2)], 0.0))
        remote = told(state(b"b"), evolve(_OURS, rank=Rank.DEAD))
        effects = self.a.swim.state_answered(exchange, remote, 0.0)
        again = _exchange(effects)
        self.assertEqual((again.to, again.state.join), (address(2), False))
        self.assertIn(evolve(_OURS, incarnation=2), again.state.peers)
        effects = self.a.swim.state_answered(again, remote, 0.0)
        self.assertEqual(of(effects, ExchangeState), [])

    def test_again_where_we_were_wrong(self) -> None:
        """Where we held dead who is alive there, it has refuted by the second one."""
        self.a.hear(alive(b"b", 2), dead(b"b"))
        exchange = _exchange(self.a.swim.join([address(2)], 0.0))
        effects = self.a.swim.state_answered(exchange, told(state(b"b")), 0.0)
        self.assertEqual(_exchange(effects).to, address(2))

    def test_halves_of_a_ring_find_together(self) -> None:
        """Two who hold each other dead are one ring after joining once."""
        a, b = self.a, Driven(name=b"b", at=address(2))
        a.hear(alive(b"b", 2), dead(b"b"))
        b.hear(alive(b"a", 1), dead(b"a"))
        first = _exchange(a.swim.join([address(2)], 0.0))
        reply, _ = b.swim.receive_state(first.state, SELF, 0.0)
        second = _exchange(a.swim.state_answered(first, reply, 0.0))
        reply, _ = b.swim.receive_state(second.state, SELF, 0.0)
        a.swim.state_answered(second, reply, 0.0)
        self.assertEqual(a.peer(b"b").rank, Rank.ALIVE)
        self.assertEqual(b.peer(b"a").rank, Rank.ALIVE)

    def test_refused(self) -> None:
        """An answer that is refused is not asked for again."""
        exchange = _exchange(self.a.swim.join([address(2)], 0.0))
        remote = told(state(b"b", versions=None))
        effects = self.a.swim.state_answered(exchange, remote, 0.0)
        self.assertEqual(kinds(effects), ["MergeRefused"])
        self.assertEqual(of(effects, ExchangeState), [])


class TurnTests(SynchronousTestCase):
    """Exchanges from time to time."""

    def test_first_one(self) -> None:
        """The first is some time in the first 30 s, the next 30 s later."""
        a = Driven()
        a.hear(alive(b"b", 2))
        first = of(a.wait(29.9), ExchangeState)
        second = of(a.wait(30.0), ExchangeState)
        self.assertEqual([each.to for each in first + second], [address(2)] * 2)
        self.assertEqual(first[0].state.join, False)

    def test_only_with_the_living(self) -> None:
        """Neither suspects nor the dead are asked."""
        a = Driven()
        a.hear(alive(b"b", 2), suspect(b"b"), alive(b"c", 3), dead(b"c"))
        self.assertEqual(of(a.wait(60.0), ExchangeState), [])

    def test_rarer_in_large_rings(self) -> None:
        """In a ring of 40 there is one exchange a minute."""
        a = Driven(evolve(QUIET, exchange_interval=10.0))
        a.hear(*(alive(b"%d" % n, n) for n in range(2, 41)))
        self.assertEqual(len(of(a.wait(10.0 + 100.0), ExchangeState)), 6)

    def test_suspicion_spreads(self) -> None:
        """What an exchange makes us suspect, we say."""
        a = Driven(evolve(LAN, probe_interval=1000.0))
        a.hear(alive(b"b", 2), alive(b"c", 3))
        a.merge(state(b"c", 3, rank=Rank.DEAD))
        self.assertIn(suspect(b"c", by=b"a"), sent(a.wait(0.2), Suspect))
