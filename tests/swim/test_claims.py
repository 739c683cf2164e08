"""What is claimed about peers, and what is believed of it."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import (
    Ignored,
    NameConflict,
    PeerLeft,
    PeerSuspected,
    PeerUpdated,
    Reason,
    Refuted,
)
from e2d.swim.identity import Vetoes
from e2d.swim.messages import Alive, Dead, PeerAddress, Rank, Suspect, Versions
from e2d.swim.settings import LAN
from tests.swim.rings import (
    OLD,
    QUIET,
    SELF,
    Driven,
    address,
    alive,
    dead,
    kinds,
    of,
    sent,
    suspect,
)

_GOSSIPING = evolve(LAN, probe_interval=1000.0)

_FULL = evolve(QUIET, peers_most=2)


class AliveTests(SynchronousTestCase):
    """A peer is said to be alive."""

    def setUp(self) -> None:
        """A ring of one."""
        self.a = Driven()

    def test_joins(self) -> None:
        """A new peer joins, since now."""
        self.a.wait(5.0)
        self.assertEqual(kinds(self.a.hear(alive(b"b"))), ["PeerJoined"])
        peer = self.a.peer(b"b")
        self.assertEqual((peer.rank, peer.since), (Rank.ALIVE, 5.0))

    def test_is_told_as_it_was_received(self) -> None:
        """It is passed on unchanged, whatever form the address has."""
        mapped = PeerAddress(bytes(10) + b"\xff\xff\x0a\x00\x00\x02", 7)
        claim = evolve(alive(b"b", versions=OLD, meta=b"m"), address=mapped)
        a = Driven(_GOSSIPING)
        a.hear(claim)
        self.assertIn(claim, sent(a.wait(0.2), Alive))

    def test_again(self) -> None:
        """Nothing comes of the same claim again, nor of the rank's time."""
        self.a.hear(alive(b"b"))
        before = self.a.peer(b"b")
        self.a.wait(1.0)
        self.assertEqual(self.a.hear(alive(b"b"), alive(b"b", meta=b"x")), [])
        self.assertEqual(self.a.peer(b"b"), before)

    def test_higher_incarnation_alone(self) -> None:
        """A higher incarnation is remembered, and is no news."""
        self.a.hear(alive(b"b"))
        self.a.wait(1.0)
        self.assertEqual(self.a.hear(alive(b"b", incarnation=2)), [])
        peer = self.a.peer(b"b")
        self.assertEqual((peer.incarnation, peer.since), (2, 0.0))

    def test_other_metadata(self) -> None:
        """Other metadata is news; the rank is as old as before."""
        self.a.hear(alive(b"b", meta=b"old"))
        self.a.wait(1.0)
        effects = self.a.hear(alive(b"b", incarnation=2, meta=b"new"))
        peer = self.a.peer(b"b")
        self.assertEqual(effects, [PeerUpdated(peer=peer, before=b"old")])
        self.assertEqual((peer.meta, peer.since), (b"new", 0.0))

    def test_clears_a_suspect(self) -> None:
        """Only a higher incarnation clears a suspect, and that is no joining."""
        self.a.hear(alive(b"b"), suspect(b"b"))
        self.assertEqual(self.a.hear(alive(b"b")), [])
        self.assertEqual(
            kinds(self.a.hear(alive(b"b", incarnation=2))), ["PeerCleared"]
        )
        self.assertEqual(self.a.peer(b"b").rank, Rank.ALIVE)

    def test_cleared_suspect_does_not_die(self) -> None:
        """A suspicion that was refuted has no end."""
        self.a.hear(alive(b"b"), suspect(b"b"), alive(b"b", incarnation=2))
        self.assertEqual(of(self.a.wait(600.0), PeerLeft), [])

    def test_suspected_again(self) -> None:
        """A suspect that was cleared may be suspected anew."""
        self.a.hear(alive(b"b"), suspect(b"b"), alive(b"b", incarnation=2))
        effects = self.a.hear(suspect(b"b", incarnation=2))
        self.assertEqual(kinds(effects), ["PeerSuspected"])

    def test_replay(self) -> None:
        """The dead stay dead for an old claim, and come back for a new one."""
        self.a.hear(alive(b"b"), dead(b"b"))
        self.assertEqual(self.a.hear(alive(b"b")), [])
        self.assertEqual(self.a.peer(b"b").rank, Rank.DEAD)
        self.assertEqual(kinds(self.a.hear(alive(b"b", incarnation=2))), ["PeerJoined"])

    def test_without_a_port(self) -> None:
        """A peer that is told of without a port has ours."""
        host = address(2).host
        self.a.hear(evolve(alive(b"b"), address=PeerAddress(host, 0)))
        self.assertEqual(self.a.peer(b"b").address, address(2))

    def test_first_protocol(self) -> None:
        """In a ring of the first protocol, all have our port."""
        a = Driven(versions=evolve(OLD, protocol=1))
        a.hear(evolve(alive(b"b"), address=PeerAddress(address(2).host, 99)))
        self.assertEqual(a.peer(b"b").address, address(2))

    def test_incarnation_0(self) -> None:
        """There is no incarnation 0."""
        effects = self.a.hear(alive(b"b", incarnation=0))
        self.assertEqual(effects, [Ignored(reason=Reason.INCARNATION, node=b"b")])
        self.assertIsNone(self.a.swim.peer(b"b"))

    def test_no_name(self) -> None:
        """Nobody has the empty name."""
        self.assertEqual(self.a.hear(alive(b"")), [Ignored(reason=Reason.NAME)])

    def test_impossible_versions(self) -> None:
        """What has no versions, or impossible ones, is not believed."""
        none = Versions(protocol_min=0, protocol_max=5, protocol=2)
        reverse = Versions(protocol_min=3, protocol_max=2, protocol=2)
        effects = self.a.hear(
            alive(b"b", versions=none),
            alive(b"b", versions=reverse),
            alive(b"b", versions=None),
        )
        self.assertEqual(effects, [Ignored(reason=Reason.VERSIONS, node=b"b")] * 3)

    def test_vetoed(self) -> None:
        """What is built on the protocol may refuse a peer, before it is known."""
        a = Driven(vetoes=Vetoes(alive=lambda claim: f"not {claim.node.decode()}"))
        effects = a.hear(alive(b"b"))
        self.assertEqual(
            effects, [Ignored(reason=Reason.VETOED, node=b"b", detail="not b")]
        )
        self.assertIsNone(a.swim.peer(b"b"))

    def test_too_many(self) -> None:
        """More peers than the most are not remembered."""
        a = Driven(_FULL)
        effects = a.hear(alive(b"b"), alive(b"c", 3))
        self.assertEqual(of(effects, Ignored), [Ignored(reason=Reason.FULL, node=b"c")])


