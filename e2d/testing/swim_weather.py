"""What goes wrong in a simulated ring, drawn from its seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from attrs import define, field

from e2d.testing.swim_host import SimulatedHost
from e2d.testing.swim_network import Quality
from e2d.testing.swim_simulation import SwimSimulation

__all__ = ["Weather"]

LONGEST_PAUSE = 75.0
"""Longer than anybody is remembered after death."""

LONGEST_CUT = 90.0


@define(eq=False)
class Weather:
    """
    Brings faults over a ring until it is told to stop, and mends what it broke.

    :param rate: faults a second.
    :ivar faults: what happened, in words: to be read beside a failure.
    """

    _simulation: SwimSimulation
    _rate: float = 0.1
    faults: list[str] = field(factory=list, init=False)
    _versions: int = field(default=0, init=False)
    _storming: bool = field(default=False, init=False)

    def storm(self, seconds: float) -> None:
        """Let faults happen for so long; then heal, and start who is down."""
        simulation = self._simulation
        end = simulation.now + seconds
        self._storming = True
        while simulation.now < end:
            pause = simulation.random.expovariate(self._rate)
            simulation.run(min(pause, end - simulation.now))
            if simulation.now < end:
                self._strike()
        self._storming = False
        self._heal()

    def _strike(self) -> None:
        faults = (
            self._lossy,
            self._partition,
            self._one_way,
            self._single_link,
            self._no_udp,
            self._pause,
            self._crash,
            self._crash_and_lose,
            self._move,
            self._leave,
            self._update,
            self._clock,
        )
        self._simulation.random.choice(faults)()

    def _heal(self) -> None:
        """All that were only paused go on by themselves, some later than this."""
        simulation = self._simulation
        simulation.network.heal()
        for host in simulation.hosts:
            if host.paused:
                simulation.resume(host)
            if host.left and host.swim is not None:
                simulation.crash(host)  # it was about to end
        names = {each.name for each in simulation.hosts if each.swim is not None}
        for host in simulation.hosts:
            if host.swim is None and host.name not in names:
                names.add(host.name)
                self._start(host)
        self._note("healed")

    # -- the faults -------------------------------------------------------------------

    def _lossy(self) -> None:
        random = self._simulation.random
        self._simulation.network.quality = Quality(
            loss=random.choice((0.0, 0.05, 0.3)),
            duplication=random.choice((0.0, 0.1)),
            most_delay=random.choice((0.002, 0.05, 0.4)),
        )
        self._note(f"network: {self._simulation.network.quality}")
        self._later(self._calm_network)

    def _calm_network(self) -> None:
        self._simulation.network.quality = Quality()

    def _partition(self) -> None:
        simulation = self._simulation
        hosts = list(range(len(simulation.hosts)))
        simulation.random.shuffle(hosts)
        cut = simulation.random.randrange(1, len(hosts))
        simulation.network.partition([hosts[:cut]])
        self._note(f"partition: {sorted(hosts[:cut])}")
        self._later(partial(simulation.network.partition, []))

    def _one_way(self) -> None:
        source, target = self._two()
        self._simulation.network.cut(source.number, target.number)
        self._note(f"cut: {source.number} to {target.number}")
        self._mend_later()

    def _single_link(self) -> None:
        source, target = self._two()
        network = self._simulation.network
        network.cut(source.number, target.number)
        network.cut(target.number, source.number)
        self._note(f"cut: {source.number} and {target.number}")
        self._mend_later()

    def _no_udp(self) -> None:
        host = self._one()
        self._simulation.network.block_udp(host.number)
        self._note(f"no UDP: {host.number}")
        self._mend_later()

    def _pause(self) -> None:
        host = self._one()
        if not host.runs:
            return
        seconds = self._simulation.random.choice((0.5, 3.0, 20.0, LONGEST_PAUSE))
        self._note(f"pause: {host.number} for {seconds} s")
        self._simulation.pause(host, seconds)

    def _crash(self) -> None:
        """It comes back where it was, and knows the others."""
        host = self._one()
        if host.swim is None or host.left:
            return
        self._note(f"crash: {host.number}")
        self._simulation.crash(host)
        self._later(partial(self._start, host))

    def _crash_and_lose(self) -> None:
        """It comes back where it was, and knows its seeds only."""
        host = self._one()
        if host.swim is None or host.left:
            return
        self._note(f"crash with its disk: {host.number}")
        self._simulation.crash(host)
        self._simulation.wipe(host)
        self._later(partial(self._start, host))

    def _move(self) -> None:
        """Another machine comes back under its name."""
        host = self._one()
        if host.swim is None or host.left:
            return
        self._simulation.crash(host)
        other = self._simulation.add_host(host.name)
        self._note(f"replaced: {host.number} by {other.number}")
        self._later(partial(self._start, other))

    def _leave(self) -> None:
        host = self._one()
        if not host.runs or host.left:
            return
        self._note(f"leave: {host.number}")
        self._simulation.leave(host)
        self._later(partial(self._start, host))

    def _update(self) -> None:
        host = self._one()
        if not host.runs or host.left:
            return
        self._versions += 1
        self._note(f"update: {host.number}")
        self._simulation.update(host, b"v%d" % (self._versions + 1))

    def _clock(self) -> None:
        """A clock that never steps may still be fast or slow."""
        host = self._one()
        if host.swim is not None:
            return  # its time would step
        host.rate = self._simulation.random.uniform(0.99, 1.01)
        self._note(f"clock: {host.number} at {host.rate:.4f}")

    # -- helpers ----------------------------------------------------------------------

    def _one(self) -> SimulatedHost:
        return self._simulation.random.choice(self._simulation.hosts)

    def _two(self) -> tuple[SimulatedHost, SimulatedHost]:
        one, other = self._simulation.random.sample(self._simulation.hosts, 2)
        return one, other

    def _later(self, act: Callable[[], None]) -> None:
        """Unless the storm is over by then, and all is mended anyway."""

        def still() -> None:
            if self._storming:
                act()

        seconds = self._simulation.random.uniform(1.0, LONGEST_CUT)
        self._simulation.after(seconds, still)

    def _mend_later(self) -> None:
        """Each mends all cuts: they last no longer for it."""
        self._later(self._simulation.network.mend)

    def _start(self, host: SimulatedHost) -> None:
        running = {
            each.name for each in self._simulation.hosts if each.swim is not None
        }
        if host.swim is None and host.name not in running:
            self._note(f"start: {host.number}")
            self._simulation.start(host, self._simulation.seeds())

    def _note(self, what: str) -> None:
        self.faults.append(f"{self._simulation.now:.3f} {what}")
