"""
Many peers of a ring in one thread: one heap of events, one seed, no network.

The same seed gives the same run. Packets are encoded and decoded; the rest of framing,
which has tests of its own, is left out. Each host is driven as the daemon drives its
peer: effects in their order, one timer, and a re-join to all that it ever met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from heapq import heappop, heappush
from random import Random

from attrs import define, field, frozen

from e2d.swim import wire
from e2d.swim.effects import (
    Effect,
    ExchangeState,
    News,
    PingByStream,
    SendPacket,
)
from e2d.swim.identity import Identity, Vetoes
from e2d.swim.messages import Ack, Message, PeerAddress, PushPull
from e2d.swim.protocol import Swim
from e2d.swim.settings import LAN, Settings
from e2d.testing.swim_host import MakeSwim, SimulatedHost
from e2d.testing.swim_network import SimulatedNetwork

__all__ = ["Driving", "PropertyViolated", "SwimSimulation", "Watch", "decode"]

PORT = 7980
SEEDS = 3
MOMENT = 1e-4
SPINS = 1000
"""So often may a peer be called at one moment, before it is held for a busy loop."""


class PropertyViolated(AssertionError):
    """
    What must hold for every run did not.

    :ivar property: which, in a word or two.
    """

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.property = name


@frozen(kw_only=True)
class Driving:
    """
    What a driver adds to the protocol.

    :param rejoin: seconds between two re-joins; None for never, as memberlist does.
    :param leave_seconds: how long a peer that leaves is kept running at the most.
    """

    rejoin: float | None = 30.0
    leave_seconds: float = 5.0


class Watch:
    """Looks on. Each method may raise `PropertyViolated`; here they do nothing."""

    def told(self, host: SimulatedHost, news: News, now: float) -> None:
        """A peer said something."""

    def sent(self, host: SimulatedHost, packet: SendPacket, now: float) -> None:
        """A peer sent a packet."""

    def acted(self, host: SimulatedHost, now: float) -> None:
        """A peer was called."""


@lru_cache(maxsize=200_000)
def decode(part: bytes) -> Message:
    """Read a message. All that get the same bytes share one: they are values."""
    return wire.decode(part)


@define(eq=False, kw_only=True)
class SwimSimulation:
    """
    A ring.

    :param seed: of all chance.
    :param size: how many hosts there are; none runs at first.
    :param make: makes a peer; another for a mutant.
    :ivar now: the time, in seconds from 0.
    """

    seed: int
    size: int
    settings: Settings = LAN
    driving: Driving = field(factory=Driving)
    make: MakeSwim = Swim
    watches: list[Watch] = field(factory=list)
    now: float = field(default=0.0, init=False)
    random: Random = field(init=False)
    network: SimulatedNetwork = field(init=False)
    hosts: list[SimulatedHost] = field(init=False)
    events: int = field(default=0, init=False)
    _heap: list[tuple[float, int, Callable[[], None]]] = field(factory=list, init=False)
    _count: int = field(default=0, init=False)
    _by_address: dict[PeerAddress, SimulatedHost] = field(factory=dict, init=False)
    _spins: tuple[int, float, int] = field(default=(-1, -1.0, 0), init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self.network = SimulatedNetwork(self.random)
        self.hosts = []
        for _ in range(self.size):
            self.add_host(b"n%d" % len(self.hosts))

    # -- hosts ----------------------------------------------------------------------

    def add_host(self, name: bytes) -> SimulatedHost:
        """One more machine, that nothing runs on yet."""
        number = len(self.hosts)
        address = PeerAddress(
            bytes([10, number >> 16 & 255, number >> 8 & 255, number & 255]), PORT
        )
        host = SimulatedHost(number=number, name=name, address=address)
        self.hosts.append(host)
        self._by_address[address] = host
        return host

    def start(self, host: SimulatedHost, seeds: Iterable[SimulatedHost]) -> None:
        """Have a peer on a host, that knows of others by their addresses."""
        assert host.swim is None
        host.life += 1
        host.left = host.paused = False
        host.known |= {seed.address for seed in seeds if seed is not host}
        host.waiting.clear()
        host.swim = self.make(
            self.settings,
            Identity(name=host.name, address=host.address, meta=host.meta),
            Random(self.random.random()),
            Vetoes(),
        )
        self._call(host, lambda swim, now: swim.start(now))
        self._rejoin(host, host.life)

    def crash(self, host: SimulatedHost) -> None:
        """It is gone from one moment to the next."""
        host.swim, host.paused = None, False
        host.life += 1

    def wipe(self, host: SimulatedHost) -> None:
        """What was on its disk is gone."""
        assert host.swim is None
        host.known.clear()

    def leave(self, host: SimulatedHost) -> None:
        """It leaves of its own accord, and ends when that is told."""
        host.left = True
        self._call(host, lambda swim, now: swim.leave(now))
        self.after(self.driving.leave_seconds, partial(self._end, host, host.life))

    def update(self, host: SimulatedHost, meta: bytes) -> None:
        """It has something else to say of itself."""
        host.meta = meta
        self._call(host, lambda swim, now: swim.update(meta, now))

    def pause(self, host: SimulatedHost, seconds: float) -> None:
        """It does nothing for a while, and then goes on."""
        host.paused = True
        self.after(seconds, partial(self._go_on, host, host.life))

    def resume(self, host: SimulatedHost) -> None:
        """It goes on now."""
        self._go_on(host, host.life)

    def seeds(self) -> list[SimulatedHost]:
        """What discovery finds: a few machines that are there, or were once."""
        running = [each for each in self.hosts if each.swim is not None]
        return (running or self.hosts)[:SEEDS]

    # -- time -----------------------------------------------------------------------

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heappush(self._heap, (self.now + seconds, self._count, act))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self._heap and self._heap[0][0] <= until:
            self.now, _, act = heappop(self._heap)
            self.events += 1
            act()
        self.now = until

    # -- driving a peer ---------------------------------------------------------------

    def _call(
        self, host: SimulatedHost, call: Callable[[Swim, float], list[Effect]]
    ) -> None:
        if not host.runs:
            return
        self._perform(host, host.tell(call, self.now))
        for watch in self.watches:
            watch.acted(host, self.now)
        self._arm(host)

    def _perform(self, host: SimulatedHost, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendPacket():
                    self._send(host, effect)
                case ExchangeState():
                    self._exchange(host, effect)
                case PingByStream():
                    self._ping(host, effect)
                case _:
                    for watch in self.watches:
                        watch.told(host, effect, self.now)

    def _arm(self, host: SimulatedHost) -> None:
        assert host.swim is not None
        due = host.swim.next_timer()
        assert due is not None
        if due == host.due:
            return
        host.due = due
        # A timer fires when the clock shows its time, not a rounding before.
        delay = max(0.0, host.real(due) - self.now) + 1e-6
        self.after(delay, partial(self._expire, host, host.life, due))

    def _expire(self, host: SimulatedHost, life: int, due: float) -> None:
        if host.life != life or host.due != due or not host.runs:
            return
        host.due = None
        self._check_progress(host)
        self._call(host, lambda swim, now: swim.handle_timer(now))

    def _check_progress(self, host: SimulatedHost) -> None:
        number, at, spins = self._spins
        same = number == host.number and self.now - at < MOMENT
        self._spins = (host.number, at if same else self.now, spins + 1 if same else 0)
        if spins > SPINS:
            raise PropertyViolated("progress", f"{host.name!r} spins at {self.now:.3f}")

    def _go_on(self, host: SimulatedHost, life: int) -> None:
        if host.life != life or not host.paused:
            return
        host.paused = False
        host.due = None
        waiting = list(host.waiting)
        host.waiting.clear()
        if self.random.choice((True, False)):  # either may come first
            self._call(host, lambda swim, now: swim.handle_timer(now))
        for messages, source in waiting:
            self._call(host, partial(_receive, messages, source))
        self._call(host, lambda swim, now: swim.handle_timer(now))

    def _end(self, host: SimulatedHost, life: int) -> None:
        if host.life == life:
            self.crash(host)

    def _rejoin(self, host: SimulatedHost, life: int) -> None:
        if host.life != life:
            return
        if host.runs and not host.left:
            lost = host.lost(self.now)
            self._call(host, lambda swim, now: swim.join(lost, now))
        if self.driving.rejoin is not None:
            pause = self.driving.rejoin * self.random.uniform(0.75, 1.0)
            self.after(pause, partial(self._rejoin, host, life))

    # -- packets ----------------------------------------------------------------------

    def _send(self, host: SimulatedHost, packet: SendPacket) -> None:
        for watch in self.watches:
            watch.sent(host, packet, self.now)
        target = self._by_address.get(packet.to)
        if target is None:
            return
        messages: Sequence[Message] | None = None
        for delay in self.network.arrivals(host.number, target.number):
            if messages is None:
                messages = [decode(part) for part in packet.parts]
            arrive = partial(self._arrive, target, target.life, messages, host.address)
            self.after(delay, arrive)

    def _arrive(
        self,
        host: SimulatedHost,
        life: int,
        messages: Sequence[Message],
        source: PeerAddress,
    ) -> None:
        if host.swim is None:
            return
        if host.paused:
            host.waiting.append((messages, source))
        else:
            self._call(host, partial(_receive, messages, source))

    # -- connections ----------------------------------------------------------------

    def _exchange(self, host: SimulatedHost, effect: ExchangeState) -> None:
        """What connects is answered; who is paused, or cut off, does not answer."""
        target = self._by_address.get(effect.to)
        if target is None:
            return
        delay = 3 * self.network.delay()
        self.after(delay, partial(self._asked, host, host.life, target, effect))

    def _asked(
        self,
        host: SimulatedHost,
        life: int,
        target: SimulatedHost,
        effect: ExchangeState,
    ) -> None:
        if not target.runs or not self.network.connects(host.number, target.number):
            return
        assert target.swim is not None
        reply, effects = target.swim.receive_state(
            effect.state, host.address, target.local(self.now)
        )
        target.known.add(host.address)
        self._call(target, lambda _swim, _now: effects)
        answered = partial(self._answered, host, life, effect, reply)
        self.after(self.network.delay(), answered)

    def _answered(
        self, host: SimulatedHost, life: int, effect: ExchangeState, reply: PushPull
    ) -> None:
        if host.life != life:
            return
        host.known.add(effect.to)
        self._call(host, lambda swim, now: swim.state_answered(effect, reply, now))

    def _ping(self, host: SimulatedHost, effect: PingByStream) -> None:
        target = self._by_address.get(effect.to)
        delay = 4 * self.network.delay()
        if target is None or delay > effect.seconds:
            return
        self.after(delay, partial(self._pinged, host, host.life, target, effect))

    def _pinged(
        self,
        host: SimulatedHost,
        life: int,
        target: SimulatedHost,
        effect: PingByStream,
    ) -> None:
        if host.life != life or not target.runs:
            return
        if not self.network.connects(host.number, target.number):
            return
        assert target.swim is not None
        ack = target.swim.answer_stream_ping(effect.ping)
        if isinstance(ack, Ack):
            sequence = ack.sequence
            self._call(host, lambda swim, now: swim.stream_ping_answered(sequence, now))


def _receive(
    messages: Sequence[Message], source: PeerAddress, swim: Swim, now: float
) -> list[Effect]:
    return swim.receive(messages, source, now)
