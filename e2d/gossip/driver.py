"""
Drives the protocol: gives it what arrives and what the time is, and does what it says.

Note [One batch]
    Whatever the core is told, it returns effects, and to perform one may tell it
    something again: a packet cannot be sent, or who hears news has other metadata now.
    So effects wait in one queue, are performed in their order, and then, once, the
    timer is set and the news is passed on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from attrs import define, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from e2d.gossip.complaints import Complaints
from e2d.gossip.datagrams import Datagrams, Unsent
from e2d.gossip.dialling import Dialler
from e2d.gossip.lines import Conduct, StreamFailed
from e2d.gossip.places import address_of
from e2d.gossip.traffic import Traffic
from e2d.swim.effects import (
    Effect,
    ExchangeState,
    Ignored,
    MergeRefused,
    News,
    PeerSuspected,
    PingByStream,
    Refuted,
    SendPacket,
)
from e2d.swim.errors import Fault, WireError
from e2d.swim.messages import (
    Ack,
    Message,
    PeerAddress,
    Ping,
    PushPull,
    UserMessage,
)
from e2d.swim.packets import pack, unpack
from e2d.swim.protocol import Swim

__all__ = ["Driver", "Outcome"]

_HINTS = {
    Fault.SEALED: "; if the keys of the ring were changed while this node was down,"
    " give it the new one in gossip.keys",
    Fault.LABEL: "; nodes of one ring have the same cluster.name and gossip.label",
}

Outcome = Callable[[PeerAddress, str | None], None]
"""Told where states were exchanged; with a reason, where that failed."""


@define(eq=False, kw_only=True)
class Driver:
    """
    One peer of a ring, on a port that is open already.

    :param news: called with all that was new, whenever something was.
    :param outcome: told how each exchange of states ended.
    """

    _conduct: Conduct
    _swim: Swim
    _datagrams: Datagrams
    _dialler: Dialler
    _traffic: Traffic
    _complaints: Complaints
    _news: Callable[[Sequence[News]], None]
    _outcome: Outcome
    _log: Logger = field(factory=Logger)
    _queue: deque[Effect] = field(factory=deque, init=False)
    _performing: bool = field(default=False, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _due: float | None = field(default=None, init=False)
    _under_way: set[Deferred[None]] = field(factory=set, init=False)
    _stopped: bool = field(default=False, init=False)
    _unseen: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._unseen = self._conduct.unseen()

    @property
    def swim(self) -> Swim:
        """The core: to be asked, and to be told only what has no effects."""
        return self._swim

    def start(self) -> None:
        """Begin to be alive."""
        self._perform(self._swim.start(self._now()))

    def join(self, addresses: Iterable[PeerAddress]) -> None:
        """Exchange states with who is at these addresses and not known to be alive."""
        self._perform(self._swim.join(addresses, self._now()))

    def update(self, metadata: bytes) -> None:
        """Say something else of ourselves, to everybody."""
        self._perform(self._swim.update(metadata, self._now()))

    def broadcast(self, name: bytes, payload: bytes) -> None:
        """Spread a message; see `Swim.broadcast`."""
        self._perform(self._swim.broadcast(name, payload, self._now()))

    def leave(self) -> None:
        """Begin to leave: `BroadcastDone` tells when that was told."""
        self._perform(self._swim.leave(self._now()))

    def received(self, packet: bytes, source: PeerAddress) -> None:
        """Take a packet."""
        if self._stopped:
            return
        try:
            unpacked = unpack(packet, self._conduct.framing())
        except WireError as error:
            self._traffic.drop(error.fault)
            address = address_of(source)
            reason = f"{error.reason}{_HINTS.get(error.fault, '')}"
            self._complaints.about(address.host, address.port, error.fault, reason)
            return
        for fault in unpacked.dropped:
            self._traffic.drop(fault)
        self._perform(self._swim.receive(unpacked.messages, source, self._now()))

    def answer(self, message: Message, source: PeerAddress) -> Message | None:
        """
        Take what came by a connection.

        :return: what to reply, None for nothing.
        """
        match message:
            case _ if self._stopped:
                return None
            case PushPull():
                reply, effects = self._swim.receive_state(message, source, self._now())
                self._perform(effects)
                return reply
            case Ping():
                return self._swim.answer_stream_ping(message)
            case UserMessage():
                self._perform(self._swim.receive([message], source, self._now()))
                return None
            case _:
                return None

    async def tell(self, to: PeerAddress, message: UserMessage) -> None:
        """
        Send a message by a connection.

        :raises StreamFailed: not all of it was taken.
        """
        await self._dialler.tell(to, message)

    async def stop(self) -> None:
        """Do nothing any more; returns when nothing is under way."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        self._queue.clear()
        await self._dialler.stop()
        for each in tuple(self._under_way):
            await each

    # -- performing ---------------------------------------------------------------

    def _now(self) -> float:
        """
        The time, to enter the core with.

        A pause that is found by it is to be performed first, and so waits at the head.
        """
        now = self._conduct.clock.seconds()
        unseen = self._conduct.unseen()
        if unseen > self._unseen:
            missed = unseen - self._unseen
            self._unseen = unseen
            self._queue.extend(self._swim.resume(now, unseen=missed))
        return now

    def _perform(self, effects: Iterable[Effect]) -> None:
        """See Note [One batch]."""
        if self._stopped:
            return
        self._queue.extend(effects)
        if self._performing:
            return
        self._performing = True
        try:
            self._work_off()
        finally:
            self._performing = False
            self._arm()

    def _work_off(self) -> None:
        news: list[News] = []
        while self._queue or news:
            if not self._queue:
                told, news = news, []
                self._news(told)
                continue
            effect = self._queue.popleft()
            match effect:
                case SendPacket():
                    self._send(effect)
                case ExchangeState():
                    self._spawn(self._exchange(effect))
                case PingByStream():
                    self._spawn(self._ping(effect))
                case _:
                    self._count(effect)
                    news.append(effect)

    def _count(self, news: News) -> None:
        match news:
            case PeerSuspected():
                self._traffic.suspicions += 1
            case Refuted():
                self._traffic.refutations += 1
            case Ignored(reason=reason):
                self._traffic.drop(reason)
            case _:
                pass

    def _send(self, effect: SendPacket) -> None:
        packet = pack(
            effect.parts,
            self._conduct.framing(),
            checksum=effect.checksum,
            nonce=self._conduct.nonce,
        )
        try:
            self._datagrams.send(packet, effect.to)
        except Unsent as error:
            self._traffic.drop("unsent")
            address = address_of(effect.to)
            self._complaints.about(
                address.host,
                address.port,
                "unsent",
                f"a packet could not be sent: {error.reason}",
            )
            self._queue.extend(
                self._swim.send_failed(effect.to, self._now(), remote=error.remote)
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        spawned = Deferred.fromCoroutine(work)
        self._under_way.add(spawned)
        spawned.addErrback(self._broke)  # type: ignore[unused-awaitable]
        spawned.addBoth(self._over, spawned)  # type: ignore[unused-awaitable]

    def _over(self, result: object, spawned: Deferred[None]) -> object:
        self._under_way.discard(spawned)
        return result

    def _broke(self, failure: Failure) -> None:
        self._log.failure("A connection of the ring was given up", failure=failure)

    async def _exchange(self, effect: ExchangeState) -> None:
        problem = await self._exchanged(effect)
        if not self._stopped:
            self._outcome(effect.to, problem)

    async def _exchanged(self, effect: ExchangeState) -> str | None:
        """Do it; why nothing came of it, or None."""
        try:
            reply = await self._dialler.ask(effect.to, effect.state)
        except StreamFailed as error:
            return error.reason
        if not isinstance(reply, PushPull):
            return "answers something else than its state"
        if self._stopped:
            return None
        effects = self._swim.state_answered(effect, reply, self._now())
        self._perform(effects)
        refused = (each for each in effects if isinstance(each, MergeRefused))
        return next((f"is refused: {each.reason}" for each in refused), None)

    async def _ping(self, effect: PingByStream) -> None:
        try:
            reply = await self._dialler.ask(effect.to, effect.ping, effect.seconds)
        except StreamFailed:
            return  # the probe ends without it
        if isinstance(reply, Ack):
            sequence = reply.sequence
            self._perform(self._swim.stream_ping_answered(sequence, self._now()))

    # -- the timer ----------------------------------------------------------------

    def _arm(self) -> None:
        due = self._swim.next_timer()
        if self._stopped or due is None:
            return
        armed = self._timer is not None and self._timer.active()
        if armed and due == self._due:
            return
        self._due = due
        delay = max(0.0, due - self._now())
        if armed:
            assert self._timer is not None
            self._timer.reset(delay)
        else:
            self._timer = self._conduct.clock.callLater(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._swim.handle_timer(self._now()))