class NameTests(SynchronousTestCase):
    """Two addresses with one name."""

    def setUp(self) -> None:
        """A ring in which `b` is at the second address."""
        self.a = Driven()
        self.a.hear(alive(b"b", 2))

    def test_conflict(self) -> None:
        """A living peer keeps its name, whatever incarnation is claimed."""
        held = self.a.peer(b"b")
        effects = self.a.hear(alive(b"b", 3, incarnation=9))
        self.assertEqual(effects, [NameConflict(held=held, claimed=address(3))])
        self.assertEqual(self.a.peer(b"b"), held)

    def test_suspect_keeps_its_name(self) -> None:
        """A suspect still may refute."""
        self.a.hear(suspect(b"b"))
        effects = self.a.hear(alive(b"b", 3, incarnation=9))
        self.assertEqual(kinds(effects), ["NameConflict"])

    def test_newly_dead_keeps_its_name(self) -> None:
        """For ten seconds, a dead peer may come back to its address."""
        self.a.hear(dead(b"b"))
        self.a.wait(10.0)
        effects = self.a.hear(alive(b"b", 3, incarnation=9))
        self.assertEqual(kinds(effects), ["NameConflict"])

    def test_reclaims_the_name_of_the_dead(self) -> None:
        """After that a fresh start elsewhere has its name, from incarnation 1 on."""
        self.a.hear(dead(b"b", incarnation=7))
        self.a.wait(10.001)
        effects = self.a.hear(alive(b"b", 3, incarnation=1))
        peer = self.a.peer(b"b")
        self.assertEqual(kinds(effects), ["PeerJoined"])
        self.assertEqual((peer.address, peer.incarnation), (address(3), 1))

    def test_reuses_the_name_of_who_left(self) -> None:
        """Who left gave its name up at once."""
        self.a.hear(dead(b"b", by=b"b", incarnation=7))
        effects = self.a.hear(alive(b"b", 3))
        self.assertEqual(kinds(effects), ["PeerJoined"])
        self.assertEqual(self.a.peer(b"b").address, address(3))

    def test_same_host_in_another_form(self) -> None:
        """Other peers hold the two forms of an address for two; so do we."""
        mapped = PeerAddress(bytes(10) + b"\xff\xff" + address(2).host, 7946)
        claim = evolve(alive(b"b", incarnation=9), address=mapped)
        self.assertEqual(kinds(self.a.hear(claim)), ["NameConflict"])

    def test_our_own_name(self) -> None:
        """Who claims our name is told of, and not answered."""
        effects = self.a.hear(alive(b"a", 3, incarnation=9))
        self.assertEqual(kinds(effects), ["NameConflict"])
        self.assertEqual(self.a.swim.incarnation, 1)


