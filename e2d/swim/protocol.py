"""
The protocol of a gossip ring, without a network and without a clock.

Who drives a `Swim` gives it what arrives and what the time is, performs the effects
that it returns, in their order, and calls `Swim.handle_timer` when `Swim.next_timer`
says so. The same seed and the same inputs give the same effects.

Note [Pauses]: a process, or its machine, may be stopped for a minute. When it goes on,
every deadline is overdue, although nobody had a chance to meet it. So each entry first
looks at the earliest: where it is overdue by more than `Settings.late_after`, all
deadlines are put off together, by an offset between the driver's clock and the core's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from e2d.swim.effects import Effect, ExchangeState, Peer
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.messages import Ack, Message, PeerAddress, Ping, PushPull
from e2d.swim.settings import Settings

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
    :raises ValueError: there is more metadata than fits.
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
        raise NotImplementedError

    def start(self, now: float) -> list[Effect]:
        """Begin: to be alive, and to probe, gossip and exchange. Once, first."""
        raise NotImplementedError

    def join(self, addresses: Iterable[PeerAddress], now: float) -> list[Effect]:
        """
        Exchange states with whoever is at these addresses.

        It costs nothing for peers that are held alive, and for ourselves: meant to be
        called again and again, so that rings that lost each other find together.
        """
        raise NotImplementedError

    def receive(
        self, messages: Sequence[Message], source: PeerAddress, now: float
    ) -> list[Effect]:
        """
        Take what a packet held, or a user message from a stream.

        :param source: where it came from.
        """
        raise NotImplementedError

    def receive_state(
        self, remote: PushPull, source: PeerAddress, now: float
    ) -> tuple[PushPull, list[Effect]]:
        """
        Take what a peer that opened a stream knows.

        :return: the answer, to be sent first and even if the other's state is refused;
            and the effects.
        """
        raise NotImplementedError

    def state_answered(
        self, exchange: ExchangeState, remote: PushPull, now: float
    ) -> list[Effect]:
        """
        Take what a peer answered.

        It is merged where there is a `StateMerged` among the effects.
        """
        raise NotImplementedError

    def answer_stream_ping(self, ping: Ping) -> Ack | None:
        """
        The answer to a ping on a stream.

        :return: None where it is not for us: close the stream.
        """
        raise NotImplementedError

    def stream_ping_answered(self, sequence: int, now: float) -> list[Effect]:
        """A ping by stream was answered, with that sequence."""
        raise NotImplementedError

    def send_failed(self, to: PeerAddress, now: float, *, remote: bool) -> list[Effect]:
        """
        A packet could not be sent.

        :param remote: whether it tells something about the peer, such as that it is
            unreachable; else it tells about us, and counts against nobody.
        """
        raise NotImplementedError

    def handle_timer(self, now: float) -> list[Effect]:
        """Do all that is due; harmless when nothing is."""
        raise NotImplementedError

    def next_timer(self) -> float | None:
        """When to call `handle_timer` at the latest; None before the start."""
        raise NotImplementedError

    def leave(self, now: float) -> list[Effect]:
        """
        Tell the ring that we leave, of our own accord.

        It is told, or nobody is left to tell, when there is a `BroadcastDone` about
        it. Until the driver stops, others are answered as before. Once is enough.
        """
        raise NotImplementedError

    def update(self, meta: bytes, now: float) -> list[Effect]:
        """
        Have other metadata, under a new incarnation.

        :raises ValueError: it is more than `Settings.meta_bytes`.
        """
        raise NotImplementedError

    def broadcast(self, name: bytes, payload: bytes, now: float) -> list[Effect]:
        """
        Spread a user message by gossip.

        :param name: a broadcast of the same name that still waits makes way.
        :raises ValueError: it does not fit into a packet.
        """
        raise NotImplementedError

    def set_user_state(self, state: bytes) -> None:
        """What is added to each exchange of states from now on; empty before."""
        raise NotImplementedError

    def set_ack_payload(self, payload: bytes) -> None:
        """What is added to each answer to a ping from now on; empty before."""
        raise NotImplementedError

    def peers(self) -> tuple[Peer, ...]:
        """All that are remembered, ourselves, the dead and those who left included."""
        raise NotImplementedError

    def peer(self, name: bytes) -> Peer | None:
        """The peer of that name, or None where there is none."""
        raise NotImplementedError

    @property
    def incarnation(self) -> int:
        """Our own."""
        raise NotImplementedError

    @property
    def health_score(self) -> int:
        """0 for well; more, to `Settings.awareness_most` - 1, for unwell."""
        raise NotImplementedError

    @property
    def queue_length(self) -> int:
        """How many broadcasts wait, of the ring's own and of users."""
        raise NotImplementedError
