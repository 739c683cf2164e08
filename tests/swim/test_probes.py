"""Whether the others are there, and our answers to those who ask."""

from __future__ import annotations

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import (
    Effect,
    Ignored,
    PeerSuspected,
    PingByStream,
    PingCompleted,
    ReachedByStream,
    Reason,
    SendPacket,
)
from e2d.swim.messages import (
    Ack,
    IndirectPing,
    Nack,
    PeerAddress,
    Ping,
    Rank,
    Source,
    Suspect,
    UserMessage,
)
from e2d.swim.sequences import Sequences
from e2d.swim.settings import LAN
from tests.swim.rings import (
    OLD,
    QUIET,
    SELF,
    Driven,
    address,
    alive,
    kinds,
    of,
    sent,
    suspect,
)

_PROBING = evolve(LAN, gossip_interval=1000.0)
_BY_PACKETS = evolve(_PROBING, stream_pings=False)
_OURS = Source(address=SELF, name=b"a")


def _pinging(a: Driven) -> Ping:
    """Wait for a ping, for at most four turns."""
    for _ in range(4):
        pings = sent(a.wait(1.0), Ping)
        if pings:
            return pings[0]
    raise AssertionError("nobody is probed")


class ProbeTests(SynchronousTestCase):
    """One probe."""

    def setUp(self) -> None:
        """A ring of two, in which the other is probed."""
        self.a = Driven(_PROBING)
        self.a.hear(alive(b"b"))
        self.ping = _pinging(self.a)

    def test_pings(self) -> None:
        """The ping says whom it is for, and whom to answer."""
        self.assertEqual(self.ping, Ping(sequence=1, node=b"b", source=_OURS))

    def test_answered(self) -> None:
        """An answer in time is told of, and the peer stays alive."""
        self.a.wait(0.25)
        effects = self.a.hear(Ack(sequence=1, payload=b"hi"))
        self.assertEqual(
            effects,
            [PingCompleted(peer=self.a.peer(b"b"), round_trip=0.25, payload=b"hi")],
        )
        self.assertEqual(of(self.a.wait(0.9), PingByStream), [])
        self.assertEqual(self.a.peer(b"b").rank, Rank.ALIVE)

    def test_answered_with_another_sequence(self) -> None:
        """An answer to something else is none."""
        self.assertEqual(self.a.hear(Ack(sequence=9)), [])
        self.assertEqual(kinds(self.a.wait(1.0)), ["PingByStream", "PeerSuspected"])

    def test_tried_by_stream(self) -> None:
        """After half a second, TCP is tried for the rest of the second."""
        self.assertEqual(of(self.a.wait(0.499), PingByStream), [])
        effects = self.a.wait(0.001)
        self.assertEqual(
            of(effects, PingByStream),
            [PingByStream(to=address(2), ping=self.ping, seconds=0.5)],
        )

    def test_reached_by_stream(self) -> None:
        """A peer that answers by TCP alone is not suspected, but spoken of."""
        self.a.wait(0.6)
        self.assertEqual(self.a.swim.stream_ping_answered(1, self.a.now), [])
        effects = self.a.wait(0.4)
        self.assertEqual(
            of(effects, ReachedByStream), [ReachedByStream(self.a.peer(b"b"))]
        )
        self.assertEqual(self.a.peer(b"b").rank, Rank.ALIVE)

    def test_answered_late(self) -> None:
        """Until the second is over an answer counts, but tells nothing of the way."""
        self.a.wait(0.999)
        self.assertEqual(self.a.hear(Ack(sequence=1)), [])
        self.a.wait(0.1)
        self.assertEqual(self.a.peer(b"b").rank, Rank.ALIVE)

    def test_suspected(self) -> None:
        """Without an answer for a second, it is suspected, by us."""
        effects = self.a.wait(1.0)
        self.assertEqual(
            of(effects, PeerSuspected),
            [PeerSuspected(peer=self.a.peer(b"b"), by=b"a")],
        )
        self.assertEqual(self.a.peer(b"b").rank, Rank.SUSPECT)

    def test_suspect_is_told(self) -> None:
        """A suspect's ping comes with the suspicion and nothing else."""
        self.a.wait(1.0)
        self.a.swim.broadcast(b"news", b"news", self.a.now)
        packets = of(self.a.wait(3.0), SendPacket)
        self.assertEqual(
            sent(list(packets[:1]), Ping) + sent(list(packets[:1]), Suspect),
            [
                Ping(sequence=2, node=b"b", source=_OURS),
                suspect(b"b", by=b"a"),
            ],
        )
        self.assertEqual(len(packets[0].parts), 2)

    def test_unreachable(self) -> None:
        """Where the peer cannot be sent to, its time is not waited for."""
        effects = self.a.swim.send_failed(address(2), self.a.now, remote=True)
        self.assertEqual(of(effects, PingByStream)[0].seconds, 1.0)
        self.assertEqual(of(self.a.wait(0.5), PingByStream), [])
        self.assertEqual(kinds(self.a.wait(0.5)), ["PeerSuspected"])

    def test_unreachable_twice(self) -> None:
        """Being told so again changes nothing."""
        self.a.swim.send_failed(address(2), self.a.now, remote=True)
        again = self.a.swim.send_failed(address(2), self.a.now, remote=True)
        self.assertEqual(again, [])

    def test_refutes_meanwhile(self) -> None:
        """What it is suspected for is the incarnation that was pinged."""
        self.a.hear(alive(b"b", incarnation=2))
        self.assertEqual(of(self.a.wait(1.0), PeerSuspected), [])

    def test_impatient(self) -> None:
        """Where the probe ends before its patience, others are asked at its end."""
        a = Driven(evolve(_PROBING, probe_interval=0.25, probe_timeout=0.5))
        a.hear(alive(b"b"), alive(b"c", 3))
        ping = sent(a.wait(0.25) or a.wait(0.25), Ping)[0]
        effects = a.wait(0.25)
        self.assertEqual(sent(effects, IndirectPing)[0].node, ping.node)
        self.assertEqual(of(effects, PingByStream), [])
        self.assertEqual(of(effects, PeerSuspected)[0].peer.name, ping.node)

    def test_cannot_send(self) -> None:
        """Where it is we who cannot send, the probe is void."""
        self.a.swim.send_failed(address(2), self.a.now, remote=False)
        self.assertEqual(kinds(self.a.wait(0.999)), [])
        self.assertEqual(self.a.swim.health_score, 0)

    def test_another_cannot_be_sent_to(self) -> None:
        """A failure to send to another is no matter of the probe."""
        self.assertEqual(
            self.a.swim.send_failed(address(9), self.a.now, remote=True), []
        )
        self.assertEqual(kinds(self.a.wait(0.5)), ["PingByStream"])

    def test_without_streams(self) -> None:
        """An old peer is not pinged by TCP."""
        a = Driven(_PROBING)
        a.hear(alive(b"b", versions=OLD))
        _pinging(a)
        self.assertEqual(kinds(a.wait(1.0)), ["PeerSuspected"])