class SuspectTests(SynchronousTestCase):
    """A peer is said not to answer."""

    def test_unknown(self) -> None:
        """Nothing comes of it where the peer is unknown."""
        self.assertEqual(Driven().hear(suspect(b"b")), [])

    def test_old(self) -> None:
        """Nothing comes of it for an older incarnation."""
        a = Driven()
        a.hear(alive(b"b", incarnation=10))
        self.assertEqual(a.hear(suspect(b"b", incarnation=9)), [])

    def test_suspected_then_dead(self) -> None:
        """A suspect that does not refute is dead, and both is passed on."""
        a = Driven(evolve(LAN, probe_interval=10.0))
        a.hear(alive(b"b"), alive(b"c", 3))
        a.wait(1.0)
        effects = a.hear(suspect(b"b", incarnation=3))
        self.assertEqual(of(effects, PeerSuspected)[0].by, b"x")
        early = a.wait(39.999)
        late = a.wait(0.2)
        self.assertIn(suspect(b"b", incarnation=3), sent(early, Suspect))
        self.assertEqual(of(early, PeerLeft), [])
        self.assertEqual([each.peer.rank for each in of(late, PeerLeft)], [Rank.DEAD])
        self.assertIn(dead(b"b", incarnation=3, by=b"a"), sent(a.wait(1.0), Dead))

    def test_said_twice(self) -> None:
        """The same again is neither believed again nor passed on."""
        a = Driven(_GOSSIPING)
        a.hear(alive(b"b"), suspect(b"b"))
        a.wait(3.0)
        self.assertEqual(a.hear(suspect(b"b")), [])
        self.assertEqual(a.swim.queue_length, 0)

    def test_confirmed(self) -> None:
        """What others confirm is passed on, and ends sooner, as the table says."""
        self.assertEqual(
            [
                _time_to_death(others, confirmations)
                for others, confirmations in _DEATHS
            ],
            [0.5, 0.5, 0.5, 1.0, 1.0, 0.75, 0.603, 0.5, 0.5],
        )

    def test_confirmations_are_passed_on(self) -> None:
        """As many confirmations as are waited for are passed on, and no more."""
        a = Driven(evolve(_DOGPILE, gossip_interval=0.01))
        _meet(a, 5)
        told = set[Suspect]()
        for by in (b"2", b"3", b"4", b"5", b"6"):
            a.hear(suspect(b"1", by=by))
            told.update(sent(a.wait(0.01), Suspect))
        self.assertEqual(
            {each.sender for each in told if each.node == b"1"},
            {b"2", b"3", b"4", b"5"},
        )

    def test_confirmed_too_late(self) -> None:
        """A confirmation that comes after the time it leaves ends it now."""
        a = Driven(_DOGPILE)
        _meet(a, 5)
        a.hear(suspect(b"1"))
        a.wait(0.9)
        a.hear(*(suspect(b"1", by=b"%d" % by) for by in (2, 3, 4)))
        self.assertEqual(a.swim.next_timer(), 0.9)
        self.assertEqual(kinds(a.wait(0.0)), ["PeerLeft"])

    def test_dead_is_not_suspected(self) -> None:
        """The dead are not suspected."""
        a = Driven()
        a.hear(alive(b"b"), dead(b"b"))
        self.assertEqual(a.hear(suspect(b"b", incarnation=5)), [])


