"""One seed: a ring is built, gets into a storm, and must come out of it whole."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen

from e2d.swim.messages import Rank
from e2d.swim.protocol import Swim
from e2d.swim.scaling import exchange_interval, suspicion_span
from e2d.swim.settings import LAN, Settings
from e2d.testing.swim_checks import DRIFT, Always, Calm, unconverged
from e2d.testing.swim_host import MakeSwim, SimulatedHost
from e2d.testing.swim_simulation import Driving, PropertyViolated, SwimSimulation
from e2d.testing.swim_weather import Weather

__all__ = ["Trial", "TrialTimes"]

SETTLED = 15.0
"""Seconds: two exchanges of states, and rounds of gossip that spread the outcome."""

MANY = 5
"""Peers, of which one may be gone and another late, that confirm a suspicion."""

PROBED = 10
"""Probe intervals: in rings of a few, the turn of a peer may come as late as that."""

SPREAD = 5.0
"""Seconds in which gossip reaches everybody, or nearly so."""

LEFT_SHARE = 2
"""So many times more may hold a peer for dead that left: some miss the news."""

BETWEEN = 2
"""Peers without anybody between them."""

TOLD = 30
"""Faults beside a failure."""

STEP = 0.25
"""Seconds between two looks whether the ring is one."""


@frozen(kw_only=True)
class TrialTimes:
    """
    How long it took, in seconds.

    :ivar formed: from the last start to one ring.
    :ivar healed: from the end of the storm to one ring.
    :ivar detected: from a crash until all others held the peer for dead.
    :ivar left: from a leave until nobody held the peer alive.
    """

    formed: float
    healed: float
    detected: float
    left: float


@frozen(kw_only=True)
class Trial:
    """
    What a seed has to go through.

    :param storm: seconds of faults; 0 for none.
    :param calm: seconds without any, in which nobody may be doubted.
    :param asleep: seconds for which one of them is paused in the end: longer than the
        others remember it.
    """

    size: int
    storm: float = 120.0
    calm: float = 20.0
    asleep: float = 75.0
    fault_rate: float = 0.1
    settings: Settings = LAN
    driving: Driving = field(factory=Driving)
    make: MakeSwim = Swim

    @property
    def bound(self) -> float:
        """
        Within how many seconds after the last fault the ring is one.

        All that lost each other re-join within ``Driving.rejoin``. A suspicion of the
        last moment runs its course meanwhile, is refuted, and both is spread.
        """
        return max(self._rejoin, self._longest) + SETTLED

    @property
    def move_bound(self) -> float:
        """
        Within how many seconds a name that moved to another address is known there.

        Who holds it alive where it was has to find it dead first: when its turn to be
        probed comes, which may be first in a round and last in the next. Then its name
        is kept for it a while longer, and the new one comes with the next exchange.
        """
        settings = self.settings
        rounds = 2 * self.size * settings.probe_interval
        exchange = max(exchange_interval(settings, self.size), self._rejoin)
        return rounds + self._longest + settings.dead_reclaim + exchange + SETTLED

    @property
    def detection_bound(self) -> float:
        """
        Within how many seconds after its death everybody knows.

        Some probe it within some intervals, and then it has its time to refute: the
        shortest, for they are many enough to confirm what each of them sees.
        """
        span = suspicion_span(self.settings, self.size)
        most = span.longest if self.size < MANY else span.shortest
        return PROBED * self.settings.probe_interval + most + SPREAD

    @property
    def _longest(self) -> float:
        return suspicion_span(self.settings, self.size).longest

    @property
    def _rejoin(self) -> float:
        return self.driving.rejoin or LAN.exchange_interval

    def run(self, seed: int) -> TrialTimes:
        """
        Go through it.

        :raises PropertyViolated: something did not hold.
        """
        simulation = SwimSimulation(
            seed=seed,
            size=self.size,
            settings=self.settings,
            driving=self.driving,
            make=self.make,
        )
        simulation.watches.append(Always(simulation))
        weather = Weather(simulation, self.fault_rate)
        try:
            return self._phases(simulation, weather)
        except PropertyViolated as violation:
            told = "; ".join(weather.faults[-TOLD:])
            raise PropertyViolated(violation.property, f"{violation}\n{told}") from None

    def _phases(self, simulation: SwimSimulation, weather: Weather) -> TrialTimes:
        for host in list(simulation.hosts):
            simulation.start(host, simulation.seeds())
        formed = self._until_one(simulation, "formation", self.bound)
        healed = 0.0
        if self.storm:
            weather.storm(self.storm)
            healed = self._heal(simulation)
        self._stay_calm(simulation)
        self._cut_a_link(simulation)
        self._pause_one(simulation)
        self._update_one(simulation)
        self._replace_one(simulation)
        detected = self._kill_one(simulation)
        left = self._let_one_leave(simulation)
        return TrialTimes(formed=formed, healed=healed, detected=detected, left=left)

    def _heal(self, simulation: SwimSimulation) -> float:
        names = Counter(host.name for host in simulation.hosts)
        moved = frozenset(name for name, hosts in names.items() if hosts > 1)
        healed = self._until_one(simulation, "convergence", self.bound, moved)
        late = self.move_bound - healed
        healed += self._until_one(simulation, "move", late)
        # Probes that began in the storm may still fail, and are refuted.
        simulation.run(SETTLED)
        self._until_one(simulation, "aftermath", SPREAD)
        return healed

    def _until_one(
        self,
        simulation: SwimSimulation,
        name: str,
        seconds: float,
        passing_over: frozenset[bytes] = frozenset(),
    ) -> float:
        began = simulation.now
        while (why := unconverged(simulation, passing_over)) is not None:
            if simulation.now - began > seconds:
                raise self._violated(
                    simulation, name, f"not within {seconds:.0f} s: {why}"
                )
            simulation.run(STEP)
        return simulation.now - began

    def _stay_calm(self, simulation: SwimSimulation) -> None:
        calm = Calm(simulation)
        simulation.watches.append(calm)
        simulation.run(self.calm)
        simulation.watches.remove(calm)
        why = unconverged(simulation)
        if why is not None:
            raise self._violated(simulation, "calm", why)

    def _cut_a_link(self, simulation: SwimSimulation) -> None:
        """Two that cannot reach each other still hear of each other by the rest."""
        if len(_living(simulation)) <= BETWEEN:
            return
        one, other = simulation.random.sample(_living(simulation), 2)
        simulation.network.cut(one.number, other.number)
        simulation.network.cut(other.number, one.number)
        watch = Calm(simulation, "bystanders")
        simulation.watches.append(watch)
        simulation.run(self.calm)
        simulation.network.mend()
        simulation.watches.remove(watch)

    def _pause_one(self, simulation: SwimSimulation) -> None:
        """Who did nothing for a while harms nobody, and is soon back."""
        sleeper = simulation.random.choice(_living(simulation))
        watch = Calm(simulation, "bystanders", but=sleeper)
        simulation.watches.append(watch)
        simulation.pause(sleeper, self.asleep)
        simulation.run(self.asleep)
        self._soon_known(simulation, "awakening", sleeper)
        simulation.watches.remove(watch)

    def _update_one(self, simulation: SwimSimulation) -> None:
        """What it says of itself now reaches everybody."""
        teller = simulation.random.choice(_living(simulation))
        simulation.update(teller, b"update")
        self._soon_known(simulation, "update", teller)

    def _replace_one(self, simulation: SwimSimulation) -> None:
        """A name that nobody reclaimed for its old address is free for a new one."""
        gone = simulation.random.choice(_living(simulation))
        simulation.crash(gone)
        self._until_gone(
            simulation, gone, "detection", {Rank.DEAD}, self.detection_bound
        )
        simulation.run(self.settings.dead_reclaim / DRIFT)
        other = simulation.add_host(gone.name)
        simulation.start(other, simulation.seeds())
        self._soon_known(simulation, "replacement", other)

    def _soon_known(
        self, simulation: SwimSimulation, name: str, host: SimulatedHost
    ) -> None:
        """Gossip tells most, and whom it misses the next exchange of states."""
        simulation.run(SPREAD)
        others = [each for each in _living(simulation) if each is not host]
        knowing = sum(_knows(each, host) for each in others)
        if 2 * knowing <= len(others):
            told = f"{knowing} of {len(others)} know of {host.name.decode()}"
            raise self._violated(simulation, name, f"after {SPREAD:.0f} s {told}")
        exchange = exchange_interval(self.settings, self.size)
        self._until_one(simulation, name, exchange + SPREAD)

    def _kill_one(self, simulation: SwimSimulation) -> float:
        victim = simulation.random.choice(_living(simulation))
        simulation.crash(victim)
        return self._until_gone(
            simulation, victim, "detection", {Rank.DEAD}, self.detection_bound
        )

    def _let_one_leave(self, simulation: SwimSimulation) -> float:
        leaver = simulation.random.choice(_living(simulation))
        simulation.leave(leaver)
        seconds = self._until_gone(
            simulation,
            leaver,
            "leave",
            {Rank.LEFT, Rank.DEAD},
            self.detection_bound,
        )
        ranks = [_rank(host, leaver) for host in _living(simulation)]
        if LEFT_SHARE * ranks.count(Rank.LEFT) < ranks.count(Rank.DEAD):
            raise self._violated(simulation, "leave", f"most hold it for dead: {ranks}")
        return seconds

    def _until_gone(
        self,
        simulation: SwimSimulation,
        gone: SimulatedHost,
        name: str,
        ranks: set[Rank],
        seconds: float,
    ) -> float:
        began = simulation.now
        while True:
            others = [each for each in _living(simulation) if each is not gone]
            wrong = [each for each in others if _rank(each, gone) not in ranks]
            if not wrong:
                return simulation.now - began
            if simulation.now - began > seconds:
                held = [f"{each.name.decode()}: {_rank(each, gone)}" for each in wrong]
                late = f"{gone.name.decode()} after {seconds:.0f} s: {', '.join(held)}"
                raise self._violated(simulation, name, late)
            simulation.run(STEP)

    def _violated(
        self, simulation: SwimSimulation, name: str, detail: str
    ) -> PropertyViolated:
        return PropertyViolated(
            name, f"seed {simulation.seed}, {simulation.now:.3f} s: {detail}"
        )


def _living(simulation: SwimSimulation) -> list[SimulatedHost]:
    return [each for each in simulation.hosts if each.runs and not each.left]


def _knows(host: SimulatedHost, other: SimulatedHost) -> bool:
    """Whether a host holds another alive, where it is, with the newest it says."""
    assert host.swim is not None
    peer = host.swim.peer(other.name)
    known = peer and (peer.rank, peer.address, peer.meta)
    return known == (Rank.ALIVE, other.address, other.meta)


def _rank(host: SimulatedHost, other: SimulatedHost) -> Rank | None:
    assert host.swim is not None
    peer = host.swim.peer(other.name)
    return None if peer is None else peer.rank