class HelpTests(SynchronousTestCase):
    """Others are asked to probe, too."""

    def ring(self, *, old: bool = False) -> Driven:
        """A ring of five, in which the last one has just been pinged."""
        a = Driven(_BY_PACKETS)
        versions = {"versions": OLD} if old else {}
        a.hear(*(alive(b"%d" % n, n, **versions) for n in (2, 3, 4, 5)))
        for _ in range(4):
            ping = _pinging(a)
            if ping.node == b"5":
                return a
            a.hear(Ack(sequence=ping.sequence))
        raise AssertionError("it is not probed")

    def asked(self, a: Driven) -> list[IndirectPing]:
        """Wait until the others are asked."""
        return sent(a.wait(0.5), IndirectPing)

    def test_asked(self) -> None:
        """All the others are asked with the same sequence."""
        a = self.ring()
        requests = self.asked(a)
        sequence = requests[0].sequence
        self.assertEqual(
            requests,
            [
                IndirectPing(
                    sequence=sequence,
                    node=b"5",
                    target=address(5),
                    nack=True,
                    source=_OURS,
                )
            ]
            * 3,
        )

    def test_suspects_are_not_asked(self) -> None:
        """Only who is held alive is asked."""
        a = self.ring()
        a.hear(suspect(b"2"), suspect(b"3"))
        self.assertEqual(len(self.asked(a)), 1)

    def test_helped(self) -> None:
        """An answer by way of another is as good."""
        a = self.ring()
        sequence = self.asked(a)[0].sequence
        self.assertEqual(a.hear(Ack(sequence=sequence)), [])
        self.assertEqual(kinds(a.wait(0.499)), [])

    def test_all_nacks(self) -> None:
        """Where all say that they asked in vain, it is not our fault."""
        a = self.ring()
        sequence = self.asked(a)[0].sequence
        a.hear(*[Nack(sequence=sequence)] * 3)
        self.assertEqual(kinds(a.wait(0.5)), ["PeerSuspected"])
        self.assertEqual(a.swim.health_score, 0)

    def test_missed_nacks(self) -> None:
        """Each nack that does not come makes us worse."""
        a = self.ring()
        sequence = self.asked(a)[0].sequence
        a.hear(Nack(sequence=sequence))
        a.wait(0.5)
        self.assertEqual(a.swim.health_score, 2)

    def test_more_nacks_than_asked_for(self) -> None:
        """More nacks than were asked for do not make us better."""
        a = self.ring()
        a.hear(suspect(b"a"))
        sequence = self.asked(a)[0].sequence
        a.hear(*[Nack(sequence=sequence)] * 9)
        a.wait(0.5)
        self.assertEqual(a.swim.health_score, 1)

    def test_late_answer_after_a_nack(self) -> None:
        """A nack does not end a probe: an answer may still come."""
        a = self.ring()
        sequence = self.asked(a)[0].sequence
        a.hear(Nack(sequence=sequence), Ack(sequence=sequence))
        self.assertEqual(kinds(a.wait(0.5)), [])

    def test_old_helpers(self) -> None:
        """Old peers are not asked for nacks; a failed probe then counts as one."""
        a = self.ring(old=True)
        self.assertEqual([each.nack for each in self.asked(a)], [False] * 3)
        a.wait(0.5)
        self.assertEqual(a.swim.health_score, 1)