class DeadTests(SynchronousTestCase):
    """A peer is said to be gone."""

    def setUp(self) -> None:
        """A ring of two."""
        self.a = Driven(_GOSSIPING)
        self.a.hear(alive(b"b", incarnation=10))
        self.a.wait(2.0)

    def test_dies(self) -> None:
        """It is dead since now, and that is passed on."""
        claim = dead(b"b", incarnation=10)
        self.assertEqual(kinds(self.a.hear(claim)), ["PeerLeft"])
        peer = self.a.peer(b"b")
        self.assertEqual((peer.rank, peer.since), (Rank.DEAD, 2.0))
        self.assertIn(claim, sent(self.a.wait(0.4), Dead))

    def test_suspect_dies_once(self) -> None:
        """A suspect that is said to be dead does not die again of the suspicion."""
        a = Driven()
        a.hear(alive(b"b"), suspect(b"b"), dead(b"b"))
        self.assertEqual(of(a.wait(5000.0), PeerLeft), [])

    def test_leaves(self) -> None:
        """Who says so itself has left."""
        self.a.hear(dead(b"b", by=b"b", incarnation=10))
        self.assertEqual(self.a.peer(b"b").rank, Rank.LEFT)

    def test_unknown(self) -> None:
        """Nothing comes of it where the peer is unknown."""
        self.assertEqual(self.a.hear(dead(b"c")), [])

    def test_old(self) -> None:
        """Nothing comes of it for an older incarnation."""
        self.assertEqual(self.a.hear(dead(b"b", incarnation=9)), [])
        self.assertEqual(self.a.peer(b"b").rank, Rank.ALIVE)

    def test_said_twice(self) -> None:
        """The dead die once; and do not turn out to have left."""
        self.a.hear(dead(b"b", incarnation=10))
        self.a.wait(5.0)
        again = self.a.hear(dead(b"b", incarnation=11, by=b"b"))
        self.assertEqual((again, self.a.swim.queue_length), ([], 0))
        self.assertEqual(self.a.peer(b"b").rank, Rank.DEAD)


