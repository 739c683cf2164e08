"""
The protocol of a gossip ring, without a network and without a clock.

Who drives a `Swim` gives it what arrives and what the time is, performs the effects
that it returns, in their order, and calls `Swim.handle_timer` when `Swim.next_timer`
says so. The same seed and the same inputs give the same effects.

Note [Pauses]: a process, or its machine, may be stopped for a minute. When it goes on,
every deadline is overdue, although nobody had a chance to meet it. So each entry first
looks at the earliest: where it is overdue by more than `Settings.late_after`, all
deadlines are put off together, by an offset between the driver's clock and the core's.
A driver's clock may leave out such time itself: then nothing is overdue, and the driver
says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, assert_never

from attrs import evolve

from e2d.swim.awareness import Awareness
from e2d.swim.claims import Claims
from e2d.swim.effects import (
    Effect,
    ExchangeState,
    Ignored,
    PausedFor,
    Peer,
    Reason,
    UserMessageReceived,
)
from e2d.swim.exchanges import Exchanges
from e2d.swim.gossip import Gossip
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.members import Ring
from e2d.swim.messages import (
    Ack,
    Alive,
    Dead,
    ErrorReply,
    IndirectPing,
    Message,
    Nack,
    PeerAddress,
    Ping,
    PushPull,
    Suspect,
    UnknownMessage,
    UserMessage,
)
from e2d.swim.probes import Probes
from e2d.swim.relays import Relays
from e2d.swim.sequences import Sequences
from e2d.swim.settings import Settings
from e2d.swim.timers import (
    Deadline,
    ExchangeDue,
    GossipDue,
    ProbeDue,
    ProbeEnds,
    ProbeUnanswered,
    RelayEnds,
    SuspicionEnds,
    Timers,
)

if TYPE_CHECKING:
    from random import Random

__all__ = ["Swim"]


class Swim:
    """
    One peer of a ring.

    :param settings: how fast and how much.
    :param identity: who we are.
    :param random: all chance there is.
    :param vetoes: what to refuse.
    :param packet_overhead: how many bytes packing adds, see
        `e2d.swim.packets.Framing.packet_overhead`.
    :raises ValueError: there is more metadata than may be, or no packet has room for it
        and our name.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        random: Random,
        vetoes: Vetoes = Vetoes(),  # noqa: B008 - a frozen value
        *,
        packet_overhead: int = 0,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._effects: list[Effect] = []
        self._check_meta(identity.meta)
        tell = self._tell
        timers = Timers(
            late_after=settings.late_after, settle=settings.settle_after_pause
        )
        ring = Ring(identity.name, random)
        awareness = Awareness(settings.awareness_most)
        sequences = Sequences()
        gossip = Gossip(settings, ring, timers, packet_overhead, tell)
        claims = Claims(
            settings, identity, ring, gossip, timers, awareness, vetoes, tell
        )
        self._timers = timers
        self._ring = ring
        self._awareness = awareness
        self._gossip = gossip
        self._claims = claims
        self._probes = Probes(
            settings,
            identity,
            ring,
            claims,
            gossip,
            timers,
            awareness,
            sequences,
            tell,
        )
        self._relays = Relays(settings, identity, gossip, timers, sequences, tell)
        self._exchanges = Exchanges(
            settings, identity, ring, claims, timers, vetoes, random, tell
        )

    def start(self, now: float) -> list[Effect]:
        """Begin: to be alive, and to probe, gossip and exchange. Once, first."""
        assert not len(self._ring)
        inner = self._enter(now)
        self._claims.begin(inner)
        self._probes.begin(inner)
        self._gossip.begin(inner)
        self._exchanges.begin(inner)
        return self._taken()

    def join(self, addresses: Iterable[PeerAddress], now: float) -> list[Effect]:
        """
        Exchange states with whoever is at these addresses.

        It costs nothing for peers that are held alive, and for ourselves: meant to be
        called again and again, so that rings that lost each other find together.
        """
        self._enter(now)
        self._exchanges.join(addresses)
        return self._taken()

    def receive(
        self, messages: Sequence[Message], source: PeerAddress, now: float
    ) -> list[Effect]:
        """
        Take what a packet held, or a user message from a stream.

        :param source: where it came from.
        """
        inner = self._enter(now)
        for message in messages:
            self._receive(message, source, inner)
        return self._taken()

    def receive_state(
        self, remote: PushPull, source: PeerAddress, now: float
    ) -> tuple[PushPull, list[Effect]]:
        """
        Take what a peer that opened a stream knows.

        :return: the answer, to be sent first and even if the other's state is refused;
            and the effects.
        """
        inner = self._enter(now)
        reply = self._exchanges.state(join=remote.join)
        self._exchanges.merge(remote, source, inner, join=remote.join)
        return reply, self._taken()

    def state_answered(
        self, exchange: ExchangeState, remote: PushPull, now: float
    ) -> list[Effect]:
        """
        Take what a peer answered.

        It is merged where there is a `StateMerged` among the effects.
        """
        inner = self._enter(now)
        self._exchanges.answered(exchange, remote, inner)
        return self._taken()

    def answer_stream_ping(self, ping: Ping) -> Ack | None:
        """
        The answer to a ping on a stream.

        :return: None where it is not for us: close the stream.
        """
        if not self._relays.answers(ping):
            return None
        return Ack(sequence=ping.sequence)

    def stream_ping_answered(self, sequence: int, now: float) -> list[Effect]:
        """A ping by stream was answered, with that sequence."""
        self._enter(now)
        self._probes.acked_by_stream(sequence)
        return self._taken()

    def send_failed(self, to: PeerAddress, now: float, *, remote: bool) -> list[Effect]:
        """
        A packet could not be sent.

        :param remote: whether it tells something about the peer, such as that it is
            unreachable; else it tells about us, and counts against nobody.
        """
        inner = self._enter(now)
        self._probes.send_failed(to, inner, remote=remote)
        return self._taken()

    def handle_timer(self, now: float) -> list[Effect]:
        """Do all that is due; harmless when nothing is."""
        inner = self._enter(now)
        while (deadline := self._timers.take_due(inner)) is not None:
            self._expire(deadline, inner)
        return self._taken()

    def next_timer(self) -> float | None:
        """When to call `handle_timer` at the latest; None before the start."""
        return self._timers.next()

    def resume(self, now: float, *, unseen: float) -> list[Effect]:
        """
        Go on after a pause that the driver's clock left out; see Note [Pauses].

        :param unseen: how many seconds that clock left out.
        """
        inner, put_off = self._timers.resume(now)
        self._tell(PausedFor(unseen + put_off))
        self._exchanges.catch_up(inner)
        return self._taken()

    def leave(self, now: float) -> list[Effect]:
        """
        Tell the ring that we leave, of our own accord.

        It is told, or nobody is left to tell, when there is a `BroadcastDone` about
        it. Until the driver stops, others are answered as before. Once is enough.
        """
        inner = self._enter(now)
        self._claims.leave(inner)
        return self._taken()

    def update(self, meta: bytes, now: float) -> list[Effect]:
        """
        Have other metadata, under a new incarnation.

        :raises ValueError: it is more than `Settings.meta_bytes`.
        """
        self._check_meta(meta)
        inner = self._enter(now)
        self._claims.update(meta, inner)
        return self._taken()

    def broadcast(self, name: bytes, payload: bytes, now: float) -> list[Effect]:
        """
        Spread a user message by gossip.

        :param name: a broadcast of the same name that still waits makes way.
        :raises ValueError: it does not fit into a packet.
        """
        self._enter(now)
        self._gossip.spread_user(name, payload)
        return self._taken()

    def set_user_state(self, state: bytes) -> None:
        """What is added to each exchange of states from now on; empty before."""
        self._exchanges.user_state = state

    def set_ack_payload(self, payload: bytes) -> None:
        """What is added to each answer to a ping from now on; empty before."""
        self._relays.ack_payload = payload

    def peers(self) -> tuple[Peer, ...]:
        """All that are remembered, ourselves, the dead and those who left included."""
        return tuple(map(self._claims.view, self._ring))

    def peer(self, name: bytes) -> Peer | None:
        """The peer of that name, or None where there is none."""
        record = self._ring.get(name)
        return None if record is None else self._claims.view(record)

    @property
    def incarnation(self) -> int:
        """Our own."""
        return self._claims.incarnation

    @property
    def health_score(self) -> int:
        """0 for well; more, to `Settings.awareness_most` - 1, for unwell."""
        return self._awareness.score

    @property
    def queue_length(self) -> int:
        """How many broadcasts wait, of the ring's own and of users."""
        return len(self._gossip)

    def _enter(self, driver_now: float) -> float:
        """The time inside; see Note [Pauses]."""
        now, pause = self._timers.enter(driver_now)
        if pause:
            self._tell(PausedFor(pause))
            self._exchanges.catch_up(now)
        return now

    def _taken(self) -> list[Effect]:
        effects = self._effects.copy()
        self._effects.clear()
        return effects

    def _tell(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _check_meta(self, meta: bytes) -> None:
        most = self._settings.meta_bytes
        if len(meta) > most:
            raise ValueError(f"{len(meta)} bytes of metadata; {most} at most")

    def _receive(self, message: Message, source: PeerAddress, now: float) -> None:
        match message:
            case Ping():
                self._relays.pinged(message, source)
            case IndirectPing():
                self._relays.asked(message, source, now)
            case Ack() | Nack():
                self._hear_answer(message, now)
            case Alive() | Suspect() | Dead():
                self._hear_claim(message, now)
            case UserMessage(payload):
                self._tell(UserMessageReceived(source=source, payload=payload))
            case UnknownMessage(kind):
                self._tell(Ignored(reason=Reason.UNKNOWN, detail=f"type {kind}"))
            case PushPull() | ErrorReply():
                self._tell(Ignored(reason=Reason.MISPLACED))
            case _:
                assert_never(message)

    def _hear_answer(self, answer: Ack | Nack, now: float) -> None:
        match answer:
            case Ack(sequence=sequence, payload=payload):
                if not self._probes.acked(sequence, payload, now):
                    self._relays.acked(sequence)
            case Nack(sequence=sequence):
                self._probes.nacked(sequence)
            case _:
                assert_never(answer)

    def _hear_claim(self, claim: Alive | Suspect | Dead, now: float) -> None:
        match claim:
            case Alive(address=told):
                address = self._identity.located(told)
                if address is not told:
                    claim = evolve(claim, address=address)
                self._claims.alive(claim, now)
            case Suspect():
                self._claims.suspect(claim, now)
            case Dead():
                self._claims.dead(claim, now)
            case _:
                assert_never(claim)

    def _expire(self, deadline: Deadline, now: float) -> None:
        match deadline:
            case ProbeDue():
                self._probes.take_turn(now)
            case GossipDue():
                self._gossip.go_round(now)
            case ExchangeDue():
                self._exchanges.take_turn(now)
            case ProbeUnanswered(sequence):
                self._probes.unanswered(sequence, now)
            case ProbeEnds(sequence):
                self._probes.end(sequence, now)
            case RelayEnds(sequence):
                self._relays.end(sequence)
            case SuspicionEnds(node):
                self._claims.end_suspicion(node, now)
            case _:
                assert_never(deadline)