class HealthTests(SynchronousTestCase):
    """How well we are, by how probes end."""

    def test_slower_while_unwell(self) -> None:
        """With only silent peers, probes take longer and longer."""
        a = Driven(_BY_PACKETS)
        a.hear(alive(b"b"), alive(b"c", 3))
        a.hear(*(suspect(b"a", incarnation=n) for n in (1, 2, 3)))
        self.assertEqual(a.swim.health_score, 3)
        _pinging(a)
        self.assertEqual(kinds(a.wait(3.999)), [])
        self.assertEqual(kinds(a.wait(0.001)), ["PeerSuspected"])

    def test_better_with_an_answer_by_stream(self) -> None:
        """An answer by TCP counts as well."""
        a = Driven(_PROBING)
        a.hear(alive(b"b"), suspect(b"a"), suspect(b"a", incarnation=2))
        sequence = _pinging(a).sequence
        a.swim.stream_ping_answered(sequence, a.now)
        a.wait(3.0)
        self.assertEqual(a.swim.health_score, 1)

    def test_better_with_each_answer(self) -> None:
        """Each answer makes us better by one."""
        a = Driven(_PROBING)
        a.hear(alive(b"b"), suspect(b"a"), suspect(b"a", incarnation=2))
        a.hear(Ack(sequence=_pinging(a).sequence))
        self.assertEqual(a.swim.health_score, 1)

    def test_one_at_a_time(self) -> None:
        """While a slow probe lasts, no other begins; then the next does at once."""
        a = Driven(_BY_PACKETS)
        a.hear(alive(b"b"), alive(b"c", 3))
        a.hear(*(suspect(b"a", incarnation=n) for n in (1, 2, 3)))
        _pinging(a)
        effects = a.wait(2.5)
        self.assertEqual(sent(effects, Ping), [])
        a.hear(Ack(sequence=1))
        self.assertEqual(a.swim.next_timer(), a.now)


class SequenceTests(SynchronousTestCase):
    """Numbers that tell answers apart."""

    def test_from_1(self) -> None:
        """They begin with 1; after the highest that fits, again."""
        sequences = Sequences()
        self.assertEqual([sequences.take(), sequences.take()], [1, 2])
        sequences._last = 0xFFFF_FFFE
        self.assertEqual([sequences.take(), sequences.take()], [0xFFFF_FFFF, 1])


class AnswerTests(SynchronousTestCase):
    """Pings of others."""

    def setUp(self) -> None:
        """A ring of one, with an empty queue."""
        self.a = Driven()
        for _ in range(4):
            self.a.hear(Ping(sequence=1, node=b"a"))

    def packet(self, effects: list[Effect]) -> SendPacket:
        """The one packet that was sent."""
        (packet,) = of(effects, SendPacket)
        return packet

    def test_ping(self) -> None:
        """The answer goes to where the packet came from, without a checksum."""
        effects = self.a.hear(Ping(sequence=42, node=b"a"), source=address(7))
        packet = self.packet(effects)
        self.assertEqual((packet.to, packet.checksum), (address(7), False))
        self.assertEqual(sent(effects, Ack), [Ack(sequence=42)])
        self.assertEqual(len(packet.parts), 1)

    def test_ping_for_whoever_is_here(self) -> None:
        """Without a name, it is for us."""
        self.assertEqual(
            sent(self.a.hear(Ping(sequence=1, node=b"")), Ack)[0].sequence, 1
        )

    def test_ping_for_another(self) -> None:
        """A ping for another is not answered."""
        self.assertEqual(
            self.a.hear(Ping(sequence=42, node=b"b")),
            [Ignored(reason=Reason.WRONG_NODE, node=b"b")],
        )

    def test_compound(self) -> None:
        """Three pings have three answers."""
        ping = Ping(sequence=42, node=b"a")
        self.assertEqual(len(sent(self.a.hear(ping, ping, ping), Ack)), 3)

    def test_source(self) -> None:
        """Who names itself is answered there, unless it has no port."""
        named = Source(address=address(8), name=b"b")
        portless = Source(address=PeerAddress(address(8).host, 0), name=b"b")
        for source, to in ((named, address(8)), (portless, address(99))):
            effects = self.a.hear(Ping(sequence=1, node=b"a", source=source))
            self.assertEqual(self.packet(effects).to, to)

    def test_payload(self) -> None:
        """What is built on the protocol may add to answers."""
        self.a.swim.set_ack_payload(b"coordinates")
        effects = self.a.hear(Ping(sequence=1, node=b"a"))
        self.assertEqual(sent(effects, Ack), [Ack(sequence=1, payload=b"coordinates")])

    def test_news_on_board(self) -> None:
        """An answer takes news along."""
        claim = alive(b"b")
        self.a.hear(claim)
        effects = self.a.hear(Ping(sequence=1, node=b"a"))
        self.assertEqual(len(self.packet(effects).parts), 2)
        self.assertEqual(sent(effects, type(claim)), [claim])

    def test_by_stream(self) -> None:
        """By TCP it is answered without a payload; not at all for another."""
        self.a.swim.set_ack_payload(b"coordinates")
        answer = self.a.swim.answer_stream_ping
        self.assertEqual(answer(Ping(sequence=5, node=b"a")), Ack(sequence=5))
        self.assertIsNone(answer(Ping(sequence=5, node=b"b")))


