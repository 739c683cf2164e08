"""Rings of many peers in any weather; a failure prints the seed that makes it again."""

from __future__ import annotations

import os
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from e2d.swim.effects import News
from e2d.testing.swim_host import SimulatedHost
from e2d.testing.swim_simulation import PropertyViolated, SwimSimulation, Watch
from e2d.testing.swim_trial import Trial
from e2d.testing.swim_weather import Weather

LONG = bool(os.environ.get("E2D_LONG"))


class Trace(Watch):
    """All that is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def told(self, host: SimulatedHost, news: News, now: float) -> None:
        """Keep it."""
        self.lines.append(f"{now} {host.name!r} {news}")


def trace(seed: int) -> list[str]:
    """What happens in a small ring in bad weather."""
    simulation, kept = SwimSimulation(seed=seed, size=4), Trace()
    simulation.watches.append(kept)
    for host in list(simulation.hosts):
        simulation.start(host, simulation.seeds())
    Weather(simulation, 0.3).storm(60.0)
    return kept.lines


class SimulationTests(SynchronousTestCase):
    """`SwimSimulation` itself."""

    def test_the_same_seed_is_the_same_run(self) -> None:
        """A failure can be looked at again."""
        self.assertEqual(trace(7), trace(7))
        self.assertNotEqual(trace(7), trace(8))

    def test_a_ring_that_never_rejoins_is_told(self) -> None:
        """W-03: without re-joins a partition that lasts is never healed."""
        simulation = SwimSimulation(seed=1, size=4)
        for host in list(simulation.hosts):
            simulation.start(host, simulation.seeds())
        simulation.run(10.0)
        simulation.network.partition([[0, 1]])
        simulation.run(120.0)
        simulation.network.heal()
        first, last = simulation.hosts[0], simulation.hosts[3]
        assert first.swim is not None
        self.assertIsNone(first.swim.peer(last.name))
        simulation.run(45.0)
        self.assertIsNotNone(first.swim.peer(last.name))


class SeedTests(SynchronousTestCase):
    """Nothing is violated, and each ring becomes one within its bounds."""

    timeout = 7200.0

    def try_all(self, trial: Trial, seeds: Iterable[int]) -> None:
        """Each of them; all that fail are told."""
        failures = []
        for seed in seeds:
            try:
                trial.run(seed)
            except PropertyViolated as violation:
                failures.append(str(violation))
        self.assertEqual(failures, [])

    def test_five_nodes(self) -> None:
        """The usual cluster, a storm of two minutes."""
        self.try_all(Trial(size=5), range(1000 if LONG else 40))

    def test_three_nodes_in_a_heavy_storm(self) -> None:
        """A fault every two seconds."""
        self.try_all(Trial(size=3, fault_rate=0.5), range(500 if LONG else 20))

    def test_thirty_nodes(self) -> None:
        """A larger ring, in which not everybody is told everything at once."""
        self.try_all(Trial(size=30, fault_rate=0.4), range(50 if LONG else 1))

    def test_two_hundred_nodes(self) -> None:
        """More than anybody has."""
        trial = Trial(size=200, storm=90.0, fault_rate=1.0)
        self.try_all(trial, range(20 if LONG else 0))