class RefutationTests(SynchronousTestCase):
    """What is said about us."""

    def setUp(self) -> None:
        """A ring of two."""
        self.a = Driven(_GOSSIPING, meta=b"ours")
        self.a.hear(alive(b"b"))
        self.a.wait(3.0)

    def check_refuted(self, claim: Alive | Suspect | Dead, incarnation: int) -> None:
        """It makes us raise our incarnation, tell so, and feel unwell."""
        score = self.a.swim.health_score
        self.assertEqual(self.a.hear(claim), [Refuted(incarnation=incarnation)])
        self.assertEqual(self.a.swim.incarnation, incarnation)
        self.assertEqual(self.a.swim.health_score, score + 1)
        self.assertEqual(self.a.peer(b"a").rank, Rank.ALIVE)
        told = sent(self.a.wait(0.2), Alive)
        ours = evolve(alive(b"a", incarnation=incarnation, meta=b"ours"), address=SELF)
        self.assertEqual(told, [ours])

    def test_suspected(self) -> None:
        """We are never suspect to ourselves."""
        self.check_refuted(suspect(b"a"), 2)

    def test_dead(self) -> None:
        """We are not dead."""
        self.check_refuted(dead(b"a"), 2)

    def test_higher_incarnations(self) -> None:
        """Ours ends above what we are accused under."""
        self.check_refuted(suspect(b"a", incarnation=5), 6)
        self.check_refuted(suspect(b"a", incarnation=6), 7)

    def test_said_to_leave(self) -> None:
        """Who leaves knows."""
        self.check_refuted(dead(b"a", by=b"a"), 2)

    def test_alive_with_other_metadata(self) -> None:
        """Our metadata is what we say."""
        self.check_refuted(evolve(alive(b"a", meta=b"theirs"), address=SELF), 2)

    def test_alive_with_other_versions(self) -> None:
        """So are our versions."""
        claim = alive(b"a", meta=b"ours", versions=OLD)
        self.check_refuted(evolve(claim, address=SELF), 2)

    def test_alive_without_versions(self) -> None:
        """Peers of ours that are less careful believe such a claim."""
        claim = alive(b"a", incarnation=5, meta=b"ours", versions=None)
        self.check_refuted(evolve(claim, address=SELF), 6)

    def test_vetoed(self) -> None:
        """What we refuse of ourselves others may believe: it is refuted."""
        a = Driven(vetoes=Vetoes(alive=lambda _: "no"))
        a.hear(evolve(alive(b"a", incarnation=5), address=SELF))
        self.assertEqual(a.swim.incarnation, 6)

    def test_alive_with_a_higher_incarnation(self) -> None:
        """A claim of our own, from before a restart, is outdone."""
        claim = alive(b"a", incarnation=20, meta=b"ours")
        self.check_refuted(evolve(claim, address=SELF), 21)

    def test_echo(self) -> None:
        """The echo of our own claim is not refuted."""
        self.assertEqual(self.a.hear(alive(b"a", 1, meta=b"ours")), [])

    def test_old(self) -> None:
        """What is said about an older incarnation is not refuted."""
        self.a.hear(suspect(b"a", incarnation=5))
        self.assertEqual(
            self.a.hear(
                suspect(b"a", incarnation=5),
                dead(b"a", incarnation=5),
                alive(b"a", 1, incarnation=5),
            ),
            [],
        )

    def test_highest_incarnation(self) -> None:
        """Above the highest there is none: the number does not start anew."""
        effects = self.a.hear(suspect(b"a", incarnation=0xFFFF_FFFF))
        self.assertEqual(effects, [Ignored(reason=Reason.INCARNATION, node=b"a")])
        self.assertEqual(self.a.swim.incarnation, 1)

    def test_last_incarnation(self) -> None:
        """The highest is used."""
        self.check_refuted(suspect(b"a", incarnation=0xFFFF_FFFE), 0xFFFF_FFFF)


_DOGPILE = evolve(
    QUIET,
    suspicion_mult=5,
    suspicion_most_mult=2,
    probe_interval=0.1,
    probe_timeout=10.0,
    stream_pings=False,
)

# Others in the ring, and how many of them confirm.
_DEATHS = (
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (5, 1),
    (5, 2),
    (5, 3),
    (5, 4),
)


def _meet(a: Driven, others: int) -> None:
    a.hear(*(alive(b"%d" % n, n + 1) for n in range(1, others + 1)))


def _time_to_death(others: int, confirmations: int) -> float:
    """How long `1` lives after it was suspected."""
    a = Driven(_DOGPILE)
    _meet(a, others)
    a.hear(suspect(b"1", by=b"first"))
    a.hear(*(suspect(b"1", by=b"%d" % n) for n in range(2, 2 + confirmations)))
    for _ in range(100):
        due = a.swim.next_timer()
        assert due is not None
        gone = [each.peer.name for each in of(a.wait(due - a.now), PeerLeft)]
        if b"1" in gone:
            return round(a.now, 6)
    raise AssertionError("it lives")