class RelayTests(SynchronousTestCase):
    """Probes for others."""

    def setUp(self) -> None:
        """We are asked to ping `b`."""
        self.a = Driven(evolve(QUIET, relays_most=2))
        self.effects = self.ask()

    def ask(self, *, nack: bool = True, port: int = 7946) -> list[Effect]:
        """Be asked."""
        request = IndirectPing(
            sequence=100,
            node=b"b",
            target=PeerAddress(address(2).host, port),
            nack=nack,
            source=Source(address=address(3), name=b"c"),
        )
        return self.a.hear(request)

    def test_pings(self) -> None:
        """We ping under a sequence of our own."""
        self.assertEqual(
            sent(self.effects, Ping, to=address(2)),
            [Ping(sequence=1, node=b"b", source=_OURS)],
        )

    def test_answered(self) -> None:
        """The answer is passed on under the other's sequence, once."""
        effects = self.a.hear(Ack(sequence=1, payload=b"dropped"))
        self.assertEqual(sent(effects, Ack, to=address(3)), [Ack(sequence=100)])
        self.assertEqual(self.a.hear(Ack(sequence=1)), [])
        self.assertEqual(sent(self.a.wait(1.0), Nack), [])

    def test_not_answered(self) -> None:
        """Without an answer for half a second, we say so."""
        self.assertEqual(sent(self.a.wait(0.499), Nack), [])
        effects = self.a.wait(0.001)
        self.assertEqual(sent(effects, Nack, to=address(3)), [Nack(sequence=100)])
        self.assertEqual(self.a.hear(Ack(sequence=1)), [])

    def test_old_askers(self) -> None:
        """Who does not understand that is told nothing."""
        self.a.wait(1.0)
        self.ask(nack=False)
        self.assertEqual(self.a.wait(1.0), [])

    def test_without_a_port(self) -> None:
        """Without a port, it has ours."""
        self.assertEqual(len(sent(self.ask(port=0), Ping, to=address(2))), 1)

    def test_bounded(self) -> None:
        """We do not do more for others than the most at once."""
        self.ask()
        self.assertEqual(self.ask(), [Ignored(reason=Reason.FULL, node=b"b")])
        self.a.wait(1.0)
        self.assertEqual(len(sent(self.ask(), Ping)), 1)


class ChecksumTests(SynchronousTestCase):
    """Checksums are for those who understand them."""

    def test_pings(self) -> None:
        """A ping with news to a peer of today has one, to an old one it has none."""
        for versions, expected in ((alive(b"b").versions, True), (OLD, False)):
            a = Driven(_PROBING)
            a.hear(alive(b"b", versions=versions))
            packets = of(a.wait(2.0), SendPacket)
            self.assertEqual(packets[0].checksum, expected)

    def test_lone_pings(self) -> None:
        """A ping without news has none."""
        a = Driven(LAN)
        a.hear(alive(b"b"))
        a.wait(0.9)
        (packet,) = of(a.wait(0.2), SendPacket)
        self.assertEqual(len(sent([packet], Ping)), 1)
        self.assertEqual((len(packet.parts), packet.checksum), (1, False))

    def test_gossip(self) -> None:
        """So has gossip."""
        for versions, expected in ((alive(b"b").versions, True), (OLD, False)):
            a = Driven(evolve(LAN, probe_interval=1000.0))
            a.hear(alive(b"b", versions=versions))
            (packet,) = of(a.wait(0.2), SendPacket)
            self.assertEqual(packet.checksum, expected)
            self.assertEqual(sent([packet], UserMessage), [])
